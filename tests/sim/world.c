/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include "lan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_A_LOOP 64
#define TICK_NS MS

enum { FRAMES_COME, PUSH_LEARNED, MESSAGES_COME, PUSH_ANSWERS, RESYNC, END_OF_LOOP, TICK, PUSH_TICK, PHASES };

/* ---- the world -------------------------------------------------------------------------------------------------- */

void *
world_memory(struct world *w, size_t size)
{
	void *memory = aligned_alloc(SEG_LINE, (size + SEG_LINE - 1) / SEG_LINE * SEG_LINE);
	if (!memory) {
		abort();
	}
	memset(memory, 0, size);
	return w->memory[w->nmemory++] = memory;
}

/* splitmix64 */
uint64_t
world_random(struct world *w, uint64_t n)
{
	uint64_t x = w->rng += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return n ? (x ^ x >> 31) % n : 0;
}

static void
world_add_core(struct world *w, unsigned number, uint64_t fdb_seed)
{
	const struct shape *shape = &w->shape;
	struct core *core = &w->core[number];
	struct seg_bucket *hot = world_memory(w, shape->nbuckets * sizeof(struct seg_bucket));
	struct seg_cold *cold = world_memory(w, shape->nbuckets * SEG_WAYS * sizeof(struct seg_cold));

	core->seg = world_memory(w, sizeof(struct seg_core));
	core->next_ns = w->now + world_random(w, MS);
	fdb_init(&core->r.fdb, hot, cold, shape->nbuckets, fdb_seed, &core->seg->fdb);
	replica_init(&core->r, w->control, (uint8_t)number, (uint8_t)shape->ncores, shape->limit, w->now);
	w->grace.node[number].core = core->seg;
	core->beat_ns = w->now;
	if (shape->nbr_slots) {
		nbr_core_init(w, core, fdb_seed);
	}
}

static void
world_add_rings(struct world *w, unsigned from)
{
	uint32_t slots = w->shape.ring_slots;
	size_t stride = sizeof(struct seg_ring) + slots * sizeof(struct seg_msg);
	char *rings = world_memory(w, stride * (w->shape.ncores + 1));

	for (unsigned to = 1; to <= w->shape.ncores; to++) {
		if (to == from) {
			continue;
		}
		struct seg_ring *ring = (struct seg_ring *)(void *)(rings + to * stride);
		*(from ? &w->core[from].to[to] : &w->control_to[to]) = ring_sender(ring, slots);
		w->core[to].from[from] = ring_receiver(ring, slots);
		w->grace.node[from].ring[to] = ring;
	}
}

void
world_init(struct world *w, const struct shape *shape, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->shape = *shape;
	w->seed = w->rng = seed;
	w->now = 1000 * SEC;
	w->control = world_memory(w, sizeof(struct seg_control));
	w->core = world_memory(w, (shape->ncores + 1) * sizeof(struct core));
	w->control->ageing_ns = shape->ageing_ns;
	w->control->flush_seq = 1;
	w->grace.nodes = shape->ncores + 1;
	roles_init(&w->roles, (uint8_t)shape->ncores);
	roles_publish(&w->roles, w->control);
	if (shape->nbr_slots) {
		lan_init(w);
	}
	uint64_t fdb_seed = world_random(w, UINT64_MAX) | 1;
	for (unsigned i = 1; i <= shape->ncores; i++) {
		world_add_core(w, i, fdb_seed);
	}
	for (unsigned i = 0; i <= shape->ncores; i++) {
		world_add_rings(w, i);
	}
}

void
world_free(struct world *w)
{
	while (w->nmemory) {
		free(w->memory[--w->nmemory]);
	}
}

bool
world_fail(struct world *w, const char *fmt, ...)
{
	va_list args;
	if (!w->why[0]) {
		va_start(args, fmt);
		vsnprintf(w->why, sizeof(w->why), fmt, args);
		va_end(args);
	}
	return false;
}

bool
world_break(struct world *w, const char *fmt, ...)
{
	va_list args;
	if (!w->broken) {
		va_start(args, fmt);
		vsnprintf(w->why, sizeof(w->why), fmt, args);
		va_end(args);
	}
	w->broken = true;
	return false;
}

