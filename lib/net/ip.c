/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ip.h"

#include <stddef.h>

#define V4_MORE_OR_OFFSET 0x3fff /* RFC 791 3.1: MF and the fragment offset */

static void
flow_ports(struct bytes_in *in, struct ip_flow *flow)
{
	if (!flow->fragment && ip_has_ports(flow->protocol)) {
		flow->ports = bytes_take(in, 4);
	}
}

bool
ip_flow_v4(struct bytes_in *in, struct ip_flow *flow)
{
	*flow = (struct ip_flow){.size = 8};
	uint8_t version = bytes_get_u8(in);
	bytes_take(in, 5);
	flow->fragment = bytes_get_u16(in) & V4_MORE_OR_OFFSET;
	bytes_take(in, 1);
	flow->protocol = bytes_get_u8(in);
	bytes_take(in, 2);
	flow->addresses = bytes_take(in, 8);
	unsigned header = (version & 15u) * 4;
	if (in->bad || version >> 4 != 4 || header < 20) {
		return false;
	}
	bytes_take(in, header - 20);
	flow_ports(in, flow);
	return true;
}

bool
ip_flow_v6(struct bytes_in *in, struct ip_flow *flow)
{
	*flow = (struct ip_flow){.size = 32};
	uint8_t version = bytes_get_u8(in);
	bytes_take(in, 5);
	flow->protocol = bytes_get_u8(in);
	bytes_take(in, 1);
	flow->addresses = bytes_take(in, 32);
	if (in->bad || version >> 4 != 6) {
		return false;
	}
	for (unsigned i = 0; i < IP_MAX_EXTENSIONS && ip6_extension_size(flow->protocol, 0); i++) {
		uint8_t type = flow->protocol;
		uint8_t next = bytes_get_u8(in), length = bytes_get_u8(in);
		bytes_take(in, ip6_extension_size(type, length) - 2);
		if (in->bad) {
			return true;
		}
		flow->protocol = next;
		if (type == IP6_FRAGMENT) {
			flow->fragment = true;
			return true;
		}
	}
	flow_ports(in, flow);
	return true;
}
