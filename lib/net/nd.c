/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/nd.h"

#include "net/csum.h"

enum { OPTION_SOURCE = 1, OPTION_TARGET = 2, OPTION_PREFIX = 3, OPTION_MTU = 5 };
enum { UNIT = 8, MAC_UNITS = 1, PREFIX_UNITS = 4, MTU_UNITS = 1 };

#define SOLICITED_0 0xff02000000000000ull /* ff02::1:ff00:0/104: RFC 4291 2.7.1 */
#define SOLICITED_1 0x1ffull

static bool
is_solicited_node(const uint64_t a[static 2])
{
	return a[0] == SOLICITED_0 && a[1] >> 24 == SOLICITED_1;
}

static void
address_get(struct bytes_in *in, uint64_t address[static 2])
{
	const uint8_t *bytes = bytes_take(in, 16);
	if (bytes) {
		ip6_words(bytes, address);
	}
}

static void
address_put(struct bytes_out *out, const uint64_t address[static 2])
{
	uint8_t *bytes = bytes_room(out, 16);
	if (bytes) {
		ip6_bytes(address, bytes);
	}
}

/* RFC 4861 4.6.2, behind type and length. */
static void
prefix_get(struct bytes_in *in, struct nd *nd)
{
	struct nd_prefix prefix = {.length = bytes_get_u8(in), .flags = bytes_get_u8(in)};

	prefix.valid_s = bytes_get_u32(in);
	prefix.preferred_s = bytes_get_u32(in);
	bytes_take(in, 4);
	address_get(in, prefix.prefix);
	if (prefix.length <= 128 && nd->nprefixes < ND_PREFIXES) {
		nd->prefix[nd->nprefixes++] = prefix;
	}
}

/* The option that tells the MAC in messages of that type (RFC 4861 4.1 to 4.5). */
static uint8_t
mac_option(uint8_t type)
{
	return type == ND_NA || type == ND_REDIRECT ? OPTION_TARGET : OPTION_SOURCE;
}

/* One option; units: its whole length. What is unknown, or not for this message, is passed over. */
static bool
option_get(struct bytes_in *in, uint8_t type, uint8_t units, struct nd *nd)
{
	if (type == mac_option(nd->type)) {
		if (units != MAC_UNITS) {
			return false;
		}
		if (!nd->has_mac) {
			nd->has_mac = true;
			nd->mac = bytes_get_mac(in);
		}
	} else if (nd->type == ND_RA && type == OPTION_PREFIX && units == PREFIX_UNITS) {
		prefix_get(in, nd);
	} else if (nd->type == ND_RA && type == OPTION_MTU && units == MTU_UNITS) {
		bytes_take(in, 2);
		nd->mtu = bytes_get_u32(in);
	}
	return true;
}

static bool
options_get(struct bytes_in *in, struct nd *nd)
{
	while (bytes_left(in)) {
		uint8_t type = bytes_get_u8(in), units = bytes_get_u8(in);
		if (!units) { /* 4.6; or cut off */
			return false;
		}
		const uint8_t *body = bytes_take(in, units * (size_t)UNIT - 2);
		if (!body) {
			return false;
		}
		struct bytes_in option = bytes_in(body, units * (size_t)UNIT - 2);
		if (!option_get(&option, type, units, nd)) {
			return false;
		}
	}
	return true;
}

/* What stands before the options, behind the checksum; *about: the destination that a redirect speaks of. */
static bool
fixed_get(struct bytes_in *in, struct nd *nd, uint64_t about[static 2])
{
	switch (nd->type) {
	case ND_RS:
		bytes_take(in, 4);
		break;
	case ND_RA:
		nd->hops = bytes_get_u8(in);
		nd->flags = bytes_get_u8(in);
		nd->lifetime_s = bytes_get_u16(in);
		nd->reachable_ms = bytes_get_u32(in);
		nd->retrans_ms = bytes_get_u32(in);
		break;
	case ND_NA:
		nd->flags = bytes_get_u8(in);
		bytes_take(in, 3);
		address_get(in, nd->target);
		break;
	case ND_NS:
		bytes_take(in, 4);
		address_get(in, nd->target);
		break;
	case ND_REDIRECT:
		bytes_take(in, 4);
		address_get(in, nd->target);
		address_get(in, about);
		break;
	default:
		return false;
	}
	return !in->bad;
}

