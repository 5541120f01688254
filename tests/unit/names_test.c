/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/core/names.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/names.h"

/* Calls `name` for 0..999: known ones are unique snake_case words, all others "unknown". Returns how many are known. */
static unsigned
count_known(const char *(*name)(unsigned number))
{
	const char *seen[64];
	unsigned n = 0;
	for (unsigned number = 0; number < 1000; number++) {
		const char *word = name(number);
		assert_non_null(word);
		if (strcmp(word, "unknown") == 0) {
			continue;
		}
		assert_true(word[0] != '\0' && strspn(word, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(word));
		for (unsigned i = 0; i < n; i++) {
			assert_string_not_equal(word, seen[i]);
		}
		seen[n++] = word;
	}
	return n;
}

static void
every_number_has_a_name(void **state)
{
	(void)state;
	assert_int_equal(count_known(names_drop), SEG_DROPS - 1);
	assert_int_equal(count_known(names_class), SEG_CLASSES - 1); /* "unknown" is a class, too */
	assert_string_equal(names_class(SEG_CLASS_UNKNOWN), "unknown");
	assert_int_equal(count_known(names_msg), SEG_MSG_FDB_AGAIN + SEG_MSG_KINDS - SEG_MSG_NBR_ADD);
	assert_int_equal(count_known(names_nbr_state), SEG_NBR_STATES);
	assert_int_equal(count_known(names_address_state), SEG_ADDRESS_DUPLICATE + 1);
	assert_int_equal(count_known(names_role), SEG_ROLE_LOST + 1);
	assert_int_equal(count_known(names_port_kind), SEG_PORT_VDEV);
	assert_int_equal(count_known(names_stp), 2);
	assert_int_equal(count_known(names_severity), 8);
}

static void
names_stay(void **state)
{
	(void)state;
	assert_string_equal(names_drop(SEG_DROP_RX_OVERSIZE), "rx_oversize");
	assert_string_equal(names_drop(SEG_DROP_NONE), "unknown");
	assert_string_equal(names_msg(SEG_MSG_FDB_ADD), "fdb_add");
	assert_string_equal(names_port_kind(SEG_PORT_PCI), "pci");
	assert_string_equal(names_severity(4), "warning");
}

static void
drops_are_explained(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason < 100; reason++) {
		assert_int_equal(names_drop_known(reason), strcmp(names_drop(reason), "unknown") != 0);
		assert_true(strlen(names_drop_text(reason)) > 0);
		assert_non_null(names_drop_hint(reason));
	}
	assert_non_null(strstr(names_drop_hint(SEG_DROP_RX_OVERSIZE), "ethtool -K DEV tx off tso off gso off"));
	assert_non_null(strstr(names_csum_hint(), "ethtool -K DEV"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_has_a_name),
		cmocka_unit_test(names_stay),
		cmocka_unit_test(drops_are_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
