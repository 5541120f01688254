/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/nbr.c lib/nbr/cache.c lib/nbr/cache_input.c lib/nbr/cache_time.c */
/* How the cores stay equal: the operator, versions, full rings, other owners, a core that stood still. */
#include "nbr_world.h"

/* ---- the operator ----------------------------------------------------------------------------------------------- */

static void
set_and_unset(void **state)
{
	struct world *w = *state;
	struct seg_msg set = msg_of(w, SEG_MSG_NBR_SET, 0, 7, MAC(7) << 16 | SEG_NBR_PERMANENT, 0);
	struct seg_msg unset = msg_of(w, SEG_MSG_NBR_UNSET, 0, 7, 0, 0);

	assert_int_equal(need(w, 3, 7), NBR_WAIT);
	forget(w);
	receive(w, 2, &set);
	all_hold(w, 7, MAC(7));
	assert_int_equal(w->messages, CORES - 1);
	assert_int_equal(w->asked[3][NBR_RESOLVED], 1);
	assert_int_equal(w->count[4].permanent, 1);
	pass(w, 300 * S);
	all_hold(w, 7, MAC(7));
	assert_int_equal(w->solicited, 0);
	receive(w, 2, &unset);
	all_hold(w, 7, 0);
	receive(w, 2, &unset);
	assert_int_equal(w->kind[SEG_MSG_NBR_DEL], CORES - 1);
	/* "nud reachable", "nud stale": then it lives as any other. */
	set.word[2] = MAC(70) << 16 | SEG_NBR_REACHABLE;
	receive(w, 2, &set);
	all_hold(w, 7, MAC(70));
	assert_int_equal(w->count[2].permanent, 0);
	pass(w, 31 * S);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_STALE);
	set.word[2] = MAC(71) << 16 | SEG_NBR_STALE;
	receive(w, 2, &set);
	all_hold(w, 7, MAC(71));
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_STALE);
	pass(w, 110 * S);
	all_hold(w, 7, 0);
	/* What waits is given up. */
	assert_int_equal(need(w, 3, 8), NBR_WAIT);
	unset = msg_of(w, SEG_MSG_NBR_UNSET, 0, 8, 0, 0);
	forget(w);
	receive(w, 2, &unset);
	assert_int_equal(w->asked[3][NBR_UNRESOLVED], 1);
	assert_int_equal(w->asked[2][NBR_UNRESOLVED], 1);
	/* One who had not heard of it learned otherwise: the operator's stands. */
	set = msg_of(w, SEG_MSG_NBR_SET, 0, 9, MAC(9) << 16 | SEG_NBR_PERMANENT, 0);
	receive(w, 2, &set);
	struct seg_msg add = msg_of(w, SEG_MSG_NBR_ADD, 1, 9, MAC(99) << 16 | SEG_NBR_REACHABLE, 0xffff01);
	for (unsigned i = 2; i <= CORES; i++) {
		receive(w, i, &add);
	}
	receive(w, 1, &add);
	all_hold(w, 9, MAC(9));
}

static void
flush(struct world *w, unsigned n, unsigned length, unsigned flags, uint32_t iface)
{
	struct seg_msg msg = msg_of(w, SEG_MSG_NBR_FLUSH, 0, n, (uint64_t)length << 16 | flags, 0);
	msg.word[3] = (uint64_t)w->family << 32 | iface;
	for (unsigned i = 1; i <= CORES; i++) {
		receive(w, i, &msg);
	}
}

