/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (64u << 20)
#define FOR_EVER INT64_MAX

struct call {
	const char *appliance;
	int fd;
	int timeout_ms;
	int64_t deadline_ms; /* by now_ms() */
	struct err *err;
	char *answer;
	size_t size, room;
};

bool
ctl_path(const char *appliance, const char *suffix, char *path, size_t size)
{
	const char *folder = getenv("PEKIT_RUN");
	int n = snprintf(path, size, "%s/%s%s", folder && *folder ? folder : "/run/pekit", appliance, suffix);
	return n > 0 && (size_t)n < size;
}

static int64_t
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum err_code
fail_late(const struct call *call)
{
	err_set(call->err, ERR_TIMEOUT, "appliance %s: no answer within %g s", call->appliance, call->timeout_ms / 1000.0);
	return err_hint(call->err, "what was asked for may still be done; -T waits longer");
}

/* Waits for the events, or just (events 0) for a moment. */
static enum err_code
await(const struct call *call, short events)
{
	for (;;) {
		int64_t left = call->deadline_ms == FOR_EVER ? INT32_MAX : call->deadline_ms - now_ms();
		if (left <= 0) {
			return fail_late(call);
		}
		if (events == 0 && left > 10) {
			left = 10;
		}
		struct pollfd p = {.fd = call->fd, .events = events};
		int n = poll(&p, events ? 1 : 0, (int)(left < INT32_MAX ? left : INT32_MAX));
		if (n > 0 || (n == 0 && events == 0)) {
			return ERR_NONE;
		}
		if (n < 0 && errno != EINTR) {
			return err_set(call->err, ERR_FAILED, "poll: %s", strerror(errno));
		}
	}
}

static enum err_code
fail_connect(const struct call *call, const char *path, int failure)
{
	switch (failure) {
	case ENOENT:
	case ECONNREFUSED:
		err_set(call->err, ERR_NO_ENGINE, "appliance %s: no engine listens on %s", call->appliance, path);
		return err_hint(call->err, "pe run -a %s -c FILE starts it", call->appliance);
	case EACCES:
	case EPERM:
		err_set(call->err, ERR_REFUSED, "appliance %s: %s: permission denied", call->appliance, path);
		return err_hint(call->err, "root, the engine's user and the group pekit may");
	default:
		return err_set(call->err, ERR_FAILED, "appliance %s: %s: %s", call->appliance, path, strerror(failure));
	}
}

static enum err_code
call_connect(struct call *call)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (!ctl_path(call->appliance, ".sock", to.sun_path, sizeof(to.sun_path))) {
		err_set(call->err, ERR_USAGE, "appliance %s: the path of its socket is too long", call->appliance);
		return err_hint(call->err, "a shorter $PEKIT_RUN");
	}
	call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (call->fd < 0) {
		return err_set(call->err, ERR_FAILED, "socket: %s", strerror(errno));
	}
	while (connect(call->fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		/* A full backlog of a Unix socket cannot be polled for. */
		if (errno != EAGAIN && errno != EINTR) {
			return fail_connect(call, to.sun_path, errno);
		}
		enum err_code code = await(call, 0);
		if (code) {
			return code;
		}
	}
	return ERR_NONE;
}

static enum err_code
call_send(struct call *call, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = send(call->fd, text, size, MSG_NOSIGNAL);
		if (n >= 0) {
			text += n;
			size -= (size_t)n;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			/* It may have said why. */
			return ERR_NONE;
		} else if (errno == EAGAIN) {
			enum err_code code = await(call, POLLOUT);
			if (code) {
				return code;
			}
		} else if (errno != EINTR) {
			return err_set(call->err, ERR_FAILED, "appliance %s: %s", call->appliance, strerror(errno));
		}
	}
	return ERR_NONE;
}

