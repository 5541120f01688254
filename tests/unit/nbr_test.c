/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/nbr.c lib/base/addr.c lib/base/err.c lib/shm/seg.c lib/shm/seg_read.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nbr/nbr.h"
#include "shm/seg.h"

#define SLOTS 64
#define KEYS 96
#define SEED 0x6c62272e07bb0142ull

struct table {
	struct nbr nbr;
	struct seg_nbr_count count;
	struct seg_nbr *memory;
};

/* What the table should hold, the slow way. */
struct model {
	bool there;
	uint32_t slot;
	struct seg_nbr entry;
};

static struct table *
table_new(uint32_t slots)
{
	struct table *t = calloc(1, sizeof(*t));
	assert_non_null(t);
	t->memory = aligned_alloc(SEG_LINE, slots * sizeof(struct seg_nbr));
	assert_non_null(t->memory);
	memset(t->memory, 0, slots * sizeof(struct seg_nbr));
	nbr_init(&t->nbr, t->memory, slots, SEED, &t->count);
	return t;
}

static void
table_free(struct table *t)
{
	free(t->memory);
	free(t);
}

static struct nbr_key
key_of(unsigned n)
{
	return n % 2 ? nbr_key6(0x20010db800000000ull + n / 8, n, 1 + n % 3) : nbr_key4(0x0a000000 + n, 1 + n % 3);
}

static struct seg_nbr
entry_of(const struct nbr_key *key, uint64_t value, uint64_t stamp)
{
	return (struct seg_nbr){.address = {key->address[0], key->address[1]},
		.iface = key->iface,
		.value = value,
		.stamp = stamp,
		.confirmed_ns = stamp * 3,
		.used_ns = stamp * 5,
		.changed_ns = stamp * 7};
}

static unsigned
chance(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static uint64_t
value_of(unsigned random)
{
	static const uint64_t state[] = {SEG_NBR_INCOMPLETE, SEG_NBR_REACHABLE, SEG_NBR_STALE, SEG_NBR_DELAY, SEG_NBR_PROBE,
		SEG_NBR_FAILED, SEG_NBR_PERMANENT, SEG_NBR_TOMB};
	return (0x020000000000ull + random) << 16 | state[random % 8] | (random & 64 ? SEG_NBR_ROUTER : 0) |
	       (random & 128 ? SEG_NBR_READY : 0);
}

/* ---- the model -------------------------------------------------------------------------------------------------- */

static void
counts_match(const struct table *t, const struct model *model)
{
	struct seg_nbr_count want = {0};

	for (unsigned i = 0; i < KEYS; i++) {
		const struct seg_nbr *e = &model[i].entry;
		struct nbr_key key = key_of(i);
		unsigned state = SEG_NBR_STATE(e->value);
		if (!model[i].there) {
			continue;
		}
		if (e->value & SEG_NBR_TOMB) {
			want.tombs++;
		} else if (state == SEG_NBR_INCOMPLETE) {
			want.incomplete++;
		} else if (state == SEG_NBR_FAILED) {
			want.failed++;
		} else {
			want.entries++;
			want.permanent += state == SEG_NBR_PERMANENT;
			want.digest += nbr_digest(&key, e->value, e->stamp);
		}
	}
	assert_memory_equal(&want, &t->count, sizeof(want));
}

/* Does a probe for an entry that is there go over the slot? */
static bool
passed(const struct table *t, uint32_t slot)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct nbr_key key = nbr_key_at(&t->nbr, i);
		uint32_t home = nbr_home(&t->nbr, nbr_hash(&key, SEED));
		if (key.iface != 0 && key.iface != SEG_NBR_GONE && (i - home) % SLOTS >= (i - slot) % SLOTS) {
			return true;
		}
	}
	return false;
}

static void
contents_match(const struct table *t, const struct model *model)
{
	uint32_t used = 0, there = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		struct nbr_key key = key_of(i), at;
		uint32_t slot = nbr_find(&t->nbr, &key);
		assert_int_equal(slot, model[i].there ? model[i].slot : NBR_NONE);
		if (slot == NBR_NONE) {
			continue;
		}
		at = nbr_key_at(&t->nbr, slot);
		assert_true(nbr_key_same(&at, &key));
		assert_int_equal(t->memory[slot].value, model[i].entry.value);
		assert_int_equal(t->memory[slot].stamp, model[i].entry.stamp);
		assert_int_equal(t->memory[slot].confirmed_ns, model[i].entry.confirmed_ns);
		assert_int_equal(t->memory[slot].used_ns, model[i].entry.used_ns);
		assert_int_equal(t->memory[slot].changed_ns, model[i].entry.changed_ns);
		there++;
	}
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		const struct seg_nbr *line = &t->memory[slot];
		used += line->iface != 0;
		assert_int_equal(line->seq % 2, 0);
		assert_true(line->iface != SEG_NBR_GONE || passed(t, slot));
		assert_true((line->iface != 0 && line->iface != SEG_NBR_GONE) || (!line->value && !line->address[1]));
	}
	assert_int_equal(used, t->nbr.used);
	assert_true(used >= there && there <= SLOTS / 4 * 3 && used <= SLOTS / 8 * 7);
}

