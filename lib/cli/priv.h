/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of lib/cli share. Not for tools. */
#ifndef PEKIT_CLI_PRIV_H
#define PEKIT_CLI_PRIV_H

#include <stdio.h>

#include "cli/cli.h"

struct out;

/* What has been printed; one for the process, also for all lines of a batch. */
struct cli_stream {
	struct out *out;  /* a listing that is not closed yet */
	bool batch;       /* -b: documents are elements of one array, unless -o jsonl */
	bool csv_head;    /* a head line has been printed */
	bool follows;     /* a following listing was opened, whatever the verb is by its table */
	size_t documents; /* printed in JSON */
	bool broken;      /* stdout cannot be written, and stderr has heard it */
};

/* Bits beside CLI_TAKES_*. */
#define TAKES_BATCH (1u << 30)
#define TAKES_ALWAYS (1u << 31)

/* A common option: which bit grants it, and whether it may stand in a line of a batch file. */
struct common_option {
	unsigned takes;
	bool in_line;
	struct cli_param param;
};

/* grammar.c */
extern const struct common_option cli_common[];
extern const size_t cli_ncommon;

unsigned
grammar_takes(const struct cli_tool *tool, const struct cli_verb *verb); /* NULL verb: the union */
const struct cli_verb *
grammar_verb(const struct cli_tool *tool, const char *name); /* the whole name, one or two words */
const struct cli_verb *
grammar_default(const struct cli_tool *tool);
const struct cli_param *
grammar_find(const struct cli_param *params, enum cli_place place, const char *name);
/* An option by name (length given) or by letter; the verb's first, then the tool's, the common ones, any verb's. */
const struct cli_param *
grammar_option(const struct cli_tool *tool, const struct cli_verb *verb, const char *name, size_t length, char letter);
/* The verb's own view of an option found by grammar_option(), or NULL when it does not take it. */
const struct cli_param *
grammar_taken(const struct cli_tool *tool, const struct cli_verb *verb, const struct cli_param *option);
/* "-j, --json", "--core N", "vlan V", "MAC" */
char *
grammar_spell(const struct cli_param *param, char *text, size_t size);
json_t *
grammar_dump(const struct cli_tool *tool);
/* The n-th of "a|b|c", its length; NULL after the last. */
const char *
grammar_word(const char *words, size_t n, size_t *length);

/* Calls back for each option that a verb (NULL: the tool as a whole) takes: own, the tool's, common. */
typedef void
grammar_visit(void *arg, const struct cli_param *param);
void
grammar_options(const struct cli_tool *tool, const struct cli_verb *verb, grammar_visit *visit, void *arg);

/* value.c */
enum err_code
value_parse(const struct cli_param *param, const char *text, struct cli_value *value, struct err *err);
const char *
value_type_name(enum cli_type type);
bool
value_is_name(const char *text);

/* parse.c */
enum cli_ask { ASK_RUN, ASK_HELP, ASK_VERSION };
enum err_code
parse_words(const struct cli_tool *tool, int argc, char **argv, const struct cli *parent, struct cli *cli, enum cli_ask *ask,
	struct err *err);

/* help.c */
void
help_print(FILE *to, const struct cli_tool *tool, const struct cli_verb *verb);

/* complete.c */
void
complete_print(FILE *to, const struct cli_tool *tool, int argc, char **argv);

/* batch.c */
enum err_code
batch_run(struct cli *cli, struct err *err);

/* stream.c: documents on stdout, and errors in the form that was asked for. */
struct cli_stream *
stream_get(void);
void
stream_open_document(struct cli *cli);
void
stream_close_document(struct cli *cli);
/* Runs a verb; what it left open is closed, and with -j it has printed a document. */
enum err_code
stream_run(struct cli *cli, struct err *err);
void
stream_error(struct cli *cli, const struct err *err);
/* Ends the array of a batch. */
void
stream_end(struct cli *cli);

/* out.c: ends a listing that its verb did not end. */
void
out_settle(struct out *out);
/*
 * Copies text for a terminal, with "?" for what is no UTF-8 and for control characters, which could steer it: a segment's names
 * and a script's words may be anybody's. `to` has room for strlen(text) + 1. Returns the length.
 */
size_t
out_clean(char *to, const char *text);

/* Documents take one line each. */
static inline bool
cli_in_lines(const struct cli *cli)
{
	return cli->format == CLI_JSONL || cli->watch || (cli->verb && cli->verb->follows) ||
	       (cli->stream && cli->stream->follows);
}

#endif
