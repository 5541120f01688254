/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/net/csum.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"
#include "net/csum.h"

/* As RFC 1071 4.1 has it, a word after the other. */
static uint16_t
slow(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < size; i++) {
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

/* Any bytes, the same in every run. */
static uint8_t
any(uint32_t *chance)
{
	*chance = *chance * 1664525 + 1013904223;
	return (uint8_t)(*chance >> 24);
}

static void
known_sums(void **state)
{
	(void)state;
	static const struct {
		const char *data;
		uint16_t want;
	} cases[] = {
		{"", 0xffff},
		{"00", 0xffff},
		{"0000", 0xffff},
		{"ffff", 0},
		{"ff", 0x00ff},
		{"0001f203f4f5f6f7", 0x220d},                         /* RFC 1071 3 */
		{"450000730000400040110000c0a80001c0a800c7", 0xb861}, /* a UDP packet's header */
		{"450000730000400040 11 b861 c0a80001c0a800c7", 0},
		{"0800 0000 40240000 00", 0xb7db},
		{"ffffffffffffffffffffffffffffffff01", 0xfeff},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t data[64];
		size_t size = hex(cases[i].data, data);
		assert_int_equal(csum(data, size), cases[i].want);
	}
}

static void
any_size_at_any_place(void **state)
{
	(void)state;
	uint8_t data[2100];
	uint32_t chance = 1;
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = any(&chance);
	}
	for (size_t start = 0; start < 16; start++) {
		for (size_t size = 0; size < 200; size++) {
			assert_int_equal(csum(data + start, size), slow(data + start, size));
		}
		assert_int_equal(csum(data + start, sizeof(data) - 16), slow(data + start, sizeof(data) - 16));
	}
	memset(data, 0xff, sizeof(data));
	for (size_t size = 0; size < sizeof(data); size++) {
		assert_int_equal(csum(data, size), slow(data, size));
	}
}

static void
pieces_add_up(void **state)
{
	(void)state;
	uint8_t data[101];
	uint32_t chance = 2;
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = any(&chance);
	}
	for (size_t cut = 0; cut < sizeof(data); cut += 2) {
		uint64_t sum = csum_add(csum_add(0, data, cut), data + cut, sizeof(data) - cut);
		assert_int_equal(csum_fold(sum), slow(data, sizeof(data)));
	}
	assert_int_equal(csum_fold(csum_add(UINT64_MAX, "", 0)), 0); /* a sum as large as can be */
}

/* RFC 8200 8.1, written out. */
static void
pseudo_headers(void **state)
{
	(void)state;
	uint32_t chance = 3;
	for (unsigned run = 0; run < 1000; run++) {
		uint8_t header[40];
		for (size_t i = 0; i < sizeof(header); i++) {
			header[i] = any(&chance);
		}
		memset(header + 36, 0, 3);
		uint32_t size = (uint32_t)header[32] << 24 | (uint32_t)header[33] << 16 | (uint32_t)header[34] << 8 | header[35];
		uint64_t words[4] = {0};
		for (size_t i = 0; i < 32; i++) {
			words[i / 8] = words[i / 8] << 8 | header[i];
		}
		assert_int_equal(csum_fold(csum_pseudo6(header, header + 16, size, header[39])), slow(header, 40));
		assert_int_equal(csum_fold(csum_pseudo6_words(words, words + 2, size, header[39])), slow(header, 40));
	}
}

/* A header with any value in one word and another in the changed one: what stands in its checksum field afterwards verifies. */
static void
updates_equal_recomputation(void **state)
{
	(void)state;
	static const uint16_t interesting[] = {0, 1, 2, 0xfe, 0xff, 0x100, 0x101, 0x5555, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xaaaa,
		0xfeff, 0xff00, 0xff01, 0xfffd, 0xfffe, 0xffff};
	const size_t n = sizeof(interesting) / sizeof(*interesting);
	for (uint32_t rest = 0; rest <= 0xffff; rest += 3) {
		for (size_t i = 0; i < n * n; i++) {
			uint16_t old = interesting[i / n], new = interesting[i % n];
			uint8_t data[8] = {0x45, 0, (uint8_t)(rest >> 8), (uint8_t)rest, (uint8_t)(old >> 8), (uint8_t)old};
			uint16_t before = csum(data, sizeof(data));
			data[4] = (uint8_t)(new >> 8);
			data[5] = (uint8_t) new;
			assert_int_equal(csum_update(before, old, new), csum(data, sizeof(data)));
		}
	}
}

/* TTL 64 to 63 in every checksum that a header can have: what a router does all day. */
static void
updates_the_ttl(void **state)
{
	(void)state;
	for (uint32_t checksum = 0; checksum <= 0xffff; checksum++) {
		uint32_t sum = (uint32_t)(uint16_t)~csum_update((uint16_t)checksum, 0x4011, 0x3f11) + 0x100;
		sum = (sum & 0xffff) + (sum >> 16);
		assert_int_equal(sum % 0xffff, (uint16_t)~checksum % 0xffff);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sums),
		cmocka_unit_test(any_size_at_any_place),
		cmocka_unit_test(pieces_add_up),
		cmocka_unit_test(pseudo_headers),
		cmocka_unit_test(updates_equal_recomputation),
		cmocka_unit_test(updates_the_ttl),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
