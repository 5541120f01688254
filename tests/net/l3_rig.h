/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A data core without devices for l3_test.c: interfaces, routes, neighbours, and a digest of what leaves. */
#ifndef PEKIT_TESTS_L3_RIG_H
#define PEKIT_TESTS_L3_RIG_H

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "fib.h"
#include "l3_int.h"
#include "neighbor.h"
#include "net/csum.h"
#include "net/icmp.h"

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			exit(1); \
		} \
	} while (0)

#define HOSTS 4096
#define HOP_IFACE(n) (n)        /* connected prefix of interface n */
#define HOP_LOCAL(n) (10 + (n)) /* its address */
#define HOP_VIA 20
#define HOP_KIND(kind) (30 + (kind))

static struct engine engine;
static struct worker *w;
static struct plan plan;
static struct view view;
static struct iface iface[4];
static struct lane lanes[6];
static struct port ports[6];
static struct fib fib;
static struct fib_hop hops[FIB_HOPS];

/* ---- what the engine gives ---------------------------------------------------------------------------------------- */

static uint64_t now = 1000000000;
static unsigned messages;

uint64_t
engine_now_ns(void)
{
	return now;
}

void
exchange_list(struct worker *worker, struct seg_msg *msg, unsigned n)
{
	(void)worker;
	(void)msg;
	messages += n;
}

void
exchange_send(struct worker *worker)
{
	worker->out.n = 0;
}

void
worker_ring(struct engine *e, unsigned to, uint64_t bell, uint64_t work)
{
	(void)e;
	(void)to;
	(void)bell;
	(void)work;
}

void
engine_call(const struct engine *e)
{
	(void)e;
}

/* ---- devices: a digest of what left ------------------------------------------------------------------------------- */

static struct left {
	unsigned frames;
	uint64_t bytes, digest;
} left[6];
static uint8_t last[2048];
static unsigned last_size;

static uint64_t
digest(uint64_t sum, const uint8_t *data, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		sum = (sum ^ data[i]) * 0x100000001b3ull;
	}
	return sum;
}

static uint16_t
tx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n)
{
	struct left *l = &left[port->number];

	(void)queue;
	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *data = rte_pktmbuf_mtod(frame[i], const uint8_t *);
		CHECK(frame[i]->nb_segs == 1 && frame[i]->data_len == frame[i]->pkt_len && !frame[i]->next);
		last_size = frame[i]->data_len;
		memcpy(last, data, last_size < sizeof(last) ? last_size : sizeof(last));
		l->frames++;
		l->bytes += last_size;
		l->digest = digest(l->digest + last_size, data, last_size);
	}
	rte_pktmbuf_free_bulk(frame, n);
	return n;
}

static struct port_driver driver = {.tx = tx};

/* ---- the house ---------------------------------------------------------------------------------------------------- */

static void
start_eal(void)
{
	char name[] = "l3_test", lcore[] = "--lcores=0@(0-1)", huge[] = "--no-huge", m[] = "-m", size[] = "512",
	     pci[] = "--no-pci", talk[] = "--no-telemetry", shared[] = "--no-shconf", prefix[] = "--file-prefix=pekit-l3-test",
	     level[] = "--log-level=1";
	char *argv[] = {name, lcore, huge, m, size, pci, talk, shared, prefix, level, NULL};
	CHECK(rte_eal_init(10, argv) >= 0);
	rmdir(rte_eal_get_runtime_dir());
}

/* 10.N.0.1/16 and 2001:db8:N::1/64. */
static uint32_t
address4(unsigned net, unsigned host)
{
	return 10u << 24 | net << 16 | host;
}

static uint64_t
net6(unsigned net)
{
	return 0x20010db8ull << 32 | net << 16;
}

static uint64_t
mac_of(unsigned net, unsigned host)
{
	return 0x020b00000000 | (uint64_t)net << 24 | host;
}

static void
make_iface(unsigned n, uint16_t port, uint16_t vid, uint16_t mtu)
{
	struct iface *at = &iface[n];
	uint8_t *state = seg_control(&engine.seg)->address_state[n];

	*at = (struct iface){.number = (uint16_t)n,
		.fid = (uint16_t)n,
		.port = port,
		.vid = vid,
		.mtu = mtu,
		.mac = 0x020a00000000 + n,
		.enabled = true,
		.naddresses = 3,
		.state = state};
	at->address[0] = (struct seg_address){.family = SEG_IPV4, .length = 16, .address = {0, address4(n, 1)}, .used = 1};
	at->address[1] = (struct seg_address){.family = SEG_IPV6, .length = 64, .address = {net6(n), 1}, .used = 1};
	at->address[2] = (struct seg_address){.family = SEG_IPV6, .length = 64, .link_local = 1, .used = 1};
	ip6_link_local(at->mac, at->address[2].address);
	memset(state, SEG_ADDRESS_PREFERRED, SEG_IFACE_ADDRESSES);
	plan.iface[n] = at;
	plan.fid[n].iface = (uint16_t)n;
	plan.fid[n].only = port;
	plan.fid[n].local_mac = at->mac;
	plan.fid[n].vid = vid;
}

