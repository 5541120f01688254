/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operations on routes given live (docs/control-socket.md). One request is one list of edits, and one swap (fib.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "control.h"
#include "fib.h"
#include "nbr/nbr.h"
#include "net/ip6.h"

/* What a request says of one route. NULL where it does not. */
struct route_args {
	const char *op, *to, *via, *iface, *type, *family;
	int may_exist, if_exists;
};

static const struct {
	const char *word;
	uint8_t kind;
} types[] = {
	{"blackhole", SEG_ROUTE_BLACKHOLE},
	{"unreachable", SEG_ROUTE_UNREACHABLE},
	{"prohibit", SEG_ROUTE_PROHIBIT},
};

/* ---- what is meant ---------------------------------------------------------------------------------------------- */

/* SEG_FAMILIES: not said. */
static enum err_code
find_family(const char *word, uint8_t *family, struct err *err)
{
	*family = SEG_FAMILIES;
	if (word && strcmp(word, "ipv4") != 0 && strcmp(word, "ipv6") != 0) {
		return err_set(err, ERR_USAGE, "family: %.40s is not ipv4 or ipv6", word);
	}
	if (word) {
		*family = word[3] == '6' ? SEG_IPV6 : SEG_IPV4;
	}
	return ERR_NONE;
}

static enum err_code
find_iface(const struct engine *engine, const char *name, uint16_t *number, struct err *err)
{
	*number = name ? plan_iface_number(&engine->numbers, name) : 0;
	return !name || *number ? ERR_NONE : err_set(err, ERR_NOT_FOUND, "interface %.40s: no such interface", name);
}

/* 224.0.0.0/3 and 127.0.0.0/8, ff00::/8, fe80::/10 and ::1: nobody's way leads there. */
static bool
never_routed(uint8_t family, const uint64_t words[static 2])
{
	if (family == SEG_IPV4) {
		return words[1] >> 29 == 7 || words[1] >> 24 == 127;
	}
	return ip6_is_multicast(words) || ip6_is_link_local(words) || ip6_is_loopback(words);
}

static enum err_code
find_gateway(const char *word, uint8_t *family, uint64_t via[static 2], struct err *err)
{
	struct ip ip;
	if (!ip_parse(word, &ip)) {
		return err_set(err, ERR_USAGE, "via: %.60s is not an address", word);
	}
	uint8_t its = ip.family == 6 ? SEG_IPV6 : SEG_IPV4;
	if (*family != SEG_FAMILIES && *family != its) {
		return err_set(err, ERR_USAGE, "via: %.60s is not of %s", word, its == SEG_IPV6 ? "ipv4" : "ipv6");
	}
	*family = its;
	nbr_words(&ip, via);
	bool link = its == SEG_IPV6 && ip6_is_link_local(via);
	if ((never_routed(its, via) && !link) || !(via[0] | via[1])) {
		return err_set(err, ERR_USAGE, "via: %.60s is not the address of a neighbour", word);
	}
	return ERR_NONE;
}

static enum err_code
find_type(const struct route_args *a, enum fib_op op, struct seg_route *route, struct err *err)
{
	bool unicast = !a->type || strcmp(a->type, "unicast") == 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !unicast; i++) {
		route->kind = strcmp(a->type, types[i].word) == 0 ? types[i].kind : route->kind;
	}
	if (!unicast && !route->kind) {
		return err_set(err, ERR_USAGE, "type: %.40s is not unicast, blackhole, unreachable or prohibit", a->type);
	}
	if (!unicast && (a->via || a->iface)) {
		return err_set(err, ERR_USAGE, "type: what is %s goes neither via a gateway nor out of an interface", a->type);
	}
	if (unicast && !a->via && !a->iface && op != FIB_DEL) {
		err_set(err, ERR_USAGE, "%.60s: where does it go?", a->to);
		return err_hint(err, "via a gateway, out of an interface, or a type: blackhole, unreachable, prohibit");
	}
	if (unicast && (a->via || (a->iface && op != FIB_DEL))) {
		route->kind = a->via ? SEG_ROUTE_VIA : SEG_ROUTE_LINK;
	}
	return ERR_NONE;
}

static enum err_code
make_edit(const struct engine *engine, const struct route_args *a, enum fib_op op, struct fib_edit *edit, struct err *err)
{
	struct route_key key = {.family = SEG_FAMILIES};
	*edit = (struct fib_edit){.op = op, .lenient = op == FIB_DEL ? a->if_exists : a->may_exist};
	enum err_code code = find_family(a->family, &key.family, err);
	code = code != ERR_NONE || !a->via ? code : find_gateway(a->via, &key.family, edit->route.via, err);
	uint8_t family = key.family;
	code = code != ERR_NONE ? code : route_parse_prefix(a->to, &key, err);
	if (code == ERR_NONE && family != SEG_FAMILIES && key.family != family) {
		code = err_set(err, ERR_USAGE, "to: %.60s is not of %s", a->to, family == SEG_IPV6 ? "ipv6" : "ipv4");
	}
	if (code == ERR_NONE && op != FIB_DEL && never_routed(key.family, key.prefix)) {
		code = err_set(err, ERR_USAGE, "to: %.60s: multicast, link-local and loopback addresses are not routed", a->to);
	}
	code = code != ERR_NONE ? code : find_iface(engine, a->iface, &edit->route.iface, err);
	code = code != ERR_NONE ? code : find_type(a, op, &edit->route, err);
	memcpy(edit->route.prefix, key.prefix, sizeof(key.prefix));
	edit->route.family = key.family;
	edit->route.length = key.length;
	return code;
}

