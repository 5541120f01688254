/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Software steering: the core that polls a queue computes the hash that the device does not, and hands the frame to the core it
 * belongs to.
 *
 * All frames of a flow have one hash and so one core, and a ring keeps their order.
 */
#include <sched.h>

#include "neighbor.h"

static void
steer_hand_over(struct worker *w, unsigned core, uint16_t port)
{
	struct handed *handed = &w->handed[core];
	struct rte_ring *ring = w->engine->work[w->number][core];
	uint64_t bit = 1ull << w->number % 64;
	unsigned n = rte_ring_sp_enqueue_burst(ring, (void **)handed->frame, handed->n, NULL);

	if (n < handed->n) {
		/* Where cores share a CPU, the receiver may wait for it while this one fills its ring: let it run, once. */
		worker_ring(w->engine, core, 0, bit);
		sched_yield();
		n += rte_ring_sp_enqueue_burst(ring, (void **)(handed->frame + n), handed->n - n, NULL);
	}
	for (unsigned i = n; i < handed->n; i++) {
		worker_drop_in(w, SEG_DROP_HANDOVER_FULL, port, handed->frame[i]);
	}
	handed->n = 0;
	seg_add(&w->mine->port[port].steered, n);
	worker_ring(w->engine, core, 0, bit);
}

/* Rules go first. */
static inline unsigned
steer_core(struct worker *w, uint16_t port, const struct rte_mbuf *frame, bool rules, bool spread)
{
	unsigned core = rules ? neighbor_steer(w, port, frame) : 0;
	if (core || !spread) {
		return core ? core : w->number;
	}
	uint32_t hash = rss_frame(&w->rss, rte_pktmbuf_mtod(frame, const uint8_t *), rte_pktmbuf_data_len(frame));
	return w->spread[hash % SEG_OWNER_BUCKETS];
}

void
steer_burst(struct worker *w, uint16_t port, struct rte_mbuf **frame, unsigned n, bool spread)
{
	bool rules = w->view->plan->port[port].l3;
	uint64_t cores = 0; /* bit c - 1: core c gets some */
	unsigned own = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned core = steer_core(w, port, frame[i], rules, spread);
		if (core == w->number) {
			frame[own++] = frame[i];
			continue;
		}
		frame[i]->port = port;
		w->handed[core].frame[w->handed[core].n++] = frame[i];
		cores |= 1ull << (core - 1);
	}
	for (; cores; cores &= cores - 1) {
		steer_hand_over(w, (unsigned)__builtin_ctzll(cores) + 1, port);
	}
	if (own) {
		forward_burst(w, port, frame, own);
	}
}

/* Bridges a batch that may hold frames of several ports, in order. */
static void
steer_forward(struct worker *w, struct rte_mbuf **frame, unsigned n)
{
	for (unsigned first = 0, i = 1; i <= n; i++) {
		if (i == n || frame[i]->port != frame[first]->port) {
			forward_burst(w, frame[first]->port, frame + first, i - first);
			first = i;
		}
	}
}

/* Others have worked on what came after these frames: late ones would overtake nobody, but arrive out of order. */
static void
steer_give_up(struct worker *w, struct rte_mbuf **frame, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		worker_drop_in(w, SEG_DROP_STALLED, frame[i]->port, frame[i]);
	}
}

bool
steer_take(struct worker *w)
{
	struct rte_mbuf *frame[BURST];
	uint64_t bits = w->work_left;
	bool any = false;

	if (seg_get(&w->mine->work)) {
		/* acquire: the frames put on the rings before the bits were set are seen */
		bits |= __atomic_exchange_n(&w->mine->work, 0, __ATOMIC_ACQUIRE);
	}
	w->work_left = 0;
	for (; bits; bits &= bits - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);
		for (unsigned from = bit; from <= w->ncores; from += 64) {
			struct rte_ring *ring = w->engine->work[from][w->number];
			unsigned left = 0, n = ring ? rte_ring_sc_dequeue_burst(ring, (void **)frame, BURST, &left) : 0;
			if (n && w->lost) {
				steer_give_up(w, frame, n);
			} else if (n) {
				steer_forward(w, frame, n);
			}
			any |= n > 0;
			if (left) {
				w->work_left |= 1ull << bit;
			}
		}
	}
	return any;
}
