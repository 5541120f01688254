/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the segment of an appliance that never ran, for tests of the tools: three data cores, two ports, one bridge with the
 * VLANs 10 and 20, four entries on every core, counters, drops, events and messages, all of known values.
 *
 *	mkseg NAME [live] [traffic] [changes] [burst] [differ] [waiting] [pending] [stopped] [entries N]
 *
 * Without `live` it ends at once: the engine is dead. With it, "ready" is printed when all is there, and it runs until a signal
 * ends it. traffic: counters move, 1000 packets a second and core. changes: an entry comes, moves and goes again, over and over.
 * burst: more messages than the traces hold. differ: core 3 lacks an entry. waiting: four messages stay in the ring (16 slots)
 * from core 1 to core 2. pending: core 2 lacks an entry, and the message that adds it is in its ring. entries: N more entries,
 * VLAN 10.
 *
 * links: lib/shm/seg.c lib/shm/seg_create.c lib/shm/seg_read.c lib/fdb/fdb.c lib/base/err.c
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fdb/fdb.h"
#include "shm/seg.h"

#define CORES 3
#define MAC(n) (0x020000000000ull + (n))

static struct seg seg;
static struct fdb table[CORES + 1];
static uint64_t begun;

static uint64_t
now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool
asked(int argc, char **argv, const char *word)
{
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], word) == 0) {
			return true;
		}
	}
	return false;
}

static void
fill_port(
	struct seg_tables *tables, unsigned number, const char *name, const char *device, enum seg_port_kind kind, uint32_t flags)
{
	struct seg_port *port = &tables->port[number];
	snprintf(port->name, sizeof(port->name), "%s", name);
	snprintf(port->device, sizeof(port->device), "%s", device);
	snprintf(tables->channel_name[number], SEG_NAME_SIZE, "%s", name);
	port->mac = MAC(0xf00 + number);
	port->speed_bps = 10000000000;
	port->link_since_ns = begun;
	port->link_changes = number;
	port->rx_missed = 3;
	port->flags = SEG_PORT_USED | flags;
	port->kind = (uint16_t)kind;
	port->mtu = 1500;
	port->rx_queues = port->tx_queues = 1;
	port->bridge = 1;
	port->poller[0] = (uint8_t)number;
}

static void
fill_tables(void)
{
	static struct seg_tables tables;
	static const char text[] = "{\"appliance\": \"edge1\"}";
	fill_port(&tables, 1, "p1", "if:veth1", SEG_PORT_IF, SEG_PORT_ENABLED | SEG_PORT_LINK);
	fill_port(&tables, 2, "p2", "vdev:net_null0", SEG_PORT_VDEV, SEG_PORT_ENABLED);
	snprintf(tables.bridge[1].name, SEG_NAME_SIZE, "br0");
	tables.fid[1] = (struct seg_fid){.bridge = 1, .vid = 10};
	tables.fid[2] = (struct seg_fid){.bridge = 1, .vid = 20};
	tables.generation = 1;
	tables.time_ns = begun;
	seg_write_tables(&seg, &tables, text, sizeof(text) - 1);
	struct seg_control *control = seg_control(&seg);
	control->ageing_ns = 300000000000;
	control->owner_epoch = 1;
	for (unsigned i = 0; i < SEG_OWNER_BUCKETS; i++) {
		control->owner[i] = (uint8_t)(1 + i % CORES);
	}
}

/* On every core but `without`. */
static void
add_entry(uint64_t mac, uint16_t fid, uint16_t channel, uint64_t flags, unsigned without)
{
	static uint64_t version;
	struct seg_cold cold = {.stamp = ++version << 8 | 1, .used_ns = begun, .born_ns = begun};
	for (unsigned i = 1; i <= CORES; i++) {
		if (i != without) {
			fdb_insert(&table[i], fdb_key(mac, fid), fdb_value(channel, 0, flags), &cold);
		}
	}
}

static void
fill_fdb(unsigned differing, unsigned long more)
{
	for (unsigned i = 1; i <= CORES; i++) {
		fdb_init(&table[i], seg_hot(&seg, i), seg_cold(&seg, i), seg.head.fdb_buckets, seg.head.fdb_seed,
			&seg_core(&seg, i)->fdb);
	}
	add_entry(MAC(1), 1, 1, 0, 0);
	add_entry(MAC(2), 1, 2, SEG_VALUE_USED, differing);
	add_entry(MAC(3), 2, 2, SEG_VALUE_STATIC, 0);
	add_entry(MAC(4), 2, 1, SEG_VALUE_STICKY, 0);
	for (unsigned long i = 0; i < more; i++) {
		add_entry(MAC(0x1000000 + i), 1, 1, 0, 0);
	}
}

