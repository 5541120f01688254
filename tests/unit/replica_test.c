/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/fdb/fdb.c lib/fdb/replica.c lib/fdb/replica_time.c lib/core/grace.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/grace.h"
#include "fdb/replica.h"
#include "shm/ring.h"

#define CORES 3
#define BUCKETS 96
#define LIMIT 256
#define NOW 1000000000000ull
#define MS 1000000ull
#define KEY(n) fdb_key(0x020000000000 + (n), 1)

struct world {
	struct seg_control *control;
	struct replica *core[CORES + 1];
	struct seg_fdb_count count[CORES + 1];
	struct replica_out out;
};

static void *
zeroed(size_t size)
{
	void *memory = aligned_alloc(SEG_LINE, (size + SEG_LINE - 1) / SEG_LINE * SEG_LINE);
	assert_non_null(memory);
	return memset(memory, 0, size);
}

static struct replica *
replica_new(struct world *w, unsigned number, uint32_t nbuckets, uint64_t limit)
{
	struct replica *r = calloc(1, sizeof(*r));
	assert_non_null(r);
	memset(&w->count[number], 0, sizeof(w->count[number]));
	fdb_init(&r->fdb, zeroed(nbuckets * sizeof(struct seg_bucket)), zeroed(nbuckets * SEG_WAYS * sizeof(struct seg_cold)),
		nbuckets, 0x9d3f52a1c4b7e865, &w->count[number]);
	replica_init(r, w->control, (uint8_t)number, CORES, limit, NOW);
	return r;
}

static void
replica_delete_all(struct replica *r)
{
	free(r->fdb.hot);
	free(r->fdb.cold);
	free(r);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	w->control = zeroed(sizeof(*w->control));
	w->control->flush_seq = 10;
	w->control->ageing_ns = 8000 * MS;
	memset(w->control->owner, 2, sizeof(w->control->owner));
	for (unsigned i = 1; i <= CORES; i++) {
		w->core[i] = replica_new(w, i, BUCKETS, LIMIT);
	}
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	for (unsigned i = 1; i <= CORES; i++) {
		replica_delete_all(w->core[i]);
	}
	free(w->control);
	free(w);
	return 0;
}

static void
flush(struct world *w, uint16_t channel)
{
	w->control->flush_channel[channel] = w->control->flush_seq + 1;
	w->control->flush_seq++;
}

/* 0: not there, or dead */
static uint16_t
channel_of(const struct replica *r, uint64_t key)
{
	uint32_t slot = fdb_find(&r->fdb, key);
	if (slot == FDB_NONE || !fdb_alive(&r->fdb, fdb_key_fid(key), *fdb_value_at(&r->fdb, slot))) {
		return 0;
	}
	return SEG_VALUE_CHANNEL(*fdb_value_at(&r->fdb, slot));
}

static struct seg_msg
add(uint64_t key, uint16_t channel, uint32_t seq, uint64_t version, uint8_t core, uint64_t flags)
{
	return (struct seg_msg){.kind = SEG_MSG_FDB_ADD,
		.from = core,
		.to = REPLICA_ALL,
		.n = 2,
		.stamp = version << 8 | core,
		.word = {key, fdb_value(channel, seq, flags)}};
}

/* Everything in the list goes to everybody else; the list of answers is delivered, too, until there is none. */
static void
deliver(struct world *w, unsigned from)
{
	struct replica_out out = w->out;
	w->out.n = 0;
	for (unsigned i = 0; i < out.n; i++) {
		assert_int_equal(out.msg[i].from, from);
		for (unsigned to = 1; to <= CORES; to++) {
			if (to != from && (out.msg[i].to == REPLICA_ALL || out.msg[i].to == to)) {
				replica_receive(w->core[to], &out.msg[i], NOW, &w->out);
				if (w->out.n) {
					deliver(w, to);
				}
			}
		}
	}
}

static void
all_at(const struct world *w, uint64_t key, uint16_t channel)
{
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(channel_of(w->core[i], key), channel);
		assert_true(w->count[i].digest == w->count[1].digest);
		assert_int_equal(w->count[i].entries, w->count[1].entries);
	}
}

/* ---- any order ---- */

struct orders {
	struct world *w;
	struct seg_msg msg[7];
	unsigned n;
	uint64_t tried;
	bool first;
	uint64_t digest, entries;
};

