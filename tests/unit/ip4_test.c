/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/net/ip4.c lib/net/csum.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"
#include "net/csum.h"
#include "net/ip4.h"

/* As captured: an echo request. */
static const char echo[] =
	"45000030 61b44000 4001becc 0a280203 0a1e0404 0800b7db40240000 00000000 00000000 00000000 00000000 00000000";

static void
reads_a_capture(void **state)
{
	(void)state;
	uint8_t data[64] = {0};
	struct ip4 ip;
	assert_int_equal(hex(echo, data), 48);
	struct bytes_in in = bytes_in(data, sizeof(data));
	assert_int_equal(ip4_get(&in, &ip), IP4_GOOD);
	assert_int_equal(ip.tos, 0);
	assert_int_equal(ip.size, 48);
	assert_int_equal(ip.id, 0x61b4);
	assert_int_equal(ip.fragment, IP4_DF);
	assert_int_equal(ip.ttl, 64);
	assert_int_equal(ip.protocol, IP_ICMP);
	assert_true(ip.source == 0x0a280203 && ip.destination == 0x0a1e0404);
	assert_int_equal(ip.noptions, 0);
	assert_int_equal(bytes_left(&in), 28); /* without the padding */
	assert_ptr_equal(in.at, data + IP4_HEADER);
}

static void
refuses_what_is_cut_off(void **state)
{
	(void)state;
	uint8_t data[64];
	size_t whole = hex(echo, data);
	for (size_t size = 0; size <= whole; size++) {
		struct bytes_in in = bytes_in(data, size);
		struct ip4 ip;
		enum ip4_wrong want = size < IP4_HEADER ? IP4_CUT : size < whole ? IP4_LENGTH : IP4_GOOD;
		assert_int_equal(ip4_get(&in, &ip), want);
	}
}

/* A header of our making with a right checksum; 'first' is version and length. */
static size_t
header(uint8_t *data, uint8_t first, uint16_t size, unsigned words)
{
	memset(data, 0, 64);
	hex("00000000 12340000 40110000 0a000001 0a000002 01010101", data);
	data[0] = first;
	data[2] = (uint8_t)(size >> 8);
	data[3] = (uint8_t)size;
	uint16_t checksum = csum(data, words * 4);
	data[10] = (uint8_t)(checksum >> 8);
	data[11] = (uint8_t)checksum;
	return 64;
}

static void
refuses_each_wrong_field(void **state)
{
	(void)state;
	static const struct {
		uint8_t first;
		uint16_t size;
		uint8_t words;
		enum ip4_wrong want;
	} cases[] = {
		{0x45, 20, 5, IP4_GOOD}, {0x45, 64, 5, IP4_GOOD}, {0x4f, 60, 15, IP4_GOOD}, {0x46, 24, 6, IP4_GOOD},
		{0x45, 65, 5, IP4_LENGTH}, /* longer than what is there */
		{0x45, 0xffff, 5, IP4_LENGTH}, {0x45, 19, 5, IP4_LENGTH}, {0x45, 0, 5, IP4_LENGTH}, {0x46, 23, 6, IP4_LENGTH},
		{0x44, 20, 4, IP4_LENGTH}, {0x40, 20, 0, IP4_LENGTH}, {0x55, 20, 5, IP4_VERSION}, {0x65, 20, 5, IP4_VERSION},
		{0x05, 20, 5, IP4_VERSION}, {0x46, 24, 5, IP4_CHECKSUM}, /* it covers the options */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t data[64];
		struct bytes_in in = bytes_in(data, header(data, cases[i].first, cases[i].size, cases[i].words));
		struct ip4 ip;
		assert_int_equal(ip4_get(&in, &ip), cases[i].want);
	}
	for (size_t bit = 8 * 8; bit < 20 * 8; bit++) { /* any bit that is no length */
		uint8_t data[64];
		struct bytes_in in = bytes_in(data, header(data, 0x45, 20, 5));
		struct ip4 ip;
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(ip4_get(&in, &ip), IP4_CHECKSUM);
	}
}

