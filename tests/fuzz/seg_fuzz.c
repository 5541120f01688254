/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A saved segment of arbitrary bytes: it is refused, or every reader can go over it.
 *
 * The first byte chooses: 0: the rest is the file. Else a valid tiny segment is made, and the rest changes it, record by
 * record: 1 place value: put 8 bytes into word `place` of the header; 2 place value: into word `place` of the whole; 3 length:
 * cut it there; 4 place: flip the bit.
 * links: lib/shm/seg.c lib/shm/seg_create.c lib/shm/seg_read.c lib/base/err.c lib/nbr/view.c lib/ds/index.c cmd/pemon/sample.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../cmd/pemon/pemon.h"
#include "base/bytes.h"
#include "nbr/view.h"
#include "shm/ring.h"
#include "shm/seg.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *valid; /* a segment as an engine makes it, with something in each place that readers look at */
static size_t valid_size;

static void
make_valid(void)
{
	static struct seg_header head;
	const struct seg_shape shape = {.ncores = 2, .ring_slots = 16, .fdb_buckets = 4, .nbr_slots = 16, .route_slots = 16};
	valid_size = seg_plan(&shape, &head);
	valid = calloc(1, valid_size);
	if (!valid) {
		abort();
	}
	head.magic = SEG_MAGIC;
	head.version = SEG_VERSION;
	head.header_size = sizeof(head);
	head.fdb_seed = 12345;
	head.state = SEG_READY;
	memcpy(head.name, "fuzz", 5);
	memcpy(valid, &head, sizeof(head));
	const struct seg seg = {.base = valid, .size = valid_size, .head = head};
	static struct seg_tables tables;
	memcpy(tables.port[1].name, "p1", 3);
	memcpy(tables.channel_name[1], "p1", 3);
	tables.fid[1] = (struct seg_fid){.bridge = 1, .vid = 10};
	tables.iface[1] = (struct seg_iface){.name = "v10", .fid = 1, .naddresses = 1};
	if (!seg_write_tables(&seg, &tables, "{\"appliance\":\"fuzz\"}", 20)) {
		abort();
	}
	seg_hot(&seg, 1)[1].key[0] = 0x0200000000010001;
	seg_hot(&seg, 1)[1].value[0] = 1;
	seg_nbr(&seg, SEG_IPV6, 2)[3] = (struct seg_nbr){.address = {1, 2}, .value = 0x02000000000a0002, .iface = 1, .seq = 2};
	seg_routes(&seg)[5] = (struct seg_route){.iface = 1, .kind = SEG_ROUTE_VIA, .length = 8};
	seg_nbr(&seg, SEG_IPV4, 1)[3] = (struct seg_nbr){
		.address = {0, 0x0a000a05}, .iface = 1, .value = 0x020000000005ull << 16 | SEG_NBR_REACHABLE, .stamp = 257};
	seg_nbr(&seg, SEG_IPV6, 2)[5] = (struct seg_nbr){.address = {1, 2}, .iface = 1, .value = SEG_NBR_INCOMPLETE};
	seg_nbr(&seg, SEG_IPV4, 2)[4] = seg_nbr(&seg, SEG_IPV4, 1)[3];
	seg_nbr(&seg, SEG_IPV4, 2)[5] =
		(struct seg_nbr){.address = {0, 0x0a000a06}, .iface = 1, .value = SEG_NBR_TOMB, .stamp = 514};
	seg_core(&seg, 1)->trace_next = SEG_TRACE + 5;
	seg_control(&seg)->events = 3;
	seg_ring(&seg, 1, 2)->head = 7;
}

static void
change(uint8_t *bytes, size_t *length, const uint8_t *data, size_t size)
{
	struct bytes_in in = bytes_in(data, size);
	while (bytes_left(&in) > 0 && !in.bad) {
		uint8_t what = bytes_get_u8(&in);
		uint32_t place = bytes_get_u32(&in);
		uint64_t value = (uint64_t)bytes_get_u32(&in) << 32;
		value |= bytes_get_u32(&in);
		if (what == 1) {
			memcpy(bytes + place % (sizeof(struct seg_header) / 8) * 8, &value, 8);
		} else if (what == 2) {
			memcpy(bytes + place % (valid_size / 8) * 8, &value, 8);
		} else if (what == 3) {
			*length = value % (valid_size + 1);
		} else if (what == 4) {
			bytes[place % valid_size] ^= (uint8_t)(1u << value % 8);
		}
	}
}

static uint64_t
sum(const void *from, size_t size)
{
	const uint64_t *word = from;
	uint64_t total = 0;
	for (size_t i = 0; i < size / 8; i++) {
		total += seg_get(&word[i]);
	}
	return total;
}

/* Slots of one more core than there is, and one more than it has. */
static uint64_t
read_l3(const struct seg *seg)
{
	uint64_t total = 0;
	struct seg_nbr nbr;
	struct seg_route route;
	for (unsigned i = 0; i < SEG_FAMILIES * (seg->head.ncores + 2); i++) {
		for (uint64_t slot = 0; slot <= seg->head.nbr_slots; slot++) {
			bool there = seg_read_nbr(seg, i % SEG_FAMILIES, i / SEG_FAMILIES, slot, &nbr);
			total += there ? sum(&nbr, sizeof(nbr)) : 0;
		}
	}
	for (uint64_t slot = 0; slot <= seg->head.route_slots; slot++) {
		total += seg_read_route(seg, slot, &route) ? sum(&route, sizeof(route)) : 0;
	}
	return total;
}

