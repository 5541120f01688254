/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a core's gathered frames to a device's transmit queue.
 *
 * A queue that only one core uses needs no more than the burst. Of a shared queue see queue.h: who finds it busy leaves the frames in
 * its backlog, and whoever lets go of the queue looks for backlogs once more. Both sides have a full fence between their store (the
 * bit, the ownership word) and their look at the other's, so one of them sees the other.
 */
#include "worker.h"

static struct txq *
transmit_queue(const struct worker *w, struct lane *lane)
{
	return &lane->txq[(w->number - 1) % lane->port->ntxq];
}

static bool
transmit_shared(const struct worker *w, const struct lane *lane)
{
	return lane->port->ntxq < w->ncores;
}

/* Sends what the limit and the device allow; the rest is dropped. The queue is held. */
static void
transmit_burst(struct worker *w, struct lane *lane, struct txq *txq, struct rte_mbuf **frame, unsigned n, uint32_t bytes)
{
	uint16_t number = lane->port->number;
	struct seg_port_count *count = &w->mine->port[number];

	if (limit_on(&lane->limit)) {
		unsigned kept = 0;
		limit_refill(&lane->limit, w->now_ns);
		for (unsigned i = 0; i < n; i++) {
			uint32_t length = rte_pktmbuf_pkt_len(frame[i]);
			if (limit_take(&lane->limit, length)) {
				frame[kept++] = frame[i];
			} else {
				bytes -= length;
				worker_drop_out(w, SEG_DROP_OUT_LIMIT, number, frame[i]);
			}
		}
		n = kept;
	}
	unsigned sent = n ? lane->port->driver->tx(lane->port, txq->queue, frame, (uint16_t)n) : 0;
	for (unsigned i = sent; i < n; i++) {
		bytes -= rte_pktmbuf_pkt_len(frame[i]);
		worker_drop_out(w, SEG_DROP_TX_FULL, number, frame[i]);
	}
	seg_add(&count->tx_packets, sent);
	seg_add(&count->tx_bytes, bytes);
	seg_add(&w->mine->tx_packets, sent);
}

/* Sends the backlogs of a queue that is held. */
static bool
transmit_drain(struct worker *w, struct lane *lane, struct txq *txq)
{
	struct rte_mbuf *frame[BURST];
	bool any = false;

	for (unsigned half = 0; half < 2; half++) {
		/* seq_cst: together with transmit_leave(), see above */
		uint64_t bits = __atomic_load_n(&txq->waiting[half], __ATOMIC_SEQ_CST);
		if (!bits) {
			continue;
		}
		__atomic_fetch_and(&txq->waiting[half], ~bits, __ATOMIC_SEQ_CST);
		while (bits) {
			unsigned core = half * 64 + (unsigned)__builtin_ctzll(bits);
			unsigned n;
			bits &= bits - 1;
			while ((n = rte_ring_sc_dequeue_burst(txq->backlog[core], (void **)frame, BURST, NULL)) > 0) {
				uint32_t bytes = 0;
				for (unsigned i = 0; i < n; i++) {
					bytes += rte_pktmbuf_pkt_len(frame[i]);
				}
				transmit_burst(w, lane, txq, frame, n, bytes);
				any = true;
			}
		}
	}
	return any;
}

static bool
transmit_waiting(const struct txq *txq)
{
	return __atomic_load_n(&txq->waiting[0], __ATOMIC_SEQ_CST) || __atomic_load_n(&txq->waiting[1], __ATOMIC_SEQ_CST);
}

/* Lets go of a queue; whoever left frames meanwhile is served, by this core or by the next holder. */
static bool
transmit_give(struct worker *w, struct lane *lane, struct txq *txq)
{
	bool any = false;

	for (;;) {
		queue_give(&txq->owner);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!transmit_waiting(txq) || !queue_take(&txq->owner, w->number)) {
			return any;
		}
		any |= transmit_drain(w, lane, txq);
	}
}

/* The queue is busy: the frames go behind this core's others in its backlog. */
static void
transmit_leave(struct worker *w, struct lane *lane, struct txq *txq, struct rte_mbuf **frame, unsigned n)
{
	unsigned left = rte_ring_sp_enqueue_burst(txq->backlog[w->number], (void **)frame, n, NULL);

	for (unsigned i = left; i < n; i++) {
		worker_drop_out(w, SEG_DROP_BACKLOG_FULL, lane->port->number, frame[i]);
	}
	__atomic_fetch_or(&txq->waiting[w->number / 64], 1ull << w->number % 64, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (queue_take(&txq->owner, w->number)) {
		transmit_drain(w, lane, txq);
		transmit_give(w, lane, txq);
	}
}

static void
transmit_channel(struct worker *w, uint16_t channel)
{
	struct outgoing *o = &w->outgoing[channel];
	struct lane *lane = w->view->lane[channel];
	unsigned n = o->n;
	uint32_t bytes = o->bytes;

	seg_add(&w->mine->channel_packets[channel], o->known);
	seg_add(&w->mine->class_packets[SEG_CLASS_CHANNEL], o->known);
	o->n = o->known = 0;
	o->bytes = 0;
	if (!lane || !seg_get(&lane->up)) {
		for (unsigned i = 0; i < n; i++) {
			worker_drop_out(w, SEG_DROP_PORT_DOWN, channel, o->frame[i]);
		}
		return;
	}
	struct txq *txq = transmit_queue(w, lane);
	if (!transmit_shared(w, lane)) {
		transmit_burst(w, lane, txq, o->frame, n, bytes);
	} else if (queue_take(&txq->owner, w->number)) {
		transmit_drain(w, lane, txq);
		transmit_burst(w, lane, txq, o->frame, n, bytes);
		transmit_give(w, lane, txq);
	} else {
		transmit_leave(w, lane, txq, o->frame, n);
	}
}

void
transmit_full(struct worker *w, uint16_t channel)
{
	transmit_channel(w, channel);
	for (unsigned i = 0; i < w->ndirty; i++) {
		if (w->dirty[i] == channel) {
			w->dirty[i] = w->dirty[--w->ndirty];
			return;
		}
	}
}

void
transmit_flush(struct worker *w)
{
	for (unsigned i = 0; i < w->ndirty; i++) {
		transmit_channel(w, w->dirty[i]);
	}
	w->ndirty = 0;
}
