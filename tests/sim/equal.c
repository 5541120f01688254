/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define HOSTS 2000
#define CHANNELS 6
#define FIDS 3

struct shape
scenario_shape(unsigned ncores)
{
	return (struct shape){.ncores = ncores,
		.ring_slots = 16,
		.nbuckets = 3000 * 3 / 8,
		.limit = 3000,
		.ageing_ns = 300 * SEC,
		.slowest_ns = 20 * US,
		.pause_ns = 20 * US,
		.look_ns = 5 * MS};
}

uint64_t
scenario_key(uint64_t host, uint16_t fid)
{
	return fdb_key(0x020000000000 + host, fid);
}

bool
scenario_everywhere(struct world *w, uint64_t key, uint16_t channel)
{
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		if (world_channel(w, i, key) != channel) {
			return world_fail(w, "key %lx: at %u on core %u, not at %u", key, world_channel(w, i, key), i, channel);
		}
	}
	return true;
}

uint64_t
scenario_sum(const struct world *w, size_t counter_offset)
{
	uint64_t sum = 0;
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		const char *count = (const char *)&w->core[i].seg->fdb;
		sum += *(const uint64_t *)(const void *)(count + counter_offset);
	}
	return sum;
}

/* What the operator has set and not taken back, by host and FID. */
struct statics {
	uint16_t channel[HOSTS][FIDS + 1];
};

static void
operator_acts(struct world *w, struct statics *statics, unsigned hosts)
{
	uint64_t host = world_random(w, hosts);
	uint16_t fid = (uint16_t)(1 + world_random(w, FIDS)), channel = (uint16_t)(1 + world_random(w, CHANNELS));
	uint64_t key = scenario_key(host, fid);
	struct seg_msg msg = {.word = {key}};

	switch (world_random(w, 4)) {
	case 0:
	case 1:
		msg.kind = SEG_MSG_FDB_SET;
		msg.word[1] = channel | SEG_VALUE_STATIC;
		statics->channel[host][fid] = channel;
		world_request(w, world_owner(w, key), &msg);
		break;
	case 2:
		msg.kind = SEG_MSG_FDB_UNSET;
		statics->channel[host][fid] = 0;
		world_request(w, world_owner(w, key), &msg);
		break;
	default:
		msg.kind = SEG_MSG_FDB_FLUSH;
		msg.word[0] = 0;
		msg.word[1] = (uint64_t)channel << 16 | fid;
		msg.word[2] = world_random(w, 4) ? 0 : FDB_FLUSH_STATIC;
		for (host = 0; msg.word[2] && host < hosts; host++) {
			if (statics->channel[host][fid] == channel) {
				statics->channel[host][fid] = 0;
			}
		}
		world_request(w, 0, &msg);
		break;
	}
}

static void
something_happens(struct world *w, struct statics *statics, unsigned hosts)
{
	unsigned what = (unsigned)world_random(w, 1000);

	if (what < 8) {
		operator_acts(w, statics, hosts);
	} else if (what < 12) {
		world_flush(w, (uint16_t)world_random(w, CHANNELS + 1), (uint16_t)world_random(w, FIDS + 1));
	} else if (what < 14) {
		struct core *core = &w->core[1 + world_random(w, w->shape.ncores)];
		core->stalled_ns = w->now + world_random(w, 3 * SEC);
	} else {
		uint64_t key = scenario_key(world_random(w, hosts), (uint16_t)(1 + world_random(w, FIDS)));
		world_frame(w, 1 + (unsigned)world_random(w, w->shape.ncores), key, (uint16_t)(1 + world_random(w, CHANNELS)));
	}
}

