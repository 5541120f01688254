/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of every pekit binary, from one const table a tool: struct cli_tool. It yields strict parsing, --help,
 * --version, completion (TOOL --complete WORD...), the machine-readable grammar (TOOL --grammar), batch files, watching, the
 * asking before destructive verbs, and the error in the words and the form the user chose.
 *
 * A tool is its table and
 *
 *	int main(int argc, char **argv) { return cli_main(&tool, argc, argv); }
 *
 * Verbs, keywords and options are whole words. Options may stand anywhere; "--" ends them. stdout is fully buffered: whoever
 * follows something uses cli_wait() (which flushes) or out_row() of a following writer.
 */
#ifndef PEKIT_CLI_CLI_H
#define PEKIT_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

/* ---- the grammar table ------------------------------------------------------------------------------------------------ */

enum cli_type {
	CLI_FLAG,   /* no value */
	CLI_WORD,   /* any word that is not empty */
	CLI_ENUM,   /* one of `words` */
	CLI_NUMBER, /* min..max; max 0: no bound */
	CLI_TIME,   /* ms from 14s, 5d, 100ms; a bare number is seconds */
	CLI_BPS,    /* 5G, 500Mbit */
	CLI_PPS,    /* 2M, 500kpps */
	CLI_VLAN,   /* 1..4094 */
	CLI_MAC,
	CLI_IP,
	CLI_CORE,      /* a data core, 1..64 */
	CLI_FILE,      /* a path; completed by the shell */
	CLI_APPLIANCE, /* these are names: 1..31 of letters, digits, . _ -; completed by the tool's callback */
	CLI_BRIDGE,
	CLI_PORT,
	CLI_IFACE,
	CLI_NAME,
};

enum cli_place {
	CLI_ARG, /* by position: MAC */
	CLI_KEY, /* a keyword and, unless a CLI_FLAG, its value: vlan V */
	CLI_OPT, /* --name or -letter, and, unless a CLI_FLAG, its value */
};

#define CLI_REQUIRED 1u
#define CLI_REPEAT 2u   /* may be given many times; an argument: all further words */
#define CLI_OPTIONAL 4u /* an option whose value may be left out: -w[SECONDS], --watch[=SECONDS] */

/* One word of the grammar. A table of them ends with a NULL name. */
struct cli_param {
	const char *name; /* "vlan"; of an option without the dashes; of an argument how cli_text() finds it */
	enum cli_place place;
	enum cli_type type;
	const char *metavar; /* "V"; NULL for a flag */
	const char *help;    /* one line, no full stop */
	char letter;         /* of an option; 0: none */
	unsigned flags;      /* CLI_REQUIRED | ... */
	const char *words;   /* CLI_ENUM: "dynamic|static|sticky"; of other types words that are taken, too: "auto", number 0 */
	uint64_t min, max;   /* CLI_NUMBER, and CLI_TIME in ms */
	const char *preset;  /* as the user would write it; for the help and for cli_text(), cli_number() when it is absent */
};

/* Common options that a verb takes. Its own option of such a name stands in the place of the common one: --output may have more
 * words, which are the verb's to know (cli_text(); the format is CLI_TABLE then). --help, --version and --color every verb takes.
 */
#define CLI_TAKES_APPLIANCE (1u << 0) /* -a, --appliance NAME */
#define CLI_TAKES_SAVED (1u << 1)     /* -s, --segment FILE */
#define CLI_TAKES_FORMAT (1u << 2)    /* -j, --json; -o, --output FORMAT */
#define CLI_TAKES_WATCH (1u << 3)     /* -w, --watch[=SECONDS] */
#define CLI_TAKES_TIMEOUT (1u << 4)   /* -T, --timeout SECONDS */
#define CLI_TAKES_DRY_RUN (1u << 5)   /* --dry-run */
#define CLI_TAKES_YES (1u << 6)       /* --yes */
#define CLI_TAKES_IF_EXISTS (1u << 7) /* --if-exists */
#define CLI_TAKES_MAY_EXIST (1u << 8) /* --may-exist */
/* A read-only listing; a change. */
#define CLI_TAKES_SHOW (CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED | CLI_TAKES_FORMAT | CLI_TAKES_WATCH | CLI_TAKES_TIMEOUT)
#define CLI_TAKES_CHANGE (CLI_TAKES_APPLIANCE | CLI_TAKES_FORMAT | CLI_TAKES_TIMEOUT | CLI_TAKES_DRY_RUN)

struct cli;

struct cli_verb {
	const char *name;               /* "show", "stp show"; NULL ends the table */
	const char *help;               /* one line, no full stop */
	const struct cli_param *params; /* NULL: none */
	unsigned takes;                 /* CLI_TAKES_* */
	bool follows;                   /* runs until interrupted; JSON is printed as JSON lines */
	bool not_in_batch;
	/* What the words alone do not say (this option excludes that one). NULL: nothing. */
	enum err_code (*check)(const struct cli *cli, struct err *err);
	/* Does it. A code with an empty err->message is only the exit status (verify: ERR_DIFFERS after its own output). */
	enum err_code (*run)(struct cli *cli, struct err *err);
	/* NULL, or does n lines of a batch file that follow each other, of verbs with the same run_many, all or none. *bad: the
	 * line that cannot be; n: none of them. */
	enum err_code (*run_many)(struct cli *line, size_t n, size_t *bad, struct err *err);
	const char *notes;           /* paragraphs for --help; may be NULL */
	const char *const *examples; /* whole command lines, ends with NULL; may be NULL */
};