static void
flushes(void **state)
{
	struct world *w = *state;
	unsigned all = w->family == SEG_IPV4 ? 32 : 128;
	struct seg_msg set = msg_of(w, SEG_MSG_NBR_SET, 0, 40, MAC(40) << 16 | SEG_NBR_PERMANENT, 0);

	receive(w, 2, &set);
	for (unsigned n = 1; n <= 16; n++) {
		known(w, n);
	}
	assert_int_equal(need(w, 3, 50), NBR_WAIT);
	forget(w);
	flush(w, 5, all, 0, 2);
	assert_int_equal(w->messages, 0);
	flush(w, 5, all, 0, 1);
	all_hold(w, 5, 0);
	assert_int_equal(w->messages, CORES - 1);
	flush(w, 8, all - 3, 0, 0); /* 8..15 */
	assert_int_equal(w->count[3].entries, 1 + 16 - 1 - 8);
	all_hold(w, 7, MAC(7));
	all_hold(w, 16, MAC(16));
	heard(w, 2, 3, MAC(33), NBR_HEARD_SENDER, true);
	flush(w, 0, 0, SEG_NBR_STALE << NBR_FLUSH_STATE_SHIFT, 1);
	all_hold(w, 3, 0);
	assert_int_equal(w->count[3].entries, 7);
	flush(w, 0, 0, 0, 0);
	assert_int_equal(w->count[3].entries, 1);
	all_hold(w, 40, MAC(40));
	flush(w, 0, 0, NBR_FLUSH_PERMANENT, 0);
	all_hold(w, 40, 0);
	assert_int_equal(w->count[3].entries, 0);
	/* What was being asked for goes on. */
	assert_int_equal(state_of(w, 3, 50), SEG_NBR_INCOMPLETE);
	heard(w, 2, 50, MAC(50), NA(0), false);
	all_hold(w, 50, MAC(50));
}

/* More than a list holds: what it had no room for is owed. */
static void
flush_of_many(void **state)
{
	struct world *w = *state;

	w->params.solicit_pps = 1000;
	w->params.incomplete = 1000;
	w->core[2]->limit = 150;
	pass(w, S);
	for (unsigned n = 1; n <= 120; n++) {
		known(w, n);
	}
	flush(w, 0, 0, 0, 0);
	assert_int_equal(w->count[2].entries, 0);
	assert_true(w->count[1].entries > 0);
	assert_true(w->core[2]->owing > 0);
	pay(w, 2);
	for (unsigned n = 1; n <= 120; n++) {
		all_hold(w, n, 0);
	}
}

/* ---- versions --------------------------------------------------------------------------------------------------- */

/* All orders of announcements of one key end in the same. */
static void
orders(struct world *w, const struct seg_msg *msg, unsigned n, unsigned taken, const struct seg_msg **order, unsigned depth)
{
	for (unsigned i = 0; i < n && depth < n; i++) {
		if (!(taken & 1u << i)) {
			order[depth] = &msg[i];
			orders(w, msg, n, taken | 1u << i, order, depth + 1);
		}
	}
	if (depth < n) {
		return;
	}
	struct world *one = world_new(w->family);
	for (unsigned i = 0; i < n; i++) {
		receive(one, 3, order[i]);
		if (i == n / 2) {
			uint32_t slot;
			struct nbr_key key = host(one, 7);
			/* A packet in the midst of it changes nothing in the end. */
			(void)nbr_cache_need(one->core[3], &key, one->now, &slot, &one->out[3]);
		}
	}
	assert_true(mac_of(one, 3, 7) == MAC(4));
	assert_int_equal(line_of(one, 3, 7)->stamp, 0x904);
	assert_int_equal(one->count[3].entries, 1);
	world_free(one);
}

static void
any_order(void **state)
{
	struct world *w = *state;
	const struct seg_msg *order[5];
	const struct seg_msg msg[5] = {
		msg_of(w, SEG_MSG_NBR_ADD, 1, 7, MAC(1) << 16 | SEG_NBR_REACHABLE, 0x501),
		msg_of(w, SEG_MSG_NBR_DEL, 1, 7, 0, 0x601),
		msg_of(w, SEG_MSG_NBR_ADD, 2, 7, MAC(2) << 16 | SEG_NBR_PERMANENT, 0x602),
		msg_of(w, SEG_MSG_NBR_DEL, 2, 7, 0, 0x802),
		msg_of(w, SEG_MSG_NBR_ADD, 4, 7, MAC(4) << 16 | SEG_NBR_REACHABLE, 0x904),
	};
	orders(w, msg, 5, 0, order, 0);
}

