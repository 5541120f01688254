/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which routes there are: those that the configuration and our addresses want, and those given live. */
#include "fib.h"

#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "fib_int.h"
#include "nbr/nbr.h"
#include "net/ip6.h"

/* ---- steps: the table changes at once, and remembers how it was --------------------------------------------------- */

static bool
note(struct fib_steps *steps, const struct seg_route *before, const struct seg_route *after)
{
	if (steps->n == steps->room) {
		size_t room = steps->room ? steps->room * 2 : 64;
		struct fib_step *more = realloc(steps->step, room * sizeof(*more));
		if (!more) {
			return false;
		}
		steps->step = more;
		steps->room = room;
	}
	static const struct seg_route none;
	steps->step[steps->n++] = (struct fib_step){.before = before ? *before : none, .after = after ? *after : none};
	return true;
}

static void
steps_free(struct fib_steps *steps)
{
	free(steps->step);
	*steps = (struct fib_steps){0};
}

static enum err_code
table_put(struct routes *r, struct fib_steps *steps, const struct seg_route *route, struct err *err)
{
	struct route_key key = {{route->prefix[0], route->prefix[1]}, route->family, route->length};
	uint32_t slot = route_find(&r->table, &key);
	if (!note(steps, slot == ROUTE_NONE ? NULL : &r->table.slot[slot], route)) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (route_put(&r->table, route) == ROUTE_NONE) {
		steps->n--;
		err_set(err, ERR_REFUSED, "tables.routes: there are %llu, the connected ones included, and no more may be",
			(unsigned long long)r->table.limit);
		return err_hint(err, "a larger tables.routes, when the engine is started");
	}
	return ERR_NONE;
}

static enum err_code
table_del(struct routes *r, struct fib_steps *steps, uint32_t slot, struct err *err)
{
	if (!note(steps, &r->table.slot[slot], NULL)) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	route_del(&r->table, slot);
	return ERR_NONE;
}

static struct route_key
key_of(const struct seg_route *route)
{
	return (struct route_key){{route->prefix[0], route->prefix[1]}, route->family, route->length};
}

static void
undo(struct routes *r, struct fib_steps *steps)
{
	while (steps->n) {
		const struct fib_step *step = &steps->step[--steps->n];
		if (step->before.kind) {
			(void)route_put(&r->table, &step->before); /* there was room */
		} else {
			struct route_key key = key_of(&step->after);
			route_del(&r->table, route_find(&r->table, &key));
		}
	}
	steps_free(steps);
}

/* ---- the copies --------------------------------------------------------------------------------------------------- */

static void
publish_counts(struct routes *r, size_t changes)
{
	struct seg_control *words = seg_control(&r->engine->seg);
	uint64_t bytes = 0;
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		seg_put(&words->routes[family], r->table.count[family]);
		bytes += r->copy[0].bytes[family] + r->copy[1].bytes[family];
	}
	seg_put(&words->fib_bytes, bytes);
	seg_put_release(&words->route_changes, seg_get(&words->route_changes) + changes); /* the table was changed before */
}

/* The other copy takes the same steps. Nobody reads it any more. */
static void
follow(struct routes *r)
{
	struct err err;
	r->behind = false;
	if (fib_copy_follow(r, !r->active, &r->pending, &err) != ERR_NONE) {
		/* It is made anew before the next change. */
		engine_event(r->engine, LOG_LEVEL_ERROR, "%s", err.message);
	}
	steps_free(&r->pending);
	publish_counts(r, 0);
}

/* Whether the idle copy may be touched. */
static enum err_code
catch_up(struct routes *r, int timeout_ms, struct err *err)
{
	if (r->behind && engine_passed(r->engine, &r->marks, timeout_ms)) {
		follow(r);
	}
	if (r->behind) {
		err_set(err, ERR_TIMEOUT, "core %u still uses the routes before the last change",
			engine_unpassed(r->engine, &r->marks));
		return err_hint(err, "pe status says whether it is stalled");
	}
	return ERR_NONE;
}

