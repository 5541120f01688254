/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hosts made by hand, for the tests of lib/vf. They link lib/vf/pci.c and lib/vf/host.c.
 *
 *	struct host host;
 *	hosts_igb(&host, 4);          a ready one ...
 *	...
 *	host_free(&host);
 *
 *	struct host_func *pf = hosts_pf(&host, "0000:10:00.0", "ixgbe", "eth4", 0x10fb, 63);   ... or piece by piece
 *	hosts_vfs(&host, pf->addr, 0x10ed, 0x80, 2, 63);
 *
 * Adding a function moves the others: keep addresses, not pointers, across it.
 */
#ifndef PEKIT_TESTS_UNIT_VF_HOSTS_H
#define PEKIT_TESTS_UNIT_VF_HOSTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vf/host.h"

#define HOSTS_IGB_PF UINT64_C(0x0100)    /* 0000:01:00.0, eth0, label 1/1 */
#define HOSTS_IGB_PF2 UINT64_C(0x0101)   /* 0000:01:00.1, eth1, label 1/2 */
#define HOSTS_IXGBE_PF UINT64_C(0x1000)  /* 0000:10:00.0, eth4 */
#define HOSTS_IXGBE_PF2 UINT64_C(0x1001) /* 0000:10:00.1, eth5 */
#define HOSTS_PLAIN UINT64_C(0x0218)     /* 0000:02:03.0, eth9, virtio: no SR-IOV */
#define HOSTS_CRYPTO UINT64_C(0x0500)    /* 0000:05:00.0, no network */

static inline uint64_t
hosts_addr(const char *text)
{
	uint64_t addr = PCI_NONE;
	assert_true(pci_parse(text, &addr));
	return addr;
}

/* A function with nothing known of it, at its place in the order. */
static inline struct host_func *
hosts_add(struct host *host, uint64_t addr)
{
	struct host_func *func = realloc(host->func, (host->nfuncs + 1) * sizeof(*func));
	assert_non_null(func);
	host->func = func;
	size_t at = host->nfuncs++;
	for (; at > 0 && func[at - 1].addr > addr; at--) {
		func[at] = func[at - 1];
	}
	func[at] = (struct host_func){.addr = addr, .group = -1, .numa = -1, .class_code = 0x020000};
	return &func[at];
}

/* An interface that is up and has a link. */
static inline struct host_if *
hosts_iface(struct host_func *func, const char *name, uint64_t mac, uint64_t speed_bps)
{
	struct host_if *iface = realloc(func->iface, (func->nifaces + 1) * sizeof(*iface));
	assert_non_null(iface);
	func->iface = iface;
	iface = &iface[func->nifaces++];
	*iface = (struct host_if){.index = (int)(func->addr & 0xffff) + 2, .mac = mac, .up = true, .carrier = true};
	snprintf(iface->name, sizeof(iface->name), "%s", name);
	iface->set = (struct portset){.has = PORTSET_SPEED | PORTSET_DUPLEX | PORTSET_AUTONEG | PORTSET_PAUSE_AUTONEG |
					     PORTSET_PAUSE_RX | PORTSET_PAUSE_TX | PORTSET_MTU | PORTSET_UP,
		.speed_bps = speed_bps,
		.duplex = HOST_DUPLEX_FULL,
		.autoneg = true,
		.pause_autoneg = true,
		.mtu = 1500,
		.up = true};
	return iface;
}

static inline void
hosts_use(struct host_func *func, int pid, const char *by)
{
	struct host_use *use = realloc(func->use, (func->nuses + 1) * sizeof(*use));
	assert_non_null(use);
	func->use = use;
	use = &use[func->nuses++];
	*use = (struct host_use){.pid = pid};
	snprintf(use->by, sizeof(use->by), "%s", by);
}