static void
tombstones(void **state)
{
	struct world *w = *state;
	struct seg_msg old = msg_of(w, SEG_MSG_NBR_ADD, 1, 7, MAC(1) << 16 | SEG_NBR_REACHABLE, 0x501);
	struct seg_msg del = msg_of(w, SEG_MSG_NBR_DEL, 1, 7, 0, 0x601);

	receive(w, 3, &del);
	receive(w, 3, &old);
	assert_int_equal(mac_of(w, 3, 7), 0);
	/* What is being asked for in its place, and fails, still keeps the older announcement out. */
	assert_int_equal(need(w, 3, 7), NBR_WAIT);
	receive(w, 3, &old);
	assert_int_equal(state_of(w, 3, 7), SEG_NBR_INCOMPLETE);
	pass(w, 5 * S);
	assert_int_equal(w->count[3].tombs, 1);
	receive(w, 3, &old);
	assert_int_equal(mac_of(w, 3, 7), 0);
	/* Five grace periods. */
	seg_put(&w->control->grace, 4u);
	pass(w, 100 * MS);
	assert_int_equal(w->count[3].tombs, 1);
	seg_put(&w->control->grace, 5u);
	pass(w, 100 * MS);
	assert_int_equal(w->count[3].tombs, 0);
	assert_int_equal(w->core[3]->table.used, 0);
}

static void
full_rings(void **state)
{
	struct world *w = *state;
	struct seg_msg unset;

	w->params.solicit_pps = 1000;
	w->params.incomplete = 100;
	pass(w, S);
	known(w, 1);
	known(w, 2);
	w->deaf[3] = true;
	for (unsigned n = 10; n < 40; n++) {
		assert_int_equal(need(w, 2, n), NBR_WAIT);
		heard(w, 2, n, MAC(n), NA(0), false);
	}
	unset = msg_of(w, SEG_MSG_NBR_UNSET, 0, 1, 0, 0);
	receive(w, 2, &unset);
	unset = msg_of(w, SEG_MSG_NBR_UNSET, 0, 2, 0, 0);
	receive(w, 2, &unset);
	assert_int_equal(need(w, 2, 11), NBR_GO);
	w->now += S;
	assert_int_equal(need(w, 2, 2), NBR_WAIT); /* asked for again: its deletion is owed all the same */
	for (unsigned i = 0; i < 3; i++) {
		nbr_cache_ring_full(w->core[2], 3, 0);
	}
	assert_int_equal(w->core[2]->owing, 1);
	assert_int_equal(w->count[2].resyncs, 1);
	w->deaf[3] = false;
	pay(w, 2);
	all_hold(w, 1, 0);
	all_hold(w, 2, 0);
	all_hold(w, 11, MAC(11));
	all_hold(w, 39, MAC(39));
}

/* It repeats what it announced itself; and from the start, when the ring was full again. */
static void
debts(void **state)
{
	struct world *w = *state;
	struct seg_msg other = msg_of(w, SEG_MSG_NBR_ADD, 1, 50, MAC(50) << 16 | SEG_NBR_REACHABLE, 0x1101);
	struct nbr_out out = {0};

	for (unsigned n = 1; n <= 10; n++) {
		known(w, n);
	}
	receive(w, 2, &other);
	forget(w);
	nbr_cache_ring_full(w->core[2], 3, 0);
	pay(w, 2);
	assert_int_equal(w->messages, 10);
	forget(w);
	nbr_cache_ring_full(w->core[2], 3, 0);
	nbr_cache_resync(w->core[2], 3, 5, w->now, &out);
	assert_int_equal(out.nmsg, 5); /* and all five are lost */
	nbr_cache_ring_full(w->core[2], 3, 0);
	pay(w, 2);
	assert_int_equal(w->messages, 5 + 10);
	assert_int_equal(w->count[2].resyncs, 2);
	/* What is older than all that was lost is not repeated. */
	forget(w);
	nbr_cache_ring_full(w->core[2], 3, line_of(w, 2, 9)->stamp);
	pay(w, 2);
	assert_int_equal(w->messages, 2);
	forget(w);
	nbr_cache_ring_full(w->core[2], 3, line_of(w, 2, 10)->stamp);
	nbr_cache_ring_full(w->core[2], 3, line_of(w, 2, 8)->stamp);
	nbr_cache_ring_full(w->core[2], 3, line_of(w, 2, 9)->stamp);
	pay(w, 2);
	assert_int_equal(w->messages, 1 + 3);
}

