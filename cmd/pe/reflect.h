/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC that gives a virtual function its own broadcasts and multicasts back: QEMU's 82576 does. To a bridge that looks as if the
 * senders had moved behind this port, so such frames are known again by their first bytes and their size, and dropped.
 *
 * To drop a frame that somebody sent would be worse than to take one twice. So only devices of this kind are looked at, and they
 * must show that they do it: one that has not given back REFLECT_PROOF of the first REFLECT_TRIES frames since it was started is
 * watched no more. What comes later than REFLECT_LIFE_MS is no reflection, but say a host's that asks again (ARP: after 1 s).
 *
 * Data cores, several at a time: a lost word means that one frame is not recognised.
 */
#ifndef PEKIT_PE_REFLECT_H
#define PEKIT_PE_REFLECT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "shm/layout.h"

#define REFLECT_TRIES 64
#define REFLECT_PROOF 8
#define REFLECT_SLOTS 1024
#define REFLECT_WORDS 12 /* of eight bytes, by which a frame is known again */
#define REFLECT_PADDED 60
#define REFLECT_LIFE_MS 300u

struct reflect {
	uint32_t sent, seen;
	uint64_t slot[REFLECT_SLOTS]; /* hash << 32 | time; 0: none */
};

static inline void
reflect_begin(struct reflect *r)
{
	memset(r, 0, sizeof(*r));
}

static inline bool
reflect_watched(const struct reflect *r)
{
	return seg_get(&r->sent) < REFLECT_TRIES || seg_get(&r->seen) >= REFLECT_PROOF;
}

/* A short frame comes back with padding, thus what is missing counts as zero. */
static inline uint64_t
reflect_hash(const uint8_t *data, uint32_t size)
{
	uint64_t word[REFLECT_WORDS] = {0}, x = size > REFLECT_PADDED ? size : REFLECT_PADDED;
	memcpy(word, data, size < sizeof(word) ? size : sizeof(word));
	for (unsigned i = 0; i < REFLECT_WORDS; i++) {
		x = (x ^ word[i]) * 0x9e3779b97f4a7c15ull;
		x ^= x >> 29;
	}
	return x;
}

/* A frame for a group leaves. */
static inline void
reflect_sent(struct reflect *r, const uint8_t *data, uint32_t size, uint64_t now_ns)
{
	uint64_t hash = reflect_hash(data, size);
	uint32_t ms = (uint32_t)(now_ns / 1000000) | 1;
	seg_add(&r->sent, 1);
	seg_put(&r->slot[hash % REFLECT_SLOTS], (hash & ~0xffffffffull) | ms);
}

/* A frame for a group comes in: is it one of those? It is told only once. */
static inline bool
reflect_is(struct reflect *r, const uint8_t *data, uint32_t size, uint64_t now_ns)
{
	uint64_t hash = reflect_hash(data, size), word = seg_get(&r->slot[hash % REFLECT_SLOTS]);
	uint32_t ms = (uint32_t)(now_ns / 1000000);
	if (word == 0 || word >> 32 != hash >> 32 || (int32_t)(ms - (uint32_t)word) > (int32_t)REFLECT_LIFE_MS) {
		return false;
	}
	seg_put(&r->slot[hash % REFLECT_SLOTS], 0);
	seg_add(&r->seen, 1);
	return true;
}

#endif
