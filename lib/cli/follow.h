/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For the monitor verbs: follows what the cores tell each other (seg_core.trace) until interrupted, and over engines that end and
 * start again. What a record means is the caller's.
 */
#ifndef PEKIT_CLI_FOLLOW_H
#define PEKIT_CLI_FOLLOW_H

#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/source.h"

struct follow {
	struct cli *cli;
	struct source *src;    /* the caller's place for it */
	struct seg_msg *batch; /* what one look found, by time */
	size_t nbatch;
	void *arg;
	/* The segment was opened, for the first time or anew: read its tables. */
	enum err_code (*begin)(void *arg, struct err *err);
	/* Records of a core were overwritten before they could be read. */
	void (*lost)(void *arg, unsigned core, uint64_t records);
	/* `batch` is there; lost: so many records are missing in it. */
	enum err_code (*take)(void *arg, uint64_t lost, struct err *err);
	/* private */
	uint64_t next[SEG_MAX_NODES];
	bool told_dead;
};

/* cli, src, arg and the functions are set. follow_close() whatever it returned. */
enum err_code
follow_open(struct follow *follow, struct err *err);

/* To be called before tables are read: what is announced from now on will come. */
void
follow_from_now(struct follow *follow);

/* Goes on until interrupted. */
enum err_code
follow_run(struct follow *follow, struct err *err);

void
follow_close(struct follow *follow);

/* The time of a record in two forms. */
void
follow_out_time(const struct follow *follow, struct out *out, uint64_t time_ns);

/* "3.17" of seg_msg.cause. */
char *
follow_cause(uint32_t cause, char text[static 24]);

#endif
