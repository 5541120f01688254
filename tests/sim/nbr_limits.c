/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "lan.h"
#include "scenario.h"

enum { KNOWN = 40, LATE = 10, SCANNED = 65536, A_MS = 32 };

/* The caps of RFC 6583 on every core, and what was resolved goes on. */
static bool
holds(struct world *w)
{
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		for (unsigned family = 0; family < SEG_FAMILIES; family++) {
			const struct nbr_cache *c = &w->core[i].nbr->cache[family];
			for (unsigned iface = 1; iface <= LAN_IFACES; iface++) {
				if (c->incomplete[iface] > w->shape.nbr.incomplete) {
					return world_fail(w, "core %u: %u unresolved", i, c->incomplete[iface]);
				}
			}
			for (uint32_t host = 0; host < KNOWN; host++) {
				if (!lan_line(w, i, family, host)) {
					return world_fail(w, "host %u is lost on core %u", host, i);
				}
			}
		}
	}
	return true;
}

/* Who speaks to us meanwhile is learned by all. */
static bool
newcomer(struct world *w, uint32_t host)
{
	lan_say(w, LAN_ASKS, SEG_IPV4, host);
	lan_say(w, LAN_ASKS, SEG_IPV6, host);
	world_run(w, w->now + 300 * MS);
	return lan_everywhere(w, SEG_IPV4, host) && lan_everywhere(w, SEG_IPV6, host);
}

/* First solicitations of the family that all cores together may have sent in a time, with the retransmissions. */
static uint64_t
most_solicited(const struct world *w, uint64_t time_ns)
{
	uint64_t first = w->shape.nbr.solicit_pps * (time_ns + SEC) / SEC * LAN_IFACES * w->shape.ncores;
	return first * w->shape.nbr.solicitations;
}

static bool
run_guard(struct world *w, uint64_t seed, unsigned ncores, char *note, size_t size)
{
	struct shape shape = scenario_nbr_shape(ncores);
	uint64_t peak = 0;

	shape.nhosts = KNOWN + LATE;
	shape.ring_slots = seed % 2 ? 16 : 256;
	shape.nbr.incomplete = seed % 3 ? 100 : 512; /* all interfaces' together: more than the table takes */
	shape.nbr.solicit_pps = 50;
	world_init(w, &shape, seed);
	if (!scenario_nbr_resolve(w, 0, KNOWN)) {
		return false;
	}
	uint64_t from = w->now, before[SEG_FAMILIES] = {w->lan->solicited[SEG_IPV4], w->lan->solicited[SEG_IPV6]};
	for (uint32_t i = 0; i < SCANNED; i++) {
		lan_need(w, 1 + (unsigned)world_random(w, ncores), i % 2, KNOWN + LATE + i);
		if (i % A_MS) {
			continue;
		}
		lan_need(w, 1 + (unsigned)world_random(w, ncores), i / A_MS % 2, i / A_MS / 2 % KNOWN);
		world_run(w, w->now + MS);
		if (!holds(w)) {
			return false;
		}
		uint64_t unresolved = w->core[1].seg->nbr[SEG_IPV4].incomplete;
		peak = unresolved > peak ? unresolved : peak;
	}
	uint64_t sent = 0;
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		uint64_t n = w->lan->solicited[family] - before[family];
		/* ARP is the master's alone */
		if (n > most_solicited(w, w->now - from) / (family == SEG_IPV4 ? ncores : 1)) {
			return world_fail(w, "%lu solicitations in %lu ms", n, (w->now - from) / MS);
		}
		sent += n;
	}
	snprintf(note, size, "at most %lu unresolved, %lu solicitations in %lu ms, %lu refused", peak, sent, (w->now - from) / MS,
		w->lan->refused);
	if (!w->lan->refused || !peak) {
		return world_fail(w, "the scan met no limit");
	}
	for (uint32_t host = KNOWN; host < KNOWN + LATE / 2; host++) {
		if (!newcomer(w, host)) {
			return false;
		}
	}
	/* Who is there is found in spite of what is left of the scan. */
	return scenario_nbr_resolve(w, KNOWN + LATE / 2, LATE / 2) && world_settle(w, 20 * SEC) && world_agree(w);
}

const struct scenario scenario_nbr_guard = {
	"nbr-guard", "a scan of 65,536 unused addresses stays below its limits, and what is resolved stays", run_guard};
