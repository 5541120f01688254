/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "scenario.h"

/* Were exactly that many messages of the kind pushed since `before`? */
static bool
cost(struct world *w, const struct tally *before, enum seg_msg_kind kind, uint64_t expected)
{
	uint64_t got = w->tally.kind[kind] - before->kind[kind];
	return got == expected || world_fail(w, "%lu messages of kind %u, expected %lu", got, kind, expected);
}

static bool
cost_nothing(struct world *w, const struct tally *before)
{
	return cost(w, before, SEG_MSG_FDB_ADD, 0) && cost(w, before, SEG_MSG_FDB_DEL, 0) && cost(w, before, SEG_MSG_FDB_USED, 0);
}

/* Hosts 0..n-1 of FID 1 appear, each on a random core, at channel 1 + host % 4; every table has them when it returns. */
static bool
hosts_appear(struct world *w, unsigned n)
{
	for (unsigned host = 0; host < n; host++) {
		world_frame(w, 1 + (unsigned)world_random(w, w->shape.ncores), scenario_key(host, 1), (uint16_t)(1 + host % 4));
		world_run(w, w->now + MS);
	}
	if (!world_settle(w, SEC) || !world_agree(w)) {
		return false;
	}
	return w->core[1].seg->fdb.entries == n || world_fail(w, "%lu entries of %u", w->core[1].seg->fdb.entries, n);
}

static bool
run_new_mac(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_shape(ncores);
	struct tally before;

	world_init(w, &shape, seed);
	before = w->tally;
	bool good = hosts_appear(w, 100) && cost(w, &before, SEG_MSG_FDB_ADD, 100 * (ncores - 1)) &&
		    cost(w, &before, SEG_MSG_FDB_DEL, 0) && cost(w, &before, SEG_MSG_FDB_USED, 0);
	snprintf(note, size, "%lu messages for 100 hosts", w->tally.kind[SEG_MSG_FDB_ADD]);
	return good;
}

const struct scenario scenario_new_mac = {"new-mac", "a new MAC costs N-1 messages", run_new_mac};

/* All hosts talk on all cores. */
static void
all_talk(struct world *w, unsigned hosts, uint64_t until_ns)
{
	while (w->now < until_ns) {
		for (unsigned core = 1; core <= w->shape.ncores; core++) {
			for (unsigned host = 0; host < hosts; host++) {
				world_frame(w, core, scenario_key(host, 1), (uint16_t)(1 + host % 4));
			}
		}
		world_run(w, w->now + 20 * MS);
	}
}

static bool
run_talk(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	enum { TALKERS = 24 };
	struct shape shape = scenario_shape(ncores);
	uint64_t records = 0;

	shape.ageing_ns = 8 * SEC; /* a sweep takes a second */
	shape.ring_slots = 256;
	shape.pause_ns = 500 * US;
	world_init(w, &shape, seed);
	if (!hosts_appear(w, TALKERS)) {
		return false;
	}
	struct tally before = w->tally;
	uint64_t sweeps = SUM(w, sweeps);
	all_talk(w, TALKERS, w->now + 3500 * MS);
	for (unsigned core = 1; core <= ncores; core++) {
		for (unsigned host = 0; host < TALKERS; host++) {
			records += world_owner(w, scenario_key(host, 1)) != core;
		}
	}
	uint64_t keys = w->tally.keys[SEG_MSG_FDB_USED] - before.keys[SEG_MSG_FDB_USED], sent = w->tally.kind[SEG_MSG_FDB_USED];
	sweeps = SUM(w, sweeps) - sweeps;
	snprintf(note, size, "%lu sweeps of all cores, %lu records in %lu messages", sweeps, keys, sent);
	/* The running sweeps may have told some already. */
	if (keys > records * (sweeps / ncores + 2) || keys < records * (sweeps / ncores - 1)) {
		return world_fail(
			w, "%lu records in %lu sweeps of %u cores, %lu a sweep were expected", keys, sweeps, ncores, records);
	}
	if (sent > (keys + 2) / 3 + (sweeps + ncores) * (ncores - 1)) {
		return world_fail(w, "%lu messages for %lu records", sent, keys);
	}
	return cost(w, &before, SEG_MSG_FDB_ADD, 0) && cost(w, &before, SEG_MSG_FDB_DEL, 0) && world_settle(w, SEC) &&
	       world_agree(w);
}

const struct scenario scenario_talk = {
	"talk", "a MAC that keeps talking costs one record to its owner per core and sweep, nothing else", run_talk};

static bool
run_flush(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_shape(ncores);

	world_init(w, &shape, seed);
	if (!hosts_appear(w, 200)) {
		return false;
	}
	struct tally before = w->tally;
	world_flush(w, 2, 0);
	if (!world_settle(w, 2 * SEC) || !world_agree(w)) {
		return false;
	}
	for (unsigned host = 0; host < 200; host++) {
		uint16_t channel = (uint16_t)(1 + host % 4);
		if (!scenario_everywhere(w, scenario_key(host, 1), channel == 2 ? 0 : channel)) {
			return false;
		}
	}
	world_flush(w, 0, 1);
	if (!world_settle(w, 2 * SEC) || !cost_nothing(w, &before)) {
		return false;
	}
	snprintf(note, size, "%lu entries left", w->core[1].seg->fdb.entries);
	return w->core[1].seg->fdb.entries == 0 || world_fail(w, "%s", note);
}

const struct scenario scenario_flush = {"flush", "a flush costs no message", run_flush};

/* A loop somewhere: hosts that seem to be at several channels at once. */
static bool
run_moves(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	enum { HOSTS = 5 };
	struct shape shape = scenario_shape(ncores);
	/* all on one core, or spread over them */
	bool spread = seed % 2;

	shape.pause_ns = 100 * US;
	world_init(w, &shape, seed);
	if (!hosts_appear(w, HOSTS)) {
		return false;
	}
	struct tally before = w->tally;
	uint64_t from = w->now;
	while (w->now < from + 3 * SEC) {
		for (unsigned host = 0; host < HOSTS; host++) {
			unsigned core = spread ? 1 + (unsigned)world_random(w, ncores) : 1;
			world_frame(w, core, scenario_key(host, 1), (uint16_t)(1 + world_random(w, 4)));
		}
		world_run(w, w->now + world_random(w, 2 * MS));
	}
	uint64_t moves = SUM(w, moved), most = HOSTS * (3 * SEC / REPLICA_MOVE_NS + 1);
	snprintf(note, size, "%lu moves, %lu damped", moves, SUM(w, damped));
	/* Two cores may move an entry within the time that a message takes. */
	if (moves > most * (spread ? 2 : 1)) {
		return world_fail(w, "%lu moves in 3 s, at most %lu were expected", moves, most);
	}
	return cost(w, &before, SEG_MSG_FDB_ADD, moves * (ncores - 1)) && cost(w, &before, SEG_MSG_FDB_DEL, 0) &&
	       world_settle(w, SEC) && world_agree(w);
}

const struct scenario scenario_moves = {"moves", "an entry moves at most once in 100 ms", run_moves};
