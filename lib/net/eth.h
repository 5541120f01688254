/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Ethernet header with up to two VLAN tags: bytes to struct, struct to bytes. Pure.
 */
#ifndef PEKIT_NET_ETH_H
#define PEKIT_NET_ETH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define ETH_HEADER 14
#define ETH_TAG 4
#define ETH_TAGS 2

#define ETH_VLAN 0x8100  /* 802.1Q C-tag */
#define ETH_SVLAN 0x88a8 /* 802.1ad S-tag */
#define ETH_IPV4 0x0800
#define ETH_IPV6 0x86dd

#define ETH_VID(tci) ((uint16_t)((tci)&0xfff))

struct eth {
	uint64_t dst, src; /* lib/base/addr.h */
	unsigned tags;     /* 0..ETH_TAGS */
	struct eth_tag {
		uint16_t tpid, tci;
	} tag[ETH_TAGS]; /* the outer one first */
	uint16_t type;   /* what follows the tags; a third tag stays a type */
};

static inline bool
eth_is_tag(uint16_t type)
{
	return type == ETH_VLAN || type == ETH_SVLAN;
}

/* Reads the header; `in` stands behind it then. False: the frame ends within. */
bool
eth_get(struct bytes_in *in, struct eth *eth);

/* Writes the header; out->bad when it does not fit. */
void
eth_put(struct bytes_out *out, const struct eth *eth);

#endif
