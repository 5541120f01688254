/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Token buckets for packets and bits a second. Pure: the caller brings the time.
 *
 * Any number of threads may refill and take at a time: no locks, nobody waits, and one that loses its CPU in between only delays
 * what it was about to add. Threads that take at the same moment may run the bucket into debt by a packet each; what is owed is
 * paid first.
 *
 * A bucket holds up to `burst` worth of LIMIT_BURST_MS at its rate, so that a limit is met over any longer time.
 */
#ifndef PEKIT_LIMIT_LIMIT_H
#define PEKIT_LIMIT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_BURST_MS 50
#define LIMIT_FRAME_OVERHEAD 24 /* preamble 8, FCS 4, gap 12: bits of a frame are counted as on the wire (802.3 clause 4) */

struct limit {
	uint64_t bps, pps; /* 0: no limit */
	uint64_t last_ns;
	int64_t bits, packets; /* tokens, in 1/1,000,000,000 of a bit or packet */
};

/* Sets the rates and fills the buckets. The same rates again change nothing. One thread. */
void
limit_set(struct limit *limit, uint64_t bps, uint64_t pps, uint64_t now_ns);

/* Brings the buckets up to now. */
void
limit_refill(struct limit *limit, uint64_t now_ns);

/* Takes one packet of that many bytes, if the buckets allow it. */
bool
limit_take(struct limit *limit, uint32_t bytes);

static inline bool
limit_on(const struct limit *limit)
{
	return __atomic_load_n(&limit->bps, __ATOMIC_RELAXED) || __atomic_load_n(&limit->pps, __ATOMIC_RELAXED);
}

#endif
