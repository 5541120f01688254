/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Create, attach and check a segment (lib/shm/layout.h).
 *
 * The engine creates and writes; everybody else attaches read-only, and nothing in a segment can make a reader crash: each
 * span is bounded at attach, and the accessors below use that private copy of the header, never the shared one. A mapped file
 * that shrinks raises SIGBUS; tools call seg_catch_sigbus() once, which turns that into a message and exit status 6.
 */
#ifndef PEKIT_SHM_SEG_H
#define PEKIT_SHM_SEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shm/layout.h"

struct seg {
	uint8_t *base;
	size_t size;
	int fd;
	bool writable;
	struct seg_header head; /* what was checked at attach; state and heartbeat_ns in it are old: use the functions */
	uint64_t inode;         /* of the object that is mapped; 0: a file */
	char source[256];       /* the appliance, or the file */
};

/* What decides the size of a segment. */
struct seg_shape {
	uint32_t ncores;                 /* 1..SEG_MAX_CORES */
	uint32_t ring_slots;             /* a power of two, 16..65536 */
	uint32_t fdb_buckets;            /* >= 2 */
	uint32_t nbr_slots;              /* of a core and family; a power of two, 16..2^24 */
	uint32_t route_slots;            /* a power of two, 16..2^24 */
	uint64_t nbr_limit, route_limit; /* for the header */
};

/* Fills the spans of *head (and ring_stride, size) for a shape; returns the size. For create and for `pe check`. */
uint64_t
seg_plan(const struct seg_shape *shape, struct seg_header *head);

/*
 * Makes the segment of an appliance, zeroed, all its space reserved, header filled and state SEG_STARTING. What a dead engine
 * of that name left is replaced; while one lives: ERR_EXISTS. fdb_limit is for the header. The creator holds a lock on the
 * object until it ends.
 */
enum err_code
seg_create(struct seg *seg, const char *name, const struct seg_shape *shape, uint64_t fdb_limit, struct err *err);

/* Maps the appliance's segment read-only. ERR_NO_ENGINE: none, truncated, foreign, another version; ERR_REFUSED: permission. */
enum err_code
seg_attach(struct seg *seg, const char *name, struct err *err);

/* The same for a saved copy. */
enum err_code
seg_open_file(struct seg *seg, const char *path, struct err *err);

/* Has the appliance's object been replaced since attach (the engine was started again)? Always false for a file. */
bool
seg_replaced(const struct seg *seg);

/* Unmaps; a creator's segment stays for the tools. NULL base is allowed. */
void
seg_detach(struct seg *seg);

/* Removes the appliance's object by name; false when there was none. */
bool
seg_remove(const char *name);

/* Does the process that writes it live (pid, start time, boot)? */
bool
seg_writer_alive(const struct seg *seg);

/* "ready", "stopped", ..., and "dead" when the writer is gone without having said so; "saved" for a copy. */
const char *
seg_state_name(const struct seg *seg);

/* Nanoseconds since the engine's last heartbeat, by CLOCK_MONOTONIC now; for a file or after a reboot, by the wall clock. */
uint64_t
seg_heartbeat_age_ns(const struct seg *seg);

/* Names of all segments on this machine, sorted; running first decides the default appliance. Returns how many (<= max). */
struct seg_name {
	char name[SEG_NAME_SIZE];
	bool alive;
	bool denied; /* may not be read, so nobody knows whether it lives */
};
size_t
seg_list(struct seg_name *names, size_t max);

/* $PEKIT_APPLIANCE, else the only one running, else ERR_NO_ENGINE with the names in the hint (ERR_REFUSED when some may not be
 * read). `given` (may be NULL) wins. */
enum err_code
seg_default_name(const char *given, char name[static SEG_NAME_SIZE], struct err *err);

/* An appliance's name: 1..31 of a-z A-Z 0-9 . _ -, beginning with a letter or digit. */
bool
seg_name_valid(const char *name);

void
seg_catch_sigbus(void);

struct seg_control *
seg_control(const struct seg *seg);

/* node: 0..ncores; NULL when out of range. */
struct seg_core *
seg_core(const struct seg *seg, unsigned node);

/* core: 1..ncores; head.fdb_buckets buckets; NULL when out of range. */
struct seg_bucket *
seg_hot(const struct seg *seg, unsigned core);

struct seg_cold *
seg_cold(const struct seg *seg, unsigned core);

/* core: 1..ncores; head.nbr_slots neighbours of a family; NULL when out of range. */
struct seg_nbr *
seg_nbr(const struct seg *seg, unsigned family, unsigned core);

/* head.route_slots routes of both families. */
struct seg_route *
seg_routes(const struct seg *seg);

/* The ring from one node to another; NULL when out of range. */
struct seg_ring *
seg_ring(const struct seg *seg, unsigned from, unsigned to);

/*
 * A private copy of the configuration tables that was not torn; false when the writer died in the middle of writing it (then the
 * copy is what is there). The copy's names are always terminated.
 */
struct seg_tables {
	struct seg_port port[SEG_MAX_PORTS];
	struct seg_bridge bridge[SEG_MAX_BRIDGES];
	struct seg_fid fid[SEG_MAX_FIDS];
	struct seg_iface iface[SEG_MAX_IFACES];
	char channel_name[SEG_MAX_CHANNELS][SEG_NAME_SIZE];
	uint64_t generation, time_ns;
};
bool
seg_read_tables(const struct seg *seg, struct seg_tables *copy);

/* The creator publishes the tables and the text of a configuration as one. False: the text is too long; nothing was done. */
bool
seg_write_tables(const struct seg *seg, const struct seg_tables *tables, const char *text, size_t text_size);

/* The running configuration's text, malloc'ed and terminated; NULL when there is none or no memory. */
char *
seg_read_config(const struct seg *seg);

/*
 * One entry of a core's bridge table as an outside reader sees it. Slot counts 0..fdb_buckets*SEG_WAYS-1. False: the slot is
 * empty, or changed too often to be read. Tombstones and entries that a flush has killed are told apart by `state`.
 */
enum seg_fdb_state { SEG_FDB_LIVE, SEG_FDB_TOMB, SEG_FDB_FLUSHED };
struct seg_fdb_entry {
	uint64_t key, value;
	struct seg_cold cold;
	enum seg_fdb_state state;
};
bool
seg_read_fdb(const struct seg *seg, unsigned core, uint64_t slot, struct seg_fdb_entry *entry);

/*
 * A whole copy of one neighbour of a core as an outside reader sees it; slot counts 0..nbr_slots-1. False: the slot is empty (or
 * SEG_NBR_GONE), or changed too often to be read. Tombstones are given: look at SEG_NBR_TOMB.
 */
bool
seg_read_nbr(const struct seg *seg, unsigned family, unsigned core, uint64_t slot, struct seg_nbr *copy);

/* The same for a route; slot counts 0..route_slots-1. */
bool
seg_read_route(const struct seg *seg, uint64_t slot, struct seg_route *copy);

/*
 * The trace of a node from record *next on: at most max records, oldest first. *next moves behind the last one given, *lost is
 * how many from it on can be read no more. *next = 0 begins at the oldest there is (and *lost is what came before).
 */
size_t
seg_read_trace(const struct seg *seg, unsigned node, uint64_t *next, struct seg_msg *msg, size_t max, uint64_t *lost);

/* An event by its number, 1..events of struct seg_control; its text is terminated. False: overwritten, or none as yet. */
bool
seg_read_event(const struct seg *seg, uint32_t id, struct seg_event *event);

#endif
