/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pemon on a terminal: the live screen. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "pemon.h"
#include "term.h"

#define DEFAULT_MS 1000
#define FIRST_MS 200 /* the first rates come soon */
#define LAST_EVENTS 5
#define NO_WORD "-"

static const uint64_t intervals_ms[] = {100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000};

enum style { PLAIN, TITLE, ALARM };

struct line {
	enum style style;
	char text[256];
};

struct screen {
	struct cli *cli;
	struct pemon pemon;
	enum sample_coherence coherence;
	uint64_t interval_ms;
	bool paused;
	unsigned top; /* the first line of the body that is shown */
	struct line *line;
	size_t n, room;
};

/* ---- lines --------------------------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4))) add(struct screen *screen, enum style style, const char *fmt, ...)
{
	if (screen->n == screen->room) {
		size_t room = screen->room ? 2 * screen->room : 64;
		struct line *larger = realloc(screen->line, room * sizeof(*larger));
		if (!larger) {
			return;
		}
		screen->line = larger;
		screen->room = room;
	}
	struct line *line = &screen->line[screen->n++];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line->text, sizeof(line->text), fmt, args);
	va_end(args);
	line->style = style;
	pemon_plain(line->text); /* names and events come out of shared memory */
}

struct word {
	char text[32];
};

static struct word
rate(bool known, double number)
{
	struct word word = {NO_WORD};
	if (known) {
		num_format_si((uint64_t)(number + 0.5), word.text, sizeof(word.text));
	}
	return word;
}

static struct word
real(bool known, double number)
{
	struct word word = {NO_WORD};
	if (known) {
		snprintf(word.text, sizeof(word.text), "%.1f", number);
	}
	return word;
}

static struct word
age(uint64_t ms)
{
	struct word word;
	num_format_age(ms, word.text, sizeof(word.text));
	return word;
}

static void
add_head(struct screen *screen)
{
	const struct sample *now = screen->pemon.now;
	static const char *const words[] = {
		[SAMPLE_UNSETTLED] = "settling", [SAMPLE_COHERENT] = "coherent", [SAMPLE_DIFFERS] = "NOT COHERENT"};
	char interval[32];
	bool bad = strcmp(now->state, "ready") != 0 || screen->coherence == SAMPLE_DIFFERS;
	if (screen->interval_ms < 1000) {
		snprintf(interval, sizeof(interval), "%" PRIu64 " ms", screen->interval_ms);
	} else {
		snprintf(interval, sizeof(interval), "%" PRIu64 " s", screen->interval_ms / 1000);
	}
	add(screen, bad ? ALARM : TITLE, "%s: %s, %s %s ago, %s %s, %s%s   every %s", screen->pemon.seg.head.name, now->state,
		now->alive ? "heartbeat" : "last seen", age(now->heartbeat_age_ms).text, now->alive ? "up" : "ran for",
		age(now->uptime_s * 1000).text, words[screen->coherence], screen->paused ? "   PAUSED" : "", interval);
}

static void
add_cores(struct screen *screen)
{
	const struct sample *now = screen->pemon.now;
	add(screen, TITLE, "%4s %4s %6s %8s %8s %8s %8s %8s %9s %8s", "CORE", "CPU", "BUSY%", "RX/S", "TX/S", "CYC/PKT", "SENT/S",
		"RECV/S", "RING/PEAK", "FDB");
	for (unsigned i = 0; i < now->nodes; i++) {
		const struct core_rates rates = sample_core_rates(&screen->pemon, i);
		const struct sample_core *core = &now->core[i];
		bool known = rates.has_rates;
		char cpu[16] = NO_WORD, ring[32];
		if (core->cpu >= 0) {
			snprintf(cpu, sizeof(cpu), "%d", core->cpu);
		}
		snprintf(ring, sizeof(ring), "%.0f/%.0f%%", rates.ring_pct, rates.ring_peak_pct);
		uint64_t silent = now->alive ? sample_age_ms(now, core->heartbeat_ns) : 0;
		add(screen, silent > 3000 ? ALARM : PLAIN, "%4u %4s %6s %8s %8s %8s %8s %8s %9s %8" PRIu64 "%s%s", i, cpu,
			real(known, rates.busy_pct).text, rate(known, rates.rx_pps).text, rate(known, rates.tx_pps).text,
			real(rates.has_cycles, rates.cycles_per_packet).text, rate(known, rates.sent_ps).text,
			rate(known, rates.received_ps).text, ring, core->fdb_entries, silent > 3000 ? " silent for " : "",
			silent > 3000 ? age(silent).text : "");
	}
}

static int
port_width(const struct sample *sample)
{
	size_t width = 8;
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		size_t length = sample_port_used(sample, i) ? strnlen(sample->tables.port[i].name, SEG_NAME_SIZE) : 0;
		width = length > width ? length : width;
	}
	return (int)width;
}

