/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/names.h"

#include <stddef.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define OFFLOADS "the peer's segmentation or checksum offload? On the peer's interface: ethtool -K DEV tx off tso off gso off"

static const struct drop_name {
	const char *name, *text, *hint;
} drop_names[SEG_DROPS] = {
	[SEG_DROP_RX_RUNT] = {"rx_runt", "shorter than its Ethernet header or VLAN tag", ""},
	[SEG_DROP_RX_OVERSIZE] = {"rx_oversize", "longer than the port's MTU", OFFLOADS},
	[SEG_DROP_NO_BRIDGE] = {"no_bridge", "the port is in no bridge", "give the port a place in bridges.NAME.ports"},
	[SEG_DROP_VLAN_REFUSED] = {"vlan_refused", "tagged with a VLAN that the port is not in",
		"add the VLAN to the port's \"tagged\" list, or stop the peer from sending it"},
	[SEG_DROP_UNTAGGED_REFUSED] = {"untagged_refused", "untagged at a port that has tagged VLANs only",
		"give the port an \"untagged\" VLAN, or let the peer tag"},
	[SEG_DROP_SOURCE_GROUP] = {"source_group", "the source address is a group address", ""},
	[SEG_DROP_RESERVED_MAC] = {"reserved_mac", "01:80:c2:00:00:01 to 0f, never forwarded", ""},
	[SEG_DROP_BPDU_BLOCKED] = {"bpdu_blocked", "a BPDU, and the bridge has stp block", ""},
	[SEG_DROP_LACP_NO_LAG] = {"lacp_no_lag", "an LACPDU at a port of no LAG", ""},
	[SEG_DROP_SAME_CHANNEL] = {"same_channel", "its destination is where it came from", ""},
	[SEG_DROP_EGRESS_VLAN] = {"egress_vlan", "the destination's port has left the VLAN", ""},
	[SEG_DROP_NO_TARGET] = {"no_target", "nobody else in the VLAN", ""},
	[SEG_DROP_STORM_BCAST] = {"storm_bcast", "broadcast above the port's storm limit", ""},
	[SEG_DROP_STORM_MCAST] = {"storm_mcast", "multicast above the port's storm limit", ""},
	[SEG_DROP_STORM_UNKNOWN] = {"storm_unknown", "unknown destinations above the port's storm limit", ""},
	[SEG_DROP_OUT_LIMIT] = {"out_limit", "above the rate limit of the port", ""},
	[SEG_DROP_TX_FULL] = {"tx_full", "the device took no more", ""},
	[SEG_DROP_HANDOVER_FULL] = {"handover_full", "the core that the frame belongs to is behind", ""},
	[SEG_DROP_BACKLOG_FULL] = {"backlog_full", "the core that holds the transmit queue is behind", ""},
	[SEG_DROP_NO_MBUF] = {"no_mbuf", "no buffer for a copy", "raise memory.mbufs"},
	[SEG_DROP_PORT_DOWN] = {"port_down", "the way out has no link or is disabled", ""},
	[SEG_DROP_RX_NO_MBUF] = {"rx_no_mbuf", "the device had frames, but there was no buffer", "raise memory.mbufs"},
	[SEG_DROP_RX_DISABLED] = {"rx_disabled", "the port it came in at is not enabled", ""},
	[SEG_DROP_L3_HEADER] = {"l3_header", "its IPv4 or IPv6 header is none: version, length or checksum", ""},
	[SEG_DROP_L3_SOURCE] = {"l3_source", "from an address that nobody may send from, or from one of ours", ""},
	[SEG_DROP_L3_TYPE] = {"l3_type", "to an interface, but neither IPv4, IPv6 nor ARP", ""},
	[SEG_DROP_L3_NOT_OURS] = {"l3_not_ours", "at an interface on a port: to another station", ""},
	[SEG_DROP_L3_TTL] = {"l3_ttl", "its TTL or hop limit ran out", ""},
	[SEG_DROP_L3_NO_ROUTE] = {"l3_no_route", "no route to its destination", "pe route get ADDRESS"},
	[SEG_DROP_L3_BLACKHOLE] = {"l3_blackhole", "a blackhole, unreachable or prohibit route", ""},
	[SEG_DROP_L3_SCOPE] = {"l3_scope", "link-local or multicast, which is not routed", ""},
	[SEG_DROP_L3_TOO_BIG] = {"l3_too_big", "larger than the MTU of the way out, and may not be cut", ""},
	[SEG_DROP_L3_NO_SERVICE] = {"l3_no_service", "to one of our addresses, and nobody serves that protocol or port", ""},
	[SEG_DROP_NBR_HELD] = {"nbr_held", "too many packets wait for the same neighbour", ""},
	[SEG_DROP_NBR_HELD_ALL] = {"nbr_held_all", "too many packets wait for neighbours", ""},
	[SEG_DROP_NBR_FAILED] = {"nbr_failed", "the neighbour does not answer", "arpmgr resolve ADDRESS, ndmgr resolve ADDRESS"},
	[SEG_DROP_NBR_LIMIT] = {"nbr_limit", "too many neighbours are unresolved, or their table is full",
		"a scan? Else raise tables.neighbors or neighbors.incomplete"},
	[SEG_DROP_ARP_BAD] = {"arp_bad", "ARP that is none; a bridge still forwards it", ""},
	[SEG_DROP_ND_BAD] = {"nd_bad", "neighbour discovery that fails the checks of RFC 4861; a bridge still forwards it", ""},
	[SEG_DROP_POLICE_ARP] = {"police_arp", "more ARP than its policer lets through; a bridge still forwards it",
		"a storm? Else raise police.arp_pps"},
	[SEG_DROP_POLICE_ND] = {"police_nd", "more neighbour discovery than its policer lets through; a bridge still forwards it",
		"a storm? Else raise police.nd_pps"},
	[SEG_DROP_POLICE_LOCAL] = {"police_local", "more for our own addresses than the policer lets through",
		"raise police.local_pps"},
	[SEG_DROP_OWN_SOURCE] = {"own_source", "its source is a MAC of ours: a loop, or somebody has the same", ""},
	[SEG_DROP_L3_IFACE_DOWN] = {"l3_iface_down", "the interface is not enabled", ""},
	[SEG_DROP_REFLECTED] = {"reflected", "sent by this port for a group; its NIC gives a VF its own frames back", ""},
	[SEG_DROP_L3_SOURCE_ROUTE] = {"l3_source_route", "an IPv4 option wants to choose its way (RFC 7126 4.3)", ""},
	[SEG_DROP_STALLED] = {"stalled", "it waited for a core that was taken out", ""},
};

