/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of what the segment numbers. Pure.
 *
 * They stand in JSON and in metrics, so they never change: snake_case words. Numbers come from shared memory, thus any number is
 * allowed, and an unknown one is "unknown".
 */
#ifndef PEKIT_CORE_NAMES_H
#define PEKIT_CORE_NAMES_H

#include <stdbool.h>

#include "shm/layout.h"

/* enum seg_drop: "rx_oversize"; is the number a reason at all (for loops over SEG_DROPS)? */
const char *
names_drop(unsigned reason);

bool
names_drop_known(unsigned reason);

/* What it means, for people: "longer than the port's MTU". */
const char *
names_drop_text(unsigned reason);

/* What helps against it, where something does, else "". */
const char *
names_drop_hint(unsigned reason);

/* For frames that came with an unfinished checksum (seg_port_count.csum_unfinished): what helps at the peer. */
const char *
names_csum_hint(void);

/* enum seg_class: "drop", "lag", "bcast", "mcast", "local", "unknown", "channel". */
const char *
names_class(unsigned class_number);

/* enum seg_msg_kind: "fdb_add", ... */
const char *
names_msg(unsigned kind);

/* enum seg_port_kind: "if", "xdp", "pci", "vdev". */
const char *
names_port_kind(unsigned kind);

/* enum seg_stp: "off", "block". */
const char *
names_stp(unsigned stp);

/* seg_event.severity: "error", "warning", "notice", "info". */
const char *
names_severity(unsigned severity);

/* enum seg_nbr_state: the words of ip-neighbour(8), "reachable", ... */
const char *
names_nbr_state(unsigned state);

/* enum seg_address_state: "tentative", "preferred", "duplicate". */
const char *
names_address_state(unsigned state);

/* enum seg_route_kind: "connected", "local", "unicast", "blackhole", "unreachable", "prohibit". */
const char *
names_route_kind(unsigned kind);

/* enum seg_role: "serving", "drained", "lost". */
const char *
names_role(unsigned role);

#endif
