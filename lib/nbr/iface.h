/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An interface as the protocols see it: number, MAC, and our addresses with their state. Part of the forwarding plan, never
 * changed once published; the addresses' states are words of the segment that the control core writes. Pure.
 */
#ifndef PEKIT_NBR_IFACE_H
#define PEKIT_NBR_IFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "nbr/ra.h"
#include "shm/layout.h"

struct iface {
	char name[SEG_NAME_SIZE];
	uint16_t number; /* 1.. */
	uint16_t fid;    /* where its frames come and go: of the bridge's VLAN, or of its own on a port */
	uint16_t port;   /* directly on that port; 0: on a bridge */
	uint16_t vid;    /* tag of its frames at `port`; 0: untagged */
	uint16_t mtu;
	uint64_t mac;
	bool enabled;
	struct ra_conf ra; /* its router advertisements */
	unsigned naddresses;
	struct seg_address address[SEG_IFACE_ADDRESSES];
	const uint8_t *state; /* seg_control.address_state[number]; by index of address[] */
};

/* Index of our address of that family and value on the interface whatever its state, or -1. */
int
iface_find(const struct iface *iface, unsigned family, const uint64_t address[static 2]);

/* Is it ours and PREFERRED? */
bool
iface_has(const struct iface *iface, unsigned family, const uint64_t address[static 2]);

/* Does the address lie in the prefix of one of our addresses on the interface? */
bool
iface_covers(const struct iface *iface, unsigned family, const uint64_t address[static 2]);

/*
 * The address we speak with to `target`: PREFERRED, by RFC 6724's rules as far as they matter here (same scope; the longest
 * common prefix), or the IPv4 address whose prefix holds the target, else the first. -1: none.
 */
int
iface_source(const struct iface *iface, unsigned family, const uint64_t target[static 2]);

#endif
