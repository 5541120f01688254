/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the control core speaks with the data cores: views, messages, waiting, flushes. */
#include <string.h>
#include <time.h>

#include "control.h"
#include "worker.h"

#define TO_ALL 255
#define LOST_WAIT_NS 100000000ull /* longer than a core that serves needs to follow */

void
engine_wake(struct engine *engine)
{
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (engine->core[i]) {
			worker_wake(engine, i);
		}
	}
}

static bool
any_lost(const struct engine *engine)
{
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (engine->roles.lost[i]) {
			return true;
		}
	}
	return false;
}

/*
 * A core that falls silent meanwhile is taken out all the same (watch), and whoever waits for a lost core waits in vain: the
 * others follow in a moment or not at all.
 */
bool
engine_wait(struct engine *engine, bool (*done)(struct engine *engine, void *arg), void *arg, int timeout_ms)
{
	uint64_t began_ns = engine_now_ns(), deadline_ns = began_ns + (uint64_t)timeout_ms * 1000000ull;
	for (long pause_ns = 10000;; pause_ns = pause_ns < 500000 ? pause_ns * 2 : 1000000) {
		if (done(engine, arg)) {
			return true;
		}
		uint64_t now_ns = engine_now_ns();
		if (now_ns >= deadline_ns || (now_ns - began_ns >= LOST_WAIT_NS && any_lost(engine))) {
			return false;
		}
		control_beat(engine);
		if (engine->watch && now_ns - began_ns >= LOST_WAIT_NS) {
			engine->watch(engine->watch_arg);
		}
		nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
	}
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

void
engine_mark(struct engine *engine, struct engine_marks *marks)
{
	for (unsigned i = 1; i <= engine->ncores; i++) {
		marks->loops[i] = seg_get(&seg_core(&engine->seg, i)->loops);
	}
	engine_wake(engine);
}

static bool
core_passed(const struct engine *engine, unsigned number, const struct engine_marks *marks)
{
	const struct seg_core *core = seg_core(&engine->seg, number);
	/* acquire: what the core did in the loop that it has ended is seen here. Two: the first may have begun before we looked.
	 */
	return !engine->core[number] || seg_get_acquire(&core->loops) >= marks->loops[number] + 2 ||
	       seg_get_acquire(&core->sleeping);
}

unsigned
engine_unpassed(const struct engine *engine, const struct engine_marks *marks)
{
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (!core_passed(engine, i, marks)) {
			return i;
		}
	}
	return 0;
}

static bool
round_done(struct engine *engine, void *arg)
{
	return engine_unpassed(engine, arg) == 0;
}

bool
engine_passed(struct engine *engine, struct engine_marks *marks, int timeout_ms)
{
	return engine_wait(engine, round_done, marks, timeout_ms);
}

bool
engine_round(struct engine *engine, int timeout_ms)
{
	struct engine_marks marks;
	engine_mark(engine, &marks);
	return engine_passed(engine, &marks, timeout_ms);
}

/* ---- views ------------------------------------------------------------------------------------------------------ */

unsigned
engine_behind(const struct engine *engine)
{
	for (unsigned i = 1; i <= engine->ncores; i++) {
		/* acquire: a core has let go of the old view before it says so */
		if (engine->core[i] && seg_get_acquire(&seg_core(&engine->seg, i)->plan) < engine->view->generation) {
			return i;
		}
	}
	return 0;
}

static bool
view_taken(struct engine *engine, void *arg)
{
	(void)arg;
	return engine_behind(engine) == 0;
}

struct work_marks {
	uint32_t tail[SEG_MAX_NODES][SEG_MAX_NODES];
};

static void
mark_work(const struct engine *engine, struct work_marks *marks)
{
	for (unsigned from = 1; from <= engine->ncores; from++) {
		for (unsigned to = 1; to <= engine->ncores; to++) {
			const struct rte_ring *ring = engine->work[from][to];
			marks->tail[from][to] = ring ? seg_get_acquire(&ring->prod.tail) : 0;
		}
	}
}

/* Every frame that was in a hand-over ring at the marks has been taken out. */
static bool
work_taken(struct engine *engine, void *arg)
{
	const struct work_marks *marks = arg;
	for (unsigned from = 1; from <= engine->ncores; from++) {
		for (unsigned to = 1; to <= engine->ncores; to++) {
			const struct rte_ring *ring = engine->work[from][to];
			if (ring && (int32_t)(seg_get_acquire(&ring->cons.tail) - marks->tail[from][to]) < 0) {
				return false;
			}
		}
	}
	return true;
}

static bool
any_lane_left(const struct view *old, const struct view *view)
{
	for (unsigned n = 0; old && n < SEG_MAX_PORTS; n++) {
		if (old->lane[n] && old->lane[n] != view->lane[n]) {
			return true;
		}
	}
	return false;
}

bool
engine_leave(struct engine *engine, const struct view *old, int timeout_ms)
{
	const struct view *view = engine->view;
	if (!engine_wait(engine, view_taken, NULL, timeout_ms)) {
		return false;
	}
	if (!any_lane_left(old, view)) {
		return true;
	}
	/* All cores use the new view; what they handed over before that is still to be taken. */
	struct work_marks marks;
	mark_work(engine, &marks);
	engine_wake(engine);
	if (!engine_wait(engine, work_taken, &marks, timeout_ms) || !engine_round(engine, timeout_ms)) {
		return false;
	}
	for (unsigned n = 0; n < SEG_MAX_PORTS; n++) {
		if (old->lane[n] && old->lane[n] != view->lane[n]) {
			lane_drain(engine, old->lane[n]);
		}
	}
	return true;
}

