/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the verbs of pemon share: a sample of the segment's counters, and two of them with an interval between for rates. One verb
 * a file.
 */
#ifndef PEKIT_PEMON_H
#define PEKIT_PEMON_H

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/source.h"
#include "core/names.h"

struct sample_drop {
	uint64_t packets, time_ns;
	uint16_t port, length;
	uint8_t bytes[SEG_SAMPLE_SIZE];
};

struct sample_core {
	int32_t cpu; /* -1: not pinned */
	uint64_t heartbeat_ns, cpu_ns, loops, busy_loops, busy_cycles, sleeps;
	uint64_t rx_packets, tx_packets, messages_sent, messages_received, ring_peak;
	uint64_t ring_waiting; /* most messages that wait now in one ring to this core */
	uint64_t class_packets[SEG_CLASSES];
	uint64_t channel_packets[SEG_MAX_CHANNELS];
	uint64_t fdb_entries, fdb_resyncs;
	struct seg_l3_count l3;
	struct seg_port_count port[SEG_MAX_PORTS];
	struct sample_drop drop[SEG_DROPS];
};

/* Do the cores' bridge tables agree? Unsettled: messages that explain the difference are on their way. */
enum sample_coherence { SAMPLE_UNSETTLED, SAMPLE_COHERENT, SAMPLE_DIFFERS };

struct sample {
	uint64_t taken_ns; /* by our clock: for rates */
	uint64_t now_ns;   /* the present by the segment's clock: for ages */
	const char *state;
	bool alive; /* the engine's process is there */
	uint64_t heartbeat_age_ms, uptime_s;
	uint32_t ring_slots;
	unsigned nodes; /* data cores and the control core, which is core[0] */
	struct seg_tables tables;
	struct sample_core core[SEG_MAX_NODES];
};

struct pemon {
	struct seg seg;
	struct sample *now;
	struct sample *then; /* NULL: one sample only, no rates */
};

/* ---- sample.c ---- */

/* The counters of struct seg_l3_count: their names in JSON (in export: core_l3_NAME), and what they are. */
struct sample_l3 {
	const char *name, *unit, *help;
	size_t offset;
	bool gauge;
};
extern const struct sample_l3 sample_l3[];
extern const size_t sample_nl3;

uint64_t
sample_l3_get(const struct sample_core *core, const struct sample_l3 *about);

struct sample *
sample_take(const struct seg *seg);

enum sample_coherence
sample_judge(const struct seg *seg, bool alive);

/* Growth a second from then to now; 0 when there was none or the counter began anew. */
double
sample_rate(const struct pemon *pemon, uint64_t now, uint64_t then);

bool
sample_port_used(const struct sample *sample, unsigned port);

/* The sum over all cores. */
void
sample_port(const struct sample *sample, unsigned port, struct seg_port_count *sum);

uint64_t
sample_age_ms(const struct sample *sample, uint64_t time_ns);

const char *
sample_link(const struct seg_port *port);

/* The port's name, or NULL. */
const char *
sample_port_name(const struct sample *sample, unsigned port);

/* Rates of one core over the interval; of a single sample they are unknown (has_rates false). */
struct core_rates {
	bool has_rates;
	double busy_pct, rx_pps, tx_pps, sent_ps, received_ps;
	bool has_cycles;
	double cycles_per_packet; /* of the interval when packets came in it, else since the start */
	double ring_pct, ring_peak_pct;
};

struct core_rates
sample_core_rates(const struct pemon *pemon, unsigned core);

/* ---- open.c ---- */

/* Opens the segment and takes a sample, or with an interval two, unless it is a saved copy. */
enum err_code
pemon_open(struct cli *cli, struct pemon *pemon, uint64_t interval_ms, struct err *err);

void
pemon_close(struct pemon *pemon);

/* A text of the segment made fit for a terminal: what is not ASCII becomes a question mark. Returns text. */
char *
pemon_plain(char *text);

/* "control", "data", or how a data core is that does not serve: "drained", "lost". */
const char *
pemon_role(const struct pemon *pemon, unsigned core);

/* ---- neighbors.c: messages about neighbours ---- */

bool
neighbors_message(const struct seg_msg *msg);

/* Whom a message is about, and what it says: an array of objects; empty for all other messages. */
json_t *
neighbors_json(const struct seg_tables *tables, const struct seg_msg *msg);

/* Of a neighbors_message(), for people. */
void
neighbors_text(const struct seg_tables *tables, const struct seg_msg *msg, char *text, size_t size);

/* ---- the verbs ---- */

enum err_code
show_run(struct cli *cli, struct err *err);
enum err_code
cores_run(struct cli *cli, struct err *err);
enum err_code
ports_run(struct cli *cli, struct err *err);
enum err_code
drops_run(struct cli *cli, struct err *err);
enum err_code
messages_run(struct cli *cli, struct err *err);
enum err_code
export_run(struct cli *cli, struct err *err);
enum err_code
live_run(struct cli *cli, struct err *err);

/* The listings, also as parts of show. */
enum err_code
cores_list(struct cli *cli, const struct pemon *pemon, struct err *err);
enum err_code
ports_list(struct cli *cli, const struct pemon *pemon, bool per_core, struct err *err);
/* none: what is said instead of a table without rows; NULL: nothing. */
enum err_code
drops_list(struct cli *cli, const struct pemon *pemon, const char *none, struct err *err);

#endif
