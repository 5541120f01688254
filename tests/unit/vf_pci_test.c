/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/pci.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vf/pci.h"

#define UNTOUCHED UINT64_C(4711)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
reads(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t want;
		const char *full, *brief;
	} good[] = {
		{"0000:00:00.0", 0, "0000:00:00.0", "00:00.0"},
		{"01:10.2", 0x0182, "0000:01:10.2", "01:10.2"},
		{"0000:01:10.2", 0x0182, "0000:01:10.2", "01:10.2"},
		{"0:1:2.3", 0x0113, "0000:01:02.3", "01:02.3"},
		{"9a:0f.0", 0x9a78, "0000:9a:0f.0", "9a:0f.0"},
		{"AF:00.0", 0xaf00, "0000:af:00.0", "af:00.0"},
		{"3B:1f.7", 0x3bff, "0000:3b:1f.7", "3b:1f.7"},
		{"0001:ff:1f.7", 0x1ffff, "0001:ff:1f.7", "0001:ff:1f.7"},
		{"ffff:00:00.0", 0xffff0000, "ffff:00:00.0", "ffff:00:00.0"},
		{"10000:e1:00.0", 0x10000e100, "10000:e1:00.0", "10000:e1:00.0"},
		{"ffffffff:ff:1f.7", UINT64_C(0xffffffffffff), "ffffffff:ff:1f.7", "ffffffff:ff:1f.7"},
	};
	for (size_t i = 0; i < COUNT(good); i++) {
		char text[PCI_TEXT_SIZE];
		uint64_t addr = UNTOUCHED;
		assert_true(pci_parse(good[i].text, &addr));
		assert_int_equal(addr, good[i].want);
		assert_string_equal(pci_format(addr, text), good[i].full);
		assert_string_equal(pci_format_short(addr, text), good[i].brief);
	}
}

static void
refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "eth0", "01:10", "01:10.", "01.2", ":10.2", "01:.2", "01:10.8", "01:20.0",
		"01:10.00", "001:10.0:1", "100:10.2", "0000:100:10.2", "0000:01:010.2", "01:10.2 ", " 01:10.2", "01:10.2x",
		"0x1:10.2", "-1:10.2", "0000:01:10.2:3", "0000::10.2", "123456789:01:00.0", "g0:00.0", "0000:01:00.0:"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		uint64_t addr = UNTOUCHED;
		assert_false(pci_parse(bad[i], &addr));
		assert_int_equal(addr, UNTOUCHED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
