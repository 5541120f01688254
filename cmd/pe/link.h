/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kernel interfaces, in the namespace of the caller: what they are, and the few things that a port changes on them.
 *
 * Functions return 0 or an errno. Used by the ports (control core) and by the keeper.
 */
#ifndef PEKIT_PE_LINK_H
#define PEKIT_PE_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_info {
	char name[IFNAMSIZ];
	char master[IFNAMSIZ]; /* bridge, bond, ... that it is a member of; empty: none */
	int index;
	unsigned flags; /* IFF_* */
	bool ethernet;
	bool veth;
	bool carrier; /* up, and the other end is there */
	uint64_t mac;
	uint32_t mtu;
};

/* ENODEV: there is none of that name. */
int
link_get(const char *name, struct link_info *info);

/* What changes, at a tenth of the price: 0 when the interface exists. */
int
link_look(const char *name, int *index, bool *carrier);

/* What a physical function says of its VF: the MAC that it has given it, 0: none. */
int
link_get_vf(const char *pf, unsigned vf, uint64_t *mac);

/* Has the kernel a VLAN device of this id on the interface? Only then does it tell a virtual function to let the tag in. */
bool
link_has_vlan(const char *name, uint16_t vid);

/* Lets frames to a unicast address in at an interface that is not promiscuous, or no more: `bridge fdb add MAC dev NAME self`. */
int
link_filter(const char *name, uint64_t mac, bool add);

/* The kernel's driver of the interface's device; "": it has none. */
void
link_driver(const char *name, char *driver, size_t size);

/* Bits a second; 0: unknown. */
uint64_t
link_speed(const char *name);

/* Combined queues, as AF_XDP counts them; at least 1. */
unsigned
link_queues(const char *name);

int
link_set_flags(const char *name, unsigned set, unsigned clear);

int
link_set_mtu(const char *name, uint32_t mtu);

/* An address of the kernel's that keeps the interface in use (an IPv6 link-local one does not): "10.0.0.1/24"; false: none. */
bool
link_address(const char *name, char *text, size_t size);

/* net.ipv6.conf.NAME.disable_ipv6 as text without newline. ENOENT: the kernel has no IPv6, or there is no such interface. */
int
link_get_ipv6(const char *name, char *value, size_t size);
int
link_set_ipv6(const char *name, const char *value);

/* Is the acceleration on that takes VLAN tags out of received frames, and switching it. */
bool
link_rxvlan(const char *name);
int
link_set_rxvlan(const char *name, bool on);

/* Id of the XDP program on the interface and its name; *id is 0 when there is none. */
int
link_get_xdp(const char *name, uint32_t *id, char *program, size_t size);

/* Takes any XDP program off. */
int
link_detach_xdp(const char *name);

/* "veth0, veth1, eth0": names of up to eight interfaces, those like `name` first; empty when there are none but lo. */
void
link_names(const char *name, char *text, size_t size);

#endif
