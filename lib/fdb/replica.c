/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fdb/replica_int.h"

#include <string.h>

#define CORE_BITS 8
#define RESYNC_SLOTS 4096 /* a call */

void
replica_init(struct replica *r, const struct seg_control *control, uint8_t self, uint8_t ncores, uint64_t limit, uint64_t now)
{
	r->control = control;
	r->self = self;
	r->ncores = ncores;
	r->limit = limit;
	r->tick_ns = now;
	r->owner_epoch = seg_get(&control->owner_epoch);
	r->sweep_from_ns = now;
	r->learn_budget = replica_learn_budget(r);
	r->trim_period = now / REPLICA_TRIM_NS;
	r->chance = self * 0x9e3779b9u;
	fdb_flush_sync(&r->fdb, control);
	seg_put(&r->fdb.count->swept_flush, r->fdb.flush_seq);
	r->clean_flush = r->fdb.flush_seq;
}

/* ---- versions --------------------------------------------------------------------------------------------------- */

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

uint32_t
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

/* ---- what is sent ----------------------------------------------------------------------------------------------- */

void
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

void
replica_send_gone(struct replica *r, struct replica_out *out)
{
	if (r->gone.n) {
		replica_put(out, &r->gone);
		r->gone.n = 0;
	}
}

void
replica_bury(struct replica *r, uint32_t slot, uint32_t flush, uint64_t stamp)
{
	fdb_update(&r->fdb, slot, fdb_value(SEG_VALUE_CHANNEL(*fdb_value_at(&r->fdb, slot)), flush, SEG_VALUE_TOMB), stamp);
	seg_put(&r->fdb.cold[slot].used_ns, seg_get(&r->control->grace));
}

void
replica_delete(struct replica *r, uint32_t slot, uint32_t cause, uint64_t now, struct replica_out *out)
{
	struct seg_msg *gone = &r->gone;

	/* A message has one version; it must win over each entry that it deletes. */
	if (gone->n && (gone->cause != cause || !replica_wins(r, slot, (uint32_t)gone->word[REPLICA_BATCH], gone->stamp))) {
		replica_send_gone(r, out);
	}
	if (!gone->n) {
		*gone = (struct seg_msg){
			.kind = SEG_MSG_FDB_DEL, .from = r->self, .to = REPLICA_ALL, .cause = cause, .time_ns = now};
		gone->stamp = replica_stamp(r);
		gone->word[REPLICA_BATCH] = r->fdb.flush_seq;
	}
	gone->word[gone->n++] = *fdb_key_at(&r->fdb, slot);
	replica_bury(r, slot, (uint32_t)gone->word[REPLICA_BATCH], gone->stamp);
	if (gone->n == REPLICA_BATCH) {
		replica_send_gone(r, out);
	}
}

/* ---- no room ---------------------------------------------------------------------------------------------------- */

/*
 * An announcement found no room. Its entry is asked for again when there is room; but a lost deletion keeps no older announcement
 * out, so until then none of that age is taken up.
 */
static void
replica_miss(struct replica *r)
{
	r->missing = true;
	r->missed_grace = seg_get(&r->control->grace);
}

static bool
replica_missed(const struct replica *r, uint32_t flush, uint64_t stamp)
{
	return r->missing && (flush != r->missed_flush ? flush < r->missed_flush : stamp <= r->missed_stamp);
}

static void
replica_miss_deletion(struct replica *r, uint32_t flush, uint64_t stamp)
{
	if (!r->missing || !replica_missed(r, flush, stamp)) {
		r->missed_flush = flush;
		r->missed_stamp = stamp;
	}
	replica_miss(r);
}

void
replica_ask_again(struct replica *r)
{
	for (uint8_t to = 1; to <= r->ncores; to++) {
		struct replica_debt *debt = &r->debt[to];
		if (to == r->self) {
			continue;
		}
		if (!debt->owed) {
			*debt = (struct replica_debt){.owed = true, .slot = fdb_slots(&r->fdb) + ROUND_THE_END};
			r->owing++;
		}
		debt->ask = true;
	}
}

/* ---- learning --------------------------------------------------------------------------------------------------- */

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
	if (slot == FDB_NONE && !replica_may_learn(r, channel)) {
		return;
	}
	/* Not USED yet: to have been learned is known to all. The next frame from there makes it so. */
	uint64_t value = fdb_value(channel, r->fdb.flush_seq, 0);
	slot = replica_store(r, slot, key, value, replica_stamp(r), now);
	if (slot == FDB_NONE) {
		return;
	}
	uint32_t cause = replica_cause(r);
	seg_add(&r->fdb.count->learned, 1);
	replica_announce(r, slot, REPLICA_ALL, cause, now, out);
	replica_enforce(r, key, value, slot, cause, now, out);
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
	if (value & REPLICA_PINNED) {
		seg_add(&count->pinned, 1);
		return;
	}
	uint64_t moved = r->fdb.cold[slot].moved_ns;
	if (moved && now - moved < REPLICA_MOVE_NS) {
		seg_add(&count->damped, 1);
		return;
	}
	seg_add(&count->moved, 1);
	value = fdb_value(channel, r->fdb.flush_seq, value & SEG_VALUE_USED);
	replica_store(r, slot, key, value, replica_stamp(r), now);
	uint32_t cause = replica_cause(r);
	replica_announce(r, slot, REPLICA_ALL, cause, now, out);
	replica_enforce(r, key, value, slot, cause, now, out);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

