/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lines of the ledger add up to. */
#include "vf/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reading of the ledger; tell: of the leases of one function. */
struct reader {
	struct ledger *ledger;
	uint64_t func;
	int index;
	ledger_tell *tell;
	void *arg;
};

static int
compare(const struct ledger_record *record, uint64_t func, int index)
{
	if (record->func != func) {
		return record->func < func ? -1 : 1;
	}
	return record->index < index ? -1 : record->index > index;
}

/* Where it is, or would be. */
static size_t
place(const struct ledger *ledger, uint64_t func, int index)
{
	size_t low = 0, high = ledger->nrecords;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&ledger->record[middle], func, index) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static struct ledger_record *
find(const struct ledger *ledger, uint64_t func, int index)
{
	size_t at = place(ledger, func, index);
	return at < ledger->nrecords && compare(&ledger->record[at], func, index) == 0 ? &ledger->record[at] : NULL;
}

const struct ledger_record *
ledger_find(const struct ledger *ledger, uint64_t func, int index)
{
	return find(ledger, func, index);
}

const struct ledger_record *
ledger_of(const struct ledger *ledger, const struct host_func *func)
{
	return func->role == HOST_VF ? find(ledger, func->pf, func->index) : find(ledger, func->addr, -1);
}

/* Finds or makes it. NULL: no memory. */
static struct ledger_record *
take_record(struct ledger *ledger, uint64_t func, int index)
{
	struct ledger_record *known = find(ledger, func, index);
	if (known) {
		return known;
	}
	size_t at = place(ledger, func, index);
	struct ledger_record *more = realloc(ledger->record, (ledger->nrecords + 1) * sizeof(*more));
	if (!more) {
		return NULL;
	}
	memmove(&more[at + 1], &more[at], (ledger->nrecords - at) * sizeof(*more));
	more[at] = (struct ledger_record){.func = func, .index = index};
	ledger->record = more;
	ledger->nrecords++;
	return &more[at];
}

bool
ledger_news(const struct ledger *ledger, const struct ledger_entry *entry)
{
	const struct ledger_record *record = find(ledger, entry->func, entry->index);
	bool leased = record && record->holder[0];
	if (entry->steps.n) {
		return true;
	}
	switch (entry->op) {
	case LEDGER_LEASE:
		return entry->holder[0] && (!leased || record->generation != entry->generation ||
						   memcmp(&record->vlans, &entry->vlans, sizeof(entry->vlans)) != 0 ||
						   vfset_diff(&record->set, &entry->set));
	case LEDGER_RELEASE:
		return leased;
	case LEDGER_UNBIND:
		return record && record->bound;
	case LEDGER_PORT_RESET:
		return record && record->defaults.has;
	case LEDGER_BIND:
	case LEDGER_SET:
	case LEDGER_NUMVFS:
	case LEDGER_PORT_SET:
		break;
	}
	return false;
}

/* ---- what a change that was done means -------------------------------------------------------------------------------- */

static void
copy(char *to, const char *from, size_t size)
{
	size_t n = strlen(from);
	n = n < size ? n : size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}
#define COPY(to, from) copy(to, from, sizeof(to))

static void
bind_record(struct ledger_record *record, const struct step *step, const struct ledger_entry *begin)
{
	const struct step_value *from = &step->from, *to = &step->to;
	/* What was bound is gone when it is found otherwise now: by a boot, or by a hand. A lease knows better, once it has
	 * bound. */
	bool lost = record->bound && strcmp(record->driver, from->text) != 0 && !record->rebound;
	if (record->holder[0] && !record->rebound && !begin->by_file) {
		record->rebound = true;
		COPY(record->before_driver, from->text);
		COPY(record->before_override, from->text2);
	}
	if ((!record->bound || lost) && begin->op != LEDGER_UNBIND) {
		record->bound = true;
		COPY(record->former, from->text);
		COPY(record->former_override, from->text2);
	}
	COPY(record->driver, to->text);
	if (begin->op == LEDGER_UNBIND ||
		(strcmp(to->text, record->former) == 0 && strcmp(to->text2, record->former_override) == 0)) {
		record->bound = false;
	}
}

