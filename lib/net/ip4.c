/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ip4.h"

#include "net/csum.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_COPIED = 0x80 };

enum ip4_wrong
ip4_get(struct bytes_in *in, struct ip4 *ip)
{
	const uint8_t *start = in->at;
	uint8_t first = bytes_get_u8(in);

	*ip = (struct ip4){0};
	ip->tos = bytes_get_u8(in);
	ip->size = bytes_get_u16(in);
	ip->id = bytes_get_u16(in);
	ip->fragment = bytes_get_u16(in);
	ip->ttl = bytes_get_u8(in);
	ip->protocol = bytes_get_u8(in);
	bytes_take(in, 2);
	ip->source = bytes_get_u32(in);
	ip->destination = bytes_get_u32(in);
	if (in->bad) {
		return IP4_CUT;
	}
	if (first >> 4 != 4) {
		return IP4_VERSION;
	}
	unsigned header = (first & 15u) * 4;
	if (header < IP4_HEADER || ip->size < header || ip->size > (size_t)(in->end - start)) {
		return IP4_LENGTH;
	}
	if (csum(start, header)) {
		return IP4_CHECKSUM;
	}
	ip->noptions = (uint8_t)(header - IP4_HEADER);
	memcpy(ip->options, bytes_take(in, ip->noptions), ip->noptions);
	in->end = start + ip->size;
	return IP4_GOOD;
}

void
ip4_put(struct bytes_out *out, const struct ip4 *ip)
{
	const uint8_t *start = out->at;

	if (ip->noptions > IP4_OPTIONS || ip->noptions % 4) {
		out->bad = true;
	}
	bytes_put_u8(out, (uint8_t)(0x40 | (IP4_HEADER + ip->noptions) / 4));
	bytes_put_u8(out, ip->tos);
	bytes_put_u16(out, ip->size);
	bytes_put_u16(out, ip->id);
	bytes_put_u16(out, ip->fragment);
	bytes_put_u8(out, ip->ttl);
	bytes_put_u8(out, ip->protocol);
	struct bytes_out checksum = *out;
	bytes_put_u16(out, 0);
	bytes_put_u32(out, ip->source);
	bytes_put_u32(out, ip->destination);
	uint8_t *options = bytes_room(out, ip->noptions);
	if (options) {
		memcpy(options, ip->options, ip->noptions);
		bytes_put_u16(&checksum, csum(start, IP4_HEADER + ip->noptions));
	}
}

bool
ip4_bad_source(uint32_t source)
{
	uint32_t net = source >> 24;
	return net == 0 || net == 127 || net >= 224;
}

/* The options that stand in every fragment (RFC 791 3.1), and zeros up to a word. */
static void
copied_options(const struct ip4 *whole, struct ip4 *piece)
{
	struct bytes_in in = bytes_in(whole->options, whole->noptions);
	struct bytes_out out = bytes_out(piece->options, sizeof(piece->options));

	while (bytes_left(&in)) {
		const uint8_t *option = in.at;
		uint8_t type = bytes_get_u8(&in);
		if (type == OPTION_END) {
			break;
		}
		if (type == OPTION_NOP) {
			continue;
		}
		uint8_t size = bytes_get_u8(&in);
		if (in.bad || size < 2 || !bytes_take(&in, size - 2u)) {
			break;
		}
		uint8_t *to = type & OPTION_COPIED ? bytes_room(&out, size) : NULL;
		if (to) {
			memcpy(to, option, size);
		}
	}
	while ((out.at - piece->options) % 4) {
		bytes_put_u8(&out, OPTION_END);
	}
	piece->noptions = (uint8_t)(out.at - piece->options);
}

/* Its payload for a header of that size, in whole units of 8 bytes. */
static unsigned
units_in(uint16_t mtu, unsigned header)
{
	return mtu < header ? 0 : (mtu - header) / 8 * 8;
}

/* Where the fragment n > 0 of a packet too large lies. */
static bool
later_piece(const struct ip4 *whole, uint16_t mtu, unsigned n, struct ip4_piece *piece)
{
	unsigned total = whole->size - (unsigned)IP4_HEADER - whole->noptions, header = IP4_HEADER + piece->header.noptions;
	unsigned first = units_in(mtu, IP4_HEADER + whole->noptions), each = units_in(mtu, header);
	if (!first || !each || n > UINT16_MAX / 8) {
		return false;
	}
	unsigned offset = first + (n - 1) * each;
	if (n > 1 && total + each <= offset + (mtu - header)) { /* the one before took the rest */
		return false;
	}
	unsigned rest = total - offset;
	piece->offset = (uint16_t)offset;
	piece->size = (uint16_t)(rest <= mtu - header ? rest : each);
	return true;
}

bool
ip4_piece(const struct ip4 *whole, uint16_t mtu, unsigned n, struct ip4_piece *piece)
{
	unsigned header = IP4_HEADER + whole->noptions;

	*piece = (struct ip4_piece){.header = *whole};
	if (whole->noptions > IP4_OPTIONS || whole->size < header) {
		return false;
	}
	if (whole->size <= mtu) {
		piece->size = (uint16_t)(whole->size - header);
		return n == 0;
	}
	if ((whole->fragment & IP4_DF) || mtu < IP4_MIN_MTU) {
		return false;
	}
	if (n == 0) {
		piece->size = (uint16_t)units_in(mtu, header);
	} else {
		copied_options(whole, &piece->header);
		if (!later_piece(whole, mtu, n, piece)) {
			return false;
		}
	}
	unsigned offset = (whole->fragment & IP4_OFFSET) + piece->offset / 8u, end = header + piece->offset + piece->size;
	piece->header.size = (uint16_t)(IP4_HEADER + piece->header.noptions + piece->size);
	piece->header.fragment = (uint16_t)((whole->fragment & IP4_MF) | offset | (end < whole->size ? IP4_MF : 0));
	return piece->size && offset <= IP4_OFFSET;
}
