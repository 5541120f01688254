/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_SIZE 1024

static struct {
	char tag[64];
	enum log_level level;
	bool journal, syslog;
} log_state = {.level = LOG_LEVEL_NOTICE};

static const struct {
	const char *word;
	enum log_level level;
} log_levels[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warning", LOG_LEVEL_WARNING},
	{"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
};

/* sd_journal_print(3): JOURNAL_STREAM names the device and inode that stderr must still have. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

void
log_start(const char *tag)
{
	snprintf(log_state.tag, sizeof(log_state.tag), "%s", tag);
	log_state.journal = stderr_is_journal();
}

void
log_to_syslog(void)
{
	openlog(log_state.tag, LOG_PID, LOG_DAEMON);
	log_state.syslog = true;
}

void
log_set_level(enum log_level level)
{
	__atomic_store_n(&log_state.level, level, __ATOMIC_RELAXED);
}

enum log_level
log_get_level(void)
{
	return __atomic_load_n(&log_state.level, __ATOMIC_RELAXED);
}

bool
log_level_parse(const char *word, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(log_levels) / sizeof(log_levels[0]); i++) {
		if (strcmp(word, log_levels[i].word) == 0) {
			*level = log_levels[i].level;
			return true;
		}
	}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	for (size_t i = 0; i < sizeof(log_levels) / sizeof(log_levels[0]); i++) {
		if (log_levels[i].level == level) {
			return log_levels[i].word;
		}
	}
	return "unknown";
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE];
	if (level > log_get_level()) {
		return;
	}
	int head = 0;
	if (!log_state.syslog) {
		head = log_state.journal ? snprintf(line, sizeof(line), "<%d>", (int)level)
					 : snprintf(line, sizeof(line), "%s: ", log_state.tag);
	}
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, args);
	va_end(args);
	if (n < 0) {
		return;
	}
	size_t size = strlen(line);
	for (size_t i = 0; i < size; i++) {
		line[i] = (unsigned char)line[i] < ' ' || line[i] == 127 ? '?' : line[i];
	}
	if (log_state.syslog) {
		syslog((int)level, "%s", line);
		return;
	}
	line[size++] = '\n';
	ssize_t written = write(STDERR_FILENO, line, size);
	(void)written; /* there is nowhere to tell it */
}

bool
log_rate_ok(struct log_rate *rate, uint32_t burst, uint32_t period_ms, uint64_t now_ms, uint32_t *lost)
{
	*lost = 0;
	if (now_ms - rate->begin_ms >= period_ms) {
		rate->begin_ms = now_ms;
		rate->used = 0;
	}
	if (rate->used >= burst) {
		rate->lost++;
		return false;
	}
	rate->used++;
	*lost = rate->lost;
	rate->lost = 0;
	return true;
}