static enum err_code
grow(struct call *call)
{
	if (call->size < call->room) {
		return ERR_NONE;
	}
	if (call->room >= ANSWER_MAX) {
		return err_set(
			call->err, ERR_FAILED, "appliance %s: an answer of more than %u MiB", call->appliance, ANSWER_MAX >> 20);
	}
	size_t room = call->room ? 2 * call->room : 65536;
	char *more = realloc(call->answer, room);
	if (!more) {
		return err_set(call->err, ERR_FAILED, "no memory");
	}
	call->answer = more;
	call->room = room;
	return ERR_NONE;
}

/* Reads up to the end of the line. */
static enum err_code
call_receive(struct call *call)
{
	for (;;) {
		enum err_code code = grow(call);
		if (code) {
			return code;
		}
		ssize_t n = recv(call->fd, call->answer + call->size, call->room - call->size, 0);
		if (n > 0) {
			size_t before = call->size;
			call->size += (size_t)n;
			if (memchr(call->answer + before, '\n', (size_t)n)) {
				return ERR_NONE;
			}
		} else if (n == 0 || errno == ECONNRESET) {
			return err_set(
				call->err, ERR_FAILED, "appliance %s: the engine hung up before it answered", call->appliance);
		} else if (errno == EAGAIN) {
			code = await(call, POLLIN);
			if (code) {
				return code;
			}
		} else if (errno != EINTR) {
			return err_set(call->err, ERR_FAILED, "appliance %s: %s", call->appliance, strerror(errno));
		}
	}
}

static enum err_code
take_error(const struct call *call, const json_t *error)
{
	json_int_t code = json_integer_value(json_object_get(error, "code"));
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	bool known = (code >= ERR_FAILED && code <= ERR_DIFFERS) || code == ERR_TIMEOUT;
	err_set(call->err, known ? (enum err_code)code : ERR_FAILED, "%s",
		message ? message : "the engine refused without a reason");
	if (hint) {
		err_hint(call->err, "%s", hint);
	}
	return known ? (enum err_code)code : ERR_FAILED;
}

static enum err_code
take_answer(const struct call *call, json_t **result)
{
	const char *end = memchr(call->answer, '\n', call->size);
	json_t *answer = json_loadb(call->answer, (size_t)(end - call->answer), JSON_REJECT_DUPLICATES, NULL);
	json_t *error = json_object_get(answer, "error");
	enum err_code code = ERR_NONE;
	*result = NULL;
	if (json_is_object(error)) {
		code = take_error(call, error);
	} else {
		*result = json_incref(json_object_get(answer, "result"));
		if (!*result) {
			code = err_set(
				call->err, ERR_FAILED, "appliance %s: the answer is not one of an engine", call->appliance);
		}
	}
	json_decref(answer);
	return code;
}

static char *
request_text(const char *op, json_t *args)
{
	json_t *request = args ? json_pack("{s:s, s:O}", "op", op, "args", args) : json_pack("{s:s}", "op", op);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	size_t n = text ? strlen(text) : 0;
	char *line = text ? realloc(text, n + 2) : NULL;
	if (!line) {
		free(text);
		return NULL;
	}
	memcpy(line + n, "\n", 2);
	return line;
}

enum err_code
ctl_call(const char *appliance, const char *op, json_t *args, int timeout_ms, json_t **result, struct err *err)
{
	struct call call = {
		.appliance = appliance,
		.fd = -1,
		.timeout_ms = timeout_ms,
		.deadline_ms = timeout_ms < 0 ? FOR_EVER : now_ms() + timeout_ms,
		.err = err,
	};
	char *line = request_text(op, args);
	enum err_code code = line ? call_connect(&call) : err_set(err, ERR_FAILED, "no memory");
	if (!code) {
		code = call_send(&call, line, strlen(line));
	}
	if (!code) {
		code = call_receive(&call);
	}
	if (!code) {
		code = take_answer(&call, result);
	}
	free(line);
	free(call.answer);
	if (call.fd >= 0) {
		close(call.fd);
	}
	return code;
}