static void
step(struct table *t, struct model *model, unsigned *seed)
{
	unsigned i = chance(seed) % KEYS, random = chance(seed);
	struct nbr_key key = key_of(i);
	struct seg_nbr entry = entry_of(&key, value_of(random), chance(seed));
	struct model *m = &model[i];

	if (!m->there) {
		bool full = nbr_taken(&t->nbr) == SLOTS / 4 * 3 || t->nbr.used == SLOTS / 8 * 7;
		m->slot = nbr_insert(&t->nbr, &entry);
		m->there = m->slot != NBR_NONE;
		assert_true(m->there || full);
		m->entry = entry;
	} else if (random % 5 < 2) {
		nbr_update(&t->nbr, m->slot, &entry);
		m->entry = entry;
	} else if (random % 5 == 2) {
		nbr_set_ready(&t->nbr, m->slot, random & 1024);
		m->entry.value &= ~(uint64_t)SEG_NBR_READY;
		m->entry.value |= random & 1024 ? SEG_NBR_READY : 0;
	} else {
		nbr_remove(&t->nbr, m->slot);
		m->there = false;
	}
}

static void
random_ops(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct table *t = table_new(SLOTS);
		struct model model[KEYS] = {0};
		unsigned random = seed;
		for (unsigned i = 0; i < 2000; i++) {
			step(t, model, &random);
			counts_match(t, model);
			contents_match(t, model);
		}
		for (unsigned i = 0; i < KEYS; i++) {
			if (model[i].there) {
				nbr_remove(&t->nbr, model[i].slot);
				model[i].there = false;
			}
		}
		/* An empty table is as good as new: nothing is left of what was. */
		contents_match(t, model);
		assert_int_equal(t->nbr.used, 0);
		table_free(t);
	}
}

/* ---- room ------------------------------------------------------------------------------------------------------- */

static void
three_quarters(void **state)
{
	(void)state;
	struct table *t = table_new(16);
	unsigned n = 0;

	for (; n < 12; n++) {
		struct nbr_key key = key_of(n);
		struct seg_nbr entry = entry_of(&key, SEG_NBR_REACHABLE, n);
		assert_int_not_equal(nbr_insert(&t->nbr, &entry), NBR_NONE);
	}
	for (; n < 40; n++) {
		struct nbr_key key = key_of(n);
		struct seg_nbr entry = entry_of(&key, SEG_NBR_REACHABLE, n);
		assert_int_equal(nbr_insert(&t->nbr, &entry), NBR_NONE);
		assert_int_equal(nbr_find(&t->nbr, &key), NBR_NONE);
	}
	assert_int_equal(t->count.entries, 12);
	/* One goes, one comes. */
	struct nbr_key first = key_of(0), next = key_of(50);
	struct seg_nbr entry = entry_of(&next, SEG_NBR_REACHABLE, 50);
	nbr_remove(&t->nbr, nbr_find(&t->nbr, &first));
	assert_int_not_equal(nbr_insert(&t->nbr, &entry), NBR_NONE);
	table_free(t);
}

/* Half full and changing for long: those that were in use do not take all room. */
static void
churn(void **state)
{
	(void)state;
	enum { SIZE = 4096, LIVE = SIZE / 2 };
	struct table *t = table_new(SIZE);
	struct nbr_key *live = calloc(LIVE, sizeof(*live));
	uint32_t next = 0, most = 0;
	unsigned seed = 7;

	for (unsigned i = 0; i < 200000; i++) {
		unsigned at = i < LIVE ? i : chance(&seed) % LIVE;
		if (i >= LIVE) {
			nbr_remove(&t->nbr, nbr_find(&t->nbr, &live[at]));
		}
		live[at] = nbr_key4(0x0a000000 + next++, 1);
		struct seg_nbr entry = entry_of(&live[at], SEG_NBR_REACHABLE, i);
		assert_int_not_equal(nbr_insert(&t->nbr, &entry), NBR_NONE);
		most = t->nbr.used > most ? t->nbr.used : most;
	}
	assert_int_equal(t->count.entries, LIVE);
	assert_true(most < SIZE / 8 * 7);
	for (unsigned i = 0; i < LIVE; i++) {
		assert_int_not_equal(nbr_find(&t->nbr, &live[i]), NBR_NONE);
	}
	free(live);
	table_free(t);
}

