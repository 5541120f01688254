/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/rss/rss.c lib/net/eth.c lib/net/ip.c lib/base/addr.c lib/base/num.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/addr.h"
#include "net/eth.h"
#include "net/ip.h"
#include "rss/rss.h"

static struct rss_key key;

static int
setup(void **state)
{
	(void)state;
	rss_key_init(&key, rss_default_key);
	return 0;
}

/* "Verifying the RSS Hash Calculation", Microsoft; there, the destination comes first. */
static const struct verification {
	const char *dst, *src;
	uint16_t dst_port, src_port;
	uint32_t addresses, ports;
} suite[] = {
	{"161.142.100.80", "66.9.149.187", 1766, 2794, 0x323e8fc2, 0x51ccc178},
	{"65.69.140.83", "199.92.111.2", 4739, 14230, 0xd718262a, 0xc626b0ea},
	{"12.22.207.184", "24.19.198.95", 38024, 12898, 0xd2d0a5de, 0x5c2b394a},
	{"209.142.163.6", "38.27.205.30", 2217, 48228, 0x82989176, 0xafc7327f},
	{"202.188.127.2", "153.39.163.191", 1303, 44251, 0x5d1809c5, 0x10e828a2},
	{"3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794, 0x2cc18cd5, 0x40207d3d},
	{"ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230, 0x0f0c461c, 0xdde51bbf},
	{"fe80::200:f8ff:fe21:67cf", "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 38024, 44251, 0x4b61e985, 0x02d1feef},
};

struct frame {
	uint8_t bytes[256];
	uint32_t len;
};

static void
put_tag(struct bytes_out *out, uint16_t tpid, uint16_t tci)
{
	bytes_put_u16(out, tpid);
	bytes_put_u16(out, tci);
}

static void
put_bytes(struct bytes_out *out, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bytes_put_u8(out, bytes[i]);
	}
}

/* A frame of the suite's tuple: `tags` VLAN tags, the protocol, and what its IPv4 fragment word or options are. */
struct shape {
	unsigned tags;
	uint8_t protocol;
	uint16_t v4_fragment;
	unsigned v4_options; /* words */
	const uint8_t *v6_extensions;
	size_t v6_extensions_size;
	uint8_t v6_first;
};

static void
put_v4(struct bytes_out *out, const struct shape *shape, const struct ip *src, const struct ip *dst)
{
	bytes_put_u8(out, (uint8_t)(0x45 + shape->v4_options));
	bytes_put_u8(out, 0);
	bytes_put_u16(out, (uint16_t)(24 + 4 * shape->v4_options));
	bytes_put_u16(out, 1);
	bytes_put_u16(out, shape->v4_fragment);
	bytes_put_u8(out, 64);
	bytes_put_u8(out, shape->protocol);
	bytes_put_u16(out, 0);
	put_bytes(out, src->bytes, 4);
	put_bytes(out, dst->bytes, 4);
	for (unsigned i = 0; i < shape->v4_options; i++) {
		bytes_put_u32(out, 0x01010101);
	}
}

static void
put_v6(struct bytes_out *out, const struct shape *shape, const struct ip *src, const struct ip *dst)
{
	bytes_put_u32(out, 0x60000000);
	bytes_put_u16(out, (uint16_t)(4 + shape->v6_extensions_size));
	bytes_put_u8(out, shape->v6_extensions ? shape->v6_first : shape->protocol);
	bytes_put_u8(out, 64);
	put_bytes(out, src->bytes, 16);
	put_bytes(out, dst->bytes, 16);
	put_bytes(out, shape->v6_extensions, shape->v6_extensions_size);
}

static struct frame
make_frame(const struct verification *v, const struct shape *shape)
{
	struct frame frame = {.len = 0};
	struct bytes_out out = bytes_out(frame.bytes, sizeof(frame.bytes));
	struct ip src, dst;

	assert_true(ip_parse(v->src, &src) && ip_parse(v->dst, &dst));
	bytes_put_mac(&out, 0x020000000001);
	bytes_put_mac(&out, 0x020000000002);
	for (unsigned i = 0; i < shape->tags; i++) {
		put_tag(&out, i + 1 < shape->tags ? ETH_SVLAN : ETH_VLAN, (uint16_t)(0x6000 | (10 + i)));
	}
	bytes_put_u16(&out, src.family == 4 ? ETH_IPV4 : ETH_IPV6);
	if (src.family == 4) {
		put_v4(&out, shape, &src, &dst);
	} else {
		put_v6(&out, shape, &src, &dst);
	}
	bytes_put_u16(&out, v->src_port);
	bytes_put_u16(&out, v->dst_port);
	assert_false(out.bad);
	frame.len = (uint32_t)(out.at - frame.bytes);
	return frame;
}

/* In memory of just its size, so that a sanitizer sees a read beyond. */
static uint32_t
hash_of(const struct frame *frame, uint32_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, frame->bytes, len);
	uint32_t hash = rss_frame(&key, copy, len);
	free(copy);
	return hash;
}

#define EACH(v) for (const struct verification *v = suite; v < suite + sizeof(suite) / sizeof(suite[0]); v++)

static void
agrees_with_the_verification_suite(void **state)
{
	(void)state;
	static const uint8_t protocols[] = {IP_TCP, IP_UDP, IP_SCTP};
	EACH (v) {
		for (unsigned tags = 0; tags <= 2; tags++) {
			for (unsigned i = 0; i < sizeof(protocols); i++) {
				struct frame frame = make_frame(v, &(struct shape){.tags = tags, .protocol = protocols[i]});
				assert_int_equal(hash_of(&frame, frame.len), v->ports);
				memset(frame.bytes + frame.len, 0xee, 26);
				assert_int_equal(hash_of(&frame, frame.len + 26), v->ports);
			}
			struct frame icmp = make_frame(v, &(struct shape){.tags = tags, .protocol = IP_ICMP});
			assert_int_equal(hash_of(&icmp, icmp.len), v->addresses);
			memset(icmp.bytes + icmp.len, 0xee, 26);
			assert_int_equal(hash_of(&icmp, icmp.len + 26), v->addresses);
		}
	}
}

static void
v4_options_and_fragments(void **state)
{
	(void)state;
	static const uint16_t fragments[] = {0x2000, 0x2001, 0x0001, 0x1fff};
	for (const struct verification *v = suite; v < suite + 5; v++) {
		for (unsigned options = 0; options <= 10; options++) {
			/* "do not fragment" is no fragment */
			struct frame whole =
				make_frame(v, &(struct shape){.protocol = IP_TCP, .v4_options = options, .v4_fragment = 0x4000});
			assert_int_equal(hash_of(&whole, whole.len), v->ports);
			for (unsigned i = 0; i < 4; i++) {
				struct frame part = make_frame(v, &(struct shape){.tags = i % 3,
									  .protocol = IP_UDP,
									  .v4_options = options,
									  .v4_fragment = fragments[i]});
				assert_int_equal(hash_of(&part, part.len), v->addresses);
			}
		}
	}
}

static void
v6_extension_headers(void **state)
{
	(void)state;
	/* hop-by-hop, destination options of 16 bytes, authentication of 24, then TCP */
	static const uint8_t chain[] = {60, 0, 1, 4, 0, 0, 0, 0, 51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0,
		0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const uint8_t part[] = {17, 0, 0, 1, 0, 0, 0, 7};
	static const uint8_t endless[10 * 8] = {0};
	for (const struct verification *v = suite + 5; v < suite + 8; v++) {
		struct frame frame = make_frame(
			v, &(struct shape){.v6_extensions = chain, .v6_extensions_size = sizeof(chain), .v6_first = 0});
		assert_int_equal(hash_of(&frame, frame.len), v->ports);
		frame = make_frame(v, &(struct shape){.v6_extensions = part, .v6_extensions_size = sizeof(part), .v6_first = 44});
		assert_int_equal(hash_of(&frame, frame.len), v->addresses);
		/* More headers than are followed: by the addresses. */
		frame = make_frame(
			v, &(struct shape){.v6_extensions = endless, .v6_extensions_size = sizeof(endless), .v6_first = 0});
		assert_int_equal(hash_of(&frame, frame.len), v->addresses);
	}
}

/* However short, it has a hash, and nothing beyond the end is read (in the build with sanitizers). */
static void
cut_off_anywhere(void **state)
{
	(void)state;
	EACH (v) {
		for (unsigned tags = 0; tags <= 2; tags++) {
			struct frame frame = make_frame(v, &(struct shape){.tags = tags, .protocol = IP_TCP});
			uint32_t ip = ETH_HEADER + tags * ETH_TAG, addresses = ip + (v < suite + 5 ? 20 : 40);
			uint32_t macs = hash_of(&frame, ip);
			for (uint32_t len = 0; len <= frame.len; len++) {
				uint32_t hash = hash_of(&frame, len);
				if (len < ETH_HEADER) {
					assert_int_equal(hash, 0);
				} else if (len >= ip && len < addresses) {
					assert_int_equal(hash, macs);
				} else if (len >= addresses && len < frame.len) {
					assert_int_equal(hash, v->addresses);
				}
			}
		}
	}
}

static uint32_t
hash_macs(uint64_t dst, uint64_t src, unsigned tags, uint16_t vid, uint16_t type, uint8_t fill)
{
	struct frame frame = {.len = 64};
	struct eth eth = {.dst = dst, .src = src, .tags = tags, .tag = {{ETH_VLAN, vid}}, .type = type};
	struct bytes_out out = bytes_out(frame.bytes, sizeof(frame.bytes));

	memset(frame.bytes, fill, sizeof(frame.bytes));
	eth_put(&out, &eth);
	return hash_of(&frame, frame.len);
}

static void
what_is_not_ip(void **state)
{
	(void)state;
	uint32_t hash = hash_macs(1, 2, 1, 10, 0x0806, 0);
	assert_int_equal(hash, hash_macs(1, 2, 1, 10, 0x0806, 0xff));
	assert_int_equal(hash, hash_macs(1, 2, 1, 10, 0x88cc, 0));
	assert_int_equal(hash, hash_macs(1, 2, 1, 0xe00a, 0x0806, 0)); /* another priority */
	assert_int_not_equal(hash, hash_macs(1, 2, 1, 11, 0x0806, 0));
	assert_int_not_equal(hash, hash_macs(1, 3, 1, 10, 0x0806, 0));
	assert_int_not_equal(hash, hash_macs(3, 2, 1, 10, 0x0806, 0));
	/* Successive addresses spread over buckets: of 4096 hosts none of 16 buckets gets less than half or more than twice its
	 * share. */
	unsigned bucket[16] = {0};
	for (uint64_t host = 0; host < 4096; host++) {
		bucket[hash_macs(0xffffffffffff, 0x020000000000 + host, 0, 0, 0x0806, 0) & 15]++;
	}
	for (unsigned i = 0; i < 16; i++) {
		assert_in_range(bucket[i], 128, 512);
	}
}

/* Another version number than the type says, and a header length below 20, are no IP. */
static void
false_ip(void **state)
{
	(void)state;
	struct frame frame = make_frame(&suite[0], &(struct shape){.protocol = IP_TCP});
	uint32_t macs = hash_of(&frame, ETH_HEADER);
	for (unsigned first = 0; first < 256; first++) {
		frame.bytes[ETH_HEADER] = (uint8_t)first;
		uint32_t hash = hash_of(&frame, frame.len);
		if (first >> 4 != 4 || (first & 15) < 5) {
			assert_int_equal(hash, macs);
		} else {
			assert_int_equal(hash, first == 0x45 ? suite[0].ports : suite[0].addresses);
		}
	}
}

static void
table_of_buckets(void **state)
{
	(void)state;
	struct rss_table table;
	for (unsigned buckets = 0; buckets <= 300; buckets++) {
		bool power = buckets && !(buckets & (buckets - 1));
		assert_int_equal(rss_table_init(&table, buckets, 3), power && buckets >= 2 && buckets <= 128);
	}
	assert_false(rss_table_init(&table, 64, 0));
	assert_true(rss_table_init(&table, 128, 64));
	unsigned seen[65] = {0};
	for (uint32_t hash = 0; hash < 1024; hash++) {
		seen[rss_core(&table, hash)]++;
	}
	assert_int_equal(seen[0], 0);
	for (unsigned core = 1; core <= 64; core++) {
		assert_int_equal(seen[core], 16);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_verification_suite),
		cmocka_unit_test(v4_options_and_fragments),
		cmocka_unit_test(v6_extension_headers),
		cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(what_is_not_ip),
		cmocka_unit_test(false_ip),
		cmocka_unit_test(table_of_buckets),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
