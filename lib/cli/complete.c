/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TOOL --complete WORD...: the candidates for the last word, one a line; ":file" asks the shell for file names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/priv.h"

struct offer {
	FILE *to;
	const struct cli_tool *tool;
	struct cli cli;   /* what was typed before */
	const char *lead; /* "--output=": printed before a candidate */
	const char *typed;
};

static void
offer_word(void *arg, const char *word)
{
	struct offer *o = arg;
	if (strncmp(word, o->typed, strlen(o->typed)) == 0) {
		fprintf(o->to, "%s%s\n", o->lead, word);
	}
}

static void
offer_value(struct offer *o, const struct cli_param *param)
{
	size_t length;
	const char *word;
	char text[64];
	for (size_t i = 0; (word = grammar_word(param->words, i, &length)) != NULL; i++) {
		snprintf(text, sizeof(text), "%.*s", (int)length, word);
		offer_word(o, text);
	}
	switch (param->type) {
	case CLI_FILE:
		fputs(":file\n", o->to);
		break;
	case CLI_WORD:
	case CLI_MAC:
	case CLI_CORE:
	case CLI_APPLIANCE:
	case CLI_BRIDGE:
	case CLI_PORT:
	case CLI_IFACE:
	case CLI_NAME:
		if (o->tool->complete) {
			o->tool->complete(&o->cli, param, offer_word, o);
		}
		break;
	default:
		break;
	}
}

static void
offer_option(void *arg, const struct cli_param *param)
{
	char text[64];
	snprintf(text, sizeof(text), "--%s", param->name);
	offer_word(arg, text);
	if (param->letter && ((struct offer *)arg)->typed[1] != '-') {
		snprintf(text, sizeof(text), "-%c", param->letter);
		offer_word(arg, text);
	}
}

static void
offer_verbs(struct offer *o, const char *first)
{
	size_t length = first ? strlen(first) : 0;
	char text[64], last[64] = "";
	for (const struct cli_verb *verb = o->tool->verbs; verb->name; verb++) {
		const char *name = verb->name;
		if (first && (strncmp(name, first, length) != 0 || name[length] != ' ')) {
			continue;
		}
		name += first ? length + 1 : 0;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, " "), name);
		if (strcmp(text, last) != 0) {
			offer_word(o, text);
		}
		memcpy(last, text, sizeof(last));
	}
}

static bool
given(const struct cli *cli, const struct cli_param *param)
{
	for (size_t i = 0; i < cli->nvalues; i++) {
		if (cli->value[i].param == param) {
			return true;
		}
	}
	return false;
}

static void
note_value(struct cli *cli, const struct cli_param *param, const char *text)
{
	cli->value[cli->nvalues++] = (struct cli_value){.param = param, .text = text};
	if (param->place == CLI_OPT && strcmp(param->name, "appliance") == 0) {
		cli->appliance = text;
	} else if (param->place == CLI_OPT && strcmp(param->name, "segment") == 0) {
		cli->saved = text;
	}
}

/* Words of the verb: notes what was given, returns the keyword whose value comes next, and the next argument in *arg. */
static const struct cli_param *
walk_words(struct cli *cli, const char **word, size_t n, const struct cli_param **arg)
{
	const struct cli_param *next = cli->verb->params;
	const struct cli_param *waiting = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct cli_param *key = grammar_find(cli->verb->params, CLI_KEY, word[i]);
		if (waiting) {
			note_value(cli, waiting, word[i]);
			waiting = NULL;
			continue;
		}
		if (key) {
			waiting = key->type == CLI_FLAG ? NULL : key;
			if (!waiting) {
				note_value(cli, key, NULL);
			}
			continue;
		}
		while (next && next->name && next->place != CLI_ARG) {
			next++;
		}
		if (next && next->name) {
			note_value(cli, next, word[i]);
			next += (next->flags & CLI_REPEAT) ? 0 : 1;
		}
	}
	while (next && next->name && next->place != CLI_ARG) {
		next++;
	}
	*arg = next && next->name ? next : NULL;
	return waiting;
}

static void
offer_words(struct offer *o, const char **word, size_t n)
{
	const struct cli_param *arg;
	const struct cli_param *waiting = walk_words(&o->cli, word, n, &arg);
	if (waiting) {
		offer_value(o, waiting);
		return;
	}
	if (arg) {
		offer_value(o, arg);
	}
	for (const struct cli_param *key = o->cli.verb->params; key && key->name; key++) {
		if (key->place == CLI_KEY && (!given(&o->cli, key) || (key->flags & CLI_REPEAT))) {
			offer_word(o, key->name);
		}
	}
}

