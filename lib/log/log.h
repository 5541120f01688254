/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log of a daemon: one line a call, to stderr, to the journal through stderr, or to syslog when there is no stderr any more.
 *
 * Levels are syslog's numbers. Any thread may write; a line is one write(2). log_start() and the setters belong to the main
 * thread.
 */
#ifndef PEKIT_LOG_LOG_H
#define PEKIT_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* tag: "pe[edge1]"; kept as a copy. Where stderr is the journal (sd-daemon(3)), lines begin with their level as "<5>". */
void
log_start(const char *tag);

/* From now on to syslog: for a daemon that gives up its stderr. */
void
log_to_syslog(void);

/* Lines of a higher number are not written. LOG_LEVEL_NOTICE at first. */
void
log_set_level(enum log_level level);

enum log_level
log_get_level(void);

/* "error", "warning", "notice", "info", "debug"; false and *level untouched for any other word. */
bool
log_level_parse(const char *word, enum log_level *level);

const char *
log_level_name(enum log_level level);

/* Characters that do not print become '?': names in a log line may come from anywhere. */
void
log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Lets `burst` lines through in `period_ms`, for messages that a peer can cause. True: write; *lost says how many were held back
 * since the last one. Zeroed at first.
 */
struct log_rate {
	uint64_t begin_ms;
	uint32_t used, lost;
};

bool
log_rate_ok(struct log_rate *rate, uint32_t burst, uint32_t period_ms, uint64_t now_ms, uint32_t *lost);

#endif