/*
 * Another core's version wins over an entry that the operator gave: its maker had not heard of it, or a flush killed what it had
 * learned. The owner says the operator's entry again, in a newer version.
 */
static bool
replica_insist(struct replica *r, uint32_t slot, uint32_t cause, uint64_t now, struct replica_out *out)
{
	uint64_t key = *fdb_key_at(&r->fdb, slot), value = *fdb_value_at(&r->fdb, slot);

	if (!(value & REPLICA_PINNED) || !fdb_alive(&r->fdb, fdb_key_fid(key), value) || replica_owner(r, key) != r->self) {
		return false;
	}
	value = fdb_value(SEG_VALUE_CHANNEL(value), r->fdb.flush_seq, value & (REPLICA_PINNED | SEG_VALUE_USED));
	fdb_update(&r->fdb, slot, value, replica_stamp(r));
	replica_announce(r, slot, REPLICA_ALL, cause, now, out);
	return true;
}

static void
replica_receive_add(struct replica *r, const struct seg_msg *msg, uint64_t now, struct replica_out *out)
{
	uint64_t key = msg->word[0], value = msg->word[1] & SEG_VALUE_SHARED;
	uint32_t flush = SEG_VALUE_FLUSH(value);
	uint32_t slot = fdb_find(&r->fdb, key);
	bool was_there = slot != FDB_NONE && fdb_alive(&r->fdb, fdb_key_fid(key), *fdb_value_at(&r->fdb, slot));

	if (slot != FDB_NONE) {
		if (!replica_wins(r, slot, flush, msg->stamp) ||
			(!(value & REPLICA_PINNED) && replica_insist(r, slot, msg->cause, now, out))) {
			return;
		}
		value |= *fdb_value_at(&r->fdb, slot) & SEG_VALUE_USED;
	} else if (replica_missed(r, flush, msg->stamp)) {
		replica_miss(r);
		return;
	}
	bool alive = fdb_alive(&r->fdb, fdb_key_fid(key), value);
	slot = replica_store(r, slot, key, value, msg->stamp, now);
	if (slot == FDB_NONE) {
		replica_miss(r);
	}
	if (!alive && slot != FDB_NONE) {
		replica_bury(r, slot, flush, msg->stamp);
	} else if (alive && !was_there) {
		replica_enforce(r, key, value, slot, msg->cause, now, out);
	}
}

static void
replica_receive_del(struct replica *r, const struct seg_msg *msg, uint64_t now, struct replica_out *out)
{
	uint32_t flush = (uint32_t)msg->word[REPLICA_BATCH];

	for (unsigned i = 0; i < msg->n && i < REPLICA_BATCH; i++) {
		uint32_t slot = fdb_find(&r->fdb, msg->word[i]);
		if (slot == FDB_NONE) {
			/* The older announcement that it answers may still be under way from another core. */
			slot = replica_store(r, slot, msg->word[i], fdb_value(0, flush, SEG_VALUE_TOMB), msg->stamp, now);
		} else if (!replica_wins(r, slot, flush, msg->stamp) || replica_insist(r, slot, msg->cause, now, out)) {
			continue;
		}
		if (slot == FDB_NONE) {
			replica_miss_deletion(r, flush, msg->stamp);
		} else {
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
	uint64_t flags = msg->word[1] & REPLICA_PINNED;
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
	if ((value & SEG_VALUE_STATIC) && !(msg->word[2] & FDB_FLUSH_STATIC)) {
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
		replica_receive_del(r, msg, now, out);
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
	case SEG_MSG_FDB_AGAIN:
		replica_ring_full(r, msg->from);
		break;
	default:
		break;
	}
}

/* ---- full rings ------------------------------------------------------------------------------------------------- */

void
replica_ring_full(struct replica *r, uint8_t to)
{
	if (to == r->self || to < 1 || to > r->ncores) {
		return;
	}
	struct replica_debt *debt = &r->debt[to];
	if (debt->owed) {
		debt->again = true;
		return;
	}
	*debt = (struct replica_debt){.owed = true};
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
	struct seg_msg msg = {.kind = SEG_MSG_FDB_DEL,
		.from = r->self,
		.to = to,
		.n = 1,
		.time_ns = now,
		.stamp = r->fdb.cold[slot].stamp,
		.word = {*fdb_key_at(&r->fdb, slot)}};
	msg.word[REPLICA_BATCH] = SEG_VALUE_FLUSH(value);
	replica_put(out, &msg);
}

void
replica_resync(struct replica *r, uint8_t to, unsigned room, uint64_t now, struct replica_out *out)
{
	struct replica_debt *debt = &r->debt[to];
	uint32_t slots = fdb_slots(&r->fdb);

	if (debt->ask && out->n < room) {
		debt->ask = false;
		replica_put(out,
			&(struct seg_msg){
				.kind = SEG_MSG_FDB_AGAIN, .from = r->self, .to = to, .cause = replica_cause(r), .time_ns = now});
	}
	for (unsigned i = 0; debt->owed && i < RESYNC_SLOTS && out->n < room; i++) {
		if (debt->slot == slots + ROUND_THE_END) {
			if (!debt->again) {
				debt->owed = debt->ask;
				r->owing -= !debt->owed;
				break;
			}
			debt->again = false;
			debt->slot = 0;
		}
		uint32_t slot = debt->slot++ % slots;
		if (*fdb_key_at(&r->fdb, slot) && (uint8_t)r->fdb.cold[slot].stamp == r->self) {
			replica_repeat(r, slot, to, now, out);
		}
	}
}
