/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/net/nd.c lib/net/ip6.c lib/net/csum.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"
#include "net/csum.h"
#include "net/nd.h"

#define SIZE 256

/* As captured. */
static const char captured_rs[] = "6000000000103aff fe800000000000000a0027fffe46e884 ff020000000000000000000000000002"
				  "85004b9800000000 010108002746e884";
static const char captured_dad[] = "6000000000183aff 00000000000000000000000000000000 ff0200000000000000000001ff46e884"
				   "87007a9100000000 fe800000000000000a0027fffe46e884";
static const char captured_na[] = "6000000000203aff fe80000000000000020c29fffe766c14 ff020000000000000000000000000001"
				  "8800ab1300000000 fe80000000000000020c29fffe766c14 020124843feb3cee";
static const char captured_ra[] =
	"6000000000783aff fe8000000000000016cf92fffe8723d6 ff020000000000000000000000000001 8600688200c000000000000000000000"
	"010114cf928723d6 05010000000005dc 030440c000001c200000070800000000fd8d4fb35b2e00000000000000000000"
	"1802300000001c20fd8d4fb35b2e0000 1903000000000708fd8d4fb35b2e00000000000000000001 1f02000000000708036c616e00000000";

static bool
get(const uint8_t *data, size_t size, struct nd *nd)
{
	struct bytes_in in = bytes_in(data, size);
	struct ip6 ip;
	return ip6_get(&in, &ip) == IP6_GOOD && nd_get(&in, &ip, nd);
}

/* Makes length and checksum right. */
static void
finish(uint8_t *data, size_t size)
{
	data[4] = (uint8_t)((size - IP6_HEADER) >> 8);
	data[5] = (uint8_t)(size - IP6_HEADER);
	memset(data + 42, 0, 2);
	uint64_t sum = csum_pseudo6(data + 8, data + 24, (uint32_t)(size - IP6_HEADER), IP6_ICMP);
	uint16_t checksum = csum_fold(csum_add(sum, data + IP6_HEADER, size - IP6_HEADER));
	data[42] = (uint8_t)(checksum >> 8);
	data[43] = (uint8_t)checksum;
}

static void
reads_captures(void **state)
{
	(void)state;
	uint8_t data[SIZE];
	struct nd nd;

	assert_true(get(data, hex(captured_rs, data), &nd));
	assert_int_equal(nd.type, ND_RS);
	assert_true(nd.has_mac && nd.mac == 0x08002746e884);

	assert_true(get(data, hex(captured_dad, data), &nd));
	assert_int_equal(nd.type, ND_NS);
	assert_false(nd.has_mac);
	assert_true(nd.target[0] == 0xfe80000000000000 && nd.target[1] == 0x0a0027fffe46e884);

	assert_true(get(data, hex(captured_na, data), &nd));
	assert_int_equal(nd.type, ND_NA);
	assert_int_equal(nd.flags, 0);
	assert_true(nd.has_mac && nd.mac == 0x24843feb3cee);
	assert_true(nd.target[0] == 0xfe80000000000000 && nd.target[1] == 0x020c29fffe766c14);
}

static void
reads_a_captured_advertisement(void **state)
{
	(void)state;
	uint8_t data[SIZE];
	struct nd nd;
	assert_true(get(data, hex(captured_ra, data), &nd));
	assert_int_equal(nd.type, ND_RA);
	assert_int_equal(nd.hops, 0);
	assert_int_equal(nd.flags, ND_RA_MANAGED | ND_RA_OTHER);
	assert_int_equal(nd.lifetime_s, 0);
	assert_true(nd.has_mac && nd.mac == 0x14cf928723d6);
	assert_int_equal(nd.mtu, 1500);
	assert_int_equal(nd.nprefixes, 1);
	assert_int_equal(nd.prefix[0].length, 64);
	assert_int_equal(nd.prefix[0].flags, ND_PREFIX_ON_LINK | ND_PREFIX_AUTONOMOUS);
	assert_int_equal(nd.prefix[0].valid_s, 7200);
	assert_int_equal(nd.prefix[0].preferred_s, 1800);
	assert_true(nd.prefix[0].prefix[0] == 0xfd8d4fb35b2e0000 && nd.prefix[0].prefix[1] == 0);
}

/* Cut at every length, with the length and the checksum made right for it: only a whole number of options behind the fixed part.
 */
