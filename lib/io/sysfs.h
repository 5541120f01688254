/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files and links below a root, bounded: /sys, /proc and /dev of this machine, or those of a recorded host, of which nothing
 * outside its root is ever read. Paths are formats and begin without a slash: "sys/bus/pci/devices/%s/class".
 */
#ifndef PEKIT_IO_SYSFS_H
#define PEKIT_IO_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define SYSFS_MACHINE (-1)
#define SYSFS_PATH_SIZE 512
#define SYSFS_TEXT_SIZE 256
#define SYSFS_DEVICES "sys/bus/pci/devices"

/* "" is this machine. ERR_NOT_FOUND: no such root. sysfs_close() it. */
enum err_code
sysfs_open(const char *path, int *root, struct err *err);
void
sysfs_close(int root);

/* The first size - 1 bytes, without the last newline, as text. -1 and errno: there is no such file, or it cannot be read. */
ssize_t
sysfs_read(int root, char *text, size_t size, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Decimal, or hexadecimal after 0x; false: not a number up to max. */
bool
sysfs_number(int root, uint64_t max, uint64_t *value, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The last name of what a link points to; false and an empty text: no such link, or too long. */
bool
sysfs_link(int root, char *name, size_t size, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* All of it. */
bool
sysfs_target(int root, char *target, size_t size, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

bool
sysfs_exists(int root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Every name in a folder but . and .., in no order; false: no such folder. */
typedef void
sysfs_see(void *arg, const char *name);
bool
sysfs_list(int root, sysfs_see *see, void *arg, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The whole of a regular file up to max bytes; free() it. NULL and errno: EFBIG when it is longer. */
void *
sysfs_load(int root, size_t max, size_t *size, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* For what reads by itself; -1 and errno. */
int
sysfs_fd(int root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One write() of the text to a file of this machine, as attributes want it. 0 or an errno. */
int
sysfs_write(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
