/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may touch a device queue, and how frames reach a queue that another core holds.
 *
 * Every queue has a home core and an ownership word: epoch, holder, idle or busy. A core makes the word busy around each burst
 * and idle after it; another core may take a queue only from idle (DESIGN.md section 6).
 *
 * Transmit: whoever has frames takes the queue when it is idle. Finding it busy, a core puts its frames on its own bounded ring
 * to that queue (one writer: the core; one reader: the holder) and the holder sends some of them before it lets go. What is left
 * then is sent by the next holder, or by the last one in its next loop. A core with frames in its ring sends these first or adds
 * behind them, so that a flow keeps its order; nobody ever waits for anybody.
 */
#ifndef PEKIT_PE_QUEUE_H
#define PEKIT_PE_QUEUE_H

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

/* epoch << 16 | core << 1 | busy */
struct queue_owner {
	SEG_ALIGNED uint64_t word;
};

static inline bool
queue_take(struct queue_owner *owner, unsigned core)
{
	uint64_t word = __atomic_load_n(&owner->word, __ATOMIC_RELAXED);
	if (word & 1) {
		return false;
	}
	uint64_t busy = (word & ~0xffffull) | (uint64_t)core << 1 | 1;
	/* acquire: what the last holder did to the queue is seen; it pairs with the release in queue_give() */
	return __atomic_compare_exchange_n(&owner->word, &word, busy, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void
queue_give(struct queue_owner *owner)
{
	uint64_t word = __atomic_load_n(&owner->word, __ATOMIC_RELAXED);
	__atomic_store_n(&owner->word, word & ~1ull, __ATOMIC_RELEASE);
}

/* A receive queue: polled by its home core, and by another while that one does not serve (lib/core/roles.h). */
struct rxq {
	struct queue_owner owner;
	uint16_t queue;
	uint8_t home;
	uint8_t poller; /* written by the control core, published with seg_control.owner_epoch */
};

/* A transmit queue with the rings of those who found it busy. */
struct txq {
	struct queue_owner owner;
	SEG_ALIGNED uint64_t waiting[2];                     /* bit c: core c's ring has frames */
	SEG_ALIGNED struct rte_ring *backlog[SEG_MAX_NODES]; /* [core], single producer and consumer */
	uint16_t queue;
};

#endif
