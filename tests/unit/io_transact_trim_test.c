/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/transact.c lib/io/transact_file.c lib/io/transact_trim.c lib/vf/ledger.c lib/vf/ledger_line.c
 * lib/vf/ledger_trim.c */
/* links: lib/vf/plan.c lib/vf/plan_lease.c lib/vf/plan_numvfs.c lib/vf/plan_port.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c */
/* links: lib/vf/portset.c lib/vf/vfset.c lib/vf/keys.c lib/vf/rules.c lib/vf/rules_set.c lib/vf/rules_driver.c lib/vf/step.c */
/* links: lib/json/field.c lib/base/addr.c lib/base/err.c lib/base/num.c lib/io/bounded.c lib/io/sysfs.c -ljansson */
/* A ledger that has become long, on disk: what it keeps, what its history has, and who is killed in the middle. */
#include "io/transact_file.h"
#include "vf/ledger_trim.h"
#include "vf_machine.h"

#define LONG (256u << 10)
#define SHORT 8192

static char text[2 * LONG]; /* of the ledger, before it becomes too long */
static size_t size;

static size_t
load(const char *name, char *to, size_t room)
{
	char path[96];
	path_of(name, path);
	FILE *from = fopen(path, "re");
	size_t n = from ? fread(to, 1, room, from) : 0;
	assert_true(n < room);
	if (from) {
		fclose(from);
	}
	return n;
}

