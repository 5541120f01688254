/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The routes as the packet path looks them up: DPDK's fib (DIR24_8) and fib6 (TRIE), compiled from lib/route.
 *
 * DPDK 22.11's fibs protect no reader while they change, so there are two copies. A change goes into the one that nobody reads,
 * the pointer is swapped, all cores pass a quiet point (engine_round()), and the other copy follows. Readers take the pointer
 * once a burst. A look-up yields the number of a hop; hops are never changed in place: a number is used again only after a quiet
 * point.
 *
 * Copies of a family are made when its first route comes (an interface's), so an engine that only bridges has none.
 */
#ifndef PEKIT_PE_FIB_H
#define PEKIT_PE_FIB_H

#include <rte_fib.h>
#include <rte_fib6.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "route/route.h"
#include "shm/layout.h"

#define FIB_HOPS 32768 /* 15 bits: what DIR24_8 holds in entries of two bytes */
#define FIB_HOP_NONE 0 /* no route */

struct fib_hop {
	uint64_t via[2]; /* SEG_ROUTE_VIA; else the packet's destination is the neighbour */
	uint16_t iface;
	uint8_t kind; /* enum seg_route_kind; SEG_ROUTE_NONE: no route */
};

/* What data cores read. Immutable but for `hop` of numbers that no copy in use holds. */
struct fib {
	struct rte_fib *v4; /* NULL: no IPv4 route at all */
	struct rte_fib6 *v6;
	const struct fib_hop *hop; /* [FIB_HOPS] */
};

/* n <= BURST addresses in host order; hops of FIB_HOP_NONE for those without a route. Any data core. */
static inline void
fib_lookup4(const struct fib *fib, const uint32_t *address, uint64_t *hop, unsigned n)
{
	if (__builtin_expect(!fib->v4, 0)) {
		for (unsigned i = 0; i < n; i++) {
			hop[i] = FIB_HOP_NONE;
		}
		return;
	}
	rte_fib_lookup_bulk(fib->v4, (uint32_t *)(uintptr_t)address, hop, (int)n);
}

static inline void
fib_lookup6(const struct fib *fib, uint8_t address[][16], uint64_t *hop, unsigned n)
{
	if (__builtin_expect(!fib->v6, 0)) {
		for (unsigned i = 0; i < n; i++) {
			hop[i] = FIB_HOP_NONE;
		}
		return;
	}
	rte_fib6_lookup_bulk(fib->v6, address, hop, (int)n);
}

struct engine;

/*
 * Control core. `fib_open` makes the table of routes in the segment and the words above; `fib_config` makes the routes of the
 * configuration and of the interfaces' usable addresses (engine->view->plan) the ones that are there, beside those given live
 * (which go with the interface that they need); `fib_change` runs one list of edits as a whole.
 *
 * A core that does not follow keeps the old copy from being changed: the new one is in use, and the next change has to wait
 * (ERR_TIMEOUT). fib_tick(), now and then, catches up when the core has come back.
 */
enum err_code
fib_open(struct engine *engine, struct err *err);

/* After a new plan was published, and when an address becomes usable or stops being so. */
enum err_code
fib_config(struct engine *engine, struct err *err);

enum fib_op { FIB_ADD, FIB_REPLACE, FIB_DEL };

struct fib_edit {
	enum fib_op op;
	bool lenient;           /* FIB_ADD: another route of the prefix is left as it is; FIB_DEL: none is no error */
	struct seg_route route; /* since_ns and flags are filled in; iface 0 of SEG_ROUTE_VIA: found by the gateway. FIB_DEL: of
				   what is not 0 beside the prefix, kind, via and iface must be those of the route */
};

struct fib_result {
	size_t changed, unchanged;
	size_t bad; /* the first edit that cannot be, when there is an error that is one's */
};

/*
 * All or nothing. ERR_EXISTS, ERR_NOT_FOUND as usual; ERR_REFUSED when there is no room, a gateway lies in no connected prefix,
 * or the route is not one that was given live.
 */
enum err_code
fib_change(
	struct engine *engine, const struct fib_edit *edit, size_t n, bool dry_run, struct fib_result *result, struct err *err);

/* The routes there are. */
const struct route_table *
fib_table(const struct engine *engine);

void
fib_tick(struct engine *engine);

/* When no data core runs any more. */
void
fib_close(struct engine *engine);

#endif
