/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pemon ports: what goes through each port. */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/num.h"
#include "pemon.h"

static const struct out_column columns[] = {
	{.key = "port"},
	{.key = "core", .flags = OUT_RIGHT},
	{.key = "kind"},
	{.key = "link"},
	{.key = "link_age_ms", .title = "SINCE", .flags = OUT_RIGHT},
	{.key = "speed_bps", .title = "SPEED", .flags = OUT_RIGHT},
	{.key = "rx_packets", .title = "RX", .flags = OUT_RIGHT},
	{.key = "tx_packets", .title = "TX", .flags = OUT_RIGHT},
	{.key = "rx_pps", .title = "RX/S", .flags = OUT_RIGHT},
	{.key = "tx_pps", .title = "TX/S", .flags = OUT_RIGHT},
	{.key = "rx_bps", .title = "RX_BIT/S", .flags = OUT_RIGHT},
	{.key = "tx_bps", .title = "TX_BIT/S", .flags = OUT_RIGHT},
	{.key = "rx_dropped", .title = "RX_DROP", .flags = OUT_RIGHT},
	{.key = "tx_dropped", .title = "TX_DROP", .flags = OUT_RIGHT},
	{.key = "rx_missed", .title = "MISSED", .flags = OUT_RIGHT},
	{.key = "device"},
	{.key = "bridge", .flags = OUT_WIDE},
	{.key = "mac", .flags = OUT_WIDE},
	{.key = "mtu", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "rx_queues", .title = "RXQ", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "tx_queues", .title = "TXQ", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "pollers", .flags = OUT_WIDE},
	{.key = "link_changes", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "rx_bytes", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "tx_bytes", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "steered_packets", .title = "STEERED", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "channel_packets", .title = "FORWARDED", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "csum_unfinished", .title = "CSUM", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "driver", .flags = OUT_WIDE},
	{.key = "vf", .flags = OUT_WIDE},
	{.key = "filters", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "filters_wanted", .title = "WANTED", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "filters_refused", .title = "REFUSED", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "vlans", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "vlans_refused", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = NULL},
};

static void
out_rate(struct out *out, const struct pemon *pemon, uint64_t now, uint64_t then, double factor)
{
	if (pemon->then) {
		out_real(out, factor * sample_rate(pemon, now, then), 0);
	} else {
		out_null(out);
	}
}

static void
out_config(struct out *out, const struct sample *sample, const struct seg_port *port)
{
	char mac[MAC_TEXT_SIZE];
	uint32_t pollers[SEG_MAX_CORES];
	size_t queues = port->rx_queues < SEG_MAX_CORES ? port->rx_queues : SEG_MAX_CORES;
	for (size_t i = 0; i < queues; i++) {
		pollers[i] = port->poller[i];
	}
	out_text(out, port->device);
	out_text(out, port->bridge > 0 && port->bridge < SEG_MAX_BRIDGES ? sample->tables.bridge[port->bridge].name : NULL);
	out_text(out, mac_format(port->mac & 0xffffffffffff, mac));
	out_number(out, port->mtu);
	out_number(out, port->rx_queues);
	out_number(out, port->tx_queues);
	out_numbers(out, pollers, queues);
	out_number(out, port->link_changes);
}

static void
out_filters(struct out *out, const struct seg_port *port)
{
	out_text(out, port->driver[0] ? port->driver : NULL);
	out_bool(out, port->flags & SEG_PORT_VF);
	out_number(out, port->filters);
	out_number(out, port->filters_wanted);
	out_number(out, port->filters_refused);
	out_number(out, port->vlans);
	out_number(out, port->vlans_refused);
}

/* core < 0: all of them. */
static void
row(struct out *out, const struct pemon *pemon, unsigned number, int core)
{
	const struct sample *sample = pemon->now;
	const struct seg_port *port = &sample->tables.port[number];
	struct seg_port_count now, then = {0};
	uint64_t channel = 0, age = sample_age_ms(sample, port->link_since_ns);
	char text[32];
	sample_port(sample, number, &now);
	if (pemon->then) {
		sample_port(pemon->then, number, &then);
	}
	for (unsigned i = 0; i < sample->nodes; i++) {
		channel += core < 0 || (unsigned)core == i ? sample->core[i].channel_packets[number] : 0;
	}
	if (core >= 0) {
		now = sample->core[core].port[number];
		then = pemon->then ? pemon->then->core[core].port[number] : then;
	}
	out_text(out, port->name);
	if (core >= 0) {
		out_number(out, (uint64_t)core);
	} else {
		out_null(out);
	}
	out_text(out, names_port_kind(port->kind));
	out_text(out, sample_link(port));
	out_number_as(out, age, num_format_age(age, text, sizeof(text)));
	out_number_as(out, port->speed_bps, port->speed_bps ? num_format_si(port->speed_bps, text, sizeof(text)) : "-");
	out_number(out, now.rx_packets);
	out_number(out, now.tx_packets);
	out_rate(out, pemon, now.rx_packets, then.rx_packets, 1);
	out_rate(out, pemon, now.tx_packets, then.tx_packets, 1);
	out_rate(out, pemon, now.rx_bytes, then.rx_bytes, 8);
	out_rate(out, pemon, now.tx_bytes, then.tx_bytes, 8);
	out_number(out, now.rx_dropped);
	out_number(out, now.tx_dropped);
	out_number(out, port->rx_missed);
	out_config(out, sample, port);
	out_number(out, now.rx_bytes);
	out_number(out, now.tx_bytes);
	out_number(out, now.steered);
	out_number(out, channel);
	out_number(out, now.csum_unfinished);
	out_filters(out, port);
	out_row(out);
}

enum err_code
ports_list(struct cli *cli, const struct pemon *pemon, bool per_core, struct err *err)
{
	static struct out_column chosen[sizeof(columns) / sizeof(columns[0])];
	memcpy(chosen, columns, sizeof(columns));
	chosen[1].flags |= per_core ? 0 : OUT_NO_TABLE; /* "core" */
	struct out *out = out_open(cli, chosen);
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		if (!sample_port_used(pemon->now, i)) {
			continue;
		}
		for (unsigned core = 1; per_core && core < pemon->now->nodes; core++) {
			row(out, pemon, i, (int)core);
		}
		if (!per_core) {
			row(out, pemon, i, -1);
		}
	}
	return out_close(out, err);
}

enum err_code
ports_run(struct cli *cli, struct err *err)
{
	struct pemon pemon;
	enum err_code code = pemon_open(cli, &pemon, cli_number(cli, "interval"), err);
	if (!code) {
		code = ports_list(cli, &pemon, cli_has(cli, "per-core"), err);
		pemon_close(&pemon);
	}
	return code;
}
