/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nbr/nd.h"

#include <string.h>

#include "base/addr.h"

static const uint64_t nd_all_nodes[2] = {0xff02000000000000, 1};

void
nd_solicited_node(const uint64_t address[static 2], uint64_t group[static 2])
{
	group[0] = 0xff02000000000000;
	group[1] = 0x1ff000000 | (address[1] & 0xffffff);
}

uint64_t
nd_multicast_mac(const uint64_t group[static 2])
{
	return 0x333300000000 | (group[1] & 0xffffffff);
}

static bool
nd_same(const uint64_t a[static 2], const uint64_t b[static 2])
{
	return a[0] == b[0] && a[1] == b[1];
}

/* What 6.1 and 7.1 ask of the addresses. */
static bool
nd_is_bad(const uint64_t source[static 2], const uint64_t destination[static 2], const struct nd *nd)
{
	uint64_t group[2];

	switch (nd->type) {
	case ND_NS:
		nd_solicited_node(nd->target, group);
		return ip6_is_multicast(nd->target) || (ip6_is_none(source) && (nd->has_mac || !nd_same(destination, group)));
	case ND_NA:
		return ip6_is_multicast(nd->target) || ((nd->flags & ND_NA_SOLICITED) && ip6_is_multicast(destination));
	case ND_RS:
		return ip6_is_none(source) && nd->has_mac;
	case ND_RA:
		return !ip6_is_link_local(source);
	default:
		return false;
	}
}

static bool
nd_mac_good(const struct iface *iface, const struct nd *nd)
{
	return nd->mac && !mac_is_group(nd->mac) && nd->mac != iface->mac;
}

/*
 * The sender's link-layer address. A sender that is in no prefix of ours is no neighbour: what it says would let it take any
 * address (CVE-2008-2476).
 */
static void
nd_learn_source(struct nbr_cache *c, const struct iface *iface, const uint64_t source[static 2], const struct nd *nd,
	unsigned more, uint64_t now, struct nbr_out *out)
{
	struct nbr_key key = nbr_key6(source[0], source[1], iface->number);

	if (ip6_is_none(source) || ip6_is_multicast(source) || !iface_covers(iface, SEG_IPV6, source)) {
		return;
	}
	if (!nd->has_mac && more) {
		/* whether it is a router is said without an address, too (6.2.6, 6.3.4) */
		nbr_cache_heard(c, &key, 0, NBR_HEARD_SENDER | NBR_HEARD_NO_MAC | more, false, now, out);
	} else if (nd->has_mac && nd_mac_good(iface, nd)) {
		nbr_cache_heard(c, &key, nd->mac, NBR_HEARD_SENDER | more, true, now, out);
	}
}

/* To the solicited address's asker; to all when it has no address as yet (7.2.4). */
static void
nd_answer(const struct iface *iface, const uint64_t source[static 2], const struct nd *nd, struct nd_verdict *verdict)
{
	bool all = ip6_is_none(source);
	const uint64_t *to = all ? nd_all_nodes : source;

	verdict->answer = true;
	verdict->reply = (struct nd){.type = ND_NA,
		.flags = (uint8_t)(ND_NA_ROUTER | ND_NA_OVERRIDE | (all ? 0 : ND_NA_SOLICITED)),
		.target = {nd->target[0], nd->target[1]},
		.has_mac = true,
		.mac = iface->mac};
	memcpy(verdict->reply_source, nd->target, sizeof(verdict->reply_source));
	memcpy(verdict->reply_to, to, sizeof(verdict->reply_to));
	if (all) {
		verdict->reply_mac = nd_multicast_mac(to);
	} else if (nd->has_mac && nd_mac_good(iface, nd)) {
		verdict->reply_mac = nd->mac;
	}
}

static void
nd_solicited(struct nbr_cache *c, const struct iface *iface, const uint64_t source[static 2], const struct nd *nd, uint64_t now,
	struct nbr_out *out, struct nd_verdict *verdict)
{
	verdict->which = iface_find(iface, SEG_IPV6, nd->target);
	if (verdict->which < 0) {
		return;
	}
	switch (seg_get(&iface->state[verdict->which])) {
	case SEG_ADDRESS_TENTATIVE:
		/* RFC 4862 5.4.3; who resolves it meanwhile gets no answer */
		verdict->conflict = verdict->testing = ip6_is_none(source);
		break;
	case SEG_ADDRESS_PREFERRED:
		nd_learn_source(c, iface, source, nd, 0, now, out);
		nd_answer(iface, source, nd, verdict);
		break;
	default:
		break;
	}
}

