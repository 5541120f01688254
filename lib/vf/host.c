/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vf/host.h"

#include <stdlib.h>

void
host_free(struct host *host)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		free(host->func[i].iface);
		free(host->func[i].use);
	}
	free(host->func);
	*host = (struct host){0};
}

struct host_func *
host_at(const struct host *host, uint64_t addr)
{
	size_t low = 0, high = host->nfuncs;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (host->func[middle].addr < addr) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < host->nfuncs && host->func[low].addr == addr ? &host->func[low] : NULL;
}

struct host_func *
host_vf(const struct host *host, uint64_t pf, unsigned index)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		struct host_func *func = &host->func[i];
		if (func->role == HOST_VF && func->pf == pf && func->index == index) {
			return func;
		}
	}
	return NULL;
}

unsigned
host_group_mates(const struct host *host, const struct host_func *func, uint64_t *other)
{
	unsigned n = 0;
	for (size_t i = 0; i < host->nfuncs && func->group >= 0; i++) {
		const struct host_func *mate = &host->func[i];
		if (mate->group != func->group || mate->addr == func->addr || mate->class_code >> 16 == PCI_CLASS_BRIDGE) {
			continue;
		}
		if (n++ == 0 && other) {
			*other = mate->addr;
		}
	}
	return n;
}
