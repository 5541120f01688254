/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../cmd/pe/reflect.h"

#define MS 1000000ull
#define BEGIN_NS (5000 * MS)

static struct reflect reflect;

/* A broadcast whose content is its number. */
static const uint8_t *
frame(unsigned number, uint32_t size)
{
	static uint8_t data[1500];
	assert_true(size <= sizeof(data));
	memset(data, 0, sizeof(data));
	memset(data, 0xff, 6);
	data[20] = (uint8_t)(number >> 8);
	data[21] = (uint8_t)number;
	return data;
}

static void
sent(unsigned number, uint32_t size, uint64_t now_ns)
{
	reflect_sent(&reflect, frame(number, size), size, now_ns);
}

static bool
is(unsigned number, uint32_t size, uint64_t now_ns)
{
	return reflect_is(&reflect, frame(number, size), size, now_ns);
}

static int
setup(void **state)
{
	(void)state;
	reflect_begin(&reflect);
	return 0;
}

static void
knows_what_was_sent_once(void **state)
{
	(void)state;
	sent(1, 64, BEGIN_NS);
	assert_false(is(2, 64, BEGIN_NS));
	assert_true(is(1, 64, BEGIN_NS + MS));
	assert_false(is(1, 64, BEGIN_NS + MS));
	/* a frame that is sent twice comes back twice, if nothing came between */
	sent(1, 64, BEGIN_NS + 2 * MS);
	assert_true(is(1, 64, BEGIN_NS + 3 * MS));
}

static void
padding_makes_no_other_frame_but_size_does(void **state)
{
	(void)state;
	sent(1, 42, BEGIN_NS);
	assert_true(is(1, 60, BEGIN_NS));
	sent(1, 61, BEGIN_NS);
	assert_false(is(1, 62, BEGIN_NS));
	assert_true(is(1, 61, BEGIN_NS));
}

static void
what_comes_late_is_a_frame_of_its_own(void **state)
{
	(void)state;
	sent(1, 64, BEGIN_NS);
	assert_true(is(1, 64, BEGIN_NS + REFLECT_LIFE_MS * MS));
	sent(1, 64, BEGIN_NS);
	assert_false(is(1, 64, BEGIN_NS + (REFLECT_LIFE_MS + 2) * MS));
}

/* Milliseconds in 32 bits begin anew after 49 days. */
static void
time_may_wrap(void **state)
{
	(void)state;
	uint64_t last_ns = UINT32_MAX * MS;
	sent(1, 64, last_ns);
	assert_true(is(1, 64, last_ns + 10 * MS));
	sent(1, 64, last_ns);
	assert_false(is(1, 64, last_ns + 1000 * MS));
}

static void
a_device_that_gives_nothing_back_is_watched_no_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REFLECT_TRIES; i++) {
		assert_true(reflect_watched(&reflect));
		sent(i, 64, BEGIN_NS);
	}
	assert_false(reflect_watched(&reflect));
	reflect_begin(&reflect);
	assert_true(reflect_watched(&reflect));
}

static void
a_device_that_does_it_stays_watched(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * REFLECT_TRIES; i++) {
		assert_true(reflect_watched(&reflect));
		sent(i, 64, BEGIN_NS);
		if (i < REFLECT_PROOF) {
			assert_true(is(i, 64, BEGIN_NS));
		}
	}
	assert_true(reflect_watched(&reflect));
}

/* More than there is room for: some are not recognised, and nothing else is taken for one. */
static void
a_flood_loses_some_and_invents_none(void **state)
{
	(void)state;
	unsigned known = 0;
	for (unsigned i = 0; i < 2 * REFLECT_SLOTS; i++) {
		sent(i, 64, BEGIN_NS);
	}
	for (unsigned i = 2 * REFLECT_SLOTS; i < 4 * REFLECT_SLOTS; i++) {
		assert_false(is(i, 64, BEGIN_NS + MS));
	}
	for (unsigned i = 0; i < 2 * REFLECT_SLOTS; i++) {
		known += is(i, 64, BEGIN_NS + MS);
	}
	assert_true(known > REFLECT_SLOTS / 2 && known <= REFLECT_SLOTS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(knows_what_was_sent_once, setup),
		cmocka_unit_test_setup(padding_makes_no_other_frame_but_size_does, setup),
		cmocka_unit_test_setup(what_comes_late_is_a_frame_of_its_own, setup),
		cmocka_unit_test_setup(time_may_wrap, setup),
		cmocka_unit_test_setup(a_device_that_gives_nothing_back_is_watched_no_more, setup),
		cmocka_unit_test_setup(a_device_that_does_it_stays_watched, setup),
		cmocka_unit_test_setup(a_flood_loses_some_and_invents_none, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
