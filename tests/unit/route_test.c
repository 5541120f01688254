/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/route/route.c lib/base/addr.c lib/base/num.c lib/base/err.c */
#include "route/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a naive model ---------------------------------------------------------------------------------------------- */

#define SLOTS 1024
#define LIMIT 512

struct model {
	size_t n;
	struct seg_route route[LIMIT];
};

static struct seg_route memory[SLOTS];

static uint64_t
random_word(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Few bits vary, so that prefixes nest and keys come again. */
static void
random_address(uint64_t *state, uint8_t family, uint64_t words[static 2])
{
	uint64_t r = random_word(state);
	words[0] = family == SEG_IPV4 ? 0 : 0x2001000000000000ull | (r & 0x11) << 30 | (r >> 20 & 1);
	words[1] = family == SEG_IPV4 ? (0x0a000000 | (r & 0x3) << 16 | (r >> 8 & 3) << 8 | (r >> 16 & 7))
				      : (r >> 30 & 3) << 62 | (r >> 40 & 3);
}

static struct route_key
random_key(uint64_t *state)
{
	struct route_key key = {.family = (uint8_t)(random_word(state) >> 32 & 1)};
	key.length = (uint8_t)((random_word(state) >> 32) % (key.family == SEG_IPV4 ? 33 : 129));
	random_address(state, key.family, key.prefix);
	route_mask(key.family, key.length, key.prefix);
	return key;
}

static struct seg_route
route_of(const struct route_key *key, uint64_t since)
{
	return (struct seg_route){.prefix = {key->prefix[0], key->prefix[1]},
		.family = key->family,
		.length = key->length,
		.kind = (uint8_t)(SEG_ROUTE_CONNECTED + since % (SEG_ROUTE_KINDS - 1)),
		.flags = since % 5 == 0 ? SEG_ROUTE_DOWN : 0,
		.since_ns = since,
		.iface = (uint16_t)(since % 200)};
}

/* Bit by bit: does the prefix hold the address? */
static bool
holds(const struct seg_route *route, uint8_t family, const uint64_t address[static 2])
{
	for (unsigned i = 0; i < route->length; i++) {
		unsigned bit = family == SEG_IPV4 ? 96 + i : i;
		if ((address[bit / 64] ^ route->prefix[bit / 64]) >> (63 - bit % 64) & 1) {
			return false;
		}
	}
	return route->family == family;
}

static struct seg_route *
model_find(struct model *m, const struct route_key *key)
{
	for (size_t i = 0; i < m->n; i++) {
		struct seg_route *r = &m->route[i];
		if (r->family == key->family && r->length == key->length &&
			memcmp(r->prefix, key->prefix, sizeof(r->prefix)) == 0) {
			return r;
		}
	}
	return NULL;
}

static const struct seg_route *
model_lookup(const struct model *m, uint8_t family, const uint64_t address[static 2])
{
	const struct seg_route *best = NULL;
	for (size_t i = 0; i < m->n; i++) {
		const struct seg_route *r = &m->route[i];
		if (!(r->flags & SEG_ROUTE_DOWN) && holds(r, family, address) && (!best || r->length > best->length)) {
			best = r;
		}
	}
	return best;
}

static void
check_same(const struct route_table *t, uint32_t slot, const struct seg_route *want)
{
	if (!want) {
		assert_int_equal(slot, ROUTE_NONE);
		return;
	}
	assert_int_not_equal(slot, ROUTE_NONE);
	struct seg_route got = t->slot[slot];
	assert_int_equal(got.seq % 2, 0);
	got.seq = want->seq;
	assert_memory_equal(&got, want, sizeof(got));
}

static void
random_step(struct route_table *t, struct model *m, uint64_t *state, uint64_t now)
{
	struct route_key key = random_key(state);
	struct seg_route *there = model_find(m, &key), new = route_of(&key, now);
	check_same(t, route_find(t, &key), there);
	if (random_word(state) >> 63) {
		uint32_t slot = route_put(t, &new);
		if (!there && m->n == LIMIT) {
			assert_int_equal(slot, ROUTE_NONE);
			return;
		}
		there = there ? there : &m->route[m->n++];
		*there = new;
		check_same(t, slot, there);
	} else if (there) {
		route_del(t, route_find(t, &key));
		*there = m->route[--m->n];
	}
}

static void
test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		static struct model m;
		struct route_table t;
		uint64_t random = seed * 0x9e3779b97f4a7c15ull, now = 1;
		memset(memory, 0, sizeof(memory));
		m.n = 0;
		route_init(&t, memory, SLOTS, LIMIT);
		for (; now < 20000; now++) {
			random_step(&t, &m, &random, now);
			uint8_t family = now & 1;
			uint64_t address[2];
			random_address(&random, family, address);
			check_same(&t, route_lookup(&t, family, address), model_lookup(&m, family, address));
			assert_int_equal(t.count[SEG_IPV4] + t.count[SEG_IPV6], m.n);
		}
		assert_true(m.n > 100);
	}
}