static void
add_ports(struct screen *screen)
{
	const struct pemon *pemon = &screen->pemon;
	bool known = pemon->then;
	add(screen, PLAIN, "%s", "");
	int width = port_width(pemon->now);
	add(screen, TITLE, "%-*s %-8s %8s %9s %8s %9s %9s %s", width, "PORT", "LINK", "RX/S", "RX_BIT/S", "TX/S", "TX_BIT/S",
		"DROPPED", "DEVICE");
	for (unsigned i = 1; i < SEG_MAX_PORTS; i++) {
		const struct seg_port *port = &pemon->now->tables.port[i];
		struct seg_port_count now, then = {0};
		if (!sample_port_used(pemon->now, i)) {
			continue;
		}
		sample_port(pemon->now, i, &now);
		if (known) {
			sample_port(pemon->then, i, &then);
		}
		const char *link = sample_link(port);
		add(screen, strcmp(link, "up") == 0 || strcmp(link, "disabled") == 0 ? PLAIN : ALARM,
			"%-*s %-8s %8s %9s %8s %9s %9" PRIu64 " %s", width, port->name, link,
			rate(known, sample_rate(pemon, now.rx_packets, then.rx_packets)).text,
			rate(known, 8 * sample_rate(pemon, now.rx_bytes, then.rx_bytes)).text,
			rate(known, sample_rate(pemon, now.tx_packets, then.tx_packets)).text,
			rate(known, 8 * sample_rate(pemon, now.tx_bytes, then.tx_bytes)).text,
			now.rx_dropped + now.tx_dropped + port->rx_missed, port->device);
	}
}

static void
add_drops(struct screen *screen)
{
	const struct pemon *pemon = &screen->pemon;
	int width = port_width(pemon->now);
	bool any = false;
	for (unsigned reason = 0; reason < SEG_DROPS; reason++) {
		for (unsigned i = 0; i < pemon->now->nodes; i++) {
			const struct sample_drop *drop = &pemon->now->core[i].drop[reason];
			uint64_t before = pemon->then ? pemon->then->core[i].drop[reason].packets : 0;
			if (!drop->packets) {
				continue;
			}
			if (!any) {
				add(screen, PLAIN, "%s", "");
				add(screen, TITLE, "%-18s %4s %10s %8s %-*s %-12s %s", "DROPPED", "CORE", "PACKETS", "PER/S",
					width, "PORT", "LAST", "BECAUSE");
			}
			any = true;
			const char *port = sample_port_name(pemon->now, drop->port);
			add(screen, PLAIN, "%-18s %4u %10" PRIu64 " %8s %-*s %-12s %s", names_drop(reason), i, drop->packets,
				rate(pemon->then, sample_rate(pemon, drop->packets, before)).text, width, port ? port : NO_WORD,
				age(sample_age_ms(pemon->now, drop->time_ns)).text, names_drop_text(reason));
		}
	}
}

static void
add_events(struct screen *screen)
{
	const struct seg *seg = &screen->pemon.seg;
	uint32_t newest = seg_get_acquire(&seg_control(seg)->events);
	for (uint32_t i = 0; i < LAST_EVENTS && i < newest; i++) {
		struct seg_event event;
		char clock[32];
		if (i == 0) {
			add(screen, PLAIN, "%s", "");
			add(screen, TITLE, "EVENTS");
		}
		if (seg_read_event(seg, newest - i, &event)) {
			add(screen, event.severity <= 4 ? ALARM : PLAIN, "%s %s: %s", source_clock(seg, event.time_ns, clock),
				names_severity(event.severity), event.text);
		}
	}
}

/* ---- drawing ------------------------------------------------------------------------------------------------------- */

static void
draw_line(FILE *frame, const struct screen *screen, const struct line *line, unsigned columns, bool last)
{
	const char *style = line->style == TITLE ? "\033[1m" : screen->cli->color && line->style == ALARM ? "\033[1;31m" : "";
	fprintf(frame, "%s%.*s%s\033[K%s", style, (int)columns, line->text, style[0] ? "\033[0m" : "", last ? "" : "\r\n");
}

