/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger made short, and its history. First the history gets all lines that it has not yet, then the shorter ledger takes the
 * place of the longer one: who is killed in between has lost nothing, and done nothing twice, for lines have numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/transact_file.h"
#include "vf/ledger_trim.h"

#define PATH_ROOM (sizeof(((struct transact *)NULL)->dir) + 16)

/* What a killed writer left without a newline does not count. */
static size_t
whole_lines(const char *text, size_t size)
{
	const char *end = size ? memrchr(text, '\n', size) : NULL;
	return end ? (size_t)(end - text) + 1 : 0;
}

/* The ledger was removed since, and its numbers began anew. */
static bool
of_another(const struct transact *t, uint64_t last)
{
	return last > t->ledger.seq;
}

static bool
extend_history(const struct transact *t)
{
	char path[PATH_ROOM], aside[PATH_ROOM], *old;
	size_t size;
	if (!transact_path(t, "history", path, sizeof(path)) || transact_read_all(path, &old, &size, NULL)) {
		return false;
	}
	size_t whole = whole_lines(old, size);
	uint64_t last = ledger_last(old, whole);
	free(old);
	if (of_another(t, last)) {
		if (!transact_path(t, "history.old", aside, sizeof(aside)) || rename(path, aside) != 0) {
			return false;
		}
		whole = last = 0;
	}
	size_t from = ledger_after(t->text, t->size, last);
	int fd = transact_open_file(path, O_WRONLY | O_APPEND, TRANSACT_FILE_MODE);
	bool good = fd >= 0 && ftruncate(fd, (off_t)whole) == 0 && transact_write_all(fd, t->text + from, t->size - from);
	if (fd >= 0) {
		close(fd);
	}
	if (whole == 0) {
		transact_sync(t->dir);
	}
	return good;
}

static bool
replace_ledger(const struct transact *t, const char *text, size_t size)
{
	char path[PATH_ROOM], fresh[PATH_ROOM];
	if (!transact_path(t, "ledger", path, sizeof(path)) || !transact_path(t, "ledger.new", fresh, sizeof(fresh))) {
		return false;
	}
	int fd = transact_open_file(fresh, O_WRONLY | O_TRUNC, TRANSACT_FILE_MODE);
	bool good = fd >= 0 && transact_write_all(fd, text, size);
	if (fd >= 0) {
		close(fd);
	}
	good = good && rename(fresh, path) == 0;
	if (!good) {
		(void)unlink(fresh);
	}
	transact_sync(t->dir);
	return good;
}

void
transact_trim(struct transact *t)
{
	size_t size;
	char *text = ledger_trim(t->text, t->size, &size);
	if (text && extend_history(t) && replace_ledger(t, text, size)) {
		struct ledger ledger;
		if (!ledger_read(text, size, &ledger, NULL)) {
			ledger_free(&t->ledger);
			free(t->text);
			t->ledger = ledger;
			t->text = text;
			t->size = size;
			return;
		}
	}
	free(text);
}

enum err_code
transact_history(const struct transact *t, char **text, size_t *size, struct err *err)
{
	char path[PATH_ROOM];
	if (!transact_path(t, "history", path, sizeof(path))) {
		return err_set(err, ERR_FAILED, "%.200s: too long a name", t->dir);
	}
	enum err_code code = transact_read_all(path, text, size, err);
	if (code) {
		return code;
	}
	size_t whole = whole_lines(*text, *size);
	uint64_t last = ledger_last(*text, whole);
	if (of_another(t, last)) {
		whole = last = 0;
	}
	size_t from = ledger_after(t->text, t->size, last);
	char *all = realloc(*text, whole + (t->size - from) + 1);
	if (all == NULL) {
		free(*text);
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (t->size > from) {
		memcpy(all + whole, t->text + from, t->size - from);
	}
	*text = all;
	*size = whole + (t->size - from);
	return ERR_NONE;
}
