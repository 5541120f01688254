/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a host into the model of vf/host.h: libpci for the functions, their ids and names, rtnetlink (libnl-route) for interfaces
 * and what PFs know of their VFs, ethtool netlink (libnl-genl) for ports, sysfs for what has no other door, /proc for who uses
 * what.
 *
 * A root other than "" is a host that was recorded (tests/rig/record.sh, docs/vfctl.md): ROOT/pci.dump (lspci -xxxx), ROOT/sys,
 * ROOT/proc, ROOT/links, ROOT/addrs, ROOT/routes (answers of rtnetlink as they came). Nothing outside ROOT is read then, and
 * nothing can be changed.
 */
#ifndef PEKIT_IO_HOST_H
#define PEKIT_IO_HOST_H

#include "vf/doctor.h"
#include "vf/host.h"

/* What of it is wanted; the rest costs time. */
#define HOST_READ_USES 1u  /* who has devices open: walks /proc/PID/fd */
#define HOST_READ_PORTS 2u /* ethtool: speed, pause */
#define HOST_READ_ALL 3u

/* ERR_FAILED, ERR_REFUSED (permission), ERR_NOT_FOUND (no such root). host_free() it. */
enum err_code
host_read(const char *root, unsigned what, struct host *host, struct err *err);

/* For the doctor. acs and lldp_agent are allocated: facts_free(). */
enum err_code
facts_read(const char *root, const struct host *host, struct doctor_facts *facts, struct err *err);
void
facts_free(struct doctor_facts *facts);

/* The remote address of the login that this process belongs to and the local one it came to (SSH_CONNECTION of the process or an
 * ancestor, for sudo clears it). False: none. */
bool
host_login(char *remote, char *local, size_t size);

#endif
