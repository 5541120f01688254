/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ARP and neighbour discovery frames on a data core: what comes in, what goes out. */
#include "neighbor.h"

#include "nbr/own.h"
#include "net/eth.h"
#include "route/route.h"

#define NOTICES_PPS 200 /* to the control core */
#define RA_HOPS 64
#define MAC_BROADCAST 0xffffffffffffull

static const uint64_t all_nodes[2] = {0xff02000000000000, 1};

/* ---- out -------------------------------------------------------------------------------------------------------- */

static struct rte_mbuf *
io_packet(struct worker *w, const uint8_t *bytes, size_t size)
{
	struct rte_mbuf *packet = rte_pktmbuf_alloc(w->engine->pool);

	if (!packet) {
		drop_count(w->mine, SEG_DROP_NO_MBUF, 0, NULL, (uint32_t)size, w->now_ns);
		return NULL;
	}
	memcpy(rte_pktmbuf_append(packet, (uint16_t)size), bytes, size); /* an mbuf's room is a frame's at least */
	return packet;
}

static void
io_send_arp(struct worker *w, const struct iface *iface, const struct arp *arp, uint64_t mac)
{
	uint8_t bytes[ARP_SIZE];
	struct bytes_out out = bytes_out(bytes, sizeof(bytes));

	arp_put(&out, arp);
	struct rte_mbuf *packet = io_packet(w, bytes, sizeof(bytes));
	if (packet) {
		l3_send(w, iface, packet, mac, ETH_ARP);
		seg_add(&w->mine->l3.arp_sent, 1);
	}
}

/* A packet to a station whose link-layer address is not known, perhaps. */
static void
io_resolve(struct worker *w, const struct iface *iface, struct rte_mbuf *packet, const uint64_t to[static 2])
{
	const struct nbr_key key = nbr_key6(to[0], to[1], iface->number);
	uint32_t slot;

	switch (neighbor_need(w, SEG_IPV6, &key, &slot)) {
	case NBR_GO:
		l3_send(w, iface, packet, SEG_NBR_MAC(w->nbr->cache[SEG_IPV6].table.slot[slot].value), ETH_IPV6);
		break;
	case NBR_WAIT:
		hold_add(w, SEG_IPV6, slot, 0, 0, packet);
		break;
	case NBR_DEAD:
		worker_drop(w, SEG_DROP_NBR_FAILED, 0, packet);
		break;
	case NBR_REFUSED:
		worker_drop(w, SEG_DROP_NBR_LIMIT, 0, packet);
		break;
	}
}

/* mac 0: that of a group, or to be found out. */
static void
io_send_nd(struct worker *w, const struct iface *iface, const struct nd *nd, const uint64_t source[static 2],
	const uint64_t to[static 2], uint64_t mac)
{
	uint8_t bytes[ND_SIZE_MAX];
	struct bytes_out out = bytes_out(bytes, sizeof(bytes));

	nd_put(&out, nd, source, to);
	struct rte_mbuf *packet = io_packet(w, bytes, (size_t)(out.at - bytes));
	if (!packet) {
		return;
	}
	seg_add(&w->mine->l3.nd_sent, 1);
	if (!mac && ip6_is_multicast(to)) {
		mac = nd_multicast_mac(to);
	}
	if (mac) {
		l3_send(w, iface, packet, mac, ETH_IPV6);
	} else {
		io_resolve(w, iface, packet, to);
	}
}

void
neighbor_solicit(struct worker *w, unsigned family, const struct nbr_key *key, uint64_t mac)
{
	const struct iface *iface = w->view->plan->iface[key->iface % SEG_MAX_IFACES];
	uint64_t source[2], to[2];
	struct arp arp;
	struct nd nd;

	if (!iface || !iface->enabled) {
		return;
	}
	if (family == SEG_IPV4) {
		if (arp_request(iface, (uint32_t)key->address[1], &arp)) {
			io_send_arp(w, iface, &arp, mac ? mac : MAC_BROADCAST);
		}
	} else if (nd_solicitation(iface, key->address, mac != 0, &nd, source, to)) {
		io_send_nd(w, iface, &nd, source, to, mac);
	}
}

