/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "neighbor.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#define TICK_NS 1000000ull
#define IDLE_LOOPS 16           /* without work before a core sleeps */
#define POLLED_SLEEP_NS 1000000 /* at most, while a device without a descriptor must be polled */
#define ASLEEP_NS 100000000     /* at most, otherwise: the heartbeat goes on */
#define STORM_BURST_MS 50

uint64_t
engine_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- waking ----------------------------------------------------------------------------------------------------- */

static void
worker_wake_one(struct worker *w)
{
	uint64_t one = 1;
	/* A full counter wakes, too; nothing else can go wrong with an eventfd that is open. */
	if (write(w->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN) {
		abort();
	}
}

void
engine_call(const struct engine *engine)
{
	uint64_t one = 1;
	ssize_t n = engine->call_fd > 0 ? write(engine->call_fd, &one, sizeof(one)) : 0;
	(void)n; /* full: it wakes all the same */
}

void
worker_wake(struct engine *engine, unsigned number)
{
	struct worker *w = engine->core[number];
	if (w) {
		worker_wake_one(w);
	}
}

/*
 * The word first, then the look at `sleeping`; the sleeper does it the other way round, both sequentially consistent: one of the
 * two sees the other.
 */
void
worker_ring(struct engine *engine, unsigned to, uint64_t bell, uint64_t work)
{
	struct worker *w = __atomic_load_n(&engine->core[to], __ATOMIC_ACQUIRE);
	struct seg_core *core = w ? w->mine : seg_core(&engine->seg, to);

	/* Also for a core that is not started yet: it finds the bits in its first loop. */
	if (bell) {
		__atomic_fetch_or(&core->bell, bell, __ATOMIC_SEQ_CST);
	}
	if (work) {
		__atomic_fetch_or(&core->work, work, __ATOMIC_SEQ_CST);
	}
	if (w && __atomic_load_n(&core->sleeping, __ATOMIC_SEQ_CST)) {
		worker_wake_one(w);
	}
}

/* Also with something owed to a core whose ring is full: replica_next() sees to it that this one looks again in a while. */
static bool
worker_may_sleep(const struct worker *w)
{
	return !__atomic_load_n(&w->mine->bell, __ATOMIC_SEQ_CST) && !__atomic_load_n(&w->mine->work, __ATOMIC_SEQ_CST) &&
	       !w->bell_left && !w->work_left && !w->nlater && seg_get_acquire(&w->engine->view) == w->view &&
	       seg_get(&seg_control(&w->engine->seg)->owner_epoch) == w->roles && !seg_get(&w->engine->stop);
}

static void
worker_sleep(struct worker *w)
{
	uint64_t bridge = replica_next(&w->replica, w->now_ns), neighbors = neighbor_next(w);
	uint64_t until = bridge < neighbors ? bridge : neighbors, most = w->busy_polled ? POLLED_SLEEP_NS : ASLEEP_NS;
	uint64_t ns = until > w->now_ns && until - w->now_ns < most ? until - w->now_ns : most;
	struct timespec timeout = {.tv_nsec = (long)ns};

	__atomic_store_n(&w->mine->sleeping, 1, __ATOMIC_SEQ_CST);
	if (worker_may_sleep(w)) {
		uint64_t drained;
		seg_add(&w->mine->sleeps, 1);
		if (ppoll(w->pollfd, w->npollfd, &timeout, NULL) > 0 && (w->pollfd[0].revents & POLLIN)) {
			ssize_t got = read(w->wake_fd, &drained, sizeof(drained));
			(void)got; /* another wake may have emptied it: all the same */
		}
	}
	__atomic_store_n(&w->mine->sleeping, 0, __ATOMIC_SEQ_CST);
	w->now_ns = engine_now_ns(); /* rate limits go by it */
	w->tick_tsc = 0;
	w->idle = 0;
}

/* ---- the quiet point -------------------------------------------------------------------------------------------- */

/* The queues of a lane that this core polls. */
static void
worker_poll_lane(struct worker *w, struct lane *lane)
{
	for (unsigned q = 0; q < lane->port->nrxq; q++) {
		if (seg_get(&lane->rxq[q].poller) != w->number || w->npolled == WORKER_QUEUES) {
			continue;
		}
		w->polled[w->npolled++] = (struct polled){.lane = lane, .rxq = &lane->rxq[q]};
		if (lane->port->wait_fd < 0) {
			w->busy_polled++;
		} else {
			w->pollfd[w->npollfd++] = (struct pollfd){.fd = lane->port->wait_fd, .events = POLLIN};
		}
	}
}

static void
worker_poll_lanes(struct worker *w)
{
	w->npolled = 0;
	w->busy_polled = 0;
	w->npollfd = 1;
	for (unsigned p = 1; p < SEG_MAX_PORTS; p++) {
		if (w->view->lane[p]) {
			worker_poll_lane(w, w->view->lane[p]);
		}
	}
}

/* Who owns, who polls and who works on what has changed, also for a core that comes back and had all that once. */
static void
worker_take_roles(struct worker *w, uint32_t epoch)
{
	const struct seg_control *words = seg_control(&w->engine->seg);

	w->roles = epoch;
	for (unsigned b = 0; b < SEG_OWNER_BUCKETS; b++) {
		w->spread[b] = seg_get(&words->spread[b]);
	}
	w->lost = seg_get(&words->role[w->number]) == SEG_ROLE_LOST;
	worker_poll_lanes(w);
	seg_put_release(&w->mine->roles, epoch); /* nothing is done by the old ones any more */
}

static void
worker_take_view(struct worker *w, const struct view *view)
{
	w->view = view;
	for (unsigned p = 1; p < SEG_MAX_PORTS; p++) {
		w->replica.mac_limit[p] = view->plan->port[p].mac_limit;
	}
	neighbor_take_view(w);
	worker_poll_lanes(w);
	/* release: the control core frees the old view when it sees this */
	seg_put_release(&w->mine->plan, view->generation);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static void
worker_fill_storm(struct worker *w, uint64_t elapsed_ns)
{
	for (unsigned i = 0; i < w->npolled; i++) {
		struct lane *lane = w->polled[i].lane;
		uint64_t pps = w->view->plan->port[lane->port->number].storm_pps;
		if (!pps || w->polled[i].rxq->queue != 0) {
			continue;
		}
		int64_t most = (int64_t)(pps * STORM_BURST_MS / 1000) + 1;
		lane->storm_debt_ns += elapsed_ns < 1000000000 ? elapsed_ns : 1000000000;
		int64_t more = (int64_t)(lane->storm_debt_ns * pps / 1000000000);
		lane->storm_debt_ns -= (uint64_t)more * 1000000000 / pps;
		int64_t have = __atomic_load_n(&lane->storm_tokens, __ATOMIC_RELAXED);
		more = have + more > most ? most - have : more;
		__atomic_fetch_add(&lane->storm_tokens, more, __ATOMIC_RELAXED);
	}
}

/* Stands still as a core that hangs would, for those who want to see what comes of it (pe inject). */
static void
worker_hang(struct worker *w)
{
	uint32_t ms = __atomic_exchange_n(&w->engine->inject_ms[w->number], 0, __ATOMIC_RELAXED);
	uint64_t until = engine_now_ns() + (uint64_t)ms * 1000000;

	while (engine_now_ns() < until && !seg_get(&w->engine->stop)) {
		nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
	}
}

static void
worker_tick(struct worker *w)
{
	struct timespec cpu;

	if (__builtin_expect(seg_get(&w->engine->inject_ms[w->number]), 0)) {
		worker_hang(w);
		return; /* what has changed meanwhile comes first */
	}
	uint64_t now = engine_now_ns();
	worker_fill_storm(w, now - w->mine->heartbeat_ns);
	w->now_ns = now;
	exchange_send(w);
	replica_tick(&w->replica, now, &w->out);
	exchange_send(w);
	neighbor_tick(w);
	transmit_flush(w);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	seg_put(&w->mine->cpu_ns, (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec);
	seg_put(&w->mine->heartbeat_ns, now);
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

static bool
worker_receive(struct worker *w, const struct polled *polled)
{
	struct lane *lane = polled->lane;
	struct port *port = lane->port;
	struct rte_mbuf *frame[BURST];
	uint32_t bytes = 0;

	if (!queue_take(&polled->rxq->owner, w->number)) {
		return false;
	}
	/* acquire: what a device that is back needs is there, device.c */
	unsigned n = seg_get_acquire(&port->driver)->rx(port, polled->rxq->queue, frame, BURST, w->mine);
	queue_give(&polled->rxq->owner);
	if (!n) {
		return false;
	}
	for (unsigned i = 0; i < n; i++) {
		bytes += rte_pktmbuf_pkt_len(frame[i]);
	}
	seg_add(&w->mine->port[port->number].rx_packets, n);
	seg_add(&w->mine->port[port->number].rx_bytes, bytes);
	const struct plan_port *in = &w->view->plan->port[port->number];
	bool spread = in->steer && !(port->hardware_rss && port->nrxq >= w->ncores);
	if (w->ncores > 1 && (spread || in->l3)) {
		steer_burst(w, port->number, frame, n, spread);
	} else {
		forward_burst(w, port->number, frame, n);
	}
	transmit_flush(w);
	return true;
}

static bool
worker_work(struct worker *w)
{
	bool any = false;

	/* Messages first: what another core learned from a frame was sent before the frame, so the answer to it finds its way
	 * here. */
	if (w->bell_left || seg_get(&w->mine->bell)) {
		any |= exchange_receive(w);
		transmit_flush(w); /* what waited for a neighbour, and what was asked to be said */
	}
	for (unsigned i = 0; i < w->npolled; i++) {
		any |= worker_receive(w, &w->polled[i]);
	}
	if (w->ncores > 1 && (w->work_left || seg_get(&w->mine->work))) {
		any |= steer_take(w);
		transmit_flush(w);
	}
	if (__builtin_expect(w->nlater, 0)) {
		any |= transmit_again(w);
	}
	if (__builtin_expect(w->replica.owing | neighbor_owing(w), 0)) {
		any |= exchange_resync(w);
	}
	return any;
}

static void
worker_loop(struct worker *w)
{
	const struct seg_control *words = seg_control(&w->engine->seg);
	uint64_t last = rte_rdtsc();

	while (!seg_get(&w->engine->stop)) {
		const struct view *view = seg_get_acquire(&w->engine->view);
		if (__builtin_expect(view != w->view, 0)) {
			worker_take_view(w, view);
		}
		/* acquire: the words that it announces */
		uint32_t epoch = seg_get_acquire(&words->owner_epoch);
		if (__builtin_expect(epoch != w->roles, 0)) {
			worker_take_roles(w, epoch);
		}
		bool worked = worker_work(w);
		uint64_t tsc = rte_rdtsc();
		if (worked) {
			seg_add(&w->mine->busy_cycles, tsc - last);
			seg_add(&w->mine->busy_loops, 1);
			w->idle = 0;
		} else {
			w->idle++;
		}
		last = tsc;
		/* release: whatever this loop did is visible to whoever counts loops (grace periods, quiet points) */
		seg_put_release(&w->mine->loops, w->mine->loops + 1);
		if (tsc - w->tick_tsc >= w->tsc_per_tick) {
			worker_tick(w);
			w->tick_tsc = tsc;
		} else if (w->idle >= IDLE_LOOPS && !w->poll_busy) {
			worker_sleep(w);
			last = rte_rdtsc();
		}
	}
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "pe/%u", w->number);
	pthread_setname_np(pthread_self(), name);
	seg_put(&w->mine->tid, (uint32_t)syscall(SYS_gettid));
	/* A thread that DPDK knows has a cache of mbufs of its own; without one (too many threads) it is only slower. */
	bool registered = rte_thread_register() == 0;
	worker_loop(w);
	if (registered) {
		rte_thread_unregister();
	}
	return NULL;
}

/* ---- start and end ---------------------------------------------------------------------------------------------- */

/* False: no memory for its neighbours. */
static bool
worker_init(struct worker *w, struct engine *engine, unsigned number)
{
	const struct seg *seg = &engine->seg;
	uint32_t slots = seg->head.ring_slots;

	w->engine = engine;
	w->number = number;
	w->ncores = engine->ncores;
	w->mine = seg_core(seg, number);
	w->poll_busy = engine->conf.poll == CONF_POLL_BUSY;
	w->cpu = engine->conf.ncpus ? engine->conf.cpu[(number - 1) % engine->conf.ncpus] : -1;
	w->now_ns = engine_now_ns();
	w->tsc_per_tick = seg->head.tsc_hz / (1000000000 / TICK_NS);
	seg_put(&w->mine->number, number);
	seg_put(&w->mine->cpu, w->cpu);
	seg_put(&w->mine->heartbeat_ns, w->now_ns);
	for (unsigned other = 0; other <= engine->ncores; other++) {
		w->to[other] = ring_sender(seg_ring(seg, number, other), slots);
		w->from[other] = ring_receiver(seg_ring(seg, other, number), slots);
	}
	rss_key_init(&w->rss, rss_default_key);
	fdb_init(&w->replica.fdb, seg_hot(seg, number), seg_cold(seg, number), seg->head.fdb_buckets, seg->head.fdb_seed,
		&w->mine->fdb);
	replica_init(&w->replica, seg_control(seg), (uint8_t)number, (uint8_t)engine->ncores, seg->head.fdb_limit, w->now_ns);
	w->pollfd[0] = (struct pollfd){.fd = w->wake_fd, .events = POLLIN};
	w->nbr = neighbor_new(w);
	if (!w->nbr) {
		return false;
	}
	w->view = engine->view;
	worker_take_roles(w, seg_get_acquire(&seg_control(seg)->owner_epoch));
	worker_take_view(w, engine->view);
	return true;
}

static void
worker_release(struct worker *w)
{
	neighbor_free(w->nbr);
	close(w->wake_fd);
	rte_free(w);
}

enum err_code
worker_start(struct engine *engine, unsigned number, struct err *err)
{
	pthread_attr_t attr;
	cpu_set_t cpus;
	/* from DPDK's memory: huge pages, when there are any */
	struct worker *w = rte_zmalloc("worker", sizeof(*w), SEG_LINE);

	if (!w) {
		return err_set(err, ERR_REFUSED, "core %u: no memory for its %zu bytes", number, sizeof(*w));
	}
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wake_fd < 0) {
		rte_free(w);
		return err_set(err, ERR_FAILED, "core %u: eventfd: %s", number, strerror(errno));
	}
	if (!worker_init(w, engine, number)) {
		worker_release(w);
		return err_set(err, ERR_REFUSED, "core %u: no memory for %u neighbours", number, engine->conf.neighbors);
	}
	pthread_attr_init(&attr);
	if (w->cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET((unsigned)w->cpu, &cpus);
		pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	}
	__atomic_store_n(&engine->core[number], w, __ATOMIC_RELEASE);
	int error = pthread_create(&w->thread, &attr, worker_main, w);
	pthread_attr_destroy(&attr);
	if (!error) {
		return ERR_NONE;
	}
	int cpu = w->cpu;
	engine->core[number] = NULL;
	worker_release(w);
	if (error == EINVAL && cpu >= 0) {
		err_set(err, ERR_USAGE, "cores.cpus: CPU %d is not there for core %u", cpu, number);
	} else {
		err_set(err, ERR_FAILED, "core %u: %s", number, strerror(error));
	}
	return err ? err->code : ERR_FAILED;
}

void
worker_join(struct engine *engine, unsigned number)
{
	struct worker *w = engine->core[number];

	if (!w) {
		return;
	}
	worker_wake_one(w);
	pthread_join(w->thread, NULL);
}

void
worker_free(struct engine *engine, unsigned number)
{
	struct worker *w = engine->core[number];

	if (w) {
		engine->core[number] = NULL;
		worker_release(w);
	}
}
