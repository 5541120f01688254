/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control core: inside of run.c, start.c, control.c, client.c, health.c, apply.c, ops.c, publish.c, engine.c and eal.c. All
 * of it is one thread.
 */
#ifndef PEKIT_PE_CONTROL_H
#define PEKIT_PE_CONTROL_H

#include <jansson.h>
#include <sys/types.h>

#include "engine.h"
#include "log/log.h"

#define CONTROL_TICK_MS 50
#define CONTROL_FOLLOW_MS 1500 /* how long a core may take to follow a change; a runnable one needs about a millisecond */

/* What an apply with a time limit goes back to. */
struct confirm {
	char *text; /* the configuration before; NULL: nothing waits */
	uint64_t deadline_ns;
	bool save;
};

/* A configuration that a core still used when it was left: its ports are closed and it is freed when all have let go. */
struct retired {
	const struct view *view; /* NULL: none */
	struct port *port[SEG_MAX_PORTS];
};

/* What is known about a silent core. */
struct silence {
	uint64_t heartbeat_ns; /* the last one seen */
	uint64_t cpu_ticks;    /* its CPU time when the silence was noticed; 0: it is not silent */
	bool stalled;
	unsigned still; /* looks at a thread that does not even want a CPU */
};

struct server;  /* client.c */
struct owns;    /* owns.c */
struct waits;   /* nbr_ops.c */
struct filters; /* filters.c */

struct control {
	struct engine *engine;
	struct server *server;
	struct owns *owns;
	struct waits *waits; /* answers that are due later */
	struct filters *filters;
	struct confirm confirm;
	struct retired retired;
	struct silence silence[SEG_MAX_NODES];
	struct seg_tables *tables; /* as they stand in the segment */
	uint64_t config_generation;
	uint64_t link_since_ns[SEG_MAX_PORTS], link_changes[SEG_MAX_PORTS];
	uint64_t started_ns;
	int epoll, tick, signals, link;
	bool hugepages;
	bool stopping;
	bool deferred; /* the operation that runs has said that its answer is due later */
};

/* Who asks: the other end of a connection. */
struct peer {
	uid_t uid;
	pid_t pid;
	bool may_change;
};

/* ---- start.c ---- */

/* Everything, in engine->conf's words: segment, DPDK, ports, cores, socket. Afterwards control_stop(), whatever it returned. */
enum err_code
control_start(struct control *control, struct err *err);

/* started: what control_start() said. A segment stays for those who look at it when the engine is gone, unless the start failed.
 */
void
control_stop(struct control *control, bool started);

/* What the segment says of the engine. */
void
control_set_state(struct engine *engine, enum seg_state state);

/* ---- control.c ---- */

/* Descriptors and socket. */
enum err_code
control_open(struct control *control, struct err *err);

/* Serves what has come, or waits up to a tick for it. */
void
control_step(struct control *control);

/* Serves until a signal or `stop`. */
void
control_loop(struct control *control);

void
control_close(struct control *control);

/* Says to the world, and to systemd's watchdog, that the control core is there; wherever it waits. */
void
control_beat(struct engine *engine);

/* ---- client.c: the socket ---- */

enum err_code
server_open(struct control *control, struct err *err);

/* An event of the epoll set that belongs to the server; data as server_open() and its clients registered it. */
void
server_event(struct server *server, void *data, uint32_t events);

/* An operation's answer is due later (the operation returns ERR_NONE without a result): a ticket to give it with, 0: it cannot.
 */
uint64_t
server_defer(struct server *server, const struct peer *peer);

/* Takes over the answer, as ops_run() makes it. Nothing happens when the client has gone. */
void
server_answer(struct server *server, uint64_t ticket, json_t *reply);

/* Closes who has been silent for too long. */
void
server_tick(struct server *server, uint64_t now_ns);

/* No new clients, and the socket's name is gone. */
void
server_close_listener(struct server *server);

/* NULL is allowed. */
void
server_close(struct server *server);

/* ---- ops.c ---- */

/* Runs one request; returns the answer, {"result"} or {"error"}, a new reference. NULL: no memory, or it is due later. */
json_t *
ops_run(struct control *control, const struct peer *peer, const char *line, size_t size);

json_t *
ops_error(const struct err *err);

/* fdb_ops.c */
typedef enum err_code
op_function(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err);
op_function ops_fdb_add, ops_fdb_del, ops_fdb_flush;

/* nbr_ops.c */
op_function ops_nbr_add, ops_nbr_del, ops_nbr_flush, ops_nbr_resolve, ops_nbr_announce, ops_nbr_repair;

/* route_ops.c */
op_function ops_route_add, ops_route_replace, ops_route_del, ops_route_flush, ops_route_batch;

/* core_ops.c */
op_function ops_core_drain, ops_core_undrain, ops_core_inject;

/* What json_unpack_ex() found wrong with "args". */
enum err_code
ops_bad_args(const char *op, const json_error_t *jerr, struct err *err);

