/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets that wait for a neighbour.
 *
 * A queue a slot of the neighbour table: a ring of mbufs through their `next`, known by its newest. While a packet waits, its
 * mbuf also says how long its queue is and where it came in, so that an empty queue takes no more than a pointer.
 */
#include <stdlib.h>

#include "l3_int.h"
#include "neighbor.h"

struct hold {
	struct rte_mbuf **newest[SEG_FAMILIES]; /* [slots] */
	uint32_t slots;
	uint32_t total;
};

/* Fields of a waiting mbuf that nobody else uses meanwhile. */
#define HOLD_IN(m) ((m)->vlan_tci_outer)
#define HOLD_COUNT(m) ((m)->hash.usr) /* valid in the newest */

struct hold *
hold_new(uint32_t slots)
{
	struct hold *hold = calloc(1, sizeof(*hold));

	if (!hold) {
		return NULL;
	}
	hold->slots = slots;
	for (unsigned f = 0; f < SEG_FAMILIES; f++) {
		/* calloc(): the pages of slots that were never waited for are never touched */
		hold->newest[f] = calloc(slots, sizeof(struct rte_mbuf *));
	}
	if (!hold->newest[SEG_IPV4] || !hold->newest[SEG_IPV6]) {
		hold_free(hold);
		return NULL;
	}
	return hold;
}

/* Takes the oldest of a queue, NULL: it is empty. */
static struct rte_mbuf *
hold_take(struct hold *hold, unsigned family, uint32_t slot)
{
	struct rte_mbuf **newest = &hold->newest[family][slot], *last = *newest;

	if (!last) {
		return NULL;
	}
	struct rte_mbuf *m = last->next;
	if (m == last) {
		*newest = NULL;
	} else {
		last->next = m->next;
		HOLD_COUNT(last)--;
	}
	m->next = NULL;
	hold->total--;
	return m;
}

void
hold_free(struct hold *hold)
{
	for (unsigned f = 0; f < SEG_FAMILIES && hold; f++) {
		for (uint32_t slot = 0; slot < hold->slots && hold->newest[f]; slot++) {
			struct rte_mbuf *m;
			while ((m = hold_take(hold, f, slot))) {
				rte_pktmbuf_free(m);
			}
		}
		free(hold->newest[f]);
	}
	free(hold);
}

static void
hold_append(struct hold *hold, unsigned family, uint32_t slot, struct rte_mbuf *m)
{
	struct rte_mbuf *last = hold->newest[family][slot];

	if (last) {
		m->next = last->next;
		last->next = m;
		HOLD_COUNT(m) = HOLD_COUNT(last) + 1;
	} else {
		m->next = m;
		HOLD_COUNT(m) = 1;
	}
	hold->newest[family][slot] = m;
	hold->total++;
}

void
hold_add(struct worker *w, unsigned family, uint32_t slot, uint16_t in, uint16_t port, struct rte_mbuf *packet)
{
	const struct conf_neighbors *conf = &w->view->plan->nbr;
	struct hold *hold = w->nbr->hold;
	const struct rte_mbuf *last = hold->newest[family][slot];

	if (last && HOLD_COUNT(last) >= conf->hold) {
		struct rte_mbuf *oldest = hold_take(hold, family, slot);
		l3_drop(w, SEG_DROP_NBR_HELD, oldest->port, oldest);
	} else if (hold->total >= conf->hold_all) {
		l3_drop(w, SEG_DROP_NBR_HELD_ALL, port, packet);
		return;
	}
	packet->port = port;
	HOLD_IN(packet) = in;
	hold_append(hold, family, slot, packet);
	seg_add(&w->mine->l3.held, 1);
	seg_put(&w->mine->l3.holding, hold->total);
}

/* What waits is taken out before any of it is worked on: that may need neighbours, and so come here again. */
static struct rte_mbuf *
hold_take_all(struct worker *w, unsigned family, uint32_t slot)
{
	struct hold *hold = w->nbr->hold;
	struct rte_mbuf *last = hold->newest[family][slot];

	if (!last) {
		return NULL;
	}
	struct rte_mbuf *first = last->next;
	hold->total -= HOLD_COUNT(last);
	hold->newest[family][slot] = NULL;
	last->next = NULL;
	seg_put(&w->mine->l3.holding, hold->total);
	return first;
}

void
hold_release(struct worker *w, unsigned family, uint32_t slot, const struct iface *out, uint64_t mac)
{
	struct rte_mbuf *next;

	for (struct rte_mbuf *m = hold_take_all(w, family, slot); m; m = next) {
		next = m->next;
		m->next = NULL;
		seg_add(&w->mine->l3.released, 1);
		seg_add(&w->mine->l3.forwarded[family], HOLD_IN(m) != 0);
		l3_deliver(w, out, family, m, mac);
	}
}

void
hold_drop(struct worker *w, unsigned family, uint32_t slot, enum seg_drop reason)
{
	const struct plan *plan = w->view->plan;
	struct rte_mbuf *next;

	for (struct rte_mbuf *m = hold_take_all(w, family, slot); m; m = next) {
		next = m->next;
		m->next = NULL;
		l3_complain(w, plan->iface[HOLD_IN(m) % SEG_MAX_IFACES], family, m, L3_NO_HOST, 0, false);
		l3_drop(w, reason, m->port, m);
	}
}