static void
writes_what_it_read(void **state)
{
	(void)state;
	static const char *const packets[] = {echo, /* with an option: router alert */
		"46c00024000040000102f9fc0a000001e000001694040000 2200f9020000000000000000"};
	for (size_t i = 0; i < 2; i++) {
		uint8_t data[64], again[64];
		struct bytes_in in = bytes_in(data, hex(packets[i], data));
		struct ip4 ip;
		assert_int_equal(ip4_get(&in, &ip), IP4_GOOD);
		size_t size = IP4_HEADER + ip.noptions;
		for (size_t room = 0; room <= size; room++) {
			struct bytes_out out = bytes_out(again, room);
			ip4_put(&out, &ip);
			assert_int_equal(out.bad, room < size);
		}
		assert_memory_equal(data, again, size);
	}
	struct ip4 odd = {.noptions = 2}, large = {.noptions = 44};
	uint8_t room[80];
	struct bytes_out out = bytes_out(room, sizeof(room));
	ip4_put(&out, &odd);
	assert_true(out.bad);
	out = bytes_out(room, sizeof(room));
	ip4_put(&out, &large);
	assert_true(out.bad);
}

static void
sources_that_nobody_has(void **state)
{
	(void)state;
	static const uint32_t bad[] = {0, 0x00ffffff, 0x7f000001, 0x7fffffff, 0xe0000000, 0xefffffff, 0xf0000000, UINT32_MAX};
	static const uint32_t good[] = {0x01000000, 0x0a000001, 0x7effffff, 0x80000000, 0xa9fe0001, 0xdfffffff};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_true(ip4_bad_source(bad[i]));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_false(ip4_bad_source(good[i]));
	}
}

/* Cuts a packet and puts it together again: no byte is missing or comes twice, every piece fits, all but the last end in whole
 * units. */
static unsigned
cut_and_join(const struct ip4 *whole, uint16_t mtu)
{
	static uint8_t seen[UINT16_MAX];
	unsigned payload = whole->size - (unsigned)IP4_HEADER - whole->noptions, n = 0, end = 0;
	struct ip4_piece piece;

	memset(seen, 0, payload);
	for (; ip4_piece(whole, mtu, n, &piece); n++) {
		bool last = (unsigned)piece.offset + piece.size == payload;
		assert_true(n < 8192 && piece.header.size <= mtu && !end);
		assert_int_equal(piece.header.size, IP4_HEADER + piece.header.noptions + piece.size);
		assert_int_equal((piece.header.fragment & IP4_OFFSET) * 8, (whole->fragment & IP4_OFFSET) * 8 + piece.offset);
		assert_int_equal(!!(piece.header.fragment & IP4_MF), !last || (whole->fragment & IP4_MF));
		assert_true(last || piece.size % 8 == 0);
		assert_true(piece.header.id == whole->id && piece.header.ttl == whole->ttl &&
			    piece.header.source == whole->source && piece.header.destination == whole->destination &&
			    piece.header.protocol == whole->protocol && piece.header.tos == whole->tos);
		for (unsigned i = piece.offset; i < piece.offset + (unsigned)piece.size; i++) {
			assert_true(i < payload && !seen[i]);
			seen[i] = 1;
		}
		end = last && payload;
	}
	assert_null(memchr(seen, 0, payload));
	return n;
}

static void
pieces_make_the_whole(void **state)
{
	(void)state;
	static const uint16_t sizes[] = {21, 27, 28, 29, 68, 69, 75, 76, 77, 576, 577, 1499, 1500, 1501, 4001, 9000, 65535};
	static const uint16_t fragments[] = {0, IP4_MF, 100, IP4_MF | 100};
	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		for (size_t f = 0; f < 4; f++) {
			struct ip4 whole = {.size = sizes[s],
				.id = 7,
				.ttl = 9,
				.tos = 3,
				.protocol = 17,
				.source = 1,
				.destination = 2,
				.fragment = fragments[f]};
			if ((whole.fragment & IP4_OFFSET) * 8u + whole.size > 65535 + IP4_HEADER) {
				continue; /* nothing that could be put together */
			}
			for (unsigned mtu = IP4_MIN_MTU; mtu <= 9100; mtu += mtu < 200 ? 1 : 97) {
				unsigned room = (mtu - IP4_HEADER) / 8 * 8, n = cut_and_join(&whole, (uint16_t)mtu);
				if (whole.size <= mtu) {
					assert_int_equal(n, 1);
				} else {
					assert_in_range(
						n, (whole.size - IP4_HEADER) / (room + 7), (whole.size - IP4_HEADER) / room + 1);
				}
			}
		}
	}
}

