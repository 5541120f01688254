/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/transact.c lib/io/transact_file.c lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c lib/vf/plan.c */
/* links: lib/vf/plan_lease.c lib/vf/plan_numvfs.c lib/vf/plan_port.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/portset.c
 */
/* links: lib/vf/vfset.c lib/vf/keys.c lib/vf/rules.c lib/vf/rules_set.c lib/vf/rules_driver.c lib/base/addr.c lib/base/err.c */
/* links: lib/io/transact_trim.c lib/vf/ledger_trim.c lib/json/field.c lib/base/num.c lib/io/bounded.c lib/io/sysfs.c -ljansson */
/* The ledger's directory, boots, functions that are no more, and drivers that do not want. */
#include "vf_machine.h"

/* ---- boots, vanished functions, drivers that do not want -------------------------------------------------------------- */

/* The ledger's lines are of a former boot now. */
static void
age_ledger(void)
{
	static struct image image;
	static const char key[] = "\"boot\":\"";
	save_image(&image);
	for (char *at = image.text; (at = memmem(at, image.size - (size_t)(at - image.text), key, strlen(key))); at++) {
		memcpy(at + strlen(key), "00000000", 8);
	}
	put_image(&image);
}

static void
a_boot_leaves_nothing_to_undo(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		struct transact t = {.lock = -1};
		struct err err;
		uint64_t mended;
		prepare(s);
		put_image(&before);
		assert_int_equal(in_child(s->op, 5), KILLED); /* the first step is done */
		age_ledger();
		boot();
		assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
		assert_true(mended > 0 && t.ledger.open.seq == 0);
		assert_int_equal(shared->performed, 0);
		const struct ledger_record *record = ledger_find(&t.ledger, HOSTS_IGB_PF, 2);
		if (s->op == release_2) {
			assert_string_equal(record->holder, "");
		} else if (s->before[1] == lease_2 && s->before[2] == NULL) {
			assert_string_equal(record->holder, "vpx1");
			assert_int_equal(record->before.has, VFSET_MAC | VFSET_VLAN | VFSET_TRUST);
		}
		transact_close(&t);
	}
}

static void
a_lease_outlives_a_boot(void **state)
{
	(void)state;
	must(four_vfs);
	must(lease_2);
	age_ledger();
	boot();
	must(four_vfs);
	static struct image fresh;
	save_image(&fresh);
	must(lease_2);
	assert_int_equal(shared->m.vf[2].set.vlan, 100);
	assert_string_equal(shared->m.vf[2].driver, "vfio-pci");
	must(release_2);
	assert_memory_equal(&shared->m, &fresh.machine.m, sizeof(shared->m));
}

static void
what_is_no_more_can_be_released(void **state)
{
	(void)state;
	char note[160];
	struct err err = {0};
	must(four_vfs);
	must(lease_2);
	/* gone before the release is planned: a hand has destroyed the VFs */
	struct image held;
	save_image(&held);
	shared->m.num_vfs = 2;
	assert_int_equal(run(release_2, note, &err), ERR_NONE);
	assert_non_null(strstr(note, "no more"));
	/* gone while it is released: in the middle of it, killed, and mended */
	put_image(&held);
	assert_int_equal(in_child(release_2, 6), KILLED);
	shared->m.num_vfs = 2;
	struct transact t = {.lock = -1};
	uint64_t mended;
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_true(mended > 0);
	assert_string_equal(ledger_find(&t.ledger, HOSTS_IGB_PF, 2)->holder, "");
	assert_non_null(memmem(t.text, t.size, "is no more", 10));
	transact_close(&t);
}

static enum err_code
release_2_late(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	enum err_code code = release_2(in, entry, err);
	shared->m.num_vfs = 2; /* after the plan */
	return code;
}

static void
what_goes_while_it_is_released_is_said(void **state)
{
	(void)state;
	char note[160];
	struct err err = {0};
	must(four_vfs);
	must(lease_2);
	assert_int_equal(run(release_2_late, note, &err), ERR_NONE);
	assert_string_equal(note, "0000:01:00.0:2 is no more");
	must(lease_crypto);
	assert_int_equal(in_child(release_crypto, 5), KILLED);
	shared->no_crypto = true;
	must(set_1); /* mends on its way */
}

