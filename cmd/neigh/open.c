/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cores' neighbour tables read: one key, or all of them merged. */
#include <stdlib.h>
#include <string.h>

#include "neigh.h"

/* ---- names ------------------------------------------------------------------------------------------------------ */

const char *
neigh_iface_name(const struct neigh *n, uint32_t iface)
{
	const char *name = iface < SEG_MAX_IFACES ? n->src.tables->iface[iface].name : "";
	return name[0] ? name : NULL;
}

static int
compare_ifaces(const void *a, const void *b, void *arg)
{
	uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
	const char *nx = neigh_iface_name(arg, x), *ny = neigh_iface_name(arg, y);
	int order = strcmp(nx ? nx : "\xff", ny ? ny : "\xff");
	return order ? order : (x > y) - (x < y);
}

static void
rank_ifaces(struct neigh *n)
{
	uint16_t order[SEG_MAX_IFACES];
	for (unsigned i = 0; i < SEG_MAX_IFACES; i++) {
		order[i] = (uint16_t)i;
	}
	qsort_r(order, SEG_MAX_IFACES, sizeof(*order), compare_ifaces, n);
	for (unsigned i = 0; i < SEG_MAX_IFACES; i++) {
		n->rank[order[i]] = (uint16_t)i;
	}
}

enum err_code
neigh_open(const struct cli *cli, struct neigh *n, struct err *err)
{
	enum err_code code = source_read(cli, &n->src, err);
	if (!code) {
		rank_ifaces(n);
	}
	return code;
}

void
neigh_close(struct neigh *n)
{
	source_close(&n->src);
}

/* As nbr_owner() of lib/nbr/cache.h. */
unsigned
neigh_owner(const struct neigh *n, const struct nbr_key *key)
{
	const struct seg_control *control = n->src.control;
	return neigh_tool.family == SEG_IPV4
		       ? seg_get(&control->master)
		       : seg_get(&control->owner[nbr_owner_bucket(nbr_hash(key, n->src.seg.head.fdb_seed))]);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static struct nbr_key
key_of(const struct seg_nbr *entry)
{
	return (struct nbr_key){.address = {entry->address[0], entry->address[1]}, .iface = entry->iface};
}

enum err_code
neigh_load(const struct neigh *n, const struct neigh_filter *filter, uint64_t cores, struct nbr_view *view, struct err *err)
{
	const struct seg *seg = &n->src.seg;
	uint64_t entries = 0;
	for (uint64_t left = cores; left; left &= left - 1) {
		uint64_t its = seg_get(&seg_core(seg, (unsigned)__builtin_ctzll(left) + 1)->nbr[neigh_tool.family].entries);
		entries = its > entries ? its : entries;
	}
	if (!nbr_view_init(view, entries < seg->head.nbr_slots ? entries + entries / 4 : seg->head.nbr_slots)) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	struct seg_nbr entry;
	for (; cores; cores &= cores - 1) {
		unsigned core = (unsigned)__builtin_ctzll(cores) + 1;
		for (uint32_t slot = 0; slot < seg->head.nbr_slots; slot++) {
			if (!seg_read_nbr(seg, neigh_tool.family, core, slot, &entry)) {
				continue;
			}
			const struct nbr_key key = key_of(&entry);
			if (neigh_filter_key(filter, &key) && !nbr_view_add(view, &entry, core, neigh_owner(n, &key))) {
				nbr_view_free(view);
				return err_set(err, ERR_FAILED, "no memory");
			}
		}
	}
	return ERR_NONE;
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const struct nbr_view_row *x = a, *y = b;
	const struct neigh *n = arg;
	unsigned rx = n->rank[x->key.iface % SEG_MAX_IFACES], ry = n->rank[y->key.iface % SEG_MAX_IFACES];
	if (rx != ry) {
		return rx < ry ? -1 : 1;
	}
	if (x->key.address[0] != y->key.address[0]) {
		return x->key.address[0] < y->key.address[0] ? -1 : 1;
	}
	return (x->key.address[1] > y->key.address[1]) - (x->key.address[1] < y->key.address[1]);
}

void
neigh_sort(const struct neigh *n, struct nbr_view *view)
{
	struct neigh *arg = (struct neigh *)(uintptr_t)n; /* qsort_r() has no const */
	qsort_r(view->row, view->n, sizeof(*view->row), compare_rows, arg);
}

bool
neigh_lookup(const struct neigh *n, unsigned core, const struct nbr_key *key, struct seg_nbr *entry)
{
	const struct seg *seg = &n->src.seg;
	const struct seg_nbr *table = seg_nbr(seg, neigh_tool.family, core);
	uint32_t slots = seg->head.nbr_slots;
	uint64_t home = nbr_hash(key, seg->head.fdb_seed) >> (64 - __builtin_ctz(slots));
	for (uint32_t i = 0; i < slots; i++) {
		uint64_t slot = (home + i) & (slots - 1);
		if (seg_read_nbr(seg, neigh_tool.family, core, slot, entry)) {
			const struct nbr_key found = key_of(entry);
			if (nbr_key_same(&found, key)) {
				return true;
			}
		} else if (seg_get(&table[slot].iface) == 0) {
			return false;
		}
	}
	return false;
}

enum err_code
neigh_one(const struct neigh *n, const struct nbr_key *key, struct nbr_view *view, struct err *err)
{
	struct seg_nbr entry;
	for (unsigned core = 1; core <= n->src.ncores; core++) {
		if (neigh_lookup(n, core, key, &entry) && !nbr_view_add(view, &entry, core, neigh_owner(n, key))) {
			return err_set(err, ERR_FAILED, "no memory");
		}
	}
	return ERR_NONE;
}
