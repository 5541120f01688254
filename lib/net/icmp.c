/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/icmp.h"

#include "net/csum.h"

enum { HEADER = 8, ERROR_TTL = 64, FIRST_INFORMATION = 128, PARAMETER_OPTION = 2 };

#define PRECEDENCE_INTERNETWORK 0xc0 /* RFC 791 3.1 */
#define TOS_BITS 0x1e                /* RFC 1349 */

static void
message_get(struct bytes_in *in, struct icmp *icmp)
{
	icmp->type = bytes_get_u8(in);
	icmp->code = bytes_get_u8(in);
	bytes_take(in, 2);
	icmp->word = bytes_get_u32(in);
}

bool
icmp4_get(struct bytes_in *in, struct icmp *icmp)
{
	bool right = !csum(in->at, bytes_left(in));
	message_get(in, icmp);
	return right && !in->bad;
}

bool
icmp6_get(struct bytes_in *in, const struct ip6 *ip, struct icmp *icmp)
{
	size_t size = bytes_left(in);
	bool right =
		!csum_fold(csum_add(csum_pseudo6_words(ip->source, ip->destination, (uint32_t)size, IP6_ICMP), in->at, size));
	message_get(in, icmp);
	return right && !in->bad;
}

bool
icmp4_may_complain(const struct ip4 *about, struct bytes_in in, bool group)
{
	if (group || about->destination >> 28 == 0xe || about->destination == UINT32_MAX || (about->fragment & IP4_OFFSET) ||
		ip4_bad_source(about->source)) {
		return false;
	}
	if (about->protocol != IP_ICMP) {
		return true;
	}
	switch (bytes_get_u8(&in)) {
	case ICMP_UNREACHABLE:
	case 4: /* source quench (RFC 792) */
	case ICMP_REDIRECT:
	case ICMP_TIME:
	case ICMP_PARAMETER:
		return false;
	default:
		return !in.bad;
	}
}

bool
icmp6_may_complain(const struct ip6 *about, struct bytes_in in, bool group, const struct icmp *error)
{
	bool to_groups = error->type == ICMP6_TOO_BIG || (error->type == ICMP6_PARAMETER && error->code == PARAMETER_OPTION);
	if ((!to_groups && (group || ip6_is_multicast(about->destination))) || ip6_is_none(about->source) ||
		ip6_is_loopback(about->source) || ip6_is_multicast(about->source)) {
		return false;
	}
	bool hop_by_hop, fragment;
	if (ip6_walk(&in, about->next, &hop_by_hop, &fragment) != IP6_ICMP) {
		return true;
	}
	uint8_t type = bytes_get_u8(&in); /* cut off: 0 */
	return type >= FIRST_INFORMATION && type != ICMP6_REDIRECT;
}

/* What is quoted of a packet so that the error stays within max. */
static uint16_t
quote_size(uint16_t size, unsigned headers, unsigned max)
{
	return (uint16_t)(size < max - headers ? size : max - headers);
}

/* The message with its quote; sum: of the pseudo header. */
static void
message_put(struct bytes_out *out, const struct icmp *icmp, uint64_t sum, const uint8_t *about, uint16_t quote)
{
	const uint8_t *start = out->at;

	bytes_put_u8(out, icmp->type);
	bytes_put_u8(out, icmp->code);
	struct bytes_out checksum = *out;
	bytes_put_u16(out, 0);
	bytes_put_u32(out, icmp->word);
	uint8_t *to = bytes_room(out, quote);
	if (to) {
		memcpy(to, about, quote);
		bytes_put_u16(&checksum, csum_fold(csum_add(sum, start, HEADER + quote)));
	}
}

void
icmp4_error_put(struct bytes_out *out, const struct icmp *icmp, uint32_t source, uint32_t destination, const uint8_t *about,
	uint16_t size)
{
	uint16_t quote = quote_size(size, IP4_HEADER + HEADER, ICMP4_ERROR_MAX);
	struct bytes_in in = bytes_in(about, size);
	bytes_take(&in, 1);
	uint8_t tos = bytes_get_u8(&in);
	bytes_take(&in, 2);
	struct ip4 ip = {
		.tos = PRECEDENCE_INTERNETWORK | (tos & TOS_BITS), /* RFC 1812 4.3.2.5 */
		.ttl = ERROR_TTL,
		.protocol = IP_ICMP,
		.size = (uint16_t)(IP4_HEADER + HEADER + quote),
		.id = bytes_get_u16(&in), /* as different as the packets that are complained about */
		.source = source,
		.destination = destination,
	};
	ip4_put(out, &ip);
	message_put(out, icmp, 0, about, quote);
}

void
icmp6_error_put(struct bytes_out *out, const struct icmp *icmp, const uint64_t source[static 2],
	const uint64_t destination[static 2], const uint8_t *about, uint16_t size)
{
	uint16_t quote = quote_size(size, IP6_HEADER + HEADER, ICMP6_ERROR_MAX);
	struct ip6 ip = {
		.size = (uint16_t)(HEADER + quote),
		.next = IP6_ICMP,
		.hops = ERROR_TTL,
		.source = {source[0], source[1]},
		.destination = {destination[0], destination[1]},
	};
	ip6_put(out, &ip);
	message_put(out, icmp, csum_pseudo6_words(source, destination, HEADER + quote, IP6_ICMP), about, quote);
}
