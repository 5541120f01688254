/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The model of a host: its PCI functions, the kernel interfaces they carry, and the VFs among them. lib/io/host.h reads it;
 * everything that decides works on it. Nothing here looks at the machine.
 */
#ifndef PEKIT_VF_HOST_H
#define PEKIT_VF_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "vf/pci.h"
#include "vf/vfset.h"

#define HOST_DRIVER_SIZE 32
#define HOST_IFNAME_SIZE 16
#define HOST_ALTNAMES_SIZE 384
#define HOST_TEXT_SIZE 128
#define HOST_LABEL_SIZE 32

enum host_role { HOST_PLAIN, HOST_PF, HOST_VF };
enum host_duplex { HOST_DUPLEX_UNKNOWN, HOST_DUPLEX_HALF, HOST_DUPLEX_FULL };

/* Settings of a physical port; those of `has` are known, or wanted. */
#define PORTSET_SPEED (1u << 0)
#define PORTSET_DUPLEX (1u << 1)
#define PORTSET_AUTONEG (1u << 2)
#define PORTSET_PAUSE_AUTONEG (1u << 3)
#define PORTSET_PAUSE_RX (1u << 4)
#define PORTSET_PAUSE_TX (1u << 5)
#define PORTSET_MTU (1u << 6)
#define PORTSET_UP (1u << 7)
#define PORTSET_COUNT 8

struct portset {
	unsigned has;
	uint64_t speed_bps;
	enum host_duplex duplex;
	bool autoneg, pause_autoneg, pause_rx, pause_tx, up;
	uint32_t mtu;
};

/* A kernel interface of a PCI function, in the caller's network namespace. */
struct host_if {
	char name[HOST_IFNAME_SIZE];
	char altnames[HOST_ALTNAMES_SIZE]; /* its further names ("ip link property"), each with its 0; an empty one ends them */
	int index;
	uint64_t mac;
	bool up, carrier;
	bool has_address;             /* other than link-local */
	char upper[HOST_IFNAME_SIZE]; /* bridge, bond or VLAN above it; empty: none */
	char route[HOST_IFNAME_SIZE]; /* the default route goes over this interface: itself or one above it; empty: it does not */
	char login[64];               /* the remote address of a login that comes over it or one above it; empty: none */
	struct portset set;           /* as it stands; speed and duplex only while there is a link */
};

/* Who has a function open, or else uses it. */
struct host_use {
	int pid;     /* 0: not a process */
	char by[96]; /* "pe (pid 812) through /dev/vfio/14", "interface eth4 is up", "interface in another network namespace" */
};

/* A PCI function. */
struct host_func {
	uint64_t addr;
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class_code; /* three bytes: class, subclass, programming interface */
	uint8_t revision;
	char vendor_name[HOST_TEXT_SIZE], device_name[HOST_TEXT_SIZE];
	char driver[HOST_DRIVER_SIZE];   /* empty: none */
	char override[HOST_DRIVER_SIZE]; /* driver_override; empty: none */
	int group;                       /* IOMMU group; -1: no IOMMU */
	int numa;                        /* -1: unknown, or only one node */
	char label[HOST_LABEL_SIZE];     /* of the port, from the file, the firmware or the driver, in this order; empty: none */
	bool can_reset;                  /* the kernel knows a way to reset it */
	enum host_role role;
	/* HOST_PF */
	uint16_t total_vfs; /* sriov_totalvfs: the device's word, the driver's when that is less */
	uint16_t num_vfs;
	bool autoprobe;
	/* HOST_VF */
	uint64_t pf;
	uint16_t index;
	struct vfset set; /* as the PF's driver tells; has 0: the PF's interface is not to be seen */
	/* What it carries. */
	struct host_if *iface; /* NULL: none in this namespace */
	size_t nifaces;
	struct host_use *use; /* who uses it now, which is not who leases it */
	size_t nuses;
};

/* sorted by address */
struct host {
	struct host_func *func;
	size_t nfuncs;
	bool iommu;
	bool recorded; /* read from files: nothing can be changed */
	char boot_id[40];
};

void
host_free(struct host *host);

/* NULL: there is none. */
struct host_func *
host_at(const struct host *host, uint64_t addr);

/* The VF of a PF by its index. */
struct host_func *
host_vf(const struct host *host, uint64_t pf, unsigned index);

static inline bool
host_is_network(const struct host_func *func)
{
	return func->class_code >> 16 == PCI_CLASS_NETWORK;
}

static inline bool
host_is_storage(const struct host_func *func)
{
	return func->class_code >> 16 == PCI_CLASS_STORAGE;
}

static inline bool
host_is_bridge(const struct host_func *func)
{
	return func->class_code >> 16 == PCI_CLASS_BRIDGE;
}

/* How many other functions that are no bridges share its IOMMU group; *other is one of them (may be NULL). */
unsigned
host_group_mates(const struct host *host, const struct host_func *func, uint64_t *other);

/* What is wanted of a name. */
#define HOST_WANT_PF 1u
#define HOST_WANT_VF 2u
#define HOST_WANT_PLAIN 4u /* any other function */
#define HOST_WANT_ANY 7u

/*
 * Finds a function by any name that people use: an address long or short, a kernel interface by one of its names (also "PF:N" and
 * "PFvN"), a port's label (also "LABEL:N"), "pci:0000:01:10.2" as in an appliance file, "pci/0000:01:10.2" as in devlink(8), a
 * path in sysfs that ends in one of them. ERR_NOT_FOUND with the names that are alike as the hint; ERR_USAGE when the name is
 * that of a function of another kind ("eth0 is a PF; a VF is wanted: eth0:0 to eth0:3"), or of two.
 */
enum err_code
host_find(const struct host *host, const char *name, unsigned want, struct host_func **func, struct err *err);

/* What people call it: "eth0" or the label or the address; "eth0:2" of a VF. */
char *
host_name(const struct host *host, const struct host_func *func, char text[HOST_TEXT_SIZE]);

/*
 * For completion: interfaces, labels, addresses, "PF:N". host_find() takes further spellings of them: short addresses, "pci:..",
 * "PFvN", alternative names, paths.
 */
typedef void
host_offer(void *arg, const char *name);
void
host_names(const struct host *host, unsigned want, host_offer *offer, void *arg);

/* ---- portset ----------------------------------------------------------------------------------------------------------------
 */

const char *
portset_name(unsigned bit); /* "speed" "duplex" "autoneg" "pause-autoneg" "pause-rx" "pause-tx" "mtu" "up" */
unsigned
portset_diff(const struct portset *have, const struct portset *want);
void
portset_copy(struct portset *to, const struct portset *from, unsigned bits);
char *
portset_text(const struct portset *set, unsigned bit, char *text, size_t size);
/* Keys speed_bps, duplex, autoneg, pause_autoneg, pause_rx, pause_tx, mtu, up; as strict as vfset_from_json(). */
json_t *
portset_to_json(const struct portset *set);
enum err_code
portset_from_json(const json_t *object, struct portset *set, struct err *err);

#endif
