/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/net/eth.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/eth.h"

/* clang-format off */
static const uint8_t three_tags[] = {
	0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2,
	0x88, 0xa8, 0x60, 0x64, 0x81, 0x00, 0x0f, 0xfe, 0x81, 0x00, 0x00, 0x05, 0x08, 0x00,
};
/* clang-format on */

static void
reads_two_tags_and_no_more(void **state)
{
	(void)state;
	struct bytes_in in = bytes_in(three_tags, sizeof(three_tags));
	struct eth eth;
	assert_true(eth_get(&in, &eth));
	assert_true(eth.dst == 0x020000000001 && eth.src == 0x020000000002);
	assert_int_equal(eth.tags, 2);
	assert_int_equal(eth.tag[0].tpid, ETH_SVLAN);
	assert_int_equal(ETH_VID(eth.tag[0].tci), 100);
	assert_int_equal(eth.tag[1].tpid, ETH_VLAN);
	assert_int_equal(ETH_VID(eth.tag[1].tci), 4094);
	assert_int_equal(eth.type, ETH_VLAN);
	assert_int_equal(bytes_left(&in), 4);
}

static void
refuses_what_ends_within(void **state)
{
	(void)state;
	for (size_t size = 0; size <= 22; size++) {
		struct bytes_in in = bytes_in(three_tags, size);
		struct eth eth;
		assert_int_equal(eth_get(&in, &eth), size == 22);
	}
}

static void
writes_what_it_read(void **state)
{
	(void)state;
	uint8_t again[22];
	struct bytes_in in = bytes_in(three_tags, sizeof(three_tags));
	struct bytes_out out = bytes_out(again, sizeof(again));
	struct eth eth;
	assert_true(eth_get(&in, &eth));
	eth_put(&out, &eth);
	assert_false(out.bad);
	assert_memory_equal(again, three_tags, sizeof(again));
	out = bytes_out(again, sizeof(again) - 1);
	eth_put(&out, &eth);
	assert_true(out.bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_two_tags_and_no_more),
		cmocka_unit_test(refuses_what_ends_within),
		cmocka_unit_test(writes_what_it_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
