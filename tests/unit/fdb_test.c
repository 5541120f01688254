/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/fdb/fdb.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fdb/fdb.h"

struct table {
	struct fdb fdb;
	struct seg_fdb_count count;
};

static uint64_t chance = 1;

static uint64_t
random_below(uint64_t n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return chance % n;
}

static void
table_new(struct table *t, uint32_t nbuckets, uint64_t seed)
{
	struct seg_bucket *hot = aligned_alloc(SEG_LINE, nbuckets * sizeof(*hot));
	struct seg_cold *cold = calloc(nbuckets * SEG_WAYS, sizeof(*cold));

	assert_true(hot && cold);
	memset(hot, 0, nbuckets * sizeof(*hot));
	memset(&t->count, 0, sizeof(t->count));
	fdb_init(&t->fdb, hot, cold, nbuckets, seed, &t->count);
}

static void
table_free(struct table *t)
{
	free(t->fdb.hot);
	free(t->fdb.cold);
}

static uint32_t
put(struct table *t, uint64_t key, uint64_t value, uint64_t stamp)
{
	return fdb_insert(&t->fdb, key, value,
		&(struct seg_cold){.stamp = stamp, .used_ns = stamp + 1, .moved_ns = stamp + 2, .born_ns = stamp + 3});
}

/* Counts and digest say what the table holds. */
static void
recount(const struct table *t)
{
	struct seg_fdb_count again = {0};
	for (uint32_t slot = 0; slot < fdb_slots(&t->fdb); slot++) {
		uint64_t key = *fdb_key_at(&t->fdb, slot), value = *fdb_value_at(&t->fdb, slot);
		if (!key) {
			continue;
		}
		assert_int_equal(fdb_find(&t->fdb, key), slot);
		if (value & SEG_VALUE_TOMB) {
			again.tombs++;
			continue;
		}
		again.entries++;
		again.statics += (value & SEG_VALUE_STATIC) != 0;
		again.channel[SEG_VALUE_CHANNEL(value)] += !(value & SEG_VALUE_STATIC);
		again.digest += fdb_digest(key, value, t->fdb.cold[slot].stamp);
	}
	assert_memory_equal(&again, &t->count, sizeof(again));
}

/* ---- a plain array does the same ---- */

#define KEYS 96

struct plain {
	bool there;
	uint64_t value, stamp;
};

static uint64_t
key_of(unsigned i)
{
	return fdb_key(0x020000000000 + i / 2, (uint16_t)(1 + i % 2));
}

static void
same(const struct table *t, const struct plain *plain)
{
	for (unsigned i = 0; i < KEYS; i++) {
		uint32_t slot = fdb_find(&t->fdb, key_of(i));
		assert_int_equal(slot != FDB_NONE, plain[i].there);
		uint64_t of = fdb_value_of(&t->fdb, fdb_home(fdb_hash(key_of(i), t->fdb.seed), t->fdb.nbuckets), key_of(i));
		if (slot == FDB_NONE) {
			assert_true(of & SEG_VALUE_TOMB);
			continue;
		}
		assert_true((*fdb_value_at(&t->fdb, slot) & ~SEG_VALUE_REACH) == plain[i].value);
		assert_true((of & ~SEG_VALUE_REACH) == plain[i].value);
		assert_true(t->fdb.cold[slot].stamp == plain[i].stamp);
		if (!(plain[i].value & SEG_VALUE_TOMB)) {
			assert_true(t->fdb.cold[slot].born_ns >= 3);
		}
	}
	recount(t);
}

static void
one_step(struct table *t, struct plain *plain)
{
	unsigned i = (unsigned)random_below(KEYS);
	static const uint64_t flags[] = {0, 0, 0, SEG_VALUE_USED, SEG_VALUE_STATIC, SEG_VALUE_STICKY, SEG_VALUE_TOMB};
	uint64_t value = fdb_value((uint16_t)random_below(8), (uint32_t)random_below(1ull << 32), flags[random_below(7)]);
	uint64_t stamp = random_below(1ull << 48);
	uint32_t slot = fdb_find(&t->fdb, key_of(i));

	if (!plain[i].there) {
		plain[i].there = put(t, key_of(i), value, stamp) != FDB_NONE;
		plain[i].value = value;
		plain[i].stamp = stamp;
	} else if (random_below(3) == 0) {
		fdb_remove(&t->fdb, slot);
		plain[i].there = false;
	} else if (random_below(2)) {
		fdb_update(&t->fdb, slot, value, stamp);
		plain[i].value = value;
		plain[i].stamp = stamp;
	} else {
		bool used = random_below(2);
		fdb_mark_used(&t->fdb, slot, used);
		plain[i].value = used ? plain[i].value | SEG_VALUE_USED : plain[i].value & ~SEG_VALUE_USED;
	}
}

static void
does_what_a_plain_array_does(void **state)
{
	(void)state;
	/* from a table that is always overfull to one with much room */
	static const uint32_t sizes[] = {8, 9, 12, 16, 24, 64};
	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (unsigned run = 0; run < 10; run++) {
			struct table t;
			struct plain plain[KEYS] = {{0}};
			table_new(&t, sizes[s], random_below(UINT64_MAX) | 1);
			for (unsigned i = 0; i < 3000; i++) {
				one_step(&t, plain);
				if (i % 50 == 0) {
					same(&t, plain);
				}
			}
			same(&t, plain);
			table_free(&t);
		}
	}
}

/* ---- how full it gets ---- */

