/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A wire made of two ports, for port.bats: what comes in at one goes out at the other. One port alone sends everything back,
 * addresses swapped.
 *
 *   port_test [-m MTU] [-M MAX-MTU] [-n CORES] DEVICE [DEVICE]
 *   port_test -b SECONDS DEVICE DEVICE     sends on the first and receives on the second, which are cabled; prints cycles a frame
 *
 * Says "ready", and a line whenever a link changes. Reads commands: "stats" (answers one JSON line), "reopen", "mtu N", "hoard"
 * (takes all free mbufs, and those of frames that come in), "release". Ends with its standard input, or by SIGTERM.
 *
 * links: cmd/pe/port.c cmd/pe/port_eth.c cmd/pe/port_xdp.c cmd/pe/port_pci.c cmd/pe/pci.c cmd/pe/igbvf.c
 * cmd/pe/port_if.c cmd/pe/link.c cmd/pe/xdp.c cmd/pe/xdp_rings.c cmd/pe/keeper.c
 * cmd/pe/offload.c lib/base/addr.c lib/base/err.c lib/base/num.c -ldpdk
 */
#include <errno.h>
#include <poll.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "keeper.h"
#include "port.h"

#define BURST 32
#define MBUFS 8191

struct wire {
	struct port port[2];
	struct conf_port conf[2];
	unsigned n;
	struct port_env env;
	struct seg_core *mine;
	int monitor;
	uint64_t sent[2], refused[2];
	struct rte_mbuf *hoard[MBUFS];
	unsigned nhoard;
	bool hoarding;
};

static volatile sig_atomic_t ended;

static void
on_term(int sig)
{
	(void)sig;
	ended = 1;
}

uint64_t
engine_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
die(const struct err *err)
{
	printf("error %d %s; hint: %s\n", err->code, err->message, err->hint);
	exit((int)err->code);
}

static void
say_link(const struct port *port)
{
	printf("%s link=%d present=%d\n", port->name, port->link, port->present);
}

static void
start_eal(void)
{
	char *args[] = {(char[]){"port_test"}, (char[]){"--no-huge"}, (char[]){"--no-shconf"}, (char[]){"--no-pci"},
		(char[]){"-m"}, (char[]){"256"}, (char[]){"--no-telemetry"}, (char[]){"--lcores=0@(0-1)"},
		(char[]){"--log-level=*:error"}, NULL};
	if (rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) < 0) {
		puts("error: DPDK does not start");
		exit(1);
	}
}

static void
open_port(struct wire *w, unsigned i)
{
	struct err err = {0};
	if (port_open(&w->port[i], (uint16_t)(i + 1), &w->conf[i], &w->env, &err) != ERR_NONE) {
		die(&err);
	}
	if (w->port[i].warning[0]) {
		printf("warning %s\n", w->port[i].warning);
	}
	if (port_start(&w->port[i], &err) != ERR_NONE) {
		die(&err);
	}
}

static enum seg_port_kind
kind_of(const char *device)
{
	static const char *const prefix[] = {
		[SEG_PORT_IF] = "if:", [SEG_PORT_XDP] = "xdp:", [SEG_PORT_PCI] = "pci:", [SEG_PORT_VDEV] = "vdev:"};
	for (unsigned k = SEG_PORT_IF; k <= SEG_PORT_VDEV; k++) {
		if (strncmp(device, prefix[k], strlen(prefix[k])) == 0) {
			return (enum seg_port_kind)k;
		}
	}
	exit(2);
}

/* ---- forwarding ------------------------------------------------------------------------------------------------- */

static void
swap_addresses(struct rte_mbuf *m)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *), mac[6];
	memcpy(mac, data, 6);
	memcpy(data, data + 6, 6);
	memcpy(data + 6, mac, 6);
}

