/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stddef.h>

#include "brtable.h"
#include "cli/counters.h"

/* In the order of the output. */
static const struct counter counters[] = {
	{"entries", offsetof(struct seg_core, fdb.entries), false},
	{"static", offsetof(struct seg_core, fdb.statics), false},
	{"tombstones", offsetof(struct seg_core, fdb.tombs), false},
	{"learned", offsetof(struct seg_core, fdb.learned), true},
	{"moved", offsetof(struct seg_core, fdb.moved), true},
	{"damped", offsetof(struct seg_core, fdb.damped), true},
	{"pinned", offsetof(struct seg_core, fdb.pinned), true},
	{"aged", offsetof(struct seg_core, fdb.aged), true},
	{"evicted", offsetof(struct seg_core, fdb.evicted), true},
	{"flushed", offsetof(struct seg_core, fdb.flushed), true},
	{"no_room", offsetof(struct seg_core, fdb.no_room), true},
	{"resyncs", offsetof(struct seg_core, fdb.resyncs), true},
	{"hints_sent", offsetof(struct seg_core, fdb.used_sent), true},
	{"sweeps", offsetof(struct seg_core, fdb.sweeps), true},
};
#define COUNTERS (sizeof(counters) / sizeof(*counters))

#define DIGEST offsetof(struct seg_core, fdb.digest)

/* Dynamic entries of a channel; the cores agree but for what is under way. */
static uint32_t
channel_entries(const struct br *br, unsigned channel)
{
	uint32_t most = 0;
	for (unsigned core = 1; core <= br->src.ncores; core++) {
		uint32_t one = seg_get(&seg_core(&br->src.seg, core)->fdb.channel[channel]);
		most = one > most ? one : most;
	}
	return most;
}

static enum err_code
print_json(struct cli *cli, const struct br *br, struct err *err)
{
	json_t *ports = json_array();
	for (unsigned channel = 1; channel < SEG_MAX_CHANNELS; channel++) {
		if (br->src.tables->channel_name[channel][0]) {
			json_array_append_new(
				ports, json_pack("{s:o, s:I}", "port", cli_json_text(br->src.tables->channel_name[channel]),
					       "dynamic", (json_int_t)channel_entries(br, channel)));
		}
	}
	return cli_print_json(cli,
		json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "appliance", br->src.seg.head.name, "limit",
			(json_int_t)br->src.seg.head.fdb_limit, "slots", (json_int_t)br->src.seg.head.fdb_buckets * SEG_WAYS,
			"total", counters_json(&br->src.seg, 0, counters, COUNTERS, DIGEST), "cores",
			counters_cores_json(&br->src.seg, counters, COUNTERS, DIGEST), "ports", ports),
		err);
}

static enum err_code
print_table(struct cli *cli, const struct br *br, struct err *err)
{
	enum err_code code = counters_print(cli, &br->src.seg, counters, COUNTERS, err);
	cli_say(cli, "\nlimit %llu entries; dynamic entries by port:", (unsigned long long)br->src.seg.head.fdb_limit);
	for (unsigned channel = 1; channel < SEG_MAX_CHANNELS; channel++) {
		if (br->src.tables->channel_name[channel][0]) {
			cli_say(cli, "  %-16s %u", br->src.tables->channel_name[channel], channel_entries(br, channel));
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
