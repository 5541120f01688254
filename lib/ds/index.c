/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ds/index.h"

#include <stdlib.h>

bool
index_init(struct index *index, size_t expected)
{
	size_t slots = 128;
	while (slots < expected * 2) {
		slots *= 2;
	}
	*index = (struct index){.slot = calloc(slots, sizeof(*index->slot)), .mask = slots - 1};
	return index->slot != NULL;
}

void
index_free(struct index *index)
{
	free(index->slot);
	*index = (struct index){.n = 0};
}

static void
put(struct index *index, uint64_t word)
{
	size_t at = (word >> 32) & index->mask;
	while (index->slot[at]) {
		at = (at + 1) & index->mask;
	}
	index->slot[at] = word;
	index->n++;
}

static bool
grow(struct index *index)
{
	struct index larger;
	if (!index_init(&larger, index->mask + 1)) {
		return false;
	}
	for (size_t i = 0; i <= index->mask; i++) {
		if (index->slot[i]) {
			put(&larger, index->slot[i]);
		}
	}
	free(index->slot);
	*index = larger;
	return true;
}

bool
index_add(struct index *index, uint64_t hash, size_t row)
{
	if (index->n >= index->mask / 2 && !grow(index)) {
		return false;
	}
	put(index, (hash ^ hash >> 32) << 32 | (row + 1));
	return true;
}