static const char *const class_names[SEG_CLASSES] = {
	[SEG_CLASS_DROP] = "drop",
	[SEG_CLASS_LAG] = "lag",
	[SEG_CLASS_BCAST] = "bcast",
	[SEG_CLASS_MCAST] = "mcast",
	[SEG_CLASS_LOCAL] = "local",
	[SEG_CLASS_UNKNOWN] = "unknown",
	[SEG_CLASS_CHANNEL] = "channel",
};

static const char *const msg_names[] = {
	[SEG_MSG_FDB_ADD] = "fdb_add",
	[SEG_MSG_FDB_DEL] = "fdb_del",
	[SEG_MSG_FDB_USED] = "fdb_used",
	[SEG_MSG_FDB_SET] = "fdb_set",
	[SEG_MSG_FDB_UNSET] = "fdb_unset",
	[SEG_MSG_FDB_FLUSH] = "fdb_flush",
	[SEG_MSG_FDB_AGAIN] = "fdb_again",
	[SEG_MSG_NBR_ADD] = "nbr_add",
	[SEG_MSG_NBR_DEL] = "nbr_del",
	[SEG_MSG_NBR_ASK] = "nbr_ask",
	[SEG_MSG_NBR_FAILED] = "nbr_failed",
	[SEG_MSG_NBR_USED] = "nbr_used",
	[SEG_MSG_NBR_HEARD] = "nbr_heard",
	[SEG_MSG_NBR_SET] = "nbr_set",
	[SEG_MSG_NBR_UNSET] = "nbr_unset",
	[SEG_MSG_NBR_FLUSH] = "nbr_flush",
	[SEG_MSG_NBR_AGAIN] = "nbr_again",
	[SEG_MSG_NBR_ANNOUNCE] = "nbr_announce",
	[SEG_MSG_NBR_NOTICE] = "nbr_notice",
};

