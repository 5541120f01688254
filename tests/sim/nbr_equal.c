/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lan.h"
#include "scenario.h"

struct shape
scenario_nbr_shape(unsigned ncores)
{
	struct shape shape = scenario_shape(ncores);

	shape.nbuckets = 16;
	shape.pause_ns = MS;
	shape.silent_ns = 500 * MS;
	shape.nbr_slots = 1024;
	shape.nbr_limit = 500;
	shape.nhosts = 240;
	shape.answer_ns = 50 * MS;
	shape.nbr = (struct nbr_params){.reachable_ns = 30 * SEC,
		.retrans_ns = SEC,
		.delay_ns = 5 * SEC,
		.stale_ns = 1200 * SEC,
		.solicitations = 3,
		.incomplete = 512,
		.solicit_pps = 1000};
	return shape;
}

static bool
all_found(struct world *w, uint32_t first, uint32_t n)
{
	for (uint32_t host = first; host < first + n; host++) {
		for (unsigned family = 0; family < SEG_FAMILIES; family++) {
			if (w->lan->host[family][host].kind != HOST_SILENT && !lan_everywhere(w, family, host)) {
				return false;
			}
		}
	}
	return true;
}

bool
scenario_nbr_resolve(struct world *w, uint32_t first, uint32_t n)
{
	for (unsigned round = 0; round < 12 && !w->broken; round++) {
		for (uint32_t i = 0; i < n * w->shape.ncores; i++) {
			lan_need(w, 1 + i % w->shape.ncores, SEG_IPV4, first + i / w->shape.ncores);
			lan_need(w, 1 + i % w->shape.ncores, SEG_IPV6, first + i / w->shape.ncores);
			world_run(w, w->now + (i % 16 ? 0 : 100 * US));
		}
		world_run(w, w->now + 500 * MS);
		w->why[w->broken ? sizeof(w->why) - 1 : 0] = 0;
		if (all_found(w, first, n)) {
			return true;
		}
	}
	return false;
}

/* ---- everything at once, then quiet ----------------------------------------------------------------------------- */

#define OPERATOR_PAUSE (8 * SEC) /* lest an order overtakes the one before while ownership moves */

struct operator_acts {
	struct {
		uint64_t mac;   /* given, and not taken back; 0: none */
		uint64_t at_ns; /* the last act */
	} host[SEG_FAMILIES][SEG_MAX_FIDS];
};

static void
operator_acts(struct world *w, struct operator_acts *acts)
{
	unsigned family = (unsigned)world_random(w, SEG_FAMILIES);
	uint32_t number = (uint32_t)world_random(w, w->shape.nhosts);
	struct host *host = &w->lan->host[family][number];
	uint64_t given = 0x020200000000 + world_random(w, 1000);

	if (acts->host[family][number].at_ns && w->now < acts->host[family][number].at_ns + OPERATOR_PAUSE) {
		return;
	}
	acts->host[family][number].at_ns = w->now;
	if (world_random(w, 3)) {
		host->excused_ns = UINT64_MAX;
		acts->host[family][number].mac = given;
		lan_request(w, SEG_MSG_NBR_SET, family, number, given << 16 | SEG_NBR_PERMANENT);
	} else {
		host->excused_ns = UINT64_MAX;
		acts->host[family][number].mac = 0;
		lan_request(w, SEG_MSG_NBR_UNSET, family, number, 0);
	}
}

static void
operator_flushes(struct world *w)
{
	unsigned family = (unsigned)world_random(w, SEG_FAMILIES);
	struct nbr_key key = lan_key(family, (uint32_t)world_random(w, w->shape.nhosts));
	uint64_t length = (family == SEG_IPV4 ? 24 : 120) + world_random(w, 9), iface = world_random(w, 2) ? key.iface : 0;
	const struct seg_msg msg = {.kind = SEG_MSG_NBR_FLUSH,
		.n = 4,
		.word = {key.address[0], key.address[1], length << 16, (uint64_t)family << 32 | iface}};

	world_request(w, 0, &msg);
}

