/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vf/ledger_trim.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"

/* A begin and its end. */
struct change {
	size_t at, size;
	bool keep;
};

/* A change has altered a record. */
struct touch {
	size_t change;
	uint64_t func;
	int index;
	bool blank;  /* nothing is recorded after it but a generation */
	bool raised; /* the generation */
};

struct trim {
	const char *text;
	struct change *change;
	size_t nchanges, change_room;
	struct touch *touch; /* in the end: by record, then by change */
	size_t ntouches, touch_room;
	struct ledger ledger;         /* as far as it was read */
	struct ledger_record *before; /* what its records were before the change that is read */
	size_t nbefore, before_room;
};

/* ---- what a record says ------------------------------------------------------------------------------------------------ */

static bool
same_set(const struct vfset *a, const struct vfset *b)
{
	return a->has == b->has && vfset_diff(a, b) == 0;
}

static bool
same_binding(const struct ledger_record *a, const struct ledger_record *b)
{
	if (a->bound != b->bound || a->rebound != b->rebound) {
		return false;
	}
	if (a->bound && (strcmp(a->former, b->former) != 0 || strcmp(a->former_override, b->former_override) != 0)) {
		return false;
	}
	if (a->rebound &&
		(strcmp(a->before_driver, b->before_driver) != 0 || strcmp(a->before_override, b->before_override) != 0)) {
		return false;
	}
	return (!a->bound && !a->rebound) || strcmp(a->driver, b->driver) == 0;
}

/* Of texts that belong to nothing any more nobody asks. */
static bool
same_record(const struct ledger_record *a, const struct ledger_record *b)
{
	if (strcmp(a->holder, b->holder) != 0 || a->defaults.has != b->defaults.has ||
		portset_diff(&a->defaults, &b->defaults) != 0 || !same_binding(a, b)) {
		return false;
	}
	return !a->holder[0] || (strcmp(a->who, b->who) == 0 && strcmp(a->at, b->at) == 0 && strcmp(a->boot, b->boot) == 0 &&
					a->ids == b->ids && memcmp(&a->vlans, &b->vlans, sizeof(a->vlans)) == 0 &&
					same_set(&a->set, &b->set) && same_set(&a->before, &b->before));
}

static bool
is_blank(const struct ledger_record *record)
{
	static const struct ledger_record blank;
	return same_record(record, &blank);
}

static bool
all_in(const struct ledger *a, const struct ledger *b)
{
	for (size_t i = 0; i < a->nrecords; i++) {
		const struct ledger_record *mine = &a->record[i], *other = ledger_find(b, mine->func, mine->index);
		if (other ? mine->generation != other->generation || !same_record(mine, other)
			  : mine->generation != 0 || !is_blank(mine)) {
			return false;
		}
	}
	return true;
}

bool
ledger_same(const struct ledger *a, const struct ledger *b)
{
	return a->seq == b->seq && a->open.seq == b->open.seq && all_in(a, b) && all_in(b, a);
}

/* ---- which change alters which record ---------------------------------------------------------------------------------- */

/* Room for one more of them; false: no memory. */
static bool
grow(void **list, size_t n, size_t *room, size_t each)
{
	if (n < *room) {
		return true;
	}
	size_t more = *room ? 2 * *room : 64;
	void *longer = realloc(*list, more * each);
	if (longer != NULL) {
		*list = longer;
		*room = more;
	}
	return longer != NULL;
}

static bool
remember_records(struct trim *t)
{
	while (t->before_room < t->ledger.nrecords) {
		if (!grow((void **)&t->before, t->before_room, &t->before_room, sizeof(*t->before))) {
			return false;
		}
	}
	if (t->ledger.nrecords) {
		memcpy(t->before, t->ledger.record, t->ledger.nrecords * sizeof(*t->before));
	}
	t->nbefore = t->ledger.nrecords;
	return true;
}

/* Records are in order, and none ever goes. */
static bool
add_touches(struct trim *t)
{
	size_t old = 0;
	for (size_t i = 0; i < t->ledger.nrecords; i++) {
		const struct ledger_record *now = &t->ledger.record[i];
		struct ledger_record was = {0};
		if (old < t->nbefore && t->before[old].func == now->func && t->before[old].index == now->index) {
			was = t->before[old++];
		}
		if (was.generation == now->generation && same_record(&was, now)) {
			continue;
		}
		if (!grow((void **)&t->touch, t->ntouches, &t->touch_room, sizeof(*t->touch))) {
			return false;
		}
		t->touch[t->ntouches++] = (struct touch){.change = t->nchanges - 1,
			.func = now->func,
			.index = now->index,
			.blank = is_blank(now),
			.raised = was.generation != now->generation};
	}
	return true;
}

static bool
add_change(struct trim *t, size_t at, size_t size)
{
	if (!grow((void **)&t->change, t->nchanges, &t->change_room, sizeof(*t->change))) {
		return false;
	}
	t->change[t->nchanges++] = (struct change){.at = at, .size = size};
	return add_touches(t);
}

static bool
read_changes(struct trim *t, size_t size)
{
	size_t begin = 0, at = 0;
	const char *end;
	while (at < size && (end = memchr(t->text + at, '\n', size - at))) {
		size_t length = (size_t)(end - (t->text + at));
		if ((begin == at && !remember_records(t)) || ledger_take(&t->ledger, t->text + at, length, NULL)) {
			return false;
		}
		at += length + 1;
		if (t->ledger.open.seq == 0) {
			if (!add_change(t, begin, at - begin)) {
				return false;
			}
			begin = at;
		}
	}
	return at == size && begin == at && t->nchanges > 0;
}

