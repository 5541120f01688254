/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Follows what the cores tell each other (seg_core.trace) and prints what it changes. Announcements may come twice and in any
 * order, so each is held against the newest version known; flushes are in no trace: the flush words tell.
 */
#include <stdio.h>

#include "brtable.h"
#include "cli/follow.h"

struct monitor {
	struct follow follow;
	struct br br;
	struct br_filter filter;
	struct view known;
	size_t dead; /* rows of it that are not alive */
	uint32_t flush_seq;
	struct out *out;
};

static const struct out_column columns[] = {
	{.key = "event", .title = "", .width = 1},
	{.key = "time_ms", .title = "TIME", .width = 12},
	{.key = "bridge", .width = 8},
	{.key = "vlan", .flags = OUT_RIGHT, .width = 4},
	{.key = "mac", .width = 17},
	{.key = "port", .width = 8},
	{.key = "port_before", .title = "BEFORE", .width = 8},
	{.key = "type", .width = 7},
	{.key = "core", .flags = OUT_RIGHT, .width = 4},
	{.key = "cause"},
	{.key = NULL},
};

enum event { ADDED, CHANGED, DELETED, FLUSHED, LOST };

static const char *const event_name[] = {"add", "change", "delete", "flush", "lost"};
static const char *const event_sign[] = {"+", "~", "-", "-", "!"};

/* before: the value it had; 0: none. core 0: no core's message says it, but the flush words or the tables. */
static void
print_event(struct monitor *m, enum event event, uint64_t key, uint64_t value, uint64_t before, unsigned core, uint32_t cause,
	uint64_t time_ns)
{
	struct br_names names, old;
	char text[24];
	if (!br_filter_key(&m->br, &m->filter, key) ||
		!(br_filter_value(&m->filter, value) || (before && br_filter_value(&m->filter, before)))) {
		return;
	}
	br_names(&m->br, key, value, &names);
	br_names(&m->br, key, before, &old);
	out_text_as(m->out, event_name[event], event_sign[event]);
	follow_out_time(&m->follow, m->out, time_ns);
	out_text(m->out, names.bridge);
	out_number(m->out, names.vlan);
	out_text(m->out, names.mac);
	out_text(m->out, names.port);
	out_text(m->out, before ? old.port : NULL);
	out_text(m->out, names.type);
	if (core) {
		out_number(m->out, core);
		out_text(m->out, follow_cause(cause, text));
	} else {
		out_null(m->out);
		out_text(m->out, event == FLUSHED ? "flush" : "tables");
	}
	out_row(m->out);
}

static void
print_lost(void *arg, unsigned core, uint64_t records)
{
	struct monitor *m = arg;
	char text[48];
	snprintf(text, sizeof(text), "%llu records", (unsigned long long)records);
	out_text_as(m->out, event_name[LOST], event_sign[LOST]);
	follow_out_time(&m->follow, m->out, m->br.src.now_ns);
	for (int i = 0; i < 6; i++) {
		out_null(m->out);
	}
	out_number(m->out, core);
	out_text(m->out, text);
	out_row(m->out);
}

/* As fdb_alive(), by the flush words as they are now. */
static bool
alive(const struct br *br, uint64_t key, uint64_t value)
{
	uint32_t learned = SEG_VALUE_FLUSH(value);
	if (value & SEG_VALUE_TOMB) {
		return false;
	}
	return (value & SEG_VALUE_STATIC) ||
	       (learned >= seg_get(&br->src.control->flush_channel[SEG_VALUE_CHANNEL(value) % SEG_MAX_CHANNELS]) &&
		       learned >= seg_get(&br->src.control->flush_fid[fdb_key_fid(key) % SEG_MAX_FIDS]));
}

/* One version of one key, new or not. */
static bool
take_version(struct monitor *m, const struct seg_msg *msg, uint64_t key, uint64_t value)
{
	const struct view_row *row = view_find(&m->known, key);
	struct view_row old = row ? *row : (struct view_row){.live = false};
	struct view_entry entry = {.key = key,
		.value = value,
		.stamp = msg->stamp,
		.core = msg->from,
		.owner = br_owner(&m->br, key),
		.live = alive(&m->br, key, value)};
	if (msg->from < 1 || msg->from > SEG_MAX_CORES || (row && !view_wins(value, msg->stamp, old.value, old.stamp))) {
		return true;
	}
	if (!view_add(&m->known, &entry)) {
		return false;
	}
	m->dead += (size_t)!entry.live - (size_t)(row && !old.live);
	if (entry.live && !old.live) {
		print_event(m, ADDED, key, value, 0, msg->from, msg->cause, msg->time_ns);
	} else if (!entry.live && old.live) {
		print_event(m, DELETED, key, old.value, 0, msg->from, msg->cause, msg->time_ns);
	} else if (entry.live &&
		   (SEG_VALUE_CHANNEL(old.value) != SEG_VALUE_CHANNEL(value) || br_type(old.value) != br_type(value))) {
		print_event(m, CHANGED, key, value, old.value, msg->from, msg->cause, msg->time_ns);
	}
	return true;
}

