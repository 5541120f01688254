/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stddef.h>
#include <stdio.h>

#include "brtable.h"

/* The counters of a core, in the order of the output. `sum`: adds up over the cores; else all cores hold the same. */
static const struct counter {
	const char *key;
	size_t offset;
	bool sum;
} counters[] = {
	{"entries", offsetof(struct seg_fdb_count, entries), false},
	{"static", offsetof(struct seg_fdb_count, statics), false},
	{"tombstones", offsetof(struct seg_fdb_count, tombs), false},
	{"learned", offsetof(struct seg_fdb_count, learned), true},
	{"moved", offsetof(struct seg_fdb_count, moved), true},
	{"damped", offsetof(struct seg_fdb_count, damped), true},
	{"pinned", offsetof(struct seg_fdb_count, pinned), true},
	{"aged", offsetof(struct seg_fdb_count, aged), true},
	{"evicted", offsetof(struct seg_fdb_count, evicted), true},
	{"flushed", offsetof(struct seg_fdb_count, flushed), true},
	{"no_room", offsetof(struct seg_fdb_count, no_room), true},
	{"resyncs", offsetof(struct seg_fdb_count, resyncs), true},
	{"hints_sent", offsetof(struct seg_fdb_count, used_sent), true},
	{"sweeps", offsetof(struct seg_fdb_count, sweeps), true},
};
#define COUNTERS (sizeof(counters) / sizeof(*counters))

static uint64_t
read_counter(const struct br *br, unsigned core, const struct counter *counter)
{
	const uint8_t *base = (const uint8_t *)&seg_core(&br->seg, core)->fdb;
	return seg_get((const uint64_t *)(const void *)(base + counter->offset));
}

/* core 0: over all cores, the sum or the most. */
static uint64_t
value_of(const struct br *br, unsigned core, const struct counter *counter)
{
	if (core) {
		return read_counter(br, core, counter);
	}
	uint64_t total = 0;
	for (core = 1; core <= br->ncores; core++) {
		uint64_t one = read_counter(br, core, counter);
		total = counter->sum ? total + one : one > total ? one : total;
	}
	return total;
}

static json_t *
row_json(const struct br *br, unsigned core)
{
	json_t *row = json_object();
	if (core) {
		json_object_set_new(row, "core", json_integer(core));
	}
	for (size_t i = 0; i < COUNTERS; i++) {
		json_object_set_new(row, counters[i].key, json_integer((json_int_t)value_of(br, core, &counters[i])));
	}
	if (core) {
		char digest[20];
		snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)seg_get(&seg_core(&br->seg, core)->fdb.digest));
		json_object_set_new(row, "digest", json_string(digest));
	}
	return row;
}

/* Dynamic entries of a channel; the cores agree but for what is under way. */
static uint32_t
channel_entries(const struct br *br, unsigned channel)
{
	uint32_t most = 0;
	for (unsigned core = 1; core <= br->ncores; core++) {
		uint32_t one = seg_get(&seg_core(&br->seg, core)->fdb.channel[channel]);
		most = one > most ? one : most;
	}
	return most;
}

static enum err_code
print_json(struct cli *cli, const struct br *br, struct err *err)
{
	json_t *cores = json_array(), *ports = json_array();
	for (unsigned core = 1; core <= br->ncores; core++) {
		json_array_append_new(cores, row_json(br, core));
	}
	for (unsigned channel = 1; channel < SEG_MAX_CHANNELS; channel++) {
		if (br->tables->channel_name[channel][0]) {
			json_array_append_new(
				ports, json_pack("{s:o, s:I}", "port", cli_json_text(br->tables->channel_name[channel]),
					       "dynamic", (json_int_t)channel_entries(br, channel)));
		}
	}
	return cli_print_json(cli,
		json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "appliance", br->seg.head.name, "limit",
			(json_int_t)br->seg.head.fdb_limit, "slots", (json_int_t)br->seg.head.fdb_buckets * SEG_WAYS, "total",
			row_json(br, 0), "cores", cores, "ports", ports),
		err);
}

static enum err_code
print_table(struct cli *cli, const struct br *br, struct err *err)
{
	struct out_column columns[COUNTERS + 2] = {{.key = "core"}};
	for (size_t i = 0; i < COUNTERS; i++) {
		columns[i + 1] = (struct out_column){.key = counters[i].key, .flags = OUT_RIGHT};
	}
	struct out *out = out_open(cli, columns);
	for (unsigned n = 1; n <= br->ncores + 1; n++) {
		unsigned core = n <= br->ncores ? n : 0;
		char number[16];
		snprintf(number, sizeof(number), "%u", core);
		out_text(out, core ? number : "all");
		for (size_t i = 0; i < COUNTERS; i++) {
			out_number(out, value_of(br, core, &counters[i]));
		}
		out_row(out);
	}
	enum err_code code = out_close(out, err);
	cli_say(cli, "\nlimit %llu entries; dynamic entries by port:", (unsigned long long)br->seg.head.fdb_limit);
	for (unsigned channel = 1; channel < SEG_MAX_CHANNELS; channel++) {
		if (br->tables->channel_name[channel][0]) {
			cli_say(cli, "  %-16s %u", br->tables->channel_name[channel], channel_entries(br, channel));
		}
	}
	return code;
}

enum err_code
stats_run(struct cli *cli, struct err *err)
{
	struct br br;
	enum err_code code = br_open(cli, &br, err);
	if (code) {
		return code;
	}
	code = cli_wants_json(cli) ? print_json(cli, &br, err) : print_table(cli, &br, err);
	br_close(&br);
	return code;
}