static void
refuses_what_is_cut_off(void **state)
{
	(void)state;
	static const struct {
		const char *packet;
		uint16_t good[8]; /* sizes of the message */
	} cases[] = {
		{captured_rs, {8, 16}},
		{captured_dad, {24}},
		{captured_na, {24, 32}},
		{captured_ra, {16, 24, 32, 64, 80, 104, 120}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t data[SIZE];
		size_t whole = hex(cases[i].packet, data);
		const uint16_t *good = cases[i].good;
		for (size_t size = IP6_HEADER + 4; size <= whole; size++) {
			struct nd nd;
			finish(data, size);
			bool want = size - IP6_HEADER == *good;
			good += want;
			assert_int_equal(get(data, size, &nd), want);
		}
		assert_int_equal(*good, 0);
		for (size_t size = 0; size < IP6_HEADER + 4; size++) {
			struct bytes_in in = bytes_in(data + IP6_HEADER, size < IP6_HEADER ? 0 : size - IP6_HEADER);
			struct ip6 ip = {.hops = ND_HOPS};
			struct nd nd;
			assert_false(nd_get(&in, &ip, &nd));
		}
	}
}

static void
refuses_any_changed_bit(void **state)
{
	(void)state;
	uint8_t data[SIZE];
	size_t size = hex(captured_ra, data);
	for (size_t bit = 7 * 8; bit < size * 8; bit++) { /* the hop limit on: what comes before is for ip6_get() */
		struct nd nd;
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(get(data, size, &nd));
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

#define HEAD "60000000 0000 3aff"
#define NONE "00000000000000000000000000000000"
#define LINK "fe800000000000000000000000000001"
#define HOST "20010db8000000000000000000000001"
#define PEER "20010db8000000000000000000000002"
#define ALL "ff020000000000000000000000000001"
#define ROUTERS "ff020000000000000000000000000002"
#define SOLICITED "ff0200000000000000000001ff000002"
#define RS "8500000000000000"
#define RA "86000000400000000000000000000000"
#define NS "8700000000000000"
#define NA "8800000060000000"
#define REDIRECT "8900000000000000"
#define SLLA "0101020000000001"
#define TLLA "0201020000000001"

/* RFC 4861 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1: each rule with what just passes and what just does not. */
static void
rules_of_validity(void **state)
{
	(void)state;
	static const struct {
		const char *packet;
		bool want;
	} cases[] = {
		{HEAD LINK ROUTERS RS, true},
		{HEAD LINK ROUTERS RS SLLA, true},
		{HEAD NONE ROUTERS RS, true},
		{HEAD NONE ROUTERS RS SLLA, false},
		{HEAD NONE ROUTERS RS TLLA, true},             /* not for this message: ignored */
		{"60000000 0000 3afe" LINK ROUTERS RS, false}, /* hop limit */
		{"60000000 0000 3a00" LINK ROUTERS RS, false},
		{HEAD LINK ROUTERS "8501000000000000", false}, /* code */
		{HEAD LINK ROUTERS "8400000000000000", false}, /* other types */
		{HEAD LINK ROUTERS "8a00000000000000", false},
		{HEAD LINK ROUTERS RS "0100020000000001", false}, /* an option of length 0 */
		{HEAD LINK ROUTERS RS "fe00000000000000", false},
		{HEAD LINK ROUTERS RS "fe01000000000000", true},                   /* unknown ones are passed over */
		{HEAD LINK ROUTERS RS "fe02000000000000", false},                  /* longer than what is there */
		{HEAD LINK ROUTERS RS "0102020000000001 0000000000000000", false}, /* no MAC is that long */

		{HEAD LINK ALL RA, true},
		{HEAD HOST ALL RA, false}, /* from a router's link-local address only */
		{HEAD NONE ALL RA, false},
		{HEAD LINK HOST RA, true},

		{HEAD HOST PEER NS PEER, true},
		{HEAD HOST SOLICITED NS PEER SLLA, true},
		{HEAD HOST SOLICITED NS ALL, false}, /* target of a group */
		{HEAD NONE SOLICITED NS PEER, true},
		{HEAD NONE SOLICITED NS PEER SLLA, false},
		{HEAD NONE ALL NS PEER, false},
		{HEAD NONE PEER NS PEER, false},
		{HEAD NONE "ff0200000000000000000001fe000002" NS PEER, false},
		{HEAD NONE "ff0200000000000000000000ff000002" NS PEER, false},
		{HEAD NONE "ff0500000000000000000001ff000002" NS PEER, false},

		{HEAD PEER HOST NA PEER TLLA, true},
		{HEAD PEER HOST NA PEER, true},
		{HEAD PEER ALL NA PEER TLLA, false}, /* solicited, but to a group */
		{HEAD PEER ALL "88000000a0000000" PEER TLLA, true},
		{HEAD PEER HOST NA ALL TLLA, false},

		{HEAD LINK HOST REDIRECT LINK PEER TLLA, true},
		{HEAD LINK HOST REDIRECT PEER PEER, true},
		{HEAD LINK HOST REDIRECT HOST PEER, false}, /* another router's address is link-local */
		{HEAD HOST HOST REDIRECT LINK PEER, false},
		{HEAD LINK HOST REDIRECT LINK ALL, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t data[SIZE];
		size_t size = hex(cases[i].packet, data);
		struct nd nd;
		finish(data, size);
		assert_int_equal(get(data, size, &nd), cases[i].want);
	}
}

/* What each option means in which message. */
static void
options_where_they_belong(void **state)
{
	(void)state;
	static const struct {
		const char *packet;
		uint64_t mac; /* 0: none */
		uint32_t mtu;
		unsigned nprefixes;
	} cases[] = {
		{HEAD LINK ROUTERS RS SLLA, 0x020000000001, 0, 0},
		{HEAD LINK ROUTERS RS TLLA, 0, 0, 0},
		{HEAD HOST PEER NS PEER TLLA, 0, 0, 0},
		{HEAD HOST PEER NA HOST SLLA, 0, 0, 0},
		{HEAD HOST PEER NA HOST SLLA TLLA, 0x020000000001, 0, 0},
		{HEAD HOST PEER NA HOST "0201020000000009" TLLA, 0x020000000009, 0, 0}, /* the first one */
		{HEAD LINK HOST REDIRECT PEER PEER TLLA, 0x020000000001, 0, 0},
		{HEAD LINK ALL RA SLLA "0501000000000500", 0x020000000001, 1280, 0},
		{HEAD LINK ALL RA "0502000000000500 0000000000000000", 0, 0, 0},
		{HEAD LINK ROUTERS RS "0501000000000500", 0, 0, 0},
		{HEAD LINK ALL RA "030480c0 00000001 00000001 00000000" HOST, 0, 0, 1},
		{HEAD LINK ALL RA "030481c0 00000001 00000001 00000000" HOST, 0, 0, 0}, /* a prefix of 129 bits */
		{HEAD LINK ALL RA "030340c0 00000001 00000001 00000000 0000000000000000", 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t data[SIZE];
		size_t size = hex(cases[i].packet, data);
		struct nd nd;
		finish(data, size);
		assert_true(get(data, size, &nd));
		assert_int_equal(nd.has_mac, cases[i].mac != 0);
		assert_true(nd.mac == cases[i].mac);
		assert_int_equal(nd.mtu, cases[i].mtu);
		assert_int_equal(nd.nprefixes, cases[i].nprefixes);
	}
}

static const uint64_t source[2] = {0xfe80000000000000, 1}, destination[2] = {0x20010db800000000, 2};

/* Written, read, compared; and at no room too small is a byte written behind it. */
static void
there_and_back(const struct nd *nd)
{
	uint8_t data[ND_SIZE_MAX + 1];
	struct nd again;
	struct bytes_out out = bytes_out(data, ND_SIZE_MAX);
	nd_put(&out, nd, source, destination);
	assert_false(out.bad);
	size_t size = (size_t)(out.at - data);
	assert_true(get(data, size, &again));
	assert_true(again.type == nd->type && again.flags == nd->flags && again.has_mac == nd->has_mac && again.mac == nd->mac);
	assert_memory_equal(again.target, nd->target, sizeof(nd->target));
	assert_true(again.hops == nd->hops && again.lifetime_s == nd->lifetime_s && again.reachable_ms == nd->reachable_ms);
	assert_true(again.retrans_ms == nd->retrans_ms && again.mtu == nd->mtu && again.nprefixes == nd->nprefixes);
	for (unsigned i = 0; i < nd->nprefixes; i++) {
		const struct nd_prefix *a = &again.prefix[i], *b = &nd->prefix[i];
		assert_true(a->length == b->length && a->flags == b->flags && a->valid_s == b->valid_s);
		assert_true(a->preferred_s == b->preferred_s && a->prefix[0] == b->prefix[0] && a->prefix[1] == b->prefix[1]);
	}
	for (size_t room = 0; room < size; room++) {
		memset(data, 0xee, sizeof(data));
		out = bytes_out(data, room);
		nd_put(&out, nd, source, destination);
		assert_true(out.bad);
		assert_int_equal(data[room], 0xee);
	}
}

static void
writes_what_it_can_read(void **state)
{
	(void)state;
	there_and_back(&(struct nd){.type = ND_RS});
	there_and_back(&(struct nd){.type = ND_RS, .has_mac = true, .mac = 0x020304050607});
	there_and_back(&(struct nd){.type = ND_NS, .target = {1, 2}});
	there_and_back(&(struct nd){.type = ND_NS, .target = {~0ull >> 1, ~0ull}, .has_mac = true, .mac = 0xffffffffffff});
	for (unsigned flags = 0; flags < 8; flags++) {
		there_and_back(&(struct nd){
			.type = ND_NA, .flags = (uint8_t)(flags << 5), .target = {3, 4}, .has_mac = flags & 1, .mac = flags & 1});
	}
	struct nd ra = {
		.type = ND_RA, .flags = ND_RA_OTHER, .hops = 64, .lifetime_s = 1800, .reachable_ms = 30000, .retrans_ms = 1000};
	there_and_back(&ra);
	ra.mtu = 1500;
	ra.has_mac = true;
	ra.mac = 0x020000000001;
	for (; ra.nprefixes < ND_PREFIXES; ra.nprefixes++) {
		there_and_back(&ra);
		ra.prefix[ra.nprefixes] = (struct nd_prefix){.length = (uint8_t)(ra.nprefixes * 8),
			.flags = 0xc0,
			.valid_s = UINT32_MAX,
			.preferred_s = ra.nprefixes,
			.prefix = {0x20010db800000000 + ra.nprefixes, ra.nprefixes}};
	}
	there_and_back(&ra);
}

static void
more_prefixes_than_are_kept(void **state)
{
	(void)state;
	uint8_t data[IP6_HEADER + 16 + (ND_PREFIXES + 2) * 32];
	size_t size = hex(HEAD LINK ALL RA, data);
	for (unsigned i = 0; i < ND_PREFIXES + 2; i++) {
		size += hex("030440c0 00000001 00000001 00000000" HOST, data + size);
		data[size - 1] = (uint8_t)i;
	}
	struct nd nd;
	finish(data, size);
	assert_true(get(data, size, &nd));
	assert_int_equal(nd.nprefixes, ND_PREFIXES);
	assert_int_equal(nd.prefix[ND_PREFIXES - 1].prefix[1], ND_PREFIXES - 1);
}

static void
writes_what_was_captured(void **state)
{
	(void)state;
	static const char *const packets[] = {captured_rs, captured_dad, captured_na};
	for (size_t i = 0; i < 3; i++) {
		uint8_t data[SIZE], again[SIZE];
		size_t size = hex(packets[i], data);
		struct bytes_in in = bytes_in(data, size);
		struct bytes_out out = bytes_out(again, sizeof(again));
		struct ip6 ip;
		struct nd nd;
		assert_int_equal(ip6_get(&in, &ip), IP6_GOOD);
		assert_true(nd_get(&in, &ip, &nd));
		nd_put(&out, &nd, ip.source, ip.destination);
		assert_int_equal(out.at - again, size);
		assert_memory_equal(data, again, size);
	}
}

static void
sends_nothing_else(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		uint8_t data[ND_SIZE_MAX];
		struct bytes_out out = bytes_out(data, sizeof(data));
		struct nd nd = {.type = (uint8_t)type};
		nd_put(&out, &nd, source, destination);
		assert_int_equal(out.bad, type < ND_RS || type > ND_NA);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_captures),
		cmocka_unit_test(reads_a_captured_advertisement),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(refuses_any_changed_bit),
		cmocka_unit_test(rules_of_validity),
		cmocka_unit_test(options_where_they_belong),
		cmocka_unit_test(writes_what_it_can_read),
		cmocka_unit_test(more_prefixes_than_are_kept),
		cmocka_unit_test(writes_what_was_captured),
		cmocka_unit_test(sends_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
