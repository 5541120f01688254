/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the doctor wants to know of a machine, beside its functions. */
#include <errno.h>
#include <linux/capability.h>
#include <pci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/num.h"
#include "io/ethtool.h"
#include "io/host.h"
#include "io/sysfs.h"
#include "vf/rules.h"

#define KB 1024
#define CPUS "sys/devices/system/cpu"
#define NODES "sys/devices/system/node"
#define HUGE "sys/kernel/mm/hugepages"
#define FILE_MOST (1u << 20)

struct reading {
	int root;
	struct doctor_facts *facts;
};

/* ---- CPUs ------------------------------------------------------------------------------------------------------------------ */

typedef void
cpu_seen(struct doctor_facts *facts, int cpu, int number);

/* A list of the kernel's, "0-3,8". */
static void
each_cpu(struct doctor_facts *facts, const char *list, cpu_seen *seen, int number)
{
	char item[32];
	for (size_t n; *list; list += n + (list[n] == ',')) {
		uint64_t first, last;
		n = strcspn(list, ",");
		if (n >= sizeof(item)) {
			return;
		}
		memcpy(item, list, n);
		item[n] = '\0';
		char *dash = strchr(item, '-');
		if (dash) {
			*dash = '\0';
		}
		if (!num_parse_u64(item, 0, DOCTOR_CPUS_MAX - 1, &first)) {
			return;
		}
		last = first;
		if (dash && !num_parse_u64(dash + 1, 0, DOCTOR_CPUS_MAX - 1, &last)) {
			return;
		}
		for (; first <= last; first++) {
			seen(facts, (int)first, number);
		}
	}
}

static void
see_online(struct doctor_facts *facts, int cpu, int number)
{
	facts->cpu_node[cpu] = (short)number;
	facts->ncpus = cpu >= facts->ncpus ? cpu + 1 : facts->ncpus;
}

static void
see_isolated(struct doctor_facts *facts, int cpu, int number)
{
	(void)number;
	facts->cpu_isolated[cpu] = true;
}

/* Offline CPUs are in no node. */
static void
see_node(struct doctor_facts *facts, int cpu, int number)
{
	if (facts->cpu_node[cpu] >= 0) {
		facts->cpu_node[cpu] = (short)number;
	}
}

/* Siblings share the number of the first of them. */
static void
see_core(struct doctor_facts *facts, int cpu, int number)
{
	if (cpu >= number) {
		facts->cpu_core[cpu] = (short)number;
	}
}

static void
read_cpus(struct reading *r)
{
	struct doctor_facts *facts = r->facts;
	char list[4096];
	for (int cpu = 0; cpu < DOCTOR_CPUS_MAX; cpu++) {
		facts->cpu_node[cpu] = -1;
		facts->cpu_core[cpu] = (short)cpu;
	}
	if (sysfs_read(r->root, list, sizeof(list), CPUS "/online") > 0) {
		each_cpu(facts, list, see_online, 0);
	}
	if (sysfs_read(r->root, list, sizeof(list), CPUS "/isolated") > 0) {
		each_cpu(facts, list, see_isolated, 0);
	}
	for (int cpu = facts->ncpus - 1; cpu >= 0; cpu--) {
		if (facts->cpu_node[cpu] >= 0 &&
			sysfs_read(r->root, list, sizeof(list), CPUS "/cpu%d/topology/thread_siblings_list", cpu) > 0) {
			each_cpu(facts, list, see_core, cpu);
		}
	}
}

static void
read_nodes(struct reading *r)
{
	struct doctor_facts *facts = r->facts;
	char text[4096];
	for (int node = 0; node < DOCTOR_NODES_MAX; node++) {
		if (sysfs_read(r->root, text, sizeof(text), NODES "/node%d/cpulist", node) < 0) {
			continue;
		}
		facts->nnodes++;
		each_cpu(facts, text, see_node, node);
		if (sysfs_read(r->root, text, sizeof(text), NODES "/node%d/distance", node) <= 0) {
			continue;
		}
		char *rest = NULL;
		int to = 0;
		for (char *word = strtok_r(text, " ", &rest); word && to < DOCTOR_NODES_MAX; word = strtok_r(NULL, " ", &rest)) {
			uint64_t distance = 0;
			num_parse_u64(word, 0, UINT8_MAX, &distance);
			/* Only nodes that there are stand in the line. */
			while (to < DOCTOR_NODES_MAX && !sysfs_exists(r->root, NODES "/node%d", to)) {
				to++;
			}
			if (to < DOCTOR_NODES_MAX) {
				facts->node_distance[node][to++] = (uint8_t)distance;
			}
		}
	}
}

