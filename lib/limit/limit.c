/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "limit/limit.h"

#define UNIT 1000000000ll /* of a token: rate times nanoseconds needs no division */
#define TOKENS_MAX (INT64_MAX / 2)

/* Words stand alone: whoever sees an older one takes or adds a moment earlier. */
#define get(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define put(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

/* What a bucket of that rate holds. */
static int64_t
limit_depth(uint64_t rate)
{
	const uint64_t burst_ns = LIMIT_BURST_MS * 1000000ull;
	return rate > TOKENS_MAX / burst_ns ? TOKENS_MAX : (int64_t)(rate * burst_ns);
}

/* Adds what the time has brought; what others take meanwhile stays taken. */
static void
limit_grow(int64_t *tokens, uint64_t rate, uint64_t elapsed_ns)
{
	int64_t depth = limit_depth(rate), have = get(tokens);
	if (have >= depth) {
		return;
	}
	int64_t more = depth - have;
	if (elapsed_ns <= (uint64_t)more / rate) {
		more = (int64_t)(rate * elapsed_ns);
	}
	__atomic_fetch_add(tokens, more, __ATOMIC_RELAXED);
}

void
limit_set(struct limit *limit, uint64_t bps, uint64_t pps, uint64_t now_ns)
{
	if (limit->bps == bps && limit->pps == pps) {
		return;
	}
	put(&limit->last_ns, now_ns);
	put(&limit->bits, limit_depth(bps));
	put(&limit->packets, limit_depth(pps));
	/* release: who sees a rate finds its bucket filled */
	__atomic_store_n(&limit->bps, bps, __ATOMIC_RELEASE);
	__atomic_store_n(&limit->pps, pps, __ATOMIC_RELEASE);
}

void
limit_refill(struct limit *limit, uint64_t now_ns)
{
	uint64_t last_ns = get(&limit->last_ns), bps = get(&limit->bps), pps = get(&limit->pps);
	/* The time between two looks is counted by the one who moves the mark. */
	if (now_ns <= last_ns ||
		!__atomic_compare_exchange_n(&limit->last_ns, &last_ns, now_ns, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		return;
	}
	if (bps) {
		limit_grow(&limit->bits, bps, now_ns - last_ns);
	}
	if (pps) {
		limit_grow(&limit->packets, pps, now_ns - last_ns);
	}
}

/* A bucket that is not in debt lets one packet through, however long, and owes what it had not: so a rate whose burst is shorter
 * than a packet still passes packets, and at that rate. */
bool
limit_take(struct limit *limit, uint32_t bytes)
{
	/* acquire: pairs with limit_set() */
	bool bits = __atomic_load_n(&limit->bps, __ATOMIC_ACQUIRE) != 0,
	     packets = __atomic_load_n(&limit->pps, __ATOMIC_ACQUIRE) != 0;
	if ((bits && get(&limit->bits) <= 0) || (packets && get(&limit->packets) <= 0)) {
		return false;
	}
	if (bits) {
		__atomic_fetch_sub(&limit->bits, ((int64_t)bytes + LIMIT_FRAME_OVERHEAD) * 8 * UNIT, __ATOMIC_RELAXED);
	}
	if (packets) {
		__atomic_fetch_sub(&limit->packets, UNIT, __ATOMIC_RELAXED);
	}
	return true;
}
