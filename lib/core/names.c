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
};

static const char *const port_kind_names[] = {
	[SEG_PORT_IF] = "if",
	[SEG_PORT_XDP] = "xdp",
	[SEG_PORT_PCI] = "pci",
	[SEG_PORT_VDEV] = "vdev",
};

static const char *const stp_names[] = {[SEG_STP_OFF] = "off", [SEG_STP_BLOCK] = "block"};

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
