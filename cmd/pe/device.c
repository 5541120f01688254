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
#define LOOK_NS 250000000ull /* whether a device is back */

/* No core is inside the driver any more, nor enters it. False: one is stalled there. */
static bool
hush(struct engine *engine, struct port *port)
{
	__atomic_store_n(&engine->view->lane[port->number]->up, false, __ATOMIC_RELAXED);
	__atomic_store_n(&port->driver, port->idle, __ATOMIC_RELEASE);
	return engine_round(engine, HUSH_MS);
}

static void
work_again(struct control *control, struct port *port)
{
	struct engine *engine = control->engine;
	/* release: what the driver needs is there before a core enters it */
	__atomic_store_n(&port->driver, port->work, __ATOMIC_RELEASE);
	port->wish = PORT_CONTENT;
	port->pause_ns = port->retry_ns = 0;
	if (port->warning[0]) {
		engine_event(engine, LOG_LEVEL_WARNING, "port %s: %s", port->name, port->warning);
		port->warning[0] = '\0';
	}
	port->present = true;
	(void)port->driver->poll(port);
	bool up = port->link && engine->view->plan->port[port->number].enabled;
	__atomic_store_n(&engine->view->lane[port->number]->up, up, __ATOMIC_RELAXED);
	filters_again(control, port->number);
}

static void
put_off(struct port *port, uint64_t now_ns)
{
	port->pause_ns = port->pause_ns ? port->pause_ns * 2 : PAUSE_MIN_NS;
	port->pause_ns = port->pause_ns < PAUSE_MAX_NS ? port->pause_ns : PAUSE_MAX_NS;
	port->retry_ns = now_ns + port->pause_ns;
}

static void
failed(struct engine *engine, struct port *port, struct err *err, uint64_t now_ns)
{
	if (!err->hint[0] && eal_heard()[0]) {
		err_hint(err, "DPDK says: %s", eal_heard());
	}
	if (!port->pause_ns) {
		engine_event(engine, LOG_LEVEL_WARNING, "port %s: %s%s%s", port->name, err->message, err->hint[0] ? ": " : "",
			err->hint);
	}
	put_off(port, now_ns);
}

static void
let_go(struct control *control, struct port *port)
{
	struct engine *engine = control->engine;
	if (hush(engine, port)) {
		port->idle->leave(port);
		port->present = port->link = false;
		port->wish = PORT_AWAY;
		port->pause_ns = 0;
		port->retry_ns = engine_now_ns() + LOOK_NS;
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
		failed(control->engine, port, &err, now_ns);
	}
}

static void
begin_anew(struct control *control, struct port *port, const struct port_env *env, uint64_t now_ns)
{
	struct engine *engine = control->engine;
	struct err err = {0};
	eal_listen();
	if (!hush(engine, port)) {
		return;
	}
	if (port->idle->restart(port, env, &err) == ERR_NONE) {
		engine_event(engine, LOG_LEVEL_NOTICE, "port %s: the device was reset, and is started anew", port->name);
		work_again(control, port);
	} else {
		port->link = false;
		failed(engine, port, &err, now_ns);
	}
}

void
device_step(struct control *control, uint16_t number, uint64_t now_ns)
{
	struct engine *engine = control->engine;
	struct port *port = engine->port[number];
	const struct port_env env = {
		.pool = engine->pool, .keeper = engine->keeper, .cores = engine->ncores, .max_mtu = engine->max_mtu};
	if (!port->idle || port->wish == PORT_CONTENT || (now_ns < port->retry_ns && port->wish != PORT_LEAVE)) {
		return;
	}
	if (port->wish == PORT_LEAVE) {
		let_go(control, port);
	} else if (port->wish == PORT_AWAY) {
		look_for(control, port, &env, now_ns);
	} else {
		begin_anew(control, port, &env, now_ns);
	}
}
