/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/transact.c lib/io/transact_file.c lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c lib/vf/plan.c */
/* links: lib/vf/plan_lease.c lib/vf/plan_numvfs.c lib/vf/plan_port.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/portset.c
 */
/* links: lib/vf/vfset.c lib/vf/keys.c lib/vf/rules.c lib/vf/rules_set.c lib/vf/rules_driver.c lib/base/addr.c lib/base/err.c */
/* links: lib/io/transact_trim.c lib/vf/ledger_trim.c lib/json/field.c lib/base/num.c lib/io/bounded.c lib/io/sysfs.c -ljansson */
/*
 * The ledger, killed everywhere: a child does an operation and ends in the middle, at every step and in every line that is
 * written; the next one mends, and is killed in the middle, too.
 */
#include "vf_machine.h"

/*
 * The second kill is at every third point, beginning with another one each time. A fork costs a sanitizer dearly: there only
 * every third mending is killed.
 */
#define STRIDE 3
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SLOW
#endif
#ifdef SLOW
#define MENDING_STRIDE 3
#else
#define MENDING_STRIDE 1
#endif

static struct image after, killed, former;

static bool
ends_with(const struct image *image, const char *phase)
{
	const char *last = memrchr(image->text, '\n', image->size - 1);
	last = last ? last : image->text;
	return memmem(last, image->size - (size_t)(last - image->text), phase, strlen(phase)) != NULL;
}

static const char *
describe(void)
{
	static char text[256];
	const struct fake_vf *vf = &shared->m.vf[0];
	snprintf(text, sizeof(text), "%u VFs, autoprobe %d, 0: %s/%s mac %llx, 1: %s, 2: %s vlan %u mtu %u", shared->m.num_vfs,
		shared->m.autoprobe, vf->driver, vf->override, (unsigned long long)vf->set.mac, vf[1].driver, vf[2].driver,
		vf[2].set.vlan, shared->m.port.mtu);
	return text;
}

static void
record_state(const struct ledger *ledger, struct ledger_record *record)
{
	const struct ledger_record *found = ledger_find(ledger, HOSTS_IGB_PF, 2);
	*record = found ? *found : (struct ledger_record){.func = HOSTS_IGB_PF, .index = 2};
	memset(record->at, 0, sizeof(record->at));
}

static void
read_record(const struct image *image, struct ledger_record *record)
{
	struct ledger ledger;
	struct err err;
	assert_int_equal(ledger_read(image->text, image->size, &ledger, &err), ERR_NONE);
	record_state(&ledger, record);
	ledger_free(&ledger);
}

/* After whatever has happened: mended, and the machine and the ledger agree. */
static void
check_mended(const char *name, int at, int again)
{
	static struct image now;
	struct transact t = {.lock = -1};
	struct err err = {0};
	uint64_t mended;
	if (transact_open(0, &t, NULL, NULL, &mended, &err)) {
		fail_msg("%s, killed at %d and %d: %s", name, at, again, err.message);
	}
	struct ledger_record record, want;
	record_state(&t.ledger, &record);
	assert_true(t.ledger.open.seq == 0 && t.left[0] == '\0');
	transact_close(&t);
	save_image(&now);
	bool done = now.size != before.size && ends_with(&now, "\"done\"");
	if (now.size != before.size && !done) {
		assert_true(ends_with(&now, "\"undone\""));
	}
	if (memcmp(&shared->m, done ? &after.machine.m : &before.machine.m, sizeof(shared->m)) != 0) {
		fail_msg("%s, killed at %d and %d: the machine is not as %s: %s", name, at, again, done ? "after" : "before",
			describe());
	}
	if (memmem(now.text, now.size, "is no more", 10)) {
		fail_msg("%s, killed at %d and %d: says that something is gone", name, at, again);
	}
	read_record(done ? &after : &before, &want);
	assert_true(record.generation >= want.generation);
	want.generation = record.generation;
	if (memcmp(&record, &want, sizeof(record)) != 0) {
		fail_msg("%s, killed at %d and %d: the ledger is not as %s", name, at, again, done ? "after" : "before");
	}
}

/* Kills the mending of what is in the image, everywhere; and then once more. */
static void
kill_mending(const char *name, int at)
{
	int status = KILLED;
	if (at % MENDING_STRIDE) {
		put_image(&killed);
		check_mended(name, at, -1);
		return;
	}
	for (int again = at / MENDING_STRIDE % STRIDE; status == KILLED; again += STRIDE) {
		put_image(&killed);
		status = in_child(NULL, again);
		assert_true(status == KILLED || status == 0);
		assert_true(again < 200);
		check_mended(name, at, again);
	}
}

static void
a_kill_anywhere_is_mended(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		int status = KILLED, at = 0;
		prepare(s);
		assert_int_equal(in_child(s->op, -1), 0);
		save_image(&after);
		assert_true(after.size > before.size);
		former.size = 0;
		for (; status == KILLED; at++) {
			put_image(&before);
			status = in_child(s->op, at);
			if (status != KILLED && status != 0) {
				fail_msg("%s, to be killed at %d: status %d", s->name, at, status);
			}
			save_image(&killed);
			/* Where nothing has happened since the last kill, its mending has been killed already. */
			if (killed.size != former.size || memcmp(killed.text, former.text, former.size) != 0 ||
				memcmp(&killed.machine.m, &former.machine.m, sizeof(former.machine.m)) != 0) {
				kill_mending(s->name, at);
			}
			former = killed;
		}
		assert_true(at > 7);
	}
}

static void
a_generation_is_never_given_twice(void **state)
{
	(void)state;
	uint64_t last = 0;
	must(four_vfs);
	for (int at = 0; at < 30; at++) {
		struct transact t = {.lock = -1};
		struct err err;
		uint64_t mended;
		int status = in_child(lease_2, at);
		assert_true(status == KILLED || status == 0);
		assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
		const struct ledger_record *record = ledger_find(&t.ledger, HOSTS_IGB_PF, 2);
		uint64_t now = record ? record->generation : 0;
		assert_true(now == last || now == last + 1);
		assert_true(!mended || now == last + 1);
		last = now;
		bool leased = record && record->holder[0];
		transact_close(&t);
		if (leased) {
			must(release_2);
		}
	}
	assert_true(last > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_kill_anywhere_is_mended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_generation_is_never_given_twice, set_up, tear_down),
	};
	return machine_run(tests, sizeof(tests) / sizeof(tests[0]));
}
