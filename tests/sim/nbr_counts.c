/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "lan.h"
#include "scenario.h"

/* Of each kind, how many messages were pushed since `before`? */
struct price {
	uint64_t ask, add, del, failed, used, heard;
};

static struct price
price_since(const struct world *w, const struct tally *before)
{
	const uint64_t *now = w->tally.kind, *then = before->kind;
	return (struct price){
		.ask = now[SEG_MSG_NBR_ASK] - then[SEG_MSG_NBR_ASK],
		.add = now[SEG_MSG_NBR_ADD] - then[SEG_MSG_NBR_ADD],
		.del = now[SEG_MSG_NBR_DEL] - then[SEG_MSG_NBR_DEL],
		.failed = now[SEG_MSG_NBR_FAILED] - then[SEG_MSG_NBR_FAILED],
		.used = now[SEG_MSG_NBR_USED] - then[SEG_MSG_NBR_USED],
		.heard = now[SEG_MSG_NBR_HEARD] - then[SEG_MSG_NBR_HEARD],
	};
}

static bool
price_is(struct world *w, const struct tally *before, const char *what, struct price expected)
{
	struct price is = price_since(w, before);
	if (is.ask == expected.ask && is.add == expected.add && is.del == expected.del && is.failed == expected.failed &&
		is.used == expected.used && is.heard == expected.heard) {
		return true;
	}
	return world_fail(w, "%s: %lu asks, %lu adds, %lu deletions, %lu failed, %lu hints, %lu heard", what, is.ask, is.add,
		is.del, is.failed, is.used, is.heard);
}

static bool
solicited_is(struct world *w, unsigned family, uint32_t host, uint64_t expected)
{
	uint64_t is = w->lan->host[family][host].solicited;
	return is == expected || world_fail(w, "host %u was solicited %lu times, expected %lu", host, is, expected);
}

/* All cores need the same host at once; then one alone needs another one. */
static bool
asked_for(struct world *w, unsigned family, uint32_t host)
{
	uint64_t others = w->shape.ncores - 1;
	struct tally before = w->tally;
	unsigned one = 1 + (unsigned)world_random(w, w->shape.ncores);

	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		lan_need(w, i, family, host);
		lan_need(w, i, family, host);
	}
	world_run(w, w->now + 200 * MS);
	if (!solicited_is(w, family, host, 1) || !lan_everywhere(w, family, host) ||
		!price_is(w, &before, "all asked", (struct price){.ask = others, .add = others})) {
		return false;
	}
	before = w->tally;
	bool owner = lan_owner(w, family, host + 1) == one;
	lan_need(w, one, family, host + 1);
	world_run(w, w->now + 200 * MS);
	return solicited_is(w, family, host + 1, 1) && lan_everywhere(w, family, host + 1) &&
	       price_is(w, &before, "one asked", (struct price){.ask = !owner, .add = others});
}

/* The host is heard of again, the same; then with another MAC. */
static bool
heard_of(struct world *w, unsigned family, uint32_t host, bool astray)
{
	uint64_t others = w->shape.ncores - 1;
	struct tally before = w->tally;

	w->shape.astray = astray ? 100 : 0;
	lan_say(w, LAN_ANNOUNCES, family, host);
	lan_say(w, LAN_ASKS, family, host);
	world_run(w, w->now + 200 * MS);
	if (!price_is(w, &before, "heard of again", (struct price){0})) {
		return false;
	}
	w->shape.astray = 0;
	lan_say(w, LAN_ANSWER, family, host);
	world_run(w, w->now + 200 * MS);
	if (!price_is(w, &before, "answered again", (struct price){0})) {
		return false;
	}
	w->lan->host[family][host].mac++;
	lan_say(w, LAN_ANNOUNCES, family, host);
	world_run(w, w->now + 200 * MS);
	return lan_everywhere(w, family, host) && price_is(w, &before, "another MAC", (struct price){.add = others});
}

/* Nobody answers: three solicitations, one word to all; then a while of no messages. */
static bool
silence(struct world *w, unsigned family, uint32_t host)
{
	uint64_t others = w->shape.ncores - 1, unresolved = w->lan->unresolved, dead = w->lan->dead;
	struct tally before = w->tally;

	w->lan->host[family][host].kind = HOST_SILENT;
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		lan_need(w, i, family, host);
	}
	world_run(w, w->now + 3200 * MS);
	struct price is = price_since(w, &before);
	/* a fourth ask may have crossed the word that it failed, and is answered once more */
	uint64_t crossed = is.ask - 3 * others;
	if (is.ask < 3 * others || crossed > others || is.failed < others || is.failed > others + crossed) {
		return world_fail(w, "nobody answers: %lu asks, %lu failed", is.ask, is.failed);
	}
	if (w->lan->unresolved - unresolved != w->shape.ncores) {
		return world_fail(w, "%lu of %u were told that nobody answers", w->lan->unresolved - unresolved, w->shape.ncores);
	}
	before = w->tally;
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		lan_need(w, i, family, host);
	}
	world_run(w, w->now + 200 * MS);
	return solicited_is(w, family, host, 3) && price_is(w, &before, "dead", (struct price){0}) &&
	       (w->lan->dead - dead == w->shape.ncores || world_fail(w, "%lu are dead", w->lan->dead - dead));
}

