/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One packet, with all the care that RFC 1812 5.2, 5.3 and RFC 8200, 4291 ask for. l3.c brings what its passes are not made for,
 * in the order of arrival.
 */
#include "fib.h"
#include "l3_int.h"
#include "neighbor.h"
#include "net/csum.h"
#include "net/ip4.h"
#include "net/ip6.h"

struct l3_packet {
	struct rte_mbuf *m;
	const struct iface *in; /* NULL: our own */
	uint16_t port;          /* 0: our own */
	unsigned family;
	uint64_t destination[2];
	unsigned size;
	bool whole; /* may not be cut */
	uint8_t ttl;
};

static void
l3_refuse(struct worker *w, const struct l3_packet *p, enum seg_drop reason)
{
	l3_drop(w, reason, p->port, p->m);
}

/* The same with an ICMP error. */
static void
l3_return(struct worker *w, const struct l3_packet *p, enum seg_drop reason, enum l3_complaint what, uint32_t word)
{
	l3_complain(w, p->in, p->family, p->m, what, word, false);
	l3_refuse(w, p, reason);
}

/* ---- the neighbour ---------------------------------------------------------------------------------------------- */

static void
l3_to_neighbor(struct worker *w, const struct l3_packet *p, const struct iface *out, const struct nbr_key *key)
{
	uint32_t slot = NBR_NONE;

	switch (neighbor_need(w, p->family, key, &slot)) {
	case NBR_GO:
		seg_add(&w->mine->l3.forwarded[p->family], p->in != NULL);
		l3_deliver(w, out, p->family, p->m, SEG_NBR_MAC(w->nbr->cache[p->family].table.slot[slot].value));
		break;
	case NBR_WAIT:
		hold_add(w, p->family, slot, p->in ? p->in->number : 0, p->port, p->m);
		break;
	case NBR_DEAD:
		l3_return(w, p, SEG_DROP_NBR_FAILED, L3_NO_HOST, 0);
		break;
	case NBR_REFUSED:
		l3_refuse(w, p, SEG_DROP_NBR_LIMIT);
		break;
	}
}

static void
l3_decrement(struct l3_packet *p)
{
	uint8_t *data = rte_pktmbuf_mtod(p->m, uint8_t *);

	if (p->family == SEG_IPV6) {
		data[7]--;
		return;
	}
	uint16_t old = (uint16_t)(data[8] << 8 | data[9]), checksum = (uint16_t)(data[10] << 8 | data[11]);
	data[8]--;
	checksum = csum_update(checksum, old, (uint16_t)(old - 0x100));
	data[10] = (uint8_t)(checksum >> 8);
	data[11] = (uint8_t)checksum;
}

/* All ones or all zeros behind a prefix of the interface (RFC 1812 5.3.5). */
static bool
l3_is_broadcast(const struct iface *iface, uint32_t address)
{
	for (unsigned i = 0; i < iface->naddresses; i++) {
		const struct seg_address *ours = &iface->address[i];
		if (ours->family != SEG_IPV4 || ours->length > 30) { /* RFC 3021 */
			continue;
		}
		uint32_t host = UINT32_MAX >> ours->length;
		if ((address & ~host) == ((uint32_t)ours->address[1] & ~host) &&
			((address & host) == host || (address & host) == 0)) {
			return true;
		}
	}
	return false;
}

/* Out of an interface, to `via` or the destination itself. */
static void
l3_way_out(struct worker *w, struct l3_packet *p, const struct iface *out, const uint64_t *via)
{
	const uint64_t *next = via ? via : p->destination;
	const struct nbr_key key = {.address = {next[0], next[1]}, .iface = out->number};

	if (!out->enabled) {
		l3_return(w, p, SEG_DROP_L3_IFACE_DOWN, L3_NO_ROUTE, 0);
	} else if (p->size > out->mtu && p->whole) {
		l3_return(w, p, SEG_DROP_L3_TOO_BIG, L3_TOO_BIG, out->mtu);
	} else {
		if (p->in) {
			l3_decrement(p);
		}
		l3_to_neighbor(w, p, out, &key);
	}
}

/* ---- the route -------------------------------------------------------------------------------------------------- */

