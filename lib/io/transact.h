/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger on disk, and what changes it: one command at a time holds its lock; what a killed one left halfway is mended first.
 *
 * The directory is /var/lib/pekit/vf, or $PEKIT_VF_STATE: ledger and history (0644), lock, steps (0600). The ledger grows by some
 * 700 bytes a lease and its release. Each time that it has grown by 256 KiB, what nothing depends on any more is taken out
 * (vf/ledger_trim.h); the history, all that ever happened, grows for ever, and only "vf show" reads it.
 */
#ifndef PEKIT_IO_TRANSACT_H
#define PEKIT_IO_TRANSACT_H

#include "vf/ledger.h"

/* All zero before it is opened, but for force and host. */
struct transact {
	char dir[256];
	int lock;                /* -1: reading only */
	int steps;               /* locked by all that do steps, also by what a killed command has left at work; -1: not */
	bool force;              /* what cannot be mended, or of a release put back, is left as it is */
	const struct host *host; /* for the names in messages; may be NULL */
	char left[240];          /* what mending could not put right, in words; empty: nothing */
	char *text;
	size_t size;
	struct ledger ledger;
};

/* For reading: a ledger that is not there is empty. root as in io/host.h: a recorded host's is ROOT/ledger. */
enum err_code
transact_read(const char *root, struct transact *t, struct err *err);

/* Does a command hold the lock at this moment? Then what t has left halfway is only under way. Of what transact_read() gave. */
bool
transact_busy(const struct transact *t);

/* Called for each thing done: for people, and for --json. undone: the step was taken back. */
typedef void
transact_tell(void *arg, const struct step *step, bool undone);

/*
 * For changing: takes the lock (waits timeout_ms for another command: ERR_TIMEOUT names its pid), reads, and mends what was left
 * halfway: tell hears the steps, *mended is the op's seq (0: nothing was left). ERR_REFUSED: not permitted (vfctl changes only as
 * root).
 *
 * What the kernel has not yet done of a killed command's step is waited for (ERR_TIMEOUT; t->force does not wait).
 * A function that is no more needs no mending; after a boot nothing is left of what was done before. What the driver refuses for
 * good goes into t->left and the note of the end. Any other failure leaves it halfway and is the error: what is in its way can be
 * taken out of it, or t->force gives up.
 */
enum err_code
transact_open(int timeout_ms, struct transact *t, transact_tell *tell, void *arg, uint64_t *mended, struct err *err);

/*
 * Writes the entry's begin, does its steps in order, and writes its end; the ledger knows of them. A step that fails: the steps
 * before it (and it) are taken back, "undone" is written, and the error is the step's; could they not be taken back, the message
 * says what is left, and what may go better the next time stays halfway. Getting rid of something that is no more succeeds, and
 * with t->force also what the driver does not put back; the note says so. No steps but a ledger that must know (ledger_news()) is
 * written too. entry->seq, at, boot, who, and note are filled.
 */
enum err_code
transact_run(struct transact *t, struct ledger_entry *entry, int timeout_ms, transact_tell *tell, void *arg, struct err *err);

/* All lines that were ever written, of what transact_read() gave; free() the text. */
enum err_code
transact_history(const struct transact *t, char **text, size_t *size, struct err *err);

void
transact_close(struct transact *t);

#endif
