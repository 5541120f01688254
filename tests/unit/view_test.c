/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/fdb/view.c lib/ds/index.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fdb/view.h"

#define KEY 0x0200000000010001ull
#define ALL 7ull /* cores 1 to 3 */

static uint64_t
value(uint16_t channel, uint32_t flush, uint64_t flags)
{
	return (uint64_t)flush << 16 | channel | flags;
}

static struct view_entry
entry(unsigned core, uint64_t v, uint64_t stamp)
{
	return (struct view_entry){.key = KEY,
		.value = v,
		.stamp = stamp,
		.used_ns = core * 100,
		.born_ns = core,
		.core = core,
		.owner = 2,
		.live = !(v & SEG_VALUE_TOMB)};
}

/* The row after these entries, in this order and in the other one: the result must not depend on it. */
static struct view_row
merged(const struct view_entry *entries, size_t n)
{
	struct view_row row[2];
	for (unsigned order = 0; order < 2; order++) {
		struct view view;
		assert_true(view_init(&view, 1));
		for (size_t i = 0; i < n; i++) {
			assert_true(view_add(&view, &entries[order ? n - 1 - i : i]));
		}
		assert_int_equal(view.n, 1);
		row[order] = *view_find(&view, KEY);
		view_free(&view);
	}
	assert_int_equal(row[0].stamp, row[1].stamp);
	assert_int_equal(row[0].same, row[1].same);
	assert_int_equal(row[0].other, row[1].other);
	assert_int_equal(row[0].live, row[1].live);
	assert_int_equal(row[0].used_ns, row[1].used_ns);
	assert_int_equal(row[0].clash, row[1].clash);
	assert_int_equal(row[0].in_use, row[1].in_use);
	return row[0];
}

static void
all_hold_the_same(void **state)
{
	(void)state;
	/* USED and REACH are each core's own and no difference. */
	struct view_entry e[] = {entry(1, value(4, 0, SEG_VALUE_USED), 257), entry(2, value(4, 0, 0), 257),
		entry(3, value(4, 0, SEG_VALUE_REACH), 257)};
	struct view_row row = merged(e, 3);
	assert_int_equal(row.same, ALL);
	assert_int_equal(row.other, 0);
	assert_true(row.live && row.in_use && !row.clash);
	assert_int_equal(row.used_ns, 200); /* the owner's */
	assert_true(view_agrees(&row, ALL));
	assert_false(view_agrees(&row, view_all(4)));
}

static void
the_newest_version_wins(void **state)
{
	(void)state;
	struct view_entry moved[] = {entry(1, value(4, 0, 0), 257), entry(2, value(5, 0, 0), 514), entry(3, value(4, 0, 0), 257)};
	struct view_row row = merged(moved, 3);
	assert_int_equal(SEG_VALUE_CHANNEL(row.value), 5);
	assert_int_equal(row.same, 2);
	assert_int_equal(row.other, 5);
	assert_false(view_agrees(&row, ALL));
	/* A later flush sequence beats any stamp. */
	struct view_entry flushed[] = {entry(1, value(4, 1, 0), 257), entry(2, value(5, 0, 0), 9999)};
	row = merged(flushed, 2);
	assert_int_equal(SEG_VALUE_CHANNEL(row.value), 4);
}

static void
missing_is_a_difference(void **state)
{
	(void)state;
	struct view_entry e[] = {entry(1, value(4, 0, 0), 257), entry(3, value(4, 0, 0), 257)};
	struct view_row row = merged(e, 2);
	assert_int_equal(row.same, 5);
	assert_false(view_agrees(&row, ALL));
	assert_int_equal(row.used_ns, 300); /* the owner lacks it: the newest known */
}

static void
deletions(void **state)
{
	(void)state;
	struct view_entry gone[] = {entry(1, value(0, 0, SEG_VALUE_TOMB), 514), entry(2, value(4, 0, SEG_VALUE_TOMB), 514)};
	struct view_row row = merged(gone, 2);
	assert_false(row.live);
	assert_true(view_agrees(&row, ALL)); /* core 3 may have forgotten it already */
	struct view_entry late[] = {entry(1, value(0, 0, SEG_VALUE_TOMB), 514), entry(2, value(4, 0, 0), 257)};
	row = merged(late, 2);
	assert_false(row.live);
	assert_int_equal(row.other, 2);
	assert_false(view_agrees(&row, ALL));
	struct view_entry again[] = {
		entry(1, value(0, 0, SEG_VALUE_TOMB), 257), entry(2, value(4, 0, 0), 514), entry(3, value(4, 0, 0), 514)};
	row = merged(again, 3);
	assert_true(row.live);
	assert_int_equal(row.same, 6);
	assert_false(view_agrees(&row, ALL));
}

static void
one_version_two_values(void **state)
{
	(void)state;
	struct view_entry e[] = {entry(1, value(4, 0, 0), 257), entry(2, value(5, 0, 0), 257), entry(3, value(4, 0, 0), 257)};
	struct view_row row = merged(e, 3);
	assert_true(row.clash);
	assert_false(view_agrees(&row, ALL));
}

/* A table that changes while it is read may show a core's entry twice. */
static void
a_core_seen_twice(void **state)
{
	(void)state;
	struct view_entry e[] = {entry(1, value(4, 0, 0), 257), entry(2, value(5, 0, 0), 514), entry(1, value(5, 0, 0), 514)};
	struct view_row row = merged(e, 3);
	assert_int_equal(row.same, 3);
	assert_int_equal(row.other, 0);
	struct view_entry alone[] = {entry(1, value(4, 0, 0), 257), entry(1, value(5, 0, 0), 514)};
	row = merged(alone, 2);
	assert_int_equal(row.same, 1);
	assert_int_equal(row.other, 0);
}

static void
many_keys(void **state)
{
	(void)state;
	struct view view;
	assert_true(view_init(&view, 1));
	for (unsigned core = 1; core <= 64; core += 63) {
		for (uint64_t i = 1; i <= 20000; i++) {
			struct view_entry e = {.key = i << 16 | 1,
				.value = value(1, 0, 0),
				.stamp = i << 8,
				.core = core,
				.owner = 1,
				.live = true};
			assert_true(view_add(&view, &e));
		}
	}
	assert_int_equal(view.n, 20000);
	for (uint64_t i = 1; i <= 20000; i++) {
		const struct view_row *row = view_find(&view, i << 16 | 1);
		assert_non_null(row);
		assert_true(row->key == (i << 16 | 1) && row->same == (1ull << 63 | 1));
	}
	assert_null(view_find(&view, 1));
	view_free(&view);
	assert_null(view_find(&view, 1));
	assert_true(view_all(64) == UINT64_MAX && view_all(1) == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_hold_the_same),
		cmocka_unit_test(the_newest_version_wins),
		cmocka_unit_test(missing_is_a_difference),
		cmocka_unit_test(deletions),
		cmocka_unit_test(one_version_two_values),
		cmocka_unit_test(a_core_seen_twice),
		cmocka_unit_test(many_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
