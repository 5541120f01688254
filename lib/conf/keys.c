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
		.min = 64,
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

static const struct conf_table cores_table = TABLE(cores_keys);
static const struct conf_table memory_table = TABLE(memory_keys);
static const struct conf_table tables_table = TABLE(tables_keys);
static const struct conf_table limit_table = TABLE(limit_keys);
static const struct conf_table storm_table = TABLE(storm_keys);

static const struct conf_key top_keys[] = {
	{.name = "appliance", .kind = CONF_OWN, .take = conf_take_name, .put = conf_put_name},
	{.name = "cores", .kind = CONF_OBJECT, .sub = &cores_table},
	{.name = "memory", .kind = CONF_OBJECT, .sub = &memory_table},
	{.name = "tables", .kind = CONF_OBJECT, .sub = &tables_table},
	{.name = "ports", .kind = CONF_OWN, .take = conf_take_ports},
	{.name = "lags", .kind = CONF_OWN, .take = conf_take_later},
	{.name = "bridges", .kind = CONF_OWN, .take = conf_take_bridges},
	{.name = "interfaces", .kind = CONF_OWN, .take = conf_take_later},
	{.name = "routes", .kind = CONF_OWN, .take = conf_take_later},
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

const struct conf_table conf_top_keys = TABLE(top_keys);
const struct conf_table conf_port_keys = TABLE(port_keys);
const struct conf_table conf_bridge_keys = TABLE(bridge_keys);
const struct conf_table conf_member_keys = TABLE(member_keys);

const struct conf_port conf_port_default = {.enabled = true, .mtu = 1500, .steering = CONF_STEER_AUTO};
