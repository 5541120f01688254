/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the cache does as time passes: timers, sweeps, changes of owners, tombstones, debts. */
#include "nbr/cache_int.h"

#define TICK_NS 1000000ull
#define LONGEST_NS 1000000000ull    /* between two ticks, if they come as they should */
#define STANDSTILL_NS 3000000000ull /* between two ticks: this core stood still */
#define ADOPT_SLOTS 8192            /* a tick */
#define SWEEP_SLOTS 16384           /* a tick */
#define SWEEP_PORTION 256           /* slots at a time, so that what goes together travels together */
#define CLEAN_SLOTS 4096            /* a tick */
#define RESYNC_SLOTS 4096           /* a call */
#define UNASKED_NS 20000000ull      /* until an ASK that found no room is tried again */
#define MIN_ASK_NS 100000000ull
#define MAX_ASK_NS 10000000000ull

/* ---- timers ----------------------------------------------------------------------------------------------------- */

static uint32_t *
cache_list(struct nbr_cache *c, uint64_t due)
{
	return &c->wheel[due / NBR_WHEEL_NS % NBR_WHEEL];
}

void
cache_arm(struct nbr_cache *c, uint32_t slot, uint64_t due)
{
	struct nbr_private *private = &c->private[slot];

	if (private->due_ns) {
		uint32_t *from = private->prev == NBR_NONE ? cache_list(c, private->due_ns) : &c->private[private->prev].next;
		*from = private->next;
		if (private->next != NBR_NONE) {
			c->private[private->next].prev = private->prev;
		}
	}
	private->due_ns = due;
	if (!due) {
		return;
	}
	uint32_t *list = cache_list(c, due);
	private->prev = NBR_NONE;
	private->next = *list;
	if (*list != NBR_NONE) {
		c->private[*list].prev = slot;
	}
	*list = slot;
}

void
cache_rearm(struct nbr_cache *c, uint32_t slot, uint64_t now)
{
	const struct seg_nbr *line = cache_line(c, slot);
	uint64_t due = 0;

	if (!cache_mine(c, slot)) {
		cache_arm(c, slot, 0);
		return;
	}
	switch (SEG_NBR_STATE(line->value)) {
	case SEG_NBR_REACHABLE:
		due = line->confirmed_ns + seg_get(&c->params->reachable_ns);
		break;
	case SEG_NBR_STALE:
		due = line->used_ns + seg_get(&c->params->stale_ns);
		break;
	case SEG_NBR_DELAY:
		due = line->changed_ns + seg_get(&c->params->delay_ns);
		break;
	case SEG_NBR_PROBE:
		due = now + seg_get(&c->params->retrans_ns);
		break;
	default: /* PERMANENT */
		cache_arm(c, slot, 0);
		return;
	}
	cache_arm(c, slot, due > now ? due : now + 1);
}

/* ---- ownership -------------------------------------------------------------------------------------------------- */

/* An entry with an address is this core's from now on. How long it has been unused only its owner knew. */
static void
cache_adopt(struct nbr_cache *c, uint32_t slot, uint64_t now)
{
	const struct seg_nbr *line = cache_line(c, slot);

	seg_add(&c->table.count->adopted, 1);
	if (SEG_NBR_STATE(line->value) == SEG_NBR_PERMANENT) {
		return;
	}
	seg_put(&cache_line(c, slot)->used_ns, now);
	bool known = c->family == SEG_IPV4 && now < line->confirmed_ns + seg_get(&c->params->reachable_ns);
	cache_state(c, slot, known ? SEG_NBR_REACHABLE : SEG_NBR_STALE, now);
	cache_rearm(c, slot, now);
}

static void
cache_give_up(struct nbr_cache *c, uint32_t slot, uint64_t now)
{
	cache_arm(c, slot, 0);
	if (SEG_NBR_STATE(cache_line(c, slot)->value) != SEG_NBR_PERMANENT) {
		cache_state(c, slot, SEG_NBR_REACHABLE, now);
	}
}

