/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be done: the driver's ways, budgets, and what must not be touched. All refusals are sentences that name the offending
 * word. */
#ifndef PEKIT_VF_RULES_H
#define PEKIT_VF_RULES_H

#include "vf/host.h"
#include "vf/ledger.h"

#define RULES_VLANS_MAX 63 /* tagged VLAN ids on one port, over all its VFs and their holders */

/* How a driver (of the PF) makes a VF receive everything, when it has a switch of its own. */
enum rules_promisc {
	RULES_PROMISC_NONE,  /* the device has no such mode */
	RULES_PROMISC_ASK,   /* any VF may ask for it */
	RULES_PROMISC_TRUST, /* a trusted VF may ask for it */
	RULES_PROMISC_FLAG,  /* a private flag of the PF: rules_driver.promisc_flag */
};

struct rules_driver {
	const char *name;    /* "igb"; the last one, "" is any other */
	const char *people;  /* "Intel 82576 and its like" */
	unsigned sets;       /* VFSET_* that the driver has; unknown drivers: all that the kernel has a request for */
	bool min_rate, qinq; /* min_rate_bps, proto 0x88a8 (true also where it depends on the firmware) */
	bool no_qos;         /* no priority beside a VLAN id */
	bool no_link_up;     /* cannot hold a VF's link up by itself: says yes and does nothing */
	bool link_untold;    /* does not tell the link state that a VF was given: the kernel shows auto in its place */
	bool rate_link;      /* takes a rate only while the port has a link */
	bool rate_stays;     /* takes no limit away again: says yes and does nothing; none is told as the speed of the link */
	bool zero_mac;       /* takes a VF's MAC back to 00:00:00:00:00:00 */
	bool needs_up;       /* VFs can be made only while the PF is up (bnxt_en) */
	bool stays;          /* DPDK drives it through its kernel driver: not to be rebound */
	bool promisc_port;   /* and promisc only while the port is promiscuous, too */
	enum rules_promisc promisc, allmulti;
	const char *promisc_flag; /* ethtool private flag */
	const char *lldp_flag;    /* private flag of the firmware's LLDP agent; NULL: none */
	bool lldp_stop;           /* the value of the flag that stops the agent: "disable-fw-lldp on", "fw-lldp-agent off" */
	const char *vf_driver;    /* the kernel driver of its VFs */
};

/* Never NULL. */
const struct rules_driver *
rules_driver(const char *name);

/* Takes from what a PF's driver seems to tell of a VF what it does not. */
void
rules_told(const char *name, struct vfset *set);

/* How a driver's refusal looks: EOPNOTSUPP and EPROTONOSUPPORT, EINVAL and ERANGE, EPERM and EACCES, EBUSY and EAGAIN, ENOSPC and
 * ENOMEM, the rest. */
enum rules_answer { RULES_UNSUPPORTED, RULES_INVALID, RULES_FORBIDDEN, RULES_BUSY, RULES_FULL, RULES_FAILED };

/*
 * Why the PF's driver refused: "igb has no minimum rate for VFs (eth0:1)", with the hint "leave min-rate out". want is what was
 * asked, said the kernel's own words for what no rule explains. Sets ERR_REFUSED, or ERR_FAILED for RULES_FAILED and
 * RULES_BUSY, which may go better the next time.
 */
void
rules_refusal(const struct host *host, const struct host_func *vf, unsigned bit, const struct vfset *want,
	enum rules_answer answer, const char *said, struct err *err);

/*
 * Before anything is touched. What the driver is known not to have (ERR_REFUSED), values out of range (ERR_USAGE: a multicast
 * MAC, a rate that is no whole number of Mbit/s or above the link's speed, min above max, qos without vlan), a MAC that another
 * function of the host has (ERR_EXISTS, named).
 */
enum err_code
rules_set(const struct host *host, const struct host_func *vf, const struct vfset *want, struct err *err);

/* ERR_EXISTS when another VF's lease has the MAC, be that VF there or not. */
enum err_code
rules_leased_mac(const struct host *host, const struct ledger *ledger, const struct host_func *vf, const struct vfset *want,
	struct err *err);

/* ERR_REFUSED when the port of the VF would carry more than RULES_VLANS_MAX ids; who has how many is said. vlans may be NULL. */
enum err_code
rules_vlans(const struct host *host, const struct ledger *ledger, const struct host_func *vf, const struct vfset *want,
	const struct ledger_vlans *vlans, struct err *err);

/* May a driver be called so? Names of modules have no dots. */
bool
rules_driver_name(const char *word);

/* Does the driver give the device to a process or a guest, so that the kernel has no interface of it? */
bool
rules_passes(const char *driver);

/* ERR_REFUSED when the default route or a login goes over one of its interfaces: it is not to be cut off. */
enum err_code
rules_carries(const struct host_func *func, struct err *err);

/* The same of a port, and of its VFs; off: nor may VFs lose its link that are leased or in use. */
enum err_code
rules_port(const struct host *host, const struct ledger *ledger, const struct host_func *port, bool off, struct err *err);

/*
 * May it be taken from its driver? The default route or a login over one of its interfaces, a bridge or bond above it, addresses,
 * disks, a use, VFs that would go along, a driver that stays. forced: only a use by a process, of it or of its VFs, refuses, and
 * that it is a bridge. driver "" is none, "kernel" the one it would have by itself.
 */
enum err_code
rules_rebind(const struct host *host, const struct host_func *func, const char *driver, bool forced, struct err *err);

/* May VFs be destroyed? Each one that is leased or in use is named. ERR_REFUSED; nothing is forced. */
enum err_code
rules_destroy(const struct host *host, const struct ledger *ledger, const struct host_func *pf, unsigned keep, struct err *err);

/* A MAC for a VF that is the same after every boot: locally administered, from the PF's MAC and the index; another one when that
 * is taken. */
uint64_t
rules_auto_mac(const struct host *host, const struct host_func *vf);

#endif
