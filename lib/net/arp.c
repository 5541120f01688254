/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/arp.h"

#include "net/eth.h"

enum { HARDWARE_ETHERNET = 1, MAC_SIZE = 6, ADDRESS_SIZE = 4 };

bool
arp_get(struct bytes_in *in, struct arp *arp)
{
	uint16_t hardware = bytes_get_u16(in), protocol = bytes_get_u16(in);
	uint8_t hardware_size = bytes_get_u8(in), protocol_size = bytes_get_u8(in);

	arp->op = bytes_get_u16(in);
	arp->sender_mac = bytes_get_mac(in);
	arp->sender = bytes_get_u32(in);
	arp->target_mac = bytes_get_mac(in);
	arp->target = bytes_get_u32(in);
	return !in->bad && hardware == HARDWARE_ETHERNET && protocol == ETH_IPV4 && hardware_size == MAC_SIZE &&
	       protocol_size == ADDRESS_SIZE;
}

void
arp_put(struct bytes_out *out, const struct arp *arp)
{
	bytes_put_u16(out, HARDWARE_ETHERNET);
	bytes_put_u16(out, ETH_IPV4);
	bytes_put_u8(out, MAC_SIZE);
	bytes_put_u8(out, ADDRESS_SIZE);
	bytes_put_u16(out, arp->op);
	bytes_put_mac(out, arp->sender_mac);
	bytes_put_u32(out, arp->sender);
	bytes_put_mac(out, arp->target_mac);
	bytes_put_u32(out, arp->target);
}