/* Interface 1 on port 1; 2 on port 2, VLAN 7, small MTU; 3 on a bridge, VLAN 30: port 3 untagged, port 4 tagged. */
static void
make_plan(void)
{
	static uint16_t tagged2[4096], tagged4[4096];
	static const uint16_t members[] = {3, 4}; /* port 5 is there for cycles() alone */
	static uint8_t egress[SEG_MAX_CHANNELS];

	make_iface(1, 1, 0, 1500);
	make_iface(2, 2, 7, 600);
	make_iface(3, 0, 30, 1500);
	tagged2[7] = 2;
	tagged4[30] = 3;
	egress[3] = PLAN_UNTAGGED;
	egress[4] = PLAN_TAGGED;
	plan.fid[3].bridge = 1;
	plan.fid[3].member = members;
	plan.fid[3].nmembers = 2;
	plan.fid[3].egress = egress;
	egress[5] = PLAN_UNTAGGED;
	plan.port[1] = (struct plan_port){.used = true, .enabled = true, .l3 = true, .routed = true, .untagged_fid = 1};
	plan.port[2] = (struct plan_port){.used = true, .enabled = true, .l3 = true, .routed = true, .fid = tagged2};
	plan.port[3] = (struct plan_port){.used = true, .enabled = true, .l3 = true, .bridge = 1, .untagged_fid = 3};
	plan.port[4] = (struct plan_port){.used = true, .enabled = true, .l3 = true, .bridge = 1, .fid = tagged4};
	plan.nbr = (struct conf_neighbors){.reachable_ms = 30000,
		.retrans_ms = 1000,
		.delay_ms = 5000,
		.stale_s = 1200,
		.solicitations = 3,
		.incomplete = 512,
		.solicit_pps = 100000,
		.hold = 4,
		.hold_all = 10};
	view.plan = &plan;
	for (uint16_t p = 1; p <= 5; p++) {
		ports[p] = (struct port){.number = p, .ntxq = 1, .driver = &driver};
		lanes[p].port = &ports[p];
		lanes[p].up = true;
		view.lane[p] = &lanes[p];
	}
}

static void
add_route4(uint32_t prefix, uint8_t length, uint64_t hop)
{
	CHECK(rte_fib_add(fib.v4, prefix, length, hop) == 0);
}

static void
add_route6(uint64_t high, uint64_t low, uint8_t length, uint64_t hop)
{
	uint64_t words[2] = {high, low};
	uint8_t address[16];
	ip6_bytes(words, address);
	CHECK(rte_fib6_add(fib.v6, address, length, hop) == 0);
}

static void
make_routes(void)
{
	struct rte_fib_conf four = {
		.type = RTE_FIB_DIR24_8, .max_routes = 20000, .dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_2B, .num_tbl8 = 4096}};
	struct rte_fib6_conf six = {
		.type = RTE_FIB6_TRIE, .max_routes = 20000, .trie = {.nh_sz = RTE_FIB6_TRIE_2B, .num_tbl8 = 30000}};

	fib.v4 = rte_fib_create("four", 0, &four);
	fib.v6 = rte_fib6_create("six", 0, &six);
	CHECK(fib.v4 && fib.v6);
	fib.hop = hops;
	for (unsigned n = 1; n <= 3; n++) {
		hops[HOP_IFACE(n)] = (struct fib_hop){.kind = SEG_ROUTE_CONNECTED, .iface = (uint16_t)n};
		hops[HOP_LOCAL(n)] = (struct fib_hop){.kind = SEG_ROUTE_LOCAL, .iface = (uint16_t)n};
		add_route4(address4(n, 0), 16, HOP_IFACE(n));
		add_route4(address4(n, 1), 32, HOP_LOCAL(n));
		add_route6(net6(n), 0, 64, HOP_IFACE(n));
		add_route6(net6(n), 1, 128, HOP_LOCAL(n));
	}
	hops[HOP_VIA] = (struct fib_hop){.kind = SEG_ROUTE_VIA, .iface = 1, .via = {0, address4(1, 9)}};
	add_route4(11u << 24, 8, HOP_VIA);
	hops[HOP_VIA + 1] = (struct fib_hop){.kind = SEG_ROUTE_VIA, .iface = 1, .via = {net6(1), 9}};
	add_route6(net6(11), 0, 64, HOP_VIA + 1);
	for (unsigned kind = SEG_ROUTE_BLACKHOLE; kind <= SEG_ROUTE_PROHIBIT; kind++) {
		hops[HOP_KIND(kind)] = (struct fib_hop){.kind = (uint8_t)kind};
		add_route4(address4(100 + kind, 0), 16, HOP_KIND(kind));
		add_route6(net6(100 + kind), 0, 64, HOP_KIND(kind));
	}
	engine.fib = &fib;
}

