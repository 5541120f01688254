/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For the verify verbs: have all cores applied what they told each other? Cores that were taken out are not asked
 * (struct source.cores).
 */
#ifndef PEKIT_CLI_SETTLE_H
#define PEKIT_CLI_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/source.h"

/* Nothing is in any ring, and no core owes another a resynchronisation. */
bool
settle_quiet(const struct source *source);

/* Milliseconds of CLOCK_MONOTONIC, for deadlines. */
uint64_t
settle_now_ms(void);

/* Waits until whatever any core had decided by now has been applied by all. ERR_TIMEOUT names the core that holds it up. */
enum err_code
settle_wait(struct cli *cli, const struct source *source, uint64_t deadline_ms, struct err *err);

/* Begins with 0 in *at. The next message that a dead engine left in a ring between data cores; false: no more. from and to of
 * the copy are the ring's. */
struct settle_at {
	unsigned from, to;
	uint64_t next;
};
bool
settle_left(const struct source *source, struct settle_at *at, struct seg_msg *msg);

/* Did it end before a resynchronisation was done? */
bool
settle_owed(const struct source *source);

#endif