/* Routes that come and go for long leave no table full of marks behind. */
static void
test_churn(void **state)
{
	(void)state;
	struct route_table t;
	struct route_key key[LIMIT];
	memset(memory, 0, sizeof(memory));
	route_init(&t, memory, SLOTS, LIMIT);
	for (uint32_t i = 0; i < 400000; i++) {
		struct route_key *k = &key[i % LIMIT];
		if (i >= LIMIT) {
			route_del(&t, route_find(&t, k));
		}
		*k = (struct route_key){.prefix = {0, i * 2654435761u}, .family = SEG_IPV4, .length = 32};
		struct seg_route r = route_of(k, i);
		assert_int_not_equal(route_put(&t, &r), ROUTE_NONE);
	}
	unsigned used = 0;
	for (unsigned i = 0; i < SLOTS; i++) {
		used += memory[i].kind != SEG_ROUTE_NONE;
	}
	assert_int_equal(used, t.used);
	assert_true(used <= SLOTS / 8 * 7 + 1);
	for (unsigned i = 0; i < LIMIT; i++) {
		assert_int_not_equal(route_find(&t, &key[i]), ROUTE_NONE);
		route_del(&t, route_find(&t, &key[i]));
	}
	assert_int_equal(t.count[SEG_IPV4], 0);
	for (unsigned i = 0; i < SLOTS; i++) {
		assert_true(memory[i].kind == SEG_ROUTE_NONE || memory[i].kind == SEG_ROUTE_GONE);
	}
}

static void
test_limit(void **state)
{
	(void)state;
	struct route_table t;
	memset(memory, 0, sizeof(memory));
	route_init(&t, memory, SLOTS, 3);
	struct seg_route r = {.family = SEG_IPV4, .length = 32, .kind = SEG_ROUTE_LINK};
	for (unsigned i = 0; i < 2; i++) {
		r.prefix[1] = i;
		assert_int_not_equal(route_put(&t, &r), ROUTE_NONE);
	}
	struct seg_route six = {.family = SEG_IPV6, .length = 128, .kind = SEG_ROUTE_LINK};
	assert_int_not_equal(route_put(&t, &six), ROUTE_NONE);
	r.prefix[1] = 77;
	assert_int_equal(route_put(&t, &r), ROUTE_NONE); /* both families together */
	r.prefix[1] = 1;
	r.iface = 9;
	uint32_t slot = route_put(&t, &r); /* instead of the one that is there */
	assert_int_equal(t.slot[slot].iface, 9);
	route_del(&t, slot);
	r.prefix[1] = 77;
	assert_int_not_equal(route_put(&t, &r), ROUTE_NONE);
	assert_int_equal(t.count[SEG_IPV4], 2);
	assert_int_equal(t.count[SEG_IPV6], 1);
}

static void
test_mask(void **state)
{
	(void)state;
	static const struct {
		uint8_t family, length;
		uint64_t high, low;
	} cases[] = {
		{SEG_IPV4, 0, 0, 0},
		{SEG_IPV4, 1, 0, 0x80000000},
		{SEG_IPV4, 31, 0, 0xfffffffe},
		{SEG_IPV4, 32, 0, 0xffffffff},
		{SEG_IPV6, 0, 0, 0},
		{SEG_IPV6, 1, 1ull << 63, 0},
		{SEG_IPV6, 63, ~1ull, 0},
		{SEG_IPV6, 64, ~0ull, 0},
		{SEG_IPV6, 65, ~0ull, 1ull << 63},
		{SEG_IPV6, 128, ~0ull, ~0ull},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t words[2] = {cases[i].family == SEG_IPV4 ? 0 : ~0ull, cases[i].family == SEG_IPV4 ? 0xffffffff : ~0ull};
		route_mask(cases[i].family, cases[i].length, words);
		assert_int_equal(words[0], cases[i].high);
		assert_int_equal(words[1], cases[i].low);
	}
}

