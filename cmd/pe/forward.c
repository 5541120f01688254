/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bridge: classes of the source text (BPDU, LACP, source, destination), in three passes over a burst.
 *
 * First pass: headers to keys, and the two buckets of each frame are asked for. Second: sources, which nearly always says
 * "known". Third: destinations. By then the lines are there. Whatever is rare leaves the passes at once.
 */
#include <string.h>

#include <rte_byteorder.h>

#include "base/addr.h"
#include "l3.h"

#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_SLOW 0x8809
#define MAC_BPDU 0x0180c2000000ull /* 802.1Q-2018 table 8-1 */
#define MAC_SLOW 0x0180c2000002ull /* 802.3 57A */
#define MAC_BROADCAST 0xffffffffffffull
#define VID_MASK 0xfff
#define ETH_HEADER 14u
#define TAGGED_HEADER 18u
#define FORWARD_ALIVE_MASK (0xffffffff0000ull | SEG_VALUE_TOMB)

enum tag { TAG_NONE, TAG_VLAN, TAG_PRIORITY };

struct head {
	uint64_t source, target; /* keys */
	uint32_t source_home, target_home;
	uint16_t fid;
	uint8_t tag;
	uint8_t special; /* group address, or to be dropped */
	uint32_t bytes;
};

/* Does the frame end within its header or tag? */
static inline bool
forward_runt(const struct head *h)
{
	return h->bytes < (h->tag == TAG_NONE ? ETH_HEADER : TAGGED_HEADER);
}

/* ---- tags ------------------------------------------------------------------------------------------------------- */

static void
forward_strip(struct rte_mbuf *frame)
{
	uint8_t *from = rte_pktmbuf_mtod(frame, uint8_t *);
	memmove(from + 4, from, 12);
	rte_pktmbuf_adj(frame, 4);
}

static bool
forward_insert(struct rte_mbuf *frame, uint16_t vid)
{
	uint8_t *from = rte_pktmbuf_mtod(frame, uint8_t *);
	uint8_t *to = (uint8_t *)rte_pktmbuf_prepend(frame, 4);
	if (!to) {
		return false;
	}
	memmove(to, from, 12);
	to[12] = ETHERTYPE_VLAN >> 8;
	to[13] = ETHERTYPE_VLAN & 0xff;
	to[14] = (uint8_t)(vid >> 8);
	to[15] = (uint8_t)vid;
	return true;
}

/* A priority tag becomes the tag of a VLAN; PCP and DEI stay (802.1Q 6.9.3). */
static void
forward_set_vid(struct rte_mbuf *frame, uint16_t vid)
{
	uint8_t *data = rte_pktmbuf_mtod(frame, uint8_t *);
	data[14] = (uint8_t)((data[14] & 0xf0) | vid >> 8);
	data[15] = (uint8_t)vid;
}

/* Gives a frame the tag that the way out wants. */
static bool
forward_retag(struct rte_mbuf *frame, enum tag tag, enum plan_egress egress, uint16_t vid)
{
	if (egress == PLAN_UNTAGGED) {
		if (tag != TAG_NONE) {
			forward_strip(frame);
		}
		return true;
	}
	if (tag == TAG_NONE) {
		return forward_insert(frame, vid);
	}
	if (tag == TAG_PRIORITY) {
		forward_set_vid(frame, vid);
	}
	return true;
}

_Static_assert(TAG_NONE + 1 == PLAN_UNTAGGED && TAG_VLAN + 1 == PLAN_TAGGED, "a frame that may go as it is needs one comparison");

static inline bool
forward_tag_fits(unsigned tag, unsigned egress)
{
	return tag + 1 == egress;
}

/* ---- to many ---------------------------------------------------------------------------------------------------- */

/* A copy of its own, so that every frame on its way out has one owner and may be changed. */
static void
forward_copy_to(
	struct worker *w, uint16_t channel, const struct rte_mbuf *frame, enum tag tag, enum plan_egress egress, uint16_t vid)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(frame, w->engine->pool, 0, UINT32_MAX);

	if (!copy || !forward_retag(copy, tag, egress, vid)) {
		drop_count(w->mine, SEG_DROP_NO_MBUF, channel, rte_pktmbuf_mtod(frame, const void *), rte_pktmbuf_data_len(frame),
			w->now_ns);
		seg_add(&w->mine->port[channel].tx_dropped, 1);
		rte_pktmbuf_free(copy);
		return;
	}
	transmit(w, channel, copy, rte_pktmbuf_pkt_len(copy));
}

