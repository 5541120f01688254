/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside vfctl: a function with all that is known of it from PCI, kernel, port and ledger, as the listings show it. */
#ifndef PEKIT_VFCTL_VIEW_H
#define PEKIT_VFCTL_VIEW_H

#include "cli/out.h"
#include "vfctl.h"

enum view_state {
	VIEW_FREE,
	VIEW_HELD,   /* leased */
	VIEW_USED,   /* without a lease */
	VIEW_KERNEL, /* no VF, and a driver of the kernel works with it or with another of its IOMMU group */
	VIEW_NSTATES
};

enum view_state
view_state(const struct vfctl *v, const struct host_func *func);
const char *
view_state_name(enum view_state state);

/* NULL: not leased. */
const struct ledger_record *
view_lease(const struct vfctl *v, const struct host_func *func);

/* The word of VFCTL_CLASSES, or "bridge". */
const char *
view_class(const struct host_func *func);

/* "8086:10c9" */
char *
view_id(const struct host_func *func, char text[static 16]);

/* "02:00.0", with its domain only where lspci has it: when one function of the host is in another domain than 0. */
char *
view_slot(const struct host *host, const struct host_func *func, char text[PCI_TEXT_SIZE]);

/* Everything, flat, with the same keys for all functions: null is what it has not or what is not known. NULL: no memory. */
json_t *
view_json(const struct vfctl *v, const struct host_func *func);

/*
 * A row of a listing: each column is a key of view_json(), or one of those that only people see: "link" (up, down, off), "vfs"
 * (4/7) and "pause" (rx, tx).
 */
void
view_row(struct out *out, const struct out_column *columns, const struct vfctl *v, const struct host_func *func);

/* "7 VFs: 3 free, 2 held by vpx1" of counts by state; nothing is said of states that none has. */
void
view_say_counts(struct cli *cli, const char *one, const char *many, const size_t count[static VIEW_NSTATES]);

/* show.c: a whole "show" verb for one function of a kind; the name is the argument of that name. */
enum err_code
view_show(struct cli *cli, const char *argument, unsigned want, struct err *err);

#endif
