/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grace periods: when may a tombstone go?
 *
 * A deletion must outlive every older announcement of the same key that is still under way. A period ends when, since it began,
 *  - every core has passed the end of a loop (or sleeps), so that it has pushed what it had decided before, and
 *  - every ring has been emptied up to where it stood when the period began, and
 *  - no sender owes a receiver a resynchronisation.
 * A deletion is pushed by the end of the loop that made it, thus by the end of period g + 1 at the latest, g being the period in
 * which its tombstone was made; it was in every ring when g + 2 began, and has been applied everywhere when g + 2 ends. Whatever
 * older announcement of the key a core made, it made before it applied the deletion, in the same loop perhaps; that loop has
 * ended when g + 3 ends, the announcement was in a ring when g + 4 began, and has been taken when g + 4 ends. The counter then
 * says g + 5, and the tombstone may go. A stalled core holds tombstones back, never correctness.
 *
 * Pure: reads the words of a segment. Control core only.
 */
#ifndef PEKIT_CORE_GRACE_H
#define PEKIT_CORE_GRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

struct grace_node {                                 /* a core as grace sees it */
	const struct seg_core *core;                /* NULL: the control core's place, which passes no loops */
	const struct seg_ring *ring[SEG_MAX_NODES]; /* to each receiver; NULL: none */
};

struct grace {
	unsigned nodes; /* cores and the control core */
	struct grace_node node[SEG_MAX_NODES];
	uint64_t loops[SEG_MAX_NODES];
	uint64_t head[SEG_MAX_NODES][SEG_MAX_NODES];
	bool begun;
};

/* Looks whether the period has ended; true: raise the counter (a new period has begun). To be called now and then. */
bool
grace_step(struct grace *grace);

#endif