/* RFC 791 3.1: record route (7) only in the first, security (130) and loose source route (131) in all. */
static void
options_of_pieces(void **state)
{
	(void)state;
	static const struct {
		const char *options, *copied;
	} cases[] = {
		{"01010100", ""},
		{"07030400", ""},
		{"82030400", "82030400"},
		{"01820304 07080400 00000000 83070400 00000000", "820304830704000000000000"},
		{"0083030483030400", ""},          /* what stands behind the end is nothing */
		{"83030401 83010101", "83030400"}, /* a length that cannot be */
		{"83030401 830b0101", "83030400"},
		{"83030401 01010183", "83030400"},
		{"9404000083230400000000000000000000000000000000000000000000000000000000000000000000",
			"94040000832304000000000000000000000000000000000000000000000000000000000000000000"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ip4 whole = {.size = 4000};
		uint8_t copied[48];
		uint8_t bytes[48] = {0};
		size_t n = hex(cases[i].options, bytes);
		whole.noptions = (uint8_t)(n > IP4_OPTIONS ? IP4_OPTIONS : n);
		memcpy(whole.options, bytes, whole.noptions);
		assert_int_equal(whole.noptions % 4, 0);
		struct ip4_piece piece;
		assert_true(ip4_piece(&whole, 100, 0, &piece));
		assert_int_equal(piece.header.noptions, whole.noptions);
		assert_memory_equal(piece.header.options, whole.options, whole.noptions);
		assert_true(ip4_piece(&whole, 100, 1, &piece));
		assert_int_equal(piece.header.noptions, hex(cases[i].copied, copied));
		assert_memory_equal(piece.header.options, copied, piece.header.noptions);
		for (uint16_t mtu = IP4_MIN_MTU; mtu < 400; mtu++) {
			cut_and_join(&whole, mtu);
		}
	}
}

static void
what_may_not_be_cut(void **state)
{
	(void)state;
	struct ip4_piece piece;
	struct ip4 whole = {.size = 1500, .fragment = IP4_DF};
	assert_true(ip4_piece(&whole, 1500, 0, &piece));
	assert_int_equal(piece.header.fragment, IP4_DF);
	assert_false(ip4_piece(&whole, 1500, 1, &piece));
	assert_false(ip4_piece(&whole, 1499, 0, &piece));
	assert_false(ip4_piece(&whole, 1499, 1, &piece));
	whole.fragment = 0;
	assert_true(ip4_piece(&whole, IP4_MIN_MTU, 0, &piece));
	for (uint16_t mtu = 0; mtu < IP4_MIN_MTU; mtu++) {
		assert_false(ip4_piece(&whole, mtu, 0, &piece));
		assert_false(ip4_piece(&whole, mtu, 1, &piece));
	}
	assert_false(ip4_piece(&whole, 576, UINT32_MAX, &piece));
	whole.size = 19;
	assert_false(ip4_piece(&whole, 576, 0, &piece));
	whole = (struct ip4){.size = 1500, .fragment = IP4_OFFSET}; /* it would end beyond what can be written */
	assert_true(ip4_piece(&whole, 576, 0, &piece));
	assert_false(ip4_piece(&whole, 576, 1, &piece));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_capture),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(refuses_each_wrong_field),
		cmocka_unit_test(writes_what_it_read),
		cmocka_unit_test(sources_that_nobody_has),
		cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(options_of_pieces),
		cmocka_unit_test(what_may_not_be_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
