/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pemon drops: why frames were dropped, what the last one was, what helps. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "pemon.h"

static const struct out_column columns[] = {
	{.key = "reason"},
	{.key = "core", .flags = OUT_RIGHT},
	{.key = "packets", .flags = OUT_RIGHT},
	{.key = "port"},
	{.key = "length", .flags = OUT_RIGHT},
	{.key = "age_ms", .title = "AGE", .flags = OUT_RIGHT},
	{.key = "sample", .title = "LAST_FRAME", .flags = OUT_NO_TABLE},
	{.key = "sample_head", .title = "LAST_FRAME", .flags = OUT_NO_JSON},
	{.key = "meaning"},
	{.key = "hint", .flags = OUT_NO_TABLE},
	{.key = NULL},
};

#define HEAD_BYTES 18 /* addresses, a tag, the type */

static char *
hex(const uint8_t *bytes, size_t n, char *text)
{
	for (size_t i = 0; i < n; i++) {
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	}
	text[2 * n] = '\0';
	return text;
}

static void
row(struct out *out, const struct sample *sample, unsigned core, unsigned reason)
{
	const struct sample_drop *drop = &sample->core[core].drop[reason];
	uint64_t age = sample_age_ms(sample, drop->time_ns);
	char text[2 * SEG_SAMPLE_SIZE + 1];
	size_t n = drop->length < SEG_SAMPLE_SIZE ? drop->length : SEG_SAMPLE_SIZE;
	out_text(out, names_drop(reason));
	out_number(out, core);
	out_number(out, drop->packets);
	out_text(out, sample_port_name(sample, drop->port));
	out_number(out, drop->length);
	if (drop->time_ns) {
		out_number_as(out, age, num_format_age(age, text, sizeof(text)));
	} else {
		out_null(out);
	}
	out_text(out, hex(drop->bytes, n, text));
	out_text(out, hex(drop->bytes, n < HEAD_BYTES ? n : HEAD_BYTES, text));
	out_text(out, names_drop_text(reason));
	out_text(out, names_drop_hint(reason));
	out_row(out);
}

static void
say_hints(struct cli *cli, const struct sample *sample)
{
	for (unsigned reason = 0; reason < SEG_DROPS; reason++) {
		uint64_t packets = 0;
		for (unsigned i = 0; i < sample->nodes; i++) {
			packets += sample->core[i].drop[reason].packets;
		}
		if (packets && names_drop_hint(reason)[0]) {
			cli_say(cli, "hint: %s: %s", names_drop(reason), names_drop_hint(reason));
		}
	}
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		struct seg_port_count count;
		char name[SEG_NAME_SIZE];
		sample_port(sample, i, &count);
		if (sample_port_used(sample, i) && count.csum_unfinished) {
			memcpy(name, sample->tables.port[i].name, sizeof(name));
			cli_say(cli, "hint: %s: %llu frames came with unfinished checksums, which were completed: %s",
				pemon_plain(name), (unsigned long long)count.csum_unfinished, names_csum_hint());
		}
	}
}

static bool
any_drops(const struct sample *sample)
{
	for (unsigned i = 0; i < sample->nodes; i++) {
		for (unsigned reason = 0; reason < SEG_DROPS; reason++) {
			if (sample->core[i].drop[reason].packets) {
				return true;
			}
		}
	}
	return false;
}

enum err_code
drops_list(struct cli *cli, const struct pemon *pemon, const char *none, struct err *err)
{
	if (none && !any_drops(pemon->now)) {
		cli_say(cli, "%s", none);
		say_hints(cli, pemon->now);
		return ERR_NONE;
	}
	struct out *out = out_open(cli, columns);
	for (unsigned reason = 0; reason < SEG_DROPS; reason++) {
		for (unsigned i = 0; i < pemon->now->nodes; i++) {
			if (pemon->now->core[i].drop[reason].packets) {
				row(out, pemon->now, i, reason);
			}
		}
	}
	enum err_code code = out_close(out, err);
	say_hints(cli, pemon->now);
	return code;
}

enum err_code
drops_run(struct cli *cli, struct err *err)
{
	struct pemon pemon;
	enum err_code code = pemon_open(cli, &pemon, 0, err);
	if (!code) {
		code = drops_list(cli, &pemon, NULL, err);
		pemon_close(&pemon);
	}
	return code;
}
