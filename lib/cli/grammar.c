/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grammar table read: common options, look-ups, and the dump for tests and manuals. */
#include <stdio.h>
#include <string.h>

#include "cli/priv.h"

const struct common_option cli_common[] = {
	{CLI_TAKES_APPLIANCE, false,
		{.name = "appliance",
			.letter = 'a',
			.place = CLI_OPT,
			.type = CLI_APPLIANCE,
			.metavar = "NAME",
			.help = "the appliance; else $PEKIT_APPLIANCE, else the only one there is"}},
	{CLI_TAKES_SAVED, false,
		{.name = "segment",
			.letter = 's',
			.place = CLI_OPT,
			.type = CLI_FILE,
			.metavar = "FILE",
			.help = "read a saved copy of a segment instead"}},
	{CLI_TAKES_FORMAT, false,
		{.name = "json",
			.letter = 'j',
			.place = CLI_OPT,
			.type = CLI_FLAG,
			.help = "one JSON document on stdout, also for errors; as -o json"}},
	{CLI_TAKES_FORMAT, false,
		{.name = "output",
			.letter = 'o',
			.place = CLI_OPT,
			.type = CLI_ENUM,
			.metavar = "FORMAT",
			.words = "table|wide|json|jsonl|csv",
			.preset = "table",
			.help = "the form of the output"}},
	{CLI_TAKES_WATCH, false,
		{.name = "watch",
			.letter = 'w',
			.place = CLI_OPT,
			.type = CLI_TIME,
			.metavar = "SECONDS",
			.flags = CLI_OPTIONAL,
			.min = 100,
			.max = 86400000,
			.preset = "1",
			.help = "again and again until interrupted"}},
	{CLI_TAKES_TIMEOUT, true,
		{.name = "timeout",
			.letter = 'T',
			.place = CLI_OPT,
			.type = CLI_TIME,
			.metavar = "SECONDS",
			.min = 1,
			.max = 86400000,
			.preset = "5",
			.help = "wait at most so long"}},
	{TAKES_BATCH, false,
		{.name = "batch",
			.letter = 'b',
			.place = CLI_OPT,
			.type = CLI_FILE,
			.metavar = "FILE",
			.help = "run the commands in a file, one a line, - for stdin; all are checked first"}},
	{CLI_TAKES_DRY_RUN, true,
		{.name = "dry-run", .place = CLI_OPT, .type = CLI_FLAG, .help = "check and say what would change"}},
	{CLI_TAKES_YES, true, {.name = "yes", .place = CLI_OPT, .type = CLI_FLAG, .help = "do not ask"}},
	{CLI_TAKES_IF_EXISTS, true,
		{.name = "if-exists", .place = CLI_OPT, .type = CLI_FLAG, .help = "no error when it is not there"}},
	{CLI_TAKES_MAY_EXIST, true,
		{.name = "may-exist",
			.place = CLI_OPT,
			.type = CLI_FLAG,
			.help = "no error when it is there already with another value, which stays"}},
	{TAKES_ALWAYS, false,
		{.name = "color",
			.place = CLI_OPT,
			.type = CLI_ENUM,
			.metavar = "WHEN",
			.words = "auto|always|never",
			.preset = "auto",
			.help = "colours; NO_COLOR in the environment turns them off"}},
	{TAKES_ALWAYS, false,
		{.name = "help", .letter = 'h', .place = CLI_OPT, .type = CLI_FLAG, .help = "print help, also for a verb"}},
	{TAKES_ALWAYS, false,
		{.name = "version", .letter = 'V', .place = CLI_OPT, .type = CLI_FLAG, .help = "print the version"}},
};
const size_t cli_ncommon = sizeof(cli_common) / sizeof(*cli_common);

unsigned
grammar_takes(const struct cli_tool *tool, const struct cli_verb *verb)
{
	unsigned takes = TAKES_ALWAYS;
	if (verb) {
		return takes | verb->takes;
	}
	for (verb = tool->verbs; verb->name; verb++) {
		takes |= verb->takes;
	}
	return takes | (tool->batch ? TAKES_BATCH : 0);
}

const struct cli_verb *
grammar_verb(const struct cli_tool *tool, const char *name)
{
	for (const struct cli_verb *verb = tool->verbs; verb->name; verb++) {
		if (strcmp(verb->name, name) == 0) {
			return verb;
		}
	}
	return NULL;
}

const struct cli_verb *
grammar_default(const struct cli_tool *tool)
{
	return tool->default_verb ? grammar_verb(tool, tool->default_verb) : NULL;
}

const struct cli_param *
grammar_find(const struct cli_param *params, enum cli_place place, const char *name)
{
	for (; params && params->name; params++) {
		if (params->place == place && strcmp(params->name, name) == 0) {
			return params;
		}
	}
	return NULL;
}

static const struct cli_param *
find_option(const struct cli_param *params, const char *name, size_t length, char letter)
{
	for (; params && params->name; params++) {
		if (params->place != CLI_OPT) {
			continue;
		}
		if (name ? strlen(params->name) == length && memcmp(params->name, name, length) == 0 : params->letter == letter) {
			return params;
		}
	}
	return NULL;
}