/* ---- a core's loop ---------------------------------------------------------------------------------------------- */

static void
core_push_one(struct world *w, struct core *core, unsigned to, const struct seg_msg *msg)
{
	if (ring_push(&core->to[to], msg)) {
		w->core[to].bell |= 1ull << core->r.self % 64;
		w->tally.kind[msg->kind]++;
		w->tally.keys[msg->kind] += msg->n;
		return;
	}
	w->tally.full++;
	switch (msg->kind) {
	case SEG_MSG_FDB_ADD:
	case SEG_MSG_FDB_DEL:
		replica_ring_full(&core->r, (uint8_t)to);
		break;
	case SEG_MSG_NBR_ADD:
	case SEG_MSG_NBR_DEL:
		nbr_cache_ring_full(&core->nbr->cache[nbr_msg_family(msg)], (uint8_t)to, msg->stamp);
		break;
	case SEG_MSG_NBR_ASK:
		nbr_cache_unasked(&core->nbr->cache[nbr_msg_family(msg)], msg, w->now);
		break;
	default:
		break;
	}
}

static void
core_push_list(struct world *w, struct core *core, const struct seg_msg *msg, unsigned n)
{
	for (; n--; msg++) {
		if (msg->to != REPLICA_ALL) {
			core_push_one(w, core, msg->to, msg);
			continue;
		}
		for (unsigned to = 1; to <= w->shape.ncores; to++) {
			if (to != core->r.self) {
				core_push_one(w, core, to, msg);
			}
		}
	}
}

static unsigned
core_owing(const struct core *core)
{
	return core->r.owing + (core->nbr ? core->nbr->cache[SEG_IPV4].owing + core->nbr->cache[SEG_IPV6].owing : 0);
}

static bool
core_has_out(const struct core *core)
{
	return core->out.n || (core->nbr && core->nbr->out.nmsg);
}

void
world_push(struct world *w, struct core *core)
{
	core_push_list(w, core, core->out.msg, core->out.n);
	core->out.n = 0;
	if (core->nbr) {
		core_push_list(w, core, core->nbr->out.msg, core->nbr->out.nmsg);
		core->nbr->out.nmsg = 0;
	}
	seg_put(&core->seg->resync, core_owing(core));
}

static void
core_make_room(struct world *w, struct core *core)
{
	if (core->out.n + REPLICA_OUT_CALL > REPLICA_OUT) {
		world_push(w, core);
	}
}

/* As pe does with a frame's source. */
static void
core_frames(struct world *w, struct core *core)
{
	for (unsigned i = 0; i < core->nframes; i++) {
		const struct frame *frame = &core->frame[i];
		struct fdb *fdb = &core->r.fdb;
		uint32_t slot = fdb_find(fdb, frame->key);
		uint64_t value = slot != FDB_NONE ? *fdb_value_at(fdb, slot) : SEG_VALUE_TOMB;
		if (SEG_VALUE_CHANNEL(value) == frame->channel && fdb_alive(fdb, fdb_key_fid(frame->key), value)) {
			fdb_mark_used(fdb, slot, true);
			continue;
		}
		core_make_room(w, core);
		replica_learn(&core->r, frame->key, frame->channel, w->now, &core->out);
	}
	core->nframes = 0;
	if (core->nbr) {
		nbr_core_frames(w, core);
	}
}

/* Some of the messages of a ring. True: none is left. */
static bool
core_take(struct world *w, struct core *core, unsigned from)
{
	const struct seg_msg *msg;
	unsigned most = (unsigned)world_random(w, MESSAGES_A_LOOP) + 1;

	while (most-- && (msg = ring_peek(&core->from[from]))) {
		if (msg->kind >= SEG_MSG_NBR_ADD) {
			nbr_core_receive(w, core, msg);
		} else {
			core_make_room(w, core);
			replica_receive(&core->r, msg, w->now, &core->out);
		}
		ring_pop(&core->from[from]);
	}
	return !ring_waiting(&core->from[from]);
}