/* Tables that a fault has made different agree again when the control core asks for it: the owner's word stands. */
static void
repaired(void **state)
{
	struct world *w = *state;
	struct seg_msg again = msg_of(w, SEG_MSG_NBR_AGAIN, 0, 0, 0, 0);

	for (unsigned n = 1; n <= 10; n++) {
		known(w, n);
	}
	const struct nbr_key lost = host(w, 3), wrong = host(w, 7);
	nbr_remove(&w->core[3]->table, nbr_find(&w->core[3]->table, &lost));
	uint32_t slot = nbr_find(&w->core[4]->table, &wrong);
	struct seg_nbr entry = w->core[4]->table.slot[slot];
	entry.value = (entry.value & 0xffff) | MAC(99) << 16;
	nbr_update(&w->core[4]->table, slot, &entry);
	for (unsigned i = 1; i <= CORES; i++) {
		receive(w, i, &again);
	}
	for (unsigned i = 1; i <= CORES; i++) {
		pay(w, i);
	}
	for (unsigned n = 1; n <= 10; n++) {
		all_hold(w, n, MAC(n));
	}
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(w->count[i].digest, w->count[2].digest);
	}
}

/* A table without room counts it, and asks for all again when there is some. */
static void
no_room(void **state)
{
	struct world *w = *state;

	for (unsigned n = 1; w->core[3]->table.used < SLOTS / 4 * 3; n++) {
		struct seg_msg del = msg_of(w, SEG_MSG_NBR_DEL, 1, 1000 + n, 0, (uint64_t)n << 8 | 1);
		receive(w, 3, &del);
	}
	struct seg_msg gone = msg_of(w, SEG_MSG_NBR_DEL, 1, 8, 0, 0x10001),
		       old = msg_of(w, SEG_MSG_NBR_ADD, 1, 8, MAC(8) << 16, 0x9001);
	receive(w, 3, &gone);
	assert_int_equal(w->count[3].no_room, 1);
	assert_int_equal(need(w, 2, 7), NBR_WAIT);
	heard(w, 2, 7, MAC(7), NA(0), false);
	assert_int_equal(mac_of(w, 2, 7), MAC(7));
	assert_int_equal(mac_of(w, 3, 7), 0);
	assert_int_equal(need(w, 3, 9), NBR_REFUSED);
	/* There is room now, but the deletion that was lost still keeps out what is older, until grace periods have passed. */
	seg_put(&w->control->grace, 5u);
	w->core[3]->missed_grace = 5;
	pass(w, 200 * MS);
	assert_int_equal(w->count[3].tombs, 0);
	receive(w, 3, &old);
	assert_int_equal(mac_of(w, 3, 8), 0);
	assert_int_equal(w->core[3]->owing, 0);
	seg_put(&w->control->grace, 10u);
	pass(w, 200 * MS);
	assert_int_equal(w->core[3]->owing, CORES - 1);
	pay(w, 3);
	pay(w, 2);
	assert_int_equal(mac_of(w, 3, 7), MAC(7));
	assert_true(w->count[3].digest == w->count[2].digest);
}

/* ---- other owners ----------------------------------------------------------------------------------------------- */

static void
entries_are_adopted(void **state)
{
	struct world *w = *state;
	uint64_t digest;

	known(w, 7);
	known(w, 8);
	pass(w, 10 * S);
	assert_int_equal(need(w, 2, 7), NBR_GO);
	digest = w->count[1].digest;
	owner_becomes(w, 3);
	w->down[2] = true;
	pass(w, 100 * MS);
	assert_int_equal(w->count[3].adopted, 2);
	assert_int_equal(w->messages, 0);
	all_hold(w, 7, MAC(7));
	assert_true(w->count[3].digest == digest);
	/* IPv4 as long as it is confirmed, IPv6 at once. */
	assert_int_equal(state_of(w, 3, 7), w->family == SEG_IPV4 ? SEG_NBR_REACHABLE : SEG_NBR_STALE);
	pass(w, 20 * S);
	assert_int_equal(state_of(w, 3, 7), SEG_NBR_STALE);
	assert_int_equal(need(w, 3, 7), NBR_GO);
	pass(w, 5100 * MS);
	assert_int_equal(w->asked[3][NBR_SOLICIT], 1);
	heard(w, 4, 7, MAC(7), NA(0), false);
	assert_int_equal(state_of(w, 3, 7), SEG_NBR_REACHABLE);
	/* The one that stood still finds that it owns nothing: it asks and deletes nothing, though all its timers are over. */
	w->down[2] = false;
	forget(w);
	pass(w, 95 * S);
	assert_int_equal(w->asked[2][NBR_SOLICIT], 0);
	assert_int_equal(w->count[2].aged + w->count[2].unresolved, 0);
	assert_int_equal(state_of(w, 2, 7), w->count[2].entries ? SEG_NBR_REACHABLE : SEG_NBR_NONE);
	/* Unused since it was adopted. */
	assert_int_equal(w->count[3].aged, 1);
	all_hold(w, 8, 0);
}

