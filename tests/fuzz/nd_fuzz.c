/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPv6 packets with neighbour discovery: what was read is written in a form that reads the same. Tried as they are, and with the
 * hop limit and the checksum made right. links: lib/net/nd.c lib/net/ip6.c lib/net/csum.c
 */
#include "must.h"
#include "net/csum.h"
#include "net/nd.h"

enum { HOPS_AT = 7, CHECKSUM_AT = IP6_HEADER + 2 };

/* Reads a packet; true: a message that could be written again, which is in `again`. */
static bool
rewrite(const uint8_t *data, size_t size, struct bytes_out *again)
{
	struct bytes_in in = bytes_in(data, size);
	struct ip6 ip;
	struct nd nd;

	if (ip6_get(&in, &ip) != IP6_GOOD || !nd_get(&in, &ip, &nd)) {
		return false;
	}
	must(ip.hops == ND_HOPS && in.at == in.end && nd.nprefixes <= ND_PREFIXES);
	nd_put(again, &nd, ip.source, ip.destination);
	must(again->bad == (nd.type == ND_REDIRECT));
	return !again->bad;
}

static void
try(const uint8_t *data, size_t size)
{
	uint8_t first[ND_SIZE_MAX], second[ND_SIZE_MAX];
	struct bytes_out out = bytes_out(first, sizeof(first)), once_more = bytes_out(second, sizeof(second));

	if (rewrite(data, size, &out)) {
		size_t n = (size_t)(out.at - first);
		must(rewrite(first, n, &once_more));
		must(once_more.at == second + n && !memcmp(first, second, n));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_in in = bytes_in(data, size);
	struct ip6 ip;

	try(data, size);
	if (ip6_get(&in, &ip) != IP6_GOOD || ip.size < 4) {
		return 0;
	}
	uint8_t *copy = copy_of(data, IP6_HEADER + (size_t)ip.size);
	copy[HOPS_AT] = ND_HOPS;
	memset(copy + CHECKSUM_AT, 0, 2);
	uint64_t sum = csum_pseudo6_words(ip.source, ip.destination, ip.size, IP6_ICMP);
	uint16_t checksum = csum_fold(csum_add(sum, copy + IP6_HEADER, ip.size));
	copy[CHECKSUM_AT] = (uint8_t)(checksum >> 8);
	copy[CHECKSUM_AT + 1] = (uint8_t)checksum;
	try(copy, IP6_HEADER + (size_t)ip.size);
	free(copy);
	return 0;
}
