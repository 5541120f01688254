/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fdb/fdb.h"

#include <string.h>

/* How many buckets fdb_insert() looks through for an empty slot. At three quarters full it is nearly always one of the first two.
 */
#define FDB_MAX_STEPS 128

void
fdb_init(struct fdb *fdb, struct seg_bucket *hot, struct seg_cold *cold, uint32_t nbuckets, uint64_t seed,
	struct seg_fdb_count *count)
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

/* How far from its home a bucket is. */
static uint32_t
fdb_distance(const struct fdb *fdb, uint32_t home, uint32_t bucket)
{
	return bucket >= home ? bucket - home : bucket + fdb->nbuckets - home;
}

/* Stores a value, leaving the bucket's reach as it is. Release: after the key was emptied, or after the stamp (seg_read_fdb()).
 */
static void
fdb_put_value(struct fdb *fdb, uint32_t slot, uint64_t value)
{
	uint64_t *at = fdb_value_at(fdb, slot);
	seg_put_release(at, (value & ~SEG_VALUE_REACH) | (*at & SEG_VALUE_REACH));
}

static uint32_t
fdb_reach(const struct fdb *fdb, uint32_t home)
{
	return (uint32_t)(fdb->hot[home].value[0] >> SEG_VALUE_REACH_SHIFT);
}

static void
fdb_set_reach(struct fdb *fdb, uint32_t home, uint32_t reach)
{
	uint64_t *at = &fdb->hot[home].value[0];
	seg_put(at, (*at & ~SEG_VALUE_REACH) | (uint64_t)reach << SEG_VALUE_REACH_SHIFT);
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
	uint32_t home = fdb_key_home(fdb, key), distance = fdb_distance(fdb, home, slot / SEG_WAYS);
	if (distance > fdb_reach(fdb, home)) {
		fdb_set_reach(fdb, home, distance);
	}
}

/* Does an entry of that home live in the bucket? */
static bool
fdb_houses(const struct fdb *fdb, uint32_t bucket, uint32_t home)
{
	for (unsigned way = 0; way < SEG_WAYS; way++) {
		uint64_t key = fdb->hot[bucket].key[way];
		if (key && fdb_key_home(fdb, key) == home) {
			return true;
		}
	}
	return false;
}

/* Empties a slot without accounting, and takes back its home's reach as far as nobody lives there any more. */
static void
fdb_clear(struct fdb *fdb, uint32_t slot)
{
	uint32_t home = fdb_key_home(fdb, *fdb_key_at(fdb, slot));
	uint32_t reach = fdb_reach(fdb, home);

	seg_put(fdb_key_at(fdb, slot), (uint64_t)0);
	fdb_put_value(fdb, slot, 0);
	if (fdb_distance(fdb, home, slot / SEG_WAYS) != reach) {
		return;
	}
	while (reach && !fdb_houses(fdb, (home + reach) % fdb->nbuckets, home)) {
		reach--;
	}
	fdb_set_reach(fdb, home, reach);
}

static void
fdb_relocate(struct fdb *fdb, uint32_t from, uint32_t to)
{
	fdb_fill(fdb, to, *fdb_key_at(fdb, from), *fdb_value_at(fdb, from), &fdb->cold[from]);
	fdb_clear(fdb, from);
	fdb->relocations++;
}

/* Moves an entry from one of the buckets before the empty slot into it, and returns the slot that is empty now; FDB_NONE: none
 * may move. */
static uint32_t
fdb_hop(struct fdb *fdb, uint32_t empty)
{
	uint32_t to = empty / SEG_WAYS;

	for (uint32_t back = FDB_REACH; back; back--) {
		uint32_t bucket = (to + fdb->nbuckets - back) % fdb->nbuckets;
		for (unsigned way = 0; way < SEG_WAYS; way++) {
			uint32_t slot = bucket * SEG_WAYS + way;
			uint64_t key = *fdb_key_at(fdb, slot);
			if (key && fdb_distance(fdb, fdb_key_home(fdb, key), to) <= FDB_REACH) {
				fdb_relocate(fdb, slot, empty);
				return slot;
			}
		}
	}
	return FDB_NONE;
}

/* An empty slot within reach of the home bucket, made if need be. */
static uint32_t
fdb_room(struct fdb *fdb, uint32_t home)
{
	uint32_t bucket = home, slot = fdb_empty_way(fdb, bucket);

	for (unsigned steps = 1; slot == FDB_NONE && steps < FDB_MAX_STEPS && steps < fdb->nbuckets; steps++) {
		bucket = fdb_next(fdb, bucket);
		slot = fdb_empty_way(fdb, bucket);
	}
	while (slot != FDB_NONE && fdb_distance(fdb, home, slot / SEG_WAYS) > FDB_REACH) {
		slot = fdb_hop(fdb, slot);
	}
	return slot;
}

uint32_t
fdb_insert(struct fdb *fdb, uint64_t key, uint64_t value, const struct seg_cold *cold)
{
	uint32_t slot = fdb_room(fdb, fdb_key_home(fdb, key));

	if (slot != FDB_NONE) {
		fdb_fill(fdb, slot, key, value, cold);
		fdb_account(fdb, key, value, cold->stamp, 1);
	}
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
