/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the words of a command line (or of a line of a batch file) to a struct cli. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/priv.h"

/* While parsing: options as found, and the other words. */
struct scan {
	const struct cli_tool *tool;
	struct cli *cli;
	bool line; /* of a batch file */
	const char **word;
	size_t nwords;
	struct err *err;
	enum err_code code; /* of the first error; scanning goes on, so that -j counts wherever it stands */
};

static void
add_value(struct cli *cli, const struct cli_param *param, const char *text)
{
	cli->value[cli->nvalues++] = (struct cli_value){.param = param, .text = text};
}

static const char *
option_name(const struct cli_value *value, char *text, size_t size)
{
	snprintf(text, size, "--%s", value->param->name);
	return text;
}

static void
join_verbs(const struct cli_tool *tool, const char *first, char *text, size_t size)
{
	size_t at = 0, length = first ? strlen(first) : 0;
	const char *last = "";
	size_t last_length = 0;
	for (const struct cli_verb *verb = tool->verbs; verb->name; verb++) {
		const char *name = verb->name;
		if (first) {
			if (strncmp(name, first, length) != 0 || name[length] != ' ') {
				continue;
			}
			name += length + 1;
		}
		size_t n = strcspn(name, " ");
		if (n == 0 || (n == last_length && memcmp(name, last, n) == 0)) {
			continue;
		}
		if (at + n + 5 > size) {
			snprintf(text + at, size - at, " ...");
			return;
		}
		at += (size_t)snprintf(text + at, size - at, "%s%.*s", at ? " " : "", (int)n, name);
		last = name;
		last_length = n;
	}
}

static void
unknown_option(struct scan *scan, const char *word, int length)
{
	if (scan->code) {
		return;
	}
	scan->code = err_set(scan->err, ERR_USAGE, "%.*s: no such option", length, word);
	err_hint(scan->err, "%s --help lists them", scan->tool->name);
}

/* Takes the value of an option from the same word or from the next one; returns how many words it used beyond its own. */
static int
take_value(struct scan *scan, const struct cli_param *param, const char *attached, char **next)
{
	if (param->type == CLI_FLAG || (attached == NULL && (param->flags & CLI_OPTIONAL))) {
		add_value(scan->cli, param, NULL);
		return 0;
	}
	if (attached) {
		add_value(scan->cli, param, attached);
		return 0;
	}
	if (!*next) {
		if (!scan->code) {
			scan->code = err_set(scan->err, ERR_USAGE, "--%s: its value is missing", param->name);
			err_hint(scan->err, "--%s %s", param->name, param->metavar);
		}
		return 0;
	}
	add_value(scan->cli, param, *next);
	return 1;
}

static int
scan_long(struct scan *scan, char **argv)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct cli_param *param = grammar_option(scan->tool, scan->cli->verb, name, length, 0);
	if (!param) {
		unknown_option(scan, argv[0], (int)length + 2);
		return 0;
	}
	if (equals && param->type == CLI_FLAG) {
		if (!scan->code) {
			scan->code = err_set(scan->err, ERR_USAGE, "%s: --%s takes no value", argv[0], param->name);
		}
		return 0;
	}
	return take_value(scan, param, equals ? equals + 1 : NULL, argv + 1);
}

/* -j, -jd, -w5, -aNAME, -a NAME */
static int
scan_letters(struct scan *scan, char **argv)
{
	for (const char *at = argv[0] + 1; *at; at++) {
		const struct cli_param *param = grammar_option(scan->tool, scan->cli->verb, NULL, 0, *at);
		if (!param) {
			char letter[3] = {'-', *at, '\0'};
			unknown_option(scan, at == argv[0] + 1 && at[1] ? argv[0] : letter, 80);
			return 0;
		}
		if (param->type != CLI_FLAG) {
			return take_value(scan, param, at[1] ? at + 1 : NULL, argv + 1);
		}
		add_value(scan->cli, param, NULL);
	}
	return 0;
}

static void
scan_words(struct scan *scan, int argc, char **argv)
{
	bool options = true;
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		if (options && strcmp(word, "--") == 0) {
			options = false;
		} else if (options && word[0] == '-' && word[1] == '-') {
			i += scan_long(scan, argv + i);
		} else if (options && word[0] == '-' && word[1]) {
			i += scan_letters(scan, argv + i);
		} else {
			scan->word[scan->nwords++] = word;
		}
	}
}

