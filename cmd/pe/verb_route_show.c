/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe route show, get: from the segment, also of a dead engine. */
#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "cli/source.h"
#include "nbr/nbr.h"
#include "verb_route.h"

#define TRIES 5 /* a table that changes meanwhile is read again */

static const struct out_column columns[] = {
	{.key = "to"},
	{.key = "via"},
	{.key = "interface"},
	{.key = "type"},
	{.key = "protocol"},
	{.key = "age_ms", .title = "AGE", .flags = OUT_RIGHT},
	{.key = "active"},
	{.key = NULL},
};

struct filter {
	struct route_key within;
	bool prefix;
	uint8_t family;              /* SEG_FAMILIES: both */
	uint16_t iface;              /* 0: all */
	const char *protocol, *type; /* NULL: all */
};

struct list {
	size_t n, room;
	struct seg_route *route;
};

static const char *
type_of(const struct seg_route *route)
{
	static const char *const words[SEG_ROUTE_KINDS] = {
		"none", "unicast", "local", "unicast", "unicast", "blackhole", "unreachable", "prohibit"};
	return words[route->kind % SEG_ROUTE_KINDS];
}

static const char *
protocol_of(const struct seg_route *route)
{
	if (route->kind == SEG_ROUTE_LOCAL || route->kind == SEG_ROUTE_CONNECTED) {
		return route->kind == SEG_ROUTE_LOCAL ? "local" : "connected";
	}
	return route->flags & SEG_ROUTE_FILE ? "file" : "live";
}

/* A segment may hold anything. */
static bool
sane(const struct seg_route *route)
{
	return route->family < SEG_FAMILIES && route->length <= (route->family == SEG_IPV4 ? 32 : 128) &&
	       route->iface < SEG_MAX_IFACES;
}

static bool
holds(const struct route_key *net, uint8_t family, const uint64_t address[static 2])
{
	uint64_t words[2] = {address[0], address[1]};
	route_mask(net->family, net->length, words);
	return family == net->family && words[0] == net->prefix[0] && words[1] == net->prefix[1];
}

static bool
wanted(const struct filter *filter, const struct seg_route *route)
{
	if ((filter->family != SEG_FAMILIES && route->family != filter->family) ||
		(filter->iface && route->iface != filter->iface)) {
		return false;
	}
	if (filter->prefix && !(route->length >= filter->within.length && holds(&filter->within, route->family, route->prefix))) {
		return false;
	}
	return (!filter->protocol || strcmp(filter->protocol, protocol_of(route)) == 0) &&
	       (!filter->type || strcmp(filter->type, type_of(route)) == 0);
}

static bool
add(struct list *list, const struct seg_route *route)
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 1024;
		struct seg_route *more = realloc(list->route, room * sizeof(*more));
		if (!more) {
			return false;
		}
		list->route = more;
		list->room = room;
	}
	list->route[list->n++] = *route;
	return true;
}

static int
compare(const void *left, const void *right)
{
	const struct seg_route *a = left, *b = right;
	if (a->family != b->family) {
		return a->family - b->family;
	}
	for (int i = 0; i < 2; i++) {
		if (a->prefix[i] != b->prefix[i]) {
			return a->prefix[i] < b->prefix[i] ? -1 : 1;
		}
	}
	return a->length - b->length;
}

/* Entries may move while the table changes: what was read then is read again, and an entry seen twice counts once. */
static bool
load(const struct source *source, const struct filter *filter, struct list *list)
{
	for (int tries = 0; tries < TRIES; tries++) {
		uint64_t changes = seg_get_acquire(&source->control->route_changes);
		list->n = 0;
		for (uint64_t slot = 0; slot < source->seg.head.route_slots; slot++) {
			struct seg_route route;
			if (seg_read_route(&source->seg, slot, &route) && sane(&route) && wanted(filter, &route) &&
				!add(list, &route)) {
				return false;
			}
		}
		if (seg_get_acquire(&source->control->route_changes) == changes) {
			break;
		}
	}
	if (list->n) {
		qsort(list->route, list->n, sizeof(*list->route), compare);
	}
	size_t kept = 0;
	for (size_t i = 0; i < list->n; i++) {
		if (!kept || compare(&list->route[kept - 1], &list->route[i]) != 0) {
			list->route[kept++] = list->route[i];
		}
	}
	list->n = kept;
	return true;
}

