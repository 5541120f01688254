/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "bridge/plan_int.h"

#define VIDS PLAN_VIDS
#define VID_WORDS (VIDS / 64)

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static uint16_t
find_name(const char (*names)[SEG_NAME_SIZE], unsigned max, const char *name)
{
	for (unsigned i = 1; i < max; i++) {
		if (names[i][0] != '\0' && strncmp(names[i], name, SEG_NAME_SIZE) == 0) {
			return (uint16_t)i;
		}
	}
	return 0;
}

static bool
add_name(char (*names)[SEG_NAME_SIZE], unsigned max, const char *name)
{
	if (find_name((const char(*)[SEG_NAME_SIZE])names, max, name)) {
		return true;
	}
	for (unsigned i = 1; i < max; i++) {
		if (names[i][0] == '\0') {
			memcpy(names[i], name, strnlen(name, SEG_NAME_SIZE - 1));
			return true;
		}
	}
	return false;
}

uint16_t
plan_port_number(const struct plan_numbers *numbers, const char *name)
{
	return find_name(numbers->port, SEG_MAX_PORTS, name);
}

uint16_t
plan_bridge_number(const struct plan_numbers *numbers, const char *name)
{
	return find_name(numbers->bridge, SEG_MAX_BRIDGES, name);
}

uint16_t
plan_fid_number(const struct plan_numbers *numbers, uint16_t bridge, uint16_t vid)
{
	for (unsigned i = 1; bridge && i < SEG_MAX_FIDS; i++) {
		if (numbers->fid[i].bridge == bridge && numbers->fid[i].vid == vid) {
			return (uint16_t)i;
		}
	}
	return 0;
}

void
plan_numbers_free_port(struct plan_numbers *numbers, uint16_t port)
{
	memset(numbers->port[port], 0, SEG_NAME_SIZE);
}

/* The VLANs of a bridge, as bits. */
static void
bridge_vids(const struct conf_bridge *bridge, uint64_t vids[static VID_WORDS])
{
	memset(vids, 0, VID_WORDS * sizeof(vids[0]));
	for (size_t i = 0; i < bridge->nmembers; i++) {
		const struct conf_member *member = &bridge->member[i];
		for (unsigned w = 0; w < VID_WORDS; w++) {
			vids[w] |= member->tagged[w];
		}
		vids[member->untagged / 64] |= 1ull << (member->untagged % 64);
	}
	vids[0] &= ~1ull; /* 0 stands for none */
}

/* where[v]: the FID of VLAN v of that bridge, 0: none. */
static void
fids_of_bridge(const struct plan_numbers *numbers, uint16_t bridge, uint16_t where[static VIDS])
{
	memset(where, 0, VIDS * sizeof(where[0]));
	for (unsigned i = 1; i < SEG_MAX_FIDS; i++) {
		if (numbers->fid[i].bridge == bridge) {
			where[numbers->fid[i].vid % VIDS] = (uint16_t)i;
		}
	}
}

static bool
add_fids(struct plan_numbers *numbers, uint16_t number, const uint64_t vids[static VID_WORDS])
{
	uint16_t where[VIDS];
	fids_of_bridge(numbers, number, where);
	unsigned fid = 1;
	for (unsigned vid = 1; vid < VIDS; vid++) {
		if (!(vids[vid / 64] >> (vid % 64) & 1) || where[vid]) {
			continue;
		}
		while (fid < SEG_MAX_FIDS && numbers->fid[fid].bridge) {
			fid++;
		}
		if (fid == SEG_MAX_FIDS) {
			return false;
		}
		numbers->fid[fid] = (struct seg_fid){.bridge = number, .vid = (uint16_t)vid};
	}
	return true;
}

