/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/nbr.c lib/nbr/cache.c lib/nbr/cache_input.c lib/nbr/cache_time.c */
/* What one owner and its peers do: resolution, limits, the states, what is heard. */
#include "nbr_world.h"

/* ---- resolution ------------------------------------------------------------------------------------------------- */

static void
one_asks(void **state)
{
	struct world *w = *state;

	assert_int_equal(need(w, 1, 7), NBR_WAIT);
	assert_int_equal(need(w, 1, 7), NBR_WAIT);
	assert_int_equal(w->messages, 1);
	assert_int_equal(w->solicited, 1);
	assert_int_equal(w->asked[2][NBR_SOLICIT], 1);
	assert_int_equal(w->solicited_mac, 0);
	assert_int_equal(line_of(w, 1, 7)->stamp, 0);
	assert_int_equal(w->count[1].incomplete, 1);
	assert_int_equal(w->count[1].entries, 0);
	pass(w, 300 * MS);
	heard(w, 2, 7, MAC(7), NA(0), false);
	all_hold(w, 7, MAC(7));
	assert_int_equal(w->asked[1][NBR_RESOLVED], 1);
	assert_int_equal(w->asked[2][NBR_RESOLVED], 1);
	assert_int_equal(w->asked[3][NBR_RESOLVED], 0);
	assert_true(w->messages <= 2 + (CORES - 1));
	assert_int_equal(w->solicited, 1);
	assert_int_equal(w->count[2].resolved, 1);
	assert_int_equal(w->count[1].incomplete, 0);
	assert_int_equal(w->core[1]->incomplete[1], 0);
	/* An announcement makes nothing READY; the first packet does. */
	assert_false(ready(w, 1, 7));
	assert_int_equal(need(w, 1, 7), NBR_GO);
	assert_true(ready(w, 1, 7));
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_REACHABLE);
}

static void
all_ask(void **state)
{
	struct world *w = *state;

	for (unsigned i = CORES; i >= 1; i--) {
		assert_int_equal(need(w, i, 7), NBR_WAIT);
	}
	assert_int_equal(w->solicited, 1);
	assert_int_equal(w->kind[SEG_MSG_NBR_ASK], CORES - 1);
	heard(w, 3, 7, MAC(7), NA(0), false); /* the answer came to another core: its owner is told */
	all_hold(w, 7, MAC(7));
	assert_int_equal(w->solicited, 1);
	assert_int_equal(w->kind[SEG_MSG_NBR_HEARD], 1);
	assert_int_equal(w->kind[SEG_MSG_NBR_ADD], CORES - 1);
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(w->asked[i][NBR_RESOLVED], 1);
	}
	/* A core that lost the announcement asks, and is told alone, the same version. */
	w->deaf[4] = true;
	assert_int_equal(need(w, 2, 8), NBR_WAIT);
	heard(w, 2, 8, MAC(8), NA(0), false);
	w->deaf[4] = false;
	forget(w);
	assert_int_equal(need(w, 4, 8), NBR_WAIT);
	assert_int_equal(w->messages, 2);
	assert_int_equal(w->asked[4][NBR_RESOLVED], 1);
	all_hold(w, 8, MAC(8));
}

