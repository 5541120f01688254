/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/core/roles.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/roles.h"

static unsigned
count(const uint8_t *table, uint8_t core)
{
	unsigned n = 0;
	for (unsigned b = 0; b < SEG_OWNER_BUCKETS; b++) {
		n += table[b] == core;
	}
	return n;
}

static void
at_home(void **state)
{
	(void)state;
	struct roles roles;
	for (uint8_t n = 1; n <= SEG_MAX_CORES; n++) {
		roles_init(&roles, n);
		assert_int_equal(roles.master, 1);
		assert_int_equal(roles.backup, n > 1 ? 2 : 0);
		assert_int_equal(roles_serving(&roles), n);
		for (uint8_t core = 1; core <= n; core++) {
			assert_in_range(count(roles.owner, core), SEG_OWNER_BUCKETS / n, SEG_OWNER_BUCKETS / n + 1);
			assert_in_range(count(roles.spread, core), SEG_OWNER_BUCKETS / n, SEG_OWNER_BUCKETS / n + 1);
		}
	}
}

/* Only what the lost core had moves, evenly; and it all comes back. */
static void
one_leaves_and_returns(void **state)
{
	(void)state;
	for (uint8_t n = 2; n <= SEG_MAX_CORES; n++) {
		for (uint8_t gone = 1; gone <= n; gone++) {
			struct roles before, roles;
			roles_init(&before, n);
			roles = before;
			roles.lost[gone] = true;
			roles_assign(&roles);
			unsigned had = count(before.owner, gone);
			for (unsigned b = 0; b < SEG_OWNER_BUCKETS; b++) {
				assert_int_not_equal(roles.owner[b], gone);
				assert_int_not_equal(roles.spread[b], gone);
				assert_true(before.owner[b] == gone || roles.owner[b] == before.owner[b]);
				assert_true(before.spread[b] == gone || roles.spread[b] == before.spread[b]);
			}
			for (uint8_t core = 1; core <= n; core++) {
				if (core != gone) {
					unsigned more = count(roles.owner, core) - count(before.owner, core);
					assert_in_range(more, had / (n - 1u), had / (n - 1u) + 1);
				}
			}
			assert_int_equal(roles.master, gone == 1 ? 2 : 1);
			assert_int_equal(roles.backup, n == 2 ? 0 : gone > 2 ? 2 : 3);
			roles.lost[gone] = false;
			roles_assign(&roles);
			assert_memory_equal(&roles, &before, sizeof(roles));
		}
	}
}

static void
a_drained_core_that_is_lost_stays_out(void **state)
{
	(void)state;
	struct roles roles;
	roles_init(&roles, 3);
	roles.drained[1] = true;
	roles.lost[1] = true;
	roles_assign(&roles);
	assert_int_equal(roles_of(&roles, 1), SEG_ROLE_LOST);
	roles.lost[1] = false;
	roles_assign(&roles);
	assert_int_equal(roles_of(&roles, 1), SEG_ROLE_DRAINED);
	assert_int_equal(roles.master, 2);
	assert_int_equal(count(roles.owner, 1), 0);
}

static void
somebody_has_the_roles_though_none_serves(void **state)
{
	(void)state;
	struct roles roles;
	roles_init(&roles, 3);
	roles.drained[1] = true;
	roles.lost[2] = roles.lost[3] = true;
	roles_assign(&roles);
	assert_int_equal(roles_serving(&roles), 0);
	assert_int_equal(roles.master, 2);
	assert_int_equal(count(roles.owner, 1), 0);
	roles.drained[2] = roles.drained[3] = true;
	roles_assign(&roles);
	assert_int_equal(roles.master, 1);
}

static void
queues_go_to_who_polls_least(void **state)
{
	(void)state;
	struct roles roles;
	unsigned polled[SEG_MAX_NODES] = {0};
	roles_init(&roles, 3);
	roles.lost[1] = true;
	roles_assign(&roles);
	assert_int_equal(roles_poller(&roles, 2, polled), 2);
	assert_int_equal(roles_poller(&roles, 1, polled), 3);
	assert_int_equal(roles_poller(&roles, 1, polled), 2);
	assert_int_equal(roles_poller(&roles, 3, polled), 3);
	assert_int_equal(roles_poller(&roles, 1, polled), 2);
}

static void
published_words(void **state)
{
	(void)state;
	struct roles roles;
	struct seg_control *words = aligned_alloc(SEG_LINE, sizeof(*words));
	memset(words, 0, sizeof(*words));
	roles_init(&roles, 4);
	roles.drained[1] = roles.lost[3] = true;
	roles_assign(&roles);
	roles_publish(&roles, words);
	assert_int_equal(words->owner_epoch, 1);
	assert_int_equal(words->master, 2);
	assert_int_equal(words->backup, 4);
	assert_int_equal(words->role[1], SEG_ROLE_DRAINED);
	assert_int_equal(words->role[2], SEG_ROLE_SERVING);
	assert_int_equal(words->role[3], SEG_ROLE_LOST);
	assert_memory_equal(words->owner, roles.owner, sizeof(roles.owner));
	assert_memory_equal(words->spread, roles.spread, sizeof(roles.spread));
	free(words);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_home),
		cmocka_unit_test(one_leaves_and_returns),
		cmocka_unit_test(a_drained_core_that_is_lost_stays_out),
		cmocka_unit_test(somebody_has_the_roles_though_none_serves),
		cmocka_unit_test(queues_go_to_who_polls_least),
		cmocka_unit_test(published_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
