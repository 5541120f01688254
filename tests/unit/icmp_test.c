/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/net/icmp.c lib/net/ip4.c lib/net/ip6.c lib/net/csum.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"
#include "net/csum.h"
#include "net/icmp.h"

/* As captured: host unreachable, about an echo request. */
static const char unreachable[] =
	"45c0004c9c6a00004001c6330a2801010a280203 0301fcfe00000000 4500003061b440003f01bfcc0a2802030a1e0404"
	"0800b7db402400000000000000000000000000000000000000000000";

static void
reads_a_capture(void **state)
{
	(void)state;
	uint8_t data[80];
	struct ip4 ip;
	struct icmp icmp;
	struct bytes_in in = bytes_in(data, hex(unreachable, data));
	assert_int_equal(ip4_get(&in, &ip), IP4_GOOD);
	assert_true(icmp4_get(&in, &icmp));
	assert_int_equal(icmp.type, ICMP_UNREACHABLE);
	assert_int_equal(icmp.code, ICMP_UNREACHABLE_HOST);
	assert_int_equal(icmp.word, 0);
	assert_int_equal(ip4_get(&in, &ip), IP4_GOOD); /* what it is about */
	assert_true(icmp4_get(&in, &icmp));
	assert_int_equal(icmp.type, ICMP_ECHO);
	assert_int_equal(icmp.word, 0x40240000);
}

