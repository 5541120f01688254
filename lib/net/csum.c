/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/csum.h"

#include <string.h>

/* The number that two bytes are when read as the machine reads them, as the one that the network means (RFC 1071 2 B). */
static inline uint16_t
from_native(uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (uint16_t)(v << 8 | v >> 8);
#else
	return v;
#endif
}

uint64_t
csum_add(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *at = data;
	uint64_t low = 0, high = 0;

	for (; size >= 8; at += 8, size -= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		low += word & 0xffffffff;
		high += word >> 32;
	}
	if (size & 4) {
		uint32_t word;
		memcpy(&word, at, 4);
		low += word;
		at += 4;
	}
	if (size & 2) {
		uint16_t word;
		memcpy(&word, at, 2);
		low += word;
		at += 2;
	}
	if (size & 1) {
		uint16_t word = 0; /* the odd byte is followed by a zero */
		memcpy(&word, at, 1);
		low += word;
	}
	low = (low & 0xffffffff) + (low >> 32) + (high & 0xffffffff) + (high >> 32);
	return sum + from_native((uint16_t)~csum_fold(low));
}

uint64_t
csum_pseudo6(const uint8_t source[static 16], const uint8_t destination[static 16], uint32_t size, uint8_t next)
{
	uint64_t sum = (uint64_t)(size >> 16) + (size & 0xffff) + next;
	return csum_add(csum_add(sum, source, 16), destination, 16);
}