/* Sets the verb; returns how many words it took, or -1. */
static int
find_verb(struct scan *scan)
{
	const struct cli_tool *tool = scan->tool;
	const struct cli_verb *standard = grammar_default(tool);
	const char *first = scan->nwords ? scan->word[0] : NULL;
	char text[200] = "";
	if (first && scan->nwords > 1) {
		snprintf(text, sizeof(text), "%s %s", first, scan->word[1]);
		scan->cli->verb = grammar_verb(tool, text);
		if (scan->cli->verb) {
			return 2;
		}
	}
	if (first && (scan->cli->verb = grammar_verb(tool, first)) != NULL) {
		return 1;
	}
	for (size_t i = 0; scan->nwords == 1 && i < 2; i++) {
		snprintf(text, sizeof(text), "%s %s", first, i ? "show" : "list");
		scan->cli->verb = grammar_verb(tool, text);
		if (scan->cli->verb) {
			return 1;
		}
	}
	if (standard && (!first || grammar_find(standard->params, CLI_KEY, first))) {
		scan->cli->verb = standard;
		return 0;
	}
	text[0] = '\0';
	if (!first) {
		scan->code = err_set(scan->err, ERR_USAGE, "the verb is missing");
	} else {
		join_verbs(tool, first, text, sizeof(text));
		if (text[0] && scan->nwords == 1) {
			scan->code = err_set(scan->err, ERR_USAGE, "%s: a second word is missing", first);
			err_hint(scan->err, "%s: %s", first, text);
			return -1;
		}
		scan->code = err_set(scan->err, ERR_USAGE, "%s: no such verb", text[0] ? scan->word[1] : first);
	}
	if (!text[0]) {
		join_verbs(tool, NULL, text, sizeof(text));
	} else {
		err_hint(scan->err, "%s: %s", first, text);
		return -1;
	}
	err_hint(scan->err, "%s", text);
	return -1;
}

static enum err_code
unknown_word(struct scan *scan, const char *word)
{
	const struct cli_verb *verb = scan->cli->verb;
	char text[220] = "", spelt[80];
	size_t at = 0;
	for (const struct cli_param *p = verb->params; p && p->name; p++) {
		if (p->place == CLI_OPT) {
			continue;
		}
		grammar_spell(p, spelt, sizeof(spelt));
		if (at + strlen(spelt) + 3 < sizeof(text)) {
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "", spelt);
		}
	}
	err_set(scan->err, ERR_USAGE, "%s: not a word of %s", word, verb->name);
	err_hint(scan->err, text[0] ? "%s" : "%sit takes no words", text);
	return ERR_USAGE;
}

/* Arguments by position and keywords with their values. */
static enum err_code
take_words(struct scan *scan, size_t from)
{
	const struct cli_verb *verb = scan->cli->verb;
	const struct cli_param *arg = verb->params;
	for (size_t i = from; i < scan->nwords; i++) {
		const char *word = scan->word[i];
		const struct cli_param *key = grammar_find(verb->params, CLI_KEY, word);
		if (key && key->type == CLI_FLAG) {
			add_value(scan->cli, key, NULL);
			continue;
		}
		if (key) {
			if (++i == scan->nwords) {
				err_set(scan->err, ERR_USAGE, "%s: its value is missing", word);
				return err_hint(scan->err, "%s %s: %s", word, key->metavar, key->help);
			}
			add_value(scan->cli, key, scan->word[i]);
			continue;
		}
		while (arg && arg->name && arg->place != CLI_ARG) {
			arg++;
		}
		if (!arg || !arg->name) {
			return unknown_word(scan, word);
		}
		add_value(scan->cli, arg, word);
		arg += (arg->flags & CLI_REPEAT) ? 0 : 1;
	}
	return ERR_NONE;
}

static bool
may_stand_in_line(const struct cli_param *param)
{
	for (size_t i = 0; i < cli_ncommon; i++) {
		if (param == &cli_common[i].param) {
			return cli_common[i].in_line;
		}
	}
	return true;
}

/* Options were found before the verb was known: do they belong to it? */
static enum err_code
check_options(struct scan *scan)
{
	struct cli *cli = scan->cli;
	char name[64];
	for (size_t i = 0; i < cli->nvalues; i++) {
		struct cli_value *value = &cli->value[i];
		if (value->param->place != CLI_OPT) {
			continue;
		}
		const struct cli_param *own = grammar_taken(scan->tool, cli->verb, value->param);
		option_name(value, name, sizeof(name));
		if (!own && !cli->verb->run) {
			err_set(scan->err, ERR_USAGE, "%s and -b do not go together", name);
			return err_hint(scan->err, "put it into the line of the file that it is for, if that takes it");
		}
		if (!own) {
			err_set(scan->err, ERR_USAGE, "%s: %s does not take it", name, cli->verb->name);
			return err_hint(scan->err, "%s %s --help says what it takes", scan->tool->name, cli->verb->name);
		}
		if (scan->line && !may_stand_in_line(own)) {
			err_set(scan->err, ERR_USAGE, "%s: not in a batch file", name);
			return err_hint(scan->err, "give it with %s -b", scan->tool->name);
		}
		value->param = own;
	}
	return ERR_NONE;
}

