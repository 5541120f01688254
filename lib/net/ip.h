/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a flow is told by: addresses and ports of an IPv4 or IPv6 packet. Pure.
 */
#ifndef PEKIT_NET_IP_H
#define PEKIT_NET_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define IP_ICMP 1
#define IP_TCP 6
#define IP_UDP 17
#define IP_SCTP 132

#define IP_MAX_EXTENSIONS 8 /* IPv6 extension headers that are followed */

enum {
	IP6_HOP_BY_HOP = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_AUTHENTICATION = 51,
	IP6_DESTINATION = 60,
	IP6_MOBILITY = 135,
};

struct ip_flow {
	const uint8_t *addresses; /* in the packet: source, then destination */
	unsigned size;            /* of both: 8 or 32 */
	uint8_t protocol;         /* behind the extension headers */
	bool fragment;            /* a part of a packet, the first part included; then there are no ports */
	const uint8_t *ports;     /* in the packet: source, then destination, two bytes each; NULL: none */
};

static inline bool
ip_has_ports(uint8_t protocol)
{
	return protocol == IP_TCP || protocol == IP_UDP || protocol == IP_SCTP;
}

/* The size of an IPv6 extension header from its second byte; 0: that type is none. */
static inline unsigned
ip6_extension_size(uint8_t type, uint8_t length)
{
	switch (type) {
	case IP6_HOP_BY_HOP:
	case IP6_ROUTING:
	case IP6_DESTINATION:
	case IP6_MOBILITY:
		return (length + 1u) * 8;
	case IP6_AUTHENTICATION: /* RFC 4302 2.2: in words of four bytes, less two */
		return (length + 2u) * 4;
	case IP6_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

/* `in` stands at the IP header. False: it is none (cut off within the fixed header, or another version). */
bool
ip_flow_v4(struct bytes_in *in, struct ip_flow *flow);

bool
ip_flow_v6(struct bytes_in *in, struct ip_flow *flow);

#endif