/* What is local to a core is not in the digest; what all must agree on is. */
static void
digest(void **state)
{
	(void)state;
	struct nbr_key key = key_of(3), other = key_of(5);
	uint64_t mac = 0x020000000001ull << 16, want = nbr_digest(&key, mac | SEG_NBR_REACHABLE, 9);

	assert_true(nbr_digest(&key, mac | SEG_NBR_PROBE, 9) == want);
	assert_true(nbr_digest(&key, mac | SEG_NBR_STALE | SEG_NBR_READY, 9) == want);
	assert_true(nbr_digest(&key, mac | SEG_NBR_PERMANENT, 9) != want);
	assert_true(nbr_digest(&key, mac | SEG_NBR_REACHABLE | SEG_NBR_ROUTER, 9) != want);
	assert_true(nbr_digest(&key, mac + 65536, 9) != want);
	assert_true(nbr_digest(&key, mac | SEG_NBR_REACHABLE, 10) != want);
	assert_true(nbr_digest(&other, mac | SEG_NBR_REACHABLE, 9) != want);
}

static void
words(void **state)
{
	(void)state;
	struct ip ip, back;
	uint64_t w[2];

	assert_true(ip_parse("192.0.2.7", &ip));
	nbr_words(&ip, w);
	assert_true(w[0] == 0 && w[1] == 0xc0000207);
	nbr_ip(SEG_IPV4, w, &back);
	assert_memory_equal(&ip, &back, sizeof(ip));
	assert_true(ip_parse("2001:db8:1:2:3:4:5:6", &ip));
	nbr_words(&ip, w);
	assert_true(w[0] == 0x20010db800010002ull && w[1] == 0x0003000400050006ull);
	nbr_ip(SEG_IPV6, w, &back);
	assert_memory_equal(&ip, &back, sizeof(ip));
}

/* ---- an outside reader ------------------------------------------------------------------------------------------ */

struct reading {
	struct seg seg;
	uint32_t stop;
	uint64_t whole, torn;
};

/* All of an entry follows from its stamp, so that a torn copy shows. */
static void *
read_all(void *arg)
{
	struct reading *r = arg;

	while (!seg_get(&r->stop) || r->whole == 0) {
		for (uint32_t slot = 0; slot < SLOTS; slot++) {
			struct seg_nbr copy;
			if (!seg_read_nbr(&r->seg, SEG_IPV6, 1, slot, &copy)) {
				continue;
			}
			struct nbr_key key = key_of((unsigned)(copy.stamp % KEYS));
			struct seg_nbr want = entry_of(&key, copy.stamp << 16 | SEG_NBR_REACHABLE, copy.stamp);
			want.seq = copy.seq;
			want.value |= copy.value & SEG_NBR_READY;
			r->torn += memcmp(&want, &copy, sizeof(want)) != 0;
			r->whole++;
		}
	}
	return NULL;
}

static void
reader(void **state)
{
	(void)state;
	struct table *t = table_new(SLOTS);
	struct reading r = {.seg = {.base = (uint8_t *)t->memory}};
	pthread_t thread;
	unsigned seed = 11;

	r.seg.head.ncores = 1;
	r.seg.head.nbr_slots = SLOTS;
	assert_int_equal(pthread_create(&thread, NULL, read_all, &r), 0);
	for (uint64_t i = 1; i < 400000; i++) {
		uint64_t stamp = i * KEYS + chance(&seed) % KEYS;
		struct nbr_key key = key_of((unsigned)(stamp % KEYS));
		struct seg_nbr entry = entry_of(&key, stamp << 16 | SEG_NBR_REACHABLE, stamp);
		uint32_t slot = nbr_find(&t->nbr, &key);
		if (slot == NBR_NONE) {
			slot = nbr_insert(&t->nbr, &entry);
		} else if (i % 3) {
			nbr_update(&t->nbr, slot, &entry);
			nbr_set_ready(&t->nbr, slot, i % 2);
		} else {
			nbr_remove(&t->nbr, slot);
		}
	}
	seg_put(&r.stop, 1u);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(r.whole > 0);
	assert_int_equal(r.torn, 0);
	table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ops),
		cmocka_unit_test(three_quarters),
		cmocka_unit_test(churn),
		cmocka_unit_test(digest),
		cmocka_unit_test(words),
		cmocka_unit_test(reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
