/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a hash to the numbers of rows that somebody keeps in an array: for tools, which gather tables of sizes that they do not
 * know. The keys stay the caller's: it looks at each row that index_next() gives. Rows are never taken out. Pure; memory from
 * malloc.
 */
#ifndef PEKIT_DS_INDEX_H
#define PEKIT_DS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index {
	uint64_t *slot; /* hash << 32 | row + 1; 0: free */
	size_t mask, n;
};

/* A search for one hash: index_seek(), then index_next() until it is false. */
struct index_at {
	uint32_t hash;
	size_t slot;
	size_t row; /* one that may be it */
};

/* Room for so many rows; more are possible. False: no memory. */
bool
index_init(struct index *index, size_t expected);

void
index_free(struct index *index);

/* False: no memory. row < UINT32_MAX. */
bool
index_add(struct index *index, uint64_t hash, size_t row);

static inline struct index_at
index_seek(const struct index *index, uint64_t hash)
{
	uint32_t folded = (uint32_t)(hash ^ hash >> 32);
	return (struct index_at){.hash = folded, .slot = folded & index->mask};
}

static inline bool
index_next(const struct index *index, struct index_at *at)
{
	uint64_t found;
	while (index->slot && (found = index->slot[at->slot]) != 0) {
		at->slot = (at->slot + 1) & index->mask;
		if (found >> 32 == at->hash) {
			at->row = (uint32_t)found - 1;
			return true;
		}
	}
	return false;
}

#endif