static double
fill(uint32_t nbuckets, unsigned kind)
{
	struct table t;
	uint64_t base = random_below(1ull << 40);
	uint32_t n = 0, slots = nbuckets * SEG_WAYS;

	table_new(&t, nbuckets, random_below(UINT64_MAX) | 1);
	for (; n < slots; n++) {
		/* addresses in a row; every 256th; a row in each of many vendors; any */
		uint64_t mac = kind == 0   ? base + n
			       : kind == 1 ? base + 256ull * n
			       : kind == 2 ? ((uint64_t)(n % 64) << 24) + n / 64 + 1
					   : random_below(1ull << 46);
		if (put(&t, fdb_key(mac, 1), fdb_value(1, 1, 0), n) == FDB_NONE) {
			break;
		}
	}
	assert_int_equal(t.count.entries, n);
	recount(&t);
	table_free(&t);
	return (double)n / slots;
}

static void
fills_up(void **state)
{
	(void)state;
	static const uint32_t sizes[] = {8, 48, 384, 3072, 24576};
	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		double least = 1, sum = 0;
		for (unsigned run = 0; run < 24; run++) {
			double load = fill(sizes[s], run % 4);
			least = load < least ? load : least;
			sum += load / 24;
		}
		print_message(
			"# %u buckets: the first that finds no room comes at %.0f %% of the slots (worst of 24 fills: %.0f %%)\n",
			sizes[s], 100 * sum, 100 * least);
		/* conf_fdb_buckets() gives half as many slots again as entries */
		assert_true(least > 2.0 / 3);
	}
}

/* ---- accounting ---- */

static void
digest_is_of_the_entries_alone(void **state)
{
	(void)state;
	struct table a, b;
	table_new(&a, 20, 0x123456789abcdef1);
	table_new(&b, 37, 0xfedcba9876543211);
	for (unsigned i = 0; i < 50; i++) {
		put(&a, key_of(i), fdb_value(3, 7, 0), 100 + i);
		put(&b, key_of(49 - i), fdb_value(3, 7, SEG_VALUE_USED), 149 - i);
	}
	assert_true(a.count.digest == b.count.digest && a.count.digest);
	uint32_t slot = fdb_find(&a.fdb, key_of(7));
	fdb_update(&a.fdb, slot, fdb_value(3, 7, 0), 9999);
	assert_true(a.count.digest != b.count.digest);
	fdb_update(&a.fdb, slot, fdb_value(3, 7, 0), 107);
	assert_true(a.count.digest == b.count.digest);
	fdb_update(&a.fdb, slot, fdb_value(3, 7, SEG_VALUE_TOMB), 107);
	fdb_remove(&b.fdb, fdb_find(&b.fdb, key_of(7)));
	assert_true(a.count.digest == b.count.digest);
	for (unsigned i = 0; i < 50; i++) {
		fdb_remove(&a.fdb, fdb_find(&a.fdb, key_of(i)));
	}
	static const struct seg_fdb_count nothing;
	assert_memory_equal(&a.count, &nothing, sizeof(nothing));
	table_free(&a);
	table_free(&b);
}

/* ---- flushes ---- */

static void
flushed_by_channel_and_by_fid(void **state)
{
	(void)state;
	struct table t;
	struct seg_control *control = aligned_alloc(SEG_LINE, sizeof(*control));
	memset(control, 0, sizeof(*control));
	table_new(&t, 8, 1);
	control->flush_seq = 5;
	assert_true(fdb_flush_sync(&t.fdb, control));
	assert_false(fdb_flush_sync(&t.fdb, control));

	uint64_t old = fdb_value(2, 5, 0);
	assert_true(fdb_alive(&t.fdb, 3, old));
	control->flush_channel[2] = 6;
	control->flush_seq = 6;
	assert_true(fdb_alive(&t.fdb, 3, old)); /* this core has not looked yet */
	assert_true(fdb_flush_sync(&t.fdb, control));
	assert_false(fdb_alive(&t.fdb, 3, old));
	assert_true(fdb_alive(&t.fdb, 3, fdb_value(2, 6, 0)));
	assert_true(fdb_alive(&t.fdb, 3, fdb_value(1, 5, 0)));
	assert_true(fdb_alive(&t.fdb, 3, old | SEG_VALUE_STATIC));
	assert_false(fdb_alive(&t.fdb, 3, old | SEG_VALUE_STICKY));

	control->flush_fid[3] = 7;
	control->flush_seq = 7;
	assert_true(fdb_flush_sync(&t.fdb, control));
	assert_false(fdb_alive(&t.fdb, 3, fdb_value(1, 6, 0)));
	assert_true(fdb_alive(&t.fdb, 4, fdb_value(1, 6, 0)));
	assert_true(fdb_alive(&t.fdb, 3, fdb_value(1, 7, 0)));
	assert_false(fdb_alive(&t.fdb, 3, fdb_value(1, 7, SEG_VALUE_TOMB)));
	assert_false(fdb_alive(&t.fdb, 3, fdb_value(1, 7, SEG_VALUE_TOMB | SEG_VALUE_STATIC)));
	table_free(&t);
	free(control);
}

static void
keys(void **state)
{
	(void)state;
	uint64_t key = fdb_key(0x0200a1b2c3d4, 4095);
	assert_true(fdb_key_mac(key) == 0x0200a1b2c3d4);
	assert_int_equal(fdb_key_fid(key), 4095);
	uint64_t value = fdb_value(319, UINT32_MAX, SEG_VALUE_STATIC);
	assert_int_equal(SEG_VALUE_CHANNEL(value), 319);
	assert_int_equal(SEG_VALUE_FLUSH(value), UINT32_MAX);
	assert_true((value >> 48) == (SEG_VALUE_STATIC >> 48));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(does_what_a_plain_array_does),
		cmocka_unit_test(fills_up),
		cmocka_unit_test(digest_is_of_the_entries_alone),
		cmocka_unit_test(flushed_by_channel_and_by_fid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
