/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside vfctl: the words of the changing verbs as settings, and what these verbs have in common. */
#ifndef PEKIT_VFCTL_WORDS_H
#define PEKIT_VFCTL_WORDS_H

#include "vfctl.h"

/*
 * What the command line says of a VF. Of settings that go together (vfset.h) those that it does not name stay as they are, but a
 * VLAN taken off takes its priority and protocol along, and one that a lease gives begins without them: held is the lease's own
 * VLAN, 0 when it has none yet, and -1 when the words are not those of a lease.
 */
void
words_vfset(const struct cli *cli, const struct host *host, const struct host_func *vf, int held, struct vfset *want);

/* The same of a port. */
void
words_portset(const struct cli *cli, struct portset *want);

/* For checks: ERR_USAGE when no keyword was given; the hint names them. */
enum err_code
words_some(const struct cli *cli, struct err *err);

/* From the function to the entry. */
typedef enum err_code
words_plan(const struct vfctl *v, struct host_func *func, struct ledger_entry *entry, struct err *err);

/*
 * A whole verb: opens host and ledger for a change, finds the function that the word names, makes the plan and does it. With
 * --if-exists a function that is not there is "unchanged".
 */
enum err_code
words_change(struct cli *cli, const char *word, unsigned want, words_plan *plan, struct err *err);

/* vfctl_commit() in the name of the function. */
enum err_code
words_commit(struct vfctl *v, const struct host_func *func, struct ledger_entry *entry, struct err *err);

#endif
