/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who does what: the master core, the owners of buckets, the cores that frames are spread over and the queues they poll, when
 * cores leave and come back.
 *
 * Every bucket and queue has a home core. While that serves, it is its; else it goes to those that serve, in turn. So a loss
 * moves nothing but what the lost core had, and its return brings back just that. Pure; the control core runs it and publishes
 * what comes out (seg_control), the simulator runs the same.
 */
#ifndef PEKIT_CORE_ROLES_H
#define PEKIT_CORE_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

struct roles {
	uint8_t ncores;
	bool drained[SEG_MAX_NODES]; /* by the operator */
	bool lost[SEG_MAX_NODES];    /* fell silent */
	uint8_t master, backup;      /* the lowest serving core, and the next one; backup 0: none */
	uint8_t owner[SEG_OWNER_BUCKETS];
	uint8_t spread[SEG_OWNER_BUCKETS];
};

void
roles_init(struct roles *roles, uint8_t ncores);

enum seg_role
roles_of(const struct roles *roles, unsigned core);

/* How many serve. */
unsigned
roles_serving(const struct roles *roles);

/*
 * Works out everything anew from drained and lost. When no core would serve, the lost ones that are not drained count as if
 * they did: somebody must have the roles, and they get them when they return.
 */
void
roles_assign(struct roles *roles);

/* The core that polls a queue whose home that is: if it does not serve, the one that polls least. polled: queues of each core,
 * counted here. */
uint8_t
roles_poller(const struct roles *roles, uint8_t home, unsigned polled[static SEG_MAX_NODES]);

/* Writes them to the words that all cores read, and raises owner_epoch. The segment's one writer of these. */
void
roles_publish(const struct roles *roles, struct seg_control *control);

#endif