static void
a_step_that_fails_takes_all_back(void **state)
{
	(void)state;
	static struct image start;
	struct err err = {0};
	must(four_vfs);
	save_image(&start);
	fail_with = ERR_REFUSED;
	fail_kind = STEP_VFSET;
	fail_after = 2;
	fail_times = 1;
	assert_int_equal(run(lease_2, NULL, &err), ERR_REFUSED);
	assert_string_equal(err.message, "the driver says no");
	assert_memory_equal(&shared->m, &start.machine.m, sizeof(shared->m));
	fail_with = ERR_NONE;
	must(lease_2);
}

static void
what_cannot_be_taken_back_is_said(void **state)
{
	(void)state;
	struct err err = {0};
	struct transact t = {.lock = -1};
	uint64_t mended;
	must(four_vfs);
	/* for good: the second setting, its way back, and the way back of the first */
	fail_with = ERR_REFUSED;
	fail_kind = STEP_VFSET;
	fail_after = 1;
	fail_times = 3;
	assert_int_equal(run(lease_2, NULL, &err), ERR_REFUSED);
	assert_non_null(strstr(err.message, "not taken back"));
	assert_non_null(strstr(err.message, "mac"));
	fail_with = ERR_NONE;
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_int_equal(mended, 0);
	assert_non_null(memmem(t.text, t.size, "not taken back", 14));
	transact_close(&t);
	/* this time: it stays halfway, and is in everybody's way until it goes, or is given up */
	fail_with = ERR_TIMEOUT;
	fail_after = 0;
	fail_times = 100;
	assert_int_equal(run(set_1, NULL, &err), ERR_TIMEOUT);
	assert_int_equal(run(bind_crypto, NULL, &err), ERR_TIMEOUT);
	assert_non_null(strstr(err.message, "left halfway"));
	assert_string_equal(shared->m.driver, "");
	t.force = true;
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_true(mended > 0);
	assert_non_null(strstr(t.left, "mac"));
	transact_close(&t);
	must(bind_crypto);
}

/* A driver that never takes a setting back must not keep a lease from ending. */
static void
a_release_can_be_forced(void **state)
{
	(void)state;
	struct err err = {0};
	struct transact t = {.lock = -1, .force = true};
	struct host host;
	struct ledger_entry entry;
	uint64_t mended;
	must(four_vfs);
	must(lease_2);
	fail_with = ERR_REFUSED;
	fail_kind = STEP_VFSET;
	fail_after = 1;
	fail_times = 1;
	assert_int_equal(run(release_2, NULL, &err), ERR_REFUSED);
	assert_string_equal(err.hint, "--force leaves what cannot be put back as it is");
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_int_equal(mended, 0);
	assert_string_equal(ledger_find(&t.ledger, HOSTS_IGB_PF, 2)->holder, "vpx1");
	fail_after = 1;
	fail_times = 1;
	read_host(&host);
	assert_int_equal(release_2(&(struct plan_input){.host = &host, .ledger = &t.ledger}, &entry, &err), ERR_NONE);
	assert_int_equal(transact_run(&t, &entry, 0, NULL, NULL, &err), ERR_NONE);
	assert_string_equal(entry.note, "not done: 0000:01:00.0:2: vlan none (was 100)");
	assert_string_equal(ledger_find(&t.ledger, HOSTS_IGB_PF, 2)->holder, "");
	assert_int_equal(shared->m.vf[2].set.mac, 0);
	assert_string_equal(shared->m.vf[2].driver, "igbvf");
	ledger_entry_free(&entry);
	host_free(&host);
	transact_close(&t);
}

