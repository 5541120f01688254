/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a configuration costs. The engine allocates by the same numbers. */
#include "conf/conf_int.h"
#include "shm/seg.h"

#define HEADROOM 128    /* before the frame: RTE_PKTMBUF_HEADROOM */
#define ROOM_MIN 2048   /* drivers count on that much behind the headroom */
#define ROOM_STEP 1024  /* Intel's NICs use whole ones of the room, and split a frame that needs more */
#define FRAME_EXTRA 26  /* Ethernet header, two tags, CRC */
#define MBUF_STRUCT 128 /* struct rte_mbuf */
#define MBUF_POOL 80    /* what the pool adds to each: header, alignment, a place in its stack */
#define DPDK_OWN (64u << 20)
#define DESCRIPTORS 512 /* of a queue */
#define CORE_CACHE 256  /* mbufs a core keeps at hand */
#define SPARE 1024
#define RING_FILL 512 /* mbufs that wait in a ring between two cores on a busy day */
#define NBR_SLOT 32   /* of a core and neighbour's slot: timers (struct nbr_private), and what waits for it */

/* DPDK's fibs, of which there are two copies (cmd/pe/fib.h). */
#define FIB_COPIES 2
#define FIB_TREE 384 /* for each route that a copy may hold */
#define FIB_ENTRIES (1u << 24)
#define FIB_GROUP 256       /* entries */
#define FIB_NARROW 32767    /* groups, as long as entries of two bytes do; else they take four */
#define FIB_FIRST 4096      /* routes a copy is made for at first */
#define FIB_SPARE 1024      /* groups */
#define FIB_GROUPS_FIRST6 5 /* groups a route */
#define FIB_GROUPS6 3       /* the same where there are many: a /48 needs that many */
#define FIB_ROUTES6 43689   /* of many routes, as many may be of IPv6 */

uint32_t
conf_fdb_buckets(uint32_t entries)
{
	/* SEG_WAYS slots a bucket and half as many slots again as entries: three buckets for each eight */
	uint32_t buckets = (uint32_t)(((uint64_t)entries * 3 + 7) / 8);
	return buckets < 8 ? 8 : buckets;
}

/* A power of two, at least twice n. */
static uint32_t
twice(uint32_t n)
{
	uint32_t slots = 64;
	while (slots < 2 * n) {
		slots *= 2;
	}
	return slots;
}

uint32_t
conf_nbr_slots(uint32_t neighbors)
{
	return twice(neighbors);
}

uint32_t
conf_route_slots(uint32_t routes)
{
	return twice(routes);
}

void
conf_shape(const struct conf *conf, struct seg_shape *shape)
{
	*shape = (struct seg_shape){.ncores = conf->cores,
		.ring_slots = conf->ring_slots,
		.fdb_buckets = conf_fdb_buckets(conf->fdb),
		.nbr_slots = conf_nbr_slots(conf->neighbors),
		.nbr_limit = conf->neighbors,
		.route_slots = conf_route_slots(conf->routes),
		.route_limit = conf->routes};
}

uint32_t
conf_mbuf_room(const struct conf *conf)
{
	uint32_t room = ROOM_MIN;
	for (size_t i = 0; i < conf->nports; i++) {
		uint32_t frame = conf->port[i].mtu + FRAME_EXTRA;
		frame = (frame + ROOM_STEP - 1) / ROOM_STEP * ROOM_STEP;
		room = frame > room ? frame : room;
	}
	return HEADROOM + room;
}

/* What a family's copies take when they hold that many routes, the longest of which need that many groups. */
static uint64_t
fib_bytes(uint64_t routes, uint64_t groups)
{
	uint64_t entry = groups > FIB_NARROW ? 4 : 2;
	return FIB_COPIES * (entry * (FIB_ENTRIES + FIB_GROUP * groups) + routes * FIB_TREE);
}

/* A copy that is full is made anew with twice as many groups (cmd/pe/fib_copy.c). */
static uint64_t
fib_groups(uint64_t first, uint64_t needed)
{
	while (first < needed) {
		first = first < FIB_NARROW && 2 * first > FIB_NARROW ? FIB_NARROW : 2 * first;
	}
	return first;
}

