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

/* `in` stands at the IP header. False: it is none (cut off within the fixed header, or another version). */
bool
ip_flow_v4(struct bytes_in *in, struct ip_flow *flow);

bool
ip_flow_v6(struct bytes_in *in, struct ip_flow *flow);

#endif
