/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neighbours on a data core: the two caches, what they want done, policers, and which core a frame belongs to.
 *
 * What a cache wants may lead to more: a packet given up makes an ICMP error, which needs a neighbour. So the list is taken away
 * before it is worked on. Only a solicitation can come of a need, and it needs nothing, so this goes two deep at most.
 */
#include "neighbor.h"

#include <stdlib.h>

#include "net/eth.h"
#include "net/ip6.h"

#define POLICE_BURST_MS 50
#define POLICE_LEAST 8 /* frames that a bucket holds at least */
#define FRAME 1000000000ll

/* ---- beginning and end ------------------------------------------------------------------------------------------ */

static bool
neighbor_init(struct worker *w, struct neighbors *nbr, unsigned family)
{
	const struct seg *seg = &w->engine->seg;
	uint32_t slots = seg->head.nbr_slots;
	uint64_t seed = seg->head.fdb_seed, limit = seg->head.nbr_limit;

	/* calloc(): most of a large table is never touched */
	nbr->timers[family] = calloc(slots, sizeof(*nbr->timers[family]));
	if (!nbr->timers[family]) {
		return false;
	}
	nbr_cache_init(&nbr->cache[family], family, seg_nbr(seg, family, w->number), nbr->timers[family], slots, seed, limit,
		seg_control(seg), &w->mine->nbr[family], &nbr->params, (uint8_t)w->number, (uint8_t)w->ncores, w->now_ns);
	return true;
}

struct neighbors *
neighbor_new(struct worker *w)
{
	struct neighbors *nbr = calloc(1, sizeof(*nbr));

	if (!nbr) {
		return NULL;
	}
	nbr->hold = hold_new(w->engine->seg.head.nbr_slots);
	if (!nbr->hold || !neighbor_init(w, nbr, SEG_IPV4) || !neighbor_init(w, nbr, SEG_IPV6)) {
		neighbor_free(nbr);
		return NULL;
	}
	return nbr;
}

void
neighbor_free(struct neighbors *nbr)
{
	if (!nbr) {
		return;
	}
	if (nbr->hold) {
		hold_free(nbr->hold);
	}
	free(nbr->timers[SEG_IPV4]);
	free(nbr->timers[SEG_IPV6]);
	free(nbr);
}

void
neighbor_take_view(struct worker *w)
{
	const struct conf_neighbors *conf = &w->view->plan->nbr;

	w->nbr->params = (struct nbr_params){
		.reachable_ns = conf->reachable_ms * 1000000ull,
		.retrans_ns = conf->retrans_ms * 1000000ull,
		.delay_ns = conf->delay_ms * 1000000ull,
		.stale_ns = conf->stale_s * 1000000000ull,
		.solicitations = conf->solicitations,
		.incomplete = conf->incomplete,
		.solicit_pps = conf->solicit_pps,
	};
}

/* ---- what the caches want --------------------------------------------------------------------------------------- */

static void
neighbor_serve(struct worker *w, const struct nbr_request *request, unsigned family)
{
	const struct iface *iface = w->view->plan->iface[request->key.iface % SEG_MAX_IFACES];

	if (request->kind != NBR_SOLICIT && seg_get(&w->engine->awaited)) {
		engine_call(w->engine);
	}
	switch (request->kind) {
	case NBR_SOLICIT:
		neighbor_solicit(w, family, &request->key, request->mac);
		break;
	case NBR_RESOLVED:
		if (iface) {
			hold_release(w, family, request->slot, iface, request->mac);
			break;
		}
		hold_drop(w, family, request->slot, SEG_DROP_L3_IFACE_DOWN);
		break;
	case NBR_UNRESOLVED:
		hold_drop(w, family, request->slot, SEG_DROP_NBR_FAILED);
		break;
	}
}

static void
neighbor_flush_family(struct worker *w, unsigned family)
{
	struct nbr_out *out = &w->nbr->out[family];
	struct nbr_request request[NBR_OUT];
	unsigned n = out->nrequest;

	exchange_list(w, out->msg, out->nmsg);
	memcpy(request, out->request, n * sizeof(request[0]));
	out->nmsg = out->nrequest = 0;
	for (unsigned i = 0; i < n; i++) {
		neighbor_serve(w, &request[i], family);
	}
}

void
neighbor_flush(struct worker *w)
{
	for (unsigned f = 0; f < SEG_FAMILIES; f++) {
		while (w->nbr->out[f].nmsg || w->nbr->out[f].nrequest) {
			neighbor_flush_family(w, f);
		}
	}
}

struct nbr_out *
neighbor_out(struct worker *w, unsigned family)
{
	struct nbr_out *out = &w->nbr->out[family];
	if (nbr_out_full(out)) {
		neighbor_flush_family(w, family);
	}
	return out;
}

