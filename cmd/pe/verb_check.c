/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe check: is the file right, and what does it cost. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/out.h"
#include "load.h"
#include "verbs.h"

#define ITEMS 16

static const struct out_column columns[] = {
	{.key = "where"},
	{.key = "what"},
	{.key = "bytes", .title = "SIZE", .flags = OUT_RIGHT},
	{.key = NULL},
};

static const char *
format_bytes(uint64_t bytes, char *text, size_t size)
{
	if (bytes >= 10 * 1048576) {
		snprintf(text, size, "%.0f MiB", (double)bytes / 1048576);
	} else if (bytes >= 1048576) {
		snprintf(text, size, "%.1f MiB", (double)bytes / 1048576);
	} else if (bytes >= 1024) {
		snprintf(text, size, "%.0f KiB", (double)bytes / 1024);
	} else {
		snprintf(text, size, "%" PRIu64 " B", bytes);
	}
	return text;
}

static uint64_t
sum(const struct conf_memory_item *items, size_t n, const char *where)
{
	uint64_t total = 0;
	for (size_t i = 0; i < n; i++) {
		total += !where || strcmp(items[i].where, where) == 0 ? items[i].bytes : 0;
	}
	return total;
}

static enum err_code
print_json(struct cli *cli, const struct conf *conf, const struct conf_memory_item *items, size_t n, struct err *err)
{
	json_t *memory = json_array();
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(memory, json_pack("{s:s, s:s, s:I}", "where", items[i].where, "what", items[i].what,
						      "bytes", (json_int_t)items[i].bytes));
	}
	return cli_print_json(cli,
		json_pack("{s:s, s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I}", "appliance", conf->appliance,
			"valid", 1, "cores", (int)conf->cores, "ports", (json_int_t)conf->nports, "bridges",
			(json_int_t)conf->nbridges, "interfaces", (json_int_t)conf->nifaces, "routes", (json_int_t)conf->nroutes,
			"mbufs", (json_int_t)conf->mbufs, "mbufs_needed", (json_int_t)conf_mbufs_needed(conf), "memory", memory,
			"segment_bytes", (json_int_t)sum(items, n, "segment"), "engine_bytes",
			(json_int_t)sum(items, n, "engine"), "total_bytes", (json_int_t)sum(items, n, NULL)),
		err);
}

static void
print_row(struct out *out, const char *where, const char *what, uint64_t bytes)
{
	char text[32];
	out_text(out, where);
	out_text(out, what);
	out_number_as(out, bytes, format_bytes(bytes, text, sizeof(text)));
	out_row(out);
}

static enum err_code
print_table(struct cli *cli, const struct conf *conf, const struct conf_memory_item *items, size_t n, struct err *err)
{
	if (cli->format != CLI_CSV) {
		char l3[64] = "";
		if (conf->nifaces) {
			snprintf(l3, sizeof(l3), "%zu interface%s, %zu route%s, ", conf->nifaces, conf->nifaces == 1 ? "" : "s",
				conf->nroutes, conf->nroutes == 1 ? "" : "s");
		}
		cli_say(cli, "%s: valid; %u data core%s, %zu port%s, %zu bridge%s, %s%" PRIu32 " mbufs (at least %" PRIu32 ")",
			conf->appliance, conf->cores, conf->cores == 1 ? "" : "s", conf->nports, conf->nports == 1 ? "" : "s",
			conf->nbridges, conf->nbridges == 1 ? "" : "s", l3, conf->mbufs, conf_mbufs_needed(conf));
	}
	struct out *out = out_open(cli, columns);
	for (size_t i = 0; i < n; i++) {
		print_row(out, items[i].where, items[i].what, items[i].bytes);
	}
	if (cli->format != CLI_CSV) {
		print_row(out, "total", "", sum(items, n, NULL));
	}
	return out_close(out, err);
}

enum err_code
verb_check(struct cli *cli, struct err *err)
{
	struct conf conf;
	struct conf_memory_item items[ITEMS];
	enum err_code code = load_conf(cli_text(cli, "config"), cli->appliance, &conf, err);
	if (code) {
		return code;
	}
	size_t n = conf_memory(&conf, items, ITEMS);
	code = cli_wants_json(cli) ? print_json(cli, &conf, items, n, err) : print_table(cli, &conf, items, n, err);
	conf_free(&conf);
	return code;
}
