/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -b FILE: a command a line, "#" begins a comment, words may be quoted. All lines are checked before the first one runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/priv.h"

#define MANY 32768 /* lines at most for one run_many() */

struct line {
	unsigned number;
	int argc;
	char **argv;
};

struct batch {
	const char *name;
	char *text;
	size_t nlines, room;
	struct line *line;
};

static char *
read_all(FILE *from, size_t *length)
{
	size_t size = 0, room = 65536;
	char *text = malloc(room);
	while (text) {
		size += fread(text + size, 1, room - size - 1, from);
		if (feof(from) || ferror(from)) {
			break;
		}
		if (size + 1 >= room) {
			char *bigger = realloc(text, room * 2);
			if (!bigger) {
				free(text);
				return NULL;
			}
			text = bigger;
			room *= 2;
		}
	}
	if (text && ferror(from)) {
		int error = errno;
		free(text);
		errno = error;
		return NULL;
	}
	if (text) {
		text[size] = '\0';
		*length = size;
	}
	return text;
}

/* Cuts the next word out of *at, in place; NULL at the end of the line; *open is set when a quote is never closed. */
static char *
next_word(char **at, bool *open)
{
	char *in = *at;
	while (*in == ' ' || *in == '\t' || *in == '\r') {
		in++;
	}
	if (*in == '\0' || *in == '#') {
		return NULL;
	}
	char *word = in, *out = in, quote = '\0';
	for (; *in; in++) {
		if (quote && *in == quote) {
			quote = '\0';
		} else if (!quote && (*in == '"' || *in == '\'')) {
			quote = *in;
		} else if (!quote && (*in == ' ' || *in == '\t' || *in == '\r')) {
			break;
		} else {
			*out++ = *in;
		}
	}
	*open = quote != '\0';
	*at = *in ? in + 1 : in;
	*out = '\0';
	return word;
}

static bool
add_line(struct batch *batch, unsigned number, char *text, bool *open)
{
	struct line line = {.number = number};
	line.argv = calloc(strlen(text) / 2 + 2, sizeof(*line.argv));
	if (!line.argv) {
		return false;
	}
	char *word;
	while (!*open && (word = next_word(&text, open)) != NULL) {
		line.argv[line.argc++] = word;
	}
	if (line.argc == 0 && !*open) {
		free(line.argv);
		return true;
	}
	if (batch->nlines == batch->room) {
		size_t room = batch->room ? batch->room * 2 : 64;
		struct line *bigger = realloc(batch->line, room * sizeof(*bigger));
		if (!bigger) {
			free(line.argv);
			return false;
		}
		batch->line = bigger;
		batch->room = room;
	}
	batch->line[batch->nlines++] = line;
	return true;
}

static enum err_code
load(struct batch *batch, bool standard, struct err *err)
{
	FILE *from = standard ? stdin : fopen(batch->name, "re");
	if (!from) {
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, "%s: %s", batch->name, strerror(errno));
	}
	size_t length = 0;
	errno = 0;
	batch->text = read_all(from, &length);
	int error = errno;
	if (!standard) {
		fclose(from);
	}
	if (!batch->text) {
		return err_set(err, ERR_FAILED, "%s: %s", batch->name, strerror(error ? error : ENOMEM));
	}
	if (memchr(batch->text, '\0', length)) {
		return err_set(err, ERR_USAGE, "%s: not a text: it holds a NUL byte", batch->name);
	}
	unsigned number = 0;
	for (char *at = batch->text, *end; at; at = end) {
		bool open = false;
		end = strchr(at, '\n');
		if (end) {
			*end++ = '\0';
		}
		if (!add_line(batch, ++number, at, &open)) {
			return err_set(err, ERR_FAILED, "no memory");
		}
		if (open) {
			return err_set(err, ERR_USAGE, "%s: line %u: a quote is never closed", batch->name, number);
		}
	}
	return ERR_NONE;
}

/* Puts the place before an error's message. */
static void
place_error(struct batch *batch, const struct line *line, const struct err *from, struct err *err)
{
	err_set(err, from->code, "%s: line %u: %s", batch->name, line->number, from->message);
	err_hint(err, "%s", from->hint);
}

