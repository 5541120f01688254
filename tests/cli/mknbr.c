/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the segment of an appliance that never ran, for tests of arpmgr and ndmgr: cores (3), the interfaces v10 and v20 with
 * addresses, five neighbours a family of known values, counters and messages.
 *
 *	mknbr NAME [live] [changes] [burst] [differ] [clash] [waiting] [pending] [lost] [owed] [cores N] [entries N]
 *
 * Without `live` it ends at once: the engine is dead. With it, "ready" is printed when all is there, and it runs until a signal
 * ends it. changes: a neighbour comes, changes its MAC, fails and goes, over and over. burst: more messages than the traces hold.
 * differ: core 3 lacks a neighbour. clash: core 2 has another MAC in the same version. waiting: four messages stay in the ring
 * (16 slots) from core 1 to core 2. pending: core 2 lacks a neighbour, and the message that adds it is in its ring. lost: core 3
 * was taken out. owed: core 1 owes a resynchronisation. entries: N more neighbours a family.
 *
 * links: lib/shm/seg.c lib/shm/seg_create.c lib/shm/seg_read.c lib/nbr/nbr.c lib/base/err.c
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nbr/nbr.h"
#include "shm/seg.h"

#define MAC(n) (0x020000000000ull + (n))
#define V10 1
#define V20 2
#define SECOND 1000000000ull

static struct seg seg;
static struct nbr table[SEG_FAMILIES][SEG_MAX_NODES];
static uint64_t begun;
static unsigned cores = 3;

static uint64_t
now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
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

static unsigned long
number(int argc, char **argv, const char *word, unsigned long otherwise)
{
	for (int i = 2; i + 1 < argc; i++) {
		if (strcmp(argv[i], word) == 0) {
			return strtoul(argv[i + 1], NULL, 10);
		}
	}
	return otherwise;
}

/* ---- configuration ---------------------------------------------------------------------------------------------- */

static void
add_address(struct seg_iface *iface, unsigned family, uint64_t high, uint64_t low, uint8_t length)
{
	iface->address[iface->naddresses++] = (struct seg_address){.address = {high, low},
		.family = (uint8_t)family,
		.length = length,
		.link_local = high >> 48 == 0xfe80,
		.used = 1};
}

/* 10.0.V.1/24, 2001:db8:V::1/64 and fe80::V/64, with V as one writes it. */
static void
add_iface(struct seg_tables *tables, unsigned n, const char *name, unsigned vid, uint64_t v_hex)
{
	struct seg_iface *iface = &tables->iface[n];
	snprintf(iface->name, sizeof(iface->name), "%s", name);
	iface->mac = MAC(0xf00 + n);
	iface->flags = SEG_IFACE_USED | SEG_IFACE_ENABLED | SEG_IFACE_UP;
	iface->bridge = 1;
	iface->vid = (uint16_t)vid;
	iface->fid = (uint16_t)n;
	iface->mtu = 1500;
	add_address(iface, SEG_IPV4, 0, 0x0a000001u | vid << 8, 24);
	add_address(iface, SEG_IPV6, 0x20010db800000000 | v_hex << 16, 1, 64);
	add_address(iface, SEG_IPV6, 0xfe80000000000000, v_hex, 64);
}

static void
fill_tables(void)
{
	static struct seg_tables tables;
	static const char text[] = "{\"appliance\": \"edge1\"}";
	struct seg_control *control = seg_control(&seg);
	snprintf(tables.bridge[1].name, SEG_NAME_SIZE, "br0");
	tables.fid[1] = (struct seg_fid){.bridge = 1, .vid = 10};
	tables.fid[2] = (struct seg_fid){.bridge = 1, .vid = 20};
	add_iface(&tables, V10, "v10", 10, 0x10);
	add_iface(&tables, V20, "v20", 20, 0x20);
	tables.generation = 1;
	tables.time_ns = begun;
	seg_write_tables(&seg, &tables, text, sizeof(text) - 1);
	control->owner_epoch = 1;
	control->master = 1;
	control->backup = cores > 1 ? 2 : 0;
	for (unsigned i = 0; i < SEG_OWNER_BUCKETS; i++) {
		control->owner[i] = (uint8_t)(1 + i % cores);
	}
}

/* ---- neighbours ------------------------------------------------------------------------------------------------- */

static unsigned
owner_of(unsigned family, const struct nbr_key *key)
{
	return family == SEG_IPV4 ? 1 : seg_control(&seg)->owner[nbr_owner_bucket(nbr_hash(key, seg.head.fdb_seed))];
}

static struct nbr_key
key_of(unsigned family, unsigned iface, uint64_t host)
{
	uint64_t high = iface == V10 ? 0x20010db800100000 : 0x20010db800200000;
	return family == SEG_IPV4 ? nbr_key4((uint32_t)(0x0a000000 + (iface == V10 ? 0xa00 : 0x1400) + host), iface)
				  : nbr_key6(high, host, iface);
}

