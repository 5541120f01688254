/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

#define PATH_SIZE sizeof(((struct conf_change *)NULL)->path)

struct walk {
	struct conf_changes *changes;
	bool mtu_fits; /* the port at hand gets along with the mbufs of the running engine */
	bool bad;
};

/* Takes over both values; NULL: absent. */
static void
add(struct walk *w, const char *path, json_t *from, json_t *to, bool live)
{
	struct conf_changes *c = w->changes;
	struct conf_change *more = realloc(c->change, (c->n + 1) * sizeof(*more));
	if (more) {
		struct conf_change *change = &more[c->n++];
		c->change = more;
		*change = (struct conf_change){.live = live};
		snprintf(change->path, sizeof(change->path), "%s", path);
		change->from = from ? json_dumps(from, JSON_ENCODE_ANY) : strdup("");
		change->to = to ? json_dumps(to, JSON_ENCODE_ANY) : strdup("");
	}
	w->bad = w->bad || !more || !c->change[c->n - 1].from || !c->change[c->n - 1].to;
	json_decref(from);
	json_decref(to);
}

static void
diff_table(struct walk *w, const char *above, const struct conf_table *table, const void *from, const void *to)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_key *key = &table->key[i];
		char path[PATH_SIZE];
		snprintf(path, sizeof(path), "%s%s%s", above, above[0] ? "." : "", key->name);
		if (key->kind == CONF_OBJECT) {
			diff_table(w, path, key->sub, from, to);
			continue;
		}
		json_t *a = conf_value(key, from), *b = conf_value(key, to);
		if ((a || b) && !json_equal(a, b)) {
			add(w, path, a, b, key->live && (w->mtu_fits || strcmp(key->name, "mtu") != 0));
		} else {
			json_decref(a);
			json_decref(b);
		}
	}
}

/* An object with what is not as in `base`. */
static json_t *
object_of(const struct conf_table *table, const void *from, const void *base)
{
	json_t *object = json_object();
	for (size_t i = 0; i < table->n; i++) {
		json_t *value = conf_value(&table->key[i], from), *usual = conf_value(&table->key[i], base);
		if (value && !json_equal(value, usual)) {
			json_object_set(object, table->key[i].name, value);
		}
		json_decref(value);
		json_decref(usual);
	}
	return object;
}

static json_t *
port_json(const struct conf_port *port)
{
	return object_of(&conf_port_keys, port, &conf_port_default);
}

static json_t *
member_json(const struct conf_member *member)
{
	return object_of(&conf_member_keys, member, &(struct conf_member){0});
}

static json_t *
bridge_json(const struct conf *conf, const struct conf_bridge *bridge)
{
	json_t *object = object_of(&conf_bridge_keys, bridge, &(struct conf_bridge){0});
	json_t *ports = json_object();
	for (size_t m = 0; m < bridge->nmembers; m++) {
		json_object_set_new(ports, conf->port[bridge->member[m].port].name, member_json(&bridge->member[m]));
	}
	json_object_set_new(object, "ports", ports);
	return object;
}

static void
diff_ports(struct walk *w, const struct conf *from, const struct conf *to)
{
	char path[PATH_SIZE];
	uint32_t room = from->room ? from->room : conf_mbuf_room(from);
	for (size_t i = 0; i < from->nports; i++) {
		if (conf_find_port(to, from->port[i].name) < 0) {
			snprintf(path, sizeof(path), "ports.%s", from->port[i].name);
			add(w, path, port_json(&from->port[i]), NULL, true);
		}
	}
	for (size_t i = 0; i < to->nports; i++) {
		const struct conf_port *port = &to->port[i];
		int before = conf_find_port(from, port->name);
		struct conf alone = {.nports = 1, .port = &to->port[i]};
		w->mtu_fits = conf_mbuf_room(&alone) <= room;
		snprintf(path, sizeof(path), "ports.%s", port->name);
		if (before < 0) {
			add(w, path, NULL, port_json(port), w->mtu_fits);
		} else {
			diff_table(w, path, &conf_port_keys, &from->port[before], port);
		}
	}
	w->mtu_fits = true;
}

static const struct conf_bridge *
find_bridge(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->nbridges; i++) {
		if (strcmp(conf->bridge[i].name, name) == 0) {
			return &conf->bridge[i];
		}
	}
	return NULL;
}

static const struct conf_member *
find_member(const struct conf *conf, const struct conf_bridge *bridge, const char *name)
{
	for (size_t m = 0; m < bridge->nmembers; m++) {
		if (strcmp(conf->port[bridge->member[m].port].name, name) == 0) {
			return &bridge->member[m];
		}
	}
	return NULL;
}

static void
diff_members(
	struct walk *w, const struct conf *from, const struct conf_bridge *a, const struct conf *to, const struct conf_bridge *b)
{
	char path[PATH_SIZE];
	for (size_t m = 0; m < a->nmembers; m++) {
		const char *name = from->port[a->member[m].port].name;
		if (!find_member(to, b, name)) {
			snprintf(path, sizeof(path), "bridges.%s.ports.%s", a->name, name);
			add(w, path, member_json(&a->member[m]), NULL, true);
		}
	}
	for (size_t m = 0; m < b->nmembers; m++) {
		const char *name = to->port[b->member[m].port].name;
		const struct conf_member *before = find_member(from, a, name);
		snprintf(path, sizeof(path), "bridges.%s.ports.%s", b->name, name);
		if (before) {
			diff_table(w, path, &conf_member_keys, before, &b->member[m]);
		} else {
			add(w, path, NULL, member_json(&b->member[m]), true);
		}
	}
}

