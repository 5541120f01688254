/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine: what the control core and the data cores share.
 *
 * The control core (run.c, control.c, apply.c, ops.c) owns everything here but `core[i]`, which belongs to data core i. Data
 * cores read the plan and the queues through one pointer each, taken up at their quiet point: the end of a loop.
 */
#ifndef PEKIT_PE_ENGINE_H
#define PEKIT_PE_ENGINE_H

#include <pthread.h>
#include <rte_mempool.h>
#include <stdbool.h>
#include <stdint.h>

#include "bridge/plan.h"
#include "conf/conf.h"
#include "core/grace.h"
#include "core/roles.h"
#include "limit/limit.h"
#include "port.h"
#include "queue.h"
#include "shm/ring.h"
#include "shm/seg.h"

struct worker;
struct fib;
struct routes;

/* A port as the data cores use it. Allocated at open, freed after every core has left the plan that named it. */
struct lane {
	struct port *port;
	struct rxq rxq[PORT_MAX_QUEUES];
	struct txq txq[PORT_MAX_QUEUES];
	SEG_ALIGNED struct limit limit; /* of what the port sends, over all its queues; set by the control core */
	SEG_ALIGNED int64_t
		storm_tokens;   /* frames that may be flooded for this port; any core takes, the poller of queue 0 fills */
	uint64_t storm_debt_ns; /* the poller's own: time not yet turned into tokens */
	SEG_ALIGNED bool
		up;  /* written by the control core: enabled and link; frames for a lane that is not up are dropped at once */
	bool faulty; /* likewise: a core stalled inside a burst */
};

/* What a data core takes up at its quiet point. Immutable. */
struct view {
	uint64_t generation;
	const struct plan *plan;
	struct lane *lane[SEG_MAX_PORTS]; /* by port number; NULL: none */
	bool tell_control;                /* the control core is to hear of bridge entries: some device has filters */
};

struct engine {
	struct seg seg;
	struct conf conf; /* the running configuration */
	unsigned ncores;
	struct plan_numbers numbers;
	struct port *port[SEG_MAX_PORTS];
	struct rte_mempool *pool;
	struct keeper *keeper;
	uint16_t max_mtu;
	const struct view *view;                             /* the newest; published with release */
	struct worker *core[SEG_MAX_NODES];                  /* 1..ncores */
	struct rte_ring *work[SEG_MAX_NODES][SEG_MAX_NODES]; /* [from][to]: frames handed over for work */
	struct ring_sender to[SEG_MAX_NODES];                /* the control core's messages */
	struct grace grace;
	struct roles roles;                       /* of the control core; the data cores read the words of the segment */
	uint32_t inject_ms[SEG_MAX_NODES];        /* a core is to stand still for so long, once (pe inject) */
	const struct fib *fib;                    /* cmd/pe/fib.h; what data cores look routes up in, published with release */
	struct routes *routes;                    /* fib.c's own */
	struct ring_receiver from[SEG_MAX_NODES]; /* messages to the control core */
	uint32_t awaited;                         /* resolutions that somebody waits for at the control socket */
	int call_fd;                              /* an eventfd: look at them; 0: none as yet */
	uint32_t cause;                           /* the control core's causes counted */
	bool allow_inject;                        /* pe run --allow-inject */
	void (*watch)(void *arg); /* called while the control core waits: it looks after the cores; NULL: nobody */
	void *watch_arg;
	bool stop;                              /* read by the data cores */
	char *save_path;                        /* of the configuration file, absolute; NULL: it came from standard input */
	uint64_t watchdog_ns, watchdog_sent_ns; /* systemd's; 0: none */
};

/* ---- worker.c: the data cores ---- */

/* Starts data core `number` on its CPU (conf). It takes up engine->view and runs until engine->stop. */
enum err_code
worker_start(struct engine *engine, unsigned number, struct err *err);

/* After engine->stop was set: wakes it and waits for its end. */
void
worker_join(struct engine *engine, unsigned number);

/* When all have ended: until then others may still ring it. */
void
worker_free(struct engine *engine, unsigned number);

/* Wakes a data core if it sleeps, so that it looks at the view, its rings and its bell. From any thread. */
void
worker_wake(struct engine *engine, unsigned number);

/* A message waits for the control core: wakes it. Any data core. */
void
engine_call(const struct engine *engine);

/*
 * Publishes a view and waits until all data cores use it (asking them to hurry); frames for lanes that the new view
 * does not name have been sent or dropped when it returns. Returns false when a core did not follow within timeout_ms: then the
 * old view must not be freed. Control core.
 */
bool
engine_publish(struct engine *engine, const struct view *view, int timeout_ms);

/* Where all cores stood at a time, to see later whether each has gone once round its loop since (or sleeps). Control core. */
struct engine_marks {
	uint64_t loops[SEG_MAX_NODES];
};

/* Wakes them, too. */
void
engine_mark(struct engine *engine, struct engine_marks *marks);

/* The first core that has not, 0: all have. */
unsigned
engine_unpassed(const struct engine *engine, const struct engine_marks *marks);

bool
engine_passed(struct engine *engine, struct engine_marks *marks, int timeout_ms);

/*
 * Sends a message of the control core to a data core, or to all (to = 255); waits up to timeout_ms for room. seq, time and
 * from are filled in, the trace is written. Control core.
 */
bool
engine_send(struct engine *engine, uint8_t to, struct seg_msg *msg, int timeout_ms);

/* Wakes all data cores that sleep. */
void
engine_wake(struct engine *engine);

/* Has every core applied all messages that were sent to it until now? Waits up to timeout_ms. Control core. */
bool
engine_settle(struct engine *engine, int timeout_ms);

/* Notes an event in the segment and the log; returns its id. severity as syslog. Control core. */
uint32_t
engine_event(struct engine *engine, int severity, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

uint64_t
engine_now_ns(void);

#endif
