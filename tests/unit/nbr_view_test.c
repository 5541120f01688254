/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/view.c lib/ds/index.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nbr/view.h"

#define MAC (0x020000000005ull << 16)
#define OTHER_MAC (0x020000000006ull << 16)
#define ALL 7ull /* cores 1 to 3 */
#define OWNER 2

struct held {
	unsigned core;
	uint64_t value, stamp;
};

/* The row after these entries, in this order and in the other one: the result must not depend on it. */
static struct nbr_view_row
merged(const struct held *held, size_t n)
{
	struct nbr_view_row row[2];
	const struct nbr_key key = nbr_key4(0x0a000a05, 1);
	for (unsigned order = 0; order < 2; order++) {
		struct nbr_view view;
		assert_true(nbr_view_init(&view, 1));
		for (size_t i = 0; i < n; i++) {
			const struct held *one = &held[order ? n - 1 - i : i];
			const struct seg_nbr entry = {.address = {0, 0x0a000a05},
				.iface = 1,
				.value = one->value,
				.stamp = one->stamp,
				.confirmed_ns = one->core * 100,
				.used_ns = one->core * 10,
				.changed_ns = one->core};
			assert_true(nbr_view_add(&view, &entry, one->core, OWNER));
		}
		assert_int_equal(view.n, 1);
		row[order] = *nbr_view_find(&view, &key);
		nbr_view_free(&view);
	}
	assert_int_equal(row[0].stamp, row[1].stamp);
	assert_int_equal(row[0].same, row[1].same);
	assert_int_equal(row[0].other, row[1].other);
	assert_int_equal(row[0].local, row[1].local);
	assert_int_equal(row[0].live, row[1].live);
	assert_int_equal(row[0].clash, row[1].clash);
	assert_int_equal(nbr_view_state(&row[0]), nbr_view_state(&row[1]));
	assert_int_equal(row[0].confirmed_ns, row[1].confirmed_ns);
	assert_int_equal(row[0].changed_ns, row[1].changed_ns);
	return row[0];
}
#define MERGED(...) merged((struct held[]){__VA_ARGS__}, sizeof((struct held[]){__VA_ARGS__}) / sizeof(struct held))

static void
the_state_is_the_owners(void **state)
{
	(void)state;
	struct nbr_view_row row = MERGED({1, MAC | SEG_NBR_REACHABLE, 257}, {2, MAC | SEG_NBR_STALE | SEG_NBR_READY, 257},
		{3, MAC | SEG_NBR_REACHABLE | SEG_NBR_READY, 257});
	assert_int_equal(row.same, ALL);
	assert_int_equal(nbr_view_state(&row), SEG_NBR_STALE);
	assert_int_equal(nbr_view_cores(&row), ALL);
	assert_true(row.live && row.from_owner && !row.clash);
	assert_int_equal(row.confirmed_ns, 200);
	assert_int_equal(row.used_ns, 20);
	assert_true(nbr_view_agrees(&row, ALL)); /* states and READY are each core's own */
	assert_false(nbr_view_agrees(&row, 15));
	/* The owner lacks it: the newest known. */
	row = MERGED({1, MAC | SEG_NBR_REACHABLE, 257}, {3, MAC | SEG_NBR_REACHABLE, 257});
	assert_int_equal(nbr_view_state(&row), SEG_NBR_REACHABLE);
	assert_int_equal(row.confirmed_ns, 300);
	assert_false(row.from_owner);
	assert_false(nbr_view_agrees(&row, ALL));
}

static void
the_newest_version_wins(void **state)
{
	(void)state;
	struct nbr_view_row row =
		MERGED({1, MAC | SEG_NBR_REACHABLE, 257}, {2, MAC | SEG_NBR_PROBE, 257}, {3, OTHER_MAC | SEG_NBR_REACHABLE, 514});
	assert_int_equal(SEG_NBR_MAC(row.value), OTHER_MAC >> 16);
	assert_int_equal(row.same, 4);
	assert_int_equal(row.other, 3);
	assert_int_equal(nbr_view_state(&row), SEG_NBR_REACHABLE); /* the owner's is of another version */
	assert_false(nbr_view_agrees(&row, ALL));
}

static void
what_is_asked_for_is_no_difference(void **state)
{
	(void)state;
	struct nbr_view_row row = MERGED({2, SEG_NBR_INCOMPLETE, 0}, {3, SEG_NBR_FAILED, 0});
	assert_false(row.live);
	assert_true(nbr_view_shown(&row));
	assert_int_equal(nbr_view_state(&row), SEG_NBR_INCOMPLETE);
	assert_int_equal(nbr_view_cores(&row), 6);
	assert_true(nbr_view_agrees(&row, ALL));
	/* One core waits still, the others have the answer. */
	row = MERGED({1, MAC | SEG_NBR_REACHABLE, 257}, {2, MAC | SEG_NBR_REACHABLE, 257}, {3, SEG_NBR_INCOMPLETE, 0});
	assert_true(row.live);
	assert_int_equal(nbr_view_state(&row), SEG_NBR_REACHABLE);
	assert_int_equal(row.same, 3);
	assert_false(nbr_view_agrees(&row, ALL));
}