static void
out_route(struct out *out, const struct source *source, const struct seg_route *route)
{
	char text[ROUTE_TEXT_SIZE], address[IP_TEXT_SIZE];
	struct route_key key = {{route->prefix[0], route->prefix[1]}, route->family, route->length};
	struct ip ip;
	const char *iface = source->tables->iface[route->iface].name;
	nbr_ip(route->family, route->via, &ip);
	out_text(out, route_format_prefix(&key, text));
	out_text(out, route->kind == SEG_ROUTE_VIA ? ip_format(&ip, address) : NULL);
	out_text(out, route->iface && iface[0] ? iface : NULL);
	out_text(out, type_of(route));
	out_text(out, protocol_of(route));
	out_age(out, source_age_ms(source, route->since_ns));
	out_bool(out, !(route->flags & SEG_ROUTE_DOWN));
	out_row(out);
}

static enum err_code
read_filter(const struct cli *cli, const struct source *source, struct filter *filter, struct err *err)
{
	*filter = (struct filter){.family = SEG_FAMILIES,
		.prefix = cli_has(cli, "prefix"),
		.protocol = cli_text(cli, "protocol"),
		.type = cli_text(cli, "type")};
	if (cli_has(cli, "family")) {
		filter->family = (uint8_t)cli_number(cli, "family");
	}
	enum err_code code = filter->prefix ? verb_route_prefix(cli, &filter->within, err) : ERR_NONE;
	if (code == ERR_NONE && cli_has(cli, "dev")) {
		code = source_number("interface", cli_text(cli, "dev"), source->tables->iface[0].name,
			sizeof(source->tables->iface[0]), SEG_MAX_IFACES, &filter->iface, err);
	}
	return code;
}

static enum err_code
show(struct cli *cli, const struct source *source, struct err *err)
{
	struct filter filter;
	struct list list = {0};
	enum err_code code = read_filter(cli, source, &filter, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (!load(source, &filter, &list)) {
		free(list.route);
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (cli_has(cli, "count")) {
		code = cli_print_count(cli, list.n, err);
	} else {
		struct out *out = out_open(cli, columns);
		for (size_t i = 0; i < list.n; i++) {
			out_route(out, source, &list.route[i]);
		}
		code = out_close(out, err);
	}
	free(list.route);
	return code;
}

enum err_code
verb_route_show(struct cli *cli, struct err *err)
{
	struct source source;
	enum err_code code = source_read(cli, &source, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = show(cli, &source, err);
	source_close(&source);
	return code;
}

/* The longest prefix in use that holds the address. */
static bool
look_up(const struct source *source, uint8_t family, const uint64_t address[static 2], struct seg_route *best)
{
	bool found = false;
	for (uint64_t slot = 0; slot < source->seg.head.route_slots; slot++) {
		struct seg_route route;
		if (!seg_read_route(&source->seg, slot, &route) || !sane(&route) || (route.flags & SEG_ROUTE_DOWN)) {
			continue;
		}
		struct route_key key = {{route.prefix[0], route.prefix[1]}, route.family, route.length};
		if (holds(&key, family, address) && (!found || route.length > best->length)) {
			*best = route;
			found = true;
		}
	}
	return found;
}

enum err_code
verb_route_get(struct cli *cli, struct err *err)
{
	struct source source;
	struct seg_route best = {0};
	uint64_t words[2];
	const struct ip *ip = &cli_nth(cli, "address", 0)->ip;
	enum err_code code = source_read(cli, &source, err);
	if (code != ERR_NONE) {
		return code;
	}
	nbr_words(ip, words);
	if (!look_up(&source, ip->family == 6 ? SEG_IPV6 : SEG_IPV4, words, &best)) {
		code = err_set(err, ERR_NOT_FOUND, "%s: no route", cli_text(cli, "address"));
	} else {
		struct out *out = out_open(cli, columns);
		out_route(out, &source, &best);
		code = out_close(out, err);
	}
	source_close(&source);
	return code;
}
