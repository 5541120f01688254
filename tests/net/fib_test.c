/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The compiled routes with DPDK's own library, for fib.bats.
 *
 *   fib_test churn SEED STEPS    random changes of both families while two cores look routes up; afterwards each time what
 *                                lib/route says is what both copies say
 *   fib_test stall               a core that stands still in the middle of a burst
 *   fib_test full                no memory left for one more route
 *   fib_test empty               the same, and then all routes of that family go
 *   fib_test hops                more gateways than there are numbers
 *   fib_test load ROUTES [4|6]   prints what so many routes take
 *
 * links: cmd/pe/fib.c cmd/pe/fib_copy.c cmd/pe/fib_hop.c cmd/pe/engine.c -lpekit -ldpdk
 */
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "control.h"
#include "fib.h"
#include "fib_int.h"
#include "net/ip6.h"
#include "worker.h"

#define READERS 2
#define BATCH 4096

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

static struct engine engine;
static struct plan *plan;
static struct view view;
static struct iface iface[3];
static uint8_t *states; /* of interface 1 */
static bool quiet, ended, hold;
static unsigned events;

/* ---- what the engine gives the routes --------------------------------------------------------------------------- */

uint64_t
engine_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint32_t
engine_event(struct engine *e, int severity, const char *fmt, ...)
{
	va_list list;
	(void)e;
	(void)severity;
	va_start(list, fmt);
	if (!quiet) {
		printf("event: ");
		vprintf(fmt, list);
		printf("\n");
	}
	va_end(list);
	return ++events;
}

void
control_beat(struct engine *e)
{
	(void)e;
}

void
worker_wake(struct engine *e, unsigned number)
{
	(void)e;
	(void)number;
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
lane_drain(struct engine *e, struct lane *lane)
{
	(void)e;
	(void)lane;
}

/* ---- the house -------------------------------------------------------------------------------------------------- */

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull;
}

static void
start_eal(const char *mb)
{
	char name[] = "fib_test", lcore[] = "--lcores=0@(0-1)", huge[] = "--no-huge", m[] = "-m", size[16], pci[] = "--no-pci",
	     talk[] = "--no-telemetry", shared[] = "--no-shconf", prefix[] = "--file-prefix=pekit-fib-test",
	     level[] = "--log-level=1";
	snprintf(size, sizeof(size), "%s", mb);
	char *argv[] = {name, lcore, huge, m, size, pci, talk, shared, prefix, level, NULL};
	if (rte_eal_init(10, argv) < 0) {
		fprintf(stderr, "DPDK does not start\n");
		exit(1);
	}
	rmdir(rte_eal_get_runtime_dir());
}

static void
add_own(struct iface *on, uint8_t family, uint8_t length, uint64_t high, uint64_t low)
{
	on->address[on->naddresses++] =
		(struct seg_address){.family = family, .length = length, .address = {high, low}, .used = 1};
}

#define NET6 0x20010db8ffff0000ull

/* Interface 1 has 10.0.0.1/8 and 2001:db8:ffff::1/64; number 2 has 192.168.1.1/24. */
static void
start_engine(uint32_t routes, const char *mb)
{
	struct seg_shape shape = {.ncores = READERS,
		.ring_slots = 16,
		.fdb_buckets = 8,
		.nbr_slots = 16,
		.route_slots = conf_route_slots(routes),
		.nbr_limit = 16,
		.route_limit = routes};
	start_eal(mb);
	engine.seg.size = seg_plan(&shape, &engine.seg.head);
	engine.seg.head.ncores = engine.ncores = READERS;
	engine.seg.head.route_slots = shape.route_slots;
	engine.seg.head.route_limit = routes;
	engine.seg.base = aligned_alloc(4096, (engine.seg.size + 4095) / 4096 * 4096);
	plan = calloc(1, sizeof(*plan));
	CHECK(engine.seg.base && plan);
	memset(engine.seg.base, 0, engine.seg.size);
	add_own(&iface[1], SEG_IPV4, 8, 0, 0x0a000001);
	add_own(&iface[1], SEG_IPV6, 64, NET6, 1);
	add_own(&iface[2], SEG_IPV4, 24, 0, 0xc0a80101);
	for (uint16_t i = 1; i <= 2; i++) {
		snprintf(iface[i].name, SEG_NAME_SIZE, "v%u", i);
		iface[i].number = i;
		iface[i].enabled = true;
		iface[i].state = seg_control(&engine.seg)->address_state[i];
		memset(seg_control(&engine.seg)->address_state[i], SEG_ADDRESS_PREFERRED, SEG_IFACE_ADDRESSES);
		plan->iface[i] = &iface[i];
	}
	states = seg_control(&engine.seg)->address_state[1];
	view.plan = plan;
	engine.view = &view;
	struct err err = {0};
	CHECK(fib_open(&engine, &err) == ERR_NONE);
}

