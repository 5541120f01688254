/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PCI functions of a host as libpci finds them: in sysfs, or in a record as "lspci -xxxx" prints it. */
#ifndef PEKIT_IO_PCI_H
#define PEKIT_IO_PCI_H

#include "vf/host.h"

/* What a function's SR-IOV capability says (PCI Express 9.3.3); total 0: it has none, or it may not be read. */
struct pci_sriov {
	uint16_t total, num; /* num 0: VFs are not enabled */
	uint16_t offset, stride, vf_device;
};

/*
 * Fills host->func, sorted, with addresses, ids, classes and names, and *sriov with as many elements; free() both. A machine
 * without PCI has no functions.
 */
enum err_code
pci_functions(int root, struct host *host, struct pci_sriov **sriov, struct err *err);

#endif
