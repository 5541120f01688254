/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify: do all cores hold the same? First by the digests, when all is quiet; else by the tables: whatever was announced is
 * waited for (lib/cli/settle.h), the tables are read, what differs is waited for and looked at again. What then still differs in
 * the same versions is a difference. Of a dead engine nothing can be waited for: messages still in rings are listed apart.
 */
#include <stdlib.h>

#include "brtable.h"
#include "cli/settle.h"
#include "core/names.h"

#define QUIET_TRIES 20
#define QUIET_MS 2
#define MAX_DIFFERENCES 1000
#define MAX_PENDING 4096

/* What one core holds of a key. */
struct held {
	bool there, live;
	uint64_t value, stamp;
};

struct difference {
	uint64_t key;
	struct held core[SEG_MAX_CORES]; /* core n at n - 1 */
};

struct verify {
	struct cli *cli;
	struct br br;
	bool coherent;
	const char *method; /* "digest" or "tables" */
	uint64_t entries;
	size_t ndifferences;
	struct difference *difference;
	bool more; /* than MAX_DIFFERENCES */
	size_t npending;
	struct seg_msg *pending; /* messages in the rings of a dead engine */
	bool owed;               /* it died owing a resynchronisation */
};

/* ---- the quick way -------------------------------------------------------------------------------------------------------- */

/* Equal digests mean equal tables only while no flush is being swept and nothing is on its way. */
static bool
digests_equal(const struct br *br)
{
	uint32_t flush = seg_get_acquire(&br->src.control->flush_seq);
	uint64_t left = br->src.cores, digest = 0, entries = 0;
	for (bool first = true; left; left &= left - 1, first = false) {
		const struct seg_fdb_count *one = &seg_core(&br->src.seg, (unsigned)__builtin_ctzll(left) + 1)->fdb;
		uint64_t its_digest = seg_get(&one->digest), its_entries = seg_get(&one->entries);
		if (seg_get(&one->swept_flush) != flush || (!first && (its_digest != digest || its_entries != entries))) {
			return false;
		}
		digest = its_digest;
		entries = its_entries;
	}
	return settle_quiet(&br->src) && seg_get_acquire(&br->src.control->flush_seq) == flush;
}

static bool
quickly_coherent(struct verify *v)
{
	for (int i = 0; i < QUIET_TRIES; i++) {
		if (digests_equal(&v->br)) {
			v->entries = seg_get(&seg_core(&v->br.src.seg, 1)->fdb.entries);
			return true;
		}
		if (!v->br.src.live || !cli_wait(v->cli, QUIET_MS)) {
			break;
		}
	}
	return false;
}

/* ---- comparing
 * ----------------------------------------------------------------------------------------------------------------- */