static bool
take_message(struct monitor *m, const struct seg_msg *msg)
{
	if (msg->kind == SEG_MSG_FDB_ADD) {
		return take_version(m, msg, msg->word[0], msg->word[1] & SEG_VALUE_SHARED);
	}
	/* The last word of a deletion is the flush sequence of its version (lib/fdb/replica.h). */
	for (unsigned i = 0; msg->kind == SEG_MSG_FDB_DEL && i < msg->n && i < 3; i++) {
		if (!take_version(m, msg, msg->word[i], fdb_value(0, (uint32_t)msg->word[3], SEG_VALUE_TOMB))) {
			return false;
		}
	}
	return true;
}

/* Reads the tables; what differs from what was known is printed. */
static enum err_code
snapshot(struct monitor *m, bool print, struct err *err)
{
	static const struct br_filter all = {.type = -1};
	struct view now;
	follow_from_now(&m->follow);
	m->flush_seq = seg_get_acquire(&m->br.src.control->flush_seq);
	enum err_code code = br_load(&m->br, &all, view_all(m->br.src.ncores), &now, err);
	if (code) {
		return code;
	}
	m->dead = 0;
	for (size_t i = 0; i < now.n; i++) {
		const struct view_row *row = &now.row[i], *old = view_find(&m->known, row->key);
		bool was = old && old->live;
		m->dead += !row->live;
		if (print && row->live && !was) {
			print_event(m, ADDED, row->key, row->value, 0, 0, 0, m->br.src.now_ns);
		} else if (print && row->live && SEG_VALUE_CHANNEL(old->value) != SEG_VALUE_CHANNEL(row->value)) {
			print_event(m, CHANGED, row->key, row->value, old->value, 0, 0, m->br.src.now_ns);
		}
	}
	for (size_t i = 0; print && i < m->known.n; i++) {
		const struct view_row *old = &m->known.row[i], *row = view_find(&now, old->key);
		if (old->live && !(row && row->live)) {
			print_event(m, DELETED, old->key, old->value, 0, 0, 0, m->br.src.now_ns);
		}
	}
	view_free(&m->known);
	m->known = now;
	return ERR_NONE;
}

static void
look_for_flush(struct monitor *m)
{
	uint32_t seq = seg_get_acquire(&m->br.src.control->flush_seq);
	if (seq == m->flush_seq) {
		return;
	}
	m->flush_seq = seq;
	for (size_t i = 0; i < m->known.n; i++) {
		struct view_row *row = &m->known.row[i];
		if (row->live && !alive(&m->br, row->key, row->value)) {
			row->live = false;
			m->dead++;
			print_event(m, FLUSHED, row->key, row->value, 0, 0, 0, m->br.src.now_ns);
		}
	}
}

static enum err_code
take(void *arg, uint64_t lost, struct err *err)
{
	struct monitor *m = arg;
	look_for_flush(m);
	for (size_t i = 0; i < m->follow.nbatch; i++) {
		if (!take_message(m, &m->follow.batch[i])) {
			return err_set(err, ERR_FAILED, "no memory");
		}
	}
	/* What is dead for long would fill the memory of a monitor that runs for months. */
	if (lost || m->dead > 65536 + m->known.n / 2) {
		return snapshot(m, lost > 0, err);
	}
	return ERR_NONE;
}

static enum err_code
begin(void *arg, struct err *err)
{
	struct monitor *m = arg;
	view_free(&m->known);
	enum err_code code = br_filter(m->follow.cli, &m->br, &m->filter, err);
	return code ? code : snapshot(m, false, err);
}

enum err_code
monitor_run(struct cli *cli, struct err *err)
{
	struct monitor m = {
		.follow = {.cli = cli, .arg = &m, .src = &m.br.src, .begin = begin, .lost = print_lost, .take = take}};
	enum err_code code = follow_open(&m.follow, err);
	if (!code) {
		m.out = out_follow(cli, columns);
		code = m.out ? follow_run(&m.follow, err) : err_set(err, ERR_FAILED, "no memory");
	}
	if (m.out) {
		enum err_code closed = out_close(m.out, code ? NULL : err);
		code = code ? code : closed;
	}
	view_free(&m.known);
	follow_close(&m.follow);
	return code;
}