static void
nobody_answers(void **state)
{
	struct world *w = *state;

	assert_int_equal(need(w, 1, 9), NBR_WAIT);
	pass(w, 3 * S + 100 * MS);
	assert_int_equal(w->solicited, 3);
	for (unsigned i = 1; i < 3; i++) {
		uint64_t apart = w->solicited_ns[i] - w->solicited_ns[i - 1];
		assert_true(apart >= S && apart <= S + LATE);
	}
	assert_int_equal(w->asked[1][NBR_UNRESOLVED], 1);
	assert_int_equal(w->asked[2][NBR_UNRESOLVED], 1);
	assert_int_equal(w->kind[SEG_MSG_NBR_FAILED], CORES - 1);
	assert_int_equal(w->count[2].unresolved, 1);
	assert_int_equal(w->count[1].failed, 1);
	forget(w);
	assert_int_equal(need(w, 1, 9), NBR_DEAD);
	assert_int_equal(need(w, 2, 9), NBR_DEAD);
	assert_int_equal(need(w, 3, 9), NBR_WAIT); /* had not asked: asks once, and is told alone */
	assert_int_equal(w->messages, 2);
	assert_int_equal(w->asked[3][NBR_UNRESOLVED], 1);
	assert_int_equal(need(w, 3, 9), NBR_DEAD);
	assert_int_equal(w->solicited, 0);
	pass(w, NBR_FAILED_NS + 100 * MS);
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(w->count[i].failed + w->count[i].incomplete, 0);
		assert_int_equal(w->core[i]->table.used, 0);
	}
	assert_int_equal(need(w, 1, 9), NBR_WAIT);
	assert_int_equal(w->solicited, 1);
}

/* FAILED whose time is over, and that no timer has removed as yet. */
static void
again_after_failed(void **state)
{
	struct world *w = *state;

	assert_int_equal(need(w, 2, 9), NBR_WAIT);
	pass(w, 3 * S + 100 * MS);
	assert_int_equal(need(w, 2, 9), NBR_DEAD);
	w->now += NBR_FAILED_NS;
	assert_int_equal(need(w, 2, 9), NBR_WAIT);
	assert_int_equal(w->solicited, 4);
	heard(w, 2, 9, MAC(9), NA(0), false);
	all_hold(w, 9, MAC(9));
	/* A late answer is taken, too. */
	assert_int_equal(need(w, 2, 10), NBR_WAIT);
	pass(w, 3 * S + 100 * MS);
	assert_int_equal(state_of(w, 2, 10), SEG_NBR_FAILED);
	heard(w, 2, 10, MAC(10), NA(0), false);
	all_hold(w, 10, MAC(10));
}

