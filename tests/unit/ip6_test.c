/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/net/ip6.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"
#include "net/ip6.h"

/* As captured: a router solicitation. */
static const char solicitation[] = "60000000 00103aff fe800000000000000a0027fffe46e884 ff020000000000000000000000000002"
				   "85004b9800000000 010108002746e884";

static void
reads_a_capture(void **state)
{
	(void)state;
	uint8_t data[64] = {0};
	struct ip6 ip;
	assert_int_equal(hex(solicitation, data), 56);
	struct bytes_in in = bytes_in(data, sizeof(data));
	assert_int_equal(ip6_get(&in, &ip), IP6_GOOD);
	assert_int_equal(ip.traffic_class, 0);
	assert_int_equal(ip.flow, 0);
	assert_int_equal(ip.size, 16);
	assert_int_equal(ip.next, IP6_ICMP);
	assert_int_equal(ip.hops, 255);
	assert_true(ip.source[0] == 0xfe80000000000000 && ip.source[1] == 0x0a0027fffe46e884);
	assert_true(ip.destination[0] == 0xff02000000000000 && ip.destination[1] == 2);
	assert_ptr_equal(in.at, data + IP6_HEADER);
	assert_int_equal(bytes_left(&in), 16); /* without the padding */
}

static void
refuses_what_is_cut_off(void **state)
{
	(void)state;
	uint8_t data[64];
	size_t whole = hex(solicitation, data);
	for (size_t size = 0; size <= whole; size++) {
		struct bytes_in in = bytes_in(data, size);
		struct ip6 ip;
		enum ip6_wrong want = size < IP6_HEADER ? IP6_CUT : size < whole ? IP6_LENGTH : IP6_GOOD;
		assert_int_equal(ip6_get(&in, &ip), want);
	}
}

static void
refuses_other_versions(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		uint8_t data[64];
		struct bytes_in in = bytes_in(data, hex(solicitation, data));
		struct ip6 ip;
		data[0] = (uint8_t)first;
		assert_int_equal(ip6_get(&in, &ip), first >> 4 == 6 ? IP6_GOOD : IP6_VERSION);
	}
}

static void
writes_what_it_read(void **state)
{
	(void)state;
	uint8_t data[IP6_HEADER], again[IP6_HEADER];
	hex("6abcdef0 0000 3b 01 20010db8000000010000000000000002 20010db8ffffffffffffffffffffffff", data);
	struct bytes_in in = bytes_in(data, sizeof(data));
	struct ip6 ip;
	assert_int_equal(ip6_get(&in, &ip), IP6_GOOD);
	assert_int_equal(ip.traffic_class, 0xab);
	assert_int_equal(ip.flow, 0xcdef0);
	for (size_t room = 0; room <= IP6_HEADER; room++) {
		struct bytes_out out = bytes_out(again, room);
		ip6_put(&out, &ip);
		assert_int_equal(out.bad, room < IP6_HEADER);
	}
	assert_memory_equal(data, again, IP6_HEADER);
}

