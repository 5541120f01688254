/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two copies of DPDK's fibs. A copy is made small and made anew, larger, when it is full: its tree takes 384 bytes for each
 * route that it might hold, used or not.
 */
#include <errno.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>

#include "fib_int.h"
#include "net/ip6.h"

#define ROUTES_FIRST 4096
#define GROWTH 4
#define GROUPS_NARROW 32767 /* of two-byte entries */
#define GROUPS_MAX (1u << 22)
#define GROUPS_PER_ROUTE6 5 /* a /64 needs that many to begin with */

/* ---- size ------------------------------------------------------------------------------------------------------- */

static uint32_t
at_most(uint64_t n, uint64_t most)
{
	return (uint32_t)(n < most ? n : most);
}

static struct fib_size
first_size(const struct routes *r, unsigned family)
{
	uint32_t routes = at_most(r->table.limit, ROUTES_FIRST);
	/* A LOCAL address of IPv6 needs 13 groups, whatever the limit of routes is. */
	return (struct fib_size){.routes = routes, .groups = routes * (family == SEG_IPV4 ? 1 : GROUPS_PER_ROUTE6) + 1024};
}

/* Groups double, in entries of two bytes as long as they do (lib/conf/memory.c counts on it). False: there is no larger size. */
static bool
grow(const struct routes *r, int error, struct fib_size *size)
{
	if (error == -ENOSPC && size->groups < GROUPS_MAX) {
		bool narrow = size->groups < GROUPS_NARROW;
		size->groups = at_most(2 * (uint64_t)size->groups, narrow ? GROUPS_NARROW : GROUPS_MAX);
		return true;
	}
	if (error == -ENOMEM && size->routes < r->table.limit) {
		size->routes = at_most((uint64_t)size->routes * GROWTH, r->table.limit);
		return true;
	}
	return false;
}

static uint64_t
heap_bytes(void)
{
	uint64_t sum = 0;
	struct rte_malloc_socket_stats stats;
	for (int socket = 0; socket < RTE_MAX_NUMA_NODES; socket++) {
		sum += rte_malloc_get_socket_stats(socket, &stats) == 0 ? stats.heap_allocsz_bytes : 0;
	}
	return sum;
}

/* ---- one copy --------------------------------------------------------------------------------------------------- */

static bool
make4(struct routes *r, unsigned c, const struct fib_size *size)
{
	char name[16];
	struct rte_fib_conf conf = {.type = RTE_FIB_DIR24_8,
		.default_nh = FIB_HOP_NONE,
		.max_routes = (int)size->routes,
		.dir24_8 = {.nh_sz = size->groups > GROUPS_NARROW ? RTE_FIB_DIR24_8_4B : RTE_FIB_DIR24_8_2B,
			.num_tbl8 = size->groups}};
	snprintf(name, sizeof(name), "4-%u", r->serial++ % 1000000);
	r->fib[c].v4 = rte_fib_create(name, SOCKET_ID_ANY, &conf);
	return r->fib[c].v4 != NULL;
}

static bool
make6(struct routes *r, unsigned c, const struct fib_size *size)
{
	char name[16];
	struct rte_fib6_conf conf = {.type = RTE_FIB6_TRIE,
		.default_nh = FIB_HOP_NONE,
		.max_routes = (int)size->routes,
		.trie = {.nh_sz = size->groups > GROUPS_NARROW ? RTE_FIB6_TRIE_4B : RTE_FIB6_TRIE_2B, .num_tbl8 = size->groups}};
	snprintf(name, sizeof(name), "6-%u", r->serial++ % 1000000);
	r->fib[c].v6 = rte_fib6_create(name, SOCKET_ID_ANY, &conf);
	return r->fib[c].v6 != NULL;
}

static void
unref(struct routes *r, unsigned c, unsigned family, uint16_t hop)
{
	uint32_t sum = 0;
	r->copy[c].refs[family][hop]--;
	for (unsigned i = 0; i < 2 * SEG_FAMILIES; i++) {
		sum += r->copy[i / 2].refs[i % 2][hop];
	}
	if (!sum) {
		fib_hop_free(&r->hops, hop);
	}
}

void
fib_copy_free(struct routes *r, unsigned c, unsigned family)
{
	struct fib_copy *copy = &r->copy[c];
	if (family == SEG_IPV4) {
		rte_fib_free(r->fib[c].v4);
		r->fib[c].v4 = NULL;
	} else {
		rte_fib6_free(r->fib[c].v6);
		r->fib[c].v6 = NULL;
	}
	for (uint32_t hop = 1; hop <= r->hops.used; hop++) {
		if (copy->refs[family][hop]) {
			copy->refs[family][hop] = 1;
			unref(r, c, family, (uint16_t)hop);
		}
	}
	copy->bytes[family] = 0;
}

/* 0, or -errno. */
static int
make(struct routes *r, unsigned c, unsigned family, const struct fib_size *size)
{
	uint64_t before = heap_bytes();
	if (!(family == SEG_IPV4 ? make4(r, c, size) : make6(r, c, size))) {
		return -ENODATA; /* no number of these two would do: that there is no memory */
	}
	r->copy[c].bytes[family] = heap_bytes() - before;
	r->copy[c].size[family] = *size;
	return 0;
}

