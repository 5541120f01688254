/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The number of VFs of a PF. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/driver.h"
#include "io/performing.h"
#include "io/sysfs.h"
#include "vf/rules.h"

#define VIRTFN "virtfn"

static void
see_virtfn(void *arg, const char *name)
{
	unsigned *n = arg;
	*n += strncmp(name, VIRTFN, strlen(VIRTFN)) == 0;
}

/* By the links: sriov_numvfs cannot be read while it is being written. */
static unsigned
count(const struct performing *p)
{
	unsigned n = 0;
	sysfs_list(SYSFS_MACHINE, see_virtfn, &n, SYSFS_DEVICES "/%s", p->address);
	return n;
}

static enum err_code
refused(const struct performing *p, unsigned n, int error)
{
	uint64_t total = 0;
	char driver[HOST_DRIVER_SIZE];
	driver_of(SYSFS_MACHINE, p->address, driver);
	switch (error) {
	case EACCES:
	case EPERM:
		return err_set(p->err, ERR_REFUSED, "%s: %u VFs: %s", p->name, n, strerror(error));
	case ERANGE:
		sysfs_number(SYSFS_MACHINE, UINT16_MAX, &total, SYSFS_DEVICES "/%s/sriov_totalvfs", p->address);
		return err_set(p->err, ERR_REFUSED,
			"%s: %u VFs are more than the %" PRIu64 " that the device and its driver have", p->name, n, total);
	case ENOENT:
	case ENODEV:
		return err_set(p->err, ERR_REFUSED, "%s: %s makes no VFs", p->name, driver[0] ? driver : "without a driver, it");
	case EBUSY:
		err_set(p->err, ERR_FAILED, "%s: %u VFs: the device is busy", p->name, n);
		return err_hint(p->err, "another program may be changing their number");
	case ENOMEM:
	case ENOSPC:
		err_set(p->err, ERR_FAILED, "%s: %u VFs: no room in the bus's addresses or in the device", p->name, n);
		return err_hint(p->err, "the firmware's settings of SR-IOV and memory above 4G, or pci=realloc for the kernel");
	default:
		err_set(p->err, ERR_FAILED, "%s: %u VFs: %s", p->name, n, strerror(error));
		return err_hint(p->err, "the kernel's log may say more");
	}
}

static enum err_code
set(struct performing *p, unsigned n)
{
	char path[SYSFS_PATH_SIZE], text[16];
	snprintf(path, sizeof(path), "/" SYSFS_DEVICES "/%s/sriov_numvfs", p->address);
	snprintf(text, sizeof(text), "%u", n);
	int error = performing_write(p, text, path);
	if (error == ETIMEDOUT) {
		return performing_late(p, n ? "making VFs" : "taking its VFs away");
	}
	return error ? refused(p, n, error) : ERR_NONE;
}

/* A VF whose driver has not taken it; NULL: all have. */
static const char *
left_alone(const struct performing *p, unsigned n, char address[PCI_TEXT_SIZE])
{
	for (unsigned i = 0; i < n; i++) {
		if (!sysfs_link(SYSFS_MACHINE, address, PCI_TEXT_SIZE, SYSFS_DEVICES "/%s/virtfn%u", p->address, i) ||
			!performing_settled(address)) {
			return address;
		}
	}
	return NULL;
}

/* The kernel gives new VFs to their driver when it has it; loading it is udev's, where there is one. */
static enum err_code
await_drivers(struct performing *p, unsigned n)
{
	char address[PCI_TEXT_SIZE], driver[HOST_DRIVER_SIZE], alias[SYSFS_TEXT_SIZE], said[SYSFS_TEXT_SIZE];
	if (!left_alone(p, n, address)) {
		return ERR_NONE;
	}
	driver_of(SYSFS_MACHINE, p->address, driver);
	const char *wanted = rules_driver(driver)->vf_driver;
	wanted = wanted ? wanted : "its driver";
	sysfs_read(SYSFS_MACHINE, alias, sizeof(alias), SYSFS_DEVICES "/%s/modalias", address);
	bool loaded = performing_modprobe(p, alias, said, sizeof(said));
	if (!loaded && left_alone(p, n, address) && !sysfs_exists(SYSFS_MACHINE, "sys/bus/pci/drivers/%s", wanted)) {
		err_set(p->err, ERR_FAILED, "%s: its VFs have no driver here: %s", p->name, said);
		return err_hint(p->err, "with autoprobe off they are made without one");
	}
	while (left_alone(p, n, address)) {
		if (!bounded_pause(p->deadline_ms)) {
			err_set(p->err, ERR_TIMEOUT, "%s: VF %s is there, but %s has not taken it", p->name, address, wanted);
			return err_hint(
				p->err, "the kernel's log may say why; with autoprobe off they are made without a driver");
		}
	}
	return ERR_NONE;
}

static enum err_code
make(struct performing *p, unsigned now, unsigned n)
{
	enum err_code code = now != 0 && n != 0 ? set(p, 0) : ERR_NONE;
	code = code ? code : set(p, n);
	while (code == ERR_NONE && (now = count(p)) != n) {
		if (!bounded_pause(p->deadline_ms)) {
			return err_set(p->err, ERR_FAILED, "%s: %u of %u VFs have appeared", p->name, now, n);
		}
	}
	return code;
}

enum err_code
perform_numvfs(struct performing *p)
{
	unsigned n = p->step->to.number, now = count(p);
	uint64_t autoprobe = 1;
	enum err_code code = ERR_NONE;
	if (!sysfs_exists(SYSFS_MACHINE, SYSFS_DEVICES "/%s/sriov_numvfs", p->address)) {
		return err_set(p->err, ERR_REFUSED, "%s: the device has no SR-IOV", p->name);
	}
	bool link = performing_has_link(p);
	code = now != n ? make(p, now, n) : ERR_NONE;
	sysfs_number(SYSFS_MACHINE, 1, &autoprobe, SYSFS_DEVICES "/%s/sriov_drivers_autoprobe", p->address);
	if (code == ERR_NONE && n > 0 && autoprobe) {
		code = await_drivers(p, n);
	}
	if (code == ERR_NONE && link) {
		performing_await_link(p);
	}
	return code;
}
