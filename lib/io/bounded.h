/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What may never come back, done in a child and waited for until a deadline: the kernel lets nobody interrupt the writer of an
 * attribute while a process has the device open through vfio.
 */
#ifndef PEKIT_IO_BOUNDED_H
#define PEKIT_IO_BOUNDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a clock that only goes forwards. */
int64_t
bounded_now_ms(void);

/* A moment later; false when the deadline is over. */
bool
bounded_pause(int64_t deadline_ms);

/*
 * An open file that the children of bounded_write() keep open to their end, whatever becomes of their parent: who waits for its
 * lock (flock) waits for them. -1: none.
 */
void
bounded_keep(int fd);

/* The deadline is over: a later one, or one that is over, too. */
typedef int64_t
bounded_later(void *arg);

/*
 * Writes a text to a file. 0, the kernel's errno, or ETIMEDOUT: the write goes on by itself, and nothing of this process with it.
 * later (NULL: there is none) is asked when the deadline is over.
 */
int
bounded_write(int64_t deadline_ms, bounded_later *later, void *arg, const char *text, const char *path);

/* Runs a program without a shell. True: it said 0. Otherwise said is the first line that it wrote on stderr, or why not. */
bool
bounded_run(int64_t deadline_ms, char *const argv[], char *said, size_t size);

#endif