bool
cache_settle(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	struct nbr_private *private = &c->private[slot];
	struct nbr_key key = nbr_key_at(&c->table, slot);
	uint8_t owner = (uint8_t)nbr_owner(c, &key);
	uint64_t value = cache_line(c, slot)->value;

	if (owner == private->owner) {
		return false;
	}
	bool was_mine = cache_mine(c, slot);
	private->owner = owner;
	if (SEG_NBR_STATE(value) == SEG_NBR_INCOMPLETE) {
		private->sent = 0;
		cache_try(c, slot, now, out);
	} else if (nbr_usable(value) && owner == c->self) {
		cache_adopt(c, slot, now);
	} else if (nbr_usable(value) && was_mine) {
		cache_give_up(c, slot, now);
	}
	return true;
}

/* The owner words have changed: goes over the table, a portion a tick. What is touched meanwhile is settled then. */
static void
cache_settle_all(struct nbr_cache *c, uint64_t now, struct nbr_out *out)
{
	/* acquire: the words that the epoch stands for are there */
	uint32_t epoch = seg_get_acquire(&c->control->owner_epoch);

	if (epoch != c->owner_epoch) {
		c->owner_epoch = epoch;
		c->adopt_slot = 0;
	}
	for (unsigned i = 0; i < ADOPT_SLOTS && c->adopt_slot < cache_slots(c) && !nbr_out_full(out); i++) {
		uint32_t slot = c->adopt_slot++;
		if (cache_in_use(cache_line(c, slot))) {
			cache_settle(c, slot, now, out);
		}
	}
}

/* ---- what a timer does ------------------------------------------------------------------------------------------ */

/*
 * Has this core stood still, so that what would have kept an entry alive may wait in its queues? Then one more round is due
 * before anything is given up.
 */
static bool
cache_dazed(const struct nbr_cache *c, uint64_t ns, uint64_t now)
{
	return c->woke_ns && now < c->woke_ns + ns;
}

static void
fire_incomplete(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	struct nbr_private *private = &c->private[slot];
	unsigned most = seg_get(&c->params->solicitations) + (cache_mine(c, slot) ? 0 : 1);

	if (private->sent >= most && cache_dazed(c, seg_get(&c->params->retrans_ns), now)) {
		private->sent = (uint8_t)(most - 1);
	}
	if (private->sent < most) {
		cache_try(c, slot, now, out);
	} else {
		cache_fail(c, slot, now, out);
	}
}

static void
fire_probe(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	struct nbr_private *private = &c->private[slot];
	unsigned most = seg_get(&c->params->solicitations);

	if (private->sent >= most && cache_dazed(c, seg_get(&c->params->retrans_ns), now)) {
		private->sent = (uint8_t)(most - 1);
	}
	if (private->sent < most) {
		cache_probe(c, slot, now, out);
		return;
	}
	seg_add(&c->table.count->unresolved, 1);
	cache_delete(c, slot, private->cause, now, out);
}

static void
fire_stale(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	const struct seg_nbr *line = cache_line(c, slot);

	if (now - line->used_ns < seg_get(&c->params->stale_ns)) {
		cache_rearm(c, slot, now);
	} else if (cache_dazed(c, 2 * NBR_SWEEP_NS, now)) {
		cache_arm(c, slot, c->woke_ns + 2 * NBR_SWEEP_NS);
	} else {
		seg_add(&c->table.count->aged, 1);
		cache_delete(c, slot, cache_cause(c), now, out);
	}
}

