/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/source.h"
#include "verb_route.h"
#include "verbs.h"

#define CONFIG_HELP "the appliance file, pekit.json(5); - is standard input"

static const struct cli_param run_params[] = {
	{.name = "config",
		.letter = 'c',
		.place = CLI_OPT,
		.type = CLI_FILE,
		.metavar = "FILE",
		.flags = CLI_REQUIRED,
		.help = CONFIG_HELP},
	{.name = "detach",
		.letter = 'd',
		.place = CLI_OPT,
		.type = CLI_FLAG,
		.help = "return when the engine is ready; it goes on"},
	{.name = "allow-inject", .place = CLI_OPT, .type = CLI_FLAG, .help = "let 'pe inject' do harm on purpose: for tests"},
	{.name = NULL},
};

static const struct cli_param check_params[] = {
	{.name = "config",
		.letter = 'c',
		.place = CLI_OPT,
		.type = CLI_FILE,
		.metavar = "FILE",
		.flags = CLI_REQUIRED,
		.help = CONFIG_HELP},
	{.name = NULL},
};

static const struct cli_param diff_params[] = {
	{.name = "config", .letter = 'c', .place = CLI_OPT, .type = CLI_FILE, .metavar = "FILE", .help = CONFIG_HELP},
	{.name = NULL},
};

static const struct cli_param apply_params[] = {
	{.name = "config", .letter = 'c', .place = CLI_OPT, .type = CLI_FILE, .metavar = "FILE", .help = CONFIG_HELP},
	{.name = "patch",
		.place = CLI_OPT,
		.type = CLI_FILE,
		.metavar = "FILE",
		.help = "a merge patch (RFC 7386) for the running configuration instead; - is standard input"},
	{.name = "save", .place = CLI_OPT, .type = CLI_FLAG, .help = "write it to the engine's appliance file, too"},
	{.name = "confirm",
		.place = CLI_OPT,
		.type = CLI_TIME,
		.metavar = "SECONDS",
		.min = 1000,
		.max = 86400000,
		.help = "take it back after that time, unless 'pe confirm' comes before"},
	{.name = NULL},
};

static const struct cli_param log_params[] = {
	{.name = "level",
		.place = CLI_ARG,
		.type = CLI_ENUM,
		.metavar = "LEVEL",
		.words = "error|warning|notice|info|debug",
		.help = "from now on log what is at least that grave"},
	{.name = NULL},
};

static const struct cli_param core_params[] = {
	{.name = "core", .place = CLI_ARG, .type = CLI_CORE, .metavar = "CORE", .flags = CLI_REQUIRED, .help = "a data core"},
	{.name = NULL},
};

static const struct cli_param inject_params[] = {
	{.name = "what",
		.place = CLI_ARG,
		.type = CLI_ENUM,
		.metavar = "WHAT",
		.words = "stall",
		.flags = CLI_REQUIRED,
		.help = "stall: the core stands still, as one that hangs"},
	{.name = "core", .place = CLI_ARG, .type = CLI_CORE, .metavar = "CORE", .flags = CLI_REQUIRED, .help = "a data core"},
	{.name = "ms",
		.place = CLI_ARG,
		.type = CLI_NUMBER,
		.metavar = "MS",
		.flags = CLI_REQUIRED,
		.min = 1,
		.max = 60000,
		.help = "for so many milliseconds"},
	{.name = NULL},
};

#define ROUTE_FAMILY \
	{ \
		.name = "family", .place = CLI_OPT, .type = CLI_ENUM, .metavar = "FAMILY", .words = "ipv4|ipv6", \
		.help = "of that one" \
	}
#define ROUTE_PREFIX(text, how) \
	{ \
		.name = "prefix", .place = CLI_ARG, .type = CLI_WORD, .metavar = "PREFIX", .help = (text), .flags = (how) \
	}
#define ROUTE_DEV(text) \
	{ \
		.name = "dev", .place = CLI_KEY, .type = CLI_IFACE, .metavar = "INTERFACE", .help = (text) \
	}
#define ROUTE_VIA(text) \
	{ \
		.name = "via", .place = CLI_KEY, .type = CLI_IP, .metavar = "ADDRESS", .help = (text) \
	}
#define ROUTE_TYPE(text) \
	{ \
		.name = "type", .place = CLI_KEY, .type = CLI_ENUM, .metavar = "TYPE", \
		.words = "unicast|blackhole|unreachable|prohibit", .help = (text) \
	}