/* Whoever waits asks the new owner; what the old one was resolving goes on; the packet is not lost. */
static void
resolution_goes_on(void **state)
{
	struct world *w = *state;

	assert_int_equal(need(w, 1, 7), NBR_WAIT);
	assert_int_equal(need(w, 3, 8), NBR_WAIT);
	assert_int_equal(need(w, 2, 9), NBR_WAIT);
	pass(w, 500 * MS);
	forget(w);
	owner_becomes(w, 3);
	pass(w, 50 * MS);
	assert_int_equal(w->asked[3][NBR_SOLICIT], 3); /* 7: core 1 asks it; 8: its own; 9: the old owner asks it */
	assert_int_equal(w->asked[2][NBR_SOLICIT], 0);
	assert_int_equal(w->kind[SEG_MSG_NBR_ASK], 1 + 3); /* core 1, and the old owner for all that it was resolving */
	for (unsigned n = 7; n <= 9; n++) {
		heard(w, 3, n, MAC(n), NA(0), false);
		all_hold(w, n, MAC(n));
	}
	assert_int_equal(w->asked[1][NBR_RESOLVED], 1);
	assert_int_equal(w->asked[3][NBR_RESOLVED], 3);
	assert_int_equal(w->asked[2][NBR_RESOLVED], 3);
	pass(w, 5 * S);
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(w->asked[i][NBR_UNRESOLVED], 0);
		assert_int_equal(w->count[i].incomplete + w->count[i].failed, 0);
	}
}

/* An ask, and what was heard, arrive where the owner was; a failure of the old owner says nothing. */
static void
ownership_races(void **state)
{
	struct world *w = *state;
	struct seg_msg ask = msg_of(w, SEG_MSG_NBR_ASK, 1, 7, 0, 0), failed;

	known(w, 8);
	owner_becomes(w, 3);
	ask.to = 2;
	ask.cause = 77;
	receive(w, 2, &ask);
	assert_int_equal(w->kind[SEG_MSG_NBR_ASK], 1);
	assert_int_equal(w->asked[3][NBR_SOLICIT], 1);
	assert_int_equal(need(w, 1, 7), NBR_WAIT);
	failed = msg_of(w, SEG_MSG_NBR_FAILED, 2, 7, 0, 0);
	receive(w, 1, &failed);
	assert_int_equal(state_of(w, 1, 7), SEG_NBR_INCOMPLETE);
	/* An asker that no tick has told of the change is answered, although it was the old owner that passed it on. */
	forget(w);
	ask = msg_of(w, SEG_MSG_NBR_ASK, 4, 8, 0, 0);
	receive(w, 2, &ask);
	assert_int_equal(w->kind[SEG_MSG_NBR_ASK], 1);
	assert_int_equal(w->kind[SEG_MSG_NBR_ADD], 1);
	struct seg_msg told = msg_of(w, SEG_MSG_NBR_HEARD, 1, 8, MAC(88) << 16 | NBR_HEARD_SENDER | 0x8000, 0);
	receive(w, 2, &told);
	all_hold(w, 8, MAC(88));
	failed = msg_of(w, SEG_MSG_NBR_FAILED, 3, 7, 0, 0);
	receive(w, 1, &failed);
	assert_int_equal(state_of(w, 1, 7), SEG_NBR_FAILED);
}

