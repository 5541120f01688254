/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PCI devices as sysfs shows them: what a port must know before it gives one to DPDK, and sentences for what is in the way.
 * Control core only.
 */
#ifndef PEKIT_PE_PCI_H
#define PEKIT_PE_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shm/layout.h"

struct pci_facts {
	char address[24]; /* "0000:01:10.0" */
	char driver[32];  /* the kernel's; "": none */
	uint16_t vendor, device;
	bool vf;
	char pf[SEG_NAME_SIZE]; /* of a VF: "eth0:3", or "0000:01:00.0:3" when its physical function has no interface here */
	bool pf_tells;          /* what follows is known */
	uint64_t pf_mac;        /* that it has given; 0: none */
};

/* False: there is no such device. The address is taken in its long form. */
bool
pci_look(const char *address, struct pci_facts *facts);

/* The device of a kernel interface; false: it has none. */
bool
pci_of_interface(const char *ifname, char *address, size_t size);

/* Is it bound to a driver that DPDK can use? */
bool
pci_usable(const struct pci_facts *facts);

/* Whatever would keep DPDK from using it; ERR_NONE: nothing that can be seen. key begins the message: "ports.a.device: ". */
enum err_code
pci_check(const struct pci_facts *facts, const char *key, struct err *err);

/* Why it failed all the same, as far as the process's limits tell. True: *err says so. */
bool
pci_explain(const struct pci_facts *facts, const char *key, struct err *err);

#endif
