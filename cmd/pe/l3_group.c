/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames to groups and to all, as far as an interface wants something of them: ARP, ND, and echo requests over IPv6. */
#include "l3_int.h"
#include "neighbor.h"
#include "net/icmp.h"

/* RFC 4291 2.7.1, 2.8 */
bool
l3_in_group(const struct iface *iface, const uint64_t address[static 2])
{
	enum { ALL_NODES = 1, ALL_ROUTERS = 2 };

	if (address[0] != 0xff02ull << 48) {
		return false;
	}
	if (address[1] == ALL_NODES || address[1] == ALL_ROUTERS) {
		return true;
	}
	if (address[1] >> 24 != 0x1ff) {
		return false;
	}
	for (unsigned i = 0; i < iface->naddresses; i++) {
		const struct seg_address *ours = &iface->address[i];
		if (ours->family == SEG_IPV6 && (ours->address[1] & 0xffffff) == (address[1] & 0xffffff)) {
			return true;
		}
	}
	return false;
}

static void
l3_group_copy(struct worker *w, const struct iface *iface, uint16_t port, const struct rte_mbuf *packet)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(packet, w->engine->pool, 0, UINT32_MAX);

	if (copy) {
		copy->l2_len = 0;
		l3_local(w, iface, port, SEG_IPV6, copy, true);
	} else {
		drop_count(w->mine, SEG_DROP_NO_MBUF, port, NULL, 0, w->now_ns);
	}
}

/* The frame begins with its IPv6 header here. */
static enum l3_group
l3_group6(struct worker *w, const struct iface *iface, uint16_t port, struct rte_mbuf *packet)
{
	struct bytes_in in = bytes_in(rte_pktmbuf_mtod(packet, const uint8_t *), rte_pktmbuf_data_len(packet));
	struct ip6 ip;

	if (ip6_get(&in, &ip) != IP6_GOOD || ip.next != IP6_ICMP || !l3_in_group(iface, ip.destination)) {
		return L3_GROUP_OTHER;
	}
	uint8_t type = bytes_get_u8(&in);
	if (type >= ND_RS && type <= ND_REDIRECT) {
		return neighbor_nd(w, iface, port, packet) ? L3_GROUP_GONE : L3_GROUP_SEEN;
	}
	if (type == ICMP6_ECHO) {
		l3_group_copy(w, iface, port, packet);
		return L3_GROUP_SEEN;
	}
	return L3_GROUP_OTHER;
}

enum l3_group
l3_group(struct worker *w, uint16_t port, uint16_t fid, struct rte_mbuf *frame)
{
	const struct iface *iface = l3_iface(w, fid);
	uint16_t type;
	unsigned size = l3_header(frame, &type);
	enum l3_group group = L3_GROUP_OTHER;

	if (!iface || !iface->enabled || !size) {
		return group;
	}
	if (type == ETH_ARP) {
		group = neighbor_arp(w, iface, port, frame) ? L3_GROUP_GONE : L3_GROUP_SEEN;
	} else if (type == ETH_IPV6) {
		l3_strip(frame, size);
		group = l3_group6(w, iface, port, frame);
		l3_restore(frame);
		neighbor_flush(w);
	}
	if (group == L3_GROUP_GONE) {
		rte_pktmbuf_free(frame);
	}
	return group;
}
