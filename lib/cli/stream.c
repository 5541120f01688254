/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes to stdout and stderr: documents one by one, also for a batch, and errors in the form that was asked for. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/priv.h"

struct cli_stream *
stream_get(void)
{
	static struct cli_stream stream;
	return &stream;
}

void
stream_open_document(struct cli *cli)
{
	struct cli_stream *stream = cli->stream;
	if (stream->batch && cli->format == CLI_JSON) {
		fputs(stream->documents ? ",\n" : "[\n", stdout);
	}
	stream->documents++;
}

void
stream_close_document(struct cli *cli)
{
	if (!(cli->stream->batch && cli->format == CLI_JSON)) {
		putc('\n', stdout);
	}
}

void
stream_end(struct cli *cli)
{
	if (cli->stream->batch && cli->format == CLI_JSON) {
		fputs(cli->stream->documents ? "\n]\n" : "[]\n", stdout);
	}
}

json_t *
cli_json_text(const char *text)
{
	json_t *string = text ? json_string(text) : json_null();
	char *clean = string ? NULL : malloc(strlen(text) + 1);
	if (clean) {
		string = json_stringn(clean, out_clean(clean, text));
		free(clean);
	}
	return string;
}

enum err_code
cli_print_json(struct cli *cli, json_t *document, struct err *err)
{
	if (!document) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(12) | (cli_in_lines(cli) ? JSON_COMPACT : JSON_INDENT(2));
	stream_open_document(cli);
	int failed = json_dumpf(document, stdout, flags);
	stream_close_document(cli);
	json_decref(document);
	return failed ? err_set(err, ERR_FAILED, "cannot write the output") : ERR_NONE;
}

#define ANSWER_KEYS 16

static enum err_code
answer_in_csv(struct cli *cli, json_t *document, struct err *err)
{
	struct out_column columns[ANSWER_KEYS + 1] = {{.key = NULL}};
	size_t n = 0;
	const char *key;
	json_t *value;
	json_object_foreach (document, key, value) {
		if (n < ANSWER_KEYS) {
			columns[n++].key = key;
		}
	}
	struct out *out = out_open(cli, columns);
	for (size_t i = 0; i < n; i++) {
		value = json_object_get(document, columns[i].key);
		if (json_is_string(value)) {
			out_text(out, json_string_value(value));
		} else {
			out_json(out, json_is_null(value) ? NULL : value);
		}
	}
	out_row(out);
	return out_close(out, err);
}

enum err_code
cli_print_answer(struct cli *cli, json_t *document, struct err *err)
{
	if (!document || cli_wants_json(cli)) {
		return cli_print_json(cli, document, err);
	}
	enum err_code code = cli->format == CLI_CSV ? answer_in_csv(cli, document, err) : ERR_NONE;
	json_decref(document);
	return code;
}

enum err_code
cli_print_count(struct cli *cli, uint64_t count, struct err *err)
{
	cli_say(cli, "%llu", (unsigned long long)count);
	return cli_print_answer(cli, json_pack("{s:I}", "entries", (json_int_t)count), err);
}

void
cli_say(struct cli *cli, const char *fmt, ...)
{
	if (cli->format != CLI_TABLE && cli->format != CLI_WIDE) {
		return;
	}
	char *text = NULL, *end;
	va_list args;
	va_start(args, fmt);
	int size = vasprintf(&text, fmt, args);
	va_end(args);
	char *clean = size < 0 ? NULL : malloc((size_t)size + 1);
	for (char *line = clean ? text : NULL; line; line = end) {
		end = strchr(line, '\n');
		if (end) {
			*end++ = '\0';
		}
		fwrite(clean, 1, out_clean(clean, line), stdout);
		putc('\n', stdout);
	}
	if (size >= 0) {
		free(text);
	}
	free(clean);
}

void
cli_note(const struct cli *cli, const char *fmt, ...)
{
	char text[512], clean[sizeof(text)];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out_clean(clean, text);
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", cli->tool->name, clean);
}

void
stream_error(struct cli *cli, const struct err *err)
{
	/* One document is valid JSON, two are not: after a listing the error goes to stderr. */
	bool room = cli->format == CLI_JSONL || cli_in_lines(cli) || cli->stream->batch || cli->stream->documents == 0;
	if (cli_wants_json(cli) && room) {
		json_t *document = json_pack("{s:{s:i, s:s, s:o, s:o}}", "error", "code", (int)err->code, "name",
			err_name(err->code), "message", cli_json_text(err->message), "hint", cli_json_text(err->hint));
		cli_print_json(cli, document, NULL);
		return;
	}
	char clean[sizeof(err->message)];
	cli->stream->broken = ferror(stdout);
	fflush(stdout);
	out_clean(clean, err->message);
	fprintf(stderr, "%s: %s\n", cli->tool->name, clean);
	if (err->hint[0]) {
		out_clean(clean, err->hint);
		fprintf(stderr, "hint: %s\n", clean);
	}
}

enum err_code
stream_run(struct cli *cli, struct err *err)
{
	struct cli_stream *stream = cli->stream;
	size_t before = stream->documents;
	*err = (struct err){.code = ERR_NONE};
	enum err_code code = cli->verb->run(cli, err);
	if (stream->out) {
		out_settle(stream->out);
	}
	if (code && !err->message[0] && cli_wants_json(cli) && stream->documents == before) {
		err_set(err, code, "%s", err_name(code));
	}
	if (!code && cli->format == CLI_JSON && !cli->verb->follows && !stream->follows && stream->documents == before) {
		cli_print_json(cli, json_object(), err);
	}
	return code;
}
