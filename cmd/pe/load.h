/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Appliance files from the disk. Errors begin with the file's name: "edge1.json: ports.p1.devcie: unknown key".
 */
#ifndef PEKIT_PE_LOAD_H
#define PEKIT_PE_LOAD_H

#include <stddef.h>

#include "base/err.h"
#include "conf/conf.h"

/* The whole file ("-": standard input), terminated and malloc'ed; *size is without the terminating 0. */
enum err_code
load_text(const char *file, char **text, size_t *size, struct err *err);

/* Reads and checks it; fewer mbufs than the configuration needs are ERR_REFUSED. `appliance` (may be NULL) must be its name. */
enum err_code
load_conf(const char *file, const char *appliance, struct conf *conf, struct err *err);

/* ERR_REFUSED, with the number that would do, when memory.mbufs are too few. */
enum err_code
load_check_mbufs(const struct conf *conf, struct err *err);

#endif