static bool
statics_stand(struct world *w, const struct statics *statics, unsigned hosts)
{
	uint64_t expected = 0;
	for (unsigned host = 0; host < hosts; host++) {
		for (uint16_t fid = 1; fid <= FIDS; fid++) {
			uint16_t channel = statics->channel[host][fid];
			expected += channel != 0;
			if (channel && !scenario_everywhere(w, scenario_key(host, fid), channel)) {
				return false;
			}
		}
	}
	if (w->core[1].seg->fdb.statics != expected) {
		return world_fail(w, "%lu static entries, the operator has set %lu", w->core[1].seg->fdb.statics, expected);
	}
	return true;
}

/* Everything at once, for a while; then quiet. */
static bool
play(struct world *w, const struct shape *shape, uint64_t seed, unsigned hosts, unsigned events, uint64_t pause_ns)
{
	struct statics *statics = calloc(1, sizeof(*statics));

	world_init(w, shape, seed);
	for (unsigned i = 0; i < events; i++) {
		something_happens(w, statics, hosts);
		world_run(w, w->now + world_random(w, pause_ns));
	}
	bool good = world_settle(w, 100 * SEC) && world_agree(w) && (SUM(w, no_room) || statics_stand(w, statics, hosts));
	free(statics);
	return good;
}

static void
note_counts(const struct world *w, char *note, size_t size)
{
	snprintf(note, size,
		"%lu entries; %lu learned, %lu moved, %lu evicted, %lu no room, %lu resyncs, %lu full, %lu add, %lu del, grace %lu",
		w->core[1].seg->fdb.entries, SUM(w, learned), SUM(w, moved), SUM(w, evicted), SUM(w, no_room), SUM(w, resyncs),
		w->tally.full, w->tally.kind[SEG_MSG_FDB_ADD], w->tally.kind[SEG_MSG_FDB_DEL], w->control->grace);
}

static bool
run_churn(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	static const uint64_t slow[] = {20 * US, MS, 20 * MS, 100 * MS};
	static const unsigned deaf[] = {0, 50, 95};
	struct shape shape = scenario_shape(ncores);

	shape.slowest_ns = slow[seed % 4];
	shape.deaf = deaf[seed / 4 % 3];
	shape.ageing_ns = seed % 5 ? 300 * SEC : SEC;
	shape.ring_slots = seed % 7 ? 16 : 64;
	shape.look_ns = seed % 3 ? 5 * MS : 100 * US;
	bool good = play(w, &shape, seed, seed % 2 ? 40 : 600, seed % 3 ? 3000 : 8000, seed % 6 ? MS : 40 * US);
	note_counts(w, note, size);
	return good;
}

const struct scenario scenario_churn = {
	"churn", "learning, moves, flushes, operators, stalls over small rings: then all tables agree", run_churn};

/* More hosts than the table takes: eviction, and cores that have no room. */
static bool
run_full_table(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_shape(ncores);

	shape.limit = seed % 2 ? 60 : 300;
	shape.nbuckets = (uint32_t)(shape.limit * 3 + 7) / 8;
	shape.slowest_ns = seed % 3 ? 20 * US : 5 * MS;
	bool good = play(w, &shape, seed, 400, 6000, seed % 5 ? 100 * US : MS);
	note_counts(w, note, size);
	return good;
}

const struct scenario scenario_full_table = {"full-table", "more hosts than entries: then all tables agree", run_full_table};

/* Core 1 stands still for seconds, again and again, while all else goes on. */
static bool
run_stall(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_shape(ncores);
	struct statics *statics = calloc(1, sizeof(*statics));

	shape.pause_ns = 200 * US;
	world_init(w, &shape, seed);
	for (unsigned i = 0; i < 6000; i++) {
		if (i % 1000 == 200) {
			w->core[1].stalled_ns = w->now + world_random(w, 5 * SEC);
		}
		something_happens(w, statics, 300);
		world_run(w, w->now + world_random(w, 2 * MS));
	}
	bool good = world_settle(w, 60 * SEC) && world_agree(w) && statics_stand(w, statics, 300);
	free(statics);
	note_counts(w, note, size);
	return good;
}

const struct scenario scenario_stall = {"stall", "a core that stands still for seconds: then all tables agree", run_stall};