static const struct cli_param route_show_params[] = {
	ROUTE_PREFIX("routes to it and into it", 0),
	ROUTE_DEV("routes out of this interface"),
	{.name = "type",
		.place = CLI_KEY,
		.type = CLI_ENUM,
		.metavar = "TYPE",
		.words = "unicast|local|blackhole|unreachable|prohibit",
		.help = "routes of this type"},
	{.name = "protocol",
		.place = CLI_KEY,
		.type = CLI_ENUM,
		.metavar = "PROTOCOL",
		.words = "file|live|connected|local",
		.help = "routes that came from there"},
	ROUTE_FAMILY,
	{.name = "count", .place = CLI_OPT, .type = CLI_FLAG, .help = "print only how many there are"},
	{.name = NULL},
};

static const struct cli_param route_get_params[] = {
	{.name = "address",
		.place = CLI_ARG,
		.type = CLI_IP,
		.metavar = "ADDRESS",
		.flags = CLI_REQUIRED,
		.help = "where a packet goes"},
	{.name = NULL},
};

static const struct cli_param route_add_params[] = {
	ROUTE_PREFIX("10.0.0.0/8, 2001:db8::/32, an address or default", CLI_REQUIRED),
	ROUTE_VIA("the gateway, a neighbour on an interface"),
	ROUTE_DEV("the way out; needed with a link-local gateway, or without a gateway"),
	ROUTE_TYPE("instead: drop it without a word, or say that it cannot be reached or is prohibited"),
	ROUTE_FAMILY,
	{.name = NULL},
};

static const struct cli_param route_del_params[] = {
	ROUTE_PREFIX("of the route", CLI_REQUIRED),
	ROUTE_VIA("only if that is its gateway"),
	ROUTE_DEV("only if it goes out there"),
	ROUTE_TYPE("only if it is of that type"),
	ROUTE_FAMILY,
	{.name = NULL},
};

static const struct cli_param route_flush_params[] = {
	ROUTE_PREFIX("routes to it and into it", 0),
	ROUTE_DEV("routes out of this interface"),
	ROUTE_FAMILY,
	{.name = NULL},
};

static const char *const run_examples[] = {
	"pe run -c edge1.json",
	"pe run -c edge1.json -d && pe status",
	NULL,
};
static const char *const check_examples[] = {"pe check -c edge1.json", "pe check -c edge1.json -j | jq .total_bytes", NULL};
static const char *const diff_examples[] = {"pe diff -c edge1.json", NULL};
static const char *const apply_examples[] = {
	"pe apply -c edge1.json --dry-run",
	"echo '{\"ports\": {\"p2\": {\"enabled\": false}}}' | pe apply --patch - --confirm 30",
	NULL,
};
static const char *const drain_examples[] = {"pe drain 2 && pe status", "pe drain 1 -j | jq .lost_packets", NULL};
static const char *const inject_examples[] = {"pe inject stall 1 2000", NULL};
static const char *const stop_examples[] = {"pe stop --yes", "pe stop -a edge1 --yes --if-exists", NULL};

static const char *const route_show_examples[] = {
	"pe route show", "pe route show 10.0.0.0/8 protocol live", "pe -j route show --family ipv6 | jq -r '.[].to'", NULL};
static const char *const route_get_examples[] = {"pe route get 192.0.2.1", NULL};
static const char *const route_add_examples[] = {
	"pe route add 198.51.100.0/24 via 10.0.10.254",
	"pe route add default via fe80::1 dev v10",
	"pe route add 203.0.113.0/24 type blackhole --may-exist",
	NULL,
};
static const char *const route_replace_examples[] = {"pe route replace default via 10.0.10.253", NULL};
static const char *const route_del_examples[] = {"pe route del 198.51.100.0/24 --if-exists", NULL};
static const char *const route_flush_examples[] = {"pe route flush dev v10 --yes", NULL};

#define CHANGES (CLI_TAKES_APPLIANCE | CLI_TAKES_FORMAT | CLI_TAKES_TIMEOUT)

