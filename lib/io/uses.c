/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/uses.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "io/driver.h"
#include "io/function.h"
#include "io/sysfs.h"

#define VFIO "/dev/vfio/"
#define VFIO_DEVICES "/dev/vfio/devices/"
#define UIO "/dev/uio"
#define VERBS "/dev/infiniband/"
#define DELETED " (deleted)"
#define RESOURCE "/resource"

/* The names in /dev of one function. */
struct names {
	char vfio[16];  /* "vfio3" */
	char uio[16];   /* "uio3" */
	char verbs[16]; /* "uverbs3": a process drives the device beside its kernel driver */
};

struct walk {
	int root;
	struct host *host;
	struct names *names;
	int pid;
};

static void
see_name(void *arg, const char *name)
{
	snprintf(arg, sizeof(((struct names *)NULL)->vfio), "%.15s", name);
}

/* Whatever the driver is called: variants of vfio-pci are many. */
static void
find_names(int root, const struct host *host, struct names *names)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		const struct host_func *func = &host->func[i];
		char address[PCI_TEXT_SIZE];
		pci_format(func->addr, address);
		sysfs_list(root, see_name, names[i].vfio, SYSFS_DEVICES "/%s/vfio-dev", address);
		sysfs_list(root, see_name, names[i].uio, SYSFS_DEVICES "/%s/uio", address);
		sysfs_list(root, see_name, names[i].verbs, SYSFS_DEVICES "/%s/infiniband_verbs", address);
	}
}

static void
add(struct walk *walk, struct host_func *func, const char *path)
{
	for (size_t i = 0; i < func->nuses; i++) {
		if (func->use[i].pid == walk->pid) {
			return;
		}
	}
	char comm[32];
	sysfs_read(walk->root, comm, sizeof(comm), "proc/%d/comm", walk->pid);
	function_used(func, walk->pid, "%s (pid %d) through %s", comm[0] ? comm : "a process", walk->pid, path);
}

/* A group is held as a whole. */
static void
add_group(struct walk *walk, const char *name, const char *path)
{
	static const char noiommu[] = "noiommu-";
	uint64_t group;
	if (strncmp(name, noiommu, strlen(noiommu)) == 0) {
		name += strlen(noiommu);
	}
	if (!num_parse_u64(name, 0, INT32_MAX, &group)) {
		return;
	}
	for (size_t i = 0; i < walk->host->nfuncs; i++) {
		struct host_func *func = &walk->host->func[i];
		bool passed = driver_passes(func->driver) || strstr(func->driver, "vfio") || walk->names[i].vfio[0];
		if (func->group == (int)group && passed) {
			add(walk, func, path);
		}
	}
}

static void
add_named(struct walk *walk, const char *name, const char *path)
{
	for (size_t i = 0; i < walk->host->nfuncs; i++) {
		const struct names *names = &walk->names[i];
		if (strcmp(names->vfio, name) == 0 || strcmp(names->uio, name) == 0 || strcmp(names->verbs, name) == 0) {
			add(walk, &walk->host->func[i], path);
		}
	}
}

/* ".../0000:01:10.2/resource0" */
static void
add_resource(struct walk *walk, const char *path)
{
	char address[PCI_TEXT_SIZE];
	const char *end = strrchr(path, '/'), *start = end;
	while (start > path && start[-1] != '/') {
		start--;
	}
	size_t length = (size_t)(end - start);
	uint64_t addr;
	if (strncmp(end, RESOURCE, strlen(RESOURCE)) != 0 || length >= sizeof(address)) {
		return;
	}
	memcpy(address, start, length);
	address[length] = '\0';
	struct host_func *func = pci_parse(address, &addr) ? host_at(walk->host, addr) : NULL;
	if (func) {
		add(walk, func, end + 1);
	}
}

static void
judge(struct walk *walk, const char *path)
{
	if (strncmp(path, VFIO_DEVICES, strlen(VFIO_DEVICES)) == 0) {
		add_named(walk, path + strlen(VFIO_DEVICES), path);
	} else if (strncmp(path, VFIO, strlen(VFIO)) == 0) {
		add_group(walk, path + strlen(VFIO), path);
	} else if (strncmp(path, UIO, strlen(UIO)) == 0) {
		add_named(walk, path + strlen("/dev/"), path);
	} else if (strncmp(path, VERBS, strlen(VERBS)) == 0) {
		add_named(walk, path + strlen(VERBS), path);
	} else if (strncmp(path, "/sys/", strlen("/sys/")) == 0) {
		add_resource(walk, path);
	}
}

/* A node that was made anew, or is not in this container, is held all the same. */
static void
cut_deleted(char *path, size_t length)
{
	size_t tail = strlen(DELETED);
	if (length > tail && strcmp(path + length - tail, DELETED) == 0) {
		path[length - tail] = '\0';
	}
}

static void
see_process(void *arg, const char *name)
{
	struct walk *walk = arg;
	uint64_t pid;
	char path[SYSFS_PATH_SIZE];
	if (!num_parse_u64(name, 1, INT32_MAX, &pid)) {
		return;
	}
	walk->pid = (int)pid;
	int fd = sysfs_fd(walk->root, "proc/%s/fd", name);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		if (fd >= 0) {
			close(fd);
		}
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		ssize_t n = readlinkat(fd, entry->d_name, path, sizeof(path) - 1);
		if (n > 0 && path[0] == '/') {
			path[n] = '\0';
			cut_deleted(path, (size_t)n);
			judge(walk, path);
		}
	}
	closedir(dir);
}

void
uses_read(int root, struct host *host)
{
	struct walk walk = {.root = root, .host = host, .names = calloc(host->nfuncs + 1, sizeof(struct names))};
	if (!walk.names) {
		return;
	}
	find_names(root, host, walk.names);
	sysfs_list(root, see_process, &walk, "proc");
	free(walk.names);
}