/* RFC 4861 6.2.3, 4.2; last: 6.2.5. */
static void
io_send_ra(struct worker *w, const struct iface *iface, const uint64_t to[static 2], bool last)
{
	const struct ra_conf *conf = &iface->ra;
	int which = iface_source(iface, SEG_IPV6, all_nodes);
	struct nd nd = {.type = ND_RA,
		.flags = (uint8_t)((conf->managed ? ND_RA_MANAGED : 0) | (conf->other ? ND_RA_OTHER : 0)),
		.has_mac = true,
		.mac = iface->mac,
		.hops = RA_HOPS,
		.lifetime_s = last ? 0 : conf->lifetime_s,
		.mtu = iface->mtu};

	if (which < 0 || !ip6_is_link_local(iface->address[which].address)) {
		return; /* 6.1.2: nobody would believe it */
	}
	for (unsigned i = 0; i < iface->naddresses && nd.nprefixes < ND_PREFIXES; i++) {
		const struct seg_address *a = &iface->address[i];
		if (a->family != SEG_IPV6 || ip6_is_link_local(a->address) || a->length > 127) {
			continue;
		}
		struct nd_prefix *prefix = &nd.prefix[nd.nprefixes++];
		bool autonomous = conf->autonomous && a->length == 64; /* RFC 4862 5.5.3 d: with an identifier of 64 bits */
		*prefix = (struct nd_prefix){.length = a->length,
			.flags = (uint8_t)(ND_PREFIX_ON_LINK | (autonomous ? ND_PREFIX_AUTONOMOUS : 0)),
			.valid_s = conf->valid_s,
			.preferred_s = conf->preferred_s,
			.prefix = {a->address[0], a->address[1]}};
		route_mask(SEG_IPV6, a->length, prefix->prefix);
	}
	io_send_nd(w, iface, &nd, iface->address[which].address, to, 0);
}

/* What speaks for address `which` of ours. */
static void
io_announce(struct worker *w, const struct iface *iface, int which, bool dad)
{
	uint64_t source[2], to[2];
	struct arp arp;
	struct nd nd;

	if (iface->address[which].family == SEG_IPV4) {
		arp_announcement(iface, which, &arp);
		io_send_arp(w, iface, &arp, MAC_BROADCAST);
		return;
	}
	if (dad) {
		nd_dad(iface, which, &nd, source, to);
	} else {
		nd_announcement(iface, which, &nd, source, to);
	}
	io_send_nd(w, iface, &nd, source, to, 0);
}

void
neighbor_announce(struct worker *w, const struct seg_msg *msg)
{
	const struct iface *iface = w->view->plan->iface[(uint32_t)msg->word[3] % SEG_MAX_IFACES];
	enum own_frame frame = (enum own_frame)(msg->word[2] & 0xffff);

	if (!iface || !iface->enabled) {
		return;
	}
	if (frame == OWN_RA || frame == OWN_RA_LAST) {
		const uint64_t *to = msg->word[0] ? msg->word : all_nodes;
		io_send_ra(w, iface, to, frame == OWN_RA_LAST);
		return;
	}
	int which = iface_find(iface, nbr_msg_family(msg), msg->word);
	if (which >= 0) {
		io_announce(w, iface, which, frame == OWN_DAD);
	}
}

/* ---- in --------------------------------------------------------------------------------------------------------- */

/* Tells the control core. Some are enough: a conflict repeats itself, and so does a solicitation. */
static void
io_notice(struct worker *w, const struct iface *iface, unsigned family, enum own_notice notice, const uint64_t address[static 2],
	uint64_t mac)
{
	if (!neighbor_take(&w->nbr->notices, NOTICES_PPS, w->now_ns)) {
		return;
	}
	struct seg_msg msg = {.kind = SEG_MSG_NBR_NOTICE,
		.from = (uint8_t)w->number,
		.to = 0,
		.n = 4,
		.time_ns = w->now_ns,
		.word = {address[0], address[1], mac << 16 | notice, (uint64_t)family << 32 | iface->number}};
	exchange_list(w, &msg, 1);
}

