/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe diff: a file against the running configuration, which the segment holds, the engine alive or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/source.h"
#include "io/ctl.h"
#include "load.h"
#include "verbs.h"

enum err_code
verb_appliance(const struct cli *cli, const struct conf *conf, char name[static SEG_NAME_SIZE], struct err *err)
{
	if (cli->appliance || !conf) {
		return source_name(cli, name, err);
	}
	snprintf(name, SEG_NAME_SIZE, "%s", conf->appliance);
	return ERR_NONE;
}

json_t *
verb_change(const char *path, const char *from, const char *to)
{
	json_t *before = json_loads(from, JSON_DECODE_ANY, NULL), *after = json_loads(to, JSON_DECODE_ANY, NULL);
	return json_pack(
		"{s:s, s:o, s:o}", "path", path, "from", before ? before : json_null(), "to", after ? after : json_null());
}

enum err_code
verb_changes_csv(struct cli *cli, const json_t *changes, bool live, struct err *err)
{
	const struct out_column columns[] = {
		{.key = "path"},
		{.key = "from"},
		{.key = "to"},
		{.key = live ? "live" : NULL},
		{.key = NULL},
	};
	struct out *out = out_open(cli, columns);
	json_t *change;
	size_t i;
	json_array_foreach (changes, i, change) {
		for (const struct out_column *column = columns; column->key; column++) {
			const json_t *value = json_object_get(change, column->key);
			if (column == columns) {
				out_text(out, json_string_value(value));
			} else {
				out_json(out, json_is_null(value) ? NULL : value);
			}
		}
		out_row(out);
	}
	return out_close(out, err);
}

void
verb_say_change(struct cli *cli, const char *path, const char *from, const char *to, const char *remark)
{
	if (!*from) {
		cli_say(cli, "+ %s: %s%s", path, to, remark);
	} else if (!*to) {
		cli_say(cli, "- %s: %s%s", path, from, remark);
	} else {
		cli_say(cli, "~ %s: %s -> %s%s", path, from, to, remark);
	}
}

static enum err_code
print_changes(struct cli *cli, const char *appliance, const struct conf_changes *changes, struct err *err)
{
	json_t *list = json_array();
	for (size_t i = 0; i < changes->n; i++) {
		const struct conf_change *c = &changes->change[i];
		json_t *change = verb_change(c->path, c->from, c->to);
		json_object_set_new(change, "live", json_boolean(c->live));
		json_array_append_new(list, change);
		verb_say_change(cli, c->path, c->from, c->to, c->live ? " (live)" : " (restart)");
	}
	if (cli_wants_json(cli)) {
		return cli_print_json(cli, json_pack("{s:s, s:o}", "appliance", appliance, "changes", list), err);
	}
	enum err_code code = cli->format == CLI_CSV ? verb_changes_csv(cli, list, true, err) : ERR_NONE;
	json_decref(list);
	if (changes->n == 0) {
		cli_say(cli, "no difference");
	}
	return code;
}

static enum err_code
read_running(const struct seg *seg, struct conf *conf, struct err *err)
{
	char *text = seg_read_config(seg);
	if (!text) {
		return err_set(err, ERR_NO_ENGINE, "%s: no configuration in the segment", seg->source);
	}
	struct err why;
	enum err_code code = conf_parse(text, strlen(text), conf, &why);
	free(text);
	return code ? err_set(err, ERR_NO_ENGINE, "%s: the segment's configuration: %.200s", seg->source, why.message) : ERR_NONE;
}

/* The file that the engine was started with. */
static enum err_code
ask_file(const struct cli *cli, const struct seg *seg, char file[static 4096], struct err *err)
{
	json_t *status;
	if (!seg_writer_alive(seg)) {
		err_set(err, ERR_USAGE, "no engine that could say which file it was started with");
		return err_hint(err, "-c FILE");
	}
	enum err_code code = ctl_call(seg->head.name, "status", NULL, cli->timeout_ms, &status, err);
	if (code) {
		return code;
	}
	const char *name = json_string_value(json_object_get(status, "config_file"));
	if (!name) {
		code = err_set(err, ERR_USAGE, "the engine does not say which file it was started with");
		err_hint(err, "-c FILE");
	}
	snprintf(file, 4096, "%s", name ? name : "");
	json_decref(status);
	return code;
}

static enum err_code
compare(struct cli *cli, const struct seg *seg, const struct conf *to, struct err *err)
{
	struct conf from;
	struct conf_changes changes;
	enum err_code code = read_running(seg, &from, err);
	if (code) {
		return code;
	}
	if (conf_diff(&from, to, &changes)) {
		code = print_changes(cli, from.appliance, &changes, err);
		conf_changes_free(&changes);
	} else {
		code = err_set(err, ERR_FAILED, "no memory");
	}
	conf_free(&from);
	return code;
}

/* Without -a and -s the file says whose segment it is compared with. */
static enum err_code
open_segment(const struct cli *cli, const struct conf *to, struct seg *seg, struct err *err)
{
	struct cli named = *cli;
	if (to && !cli->appliance && !cli->saved) {
		named.appliance = to->appliance;
	}
	return source_open(&named, seg, err);
}

enum err_code
verb_diff(struct cli *cli, struct err *err)
{
	const char *file = cli_text(cli, "config");
	char asked[4096];
	struct conf to;
	struct seg seg;
	enum err_code code = ERR_NONE;
	if (file) {
		code = load_conf(file, NULL, &to, err);
		if (code) {
			return code;
		}
	}
	code = open_segment(cli, file ? &to : NULL, &seg, err);
	if (code) {
		if (file) {
			conf_free(&to);
		}
		return code;
	}
	if (!file) {
		code = ask_file(cli, &seg, asked, err);
		code = code ? code : load_conf(asked, NULL, &to, err);
	}
	if (!code) {
		code = compare(cli, &seg, &to, err);
		conf_free(&to);
	}
	seg_detach(&seg);
	return code;
}