static void
store(const char *name, const char *from, size_t n)
{
	char path[96];
	path_of(name, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(syscall(SYS_write, fd, from, n), n);
	close(fd);
}

static size_t
size_of(const char *name)
{
	char path[96];
	struct stat st;
	path_of(name, path);
	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

/* One line below the limit: what comes next is too much. */
static void
make_long(void)
{
	must(four_vfs);
	size = load("ledger", text, sizeof(text));
	uint64_t seq = ledger_last(text, size);
	while (size < LONG - 500) {
		int n = snprintf(text + size, sizeof(text) - size,
			"{\"seq\":%d,\"at\":\"2026-01-31T12:00:00Z\",\"boot\":\"b\",\"who\":\"root\",\"op\":\"set\",\"phase\":\"begin\","
			"\"func\":\"0000:01:00.0\",\"index\":1,\"steps\":[]}\n"
			"{\"seq\":%d,\"at\":\"2026-01-31T12:00:00Z\",\"of\":%d,\"phase\":\"undone\",\"note\":\"%0100d\"}\n",
			(int)seq + 1, (int)seq + 2, (int)seq + 1, 0);
		size += (size_t)n;
		seq += 2;
	}
	store("ledger", text, size);
}

static void
open_it(struct transact *t)
{
	struct err err = {0};
	uint64_t mended;
	if (transact_open(0, t, NULL, NULL, &mended, &err)) {
		fail_msg("%s", err.message);
	}
}

/* All that ever happened is there, each line once. */
static char *
check_history(size_t *n)
{
	struct transact t = {.lock = -1};
	struct ledger whole;
	struct err err = {0};
	char *all;
	uint64_t lines = 0;
	assert_int_equal(transact_read("", &t, &err), ERR_NONE);
	assert_int_equal(transact_history(&t, &all, n, &err), ERR_NONE);
	if (ledger_read(all, *n, &whole, &err)) {
		fail_msg("%s", err.message);
	}
	for (size_t i = 0; i < *n; i++) {
		lines += all[i] == '\n';
	}
	assert_true(lines == whole.seq && ledger_same(&whole, &t.ledger));
	assert_memory_equal(all, text, size);
	ledger_free(&whole);
	transact_close(&t);
	return all;
}

static void
hear(void *arg, const struct ledger_past *past)
{
	(void)past;
	++*(unsigned *)arg;
}

static void
what_is_past_goes_to_the_history(void **state)
{
	(void)state;
	unsigned leases = 0;
	size_t n;
	struct err err;
	make_long();
	must(set_1); /* that it is too long is seen after the change */
	must(lease_2);
	assert_true(size_of("ledger") < SHORT);
	assert_true(size_of("history") > LONG - 500);
	must(release_2);
	must(lease_2);
	char *all = check_history(&n);
	assert_int_equal(ledger_history(all, n, HOSTS_IGB_PF, 2, hear, &leases, &err), ERR_NONE);
	assert_int_equal(leases, 2);
	free(all);
	struct transact t = {.lock = -1};
	open_it(&t);
	assert_int_equal(ledger_find(&t.ledger, HOSTS_IGB_PF, 2)->generation, 2);
	/* and again: the history grows by what is new */
	transact_trim(&t);
	transact_close(&t);
	free(check_history(&n));
}

/* At each write of it, before, in the middle of, and after it. */
static void
who_is_killed_in_the_middle_has_lost_nothing(void **state)
{
	(void)state;
	static struct shared machine;
	int status = KILLED, at;
	make_long();
	machine = *shared;
	for (at = 0; status == KILLED; at++) {
		struct transact t = {.lock = -1};
		size_t n;
		char path[96];
		store("ledger", text, size);
		path_of("history", path);
		unlink(path);
		*shared = machine;
		status = in_child(lease_2, at);
		assert_true(status == KILLED || status == 0);
		open_it(&t);
		free(check_history(&n));
		transact_trim(&t);
		assert_true(t.size < SHORT && size_of("ledger") == t.size);
		transact_close(&t);
		free(check_history(&n));
	}
	assert_true(at > 12);
}

static void
a_full_disk_leaves_it_long(void **state)
{
	(void)state;
	static struct shared was;
	char path[96];
	size_t n;
	make_long();
	was = *shared;
	lines_left = 2; /* its begin and its end; none for the history */
	must(lease_2);
	lines_left = -1;
	assert_true(size_of("ledger") > LONG - 500);
	free(check_history(&n));
	*shared = was;
	store("ledger", text, size);
	lines_left = 3; /* the history, too; none for the ledger */
	must(lease_2);
	lines_left = -1;
	assert_true(size_of("ledger") > LONG - 500 && size_of("history") > LONG - 500);
	path_of("ledger.new", path);
	assert_int_equal(access(path, F_OK), -1);
	free(check_history(&n));
	must(release_2);
	free(check_history(&n));
}

static void
without_a_history_it_stays_long(void **state)
{
	(void)state;
	char path[96];
	make_long();
	path_of("history", path);
	assert_int_equal(mkdir(path, 0700), 0);
	must(lease_2);
	assert_true(size_of("ledger") > LONG - 500);
	assert_int_equal(rmdir(path), 0);
}

static void
what_was_torn_is_written_again(void **state)
{
	(void)state;
	size_t n;
	struct transact t = {.lock = -1};
	make_long();
	store("history", text, size / 2 + 7);
	open_it(&t);
	transact_trim(&t);
	transact_close(&t);
	assert_int_equal(size_of("history"), size);
	free(check_history(&n));
}

/* Whoever has removed the ledger has left its history. */
static void
a_history_of_another_ledger_is_put_aside(void **state)
{
	(void)state;
	static const char other[] =
		"{\"seq\":99998,\"at\":\"x\",\"boot\":\"b\",\"who\":\"root\",\"op\":\"set\",\"phase\":\"begin\","
		"\"func\":\"0000:01:00.0\",\"index\":1,\"steps\":[]}\n"
		"{\"seq\":99999,\"at\":\"x\",\"of\":99998,\"phase\":\"undone\"}\n";
	char path[96];
	size_t n;
	make_long();
	store("history", other, sizeof(other) - 1);
	free(check_history(&n));
	must(lease_2);
	free(check_history(&n));
	assert_int_equal(size_of("history.old"), sizeof(other) - 1);
	path_of("history.old", path);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_past_goes_to_the_history, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_killed_in_the_middle_has_lost_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_leaves_it_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_history_it_stays_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_torn_is_written_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_history_of_another_ledger_is_put_aside, set_up, tear_down),
	};
	return machine_run(tests, sizeof(tests) / sizeof(tests[0]));
}