static void
owner_is_silent(void **state)
{
	struct world *w = *state;

	w->deaf[2] = true;
	assert_int_equal(need(w, 1, 9), NBR_WAIT);
	pass(w, 3 * S + 500 * MS);
	assert_int_equal(w->kind[SEG_MSG_NBR_ASK], 4);
	assert_int_equal(w->count[1].asked, 4);
	assert_int_equal(need(w, 1, 9), NBR_WAIT);
	pass(w, 600 * MS);
	assert_int_equal(w->kind[SEG_MSG_NBR_ASK], 4);
	assert_int_equal(w->asked[1][NBR_UNRESOLVED], 1);
	assert_int_equal(need(w, 1, 9), NBR_DEAD);
	assert_int_equal(w->kind[SEG_MSG_NBR_FAILED], 0);
	assert_int_equal(w->count[1].unresolved, 0);
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

static void
too_many_unresolved(void **state)
{
	struct world *w = *state;

	for (unsigned n = 0; n < 16; n++) {
		assert_int_equal(need(w, 1, n), NBR_WAIT);
	}
	assert_int_equal(need(w, 1, 16), NBR_REFUSED);
	assert_int_equal(w->count[1].limited, 1);
	assert_int_equal(need(w, 2, 17), NBR_REFUSED);
	assert_int_equal(w->count[2].limited, 1);
	/* Another interface has its own count. */
	struct nbr_key key = host(w, 18);
	uint32_t slot;
	key.iface = 2;
	assert_int_equal(nbr_cache_need(w->core[1], &key, w->now, &slot, &w->out[1]), NBR_WAIT);
	heard(w, 2, 3, MAC(3), NA(0), false);
	assert_int_equal(need(w, 1, 16), NBR_WAIT);
	/* All interfaces together take no more than half of the room. */
	w->params.incomplete = 1000;
	for (unsigned n = 20; n < 20 + LIMIT / 2 - 17; n++) {
		assert_int_equal(need(w, 1, n), NBR_WAIT);
	}
	assert_int_equal(need(w, 1, 99), NBR_REFUSED);
	assert_int_equal(w->count[1].limited, 2);
}

static void
too_fast(void **state)
{
	struct world *w = *state;

	w->params.incomplete = 100;
	known(w, 50);
	for (unsigned n = 1; n < 20; n++) {
		assert_int_equal(need(w, 2, n), NBR_WAIT);
	}
	assert_int_equal(need(w, 2, 21), NBR_REFUSED);
	assert_int_equal(w->count[2].paced, 1);
	assert_int_equal(w->count[2].incomplete, 19);
	forget(w);
	/* An ask is refused likewise, and asked again. */
	assert_int_equal(need(w, 1, 22), NBR_WAIT);
	assert_int_equal(w->solicited, 0);
	assert_int_equal(w->count[2].paced, 2);
	/* What is known is refreshed, not paced. */
	w->now += 30 * S;
	w->params.solicit_pps = 0;
	pass(w, 100 * MS);
	assert_int_equal(state_of(w, 2, 50), SEG_NBR_STALE);
	forget(w);
	assert_int_equal(need(w, 2, 50), NBR_GO);
	pass(w, 5 * S + 100 * MS);
	assert_int_equal(state_of(w, 2, 50), SEG_NBR_PROBE);
	assert_true(w->solicited_mac == MAC(50));
}

static void
pace_refills(void **state)
{
	struct world *w = *state;
	unsigned begun = 0;

	w->params.incomplete = 1000;
	w->params.solicitations = 1;
	w->core[2]->limit = 180;
	w->params.solicit_pps = 10;
	for (unsigned n = 0; n < 300; n++) {
		begun += need(w, 2, n) == NBR_WAIT;
		pass(w, 10 * MS);
	}
	/* A second's worth at once, and 10 a second for three. */
	assert_in_range(begun, 10 + 29, 10 + 31);
	assert_int_equal(w->count[2].paced, 300 - begun);
}

/* Whatever interfaces they are asked for on, half of the room is left. */
static void
half_unresolved(void **state)
{
	struct world *w = *state;
	unsigned begun = 0;

	w->params.solicit_pps = 1000;
	w->params.incomplete = 1000;
	pass(w, S);
	for (unsigned core = 1; core <= 2; core++) {
		for (unsigned n = begun = 0; n < LIMIT; n++) {
			begun += need(w, core, n) == NBR_WAIT;
		}
		assert_int_equal(begun, LIMIT / 2);
		assert_int_equal(w->count[core].limited, LIMIT / 2);
	}
	heard(w, 2, 1000, MAC(1000), NBR_HEARD_SENDER, true);
	assert_int_equal(need(w, 2, 1000), NBR_GO);
}

static void
table_full(void **state)
{
	struct world *w = *state;

	w->params.solicit_pps = 1000;
	w->params.incomplete = 1000;
	for (unsigned n = 0; n < LIMIT; n++) {
		heard(w, 2, n, MAC(n), NBR_HEARD_SENDER, true);
		assert_int_equal(need(w, 2, n), NBR_GO);
	}
	assert_int_equal(w->count[2].entries, LIMIT);
	assert_int_equal(w->count[2].learned, LIMIT);
	/* All of them are in use: there is no room for one more, heard or needed. */
	assert_int_equal(need(w, 2, 100), NBR_REFUSED);
	assert_int_equal(w->count[2].no_room, 1);
	heard(w, 2, 101, MAC(101), NBR_HEARD_SENDER, true);
	assert_int_equal(w->count[2].no_room, 2);
	all_hold(w, 101, 0);
	/* One that nobody uses gives way, on all cores. */
	heard(w, 2, 5, MAC(500), NBR_HEARD_SENDER, true);
	assert_int_equal(state_of(w, 2, 5), SEG_NBR_STALE);
	forget(w);
	for (unsigned tries = 0; tries < SLOTS / 64 && need(w, 2, 100) != NBR_WAIT; tries++) {
	}
	assert_int_equal(state_of(w, 2, 100), SEG_NBR_INCOMPLETE);
	assert_int_equal(w->kind[SEG_MSG_NBR_DEL], CORES - 1);
	all_hold(w, 5, 0);
	/* So does one that failed; its core alone has it. */
	pass(w, 3 * S + 100 * MS);
	assert_int_equal(state_of(w, 2, 100), SEG_NBR_FAILED);
	forget(w);
	for (unsigned tries = 0; tries < SLOTS / 64 && need(w, 2, 102) != NBR_WAIT; tries++) {
	}
	assert_int_equal(state_of(w, 2, 102), SEG_NBR_INCOMPLETE);
	assert_int_equal(w->messages, 0);
	assert_int_equal(w->count[2].failed, 0);
}

/* ---- the machine at the owner ----------------------------------------------------------------------------------- */

static void
states_in_time(void **state)
{
	struct world *w = *state;

	known(w, 7);
	pass(w, 30 * S - 100 * MS);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_REACHABLE);
	assert_int_equal(need(w, 2, 7), NBR_GO);
	pass(w, 90 * MS);
	assert_true(ready(w, 2, 7));
	pass(w, 110 * MS);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_STALE);
	assert_int_equal(state_of(w, 1, 7), SEG_NBR_REACHABLE);
	assert_false(ready(w, 2, 7));
	assert_int_equal(w->messages, 0); /* nobody used it: nobody says a word */
	/* Its use begins DELAY, then PROBE. Packets go all the time. */
	assert_int_equal(need(w, 2, 7), NBR_GO);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_DELAY);
	assert_true(ready(w, 2, 7));
	pass(w, 5 * S - 100 * MS);
	assert_int_equal(w->solicited, 0);
	pass(w, 200 * MS);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_PROBE);
	assert_int_equal(w->solicited, 1);
	assert_true(w->solicited_mac == MAC(7));
	assert_int_equal(need(w, 2, 7), NBR_GO);
	pass(w, S);
	assert_int_equal(w->solicited, 2);
	heard(w, 2, 7, MAC(7), NA(0), false);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_REACHABLE);
	assert_int_equal(w->messages, 0);
	pass(w, 29 * S);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_REACHABLE);
	assert_int_equal(w->solicited, 2);
	all_hold(w, 7, MAC(7));
}

