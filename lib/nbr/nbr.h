/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The neighbour table of one core and family: protocol address and interface to link-layer address (struct seg_nbr).
 *
 * One line an entry, probed linearly from nbr_home(). An entry never moves, so that its slot number may stand in timers and
 * queues; a slot that becomes free in the middle of a run is SEG_NBR_GONE as long as a probe must pass it. At most half of the
 * slots are in use (conf_nbr_slots()).
 *
 * One thread, the core, calls everything here; others read through seg_read_nbr(). Memory is the caller's. Pure.
 */
#ifndef PEKIT_NBR_NBR_H
#define PEKIT_NBR_NBR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "shm/layout.h"

#define NBR_NONE UINT32_MAX

struct nbr_key {
	uint64_t address[2]; /* as in struct seg_nbr */
	uint32_t iface;      /* 1..SEG_MAX_IFACES-1 */
};

struct nbr {
	struct seg_nbr *slot;
	struct seg_nbr_count *count;
	uint64_t seed;
	uint32_t mask;  /* slots - 1 */
	uint32_t shift; /* 64 - log2(slots) */
	uint32_t used;  /* slots not empty, SEG_NBR_GONE included */
};

/* IPv4 address as a number, or the two halves of an IPv6 address, to a key. */
static inline struct nbr_key
nbr_key4(uint32_t address, uint32_t iface)
{
	return (struct nbr_key){.address = {0, address}, .iface = iface};
}

static inline struct nbr_key
nbr_key6(uint64_t high, uint64_t low, uint32_t iface)
{
	return (struct nbr_key){.address = {high, low}, .iface = iface};
}

static inline bool
nbr_key_same(const struct nbr_key *a, const struct nbr_key *b)
{
	return a->address[0] == b->address[0] && a->address[1] == b->address[1] && a->iface == b->iface;
}

/* A slot from its high bits (nbr_home), an owner from its low ones (nbr_owner_bucket), and the whole in messages. */
static inline uint64_t
nbr_hash(const struct nbr_key *key, uint64_t seed)
{
	uint64_t x = (key->address[0] ^ seed) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 32 ^ key->address[1] ^ (uint64_t)key->iface << 48) * (seed | 1);
	return x ^ x >> 29;
}

/* Place in seg_control.owner[] (IPv6). */
static inline unsigned
nbr_owner_bucket(uint64_t hash)
{
	return (unsigned)(hash % SEG_OWNER_BUCKETS);
}

/* A live entry's part of its core's digest: whatever all cores must agree on, and nothing else. value is masked here. */
static inline uint64_t
nbr_digest(const struct nbr_key *key, uint64_t value, uint64_t stamp)
{
	uint64_t permanent = SEG_NBR_STATE(value) == SEG_NBR_PERMANENT;
	uint64_t x = (key->address[0] ^ 0x2545f4914f6cdd1dull) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 29 ^ key->address[1] ^ (uint64_t)key->iface << 40) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 31 ^ (value & SEG_NBR_SHARED) ^ permanent) * 0x94d049bb133111ebull;
	x = (x ^ x >> 30 ^ stamp) * 0x9e3779b97f4a7c15ull;
	return x ^ x >> 32;
}

static inline uint32_t
nbr_home(const struct nbr *nbr, uint64_t hash)
{
	return (uint32_t)(hash >> nbr->shift);
}

/* Asks for the line that a lookup will begin with. */
static inline void
nbr_prefetch(const struct nbr *nbr, const struct nbr_key *key)
{
	__builtin_prefetch(&nbr->slot[nbr_home(nbr, nbr_hash(key, nbr->seed))]);
}

/* The slot of a key whose home is known, tombstones included, or NBR_NONE. */
static inline uint32_t
nbr_find_at(const struct nbr *nbr, uint32_t home, const struct nbr_key *key)
{
	for (uint32_t at = home;; at = (at + 1) & nbr->mask) {
		const struct seg_nbr *slot = &nbr->slot[at];
		if (slot->iface == key->iface && slot->address[1] == key->address[1] && slot->address[0] == key->address[0]) {
			return at;
		}
		if (slot->iface == 0) {
			return NBR_NONE;
		}
	}
}

static inline uint32_t
nbr_find(const struct nbr *nbr, const struct nbr_key *key)
{
	return nbr_find_at(nbr, nbr_home(nbr, nbr_hash(key, nbr->seed)), key);
}

static inline struct nbr_key
nbr_key_at(const struct nbr *nbr, uint32_t slot)
{
	const struct seg_nbr *s = &nbr->slot[slot];
	return (struct nbr_key){.address = {s->address[0], s->address[1]}, .iface = s->iface};
}

/* Does the entry hold a link-layer address that packets may go to? STALE, DELAY and PROBE do (RFC 4861 7.3.3). */
static inline bool
nbr_usable(uint64_t value)
{
	unsigned state = SEG_NBR_STATE(value);
	return !(value & SEG_NBR_TOMB) && state != SEG_NBR_INCOMPLETE && state != SEG_NBR_FAILED && state != SEG_NBR_NONE;
}

/* memory: zeroed; slots a power of two, 16..2^24. */
void
nbr_init(struct nbr *nbr, struct seg_nbr *memory, uint32_t slots, uint64_t seed, struct seg_nbr_count *count);

/* Slots that hold something, tombstones included. */
static inline uint64_t
nbr_taken(const struct nbr *nbr)
{
	const struct seg_nbr_count *count = nbr->count;
	return count->entries + count->incomplete + count->failed + count->tombs;
}

/*
 * Puts a key that is not there into the table: its slot, NBR_NONE when three quarters of the slots are taken (or seven eighths,
 * with those that a probe must pass). entry->iface and address are the key's; entry->seq is ignored. Counts and digest follow,
 * here and below.
 */
uint32_t
nbr_insert(struct nbr *nbr, const struct seg_nbr *entry);

/* Gives an entry another value, stamp and times (entry's address and iface must be the slot's). */
void
nbr_update(struct nbr *nbr, uint32_t slot, const struct seg_nbr *entry);

/* Sets or clears SEG_NBR_READY alone; cheap, no sequence: a reader does not mind. */
static inline void
nbr_set_ready(struct nbr *nbr, uint32_t slot, bool ready)
{
	uint64_t *value = &nbr->slot[slot].value;
	seg_put(value, ready ? *value | SEG_NBR_READY : *value & ~(uint64_t)SEG_NBR_READY);
}

/* Empties a slot. */
void
nbr_remove(struct nbr *nbr, uint32_t slot);

/* struct ip to the two words of an address, and back. */
void
nbr_words(const struct ip *ip, uint64_t words[static 2]);
void
nbr_ip(unsigned family, const uint64_t words[static 2], struct ip *ip);

#endif
