/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stddef.h>

#include "conf/conf_int.h"

#define TABLE(keys) \
	{ \
		.n = sizeof(keys) / sizeof((keys)[0]), .key = (keys) \
	}
#define AT(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field)

static const char *const poll_words[] = {[CONF_POLL_ADAPTIVE] = "adaptive", [CONF_POLL_BUSY] = "busy", NULL};
static const char *const huge_words[] = {[CONF_HUGE_AUTO] = "auto", [CONF_HUGE_ON] = "on", [CONF_HUGE_OFF] = "off", NULL};
static const char *const steering_words[] = {[CONF_STEER_AUTO] = "auto", [CONF_STEER_NONE] = "none", NULL};

static const struct conf_key cores_keys[] = {
	{.name = "data",
		.kind = CONF_UINT,
		AT(struct conf, cores),
		.min = 1,
		.max = SEG_MAX_CORES,
		.what = "a number of data cores"},
	{.name = "cpus", .kind = CONF_OWN, .take = conf_take_cpus, .put = conf_put_cpus},
	{.name = "poll", .kind = CONF_WORD, AT(struct conf, poll), .words = poll_words},
};

static const struct conf_key memory_keys[] = {
	{.name = "mbufs", .kind = CONF_UINT, AT(struct conf, mbufs), .min = 1024, .max = 16777216, .what = "a number of mbufs"},
	{.name = "hugepages", .kind = CONF_WORD, AT(struct conf, hugepages), .words = huge_words},
	{.name = "ring_slots", .kind = CONF_OWN, .take = conf_take_slots, .put = conf_put_slots},
};

static const struct conf_key tables_keys[] = {
	{.name = "fdb", .kind = CONF_UINT, AT(struct conf, fdb), .min = 64, .max = 4194304, .what = "a number of entries"},
	{.name = "neighbors",
		.kind = CONF_UINT,
		AT(struct conf, neighbors),
		.min = 16,
		.max = 4194304,
		.what = "a number of entries"},
	{.name = "routes", .kind = CONF_UINT, AT(struct conf, routes), .min = 16, .max = 4194304, .what = "a number of routes"},
	{.name = "ageing_s",
		.kind = CONF_UINT,
		.live = true,
		AT(struct conf, ageing_s),
		.min = 1,
		.max = 1000000,
		.what = "a time in seconds"},
};

static const struct conf_key limit_keys[] = {
	{.name = "rate_bps", .kind = CONF_BPS, .live = true, AT(struct conf_port, limit_bps)},
	{.name = "rate_pps", .kind = CONF_PPS, .live = true, AT(struct conf_port, limit_pps)},
};

static const struct conf_key storm_keys[] = {
	{.name = "rate_pps", .kind = CONF_PPS, .live = true, AT(struct conf_port, storm_pps)},
};

#define NUMBER(label, field, least, most, word) \
	{ \
		.name = (label), .kind = CONF_UINT, .live = true, AT(struct conf, field), .min = (least), .max = (most), \
		.what = (word) \
	}

static const struct conf_key neighbors_keys[] = {
	NUMBER("reachable_ms", nbr.reachable_ms, 1000, 3600000, "a time in milliseconds"),
	NUMBER("retrans_ms", nbr.retrans_ms, 100, 60000, "a time in milliseconds"),
	NUMBER("delay_ms", nbr.delay_ms, 100, 60000, "a time in milliseconds"),
	NUMBER("stale_s", nbr.stale_s, 1, 1000000, "a time in seconds"),
	NUMBER("solicitations", nbr.solicitations, 1, 10, "a number of solicitations"),
	NUMBER("incomplete", nbr.incomplete, 1, 65536, "a number of neighbours"),
	NUMBER("solicit_pps", nbr.solicit_pps, 1, 1000000, "a rate in solicitations a second"),
	NUMBER("hold", nbr.hold, 1, 64, "a number of packets"),
	NUMBER("hold_all", nbr.hold_all, 1, 65536, "a number of packets"),
};

#define PPS(label, field) \
	{ \
		.name = (label), .kind = CONF_PPS, .live = true, AT(struct conf, field) \
	}

static const struct conf_key police_keys[] = {
	PPS("arp_pps", police.arp_pps),
	PPS("nd_pps", police.nd_pps),
	PPS("local_pps", police.local_pps),
	PPS("icmp_pps", police.icmp_pps),
};

static const struct conf_table cores_table = TABLE(cores_keys);
static const struct conf_table memory_table = TABLE(memory_keys);
static const struct conf_table tables_table = TABLE(tables_keys);
static const struct conf_table limit_table = TABLE(limit_keys);
static const struct conf_table storm_table = TABLE(storm_keys);
static const struct conf_table neighbors_table = TABLE(neighbors_keys);
static const struct conf_table police_table = TABLE(police_keys);

static const struct conf_key top_keys[] = {
	{.name = "appliance", .kind = CONF_OWN, .take = conf_take_name, .put = conf_put_name},
	{.name = "cores", .kind = CONF_OBJECT, .sub = &cores_table},
	{.name = "memory", .kind = CONF_OBJECT, .sub = &memory_table},
	{.name = "tables", .kind = CONF_OBJECT, .sub = &tables_table},
	{.name = "ports", .kind = CONF_OWN, .take = conf_take_ports},
	{.name = "lags", .kind = CONF_OWN, .take = conf_take_later},
	{.name = "bridges", .kind = CONF_OWN, .take = conf_take_bridges},
	{.name = "interfaces", .kind = CONF_OWN, .take = conf_take_interfaces},
	{.name = "routes", .kind = CONF_OWN, .take = conf_take_routes},
	{.name = "neighbors", .kind = CONF_OBJECT, .sub = &neighbors_table},
	{.name = "police", .kind = CONF_OBJECT, .sub = &police_table},
	{.name = "vrrp", .kind = CONF_OWN, .take = conf_take_later},
};

