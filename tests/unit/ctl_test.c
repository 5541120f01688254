/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/ctl.c lib/base/err.c -ljansson */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/ctl.h"

/* An engine that takes one connection, reads one line and says `answer`. */
struct fake {
	char folder[64], path[96];
	int listener;
	pthread_t thread;
	const char *answer;
	size_t padding; /* that many blanks before the answer's end of line */
	bool deaf;      /* accepts, and reads and says nothing until the client hangs up */
	char request[4096];
};

static void
write_all(int fd, const char *text, size_t size)
{
	/* the client may hang up in the middle */
	while (size > 0) {
		ssize_t n = send(fd, text, size, MSG_NOSIGNAL);
		if (n <= 0) {
			return;
		}
		text += n;
		size -= (size_t)n;
	}
}

static void *
serve(void *arg)
{
	struct fake *fake = arg;
	int fd = accept(fake->listener, NULL, NULL);
	if (fd < 0) {
		return NULL;
	}
	size_t size = 0;
	ssize_t n = 1;
	while (n > 0 && size + 1 < sizeof(fake->request) && (fake->deaf || !memchr(fake->request, '\n', size))) {
		n = read(fd, fake->request + size, sizeof(fake->request) - 1 - size);
		size += n > 0 ? (size_t)n : 0;
	}
	if (!fake->deaf) {
		char blanks[4096];
		memset(blanks, ' ', sizeof(blanks));
		write_all(fd, fake->answer, strlen(fake->answer));
		for (size_t i = 0; i < fake->padding / sizeof(blanks); i++) {
			write_all(fd, blanks, sizeof(blanks));
		}
		write_all(fd, "\n", fake->answer[0] ? 1 : 0);
	}
	close(fd);
	return NULL;
}

