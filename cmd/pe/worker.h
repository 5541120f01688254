/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A data core: its loop (worker.c), its share of the bridge (forward.c), what it sends (transmit.c), what it gives to
 * other cores and takes from them (steer.c, exchange.c).
 *
 * Everything here belongs to one thread. What others may touch are the words of seg_core that say so, the rings, and the wake
 * descriptor.
 */
#ifndef PEKIT_PE_WORKER_H
#define PEKIT_PE_WORKER_H

#include <poll.h>
#include <pthread.h>
#include <rte_mbuf.h>

#include "drop.h"
#include "engine.h"
#include "fdb/replica.h"
#include "rss/rss.h"

#define BURST 32
#define TX_BATCH 64
#define WORKER_QUEUES 4096 /* receive queues that one core can poll: those of 64 ports, were it alone of 64 */

/* Frames for one channel, gathered during a loop. */
struct outgoing {
	uint16_t n;
	uint16_t known; /* of them, by an entry of the bridge table */
	uint32_t bytes;
	struct rte_mbuf *frame[TX_BATCH];
};

/* The first fragment of an echo request to us (l3_local.c). */
#define L3_ECHOES 16
struct l3_echo {
	uint64_t source[2], destination[2], id, since_ns;
};

struct polled {
	struct lane *lane;
	struct rxq *rxq;
};

struct worker {
	struct engine *engine;
	struct seg_core *mine;
	unsigned number, ncores;
	const struct view *view;
	struct replica replica;
	uint64_t now_ns; /* as of this loop's last look at the clock: at most a tick old */
	uint64_t tick_tsc, tsc_per_tick;
	unsigned npolled;
	unsigned busy_polled; /* of them, without a descriptor to sleep on */
	struct polled polled[WORKER_QUEUES];
	unsigned ndirty;
	uint16_t dirty[SEG_MAX_CHANNELS]; /* channels with outgoing frames */
	struct outgoing outgoing[SEG_MAX_CHANNELS];
	unsigned nlater;
	uint16_t later[SEG_MAX_PORTS]; /* channels at whose queue frames of other cores were left waiting */
	struct replica_out out;        /* messages not yet on the rings */
	uint32_t msg_seq;
	struct ring_sender to[SEG_MAX_NODES];
	struct ring_receiver from[SEG_MAX_NODES];
	uint64_t bell_left; /* bits of bell whose rings were not emptied */
	uint64_t work_left;
	struct neighbors *nbr; /* neighbor.h */
	struct limit icmp;     /* errors that this core sends */
	struct l3_echo echo[L3_ECHOES];
	uint32_t roles; /* seg_control.owner_epoch as taken up */
	struct rss_key rss;
	bool lost;                         /* this core was taken out, and is on its way back: what waits for it is old */
	uint8_t spread[SEG_OWNER_BUCKETS]; /* indirection table: bucket of the hash to core */
	struct handed {
		unsigned n;
		struct rte_mbuf *frame[BURST];
	} handed[SEG_MAX_NODES]; /* frames for other cores, gathered during a burst */
	unsigned idle;           /* loops without work */
	int wake_fd;
	unsigned npollfd;
	struct pollfd pollfd[1 + WORKER_QUEUES];
	pthread_t thread;
	int cpu;
	bool poll_busy;
};

/* forward.c: bridges n frames that came in at a port, 1..BURST. They are the function's from here. */
void
forward_burst(struct worker *w, uint16_t port, struct rte_mbuf **frame, unsigned n);

/* An untagged frame of our own in a VLAN: to where its target was learned, or to all members. */
void
forward_own(struct worker *w, uint16_t fid, struct rte_mbuf *frame, uint64_t target);

/* transmit.c: one frame for a channel; it leaves at transmit_flush() at the latest. */
void
transmit_full(struct worker *w, uint16_t channel);

static inline void
transmit(struct worker *w, uint16_t channel, struct rte_mbuf *frame, uint32_t bytes)
{
	struct outgoing *o = &w->outgoing[channel];

	if (o->n == 0) {
		w->dirty[w->ndirty++] = channel;
	}
	o->frame[o->n++] = frame;
	o->bytes += bytes;
	if (__builtin_expect(o->n == TX_BATCH, 0)) {
		transmit_full(w, channel);
	}
}

/* n frames for one channel, 1..BURST. */
static inline void
transmit_many(struct worker *w, uint16_t channel, struct rte_mbuf **frame, unsigned n, uint32_t bytes)
{
	struct outgoing *o = &w->outgoing[channel];

	if (o->n + n >= TX_BATCH) {
		transmit_full(w, channel);
	}
	if (o->n == 0) {
		w->dirty[w->ndirty++] = channel;
	}
	memcpy(&o->frame[o->n], frame, n * sizeof(*frame));
	o->n = (uint16_t)(o->n + n);
	o->bytes += bytes;
}

/* Everything gathered goes to the devices, or to the backlog of queues that others hold. */
void
transmit_flush(struct worker *w);

/* Queues that were let go with frames waiting: some more of them, unless another core is at it. True: there were such queues. */
bool
transmit_again(struct worker *w);

/*
 * steer.c: gives frames that were received to the cores they belong to, and bridges this core's own. spread: those that no rule
 * speaks about go by their hash, else they are this core's.
 */
void
steer_burst(struct worker *w, uint16_t port, struct rte_mbuf **frame, unsigned n, bool spread);

/* Frames that other cores have handed over. True: there were some. */
bool
steer_take(struct worker *w);

/* exchange.c: puts the bridge's gathered messages on the rings. */
void
exchange_send(struct worker *w);

/* The same for any n messages; seq is filled in. To 0: the control core. */
void
exchange_list(struct worker *w, struct seg_msg *msg, unsigned n);

/* Applies the messages that came. True: there were some. */
bool
exchange_receive(struct worker *w);

/* Pays of what is owed to receivers whose ring was full. True: one of them had room. */
bool
exchange_resync(struct worker *w);

/* Rings another core: bits of seg_core.bell and .work. Wakes it if it sleeps. Any thread. */
void
worker_ring(struct engine *engine, unsigned to, uint64_t bell, uint64_t work);

/* A frame is dropped and freed. */
static inline void
worker_drop(struct worker *w, enum seg_drop reason, uint16_t port, struct rte_mbuf *frame)
{
	drop_count(w->mine, reason, port, rte_pktmbuf_mtod(frame, const void *), rte_pktmbuf_data_len(frame), w->now_ns);
	rte_pktmbuf_free(frame);
}

/* The same at the port it came in at. */
static inline void
worker_drop_in(struct worker *w, enum seg_drop reason, uint16_t port, struct rte_mbuf *frame)
{
	seg_add(&w->mine->port[port].rx_dropped, 1);
	worker_drop(w, reason, port, frame);
}

static inline void
worker_drop_out(struct worker *w, enum seg_drop reason, uint16_t port, struct rte_mbuf *frame)
{
	seg_add(&w->mine->port[port].tx_dropped, 1);
	worker_drop(w, reason, port, frame);
}

#endif
