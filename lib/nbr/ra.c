/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nbr/ra.h"

#define RA_MS 1000000ull
#define RA_SECOND (1000 * RA_MS)

/* RFC 4861 10 */
#define RA_INITIAL 3                   /* MAX_INITIAL_RTR_ADVERTISEMENTS */
#define RA_INITIAL_NS (16 * RA_SECOND) /* MAX_INITIAL_RTR_ADVERT_INTERVAL */
#define RA_BETWEEN_NS (3 * RA_SECOND)  /* MIN_DELAY_BETWEEN_RAS */
#define RA_DELAY_NS (500 * RA_MS)      /* MAX_RA_DELAY_TIME */
#define RA_MIN_INTERVAL_NS (3 * RA_SECOND)

/* 0..most; xorshift32. */
static uint64_t
ra_random(struct ra *ra, uint64_t most)
{
	ra->chance ^= ra->chance << 13;
	ra->chance ^= ra->chance >> 17;
	ra->chance ^= ra->chance << 5;
	return ra->chance % (most / 1000 + 1) * 1000;
}

void
ra_start(struct ra *ra, const struct ra_conf *conf, uint32_t seed, uint64_t now)
{
	*ra = (struct ra){.chance = seed ? seed : 1};
	ra->due_ns = conf->enabled ? now + ra_random(ra, RA_DELAY_NS) : 0;
}

void
ra_solicited(struct ra *ra, uint64_t now)
{
	uint64_t due = now + ra_random(ra, RA_DELAY_NS);

	if (ra->sent_ns && due < ra->sent_ns + RA_BETWEEN_NS) {
		due = ra->sent_ns + RA_BETWEEN_NS;
	}
	if (due < ra->due_ns) {
		ra->due_ns = due;
	}
}

bool
ra_tick(struct ra *ra, const struct ra_conf *conf, uint64_t now)
{
	uint64_t most = conf->interval_s * RA_SECOND, least = most / 3 > RA_MIN_INTERVAL_NS ? most / 3 : RA_MIN_INTERVAL_NS;

	if (!conf->enabled || !ra->due_ns || now < ra->due_ns) {
		return false;
	}
	ra->sent_ns = now;
	ra->first += ra->first < RA_INITIAL;
	uint64_t interval = least + ra_random(ra, most - least);
	if (ra->first < RA_INITIAL && interval > RA_INITIAL_NS) {
		interval = RA_INITIAL_NS;
	}
	ra->due_ns = now + interval;
	return true;
}