/* What is to be got rid of is not taken back by the next command but done. */
static void
a_release_that_stays_halfway_is_finished(void **state)
{
	(void)state;
	struct err err = {0};
	must(four_vfs);
	must(lease_2);
	fail_with = ERR_TIMEOUT;
	fail_kind = STEP_VFSET;
	fail_after = 1;
	fail_times = 3;
	assert_int_equal(run(release_2, NULL, &err), ERR_TIMEOUT);
	assert_non_null(strstr(err.hint, "the next change tries again to do it all"));
	fail_times = 100;
	assert_int_equal(run(set_1, NULL, &err), ERR_TIMEOUT);
	assert_string_equal(err.hint,
		"take out of the way what hinders it; echo '{}' | vfctl apply --force - leaves what cannot be done as it is");
	fail_with = ERR_NONE;
	must(set_1);
	assert_int_equal(shared->m.vf[2].set.vlan, 0);
}

static void
what_stays_halfway_is_mended_in_the_same_process(void **state)
{
	(void)state;
	struct transact t = {.lock = -1};
	struct host host;
	struct ledger_entry entry;
	struct err err = {0};
	uint64_t mended;
	must(four_vfs);
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	read_host(&host);
	struct plan_input in = {.host = &host, .ledger = &t.ledger};
	assert_int_equal(set_0(&in, &entry, &err), ERR_NONE);
	fail_with = ERR_TIMEOUT;
	fail_kind = STEP_VFSET;
	fail_after = 1;
	fail_times = 2;
	assert_int_equal(transact_run(&t, &entry, 0, NULL, NULL, &err), ERR_TIMEOUT);
	ledger_entry_free(&entry);
	assert_true(t.ledger.open.seq > 0);
	assert_int_equal(bind_1(&in, &entry, &err), ERR_NONE);
	assert_int_equal(transact_run(&t, &entry, 0, NULL, NULL, &err), ERR_NONE);
	ledger_entry_free(&entry);
	assert_true(t.ledger.open.seq == 0);
	assert_int_equal(shared->m.vf[0].set.mac, 0);
	host_free(&host);
	transact_close(&t);
}