static void
extension_headers(void **state)
{
	(void)state;
	static const struct {
		uint8_t next;
		const char *data;
		uint8_t want;
		bool hop_by_hop, fragment;
		size_t left; /* when it was walked */
	} cases[] = {
		{6, "1234", 6, false, false, 2},
		{IP6_NONE, "", IP6_NONE, false, false, 0},
		{50, "12345678", 50, false, false, 4},          /* encrypted: as far as it goes */
		{0, "3a00050200000100 8f", 58, true, false, 1}, /* router alert */
		{0, "3b01000000000000 0000000000000000", IP6_NONE, true, false, 0},
		{43, "1102000000000000 0000000000000000 0000000000000000 ab", 17, false, false, 1},
		{60, "8700000000000000 3b00000000000000", IP6_NONE, false, false, 0},
		{51, "0602000000000000 00000000 00000000 ab", 6, false, false, 1},
		{44, "1100000112345678 ab", 17, false, true, 1},  /* the first fragment */
		{44, "1100000012345678 ab", 17, false, true, 1},  /* the only one */
		{44, "1100000812345678 ab", 255, false, true, 0}, /* a later one */
		{44, "1100fff812345678 ab", 255, false, true, 0},
		{44, "1100000612345678 ab", 17, false, true, 1}, /* bits that mean nothing yet */
		{0, "2c00000000000000 3c00000100000000 1100000000000000 ab", 17, true, true, 1},
		{0, "0000000000000000 1100000000000000", 255, true, false, 0}, /* once, and first */
		{60, "0000000000000000 1100000000000000", 255, false, false, 0},
		{0, "", 255, true, false, 0},
		{0, "11", 255, true, false, 0},
		{0, "11000000000000", 255, true, false, 0},
		{60, "11010000000000000000000000000000 ", 17, false, false, 0},
		{60, "110100000000000000000000000000", 255, false, false, 0},
		{60, "11ff0000000000000000000000000000", 255, false, false, 0},
		{44, "11000001123456", 255, false, false, 0},
		{51, "06ff0000000000000000000000000000", 255, false, false, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t data[64];
		struct bytes_in in = bytes_in(data, hex(cases[i].data, data));
		bool hop_by_hop = !cases[i].hop_by_hop, fragment = !cases[i].fragment;
		assert_int_equal(ip6_walk(&in, cases[i].next, &hop_by_hop, &fragment), cases[i].want);
		assert_int_equal(hop_by_hop, cases[i].hop_by_hop);
		assert_int_equal(fragment, cases[i].fragment);
		if (cases[i].want != 255) {
			assert_false(in.bad);
			assert_int_equal(bytes_left(&in), cases[i].left);
		}
	}
}

static void
no_more_extension_headers_than_are_sane(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= IP_MAX_EXTENSIONS + 2; n++) {
		uint8_t data[(IP_MAX_EXTENSIONS + 2) * 8] = {0};
		bool hop_by_hop, fragment;
		for (unsigned i = 0; i < n; i++) {
			data[i * 8] = i + 1 < n ? 60 : 17;
		}
		struct bytes_in in = bytes_in(data, n * 8);
		assert_int_equal(ip6_walk(&in, 60, &hop_by_hop, &fragment), n <= IP_MAX_EXTENSIONS ? 17 : 255);
	}
}

static void
words_and_bytes(void **state)
{
	(void)state;
	uint8_t bytes[16], again[16];
	uint64_t words[2];
	hex("0123456789abcdef fedcba9876543210", bytes);
	ip6_words(bytes, words);
	assert_true(words[0] == 0x0123456789abcdef && words[1] == 0xfedcba9876543210);
	ip6_bytes(words, again);
	assert_memory_equal(bytes, again, 16);
}

static void
kinds_of_addresses(void **state)
{
	(void)state;
	static const struct {
		uint64_t a[2];
		bool multicast, link_local, none, loopback;
	} cases[] = {
		{{0, 0}, .none = true},
		{{0, 1}, .loopback = true},
		{{0, 2}, .none = false},
		{{1, 0}, .none = false},
		{{1, 1}, .none = false},
		{{0xff02000000000000, 1}, .multicast = true},
		{{0xff00000000000000, 0}, .multicast = true},
		{{0xfeffffffffffffff, 0}, .none = false},
		{{0xfe80000000000000, 1}, .link_local = true},
		{{0xfebfffffffffffff, 1}, .link_local = true},
		{{0xfec0000000000000, 1}, .none = false},
		{{0xfe7fffffffffffff, 1}, .none = false},
		{{0x20010db800000000, 1}, .none = false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(ip6_is_multicast(cases[i].a), cases[i].multicast);
		assert_int_equal(ip6_is_link_local(cases[i].a), cases[i].link_local);
		assert_int_equal(ip6_is_none(cases[i].a), cases[i].none);
		assert_int_equal(ip6_is_loopback(cases[i].a), cases[i].loopback);
	}
}

static void
link_local_of_a_mac(void **state)
{
	(void)state;
	static const struct {
		uint64_t mac, low;
	} cases[] = {
		{0x08002746e884, 0x0a0027fffe46e884}, /* the sender of the capture above */
		{0x020000000001, 0x000000fffe000001},
		{0xffffffffffff, 0xfdfffffffeffffff},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t words[2];
		ip6_link_local(cases[i].mac, words);
		assert_true(words[0] == 0xfe80000000000000 && words[1] == cases[i].low);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_capture),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(refuses_other_versions),
		cmocka_unit_test(writes_what_it_read),
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(no_more_extension_headers_than_are_sane),
		cmocka_unit_test(words_and_bytes),
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(link_local_of_a_mac),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