/* The owner asked its predecessor, became the owner, was asked by others, and is answered by the predecessor alone. */
static void
late_answer_for_the_new_owner(void **state)
{
	struct world *w = *state;

	w->deaf[3] = true;
	w->deaf[1] = true;
	assert_int_equal(need(w, 2, 7), NBR_WAIT);
	heard(w, 2, 7, MAC(7), NA(0), false);
	uint64_t stamp = line_of(w, 2, 7)->stamp;
	w->deaf[3] = false;
	w->deaf[1] = false;
	w->deaf[2] = true;
	assert_int_equal(need(w, 3, 7), NBR_WAIT);
	owner_becomes(w, 3);
	assert_int_equal(need(w, 1, 7), NBR_WAIT);
	struct seg_msg add = msg_of(w, SEG_MSG_NBR_ADD, 2, 7, MAC(7) << 16 | SEG_NBR_REACHABLE, stamp);
	add.to = 3;
	receive(w, 3, &add);
	assert_int_equal(w->asked[3][NBR_RESOLVED], 1);
	assert_int_equal(w->asked[1][NBR_RESOLVED], 1);
	all_hold(w, 7, MAC(7));
}

/* What the former owner deleted must not take with it what the new one was given meanwhile; what the operator deletes goes. */
static void
given_meanwhile(void **state)
{
	struct world *w = *state;
	struct seg_msg set = msg_of(w, SEG_MSG_NBR_SET, 0, 7, MAC(70) << 16 | SEG_NBR_PERMANENT, 0);
	struct seg_msg gone = msg_of(w, SEG_MSG_NBR_DEL, 1, 7, 0, 0x5001);

	known(w, 7);
	receive(w, 2, &set);
	for (unsigned i = 1; i <= CORES; i++) {
		receive(w, 1 + i % CORES, &gone); /* made before its maker heard of it, but with a clock ahead */
	}
	all_hold(w, 7, MAC(70));
	assert_int_equal(w->count[3].permanent, 1);
	gone.stamp = 0x50001;
	gone.word[2] = SEG_NBR_PERMANENT;
	for (unsigned i = 1; i <= CORES; i++) {
		receive(w, i, &gone);
	}
	all_hold(w, 7, 0);
	/* Such a deletion is told as what it is, by its maker and when it is repeated. */
	set.word[2] = MAC(71) << 16 | SEG_NBR_PERMANENT;
	receive(w, 2, &set);
	w->deaf[3] = true;
	struct seg_msg unset = msg_of(w, SEG_MSG_NBR_UNSET, 0, 7, 0, 0);
	receive(w, 2, &unset);
	owner_becomes(w, 3);
	nbr_cache_ring_full(w->core[2], 3, 0);
	w->deaf[3] = false;
	assert_int_equal(mac_of(w, 3, 7), MAC(71));
	pay(w, 2);
	all_hold(w, 7, 0);
}

/* The operator's word reached a core when it was the owner no more, and had not heard what the new owner said since. */
static void
given_to_the_former_owner(void **state)
{
	struct world *w = *state;
	struct seg_msg set = msg_of(w, SEG_MSG_NBR_SET, 0, 7, MAC(70) << 16 | SEG_NBR_PERMANENT, 0);
	struct seg_msg unset = msg_of(w, SEG_MSG_NBR_UNSET, 0, 7, 0, 0);

	receive(w, 2, &set);
	w->deaf[3] = true;
	receive(w, 2, &set);
	receive(w, 2, &set);
	w->deaf[3] = false;
	receive(w, 3, &unset);
	all_hold(w, 7, 0);
}

/* An asker holds a deletion that its owner never saw, since its maker is lost: the owner's word must still reach it. */
static void
deletion_of_a_lost_core(void **state)
{
	struct world *w = *state;
	struct seg_msg gone = msg_of(w, SEG_MSG_NBR_DEL, 1, 7, 0, 0x9901);

	known(w, 7);
	receive(w, 3, &gone);
	assert_int_equal(need(w, 3, 7), NBR_WAIT);
	assert_int_equal(w->asked[3][NBR_RESOLVED], 1);
	all_hold(w, 7, MAC(7));
}

