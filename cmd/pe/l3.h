/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a packet meets above the bridge, on a data core: l3.c (bursts), l3_route.c (one packet, with care), l3_send.c (the way
 * out), l3_group.c and l3_local.c (packets for us), l3_error.c (ICMP errors), hold.c (packets that wait for a neighbour). What
 * resolves neighbours is neighbor.h.
 *
 * Frames given to these functions are theirs.
 */
#ifndef PEKIT_PE_L3_H
#define PEKIT_PE_L3_H

#include "worker.h"

/* n frames that came in at a port with the MAC of the interface of their FID as their destination; 1..BURST. */
void
l3_burst(struct worker *w, uint16_t port, const uint16_t *fid, struct rte_mbuf **frame, unsigned n);

/* n frames that came in at a port with interfaces directly on it (plan_port.routed), of any destination; 1..BURST. */
void
l3_port_burst(struct worker *w, uint16_t port, struct rte_mbuf **frame, unsigned n);

enum l3_group {
	L3_GROUP_OTHER, /* nothing that the interface looks at */
	L3_GROUP_SEEN,  /* looked at, and counted if it was bad or too much; others may want it, too */
	L3_GROUP_GONE,  /* for us alone (ARP or ND for an address of ours): the frame is gone */
};

/*
 * A frame for a group or all, in a FID with an interface; a bridge forwards it to the VLAN unless it is gone. What the interface
 * wants of it is taken as a copy.
 */
enum l3_group
l3_group(struct worker *w, uint16_t port, uint16_t fid, struct rte_mbuf *frame);

/*
 * Sends a packet (no Ethernet header before it, headroom for one and a tag) out of an interface to a MAC. Its way through a
 * bridge is the table's, or to all of the VLAN when the MAC is unknown or of a group. type: of Ethernet.
 */
void
l3_send(struct worker *w, const struct iface *iface, struct rte_mbuf *packet, uint64_t mac, uint16_t type);

/* Routes a packet of our own making (IP header first) to where its destination is; scope: the interface where a link-local one
 * is, may be NULL. */
void
l3_originate(struct worker *w, const struct iface *scope, unsigned family, struct rte_mbuf *packet);

/* l3_local.c: a packet to one of our addresses, or to a group we are in. */
void
l3_local(struct worker *w, const struct iface *in, uint16_t port, unsigned family, struct rte_mbuf *packet, bool group);

/* ---- hold.c ----------------------------------------------------------------------------------------------------- */

struct hold;

/* Memory for `slots` queues a family; NULL: none. Freed with hold_free(), with what waits. */
struct hold *
hold_new(uint32_t slots);
void
hold_free(struct hold *hold);

/* A packet waits for the neighbour in that slot; in: the interface it came in at, 0: our own. Drops it where too many wait. */
void
hold_add(struct worker *w, unsigned family, uint32_t slot, uint16_t in, uint16_t port, struct rte_mbuf *packet);

/* What waits goes out, in order. */
void
hold_release(struct worker *w, unsigned family, uint32_t slot, const struct iface *out, uint64_t mac);

/* What waits is given up, with host unreachable for each. */
void
hold_drop(struct worker *w, unsigned family, uint32_t slot, enum seg_drop reason);

#endif
