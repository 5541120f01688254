/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/perform.c lib/io/bounded.c lib/vf/pci.c lib/base/err.c lib/base/num.c */
/*
 * How long a step waits for the kernel. The attribute is a FIFO: who writes to it waits until somebody reads. Its reader comes
 * when the host is looked at for processes that are in the way, which is when the step's time is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/driver.h"
#include "io/host.h"
#include "io/perform.h"
#include "io/performing.h"
#include "io/sysfs.h"

static char folder[] = "/tmp/pekit-perform.XXXXXX";
static char fifo[sizeof(folder) + 8];
static int reader = -1;
static bool held;
static int written;

/* ---- in place of the machine ------------------------------------------------------------------------------------------ */

enum err_code
host_read(const char *root, unsigned what, struct host *host, struct err *err)
{
	static struct host_use use = {.pid = 812, .by = "qemu (pid 812)"};
	static struct host_func func = {.addr = 0x0100, .use = &use, .nuses = 1};
	(void)root, (void)what, (void)err;
	*host = (struct host){.func = &func, .nfuncs = held ? 1 : 0};
	if (!held && reader < 0) {
		reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
	return ERR_NONE;
}

void
host_free(struct host *host)
{
	host->nfuncs = 0;
}

bool
sysfs_exists(int root, const char *fmt, ...)
{
	(void)root, (void)fmt;
	return true;
}

bool
sysfs_list(int root, sysfs_see *see, void *arg, const char *fmt, ...)
{
	(void)root, (void)see, (void)arg, (void)fmt;
	return true;
}

bool
sysfs_link(int root, char *name, size_t size, const char *fmt, ...)
{
	(void)root, (void)size, (void)fmt;
	name[0] = '\0';
	return false;
}

bool
sysfs_number(int root, uint64_t max, uint64_t *value, const char *fmt, ...)
{
	(void)root, (void)max, (void)value, (void)fmt;
	return false;
}

ssize_t
sysfs_read(int root, char *text, size_t size, const char *fmt, ...)
{
	(void)root, (void)text, (void)size, (void)fmt;
	return -1;
}

int
sysfs_write(const char *text, const char *fmt, ...)
{
	(void)text, (void)fmt;
	return EIO;
}

void
driver_of(int root, const char *address, char driver[HOST_DRIVER_SIZE])
{
	(void)root, (void)address;
	driver[0] = '\0';
}

bool
driver_passes(const char *driver)
{
	(void)driver;
	return false;
}

static enum err_code
do_write(struct performing *p)
{
	written = performing_write(p, "7", fifo);
	return written ? performing_late(p, "making VFs") : ERR_NONE;
}

enum err_code
perform_numvfs(struct performing *p)
{
	return do_write(p);
}

enum err_code
perform_driver(struct performing *p)
{
	return do_write(p);
}

enum err_code
perform_vfset(struct performing *p)
{
	return do_write(p);
}

enum err_code
perform_portset(struct performing *p)
{
	return do_write(p);
}

/* ---- tests -------------------------------------------------------------------------------------------------------------- */

static int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pekit-perform.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	held = false;
	return mkfifo(fifo, 0600);
}

/* Whoever still writes comes to its end. */
static int
tear_down(void **state)
{
	(void)state;
	reader = reader < 0 ? open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : reader;
	close(reader);
	reader = -1;
	unlink(fifo);
	rmdir(folder);
	return 0;
}

static enum err_code
step(enum step_kind kind, struct err *err)
{
	struct step what = {.kind = kind, .func = 0x0100, .index = -1, .to = {.number = 7}};
	*err = (struct err){0};
	return perform_step(&what, 50, err);
}

static void
making_vfs_has_more_time_than_asked_for(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(step(STEP_NUMVFS, &err), ERR_NONE);
}

static void
a_change_of_drivers_has_it_too(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(step(STEP_DRIVER, &err), ERR_NONE);
}

static void
other_steps_have_not(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(step(STEP_PORTSET, &err), ERR_TIMEOUT);
	assert_string_equal(err.hint, "-T waits longer");
}

static void
who_has_it_open_is_not_waited_for(void **state)
{
	(void)state;
	struct err err;
	held = true;
	assert_int_equal(step(STEP_NUMVFS, &err), ERR_TIMEOUT);
	assert_int_equal(written, ETIMEDOUT);
	assert_non_null(strstr(err.message, "qemu (pid 812) has "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(making_vfs_has_more_time_than_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_change_of_drivers_has_it_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_steps_have_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_has_it_open_is_not_waited_for, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
