/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the doctor: what its checks share. */
#ifndef PEKIT_VF_DOCTOR_INT_H
#define PEKIT_VF_DOCTOR_INT_H

#include "vf/doctor.h"

#define DOCTOR_MACS_SIZE 64

/* A port of the appliance, and what is behind it. */
struct doctor_port {
	const struct conf_port *port;
	const struct host_func *func; /* NULL: no PCI device, or one that is not there */
	char name[HOST_TEXT_SIZE];    /* "port p1 (eth0:2)" */
	bool bridged;                 /* other stations' frames pass it */
	bool tagged;                  /* with a VLAN tag */
	char macs[DOCTOR_MACS_SIZE];  /* addresses beside its own that the engine will use on it: the first, and how many more */
	unsigned nmacs;
};

struct doctor {
	const struct host *host;
	const struct ledger *ledger;
	const struct doctor_facts *facts;
	const struct conf *conf;
	struct doctor_port *port; /* of conf, as many as it has */
	doctor_tell *tell;
	void *arg;
	const char *check;           /* that runs */
	struct doctor_finding *list; /* of this check */
	size_t n, space;
	struct doctor_finding spare; /* when there is no memory */
};

/* A finding of the check that runs; its fix is empty. */
struct doctor_finding *
doctor_add(struct doctor *d, enum doctor_level level, const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

void
doctor_fix(struct doctor_finding *finding, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Its name as a word of a command: an interface may be called "$(reboot)", and then it is the address. */
const char *
doctor_word(const struct doctor *d, const struct host_func *func, char text[HOST_TEXT_SIZE]);

/* The same of an interface; NULL: no shell could take it safely. */
const char *
doctor_iface_word(const char *name);

/* Is it of interest: used by the appliance; without one, a VF or bound to vfio-pci? */
bool
doctor_uses(const struct doctor *d, const struct host_func *func);

/* Has the PF VFs, or does the appliance use it or one of them? */
bool
doctor_uses_pf(const struct doctor *d, const struct host_func *pf);

static inline bool
doctor_on_vfio(const struct host_func *func)
{
	const char name[] = "vfio-pci";
	for (size_t i = 0; i < sizeof(name); i++) {
		if (func->driver[i] != name[i]) {
			return false;
		}
	}
	return true;
}

/* Does DPDK drive it through its kernel driver (mlx5)? */
bool
doctor_stays(const struct doctor *d, const struct host_func *func);

/* "vf" or "pci": whose verb binds it. */
static inline const char *
doctor_noun(const struct host_func *func)
{
	return func->role == HOST_VF ? "vf" : "pci";
}

/* What an engine of this configuration needs beside the segment. */
uint64_t
doctor_engine_bytes(const struct conf *conf);

/* ---- the checks: of the machine (doctor_host.c), of its CPUs (doctor_cpu.c), of functions (doctor_func.c) -------------------
 */

void
doctor_iommu(struct doctor *d);
void
doctor_acs(struct doctor *d);
void
doctor_group(struct doctor *d);
void
doctor_vfio(struct doctor *d);
void
doctor_hugepages(struct doctor *d);
void
doctor_memlock(struct doctor *d);
void
doctor_ledger(struct doctor *d);

void
doctor_siblings(struct doctor *d);
void
doctor_isolation(struct doctor *d);
void
doctor_numa(struct doctor *d);

void
doctor_lldp(struct doctor *d);
void
doctor_trust(struct doctor *d);
void
doctor_spoofchk(struct doctor *d);
void
doctor_mac(struct doctor *d);
void
doctor_vlan(struct doctor *d);
void
doctor_link(struct doctor *d);
void
doctor_driver(struct doctor *d);

#endif