static void
core_messages(struct world *w, struct core *core)
{
	for (uint64_t bits = core->bell; bits; bits &= bits - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);
		bool empty = true;
		if (w->shape.deaf && world_random(w, 100) < w->shape.deaf) {
			continue;
		}
		for (unsigned from = bit; from <= w->shape.ncores; from += 64) {
			empty &= from == core->r.self || core_take(w, core, from);
		}
		core->bell &= ~((uint64_t)empty << bit);
	}
}

static void
core_resync(struct world *w, struct core *core)
{
	for (unsigned to = 1; to <= w->shape.ncores && core_owing(core); to++) {
		world_push(w, core);
		uint32_t room = core->r.debt[to].owed ? ring_room_to_repeat(&core->to[to]) : 0;
		replica_resync(&core->r, (uint8_t)to, room < REPLICA_OUT ? room : REPLICA_OUT, w->now, &core->out);
		world_push(w, core);
		if (core->nbr) {
			nbr_core_resync(w, core, (uint8_t)to);
		}
	}
}

static void
core_tick(struct world *w, struct core *core)
{
	if (w->now - core->tick_ns >= TICK_NS) {
		core->tick_ns = w->now;
		replica_tick(&core->r, w->now, &core->out);
		if (core->nbr) {
			nbr_core_tick(w, core);
		}
	}
}

/* Would the phase do nothing now? A loop's end is never left out. */
static bool
core_has_nothing(const struct world *w, const struct core *core)
{
	switch (core->phase) {
	case FRAMES_COME:
	case END_OF_LOOP:
		return false;
	case MESSAGES_COME:
		return !core->bell;
	case RESYNC:
		return !core_owing(core);
	case TICK:
		return w->now - core->tick_ns < TICK_NS;
	default:
		return !core_has_out(core);
	}
}

/* The next of the phases above, as in the loop of pe's data cores; then the time until the one after it. */
static void
core_phase(struct world *w, struct core *core)
{
	core->beat_ns = w->now;
	switch (core->phase) {
	case FRAMES_COME:
		seg_put_release(&core->seg->sleeping, 0u);
		seg_put_release(&core->seg->roles, seg_get_acquire(&w->control->owner_epoch));
		core_frames(w, core);
		break;
	case MESSAGES_COME:
		core_messages(w, core);
		break;
	case RESYNC:
		core_resync(w, core);
		break;
	case END_OF_LOOP:
		seg_put_release(&core->seg->loops, core->seg->loops + 1);
		break;
	case TICK:
		core_tick(w, core);
		break;
	default:
		world_push(w, core);
		break;
	}
	do {
		core->phase = (core->phase + 1) % PHASES;
	} while (core_has_nothing(w, core));
	/* Between two loops a core may sleep, unless it owes something. */
	seg_put_release(&core->seg->sleeping, core->phase == FRAMES_COME && !core_owing(core));
	/* Most phases are quick, some are not. */
	uint64_t most = world_random(w, 8) ? w->shape.slowest_ns / 16 : w->shape.slowest_ns;
	core->next_ns = w->now + 1 + world_random(w, most);
	if (core->phase == FRAMES_COME) {
		core->next_ns += w->shape.pause_ns;
	}
	if (core->next_ns < core->stalled_ns) {
		core->next_ns = core->stalled_ns;
	}
}

/* Has the core applied all that was sent to it while it was away (cmd/pe/takeover.c)? */
static bool
control_caught_up(const struct world *w, unsigned number)
{
	if (w->core[number].seg->roles != w->control->owner_epoch) {
		return false;
	}
	for (unsigned from = 1; from <= w->shape.ncores; from++) {
		const struct seg_ring *ring = w->grace.node[from].ring[number];
		if (w->core[from].seg->resync || (ring && ring->tail != ring->head)) {
			return false;
		}
	}
	return true;
}

/* Who is silent is taken out; who has come back and caught up gets its roles again. */
static void
control_health(struct world *w)
{
	bool changed = false;

	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		bool silent = w->now - w->core[i].beat_ns > w->shape.silent_ns;
		if (w->roles.lost[i] ? !silent && control_caught_up(w, i) : silent) {
			w->roles.lost[i] = silent;
			changed = true;
		}
	}
	if (changed) {
		roles_assign(&w->roles);
		roles_publish(&w->roles, w->control);
	}
}

