/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/bridge/filter.c lib/base/addr.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/filter.h"

#define MAC(n) (0x020000000000ull + (n))
#define S 1000000000ull

static struct filter_list list;
static struct filter_steps steps;

static int
begin(void **state)
{
	(void)state;
	filter_list_clear(&list);
	return 0;
}

static void
test_nothing(void **state)
{
	(void)state;
	assert_int_equal(filter_decide(&list, NULL, 0, 4, &steps), 0);
	assert_int_equal(steps.nadd + steps.ndel, 0);
}

static void
test_best_first(void **state)
{
	(void)state;
	filter_list_add(&list, MAC(1), FILTER_LEARNED, 5 * S);
	filter_list_add(&list, MAC(2), FILTER_LEARNED, 9 * S);
	filter_list_add(&list, MAC(3), FILTER_STATIC, 0);
	filter_list_add(&list, MAC(4), FILTER_OWN, 0);
	assert_int_equal(filter_decide(&list, NULL, 0, 3, &steps), 4);
	assert_int_equal(steps.nadd, 3);
	assert_int_equal(steps.add[0], MAC(4));
	assert_int_equal(steps.add[1], MAC(3));
	assert_int_equal(steps.add[2], MAC(2));
	assert_int_equal(steps.ndel, 0);
}

static void
test_several_times(void **state)
{
	(void)state;
	filter_list_add(&list, MAC(1), FILTER_LEARNED, 5 * S);
	filter_list_add(&list, MAC(2), FILTER_LEARNED, 6 * S);
	filter_list_add(&list, MAC(1), FILTER_LEARNED, 7 * S);
	filter_list_add(&list, MAC(1), FILTER_LEARNED, 1 * S);
	assert_int_equal(filter_decide(&list, NULL, 0, 8, &steps), 2);
	assert_int_equal(steps.nadd, 2);
	assert_int_equal(steps.add[0], MAC(1));
}

static void
test_no_station(void **state)
{
	(void)state;
	filter_list_add(&list, 0, FILTER_OWN, 0);
	filter_list_add(&list, 0x01005e000001ull, FILTER_LEARNED, 0);
	filter_list_add(&list, 0xffffffffffffull, FILTER_STATIC, 0);
	assert_int_equal(filter_decide(&list, NULL, 0, 8, &steps), 0);
}

static void
test_released(void **state)
{
	const uint64_t have[] = {MAC(1), MAC(2), MAC(3)};
	(void)state;
	filter_list_add(&list, MAC(2), FILTER_LEARNED, S);
	filter_list_add(&list, MAC(4), FILTER_LEARNED, S);
	assert_int_equal(filter_decide(&list, have, 3, 8, &steps), 2);
	assert_int_equal(steps.ndel, 2);
	assert_int_equal(steps.del[0], MAC(1));
	assert_int_equal(steps.del[1], MAC(3));
	assert_int_equal(steps.nadd, 1);
	assert_int_equal(steps.add[0], MAC(4));
}

/* What is in the table is not driven out by what was used a little later, but by what was used much later. */
static void
test_stays(void **state)
{
	const uint64_t have[] = {MAC(1)};
	(void)state;
	filter_list_add(&list, MAC(1), FILTER_LEARNED, 100 * S);
	filter_list_add(&list, MAC(2), FILTER_LEARNED, 105 * S);
	assert_int_equal(filter_decide(&list, have, 1, 1, &steps), 2);
	assert_int_equal(steps.ndel + steps.nadd, 0);

	filter_list_clear(&list);
	filter_list_add(&list, MAC(1), FILTER_LEARNED, 100 * S);
	filter_list_add(&list, MAC(2), FILTER_LEARNED, 111 * S);
	assert_int_equal(filter_decide(&list, have, 1, 1, &steps), 2);
	assert_int_equal(steps.del[0], MAC(1));
	assert_int_equal(steps.add[0], MAC(2));
}

/* Nor does time help against a better rank. */
static void
test_own_drives_out(void **state)
{
	const uint64_t have[] = {MAC(1), MAC(2)};
	(void)state;
	filter_list_add(&list, MAC(1), FILTER_LEARNED, 100 * S);
	filter_list_add(&list, MAC(2), FILTER_LEARNED, 101 * S);
	filter_list_add(&list, MAC(3), FILTER_OWN, 0);
	filter_decide(&list, have, 2, 2, &steps);
	assert_int_equal(steps.ndel, 1);
	assert_int_equal(steps.del[0], MAC(1));
	assert_int_equal(steps.nadd, 1);
	assert_int_equal(steps.add[0], MAC(3));
}

static void
test_shrinks(void **state)
{
	const uint64_t have[] = {MAC(1), MAC(2), MAC(3)};
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		filter_list_add(&list, MAC(i), FILTER_LEARNED, i * S);
	}
	assert_int_equal(filter_decide(&list, have, 3, 0, &steps), 3);
	assert_int_equal(steps.ndel, 3);
	assert_int_equal(steps.nadd, 0);
}

/* What was known a while ago stays as long as nobody else needs the room, and is not counted. */
static void
test_kept(void **state)
{
	const uint64_t have[] = {MAC(1), MAC(2)};
	(void)state;
	filter_list_add(&list, MAC(1), FILTER_KEPT, 100 * S);
	filter_list_add(&list, MAC(2), FILTER_LEARNED, 1 * S);
	assert_int_equal(filter_decide(&list, have, 2, 2, &steps), 1);
	assert_int_equal(steps.ndel + steps.nadd, 0);

	filter_list_clear(&list);
	filter_list_add(&list, MAC(1), FILTER_KEPT, 100 * S);
	filter_list_add(&list, MAC(2), FILTER_LEARNED, 1 * S);
	filter_list_add(&list, MAC(3), FILTER_LEARNED, 1 * S);
	assert_int_equal(filter_decide(&list, have, 2, 2, &steps), 2);
	assert_int_equal(steps.ndel, 1);
	assert_int_equal(steps.del[0], MAC(1));
	assert_int_equal(steps.add[0], MAC(3));
}

/* Far more than fit: the newest are kept, all are counted. */
static void
test_many(void **state)
{
	const unsigned many = 20 * FILTER_MAX;
	(void)state;
	filter_list_add(&list, MAC(0xffffff), FILTER_OWN, 0);
	for (unsigned i = 0; i < many; i++) {
		unsigned n = i * 7919 % many;
		filter_list_add(&list, MAC(n), FILTER_LEARNED, n);
	}
	assert_int_equal(filter_decide(&list, NULL, 0, UINT32_MAX, &steps), many + 1);
	assert_int_equal(steps.nadd, FILTER_MAX);
	assert_int_equal(steps.add[0], MAC(0xffffff));
	for (unsigned i = 1; i < FILTER_MAX; i++) {
		assert_int_equal(steps.add[i], MAC(many - i));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing, begin),
		cmocka_unit_test_setup(test_best_first, begin),
		cmocka_unit_test_setup(test_several_times, begin),
		cmocka_unit_test_setup(test_no_station, begin),
		cmocka_unit_test_setup(test_released, begin),
		cmocka_unit_test_setup(test_stays, begin),
		cmocka_unit_test_setup(test_own_drives_out, begin),
		cmocka_unit_test_setup(test_shrinks, begin),
		cmocka_unit_test_setup(test_kept, begin),
		cmocka_unit_test_setup(test_many, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
