/* SPDX-License-Identifier: GPL-3.0-or-later */
/* add, replace, del, flush and announce: requests to the engine (docs/control-socket.md), which all name their "family". */
#include <stdio.h>
#include <string.h>

#include "cli/change.h"
#include "neigh.h"

static json_t *
with_family(void)
{
	json_t *args = json_object();
	json_object_set_new(args, "family", json_string(neigh_tool.protocol));
	return args;
}

static void
set_text(json_t *args, const char *key, const char *text)
{
	if (text) {
		json_object_set_new(args, key, json_string(text));
	}
}

/* ADDRESS, in its one form, and its interface if given; `what` for people. */
static json_t *
with_address(const struct cli *cli, char what[static NEIGH_TEXT_SIZE])
{
	struct neigh_address address;
	char text[IP_TEXT_SIZE];
	json_t *args = with_family();
	neigh_address(cli, &address);
	set_text(args, "address", neigh_text(address.words, text));
	set_text(args, "interface", address.iface);
	snprintf(what, NEIGH_TEXT_SIZE, "%s%s%s", text, address.iface ? " dev " : "", address.iface ? address.iface : "");
	return args;
}

enum err_code
add_run(struct cli *cli, struct err *err)
{
	char what[NEIGH_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	bool replace = strcmp(cli->verb->name, "replace") == 0;
	json_t *args = with_address(cli, what);
	set_text(args, "mac", mac_format(cli_number(cli, "lladdr"), mac));
	set_text(args, "state", cli_text(cli, "nud"));
	if (replace) {
		json_object_set_new(args, "replace", json_true());
	}
	change_flags(cli, args);
	return change_request(cli, "nbr.add", args, what, replace ? "replaced" : "added", err);
}

enum err_code
del_run(struct cli *cli, struct err *err)
{
	char what[NEIGH_TEXT_SIZE];
	json_t *args = with_address(cli, what);
	change_flags(cli, args);
	return change_request(cli, "nbr.del", args, what, "deleted", err);
}

enum err_code
announce_run(struct cli *cli, struct err *err)
{
	char what[NEIGH_TEXT_SIZE];
	json_t *args = with_address(cli, what), *result;
	change_flags(cli, args);
	enum err_code code = change_ask(cli, "nbr.announce", args, cli->timeout_ms, &result, err);
	if (code) {
		return code;
	}
	cli_say(cli, "%s: %sannounced", what, cli->dry_run ? "would be " : "");
	return cli_print_answer(cli, result, err);
}

enum err_code
flush_check(const struct cli *cli, struct err *err)
{
	if (cli_has(cli, "permanent") && cli_has(cli, "nud")) {
		return err_set(err, ERR_USAGE, "--permanent and nud do not go together");
	}
	return neigh_check_prefix(cli, err);
}

/* What was learned, in one state only, or all of it. */
enum err_code
flush_run(struct cli *cli, struct err *err)
{
	char prefix[NEIGH_TEXT_SIZE], what[200];
	const char *state = cli_has(cli, "permanent") ? "all" : cli_text(cli, "nud"), *dev = cli_text(cli, "dev");
	bool some = cli_has(cli, "to");
	snprintf(what, sizeof(what), "forget %s neighbours%s%s%s%s", state ? state : "learned", some ? " in " : "",
		some ? neigh_prefix_text(cli, prefix) : "", dev ? " at " : "", dev ? dev : "");
	enum err_code code = cli_confirm(cli, what, err);
	if (code) {
		return code;
	}
	json_t *args = with_family();
	set_text(args, "prefix", some ? prefix : NULL);
	set_text(args, "interface", dev);
	set_text(args, "state", state);
	change_flags(cli, args);
	return change_request(cli, "nbr.flush", args, "flush", "done", err);
}
