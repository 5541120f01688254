/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pemon export: all counters as OpenMetrics 1.0 text, for a textfile collector or an HTTP wrapper. One family after the other,
 * with every core and port in it. Nothing is a rate: the one who scrapes computes them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pemon.h"

struct export
{
	const struct pemon *pemon;
	const char *appliance;
};

enum family_type { COUNTER, GAUGE };

/* HELP, TYPE and UNIT of a family; the name ends with the unit, where there is one (OpenMetrics 1.0, "UNIT"). */
static void
family(const char *name, enum family_type type, const char *unit, const char *help)
{
	printf("# TYPE pekit_%s %s\n", name, type == COUNTER ? "counter" : "gauge");
	if (unit) {
		printf("# UNIT pekit_%s %s\n", name, unit);
	}
	printf("# HELP pekit_%s %s.\n", name, help);
}

/* A label's value. Backslash and quote are escaped; control characters and bytes above ASCII never occur in names. */
static void
label(const char *separator, const char *key, const char *value, size_t size)
{
	printf("%s%s=\"", separator, key);
	for (size_t i = 0; i < size && value[i]; i++) {
		unsigned char c = (unsigned char)value[i];
		if (c == '\\' || c == '"') {
			putchar('\\');
		}
		putchar(c < 0x20 || c >= 0x7f ? '?' : c);
	}
	putchar('"');
}

/* Opens a sample's labels; the caller adds its own and calls value(). */
static void
open_sample(const struct export *export, const char *name, enum family_type type)
{
	printf("pekit_%s%s", name, type == COUNTER ? "_total" : "");
	label("{", "appliance", export->appliance, SEG_NAME_SIZE);
}

static void
label_number(const char *key, unsigned number)
{
	printf(",%s=\"%u\"", key, number);
}

static void
value(uint64_t number)
{
	printf("} %" PRIu64 "\n", number);
}

static void
value_seconds(uint64_t ns)
{
	printf("} %" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

/* ---- the engine ------------------------------------------------------------------------------------------------- */

static void
export_engine(const struct export *export)
{
	static const char *const states[] = {"starting", "ready", "stopping", "stopped", "dead", "saved"};
	const struct sample *now = export->pemon->now;
	puts("# TYPE pekit_engine info\n# HELP pekit_engine The pekit that wrote the data.");
	printf("pekit_engine_info");
	label("{", "appliance", export->appliance, SEG_NAME_SIZE);
	label(",", "release", export->pemon->seg.head.release, sizeof(export->pemon->seg.head.release));
	value(1);
	puts("# TYPE pekit_engine_state stateset\n# HELP pekit_engine_state What the engine does.");
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		open_sample(export, "engine_state", GAUGE);
		label(",", "pekit_engine_state", states[i], 16);
		value(strcmp(now->state, states[i]) == 0);
	}
	family("engine_heartbeat_age_seconds", GAUGE, "seconds", "Time since the engine's last heartbeat");
	open_sample(export, "engine_heartbeat_age_seconds", GAUGE);
	value_seconds(now->heartbeat_age_ms * 1000000);
	family("engine_uptime_seconds", GAUGE, "seconds", "How long the engine has run");
	open_sample(export, "engine_uptime_seconds", GAUGE);
	value_seconds(now->uptime_s * 1000000000);
	enum sample_coherence coherence = sample_judge(&export->pemon->seg, now->alive);
	puts("# TYPE pekit_fdb_coherence stateset\n# HELP pekit_fdb_coherence Do the cores' bridge tables agree?");
	static const char *const words[] = {
		[SAMPLE_UNSETTLED] = "settling", [SAMPLE_COHERENT] = "coherent", [SAMPLE_DIFFERS] = "differs"};
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		open_sample(export, "fdb_coherence", GAUGE);
		label(",", "pekit_fdb_coherence", words[i], 16);
		value(coherence == i);
	}
}

/* ---- cores ------------------------------------------------------------------------------------------------------ */