static bool
run_ask(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_nbr_shape(ncores);

	shape.ring_slots = 256;
	world_init(w, &shape, seed);
	for (uint32_t host = 0; host < 12; host += 2) {
		for (unsigned family = 0; family < SEG_FAMILIES; family++) {
			if (!asked_for(w, family, host) || !heard_of(w, family, host, host % 4 == 0)) {
				return false;
			}
		}
	}
	struct tally before = w->tally;
	static const struct seg_msg flush = {.kind = SEG_MSG_NBR_FLUSH, .n = 4, .word = {[3] = (uint64_t)SEG_IPV6 << 32}};
	world_request(w, 0, &flush);
	world_run(w, w->now + 200 * MS);
	if (!price_is(w, &before, "flush of 12", (struct price){.del = 12 * (ncores - 1)}) || !lan_nowhere(w, SEG_IPV6, 3)) {
		return false;
	}
	if (!silence(w, SEG_IPV4, 20) || !silence(w, SEG_IPV6, 21)) {
		return false;
	}
	snprintf(note, size, "%lu on the wire", w->lan->solicited[SEG_IPV4] + w->lan->solicited[SEG_IPV6]);
	return world_settle(w, SEC * 5) && world_agree(w);
}

const struct scenario scenario_nbr_ask = {"nbr-ask",
	"one solicitation whatever number of cores ask, N messages for one asker, N-1 for a new MAC, none for the same", run_ask};

/* ---- in use ----------------------------------------------------------------------------------------------------- */

enum { TALKERS = 12 };

static void
all_use(struct world *w, uint64_t until_ns)
{
	while (w->now < until_ns) {
		for (unsigned i = 1; i <= w->shape.ncores; i++) {
			for (uint32_t host = 0; host < TALKERS; host++) {
				lan_need(w, i, SEG_IPV4, host);
				lan_need(w, i, SEG_IPV6, host);
			}
		}
		world_run(w, w->now + 50 * MS);
	}
}

/* Records that all cores together owe the owners in a sweep. */
static uint64_t
records_a_sweep(const struct world *w)
{
	uint64_t records = 0;
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		for (uint32_t host = 0; host < TALKERS; host++) {
			records += lan_owner(w, SEG_IPV4, host) != i;
			records += lan_owner(w, SEG_IPV6, host) != i;
		}
	}
	return records;
}

static bool
run_use(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_nbr_shape(ncores);
	const uint64_t sweeps = 4, time = sweeps * NBR_SWEEP_NS;

	shape.ring_slots = 256;
	shape.nbr.reachable_ns = 4 * SEC;
	shape.nbr.delay_ns = SEC;
	world_init(w, &shape, seed);
	if (!scenario_nbr_resolve(w, 0, TALKERS)) {
		return false;
	}
	struct tally before = w->tally;
	uint64_t solicited = w->lan->solicited[SEG_IPV4] + w->lan->solicited[SEG_IPV6], records = records_a_sweep(w);
	all_use(w, w->now + time);
	uint64_t keys = w->tally.keys[SEG_MSG_NBR_USED] - before.keys[SEG_MSG_NBR_USED];
	struct price is = price_since(w, &before);
	solicited = w->lan->solicited[SEG_IPV4] + w->lan->solicited[SEG_IPV6] - solicited;
	snprintf(note, size, "%lu records in %lu messages, %lu refreshes", keys, is.used, solicited);
	/* The running sweep may have told some already. */
	if (keys > records * (sweeps + 1) || keys < records * (sweeps - 1)) {
		return world_fail(w, "%lu records in %lu sweeps, %lu a sweep were expected", keys, sweeps, records);
	}
	if (is.used > keys / NBR_HINTS + SEG_FAMILIES * (sweeps + 1) * ncores * (ncores - 1)) {
		return world_fail(w, "%lu messages for %lu records", is.used, keys);
	}
	/* Each is refreshed, by one frame, no more often than it becomes STALE and is used. */
	uint64_t most = 2 * TALKERS * (time / (shape.nbr.reachable_ns + shape.nbr.delay_ns) + 1);
	if (solicited > most || solicited < TALKERS * 2) {
		return world_fail(w, "%lu refreshes of %u neighbours, at most %lu expected", solicited, TALKERS * 2, most);
	}
	return price_is(w, &before, "in use", (struct price){.used = is.used}) && world_settle(w, SEC * 5) && world_agree(w);
}

const struct scenario scenario_nbr_use = {"nbr-use",
	"use costs one record to the owner per core, neighbour and sweep; a refresh costs one frame and no message", run_use};