/* ---- one -------------------------------------------------------------------------------------------------------- */

static void
tell(struct engine *engine, const char *what, const struct route_args *a, const struct peer *peer)
{
	engine_event(engine, LOG_LEVEL_INFO, "route %s %s%s%s%s%s%s%s by uid %u pid %d", what, a->to, a->type ? " type " : "",
		a->type ? a->type : "", a->via ? " via " : "", a->via ? a->via : "", a->iface ? " dev " : "",
		a->iface ? a->iface : "", (unsigned)peer->uid, (int)peer->pid);
}

static enum err_code
run_one(struct control *control, const struct peer *peer, const char *op_name, enum fib_op op, json_t *args, json_t **result,
	struct err *err)
{
	struct route_args a = {0};
	struct fib_edit edit;
	struct fib_result done;
	json_error_t jerr;
	int dry_run = 0;
	if (json_unpack_ex(args, &jerr, 0, "{s:s, s?s, s?s, s?s, s?s, s?b, s?b, s?b !}", "to", &a.to, "via", &a.via, "interface",
		    &a.iface, "type", &a.type, "family", &a.family, "may_exist", &a.may_exist, "if_exists", &a.if_exists,
		    "dry_run", &dry_run) < 0) {
		return ops_bad_args(op_name, &jerr, err);
	}
	enum err_code code = make_edit(control->engine, &a, op, &edit, err);
	code = code != ERR_NONE ? code : fib_change(control->engine, &edit, 1, dry_run, &done, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (done.changed && !dry_run) {
		tell(control->engine, op_name + strlen("route."), &a, peer);
	}
	*result = json_pack("{s:b, s:b}", "changed", (int)(done.changed > 0), "dry_run", dry_run);
	return ERR_NONE;
}

enum err_code
ops_route_add(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	return run_one(control, peer, "route.add", FIB_ADD, args, result, err);
}

enum err_code
ops_route_replace(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	return run_one(control, peer, "route.replace", FIB_REPLACE, args, result, err);
}

enum err_code
ops_route_del(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	return run_one(control, peer, "route.del", FIB_DEL, args, result, err);
}

/* ---- many ------------------------------------------------------------------------------------------------------- */

static enum err_code
many_answer(struct control *control, const struct peer *peer, const char *what, const struct fib_result *done, bool dry_run,
	json_t **result)
{
	if (done->changed && !dry_run) {
		engine_event(control->engine, LOG_LEVEL_INFO, "route %s: %zu changed by uid %u pid %d", what, done->changed,
			(unsigned)peer->uid, (int)peer->pid);
	}
	*result = json_pack("{s:b, s:b, s:I, s:I}", "changed", (int)(done->changed > 0), "dry_run", (int)dry_run,
		"routes_changed", (json_int_t)done->changed, "routes_unchanged", (json_int_t)done->unchanged);
	return ERR_NONE;
}

/* Says which of them it was. */
static enum err_code
place_error(size_t i, struct err *err)
{
	char message[sizeof(err->message)];
	snprintf(message, sizeof(message), "%s", err->message);
	snprintf(err->message, sizeof(err->message), "edits[%zu]: %.280s", i, message);
	return err->code;
}

/* By hand: json_unpack() would take most of the time that a million routes take. */
static enum err_code
take_key(const char *key, const json_t *value, struct route_args *a, struct err *err)
{
	const struct {
		const char *key;
		const char **text;
		int *flag;
	} keys[] = {{"op", &a->op, NULL}, {"to", &a->to, NULL}, {"via", &a->via, NULL}, {"interface", &a->iface, NULL},
		{"type", &a->type, NULL}, {"family", &a->family, NULL}, {"may_exist", NULL, &a->may_exist},
		{"if_exists", NULL, &a->if_exists}};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i].key) != 0) {
			continue;
		}
		if (keys[i].text ? !json_is_string(value) : !json_is_boolean(value)) {
			return err_set(err, ERR_USAGE, "%s: not a %s", key, keys[i].text ? "string" : "boolean");
		}
		if (keys[i].text) {
			*keys[i].text = json_string_value(value);
		} else {
			*keys[i].flag = json_is_true(value);
		}
		return ERR_NONE;
	}
	return err_set(err, ERR_USAGE, "%.40s: unknown key", key);
}

