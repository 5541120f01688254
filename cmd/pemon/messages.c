/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pemon messages: what the cores told each other, all traces and the control core's events in one order of time. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/num.h"
#include "pemon.h"

#define POLL_MS 100
#define TO_ALL 255
#define FLUSH_STATIC 1u /* FDB_FLUSH_STATIC of lib/fdb/replica.h */

static const struct out_column columns[] = {
	{.key = "time_ms", .title = "TIME", .width = 12},
	{.key = "from", .flags = OUT_RIGHT, .width = 4},
	{.key = "to", .flags = OUT_RIGHT, .width = 3},
	{.key = "kind", .width = 12},
	{.key = "seq", .flags = OUT_RIGHT, .width = 6},
	{.key = "cause", .width = 7},
	{.key = "event", .flags = OUT_RIGHT | OUT_WIDE, .width = 5},
	{.key = "keys", .flags = OUT_NO_TABLE},
	{.key = "neighbors", .flags = OUT_NO_TABLE},
	{.key = "port", .flags = OUT_NO_TABLE},
	{.key = "type", .flags = OUT_NO_TABLE},
	{.key = "lost", .flags = OUT_NO_TABLE},
	{.key = "level", .flags = OUT_NO_TABLE},
	{.key = "text", .flags = OUT_NO_TABLE},
	{.key = "what", .flags = OUT_NO_JSON},
	{.key = NULL},
};

enum record_kind { RECORD_MSG, RECORD_EVENT, RECORD_LOST };

struct record {
	enum record_kind kind;
	unsigned core;
	uint64_t time_ns, serial; /* serial: the order within a core */
	uint64_t lost;
	struct seg_msg msg;
	uint32_t event;
};

struct traces {
	struct cli *cli;
	struct seg seg;
	struct seg_tables *tables;
	uint64_t next[SEG_MAX_NODES];
	uint32_t next_event;
	struct record *record;
	size_t n, room;
	struct out *out;
};

static volatile sig_atomic_t stopped;

static void
on_stop(int number)
{
	(void)number;
	stopped = 1;
}

/* ---- words --------------------------------------------------------------------------------------------------------- */

struct key_names {
	char mac[MAC_TEXT_SIZE];
	const char *bridge; /* NULL: not known any more */
	unsigned vlan;
};

static struct key_names
name_key(const struct traces *traces, uint64_t key)
{
	const struct seg_fid fid = traces->tables->fid[(uint16_t)key % SEG_MAX_FIDS];
	struct key_names names = {.vlan = fid.vid};
	mac_format(key >> 16, names.mac);
	if (fid.bridge > 0 && fid.bridge < SEG_MAX_BRIDGES) {
		names.bridge = traces->tables->bridge[fid.bridge].name;
	}
	return names;
}

static const char *
channel_name(const struct traces *traces, unsigned channel)
{
	const char *name = traces->tables->channel_name[channel % SEG_MAX_CHANNELS];
	return channel > 0 && channel < SEG_MAX_CHANNELS && name[0] ? name : NULL;
}

static bool
has_value(const struct seg_msg *msg)
{
	return msg->kind == SEG_MSG_FDB_ADD || msg->kind == SEG_MSG_FDB_SET;
}

/* Keys of a message: its first words. The fourth of a deletion is its flush sequence (lib/fdb/replica.h). */
static unsigned
key_count(const struct seg_msg *msg)
{
	if (msg->kind == SEG_MSG_FDB_DEL || msg->kind == SEG_MSG_FDB_USED) {
		return msg->n < 3 ? msg->n : 3;
	}
	return has_value(msg) || msg->kind == SEG_MSG_FDB_UNSET ? 1 : 0;
}

static unsigned
message_channel(const struct seg_msg *msg)
{
	if (msg->kind == SEG_MSG_FDB_FLUSH) {
		return (unsigned)(msg->word[1] >> 16) & 0xffff;
	}
	return has_value(msg) ? SEG_VALUE_CHANNEL(msg->word[1]) : 0;
}

static const char *
message_type(const struct seg_msg *msg)
{
	if (!has_value(msg)) {
		return NULL;
	}
	return msg->word[1] & SEG_VALUE_STATIC ? "static" : msg->word[1] & SEG_VALUE_STICKY ? "sticky" : "dynamic";
}

