/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/perform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/driver.h"
#include "io/host.h"
#include "io/performing.h"
#include "io/sysfs.h"

#define PATIENCE_MS 30000
#define PATIENCE_VF_MS 1000

/* ---- who it is about ------------------------------------------------------------------------------------------------ */

/* The first of the names. */
static void
see_name(void *arg, const char *name)
{
	char *ifname = arg;
	if (!ifname[0] || strcmp(name, ifname) < 0) {
		snprintf(ifname, HOST_IFNAME_SIZE, "%.*s", HOST_IFNAME_SIZE - 1, name);
	}
}

struct virtio {
	const char *address;
	char *ifname;
};

static void
see_virtio(void *arg, const char *name)
{
	const struct virtio *virtio = arg;
	if (strncmp(name, "virtio", strlen("virtio")) == 0) {
		sysfs_list(SYSFS_MACHINE, see_name, virtio->ifname, SYSFS_DEVICES "/%s/%s/net", virtio->address, name);
	}
}

static enum err_code
find(struct performing *p)
{
	const struct step *step = p->step;
	struct virtio virtio = {.address = p->owner, .ifname = p->ifname};
	pci_format(step->func, p->owner);
	pci_format(step->func, p->address);
	if (!sysfs_exists(SYSFS_MACHINE, SYSFS_DEVICES "/%s", p->owner)) {
		return err_set(p->err, ERR_NOT_FOUND, "%s: there is no such PCI function", p->owner);
	}
	sysfs_list(SYSFS_MACHINE, see_name, p->ifname, SYSFS_DEVICES "/%s/net", p->owner);
	if (!p->ifname[0]) {
		sysfs_list(SYSFS_MACHINE, see_virtio, &virtio, SYSFS_DEVICES "/%s", p->owner);
	}
	const char *name = p->ifname[0] ? p->ifname : p->owner;
	if (step->index < 0) {
		snprintf(p->name, sizeof(p->name), "%s", name);
		return ERR_NONE;
	}
	snprintf(p->name, sizeof(p->name), "%s:%d", name, step->index);
	uint64_t addr;
	if (!sysfs_link(SYSFS_MACHINE, p->address, sizeof(p->address), SYSFS_DEVICES "/%s/virtfn%d", p->owner, step->index) ||
		!pci_parse(p->address, &addr)) {
		return err_set(p->err, ERR_NOT_FOUND, "%s: there is no such VF", p->name);
	}
	return ERR_NONE;
}

/* ---- what the kinds share --------------------------------------------------------------------------------------------- */

/* A process that has the function, or (pf) one of its VFs open. */
static const struct host_use *
holder(const struct host *host, uint64_t addr, uint64_t pf, uint64_t *held)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		const struct host_func *func = &host->func[i];
		for (size_t k = 0; (func->addr == addr || func->pf == pf) && k < func->nuses; k++) {
			if (func->use[k].pid) {
				*held = func->addr;
				return &func->use[k];
			}
		}
	}
	return NULL;
}

/* Is a process in the way? A host that cannot be read tells of none. */
static bool
is_held(const struct performing *p, struct host_use *use, uint64_t *held)
{
	struct host host;
	uint64_t addr;
	if (!pci_parse(p->address, &addr) || host_read("", HOST_READ_USES, &host, NULL) != ERR_NONE) {
		return false;
	}
	const struct host_use *found = holder(&host, addr, p->step->kind == STEP_NUMVFS ? addr : 0, held);
	if (found) {
		*use = *found;
	}
	host_free(&host);
	return found != NULL;
}

static int64_t
be_patient(void *arg)
{
	const struct performing *p = arg;
	struct host_use use;
	uint64_t held;
	return bounded_now_ms() >= p->patient_ms || is_held(p, &use, &held) ? 0 : p->patient_ms;
}

int
performing_write(struct performing *p, const char *text, const char *path)
{
	int error = bounded_write(p->deadline_ms, be_patient, p, text, path);
	p->deadline_ms = bounded_now_ms() + p->timeout_ms;
	return error;
}

enum err_code
performing_late(struct performing *p, const char *what)
{
	struct host_use use;
	uint64_t held;
	if (!is_held(p, &use, &held)) {
		err_set(p->err, ERR_TIMEOUT, "%s: the kernel is not through with %s", p->name, what);
		return err_hint(p->err, "-T waits longer");
	}
	char text[PCI_TEXT_SIZE];
	err_set(p->err, ERR_TIMEOUT, "%s: the kernel is not through with %s: %s has %s open", p->name, what, use.by,
		pci_format(held, text));
	return err_hint(p->err, "the kernel goes on by itself as soon as that process has ended");
}