static const struct fib_hop *
l3_lookup(const struct worker *w, const struct l3_packet *p)
{
	static const struct fib_hop none = {.kind = SEG_ROUTE_NONE};
	const struct fib *fib = seg_get_acquire(&w->engine->fib);
	uint64_t hop;

	if (!fib) {
		return &none;
	}
	if (p->family == SEG_IPV4) {
		uint32_t address = (uint32_t)p->destination[1];
		fib_lookup4(fib, &address, &hop, 1);
	} else {
		uint8_t address[1][16];
		ip6_bytes(p->destination, address[0]);
		fib_lookup6(fib, address, &hop, 1);
	}
	return hop == FIB_HOP_NONE ? &none : &fib->hop[hop % FIB_HOPS];
}

static void
l3_route(struct worker *w, struct l3_packet *p)
{
	const struct fib_hop *hop = l3_lookup(w, p);
	const struct iface *out = w->view->plan->iface[hop->iface % SEG_MAX_IFACES];

	if (hop->kind == SEG_ROUTE_LOCAL && p->in) {
		l3_local(w, p->in, p->port, p->family, p->m, false);
		return;
	}
	if (out && (hop->kind == SEG_ROUTE_CONNECTED || hop->kind == SEG_ROUTE_LINK) && p->family == SEG_IPV4 &&
		l3_is_broadcast(out, (uint32_t)p->destination[1])) {
		l3_refuse(w, p, SEG_DROP_L3_SCOPE); /* before the TTL: no ICMP error is said about one (RFC 1812 4.3.2.7) */
		return;
	}
	if (p->in && p->ttl <= 1) {
		l3_return(w, p, SEG_DROP_L3_TTL, L3_TIME, 0);
		return;
	}
	switch (hop->kind) {
	case SEG_ROUTE_CONNECTED:
	case SEG_ROUTE_LINK:
	case SEG_ROUTE_VIA:
		if (out) {
			l3_way_out(w, p, out, hop->kind == SEG_ROUTE_VIA ? hop->via : NULL);
			break;
		}
		l3_return(w, p, SEG_DROP_L3_NO_ROUTE, L3_NO_ROUTE, 0);
		break;
	case SEG_ROUTE_BLACKHOLE:
		l3_refuse(w, p, SEG_DROP_L3_BLACKHOLE);
		break;
	case SEG_ROUTE_UNREACHABLE:
		l3_return(w, p, SEG_DROP_L3_BLACKHOLE, L3_NO_HOST, 0);
		break;
	case SEG_ROUTE_PROHIBIT:
		l3_return(w, p, SEG_DROP_L3_BLACKHOLE, L3_PROHIBITED, 0);
		break;
	default:
		l3_return(w, p, SEG_DROP_L3_NO_ROUTE, L3_NO_ROUTE, 0);
		break;
	}
}

/* ---- IPv4 ------------------------------------------------------------------------------------------------------- */

/* Options are carried as they are; one that says which way to go is not obeyed. Anything that is none ends the look. */
static bool
l3_source_routed(const struct ip4 *ip)
{
	enum { END = 0, NOP = 1, LOOSE = 131, STRICT = 137 };
	struct bytes_in in = bytes_in(ip->options, ip->noptions);

	while (bytes_left(&in)) {
		uint8_t type = bytes_get_u8(&in);
		if (type == LOOSE || type == STRICT) {
			return true;
		}
		if (type == END) {
			return false;
		}
		if (type != NOP) {
			uint8_t size = bytes_get_u8(&in);
			if (size < 2 || !bytes_take(&in, size - 2u)) {
				return false;
			}
		}
	}
	return false;
}

/* Destinations that no packet is routed to: this net, loopback, groups, reserved and all (RFC 1812 5.3.7, 4.2.2.11). */
static bool
l3_nowhere4(uint32_t destination)
{
	uint32_t net = destination >> 24;
	return net == 0 || net == 127 || net >= 224;
}

static bool
l3_read4(struct rte_mbuf *m, struct l3_packet *p, struct ip4 *ip)
{
	struct bytes_in in = bytes_in(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));

	if (ip4_get(&in, ip) != IP4_GOOD) {
		return false;
	}
	l3_trim(m, ip->size);
	p->destination[0] = 0;
	p->destination[1] = ip->destination;
	p->size = ip->size;
	p->whole = ip->fragment & IP4_DF;
	p->ttl = ip->ttl;
	return true;
}

static void
l3_careful4(struct worker *w, struct l3_packet *p)
{
	struct ip4 ip;

	if (!l3_read4(p->m, p, &ip)) {
		l3_refuse(w, p, SEG_DROP_L3_HEADER);
	} else if (ip4_bad_source(ip.source)) {
		l3_refuse(w, p, SEG_DROP_L3_SOURCE);
	} else if (l3_nowhere4(ip.destination)) {
		l3_refuse(w, p, SEG_DROP_L3_SCOPE);
	} else if (l3_source_routed(&ip)) {
		l3_refuse(w, p, SEG_DROP_L3_SOURCE_ROUTE);
	} else {
		l3_route(w, p);
	}
}

