/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The message ring between two cores (struct seg_ring): one sender, one receiver, no locks, never blocks.
 *
 * Sender and receiver each keep a private end with a copy of the other's index, so that in the common case neither reads a line
 * that the other writes.
 */
#ifndef PEKIT_SHM_RING_H
#define PEKIT_SHM_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

struct ring_sender {
	struct seg_ring *ring;
	uint64_t head, tail_seen;
	uint32_t mask;
};

struct ring_receiver {
	struct seg_ring *ring;
	uint64_t tail, head_seen;
	uint32_t mask;
};

/* Both ends: acquire, since the other one may be at work already. */
static inline struct ring_sender
ring_sender(struct seg_ring *ring, uint32_t slots)
{
	return (struct ring_sender){
		.ring = ring, .head = seg_get(&ring->head), .tail_seen = seg_get_acquire(&ring->tail), .mask = slots - 1};
}

static inline struct ring_receiver
ring_receiver(struct seg_ring *ring, uint32_t slots)
{
	return (struct ring_receiver){
		.ring = ring, .tail = seg_get(&ring->tail), .head_seen = seg_get_acquire(&ring->head), .mask = slots - 1};
}

/* Messages that fit now. */
static inline uint32_t
ring_room(struct ring_sender *s)
{
	if (s->head - s->tail_seen > s->mask) {
		/* acquire: the receiver has finished reading a slot before it gave it back */
		s->tail_seen = seg_get_acquire(&s->ring->tail);
	}
	return (uint32_t)(s->mask + 1 - (s->head - s->tail_seen));
}

/* Messages that fit without the last quarter. What is repeated takes no more, lest what is new never finds room. */
static inline uint32_t
ring_room_to_repeat(struct ring_sender *s)
{
	s->tail_seen = seg_get_acquire(&s->ring->tail); /* as in ring_room() */
	uint32_t room = ring_room(s), kept = (s->mask + 1) / 4;
	return room > kept ? room - kept : 0;
}

/* False when it is full. */
static inline bool
ring_push(struct ring_sender *s, const struct seg_msg *msg)
{
	if (ring_room(s) == 0) {
		return false;
	}
	s->ring->slot[s->head & s->mask] = *msg;
	s->head++;
	/* release: the slot is whole before the receiver sees the index */
	seg_put_release(&s->ring->head, s->head);
	return true;
}

/* Messages that wait, as known now. */
static inline uint64_t
ring_waiting(struct ring_receiver *r)
{
	if (r->tail == r->head_seen) {
		r->head_seen = seg_get_acquire(&r->ring->head); /* pairs with the release in ring_push() */
	}
	return r->head_seen - r->tail;
}

/* The oldest message, or NULL. It stays in the ring until ring_pop(), which is called after it was applied: an index that has
 * passed a message says that its effect is in the receiver's table. */
static inline const struct seg_msg *
ring_peek(struct ring_receiver *r)
{
	return ring_waiting(r) ? &r->ring->slot[r->tail & r->mask] : NULL;
}

static inline void
ring_pop(struct ring_receiver *r)
{
	r->tail++;
	/* release: what the message did is visible to whoever sees the index, and the slot may be written again */
	seg_put_release(&r->ring->tail, r->tail);
}

#endif
