/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe apply, confirm, log: requests to the control core. */
#include <stdlib.h>
#include <string.h>

#include "cli/source.h"
#include "io/ctl.h"
#include "load.h"
#include "verbs.h"

enum err_code
verb_apply_check(const struct cli *cli, struct err *err)
{
	if (cli_has(cli, "config") == cli_has(cli, "patch")) {
		err_set(err, ERR_USAGE, cli_has(cli, "patch") ? "-c and --patch exclude each other" : "nothing to apply");
		return err_hint(err, "-c FILE for a whole file, --patch FILE for a merge patch");
	}
	if (cli->dry_run && (cli_has(cli, "save") || cli_has(cli, "confirm"))) {
		return err_set(err, ERR_USAGE, "--dry-run changes nothing that --save or --confirm could be about");
	}
	return ERR_NONE;
}

/* Whole files are checked here, too: their errors do not need an engine, and say the file's name. */
static enum err_code
read_change(const struct cli *cli, char name[static SEG_NAME_SIZE], json_t **args, struct err *err)
{
	const char *key = cli_has(cli, "patch") ? "patch" : "config";
	const char *file = cli_text(cli, key);
	char *text = NULL;
	size_t size;
	struct conf conf;
	enum err_code code;
	if (strcmp(key, "config") == 0) {
		code = load_conf(file, cli->appliance, &conf, err);
		if (!code) {
			code = verb_appliance(cli, &conf, name, err);
			text = strdup(conf.text);
			conf_free(&conf);
		}
	} else {
		code = verb_appliance(cli, NULL, name, err);
		code = code ? code : load_text(file, &text, &size, err);
	}
	if (!code) {
		*args = json_pack("{s:s%}", key, text ? text : "", text ? strlen(text) : 0);
		if (!*args) {
			code = err_set(
				err, ERR_USAGE, "%s: not a text in UTF-8", strcmp(file, "-") == 0 ? "standard input" : file);
		}
	}
	free(text);
	return code;
}

static enum err_code
print_applied(struct cli *cli, const char *name, json_t *result, struct err *err)
{
	json_t *changes = json_array(), *change;
	size_t i;
	json_array_foreach (json_object_get(result, "changes"), i, change) {
		const char *path = "", *from = "", *to = "";
		json_unpack(change, "{s:s, s:s, s:s}", "path", &path, "from", &from, "to", &to);
		verb_say_change(cli, path, from, to, "");
		json_array_append_new(changes, verb_change(path, from, to));
	}
	json_object_set_new(result, "changes", changes);
	if (cli_wants_json(cli)) {
		json_t *document = json_pack("{s:s}", "appliance", name);
		json_object_update(document, result);
		return cli_print_json(cli, document, err);
	}
	if (cli->format == CLI_CSV) {
		return verb_changes_csv(cli, changes, false, err);
	}
	json_int_t generation = json_integer_value(json_object_get(result, "generation"));
	const char *saved = json_is_true(json_object_get(result, "saved")) ? ", saved" : "";
	if (!json_is_true(json_object_get(result, "changed"))) {
		cli_say(cli, "unchanged%s", saved);
	} else if (cli->dry_run) {
		cli_say(cli, "would be applied to %s", name);
	} else {
		cli_say(cli, "applied to %s, generation %lld%s", name, (long long)generation, saved);
	}
	if (json_is_integer(json_object_get(result, "confirm_s"))) {
		cli_say(cli, "taken back in %lld s unless you say: pe confirm -a %s",
			(long long)json_integer_value(json_object_get(result, "confirm_s")), name);
	}
	return ERR_NONE;
}

enum err_code
verb_apply(struct cli *cli, struct err *err)
{
	char name[SEG_NAME_SIZE];
	json_t *args, *result;
	enum err_code code = read_change(cli, name, &args, err);
	if (code) {
		return code;
	}
	json_object_set_new(args, "save", json_boolean(cli_has(cli, "save")));
	json_object_set_new(args, "dry_run", json_boolean(cli->dry_run));
	if (cli_has(cli, "confirm")) {
		json_object_set_new(args, "confirm_s", json_integer((json_int_t)((cli_number(cli, "confirm") + 999) / 1000)));
	}
	code = ctl_call(name, "apply", args, cli->timeout_ms, &result, err);
	json_decref(args);
	if (!code) {
		code = print_applied(cli, name, result, err);
		json_decref(result);
	}
	return code;
}

/* Asks, and prints {"appliance", ...the result}; the caller says it to people and drops *result. */
static enum err_code
call(struct cli *cli, const char *op, json_t *args, json_t **result, struct err *err)
{
	char name[SEG_NAME_SIZE];
	enum err_code code = verb_appliance(cli, NULL, name, err);
	code = code ? code : ctl_call(name, op, args, cli->timeout_ms, result, err);
	json_decref(args);
	if (!code) {
		json_t *document = json_pack("{s:s}", "appliance", name);
		json_object_update(document, *result);
		code = cli_print_answer(cli, document, err);
		if (code) {
			json_decref(*result);
		}
	}
	return code;
}

enum err_code
verb_confirm(struct cli *cli, struct err *err)
{
	json_t *result;
	enum err_code code = call(cli, "confirm", NULL, &result, err);
	if (!code) {
		cli_say(cli, "confirmed%s", json_is_true(json_object_get(result, "saved")) ? " and saved" : "");
		json_decref(result);
	}
	return code;
}

enum err_code
verb_log(struct cli *cli, struct err *err)
{
	const char *level = cli_text(cli, "level");
	json_t *result;
	enum err_code code = call(cli, "log", level ? json_pack("{s:s}", "level", level) : NULL, &result, err);
	if (!code) {
		const char *now = json_string_value(json_object_get(result, "level"));
		bool unchanged = level && json_is_false(json_object_get(result, "changed"));
		cli_say(cli, "%s%s", now ? now : "-", unchanged ? " (unchanged)" : "");
		json_decref(result);
	}
	return code;
}