static void
try_order(struct orders *o, const unsigned *order)
{
	struct replica *r = replica_new(o->w, 3, 8, LIMIT);
	struct replica_out out = {.n = 0};
	for (unsigned i = 0; i < o->n; i++) {
		replica_receive(r, &o->msg[order[i]], NOW + i, &out);
		/* again, and the one before once more */
		replica_receive(r, &o->msg[order[i]], NOW + i, &out);
		replica_receive(r, &o->msg[order[i ? i - 1 : 0]], NOW + i, &out);
	}
	assert_int_equal(out.n, 0);
	replica_tick(r, NOW + MS, &out);
	uint64_t digest = r->fdb.count->digest, entries = r->fdb.count->entries;
	if (!o->first) {
		assert_true(digest == o->digest && entries == o->entries);
	}
	o->first = false;
	o->digest = digest;
	o->entries = entries;
	o->tried++;
	replica_delete_all(r);
}

static void
permute(struct orders *o, unsigned *order, unsigned at)
{
	if (at == o->n) {
		try_order(o, order);
		return;
	}
	for (unsigned i = at; i < o->n; i++) {
		unsigned swap = order[at];
		order[at] = order[i];
		order[i] = swap;
		permute(o, order, at + 1);
		order[i] = order[at];
		order[at] = swap;
	}
}

static uint64_t
all_orders(struct world *w, const struct seg_msg *msg, unsigned n, uint64_t entries)
{
	struct orders o = {.w = w, .n = n, .first = true};
	unsigned order[7] = {0, 1, 2, 3, 4, 5, 6};
	memcpy(o.msg, msg, n * sizeof(*msg));
	permute(&o, order, 0);
	assert_int_equal(o.entries, entries);
	replica_delete_all(w->core[3]);
	w->core[3] = replica_new(w, 3, BUCKETS, LIMIT);
	return o.tried;
}

static void
any_order_of_announcements_ends_alike(void **state)
{
	struct world *w = *state;
	struct seg_msg del = {.kind = SEG_MSG_FDB_DEL,
		.from = 2,
		.to = REPLICA_ALL,
		.n = 2,
		.stamp = 7 << 8 | 2,
		.word = {KEY(1), KEY(2), 0, 10}};
	struct seg_msg late_del = del;
	late_del.stamp = 20 << 8 | 2;
	late_del.n = 1;

	/* two cores see a host at two places, at the same Lamport time; it moves, is deleted, comes back */
	const struct seg_msg moves[] = {add(KEY(1), 1, 10, 5, 1, 0), add(KEY(1), 2, 10, 5, 2, 0), add(KEY(1), 3, 10, 9, 1, 0),
		del, add(KEY(2), 4, 10, 6, 1, 0), add(KEY(3), 4, 10, 8, 2, 0)};
	assert_int_equal(all_orders(w, moves, 6, 2), 720);
	/* the deletion is the last word */
	const struct seg_msg gone[] = {moves[0], moves[1], moves[2], late_del, moves[4]};
	assert_int_equal(all_orders(w, gone, 5, 1), 120);
	/* an operator's entry among them: the owner, another core, has the last word */
	const struct seg_msg pinned[] = {add(KEY(1), 5, 10, 6, 2, SEG_VALUE_STATIC), add(KEY(1), 1, 10, 9, 1, 0),
		add(KEY(1), 5, 10, 12, 2, SEG_VALUE_STATIC), moves[0], del};
	all_orders(w, pinned, 5, 1);
	/* channel 2 is flushed: what was learned there before is dead, whenever it comes */
	flush(w, 2);
	const struct seg_msg flushed[] = {add(KEY(1), 1, 10, 5, 1, 0), add(KEY(1), 2, 10, 30, 2, 0), add(KEY(2), 2, 11, 7, 1, 0),
		add(KEY(2), 1, 10, 90, 2, 0), add(KEY(3), 2, 10, 91, 1, SEG_VALUE_STATIC), late_del};
	all_orders(w, flushed, 6, 2);
}

/* ---- learning ---- */

static void
a_new_host_is_told_once(void **state)
{
	struct world *w = *state;
	replica_learn(w->core[1], KEY(1), 4, NOW, &w->out);
	assert_int_equal(w->out.n, 1);
	assert_int_equal(w->out.msg[0].kind, SEG_MSG_FDB_ADD);
	assert_int_equal(w->out.msg[0].to, REPLICA_ALL);
	deliver(w, 1);
	all_at(w, KEY(1), 4);
	for (unsigned i = 1; i <= CORES; i++) {
		replica_learn(w->core[i], KEY(1), 4, NOW + i, &w->out);
		replica_tick(w->core[i], NOW + 2 * MS, &w->out);
	}
	assert_int_equal(w->out.n, 0);
}

