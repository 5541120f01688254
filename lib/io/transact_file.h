/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/io/transact: the files of the ledger, and who, when, since which boot. */
#ifndef PEKIT_IO_TRANSACT_FILE_H
#define PEKIT_IO_TRANSACT_FILE_H

#include <sys/types.h>

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

#define TRANSACT_FILE_MODE 0644 /* of what everybody may read */

/* Of a file beside the ledger. False: too long. */
bool
transact_path(const struct transact *t, const char *name, char *path, size_t size);
/* The whole file; an empty one when there is none. */
enum err_code
transact_read_all(const char *path, char **text, size_t *size, struct err *err);
/* Makes it when it is not there; with that mode. -1: errno. */
int
transact_open_file(const char *path, int flags, mode_t mode);
/* All of it, and on the disk; false: errno. */
bool
transact_write_all(int fd, const char *text, size_t size);
/* A new name is on the disk when its directory is. */
void
transact_sync(const char *dir);

/* Takes what nothing depends on any more out of a ledger that is locked and has nothing halfway, into its history. Cannot fail:
 * what is not done stays to be done. */
void
transact_trim(struct transact *t);

void
transact_now(char at[static LEDGER_AT_SIZE]);
void
transact_boot(char *boot, size_t size);
/* "root (alice)": who it is, and in whose name. */
void
transact_who(char *who, size_t size);

#endif