static void
look_up(const struct br *br, struct difference *d)
{
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
all_agree(const struct br *br, const struct difference *d)
{
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
	bool agree = view.n == 0 || view_agrees(&view.row[0], br->src.cores);
	view_free(&view);
	return agree;
}

static enum err_code
compare_tables(struct verify *v, struct err *err)
{
	static const struct br_filter all = {.type = -1};
	struct view view;
	enum err_code code = br_load(&v->br, &all, v->br.src.cores, &view, err);
	if (code) {
		return code;
	}
	br_sort(&v->br, &view);
	for (size_t i = 0; i < view.n; i++) {
		v->entries += view.row[i].live;
		if (view_agrees(&view.row[i], v->br.src.cores)) {
			continue;
		}
		if (v->ndifferences == MAX_DIFFERENCES) {
			v->more = true;
			break;
		}
		struct difference *d = &v->difference[v->ndifferences++];
		d->key = view.row[i].key;
		look_up(&v->br, d);
	}
	view_free(&view);
	return ERR_NONE;
}

static bool
same_versions(const struct br *br, const struct difference *a, const struct difference *b)
{
	for (unsigned i = 0; i < br->src.ncores; i++) {
		const struct held *x = &a->core[i], *y = &b->core[i];
		if (x->there != y->there || x->live != y->live || x->value != y->value || x->stamp != y->stamp) {
			return false;
		}
	}
	return true;
}

/* Keeps those that differ still, and in the same versions: what has changed meanwhile was on its way. */
static void
look_again(struct verify *v)
{
	size_t kept = 0;
	for (size_t i = 0; i < v->ndifferences; i++) {
		struct difference again = {.key = v->difference[i].key};
		look_up(&v->br, &again);
		if (!all_agree(&v->br, &again) && same_versions(&v->br, &again, &v->difference[i])) {
			v->difference[kept++] = again;
		}
	}
	v->ndifferences = kept;
	v->more = v->more && kept > 0;
}

/* ---- a dead engine
 * --------------------------------------------------------------------------------------------------------------- */

static bool
is_pending(const struct verify *v, uint64_t key)
{
	for (size_t i = 0; i < v->npending; i++) {
		for (unsigned k = 0; k < v->pending[i].n; k++) {
			if (v->pending[i].word[k] == key) {
				return true;
			}
		}
	}
	return false;
}

/* Differences that a message still in a ring would have mended are no differences. */
static void
set_pending_apart(struct verify *v)
{
	struct settle_at at = {0};
	struct seg_msg msg;
	v->owed = settle_owed(&v->br.src);
	while (v->npending < MAX_PENDING && settle_left(&v->br.src, &at, &msg)) {
		if (msg.kind == SEG_MSG_FDB_ADD || msg.kind == SEG_MSG_FDB_DEL) {
			msg.n = msg.kind == SEG_MSG_FDB_ADD ? 1 : msg.n < 3 ? msg.n : 3; /* now: keys */
			v->pending[v->npending++] = msg;
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < v->ndifferences; i++) {
		if (!is_pending(v, v->difference[i].key)) {
			v->difference[kept++] = v->difference[i];
		}
	}
	v->ndifferences = kept;
}

/* ---- the answer
 * -------------------------------------------------------------------------------------------------------------------- */

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
print_json(struct verify *v, struct err *err)
{
	json_t *differences = json_array(), *pending = json_array();
	for (size_t i = 0; i < v->ndifferences; i++) {
		json_array_append_new(differences, difference_json(&v->br, &v->difference[i]));
	}
	for (size_t i = 0; i < v->npending; i++) {
		json_array_append_new(pending, pending_json(&v->br, &v->pending[i]));
	}
	return cli_print_json(v->cli,
		json_pack("{s:b, s:s, s:i, s:I, s:o, s:b, s:o}", "coherent", v->coherent, "method", v->method, "cores",
			(int)v->br.src.ncores, "entries", (json_int_t)v->entries, "differences", differences, "more", v->more,
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
print_table(struct verify *v, struct err *err)
{
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
			put_difference(out, &v->br, &v->difference[i]);
		}
		code = out_close(out, err);
	}
	for (size_t i = 0; i < v->npending; i++) {
		const struct seg_msg *msg = &v->pending[i];
		for (unsigned k = 0; k < msg->n; k++) {
			struct br_names names;
			br_names(&v->br, msg->word[k], 0, &names);
			cli_say(v->cli, "in the ring from core %u to core %u: %s %s vlan %u %s", msg->from, msg->to,
				names_msg(msg->kind), names.bridge ? names.bridge : "-", names.vlan, names.mac);
		}
	}
	if (v->coherent) {
		cli_say(v->cli, "coherent%s: %u %s, %llu %s (by %s)", v->npending ? " but for what is in the rings" : "",
			v->br.src.ncores, v->br.src.ncores == 1 ? "core" : "cores", (unsigned long long)v->entries,
			v->entries == 1 ? "entry" : "entries", v->method);
	} else {
		cli_say(v->cli, "NOT coherent: %zu%s %s", v->ndifferences, v->more ? " or more" : "",
			v->ndifferences == 1 ? "entry differs" : "entries differ");
	}
	return code;
}

/* What may be behind differences, for people. */
static void
explain(const struct verify *v)
{
	if (v->owed) {
		cli_note(v->cli, "the engine ended before a resynchronisation was done; what differs may come from that");
	}
	for (unsigned core = 1; core <= v->br.src.ncores; core++) {
		uint64_t times = seg_get(&seg_core(&v->br.src.seg, core)->fdb.no_room);
		if (times && !v->coherent) {
			cli_note(v->cli, "core %u had no room for an entry %llu times: the table is too small, or nearly so",
				core, (unsigned long long)times);
		}
	}
}

/* ---- the verb
 * ------------------------------------------------------------------------------------------------------------------------ */

static enum err_code
compare(struct verify *v, struct err *err)
{
	uint64_t deadline = settle_now_ms() + (uint64_t)v->cli->timeout_ms;
	enum err_code code = ERR_NONE;
	v->method = "digest";
	if (!cli_has(v->cli, "full") && quickly_coherent(v)) {
		return ERR_NONE;
	}
	v->method = "tables";
	v->difference = calloc(MAX_DIFFERENCES, sizeof(*v->difference));
	v->pending = calloc(MAX_PENDING, sizeof(*v->pending));
	if (!v->difference || !v->pending) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (v->br.src.live) {
		code = settle_wait(v->cli, &v->br.src, deadline, err);
	}
	code = code ? code : compare_tables(v, err);
	if (!code && !v->br.src.live) {
		set_pending_apart(v);
	} else if (!code && v->ndifferences) {
		code = settle_wait(v->cli, &v->br.src, deadline, err);
		look_again(v);
	}
	return code;
}

enum err_code
verify_run(struct cli *cli, struct err *err)
{
	struct verify v = {.cli = cli};
	enum err_code code = br_open(cli, &v.br, err);
	if (code) {
		return code;
	}
	code = compare(&v, err);
	v.coherent = v.ndifferences == 0;
	if (!code) {
		code = cli_wants_json(cli) ? print_json(&v, err) : print_table(&v, err);
	}
	if (!code) {
		explain(&v);
	}
	if (!code && !v.coherent) {
		code = ERR_DIFFERS;
	}
	free(v.difference);
	free(v.pending);
	br_close(&v.br);
	return code;
}
