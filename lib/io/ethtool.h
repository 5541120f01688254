/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports by ethtool's netlink family (Linux 5.6): what "ethtool DEV", "-a" and "--show-priv-flags" show, and set. */
#ifndef PEKIT_IO_ETHTOOL_H
#define PEKIT_IO_ETHTOOL_H

#include "io/netlink.h"
#include "vf/host.h"

#define ETHTOOL_LINK (PORTSET_SPEED | PORTSET_DUPLEX | PORTSET_AUTONEG)
#define ETHTOOL_PAUSE (PORTSET_PAUSE_AUTONEG | PORTSET_PAUSE_RX | PORTSET_PAUSE_TX)

struct ethtool {
	struct netlink nl; /* nl.said: the kernel's words about the last refusal */
	int family;
};

/* 0 or an errno: EOPNOTSUPP when the kernel has no such family. ethtool_close() it. */
int
ethtool_open(struct ethtool *tool);
void
ethtool_close(struct ethtool *tool);

/* Adds what is known to the settings of all interfaces of the host: two dumps. */
int
ethtool_read(struct ethtool *tool, struct host *host);

/* The same of one interface. What the driver does not tell is missing in set->has. */
int
ethtool_get(struct ethtool *tool, const char *ifname, struct portset *set);

/* The bits of ETHTOOL_LINK or those of ETHTOOL_PAUSE, by one request. */
int
ethtool_set(struct ethtool *tool, const char *ifname, unsigned bits, const struct portset *set);

/* Offers all speeds in negotiation that the port has. EOPNOTSUPP: the driver does not tell which. */
int
ethtool_offer_all(struct ethtool *tool, const char *ifname);

/* Are the speed and duplex mode that are set none that the port has? False: the driver does not tell which it has, too. */
bool
ethtool_lacks(struct ethtool *tool, const char *ifname, const struct portset *set);

/* A private flag of the driver. ENOENT: it has no such flag. */
int
ethtool_flag(struct ethtool *tool, const char *ifname, const char *flag, bool *on);
int
ethtool_flag_set(struct ethtool *tool, const char *ifname, const char *flag, bool on);

#endif