static void
diff_bridges(struct walk *w, const struct conf *from, const struct conf *to)
{
	char path[PATH_SIZE];
	for (size_t i = 0; i < from->nbridges; i++) {
		if (!find_bridge(to, from->bridge[i].name)) {
			snprintf(path, sizeof(path), "bridges.%s", from->bridge[i].name);
			add(w, path, bridge_json(from, &from->bridge[i]), NULL, true);
		}
	}
	for (size_t i = 0; i < to->nbridges; i++) {
		const struct conf_bridge *bridge = &to->bridge[i], *before = find_bridge(from, bridge->name);
		snprintf(path, sizeof(path), "bridges.%s", bridge->name);
		if (before) {
			diff_table(w, path, &conf_bridge_keys, before, bridge);
			diff_members(w, from, before, to, bridge);
		} else {
			add(w, path, NULL, bridge_json(to, bridge), true);
		}
	}
}

/* ---- interfaces and routes -------------------------------------------------------------------------------------- */

static json_t *
iface_place(const struct conf *conf, const struct conf_iface *iface, const char *key)
{
	bool bridge = key[0] == 'b';
	uint16_t at = bridge ? iface->bridge : iface->port;
	return at == CONF_NONE ? NULL : json_string(bridge ? conf->bridge[at].name : conf->port[at].name);
}

static json_t *
iface_json(const struct conf *conf, const struct conf_iface *iface)
{
	json_t *object = json_object();
	for (const char *key = "bridge"; key; key = key[0] == 'b' ? "port" : NULL) {
		json_t *name = iface_place(conf, iface, key);
		if (name) {
			json_object_set_new(object, key, name);
		}
	}
	json_t *rest = object_of(&conf_iface_keys, iface, &conf_iface_default);
	json_object_update(object, rest);
	json_decref(rest);
	return object;
}

static void
diff_place(struct walk *w, const struct conf *from, const struct conf_iface *a, const struct conf *to, const struct conf_iface *b,
	const char *key)
{
	json_t *before = iface_place(from, a, key), *after = iface_place(to, b, key);
	if ((before || after) && !json_equal(before, after)) {
		char path[PATH_SIZE];
		snprintf(path, sizeof(path), "interfaces.%s.%s", b->name, key);
		add(w, path, before, after, true);
	} else {
		json_decref(before);
		json_decref(after);
	}
}

static void
diff_ifaces(struct walk *w, const struct conf *from, const struct conf *to)
{
	char path[PATH_SIZE];
	for (size_t i = 0; i < from->nifaces; i++) {
		if (conf_find_iface(to, from->iface[i].name) < 0) {
			snprintf(path, sizeof(path), "interfaces.%s", from->iface[i].name);
			add(w, path, iface_json(from, &from->iface[i]), NULL, true);
		}
	}
	for (size_t i = 0; i < to->nifaces; i++) {
		const struct conf_iface *iface = &to->iface[i];
		int before = conf_find_iface(from, iface->name);
		snprintf(path, sizeof(path), "interfaces.%s", iface->name);
		if (before < 0) {
			add(w, path, NULL, iface_json(to, iface), true);
			continue;
		}
		diff_place(w, from, &from->iface[before], to, iface, "bridge");
		diff_place(w, from, &from->iface[before], to, iface, "port");
		diff_table(w, path, &conf_iface_keys, &from->iface[before], iface);
	}
}

/* NULL: no memory. */
static const struct conf_route **
sorted_routes(const struct conf *conf)
{
	const struct conf_route **sorted = calloc(conf->nroutes + 1, sizeof(const struct conf_route *));
	for (size_t i = 0; sorted && i < conf->nroutes; i++) {
		sorted[i] = &conf->route[i];
	}
	if (sorted) {
		qsort(sorted, conf->nroutes, sizeof(sorted[0]), conf_compare_routes);
	}
	return sorted;
}

/* Takes over both values, either may be NULL. */
static void
diff_route(struct walk *w, json_t *from, json_t *to)
{
	if (from && to && json_equal(from, to)) {
		json_decref(from);
		json_decref(to);
		return;
	}
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "routes[%s]", json_string_value(json_object_get(from ? from : to, "to")));
	add(w, path, from, to, true);
}

/* The order of routes means nothing. */
static void
diff_routes(struct walk *w, const struct conf *from, const struct conf *to)
{
	const struct conf_route **a = sorted_routes(from), **b = sorted_routes(to);
	w->bad = w->bad || !a || !b;
	for (size_t i = 0, j = 0; !w->bad && (i < from->nroutes || j < to->nroutes);) {
		int order = i == from->nroutes ? 1 : j == to->nroutes ? -1 : conf_compare_routes(&a[i], &b[j]);
		json_t *before = order <= 0 ? conf_route_json(from, a[i++]) : NULL;
		json_t *after = order >= 0 ? conf_route_json(to, b[j++]) : NULL;
		diff_route(w, before, after);
	}
	free(a);
	free(b);
}

bool
conf_diff(const struct conf *from, const struct conf *to, struct conf_changes *changes)
{
	*changes = (struct conf_changes){0};
	struct walk w = {.changes = changes, .mtu_fits = true};
	diff_table(&w, "", &conf_top_keys, from, to);
	diff_ports(&w, from, to);
	diff_bridges(&w, from, to);
	diff_ifaces(&w, from, to);
	diff_routes(&w, from, to);
	if (w.bad) {
		conf_changes_free(changes);
	}
	return !w.bad;
}

void
conf_changes_free(struct conf_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		free(changes->change[i].from);
		free(changes->change[i].to);
	}
	free(changes->change);
	*changes = (struct conf_changes){0};
}
