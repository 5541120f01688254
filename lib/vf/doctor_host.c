/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The doctor on the machine: IOMMU and groups, vfio, memory, the ledger. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vf/doctor_int.h"

#define MB (UINT64_C(1) << 20)
#define HUGE_BYTES_DEFAULT (UINT64_C(1) << 30) /* for an appliance that is not known */

/* ---- IOMMU ----------------------------------------------------------------------------------------------------------------- */

/* Is it a word of the kernel's command line? */
static bool
booted_with(const struct doctor *d, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = d->facts->cmdline; *at; at += strcspn(at, " \n")) {
		at += strspn(at, " \n");
		if (strncmp(at, word, n) == 0 && (at[n] == '\0' || at[n] == ' ' || at[n] == '\n')) {
			return true;
		}
	}
	return false;
}

static void
no_iommu_intel(struct doctor *d, struct doctor_finding *finding)
{
	if (booted_with(d, "intel_iommu=on")) {
		doctor_add(d, DOCTOR_NOTE, "host",
			"intel_iommu=on is given, so the firmware has it off: switch VT-d on in the setup");
		return;
	}
	doctor_fix(finding,
		"sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on iommu=pt /' /etc/default/grub && update-grub && reboot");
}

static void
no_iommu_amd(struct doctor *d, struct doctor_finding *finding)
{
	if (booted_with(d, "amd_iommu=off")) {
		doctor_fix(finding, "sed -i 's/amd_iommu=off *//' /etc/default/grub && update-grub && reboot");
		return;
	}
	doctor_add(
		d, DOCTOR_NOTE, "host", "Linux uses AMD's unless the firmware has it off: switch IOMMU (AMD-Vi) on in the setup");
}

void
doctor_iommu(struct doctor *d)
{
	if (d->host->iommu) {
		return;
	}
	if (d->facts->vfio_noiommu) {
		doctor_add(d, DOCTOR_WARN, "host",
			"there is no IOMMU; vfio does without, and any engine's device can write to all of the memory");
		return;
	}
	struct doctor_finding *finding = doctor_add(
		d, DOCTOR_FAIL, "host", "there is no IOMMU: vfio-pci has no groups to hand out, and nothing guards the memory");
	if (booted_with(d, "iommu=off")) {
		doctor_fix(finding, "sed -i 's/ iommu=off//' /etc/default/grub && update-grub && reboot");
	} else if (strcmp(d->facts->cpu_vendor, "GenuineIntel") == 0) {
		no_iommu_intel(d, finding);
	} else if (strcmp(d->facts->cpu_vendor, "AuthenticAMD") == 0) {
		no_iommu_amd(d, finding);
	}
}

/* Do groups tell that the PF, or a VF of it, is not apart? Where there are none, they cannot say. */
static bool
grouped(const struct doctor *d, const struct host_func *pf)
{
	for (size_t i = 0; i < d->host->nfuncs; i++) {
		const struct host_func *func = &d->host->func[i];
		bool its = func == pf || (func->role == HOST_VF && func->pf == pf->addr);
		if (its && host_group_mates(d->host, func, NULL)) {
			return true;
		}
	}
	return !d->host->iommu;
}

/* The kernel knows bridges that separate without ACS; what it makes of them is in the groups. */
void
doctor_acs(struct doctor *d)
{
	for (size_t i = 0; i < d->host->nfuncs; i++) {
		const struct host_func *pf = &d->host->func[i];
		char name[HOST_TEXT_SIZE];
		if (doctor_uses_pf(d, pf) && d->facts->acs && d->facts->acs[i] == 0 && grouped(d, pf)) {
			doctor_add(d, DOCTOR_WARN, host_name(d->host, pf, name),
				"a bridge above it has no ACS, or not switched on: its functions share a group with what is "
				"beside them; another slot may have it");
		}
	}
}