static void
config(void)
{
	struct err err = {0};
	if (fib_config(&engine, &err) != ERR_NONE) {
		fprintf(stderr, "fib_config: %s\n", err.message);
		abort();
	}
}

/* ---- readers ---------------------------------------------------------------------------------------------------- */

/* A gateway tells its route's length and eight bits of its prefix, so that a look-up can be judged without any table. */
static unsigned
fold(uint8_t family, uint8_t length, const uint64_t address[static 2])
{
	uint64_t words[2] = {address[0], address[1]};
	route_mask(family, length, words);
	uint64_t x = (words[0] ^ words[1] * 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;
	return (unsigned)(x >> 56);
}

static void
gateway(const struct route_key *key, uint64_t via[static 2])
{
	unsigned told = (unsigned)key->length << 8 | fold(key->family, key->length, key->prefix);
	via[0] = key->family == SEG_IPV4 ? 0 : NET6;
	via[1] = key->family == SEG_IPV4 ? 0x0a000002 + ((uint64_t)told << 8) : 0x10000 + told;
}

/* Few bits vary, so that prefixes nest. */
static void
random_address(uint64_t *state, uint8_t family, uint64_t words[static 2])
{
	uint64_t r = next_random(state);
	words[0] = family == SEG_IPV4 ? 0 : 0x2001000000000000ull | (r & 0x303) << 30 | (r >> 20 & 0xf);
	words[1] = family == SEG_IPV4 ? (0x14000000 | (r & 0x7) << 16 | (r >> 8 & 7) << 8 | (r >> 16 & 0x1f))
				      : (r >> 30 & 3) << 62 | (r >> 40 & 0xf);
}

static void
judge(const struct fib *fib, uint8_t family, const uint64_t address[static 2], uint64_t number)
{
	CHECK(number < FIB_HOPS);
	const struct fib_hop *hop = &fib->hop[number];
	CHECK(number == FIB_HOP_NONE || hop->kind != SEG_ROUTE_NONE);
	if (hop->kind == SEG_ROUTE_VIA) {
		uint64_t told = family == SEG_IPV4 ? (hop->via[1] - 0x0a000002) >> 8 : hop->via[1] - 0x10000;
		CHECK(hop->iface == 1);
		CHECK((told & 0xff) == fold(family, (uint8_t)(told >> 8), address));
	}
}

static void
look_up(const struct fib *fib, uint8_t family, uint64_t address[BURST][2], uint64_t hop[BURST], unsigned n)
{
	uint32_t four[BURST];
	uint8_t six[BURST][16];
	for (unsigned i = 0; i < n; i++) {
		four[i] = (uint32_t)address[i][1];
		ip6_bytes(address[i], six[i]);
	}
	if (family == SEG_IPV4) {
		fib_lookup4(fib, four, hop, n);
	} else {
		fib_lookup6(fib, six, hop, n);
	}
}

static uint64_t bursts[READERS + 1];

static void *
read_on(void *arg)
{
	unsigned number = (unsigned)(uintptr_t)arg;
	struct seg_core *core = seg_core(&engine.seg, number);
	uint64_t random = number * 0x9e3779b97f4a7c15ull, address[BURST][2], hop[BURST];
	while (!seg_get_acquire(&ended)) {
		const struct fib *fib = __atomic_load_n(&engine.fib, __ATOMIC_ACQUIRE);
		uint8_t family = next_random(&random) >> 63;
		for (unsigned i = 0; i < BURST; i++) {
			random_address(&random, family, address[i]);
		}
		look_up(fib, family, address, hop, BURST);
		while (number == 1 && seg_get_acquire(&hold)) {
			usleep(1000);
		}
		for (unsigned i = 0; i < BURST; i++) {
			judge(fib, family, address[i], hop[i]);
		}
		bursts[number]++;
		seg_put_release(&core->loops, core->loops + 1);
	}
	return NULL;
}

static pthread_t reader[READERS + 1];

static void
start_readers(void)
{
	for (unsigned i = 1; i <= READERS; i++) {
		engine.core[i] = (struct worker *)(void *)&engine; /* that there is one is all that matters */
		CHECK(pthread_create(&reader[i], NULL, read_on, (void *)(uintptr_t)i) == 0);
	}
}

static void
stop_readers(void)
{
	seg_put_release(&ended, true);
	for (unsigned i = 1; i <= READERS; i++) {
		pthread_join(reader[i], NULL);
		engine.core[i] = NULL;
	}
}

/* ---- the control core ------------------------------------------------------------------------------------------- */

static struct fib_edit
edit_of(enum fib_op op, const struct route_key *key)
{
	struct fib_edit edit = {.op = op, .lenient = true};
	edit.route = (struct seg_route){.prefix = {key->prefix[0], key->prefix[1]}, .family = key->family, .length = key->length};
	if (op != FIB_DEL) {
		edit.route.kind = SEG_ROUTE_VIA;
		gateway(key, edit.route.via);
	}
	return edit;
}

static struct route_key
random_key(uint64_t *random)
{
	struct route_key key = {.family = next_random(random) >> 63};
	key.length = (uint8_t)((next_random(random) >> 32) % (key.family == SEG_IPV4 ? 33 : 129));
	random_address(random, key.family, key.prefix);
	route_mask(key.family, key.length, key.prefix);
	return key;
}

/* What lib/route says of the addresses is what the fib says. */
static void
compare(const struct fib *fib, uint64_t *random)
{
	uint64_t address[BURST][2], hop[BURST];
	for (uint8_t family = 0; family < SEG_FAMILIES; family++) {
		for (unsigned i = 0; i < BURST; i++) {
			random_address(random, family, address[i]);
		}
		look_up(fib, family, address, hop, BURST);
		for (unsigned i = 0; i < BURST; i++) {
			uint32_t slot = route_lookup(fib_table(&engine), family, address[i]);
			const struct fib_hop *got = &fib->hop[hop[i]];
			if (slot == ROUTE_NONE) {
				CHECK(hop[i] == FIB_HOP_NONE);
				continue;
			}
			const struct seg_route *want = &fib_table(&engine)->slot[slot];
			CHECK(got->kind == want->kind && got->iface == want->iface);
			CHECK(got->kind != SEG_ROUTE_VIA || states[family] == SEG_ADDRESS_PREFERRED);
			CHECK(got->via[0] == want->via[0] && got->via[1] == want->via[1]);
		}
	}
}

/* One list of edits, now and then with an address that comes or goes. */
static void
churn_step(uint64_t *random, unsigned step)
{
	struct fib_edit edit[64];
	struct fib_result result;
	struct err err = {0};
	size_t n = next_random(random) % 64;
	for (size_t i = 0; i < n; i++) {
		struct route_key key = random_key(random);
		edit[i] = edit_of((enum fib_op)((next_random(random) >> 32) % 3), &key);
	}
	if (step % 50 == 7) {
		/* The gateways' net goes, and so do the routes through it. */
		states[step / 50 % 2] =
			states[step / 50 % 2] == SEG_ADDRESS_PREFERRED ? SEG_ADDRESS_DUPLICATE : SEG_ADDRESS_PREFERRED;
		config();
	}
	enum err_code code = fib_change(&engine, edit, n, false, &result, &err);
	if (code != ERR_NONE) {
		fprintf(stderr, "step %u: %s\n", step, err.message);
		abort();
	}
	CHECK(result.changed + result.unchanged == n);
	compare(engine.fib, random);
}

static int
churn(uint64_t seed, unsigned steps)
{
	uint64_t random = seed * 0x9e3779b97f4a7c15ull;
	start_engine(65536, "1000");
	config();
	start_readers();
	for (unsigned step = 0; step < steps; step++) {
		churn_step(&random, step);
	}
	/* One more change brings the other copy forward. */
	churn_step(&random, 1);
	churn_step(&random, 1);
	stop_readers();
	printf("seed %llu: %u changes, %llu IPv4 and %llu IPv6 routes, %llu bursts looked up beside them\n",
		(unsigned long long)seed, steps, (unsigned long long)fib_table(&engine)->count[SEG_IPV4],
		(unsigned long long)fib_table(&engine)->count[SEG_IPV6], (unsigned long long)(bursts[1] + bursts[2]));
	CHECK(bursts[1] > 0 && bursts[2] > 0);
	fib_close(&engine);
	return 0;
}

/* ---- a core that stands still ------------------------------------------------------------------------------------ */

static enum err_code
change_one(enum fib_op op, uint64_t high, uint64_t low, uint8_t family, uint8_t length, struct err *err)
{
	struct route_key key = {{high, low}, family, length};
	struct fib_edit edit = edit_of(op, &key);
	struct fib_result result;
	edit.lenient = false;
	return fib_change(&engine, &edit, 1, false, &result, err);
}

static uint64_t
hop_kind(const struct fib *fib, uint32_t address)
{
	uint64_t hop;
	fib_lookup4(fib, &address, &hop, 1);
	return fib->hop[hop].kind;
}

static int
stall(void)
{
	struct err err = {0};
	start_engine(1024, "600");
	config();
	start_readers();
	CHECK(change_one(FIB_ADD, 0, 0x14000000, SEG_IPV4, 8, &err) == ERR_NONE);
	const struct fib *before = engine.fib;
	seg_put_release(&hold, true);
	usleep(20000);
	CHECK(change_one(FIB_DEL, 0, 0x14000000, SEG_IPV4, 8, &err) == ERR_NONE); /* those that run use it at once */
	CHECK(engine.fib != before);
	CHECK(hop_kind(engine.fib, 0x14000001) == SEG_ROUTE_NONE);
	CHECK(hop_kind(before, 0x14000001) == SEG_ROUTE_VIA); /* not a word of what the stalled core reads has changed */
	CHECK(change_one(FIB_ADD, 0, 0x15000000, SEG_IPV4, 8, &err) == ERR_TIMEOUT);
	printf("%s (%s)\n", err.message, err.hint);
	fib_tick(&engine);
	CHECK(hop_kind(before, 0x14000001) == SEG_ROUTE_VIA);
	states[1] = SEG_ADDRESS_DUPLICATE; /* the configuration has to wait, too */
	CHECK(fib_config(&engine, &err) == ERR_TIMEOUT);
	seg_put_release(&hold, false);
	for (unsigned i = 0; i < 5000 && hop_kind(before, 0x14000001) == SEG_ROUTE_VIA; i++) {
		usleep(1000);
		fib_tick(&engine);
	}
	CHECK(hop_kind(before, 0x14000001) == SEG_ROUTE_NONE);
	CHECK(fib_table(&engine)->count[SEG_IPV6] == 0);
	CHECK(change_one(FIB_ADD, 0, 0x15000000, SEG_IPV4, 8, &err) == ERR_NONE);
	stop_readers();
	fib_close(&engine);
	return 0;
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static double
seconds(void)
{
	return (double)engine_now_ns() / 1e9;
}

static long
resident_mb(void)
{
	long kb = 0;
	char line[128];
	FILE *file = fopen("/proc/self/status", "r");
	while (file && fgets(line, sizeof(line), file)) {
		(void)sscanf(line, "VmRSS: %ld", &kb);
	}
	if (file) {
		fclose(file);
	}
	return kb / 1024;
}

/* Prefixes as in a full table: /16 to /24 (/32 to /48), all different. */
static struct route_key
load_key(uint8_t family, uint32_t i)
{
	struct route_key key = {.family = family};
	if (family == SEG_IPV4) {
		key.length = (uint8_t)(i % 16 ? 24 : 22 + i / 16 % 2);
		key.prefix[1] = (0x14000000u + (i << 8)) & 0xffffffff;
	} else {
		key.length = (uint8_t)(i % 2 ? 48 : 44);
		key.prefix[0] = 0x2400000000000000ull + ((uint64_t)i << 20);
	}
	route_mask(family, key.length, key.prefix);
	return key;
}

/* Adds n routes, BATCH at a time; false: refused. */
static bool
load(uint8_t family, uint32_t n, struct err *err)
{
	static struct fib_edit edit[BATCH];
	struct fib_result result;
	for (uint32_t i = 0; i < n; i += BATCH) {
		uint32_t some = n - i < BATCH ? n - i : BATCH;
		for (uint32_t k = 0; k < some; k++) {
			struct route_key key = load_key(family, i + k);
			edit[k] = edit_of(FIB_ADD, &key);
		}
		if (fib_change(&engine, edit, some, false, &result, err) != ERR_NONE) {
			return false;
		}
	}
	return true;
}

static void
load_look_ups(uint8_t family, uint32_t n)
{
	uint64_t address[BURST][2], hop[BURST], random = 88172645463325252ull, cycles = 0;
	for (unsigned round = 0; round < 20000; round++) {
		for (unsigned i = 0; i < BURST; i++) {
			struct route_key key = load_key(family, (uint32_t)(next_random(&random) % n));
			address[i][0] = key.prefix[0];
			address[i][1] = key.prefix[1];
		}
		uint64_t start = rte_rdtsc();
		look_up(engine.fib, family, address, hop, BURST);
		cycles += rte_rdtsc() - start;
		for (unsigned i = 0; i < BURST; i++) {
			judge(engine.fib, family, address[i], hop[i]);
			CHECK(hop[i] != FIB_HOP_NONE);
		}
	}
	printf("%.1f cycles a look-up, random prefixes\n", (double)cycles / 20000 / BURST);
}

static int
load_run(uint32_t n, uint8_t family)
{
	struct err err = {0};
	char mb[24];
	const struct conf conf = {.routes = n + 100};
	uint64_t reserved = conf_fib_bytes(&conf);
	snprintf(mb, sizeof(mb), "%llu", (unsigned long long)(reserved / (1 << 20) + 64));
	start_engine(n + 100, mb);
	long before = resident_mb();
	double start = seconds();
	config();
	printf("first copies of both families: %.0f ms, %.1f MB\n", (seconds() - start) * 1e3,
		(double)seg_control(&engine.seg)->fib_bytes / 1048576);
	start = seconds();
	if (!load(family, n, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	double took = seconds() - start;
	uint64_t bytes = seg_control(&engine.seg)->fib_bytes;
	printf("%u IPv%u routes in lists of %u: %.2f s, %.2f us each; fib_bytes %.1f MB of %.1f reserved, resident %ld MB more\n",
		n, family == SEG_IPV4 ? 4 : 6, BATCH, took, took * 1e6 / n, (double)bytes / 1048576, (double)reserved / 1048576,
		resident_mb() - before);
	CHECK(fib_table(&engine)->count[family] >= n - n / 16);
	CHECK(bytes <= reserved);
	load_look_ups(family, n);
	start = seconds();
	uint32_t changes = 200;
	for (uint32_t i = 0; i < changes; i++) {
		struct route_key key = load_key(family, i * 7 % n);
		struct fib_edit edit = edit_of(i % 2 ? FIB_REPLACE : FIB_DEL, &key);
		struct fib_result result;
		CHECK(fib_change(&engine, &edit, 1, false, &result, &err) == ERR_NONE);
	}
	printf("one change at a time: %.1f us\n", (seconds() - start) * 1e6 / changes);
	fib_close(&engine);
	return 0;
}

static int
full(void)
{
	struct err err = {0};
	uint64_t random = 99;
	start_engine(1000000, "180");
	config();
	CHECK(!load(SEG_IPV4, 1000000, &err));
	CHECK(err.code == ERR_REFUSED && strncmp(err.message, "tables.routes:", 14) == 0);
	printf("%s (%s)\n", err.message, err.hint);
	uint64_t there = fib_table(&engine)->count[SEG_IPV4];
	CHECK(there > 1000);
	compare(engine.fib, &random);
	/* What is there can be used, taken out and put in again. */
	CHECK(change_one(FIB_DEL, 0, 0x14000100, SEG_IPV4, 24, &err) == ERR_NONE);
	compare(engine.fib, &random);
	CHECK(change_one(FIB_ADD, 0, 0x14000100, SEG_IPV4, 24, &err) == ERR_NONE);
	CHECK(change_one(FIB_ADD, 0, 0x14000100, SEG_IPV4, 24, &err) == ERR_NONE);
	CHECK(fib_table(&engine)->count[SEG_IPV4] == there);
	compare(engine.fib, &random);
	fib_close(&engine);
	return 0;
}

/* A copy that could not be made anew is empty; that the last routes go is no step that it can take. */
static int
empty(void)
{
	static struct fib_edit edit[1 << 20];
	struct err err = {0};
	struct fib_result result;
	size_t there = 0, n;
	start_engine(1000000, "180");
	states[1] = SEG_ADDRESS_DUPLICATE;
	config();
	do {
		for (n = 0; n < BATCH; n++) {
			struct route_key key = load_key(SEG_IPV6, (uint32_t)(there + n));
			edit[there + n] = edit_of(FIB_ADD, &key);
			edit[there + n].route.kind = SEG_ROUTE_BLACKHOLE;
			memset(edit[there + n].route.via, 0, sizeof(edit[0].route.via));
		}
		n = fib_change(&engine, edit + there, BATCH, false, &result, &err) == ERR_NONE ? BATCH : 0;
		there += n;
	} while (n && there + BATCH <= sizeof(edit) / sizeof(edit[0]));
	CHECK(err.code == ERR_REFUSED && there > 0);
	for (n = 0; n < there; n++) {
		edit[n].op = FIB_DEL;
	}
	CHECK(fib_change(&engine, edit, there, false, &result, &err) == ERR_NONE);
	CHECK(fib_table(&engine)->count[SEG_IPV6] == 0);
	for (unsigned c = 0; c < 2; c++) {
		for (unsigned hop = 0; hop < FIB_HOPS; hop++) {
			CHECK(engine.routes->copy[c].refs[SEG_IPV6][hop] == 0);
		}
	}
	edit[0].op = FIB_ADD;
	CHECK(fib_change(&engine, edit, 1, false, &result, &err) == ERR_NONE);
	fib_close(&engine);
	return 0;
}

static int
hops(void)
{
	struct err err = {0};
	static struct fib_edit edit[FIB_HOPS];
	struct fib_result result;
	start_engine(100000, "600");
	config();
	for (uint32_t i = 0; i < FIB_HOPS; i++) {
		edit[i] = (struct fib_edit){.op = FIB_ADD};
		edit[i].route = (struct seg_route){.prefix = {0, 0x14000000 + (i << 8)},
			.family = SEG_IPV4,
			.length = 24,
			.kind = SEG_ROUTE_VIA,
			.via = {0, 0x0a000100 + i}};
	}
	CHECK(fib_change(&engine, edit, FIB_HOPS, false, &result, &err) == ERR_REFUSED);
	printf("%s\n", err.message);
	uint64_t there = fib_table(&engine)->count[SEG_IPV4];
	/* All of the refused ones were given back: what fits, fits again and again. */
	for (unsigned i = 0; i < 3; i++) {
		CHECK(fib_change(&engine, edit, FIB_HOPS - 100, false, &result, &err) == ERR_NONE);
		CHECK(hop_kind(engine.fib, 0x14000001) == SEG_ROUTE_VIA);
		for (uint32_t k = 0; k < FIB_HOPS - 100; k++) {
			edit[k].op = FIB_DEL;
		}
		CHECK(fib_change(&engine, edit, FIB_HOPS - 100, false, &result, &err) == ERR_NONE);
		for (uint32_t k = 0; k < FIB_HOPS - 100; k++) {
			edit[k].op = FIB_ADD;
			edit[k].route.via[1] += 1000;
		}
		CHECK(fib_table(&engine)->count[SEG_IPV4] == there);
	}
	fib_close(&engine);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	setlinebuf(stdout);
	quiet = strcmp(what, "churn") == 0;
	if (strcmp(what, "churn") == 0 && argc == 4) {
		return churn(strtoull(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
	}
	if (strcmp(what, "load") == 0 && argc >= 3) {
		return load_run((uint32_t)strtoul(argv[2], NULL, 10), argc > 3 && argv[3][0] == '6' ? SEG_IPV6 : SEG_IPV4);
	}
	if (strcmp(what, "stall") == 0) {
		return stall();
	}
	if (strcmp(what, "full") == 0) {
		return full();
	}
	if (strcmp(what, "empty") == 0) {
		return empty();
	}
	if (strcmp(what, "hops") == 0) {
		return hops();
	}
	fprintf(stderr, "see the head of fib_test.c\n");
	return 2;
}