/* To all members of the VLAN but the one it came from (0: it is ours). The last one gets the frame itself. */
static void
forward_flood(struct worker *w, uint16_t port, struct rte_mbuf *frame, const struct head *h)
{
	const struct plan_fid *fid = &w->view->plan->fid[h->fid];
	uint16_t last = 0;

	for (unsigned i = 0; i < fid->nmembers; i++) {
		uint16_t channel = fid->member[i];
		const struct lane *lane = w->view->lane[channel];
		if (channel == port || !lane || !seg_get(&lane->up)) {
			continue;
		}
		if (last) {
			forward_copy_to(w, last, frame, h->tag, fid->egress[last], fid->vid);
		}
		last = channel;
	}
	if (!last && port) {
		worker_drop_in(w, SEG_DROP_NO_TARGET, port, frame);
	} else if (!last) {
		worker_drop(w, SEG_DROP_NO_TARGET, 0, frame);
	} else if (forward_retag(frame, h->tag, fid->egress[last], fid->vid)) {
		transmit(w, last, frame, rte_pktmbuf_pkt_len(frame));
	} else {
		worker_drop_out(w, SEG_DROP_NO_MBUF, last, frame);
	}
}

void
forward_own(struct worker *w, uint16_t fid, struct rte_mbuf *frame, uint64_t target)
{
	const struct head h = {.fid = fid, .tag = TAG_NONE};
	const struct plan_fid *plan = &w->view->plan->fid[fid];
	struct fdb *fdb = &w->replica.fdb;
	uint32_t slot = mac_is_group(target) ? FDB_NONE : fdb_find(fdb, fdb_key(target, fid));

	if (slot == FDB_NONE || !fdb_alive(fdb, fid, *fdb_value_at(fdb, slot))) {
		forward_flood(w, 0, frame, &h);
		return;
	}
	uint16_t channel = SEG_VALUE_CHANNEL(*fdb_value_at(fdb, slot)) % SEG_MAX_CHANNELS;
	if (plan->egress[channel] == PLAN_NONE || !forward_retag(frame, TAG_NONE, plan->egress[channel], plan->vid)) {
		worker_drop(w, SEG_DROP_EGRESS_VLAN, 0, frame);
	} else {
		transmit(w, channel, frame, rte_pktmbuf_pkt_len(frame));
	}
}

/* The storm limit of a port is shared by the cores that flood for it; the core that polls the port fills it up (worker.c). */
static bool
forward_storm(struct worker *w, uint16_t port)
{
	struct lane *lane = w->view->lane[port];

	if (!w->view->plan->port[port].storm_pps || !lane) {
		return false;
	}
	if (__atomic_load_n(&lane->storm_tokens, __ATOMIC_RELAXED) <= 0) {
		return true;
	}
	__atomic_fetch_sub(&lane->storm_tokens, 1, __ATOMIC_RELAXED);
	return false;
}

static void
forward_many(
	struct worker *w, uint16_t port, struct rte_mbuf *frame, const struct head *h, enum seg_class class, enum seg_drop storm)
{
	seg_add(&w->mine->class_packets[class], 1);
	if (forward_storm(w, port)) {
		worker_drop_in(w, storm, port, frame);
		return;
	}
	forward_flood(w, port, frame, h);
}

/* ---- what is special -------------------------------------------------------------------------------------------- */

static void
forward_class_drop(struct worker *w, uint16_t port, struct rte_mbuf *frame, enum seg_drop reason)
{
	seg_add(&w->mine->class_packets[SEG_CLASS_DROP], 1);
	worker_drop_in(w, reason, port, frame);
}

static bool
forward_shares_vlan(const struct plan_port *a, const struct plan_port *b)
{
	for (unsigned vid = VLAN_MIN; vid <= VLAN_MAX; vid++) {
		if (a->fid[vid] && a->fid[vid] == b->fid[vid]) {
			return true;
		}
	}
	return false;
}

/*
 * A BPDU is untagged and speaks for the link, not for a VLAN. At a port without an untagged VLAN it goes to the other such ports
 * that share a tagged one with it: those are the links that a loop of the neighbours can run over.
 */
