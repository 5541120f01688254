/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of an engine, from nothing to all of them and back. */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "control.h"
#include "fib.h"
#include "filters.h"
#include "keeper.h"
#include "owns.h"

#define MTU_EXTRA 26 /* Ethernet header, two tags, CRC */
#define MTU_MAX 9216

/* ---- parts ------------------------------------------------------------------------------------------------------ */

static struct seg_header *
shared_header(const struct engine *engine)
{
	return (struct seg_header *)(void *)engine->seg.base;
}

void
control_set_state(struct engine *engine, enum seg_state state)
{
	seg_put_release(&shared_header(engine)->state, state); /* what was done to get there is visible before */
}

static enum err_code
make_segment(struct engine *engine, struct err *err)
{
	const struct conf *conf = &engine->conf;
	struct seg_shape shape;
	conf_shape(conf, &shape);
	return seg_create(&engine->seg, conf->appliance, &shape, conf->fdb, err);
}

static void
fill_control_words(struct engine *engine)
{
	struct seg_control *words = seg_control(&engine->seg);
	struct seg_core *mine = seg_core(&engine->seg, 0);
	roles_init(&engine->roles, (uint8_t)engine->ncores);
	roles_publish(&engine->roles, words);
	seg_put(&words->ageing_ns, (uint64_t)engine->conf.ageing_s * 1000000000ull);
	seg_put(&mine->cpu, -1);
	seg_put(&mine->tid, (uint32_t)syscall(SYS_gettid));
	engine->seg.head.tsc_hz = rte_get_tsc_hz();
	seg_put(&shared_header(engine)->tsc_hz, engine->seg.head.tsc_hz);
}

static void
fill_grace(struct engine *engine)
{
	engine->grace.nodes = engine->ncores + 1;
	for (unsigned from = 0; from <= engine->ncores; from++) {
		struct grace_node *node = &engine->grace.node[from];
		node->core = from ? seg_core(&engine->seg, from) : NULL;
		for (unsigned to = 1; to <= engine->ncores; to++) {
			node->ring[to] = to != from ? seg_ring(&engine->seg, from, to) : NULL;
		}
	}
	for (unsigned to = 1; to <= engine->ncores; to++) {
		engine->to[to] = ring_sender(seg_ring(&engine->seg, 0, to), engine->seg.head.ring_slots);
	}
}

static enum err_code
make_work_rings(struct engine *engine, struct err *err)
{
	for (unsigned from = 1; from <= engine->ncores; from++) {
		for (unsigned to = 1; to <= engine->ncores; to++) {
			if (from != to && !(engine->work[from][to] = lane_ring(CONF_HANDOVER_SLOTS))) {
				return err_set(err, ERR_FAILED, "no memory for the rings between cores");
			}
		}
	}
	return ERR_NONE;
}

static void
free_work_rings(struct engine *engine)
{
	for (unsigned from = 1; from <= engine->ncores; from++) {
		for (unsigned to = 1; to <= engine->ncores; to++) {
			void *frame;
			while (engine->work[from][to] && rte_ring_dequeue(engine->work[from][to], &frame) == 0) {
				rte_pktmbuf_free(frame);
			}
			free(engine->work[from][to]);
			engine->work[from][to] = NULL;
		}
	}
}

static enum err_code
start_workers(struct engine *engine, struct err *err)
{
	for (unsigned i = 1; i <= engine->ncores; i++) {
		enum err_code code = worker_start(engine, i, err);
		if (code != ERR_NONE) {
			return code;
		}
	}
	return ERR_NONE;
}

static void
stop_workers(struct engine *engine)
{
	__atomic_store_n(&engine->stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 1; i <= engine->ncores; i++) {
		worker_join(engine, i);
	}
	for (unsigned i = 1; i <= engine->ncores; i++) {
		worker_free(engine, i);
	}
}

/* ---- the engine ------------------------------------------------------------------------------------------------- */

/* In this order: a second engine of the name is refused before anything is touched, and the keeper forks before there are
 * threads. */
enum err_code
control_start(struct control *control, struct err *err)
{
	struct engine *engine = control->engine;
	enum err_code code = keeper_start(&engine->keeper, err);
	code = code != ERR_NONE ? code : make_segment(engine, err);
	code = code != ERR_NONE ? code : eal_start(engine, &control->hugepages, err);
	if (code != ERR_NONE) {
		return code;
	}
	uint32_t room = conf_mbuf_room(&engine->conf) - RTE_PKTMBUF_HEADROOM - MTU_EXTRA;
	engine->max_mtu = (uint16_t)(room < MTU_MAX ? room : MTU_MAX);
	fill_control_words(engine);
	fill_grace(engine);
	code = make_work_rings(engine, err);
	code = code != ERR_NONE ? code : owns_open(control, err);
	code = code != ERR_NONE ? code : filters_open(control, err);
	code = code != ERR_NONE ? code : fib_open(engine, err);
	code = code != ERR_NONE ? code : apply_first(control, err);
	code = code != ERR_NONE ? code : start_workers(engine, err);
	return code != ERR_NONE ? code : control_open(control, err);
}

void
control_stop(struct control *control, bool started)
{
	struct engine *engine = control->engine;
	if (engine->seg.base) {
		control_set_state(engine, SEG_STOPPING);
	}
	if (control->server) {
		server_close_listener(control->server);
	}
	owns_stop(control);
	stop_workers(engine);
	apply_last(control);
	owns_close(control);
	filters_close(control);
	fib_close(engine);
	free_work_rings(engine);
	eal_stop(engine);
	keeper_stop(engine->keeper);
	if (engine->seg.base && started) {
		engine_event(engine, LOG_LEVEL_NOTICE, "stopped");
		control_set_state(engine, SEG_STOPPED);
	} else if (engine->seg.base) {
		seg_remove(engine->seg.head.name);
	}
	seg_detach(&engine->seg);
	control_close(control); /* who asked for the stop sees the end of the connection now */
}
