/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of lib/nbr/cache*.c share; nobody else includes it. */
#ifndef PEKIT_NBR_CACHE_INT_H
#define PEKIT_NBR_CACHE_INT_H

#include "nbr/cache.h"

#define CACHE_GRACE 5 /* periods until a tombstone may go: lib/core/grace.h */

static inline struct seg_nbr *
cache_line(const struct nbr_cache *c, uint32_t slot)
{
	return &c->table.slot[slot];
}

static inline uint32_t
cache_slots(const struct nbr_cache *c)
{
	return c->table.mask + 1;
}

static inline bool
cache_in_use(const struct seg_nbr *line)
{
	return line->iface != 0 && line->iface != SEG_NBR_GONE;
}

/* Is it resolved, and not an operator's? */
static inline bool
cache_dynamic(uint64_t value)
{
	return nbr_usable(value) && SEG_NBR_STATE(value) != SEG_NBR_PERMANENT;
}

/* Does this core run the slot's machine? After cache_settle(). */
static inline bool
cache_mine(const struct nbr_cache *c, uint32_t slot)
{
	return c->private[slot].owner == c->self;
}

/* ---- cache.c ---- */

uint32_t
cache_cause(struct nbr_cache *c);

/* The version of this core's next announcement. */
uint64_t
cache_stamp(struct nbr_cache *c);

void
cache_send(const struct nbr_cache *c, const struct seg_msg *msg, struct nbr_out *out);

/* A message about a slot, as most are. */
struct seg_msg
cache_msg(const struct nbr_cache *c, enum seg_msg_kind kind, uint8_t to, uint32_t slot, uint32_t cause, uint64_t now);

void
cache_announce(const struct nbr_cache *c, uint32_t slot, uint8_t to, uint32_t cause, uint64_t now, struct nbr_out *out);

void
cache_request(struct nbr_cache *c, enum nbr_request_kind kind, uint32_t slot, uint64_t mac, struct nbr_out *out);

/* nbr_insert(), nbr_update() and nbr_remove() with what belongs to them. */
uint32_t
cache_insert(struct nbr_cache *c, const struct seg_nbr *entry);
void
cache_put(struct nbr_cache *c, uint32_t slot, const struct seg_nbr *entry);
void
cache_remove(struct nbr_cache *c, uint32_t slot);

/* Another state, all else as it was; it loses READY when it becomes STALE, so that its next use is noticed. */
void
cache_state(struct nbr_cache *c, uint32_t slot, enum seg_nbr_state state, uint64_t now);

/* Makes a slot a tombstone of that version; it holds until the grace periods have passed. given: it was an operator's entry. */
void
cache_bury(struct nbr_cache *c, uint32_t slot, uint64_t stamp, bool given, uint64_t now);

/* Says a deletion, whose version the slot holds. */
void
cache_tell_deleted(const struct nbr_cache *c, uint32_t slot, uint8_t to, uint32_t cause, uint64_t now, struct nbr_out *out);

/* Deletes an entry here and tells it to all. */
void
cache_delete(struct nbr_cache *c, uint32_t slot, uint32_t cause, uint64_t now, struct nbr_out *out);

/* An entry without an address goes; the tombstone whose place it took comes back while it is needed. */
void
cache_drop(struct nbr_cache *c, uint32_t slot, uint64_t now);

/* Gives a slot an address: value's MAC, ROUTER and state, in a version (0: a new one of this core's). What waited may go. */
void
cache_assign(struct nbr_cache *c, uint32_t slot, uint64_t value, uint64_t stamp, uint64_t now, struct nbr_out *out);

/* The neighbour has answered just now: REACHABLE. */
void
cache_confirmed(struct nbr_cache *c, uint32_t slot, uint64_t now);

/* Is there room for one more entry below the limit? */
bool
cache_has_room(const struct nbr_cache *c);

/* One that failed goes, else one of this core's that is STALE; false: none was found. */
bool
cache_make_room(struct nbr_cache *c, uint32_t cause, uint64_t now, struct nbr_out *out);

/* Begins a resolution of what is not there, a tombstone or FAILED. Returns the slot, NBR_NONE: refused. */
uint32_t
cache_resolve(struct nbr_cache *c, const struct nbr_key *key, uint32_t cause, uint64_t now, struct nbr_out *out);

/* The owner learns that an entry is in use: it is probed soon if it is STALE. */
void
cache_use(struct nbr_cache *c, uint32_t slot, uint64_t now);

/* INCOMPLETE becomes FAILED: told to all by its owner. */
void
cache_fail(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out);

/* INCOMPLETE: asks the wire when it is this core's, else its owner. */
void
cache_try(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out);

/* PROBE: asks the neighbour itself. */
void
cache_probe(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out);

/* ---- cache_time.c ---- */

/* When the timer of a slot goes off; 0: never. */
void
cache_arm(struct nbr_cache *c, uint32_t slot, uint64_t due);

/* The timer that an entry with an address has by its state; none where this core is not its owner. */
void
cache_rearm(struct nbr_cache *c, uint32_t slot, uint64_t now);

/* Looks who owns the slot now, and takes it over or gives it up when that has changed. True: it has. */
bool
cache_settle(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out);

/* Owes all others the request to say again what they announced. */
void
cache_ask_again(struct nbr_cache *c);

#endif
