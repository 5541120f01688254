/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From one driver to another: driver_override, unbind, drivers_probe. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/driver.h"
#include "io/performing.h"
#include "io/sysfs.h"

static enum err_code
failed(const struct performing *p, const char *what, int error)
{
	return err_set(p->err, error == EACCES || error == EPERM ? ERR_REFUSED : ERR_FAILED, "%s: %s: %s", p->name, what,
		strerror(error));
}

static enum err_code
set_override(struct performing *p, const char *driver)
{
	char now[HOST_DRIVER_SIZE], text[HOST_DRIVER_SIZE + 1], path[SYSFS_PATH_SIZE];
	driver_override_of(SYSFS_MACHINE, p->address, now);
	if (strcmp(now, driver) == 0) {
		return ERR_NONE;
	}
	/* A line without a name takes it away. */
	snprintf(text, sizeof(text), "%s\n", driver_kernel_name(driver));
	snprintf(path, sizeof(path), "/" SYSFS_DEVICES "/%s/driver_override", p->address);
	int error = performing_write(p, text, path);
	if (error) {
		return error == ETIMEDOUT ? performing_late(p, "its driver_override") : failed(p, "driver_override", error);
	}
	driver_override_of(SYSFS_MACHINE, p->address, now);
	if (strcmp(now, driver) != 0) {
		return err_set(p->err, ERR_FAILED, "%s: driver_override was written and is \"%s\"", p->name, now);
	}
	return ERR_NONE;
}

static enum err_code
unbind(struct performing *p)
{
	char driver[HOST_DRIVER_SIZE], path[SYSFS_PATH_SIZE];
	driver_of(SYSFS_MACHINE, p->address, driver);
	if (!driver[0]) {
		return ERR_NONE;
	}
	snprintf(path, sizeof(path), "/" SYSFS_DEVICES "/%s/driver/unbind", p->address);
	int error = performing_write(p, p->address, path);
	if (error == ETIMEDOUT) {
		return performing_late(p, "taking it from its driver");
	}
	driver_of(SYSFS_MACHINE, p->address, driver);
	/* ENODEV, ENOENT: somebody else was faster. */
	return driver[0] ? failed(p, "taking it from its driver", error ? error : EBUSY) : ERR_NONE;
}

static enum err_code
probe(struct performing *p)
{
	int error = performing_write(p, p->address, "/sys/bus/pci/drivers_probe");
	if (error == ETIMEDOUT) {
		return performing_late(p, "giving it to a driver");
	}
	/* A driver that does not want the device is seen by its link. */
	return error == EACCES || error == EPERM ? failed(p, "giving it to a driver", error) : ERR_NONE;
}

static enum err_code
load(struct performing *p, const char *driver)
{
	char said[SYSFS_TEXT_SIZE];
	const char *kernel = driver_kernel_name(driver);
	if (strchr(driver, '/') || sysfs_exists(SYSFS_MACHINE, "sys/bus/pci/drivers/%s", kernel)) {
		return strchr(driver, '/') ? err_set(p->err, ERR_USAGE, "%s is no name of a driver", driver) : ERR_NONE;
	}
	bool loaded = performing_modprobe(p, driver, said, sizeof(said));
	if (sysfs_exists(SYSFS_MACHINE, "sys/bus/pci/drivers/%s", kernel)) {
		return ERR_NONE;
	}
	if (loaded) {
		return err_set(p->err, ERR_REFUSED, "%s: the module %s has no driver for PCI devices", p->name, driver);
	}
	err_set(p->err, ERR_REFUSED, "%s: there is no driver %s", p->name, driver);
	return err_hint(p->err, "%s", said);
}

static enum err_code
await_settled(struct performing *p)
{
	while (!performing_settled(p->address)) {
		if (!bounded_pause(p->deadline_ms)) {
			return err_set(p->err, ERR_TIMEOUT, "%s: its driver has made no interface", p->name);
		}
	}
	return ERR_NONE;
}

static enum err_code
bind_to(struct performing *p, const char *driver)
{
	char now[HOST_DRIVER_SIZE];
	enum err_code code = load(p, driver);
	code = code ? code : set_override(p, driver);
	code = code ? code : unbind(p);
	code = code ? code : probe(p);
	if (code) {
		return code;
	}
	driver_of(SYSFS_MACHINE, p->address, now);
	if (strcmp(now, driver) == 0) {
		return await_settled(p);
	}
	if (now[0]) {
		return err_set(p->err, ERR_FAILED, "%s: %s has taken it, and not %s", p->name, now, driver);
	}
	err_set(p->err, ERR_FAILED, "%s: %s has not taken it", p->name, driver);
	if (strcmp(driver, "vfio-pci") == 0 && !sysfs_exists(SYSFS_MACHINE, SYSFS_DEVICES "/%s/iommu_group", p->address)) {
		return err_hint(p->err, "there is no IOMMU for it: vfctl doctor says more");
	}
	return err_hint(p->err, "the kernel's log may say why");
}

/* Whichever driver the kernel chooses, loaded by what the device says it is; none is fine. */
static enum err_code
bind_to_any(struct performing *p)
{
	char driver[HOST_DRIVER_SIZE], alias[SYSFS_TEXT_SIZE], said[SYSFS_TEXT_SIZE];
	driver_of(SYSFS_MACHINE, p->address, driver);
	if (driver[0] && !driver_passes(driver)) {
		return ERR_NONE;
	}
	enum err_code code = set_override(p, "");
	code = code ? code : unbind(p);
	if (code) {
		return code;
	}
	if (sysfs_read(SYSFS_MACHINE, alias, sizeof(alias), SYSFS_DEVICES "/%s/modalias", p->address) > 0) {
		performing_modprobe(p, alias, said, sizeof(said));
	}
	code = probe(p);
	driver_of(SYSFS_MACHINE, p->address, driver);
	return code || !driver[0] ? code : await_settled(p);
}

/* Is the device, or any of those that a PF may be waiting for, being taken from vfio-pci? */
struct leaving {
	const char *address;
	bool any, is;
};

static void
see_device(void *arg, const char *name)
{
	struct leaving *leaving = arg;
	if (leaving->any || strcmp(name, leaving->address) == 0) {
		leaving->is |= driver_leaving(SYSFS_MACHINE, name);
	}
}

/* Until then its driver_override can be neither read nor written. */
static enum err_code
await_left(struct performing *p)
{
	struct leaving leaving = {
		.address = p->address, .any = sysfs_exists(SYSFS_MACHINE, SYSFS_DEVICES "/%s/sriov_numvfs", p->address)};
	do {
		leaving.is = false;
		sysfs_list(SYSFS_MACHINE, see_device, &leaving, SYSFS_DEVICES);
		if (!leaving.is) {
			return ERR_NONE;
		}
	} while (bounded_pause(p->deadline_ms));
	return performing_late(p, "taking it from vfio-pci");
}

enum err_code
perform_driver(struct performing *p)
{
	char now[HOST_DRIVER_SIZE];
	const char *driver = p->step->to.text;
	enum err_code code = await_left(p);
	if (code) {
		return code;
	}
	driver_of(SYSFS_MACHINE, p->address, now);
	if (strcmp(driver, STEP_KERNEL) == 0) {
		code = bind_to_any(p);
	} else if (strcmp(driver, now) != 0) {
		code = driver[0] ? bind_to(p, driver) : unbind(p);
	}
	return code ? code : set_override(p, p->step->to.text2);
}
