/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which unicast addresses a port's device is to let in, beside its own, when it cannot be told to let all in. Pure.
 *
 * A virtual function has a small table of them. What does not fit is left out by rank: addresses of ours, then stations that the
 * operator gave, then those that were learned, the most recently used first. A station that is in the table stays before another
 * one that was used a little later, so that many busy stations do not drive each other out in turns.
 */
#ifndef PEKIT_BRIDGE_FILTER_H
#define PEKIT_BRIDGE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_MAX 1024               /* addresses of one device at most */
#define FILTER_STAY_NS 10000000000ull /* a newcomer must have been used so much later */

enum filter_rank {
	FILTER_OWN,
	FILTER_STATIC,
	FILTER_LEARNED,
	FILTER_KEPT, /* in the table, and known a short while ago: nothing but room is wanted of it */
};

struct filter_want {
	uint64_t mac;
	uint64_t used_ns;
	enum filter_rank rank;
};

/* What is wanted, gathered one by one; more than FILTER_MAX are counted, and the best of them kept. */
struct filter_list {
	size_t n;
	size_t dropped; /* of lower rank or older than all that are kept */
	struct filter_want want[2 * FILTER_MAX];
};

/* Deletions are to be done first, and additions in this order. */
struct filter_steps {
	unsigned ndel, nadd;
	uint64_t del[FILTER_MAX], add[FILTER_MAX];
};

static inline void
filter_list_clear(struct filter_list *list)
{
	list->n = list->dropped = 0;
}

/* The same address may be added several times (one station in several VLANs): the best counts. Group addresses and 0 are not
 * taken. */
void
filter_list_add(struct filter_list *list, uint64_t mac, enum filter_rank rank, uint64_t used_ns);

/*
 * From what the device has to what it should have, when it takes `capacity` addresses. The list is put into order. Returns how
 * many addresses are wanted, those without room included and those that are merely kept not.
 */
size_t
filter_decide(struct filter_list *list, const uint64_t *have, unsigned nhave, unsigned capacity, struct filter_steps *steps);

#endif
