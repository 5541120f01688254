/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fdb/replica.h"

#include <string.h>

#define CORE_BITS 8
#define SWEEPS_PER_AGEING 8
#define MIN_SWEEP_NS 100000000ull
#define CLEAN_SLOTS 4096   /* a tick */
#define RESYNC_SLOTS 4096  /* a call */
#define EVICT_SLOTS 1024   /* looked at for one eviction */
#define TICK_NS 1000000ull
#define GRACE_PERIODS 3    /* lib/core/grace.h */
#define PINNED (SEG_VALUE_STATIC | SEG_VALUE_STICKY)

void
replica_init(struct replica *r, const struct seg_control *control, uint8_t self, uint8_t ncores, uint64_t limit, uint64_t now)
{
	r->control = control;
	r->self = self;
	r->ncores = ncores;
	r->limit = limit;
	r->tick_ns = now;
	r->sweep_from_ns = now;
	r->learn_budget = REPLICA_LEARN_PER_MS;
	fdb_flush_sync(&r->fdb, control);
	seg_put(&r->fdb.count->swept_flush, r->fdb.flush_seq);
	r->clean_flush = r->fdb.flush_seq;
}

/* ---- versions ------------------------------------------------------------------------------------------------------ */

static uint64_t
replica_stamp(struct replica *r)
{
	return ++r->clock << CORE_BITS | r->self;
}

static void
replica_saw(struct replica *r, uint64_t stamp)
{
	uint64_t clock = stamp >> CORE_BITS;
	if (clock > r->clock) {
		r->clock = clock;
	}
}

static uint32_t
replica_cause(struct replica *r)
{
	return (uint32_t)r->self << 25 | (++r->causes & 0x1ffffff);
}

/* Does the version (flush, stamp) win over what is in the slot? */
static bool
replica_wins(const struct replica *r, uint32_t slot, uint32_t flush, uint64_t stamp)
{
	uint32_t held = SEG_VALUE_FLUSH(*fdb_value_at(&r->fdb, slot));
	return flush != held ? flush > held : stamp > r->fdb.cold[slot].stamp;
}

/* ---- what is sent -------------------------------------------------------------------------------------------------- */

static void
replica_put(struct replica_out *out, const struct seg_msg *msg)
{
	if (out->n < REPLICA_OUT) {
		out->msg[out->n++] = *msg;
	}
}

static void
replica_announce(struct replica *r, uint32_t slot, uint8_t to, uint32_t cause, uint64_t now, struct replica_out *out)
{
	struct seg_msg msg = {
		.kind = SEG_MSG_FDB_ADD,
		.from = r->self,
		.to = to,
		.n = 2,
		.cause = cause,
		.stamp = r->fdb.cold[slot].stamp,
		.time_ns = now,
		.word = {*fdb_key_at(&r->fdb, slot), *fdb_value_at(&r->fdb, slot) & SEG_VALUE_SHARED},
	};
	replica_put(out, &msg);
}

static void
replica_send_gone(struct replica *r, struct replica_out *out)
{
	if (r->gone.n) {
		replica_put(out, &r->gone);
		r->gone.n = 0;
	}
}

/* Makes the slot a tombstone of the given version; it holds until the grace periods have passed. */
static void
replica_bury(struct replica *r, uint32_t slot, uint32_t flush, uint64_t stamp)
{
	fdb_update(&r->fdb, slot, fdb_value(SEG_VALUE_CHANNEL(*fdb_value_at(&r->fdb, slot)), flush, SEG_VALUE_TOMB), stamp);
	seg_put(&r->fdb.cold[slot].used_ns, seg_get(&r->control->grace));
}

/* Deletes an entry here and gathers the deletion for the others: one stamp for all of a message. */
static void
replica_delete(struct replica *r, uint32_t slot, uint32_t cause, uint64_t now, struct replica_out *out)
{
	struct seg_msg *gone = &r->gone;

	/* A message has one version; it must win over each entry that it deletes. */
	if (gone->n && (gone->cause != cause || !replica_wins(r, slot, (uint32_t)gone->word[REPLICA_BATCH], gone->stamp))) {
		replica_send_gone(r, out);
	}
	if (!gone->n) {
		*gone = (struct seg_msg){.kind = SEG_MSG_FDB_DEL, .from = r->self, .to = REPLICA_ALL, .cause = cause, .time_ns = now};
		gone->stamp = replica_stamp(r);
		gone->word[REPLICA_BATCH] = r->fdb.flush_seq;
	}
	gone->word[gone->n++] = *fdb_key_at(&r->fdb, slot);
	replica_bury(r, slot, (uint32_t)gone->word[REPLICA_BATCH], gone->stamp);
	if (gone->n == REPLICA_BATCH) {
		replica_send_gone(r, out);
	}
}