static void
control_look(struct world *w)
{
	if (grace_step(&w->grace)) {
		seg_put(&w->control->grace, w->control->grace + 1);
	}
	if (w->shape.silent_ns) {
		control_health(w);
	}
	w->control_next_ns = w->now + 1 + world_random(w, w->shape.look_ns);
}

void
world_run(struct world *w, uint64_t until_ns)
{
	while (!w->broken) {
		struct core *next = NULL;
		uint64_t wire = w->lan ? lan_next(w) : UINT64_MAX;
		uint64_t at = wire < w->control_next_ns ? wire : w->control_next_ns;
		for (unsigned i = 1; i <= w->shape.ncores; i++) {
			if (w->core[i].next_ns < at) {
				next = &w->core[i];
				at = next->next_ns;
			}
		}
		if (at > until_ns) {
			break;
		}
		w->now = at > w->now ? at : w->now;
		if (next) {
			core_phase(w, next);
		} else if (wire == at) {
			lan_deliver(w);
		} else {
			control_look(w);
		}
	}
	w->now = until_ns;
}

/* ---- what happens to it ----------------------------------------------------------------------------------------- */

void
world_frame(struct world *w, unsigned number, uint64_t key, uint16_t channel)
{
	struct core *core = &w->core[number];
	if (core->nframes == FRAMES) {
		w->lost_frames++;
		return;
	}
	core->frame[core->nframes++] = (struct frame){key, channel};
}

void
world_flush(struct world *w, uint16_t channel, uint16_t fid)
{
	uint32_t seq = w->control->flush_seq + 1;

	if (channel) {
		seg_put(&w->control->flush_channel[channel], seq);
	}
	if (fid) {
		seg_put(&w->control->flush_fid[fid], seq);
	}
	seg_put_release(&w->control->flush_seq, seq);
}

void
world_request(struct world *w, unsigned number, const struct seg_msg *msg)
{
	for (unsigned to = number ? number : 1; to <= (number ? number : w->shape.ncores); to++) {
		while (!ring_push(&w->control_to[to], msg)) {
			world_run(w, w->now + MS);
		}
		w->core[to].bell |= 1;
	}
}

void
world_drain(struct world *w, unsigned number, bool drain)
{
	w->roles.drained[number] = drain;
	roles_assign(&w->roles);
	roles_publish(&w->roles, w->control);
}

unsigned
world_owner(const struct world *w, uint64_t key)
{
	return replica_owner(&w->core[1].r, key);
}

/* ---- what must hold --------------------------------------------------------------------------------------------- */

static bool
world_quiet(struct world *w)
{
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		struct core *core = &w->core[i];
		if (core->nframes || core_has_out(core)) {
			return world_fail(w, "core %u: %u frames, %u messages wait", i, core->nframes, core->out.n);
		}
		if (core_owing(core)) {
			return world_fail(w, "core %u owes %u resynchronisations", i, core_owing(core));
		}
		if (w->roles.lost[i]) {
			return world_fail(w, "core %u has not come back", i);
		}
		if (core->r.missing) {
			return world_fail(w, "core %u has %lu entries, %lu tombstones, and misses some since grace %lu of %lu", i,
				core->seg->fdb.entries, core->seg->fdb.tombs, core->r.missed_grace, w->control->grace);
		}
		if (core->seg->fdb.tombs) {
			return world_fail(w, "core %u has %lu tombstones", i, core->seg->fdb.tombs);
		}
		if (core->seg->fdb.swept_flush != w->control->flush_seq) {
			return world_fail(
				w, "core %u is clean up to %u of %u", i, core->seg->fdb.swept_flush, w->control->flush_seq);
		}
		for (unsigned from = 0; from <= w->shape.ncores; from++) {
			if (from != i && ring_waiting(&core->from[from])) {
				return world_fail(w, "core %u: messages of core %u wait", i, from);
			}
		}
		if (core->nbr && !nbr_core_quiet(w, core)) {
			return false;
		}
	}
	return true;
}