/* Gives one candidate; the library drops those that do not begin with what was typed. */
typedef void
cli_offer(void *arg, const char *word);

struct cli_tool {
	const char *name;
	const char *summary; /* one line, no full stop */
	const struct cli_verb *verbs;
	const char *default_verb;        /* NULL: a verb must be given */
	const struct cli_param *options; /* CLI_OPT of the tool that every verb takes; NULL: none */
	bool batch;                      /* takes -b, --batch FILE */
	/* Live names for completion: CLI_WORD, CLI_MAC, CLI_APPLIANCE, CLI_BRIDGE, CLI_PORT, CLI_IFACE, CLI_CORE, CLI_NAME;
	   `param` says whose value it is, cli what was typed before it. Must be quick and silent. source_complete() of
	   lib/cli/source.h does it from the segment. */
	void (*complete)(const struct cli *cli, const struct cli_param *param, cli_offer *offer, void *arg);
};

/* ---- a parsed command line ---------------------------------------------------------------------------------------------- */

enum cli_format { CLI_TABLE, CLI_WIDE, CLI_JSON, CLI_JSONL, CLI_CSV };

struct cli_value {
	const struct cli_param *param;
	const char *text; /* as given; NULL for a flag */
	uint64_t number;  /* numbers, times (ms), rates, VLANs, MACs, cores; the index of a CLI_ENUM's word */
	struct ip ip;
};

struct cli {
	const struct cli_tool *tool;
	const struct cli_verb *verb;
	enum cli_format format;
	bool color; /* the terminal takes it and the user wants it */
	bool dry_run, yes, if_exists, may_exist;
	const char *appliance; /* -a; NULL: not given */
	const char *saved;     /* -s; NULL: not given */
	const char *batch;     /* -b; NULL: not given */
	int timeout_ms;        /* -T; 5000 */
	bool watch;            /* -w */
	uint64_t watch_ms;
	unsigned line; /* of the batch file; 0: the command line itself */
	size_t nvalues;
	struct cli_value *value;
	const struct cli *parent;  /* of a batch line: the command line, whose options hold for it */
	struct cli_stream *stream; /* what has been printed so far; the library's own */
};

/* The program: parses, runs, prints what went wrong. Returns the exit status. */
int
cli_main(const struct cli_tool *tool, int argc, char **argv);

/* Was it given? Asking for a name that the table lacks is a defect and aborts. */
bool
cli_has(const struct cli *cli, const char *name);

/* The (first) value, or the preset, or NULL and 0. */
const char *
cli_text(const struct cli *cli, const char *name);
uint64_t
cli_number(const struct cli *cli, const char *name);

/* The n-th value of a CLI_REPEAT, or NULL when there are no more. */
const struct cli_value *
cli_nth(const struct cli *cli, const char *name, size_t n);

/* ---- output ------------------------------------------------------------------------------------------------------------- */

static inline bool
cli_wants_json(const struct cli *cli)
{
	return cli->format == CLI_JSON || cli->format == CLI_JSONL;
}

/* Prints one document (a line of its own when watching, following or for jsonl) and drops the reference. NULL is no memory. */
enum err_code
cli_print_json(struct cli *cli, json_t *document, struct err *err);

/* The same for the answer to a change, whose values are no lists: with -o csv a head line and a row, in tables nothing
 * (cli_say()). */
enum err_code
cli_print_answer(struct cli *cli, json_t *document, struct err *err);

/* How many there are, for --count: {"entries": N}, and the number alone to people. */
enum err_code
cli_print_count(struct cli *cli, uint64_t count, struct err *err);

/* A JSON string of what somebody typed or a segment holds, which need not be UTF-8; null of NULL. NULL: no memory. */
json_t *
cli_json_text(const char *text);

/* A line for people on stdout, without control characters; nothing with -j, -o jsonl or -o csv. */
void
cli_say(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A remark for people on stderr ("the data is 12 s old"), prefixed with the tool's name; with JSON too. */
void
cli_note(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- waiting and asking ---------------------------------------------------------------------------------------------------- */

/* Flushes stdout and sleeps. False: the user interrupted (ctrl-C, SIGTERM), or nobody reads stdout any more. */
bool
cli_wait(struct cli *cli, uint64_t ms);

/* Before something destructive: --yes or --dry-run passes; a terminal is asked; else ERR_USAGE. "what" as in "delete 12 entries".
 */
enum err_code
cli_confirm(struct cli *cli, const char *what, struct err *err);

/* ---- the parts, for tests ------------------------------------------------------------------------------------------------- */

/* Parses the words after the tool's name. On success *cli owns memory: cli_free(). --help and the like are cli_main()'s. */
enum err_code
cli_parse(const struct cli_tool *tool, int argc, char **argv, struct cli *cli, struct err *err);

void
cli_free(struct cli *cli);

#endif