static void
put(unsigned family, unsigned core, const struct seg_nbr *entry)
{
	const struct nbr_key key = {.address = {entry->address[0], entry->address[1]}, .iface = entry->iface};
	uint32_t slot = nbr_find(&table[family][core], &key);
	if (slot == NBR_NONE) {
		(void)nbr_insert(&table[family][core], entry);
	} else {
		nbr_update(&table[family][core], slot, entry);
	}
}

/* In `state` at its owner, elsewhere REACHABLE (or PERMANENT), on every core but `without`. */
static struct seg_nbr
add(unsigned family, const struct nbr_key *key, uint64_t mac, unsigned state, uint64_t flags, unsigned without)
{
	static uint64_t version;
	struct seg_nbr entry = {.address = {key->address[0], key->address[1]}, .iface = key->iface, .stamp = ++version << 8 | 1};
	for (unsigned core = 1; core <= cores; core++) {
		bool owner = core == owner_of(family, key), same = owner || state == SEG_NBR_PERMANENT;
		entry.value = mac << 16 | flags | (same ? state : (uint64_t)SEG_NBR_REACHABLE);
		entry.confirmed_ns = begun - (owner ? 9 : 5) * SECOND;
		entry.used_ns = begun - (owner ? 2 : 1) * SECOND;
		entry.changed_ns = begun - SECOND;
		if (core != without) {
			put(family, core, &entry);
		}
	}
	return entry;
}

static void
add_local(unsigned family, const struct nbr_key *key, unsigned state, unsigned core)
{
	const struct seg_nbr entry = {.address = {key->address[0], key->address[1]},
		.iface = key->iface,
		.value = state,
		.used_ns = begun,
		.changed_ns = begun};
	put(family, core, &entry);
}

static void
fill_family(unsigned family, unsigned differing, unsigned clashing, unsigned long more)
{
	for (unsigned i = 1; i <= cores; i++) {
		nbr_init(&table[family][i], seg_nbr(&seg, family, i), seg.head.nbr_slots, seg.head.fdb_seed,
			&seg_core(&seg, i)->nbr[family]);
	}
	const struct nbr_key key[] = {key_of(family, V10, 5), key_of(family, V10, 6), key_of(family, V20, 7),
		key_of(family, V10, 8), key_of(family, V10, 9)};
	struct seg_nbr first = add(family, &key[0], MAC(5), SEG_NBR_REACHABLE, SEG_NBR_ROUTER * family, differing);
	add(family, &key[1], MAC(6), SEG_NBR_STALE, 0, 0);
	add(family, &key[2], MAC(7), SEG_NBR_PERMANENT, 0, 0);
	add_local(family, &key[3], SEG_NBR_INCOMPLETE, owner_of(family, &key[3]));
	add_local(family, &key[3], SEG_NBR_INCOMPLETE, cores);
	add_local(family, &key[4], SEG_NBR_FAILED, owner_of(family, &key[4]));
	if (clashing) {
		first.value = MAC(0x55) << 16 | SEG_NBR_REACHABLE;
		put(family, clashing, &first);
	}
	for (unsigned long i = 0; i < more; i++) {
		const struct nbr_key one =
			family == SEG_IPV4 ? nbr_key4((uint32_t)(0x0b000000 + i), V10) : nbr_key6(0x20010db800110000, i + 1, V10);
		add(family, &one, MAC(0x1000000 + i), SEG_NBR_REACHABLE, 0, 0);
	}
	const struct nbr_key local = nbr_key6(0xfe80000000000000, 0xbeef, V10), other = nbr_key6(0xfe80000000000000, 0xbeef, V20);
	if (family == SEG_IPV6) {
		add(family, &local, MAC(0xb1), SEG_NBR_REACHABLE, 0, 0);
		add(family, &other, MAC(0xb2), SEG_NBR_REACHABLE, 0, 0);
	}
	seg_core(&seg, 1)->nbr[family].asked = 3;
	seg_core(&seg, cores)->nbr[family].asked = 4;
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static void
add_message(unsigned core, struct seg_msg msg)
{
	struct seg_core *mine = seg_core(&seg, core);
	msg.from = (uint8_t)core;
	msg.seq = (uint32_t)mine->trace_next + 1;
	mine->trace[mine->trace_next % SEG_TRACE] = msg;
	seg_put_release(&mine->trace_next, mine->trace_next + 1);
}

static struct seg_msg
message(enum seg_msg_kind kind, unsigned family, const struct nbr_key *key, uint64_t value, uint64_t stamp)
{
	return (struct seg_msg){.kind = (uint8_t)kind,
		.to = 255,
		.n = 4,
		.stamp = stamp,
		.time_ns = now_ns(),
		.word = {key->address[0], key->address[1], value, (uint64_t)family << 32 | key->iface}};
}

/* Core 2 lacks what core 1 told it. */
static void
leave_pending(void)
{
	struct seg_ring *ring = seg_ring(&seg, 1, 2);
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		const struct nbr_key key = key_of(family, V10, 0x50);
		struct seg_nbr entry = add(family, &key, MAC(0x50), SEG_NBR_REACHABLE, 0, 2);
		ring->slot[family] = message(SEG_MSG_NBR_ADD, family, &key, entry.value, entry.stamp);
	}
	ring->head = SEG_FAMILIES;
}