/* Takes the options out of the words before the last; returns the option whose value the last one is. */
static const struct cli_param *
split(struct offer *o, int n, char **argv, const char **word, size_t *nwords)
{
	const struct cli_param *waiting = NULL;
	for (int i = 0; i < n; i++) {
		const char *text = argv[i], *equals = strchr(text, '=');
		if (waiting) {
			note_value(&o->cli, waiting, text);
			waiting = NULL;
			continue;
		}
		if (text[0] != '-' || !text[1]) {
			word[(*nwords)++] = text;
			continue;
		}
		bool whole = text[1] == '-';
		size_t length = equals ? (size_t)(equals - text) - 2 : strlen(text) - 2;
		const struct cli_param *param = whole ? grammar_option(o->tool, NULL, text + 2, length, 0)
						      : grammar_option(o->tool, NULL, NULL, 0, text[1]);
		if (!param) {
			continue;
		}
		const char *attached = whole ? (equals ? equals + 1 : NULL) : (text[2] ? text + 2 : NULL);
		if (param->type == CLI_FLAG || (param->flags & CLI_OPTIONAL) || attached) {
			note_value(&o->cli, param, attached);
		} else {
			waiting = param;
		}
	}
	return waiting;
}

/* Finds the verb; returns how many words it took, and offers verbs when it is not known yet. */
static bool
find_verb(struct offer *o, const char **word, size_t n, size_t *taken)
{
	char text[128];
	*taken = 0;
	if (n >= 2) {
		snprintf(text, sizeof(text), "%s %s", word[0], word[1]);
		o->cli.verb = grammar_verb(o->tool, text);
		*taken = 2;
	}
	if (!o->cli.verb && n >= 1) {
		o->cli.verb = grammar_verb(o->tool, word[0]);
		*taken = 1;
	}
	if (!o->cli.verb && n >= 1 && grammar_default(o->tool) &&
		grammar_find(grammar_default(o->tool)->params, CLI_KEY, word[0])) {
		o->cli.verb = grammar_default(o->tool);
		*taken = 0;
	}
	return o->cli.verb != NULL;
}

/* Without a verb those that any verb takes, and the default verb's own. */
static void
offer_options(struct offer *o)
{
	const struct cli_verb *standard = o->cli.verb ? NULL : grammar_default(o->tool);
	grammar_options(o->tool, o->cli.verb, offer_option, o);
	for (const struct cli_param *param = standard ? standard->params : NULL; param && param->name; param++) {
		if (param->place == CLI_OPT) {
			offer_option(o, param);
		}
	}
}

/* The verb's own option of a name that was read before the verb was known. */
static const struct cli_param *
own_option(struct offer *o, const struct cli_param *option, const char **word, size_t n)
{
	size_t taken;
	const struct cli_verb *standard = n == 0 ? grammar_default(o->tool) : NULL;
	const struct cli_verb *verb = find_verb(o, word, n, &taken) ? o->cli.verb : standard;
	const struct cli_param *own = verb ? grammar_taken(o->tool, verb, option) : NULL;
	return own ? own : option;
}

static void
complete_last(struct offer *o, const char **word, size_t n)
{
	size_t taken;
	bool known = find_verb(o, word, n, &taken);
	if (o->typed[0] == '-') {
		const char *equals = strchr(o->typed, '=');
		const struct cli_param *param = equals && o->typed[1] == '-' ? grammar_option(o->tool, o->cli.verb, o->typed + 2,
										       (size_t)(equals - o->typed) - 2, 0)
									     : NULL;
		if (param) {
			char lead[64];
			snprintf(lead, sizeof(lead), "--%s=", param->name);
			o->lead = lead;
			o->typed = equals + 1;
			offer_value(o, param);
		} else if (!equals) {
			offer_options(o);
		}
		return;
	}
	if (known) {
		if (n == 1 && taken == 1) {
			offer_verbs(o, word[0]);
		}
		offer_words(o, word + taken, n - taken);
		return;
	}
	if (n <= 1) {
		offer_verbs(o, n ? word[0] : NULL);
	}
	if (n == 0 && grammar_default(o->tool)) {
		o->cli.verb = grammar_default(o->tool);
		offer_words(o, word, 0);
	}
}

void
complete_print(FILE *to, const struct cli_tool *tool, int argc, char **argv)
{
	struct offer o = {.to = to, .tool = tool, .lead = "", .typed = argc ? argv[argc - 1] : "", .cli = {.tool = tool}};
	size_t nwords = 0;
	const char **word = calloc((size_t)argc + 1, sizeof(*word));
	o.cli.value = calloc((size_t)argc + 1, sizeof(*o.cli.value));
	if (word && o.cli.value) {
		const struct cli_param *waiting = split(&o, argc ? argc - 1 : 0, argv, word, &nwords);
		if (waiting) {
			offer_value(&o, own_option(&o, waiting, word, nwords));
		} else {
			complete_last(&o, word, nwords);
		}
	}
	free(word);
	cli_free(&o.cli);
}