static json_t *
key_json(const struct traces *traces, uint64_t key, bool any_mac)
{
	struct key_names names = name_key(traces, key);
	return json_pack("{s:s?, s:o, s:o}", "mac", any_mac ? NULL : names.mac, "vlan",
		names.bridge ? json_integer(names.vlan) : json_null(), "bridge", cli_json_text(names.bridge));
}

static json_t *
keys_json(const struct traces *traces, const struct seg_msg *msg)
{
	json_t *keys = json_array();
	for (unsigned i = 0; i < key_count(msg); i++) {
		json_array_append_new(keys, key_json(traces, msg->word[i], false));
	}
	if (msg->kind == SEG_MSG_FDB_FLUSH && msg->word[0]) {
		json_array_append_new(keys, key_json(traces, msg->word[0], false));
	} else if (msg->kind == SEG_MSG_FDB_FLUSH && (msg->word[1] & 0xffff)) {
		json_array_append_new(keys, key_json(traces, msg->word[1] & 0xffff, true));
	}
	return keys;
}

struct text {
	char at[400];
	size_t used;
};

static void __attribute__((format(printf, 2, 3))) say(struct text *text, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text->at + text->used, sizeof(text->at) - text->used, fmt, args);
	va_end(args);
	if (n > 0) {
		size_t used = text->used + (size_t)n;
		text->used = used < sizeof(text->at) ? used : sizeof(text->at) - 1;
	}
}

static void
say_key(const struct traces *traces, uint64_t key, bool any_mac, struct text *text)
{
	struct key_names names = name_key(traces, key);
	say(text, "%s%s", text->used ? " " : "", any_mac ? "all" : names.mac);
	if (names.bridge) {
		say(text, " vlan %u %s", names.vlan, names.bridge);
	} else {
		say(text, " fid %u", (unsigned)(key & 0xffff));
	}
}

