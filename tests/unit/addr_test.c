/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/base/addr.c */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"

static void
macs(void **state)
{
	(void)state;
	static const char *const good[] = {"02:00:5e:0A:bc:01", "02-00-5e-0a-BC-01", "0200.5e0a.bc01"};
	char text[MAC_TEXT_SIZE];
	for (size_t i = 0; i < 3; i++) {
		uint64_t mac = 1;
		assert_true(mac_parse(good[i], &mac));
		assert_true(mac == 0x02005e0abc01);
		assert_string_equal(mac_format(mac, text), "02:00:5e:0a:bc:01");
	}
	static const char *const bad[] = {"", "02", "02:00:5e:0a:bc", "02:00:5e:0a:bc:01:", "02:00:5e:0a:bc:01:02",
		"02:00-5e:0a:bc:01", "2:0:5e:a:bc:1", "02:00:5e:0a:bc:0g", "02005e0abc01", " 02:00:5e:0a:bc:01",
		"0200.5e0a.bc01.", "0200.5e0a:bc01", "02:00:5e:0a:bc:011"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint64_t mac = 1;
		assert_false(mac_parse(bad[i], &mac));
		assert_int_equal(mac, 1);
	}
}

static void
mac_bytes(void **state)
{
	(void)state;
	uint8_t bytes[6];
	mac_put(0x0180c2000001, bytes);
	assert_memory_equal(bytes, "\x01\x80\xc2\x00\x00\x01", 6);
	assert_true(mac_get(bytes) == 0x0180c2000001);
	assert_true(mac_is_group(0x0180c2000001));
	assert_true(mac_is_group(0xffffffffffff));
	assert_false(mac_is_group(0x020000000001));
}

/* The C library is the judge: what we take it must take and understand the same, and format the same. */
static void
ips_agree_with_libc(void **state)
{
	(void)state;
	static const char *const good[] = {"0.0.0.0", "255.255.255.255", "10.0.10.1", "::", "::1", "1::", "2001:db8::1",
		"fe80::1:2:3:4", "1:2:3:4:5:6:7:8", "1::8", "0:0:1::", "2001:db8:0:0:1:0:0:1", "2001:db8:0:1:1:1:1:1",
		"::ffff:10.0.0.1", "64:ff9b::192.0.2.33", "::1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7::", "ABCD:EF01::", "1:2:3:4:5:6:1.2.3.4"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct ip ip;
		uint8_t want[16] = {0};
		int family = strchr(good[i], ':') ? AF_INET6 : AF_INET;
		char text[IP_TEXT_SIZE], libc_text[INET6_ADDRSTRLEN];
		assert_int_equal(inet_pton(family, good[i], want), 1);
		assert_true(ip_parse(good[i], &ip));
		assert_int_equal(ip.family, family == AF_INET6 ? 6 : 4);
		assert_memory_equal(ip.bytes, want, 16);
		assert_non_null(inet_ntop(family, want, libc_text, sizeof(libc_text)));
		assert_string_equal(ip_format(&ip, text), libc_text);
	}
}

static void
ips_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1..2.3", ":",
		":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
		"12345::", "g::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "fe80::1%eth0",
		"::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "1:"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct ip ip = {.family = 99};
		if (ip_parse(bad[i], &ip)) {
			fail_msg("'%s' was taken", bad[i]);
		}
		assert_int_equal(ip.family, 99);
	}
}

static void
v6_form(void **state)
{
	(void)state;
	/* RFC 5952 4.2.2: one zero group is not shortened; 4.2.3: the longest run, the first of equals. */
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:DB8::AB", "2001:db8::ab"},
		{"0:0:0:0:0:0:0:0", "::"},
		{"1:0:0:0:0:0:0:0", "1::"},
		{"0:0:0:0:0:ffff:1.2.3.4", "::ffff:1.2.3.4"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ip ip;
		char text[IP_TEXT_SIZE];
		assert_true(ip_parse(cases[i].in, &ip));
		assert_string_equal(ip_format(&ip, text), cases[i].out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs),
		cmocka_unit_test(mac_bytes),
		cmocka_unit_test(ips_agree_with_libc),
		cmocka_unit_test(ips_refused),
		cmocka_unit_test(v6_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
