/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of routes: prefix to what to do, for both families, in the segment. The control core writes it; everybody reads it
 * (seg_read_route()). The packet path uses what `pe` compiles of it (cmd/pe/fib.h).
 *
 * One route a prefix and length; which of several wanted ones stands there is the caller's decision (route_prefer()). A hash
 * table, struct seg_route, probed linearly; entries do not move. Pure; memory is the caller's.
 */
#ifndef PEKIT_ROUTE_ROUTE_H
#define PEKIT_ROUTE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "shm/layout.h"

#define ROUTE_NONE UINT32_MAX

struct route_key {
	uint64_t prefix[2]; /* bits beyond length are 0 */
	uint8_t family;     /* enum seg_family */
	uint8_t length;     /* 0..32, 0..128 */
};

struct route_table {
	struct seg_route *slot;
	uint32_t mask;
	uint32_t shift;
	uint32_t used; /* slots that are not empty: SEG_ROUTE_GONE included */
	uint64_t limit;
	uint64_t count[SEG_FAMILIES];
	uint32_t lengths4[33]; /* routes of each length: a lookup tries only those */
	uint32_t lengths6[129];
};

/* memory zeroed; slots a power of two, twice the limit or more. */
void
route_init(struct route_table *t, struct seg_route *memory, uint32_t slots, uint64_t limit);

/* Clears the bits beyond length, 0..32 or 0..128. */
void
route_mask(uint8_t family, uint8_t length, uint64_t words[static 2]);

/* Slot of exactly that prefix, or ROUTE_NONE. */
uint32_t
route_find(const struct route_table *t, const struct route_key *key);

/* Slot of the longest prefix in use (not SEG_ROUTE_DOWN) that holds the address, or ROUTE_NONE. For questions, not for packets.
 */
uint32_t
route_lookup(const struct route_table *t, uint8_t family, const uint64_t address[static 2]);

/* Puts a route there, or another in the place of one of the same prefix; ROUTE_NONE: the table is full (limit). seq is ignored.
 */
uint32_t
route_put(struct route_table *t, const struct seg_route *route);

void
route_del(struct route_table *t, uint32_t slot);

/* Of two routes for one prefix the one that stands: LOCAL, CONNECTED, then the others; of those the newer. True: a. */
bool
route_prefer(const struct seg_route *a, const struct seg_route *b);

/* "10.0.0.0/8", "2001:db8::/32", "default" (with `family`), an address (its whole length). Host bits must be 0. */
enum err_code
route_parse_prefix(const char *word, struct route_key *key, struct err *err);

#define ROUTE_TEXT_SIZE 52
char *
route_format_prefix(const struct route_key *key, char text[static ROUTE_TEXT_SIZE]);

#endif
