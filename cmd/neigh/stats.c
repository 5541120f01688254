/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "cli/counters.h"
#include "neigh.h"

#define OF(field) offsetof(struct seg_core, nbr) + offsetof(struct seg_nbr_count, field)

/* In the order of the output; of the first family. */
static const struct counter of_table[] = {
	{"entries", OF(entries), false},
	{"permanent", OF(permanent), false},
	{"incomplete", OF(incomplete), true},
	{"failed", OF(failed), true},
	{"tombstones", OF(tombs), false},
	{"asked", OF(asked), true},
	{"solicited", OF(solicited), true},
	{"resolved", OF(resolved), true},
	{"unresolved", OF(unresolved), true},
	{"learned", OF(learned), true},
	{"changed", OF(changed), true},
	{"aged", OF(aged), true},
	{"heard", OF(heard), true},
	{"no_room", OF(no_room), true},
	{"limited", OF(limited), true},
	{"paced", OF(paced), true},
	{"resyncs", OF(resyncs), true},
	{"hints_sent", OF(used_sent), true},
	{"sweeps", OF(sweeps), true},
	{"adopted", OF(adopted), true},
};
#define OF_TABLE (sizeof(of_table) / sizeof(of_table[0]))

/* Of the core, whatever the family. */
static const struct counter of_core[] = {
	{"messages_sent", offsetof(struct seg_core, messages_sent), true},
	{"messages_received", offsetof(struct seg_core, messages_received), true},
	{"holding", offsetof(struct seg_core, l3.holding), true},
	{"held", offsetof(struct seg_core, l3.held), true},
	{"released", offsetof(struct seg_core, l3.released), true},
};
#define OF_CORE (sizeof(of_core) / sizeof(of_core[0]))
#define COUNTERS (OF_TABLE + OF_CORE)

static enum err_code
print(struct cli *cli, const struct neigh *n, struct err *err)
{
	struct counter counter[COUNTERS];
	const struct seg *seg = &n->src.seg;
	size_t family = neigh_tool.family * sizeof(struct seg_nbr_count), digest = OF(digest) + family;
	memcpy(counter, of_table, sizeof(of_table));
	memcpy(counter + OF_TABLE, of_core, sizeof(of_core));
	for (size_t i = 0; i < OF_TABLE; i++) {
		counter[i].offset += family;
	}
	if (cli_wants_json(cli)) {
		return cli_print_json(cli,
			json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "appliance", seg->head.name, "family", neigh_tool.protocol,
				"limit", (json_int_t)seg->head.nbr_limit, "slots", (json_int_t)seg->head.nbr_slots, "total",
				counters_json(seg, 0, counter, COUNTERS, digest), "cores",
				counters_cores_json(seg, counter, COUNTERS, digest)),
			err);
	}
	enum err_code code = counters_print(cli, seg, counter, COUNTERS, err);
	cli_say(cli, "\nlimit %llu neighbours", (unsigned long long)seg->head.nbr_limit);
	return code;
}

enum err_code
stats_run(struct cli *cli, struct err *err)
{
	struct neigh n;
	enum err_code code = neigh_open(cli, &n, err);
	if (!code) {
		code = print(cli, &n, err);
		neigh_close(&n);
	}
	return code;
}
