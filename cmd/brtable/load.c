/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cores' tables read: one entry, or all of them merged. */
#include <stdlib.h>

#include "brtable.h"

enum err_code
br_load(const struct br *br, const struct br_filter *filter, uint64_t cores, struct view *view, struct err *err)
{
	uint64_t slots = (uint64_t)br->src.seg.head.fdb_buckets * SEG_WAYS, entries = 0;
	for (uint64_t left = cores; left; left &= left - 1) {
		uint64_t its = seg_get(&seg_core(&br->src.seg, (unsigned)__builtin_ctzll(left) + 1)->fdb.entries);
		entries = its > entries ? its : entries;
	}
	if (!view_init(view, entries < slots ? entries + entries / 4 : slots)) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	struct seg_fdb_entry found;
	for (; cores; cores &= cores - 1) {
		unsigned core = (unsigned)__builtin_ctzll(cores) + 1;
		for (uint64_t slot = 0; slot < slots; slot++) {
			if (!seg_read_fdb(&br->src.seg, core, slot, &found) || !br_filter_key(br, filter, found.key)) {
				continue;
			}
			struct view_entry entry = {.key = found.key,
				.value = found.value,
				.stamp = found.cold.stamp,
				.used_ns = found.cold.used_ns,
				.born_ns = found.cold.born_ns,
				.core = core,
				.owner = br_owner(br, found.key),
				.live = found.state == SEG_FDB_LIVE};
			if (!view_add(view, &entry)) {
				view_free(view);
				return err_set(err, ERR_FAILED, "no memory");
			}
		}
	}
	return ERR_NONE;
}

struct place {
	uint64_t order;
	size_t row;
};

static int
compare_places(const void *a, const void *b)
{
	uint64_t x = ((const struct place *)a)->order, y = ((const struct place *)b)->order;
	return (x > y) - (x < y);
}

void
br_sort(const struct br *br, struct view *view)
{
	struct place *place = malloc((view->n + 1) * sizeof(*place));
	struct view_row *row = malloc((view->n + 1) * sizeof(*row));
	if (!place || !row) { /* unsorted is better than nothing */
		free(place);
		free(row);
		return;
	}
	for (size_t i = 0; i < view->n; i++) {
		uint64_t key = view->row[i].key;
		place[i] = (struct place){(uint64_t)br->rank[fdb_key_fid(key) % SEG_MAX_FIDS] << 48 | fdb_key_mac(key), i};
	}
	qsort(place, view->n, sizeof(*place), compare_places);
	for (size_t i = 0; i < view->n; i++) {
		row[i] = view->row[place[i].row];
	}
	free(place);
	free(view->row);
	view->row = row;
	view->room = view->n + 1;
}

bool
br_lookup(const struct br *br, unsigned core, uint64_t key, struct seg_fdb_entry *entry)
{
	uint32_t buckets = br->src.seg.head.fdb_buckets, home = fdb_home(fdb_hash(key, br->src.seg.head.fdb_seed), buckets);
	/* Twice: the entry may be pushed on while this looks. */
	for (unsigned look = 0; look < 2; look++) {
		for (unsigned i = 0; i < (FDB_REACH + 1) * SEG_WAYS; i++) {
			uint64_t bucket = ((uint64_t)home + i / SEG_WAYS) % buckets;
			if (seg_read_fdb(&br->src.seg, core, bucket * SEG_WAYS + i % SEG_WAYS, entry) && entry->key == key) {
				return true;
			}
		}
	}
	return false;
}
