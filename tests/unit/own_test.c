/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/own.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nbr/own.h"

#define MS 1000000ull
#define SECOND (1000 * MS)

enum { TENTATIVE = SEG_ADDRESS_TENTATIVE, PREFERRED = SEG_ADDRESS_PREFERRED, DUPLICATE = SEG_ADDRESS_DUPLICATE };
enum what { START4, START6, START4_DOWN, START6_DOWN, UP, DOWN, TICK, CONFLICT, RIVAL };

/* A life: at that time this happens; then the address is in that state, and that frame (0: none) goes out. */
struct step {
	uint64_t at_ms;
	enum what what;
	unsigned state, frame;
	bool changed, event;
	uint64_t due_ms; /* 0: never */
};

static void
live(const struct step *steps, size_t n)
{
	struct own own = {0};

	for (size_t i = 0; i < n; i++) {
		const struct step *step = &steps[i];
		uint64_t now = SECOND + step->at_ms * MS;
		struct own_out out = {.changed = true, .send = true, .event = true};

		switch (step->what) {
		case START4:
		case START4_DOWN:
			own_start(&own, SEG_IPV4, step->what == START4, now, &out);
			break;
		case START6:
		case START6_DOWN:
			own_start(&own, SEG_IPV6, step->what == START6, now, &out);
			break;
		case UP:
		case DOWN:
			own_link(&own, step->what == UP, now, &out);
			break;
		case TICK:
			own_tick(&own, now, &out);
			break;
		default:
			own_conflict(&own, step->what == RIVAL, now, &out);
			break;
		}
		print_message("# step %zu, at %lu ms\n", i, step->at_ms);
		assert_int_equal(own.state, step->state);
		assert_int_equal(out.changed, step->changed);
		assert_int_equal(out.event, step->event);
		assert_int_equal(out.send ? out.frame : 0, step->frame);
		assert_int_equal(own_next(&own), step->due_ms ? SECOND + step->due_ms * MS : 0);
	}
}

#define LIVE(steps) live(steps, sizeof(steps) / sizeof((steps)[0]))

static void
test_ipv4(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{0, START4, PREFERRED, OWN_ANNOUNCE, true, false, 2000},
		{1999, TICK, PREFERRED, 0, false, false, 2000},
		{2000, TICK, PREFERRED, OWN_ANNOUNCE, false, false, 0},
		{9000, TICK, PREFERRED, 0, false, false, 0},
		/* everything is said again; the same twice is nothing */
		{10000, DOWN, PREFERRED, 0, false, false, 0},
		{12000, UP, PREFERRED, OWN_ANNOUNCE, false, false, 14000},
		{12001, UP, PREFERRED, 0, false, false, 14000},
		{13000, DOWN, PREFERRED, 0, false, false, 0},
		{20000, TICK, PREFERRED, 0, false, false, 0},
	};
	LIVE(steps);
	static const struct step late[] = {
		{0, START4_DOWN, PREFERRED, 0, true, false, 0},
		{100, UP, PREFERRED, OWN_ANNOUNCE, false, false, 2100},
	};
	LIVE(late);
}

static void
test_dad(void **state)
{
	(void)state;
	static const struct step good[] = {
		{0, START6, TENTATIVE, OWN_DAD, true, false, 1000},
		{999, TICK, TENTATIVE, 0, false, false, 1000},
		{1000, TICK, PREFERRED, OWN_ANNOUNCE, true, false, 3000},
		{3000, TICK, PREFERRED, OWN_ANNOUNCE, false, false, 0},
	};
	LIVE(good);
	/* not tested, thus not usable, before frames can leave; the test begins anew with the link */
	static const struct step down[] = {
		{0, START6_DOWN, TENTATIVE, 0, true, false, 0},
		{5000, TICK, TENTATIVE, 0, false, false, 0},
		{6000, UP, TENTATIVE, OWN_DAD, false, false, 7000},
		{6500, DOWN, TENTATIVE, 0, false, false, 0},
		{7000, TICK, TENTATIVE, 0, false, false, 0},
		{8000, UP, TENTATIVE, OWN_DAD, false, false, 9000},
		{9000, TICK, PREFERRED, OWN_ANNOUNCE, true, false, 11000},
	};
	LIVE(down);
}

static void
test_duplicate(void **state)
{
	(void)state;
	static const struct step advertised[] = {
		{0, START6, TENTATIVE, OWN_DAD, true, false, 1000},
		{10, CONFLICT, DUPLICATE, 0, true, true, 60010},
		{20, CONFLICT, DUPLICATE, 0, false, false, 60020},
		{60019, TICK, DUPLICATE, 0, false, false, 60020},
		{60020, TICK, TENTATIVE, OWN_DAD, true, false, 61020},
		{61020, TICK, PREFERRED, OWN_ANNOUNCE, true, false, 63020},
	};
	LIVE(advertised);
	static const struct step rival[] = {
		{0, START6, TENTATIVE, OWN_DAD, true, false, 1000},
		{500, RIVAL, DUPLICATE, 0, true, true, 60500},
		{1000, TICK, DUPLICATE, 0, false, false, 60500},
		{2000, DOWN, DUPLICATE, 0, false, false, 0},
		{2500, CONFLICT, DUPLICATE, 0, false, false, 0},
		{3000, UP, TENTATIVE, OWN_DAD, true, false, 4000},
	};
	LIVE(rival);
}

static void
test_defence(void **state)
{
	(void)state;
	static const struct step ipv4[] = {
		{0, START4, PREFERRED, OWN_ANNOUNCE, true, false, 2000},
		{2000, TICK, PREFERRED, OWN_ANNOUNCE, false, false, 0},
		{5000, CONFLICT, PREFERRED, OWN_ANNOUNCE, false, true, 0},
		{5001, CONFLICT, PREFERRED, 0, false, false, 0},
		{14999, CONFLICT, PREFERRED, 0, false, false, 0},
		{15000, CONFLICT, PREFERRED, OWN_ANNOUNCE, false, true, 0},
	};
	LIVE(ipv4);
	static const struct step ipv6[] = {
		{0, START6, TENTATIVE, OWN_DAD, true, false, 1000},
		{1000, TICK, PREFERRED, OWN_ANNOUNCE, true, false, 3000},
		{1500, RIVAL, PREFERRED, 0, false, false, 3000}, /* it is answered */
		{1600, CONFLICT, PREFERRED, OWN_ANNOUNCE, false, true, 3000},
		{1700, CONFLICT, PREFERRED, 0, false, false, 3000},
		{3000, TICK, PREFERRED, OWN_ANNOUNCE, false, false, 0},
	};
	LIVE(ipv6);
}

static void
test_count(void **state)
{
	(void)state;
	struct own own;
	struct own_out out;

	own_start(&own, SEG_IPV4, true, SECOND, &out);
	own_conflict(&own, true, SECOND, &out);
	assert_int_equal(own.conflicts, 0);
	own_conflict(&own, false, SECOND, &out);
	own_conflict(&own, false, SECOND, &out);
	assert_int_equal(own.conflicts, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_dad),
		cmocka_unit_test(test_duplicate),
		cmocka_unit_test(test_defence),
		cmocka_unit_test(test_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
