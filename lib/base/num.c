/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/num.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Reads digits of a base; returns how many, 0 also when the value does not fit. */
static size_t
digits(const char *word, unsigned base, uint64_t *value)
{
	uint64_t sum = 0;
	size_t n = 0;
	for (;; n++) {
		char c = word[n];
		unsigned digit;
		if (c >= '0' && c <= '9') {
			digit = (unsigned)(c - '0');
		} else if (base == 16 && c >= 'a' && c <= 'f') {
			digit = (unsigned)(c - 'a') + 10;
		} else if (base == 16 && c >= 'A' && c <= 'F') {
			digit = (unsigned)(c - 'A') + 10;
		} else {
			break;
		}
		if (__builtin_mul_overflow(sum, (uint64_t)base, &sum) || __builtin_add_overflow(sum, (uint64_t)digit, &sum)) {
			return 0;
		}
	}
	*value = sum;
	return n;
}

bool
num_parse_u64(const char *word, uint64_t min, uint64_t max, uint64_t *value)
{
	bool hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	const char *start = hex ? word + 2 : word;
	uint64_t got = 0;
	size_t n = digits(start, hex ? 16 : 10, &got);
	if (n == 0 || start[n] != '\0' || got < min || got > max) {
		return false;
	}
	*value = got;
	return true;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* A decimal number with up to nine places, times the unit that follows it. Exact: what is not whole in the end is refused. */
static bool
parse_unit(const char *word, const struct unit *units, uint64_t *value)
{
	uint64_t whole = 0, part = 0, scale = 1;
	size_t n = digits(word, 10, &whole);
	if (n == 0) {
		return false;
	}
	word += n;
	if (*word == '.') {
		n = digits(word + 1, 10, &part);
		if (n == 0 || n > 9) {
			return false;
		}
		word += 1 + n;
		for (size_t i = 0; i < n; i++) {
			scale *= 10;
		}
	}
	for (; units->name; units++) {
		if (strcasecmp(word, units->name) == 0) {
			uint64_t high, low;
			if (__builtin_mul_overflow(whole, units->factor, &high) ||
				__builtin_mul_overflow(part, units->factor, &low) || low % scale != 0 ||
				__builtin_add_overflow(high, low / scale, &high)) {
				return false;
			}
			*value = high;
			return true;
		}
	}
	return false;
}

bool
num_parse_bps(const char *word, uint64_t *value)
{
	static const struct unit units[] = {
		{"", 1},
		{"bit", 1},
		{"k", 1000},
		{"kbit", 1000},
		{"M", 1000000},
		{"Mbit", 1000000},
		{"G", 1000000000},
		{"Gbit", 1000000000},
		{"T", 1000000000000},
		{"Tbit", 1000000000000},
		{NULL, 0},
	};
	return parse_unit(word, units, value);
}

bool
num_parse_pps(const char *word, uint64_t *value)
{
	static const struct unit units[] = {
		{"", 1},
		{"pps", 1},
		{"k", 1000},
		{"kpps", 1000},
		{"M", 1000000},
		{"Mpps", 1000000},
		{"G", 1000000000},
		{"Gpps", 1000000000},
		{NULL, 0},
	};
	return parse_unit(word, units, value);
}

bool
num_parse_time_ms(const char *word, uint64_t *value)
{
	static const struct unit units[] = {
		{"", 1000},
		{"ms", 1},
		{"s", 1000},
		{"m", 60000},
		{"min", 60000},
		{"h", 3600000},
		{"d", 86400000},
		{NULL, 0},
	};
	return parse_unit(word, units, value);
}

char *
num_format_si(uint64_t value, char *text, size_t size)
{
	static const char letters[] = " kMGTPE";
	if (value < 1000) {
		snprintf(text, size, "%" PRIu64, value);
		return text;
	}
	double scaled = (double)value;
	unsigned step = 0;
	/* 999.5 would be printed as 1000. */
	while (scaled >= 999.5 && step < sizeof(letters) - 2) {
		scaled /= 1000;
		step++;
	}
	int places = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
	snprintf(text, size, "%.*f %c", places, scaled, letters[step]);
	return text;
}

char *
num_format_age(uint64_t ms, char *text, size_t size)
{
	uint64_t s = ms / 1000;
	if (ms < 1000) {
		snprintf(text, size, "%" PRIu64 " ms", ms);
	} else if (s < 60) {
		snprintf(text, size, "%" PRIu64 " s", s);
	} else if (s < 3600) {
		snprintf(text, size, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	} else if (s < 86400) {
		snprintf(text, size, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	} else {
		snprintf(text, size, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
	}
	return text;
}
