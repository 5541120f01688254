/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/bounded.c */
/* What is written by a child: in time, too late, and by a child whose parent was killed. The attribute that blocks is a FIFO. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/bounded.h"

#define PATIENCE_MS 20000

static char dir[] = "/tmp/pekit-bounded-XXXXXX", fifo[64], lock[64];

static int
set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir)) {
		return -1;
	}
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	snprintf(lock, sizeof(lock), "%s/lock", dir);
	return mkfifo(fifo, 0600);
}

static int
tear_down(void **state)
{
	(void)state;
	/* After a failure somebody may still wait for a reader. */
	close(open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	unlink(fifo);
	unlink(lock);
	return rmdir(dir);
}

static int
open_lock(void)
{
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

/* What the child had to write. */
static void
take(const char *should)
{
	char text[16] = "";
	int fd = open(fifo, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text) - 1), strlen(should));
	assert_string_equal(text, should);
	close(fd);
}

static void
what_is_late_goes_on(void **state)
{
	(void)state;
	assert_int_equal(bounded_write(bounded_now_ms() + 20, NULL, NULL, "late", fifo), ETIMEDOUT);
	take("late");
}

static void
the_kernel_says_why_not(void **state)
{
	char path[80];
	(void)state;
	snprintf(path, sizeof(path), "%s/none", dir);
	assert_int_equal(bounded_write(bounded_now_ms() + PATIENCE_MS, NULL, NULL, "x", path), ENOENT);
	assert_int_equal(bounded_write(bounded_now_ms() + PATIENCE_MS, NULL, NULL, "x", "/dev/full"), ENOSPC);
	assert_int_equal(bounded_write(bounded_now_ms() + PATIENCE_MS, NULL, NULL, "x", "/dev/null"), 0);
}

static bool
has_child(pid_t pid)
{
	char path[64], text[32] = "";
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	close(fd);
	return n > 0;
}

/* Whether the lock is kept by the child of a parent that has been killed. */
static void
kill_the_parent(bool keeping)
{
	int64_t end = bounded_now_ms() + PATIENCE_MS;
	int fd = open_lock();
	pid_t pid = fork();
	if (pid == 0) {
		int own = open_lock();
		bounded_keep(flock(own, LOCK_EX | LOCK_NB) == 0 && keeping ? own : -1);
		_exit(bounded_write(end, NULL, NULL, "left", fifo));
	}
	while (!has_child(pid) && bounded_pause(end)) {
	}
	assert_true(has_child(pid));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* The child lets go of what it does not keep in its own time. */
	bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0;
	while (locked && !keeping && bounded_pause(end)) {
		locked = flock(fd, LOCK_EX | LOCK_NB) != 0;
	}
	assert_int_equal(locked, keeping);
	take("left");
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		assert_true(bounded_pause(end));
	}
	close(fd);
}

static void
a_child_keeps_what_is_for_keeping(void **state)
{
	(void)state;
	kill_the_parent(true);
}

static void
and_nothing_else(void **state)
{
	(void)state;
	kill_the_parent(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_late_goes_on),
		cmocka_unit_test(the_kernel_says_why_not),
		cmocka_unit_test(a_child_keeps_what_is_for_keeping),
		cmocka_unit_test(and_nothing_else),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
