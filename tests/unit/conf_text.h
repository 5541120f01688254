/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of lib/conf share: configurations as texts in their sources. */
#ifndef PEKIT_TESTS_UNIT_CONF_TEXT_H
#define PEKIT_TESTS_UNIT_CONF_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Single quotes for double ones, so that JSON can be read here. */
static inline char *
json(const char *text)
{
	char *copy = strdup(text);
	assert_non_null(copy);
	for (char *p = copy; *p; p++) {
		*p = *p == '\'' ? '"' : *p;
	}
	return copy;
}

static inline enum err_code
parse(const char *text, struct conf *conf, struct err *err)
{
	char *copy = json(text);
	*err = (struct err){0};
	enum err_code code = conf_parse(copy, strlen(copy), conf, err);
	free(copy);
	return code;
}

static inline struct conf
good(const char *text)
{
	struct conf conf;
	struct err err;
	if (parse(text, &conf, &err) != ERR_NONE) {
		fail_msg("%s: %s", text, err.message);
	}
	return conf;
}

struct refusal {
	const char *text;
	enum err_code code;
	const char *message; /* the whole one */
	const char *hint;    /* a part of it */
};

static inline void
check_refusals(const struct refusal *refusal, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct conf conf;
		struct err err;
		enum err_code code = parse(refusal[i].text, &conf, &err);
		if (code != refusal[i].code || strcmp(err.message, refusal[i].message) != 0 ||
			!strstr(err.hint, refusal[i].hint)) {
			fail_msg("%s\n  gave %d \"%s\" (%s)\n  want %d \"%s\" (%s)", refusal[i].text, code, err.message, err.hint,
				refusal[i].code, refusal[i].message, refusal[i].hint);
		}
		assert_int_equal(err.code, code);
		conf_free(&conf);
	}
}

/* One line a change: "PATH: FROM -> TO (live)", double quotes as single ones. */
static inline void
check_diff(const char *from, const char *to, const char *want)
{
	struct conf a = good(from), b = good(to);
	struct conf_changes changes;
	assert_true(conf_diff(&a, &b, &changes));
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = 0; i < changes.n; i++) {
		const struct conf_change *c = &changes.change[i];
		fprintf(out, "%s%s: %s -> %s (%s)", i ? "\n" : "", c->path, c->from, c->to, c->live ? "live" : "restart");
	}
	fclose(out);
	char *quoted = json(want);
	assert_string_equal(text, quoted);
	free(quoted);
	free(text);
	conf_changes_free(&changes);
	assert_int_equal(changes.n, 0);
	conf_free(&a);
	conf_free(&b);
}

#endif
