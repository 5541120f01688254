/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/cli/main.c lib/cli/batch.c lib/cli/parse.c lib/cli/grammar.c lib/cli/value.c lib/cli/help.c lib/cli/complete.c
 * lib/cli/stream.c lib/cli/out.c lib/base/num.c lib/base/addr.c lib/base/err.c -ljansson */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define MAX_WORDS 32

static char log_text[1000]; /* what the toy verbs were called with */

static void
note(const char *text)
{
	strncat(log_text, text, sizeof(log_text) - strlen(log_text) - 1);
}

static enum err_code
toy_run(struct cli *cli, struct err *err)
{
	note(cli->verb->name);
	note(cli->dry_run ? " dry;" : ";");
	if (cli_nth(cli, "name", 0) && strcmp(cli_text(cli, "name"), "bad") == 0) {
		return err_set(err, ERR_NOT_FOUND, "bad: not there");
	}
	return ERR_NONE;
}

static enum err_code
toy_check(const struct cli *cli, struct err *err)
{
	return cli_has(cli, "all") && cli_has(cli, "core") ? err_set(err, ERR_USAGE, "--all and --core do not go together")
							   : ERR_NONE;
}

static const struct cli_param show_params[] = {
	{.name = "vlan", .place = CLI_KEY, .type = CLI_VLAN, .metavar = "V", .help = "vlan"},
	{.name = "mac", .place = CLI_KEY, .type = CLI_MAC, .metavar = "M", .help = "mac"},
	{.name = "ip", .place = CLI_KEY, .type = CLI_IP, .metavar = "IP", .help = "ip"},
	{.name = "type",
		.place = CLI_KEY,
		.type = CLI_ENUM,
		.words = "dynamic|static",
		.metavar = "T",
		.help = "type",
		.preset = "static"},
	{.name = "hops",
		.place = CLI_KEY,
		.type = CLI_NUMBER,
		.min = 1,
		.max = 10,
		.metavar = "N",
		.help = "hops",
		.preset = "0x4"},
	{.name = "rate", .place = CLI_KEY, .type = CLI_BPS, .metavar = "R", .help = "rate"},
	{.name = "packets", .place = CLI_KEY, .type = CLI_PPS, .metavar = "R", .help = "rate"},
	{.name = "after", .place = CLI_KEY, .type = CLI_TIME, .metavar = "T", .help = "time"},
	{.name = "tag", .place = CLI_KEY, .type = CLI_WORD, .metavar = "TAG", .help = "may come often", .flags = CLI_REPEAT},
	{.name = "quick", .place = CLI_KEY, .type = CLI_FLAG, .help = "a word alone"},
	{.name = "core", .place = CLI_OPT, .type = CLI_CORE, .metavar = "N", .help = "core"},
	{.name = "all", .place = CLI_OPT, .type = CLI_FLAG, .letter = 'A', .help = "all"},
	{.name = NULL},
};

static const struct cli_param set_params[] = {
	{.name = "name", .place = CLI_ARG, .type = CLI_NAME, .metavar = "NAME", .help = "whose", .flags = CLI_REQUIRED},
	{.name = "to", .place = CLI_ARG, .type = CLI_WORD, .metavar = "TO", .help = "further words", .flags = CLI_REPEAT},
	{.name = "port", .place = CLI_KEY, .type = CLI_PORT, .metavar = "P", .help = "port", .flags = CLI_REQUIRED},
	{.name = NULL},
};

static const struct cli_verb verbs[] = {
	{.name = "show", .help = "list", .params = show_params, .takes = CLI_TAKES_SHOW, .check = toy_check, .run = toy_run},
	{.name = "set", .help = "set", .params = set_params, .takes = CLI_TAKES_CHANGE | CLI_TAKES_YES, .run = toy_run},
	{.name = "stp show", .help = "two words", .params = show_params, .takes = CLI_TAKES_SHOW, .run = toy_run},
	{.name = "stp set", .help = "two words", .params = set_params, .takes = CLI_TAKES_CHANGE, .run = toy_run},
	{.name = "follow", .help = "for ever", .takes = CLI_TAKES_FORMAT, .follows = true, .run = toy_run},
	{.name = "dump all", .help = "two words, without a show", .takes = CLI_TAKES_SHOW, .run = toy_run},
	{.name = NULL},
};

