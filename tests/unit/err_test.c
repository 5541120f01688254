/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/base/err.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void
sets_and_hints(void **state)
{
	(void)state;
	struct err err;
	memset(&err, 'x', sizeof(err));
	assert_int_equal(err_set(&err, ERR_EXISTS, "%s: there already", "p1"), ERR_EXISTS);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_string_equal(err.message, "p1: there already");
	assert_string_equal(err.hint, "");
	assert_int_equal(err_hint(&err, "use %s", "--may-exist"), ERR_EXISTS);
	assert_string_equal(err.hint, "use --may-exist");
	assert_string_equal(err.message, "p1: there already");
}

static void
takes_null(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_REFUSED, "no"), ERR_REFUSED);
	assert_int_equal(err_hint(NULL, "no"), ERR_FAILED);
}

static void
truncates(void **state)
{
	(void)state;
	struct err err;
	char longer[1000];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&err, ERR_FAILED, "%s", longer);
	err_hint(&err, "%s", longer);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

static void
names_are_stable(void **state)
{
	(void)state;
	static const struct {
		int code;
		const char *name;
	} want[] = {
		{0, "none"},
		{1, "failed"},
		{2, "usage"},
		{3, "not_found"},
		{4, "exists"},
		{5, "refused"},
		{6, "no_engine"},
		{7, "partly"},
		{8, "differs"},
		{124, "timeout"},
		{77, "failed"},
	};
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		assert_string_equal(err_name((enum err_code)want[i].code), want[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_and_hints),
		cmocka_unit_test(takes_null),
		cmocka_unit_test(truncates),
		cmocka_unit_test(names_are_stable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
