/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "routes". */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

static const uint8_t kinds[] = {[CONF_ROUTE_UNICAST] = SEG_ROUTE_VIA,
	[CONF_ROUTE_BLACKHOLE] = SEG_ROUTE_BLACKHOLE,
	[CONF_ROUTE_UNREACHABLE] = SEG_ROUTE_UNREACHABLE,
	[CONF_ROUTE_PROHIBIT] = SEG_ROUTE_PROHIBIT};

static const char *
family_name(unsigned family)
{
	return family == SEG_IPV4 ? "IPv4" : "IPv6";
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

/* What nobody routes. */
static const char *
not_routed(const struct conf_address *to)
{
	static const struct {
		struct conf_address prefix;
		const char *what;
	} never[] = {
		{{.family = SEG_IPV4, .length = 4, .address = {0, 0xe0000000}}, "multicast"},
		{{.family = SEG_IPV4, .length = 8, .address = {0, 0x7f000000}}, "loopback"},
		{{.family = SEG_IPV6, .length = 8, .address = {0xff00000000000000, 0}}, "multicast"},
		{{.family = SEG_IPV6, .length = 10, .address = {0xfe80000000000000, 0}}, "link-local"},
		{{.family = SEG_IPV6, .length = 128, .address = {0, 1}}, "loopback"},
	};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (to->length >= never[i].prefix.length && conf_prefix_holds(&never[i].prefix, to)) {
			return never[i].what;
		}
	}
	return NULL;
}

enum err_code
conf_take_to(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_route_words *words = base;
	const char *text = json_string_value(value);
	words->has_to = true;
	if (text && strcmp(text, "default") == 0) {
		words->is_default = true;
		return ERR_NONE;
	}
	if (!conf_parse_address(text, &words->to)) {
		conf_fail_value(r, value, "a prefix");
		return err_hint(r->err, "e.g. \"10.9.0.0/16\", \"2001:db8::/32\" or \"default\"");
	}
	if (words->to.length == CONF_NO_LENGTH) {
		words->to.length = words->to.family == SEG_IPV4 ? 32 : 128;
	}
	struct conf_address prefix;
	conf_prefix_of(&words->to, &prefix);
	if (!conf_same_address(&prefix, &words->to)) {
		char right[CONF_ADDRESS_TEXT];
		conf_fail(r, ERR_USAGE, "%s has bits set behind its prefix", text);
		return err_hint(r->err, "%s", conf_format_address(&prefix, right));
	}
	const char *what = not_routed(&words->to);
	return what ? conf_fail(r, ERR_USAGE, "%s: %s addresses are not routed", text, what) : ERR_NONE;
}

enum err_code
conf_take_via(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_route_words *words = base;
	const char *text = json_string_value(value);
	words->has_via = true;
	if (!conf_parse_address(text, &words->via) || words->via.length != CONF_NO_LENGTH) {
		conf_fail_value(r, value, "a gateway's address");
		return err_hint(r->err, "e.g. \"10.0.10.254\"");
	}
	const char *why = conf_not_host(&words->via);
	return why ? conf_fail(r, ERR_USAGE, "%s %s", text, why) : ERR_NONE;
}

enum err_code
conf_take_route_iface(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_route_words *words = base;
	int iface = json_is_string(value) ? conf_find_iface(r->conf, json_string_value(value)) : -1;
	if (iface < 0) {
		conf_fail_value(r, value, "an interface");
		return err_hint(r->err, r->conf->nifaces ? "a name out of \"interfaces\"" : "\"interfaces\" is empty");
	}
	words->has_iface = true;
	words->iface = (uint16_t)iface;
	return ERR_NONE;
}

/* ---- what concerns more than one key ---------------------------------------------------------------------------- */

/* The interface with the longest prefix that holds the address; CONF_NONE. *own: it is an address of ours itself. */
static uint16_t
iface_that_holds(const struct conf *conf, const struct conf_address *address, bool *own)
{
	uint16_t found = CONF_NONE;
	int length = -1;
	*own = false;
	for (size_t i = 0; i < conf->nifaces; i++) {
		const struct conf_iface *iface = &conf->iface[i];
		for (size_t a = 0; a < iface->naddresses; a++) {
			const struct conf_address *prefix = &iface->address[a];
			if (prefix->length > length && !conf_link_local(prefix) && conf_prefix_holds(prefix, address)) {
				found = (uint16_t)i;
				length = prefix->length;
			}
			*own = *own || conf_same_address(prefix, address);
		}
	}
	return found;
}