static void
moves_are_damped_and_the_operators_stay(void **state)
{
	struct world *w = *state;
	replica_learn(w->core[1], KEY(1), 4, NOW, &w->out);
	deliver(w, 1);
	replica_learn(w->core[1], KEY(1), 5, NOW + MS, &w->out);
	assert_int_equal(w->out.n, 1);
	deliver(w, 1);
	all_at(w, KEY(1), 5);
	replica_learn(w->core[1], KEY(1), 4, NOW + 99 * MS, &w->out);
	assert_int_equal(w->out.n, 0);
	assert_int_equal(w->count[1].damped, 1);
	replica_learn(w->core[1], KEY(1), 4, NOW + 102 * MS, &w->out);
	assert_int_equal(w->out.n, 1);
	assert_int_equal(w->count[1].moved, 2);
	deliver(w, 1);

	struct seg_msg set = {.kind = SEG_MSG_FDB_SET, .word = {KEY(1), 6 | SEG_VALUE_STATIC}};
	replica_receive(w->core[2], &set, NOW + 103 * MS, &w->out);
	deliver(w, 2);
	all_at(w, KEY(1), 6);
	replica_learn(w->core[3], KEY(1), 4, NOW + 900 * MS, &w->out);
	assert_int_equal(w->out.n, 0);
	assert_int_equal(w->count[3].pinned, 1);
	flush(w, 6);
	replica_tick(w->core[1], NOW + 901 * MS, &w->out);
	replica_tick(w->core[2], NOW + 901 * MS, &w->out);
	replica_tick(w->core[3], NOW + 901 * MS, &w->out);
	all_at(w, KEY(1), 6);
	replica_receive(w->core[2], &(struct seg_msg){.kind = SEG_MSG_FDB_UNSET, .word = {KEY(1)}}, NOW + 902 * MS, &w->out);
	deliver(w, 2);
	all_at(w, KEY(1), 0);
}

/* A core that has not heard of the operator's entry learns another, in a newer version; then a flush kills that on its core. */
static void
the_owner_insists(void **state)
{
	struct world *w = *state;
	struct seg_msg set = {.kind = SEG_MSG_FDB_SET, .word = {KEY(1), 6 | SEG_VALUE_STATIC}};
	struct replica_out learned = {.n = 0};

	for (unsigned i = 0; i < 5; i++) {
		replica_learn(w->core[1], KEY(50 + i), 1, NOW, &w->out);
	}
	w->out.n = 0;
	replica_learn(w->core[1], KEY(1), 4, NOW, &learned);
	replica_receive(w->core[2], &set, NOW, &w->out);
	assert_true(learned.msg[0].stamp > w->out.msg[0].stamp);
	deliver(w, 2);
	assert_int_equal(channel_of(w->core[1], KEY(1)), 4);
	replica_receive(w->core[3], &learned.msg[0], NOW, &w->out);
	assert_int_equal(channel_of(w->core[3], KEY(1)), 4);
	assert_int_equal(w->out.n, 0);
	replica_receive(w->core[2], &learned.msg[0], NOW, &w->out);
	assert_int_equal(w->out.n, 1);
	deliver(w, 2);
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(channel_of(w->core[i], KEY(1)), 6);
	}

	/* the same by way of a deletion, as a resynchronisation tells it */
	struct seg_msg del = {
		.kind = SEG_MSG_FDB_DEL, .from = 1, .to = 2, .n = 1, .stamp = 900 << 8 | 1, .word = {KEY(1), 0, 0, 10}};
	replica_receive(w->core[3], &del, NOW, &w->out);
	assert_int_equal(channel_of(w->core[3], KEY(1)), 0);
	replica_receive(w->core[2], &del, NOW, &w->out);
	assert_int_equal(w->out.n, 1);
	deliver(w, 2);
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(channel_of(w->core[i], KEY(1)), 6);
	}
}

/* ---- full rings ---- */

/* What core 1 owes core 3, a few messages at a time. */
static unsigned
resync(struct world *w, unsigned room)
{
	unsigned calls = 0;
	while (w->core[1]->owing) {
		struct replica_out out = {.n = 0};
		replica_resync(w->core[1], 3, room, NOW, &out);
		assert_in_range(out.n, 0, room);
		for (unsigned i = 0; i < out.n; i++) {
			replica_receive(w->core[3], &out.msg[i], NOW, &w->out);
		}
		calls++;
		assert_in_range(calls, 1, 100000);
	}
	return calls;
}

