/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bridge tables of all cores as one: by key, the version that wins and the cores that hold it. For tools, which read the
 * cores' tables one after the other while they change; nothing on the packet path uses it. Pure; memory from malloc.
 */
#ifndef PEKIT_FDB_VIEW_H
#define PEKIT_FDB_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ds/index.h"
#include "shm/layout.h"

/* What one core holds of one key. */
struct view_entry {
	uint64_t key, value, stamp;
	uint64_t used_ns, born_ns;
	unsigned core;  /* 1..SEG_MAX_CORES */
	unsigned owner; /* of the key */
	bool live;      /* neither a tombstone nor flushed */
};

struct view_row {
	uint64_t key, value, stamp; /* of the version that wins */
	uint64_t used_ns, born_ns;  /* as the owner has them, else the newest */
	uint64_t same;              /* cores that hold this version: bit n-1 is core n */
	uint64_t other;             /* cores that hold a live entry of another version */
	uint8_t owner;
	bool from_owner; /* used_ns is the owner's */
	bool live;
	bool in_use; /* somewhere since the last sweep */
	bool clash;  /* one version with two values */
};

struct view {
	struct view_row *row;
	size_t n, room;
	struct index index;
};

/* False: no memory (then, and after view_free(), the view is empty). */
bool
view_init(struct view *view, size_t expected);

void
view_free(struct view *view);

/* False: no memory. What a core gave before of this key is superseded. */
bool
view_add(struct view *view, const struct view_entry *entry);

/* Row of a key, or NULL. */
struct view_row *
view_find(const struct view *view, uint64_t key);

/* Do all cores of the set agree on this key? `all` as in view_row.same. */
bool
view_agrees(const struct view_row *row, uint64_t all);

/* Does version a win over version b? The order of lib/fdb/replica.h: the flush sequence, then the stamp. */
static inline bool
view_wins(uint64_t value_a, uint64_t stamp_a, uint64_t value_b, uint64_t stamp_b)
{
	uint32_t a = SEG_VALUE_FLUSH(value_a), b = SEG_VALUE_FLUSH(value_b);
	return a != b ? a > b : stamp_a > stamp_b;
}

static inline uint64_t
view_all(unsigned ncores)
{
	return ncores >= 64 ? UINT64_MAX : (1ull << ncores) - 1;
}

#endif
