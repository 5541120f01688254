/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kernel interfaces as rtnetlink tells them: links with what PFs keep for their VFs, who has addresses, and over which interfaces
 * the default route and a login come.
 *
 * The list of VFs is parsed here and not by libnl-route: that stops at VFs without a VLAN list, gives a trust or spoof check that
 * the driver does not report (-1) as set, and has no priority of a VLAN without its protocol.
 */
#ifndef PEKIT_IO_LINKS_H
#define PEKIT_IO_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "vf/host.h"

struct links_vf {
	unsigned index;
	struct vfset set;
};

struct links_link {
	int index;
	char name[HOST_IFNAME_SIZE];
	char altnames[HOST_ALTNAMES_SIZE]; /* as those of struct host_if */
	char parent[64]; /* its device on its bus, "0000:01:00.0", "virtio2"; empty: not said (before Linux 5.14) */
	char kind[16];   /* "vlan", "bond"; empty: hardware */
	uint64_t mac;
	uint32_t mtu;
	bool up, carrier, loopback;
	int master; /* 0: none */
	int lower;  /* of a VLAN: what it stands on; 0: none in this namespace */
	struct links_vf *vf;
	size_t nvfs;
};

struct links_set {
	int *index;
	size_t n;
};

/* A nexthop object, or (member not 0) one of those of a group. */
struct links_hop {
	uint32_t id, member;
	int index; /* the interface */
};

struct links {
	struct links_link *link; /* sorted by index after links_sort() */
	size_t n;
	struct links_hop *hop;
	size_t nhops;
	struct links_set addressed; /* has an address that is not link-local */
	struct links_set routes;    /* the default route goes out there */
	/* Given before parsing: a login's ends; family 0: none. */
	struct ip remote, local;
	/* Found: the interface with the local end, and the one that the longest route to the remote end names; 0: none. */
	int local_index, remote_index;
	int remote_length; /* of that route's prefix, + 1 */
};

/* Messages of rtnetlink, one after the other, as they come: links, addresses, nexthops before routes; others are skipped. False:
 * something is left over at the end that is no message, or no memory. What was read is in links either way: links_free(). */
bool
links_parse(struct links *links, const void *data, size_t size);
void
links_sort(struct links *links);
void
links_free(struct links *links);

/* This machine's, or those that were recorded below the root: one dump each of links, addresses and routes (and before them
 * nexthops, where there are some). */
enum err_code
links_read(int root, struct links *links, struct err *err);

/* One interface of this machine with its VFs, into links. 0 or an errno. */
int
links_get(const char *name, struct links *links);

/* NULL: none. */
const struct links_link *
links_at(const struct links *links, int index);
const struct links_link *
links_named(const struct links *links, const char *name);

/* The bridge, bond or VLAN above it; NULL: none. */
const struct links_link *
links_upper(const struct links *links, const struct links_link *link);

/* Is `below` what `above` stands on: itself, or through bonds, bridges and VLANs? */
bool
links_carries(const struct links *links, const struct links_link *below, const struct links_link *above);

#endif
