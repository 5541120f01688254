/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/net/tcp.c lib/net/csum.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/csum.h"
#include "net/tcp.h"

#define PSEUDO 0x12345678u

/* A segment with `payload` bytes behind its header, and its answer. */
static bool
answer(const struct tcp *tcp, size_t payload, struct tcp *reset)
{
	uint8_t data[TCP_HEADER + 8] = {0};
	struct bytes_out out = bytes_out(data, sizeof(data));

	tcp_put(&out, tcp, PSEUDO);
	assert_false(out.bad);
	assert_int_equal(out.at - data, TCP_HEADER);
	/* zeros behind it leave the checksum as it is */
	return tcp_refuse(bytes_in(data, TCP_HEADER + payload), PSEUDO, reset);
}

static void
a_segment_without_ack_is_acknowledged(void **state)
{
	(void)state;
	struct tcp reset;
	assert_true(answer(&(struct tcp){.source = 40000, .destination = 22, .seq = 1000, .flags = TCP_SYN}, 0, &reset));
	assert_int_equal(reset.source, 22);
	assert_int_equal(reset.destination, 40000);
	assert_int_equal(reset.flags, TCP_RST | TCP_ACK);
	assert_int_equal(reset.seq, 0);
	assert_int_equal(reset.ack, 1001);
	assert_true(answer(&(struct tcp){.seq = UINT32_MAX, .flags = TCP_FIN}, 5, &reset));
	assert_int_equal(reset.ack, 5);
}

static void
an_acknowledged_sequence_is_taken_up(void **state)
{
	(void)state;
	struct tcp reset;
	assert_true(answer(&(struct tcp){.seq = 7, .ack = 99, .flags = TCP_ACK}, 3, &reset));
	assert_int_equal(reset.flags, TCP_RST);
	assert_int_equal(reset.seq, 99);
	assert_int_equal(reset.ack, 0);
}

static void
what_is_not_answered(void **state)
{
	(void)state;
	uint8_t data[TCP_HEADER];
	struct tcp reset;
	assert_false(answer(&(struct tcp){.flags = TCP_RST}, 0, &reset));
	assert_false(answer(&(struct tcp){.flags = TCP_RST | TCP_ACK}, 0, &reset));

	struct bytes_out out = bytes_out(data, sizeof(data));
	tcp_put(&out, &(struct tcp){.flags = TCP_SYN}, PSEUDO);
	assert_true(tcp_refuse(bytes_in(data, sizeof(data)), PSEUDO, &reset));
	assert_false(tcp_refuse(bytes_in(data, sizeof(data)), PSEUDO + 1, &reset));
	assert_false(tcp_refuse(bytes_in(data, sizeof(data) - 1), PSEUDO, &reset));
	/* a header shorter than it can be, and one longer than the segment, both with a right checksum */
	for (unsigned words = 4; words <= 6; words += 2) {
		uint16_t checksum = (uint16_t)(data[16] << 8 | data[17]);
		uint16_t right = csum_update(checksum, 5 << 12 | TCP_SYN, (uint16_t)(words << 12 | TCP_SYN));
		uint8_t other[TCP_HEADER];
		memcpy(other, data, sizeof(other));
		other[12] = (uint8_t)(words << 4);
		other[16] = (uint8_t)(right >> 8);
		other[17] = (uint8_t)right;
		assert_int_equal(csum_fold(csum_add(PSEUDO, other, sizeof(other))), 0);
		assert_false(tcp_refuse(bytes_in(other, sizeof(other)), PSEUDO, &reset));
	}
}

static void
nothing_is_written_beyond_the_end(void **state)
{
	(void)state;
	uint8_t data[TCP_HEADER] = {0};
	struct bytes_out out = bytes_out(data, sizeof(data) - 1);
	tcp_put(&out, &(struct tcp){.flags = TCP_RST}, 0);
	assert_true(out.bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_without_ack_is_acknowledged),
		cmocka_unit_test(an_acknowledged_sequence_is_taken_up),
		cmocka_unit_test(what_is_not_answered),
		cmocka_unit_test(nothing_is_written_beyond_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