/* A kernel driver that stands in the way of vfio: the whole group must be without one. */
static bool
in_the_way(const struct host_func *func)
{
	return func->driver[0] && !doctor_on_vfio(func) && strcmp(func->driver, "pci-stub") != 0 &&
	       strcmp(func->driver, "pcieport") != 0;
}

/* The mate that most is in the way. */
static const struct host_func *
group_mate(const struct doctor *d, const struct host_func *func)
{
	uint64_t addr = func->addr;
	host_group_mates(d->host, func, &addr);
	const struct host_func *mate = host_at(d->host, addr);
	for (size_t i = 0; i < d->host->nfuncs; i++) {
		const struct host_func *other = &d->host->func[i];
		if (other != func && other->group == func->group && !host_is_bridge(other) && in_the_way(other)) {
			return other;
		}
	}
	return mate;
}

void
doctor_group(struct doctor *d)
{
	for (size_t i = 0; i < d->host->nfuncs; i++) {
		const struct host_func *func = &d->host->func[i];
		char name[HOST_TEXT_SIZE], other[HOST_TEXT_SIZE];
		unsigned mates = func->group >= 0 && doctor_uses(d, func) ? host_group_mates(d->host, func, NULL) : 0;
		if (!mates || doctor_stays(d, func)) {
			continue;
		}
		const struct host_func *mate = group_mate(d, func);
		host_name(d->host, func, name);
		host_name(d->host, mate, other);
		if (!in_the_way(mate)) {
			doctor_add(d, DOCTOR_WARN, name,
				"shares IOMMU group %d with %u more (%.60s): only one holder may have all of them", func->group,
				mates, other);
			continue;
		}
		struct doctor_finding *finding = doctor_add(d, d->conf || doctor_on_vfio(func) ? DOCTOR_FAIL : DOCTOR_WARN, name,
			"shares IOMMU group %d with %.60s, which %s drives: vfio cannot open it", func->group, other,
			mate->driver);
		/* A disk's is the host's own: no command takes that away unasked. */
		if (mate->role != HOST_PF && !host_is_storage(mate)) {
			doctor_fix(finding, "vfctl %s bind %s vfio-pci", doctor_noun(mate), doctor_word(d, mate, other));
		}
	}
}