static unsigned
forward(struct wire *w, unsigned from)
{
	struct rte_mbuf *frame[BURST];
	unsigned to = w->n - 1 - from, total = 0;
	for (uint16_t q = 0; q < w->port[from].nrxq; q++) {
		uint16_t n = w->port[from].driver->rx(&w->port[from], q, frame, BURST, w->mine);
		for (uint16_t i = 0; i < n; i++) {
			if (frame[i]->port != w->port[from].number || frame[i]->nb_segs != 1) {
				puts("error: an mbuf that is not as promised");
				exit(1);
			}
			if (w->n == 1) {
				swap_addresses(frame[i]);
			}
		}
		if (w->hoarding) {
			memcpy(w->hoard + w->nhoard, frame, n * sizeof(*frame));
			w->nhoard += n;
			return n;
		}
		uint16_t sent = n > 0 ? w->port[to].driver->tx(&w->port[to], 0, frame, n) : 0;
		w->sent[to] += sent;
		w->refused[to] += n - sent;
		for (uint16_t i = sent; i < n; i++) {
			rte_pktmbuf_free(frame[i]);
		}
		total += n;
	}
	return total;
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

static void
print_stats(const struct wire *w)
{
	printf("{\"pool_in_use\":%u,\"ports\":[", rte_mempool_in_use_count(w->env.pool));
	for (unsigned i = 0; i < w->n; i++) {
		const struct port *p = &w->port[i];
		const struct seg_port_count *c = &w->mine->port[p->number];
		printf("%s{\"name\":\"%s\",\"link\":%d,\"present\":%d,\"sent\":%llu,\"refused\":%llu,\"csum_unfinished\":%llu,\"rx_dropped\":%llu,"
		       "\"rx_missed\":%llu,\"speed_bps\":%llu,\"mac\":%llu,\"nrxq\":%u}",
			i ? "," : "", p->name, p->link, p->present, (unsigned long long)w->sent[i],
			(unsigned long long)w->refused[i], (unsigned long long)c->csum_unfinished,
			(unsigned long long)c->rx_dropped, (unsigned long long)p->rx_missed, (unsigned long long)p->speed_bps,
			(unsigned long long)p->mac, p->nrxq);
	}
	const struct seg_drop_count *d = &w->mine->drop[SEG_DROP_RX_OVERSIZE];
	printf("],\"oversize\":{\"packets\":%llu,\"port\":%u,\"length\":%u,\"sample\":\"", (unsigned long long)d->packets,
		d->port, d->length);
	for (unsigned i = 0; i < 20; i++) {
		printf("%02x", d->sample[i]);
	}
	printf("\"},\"no_mbuf\":%llu}\n", (unsigned long long)w->mine->drop[SEG_DROP_RX_NO_MBUF].packets);
}

static void
set_mtu(struct wire *w, uint16_t mtu)
{
	struct err err = {0};
	for (unsigned i = 0; i < w->n; i++) {
		if (w->port[i].driver->set_mtu(&w->port[i], mtu, &err) != ERR_NONE) {
			printf("error %d %s; hint: %s\n", err.code, err.message, err.hint);
			return;
		}
	}
	puts("ok");
}

static void
reopen(struct wire *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		port_close(&w->port[i]);
		open_port(w, i);
	}
	puts("ok");
}

static void
hoard(struct wire *w)
{
	w->hoarding = true;
	while (w->nhoard < MBUFS && (w->hoard[w->nhoard] = rte_pktmbuf_alloc(w->env.pool)) != NULL) {
		w->nhoard++;
	}
	puts("ok");
}

static void
release(struct wire *w)
{
	rte_pktmbuf_free_bulk(w->hoard, w->nhoard);
	w->nhoard = 0;
	w->hoarding = false;
	puts("ok");
}

static void
command(struct wire *w)
{
	char line[64];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (n <= 0) {
		ended = 1;
		return;
	}
	line[n] = '\0';
	if (strncmp(line, "stats", 5) == 0) {
		print_stats(w);
	} else if (strncmp(line, "mtu ", 4) == 0) {
		set_mtu(w, (uint16_t)strtoul(line + 4, NULL, 10));
	} else if (strncmp(line, "reopen", 6) == 0) {
		reopen(w);
	} else if (strncmp(line, "hoard", 5) == 0) {
		hoard(w);
	} else if (strncmp(line, "release", 7) == 0) {
		release(w);
	}
}

static void
run(struct wire *w)
{
	uint64_t polled = 0;
	while (!ended) {
		unsigned n = forward(w, 0) + (w->n == 2 ? forward(w, 1) : 0);
		uint64_t now = engine_now_ns();
		if (n > 0 && now - polled < 50000000u) {
			continue;
		}
		struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {w->monitor, POLLIN, 0}, {w->port[0].wait_fd, POLLIN, 0},
			{w->n == 2 ? w->port[1].wait_fd : -1, POLLIN, 0}};
		bool blind = w->port[0].wait_fd < 0 || (w->n == 2 && w->port[1].wait_fd < 0);
		poll(fds, 4, n > 0 ? 0 : blind ? 1 : 200);
		if (fds[1].revents) {
			link_monitor_read(w->monitor);
		}
		if (fds[1].revents || now - polled > 200000000u) {
			polled = now;
			for (unsigned i = 0; i < w->n; i++) {
				if (w->port[i].driver->poll(&w->port[i])) {
					say_link(&w->port[i]);
				}
			}
		}
		if (fds[0].revents) {
			command(w);
		}
	}
}