static void
a_full_disk_changes_nothing(void **state)
{
	(void)state;
	static struct image start;
	struct err err = {0};
	must(four_vfs);
	save_image(&start);
	/* its room is asked for before the first step */
	full = true;
	assert_int_equal(run(lease_2, NULL, &err), ERR_FAILED);
	full = false;
	assert_int_equal(shared->performed, start.machine.performed);
	/* and where it cannot be: when the end does not fit, nobody was told that it was done */
	lines_left = 1;
	assert_int_equal(run(lease_2, NULL, &err), ERR_FAILED);
	assert_non_null(strstr(err.message, "No space left"));
	assert_non_null(strstr(err.hint, "nothing is changed"));
	assert_memory_equal(&shared->m, &start.machine.m, sizeof(shared->m));
	lines_left = -1;
	must(lease_2);
	/* who wanted to be rid of it is */
	lines_left = 1;
	assert_int_equal(run(release_2, NULL, &err), ERR_FAILED);
	assert_non_null(strstr(err.hint, "everything is done"));
	assert_memory_equal(&shared->m, &start.machine.m, sizeof(shared->m));
	lines_left = -1;
	struct transact t = {.lock = -1};
	uint64_t mended;
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_true(mended > 0);
	assert_string_equal(ledger_find(&t.ledger, HOSTS_IGB_PF, 2)->holder, "");
	transact_close(&t);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static void
one_at_a_time(void **state)
{
	(void)state;
	struct transact t = {.lock = -1}, other = {.lock = -1};
	struct err err = {0};
	uint64_t mended;
	char pid[32];
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_int_equal(transact_open(1, &other, NULL, NULL, &mended, &err), ERR_TIMEOUT);
	snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	assert_non_null(strstr(err.message, pid));
	assert_int_equal(transact_read("", &other, &err), ERR_NONE);
	assert_true(transact_busy(&other));
	transact_close(&t);
	assert_false(transact_busy(&other));
	transact_close(&other);
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	transact_close(&t);
}

static void
directories_are_made_for_everybody_to_read(void **state)
{
	(void)state;
	char deep[96], path[96];
	struct stat st;
	struct err err;
	mode_t mask = umask(077);
	path_of("a/b", deep);
	setenv("PEKIT_VF_STATE", deep, 1);
	synced_folders = 0;
	must(bind_crypto);
	umask(mask);
	/* the two above those that were made, and that of the ledger */
	assert_int_equal(synced_folders, 3);
	path_of("a", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	path_of("a/b/ledger", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	/* but not to lock */
	path_of("a/b/lock", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	path_of("a/b/steps", path);
	assert_int_equal(chmod(path, 0644), 0);
	must(unbind_crypto);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	path_of("a/b/ledger", path);
	unlink(path);
	struct transact t = {.lock = -1};
	assert_int_equal(transact_read(deep, &t, &err), ERR_NONE);
	assert_int_equal(t.ledger.seq, 0);
	transact_close(&t);
	path_of("a/b/lock", path);
	unlink(path);
	path_of("a/b/steps", path);
	unlink(path);
	rmdir(deep);
	path_of("a", path);
	rmdir(path);
}

static void
a_ledger_that_cannot_be_read_stops_everything(void **state)
{
	(void)state;
	static struct image bad = {.text = "{\"seq\":1}\n", .size = 10};
	struct err err = {0};
	put_image(&bad);
	boot();
	assert_int_equal(run(bind_crypto, NULL, &err), ERR_FAILED);
	assert_non_null(strstr(err.message, "line 1"));
	assert_int_equal(shared->performed, 0);
}

static void
what_could_not_be_read_again_is_not_written(void **state)
{
	(void)state;
	struct transact t = {.lock = -1};
	struct step step = {.kind = STEP_VFSET, .func = HOSTS_IGB_PF, .index = 0, .to = {.set = {.has = VFSET_VLAN, .proto = 7}}};
	struct ledger_entry entry = {.op = LEDGER_SET, .func = HOSTS_IGB_PF, .index = 0};
	struct err err = {0};
	uint64_t mended;
	assert_true(steps_add(&entry.steps, &step));
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_int_equal(transact_run(&t, &entry, 0, NULL, NULL, &err), ERR_FAILED);
	assert_int_equal(t.size, 0);
	assert_int_equal(shared->performed, 0);
	ledger_entry_free(&entry);
	transact_close(&t);
}

static void
of_a_record_nothing_outside_is_read(void **state)
{
	(void)state;
	struct transact t = {.lock = -1};
	struct err err = {0};
	char path[96], deep[96], outside[96];
	must(four_vfs);
	path_of("ledger", outside);
	path_of("record", deep);
	path_of("record/ledger", path);
	assert_int_equal(mkdir(deep, 0755), 0);
	assert_int_equal(symlink(outside, path), 0);
	assert_int_equal(transact_read(deep, &t, &err), ERR_NONE);
	assert_int_equal(t.ledger.seq, 0);
	transact_close(&t);
	unlink(path);
	/* nor waited for who writes */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(transact_read(deep, &t, &err), ERR_FAILED);
	unlink(path);
	rmdir(deep);
}

static volatile sig_atomic_t heard_after; /* so many steps */

static void
hear(int number)
{
	(void)number;
	heard_after = (sig_atomic_t)shared->performed;
}

static void
a_signal_waits_for_the_end_of_a_change(void **state)
{
	(void)state;
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	must(four_vfs);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		unsigned performed = shared->performed;
		heard_after = -1;
		signal(signals[i], hear);
		interrupting = signals[i];
		must(i % 2 ? release_2 : lease_2);
		interrupting = 0;
		signal(signals[i], SIG_DFL);
		assert_true(shared->performed > performed + 1);
		assert_int_equal(heard_after, shared->performed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_boot_leaves_nothing_to_undo, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lease_outlives_a_boot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_more_can_be_released, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_goes_while_it_is_released_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_step_that_fails_takes_all_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_taken_back_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_release_can_be_forced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_release_that_stays_halfway_is_finished, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_stays_halfway_is_mended_in_the_same_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(directories_are_made_for_everybody_to_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_ledger_that_cannot_be_read_stops_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_could_not_be_read_again_is_not_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_a_record_nothing_outside_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_signal_waits_for_the_end_of_a_change, set_up, tear_down),
	};
	return machine_run(tests, sizeof(tests) / sizeof(tests[0]));
}