static void
forward_bpdu_trunk(struct worker *w, uint16_t port, struct rte_mbuf *frame)
{
	const struct plan *plan = w->view->plan;
	const struct plan_port *in = &plan->port[port];
	bool any = false;

	seg_add(&w->mine->class_packets[SEG_CLASS_MCAST], 1);
	for (uint16_t c = 1; c < SEG_MAX_PORTS && in->fid; c++) {
		const struct plan_port *out = &plan->port[c];
		const struct lane *lane = w->view->lane[c];
		if (c != port && lane && seg_get(&lane->up) && out->bridge == in->bridge && !out->untagged_fid && out->fid &&
			forward_shares_vlan(in, out)) {
			forward_copy_to(w, c, frame, TAG_NONE, PLAN_UNTAGGED, 0);
			any = true;
		}
	}
	if (any) {
		rte_pktmbuf_free(frame);
	} else {
		worker_drop_in(w, SEG_DROP_NO_TARGET, port, frame);
	}
}

/* The reserved addresses 01:80:c2:00:00:00 to 0f. True: the frame is gone; false: it is forwarded like any multicast. */
static bool
forward_reserved(struct worker *w, uint16_t port, struct rte_mbuf *frame, const struct head *h, uint64_t target)
{
	const struct plan_port *in = &w->view->plan->port[port];
	const uint8_t *data = rte_pktmbuf_mtod(frame, const uint8_t *);

	if (target == MAC_SLOW && rte_pktmbuf_data_len(frame) > 14 && (data[12] << 8 | data[13]) == ETHERTYPE_SLOW &&
		data[14] == 1) {
		seg_add(&w->mine->class_packets[SEG_CLASS_LAG], 1);
		worker_drop_in(w, SEG_DROP_LACP_NO_LAG, port, frame);
	} else if (target != MAC_BPDU) {
		forward_class_drop(w, port, frame, SEG_DROP_RESERVED_MAC);
	} else if (in->stp == SEG_STP_BLOCK) {
		forward_class_drop(w, port, frame, SEG_DROP_BPDU_BLOCKED);
	} else if (!h->fid && h->tag == TAG_NONE && in->bridge) {
		forward_bpdu_trunk(w, port, frame);
	} else {
		return false;
	}
	return true;
}

static enum seg_drop
forward_refused(const struct worker *w, uint16_t port, const struct head *h)
{
	if (forward_runt(h)) {
		return SEG_DROP_RX_RUNT;
	}
	if (!w->view->plan->port[port].bridge) {
		return SEG_DROP_NO_BRIDGE;
	}
	if (mac_is_group(fdb_key_mac(h->source))) {
		return SEG_DROP_SOURCE_GROUP;
	}
	if (!h->fid) {
		return h->tag == TAG_VLAN ? SEG_DROP_VLAN_REFUSED : SEG_DROP_UNTAGGED_REFUSED;
	}
	return SEG_DROP_NONE;
}

/* A frame for a group, or one that is to be dropped. */
static void
forward_special(struct worker *w, uint16_t port, struct rte_mbuf *frame, const struct head *h)
{
	uint64_t target = fdb_key_mac(h->target);

	if (!forward_runt(h) && (target & ~0xfull) == MAC_BPDU && forward_reserved(w, port, frame, h, target)) {
		return;
	}
	enum seg_drop reason = forward_refused(w, port, h);
	if (reason) {
		forward_class_drop(w, port, frame, reason);
	} else if (w->view->plan->fid[h->fid].iface && l3_group(w, port, h->fid, frame) == L3_GROUP_GONE) {
		seg_add(&w->mine->class_packets[SEG_CLASS_LOCAL], 1);
	} else if (target == MAC_BROADCAST) {
		forward_many(w, port, frame, h, SEG_CLASS_BCAST, SEG_DROP_STORM_BCAST);
	} else {
		forward_many(w, port, frame, h, SEG_CLASS_MCAST, SEG_DROP_STORM_MCAST);
	}
}

/* ---- the passes ------------------------------------------------------------------------------------------------- */

#define WIRE_GROUP_BITS 0x0001000000000001ull /* of both addresses, in the first eight bytes as a little-endian number */
#define WIRE_VLAN 0x0081                      /* the Ethertype likewise */

static inline uint64_t
forward_load(const uint8_t *data)
{
	uint64_t v;
	memcpy(&v, data, 8);
	return rte_le_to_cpu_64(v);
}

