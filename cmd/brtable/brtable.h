/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs of brtable share: the open segment with its names, the filters, and one verb a file. */
#ifndef PEKIT_BRTABLE_H
#define PEKIT_BRTABLE_H

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/source.h"
#include "fdb/fdb.h"
#include "fdb/view.h"

struct br {
	struct source src;
	uint16_t rank[SEG_MAX_FIDS]; /* order of the FIDs by bridge and VLAN */
};

/* Which entries are meant; 0 and -1: any. */
struct br_filter {
	uint16_t bridge, vlan, channel;
	uint64_t mac;
	bool has_mac;
	int type; /* enum br_type */
};

enum br_type { BR_DYNAMIC, BR_STATIC, BR_STICKY };

/* What a key and value say, in words. NULL where the configuration has no name for it any more. */
struct br_names {
	const char *bridge;
	unsigned vlan;
	char mac[MAC_TEXT_SIZE];
	const char *port;
	const char *type;
};

/* open.c */
enum err_code
br_open(const struct cli *cli, struct br *br, struct err *err);
void
br_close(struct br *br);
/* Takes the words bridge, port, vlan, mac and type, as far as the verb has them; unknown names are ERR_NOT_FOUND. */
enum err_code
br_filter(const struct cli *cli, const struct br *br, struct br_filter *filter, struct err *err);
bool
br_filter_key(const struct br *br, const struct br_filter *filter, uint64_t key);
bool
br_filter_value(const struct br_filter *filter, uint64_t value);
void
br_names(const struct br *br, uint64_t key, uint64_t value, struct br_names *names);
unsigned
br_owner(const struct br *br, uint64_t key);
enum br_type
br_type(uint64_t value);
extern const char *const br_type_name[];

/* load.c: the tables of a set of cores as one. */
enum err_code
br_load(const struct br *br, const struct br_filter *filter, uint64_t cores, struct view *view, struct err *err);
void
br_sort(const struct br *br, struct view *view); /* ends the use of view_find() */
/* The entry of one key in one core's table; false: none, not even a tombstone. */
bool
br_lookup(const struct br *br, unsigned core, uint64_t key, struct seg_fdb_entry *entry);

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
flush_run(struct cli *cli, struct err *err);
enum err_code
stats_run(struct cli *cli, struct err *err);
enum err_code
monitor_run(struct cli *cli, struct err *err);
enum err_code
verify_run(struct cli *cli, struct err *err);

#endif