static void
silent_neighbour(void **state)
{
	struct world *w = *state;

	known(w, 7);
	pass(w, 30 * S + 100 * MS);
	assert_int_equal(need(w, 2, 7), NBR_GO);
	pass(w, 7 * S + 900 * MS);
	assert_int_equal(w->solicited, 3);
	all_hold(w, 7, MAC(7));
	assert_int_equal(w->count[2].unresolved, 0);
	pass(w, 200 * MS);
	assert_int_equal(w->solicited, 3);
	assert_int_equal(w->kind[SEG_MSG_NBR_DEL], CORES - 1);
	assert_int_equal(w->count[2].unresolved, 1);
	all_hold(w, 7, 0);
	assert_int_equal(w->count[3].tombs, 1);
	/* Where it was deleted it is asked for as any other. */
	forget(w);
	assert_int_equal(need(w, 3, 7), NBR_WAIT);
	assert_int_equal(w->solicited, 1);
	heard(w, 2, 7, MAC(70), NA(0), false);
	all_hold(w, 7, MAC(70));
}

static void
unused_is_deleted(void **state)
{
	struct world *w = *state;

	known(w, 7);
	pass(w, 99 * S);
	all_hold(w, 7, MAC(7));
	pass(w, 2 * S);
	all_hold(w, 7, 0);
	assert_int_equal(w->solicited, 0);
	assert_int_equal(w->count[2].aged, 1);
	assert_int_equal(w->messages, CORES - 1);
}

