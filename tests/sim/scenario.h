/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the simulator plays. Each makes its world from seed and number of cores; false: world.why says what did not hold. */
#ifndef PEKIT_SIM_SCENARIO_H
#define PEKIT_SIM_SCENARIO_H

#include <stddef.h>

#include "world.h"

struct scenario {
	const char *name, *text;
	/* note: what is worth knowing of a good run */
	bool (*run)(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size);
};

/* equal.c: whatever happened, after quiet the tables agree */
extern const struct scenario scenario_churn, scenario_full_table, scenario_stall;

/* counts.c: what it costs in messages */
extern const struct scenario scenario_new_mac, scenario_talk, scenario_flush, scenario_moves;

/* limits.c: who stays and who goes */
extern const struct scenario scenario_ageing, scenario_flood, scenario_quota;

/* nbr_equal.c: the same for neighbours, and nothing is lost */
extern const struct scenario scenario_nbr_churn, scenario_nbr_full, scenario_nbr_takeover;

/* nbr_counts.c: what they cost */
extern const struct scenario scenario_nbr_ask, scenario_nbr_use;

/* nbr_limits.c: what somebody who asks for everything can do */
extern const struct scenario scenario_nbr_guard;

/* Two cores and more, 16 slots a ring, everything quick: what a scenario changes, it changes in this. */
struct shape
scenario_shape(unsigned ncores);

/* The same with neighbours, on all interfaces, of whom every one answers. */
struct shape
scenario_nbr_shape(unsigned ncores);

/* All cores need hosts first..first+n-1 of both families, until those that answer are everywhere. */
bool
scenario_nbr_resolve(struct world *w, uint32_t first, uint32_t n);

/* The key of host n of a FID. */
uint64_t
scenario_key(uint64_t host, uint16_t fid);

/* Is the key at this channel (0: not there) on every core? */
bool
scenario_everywhere(struct world *w, uint64_t key, uint16_t channel);

uint64_t
scenario_sum(const struct world *w, size_t counter_offset);

#define SUM(w, counter) scenario_sum((w), offsetof(struct seg_fdb_count, counter))

#endif
