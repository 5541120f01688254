/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of fib.c (which routes there are), fib_copy.c (the two compiled copies) and fib_hop.c (numbers of hops). Control core.
 */
#ifndef PEKIT_PE_FIB_INT_H
#define PEKIT_PE_FIB_INT_H

#include "engine.h"
#include "fib.h"

/* One prefix of a change: what stood there and what stands there now; of kind SEG_ROUTE_NONE: nothing. */
struct fib_step {
	struct seg_route before, after;
};

struct fib_steps {
	size_t n, room;
	struct fib_step *step;
};

/* What a copy of one family was made for; it is made anew when more is needed. */
struct fib_size {
	uint32_t routes, groups; /* of 256 entries ("tbl8"): for what is longer than 24 bits */
};

struct fib_copy {
	struct fib_size size[SEG_FAMILIES];
	uint64_t bytes[SEG_FAMILIES];
	bool stale[SEG_FAMILIES]; /* does not hold what the table says: to be made anew before it is used */
	uint32_t refs[SEG_FAMILIES][FIB_HOPS];
};

struct fib_hops {
	uint32_t used; /* numbers ever given out; 0 is FIB_HOP_NONE */
	uint16_t free; /* first of a list through next[], 0: none */
	uint16_t next[FIB_HOPS];
	uint16_t head[FIB_HOPS]; /* by hash */
	struct fib_hop hop[FIB_HOPS];
};

struct routes {
	struct engine *engine;
	struct route_table table;
	struct seg_route *base; /* what the configuration and the addresses want, by prefix */
	size_t nbase;
	char iface[SEG_MAX_IFACES][SEG_NAME_SIZE]; /* names as of the last configuration: a number may come to mean another one */
	struct fib fib[2];
	struct fib_copy copy[2];
	unsigned active;          /* the copy that engine->fib names */
	struct fib_steps pending; /* what the other one lacks as long as a core may still read it */
	bool behind;              /* there is such a core */
	bool again;               /* a configuration could not be taken up for that */
	struct engine_marks marks;
	struct fib_hops hops;
	unsigned serial; /* for DPDK's names */
};

/* ---- fib_hop.c ---- */

/* The number of a route's hop, a new one if need be; FIB_HOP_NONE: all are taken. */
uint16_t
fib_hop_get(struct fib_hops *hops, const struct seg_route *route);

/* The number that it has; it must have one. */
uint16_t
fib_hop_find(const struct fib_hops *hops, const struct seg_route *route);

/* Nobody uses it any more. */
void
fib_hop_free(struct fib_hops *hops, uint16_t hop);

/* ---- fib_copy.c ---- */

/*
 * Brings copy c, which nobody reads, to what the table says: by these steps if it can, else it is made anew, larger. On failure
 * it is stale, and *err says what is lacking.
 */
enum err_code
fib_copy_follow(struct routes *r, unsigned c, const struct fib_steps *steps, struct err *err);

void
fib_copy_free(struct routes *r, unsigned c, unsigned family);

#endif