/* The release has put the driver back: was it bound by a bind before the lease, that stands again. */
static void
unbind_released(struct ledger_record *record, const struct ledger_entry *begin)
{
	const struct step *step = NULL;
	for (size_t i = 0; i < begin->steps.n; i++) {
		step = begin->steps.step[i].kind == STEP_DRIVER ? &begin->steps.step[i] : step;
	}
	if (!record->rebound) {
		return;
	}
	if (!record->bound && step) {
		record->bound = true;
		COPY(record->former, step->from.text);
		COPY(record->former_override, step->from.text2);
	}
	COPY(record->driver, record->before_driver);
	if (strcmp(record->former, record->before_driver) == 0 && strcmp(record->former_override, record->before_override) == 0) {
		record->bound = false;
	}
}

static void
end_lease(struct ledger_record *record)
{
	struct ledger_record ended = {
		.func = record->func,
		.index = record->index,
		.generation = record->generation,
		.bound = record->bound,
		.defaults = record->defaults,
	};
	COPY(ended.driver, record->driver);
	COPY(ended.former, record->former);
	COPY(ended.former_override, record->former_override);
	*record = ended;
}

static void
begin_lease(struct ledger_record *record, const struct ledger_entry *begin)
{
	if (strcmp(record->holder, begin->holder) != 0) {
		end_lease(record);
		COPY(record->holder, begin->holder);
		COPY(record->who, begin->who);
		COPY(record->at, begin->at);
		COPY(record->boot, begin->boot);
	}
	record->ids = begin->ids;
	record->vlans = begin->vlans;
	vfset_copy(&record->set, &begin->set, begin->set.has);
	record->set.has |= begin->set.has;
}

static void
set_record(struct ledger_record *record, const struct step *step, bool by_file)
{
	unsigned fresh = step->from.set.has & ~record->before.has;
	if (!record->holder[0]) {
		return;
	}
	/* The lease has said nothing of it: it is the file's, and stays when the lease ends. */
	if (by_file && !(step->to.set.has & record->set.has)) {
		vfset_copy(&record->before, &step->to.set, step->to.set.has);
		record->before.has |= step->to.set.has;
		return;
	}
	vfset_copy(&record->before, &step->from.set, fresh);
	record->before.has |= fresh;
	vfset_copy(&record->set, &step->to.set, step->to.set.has);
	record->set.has |= step->to.set.has;
}

static void
set_port(struct ledger_record *record, const struct step *step, enum ledger_op op)
{
	unsigned fresh = step->from.port.has & ~record->defaults.has;
	if (op == LEDGER_PORT_SET) {
		portset_copy(&record->defaults, &step->from.port, fresh);
		record->defaults.has |= fresh;
	}
}

/* New VFs know nothing of drivers that were given to the old ones, but for those that the change itself has given them again. */
static void
forget_bound(struct ledger *ledger, const struct ledger_entry *begin)
{
	size_t first = 0;
	while (first < begin->steps.n && begin->steps.step[first].kind != STEP_NUMVFS) {
		first++;
	}
	for (size_t i = place(ledger, begin->func, 0); i < ledger->nrecords && ledger->record[i].func == begin->func; i++) {
		struct ledger_record *record = &ledger->record[i];
		bool again = false;
		for (size_t k = first; k < begin->steps.n; k++) {
			const struct step *step = &begin->steps.step[k];
			again = again || (step->kind == STEP_DRIVER && step->index == record->index);
		}
		if (first < begin->steps.n && !again && !record->holder[0]) {
			record->bound = false;
		}
	}
}

static bool
apply_step(struct ledger *ledger, const struct step *step, const struct ledger_entry *begin)
{
	struct ledger_record *record = take_record(ledger, step->func, step->index);
	if (!record) {
		return false;
	}
	switch (step->kind) {
	case STEP_VFSET:
		set_record(record, step, begin->by_file);
		break;
	case STEP_DRIVER:
		bind_record(record, step, begin);
		break;
	case STEP_PORTSET:
		set_port(record, step, begin->op);
		break;
	case STEP_NUMVFS:
	case STEP_AUTOPROBE:
		break;
	}
	return true;
}

static void
tell_lease(const struct reader *reader, const struct ledger_record *record, const struct ledger_entry *end)
{
	if (reader->tell && record->func == reader->func && record->index == reader->index && record->holder[0]) {
		struct ledger_past past = {
			.generation = record->generation,
			.holder = record->holder,
			.who = record->who,
			.from = record->at,
			.to = end ? end->at : NULL,
			.set = &record->set,
			.note = end ? end->note : "",
		};
		reader->tell(reader->arg, &past);
	}
}