enum nbr_need
neighbor_need(struct worker *w, unsigned family, const struct nbr_key *key, uint32_t *slot)
{
	return nbr_cache_need(&w->nbr->cache[family], key, w->now_ns, slot, neighbor_out(w, family));
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

void
neighbor_receive(struct worker *w, const struct seg_msg *msg)
{
	unsigned family = nbr_msg_family(msg);

	if (msg->kind == SEG_MSG_NBR_ANNOUNCE) {
		neighbor_announce(w, msg);
	} else {
		nbr_cache_receive(&w->nbr->cache[family], msg, w->now_ns, neighbor_out(w, family));
	}
}

void
neighbor_ring_full(struct worker *w, uint8_t to, const struct seg_msg *msg)
{
	struct nbr_cache *c = &w->nbr->cache[nbr_msg_family(msg)];
	if (msg->kind == SEG_MSG_NBR_ASK) {
		nbr_cache_unasked(c, msg, w->now_ns);
	} else {
		nbr_cache_ring_full(c, to, msg->stamp);
	}
}

unsigned
neighbor_owing(const struct worker *w)
{
	return w->nbr->cache[SEG_IPV4].owing + w->nbr->cache[SEG_IPV6].owing;
}

bool
neighbor_owes(const struct worker *w, unsigned to)
{
	return w->nbr->cache[SEG_IPV4].debt[to].owed || w->nbr->cache[SEG_IPV6].debt[to].owed;
}

bool
neighbor_resync(struct worker *w)
{
	bool any = false;

	for (unsigned f = 0; f < SEG_FAMILIES; f++) {
		struct nbr_cache *cache = &w->nbr->cache[f];
		for (unsigned to = 1; to <= w->ncores && cache->owing; to++) {
			if (!cache->debt[to].owed) {
				continue;
			}
			neighbor_flush(w);
			uint32_t room = ring_room_to_repeat(&w->to[to]);
			nbr_cache_resync(cache, (uint8_t)to, room < NBR_OUT ? room : NBR_OUT, w->now_ns, &w->nbr->out[f]);
			any |= room > 0;
			neighbor_flush_family(w, f);
		}
	}
	return any;
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

void
neighbor_tick(struct worker *w)
{
	for (unsigned f = 0; f < SEG_FAMILIES; f++) {
		nbr_cache_tick(&w->nbr->cache[f], w->now_ns, neighbor_out(w, f));
	}
	neighbor_flush(w);
}

uint64_t
neighbor_next(const struct worker *w)
{
	uint64_t v4 = nbr_cache_next(&w->nbr->cache[SEG_IPV4], w->now_ns);
	uint64_t v6 = nbr_cache_next(&w->nbr->cache[SEG_IPV6], w->now_ns);
	return v4 < v6 ? v4 : v6;
}

/* ---- policers --------------------------------------------------------------------------------------------------- */

bool
neighbor_take(struct nbr_police *bucket, uint32_t pps, uint64_t now)
{
	int64_t burst = (int64_t)(pps / (1000 / POLICE_BURST_MS));
	int64_t most = (burst < POLICE_LEAST ? POLICE_LEAST : burst) * FRAME;
	uint64_t elapsed = now - bucket->filled_ns;

	if (elapsed >= FRAME) {
		bucket->tokens = most;
	} else {
		bucket->tokens += (int64_t)elapsed * pps;
		bucket->tokens = bucket->tokens < most ? bucket->tokens : most;
	}
	bucket->filled_ns = now;
	if (bucket->tokens < FRAME) {
		return false;
	}
	bucket->tokens -= FRAME;
	return true;
}

bool
neighbor_police(struct worker *w, uint16_t port, enum police_class class)
{
	const struct conf_police *conf = &w->view->plan->police;
	uint32_t pps = class == POLICE_ARP ? conf->arp_pps : class == POLICE_ND ? conf->nd_pps : conf->local_pps;

	return pps && !neighbor_take(&w->nbr->police[port][class], pps, w->now_ns);
}

/* ---- steering --------------------------------------------------------------------------------------------------- */

static inline uint16_t
neighbor_u16(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

/* The owner of what an ND packet is about; data: from the IPv6 header on. */
static unsigned
neighbor_steer_nd(const struct worker *w, uint16_t iface, const uint8_t *data, size_t size)
{
	struct nd nd = {.type = data[IP6_HEADER]};
	uint64_t source[2], address[2];

	if (nd.type < ND_RS || nd.type > ND_NA || (nd.type == ND_NA && size < IP6_HEADER + 24)) {
		return 0;
	}
	ip6_words(data + 8, source);
	if (nd.type == ND_NA) {
		ip6_words(data + IP6_HEADER + 8, nd.target);
	}
	nd_steer(&nd, source, address);
	const struct nbr_key key = nbr_key6(address[0], address[1], iface);
	return nbr_owner(&w->nbr->cache[SEG_IPV6], &key);
}

unsigned
neighbor_steer(struct worker *w, uint16_t port, const struct rte_mbuf *frame)
{
	const struct plan *plan = w->view->plan;
	const struct plan_port *in = &plan->port[port];
	const uint8_t *data = rte_pktmbuf_mtod(frame, const uint8_t *);
	size_t size = rte_pktmbuf_data_len(frame);
	uint16_t type = size >= ETH_HEADER + ETH_TAG ? neighbor_u16(data + 12) : 0, fid = in->untagged_fid;

	data += ETH_HEADER;
	size -= ETH_HEADER;
	if (type == ETH_VLAN) {
		uint16_t vid = ETH_VID(neighbor_u16(data));
		type = neighbor_u16(data + 2);
		fid = !vid ? fid : in->fid ? in->fid[vid] : 0;
		data += ETH_TAG;
		size -= ETH_TAG;
	}
	bool nd = type == ETH_IPV6 && size > IP6_HEADER && data[6] == IP6_ICMP;
	if (__builtin_expect(!nd && type != ETH_ARP, 1)) {
		return 0;
	}
	uint16_t iface = plan->fid[fid].iface;
	if (!iface) {
		return 0;
	}
	unsigned core = nd ? neighbor_steer_nd(w, iface, data, size) : seg_get(&seg_control(&w->engine->seg)->master);
	/* What is too much stays here, so that it takes nobody's room on the way: neighbor_arp() and neighbor_nd() count it. */
	return core && core != w->number && neighbor_police(w, port, nd ? POLICE_ND : POLICE_ARP) ? w->number : core;
}
