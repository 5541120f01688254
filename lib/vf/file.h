/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of "vfctl apply" and "save", pekit-vf.json(5): what PFs, VFs and other devices shall be. What it does not name is left
 * alone.
 *
 *	{ "ports": { "eth0": { "label": "1/1", "numvfs": 4, "autoprobe": false, "mtu": 9000, "up": true,
 *	                       "vfs": { "*": { "driver": "vfio-pci" }, "0": { "mac": "auto", "vlan": 100, "trust": true } } } },
 *	  "devices": { "0000:05:00.0": { "driver": "vfio-pci" } } }
 *
 * A port's key is any name that host_find() takes of a PF, but for the labels that the file gives. The keys of "vfs" are an
 * index, a range, or "*", all of the port's; what an index says goes before what a range says, and that before "*", member by
 * member. JSON as strict as the appliance file's: an unknown key is an error with its path.
 */
#ifndef PEKIT_VF_FILE_H
#define PEKIT_VF_FILE_H

#include "json/where.h"
#include "vf/plan.h"

#define FILE_VFS_MAX 256
#define FILE_PORTS_MAX 256
#define FILE_SIZE_MAX (1u << 20)
#define FILE_PATH_SIZE WHERE_SIZE

struct file_vf {
	struct vfset set;
	bool auto_mac;
	bool exact; /* an index or a range names it: it must be there */
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

/*
 * Gives the labels of the file to the functions of the host; who has such a label from elsewhere loses it. A port twice under two
 * names: ERR_USAGE. Ports that are not there are passed over.
 */
enum err_code
file_label(const struct file *file, struct host *host, struct err *err);

/* What of the file has failed, or cannot be yet, and is left out: paths of file_next(). */
struct file_skip {
	size_t n;
	char (*path)[FILE_PATH_SIZE];
};

/*
 * The next thing to do, as an entry (ledger_entry_free() it), or an entry without steps when the host is as the file says. Its
 * effects are seen by reading the host anew: VFs that are made have their addresses only then.
 *
 * The order: numbers of VFs, settings of ports, settings of VFs, drivers. What a lease has set goes before what the file says of
 * its VF, and is put back when a boot has taken it away, also on ports that the file does not name.
 *
 * path says what the entry or the error is about: "ports.eth0.numvfs", "ports.eth0", "ports.eth0.vfs.2",
 * "devices.0000:05:00.0", "leases.eth1:3". ERR_NOT_FOUND: it is not there, which may change.
 */
enum err_code
file_next(const struct file *file, const struct plan_input *in, const struct file_skip *skip, char path[static FILE_PATH_SIZE],
	struct ledger_entry *entry, struct err *err);

/*
 * What "save" prints: the host as it stands, PFs that have VFs or settings that were changed, devices that are bound by an
 * override. Of what is leased it says what will be when the lease has ended. NULL: no memory.
 */
json_t *
file_of_host(const struct host *host, const struct ledger *ledger);

#endif
