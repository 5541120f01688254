/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of lib/shm/seg*.c share; nobody else includes it. */
#ifndef PEKIT_SHM_SEG_INT_H
#define PEKIT_SHM_SEG_INT_H

#include "shm/seg.h"

#define SEG_SLOTS_MAX (1u << 24) /* of a table of neighbours or routes */

#define SEG_DIR "/dev/shm" /* where Linux keeps POSIX shared memory: shm_open("/x") is SEG_DIR "/x" */
#define SEG_PATH_SIZE 64

/* The object's path; returns path. The name is valid. */
char *
seg_path(const char *name, char path[static SEG_PATH_SIZE]);

/* Field 22 (start time) of /proc/PID/stat; 0 when there is no such process, or it has ended and was not waited for. */
uint64_t
seg_start_time(uint32_t pid);

void
seg_boot_id(uint8_t id[static 16]);

/* Reads and checks the header of an open object or file. `source` begins the messages. */
enum err_code
seg_check(int fd, const char *source, struct seg_header *head, struct err *err);

enum err_code
seg_bad_name(const char *name, struct err *err);

uint64_t
seg_now_ns(int clock);

#endif