static const struct cli_tool tool = {.name = "toy", .summary = "a toy", .verbs = verbs, .default_verb = "show", .batch = true};
/* Words beside a type's own, and an option in the place of a common one. */
static const struct cli_param list_params[] = {
	{.name = "output",
		.letter = 'o',
		.place = CLI_OPT,
		.type = CLI_ENUM,
		.metavar = "FORMAT",
		.words = "table|wide|json|jsonl|csv|raw",
		.help = "form"},
	{.name = "mac", .place = CLI_KEY, .type = CLI_MAC, .metavar = "M", .words = "auto", .help = "mac"},
	{.name = "hops", .place = CLI_KEY, .type = CLI_NUMBER, .max = 10, .metavar = "N", .words = "none|all", .help = "hops"},
	{.name = NULL},
};
static const struct cli_verb own_verbs[] = {
	{.name = "pet show", .help = "one", .params = set_params, .takes = CLI_TAKES_FORMAT, .run = toy_run},
	{.name = "pet list", .help = "all", .params = list_params, .takes = CLI_TAKES_FORMAT, .run = toy_run},
	{.name = NULL},
};
static const struct cli_tool own = {.name = "own", .summary = "its own options", .verbs = own_verbs, .default_verb = "pet list"};

static const struct cli_tool strict = {.name = "strict", .summary = "no default verb", .verbs = verbs};

