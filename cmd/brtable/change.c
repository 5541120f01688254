/* SPDX-License-Identifier: GPL-3.0-or-later */
/* add, del, replace and flush: requests to the engine (docs/control-socket.md). */
#include <stdio.h>
#include <string.h>

#include "brtable.h"
#include "cli/change.h"

/* Copies the words that were given; a MAC in its one form. */
static json_t *
words_to_json(const struct cli *cli)
{
	json_t *args = json_object();
	char mac[MAC_TEXT_SIZE];
	for (size_t i = 0; i < cli->nvalues; i++) {
		const struct cli_value *value = &cli->value[i];
		const char *name = value->param->name;
		if (value->param->place == CLI_OPT) {
			continue;
		}
		if (value->param->type == CLI_VLAN) {
			json_object_set_new(args, name, json_integer((json_int_t)value->number));
		} else if (value->param->type == CLI_MAC) {
			json_object_set_new(args, name, json_string(mac_format(value->number, mac)));
		} else {
			json_object_set_new(args, name, json_string(value->text));
		}
	}
	return args;
}

static char *
entry_text(const struct cli *cli, char *text, size_t size)
{
	snprintf(text, size, "%s vlan %s", cli_text(cli, "mac"), cli_text(cli, "vlan"));
	return text;
}

enum err_code
add_run(struct cli *cli, struct err *err)
{
	char what[96];
	bool replace = strcmp(cli->verb->name, "replace") == 0;
	json_t *args = words_to_json(cli);
	if (!cli_has(cli, "type")) {
		json_object_set_new(args, "type", json_string(cli_text(cli, "type")));
	}
	if (replace) {
		json_object_set_new(args, "replace", json_true());
	}
	change_flags(cli, args);
	return change_request(cli, "fdb.add", args, entry_text(cli, what, sizeof(what)), replace ? "replaced" : "added", err);
}

enum err_code
del_run(struct cli *cli, struct err *err)
{
	char what[96];
	json_t *args = words_to_json(cli);
	change_flags(cli, args);
	return change_request(cli, "fdb.del", args, entry_text(cli, what, sizeof(what)), "deleted", err);
}

/* What is learned comes back by itself; what the operator gave does not. */
enum err_code
flush_run(struct cli *cli, struct err *err)
{
	if (strcmp(cli_text(cli, "type"), "all") == 0) {
		enum err_code code = cli_confirm(cli, "delete static entries, too", err);
		if (code) {
			return code;
		}
	}
	json_t *args = words_to_json(cli);
	change_flags(cli, args);
	return change_request(cli, "fdb.flush", args, "flush", "done", err);
}
