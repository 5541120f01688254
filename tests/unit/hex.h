/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets in tests as people read them. */
#ifndef PEKIT_TEST_HEX_H
#define PEKIT_TEST_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes from pairs of hex digits; blanks are passed over. Returns how many. */
static inline size_t
hex(const char *text, uint8_t *bytes)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;
	for (; *text; text++) {
		if (*text == ' ') {
			continue;
		}
		unsigned high = (unsigned)(strchr(digits, text[0]) - digits), low = (unsigned)(strchr(digits, text[1]) - digits);
		bytes[n++] = (uint8_t)(high << 4 | low);
		text++;
	}
	return n;
}

#endif
