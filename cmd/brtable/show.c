/* SPDX-License-Identifier: GPL-3.0-or-later */
/* show and get: entries of all cores as one, or core by core. */
#include "brtable.h"

#define FOR_WIDE (OUT_WIDE | OUT_NO_JSON | OUT_RIGHT)
#define VERSION_COLUMNS \
	{.key = "version", .flags = FOR_WIDE}, {.key = "from", .title = "FROM_CORE", .flags = FOR_WIDE}, \
	{ \
		.key = "here", .title = "THERE_FOR", .flags = FOR_WIDE \
	}

static const struct out_column merged_columns[] = {
	{.key = "bridge"},
	{.key = "vlan", .flags = OUT_RIGHT},
	{.key = "mac"},
	{.key = "port"},
	{.key = "type"},
	{.key = "in_use"},
	{.key = "owner", .flags = OUT_RIGHT},
	{.key = "age_ms", .title = "AGE", .flags = OUT_RIGHT},
	{.key = "cores"},
	VERSION_COLUMNS,
	{.key = NULL},
};

static const struct out_column core_columns[] = {
	{.key = "core", .flags = OUT_RIGHT},
	{.key = "bridge"},
	{.key = "vlan", .flags = OUT_RIGHT},
	{.key = "mac"},
	{.key = "port"},
	{.key = "type"},
	{.key = "in_use"},
	{.key = "owner", .flags = OUT_RIGHT},
	{.key = "age_ms", .title = "AGE", .flags = OUT_RIGHT},
	VERSION_COLUMNS,
	{.key = NULL},
};

enum err_code
show_check(const struct cli *cli, struct err *err)
{
	if (cli_has(cli, "core") && cli_has(cli, "per-core")) {
		return err_set(err, ERR_USAGE, "--core and --per-core do not go together");
	}
	return ERR_NONE;
}

/* The fields that both listings share. */
static void
out_entry(struct out *out, const struct br *br, uint64_t key, uint64_t value, bool in_use, unsigned owner, uint64_t used_ns)
{
	struct br_names names;
	br_names(br, key, value, &names);
	out_text(out, names.bridge);
	if (names.bridge) {
		out_number(out, names.vlan);
	} else {
		out_null(out);
	}
	out_text(out, names.mac);
	out_text(out, names.port);
	out_text(out, names.type);
	out_bool(out, in_use);
	out_number(out, owner);
	out_age(out, source_age_ms(&br->src, used_ns));
}

static void
out_version(struct out *out, const struct br *br, uint64_t stamp, uint64_t born_ns)
{
	out_number(out, stamp >> 8);
	out_number(out, stamp & 255);
	out_age(out, source_age_ms(&br->src, born_ns));
}

static void
out_merged(struct out *out, const struct br *br, const struct view_row *row)
{
	out_entry(out, br, row->key, row->value, row->in_use, row->owner, row->used_ns);
	out_cores(out, row->same);
	out_version(out, br, row->stamp, row->born_ns);
	out_row(out);
}

static enum err_code
show_merged(struct cli *cli, const struct br *br, const struct br_filter *filter, struct err *err)
{
	struct view view;
	enum err_code code = br_load(br, filter, view_all(br->src.ncores), &view, err);
	if (code) {
		return code;
	}
	uint64_t count = 0;
	struct out *out = NULL;
	bool counting = cli_has(cli, "count");
	if (!counting) {
		br_sort(br, &view);
		out = out_open(cli, merged_columns);
	}
	for (size_t i = 0; i < view.n; i++) {
		const struct view_row *row = &view.row[i];
		if (!row->live || !br_filter_value(filter, row->value)) {
			continue;
		}
		count++;
		if (!counting) {
			out_merged(out, br, row);
		}
	}
	view_free(&view);
	return counting ? cli_print_count(cli, count, err) : out_close(out, err);
}

static void
out_of_core(struct out *out, const struct br *br, unsigned core, const struct view_row *row)
{
	out_number(out, core);
	out_entry(out, br, row->key, row->value, row->in_use, row->owner, row->used_ns);
	out_version(out, br, row->stamp, row->born_ns);
	out_row(out);
}

