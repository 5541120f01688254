/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPv6 packets with neighbour discovery: what was read is written in a form that reads the same. Tried as they are, and with the
 * hop limit and the checksum made right. links: lib/net/nd.c lib/net/ip6.c lib/net/csum.c
 */
#include "must.h"
#include "net/csum.h"
#include "net/nd.h"

enum { HOPS_AT = 7, CHECKSUM_AT = IP6_HEADER + 2 };

static bool
get(const uint8_t *data, size_t size, struct ip6 *ip, struct nd *nd)
{
	struct bytes_in in = bytes_in(data, size);

	if (ip6_get(&in, ip) != IP6_GOOD || !nd_get(&in, ip, nd)) {
		return false;
	}
	must(ip->hops == ND_HOPS && in.at == in.end && nd->nprefixes <= ND_PREFIXES);
	return true;
}

static void
same(const struct nd *a, const struct nd *b)
{
	must(a->type == b->type && a->flags == b->flags && a->target[0] == b->target[0] && a->target[1] == b->target[1]);
	must(a->has_mac == b->has_mac && a->mac == b->mac && a->hops == b->hops && a->lifetime_s == b->lifetime_s);
	must(a->reachable_ms == b->reachable_ms && a->retrans_ms == b->retrans_ms && a->mtu == b->mtu);
	must(a->nprefixes == b->nprefixes);
	for (unsigned i = 0; i < a->nprefixes; i++) {
		const struct nd_prefix *p = &a->prefix[i], *q = &b->prefix[i];
		must(p->length == q->length && p->flags == q->flags && p->valid_s == q->valid_s &&
			p->preferred_s == q->preferred_s);
		must(p->prefix[0] == q->prefix[0] && p->prefix[1] == q->prefix[1]);
	}
}

static void
try(const uint8_t *data, size_t size)
{
	uint8_t again[ND_SIZE_MAX];
	struct bytes_out out = bytes_out(again, sizeof(again));
	struct ip6 ip, ip_again;
	struct nd nd, nd_again;

	if (get(data, size, &ip, &nd)) {
		nd_put(&out, &nd, ip.source, ip.destination);
		must(out.bad == (nd.type == ND_REDIRECT));
		if (!out.bad) {
			must(get(again, (size_t)(out.at - again), &ip_again, &nd_again));
			same(&nd, &nd_again);
		}
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
