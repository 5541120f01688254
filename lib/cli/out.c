/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "cli/priv.h"

#define PROBE_ROWS 128
#define MAX_COLUMNS 64

struct out {
	struct cli *cli;
	const struct out_column *column;
	unsigned ncolumns;
	unsigned at; /* the column that comes next */
	uint64_t rows;
	bool follow;
	bool json, csv;
	bool broken; /* no memory */
	size_t used; /* of buf: what goes to stdout next */
	char buf[32768];
	/* Tables: cells of the rows that wait for the widths; later of one row. */
	bool widths_known;
	char *text;
	size_t text_size, text_room;
	size_t cell_end[PROBE_ROWS * MAX_COLUMNS];
	size_t ncells;
	int width[MAX_COLUMNS];
};

/* ---- to stdout ------------------------------------------------------------------------------------------------------------ */

/* Several times faster than a call of stdio for each field. */
static void
put_out(struct out *out)
{
	fwrite(out->buf, 1, out->used, stdout);
	out->used = 0;
}

static inline void
put(struct out *out, const char *bytes, size_t size)
{
	if (size > sizeof(out->buf) - out->used) {
		put_out(out);
		if (size > sizeof(out->buf)) {
			fwrite(bytes, 1, size, stdout);
			return;
		}
	}
	memcpy(out->buf + out->used, bytes, size);
	out->used += size;
}

static inline void
put_char(struct out *out, char c)
{
	if (out->used == sizeof(out->buf)) {
		put_out(out);
	}
	out->buf[out->used++] = c;
}

static inline void
put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

/* ---- bytes --------------------------------------------------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at s (RFC 3629), 0 when it is none. */
static size_t
utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80) {
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		return (s[1] & 0xc0) == 0x80 ? 2 : 0;
	}
	if ((s[0] & 0xf0) == 0xe0) {
		unsigned low = s[0] == 0xe0 ? 0xa0 : 0x80, high = s[0] == 0xed ? 0x9f : 0xbf;
		return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		unsigned low = s[0] == 0xf0 ? 0x90 : 0x80, high = s[0] == 0xf4 ? 0x8f : 0xbf;
		return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80 ? 4 : 0;
	}
	return 0;
}

size_t
out_clean(char *to, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char *start = to;
	while (*s) {
		size_t n = utf8_length(s);
		bool bad = n == 0 || *s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0);
		if (bad) {
			*to++ = '?';
		} else {
			memcpy(to, s, n);
			to += n;
		}
		s += n ? n : 1;
	}
	*to = '\0';
	return (size_t)(to - start);
}

static bool
plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void
put_json_text(struct out *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	put_char(out, '"');
	while (*s) {
		size_t n = 0;
		while (plain(s[n])) {
			n++;
		}
		put(out, (const char *)s, n);
		s += n;
		if (!*s) {
			break;
		}
		n = utf8_length(s);
		if (*s == '"' || *s == '\\') {
			put_char(out, '\\');
			put_char(out, (char)*s);
		} else if (*s < 0x20 || *s == 0x7f) {
			char escape[8];
			snprintf(escape, sizeof(escape), "\\u%04x", *s);
			put_text(out, escape);
		} else if (n == 0) {
			put_text(out, "\\ufffd");
		} else {
			put(out, (const char *)s, n);
		}
		s += n ? n : 1;
	}
	put_char(out, '"');
}

/* RFC 4180, with a line feed at the end of lines. */
static void
put_csv_text(struct out *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		put_text(out, text);
		return;
	}
	put_char(out, '"');
	for (; *text; text++) {
		if (*text == '"') {
			put_char(out, '"');
		}
		put_char(out, *text);
	}
	put_char(out, '"');
}

/* Decimal digits of a number at the end of text; much cheaper than printf. */
static const char *
digits(uint64_t number, char text[static 21])
{
	char *at = text + 20;
	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return at;
}

/* ---- cells of tables ------------------------------------------------------------------------------------------------------ */

static bool
shown(const struct out *out, unsigned column)
{
	unsigned flags = out->column[column].flags;
	return !(flags & OUT_NO_TABLE) && (!(flags & OUT_WIDE) || out->cli->format == CLI_WIDE);
}

