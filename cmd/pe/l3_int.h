/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the third layer share.
 *
 * A packet is an mbuf that begins with its IP header. What stood before it, l2_len bytes, is still there: a dropped packet is
 * shown with it, as it came.
 */
#ifndef PEKIT_PE_L3_INT_H
#define PEKIT_PE_L3_INT_H

#include "l3.h"
#include "net/eth.h"

#define L3_TTL 64 /* of our own packets */

/* What an ICMP error says, in both families' words. */
enum l3_complaint {
	L3_NO_ROUTE,
	L3_NO_HOST,
	L3_PROHIBITED,
	L3_TIME,
	L3_TOO_BIG, /* with the MTU */
	L3_NO_PORT,
	L3_NO_PROTOCOL, /* with the pointer (IPv6) */
	L3_BEYOND_SCOPE,
	L3_COMPLAINTS
};

/*
 * l3_error.c: an ICMP error about a packet, as far as RFCs and the rate limit allow. in: the interface it came in at; NULL: it is
 * our own, and nothing is sent. The packet stays the caller's. word: MTU or pointer. group: it came to a group.
 */
void
l3_complain(struct worker *w, const struct iface *in, unsigned family, const struct rte_mbuf *about, enum l3_complaint what,
	uint32_t word, bool group);

/* A token of the limit of what a core says unasked. False: none is left, and that is counted. */
bool
l3_may_send(struct worker *w);

/* Our address to speak with to somebody at an interface; false: there is none. */
bool
l3_source(const struct worker *w, const struct iface *in, unsigned family, const uint64_t target[static 2],
	uint64_t source[static 2]);

/* l3_route.c: a frame for us, whatever is in it. in: enabled or not. */
void
l3_careful(struct worker *w, const struct iface *in, uint16_t port, struct rte_mbuf *frame);

/* l3_send.c: a routed packet to its neighbour, in fragments where it must be. */
void
l3_deliver(struct worker *w, const struct iface *out, unsigned family, struct rte_mbuf *packet, uint64_t mac);

/* l3_group.c: is it a group that the interface is in? */
bool
l3_in_group(const struct iface *iface, const uint64_t address[static 2]);

/* The bytes before the payload of a frame of at least ETH_HEADER bytes; 0: cut off within its tag. *type: of the payload. */
static inline unsigned
l3_header(const struct rte_mbuf *frame, uint16_t *type)
{
	const uint8_t *data = rte_pktmbuf_mtod(frame, const uint8_t *);

	*type = (uint16_t)(data[12] << 8 | data[13]);
	if (*type != ETH_VLAN) {
		return ETH_HEADER;
	}
	if (rte_pktmbuf_data_len(frame) < ETH_HEADER + ETH_TAG) {
		return 0;
	}
	*type = (uint16_t)(data[16] << 8 | data[17]);
	return ETH_HEADER + ETH_TAG;
}

/* From a frame to a packet, and back. */
static inline void
l3_strip(struct rte_mbuf *frame, unsigned size)
{
	rte_pktmbuf_adj(frame, (uint16_t)size);
	frame->l2_len = size & 0x7f;
}

static inline void
l3_restore(struct rte_mbuf *packet)
{
	if (packet->l2_len) {
		rte_pktmbuf_prepend(packet, packet->l2_len);
		packet->l2_len = 0;
	}
}

/* port: it came in at; 0: our own. */
static inline void
l3_drop(struct worker *w, enum seg_drop reason, uint16_t port, struct rte_mbuf *packet)
{
	l3_restore(packet);
	if (port) {
		worker_drop_in(w, reason, port, packet);
	} else {
		worker_drop(w, reason, port, packet);
	}
}

/* Without what an Ethernet pads. */
static inline void
l3_trim(struct rte_mbuf *packet, unsigned size)
{
	packet->data_len = (uint16_t)size;
	packet->pkt_len = size;
}

static inline const struct iface *
l3_iface(const struct worker *w, uint16_t fid)
{
	return w->view->plan->iface[w->view->plan->fid[fid].iface % SEG_MAX_IFACES];
}

#endif
