/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets for us: echo is answered, neighbour discovery goes where it belongs, and whoever wants anything else hears that it is
 * not here (RFC 1122 3.2.2, RFC 4443, RFC 9293 3.5.2).
 *
 * An answer to an echo request is the request itself with its addresses exchanged, so it costs no buffer. Nothing is put together
 * from fragments: those of an echo request go back one by one under the same identification. Which of the later ones belong to a
 * request is remembered from its first (struct l3_echo); an unknown one is dropped, or two routers could send one to and fro for
 * ever.
 */
#include "l3_int.h"
#include "neighbor.h"
#include "net/csum.h"
#include "net/icmp.h"
#include "net/tcp.h"

#define ECHO_NS 2000000000ull /* how long a first fragment is remembered */

struct l3_local {
	const struct iface *in;
	uint16_t port;
	unsigned family;
	bool group;
	struct rte_mbuf *m;
	struct bytes_in payload;
	struct ip4 v4; /* or */
	struct ip6 v6;
	uint64_t source[2], destination[2];
};

static void
local_drop(struct worker *w, const struct l3_local *l, enum seg_drop reason)
{
	l3_drop(w, reason, l->port, l->m);
}

static void
local_refuse(struct worker *w, const struct l3_local *l, enum l3_complaint what, uint32_t word)
{
	l3_complain(w, l->in, l->family, l->m, what, word, l->group);
	local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
}

static uint8_t *
local_data(const struct l3_local *l)
{
	return rte_pktmbuf_mtod(l->m, uint8_t *);
}

static void
local_put_u16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint16_t
local_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* ---- echo ------------------------------------------------------------------------------------------------------- */

/* Exchanges the addresses and begins a life anew. False: we have no address to answer with. */
static bool
local_turn(struct worker *w, const struct l3_local *l)
{
	uint8_t *data = local_data(l);
	uint64_t source[2];

	if (l->family == SEG_IPV4) {
		uint8_t address[4];
		memcpy(address, data + 12, 4);
		memcpy(data + 12, data + 16, 4);
		memcpy(data + 16, address, 4);
		data[6] &= (uint8_t) ~(IP4_DF >> 8);
		data[8] = L3_TTL;
		local_put_u16(data + 10, 0);
		local_put_u16(data + 10, csum(data, (size_t)(data[0] & 15) * 4));
		return true;
	}
	if (!l->group) {
		memcpy(source, l->destination, sizeof(source));
	} else if (!l3_source(w, l->in, SEG_IPV6, l->source, source)) {
		return false;
	}
	data[7] = L3_TTL;
	ip6_bytes(source, data + 8);
	ip6_bytes(l->source, data + 24);
	return true;
}

/* From request to reply: the type is all that changes, and the checksum with it (and with our address, for a group's). */
static void
local_reply(struct worker *w, const struct l3_local *l, uint8_t *icmp, uint8_t type)
{
	uint16_t old = local_u16(icmp), new = (uint16_t)(type << 8 | icmp[1]);
	uint16_t checksum = csum_update(local_u16(icmp + 2), old, new);

	if (!local_turn(w, l)) {
		local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
		return;
	}
	for (unsigned i = 0; l->group && i < 16; i += 2) {
		uint8_t group[16];
		ip6_bytes(l->destination, group);
		checksum = csum_update(checksum, local_u16(group + i), local_u16(local_data(l) + 8 + i));
	}
	icmp[0] = type;
	local_put_u16(icmp + 2, checksum);
	seg_add(&w->mine->l3.icmp_sent, 1);
	l3_originate(w, l->in, l->family, l->m);
}

/* ---- fragments of echo requests --------------------------------------------------------------------------------- */

static struct l3_echo *
local_echo(struct worker *w, const struct l3_local *l, uint32_t id)
{
	return &w->echo[(l->source[1] ^ id) % L3_ECHOES];
}

/* A later fragment (icmp NULL), or the first one. */
static void
local_fragment(struct worker *w, const struct l3_local *l, uint32_t id, uint8_t *icmp, uint8_t request, uint8_t reply)
{
	const struct l3_echo key = {.source = {l->source[0], l->source[1]},
		.destination = {l->destination[0], l->destination[1]},
		.id = id,
		.since_ns = w->now_ns};
	struct l3_echo *echo = local_echo(w, l, id);

	if (icmp && icmp[0] == request && !l->group) {
		*echo = key;
		local_reply(w, l, icmp, reply);
	} else if (!icmp && !memcmp(echo, &key, offsetof(struct l3_echo, since_ns)) && w->now_ns - echo->since_ns < ECHO_NS &&
		   local_turn(w, l)) {
		l3_originate(w, l->in, l->family, l->m);
	} else {
		local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
	}
}