/* Reads a header: 16 bytes, which every mbuf's buffer has even when the frame is shorter. */
static inline void
forward_head(const struct fdb *fdb, const struct plan_port *in, const struct rte_mbuf *frame, struct head *h)
{
	const uint8_t *data = rte_pktmbuf_mtod(frame, const uint8_t *);
	uint64_t first = forward_load(data), second = forward_load(data + 8);
	uint16_t fid = in->untagged_fid;
	uint8_t tag = TAG_NONE;

	if ((second >> 32 & 0xffff) == WIRE_VLAN) {
		uint16_t vid = __builtin_bswap16((uint16_t)(second >> 48)) & VID_MASK;
		tag = vid ? TAG_VLAN : TAG_PRIORITY;
		fid = !vid ? in->untagged_fid : in->fid ? in->fid[vid] : 0;
	}
	h->fid = fid;
	h->tag = tag;
	h->bytes = rte_pktmbuf_pkt_len(frame);
	h->special = (first & WIRE_GROUP_BITS) || forward_runt(h) || !fid;
	h->target = (__builtin_bswap64(first) & ~0xffffull) | fid;
	h->source = (__builtin_bswap64(first >> 48 | second << 16) & ~0xffffull) | fid;
	h->source_home = fdb_home(fdb_hash(h->source, fdb->seed), fdb->nbuckets);
	h->target_home = fdb_home(fdb_hash(h->target, fdb->seed), fdb->nbuckets);
	__builtin_prefetch(&fdb->hot[h->source_home]);
	__builtin_prefetch(&fdb->hot[h->target_home]);
}

/* The source's entry is not what it should be: perhaps it only has to be marked. False: it must be learned, or has moved. */
static bool
forward_source_mark(struct fdb *fdb, const struct head *h, uint16_t port)
{
	uint32_t slot = fdb_find_at(fdb, h->source_home, h->source);
	uint64_t value = slot != FDB_NONE ? *fdb_value_at(fdb, slot) : SEG_VALUE_TOMB;

	if (SEG_VALUE_CHANNEL(value) != port || !fdb_alive(fdb, h->fid, value)) {
		/* never from a group address, to a reserved one, or in a VLAN that the port is not in */
		return !h->fid || forward_runt(h) || mac_is_group(fdb_key_mac(h->source)) ||
		       (fdb_key_mac(h->target) & ~0xfull) == MAC_BPDU;
	}
	fdb_mark_used(fdb, slot, true);
	return true;
}

static void
forward_learn(struct worker *w, uint16_t port, const struct head *head, const uint8_t *which, unsigned n)
{
	w->now_ns = engine_now_ns();
	for (unsigned i = 0; i < n; i++) {
		if (w->out.n > REPLICA_OUT - REPLICA_OUT_CALL) {
			exchange_send(w);
		}
		replica_learn(&w->replica, head[which[i]].source, port, w->now_ns, &w->out);
	}
	exchange_send(w);
}

/* A unicast frame that cannot go as it is to a live entry's channel. Returns the channel, 0 when the frame is gone. */
static uint16_t
forward_other(struct worker *w, uint16_t port, struct rte_mbuf *frame, struct head *h, uint64_t value)
{
	if (!fdb_alive(&w->replica.fdb, h->fid, value)) {
		forward_many(w, port, frame, h, SEG_CLASS_UNKNOWN, SEG_DROP_STORM_UNKNOWN);
		return 0;
	}
	uint16_t channel = SEG_VALUE_CHANNEL(value) % SEG_MAX_CHANNELS;
	const struct plan_fid *fid = &w->view->plan->fid[h->fid];
	enum plan_egress egress = fid->egress[channel];
	if (channel == port) {
		forward_class_drop(w, port, frame, SEG_DROP_SAME_CHANNEL);
		return 0;
	}
	if (egress == PLAN_NONE || !forward_retag(frame, h->tag, egress, fid->vid)) {
		forward_class_drop(w, port, frame, SEG_DROP_EGRESS_VLAN);
		return 0;
	}
	h->bytes = rte_pktmbuf_pkt_len(frame);
	return channel;
}

/* The channel of a unicast frame, made fit for it; 0 when the frame is gone. */
static inline uint16_t
forward_unicast(struct worker *w, uint16_t port, struct rte_mbuf *frame, struct head *h, uint64_t alive, const uint8_t *egress)
{
	uint64_t value = fdb_value_of(&w->replica.fdb, h->target_home, h->target);
	uint16_t channel = SEG_VALUE_CHANNEL(value);

	/* learned since the last flush, somewhere else, and with the tag that is wanted there */
	if (__builtin_expect(
		    (value & FORWARD_ALIVE_MASK) == alive && channel != port && forward_tag_fits(h->tag, egress[channel]), 1)) {
		return channel;
	}
	return forward_other(w, port, frame, h, value);
}

