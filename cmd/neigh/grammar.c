/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grammar of arpmgr and ndmgr, in the vocabulary of ip-neighbour(8); each verb is in a file of its own. */
#include <stddef.h>
#include <string.h>

#include "neigh.h"

#define MAX_OFFERED 2000
#define STATES "incomplete|reachable|stale|delay|probe|failed|permanent"

#define ARG_ADDRESS(text) \
	{ \
		.name = "address", .place = CLI_ARG, .type = CLI_WORD, .metavar = "ADDRESS", .help = (text), \
		.flags = CLI_REQUIRED \
	}
#define KEY_TO(text) \
	{ \
		.name = "to", .place = CLI_KEY, .type = CLI_WORD, .metavar = "PREFIX", .help = (text) \
	}
#define KEY_DEV(text, how) \
	{ \
		.name = "dev", .place = CLI_KEY, .type = CLI_IFACE, .metavar = "IFACE", .help = (text), .flags = (how) \
	}
#define KEY_NUD(text, how) \
	{ \
		.name = "nud", .place = CLI_KEY, .type = CLI_ENUM, .metavar = "STATE", .words = STATES, .help = (text), \
		.flags = (how) \
	}
#define FLAG(option, text) \
	{ \
		.name = (option), .place = CLI_OPT, .type = CLI_FLAG, .help = (text) \
	}
#define END \
	{ \
		.name = NULL \
	}

static const struct cli_param show_params[] = {
	KEY_TO("neighbours in this prefix"),
	KEY_DEV("neighbours at this interface", 0),
	KEY_NUD("neighbours in this state; may be given several times", CLI_REPEAT),
	{.name = "core", .place = CLI_OPT, .type = CLI_CORE, .metavar = "N", .help = "the table of one core, as it is"},
	FLAG("per-core", "the tables of all cores one after the other, as they are"),
	FLAG("count", "print only how many there are"),
	END,
};
static const struct cli_param get_params[] = {
	ARG_ADDRESS("the neighbour's address"),
	KEY_DEV("its interface; else the one whose prefix holds it", 0),
	END,
};
static const struct cli_param add_params[] = {
	ARG_ADDRESS("the neighbour's address"),
	{.name = "lladdr",
		.place = CLI_KEY,
		.type = CLI_MAC,
		.metavar = "MAC",
		.help = "its link-layer address",
		.flags = CLI_REQUIRED},
	KEY_DEV("its interface", CLI_REQUIRED),
	{.name = "nud",
		.place = CLI_KEY,
		.type = CLI_ENUM,
		.metavar = "STATE",
		.words = "permanent|reachable|stale",
		.preset = "permanent",
		.help = "permanent: stays until it is deleted; the others are aged as if it had been heard"},
	END,
};
static const struct cli_param del_params[] = {
	ARG_ADDRESS("the neighbour's address"),
	KEY_DEV("its interface; may be left out when it is at one only", 0),
	END,
};
static const struct cli_param flush_params[] = {
	KEY_TO("neighbours in this prefix"),
	KEY_DEV("neighbours at this interface", 0),
	KEY_NUD("neighbours in this state", 0),
	FLAG("permanent", "those that were added by hand, too"),
	END,
};
static const struct cli_param announce_params[] = {
	ARG_ADDRESS("an address of our own"),
	KEY_DEV("its interface; may be left out when it is at one only", 0),
	END,
};
static const struct cli_param monitor_params[] = {
	KEY_TO("changes in this prefix"),
	KEY_DEV("changes at this interface", 0),
	KEY_NUD("changes to this state; may be given several times", CLI_REPEAT),
	{.name = "timestamp", .place = CLI_OPT, .type = CLI_FLAG, .letter = 't', .help = "begin each line with the time"},
	END,
};
static const struct cli_param verify_params[] = {
	FLAG("full", "compare the tables even when the digests are equal"),
	FLAG("repair", "have the owners announce all they hold again where something differs, and look once more"),
	END,
};

