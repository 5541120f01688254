/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/driver.h"

#include <stdio.h>
#include <string.h>

#include "io/sysfs.h"
#include "vf/rules.h"

static const struct {
	const char *module, *kernel;
} names[] = {{"xen-pciback", "pciback"}};

const char *
driver_kernel_name(const char *driver)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(driver, names[i].module) == 0) {
			return names[i].kernel;
		}
	}
	return driver;
}

static void
to_module_name(char driver[HOST_DRIVER_SIZE])
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(driver, names[i].kernel) == 0) {
			snprintf(driver, HOST_DRIVER_SIZE, "%s", names[i].module);
		}
	}
}

void
driver_of(int root, const char *address, char driver[HOST_DRIVER_SIZE])
{
	sysfs_link(root, driver, HOST_DRIVER_SIZE, SYSFS_DEVICES "/%s/driver", address);
	to_module_name(driver);
}

void
driver_override_of(int root, const char *address, char override[HOST_DRIVER_SIZE])
{
	if (sysfs_read(root, override, HOST_DRIVER_SIZE, SYSFS_DEVICES "/%s/driver_override", address) < 0 ||
		strcmp(override, "(null)") == 0) {
		override[0] = '\0';
	}
	to_module_name(override);
}

bool
driver_leaving(int root, const char *address)
{
	return sysfs_exists(root, SYSFS_DEVICES "/%s/vfio-dev", address) &&
	       !sysfs_exists(root, SYSFS_DEVICES "/%s/driver", address);
}

bool
driver_passes(const char *driver)
{
	return rules_passes(driver);
}
