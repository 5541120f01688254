/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/cli/out.c lib/cli/stream.c lib/base/err.c lib/base/num.c -ljansson */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/priv.h"

static const struct cli_verb verb = {.name = "show", .help = "list"};
static const struct cli_tool tool = {.name = "toy", .summary = "a toy", .verbs = &verb};

static const struct out_column columns[] = {
	{.key = "name"},
	{.key = "age_ms", .title = "AGE", .flags = OUT_RIGHT},
	{.key = "cores"},
	{.key = "up"},
	{.key = "note", .flags = OUT_WIDE},
	{.key = "secret", .flags = OUT_NO_TABLE},
	{.key = "extra", .flags = OUT_NO_JSON},
	{.key = NULL},
};

static char *output;

typedef void
writer(struct out *out);

static void
write_row(struct out *out, const char *name, uint64_t age, size_t ncores)
{
	static const uint32_t cores[] = {1, 2, 3, 5, 7, 8};
	char text[32];
	snprintf(text, sizeof(text), "%u s", (unsigned)(age / 1000));
	out_text(out, name);
	out_number_as(out, age, text);
	out_numbers(out, cores, ncores);
	out_bool(out, ncores > 0);
	out_null(out);
	out_real(out, 1.25, 1);
	out_text(out, "x");
	out_row(out);
}

static void
two_rows(struct out *out)
{
	write_row(out, "a", 12000, 6);
	write_row(out, "bcdefg", 1, 0);
}

static void
no_rows(struct out *out)
{
	(void)out;
}

/* Runs a writer with stdout in a string. */
static const char *
with(enum cli_format format, bool follow, bool watch, writer *rows)
{
	struct cli cli = {.tool = &tool, .verb = &verb, .format = format, .watch = watch, .stream = stream_get()};
	struct err err;
	size_t size;
	FILE *before = stdout;
	free(output);
	*cli.stream = (struct cli_stream){.out = NULL};
	stdout = open_memstream(&output, &size);
	struct out *out = follow ? out_follow(&cli, columns) : out_open(&cli, columns);
	rows(out);
	assert_int_equal(out_close(out, &err), ERR_NONE);
	fclose(stdout);
	stdout = before;
	return output;
}

static void
tables(void **state)
{
	(void)state;
	assert_string_equal(with(CLI_TABLE, false, false, two_rows), "NAME     AGE  CORES      UP   EXTRA\n"
								     "a       12 s  1-3,5,7,8  yes  x\n"
								     "bcdefg   0 s  -          no   x\n");
	assert_string_equal(with(CLI_WIDE, false, false, two_rows), "NAME     AGE  CORES      UP   NOTE  EXTRA\n"
								    "a       12 s  1-3,5,7,8  yes  -     x\n"
								    "bcdefg   0 s  -          no   -     x\n");
	assert_string_equal(with(CLI_TABLE, false, false, no_rows), "NAME  AGE  CORES  UP  EXTRA\n");
}

static void
json(void **state)
{
	(void)state;
	assert_string_equal(with(CLI_JSON, false, false, two_rows),
		"[\n{\"name\":\"a\",\"age_ms\":12000,\"cores\":[1,2,3,5,7,8],\"up\":true,\"note\":null,\"secret\":1.2},\n"
		"{\"name\":\"bcdefg\",\"age_ms\":1,\"cores\":[],\"up\":false,\"note\":null,\"secret\":1.2}\n]\n");
	assert_string_equal(with(CLI_JSON, false, false, no_rows), "[]\n");
	assert_string_equal(with(CLI_JSON, false, true, no_rows), "[]\n");
	/* Watching: one line a time. */
	const char *line = with(CLI_JSON, false, true, two_rows);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	/* Following and JSON lines: one line a row. */
	const char *want = "{\"name\":\"a\",\"age_ms\":12000,\"cores\":[1,2,3,5,7,8],\"up\":true,\"note\":null,\"secret\":1.2}\n"
			   "{\"name\":\"bcdefg\",\"age_ms\":1,\"cores\":[],\"up\":false,\"note\":null,\"secret\":1.2}\n";
	assert_string_equal(with(CLI_JSONL, false, false, two_rows), want);
	assert_string_equal(with(CLI_JSON, true, false, two_rows), want);
	assert_string_equal(with(CLI_JSON, true, false, no_rows), "");
}

static void
csv(void **state)
{
	(void)state;
	assert_string_equal(with(CLI_CSV, false, false, two_rows), "name,age_ms,cores,up,note,secret\n"
								   "a,12000,1 2 3 5 7 8,true,,1.2\n"
								   "bcdefg,1,,false,,1.2\n");
	assert_string_equal(with(CLI_CSV, false, false, no_rows), "name,age_ms,cores,up,note,secret\n");
}

/* Names may come from anybody's segment: quotes, terminal controls, bytes that are no UTF-8. */
static const char hostile[] = "q\"b\\,\n\x1b[2J\x7f\xc2\x9b\xff\xed\xa0\x80\xc3\xa9\xf0\x9f\x98\x80";