/* The table says what is wanted; the cores come to use it. Takes over the steps. On failure all is as before. */
static enum err_code
commit(struct routes *r, struct fib_steps *steps, struct err *err)
{
	struct engine *engine = r->engine;
	unsigned idle = !r->active;
	size_t changes = steps->n;
	if (!changes) {
		steps_free(steps);
		return ERR_NONE;
	}
	enum err_code code = fib_copy_follow(r, idle, steps, err);
	if (code != ERR_NONE) {
		undo(r, steps);
		publish_counts(r, 0);
		return code;
	}
	/* Whoever sees the pointer sees the copy; and one of the two, this store and the core's look at it after its sleep, sees
	 * the other (engine_mark() looks whether it sleeps). */
	__atomic_store_n(&engine->fib, &r->fib[idle], __ATOMIC_SEQ_CST);
	r->active = idle;
	r->pending = *steps;
	r->behind = true;
	engine_mark(engine, &r->marks);
	publish_counts(r, changes);
	struct err late;
	if (catch_up(r, CONTROL_FOLLOW_MS, &late) != ERR_NONE) {
		engine_event(engine, LOG_LEVEL_WARNING, "%s", late.message);
	}
	return ERR_NONE;
}

/* ---- what is usable ----------------------------------------------------------------------------------------------- */

static bool
covers(const struct seg_address *ours, unsigned family, const uint64_t address[static 2])
{
	uint64_t net[2] = {address[0], address[1]}, our[2] = {ours->address[0], ours->address[1]};
	if (ours->family != family) {
		return false;
	}
	route_mask(ours->family, ours->length, net);
	route_mask(ours->family, ours->length, our);
	return net[0] == our[0] && net[1] == our[1];
}

static const struct iface *
iface_at(const struct routes *r, uint16_t number)
{
	return number < SEG_MAX_IFACES ? r->engine->view->plan->iface[number] : NULL;
}

static bool
usable(const struct iface *iface, unsigned i)
{
	return iface->enabled && seg_get(&iface->state[i]) == SEG_ADDRESS_PREFERRED;
}

static bool
link_local(unsigned family, const uint64_t address[static 2])
{
	return family == SEG_IPV6 && ip6_is_link_local(address);
}

/* SEG_ROUTE_DOWN, or 0. */
static uint8_t
down_flag(const struct routes *r, const struct seg_route *route)
{
	if (route->kind >= SEG_ROUTE_BLACKHOLE) {
		return 0;
	}
	const struct iface *iface = iface_at(r, route->iface);
	if (!iface || !iface->enabled) {
		return SEG_ROUTE_DOWN;
	}
	bool good = route->kind != SEG_ROUTE_VIA || link_local(route->family, route->via);
	for (unsigned i = 0; i < iface->naddresses && !good; i++) {
		good = usable(iface, i) && covers(&iface->address[i], route->family, route->via);
	}
	return good ? 0 : SEG_ROUTE_DOWN;
}

/* ---- what the configuration wants --------------------------------------------------------------------------------- */

static int
compare_keys(const struct seg_route *a, const struct seg_route *b)
{
	int by_prefix = memcmp(a->prefix, b->prefix, sizeof(a->prefix)); /* any order will do */
	return by_prefix ? by_prefix : a->family != b->family ? a->family - b->family : a->length - b->length;
}

/* The one that stands first. */
static int
compare_base(const void *left, const void *right)
{
	const struct seg_route *a = left, *b = right;
	int by_key = compare_keys(a, b);
	if (by_key || a->kind == b->kind) {
		return by_key ? by_key : a->iface - b->iface;
	}
	return route_prefer(a, b) ? -1 : 1;
}

static int
compare_for_find(const void *left, const void *right)
{
	return compare_keys(left, right);
}

static const struct seg_route *
base_find(const struct seg_route *base, size_t n, const struct seg_route *route)
{
	return n ? bsearch(route, base, n, sizeof(*base), compare_for_find) : NULL;
}

static size_t
add_address(struct seg_route *base, const struct iface *iface, const struct seg_address *ours)
{
	static const uint8_t whole[SEG_FAMILIES] = {32, 128};
	size_t n = 0;
	struct seg_route route = {.prefix = {ours->address[0], ours->address[1]},
		.family = ours->family,
		.length = whole[ours->family],
		.kind = SEG_ROUTE_LOCAL,
		.iface = iface->number};
	base[n++] = route;
	/* The net fe80::/64 is on every link; what is in it is never routed. */
	if (!link_local(ours->family, ours->address)) {
		route.kind = SEG_ROUTE_CONNECTED;
		route.length = ours->length;
		route_mask(route.family, route.length, route.prefix);
		base[n++] = route;
	}
	return n;
}

static struct seg_route
file_route(const struct routes *r, const struct conf_route *from)
{
	const struct conf *conf = &r->engine->conf;
	struct seg_route route = {.prefix = {from->prefix[0], from->prefix[1]},
		.via = {from->via[0], from->via[1]},
		.family = from->family,
		.length = from->length,
		.kind = from->kind,
		.flags = SEG_ROUTE_FILE};
	if (from->iface < conf->nifaces) {
		route.iface = plan_iface_number(&r->engine->numbers, conf->iface[from->iface].name);
	}
	route.flags |= down_flag(r, &route);
	return route;
}

