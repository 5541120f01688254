/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a read-only tool gets its data: the appliance's segment (-a, or the default one) or a saved copy (-s FILE); and the
 * live names in it for completion. Apart from cli.h, so that a tool without a segment does not link one.
 */
#ifndef PEKIT_CLI_SOURCE_H
#define PEKIT_CLI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/cli.h"
#include "shm/seg.h"

/* Opens what -s, -a or the default says, read-only, and notes on stderr how old the data is when no engine writes it. */
enum err_code
source_open(const struct cli *cli, struct seg *seg, struct err *err);

/* The same without a note, for completion. */
enum err_code
source_open_quietly(const struct cli *cli, struct seg *seg, struct err *err);

/* A segment with its names, and what readers of its tables ask first. */
struct source {
	struct seg seg;
	struct seg_tables *tables;
	struct seg_control *control;
	unsigned ncores;
	uint64_t all;    /* cores: bit n-1 is core n */
	uint64_t cores;  /* that count: not those that were taken out (SEG_ROLE_LOST), which follow nothing */
	bool live;       /* an engine writes it */
	uint64_t now_ns; /* what ages are counted to: of a dead engine its last heartbeat */
};

/* source_open(), and all of this. source_close() whatever it returned. */
enum err_code
source_read(const struct cli *cli, struct source *source, struct err *err);
void
source_close(struct source *source);

/* By how much now_ns is past since_ns, in ms. */
uint64_t
source_age_ms(const struct source *source, uint64_t since_ns);

/* A time of the segment: since the epoch, and HH:MM:SS.mmm; returns text. */
uint64_t
source_wall_ms(const struct seg *seg, uint64_t time_ns);
char *
source_clock(const struct seg *seg, uint64_t time_ns, char text[static 32]);

/* The option --core, 0: not given. ERR_NOT_FOUND when there is no such core. */
enum err_code
source_core(const struct cli *cli, const struct source *source, unsigned *core, struct err *err);

/* Number 1..n-1 of a name in a table of names that are `stride` bytes apart; ERR_NOT_FOUND lists those that are there. */
enum err_code
source_number(
	const char *what, const char *name, const char *first, size_t stride, unsigned n, uint16_t *number, struct err *err);

/* The appliance's name alone, for lib/io/ctl.h. */
enum err_code
source_name(const struct cli *cli, char name[static SEG_NAME_SIZE], struct err *err);

/* struct cli_tool.complete: appliances, and the bridges, ports, interfaces and cores of the appliance that -a, -s or the default
 * says. */
void
source_complete(const struct cli *cli, const struct cli_param *param, cli_offer *offer, void *arg);

#endif
