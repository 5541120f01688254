/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pemon.h"

#define LOOKS 10
#define LOOK_NS 20000000

static uint64_t
clock_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- coherence -------------------------------------------------------------------------------------------------- */

#define TABLES (1 + SEG_FAMILIES) /* of a core: bridge, IPv4 and IPv6 neighbours */

struct look {
	uint64_t digest[SEG_MAX_NODES][TABLES];
	uint64_t sent, received;
	bool under_way; /* messages in rings, resynchronisations owed, flushes not swept by all */
	bool equal;
};

/* A core that was taken out follows nothing. */
static bool
counts(const struct seg *seg, unsigned node)
{
	return node == 0 || seg_get(&seg_control(seg)->role[node]) != SEG_ROLE_LOST;
}

static void
look_at_tables(const struct seg *seg, struct look *look)
{
	unsigned first = 0;
	for (unsigned i = 1; i <= seg->head.ncores; i++) {
		const struct seg_core *core = seg_core(seg, i);
		if (!counts(seg, i)) {
			continue;
		}
		first = first ? first : i;
		look->digest[i][0] = seg_get_acquire(&core->fdb.digest);
		for (unsigned family = 0; family < SEG_FAMILIES; family++) {
			look->digest[i][1 + family] = seg_get_acquire(&core->nbr[family].digest);
		}
		look->equal &= memcmp(look->digest[i], look->digest[first], sizeof(look->digest[i])) == 0;
		look->under_way |= seg_get(&core->fdb.swept_flush) != seg_get(&seg_core(seg, first)->fdb.swept_flush);
	}
}

static void
look_at(const struct seg *seg, struct look *look)
{
	const unsigned ncores = seg->head.ncores;
	memset(look, 0, sizeof(*look));
	look->equal = true;
	for (unsigned i = 0; i <= ncores; i++) {
		const struct seg_core *core = seg_core(seg, i);
		look->sent += seg_get(&core->messages_sent);
		look->received += seg_get(&core->messages_received);
		look->under_way |= counts(seg, i) && seg_get(&core->resync) != 0;
		for (unsigned to = 0; to <= ncores; to++) {
			const struct seg_ring *ring = seg_ring(seg, i, to);
			look->under_way |= counts(seg, i) && counts(seg, to) && seg_get(&ring->head) != seg_get(&ring->tail);
		}
	}
	look_at_tables(seg, look);
}

/*
 * Digests are read one after the other while cores learn. They differ for certain when they stay as they are with nothing under
 * way; the tables' own tools look closer (verify).
 */
enum sample_coherence
sample_judge(const struct seg *seg, bool alive)
{
	struct look look, last;
	for (int i = 0; i < LOOKS; i++) {
		look_at(seg, &look);
		if (look.equal) {
			return SAMPLE_COHERENT;
		}
		if (!alive) {
			return look.under_way ? SAMPLE_UNSETTLED : SAMPLE_DIFFERS;
		}
		if (i > 0 && !look.under_way && !last.under_way && look.sent == last.sent && look.received == last.received &&
			memcmp(look.digest, last.digest, sizeof(look.digest)) == 0) {
			return SAMPLE_DIFFERS;
		}
		last = look;
		nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
	}
	return SAMPLE_UNSETTLED;
}

/* ---- taking ----------------------------------------------------------------------------------------------------- */

/* Counters stand alone: each is read at once, and no more is promised. */
static void
load(uint64_t *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		to[i] = seg_get(&from[i]);
	}
}

static void
take_drops(struct sample_core *out, const struct seg_core *core)
{
	for (unsigned i = 0; i < SEG_DROPS; i++) {
		const struct seg_drop_count *drop = &core->drop[i];
		out->drop[i].packets = seg_get(&drop->packets);
		out->drop[i].time_ns = seg_get(&drop->time_ns);
		out->drop[i].port = seg_get(&drop->port);
		out->drop[i].length = seg_get(&drop->length);
		for (size_t b = 0; b < SEG_SAMPLE_SIZE; b++) {
			out->drop[i].bytes[b] = seg_get(&drop->sample[b]);
		}
	}
}

#define L3(member) offsetof(struct seg_l3_count, member)