static void
fake_make(struct fake *fake)
{
	strcpy(fake->folder, "/tmp/pekit-ctl-XXXXXX");
	assert_non_null(mkdtemp(fake->folder));
	setenv("PEKIT_RUN", fake->folder, 1);
	assert_true(ctl_path("x1", ".sock", fake->path, sizeof(fake->path)));
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	strcpy(at.sun_path, fake->path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_return_code(bind(fake->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_return_code(listen(fake->listener, 1), 0);
}

static void
fake_remove(struct fake *fake)
{
	close(fake->listener);
	unlink(fake->path);
	rmdir(fake->folder);
}

static enum err_code
ask(struct fake *fake, int timeout_ms, json_t *args, json_t **result, struct err *err)
{
	fake_make(fake);
	assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
	*err = (struct err){0};
	*result = NULL;
	enum err_code code = ctl_call("x1", "op", args, timeout_ms, result, err);
	pthread_join(fake->thread, NULL);
	fake_remove(fake);
	return code;
}

static void
test_result(void **state)
{
	(void)state;
	struct fake fake = {.answer = "{\"result\": {\"n\": 3}}"};
	struct err err;
	json_t *result, *args = json_pack("{s:s}", "config", "a\nb");
	assert_int_equal(ask(&fake, -1, args, &result, &err), ERR_NONE);
	assert_int_equal(json_integer_value(json_object_get(result, "n")), 3);
	assert_string_equal(fake.request, "{\"op\":\"op\",\"args\":{\"config\":\"a\\nb\"}}\n");
	json_decref(result);
	json_decref(args);
	struct fake bare = {.answer = "{\"result\": null}"};
	assert_int_equal(ask(&bare, 60000, NULL, &result, &err), ERR_NONE);
	assert_string_equal(bare.request, "{\"op\":\"op\"}\n");
	json_decref(result);
}

static void
test_error_is_the_engines(void **state)
{
	(void)state;
	struct fake fake = {
		.answer = "{\"error\": {\"code\": 4, \"name\": \"exists\", \"message\": \"it is there\", \"hint\": \"look\"}}"};
	struct err err;
	json_t *result;
	assert_int_equal(ask(&fake, 60000, NULL, &result, &err), ERR_EXISTS);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_string_equal(err.message, "it is there");
	assert_string_equal(err.hint, "look");
	assert_null(result);
	struct fake odd = {.answer = "{\"error\": {\"code\": 0}}"};
	assert_int_equal(ask(&odd, 60000, NULL, &result, &err), ERR_FAILED);
	assert_string_equal(err.message, "the engine refused without a reason");
}

static void
test_answers_that_are_none(void **state)
{
	static const char *const answers[] = {"{}", "[]", "garbage", "{\"error\": 7}"};
	(void)state;
	struct err err;
	json_t *result;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct fake fake = {.answer = answers[i]};
		assert_int_equal(ask(&fake, 60000, NULL, &result, &err), ERR_FAILED);
		assert_string_equal(err.message, "appliance x1: the answer is not one of an engine");
		assert_null(result);
	}
	struct fake silent = {.answer = ""};
	assert_int_equal(ask(&silent, 60000, NULL, &result, &err), ERR_FAILED);
	assert_string_equal(err.message, "appliance x1: the engine hung up before it answered");
}

static void
test_long_answers(void **state)
{
	(void)state;
	struct err err;
	json_t *result;
	struct fake fits = {.answer = "{\"result\": 1}", .padding = 8u << 20};
	assert_int_equal(ask(&fits, 60000, NULL, &result, &err), ERR_NONE);
	json_decref(result);
	struct fake endless = {.answer = "{\"result\": 1}", .padding = 65u << 20};
	assert_int_equal(ask(&endless, 60000, NULL, &result, &err), ERR_FAILED);
	assert_string_equal(err.message, "appliance x1: an answer of more than 64 MiB");
}

static void
test_time_runs_out(void **state)
{
	(void)state;
	struct err err;
	json_t *result;
	struct fake fake = {.deaf = true};
	assert_int_equal(ask(&fake, 50, NULL, &result, &err), ERR_TIMEOUT);
	assert_string_equal(err.message, "appliance x1: no answer within 0.05 s");
	assert_string_equal(err.hint, "what was asked for may still be done; -T waits longer");
}

/* Nobody accepts, the backlog is full: connect() itself must be bounded. */
static void
test_full_backlog(void **state)
{
	(void)state;
	struct fake fake = {0};
	struct err err;
	json_t *result;
	int fd[64];
	size_t n = 0;
	fake_make(&fake);
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	strcpy(to.sun_path, fake.path);
	for (; n < 64; n++) {
		fd[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fd[n], (struct sockaddr *)&to, sizeof(to)) < 0) {
			break;
		}
	}
	assert_true(n < 64);
	assert_int_equal(ctl_call("x1", "op", NULL, 50, &result, &err), ERR_TIMEOUT);
	for (size_t i = 0; i <= n; i++) {
		close(fd[i]);
	}
	fake_remove(&fake);
}

static void
test_nobody_there(void **state)
{
	(void)state;
	struct fake fake = {0};
	struct err err;
	json_t *result;
	fake_make(&fake);
	close(fake.listener);
	/* a socket file that a killed engine left */
	assert_int_equal(ctl_call("x1", "op", NULL, 60000, &result, &err), ERR_NO_ENGINE);
	assert_string_equal(err.hint, "pe run -a x1 -c FILE starts it");
	unlink(fake.path);
	assert_int_equal(ctl_call("x1", "op", NULL, 60000, &result, &err), ERR_NO_ENGINE);
	rmdir(fake.folder);
}

static void
test_paths(void **state)
{
	(void)state;
	char path[64];
	unsetenv("PEKIT_RUN");
	assert_true(ctl_path("edge1", ".sock", path, sizeof(path)));
	assert_string_equal(path, "/run/pekit/edge1.sock");
	assert_true(ctl_path("edge1", ".sock", path, 22));
	assert_false(ctl_path("edge1", ".sock", path, 21));
	setenv("PEKIT_RUN", "", 1);
	assert_true(ctl_path("edge1", ".pid", path, sizeof(path)));
	assert_string_equal(path, "/run/pekit/edge1.pid");
	char folder[200];
	memset(folder, 'x', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	setenv("PEKIT_RUN", folder, 1);
	struct err err;
	json_t *result;
	assert_int_equal(ctl_call("edge1", "op", NULL, 60000, &result, &err), ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_error_is_the_engines),
		cmocka_unit_test(test_answers_that_are_none),
		cmocka_unit_test(test_long_answers),
		cmocka_unit_test(test_time_runs_out),
		cmocka_unit_test(test_full_backlog),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
