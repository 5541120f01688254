/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/counters.h"

#include <stdio.h>

#include "cli/out.h"

static uint64_t
read_word(const struct seg *seg, unsigned core, size_t offset)
{
	const uint8_t *base = (const uint8_t *)seg_core(seg, core);
	return seg_get((const uint64_t *)(const void *)(base + offset));
}

uint64_t
counters_value(const struct seg *seg, unsigned core, const struct counter *counter)
{
	if (core) {
		return read_word(seg, core, counter->offset);
	}
	uint64_t total = 0;
	for (core = 1; core <= seg->head.ncores; core++) {
		uint64_t one = read_word(seg, core, counter->offset);
		total = counter->sum ? total + one : one > total ? one : total;
	}
	return total;
}

json_t *
counters_json(const struct seg *seg, unsigned core, const struct counter *counter, size_t n, size_t digest)
{
	json_t *row = json_object();
	if (core) {
		json_object_set_new(row, "core", json_integer(core));
	}
	for (size_t i = 0; i < n; i++) {
		json_object_set_new(row, counter[i].key, json_integer((json_int_t)counters_value(seg, core, &counter[i])));
	}
	if (core) {
		char text[20];
		snprintf(text, sizeof(text), "%016llx", (unsigned long long)read_word(seg, core, digest));
		json_object_set_new(row, "digest", json_string(text));
	}
	return row;
}

json_t *
counters_cores_json(const struct seg *seg, const struct counter *counter, size_t n, size_t digest)
{
	json_t *cores = json_array();
	for (unsigned core = 1; core <= seg->head.ncores; core++) {
		json_array_append_new(cores, counters_json(seg, core, counter, n, digest));
	}
	return cores;
}

enum err_code
counters_print(struct cli *cli, const struct seg *seg, const struct counter *counter, size_t n, struct err *err)
{
	struct out_column columns[COUNTERS_MAX + 2] = {{.key = "core"}};
	for (size_t i = 0; i < n; i++) {
		columns[i + 1] = (struct out_column){.key = counter[i].key, .flags = OUT_RIGHT};
	}
	struct out *out = out_open(cli, columns);
	for (unsigned row = 1; row <= seg->head.ncores + 1; row++) {
		unsigned core = row <= seg->head.ncores ? row : 0;
		char number[16];
		snprintf(number, sizeof(number), "%u", core);
		out_text(out, core ? number : "all");
		for (size_t i = 0; i < n; i++) {
			out_number(out, counters_value(seg, core, &counter[i]));
		}
		out_row(out);
	}
	return out_close(out, err);
}