const struct sample_l3 sample_l3[] = {
	{"forwarded_v4", "packets", "IPv4 packets routed", L3(forwarded[SEG_IPV4]), false},
	{"forwarded_v6", "packets", "IPv6 packets routed", L3(forwarded[SEG_IPV6]), false},
	{"local_v4", "packets", "IPv4 packets for addresses of ours", L3(local[SEG_IPV4]), false},
	{"local_v6", "packets", "IPv6 packets for addresses of ours", L3(local[SEG_IPV6]), false},
	{"held", "packets", "Packets that waited for a neighbour", L3(held), false},
	{"released", "packets", "Of them, sent when it was found", L3(released), false},
	{"holding", "packets", "Packets that wait for a neighbour now", L3(holding), true},
	{"fragments", "packets", "Fragments made", L3(fragments), false},
	{"icmp_sent", "packets", "ICMP errors and answers sent", L3(icmp_sent), false},
	{"icmp_limited", "packets", "ICMP errors not sent: too many a second", L3(icmp_limited), false},
	{"arp_sent", "packets", "ARP frames sent", L3(arp_sent), false},
	{"arp_received", "packets", "ARP frames taken up", L3(arp_received), false},
	{"nd_sent", "packets", "Neighbour discovery messages sent", L3(nd_sent), false},
	{"nd_received", "packets", "Neighbour discovery messages taken up", L3(nd_received), false},
};
const size_t sample_nl3 = sizeof(sample_l3) / sizeof(sample_l3[0]);

uint64_t
sample_l3_get(const struct sample_core *core, const struct sample_l3 *about)
{
	uint64_t number;
	memcpy(&number, (const uint8_t *)&core->l3 + about->offset, sizeof(number));
	return number;
}

static void
take_core(struct sample_core *out, const struct seg *seg, unsigned number)
{
	const struct seg_core *core = seg_core(seg, number);
	out->cpu = seg_get(&core->cpu);
	out->heartbeat_ns = seg_get(&core->heartbeat_ns);
	out->cpu_ns = seg_get(&core->cpu_ns);
	out->loops = seg_get(&core->loops);
	out->busy_loops = seg_get(&core->busy_loops);
	out->busy_cycles = seg_get(&core->busy_cycles);
	out->sleeps = seg_get(&core->sleeps);
	out->rx_packets = seg_get(&core->rx_packets);
	out->tx_packets = seg_get(&core->tx_packets);
	out->messages_sent = seg_get(&core->messages_sent);
	out->messages_received = seg_get(&core->messages_received);
	out->ring_peak = seg_get(&core->ring_peak);
	out->fdb_entries = seg_get(&core->fdb.entries);
	out->fdb_resyncs = seg_get(&core->fdb.resyncs);
	load(out->l3.forwarded, core->l3.forwarded, sizeof(out->l3) / 8);
	load(out->class_packets, core->class_packets, SEG_CLASSES);
	load(out->channel_packets, core->channel_packets, SEG_MAX_CHANNELS);
	for (unsigned i = 0; i < SEG_MAX_PORTS; i++) {
		load(&out->port[i].rx_packets, &core->port[i].rx_packets, sizeof(out->port[i]) / 8);
	}
	take_drops(out, core);
	for (unsigned from = 0; from <= seg->head.ncores; from++) {
		const struct seg_ring *ring = seg_ring(seg, from, number);
		uint64_t tail = seg_get_acquire(&ring->tail), waiting = seg_get(&ring->head) - tail;
		if (waiting <= seg->head.ring_slots && waiting > out->ring_waiting) {
			out->ring_waiting = waiting;
		}
	}
}

struct sample *
sample_take(const struct seg *seg)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	if (!sample) {
		return NULL;
	}
	const struct seg_header *shared = (const struct seg_header *)(const void *)seg->base;
	uint64_t age = seg_heartbeat_age_ns(seg), beat = seg_get(&shared->heartbeat_ns);
	sample->state = seg_state_name(seg);
	sample->alive = seg->inode != 0 && seg_writer_alive(seg);
	sample->heartbeat_age_ms = age / 1000000;
	sample->now_ns = beat + age;
	uint64_t end = sample->alive ? sample->now_ns : beat;
	sample->uptime_s = end > seg->head.created_ns ? (end - seg->head.created_ns) / 1000000000 : 0;
	sample->ring_slots = seg->head.ring_slots;
	sample->nodes = seg->head.ncores + 1;
	(void)seg_read_tables(seg, &sample->tables);
	for (unsigned i = 0; i < sample->nodes; i++) {
		take_core(&sample->core[i], seg, i);
	}
	sample->taken_ns = clock_ns();
	return sample;
}