/* An ASK that its ring had no room for is tried again soon, and is none of the four. */
static void
asks_that_found_no_room(void **state)
{
	struct world *w = *state;
	struct seg_msg ask = msg_of(w, SEG_MSG_NBR_ASK, 1, 7, 1, 0);

	w->deaf[2] = true;
	assert_int_equal(need(w, 1, 7), NBR_WAIT);
	nbr_cache_unasked(w->core[1], &ask, w->now);
	w->deaf[2] = false;
	forget(w);
	pass(w, 100 * MS);
	assert_int_equal(w->kind[SEG_MSG_NBR_ASK], 1);
	assert_int_equal(w->solicited, 1);
	/* For as long as four of them take; then four more, and no longer. */
	w->deaf[2] = true;
	owner_becomes(w, 4);
	w->deaf[4] = true;
	for (unsigned i = 0; i < 90; i++) {
		pass(w, 100 * MS);
		nbr_cache_unasked(w->core[1], &ask, w->now);
	}
	assert_int_equal(w->asked[1][NBR_UNRESOLVED], 1);
}

/* ---- a core that stood still ------------------------------------------------------------------------------------ */

static void
mercy(void **state)
{
	struct world *w = *state;

	known(w, 7);
	known(w, 8);
	pass(w, 31 * S);
	assert_int_equal(need(w, 2, 7), NBR_GO);
	pass(w, 5100 * MS);
	assert_int_equal(state_of(w, 2, 7), SEG_NBR_PROBE);
	pass(w, 2 * S);
	assert_int_equal(w->asked[2][NBR_SOLICIT], 3);
	/* All that it was waiting for is over, and so are 100 s of disuse: but it was not there to see. */
	w->down[2] = true;
	w->deaf[2] = true;
	pass(w, 70 * S);
	w->down[2] = false;
	w->deaf[2] = false;
	forget(w);
	pass(w, 100 * MS);
	all_hold(w, 7, MAC(7));
	all_hold(w, 8, MAC(8));
	assert_int_equal(w->asked[2][NBR_SOLICIT], 1);
	assert_int_equal(need(w, 1, 8), NBR_GO);
	heard(w, 2, 7, MAC(7), NA(0), false);
	pass(w, 5100 * MS);
	all_hold(w, 7, MAC(7));
	all_hold(w, 8, MAC(8));
	assert_true(
		state_of(w, 2, 8) == SEG_NBR_DELAY || state_of(w, 2, 8) == SEG_NBR_PROBE); /* its use elsewhere has been told */
}

static void
idle_cores_sleep(void **state)
{
	struct world *w = *state;

	assert_int_equal(nbr_cache_next(w->core[1], w->now), w->now + S);
	assert_int_equal(need(w, 2, 7), NBR_WAIT);
	uint64_t next = nbr_cache_next(w->core[2], w->now);
	assert_true(next <= w->now + S + LATE);
	w->params.retrans_ns = 200 * MS;
	assert_int_equal(need(w, 2, 8), NBR_WAIT);
	next = nbr_cache_next(w->core[2], w->now);
	assert_in_range(next - w->now, 200 * MS, 200 * MS + LATE);
	w->now = next;
	nbr_cache_tick(w->core[2], w->now, &w->out[2]);
	deliver(w, 2);
	assert_int_equal(w->solicited, 3);
	owner_becomes(w, 3);
	assert_true(nbr_cache_next(w->core[2], w->now) <= w->now + MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(set_and_unset),
		BOTH(flushes),
		BOTH(flush_of_many),
		BOTH(any_order),
		BOTH(tombstones),
		BOTH(full_rings),
		BOTH(debts),
		BOTH(repaired),
		BOTH(no_room),
		BOTH(entries_are_adopted),
		BOTH(resolution_goes_on),
		BOTH(ownership_races),
		BOTH(late_answer_for_the_new_owner),
		BOTH(given_meanwhile),
		BOTH(given_to_the_former_owner),
		BOTH(deletion_of_a_lost_core),
		BOTH(asks_that_found_no_room),
		BOTH(mercy),
		BOTH(idle_cores_sleep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
