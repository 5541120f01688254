/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/io/transact: the files of the ledger, and who, when, since which boot. */
#ifndef PEKIT_IO_TRANSACT_FILE_H
#define PEKIT_IO_TRANSACT_FILE_H

#include "io/transact.h"

/* Where the ledger is. */
const char *
transact_dir(void);

/* Makes the directory when it is not there, and locks it. */
enum err_code
transact_lock(struct transact *t, int timeout_ms, struct err *err);

/* Reads the ledger anew. What stands there without a newline is cut off when it is locked. */
enum err_code
transact_load(struct transact *t, struct err *err);

/* Writes a line and waits until it is on the disk; or nothing. t knows of it as if it had been read. */
enum err_code
transact_append(struct transact *t, const struct ledger_entry *entry, struct err *err);

void
transact_now(char at[static LEDGER_AT_SIZE]);
void
transact_boot(char *boot, size_t size);
/* "root (alice)": who it is, and in whose name. */
void
transact_who(char *who, size_t size);

#endif
