/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The appliance file as a whole, and the keys of its top. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "conf/conf_int.h"
#include "shm/seg.h"

#define CPU_MAX 4095
#define HOLD_ALL 512
#define HOLD_PART 8 /* at most this part of the mbufs */

int
conf_find_port(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->nports; i++) {
		if (strcmp(conf->port[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

enum err_code
conf_take_name(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf *conf = base;
	const char *name = json_string_value(value);
	if (!name || !seg_name_valid(name)) {
		conf_fail_value(r, value, "a name");
		return err_hint(r->err, "1 to 31 of a-z A-Z 0-9 . _ -, beginning with a letter or digit");
	}
	snprintf(conf->appliance, sizeof(conf->appliance), "%s", name);
	return ERR_NONE;
}

json_t *
conf_put_name(const void *base)
{
	const struct conf *conf = base;
	return json_string(conf->appliance);
}

/* "2-4" or "7": one item of a list of CPUs, *list moved behind it and its comma. */
static bool
take_cpu_item(const char **list, uint64_t *first, uint64_t *last)
{
	char item[16];
	size_t n = strcspn(*list, ",");
	if (n == 0 || n >= sizeof(item)) {
		return false;
	}
	memcpy(item, *list, n);
	item[n] = '\0';
	*list += n;
	if (**list == ',' && *++*list == '\0') {
		return false;
	}
	char *dash = strchr(item, '-');
	if (dash) {
		*dash = '\0';
	}
	if (!num_parse_u64(item, 0, CPU_MAX, first)) {
		return false;
	}
	*last = *first;
	return !dash || (num_parse_u64(dash + 1, 0, CPU_MAX, last) && *last >= *first);
}

enum err_code
conf_take_cpus(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf *conf = base;
	const char *list = json_string_value(value);
	if (!list || !*list) {
		return conf_fail_value(r, value, "a list of CPUs like \"2-4,7\"");
	}
	conf->ncpus = 0;
	while (*list) {
		uint64_t first, last;
		if (!take_cpu_item(&list, &first, &last)) {
			return conf_fail_value(r, value, "a list of CPUs like \"2-4,7\"");
		}
		for (; first <= last; first++) {
			if (conf->ncpus == SEG_MAX_CORES) {
				return conf_fail(r, ERR_USAGE, "more than %d CPUs", SEG_MAX_CORES);
			}
			conf->cpu[conf->ncpus++] = (uint16_t)first;
		}
	}
	return ERR_NONE;
}

json_t *
conf_put_cpus(const void *base)
{
	const struct conf *conf = base;
	char text[SEG_MAX_CORES * 6] = "";
	for (size_t i = 0, end = 0; i < conf->ncpus; end = strlen(text)) {
		size_t run = 1;
		while (i + run < conf->ncpus && conf->cpu[i + run] == conf->cpu[i] + run) {
			run++;
		}
		snprintf(text + end, sizeof(text) - end, run > 1 ? "%s%u-%u" : "%s%u", end ? "," : "", conf->cpu[i],
			conf->cpu[i + run - 1]);
		i += run;
	}
	return conf->ncpus ? json_string(text) : NULL;
}

enum err_code
conf_take_slots(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf *conf = base;
	json_int_t n = json_integer_value(value);
	if (!json_is_integer(value) || n < 16 || n > 65536 || (n & (n - 1)) != 0) {
		return conf_fail_value(r, value, "a power of two (16 to 65536)");
	}
	conf->ring_slots = (uint32_t)n;
	return ERR_NONE;
}

json_t *
conf_put_slots(const void *base)
{
	const struct conf *conf = base;
	return json_integer(conf->ring_slots);
}

/* What a later release brings may stand there empty. */
enum err_code
conf_take_later(struct conf_reader *r, const json_t *value, void *base)
{
	static const struct {
		const char *key;
		bool list;
		const char *what;
	} later[] = {
		{"lags", false, "has no link aggregation"},
		{"vrrp", true, "has no virtual routers"},
	};
	(void)base;
	size_t i = 0;
	while (strcmp(later[i].key, r->path) != 0) {
		i++;
	}
	if (later[i].list ? !json_is_array(value) : !json_is_object(value)) {
		return conf_fail_value(r, value, later[i].list ? "a list [...]" : "an object {...}");
	}
	if (json_object_size(value) + json_array_size(value) == 0) {
		return ERR_NONE;
	}
	conf_fail(r, ERR_REFUSED, "this release %s", later[i].what);
	return err_hint(r->err, "leave \"%s\" out, or empty", later[i].key);
}

static void
set_defaults(struct conf *conf)
{
	*conf = (struct conf){
		.cores = 1,
		.poll = CONF_POLL_ADAPTIVE,
		.mbufs = 16384,
		.hugepages = CONF_HUGE_AUTO,
		.ring_slots = 256,
		.fdb = 8192,
		.neighbors = 4096,
		.routes = 4096,
		.ageing_s = 300,
		.nbr = {.reachable_ms = 30000,
			.retrans_ms = 1000,
			.delay_ms = 5000,
			.stale_s = 1200,
			.solicitations = 3,
			.incomplete = 512,
			.solicit_pps = 1000,
			.hold = 4},
		.police = {.arp_pps = 4000, .nd_pps = 4000, .local_pps = 20000, .icmp_pps = 1000},
	};
}

/* Held packets are mbufs that devices and cores lack. */
static enum err_code
check_hold(struct conf_reader *r)
{
	struct conf *conf = r->conf;
	uint32_t most = conf->mbufs / HOLD_PART;
	if (!conf->nbr.hold_all) {
		conf->nbr.hold_all = most < HOLD_ALL ? most : HOLD_ALL;
	}
	if (conf->nbr.hold_all > most) {
		conf_fail(r, ERR_REFUSED, "neighbors.hold_all: %u is more than an eighth of the %u mbufs", conf->nbr.hold_all,
			conf->mbufs);
		return err_hint(r->err, "at most %u, or more memory.mbufs", most);
	}
	return ERR_NONE;
}

/* Each address brings its own route, and one for its prefix. */
static enum err_code
check_routes(struct conf_reader *r)
{
	const struct conf *conf = r->conf;
	size_t routes = conf->nroutes;
	for (size_t i = 0; i < conf->nifaces; i++) {
		routes += 2 * conf->iface[i].naddresses;
	}
	if (routes > conf->routes) {
		conf_fail(r, ERR_REFUSED, "tables.routes: %u are too few for %zu and those of the interfaces' addresses, %zu",
			conf->routes, conf->nroutes, routes - conf->nroutes);
		return err_hint(r->err, "at least %zu; what is given live needs room, too", routes);
	}
	return ERR_NONE;
}

/* What concerns more than one key. */
static enum err_code
check_whole(struct conf_reader *r)
{
	const struct conf *conf = r->conf;
	if (!conf->appliance[0]) {
		conf_fail(r, ERR_USAGE, "appliance: missing");
		return err_hint(r->err, "the file must name its appliance: \"appliance\": \"edge1\"");
	}
	if (conf->ncpus && conf->ncpus != conf->cores) {
		conf_fail(r, ERR_USAGE, "cores.cpus: %zu CPUs for %u data cores", conf->ncpus, conf->cores);
		return err_hint(r->err, "name as many as \"data\" says (one may be named twice), or leave \"cpus\" out");
	}
	enum err_code code = check_hold(r);
	return code ? code : check_routes(r);
}

/* Whatever the file's order: bridges refer to ports, interfaces to both, routes to interfaces. */
static enum err_code
read_document(struct conf_reader *r, json_t *document)
{
	static const char *const late[] = {"bridges", "interfaces", "routes"};
	json_t *first = json_copy(document);
	if (!first) {
		return err_set(r->err, ERR_FAILED, "no memory");
	}
	for (size_t i = 0; i < 3; i++) {
		json_object_del(first, late[i]);
	}
	enum err_code code = conf_read_object(r, first, &conf_top_keys, r->conf);
	json_decref(first);
	for (size_t i = 0; i < 3 && !code; i++) {
		json_t *one = json_object_get(document, late[i]);
		json_t *object = one ? json_pack("{sO}", late[i], one) : json_object();
		code = object ? conf_read_object(r, object, &conf_top_keys, r->conf) : err_set(r->err, ERR_FAILED, "no memory");
		json_decref(object);
	}
	return code ? code : check_whole(r);
}

static enum err_code
keep_text(struct conf_reader *r, const json_t *document)
{
	r->conf->text = conf_layout(document);
	if (!r->conf->text) {
		return err_set(r->err, ERR_FAILED, "no memory");
	}
	if (strlen(r->conf->text) >= SEG_CONFIG_TEXT_SIZE) {
		return err_set(r->err, ERR_USAGE, "the configuration is longer than %u bytes", SEG_CONFIG_TEXT_SIZE - 1);
	}
	return ERR_NONE;
}

enum err_code
conf_parse(const char *text, size_t size, struct conf *conf, struct err *err)
{
	set_defaults(conf);
	if (size > 4 * SEG_CONFIG_TEXT_SIZE) {
		return err_set(err, ERR_USAGE, "the configuration is longer than %u bytes", SEG_CONFIG_TEXT_SIZE - 1);
	}
	json_error_t where;
	json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (!document) {
		return err_set(err, ERR_USAGE, "line %d, column %d: %s", where.line, where.column, where.text);
	}
	struct conf_reader r = {.conf = conf, .err = err};
	enum err_code code = read_document(&r, document);
	if (!code) {
		code = keep_text(&r, document);
	}
	json_decref(document);
	if (code) {
		conf_free(conf);
	}
	return code;
}

void
conf_free(struct conf *conf)
{
	for (size_t i = 0; i < conf->nbridges; i++) {
		free(conf->bridge[i].member);
	}
	free(conf->bridge);
	free(conf->port);
	free(conf->iface);
	free(conf->route);
	free(conf->text);
	*conf = (struct conf){0};
}
