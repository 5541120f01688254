/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a received neighbour discovery message means, and what ours look like (RFC 4861, RFC 4862 5.4). Pure.
 *
 * Any core answers a solicitation; what is learned goes to the owner of the address (nbr_cache_heard()).
 */
#ifndef PEKIT_NBR_ND_H
#define PEKIT_NBR_ND_H

#include "nbr/cache.h"
#include "nbr/iface.h"
#include "net/nd.h"

struct nd_verdict {
	bool bad;          /* fails 6.1 or 7.1: dropped silently, counted */
	bool answer;       /* send `reply` from reply_source to reply_to; its link-layer address is resolved as any other's, or
			      reply_mac when that is not 0 */
	bool conflict;     /* somebody has, or wants, our address: index `which` (RFC 4862 5.4.3, 5.4.4) */
	bool testing;      /* with conflict: it is another one's duplicate address detection */
	bool solicited_ra; /* a valid RS: the control core's RA machine wants to know */
	bool router;       /* a valid RA */
	int which;
	struct nd reply;
	uint64_t reply_source[2], reply_to[2], reply_mac;
};

/* A message came in at an interface: source and destination of its IPv6 header. Its checksum and hop limit were checked. */
void
nd_input(struct nbr_cache *c, const struct iface *iface, const uint64_t source[static 2], const uint64_t destination[static 2],
	const struct nd *nd, uint64_t now, struct nbr_out *out, struct nd_verdict *verdict);

/*
 * A solicitation for target, with the source to send it from and the address to send it to (solicited-node multicast when unicast
 * is false). False: the interface has no address to ask with (4.3: never from the unspecified address but for DAD).
 */
bool
nd_solicitation(const struct iface *iface, const uint64_t target[static 2], bool unicast, struct nd *nd,
	uint64_t source[static 2], uint64_t to[static 2]);

/* For duplicate address detection of our address `which` (RFC 4862 5.4.2): from ::, without options. */
void
nd_dad(const struct iface *iface, int which, struct nd *nd, uint64_t source[static 2], uint64_t to[static 2]);

/* Unsolicited, for all nodes, with Override and Router (RFC 4861 7.2.6). */
void
nd_announcement(const struct iface *iface, int which, struct nd *nd, uint64_t source[static 2], uint64_t to[static 2]);

/* ff02::1:ffXX:XXXX (RFC 4291 2.7.1), and 33:33 with the last four bytes (RFC 2464 7). */
void
nd_solicited_node(const uint64_t address[static 2], uint64_t group[static 2]);
uint64_t
nd_multicast_mac(const uint64_t group[static 2]);

/* Which core should see it: the address whose owner that is (the target of an NA, the source of the others). */
void
nd_steer(const struct nd *nd, const uint64_t source[static 2], uint64_t address[static 2]);

#endif
