/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages between the cores: from the replica's list to the rings and the trace, and from the rings to the replica.
 */
#include "worker.h"

#define RECEIVE_PER_RING 64 /* messages taken from one ring in one loop */

static void
exchange_trace(struct worker *w, const struct seg_msg *msg)
{
	struct seg_core *mine = w->mine;

	mine->trace[mine->trace_next % SEG_TRACE] = *msg;
	/* release: the record is whole when the index says so */
	seg_put_release(&mine->trace_next, mine->trace_next + 1);
}

/* One message to one core. State that finds no room is owed; hints and requests are let go. */
static void
exchange_push(struct worker *w, unsigned to, const struct seg_msg *msg)
{
	if (ring_push(&w->to[to], msg)) {
		seg_add(&w->mine->messages_sent, 1);
	} else if (msg->kind == SEG_MSG_FDB_ADD || msg->kind == SEG_MSG_FDB_DEL) {
		replica_ring_full(&w->replica, (uint8_t)to);
	}
}

void
exchange_send(struct worker *w)
{
	uint64_t bell = 1ull << w->number % 64;
	bool ring_all = false;

	for (unsigned i = 0; i < w->out.n; i++) {
		struct seg_msg *msg = &w->out.msg[i];
		msg->seq = ++w->msg_seq;
		exchange_trace(w, msg);
		if (msg->to == REPLICA_ALL) {
			for (unsigned to = 1; to <= w->ncores; to++) {
				if (to != w->number) {
					exchange_push(w, to, msg);
				}
			}
			ring_all = true;
		} else if (msg->to >= 1 && msg->to <= w->ncores) {
			exchange_push(w, msg->to, msg);
			worker_ring(w->engine, msg->to, bell, 0);
		}
	}
	w->out.n = 0;
	for (unsigned to = 1; ring_all && to <= w->ncores; to++) {
		if (to != w->number) {
			worker_ring(w->engine, to, bell, 0);
		}
	}
	seg_put(&w->mine->resync, w->replica.owing);
}

/* Up to RECEIVE_PER_RING messages of one ring. True: more wait. */
static bool
exchange_take(struct worker *w, struct ring_receiver *ring, unsigned *taken)
{
	const struct seg_msg *msg;
	unsigned n = 0;

	uint64_t waiting = ring_waiting(ring);
	if (waiting > w->mine->ring_peak) {
		seg_put(&w->mine->ring_peak, waiting);
	}
	while (n < RECEIVE_PER_RING && (msg = ring_peek(ring))) {
		if (w->out.n > REPLICA_OUT - REPLICA_OUT_CALL) {
			exchange_send(w);
		}
		replica_receive(&w->replica, msg, w->now_ns, &w->out);
		ring_pop(ring);
		n++;
	}
	*taken += n;
	return n == RECEIVE_PER_RING;
}

bool
exchange_receive(struct worker *w)
{
	uint64_t bits = w->bell_left;
	unsigned taken = 0;

	if (seg_get(&w->mine->bell)) {
		/* acquire: the messages pushed before the bits were set are seen */
		bits |= __atomic_exchange_n(&w->mine->bell, 0, __ATOMIC_ACQUIRE);
	}
	if (!bits) {
		return false;
	}
	w->now_ns = engine_now_ns();
	w->bell_left = 0;
	for (; bits; bits &= bits - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);
		for (unsigned from = bit; from <= w->ncores; from += 64) {
			if (from != w->number && exchange_take(w, &w->from[from], &taken)) {
				w->bell_left |= 1ull << bit;
			}
		}
	}
	seg_add(&w->mine->messages_received, taken);
	exchange_send(w);
	return taken > 0;
}

bool
exchange_resync(struct worker *w)
{
	bool any = false;

	for (unsigned to = 1; to <= w->ncores && w->replica.owing; to++) {
		if (!w->replica.debt[to].owed) {
			continue;
		}
		unsigned room = ring_room(&w->to[to]);
		exchange_send(w);
		replica_resync(&w->replica, (uint8_t)to, room < REPLICA_OUT ? room : REPLICA_OUT, w->now_ns, &w->out);
		any |= room > 0;
		exchange_send(w);
	}
	seg_put(&w->mine->resync, w->replica.owing);
	return any;
}