static bool
same_route(const struct seg_route *a, const struct seg_route *b)
{
	return a->kind == b->kind && a->iface == b->iface && a->via[0] == b->via[0] && a->via[1] == b->via[1] &&
	       (a->flags & SEG_ROUTE_FILE) == (b->flags & SEG_ROUTE_FILE);
}

/* Sorted, one a prefix, each with the time since when it has been wanted. NULL: no memory. */
static struct seg_route *
make_base(const struct routes *r, size_t *count)
{
	const struct conf *conf = &r->engine->conf;
	size_t n = 0, kept = 0;
	struct seg_route *base = calloc((size_t)SEG_MAX_IFACES * SEG_IFACE_ADDRESSES * 2 + conf->nroutes, sizeof(*base));
	for (uint16_t i = 1; base && i < SEG_MAX_IFACES; i++) {
		const struct iface *iface = iface_at(r, i);
		for (unsigned a = 0; iface && a < iface->naddresses; a++) {
			n += usable(iface, a) ? add_address(&base[n], iface, &iface->address[a]) : 0;
		}
	}
	for (size_t i = 0; base && i < conf->nroutes; i++) {
		base[n++] = file_route(r, &conf->route[i]);
	}
	if (n) {
		qsort(base, n, sizeof(*base), compare_base);
	}
	uint64_t now = engine_now_ns();
	for (size_t i = 0; i < n; i++) {
		if (!kept || compare_keys(&base[kept - 1], &base[i]) != 0) {
			const struct seg_route *before = base_find(r->base, r->nbase, &base[i]);
			base[i].since_ns = before && same_route(before, &base[i]) ? before->since_ns : now;
			base[kept++] = base[i];
		}
	}
	*count = kept;
	return base;
}

static bool
given_live(const struct seg_route *route)
{
	return route->kind >= SEG_ROUTE_VIA && !(route->flags & SEG_ROUTE_FILE);
}

/* The interface that the route names is another one now, or none. */
static bool
orphan(const struct routes *r, const struct seg_route *route)
{
	const struct iface *iface = iface_at(r, route->iface);
	return route->iface && (!iface || strcmp(iface->name, r->iface[route->iface]) != 0);
}

static void
tell_gone(const struct routes *r, const struct seg_route *route, const char *why)
{
	char text[ROUTE_TEXT_SIZE];
	struct route_key key = key_of(route);
	engine_event(r->engine, LOG_LEVEL_NOTICE, "route %s, given live, is gone: %s", route_format_prefix(&key, text), why);
}

/* What stands in a slot, after the configuration has changed. */
static enum err_code
revise(struct routes *r, uint32_t slot, const struct seg_route *base, size_t n, struct fib_steps *steps, struct err *err)
{
	struct seg_route now = r->table.slot[slot];
	const struct seg_route *want = base_find(base, n, &now);
	bool live = given_live(&now);
	if (live && !orphan(r, &now) && !(want && route_prefer(want, &now))) {
		uint8_t flags = (uint8_t)((now.flags & ~SEG_ROUTE_DOWN) | down_flag(r, &now));
		if (flags == now.flags) {
			return ERR_NONE;
		}
		now.flags = flags;
		return table_put(r, steps, &now, err);
	}
	if (live) {
		tell_gone(r, &now, want ? "the configuration has another one" : "its interface was removed");
	}
	if (!want) {
		return table_del(r, steps, slot, err);
	}
	if (same_route(want, &now) && want->flags == now.flags) {
		return ERR_NONE;
	}
	return table_put(r, steps, want, err);
}

static void
keep_base(struct routes *r, struct seg_route *base, size_t n)
{
	free(r->base);
	r->base = base;
	r->nbase = n;
	for (uint16_t i = 1; i < SEG_MAX_IFACES; i++) {
		const struct iface *iface = iface_at(r, i);
		memcpy(r->iface[i], iface ? iface->name : "", iface ? SEG_NAME_SIZE : 1);
	}
}

