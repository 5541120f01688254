/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nbr/iface.h"

#include "net/ip6.h"

int
iface_find(const struct iface *iface, unsigned family, const uint64_t address[static 2])
{
	for (unsigned i = 0; i < iface->naddresses; i++) {
		const struct seg_address *ours = &iface->address[i];
		if (ours->family == family && ours->address[0] == address[0] && ours->address[1] == address[1]) {
			return (int)i;
		}
	}
	return -1;
}

static bool
iface_preferred(const struct iface *iface, unsigned which)
{
	return seg_get(&iface->state[which]) == SEG_ADDRESS_PREFERRED;
}

bool
iface_has(const struct iface *iface, unsigned family, const uint64_t address[static 2])
{
	int which = iface_find(iface, family, address);
	return which >= 0 && iface_preferred(iface, (unsigned)which);
}

/* How many of the leading bits are the same, 0..128; of an IPv4 address, of its 32. */
static unsigned
iface_common(unsigned family, const uint64_t a[static 2], const uint64_t b[static 2])
{
	uint64_t high = a[0] ^ b[0], low = a[1] ^ b[1];
	if (family == SEG_IPV4) {
		return low ? (unsigned)__builtin_clzll(low) - 32 : 32;
	}
	if (high) {
		return (unsigned)__builtin_clzll(high);
	}
	return low ? 64 + (unsigned)__builtin_clzll(low) : 128;
}

bool
iface_covers(const struct iface *iface, unsigned family, const uint64_t address[static 2])
{
	for (unsigned i = 0; i < iface->naddresses; i++) {
		const struct seg_address *ours = &iface->address[i];
		if (ours->family == family && iface_common(family, ours->address, address) >= ours->length) {
			return true;
		}
	}
	return false;
}

/* RFC 4007 4, RFC 4291 2.7; unique local addresses are of the global scope (RFC 4193). */
static unsigned
iface_scope(const uint64_t address[static 2])
{
	enum { LINK_LOCAL = 2, GLOBAL = 14 };
	if (ip6_is_multicast(address)) {
		return (unsigned)(address[0] >> 48 & 15);
	}
	return ip6_is_link_local(address) || ip6_is_loopback(address) ? LINK_LOCAL : GLOBAL;
}

/* Is `a` a better source than `b` for target (RFC 6724 5, rules 1, 2, 8)? */
static bool
iface_better6(const struct seg_address *a, const struct seg_address *b, const uint64_t target[static 2])
{
	unsigned want = iface_scope(target), sa = iface_scope(a->address), sb = iface_scope(b->address);
	unsigned ca = iface_common(SEG_IPV6, a->address, target), cb = iface_common(SEG_IPV6, b->address, target);

	if (ca == 128 || cb == 128) {
		return ca > cb;
	}
	if (sa != sb) {
		return sa < sb ? sa >= want : sb < want;
	}
	/* rule 8 counts no further than the source's prefix (RFC 6724 2.2) */
	return (ca < a->length ? ca : a->length) > (cb < b->length ? cb : b->length);
}

static bool
iface_better4(const struct seg_address *a, const struct seg_address *b, const uint64_t target[static 2])
{
	bool ina = iface_common(SEG_IPV4, a->address, target) >= a->length;
	bool inb = iface_common(SEG_IPV4, b->address, target) >= b->length;
	return ina && (!inb || a->length > b->length);
}

int
iface_source(const struct iface *iface, unsigned family, const uint64_t target[static 2])
{
	int best = -1;

	for (unsigned i = 0; i < iface->naddresses; i++) {
		const struct seg_address *ours = &iface->address[i];
		if (ours->family != family || !iface_preferred(iface, i)) {
			continue;
		}
		if (best < 0 || (family == SEG_IPV4 ? iface_better4(ours, &iface->address[best], target)
						    : iface_better6(ours, &iface->address[best], target))) {
			best = (int)i;
		}
	}
	return best;
}
