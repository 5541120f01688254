/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cores that leave and come back: what they had goes to the others and returns to them (lib/core/roles.h). Drained ones go on
 * hearing messages, so that they can come back at once; lost ones first catch up.
 */
#include <rte_ring.h>
#include <stdio.h>

#include "control.h"

/* Every queue's poller, by the roles as they are. */
static void
assign_pollers(struct engine *engine)
{
	unsigned polled[SEG_MAX_NODES] = {0};
	/* Those that stay at home first: they count when the others are given away. */
	for (int home = 1; home >= 0; home--) {
		for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
			struct lane *lane = engine->view->lane[n];
			for (unsigned q = 0; lane && q < lane->port->nrxq; q++) {
				struct rxq *rxq = &lane->rxq[q];
				if ((roles_of(&engine->roles, rxq->home) == SEG_ROLE_SERVING) == home) {
					seg_put(&rxq->poller, roles_poller(&engine->roles, rxq->home, polled));
				}
			}
		}
	}
}

static void
takeover(struct control *control)
{
	struct engine *engine = control->engine;
	uint8_t master = engine->roles.master;
	roles_assign(&engine->roles);
	assign_pollers(engine);
	roles_publish(&engine->roles, seg_control(&engine->seg));
	engine_wake(engine);
	for (uint16_t n = 1; n < SEG_MAX_PORTS; n++) {
		if (engine->port[n]) {
			publish_port(control, n);
		}
	}
	if (engine->roles.master != master) {
		engine_event(
			engine, LOG_LEVEL_NOTICE, "core %u: master core now, instead of core %u", engine->roles.master, master);
	}
}

void
takeover_lost(struct control *control, unsigned core)
{
	control->engine->roles.lost[core] = true;
	takeover(control);
}

/* Has it applied all that was sent to it while it was away? */
static bool
caught_up(const struct engine *engine, unsigned core)
{
	const struct seg_core *mine = seg_core(&engine->seg, core);
	if (seg_get_acquire(&mine->roles) != seg_get(&seg_control(&engine->seg)->owner_epoch) ||
		seg_get_acquire(&mine->plan) != engine->view->generation) {
		return false;
	}
	for (unsigned from = 0; from <= engine->ncores; from++) {
		const struct seg_ring *ring = seg_ring(&engine->seg, from, core);
		/* acquire: what the message says is in the table */
		if (from != core && seg_get_acquire(&ring->tail) != seg_get(&ring->head)) {
			return false;
		}
		const struct rte_ring *work = engine->work[from][core];
		bool owes = from && !engine->roles.lost[from] &&
			    (seg_get_acquire(&seg_core(&engine->seg, from)->owed) >> (core - 1) & 1);
		if ((work && !rte_ring_empty(work)) || owes) {
			return false;
		}
	}
	return true;
}

void
takeover_back(struct control *control, unsigned core)
{
	struct engine *engine = control->engine;
	if (!engine->roles.lost[core] || !caught_up(engine, core)) {
		return;
	}
	engine->roles.lost[core] = false;
	takeover(control);
	engine_event(engine, LOG_LEVEL_NOTICE, "core %u: has caught up, and %s", core,
		engine->roles.drained[core] ? "stays drained" : "serves again");
}

/* ---- on purpose ------------------------------------------------------------------------------------------------- */

static bool
roles_taken(struct engine *engine, void *arg)
{
	uint32_t epoch = seg_get(&seg_control(&engine->seg)->owner_epoch);
	(void)arg;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (!engine->roles.lost[i] && seg_get_acquire(&seg_core(&engine->seg, i)->roles) != epoch) {
			return false;
		}
	}
	return true;
}

/* No frame waits for the core any more: arg. */
static bool
work_done(struct engine *engine, void *arg)
{
	unsigned core = *(const unsigned *)arg;
	for (unsigned from = 1; from <= engine->ncores; from++) {
		const struct rte_ring *work = engine->work[from][core];
		if (work && !rte_ring_empty(work)) {
			return false;
		}
	}
	return true;
}

enum err_code
takeover_drain(struct control *control, unsigned core, bool drain, bool *changed, struct err *err)
{
	struct engine *engine = control->engine;
	struct roles *roles = &engine->roles;
	*changed = roles->drained[core] != drain;
	if (!*changed) {
		return ERR_NONE;
	}
	if (drain && roles_of(roles, core) == SEG_ROLE_SERVING && roles_serving(roles) == 1) {
		err_set(err, ERR_REFUSED, "core %u: the last one that serves", core);
		return err_hint(err, "pe undrain another one first; or pe stop");
	}
	roles->drained[core] = drain;
	takeover(control);
	/* Frames that were on their way to it are still worked on there. */
	if (!engine_wait(engine, roles_taken, NULL, CONTROL_FOLLOW_MS) ||
		(drain && !roles->lost[core] && !engine_wait(engine, work_done, &core, CONTROL_FOLLOW_MS))) {
		return err_set(err, ERR_PARTLY, "core %u: %s, but not every core has followed in %d ms", core,
			drain ? "drained" : "undrained", CONTROL_FOLLOW_MS);
	}
	return ERR_NONE;
}
