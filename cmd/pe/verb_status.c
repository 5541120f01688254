/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe status: what the segment says, and what only the engine itself can. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "cli/out.h"
#include "cli/source.h"
#include "core/names.h"
#include "io/ctl.h"
#include "verbs.h"

#define COHERENT_TRIES 20 /* of a millisecond: a message between two cores takes less */

static const struct out_column columns[] = {
	{.key = "port"},
	{.key = "device"},
	{.key = "enabled", .flags = OUT_WIDE},
	{.key = "link"},
	{.key = "faulty", .flags = OUT_WIDE},
	{.key = "speed_bps", .title = "SPEED", .flags = OUT_RIGHT},
	{.key = "mtu", .flags = OUT_RIGHT},
	{.key = "mac"},
	{.key = "rx_queues", .title = "RXQ", .flags = OUT_RIGHT},
	{.key = "tx_queues", .title = "TXQ", .flags = OUT_RIGHT},
	{.key = "bridge"},
	{.key = "driver", .flags = OUT_WIDE},
	{.key = "vf", .flags = OUT_WIDE},
	{.key = "filters", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "filters_wanted", .title = "WANTED", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = "filters_refused", .title = "REFUSED", .flags = OUT_RIGHT | OUT_WIDE},
	{.key = NULL},
};

struct status {
	const struct seg *seg;
	struct seg_tables tables;
	json_t *engine; /* what it answered; NULL: nothing */
	bool alive, ready, coherent;
	uint64_t uptime_ms, heartbeat_age_ms;
};

static bool
digests_agree(const struct seg *seg)
{
	const struct seg_core *first = seg_core(seg, 1);
	for (unsigned n = 2; n <= seg->head.ncores; n++) {
		const struct seg_core *core = seg_core(seg, n);
		if (!core || !first || seg_get(&core->fdb.digest) != seg_get(&first->fdb.digest) ||
			seg_get(&core->fdb.entries) != seg_get(&first->fdb.entries)) {
			return false;
		}
	}
	return true;
}

/* A difference that is gone in a moment was a message on its way. */
static bool
coherent(struct cli *cli, const struct seg *seg, bool alive)
{
	for (int i = 0; i < COHERENT_TRIES; i++) {
		if (digests_agree(seg)) {
			return true;
		}
		if (!alive || !cli_wait(cli, 1)) {
			break;
		}
	}
	return false;
}

