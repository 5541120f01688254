/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The IPv4 header (RFC 791): bytes to struct, struct to bytes, fragments. Pure. */
#ifndef PEKIT_NET_IP4_H
#define PEKIT_NET_IP4_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "net/ip.h"

#define IP4_HEADER 20
#define IP4_OPTIONS 40
#define IP4_MIN_MTU 68 /* RFC 791 3.2 */
#define IP4_DF 0x4000
#define IP4_MF 0x2000
#define IP4_OFFSET 0x1fff

struct ip4 {
	uint8_t tos, ttl, protocol;
	uint16_t size; /* the whole packet */
	uint16_t id;
	uint16_t fragment; /* IP4_DF | IP4_MF | offset in units of 8 bytes */
	uint32_t source, destination;
	uint8_t noptions; /* bytes, a multiple of 4 */
	uint8_t options[IP4_OPTIONS];
};

/* IP4_CUT: within the fixed header; IP4_LENGTH: the header's, or a packet longer than what is there. */
enum ip4_wrong { IP4_GOOD, IP4_CUT, IP4_VERSION, IP4_LENGTH, IP4_CHECKSUM };

/*
 * `in` stands at the header and behind it afterwards; its end is brought in to the packet's (Ethernet pads). Checks what RFC 1812
 * 5.2.2 asks for.
 */
enum ip4_wrong
ip4_get(struct bytes_in *in, struct ip4 *ip);

/* With its checksum. */
void
ip4_put(struct bytes_out *out, const struct ip4 *ip);

/* May nobody send from this address (RFC 1812 5.3.7: 0.0.0.0/8, 127/8, multicast, 240/4 and broadcast)? */
bool
ip4_bad_source(uint32_t source);

/*
 * The fragment number `n` (0..) of a packet for an MTU (RFC 791 3.2): its header, and where of the packet's payload it begins and
 * how much it takes. False: there is no such fragment, or none may be made (IP4_DF, an MTU below IP4_MIN_MTU). The first
 * one has all options, the others those that are copied. A packet that fits is its own fragment 0.
 */
struct ip4_piece {
	struct ip4 header;
	uint16_t offset, size; /* of the payload, in bytes */
};
bool
ip4_piece(const struct ip4 *whole, uint16_t mtu, unsigned n, struct ip4_piece *piece);

#endif
