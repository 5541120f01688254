/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interfaces in the plan: their numbers, MACs and addresses. */
#include <string.h>

#include "base/addr.h"
#include "bridge/plan_int.h"

#define LINK_LOCAL 0xfe80000000000000ull

uint16_t
plan_iface_number(const struct plan_numbers *numbers, const char *name)
{
	for (unsigned i = 1; i < SEG_MAX_IFACES; i++) {
		if (numbers->iface[i][0] != '\0' && strncmp(numbers->iface[i], name, SEG_NAME_SIZE) == 0) {
			return (uint16_t)i;
		}
	}
	return 0;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static bool
add_iface(struct plan_numbers *numbers, const char *name)
{
	if (plan_iface_number(numbers, name)) {
		return true;
	}
	for (unsigned i = 1; i < SEG_MAX_IFACES; i++) {
		if (numbers->iface[i][0] == '\0') {
			memcpy(numbers->iface[i], name, strnlen(name, SEG_NAME_SIZE - 1));
			return true;
		}
	}
	return false;
}

/* The FID of a pair, a new one when it has none; 0: none left. */
static uint16_t
add_fid(struct plan_numbers *numbers, uint16_t place, uint16_t vid)
{
	uint16_t fid = plan_fid_number(numbers, place, vid);
	for (unsigned i = 1; i < SEG_MAX_FIDS && !fid; i++) {
		if (!numbers->fid[i].bridge) {
			numbers->fid[i] = (struct seg_fid){.bridge = place, .vid = vid};
			fid = (uint16_t)i;
		}
	}
	return fid;
}

/* In place of a bridge's number, for an interface directly on a port. */
static uint16_t
place_of_port(const struct conf *conf, const struct plan_numbers *numbers, const struct conf_iface *iface)
{
	return (uint16_t)(SEG_FID_PORT | plan_port_number(numbers, conf->port[iface->port].name));
}

static void
free_unnamed(struct plan_numbers *numbers, const struct conf *conf)
{
	for (unsigned n = 1; n < SEG_MAX_IFACES; n++) {
		bool named = false;
		for (size_t i = 0; i < conf->nifaces && !named; i++) {
			named = strncmp(conf->iface[i].name, numbers->iface[n], SEG_NAME_SIZE) == 0;
		}
		if (!named) {
			memset(numbers->iface[n], 0, SEG_NAME_SIZE);
			numbers->mac[n] = 0;
		}
	}
}

bool
plan_iface_numbers(struct plan_numbers *numbers, const struct conf *conf, uint64_t keep[static SEG_MAX_FIDS / 64])
{
	for (size_t i = 0; i < conf->nifaces; i++) {
		const struct conf_iface *iface = &conf->iface[i];
		if (!add_iface(numbers, iface->name)) {
			return false;
		}
		if (iface->port == CONF_NONE) {
			continue;
		}
		uint16_t fid = add_fid(numbers, place_of_port(conf, numbers, iface), iface->vid);
		if (!fid) {
			return false;
		}
		keep[fid / 64] |= 1ull << (fid % 64);
	}
	/* As with FIDs: no number passes from one meaning to another in one step. */
	free_unnamed(numbers, conf);
	return true;
}

/* ---- the plan --------------------------------------------------------------------------------------------------- */

void
plan_iface_sizes(const struct conf *conf, struct plan_sizes *sizes)
{
	bool tagged[SEG_MAX_PORTS] = {false};
	sizes->ifaces += conf->nifaces;
	for (size_t i = 0; i < conf->nifaces; i++) {
		const struct conf_iface *iface = &conf->iface[i];
		if (iface->port != CONF_NONE) {
			sizes->fids++;
			sizes->members++;
			sizes->tables += iface->vid && !tagged[iface->port];
			tagged[iface->port] = tagged[iface->port] || iface->vid;
		}
	}
}

static bool
is_station(uint64_t mac)
{
	return mac != 0 && !mac_is_group(mac);
}

/* Of the port, or of the bridge's first port that has one; else, of no device, one of the locally administered. */
static uint64_t
choose_mac(const struct conf *conf, const struct plan_numbers *numbers, const struct conf_iface *iface)
{
	uint64_t mac = 0;
	if (iface->port != CONF_NONE) {
		mac = numbers->port_mac[plan_port_number(numbers, conf->port[iface->port].name)];
	} else {
		const struct conf_bridge *bridge = &conf->bridge[iface->bridge];
		for (size_t m = 0; m < bridge->nmembers && !is_station(mac); m++) {
			mac = numbers->port_mac[plan_port_number(numbers, conf->port[bridge->member[m].port].name)];
		}
	}
	if (!is_station(mac)) {
		mac = 0xcbf29ce484222325ull; /* FNV-1a of the names */
		for (const char *p = conf->appliance; *p; p++) {
			mac = (mac ^ (unsigned char)*p) * 0x100000001b3ull;
		}
		for (const char *p = iface->name; *p; p++) {
			mac = (mac ^ (unsigned char)*p) * 0x100000001b3ull;
		}
		mac = 0x020000000000ull | (mac & 0xffffffffffull);
	}
	return mac;
}

static uint64_t
mac_of(const struct conf *conf, struct plan_numbers *numbers, const struct conf_iface *iface, uint16_t number)
{
	if (iface->mac) {
		numbers->mac[number] = 0;
		return iface->mac;
	}
	if (!numbers->mac[number]) {
		numbers->mac[number] = choose_mac(conf, numbers, iface);
	}
	return numbers->mac[number];
}

/* RFC 4291 2.5.6, appendix A: the MAC with ff:fe in its middle and the universal bit turned over. */
static uint64_t
eui64(uint64_t mac)
{
	uint64_t turned = mac ^ 0x020000000000ull;
	return (turned >> 24) << 40 | 0xfffe000000ull | (turned & 0xffffff);
}

static void
fill_addresses(const struct conf_iface *conf, struct iface *iface)
{
	bool local = false;
	for (size_t i = 0; i < conf->naddresses; i++) {
		const struct conf_address *from = &conf->address[i];
		bool link_local = from->family == SEG_IPV6 && from->address[0] >> 54 == LINK_LOCAL >> 54;
		local = local || link_local;
		iface->address[iface->naddresses++] = (struct seg_address){.address = {from->address[0], from->address[1]},
			.family = from->family,
			.length = from->length,
			.link_local = link_local,
			.used = true};
	}
	if (conf->ipv6 && !local) {
		iface->address[iface->naddresses++] = (struct seg_address){.address = {LINK_LOCAL, eui64(iface->mac)},
			.family = SEG_IPV6,
			.length = 64,
			.link_local = true,
			.used = true};
	}
}

/* A FID of its own, with its port as the only member. */
static void
fill_own_fid(const struct iface *iface, uint16_t place, struct plan *plan, struct plan_parts *parts)
{
	struct plan_fid *fid = &plan->fid[iface->fid];
	struct plan_port *port = &plan->port[iface->port];
	*fid = (struct plan_fid){.bridge = place,
		.vid = iface->vid,
		.nmembers = 1,
		.member = parts->member,
		.egress = parts->egress,
		.only = iface->port};
	*parts->member++ = iface->port;
	parts->egress[iface->port] = iface->vid ? PLAN_TAGGED : PLAN_UNTAGGED;
	parts->egress += SEG_MAX_CHANNELS;
	port->routed = true;
	if (!iface->vid) {
		port->untagged_fid = iface->fid;
		return;
	}
	if (!port->fid) {
		port->fid = parts->fid_table;
		parts->fid_table += PLAN_VIDS;
	}
	/* The table is this plan's: nobody else sees it yet. */
	((uint16_t *)(uintptr_t)port->fid)[iface->vid] = iface->fid;
}

static void
fill_iface(const struct conf *conf, const struct conf_iface *from, struct plan_numbers *numbers,
	const struct seg_control *control, struct plan *plan, struct plan_parts *parts)
{
	struct iface *iface = parts->iface++;
	memcpy(iface->name, from->name, sizeof(iface->name));
	iface->number = plan_iface_number(numbers, from->name);
	iface->vid = from->vid;
	iface->enabled = from->enabled;
	iface->ra = from->ra;
	iface->mac = mac_of(conf, numbers, from, iface->number);
	iface->state = control ? control->address_state[iface->number] : NULL;
	uint16_t place;
	if (from->port != CONF_NONE) {
		iface->port = plan_port_number(numbers, conf->port[from->port].name);
		place = place_of_port(conf, numbers, from);
	} else {
		place = plan_bridge_number(numbers, conf->bridge[from->bridge].name);
	}
	iface->fid = plan_fid_number(numbers, place, from->vid);
	if (iface->port) {
		fill_own_fid(iface, place, plan, parts);
	}
	struct plan_fid *fid = &plan->fid[iface->fid];
	fid->iface = iface->number;
	fid->local_mac = iface->mac;
	iface->mtu = from->mtu;
	for (unsigned m = 0; m < fid->nmembers; m++) {
		struct plan_port *port = &plan->port[fid->member[m]];
		port->l3 = true;
		iface->mtu = !from->mtu && (!iface->mtu || port->mtu < iface->mtu) ? port->mtu : iface->mtu;
	}
	fill_addresses(from, iface);
	plan->iface[iface->number] = iface;
}

void
plan_iface_fill(const struct conf *conf, struct plan_numbers *numbers, const struct seg_control *control, struct plan *plan,
	struct plan_parts *parts)
{
	plan->nifaces = (unsigned)conf->nifaces;
	for (size_t i = 0; i < conf->nifaces; i++) {
		fill_iface(conf, &conf->iface[i], numbers, control, plan, parts);
	}
}