/* Every byte that an accessor hands out is touched. */
static uint64_t
read_all(const struct seg *seg)
{
	static struct seg_tables tables;
	uint64_t total = sum(seg_control(seg), sizeof(struct seg_control)) + seg_read_tables(seg, &tables);
	for (unsigned i = 0; i < SEG_MAX_PORTS; i++) {
		total += strlen(tables.port[i].name) + strlen(tables.port[i].device) + strlen(tables.channel_name[i]);
	}
	for (unsigned i = 0; i < SEG_MAX_IFACES; i++) {
		const struct seg_iface *iface = &tables.iface[i];
		total += strlen(iface->name) + sum(iface->address, iface->naddresses * sizeof(iface->address[0]));
	}
	total += read_l3(seg);
	char *text = seg_read_config(seg);
	total += text ? strlen(text) : 0;
	free(text);
	total += strlen(seg_state_name(seg)) + seg_heartbeat_age_ns(seg) + seg_writer_alive(seg) + seg_replaced(seg);
	struct seg_event event;
	for (uint32_t id = 0; id < 4; id++) {
		total += seg_read_event(seg, seg_control(seg)->events - id, &event) ? strlen(event.text) : 0;
	}
	static struct seg_msg records[SEG_TRACE];
	const unsigned nodes = seg->head.ncores + 1;
	for (unsigned i = 0; i <= nodes; i++) {
		uint64_t next = i, lost;
		size_t n = seg_read_trace(seg, i, &next, records, SEG_TRACE, &lost);
		total += sum(records, n * sizeof(records[0])) + lost;
		const struct seg_core *core = seg_core(seg, i);
		total += core ? sum(core, sizeof(*core)) : 0;
		for (unsigned j = 0; j <= nodes; j++) {
			struct seg_ring *ring = seg_ring(seg, i, j);
			const struct seg_msg *msg = NULL;
			if (ring) {
				struct ring_receiver receiver = ring_receiver(ring, seg->head.ring_slots);
				msg = ring_peek(&receiver);
			}
			total += msg ? msg->seq : 0;
		}
		struct seg_fdb_entry entry;
		uint64_t slots = (uint64_t)seg->head.fdb_buckets * SEG_WAYS;
		for (uint64_t slot = 0; slot <= slots; slot++) {
			total += seg_read_fdb(seg, i, slot, &entry) ? entry.key + (uint64_t)entry.state : 0;
		}
	}
	return total;
}

/* As arpmgr and ndmgr do. */
static uint64_t
neighbors(const struct seg *seg, unsigned family)
{
	struct nbr_view view;
	uint64_t total = 0;
	if (!nbr_view_init(&view, 1)) {
		abort();
	}
	for (unsigned core = 1; core <= seg->head.ncores; core++) {
		struct seg_nbr entry;
		for (uint64_t slot = 0; slot <= seg->head.nbr_slots; slot++) {
			if (seg_read_nbr(seg, family, core, slot, &entry) &&
				!nbr_view_add(&view, &entry, core, seg_control(seg)->master)) {
				abort();
			}
		}
	}
	for (size_t i = 0; i < view.n; i++) {
		struct nbr_view_row *row = &view.row[i];
		if (nbr_view_find(&view, &row->key) != row || (row->same | row->other | row->local) == 0) {
			abort();
		}
		total += nbr_view_agrees(row, 3) + nbr_view_shown(row) + nbr_view_state(row) + nbr_view_cores(row);
	}
	nbr_view_free(&view);
	return total;
}

/* As pemon does. */
static uint64_t
sample(const struct seg *seg)
{
	struct pemon pemon = {.seg = *seg, .now = sample_take(seg), .then = sample_take(seg)};
	uint64_t total = sample_judge(seg, false);
	if (!pemon.now || !pemon.then) {
		abort();
	}
	for (unsigned i = 0; i < pemon.now->nodes; i++) {
		const struct core_rates rates = sample_core_rates(&pemon, i);
		total += rates.has_cycles + (rates.ring_pct > 50);
		for (unsigned reason = 0; reason < SEG_DROPS; reason++) {
			const char *name = sample_port_name(pemon.now, pemon.now->core[i].drop[reason].port);
			total += name ? strlen(name) : 0;
		}
	}
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		struct seg_port_count count;
		sample_port(pemon.now, i, &count);
		total += count.rx_packets + sample_port_used(pemon.now, i) + strlen(sample_link(&pemon.now->tables.port[i]));
	}
	free(pemon.now);
	free(pemon.then);
	return total;
}

static void
open_and_read(const uint8_t *bytes, size_t length)
{
	char path[40];
	struct seg seg;
	struct err err = {0};
	int fd = memfd_create("seg_fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length) {
		abort();
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (seg_open_file(&seg, path, &err) == ERR_NONE) {
		__asm__ volatile(""
				 :
				 : "r"(read_all(&seg) + neighbors(&seg, SEG_IPV4) + neighbors(&seg, SEG_IPV6) +
					 sample(&seg))); /* the reads must happen */
		seg_detach(&seg);
	} else if (err.code != ERR_NO_ENGINE || err.message[0] == '\0') {
		abort(); /* a refusal says why */
	}
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!valid) {
		make_valid();
	}
	if (size == 0 || data[0] == 0) {
		open_and_read(data + (size > 0), size - (size > 0));
		return 0;
	}
	static uint8_t *bytes;
	size_t length = valid_size;
	bytes = bytes ? bytes : malloc(valid_size);
	if (!bytes) {
		abort();
	}
	memcpy(bytes, valid, valid_size);
	change(bytes, &length, data + 1, size - 1);
	open_and_read(bytes, length);
	return 0;
}
