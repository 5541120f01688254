/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a core's gathered frames to a device's transmit queue.
 *
 * A queue that only one core uses needs no more than the burst. Of a shared queue see queue.h: who finds it busy leaves the
 * frames in its backlog, and whoever lets go of the queue looks for backlogs once more, and comes back for them in its next loop.
 * Both sides have a full fence between their store (the bit, the ownership word) and their look at the other's, so one of them
 * sees the other.
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
	/* acquire: as in worker_receive() */
	unsigned sent = n ? seg_get_acquire(&lane->port->driver)->tx(lane->port, txq->queue, frame, (uint16_t)n) : 0;
	for (unsigned i = sent; i < n; i++) {
		bytes -= rte_pktmbuf_pkt_len(frame[i]);
		worker_drop_out(w, SEG_DROP_TX_FULL, number, frame[i]);
	}
	seg_add(&count->tx_packets, sent);
	seg_add(&count->tx_bytes, bytes);
	seg_add(&w->mine->tx_packets, sent);
}

/* Sends up to BURST frames of a core's backlog; returns how many are left. The queue is held. */
static unsigned
transmit_backlog(struct worker *w, struct lane *lane, struct txq *txq, unsigned core)
{
	struct rte_mbuf *frame[BURST];
	unsigned left = 0;
	unsigned n = rte_ring_sc_dequeue_burst(txq->backlog[core], (void **)frame, BURST, &left);
	uint32_t bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		bytes += rte_pktmbuf_pkt_len(frame[i]);
	}
	if (n) {
		transmit_burst(w, lane, txq, frame, n, bytes);
	}
	return left;
}

/* What this core left in its backlog goes before what it has now. It fills the ring itself, so this ends. The queue is held. */
static void
transmit_own(struct worker *w, struct lane *lane, struct txq *txq)
{
	uint64_t *waiting = &txq->waiting[w->number / 64], bit = 1ull << w->number % 64;

	if (__atomic_load_n(waiting, __ATOMIC_SEQ_CST) & bit) {
		__atomic_fetch_and(waiting, ~bit, __ATOMIC_SEQ_CST);
		while (transmit_backlog(w, lane, txq, w->number)) {
		}
	}
}

/*
 * Serves each backlog of a queue that is held, once: others may fill theirs faster than this core sends, and it has its own ports
 * to look after.
 */
static void
transmit_drain(struct worker *w, struct lane *lane, struct txq *txq)
{
	for (unsigned half = 0; half < 2; half++) {
		/* seq_cst: together with transmit_leave(), see above */
		uint64_t bits = __atomic_load_n(&txq->waiting[half], __ATOMIC_SEQ_CST), more = 0;
		if (!bits) {
			continue;
		}
		__atomic_fetch_and(&txq->waiting[half], ~bits, __ATOMIC_SEQ_CST);
		for (; bits; bits &= bits - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(bits);
			if (transmit_backlog(w, lane, txq, half * 64 + bit)) {
				more |= 1ull << bit;
			}
		}
		if (more) {
			__atomic_fetch_or(&txq->waiting[half], more, __ATOMIC_SEQ_CST);
		}
	}
}

static bool
transmit_waiting(const struct txq *txq)
{
	return __atomic_load_n(&txq->waiting[0], __ATOMIC_SEQ_CST) || __atomic_load_n(&txq->waiting[1], __ATOMIC_SEQ_CST);
}

/* This core comes back to the channel's queue in its next loop. */
static void
transmit_later(struct worker *w, uint16_t channel)
{
	for (unsigned i = 0; i < w->nlater; i++) {
		if (w->later[i] == channel) {
			return;
		}
	}
	w->later[w->nlater++] = channel;
}

/* Lets go of a queue. Whoever has frames waiting is served by the next holder, and if there is none, by this core again. */
static void
transmit_give(struct worker *w, struct lane *lane, struct txq *txq)
{
	queue_give(&txq->owner);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (transmit_waiting(txq)) {
		transmit_later(w, lane->port->number);
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
		transmit_own(w, lane, txq);
		transmit_burst(w, lane, txq, o->frame, n, bytes);
		transmit_drain(w, lane, txq);
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

bool
transmit_again(struct worker *w)
{
	unsigned n = w->nlater;
	uint16_t channel[SEG_MAX_PORTS];

	memcpy(channel, w->later, n * sizeof(channel[0]));
	w->nlater = 0;
	for (unsigned i = 0; i < n; i++) {
		struct lane *lane = w->view->lane[channel[i]];
		if (!lane || !transmit_shared(w, lane)) {
			continue; /* gone: the control core sees to its backlogs */
		}
		struct txq *txq = transmit_queue(w, lane);
		/* Finding it busy, this core leaves the rest to the holder, who looks once more when it lets go. */
		if (queue_take(&txq->owner, w->number)) {
			transmit_drain(w, lane, txq);
			transmit_give(w, lane, txq);
		}
	}
	return n > 0;
}