static enum err_code
batch_edit(const struct engine *engine, json_t *object, struct fib_edit *edit, struct err *err)
{
	static const char *const ops[] = {[FIB_ADD] = "add", [FIB_REPLACE] = "replace", [FIB_DEL] = "del"};
	struct route_args a = {0};
	const char *key;
	json_t *value;
	json_object_foreach (object, key, value) {
		enum err_code code = take_key(key, value, &a, err);
		if (code != ERR_NONE) {
			return code;
		}
	}
	if (!a.op || !a.to) {
		return err_set(err, ERR_USAGE, "not an object with op and to");
	}
	for (unsigned op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
		if (strcmp(a.op, ops[op]) == 0) {
			return make_edit(engine, &a, (enum fib_op)op, edit, err);
		}
	}
	return err_set(err, ERR_USAGE, "op: %.40s is not add, replace or del", a.op);
}

enum err_code
ops_route_batch(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	json_t *edits;
	json_error_t jerr;
	int dry_run = 0;
	if (json_unpack_ex(args, &jerr, 0, "{s:o, s?b !}", "edits", &edits, "dry_run", &dry_run) < 0) {
		return ops_bad_args("route.batch", &jerr, err);
	}
	if (!json_is_array(edits)) {
		return err_set(err, ERR_USAGE, "route.batch: edits: not a list");
	}
	size_t n = json_array_size(edits);
	struct fib_edit *edit = calloc(n + 1, sizeof(*edit));
	enum err_code code = edit ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
	for (size_t i = 0; i < n && code == ERR_NONE; i++) {
		code = batch_edit(control->engine, json_array_get(edits, i), &edit[i], err);
		if (code != ERR_NONE) {
			place_error(i, err);
		}
	}
	if (code == ERR_NONE) {
		struct fib_result done;
		code = fib_change(control->engine, edit, n, dry_run, &done, err);
		if (code == ERR_NONE) {
			many_answer(control, peer, "batch", &done, dry_run, result);
		} else if (done.bad < n) {
			place_error(done.bad, err);
		}
	}
	free(edit);
	return code;
}

struct flush {
	const char *prefix_text, *family_name, *iface_name;
	struct route_key within; /* of no family: any */
	uint16_t iface;
};

static bool
flush_matches(const struct flush *flush, const struct seg_route *route)
{
	uint64_t net[2] = {route->prefix[0], route->prefix[1]};
	const struct route_key *within = &flush->within;
	if (route->kind < SEG_ROUTE_VIA || route->kind >= SEG_ROUTE_KINDS || (route->flags & SEG_ROUTE_FILE)) {
		return false;
	}
	if ((flush->iface && flush->iface != route->iface) ||
		(within->family != SEG_FAMILIES && within->family != route->family)) {
		return false;
	}
	if (!flush->prefix_text) {
		return true;
	}
	route_mask(route->family, within->length, net);
	return route->length >= within->length && net[0] == within->prefix[0] && net[1] == within->prefix[1];
}

static enum err_code
flush_args(const struct engine *engine, json_t *args, struct flush *flush, int *dry_run, struct err *err)
{
	json_error_t jerr;
	uint8_t family;
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s?s, s?s, s?b !}", "to", &flush->prefix_text, "family", &flush->family_name,
		    "interface", &flush->iface_name, "dry_run", dry_run) < 0) {
		return ops_bad_args("route.flush", &jerr, err);
	}
	enum err_code code = find_family(flush->family_name, &family, err);
	flush->within.family = family;
	if (code == ERR_NONE && flush->prefix_text) {
		code = route_parse_prefix(flush->prefix_text, &flush->within, err);
	}
	if (code == ERR_NONE && family != SEG_FAMILIES && flush->within.family != family) {
		code = err_set(err, ERR_USAGE, "to: %.60s is not of %s", flush->prefix_text, flush->family_name);
	}
	return code != ERR_NONE ? code : find_iface(engine, flush->iface_name, &flush->iface, err);
}

enum err_code
ops_route_flush(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	const struct route_table *table = fib_table(engine);
	struct flush flush = {0};
	int dry_run = 0;
	enum err_code code = flush_args(engine, args, &flush, &dry_run, err);
	if (code != ERR_NONE) {
		return code;
	}
	size_t n = 0;
	struct fib_edit *edit = calloc(table->count[SEG_IPV4] + table->count[SEG_IPV6] + 1, sizeof(*edit));
	if (!edit) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	for (uint32_t slot = 0; slot <= table->mask; slot++) {
		const struct seg_route *route = &table->slot[slot];
		if (flush_matches(&flush, route)) {
			edit[n] = (struct fib_edit){.op = FIB_DEL};
			memcpy(edit[n].route.prefix, route->prefix, sizeof(route->prefix));
			edit[n].route.family = route->family;
			edit[n++].route.length = route->length;
		}
	}
	struct fib_result done;
	code = fib_change(engine, edit, n, dry_run, &done, err);
	free(edit);
	return code != ERR_NONE ? code : many_answer(control, peer, "flush", &done, dry_run, result);
}
