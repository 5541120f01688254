/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/change.h"

#include "cli/source.h"
#include "io/ctl.h"

void
change_flags(const struct cli *cli, json_t *args)
{
	if (cli->dry_run) {
		json_object_set_new(args, "dry_run", json_true());
	}
	if (cli->may_exist) {
		json_object_set_new(args, "may_exist", json_true());
	}
	if (cli->if_exists) {
		json_object_set_new(args, "if_exists", json_true());
	}
}

enum err_code
change_ask(const struct cli *cli, const char *op, json_t *args, int timeout_ms, json_t **result, struct err *err)
{
	char name[SEG_NAME_SIZE];
	*result = NULL;
	enum err_code code = source_name(cli, name, err);
	if (!code) {
		code = ctl_call(name, op, args, timeout_ms, result, err);
	}
	json_decref(args);
	return code;
}

enum err_code
change_request(struct cli *cli, const char *op, json_t *args, const char *what, const char *done, struct err *err)
{
	json_t *result;
	enum err_code code = change_ask(cli, op, args, cli->timeout_ms, &result, err);
	if (code) {
		return code;
	}
	bool changed = json_is_true(json_object_get(result, "changed"));
	cli_say(cli, "%s: %s%s", what, changed && cli->dry_run ? "would be " : "", changed ? done : "unchanged");
	return cli_print_answer(cli, result, err);
}
