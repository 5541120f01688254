/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/pci.h"

#include <errno.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/sysfs.h"

#define NO_VENDOR 0xffff /* what a VF's own configuration space says; PCI Express 9.3.4.1.1 */

/* libpci's callback for errors has no argument and must not return. */
static _Thread_local struct {
	jmp_buf back;
	char text[SYSFS_TEXT_SIZE];
} trouble;

/* Its callbacks take what it calls char *. */
static void
on_error(char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void
on_remark(char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
on_error(char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(trouble.text, sizeof(trouble.text), fmt, args);
	va_end(args);
	longjmp(trouble.back, 1);
}

static void
on_remark(char *fmt, ...)
{
	(void)fmt;
}

static void
fill_sriov(struct pci_dev *dev, struct pci_sriov *sriov)
{
	*sriov = (struct pci_sriov){0};
	const struct pci_cap *cap = pci_find_cap(dev, PCI_EXT_CAP_ID_SRIOV, PCI_CAP_EXTENDED);
	if (!cap) {
		return;
	}
	int at = (int)cap->addr;
	sriov->total = pci_read_word(dev, at + PCI_IOV_TOTALVF);
	sriov->offset = pci_read_word(dev, at + PCI_IOV_OFFSET);
	sriov->stride = pci_read_word(dev, at + PCI_IOV_STRIDE);
	sriov->vf_device = pci_read_word(dev, at + PCI_IOV_DID);
	if (pci_read_word(dev, at + PCI_IOV_CTRL) & PCI_IOV_CTRL_VFE) {
		sriov->num = pci_read_word(dev, at + PCI_IOV_NUMVF);
	}
}

static uint16_t
id_of(int root, const char *address, const char *attribute, uint16_t otherwise)
{
	uint64_t value;
	return sysfs_number(root, UINT16_MAX, &value, SYSFS_DEVICES "/%s/%s", address, attribute) ? (uint16_t)value : otherwise;
}

static void
fill_func(int root, struct pci_dev *dev, struct host_func *func, struct pci_sriov *sriov)
{
	pci_fill_info(
		dev, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT | PCI_FILL_SUBSYS | PCI_FILL_CAPS | PCI_FILL_EXT_CAPS);
	*func = (struct host_func){.addr = (uint64_t)(uint32_t)dev->domain << 16 | (uint64_t)dev->bus << 8 |
					   (uint64_t)(dev->dev & 0x1f) << 3 | (dev->func & 7),
		.pf = PCI_NONE,
		.group = -1,
		.numa = -1};
	/* A record of configuration space alone does not know what a VF is. */
	if (dev->vendor_id == NO_VENDOR) {
		char address[PCI_TEXT_SIZE];
		pci_format(func->addr, address);
		dev->vendor_id = id_of(root, address, "vendor", NO_VENDOR);
		dev->device_id = id_of(root, address, "device", NO_VENDOR);
	}
	func->vendor = dev->vendor_id;
	func->device = dev->device_id;
	func->subvendor = dev->subsys_vendor_id;
	func->subdevice = dev->subsys_id;
	func->class_code = (uint32_t)dev->device_class << 8 | dev->prog_if;
	func->revision = dev->rev_id;
	fill_sriov(dev, sriov);
}

/* Without sysfs, a VF is what its PF's capability says; PCI Express 9.2.1.2: where they are. */
static void
fill_vf_ids(struct host *host, const struct pci_sriov *sriov)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		const struct host_func *pf = &host->func[i];
		for (unsigned k = 0; k < sriov[i].num; k++) {
			struct host_func *vf = host_at(host, pf->addr + sriov[i].offset + (uint64_t)k * sriov[i].stride);
			if (vf && vf->vendor == NO_VENDOR) {
				vf->vendor = pf->vendor;
				vf->device = sriov[i].vf_device;
			}
		}
	}
}