/* ---- asking a sample -------------------------------------------------------------------------------------------- */

double
sample_rate(const struct pemon *pemon, uint64_t now, uint64_t then)
{
	uint64_t ns = pemon->then ? pemon->now->taken_ns - pemon->then->taken_ns : 0;
	return ns && now > then ? (double)(now - then) * 1e9 / (double)ns : 0;
}

bool
sample_port_used(const struct sample *sample, unsigned port)
{
	return port < SEG_MAX_PORTS && (sample->tables.port[port].flags & SEG_PORT_USED);
}

const char *
sample_port_name(const struct sample *sample, unsigned port)
{
	const char *name = sample->tables.channel_name[port % SEG_MAX_CHANNELS];
	return port > 0 && port < SEG_MAX_CHANNELS && name[0] ? name : NULL;
}

void
sample_port(const struct sample *sample, unsigned port, struct seg_port_count *sum)
{
	*sum = (struct seg_port_count){0};
	for (unsigned i = 0; i < sample->nodes; i++) {
		const struct seg_port_count *part = &sample->core[i].port[port];
		sum->rx_packets += part->rx_packets;
		sum->rx_bytes += part->rx_bytes;
		sum->tx_packets += part->tx_packets;
		sum->tx_bytes += part->tx_bytes;
		sum->steered += part->steered;
		sum->csum_unfinished += part->csum_unfinished;
		sum->rx_dropped += part->rx_dropped;
		sum->tx_dropped += part->tx_dropped;
	}
}

uint64_t
sample_age_ms(const struct sample *sample, uint64_t time_ns)
{
	return sample->now_ns > time_ns ? (sample->now_ns - time_ns) / 1000000 : 0;
}

const char *
sample_link(const struct seg_port *port)
{
	if (port->flags & SEG_PORT_FAULTY) {
		return "faulty";
	}
	if (!(port->flags & SEG_PORT_ENABLED)) {
		return "disabled";
	}
	if (port->flags & SEG_PORT_ABSENT) {
		return "absent";
	}
	return port->flags & SEG_PORT_LINK ? "up" : "down";
}

struct core_rates
sample_core_rates(const struct pemon *pemon, unsigned core)
{
	const struct sample_core *now = &pemon->now->core[core];
	struct core_rates rates = {
		.ring_pct = 100.0 * (double)now->ring_waiting / pemon->now->ring_slots,
		.ring_peak_pct = 100.0 * (double)now->ring_peak / pemon->now->ring_slots,
	};
	uint64_t packets = now->rx_packets, cycles = now->busy_cycles, cpu_ns = now->cpu_ns;
	if (pemon->then) {
		const struct sample_core *then = &pemon->then->core[core];
		rates.has_rates = true;
		rates.busy_pct = sample_rate(pemon, now->cpu_ns, then->cpu_ns) / 1e7;
		rates.rx_pps = sample_rate(pemon, now->rx_packets, then->rx_packets);
		rates.tx_pps = sample_rate(pemon, now->tx_packets, then->tx_packets);
		rates.sent_ps = sample_rate(pemon, now->messages_sent, then->messages_sent);
		rates.received_ps = sample_rate(pemon, now->messages_received, then->messages_received);
		if (now->rx_packets > then->rx_packets) {
			packets -= then->rx_packets;
			cycles -= then->busy_cycles;
			cpu_ns -= then->cpu_ns;
		}
	}
	/* busy_cycles runs on while the core waits for its CPU: it cannot have spent more than its CPU time */
	double burnt = (double)cpu_ns * (double)pemon->seg.head.tsc_hz / 1e9;
	double spent = (double)cycles < burnt ? (double)cycles : burnt;
	rates.has_cycles = packets > 0;
	rates.cycles_per_packet = packets > 0 ? spent / (double)packets : 0;
	return rates;
}