/* ---- limits --------------------------------------------------------------------------------------------------------- */

/* The channel that must give an entry up for a new one of channel `newest`, 0: none. */
static uint16_t
replica_over_limit(const struct replica *r, uint16_t newest)
{
	const struct seg_fdb_count *count = r->fdb.count;

	if (r->mac_limit[newest] && count->channel[newest] > r->mac_limit[newest]) {
		return newest;
	}
	if (count->entries <= r->limit) {
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

/* An entry of the channel that this core owns: one out of use if there is one near, else any; `newest` when none is near. */
static uint32_t
replica_victim(struct replica *r, uint16_t channel, uint32_t newest)
{
	uint32_t slots = fdb_slots(&r->fdb), used = FDB_NONE;

	for (uint32_t i = 0; i < EVICT_SLOTS && i < slots; i++) {
		uint32_t slot = r->evict_slot;
		r->evict_slot = slot + 1 == slots ? 0 : slot + 1;
		uint64_t key = *fdb_key_at(&r->fdb, slot), value = *fdb_value_at(&r->fdb, slot);
		if (!key || slot == newest || SEG_VALUE_CHANNEL(value) != channel || (value & (SEG_VALUE_STATIC | SEG_VALUE_TOMB)) ||
		    replica_owner(r, key) != r->self) {
			continue;
		}
		if (!(value & SEG_VALUE_USED)) {
			return slot;
		}
		used = used == FDB_NONE ? slot : used;
	}
	return used != FDB_NONE ? used : newest;
}

/* The owner of a new dynamic entry sees to it that one entry leaves when there are too many. */
static void
replica_enforce(struct replica *r, uint32_t slot, uint32_t cause, uint64_t now, struct replica_out *out)
{
	uint64_t value = *fdb_value_at(&r->fdb, slot);

	if ((value & SEG_VALUE_STATIC) || replica_owner(r, *fdb_key_at(&r->fdb, slot)) != r->self) {
		return;
	}
	uint16_t channel = replica_over_limit(r, SEG_VALUE_CHANNEL(value) % SEG_MAX_CHANNELS);
	if (channel) {
		replica_delete(r, replica_victim(r, channel, slot), cause, now, out);
		replica_send_gone(r, out);
		seg_add(&r->fdb.count->evicted, 1);
	}
}

/* ---- learning -------------------------------------------------------------------------------------------------------- */

/* Writes an entry over what is in the slot, or into a new one. Returns the slot, FDB_NONE without room. */
static uint32_t
replica_store(struct replica *r, uint32_t slot, uint64_t key, uint64_t value, uint64_t stamp, uint64_t now)
{
	if (slot == FDB_NONE) {
		struct seg_cold cold = {.stamp = stamp, .used_ns = now, .born_ns = now};
		slot = fdb_insert(&r->fdb, key, value, &cold);
		if (slot == FDB_NONE) {
			seg_add(&r->fdb.count->no_room, 1);
		}
		return slot;
	}
	uint64_t old = *fdb_value_at(&r->fdb, slot);
	struct seg_cold *cold = &r->fdb.cold[slot];
	if (!fdb_alive(&r->fdb, fdb_key_fid(key), old)) {
		seg_put(&cold->born_ns, now);
		seg_put(&cold->moved_ns, (uint64_t)0);
	} else if (SEG_VALUE_CHANNEL(old) != SEG_VALUE_CHANNEL(value)) {
		seg_put(&cold->moved_ns, now);
	}
	seg_put(&cold->used_ns, now);
	fdb_update(&r->fdb, slot, value, stamp);
	return slot;
}

static void
replica_learn_new(struct replica *r, uint32_t slot, uint64_t key, uint16_t channel, uint64_t now, struct replica_out *out)
{
	if (!r->learn_budget) {
		return;
	}
	r->learn_budget--;
	uint64_t value = fdb_value(channel, r->fdb.flush_seq, SEG_VALUE_USED);
	slot = replica_store(r, slot, key, value, replica_stamp(r), now);
	if (slot == FDB_NONE) {
		return;
	}
	uint32_t cause = replica_cause(r);
	seg_add(&r->fdb.count->learned, 1);
	replica_announce(r, slot, REPLICA_ALL, cause, now, out);
	replica_enforce(r, slot, cause, now, out);
}

void
replica_learn(struct replica *r, uint64_t key, uint16_t channel, uint64_t now, struct replica_out *out)
{
	struct seg_fdb_count *count = r->fdb.count;
	uint32_t slot = fdb_find(&r->fdb, key);

	if (slot == FDB_NONE || !fdb_alive(&r->fdb, fdb_key_fid(key), *fdb_value_at(&r->fdb, slot))) {
		replica_learn_new(r, slot, key, channel, now, out);
		return;
	}
	uint64_t value = *fdb_value_at(&r->fdb, slot);
	if (SEG_VALUE_CHANNEL(value) == channel) {
		fdb_mark_used(&r->fdb, slot, true);
		return;
	}
	if (value & PINNED) {
		seg_add(&count->pinned, 1);
		return;
	}
	uint64_t moved = r->fdb.cold[slot].moved_ns;
	if (moved && now - moved < REPLICA_MOVE_NS) {
		seg_add(&count->damped, 1);
		return;
	}
	seg_add(&count->moved, 1);
	replica_store(r, slot, key, fdb_value(channel, r->fdb.flush_seq, SEG_VALUE_USED), replica_stamp(r), now);
	uint32_t cause = replica_cause(r);
	replica_announce(r, slot, REPLICA_ALL, cause, now, out);
	replica_enforce(r, slot, cause, now, out);
}

/* ---- messages ---------------------------------------------------------------------------------------------------------- */

static void
replica_receive_add(struct replica *r, const struct seg_msg *msg, uint64_t now, struct replica_out *out)
{
	uint64_t key = msg->word[0], value = msg->word[1] & SEG_VALUE_SHARED;
	uint32_t flush = SEG_VALUE_FLUSH(value);
	uint32_t slot = fdb_find(&r->fdb, key);
	bool was_there = slot != FDB_NONE && fdb_alive(&r->fdb, fdb_key_fid(key), *fdb_value_at(&r->fdb, slot));

	if (slot != FDB_NONE) {
		if (!replica_wins(r, slot, flush, msg->stamp)) {
			return;
		}
		uint64_t old = *fdb_value_at(&r->fdb, slot);
		if (was_there && (old & PINNED) && !(value & PINNED) && replica_owner(r, key) == r->self) {
			/* Learned elsewhere before the operator's entry had come there: the owner says it again, in a newer version. */
			fdb_update(&r->fdb, slot, fdb_value(SEG_VALUE_CHANNEL(old), r->fdb.flush_seq, old & PINNED), replica_stamp(r));
			replica_announce(r, slot, REPLICA_ALL, msg->cause, now, out);
			return;
		}
		value |= old & SEG_VALUE_USED;
	}
	bool alive = fdb_alive(&r->fdb, fdb_key_fid(key), value);
	slot = replica_store(r, slot, key, value, msg->stamp, now);
	if (slot == FDB_NONE) {
		return;
	}
	if (!alive) {
		replica_bury(r, slot, flush, msg->stamp);
	} else if (!was_there) {
		replica_enforce(r, slot, msg->cause, now, out);
	}
}

static void
replica_receive_del(struct replica *r, const struct seg_msg *msg, uint64_t now)
{
	uint32_t flush = (uint32_t)msg->word[REPLICA_BATCH];

	for (unsigned i = 0; i < msg->n && i < REPLICA_BATCH; i++) {
		uint32_t slot = fdb_find(&r->fdb, msg->word[i]);
		if (slot == FDB_NONE) {
			/* The older announcement that it answers may still be under way from another core. */
			slot = replica_store(r, slot, msg->word[i], fdb_value(0, flush, SEG_VALUE_TOMB), msg->stamp, now);
		} else if (!replica_wins(r, slot, flush, msg->stamp)) {
			continue;
		}
		if (slot != FDB_NONE) {
			replica_bury(r, slot, flush, msg->stamp);
		}
	}
}

static void
replica_receive_used(struct replica *r, const struct seg_msg *msg, uint64_t now)
{
	for (unsigned i = 0; i < msg->n && i < REPLICA_BATCH; i++) {
		uint32_t slot = fdb_find(&r->fdb, msg->word[i]);
		if (slot != FDB_NONE && !(*fdb_value_at(&r->fdb, slot) & SEG_VALUE_TOMB)) {
			seg_put(&r->fdb.cold[slot].used_ns, now);
		}
	}
}

/* The control core asks this core, the owner, to install an entry. */
static void
replica_receive_set(struct replica *r, const struct seg_msg *msg, uint64_t now, struct replica_out *out)
{
	uint64_t key = msg->word[0];
	uint64_t flags = msg->word[1] & PINNED;
	uint64_t value = fdb_value(SEG_VALUE_CHANNEL(msg->word[1]), r->fdb.flush_seq, flags);
	uint32_t slot = replica_store(r, fdb_find(&r->fdb, key), key, value, replica_stamp(r), now);

	if (slot != FDB_NONE) {
		replica_announce(r, slot, REPLICA_ALL, msg->cause, now, out);
	}
}

static void
replica_receive_unset(struct replica *r, const struct seg_msg *msg, uint64_t now, struct replica_out *out)
{
	uint32_t slot = fdb_find(&r->fdb, msg->word[0]);

	if (slot != FDB_NONE && !(*fdb_value_at(&r->fdb, slot) & SEG_VALUE_TOMB)) {
		replica_delete(r, slot, msg->cause, now, out);
		replica_send_gone(r, out);
	}
}

static bool
replica_flush_matches(const struct seg_msg *msg, uint64_t key, uint64_t value)
{
	uint16_t channel = (uint16_t)(msg->word[1] >> 16), fid = (uint16_t)msg->word[1];

	if (!key || (value & SEG_VALUE_TOMB) || (msg->word[0] && fdb_key_mac(key) != fdb_key_mac(msg->word[0]))) {
		return false;
	}
	if ((value & PINNED) && !(msg->word[2] & FDB_FLUSH_STATIC)) {
		return false;
	}
	return (!channel || SEG_VALUE_CHANNEL(value) == channel) && (!fid || fdb_key_fid(key) == fid);
}

/* Each owner deletes of its own what matches; rare, and asked by an operator, so it may take its time. */
static void
replica_receive_flush(struct replica *r, const struct seg_msg *msg, uint64_t now, struct replica_out *out)
{
	for (uint32_t slot = 0; slot < fdb_slots(&r->fdb); slot++) {
		uint64_t key = *fdb_key_at(&r->fdb, slot);
		if (!replica_flush_matches(msg, key, *fdb_value_at(&r->fdb, slot)) || replica_owner(r, key) != r->self) {
			continue;
		}
		replica_delete(r, slot, msg->cause, now, out);
		if (out->n >= REPLICA_OUT - REPLICA_OUT_CALL) {
			/* More than a list takes: the receivers get the rest as from a full ring. */
			for (uint8_t to = 1; to <= r->ncores; to++) {
				replica_ring_full(r, to);
			}
			out->n = REPLICA_OUT - REPLICA_OUT_CALL;
		}
	}
	replica_send_gone(r, out);
}

void
replica_receive(struct replica *r, const struct seg_msg *msg, uint64_t now, struct replica_out *out)
{
	replica_saw(r, msg->stamp);
	/* Its maker may know a flush that this core has not taken up. */
	fdb_flush_sync(&r->fdb, r->control);
	switch (msg->kind) {
	case SEG_MSG_FDB_ADD:
		replica_receive_add(r, msg, now, out);
		break;
	case SEG_MSG_FDB_DEL:
		replica_receive_del(r, msg, now);
		break;
	case SEG_MSG_FDB_USED:
		replica_receive_used(r, msg, now);
		break;
	case SEG_MSG_FDB_SET:
		replica_receive_set(r, msg, now, out);
		break;
	case SEG_MSG_FDB_UNSET:
		replica_receive_unset(r, msg, now, out);
		break;
	case SEG_MSG_FDB_FLUSH:
		replica_receive_flush(r, msg, now, out);
		break;
	default:
		break;
	}
}

/* ---- full rings ----------------------------------------------------------------------------------------------------- */

void
replica_ring_full(struct replica *r, uint8_t to)
{
	if (to == r->self || to > r->ncores) {
		return;
	}
	struct replica_debt *debt = &r->debt[to];
	if (debt->owed) {
		debt->again = true;
		return;
	}
	*debt = (struct replica_debt){.owed = true, .relocations = r->fdb.relocations};
	r->owing++;
	seg_add(&r->fdb.count->resyncs, 1);
}

/* One announcement of this core's, as it stands now. */
static void
replica_repeat(struct replica *r, uint32_t slot, uint8_t to, uint64_t now, struct replica_out *out)
{
	uint64_t value = *fdb_value_at(&r->fdb, slot);

	if (!(value & SEG_VALUE_TOMB)) {
		replica_announce(r, slot, to, 0, now, out);
		return;
	}
	struct seg_msg msg = {.kind = SEG_MSG_FDB_DEL, .from = r->self, .to = to, .n = 1, .time_ns = now,
		.stamp = r->fdb.cold[slot].stamp, .word = {*fdb_key_at(&r->fdb, slot)}};
	msg.word[REPLICA_BATCH] = SEG_VALUE_FLUSH(value);
	replica_put(out, &msg);
}

void
replica_resync(struct replica *r, uint8_t to, unsigned room, uint64_t now, struct replica_out *out)
{
	struct replica_debt *debt = &r->debt[to];
	uint32_t slots = fdb_slots(&r->fdb);

	for (unsigned i = 0; debt->owed && i < RESYNC_SLOTS && out->n < room; i++) {
		if (debt->slot == slots) {
			/* An entry that was moved may have slipped past the cursor. */
			debt->owed = debt->again || debt->relocations != r->fdb.relocations;
			*debt = (struct replica_debt){.owed = debt->owed, .relocations = r->fdb.relocations};
			r->owing -= !debt->owed;
			continue;
		}
		uint32_t slot = debt->slot++;
		if (*fdb_key_at(&r->fdb, slot) && (uint8_t)r->fdb.cold[slot].stamp == r->self) {
			replica_repeat(r, slot, to, now, out);
		}
	}
}

/* ---- time ------------------------------------------------------------------------------------------------------------- */

static uint64_t
replica_sweep_ns(const struct replica *r)
{
	uint64_t ns = seg_get(&r->control->ageing_ns) / SWEEPS_PER_AGEING;
	return ns < MIN_SWEEP_NS ? MIN_SWEEP_NS : ns > REPLICA_MAX_SWEEP_NS ? REPLICA_MAX_SWEEP_NS : ns;
}

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
		*used = (struct seg_msg){.kind = SEG_MSG_FDB_USED, .from = r->self, .to = (uint8_t)owner, .cause = r->sweep_cause, .time_ns = now};
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
	} else if (mine && now - r->fdb.cold[slot].used_ns >= seg_get(&r->control->ageing_ns)) {
		replica_delete(r, slot, r->sweep_cause, now, out);
		seg_add(&r->fdb.count->aged, 1);
	}
}

