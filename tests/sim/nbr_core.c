/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "lan.h"

#define WORD(family) ((family) == SEG_IPV4 ? "IPv4" : "IPv6")

void
nbr_core_init(struct world *w, struct core *core, uint64_t seed)
{
	struct nbr_core *nbr = core->nbr = world_memory(w, sizeof(struct nbr_core));
	uint32_t slots = w->shape.nbr_slots;

	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		struct seg_nbr *memory = world_memory(w, slots * sizeof(struct seg_nbr));
		nbr->private[family] = world_memory(w, slots * sizeof(struct nbr_private));
		nbr->wait[family] = world_memory(w, slots * sizeof(struct nbr_wait));
		nbr_cache_init(&nbr->cache[family], family, memory, nbr->private[family], slots, seed, w -> shape.nbr_limit,
			w->control, &core->seg->nbr[family], &w->shape.nbr, core->r.self, (uint8_t)w->shape.ncores, w->now);
	}
}

/* ---- what the caches want done ---------------------------------------------------------------------------------- */

/* Hosts that nobody knows are silent. */
static enum host_kind
host_kind(const struct world *w, unsigned family, uint32_t host)
{
	return host < w->shape.nhosts ? w->lan->host[family][host].kind : HOST_SILENT;
}

static uint32_t
host_of(unsigned family, const struct nbr_key *key)
{
	struct nbr_key first = lan_key(family, 0);
	return (uint32_t)(key->address[1] - first.address[1]);
}

/* The frame that asks could be made, and only the owner asks. */
static void
core_solicits(struct world *w, struct core *core, unsigned family, const struct nbr_request *request)
{
	const struct iface *iface = &w->lan->iface[request->key.iface];
	uint32_t host = host_of(family, &request->key);
	uint64_t source[2], to[2];
	struct arp arp;
	struct nd nd;

	if (nbr_owner(&core->nbr->cache[family], &request->key) != core->r.self) {
		world_break(w, "%s host %u: solicited by core %u, which is not its owner", WORD(family), host, core->r.self);
		return;
	}
	bool good = family == SEG_IPV4 ? arp_request(iface, (uint32_t)request->key.address[1], &arp)
				       : nd_solicitation(iface, request->key.address, request->mac != 0, &nd, source, to);
	if (!good) {
		world_break(w, "%s host %u: no solicitation can be made", WORD(family), host);
		return;
	}
	w->lan->solicited[family]++;
	if (host < w->shape.nhosts) {
		w->lan->host[family][host].solicited++;
	}
	if (host_kind(w, family, host) != HOST_SILENT) {
		lan_say(w, LAN_ANSWER, family, host);
	}
}

/* Is it what the host deserves? */
static void
core_judge(struct world *w, struct core *core, unsigned family, uint32_t host, bool resolved)
{
	uint64_t excused = host < w->shape.nhosts ? w->lan->host[family][host].excused_ns : 0;

	if (resolved == (host_kind(w, family, host) == HOST_SILENT) && w->now > excused && !w->lan->lenient) {
		world_break(w, "%s host %u, which %s, is %s on core %u", WORD(family), host, resolved ? "is silent" : "answers",
			resolved ? "resolved" : "given up", core->r.self);
	}
}

static void
core_told(struct world *w, struct core *core, unsigned family, const struct nbr_request *request)
{
	struct nbr_wait *wait = &core->nbr->wait[family][request->slot];
	uint32_t host = host_of(family, &request->key);
	bool resolved = request->kind == NBR_RESOLVED;

	if (!wait->since_ns) {
		return; /* nothing waits: the owner, or FAILED that came to life */
	}
	if (wait->host != host) {
		world_break(w, "core %u: told of host %u, but host %u waits for the slot", core->r.self, host, wait->host);
		return;
	}
	core_judge(w, core, family, host, resolved);
	uint64_t since = wait->since_ns > w->lan->fault_ns ? wait->since_ns : w->lan->fault_ns;
	if (resolved && w->now > since && core->stalled_ns < wait->since_ns && w->now - since > w->lan->slowest_ns) {
		w->lan->slowest_ns = w->now - since;
	}
	*(resolved ? &w->lan->resolved : &w->lan->unresolved) += 1;
	wait->since_ns = 0;
	core->nbr->waiting--;
}

