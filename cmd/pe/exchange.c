/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages between the cores: from the lists of the replica and the neighbour caches to the rings and the trace, and from the
 * rings to them.
 */
#include "neighbor.h"

#define RECEIVE_PER_RING 64 /* messages taken from one ring in one loop */

static void
exchange_trace(struct worker *w, const struct seg_msg *msg)
{
	struct seg_core *mine = w->mine;

	mine->trace[mine->trace_next % SEG_TRACE] = *msg;
	/* release: the record is whole when the index says so */
	seg_put_release(&mine->trace_next, mine->trace_next + 1);
}

/* State that finds no room is owed, who asks tries again; other hints and requests are let go. */
static void
exchange_full(struct worker *w, unsigned to, const struct seg_msg *msg)
{
	if (msg->kind == SEG_MSG_FDB_ADD || msg->kind == SEG_MSG_FDB_DEL) {
		replica_ring_full(&w->replica, (uint8_t)to);
	} else if (msg->kind == SEG_MSG_NBR_ADD || msg->kind == SEG_MSG_NBR_DEL || msg->kind == SEG_MSG_NBR_ASK) {
		neighbor_ring_full(w, (uint8_t)to, msg);
	}
}

/* One message to one core. The control core holds no table: what it has no room for is let go. */
static void
exchange_push(struct worker *w, unsigned to, const struct seg_msg *msg)
{
	if (ring_push(&w->to[to], msg)) {
		seg_add(&w->mine->messages_sent, 1);
	} else if (to) {
		exchange_full(w, to, msg);
	}
}

static void
exchange_owing(struct worker *w)
{
	uint32_t owing = w->replica.owing + neighbor_owing(w);
	uint64_t owed = 0;

	for (unsigned to = 1; owing && to <= w->ncores; to++) {
		owed |= (uint64_t)(w->replica.debt[to].owed || neighbor_owes(w, to)) << (to - 1);
	}
	seg_put(&w->mine->resync, owing);
	seg_put(&w->mine->owed, owed);
}

void
exchange_list(struct worker *w, struct seg_msg *msg, unsigned n)
{
	uint64_t bell = 1ull << w->number % 64;
	bool ring_all = false, call = false;

	for (; n; n--, msg++) {
		msg->seq = ++w->msg_seq;
		exchange_trace(w, msg);
		if (msg->to == REPLICA_ALL) {
			if (w->view->tell_control && msg->kind <= SEG_MSG_FDB_DEL) {
				exchange_push(w, 0, msg);
				call = true;
			}
			for (unsigned to = 1; to <= w->ncores; to++) {
				if (to != w->number) {
					exchange_push(w, to, msg);
				}
			}
			ring_all = true;
		} else if (msg->to == 0) {
			exchange_push(w, 0, msg);
			call = true;
		} else if (msg->to <= w->ncores) {
			exchange_push(w, msg->to, msg);
			worker_ring(w->engine, msg->to, bell, 0);
		}
	}
	for (unsigned to = 1; ring_all && to <= w->ncores; to++) {
		if (to != w->number) {
			worker_ring(w->engine, to, bell, 0);
		}
	}
	if (call) {
		engine_call(w->engine);
	}
	exchange_owing(w);
}

void
exchange_send(struct worker *w)
{
	unsigned n = w->out.n;

	w->out.n = 0;
	exchange_list(w, w->out.msg, n);
}

/* Up to RECEIVE_PER_RING messages of one ring; fewer after a flush, which looks at a whole table. True: more may wait. */
static bool
exchange_take(struct worker *w, struct ring_receiver *ring, unsigned *taken)
{
	const struct seg_msg *msg;
	unsigned n = 0;
	bool flush = false;

	uint64_t waiting = ring_waiting(ring);
	if (waiting > w->mine->ring_peak) {
		seg_put(&w->mine->ring_peak, waiting);
	}
	while (n < RECEIVE_PER_RING && !flush && (msg = ring_peek(ring))) {
		flush = msg->kind == SEG_MSG_NBR_FLUSH;
		if (msg->kind >= SEG_MSG_NBR_ADD) {
			neighbor_receive(w, msg);
		} else {
			if (w->out.n > REPLICA_OUT - REPLICA_OUT_CALL) {
				exchange_send(w);
			}
			replica_receive(&w->replica, msg, w->now_ns, &w->out);
		}
		ring_pop(ring);
		n++;
	}
	*taken += n;
	return flush || n == RECEIVE_PER_RING;
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
	neighbor_flush(w);
	return taken > 0;
}

bool
exchange_resync(struct worker *w)
{
	bool any = neighbor_owing(w) && neighbor_resync(w);

	for (unsigned to = 1; to <= w->ncores && w->replica.owing; to++) {
		if (!w->replica.debt[to].owed) {
			continue;
		}
		exchange_send(w);
		unsigned room = ring_room_to_repeat(&w->to[to]);
		replica_resync(&w->replica, (uint8_t)to, room < REPLICA_OUT ? room : REPLICA_OUT, w->now_ns, &w->out);
		any |= room > 0;
		exchange_send(w);
	}
	exchange_owing(w);
	return any;
}