/* In use on core 3 alone: its owner hears of it once a sweep, probes it, and nobody ever waits. */
static void
use_elsewhere(void **state)
{
	struct world *w = *state;

	for (unsigned n = 1; n <= 4; n++) {
		known(w, n);
	}
	for (unsigned i = 0; i < 150; i++) {
		for (unsigned n = 1; n <= 4; n++) {
			if (!ready(w, 3, n)) {
				assert_int_equal(need(w, 3, n), NBR_GO);
			}
		}
		pass(w, S);
		if (w->solicited_mac) {
			for (unsigned n = 1; n <= 4; n++) {
				if (state_of(w, 2, n) == SEG_NBR_PROBE) {
					heard(w, 2, n, MAC(n), NA(0), false);
				}
			}
		}
	}
	for (unsigned n = 1; n <= 4; n++) {
		all_hold(w, n, MAC(n));
	}
	/* 150 s are 30 sweeps: four entries are two messages. A probe an entry every 35 s or so. */
	assert_in_range(w->kind[SEG_MSG_NBR_USED], 2 * 28, 2 * 31);
	assert_int_equal(w->messages, w->kind[SEG_MSG_NBR_USED]);
	assert_in_range(w->solicited, 4 * 3, 4 * 5);
	assert_int_equal(w->asked[3][NBR_SOLICIT] + w->asked[1][NBR_SOLICIT], 0);
	/* Out of use, it goes. */
	pass(w, 111 * S);
	all_hold(w, 1, 0);
}

/* Between two sweeps use costs nothing; READY is gone after each. */
static void
sweeps(void **state)
{
	struct world *w = *state;

	known(w, 7);
	pass(w, 5100 * MS);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(need(w, 1, 7), NBR_GO);
	}
	assert_int_equal(w->messages, 0);
	pass(w, 5100 * MS);
	assert_int_equal(w->kind[SEG_MSG_NBR_USED], 1);
	assert_false(ready(w, 1, 7));
	pass(w, 10 * S);
	assert_int_equal(w->kind[SEG_MSG_NBR_USED], 1);
	assert_true(line_of(w, 2, 7)->used_ns > START + 5 * S);
}

/* ---- what is heard ---------------------------------------------------------------------------------------------- */

#define ANNOUNCED NBR_HEARD_ANNOUNCED
#define OVERRIDE NBR_HEARD_OVERRIDE
#define ANSWER NBR_HEARD_ANSWER
#define SENDER NBR_HEARD_SENDER

/* RFC 4861 appendix C and 7.2.3, 7.2.5 as rows: what is there, what is heard, what is there then. MAC 1 is the one that is known.
 */
