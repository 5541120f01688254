/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pci.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"
#include "link.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define VFS_MAX 256

/* ---- sysfs ------------------------------------------------------------------------------------------------------ */

/* The last part of where a link of the device's folder leads; false: there is no such link. */
static bool
read_name(const char *address, const char *file, char *name, size_t size)
{
	char path[512], target[512];
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", address, file);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(name, size, "%.*s", (int)size - 1, slash != NULL ? slash + 1 : "");
	return n >= 0;
}

static uint16_t
read_id(const char *address, const char *file)
{
	char path[128];
	unsigned id = 0;
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", address, file);
	FILE *in = fopen(path, "re");
	if (in != NULL) {
		if (fscanf(in, "%x", &id) != 1) {
			id = 0;
		}
		fclose(in);
	}
	return (uint16_t)id;
}

/* The first entry of a folder, by name; false: none. */
static bool
first_entry(const char *path, char *name, size_t size)
{
	DIR *dir = opendir(path);
	bool found = false;
	for (struct dirent *entry; dir != NULL && !found && (entry = readdir(dir)) != NULL;) {
		found = entry->d_name[0] != '.';
		if (found) {
			snprintf(name, size, "%.*s", (int)size - 1, entry->d_name);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return found;
}

static void
look_at_pf(struct pci_facts *facts)
{
	char pf[24], path[128], file[24], name[32], other[32];
	if (!read_name(facts->address, "physfn", pf, sizeof(pf))) {
		return;
	}
	facts->vf = true;
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/net", pf);
	bool has_name = first_entry(path, name, IFNAMSIZ);
	for (unsigned i = 0; i < VFS_MAX; i++) {
		snprintf(file, sizeof(file), "virtfn%u", i);
		if (read_name(pf, file, other, sizeof(other)) && strcmp(other, facts->address) == 0) {
			snprintf(facts->pf, sizeof(facts->pf), "%.15s:%u", has_name ? name : pf, i);
			facts->pf_tells = has_name && link_get_vf(name, i, &facts->pf_mac) == 0;
			return;
		}
	}
}

bool
pci_look(const char *address, struct pci_facts *facts)
{
	char path[128];
	*facts = (struct pci_facts){0};
	bool brief = strlen(address) == strlen("01:10.0");
	snprintf(facts->address, sizeof(facts->address), "%s%.18s", brief ? "0000:" : "", address);
	snprintf(path, sizeof(path), PCI_DEVICES "/%s", facts->address);
	if (access(path, F_OK) < 0) {
		return false;
	}
	read_name(facts->address, "driver", facts->driver, sizeof(facts->driver));
	facts->vendor = read_id(facts->address, "vendor");
	facts->device = read_id(facts->address, "device");
	look_at_pf(facts);
	return true;
}

bool
pci_of_interface(const char *ifname, char *address, size_t size)
{
	char path[96], target[512];
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", ifname);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(address, size, "%.*s", (int)size - 1, slash != NULL ? slash + 1 : "");
	return strlen(address) == strlen("0000:01:10.0");
}

bool
pci_usable(const struct pci_facts *facts)
{
	/* The last three leave the device to the kernel's driver and work beside it. */
	static const char *const usable[] = {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core", "mlx4_core", "mana"};
	for (unsigned i = 0; i < sizeof(usable) / sizeof(usable[0]); i++) {
		if (strcmp(facts->driver, usable[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- what is in the way ----------------------------------------------------------------------------------------- */

/* Does the process have the file open? */
static bool
has_open(const char *pid, const char *file)
{
	char path[300], target[256];
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	DIR *dir = opendir(path);
	bool found = false;
	for (struct dirent *entry; dir != NULL && !found && (entry = readdir(dir)) != NULL;) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		found = strcmp(target, file) == 0;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return found;
}

/* A process that has the file open, and its name; 0: none that may be seen. */
static pid_t
who_has(const char *file, char *name, size_t size)
{
	uint64_t pid = 0;
	char path[300];
	DIR *dir = opendir("/proc");
	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		if (num_parse_u64(entry->d_name, 1, INT32_MAX, &pid) && has_open(entry->d_name, file)) {
			break;
		}
		pid = 0;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	FILE *in = pid ? fopen(path, "re") : NULL;
	if (in == NULL || fgets(name, (int)size, in) == NULL) {
		snprintf(name, size, "?");
	}
	if (in != NULL) {
		fclose(in);
	}
	name[strcspn(name, "\n")] = '\0';
	return (pid_t)pid;
}

static enum err_code
held(const struct pci_facts *facts, const char *key, const char *file, struct err *err)
{
	char name[32];
	pid_t pid = who_has(file, name, sizeof(name));
	if (pid == getpid()) {
		return ERR_NONE; /* another port is of the same group */
	}
	if (pid == 0) {
		return err_set(err, ERR_EXISTS, "%spci:%s is in use: somebody has %s open", key, facts->address, file);
	}
	err_set(err, ERR_EXISTS, "%spci:%s is in use by process %d (%s)", key, facts->address, (int)pid, name);
	return err_hint(err, "end that process, or use another device");
}

/* May the group be opened? It is closed again at once: DPDK opens it for itself. */
static enum err_code
check_group_file(const struct pci_facts *facts, const char *key, const char *group, struct err *err)
{
	char file[64];
	snprintf(file, sizeof(file), "/dev/vfio/%.40s", group);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return ERR_NONE;
	}
	if (errno == EBUSY) {
		return held(facts, key, file, err);
	}
	if (errno == EACCES || errno == EPERM) {
		err_set(err, ERR_REFUSED, "%spci:%s: no permission to open %s", key, facts->address, file);
		return err_hint(err, "run pe as root, or give its user the file: chown USER %s", file);
	}
	err_set(err, ERR_REFUSED, "%spci:%s: %s: %s", key, facts->address, file, strerror(errno));
	return err_hint(err, "modprobe vfio-pci");
}

/* All devices of a group are given to a process together: none may be the kernel's. */
static enum err_code
check_group_members(const struct pci_facts *facts, const char *key, const char *group, struct err *err)
{
	char path[96], driver[32];
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/iommu_group/devices", facts->address);
	DIR *dir = opendir(path);
	enum err_code code = ERR_NONE;
	for (struct dirent *entry; dir != NULL && code == ERR_NONE && (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.' || !read_name(entry->d_name, "driver", driver, sizeof(driver)) ||
			strcmp(driver, "vfio-pci") == 0 || strcmp(driver, "pci-stub") == 0 || strcmp(driver, "pcieport") == 0) {
			continue;
		}
		err_set(err, ERR_REFUSED, "%spci:%s shares IOMMU group %s with %.12s, which %s has", key, facts->address, group,
			entry->d_name, driver);
		code = err_hint(
			err, "bind %.12s to vfio-pci, too, or use a slot or a server with ACS (vfctl doctor)", entry->d_name);
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return code;
}

static bool
noiommu(void)
{
	char word = 'N';
	FILE *in = fopen("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "re");
	if (in != NULL) {
		word = (char)fgetc(in);
		fclose(in);
	}
	return word == 'Y';
}

static enum err_code
check_vfio(const struct pci_facts *facts, const char *key, struct err *err)
{
	char group[48];
	if (!read_name(facts->address, "iommu_group", group, sizeof(group))) {
		if (noiommu()) {
			return ERR_NONE;
		}
		err_set(err, ERR_REFUSED, "%spci:%s is in no IOMMU group: the kernel runs without an IOMMU", key, facts->address);
		return err_hint(err, "boot with intel_iommu=on (AMD: amd_iommu=on) and VT-d or AMD-Vi on in the firmware");
	}
	enum err_code code = check_group_members(facts, key, group, err);
	return code != ERR_NONE || noiommu() ? code : check_group_file(facts, key, group, err);
}

enum err_code
pci_check(const struct pci_facts *facts, const char *key, struct err *err)
{
	if (!pci_usable(facts)) {
		err_set(err, ERR_REFUSED, "%spci:%s is bound to %s", key, facts->address,
			facts->driver[0] ? facts->driver : "no driver");
		return err_hint(err, "bind it to vfio-pci: %s %s%s", facts->vf ? "vfctl vf bind" : "dpdk-devbind.py -b vfio-pci",
			facts->address, facts->vf ? " vfio-pci" : "");
	}
	return strcmp(facts->driver, "vfio-pci") == 0 ? check_vfio(facts, key, err) : ERR_NONE;
}

/* Whoever has this capability may lock any amount (capabilities(7)). */
static bool
may_lock(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	return syscall(SYS_capget, &head, data) == 0 && (data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK));
}

bool
pci_explain(const struct pci_facts *facts, const char *key, struct err *err)
{
	struct rlimit limit;
	if (strcmp(facts->driver, "vfio-pci") != 0 || may_lock() || getrlimit(RLIMIT_MEMLOCK, &limit) < 0 ||
		limit.rlim_cur == RLIM_INFINITY) {
		return false;
	}
	err_set(err, ERR_REFUSED, "%spci:%s: a device needs the engine's memory locked, and only %llu MB may be", key,
		facts->address, (unsigned long long)limit.rlim_cur >> 20);
	err_hint(err, "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit");
	return true;
}
