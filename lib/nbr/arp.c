/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nbr/arp.h"

#include <string.h>

#include "base/addr.h"

/* The network's own address or its broadcast address: nobody's (RFC 1122 3.2.1.3); RFC 3021 has none of them. */
static bool
arp_is_edge(const struct seg_address *ours, uint32_t address)
{
	uint32_t hosts = ours->length < 31 ? UINT32_MAX >> ours->length : 0;
	bool inside = ours->family == SEG_IPV4 && hosts && (((uint32_t)ours->address[1] ^ address) & ~hosts) == 0;
	return inside && ((address & hosts) == 0 || (address & hosts) == hosts);
}

static bool
arp_may_learn(const struct iface *iface, const struct arp *arp)
{
	const uint64_t sender[2] = {0, arp->sender};

	if (arp->sender == 0 || !arp->sender_mac || mac_is_group(arp->sender_mac) || arp->sender_mac == iface->mac) {
		return false;
	}
	for (unsigned i = 0; i < iface->naddresses; i++) {
		if (arp_is_edge(&iface->address[i], arp->sender)) {
			return false;
		}
	}
	return iface_covers(iface, SEG_IPV4, sender) && iface_find(iface, SEG_IPV4, sender) < 0;
}

/* A gratuitous one may be a request or a reply (RFC 5227 3). */
static unsigned
arp_says(const struct arp *arp)
{
	if (arp->sender == arp->target) {
		return NBR_HEARD_ANNOUNCED | NBR_HEARD_OVERRIDE;
	}
	return arp->op == ARP_REPLY ? NBR_HEARD_ANSWER | NBR_HEARD_OVERRIDE : NBR_HEARD_SENDER;
}

void
arp_input(struct nbr_cache *c, const struct iface *iface, const struct arp *arp, uint64_t now, struct nbr_out *out,
	struct arp_verdict *verdict)
{
	const uint64_t sender[2] = {0, arp->sender}, target[2] = {0, arp->target};
	bool ours = iface_has(iface, SEG_IPV4, target);

	memset(verdict, 0, sizeof(*verdict));
	if (arp->op != ARP_REQUEST && arp->op != ARP_REPLY) {
		verdict->bridge = true;
		return;
	}
	/* Who announces our address tells it to all. */
	verdict->bridge = !ours || arp->sender == arp->target;
	if (arp->sender_mac == iface->mac) {
		return; /* our own, come back */
	}
	verdict->which = iface_find(iface, SEG_IPV4, sender);
	if (verdict->which >= 0) {
		verdict->conflict = true;
		return;
	}
	if (arp_may_learn(iface, arp)) {
		struct nbr_key key = nbr_key4(arp->sender, iface->number);
		nbr_cache_heard(c, &key, arp->sender_mac, arp_says(arp), true, now, out);
	}
	if (ours && arp->op == ARP_REQUEST && arp->sender_mac && !mac_is_group(arp->sender_mac)) {
		verdict->answer = true;
		verdict->reply = (struct arp){.op = ARP_REPLY,
			.sender_mac = iface->mac,
			.sender = arp->target,
			.target_mac = arp->sender_mac,
			.target = arp->sender};
	}
}

bool
arp_request(const struct iface *iface, uint32_t target, struct arp *arp)
{
	int which = iface_source(iface, SEG_IPV4, (const uint64_t[2]){0, target});
	if (which < 0) {
		return false;
	}
	*arp = (struct arp){.op = ARP_REQUEST,
		.sender_mac = iface->mac,
		.sender = (uint32_t)iface->address[which].address[1],
		.target = target};
	return true;
}

void
arp_probe(const struct iface *iface, int which, struct arp *arp)
{
	*arp = (struct arp){.op = ARP_REQUEST, .sender_mac = iface->mac, .target = (uint32_t)iface->address[which].address[1]};
}

void
arp_announcement(const struct iface *iface, int which, struct arp *arp)
{
	arp_probe(iface, which, arp);
	arp->sender = arp->target;
}
