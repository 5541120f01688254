/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nbr/view.h"

#include <stdlib.h>

#define ANY_SEED 1 /* the index is this process's own: nobody aims at it */

bool
nbr_view_init(struct nbr_view *view, size_t expected)
{
	size_t room = expected < 64 ? 64 : expected;
	*view = (struct nbr_view){.room = room, .row = malloc(room * sizeof(*view->row))};
	if (!index_init(&view->index, room) || !view->row) {
		nbr_view_free(view);
		return false;
	}
	return true;
}

void
nbr_view_free(struct nbr_view *view)
{
	free(view->row);
	index_free(&view->index);
	*view = (struct nbr_view){.n = 0};
}

struct nbr_view_row *
nbr_view_find(const struct nbr_view *view, const struct nbr_key *key)
{
	struct index_at at = index_seek(&view->index, nbr_hash(key, ANY_SEED));
	while (index_next(&view->index, &at)) {
		if (nbr_key_same(&view->row[at.row].key, key)) {
			return &view->row[at.row];
		}
	}
	return NULL;
}

static bool
is_local(uint64_t value)
{
	unsigned state = SEG_NBR_STATE(value);
	return !(value & SEG_NBR_TOMB) && (state == SEG_NBR_INCOMPLETE || state == SEG_NBR_FAILED);
}

/* What versions are compared by. */
static uint64_t
shared(uint64_t value)
{
	return (value & SEG_NBR_SHARED) | (SEG_NBR_STATE(value) == SEG_NBR_PERMANENT);
}

static void
take_local(struct nbr_view_row *row, const struct seg_nbr *entry, unsigned core)
{
	bool owner = core == row->owner;
	row->local |= 1ull << (core - 1);
	if (owner || !row->local_from_owner) {
		row->local_state = (uint8_t)SEG_NBR_STATE(entry->value);
		row->local_from_owner = owner;
	}
}

static void
take_times(struct nbr_view_row *row, const struct seg_nbr *entry, unsigned core)
{
	bool owner = core == row->owner;
	if (owner || (!row->from_owner && entry->confirmed_ns >= row->confirmed_ns)) {
		row->state = (uint8_t)SEG_NBR_STATE(entry->value);
		row->confirmed_ns = entry->confirmed_ns;
		row->used_ns = entry->used_ns;
		row->changed_ns = entry->changed_ns;
		row->from_owner = owner;
	}
}

static void
supersede(struct nbr_view_row *row, const struct seg_nbr *entry, unsigned core)
{
	uint64_t bit = 1ull << (core - 1);
	row->other = (row->live ? row->other | row->same : row->other) & ~bit;
	row->same = bit;
	row->value = entry->value;
	row->stamp = entry->stamp;
	row->live = nbr_usable(entry->value);
	row->clash = false;
	row->from_owner = false;
	row->confirmed_ns = row->used_ns = row->changed_ns = 0;
	take_times(row, entry, core);
}

static void
merge(struct nbr_view_row *row, const struct seg_nbr *entry, unsigned core)
{
	uint64_t bit = 1ull << (core - 1);
	bool live = nbr_usable(entry->value);
	if (row->stamp == entry->stamp) {
		/* What a deletion says beside its version means nothing. */
		row->clash |= row->live != live || (live && shared(row->value) != shared(entry->value));
		row->value = live && !row->live ? entry->value : row->value;
		row->live |= live;
		row->same |= bit;
		row->other &= ~bit;
		take_times(row, entry, core);
	} else if (entry->stamp > row->stamp) {
		supersede(row, entry, core);
	} else if (live && !(row->same & bit)) {
		row->other |= bit;
	}
}

static struct nbr_view_row *
new_row(struct nbr_view *view, const struct nbr_key *key, unsigned owner)
{
	if (view->n == view->room) {
		struct nbr_view_row *row = realloc(view->row, view->room * 2 * sizeof(*row));
		if (!row) {
			return NULL;
		}
		view->row = row;
		view->room *= 2;
	}
	if (!index_add(&view->index, nbr_hash(key, ANY_SEED), view->n)) {
		return NULL;
	}
	struct nbr_view_row *row = &view->row[view->n++];
	*row = (struct nbr_view_row){.key = *key, .owner = (uint8_t)owner};
	return row;
}

bool
nbr_view_add(struct nbr_view *view, const struct seg_nbr *entry, unsigned core, unsigned owner)
{
	const struct nbr_key key = {.address = {entry->address[0], entry->address[1]}, .iface = entry->iface};
	struct nbr_view_row *row = nbr_view_find(view, &key);
	if (!row) {
		row = new_row(view, &key, owner);
		if (!row) {
			return false;
		}
	}
	row->local &= ~(1ull << (core - 1));
	if (is_local(entry->value)) {
		take_local(row, entry, core);
	}
	/* One that is asked for anew keeps the version of its deletion. */
	if (row->stamp == 0 && row->same == 0) {
		supersede(row, entry, core);
	} else {
		merge(row, entry, core);
	}
	return true;
}

bool
nbr_view_agrees(const struct nbr_view_row *row, uint64_t all)
{
	if (row->clash) {
		return false;
	}
	return row->live ? row->same == all : row->other == 0;
}
