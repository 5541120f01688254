/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pemon cores: what each core does. */
#include <stdio.h>

#include "base/num.h"
#include "core/names.h"
#include "pemon.h"

static const struct out_column columns[] = {
	{.key = "core", .flags = OUT_RIGHT},
	{.key = "role"},
	{.key = "cpu", .flags = OUT_RIGHT},
	{.key = "busy_pct", .title = "BUSY%", .flags = OUT_RIGHT},
	{.key = "rx_pps", .title = "RX/S", .flags = OUT_RIGHT},
	{.key = "tx_pps", .title = "TX/S", .flags = OUT_RIGHT},
	{.key = "cycles_per_packet", .title = "CYC/PKT", .flags = OUT_RIGHT},
	{.key = "rx_packets", .title = "RX", .flags = OUT_RIGHT},
	{.key = "tx_packets", .title = "TX", .flags = OUT_RIGHT},
	{.key = "messages_sent", .title = "MSG_SENT", .flags = OUT_RIGHT},
	{.key = "messages_received", .title = "MSG_RECV", .flags = OUT_RIGHT},
	{.key = "ring_pct", .title = "RING%", .flags = OUT_RIGHT},
	{.key = "ring_peak_pct", .title = "PEAK%", .flags = OUT_RIGHT},
	{.key = "fdb_entries", .title = "FDB", .flags = OUT_RIGHT},
	{.key = "resyncs", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "heartbeat_age_ms", .title = "BEAT", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "loops", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "busy_loops", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "sleeps", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "class_drop", .title = "C_DROP", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "class_lag", .title = "C_LAG", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "class_bcast", .title = "C_BCAST", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "class_mcast", .title = "C_MCAST", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "class_local", .title = "C_LOCAL", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "class_unknown", .title = "C_UNKNOWN", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "class_channel", .title = "C_CHANNEL", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = NULL},
};

_Static_assert(SEG_CLASS_DROP == 0 && SEG_CLASS_CHANNEL == 6 && SEG_CLASSES == 7, "a column each, in this order");

static void
out_known(struct out *out, bool known, double number, int decimals)
{
	if (known) {
		out_real(out, number, decimals);
	} else {
		out_null(out);
	}
}

/* What it is, or, out of service, how it is. */
const char *
pemon_role(const struct pemon *pemon, unsigned core)
{
	unsigned role = core ? seg_get(&seg_control(&pemon->seg)->role[core]) : SEG_ROLE_SERVING;
	return !core ? "control" : role == SEG_ROLE_SERVING ? "data" : names_role(role);
}

static void
row(struct out *out, const struct pemon *pemon, unsigned number)
{
	const struct sample_core *core = &pemon->now->core[number];
	const struct core_rates rates = sample_core_rates(pemon, number);
	uint64_t age = sample_age_ms(pemon->now, core->heartbeat_ns);
	char text[32];
	out_number(out, number);
	out_text(out, pemon_role(pemon, number));
	if (core->cpu >= 0) {
		out_number(out, (uint64_t)core->cpu);
	} else {
		out_null(out);
	}
	out_known(out, rates.has_rates, rates.busy_pct, 1);
	out_known(out, rates.has_rates, rates.rx_pps, 0);
	out_known(out, rates.has_rates, rates.tx_pps, 0);
	out_known(out, rates.has_cycles, rates.cycles_per_packet, 1);
	out_number(out, core->rx_packets);
	out_number(out, core->tx_packets);
	out_number(out, core->messages_sent);
	out_number(out, core->messages_received);
	out_real(out, rates.ring_pct, 1);
	out_real(out, rates.ring_peak_pct, 1);
	out_number(out, core->fdb_entries);
	out_number(out, core->fdb_resyncs);
	out_number_as(out, age, num_format_age(age, text, sizeof(text)));
	out_number(out, core->loops);
	out_number(out, core->busy_loops);
	out_number(out, core->sleeps);
	for (unsigned i = 0; i < SEG_CLASSES; i++) {
		out_number(out, core->class_packets[i]);
	}
	out_row(out);
}

enum err_code
cores_list(struct cli *cli, const struct pemon *pemon, struct err *err)
{
	struct out *out = out_open(cli, columns);
	for (unsigned i = 0; i < pemon->now->nodes; i++) {
		row(out, pemon, i);
	}
	return out_close(out, err);
}

enum err_code
cores_run(struct cli *cli, struct err *err)
{
	struct pemon pemon;
	enum err_code code = pemon_open(cli, &pemon, cli_number(cli, "interval"), err);
	if (!code) {
		code = cores_list(cli, &pemon, err);
		pemon_close(&pemon);
	}
	return code;
}