static const struct cli_verb verbs[] = {
	{
		.name = "run",
		.help = "Run the engine of an appliance until it is stopped",
		.params = run_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_FORMAT,
		.not_in_batch = true,
		.run = verb_engine,
		.examples = run_examples,
	},
	{
		.name = "check",
		.help = "Check an appliance file, and say how much memory it needs",
		.params = check_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_FORMAT,
		.run = verb_check,
		.examples = check_examples,
	},
	{
		.name = "apply",
		.help = "Bring a running engine to a new configuration",
		.params = apply_params,
		.takes = CLI_TAKES_CHANGE,
		.check = verb_apply_check,
		.run = verb_apply,
		.notes = "What a file changes and what it takes to change it: pe diff -c FILE.",
		.examples = apply_examples,
	},
	{
		.name = "diff",
		.help = "Compare an appliance file with the running configuration",
		.params = diff_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED | CLI_TAKES_FORMAT | CLI_TAKES_TIMEOUT,
		.run = verb_diff,
		.notes =
			"Without -c: the file that the engine was started with. (live): pe apply can do it; (restart): it cannot.",
		.examples = diff_examples,
	},
	{
		.name = "status",
		.help = "Say how an engine is; exit status 0 when it is ready",
		.takes = CLI_TAKES_SHOW,
		.run = verb_status,
	},
	{
		.name = "stop",
		.help = "Stop an engine and wait until it is gone",
		.takes = CHANGES | CLI_TAKES_YES | CLI_TAKES_DRY_RUN | CLI_TAKES_IF_EXISTS,
		.not_in_batch = true,
		.run = verb_stop,
		.examples = stop_examples,
	},
	{
		.name = "drain",
		.help = "Take a core out: its queues, flows and roles go to the others",
		.params = core_params,
		.takes = CLI_TAKES_CHANGE,
		.run = verb_drain,
		.notes = "Draining a drained core is not an error. The last core that serves cannot be drained.",
		.examples = drain_examples,
	},
	{
		.name = "undrain",
		.help = "Let a drained core serve again",
		.params = core_params,
		.takes = CLI_TAKES_CHANGE,
		.run = verb_undrain,
	},
	{
		.name = "inject",
		.help = "Do harm on purpose, to see that it is survived",
		.params = inject_params,
		.takes = CHANGES,
		.run = verb_inject,
		.notes = "For root only, and only at an engine that was started with --allow-inject.",
		.examples = inject_examples,
	},
	{
		.name = "confirm",
		.help = "Keep what 'pe apply --confirm' brought",
		.takes = CHANGES,
		.run = verb_confirm,
	},
	{
		.name = "log",
		.help = "Say or set how much a running engine logs",
		.params = log_params,
		.takes = CHANGES,
		.run = verb_log,
	},
	{
		.name = "route show",
		.help = "List the routes",
		.params = route_show_params,
		.takes = CLI_TAKES_SHOW,
		.check = verb_route_check_filter,
		.run = verb_route_show,
		.examples = route_show_examples,
	},
	{
		.name = "route get",
		.help = "Show the route that an address has; exit status 3 when there is none",
		.params = route_get_params,
		.takes = CLI_TAKES_APPLIANCE | CLI_TAKES_SAVED | CLI_TAKES_FORMAT,
		.run = verb_route_get,
		.examples = route_get_examples,
	},
	{
		.name = "route add",
		.help = "Add a route, until the engine ends",
		.params = route_add_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_MAY_EXIST,
		.check = verb_route_check,
		.run = verb_route_change,
		.run_many = verb_route_many,
		.notes = "Another route of the prefix is an error (4). Saying the same twice is none.",
		.examples = route_add_examples,
	},
	{
		.name = "route replace",
		.help = "Add a route, or make the one that is there this one",
		.params = route_add_params,
		.takes = CLI_TAKES_CHANGE,
		.check = verb_route_check,
		.run = verb_route_change,
		.run_many = verb_route_many,
		.examples = route_replace_examples,
	},
	{
		.name = "route del",
		.help = "Delete a route that was given live",
		.params = route_del_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_IF_EXISTS,
		.check = verb_route_check,
		.run = verb_route_change,
		.run_many = verb_route_many,
		.notes = "A route of the appliance file that it had replaced comes back.",
		.examples = route_del_examples,
	},
	{
		.name = "route flush",
		.help = "Delete routes that were given live",
		.params = route_flush_params,
		.takes = CLI_TAKES_CHANGE | CLI_TAKES_YES,
		.check = verb_route_check_filter,
		.run = verb_route_flush,
		.notes = "What matches all the words goes; routes of the appliance file and of interfaces stay.",
		.examples = route_flush_examples,
	},
	{.name = NULL},
};

static const struct cli_tool tool = {
	.name = "pe",
	.summary = "the packet engine of an appliance",
	.verbs = verbs,
	.default_verb = "status",
	.batch = true,
	.complete = source_complete,
};

int
main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
