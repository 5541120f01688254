/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a received ARP means, and what ours look like (RFC 826, RFC 5227). The master core's. Pure.
 *
 * As in the source text: a sender that is not in the table is added, one that has changed is updated and told to all; a target
 * that is ours is answered; one that is not is bridged. A sender with one of our addresses is a conflict.
 */
#ifndef PEKIT_NBR_ARP_H
#define PEKIT_NBR_ARP_H

#include "nbr/cache.h"
#include "nbr/iface.h"
#include "net/arp.h"

struct arp_verdict {
	bool answer;   /* send `reply` to reply.target_mac */
	bool bridge;   /* not for us (alone): the bridge forwards it */
	bool conflict; /* the sender has our address: index `which` */
	int which;
	struct arp reply;
};

/*
 * An ARP came in at an interface. What it says about its sender goes to the cache: an answer, a request, or a gratuitous one.
 * Learns only senders in a prefix of the interface (RFC 1812 3.3.2), never 0.0.0.0, ours, group or zero MACs. The MAC is the
 * ARP's, not the frame's: they differ for virtual routers.
 */
void
arp_input(struct nbr_cache *c, const struct iface *iface, const struct arp *arp, uint64_t now, struct nbr_out *out,
	struct arp_verdict *verdict);

/* A request for target: false when the interface has no IPv4 address to ask with. Broadcast unless mac (RFC 1122 2.3.2.1). */
bool
arp_request(const struct iface *iface, uint32_t target, struct arp *arp);

/* An announcement of our address `which` (RFC 5227 2.3), or a probe for it (2.1.1). */
void
arp_announcement(const struct iface *iface, int which, struct arp *arp);
void
arp_probe(const struct iface *iface, int which, struct arp *arp);

#endif