static void
a_full_ring_loses_nothing(void **state)
{
	struct world *w = *state;
	for (unsigned i = 0; i < 60; i++) {
		replica_learn(w->core[1], KEY(i), (uint16_t)(1 + i % 5), NOW + i * MS, &w->out);
		replica_tick(w->core[1], NOW + i * MS, &w->out);
		w->out.n = 0;
	}
	replica_receive(w->core[1], &(struct seg_msg){.kind = SEG_MSG_FDB_UNSET, .word = {KEY(7)}}, NOW, &w->out);
	w->out.n = 0;
	replica_ring_full(w->core[1], 3);
	replica_ring_full(w->core[1], 1);
	replica_ring_full(w->core[1], 0);
	replica_ring_full(w->core[1], CORES + 1);
	assert_int_equal(w->core[1]->owing, 1);
	resync(w, 3);
	assert_int_equal(w->count[3].entries, 59);
	assert_true(w->count[3].digest == w->count[1].digest);
	/* it holds a tombstone for what it never had */
	assert_int_equal(w->count[3].tombs, 1);
}

/* What is learned and lost behind the cursor is told in a second pass. */
static void
a_full_ring_while_resynchronising(void **state)
{
	struct world *w = *state;
	struct replica_out out = {.n = 0};
	for (unsigned i = 0; i < 20; i++) {
		replica_tick(w->core[1], NOW + i * MS, &w->out);
		replica_learn(w->core[1], KEY(i), 1, NOW + i * MS, &w->out);
	}
	replica_ring_full(w->core[1], 3);
	replica_resync(w->core[1], 3, 15, NOW, &out);
	assert_int_equal(out.n, 15);
	for (unsigned i = 20; i < 40; i++) {
		replica_tick(w->core[1], NOW + i * MS, &w->out);
		replica_learn(w->core[1], KEY(i), 1, NOW + i * MS, &w->out);
		replica_ring_full(w->core[1], 3);
	}
	w->out.n = 0;
	for (unsigned i = 0; i < out.n; i++) {
		replica_receive(w->core[3], &out.msg[i], NOW, &w->out);
	}
	resync(w, 4);
	assert_true(w->count[3].digest == w->count[1].digest);
	assert_int_equal(w->count[3].entries, 40);
}

/* More deletions at once than a list of messages takes. */
static void
an_operators_flush_of_everything(void **state)
{
	struct world *w = *state;
	for (unsigned i = 0; i < 250; i++) {
		struct seg_msg msg = add(KEY(i), (uint16_t)(1 + i % 3), 10, 5 + i, 1, 0);
		replica_receive(w->core[2], &msg, NOW, &w->out);
		replica_receive(w->core[3], &msg, NOW, &w->out);
	}
	struct seg_msg set = {.kind = SEG_MSG_FDB_SET, .word = {KEY(999), 1 | SEG_VALUE_STATIC}};
	replica_receive(w->core[2], &set, NOW, &w->out);
	replica_receive(w->core[3], &w->out.msg[0], NOW, &w->out);
	assert_int_equal(w->count[2].entries, 251);
	w->out.n = REPLICA_OUT - REPLICA_OUT_CALL;
	replica_receive(w->core[2], &(struct seg_msg){.kind = SEG_MSG_FDB_FLUSH}, NOW, &w->out);
	assert_in_range(w->out.n, 0, REPLICA_OUT);
	assert_int_equal(w->count[2].entries, 1);
	assert_int_equal(w->count[2].statics, 1);
	assert_true(w->core[2]->debt[3].owed && w->core[2]->debt[1].owed);
	while (w->core[2]->debt[3].owed) {
		struct replica_out out = {.n = 0};
		replica_resync(w->core[2], 3, REPLICA_OUT, NOW, &out);
		for (unsigned i = 0; i < out.n; i++) {
			replica_receive(w->core[3], &out.msg[i], NOW, &w->out);
		}
	}
	assert_true(w->count[3].digest == w->count[2].digest);
	assert_int_equal(w->count[3].entries, 1);
	replica_receive(w->core[2], &(struct seg_msg){.kind = SEG_MSG_FDB_FLUSH, .word = {0, 1ull << 16, FDB_FLUSH_STATIC}}, NOW,
		&w->out);
	assert_int_equal(w->count[2].entries, 0);
}