/* The examples are the tool's. */
static const struct cli_verb template[] = {
	{.name = "show",
		.help = "List the neighbours of all cores as one table",
		.params = show_params,
		.takes = CLI_TAKES_SHOW,
		.check = show_check,
		.run = show_run,
		.notes = "A neighbour's CORES are those that hold its newest version; its STATE is its owner's."},
	{.name = "get",
		.help = "Show one neighbour; exit status 3 when it is not there",
		.params = get_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED | CLI_TAKES_FORMAT,
		.check = neigh_check_address,
		.run = get_run},
	{.name = "add",
		.help = "Add a neighbour on every core",
		.params = add_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_MAY_EXIST,
		.check = neigh_check_address,
		.run = add_run,
		.notes = "A learned neighbour is replaced without being asked; another one added by hand is an error (4)."},
	{.name = "del",
		.help = "Delete a neighbour on every core",
		.params = del_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_IF_EXISTS,
		.check = neigh_check_address,
		.run = del_run},
	{.name = "replace",
		.help = "Add a neighbour, or make the one that is there this one",
		.params = add_params,
		.takes = CLI_TAKES_CHANGE,
		.check = neigh_check_address,
		.run = add_run},
	{.name = "flush",
		.help = "Forget neighbours on every core",
		.params = flush_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_YES,
		.check = flush_check,
		.run = flush_run,
		.notes =
			"What matches all the words goes. What was added by hand stays but with --permanent or 'nud permanent'."},
	{.name = "resolve",
		.help = "Ask for a neighbour and wait for its answer; exit status 3 when nobody answers",
		.params = get_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_FORMAT | CLI_TAKES_TIMEOUT,
		.check = neigh_check_address,
		.run = resolve_run},
	{.name = "announce",
		.help = "Tell the link that an address is ours",
		.params = announce_params,
		.takes = CLI_TAKES_CHANGE,
		.check = neigh_check_address,
		.run = announce_run},
	{.name = "owner",
		.help = "Tell which core runs the machine of an address",
		.params = get_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED | CLI_TAKES_FORMAT,
		.check = neigh_check_address,
		.run = owner_run},
	{.name = "stats",
		.help = "Show the counters of every core's table",
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED | CLI_TAKES_FORMAT | CLI_TAKES_WATCH,
		.run = stats_run},
	{.name = "monitor",
		.help = "Print changes as the cores announce them",
		.params = monitor_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_FORMAT,
		.follows = true,
		.check = neigh_check_prefix,
		.run = monitor_run,
		.notes = "A line that begins with '!' says that records were lost (the tables are read anew)."},
	{.name = "verify",
		.help = "Check that all cores hold the same; exit status 8 when not",
		.params = verify_params,
		.takes = CLI_TAKES_SHOW,
		.check = verify_check,
		.run = verify_run},
	{.name = NULL},
};
#define VERBS (sizeof(template) / sizeof(template[0]))

/* Addresses come from the table of core 1; the rest as for every tool. */
static void
complete(const struct cli *cli, const struct cli_param *param, cli_offer *offer, void *arg)
{
	struct seg seg;
	char text[IP_TEXT_SIZE];
	if (strcmp(param->name, "address") != 0) {
		source_complete(cli, param, offer, arg);
		return;
	}
	if (source_open_quietly(cli, &seg, NULL)) {
		return;
	}
	for (uint32_t slot = 0, offered = 0; slot < seg.head.nbr_slots && offered < MAX_OFFERED; slot++) {
		struct seg_nbr entry;
		if (seg_read_nbr(&seg, neigh_tool.family, 1, slot, &entry) && nbr_usable(entry.value)) {
			offer(arg, neigh_text(entry.address, text));
			offered++;
		}
	}
	seg_detach(&seg);
}

int
neigh_main(int argc, char **argv)
{
	const char *const *const examples[VERBS] = {neigh_tool.examples.show, neigh_tool.examples.get, neigh_tool.examples.add,
		neigh_tool.examples.del, neigh_tool.examples.replace, neigh_tool.examples.flush, neigh_tool.examples.resolve,
		neigh_tool.examples.announce, neigh_tool.examples.owner, neigh_tool.examples.stats, neigh_tool.examples.monitor,
		neigh_tool.examples.verify};
	struct cli_verb verbs[VERBS];
	for (size_t i = 0; i < VERBS; i++) {
		verbs[i] = template[i];
		verbs[i].examples = examples[i];
	}
	const struct cli_tool tool = {
		.name = neigh_tool.name,
		.summary = neigh_tool.summary,
		.verbs = verbs,
		.default_verb = "show",
		.batch = true,
		.complete = complete,
	};
	return cli_main(&tool, argc, argv);
}