/* False: no terminal any more. The first line stays, the rest scrolls between it and the keys. */
static bool
draw(struct screen *screen)
{
	struct line keys = {.style = TITLE, .text = "q quit  p pause  + - interval  up down scroll"};
	unsigned rows, columns;
	char *bytes = NULL;
	size_t size = 0;
	screen->n = 0;
	add_head(screen);
	add_cores(screen);
	add_ports(screen);
	add_drops(screen);
	add_events(screen);
	term_size(&rows, &columns);
	size_t body = rows > 2 ? rows - 2 : 0, lines = screen->n > 0 ? screen->n - 1 : 0;
	if (screen->top + body > lines) {
		screen->top = lines > body ? (unsigned)(lines - body) : 0;
	}
	if (body && lines > body) {
		size_t said = strlen(keys.text), last = screen->top + body;
		snprintf(keys.text + said, sizeof(keys.text) - said, "  (%u-%zu of %zu)", screen->top + 1, last, lines);
	}
	FILE *frame = open_memstream(&bytes, &size);
	if (!frame || screen->n == 0) {
		return false;
	}
	fputs("\033[H", frame);
	draw_line(frame, screen, &screen->line[0], columns, rows == 1);
	for (size_t i = 0; i < body && i + screen->top < lines; i++) {
		draw_line(frame, screen, &screen->line[1 + screen->top + i], columns, false);
	}
	if (rows > 1) {
		fprintf(frame, "\033[J\033[%u;1H", rows);
		draw_line(frame, screen, &keys, columns, true);
	}
	fclose(frame);
	bool ok = term_write(bytes, size);
	free(bytes);
	return ok;
}

/* ---- going on ------------------------------------------------------------------------------------------------------ */

/* An engine that was started again is followed; while there is none, what the last one left stays on the screen. */
static void
refresh(struct screen *screen)
{
	struct pemon *pemon = &screen->pemon;
	struct err ignored;
	struct seg next;
	bool replaced = seg_replaced(&pemon->seg) && seg_attach(&next, pemon->seg.head.name, &ignored) == ERR_NONE;
	if (replaced) {
		seg_detach(&pemon->seg);
		pemon->seg = next;
	}
	struct sample *sample = sample_take(&pemon->seg);
	if (sample) {
		free(pemon->then);
		pemon->then = pemon->now;
		pemon->now = sample;
		screen->coherence = sample_judge(&pemon->seg, sample->alive);
	}
	if (replaced) {
		free(pemon->then);
		pemon->then = NULL;
	}
}

static void
change_interval(struct screen *screen, bool longer)
{
	const size_t n = sizeof(intervals_ms) / sizeof(intervals_ms[0]);
	uint64_t next = screen->interval_ms;
	for (size_t i = 0; i < n; i++) {
		size_t at = longer ? i : n - 1 - i;
		if (longer ? intervals_ms[at] > screen->interval_ms : intervals_ms[at] < screen->interval_ms) {
			next = intervals_ms[at];
			break;
		}
	}
	screen->interval_ms = next;
}

/* False: quit. */
static bool
obey(struct screen *screen, int key)
{
	unsigned rows, columns;
	term_size(&rows, &columns);
	unsigned page = rows > 4 ? rows - 4 : 1;
	switch (key) {
	case TERM_END:
	case 'q':
	case 'Q':
		return false;
	case 'p':
	case ' ':
		screen->paused = !screen->paused;
		break;
	case '+':
	case '-':
		change_interval(screen, key == '+');
		break;
	case TERM_UP:
	case 'k':
		screen->top -= screen->top > 0;
		break;
	case TERM_DOWN:
	case 'j':
		screen->top++;
		break;
	case TERM_PAGE_UP:
		screen->top -= screen->top > page ? page : screen->top;
		break;
	case TERM_PAGE_DOWN:
		screen->top += page;
		break;
	default:
		break;
	}
	return true;
}

static uint64_t
clock_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
watch(struct screen *screen)
{
	uint64_t last = clock_ms(), wait = FIRST_MS;
	for (;;) {
		uint64_t spent = clock_ms() - last;
		int key = draw(screen) ? term_wait(screen->paused ? 3600000 : spent < wait ? wait - spent : 0) : TERM_END;
		if (!obey(screen, key)) {
			return;
		}
		if (!screen->paused && clock_ms() - last >= wait) {
			refresh(screen);
			last = clock_ms();
		}
		wait = screen->pemon.then ? screen->interval_ms : FIRST_MS;
	}
}

enum err_code
live_run(struct cli *cli, struct err *err)
{
	struct screen screen = {.cli = cli, .interval_ms = cli_has(cli, "interval") ? cli_number(cli, "interval") : DEFAULT_MS};
	bool people = cli->format == CLI_TABLE || cli->format == CLI_WIDE;
	if (!people || cli->watch || cli->line || cli->saved || !term_usable()) {
		return show_run(cli, err);
	}
	if (screen.interval_ms < intervals_ms[0]) {
		screen.interval_ms = intervals_ms[0];
	}
	enum err_code code = pemon_open(cli, &screen.pemon, 0, err);
	if (code) {
		return code;
	}
	screen.coherence = sample_judge(&screen.pemon.seg, screen.pemon.now->alive);
	if (term_enter()) {
		watch(&screen);
		term_leave();
	} else {
		code = err_set(err, ERR_FAILED, "the terminal cannot be set up");
	}
	free(screen.line);
	pemon_close(&screen.pemon);
	term_die();
	return code;
}
