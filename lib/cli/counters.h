/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the stats verbs: counters of the cores, core by core and over all. */
#ifndef PEKIT_CLI_COUNTERS_H
#define PEKIT_CLI_COUNTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "shm/seg.h"

#define COUNTERS_MAX 40

struct counter {
	const char *key;
	size_t offset; /* in struct seg_core, of a uint64_t */
	bool sum;      /* over the cores it adds up; else all cores hold the same, and the most is taken */
};

/* Of a core, or with core 0 of all. */
uint64_t
counters_value(const struct seg *seg, unsigned core, const struct counter *counter);

/* An object with all of them; of a core (not 0) also "core" and the digest, whose place in struct seg_core is given. */
json_t *
counters_json(const struct seg *seg, unsigned core, const struct counter *counter, size_t n, size_t digest);

/* All cores' objects. */
json_t *
counters_cores_json(const struct seg *seg, const struct counter *counter, size_t n, size_t digest);

/* A row a core, and one for all; n <= COUNTERS_MAX. */
enum err_code
counters_print(struct cli *cli, const struct seg *seg, const struct counter *counter, size_t n, struct err *err);

#endif
