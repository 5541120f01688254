/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/grace.h"

static void
grace_begin(struct grace *grace)
{
	for (unsigned from = 0; from < grace->nodes; from++) {
		const struct grace_node *node = &grace->node[from];
		if (node->core) {
			grace->loops[from] = seg_get(&node->core->loops);
		}
		for (unsigned to = 0; to < grace->nodes; to++) {
			if (node->ring[to]) {
				grace->head[from][to] = seg_get_acquire(&node->ring[to]->head);
			}
		}
	}
	grace->begun = true;
}

/* Who sleeps has pushed all it had decided: it looks at its doorbell, not at its table. */
static bool
core_passed(const struct grace *grace, unsigned number)
{
	const struct seg_core *core = grace->node[number].core;
	if (!core) {
		return true;
	}
	/* acquire: what the core pushed in the loop that it has ended is seen by the next grace_begin() */
	if (seg_get_acquire(&core->loops) == grace->loops[number] && !seg_get_acquire(&core->sleeping)) {
		return false;
	}
	return seg_get(&core->resync) == 0;
}

static bool
rings_taken(const struct grace *grace, unsigned from)
{
	for (unsigned to = 0; to < grace->nodes; to++) {
		const struct seg_ring *ring = grace->node[from].ring[to];
		/* indices only grow; acquire: what the receiver did with the messages is seen by whoever acts on the period's end
		 */
		if (ring && (int64_t)(seg_get_acquire(&ring->tail) - grace->head[from][to]) < 0) {
			return false;
		}
	}
	return true;
}

bool
grace_step(struct grace *grace)
{
	if (!grace->begun) {
		grace_begin(grace);
		return false;
	}
	for (unsigned i = 0; i < grace->nodes; i++) {
		if (!core_passed(grace, i) || !rings_taken(grace, i)) {
			return false;
		}
	}
	grace_begin(grace);
	return true;
}