static void
core_requests(struct world *w, struct core *core, unsigned family)
{
	struct nbr_out *out = &core->nbr->out;

	for (unsigned i = 0; i < out->nrequest; i++) {
		if (out->request[i].kind == NBR_SOLICIT) {
			core_solicits(w, core, family, &out->request[i]);
		} else {
			core_told(w, core, family, &out->request[i]);
		}
	}
	out->nrequest = 0;
	if (nbr_out_full(out)) {
		world_push(w, core);
	}
}

/* ---- what comes to a core --------------------------------------------------------------------------------------- */

static void
core_needs(struct world *w, struct core *core, unsigned family, uint32_t host)
{
	struct nbr_cache *c = &core->nbr->cache[family];
	struct nbr_key key = lan_key(family, host);
	uint32_t slot = nbr_find(&c->table, &key);

	w->lan->needs++;
	if (slot != NBR_NONE && (c->table.slot[slot].value & SEG_NBR_READY)) {
		return;
	}
	enum nbr_need need = nbr_cache_need(c, &key, w->now, &slot, &core->nbr->out);
	w->lan->refused += need == NBR_REFUSED;
	w->lan->dead += need == NBR_DEAD;
	if (need == NBR_WAIT) {
		struct nbr_wait *wait = &core->nbr->wait[family][slot];
		if (wait->since_ns && wait->host != host) {
			world_break(w, "core %u: hosts %u and %u wait for the same slot", core->r.self, wait->host, host);
			return;
		}
		w->lan->waits += !wait->since_ns;
		core->nbr->waiting += !wait->since_ns;
		*wait = (struct nbr_wait){wait->since_ns ? wait->since_ns : w->now, host};
	}
	core_requests(w, core, family);
}

static void
core_arp(struct world *w, struct core *core, const struct lan_frame *frame, const struct nbr_key *key)
{
	const struct iface *iface = &w->lan->iface[key->iface];
	uint32_t us = (uint32_t)iface->address[0].address[1], host = (uint32_t)key->address[1];
	const struct arp arp = {
		.op = frame->what == LAN_ANSWER ? ARP_REPLY : ARP_REQUEST,
		.sender_mac = frame->mac,
		.target_mac = frame->what == LAN_ANSWER ? iface->mac : 0,
		.sender = host,
		.target = frame->what == LAN_ANNOUNCES ? host : us,
	};
	struct arp_verdict verdict;

	arp_input(&core->nbr->cache[SEG_IPV4], iface, &arp, w->now, &core->nbr->out, &verdict);
	if (verdict.answer != (frame->what == LAN_ASKS) || verdict.conflict) {
		world_break(w, "IPv4 host %u: answered what is no question, or not", frame->host);
	}
}

static void
core_nd(struct world *w, struct core *core, const struct lan_frame *frame, const struct nbr_key *key)
{
	const struct iface *iface = &w->lan->iface[key->iface];
	const uint64_t *us = iface->address[2].address;
	struct nd nd = {.type = frame->what == LAN_ASKS ? ND_NS : ND_NA, .has_mac = true, .mac = frame->mac};
	uint64_t to[2] = {0xff02000000000000, 1};
	struct nd_verdict verdict;

	memcpy(nd.target, frame->what == LAN_ASKS ? us : key->address, sizeof(nd.target));
	if (frame->what == LAN_ASKS) {
		nd_solicited_node(us, to);
	} else if (frame->what == LAN_ANSWER) {
		memcpy(to, us, sizeof(to));
	}
	nd.flags = frame->what == LAN_ASKS ? 0 : frame->what == LAN_ANSWER ? ND_NA_SOLICITED | ND_NA_OVERRIDE : ND_NA_OVERRIDE;
	nd_input(&core->nbr->cache[SEG_IPV6], iface, key->address, to, &nd, w->now, &core->nbr->out, &verdict);
	if (verdict.answer != (frame->what == LAN_ASKS) || verdict.conflict || verdict.bad) {
		world_break(w, "IPv6 host %u: answered what is no question, or not", frame->host);
	}
}

