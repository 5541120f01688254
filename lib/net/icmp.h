/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICMP (RFC 792) and ICMPv6 (RFC 4443): echo, and errors about a packet. Neighbour discovery is in nd.h. Pure. */
#ifndef PEKIT_NET_ICMP_H
#define PEKIT_NET_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "net/ip4.h"
#include "net/ip6.h"

enum { ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_REDIRECT = 5, ICMP_ECHO = 8, ICMP_TIME = 11, ICMP_PARAMETER = 12 };
enum {
	ICMP_UNREACHABLE_NET = 0,
	ICMP_UNREACHABLE_HOST = 1,
	ICMP_UNREACHABLE_PROTOCOL = 2,
	ICMP_UNREACHABLE_PORT = 3,
	ICMP_UNREACHABLE_TOO_BIG = 4,
	ICMP_UNREACHABLE_PROHIBITED = 13,
};

enum {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME = 3,
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_REDIRECT = 137,
};
enum {
	ICMP6_UNREACHABLE_ROUTE = 0,
	ICMP6_UNREACHABLE_PROHIBITED = 1,
	ICMP6_UNREACHABLE_ADDRESS = 3,
	ICMP6_UNREACHABLE_PORT = 4,
	ICMP6_PARAMETER_NEXT = 1, /* unrecognized next header */
};

struct icmp {
	uint8_t type, code;
	uint32_t word; /* the second word: echo's identifier and sequence, an error's MTU or pointer */
};

/*
 * `in` stands at the message and at its payload afterwards; its end is the packet's. False: cut off, or its checksum is wrong.
 * For ICMPv6 the checksum covers the addresses of ip.
 */
bool
icmp4_get(struct bytes_in *in, struct icmp *icmp);
bool
icmp6_get(struct bytes_in *in, const struct ip6 *ip, struct icmp *icmp);

/* May an error be sent about this packet (RFC 1122 3.2.2, RFC 4443 2.4 e)? group: it came to a group or broadcast MAC. `in`
 * stands behind the IP header. */
bool
icmp4_may_complain(const struct ip4 *about, struct bytes_in in, bool group);
bool
icmp6_may_complain(const struct ip6 *about, struct bytes_in in, bool group, const struct icmp *error);

#define ICMP4_ERROR_MAX 576 /* RFC 1812 4.3.2.3 */
#define ICMP6_ERROR_MAX IP6_MIN_MTU

/* A whole error packet with its IP header (TTL and hop limit 64, source as given), about the packet of `size` bytes from its IP
 * header on. */
void
icmp4_error_put(struct bytes_out *out, const struct icmp *icmp, uint32_t source, uint32_t destination, const uint8_t *about,
	uint16_t size);
void
icmp6_error_put(struct bytes_out *out, const struct icmp *icmp, const uint64_t source[static 2],
	const uint64_t destination[static 2], const uint8_t *about, uint16_t size);

#endif
