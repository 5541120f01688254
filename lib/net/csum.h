/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Internet checksum (RFC 1071) and its incremental update (RFC 1624). Pure. */
#ifndef PEKIT_NET_CSUM_H
#define PEKIT_NET_CSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds bytes to a running sum. Only the last piece may have an odd size. */
uint64_t
csum_add(uint64_t sum, const void *data, size_t size);

/* What goes into the field, as a number in host order: the complement of the folded sum. 0 over data with its checksum: right. */
static inline uint16_t
csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline uint16_t
csum(const void *data, size_t size)
{
	return csum_fold(csum_add(0, data, size));
}

/* The sum of an IPv6 pseudo header (RFC 8200 8.1), to be continued with the upper-layer packet. */
uint64_t
csum_pseudo6(const uint8_t source[static 16], const uint8_t destination[static 16], uint32_t size, uint8_t next);

/* The same for addresses as words (lib/net/ip6.h). */
static inline uint64_t
csum_pseudo6_words(const uint64_t source[static 2], const uint64_t destination[static 2], uint32_t size, uint8_t next)
{
	uint64_t sum = (uint64_t)size + next;
	for (unsigned i = 0; i < 2; i++) {
		sum += (source[i] >> 32) + (source[i] & 0xffffffff) + (destination[i] >> 32) + (destination[i] & 0xffffffff);
	}
	return sum;
}

/* A 16-bit word of what is summed changes from old to new: HC' = ~(~HC + ~m + m') (RFC 1624 3). All in host order. */
static inline uint16_t
csum_update(uint16_t checksum, uint16_t old, uint16_t new)
{
	uint32_t sum = (uint32_t)(uint16_t)~checksum + (uint16_t)~old + new;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

#endif
