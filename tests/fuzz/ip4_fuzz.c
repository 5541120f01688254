/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPv4 packets: what was read is written again, and fragments cover the payload once. A header whose checksum alone is wrong is
 * tried again with a right one. links: lib/net/ip4.c lib/net/csum.c
 */
#include "must.h"
#include "net/csum.h"
#include "net/ip4.h"

enum { CHECKSUM_AT = 10 };

static void
cover(const struct ip4 *whole, uint16_t mtu)
{
	unsigned n = 0, end = 0;
	struct ip4_piece piece;

	for (; ip4_piece(whole, mtu, n, &piece); n++) {
		must(piece.offset == end && piece.header.size <= mtu && piece.header.noptions <= IP4_OPTIONS);
		must(piece.header.size == IP4_HEADER + piece.header.noptions + piece.size);
		must(n == 0 || piece.size);
		end += piece.size;
	}
	bool reaches_too_far = (whole->fragment & IP4_OFFSET) * 8u + whole->size > UINT16_MAX;
	must(!n || reaches_too_far || end == whole->size - (unsigned)IP4_HEADER - whole->noptions);
	must(n || (whole->fragment & IP4_DF) || mtu < IP4_MIN_MTU || whole->size < IP4_HEADER || whole->noptions > IP4_OPTIONS ||
		whole->size < IP4_HEADER + whole->noptions);
}

static void
round_trip(const uint8_t *data, const struct bytes_in *in, const struct ip4 *ip)
{
	uint8_t again[IP4_HEADER + IP4_OPTIONS];
	struct bytes_out out = bytes_out(again, sizeof(again));
	size_t size = (size_t)(in->at - data);

	ip4_put(&out, ip);
	must(!out.bad && out.at == again + size && !csum(again, size));
	must(in->end - data == ip->size);
	memcpy(again + CHECKSUM_AT, data + CHECKSUM_AT, 2); /* a zero can be written in two ways */
	must(!memcmp(again, data, size));
	cover(ip, IP4_MIN_MTU);
	cover(ip, 576);
	cover(ip, ip->id);
}

static enum ip4_wrong
try(const uint8_t *data, size_t size)
{
	struct bytes_in in = bytes_in(data, size);
	struct ip4 ip;
	enum ip4_wrong wrong = ip4_get(&in, &ip);

	must(in.at >= data && in.at <= in.end && in.end <= data + size);
	if (wrong == IP4_GOOD) {
		round_trip(data, &in, &ip);
	}
	return wrong;
}

static void
repaired(const uint8_t *data, size_t size)
{
	uint8_t *copy = copy_of(data, size);
	memset(copy + CHECKSUM_AT, 0, 2);
	uint16_t checksum = csum(copy, (copy[0] & 15u) * 4);
	copy[CHECKSUM_AT] = (uint8_t)(checksum >> 8);
	copy[CHECKSUM_AT + 1] = (uint8_t)checksum;
	must(try(copy, size) == IP4_GOOD);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip4 any;

	if (try(data, size) == IP4_CHECKSUM) {
		repaired(data, size);
	}
	if (size >= sizeof(any) + 2) { /* a structure that no packet yields */
		memcpy(&any, data, sizeof(any));
		cover(&any, (uint16_t)(data[sizeof(any)] << 8 | data[sizeof(any) + 1]));
	}
	return 0;
}
