/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices that are reset, leave and come back while their ports stay. Data cores go on all the time: a port whose device must not
 * be touched has a driver that does nothing.
 */
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "filters.h"

#define HUSH_MS 200
#define PAUSE_MIN_NS 100000000ull
#define PAUSE_MAX_NS 10000000000ull
#define PAUSE_STALLED_NS 1000000000ull /* of a device that the kernel waits for */
#define LOOK_NS 250000000ull           /* whether a device is back */

/* No core is inside the driver any more, nor enters it. False: one is stalled there. */
static bool
hush(struct engine *engine, struct port *port)
{
	__atomic_store_n(&engine->view->lane[port->number]->up, false, __ATOMIC_RELAXED);
	__atomic_store_n(&port->driver, port->idle, __ATOMIC_RELEASE);
	return engine_round(engine, HUSH_MS);
}

static void
say_warning(struct engine *engine, struct port *port)
{
	if (port->warning[0]) {
		engine_event(engine, LOG_LEVEL_WARNING, "port %s: %s", port->name, port->warning);
		port->warning[0] = '\0';
	}
}

static void
work_again(struct control *control, struct port *port)
{
	struct engine *engine = control->engine;
	/* release: what the driver needs is there before a core enters it */
	__atomic_store_n(&port->driver, port->work, __ATOMIC_RELEASE);
	port->wish = PORT_CONTENT;
	port->pause_ns = port->retry_ns = 0;
	say_warning(engine, port);
	port->present = true;
	(void)port->driver->poll(port);
	bool up = port->link && engine->view->plan->port[port->number].enabled;
	__atomic_store_n(&engine->view->lane[port->number]->up, up, __ATOMIC_RELAXED);
	filters_again(control, port->number);
}

static void
put_off(struct port *port, uint64_t most_ns, uint64_t now_ns)
{
	port->pause_ns = port->pause_ns ? port->pause_ns * 2 : PAUSE_MIN_NS;
	port->pause_ns = port->pause_ns < most_ns ? port->pause_ns : most_ns;
	port->retry_ns = now_ns + port->pause_ns;
}

static void
failed(struct engine *engine, struct port *port, struct err *err)
{
	if (!err->hint[0] && eal_heard()[0]) {
		err_hint(err, "DPDK says: %s", eal_heard());
	}
	if (!port->pause_ns) {
		engine_event(engine, LOG_LEVEL_WARNING, "port %s: %s%s%s", port->name, err->message, err->hint[0] ? ": " : "",
			err->hint);
	}
	put_off(port, PAUSE_MAX_NS, engine_now_ns());
}

static void
let_go(struct control *control, struct port *port)
{
	struct engine *engine = control->engine;
	if (hush(engine, port)) {
		port->idle->leave(port);
		say_warning(engine, port);
		port->present = port->link = false;
		port->wish = PORT_AWAY;
		port->pause_ns = 0;
		port->retry_ns = engine_now_ns() + LOOK_NS;
	} else {
		put_off(port, PAUSE_STALLED_NS, engine_now_ns());
	}
}

static void
look_for(struct control *control, struct port *port, const struct port_env *env, uint64_t now_ns)
{
	struct err err = {0};
	eal_listen();
	if (port->idle->come(port, env, &err) == ERR_NONE) {
		work_again(control, port);
	} else if (!err.message[0]) {
		port->pause_ns = 0;
		port->retry_ns = now_ns + LOOK_NS;
	} else {
		failed(control->engine, port, &err);
	}
}

static void
begin_anew(struct control *control, struct port *port, const struct port_env *env)
{
	struct engine *engine = control->engine;
	struct err err = {0};
	eal_listen();
	if (!hush(engine, port)) {
		put_off(port, PAUSE_STALLED_NS, engine_now_ns());
		return;
	}
	if (port->idle->restart(port, env, &err) == ERR_NONE) {
		engine_event(engine, LOG_LEVEL_NOTICE, "port %s: the device was reset, and is started anew", port->name);
		work_again(control, port);
	} else {
		port->link = false;
		failed(engine, port, &err);
	}
}

void
device_step(struct control *control, uint16_t number, uint64_t now_ns)
{
	struct engine *engine = control->engine;
	struct port *port = engine->port[number];
	const struct port_env env = {
		.pool = engine->pool, .keeper = engine->keeper, .cores = engine->ncores, .max_mtu = engine->max_mtu};
	if (!port->idle || port->wish == PORT_CONTENT || now_ns < port->retry_ns) {
		return;
	}
	if (port->wish == PORT_LEAVE) {
		let_go(control, port);
	} else if (port->wish == PORT_AWAY) {
		look_for(control, port, &env, now_ns);
	} else {
		begin_anew(control, port, &env);
	}
}

/* ---- loops ------------------------------------------------------------------------------------------------------ */

/* The interface, or else the address, of the physical function that the port is or belongs to; 0: none that is known. */
static size_t
nic_of(const struct port *port, const char **name)
{
	*name = port->pf;
	if (port->pf[0]) {
		return (size_t)(strrchr(port->pf, ':') - port->pf);
	}
	if (port->kind != SEG_PORT_IF && port->kind != SEG_PORT_XDP) {
		return 0;
	}
	*name = strchr(port->device_text, ':') + 1;
	return strlen(*name);
}

static bool
one_nic(const struct port *a, const struct port *b)
{
	const char *of_a, *of_b;
	size_t n = nic_of(a, &of_a);
	return (a->pf[0] || b->pf[0]) && n > 0 && n == nic_of(b, &of_b) && memcmp(of_a, of_b, n) == 0;
}

/* In a VLAN that comes before all others that they share. */
static bool
share_before(const struct plan *plan, unsigned fid, uint16_t a, uint16_t b)
{
	for (unsigned f = 1; f < fid; f++) {
		unsigned found = 0;
		for (unsigned i = 0; plan->fid[f].bridge && i < plan->fid[f].nmembers; i++) {
			found += plan->fid[f].member[i] == a || plan->fid[f].member[i] == b;
		}
		if (found == 2) {
			return true;
		}
	}
	return false;
}

static void
loops_in(struct engine *engine, unsigned fid)
{
	const struct plan *plan = engine->view->plan;
	const struct plan_fid *in = &plan->fid[fid];
	for (unsigned i = 0; in->bridge && i < in->nmembers; i++) {
		for (unsigned k = i + 1; k < in->nmembers && in->member[k] < SEG_MAX_PORTS; k++) {
			const struct port *a = engine->port[in->member[i]], *b = engine->port[in->member[k]];
			if (a && b && one_nic(a, b) && !share_before(plan, fid, a->number, b->number)) {
				engine_event(engine, LOG_LEVEL_WARNING,
					"port %s: in a VLAN with %s of the same NIC: a loop; different VLANs, or one port only",
					a->name, b->name);
			}
		}
	}
}

void
device_loops(struct engine *engine)
{
	for (unsigned fid = 1; fid < SEG_MAX_FIDS; fid++) {
		loops_in(engine, fid);
	}
}