static void
cache_fire(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	const struct seg_nbr *line = cache_line(c, slot);

	if (cache_settle(c, slot, now, out) && SEG_NBR_STATE(line->value) != SEG_NBR_FAILED) {
		return;
	}
	switch (SEG_NBR_STATE(line->value)) {
	case SEG_NBR_INCOMPLETE:
		fire_incomplete(c, slot, now, out);
		break;
	case SEG_NBR_FAILED:
		cache_drop(c, slot, now);
		break;
	case SEG_NBR_REACHABLE:
		if (now - line->confirmed_ns >= seg_get(&c->params->reachable_ns)) {
			cache_state(c, slot, SEG_NBR_STALE, now);
		}
		cache_rearm(c, slot, now);
		break;
	case SEG_NBR_STALE:
		fire_stale(c, slot, now, out);
		break;
	case SEG_NBR_DELAY:
		cache_state(c, slot, SEG_NBR_PROBE, now);
		c->private[slot].sent = 0;
		c->private[slot].cause = cache_cause(c);
		cache_probe(c, slot, now, out);
		break;
	case SEG_NBR_PROBE:
		fire_probe(c, slot, now, out);
		break;
	default:
		break;
	}
}

/* A list is done when its part of the time is over; what is due in a later turn of the wheel stays. */
static void
cache_timers(struct nbr_cache *c, uint64_t now, struct nbr_out *out)
{
	if (now - c->wheel_ns > NBR_WHEEL * NBR_WHEEL_NS) {
		c->wheel_ns = (now / NBR_WHEEL_NS - NBR_WHEEL) * NBR_WHEEL_NS;
	}
	for (; c->wheel_ns + NBR_WHEEL_NS <= now; c->wheel_ns += NBR_WHEEL_NS) {
		uint32_t slot = *cache_list(c, c->wheel_ns);
		while (slot != NBR_NONE) {
			uint32_t next = c->private[slot].next;
			if (c->private[slot].due_ns <= now) {
				if (nbr_out_full(out)) {
					return;
				}
				cache_arm(c, slot, 0);
				cache_fire(c, slot, now, out);
			}
			slot = next;
		}
	}
}

/* ---- sweeps ----------------------------------------------------------------------------------------------------- */

static void
sweep_send(struct nbr_cache *c, unsigned owner, struct nbr_out *out)
{
	struct seg_msg *used = &c->used[owner];
	if (used->n) {
		cache_send(c, used, out);
		used->n = 0;
		seg_add(&c->table.count->used_sent, 1);
	}
}

static void
sweep_tell(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	unsigned owner = c->private[slot].owner;
	if (owner < 1 || owner > c->ncores) {
		return;
	}
	struct nbr_key key = nbr_key_at(&c->table, slot);
	struct seg_msg *used = &c->used[owner];
	if (!used->n) {
		*used = (struct seg_msg){
			.kind = SEG_MSG_NBR_USED, .from = c->self, .to = (uint8_t)owner, .cause = c->sweep_cause, .time_ns = now};
		used->word[NBR_HINTS] = (uint64_t)c->family << 32;
	}
	used->word[used->n++] = nbr_hash(&key, c->table.seed);
	if (used->n == NBR_HINTS) {
		sweep_send(c, owner, out);
	}
}

static void
sweep_slot(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	const struct seg_nbr *line = cache_line(c, slot);

	if (!cache_in_use(line) || !(line->value & SEG_NBR_READY) || !cache_dynamic(line->value)) {
		return;
	}
	nbr_set_ready(&c->table, slot, false);
	cache_settle(c, slot, now, out);
	if (cache_mine(c, slot)) {
		seg_put(&cache_line(c, slot)->used_ns, now);
	} else {
		sweep_tell(c, slot, now, out);
	}
}

/* How far the sweep should have come by now. */
static uint32_t
sweep_goal(const struct nbr_cache *c, uint64_t now)
{
	uint32_t slots = cache_slots(c);
	uint64_t gone = now - c->sweep_from_ns;
	uint32_t goal = slots;

	if (gone < NBR_SWEEP_NS) {
		goal = (uint32_t)(slots * (gone / 1000) / (NBR_SWEEP_NS / 1000)) / SWEEP_PORTION * SWEEP_PORTION;
	}
	return goal > c->sweep_slot + SWEEP_SLOTS ? c->sweep_slot + SWEEP_SLOTS : goal;
}

