/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What went wrong, in the words of the command line.
 *
 * The codes are the exit statuses of every pekit binary and the "code" of its JSON errors. A function that can fail for a
 * reason that a user must read takes a struct err and returns its code; everything else returns bool.
 */
#ifndef PEKIT_BASE_ERR_H
#define PEKIT_BASE_ERR_H

enum err_code {
	ERR_NONE = 0,
	ERR_FAILED = 1,    /* it was tried and failed */
	ERR_USAGE = 2,     /* usage or bad input */
	ERR_NOT_FOUND = 3, /* what was named does not exist */
	ERR_EXISTS = 4,    /* exists already, or conflicts with what exists */
	ERR_REFUSED = 5,   /* policy, licence, capacity or permission */
	ERR_NO_ENGINE = 6, /* no engine or no segment */
	ERR_PARTLY = 7,    /* some of it was done */
	ERR_DIFFERS = 8,   /* verify found a difference */
	ERR_TIMEOUT = 124, /* a wait ran out */
};

struct err {
	enum err_code code;
	char message[320]; /* names the offending word; no full stop, no newline */
	char hint[240];    /* what would be right; may be empty */
};

/* Sets code, message and an empty hint. Returns code, so that `return err_set(...)` reads well. A NULL err is allowed. */
enum err_code
err_set(struct err *err, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Adds the hint. Returns err->code (ERR_FAILED for NULL). */
enum err_code
err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "usage", "not_found", ...: the stable name of a code in JSON. Never NULL. */
const char *
err_name(enum err_code code);

#endif