/* ---- no room ---- */

static void
what_found_no_room_is_asked_for_again(void **state)
{
	struct world *w = *state;
	struct replica_out out = {.n = 0};
	struct replica *r = replica_new(w, 3, 8, LIMIT);

	for (unsigned i = 0; i < 40; i++) {
		struct seg_msg msg = add(KEY(i), 1, 10, 5 + i, 1, 0);
		replica_receive(r, &msg, NOW, &out);
	}
	assert_true(r->missing);
	assert_int_equal(w->count[3].entries, 32);
	assert_int_equal(w->count[3].no_room, 8);
	/* A deletion that finds no room keeps the older announcement out, although there is room by then. */
	struct seg_msg del = {.kind = SEG_MSG_FDB_DEL, .from = 2, .n = 1, .stamp = 900 << 8 | 2, .word = {KEY(100), 0, 0, 10}};
	replica_receive(r, &del, NOW, &out);
	for (unsigned i = 0; i < 16; i++) {
		uint32_t slot = fdb_find(&r->fdb, KEY(i));
		if (slot != FDB_NONE) {
			fdb_remove(&r->fdb, slot);
		}
	}
	struct seg_msg late = add(KEY(100), 1, 10, 800, 1, 0);
	replica_receive(r, &late, NOW, &out);
	assert_int_equal(channel_of(r, KEY(100)), 0);
	replica_tick(r, NOW + 200 * MS, &out);
	assert_int_equal(r->owing, 0);
	w->control->grace = 5;
	replica_tick(r, NOW + 400 * MS, &out);
	assert_int_equal(r->owing, 2);
	for (uint8_t to = 1; to <= 2; to++) {
		out.n = 0;
		replica_resync(r, to, 8, NOW, &out);
		assert_int_equal(out.n, 1);
		assert_int_equal(out.msg[0].kind, SEG_MSG_FDB_AGAIN);
		assert_int_equal(out.msg[0].to, to);
	}
	assert_int_equal(r->owing, 0);
	replica_receive(w->core[1], &out.msg[0], NOW, &w->out);
	assert_true(w->core[1]->debt[3].owed);
	replica_delete_all(r);
}

/* ---- time ---- */

static unsigned
run(struct world *w, unsigned core, uint64_t from_ms, uint64_t to_ms, unsigned step_ms)
{
	unsigned sent = 0;
	for (uint64_t t = from_ms; t <= to_ms; t += step_ms) {
		replica_tick(w->core[core], NOW + t * MS, &w->out);
		sent += w->out.n;
		w->out.n = 0;
	}
	return sent;
}

static void
the_owner_alone_ages(void **state)
{
	struct world *w = *state;
	for (unsigned i = 0; i < 30; i++) {
		replica_learn(w->core[2], KEY(i), 1, NOW, &w->out);
		if (w->out.n > REPLICA_OUT - REPLICA_OUT_CALL) {
			deliver(w, 2);
		}
		if (i % 4 == 3) {
			replica_tick(w->core[2], NOW + i * MS, &w->out);
		}
	}
	deliver(w, 2);
	all_at(w, KEY(3), 1);
	run(w, 1, 0, 20000, 10);
	assert_int_equal(w->count[1].entries, 30);
	run(w, 2, 30, 7900, 10);
	assert_int_equal(w->count[2].entries, 30);
	/* three to a message */
	assert_int_equal(run(w, 2, 7910, 10030, 10), 10);
	assert_int_equal(w->count[2].entries, 0);
	assert_int_equal(w->count[2].aged, 30);
}

/* A core that stood still has not heard what is in use. */
static void
nothing_ages_after_a_standstill(void **state)
{
	struct world *w = *state;
	replica_learn(w->core[1], KEY(1), 1, NOW, &w->out);
	deliver(w, 1);
	run(w, 2, 0, 1000, 10);
	run(w, 2, 60000, 61900, 10);
	assert_int_equal(channel_of(w->core[2], KEY(1)), 1);
	struct seg_msg used = {.kind = SEG_MSG_FDB_USED, .from = 1, .to = 2, .n = 1, .word = {KEY(1)}};
	replica_receive(w->core[2], &used, NOW + 61900 * MS, &w->out);
	run(w, 2, 61910, 69000, 10);
	assert_int_equal(channel_of(w->core[2], KEY(1)), 1);
	run(w, 2, 69010, 72500, 10);
	assert_int_equal(channel_of(w->core[2], KEY(1)), 0);
}