static void
hostile_row(struct out *out)
{
	write_row(out, hostile, 0, 0);
}

static void
hostile_text(void **state)
{
	(void)state;
	json_t *document = json_loads(with(CLI_JSON, false, false, hostile_row), 0, NULL);
	assert_non_null(document);
	/* What is valid stays: the escape, the C1 control as a character, é and the emoji; the rest is U+FFFD. */
	assert_string_equal(json_string_value(json_object_get(json_array_get(document, 0), "name")),
		"q\"b\\,\n\x1b[2J\x7f\xc2\x9b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\xf0\x9f\x98\x80");
	json_decref(document);
	const char *table = with(CLI_TABLE, false, false, hostile_row);
	assert_null(strchr(table, '\x1b'));
	assert_null(strchr(table, '\x7f'));
	assert_null(strstr(table, "\xc2\x9b"));
	assert_non_null(strstr(table, "q\"b\\,??[2J"));
	const char *text = with(CLI_CSV, false, false, hostile_row);
	assert_non_null(strstr(text, "\"q\"\"b\\,\n"));
}

static void
many_rows(struct out *out)
{
	char name[32];
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%s%u", i == 500 ? "much-longer-than-the-others-" : "n", i);
		write_row(out, name, i, 2);
	}
}

static void
streams_after_the_first_rows(void **state)
{
	(void)state;
	const char *table = with(CLI_TABLE, false, false, many_rows);
	size_t lines = 0;
	for (const char *at = table; (at = strchr(at, '\n')) != NULL; at++) {
		lines++;
	}
	assert_int_equal(lines, 1001);
	assert_non_null(strstr(table, "\nn999  0 s  1,2    yes  x\n"));
	json_t *document = json_loads(with(CLI_JSON, false, false, many_rows), 0, NULL);
	assert_int_equal(json_array_size(document), 1000);
	json_decref(document);
}

static void
full_device(void **state)
{
	(void)state;
	struct cli cli = {.tool = &tool, .verb = &verb, .format = CLI_JSON, .stream = stream_get()};
	struct err err;
	FILE *before = stdout, *full = fopen("/dev/full", "w");
	assert_non_null(full);
	setvbuf(full, NULL, _IOFBF, 1024);
	*cli.stream = (struct cli_stream){.out = NULL};
	stdout = full;
	struct out *out = out_open(&cli, columns);
	many_rows(out);
	enum err_code code = out_close(out, &err);
	stdout = before;
	fclose(full);
	assert_int_equal(code, ERR_FAILED);
}

static void
half_rows(struct out *out)
{
	out_text(out, "a");
	out_number(out, 1);
}

/* A verb that fails in the middle leaves valid JSON. */
static void
settles(void **state)
{
	(void)state;
	struct cli cli = {.tool = &tool, .verb = &verb, .format = CLI_JSON, .stream = stream_get()};
	size_t size;
	FILE *before = stdout;
	free(output);
	*cli.stream = (struct cli_stream){.out = NULL};
	stdout = open_memstream(&output, &size);
	half_rows(out_open(&cli, columns));
	out_settle(cli.stream->out);
	fclose(stdout);
	stdout = before;
	json_t *document = json_loads(output, 0, NULL);
	assert_int_equal(json_array_size(document), 1);
	json_decref(document);
	assert_null(cli.stream->out);
}

static void
lists_of_texts(void **state)
{
	(void)state;
	static const struct out_column one[] = {{.key = "names"}, {.key = "more"}, {.key = NULL}};
	static const char *const names[] = {"a,b", "c"};
	static const struct {
		enum cli_format format;
		const char *want;
	} cases[] = {
		{CLI_JSON, "[\n{\"names\":[\"a,b\",\"c\"],\"more\":{\"x\":1}}\n]\n"},
		{CLI_CSV, "names,more\n\"a,b c\",\"{\"\"x\"\":1}\"\n"},
		{CLI_TABLE, "NAMES  MORE\na,b,c  {\"x\":1}\n"},
	};
	for (size_t i = 0; i < 3; i++) {
		struct cli cli = {.tool = &tool, .verb = &verb, .format = cases[i].format, .stream = stream_get()};
		struct err err;
		size_t size;
		FILE *before = stdout;
		free(output);
		*cli.stream = (struct cli_stream){.out = NULL};
		stdout = open_memstream(&output, &size);
		struct out *out = out_open(&cli, one);
		json_t *value = json_pack("{s:i}", "x", 1);
		out_texts(out, names, 2);
		out_json(out, value);
		out_row(out);
		json_decref(value);
		assert_int_equal(out_close(out, &err), ERR_NONE);
		fclose(stdout);
		stdout = before;
		assert_string_equal(output, cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(json),
		cmocka_unit_test(csv),
		cmocka_unit_test(hostile_text),
		cmocka_unit_test(streams_after_the_first_rows),
		cmocka_unit_test(full_device),
		cmocka_unit_test(settles),
		cmocka_unit_test(lists_of_texts),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(output);
	return failed;
}
