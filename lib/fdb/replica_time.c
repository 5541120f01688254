/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the replica does as time passes: limits, sweeps, tombstones. */
#include "fdb/replica_int.h"

#define SWEEPS_PER_AGEING 8
#define MIN_SWEEP_NS 100000000ull
#define SWEEP_PORTION 1024 /* slots at a time, so that what goes together travels together */
#define SWEEP_SLOTS 16384  /* a tick */
#define CLEAN_SLOTS 4096   /* a tick */
#define EVICT_SLOTS 1024   /* looked at for one eviction */
#define LIMIT_SLACK 8      /* entries above a limit, until their owners have evicted as many */
#define MIN_ASK_NS 100000000ull
#define MAX_ASK_NS 10000000000ull

static uint64_t
replica_sweep_ns(const struct replica *r)
{
	uint64_t ns = seg_get(&r->control->ageing_ns) / SWEEPS_PER_AGEING;
	return ns < MIN_SWEEP_NS ? MIN_SWEEP_NS : ns > REPLICA_MAX_SWEEP_NS ? REPLICA_MAX_SWEEP_NS : ns;
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

/* With `more` entries of channel `newest` than there are: the channel that must give one up, 0: none. */
static uint16_t
replica_over_limit(const struct replica *r, uint16_t newest, unsigned more)
{
	const struct seg_fdb_count *count = r->fdb.count;

	if (r->mac_limit[newest] && count->channel[newest] + more > r->mac_limit[newest]) {
		return newest;
	}
	if (count->entries + more <= r->limit) {
		return 0;
	}
	uint16_t most = newest;
	for (uint16_t c = 1; c < SEG_MAX_CHANNELS; c++) {
		if (count->channel[c] > count->channel[most]) {
			most = c;
		}
	}
	return most;
}

bool
replica_may_learn(const struct replica *r, uint16_t channel)
{
	const struct seg_fdb_count *count = r->fdb.count;
	uint16_t c = channel % SEG_MAX_CHANNELS;

	if (r->mac_limit[c] && count->channel[c] > r->mac_limit[c] + r->mac_limit[c] / 8 + LIMIT_SLACK) {
		return false;
	}
	bool behind = count->tombs > fdb_slots(&r->fdb) / 16 || count->entries > r->limit + r->limit / 8 + LIMIT_SLACK;
	return !behind || replica_over_limit(r, c, 1) != c;
}

/* Has a frame come from it since it was learned, not long ago? The owner knows by its own frames and by the others' hints. */
static bool
replica_in_use(const struct replica *r, uint32_t slot, uint64_t now)
{
	const struct seg_cold *cold = &r->fdb.cold[slot];
	return (*fdb_value_at(&r->fdb, slot) & SEG_VALUE_USED) ||
	       (cold->used_ns > cold->born_ns && now - cold->used_ns < 2 * replica_sweep_ns(r));
}

/*
 * An entry of the channel that this core owns, other than `newest`: one out of use if there is one, else any; FDB_NONE when none
 * is found. Looks at random places, so that every entry is as likely: evicting the next one found, or one beside the new one,
 * lets parts of the table fill up while others empty.
 */
static uint32_t
replica_victim(struct replica *r, uint16_t channel, uint32_t newest, uint64_t now)
{
	uint32_t slots = fdb_slots(&r->fdb), used = FDB_NONE;

	for (uint32_t i = 0; i < EVICT_SLOTS; i++) {
		r->chance = r->chance * 1664525 + 1013904223;
		uint32_t slot = (uint32_t)((uint64_t)slots * r->chance >> 32);
		uint64_t key = *fdb_key_at(&r->fdb, slot), value = *fdb_value_at(&r->fdb, slot);
		if (!key || slot == newest || SEG_VALUE_CHANNEL(value) != channel ||
			(value & (SEG_VALUE_STATIC | SEG_VALUE_TOMB)) || replica_owner(r, key) != r->self) {
			continue;
		}
		if (!replica_in_use(r, slot, now)) {
			return slot;
		}
		used = used == FDB_NONE ? slot : used;
	}
	return used;
}

static void
replica_evict(struct replica *r, uint32_t slot, uint32_t cause, uint64_t now, struct replica_out *out)
{
	replica_delete(r, slot, cause, now, out);
	seg_add(&r->fdb.count->evicted, 1);
}

void
replica_enforce(
	struct replica *r, uint64_t key, uint64_t value, uint32_t slot, uint32_t cause, uint64_t now, struct replica_out *out)
{
	if ((value & SEG_VALUE_STATIC) || replica_owner(r, key) != r->self) {
		return;
	}
	uint16_t newest = SEG_VALUE_CHANNEL(value) % SEG_MAX_CHANNELS;
	uint16_t channel = replica_over_limit(r, newest, slot == FDB_NONE);
	uint32_t victim = channel ? replica_victim(r, channel, slot, now) : FDB_NONE;
	if (channel && channel == newest && victim == FDB_NONE) {
		victim = slot;
	}
	/* When another channel must give one up, and this core owns none of it: replica_trim() of another core does it. */
	if (victim != FDB_NONE) {
		replica_evict(r, victim, cause, now, out);
		replica_send_gone(r, out);
	}
}

static void
replica_trim_channel(struct replica *r, uint16_t channel, uint64_t excess, uint64_t now, struct replica_out *out)
{
	/* All see the same count: each core takes its share, and the rest goes by turns. */
	uint64_t turn = (r->self + r->trim_period) % r->ncores, share = excess / r->ncores + (turn < excess % r->ncores);
	uint32_t cause = share ? replica_cause(r) : 0;

	while (share-- && !replica_out_full(out)) {
		uint32_t victim = replica_victim(r, channel, FDB_NONE, now);
		if (victim == FDB_NONE) {
			break;
		}
		replica_evict(r, victim, cause, now, out);
	}
	replica_send_gone(r, out);
}

/*
 * Entries that came at the same time on several cores may have passed replica_enforce() together. What is above a limit, and has
 * stayed so for a period (else messages are under way that will tell otherwise), goes.
 */
static void
replica_trim(struct replica *r, uint64_t now, struct replica_out *out)
{
	const struct seg_fdb_count *count = r->fdb.count;

	if (r->trim_period == now / REPLICA_TRIM_NS) {
		return;
	}
	r->trim_period = now / REPLICA_TRIM_NS;
	for (uint16_t c = 1; c < SEG_MAX_CHANNELS; c++) {
		uint32_t limit = r->mac_limit[c];
		if (limit && count->channel[c] > limit && count->channel[c] == r->trim_seen[c]) {
			replica_trim_channel(r, c, count->channel[c] - limit, now, out);
		}
		r->trim_seen[c] = count->channel[c];
	}
	uint16_t most = count->entries > r->limit && count->entries == r->trim_entries ? replica_over_limit(r, 0, 0) : 0;
	if (most) {
		replica_trim_channel(r, most, count->entries - r->limit, now, out);
	}
	r->trim_entries = count->entries;
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static void
replica_send_used(struct replica *r, unsigned owner, struct replica_out *out)
{
	struct seg_msg *used = &r->used[owner];
	if (used->n) {
		replica_put(out, used);
		used->n = 0;
		seg_add(&r->fdb.count->used_sent, 1);
	}
}

static void
replica_tell_used(struct replica *r, uint64_t key, uint64_t now, struct replica_out *out)
{
	unsigned owner = replica_owner(r, key);
	if (owner >= SEG_MAX_NODES) {
		return;
	}
	struct seg_msg *used = &r->used[owner];
	if (!used->n) {
		*used = (struct seg_msg){
			.kind = SEG_MSG_FDB_USED, .from = r->self, .to = (uint8_t)owner, .cause = r->sweep_cause, .time_ns = now};
	}
	used->word[used->n++] = key;
	if (used->n == REPLICA_BATCH) {
		replica_send_used(r, owner, out);
	}
}

static void
replica_sweep_slot(struct replica *r, uint32_t slot, uint64_t now, struct replica_out *out)
{
	uint64_t key = *fdb_key_at(&r->fdb, slot), value = *fdb_value_at(&r->fdb, slot);

	if (!key || (value & (SEG_VALUE_STATIC | SEG_VALUE_TOMB)) || !fdb_alive(&r->fdb, fdb_key_fid(key), value)) {
		return;
	}
	bool mine = replica_owner(r, key) == r->self;
	if (value & SEG_VALUE_USED) {
		fdb_mark_used(&r->fdb, slot, false);
		if (mine) {
			seg_put(&r->fdb.cold[slot].used_ns, now);
		} else {
			replica_tell_used(r, key, now, out);
		}
	} else if (mine && now >= r->mercy_ns && now - r->fdb.cold[slot].used_ns >= seg_get(&r->control->ageing_ns)) {
		replica_delete(r, slot, r->sweep_cause, now, out);
		seg_add(&r->fdb.count->aged, 1);
	}
}

/* How far the sweep should have come by now. */
static uint32_t
replica_sweep_goal(const struct replica *r, uint64_t now)
{
	uint32_t slots = fdb_slots(&r->fdb);
	uint64_t length = replica_sweep_ns(r), gone = now - r->sweep_from_ns;
	uint32_t goal =
		gone >= length ? slots : (uint32_t)(slots * (gone / 1000) / (length / 1000)) / SWEEP_PORTION * SWEEP_PORTION;

	return goal > r->sweep_slot + SWEEP_SLOTS ? r->sweep_slot + SWEEP_SLOTS : goal;
}

static void
replica_sweep(struct replica *r, uint64_t now, struct replica_out *out)
{
	uint32_t goal = replica_sweep_goal(r, now);

	if (!r->sweep_slot && goal) {
		r->sweep_cause = replica_cause(r);
	}
	while (r->sweep_slot < goal && !replica_out_full(out)) {
		replica_sweep_slot(r, r->sweep_slot++, now, out);
	}
	replica_send_gone(r, out);
	if (r->sweep_slot < fdb_slots(&r->fdb) || replica_out_full(out)) {
		return;
	}
	for (unsigned owner = 1; owner <= r->ncores; owner++) {
		if (replica_out_full(out)) {
			return;
		}
		replica_send_used(r, owner, out);
	}
	r->sweep_slot = 0;
	r->sweep_from_ns = now;
	seg_add(&r->fdb.count->sweeps, 1);
}

/* The dead become tombstones; tombstones whose time has come go. */
static void
replica_clean_slot(struct replica *r, uint32_t slot)
{
	uint64_t key = *fdb_key_at(&r->fdb, slot), value = *fdb_value_at(&r->fdb, slot);

	if (!key) {
		return;
	}
	if (value & SEG_VALUE_TOMB) {
		if (seg_get(&r->control->grace) >= r->fdb.cold[slot].used_ns + REPLICA_GRACE) {
			fdb_remove(&r->fdb, slot);
		}
	} else if (!fdb_alive(&r->fdb, fdb_key_fid(key), value)) {
		replica_bury(r, slot, SEG_VALUE_FLUSH(value), r->fdb.cold[slot].stamp);
		seg_add(&r->fdb.count->flushed, 1);
	}
}

static void
replica_clean(struct replica *r)
{
	uint64_t grace = seg_get(&r->control->grace);

	if (!r->cleaning || r->clean_flush != r->fdb.flush_seq) {
		bool flushed = r->clean_flush != r->fdb.flush_seq;
		if (!flushed && (!r->fdb.count->tombs || r->clean_grace == grace)) {
			return;
		}
		r->cleaning = true;
		r->clean_flush = r->fdb.flush_seq;
		r->clean_grace = grace;
		r->clean_slot = 0;
	}
	uint32_t slots = fdb_slots(&r->fdb);
	for (unsigned i = 0; i < CLEAN_SLOTS && r->clean_slot < slots; i++) {
		replica_clean_slot(r, r->clean_slot++);
	}
	if (r->clean_slot == slots) {
		/* Meanwhile an insertion may have moved some round the end to the first buckets. */
		for (uint32_t slot = 0; slot < ROUND_THE_END; slot++) {
			replica_clean_slot(r, slot);
		}
		r->cleaning = false;
		seg_put(&r->fdb.count->swept_flush, r->clean_flush);
	}
}

/* What found no room is asked for when tombstones have made room, and nothing older than a lost deletion can be under way;
 * seldom. */
static void
replica_ask(struct replica *r, uint64_t now)
{
	const struct seg_fdb_count *count = r->fdb.count;

	if (now < r->ask_ns || now - r->ask_ns < r->ask_wait_ns) {
		return;
	}
	if (!r->missing) {
		r->ask_wait_ns = MIN_ASK_NS;
		return;
	}
	if (seg_get(&r->control->grace) < r->missed_grace + REPLICA_GRACE ||
		count->entries + count->tombs > fdb_slots(&r->fdb) / 8 * 7) {
		return;
	}
	r->missing = false;
	r->missed_flush = 0;
	r->missed_stamp = 0;
	r->ask_ns = now;
	r->ask_wait_ns = r->ask_wait_ns < MAX_ASK_NS / 2 ? 2 * r->ask_wait_ns : MAX_ASK_NS;
	replica_ask_again(r);
}

void
replica_tick(struct replica *r, uint64_t now, struct replica_out *out)
{
	fdb_flush_sync(&r->fdb, r->control);
	uint32_t epoch = seg_get_acquire(&r->control->owner_epoch);
	if (epoch != r->owner_epoch) {
		/* What came to this core is as old as its arrival here; whether it is in use, the others tell in their next
		 * sweeps. */
		r->owner_epoch = epoch;
		r->mercy_ns = now + 2 * replica_sweep_ns(r);
	}
	if (now - r->tick_ns >= REPLICA_TICK_NS) {
		/* A core that stood still has use hints waiting, and its peers have some that found its rings full. */
		if (now - r->tick_ns > replica_sweep_ns(r)) {
			r->mercy_ns = now + 2 * replica_sweep_ns(r);
		}
		r->tick_ns = now;
		r->learn_budget = replica_learn_budget(r);
	}
	replica_clean(r);
	replica_sweep(r, now, out);
	replica_trim(r, now, out);
	replica_ask(r, now);
}

uint64_t
replica_next(const struct replica *r, uint64_t now)
{
	if (r->owing || r->cleaning || r->clean_flush != r->fdb.flush_seq) {
		return now + REPLICA_TICK_NS;
	}
	uint64_t sweep = replica_sweep_ns(r) / 16;
	return now + ((r->fdb.count->tombs || r->missing) && sweep > 50 * REPLICA_TICK_NS ? 50 * REPLICA_TICK_NS : sweep);
}
