/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ARP for IPv4 over Ethernet (RFC 826): bytes to struct, struct to bytes. Pure. */
#ifndef PEKIT_NET_ARP_H
#define PEKIT_NET_ARP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define ETH_ARP 0x0806
#define ARP_SIZE 28
#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp {
	uint16_t op; /* others than request and reply come through */
	uint64_t sender_mac, target_mac;
	uint32_t sender, target; /* IPv4 addresses as numbers */
};

/* `in` stands behind the Ethernet header. False: cut off, or not Ethernet and IPv4 (hardware type 1, 0x0800, lengths 6 and 4). */
bool
arp_get(struct bytes_in *in, struct arp *arp);

void
arp_put(struct bytes_out *out, const struct arp *arp);

#endif
