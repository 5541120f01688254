/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/json/where.c lib/json/field.c -ljansson */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/field.h"
#include "json/where.h"

static void
a_path_is_as_one_would_write_it(void **state)
{
	(void)state;
	char path[WHERE_SIZE] = "";
	assert_int_equal(where_enter(path, "ports"), 0);
	size_t ports = where_enter(path, "p1");
	where_enter(path, "vlans");
	where_enter_item(path, 12);
	assert_string_equal(path, "ports.p1.vlans[12]");
	where_leave(path, ports);
	assert_string_equal(path, "ports");
}

static void
a_name_of_any_kind_fits(void **state)
{
	(void)state;
	char path[WHERE_SIZE] = "", name[500];
	where_enter(path, "a\n\x1b\xc3");
	assert_string_equal(path, "a???");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 10; i++) {
		size_t at = where_enter(path, name);
		assert_true(strlen(path) - at <= 1 + 48);
	}
	assert_int_equal(strlen(path), WHERE_SIZE - 1);
	where_enter_item(path, 1);
	assert_int_equal(strlen(path), WHERE_SIZE - 1);
}

static void
shows(json_t *value, const char *should)
{
	char text[WHERE_VALUE_SIZE];
	assert_string_equal(where_value(value, text), should);
	json_decref(value);
}

static void
a_value_is_shown_short(void **state)
{
	(void)state;
	shows(json_integer(-5), "-5");
	shows(json_pack("[s, n]", "a\tb"), "[\"a\\tb\",null]");
	shows(json_string("123456789 123456789 123456789 123456789 123456789 12345678"),
		"\"123456789 123456789 123456789 123456789 123456789 12345678\"");
	shows(json_string("123456789 123456789 123456789 123456789 123456789 123456789"),
		"\"123456789 123456789 123456789 123456789 123456789 123456...");
}

static void
a_field_keeps_its_neighbours(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 2, 4, 8};
	for (size_t i = 0; i < 4; i++) {
		uint8_t bytes[24], was[24];
		memset(bytes, 0xa5, sizeof(bytes));
		memcpy(was, bytes, sizeof(was));
		uint64_t value = 0x1122334455667788ull >> (64 - 8 * sizes[i]);
		field_put(bytes, 7, sizes[i], value);
		assert_true(field_get(bytes, 7, sizes[i]) == value);
		assert_memory_equal(bytes, was, 7);
		assert_memory_equal(bytes + 7 + sizes[i], was, sizeof(bytes) - 7 - sizes[i]);
	}
	uint32_t number = 0;
	field_put(&number, 0, sizeof(number), 80000);
	assert_int_equal(number, 80000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_as_one_would_write_it),
		cmocka_unit_test(a_name_of_any_kind_fits),
		cmocka_unit_test(a_value_is_shown_short),
		cmocka_unit_test(a_field_keeps_its_neighbours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
