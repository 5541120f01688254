/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ICMP and ICMPv6 messages in their IP packets, with their own checksum and a right one; and errors about any packet, which must
 * read as they were meant and about which nobody may complain. links: lib/net/icmp.c lib/net/ip4.c lib/net/ip6.c lib/net/csum.c
 */
#include "must.h"
#include "net/csum.h"
#include "net/icmp.h"

enum { CHECKSUM_AT = 2, ERROR_HEADERS4 = 28, ERROR_HEADERS6 = 48 };

static bool
same(const struct icmp *a, const struct icmp *b)
{
	return a->type == b->type && a->code == b->code && a->word == b->word;
}

static void
error4(const uint8_t *data, size_t size)
{
	uint8_t error[ICMP4_ERROR_MAX];
	struct bytes_out out = bytes_out(error, sizeof(error));
	struct icmp icmp, want = {.type = ICMP_TIME, .code = 1, .word = (uint32_t)size};
	struct ip4 ip;

	icmp4_error_put(&out, &want, 0x0a000001, 0x0a000002, data, (uint16_t)size);
	must(!out.bad);
	struct bytes_in in = bytes_in(error, (size_t)(out.at - error));
	must(ip4_get(&in, &ip) == IP4_GOOD && in.end == out.at);
	must(!icmp4_may_complain(&ip, in, false));
	must(icmp4_get(&in, &icmp) && same(&icmp, &want));
	must(bytes_left(&in) == (size < ICMP4_ERROR_MAX - ERROR_HEADERS4 ? size : ICMP4_ERROR_MAX - ERROR_HEADERS4));
	must(!memcmp(in.at, data, bytes_left(&in)));
}

static void
error6(const uint8_t *data, size_t size)
{
	static const uint64_t source[2] = {0x20010db800000000, 1}, destination[2] = {0x20010db800000000, 2};
	uint8_t error[ICMP6_ERROR_MAX];
	struct bytes_out out = bytes_out(error, sizeof(error));
	struct icmp icmp, want = {.type = ICMP6_TIME, .code = 1, .word = (uint32_t)size};
	struct ip6 ip;

	icmp6_error_put(&out, &want, source, destination, data, (uint16_t)size);
	must(!out.bad);
	struct bytes_in in = bytes_in(error, (size_t)(out.at - error));
	must(ip6_get(&in, &ip) == IP6_GOOD && in.end == out.at);
	must(!icmp6_may_complain(&ip, in, false, &want));
	must(icmp6_get(&in, &ip, &icmp) && same(&icmp, &want));
	must(bytes_left(&in) == (size < ICMP6_ERROR_MAX - ERROR_HEADERS6 ? size : ICMP6_ERROR_MAX - ERROR_HEADERS6));
	must(!memcmp(in.at, data, bytes_left(&in)));
}

/* The message alone, where its memory ends: as it is, and repaired. ip: NULL for IPv4. */
static void
message(const uint8_t *data, size_t size, const struct ip6 *ip)
{
	uint8_t *copy = copy_of(data, size);
	struct bytes_in in = bytes_in(copy, size);
	struct icmp first = {0}, second;
	bool good = ip ? icmp6_get(&in, ip, &first) : icmp4_get(&in, &first);

	must(!good || in.at == copy + 8);
	if (size >= 8) {
		memset(copy + CHECKSUM_AT, 0, 2);
		uint64_t sum = ip ? csum_pseudo6_words(ip->source, ip->destination, (uint32_t)size, IP6_ICMP) : 0;
		uint16_t checksum = csum_fold(csum_add(sum, copy, size));
		copy[CHECKSUM_AT] = (uint8_t)(checksum >> 8);
		copy[CHECKSUM_AT + 1] = (uint8_t)checksum;
		in = bytes_in(copy, size);
		must(ip ? icmp6_get(&in, ip, &second) : icmp4_get(&in, &second));
		must(same(&first, &second) && in.at == copy + 8 && in.end == copy + size);
	}
	free(copy);
}

static void
packet4(struct bytes_in in)
{
	struct ip4 ip;
	if (ip4_get(&in, &ip) == IP4_GOOD) {
		must(!icmp4_may_complain(&ip, in, true));
		icmp4_may_complain(&ip, in, false);
		message(in.at, bytes_left(&in), NULL);
	}
}

static void
packet6(struct bytes_in in)
{
	static const struct icmp unreachable = {.type = ICMP6_UNREACHABLE}, too_big = {.type = ICMP6_TOO_BIG};
	struct ip6 ip;
	bool hop_by_hop, fragment;
	if (ip6_get(&in, &ip) == IP6_GOOD) {
		must(!icmp6_may_complain(&ip, in, true, &unreachable));
		must(icmp6_may_complain(&ip, in, false, &too_big) || !icmp6_may_complain(&ip, in, false, &unreachable));
		if (ip6_walk(&in, ip.next, &hop_by_hop, &fragment) == IP6_ICMP) {
			message(in.at, bytes_left(&in), &ip);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	packet4(bytes_in(data, size));
	packet6(bytes_in(data, size));
	if (size <= UINT16_MAX) {
		error4(data, size);
		error6(data, size);
	}
	return 0;
}
