/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: do all cores hold the same (lib/cli/verify.h)? */
#include <stddef.h>

#include "brtable.h"
#include "cli/verify.h"
#include "core/names.h"

/* What one core holds of a key. */
struct held {
	bool there, live;
	uint64_t value, stamp;
};

struct difference {
	uint64_t key;
	struct held core[SEG_MAX_CORES]; /* core n at n - 1 */
};

struct table {
	struct verify verify;
	struct br br;
};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Equal digests mean equal tables only while no flush is being swept. */
static bool
digests_equal(void *arg, uint64_t *entries)
{
	const struct br *br = &((struct table *)arg)->br;
	uint32_t flush = seg_get_acquire(&br->src.control->flush_seq);
	uint64_t left = br->src.cores, digest = 0;
	for (bool first = true; left; left &= left - 1, first = false) {
		const struct seg_fdb_count *one = &seg_core(&br->src.seg, (unsigned)__builtin_ctzll(left) + 1)->fdb;
		uint64_t its_digest = seg_get(&one->digest), its_entries = seg_get(&one->entries);
		if (seg_get(&one->swept_flush) != flush || (!first && (its_digest != digest || its_entries != *entries))) {
			return false;
		}
		digest = its_digest;
		*entries = its_entries;
	}
	return seg_get_acquire(&br->src.control->flush_seq) == flush;
}

static void
look_up(void *arg, void *record)
{
	const struct br *br = &((struct table *)arg)->br;
	struct difference *d = record;
	for (unsigned core = 1; core <= br->src.ncores; core++) {
		struct seg_fdb_entry e;
		struct held *held = &d->core[core - 1];
		bool there = br_lookup(br, core, d->key, &e);
		*held = (struct held){.there = there};
		if (there) {
			*held = (struct held){true, e.state == SEG_FDB_LIVE, e.value & SEG_VALUE_SHARED, e.cold.stamp};
		}
	}
}

/* The same question as view_agrees(), for one key as it was looked up. */
static bool
agree(void *arg, const void *record)
{
	const struct br *br = &((struct table *)arg)->br;
	const struct difference *d = record;
	struct view view;
	if (!view_init(&view, 1)) {
		return false;
	}
	for (unsigned core = 1; core <= br->src.ncores; core++) {
		const struct held *held = &d->core[core - 1];
		struct view_entry entry = {
			.key = d->key, .value = held->value, .stamp = held->stamp, .core = core, .live = held->live};
		bool counts = br->src.cores >> (core - 1) & 1;
		if (counts && held->there && !view_add(&view, &entry)) {
			break;
		}
	}
	bool equal = view.n == 0 || view_agrees(&view.row[0], br->src.cores);
	view_free(&view);
	return equal;
}

static enum err_code
read_tables(void *arg, struct err *err)
{
	static const struct br_filter all = {.type = -1};
	struct table *t = arg;
	struct view view;
	enum err_code code = br_load(&t->br, &all, t->br.src.cores, &view, err);
	if (code) {
		return code;
	}
	br_sort(&t->br, &view);
	for (size_t i = 0; i < view.n; i++) {
		const struct view_row *row = &view.row[i];
		t->verify.entries += row->live;
		if (!view_agrees(row, t->br.src.cores) && !verify_found(&t->verify, &row->key, sizeof(row->key))) {
			break;
		}
	}
	view_free(&view);
	return ERR_NONE;
}

static bool
same(void *arg, const void *record_a, const void *record_b)
{
	const struct difference *a = record_a, *b = record_b;
	for (unsigned i = 0; i < ((struct table *)arg)->br.src.ncores; i++) {
		const struct held *x = &a->core[i], *y = &b->core[i];
		if (x->there != y->there || x->live != y->live || x->value != y->value || x->stamp != y->stamp) {
			return false;
		}
	}
	return true;
}

/* Of an announcement n becomes the number of its keys. */
static bool
announces(void *arg, struct seg_msg *msg)
{
	(void)arg;
	msg->n = msg->kind == SEG_MSG_FDB_ADD ? 1 : msg->n < 3 ? msg->n : 3;
	return msg->kind == SEG_MSG_FDB_ADD || msg->kind == SEG_MSG_FDB_DEL;
}

