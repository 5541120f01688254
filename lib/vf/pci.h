/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PCI addresses as one number, so that they compare and sort: domain << 16 | bus << 8 | device << 3 | function. */
#ifndef PEKIT_VF_PCI_H
#define PEKIT_VF_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_NONE UINT64_MAX
#define PCI_TEXT_SIZE 24
/* The first byte of the class code; PCI Code and ID Assignment, 1.1 to 1.7. */
#define PCI_CLASS_STORAGE 0x01
#define PCI_CLASS_NETWORK 0x02
#define PCI_CLASS_BRIDGE 0x06

/* "0000:01:10.2" or "01:10.2" (domain 0), hexadecimal, as lspci takes them. The whole text or nothing. */
bool
pci_parse(const char *text, uint64_t *addr);

/* With the domain: "0000:01:10.2". */
char *
pci_format(uint64_t addr, char text[PCI_TEXT_SIZE]);

/* As lspci prints it: without the domain when it is 0. */
char *
pci_format_short(uint64_t addr, char text[PCI_TEXT_SIZE]);

#endif