static bool
replica_out_full(const struct replica_out *out)
{
	return out->n + REPLICA_OUT_CALL > REPLICA_OUT;
}

/* Goes on with the sweep as far as it should be by now. */
static void
replica_sweep(struct replica *r, uint64_t now, struct replica_out *out)
{
	uint32_t slots = fdb_slots(&r->fdb);
	uint64_t length = replica_sweep_ns(r), gone = now - r->sweep_from_ns;
	uint32_t until = gone >= length ? slots : (uint32_t)(slots * (gone / 1000) / (length / 1000));

	if (!r->sweep_slot) {
		r->sweep_cause = replica_cause(r);
	}
	while (r->sweep_slot < until && !replica_out_full(out)) {
		replica_sweep_slot(r, r->sweep_slot++, now, out);
	}
	replica_send_gone(r, out);
	if (r->sweep_slot < slots || replica_out_full(out)) {
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
		if (seg_get(&r->control->grace) >= r->fdb.cold[slot].used_ns + GRACE_PERIODS) {
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
		r->cleaning = false;
		seg_put(&r->fdb.count->swept_flush, r->clean_flush);
	}
}

void
replica_tick(struct replica *r, uint64_t now, struct replica_out *out)
{
	fdb_flush_sync(&r->fdb, r->control);
	if (now - r->tick_ns >= TICK_NS) {
		r->tick_ns = now;
		r->learn_budget = REPLICA_LEARN_PER_MS;
	}
	replica_clean(r);
	replica_sweep(r, now, out);
}

uint64_t
replica_next(const struct replica *r, uint64_t now)
{
	if (r->owing || r->cleaning || r->clean_flush != r->fdb.flush_seq) {
		return now + TICK_NS;
	}
	uint64_t sweep = replica_sweep_ns(r) / 16;
	return now + (r->fdb.count->tombs && sweep > 50 * TICK_NS ? 50 * TICK_NS : sweep);
}