static const struct row {
	unsigned was, flags, mac, becomes, holds;
	bool create, told;
} rows[] = {
	{SEG_NBR_NONE, SENDER, 1, SEG_NBR_STALE, 1, true, true},
	{SEG_NBR_NONE, SENDER, 1, SEG_NBR_NONE, 0, false, false},
	{SEG_NBR_NONE, ANSWER | OVERRIDE, 1, SEG_NBR_NONE, 0, false, false},
	{SEG_NBR_NONE, SENDER | NBR_HEARD_NO_MAC, 1, SEG_NBR_NONE, 0, true, false},
	{SEG_NBR_INCOMPLETE, ANSWER, 1, SEG_NBR_REACHABLE, 1, false, true},
	{SEG_NBR_INCOMPLETE, ANSWER | OVERRIDE, 1, SEG_NBR_REACHABLE, 1, false, true},
	{SEG_NBR_INCOMPLETE, ANNOUNCED, 1, SEG_NBR_DELAY, 1, false, true}, /* STALE, and what waits goes: DELAY */
	{SEG_NBR_INCOMPLETE, SENDER, 1, SEG_NBR_DELAY, 1, true, true},
	{SEG_NBR_INCOMPLETE, ANSWER | NBR_HEARD_NO_MAC, 1, SEG_NBR_INCOMPLETE, 0, false, false},
	{SEG_NBR_REACHABLE, SENDER, 1, SEG_NBR_REACHABLE, 1, true, false},
	{SEG_NBR_REACHABLE, SENDER, 2, SEG_NBR_STALE, 2, true, true},
	{SEG_NBR_REACHABLE, ANSWER, 2, SEG_NBR_STALE, 1, false, false},
	{SEG_NBR_REACHABLE, ANNOUNCED, 2, SEG_NBR_STALE, 1, false, false},
	{SEG_NBR_REACHABLE, ANNOUNCED | OVERRIDE, 2, SEG_NBR_STALE, 2, false, true},
	{SEG_NBR_REACHABLE, ANNOUNCED | OVERRIDE, 1, SEG_NBR_REACHABLE, 1, false, false},
	{SEG_NBR_REACHABLE, ANSWER | OVERRIDE, 2, SEG_NBR_REACHABLE, 2, false, true},
	{SEG_NBR_STALE, SENDER, 1, SEG_NBR_STALE, 1, true, false},
	{SEG_NBR_STALE, SENDER, 2, SEG_NBR_STALE, 2, true, true},
	{SEG_NBR_STALE, ANSWER, 1, SEG_NBR_REACHABLE, 1, false, false},
	{SEG_NBR_STALE, ANSWER, 2, SEG_NBR_STALE, 1, false, false},
	{SEG_NBR_STALE, ANSWER | NBR_HEARD_NO_MAC, 2, SEG_NBR_REACHABLE, 1, false, false},
	{SEG_NBR_STALE, ANNOUNCED, 1, SEG_NBR_STALE, 1, false, false},
	{SEG_NBR_DELAY, ANSWER, 1, SEG_NBR_REACHABLE, 1, false, false},
	{SEG_NBR_DELAY, SENDER, 2, SEG_NBR_STALE, 2, true, true},
	{SEG_NBR_DELAY, ANSWER, 2, SEG_NBR_DELAY, 1, false, false},
	{SEG_NBR_PROBE, ANSWER, 1, SEG_NBR_REACHABLE, 1, false, false},
	{SEG_NBR_PROBE, ANSWER | NBR_HEARD_NO_MAC, 1, SEG_NBR_REACHABLE, 1, false, false},
	{SEG_NBR_PROBE, ANSWER, 2, SEG_NBR_PROBE, 1, false, false},
	{SEG_NBR_PROBE, ANSWER | OVERRIDE, 2, SEG_NBR_REACHABLE, 2, false, true},
	{SEG_NBR_PROBE, ANNOUNCED | OVERRIDE, 2, SEG_NBR_STALE, 2, false, true},
	{SEG_NBR_PROBE, SENDER, 1, SEG_NBR_PROBE, 1, true, false},
	{SEG_NBR_PROBE, ANSWER | NBR_HEARD_ROUTER, 1, SEG_NBR_REACHABLE, 1, false, true},
	{SEG_NBR_PERMANENT, SENDER, 2, SEG_NBR_PERMANENT, 1, true, false},
	{SEG_NBR_PERMANENT, ANSWER | OVERRIDE, 2, SEG_NBR_PERMANENT, 1, false, false},
	{SEG_NBR_PERMANENT, ANNOUNCED | OVERRIDE, 2, SEG_NBR_PERMANENT, 1, false, false},
};

static void
bring(struct world *w, unsigned n, unsigned state)
{
	struct seg_msg set = msg_of(w, SEG_MSG_NBR_SET, 0, n, MAC(1) << 16 | SEG_NBR_PERMANENT, 0);

	if (state == SEG_NBR_PERMANENT) {
		receive(w, 2, &set);
	} else if (state != SEG_NBR_NONE) {
		assert_int_equal(need(w, 2, n), NBR_WAIT);
	}
	if (state >= SEG_NBR_REACHABLE && state <= SEG_NBR_PROBE) {
		heard(w, 2, n, MAC(1), NA(0), false);
	}
	if (state >= SEG_NBR_STALE && state <= SEG_NBR_PROBE) {
		pass(w, 31 * S);
	}
	if (state == SEG_NBR_DELAY || state == SEG_NBR_PROBE) {
		assert_int_equal(need(w, 2, n), NBR_GO);
	}
	if (state == SEG_NBR_PROBE) {
		pass(w, 5500 * MS);
	}
	assert_int_equal(state_of(w, 2, n), state);
}

