/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Links, and cores that stopped in the middle of something. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

#define SILENT_NS 500000000ull /* a core that does not beat for so long is looked at; asleep, it beats every 0.1 s */
#define STILL_LOOKS 2          /* so often it does not want a CPU: it waits for something else than its bell */
#define STALLED_TICKS_PER_S 2  /* it is stalled when it burnt half a second of CPU meanwhile, or does not even want a CPU */

/* ---- links ------------------------------------------------------------------------------------------------------ */

/* A core stops using a link that is down at once: the word first, the rest later. */
static void
link_changed(struct control *control, uint16_t number, bool was_up)
{
	struct engine *engine = control->engine;
	const struct port *port = engine->port[number];
	struct lane *lane = engine->view->lane[number];
	bool up = port->link && engine->view->plan->port[number].enabled;
	__atomic_store_n(&lane->up, up, __ATOMIC_RELAXED);
	if (was_up && !up) {
		engine_flush(engine, &number, 1, NULL, 0);
	}
}

void
health_ports(struct control *control)
{
	struct engine *engine = control->engine;
	for (uint16_t n = 1; n < SEG_MAX_PORTS; n++) {
		struct port *port = engine->port[n];
		if (!port || !port->started) {
			continue;
		}
		bool link = port->link, present = port->present;
		(void)port->driver->poll(port);
		device_step(control, n, engine_now_ns());
		if (link != port->link || present != port->present) {
			link_changed(control, n, link);
			control->link_since_ns[n] = engine_now_ns();
			control->link_changes[n]++;
			engine_event(engine, port->link ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, "port %s: %s", port->name,
				!port->present           ? "the device is gone; the port waits for it"
				: !present && port->link ? "the device is back, link up"
				: port->link             ? "link up"
				: present                ? "link down"
							 : "the device is back, link down");
		}
		publish_port(control, n);
	}
}

/* ---- cores ------------------------------------------------------------------------------------------------------ */

/* State letter and CPU time of a thread of ours (proc(5), /proc/PID/task/TID/stat); false: it is gone. */
static bool
thread_stat(uint32_t tid, char *state, uint64_t *ticks)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/self/task/%u/stat", tid);
	FILE *file = fopen(path, "re");
	if (!file) {
		return false;
	}
	size_t size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	const char *after = strrchr(text, ')'); /* the name before it may hold anything */
	unsigned long long user, system;
	if (!after || sscanf(after + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", state, &user, &system) != 3) {
		return false;
	}
	*ticks = user + system + 1; /* never 0: that means not silent */
	return true;
}

/* The lanes whose queues the core holds busy, are faulty until it returns. */
static void
mark_lanes(struct control *control, unsigned core, bool stalled)
{
	struct engine *engine = control->engine;
	for (uint16_t n = 1; n < SEG_MAX_PORTS; n++) {
		struct lane *lane = engine->view->lane[n];
		if (!lane) {
			continue;
		}
		uint64_t held = (uint64_t)core << 1 | 1;
		bool holds = false;
		for (uint16_t q = 0; q < lane->port->nrxq; q++) {
			holds = holds || (seg_get(&lane->rxq[q].owner.word) & 0xffff) == held;
		}
		for (uint16_t q = 0; q < lane->port->ntxq; q++) {
			holds = holds || (seg_get(&lane->txq[q].owner.word) & 0xffff) == held;
		}
		if (stalled && holds && !lane->faulty) {
			__atomic_store_n(&lane->faulty, true, __ATOMIC_RELAXED);
			engine_event(engine, LOG_LEVEL_ERROR, "port %s: faulty, core %u is stalled inside a burst",
				lane->port->name, core);
			publish_port(control, n);
		}
	}
}

/* Those lanes that no stalled core holds work again. */
static void
clear_lanes(struct control *control)
{
	struct engine *engine = control->engine;
	for (uint16_t n = 1; n < SEG_MAX_PORTS; n++) {
		struct lane *lane = engine->view->lane[n];
		if (lane && lane->faulty) {
			__atomic_store_n(&lane->faulty, false, __ATOMIC_RELAXED);
			engine_event(engine, LOG_LEVEL_NOTICE, "port %s: works again", lane->port->name);
			publish_port(control, n);
		}
	}
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (control->silence[i].stalled) {
			mark_lanes(control, i, true);
		}
	}
}

/* A runnable thread that waits for its CPU is not stalled: only one that has run, or does not want to. */
static bool
silent_core_stalled(const struct seg_core *core, struct silence *silence)
{
	char state;
	uint64_t ticks;
	if (!thread_stat(seg_get(&core->tid), &state, &ticks)) {
		return true;
	}
	if (silence->cpu_ticks == 0) {
		silence->cpu_ticks = ticks;
		return false;
	}
	silence->still = state == 'R' ? 0 : silence->still + 1;
	return silence->still >= STILL_LOOKS ||
	       (ticks - silence->cpu_ticks) * STALLED_TICKS_PER_S >= (uint64_t)sysconf(_SC_CLK_TCK);
}

void
health_cores(struct control *control, uint64_t now_ns)
{
	struct engine *engine = control->engine;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		const struct seg_core *core = seg_core(&engine->seg, i);
		struct silence *silence = &control->silence[i];
		uint64_t heartbeat_ns = seg_get(&core->heartbeat_ns);
		if (heartbeat_ns + SILENT_NS > now_ns || heartbeat_ns != silence->heartbeat_ns) {
			bool returned = silence->stalled;
			*silence = (struct silence){.heartbeat_ns = heartbeat_ns};
			if (returned) {
				engine_event(engine, LOG_LEVEL_NOTICE, "core %u: is back", i);
				clear_lanes(control);
			}
			takeover_back(control, i);
			continue;
		}
		if (!silence->stalled && silent_core_stalled(core, silence)) {
			silence->stalled = true;
			engine_event(engine, LOG_LEVEL_ERROR, "core %u: stalled, silent for %llu ms", i,
				(unsigned long long)((now_ns - heartbeat_ns) / 1000000));
			takeover_lost(control, i);
		}
		if (silence->stalled) {
			mark_lanes(control, i, true);
		}
	}
}