/* Somebody must ask for neighbours there. */
static bool
iface_speaks(const struct conf_iface *iface, unsigned family)
{
	bool speaks = family == SEG_IPV6 && iface->ipv6;
	for (size_t i = 0; i < iface->naddresses; i++) {
		speaks = speaks || iface->address[i].family == family;
	}
	return speaks;
}

/* Finds the way to the gateway. */
static enum err_code
check_via(struct conf_reader *r, struct conf_route_words *words)
{
	const struct conf *conf = r->conf;
	char text[CONF_ADDRESS_TEXT];
	bool own;
	conf_enter(r, "via");
	conf_format_address(&words->via, text);
	uint16_t iface = iface_that_holds(conf, &words->via, &own);
	if (own) {
		return conf_fail(r, ERR_USAGE, "%s is an address of our own", text);
	}
	if (conf_link_local(&words->via)) {
		if (!words->has_iface) {
			conf_fail(r, ERR_USAGE, "%s is link-local: on which link?", text);
			return err_hint(r->err, "name its \"interface\"");
		}
		return ERR_NONE;
	}
	if (iface == CONF_NONE) {
		conf_fail(r, ERR_USAGE, "%s lies in no interface's prefix", text);
		return err_hint(r->err, "a gateway is a neighbour: give an interface an address of its network");
	}
	if (words->has_iface && words->iface != iface) {
		return conf_fail(r, ERR_USAGE, "%s is a neighbour on interface %s", text, conf->iface[iface].name);
	}
	words->has_iface = true;
	words->iface = iface;
	return ERR_NONE;
}

/* A route for what is a neighbour's prefix anyway would never be used. */
static enum err_code
check_connected(struct conf_reader *r, const struct conf_address *to)
{
	char text[CONF_ADDRESS_TEXT];
	for (size_t i = 0; i < r->conf->nifaces; i++) {
		const struct conf_iface *iface = &r->conf->iface[i];
		for (size_t a = 0; a < iface->naddresses && iface->enabled; a++) {
			struct conf_address prefix;
			conf_prefix_of(&iface->address[a], &prefix);
			if (prefix.length == to->length && conf_same_address(&prefix, to)) {
				conf_enter(r, "to");
				return conf_fail(r, ERR_EXISTS, "%s is on interface %s itself", conf_format_address(to, text),
					iface->name);
			}
		}
	}
	return ERR_NONE;
}

static enum err_code
check_unicast(struct conf_reader *r, struct conf_route_words *words)
{
	if (!words->has_via && !words->has_iface) {
		conf_fail(r, ERR_USAGE, "leads nowhere");
		return err_hint(r->err, "\"via\" a gateway, an \"interface\", or a \"type\" other than unicast");
	}
	if (words->has_via && words->via.family != words->to.family) {
		conf_enter(r, "via");
		return conf_fail(r, ERR_USAGE, "an %s gateway for an %s prefix", family_name(words->via.family),
			family_name(words->to.family));
	}
	size_t at = strlen(r->path);
	enum err_code code = words->has_via ? check_via(r, words) : ERR_NONE;
	if (code) {
		return code;
	}
	conf_leave(r, at);
	if (!iface_speaks(&r->conf->iface[words->iface], words->to.family)) {
		conf_enter(r, "interface");
		return conf_fail(r, ERR_USAGE, "%s has no %s address to ask for neighbours with",
			r->conf->iface[words->iface].name, family_name(words->to.family));
	}
	return check_connected(r, &words->to);
}

static enum err_code
check_words(struct conf_reader *r, struct conf_route_words *words)
{
	if (!words->has_to) {
		conf_fail(r, ERR_USAGE, "no \"to\"");
		return err_hint(r->err, "{ \"to\": \"10.9.0.0/16\", \"via\": \"10.0.10.254\" }");
	}
	if (words->is_default && !words->has_via) {
		conf_enter(r, "to");
		conf_fail(r, ERR_USAGE, "\"default\" without \"via\": of which family?");
		return err_hint(r->err, "\"0.0.0.0/0\" or \"::/0\"");
	}
	if (words->is_default) {
		words->to = (struct conf_address){.family = words->via.family};
	}
	if (words->type == CONF_ROUTE_UNICAST) {
		return check_unicast(r, words);
	}
	if (words->has_via || words->has_iface) {
		conf_enter(r, words->has_via ? "via" : "interface");
		return conf_fail(r, ERR_USAGE, "\"type\": \"%s\" leads nowhere", conf_route_types[words->type]);
	}
	return check_connected(r, &words->to);
}

