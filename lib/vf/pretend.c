/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vf/pretend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vf/plan_int.h"

/* Above all domains: pci.h's have 32 bits. */
#define MADE_UP (UINT64_C(1) << 62)

static void
remove_vfs(struct host *host, uint64_t pf)
{
	size_t kept = 0;
	for (size_t i = 0; i < host->nfuncs; i++) {
		struct host_func *func = &host->func[i];
		if (func->role == HOST_VF && func->pf == pf) {
			free(func->iface);
			free(func->use);
		} else {
			host->func[kept++] = *func;
		}
	}
	host->nfuncs = kept;
}

static bool
add_vfs(struct host *host, uint64_t pf, unsigned n)
{
	struct host_func *more = realloc(host->func, (host->nfuncs + n + 1) * sizeof(*more));
	if (!more) {
		return false;
	}
	host->func = more;
	size_t old = host->nfuncs;
	const struct host_func *port = host_at(host, pf); /* does not move: made-up addresses come after all others */
	for (unsigned i = 0; i < n; i++) {
		/* In the order of their PFs, as real ones. */
		uint64_t addr = MADE_UP + (pf << 16) + i;
		size_t at = old + i;
		for (; at > 0 && more[at - 1].addr > addr; at--) {
			more[at] = more[at - 1];
		}
		struct host_func *vf = &more[at];
		*vf = (struct host_func){.addr = addr,
			.vendor = port->vendor,
			.class_code = port->class_code,
			.group = -1,
			.numa = port->numa,
			.can_reset = port->can_reset,
			.role = HOST_VF,
			.pf = pf,
			.index = (uint16_t)i,
			.set = plan_fresh(port->driver)};
		host->nfuncs++;
		/* What its driver has no request for is not told either. */
		vf->set.has = rules_driver(port->driver)->sets & ~(VFSET_PROMISC | VFSET_ALLMULTI);
		if (port->autoprobe) {
			snprintf(vf->driver, sizeof(vf->driver), "%s", plan_natural(host, vf));
		}
	}
	return true;
}

static bool
pretend_numvfs(struct host *host, struct host_func *pf, unsigned n)
{
	uint64_t addr = pf->addr;
	if (pf->num_vfs != n) {
		pf->num_vfs = (uint16_t)n;
		remove_vfs(host, addr);
		return add_vfs(host, addr, n);
	}
	return true;
}

bool
pretend_step(struct host *host, const struct step *step)
{
	struct host_func *func = step->index < 0 ? host_at(host, step->func) : host_vf(host, step->func, (unsigned)step->index);
	const struct step_value *to = &step->to;
	if (!func) {
		return true;
	}
	switch (step->kind) {
	case STEP_NUMVFS:
		return pretend_numvfs(host, func, to->number);
	case STEP_AUTOPROBE:
		func->autoprobe = to->number;
		break;
	case STEP_DRIVER:
		snprintf(func->driver, sizeof(func->driver), "%s", strcmp(to->text, STEP_KERNEL) ? to->text : "");
		snprintf(func->override, sizeof(func->override), "%s", to->text2);
		break;
	case STEP_VFSET:
		vfset_copy(&func->set, &to->set, to->set.has);
		break;
	case STEP_PORTSET:
		if (func->nifaces) {
			portset_copy(&func->iface[0].set, &to->port, to->port.has);
			func->iface[0].up = to->port.has & PORTSET_UP ? to->port.up : func->iface[0].up;
		}
		break;
	}
	return true;
}
