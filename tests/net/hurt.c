/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the neighbour with a MAC address out of one core's table behind a running engine's back, as a fault would: hurt APPLIANCE
 * FAMILY CORE MAC, FAMILY 0 for IPv4, 1 for IPv6. For neighbors_tools.bats. links: -lpekit
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nbr/nbr.h"
#include "shm/seg.h"

/* The segment is mapped read-only by whoever attaches; this one wants to do harm. */
static uint8_t *
writable(const char *appliance, size_t size)
{
	char path[80];
	snprintf(path, sizeof(path), "/dev/shm/pekit.%s", appliance);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *base = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return base == MAP_FAILED ? NULL : base;
}

int
main(int argc, char **argv)
{
	struct seg seg;
	struct err err;
	uint64_t mac;
	if (argc != 5 || !mac_parse(argv[4], &mac) || seg_attach(&seg, argv[1], &err) != ERR_NONE ||
		!(seg.base = writable(argv[1], seg.size))) {
		return 1;
	}
	unsigned family = (unsigned)atoi(argv[2]) % SEG_FAMILIES, core = (unsigned)atoi(argv[3]);
	if (!seg_nbr(&seg, family, core)) {
		return 1;
	}
	struct nbr table = {.slot = seg_nbr(&seg, family, core),
		.count = &seg_core(&seg, core)->nbr[family],
		.seed = seg.head.fdb_seed,
		.mask = seg.head.nbr_slots - 1,
		.shift = 64u - (unsigned)__builtin_ctz(seg.head.nbr_slots)};
	for (uint32_t slot = 0; slot <= table.mask; slot++) {
		uint32_t iface = table.slot[slot].iface;
		if (iface && iface != SEG_NBR_GONE && SEG_NBR_MAC(table.slot[slot].value) == mac) {
			nbr_remove(&table, slot);
			return 0;
		}
	}
	return 1;
}
