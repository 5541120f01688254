/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames as they come from the wire: the Ethernet and IP codecs, and the hash. The hash's quick way must agree with its general
 * one, and no more than the frame may be read. links: lib/net/eth.c lib/net/ip.c lib/rss/rss.c
 */
#include "must.h"
#include "net/eth.h"
#include "net/ip.h"
#include "rss/rss.h"

static struct rss_key key;

/* What rss_frame() does, without its quick way; -1: no IP flow. */
static int64_t
flow_hash(const uint8_t *data, size_t size)
{
	struct bytes_in in = bytes_in(data, size);
	struct eth eth;
	struct ip_flow flow;
	uint8_t input[RSS_INPUT];

	if (!eth_get(&in, &eth) ||
		!(eth.type == ETH_IPV4 ? ip_flow_v4(&in, &flow) : eth.type == ETH_IPV6 && ip_flow_v6(&in, &flow))) {
		return -1;
	}
	memcpy(input, flow.addresses, flow.size);
	if (flow.ports) {
		must(!flow.fragment);
		must(flow.ports >= data && flow.ports + 4 <= data + size);
		memcpy(input + flow.size, flow.ports, 4);
	}
	return rss_hash(&key, input, flow.size + (flow.ports ? 4 : 0));
}

static void
round_trip(const uint8_t *data, size_t size)
{
	struct bytes_in in = bytes_in(data, size);
	struct eth eth;
	uint8_t again[ETH_HEADER + ETH_TAGS * ETH_TAG];

	if (eth_get(&in, &eth)) {
		struct bytes_out out = bytes_out(again, sizeof(again));
		eth_put(&out, &eth);
		must(!out.bad && out.at - again == in.at - data);
		must(!memcmp(again, data, (size_t)(out.at - again)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!key.table[0][1]) {
		rss_key_init(&key, rss_default_key);
	}
	round_trip(data, size);
	uint32_t hash = rss_frame(&key, data, (uint32_t)size);
	int64_t flow = flow_hash(data, size);
	must(flow < 0 || hash == (uint32_t)flow);
	return 0;
}
