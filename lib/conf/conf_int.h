/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside lib/conf: the tables of keys. One table an object of the file says what a key is called, what may stand there, where
 * it goes and whether it can change live; reading, comparing and the hints of errors all come from it.
 */
#ifndef PEKIT_CONF_INT_H
#define PEKIT_CONF_INT_H

#include <jansson.h>

#include "conf/conf.h"
#include "json/where.h"

struct conf_reader {
	struct conf *conf;
	struct err *err;
	char path[WHERE_SIZE]; /* of the value being read: "ports.p1.mtu" */
};

enum conf_kind {
	CONF_UINT, /* min..max, `size` bytes */
	CONF_BPS,  /* a number, or a string with a unit; 8 bytes */
	CONF_PPS,  /* likewise; 4 or 8 bytes */
	CONF_BOOL,
	CONF_WORD,   /* one of `words`, stored as its place */
	CONF_TEXT,   /* `size` bytes with the terminating 0, printable */
	CONF_OBJECT, /* keys of `sub`, stored in the same struct */
	CONF_OWN,    /* read by `take`, written by `put` */
};

struct conf_key {
	const char *name;
	enum conf_kind kind;
	bool live;
	uint16_t offset, size;
	uint64_t min, max;
	const char *what; /* "a VLAN": completes "4095 is not ..." */
	const char *const *words;
	const struct conf_table *sub;
	enum err_code (*take)(struct conf_reader *r, const json_t *value, void *base);
	json_t *(*put)(const void *base); /* NULL: absent; a CONF_OWN without it is compared by conf_diff() itself */
};

struct conf_table {
	size_t n;
	const struct conf_key *key;
};

extern const struct conf_table conf_top_keys, conf_port_keys, conf_bridge_keys, conf_member_keys, conf_iface_keys,
	conf_route_keys;

/* A port, an interface, before its keys are read. */
extern const struct conf_port conf_port_default;
extern const struct conf_iface conf_iface_default;

/* where_enter() and its like for the path. */
static inline size_t
conf_enter(struct conf_reader *r, const char *name)
{
	return where_enter(r->path, name);
}

static inline size_t
conf_enter_item(struct conf_reader *r, size_t i)
{
	return where_enter_item(r->path, i);
}

static inline void
conf_leave(struct conf_reader *r, size_t at)
{
	where_leave(r->path, at);
}

/* "PATH: ..." */
enum err_code
conf_fail(struct conf_reader *r, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "PATH: VALUE is not WHAT". */
enum err_code
conf_fail_value(struct conf_reader *r, const json_t *value, const char *what);

enum err_code
conf_read_object(struct conf_reader *r, const json_t *object, const struct conf_table *table, void *base);

/* The JSON of one key as stored: a new reference, NULL when absent. */
json_t *
conf_value(const struct conf_key *key, const void *base);

/* The readers of CONF_OWN keys. */
enum err_code
conf_take_name(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_cpus(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_slots(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_ports(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_device(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_bridges(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_stp(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_members(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_tagged(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_interfaces(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_iface_bridge(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_iface_port(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_mac(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_addresses(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_routes(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_to(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_via(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_route_iface(struct conf_reader *r, const json_t *value, void *base);
enum err_code
conf_take_later(struct conf_reader *r, const json_t *value, void *base);

json_t *
conf_put_name(const void *base);
json_t *
conf_put_cpus(const void *base);
json_t *
conf_put_slots(const void *base);
json_t *
conf_put_device(const void *base);
json_t *
conf_put_stp(const void *base);
json_t *
conf_put_tagged(const void *base);
json_t *
conf_put_mac(const void *base);
json_t *
conf_put_addresses(const void *base);

/* "no such port", with those that there are as a hint. */
enum err_code
conf_fail_no_port(struct conf_reader *r);

/* The bridge that has the port already, or NULL; one that is being read included. */
const struct conf_bridge *
conf_bridge_of(const struct conf *conf, unsigned port);

/* Index, or -1. */
int
conf_find_bridge(const struct conf *conf, const char *name);

/* Pairs of bridge and VLAN, each of which takes one of the engine's filtering identifiers. */
unsigned
conf_count_vlans(const struct conf_bridge *bridge);

/* A route as it stands in the file, before it is known whether that makes sense. */
struct conf_route_words {
	bool has_to, is_default, has_via, has_iface;
	uint8_t type; /* place in conf_route_types */
	uint16_t iface;
	struct conf_address to, via;
};

enum conf_route_type { CONF_ROUTE_UNICAST, CONF_ROUTE_BLACKHOLE, CONF_ROUTE_UNREACHABLE, CONF_ROUTE_PROHIBIT };

extern const char *const conf_route_types[];

/* As it would stand in the file. */
json_t *
conf_route_json(const struct conf *conf, const struct conf_route *route);

/* By family, prefix and length: for qsort() over pointers. */
int
conf_compare_routes(const void *a, const void *b);

/* ---- prefix.c: addresses with the length of their prefix ----------------------------------------------------------- */

#define CONF_NO_LENGTH 255 /* conf_address.length: there is none */
#define CONF_ADDRESS_TEXT 52

/* "10.0.10.1/24", "2001:db8::1"; the whole word. */
bool
conf_parse_address(const char *text, struct conf_address *address);

/* Returns text. */
char *
conf_format_address(const struct conf_address *address, char text[static CONF_ADDRESS_TEXT]);

/* Clears the bits behind the prefix. */
void
conf_prefix_of(const struct conf_address *address, struct conf_address *prefix);

/* Does the address (whose own length does not matter) lie in the prefix? */
bool
conf_prefix_holds(const struct conf_address *prefix, const struct conf_address *address);

bool
conf_prefix_overlaps(const struct conf_address *a, const struct conf_address *b);

/* Family and address, not the length. */
bool
conf_same_address(const struct conf_address *a, const struct conf_address *b);

bool
conf_link_local(const struct conf_address *address);

/* Why no station can have it: "is a multicast address"; NULL: one can. */
const char *
conf_not_host(const struct conf_address *address);

/* Do two device strings mean one device? */
bool
conf_same_device(const struct conf_port *a, const struct conf_port *b);

/* The text as people would lay it out: what fits stands on one line. malloc'ed, ends with a newline; NULL: no memory. */
char *
conf_layout(const json_t *document);

#endif