/* ---- cost ------------------------------------------------------------------------------------------------------- */

static void
bench(struct wire *w, unsigned seconds)
{
	uint64_t end = engine_now_ns() + seconds * 1000000000ull, tx = 0, rx = 0, sent = 0, got = 0;
	while (engine_now_ns() < end) {
		struct rte_mbuf *frame[BURST];
		if (rte_pktmbuf_alloc_bulk(w->env.pool, frame, BURST) < 0) {
			break;
		}
		for (unsigned i = 0; i < BURST; i++) {
			memset(rte_pktmbuf_append(frame[i], 60), 2, 60);
		}
		uint64_t t0 = rte_rdtsc();
		uint16_t n = w->port[0].driver->tx(&w->port[0], 0, frame, BURST);
		uint64_t t1 = rte_rdtsc();
		rte_pktmbuf_free_bulk(frame + n, BURST - n);
		uint16_t m = w->port[1].driver->rx(&w->port[1], 0, frame, BURST, w->mine);
		rx += rte_rdtsc() - t1;
		tx += t1 - t0;
		sent += n;
		got += m;
		rte_pktmbuf_free_bulk(frame, m);
	}
	printf("sent %llu, %.0f cycles each; received %llu, %.0f cycles each; %.0f MHz\n", (unsigned long long)sent,
		(double)tx / (double)(sent ? sent : 1), (unsigned long long)got, (double)rx / (double)(got ? got : 1),
		(double)rte_get_tsc_hz() / 1e6);
}

int
main(int argc, char **argv)
{
	static struct wire w;
	struct err err = {0};
	unsigned seconds = 0, cores = 1;
	uint16_t mtu = 1500, max_mtu = 1500;
	for (int opt; (opt = getopt(argc, argv, "m:M:n:b:")) != -1;) {
		unsigned value = (unsigned)strtoul(optarg, NULL, 10);
		if (opt == 'm') {
			mtu = (uint16_t)value;
		} else if (opt == 'M') {
			max_mtu = (uint16_t)value;
		} else if (opt == 'n') {
			cores = value;
		} else if (opt == 'b') {
			seconds = value;
		} else {
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
	if (keeper_start(&w.env.keeper, &err) != ERR_NONE) {
		die(&err);
	}
	start_eal();
	w.env.pool = rte_pktmbuf_pool_create("port_test", MBUFS, 256, 0,
		(uint16_t)(RTE_PKTMBUF_HEADROOM + (max_mtu > 2000 ? 64 + max_mtu : 2048)), SOCKET_ID_ANY);
	w.env.cores = cores;
	w.env.max_mtu = max_mtu;
	w.mine = aligned_alloc(SEG_LINE, sizeof(*w.mine));
	w.monitor = link_monitor_open(&err);
	if (w.env.pool == NULL || w.mine == NULL || w.monitor < 0) {
		puts("error: no memory");
		return 1;
	}
	memset(w.mine, 0, sizeof(*w.mine));
	for (; optind < argc && w.n < 2; optind++, w.n++) {
		struct conf_port *conf = &w.conf[w.n];
		*conf = (struct conf_port){.kind = kind_of(argv[optind]), .mtu = mtu, .enabled = true};
		snprintf(conf->name, sizeof(conf->name), "p%u", w.n + 1);
		snprintf(conf->device, sizeof(conf->device), "%s", argv[optind]);
		open_port(&w, w.n);
	}
	puts("ready");
	if (seconds > 0) {
		bench(&w, seconds);
	} else {
		run(&w);
	}
	for (unsigned i = 0; i < w.n; i++) {
		port_close(&w.port[i]);
	}
	printf("mbufs left %u\n", rte_mempool_in_use_count(w.env.pool));
	link_monitor_close(w.monitor);
	keeper_stop(w.env.keeper);
	rte_eal_cleanup();
	free(w.mine);
	return 0;
}