static const char *const port_kind_names[] = {
	[SEG_PORT_IF] = "if",
	[SEG_PORT_XDP] = "xdp",
	[SEG_PORT_PCI] = "pci",
	[SEG_PORT_VDEV] = "vdev",
};

static const char *const stp_names[] = {[SEG_STP_OFF] = "off", [SEG_STP_BLOCK] = "block"};

/* As in ip-neighbour(8). */
static const char *const nbr_state_names[SEG_NBR_STATES] = {
	[SEG_NBR_NONE] = "none",
	[SEG_NBR_INCOMPLETE] = "incomplete",
	[SEG_NBR_REACHABLE] = "reachable",
	[SEG_NBR_STALE] = "stale",
	[SEG_NBR_DELAY] = "delay",
	[SEG_NBR_PROBE] = "probe",
	[SEG_NBR_FAILED] = "failed",
	[SEG_NBR_PERMANENT] = "permanent",
};

static const char *const address_state_names[] = {
	[SEG_ADDRESS_NONE] = "none",
	[SEG_ADDRESS_TENTATIVE] = "tentative",
	[SEG_ADDRESS_PREFERRED] = "preferred",
	[SEG_ADDRESS_DUPLICATE] = "duplicate",
};

/* As in ip-route(8); a gateway's route and one out of a link are both unicast. */
static const char *const route_kind_names[SEG_ROUTE_KINDS] = {
	[SEG_ROUTE_CONNECTED] = "connected",
	[SEG_ROUTE_LOCAL] = "local",
	[SEG_ROUTE_VIA] = "unicast",
	[SEG_ROUTE_LINK] = "unicast",
	[SEG_ROUTE_BLACKHOLE] = "blackhole",
	[SEG_ROUTE_UNREACHABLE] = "unreachable",
	[SEG_ROUTE_PROHIBIT] = "prohibit",
};

static const char *const role_names[] = {
	[SEG_ROLE_SERVING] = "serving",
	[SEG_ROLE_DRAINED] = "drained",
	[SEG_ROLE_LOST] = "lost",
};

/* RFC 5424 6.2.1 */
static const char *const severity_names[] = {"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"};

static const char *
name_of(const char *const *names, size_t count, unsigned number)
{
	return number < count && names[number] ? names[number] : "unknown";
}

bool
names_drop_known(unsigned reason)
{
	return reason < SEG_DROPS && drop_names[reason].name;
}

const char *
names_drop(unsigned reason)
{
	return names_drop_known(reason) ? drop_names[reason].name : "unknown";
}

const char *
names_drop_text(unsigned reason)
{
	return names_drop_known(reason) ? drop_names[reason].text : "unknown";
}

const char *
names_drop_hint(unsigned reason)
{
	return names_drop_known(reason) ? drop_names[reason].hint : "";
}

const char *
names_csum_hint(void)
{
	return OFFLOADS;
}

const char *
names_class(unsigned class_number)
{
	return name_of(class_names, COUNT(class_names), class_number);
}

const char *
names_msg(unsigned kind)
{
	return name_of(msg_names, COUNT(msg_names), kind);
}

const char *
names_port_kind(unsigned kind)
{
	return name_of(port_kind_names, COUNT(port_kind_names), kind);
}

const char *
names_stp(unsigned stp)
{
	return name_of(stp_names, COUNT(stp_names), stp);
}

const char *
names_severity(unsigned severity)
{
	return name_of(severity_names, COUNT(severity_names), severity);
}

const char *
names_nbr_state(unsigned state)
{
	return name_of(nbr_state_names, COUNT(nbr_state_names), state);
}

const char *
names_address_state(unsigned state)
{
	return name_of(address_state_names, COUNT(address_state_names), state);
}

const char *
names_route_kind(unsigned kind)
{
	return name_of(route_kind_names, COUNT(route_kind_names), kind);
}

const char *
names_role(unsigned role)
{
	return name_of(role_names, COUNT(role_names), role);
}
