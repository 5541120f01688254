/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fdb/fdb.h"

#include <string.h>

/* How far fdb_make_way() looks for an empty slot. At three quarters full, two or three steps nearly always do. */
#define FDB_MAX_STEPS 16

void
fdb_init(struct fdb *fdb, struct seg_bucket *hot, struct seg_cold *cold, uint32_t nbuckets, uint64_t seed, struct seg_fdb_count *count)
{
	memset(fdb, 0, sizeof(*fdb));
	fdb->hot = hot;
	fdb->cold = cold;
	fdb->nbuckets = nbuckets;
	fdb->seed = seed;
	fdb->count = count;
}

static uint32_t
fdb_next(const struct fdb *fdb, uint32_t bucket)
{
	return bucket + 1 == fdb->nbuckets ? 0 : bucket + 1;
}

static uint32_t
fdb_key_home(const struct fdb *fdb, uint64_t key)
{
	return fdb_home(fdb_hash(key, fdb->seed), fdb->nbuckets);
}

/* Stores a value, leaving the bucket's SPILL flag as it is. Release: after the key was emptied, or after the stamp (seg_read_fdb()). */
static void
fdb_put_value(struct fdb *fdb, uint32_t slot, uint64_t value)
{
	uint64_t *at = fdb_value_at(fdb, slot);
	seg_put_release(at, (value & ~SEG_VALUE_SPILL) | (*at & SEG_VALUE_SPILL));
}

static void
fdb_set_spill(struct fdb *fdb, uint32_t bucket, bool spill)
{
	uint64_t *at = &fdb->hot[bucket].value[0];
	seg_put(at, spill ? *at | SEG_VALUE_SPILL : *at & ~SEG_VALUE_SPILL);
}

/* Adds (sign 1) or takes (sign -1) an entry to or from the counts and the digest. */
static void
fdb_account(struct fdb *fdb, uint64_t key, uint64_t value, uint64_t stamp, int sign)
{
	struct seg_fdb_count *count = fdb->count;
	uint64_t one = (uint64_t)(int64_t)sign;

	if (value & SEG_VALUE_TOMB) {
		seg_add(&count->tombs, one);
		return;
	}
	seg_add(&count->entries, one);
	if (value & SEG_VALUE_STATIC) {
		seg_add(&count->statics, one);
	} else {
		seg_add(&count->channel[SEG_VALUE_CHANNEL(value) % SEG_MAX_CHANNELS], (uint32_t)sign);
	}
	uint64_t digest = fdb_digest(key, value, stamp);
	seg_put(&count->digest, sign > 0 ? count->digest + digest : count->digest - digest);
}

static uint32_t
fdb_empty_way(const struct fdb *fdb, uint32_t bucket)
{
	unsigned empty = fdb_bucket_match(&fdb->hot[bucket], 0);
	return empty ? bucket * SEG_WAYS + (unsigned)__builtin_ctz(empty) : FDB_NONE;
}

/* Writes an entry into an empty slot. An outside reader who finds the key finds its value, too. */
static void
fdb_fill(struct fdb *fdb, uint32_t slot, uint64_t key, uint64_t value, const struct seg_cold *cold)
{
	struct seg_cold *at = &fdb->cold[slot];
	seg_put_release(&at->stamp, cold->stamp); /* after whatever emptied the slot */
	seg_put(&at->used_ns, cold->used_ns);
	seg_put(&at->moved_ns, cold->moved_ns);
	seg_put(&at->born_ns, cold->born_ns);
	fdb_put_value(fdb, slot, value);
	/* release: whoever reads the key with acquire reads this entry's value and cold part */
	seg_put_release(fdb_key_at(fdb, slot), key);
	uint32_t home = fdb_key_home(fdb, key);
	if (home != slot / SEG_WAYS) {
		fdb_set_spill(fdb, home, true);
	}
}

/* Empties a slot without accounting, and takes back its home's SPILL flag when it was the last that lived next door. */
static void
fdb_clear(struct fdb *fdb, uint32_t slot)
{
	uint32_t bucket = slot / SEG_WAYS;
	uint32_t home = fdb_key_home(fdb, *fdb_key_at(fdb, slot));

	seg_put(fdb_key_at(fdb, slot), (uint64_t)0);
	fdb_put_value(fdb, slot, 0);
	if (home == bucket) {
		return;
	}
	for (unsigned way = 0; way < SEG_WAYS; way++) {
		uint64_t key = fdb->hot[bucket].key[way];
		if (key && fdb_key_home(fdb, key) == home) {
			return;
		}
	}
	fdb_set_spill(fdb, home, false);
}