/* Appends to the current cell. */
static void
cell_add(struct out *out, const char *text)
{
	size_t length = strlen(text);
	if (out->text_size + length + 1 > out->text_room) {
		size_t room = (out->text_room + length + 1) * 2;
		char *bigger = realloc(out->text, room);
		if (!bigger) {
			out->broken = true;
			return;
		}
		out->text = bigger;
		out->text_room = room;
	}
	out->text_size += out_clean(out->text + out->text_size, text);
}

static int
cell_width(const char *text, size_t size)
{
	int width = 0;
	for (size_t i = 0; i < size; i++) {
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	}
	return width;
}

static void
put_padded(struct out *out, unsigned column, const char *text, size_t size, bool last)
{
	int pad = out->width[column] - cell_width(text, size);
	bool right = out->column[column].flags & OUT_RIGHT;
	for (int i = 0; right && i < pad; i++) {
		put_char(out, ' ');
	}
	put(out, text, size);
	for (int i = 0; !right && !last && i < pad; i++) {
		put_char(out, ' ');
	}
	put_text(out, last ? "\n" : "  ");
}

static unsigned
last_shown(const struct out *out)
{
	unsigned last = 0;
	for (unsigned i = 0; i < out->ncolumns; i++) {
		last = shown(out, i) ? i : last;
	}
	return last;
}

static void
put_rows(struct out *out)
{
	unsigned last = last_shown(out);
	size_t start = 0;
	for (size_t cell = 0; cell < out->ncells; cell++) {
		unsigned column = (unsigned)(cell % out->ncolumns);
		if (shown(out, column)) {
			put_padded(out, column, out->text + start, out->cell_end[cell] - start, column == last);
		}
		start = out->cell_end[cell];
	}
	out->ncells = 0;
	out->text_size = 0;
}

static const char *
title(const struct out *out, unsigned column, char text[static 64])
{
	const struct out_column *c = &out->column[column];
	if (c->title) {
		return c->title;
	}
	size_t n = 0;
	for (; c->key[n] && n < 63; n++) {
		char ch = c->key[n];
		text[n] = (char)(ch >= 'a' && ch <= 'z' ? ch - 'a' + 'A' : ch);
	}
	text[n] = '\0';
	return text;
}

/* Widths from the rows so far; then the head line and those rows. */
static void
put_table_start(struct out *out)
{
	char text[64];
	unsigned last = last_shown(out);
	size_t start = 0;
	for (unsigned i = 0; i < out->ncolumns; i++) {
		const char *head = title(out, i, text);
		int width = cell_width(head, strlen(head));
		out->width[i] = width > out->column[i].width ? width : out->column[i].width;
	}
	for (size_t cell = 0; cell < out->ncells; cell++) {
		int *most = &out->width[cell % out->ncolumns];
		int width = cell_width(out->text + start, out->cell_end[cell] - start);
		*most = width > *most ? width : *most;
		start = out->cell_end[cell];
	}
	put_text(out, out->cli->color ? "\033[1m" : "");
	for (unsigned i = 0; i < out->ncolumns; i++) {
		if (shown(out, i)) {
			const char *head = title(out, i, text);
			put_padded(out, i, head, strlen(head), i == last);
		}
	}
	put_text(out, out->cli->color ? "\033[0m" : "");
	out->widths_known = true;
	put_rows(out);
}

/* ---- fields -----------------------------------------------------------------------------------------------------------------
 */

/* What stands before the first field of a row in JSON. */
static void
open_json_row(struct out *out)
{
	if (out->cli->format == CLI_JSON && !out->follow) {
		bool lines = cli_in_lines(out->cli);
		put_text(out, out->rows ? "," : "");
		put_text(out, lines ? "" : "\n");
	}
	put_char(out, '{');
}

