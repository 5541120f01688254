/* SPDX-License-Identifier: GPL-3.0-or-later */
/* brtable: the bridge tables of every core. The grammar; each verb is in a file of its own. */
#include <stddef.h>

#include "brtable.h"

#define MAX_OFFERED 2000

#define KEY_BRIDGE(text) \
	{ \
		.name = "bridge", .place = CLI_KEY, .type = CLI_BRIDGE, .metavar = "B", .help = (text) \
	}
#define KEY_PORT(text, how) \
	{ \
		.name = "port", .place = CLI_KEY, .type = CLI_PORT, .metavar = "P", .help = (text), .flags = (how) \
	}
#define KEY_VLAN(text, how) \
	{ \
		.name = "vlan", .place = CLI_KEY, .type = CLI_VLAN, .metavar = "V", .help = (text), .flags = (how) \
	}
#define KEY_MAC(text) \
	{ \
		.name = "mac", .place = CLI_KEY, .type = CLI_MAC, .metavar = "M", .help = (text) \
	}
#define KEY_TYPE(text) \
	{ \
		.name = "type", .place = CLI_KEY, .type = CLI_ENUM, .metavar = "T", .words = "dynamic|static|sticky", \
		.help = (text) \
	}
#define ARG_MAC \
	{ \
		.name = "mac", .place = CLI_ARG, .type = CLI_MAC, .metavar = "MAC", .help = "the station's address", \
		.flags = CLI_REQUIRED \
	}
#define END \
	{ \
		.name = NULL \
	}

static const struct cli_param show_params[] = {
	KEY_BRIDGE("entries of this bridge"),
	KEY_PORT("entries at this port", 0),
	KEY_VLAN("entries of this VLAN", 0),
	KEY_MAC("entries of this address"),
	KEY_TYPE("entries of this type"),
	{.name = "core", .place = CLI_OPT, .type = CLI_CORE, .metavar = "N", .help = "the table of one core, as it is"},
	{.name = "per-core",
		.place = CLI_OPT,
		.type = CLI_FLAG,
		.help = "the tables of all cores one after the other, as they are"},
	{.name = "count", .place = CLI_OPT, .type = CLI_FLAG, .help = "print only how many there are"},
	END,
};

static const struct cli_param get_params[] = {
	ARG_MAC,
	KEY_VLAN("its VLAN", CLI_REQUIRED),
	KEY_BRIDGE("its bridge; all bridges are looked at otherwise"),
	END,
};

static const struct cli_param add_params[] = {
	ARG_MAC,
	KEY_VLAN("its VLAN", CLI_REQUIRED),
	KEY_PORT("where frames for it go", CLI_REQUIRED),
	KEY_BRIDGE("its bridge; may be left out when there is only one"),
	{.name = "type",
		.place = CLI_KEY,
		.type = CLI_ENUM,
		.metavar = "T",
		.words = "static|sticky",
		.preset = "static",
		.help = "static: never aged and never moved; sticky: aged, but never moved"},
	END,
};

static const struct cli_param del_params[] = {
	ARG_MAC,
	KEY_VLAN("its VLAN", CLI_REQUIRED),
	KEY_BRIDGE("its bridge; may be left out when there is only one"),
	KEY_PORT("only if it is at this port", 0),
	END,
};

static const struct cli_param flush_params[] = {
	KEY_BRIDGE("entries of this bridge"),
	KEY_PORT("entries at this port", 0),
	KEY_VLAN("entries of this VLAN", 0),
	KEY_MAC("entries of this address"),
	{.name = "type",
		.place = CLI_KEY,
		.type = CLI_ENUM,
		.metavar = "T",
		.words = "dynamic|all",
		.preset = "dynamic",
		.help = "what was learned, or static entries, too"},
	END,
};

static const struct cli_param monitor_params[] = {
	KEY_BRIDGE("changes of this bridge"),
	KEY_PORT("changes at this port", 0),
	KEY_VLAN("changes of this VLAN", 0),
	KEY_MAC("changes of this address"),
	KEY_TYPE("changes of entries of this type"),
	END,
};

static const struct cli_param verify_params[] = {
	{.name = "full", .place = CLI_OPT, .type = CLI_FLAG, .help = "compare the tables even when the digests are equal"},
	END,
};