static void
test_prefer(void **state)
{
	(void)state;
	const struct seg_route local = {.kind = SEG_ROUTE_LOCAL, .since_ns = 1},
			       link = {.kind = SEG_ROUTE_CONNECTED, .since_ns = 2}, via = {.kind = SEG_ROUTE_VIA, .since_ns = 3},
			       hole = {.kind = SEG_ROUTE_BLACKHOLE, .since_ns = 4};
	assert_true(route_prefer(&local, &link));
	assert_false(route_prefer(&link, &local));
	assert_true(route_prefer(&link, &via));
	assert_false(route_prefer(&hole, &link));
	assert_true(route_prefer(&hole, &via));
	assert_false(route_prefer(&via, &hole));
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static void
test_words(void **state)
{
	(void)state;
	static const struct {
		const char *word, *text;
		uint8_t family, length;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8", SEG_IPV4, 8},
		{"10.1.2.3", "10.1.2.3/32", SEG_IPV4, 32},
		{"0.0.0.0/0", "0.0.0.0/0", SEG_IPV4, 0},
		{"10.1.2.2/31", "10.1.2.2/31", SEG_IPV4, 31},
		{"2001:DB8::/32", "2001:db8::/32", SEG_IPV6, 32},
		{"2001:db8::1", "2001:db8::1/128", SEG_IPV6, 128},
		{"::/0", "::/0", SEG_IPV6, 0},
		{"2001:db8:0:0:8000::/65", "2001:db8:0:0:8000::/65", SEG_IPV6, 65},
		{"::ffff:1.2.3.4/128", "::ffff:1.2.3.4/128", SEG_IPV6, 128},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route_key key = {.family = 7};
		struct err err = {0};
		char text[ROUTE_TEXT_SIZE];
		assert_int_equal(route_parse_prefix(cases[i].word, &key, &err), ERR_NONE);
		assert_int_equal(key.family, cases[i].family);
		assert_int_equal(key.length, cases[i].length);
		assert_string_equal(route_format_prefix(&key, text), cases[i].text);
	}
	struct route_key key = {.family = SEG_IPV6, .length = 9, .prefix = {1, 2}};
	assert_int_equal(route_parse_prefix("default", &key, NULL), ERR_NONE);
	assert_int_equal(key.family, SEG_IPV6);
	assert_int_equal(key.length | (int)key.prefix[0] | (int)key.prefix[1], 0);
}

static void
test_bad_words(void **state)
{
	(void)state;
	static const struct {
		const char *word, *message, *hint;
	} cases[] = {
		{"", "not a prefix", "10.0.0.0/8"},
		{"/8", "not a prefix", "10.0.0.0/8"},
		{"10.0.0/8", "not a prefix", "10.0.0.0/8"},
		{"10.0.0.0.0/8", "not a prefix", "10.0.0.0/8"},
		{"2001:db8:::/32", "not a prefix", "default"},
		{"000000000000000000000000000000000000000000000000000000000010.0.0.0/8", "not a prefix", "default"},
		{"defaultx", "not a prefix", "default"},
		{"default", "of which family", "::/0"},
		{"10.0.0.0/", "nothing is not the length", "0 to 32"},
		{"10.0.0.0/33", "33 is not the length", "0 to 32"},
		{"10.0.0.0/08", "08 is not the length", "0 to 32"},
		{"10.0.0.0/0x8", "0x8 is not the length", "0 to 32"},
		{"10.0.0.0/8/8", "8/8 is not the length", "0 to 32"},
		{"10.0.0.0/-1", "-1 is not the length", "0 to 32"},
		{"::/129", "129 is not the length", "0 to 128"},
		{"10.0.0.1/8", "bits set beyond", "10.0.0.0/8"},
		{"2001:db8::1/64", "bits set beyond", "2001:db8::/64"},
		{"2001:db8:0:0:c000::/65", "bits set beyond", "2001:db8:0:0:8000::/65"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route_key key = {.family = 7, .length = 3};
		struct err err = {0};
		assert_int_equal(route_parse_prefix(cases[i].word, &key, &err), ERR_USAGE);
		if (!strstr(err.message, cases[i].message) || !strstr(err.hint, cases[i].hint)) {
			fail_msg("%s: \"%s\" (%s)", cases[i].word, err.message, err.hint);
		}
		assert_int_equal(key.family, 7); /* untouched */
		assert_int_equal(key.length, 3);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_prefer),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_bad_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
