/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fdb/view.h"

#include <stdlib.h>
#include <string.h>

static size_t
place(const struct view *view, uint64_t key)
{
	uint64_t x = key * 0x9e3779b97f4a7c15ull;
	return (size_t)(x ^ x >> 32) & view->mask;
}

bool
view_init(struct view *view, size_t expected)
{
	size_t room = 64;
	while (room < expected) {
		room *= 2;
	}
	*view = (struct view){.room = room, .mask = room * 2 - 1};
	view->row = malloc(room * sizeof(*view->row));
	view->index = calloc(room * 2, sizeof(*view->index));
	if (!view->row || !view->index) {
		view_free(view);
		return false;
	}
	return true;
}

void
view_free(struct view *view)
{
	free(view->row);
	free(view->index);
	*view = (struct view){.n = 0};
}

static bool
grow(struct view *view)
{
	struct view_row *row = realloc(view->row, view->room * 2 * sizeof(*row));
	if (!row) {
		return false;
	}
	view->row = row;
	uint32_t *index = calloc(view->room * 4, sizeof(*index));
	if (!index) {
		return false;
	}
	free(view->index);
	view->index = index;
	view->room *= 2;
	view->mask = view->room * 2 - 1;
	for (size_t i = 0; i < view->n; i++) {
		size_t at = place(view, view->row[i].key);
		while (view->index[at]) {
			at = (at + 1) & view->mask;
		}
		view->index[at] = (uint32_t)i + 1;
	}
	return true;
}

/* Where the key's index is or would be. */
static size_t
find(const struct view *view, uint64_t key)
{
	size_t at = place(view, key);
	while (view->index[at] && view->row[view->index[at] - 1].key != key) {
		at = (at + 1) & view->mask;
	}
	return at;
}

struct view_row *
view_find(const struct view *view, uint64_t key)
{
	uint32_t found = view->n ? view->index[find(view, key)] : 0;
	return found ? &view->row[found - 1] : NULL;
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

bool
view_add(struct view *view, const struct view_entry *entry)
{
	size_t at = find(view, entry->key);
	if (view->index[at]) {
		merge(&view->row[view->index[at] - 1], entry);
		return true;
	}
	if (view->n == view->room) {
		if (!grow(view)) {
			return false;
		}
		at = find(view, entry->key);
	}
	struct view_row *row = &view->row[view->n++];
	*row = (struct view_row){.key = entry->key, .in_use = entry->live && (entry->value & SEG_VALUE_USED)};
	supersede(row, entry, 1ull << (entry->core - 1));
	view->index[at] = (uint32_t)view->n;
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
