/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pemon: what the cores and ports of an appliance do. */
#include "pemon.h"

#define INTERVAL(preset_) \
	{ \
		.name = "interval", .place = CLI_OPT, .type = CLI_TIME, .metavar = "TIME", .preset = (preset_), .max = 3600000, \
		.help = "time between the two looks that rates come from; 0: no rates" \
	}

static const struct cli_param live_params[] = {
	{.name = "interval",
		.place = CLI_OPT,
		.type = CLI_TIME,
		.metavar = "TIME",
		.max = 3600000,
		.help = "time between two looks; 1s on a terminal, else 200ms"},
	{.name = NULL},
};

static const struct cli_param sample_params[] = {
	INTERVAL("200ms"),
	{.name = NULL},
};

static const struct cli_param ports_params[] = {
	INTERVAL("200ms"),
	{.name = "per-core", .place = CLI_OPT, .type = CLI_FLAG, .help = "one row a port and core"},
	{.name = NULL},
};

static const struct cli_param messages_params[] = {
	{.name = "last",
		.letter = 'n',
		.place = CLI_OPT,
		.type = CLI_NUMBER,
		.metavar = "N",
		.preset = "50",
		.max = 1000000,
		.help = "only the last N of what there is"},
	{.name = "follow", .letter = 'f', .place = CLI_OPT, .type = CLI_FLAG, .help = "go on with what comes, until interrupted"},
	{.name = "kind",
		.place = CLI_OPT,
		.type = CLI_ENUM,
		.metavar = "KIND",
		.flags = CLI_REPEAT,
		.words =
			"fdb_add|fdb_del|fdb_used|fdb_set|fdb_unset|fdb_flush|fdb_again|nbr_add|nbr_del|nbr_ask|nbr_failed|nbr_used|"
			"nbr_heard|nbr_set|nbr_unset|nbr_flush|nbr_again|nbr_announce|nbr_notice|event|lost",
		.help = "only these; may be given again"},
	{.name = "core",
		.place = CLI_OPT,
		.type = CLI_NUMBER,
		.metavar = "N",
		.min = 0,
		.max = SEG_MAX_CORES,
		.help = "only what this core sent; 0 is the control core"},
	{.name = "cause", .place = CLI_OPT, .type = CLI_WORD, .metavar = "CORE.COUNT", .help = "only the chain of this cause"},
	{.name = NULL},
};

static enum err_code
messages_check(const struct cli *cli, struct err *err)
{
	if (cli_has(cli, "follow") && cli->saved) {
		err_set(err, ERR_USAGE, "--follow: nothing follows in a saved segment");
		return err_hint(err, "leave out --follow, or -s");
	}
	if (cli_has(cli, "follow") && cli->watch) {
		return err_set(err, ERR_USAGE, "--follow and --watch exclude each other");
	}
	return ERR_NONE;
}

static const char *const live_examples[] = {"pemon", "pemon -a edge1 --interval 5s", NULL};
static const char *const show_examples[] = {"pemon show", "pemon show -j", "pemon show -s saved.seg", NULL};
static const char *const cores_examples[] = {"pemon cores --interval 1s", "pemon cores -w2 -o wide", NULL};
static const char *const ports_examples[] = {"pemon ports --per-core", "pemon ports -o csv", NULL};
static const char *const drops_examples[] = {"pemon drops", "pemon drops -j", NULL};
static const char *const messages_examples[] = {
	"pemon messages -n 20", "pemon messages --follow --kind fdb_add --kind fdb_del", "pemon messages --cause 1.7 -j", NULL};
static const char *const export_examples[] = {"pemon export", NULL};

#define READS (CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED)
#define LISTS (READS | CLI_TAKES_FORMAT | CLI_TAKES_WATCH)

static const struct cli_verb verbs[] = {
	{.name = "live",
		.help = "the live screen on a terminal, else as show",
		.params = live_params,
		.takes = LISTS,
		.not_in_batch = true,
		.run = live_run,
		.examples = live_examples,
		.notes = "Keys: q quits, p pauses, + and - change the interval; up and down, k and j, and the page keys scroll."},
	{.name = "show",
		.help = "state, cores, ports, drops and the last events",
		.params = sample_params,
		.takes = LISTS,
		.run = show_run,
		.examples = show_examples,
		.notes = "Rates and the busy part come from two looks at the segment, an interval apart. Without them "
			 "(--interval 0, a saved segment) they are unknown: null."},
	{.name = "cores",
		.help = "what each core does",
		.params = sample_params,
		.takes = LISTS,
		.run = cores_run,
		.examples = cores_examples},
	{.name = "ports",
		.help = "what goes through each port",
		.params = ports_params,
		.takes = LISTS,
		.run = ports_run,
		.examples = ports_examples},
	{.name = "drops",
		.help = "why frames were dropped, and the last one of each reason",
		.takes = LISTS,
		.run = drops_run,
		.examples = drops_examples},
	{.name = "messages",
		.help = "what the cores told each other, and events",
		.params = messages_params,
		.takes = LISTS,
		.check = messages_check,
		.run = messages_run,
		.not_in_batch = true,
		.examples = messages_examples},
	{.name = "export",
		.help = "all counters as OpenMetrics text",
		.takes = READS,
		.run = export_run,
		.examples = export_examples},
	{.name = NULL},
};

static const struct cli_tool tool = {
	.name = "pemon",
	.summary = "watch the cores and ports of a packet appliance",
	.verbs = verbs,
	.default_verb = "live",
	.complete = source_complete,
};

int
main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