static const struct core_family {
	const char *name;
	enum family_type type;
	const char *unit, *help;
	size_t offset; /* of a uint64_t in struct sample_core */
	bool ns;       /* nanoseconds, exported as seconds */
} core_families[] = {
	{"core_cpu_seconds", COUNTER, "seconds", "Thread CPU time", offsetof(struct sample_core, cpu_ns), true},
	{"core_busy_cycles", COUNTER, "cycles", "Cycles spent in loops that found work",
		offsetof(struct sample_core, busy_cycles), false},
	{"core_loops", COUNTER, NULL, "Loops", offsetof(struct sample_core, loops), false},
	{"core_busy_loops", COUNTER, NULL, "Loops that found work", offsetof(struct sample_core, busy_loops), false},
	{"core_sleeps", COUNTER, NULL, "Times it slept", offsetof(struct sample_core, sleeps), false},
	{"core_rx_packets", COUNTER, "packets", "Packets worked on", offsetof(struct sample_core, rx_packets), false},
	{"core_tx_packets", COUNTER, "packets", "Packets sent", offsetof(struct sample_core, tx_packets), false},
	{"core_messages_sent", COUNTER, NULL, "Messages sent to other cores", offsetof(struct sample_core, messages_sent), false},
	{"core_messages_received", COUNTER, NULL, "Messages taken from other cores",
		offsetof(struct sample_core, messages_received), false},
	{"core_ring_waiting", GAUGE, NULL, "Most messages that wait in one ring", offsetof(struct sample_core, ring_waiting),
		false},
	{"core_ring_peak", GAUGE, NULL, "Most messages ever found in one ring", offsetof(struct sample_core, ring_peak), false},
	{"core_fdb_entries", GAUGE, NULL, "Live entries of its bridge table", offsetof(struct sample_core, fdb_entries), false},
	{"core_fdb_resyncs", COUNTER, NULL, "Times a full ring made it go over its table",
		offsetof(struct sample_core, fdb_resyncs), false},
};

static void
export_l3(const struct export *export)
{
	const struct sample *now = export->pemon->now;
	for (size_t f = 0; f < sample_nl3; f++) {
		const struct sample_l3 *about = &sample_l3[f];
		enum family_type type = about->gauge ? GAUGE : COUNTER;
		char name[64];
		snprintf(name, sizeof(name), "core_l3_%s_%s", about->name, about->unit);
		family(name, type, about->unit, about->help);
		for (unsigned i = 1; i < now->nodes; i++) {
			open_sample(export, name, type);
			label_number("core", i);
			value(sample_l3_get(&now->core[i], about));
		}
	}
}

static void
export_cores(const struct export *export)
{
	const struct sample *now = export->pemon->now;
	for (size_t f = 0; f < sizeof(core_families) / sizeof(core_families[0]); f++) {
		const struct core_family *about = &core_families[f];
		family(about->name, about->type, about->unit, about->help);
		for (unsigned i = 0; i < now->nodes; i++) {
			uint64_t number;
			memcpy(&number, (const uint8_t *)&now->core[i] + about->offset, sizeof(number));
			open_sample(export, about->name, about->type);
			label_number("core", i);
			if (about->ns) {
				value_seconds(number);
			} else {
				value(number);
			}
		}
	}
	family("core_class_packets", COUNTER, "packets", "Packets by what the bridge decided");
	for (unsigned i = 1; i < now->nodes; i++) {
		for (unsigned c = 0; c < SEG_CLASSES; c++) {
			open_sample(export, "core_class_packets", COUNTER);
			label_number("core", i);
			label(",", "class", names_class(c), 16);
			value(now->core[i].class_packets[c]);
		}
	}
	family("core_drop_packets", COUNTER, "packets", "Packets dropped by reason");
	for (unsigned i = 1; i < now->nodes; i++) {
		for (unsigned reason = 0; reason < SEG_DROPS; reason++) {
			if (names_drop_known(reason)) {
				open_sample(export, "core_drop_packets", COUNTER);
				label_number("core", i);
				label(",", "reason", names_drop(reason), 32);
				value(now->core[i].drop[reason].packets);
			}
		}
	}
	export_l3(export);
}

