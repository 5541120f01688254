/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/portset.c */
/* links: lib/vf/ledger_trim.c lib/json/field.c lib/vf/vfset.c lib/vf/keys.c lib/base/addr.c lib/base/err.c lib/base/num.c
 * -ljansson */
/*
 * The ledger: any bytes. A line that is taken is taken again as it is written, and is then written the same; what is left halfway
 * can be ended; the records are in order; what is trimmed says the same.
 */
#include "must.h"
#include "vf/ledger_trim.h"

static void
check_line(const char *line, size_t size)
{
	struct ledger_entry entry, again;
	struct err err = {0};
	if (ledger_parse(line, size, &entry, &err) != ERR_NONE) {
		must(err.code == ERR_FAILED && err.message[0]);
		return;
	}
	char *first = ledger_line(&entry);
	must(first && ledger_parse(first, strlen(first) - 1, &again, &err) == ERR_NONE);
	char *second = ledger_line(&again);
	must(second && strcmp(first, second) == 0 && strchr(first, '\n') == first + strlen(first) - 1);
	for (size_t i = 0; i < entry.steps.n; i++) {
		char text[64];
		step_text(NULL, &entry.steps.step[i], text, sizeof(text));
		must(memchr(text, '\0', sizeof(text)));
	}
	free(first);
	free(second);
	ledger_entry_free(&entry);
	ledger_entry_free(&again);
}

static void
hear(void *arg, const struct ledger_past *past)
{
	(void)arg;
	must(past->holder[0] && past->from && past->set && past->note);
}

static void
check_records(const struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->nrecords; i++) {
		const struct ledger_record *record = &ledger->record[i];
		must(ledger_find(ledger, record->func, record->index) == record);
		must(!record->holder[0] || record->generation > 0);
		must(record->holder[0] || (!record->set.has && !record->before.has && !record->rebound));
	}
}

static void
check_trimmed(const char *text, size_t size, const struct ledger *ledger)
{
	size_t n;
	char *shorter = ledger_trim(text, size, &n);
	struct ledger again;
	if (shorter == NULL) {
		return;
	}
	must(n <= size / 2 && ledger_read(shorter, n, &again, NULL) == ERR_NONE && ledger_same(ledger, &again));
	must(ledger_last(shorter, n) == ledger->seq && ledger_after(text, size, ledger->seq) == size);
	ledger_free(&again);
	free(shorter);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = (char *)copy_of(data, size);
	const char *end = size ? memchr(text, '\n', size) : NULL;
	struct ledger ledger;
	struct err err = {0};
	check_line(text, end ? (size_t)(end - text) : size);
	if (ledger_read(text, size, &ledger, &err) == ERR_NONE) {
		check_records(&ledger);
		check_trimmed(text, size, &ledger);
		for (size_t i = 0; i < ledger.nrecords; i++) {
			must(ledger_history(text, size, ledger.record[i].func, ledger.record[i].index, hear, NULL, &err) ==
				ERR_NONE);
		}
		ledger_free(&ledger);
	} else {
		must(err.code == ERR_FAILED && err.message[0]);
	}
	free(text);
	return 0;
}