static bool
about(void *arg, const struct seg_msg *msg, const void *record)
{
	(void)arg;
	const struct difference *d = record;
	for (unsigned k = 0; k < msg->n; k++) {
		if (msg->word[k] == d->key) {
			return true;
		}
	}
	return false;
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static const char *
held_state(const struct held *held)
{
	return !held->there ? "missing" : held->live ? "live" : "deleted";
}

static json_t *
key_json(const struct br *br, uint64_t key)
{
	struct br_names names;
	br_names(br, key, 0, &names);
	return json_pack("{s:o, s:o, s:s}", "bridge", cli_json_text(names.bridge), "vlan",
		names.bridge ? json_integer((json_int_t)names.vlan) : json_null(), "mac", names.mac);
}

static json_t *
difference_json(const struct br *br, const struct difference *d)
{
	json_t *cores = json_array();
	for (unsigned core = 1; core <= br->src.ncores; core++) {
		const struct held *held = &d->core[core - 1];
		struct br_names one;
		br_names(br, d->key, held->value, &one);
		json_array_append_new(
			cores, json_pack("{s:i, s:s, s:o, s:s?, s:I, s:i, s:I}", "core", (int)core, "state", held_state(held),
				       "port", cli_json_text(held->live ? one.port : NULL), "type", held->live ? one.type : NULL,
				       "version", (json_int_t)(held->stamp >> 8), "from_core", (int)(held->stamp & 255), "flush",
				       (json_int_t)SEG_VALUE_FLUSH(held->value)));
	}
	json_t *row = key_json(br, d->key);
	json_object_set_new(row, "cores", cores);
	return row;
}

static json_t *
pending_json(const struct br *br, const struct seg_msg *msg)
{
	json_t *keys = json_array();
	for (unsigned i = 0; i < msg->n; i++) {
		json_array_append_new(keys, key_json(br, msg->word[i]));
	}
	return json_pack("{s:i, s:i, s:s, s:o}", "from", (int)msg->from, "to", (int)msg->to, "message", names_msg(msg->kind),
		"entries", keys);
}

static enum err_code
print_json(struct table *t, struct err *err)
{
	const struct verify *v = &t->verify;
	json_t *differences = json_array(), *pending = json_array();
	for (size_t i = 0; i < v->ndifferences; i++) {
		json_array_append_new(differences, difference_json(&t->br, verify_difference(v, i)));
	}
	for (size_t i = 0; i < v->npending; i++) {
		json_array_append_new(pending, pending_json(&t->br, &v->pending[i]));
	}
	return cli_print_json(v->cli,
		json_pack("{s:b, s:s, s:i, s:I, s:o, s:b, s:o}", "coherent", v->coherent, "method", v->method, "cores",
			(int)t->br.src.ncores, "entries", (json_int_t)v->entries, "differences", differences, "more", v->more,
			"in_rings", pending),
		err);
}

static void
put_difference(struct out *out, const struct br *br, const struct difference *d)
{
	for (unsigned core = 1; core <= br->src.ncores; core++) {
		const struct held *held = &d->core[core - 1];
		struct br_names names;
		br_names(br, d->key, held->value, &names);
		out_text(out, names.bridge);
		out_number(out, names.vlan);
		out_text(out, names.mac);
		out_number(out, core);
		out_text(out, held_state(held));
		out_text(out, held->live ? names.port : NULL);
		out_text(out, held->live ? names.type : NULL);
		out_number(out, held->stamp >> 8);
		out_number(out, held->stamp & 255);
		out_row(out);
	}
}

static enum err_code
print_table(struct table *t, struct err *err)
{
	const struct verify *v = &t->verify;
	static const struct out_column columns[] = {
		{.key = "bridge"},
		{.key = "vlan", .flags = OUT_RIGHT},
		{.key = "mac"},
		{.key = "core", .flags = OUT_RIGHT},
		{.key = "state"},
		{.key = "port"},
		{.key = "type"},
		{.key = "version", .flags = OUT_RIGHT},
		{.key = "from_core", .title = "FROM_CORE", .flags = OUT_RIGHT},
		{.key = NULL},
	};
	enum err_code code = ERR_NONE;
	if (v->ndifferences || v->cli->format == CLI_CSV) {
		struct out *out = out_open(v->cli, columns);
		for (size_t i = 0; i < v->ndifferences; i++) {
			put_difference(out, &t->br, verify_difference(v, i));
		}
		code = out_close(out, err);
	}
	for (size_t i = 0; i < v->npending; i++) {
		const struct seg_msg *msg = &v->pending[i];
		for (unsigned k = 0; k < msg->n; k++) {
			struct br_names names;
			br_names(&t->br, msg->word[k], 0, &names);
			cli_say(v->cli, "in the ring from core %u to core %u: %s %s vlan %u %s", msg->from, msg->to,
				names_msg(msg->kind), names.bridge ? names.bridge : "-", names.vlan, names.mac);
		}
	}
	verify_say(v, "");
	return code;
}

enum err_code
verify_run(struct cli *cli, struct err *err)
{
	struct table t = {.verify = {.cli = cli,
				  .src = &t.br.src,
				  .size = sizeof(struct difference),
				  .one = "entry",
				  .many = "entries",
				  .no_room = offsetof(struct seg_core, fdb.no_room),
				  .arg = &t,
				  .digests_equal = digests_equal,
				  .read = read_tables,
				  .look_up = look_up,
				  .agree = agree,
				  .same = same,
				  .announces = announces,
				  .about = about}};
	enum err_code code = br_open(cli, &t.br, err);
	if (code) {
		return code;
	}
	code = verify_compare(&t.verify, err);
	if (!code) {
		code = cli_wants_json(cli) ? print_json(&t, err) : print_table(&t, err);
	}
	if (!code) {
		verify_explain(&t.verify);
	}
	if (!code && !t.verify.coherent) {
		code = ERR_DIFFERS;
	}
	verify_free(&t.verify);
	br_close(&t.br);
	return code;
}
