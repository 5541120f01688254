/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/net/arp.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"
#include "net/arp.h"

/* As captured. */
static const char request[] = "0001 0800 06 04 0001 00085d230c3f ac110014 000000000000 ac110002";
static const char reply[] = "0001 0800 06 04 0002 0021d8010345 c0a80001 00082500b236 c1a8001e";

static void
reads_captures(void **state)
{
	(void)state;
	uint8_t data[ARP_SIZE + 18] = {0};
	struct arp arp;
	assert_int_equal(hex(request, data), ARP_SIZE);
	struct bytes_in in = bytes_in(data, sizeof(data));
	assert_true(arp_get(&in, &arp));
	assert_int_equal(arp.op, ARP_REQUEST);
	assert_true(arp.sender_mac == 0x00085d230c3f && arp.target_mac == 0);
	assert_true(arp.sender == 0xac110014 && arp.target == 0xac110002);
	assert_int_equal(bytes_left(&in), 18); /* the padding */
	assert_int_equal(hex(reply, data), ARP_SIZE);
	in = bytes_in(data, sizeof(data));
	assert_true(arp_get(&in, &arp));
	assert_int_equal(arp.op, ARP_REPLY);
	assert_true(arp.sender_mac == 0x0021d8010345 && arp.target_mac == 0x00082500b236);
	assert_true(arp.sender == 0xc0a80001 && arp.target == 0xc1a8001e);
}

static void
refuses_what_is_cut_off(void **state)
{
	(void)state;
	uint8_t data[ARP_SIZE];
	hex(reply, data);
	for (size_t size = 0; size <= ARP_SIZE; size++) {
		struct bytes_in in = bytes_in(data, size);
		struct arp arp;
		assert_int_equal(arp_get(&in, &arp), size == ARP_SIZE);
	}
}

/* Each byte of the fixed head, with every other value. */
static void
refuses_other_hardware_and_protocols(void **state)
{
	(void)state;
	for (size_t at = 0; at < 6; at++) {
		for (unsigned change = 0; change < 256; change++) {
			uint8_t data[ARP_SIZE];
			hex(request, data);
			data[at] ^= (uint8_t)change;
			struct bytes_in in = bytes_in(data, sizeof(data));
			struct arp arp;
			assert_int_equal(arp_get(&in, &arp), change == 0);
		}
	}
}

static void
other_operations_come_through(void **state)
{
	(void)state;
	uint8_t data[ARP_SIZE];
	hex("0001 0800 06 04 fffe 020000000001 01020304 020000000002 05060708", data);
	struct bytes_in in = bytes_in(data, sizeof(data));
	struct arp arp;
	assert_true(arp_get(&in, &arp));
	assert_int_equal(arp.op, 0xfffe);
}

static void
writes_what_it_read(void **state)
{
	(void)state;
	static const char *const frames[] = {request, reply};
	for (size_t i = 0; i < 2; i++) {
		uint8_t data[ARP_SIZE], again[ARP_SIZE];
		hex(frames[i], data);
		struct bytes_in in = bytes_in(data, sizeof(data));
		struct arp arp;
		assert_true(arp_get(&in, &arp));
		for (size_t room = 0; room <= ARP_SIZE; room++) {
			struct bytes_out out = bytes_out(again, room);
			arp_put(&out, &arp);
			assert_int_equal(out.bad, room < ARP_SIZE);
		}
		assert_memory_equal(data, again, ARP_SIZE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_captures),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(refuses_other_hardware_and_protocols),
		cmocka_unit_test(other_operations_come_through),
		cmocka_unit_test(writes_what_it_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
