/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From what is wanted to an entry of the ledger with its steps. A plan asks the rules (rules.h) and refuses; it adds only the
 * steps that change something: an entry without steps is "unchanged". What is done with the entry is lib/io/transact.h's.
 *
 * On success the entry is the caller's: ledger_entry_free(). who, at, boot and seq are filled by the transaction.
 */
#ifndef PEKIT_VF_PLAN_H
#define PEKIT_VF_PLAN_H

#include "vf/ledger.h"
#include "vf/rules.h"

struct plan_input {
	const struct host *host;
	const struct ledger *ledger;
	bool forced; /* --force */
};

/*
 * numvfs: ERR_REFUSED when VFs that are leased or in use would be lost (all of them are when the number changes between two that
 * are not 0), when n is above what the device says; the PF must be up for some drivers. The settings of VFs that are there before
 * and after are put back, and their drivers. autoprobe: 0, 1, or -1 as it is.
 *
 * The steps are so ordered that undoing them backwards restores everything: first each setting and driver of the old VFs is taken
 * to what a new VF has (what the destruction does anyway), then the number, then the settings of the new ones.
 */
enum err_code
plan_numvfs(const struct plan_input *in, struct host_func *pf, unsigned n, int autoprobe, struct ledger_entry *entry,
	struct err *err);

/* vf set. What takes a VF out of the network that carries the default route or a login is refused unless forced. The VF may be
 * leased: then what it was before the lease stays recorded. */
enum err_code
plan_set(
	const struct plan_input *in, struct host_func *vf, const struct vfset *want, struct ledger_entry *entry, struct err *err);

/* bind: driver is "vfio-pci", "xen-pciback", a kernel driver's name, "kernel" for the one it would have by itself, "none" or "".
 */
enum err_code
plan_bind(const struct plan_input *in, struct host_func *func, const char *driver, struct ledger_entry *entry, struct err *err);

/* unbind: back to what the first bind found. Nothing recorded: from another's driver to the kernel's own choice. */
enum err_code
plan_unbind(const struct plan_input *in, struct host_func *func, struct ledger_entry *entry, struct err *err);

struct plan_lease {
	const char *holder;
	struct vfset want; /* of a VF; has 0 for other devices */
	struct ledger_vlans vlans;
	const char *driver; /* NULL: as it is */
};

/*
 * lease: somebody else's is ERR_EXISTS (named, with the generation); the same holder's is changed where it differs and keeps its
 * generation; else the generation is one more than the last. A VF that a process uses is ERR_REFUSED.
 */
enum err_code
plan_lease(const struct plan_input *in, struct host_func *func, const struct plan_lease *lease, struct ledger_entry *entry,
	struct err *err);

/*
 * release: holder (NULL: not given) and generation (0: not given) must be those of the lease, ERR_EXISTS otherwise: a late
 * release touches nothing. One of them must be given unless forced. Not leased: unchanged. The VF gets back what it had before,
 * but for what the driver cannot (a MAC of zero: rules_driver.zero_mac; it gets rules_auto_mac() and the entry's note says so).
 */
enum err_code
plan_release(const struct plan_input *in, struct host_func *func, const char *holder, uint64_t generation,
	struct ledger_entry *entry, struct err *err);

/* A VF of the PF that is neither leased nor used, the lowest; NULL and ERR_REFUSED with who holds them all. */
struct host_func *
plan_free_vf(const struct plan_input *in, const struct host_func *pf, struct err *err);

/*
 * port set and reset. Refused unless forced: a port that carries the default route or a login, itself or over a VF; taking it
 * down while VFs of it are leased or in use.
 */
enum err_code
plan_port(const struct plan_input *in, struct host_func *func, const struct portset *want, struct ledger_entry *entry,
	struct err *err);
enum err_code
plan_port_reset(const struct plan_input *in, struct host_func *func, struct ledger_entry *entry, struct err *err);

#endif