static uint64_t
uptime_ms(const struct seg *seg, bool alive)
{
	const struct seg_header *shared = (const struct seg_header *)(const void *)seg->base;
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t end = alive ? (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec : seg_get(&shared->heartbeat_ns);
	return end > seg->head.created_ns ? (end - seg->head.created_ns) / 1000000u : 0;
}

static void
read_status(struct cli *cli, const struct seg *seg, struct status *status)
{
	struct err why;
	*status = (struct status){.seg = seg, .alive = seg_writer_alive(seg)};
	if (!seg_read_tables(seg, &status->tables)) {
		cli_note(cli, "the engine ended in the middle of a change of the configuration");
	}
	if (status->alive && !cli->saved && ctl_call(seg->head.name, "status", NULL, cli->timeout_ms, &status->engine, &why)) {
		cli_note(cli, "%s", why.message);
		status->engine = NULL;
	}
	status->ready = status->alive && strcmp(seg_state_name(seg), "ready") == 0;
	status->uptime_ms = uptime_ms(seg, status->alive);
	status->heartbeat_age_ms = seg_heartbeat_age_ns(seg) / 1000000;
	status->coherent = coherent(cli, seg, status->alive);
}

static const char *
bridge_name(const struct status *status, const struct seg_port *port)
{
	return port->bridge && port->bridge < SEG_MAX_BRIDGES ? status->tables.bridge[port->bridge].name : NULL;
}

static const char *
link_word(const struct seg_port *port)
{
	if (port->flags & SEG_PORT_FAULTY) {
		return "faulty";
	}
	if (!(port->flags & SEG_PORT_ENABLED)) {
		return "disabled";
	}
	return port->flags & SEG_PORT_ABSENT ? "absent" : port->flags & SEG_PORT_LINK ? "up" : "down";
}

static json_t *
port_json(const struct status *status, const struct seg_port *port)
{
	char mac[MAC_TEXT_SIZE];
	return json_pack("{s:o, s:o, s:b, s:s, s:b, s:I, s:i, s:s, s:i, s:i, s:o, s:o, s:b, s:I, s:I, s:I}", "port",
		cli_json_text(port->name), "device", cli_json_text(port->device), "enabled",
		(port->flags & SEG_PORT_ENABLED) != 0, "link", link_word(port), "faulty", (port->flags & SEG_PORT_FAULTY) != 0,
		"speed_bps", (json_int_t)port->speed_bps, "mtu", (int)port->mtu, "mac", mac_format(port->mac, mac), "rx_queues",
		(int)port->rx_queues, "tx_queues", (int)port->tx_queues, "bridge", cli_json_text(bridge_name(status, port)),
		"driver", cli_json_text(port->driver[0] ? port->driver : NULL), "vf", (port->flags & SEG_PORT_VF) != 0, "filters",
		(json_int_t)port->filters, "filters_wanted", (json_int_t)port->filters_wanted, "filters_refused",
		(json_int_t)port->filters_refused);
}

static json_t *
engine_value(const struct status *status, const char *key)
{
	json_t *value = json_incref(json_object_get(status->engine, key));
	return value ? value : json_null();
}

static json_t *
roles_json(const struct seg *seg)
{
	const struct seg_control *words = seg_control(seg);
	json_t *roles = json_array();
	for (unsigned i = 1; i <= seg->head.ncores; i++) {
		json_array_append_new(
			roles, json_pack("{s:i, s:s, s:b}", "core", (int)i, "role", names_role(seg_get(&words->role[i])),
				       "master", seg_get(&words->master) == i));
	}
	return roles;
}

static json_t *
routes_json(const struct seg *seg)
{
	const struct seg_control *words = seg_control(seg);
	return json_pack("{s:I, s:I, s:I}", "ipv4", (json_int_t)seg_get(&words->routes[SEG_IPV4]), "ipv6",
		(json_int_t)seg_get(&words->routes[SEG_IPV6]), "fib_bytes", (json_int_t)seg_get(&words->fib_bytes));
}

static void
say_routes(struct cli *cli, const struct seg *seg)
{
	const struct seg_control *words = seg_control(seg);
	uint64_t four = seg_get(&words->routes[SEG_IPV4]), six = seg_get(&words->routes[SEG_IPV6]);
	if (four || six) {
		cli_say(cli, "%" PRIu64 " IPv4 and %" PRIu64 " IPv6 routes, compiled into %" PRIu64 " MiB", four, six,
			seg_get(&words->fib_bytes) >> 20);
	}
}

static enum err_code
print_json(struct cli *cli, const struct status *status, struct err *err)
{
	const struct seg *seg = status->seg;
	json_t *ports = json_array();
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		if (status->tables.port[i].flags & SEG_PORT_USED) {
			json_array_append_new(ports, port_json(status, &status->tables.port[i]));
		}
	}
	return cli_print_json(cli,
		json_pack("{s:s, s:s, s:b, s:i, s:o, s:I, s:I, s:I, s:i, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			"appliance", seg->head.name, "state", seg_state_name(seg), "alive", status->alive, "pid",
			(int)seg->head.writer_pid, "release", cli_json_text(seg->head.release), "uptime_s",
			(json_int_t)status->uptime_ms / 1000, "heartbeat_age_ms", (json_int_t)status->heartbeat_age_ms,
			"generation", (json_int_t)status->tables.generation, "cores", (int)seg->head.ncores, "roles",
			roles_json(seg), "coherent", status->coherent, "config_file", engine_value(status, "config_file"),
			"confirm_left_ms", engine_value(status, "confirm_left_ms"), "hugepages",
			engine_value(status, "hugepages"), "log_level", engine_value(status, "log_level"), "mbufs",
			engine_value(status, "mbufs"), "routes", routes_json(seg), "ports", ports),
		err);
}