static enum err_code
check_values(struct scan *scan)
{
	struct cli *cli = scan->cli;
	char spelt[80];
	for (size_t i = 0; i < cli->nvalues; i++) {
		const struct cli_param *param = cli->value[i].param;
		enum err_code code = value_parse(param, cli->value[i].text, &cli->value[i], scan->err);
		if (code) {
			return code;
		}
		for (size_t k = 0; k < i && param->type != CLI_FLAG && !(param->flags & CLI_REPEAT); k++) {
			if (cli->value[k].param == param) {
				return err_set(scan->err, ERR_USAGE, "%s%s: given twice", param->place == CLI_OPT ? "--" : "",
					param->name);
			}
		}
	}
	for (const struct cli_param *param = cli->verb->params; param && param->name; param++) {
		if ((param->flags & CLI_REQUIRED) && !cli_has(cli, param->name)) {
			err_set(scan->err, ERR_USAGE, "%s: %s is missing", cli->verb->name,
				grammar_spell(param, spelt, sizeof(spelt)));
			return err_hint(scan->err, "%s", param->help);
		}
	}
	return ERR_NONE;
}

static const struct cli_value *
common_value(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->nvalues; i++) {
		if (cli->value[i].param->place == CLI_OPT && strcmp(cli->value[i].param->name, name) == 0) {
			return &cli->value[i];
		}
	}
	return NULL;
}

/* Wherever it stands and whatever else is wrong: errors are printed in the form that was asked for. */
static enum err_code
set_format(struct cli *cli, struct err *err)
{
	const struct cli_value *json = common_value(cli, "json"), *output = common_value(cli, "output");
	struct cli_value parsed = {.number = cli->format};
	if (json) {
		cli->format = CLI_JSON;
	}
	if (!output || !output->text) {
		return ERR_NONE;
	}
	/* A word that the library does not know may be the verb's own: check_values() sees. */
	bool known = value_parse(output->param, output->text, &parsed, NULL) == ERR_NONE && parsed.number <= CLI_CSV;
	if (json && (!known || parsed.number != CLI_JSON)) {
		return err_set(err, ERR_USAGE, "-j contradicts -o %s", output->text);
	}
	cli->format = known ? (enum cli_format)parsed.number : CLI_TABLE;
	return ERR_NONE;
}

static bool
terminal_takes_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

static void
set_common(struct cli *cli)
{
	const struct cli_value *value;
	cli->dry_run |= common_value(cli, "dry-run") != NULL;
	cli->yes |= common_value(cli, "yes") != NULL;
	cli->if_exists |= common_value(cli, "if-exists") != NULL;
	cli->may_exist |= common_value(cli, "may-exist") != NULL;
	if ((value = common_value(cli, "appliance")) != NULL) {
		cli->appliance = value->text;
	}
	if ((value = common_value(cli, "segment")) != NULL) {
		cli->saved = value->text;
	}
	if ((value = common_value(cli, "batch")) != NULL) {
		cli->batch = value->text;
	}
	if ((value = common_value(cli, "timeout")) != NULL) {
		cli->timeout_ms = (int)value->number;
	}
	if ((value = common_value(cli, "watch")) != NULL) {
		cli->watch = true;
		cli->watch_ms = value->text ? value->number : 1000;
	}
	if ((value = common_value(cli, "color")) != NULL && value->number) {
		cli->color = value->number == 1;
	} else if (!cli->parent) {
		cli->color = terminal_takes_color();
	}
}

/* A command line without a verb to run: -b FILE. */
static enum err_code
check_batch(struct scan *scan)
{
	struct cli *cli = scan->cli;
	static const struct cli_verb none = {.name = "--batch",
		.help = "",
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_SAVED | CLI_TAKES_YES | CLI_TAKES_IF_EXISTS | CLI_TAKES_MAY_EXIST |
			 TAKES_BATCH};
	if (scan->nwords) {
		err_set(scan->err, ERR_USAGE, "%s: words and -b do not go together", scan->word[0]);
		return err_hint(scan->err, "put the command into the file");
	}
	cli->verb = &none;
	enum err_code code = check_options(scan);
	return code ? code : check_values(scan);
}