/* ---- tombstones ---- */

struct rings {
	struct grace grace;
	struct seg_core *core[CORES + 1];
	struct ring_sender to[CORES + 1][CORES + 1];
	struct ring_receiver from[CORES + 1][CORES + 1];
};

static void
rings_init(struct rings *g)
{
	g->grace.nodes = CORES + 1;
	for (unsigned i = 1; i <= CORES; i++) {
		g->grace.node[i].core = g->core[i] = zeroed(sizeof(struct seg_core));
		for (unsigned to = 1; to <= CORES; to++) {
			struct seg_ring *ring = to == i ? NULL : zeroed(sizeof(struct seg_ring) + 16 * sizeof(struct seg_msg));
			if (ring) {
				g->grace.node[i].ring[to] = ring;
				g->to[i][to] = ring_sender(ring, 16);
				g->from[to][i] = ring_receiver(ring, 16);
			}
		}
	}
}

static void
rings_free(struct rings *g)
{
	for (unsigned i = 1; i <= CORES; i++) {
		free(g->core[i]);
		for (unsigned to = 1; to <= CORES; to++) {
			free(g->to[i][to].ring);
		}
	}
}

static void
push(struct world *w, struct rings *g, unsigned from)
{
	for (unsigned i = 0; i < w->out.n; i++) {
		for (unsigned to = 1; to <= CORES; to++) {
			assert_true(to == from || ring_push(&g->to[from][to], &w->out.msg[i]));
		}
	}
	w->out.n = 0;
}

static void
take(struct world *w, struct rings *g, unsigned core, unsigned from)
{
	const struct seg_msg *msg;
	while ((msg = ring_peek(&g->from[core][from]))) {
		replica_receive(w->core[core], msg, NOW, &w->out);
		ring_pop(&g->from[core][from]);
	}
}

/* All cores end a loop; the control core looks: does the period end? */
static void
look(struct world *w, struct rings *g, bool ends)
{
	for (unsigned i = 1; i <= CORES; i++) {
		g->core[i]->loops++;
	}
	assert_int_equal(grace_step(&g->grace), ends);
	w->control->grace += ends;
}

/*
 * Core 2 deletes in the last moment of a period and pushes in the next; core 1 sees a move in the period after that, just before
 * it takes the deletion, and its older announcement is slow on the way to core 2.
 */
static void
a_tombstone_outlives_older_announcements(void **state)
{
	struct world *w = *state;
	struct rings g = {0};

	rings_init(&g);
	replica_learn(w->core[2], KEY(1), 1, NOW, &w->out);
	deliver(w, 2);
	for (unsigned i = 0; i < 5; i++) {
		replica_learn(w->core[2], KEY(90 + i), 1, NOW, &w->out); /* its clock runs ahead */
	}
	w->out.n = 0;
	look(w, &g, false);
	replica_receive(w->core[2], &(struct seg_msg){.kind = SEG_MSG_FDB_UNSET, .word = {KEY(1)}}, NOW, &w->out);
	look(w, &g, true);
	push(w, &g, 2);
	look(w, &g, true);
	replica_learn(w->core[1], KEY(1), 2, NOW + 500 * MS, &w->out);
	assert_int_equal(w->out.n, 1);
	push(w, &g, 1);
	take(w, &g, 1, 2);
	take(w, &g, 3, 2);
	take(w, &g, 3, 1);
	look(w, &g, true);
	for (unsigned i = 1; i <= CORES; i++) {
		replica_tick(w->core[i], NOW + 501 * MS, &w->out);
	}
	take(w, &g, 2, 1);
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(channel_of(w->core[i], KEY(1)), 0);
	}
	for (unsigned period = 0; period < 6; period++) {
		look(w, &g, true);
	}
	for (unsigned i = 1; i <= CORES; i++) {
		replica_tick(w->core[i], NOW + 502 * MS, &w->out);
		assert_int_equal(w->count[i].tombs, 0);
	}
	rings_free(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_order_of_announcements_ends_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_host_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(moves_are_damped_and_the_operators_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(the_owner_insists, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_ring_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_ring_while_resynchronising, setup, teardown),
		cmocka_unit_test_setup_teardown(an_operators_flush_of_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(what_found_no_room_is_asked_for_again, setup, teardown),
		cmocka_unit_test_setup_teardown(the_owner_alone_ages, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_ages_after_a_standstill, setup, teardown),
		cmocka_unit_test_setup_teardown(a_tombstone_outlives_older_announcements, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