/* Whether this field goes to JSON or CSV; writes what stands before it. */
static bool
open_field(struct out *out)
{
	if (out->at >= out->ncolumns) {
		fprintf(stderr, "%s: defect: more fields than columns\n", out->cli->tool->name);
		abort();
	}
	const struct out_column *column = &out->column[out->at];
	if ((out->json || out->csv) && (column->flags & OUT_NO_JSON)) {
		return false;
	}
	bool first = true;
	for (unsigned i = 0; i < out->at && first; i++) {
		first = out->column[i].flags & OUT_NO_JSON;
	}
	if (!first) {
		put_char(out, ',');
	} else if (out->json) {
		open_json_row(out);
	}
	if (out->json) {
		put_char(out, '"');
		put_text(out, column->key);
		put_text(out, "\":");
	}
	return true;
}

static void
close_cell(struct out *out)
{
	out->cell_end[out->ncells++] = out->text_size;
	out->at++;
}

/* A field whose JSON is `json` as it stands, with other words for CSV and people. */
static void
field(struct out *out, const char *json, const char *csv, const char *people)
{
	if (!out) {
		return;
	}
	if (!out->json && !out->csv) {
		if (out->at >= out->ncolumns) {
			open_field(out);
		}
		cell_add(out, people);
		close_cell(out);
		return;
	}
	if (open_field(out)) {
		if (out->json) {
			put_text(out, json);
		} else {
			put_csv_text(out, csv);
		}
	}
	out->at++;
}

void
out_null(struct out *out)
{
	field(out, "null", "", "-");
}

void
out_text_as(struct out *out, const char *text, const char *people)
{
	if (out && out->json) {
		if (open_field(out)) {
			put_json_text(out, text);
		}
		out->at++;
	} else {
		field(out, "", text, people);
	}
}

void
out_text(struct out *out, const char *text)
{
	if (text) {
		out_text_as(out, text, text);
	} else {
		out_null(out);
	}
}

void
out_number_as(struct out *out, uint64_t number, const char *text)
{
	char room[21];
	const char *plain_number = digits(number, room);
	field(out, plain_number, plain_number, text);
}

void
out_number(struct out *out, uint64_t number)
{
	char room[21];
	const char *text = digits(number, room);
	field(out, text, text, text);
}

void
out_age(struct out *out, uint64_t ms)
{
	char text[32];
	out_number_as(out, ms, num_format_age(ms, text, sizeof(text)));
}

void
out_real(struct out *out, double number, int decimals)
{
	char text[64];
	if (!(number > -1e15 && number < 1e15)) { /* JSON has no infinity and no NaN */
		out_null(out);
		return;
	}
	snprintf(text, sizeof(text), "%.*f", decimals, number);
	field(out, text, text, text);
}

void
out_bool(struct out *out, bool yes)
{
	field(out, yes ? "true" : "false", yes ? "true" : "false", yes ? "yes" : "no");
}

void
out_numbers(struct out *out, const uint32_t *numbers, size_t n)
{
	char room[21];
	bool table = out && !out->json && !out->csv;
	if (!out || (table && n == 0)) {
		out_null(out);
		return;
	}
	if (table) {
		for (size_t i = 0; i < n; i++) {
			size_t run = i;
			while (run + 1 < n && numbers[run + 1] == numbers[run] + 1) {
				run++;
			}
			cell_add(out, i ? "," : "");
			cell_add(out, digits(numbers[i], room));
			if (run > i) {
				cell_add(out, run > i + 1 ? "-" : ",");
				cell_add(out, digits(numbers[run], room));
			}
			i = run;
		}
		close_cell(out);
		return;
	}
	if (open_field(out)) {
		put_text(out, out->json ? "[" : "");
		for (size_t i = 0; i < n; i++) {
			put_text(out, i ? (out->json ? "," : " ") : "");
			put_text(out, digits(numbers[i], room));
		}
		put_text(out, out->json ? "]" : "");
	}
	out->at++;
}

void
out_cores(struct out *out, uint64_t set)
{
	uint32_t core[64];
	size_t n = 0;
	for (; set; set &= set - 1) {
		core[n++] = (uint32_t)__builtin_ctzll(set) + 1;
	}
	out_numbers(out, core, n);
}