static enum err_code
check_combination(const struct cli *cli, struct err *err)
{
	if (cli->appliance && cli->saved) {
		return err_set(err, ERR_USAGE, "-a and -s do not go together");
	}
	if (cli->verb->check) {
		return cli->verb->check(cli, err);
	}
	return ERR_NONE;
}

static enum err_code
parse_found(struct scan *scan, enum cli_ask *ask)
{
	struct cli *cli = scan->cli;
	enum err_code code = set_format(cli, scan->err);
	if (scan->code || code) {
		return scan->code ? scan->code : code;
	}
	if (common_value(cli, "version")) {
		*ask = ASK_VERSION;
		return ERR_NONE;
	}
	*ask = common_value(cli, "help") ? ASK_HELP : ASK_RUN;
	if (*ask == ASK_HELP && scan->nwords == 0) {
		return ERR_NONE;
	}
	if (*ask == ASK_RUN && common_value(cli, "batch") && !scan->line) {
		code = check_batch(scan);
	} else {
		int taken = find_verb(scan);
		if (taken < 0) {
			return scan->code;
		}
		if (*ask == ASK_HELP) {
			return ERR_NONE;
		}
		code = take_words(scan, (size_t)taken);
		code = code ? code : check_options(scan);
		code = code ? code : check_values(scan);
	}
	if (code) {
		return code;
	}
	set_common(cli);
	return check_combination(cli, scan->err);
}

enum err_code
parse_words(const struct cli_tool *tool, int argc, char **argv, const struct cli *parent, struct cli *cli, enum cli_ask *ask,
	struct err *err)
{
	if (parent) {
		*cli = *parent;
		cli->parent = parent;
		cli->verb = NULL;
	} else {
		*cli = (struct cli){.timeout_ms = 5000};
	}
	cli->tool = tool;
	cli->stream = stream_get();
	cli->nvalues = 0;
	*ask = ASK_RUN;
	/* A bundle of letters yields a value a letter. */
	size_t room = 1;
	for (int i = 0; i < argc; i++) {
		room += argv[i][0] == '-' ? strlen(argv[i]) + 1 : 1;
	}
	cli->value = calloc(room, sizeof(*cli->value));
	struct scan scan = {.tool = tool, .cli = cli, .line = parent != NULL, .err = err};
	scan.word = calloc((size_t)argc + 1, sizeof(*scan.word));
	if (!cli->value || !scan.word) {
		free(scan.word);
		return err_set(err, ERR_FAILED, "no memory");
	}
	scan_words(&scan, argc, argv);
	enum err_code code = parse_found(&scan, ask);
	free(scan.word);
	return code;
}

enum err_code
cli_parse(const struct cli_tool *tool, int argc, char **argv, struct cli *cli, struct err *err)
{
	enum cli_ask ask;
	enum err_code code = parse_words(tool, argc, argv, NULL, cli, &ask, err);
	if (code) {
		cli_free(cli);
	}
	return code;
}

void
cli_free(struct cli *cli)
{
	free(cli->value);
	cli->value = NULL;
	cli->nvalues = 0;
}

/* ---- what was given --------------------------------------------------------------------------------------------- */

const struct cli_value *
cli_nth(const struct cli *cli, const char *name, size_t n)
{
	for (size_t i = 0; i < cli->nvalues; i++) {
		if (strcmp(cli->value[i].param->name, name) == 0 && n-- == 0) {
			return &cli->value[i];
		}
	}
	return NULL;
}

static const struct cli_param *
known(const struct cli *cli, const char *name)
{
	for (int place = CLI_ARG; place <= CLI_OPT; place++) {
		const struct cli_param *param = grammar_find(cli->verb->params, (enum cli_place)place, name);
		if (param) {
			return param;
		}
	}
	const struct cli_param *param = grammar_find(cli->tool->options, CLI_OPT, name);
	if (!param) {
		fprintf(stderr, "%s: defect: %s has no '%s'\n", cli->tool->name, cli->verb->name, name);
		abort();
	}
	return param;
}

bool
cli_has(const struct cli *cli, const char *name)
{
	known(cli, name);
	return cli_nth(cli, name, 0) != NULL;
}

const char *
cli_text(const struct cli *cli, const char *name)
{
	const struct cli_param *param = known(cli, name);
	const struct cli_value *value = cli_nth(cli, name, 0);
	return value && value->text ? value->text : param->preset;
}

uint64_t
cli_number(const struct cli *cli, const char *name)
{
	const struct cli_param *param = known(cli, name);
	const struct cli_value *value = cli_nth(cli, name, 0);
	struct cli_value preset;
	if (value && value->text) {
		return value->number;
	}
	return param->preset && value_parse(param, param->preset, &preset, NULL) == ERR_NONE ? preset.number : 0;
}
