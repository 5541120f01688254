/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/iface.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nbr/iface.h"

#define IP4(a, b, c, d) ((uint64_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define LL 0xfe80000000000000ull
#define DB8 0x20010db800000000ull

/* Two IPv4 prefixes, one inside the other; a link-local address and two global ones. */
static const struct seg_address addresses[] = {
	{{0, IP4(10, 0, 0, 1)}, SEG_IPV4, 8, 0, 1, 0},
	{{0, IP4(10, 1, 0, 1)}, SEG_IPV4, 16, 0, 1, 0},
	{{LL, 1}, SEG_IPV6, 64, 1, 1, 0},
	{{DB8 | 0x10000, 1}, SEG_IPV6, 64, 0, 1, 0},
	{{DB8 | 0x20000, 1}, SEG_IPV6, 64, 0, 1, 0},
	{{0, IP4(192, 0, 2, 7)}, SEG_IPV4, 32, 0, 1, 0},
};
enum { TEN, TEN_ONE, LINK, GLOBAL_1, GLOBAL_2, SINGLE, ALL };

static uint8_t states[SEG_IFACE_ADDRESSES];

static struct iface
fixture(void)
{
	struct iface iface = {.number = 3, .mac = 0x020000000001, .enabled = true, .naddresses = ALL, .state = states};
	memcpy(iface.address, addresses, sizeof(addresses));
	memset(states, SEG_ADDRESS_PREFERRED, sizeof(states));
	return iface;
}

static void
test_find(void **state)
{
	(void)state;
	struct iface iface = fixture();

	for (int i = 0; i < ALL; i++) {
		assert_int_equal(iface_find(&iface, addresses[i].family, addresses[i].address), i);
		assert_true(iface_has(&iface, addresses[i].family, addresses[i].address));
	}
	states[GLOBAL_1] = SEG_ADDRESS_TENTATIVE;
	states[TEN] = SEG_ADDRESS_DUPLICATE;
	assert_int_equal(iface_find(&iface, SEG_IPV6, addresses[GLOBAL_1].address), GLOBAL_1);
	assert_false(iface_has(&iface, SEG_IPV6, addresses[GLOBAL_1].address));
	assert_false(iface_has(&iface, SEG_IPV4, addresses[TEN].address));
	/* the same words in the other family are another address */
	assert_int_equal(iface_find(&iface, SEG_IPV6, addresses[TEN].address), -1);
	assert_int_equal(iface_find(&iface, SEG_IPV4, (const uint64_t[2]){0, IP4(10, 0, 0, 2)}), -1);
	iface.naddresses = TEN_ONE;
	assert_int_equal(iface_find(&iface, SEG_IPV4, addresses[TEN_ONE].address), -1);
}

static void
test_covers(void **state)
{
	(void)state;
	struct iface iface = fixture();
	static const struct {
		unsigned family;
		uint64_t address[2];
		bool covered;
	} cases[] = {
		{SEG_IPV4, {0, IP4(10, 255, 255, 254)}, true},
		{SEG_IPV4, {0, IP4(11, 0, 0, 1)}, false},
		{SEG_IPV4, {0, IP4(9, 255, 255, 255)}, false},
		{SEG_IPV4, {0, IP4(192, 0, 2, 7)}, true},
		{SEG_IPV4, {0, IP4(192, 0, 2, 6)}, false},
		{SEG_IPV6, {LL, UINT64_MAX}, true},
		{SEG_IPV6, {LL | 1, 1}, false},
		{SEG_IPV6, {DB8 | 0x10000, 99}, true},
		{SEG_IPV6, {DB8 | 0x30000, 1}, false},
		{SEG_IPV6, {0, IP4(10, 1, 0, 1)}, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(iface_covers(&iface, cases[i].family, cases[i].address), cases[i].covered);
	}
	/* 0: everything */
	iface.address[TEN].length = 0;
	assert_true(iface_covers(&iface, SEG_IPV4, (const uint64_t[2]){0, IP4(203, 0, 113, 1)}));
	iface.address[GLOBAL_1].length = 127;
	assert_true(iface_covers(&iface, SEG_IPV6, (const uint64_t[2]){DB8 | 0x10000, 0}));
	assert_false(iface_covers(&iface, SEG_IPV6, (const uint64_t[2]){DB8 | 0x10000, 2}));
}

static void
test_source(void **state)
{
	(void)state;
	struct iface iface = fixture();
	static const struct {
		unsigned family;
		uint64_t target[2];
		int which, tie; /* the other one of a tie, 0: none */
	} cases[] = {
		{SEG_IPV4, {0, IP4(10, 9, 0, 9)}, TEN, 0},
		{SEG_IPV4, {0, IP4(10, 1, 0, 9)}, TEN_ONE, 0},      /* both hold it: the longer prefix */
		{SEG_IPV4, {0, IP4(198, 51, 100, 1)}, TEN, SINGLE}, /* none: the first */
		{SEG_IPV4, {0, IP4(192, 0, 2, 7)}, SINGLE, 0},
		{SEG_IPV6, {LL, 77}, LINK, 0},                /* rule 2 */
		{SEG_IPV6, {DB8 | 0x10000, 77}, GLOBAL_1, 0}, /* rule 8 */
		{SEG_IPV6, {DB8 | 0x20000, 77}, GLOBAL_2, 0},
		{SEG_IPV6, {DB8 | 0x20000, 1}, GLOBAL_2, 0}, /* rule 1 */
		{SEG_IPV6, {0x2a00000000000000, 1}, GLOBAL_1, GLOBAL_2},
		{SEG_IPV6, {0xff02000000000000, 1}, LINK, 0}, /* a group of the link */
		{SEG_IPV6, {0xff0e000000000000, 1}, GLOBAL_1, GLOBAL_2},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(iface_source(&iface, cases[i].family, cases[i].target), cases[i].which);
	}
	/* the order decides a tie only */
	for (int i = 0; i < ALL; i++) {
		iface.address[i] = addresses[ALL - 1 - i];
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int first = cases[i].tie ? cases[i].tie : cases[i].which;
		assert_int_equal(iface_source(&iface, cases[i].family, cases[i].target), ALL - 1 - first);
	}
	iface = fixture();
	/* only what is PREFERRED; a smaller scope rather than nothing (RFC 6724 5 has no such filter) */
	states[GLOBAL_2] = SEG_ADDRESS_TENTATIVE;
	assert_int_equal(iface_source(&iface, SEG_IPV6, cases[6].target), GLOBAL_1);
	states[GLOBAL_1] = SEG_ADDRESS_DUPLICATE;
	assert_int_equal(iface_source(&iface, SEG_IPV6, cases[6].target), LINK);
	states[LINK] = SEG_ADDRESS_TENTATIVE;
	assert_int_equal(iface_source(&iface, SEG_IPV6, cases[6].target), -1);
	assert_int_equal(iface_source(&iface, SEG_IPV4, cases[0].target), TEN);
	/* the common prefix counts up to the source's own prefix only (RFC 6724 2.2): a tie, the first */
	memset(states, SEG_ADDRESS_PREFERRED, sizeof(states));
	iface.address[GLOBAL_2].address[0] = DB8 | 0x10000;
	iface.address[GLOBAL_2].address[1] = 0x4c;
	assert_int_equal(iface_source(&iface, SEG_IPV6, cases[5].target), GLOBAL_1);
	assert_int_equal(iface_source(&iface, SEG_IPV6, iface.address[GLOBAL_2].address), GLOBAL_2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
