/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Routing in passes over a burst, as forward.c bridges.
 *
 * First pass: headers; what is plain (l3_plain4, l3_plain6) goes on, by family. Second: all routes are looked up at once. Third:
 * the neighbours' lines are asked for, fourth: read. Last: the headers are rewritten, and frames that were not plain, have no
 * resolved neighbour or must be cut are treated with care (l3_route.c), in the order in which they came.
 */
#include "fib.h"
#include "l3_int.h"
#include "neighbor.h"
#include "net/ip4.h"
#include "net/ip6.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the words below are loaded as a little-endian machine does"
#endif

#define WIRE_VLAN 0x0081 /* Ethertypes as numbers of this machine */
#define WIRE_IPV4 0x0008
#define WIRE_IPV6 0xdd86

/* What is known of a frame. */
struct way {
	uint64_t value;          /* of the neighbour */
	const struct iface *out; /* NULL: with care */
	uint8_t *ip;
	uint16_t size;  /* of the IP packet */
	uint8_t header; /* bytes before it */
	uint8_t family;
};

/* The plain ones of a family: which of the burst, where to, and what becomes known of the neighbour. */
struct plain4 {
	unsigned n;
	uint8_t at[BURST];
	uint16_t iface[BURST];
	uint32_t to[BURST], home[BURST];
	uint64_t hop[BURST];
};

struct plain6 {
	unsigned n;
	uint8_t at[BURST];
	uint32_t home[BURST];
	uint8_t to[BURST][16];
	uint64_t hop[BURST];
	struct nbr_key key[BURST];
};

static inline uint16_t
l3_load16(const uint8_t *at)
{
	uint16_t v;
	memcpy(&v, at, 2);
	return v;
}

static inline uint32_t
l3_load32(const uint8_t *at)
{
	uint32_t v;
	memcpy(&v, at, 4);
	return v;
}

static inline uint64_t
l3_load64(const uint8_t *at)
{
	uint64_t v;
	memcpy(&v, at, 8);
	return v;
}

/* ---- what is plain ---------------------------------------------------------------------------------------------- */

/* A first byte of an address that a host may have: neither this net, nor loopback, nor a group, nor reserved. */
static inline bool
l3_host4(uint32_t first)
{
	return first - 1 < 223 && first != 127;
}

/*
 * A whole IPv4 header of 20 bytes with a right checksum (RFC 1812 5.2.2), a TTL that lasts, from and to a host. ip: at least 20
 * bytes that may be read; room: of the frame from there on.
 */
