/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a read-only tool gets its data: the appliance's segment (-a, or the default one) or a saved copy (-s FILE); and the
 * live names in it for completion. Apart from cli.h, so that a tool without a segment does not link one.
 */
#ifndef PEKIT_CLI_SOURCE_H
#define PEKIT_CLI_SOURCE_H

#include "base/err.h"
#include "cli/cli.h"
#include "shm/seg.h"

/* Opens what -s, -a or the default says, read-only, and notes on stderr how old the data is when no engine writes it. */
enum err_code
source_open(const struct cli *cli, struct seg *seg, struct err *err);

/* The appliance's name alone, for lib/io/ctl.h. */
enum err_code
source_name(const struct cli *cli, char name[static SEG_NAME_SIZE], struct err *err);

/* struct cli_tool.complete: appliances, and the bridges, ports and cores of the appliance that -a, -s or the default says. */
void
source_complete(const struct cli *cli, const struct cli_param *param, cli_offer *offer, void *arg);

#endif