static void
deletions(void **state)
{
	(void)state;
	struct nbr_view_row row = MERGED({1, SEG_NBR_TOMB, 514}, {2, SEG_NBR_TOMB, 514});
	assert_false(nbr_view_shown(&row));
	assert_true(nbr_view_agrees(&row, ALL)); /* core 3 may have forgotten it already */
	row = MERGED({1, SEG_NBR_TOMB, 514}, {2, SEG_NBR_TOMB, 514}, {3, MAC | SEG_NBR_REACHABLE, 257});
	assert_false(row.live);
	assert_int_equal(row.other, 4);
	assert_false(nbr_view_agrees(&row, ALL));
	/* Asked for anew: it keeps the version of its deletion. */
	row = MERGED({1, SEG_NBR_TOMB, 514}, {2, SEG_NBR_INCOMPLETE, 514}, {3, SEG_NBR_FAILED, 514});
	assert_true(nbr_view_agrees(&row, ALL));
	assert_int_equal(nbr_view_cores(&row), 6);
	row = MERGED({1, SEG_NBR_TOMB, 257}, {2, MAC | SEG_NBR_STALE, 514}, {3, MAC | SEG_NBR_REACHABLE, 514});
	assert_true(row.live);
	assert_int_equal(row.same, 6);
	assert_false(nbr_view_agrees(&row, ALL));
}

static void
one_version_two_values(void **state)
{
	(void)state;
	struct nbr_view_row row = MERGED({1, MAC | SEG_NBR_REACHABLE, 257}, {2, OTHER_MAC | SEG_NBR_REACHABLE, 257});
	assert_true(row.clash);
	assert_false(nbr_view_agrees(&row, 3));
	row = MERGED({1, MAC | SEG_NBR_REACHABLE, 257}, {2, MAC | SEG_NBR_REACHABLE | SEG_NBR_ROUTER, 257});
	assert_true(row.clash);
	row = MERGED({1, MAC | SEG_NBR_REACHABLE, 257}, {2, MAC | SEG_NBR_PERMANENT, 257});
	assert_true(row.clash);
	row = MERGED({1, MAC | SEG_NBR_REACHABLE, 257}, {2, SEG_NBR_TOMB, 257});
	assert_true(row.clash);
}

/* A table that changes while it is read may show a core's entry twice. */
static void
a_core_seen_twice(void **state)
{
	(void)state;
	struct nbr_view view;
	struct seg_nbr entry = {.address = {0, 9}, .iface = 1, .value = SEG_NBR_INCOMPLETE};
	assert_true(nbr_view_init(&view, 1));
	assert_true(nbr_view_add(&view, &entry, 1, 1));
	entry.value = MAC | SEG_NBR_REACHABLE;
	entry.stamp = 257;
	assert_true(nbr_view_add(&view, &entry, 1, 1));
	assert_int_equal(view.n, 1);
	assert_int_equal(view.row[0].local, 0);
	assert_int_equal(view.row[0].same, 1);
	assert_int_equal(view.row[0].other, 0);
	nbr_view_free(&view);
}

static void
many_keys(void **state)
{
	(void)state;
	struct nbr_view view;
	assert_true(nbr_view_init(&view, 1));
	for (unsigned core = 1; core <= 64; core += 63) {
		for (uint64_t i = 1; i <= 40000; i++) {
			const struct seg_nbr entry = {.address = {0x20010db800100000 + i % 3, i / 4},
				.iface = 1 + (uint32_t)(i & 3),
				.value = MAC | SEG_NBR_REACHABLE,
				.stamp = i << 8};
			assert_true(nbr_view_add(&view, &entry, core, 1));
		}
	}
	assert_int_equal(view.n, 40000);
	for (uint64_t i = 1; i <= 40000; i++) {
		const struct nbr_key key = nbr_key6(0x20010db800100000 + i % 3, i / 4, 1 + (uint32_t)(i & 3));
		const struct nbr_view_row *row = nbr_view_find(&view, &key);
		assert_non_null(row);
		assert_true(row->stamp == i << 8 && row->same == (1ull << 63 | 1));
	}
	const struct nbr_key none = nbr_key4(1, 1);
	assert_null(nbr_view_find(&view, &none));
	nbr_view_free(&view);
	assert_null(nbr_view_find(&view, &none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_state_is_the_owners),
		cmocka_unit_test(the_newest_version_wins),
		cmocka_unit_test(what_is_asked_for_is_no_difference),
		cmocka_unit_test(deletions),
		cmocka_unit_test(one_version_two_values),
		cmocka_unit_test(a_core_seen_twice),
		cmocka_unit_test(many_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