static const struct conf_key port_keys[] = {
	{.name = "device", .kind = CONF_OWN, .live = true, .take = conf_take_device, .put = conf_put_device},
	{.name = "description", .kind = CONF_TEXT, .live = true, AT(struct conf_port, description)},
	{.name = "enabled", .kind = CONF_BOOL, .live = true, AT(struct conf_port, enabled)},
	{.name = "mtu", .kind = CONF_UINT, .live = true, AT(struct conf_port, mtu), .min = 68, .max = 9216, .what = "an MTU"},
	{.name = "steering", .kind = CONF_WORD, .live = true, AT(struct conf_port, steering), .words = steering_words},
	{.name = "limit", .kind = CONF_OBJECT, .live = true, .sub = &limit_table},
	{.name = "storm", .kind = CONF_OBJECT, .live = true, .sub = &storm_table},
};

static const struct conf_key bridge_keys[] = {
	{.name = "stp", .kind = CONF_OWN, .live = true, .take = conf_take_stp, .put = conf_put_stp},
	{.name = "ports", .kind = CONF_OWN, .live = true, .take = conf_take_members},
};

static const struct conf_key member_keys[] = {
	{.name = "untagged",
		.kind = CONF_UINT,
		.live = true,
		AT(struct conf_member, untagged),
		.min = 1,
		.max = 4094,
		.what = "a VLAN"},
	{.name = "tagged", .kind = CONF_OWN, .live = true, .take = conf_take_tagged, .put = conf_put_tagged},
	{.name = "mac_limit",
		.kind = CONF_UINT,
		.live = true,
		AT(struct conf_member, mac_limit),
		.min = 0,
		.max = 4194304,
		.what = "a number of entries"},
};

#define IFACE_SECONDS(label, field, least, most) \
	{ \
		.name = (label), .kind = CONF_UINT, .live = true, AT(struct conf_iface, field), .min = (least), .max = (most), \
		.what = "a time in seconds" \
	}
#define IFACE_BOOL(label, field) \
	{ \
		.name = (label), .kind = CONF_BOOL, .live = true, AT(struct conf_iface, field) \
	}

/* Ranges of RFC 4861 6.2.1. */
static const struct conf_key ra_keys[] = {
	IFACE_BOOL("enabled", ra.enabled),
	IFACE_SECONDS("interval_s", ra.interval_s, 4, 1800),
	IFACE_SECONDS("lifetime_s", ra.lifetime_s, 0, 9000),
	IFACE_BOOL("managed", ra.managed),
	IFACE_BOOL("other", ra.other),
	IFACE_BOOL("autonomous", ra.autonomous),
	IFACE_SECONDS("valid_s", ra.valid_s, 0, UINT32_MAX),
	IFACE_SECONDS("preferred_s", ra.preferred_s, 0, UINT32_MAX),
};

static const struct conf_table ra_table = TABLE(ra_keys);

static const struct conf_key iface_keys[] = {
	{.name = "bridge", .kind = CONF_OWN, .live = true, .take = conf_take_iface_bridge},
	{.name = "port", .kind = CONF_OWN, .live = true, .take = conf_take_iface_port},
	{.name = "vlan", .kind = CONF_UINT, .live = true, AT(struct conf_iface, vid), .min = 1, .max = 4094, .what = "a VLAN"},
	{.name = "addresses", .kind = CONF_OWN, .live = true, .take = conf_take_addresses, .put = conf_put_addresses},
	{.name = "mac", .kind = CONF_OWN, .live = true, .take = conf_take_mac, .put = conf_put_mac},
	{.name = "mtu", .kind = CONF_UINT, .live = true, AT(struct conf_iface, mtu), .min = 68, .max = 9216, .what = "an MTU"},
	IFACE_BOOL("enabled", enabled),
	IFACE_BOOL("ipv6", ipv6),
	{.name = "description", .kind = CONF_TEXT, .live = true, AT(struct conf_iface, description)},
	{.name = "router_advertisements", .kind = CONF_OBJECT, .live = true, .sub = &ra_table},
};

const char *const conf_route_types[] = {[CONF_ROUTE_UNICAST] = "unicast",
	[CONF_ROUTE_BLACKHOLE] = "blackhole",
	[CONF_ROUTE_UNREACHABLE] = "unreachable",
	[CONF_ROUTE_PROHIBIT] = "prohibit",
	NULL};

static const struct conf_key route_keys[] = {
	{.name = "to", .kind = CONF_OWN, .live = true, .take = conf_take_to},
	{.name = "via", .kind = CONF_OWN, .live = true, .take = conf_take_via},
	{.name = "interface", .kind = CONF_OWN, .live = true, .take = conf_take_route_iface},
	{.name = "type", .kind = CONF_WORD, .live = true, AT(struct conf_route_words, type), .words = conf_route_types},
};

const struct conf_table conf_top_keys = TABLE(top_keys);
const struct conf_table conf_port_keys = TABLE(port_keys);
const struct conf_table conf_bridge_keys = TABLE(bridge_keys);
const struct conf_table conf_member_keys = TABLE(member_keys);
const struct conf_table conf_iface_keys = TABLE(iface_keys);
const struct conf_table conf_route_keys = TABLE(route_keys);

const struct conf_port conf_port_default = {.enabled = true, .mtu = 1500, .steering = CONF_STEER_AUTO};
const struct conf_iface conf_iface_default = {.bridge = CONF_NONE,
	.port = CONF_NONE,
	.enabled = true,
	.ipv6 = true,
	.ra = {.interval_s = 600, .lifetime_s = 1800, .autonomous = true, .valid_s = 2592000, .preferred_s = 604800}};
