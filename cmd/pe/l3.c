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
	uint16_t size;           /* of the IP packet */
	uint16_t header;         /* bytes before it */
};

/* The plain ones of a family. */
struct plain {
	unsigned n;
	uint8_t at[BURST]; /* which of the burst */
	uint64_t hop[BURST];
	uint32_t home[BURST]; /* of the neighbour */
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

#define L3_ROUTED (1u << SEG_ROUTE_CONNECTED | 1u << SEG_ROUTE_LINK | 1u << SEG_ROUTE_VIA)

/* The neighbours that the hops say, and their lines are asked for. Others than routed ones leave the plain ones. */
static inline void
l3_next_hops(const struct nbr *table, const struct fib *fib, struct plain *plain)
{
	unsigned n = 0;

	for (unsigned i = 0; i < plain->n; i++) {
		const struct fib_hop *hop = &fib->hop[plain->hop[i]];
		struct nbr_key key = plain->key[i];
		if (__builtin_expect(!(1u << hop->kind & L3_ROUTED), 0)) {
			continue;
		}
		if (hop->kind == SEG_ROUTE_VIA) {
			key.address[0] = hop->via[0];
			key.address[1] = hop->via[1];
		}
		key.iface = hop->iface;
		plain->at[n] = plain->at[i];
		plain->key[n] = key;
		plain->home[n] = nbr_home(table, nbr_hash(&key, table->seed));
		__builtin_prefetch(&table->slot[plain->home[n]]);
		n++;
	}
	plain->n = n;
}

static inline void
l3_neighbors(const struct plan *plan, const struct nbr *table, const struct plain *plain, struct way *way)
{
	for (unsigned i = 0; i < plain->n; i++) {
		const struct nbr_key *key = &plain->key[i];
		uint32_t slot = nbr_find_at(table, plain->home[i], key);
		const struct iface *out = plan->iface[key->iface % SEG_MAX_IFACES];
		struct way *to = &way[plain->at[i]];
		if (__builtin_expect(slot == NBR_NONE || !out, 0)) {
			continue;
		}
		to->value = table->slot[slot].value;
		if (__builtin_expect((to->value & SEG_NBR_READY) && to->size <= out->mtu && out->enabled, 1)) {
			to->out = out;
		}
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

/* One hop less, and other Ethernet addresses. Returns the channel; 0: nothing was done, it needs care. */
static inline uint16_t
l3_rewrite(const struct worker *w, struct rte_mbuf *frame, const struct way *to, uint32_t *bytes)
{
	uint8_t *ip = rte_pktmbuf_mtod(frame, uint8_t *) + to->header;
	uint16_t vid = to->out->vid, channel = to->out->port;

	if (!channel && !(channel = l3_bridged(w, to, &vid))) {
		return 0;
	}
	uint64_t target = __builtin_bswap64(to->value & ~0xffffull), source = __builtin_bswap64(to->out->mac << 16);
	unsigned header = vid ? ETH_HEADER + ETH_TAG : ETH_HEADER;
	uint8_t *start = ip - header;
	uint16_t type;
	if (*ip == 0x45) {
		/* TTL, protocol, checksum; the sum of ones' complement loses 0x100 (RFC 1624) */
		uint32_t word = l3_load32(ip + 8) - 1, sum = (word >> 16) + 1;
		word = (word & 0xffff) | (sum + (sum >= 0xffff)) << 16;
		memcpy(ip + 8, &word, 4);
		type = WIRE_IPV4;
	} else {
		ip[7]--;
		type = WIRE_IPV6;
	}
	uint64_t first = target | source << 48;
	uint32_t second = (uint32_t)(source >> 16);
	memcpy(start, &first, 8);
	memcpy(start + 8, &second, 4);
	if (vid) {
		uint32_t tag = WIRE_VLAN | (uint32_t)__builtin_bswap16(vid) << 16;
		memcpy(start + 12, &tag, 4);
	}
	memcpy(ip - 2, &type, 2);
	frame->data_off = (uint16_t)(frame->data_off + to->header - header);
	*bytes = frame->pkt_len + header - to->header;
	frame->pkt_len = *bytes;
	frame->data_len = (uint16_t)*bytes;
	return channel;
}

/* Headers, by family; whose interface is not enabled, needs care. */
static inline void
l3_heads(const struct plan *plan, const uint16_t *fid, struct rte_mbuf **frame, unsigned n, struct way *way,
	struct plain plain[static SEG_FAMILIES], uint32_t *to4, uint8_t to6[][16])
{
	plain[SEG_IPV4].n = plain[SEG_IPV6].n = 0;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *data = rte_pktmbuf_mtod(frame[i], const uint8_t *);
		const struct iface *in = plan->iface[plan->fid[fid[i]].iface];
		uint16_t type = l3_load16(data + 12), header = ETH_HEADER;
		if (type == WIRE_VLAN) {
			type = l3_load16(data + 16);
			header = ETH_HEADER + ETH_TAG;
		}
		int room = (int)rte_pktmbuf_data_len(frame[i]) - header;
		way[i].out = NULL;
		way[i].header = header;
		if (__builtin_expect(!in || !in->enabled, 0)) {
			continue;
		}
		if (type == WIRE_IPV4) {
			struct plain *v4 = &plain[SEG_IPV4];
			uint32_t to;
			if (l3_plain4(data + header, room, &way[i].size, &to)) {
				to4[v4->n] = to;
				v4->key[v4->n] = nbr_key4(to, 0);
				v4->at[v4->n++] = (uint8_t)i;
			}
		} else if (type == WIRE_IPV6) {
			struct plain *v6 = &plain[SEG_IPV6];
			if (l3_plain6(data + header, room, &way[i].size)) {
				const uint8_t *to = data + header + 24;
				memcpy(to6[v6->n], to, 16);
				v6->key[v6->n] =
					nbr_key6(__builtin_bswap64(l3_load64(to)), __builtin_bswap64(l3_load64(to + 8)), 0);
				v6->at[v6->n++] = (uint8_t)i;
			}
		}
	}
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
	struct plain plain[SEG_FAMILIES];
	struct way way[BURST];
	uint32_t to4[BURST];
	uint8_t to6[BURST][16];
	uint16_t channel[BURST] = {0}, different = 0;
	uint32_t bytes = 0;
	uint64_t forwarded[2] = {0};

	l3_heads(plan, fid, frame, n, way, plain, to4, to6);
	if (__builtin_expect(!fib, 0)) {
		plain[SEG_IPV4].n = plain[SEG_IPV6].n = 0;
	}
	if (plain[SEG_IPV4].n) {
		const struct nbr *table = &w->nbr->cache[SEG_IPV4].table;
		fib_lookup4(fib, to4, plain[SEG_IPV4].hop, plain[SEG_IPV4].n);
		l3_next_hops(table, fib, &plain[SEG_IPV4]);
		l3_neighbors(plan, table, &plain[SEG_IPV4], way);
	}
	if (plain[SEG_IPV6].n) {
		const struct nbr *table = &w->nbr->cache[SEG_IPV6].table;
		fib_lookup6(fib, to6, plain[SEG_IPV6].hop, plain[SEG_IPV6].n);
		l3_next_hops(table, fib, &plain[SEG_IPV6]);
		l3_neighbors(plan, table, &plain[SEG_IPV6], way);
	}
	for (unsigned i = 0; i < n; i++) {
		uint32_t size = 0;
		bool v6 = way[i].out && l3_load16(rte_pktmbuf_mtod(frame[i], const uint8_t *) + way[i].header - 2) == WIRE_IPV6;
		channel[i] = way[i].out ? l3_rewrite(w, frame[i], &way[i], &size) : 0;
		forwarded[v6] += channel[i] != 0;
		different |= channel[i] ^ channel[0];
		bytes += size;
	}
	seg_add(&w->mine->l3.forwarded[SEG_IPV4], forwarded[0]);
	seg_add(&w->mine->l3.forwarded[SEG_IPV6], forwarded[1]);
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
	} else if (!l3_group(w, port, fid, frame)) {
		worker_drop_in(w, SEG_DROP_L3_SCOPE, port, frame);
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