static void
nd_advertised(struct nbr_cache *c, const struct iface *iface, const struct nd *nd, uint64_t now, struct nbr_out *out,
	struct nd_verdict *verdict)
{
	struct nbr_key key = nbr_key6(nd->target[0], nd->target[1], iface->number);
	unsigned heard = nd->flags & ND_NA_SOLICITED ? NBR_HEARD_ANSWER : NBR_HEARD_ANNOUNCED;

	verdict->which = iface_find(iface, SEG_IPV6, nd->target);
	if (verdict->which >= 0) {
		verdict->conflict = !nd->has_mac || nd->mac != iface->mac; /* else ours, come back */
		return;
	}
	if (nd->has_mac && !nd_mac_good(iface, nd)) {
		return;
	}
	heard |= nd->flags & ND_NA_OVERRIDE ? NBR_HEARD_OVERRIDE : 0;
	heard |= nd->flags & ND_NA_ROUTER ? NBR_HEARD_ROUTER : NBR_HEARD_HOST;
	heard |= nd->has_mac ? 0 : NBR_HEARD_NO_MAC;
	nbr_cache_heard(c, &key, nd->has_mac ? nd->mac : 0, heard, false, now, out);
}

/* Does the source speak as one of our addresses? Without its link-layer address it may be a frame of ours that came back. */
static bool
nd_from_us(const struct iface *iface, const uint64_t source[static 2], const struct nd *nd, struct nd_verdict *verdict)
{
	verdict->which = iface_find(iface, SEG_IPV6, source);
	if (verdict->which < 0 || nd->type == ND_NA) {
		return false;
	}
	verdict->conflict = nd->has_mac && nd->mac != iface->mac;
	return true;
}

void
nd_input(struct nbr_cache *c, const struct iface *iface, const uint64_t source[static 2], const uint64_t destination[static 2],
	const struct nd *nd, uint64_t now, struct nbr_out *out, struct nd_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->bad = nd_is_bad(source, destination, nd);
	if (verdict->bad || nd_from_us(iface, source, nd, verdict)) {
		return;
	}
	switch (nd->type) {
	case ND_NS:
		nd_solicited(c, iface, source, nd, now, out, verdict);
		break;
	case ND_NA:
		nd_advertised(c, iface, nd, now, out, verdict);
		break;
	case ND_RS:
		verdict->solicited_ra = true;
		nd_learn_source(c, iface, source, nd, NBR_HEARD_HOST, now, out);
		break;
	case ND_RA:
		verdict->router = true;
		nd_learn_source(c, iface, source, nd, NBR_HEARD_ROUTER, now, out);
		break;
	default: /* a router takes no redirect (8.2) */
		break;
	}
}

bool
nd_solicitation(const struct iface *iface, const uint64_t target[static 2], bool unicast, struct nd *nd,
	uint64_t source[static 2], uint64_t to[static 2])
{
	int which = iface_source(iface, SEG_IPV6, target);
	if (which < 0) {
		return false;
	}
	*nd = (struct nd){.type = ND_NS, .target = {target[0], target[1]}, .has_mac = true, .mac = iface->mac};
	memcpy(source, iface->address[which].address, 2 * sizeof(*source));
	if (unicast) {
		memcpy(to, target, 2 * sizeof(*to));
	} else {
		nd_solicited_node(target, to);
	}
	return true;
}

void
nd_dad(const struct iface *iface, int which, struct nd *nd, uint64_t source[static 2], uint64_t to[static 2])
{
	const uint64_t *target = iface->address[which].address;

	*nd = (struct nd){.type = ND_NS, .target = {target[0], target[1]}};
	source[0] = source[1] = 0;
	nd_solicited_node(target, to);
}

void
nd_announcement(const struct iface *iface, int which, struct nd *nd, uint64_t source[static 2], uint64_t to[static 2])
{
	const uint64_t *target = iface->address[which].address;

	*nd = (struct nd){.type = ND_NA,
		.flags = ND_NA_ROUTER | ND_NA_OVERRIDE,
		.target = {target[0], target[1]},
		.has_mac = true,
		.mac = iface->mac};
	memcpy(source, target, 2 * sizeof(*source));
	memcpy(to, nd_all_nodes, sizeof(nd_all_nodes));
}

void
nd_steer(const struct nd *nd, const uint64_t source[static 2], uint64_t address[static 2])
{
	memcpy(address, nd->type == ND_NA ? nd->target : source, 2 * sizeof(*address));
}
