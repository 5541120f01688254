/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rss/rss.h"

#include "net/eth.h"
#include "net/ip.h"

const uint8_t rss_default_key[RSS_KEY_SIZE] = {
	0x6d,
	0x5a,
	0x56,
	0xda,
	0x25,
	0x5b,
	0x0e,
	0xc2,
	0x41,
	0x67,
	0x25,
	0x3d,
	0x43,
	0xa3,
	0x8f,
	0xb0,
	0xd0,
	0xca,
	0x2b,
	0xcb,
	0xae,
	0x7b,
	0x30,
	0xb4,
	0x77,
	0xcb,
	0x2d,
	0xa3,
	0x80,
	0x30,
	0xf2,
	0x0c,
	0x6a,
	0x42,
	0xb7,
	0x3b,
	0xbe,
	0xac,
	0x01,
	0xfa,
};

/* The 32 key bits from bit `at` on. */
static uint32_t
key_window(const uint8_t bytes[static RSS_KEY_SIZE], unsigned at)
{
	uint64_t window = 0;
	for (unsigned i = 0; i < 5; i++) {
		unsigned byte = at / 8 + i;
		window = window << 8 | (byte < RSS_KEY_SIZE ? bytes[byte] : 0);
	}
	return (uint32_t)(window >> (8 - at % 8));
}

void
rss_key_init(struct rss_key *key, const uint8_t bytes[static RSS_KEY_SIZE])
{
	for (unsigned at = 0; at < RSS_INPUT; at++) {
		uint32_t *table = key->table[at];
		table[0] = 0;
		for (unsigned value = 1; value < 256; value++) {
			unsigned lowest = (unsigned)__builtin_ctz(value);
			table[value] = table[value & (value - 1)] ^ key_window(bytes, at * 8 + 7 - lowest);
		}
	}
}

bool
rss_table_init(struct rss_table *table, unsigned buckets, unsigned ncores)
{
	if (buckets < RSS_MIN_BUCKETS || buckets > RSS_MAX_BUCKETS || (buckets & (buckets - 1)) || !ncores ||
		ncores > UINT8_MAX) {
		return false;
	}
	*table = (struct rss_table){.mask = buckets - 1};
	for (unsigned i = 0; i < buckets; i++) {
		table->core[i] = (uint8_t)(1 + i % ncores);
	}
	return true;
}

static uint32_t
hash_flow(const struct rss_key *key, const struct ip_flow *flow)
{
	uint32_t hash = rss_hash(key, flow->addresses, flow->size);
	for (unsigned i = 0; flow->ports && i < 4; i++) {
		hash ^= key->table[flow->size + i][flow->ports[i]];
	}
	return hash;
}

static uint32_t
hash_macs(const struct eth *eth)
{
	uint64_t x = (eth->src ^ (uint64_t)(eth->tags ? ETH_VID(eth->tag[0].tci) : 0) << 48) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 32 ^ eth->dst) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)(x >> 32);
}

/* Any frame, by way of the codecs. */
static uint32_t
hash_frame(const struct rss_key *key, const uint8_t *frame, uint32_t len)
{
	struct bytes_in in = bytes_in(frame, len);
	struct eth eth;
	struct ip_flow flow;

	if (!eth_get(&in, &eth)) {
		return len < ETH_HEADER ? 0 : hash_macs(&eth);
	}
	if (eth.type == ETH_IPV4 ? ip_flow_v4(&in, &flow) : eth.type == ETH_IPV6 && ip_flow_v6(&in, &flow)) {
		return hash_flow(key, &flow);
	}
	return hash_macs(&eth);
}

static uint16_t
be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
rss_frame(const struct rss_key *key, const uint8_t *frame, uint32_t len)
{
	uint32_t at = ETH_HEADER;

	/* The common case at once: IPv4 without options, whole, with ports, behind at most one tag; addresses and ports adjoin.
	 */
	if (len >= ETH_HEADER + ETH_TAG + 24) {
		uint16_t type = be16(frame + 12);
		if (type == ETH_VLAN) {
			type = be16(frame + 16);
			at += ETH_TAG;
		}
		const uint8_t *ip = frame + at;
		if (type == ETH_IPV4 && ip[0] == 0x45 && !((ip[6] & 0x3f) | ip[7]) && ip_has_ports(ip[9])) {
			return rss_hash(key, ip + 12, 12);
		}
	}
	return hash_frame(key, frame, len);
}
