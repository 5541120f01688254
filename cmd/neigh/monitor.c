/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Follows what the cores tell each other and prints what it changes, in the words of ip-monitor(8). Announcements may come twice
 * and in any order, so each is held against the newest version known. What only the owner knows (REACHABLE, STALE, ...) is in no
 * message, nor is it here.
 */
#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "cli/follow.h"
#include "core/names.h"
#include "neigh.h"

struct monitor {
	struct follow follow;
	struct neigh n;
	struct neigh_filter filter;
	struct nbr_view known;
	size_t dead;     /* rows of it that are not live */
	struct out *out; /* NULL: lines for people */
};

static const struct out_column columns[] = {
	{.key = "event", .width = 6},
	{.key = "time_ms", .width = 12},
	{.key = "address"},
	{.key = "mac"},
	{.key = "mac_before"},
	{.key = "interface"},
	{.key = "state"},
	{.key = "router"},
	{.key = "core"},
	{.key = "cause"},
	{.key = NULL},
};

enum event { ADDED, CHANGED, DELETED, FAILED, LOST };
static const char *const event_name[] = {"add", "change", "delete", "failed", "lost"};

/* before: the value it had; 0: none. core 0: no message says it, but the tables. */
struct change {
	enum event event;
	const struct nbr_key *key;
	uint64_t value, before, time_ns;
	unsigned core;
	uint32_t cause;
};

/* ---- printing --------------------------------------------------------------------------------------------------- */