void
nbr_core_frames(struct world *w, struct core *core)
{
	struct nbr_core *nbr = core->nbr;

	for (unsigned i = 0; i < nbr->nframes; i++) {
		const struct lan_frame *frame = &nbr->frame[i];
		struct nbr_key key = lan_key(frame->family, frame->host);
		if (frame->what == LAN_NEED) {
			core_needs(w, core, frame->family, frame->host);
			continue;
		}
		if (frame->family == SEG_IPV4) {
			core_arp(w, core, frame, &key);
		} else {
			core_nd(w, core, frame, &key);
		}
		core_requests(w, core, frame->family);
	}
	nbr->nframes = 0;
}

void
nbr_core_receive(struct world *w, struct core *core, const struct seg_msg *msg)
{
	unsigned family = nbr_msg_family(msg);

	nbr_cache_receive(&core->nbr->cache[family], msg, w->now, &core->nbr->out);
	core_requests(w, core, family);
}

void
nbr_core_resync(struct world *w, struct core *core, uint8_t to)
{
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		struct nbr_cache *c = &core->nbr->cache[family];
		if (c->debt[to].owed) {
			uint32_t room = ring_room_to_repeat(&core->to[to]);
			nbr_cache_resync(c, to, room < NBR_OUT ? room : NBR_OUT, w->now, &core->nbr->out);
			world_push(w, core);
		}
	}
}

/* ---- what must hold --------------------------------------------------------------------------------------------- */

/* Of a core that goes by the owner words as they are: the machine's states, and its timers, are the owner's. */
static bool
line_good(struct world *w, unsigned number, unsigned family, uint32_t slot)
{
	const struct nbr_cache *c = &w->core[number].nbr->cache[family];
	uint64_t value = c->table.slot[slot].value, due = c->private[slot].due_ns;
	unsigned state = SEG_NBR_STATE(value);
	struct nbr_key key = nbr_key_at(&c->table, slot);
	bool mine = nbr_owner(c, &key) == number, timed = !nbr_usable(value) || (mine && state != SEG_NBR_PERMANENT);

	if (nbr_find(&c->table, &key) != slot) {
		return world_break(w, "core %u: slot %u is not found by its key", number, slot);
	}
	if ((value & SEG_NBR_READY) && !nbr_usable(value)) {
		return world_break(w, "core %u: READY without an address", number);
	}
	if (value & SEG_NBR_TOMB) {
		return !due || world_break(w, "core %u: a timer of a tombstone", number);
	}
	if (!mine && nbr_usable(value) && state != SEG_NBR_REACHABLE && state != SEG_NBR_PERMANENT) {
		return world_break(w, "%s host %u: state %u on core %u, which is not its owner", WORD(family),
			host_of(family, &key), state, number);
	}
	if (timed != (due != 0)) {
		return world_break(w, "%s host %u: state %u on core %u, %s, and %s timer", WORD(family), host_of(family, &key),
			state, number, mine ? "its owner" : "not its owner", due ? "a" : "no");
	}
	return true;
}

