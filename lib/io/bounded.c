/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 10
#define REPORT_FD 3 /* in the child */
#define NOT_RUN 127

static int keep = -1;

void
bounded_keep(int fd)
{
	keep = fd;
}

int64_t
bounded_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool
bounded_pause(int64_t deadline_ms)
{
	if (bounded_now_ms() >= deadline_ms) {
		return false;
	}
	struct timespec moment = {.tv_nsec = PAUSE_MS * 1000000L};
	nanosleep(&moment, NULL);
	return true;
}

/* What the child holds, the others wait for: locks, pipes, terminals. It keeps nothing but the pipe and what is for keeping, and
 * no signal from a terminal reaches it. */
static bool
let_go(int report)
{
	/* Out of the way of the numbers below. */
	int kept = keep >= 0 ? fcntl(keep, F_DUPFD_CLOEXEC, REPORT_FD + 1) : -1;
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
		(report != REPORT_FD && dup2(report, REPORT_FD) < 0)) {
		return false;
	}
	if (kept > REPORT_FD + 1) {
		close_range(REPORT_FD + 1, (unsigned)kept - 1, 0);
	}
	close_range(kept > 0 ? (unsigned)kept + 1 : REPORT_FD + 1, ~0U, 0);
	setsid();
	return true;
}

static int
write_once(const char *text, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		return errno;
	}
	ssize_t n = write(fd, text, strlen(text));
	return n < 0 ? errno : (size_t)n < strlen(text) ? EIO : 0;
}

/* Reads what the child reports until it has no more to say, or the deadline. The number of bytes; -1: it is over. */
static ssize_t
read_report(int fd, int64_t deadline_ms, bounded_later *later, void *arg, char *text, size_t size)
{
	size_t got = 0;
	char rest[256];
	for (;;) {
		int64_t left = deadline_ms - bounded_now_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int n = left > 0 ? poll(&ready, 1, left > INT32_MAX ? INT32_MAX : (int)left) : 0;
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n == 0 && later && (deadline_ms = later(arg)) > bounded_now_ms()) {
			continue;
		}
		if (n <= 0) {
			return -1;
		}
		ssize_t more = got < size ? read(fd, text + got, size - got) : read(fd, rest, sizeof(rest));
		if (more < 0 && errno == EINTR) {
			continue;
		}
		if (more <= 0) {
			return (ssize_t)got;
		}
		got += got < size ? (size_t)more : 0;
	}
}

static int
await_child(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return status;
}

int
bounded_write(int64_t deadline_ms, bounded_later *later, void *arg, const char *text, const char *path)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return errno;
	}
	pid_t pid = fork();
	if (pid == 0) {
		int error = let_go(ends[1]) ? write_once(text, path) : EIO;
		ssize_t n = write(REPORT_FD, &error, sizeof(error));
		_exit(n == sizeof(error) ? 0 : 1);
	}
	int error = errno;
	close(ends[1]);
	if (pid > 0) {
		char said[sizeof(error)];
		ssize_t n = read_report(ends[0], deadline_ms, later, arg, said, sizeof(said));
		error = n < 0 ? ETIMEDOUT : EIO;
		if (n == sizeof(said)) {
			memcpy(&error, said, sizeof(error));
		}
		if (n >= 0) {
			await_child(pid);
		}
	}
	close(ends[0]);
	return error;
}

bool
bounded_run(int64_t deadline_ms, char *const argv[], char *said, size_t size)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		snprintf(said, size, "%s", strerror(errno));
		return false;
	}
	pid_t pid = fork();
	if (pid == 0) {
		if (let_go(ends[1]) && dup2(REPORT_FD, STDERR_FILENO) >= 0) {
			close(REPORT_FD);
			execv(argv[0], argv);
		}
		_exit(NOT_RUN);
	}
	close(ends[1]);
	ssize_t n = pid > 0 ? read_report(ends[0], deadline_ms, NULL, NULL, said, size - 1) : 0;
	close(ends[0]);
	said[n > 0 ? n : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	if (pid < 0) {
		return false;
	}
	if (n < 0) {
		kill(pid, SIGKILL);
		snprintf(said, size, "%s has not come to an end in time", argv[0]);
	}
	int status = await_child(pid);
	bool ok = n >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (!ok && !said[0]) {
		snprintf(said, size, "%s has failed", argv[0]);
	}
	return ok;
}