static inline bool
l3_plain4(const uint8_t *ip, int room, uint16_t *size, uint32_t *destination)
{
	uint64_t a = l3_load64(ip), b = l3_load64(ip + 8);
	uint32_t to = l3_load32(ip + 16);
	uint64_t sum = (a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + to;

	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	*size = __builtin_bswap16((uint16_t)(a >> 16));
	*destination = __builtin_bswap32(to);
	/* as numbers: one branch at the end */
	unsigned right = (a & 0xff) == 0x45;
	right &= *size >= IP4_HEADER;
	right &= *size <= room;
	right &= sum == 0xffff;
	right &= (b & 0xff) > 1;
	right &= l3_host4(b >> 32 & 0xff);
	right &= l3_host4(to & 0xff);
	return right;
}

/* Not ::/16 (::, ::1 and embedded addresses), not fe80::/10 and what follows, not a group. */
static inline bool
l3_host6(uint16_t first)
{
	return (uint16_t)(first - 1) < 0xfe80 - 1;
}

/* The same for IPv6. ip: at least 40 bytes that may be read. */
static inline bool
l3_plain6(const uint8_t *ip, int room, uint16_t *size)
{
	unsigned whole = IP6_HEADER + __builtin_bswap16(l3_load16(ip + 4));

	*size = (uint16_t)whole;
	unsigned right = ip[0] >> 4 == 6;
	right &= (int)whole <= room;
	right &= ip[7] > 1;
	right &= l3_host6(__builtin_bswap16(l3_load16(ip + 8)));
	right &= l3_host6(__builtin_bswap16(l3_load16(ip + 24)));
	return right;
}

/* ---- the passes ------------------------------------------------------------------------------------------------- */

/* Headers, by family; whose interface is not enabled, needs care. */
static inline void
l3_heads(const struct plan *plan, const uint16_t *fid, struct rte_mbuf **frame, unsigned n, struct way *way, struct plain4 *v4,
	struct plain6 *v6)
{
	unsigned n4 = 0, n6 = 0, known = SEG_MAX_FIDS;
	bool enabled = false;

	for (unsigned i = 0; i < n; i++) {
		uint8_t *data = rte_pktmbuf_mtod(frame[i], uint8_t *);
		uint16_t type = l3_load16(data + 12);
		unsigned header = ETH_HEADER;
		if (fid[i] != known) {
			const struct iface *in = plan->iface[plan->fid[fid[i]].iface % SEG_MAX_IFACES];
			known = fid[i];
			enabled = in && in->enabled;
		}
		if (type == WIRE_VLAN) {
			type = l3_load16(data + 16);
			header = ETH_HEADER + ETH_TAG;
		}
		int room = (int)rte_pktmbuf_data_len(frame[i]) - (int)header;
		way[i].out = NULL;
		way[i].ip = data + header;
		way[i].header = (uint8_t)header;
		if (type == WIRE_IPV4) {
			if (__builtin_expect(l3_plain4(data + header, room, &way[i].size, &v4->to[n4]) && enabled, 1)) {
				way[i].family = SEG_IPV4;
				v4->at[n4++] = (uint8_t)i;
			}
		} else if (type == WIRE_IPV6) {
			if (__builtin_expect(l3_plain6(data + header, room, &way[i].size) && enabled, 1)) {
				way[i].family = SEG_IPV6;
				memcpy(v6->to[n6], data + header + 24, 16);
				v6->at[n6++] = (uint8_t)i;
			}
		}
	}
	v4->n = n4;
	v6->n = n6;
}

#define L3_ROUTED (1u << SEG_ROUTE_CONNECTED | 1u << SEG_ROUTE_LINK | 1u << SEG_ROUTE_VIA)

/* What the neighbour's line says, if that is enough. */
static inline void
l3_found(const struct plan *plan, const struct nbr *table, uint32_t slot, unsigned iface, struct way *to)
{
	const struct iface *out = plan->iface[iface % SEG_MAX_IFACES];

	if (__builtin_expect(slot == NBR_NONE || !out, 0)) {
		return;
	}
	to->value = table->slot[slot].value;
	if (__builtin_expect((to->value & SEG_NBR_READY) && to->size <= out->mtu && out->enabled, 1)) {
		to->out = out;
	}
}

/* The neighbours that the hops say, and their lines are asked for. Others than routed packets leave the plain ones. */
static void
l3_pass4(const struct plan *plan, const struct nbr *table, const struct fib *fib, struct plain4 *v4, struct way *way)
{
	unsigned n = 0;

	fib_lookup4(fib, v4->to, v4->hop, v4->n);
	for (unsigned i = 0; i < v4->n; i++) {
		const struct fib_hop *hop = &fib->hop[v4->hop[i]];
		if (__builtin_expect(!(1u << hop->kind & L3_ROUTED), 0)) {
			continue;
		}
		uint32_t next = hop->kind == SEG_ROUTE_VIA ? (uint32_t)hop->via[1] : v4->to[i];
		const struct nbr_key key = nbr_key4(next, hop->iface);
		uint32_t home = nbr_home(table, nbr_hash(&key, table->seed));
		__builtin_prefetch(&table->slot[home]);
		v4->at[n] = v4->at[i];
		v4->to[n] = next;
		v4->iface[n] = hop->iface;
		v4->home[n++] = home;
	}
	for (unsigned i = 0; i < n; i++) {
		const struct nbr_key key = nbr_key4(v4->to[i], v4->iface[i]);
		l3_found(plan, table, nbr_find_at(table, v4->home[i], &key), v4->iface[i], &way[v4->at[i]]);
	}
}

static void
l3_pass6(const struct plan *plan, const struct nbr *table, const struct fib *fib, struct plain6 *v6, struct way *way)
{
	unsigned n = 0;

	fib_lookup6(fib, v6->to, v6->hop, v6->n);
	for (unsigned i = 0; i < v6->n; i++) {
		const struct fib_hop *hop = &fib->hop[v6->hop[i]];
		if (__builtin_expect(!(1u << hop->kind & L3_ROUTED), 0)) {
			continue;
		}
		bool via = hop->kind == SEG_ROUTE_VIA;
		uint64_t high = __builtin_bswap64(l3_load64(v6->to[i])), low = __builtin_bswap64(l3_load64(v6->to[i] + 8));
		const struct nbr_key key = nbr_key6(via ? hop->via[0] : high, via ? hop->via[1] : low, hop->iface);
		v6->at[n] = v6->at[i];
		v6->home[n] = nbr_home(table, nbr_hash(&key, table->seed));
		__builtin_prefetch(&table->slot[v6->home[n]]);
		v6->key[n++] = key;
	}
	for (unsigned i = 0; i < n; i++) {
		l3_found(plan, table, nbr_find_at(table, v6->home[i], &v6->key[i]), v6->key[i].iface, &way[v6->at[i]]);
	}
}

/* The channel behind a bridged interface, and whether frames are tagged there; 0: with care. */
static inline uint16_t
l3_bridged(const struct worker *w, const struct way *to, uint16_t *vid)
{
	const struct fdb *fdb = &w->replica.fdb;
	const struct plan_fid *fid = &w->view->plan->fid[to->out->fid];
	uint64_t key = fdb_key(SEG_NBR_MAC(to->value), to->out->fid);
	uint64_t value = fdb_value_of(fdb, fdb_home(fdb_hash(key, fdb->seed), fdb->nbuckets), key);
	uint16_t channel = SEG_VALUE_CHANNEL(value) % SEG_MAX_CHANNELS;

	*vid = fid->egress[channel] == PLAN_TAGGED ? fid->vid : 0;
	return fdb_alive(fdb, to->out->fid, value) && fid->egress[channel] != PLAN_NONE ? channel : 0;
}

/* TTL, protocol, checksum: the sum in ones' complement loses 0x100 (RFC 1624). */
static inline void
l3_decrement4(uint8_t *ip)
{
	uint32_t word = l3_load32(ip + 8) - 1, sum = (word >> 16) + 1;

	word = (word & 0xffff) | (sum + (sum >= 0xffff)) << 16;
	memcpy(ip + 8, &word, 4);
}

/* One hop less, and other Ethernet addresses. Returns the channel; 0: nothing was done, it needs care. */
static inline uint16_t
l3_rewrite(const struct worker *w, struct rte_mbuf *frame, const struct way *to, uint32_t *bytes)
{
	uint16_t vid = to->out->vid, channel = to->out->port;
	uint8_t *ip = to->ip;
	uint16_t type = WIRE_IPV4;

	if (!channel && !(channel = l3_bridged(w, to, &vid))) {
		return 0;
	}
	uint64_t source = __builtin_bswap64(to->out->mac << 16);
	uint64_t first = __builtin_bswap64(to->value & ~0xffffull) | source << 48;
	uint32_t second = (uint32_t)(source >> 16);
	unsigned header = ETH_HEADER;
	if (to->family == SEG_IPV4) {
		l3_decrement4(ip);
	} else {
		ip[7]--;
		type = WIRE_IPV6;
	}
	if (vid) {
		uint32_t tag = WIRE_VLAN | (uint32_t)__builtin_bswap16(vid) << 16;
		header = ETH_HEADER + ETH_TAG;
		memcpy(ip - 6, &tag, 4);
	}
	memcpy(ip - header, &first, 8);
	memcpy(ip - header + 8, &second, 4);
	memcpy(ip - 2, &type, 2);
	*bytes = header + to->size; /* without what an Ethernet pads */
	frame->data_off = (uint16_t)(frame->data_off + to->header - header);
	frame->pkt_len = *bytes;
	frame->data_len = (uint16_t)*bytes;
	return channel;
}

/* Sends what has a channel, and gives the others to l3_careful(), in order. */
static void
l3_mixed(struct worker *w, uint16_t port, const uint16_t *fid, struct rte_mbuf **frame, const uint16_t *channel, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (channel[i]) {
			transmit(w, channel[i], frame[i], rte_pktmbuf_pkt_len(frame[i]));
		} else {
			l3_careful(w, l3_iface(w, fid[i]), port, frame[i]);
		}
	}
	neighbor_flush(w);
}