/* How many serve and do not stand still. */
static unsigned
cores_healthy(const struct world *w)
{
	unsigned n = 0;
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		n += roles_of(&w->roles, i) == SEG_ROLE_SERVING && w->core[i].stalled_ns < w->now;
	}
	return n;
}

/* A core stands still, or is drained or put in again; one at least remains. */
static void
core_suffers(struct world *w, bool stalls)
{
	unsigned number = 1 + (unsigned)world_random(w, w->shape.ncores);

	if (!stalls && w->roles.drained[number]) {
		world_drain(w, number, false);
	} else if (cores_healthy(w) > 1 && stalls && w->core[number].stalled_ns < w->now) {
		w->core[number].stalled_ns = w->now + world_random(w, 3 * SEC);
	} else if (cores_healthy(w) > 1 && !stalls) {
		world_drain(w, number, true);
	}
}

static void
host_speaks(struct world *w)
{
	unsigned family = (unsigned)world_random(w, SEG_FAMILIES);
	uint32_t number = (uint32_t)world_random(w, w->shape.nhosts);
	struct host *host = &w->lan->host[family][number];

	if (host->kind == HOST_SILENT) {
		return;
	}
	if (world_random(w, 4) == 0) {
		host->mac = 0x020300000000 + world_random(w, 1u << 20);
		lan_say(w, LAN_ANNOUNCES, family, number);
	} else {
		lan_say(w, world_random(w, 2) ? LAN_ASKS : LAN_ANNOUNCES, family, number);
	}
}

static void
something_happens(struct world *w, struct operator_acts *acts)
{
	unsigned what = (unsigned)world_random(w, 1000);

	if (what < 10) {
		operator_acts(w, acts);
	} else if (what < 14) {
		operator_flushes(w);
	} else if (what < 18) {
		core_suffers(w, what < 16);
	} else if (what < 200) {
		host_speaks(w);
	} else {
		unsigned core = 1 + (unsigned)world_random(w, w->shape.ncores);
		lan_need(w, core, (unsigned)world_random(w, SEG_FAMILIES), (uint32_t)world_random(w, w->shape.nhosts));
	}
}

/* Hosts of every kind, most of them answer. */
static void
kinds_of_hosts(struct world *w)
{
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		for (uint32_t i = 0; i < w->shape.nhosts; i++) {
			uint64_t kind = world_random(w, 8);
			w->lan->host[family][i].kind = kind < 4 ? (enum host_kind)kind : HOST_ANSWERS;
		}
	}
}

static void
play(struct world *w, const struct shape *shape, uint64_t seed, struct operator_acts *acts, unsigned events, uint64_t pause_ns)
{
	world_init(w, shape, seed);
	kinds_of_hosts(w);
	w->lan->lenient = shape->nbr_limit < shape->nhosts;
	for (unsigned i = 0; i < events && !w->broken; i++) {
		something_happens(w, acts);
		world_run(w, w->now + world_random(w, pause_ns));
	}
	for (unsigned i = 1; i <= shape->ncores; i++) {
		world_drain(w, i, false);
	}
	/* What ages and is probed for ever would leave no quiet moment. */
	w->shape.nbr.stale_ns = 100000 * SEC;
}

/* What was given stands everywhere, and nothing else does. */
static bool
given_stands(struct world *w, const struct operator_acts *acts)
{
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		uint64_t expected = 0;
		for (uint32_t i = 0; i < w->shape.nhosts; i++) {
			const struct seg_nbr *line = lan_line(w, 1, family, i);
			uint64_t mac = acts->host[family][i].mac;
			expected += mac != 0;
			if (mac &&
				(!line || SEG_NBR_MAC(line->value) != mac || SEG_NBR_STATE(line->value) != SEG_NBR_PERMANENT)) {
				return world_fail(w, "what was given for host %u of family %u is gone", i, family);
			}
		}
		if (w->core[1].seg->nbr[family].permanent != expected) {
			return world_fail(w, "%lu permanent neighbours, the operator gave %lu",
				w->core[1].seg->nbr[family].permanent, expected);
		}
	}
	return true;
}