/* Each row, heard by the owner and by another core. */
static void
heard_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i / 2];
		struct world *w = world_new(i / 4 % 2 ? SEG_IPV4 : SEG_IPV6);
		bring(w, 1, row->was);
		forget(w);
		heard(w, i % 2 ? 3 : 2, 1, row->flags & NBR_HEARD_NO_MAC ? 0 : MAC(row->mac), row->flags, row->create);
		if (state_of(w, 2, 1) != row->becomes) {
			fail_msg("row %u: becomes %u, not %u", i / 2, state_of(w, 2, 1), row->becomes);
		}
		all_hold(w, 1, row->holds ? MAC(row->holds) : 0);
		assert_int_equal(w->kind[SEG_MSG_NBR_ADD], row->told ? CORES - 1 : 0);
		assert_true(w->messages <= w->kind[SEG_MSG_NBR_ADD] + i % 2);
		assert_int_equal(w->asked[2][NBR_RESOLVED], row->was == SEG_NBR_INCOMPLETE && row->holds);
		assert_int_equal(w->count[i % 2 ? 3 : 2].heard,
			row->was >= SEG_NBR_REACHABLE && row->was <= SEG_NBR_PROBE && !(i % 2) ? 2 : 1);
		assert_int_equal(!!(line_of(w, 4, 1)->value & SEG_NBR_ROUTER), !!(row->flags & NBR_HEARD_ROUTER));
		assert_false(state_of(w, 2, 1) == SEG_NBR_STALE && ready(w, 2, 1));
		world_free(w);
	}
}

static void
router_flag(void **state)
{
	struct world *w = *state;

	known(w, 7);
	heard(w, 2, 7, MAC(7), SENDER | NBR_HEARD_ROUTER, true);
	assert_true(line_of(w, 1, 7)->value & SEG_NBR_ROUTER);
	assert_int_equal(w->messages, CORES - 1);
	assert_int_equal(w->count[2].changed, 0);
	heard(w, 2, 7, MAC(7), SENDER, true); /* an NS says nothing about that */
	heard(w, 1, 7, MAC(7), SENDER | NBR_HEARD_ROUTER, true);
	assert_int_equal(w->messages, CORES - 1);
	heard(w, 1, 7, MAC(7), ANSWER | NBR_HEARD_HOST, true);
	assert_false(line_of(w, 4, 7)->value & SEG_NBR_ROUTER);
	all_hold(w, 7, MAC(7));
}

/* A packet's way changes with the announcement, at once, and no core has to look twice. */
static void
moves_while_ready(void **state)
{
	struct world *w = *state;

	known(w, 7);
	assert_int_equal(need(w, 3, 7), NBR_GO);
	heard(w, 4, 7, MAC(77), ANNOUNCED | OVERRIDE, false);
	all_hold(w, 7, MAC(77));
	assert_true(ready(w, 3, 7));
	assert_int_equal(w->count[2].changed, 1);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_STALE);
	pass(w, 6 * S); /* the hint */
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_DELAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(one_asks),
		BOTH(all_ask),
		BOTH(nobody_answers),
		BOTH(again_after_failed),
		BOTH(owner_is_silent),
		BOTH(too_many_unresolved),
		BOTH(too_fast),
		BOTH(pace_refills),
		BOTH(half_unresolved),
		BOTH(table_full),
		BOTH(states_in_time),
		BOTH(silent_neighbour),
		BOTH(unused_is_deleted),
		BOTH(use_elsewhere),
		BOTH(sweeps),
		cmocka_unit_test(heard_rows),
		BOTH(router_flag),
		BOTH(moves_while_ready),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