/* False: no memory. */
static bool
apply_done(const struct reader *reader, const struct ledger_entry *begin, const struct ledger_entry *end)
{
	struct ledger *ledger = reader->ledger;
	if (begin->op == LEDGER_NUMVFS) {
		forget_bound(ledger, begin);
		return true;
	}
	struct ledger_record *record = take_record(ledger, begin->func, begin->index);
	if (!record) {
		return false;
	}
	if (begin->op == LEDGER_RELEASE) {
		tell_lease(reader, record, end);
		unbind_released(record, begin);
		end_lease(record);
		return true;
	}
	if (begin->op == LEDGER_LEASE) {
		begin_lease(record, begin);
	}
	if (begin->op == LEDGER_UNBIND) {
		record->bound = false;
	}
	if (begin->op == LEDGER_PORT_RESET) {
		record->defaults = (struct portset){0};
	}
	for (size_t i = 0; i < begin->steps.n; i++) {
		if (!apply_step(ledger, &begin->steps.step[i], begin)) {
			return false;
		}
	}
	return true;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

/* A generation that was written down is never given again, whatever became of its lease. */
static enum err_code
take_begin(struct ledger *ledger, struct ledger_entry *entry, struct err *err)
{
	if (ledger->open.seq) {
		return err_set(err, ERR_FAILED, "begins before the end of %llu", (unsigned long long)ledger->open.seq);
	}
	if (entry->op == LEDGER_LEASE) {
		struct ledger_record *record = take_record(ledger, entry->func, entry->index);
		if (!record) {
			return err_set(err, ERR_FAILED, "no memory");
		}
		record->generation = entry->generation > record->generation ? entry->generation : record->generation;
	}
	ledger->open = *entry;
	*entry = (struct ledger_entry){0};
	return ERR_NONE;
}

static enum err_code
take_end(const struct reader *reader, const struct ledger_entry *entry, struct err *err)
{
	struct ledger *ledger = reader->ledger;
	if (!ledger->open.seq || ledger->open.seq != entry->of) {
		return err_set(err, ERR_FAILED, "the end of %llu, which has not begun", (unsigned long long)entry->of);
	}
	bool good = entry->phase == LEDGER_UNDONE || apply_done(reader, &ledger->open, entry);
	ledger_entry_free(&ledger->open);
	return good ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
}

static enum err_code
take_line(const struct reader *reader, const char *line, size_t size, struct err *err)
{
	struct ledger *ledger = reader->ledger;
	struct ledger_entry entry;
	enum err_code code = ledger_parse(line, size, &entry, err);
	if (code) {
		return code;
	}
	if (entry.seq <= ledger->seq) {
		code = err_set(err, ERR_FAILED, "its number %llu does not follow %llu", (unsigned long long)entry.seq,
			(unsigned long long)ledger->seq);
	} else {
		ledger->seq = entry.seq;
		code = entry.phase == LEDGER_BEGIN ? take_begin(ledger, &entry, err) : take_end(reader, &entry, err);
	}
	ledger_entry_free(&entry);
	return code;
}

static enum err_code
read_lines(const struct reader *reader, const char *text, size_t size, struct err *err)
{
	unsigned number = 1;
	const char *end;
	*reader->ledger = (struct ledger){0};
	for (; size && (end = memchr(text, '\n', size)); number++) {
		size_t length = (size_t)(end - text);
		struct err inner = {0};
		if (take_line(reader, text, length, &inner)) {
			ledger_free(reader->ledger);
			return err_set(err, ERR_FAILED, "line %u: %s", number, inner.message);
		}
		text += length + 1;
		size -= length + 1;
	}
	return ERR_NONE;
}

enum err_code
ledger_read(const char *text, size_t size, struct ledger *ledger, struct err *err)
{
	struct reader reader = {.ledger = ledger};
	return read_lines(&reader, text, size, err);
}

enum err_code
ledger_take(struct ledger *ledger, const char *line, size_t size, struct err *err)
{
	return take_line(&(struct reader){.ledger = ledger}, line, size, err);
}

void
ledger_free(struct ledger *ledger)
{
	free(ledger->record);
	ledger_entry_free(&ledger->open);
	*ledger = (struct ledger){0};
}

enum err_code
ledger_history(const char *text, size_t size, uint64_t func, int index, ledger_tell *tell, void *arg, struct err *err)
{
	struct ledger ledger;
	struct reader reader = {.ledger = &ledger, .func = func, .index = index, .tell = tell, .arg = arg};
	enum err_code code = read_lines(&reader, text, size, err);
	if (!code) {
		const struct ledger_record *record = find(&ledger, func, index);
		if (record) {
			tell_lease(&reader, record, NULL);
		}
		ledger_free(&ledger);
	}
	return code;
}