/* ---- which changes stay -------------------------------------------------------------------------------------------------- */

static int
by_record(const void *a, const void *b)
{
	const struct touch *x = a, *y = b;
	if (x->func != y->func) {
		return x->func < y->func ? -1 : 1;
	}
	if (x->index != y->index) {
		return x->index < y->index ? -1 : 1;
	}
	return x->change < y->change ? -1 : x->change > y->change;
}

static bool
one_record(const struct trim *t, size_t i, size_t k)
{
	return i < t->ntouches && k < t->ntouches && t->touch[i].func == t->touch[k].func &&
	       t->touch[i].index == t->touch[k].index;
}

static bool
kept(const struct trim *t, size_t touch)
{
	return t->change[t->touch[touch].change].keep;
}

static void
keep(struct trim *t, size_t touch)
{
	t->change[t->touch[touch].change].keep = true;
}

/* The last of each record when it has left something, the last that raised its generation, and the last of all: for its number.
 */
static void
keep_last(struct trim *t)
{
	bool raised = false;
	t->change[t->nchanges - 1].keep = true;
	for (size_t i = t->ntouches; i-- > 0;) {
		bool last = !one_record(t, i, i + 1);
		raised = raised && !last;
		if ((last && !t->touch[i].blank) || (t->touch[i].raised && !raised)) {
			keep(t, i);
		}
		raised = raised || t->touch[i].raised;
	}
}

/* What stays brings along what its records were made of: back to where they were blank, and on to where they are so again. */
static bool
keep_neighbours(struct trim *t)
{
	bool more = false;
	for (size_t i = 0; i + 1 < t->ntouches; i++) {
		if (one_record(t, i, i + 1) && !t->touch[i].blank && kept(t, i) != kept(t, i + 1)) {
			keep(t, i);
			keep(t, i + 1);
			more = true;
		}
	}
	for (size_t i = t->ntouches; i-- > 1;) {
		if (one_record(t, i - 1, i) && !t->touch[i - 1].blank && kept(t, i - 1) != kept(t, i)) {
			keep(t, i - 1);
			keep(t, i);
			more = true;
		}
	}
	return more;
}

static char *
take_kept(const struct trim *t, size_t size, size_t *trimmed)
{
	size_t n = 0;
	for (size_t i = 0; i < t->nchanges; i++) {
		n += t->change[i].keep ? t->change[i].size : 0;
	}
	char *text = n <= size / 2 ? malloc(n) : NULL;
	*trimmed = 0;
	for (size_t i = 0; text && i < t->nchanges; i++) {
		if (t->change[i].keep) {
			memcpy(text + *trimmed, t->text + t->change[i].at, t->change[i].size);
			*trimmed += t->change[i].size;
		}
	}
	return text;
}

static bool
says_the_same(const struct trim *t, const char *text, size_t size)
{
	struct ledger again;
	if (ledger_read(text, size, &again, NULL)) {
		return false;
	}
	bool same = ledger_same(&t->ledger, &again);
	ledger_free(&again);
	return same;
}

char *
ledger_trim(const char *text, size_t size, size_t *trimmed)
{
	struct trim t = {.text = text};
	char *shorter = NULL;
	if (read_changes(&t, size)) {
		if (t.ntouches) {
			qsort(t.touch, t.ntouches, sizeof(*t.touch), by_record);
		}
		keep_last(&t);
		while (keep_neighbours(&t)) {
		}
		shorter = take_kept(&t, size, trimmed);
	}
	if (shorter && !says_the_same(&t, shorter, *trimmed)) {
		free(shorter);
		shorter = NULL;
	}
	ledger_free(&t.ledger);
	free(t.before);
	free(t.touch);
	free(t.change);
	return shorter;
}

/* ---- by number ----------------------------------------------------------------------------------------------------------- */

/* Lines begin with it as they are written; who has edited one may have put it elsewhere. */
static uint64_t
number_of(const char *line, size_t size)
{
	static const char head[] = "{\"seq\":";
	struct ledger_entry entry;
	const char *comma = size > sizeof(head) && memcmp(line, head, sizeof(head) - 1) == 0 ? memchr(line, ',', size) : NULL;
	char text[24];
	uint64_t number;
	if (comma != NULL && (size_t)(comma - line) < sizeof(head) - 1 + sizeof(text)) {
		size_t n = (size_t)(comma - line) - (sizeof(head) - 1);
		memcpy(text, line + sizeof(head) - 1, n);
		text[n] = '\0';
		if (num_parse_u64(text, 1, UINT64_MAX, &number)) {
			return number;
		}
	}
	if (ledger_parse(line, size, &entry, NULL)) {
		return 0;
	}
	uint64_t seq = entry.seq;
	ledger_entry_free(&entry);
	return seq;
}

uint64_t
ledger_last(const char *text, size_t size)
{
	const char *end = size ? memrchr(text, '\n', size) : NULL;
	if (end == NULL) {
		return 0;
	}
	const char *before = memrchr(text, '\n', (size_t)(end - text));
	const char *line = before ? before + 1 : text;
	return number_of(line, (size_t)(end - line));
}

size_t
ledger_after(const char *text, size_t size, uint64_t seq)
{
	size_t at = 0;
	const char *end;
	while (at < size && (end = memchr(text + at, '\n', size - at))) {
		size_t length = (size_t)(end - (text + at));
		if (number_of(text + at, length) > seq) {
			return at;
		}
		at += length + 1;
	}
	return size;
}
