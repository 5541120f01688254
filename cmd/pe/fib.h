/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The routes as the packet path looks them up: DPDK's fib (DIR24_8) and fib6 (TRIE), compiled from lib/route.
 *
 * DPDK 22.11's fibs protect no reader while they change, so there are two copies. A change goes into the one that nobody reads, the
 * pointer is swapped, all cores pass a quiet point (engine_round()), and the other copy follows. Readers take the pointer once a
 * burst. A look-up yields the number of a hop; hops are never changed in place: a number is used again only after a quiet point.
 *
 * Copies of a family are made when its first route comes (an interface's), so an engine that only bridges has none.
 */
#ifndef PEKIT_PE_FIB_H
#define PEKIT_PE_FIB_H

#include <rte_fib.h>
#include <rte_fib6.h>

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
	struct rte_fib *v4;   /* NULL: no IPv4 route at all */
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
struct control;

/*
 * Control core. `fib_open` makes the table of routes in the segment and the words above; `fib_config` makes the routes of the
 * configuration and of the interfaces' usable addresses (engine->view->plan) the ones that are there, beside those given live
 * (which go with the interface that they need); `fib_change` adds or removes one list of live routes as a whole.
 * fib_close() when no data core runs any more.
 */
enum err_code
fib_open(struct engine *engine, struct err *err);

/* After a new plan was published, and when an address becomes usable or stops being so. */
enum err_code
fib_config(struct engine *engine, struct err *err);

struct fib_edit {
	bool del;
	struct seg_route route;
};

/* All or nothing, checked before: ERR_REFUSED when the table has no room or a gateway is in no connected prefix. */
enum err_code
fib_change(struct engine *engine, const struct fib_edit *edit, size_t n, struct err *err);

void
fib_close(struct engine *engine);

#endif
