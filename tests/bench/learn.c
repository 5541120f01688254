/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long until what one core learned can be used by another: learn APPLIANCE.
 *
 * Nobody polls: every core notes when an entry came into its table (seg_cold.born_ns), with the same clock, read once a loop. An
 * entry's stamp tells which core learned it; the difference to the time at each other core is printed as percentiles.
 * Entries that two cores learned by themselves, or that have moved since, are left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fdb/fdb.h"
#include "shm/seg.h"

struct samples {
	size_t n, max;
	int64_t *ns;
};

static void
add(struct samples *samples, int64_t ns)
{
	if (samples->n < samples->max) {
		samples->ns[samples->n++] = ns;
	}
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The entry of a key in a core's table. */
static bool
find(const struct seg *seg, unsigned core, uint64_t key, struct seg_fdb_entry *entry)
{
	uint32_t home = fdb_home(fdb_hash(key, seg->head.fdb_seed), seg->head.fdb_buckets);

	for (unsigned i = 0; i < (1 + FDB_REACH) * SEG_WAYS; i++) {
		uint64_t slot = ((uint64_t)home * SEG_WAYS + i) % ((uint64_t)seg->head.fdb_buckets * SEG_WAYS);

		if (seg_read_fdb(seg, core, slot, entry) && entry->key == key && entry->state == SEG_FDB_LIVE) {
			return true;
		}
	}
	return false;
}

static void
look(const struct seg *seg, unsigned core, struct samples *samples, size_t *missing)
{
	uint64_t slots = (uint64_t)seg->head.fdb_buckets * SEG_WAYS;
	struct seg_fdb_entry here, there;

	for (uint64_t slot = 0; slot < slots; slot++) {
		if (!seg_read_fdb(seg, core, slot, &here) || here.state != SEG_FDB_LIVE || (here.cold.stamp & 0xff) != core ||
			here.cold.moved_ns != 0) {
			continue;
		}
		for (unsigned other = 1; other <= seg->head.ncores; other++) {
			if (other == core) {
				continue;
			}
			if (!find(seg, other, here.key, &there)) {
				*missing += 1;
			} else if (there.cold.stamp == here.cold.stamp && there.cold.born_ns >= here.cold.born_ns) {
				add(samples, (int64_t)(there.cold.born_ns - here.cold.born_ns));
			}
		}
	}
}

int
main(int argc, char **argv)
{
	struct seg seg;
	struct err err;
	struct samples samples = {0, 1u << 20, NULL};
	size_t missing = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: learn APPLIANCE\n");
		return ERR_USAGE;
	}
	if (seg_attach(&seg, argv[1], &err) != ERR_NONE) {
		fprintf(stderr, "learn: %s\n", err.message);
		return (int)err.code;
	}
	samples.ns = malloc(samples.max * sizeof(*samples.ns));
	if (samples.ns == NULL) {
		return ERR_FAILED;
	}
	for (unsigned core = 1; core <= seg.head.ncores; core++) {
		look(&seg, core, &samples, &missing);
	}
	if (samples.n == 0) {
		fprintf(stderr, "learn: no entry that one core learned and another one took over\n");
		return ERR_NOT_FOUND;
	}
	qsort(samples.ns, samples.n, sizeof(*samples.ns), compare);
	printf("{\"samples\": %zu, \"missing\": %zu, \"min_us\": %.1f, \"median_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
		samples.n, missing, (double)samples.ns[0] / 1e3, (double)samples.ns[samples.n / 2] / 1e3,
		(double)samples.ns[samples.n * 99 / 100] / 1e3, (double)samples.ns[samples.n - 1] / 1e3);
	free(samples.ns);
	seg_detach(&seg);
	return 0;
}
