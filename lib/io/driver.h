/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drivers of PCI functions. Names are those of modules, as people know them: "xen-pciback" is "pciback" in sysfs. */
#ifndef PEKIT_IO_DRIVER_H
#define PEKIT_IO_DRIVER_H

#include <stdbool.h>

#include "vf/host.h"

/* Empty: none. */
void
driver_of(int root, const char *address, char driver[HOST_DRIVER_SIZE]);

/*
 * driver_override; empty: none. The kernel shows it only to who gets the lock of the device, and who takes a device from vfio-pci
 * holds that for as long as a process has it open: driver_leaving() must have been asked before.
 */
void
driver_override_of(int root, const char *address, char override[HOST_DRIVER_SIZE]);

/* Is it being taken from vfio-pci at this moment, and waits for the process that has it open? */
bool
driver_leaving(int root, const char *address);

/* Does it give the device to a process or a guest, so that there is no interface to be expected? */
bool
driver_passes(const char *driver);

/* As sysfs has it. */
const char *
driver_kernel_name(const char *driver);

#endif