static void
refuses_cut_off_and_changed_messages(void **state)
{
	(void)state;
	uint8_t data[80];
	size_t size = hex("0800b7db402400000000000000000000000000000000000000000000", data);
	struct icmp icmp;
	for (size_t cut = 0; cut < 8; cut++) {
		uint8_t zero[8] = {0}; /* its checksum is right, if only of a part */
		memset(zero, 0xff, cut & ~1ul);
		struct bytes_in in = bytes_in(zero, cut);
		assert_false(icmp4_get(&in, &icmp));
	}
	for (size_t bit = 0; bit < size * 8; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		struct bytes_in in = bytes_in(data, size);
		assert_false(icmp4_get(&in, &icmp));
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	struct bytes_in in = bytes_in(data, size);
	assert_true(icmp4_get(&in, &icmp));
	assert_int_equal(bytes_left(&in), size - 8);
}

/* As captured: a router solicitation. The checksum covers the addresses, length and protocol. */
static void
icmp6_sums_the_addresses(void **state)
{
	(void)state;
	uint8_t data[64];
	size_t size = hex("60000000 00103aff fe800000000000000a0027fffe46e884 ff020000000000000000000000000002"
			  "85004b9800000000 010108002746e884",
		data);
	for (size_t bit = 8 * 8; bit <= size * 8; bit++) {
		struct bytes_in in = bytes_in(data, size);
		struct ip6 ip;
		struct icmp icmp;
		if (bit < size * 8) {
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_int_equal(ip6_get(&in, &ip), IP6_GOOD);
		assert_int_equal(icmp6_get(&in, &ip, &icmp), bit == size * 8);
		if (bit < size * 8) {
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	struct bytes_in in = bytes_in(data, size);
	struct ip6 ip;
	struct icmp icmp;
	assert_int_equal(ip6_get(&in, &ip), IP6_GOOD);
	in.end -= 8;
	assert_false(icmp6_get(&in, &ip, &icmp));
}

static void
complaints_about_ipv4(void **state)
{
	(void)state;
	static const struct {
		uint32_t source, destination;
		uint16_t fragment;
		uint8_t protocol;
		const char *payload;
		bool group, want;
	} cases[] = {
		{0x0a000001, 0x0a000002, 0, IP_UDP, "", false, true},
		{0x0a000001, 0x0a000002, IP4_DF, IP_TCP, "0102", false, true},
		{0x0a000001, 0x0a000002, IP4_MF, IP_UDP, "0102", false, true},      /* the first fragment */
		{0x0a000001, 0x0a000002, IP4_MF | 1, IP_UDP, "0102", false, false}, /* a later one */
		{0x0a000001, 0x0a000002, 185, IP_UDP, "0102", false, false},
		{0x0a000001, 0x0a000002, 0, IP_UDP, "0102", true, false}, /* to a group's MAC */
		{0x0a000001, 0xe0000001, 0, IP_UDP, "0102", false, false},
		{0x0a000001, 0xefffffff, 0, IP_UDP, "0102", false, false},
		{0x0a000001, 0xdfffffff, 0, IP_UDP, "0102", false, true},
		{0x0a000001, 0xffffffff, 0, IP_UDP, "0102", false, false},
		{0x00000000, 0x0a000002, 0, IP_UDP, "0102", false, false},
		{0x7f000001, 0x0a000002, 0, IP_UDP, "0102", false, false},
		{0xe0000001, 0x0a000002, 0, IP_UDP, "0102", false, false},
		{0xffffffff, 0x0a000002, 0, IP_UDP, "0102", false, false},
		{0xf0000001, 0x0a000002, 0, IP_UDP, "0102", false, false},
		{0x0a000001, 0x0a000002, 0, IP_ICMP, "0800", false, true},
		{0x0a000001, 0x0a000002, 0, IP_ICMP, "00", false, true}, {0x0a000001, 0x0a000002, 0, IP_ICMP, "0d", false, true},
		{0x0a000001, 0x0a000002, 0, IP_ICMP, "0301", false, false},
		{0x0a000001, 0x0a000002, 0, IP_ICMP, "04", false, false},
		{0x0a000001, 0x0a000002, 0, IP_ICMP, "05", false, false},
		{0x0a000001, 0x0a000002, 0, IP_ICMP, "0b", false, false},
		{0x0a000001, 0x0a000002, 0, IP_ICMP, "0c", false, false},
		{0x0a000001, 0x0a000002, 0, IP_ICMP, "", false, false}, /* nobody knows what it was */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ip4 about = {.source = cases[i].source,
			.destination = cases[i].destination,
			.fragment = cases[i].fragment,
			.protocol = cases[i].protocol};
		uint8_t data[8];
		struct bytes_in in = bytes_in(data, hex(cases[i].payload, data));
		assert_int_equal(icmp4_may_complain(&about, in, cases[i].group), cases[i].want);
	}
}

#define HOST \
	{ \
		0x20010db800000000, 1 \
	}
#define PEER \
	{ \
		0x20010db800000000, 2 \
	}
#define GROUP \
	{ \
		0xff0e000000000000, 2 \
	}

static void
complaints_about_ipv6(void **state)
{
	(void)state;
	static const struct {
		uint64_t source[2], destination[2];
		uint8_t next;
		const char *payload;
		uint8_t type, code;
		bool group, want;
	} cases[] = {
		{HOST, PEER, IP_UDP, "", ICMP6_UNREACHABLE, 0, false, true},
		{HOST, PEER, IP_UDP, "", ICMP6_UNREACHABLE, 0, true, false},
		{HOST, GROUP, IP_UDP, "", ICMP6_UNREACHABLE, 0, false, false},
		{HOST, GROUP, IP_UDP, "", ICMP6_TIME, 0, true, false},
		{HOST, GROUP, IP_UDP, "", ICMP6_TOO_BIG, 0, true, true}, /* path MTU discovery works for groups */
		{HOST, GROUP, IP_UDP, "", ICMP6_PARAMETER, 2, true, true},
		{HOST, GROUP, IP_UDP, "", ICMP6_PARAMETER, 1, true, false},
		{HOST, PEER, IP_UDP, "", ICMP6_PARAMETER, 1, true, false},
		{{0, 0}, PEER, IP_UDP, "", ICMP6_TOO_BIG, 0, false, false},
		{{0, 1}, PEER, IP_UDP, "", ICMP6_TOO_BIG, 0, false, false},
		{GROUP, PEER, IP_UDP, "", ICMP6_TOO_BIG, 0, false, false},
		{{0xfe80000000000000, 1}, PEER, IP_UDP, "", ICMP6_UNREACHABLE, 0, false, true},
		{HOST, PEER, IP6_ICMP, "80", ICMP6_UNREACHABLE, 0, false, true},
		{HOST, PEER, IP6_ICMP, "81", ICMP6_UNREACHABLE, 0, false, true},
		{HOST, PEER, IP6_ICMP, "89", ICMP6_UNREACHABLE, 0, false, false}, /* a redirect */
		{HOST, PEER, IP6_ICMP, "01", ICMP6_UNREACHABLE, 0, false, false},
		{HOST, PEER, IP6_ICMP, "7f", ICMP6_TOO_BIG, 0, false, false},
		{HOST, PEER, IP6_ICMP, "", ICMP6_TOO_BIG, 0, false, false},
		{HOST, PEER, 0, "3a00050200000000 03", ICMP6_TIME, 0, false, false}, /* behind an option */
		{HOST, PEER, 0, "3a00050200000000 80", ICMP6_TIME, 0, false, true},
		{HOST, PEER, 44, "3a00000100000000 01", ICMP6_TIME, 0, false, false},
		{HOST, PEER, 44, "3a00000900000000 01", ICMP6_TOO_BIG, 0, false, true}, /* a later fragment tells no type */
		{HOST, PEER, 60, "3a", ICMP6_PARAMETER, 0, false, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ip6 about = {.source = {cases[i].source[0], cases[i].source[1]},
			.next = cases[i].next,
			.destination = {cases[i].destination[0], cases[i].destination[1]}};
		struct icmp error = {.type = cases[i].type, .code = cases[i].code};
		uint8_t data[16];
		struct bytes_in in = bytes_in(data, hex(cases[i].payload, data));
		assert_int_equal(icmp6_may_complain(&about, in, cases[i].group, &error), cases[i].want);
	}
}

/* The kernel's words about the captured packet are ours, byte for byte, but for TTL (64), identification and DF. */
static void
writes_what_was_captured(void **state)
{
	(void)state;
	uint8_t data[80], out_data[80];
	size_t size = hex(unreachable, data);
	struct icmp icmp = {.type = ICMP_UNREACHABLE, .code = ICMP_UNREACHABLE_HOST};
	struct bytes_out out = bytes_out(out_data, sizeof(out_data));
	icmp4_error_put(&out, &icmp, 0x0a280101, 0x0a280203, data + 28, 48);
	assert_false(out.bad);
	assert_int_equal(out.at - out_data, size);
	assert_int_equal(csum(out_data, IP4_HEADER), 0);
	data[4] = data[32], data[5] = data[33]; /* the identification is the packet's */
	memcpy(data + 10, out_data + 10, 2);
	assert_memory_equal(data, out_data, size);
}

static void
any(uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		data[i] = (uint8_t)(i * 41 + i / 256);
	}
}

static void
errors_of_every_size(void **state)
{
	(void)state;
	uint8_t about[2000], data[ICMP6_ERROR_MAX];
	any(about, sizeof(about));
	for (uint16_t size = 0; size < sizeof(about); size++) {
		struct icmp icmp, want = {.type = ICMP_UNREACHABLE, .code = ICMP_UNREACHABLE_TOO_BIG, .word = 1400};
		struct ip4 ip;
		struct bytes_out out = bytes_out(data, ICMP4_ERROR_MAX);
		icmp4_error_put(&out, &want, 0x0a000001, 0x0a000002, about, size);
		assert_false(out.bad);
		unsigned quote = size < 548 ? size : 548;
		assert_int_equal(out.at - data, 28 + quote);
		struct bytes_in in = bytes_in(data, 28 + quote);
		assert_int_equal(ip4_get(&in, &ip), IP4_GOOD);
		assert_true(ip.source == 0x0a000001 && ip.destination == 0x0a000002 && ip.ttl == 64 && ip.protocol == IP_ICMP);
		assert_true(icmp4_get(&in, &icmp));
		assert_true(icmp.type == want.type && icmp.code == want.code && icmp.word == want.word);
		assert_int_equal(bytes_left(&in), quote);
		assert_memory_equal(in.at, about, quote);
	}
}

static void
errors6_of_every_size(void **state)
{
	(void)state;
	static const uint64_t source[2] = HOST, destination[2] = PEER;
	uint8_t about[2000], data[ICMP6_ERROR_MAX];
	any(about, sizeof(about));
	for (uint16_t size = 0; size < sizeof(about); size++) {
		struct icmp icmp, want = {.type = ICMP6_TOO_BIG, .word = 1400};
		struct ip6 ip;
		struct bytes_out out = bytes_out(data, ICMP6_ERROR_MAX);
		icmp6_error_put(&out, &want, source, destination, about, size);
		assert_false(out.bad);
		unsigned quote = size < 1232 ? size : 1232;
		assert_int_equal(out.at - data, 48 + quote);
		struct bytes_in in = bytes_in(data, 48 + quote);
		assert_int_equal(ip6_get(&in, &ip), IP6_GOOD);
		assert_true(ip.next == IP6_ICMP && ip.hops == 64);
		assert_memory_equal(ip.source, source, 16);
		assert_memory_equal(ip.destination, destination, 16);
		assert_true(icmp6_get(&in, &ip, &icmp));
		assert_true(icmp.type == want.type && icmp.code == want.code && icmp.word == want.word);
		assert_int_equal(bytes_left(&in), quote);
		assert_memory_equal(in.at, about, quote);
	}
}

static void
errors_stay_within_their_room(void **state)
{
	(void)state;
	static const uint64_t source[2] = HOST, destination[2] = PEER;
	uint8_t about[100], data[200];
	struct icmp icmp = {.type = 3};
	any(about, sizeof(about));
	for (size_t room = 0; room <= 148; room++) {
		memset(data, 0xee, sizeof(data));
		struct bytes_out out = bytes_out(data, room);
		icmp4_error_put(&out, &icmp, 1, 2, about, sizeof(about));
		assert_int_equal(out.bad, room < 128);
		assert_int_equal(data[room], 0xee);
		out = bytes_out(data, room);
		icmp6_error_put(&out, &icmp, source, destination, about, sizeof(about));
		assert_int_equal(out.bad, room < 148);
		assert_int_equal(data[room], 0xee);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_capture),
		cmocka_unit_test(refuses_cut_off_and_changed_messages),
		cmocka_unit_test(icmp6_sums_the_addresses),
		cmocka_unit_test(complaints_about_ipv4),
		cmocka_unit_test(complaints_about_ipv6),
		cmocka_unit_test(writes_what_was_captured),
		cmocka_unit_test(errors_of_every_size),
		cmocka_unit_test(errors6_of_every_size),
		cmocka_unit_test(errors_stay_within_their_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
