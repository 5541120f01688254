/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The terminal for a full-screen view: alternate screen, raw keys, size; plain ANSI sequences (ECMA-48, and xterm's ?1049). It is
 * given back on every way out but SIGKILL, and while the program is stopped (ctrl-Z).
 */
#ifndef PEKIT_PEMON_TERM_H
#define PEKIT_PEMON_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum term_key { TERM_NOTHING, TERM_UP = 256, TERM_DOWN, TERM_PAGE_UP, TERM_PAGE_DOWN, TERM_RESIZED, TERM_END };

/* Are stdin and stdout a terminal that can do this? */
bool
term_usable(void);

bool
term_enter(void);

void
term_leave(void);

void
term_size(unsigned *rows, unsigned *columns);

/* Waits for a key: its character, or an enum term_key; TERM_NOTHING after ms; TERM_END when the user or a signal ends it. */
int
term_wait(uint64_t ms);

/* Writes all of it; false when the terminal is gone. */
bool
term_write(const char *bytes, size_t size);

/* After term_leave(): dies of the signal that ended term_wait(), unless that was ctrl-C. */
void
term_die(void);

#endif
