/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What keeps a host from passing VFs to engines, or an appliance from working on its VFs: each finding with the command that
 * mends it. The facts are read by lib/io/facts.h; the judgement is here.
 */
#ifndef PEKIT_VF_DOCTOR_H
#define PEKIT_VF_DOCTOR_H

#include "conf/conf.h"
#include "vf/host.h"
#include "vf/ledger.h"

#define DOCTOR_CPUS_MAX 1024
#define DOCTOR_NODES_MAX 64

/* Of the machine, beside its functions. -1: not known. */
struct doctor_facts {
	bool vfio_loaded, vfio_noiommu;
	char cmdline[2048];
	char cpu_vendor[16]; /* "GenuineIntel", "AuthenticAMD"; empty: not known */
	int ncpus, nnodes;
	short cpu_node[DOCTOR_CPUS_MAX]; /* -1: there is no such CPU, or it is offline */
	short cpu_core[DOCTOR_CPUS_MAX]; /* a number that siblings share, and no others */
	bool cpu_isolated[DOCTOR_CPUS_MAX];
	uint8_t node_distance[DOCTOR_NODES_MAX][DOCTOR_NODES_MAX]; /* 10: itself */
	uint64_t huge_bytes_total, huge_bytes_free;                /* pages of all sizes */
	uint64_t huge_page_bytes, huge_pages;                      /* of the default size: one page, and how many there are */
	uint64_t memlock_bytes; /* of the caller; UINT64_MAX: no limit, or allowed to pass it */
	/* By function, in the order of host->func: */
	signed char *acs;        /* 1: every bridge above it separates (ACS); 0: one does not; -1: not known */
	signed char *lldp_agent; /* of a PF: 1: the firmware's agent takes LACP's and LLDP's frames away */
	/* Of the appliance that is looked at. */
	bool runs;             /* an engine runs it, and has its memory */
	const char *conf_file; /* where it was read; NULL: not from a file */
};

enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_finding {
	const char *check; /* "iommu" "acs" "group" "vfio" "hugepages" "siblings" "isolation" "numa" "lldp" "trust" "spoofchk"
			      "mac" "vlan" "link" "driver" "memlock" "ledger" */
	enum doctor_level level;
	char subject[HOST_TEXT_SIZE]; /* "eth0:2", "port p1", "host" */
	char text[256];
	char fix[256]; /* a command, or several joined by " && "; empty when ok or when none helps */
};

typedef void
doctor_tell(void *arg, const struct doctor_finding *finding);

/*
 * All checks in the order above, the worst last within each; one OK finding for a check that finds nothing. conf may be NULL: no
 * appliance is looked at, and what only an appliance can need is left out. Virtual routers are taken from conf->text.
 */
void
doctor_check(const struct host *host, const struct ledger *ledger, const struct doctor_facts *facts, const struct conf *conf,
	doctor_tell *tell, void *arg);

const char *
doctor_level_name(enum doctor_level level); /* "ok" "note" "warn" "fail" */

#endif