/* Splits a line at blanks; "''" is an empty word. */
static int
split(const char *line, char **argv, char *room, size_t size)
{
	int argc = 0;
	snprintf(room, size, "%s", line);
	for (char *word = strtok(room, " "); word && argc < MAX_WORDS; word = strtok(NULL, " ")) {
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	argv[argc] = NULL;
	return argc;
}

static char room[300]; /* the words of the last line parsed live here */

static const struct cli_tool *current = &tool;

static enum err_code
parse(const char *line, struct cli *cli, struct err *err)
{
	char *argv[MAX_WORDS + 1];
	*err = (struct err){.code = ERR_NONE};
	int argc = split(line, argv, room, sizeof(room));
	return cli_parse(current, argc, argv, cli, err);
}

static void
good(const char *line, struct cli *cli)
{
	struct err err;
	if (parse(line, cli, &err)) {
		fail_msg("'%s': %s", line, err.message);
	}
}

/* Refused with status 2, and a message that names the word. */
static void
bad(const char *line, const char *message, const char *hint)
{
	struct cli cli;
	struct err err;
	assert_int_equal(parse(line, &cli, &err), ERR_USAGE);
	assert_string_equal(err.message, message);
	if (hint) {
		assert_string_equal(err.hint, hint);
	}
}

static void
values_have_types(void **state)
{
	(void)state;
	struct cli cli;
	good("show vlan 10 mac 02-00-00-00-00-01 ip 2001:db8::1 type dynamic hops 7 rate 5G packets 2Mpps after 100ms quick --core 64",
		&cli);
	assert_string_equal(cli.verb->name, "show");
	assert_int_equal(cli_number(&cli, "vlan"), 10);
	assert_true(cli_number(&cli, "mac") == 0x020000000001);
	assert_int_equal(cli_nth(&cli, "ip", 0)->ip.family, 6);
	assert_int_equal(cli_number(&cli, "type"), 0);
	assert_string_equal(cli_text(&cli, "type"), "dynamic");
	assert_int_equal(cli_number(&cli, "hops"), 7);
	assert_true(cli_number(&cli, "rate") == 5000000000);
	assert_int_equal(cli_number(&cli, "packets"), 2000000);
	assert_int_equal(cli_number(&cli, "after"), 100);
	assert_int_equal(cli_number(&cli, "core"), 64);
	assert_true(cli_has(&cli, "quick"));
	assert_false(cli_has(&cli, "all"));
	cli_free(&cli);
}

static void
absent_values_are_presets(void **state)
{
	(void)state;
	struct cli cli;
	good(&"''"[2], &cli);
	assert_string_equal(cli.verb->name, "show");
	assert_false(cli_has(&cli, "type"));
	assert_string_equal(cli_text(&cli, "type"), "static");
	assert_int_equal(cli_number(&cli, "type"), 1);
	assert_int_equal(cli_number(&cli, "hops"), 4);
	assert_null(cli_text(&cli, "vlan"));
	assert_int_equal(cli_number(&cli, "vlan"), 0);
	assert_int_equal(cli.timeout_ms, 5000);
	assert_int_equal(cli.format, CLI_TABLE);
	cli_free(&cli);
}

static void
verbs_are_found(void **state)
{
	(void)state;
	struct cli cli;
	good("vlan 10", &cli); /* the default verb by its keyword */
	assert_string_equal(cli.verb->name, "show");
	cli_free(&cli);
	good("stp show vlan 10", &cli);
	assert_string_equal(cli.verb->name, "stp show");
	assert_int_equal(cli_number(&cli, "vlan"), 10);
	cli_free(&cli);
	good("-j stp -a edge1 set br0 port p1 x y", &cli); /* options anywhere */
	assert_string_equal(cli.verb->name, "stp set");
	assert_string_equal(cli.appliance, "edge1");
	assert_int_equal(cli.format, CLI_JSON);
	assert_string_equal(cli_nth(&cli, "to", 1)->text, "y");
	assert_null(cli_nth(&cli, "to", 2));
	cli_free(&cli);
	bad("sho", "sho: no such verb", "show set stp follow dump");
	bad("shows", "shows: no such verb", NULL);
	good("stp", &cli); /* show is the verb where none is given */
	assert_string_equal(cli.verb->name, "stp show");
	cli_free(&cli);
	bad("dump", "dump: a second word is missing", "dump: all");
	bad("stp frob", "frob: no such verb", "stp: show set");
	struct err err;
	char *none[] = {NULL};
	assert_int_equal(cli_parse(&strict, 0, none, &cli, &err), ERR_USAGE);
	assert_string_equal(err.message, "the verb is missing");
}

static void
bad_words_are_named(void **state)
{
	(void)state;
	bad("show vlan", "vlan: its value is missing", NULL);
	bad("show vlan 0", "vlan '0': not a VLAN", "a VLAN is 1 to 4094");
	bad("show vlan 4095", "vlan '4095': not a VLAN", NULL);
	bad("show vlan 10x", "vlan '10x': not a VLAN", NULL);
	bad("show vlan ''", "vlan '': not a VLAN", NULL);
	bad("show vlan 1 vlan 2", "vlan: given twice", NULL);
	bad("show vl 10", "vl: not a word of show", NULL);
	bad("show type dyn", "type 'dyn': not known", "one of dynamic|static");
	bad("show hops 11", "hops '11': not a number in range", "1 to 10");
	bad("show mac 02:00:00:00:00", "mac '02:00:00:00:00': not a MAC address", NULL);
	bad("show ip 10.0.0", "ip '10.0.0': not an IP address", NULL);
	bad("show rate 5X", "rate '5X': not a rate", NULL);
	bad("show after soon", "after 'soon': not a time in range", NULL);
	bad("show --core 65", "--core '65': not a core", "a data core is 1 to 64");
	bad("set", "set: NAME is missing", NULL);
	bad("set br0", "set: port P is missing", NULL);
	bad("set -- -x port p1", "NAME '-x': not a name", NULL);
	bad("set this-name-is-longer-than-31-letters port p1", "NAME 'this-name-is-longer-than-31-letters': not a name", NULL);
}

static void
options_are_strict(void **state)
{
	(void)state;
	struct cli cli;
	bad("--frob", "--frob: no such option", NULL);
	bad("--jso", "--jso: no such option", NULL);
	bad("-jx", "-x: no such option", NULL);
	bad("--json=1", "--json=1: --json takes no value", NULL);
	bad("-a", "--appliance: its value is missing", NULL);
	bad("-o xml", "--output 'xml': not known", NULL);
	bad("-j -o csv", "-j contradicts -o csv", NULL);
	bad("-T soon", "--timeout 'soon': not a time in range", NULL);
	bad("-a x -s y", "-a and -s do not go together", NULL);
	bad("-a x -a y", "--appliance: given twice", NULL);
	bad("set a port p --core 1", "--core: set does not take it", NULL);
	bad("show --dry-run", "--dry-run: show does not take it", NULL);
	bad("show --all --core 1", "--all and --core do not go together", NULL);
	bad("-b FILE show", "show: words and -b do not go together", NULL);
	good("-w", &cli);
	assert_true(cli.watch && cli.watch_ms == 1000);
	cli_free(&cli);
	good("-jw0.5", &cli);
	assert_true(cli.watch && cli.watch_ms == 500 && cli.format == CLI_JSON);
	cli_free(&cli);
	good("--watch=2 -ojsonl -T0.1 -A", &cli);
	assert_true(cli.watch_ms == 2000 && cli.format == CLI_JSONL && cli.timeout_ms == 100);
	assert_true(cli_has(&cli, "all"));
	cli_free(&cli);
	good("show tag a tag b", &cli);
	assert_string_equal(cli_nth(&cli, "tag", 1)->text, "b");
	cli_free(&cli);
}

/* ---- the program as a whole: stdout into a string --------------------------------------------------------------- */

static char *output;
static int status;

static void
run(const char *line)
{
	char *argv[MAX_WORDS + 2] = {(char[]){"toy"}};
	size_t size;
	FILE *before = stdout;
	free(output);
	output = NULL;
	log_text[0] = '\0';
	int argc = split(line, argv + 1, room, sizeof(room));
	stdout = open_memstream(&output, &size);
	status = cli_main(current, argc + 1, argv);
	fclose(stdout);
	stdout = before;
}

static void
run_batch(const char *text, const char *line)
{
	char path[] = "/tmp/cli-parse-XXXXXX", whole[200];
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	snprintf(whole, sizeof(whole), "-b %s %s", path, line);
	run(whole);
	unlink(path);
}

static void
help_and_version(void **state)
{
	(void)state;
	run("--version");
	assert_int_equal(status, 0);
	assert_string_equal(output, "toy (pekit) " PEKIT_VERSION "\n");
	run("--help");
	assert_int_equal(status, 0);
	assert_non_null(strstr(output, "stp set"));
	run("set --help");
	assert_int_equal(status, 0);
	assert_non_null(strstr(output, "Usage: toy set NAME [TO...] port P [OPTIONS]"));
	run("frob --help -j");
	assert_int_equal(status, 2);
}

static void
errors_in_json(void **state)
{
	(void)state;
	run("frob -j");
	assert_int_equal(status, 2);
	json_t *document = json_loads(output, 0, NULL);
	json_t *error = json_object_get(document, "error");
	assert_int_equal(json_integer_value(json_object_get(error, "code")), 2);
	assert_string_equal(json_string_value(json_object_get(error, "name")), "usage");
	assert_string_equal(json_string_value(json_object_get(error, "message")), "frob: no such verb");
	assert_string_equal(json_string_value(json_object_get(error, "hint")), "show set stp follow dump");
	json_decref(document);
	run("fr\xff"
	    "b -j"); /* JSON is UTF-8 whatever was typed */
	document = json_loads(output, 0, NULL);
	assert_non_null(document);
	json_decref(document);
	run("set bad port p -j");
	assert_int_equal(status, 3);
	document = json_loads(output, 0, NULL);
	assert_non_null(json_object_get(document, "error"));
	json_decref(document);
	run("set x port p -j"); /* a verb that prints nothing */
	assert_int_equal(status, 0);
	assert_string_equal(output, "{}\n");
}

static void
batches_are_checked_first(void **state)
{
	(void)state;
	run_batch("set a port p\n  # a comment\n\nset \"b\" port 'p' # another\n", "");
	assert_int_equal(status, 0);
	assert_string_equal(log_text, "set;set;");
	run_batch("set a port p\nset b\n", "-j");
	assert_int_equal(status, 2);
	assert_string_equal(log_text, "");
	assert_non_null(strstr(output, "line 2: set: port P is missing"));
	run_batch("set a port p\nfollow\n", "");
	assert_int_equal(status, 2);
	run_batch("set a port p -a x\n", "");
	assert_int_equal(status, 2);
	run_batch("set 'a port p\n", "");
	assert_int_equal(status, 2);
	assert_string_equal(log_text, "");
	run_batch("set a port p\nset bad port p\nset c port p\n", "-j");
	assert_int_equal(status, 7);
	assert_string_equal(log_text, "set;set;");
	json_t *document = json_loads(output, 0, NULL);
	assert_int_equal(json_array_size(document), 2);
	assert_non_null(json_object_get(json_array_get(document, 1), "error"));
	json_decref(document);
	run_batch("set bad port p\n", "");
	assert_int_equal(status, 3);
	run_batch("set a port p\n", "--dry-run");
	assert_string_equal(log_text, "set dry;");
	run_batch("", "-j");
	assert_int_equal(status, 0);
	assert_string_equal(output, "[]\n");
}

static void
completion(void **state)
{
	(void)state;
	run("--complete s");
	assert_string_equal(output, "show\nset\nstp\n");
	run("--complete stp ''");
	assert_string_equal(output, "show\nset\n");
	run("--complete show type ''");
	assert_string_equal(output, "dynamic\nstatic\n");
	run("--complete show type static v");
	assert_string_equal(output, "vlan\n");
	run("--complete type static ty"); /* given already */
	assert_string_equal(output, "");
	run("--complete show --c");
	assert_string_equal(output, "--core\n--color\n");
	run("--complete --output=js");
	assert_string_equal(output, "--output=json\n--output=jsonl\n");
	run("--complete -b ''");
	assert_string_equal(output, ":file\n");
	run("--complete");
	assert_int_equal(status, 0);
}

static void
a_verb_has_its_own_output(void **state)
{
	(void)state;
	struct cli cli;
	current = &own;
	good("-o raw", &cli);
	assert_string_equal(cli_text(&cli, "output"), "raw");
	assert_int_equal(cli.format, CLI_TABLE);
	cli_free(&cli);
	good("pet list -o csv", &cli);
	assert_int_equal(cli.format, CLI_CSV);
	cli_free(&cli);
	good("pet", &cli); /* list rather than show */
	assert_string_equal(cli.verb->name, "pet list");
	cli_free(&cli);
	bad("-o xml", "--output 'xml': not known", "one of table|wide|json|jsonl|csv|raw");
	bad("-j -o raw", "-j contradicts -o raw", NULL);
	bad("pet show a port p -o raw", "--output 'raw': not known", "one of table|wide|json|jsonl|csv");
	run("--complete pet list -o r");
	assert_string_equal(output, "raw\n");
	run("--complete -o r");
	assert_string_equal(output, "raw\n");
	run("--complete pet list --output=r");
	assert_string_equal(output, "--output=raw\n");
	run("--complete pet show -o r");
	assert_string_equal(output, "");
	run("pet list --help");
	char *once = strstr(output, "--output");
	assert_non_null(once);
	assert_null(strstr(once + 1, "--output"));
	current = &tool;
}

static void
words_beside_a_type(void **state)
{
	(void)state;
	struct cli cli;
	current = &own;
	good("mac auto hops all", &cli);
	assert_string_equal(cli_text(&cli, "mac"), "auto");
	assert_int_equal(cli_number(&cli, "mac"), 0);
	assert_int_equal(cli_number(&cli, "hops"), 1);
	cli_free(&cli);
	good("mac 02:00:00:00:00:01 hops 7", &cli);
	assert_true(cli_number(&cli, "mac") == 0x020000000001);
	assert_int_equal(cli_number(&cli, "hops"), 7);
	cli_free(&cli);
	bad("hops 11", "hops '11': not a number in range", "0 to 10; or none|all");
	run("--complete mac a");
	assert_string_equal(output, "auto\n");
	current = &tool;
}

static void
grammar_says_it_all(void **state)
{
	(void)state;
	run("--grammar");
	json_t *document = json_loads(output, 0, NULL);
	assert_non_null(document);
	assert_string_equal(json_string_value(json_object_get(document, "tool")), "toy");
	assert_int_equal(json_array_size(json_object_get(document, "verbs")), 6);
	assert_non_null(strstr(output, "\"dry-run\""));
	json_decref(document);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_types),
		cmocka_unit_test(absent_values_are_presets),
		cmocka_unit_test(verbs_are_found),
		cmocka_unit_test(bad_words_are_named),
		cmocka_unit_test(options_are_strict),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(errors_in_json),
		cmocka_unit_test(batches_are_checked_first),
		cmocka_unit_test(completion),
		cmocka_unit_test(a_verb_has_its_own_output),
		cmocka_unit_test(words_beside_a_type),
		cmocka_unit_test(grammar_says_it_all),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(output);
	return failed;
}