/* ---- apply.c ---- */

struct apply {
	const char *text; /* the new configuration */
	size_t size;
	bool save;
	bool dry_run;
	unsigned confirm_s; /* 0: for good */
};

/*
 * Checks, opens what is new, swaps it in, closes what has left. On failure everything is as before. *changes (may be NULL) is a
 * new reference: what differed.
 */
enum err_code
apply_run(struct control *control, const struct apply *apply, json_t **changes, struct err *err);

/* The first configuration, engine->conf: ports opened and started, view made; no core runs yet. */
enum err_code
apply_first(struct control *control, struct err *err);

/* Keeps what waits for its confirmation. */
enum err_code
apply_confirm(struct control *control, bool *saved, struct err *err);

/* Timers: the confirmation that did not come, configurations that cores have left. */
void
apply_tick(struct control *control, uint64_t now_ns);

/* All ports closed, everything freed; no core runs any more. */
void
apply_last(struct control *control);

/* A change that cannot be made now: an unconfirmed one waits, or a core has not taken up the last one. */
enum err_code
apply_possible(const struct control *control, struct err *err);

/* ---- save.c: a file is replaced as a whole or not at all ---- */

struct save {
	const char *path;
	char *temporary; /* NULL: nothing was prepared */
};

/* Writes the text beside the file; so whether it can be saved is known before anything is changed. */
enum err_code
save_prepare(struct save *save, const char *path, const char *text, struct err *err);

enum err_code
save_commit(struct save *save, struct err *err);

/* Nothing to do after save_commit(). */
void
save_drop(struct save *save);

/* ---- lane.c ---- */

/* NULL: no memory. The counts of its port start at nothing; its link is taken from the port. */
struct lane *
lane_new(struct engine *engine, struct port *port, const struct view *beside);

/* Frees what waits in its rings; no core uses it any more. NULL is allowed. */
void
lane_free(struct engine *engine, struct lane *lane);

/* Frames that wait to be sent are given up. */
void
lane_drain(struct engine *engine, struct lane *lane);

/* A ring of mbufs for one writer and one reader; NULL: no memory. Freed with free(). */
struct rte_ring *
lane_ring(unsigned slots);

/* ---- publish.c ---- */

/* Makes the segment's tables say what engine->conf, numbers and ports say. */
enum err_code
publish_config(struct control *control, struct err *err);

/* The words of one port that change without a new configuration. */
void
publish_port(struct control *control, uint16_t number);

/* ---- health.c ---- */

/* Asks all drivers for link and losses; tells what changed. */
void
health_ports(struct control *control);

/* Looks for cores that have stopped in the middle of something. */
void
health_cores(struct control *control, uint64_t now_ns);

/* ---- device.c ---- */

/* Does what the port's device asks for: lets it go, takes it again, starts it anew. */
void
device_step(struct control *control, uint16_t number, uint64_t now_ns);

/* Warns of ports in one VLAN that are one NIC: its own switch takes what one of them sends to the other, round and round. */
void
device_loops(struct engine *engine);

/* ---- takeover.c ---- */

/* The core has fallen silent: the others take over what it had. */
void
takeover_lost(struct control *control, unsigned core);

/* It beats again: when it has caught up, it gets back what it had. To be called until then. */
void
takeover_back(struct control *control, unsigned core);

/* Takes a core out on purpose, or lets it serve again. ERR_REFUSED for the last one; ERR_PARTLY: done, but not all follow. */
enum err_code
takeover_drain(struct control *control, unsigned core, bool drain, bool *changed, struct err *err);

/* ---- engine.c ---- */

/* Waits until done() or for timeout_ms; the control core goes on beating. */
bool
engine_wait(struct engine *engine, bool (*done)(struct engine *engine, void *arg), void *arg, int timeout_ms);

/*
 * The second half of engine_publish(): waits until no core uses what `old` (may be NULL) named and engine->view does not, and
 * gives up frames that wait there.
 */
bool
engine_leave(struct engine *engine, const struct view *old, int timeout_ms);

/* The first core that does not use the newest view, 0: all do. */
unsigned
engine_behind(const struct engine *engine);

/* Has every core gone once round its loop (or sleeps)? */
bool
engine_round(struct engine *engine, int timeout_ms);

/* After engine_settle(): what the messages set off has been sent and applied, too. */
bool
engine_quiet(struct engine *engine, int timeout_ms);

/* All dynamic entries of these channels and FIDs are dead from now on. */
void
engine_flush(struct engine *engine, const uint16_t *channel, size_t nchannels, const uint16_t *fid, size_t nfids);

/* ---- eal.c ---- */

/* DPDK's environment and the pool of mbufs. *hugepages: are they used? */
enum err_code
eal_start(struct engine *engine, bool *hugepages, struct err *err);

void
eal_stop(struct engine *engine);

/* The first thing that DPDK has complained of since eal_listen(); "" when it has not. Of the control core's thread. */
void
eal_listen(void);
const char *
eal_heard(void);

#endif