/* ---- TCP -------------------------------------------------------------------------------------------------------- */

static uint64_t
local_pseudo(const struct l3_local *l, uint8_t protocol, size_t size)
{
	if (l->family == SEG_IPV6) {
		return csum_pseudo6_words(l->source, l->destination, (uint32_t)size, protocol);
	}
	return l->source[1] + l->destination[1] + protocol + size; /* RFC 9293 3.1: 32 bits sum as their halves do */
}

static void
local_put_ip(struct bytes_out *out, const struct l3_local *l, uint16_t size)
{
	if (l->family == SEG_IPV4) {
		const struct ip4 ip = {.ttl = L3_TTL,
			.protocol = IP_TCP,
			.size = (uint16_t)(IP4_HEADER + size),
			.fragment = IP4_DF,
			.source = l->v4.destination,
			.destination = l->v4.source};
		ip4_put(out, &ip);
	} else {
		const struct ip6 ip = {.next = IP_TCP,
			.hops = L3_TTL,
			.size = size,
			.source = {l->destination[0], l->destination[1]},
			.destination = {l->source[0], l->source[1]}};
		ip6_put(out, &ip);
	}
}

static void
local_tcp(struct worker *w, const struct l3_local *l)
{
	struct tcp reset;
	bool answer = !l->group && tcp_refuse(l->payload, local_pseudo(l, IP_TCP, bytes_left(&l->payload)), &reset);
	struct rte_mbuf *m = answer && l3_may_send(w) ? rte_pktmbuf_alloc(w->engine->pool) : NULL;

	if (m) {
		uint8_t *start = rte_pktmbuf_mtod(m, uint8_t *);
		struct bytes_out out = bytes_out(start, rte_pktmbuf_tailroom(m));
		local_put_ip(&out, l, TCP_HEADER);
		tcp_put(&out, &reset, local_pseudo(l, IP_TCP, TCP_HEADER));
		l3_trim(m, (unsigned)(out.at - start));
		l3_originate(w, l->in, l->family, m);
	}
	local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
}

/* ---- IPv4 ------------------------------------------------------------------------------------------------------- */

static void
local_icmp4(struct worker *w, const struct l3_local *l)
{
	struct bytes_in in = l->payload;
	struct icmp icmp;

	if (!icmp4_get(&in, &icmp)) {
		local_drop(w, l, SEG_DROP_L3_HEADER);
	} else if (icmp.type == ICMP_ECHO && !l->group) { /* RFC 1812 4.3.3.6: to a group it may be ignored */
		local_reply(w, l, local_data(l) + (l->payload.at - local_data(l)), ICMP_ECHO_REPLY);
	} else {
		local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
	}
}

static void
local_fragment4(struct worker *w, const struct l3_local *l)
{
	bool first = !(l->v4.fragment & IP4_OFFSET) && bytes_left(&l->payload) >= 8;

	if (l->v4.protocol != IP_ICMP) {
		local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
		return;
	}
	local_fragment(
		w, l, l->v4.id, first ? local_data(l) + (l->payload.at - local_data(l)) : NULL, ICMP_ECHO, ICMP_ECHO_REPLY);
}

static void
local_4(struct worker *w, struct l3_local *l)
{
	l->payload = bytes_in(local_data(l), rte_pktmbuf_data_len(l->m));
	if (ip4_get(&l->payload, &l->v4) != IP4_GOOD) {
		local_drop(w, l, SEG_DROP_L3_HEADER);
		return;
	}
	l->source[1] = l->v4.source;
	l->destination[1] = l->v4.destination;
	if (l->v4.source == l->v4.destination || iface_has(l->in, SEG_IPV4, l->source)) {
		local_drop(w, l, SEG_DROP_L3_SOURCE);
	} else if (l->v4.fragment & (IP4_MF | IP4_OFFSET)) {
		local_fragment4(w, l);
	} else if (l->v4.protocol == IP_ICMP) {
		local_icmp4(w, l);
	} else if (l->v4.protocol == IP_TCP) {
		local_tcp(w, l);
	} else {
		local_refuse(w, l, l->v4.protocol == IP_UDP ? L3_NO_PORT : L3_NO_PROTOCOL, 0);
	}
}

/* ---- IPv6 ------------------------------------------------------------------------------------------------------- */

