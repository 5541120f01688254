/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/function.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "io/driver.h"
#include "io/sysfs.h"

#define VIRTFN "virtfn"

void
function_used(struct host_func *func, int pid, const char *fmt, ...)
{
	struct host_use *use = realloc(func->use, (func->nuses + 1) * sizeof(*use));
	if (!use) {
		return;
	}
	func->use = use;
	use = &use[func->nuses++];
	use->pid = pid;
	va_list args;
	va_start(args, fmt);
	vsnprintf(use->by, sizeof(use->by), fmt, args);
	va_end(args);
}

/* ---- one function --------------------------------------------------------------------------------------------------- */

static void
fill_group(int root, const char *address, struct host *host, struct host_func *func)
{
	char text[SYSFS_TEXT_SIZE];
	uint64_t group;
	if (!sysfs_link(root, text, sizeof(text), SYSFS_DEVICES "/%s/iommu_group", address) ||
		!num_parse_u64(text, 0, INT32_MAX, &group)) {
		return;
	}
	func->group = (int)group;
	/* vfio makes groups of its own where there is no IOMMU and it was told to do without. */
	if (!host->iommu) {
		sysfs_read(root, text, sizeof(text), "sys/kernel/iommu_groups/%d/name", func->group);
		host->iommu = strcmp(text, "vfio-noiommu") != 0;
	}
}

static void
fill_numa(int root, const char *address, struct host_func *func)
{
	uint64_t node;
	if (sysfs_number(root, INT16_MAX, &node, SYSFS_DEVICES "/%s/numa_node", address)) {
		func->numa = (int)node;
	}
}

static void
fill_role(int root, const char *address, struct host_func *func, const struct pci_sriov *sriov)
{
	char text[SYSFS_TEXT_SIZE];
	uint64_t number;
	if (sysfs_link(root, text, sizeof(text), SYSFS_DEVICES "/%s/physfn", address) && pci_parse(text, &func->pf)) {
		func->role = HOST_VF;
		return;
	}
	if (!sysfs_number(root, UINT16_MAX, &number, SYSFS_DEVICES "/%s/sriov_totalvfs", address)) {
		number = sriov->total;
		if (number == 0) {
			return;
		}
	}
	func->role = HOST_PF;
	func->total_vfs = (uint16_t)number;
	/* The kernel's way, unless it is told otherwise. */
	func->autoprobe = !sysfs_number(root, 1, &number, SYSFS_DEVICES "/%s/sriov_drivers_autoprobe", address) || number;
}

static void
fill_func(int root, struct host *host, struct host_func *func, const struct pci_sriov *sriov)
{
	char address[PCI_TEXT_SIZE];
	pci_format(func->addr, address);
	driver_of(root, address, func->driver);
	fill_group(root, address, host, func);
	fill_numa(root, address, func);
	fill_role(root, address, func, sriov);
	sysfs_read(root, func->label, sizeof(func->label), SYSFS_DEVICES "/%s/label", address);
	func->can_reset = sysfs_exists(root, SYSFS_DEVICES "/%s/reset", address);
	if (!func->can_reset && root != SYSFS_MACHINE) {
		/* Nobody can record a file that is only written. */
		char methods[SYSFS_TEXT_SIZE];
		func->can_reset = sysfs_read(root, methods, sizeof(methods), SYSFS_DEVICES "/%s/reset_method", address) > 0;
	}
}

/* ---- PFs and their VFs ------------------------------------------------------------------------------------------------ */

struct search {
	int root;
	struct host *host;
	struct host_func *pf;
	const char *address;
};

/*
 * A PF has a link to each VF. They are counted, and sriov_numvfs is not read: the kernel shows that only when no other number is
 * being written, which can last for as long as a process has a VF open.
 */
static void
see_virtfn(void *arg, const char *name)
{
	struct search *search = arg;
	char text[SYSFS_TEXT_SIZE];
	uint64_t index, addr;
	if (strncmp(name, VIRTFN, strlen(VIRTFN)) != 0 || !num_parse_u64(name + strlen(VIRTFN), 0, UINT16_MAX, &index) ||
		!sysfs_link(search->root, text, sizeof(text), SYSFS_DEVICES "/%s/%s", search->address, name) ||
		!pci_parse(text, &addr)) {
		return;
	}
	search->pf->num_vfs++;
	struct host_func *vf = host_at(search->host, addr);
	if (vf && vf->role == HOST_VF) {
		vf->index = (uint16_t)index;
	}
}

/*
 * PCI Express 9.2.1.2: where the VFs are, by the capability. For records without sysfs, and for VFs that are being destroyed: the
 * kernel takes the links between them and their PF away first, and waits then for the process that has the VF open.
 */
static void
find_by_capability(struct host *host, struct host_func *pf, const struct pci_sriov *sriov)
{
	for (unsigned i = 0; i < sriov->num; i++) {
		struct host_func *vf = host_at(host, pf->addr + sriov->offset + (uint64_t)i * sriov->stride);
		if (!vf || vf == pf || vf->role != HOST_PLAIN) {
			continue;
		}
		vf->role = HOST_VF;
		vf->pf = pf->addr;
		vf->index = (uint16_t)i;
		pf->num_vfs++;
	}
}

static void
fill_vfs(int root, struct host *host, const struct pci_sriov *sriov)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		struct host_func *pf = &host->func[i];
		char address[PCI_TEXT_SIZE];
		if (pf->role == HOST_PF) {
			struct search search = {.root = root, .host = host, .pf = pf, .address = pci_format(pf->addr, address)};
			sysfs_list(root, see_virtfn, &search, SYSFS_DEVICES "/%s", address);
			find_by_capability(host, pf, &sriov[i]);
		}
	}
}

/*
 * The override of a device that is being taken from vfio-pci cannot be read, nor that of the PF that waits with it: while there
 * is such a device, no PF's is.
 */
static void
fill_overrides(int root, struct host *host)
{
	char address[PCI_TEXT_SIZE];
	bool leaving = false;
	for (size_t i = 0; i < host->nfuncs; i++) {
		struct host_func *func = &host->func[i];
		pci_format(func->addr, address);
		if (func->driver[0] || !driver_leaving(root, address)) {
			continue;
		}
		leaving = true;
		function_used(func, 0, "it is being taken from vfio-pci");
	}
	for (size_t i = 0; i < host->nfuncs; i++) {
		struct host_func *func = &host->func[i];
		pci_format(func->addr, address);
		if (!leaving || (func->role != HOST_PF && !driver_leaving(root, address))) {
			driver_override_of(root, address, func->override);
		}
	}
}

void
functions_drop_labels(struct host *host)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		bool common = false;
		for (size_t k = i + 1; k < host->nfuncs && host->func[i].label[0]; k++) {
			if (strcmp(host->func[i].label, host->func[k].label) == 0) {
				host->func[k].label[0] = '\0';
				common = true;
			}
		}
		if (common) {
			host->func[i].label[0] = '\0';
		}
	}
}

void
functions_fill(int root, struct host *host, const struct pci_sriov *sriov)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		fill_func(root, host, &host->func[i], &sriov[i]);
	}
	fill_vfs(root, host, sriov);
	fill_overrides(root, host);
	/* Where all memory is equally far, the number of the node says nothing. */
	if (!sysfs_exists(root, "sys/devices/system/node/node1")) {
		for (size_t i = 0; i < host->nfuncs; i++) {
			host->func[i].numa = -1;
		}
	}
}
