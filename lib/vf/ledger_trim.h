/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ledger that has become long, made short: what nothing depends on any more goes to its history.
 *
 * What stays are lines as they were written, both of each change: those that a lease, a bound driver or a port's defaults come
 * from, the last that gave a generation, and the very last. History is all lines; it and the lines of the ledger that are younger
 * than it (ledger_after()) are what would be there had nothing ever been trimmed. lib/io/transact.h has the files.
 */
#ifndef PEKIT_VF_LEDGER_TRIM_H
#define PEKIT_VF_LEDGER_TRIM_H

#include "vf/ledger.h"

/*
 * The shorter text; free() it. It is read again, and says the same (ledger_same()). NULL: it would not be half as long, a change
 * is halfway, the text is none, or there is no memory.
 */
char *
ledger_trim(const char *text, size_t size, size_t *trimmed);

/* Do two ledgers say the same, whatever their past? */
bool
ledger_same(const struct ledger *a, const struct ledger *b);

/* The number of the last whole line; 0: there is none that is understood. */
uint64_t
ledger_last(const char *text, size_t size);

/* Where the first line stands that has a higher number; size: nowhere. */
size_t
ledger_after(const char *text, size_t size, uint64_t seq);

#endif