static void
local_icmp6(struct worker *w, const struct l3_local *l)
{
	struct bytes_in in = l->payload;
	struct icmp icmp;

	if (bytes_left(&in) && in.at[0] >= ND_RS && in.at[0] <= ND_REDIRECT) {
		neighbor_nd(w, l->in, l->port, l->m); /* counts what is wrong with it itself */
		rte_pktmbuf_free(l->m);
	} else if (!icmp6_get(&in, &l->v6, &icmp)) {
		local_drop(w, l, SEG_DROP_L3_HEADER);
	} else if (icmp.type == ICMP6_ECHO && !ip6_is_none(l->source)) {
		local_reply(w, l, local_data(l) + (l->payload.at - local_data(l)), ICMP6_ECHO_REPLY);
	} else {
		local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
	}
}

/* A fragment header right behind the IPv6 header, as hosts write it; anything else in front of one is not answered. */
static void
local_fragment6(struct worker *w, const struct l3_local *l)
{
	enum { FRAGMENT = 44, FRAGMENT_SIZE = 8, FRAGMENT_OFFSET = 0xfff8 };
	uint8_t *header = local_data(l) + IP6_HEADER;

	if (l->v6.next != FRAGMENT || l->v6.size < FRAGMENT_SIZE || header[0] != IP6_ICMP) {
		local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
		return;
	}
	bool first = !(local_u16(header + 2) & FRAGMENT_OFFSET) && l->v6.size >= FRAGMENT_SIZE + 8;
	uint32_t id = (uint32_t)local_u16(header + 4) << 16 | local_u16(header + 6);
	local_fragment(w, l, id, first ? header + FRAGMENT_SIZE : NULL, ICMP6_ECHO, ICMP6_ECHO_REPLY);
}

/* Where the header says what comes next that stands at `end`: the pointer of a parameter problem (RFC 4443 3.4). */
static uint32_t
local_next_field(const struct l3_local *l, size_t end)
{
	enum { NEXT_FIELD = 6, FRAGMENT = 44, AUTHENTICATION = 51 };
	const uint8_t *data = local_data(l);
	uint32_t field = NEXT_FIELD;

	for (size_t at = IP6_HEADER; at + 2 <= end;) {
		uint8_t type = data[field];
		field = (uint32_t)at;
		at += type == FRAGMENT ? 8 : type == AUTHENTICATION ? (data[at + 1] + 2u) * 4 : (data[at + 1] + 1u) * 8;
	}
	return field;
}

static void
local_6(struct worker *w, struct l3_local *l)
{
	bool hop_by_hop = false, fragment = false;

	l->payload = bytes_in(local_data(l), rte_pktmbuf_data_len(l->m));
	if (ip6_get(&l->payload, &l->v6) != IP6_GOOD) {
		local_drop(w, l, SEG_DROP_L3_HEADER);
		return;
	}
	memcpy(l->source, l->v6.source, sizeof(l->source));
	memcpy(l->destination, l->v6.destination, sizeof(l->destination));
	uint8_t next = ip6_walk(&l->payload, l->v6.next, &hop_by_hop, &fragment);
	if (iface_has(l->in, SEG_IPV6, l->source) || (ip6_is_none(l->source) && next != IP6_ICMP)) {
		local_drop(w, l, SEG_DROP_L3_SOURCE);
	} else if (fragment) {
		local_fragment6(w, l);
	} else if (next == IP6_ICMP) {
		local_icmp6(w, l);
	} else if (next == IP_TCP) {
		local_tcp(w, l);
	} else if (next == IP_UDP) {
		local_refuse(w, l, L3_NO_PORT, 0);
	} else if (next == IP6_NONE) {
		local_drop(w, l, SEG_DROP_L3_NO_SERVICE);
	} else {
		local_refuse(w, l, L3_NO_PROTOCOL, local_next_field(l, (size_t)(l->payload.at - local_data(l))));
	}
}

void
l3_local(struct worker *w, const struct iface *in, uint16_t port, unsigned family, struct rte_mbuf *packet, bool group)
{
	struct l3_local l = {.in = in, .port = port, .family = family, .group = group, .m = packet};
	const uint8_t *data = local_data(&l);
	/* neighbour discovery has a policer of its own */
	bool nd = family == SEG_IPV6 && rte_pktmbuf_data_len(packet) > IP6_HEADER && data[6] == IP6_ICMP &&
		  data[IP6_HEADER] >= ND_RS && data[IP6_HEADER] <= ND_REDIRECT;

	seg_add(&w->mine->l3.local[family], 1);
	if (!nd && neighbor_police(w, port, POLICE_LOCAL)) {
		local_drop(w, &l, SEG_DROP_POLICE_LOCAL);
	} else if (family == SEG_IPV4) {
		local_4(w, &l);
	} else {
		local_6(w, &l);
	}
}
