/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/addr.h"

#include <stdio.h>
#include <string.h>

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

/* Hexadecimal digits in groups of a fixed length with one separator between them, twelve digits in all. */
static bool
parse_grouped(const char *word, char separator, size_t group, uint64_t *mac)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < 12; i++) {
		if (i && i % group == 0 && *word++ != separator) {
			return false;
		}
		int digit = hex_digit(*word);
		if (digit < 0) {
			return false;
		}
		sum = sum << 4 | (uint64_t)digit;
		word++;
	}
	if (*word) {
		return false;
	}
	*mac = sum;
	return true;
}

bool
mac_parse(const char *word, uint64_t *mac)
{
	return parse_grouped(word, ':', 2, mac) || parse_grouped(word, '-', 2, mac) || parse_grouped(word, '.', 4, mac);
}

char *
mac_format(uint64_t mac, char text[static MAC_TEXT_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	char *at = text;
	for (int shift = 40; shift >= 0; shift -= 8) {
		*at++ = hex[mac >> (shift + 4) & 15];
		*at++ = hex[mac >> shift & 15];
		*at++ = shift ? ':' : '\0';
	}
	return text;
}

/* Four decimal numbers with dots; returns false unless the word ends there. */
static bool
parse_dotted(const char *word, uint8_t out[static 4])
{
	uint8_t bytes[4];
	for (int i = 0; i < 4; i++) {
		if (i && *word++ != '.') {
			return false;
		}
		unsigned value = 0, n = 0;
		for (; *word >= '0' && *word <= '9'; word++) {
			if (++n > 3 || (n > 1 && value == 0)) { /* RFC 6943 3.1.1: a leading zero means octal to some */
				return false;
			}
			value = value * 10 + (unsigned)(*word - '0');
		}
		if (n == 0 || value > 255) {
			return false;
		}
		bytes[i] = (uint8_t)value;
	}
	if (*word) {
		return false;
	}
	memcpy(out, bytes, 4);
	return true;
}

/* One group of one to four hexadecimal digits; NULL when there is none. */
static const char *
parse_group(const char *word, unsigned *value)
{
	unsigned n = 0;
	*value = 0;
	for (; hex_digit(*word) >= 0; word++) {
		if (++n > 4) {
			return NULL;
		}
		*value = *value << 4 | (unsigned)hex_digit(*word);
	}
	return n ? word : NULL;
}

/* RFC 4291 2.2. */
static bool
parse_v6(const char *word, uint8_t out[static 16])
{
	uint8_t bytes[16] = {0};
	size_t n = 0;    /* bytes so far */
	size_t gap = 17; /* where "::" stood */
	if (word[0] == ':') {
		if (word[1] != ':') {
			return false;
		}
		gap = 0;
		word += 2;
	}
	while (*word) {
		unsigned value;
		if (n <= 12 && parse_dotted(word, bytes + n)) {
			n += 4;
			break;
		}
		word = parse_group(word, &value);
		if (!word || n >= 16) {
			return false;
		}
		bytes[n++] = (uint8_t)(value >> 8);
		bytes[n++] = (uint8_t)value;
		if (*word == '\0') {
			break;
		}
		if (*word++ != ':') {
			return false;
		}
		if (*word == ':') {
			if (gap != 17) {
				return false;
			}
			gap = n;
			word++;
		} else if (*word == '\0') {
			return false;
		}
	}
	if (gap == 17 ? n != 16 : n > 14) { /* "::" stands for at least one group */
		return false;
	}
	if (gap != 17) {
		memmove(bytes + 16 - (n - gap), bytes + gap, n - gap);
		memset(bytes + gap, 0, 16 - n);
	}
	memcpy(out, bytes, 16);
	return true;
}

bool
ip_parse(const char *word, struct ip *ip)
{
	struct ip got = {.family = 4};
	if (!parse_dotted(word, got.bytes)) {
		got.family = 6;
		if (!parse_v6(word, got.bytes)) {
			return false;
		}
	}
	*ip = got;
	return true;
}

/* RFC 5952 4.2: the longest run of at least two zero groups, the first of equals. Its start, or 8. */
static int
longest_zeros(const unsigned group[static 8], int *length)
{
	int best = 8;
	*length = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && group[i + n] == 0) {
			n++;
		}
		if (n > *length) {
			best = i;
			*length = n;
		}
		i += n ? n - 1 : 0;
	}
	return best;
}

static char *
format_v6(const uint8_t bytes[static 16], char text[static IP_TEXT_SIZE])
{
	unsigned group[8];
	for (int i = 0; i < 8; i++) {
		group[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
	}
	int length, gap = longest_zeros(group, &length);
	/* RFC 5952 5: an IPv4-mapped address shows its IPv4 part. */
	if (gap == 0 && length == 5 && group[5] == 0xffff) {
		snprintf(text, IP_TEXT_SIZE, "::ffff:%u.%u.%u.%u", bytes[12], bytes[13], bytes[14], bytes[15]);
		return text;
	}
	size_t at = 0;
	for (int i = 0; i < 8; i++) {
		if (i == gap) {
			at += (size_t)snprintf(text + at, IP_TEXT_SIZE - at, "::");
			i += length - 1;
			continue;
		}
		bool first = i == 0 || (gap < i && i == gap + length);
		at += (size_t)snprintf(text + at, IP_TEXT_SIZE - at, "%s%x", first ? "" : ":", group[i]);
	}
	return text;
}

char *
ip_format(const struct ip *ip, char text[static IP_TEXT_SIZE])
{
	if (ip->family == 6) {
		return format_v6(ip->bytes, text);
	}
	snprintf(text, IP_TEXT_SIZE, "%u.%u.%u.%u", ip->bytes[0], ip->bytes[1], ip->bytes[2], ip->bytes[3]);
	return text;
}
