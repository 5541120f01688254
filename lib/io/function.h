/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What sysfs knows of PCI functions beside libpci: drivers, groups, which VF belongs to which PF. */
#ifndef PEKIT_IO_FUNCTION_H
#define PEKIT_IO_FUNCTION_H

#include "io/pci.h"
#include "vf/host.h"

/* Fills the functions that pci_functions() found; without sysfs (a record of lspci's alone) VFs are known by the capability. */
void
functions_fill(int root, struct host *host, const struct pci_sriov *sriov);

/* Takes away labels that two functions have: they name neither. */
void
functions_drop_labels(struct host *host);

/* Adds a use of the function. */
void
function_used(struct host_func *func, int pid, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
