/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neighbour discovery messages (RFC 4861 4): bytes to struct, struct to bytes. Pure. */
#ifndef PEKIT_NET_ND_H
#define PEKIT_NET_ND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "net/ip6.h"

enum nd_type { ND_RS = 133, ND_RA = 134, ND_NS = 135, ND_NA = 136, ND_REDIRECT = 137 };

#define ND_HOPS 255
#define ND_PREFIXES 16

#define ND_NA_ROUTER 0x80
#define ND_NA_SOLICITED 0x40
#define ND_NA_OVERRIDE 0x20
#define ND_RA_MANAGED 0x80
#define ND_RA_OTHER 0x40
#define ND_PREFIX_ON_LINK 0x80
#define ND_PREFIX_AUTONOMOUS 0x40

struct nd_prefix {
	uint8_t length, flags;
	uint32_t valid_s, preferred_s;
	uint64_t prefix[2];
};

struct nd {
	uint8_t type;
	uint8_t flags;      /* of NA, RA */
	uint64_t target[2]; /* of NS, NA, REDIRECT */
	bool has_mac;       /* source link-layer address option (RS, RA, NS), or target one (NA, REDIRECT) */
	uint64_t mac;
	/* RA */
	uint8_t hops;
	uint16_t lifetime_s;
	uint32_t reachable_ms, retrans_ms;
	uint32_t mtu; /* 0: no option */
	unsigned nprefixes;
	struct nd_prefix prefix[ND_PREFIXES]; /* more are passed over */
};

/*
 * `in` stands at the ICMPv6 type; its end is the packet's. Checks what 6.1 and 7.1 ask of every message: code 0, the hop limit
 * 255 of ip, lengths, options of length 0, the checksum, multicast targets, ... False: to be dropped silently.
 */
bool
nd_get(struct bytes_in *in, const struct ip6 *ip, struct nd *nd);

/* A whole packet with its IPv6 header (hop limit 255) and checksum. Routers alone send redirects, and we send none: out->bad. */
void
nd_put(struct bytes_out *out, const struct nd *nd, const uint64_t source[static 2], const uint64_t destination[static 2]);

#define ND_SIZE_MAX (IP6_HEADER + 16 + 8 + 8 + ND_PREFIXES * 32)

#endif