/* ---- IPv6 ------------------------------------------------------------------------------------------------------- */

static bool
l3_read6(struct rte_mbuf *m, struct l3_packet *p, struct ip6 *ip)
{
	struct bytes_in in = bytes_in(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));

	if (ip6_get(&in, ip) != IP6_GOOD) {
		return false;
	}
	l3_trim(m, (unsigned)IP6_HEADER + ip->size);
	p->destination[0] = ip->destination[0];
	p->destination[1] = ip->destination[1];
	p->size = (unsigned)IP6_HEADER + ip->size;
	p->whole = true; /* RFC 8200 4.5: only its source may cut it */
	p->ttl = ip->hops;
	return true;
}

static void
l3_careful6(struct worker *w, struct l3_packet *p)
{
	struct ip6 ip;

	if (!l3_read6(p->m, p, &ip)) {
		l3_refuse(w, p, SEG_DROP_L3_HEADER);
	} else if (ip6_is_multicast(ip.source) || ip6_is_loopback(ip.source)) {
		l3_refuse(w, p, SEG_DROP_L3_SOURCE);
	} else if (ip6_is_multicast(ip.destination)
			   ? l3_in_group(p->in, ip.destination)
			   : ip6_is_link_local(ip.destination) && iface_has(p->in, SEG_IPV6, ip.destination)) {
		l3_local(w, p->in, p->port, SEG_IPV6, p->m, ip6_is_multicast(ip.destination));
	} else if (ip6_is_multicast(ip.destination) || ip6_is_link_local(ip.destination) || ip6_is_none(ip.destination) ||
		   ip6_is_loopback(ip.destination)) {
		l3_refuse(w, p, SEG_DROP_L3_SCOPE);
	} else if (ip6_is_link_local(ip.source) || ip6_is_none(ip.source)) {
		/* they may speak to us, but are not routed (RFC 4291 2.5.2, 2.5.6) */
		if (l3_lookup(w, p)->kind == SEG_ROUTE_LOCAL) {
			l3_local(w, p->in, p->port, SEG_IPV6, p->m, false);
		} else {
			l3_return(w, p, SEG_DROP_L3_SCOPE, L3_BEYOND_SCOPE, 0);
		}
	} else {
		l3_route(w, p);
	}
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

void
l3_careful(struct worker *w, const struct iface *in, uint16_t port, struct rte_mbuf *frame)
{
	struct l3_packet p = {.m = frame, .in = in, .port = port};
	uint16_t type;
	unsigned size = l3_header(frame, &type);

	if (!in || !in->enabled) {
		worker_drop_in(w, SEG_DROP_L3_IFACE_DOWN, port, frame);
	} else if (!size || rte_pktmbuf_data_len(frame) < size) {
		worker_drop_in(w, SEG_DROP_RX_RUNT, port, frame);
	} else if (type == ETH_IPV4) {
		p.family = SEG_IPV4;
		l3_strip(frame, size);
		l3_careful4(w, &p);
	} else if (type == ETH_IPV6) {
		p.family = SEG_IPV6;
		l3_strip(frame, size);
		l3_careful6(w, &p);
	} else if (type == ETH_ARP) {
		neighbor_arp(w, in, port, frame);
		rte_pktmbuf_free(frame);
	} else {
		worker_drop_in(w, SEG_DROP_L3_TYPE, port, frame);
	}
}

void
l3_originate(struct worker *w, const struct iface *scope, unsigned family, struct rte_mbuf *packet)
{
	struct l3_packet p = {.m = packet, .family = family};
	struct ip4 v4;
	struct ip6 v6;

	packet->l2_len = 0;
	if (family == SEG_IPV4 ? !l3_read4(packet, &p, &v4) : !l3_read6(packet, &p, &v6)) {
		l3_refuse(w, &p, SEG_DROP_L3_HEADER);
	} else if (family == SEG_IPV6 && ip6_is_link_local(p.destination)) {
		if (scope) {
			l3_way_out(w, &p, scope, NULL);
		} else {
			l3_refuse(w, &p, SEG_DROP_L3_SCOPE);
		}
	} else {
		l3_route(w, &p);
	}
}
