/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows an Ethernet header of type ARP. links: lib/net/arp.c */
#include "must.h"
#include "net/arp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_in in = bytes_in(data, size);
	struct arp arp;
	uint8_t again[ARP_SIZE];

	if (arp_get(&in, &arp)) {
		struct bytes_out out = bytes_out(again, sizeof(again));
		arp_put(&out, &arp);
		must(!out.bad && in.at == data + ARP_SIZE && out.at == again + ARP_SIZE);
		must(!memcmp(again, data, ARP_SIZE));
	}
	must(in.at >= data && in.at <= data + size);
	return 0;
}
