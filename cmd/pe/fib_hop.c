/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of hops: one for each gateway, interface and kind. Copies count how often they hold one (fib_copy.c). */
#include "fib_int.h"

static struct fib_hop
hop_of(const struct seg_route *route)
{
	return (struct fib_hop){.via = {route->via[0], route->via[1]}, .iface = route->iface, .kind = route->kind};
}

static bool
same_hop(const struct fib_hop *a, const struct fib_hop *b)
{
	return a->via[1] == b->via[1] && a->via[0] == b->via[0] && a->iface == b->iface && a->kind == b->kind;
}

static uint32_t
hop_hash(const struct fib_hop *hop)
{
	uint64_t x = (hop->via[0] ^ (uint64_t)hop->iface << 8 ^ hop->kind) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 32 ^ hop->via[1]) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)(x >> 32) % FIB_HOPS;
}

static uint16_t
find(const struct fib_hops *hops, const struct fib_hop *hop)
{
	uint16_t n = hops->head[hop_hash(hop)];
	while (n && !same_hop(&hops->hop[n], hop)) {
		n = hops->next[n];
	}
	return n;
}

uint16_t
fib_hop_find(const struct fib_hops *hops, const struct seg_route *route)
{
	const struct fib_hop hop = hop_of(route);
	return find(hops, &hop);
}

uint16_t
fib_hop_get(struct fib_hops *hops, const struct seg_route *route)
{
	const struct fib_hop hop = hop_of(route);
	uint16_t n = find(hops, &hop);
	if (n) {
		return n;
	}
	if (hops->free) {
		n = hops->free;
		hops->free = hops->next[n];
	} else if (hops->used + 1 < FIB_HOPS) {
		n = (uint16_t)++hops->used;
	} else {
		return FIB_HOP_NONE;
	}
	uint16_t *head = &hops->head[hop_hash(&hop)];
	hops->hop[n] = hop; /* nobody reads it: no copy in use holds the number */
	hops->next[n] = *head;
	*head = n;
	return n;
}

void
fib_hop_free(struct fib_hops *hops, uint16_t hop)
{
	uint16_t *at = &hops->head[hop_hash(&hops->hop[hop])];
	while (*at != hop) {
		at = &hops->next[*at];
	}
	*at = hops->next[hop];
	hops->hop[hop] = (struct fib_hop){0};
	hops->next[hop] = hops->free;
	hops->free = hop;
}