static void
add_drop(unsigned core, enum seg_drop reason, uint64_t packets, uint16_t port)
{
	struct seg_drop_count *drop = &seg_core(&seg, core)->drop[reason];
	drop->packets = packets;
	drop->time_ns = begun;
	drop->port = port;
	drop->length = 1600;
	memcpy(drop->sample, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06", 14);
}

static void
fill_counters(void)
{
	for (unsigned i = 0; i <= CORES; i++) {
		struct seg_core *core = seg_core(&seg, i);
		core->number = i;
		core->cpu = i == 3 ? -1 : (int32_t)i;
		core->heartbeat_ns = begun;
		core->cpu_ns = 5000000000;
		core->loops = 1000;
		core->busy_loops = 500;
		core->messages_sent = i;
		core->messages_received = 3 - i;
		if (i == 0) {
			continue;
		}
		core->busy_cycles = 100000;
		core->rx_packets = 1000 * i;
		core->tx_packets = 900 * i;
		core->ring_peak = 8;
		core->class_packets[SEG_CLASS_BCAST] = 10 * i;
		core->class_packets[SEG_CLASS_CHANNEL] = 990 * i;
		core->channel_packets[1] = 500 * i;
		for (unsigned port = 1; port <= 2; port++) {
			core->port[port].rx_packets = 100 * i;
			core->port[port].rx_bytes = 6400 * i;
			core->port[port].tx_packets = 90 * i;
			core->port[port].tx_bytes = 5760 * i;
			core->port[port].rx_dropped = i;
		}
		core->port[1].csum_unfinished = i == 1 ? 4 : 0;
	}
	add_drop(1, SEG_DROP_RX_OVERSIZE, 5, 1);
	add_drop(2, SEG_DROP_VLAN_REFUSED, 7, 2);
}

static void
add_event(uint32_t severity, const char *text)
{
	struct seg_control *control = seg_control(&seg);
	uint32_t id = ++control->events;
	struct seg_event *event = &control->event[(id - 1) % SEG_EVENTS];
	event->id = id;
	event->severity = severity;
	event->time_ns = begun + id * 1000000;
	snprintf(event->text, sizeof(event->text), "%s", text);
}

static void
add_message(unsigned core, struct seg_msg msg)
{
	struct seg_core *mine = seg_core(&seg, core);
	msg.from = (uint8_t)core;
	msg.seq = (uint32_t)mine->trace_next + 1;
	mine->trace[mine->trace_next % SEG_TRACE] = msg;
	seg_put_release(&mine->trace_next, mine->trace_next + 1);
}

static void
fill_messages(void)
{
	add_event(6, "the engine starts");
	add_event(5, "port p2: no link");
	add_message(1, (struct seg_msg){.kind = SEG_MSG_FDB_ADD,
			       .to = 255,
			       .n = 2,
			       .cause = 1u << 25 | 7,
			       .stamp = 257,
			       .time_ns = begun + 3000000,
			       .word = {fdb_key(MAC(1), 1), 1}});
	add_message(2, (struct seg_msg){.kind = SEG_MSG_FDB_USED,
			       .to = 1,
			       .n = 2,
			       .cause = 2u << 25 | 1,
			       .time_ns = begun + 5000000,
			       .word = {fdb_key(MAC(1), 1), fdb_key(MAC(4), 2)}});
	add_message(3, (struct seg_msg){.kind = SEG_MSG_FDB_DEL,
			       .to = 255,
			       .n = 1,
			       .cause = 3u << 25 | 9,
			       .stamp = 515,
			       .time_ns = begun + 4000000,
			       .word = {fdb_key(MAC(9), 2)}});
	add_message(0, (struct seg_msg){.kind = SEG_MSG_FDB_FLUSH,
			       .to = 255,
			       .n = 3,
			       .cause = 3,
			       .event = 2,
			       .time_ns = begun + 6000000,
			       .word = {0, 2ull << 16, 0}});
}

/* Core 2 lacks what core 1 told it. */
static void
leave_pending(void)
{
	struct seg_ring *ring = seg_ring(&seg, 1, 2);
	uint64_t key = fdb_key(MAC(5), 1);
	add_entry(MAC(5), 1, 1, 0, 2);
	uint32_t slot = fdb_find(&table[1], key);
	ring->slot[0] = (struct seg_msg){.kind = SEG_MSG_FDB_ADD,
		.from = 1,
		.to = 2,
		.n = 2,
		.stamp = table[1].cold[slot].stamp,
		.word = {key, *fdb_value_at(&table[1], slot)}};
	ring->head = 1;
}

/* By turns: an entry is learned by core 1, moves as core 2 sees it, and is aged by core 3. */
static void
change(void)
{
	static uint64_t step, version = 1000000;
	uint64_t key = fdb_key(MAC(0x50), 1), now = now_ns();
	unsigned turn = step++ % 3, core = turn + 1;
	struct seg_cold cold = {.stamp = ++version << 8 | core, .used_ns = now, .born_ns = now};
	uint64_t value = fdb_value(turn == 0 ? 1 : turn == 1 ? 2 : 0, 0, turn == 2 ? SEG_VALUE_TOMB : 0);
	for (unsigned i = 1; i <= CORES; i++) {
		uint32_t slot = fdb_find(&table[i], key);
		if (slot == FDB_NONE) {
			fdb_insert(&table[i], key, value, &cold);
		} else {
			fdb_update(&table[i], slot, value, cold.stamp);
		}
	}
	struct seg_msg msg = {.kind = turn == 2 ? SEG_MSG_FDB_DEL : SEG_MSG_FDB_ADD,
		.from = (uint8_t)core,
		.to = 255,
		.n = turn == 2 ? 1 : 2,
		.cause = core << 25 | (uint32_t)step,
		.stamp = cold.stamp,
		.time_ns = now,
		.word = {key, turn == 2 ? 0 : value}};
	add_message(core, msg);
}

/* What an engine does, in its outward signs. */
static void
live(bool traffic, bool changes, bool burst)
{
	struct seg_header *head = (struct seg_header *)(void *)seg.base;
	puts("ready");
	fflush(stdout);
	for (;;) {
		uint64_t now = now_ns();
		seg_put(&head->heartbeat_ns, now);
		for (unsigned i = 0; i <= CORES; i++) {
			struct seg_core *core = seg_core(&seg, i);
			uint64_t packets = traffic && i > 0 ? (now - begun) / 1000000 : 0;
			seg_put(&core->heartbeat_ns, now);
			seg_put(&core->loops, core->loops + 1);
			seg_put(&core->rx_packets, 1000 * i + packets);
			seg_put(&core->tx_packets, 900 * i + packets);
			seg_put(&core->cpu_ns, 5000000000 + (traffic ? (now - begun) / 2 : 0));
			seg_put(&core->busy_cycles, i > 0 ? 100000 + 50 * packets : 0);
			seg_put(&core->port[1].rx_packets, i > 0 ? 100 * i + packets : 0);
			seg_put(&core->port[1].rx_bytes, i > 0 ? 6400 * i + 64 * packets : 0);
		}
		if (changes) {
			change();
		}
		for (unsigned i = 0; burst && i < 2 * SEG_TRACE; i++) {
			add_message(1,
				(struct seg_msg){
					.kind = SEG_MSG_FDB_USED, .to = 2, .n = 1, .time_ns = now, .word = {fdb_key(MAC(1), 1)}});
		}
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
}

int
main(int argc, char **argv)
{
	struct err err = {0};
	unsigned long more = 0;
	for (int i = 2; i + 1 < argc; i++) {
		more = strcmp(argv[i], "entries") == 0 ? strtoul(argv[i + 1], NULL, 10) : more;
	}
	const struct seg_shape shape = {.ncores = CORES,
		.ring_slots = 16,
		.fdb_buckets = (uint32_t)(more / 3 + 16),
		.nbr_slots = 64,
		.nbr_limit = 32,
		.route_slots = 64,
		.route_limit = 32};
	if (argc < 2 || seg_create(&seg, argv[1], &shape, more + 48, &err) != ERR_NONE) {
		fprintf(stderr,
			"mkseg NAME [live] [traffic] [changes] [burst] [differ] [waiting] [pending] [stopped] [entries N]: %s\n",
			err.message);
		return 1;
	}
	begun = now_ns();
	fill_tables();
	fill_fdb(asked(argc, argv, "differ") ? 3 : 0, more);
	fill_counters();
	fill_messages();
	seg_ring(&seg, 1, 2)->head = asked(argc, argv, "waiting") ? 4 : 0;
	if (asked(argc, argv, "pending")) {
		leave_pending();
	}
	struct seg_header *head = (struct seg_header *)(void *)seg.base;
	head->tsc_hz = 2000000000;
	seg_put(&head->heartbeat_ns, begun);
	seg_put_release(&head->state, (uint32_t)(asked(argc, argv, "stopped") ? SEG_STOPPED : SEG_READY));
	if (asked(argc, argv, "live")) {
		live(asked(argc, argv, "traffic"), asked(argc, argv, "changes"), asked(argc, argv, "burst"));
	}
	return 0;
}