void
doctor_vfio(struct doctor *d)
{
	bool needed = !d->conf;
	for (size_t i = 0; d->conf && i < d->conf->nports; i++) {
		const struct host_func *func = d->port[i].func;
		needed = needed || (d->conf->port[i].kind == SEG_PORT_PCI && (!func || !doctor_stays(d, func)));
	}
	if (needed && !d->facts->vfio_loaded) {
		struct doctor_finding *finding =
			doctor_add(d, d->conf ? DOCTOR_FAIL : DOCTOR_WARN, "host", "the kernel's module vfio-pci is not loaded");
		doctor_fix(finding, "modprobe vfio-pci && echo vfio-pci > /etc/modules-load.d/vfio-pci.conf");
	}
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------- */

void
doctor_hugepages(struct doctor *d)
{
	const struct doctor_facts *facts = d->facts;
	uint64_t page = facts->huge_page_bytes ? facts->huge_page_bytes : 2 * MB;
	uint64_t need = d->conf ? doctor_engine_bytes(d->conf) : HUGE_BYTES_DEFAULT;
	bool unwanted = d->conf && d->conf->hugepages == CONF_HUGE_OFF;
	bool enough = d->conf ? facts->huge_bytes_free >= need : facts->huge_bytes_total > 0;
	if (unwanted || enough || facts->runs) {
		return;
	}
	bool must = d->conf && d->conf->hugepages == CONF_HUGE_ON;
	uint64_t missing = (need - (facts->huge_bytes_free < need ? facts->huge_bytes_free : need) + page - 1) / page;
	struct doctor_finding *finding;
	if (d->conf) {
		finding = doctor_add(d, must ? DOCTOR_FAIL : DOCTOR_WARN, "host",
			"%" PRIu64 " MB of huge pages are free, and the engine needs %" PRIu64 " MB%s",
			facts->huge_bytes_free / MB, (need + MB - 1) / MB,
			must ? "" : ": it takes ordinary pages, and is slower");
	} else {
		finding =
			doctor_add(d, DOCTOR_WARN, "host", "there are no huge pages: engines take ordinary ones, and are slower");
	}
	doctor_fix(finding, "sysctl -w vm.nr_hugepages=%" PRIu64, facts->huge_pages + missing);
}

void
doctor_memlock(struct doctor *d)
{
	uint64_t need = d->conf ? doctor_engine_bytes(d->conf) : HUGE_BYTES_DEFAULT;
	if (d->facts->memlock_bytes >= need || d->facts->runs) {
		return;
	}
	struct doctor_finding *finding = doctor_add(d, DOCTOR_NOTE, "host",
		"who calls may lock %" PRIu64 " MB, and vfio locks all of an engine's memory, %" PRIu64 " MB; pe@.service may",
		d->facts->memlock_bytes / MB, (need + MB - 1) / MB);
	doctor_fix(finding, "ulimit -l unlimited");
}

/* ---- the ledger ------------------------------------------------------------------------------------------------------------ */

static void
name_of(const struct doctor *d, uint64_t addr, int index, char text[static HOST_TEXT_SIZE])
{
	const struct host_func *func = host_at(d->host, addr);
	char name[HOST_TEXT_SIZE];
	if (func) {
		host_name(d->host, func, name);
	} else {
		pci_format(addr, name);
	}
	if (index >= 0) {
		snprintf(text, HOST_TEXT_SIZE, "%.100s:%d", name, index);
	} else {
		snprintf(text, HOST_TEXT_SIZE, "%s", name);
	}
}

static void
check_lease(struct doctor *d, const struct ledger_record *record)
{
	char name[HOST_TEXT_SIZE], port[HOST_TEXT_SIZE];
	const struct host_func *func = host_at(d->host, record->func);
	bool gone = record->index < 0 ? !func : !host_vf(d->host, record->func, (unsigned)record->index);
	if (!record->holder[0] || !gone) {
		return;
	}
	name_of(d, record->func, record->index, name);
	struct doctor_finding *finding =
		doctor_add(d, DOCTOR_WARN, name, "%s holds it (generation %" PRIu64 ", since %s), and it is not there",
			record->holder, record->generation, record->at);
	if (func && func->role == HOST_PF && record->index >= 0 && record->index < func->total_vfs) {
		/* As many as the leases of this port need. */
		int most = record->index;
		for (size_t i = 0; i < d->ledger->nrecords; i++) {
			const struct ledger_record *other = &d->ledger->record[i];
			most = other->func == record->func && other->holder[0] && other->index > most &&
					       other->index < func->total_vfs
				       ? other->index
				       : most;
		}
		doctor_fix(finding, "vfctl numvfs %s %d && echo '{}' | vfctl apply -", doctor_word(d, func, port), most + 1);
	}
}

void
doctor_ledger(struct doctor *d)
{
	const struct ledger_entry *open = &d->ledger->open;
	if (open->seq) {
		char name[HOST_TEXT_SIZE];
		name_of(d, open->func, open->index, name);
		struct doctor_finding *finding = doctor_add(d, DOCTOR_WARN, name,
			"a \"%s\" of %s, %s, was left halfway; the next change %s", ledger_op_name(open->op), open->who, open->at,
			ledger_undoes(open->op) ? "takes it back" : "finishes it");
		/* An empty file changes nothing, but what opens the ledger for a change mends it. */
		doctor_fix(finding, "echo '{}' | vfctl apply -");
	}
	for (size_t i = 0; i < d->ledger->nrecords; i++) {
		check_lease(d, &d->ledger->record[i]);
	}
}