enum err_code
fib_config(struct engine *engine, struct err *err)
{
	struct routes *r = engine->routes;
	struct fib_steps steps = {0};
	size_t n = 0;
	enum err_code code = catch_up(r, CONTROL_FOLLOW_MS, err);
	r->again = code != ERR_NONE; /* fib_tick() does it */
	if (code != ERR_NONE) {
		return code;
	}
	struct seg_route *base = make_base(r, &n);
	if (!base) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	for (uint32_t slot = 0; slot <= r->table.mask && code == ERR_NONE; slot++) {
		if (r->table.slot[slot].kind != SEG_ROUTE_NONE && r->table.slot[slot].kind != SEG_ROUTE_GONE) {
			code = revise(r, slot, base, n, &steps, err);
		}
	}
	for (size_t i = 0; i < n && code == ERR_NONE; i++) {
		struct route_key key = key_of(&base[i]);
		code = route_find(&r->table, &key) == ROUTE_NONE ? table_put(r, &steps, &base[i], err) : ERR_NONE;
	}
	if (code != ERR_NONE) {
		undo(r, &steps);
	} else {
		code = commit(r, &steps, err);
	}
	if (code != ERR_NONE) {
		free(base);
		return code;
	}
	keep_base(r, base, n);
	return ERR_NONE;
}

/* ---- live --------------------------------------------------------------------------------------------------------- */

/* Finds the interface that a gateway is on, unless it was named; *its: the one whose own address it is. -1: no prefix holds it.
 */
static int
find_gateway(const struct routes *r, const struct seg_route *route, uint16_t *iface_number, const struct iface **its)
{
	int best = -1;
	uint16_t first = route->iface ? route->iface : 1, last = route->iface ? route->iface : SEG_MAX_IFACES - 1;
	*its = NULL;
	for (uint16_t i = first; i <= last; i++) {
		const struct iface *iface = iface_at(r, i);
		for (unsigned a = 0; iface && a < iface->naddresses; a++) {
			const struct seg_address *ours = &iface->address[a];
			if (!covers(ours, route->family, route->via)) {
				continue;
			}
			if (ours->address[0] == route->via[0] && ours->address[1] == route->via[1]) {
				*its = iface;
			}
			if (ours->length > best) {
				best = ours->length;
				*iface_number = i;
			}
		}
	}
	return best;
}

static enum err_code
check_gateway(const struct routes *r, struct seg_route *route, struct err *err)
{
	const struct iface *its;
	char text[ROUTE_TEXT_SIZE];
	bool link = link_local(route->family, route->via);
	if (link && route->iface) {
		return ERR_NONE;
	}
	if (!link && find_gateway(r, route, &route->iface, &its) >= 0 && !its) {
		return ERR_NONE;
	}
	struct route_key gateway = {{route->via[0], route->via[1]}, route->family, route->family == SEG_IPV4 ? 32 : 128};
	*strchr(route_format_prefix(&gateway, text), '/') = '\0';
	if (link) {
		return err_set(err, ERR_USAGE, "via %s: of which interface? It is a link-local address", text);
	}
	if (its) {
		return err_set(err, ERR_REFUSED, "via %s: an address of ours, of interface %s", text, its->name);
	}
	err_set(err, ERR_REFUSED, "via %s: in no prefix of %s", text, route->iface ? "that interface" : "an interface");
	return err_hint(err, "a gateway is a neighbour: its address must lie in the prefix of one of ours");
}

static enum err_code
check_route(const struct routes *r, struct seg_route *route, struct err *err)
{
	if (route->kind >= SEG_ROUTE_BLACKHOLE) {
		return ERR_NONE;
	}
	if (route->iface && !iface_at(r, route->iface)) {
		return err_set(err, ERR_NOT_FOUND, "interface %u: no such interface", route->iface);
	}
	return route->kind == SEG_ROUTE_VIA ? check_gateway(r, route, err) : ERR_NONE;
}

static const char *
protocol_of(const struct seg_route *route)
{
	return route->kind == SEG_ROUTE_LOCAL       ? "an address of ours"
	       : route->kind == SEG_ROUTE_CONNECTED ? "the prefix of an interface"
						    : "a route of the appliance file";
}