void
out_texts(struct out *out, const char *const *texts, size_t n)
{
	if (!out || (n == 0 && !out->json)) {
		out_null(out);
		return;
	}
	if (out->json) {
		if (open_field(out)) {
			put_char(out, '[');
			for (size_t i = 0; i < n; i++) {
				put_text(out, i ? "," : "");
				put_json_text(out, texts[i]);
			}
			put_char(out, ']');
		}
		out->at++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		cell_add(out, i ? (out->csv ? " " : ",") : "");
		cell_add(out, texts[i]);
	}
	if (!out->csv) {
		close_cell(out);
		return;
	}
	if (open_field(out) && out->text) {
		out->text[out->text_size] = '\0';
		put_csv_text(out, out->text);
	}
	out->text_size = 0;
	out->at++;
}

void
out_json(struct out *out, const json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) : NULL;
	field(out, text ? text : "null", text ? text : "", text ? text : "-");
	free(text);
}

/* ---- the listing --------------------------------------------------------------------------------------------------------------
 */

static void
put_csv_head(struct out *out)
{
	bool first = true;
	for (unsigned i = 0; i < out->ncolumns; i++) {
		if (!(out->column[i].flags & OUT_NO_JSON)) {
			put_text(out, first ? "" : ",");
			put_text(out, out->column[i].key);
			first = false;
		}
	}
	put_char(out, '\n');
}

static struct out *
start(struct cli *cli, const struct out_column *columns, bool follow)
{
	struct out *out = calloc(1, sizeof(*out));
	if (!out) {
		return NULL;
	}
	out->cli = cli;
	out->column = columns;
	out->follow = follow;
	out->json = cli_wants_json(cli);
	out->csv = cli->format == CLI_CSV;
	while (columns[out->ncolumns].key) {
		out->ncolumns++;
	}
	if (out->ncolumns > MAX_COLUMNS) {
		fprintf(stderr, "%s: defect: too many columns\n", cli->tool->name);
		abort();
	}
	if (out->csv) {
		if (!(cli->watch && cli->stream->csv_head)) {
			put_csv_head(out);
		}
		cli->stream->csv_head = true;
	} else if (follow && !out->json) {
		put_table_start(out);
	} else if (cli->format == CLI_JSON && !follow) {
		stream_open_document(cli);
		put_char(out, '[');
	}
	if (follow) {
		put_out(out);
	}
	cli->stream->out = out;
	return out;
}

struct out *
out_open(struct cli *cli, const struct out_column *columns)
{
	return start(cli, columns, false);
}

struct out *
out_follow(struct cli *cli, const struct out_column *columns)
{
	cli->stream->follows = true;
	return start(cli, columns, true);
}

void
out_row(struct out *out)
{
	if (!out) {
		return;
	}
	if (out->at != out->ncolumns) {
		fprintf(stderr, "%s: defect: a row of %u fields for %u columns\n", out->cli->tool->name, out->at, out->ncolumns);
		abort();
	}
	out->at = 0;
	out->rows++;
	if (out->json) {
		put_text(out, "}");
		if (out->follow || out->cli->format == CLI_JSONL) {
			put_char(out, '\n');
		}
	} else if (out->csv) {
		put_char(out, '\n');
	} else if (out->widths_known) {
		put_rows(out);
	} else if (out->ncells == (size_t)PROBE_ROWS * out->ncolumns) {
		put_table_start(out);
	}
	if (out->follow) {
		put_out(out);
		fflush(stdout);
	}
}

static void
finish(struct out *out)
{
	if (!out->json && !out->csv && !out->widths_known) {
		put_table_start(out);
	} else if (out->cli->format == CLI_JSON && !out->follow) {
		put_text(out, out->rows && !cli_in_lines(out->cli) ? "\n]" : "]");
		put_out(out);
		stream_close_document(out->cli);
	}
	put_out(out);
	out->cli->stream->out = NULL;
}

void
out_settle(struct out *out)
{
	while (out->at) {
		out_null(out);
		if (out->at == out->ncolumns) {
			out_row(out);
		}
	}
	finish(out);
	free(out->text);
	free(out);
}

enum err_code
out_close(struct out *out, struct err *err)
{
	if (!out) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	bool broken = out->broken;
	finish(out);
	free(out->text);
	free(out);
	if (broken) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (ferror(stdout)) {
		return err_set(err, ERR_FAILED, "cannot write the output");
	}
	return ERR_NONE;
}
