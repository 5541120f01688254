/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/base/num.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/num.h"

#define UNTOUCHED 4711u

static void
whole_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		uint64_t min, max, want;
	} good[] = {
		{"0", 0, 10, 0},
		{"10", 0, 10, 10},
		{"007", 0, 10, 7},
		{"0x1F", 0, 100, 31},
		{"0Xff", 0, 255, 255},
		{"18446744073709551615", 0, UINT64_MAX, UINT64_MAX},
		{"0xffffffffffffffff", 0, UINT64_MAX, UINT64_MAX},
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		uint64_t got = UNTOUCHED;
		assert_true(num_parse_u64(good[i].word, good[i].min, good[i].max, &got));
		assert_int_equal(got, good[i].want);
	}
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "1x", "0x", "x1", "0xg", "1.0", "1e3", "11", "2",
		"18446744073709551616", "0x10000000000000000", "99999999999999999999999"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint64_t got = UNTOUCHED;
		assert_false(num_parse_u64(bad[i], 3, 10, &got));
		assert_int_equal(got, UNTOUCHED);
	}
}

typedef bool
parser(const char *word, uint64_t *value);

static void
accept(parser *parse, const char *word, uint64_t want)
{
	uint64_t got = UNTOUCHED;
	assert_true(parse(word, &got));
	assert_int_equal(got, want);
}

static void
refuse(parser *parse, const char *word)
{
	uint64_t got = UNTOUCHED;
	assert_false(parse(word, &got));
	assert_int_equal(got, UNTOUCHED);
}

static void
rates(void **state)
{
	(void)state;
	accept(num_parse_bps, "5G", 5000000000);
	accept(num_parse_bps, "5Gbit", 5000000000);
	accept(num_parse_bps, "500M", 500000000);
	accept(num_parse_bps, "500mbit", 500000000);
	accept(num_parse_bps, "10kbit", 10000);
	accept(num_parse_bps, "800", 800);
	accept(num_parse_bps, "800bit", 800);
	accept(num_parse_bps, "2.5G", 2500000000);
	refuse(num_parse_bps, "2Mpps");
	refuse(num_parse_bps, "G");
	refuse(num_parse_bps, "");
	refuse(num_parse_bps, "-1G");
	refuse(num_parse_bps, "1 G");
	refuse(num_parse_bps, "0.5");
	refuse(num_parse_bps, "1.G");
	refuse(num_parse_bps, "99999999999G");
	accept(num_parse_pps, "2M", 2000000);
	accept(num_parse_pps, "2Mpps", 2000000);
	accept(num_parse_pps, "10kPPS", 10000);
	accept(num_parse_pps, "500pps", 500);
	refuse(num_parse_pps, "2Mbit");
}

static void
times(void **state)
{
	(void)state;
	accept(num_parse_time_ms, "14s", 14000);
	accept(num_parse_time_ms, "5d", 432000000);
	accept(num_parse_time_ms, "2h", 7200000);
	accept(num_parse_time_ms, "3m", 180000);
	accept(num_parse_time_ms, "100ms", 100);
	accept(num_parse_time_ms, "0.5s", 500);
	accept(num_parse_time_ms, "0.5", 500);
	accept(num_parse_time_ms, "7", 7000);
	refuse(num_parse_time_ms, "0.5ms");
	refuse(num_parse_time_ms, "5 s");
	refuse(num_parse_time_ms, "1.0000000000s");
	refuse(num_parse_time_ms, "213503982335d");
}

static void
formats(void **state)
{
	(void)state;
	static const struct {
		uint64_t value;
		const char *want;
	} si[] = {
		{0, "0"},
		{999, "999"},
		{1000, "1.00 k"},
		{1230000, "1.23 M"},
		{12000, "12.0 k"},
		{123456, "123 k"},
		{999499, "999 k"},
		{999500, "1.00 M"},
		{9995, "10.0 k"},
		{99950, "100 k"},
		{UINT64_MAX, "18.4 E"},
	};
	static const struct {
		uint64_t value;
		const char *want;
	} ages[] = {
		{0, "0 ms"},
		{999, "999 ms"},
		{1000, "1 s"},
		{59999, "59 s"},
		{184000, "3 min 4 s"},
		{3600000, "1 h 0 min"},
		{90061000, "1 d 1 h"},
	};
	char text[32];
	for (size_t i = 0; i < sizeof(si) / sizeof(*si); i++) {
		assert_string_equal(num_format_si(si[i].value, text, sizeof(text)), si[i].want);
	}
	for (size_t i = 0; i < sizeof(ages) / sizeof(*ages); i++) {
		assert_string_equal(num_format_age(ages[i].value, text, sizeof(text)), ages[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(rates),
		cmocka_unit_test(times),
		cmocka_unit_test(formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
