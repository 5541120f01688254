/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/ra.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nbr/ra.h"

#define MS 1000000ull
#define SECOND (1000 * MS)
#define T0 (1000 * SECOND)
#define SEEDS 200

static const struct ra_conf conf = {.enabled = true, .interval_s = 600, .lifetime_s = 1800};

/* When the next one goes, to the millisecond; 0: none within `most`. */
static uint64_t
next_ra(struct ra *ra, const struct ra_conf *c, uint64_t from, uint64_t most)
{
	for (uint64_t now = from; now < from + most; now += MS) {
		if (ra_tick(ra, c, now)) {
			return now;
		}
	}
	return 0;
}

/* 6.2.4: three quick ones, then between a third and the whole interval. */
static void
test_unsolicited(void **state)
{
	(void)state;
	uint64_t latest = 0;
	for (uint32_t seed = 0; seed < SEEDS; seed++) {
		struct ra ra;
		uint64_t at[6];

		ra_start(&ra, &conf, seed, T0);
		assert_in_range(ra.due_ns, T0, T0 + 500 * MS);
		latest = ra.due_ns > latest ? ra.due_ns : latest;
		at[0] = next_ra(&ra, &conf, T0, SECOND);
		assert_in_range(at[0], T0, T0 + 501 * MS);
		for (unsigned i = 1; i < 6; i++) {
			at[i] = next_ra(&ra, &conf, at[i - 1], 700 * SECOND);
			assert_in_range(at[i] - at[i - 1], (i < 3 ? 16 : 200) * SECOND, (i < 3 ? 16 : 600) * SECOND + MS);
		}
	}
	assert_true(latest > T0 + 10 * MS);
}

static void
test_spread(void **state)
{
	(void)state;
	uint64_t least = UINT64_MAX, most = 0;

	for (uint32_t seed = 1; seed < SEEDS; seed++) {
		struct ra ra;
		ra_start(&ra, &conf, seed * 2654435761u, T0);
		uint64_t now = T0;
		for (unsigned i = 0; i < 3; i++) {
			now = ra.due_ns;
			assert_true(ra_tick(&ra, &conf, now));
		}
		uint64_t wait = ra.due_ns - now;
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	assert_in_range(least, 200 * SECOND, 220 * SECOND);
	assert_in_range(most, 580 * SECOND, 600 * SECOND);
}

static void
test_short_interval(void **state)
{
	(void)state;
	const struct ra_conf quick = {.enabled = true, .interval_s = 4};
	struct ra ra;
	ra_start(&ra, &quick, 1, T0);
	uint64_t last = next_ra(&ra, &quick, T0, SECOND);
	for (unsigned i = 0; i < 50; i++) {
		uint64_t at = next_ra(&ra, &quick, last, 10 * SECOND);
		assert_in_range(at - last, 3 * SECOND, 4 * SECOND + MS);
		last = at;
	}
}

/* 6.2.6: soon, but not more often than each three seconds, however many ask. */
static void
test_solicited(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < SEEDS; seed++) {
		struct ra ra;
		ra_start(&ra, &conf, seed, T0);
		uint64_t now = T0, last = 0;
		for (unsigned i = 0; i < 3; i++) {
			last = now = ra.due_ns;
			assert_true(ra_tick(&ra, &conf, now));
		}
		now += 100 * SECOND;
		ra_solicited(&ra, now);
		assert_in_range(ra.due_ns, now, now + 500 * MS);
		uint64_t at = next_ra(&ra, &conf, now, SECOND);
		assert_in_range(at, now, now + 501 * MS);
		assert_true(at - last > 3 * SECOND);
		last = at;
		for (uint64_t ask = at; ask < at + 30 * SECOND; ask += 10 * MS) {
			ra_solicited(&ra, ask);
			if (ra_tick(&ra, &conf, ask)) {
				assert_in_range(ask - last, 3 * SECOND, 3600 * MS);
				last = ask;
			}
		}
		assert_true(last > at + 25 * SECOND);
	}
}

static void
test_disabled(void **state)
{
	(void)state;
	const struct ra_conf off = {.enabled = false, .interval_s = 600};
	struct ra ra;

	ra_start(&ra, &off, 1, T0);
	ra_solicited(&ra, T0 + SECOND);
	assert_int_equal(next_ra(&ra, &off, T0, 20 * SECOND), 0);
	/* switched off meanwhile */
	ra_start(&ra, &conf, 1, T0);
	assert_int_equal(next_ra(&ra, &off, T0, 20 * SECOND), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsolicited),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_short_interval),
		cmocka_unit_test(test_solicited),
		cmocka_unit_test(test_disabled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
