/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/priv.h"

#define COLUMN 28
#define WIDTH 100

static void
entry(FILE *to, const char *what, const char *help)
{
	size_t length = strlen(what);
	if (length + 4 > COLUMN) {
		fprintf(to, "  %s\n%*s%s\n", what, COLUMN, "", help);
	} else {
		fprintf(to, "  %-*s%s\n", COLUMN - 2, what, help);
	}
}

static void
param_entry(void *arg, const struct cli_param *param)
{
	char spelt[96], help[320];
	size_t at = (size_t)snprintf(help, sizeof(help), "%s", param->help);
	/* "trust on|off" has said them. */
	bool said = param->metavar && param->words && strcmp(param->metavar, param->words) == 0;
	if (param->words && param->type == CLI_ENUM && !said && at < sizeof(help)) {
		at += (size_t)snprintf(help + at, sizeof(help) - at, ": %s", param->words);
	}
	if (param->preset && at < sizeof(help)) {
		snprintf(help + at, sizeof(help) - at, " (%s)", param->preset);
	}
	entry(arg, grammar_spell(param, spelt, sizeof(spelt)), help);
}

/* The line "Usage:", folded. */
static void
usage(FILE *to, const struct cli_tool *tool, const struct cli_verb *verb)
{
	char spelt[96], word[128];
	size_t indent = (size_t)fprintf(to, "Usage: %s %s", tool->name, verb->name), at = indent;
	for (const struct cli_param *param = verb->params; param && param->name; param++) {
		if (param->place == CLI_OPT) {
			continue;
		}
		grammar_spell(param, spelt, sizeof(spelt));
		const char *more = (param->flags & CLI_REPEAT) ? "..." : "";
		size_t length =
			(size_t)snprintf(word, sizeof(word), (param->flags & CLI_REQUIRED) ? "%s%s" : "[%s%s]", spelt, more);
		if (at + length + 1 > WIDTH) {
			at = indent;
			fprintf(to, "\n%*s", (int)indent, "");
		}
		at += (size_t)fprintf(to, " %s", word);
	}
	fputs(" [OPTIONS]\n", to);
}

static void
verb_help(FILE *to, const struct cli_tool *tool, const struct cli_verb *verb)
{
	bool words = false;
	usage(to, tool, verb);
	fprintf(to, "  %s.\n", verb->help);
	for (const struct cli_param *param = verb->params; param && param->name; param++) {
		if (param->place != CLI_OPT) {
			fputs(words ? "" : "\nWords:\n", to);
			words = true;
			param_entry(to, param);
		}
	}
	fputs("\nOptions:\n", to);
	grammar_options(tool, verb, param_entry, to);
	if (verb->notes) {
		fprintf(to, "\n%s\n", verb->notes);
	}
	for (size_t i = 0; verb->examples && verb->examples[i]; i++) {
		fprintf(to, "%s  %s\n", i ? "" : "\nExamples:\n", verb->examples[i]);
	}
}

void
help_print(FILE *to, const struct cli_tool *tool, const struct cli_verb *verb)
{
	if (verb) {
		verb_help(to, tool, verb);
		return;
	}
	fprintf(to, "%s - %s\n\nUsage: %s [OPTIONS] %s [WORDS]\n\nVerbs:\n", tool->name, tool->summary, tool->name,
		tool->default_verb ? "[VERB]" : "VERB");
	for (verb = tool->verbs; verb->name; verb++) {
		char help[256];
		bool standard = tool->default_verb && strcmp(verb->name, tool->default_verb) == 0;
		snprintf(help, sizeof(help), "%s%s", verb->help, standard ? " (when no verb is given)" : "");
		entry(to, verb->name, help);
	}
	fputs("\nOptions:\n", to);
	grammar_options(tool, NULL, param_entry, to);
	fprintf(to,
		"\nExit status: 0 done, 1 failed, 2 usage, 3 not found, 4 exists, 5 refused, 6 no engine, 7 partly done,\n"
		"8 verify found a difference, 124 timed out.  '%s VERB --help' and %s(8) say more.\n",
		tool->name, tool->name);
}
