/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of lib/fdb/replica*.c share; nobody else includes it. */
#ifndef PEKIT_FDB_REPLICA_INT_H
#define PEKIT_FDB_REPLICA_INT_H

#include "fdb/replica.h"

#define REPLICA_TICK_NS 1000000ull
#define REPLICA_GRACE 5 /* periods until a tombstone may go: lib/core/grace.h */
#define REPLICA_TRIM_NS 100000000ull
#define REPLICA_PINNED (SEG_VALUE_STATIC | SEG_VALUE_STICKY)

/* An insertion moves others forward only; from the last buckets they may go round the end into these slots, and slip past a
 * cursor. */
#define ROUND_THE_END (FDB_REACH * SEG_WAYS)

uint32_t
replica_cause(struct replica *r);

void
replica_put(struct replica_out *out, const struct seg_msg *msg);

static inline bool
replica_out_full(const struct replica_out *out)
{
	return out->n + REPLICA_OUT_CALL > REPLICA_OUT;
}

/* Makes the slot a tombstone of the given version; it holds until the grace periods have passed. */
void
replica_bury(struct replica *r, uint32_t slot, uint32_t flush, uint64_t stamp);

/* Deletes an entry here and gathers the deletion for the others; replica_send_gone() sends what was gathered. */
void
replica_delete(struct replica *r, uint32_t slot, uint32_t cause, uint64_t now, struct replica_out *out);

void
replica_send_gone(struct replica *r, struct replica_out *out);

/* Owes all others the request to say again what they announced. */
void
replica_ask_again(struct replica *r);

/* New entries this core may learn in a ms: all cores together no more than a sixteenth of the table, or counts lag far behind. */
static inline uint32_t
replica_learn_budget(const struct replica *r)
{
	uint32_t share = fdb_slots(&r->fdb) / 16 / r->ncores;
	return share > REPLICA_LEARN_PER_MS ? REPLICA_LEARN_PER_MS : share ? share : 1;
}

/* May a core learn a new address of this channel? Not when it would only take the place of another of the same channel, and
 * tombstones of those before fill much of the table: a flood goes no faster than the grace periods. */
bool
replica_may_learn(const struct replica *r, uint16_t channel);

/*
 * The owner of a new dynamic entry (in slot; FDB_NONE: it found no room here, but others have it) sees to it that one entry
 * leaves when there are too many.
 */
void
replica_enforce(
	struct replica *r, uint64_t key, uint64_t value, uint32_t slot, uint32_t cause, uint64_t now, struct replica_out *out);

#endif