/* A core's table as it is; sorted, so that two of them can be compared line by line. */
static enum err_code
show_cores(struct cli *cli, const struct br *br, const struct br_filter *filter, unsigned first, unsigned last, struct err *err)
{
	uint64_t count = 0;
	bool counting = cli_has(cli, "count");
	struct out *out = counting ? NULL : out_open(cli, core_columns);
	enum err_code code = ERR_NONE;
	for (unsigned core = first; core <= last && !code; core++) {
		struct view view;
		code = br_load(br, filter, 1ull << (core - 1), &view, err);
		if (code) {
			break;
		}
		br_sort(br, &view);
		for (size_t i = 0; i < view.n; i++) {
			if (!view.row[i].live || !br_filter_value(filter, view.row[i].value)) {
				continue;
			}
			count++;
			if (!counting) {
				out_of_core(out, br, core, &view.row[i]);
			}
		}
		view_free(&view);
	}
	if (code || counting) {
		return code ? code : cli_print_count(cli, count, err);
	}
	return out_close(out, err);
}

static enum err_code
show_open(struct cli *cli, const struct br *br, struct err *err)
{
	struct br_filter filter;
	enum err_code code = br_filter(cli, br, &filter, err);
	if (code) {
		return code;
	}
	unsigned core;
	code = source_core(cli, &br->src, &core, err);
	if (code) {
		return code;
	}
	if (core) {
		return show_cores(cli, br, &filter, core, core, err);
	}
	if (cli_has(cli, "per-core")) {
		return show_cores(cli, br, &filter, 1, br->src.ncores, err);
	}
	return show_merged(cli, br, &filter, err);
}

enum err_code
show_run(struct cli *cli, struct err *err)
{
	struct br br;
	enum err_code code = br_open(cli, &br, err);
	if (code) {
		return code;
	}
	code = show_open(cli, &br, err);
	br_close(&br);
	return code;
}

/* ---- get -------------------------------------------------------------------------------------------------------- */

static enum err_code
merge_one(const struct br *br, uint64_t key, struct view *view, struct err *err)
{
	for (unsigned core = 1; core <= br->src.ncores; core++) {
		struct seg_fdb_entry e;
		if (!br_lookup(br, core, key, &e)) {
			continue;
		}
		struct view_entry entry = {.key = key,
			.value = e.value,
			.stamp = e.cold.stamp,
			.used_ns = e.cold.used_ns,
			.born_ns = e.cold.born_ns,
			.core = core,
			.owner = br_owner(br, key),
			.live = e.state == SEG_FDB_LIVE};
		if (!view_add(view, &entry)) {
			return err_set(err, ERR_FAILED, "no memory");
		}
	}
	return ERR_NONE;
}

static enum err_code
get_open(struct cli *cli, const struct br *br, struct err *err)
{
	struct br_filter filter;
	struct view view;
	enum err_code code = br_filter(cli, br, &filter, err);
	if (code) {
		return code;
	}
	if (!view_init(&view, 64)) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	for (unsigned fid = 1; fid < SEG_MAX_FIDS && !code; fid++) {
		uint64_t key = fdb_key(filter.mac, (uint16_t)fid);
		if (br->src.tables->fid[fid].bridge && br_filter_key(br, &filter, key)) {
			code = merge_one(br, key, &view, err);
		}
	}
	size_t found = 0;
	br_sort(br, &view);
	for (size_t i = 0; i < view.n; i++) {
		found += view.row[i].live;
	}
	if (!code && !found) {
		code = err_set(err, ERR_NOT_FOUND, "%s vlan %s: no such entry", cli_text(cli, "mac"), cli_text(cli, "vlan"));
	}
	if (!code) {
		struct out *out = out_open(cli, merged_columns);
		for (size_t i = 0; i < view.n; i++) {
			if (view.row[i].live) {
				out_merged(out, br, &view.row[i]);
			}
		}
		code = out_close(out, err);
	}
	view_free(&view);
	return code;
}

enum err_code
get_run(struct cli *cli, struct err *err)
{
	struct br br;
	enum err_code code = br_open(cli, &br, err);
	if (code) {
		return code;
	}
	code = get_open(cli, &br, err);
	br_close(&br);
	return code;
}