static void
fdb_relocate(struct fdb *fdb, uint32_t from, uint32_t to)
{
	fdb_fill(fdb, to, *fdb_key_at(fdb, from), *fdb_value_at(fdb, from), &fdb->cold[from]);
	fdb_clear(fdb, from);
	fdb->relocations++;
}

/* An entry of the bucket that may live in the next one, or FDB_NONE. */
static uint32_t
fdb_movable(const struct fdb *fdb, uint32_t bucket)
{
	for (unsigned way = 0; way < SEG_WAYS; way++) {
		uint64_t key = fdb->hot[bucket].key[way];
		if (key && fdb_key_home(fdb, key) == bucket) {
			return bucket * SEG_WAYS + way;
		}
	}
	return FDB_NONE;
}

/* Sends an entry that was pushed into this bucket home again, when its home has room now. */
static uint32_t
fdb_send_home(struct fdb *fdb, uint32_t bucket)
{
	for (unsigned way = 0; way < SEG_WAYS; way++) {
		uint32_t slot = bucket * SEG_WAYS + way;
		uint64_t key = fdb->hot[bucket].key[way];
		uint32_t home = key ? fdb_key_home(fdb, key) : bucket;
		uint32_t empty = home != bucket ? fdb_empty_way(fdb, home) : FDB_NONE;
		if (empty != FDB_NONE) {
			fdb_relocate(fdb, slot, empty);
			return slot;
		}
	}
	return FDB_NONE;
}

/*
 * Makes an empty slot in a full bucket: walks on until a bucket with room is found from which every bucket on the way back can push
 * one entry forward. Returns the slot, or FDB_NONE.
 */
static uint32_t
fdb_make_way(struct fdb *fdb, uint32_t bucket)
{
	uint32_t path[FDB_MAX_STEPS];
	unsigned steps = 0;
	uint32_t empty = FDB_NONE;

	for (uint32_t at = bucket; steps < FDB_MAX_STEPS && steps < fdb->nbuckets - 1; at = fdb_next(fdb, at)) {
		empty = fdb_empty_way(fdb, at);
		if (empty == FDB_NONE) {
			empty = fdb_send_home(fdb, at);
		}
		if (empty != FDB_NONE) {
			break;
		}
		path[steps] = fdb_movable(fdb, at);
		if (path[steps] == FDB_NONE) {
			return FDB_NONE;
		}
		steps++;
	}
	while (empty != FDB_NONE && steps > 0) {
		uint32_t slot = path[--steps];
		fdb_relocate(fdb, slot, empty);
		empty = slot;
	}
	return empty;
}

uint32_t
fdb_insert(struct fdb *fdb, uint64_t key, uint64_t value, const struct seg_cold *cold)
{
	uint32_t home = fdb_key_home(fdb, key);
	uint32_t slot = fdb_empty_way(fdb, home);

	if (slot == FDB_NONE) {
		slot = fdb_empty_way(fdb, fdb_next(fdb, home));
	}
	if (slot == FDB_NONE) {
		slot = fdb_make_way(fdb, home);
	}
	if (slot == FDB_NONE) {
		slot = fdb_make_way(fdb, fdb_next(fdb, home));
	}
	if (slot == FDB_NONE) {
		return FDB_NONE;
	}
	fdb_fill(fdb, slot, key, value, cold);
	fdb_account(fdb, key, value, cold->stamp, 1);
	return slot;
}

void
fdb_update(struct fdb *fdb, uint32_t slot, uint64_t value, uint64_t stamp)
{
	uint64_t key = *fdb_key_at(fdb, slot);

	fdb_account(fdb, key, *fdb_value_at(fdb, slot), fdb->cold[slot].stamp, -1);
	seg_put(&fdb->cold[slot].stamp, stamp);
	fdb_put_value(fdb, slot, value);
	fdb_account(fdb, key, value, stamp, 1);
}

void
fdb_remove(struct fdb *fdb, uint32_t slot)
{
	fdb_account(fdb, *fdb_key_at(fdb, slot), *fdb_value_at(fdb, slot), fdb->cold[slot].stamp, -1);
	fdb_clear(fdb, slot);
}

bool
fdb_flush_sync(struct fdb *fdb, const struct seg_control *control)
{
	/* acquire: the words of everything flushed up to this sequence are there */
	uint32_t seq = seg_get_acquire(&control->flush_seq);
	if (seq == fdb->flush_seq) {
		return false;
	}
	for (unsigned i = 0; i < SEG_MAX_CHANNELS; i++) {
		fdb->flush_channel[i] = seg_get(&control->flush_channel[i]);
	}
	for (unsigned i = 0; i < SEG_MAX_FIDS; i++) {
		fdb->flush_fid[i] = seg_get(&control->flush_fid[i]);
	}
	fdb->flush_seq = seq;
	return true;
}
