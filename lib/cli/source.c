/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

enum err_code
source_open_quietly(const struct cli *cli, struct seg *seg, struct err *err)
{
	char name[SEG_NAME_SIZE];
	seg_catch_sigbus();
	if (cli->saved) {
		return seg_open_file(seg, cli->saved, err);
	}
	enum err_code code = source_name(cli, name, err);
	return code ? code : seg_attach(seg, name, err);
}

enum err_code
source_open(const struct cli *cli, struct seg *seg, struct err *err)
{
	enum err_code code = source_open_quietly(cli, seg, err);
	if (!code) {
		note_age(cli, seg);
	}
	return code;
}

/* ---- with its names --------------------------------------------------------------------------------------------- */

static uint64_t
clock_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

enum err_code
source_read(const struct cli *cli, struct source *source, struct err *err)
{
	*source = (struct source){.ncores = 0};
	enum err_code code = source_open(cli, &source->seg, err);
	if (code) {
		return code;
	}
	source->tables = malloc(sizeof(*source->tables));
	if (!source->tables) {
		source_close(source);
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (!seg_read_tables(&source->seg, source->tables)) {
		cli_note(cli, "the engine ended while it wrote its configuration; names may be wrong");
	}
	source->control = seg_control(&source->seg);
	source->ncores = source->seg.head.ncores;
	for (unsigned core = 1; core <= source->ncores; core++) {
		uint64_t bit = 1ull << (core - 1);
		source->all |= bit;
		source->cores |= seg_get(&source->control->role[core]) == SEG_ROLE_LOST ? 0 : bit;
	}
	source->live = !cli->saved && seg_writer_alive(&source->seg);
	const struct seg_header *shared = (const struct seg_header *)(const void *)source->seg.base;
	source->now_ns = source->live ? clock_ns() : seg_get(&shared->heartbeat_ns);
	return ERR_NONE;
}

void
source_close(struct source *source)
{
	free(source->tables);
	source->tables = NULL;
	seg_detach(&source->seg);
}

uint64_t
source_age_ms(const struct source *source, uint64_t since_ns)
{
	return source->now_ns > since_ns ? (source->now_ns - since_ns) / 1000000 : 0;
}

uint64_t
source_wall_ms(const struct seg *seg, uint64_t time_ns)
{
	int64_t ns = (int64_t)(time_ns + (uint64_t)seg->head.wall_offset_ns);
	return ns > 0 ? (uint64_t)ns / 1000000 : 0;
}

char *
source_clock(const struct seg *seg, uint64_t time_ns, char text[static 32])
{
	uint64_t ms = source_wall_ms(seg, time_ns);
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm = {0};
	char clock[16] = "";
	localtime_r(&seconds, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(text, 32, "%s.%03u", clock, (unsigned)(ms % 1000));
	return text;
}

enum err_code
source_core(const struct cli *cli, const struct source *source, unsigned *core, struct err *err)
{
	*core = (unsigned)cli_number(cli, "core");
	if (*core <= source->ncores) {
		return ERR_NONE;
	}
	err_set(err, ERR_NOT_FOUND, "--core %u: no such core", *core);
	return err_hint(err, "%s has the cores 1 to %u", source->seg.source, source->ncores);
}

enum err_code
source_number(const char *what, const char *name, const char *first, size_t stride, unsigned n, uint16_t *number, struct err *err)
{
	char names[200] = "";
	size_t at = 0;
	for (unsigned i = 1; i < n; i++) {
		const char *one = first + i * stride;
		if (strcmp(one, name) == 0) {
			*number = (uint16_t)i;
			return ERR_NONE;
		}
		if (one[0] && at + strlen(one) + 6 < sizeof(names)) {
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "", one);
		}
	}
	err_set(err, ERR_NOT_FOUND, "%s: no such %s", name, what);
	return err_hint(err, names[0] ? "there are: %s" : "%sthere are none", names);
}

/* ---- completion ------------------------------------------------------------------------------------------------- */

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
	if (source_open_quietly(cli, &seg, NULL)) {
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
		for (unsigned i = 1; param->type == CLI_IFACE && i < SEG_MAX_IFACES; i++) {
			if (tables->iface[i].name[0]) {
				offer(arg, tables->iface[i].name);
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