bool
world_settle(struct world *w, uint64_t most_ns)
{
	uint64_t end = w->now + most_ns;

	for (;;) {
		world_run(w, w->now + MS);
		if (!w->broken && world_quiet(w)) {
			return true;
		}
		if (w->now >= end || w->broken) {
			return false;
		}
		w->why[0] = 0;
	}
}

uint16_t
world_channel(const struct world *w, unsigned number, uint64_t key)
{
	const struct fdb *fdb = &w->core[number].r.fdb;
	uint32_t slot = fdb_find(fdb, key);
	if (slot == FDB_NONE || !fdb_alive(fdb, fdb_key_fid(key), *fdb_value_at(fdb, slot))) {
		return 0;
	}
	return SEG_VALUE_CHANNEL(*fdb_value_at(fdb, slot));
}

/* A second table's worth of counts, from the entries themselves. */
static bool
core_recount(struct world *w, unsigned number)
{
	const struct fdb *fdb = &w->core[number].r.fdb;
	const struct seg_fdb_count *count = fdb->count;
	static struct seg_fdb_count again;

	memset(&again, 0, sizeof(again));
	for (uint32_t slot = 0; slot < fdb_slots(fdb); slot++) {
		uint64_t key = *fdb_key_at(fdb, slot), value = *fdb_value_at(fdb, slot);
		if (!key) {
			continue;
		}
		if (fdb_find(fdb, key) != slot) {
			return world_fail(w, "core %u: slot %u is not found by its key", number, slot);
		}
		if (value & SEG_VALUE_TOMB) {
			again.tombs++;
			continue;
		}
		again.entries++;
		again.statics += (value & SEG_VALUE_STATIC) != 0;
		again.channel[SEG_VALUE_CHANNEL(value)] += !(value & SEG_VALUE_STATIC);
		again.digest += fdb_digest(key, value, fdb->cold[slot].stamp);
	}
	if (again.entries != count->entries || again.statics != count->statics || again.tombs != count->tombs ||
		again.digest != count->digest || memcmp(again.channel, count->channel, sizeof(again.channel)) != 0) {
		return world_fail(w, "core %u counts %lu entries, %lu static, %lu tombstones; there are %lu, %lu, %lu", number,
			count->entries, count->statics, count->tombs, again.entries, again.statics, again.tombs);
	}
	return true;
}

/* Every entry of one core is on the other, alive, the same. */
static bool
cores_agree(struct world *w, unsigned one, unsigned other)
{
	const struct fdb *a = &w->core[one].r.fdb, *b = &w->core[other].r.fdb;

	for (uint32_t slot = 0; slot < fdb_slots(a); slot++) {
		uint64_t key = *fdb_key_at(a, slot), value = *fdb_value_at(a, slot);
		if (!key || (value & SEG_VALUE_TOMB)) {
			continue;
		}
		uint32_t there = fdb_find(b, key);
		uint64_t their = there != FDB_NONE ? *fdb_value_at(b, there) : 0;
		if (!fdb_alive(a, fdb_key_fid(key), value)) {
			return world_fail(w, "core %u: key %lx is dead but no tombstone", one, key);
		}
		if (there == FDB_NONE || ((value ^ their) & SEG_VALUE_SHARED) || a->cold[slot].stamp != b->cold[there].stamp) {
			return world_fail(w, "key %lx: core %u has %lx stamp %lx, core %u has %lx stamp %lx", key, one, value,
				a->cold[slot].stamp, other, their, there == FDB_NONE ? 0 : b->cold[there].stamp);
		}
	}
	return true;
}

bool
world_agree(struct world *w)
{
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		if (!core_recount(w, i) || !cores_agree(w, i, 1) || !cores_agree(w, 1, i)) {
			return false;
		}
		if (w->core[i].seg->fdb.digest != w->core[1].seg->fdb.digest) {
			return world_fail(w, "digests of core 1 and %u differ", i);
		}
		if (w->lan && !nbr_core_agree(w, i)) {
			return false;
		}
	}
	return !w->broken;
}