const struct cli_param *
grammar_option(const struct cli_tool *tool, const struct cli_verb *verb, const char *name, size_t length, char letter)
{
	const struct cli_param *found = verb ? find_option(verb->params, name, length, letter) : NULL;
	if (!found) {
		found = find_option(tool->options, name, length, letter);
	}
	unsigned takes = grammar_takes(tool, NULL);
	for (size_t i = 0; i < cli_ncommon && !found; i++) {
		const struct cli_param one[2] = {cli_common[i].param, {.name = NULL}};
		if ((cli_common[i].takes & takes) && find_option(one, name, length, letter)) {
			found = &cli_common[i].param;
		}
	}
	for (verb = tool->verbs; verb->name && !found; verb++) {
		found = find_option(verb->params, name, length, letter);
	}
	return found;
}

const struct cli_param *
grammar_taken(const struct cli_tool *tool, const struct cli_verb *verb, const struct cli_param *option)
{
	const struct cli_param *own = grammar_find(verb->params, CLI_OPT, option->name);
	if (!own) {
		own = grammar_find(tool->options, CLI_OPT, option->name);
	}
	for (size_t i = 0; i < cli_ncommon && !own; i++) {
		if (option == &cli_common[i].param && (cli_common[i].takes & (grammar_takes(tool, verb) | TAKES_BATCH))) {
			own = option;
		}
	}
	return own;
}

void
grammar_options(const struct cli_tool *tool, const struct cli_verb *verb, grammar_visit *visit, void *arg)
{
	const struct cli_param *lists[] = {verb ? verb->params : NULL, tool->options};
	for (size_t i = 0; i < 2; i++) {
		for (const struct cli_param *param = lists[i]; param && param->name; param++) {
			if (param->place == CLI_OPT) {
				visit(arg, param);
			}
		}
	}
	unsigned takes = grammar_takes(tool, verb);
	for (size_t i = 0; i < cli_ncommon; i++) {
		const char *name = cli_common[i].param.name;
		bool own = grammar_find(lists[0], CLI_OPT, name) || grammar_find(lists[1], CLI_OPT, name);
		if ((cli_common[i].takes & takes) && !own) {
			visit(arg, &cli_common[i].param);
		}
	}
}

char *
grammar_spell(const struct cli_param *param, char *text, size_t size)
{
	const char *value = param->metavar;
	if (param->place == CLI_ARG) {
		snprintf(text, size, "%s", value ? value : param->name);
		return text;
	}
	if (param->place == CLI_KEY) {
		snprintf(text, size, "%s%s%s", param->name, value ? " " : "", value ? value : "");
		return text;
	}
	char letter[8] = "";
	if (param->letter) {
		snprintf(letter, sizeof(letter), "-%c, ", param->letter);
	}
	if (param->flags & CLI_OPTIONAL) {
		snprintf(text, size, "%s--%s[=%s]", letter, param->name, value);
	} else {
		snprintf(text, size, "%s--%s%s%s", letter, param->name, value ? " " : "", value ? value : "");
	}
	return text;
}

const char *
grammar_word(const char *words, size_t n, size_t *length)
{
	for (; words; n--) {
		*length = strcspn(words, "|");
		if (n == 0) {
			return words;
		}
		words = words[*length] ? words + *length + 1 : NULL;
	}
	return NULL;
}

static json_t *
dump_words(const char *words)
{
	json_t *list = json_array();
	size_t length;
	const char *word;
	for (size_t i = 0; (word = grammar_word(words, i, &length)) != NULL; i++) {
		json_array_append_new(list, json_stringn(word, length));
	}
	return list;
}

static json_t *
dump_param(const struct cli_param *param)
{
	static const char *const places[] = {"argument", "keyword", "option"};
	char letter[2] = {param->letter, '\0'};
	json_t *o = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:b, s:b, s:o, s:s?, s:s}", "name", param->name, "place",
		places[param->place], "type", value_type_name(param->type), "letter", param->letter ? letter : NULL, "metavar",
		param->metavar, "required", (param->flags & CLI_REQUIRED) != 0, "repeat", (param->flags & CLI_REPEAT) != 0,
		"words", dump_words(param->words), "default", param->preset, "help", param->help);
	return o;
}

static void
dump_visit(void *arg, const struct cli_param *param)
{
	json_t *list = arg;
	json_array_append_new(list, dump_param(param));
}

static json_t *
dump_verb(const struct cli_tool *tool, const struct cli_verb *verb)
{
	json_t *words = json_array(), *options = json_array(), *examples = json_array();
	for (const struct cli_param *param = verb->params; param && param->name; param++) {
		if (param->place != CLI_OPT) {
			json_array_append_new(words, dump_param(param));
		}
	}
	grammar_options(tool, verb, dump_visit, options);
	for (size_t i = 0; verb->examples && verb->examples[i]; i++) {
		json_array_append_new(examples, json_string(verb->examples[i]));
	}
	return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o}", "name", verb->name, "help", verb->help, "follows", verb->follows,
		"batch", tool->batch && !verb->not_in_batch && !verb->follows, "words", words, "options", options, "examples",
		examples);
}

json_t *
grammar_dump(const struct cli_tool *tool)
{
	json_t *verbs = json_array(), *options = json_array();
	for (const struct cli_verb *verb = tool->verbs; verb->name; verb++) {
		json_array_append_new(verbs, dump_verb(tool, verb));
	}
	grammar_options(tool, NULL, dump_visit, options);
	return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:o}", "tool", tool->name, "version", PEKIT_VERSION, "summary",
		tool->summary, "default_verb", tool->default_verb, "options", options, "verbs", verbs);
}