/* The interface does not take it up. That is the end of the frame on a port; a bridge still forwards it. */
static void
io_drop_copy(struct worker *w, const struct iface *iface, enum seg_drop reason, uint16_t port, const struct rte_mbuf *frame)
{
	if (iface->port) {
		seg_add(&w->mine->port[port].rx_dropped, 1);
	}
	drop_count(w->mine, reason, port, rte_pktmbuf_mtod(frame, const void *), rte_pktmbuf_data_len(frame), w->now_ns);
}

bool
neighbor_arp(struct worker *w, const struct iface *iface, uint16_t port, const struct rte_mbuf *frame)
{
	struct bytes_in in = bytes_in(rte_pktmbuf_mtod(frame, const void *), rte_pktmbuf_data_len(frame));
	struct arp_verdict verdict;
	struct eth eth;
	struct arp arp;

	if (neighbor_police(w, port, POLICE_ARP)) {
		io_drop_copy(w, iface, SEG_DROP_POLICE_ARP, port, frame);
		return false;
	}
	if (!eth_get(&in, &eth) || !arp_get(&in, &arp)) {
		io_drop_copy(w, iface, SEG_DROP_ARP_BAD, port, frame);
		return false;
	}
	seg_add(&w->mine->l3.arp_received, 1);
	arp_input(&w->nbr->cache[SEG_IPV4], iface, &arp, w->now_ns, neighbor_out(w, SEG_IPV4), &verdict);
	if (verdict.answer) {
		io_send_arp(w, iface, &verdict.reply, verdict.reply.target_mac);
	}
	if (verdict.conflict) {
		io_notice(w, iface, SEG_IPV4, OWN_CONFLICT, iface->address[verdict.which].address, arp.sender_mac);
	}
	neighbor_flush(w);
	return !verdict.bridge;
}

/* Behind the headers: *in at the ICMPv6 message. False: no neighbour discovery (RFC 6980: never in fragments). */
static bool
io_open_nd(const struct rte_mbuf *packet, struct bytes_in *in, struct ip6 *ip)
{
	bool hop_by_hop = false, fragment = false;

	*in = bytes_in(rte_pktmbuf_mtod(packet, const void *), rte_pktmbuf_data_len(packet));
	return ip6_get(in, ip) == IP6_GOOD && ip6_walk(in, ip->next, &hop_by_hop, &fragment) == IP6_ICMP && !fragment;
}

bool
neighbor_nd(struct worker *w, const struct iface *iface, uint16_t port, const struct rte_mbuf *packet)
{
	struct nd_verdict verdict;
	struct bytes_in in;
	struct ip6 ip;
	struct nd nd;

	if (neighbor_police(w, port, POLICE_ND)) {
		io_drop_copy(w, iface, SEG_DROP_POLICE_ND, port, packet);
		return false;
	}
	if (!io_open_nd(packet, &in, &ip) || !nd_get(&in, &ip, &nd)) {
		io_drop_copy(w, iface, SEG_DROP_ND_BAD, port, packet);
		return false;
	}
	seg_add(&w->mine->l3.nd_received, 1);
	nd_input(&w->nbr->cache[SEG_IPV6], iface, ip.source, ip.destination, &nd, w->now_ns, neighbor_out(w, SEG_IPV6), &verdict);
	if (verdict.bad) {
		io_drop_copy(w, iface, SEG_DROP_ND_BAD, port, packet);
		return false;
	}
	if (verdict.answer) {
		io_send_nd(w, iface, &verdict.reply, verdict.reply_source, verdict.reply_to, verdict.reply_mac);
	}
	if (verdict.conflict) {
		io_notice(w, iface, SEG_IPV6, verdict.testing ? OWN_DAD_RIVAL : OWN_CONFLICT,
			iface->address[verdict.which].address, nd.has_mac ? nd.mac : 0);
	}
	if (verdict.solicited_ra || verdict.router) {
		io_notice(w, iface, SEG_IPV6, verdict.router ? OWN_RA_HEARD : OWN_RS, ip.source, nd.has_mac ? nd.mac : 0);
	}
	neighbor_flush(w);
	return verdict.answer;
}