bool
performing_modprobe(struct performing *p, const char *name, char *said, size_t size)
{
	/* The one that the kernel itself would call. */
	char path[SYSFS_TEXT_SIZE], end[] = "--", module[SYSFS_TEXT_SIZE];
	if (sysfs_read(SYSFS_MACHINE, path, sizeof(path), "proc/sys/kernel/modprobe") <= 0) {
		snprintf(said, size, "this kernel loads no modules");
		return false;
	}
	snprintf(module, sizeof(module), "%s", name);
	char *const argv[] = {path, end, module, NULL};
	return bounded_run(p->patient_ms, argv, said, size);
}

bool
performing_has_link(const struct performing *p)
{
	uint64_t carrier = 0;
	return p->ifname[0] && sysfs_number(SYSFS_MACHINE, 1, &carrier, "sys/class/net/%s/carrier", p->ifname) && carrier;
}

void
performing_await_link(const struct performing *p)
{
	while (!performing_has_link(p) && bounded_pause(p->deadline_ms)) {
	}
}

bool
performing_settled(const char *address)
{
	char driver[HOST_DRIVER_SIZE];
	uint64_t class_code;
	driver_of(SYSFS_MACHINE, address, driver);
	if (!driver[0]) {
		return false;
	}
	/* Variants of vfio-pci have many names. */
	bool passed = driver_passes(driver) || sysfs_exists(SYSFS_MACHINE, SYSFS_DEVICES "/%s/vfio-dev", address);
	if (passed || strncmp(driver, "virtio", strlen("virtio")) == 0 ||
		!sysfs_number(SYSFS_MACHINE, UINT32_MAX, &class_code, SYSFS_DEVICES "/%s/class", address) ||
		class_code >> 16 != PCI_CLASS_NETWORK) {
		return true;
	}
	return sysfs_exists(SYSFS_MACHINE, SYSFS_DEVICES "/%s/net", address);
}

/* ---- steps -------------------------------------------------------------------------------------------------------------- */

static enum err_code
perform_autoprobe(struct performing *p)
{
	uint64_t now, wanted = p->step->to.number ? 1 : 0;
	static const char path[] = SYSFS_DEVICES "/%s/sriov_drivers_autoprobe";
	if (!sysfs_number(SYSFS_MACHINE, 1, &now, path, p->address)) {
		return err_set(p->err, ERR_REFUSED, "%s: no SR-IOV: there is no autoprobe to set", p->name);
	}
	if (now == wanted) {
		return ERR_NONE;
	}
	int error = sysfs_write(wanted ? "1" : "0", path, p->address);
	if (error) {
		return err_set(p->err, error == EACCES || error == EPERM ? ERR_REFUSED : ERR_FAILED, "%s: autoprobe: %s", p->name,
			strerror(error));
	}
	if (!sysfs_number(SYSFS_MACHINE, 1, &now, path, p->address) || now != wanted) {
		return err_set(p->err, ERR_FAILED, "%s: autoprobe was set and has not changed", p->name);
	}
	return ERR_NONE;
}

/* Making VFs is also their drivers' probing, one after the other: on slow hardware half a second each. */
static int64_t
patience_ms(const struct step *step)
{
	unsigned from = step->from.number, to = step->to.number;
	switch (step->kind) {
	case STEP_NUMVFS:
		return PATIENCE_MS + (int64_t)(from > to ? from : to) * PATIENCE_VF_MS;
	case STEP_DRIVER:
		return PATIENCE_MS;
	case STEP_AUTOPROBE:
	case STEP_VFSET:
	case STEP_PORTSET:
		break;
	}
	return 0;
}

enum err_code
perform_step(const struct step *step, int timeout_ms, struct err *err)
{
	int64_t now = bounded_now_ms(), patience = patience_ms(step);
	struct performing p = {.step = step,
		.timeout_ms = timeout_ms,
		.deadline_ms = now + timeout_ms,
		.patient_ms = now + (patience > timeout_ms ? patience : timeout_ms),
		.err = err};
	enum err_code code = find(&p);
	if (code) {
		return code;
	}
	switch (step->kind) {
	case STEP_NUMVFS:
		return perform_numvfs(&p);
	case STEP_AUTOPROBE:
		return perform_autoprobe(&p);
	case STEP_DRIVER:
		return perform_driver(&p);
	case STEP_VFSET:
		return perform_vfset(&p);
	case STEP_PORTSET:
		return perform_portset(&p);
	}
	return err_set(err, ERR_FAILED, "%s: an unknown kind of step", p.name);
}