static enum err_code
take_route(struct conf_reader *r, const json_t *value, struct conf_route *route)
{
	struct conf_route_words words = {.iface = CONF_NONE};
	enum err_code code = conf_read_object(r, value, &conf_route_keys, &words);
	code = code ? code : check_words(r, &words);
	if (code) {
		return code;
	}
	bool link = words.type == CONF_ROUTE_UNICAST && !words.has_via;
	*route = (struct conf_route){.family = words.to.family,
		.length = words.to.length,
		.kind = link ? SEG_ROUTE_LINK : kinds[words.type],
		.iface = words.has_iface ? words.iface : CONF_NONE,
		.prefix = {words.to.address[0], words.to.address[1]},
		.via = {words.via.address[0], words.via.address[1]}};
	return ERR_NONE;
}

int
conf_compare_routes(const void *a, const void *b)
{
	const struct conf_route *x = *(const struct conf_route *const *)a, *y = *(const struct conf_route *const *)b;
	if (x->family != y->family) {
		return x->family < y->family ? -1 : 1;
	}
	for (int i = 0; i < 2; i++) {
		if (x->prefix[i] != y->prefix[i]) {
			return x->prefix[i] < y->prefix[i] ? -1 : 1;
		}
	}
	return (int)x->length - (int)y->length;
}

static enum err_code
check_twice(struct conf_reader *r)
{
	const struct conf *conf = r->conf;
	const struct conf_route **sorted = calloc(conf->nroutes + 1, sizeof(const struct conf_route *));
	if (!sorted) {
		return err_set(r->err, ERR_FAILED, "no memory");
	}
	for (size_t i = 0; i < conf->nroutes; i++) {
		sorted[i] = &conf->route[i];
	}
	qsort(sorted, conf->nroutes, sizeof(sorted[0]), conf_compare_routes);
	enum err_code code = ERR_NONE;
	for (size_t i = 1; i < conf->nroutes && !code; i++) {
		if (conf_compare_routes(&sorted[i - 1], &sorted[i]) == 0) {
			size_t a = (size_t)(sorted[i - 1] - conf->route), b = (size_t)(sorted[i] - conf->route);
			conf_enter_item(r, a > b ? a : b);
			conf_enter(r, "to");
			code = conf_fail(r, ERR_EXISTS, "the prefix is that of routes[%zu] already", a < b ? a : b);
		}
	}
	free(sorted);
	return code;
}

enum err_code
conf_take_routes(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf *conf = base;
	if (!json_is_array(value)) {
		return conf_fail_value(r, value, "a list [...]");
	}
	conf->route = calloc(json_array_size(value) + 1, sizeof(conf->route[0]));
	if (!conf->route) {
		return err_set(r->err, ERR_FAILED, "no memory");
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		size_t at = conf_enter_item(r, i);
		enum err_code code = take_route(r, json_array_get(value, i), &conf->route[i]);
		if (code) {
			return code;
		}
		conf->nroutes++;
		conf_leave(r, at);
	}
	return check_twice(r);
}

json_t *
conf_route_json(const struct conf *conf, const struct conf_route *route)
{
	struct conf_address to = {
		.family = route->family, .length = route->length, .address = {route->prefix[0], route->prefix[1]}};
	struct conf_address via = {.family = route->family, .length = CONF_NO_LENGTH, .address = {route->via[0], route->via[1]}};
	char text[CONF_ADDRESS_TEXT];
	json_t *object = json_object();
	json_object_set_new(object, "to", json_string(conf_format_address(&to, text)));
	if (route->kind == SEG_ROUTE_VIA) {
		json_object_set_new(object, "via", json_string(conf_format_address(&via, text)));
	}
	if (route->kind == SEG_ROUTE_LINK || (route->kind == SEG_ROUTE_VIA && conf_link_local(&via))) {
		json_object_set_new(object, "interface", json_string(conf->iface[route->iface].name));
	}
	for (unsigned i = CONF_ROUTE_BLACKHOLE; i <= CONF_ROUTE_PROHIBIT; i++) {
		if (kinds[i] == route->kind) {
			json_object_set_new(object, "type", json_string(conf_route_types[i]));
		}
	}
	return object;
}
