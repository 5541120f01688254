/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the verbs of arpmgr and ndmgr share: one code base, one family each (neigh_tool of cmd/arpmgr and cmd/ndmgr). The open
 * segment with its names, words, filters, and one verb a file.
 */
#ifndef PEKIT_NEIGH_H
#define PEKIT_NEIGH_H

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/source.h"
#include "nbr/view.h"

/* What a tool is made of. */
struct neigh_tool {
	const char *name;
	const char *summary;
	const char *protocol; /* "ipv4", "ipv6" in requests */
	unsigned family;      /* enum seg_family */
	struct {
		const char *const *show,
			*const *get, *const *add, *const *replace,
							  *const *del,
								  *const *flush,
									  *const *resolve,
										  *const *announce,
											  *const *owner,
												  *const *stats,
													  *const *monitor,
														  *const *verify;
	} examples;
};
extern const struct neigh_tool neigh_tool;

int
neigh_main(int argc, char **argv);

struct neigh {
	struct source src;
	uint16_t rank[SEG_MAX_IFACES]; /* order of the interfaces by name */
};

/* Which entries are meant. */
struct neigh_filter {
	uint64_t prefix[2], mask[2];
	uint16_t iface;  /* 0: any */
	uint32_t states; /* bit n: enum seg_nbr_state n; 0: any */
};

/* ---- words.c ---- */

#define NEIGH_TEXT_SIZE 80 /* "10.0.10.5 dev v10", "10.0.0.0/8" */

/* ADDRESS or ADDRESS%IFACE, and the word dev. */
struct neigh_address {
	uint64_t words[2];
	const char *iface; /* a name; NULL: not given */
	char scope[SEG_NAME_SIZE];
};

/* struct cli_verb.check of verbs with an ADDRESS, and of those with `to PREFIX`. */
enum err_code
neigh_check_address(const struct cli *cli, struct err *err);
enum err_code
neigh_check_prefix(const struct cli *cli, struct err *err);

void
neigh_address(const struct cli *cli, struct neigh_address *address);
/* The prefix in one form. */
char *
neigh_prefix_text(const struct cli *cli, char text[static NEIGH_TEXT_SIZE]);
char *
neigh_text(const uint64_t words[static 2], char text[static IP_TEXT_SIZE]);

/* The words to, dev, and nud if `nud`; ERR_NOT_FOUND for an interface that is not there. */
enum err_code
neigh_filter(const struct cli *cli, const struct neigh *n, bool nud, struct neigh_filter *filter, struct err *err);
bool
neigh_filter_key(const struct neigh_filter *filter, const struct nbr_key *key);
bool
neigh_filter_state(const struct neigh_filter *filter, unsigned state);

/*
 * The interface of an address: the one that was named, else the one whose prefix holds it, else where an entry of it is.
 * ERR_USAGE when there are several (a link-local address is on every link), ERR_NOT_FOUND when there is none.
 */
enum err_code
neigh_pick_iface(const struct neigh *n, const struct neigh_address *address, uint16_t *iface, struct err *err);

/* ---- open.c ---- */

enum err_code
neigh_open(const struct cli *cli, struct neigh *n, struct err *err);
void
neigh_close(struct neigh *n);
const char *
neigh_iface_name(const struct neigh *n, uint32_t iface); /* NULL: it has none any more */
unsigned
neigh_owner(const struct neigh *n, const struct nbr_key *key);
enum err_code
neigh_load(const struct neigh *n, const struct neigh_filter *filter, uint64_t cores, struct nbr_view *view, struct err *err);
void
neigh_sort(const struct neigh *n, struct nbr_view *view); /* ends the use of nbr_view_find() */
/* The entry of one key in one core's table; false: none, not even a tombstone. */
bool
neigh_lookup(const struct neigh *n, unsigned core, const struct nbr_key *key, struct seg_nbr *entry);
/* All cores' entries of one key. */
enum err_code
neigh_one(const struct neigh *n, const struct nbr_key *key, struct nbr_view *view, struct err *err);

/* The verbs. */
enum err_code
show_run(struct cli *cli, struct err *err);
enum err_code
show_check(const struct cli *cli, struct err *err);
enum err_code
get_run(struct cli *cli, struct err *err);
enum err_code
add_run(struct cli *cli, struct err *err);
enum err_code
del_run(struct cli *cli, struct err *err);
enum err_code
flush_check(const struct cli *cli, struct err *err);
enum err_code
flush_run(struct cli *cli, struct err *err);
enum err_code
resolve_run(struct cli *cli, struct err *err);
enum err_code
announce_run(struct cli *cli, struct err *err);
enum err_code
owner_run(struct cli *cli, struct err *err);
enum err_code
stats_run(struct cli *cli, struct err *err);
enum err_code
monitor_run(struct cli *cli, struct err *err);
enum err_code
verify_run(struct cli *cli, struct err *err);
enum err_code
verify_check(const struct cli *cli, struct err *err);

#endif