static void
make_neighbors(void)
{
	for (unsigned net = 1; net <= 3; net++) {
		struct seg_nbr link_local = {.address = {0xfe80ull << 48, 5},
			.value = mac_of(net, 5) << 16 | SEG_NBR_PERMANENT | SEG_NBR_READY,
			.stamp = 1,
			.iface = net};
		CHECK(nbr_insert(&w->nbr->cache[SEG_IPV6].table, &link_local) != NBR_NONE);
		for (unsigned host = 2; host < 2 + HOSTS; host++) {
			const uint64_t value = mac_of(net, host) << 16 | SEG_NBR_PERMANENT | SEG_NBR_READY;
			struct seg_nbr four = {.address = {0, address4(net, host)}, .value = value, .stamp = 1, .iface = net};
			struct seg_nbr six = {.address = {net6(net), host}, .value = value, .stamp = 1, .iface = net};
			CHECK(nbr_insert(&w->nbr->cache[SEG_IPV4].table, &four) != NBR_NONE);
			CHECK(nbr_insert(&w->nbr->cache[SEG_IPV6].table, &six) != NBR_NONE);
			if (net == 3 && host % 8) { /* some are not in the bridge's table: flooded */
				struct fdb *fdb = &w->replica.fdb;
				uint16_t port = host % 2 ? 3 : 4;
				uint64_t at = fdb_value(port, fdb->flush_seq, SEG_VALUE_USED);
				struct seg_cold cold = {.stamp = 1};
				CHECK(fdb_insert(fdb, fdb_key(mac_of(net, host), 3), at, &cold) != FDB_NONE);
			}
		}
	}
}

static void
start(void)
{
	struct seg_shape shape = {.ncores = 1,
		.ring_slots = 16,
		.fdb_buckets = 4096,
		.nbr_slots = 32768,
		.route_slots = 16,
		.nbr_limit = 16384,
		.route_limit = 16};

	start_eal();
	engine.seg.size = seg_plan(&shape, &engine.seg.head);
	engine.seg.head.ncores = engine.ncores = 1;
	engine.seg.head.nbr_slots = shape.nbr_slots;
	engine.seg.head.fdb_seed = 0x9e3779b97f4a7c15ull;
	engine.seg.head.nbr_limit = shape.nbr_limit;
	engine.seg.base = aligned_alloc(4096, (engine.seg.size + 4095) / 4096 * 4096);
	engine.pool = rte_pktmbuf_pool_create("mbufs", 8191, 256, 0, 128 + 2048, 0);
	w = aligned_alloc(64, (sizeof(*w) + 63) / 64 * 64);
	CHECK(engine.seg.base && engine.pool && w);
	memset(engine.seg.base, 0, engine.seg.size);
	memset(w, 0, sizeof(*w));
	w->engine = &engine;
	w->number = w->ncores = 1;
	w->now_ns = now;
	w->mine = seg_core(&engine.seg, 1);
	seg_control(&engine.seg)->master = seg_control(&engine.seg)->backup = 1;
	memset(seg_control(&engine.seg)->owner, 1, SEG_OWNER_BUCKETS);
	w->view = &view;
	make_plan();
	fdb_init(&w->replica.fdb, seg_hot(&engine.seg, 1), seg_cold(&engine.seg, 1), 4096, engine.seg.head.fdb_seed,
		&w->mine->fdb);
	replica_init(&w->replica, seg_control(&engine.seg), 1, 1, 8192, now);
	w->nbr = neighbor_new(w);
	CHECK(w->nbr);
	neighbor_take_view(w);
	make_routes();
	make_neighbors();
	w->now_ns = now += 1000000000; /* the cache's buckets fill up */
}

#endif