/* ---- ports ------------------------------------------------------------------------------------------------------ */

static const struct port_family {
	const char *name, *unit, *help;
	size_t offset; /* of a uint64_t in struct seg_port_count */
} port_families[] = {
	{"port_rx_packets", "packets", "Packets received", offsetof(struct seg_port_count, rx_packets)},
	{"port_rx_bytes", "bytes", "Bytes received", offsetof(struct seg_port_count, rx_bytes)},
	{"port_tx_packets", "packets", "Packets sent", offsetof(struct seg_port_count, tx_packets)},
	{"port_tx_bytes", "bytes", "Bytes sent", offsetof(struct seg_port_count, tx_bytes)},
	{"port_rx_dropped_packets", "packets", "Packets dropped on their way in", offsetof(struct seg_port_count, rx_dropped)},
	{"port_tx_dropped_packets", "packets", "Packets dropped on their way out", offsetof(struct seg_port_count, tx_dropped)},
	{"port_steered_packets", "packets", "Packets handed to another core", offsetof(struct seg_port_count, steered)},
	{"port_csum_unfinished_packets", "packets", "Packets whose checksum was completed",
		offsetof(struct seg_port_count, csum_unfinished)},
};

static void
open_port(const struct export *export, const char *name, enum family_type type, unsigned port)
{
	open_sample(export, name, type);
	label(",", "port", export->pemon->now->tables.port[port].name, SEG_NAME_SIZE);
}

static void
export_port_states(const struct export *export)
{
	const struct sample *now = export->pemon->now;
	static const char *const gauges[] = {
		"port_link_up", "port_speed_bits_per_second", "port_rx_missed_packets", "port_link_changes"};
	static const char *const help[] = {"1 when it is enabled and has link, else 0", "Speed of the link, 0 when unknown",
		"Packets that the device itself lost", "Times the link changed"};
	static const char *const units[] = {NULL, "bits_per_second", "packets", NULL};
	for (unsigned f = 0; f < 4; f++) {
		enum family_type type = f < 2 ? GAUGE : COUNTER;
		family(gauges[f], type, units[f], help[f]);
		for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
			const struct seg_port *port = &now->tables.port[i];
			const uint64_t numbers[] = {
				strcmp(sample_link(port), "up") == 0, port->speed_bps, port->rx_missed, port->link_changes};
			if (sample_port_used(now, i)) {
				open_port(export, gauges[f], type, i);
				value(numbers[f]);
			}
		}
	}
}

static void
export_ports(const struct export *export)
{
	const struct sample *now = export->pemon->now;
	for (size_t f = 0; f < sizeof(port_families) / sizeof(port_families[0]); f++) {
		const struct port_family *about = &port_families[f];
		family(about->name, COUNTER, about->unit, about->help);
		for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
			for (unsigned core = 1; sample_port_used(now, i) && core < now->nodes; core++) {
				uint64_t number;
				memcpy(&number, (const uint8_t *)&now->core[core].port[i] + about->offset, sizeof(number));
				open_port(export, about->name, COUNTER, i);
				label_number("core", core);
				value(number);
			}
		}
	}
	family("channel_packets", COUNTER, "packets", "Packets that the bridge forwarded to a channel");
	for (unsigned i = 1; i < SEG_MAX_CHANNELS; i++) {
		for (unsigned core = 1; sample_port_name(now, i) && core < now->nodes; core++) {
			open_sample(export, "channel_packets", COUNTER);
			label(",", "channel", sample_port_name(now, i), SEG_NAME_SIZE);
			label_number("core", core);
			value(now->core[core].channel_packets[i]);
		}
	}
	export_port_states(export);
}

enum err_code
export_run(struct cli *cli, struct err *err)
{
	struct pemon pemon;
	enum err_code code = pemon_open(cli, &pemon, 0, err);
	if (code) {
		return code;
	}
	const struct export export = {.pemon = &pemon, .appliance = pemon.seg.head.name};
	export_engine(&export);
	export_cores(&export);
	export_ports(&export);
	puts("# EOF");
	pemon_close(&pemon);
	return ERR_NONE;
}
