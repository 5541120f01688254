/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neighbours on a data core: its two caches (lib/nbr/cache.h) with what they want done, ARP and ND in and out, and the policers.
 */
#ifndef PEKIT_PE_NEIGHBOR_H
#define PEKIT_PE_NEIGHBOR_H

#include "l3.h"
#include "nbr/arp.h"
#include "nbr/nd.h"
#include "worker.h"

enum police_class { POLICE_ARP, POLICE_ND, POLICE_LOCAL, POLICE_CLASSES };

struct neighbors {
	struct nbr_cache cache[SEG_FAMILIES];
	struct nbr_private *timers[SEG_FAMILIES];
	struct nbr_params params;
	struct nbr_out out[SEG_FAMILIES]; /* not yet on the rings and wires */
	struct hold *hold;
	struct nbr_police {
		int64_t tokens; /* in 1/1,000,000,000 of a frame */
		uint64_t filled_ns;
	} police[SEG_MAX_PORTS][POLICE_CLASSES], notices;
};

/* NULL in worker.nbr: no memory. Before the core runs; freed after it has ended. */
struct neighbors *
neighbor_new(struct worker *w);
void
neighbor_free(struct neighbors *nbr);

/* The line of a neighbour that a packet may go to without more ado, or NULL: then neighbor_need(). */
static inline const struct seg_nbr *
neighbor_ready(const struct neighbors *nbr, unsigned family, const struct nbr_key *key)
{
	const struct nbr *table = &nbr->cache[family].table;
	uint32_t slot = nbr_find(table, key);
	return __builtin_expect(slot != NBR_NONE && (table->slot[slot].value & SEG_NBR_READY), 1) ? &table->slot[slot] : NULL;
}

/* The list of what a cache wants, with room for what one more call may add. */
struct nbr_out *
neighbor_out(struct worker *w, unsigned family);

/* As nbr_cache_need(); what the cache wants done is done at neighbor_flush(). */
enum nbr_need
neighbor_need(struct worker *w, unsigned family, const struct nbr_key *key, uint32_t *slot);

/* An ARP frame (with its Ethernet header) came in at an interface. True: it was for us alone. The frame stays the caller's. */
bool
neighbor_arp(struct worker *w, const struct iface *iface, uint16_t port, const struct rte_mbuf *frame);

/* A neighbour discovery packet (IPv6 header first) likewise. */
bool
neighbor_nd(struct worker *w, const struct iface *iface, uint16_t port, const struct rte_mbuf *packet);

/* Takes one token; true: there was none, and the frame is to be dropped. */
bool
neighbor_police(struct worker *w, uint16_t port, enum police_class class);

/* The same of a bucket of its own. True: there was one. */
bool
neighbor_take(struct nbr_police *bucket, uint32_t pps, uint64_t now);

/* The core that a frame of a port with interfaces (plan_port.l3) belongs to by rule (ARP: the master; ND: the owner), or 0: no
 * rule. */
unsigned
neighbor_steer(struct worker *w, uint16_t port, const struct rte_mbuf *frame);

/* What the caches wanted: messages to the rings, solicitations to the wire, held packets on their way. After each burst that may
 * have asked, each message, each tick. */
void
neighbor_flush(struct worker *w);

/* A message, SEG_MSG_NBR_*. neighbor_flush() when some have been received. */
void
neighbor_receive(struct worker *w, const struct seg_msg *msg);

/* The ring to a core was full. */
void
neighbor_ring_full(struct worker *w, uint8_t to, const struct seg_msg *msg);

/* Pays what is owed; true: some was. */
bool
neighbor_resync(struct worker *w);

void
neighbor_tick(struct worker *w);

uint64_t
neighbor_next(const struct worker *w);

/* Receivers that are owed something, both families. */
unsigned
neighbor_owing(const struct worker *w);

/* Is that core one of them? */
bool
neighbor_owes(const struct worker *w, unsigned to);

/* Times and limits of a new plan. */
void
neighbor_take_view(struct worker *w);

/* ---- neighbor_io.c: frames ---- */

/* A request or solicitation for key, to all or to mac alone. */
void
neighbor_solicit(struct worker *w, unsigned family, const struct nbr_key *key, uint64_t mac);

/* What the control core wants said about an address of ours (SEG_MSG_NBR_ANNOUNCE). */
void
neighbor_announce(struct worker *w, const struct seg_msg *msg);

#endif
