/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The forwarding plan: what the packet path needs of a configuration, compiled once and never changed.
 *
 * The control core makes a new plan for each change and swaps it in; every data core takes it up between two bursts (its
 * quiet point), and the old one is freed when all have. Nothing in it is written after plan_new(). Pure.
 *
 * Channels are what a bridge forwards to: port n is channel n. FIDs (filtering identifiers, IEEE 802.1Q-2018 8.8.8) number
 * the pairs of bridge and VLAN; they stay the same from plan to plan for pairs that stay (plan_fids), since the bridge tables
 * hold them.
 */
#ifndef PEKIT_BRIDGE_PLAN_H
#define PEKIT_BRIDGE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "nbr/iface.h"
#include "shm/layout.h"

/* How a channel takes part in a FID. */
enum plan_egress { PLAN_NONE = 0, PLAN_UNTAGGED = 1, PLAN_TAGGED = 2 };

struct plan_port {
	uint16_t untagged_fid; /* of untagged and priority-tagged frames; 0: refused */
	uint16_t bridge;       /* 0: none */
	uint8_t stp;           /* enum seg_stp of the bridge */
	bool used, enabled;
	uint16_t mtu;
	uint32_t mac_limit; /* 0: none */
	uint64_t limit_bps, limit_pps, storm_pps;
	bool steer;          /* software steering over the cores is allowed */
	bool l3;             /* an interface may be reached through it */
	bool routed;         /* interfaces are directly on it: nothing is bridged; untagged_fid and fid[] are the interfaces' */
	const uint16_t *fid; /* [4096] by VLAN id, 0: not a member tagged; NULL: no tagged VLAN at all */
};

struct plan_fid {
	uint16_t bridge, vid;
	uint16_t nmembers;
	const uint16_t *member; /* channels, ascending */
	const uint8_t *egress;  /* [SEG_MAX_CHANNELS], enum plan_egress */
	uint16_t iface;         /* the interface on this VLAN, or whose own FID it is; 0: none */
	uint16_t only;          /* its one port, where the interface is directly on it; 0: bridged */
	uint64_t local_mac;     /* the interface's; 0: none */
};

struct plan {
	uint64_t generation;
	uint64_t ageing_ns;
	uint64_t fdb_limit;
	struct plan_port port[SEG_MAX_PORTS]; /* by port number */
	struct plan_fid fid[SEG_MAX_FIDS];
	const struct iface *iface[SEG_MAX_IFACES]; /* by number; NULL: none */
	unsigned nifaces;
	struct conf_neighbors nbr;
	struct conf_police police;
	void *memory; /* what the pointers above point into */
};

/* Numbers that outlive a plan: names to port and bridge numbers, pairs to FIDs. Owned by the control core. */
struct plan_numbers {
	char port[SEG_MAX_PORTS][SEG_NAME_SIZE]; /* "" is free */
	char bridge[SEG_MAX_BRIDGES][SEG_NAME_SIZE];
	struct seg_fid fid[SEG_MAX_FIDS];
	char iface[SEG_MAX_IFACES][SEG_NAME_SIZE];
	uint64_t mac[SEG_MAX_IFACES];     /* of an interface whose MAC was chosen: it stays while the interface stays */
	uint64_t port_mac[SEG_MAX_PORTS]; /* of the devices; the caller's to fill in before plan_new() */
};

/*
 * Gives numbers to all that conf names and *numbers has not, and frees those of what conf no longer names. A port's number is
 * freed only by plan_numbers_free_port(), when its device is closed and no core can hold a frame for it. False: no numbers left.
 */
bool
plan_numbers_update(struct plan_numbers *numbers, const struct conf *conf);

/* Number of a port or bridge by its name, 0: none. FID of a pair, 0: none. */
uint16_t
plan_port_number(const struct plan_numbers *numbers, const char *name);
uint16_t
plan_bridge_number(const struct plan_numbers *numbers, const char *name);
uint16_t
plan_iface_number(const struct plan_numbers *numbers, const char *name);
uint16_t
plan_fid_number(const struct plan_numbers *numbers, uint16_t bridge, uint16_t vid);
void
plan_numbers_free_port(struct plan_numbers *numbers, uint16_t port);

/*
 * NULL: no memory. plan_free(NULL) is allowed. Interfaces without a MAC of their own get one, noted in numbers->mac. control:
 * whose address_state words the interfaces point at.
 */
struct plan *
plan_new(const struct conf *conf, struct plan_numbers *numbers, const struct seg_control *control, uint64_t generation);
void
plan_free(struct plan *plan);

#endif
