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
whole_or_null(bool known, double number)
{
	return known ? json_integer((json_int_t)(number + 0.5)) : json_null();
}

static json_t *
name_json(const char *name, size_t size)
{
	char clean[SEG_DEVICE_SIZE];
	memcpy(clean, name, size);
	clean[size - 1] = '\0';
	return cli_json_text(clean);
}

static void
set_number(json_t *object, const char *key, uint64_t number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

static json_t *
l3_json(const struct sample_core *core)
{
	json_t *l3 = json_object();
	for (size_t i = 0; i < sample_nl3; i++) {
		set_number(l3, sample_l3[i].name, sample_l3_get(core, &sample_l3[i]));
	}
	return l3;
}

static json_t *
cores_json(const struct pemon *pemon)
{
	json_t *cores = json_array();
	for (unsigned i = 0; i < pemon->now->nodes; i++) {
		const struct sample_core *core = &pemon->now->core[i];
		const struct core_rates rates = sample_core_rates(pemon, i);
		json_t *row = json_object();
		set_number(row, "core", i);
		json_object_set_new(row, "role", json_string(pemon_role(pemon, i)));
		json_object_set_new(row, "cpu", core->cpu >= 0 ? json_integer(core->cpu) : json_null());
		json_object_set_new(row, "busy_pct", real_or_null(rates.has_rates, rates.busy_pct));
		set_number(row, "rx_packets", core->rx_packets);
		set_number(row, "tx_packets", core->tx_packets);
		json_object_set_new(row, "rx_pps", whole_or_null(rates.has_rates, rates.rx_pps));
		json_object_set_new(row, "tx_pps", whole_or_null(rates.has_rates, rates.tx_pps));
		json_object_set_new(row, "cycles_per_packet", real_or_null(rates.has_cycles, rates.cycles_per_packet));
		set_number(row, "messages_sent", core->messages_sent);
		set_number(row, "messages_received", core->messages_received);
		json_object_set_new(row, "ring_peak_pct", real_or_null(true, rates.ring_peak_pct));
		json_object_set_new(row, "l3", l3_json(core));
		json_array_append_new(cores, row);
	}
	return cores;
}

static json_t *
port_json(const struct pemon *pemon, unsigned number)
{
	const struct seg_port *port = &pemon->now->tables.port[number];
	struct seg_port_count now, then = {0};
	json_t *row = json_object();
	sample_port(pemon->now, number, &now);
	if (pemon->then) {
		sample_port(pemon->then, number, &then);
	}
	json_object_set_new(row, "port", name_json(port->name, sizeof(port->name)));
	json_object_set_new(row, "device", name_json(port->device, sizeof(port->device)));
	json_object_set_new(row, "link", json_string(sample_link(port)));
	set_number(row, "speed_bps", port->speed_bps);
	set_number(row, "rx_packets", now.rx_packets);
	set_number(row, "rx_bytes", now.rx_bytes);
	set_number(row, "tx_packets", now.tx_packets);
	set_number(row, "tx_bytes", now.tx_bytes);
	json_object_set_new(row, "rx_pps", whole_or_null(pemon->then, sample_rate(pemon, now.rx_packets, then.rx_packets)));
	json_object_set_new(row, "tx_pps", whole_or_null(pemon->then, sample_rate(pemon, now.tx_packets, then.tx_packets)));
	set_number(row, "rx_dropped", now.rx_dropped);
	set_number(row, "tx_dropped", now.tx_dropped);
	set_number(row, "rx_missed", port->rx_missed);
	return row;
}

static json_t *
ports_json(const struct pemon *pemon)
{
	json_t *ports = json_array();
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		if (sample_port_used(pemon->now, i)) {
			json_array_append_new(ports, port_json(pemon, i));
		}
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
				json_t *row = json_object();
				json_object_set_new(row, "reason", json_string(names_drop(reason)));
				set_number(row, "core", i);
				set_number(row, "packets", packets);
				json_array_append_new(drops, row);
			}
		}
	}
	return drops;
}

static const char *
coherence_text(enum sample_coherence coherence)
{
	if (coherence == SAMPLE_UNSETTLED) {
		return "settling";
	}
	return coherence == SAMPLE_COHERENT ? "coherent" : "NOT COHERENT (brtable, arpmgr and ndmgr verify say where)";
}

static enum err_code
show_json(struct cli *cli, const struct pemon *pemon, enum sample_coherence coherence, struct err *err)
{
	const struct sample *now = pemon->now;
	bool settled = coherence != SAMPLE_UNSETTLED;
	json_t *document = json_object();
	json_object_set_new(document, "appliance", json_string(pemon->seg.head.name));
	json_object_set_new(document, "state", json_string(now->state));
	set_number(document, "heartbeat_age_ms", now->heartbeat_age_ms);
	set_number(document, "uptime_s", now->uptime_s);
	json_object_set_new(document, "cores", cores_json(pemon));
	json_object_set_new(document, "ports", ports_json(pemon));
	json_object_set_new(document, "drops", drops_json(now));
	json_object_set_new(document, "coherent", settled ? json_boolean(coherence == SAMPLE_COHERENT) : json_null());
	return cli_print_json(cli, document, err);
}

static void
say_events(struct cli *cli, const struct pemon *pemon)
{
	uint32_t newest = seg_get_acquire(&seg_control(&pemon->seg)->events);
	for (uint32_t id = newest > LAST_EVENTS ? newest - LAST_EVENTS + 1 : 1; newest && id <= newest && id != 0; id++) {
		struct seg_event event;
		char clock[32];
		if (seg_read_event(&pemon->seg, id, &event)) {
			cli_say(cli, "%s  %s: %s", source_clock(&pemon->seg, event.time_ns, clock),
				names_severity(event.severity), pemon_plain(event.text));
		}
	}
}

static enum err_code
show_table(struct cli *cli, const struct pemon *pemon, enum sample_coherence coherence, struct err *err)
{
	const struct sample *now = pemon->now;
	char age[32], uptime[32];
	cli_say(cli, "%s: %s, %s %s ago, %s %s, %s\n", pemon->seg.head.name, now->state, now->alive ? "heartbeat" : "last seen",
		num_format_age(now->heartbeat_age_ms, age, sizeof(age)), now->alive ? "up" : "ran for",
		num_format_age(now->uptime_s * 1000, uptime, sizeof(uptime)), coherence_text(coherence));
	enum err_code code = cores_list(cli, pemon, err);
	if (!code) {
		cli_say(cli, "%s", "");
		code = ports_list(cli, pemon, false, err);
	}
	if (!code) {
		cli_say(cli, "%s", "");
		code = drops_list(cli, pemon, "nothing was dropped", err);
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
