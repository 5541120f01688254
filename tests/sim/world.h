/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A world of data cores and a control core that run lib/fdb/replica.c, lib/nbr (see lan.h), lib/core/grace.c and lib/core/roles.c
 * over lib/shm/ring.h, in one thread and virtual time.
 *
 * A core's loop is cut into the phases of pe's (frames, messages, resynchronisation, end of the loop, tick; what a phase decided
 * is pushed in a phase of its own), and between two phases any other core may run. How long a phase takes is drawn from the seed.
 */
#ifndef PEKIT_SIM_WORLD_H
#define PEKIT_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/grace.h"
#include "core/roles.h"
#include "fdb/replica.h"
#include "nbr/cache.h"
#include "shm/ring.h"

#define US 1000ul
#define MS 1000000ul
#define SEC 1000000000ul

#define FRAMES 1024 /* that wait for a core; the rest is lost */

struct frame {
	uint64_t key;
	uint16_t channel;
};

struct nbr_core;
struct lan;

struct core {
	struct replica r;
	struct nbr_core *nbr; /* NULL: the world has no neighbours */
	struct seg_core *seg;
	struct ring_sender to[SEG_MAX_NODES];
	struct ring_receiver from[SEG_MAX_NODES];
	struct replica_out out;
	unsigned phase;
	uint64_t next_ns;    /* when its next phase runs */
	uint64_t stalled_ns; /* until when it does nothing */
	uint64_t beat_ns;    /* when it last did something */
	uint64_t tick_ns;
	uint64_t bell; /* bit n: look at the rings of cores n and n + 64 */
	struct frame frame[FRAMES];
	unsigned nframes;
};

/* Messages that were pushed, by kind, and records of use hints. */
struct tally {
	uint64_t kind[SEG_MSG_KINDS];
	uint64_t keys[SEG_MSG_KINDS];
	uint64_t full; /* that found a full ring */
};

struct shape {
	unsigned ncores;
	uint32_t ring_slots;
	uint32_t nbuckets;
	uint64_t limit;
	uint64_t ageing_ns;
	uint64_t slowest_ns; /* the longest that a phase of a loop takes */
	uint64_t pause_ns;   /* between two loops */
	uint64_t look_ns;    /* the longest between two looks of the control core at the grace period */
	unsigned deaf;       /* of 100 looks at a ring, how many see nothing */
	uint64_t silent_ns;  /* a core that does nothing for so long is taken out; 0: never */
	/* neighbours (lan.h) */
	uint32_t nbr_slots; /* 0: there are none */
	uint64_t nbr_limit;
	struct nbr_params nbr;
	unsigned nhosts;    /* of a family, that there are; any others are silent */
	uint64_t answer_ns; /* the longest until a host answers */
	unsigned astray;    /* of 100 frames, how many come to just any core */
};

struct world {
	struct shape shape;
	uint64_t now, rng, seed;
	struct seg_control *control;
	struct grace grace;
	struct roles roles;
	uint64_t control_next_ns;
	struct ring_sender control_to[SEG_MAX_NODES];
	struct core *core; /* [1..ncores] */
	struct lan *lan;   /* NULL: no neighbours */
	struct tally tally;
	uint64_t lost_frames;
	void *memory[SEG_MAX_NODES * 12];
	unsigned nmemory;
	char why[256]; /* what did not hold, empty: all did */
	bool broken;   /* what must hold at any time did not: nothing goes on */
};

void
world_init(struct world *w, const struct shape *shape, uint64_t seed);

void
world_free(struct world *w);

/* Zeroed; freed with the world. */
void *
world_memory(struct world *w, size_t size);

/* 0 <= number < n */
uint64_t
world_random(struct world *w, uint64_t n);

/* Runs everybody until that time. */
void
world_run(struct world *w, uint64_t until_ns);

/* A frame for a core; it sees it in its next loop. */
void
world_frame(struct world *w, unsigned core, uint64_t key, uint16_t channel);

/* The control core's part: flush words, and requests to a core (0: to all). Runs the world while a ring is full. */
void
world_flush(struct world *w, uint16_t channel, uint16_t fid);

void
world_request(struct world *w, unsigned core, const struct seg_msg *msg);

unsigned
world_owner(const struct world *w, uint64_t key);

/* The operator takes a core out, or puts it in again. */
void
world_drain(struct world *w, unsigned core, bool drain);

/* Puts what a core wants to send on its rings. */
void
world_push(struct world *w, struct core *core);

/* Runs until nothing is under way, no tombstone is left, and every table is clean; false and `why` when that does not come about.
 */
bool
world_settle(struct world *w, uint64_t most_ns);

/* Do all tables agree, entry by entry and by digest, and is what each counts what it holds? */
bool
world_agree(struct world *w);

/* Notes the first thing that did not hold; returns false. */
bool
world_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for what must hold at any time; the world stands still from then on. */
bool
world_break(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Is the entry alive on that core, and where? 0: it is not. */
uint16_t
world_channel(const struct world *w, unsigned core, uint64_t key);

#endif