static void
fill_messages(void)
{
	const struct nbr_key key = key_of(SEG_IPV4, V10, 5), six = key_of(SEG_IPV6, V10, 5), prefix = key_of(SEG_IPV4, V10, 0);
	struct seg_msg used = message(SEG_MSG_NBR_USED, SEG_IPV6, &six, 0, 0);
	used.n = 2;
	used.to = 2;
	add_message(1, message(SEG_MSG_NBR_ADD, SEG_IPV4, &key, MAC(5) << 16 | SEG_NBR_REACHABLE, 257));
	add_message(2, message(SEG_MSG_NBR_ASK, SEG_IPV6, &six, 0, 0));
	add_message(2, message(SEG_MSG_NBR_HEARD, SEG_IPV6, &six, MAC(5) << 16 | 1, 0));
	add_message(3 % (cores + 1), used);
	add_message(0, message(SEG_MSG_NBR_FLUSH, SEG_IPV4, &prefix, 24 << 16, 0));
}

/* By turns: a neighbour is found, changes its MAC, is deleted, and does not answer. */
static void
change(void)
{
	static uint64_t step, version = 1000000;
	unsigned turn = step++ % 4;
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		const struct nbr_key key = key_of(family, V10, 0x70);
		unsigned owner = owner_of(family, &key);
		uint64_t value = MAC(turn == 0 ? 0x70 : 0x71) << 16 | SEG_NBR_REACHABLE, stamp = ++version << 8 | owner;
		const struct seg_nbr entry = {.address = {key.address[0], key.address[1]},
			.iface = key.iface,
			.value = turn == 2 ? SEG_NBR_TOMB : value,
			.stamp = stamp,
			.confirmed_ns = now_ns()};
		for (unsigned core = 1; turn < 3 && core <= cores; core++) {
			put(family, core, &entry);
		}
		struct seg_msg msg = message(turn == 2   ? SEG_MSG_NBR_DEL
					     : turn == 3 ? SEG_MSG_NBR_FAILED
							 : SEG_MSG_NBR_ADD,
			family, &key, turn < 2 ? value : 0, turn < 3 ? stamp : 0);
		msg.cause = owner << 25 | (uint32_t)step;
		add_message(owner, msg);
	}
}

/* What an engine does, in its outward signs. */
static void
live(bool changes, bool burst)
{
	struct seg_header *head = (struct seg_header *)(void *)seg.base;
	const struct nbr_key key = key_of(SEG_IPV4, V10, 5);
	puts("ready");
	fflush(stdout);
	for (;;) {
		uint64_t now = now_ns();
		seg_put(&head->heartbeat_ns, now);
		for (unsigned i = 0; i <= cores; i++) {
			struct seg_core *core = seg_core(&seg, i);
			bool stands = seg_control(&seg)->role[i] == SEG_ROLE_LOST;
			seg_put(&core->heartbeat_ns, now);
			seg_put(&core->loops, core->loops + !stands);
		}
		if (changes) {
			change();
		}
		for (unsigned i = 0; burst && i < 2 * SEG_TRACE; i++) {
			add_message(1, message(SEG_MSG_NBR_ASK, SEG_IPV4, &key, 0, 0));
		}
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
}

int
main(int argc, char **argv)
{
	struct err err = {0};
	unsigned long more = number(argc, argv, "entries", 0);
	cores = (unsigned)number(argc, argv, "cores", cores);
	uint32_t slots = 64;
	while (slots < 2 * more) {
		slots *= 2;
	}
	const struct seg_shape shape = {.ncores = cores,
		.ring_slots = 16,
		.fdb_buckets = 16,
		.nbr_slots = slots,
		.nbr_limit = slots / 2,
		.route_slots = 64,
		.route_limit = 32};
	if (argc < 2 || seg_create(&seg, argv[1], &shape, 48, &err) != ERR_NONE) {
		fprintf(stderr, "mknbr NAME [WORD]...: %s\n", err.message);
		return 1;
	}
	begun = now_ns();
	fill_tables();
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		fill_family(family, asked(argc, argv, "differ") ? 3 : 0, asked(argc, argv, "clash") ? 2 : 0, more);
	}
	fill_messages();
	seg_ring(&seg, 1, 2)->head = asked(argc, argv, "waiting") ? 4 : 0;
	if (asked(argc, argv, "pending")) {
		leave_pending();
	}
	seg_control(&seg)->role[3] = asked(argc, argv, "lost") ? SEG_ROLE_LOST : SEG_ROLE_SERVING;
	seg_core(&seg, 1)->resync = asked(argc, argv, "owed");
	struct seg_header *head = (struct seg_header *)(void *)seg.base;
	head->tsc_hz = 2000000000;
	seg_put(&head->heartbeat_ns, begun);
	seg_put_release(&head->state, (uint32_t)SEG_READY);
	if (asked(argc, argv, "live")) {
		live(asked(argc, argv, "changes"), asked(argc, argv, "burst"));
	}
	return 0;
}