static enum err_code
change_put(struct routes *r, const struct fib_edit *edit, struct fib_steps *steps, bool *changed, struct err *err)
{
	struct seg_route new = edit->route;
	struct route_key key = key_of(&new);
	char text[ROUTE_TEXT_SIZE];
	uint32_t slot = route_find(&r->table, &key);
	const struct seg_route *there = slot == ROUTE_NONE ? NULL : &r->table.slot[slot];
	new.flags = 0;
	new.since_ns = engine_now_ns();
	enum err_code code = check_route(r, &new, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (there && ((edit->op == FIB_ADD && edit->lenient) || same_route(there, &new))) {
		*changed = false;
		return ERR_NONE;
	}
	if (there && (edit->op == FIB_ADD || there->kind < SEG_ROUTE_VIA)) {
		err_set(err, ERR_EXISTS, "%s: %s", route_format_prefix(&key, text),
			given_live(there) ? "there is such a route" : protocol_of(there));
		return there->kind >= SEG_ROUTE_VIA ? err_hint(err, "replace it, or delete it first") : err->code;
	}
	new.flags = down_flag(r, &new);
	*changed = true;
	return table_put(r, steps, &new, err);
}

static bool
matches(const struct seg_route *there, const struct seg_route *want)
{
	bool any = !(want->via[0] | want->via[1]);
	return (!want->kind || want->kind == there->kind) && (!want->iface || want->iface == there->iface) &&
	       (any || (want->via[0] == there->via[0] && want->via[1] == there->via[1]));
}

static enum err_code
change_del(struct routes *r, const struct fib_edit *edit, struct fib_steps *steps, bool *changed, struct err *err)
{
	struct route_key key = key_of(&edit->route);
	char text[ROUTE_TEXT_SIZE];
	uint32_t slot = route_find(&r->table, &key);
	*changed = slot != ROUTE_NONE && matches(&r->table.slot[slot], &edit->route);
	if (!*changed) {
		return edit->lenient ? ERR_NONE
				     : err_set(err, ERR_NOT_FOUND, "%s: no such route", route_format_prefix(&key, text));
	}
	const struct seg_route *there = &r->table.slot[slot];
	if (!given_live(there)) {
		err_set(err, ERR_REFUSED, "%s: %s", route_format_prefix(&key, text), protocol_of(there));
		return err_hint(err, "pe apply, with a file that does without it");
	}
	/* What the configuration wants there had to stand back. */
	const struct seg_route *base = base_find(r->base, r->nbase, there);
	if (!base) {
		return table_del(r, steps, slot, err);
	}
	struct seg_route back = *base;
	back.flags = (uint8_t)((back.flags & ~SEG_ROUTE_DOWN) | down_flag(r, &back));
	return table_put(r, steps, &back, err);
}

enum err_code
fib_change(struct engine *engine, const struct fib_edit *edit, size_t n, bool dry_run, struct fib_result *result, struct err *err)
{
	struct routes *r = engine->routes;
	struct fib_steps steps = {0};
	*result = (struct fib_result){0};
	enum err_code code = catch_up(r, CONTROL_FOLLOW_MS, err);
	for (size_t i = 0; i < n && code == ERR_NONE; i++) {
		bool changed = false;
		code = edit[i].op == FIB_DEL ? change_del(r, &edit[i], &steps, &changed, err)
					     : change_put(r, &edit[i], &steps, &changed, err);
		result->bad = i;
		*(changed ? &result->changed : &result->unchanged) += 1;
	}
	if (code != ERR_NONE || dry_run) {
		undo(r, &steps);
		return code;
	}
	code = commit(r, &steps, err);
	result->bad = code != ERR_NONE ? n : result->bad;
	return code;
}

/* ---- from first to last --------------------------------------------------------------------------------------------- */

const struct route_table *
fib_table(const struct engine *engine)
{
	return &engine->routes->table;
}

enum err_code
fib_open(struct engine *engine, struct err *err)
{
	struct routes *r = calloc(1, sizeof(*r));
	if (!r) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	r->engine = engine;
	route_init(&r->table, seg_routes(&engine->seg), engine->seg.head.route_slots, engine->seg.head.route_limit);
	r->fib[0].hop = r->fib[1].hop = r->hops.hop;
	engine->routes = r;
	__atomic_store_n(&engine->fib, &r->fib[0], __ATOMIC_SEQ_CST);
	return ERR_NONE;
}

void
fib_tick(struct engine *engine)
{
	struct routes *r = engine->routes;
	struct err err;
	if (r->behind && !engine_unpassed(engine, &r->marks)) {
		follow(r);
		engine_event(engine, LOG_LEVEL_NOTICE, "all cores use the newest routes again");
	}
	if (r->again && !r->behind && fib_config(engine, &err) != ERR_NONE) {
		engine_event(engine, LOG_LEVEL_ERROR, "%s", err.message);
	}
}

void
fib_close(struct engine *engine)
{
	struct routes *r = engine->routes;
	if (!r) {
		return;
	}
	for (unsigned i = 0; i < 2 * SEG_FAMILIES; i++) {
		fib_copy_free(r, i / 2, i % 2);
	}
	engine->fib = NULL;
	engine->routes = NULL;
	steps_free(&r->pending);
	free(r->base);
	free(r);
}
