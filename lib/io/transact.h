/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger on disk, and what changes it: one command at a time holds its lock; what a killed one left halfway is mended first.
 *
 * The directory is /var/lib/pekit/vf, or $PEKIT_VF_STATE: ledger (0644), lock.
 */
#ifndef PEKIT_IO_TRANSACT_H
#define PEKIT_IO_TRANSACT_H

#include "vf/ledger.h"

struct transact {
	char dir[256];
	int lock; /* -1: reading only */
	char *text;
	size_t size;
	struct ledger ledger;
};

/* For reading: a ledger that is not there is empty. root as in io/host.h: a recorded host's is ROOT/ledger. */
enum err_code
transact_read(const char *root, struct transact *t, struct err *err);

/* Called for each thing done: for people, and for --json. undone: it is one of the steps taken back. */
typedef void
transact_tell(void *arg, const struct step *step, bool undone);

/*
 * For changing: takes the lock (waits timeout_ms for another command: ERR_TIMEOUT names its pid), reads, and mends what was left
 * halfway: tell hears the steps, *mended is the op's seq (0: nothing was left). ERR_REFUSED: not permitted (vfctl changes only as
 * root).
 */
enum err_code
transact_open(int timeout_ms, struct transact *t, transact_tell *tell, void *arg, uint64_t *mended, struct err *err);

/*
 * Writes the entry's begin, does its steps in order, writes its end, and reads the ledger anew. A step that fails: the steps
 * before it (and it) are taken back, "undone" is written, and the error is the step's; could they not be taken back, the message
 * says what is left. No steps but a ledger that must know (a lease that sets nothing) is written too. entry->seq, at, boot, who
 * are filled.
 */
enum err_code
transact_run(struct transact *t, struct ledger_entry *entry, int timeout_ms, transact_tell *tell, void *arg, struct err *err);

void
transact_close(struct transact *t);

#endif
