/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify: do all cores hold the same? First by the digests, when all is quiet; else by the tables: whatever was announced is
 * waited for (lib/cli/settle.h), the tables are read, what differs is waited for and looked at again. What then still differs in
 * the same versions is a difference. Of a dead engine nothing can be waited for: messages still in rings are listed apart.
 * --repair has the owners announce all they hold once more, and looks again.
 */
#include <stdlib.h>

#include "cli/change.h"
#include "cli/settle.h"
#include "core/names.h"
#include "neigh.h"

#define QUIET_TRIES 20
#define QUIET_MS 2
#define MAX_DIFFERENCES 1000
#define MAX_PENDING 4096

/* What one core holds of a key. */
struct held {
	bool there;
	struct seg_nbr entry;
};

struct difference {
	struct nbr_key key;
	struct held core[SEG_MAX_CORES]; /* core n at n - 1 */
};

struct verify {
	struct cli *cli;
	struct neigh n;
	bool coherent, repaired;
	const char *method; /* "digest" or "tables" */
	uint64_t entries;
	size_t ndifferences;
	struct difference *difference;
	bool more; /* than MAX_DIFFERENCES */
	size_t npending;
	struct seg_msg *pending; /* messages in the rings of a dead engine */
	bool owed;               /* it died owing a resynchronisation */
};

/* ---- the quick way ---------------------------------------------------------------------------------------------- */

static const struct seg_nbr_count *
count_of(const struct neigh *n, unsigned core)
{
	return &seg_core(&n->src.seg, core)->nbr[neigh_tool.family];
}

static bool
digests_equal(const struct neigh *n, uint64_t *entries)
{
	unsigned first = (unsigned)__builtin_ctzll(n->src.cores | 1ull << 63) + 1;
	if (first > n->src.ncores) {
		return false;
	}
	uint64_t digest = seg_get(&count_of(n, first)->digest);
	*entries = seg_get(&count_of(n, first)->entries);
	for (uint64_t left = n->src.cores; left; left &= left - 1) {
		const struct seg_nbr_count *one = count_of(n, (unsigned)__builtin_ctzll(left) + 1);
		if (seg_get(&one->digest) != digest || seg_get(&one->entries) != *entries) {
			return false;
		}
	}
	return settle_quiet(&n->src) && seg_get(&count_of(n, first)->digest) == digest;
}

