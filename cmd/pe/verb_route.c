/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe route add, replace, del, flush: requests to the engine. Lines of a batch file go many at a time. */
#include <stdio.h>
#include <string.h>

#include "cli/change.h"
#include "route/route.h"
#include "verb_route.h"
#include "verbs.h"

static enum err_code
parse_prefix(const struct cli *cli, struct route_key *key, struct err *err)
{
	const char *word = cli_text(cli, "prefix"), *family = cli_text(cli, "family");
	uint8_t wanted = !family ? SEG_FAMILIES : strcmp(family, "ipv6") == 0 ? SEG_IPV6 : SEG_IPV4;
	*key = (struct route_key){.family = wanted};
	for (size_t i = 0; i < cli->nvalues && wanted == SEG_FAMILIES; i++) {
		if (strcmp(cli->value[i].param->name, "via") == 0) {
			key->family = cli->value[i].ip.family == 6 ? SEG_IPV6 : SEG_IPV4;
		}
	}
	enum err_code code = route_parse_prefix(word, key, err);
	if (code == ERR_NONE && wanted != SEG_FAMILIES && key->family != wanted) {
		code = err_set(err, ERR_USAGE, "%.60s: not of %s", word, family);
	}
	return code;
}

/* show and flush: a prefix may be given. */
enum err_code
verb_route_check_filter(const struct cli *cli, struct err *err)
{
	struct route_key key;
	return cli_has(cli, "prefix") ? parse_prefix(cli, &key, err) : ERR_NONE;
}

enum err_code
verb_route_prefix(const struct cli *cli, struct route_key *key, struct err *err)
{
	return parse_prefix(cli, key, err);
}

static bool
unicast(const struct cli *cli)
{
	return !cli_has(cli, "type") || strcmp(cli_text(cli, "type"), "unicast") == 0;
}

enum err_code
verb_route_check(const struct cli *cli, struct err *err)
{
	struct route_key key;
	bool removes = strcmp(cli->verb->name, "route del") == 0, goes = cli_has(cli, "via") || cli_has(cli, "dev");
	enum err_code code = parse_prefix(cli, &key, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (!unicast(cli) && goes) {
		return err_set(err, ERR_USAGE, "type: what is %s goes neither via a gateway nor dev an interface",
			cli_text(cli, "type"));
	}
	if (unicast(cli) && !goes && !removes) {
		err_set(err, ERR_USAGE, "%.60s: where does it go?", cli_text(cli, "prefix"));
		return err_hint(err, "via ADDRESS, dev INTERFACE, or type blackhole, unreachable or prohibit");
	}
	return ERR_NONE;
}

/* What the engine is to know of one. */
static json_t *
edit_json(const struct cli *cli)
{
	static const char *const keys[][2] = {
		{"prefix", "to"}, {"via", "via"}, {"dev", "interface"}, {"type", "type"}, {"family", "family"}};
	json_t *args = json_object();
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		const struct cli_value *value = cli_nth(cli, keys[k][0], 0); /* not every verb has each of them */
		if (value) {
			json_object_set_new(args, keys[k][1], json_string(value->text));
		}
	}
	return args;
}

static const char *
op_word(const struct cli *cli)
{
	return strchr(cli->verb->name, ' ') + 1;
}

enum err_code
verb_route_change(struct cli *cli, struct err *err)
{
	char op[32];
	const char *word = op_word(cli);
	const char *done = strcmp(word, "del") == 0 ? "deleted" : strcmp(word, "add") == 0 ? "added" : "replaced";
	json_t *args = edit_json(cli);
	change_flags(cli, args);
	snprintf(op, sizeof(op), "route.%s", word);
	return change_request(cli, op, args, cli_text(cli, "prefix"), done, err);
}

static enum err_code
many_answer(struct cli *cli, json_t *result, struct err *err)
{
	json_int_t changed = json_integer_value(json_object_get(result, "routes_changed"));
	json_int_t unchanged = json_integer_value(json_object_get(result, "routes_unchanged"));
	cli_say(cli, "%" JSON_INTEGER_FORMAT " route%s%s, %" JSON_INTEGER_FORMAT " unchanged", changed, changed == 1 ? "" : "s",
		cli->dry_run ? " would change" : " changed", unchanged);
	return cli_print_answer(cli, result, err);
}

/* The engine says "edits[17]: ...". */
static void
unplace_error(struct err *err, size_t n, size_t *bad)
{
	size_t i = 0;
	int length = 0;
	*bad = n;
	if (sscanf(err->message, "edits[%zu]: %n", &i, &length) == 1 && length > 0 && i < n) {
		*bad = i;
		memmove(err->message, err->message + length, strlen(err->message + length) + 1);
	}
}

enum err_code
verb_route_many(struct cli *line, size_t n, size_t *bad, struct err *err)
{
	json_t *edits = json_array(), *result = NULL;
	for (size_t i = 0; i < n; i++) {
		json_t *edit = edit_json(&line[i]);
		json_object_set_new(edit, "op", json_string(op_word(&line[i])));
		if (line[i].may_exist) {
			json_object_set_new(edit, "may_exist", json_true());
		}
		if (line[i].if_exists) {
			json_object_set_new(edit, "if_exists", json_true());
		}
		json_array_append_new(edits, edit);
	}
	json_t *args = json_pack("{s:o, s:b}", "edits", edits, "dry_run", (int)line[0].dry_run);
	enum err_code code = change_ask(&line[0], "route.batch", args, line[0].timeout_ms, &result, err);
	if (code != ERR_NONE) {
		unplace_error(err, n, bad);
		return code;
	}
	return many_answer(&line[0], result, err);
}

enum err_code
verb_route_flush(struct cli *cli, struct err *err)
{
	json_t *result = NULL;
	enum err_code code = cli_confirm(cli, "delete routes that were given live", err);
	if (code != ERR_NONE) {
		return code;
	}
	json_t *args = edit_json(cli);
	change_flags(cli, args);
	code = change_ask(cli, "route.flush", args, cli->timeout_ms, &result, err);
	return code != ERR_NONE ? code : many_answer(cli, result, err);
}