static const char *const show_examples[] = {
	"brtable",
	"brtable show vlan 10 port p1",
	"brtable -j show | jq -r '.[] | select(.cores|length<3) | .mac'",
	"brtable show --per-core mac 02:00:00:00:00:01",
	"brtable -s edge1.seg show --count",
	NULL,
};
static const char *const get_examples[] = {"brtable get 02:00:00:00:00:01 vlan 10", NULL};
static const char *const add_examples[] = {
	"brtable add 02:00:00:00:00:aa vlan 10 port p2",
	"brtable add 02:00:00:00:00:ab vlan 10 port p2 type sticky --may-exist",
	NULL,
};
static const char *const del_examples[] = {"brtable del 02:00:00:00:00:aa vlan 10 --if-exists", NULL};
static const char *const replace_examples[] = {"brtable replace 02:00:00:00:00:aa vlan 10 port p3", NULL};
static const char *const flush_examples[] = {"brtable flush port p1", "brtable flush bridge br0 vlan 10 type all --yes", NULL};
static const char *const stats_examples[] = {"brtable stats -w2", NULL};
static const char *const monitor_examples[] = {
	"brtable monitor vlan 10", "brtable -j monitor | jq -c 'select(.event==\"change\")'", NULL};
static const char *const verify_examples[] = {"brtable verify && echo all cores agree", "brtable -T 30 verify --full", NULL};

static const struct cli_verb verbs[] = {
	{.name = "show",
		.help = "List the entries of all cores as one table",
		.params = show_params,
		.takes = CLI_TAKES_SHOW,
		.check = show_check,
		.run = show_run,
		.examples = show_examples,
		.notes =
			"An entry's CORES are those that hold its newest version; with all of them there, the tables agree on it."},
	{.name = "get",
		.help = "Show one entry; exit status 3 when it is not there",
		.params = get_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED | CLI_TAKES_FORMAT,
		.run = get_run,
		.examples = get_examples},
	{.name = "add",
		.help = "Add a static or sticky entry on every core",
		.params = add_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_MAY_EXIST,
		.run = add_run,
		.examples = add_examples,
		.notes =
			"A learned entry is replaced without being asked; another static one is an error (4). Saying the same twice is none."},
	{.name = "del",
		.help = "Delete an entry on every core",
		.params = del_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_IF_EXISTS,
		.run = del_run,
		.examples = del_examples},
	{.name = "replace",
		.help = "Add an entry, or make the one that is there this one",
		.params = add_params,
		.takes = CLI_TAKES_CHANGE,
		.run = add_run,
		.examples = replace_examples},
	{.name = "flush",
		.help = "Forget entries on every core",
		.params = flush_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_YES,
		.run = flush_run,
		.examples = flush_examples,
		.notes = "What matches all the words goes. Only 'type all' asks before."},
	{.name = "stats",
		.help = "Show the counters of every core's table",
		.params = NULL,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED | CLI_TAKES_FORMAT | CLI_TAKES_WATCH,
		.run = stats_run,
		.examples = stats_examples},
	{.name = "monitor",
		.help = "Print changes as the cores announce them",
		.params = monitor_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_FORMAT,
		.follows = true,
		.run = monitor_run,
		.examples = monitor_examples,
		.notes =
			"'+' is new, '~' has moved or changed its type, '-' is gone, '!' says that records were lost (the tables are read anew)."},
	{.name = "verify",
		.help = "Check that all cores hold the same; exit status 8 when not",
		.params = verify_params,
		.takes = CLI_TAKES_SHOW,
		.run = verify_run,
		.examples = verify_examples},
	{.name = NULL},
};

/* Addresses come from the table of core 1; the rest as for every tool. */
static void
complete(const struct cli *cli, const struct cli_param *param, cli_offer *offer, void *arg)
{
	struct seg seg;
	char mac[MAC_TEXT_SIZE];
	if (param->type != CLI_MAC) {
		source_complete(cli, param, offer, arg);
		return;
	}
	if (source_open_quietly(cli, &seg, NULL)) {
		return;
	}
	uint64_t slots = (uint64_t)seg.head.fdb_buckets * SEG_WAYS;
	for (uint64_t slot = 0, offered = 0; slot < slots && offered < MAX_OFFERED; slot++) {
		struct seg_fdb_entry entry;
		if (seg_read_fdb(&seg, 1, slot, &entry) && entry.state == SEG_FDB_LIVE) {
			offer(arg, mac_format(fdb_key_mac(entry.key), mac));
			offered++;
		}
	}
	seg_detach(&seg);
}

static const struct cli_tool tool = {
	.name = "brtable",
	.summary = "the bridge tables of every core",
	.verbs = verbs,
	.default_verb = "show",
	.batch = true,
	.complete = complete,
};

int
main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
