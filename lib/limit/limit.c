/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "limit/limit.h"

#define UNIT 1000000000ll /* of a token: rate times nanoseconds needs no division */
#define TOKENS_MAX (INT64_MAX / 2)

/* What a bucket of that rate holds. */
static int64_t
limit_depth(uint64_t rate)
{
	const uint64_t burst_ns = LIMIT_BURST_MS * 1000000ull;
	return rate > TOKENS_MAX / burst_ns ? TOKENS_MAX : (int64_t)(rate * burst_ns);
}

static int64_t
limit_grow(int64_t tokens, uint64_t rate, uint64_t elapsed_ns)
{
	int64_t depth = limit_depth(rate);
	if (tokens >= depth || elapsed_ns > (uint64_t)(depth - tokens) / rate) {
		return depth;
	}
	return tokens + (int64_t)(rate * elapsed_ns);
}

void
limit_set(struct limit *limit, uint64_t bps, uint64_t pps, uint64_t now_ns)
{
	if (limit->bps == bps && limit->pps == pps) {
		return;
	}
	*limit = (struct limit){.bps = bps, .pps = pps, .last_ns = now_ns, .bits = limit_depth(bps), .packets = limit_depth(pps)};
}

void
limit_refill(struct limit *limit, uint64_t now_ns)
{
	if (now_ns <= limit->last_ns) {
		return;
	}
	uint64_t elapsed_ns = now_ns - limit->last_ns;
	if (limit->bps) {
		limit->bits = limit_grow(limit->bits, limit->bps, elapsed_ns);
	}
	if (limit->pps) {
		limit->packets = limit_grow(limit->packets, limit->pps, elapsed_ns);
	}
	limit->last_ns = now_ns;
}

/* A bucket that is not in debt lets one packet through, however long, and owes what it had not: so a rate whose burst is shorter than a
 * packet still passes packets, and at that rate. */
bool
limit_take(struct limit *limit, uint32_t bytes)
{
	if ((limit->bps && limit->bits <= 0) || (limit->pps && limit->packets <= 0)) {
		return false;
	}
	if (limit->bps) {
		limit->bits -= ((int64_t)bytes + LIMIT_FRAME_OVERHEAD) * 8 * UNIT;
	}
	if (limit->pps) {
		limit->packets -= UNIT;
	}
	return true;
}
