/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The doctor on the CPUs of an appliance: siblings, isolation, how far they are from its ports. */
#include <stdio.h>
#include <string.h>

#include "vf/doctor_int.h"

#define LIST_SIZE 120
#define NEAR 10 /* the distance of a node to itself: ACPI 6.4, 5.2.17 */

static bool
online(const struct doctor *d, int cpu)
{
	return cpu >= 0 && cpu < DOCTOR_CPUS_MAX && cpu < d->facts->ncpus && d->facts->cpu_node[cpu] >= 0;
}

static bool
shares_core(const struct doctor *d, const bool *taken, int cpu)
{
	for (int other = 0; other < cpu; other++) {
		if (taken[other] && online(d, other) && d->facts->cpu_core[other] == d->facts->cpu_core[cpu]) {
			return true;
		}
	}
	return false;
}

/* "2-4,6" */
static bool
write_list(const bool *taken, char *list)
{
	size_t end = 0;
	list[0] = '\0';
	for (int cpu = 0; cpu < DOCTOR_CPUS_MAX; cpu++) {
		int last = cpu;
		while (taken[cpu] && last + 1 < DOCTOR_CPUS_MAX && taken[last + 1]) {
			last++;
		}
		if (!taken[cpu]) {
			continue;
		}
		int n = last > cpu ? snprintf(list + end, LIST_SIZE - end, "%s%d-%d", end ? "," : "", cpu, last)
				   : snprintf(list + end, LIST_SIZE - end, "%s%d", end ? "," : "", cpu);
		if (n < 0 || end + (size_t)n >= LIST_SIZE) {
			return false;
		}
		end += (size_t)n;
		cpu = last;
	}
	return true;
}

/* As many CPUs as the appliance has data cores, of one node (-1: of any), no two of one core; isolated ones first, and not the
 * first core, which has the machine's own work. */
static bool
better_cpus(const struct doctor *d, int node, char *list)
{
	bool taken[DOCTOR_CPUS_MAX] = {false};
	unsigned n = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (int cpu = 1; cpu < DOCTOR_CPUS_MAX && n < d->conf->cores; cpu++) {
			if (taken[cpu] || !online(d, cpu) || (node >= 0 && d->facts->cpu_node[cpu] != node) ||
				(pass == 0 && !d->facts->cpu_isolated[cpu])) {
				continue;
			}
			bool zeros = online(d, 0) && d->facts->cpu_core[cpu] == d->facts->cpu_core[0];
			bool later = false;
			for (int other = cpu + 1; other < DOCTOR_CPUS_MAX; other++) {
				later = later || (taken[other] && d->facts->cpu_core[other] == d->facts->cpu_core[cpu]);
			}
			if (!zeros && !later && !shares_core(d, taken, cpu)) {
				taken[cpu] = true;
				n++;
			}
		}
	}
	return n == d->conf->cores && write_list(taken, list);
}

/* The node that most of the appliance's ports are at; -1: not known. */
static int
ports_node(const struct doctor *d)
{
	int best = -1;
	unsigned most = 0;
	for (size_t i = 0; i < d->conf->nports; i++) {
		int node = d->port[i].func ? d->port[i].func->numa : -1;
		unsigned n = 0;
		for (size_t k = 0; k < d->conf->nports && node >= 0; k++) {
			n += d->port[k].func && d->port[k].func->numa == node;
		}
		if (n > most) {
			most = n;
			best = node;
		}
	}
	return best;
}

/* CPUs cannot change live: the file is mended, and the engine started anew. */
static void
fix_cpus(const struct doctor *d, struct doctor_finding *finding)
{
	char list[LIST_SIZE];
	const char *file = d->facts->conf_file;
	if (!better_cpus(d, ports_node(d), list)) {
		return;
	}
	size_t end = strlen(finding->text);
	snprintf(finding->text + end, sizeof(finding->text) - end, "; better: %s", list);
	if (file && file[0] != '-' && !strchr(file, '\'')) {
		doctor_fix(
			finding, "jq '.cores.cpus = \"%s\"' '%s' > '%s.new' && mv '%s.new' '%s'", list, file, file, file, file);
	}
}

void
doctor_siblings(struct doctor *d)
{
	for (size_t i = 0; i < d->conf->ncpus; i++) {
		int cpu = d->conf->cpu[i];
		for (size_t k = 0; k < i && online(d, cpu); k++) {
			int other = d->conf->cpu[k];
			if (other != cpu && online(d, other) && d->facts->cpu_core[other] == d->facts->cpu_core[cpu]) {
				fix_cpus(d,
					doctor_add(d, DOCTOR_WARN, "cpus",
						"CPUs %d and %d are two threads of one core: each gets little more than half of it",
						other, cpu));
			}
		}
	}
}

void
doctor_isolation(struct doctor *d)
{
	bool busy = d->conf->poll == CONF_POLL_BUSY;
	bool shared[DOCTOR_CPUS_MAX] = {false}, any = false;
	char list[LIST_SIZE];
	if (d->conf->ncpus == 0) {
		fix_cpus(d, doctor_add(d, busy ? DOCTOR_WARN : DOCTOR_NOTE, "cpus",
				    "the data cores are bound to no CPUs (cores.cpus)"));
		return;
	}
	for (size_t i = 0; i < d->conf->ncpus; i++) {
		int cpu = d->conf->cpu[i];
		if (!online(d, cpu)) {
			fix_cpus(d, doctor_add(d, DOCTOR_FAIL, "cpus", "there is no CPU %d, or it is offline", cpu));
		} else if (!d->facts->cpu_isolated[cpu]) {
			shared[cpu] = true;
			any = true;
		}
	}
	if (any && write_list(shared, list)) {
		struct doctor_finding *finding = doctor_add(d, busy ? DOCTOR_WARN : DOCTOR_NOTE, "cpus",
			"the kernel may run anything else on %s, too: a data core waits meanwhile", list);
		doctor_fix(finding, "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=%s /' /etc/default/grub && update-grub && reboot",
			list);
	}
}

void
doctor_numa(struct doctor *d)
{
	for (size_t i = 0; i < d->conf->nports && d->facts->nnodes > 1; i++) {
		const struct host_func *func = d->port[i].func;
		int node = func ? func->numa : -1;
		int far = -1, distance = NEAR;
		for (size_t k = 0; k < d->conf->ncpus && node >= 0 && node < DOCTOR_NODES_MAX; k++) {
			int cpu = d->conf->cpu[k];
			int at = online(d, cpu) ? d->facts->cpu_node[cpu] : -1;
			int step = at >= 0 && at < DOCTOR_NODES_MAX ? d->facts->node_distance[node][at] : 0;
			if (step > distance) {
				distance = step;
				far = cpu;
			}
		}
		if (far >= 0) {
			fix_cpus(d,
				doctor_add(d, DOCTOR_WARN, d->port[i].name,
					"it is at node %d and CPU %d at node %d: each packet goes a distance of %d instead of 10",
					node, far, d->facts->cpu_node[far], distance));
		}
	}
}
