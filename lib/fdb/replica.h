/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A core's replica of the bridge table, kept equal to those of the other cores with few messages.
 *
 * Each core calls its own replica with what happened and the time; what the others must hear comes back as a list of messages
 * (struct replica_out), which the caller puts on its rings. Pure: `pe`, the simulator and the unit tests drive the same code.
 *
 * What makes the replicas equal
 *  - Every announcement (an addition, a move, a deletion) has a version: the flush sequence its maker knew, then its stamp (a
 *    Lamport clock, then the core). Of all announcements of a key the highest version wins on every core, in whatever order they
 * arrive.
 *  - A deletion, and an announcement that a flush has killed, stays as a tombstone until grace periods say that no older
 * announcement can be under way (lib/core/grace.h).
 *  - A full ring costs no announcement: the core remembers that it owes that receiver a resynchronisation and goes over
 *    its own announcements, a few at a time, as the ring has room. The requests that follow below may be lost and are made again.
 *  - A core whose table has no room for an announcement floods for it, and asks all others for a resynchronisation when it has
 * room.
 *  - What the operator gave stands: its owner announces it anew when a core that had not heard of it learned otherwise.
 *
 * What saves messages
 *  - Only a new entry or a move is announced, to the N-1 others, and a move at most once an entry and REPLICA_MOVE_NS.
 *  - That an entry is in use is told to its owner only, REPLICA_BATCH keys a message, at most once an entry and sweep.
 *  - Only the owner ages an entry and evicts for a limit; deletions travel REPLICA_BATCH keys a message.
 *  - A flush costs none: the control core's flush words are read by all.
 */
#ifndef PEKIT_FDB_REPLICA_H
#define PEKIT_FDB_REPLICA_H

#include "fdb/fdb.h"

#define REPLICA_ALL 255              /* seg_msg.to: all other data cores */
#define REPLICA_BATCH 3              /* keys a message; word[3] holds the flush sequence */
#define REPLICA_MOVE_NS 100000000ull /* an entry moves at most once in this time */
#define REPLICA_LEARN_PER_MS 256     /* new entries a core may learn at most; what comes faster is flooded and learned later */
#define REPLICA_MAX_SWEEP_NS 30000000000ull
#define REPLICA_OUT 64 /* messages that a list holds; every call below adds at most REPLICA_OUT_CALL */
#define REPLICA_OUT_CALL 8

#define FDB_FLUSH_STATIC 1u /* SEG_MSG_FDB_FLUSH word[2]: static entries, too */

struct replica_out {
	unsigned n;
	struct seg_msg msg[REPLICA_OUT]; /* seq is the caller's to fill in */
};

struct replica {
	struct fdb fdb;
	const struct seg_control *control;
	uint8_t self; /* this core, 1.. */
	uint8_t ncores;
	uint64_t limit;                       /* entries in the table */
	uint32_t mac_limit[SEG_MAX_CHANNELS]; /* dynamic entries a channel; 0: no limit */
	/* private */
	uint64_t clock; /* Lamport */
	uint32_t causes;
	uint32_t learn_budget;
	uint64_t tick_ns;
	uint64_t sweep_from_ns; /* when the running sweep began */
	uint32_t sweep_slot;
	uint32_t sweep_cause;
	uint32_t clean_slot; /* of the pass that turns the dead into tombstones and removes old ones */
	bool cleaning;
	uint32_t clean_flush; /* the flush sequence that the pass was begun under */
	uint64_t clean_grace;
	uint32_t chance; /* a sequence of random numbers */
	uint64_t trim_period;
	uint64_t trim_entries; /* counts at its begin */
	uint32_t trim_seen[SEG_MAX_CHANNELS];
	uint32_t owner_epoch;
	uint64_t mercy_ns; /* after a standstill or a change of owners: nothing ages until then */
	bool missing;      /* announcements found no room in the table; the newest deletion among them: */
	uint32_t missed_flush;
	uint64_t missed_stamp;
	uint64_t missed_grace; /* the grace period of the last one */
	uint64_t ask_ns, ask_wait_ns;
	unsigned owing; /* receivers that are owed something */
	struct replica_debt {
		bool owed;  /* a resynchronisation, or ask */
		bool again; /* from the start, once more */
		bool ask;   /* the request to resynchronise this core */
		uint32_t slot;
	} debt[SEG_MAX_NODES];
	struct seg_msg used[SEG_MAX_NODES]; /* use hints being gathered, by owner */
	struct seg_msg gone;                /* deletions being gathered */
};

/* The table's memory as in fdb_init(). */
void
replica_init(struct replica *r, const struct seg_control *control, uint8_t self, uint8_t ncores, uint64_t limit, uint64_t now);

static inline unsigned
replica_owner(const struct replica *r, uint64_t key)
{
	return seg_get(&r->control->owner[fdb_owner_bucket(fdb_hash(key, r->fdb.seed))]);
}

/*
 * A frame came from key at channel, and the table does not say so already: no entry, a dead one, or another channel. Slots found
 * before may have moved afterwards.
 */
void
replica_learn(struct replica *r, uint64_t key, uint16_t channel, uint64_t now, struct replica_out *out);

/* A message arrived, SEG_MSG_FDB_*. To be taken from the ring only after this returned. */
void
replica_receive(struct replica *r, const struct seg_msg *msg, uint64_t now, struct replica_out *out);

/* The ring to a core was full, and an ADD or DEL did not get in. */
void
replica_ring_full(struct replica *r, uint8_t to);

/*
 * Time passes: flush words, ageing, clean-up, in small portions. To be called about every millisecond with work or without, and
 * after engine-wide changes; a core that blocks may call it at replica_next().
 */
void
replica_tick(struct replica *r, uint64_t now, struct replica_out *out);

/* When replica_tick() must run at the latest although nothing happens. */
uint64_t
replica_next(const struct replica *r, uint64_t now);

/* Pays of what is owed to a receiver: at most `room` (<= REPLICA_OUT) messages into out, which must be empty. */
void
replica_resync(struct replica *r, uint8_t to, unsigned room, uint64_t now, struct replica_out *out);

#endif