static void
cache_sweep(struct nbr_cache *c, uint64_t now, struct nbr_out *out)
{
	uint32_t goal = sweep_goal(c, now);

	if (!c->sweep_slot && goal) {
		c->sweep_cause = cache_cause(c);
	}
	while (c->sweep_slot < goal && !nbr_out_full(out)) {
		sweep_slot(c, c->sweep_slot++, now, out);
	}
	if (c->sweep_slot < cache_slots(c)) {
		return;
	}
	for (unsigned owner = 1; owner <= c->ncores; owner++) {
		if (nbr_out_full(out)) {
			return;
		}
		sweep_send(c, owner, out);
	}
	c->sweep_slot = 0;
	c->sweep_from_ns = now;
	seg_add(&c->table.count->sweeps, 1);
}

/* ---- tombstones and lost announcements -------------------------------------------------------------------------- */

static void
cache_clean(struct nbr_cache *c)
{
	uint64_t grace = seg_get(&c->control->grace);
	uint32_t slots = cache_slots(c);

	if (c->clean_slot == 0) {
		if (!c->table.count->tombs || c->clean_grace == grace) {
			return;
		}
		c->clean_grace = grace;
	}
	for (unsigned i = 0; i < CLEAN_SLOTS && c->clean_slot < slots; i++) {
		uint32_t slot = c->clean_slot++;
		const struct seg_nbr *line = cache_line(c, slot);
		if (cache_in_use(line) && (line->value & SEG_NBR_TOMB) && grace >= line->confirmed_ns + CACHE_GRACE) {
			cache_remove(c, slot);
		}
	}
	if (c->clean_slot == slots) {
		c->clean_slot = 0;
	}
}

void
cache_ask_again(struct nbr_cache *c)
{
	for (uint8_t to = 1; to <= c->ncores; to++) {
		struct nbr_debt *debt = &c->debt[to];
		if (to == c->self) {
			continue;
		}
		if (!debt->owed) {
			*debt = (struct nbr_debt){.owed = true, .slot = cache_slots(c)};
			c->owing++;
		}
		debt->ask = true;
	}
}

/* What found no room is asked for when tombstones have made room, and nothing older than a lost deletion can be under way;
 * seldom. */
static void
cache_ask(struct nbr_cache *c, uint64_t now)
{
	if (now < c->ask_again_ns || now - c->ask_again_ns < c->ask_wait_ns) {
		return;
	}
	if (!c->missing) {
		c->ask_wait_ns = MIN_ASK_NS;
		return;
	}
	if (seg_get(&c->control->grace) < c->missed_grace + CACHE_GRACE || nbr_taken(&c->table) > cache_slots(c) / 16 * 11) {
		return;
	}
	c->missing = false;
	c->missed_stamp = 0;
	c->ask_again_ns = now;
	c->ask_wait_ns = c->ask_wait_ns < MAX_ASK_NS / 2 ? 2 * c->ask_wait_ns : MAX_ASK_NS;
	cache_ask_again(c);
}

/*
 * Cores that had not heard of each other's entries for a while may together have passed the limit. One entry goes in a
 * millisecond, each core in its turn: who has heard of the last one deletes the next.
 */
static void
cache_trim(struct nbr_cache *c, uint64_t now, struct nbr_out *out)
{
	if (c->table.count->entries > c->limit && now / TICK_NS % c->ncores == c->self - 1u) {
		cache_make_room(c, cache_cause(c), now, out);
	}
}

void
nbr_cache_ring_full(struct nbr_cache *c, uint8_t to, uint64_t stamp)
{
	if (to == c->self || to < 1 || to > c->ncores) {
		return;
	}
	struct nbr_debt *debt = &c->debt[to];
	if (debt->owed) {
		debt->again_stamp = debt->again && debt->again_stamp < stamp ? debt->again_stamp : stamp;
		debt->again = true;
		return;
	}
	*debt = (struct nbr_debt){.owed = true, .stamp = stamp};
	c->owing++;
	seg_add(&c->table.count->resyncs, 1);
}

