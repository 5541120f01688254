/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bridge table of one core: MAC address and FID to channel.
 *
 * Buckets of four entries, a cache line each (struct seg_bucket). An entry lives in its home bucket or in one of the FDB_REACH
 * that follow (the source text's "n consecutive entries"); three bits in the home bucket say how far to look, so that hit and
 * miss alike touch one line as a rule. When all those are full, others are moved along (hopscotch hashing), so that the table
 * fills to nine tenths.
 *
 * One thread, the core, calls everything here; other threads and processes read the same memory through seg_read_fdb(). Memory
 * is the caller's. Nothing allocates. Pure: time comes in as a number.
 *
 * An entry is alive when it is no tombstone and was learned after the last flush of its channel and of its FID. Those that are
 * not stay as tombstones (they keep older announcements out, see replica.h) until replica.c removes them.
 */
#ifndef PEKIT_FDB_FDB_H
#define PEKIT_FDB_FDB_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __SSE4_1__
#include <immintrin.h>
#endif

#include "shm/layout.h"

#define FDB_NONE UINT32_MAX
#define FDB_REACH 7 /* SEG_VALUE_REACH has three bits */

struct fdb {
	struct seg_bucket *hot;
	struct seg_cold *cold;
	struct seg_fdb_count *count;
	uint64_t seed;
	uint32_t nbuckets;
	uint32_t relocations; /* entries that changed their slot, ever */
	/* The flush words as this core has taken them up (fdb_flush_sync). */
	uint32_t flush_seq;
	uint32_t flush_channel[SEG_MAX_CHANNELS];
	uint32_t flush_fid[SEG_MAX_FIDS];
};

static inline uint64_t
fdb_key(uint64_t mac, uint16_t fid)
{
	return mac << 16 | fid;
}

static inline uint64_t
fdb_key_mac(uint64_t key)
{
	return key >> 16;
}

static inline uint16_t
fdb_key_fid(uint64_t key)
{
	return (uint16_t)key;
}

static inline uint64_t
fdb_value(uint16_t channel, uint32_t flush_seq, uint64_t flags)
{
	return (uint64_t)flush_seq << 16 | channel | flags;
}

/* Universal on the keys for a random odd seed; the first step breaks up runs of successive addresses. */
static inline uint32_t
fdb_hash(uint64_t key, uint64_t seed)
{
	uint64_t x = key * 0x9e3779b97f4a7c15ull;
	x ^= x >> 32;
	return (uint32_t)(x * seed >> 32);
}

static inline uint32_t
fdb_home(uint32_t hash, uint32_t nbuckets)
{
	return (uint32_t)((uint64_t)hash * nbuckets >> 32);
}

/* Place in seg_control.owner[]. */
static inline unsigned
fdb_owner_bucket(uint32_t hash)
{
	return hash % SEG_OWNER_BUCKETS;
}

/* A live entry's part of its core's digest: whatever all cores must agree on, and nothing else. */
static inline uint64_t
fdb_digest(uint64_t key, uint64_t value, uint64_t stamp)
{
	uint64_t x = (key ^ 0x2545f4914f6cdd1dull) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 29 ^ (value & SEG_VALUE_SHARED)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 31 ^ stamp) * 0x94d049bb133111ebull;
	return x ^ x >> 30;
}

/* Ways of the bucket that hold the key, as bits. */
static inline unsigned
fdb_bucket_match(const struct seg_bucket *bucket, uint64_t key)
{
#if defined __AVX2__
	__m256i keys = _mm256_load_si256((const __m256i *)(const void *)bucket->key);
	return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(keys, _mm256_set1_epi64x((long long)key))));
#elif defined __SSE4_1__
	const __m128i *keys = (const __m128i *)(const void *)bucket->key;
	__m128i wanted = _mm_set1_epi64x((long long)key);
	__m128i low = _mm_cmpeq_epi64(_mm_load_si128(keys), wanted);
	__m128i high = _mm_cmpeq_epi64(_mm_load_si128(keys + 1), wanted);
	/* four lanes of 64 bits narrow to four of 32: one mask instead of two */
	return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_packs_epi32(low, high)));
#else
	return (unsigned)((bucket->key[0] == key) | (bucket->key[1] == key) << 1 | (bucket->key[2] == key) << 2 |
			  (bucket->key[3] == key) << 3);
#endif
}

