/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of "vfctl apply" and "save", pekit-vf.json(5): what PFs, VFs and other devices shall be. What it does not name is left
 *alone.
 *
 *	{ "ports": { "eth0": { "label": "1/1", "numvfs": 4, "autoprobe": false, "mtu": 9000, "up": true, "speed_bps": "10G",
 *"autoneg": true, "vfs": { "0": { "mac": "auto", "vlan": 100, "qos": 3, "max_rate_bps": "2G", "trust": true, "driver": "vfio-pci"
 *}, "1-3": { "driver": "vfio-pci" } } } }, "devices": { "0000:05:00.0": { "driver": "vfio-pci" } } }
 *
 * A port's key is any name that host_find() takes of a PF. The keys of "vfs" are an index, a range, or "*" (all that no other key
 *names); what a more exact key says wins, member by member. JSON as strict as the appliance file's: an unknown key is an error
 *with its path.
 */
#ifndef PEKIT_VF_FILE_H
#define PEKIT_VF_FILE_H

#include "vf/plan.h"

#define FILE_VFS_MAX 256

struct file_vf {
	struct vfset set;
	bool auto_mac;
	bool has_driver;
	char driver[HOST_DRIVER_SIZE]; /* "" is none, "kernel" its own */
};

struct file_port {
	char name[HOST_TEXT_SIZE]; /* as in the file */
	char label[HOST_LABEL_SIZE];
	int numvfs;    /* -1: not said */
	int autoprobe; /* -1: not said */
	struct portset set;
	struct file_vf *vf; /* FILE_VFS_MAX of them; a VF of which nothing is said has no bits and no driver */
};

struct file_device {
	char name[HOST_TEXT_SIZE];
	char driver[HOST_DRIVER_SIZE];
};

struct file {
	struct file_port *port;
	size_t nports;
	struct file_device *device;
	size_t ndevices;
};

/* ERR_USAGE names the path: "ports.eth0.vfs.0.vlan: 5000 is not a VLAN id (0 to 4094)"; syntax errors their line. */
enum err_code
file_parse(const char *text, size_t size, struct file *file, struct err *err);
void
file_free(struct file *file);

/* Gives the labels of the file to the functions of the host. Two ports of one label, or a port twice under two names: ERR_USAGE.
 */
enum err_code
file_label(const struct file *file, struct host *host, struct err *err);

/*
 * The next thing to do, as an entry, or an entry without steps when the host is as the file says. Its effects are seen by reading
 * the host anew: VFs that are made have their addresses only then. The order: VF numbers, settings of ports, settings of VFs,
 * leases' settings that a boot has taken away (a lease outlives it), drivers. skip: bits of ports (in the order of the file) that
 * have failed and are left out; *port is the one that the entry is about, or nports for a device.
 */
enum err_code
file_next(const struct file *file, const struct plan_input *in, const bool *skip, size_t *port, struct ledger_entry *entry,
	struct err *err);

/* What "save" prints: the host as it stands, PFs that have VFs or settings that were changed, devices that are bound by an
 * override. */
json_t *
file_of_host(const struct host *host, const struct ledger *ledger);

#endif