void
l3_burst(struct worker *w, uint16_t port, const uint16_t *fid, struct rte_mbuf **frame, unsigned n)
{
	const struct fib *fib = seg_get_acquire(&w->engine->fib);
	const struct plan *plan = w->view->plan;
	struct plain4 v4;
	struct plain6 v6;
	struct way way[BURST];
	uint16_t channel[BURST] = {0}, different = 0;
	uint32_t bytes = 0, forwarded[SEG_FAMILIES] = {0};

	l3_heads(plan, fid, frame, n, way, &v4, &v6);
	if (v4.n && fib) {
		l3_pass4(plan, &w->nbr->cache[SEG_IPV4].table, fib, &v4, way);
	}
	if (v6.n && fib) {
		l3_pass6(plan, &w->nbr->cache[SEG_IPV6].table, fib, &v6, way);
	}
	for (unsigned i = 0; i < n; i++) {
		if (__builtin_expect(way[i].out != NULL, 1)) {
			uint32_t size = 0;
			channel[i] = l3_rewrite(w, frame[i], &way[i], &size);
			forwarded[way[i].family] += channel[i] != 0;
			bytes += size;
		}
		different |= channel[i] ^ channel[0];
	}
	seg_add(&w->mine->l3.forwarded[SEG_IPV4], forwarded[SEG_IPV4]);
	seg_add(&w->mine->l3.forwarded[SEG_IPV6], forwarded[SEG_IPV6]);
	if (!different && channel[0]) {
		transmit_many(w, channel[0], frame, n, bytes);
	} else {
		l3_mixed(w, port, fid, frame, channel, n);
	}
}

