/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The IPv6 header (RFC 8200): bytes to struct, struct to bytes, extension headers. Pure. */
#ifndef PEKIT_NET_IP6_H
#define PEKIT_NET_IP6_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "net/ip.h"

#define IP6_HEADER 40
#define IP6_MIN_MTU 1280
#define IP6_ICMP 58
#define IP6_NONE 59

struct ip6 {
	uint8_t traffic_class;
	uint32_t flow; /* 20 bits */
	uint16_t size; /* of what follows the header */
	uint8_t next, hops;
	uint64_t source[2], destination[2]; /* the first bytes highest (struct seg_nbr) */
};

/* IP6_CUT: within the header; IP6_LENGTH: the packet is longer than what is there. */
enum ip6_wrong { IP6_GOOD, IP6_CUT, IP6_VERSION, IP6_LENGTH };

/* `in` stands at the header and behind it afterwards; its end is brought in to the packet's. */
enum ip6_wrong
ip6_get(struct bytes_in *in, struct ip6 *ip);

void
ip6_put(struct bytes_out *out, const struct ip6 *ip);

/*
 * Walks extension headers from `next`; `in` stands behind them afterwards. What stands there: a protocol, IP6_NONE, or, when a
 * header cannot be walked (cut, unknown, a later fragment), 255. *hop_by_hop: there is one, and *fragment.
 */
uint8_t
ip6_walk(struct bytes_in *in, uint8_t next, bool *hop_by_hop, bool *fragment);

/* ff00::/8, fe80::/10, ::, ::1, as words. */
static inline bool
ip6_is_multicast(const uint64_t a[static 2])
{
	return a[0] >> 56 == 0xff;
}

static inline bool
ip6_is_link_local(const uint64_t a[static 2])
{
	return a[0] >> 54 == 0x3fa;
}

static inline bool
ip6_is_none(const uint64_t a[static 2])
{
	return !(a[0] | a[1]);
}

static inline bool
ip6_is_loopback(const uint64_t a[static 2])
{
	return a[0] == 0 && a[1] == 1;
}

/* Words from 16 bytes, and back. */
void
ip6_words(const uint8_t bytes[static 16], uint64_t words[static 2]);
void
ip6_bytes(const uint64_t words[static 2], uint8_t bytes[static 16]);

/* fe80::/64 with the modified EUI-64 of a MAC (RFC 4291 appendix A). */
void
ip6_link_local(uint64_t mac, uint64_t words[static 2]);

#endif
