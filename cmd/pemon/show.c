/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pemon show: all of it in short. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "pemon.h"

#define DEFAULT_MS 200
#define LAST_EVENTS 5

/* Rates are rounded as people read them; what is unknown is null. */
static json_t *
real_or_null(bool known, double number)
{
	return known ? json_real((double)(int64_t)(number * 10 + 0.5) / 10) : json_null();
}

static json_t *
name_json(const char *name, size_t size)
{
	char clean[SEG_DEVICE_SIZE];
	memcpy(clean, name, size);
	clean[size - 1] = '\0';
	return json_string(pemon_plain(clean));
}

static json_t *
cores_json(const struct pemon *pemon)
{
	json_t *cores = json_array();
	for (unsigned i = 0; i < pemon->now->nodes; i++) {
		const struct sample_core *core = &pemon->now->core[i];
		const struct core_rates rates = sample_core_rates(pemon, i);
		json_array_append_new(cores, json_pack("{s:i, s:s, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:o}", "core", (int)i, "role",
			i ? "data" : "control", "cpu", core->cpu >= 0 ? json_integer(core->cpu) : json_null(), "busy_pct",
			real_or_null(rates.has_rates, rates.busy_pct), "rx_packets", (json_int_t)core->rx_packets, "tx_packets",
			(json_int_t)core->tx_packets, "rx_pps", real_or_null(rates.has_rates, rates.rx_pps), "tx_pps",
			real_or_null(rates.has_rates, rates.tx_pps), "cycles_per_packet",
			real_or_null(rates.has_cycles, rates.cycles_per_packet), "messages_sent", (json_int_t)core->messages_sent,
			"messages_received", (json_int_t)core->messages_received, "ring_peak_pct", real_or_null(true, rates.ring_peak_pct)));
	}
	return cores;
}

static json_t *
ports_json(const struct pemon *pemon)
{
	json_t *ports = json_array();
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		const struct seg_port *port = &pemon->now->tables.port[i];
		struct seg_port_count now, then = {0};
		if (!sample_port_used(pemon->now, i)) {
			continue;
		}
		sample_port(pemon->now, i, &now);
		if (pemon->then) {
			sample_port(pemon->then, i, &then);
		}
		json_array_append_new(ports, json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:I, s:I}", "port",
			name_json(port->name, sizeof(port->name)), "device", name_json(port->device, sizeof(port->device)), "link",
			sample_link(port), "speed_bps", (json_int_t)port->speed_bps, "rx_packets", (json_int_t)now.rx_packets, "rx_bytes",
			(json_int_t)now.rx_bytes, "tx_packets", (json_int_t)now.tx_packets, "tx_bytes", (json_int_t)now.tx_bytes, "rx_pps",
			real_or_null(pemon->then, sample_rate(pemon, now.rx_packets, then.rx_packets)), "tx_pps",
			real_or_null(pemon->then, sample_rate(pemon, now.tx_packets, then.tx_packets)), "rx_dropped",
			(json_int_t)now.rx_dropped, "tx_dropped", (json_int_t)now.tx_dropped, "rx_missed", (json_int_t)port->rx_missed));
	}
	return ports;
}

static json_t *
drops_json(const struct sample *sample)
{
	json_t *drops = json_array();
	for (unsigned reason = 0; reason < SEG_DROPS; reason++) {
		for (unsigned i = 0; i < sample->nodes; i++) {
			uint64_t packets = sample->core[i].drop[reason].packets;
			if (packets) {
				json_array_append_new(drops, json_pack("{s:s, s:i, s:I}", "reason", names_drop(reason), "core", (int)i, "packets",
					(json_int_t)packets));
			}
		}
	}
	return drops;
}

static const char *
coherence_text(enum sample_coherence coherence)
{
	return coherence == SAMPLE_COHERENT ? "coherent" : coherence == SAMPLE_DIFFERS ? "NOT COHERENT (brtable verify)" : "settling";
}

static enum err_code
show_json(struct cli *cli, const struct pemon *pemon, enum sample_coherence coherence, struct err *err)
{
	const struct sample *now = pemon->now;
	return cli_print_json(cli, json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "appliance", pemon->seg.head.name, "state", now->state,
		"heartbeat_age_ms", (json_int_t)now->heartbeat_age_ms, "uptime_s", (json_int_t)now->uptime_s, "cores", cores_json(pemon),
		"ports", ports_json(pemon), "drops", drops_json(now), "coherent",
		coherence == SAMPLE_UNSETTLED ? json_null() : json_boolean(coherence == SAMPLE_COHERENT)), err);
}

static void
say_events(struct cli *cli, const struct pemon *pemon)
{
	uint32_t newest = seg_get_acquire(&seg_control(&pemon->seg)->events);
	for (uint32_t id = newest > LAST_EVENTS ? newest - LAST_EVENTS + 1 : 1; newest && id <= newest && id != 0; id++) {
		struct seg_event event;
		char clock[32];
		if (seg_read_event(&pemon->seg, id, &event)) {
			cli_say(cli, "%s  %s: %s", pemon_clock(&pemon->seg, event.time_ns, clock), names_severity(event.severity),
				pemon_plain(event.text));
		}
	}
}

static enum err_code
show_table(struct cli *cli, const struct pemon *pemon, enum sample_coherence coherence, struct err *err)
{
	const struct sample *now = pemon->now;
	char age[32], uptime[32];
	cli_say(cli, "appliance %s: %s, heartbeat %s ago, up %s, %s\n", pemon->seg.head.name, now->state,
		num_format_age(now->heartbeat_age_ms, age, sizeof(age)), num_format_age(now->uptime_s * 1000, uptime, sizeof(uptime)),
		coherence_text(coherence));
	enum err_code code = cores_list(cli, pemon, err);
	if (!code) {
		cli_say(cli, "%s", "");
		code = ports_list(cli, pemon, false, err);
	}
	if (!code) {
		cli_say(cli, "%s", "");
		code = drops_list(cli, pemon, err);
	}
	if (!code) {
		cli_say(cli, "%s", "");
		say_events(cli, pemon);
	}
	return code;
}

enum err_code
show_run(struct cli *cli, struct err *err)
{
	struct pemon pemon;
	if (cli->format == CLI_CSV) {
		err_set(err, ERR_USAGE, "show is several tables, not one in CSV");
		return err_hint(err, "pemon cores -o csv, and the like of ports and drops");
	}
	enum err_code code = pemon_open(cli, &pemon, cli_has(cli, "interval") ? cli_number(cli, "interval") : DEFAULT_MS, err);
	if (code) {
		return code;
	}
	enum sample_coherence coherence = sample_judge(&pemon.seg, pemon.now->alive);
	code = cli_wants_json(cli) ? show_json(cli, &pemon, coherence, err) : show_table(cli, &pemon, coherence, err);
	pemon_close(&pemon);
	return code;
}