/* ---- interfaces on a port --------------------------------------------------------------------------------------- */

/* A frame that no interface on the port has as its own. */
static void
l3_port_other(struct worker *w, uint16_t port, uint16_t fid, struct rte_mbuf *frame)
{
	const uint8_t *data = rte_pktmbuf_mtod(frame, const uint8_t *);
	uint16_t type;

	if (rte_pktmbuf_data_len(frame) < ETH_HEADER || !l3_header(frame, &type)) {
		worker_drop_in(w, SEG_DROP_RX_RUNT, port, frame);
	} else if (data[6] & 1) {
		worker_drop_in(w, SEG_DROP_SOURCE_GROUP, port, frame);
	} else if (!fid) {
		bool tagged = l3_load16(data + 12) == WIRE_VLAN && (data[14] & 0x0f || data[15]);
		worker_drop_in(w, tagged ? SEG_DROP_VLAN_REFUSED : SEG_DROP_UNTAGGED_REFUSED, port, frame);
	} else if (mac_get(data + 6) == w->view->plan->fid[fid].local_mac) {
		worker_drop_in(w, SEG_DROP_OWN_SOURCE, port, frame);
	} else if (!(data[0] & 1)) {
		worker_drop_in(w, SEG_DROP_L3_NOT_OURS, port, frame);
	} else {
		enum l3_group group = l3_group(w, port, fid, frame);
		if (group == L3_GROUP_OTHER) {
			worker_drop_in(w, SEG_DROP_L3_SCOPE, port, frame);
		} else if (group == L3_GROUP_SEEN) {
			rte_pktmbuf_free(frame);
		}
	}
}

void
l3_port_burst(struct worker *w, uint16_t port, struct rte_mbuf **frame, unsigned n)
{
	const struct plan *plan = w->view->plan;
	const struct plan_port *in = &plan->port[port];
	uint16_t fid[BURST];
	unsigned ours = 0;

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *data = rte_pktmbuf_mtod(frame[i], const uint8_t *);
		uint64_t target = __builtin_bswap64(l3_load64(data)) >> 16, source = __builtin_bswap64(l3_load64(data + 6)) >> 16;
		uint16_t at = in->untagged_fid;
		uint32_t least = ETH_HEADER;
		if (l3_load16(data + 12) == WIRE_VLAN) {
			uint16_t vid = __builtin_bswap16(l3_load16(data + 14)) & 0xfff;
			at = !vid ? at : in->fid ? in->fid[vid] : 0;
			least = ETH_HEADER + ETH_TAG;
		}
		uint64_t local = plan->fid[at].local_mac;
		if (__builtin_expect(
			    target == local && at && source != local && !(data[6] & 1) && frame[i]->pkt_len >= least, 1)) {
			fid[ours] = at;
			frame[ours++] = frame[i];
		} else {
			l3_port_other(w, port, at, frame[i]);
		}
	}
	if (ours) {
		seg_add(&w->mine->class_packets[SEG_CLASS_LOCAL], ours);
		l3_burst(w, port, fid, frame, ours);
	}
	seg_add(&w->mine->rx_packets, n);
}
