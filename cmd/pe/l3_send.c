/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way out: Ethernet headers, the bridge's table or the one port, fragments. */
#include "l3_int.h"
#include "net/ip4.h"

/* Puts an Ethernet header before a packet; vid 0: untagged. False: no room. */
static bool
l3_put_header(struct rte_mbuf *packet, const struct iface *iface, uint64_t mac, uint16_t vid, uint16_t type)
{
	const struct eth eth = {
		.dst = mac, .src = iface->mac, .tags = vid ? 1 : 0, .tag = {{.tpid = ETH_VLAN, .tci = vid}}, .type = type};
	uint16_t size = (uint16_t)(ETH_HEADER + eth.tags * ETH_TAG);
	uint8_t *to = (uint8_t *)rte_pktmbuf_prepend(packet, size);

	if (!to) {
		return false;
	}
	struct bytes_out out = bytes_out(to, size);
	eth_put(&out, &eth);
	return true;
}

void
l3_send(struct worker *w, const struct iface *iface, struct rte_mbuf *packet, uint64_t mac, uint16_t type)
{
	if (!iface->enabled) {
		l3_drop(w, SEG_DROP_L3_IFACE_DOWN, 0, packet);
	} else if (!l3_put_header(packet, iface, mac, iface->port ? iface->vid : 0, type)) {
		l3_drop(w, SEG_DROP_NO_MBUF, 0, packet);
	} else if (iface->port) {
		transmit(w, iface->port, packet, rte_pktmbuf_pkt_len(packet));
	} else {
		forward_own(w, iface->fid, packet, mac);
	}
}

/* One fragment in an mbuf of its own; NULL: no memory. */
static struct rte_mbuf *
l3_piece(struct worker *w, const uint8_t *payload, const struct ip4_piece *piece)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->engine->pool);

	if (!m) {
		return NULL;
	}
	uint8_t *start = rte_pktmbuf_mtod(m, uint8_t *);
	struct bytes_out out = bytes_out(start, rte_pktmbuf_tailroom(m));
	ip4_put(&out, &piece->header);
	uint8_t *to = bytes_room(&out, piece->size);
	if (!to) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(to, payload + piece->offset, piece->size);
	l3_trim(m, (unsigned)(out.at - start));
	return m;
}

static void
l3_fragment(struct worker *w, const struct iface *out, struct rte_mbuf *packet, uint64_t mac)
{
	struct bytes_in payload = bytes_in(rte_pktmbuf_mtod(packet, const uint8_t *), rte_pktmbuf_data_len(packet));
	struct ip4_piece piece;
	struct ip4 ip;

	if (ip4_get(&payload, &ip) != IP4_GOOD || (ip.fragment & IP4_DF)) {
		l3_drop(w, SEG_DROP_L3_TOO_BIG, 0, packet);
		return;
	}
	unsigned n = 0;
	for (; ip4_piece(&ip, out->mtu, n, &piece); n++) {
		struct rte_mbuf *m = l3_piece(w, payload.at, &piece);
		if (!m) {
			l3_drop(w, SEG_DROP_NO_MBUF, 0, packet);
			return;
		}
		seg_add(&w->mine->l3.fragments, 1);
		l3_send(w, out, m, mac, ETH_IPV4);
	}
	if (!n) { /* no room for eight bytes behind the header */
		l3_drop(w, SEG_DROP_L3_TOO_BIG, 0, packet);
		return;
	}
	rte_pktmbuf_free(packet);
}

void
l3_deliver(struct worker *w, const struct iface *out, unsigned family, struct rte_mbuf *packet, uint64_t mac)
{
	if (rte_pktmbuf_pkt_len(packet) <= out->mtu) {
		l3_send(w, out, packet, mac, family == SEG_IPV4 ? ETH_IPV4 : ETH_IPV6);
	} else if (family == SEG_IPV4) {
		l3_fragment(w, out, packet, mac);
	} else {
		l3_drop(w, SEG_DROP_L3_TOO_BIG, 0, packet);
	}
}
