/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "scenario.h"

#define LEGIT 400

/* Hosts first..first+n-1 of FID 1 appear at a channel, a few at a time on random cores, and say something twice: the first frame
 * may be beyond what a core learns in a ms. */
static void
hosts_appear(struct world *w, uint64_t first, unsigned n, uint16_t channel)
{
	for (unsigned i = 0; i < 2 * n; i++) {
		world_frame(w, 1 + (unsigned)world_random(w, w->shape.ncores), scenario_key(first + i % n, 1), channel);
		if (i % 4 == 3) {
			world_run(w, w->now + MS);
		}
	}
	world_run(w, w->now + 10 * MS);
}

static bool
hosts_everywhere(struct world *w, uint64_t first, unsigned n, uint16_t channel)
{
	for (unsigned i = 0; i < n; i++) {
		if (!scenario_everywhere(w, scenario_key(first + i, 1), channel)) {
			return false;
		}
	}
	return true;
}

/* Hosts 0.. talk, hosts 100.. do not. */
static bool
run_ageing(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	enum { TALKERS = 30, SILENT = 90 };
	struct shape shape = scenario_shape(ncores);
	uint64_t sweep = 250 * MS, first_gone = 0;

	shape.ageing_ns = 8 * sweep;
	shape.pause_ns = 500 * US;
	world_init(w, &shape, seed);
	hosts_appear(w, 0, TALKERS, 1);
	uint64_t from = w->now;
	hosts_appear(w, 100, SILENT, 2);
	uint64_t since = w->now;
	struct tally before = w->tally;
	while (w->now < since + 5 * shape.ageing_ns) {
		for (unsigned i = 0; i < TALKERS; i++) {
			world_frame(w, 1 + (unsigned)world_random(w, ncores), scenario_key(i, 1), 1);
		}
		world_run(w, w->now + world_random(w, sweep / 2));
		if (!hosts_everywhere(w, 0, TALKERS, 1)) {
			return false;
		}
		if (w->now < from + shape.ageing_ns && !hosts_everywhere(w, 100, SILENT, 2)) {
			return false;
		}
		first_gone = !first_gone && w->core[1].seg->fdb.entries < TALKERS + SILENT ? w->now - since : first_gone;
		/* a few ms: the messages' way */
		if (w->now > since + shape.ageing_ns + 2 * sweep + 10 * MS && !hosts_everywhere(w, 100, SILENT, 0)) {
			return false;
		}
	}
	uint64_t messages = w->tally.kind[SEG_MSG_FDB_DEL] - before.kind[SEG_MSG_FDB_DEL];
	uint64_t keys = w->tally.keys[SEG_MSG_FDB_DEL] - before.keys[SEG_MSG_FDB_DEL];
	snprintf(note, size, "first gone after %lu ms, %lu deletions in %lu messages", first_gone / MS, keys, messages);
	if (keys != SILENT * (ncores - 1)) {
		return world_fail(w, "%lu deletions told", keys);
	}
	return world_settle(w, SEC) && world_agree(w);
}

const struct scenario scenario_ageing = {"ageing", "entries in use stay, others go within ageing + 2 sweeps", run_ageing};

/* Channel 1 shows ever new addresses to all cores. */
static void
flood(struct world *w, uint16_t channel, uint64_t for_ns, uint64_t *next_host)
{
	uint64_t until = w->now + for_ns;
	while (w->now < until) {
		for (unsigned core = 1; core <= w->shape.ncores; core++) {
			for (unsigned i = 0; i < 8; i++) {
				world_frame(w, core, scenario_key((*next_host)++, 1), channel);
			}
		}
		world_run(w, w->now + 200 * US);
	}
}

static bool
run_flood(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	enum { LATE = 20 };
	struct shape shape = scenario_shape(ncores);
	uint64_t next_host = 1000000;

	shape.limit = 1500;
	shape.nbuckets = 563;
	shape.ring_slots = seed % 2 ? 16 : 256;
	world_init(w, &shape, seed);
	hosts_appear(w, 0, LEGIT, 2);
	if (!world_settle(w, 2 * SEC)) {
		return false;
	}
	flood(w, 1, 300 * MS, &next_host);
	/* Who comes during the flood gets in, too, if it says something now and then. */
	for (unsigned again = 0; again < 20; again++) {
		for (unsigned i = 0; i < LATE; i++) {
			world_frame(w, 1 + i % ncores, scenario_key(5000 + i, 1), 3);
		}
		flood(w, 1, 10 * MS, &next_host);
	}
	snprintf(note, size, "%lu learned, %lu evicted, %lu no room, %lu tombstones, %lu full rings", SUM(w, learned),
		SUM(w, evicted), SUM(w, no_room), w->core[1].seg->fdb.tombs, w->tally.full);
	return world_settle(w, 60 * SEC) && world_agree(w) && hosts_everywhere(w, 0, LEGIT, 2) &&
	       hosts_everywhere(w, 5000, LATE, 3);
}

const struct scenario scenario_flood = {"flood", "a flood of MACs at one port costs the others nothing", run_flood};

/* A limit of its own for channel 3. */
static bool
run_quota(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	enum { QUOTA = 50 };
	struct shape shape = scenario_shape(ncores);
	uint64_t next_host = 1000000;

	shape.ageing_ns = 8 * SEC;
	shape.pause_ns = 100 * US;
	shape.slowest_ns = seed % 2 ? 20 * US : 2 * MS;
	world_init(w, &shape, seed);
	for (unsigned i = 1; i <= ncores; i++) {
		w->core[i].r.mac_limit[3] = QUOTA;
	}
	hosts_appear(w, 0, LEGIT, 2);
	flood(w, 3, 100 * MS, &next_host);
	uint32_t peak = w->core[1].seg->fdb.channel[3];
	world_run(w, w->now + 3 * SEC);
	uint32_t after = w->core[1].seg->fdb.channel[3];
	snprintf(note, size, "%u at the end of the flood, %u later", peak, after);
	if (after > QUOTA || after < QUOTA / 2) {
		return world_fail(w, "%u entries of the port with a limit of %u", after, QUOTA);
	}
	return world_settle(w, 60 * SEC) && world_agree(w) && hosts_everywhere(w, 0, LEGIT, 2);
}

const struct scenario scenario_quota = {"quota", "a port has no more entries than it may", run_quota};
