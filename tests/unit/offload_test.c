/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: cmd/pe/offload.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../cmd/pe/offload.h"

#define FRAME_MAX 70000u

static uint32_t
at16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
at32(const uint8_t *p)
{
	return at16(p) << 16 | at16(p + 2);
}

static void
set16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* RFC 1071 word by word, in network order; 0xffff over bytes that contain a right checksum. */
static uint32_t
slow_sum(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static uint32_t
pseudo_sum(const uint8_t *ip, uint8_t proto, uint32_t size)
{
	uint32_t sum = ip[0] >> 4 == 4 ? slow_sum(0, ip + 12, 8) : slow_sum(0, ip + 8, 32);
	const uint8_t tail[4] = {0, proto, (uint8_t)(size >> 8), (uint8_t)size};
	return slow_sum(sum, tail, 4);
}

struct shape {
	unsigned tags;
	bool ipv6, udp;
	uint32_t payload, chunk, head;
};

/* What a kernel host hands to its NIC: lengths of the whole, the checksum field holding the pseudo-header's sum. */
static uint32_t
build(uint8_t *frame, const struct shape *s, uint32_t *l4_at)
{
	uint32_t l3 = 14 + 4 * s->tags, l4 = l3 + (s->ipv6 ? 40 : 20), header = l4 + (s->udp ? 8 : 32),
		 size = header + s->payload;
	for (uint32_t i = 0; i < size; i++) {
		frame[i] = (uint8_t)(i * 7 + (i >> 8));
	}
	for (unsigned i = 0; i < s->tags; i++) {
		set16(frame + 12 + 4 * i, i + 1 == s->tags ? 0x8100 : 0x88a8);
	}
	set16(frame + l3 - 2, s->ipv6 ? 0x86dd : 0x0800);
	uint8_t *ip = frame + l3;
	if (s->ipv6) {
		ip[0] = 0x60;
		ip[6] = s->udp ? 17 : 6;
	} else {
		ip[0] = 0x45;
		set16(ip + 2, size - l3);
		set16(ip + 4, 0xfffe); /* wraps */
		ip[9] = s->udp ? 17 : 6;
	}
	if (!s->udp) {
		memcpy(frame + l4 + 4, "\xff\xff\xff\x00", 4); /* the sequence number wraps */
		frame[l4 + 12] = 8 << 4;
		frame[l4 + 13] = 0x80 | 0x10 | 0x08 | 0x01; /* CWR ACK PSH FIN */
	}
	*l4_at = l4;
	return size;
}

static void
check_piece(const uint8_t *piece, uint32_t size, const struct shape *s, uint32_t l4, unsigned index, uint32_t done, bool last)
{
	const uint8_t *ip = piece + 14 + 4 * s->tags;
	uint32_t l4_size = size - l4;
	if (s->ipv6) {
		assert_int_equal(at16(ip + 4), l4_size);
	} else {
		assert_int_equal(at16(ip + 2), size - 14 - 4 * s->tags);
		assert_int_equal(at16(ip + 4), (0xfffe + index) & 0xffff);
		assert_int_equal(slow_sum(0, ip, 20), 0xffff);
	}
	assert_int_equal(slow_sum(pseudo_sum(ip, s->udp ? 17 : 6, l4_size), piece + l4, l4_size), 0xffff);
	if (s->udp) {
		assert_int_equal(at16(piece + l4 + 4), l4_size);
		return;
	}
	assert_int_equal(at32(piece + l4 + 4), 0xffffff00u + done);
	assert_int_not_equal(at16(piece + l4 + 16), 0xffff);
	uint8_t flags = piece[l4 + 13];
	assert_int_equal(flags & 0x10, 0x10);
	assert_int_equal(flags & 0x80, index == 0 ? 0x80 : 0);
	assert_int_equal(flags & 0x09, last ? 0x09 : 0);
}

static void
cut_and_check(const struct shape *s)
{
	uint8_t *frame = malloc(FRAME_MAX), *piece = malloc(FRAME_MAX);
	assert_true(frame && piece);
	uint32_t l4, size = build(frame, s, &l4), head = s->head && s->head < size ? s->head : size;
	struct offload_cut cut = {
		.head = frame, .head_size = head, .rest = frame + head, .rest_size = size - head, .udp = s->udp};
	assert_true(offload_cut_start(&cut, l4, s->chunk));
	uint32_t done = 0, header = size - s->payload;
	unsigned index = 0;
	for (uint32_t n; (n = offload_cut_size(&cut)) > 0; index++) {
		uint32_t payload = n - header;
		offload_cut_next(&cut, piece);
		assert_memory_equal(piece, frame, 14 + 4 * s->tags);
		assert_memory_equal(piece + header, frame + header + done, payload);
		check_piece(piece, n, s, l4, index, done, done + payload == s->payload);
		done += payload;
		assert_true(payload == s->chunk || done == s->payload);
	}
	assert_int_equal(done, s->payload);
	assert_int_equal(index, (s->payload + s->chunk - 1) / s->chunk);
	free(frame);
	free(piece);
}

static void
cuts_every_shape(void **state)
{
	(void)state;
	static const struct {
		uint32_t payload, chunk, head;
	} sizes[] = {{65000, 1448, 2048}, {2896, 1448, 0}, {1449, 1448, 0}, {1448, 1448, 0}, {1, 1, 0}, {65000, 1447, 2047},
		{5000, 999, 301}};
	for (unsigned kind = 0; kind < 12; kind++) {
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			struct shape s = {kind / 4, kind & 1, kind & 2, sizes[i].payload, sizes[i].chunk, sizes[i].head};
			cut_and_check(&s);
		}
	}
}