static void
fill_names(struct pci_access *access, struct host_func *func)
{
	char room[HOST_TEXT_SIZE];
	const char *name =
		pci_lookup_name(access, room, sizeof(room), PCI_LOOKUP_VENDOR | PCI_LOOKUP_NO_NUMBERS, (int)func->vendor);
	snprintf(func->vendor_name, sizeof(func->vendor_name), "%s", name ? name : "");
	name = pci_lookup_name(
		access, room, sizeof(room), PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS, (int)func->vendor, (int)func->device);
	snprintf(func->device_name, sizeof(func->device_name), "%s", name ? name : "");
}

/* By address; libpci's list is in the order of its finding. */
static int
compare(const void *a, const void *b)
{
	const struct pci_dev *left = *(struct pci_dev *const *)a, *right = *(struct pci_dev *const *)b;
	int differs = left->domain != right->domain ? (left->domain > right->domain) - (left->domain < right->domain)
						    : left->bus - right->bus;
	differs = differs ? differs : left->dev - right->dev;
	return differs ? differs : left->func - right->func;
}

struct scan {
	int root;
	struct host *host;
	struct pci_sriov *sriov;
	struct pci_dev **dev;
	struct pci_access *access;
	char dump[32];
};

/* All that may come back through on_error(): what it makes is in *scan. */
static bool
scan_all(struct scan *scan)
{
	struct pci_access *access = scan->access;
	if (scan->dump[0]) {
		char name[] = "dump.name";
		pci_set_param(access, name, scan->dump);
	}
	pci_init(access);
	pci_scan_bus(access);
	size_t n = 0;
	for (const struct pci_dev *dev = access->devices; dev; dev = dev->next) {
		n++;
	}
	scan->dev = calloc(n + 1, sizeof(struct pci_dev *));
	scan->host->func = calloc(n + 1, sizeof(*scan->host->func));
	scan->sriov = calloc(n + 1, sizeof(*scan->sriov));
	if (!scan->dev || !scan->host->func || !scan->sriov) {
		return false;
	}
	n = 0;
	for (struct pci_dev *dev = access->devices; dev; dev = dev->next) {
		scan->dev[n++] = dev;
	}
	qsort(scan->dev, n, sizeof(struct pci_dev *), compare);
	for (size_t i = 0; i < n; i++) {
		fill_func(scan->root, scan->dev[i], &scan->host->func[i], &scan->sriov[i]);
	}
	scan->host->nfuncs = n;
	fill_vf_ids(scan->host, scan->sriov);
	for (size_t i = 0; i < n; i++) {
		fill_names(access, &scan->host->func[i]);
	}
	return true;
}

static enum err_code
scan_guarded(struct scan *scan, struct err *err)
{
	scan->access = pci_alloc();
	scan->access->error = on_error;
	scan->access->warning = on_remark;
	scan->access->debug = on_remark;
	scan->access->id_lookup_mode = 0;
	scan->access->method = scan->dump[0] ? PCI_ACCESS_DUMP : PCI_ACCESS_SYS_BUS_PCI;
	if (setjmp(trouble.back)) {
		err_set(err, ERR_FAILED, "the PCI bus: %s", trouble.text);
		if (!setjmp(trouble.back)) {
			pci_cleanup(scan->access);
		}
		return ERR_FAILED;
	}
	bool ok = scan_all(scan);
	pci_cleanup(scan->access);
	return ok ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
}

enum err_code
pci_functions(int root, struct host *host, struct pci_sriov **sriov, struct err *err)
{
	struct scan scan = {.root = root, .host = host};
	int fd = -1;
	*sriov = NULL;
	if (root != SYSFS_MACHINE) {
		fd = sysfs_fd(root, "pci.dump");
		if (fd < 0) {
			return err_set(err, ERR_NOT_FOUND, "pci.dump: %s", strerror(errno));
		}
		snprintf(scan.dump, sizeof(scan.dump), "/proc/self/fd/%d", fd);
	} else if (!sysfs_exists(root, SYSFS_DEVICES)) {
		return ERR_NONE;
	}
	enum err_code code = scan_guarded(&scan, err);
	if (fd >= 0) {
		close(fd);
	}
	free(scan.dev);
	if (code) {
		free(scan.sriov);
		free(host->func);
		host->func = NULL;
		host->nfuncs = 0;
		return code;
	}
	*sriov = scan.sriov;
	return ERR_NONE;
}
