/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/bridge: how plan.c and plan_iface.c share the work. */
#ifndef PEKIT_BRIDGE_PLAN_INT_H
#define PEKIT_BRIDGE_PLAN_INT_H

#include "bridge/plan.h"

#define PLAN_VIDS 4096

/* What the plan's pointers point into, cut from one piece of memory. */
struct plan_parts {
	struct iface *iface;
	uint16_t *fid_table; /* PLAN_VIDS for each port with tagged VLANs */
	uint16_t *member;    /* one for each member of each FID */
	uint8_t *egress;     /* SEG_MAX_CHANNELS for each FID */
};

/* How many of each. */
struct plan_sizes {
	size_t ifaces, tables, members, fids;
};

/* Gives interfaces and their own FIDs numbers; marks those FIDs in keep. Ports must have theirs. False: none left. */
bool
plan_iface_numbers(struct plan_numbers *numbers, const struct conf *conf, uint64_t keep[static SEG_MAX_FIDS / 64]);

/* Adds what interfaces need. */
void
plan_iface_sizes(const struct conf *conf, struct plan_sizes *sizes);

/* Puts the interfaces into a plan that has its ports and bridges. */
void
plan_iface_fill(const struct conf *conf, struct plan_numbers *numbers, const struct seg_control *control, struct plan *plan,
	struct plan_parts *parts);

#endif