static bool
there(const struct routes *r, unsigned c, unsigned family)
{
	return family == SEG_IPV4 ? r->fib[c].v4 != NULL : r->fib[c].v6 != NULL;
}

static bool
in_use(const struct seg_route *route)
{
	return route->kind != SEG_ROUTE_NONE && !(route->flags & SEG_ROUTE_DOWN);
}

static int
put(struct routes *r, unsigned c, const struct seg_route *route)
{
	uint16_t hop = fib_hop_get(&r->hops, route);
	if (hop == FIB_HOP_NONE) {
		return -ENFILE;
	}
	r->copy[c].refs[route->family][hop]++;
	int error;
	if (route->family == SEG_IPV4) {
		error = rte_fib_add(r->fib[c].v4, (uint32_t)route->prefix[1], route->length, hop);
	} else {
		uint8_t bytes[16];
		ip6_bytes(route->prefix, bytes);
		error = rte_fib6_add(r->fib[c].v6, bytes, route->length, hop);
	}
	if (error) {
		unref(r, c, route->family, hop);
	}
	return error;
}

static void
take_out(struct routes *r, unsigned c, const struct seg_route *route)
{
	if (route->family == SEG_IPV4) {
		rte_fib_delete(r->fib[c].v4, (uint32_t)route->prefix[1], route->length);
	} else {
		uint8_t bytes[16];
		ip6_bytes(route->prefix, bytes);
		rte_fib6_delete(r->fib[c].v6, bytes, route->length);
	}
}

/* ---- following the table ---------------------------------------------------------------------------------------- */

static int
apply(struct routes *r, unsigned c, unsigned family, const struct fib_steps *steps)
{
	int error = 0;
	for (size_t i = 0; i < steps->n && !error; i++) {
		const struct fib_step *step = &steps->step[i];
		bool was = in_use(&step->before), is = in_use(&step->after);
		if ((was ? step->before : step->after).family != family) {
			continue;
		}
		if (is) {
			error = there(r, c, family) ? put(r, c, &step->after) : -ENOENT;
		} else if (was) {
			take_out(r, c, &step->before);
		}
		if (was && !error) {
			unref(r, c, family, fib_hop_find(&r->hops, &step->before));
		}
	}
	return error;
}

static int
fill(struct routes *r, unsigned c, unsigned family)
{
	int error = 0;
	for (uint32_t slot = 0; slot <= r->table.mask && !error; slot++) {
		const struct seg_route *route = &r->table.slot[slot];
		if (route->kind != SEG_ROUTE_NONE && route->kind != SEG_ROUTE_GONE && route->family == family && in_use(route)) {
			error = put(r, c, route);
		}
	}
	return error;
}

static enum err_code
failed(const struct routes *r, unsigned family, int error, struct err *err)
{
	const char *name = family == SEG_IPV4 ? "IPv4" : "IPv6";
	if (error == -ENFILE) {
		err_set(err, ERR_REFUSED, "routes: more than %u different gateways", FIB_HOPS - 1);
		return err->code;
	}
	err_set(err, ERR_REFUSED, "tables.routes: no memory for the compiled %s routes: %llu in all", name,
		(unsigned long long)r->table.count[family]);
	return err_hint(err, "a larger tables.routes reserves more; pe check -c FILE says how much");
}

/* Made anew until it holds all that the table says. */
static enum err_code
rebuild(struct routes *r, unsigned c, unsigned family, int error, struct err *err)
{
	struct fib_copy *copy = &r->copy[c];
	struct fib_size size = there(r, c, family) ? copy->size[family] : first_size(r, family);
	copy->stale[family] = true;
	do {
		if ((error == -ENOSPC || error == -ENOMEM) && !grow(r, error, &size)) {
			break;
		}
		fib_copy_free(r, c, family);
		error = make(r, c, family, &size);
		error = error ? error : fill(r, c, family);
	} while (error == -ENOSPC || error == -ENOMEM);
	copy->stale[family] = error != 0;
	return error ? failed(r, family, error, err) : ERR_NONE;
}

enum err_code
fib_copy_follow(struct routes *r, unsigned c, const struct fib_steps *steps, struct err *err)
{
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		bool stale = r->copy[c].stale[family];
		if (stale && !r->table.count[family]) {
			/* Without one it holds what the table says, and that takes no memory. */
			fib_copy_free(r, c, family);
			r->copy[c].stale[family] = false;
			continue;
		}
		int error = stale ? -EAGAIN : apply(r, c, family, steps);
		enum err_code code = error ? rebuild(r, c, family, error, err) : ERR_NONE;
		if (code != ERR_NONE) {
			/* What was applied of the other family is undone in the table, too. */
			r->copy[c].stale[SEG_IPV4] = r->copy[c].stale[SEG_IPV6] = true;
			return code;
		}
	}
	return ERR_NONE;
}
