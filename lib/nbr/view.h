/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The neighbour tables of all cores as one: by key, the version that wins, the cores that hold it, and the state that its owner
 * has it in. For tools, which read the cores' tables one after the other while they change; nothing on the packet path uses it.
 * Pure; memory from malloc.
 *
 * INCOMPLETE and FAILED are a core's own: never announced, and no difference between cores.
 */
#ifndef PEKIT_NBR_VIEW_H
#define PEKIT_NBR_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ds/index.h"
#include "nbr/nbr.h"

struct nbr_view_row {
	struct nbr_key key;
	uint64_t value, stamp; /* of the version that wins; stamp 0: no core has heard of one, it is asked for or has failed */
	uint64_t confirmed_ns, used_ns, changed_ns; /* as the owner has them, else the newest; 0: not known */
	uint64_t same;                              /* cores that hold this version: bit n-1 is core n */
	uint64_t other;                             /* cores that hold a link-layer address of another version */
	uint64_t local;                             /* cores that have it INCOMPLETE or FAILED */
	uint8_t owner;
	uint8_t state;       /* enum seg_nbr_state: the owner's, else what another core holds */
	uint8_t local_state; /* likewise among `local`; SEG_NBR_NONE: none */
	bool from_owner, local_from_owner;
	bool live;  /* the version has a link-layer address */
	bool clash; /* one version with two values */
};

struct nbr_view {
	struct nbr_view_row *row;
	size_t n, room;
	struct index index;
};

/* False: no memory (then, and after nbr_view_free(), the view is empty). */
bool
nbr_view_init(struct nbr_view *view, size_t expected);

void
nbr_view_free(struct nbr_view *view);

/*
 * What one core (1..SEG_MAX_CORES) holds of a key whose owner is `owner`; entry as seg_read_nbr() gave it. What that core gave
 * before of this key is superseded. False: no memory.
 */
bool
nbr_view_add(struct nbr_view *view, const struct seg_nbr *entry, unsigned core, unsigned owner);

/* Row of a key, or NULL. */
struct nbr_view_row *
nbr_view_find(const struct nbr_view *view, const struct nbr_key *key);

/* Do all cores of the set agree on this key? `all` as in nbr_view_row.same. */
bool
nbr_view_agrees(const struct nbr_view_row *row, uint64_t all);

/* Is there something to show: an address, or somebody who asks for one? */
static inline bool
nbr_view_shown(const struct nbr_view_row *row)
{
	return row->live || row->local != 0;
}

/* The state to show, and the cores that are in it. */
static inline unsigned
nbr_view_state(const struct nbr_view_row *row)
{
	return row->live ? row->state : row->local_state;
}

static inline uint64_t
nbr_view_cores(const struct nbr_view_row *row)
{
	return row->live ? row->same : row->local;
}

#endif
