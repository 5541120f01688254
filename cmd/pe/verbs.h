/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verbs of pe, a file each. Only `run` starts anything of DPDK; the others are tools like any other.
 */
#ifndef PEKIT_PE_VERBS_H
#define PEKIT_PE_VERBS_H

#include "cli/cli.h"
#include "conf/conf.h"

typedef enum err_code
verb_run(struct cli *cli, struct err *err);

verb_run verb_engine, verb_check, verb_apply, verb_diff, verb_status, verb_stop, verb_confirm, verb_log, verb_drain, verb_undrain,
	verb_inject;

enum err_code
verb_apply_check(const struct cli *cli, struct err *err);

/* The appliance that -a names, else the file's; else the default one. */
enum err_code
verb_appliance(const struct cli *cli, const struct conf *conf, char name[static SEG_NAME_SIZE], struct err *err);

/* {"path", "from", "to"} with values; from and to are JSON texts, "" becomes null. */
json_t *
verb_change(const char *path, const char *from, const char *to);

/* A list of those in CSV, with their "live" where they have it. */
enum err_code
verb_changes_csv(struct cli *cli, const json_t *changes, bool live, struct err *err);

/* "~ ports.p1.mtu: 1500 -> 9000 REMARK" for people. */
void
verb_say_change(struct cli *cli, const char *path, const char *from, const char *to, const char *remark);

#endif
