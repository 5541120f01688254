/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe drain, undrain, inject: one core at a time. */
#include <inttypes.h>

#include "io/ctl.h"
#include "verbs.h"

static enum err_code
call(struct cli *cli, const char *op, json_t *args, json_t **result, struct err *err)
{
	char name[SEG_NAME_SIZE];
	enum err_code code = verb_appliance(cli, NULL, name, err);
	if (code) {
		json_decref(args);
		return code;
	}
	return ctl_call(name, op, args, cli->timeout_ms, result, err);
}

static json_int_t
number(const json_t *result, const char *key)
{
	return json_integer_value(json_object_get(result, key));
}

static enum err_code
change(struct cli *cli, const char *op, const char *done, struct err *err)
{
	json_t *result = NULL;
	json_int_t core = (json_int_t)cli_number(cli, "core");
	json_t *args = json_pack("{s:I, s:b}", "core", core, "dry_run", cli->dry_run);
	enum err_code code = call(cli, op, args, &result, err);
	if (code) {
		return code;
	}
	if (!json_is_true(json_object_get(result, "changed"))) {
		cli_say(cli, "core %" JSON_INTEGER_FORMAT ": unchanged, it is %s", core,
			json_string_value(json_object_get(result, "role")));
	} else if (cli->dry_run) {
		cli_say(cli, "core %" JSON_INTEGER_FORMAT ": would be %s", core, done);
	} else {
		cli_say(cli,
			"core %" JSON_INTEGER_FORMAT ": %s in %" JSON_INTEGER_FORMAT " us, %" JSON_INTEGER_FORMAT
			" packets lost; master core %" JSON_INTEGER_FORMAT,
			core, done, number(result, "took_us"), number(result, "lost_packets"), number(result, "master"));
	}
	return cli_print_answer(cli, result, err);
}

enum err_code
verb_drain(struct cli *cli, struct err *err)
{
	return change(cli, "core.drain", "drained", err);
}

enum err_code
verb_undrain(struct cli *cli, struct err *err)
{
	return change(cli, "core.undrain", "undrained", err);
}

enum err_code
verb_inject(struct cli *cli, struct err *err)
{
	json_t *result = NULL;
	json_int_t core = (json_int_t)cli_number(cli, "core"), ms = (json_int_t)cli_number(cli, "ms");
	enum err_code code = call(cli, "core.inject", json_pack("{s:I, s:I}", "core", core, "stall_ms", ms), &result, err);
	if (code) {
		return code;
	}
	cli_say(cli, "core %" JSON_INTEGER_FORMAT ": stands still for %" JSON_INTEGER_FORMAT " ms", core, ms);
	return cli_print_answer(cli, result, err);
}
