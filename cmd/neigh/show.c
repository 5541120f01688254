/* SPDX-License-Identifier: GPL-3.0-or-later */
/* show and get: neighbours of all cores as one, or core by core. */
#include "core/names.h"
#include "neigh.h"

#define FOR_WIDE (OUT_WIDE | OUT_NO_JSON | OUT_RIGHT)
#define IPV6_ONLY 1u

/* `of`: what of them a listing has. */
enum { MERGED = 1, PER_CORE = 2, BOTH = 3 };

static const struct {
	struct out_column column;
	unsigned of, only;
} all_columns[] = {
	{{.key = "core", .flags = OUT_RIGHT}, PER_CORE, 0},
	{{.key = "address"}, BOTH, 0},
	{{.key = "mac"}, BOTH, 0},
	{{.key = "interface"}, BOTH, 0},
	{{.key = "state"}, BOTH, 0},
	{{.key = "owner", .flags = OUT_RIGHT}, BOTH, 0},
	{{.key = "age_ms", .title = "AGE", .flags = OUT_RIGHT}, BOTH, 0},
	{{.key = "used_ms", .title = "USED", .flags = OUT_RIGHT}, BOTH, 0},
	{{.key = "router"}, BOTH, IPV6_ONLY},
	{{.key = "cores"}, MERGED, 0},
	{{.key = "since", .title = "STATE_FOR", .flags = FOR_WIDE}, BOTH, 0},
	{{.key = "version", .flags = FOR_WIDE}, BOTH, 0},
	{{.key = "from", .title = "FROM_CORE", .flags = FOR_WIDE}, BOTH, 0},
};
#define COLUMNS (sizeof(all_columns) / sizeof(all_columns[0]))

struct listing {
	struct cli *cli;
	const struct neigh *n;
	const struct neigh_filter *filter;
	struct out_column column[COLUMNS + 1];
	struct out *out; /* NULL: counting */
	uint64_t count;
};

enum err_code
show_check(const struct cli *cli, struct err *err)
{
	if (cli_has(cli, "core") && cli_has(cli, "per-core")) {
		return err_set(err, ERR_USAGE, "--core and --per-core do not go together");
	}
	return neigh_check_prefix(cli, err);
}

static void
begin(struct listing *l, unsigned of)
{
	size_t n = 0;
	for (size_t i = 0; i < COLUMNS; i++) {
		bool wanted = !all_columns[i].only || neigh_tool.family == SEG_IPV6;
		if (wanted && (all_columns[i].of & of)) {
			l->column[n++] = all_columns[i].column;
		}
	}
	l->out = out_open(l->cli, l->column);
}

/* 0: not known. */
static void
out_since(const struct listing *l, uint64_t time_ns)
{
	if (time_ns) {
		out_age(l->out, source_age_ms(&l->n->src, time_ns));
	} else {
		out_null(l->out);
	}
}

/* core 0: all cores as one. */
static void
out_neighbor(const struct listing *l, const struct nbr_view_row *row, unsigned core)
{
	char text[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	if (core) {
		out_number(l->out, core);
	}
	out_text(l->out, neigh_text(row->key.address, text));
	out_text(l->out, row->live ? mac_format(SEG_NBR_MAC(row->value), mac) : NULL);
	out_text(l->out, neigh_iface_name(l->n, row->key.iface));
	out_text(l->out, names_nbr_state(nbr_view_state(row)));
	out_number(l->out, row->owner);
	out_since(l, row->live ? row->confirmed_ns : 0);
	out_since(l, row->used_ns);
	if (neigh_tool.family == SEG_IPV6) {
		out_bool(l->out, row->live && (row->value & SEG_NBR_ROUTER));
	}
	if (!core) {
		out_cores(l->out, nbr_view_cores(row));
	}
	out_since(l, row->changed_ns);
	out_number(l->out, row->stamp >> 8);
	out_number(l->out, row->stamp & 255);
	out_row(l->out);
}

static void
list(struct listing *l, const struct nbr_view *view, unsigned core)
{
	for (size_t i = 0; i < view->n; i++) {
		const struct nbr_view_row *row = &view->row[i];
		if (nbr_view_shown(row) && neigh_filter_state(l->filter, nbr_view_state(row))) {
			l->count++;
			if (l->out) {
				out_neighbor(l, row, core);
			}
		}
	}
}

static enum err_code
load_and_list(struct listing *l, uint64_t cores, unsigned core, struct err *err)
{
	struct nbr_view view;
	enum err_code code = neigh_load(l->n, l->filter, cores, &view, err);
	if (code) {
		return code;
	}
	if (l->out) {
		neigh_sort(l->n, &view);
	}
	list(l, &view, core);
	nbr_view_free(&view);
	return ERR_NONE;
}

static enum err_code
show_open(struct cli *cli, const struct neigh *n, struct err *err)
{
	struct neigh_filter filter;
	struct listing l = {.cli = cli, .n = n, .filter = &filter};
	unsigned core;
	enum err_code code = neigh_filter(cli, n, true, &filter, err);
	code = code ? code : source_core(cli, &n->src, &core, err);
	if (code) {
		return code;
	}
	bool each = core || cli_has(cli, "per-core"), counting = cli_has(cli, "count");
	if (!counting) {
		begin(&l, each ? PER_CORE : MERGED);
	}
	if (!each) {
		code = load_and_list(&l, n->src.all, 0, err);
	}
	for (unsigned i = core ? core : 1; each && !code && i <= (core ? core : n->src.ncores); i++) {
		code = load_and_list(&l, 1ull << (i - 1), i, err);
	}
	if (!counting) {
		enum err_code closed = out_close(l.out, code ? NULL : err);
		return code ? code : closed;
	}
	return code ? code : cli_print_count(cli, l.count, err);
}

enum err_code
show_run(struct cli *cli, struct err *err)
{
	struct neigh n;
	enum err_code code = neigh_open(cli, &n, err);
	if (!code) {
		code = show_open(cli, &n, err);
		neigh_close(&n);
	}
	return code;
}

/* ---- get -------------------------------------------------------------------------------------------------------- */

static enum err_code
get_open(struct cli *cli, const struct neigh *n, struct nbr_view *view, struct err *err)
{
	static const struct neigh_filter all = {.iface = 0};
	struct listing l = {.cli = cli, .n = n, .filter = &all};
	struct neigh_address address;
	uint16_t iface = 0;
	neigh_address(cli, &address);
	enum err_code code = neigh_pick_iface(n, &address, &iface, err);
	if (!code) {
		const struct nbr_key key = {.address = {address.words[0], address.words[1]}, .iface = iface};
		code = neigh_one(n, &key, view, err);
	}
	if (!code && (view->n == 0 || !nbr_view_shown(&view->row[0]))) {
		code = err_set(
			err, ERR_NOT_FOUND, "%s dev %s: no such neighbour", cli_text(cli, "address"), neigh_iface_name(n, iface));
	}
	if (!code) {
		begin(&l, MERGED);
		list(&l, view, 0);
		code = out_close(l.out, err);
	}
	return code;
}

enum err_code
get_run(struct cli *cli, struct err *err)
{
	struct neigh n;
	struct nbr_view view;
	enum err_code code = neigh_open(cli, &n, err);
	if (code) {
		return code;
	}
	code = nbr_view_init(&view, 1) ? get_open(cli, &n, &view, err) : err_set(err, ERR_FAILED, "no memory");
	nbr_view_free(&view);
	neigh_close(&n);
	return code;
}
