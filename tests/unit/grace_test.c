/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/core/grace.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/grace.h"

#define NODES 4 /* the control core and three data cores */

struct world {
	struct grace grace;
	struct seg_core *core[NODES];
	struct seg_ring *ring[NODES][NODES];
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	w->grace.nodes = NODES;
	for (unsigned from = 0; from < NODES; from++) {
		w->core[from] = aligned_alloc(SEG_LINE, sizeof(struct seg_core));
		memset(w->core[from], 0, sizeof(struct seg_core));
		w->grace.node[from].core = from ? w->core[from] : NULL;
		for (unsigned to = 1; to < NODES; to++) {
			w->ring[from][to] = aligned_alloc(SEG_LINE, sizeof(struct seg_ring));
			memset(w->ring[from][to], 0, sizeof(struct seg_ring));
			w->grace.node[from].ring[to] = to != from ? w->ring[from][to] : NULL;
		}
	}
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	for (unsigned i = 0; i < NODES; i++) {
		free(w->core[i]);
		for (unsigned to = 1; to < NODES; to++) {
			free(w->ring[i][to]);
		}
	}
	free(w);
	return 0;
}

static void
loop_all(struct world *w)
{
	for (unsigned i = 1; i < NODES; i++) {
		w->core[i]->loops++;
	}
}

static void
test_first_call_begins(void **state)
{
	struct world *w = *state;
	loop_all(w);
	assert_false(grace_step(&w->grace));
	assert_false(grace_step(&w->grace)); /* nobody has gone on since */
	loop_all(w);
	assert_true(grace_step(&w->grace));
	assert_false(grace_step(&w->grace)); /* a new one has begun */
}

static void
test_every_core_must_pass(void **state)
{
	struct world *w = *state;
	grace_step(&w->grace);
	for (unsigned i = 1; i < NODES; i++) {
		assert_false(grace_step(&w->grace));
		w->core[i]->loops++;
	}
	assert_true(grace_step(&w->grace));
}

static void
test_sleepers_have_passed(void **state)
{
	struct world *w = *state;
	grace_step(&w->grace);
	w->core[1]->loops++;
	w->core[2]->sleeping = 1;
	assert_false(grace_step(&w->grace));
	w->core[3]->sleeping = 1;
	assert_true(grace_step(&w->grace));
}

static void
test_rings_must_be_taken_as_far_as_they_stood(void **state)
{
	struct world *w = *state;
	w->ring[2][3]->head = 10;
	w->ring[2][3]->tail = 7;
	w->ring[0][1]->head = 1; /* the control core's count, too */
	grace_step(&w->grace);
	loop_all(w);
	w->ring[2][3]->head = 12; /* what came later does not matter */
	assert_false(grace_step(&w->grace));
	w->ring[2][3]->tail = 9;
	w->ring[0][1]->tail = 1;
	assert_false(grace_step(&w->grace));
	w->ring[2][3]->tail = 10;
	assert_true(grace_step(&w->grace));
	/* now it does */
	loop_all(w);
	w->ring[2][3]->tail = 11;
	assert_false(grace_step(&w->grace));
	w->ring[2][3]->tail = 12;
	assert_true(grace_step(&w->grace));
}

static void
test_debts_hold_it_back(void **state)
{
	struct world *w = *state;
	grace_step(&w->grace);
	loop_all(w);
	w->core[3]->resync = 2;
	assert_false(grace_step(&w->grace));
	w->core[3]->sleeping = 1;
	assert_false(grace_step(&w->grace));
	w->core[3]->resync = 0;
	assert_true(grace_step(&w->grace));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_call_begins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_core_must_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sleepers_have_passed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rings_must_be_taken_as_far_as_they_stood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_debts_hold_it_back, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
