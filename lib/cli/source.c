/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define STALE_NS 3000000000ull /* a living engine beats many times a second */

static void
note_age(const struct cli *cli, const struct seg *seg)
{
	char age[32];
	uint64_t ns = seg_heartbeat_age_ns(seg);
	num_format_age(ns / 1000000, age, sizeof(age));
	if (cli->saved) {
		cli_note(cli, "%s: a saved copy of %s, %s old", cli->saved, seg->head.name, age);
	} else if (!seg_writer_alive(seg)) {
		cli_note(cli, "the engine of %s is %s; the data is %s old", seg->source, seg_state_name(seg), age);
	} else if (ns > STALE_NS) {
		cli_note(cli, "the engine of %s has been silent for %s", seg->source, age);
	}
}

enum err_code
source_name(const struct cli *cli, char name[static SEG_NAME_SIZE], struct err *err)
{
	return seg_default_name(cli->appliance, name, err);
}

static enum err_code
open_quietly(const struct cli *cli, struct seg *seg, struct err *err)
{
	char name[SEG_NAME_SIZE];
	if (cli->saved) {
		return seg_open_file(seg, cli->saved, err);
	}
	enum err_code code = source_name(cli, name, err);
	return code ? code : seg_attach(seg, name, err);
}

enum err_code
source_open(const struct cli *cli, struct seg *seg, struct err *err)
{
	seg_catch_sigbus();
	enum err_code code = open_quietly(cli, seg, err);
	if (!code) {
		note_age(cli, seg);
	}
	return code;
}

static void
complete_appliances(cli_offer *offer, void *arg)
{
	static struct seg_name names[256];
	size_t n = seg_list(names, sizeof(names) / sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		offer(arg, names[i].name);
	}
}

void
source_complete(const struct cli *cli, const struct cli_param *param, cli_offer *offer, void *arg)
{
	struct seg seg;
	if (param->type == CLI_APPLIANCE) {
		complete_appliances(offer, arg);
		return;
	}
	seg_catch_sigbus();
	if (open_quietly(cli, &seg, NULL)) {
		return;
	}
	struct seg_tables *tables = malloc(sizeof(*tables));
	if (tables) {
		seg_read_tables(&seg, tables);
		for (unsigned i = 1; param->type == CLI_PORT && i < SEG_MAX_PORTS; i++) {
			if (tables->port[i].name[0]) {
				offer(arg, tables->port[i].name);
			}
		}
		for (unsigned i = 1; param->type == CLI_BRIDGE && i < SEG_MAX_BRIDGES; i++) {
			if (tables->bridge[i].name[0]) {
				offer(arg, tables->bridge[i].name);
			}
		}
		for (unsigned i = 1; param->type == CLI_CORE && i <= seg.head.ncores; i++) {
			char number[16];
			snprintf(number, sizeof(number), "%u", i);
			offer(arg, number);
		}
	}
	free(tables);
	seg_detach(&seg);
}
