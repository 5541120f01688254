/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fdb/view.h"

#include <stdlib.h>

static uint64_t
mix(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15ull;
}

bool
view_init(struct view *view, size_t expected)
{
	size_t room = expected < 64 ? 64 : expected;
	*view = (struct view){.room = room, .row = malloc(room * sizeof(*view->row))};
	if (!index_init(&view->index, room) || !view->row) {
		view_free(view);
		return false;
	}
	return true;
}

void
view_free(struct view *view)
{
	free(view->row);
	index_free(&view->index);
	*view = (struct view){.n = 0};
}

struct view_row *
view_find(const struct view *view, uint64_t key)
{
	struct index_at at = index_seek(&view->index, mix(key));
	while (index_next(&view->index, &at)) {
		if (view->row[at.row].key == key) {
			return &view->row[at.row];
		}
	}
	return NULL;
}

static void
take_times(struct view_row *row, const struct view_entry *entry)
{
	bool owner = entry->core == entry->owner;
	if (owner || (!row->from_owner && entry->used_ns > row->used_ns)) {
		row->used_ns = entry->used_ns;
		row->born_ns = entry->born_ns;
		row->from_owner = owner;
	}
}

static void
supersede(struct view_row *row, const struct view_entry *entry, uint64_t bit)
{
	uint64_t other = row->live ? row->other | row->same : row->other;
	*row = (struct view_row){.key = entry->key,
		.value = entry->value & SEG_VALUE_SHARED,
		.stamp = entry->stamp,
		.same = bit,
		.other = other & ~bit,
		.owner = (uint8_t)entry->owner,
		.live = entry->live,
		.in_use = row->in_use};
	take_times(row, entry);
}

static void
merge(struct view_row *row, const struct view_entry *entry)
{
	uint64_t bit = 1ull << (entry->core - 1), value = entry->value & SEG_VALUE_SHARED;
	row->in_use |= entry->live && (entry->value & SEG_VALUE_USED);
	if (row->stamp == entry->stamp && SEG_VALUE_FLUSH(row->value) == SEG_VALUE_FLUSH(value)) {
		/* A deletion keeps no channel: what a tombstone says beside its version means nothing. */
		row->clash |= row->live != entry->live || (row->live && row->value != value);
		row->same |= bit;
		row->other &= ~bit;
		take_times(row, entry);
	} else if (view_wins(value, entry->stamp, row->value, row->stamp)) {
		supersede(row, entry, bit);
	} else if (entry->live && !(row->same & bit)) {
		row->other |= bit;
	}
}

static bool
make_room(struct view *view)
{
	if (view->n < view->room) {
		return true;
	}
	struct view_row *row = realloc(view->row, view->room * 2 * sizeof(*row));
	if (!row) {
		return false;
	}
	view->row = row;
	view->room *= 2;
	return true;
}

bool
view_add(struct view *view, const struct view_entry *entry)
{
	struct view_row *row = view_find(view, entry->key);
	if (row) {
		merge(row, entry);
		return true;
	}
	if (!make_room(view) || !index_add(&view->index, mix(entry->key), view->n)) {
		return false;
	}
	row = &view->row[view->n++];
	*row = (struct view_row){.key = entry->key, .in_use = entry->live && (entry->value & SEG_VALUE_USED)};
	supersede(row, entry, 1ull << (entry->core - 1));
	return true;
}

bool
view_agrees(const struct view_row *row, uint64_t all)
{
	if (row->clash) {
		return false;
	}
	return row->live ? row->same == all : row->other == 0;
}