/* Counts and gathers the frames of a burst whose channel is known. */
static void
forward_gather(struct worker *w, struct rte_mbuf **frame, const struct head *head, const uint16_t *channel, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (channel[i]) {
			w->outgoing[channel[i]].known++; /* first: a full batch is counted when it leaves */
			transmit(w, channel[i], frame[i], head[i].bytes);
		}
	}
}

/* Frames for interfaces, put aside during the passes. */
struct local {
	unsigned n;
	struct rte_mbuf *frame[BURST];
	uint16_t fid[BURST];
};

/* Where a frame goes: its channel; 0 when it is gone, or is for an interface. */
static inline uint16_t
forward_target(struct worker *w, uint16_t port, struct rte_mbuf *frame, struct head *h, uint64_t alive, struct local *local)
{
	const struct plan_fid *fid = &w->view->plan->fid[h->fid];

	if (__builtin_expect(h->special, 0)) {
		forward_special(w, port, frame, h);
		return 0;
	}
	if (__builtin_expect(fid->local_mac == fdb_key_mac(h->target), 0) && fid->iface) {
		local->fid[local->n] = h->fid;
		local->frame[local->n++] = frame;
		return 0;
	}
	return forward_unicast(w, port, frame, h, alive, fid->egress);
}

/* Does it come from an interface of ours? Asked only where a source is unknown: that one is never learned. */
static bool
forward_from_us(const struct worker *w, const struct head *h)
{
	const struct plan_fid *fid = &w->view->plan->fid[h->fid];
	return fid->iface && fid->local_mac == fdb_key_mac(h->source);
}

/* A port that is not bridged: it has interfaces on it, or is not enabled and nothing of what it received is looked at. */
static void
forward_not(struct worker *w, uint16_t port, struct rte_mbuf **frame, unsigned n)
{
	if (w->view->plan->port[port].enabled) {
		l3_port_burst(w, port, frame, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		forward_class_drop(w, port, frame[i], SEG_DROP_RX_DISABLED);
	}
	seg_add(&w->mine->rx_packets, n);
}

void
forward_burst(struct worker *w, uint16_t port, struct rte_mbuf **frame, unsigned n)
{
	const struct plan_port *in = &w->view->plan->port[port];
	struct fdb *fdb = &w->replica.fdb;
	/* what a source's entry says when there is nothing to do */
	uint64_t alive = fdb_value(0, fdb->flush_seq, 0), known = fdb_value(port, fdb->flush_seq, SEG_VALUE_USED);
	struct head head[BURST];
	struct local local;
	uint16_t channel[BURST] = {0}, different = 0;
	uint8_t unknown[BURST];
	unsigned nunknown = 0;
	uint32_t bytes = 0;

	if (__builtin_expect(!in->enabled || in->routed, 0)) {
		forward_not(w, port, frame, n);
		return;
	}
	local.n = 0;
	for (unsigned i = 0; i < n; i++) {
		forward_head(fdb, in, frame[i], &head[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		struct head *h = &head[i];
		bool own = false;
		if (__builtin_expect((fdb_value_of(fdb, h->source_home, h->source) & ~SEG_VALUE_REACH) != known, 0) &&
			!forward_source_mark(fdb, h, port) && !(own = forward_from_us(w, h))) {
			unknown[nunknown++] = (uint8_t)i;
		}
		if (__builtin_expect(own, 0)) {
			forward_class_drop(w, port, frame[i], SEG_DROP_OWN_SOURCE);
		} else {
			channel[i] = forward_target(w, port, frame[i], h, alive, &local);
		}
		different |= channel[i] ^ channel[0];
		bytes += h->bytes;
	}
	if (!different && channel[0]) {
		transmit_many(w, channel[0], frame, n, bytes);
		w->outgoing[channel[0]].known = (uint16_t)(w->outgoing[channel[0]].known + n);
	} else {
		forward_gather(w, frame, head, channel, n);
	}
	if (__builtin_expect(nunknown != 0, 0)) {
		forward_learn(w, port, head, unknown, nunknown);
	}
	if (__builtin_expect(local.n != 0, 0)) {
		seg_add(&w->mine->class_packets[SEG_CLASS_LOCAL], local.n);
		l3_burst(w, port, local.fid, local.frame, local.n);
	}
	seg_add(&w->mine->rx_packets, n);
}
