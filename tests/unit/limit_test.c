/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/limit/limit.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limit/limit.h"

#define MS 1000000ull
#define SECOND (1000 * MS)

/* Offers one packet of that size every gap_ns for a time; how many pass. */
static uint64_t
offer(struct limit *limit, uint32_t bytes, uint64_t gap_ns, uint64_t from_ns, uint64_t time_ns)
{
	uint64_t passed = 0;
	for (uint64_t now = from_ns; now < from_ns + time_ns; now += gap_ns) {
		limit_refill(limit, now);
		passed += limit_take(limit, bytes);
	}
	return passed;
}

static void
test_no_limit(void **state)
{
	(void)state;
	struct limit limit = {0};
	assert_false(limit_on(&limit));
	limit_refill(&limit, 5 * SECOND);
	for (int i = 0; i < 1000; i++) {
		assert_true(limit_take(&limit, 1500));
	}
}

static void
test_packets(void **state)
{
	(void)state;
	struct limit limit = {0};
	limit_set(&limit, 0, 1000, SECOND);
	assert_true(limit_on(&limit));
	/* what 50 ms hold at once, and not one more */
	for (int i = 0; i < 1000 * LIMIT_BURST_MS / 1000; i++) {
		assert_true(limit_take(&limit, 64));
	}
	assert_false(limit_take(&limit, 64));
	/* ten seconds at ten times the rate */
	uint64_t passed = offer(&limit, 64, SECOND / 10000, SECOND, 10 * SECOND);
	assert_in_range(passed, 9990, 10000 + 1);
}

static void
test_bits(void **state)
{
	(void)state;
	struct limit limit = {0};
	const uint32_t bytes = 1500;
	const uint64_t bps = 100000000, bits = (bytes + LIMIT_FRAME_OVERHEAD) * 8;
	limit_set(&limit, bps, 0, 0);
	uint64_t passed = offer(&limit, bytes, 10000, 0, 10 * SECOND); /* 1.2 Gbit/s offered */
	uint64_t allowed = (10 * bps + bps * LIMIT_BURST_MS / 1000) / bits;
	assert_in_range(passed, allowed - 2, allowed + 1);
}

static void
test_slow(void **state)
{
	(void)state;
	struct limit limit = {0};
	/* a burst of 400 bits is less than any frame, still one passes every 1.024 s */
	limit_set(&limit, 8000, 0, 0);
	uint64_t passed = offer(&limit, 1000, MS, 0, 100 * SECOND);
	assert_in_range(passed, 97, 99);
	limit_set(&limit, 0, 1, 0);
	passed = offer(&limit, 1000, MS, 0, 100 * SECOND);
	assert_in_range(passed, 100, 101);
}

static void
test_both(void **state)
{
	(void)state;
	struct limit limit = {0};
	limit_set(&limit, 1000000000, 100, 0);
	assert_in_range(offer(&limit, 64, MS, 0, 10 * SECOND), 1000, 1006);
	limit_set(&limit, 8 * (64 + LIMIT_FRAME_OVERHEAD) * 100, 1000000, 0);
	assert_in_range(offer(&limit, 64, MS, 0, 10 * SECOND), 1000, 1006);
}

static void
test_same_again(void **state)
{
	(void)state;
	struct limit limit = {0};
	limit_set(&limit, 0, 100, 0);
	while (limit_take(&limit, 64)) {
	}
	limit_set(&limit, 0, 100, 0);
	assert_false(limit_take(&limit, 64));
	limit_set(&limit, 0, 101, 0);
	assert_true(limit_take(&limit, 64));
}

static void
test_extremes(void **state)
{
	(void)state;
	struct limit limit = {0};
	/* 800 Gbit/s: products beyond 64 bits, were they made */
	limit_set(&limit, 800000000000, 0, 0);
	for (int i = 0; i < 1000; i++) {
		assert_true(limit_take(&limit, 9216));
	}
	limit_refill(&limit, UINT64_MAX / 2);
	assert_true(limit.bits > 0);
	limit_set(&limit, UINT64_MAX, UINT64_MAX, 0);
	limit_refill(&limit, UINT64_MAX);
	assert_true(limit.bits > 0 && limit.packets > 0);
	assert_true(limit_take(&limit, 64));
	/* a clock that goes back brings nothing and takes nothing */
	limit_set(&limit, 0, 100, SECOND);
	while (limit_take(&limit, 64)) {
	}
	limit_refill(&limit, SECOND / 2);
	assert_false(limit_take(&limit, 64));
	limit_refill(&limit, SECOND + 20 * MS);
	assert_true(limit_take(&limit, 64));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
