/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static void
reads_network_order(void **state)
{
	(void)state;
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
	struct bytes_in in = bytes_in(data, sizeof(data));
	assert_int_equal(bytes_get_u8(&in), 0x01);
	assert_int_equal(bytes_get_u16(&in), 0x0203);
	assert_int_equal(bytes_get_u32(&in), 0x04050607);
	assert_true(bytes_get_mac(&in) == 0x08090a0b0c0d);
	assert_int_equal(bytes_left(&in), 0);
	assert_false(in.bad);
}

static void
stays_inside_when_reading(void **state)
{
	(void)state;
	static const uint8_t data[] = {0xff, 0xff, 0xff};
	struct bytes_in in = bytes_in(data, sizeof(data));
	assert_int_equal(bytes_get_u32(&in), 0);
	assert_true(in.bad);
	assert_int_equal(bytes_left(&in), 3);
	/* Once bad, always bad: a later read that would fit yields 0 too. */
	assert_int_equal(bytes_get_u8(&in), 0);
	in = bytes_in(data, sizeof(data));
	assert_null(bytes_take(&in, SIZE_MAX));
	assert_true(in.bad);
	in = bytes_in(data, 0);
	assert_non_null(bytes_take(&in, 0));
	assert_false(in.bad);
}

static void
writes_and_stays_inside(void **state)
{
	(void)state;
	uint8_t data[14];
	memset(data, 0xee, sizeof(data));
	struct bytes_out out = bytes_out(data, 13);
	bytes_put_u8(&out, 1);
	bytes_put_u16(&out, 0x0203);
	bytes_put_u32(&out, 0x04050607);
	bytes_put_mac(&out, 0x08090a0b0c0d);
	assert_false(out.bad);
	for (unsigned i = 0; i < 13; i++) {
		assert_int_equal(data[i], i + 1);
	}
	bytes_put_u8(&out, 0x55);
	assert_true(out.bad);
	assert_int_equal(data[13], 0xee);
	assert_null(bytes_room(&out, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_network_order),
		cmocka_unit_test(stays_inside_when_reading),
		cmocka_unit_test(writes_and_stays_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