/* What the sections named ask of the addresses. */
static bool
addresses_right(const struct nd *nd, const struct ip6 *ip, const uint64_t about[static 2])
{
	switch (nd->type) {
	case ND_RS: /* 6.1.1 */
		return !(ip6_is_none(ip->source) && nd->has_mac);
	case ND_RA: /* 6.1.2 */
		return ip6_is_link_local(ip->source);
	case ND_NS: /* 7.1.1 */
		return !ip6_is_multicast(nd->target) &&
		       (!ip6_is_none(ip->source) || (is_solicited_node(ip->destination) && !nd->has_mac));
	case ND_NA: /* 7.1.2 */
		return !ip6_is_multicast(nd->target) && !(ip6_is_multicast(ip->destination) && (nd->flags & ND_NA_SOLICITED));
	default: /* a redirect: 8.1 */
		return ip6_is_link_local(ip->source) && !ip6_is_multicast(about) &&
		       (ip6_is_link_local(nd->target) || (nd->target[0] == about[0] && nd->target[1] == about[1]));
	}
}

/* With the pseudo header. */
static uint64_t
message_sum(const uint64_t source[static 2], const uint64_t destination[static 2], const uint8_t *message, size_t size)
{
	return csum_add(csum_pseudo6_words(source, destination, (uint32_t)size, IP6_ICMP), message, size);
}

bool
nd_get(struct bytes_in *in, const struct ip6 *ip, struct nd *nd)
{
	uint64_t about[2] = {0};
	bool whole = !csum_fold(message_sum(ip->source, ip->destination, in->at, bytes_left(in)));

	*nd = (struct nd){.type = bytes_get_u8(in)};
	uint8_t code = bytes_get_u8(in);
	bytes_take(in, 2);
	return whole && ip->hops == ND_HOPS && !code && fixed_get(in, nd, about) && options_get(in, nd) &&
	       addresses_right(nd, ip, about);
}

static unsigned
prefixes_of(const struct nd *nd)
{
	return nd->type != ND_RA ? 0 : nd->nprefixes < ND_PREFIXES ? nd->nprefixes : ND_PREFIXES;
}

/* Of the ICMPv6 message. */
static uint16_t
message_size(const struct nd *nd)
{
	unsigned fixed = nd->type == ND_RS ? 8 : nd->type == ND_RA ? 16 : 24;
	unsigned units =
		(nd->has_mac ? MAC_UNITS : 0) + (nd->type == ND_RA && nd->mtu ? MTU_UNITS : 0) + prefixes_of(nd) * PREFIX_UNITS;
	return (uint16_t)(fixed + units * UNIT);
}

static void
fixed_put(struct bytes_out *out, const struct nd *nd)
{
	switch (nd->type) {
	case ND_RS:
		bytes_put_u32(out, 0);
		break;
	case ND_RA:
		bytes_put_u8(out, nd->hops);
		bytes_put_u8(out, nd->flags);
		bytes_put_u16(out, nd->lifetime_s);
		bytes_put_u32(out, nd->reachable_ms);
		bytes_put_u32(out, nd->retrans_ms);
		break;
	case ND_NS:
	case ND_NA:
		bytes_put_u32(out, nd->type == ND_NA ? (uint32_t)nd->flags << 24 : 0);
		address_put(out, nd->target);
		break;
	default:
		out->bad = true;
	}
}

static void
options_put(struct bytes_out *out, const struct nd *nd)
{
	if (nd->has_mac) {
		bytes_put_u8(out, mac_option(nd->type));
		bytes_put_u8(out, MAC_UNITS);
		bytes_put_mac(out, nd->mac);
	}
	if (nd->type == ND_RA && nd->mtu) {
		bytes_put_u8(out, OPTION_MTU);
		bytes_put_u8(out, MTU_UNITS);
		bytes_put_u16(out, 0);
		bytes_put_u32(out, nd->mtu);
	}
	for (unsigned i = 0; i < prefixes_of(nd); i++) {
		const struct nd_prefix *prefix = &nd->prefix[i];
		bytes_put_u8(out, OPTION_PREFIX);
		bytes_put_u8(out, PREFIX_UNITS);
		bytes_put_u8(out, prefix->length);
		bytes_put_u8(out, prefix->flags);
		bytes_put_u32(out, prefix->valid_s);
		bytes_put_u32(out, prefix->preferred_s);
		bytes_put_u32(out, 0);
		address_put(out, prefix->prefix);
	}
}

void
nd_put(struct bytes_out *out, const struct nd *nd, const uint64_t source[static 2], const uint64_t destination[static 2])
{
	struct ip6 ip = {
		.size = message_size(nd),
		.next = IP6_ICMP,
		.hops = ND_HOPS,
		.source = {source[0], source[1]},
		.destination = {destination[0], destination[1]},
	};
	ip6_put(out, &ip);
	const uint8_t *start = out->at;
	bytes_put_u8(out, nd->type);
	bytes_put_u8(out, 0);
	struct bytes_out checksum = *out;
	bytes_put_u16(out, 0);
	fixed_put(out, nd);
	options_put(out, nd);
	if (!out->bad) {
		bytes_put_u16(&checksum, csum_fold(message_sum(source, destination, start, ip.size)));
	}
}