void
nbr_cache_unasked(struct nbr_cache *c, const struct seg_msg *ask, uint64_t now)
{
	struct nbr_key key = {.address = {ask->word[0], ask->word[1]}, .iface = (uint32_t)ask->word[3]};
	uint32_t slot = nbr_find(&c->table, &key);

	if (slot == NBR_NONE || SEG_NBR_STATE(cache_line(c, slot)->value) != SEG_NBR_INCOMPLETE || !c->private[slot].sent) {
		return;
	}
	/* It does not count; but an owner that takes nothing for so long is as good as one that finds nobody. */
	uint64_t most = (seg_get(&c->params->solicitations) + 1) * seg_get(&c->params->retrans_ns);
	if (now - cache_line(c, slot)->changed_ns < most) {
		c->private[slot].sent--;
		cache_arm(c, slot, now + UNASKED_NS);
	}
}

/* One announcement of this core's, as it stands now; what is being asked for holds a deletion's version. */
static void
cache_repeat(struct nbr_cache *c, uint32_t slot, uint8_t to, uint64_t now, struct nbr_out *out)
{
	if (nbr_usable(cache_line(c, slot)->value)) {
		cache_announce(c, slot, to, 0, now, out);
		return;
	}
	cache_tell_deleted(c, slot, to, 0, now, out);
}

void
nbr_cache_resync(struct nbr_cache *c, uint8_t to, unsigned room, uint64_t now, struct nbr_out *out)
{
	struct nbr_debt *debt = &c->debt[to];

	if (debt->ask && out->nmsg < room) {
		struct seg_msg msg = {
			.kind = SEG_MSG_NBR_AGAIN, .from = c->self, .to = to, .cause = cache_cause(c), .time_ns = now};
		msg.word[3] = (uint64_t)c->family << 32;
		debt->ask = false;
		cache_send(c, &msg, out);
	}
	for (unsigned i = 0; debt->owed && i < RESYNC_SLOTS && out->nmsg < room; i++) {
		if (debt->slot == cache_slots(c)) {
			if (!debt->again) {
				debt->owed = debt->ask;
				c->owing -= !debt->owed;
				break;
			}
			debt->again = false;
			debt->stamp = debt->again_stamp;
			debt->slot = 0;
		}
		uint32_t slot = debt->slot++;
		const struct seg_nbr *line = cache_line(c, slot);
		if (cache_in_use(line) && (uint8_t)line->stamp == c->self && line->stamp >= debt->stamp) {
			cache_repeat(c, slot, to, now, out);
		}
	}
}

/* ---- the tick --------------------------------------------------------------------------------------------------- */

void
nbr_cache_tick(struct nbr_cache *c, uint64_t now, struct nbr_out *out)
{
	if (now - c->tick_ns > STANDSTILL_NS) {
		c->woke_ns = now;
	}
	c->tick_ns = now;
	cache_settle_all(c, now, out);
	cache_timers(c, now, out);
	cache_sweep(c, now, out);
	cache_trim(c, now, out);
	cache_clean(c);
	cache_ask(c, now);
}

/* When the first list with something in it is over; it may turn out to be for a later turn. */
static uint64_t
next_timer(const struct nbr_cache *c, uint64_t most)
{
	for (uint64_t list = c->wheel_ns; list + NBR_WHEEL_NS < most; list += NBR_WHEEL_NS) {
		if (c->wheel[list / NBR_WHEEL_NS % NBR_WHEEL] != NBR_NONE) {
			return list + NBR_WHEEL_NS;
		}
	}
	return most;
}

uint64_t
nbr_cache_next(const struct nbr_cache *c, uint64_t now)
{
	if (c->owing || c->adopt_slot < cache_slots(c) || c->owner_epoch != seg_get(&c->control->owner_epoch) || c->clean_slot) {
		return now + TICK_NS;
	}
	uint64_t most = now + (c->table.count->tombs || c->missing ? 50 * TICK_NS : LONGEST_NS);
	uint64_t next = next_timer(c, most);
	return next > now ? next : now;
}
