/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPv6 packets: what was read is written again, and the two walks over extension headers agree.
 * links: lib/net/ip6.c lib/net/ip.c
 */
#include "must.h"
#include "net/ip6.h"

enum { NOT_WALKED = 255 };

static void
walk(const uint8_t *data, size_t size, struct bytes_in in, uint8_t next)
{
	const uint8_t *start = in.at, *end = in.end;
	struct bytes_in whole = bytes_in(data, size);
	struct ip_flow flow;
	bool hop_by_hop, fragment;
	uint8_t protocol = ip6_walk(&in, next, &hop_by_hop, &fragment);

	must(in.at >= start && in.at <= end && in.end == end);
	must(hop_by_hop == (next == IP6_HOP_BY_HOP));
	must(protocol == NOT_WALKED || !in.bad);
	must(ip_flow_v6(&whole, &flow));
	must(protocol == NOT_WALKED || fragment || protocol == flow.protocol);
	must(!fragment || flow.fragment);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_in in = bytes_in(data, size);
	struct ip6 ip;
	uint8_t again[IP6_HEADER];

	if (ip6_get(&in, &ip) == IP6_GOOD) {
		struct bytes_out out = bytes_out(again, sizeof(again));
		ip6_put(&out, &ip);
		must(!out.bad && out.at == again + IP6_HEADER && in.at == data + IP6_HEADER);
		must(!memcmp(again, data, IP6_HEADER));
		must(in.end == in.at + ip.size && in.end <= data + size);
		walk(data, size, in, ip.next);
	}
	return 0;
}