static void
say_message(const struct traces *traces, const struct seg_msg *msg, struct text *text)
{
	unsigned channel = message_channel(msg);
	const char *port = channel_name(traces, channel), *type = message_type(msg);
	if (neighbors_message(msg)) {
		char neighbor[200];
		neighbors_text(traces->tables, msg, neighbor, sizeof(neighbor));
		say(text, "%s", neighbor);
		return;
	}
	for (unsigned i = 0; i < key_count(msg); i++) {
		say(text, "%s", i ? "," : "");
		say_key(traces, msg->word[i], false, text);
	}
	if (msg->kind == SEG_MSG_FDB_FLUSH) {
		uint64_t fid = msg->word[1] & 0xffff;
		if (msg->word[0] || fid) {
			say_key(traces, msg->word[0] ? msg->word[0] : fid, !msg->word[0], text);
		} else {
			say(text, "all");
		}
		say(text, "%s", msg->word[2] & FLUSH_STATIC ? " with static ones" : "");
	}
	if (channel) {
		say(text, msg->kind == SEG_MSG_FDB_FLUSH ? " of " : " -> ");
		say(text, port ? "%s" : "channel %s%u", port ? port : "", channel);
	}
	if (type && strcmp(type, "dynamic") != 0) {
		say(text, " %s", type);
	}
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static const char *
record_kind(const struct record *record)
{
	if (record->kind == RECORD_MSG) {
		return names_msg(record->msg.kind);
	}
	return record->kind == RECORD_EVENT ? "event" : "lost";
}

static void
out_head(const struct traces *traces, const struct record *record)
{
	const struct seg_msg *msg = record->kind == RECORD_MSG ? &record->msg : NULL;
	char text[32];
	source_clock(&traces->seg, record->time_ns, text);
	out_number_as(traces->out, source_wall_ms(&traces->seg, record->time_ns), text);
	out_number(traces->out, record->core);
	if (msg && msg->to != TO_ALL) {
		out_number(traces->out, msg->to);
	} else if (msg && !cli_wants_json(traces->cli)) {
		out_text(traces->out, "all");
	} else {
		out_null(traces->out);
	}
	out_text(traces->out, record_kind(record));
	if (msg) {
		snprintf(text, sizeof(text), "%u.%u", msg->cause >> 25, msg->cause & 0x1ffffff);
		out_number(traces->out, msg->seq);
		out_text(traces->out, text);
	} else {
		out_null(traces->out);
		out_null(traces->out);
	}
	if (record->event) {
		out_number(traces->out, record->event);
	} else {
		out_null(traces->out);
	}
}

static void
out_message(const struct traces *traces, const struct record *record)
{
	const struct seg_msg *msg = &record->msg;
	struct seg_event event;
	struct text what = {.used = 0};
	bool caused = msg->event && seg_read_event(&traces->seg, msg->event, &event);
	json_t *keys = keys_json(traces, msg), *neighbors = neighbors_json(traces->tables, msg);
	out_head(traces, record);
	out_json(traces->out, keys);
	out_json(traces->out, neighbors);
	json_decref(keys);
	json_decref(neighbors);
	out_text(traces->out, channel_name(traces, message_channel(msg)));
	out_text(traces->out, message_type(msg));
	out_null(traces->out);
	out_text(traces->out, caused ? names_severity(event.severity) : NULL);
	out_text(traces->out, caused ? event.text : NULL);
	say_message(traces, msg, &what);
	if (caused) {
		say(&what, " (%s)", pemon_plain(event.text));
	}
	out_text(traces->out, what.at);
}

static void
out_remark(const struct traces *traces, const struct record *record)
{
	struct seg_event event = {.text = ""};
	struct text what = {.used = 0};
	out_head(traces, record);
	out_null(traces->out);
	out_null(traces->out);
	out_null(traces->out);
	out_null(traces->out);
	if (record->kind == RECORD_LOST) {
		say(&what, "%llu records were overwritten before they were read", (unsigned long long)record->lost);
		out_number(traces->out, record->lost);
		out_null(traces->out);
	} else {
		bool there = seg_read_event(&traces->seg, record->event, &event);
		say(&what, "%s%s%s", there ? names_severity(event.severity) : "overwritten", there ? ": " : "",
			pemon_plain(event.text));
		out_null(traces->out);
		out_text(traces->out, there ? names_severity(event.severity) : NULL);
	}
	out_text(traces->out, record->kind == RECORD_EVENT ? event.text : what.at);
	out_text(traces->out, what.at);
}

static bool
wanted(const struct cli *cli, const struct record *record)
{
	const char *kind = record_kind(record);
	const struct cli_value *value;
	bool any = !cli_has(cli, "kind");
	for (size_t i = 0; (value = cli_nth(cli, "kind", i)); i++) {
		any = any || strcmp(value->text, kind) == 0;
	}
	if (cli_has(cli, "cause")) {
		char text[24];
		snprintf(text, sizeof(text), "%u.%u", record->msg.cause >> 25, record->msg.cause & 0x1ffffff);
		any = any && record->kind == RECORD_MSG && strcmp(text, cli_text(cli, "cause")) == 0;
	}
	return any && (!cli_has(cli, "core") || record->core == cli_number(cli, "core"));
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static bool
add(struct traces *traces, const struct record *record)
{
	if (!wanted(traces->cli, record)) {
		return true;
	}
	if (traces->n == traces->room) {
		size_t room = traces->room ? 2 * traces->room : 256;
		struct record *larger = realloc(traces->record, room * sizeof(*larger));
		if (!larger) {
			return false;
		}
		traces->record = larger;
		traces->room = room;
	}
	traces->record[traces->n++] = *record;
	return true;
}

static bool
gather_core(struct traces *traces, unsigned core, bool first)
{
	static struct seg_msg msg[SEG_TRACE];
	uint64_t lost;
	size_t n = seg_read_trace(&traces->seg, core, &traces->next[core], msg, SEG_TRACE, &lost);
	bool ok = true;
	/* At first, what is gone is what was too old for the trace. */
	if (lost && !first) {
		ok = add(traces, &(struct record){.kind = RECORD_LOST,
					 .core = core,
					 .lost = lost,
					 .time_ns = n ? msg[0].time_ns : seg_get(&seg_core(&traces->seg, core)->heartbeat_ns)});
	}
	for (size_t i = 0; ok && i < n; i++) {
		ok = add(traces, &(struct record){.kind = RECORD_MSG,
					 .core = core,
					 .time_ns = msg[i].time_ns,
					 .serial = 1 + i,
					 .msg = msg[i],
					 .event = msg[i].event});
	}
	return ok;
}

static bool
gather_events(struct traces *traces)
{
	uint32_t newest = seg_get_acquire(&seg_control(&traces->seg)->events);
	bool ok = true;
	if (newest - traces->next_event >= SEG_EVENTS) {
		traces->next_event = newest - SEG_EVENTS;
	}
	for (; ok && traces->next_event != newest; traces->next_event++) {
		struct seg_event event;
		if (seg_read_event(&traces->seg, traces->next_event + 1, &event)) {
			ok = add(traces,
				&(struct record){
					.kind = RECORD_EVENT, .time_ns = event.time_ns, .serial = event.id, .event = event.id});
		}
	}
	return ok;
}

static int
compare(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	if (x->time_ns != y->time_ns) {
		return x->time_ns < y->time_ns ? -1 : 1;
	}
	if (x->core != y->core) {
		return x->core < y->core ? -1 : 1;
	}
	return (x->serial > y->serial) - (x->serial < y->serial);
}

/* All that is new, the last `limit` of it. */
static enum err_code
print_new(struct traces *traces, uint64_t limit, bool first, struct err *err)
{
	bool ok = gather_events(traces);
	traces->n = ok ? traces->n : 0;
	for (unsigned i = 0; ok && i <= traces->seg.head.ncores; i++) {
		ok = gather_core(traces, i, first);
	}
	if (!ok) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (traces->n > 0) {
		(void)seg_read_tables(&traces->seg, traces->tables);
		qsort(traces->record, traces->n, sizeof(*traces->record), compare);
	}
	for (size_t i = traces->n > limit ? traces->n - (size_t)limit : 0; i < traces->n; i++) {
		if (traces->record[i].kind == RECORD_MSG) {
			out_message(traces, &traces->record[i]);
		} else {
			out_remark(traces, &traces->record[i]);
		}
		out_row(traces->out);
	}
	traces->n = 0;
	return ERR_NONE;
}

/* The engine was started again: its traces are new ones. */
static enum err_code
follow_next(struct traces *traces, struct err *err)
{
	char name[SEG_NAME_SIZE];
	snprintf(name, sizeof(name), "%s", traces->seg.head.name);
	seg_detach(&traces->seg);
	memset(traces->next, 0, sizeof(traces->next));
	traces->next_event = 0;
	cli_note(traces->cli, "the engine of %s was started again", name);
	return seg_attach(&traces->seg, name, err);
}

static enum err_code
follow(struct traces *traces, struct err *err)
{
	const struct sigaction action = {.sa_handler = on_stop};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	enum err_code code = ERR_NONE;
	while (!code && cli_wait(traces->cli, POLL_MS) && !stopped) {
		code = print_new(traces, UINT64_MAX, false, err);
		if (!code && seg_replaced(&traces->seg)) {
			code = follow_next(traces, err);
		}
	}
	return code;
}

enum err_code
messages_run(struct cli *cli, struct err *err)
{
	struct traces traces = {.cli = cli, .tables = calloc(1, sizeof(*traces.tables))};
	bool follows = cli_has(cli, "follow");
	if (!traces.tables) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	enum err_code code = source_open(cli, &traces.seg, err);
	if (!code && cli_has(cli, "core") && cli_number(cli, "core") > traces.seg.head.ncores) {
		code = err_set(err, ERR_NOT_FOUND, "--core %s: no such core", cli_text(cli, "core"));
		err_hint(err, "0 to %u", traces.seg.head.ncores);
		seg_detach(&traces.seg);
	}
	if (!code) {
		traces.out = follows ? out_follow(cli, columns) : out_open(cli, columns);
		code = print_new(&traces, cli_number(cli, "last"), true, err);
		if (!code && follows) {
			code = follow(&traces, err);
		}
		struct err ignored;
		enum err_code closed = out_close(traces.out, code ? &ignored : err);
		code = code ? code : closed;
		seg_detach(&traces.seg);
	}
	free(traces.record);
	free(traces.tables);
	return code;
}
