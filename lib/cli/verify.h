/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the verify verbs have in common: do all cores hold the same? First by the digests, when all is quiet; else by the tables:
 * whatever was announced is waited for (settle.h), the tables are read, what differs is waited for and looked at again. What then
 * still differs in the same versions is a difference. Of a dead engine nothing can be waited for: messages still in rings are set
 * apart, and what they would have mended is no difference.
 */
#ifndef PEKIT_CLI_VERIFY_H
#define PEKIT_CLI_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/source.h"

#define VERIFY_DIFFERENCES 1000 /* that are listed */
#define VERIFY_PENDING 4096

struct verify {
	struct cli *cli;
	const struct source *src;
	/* A record of the caller's: a key, and what each core holds of it. */
	size_t size;
	const char *one, *many; /* "entry", "entries" */
	size_t no_room;         /* place in struct seg_core of the counter of entries that found no room */
	void *arg;
	/* Are the tables' digests equal, and nothing in them about to change? Also how many entries that makes. */
	bool (*digests_equal)(void *arg, uint64_t *entries);
	/* Reads the tables of source.cores: counts `entries`, and says verify_found() for each key that differs. */
	enum err_code (*read)(void *arg, struct err *err);
	/* Reads what all cores hold of the record's key anew. */
	void (*look_up)(void *arg, void *record);
	bool (*agree)(void *arg, const void *record);
	bool (*same)(void *arg, const void *a, const void *b);
	/* Is the message an announcement of entries? It may be made ready for `about`. */
	bool (*announces)(void *arg, struct seg_msg *msg);
	bool (*about)(void *arg, const struct seg_msg *msg, const void *record);
	/* what came out */
	bool coherent;
	const char *method; /* "digest" or "tables" */
	uint64_t entries;
	size_t ndifferences;
	uint8_t *difference; /* verify_difference() */
	bool more;           /* than VERIFY_DIFFERENCES */
	size_t npending;
	struct seg_msg *pending; /* messages in the rings of a dead engine */
};

/* The option --full goes to the tables at once. ERR_TIMEOUT names the core that does not come to rest. */
enum err_code
verify_compare(struct verify *v, struct err *err);

void
verify_free(struct verify *v);

/* For read(): a key differs; key: the beginning of a record. False: too many, no more need to come. */
bool
verify_found(struct verify *v, const void *key, size_t size);

void *
verify_difference(const struct verify *v, size_t i);

/* "coherent: 3 cores, 4 entries (by digest)" and its opposite; `after` stands before the colon. */
void
verify_say(const struct verify *v, const char *after);

/* What may be behind differences, as notes. */
void
verify_explain(const struct verify *v);

#endif