/* Of all payloads that differ in one word, one has the checksum 0; it must not be sent as 0xffff. */
static void
tcp_checksums_may_be_zero(void **state)
{
	(void)state;
	static const struct shape s = {0, false, false, 20, 20, 0};
	uint8_t frame[256], piece[256];
	uint32_t l4, size = build(frame, &s, &l4), zeros = 0;
	for (uint32_t i = 0; i < 0x10000; i++) {
		set16(frame + size - 2, i);
		struct offload_cut cut = {.head = frame, .head_size = size};
		assert_true(offload_cut_start(&cut, l4, 20));
		offload_cut_next(&cut, piece);
		check_piece(piece, size, &s, l4, 0, 0, true);
		zeros += at16(piece + l4 + 16) == 0;
	}
	assert_int_equal(zeros, 1);
}

static void
refuses_what_it_does_not_know(void **state)
{
	(void)state;
	static const struct shape good = {0, false, false, 4000, 1448, 0};
	uint8_t frame[8192];
	uint32_t l4, size = build(frame, &good, &l4);
	struct offload_cut whole = {.head = frame, .head_size = size}, cut = whole;
	assert_true(offload_cut_start(&cut, l4, 1448));
	assert_false(offload_cut_start(&cut, l4, 0));
	assert_false(offload_cut_start(&cut, l4 + 20, 1448)); /* a tunnel: the TCP header is further in */
	cut = (struct offload_cut){.head = frame, .head_size = l4 + 19, .rest = frame + l4 + 19, .rest_size = size - l4 - 19};
	assert_false(offload_cut_start(&cut, l4, 1448)); /* headers not in the first piece */
	static const struct {
		uint32_t at;
		uint8_t value;
	} spoil[] = {{12, 0x09}, {14, 0x46}, {14, 0x65}, {14 + 9, 17}, {14 + 20 + 12, 0x40}, {14 + 20 + 12, 0}};
	for (unsigned i = 0; i < sizeof(spoil) / sizeof(*spoil); i++) {
		build(frame, &good, &l4);
		frame[spoil[i].at] = spoil[i].value;
		cut = whole;
		assert_false(offload_cut_start(&cut, l4, 1448));
	}
}

/* Whatever the bytes say, nothing outside of them is touched (seen by the sanitizers, and by the sizes). */
static void
survives_any_bytes(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (unsigned round = 0; round < 20000; round++) {
		uint32_t size = 1 + round % 200;
		uint8_t *frame = malloc(size), *piece = malloc(size + 1);
		for (uint32_t i = 0; i < size; i++) {
			seed = seed * 1664525 + 1013904223;
			frame[i] = (uint8_t)(seed >> 24);
		}
		if (size > 23 && round % 2) {
			memcpy(frame + 12, round % 4 == 1 ? "\x08\x00\x45" : "\x86\xdd\x60", 3);
			frame[round % 4 == 1 ? 23 : 20] = 6;
		}
		struct offload_cut cut = {.head = frame, .head_size = size, .udp = round % 3 == 0};
		uint32_t start = round % 4 == 1 ? 34 : seed % 80;
		if (offload_cut_start(&cut, start, 1 + seed % 50)) {
			for (uint32_t n; (n = offload_cut_size(&cut)) > 0;) {
				assert_true(n <= size);
				offload_cut_next(&cut, piece);
			}
		}
		if (offload_checksum(frame, size, seed % 256, seed >> 8 & 0xff)) {
			assert_true(seed % 256 + (seed >> 8 & 0xff) + 2 <= size);
		}
		free(frame);
		free(piece);
	}
}

static void
completes_checksums(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 12; kind++) {
		for (uint32_t payload = 0; payload < 70; payload++) {
			struct shape s = {kind / 4, kind & 1, kind & 2, payload, 1, 0};
			uint8_t frame[256];
			uint32_t l4, size = build(frame, &s, &l4), at = s.udp ? 6 : 16;
			const uint8_t *ip = frame + 14 + 4 * s.tags;
			uint32_t pseudo = pseudo_sum(ip, s.udp ? 17 : 6, size - l4);
			set16(frame + l4 + at, pseudo);
			assert_true(offload_checksum(frame, size, l4, at));
			assert_int_equal(slow_sum(pseudo, frame + l4, size - l4), 0xffff);
		}
	}
	uint8_t zero[40] = {0};
	assert_true(offload_checksum(zero, 40, 20, 16)); /* the sum is 0, its complement 0xffff */
	assert_int_equal(at16(zero + 36), 0xffff);
	memset(zero + 20, 0xff, 20);
	assert_true(offload_checksum(zero, 40, 20, 16));
	assert_int_equal(at16(zero + 36), 0);
	memset(zero + 20, 0xff, 20);
	assert_true(offload_checksum(zero, 40, 20, 6)); /* which UDP reserves */
	assert_int_equal(at16(zero + 26), 0xffff);
	assert_false(offload_checksum(zero, 40, 40, 0));
	assert_false(offload_checksum(zero, 40, 39, 0));
	assert_false(offload_checksum(zero, 40, 34, 5));
	assert_false(offload_checksum(zero, 40, 0xffffffff, 2));
	assert_false(offload_checksum(zero, 40, 2, 0xffffffff));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_every_shape),
		cmocka_unit_test(tcp_checksums_may_be_zero),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(survives_any_bytes),
		cmocka_unit_test(completes_checksums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