/* A PF without VFs; its MAC is 02:11:00:00:BUS:SLOT+FUNCTION. */
static inline struct host_func *
hosts_pf(struct host *host, const char *addr, const char *driver, const char *ifname, uint16_t device, uint16_t total)
{
	struct host_func *pf = hosts_add(host, hosts_addr(addr));
	pf->vendor = 0x8086;
	pf->device = device;
	pf->role = HOST_PF;
	pf->total_vfs = total;
	pf->autoprobe = true;
	pf->can_reset = true;
	pf->group = (int)(pf->addr & 0xffff);
	snprintf(pf->driver, sizeof(pf->driver), "%s", driver);
	if (ifname) {
		bool fast = strcmp(driver, "igb") != 0;
		hosts_iface(pf, ifname, 0x021100000000 | (pf->addr & 0xffff), (fast ? 10 : 1) * UINT64_C(1000000000));
	}
	return pf;
}

/* What a driver says of a new VF. */
static inline struct vfset
hosts_new_vf(void)
{
	return (struct vfset){.has = VFSET_ALL & ~(VFSET_PROMISC | VFSET_ALLMULTI), .proto = 0x8100, .spoofchk = true};
}

/* VFs of a PF: the first one at its address + offset, the others a stride apart (PCI Express 9.2.1.2); no driver. */
static inline void
hosts_vfs(struct host *host, uint64_t pf, uint16_t device, unsigned offset, unsigned stride, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct host_func *vf = hosts_add(host, pf + offset + i * stride);
		vf->vendor = 0x8086;
		vf->device = device;
		vf->role = HOST_VF;
		vf->pf = pf;
		vf->index = (uint16_t)i;
		vf->can_reset = true;
		vf->group = (int)(vf->addr & 0xffff);
		vf->set = hosts_new_vf();
	}
	host_at(host, pf)->num_vfs = (uint16_t)n;
}

/* Binds it, as the kernel or (by_override) an override would have done. */
static inline void
hosts_bind(struct host_func *func, const char *driver, bool by_override)
{
	snprintf(func->driver, sizeof(func->driver), "%s", driver);
	snprintf(func->override, sizeof(func->override), "%s", by_override ? driver : "");
}

/*
 * Two ports of an 82576, the first with nvfs of its 7 VFs (unbound; MACs zero), a virtio card without SR-IOV that carries the
 * default route, and a crypto device. As the emulated one: VFs at 01:10.0, .2, .4, ...
 */
static inline void
hosts_igb(struct host *host, unsigned nvfs)
{
	*host = (struct host){.iommu = true};
	snprintf(host->boot_id, sizeof(host->boot_id), "6f1c0a52-0000-4000-8000-000000000001");
	struct host_func *func = hosts_pf(host, "01:00.0", "igb", "eth0", 0x10c9, 7);
	snprintf(func->label, sizeof(func->label), "1/1");
	func = hosts_pf(host, "01:00.1", "igb", "eth1", 0x10c9, 7);
	snprintf(func->label, sizeof(func->label), "1/2");
	func = hosts_add(host, HOSTS_PLAIN);
	func->vendor = 0x1af4;
	func->device = 0x1041;
	func->group = 3;
	hosts_bind(func, "virtio-pci", false);
	struct host_if *iface = hosts_iface(func, "eth9", 0x525400000009, 1000000000);
	iface->has_address = true;
	snprintf(iface->route, sizeof(iface->route), "eth9");
	func = hosts_add(host, HOSTS_CRYPTO);
	func->vendor = 0x177d;
	func->device = 0x0010;
	func->class_code = 0x100000;
	func->group = 5;
	hosts_vfs(host, HOSTS_IGB_PF, 0x10ca, 0x80, 2, nvfs);
}

/* Two ports of an 82599 with 63 VFs each, as on a server whose firmware gives each function an IOMMU group. */
static inline void
hosts_ixgbe(struct host *host)
{
	*host = (struct host){.iommu = true};
	snprintf(host->boot_id, sizeof(host->boot_id), "6f1c0a52-0000-4000-8000-000000000002");
	hosts_pf(host, "10:00.0", "ixgbe", "eth4", 0x10fb, 63);
	hosts_pf(host, "10:00.1", "ixgbe", "eth5", 0x10fb, 63);
	hosts_vfs(host, HOSTS_IXGBE_PF, 0x10ed, 0x80, 2, 63);
	hosts_vfs(host, HOSTS_IXGBE_PF2, 0x10ed, 0x80, 2, 63);
}

#endif