/* The value of "KEY<blanks>: VALUE" in a text of lines; false: no such line. */
static bool
line_of(const char *text, const char *key, char *value, size_t size)
{
	size_t n = strlen(key);
	for (const char *at = text; at; at = strchr(at, '\n'), at += at != NULL) {
		const char *colon = strncmp(at, key, n) == 0 ? at + n + strspn(at + n, " \t") : "";
		if (*colon == ':') {
			colon += 1 + strspn(colon + 1, " \t");
			snprintf(value, size, "%.*s", (int)strcspn(colon, "\n"), colon);
			return true;
		}
	}
	return false;
}

/* ---- the kernel ------------------------------------------------------------------------------------------------------------ */

static void
see_huge(void *arg, const char *name)
{
	struct reading *r = arg;
	uint64_t kb, all = 0, left = 0;
	char size[32];
	snprintf(size, sizeof(size), "%.*s", (int)strcspn(name + strcspn(name, "-"), "k"), name + strcspn(name, "-"));
	if (size[0] != '-' || !num_parse_u64(size + 1, 1, UINT32_MAX, &kb)) {
		return;
	}
	sysfs_number(r->root, UINT32_MAX, &all, HUGE "/%s/nr_hugepages", name);
	sysfs_number(r->root, UINT32_MAX, &left, HUGE "/%s/free_hugepages", name);
	r->facts->huge_bytes_total += all * kb * KB;
	r->facts->huge_bytes_free += left * kb * KB;
	if (kb * KB == r->facts->huge_page_bytes) {
		r->facts->huge_pages = all;
	}
}

static void
read_memory(struct reading *r)
{
	char text[8192], value[64];
	uint64_t kb, capabilities = 0;
	struct rlimit limit;
	if (sysfs_read(r->root, text, sizeof(text), "proc/meminfo") > 0 && line_of(text, "Hugepagesize", value, sizeof(value))) {
		value[strcspn(value, " ")] = '\0';
		r->facts->huge_page_bytes = num_parse_u64(value, 1, UINT32_MAX, &kb) ? kb * KB : 0;
	}
	sysfs_list(r->root, see_huge, r, HUGE);
	r->facts->memlock_bytes = UINT64_MAX;
	if (r->root != SYSFS_MACHINE || getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY) {
		return;
	}
	/* The kernel lets who has this capability pass the limit. */
	if (sysfs_read(r->root, text, sizeof(text), "proc/self/status") > 0 &&
		line_of(text, "CapEff", value + 2, sizeof(value) - 2)) {
		value[0] = '0';
		value[1] = 'x';
		num_parse_u64(value, 0, UINT64_MAX, &capabilities);
	}
	if (!(capabilities >> CAP_IPC_LOCK & 1)) {
		r->facts->memlock_bytes = limit.rlim_cur;
	}
}

static void
read_kernel(struct reading *r)
{
	char text[4096], value[64];
	struct doctor_facts *facts = r->facts;
	facts->vfio_loaded = sysfs_exists(r->root, "sys/bus/pci/drivers/vfio-pci");
	facts->vfio_noiommu =
		sysfs_read(r->root, text, sizeof(text), "sys/module/vfio/parameters/enable_unsafe_noiommu_mode") > 0 &&
		text[0] == 'Y';
	sysfs_read(r->root, facts->cmdline, sizeof(facts->cmdline), "proc/cmdline");
	if (sysfs_read(r->root, text, sizeof(text), "proc/cpuinfo") > 0 && line_of(text, "vendor_id", value, sizeof(value))) {
		snprintf(facts->cpu_vendor, sizeof(facts->cpu_vendor), "%.15s", value);
	}
}

/* ---- bridges --------------------------------------------------------------------------------------------------------------- */

/* What the kernel asks of a bridge before it makes groups of their own below it (drivers/pci/pci.c, REQ_ACS_FLAGS). */
#define ACS_WANTED (PCI_ACS_CAP_VALID | PCI_ACS_CAP_REQ_RED | PCI_ACS_CAP_CMPLT_RED | PCI_ACS_CAP_FORWARD)