static uint64_t
nbr_sum(const struct world *w, size_t counter_offset)
{
	uint64_t sum = 0;
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		for (unsigned family = 0; family < SEG_FAMILIES; family++) {
			const char *count = (const char *)&w->core[i].seg->nbr[family];
			sum += *(const uint64_t *)(const void *)(count + counter_offset);
		}
	}
	return sum;
}

#define NBR_SUM(w, counter) nbr_sum((w), offsetof(struct seg_nbr_count, counter))

static void
note_counts(const struct world *w, char *note, size_t size)
{
	snprintf(note, size,
		"%lu waits: %lu resolved, %lu not; %lu changed, %lu aged, %lu adopted, %lu no room, %lu resyncs, %lu full, epoch %u, "
		"slowest %lu ms",
		w->lan->waits, w->lan->resolved, w->lan->unresolved, NBR_SUM(w, changed), NBR_SUM(w, aged), NBR_SUM(w, adopted),
		NBR_SUM(w, no_room), NBR_SUM(w, resyncs), w->tally.full, w->control->owner_epoch, w->lan->slowest_ns / MS);
}

static bool
run_churn(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	static const uint64_t slow[] = {20 * US, MS, 5 * MS};
	static const unsigned deaf[] = {0, 50, 80};
	struct shape shape = scenario_nbr_shape(ncores);
	struct operator_acts *acts = calloc(1, sizeof(*acts));

	shape.slowest_ns = slow[seed % 3];
	shape.deaf = deaf[seed / 3 % 3];
	shape.astray = seed % 4 ? 5 : 30;
	shape.ring_slots = seed % 5 ? 16 : 64;
	shape.answer_ns = seed % 2 ? 50 * MS : 700 * MS;
	shape.nbr.reachable_ns = 2 * SEC;
	shape.nbr.delay_ns = SEC / 2;
	shape.nbr.stale_ns = 4 * SEC;
	play(w, &shape, seed, acts, seed % 2 ? 3000 : 6000, seed % 2 ? 8 * MS : 4 * MS);
	bool good = world_settle(w, 100 * SEC) && world_agree(w) && given_stands(w, acts);
	note_counts(w, note, size);
	free(acts);
	return good;
}

const struct scenario scenario_nbr_churn = {"nbr-churn",
	"needs, frames, moves, flushes, operators, stalls, drains over small rings: nothing is lost, then all tables agree",
	run_churn};

static bool
within_limit(struct world *w)
{
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		uint64_t entries = w->core[1].seg->nbr[family].entries;
		if (entries > w->shape.nbr_limit) {
			return world_fail(w, "%lu entries of family %u, more than %lu", entries, family, w->shape.nbr_limit);
		}
	}
	return true;
}

/* More hosts than the table takes. */
static bool
run_full(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_nbr_shape(ncores);
	struct operator_acts *acts = calloc(1, sizeof(*acts));

	shape.nbr_limit = 60;
	shape.nbr_slots = 128;
	shape.slowest_ns = seed % 3 ? 20 * US : 5 * MS;
	shape.nbr.reachable_ns = SEC;
	shape.nbr.delay_ns = SEC / 2;
	shape.nbr.stale_ns = SEC;
	play(w, &shape, seed, acts, 3000, 4 * MS);
	/* What the owners, not having heard of each other, have let in too much goes when it is STALE. */
	world_run(w, w->now + 10 * SEC);
	bool good = world_settle(w, 100 * SEC) && world_agree(w) && within_limit(w);
	note_counts(w, note, size);
	free(acts);
	return good;
}

const struct scenario scenario_nbr_full = {"nbr-full", "more neighbours than entries: then all tables agree", run_full};

/* ---- takeover and drain ----------------------------------------------------------------------------------------- */

enum { KNOWN = 60, PENDING = 20, STEP_MS = 20 };

/* Does it serve, and would a frame come to it? */
static bool
lives(const struct world *w, unsigned core)
{
	return w->core[core].stalled_ns < w->now && w->control->role[core] == SEG_ROLE_SERVING;
}

