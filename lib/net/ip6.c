/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ip6.h"

#define FRAGMENT_OFFSET 0xfff8 /* RFC 8200 4.5 */
#define NOT_WALKED 255

void
ip6_words(const uint8_t bytes[static 16], uint64_t words[static 2])
{
	struct bytes_in in = bytes_in(bytes, 16);
	for (unsigned i = 0; i < 2; i++) {
		words[i] = (uint64_t)bytes_get_u32(&in) << 32;
		words[i] |= bytes_get_u32(&in);
	}
}

void
ip6_bytes(const uint64_t words[static 2], uint8_t bytes[static 16])
{
	struct bytes_out out = bytes_out(bytes, 16);
	for (unsigned i = 0; i < 2; i++) {
		bytes_put_u32(&out, (uint32_t)(words[i] >> 32));
		bytes_put_u32(&out, (uint32_t)words[i]);
	}
}

enum ip6_wrong
ip6_get(struct bytes_in *in, struct ip6 *ip)
{
	uint32_t first = bytes_get_u32(in);

	*ip = (struct ip6){.traffic_class = (uint8_t)(first >> 20), .flow = first & 0xfffff};
	ip->size = bytes_get_u16(in);
	ip->next = bytes_get_u8(in);
	ip->hops = bytes_get_u8(in);
	const uint8_t *source = bytes_take(in, 16), *destination = bytes_take(in, 16);
	if (!source || !destination) {
		return IP6_CUT;
	}
	if (first >> 28 != 6) {
		return IP6_VERSION;
	}
	if (ip->size > bytes_left(in)) {
		return IP6_LENGTH;
	}
	ip6_words(source, ip->source);
	ip6_words(destination, ip->destination);
	in->end = in->at + ip->size;
	return IP6_GOOD;
}

void
ip6_put(struct bytes_out *out, const struct ip6 *ip)
{
	bytes_put_u32(out, 6u << 28 | (uint32_t)ip->traffic_class << 20 | (ip->flow & 0xfffff));
	bytes_put_u16(out, ip->size);
	bytes_put_u8(out, ip->next);
	bytes_put_u8(out, ip->hops);
	uint8_t *source = bytes_room(out, 16), *destination = bytes_room(out, 16);
	if (source && destination) {
		ip6_bytes(ip->source, source);
		ip6_bytes(ip->destination, destination);
	}
}

uint8_t
ip6_walk(struct bytes_in *in, uint8_t next, bool *hop_by_hop, bool *fragment)
{
	*hop_by_hop = next == IP6_HOP_BY_HOP;
	*fragment = false;
	for (unsigned i = 0; ip6_extension_size(next, 0); i++) {
		uint8_t type = next;
		if (i == IP_MAX_EXTENSIONS || (i && type == IP6_HOP_BY_HOP)) { /* that one only comes first: RFC 8200 4.1 */
			return NOT_WALKED;
		}
		struct bytes_in header = *in;
		next = bytes_get_u8(&header);
		if (!bytes_take(in, ip6_extension_size(type, bytes_get_u8(&header)))) {
			return NOT_WALKED;
		}
		if (type == IP6_FRAGMENT) {
			*fragment = true;
			if (bytes_get_u16(&header) & FRAGMENT_OFFSET) {
				return NOT_WALKED;
			}
		}
	}
	return next;
}

void
ip6_link_local(uint64_t mac, uint64_t words[static 2])
{
	words[0] = 0xfe80ull << 48;
	words[1] = ((mac >> 24) ^ 0x020000) << 40 | 0xfffeull << 24 | (mac & 0xffffff);
}
