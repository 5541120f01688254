/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which interfaces the functions of a host carry, and what a PF's interface tells of its VFs. */
#ifndef PEKIT_IO_IFACES_H
#define PEKIT_IO_IFACES_H

#include "io/links.h"
#include "vf/host.h"

/* login: the remote address as people see it; empty: none. login_name: the interface that it names by its scope; may be empty. */
void
ifaces_fill(int root, struct host *host, const struct links *links, const char *login, const char *login_name);

/* Speed and duplex as sysfs has them, of interfaces whose speed is not known otherwise. */
void
ifaces_speeds(int root, struct host *host);

#endif
