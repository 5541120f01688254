/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/vf: what the plans have in common. */
#ifndef PEKIT_VF_PLAN_INT_H
#define PEKIT_VF_PLAN_INT_H

#include "vf/plan.h"

/* Vendor, device, and those of the subsystem, 16 bits each, of the function or a VF's PF; 0: not known. */
uint64_t
plan_ids(const struct host *host, const struct host_func *func);

/* Is it at the address of what was leased, but another card's? */
bool
plan_moved(const struct host *host, const struct host_func *func, const struct ledger_record *record);

/* An entry without steps about the function. */
void
plan_begin(const struct plan_input *in, enum ledger_op op, const struct host_func *func, struct ledger_entry *entry);

/* What every plan ends with: no entry is left behind an error. */
enum err_code
plan_end(struct ledger_entry *entry, enum err_code code);

enum err_code
plan_step(struct ledger_entry *entry, const struct step *step, struct err *err);

/* What a driver is thought to give a new VF, for what it does not tell. */
struct vfset
plan_fresh(const char *pf_driver);

/* A step for each bit of want. back: from the last bit to the first, as undoing goes: trust is taken away after what needs it. */
enum err_code
plan_vfset(const struct plan_input *in, const struct host_func *vf, const struct vfset *want, bool back,
	struct ledger_entry *entry, struct err *err);

/* ERR_REFUSED when the default route or a login goes over the VF, and what it needs would cut it off. */
enum err_code
plan_cuts(const struct plan_input *in, const struct host_func *vf, const struct vfset *need, struct err *err);

/* The driver that the kernel gives it by itself; "": not known. */
const char *
plan_natural(const struct host *host, const struct host_func *func);

/* What a word of the command line means for the function: "vfio-pci", "igbvf", "kernel", "" (none). */
enum err_code
plan_driver(const struct host *host, const struct host_func *func, const char *word, struct step_value *to, struct err *err);

/* The step to that driver, when it is allowed; none when it has it. exact: its override shall be as said, too. */
enum err_code
plan_rebind(const struct plan_input *in, const struct host_func *func, const struct step_value *to, bool exact,
	struct ledger_entry *entry, struct err *err);

/* Of a VF of this host, which a lease may outlive. */
bool
plan_is_there(const struct host *host, const struct host_func *func);

#endif
