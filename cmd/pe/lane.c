/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lanes: a port's queues with their homes and rings. */
#include <rte_ring.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

struct rte_ring *
lane_ring(unsigned slots)
{
	/* Not from DPDK's memory: 64 cores need more rings than it has names for. */
	ssize_t size = rte_ring_get_memsize(slots);
	struct rte_ring *ring =
		size > 0 ? aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN((size_t)size, RTE_CACHE_LINE_SIZE)) : NULL;
	if (ring && rte_ring_init(ring, "frames", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) < 0) {
		free(ring);
		return NULL;
	}
	return ring;
}

/* Receive queues that each core polls, over all lanes. */
static void
count_polled(const struct view *view, unsigned polled[static SEG_MAX_NODES])
{
	memset(polled, 0, SEG_MAX_NODES * sizeof(polled[0]));
	for (unsigned n = 0; view && n < SEG_MAX_PORTS; n++) {
		const struct lane *lane = view->lane[n];
		for (unsigned q = 0; lane && q < lane->port->nrxq; q++) {
			polled[lane->rxq[q].poller]++;
		}
	}
}

static uint8_t
least_polling(const unsigned *polled, unsigned ncores)
{
	unsigned best = 1;
	for (unsigned i = 2; i <= ncores; i++) {
		if (polled[i] < polled[best]) {
			best = i;
		}
	}
	return (uint8_t)best;
}

/* A number may have belonged to another port; nobody counts under it now. */
static void
clear_counts(struct engine *engine, uint16_t number)
{
	for (unsigned i = 1; i <= engine->ncores; i++) {
		memset(&seg_core(&engine->seg, i)->port[number], 0, sizeof(struct seg_port_count));
	}
}

/* Only of queues that several cores share (transmit.c). */
static bool
add_backlogs(const struct engine *engine, struct lane *lane)
{
	unsigned ntxq = lane->port->ntxq;
	for (unsigned core = 1; core <= engine->ncores && ntxq < engine->ncores; core++) {
		struct rte_ring **ring = &lane->txq[(core - 1) % ntxq].backlog[core];
		*ring = lane_ring(CONF_BACKLOG_SLOTS);
		if (!*ring) {
			return false;
		}
	}
	return true;
}

struct lane *
lane_new(struct engine *engine, struct port *port, const struct view *beside)
{
	struct lane *lane = aligned_alloc(SEG_LINE, sizeof(*lane));
	if (!lane) {
		return NULL;
	}
	memset(lane, 0, sizeof(*lane));
	lane->port = port;
	unsigned polled[SEG_MAX_NODES];
	count_polled(beside, polled);
	for (uint16_t q = 0; q < port->nrxq; q++) {
		lane->rxq[q].queue = q;
		lane->rxq[q].home = least_polling(polled, engine->ncores);
		lane->rxq[q].poller = roles_poller(&engine->roles, lane->rxq[q].home, polled);
	}
	for (uint16_t q = 0; q < port->ntxq; q++) {
		lane->txq[q].queue = q;
	}
	if (!add_backlogs(engine, lane)) {
		lane_free(engine, lane);
		return NULL;
	}
	clear_counts(engine, port->number);
	return lane;
}

void
lane_drain(struct engine *engine, struct lane *lane)
{
	for (uint16_t q = 0; q < lane->port->ntxq; q++) {
		for (unsigned core = 1; core <= engine->ncores; core++) {
			void *frame;
			struct rte_ring *ring = lane->txq[q].backlog[core];
			while (ring && rte_ring_dequeue(ring, &frame) == 0) {
				rte_pktmbuf_free(frame);
			}
		}
	}
}

void
lane_free(struct engine *engine, struct lane *lane)
{
	if (!lane) {
		return;
	}
	lane_drain(engine, lane);
	for (uint16_t q = 0; q < lane->port->ntxq; q++) {
		for (unsigned core = 1; core <= engine->ncores; core++) {
			free(lane->txq[q].backlog[core]);
		}
	}
	free(lane);
}