static void
stamp(const struct monitor *m, uint64_t time_ns, char text[static 48])
{
	uint64_t ms = source_wall_ms(&m->n.src.seg, time_ns);
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm = {0};
	char clock[32] = "";
	text[0] = '\0';
	if (cli_has(m->follow.cli, "timestamp")) {
		localtime_r(&seconds, &tm);
		strftime(clock, sizeof(clock), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(text, 48, "[%s.%03u] ", clock, (unsigned)(ms % 1000));
	}
}

static void
say(const struct monitor *m, const struct change *c)
{
	char text[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE] = "", state[16] = "", when[48];
	const char *iface = neigh_iface_name(&m->n, c->key->iface);
	snprintf(state, sizeof(state), "%s", c->event == FAILED ? "failed" : names_nbr_state(SEG_NBR_STATE(c->value)));
	for (char *at = state; *at; at++) {
		*at = (char)toupper((unsigned char)*at);
	}
	if (c->event != FAILED) {
		mac_format(SEG_NBR_MAC(c->value), mac);
	}
	stamp(m, c->time_ns, when);
	cli_say(m->follow.cli, "%s%s%s dev %s%s%s%s %s", when, c->event == DELETED ? "Deleted " : "",
		neigh_text(c->key->address, text), iface ? iface : "-", mac[0] ? " lladdr " : "", mac,
		c->event != FAILED && (c->value & SEG_NBR_ROUTER) ? " router" : "", state);
}

static void
put(const struct monitor *m, const struct change *c)
{
	char text[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE], cause[24];
	bool known = c->event != FAILED;
	out_text(m->out, event_name[c->event]);
	follow_out_time(&m->follow, m->out, c->time_ns);
	out_text(m->out, neigh_text(c->key->address, text));
	out_text(m->out, known ? mac_format(SEG_NBR_MAC(c->value), mac) : NULL);
	out_text(m->out, c->before ? mac_format(SEG_NBR_MAC(c->before), mac) : NULL);
	out_text(m->out, neigh_iface_name(&m->n, c->key->iface));
	out_text(m->out, known ? names_nbr_state(SEG_NBR_STATE(c->value)) : "failed");
	out_bool(m->out, known && (c->value & SEG_NBR_ROUTER));
	if (c->core) {
		out_number(m->out, c->core);
		out_text(m->out, follow_cause(c->cause, cause));
	} else {
		out_null(m->out);
		out_text(m->out, "tables");
	}
	out_row(m->out);
}

static void
print(const struct monitor *m, const struct change *c)
{
	unsigned state = c->event == FAILED ? SEG_NBR_FAILED : SEG_NBR_STATE(c->value);
	if (!neigh_filter_key(&m->filter, c->key) || !neigh_filter_state(&m->filter, state)) {
		return;
	}
	if (m->out) {
		put(m, c);
	} else {
		say(m, c);
	}
}

static void
lost(void *arg, unsigned core, uint64_t records)
{
	struct monitor *m = arg;
	char text[48];
	if (!m->out) {
		stamp(m, m->n.src.now_ns, text);
		cli_say(m->follow.cli, "%s! core %u: %llu records were overwritten before they were read", text, core,
			(unsigned long long)records);
		return;
	}
	out_text(m->out, event_name[LOST]);
	follow_out_time(&m->follow, m->out, m->n.src.now_ns);
	for (int i = 0; i < 6; i++) {
		out_null(m->out);
	}
	out_number(m->out, core);
	snprintf(text, sizeof(text), "%llu records", (unsigned long long)records);
	out_text(m->out, text);
	out_row(m->out);
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

static bool
differs(uint64_t a, uint64_t b)
{
	bool permanent_a = SEG_NBR_STATE(a) == SEG_NBR_PERMANENT, permanent_b = SEG_NBR_STATE(b) == SEG_NBR_PERMANENT;
	return ((a ^ b) & SEG_NBR_SHARED) || permanent_a != permanent_b;
}

/* One version of one key, new or not. */
static bool
take_version(struct monitor *m, const struct seg_msg *msg, const struct nbr_key *key, uint64_t value)
{
	const struct nbr_view_row *row = nbr_view_find(&m->known, key);
	struct nbr_view_row old = row ? *row : (struct nbr_view_row){.live = false};
	struct seg_nbr entry = {
		.address = {key->address[0], key->address[1]}, .iface = key->iface, .value = value, .stamp = msg->stamp};
	struct change c = {.key = key, .value = value, .core = msg->from, .cause = msg->cause, .time_ns = msg->time_ns};
	bool live = nbr_usable(value);
	if (msg->from < 1 || msg->from > SEG_MAX_CORES || key->iface == 0 || (row && msg->stamp <= old.stamp)) {
		return true;
	}
	if (!nbr_view_add(&m->known, &entry, msg->from, neigh_owner(&m->n, key))) {
		return false;
	}
	m->dead += (size_t)!live - (size_t)(row && !old.live);
	if (live && !old.live) {
		c.event = ADDED;
		print(m, &c);
	} else if (live && differs(old.value, value)) {
		c.event = CHANGED;
		c.before = old.value;
		print(m, &c);
	} else if (!live && old.live) {
		c.event = DELETED;
		c.value = old.value;
		print(m, &c);
	}
	return true;
}

static bool
take_message(struct monitor *m, const struct seg_msg *msg)
{
	const struct nbr_key key = {.address = {msg->word[0], msg->word[1]}, .iface = (uint32_t)msg->word[3]};
	if (msg->word[3] >> 32 != neigh_tool.family) {
		return true;
	}
	switch (msg->kind) {
	case SEG_MSG_NBR_ADD:
		return take_version(m, msg, &key, msg->word[2] & ~(uint64_t)SEG_NBR_TOMB);
	case SEG_MSG_NBR_DEL:
		return take_version(m, msg, &key, msg->word[2] | SEG_NBR_TOMB);
	case SEG_MSG_NBR_FAILED:
		print(m, &(struct change){
				 .event = FAILED, .key = &key, .core = msg->from, .cause = msg->cause, .time_ns = msg->time_ns});
		return true;
	default:
		return true;
	}
}

/* Reads the tables; what differs from what was known is printed. */
static enum err_code
snapshot(struct monitor *m, bool tell, struct err *err)
{
	static const struct neigh_filter all = {.iface = 0};
	struct nbr_view now;
	follow_from_now(&m->follow);
	enum err_code code = neigh_load(&m->n, &all, m->n.src.all, &now, err);
	if (code) {
		return code;
	}
	m->dead = 0;
	for (size_t i = 0; i < now.n; i++) {
		const struct nbr_view_row *row = &now.row[i], *old = nbr_view_find(&m->known, &row->key);
		struct change c = {.event = ADDED, .key = &row->key, .value = row->value, .time_ns = m->n.src.now_ns};
		bool was = old && old->live;
		m->dead += !row->live;
		if (was) {
			c.event = CHANGED;
			c.before = old->value;
		}
		if (tell && row->live && (!was || differs(old->value, row->value))) {
			print(m, &c);
		}
	}
	for (size_t i = 0; tell && i < m->known.n; i++) {
		const struct nbr_view_row *old = &m->known.row[i], *row = nbr_view_find(&now, &old->key);
		struct change c = {.event = DELETED, .key = &old->key, .value = old->value, .time_ns = m->n.src.now_ns};
		if (old->live && !(row && row->live)) {
			print(m, &c);
		}
	}
	nbr_view_free(&m->known);
	m->known = now;
	return ERR_NONE;
}

static enum err_code
take(void *arg, uint64_t missing, struct err *err)
{
	struct monitor *m = arg;
	for (size_t i = 0; i < m->follow.nbatch; i++) {
		if (!take_message(m, &m->follow.batch[i])) {
			return err_set(err, ERR_FAILED, "no memory");
		}
	}
	/* What is dead for long would fill the memory of a monitor that runs for months. */
	if (missing || m->dead > 65536 + m->known.n / 2) {
		return snapshot(m, missing > 0, err);
	}
	return ERR_NONE;
}

static enum err_code
begin(void *arg, struct err *err)
{
	struct monitor *m = arg;
	nbr_view_free(&m->known);
	enum err_code code = neigh_filter(m->follow.cli, &m->n, true, &m->filter, err);
	return code ? code : snapshot(m, false, err);
}

enum err_code
monitor_run(struct cli *cli, struct err *err)
{
	struct monitor m = {.follow = {.cli = cli, .arg = &m, .src = &m.n.src, .begin = begin, .lost = lost, .take = take}};
	bool people = cli->format == CLI_TABLE || cli->format == CLI_WIDE;
	enum err_code code = follow_open(&m.follow, err);
	if (!code && !people) {
		m.out = out_follow(cli, columns);
		code = m.out ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
	}
	code = code ? code : follow_run(&m.follow, err);
	if (m.out) {
		enum err_code closed = out_close(m.out, code ? NULL : err);
		code = code ? code : closed;
	}
	nbr_view_free(&m.known);
	follow_close(&m.follow);
	return code;
}