/* Counts and digest from the entries themselves. */
static bool
table_good(struct world *w, unsigned number, unsigned family)
{
	const struct nbr_cache *c = &w->core[number].nbr->cache[family];
	const struct seg_nbr_count *count = c->table.count;
	struct seg_nbr_count again = {0};

	for (uint32_t slot = 0; slot <= c->table.mask; slot++) {
		const struct seg_nbr *line = &c->table.slot[slot];
		struct nbr_key key = nbr_key_at(&c->table, slot);
		if (line->iface == 0 || line->iface == SEG_NBR_GONE) {
			continue;
		}
		if (!line_good(w, number, family, slot)) {
			return false;
		}
		unsigned state = SEG_NBR_STATE(line->value);
		again.tombs += (line->value & SEG_NBR_TOMB) != 0;
		again.incomplete += state == SEG_NBR_INCOMPLETE;
		again.failed += state == SEG_NBR_FAILED;
		again.permanent += state == SEG_NBR_PERMANENT;
		again.entries += nbr_usable(line->value);
		again.digest += nbr_usable(line->value) ? nbr_digest(&key, line->value, line->stamp) : 0;
	}
	if (again.entries != count->entries || again.permanent != count->permanent || again.incomplete != count->incomplete ||
		again.failed != count->failed || again.tombs != count->tombs || again.digest != count->digest) {
		return world_break(w, "core %u counts %lu %s entries, %lu incomplete, %lu failed; there are %lu, %lu, %lu",
			number, count->entries, WORD(family), count->incomplete, count->failed, again.entries, again.incomplete,
			again.failed);
	}
	return true;
}

void
nbr_core_tick(struct world *w, struct core *core)
{
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		struct nbr_cache *c = &core->nbr->cache[family];
		nbr_cache_tick(c, w->now, &core->nbr->out);
		core_requests(w, core, family);
		bool settled = c->adopt_slot > c->table.mask && c->owner_epoch == w->control->owner_epoch;
		if (settled && world_random(w, 64) == 0) {
			table_good(w, core->r.self, family);
		}
	}
}

bool
nbr_core_quiet(struct world *w, const struct core *core)
{
	const struct nbr_core *nbr = core->nbr;

	if (nbr->waiting || nbr->nframes || w->lan->nevents) {
		return world_fail(w, "core %u: %u slots are waited for, %u frames here, %u under way", core->r.self, nbr->waiting,
			nbr->nframes, w->lan->nevents);
	}
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		const struct nbr_cache *c = &nbr->cache[family];
		if (c->table.count->tombs || c->table.count->incomplete || c->missing || c->adopt_slot <= c->table.mask) {
			return world_fail(w,
				"core %u: %lu %s entries, %lu tombstones, %lu incomplete, %lu failed, %u slots in use%s",
				core->r.self, c->table.count->entries, WORD(family), c->table.count->tombs,
				c->table.count->incomplete, c->table.count->failed, c->table.used,
				c->missing ? ", misses some" : "");
		}
	}
	return true;
}

/* Every neighbour of one core is on the other, the same. */
static bool
tables_agree(struct world *w, unsigned one, unsigned other, unsigned family)
{
	const struct nbr *a = &w->core[one].nbr->cache[family].table, *b = &w->core[other].nbr->cache[family].table;

	for (uint32_t slot = 0; slot <= a->mask; slot++) {
		const struct seg_nbr *line = &a->slot[slot];
		struct nbr_key key = nbr_key_at(a, slot);
		if (line->iface == 0 || line->iface == SEG_NBR_GONE || !nbr_usable(line->value)) {
			continue;
		}
		uint32_t there = nbr_find(b, &key);
		uint64_t their = there != NBR_NONE ? b->slot[there].value : 0;
		bool permanent = SEG_NBR_STATE(line->value) == SEG_NBR_PERMANENT;
		if (!nbr_usable(their) || ((line->value ^ their) & SEG_NBR_SHARED) || line->stamp != b->slot[there].stamp ||
			permanent != (SEG_NBR_STATE(their) == SEG_NBR_PERMANENT)) {
			return world_fail(w, "%s host %u: core %u has %lx stamp %lx, core %u has %lx stamp %lx", WORD(family),
				host_of(family, &key), one, line->value, line->stamp, other, their,
				there == NBR_NONE ? 0 : b->slot[there].stamp);
		}
	}
	return true;
}

bool
nbr_core_agree(struct world *w, unsigned number)
{
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		if (!table_good(w, number, family) || !tables_agree(w, number, 1, family) ||
			!tables_agree(w, 1, number, family)) {
			return false;
		}
		if (w->core[number].seg->nbr[family].digest != w->core[1].seg->nbr[family].digest) {
			return world_fail(w, "%s digests of core 1 and %u differ", WORD(family), number);
		}
	}
	return true;
}