static void
print_head(struct cli *cli, const struct status *status)
{
	const struct seg *seg = status->seg;
	char age[40];
	const char *file = json_string_value(json_object_get(status->engine, "config_file"));
	cli_say(cli, "%s: %s, pid %" PRIu32 ", %s %s", seg->head.name, seg_state_name(seg), seg->head.writer_pid,
		status->alive ? "up" : "ran for", num_format_age(status->uptime_ms, age, sizeof(age)));
	cli_say(cli, "configuration %" PRIu64 "%s%s", status->tables.generation, file ? " of " : "", file ? file : "");
	if (json_is_integer(json_object_get(status->engine, "confirm_left_ms"))) {
		uint64_t left = (uint64_t)json_integer_value(json_object_get(status->engine, "confirm_left_ms"));
		cli_say(cli, "taken back in %s unless you say: pe confirm", num_format_age(left, age, sizeof(age)));
	}
	cli_say(cli, "%" PRIu32 " data core%s, tables %s", seg->head.ncores, seg->head.ncores == 1 ? "" : "s",
		status->coherent ? "coherent" : "differ: brtable verify");
	for (unsigned i = 1; i <= seg->head.ncores; i++) {
		unsigned role = seg_get(&seg_control(seg)->role[i]);
		if (role != SEG_ROLE_SERVING) {
			cli_say(cli, "core %u is %s; the others do its work%s", i, names_role(role),
				role == SEG_ROLE_DRAINED ? "; pe undrain" : "");
		}
	}
	say_routes(cli, seg);
	const json_t *mbufs = json_object_get(status->engine, "mbufs");
	if (mbufs) {
		cli_say(cli, "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " mbufs free",
			json_integer_value(json_object_get(mbufs, "free")), json_integer_value(json_object_get(mbufs, "total")));
	}
}

static void
print_port(struct out *out, const struct status *status, const struct seg_port *port)
{
	char text[32];
	out_text(out, port->name);
	out_text(out, port->device);
	out_bool(out, port->flags & SEG_PORT_ENABLED);
	out_text(out, link_word(port));
	out_bool(out, port->flags & SEG_PORT_FAULTY);
	out_number_as(out, port->speed_bps, port->speed_bps ? num_format_si(port->speed_bps, text, sizeof(text)) : "-");
	out_number(out, port->mtu);
	out_text(out, mac_format(port->mac, text));
	out_number(out, port->rx_queues);
	out_number(out, port->tx_queues);
	out_text(out, bridge_name(status, port));
	out_text(out, port->driver[0] ? port->driver : NULL);
	out_bool(out, port->flags & SEG_PORT_VF);
	out_number(out, port->filters);
	out_number(out, port->filters_wanted);
	out_number(out, port->filters_refused);
	out_row(out);
}

static enum err_code
print_table(struct cli *cli, const struct status *status, struct err *err)
{
	if (cli->format != CLI_CSV) {
		print_head(cli, status);
	}
	struct out *out = out_open(cli, columns);
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		if (status->tables.port[i].flags & SEG_PORT_USED) {
			print_port(out, status, &status->tables.port[i]);
		}
	}
	return out_close(out, err);
}

enum err_code
verb_status(struct cli *cli, struct err *err)
{
	struct seg seg;
	static struct status status; /* large */
	enum err_code code = source_open(cli, &seg, err);
	if (code) {
		return code;
	}
	read_status(cli, &seg, &status);
	code = cli_wants_json(cli) ? print_json(cli, &status, err) : print_table(cli, &status, err);
	json_decref(status.engine);
	seg_detach(&seg);
	if (code || cli->saved) {
		return code;
	}
	/* The exit status alone: the answer has been printed. */
	err->message[0] = '\0';
	return status.ready ? ERR_NONE : status.alive ? ERR_FAILED : ERR_NO_ENGINE;
}
