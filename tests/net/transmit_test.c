/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transmit queues that cores share, for cores.bats: a device that is slower than another core fills its backlog. Prints what is
 * wrong.
 *
 * links: cmd/pe/transmit.c lib/limit/limit.c -ldpdk
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

#define SLOTS 1024
#define FRAMES 4096
#define CHANNEL 1
#define ENDLESS 100000

static struct rte_mbuf frames[FRAMES];
static unsigned next_frame;
static struct lane lane;
static struct port port;
static struct worker worker;
static struct view view;
static unsigned sent;      /* frames */
static uint32_t newest[3]; /* number of the last frame sent, by core */
static uint32_t count[3];  /* frames made, by core */
static bool other_goes_on;
static bool wrong;

static void
expect(bool condition, const char *what)
{
	if (!condition) {
		printf("wrong: %s\n", what);
		wrong = true;
	}
}

/* The next frame of a core; they are used again when all have been. */
static struct rte_mbuf *
frame_of(unsigned core)
{
	struct rte_mbuf *m = &frames[next_frame++ % FRAMES];
	memset(m, 0, sizeof(*m));
	m->pkt_len = m->data_len = 60;
	m->port = (uint16_t)core;
	m->hash.usr = ++count[core];
	return m;
}

/* What transmit.c does on a core that finds the queue busy. */
static void
leave(unsigned core, unsigned n)
{
	while (n--) {
		rte_ring_sp_enqueue(lane.txq[0].backlog[core], frame_of(core));
	}
	__atomic_fetch_or(&lane.txq[0].waiting[0], 1ull << core, __ATOMIC_SEQ_CST);
}

static uint16_t
slow_tx(struct port *p, uint16_t queue, struct rte_mbuf **frame, uint16_t n)
{
	(void)p;
	(void)queue;
	for (uint16_t i = 0; i < n; i++) {
		uint32_t number = frame[i]->hash.usr;
		expect(number == newest[frame[i]->port] + 1, "a core's frames keep their order");
		newest[frame[i]->port] = number;
	}
	sent += n;
	if (sent > ENDLESS) {
		printf("wrong: a core that sends gets away from its queue while others fill it\n");
		exit(1);
	}
	if (other_goes_on) {
		leave(2, n);
	}
	return n;
}

static const struct port_driver driver = {.tx = slow_tx};

static struct rte_ring *
ring(void)
{
	struct rte_ring *r =
		aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN((size_t)rte_ring_get_memsize(SLOTS), RTE_CACHE_LINE_SIZE));
	if (!r || rte_ring_init(r, "frames", SLOTS, RING_F_SP_ENQ | RING_F_SC_DEQ) < 0) {
		exit(2);
	}
	return r;
}

static void
send_one(void)
{
	transmit(&worker, CHANNEL, frame_of(1), 60);
	transmit_flush(&worker);
}

int
main(void)
{
	port = (struct port){.number = CHANNEL, .ntxq = 1, .driver = &driver};
	lane.port = &port;
	lane.up = true;
	lane.txq[0].backlog[1] = ring();
	lane.txq[0].backlog[2] = ring();
	view.lane[CHANNEL] = &lane;
	worker.number = 1;
	worker.ncores = 2;
	worker.view = &view;
	worker.mine = calloc(1, sizeof(*worker.mine));

	leave(2, 100);
	other_goes_on = true;
	send_one();
	expect(sent < SLOTS, "little is sent for others at a time");
	other_goes_on = false;
	while (transmit_again(&worker)) {
	}
	expect(sent == count[1] + count[2], "what was left is sent in later loops");

	leave(1, 100);
	leave(2, 100);
	send_one();
	expect(newest[1] == count[1], "what a core left before goes first");
	while (transmit_again(&worker)) {
	}
	expect(sent == count[1] + count[2], "all is sent");

	lane.txq[0].owner.word = 2 << 1 | 1;
	send_one();
	expect(newest[1] == count[1] - 1 && !transmit_again(&worker), "a queue that is busy is left to its holder");
	lane.txq[0].owner.word = 2 << 1;
	send_one();
	expect(newest[1] == count[1], "and served when it is idle");
	return wrong;
}