/* Frees the FIDs that are not in keep, and the bridges that conf does not name. */
static void
free_unnamed(struct plan_numbers *numbers, const struct conf *conf, const uint64_t keep[static SEG_MAX_FIDS / 64])
{
	for (unsigned i = 1; i < SEG_MAX_FIDS; i++) {
		if (!(keep[i / 64] >> (i % 64) & 1)) {
			numbers->fid[i] = (struct seg_fid){0};
		}
	}
	for (unsigned n = 1; n < SEG_MAX_BRIDGES; n++) {
		bool named = false;
		for (size_t i = 0; i < conf->nbridges && !named; i++) {
			named = strncmp(conf->bridge[i].name, numbers->bridge[n], SEG_NAME_SIZE) == 0;
		}
		if (!named) {
			memset(numbers->bridge[n], 0, SEG_NAME_SIZE);
		}
	}
}

bool
plan_numbers_update(struct plan_numbers *numbers, const struct conf *conf)
{
	struct plan_numbers next = *numbers;
	uint64_t keep[SEG_MAX_FIDS / 64] = {0};
	for (size_t i = 0; i < conf->nports; i++) {
		if (!add_name(next.port, SEG_MAX_PORTS, conf->port[i].name)) {
			return false;
		}
	}
	for (size_t i = 0; i < conf->nbridges; i++) {
		/* New numbers are given before old ones are freed: none passes from one meaning to another in one step. */
		uint64_t vids[VID_WORDS];
		uint16_t where[VIDS];
		bridge_vids(&conf->bridge[i], vids);
		if (!add_name(next.bridge, SEG_MAX_BRIDGES, conf->bridge[i].name)) {
			return false;
		}
		uint16_t number = plan_bridge_number(&next, conf->bridge[i].name);
		if (!add_fids(&next, number, vids)) {
			return false;
		}
		fids_of_bridge(&next, number, where);
		for (unsigned vid = 1; vid < VIDS; vid++) {
			if (vids[vid / 64] >> (vid % 64) & 1) {
				keep[where[vid] / 64] |= 1ull << (where[vid] % 64);
			}
		}
	}
	if (!plan_iface_numbers(&next, conf, keep)) {
		return false;
	}
	free_unnamed(&next, conf, keep);
	*numbers = next;
	return true;
}

/* ---- the plan --------------------------------------------------------------------------------------------------- */

static bool
member_has_tagged(const struct conf_member *member)
{
	for (unsigned w = 0; w < VID_WORDS; w++) {
		if (member->tagged[w]) {
			return true;
		}
	}
	return false;
}

static bool
member_is_in(const struct conf_member *member, unsigned vid)
{
	return member->untagged == vid || conf_member_tagged(member, vid);
}

static void
bridge_sizes(const struct conf_bridge *bridge, struct plan_sizes *sizes)
{
	uint64_t vids[VID_WORDS];
	bridge_vids(bridge, vids);
	for (unsigned w = 0; w < VID_WORDS; w++) {
		sizes->fids += (unsigned)__builtin_popcountll(vids[w]);
	}
	for (size_t i = 0; i < bridge->nmembers; i++) {
		sizes->tables += member_has_tagged(&bridge->member[i]);
		sizes->members += bridge->member[i].untagged != 0;
		for (unsigned w = 0; w < VID_WORDS; w++) {
			sizes->members += (unsigned)__builtin_popcountll(bridge->member[i].tagged[w]);
		}
	}
}

static bool
parts_alloc(const struct conf *conf, struct plan *plan, struct plan_parts *parts)
{
	struct plan_sizes sizes = {0};
	for (size_t b = 0; b < conf->nbridges; b++) {
		bridge_sizes(&conf->bridge[b], &sizes);
	}
	plan_iface_sizes(conf, &sizes);
	size_t words = sizes.tables * VIDS + sizes.members;
	plan->memory =
		calloc(1, sizes.ifaces * sizeof(struct iface) + words * sizeof(uint16_t) + sizes.fids * SEG_MAX_CHANNELS + 1);
	if (!plan->memory) {
		return false;
	}
	parts->iface = plan->memory;
	parts->fid_table = (uint16_t *)(parts->iface + sizes.ifaces);
	parts->member = parts->fid_table + sizes.tables * VIDS;
	parts->egress = (uint8_t *)(parts->member + sizes.members);
	return true;
}

