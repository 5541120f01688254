/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When an interface sends router advertisements (RFC 4861 6.2.4, 6.2.6). The control core runs it. Pure.
 */
#ifndef PEKIT_NBR_RA_H
#define PEKIT_NBR_RA_H

#include <stdbool.h>
#include <stdint.h>

/* Per interface, "router_advertisements" of the appliance file; ranges and defaults of RFC 4861 6.2.1. */
struct ra_conf {
	bool enabled;         /* false */
	uint16_t interval_s;  /* MaxRtrAdvInterval: 4..1800; 600. MinRtrAdvInterval is a third of it, at least 3 */
	uint16_t lifetime_s;  /* AdvDefaultLifetime: 0, or interval_s..9000; 1800 */
	bool managed, other;  /* M and O: false */
	uint32_t valid_s;     /* of the prefixes, on-link and autonomous: 2592000 */
	uint32_t preferred_s; /* <= valid_s; 604800 */
	bool autonomous;      /* true */
};

struct ra {
	uint64_t due_ns, sent_ns; /* of multicast ones */
	uint8_t first;            /* of the MAX_INITIAL_RTR_ADVERTISEMENTS, sent */
	uint32_t chance;          /* a sequence of random numbers */
};

/* seed: another one for each interface, so that routers do not speak at once. */
void
ra_start(struct ra *ra, const struct ra_conf *conf, uint32_t seed, uint64_t now);

/* A solicitation came: an advertisement to all is due soon, not more often than MIN_DELAY_BETWEEN_RAS. */
void
ra_solicited(struct ra *ra, uint64_t now);

/* True: send one to all nodes now. */
bool
ra_tick(struct ra *ra, const struct ra_conf *conf, uint64_t now);

#endif