static enum err_code
parse_line(struct cli *parent, const struct line *line, struct cli *cli, struct err *err)
{
	enum cli_ask ask;
	enum err_code code = parse_words(parent->tool, line->argc, line->argv, parent, cli, &ask, err);
	if (!code && ask != ASK_RUN) {
		code = err_set(err, ERR_USAGE, "%s: not in a batch file", ask == ASK_HELP ? "--help" : "--version");
	}
	if (!code && (cli->verb->follows || cli->verb->not_in_batch)) {
		code = err_set(err, ERR_USAGE, "%s: not in a batch file", cli->verb->name);
	}
	if (code) {
		cli_free(cli);
	}
	cli->line = line->number;
	return code;
}

static enum err_code
check_all(struct batch *batch, struct cli *parent, struct err *err)
{
	for (size_t i = 0; i < batch->nlines; i++) {
		struct cli cli;
		struct err own = {.code = ERR_NONE};
		if (parse_line(parent, &batch->line[i], &cli, &own)) {
			place_error(batch, &batch->line[i], &own, err);
			return err->code;
		}
		cli_free(&cli);
	}
	return ERR_NONE;
}

/* Lines from the first on that one call does: those of verbs with its run_many. 1 for others. Parsed, *group is the caller's. */
static enum err_code
gather(struct batch *batch, struct cli *parent, size_t first, struct cli *group, size_t *n, struct err *err)
{
	*n = 0;
	while (first + *n < batch->nlines && *n < MANY) {
		struct cli *cli = &group[*n];
		enum err_code code = parse_line(parent, &batch->line[first + *n], cli, err);
		if (code) {
			return code;
		}
		bool many = cli->verb->run_many && cli->verb->run_many == group[0].verb->run_many;
		if (*n && (!many || cli->dry_run != group[0].dry_run)) {
			cli_free(cli);
			break;
		}
		(*n)++;
		if (!many) {
			break;
		}
	}
	return ERR_NONE;
}

/* *bad: how many lines before the one that failed were in the group. */
static enum err_code
run_group(struct cli *group, size_t n, size_t *bad, struct err *err)
{
	*bad = 0;
	if (!group[0].verb->run_many) {
		return stream_run(&group[0], err);
	}
	enum err_code code = group[0].verb->run_many(group, n, bad, err);
	*bad = *bad < n ? *bad : 0;
	return code;
}

static enum err_code
run_all(struct batch *batch, struct cli *parent, struct err *err)
{
	struct cli *group = calloc(MANY, sizeof(*group));
	enum err_code code = group ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
	for (size_t i = 0, n = 0; i < batch->nlines && !code; i += n) {
		struct err own = {.code = ERR_NONE};
		size_t bad = 0;
		code = gather(batch, parent, i, group, &n, &own);
		if (!code) {
			code = run_group(group, n, &bad, &own);
		}
		for (size_t k = 0; k < n; k++) {
			cli_free(&group[k]);
		}
		if (!code) {
			continue;
		}
		if (!own.message[0]) {
			err_set(&own, code, "%s", err_name(code));
		}
		place_error(batch, &batch->line[i + bad], &own, err);
		if (i > 0 && !parent->dry_run) {
			err->code = code = ERR_PARTLY;
			err_hint(err, "the lines before %s were done%s%s", n > 1 ? "those that belong together" : "it",
				own.hint[0] ? "; " : "", own.hint);
		}
	}
	free(group);
	return code;
}

enum err_code
batch_run(struct cli *cli, struct err *err)
{
	bool standard = strcmp(cli->batch, "-") == 0;
	struct batch batch = {.name = standard ? "stdin" : cli->batch};
	enum err_code code = load(&batch, standard, err);
	code = code ? code : check_all(&batch, cli, err);
	if (!code) {
		cli->stream->batch = true;
		code = run_all(&batch, cli, err);
	}
	for (size_t i = 0; i < batch.nlines; i++) {
		free(batch.line[i].argv);
	}
	free(batch.line);
	free(batch.text);
	return code;
}