static void
fill_ports(const struct conf *conf, const struct plan_numbers *numbers, struct plan *plan)
{
	for (size_t i = 0; i < conf->nports; i++) {
		const struct conf_port *port = &conf->port[i];
		plan->port[plan_port_number(numbers, port->name)] = (struct plan_port){
			.used = true,
			.enabled = port->enabled,
			.mtu = port->mtu,
			.limit_bps = port->limit_bps,
			.limit_pps = port->limit_pps,
			.storm_pps = port->storm_pps,
			.steer = port->steering == CONF_STEER_AUTO,
		};
	}
}

/* What the members of a bridge say about their ports. number[i] is the port of member i. */
static void
fill_members(const struct conf_bridge *bridge, uint16_t bridge_number, const uint16_t where[static VIDS], const uint16_t *number,
	struct plan *plan, struct plan_parts *parts)
{
	for (size_t i = 0; i < bridge->nmembers; i++) {
		const struct conf_member *member = &bridge->member[i];
		struct plan_port *port = &plan->port[number[i]];
		port->bridge = bridge_number;
		port->stp = (uint8_t)bridge->stp;
		port->mac_limit = member->mac_limit;
		port->untagged_fid = where[member->untagged];
		if (member_has_tagged(member)) {
			for (unsigned vid = 1; vid < VIDS; vid++) {
				parts->fid_table[vid] = conf_member_tagged(member, vid) ? where[vid] : 0;
			}
			port->fid = parts->fid_table;
			parts->fid_table += VIDS;
		}
	}
}

static int
compare_u16(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void
fill_fid(const struct conf_bridge *bridge, const uint16_t *number, unsigned vid, struct plan_fid *fid, struct plan_parts *parts)
{
	uint16_t n = 0;
	for (size_t i = 0; i < bridge->nmembers; i++) {
		if (member_is_in(&bridge->member[i], vid)) {
			parts->member[n++] = number[i];
			parts->egress[number[i]] = bridge->member[i].untagged == vid ? PLAN_UNTAGGED : PLAN_TAGGED;
		}
	}
	qsort(parts->member, n, sizeof(parts->member[0]), compare_u16);
	fid->nmembers = n;
	fid->member = parts->member;
	fid->egress = parts->egress;
	parts->member += n;
	parts->egress += SEG_MAX_CHANNELS;
}

static void
fill_bridge(const struct conf *conf, const struct conf_bridge *bridge, const struct plan_numbers *numbers, struct plan *plan,
	struct plan_parts *parts)
{
	uint16_t where[VIDS], number[SEG_MAX_PORTS];
	uint64_t vids[VID_WORDS];
	uint16_t bridge_number = plan_bridge_number(numbers, bridge->name);
	fids_of_bridge(numbers, bridge_number, where);
	bridge_vids(bridge, vids);
	for (size_t i = 0; i < bridge->nmembers; i++) {
		number[i] = plan_port_number(numbers, conf->port[bridge->member[i].port].name);
	}
	fill_members(bridge, bridge_number, where, number, plan, parts);
	for (unsigned vid = 1; vid < VIDS; vid++) {
		if (vids[vid / 64] >> (vid % 64) & 1) {
			struct plan_fid *fid = &plan->fid[where[vid]];
			fid->bridge = bridge_number;
			fid->vid = (uint16_t)vid;
			fill_fid(bridge, number, vid, fid, parts);
		}
	}
}

struct plan *
plan_new(const struct conf *conf, struct plan_numbers *numbers, const struct seg_control *control, uint64_t generation)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	struct plan_parts parts;
	if (!plan || !parts_alloc(conf, plan, &parts)) {
		free(plan);
		return NULL;
	}
	plan->generation = generation;
	plan->ageing_ns = (uint64_t)conf->ageing_s * 1000000000ull;
	plan->fdb_limit = conf->fdb;
	plan->nbr = conf->nbr;
	plan->police = conf->police;
	fill_ports(conf, numbers, plan);
	for (size_t b = 0; b < conf->nbridges; b++) {
		fill_bridge(conf, &conf->bridge[b], numbers, plan, &parts);
	}
	plan_iface_fill(conf, numbers, control, plan, &parts);
	return plan;
}

void
plan_free(struct plan *plan)
{
	if (plan) {
		free(plan->memory);
		free(plan);
	}
}
