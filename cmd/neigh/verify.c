/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify: do all cores hold the same (lib/cli/verify.h)? --repair has the owners announce all they hold once more where not, and
 * looks again.
 */
#include <stddef.h>

#include "cli/change.h"
#include "cli/verify.h"
#include "core/names.h"
#include "neigh.h"

/* What one core holds of a key. */
struct held {
	bool there;
	struct seg_nbr entry;
};

struct difference {
	struct nbr_key key;
	struct held core[SEG_MAX_CORES]; /* core n at n - 1 */
};

struct table {
	struct verify verify;
	struct neigh n;
	bool repaired;
};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static const struct seg_nbr_count *
count_of(const struct neigh *n, unsigned core)
{
	return &seg_core(&n->src.seg, core)->nbr[neigh_tool.family];
}

static bool
digests_equal(void *arg, uint64_t *entries)
{
	const struct neigh *n = &((struct table *)arg)->n;
	uint64_t left = n->src.cores, digest = 0;
	for (bool first = true; left; left &= left - 1, first = false) {
		const struct seg_nbr_count *one = count_of(n, (unsigned)__builtin_ctzll(left) + 1);
		uint64_t its_digest = seg_get(&one->digest), its_entries = seg_get(&one->entries);
		if (!first && (its_digest != digest || its_entries != *entries)) {
			return false;
		}
		digest = its_digest;
		*entries = its_entries;
	}
	return true;
}

static void
look_up(void *arg, void *record)
{
	const struct neigh *n = &((struct table *)arg)->n;
	struct difference *d = record;
	for (unsigned core = 1; core <= n->src.ncores; core++) {
		struct held *held = &d->core[core - 1];
		*held = (struct held){.there = neigh_lookup(n, core, &d->key, &held->entry), .entry = held->entry};
	}
}

/* The same question as nbr_view_agrees(), for one key as it was looked up. */
static bool
agree(void *arg, const void *record)
{
	const struct neigh *n = &((struct table *)arg)->n;
	const struct difference *d = record;
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
	bool equal = whole && (view.n == 0 || nbr_view_agrees(&view.row[0], n->src.cores));
	nbr_view_free(&view);
	return equal;
}

static enum err_code
read_tables(void *arg, struct err *err)
{
	static const struct neigh_filter all = {.iface = 0};
	struct table *t = arg;
	struct nbr_view view;
	enum err_code code = neigh_load(&t->n, &all, t->n.src.cores, &view, err);
	if (code) {
		return code;
	}
	neigh_sort(&t->n, &view);
	for (size_t i = 0; i < view.n; i++) {
		const struct nbr_view_row *row = &view.row[i];
		t->verify.entries += row->live;
		if (!nbr_view_agrees(row, t->n.src.cores) && !verify_found(&t->verify, &row->key, sizeof(row->key))) {
			break;
		}
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

static bool
same(void *arg, const void *record_a, const void *record_b)
{
	const struct difference *a = record_a, *b = record_b;
	for (unsigned i = 0; i < ((struct table *)arg)->n.src.ncores; i++) {
		if (!same_held(&a->core[i], &b->core[i])) {
			return false;
		}
	}
	return true;
}

static struct nbr_key
key_of(const struct seg_msg *msg)
{
	return (struct nbr_key){.address = {msg->word[0], msg->word[1]}, .iface = (uint32_t)msg->word[3]};
}

static bool
announces(void *arg, struct seg_msg *msg)
{
	(void)arg;
	return (msg->kind == SEG_MSG_NBR_ADD || msg->kind == SEG_MSG_NBR_DEL) && msg->word[3] >> 32 == neigh_tool.family;
}

static bool
about(void *arg, const struct seg_msg *msg, const void *record)
{
	(void)arg;
	const struct nbr_key key = key_of(msg);
	return nbr_key_same(&key, &((const struct difference *)record)->key);
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

static json_t *
pending_json(const struct neigh *n, const struct seg_msg *msg)
{
	const struct nbr_key key = key_of(msg);
	json_t *row = key_json(n, &key);
	json_object_set_new(row, "from", json_integer(msg->from));
	json_object_set_new(row, "to", json_integer(msg->to));
	json_object_set_new(row, "message", json_string(names_msg(msg->kind)));
	return row;
}

static enum err_code
print_json(struct table *t, struct err *err)
{
	const struct verify *v = &t->verify;
	json_t *differences = json_array(), *pending = json_array();
	for (size_t i = 0; i < v->ndifferences; i++) {
		json_array_append_new(differences, difference_json(&t->n, verify_difference(v, i)));
	}
	for (size_t i = 0; i < v->npending; i++) {
		json_array_append_new(pending, pending_json(&t->n, &v->pending[i]));
	}
	return cli_print_json(v->cli,
		json_pack("{s:b, s:s, s:i, s:I, s:o, s:b, s:b, s:o}", "coherent", (int)v->coherent, "method", v->method, "cores",
			(int)t->n.src.ncores, "entries", (json_int_t)v->entries, "differences", differences, "more", (int)v->more,
			"repaired", (int)t->repaired, "in_rings", pending),
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
print_differences(struct table *t, struct err *err)
{
	const struct verify *v = &t->verify;
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
		put_difference(out, &t->n, verify_difference(v, i));
	}
	return out_close(out, err);
}

static enum err_code
print_table(struct table *t, struct err *err)
{
	const struct verify *v = &t->verify;
	enum err_code code = print_differences(t, err);
	for (size_t i = 0; i < v->npending; i++) {
		const struct seg_msg *msg = &v->pending[i];
		const struct nbr_key key = key_of(msg);
		const char *iface = neigh_iface_name(&t->n, key.iface);
		char text[IP_TEXT_SIZE];
		cli_say(v->cli, "in the ring from core %u to core %u: %s %s dev %s", msg->from, msg->to, names_msg(msg->kind),
			neigh_text(key.address, text), iface ? iface : "-");
	}
	verify_say(v, t->repaired ? " after a repair" : "");
	return code;
}

/* ---- the verb --------------------------------------------------------------------------------------------------- */

static enum err_code
repair(struct table *t, struct err *err)
{
	struct cli *cli = t->verify.cli;
	json_t *result;
	enum err_code code =
		change_ask(cli, "nbr.repair", json_pack("{s:s}", "family", neigh_tool.protocol), cli->timeout_ms, &result, err);
	json_decref(result);
	t->repaired = code == ERR_NONE;
	return code ? code : verify_compare(&t->verify, err);
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
	struct table t = {.verify = {.cli = cli,
				  .src = &t.n.src,
				  .size = sizeof(struct difference),
				  .one = "neighbour",
				  .many = "neighbours",
				  .no_room = offsetof(struct seg_core, nbr) + neigh_tool.family * sizeof(struct seg_nbr_count) +
					     offsetof(struct seg_nbr_count, no_room),
				  .arg = &t,
				  .digests_equal = digests_equal,
				  .read = read_tables,
				  .look_up = look_up,
				  .agree = agree,
				  .same = same,
				  .announces = announces,
				  .about = about}};
	enum err_code code = neigh_open(cli, &t.n, err);
	if (code) {
		return code;
	}
	code = verify_compare(&t.verify, err);
	if (!code && !t.verify.coherent && cli_has(cli, "repair")) {
		code = repair(&t, err);
	}
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
	neigh_close(&t.n);
	return code;
}