bool
engine_publish(struct engine *engine, const struct view *view, int timeout_ms)
{
	const struct view *old = engine->view;
	/* release: view and plan are whole before a core sees the pointer */
	__atomic_store_n(&engine->view, view, __ATOMIC_RELEASE);
	engine_wake(engine);
	return engine_leave(engine, old, timeout_ms);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

struct push {
	unsigned to;
	const struct seg_msg *msg;
};

static bool
push_done(struct engine *engine, void *arg)
{
	const struct push *push = arg;
	if (engine->roles.lost[push->to]) {
		return true; /* it owns nothing, and catches up from the others before it serves again */
	}
	bool pushed = ring_push(&engine->to[push->to], push->msg);
	worker_ring(engine, push->to, 1, 0); /* bit 0: the control core's ring */
	return pushed;
}

bool
engine_send(struct engine *engine, uint8_t to, struct seg_msg *msg, int timeout_ms)
{
	struct seg_core *mine = seg_core(&engine->seg, 0);
	uint64_t sent = seg_get(&mine->messages_sent) + 1;
	msg->from = 0;
	msg->to = to;
	msg->seq = (uint32_t)sent;
	msg->time_ns = engine_now_ns();
	if (!msg->cause) {
		msg->cause = ++engine->cause & 0x1ffffff; /* core 0 << 25 */
	}
	seg_put(&mine->messages_sent, sent);
	uint64_t next = seg_get(&mine->trace_next);
	mine->trace[next % SEG_TRACE] = *msg;
	seg_put_release(&mine->trace_next, next + 1); /* the record is whole before it is counted */
	bool all = true;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (to == TO_ALL || to == i) {
			struct push push = {.to = i, .msg = msg};
			all = engine_wait(engine, push_done, &push, timeout_ms) && all;
		}
	}
	return all;
}

struct ring_marks {
	uint64_t head[SEG_MAX_NODES][SEG_MAX_NODES];
};

static bool
rings_taken(struct engine *engine, void *arg)
{
	const struct ring_marks *marks = arg;
	for (unsigned from = 0; from <= engine->ncores; from++) {
		for (unsigned to = 1; to <= engine->ncores; to++) {
			/* acquire: the message's effect is in the receiver's table */
			if (!engine->roles.lost[to] &&
				seg_get_acquire(&seg_ring(&engine->seg, from, to)->tail) < marks->head[from][to]) {
				return false;
			}
		}
	}
	return true;
}

bool
engine_settle(struct engine *engine, int timeout_ms)
{
	struct ring_marks marks;
	for (unsigned from = 0; from <= engine->ncores; from++) {
		for (unsigned to = 1; to <= engine->ncores; to++) {
			marks.head[from][to] = seg_get_acquire(&seg_ring(&engine->seg, from, to)->head);
		}
	}
	engine_wake(engine);
	return engine_wait(engine, rings_taken, &marks, timeout_ms);
}

static uint64_t
lost_bits(const struct engine *engine)
{
	uint64_t bits = 0;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		bits |= (uint64_t)engine->roles.lost[i] << (i - 1);
	}
	return bits;
}

static bool
nothing_owed(struct engine *engine, void *arg)
{
	uint64_t lost = lost_bits(engine);
	(void)arg;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (!engine->roles.lost[i] && (seg_get_acquire(&seg_core(&engine->seg, i)->owed) & ~lost)) {
			return false;
		}
	}
	return true;
}

/* As round_done(), of those that are not lost. */
static bool
serving_passed(struct engine *engine, void *arg)
{
	const struct engine_marks *marks = arg;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (!engine->roles.lost[i] && !core_passed(engine, i, marks)) {
			return false;
		}
	}
	return true;
}

bool
engine_quiet(struct engine *engine, int timeout_ms)
{
	struct engine_marks marks;
	if (!engine_settle(engine, timeout_ms)) {
		return false;
	}
	engine_mark(engine, &marks);
	return engine_wait(engine, serving_passed, &marks, timeout_ms) && engine_wait(engine, nothing_owed, NULL, timeout_ms) &&
	       engine_settle(engine, timeout_ms);
}

/* ---- flushes ---------------------------------------------------------------------------------------------------- */

void
engine_flush(struct engine *engine, const uint16_t *channel, size_t nchannels, const uint16_t *fid, size_t nfids)
{
	struct seg_control *control = seg_control(&engine->seg);
	uint32_t seq = seg_get(&control->flush_seq) + 1;
	for (size_t i = 0; i < nchannels; i++) {
		seg_put(&control->flush_channel[channel[i]], seq);
	}
	for (size_t i = 0; i < nfids; i++) {
		seg_put(&control->flush_fid[fid[i]], seq);
	}
	/* release: whoever sees the new sequence sees the words it is about */
	seg_put_release(&control->flush_seq, seq);
	engine_wake(engine);
}