/* For a while new hosts are needed on those that live, and the known ones go on being used; they never vanish. */
static bool
life_goes_on(struct world *w, uint64_t for_ns, uint32_t *next_host)
{
	for (uint64_t end = w->now + for_ns; w->now < end && !w->broken;) {
		for (unsigned i = 1; i <= w->shape.ncores; i++) {
			for (uint32_t host = 0; lives(w, i) && host < KNOWN; host++) {
				if (!lan_line(w, i, SEG_IPV4, host) || !lan_line(w, i, SEG_IPV6, host)) {
					return world_break(w, "host %u, which was resolved, is lost on core %u", host, i);
				}
				lan_need(w, i, SEG_IPV4, host);
				lan_need(w, i, SEG_IPV6, host);
			}
		}
		unsigned core = 1 + (unsigned)world_random(w, w->shape.ncores);
		if (lives(w, core) && *next_host < w->shape.nhosts) {
			lan_need(w, core, SEG_IPV4, *next_host);
			lan_need(w, core, SEG_IPV6, (*next_host)++);
		}
		world_run(w, w->now + STEP_MS * MS);
	}
	return !w->broken;
}

/* The master (or another owner) falls silent or is drained; its backup may follow. Returns the longest that is allowed to wait.
 */
static uint64_t
strike(struct world *w, unsigned how, unsigned core)
{
	w->lan->fault_ns = w->now;
	w->lan->slowest_ns = 0;
	if (how == 1) {
		world_drain(w, core, true);
		return SEC;
	}
	w->core[core].stalled_ns = w->now + 5 * SEC;
	if (how == 2 && w->shape.ncores > 2) {
		world_run(w, w->now + 300 * MS);
		w->core[w->control->backup].stalled_ns = w->now + 5 * SEC;
		w->lan->fault_ns = w->now;
	}
	return SEC + SEC / 2;
}

static bool
comes_back(struct world *w, unsigned core)
{
	world_drain(w, core, false);
	for (unsigned i = 0; i < 200 && (w->core[core].stalled_ns > w->now || w->roles.lost[core]); i++) {
		world_run(w, w->now + 50 * MS);
	}
	return w->control->role[core] == SEG_ROLE_SERVING || world_fail(w, "core %u has not come back", core);
}

static bool
run_takeover(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_nbr_shape(ncores);
	unsigned how = seed % 4;
	uint32_t next_host = KNOWN + PENDING;

	shape.ring_slots = seed % 3 ? 16 : 64;
	shape.nhosts = 400;
	shape.nbr_limit = 500;
	shape.nbr.delay_ns = SEC;
	world_init(w, &shape, seed);
	if (!scenario_nbr_resolve(w, 0, KNOWN)) {
		return false;
	}
	unsigned core = how == 3 ? 1 + (unsigned)world_random(w, ncores) : w->control->master;
	for (uint32_t i = 0; i < PENDING; i++) {
		lan_need(w, 1 + (unsigned)world_random(w, ncores), SEG_IPV4, KNOWN + i);
		lan_need(w, 1 + (unsigned)world_random(w, ncores), SEG_IPV6, KNOWN + i);
		world_run(w, w->now + MS);
	}
	uint64_t most = strike(w, how, core);
	if (!life_goes_on(w, 4 * SEC, &next_host)) {
		return false;
	}
	if (w->control->master == core || lan_owner(w, SEG_IPV6, 0) == core) {
		return world_fail(w, "core %u still has its roles", core);
	}
	uint64_t slowest = w->lan->slowest_ns;
	if (slowest > most) {
		return world_fail(w, "somebody waited for %lu ms, at most %lu are allowed", slowest / MS, most / MS);
	}
	if (!comes_back(w, core) || !life_goes_on(w, 500 * MS, &next_host) || !world_settle(w, 30 * SEC) || !world_agree(w)) {
		return false;
	}
	if (w->control->master != 1 || !all_found(w, 0, next_host)) {
		return world_fail(w, "core %u is the master", w->control->master);
	}
	note_counts(w, note, size);
	return true;
}

const struct scenario scenario_nbr_takeover = {"nbr-takeover",
	"a core falls silent or is drained: resolution goes on within 500 ms and a second, nothing resolved is lost",
	run_takeover};
