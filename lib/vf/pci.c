/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vf/pci.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* Hexadecimal digits, at most most of them, to a value up to max; NULL: not so. */
static const char *
hex(const char *at, unsigned most, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;
	unsigned n = 0;
	for (; n < most; n++, at++) {
		if (*at >= '0' && *at <= '9') {
			sum = sum << 4 | (uint64_t)(*at - '0');
		} else if (*at >= 'a' && *at <= 'f') {
			sum = sum << 4 | (uint64_t)(*at - 'a' + 10);
		} else if (*at >= 'A' && *at <= 'F') {
			sum = sum << 4 | (uint64_t)(*at - 'A' + 10);
		} else {
			break;
		}
	}
	*value = sum;
	return n > 0 && sum <= max ? at : NULL;
}

bool
pci_parse(const char *text, uint64_t *addr)
{
	uint64_t domain = 0, bus, slot, function;
	/* Domains of more than 16 bits are those of the kernel's own making, behind an Intel VMD. */
	const char *at = hex(text, 8, UINT32_MAX, &bus);
	if (!at || *at != ':') {
		return false;
	}
	const char *next = hex(at + 1, 2, 0xff, &slot);
	if (next && *next == ':') {
		domain = bus;
		bus = slot;
		next = hex(next + 1, 2, 0xff, &slot);
	}
	if (!next || *next != '.' || bus > 0xff || slot > 0x1f) {
		return false;
	}
	next = hex(next + 1, 1, 7, &function);
	if (!next || *next) {
		return false;
	}
	*addr = domain << 16 | bus << 8 | slot << 3 | function;
	return true;
}

char *
pci_format(uint64_t addr, char text[PCI_TEXT_SIZE])
{
	snprintf(text, PCI_TEXT_SIZE, "%04" PRIx32 ":%02x:%02x.%x", (uint32_t)(addr >> 16), (unsigned)(addr >> 8 & 0xff),
		(unsigned)(addr >> 3 & 0x1f), (unsigned)(addr & 7));
	return text;
}

char *
pci_format_short(uint64_t addr, char text[PCI_TEXT_SIZE])
{
	if (addr >> 16) {
		return pci_format(addr, text);
	}
	snprintf(text, PCI_TEXT_SIZE, "%02x:%02x.%x", (unsigned)(addr >> 8 & 0xff), (unsigned)(addr >> 3 & 0x1f),
		(unsigned)(addr & 7));
	return text;
}