/* 1: separates; 0: does not; -1: not known. */
static signed char
acs_of(struct pci_dev *bridge)
{
	struct pci_cap *express = pci_find_cap(bridge, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);
	if (!express) {
		return 0;
	}
	unsigned type = (pci_read_word(bridge, (int)express->addr + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4;
	if (type == PCI_EXP_TYPE_UPSTREAM) {
		return 1;
	}
	struct pci_cap *acs = pci_find_cap(bridge, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);
	if (!acs) {
		/* Who may not read the extended configuration space sees none of it. */
		return pci_read_word(bridge, 0x100) == 0xffff || geteuid() != 0 ? -1 : 0;
	}
	return (pci_read_word(bridge, (int)acs->addr + PCI_ACS_CTRL) & ACS_WANTED) == ACS_WANTED;
}

static signed char
acs_above(struct pci_access *access, int root, uint64_t addr)
{
	char text[PCI_TEXT_SIZE], path[SYSFS_PATH_SIZE];
	signed char all = 1;
	uint64_t above;
	if (!sysfs_target(root, path, sizeof(path), SYSFS_DEVICES "/%s", pci_format(addr, text))) {
		return -1;
	}
	/* ../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0 */
	char *rest = NULL;
	for (char *name = strtok_r(path, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		if (!pci_parse(name, &above) || above == addr) {
			continue;
		}
		struct pci_dev *bridge = pci_get_dev(
			access, (int)(above >> 16), (int)(above >> 8 & 0xff), (int)(above >> 3 & 0x1f), (int)(above & 7));
		signed char one = -1;
		if (bridge) {
			pci_fill_info(bridge, PCI_FILL_IDENT | PCI_FILL_CAPS | PCI_FILL_EXT_CAPS);
			one = acs_of(bridge);
			pci_free_dev(bridge);
		}
		all = all == 0 || one == 0 ? 0 : one < 0 ? -1 : all;
	}
	return all;
}

static void
quiet(char *fmt, ...)
{
	(void)fmt;
}

static void
read_acs(struct reading *r, const char *root, const struct host *host)
{
	char dump[SYSFS_PATH_SIZE];
	/* libpci ends the process over a dump that is not there. */
	if (r->root != SYSFS_MACHINE && !sysfs_exists(r->root, "pci.dump")) {
		return;
	}
	struct pci_access *access = pci_alloc();
	access->warning = quiet;
	if (r->root != SYSFS_MACHINE) {
		snprintf(dump, sizeof(dump), "%s/pci.dump", root);
		access->method = PCI_ACCESS_DUMP;
		pci_set_param(access, (char[]){"dump.name"}, dump);
	}
	pci_init(access);
	pci_scan_bus(access);
	for (size_t i = 0; i < host->nfuncs; i++) {
		if (host->func[i].role == HOST_PF) {
			r->facts->acs[i] = acs_above(access, r->root, host->func[i].addr);
		}
	}
	pci_cleanup(access);
}

/* ---- firmware -------------------------------------------------------------------------------------------------------------- */

static void
read_agents(struct reading *r, const struct host *host)
{
	struct ethtool tool;
	if (r->root != SYSFS_MACHINE || ethtool_open(&tool) != 0) {
		return;
	}
	for (size_t i = 0; i < host->nfuncs; i++) {
		const struct host_func *func = &host->func[i];
		const struct rules_driver *driver = rules_driver(func->driver);
		bool on;
		if (func->role == HOST_PF && func->nifaces && driver->lldp_flag &&
			ethtool_flag(&tool, func->iface[0].name, driver->lldp_flag, &on) == 0) {
			r->facts->lldp_agent[i] = on != driver->lldp_stop;
		}
	}
	ethtool_close(&tool);
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

enum err_code
facts_read(const char *root, const struct host *host, struct doctor_facts *facts, struct err *err)
{
	struct reading r = {.facts = facts};
	*facts = (struct doctor_facts){.acs = malloc(host->nfuncs + 1), .lldp_agent = malloc(host->nfuncs + 1)};
	if (!facts->acs || !facts->lldp_agent) {
		facts_free(facts);
		return err_set(err, ERR_FAILED, "no memory");
	}
	memset(facts->acs, -1, host->nfuncs + 1);
	memset(facts->lldp_agent, -1, host->nfuncs + 1);
	enum err_code code = sysfs_open(root, &r.root, err);
	if (code) {
		facts_free(facts);
		return code;
	}
	read_cpus(&r);
	read_nodes(&r);
	read_memory(&r);
	read_kernel(&r);
	read_acs(&r, root, host);
	read_agents(&r, host);
	sysfs_close(r.root);
	return ERR_NONE;
}

void
facts_free(struct doctor_facts *facts)
{
	free(facts->acs);
	free(facts->lldp_agent);
	facts->acs = facts->lldp_agent = NULL;
}