uint64_t
conf_fib_bytes(const struct conf *conf)
{
	uint64_t first = conf->routes < FIB_FIRST ? conf->routes : FIB_FIRST;
	uint64_t six = conf->routes < FIB_ROUTES6 ? conf->routes : FIB_ROUTES6;
	/* Few routes of IPv4 are longer than 24 bits where there are many. */
	uint64_t groups4 = fib_groups(first + FIB_SPARE, first + (conf->routes - first) / 16 + FIB_SPARE);
	uint64_t groups6 = fib_groups(first * FIB_GROUPS_FIRST6 + FIB_SPARE, six * FIB_GROUPS6);
	return fib_bytes(conf->routes, groups4) + fib_bytes(six, groups6);
}

/* May have fewer transmit queues than there are cores, which then leave frames for each other. */
static bool
shares_queues(const struct conf_port *port)
{
	return port->kind != SEG_PORT_IF;
}

size_t
conf_memory(const struct conf *conf, struct conf_memory_item *items, size_t max)
{
	struct seg_header head = {0};
	struct seg_shape shape;
	conf_shape(conf, &shape);
	uint64_t total = seg_plan(&shape, &head);
	uint64_t fdb = 0, cores = 0, nbr = 0;
	for (unsigned node = 0; node <= conf->cores; node++) {
		fdb += head.fdb_hot[node].size + head.fdb_cold[node].size;
		cores += head.core[node].size;
		nbr += head.nbr[SEG_IPV4][node].size + head.nbr[SEG_IPV6][node].size;
	}
	uint64_t mbufs = (uint64_t)conf->mbufs * (conf_mbuf_room(conf) + MBUF_STRUCT + MBUF_POOL);
	uint64_t queues = 0;
	for (size_t i = 0; i < conf->nports; i++) {
		queues += shares_queues(&conf->port[i]) ? conf->cores : 0;
	}
	const struct conf_memory_item all[] = {
		{"bridge tables", "segment", fdb},
		{"neighbour tables", "segment", nbr},
		{"routes", "segment", head.routes.size},
		{"message rings", "segment", head.rings.size},
		{"counters and traces", "segment", cores},
		{"configuration", "segment", total - fdb - nbr - head.routes.size - head.rings.size - cores},
		{"mbufs", "engine", mbufs},
		{"compiled routes", "engine", conf->nifaces ? conf_fib_bytes(conf) : 0},
		{"neighbour timers and queues", "engine",
			(uint64_t)conf->cores * SEG_FAMILIES * conf_nbr_slots(conf->neighbors) * NBR_SLOT},
		{"hand-over rings", "engine", (uint64_t)conf->cores * conf->cores * CONF_HANDOVER_SLOTS * sizeof(void *)},
		{"transmit backlog rings", "engine", queues * conf->cores * CONF_BACKLOG_SLOTS * sizeof(void *)},
		/* an eighth of the pool does not fit into the ends of pages */
		{"devices and DPDK", "engine", DPDK_OWN + mbufs / 8},
	};
	size_t n = sizeof(all) / sizeof(all[0]);
	size_t used = 0;
	for (size_t i = 0; i < n && used < max; i++) {
		if (all[i].bytes) {
			items[used++] = all[i];
		}
	}
	return used;
}

uint32_t
conf_mbufs_needed(const struct conf *conf)
{
	uint32_t needed = SPARE + conf->cores * CORE_CACHE;
	for (size_t i = 0; i < conf->nports; i++) {
		/* Only these devices hold mbufs in each of their receive queues. */
		bool holds = conf->port[i].kind == SEG_PORT_PCI || conf->port[i].kind == SEG_PORT_XDP;
		needed += DESCRIPTORS + DESCRIPTORS * (holds ? conf->cores : 1);
	}
	/* Not every ring between cores is full at once. */
	uint32_t rings = conf->cores * (conf->cores - 1);
	return needed + RING_FILL * (rings < 16 ? rings : 16);
}