/* The slot of a key that is not in its home bucket, or FDB_NONE. */
static inline uint32_t
fdb_find_beyond(const struct fdb *fdb, uint32_t home, uint64_t key)
{
	for (unsigned reach = (unsigned)(fdb->hot[home].value[0] >> SEG_VALUE_REACH_SHIFT); reach; reach--) {
		home = home + 1 == fdb->nbuckets ? 0 : home + 1;
		unsigned match = fdb_bucket_match(&fdb->hot[home], key);
		if (match) {
			return home * SEG_WAYS + (unsigned)__builtin_ctz(match);
		}
	}
	return FDB_NONE;
}

/* The slot of a key whose home bucket is known, or FDB_NONE. */
static inline uint32_t
fdb_find_at(const struct fdb *fdb, uint32_t home, uint64_t key)
{
	unsigned match = fdb_bucket_match(&fdb->hot[home], key);
	if (__builtin_expect(match != 0, 1)) {
		return home * SEG_WAYS + (unsigned)__builtin_ctz(match);
	}
	return fdb_find_beyond(fdb, home, key);
}

static inline uint32_t
fdb_find(const struct fdb *fdb, uint64_t key)
{
	return fdb_find_at(fdb, fdb_home(fdb_hash(key, fdb->seed), fdb->nbuckets), key);
}

/* The value of a key whose home bucket is known; SEG_VALUE_TOMB when it is not there. */
static inline uint64_t
fdb_value_of(const struct fdb *fdb, uint32_t home, uint64_t key)
{
	const struct seg_bucket *bucket = &fdb->hot[home];
	unsigned match = fdb_bucket_match(bucket, key);
	if (__builtin_expect(match != 0, 1)) {
		return bucket->value[__builtin_ctz(match)];
	}
	uint32_t slot = fdb_find_beyond(fdb, home, key);
	return slot == FDB_NONE ? SEG_VALUE_TOMB : fdb->hot[slot / SEG_WAYS].value[slot % SEG_WAYS];
}

static inline uint64_t *
fdb_key_at(const struct fdb *fdb, uint32_t slot)
{
	return &fdb->hot[slot / SEG_WAYS].key[slot % SEG_WAYS];
}

static inline uint64_t *
fdb_value_at(const struct fdb *fdb, uint32_t slot)
{
	return &fdb->hot[slot / SEG_WAYS].value[slot % SEG_WAYS];
}

static inline uint32_t
fdb_slots(const struct fdb *fdb)
{
	return fdb->nbuckets * SEG_WAYS;
}

/* Is an entry of that FID and value alive? Static ones outlive flushes. */
static inline bool
fdb_alive(const struct fdb *fdb, uint16_t fid, uint64_t value)
{
	uint32_t learned = SEG_VALUE_FLUSH(value);
	if (__builtin_expect(value & SEG_VALUE_TOMB, 0)) {
		return false;
	}
	if (__builtin_expect(learned == fdb->flush_seq, 1)) {
		return true;
	}
	return (value & SEG_VALUE_STATIC) || (learned >= fdb->flush_channel[SEG_VALUE_CHANNEL(value) % SEG_MAX_CHANNELS] &&
						     learned >= fdb->flush_fid[fid % SEG_MAX_FIDS]);
}

/* memory: zeroed, nbuckets > FDB_REACH buckets and four times as many cold entries. count is zeroed, too. */
void
fdb_init(struct fdb *fdb, struct seg_bucket *hot, struct seg_cold *cold, uint32_t nbuckets, uint64_t seed,
	struct seg_fdb_count *count);

/*
 * Puts a key that is not there (fdb_find() said so) into the table and returns its slot, FDB_NONE when there is no room.
 * Counts and digest follow, here and in the functions below.
 */
uint32_t
fdb_insert(struct fdb *fdb, uint64_t key, uint64_t value, const struct seg_cold *cold);

/* Gives an entry another value and stamp. Its USED flag becomes that of value. */
void
fdb_update(struct fdb *fdb, uint32_t slot, uint64_t value, uint64_t stamp);

/* Sets or clears the USED flag alone. */
static inline void
fdb_mark_used(struct fdb *fdb, uint32_t slot, bool used)
{
	uint64_t *value = fdb_value_at(fdb, slot);
	seg_put(value, used ? *value | SEG_VALUE_USED : *value & ~SEG_VALUE_USED);
}

/* Empties a slot. */
void
fdb_remove(struct fdb *fdb, uint32_t slot);

/* Takes up the control core's flush words, when there are new ones. True: there were; entries may have died. */
bool
fdb_flush_sync(struct fdb *fdb, const struct seg_control *control);

#endif