static bool
quickly_coherent(struct verify *v)
{
	for (int i = 0; i < QUIET_TRIES; i++) {
		if (digests_equal(&v->n, &v->entries)) {
			return true;
		}
		if (!v->n.src.live || !cli_wait(v->cli, QUIET_MS)) {
			break;
		}
	}
	return false;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static void
look_up(const struct neigh *n, struct difference *d)
{
	for (unsigned core = 1; core <= n->src.ncores; core++) {
		struct held *held = &d->core[core - 1];
		*held = (struct held){.there = neigh_lookup(n, core, &d->key, &held->entry), .entry = held->entry};
	}
}

/* The same question as nbr_view_agrees(), for one key as it was looked up. */
static bool
all_agree(const struct neigh *n, const struct difference *d)
{
	struct nbr_view view;
	if (!nbr_view_init(&view, 1)) {
		return false;
	}
	bool whole = true;
	for (unsigned core = 1; whole && core <= n->src.ncores; core++) {
		const struct held *held = &d->core[core - 1];
		bool counts = n->src.cores >> (core - 1) & 1;
		whole = !counts || !held->there || nbr_view_add(&view, &held->entry, core, 0);
	}
	bool agree = whole && (view.n == 0 || nbr_view_agrees(&view.row[0], n->src.cores));
	nbr_view_free(&view);
	return agree;
}

static enum err_code
compare_tables(struct verify *v, struct err *err)
{
	static const struct neigh_filter all = {.iface = 0};
	struct nbr_view view;
	enum err_code code = neigh_load(&v->n, &all, v->n.src.cores, &view, err);
	if (code) {
		return code;
	}
	neigh_sort(&v->n, &view);
	v->entries = 0;
	for (size_t i = 0; i < view.n; i++) {
		v->entries += view.row[i].live;
		if (nbr_view_agrees(&view.row[i], v->n.src.cores)) {
			continue;
		}
		if (v->ndifferences == MAX_DIFFERENCES) {
			v->more = true;
			break;
		}
		struct difference *d = &v->difference[v->ndifferences++];
		d->key = view.row[i].key;
		look_up(&v->n, d);
	}
	nbr_view_free(&view);
	return ERR_NONE;
}

static bool
same_held(const struct held *a, const struct held *b)
{
	if (!a->there || !b->there) {
		return a->there == b->there;
	}
	return a->entry.stamp == b->entry.stamp && ((a->entry.value ^ b->entry.value) & SEG_NBR_SHARED) == 0 &&
	       nbr_usable(a->entry.value) == nbr_usable(b->entry.value);
}

/* Keeps those that differ still, and in the same versions: what has changed meanwhile was on its way. */
static void
look_again(struct verify *v)
{
	size_t kept = 0;
	for (size_t i = 0; i < v->ndifferences; i++) {
		struct difference again = {.key = v->difference[i].key};
		bool same = true;
		look_up(&v->n, &again);
		for (unsigned core = 0; core < v->n.src.ncores; core++) {
			same = same && same_held(&again.core[core], &v->difference[i].core[core]);
		}
		if (same && !all_agree(&v->n, &again)) {
			v->difference[kept++] = again;
		}
	}
	v->ndifferences = kept;
	v->more = v->more && kept > 0;
}

/* ---- a dead engine ---------------------------------------------------------------------------------------------- */

static struct nbr_key
key_of(const struct seg_msg *msg)
{
	return (struct nbr_key){.address = {msg->word[0], msg->word[1]}, .iface = (uint32_t)msg->word[3]};
}

static bool
is_pending(const struct verify *v, const struct nbr_key *key)
{
	for (size_t i = 0; i < v->npending; i++) {
		const struct nbr_key one = key_of(&v->pending[i]);
		if (nbr_key_same(&one, key)) {
			return true;
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
	v->owed = settle_owed(&v->n.src);
	while (v->npending < MAX_PENDING && settle_left(&v->n.src, &at, &msg)) {
		if ((msg.kind == SEG_MSG_NBR_ADD || msg.kind == SEG_MSG_NBR_DEL) && msg.word[3] >> 32 == neigh_tool.family) {
			v->pending[v->npending++] = msg;
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < v->ndifferences; i++) {
		if (!is_pending(v, &v->difference[i].key)) {
			v->difference[kept++] = v->difference[i];
		}
	}
	v->ndifferences = kept;
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static const char *
held_state(const struct held *held)
{
	return !held->there                       ? "missing"
	       : nbr_usable(held->entry.value)    ? "live"
	       : held->entry.value & SEG_NBR_TOMB ? "deleted"
						  : "unresolved";
}

static bool
held_live(const struct held *held)
{
	return held->there && nbr_usable(held->entry.value);
}

static bool
held_permanent(const struct held *held)
{
	return held_live(held) && SEG_NBR_STATE(held->entry.value) == SEG_NBR_PERMANENT;
}

static json_t *
key_json(const struct neigh *n, const struct nbr_key *key)
{
	char text[IP_TEXT_SIZE];
	return json_pack("{s:s, s:o}", "address", neigh_text(key->address, text), "interface",
		cli_json_text(neigh_iface_name(n, key->iface)));
}

static json_t *
difference_json(const struct neigh *n, const struct difference *d)
{
	json_t *cores = json_array();
	for (unsigned core = 1; core <= n->src.ncores; core++) {
		const struct held *held = &d->core[core - 1];
		uint64_t stamp = held->there ? held->entry.stamp : 0;
		char mac[MAC_TEXT_SIZE];
		json_array_append_new(cores,
			json_pack("{s:i, s:s, s:s?, s:b, s:b, s:I, s:i}", "core", (int)core, "state", held_state(held), "mac",
				held_live(held) ? mac_format(SEG_NBR_MAC(held->entry.value), mac) : NULL, "permanent",
				(int)held_permanent(held), "router", held_live(held) && (held->entry.value & SEG_NBR_ROUTER),
				"version", (json_int_t)(stamp >> 8), "from_core", (int)(stamp & 255)));
	}
	json_t *row = key_json(n, &d->key);
	json_object_set_new(row, "cores", cores);
	return row;
}

static enum err_code
print_json(struct verify *v, struct err *err)
{
	json_t *differences = json_array(), *pending = json_array();
	for (size_t i = 0; i < v->ndifferences; i++) {
		json_array_append_new(differences, difference_json(&v->n, &v->difference[i]));
	}
	for (size_t i = 0; i < v->npending; i++) {
		const struct nbr_key key = key_of(&v->pending[i]);
		json_t *one = key_json(&v->n, &key);
		json_object_set_new(one, "from", json_integer(v->pending[i].from));
		json_object_set_new(one, "to", json_integer(v->pending[i].to));
		json_object_set_new(one, "message", json_string(names_msg(v->pending[i].kind)));
		json_array_append_new(pending, one);
	}
	return cli_print_json(v->cli,
		json_pack("{s:b, s:s, s:i, s:I, s:o, s:b, s:b, s:o}", "coherent", (int)v->coherent, "method", v->method, "cores",
			(int)v->n.src.ncores, "entries", (json_int_t)v->entries, "differences", differences, "more", (int)v->more,
			"repaired", (int)v->repaired, "in_rings", pending),
		err);
}

static void
put_difference(struct out *out, const struct neigh *n, const struct difference *d)
{
	for (unsigned core = 1; core <= n->src.ncores; core++) {
		const struct held *held = &d->core[core - 1];
		uint64_t stamp = held->there ? held->entry.stamp : 0;
		char text[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
		out_text(out, neigh_text(d->key.address, text));
		out_text(out, neigh_iface_name(n, d->key.iface));
		out_number(out, core);
		out_text(out, held_state(held));
		out_text(out, held_live(held) ? mac_format(SEG_NBR_MAC(held->entry.value), mac) : NULL);
		out_bool(out, held_permanent(held));
		out_number(out, stamp >> 8);
		out_number(out, stamp & 255);
		out_row(out);
	}
}

static enum err_code
print_differences(struct verify *v, struct err *err)
{
	static const struct out_column columns[] = {
		{.key = "address"},
		{.key = "interface"},
		{.key = "core", .flags = OUT_RIGHT},
		{.key = "state"},
		{.key = "mac"},
		{.key = "permanent"},
		{.key = "version", .flags = OUT_RIGHT},
		{.key = "from_core", .title = "FROM_CORE", .flags = OUT_RIGHT},
		{.key = NULL},
	};
	if (!v->ndifferences && v->cli->format != CLI_CSV) {
		return ERR_NONE;
	}
	struct out *out = out_open(v->cli, columns);
	for (size_t i = 0; i < v->ndifferences; i++) {
		put_difference(out, &v->n, &v->difference[i]);
	}
	return out_close(out, err);
}

static enum err_code
print_table(struct verify *v, struct err *err)
{
	enum err_code code = print_differences(v, err);
	for (size_t i = 0; i < v->npending; i++) {
		const struct seg_msg *msg = &v->pending[i];
		const struct nbr_key key = key_of(msg);
		const char *iface = neigh_iface_name(&v->n, key.iface);
		char text[IP_TEXT_SIZE];
		cli_say(v->cli, "in the ring from core %u to core %u: %s %s dev %s", msg->from, msg->to, names_msg(msg->kind),
			neigh_text(key.address, text), iface ? iface : "-");
	}
	if (v->coherent) {
		cli_say(v->cli, "coherent%s%s: %u %s, %llu %s (by %s)", v->npending ? " but for what is in the rings" : "",
			v->repaired ? " after a repair" : "", v->n.src.ncores, v->n.src.ncores == 1 ? "core" : "cores",
			(unsigned long long)v->entries, v->entries == 1 ? "neighbour" : "neighbours", v->method);
	} else {
		cli_say(v->cli, "NOT coherent%s: %zu%s %s", v->repaired ? " after a repair" : "", v->ndifferences,
			v->more ? " or more" : "", v->ndifferences == 1 ? "neighbour differs" : "neighbours differ");
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
	for (unsigned core = 1; core <= v->n.src.ncores; core++) {
		uint64_t times = seg_get(&count_of(&v->n, core)->no_room);
		if (!(v->n.src.cores >> (core - 1) & 1)) {
			cli_note(v->cli, "core %u has been taken out and is not compared", core);
		}
		if (times && !v->coherent) {
			cli_note(v->cli, "core %u had no room for a neighbour %llu times: the table is too small, or nearly so",
				core, (unsigned long long)times);
		}
	}
}

/* ---- the verb --------------------------------------------------------------------------------------------------- */

static enum err_code
compare(struct verify *v, struct err *err)
{
	uint64_t deadline = settle_now_ms() + (uint64_t)v->cli->timeout_ms;
	enum err_code code = ERR_NONE;
	v->method = "digest";
	v->ndifferences = v->npending = 0;
	v->more = false;
	if (!cli_has(v->cli, "full") && quickly_coherent(v)) {
		return ERR_NONE;
	}
	v->method = "tables";
	if (v->n.src.live) {
		code = settle_wait(v->cli, &v->n.src, deadline, err);
	}
	code = code ? code : compare_tables(v, err);
	if (!code && !v->n.src.live) {
		set_pending_apart(v);
	} else if (!code && v->ndifferences) {
		code = settle_wait(v->cli, &v->n.src, deadline, err);
		look_again(v);
	}
	return code;
}

static enum err_code
repair(struct verify *v, struct err *err)
{
	json_t *result;
	enum err_code code = change_ask(
		v->cli, "nbr.repair", json_pack("{s:s}", "family", neigh_tool.protocol), v->cli->timeout_ms, &result, err);
	json_decref(result);
	v->repaired = code == ERR_NONE;
	return code ? code : compare(v, err);
}

static enum err_code
verify_open(struct verify *v, struct err *err)
{
	v->difference = calloc(MAX_DIFFERENCES, sizeof(*v->difference));
	v->pending = calloc(MAX_PENDING, sizeof(*v->pending));
	if (!v->difference || !v->pending) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	enum err_code code = compare(v, err);
	if (!code && v->ndifferences && cli_has(v->cli, "repair")) {
		code = repair(v, err);
	}
	v->coherent = v->ndifferences == 0;
	if (!code) {
		code = cli_wants_json(v->cli) ? print_json(v, err) : print_table(v, err);
	}
	if (!code) {
		explain(v);
	}
	return !code && !v->coherent ? ERR_DIFFERS : code;
}

enum err_code
verify_check(const struct cli *cli, struct err *err)
{
	if (cli->saved && cli_has(cli, "repair")) {
		return err_set(err, ERR_USAGE, "--repair and -s do not go together");
	}
	return ERR_NONE;
}

enum err_code
verify_run(struct cli *cli, struct err *err)
{
	struct verify v = {.cli = cli};
	enum err_code code = neigh_open(cli, &v.n, err);
	if (!code) {
		code = verify_open(&v, err);
		free(v.difference);
		free(v.pending);
		neigh_close(&v.n);
	}
	return code;
}
