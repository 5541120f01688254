/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/roles.h"

#include <string.h>

enum seg_role
roles_of(const struct roles *roles, unsigned core)
{
	return roles->lost[core] ? SEG_ROLE_LOST : roles->drained[core] ? SEG_ROLE_DRAINED : SEG_ROLE_SERVING;
}

unsigned
roles_serving(const struct roles *roles)
{
	unsigned n = 0;
	for (unsigned i = 1; i <= roles->ncores; i++) {
		n += roles_of(roles, i) == SEG_ROLE_SERVING;
	}
	return n;
}

static bool
has_roles(const struct roles *roles, unsigned core, bool none_serves)
{
	return roles_of(roles, core) == SEG_ROLE_SERVING || (none_serves && !roles->drained[core]);
}

/* The cores that get roles, ascending; returns how many. */
static unsigned
with_roles(const struct roles *roles, uint8_t core[static SEG_MAX_NODES])
{
	bool none_serves = roles_serving(roles) == 0;
	unsigned n = 0;
	for (unsigned i = 1; i <= roles->ncores; i++) {
		if (has_roles(roles, i, none_serves)) {
			core[n++] = (uint8_t)i;
		}
	}
	if (n == 0) {
		core[n++] = 1; /* all drained: the caller refuses that, but somebody must have them */
	}
	return n;
}

static uint8_t
home_or_turn(const uint8_t *core, unsigned n, uint8_t home, unsigned *turn)
{
	if (memchr(core, home, n)) {
		return home;
	}
	return core[(*turn)++ % n];
}

uint8_t
roles_poller(const struct roles *roles, uint8_t home, unsigned polled[static SEG_MAX_NODES])
{
	uint8_t core[SEG_MAX_NODES];
	unsigned n = with_roles(roles, core);
	uint8_t best = core[0];
	for (unsigned i = 1; i < n; i++) {
		best = polled[core[i]] < polled[best] ? core[i] : best;
	}
	best = memchr(core, home, n) ? home : best;
	polled[best]++;
	return best;
}

void
roles_assign(struct roles *roles)
{
	uint8_t core[SEG_MAX_NODES];
	unsigned n = with_roles(roles, core), owner_turn = 0, spread_turn = 0;

	roles->master = core[0];
	roles->backup = n > 1 ? core[1] : 0;
	for (unsigned b = 0; b < SEG_OWNER_BUCKETS; b++) {
		uint8_t owner_home = (uint8_t)(1 + b * roles->ncores / SEG_OWNER_BUCKETS);
		uint8_t spread_home = (uint8_t)(1 + b % roles->ncores);
		roles->owner[b] = home_or_turn(core, n, owner_home, &owner_turn);
		roles->spread[b] = home_or_turn(core, n, spread_home, &spread_turn);
	}
}

void
roles_init(struct roles *roles, uint8_t ncores)
{
	memset(roles, 0, sizeof(*roles));
	roles->ncores = ncores;
	roles_assign(roles);
}

void
roles_publish(const struct roles *roles, struct seg_control *control)
{
	for (unsigned b = 0; b < SEG_OWNER_BUCKETS; b++) {
		seg_put(&control->owner[b], roles->owner[b]);
		seg_put(&control->spread[b], roles->spread[b]);
	}
	for (unsigned i = 1; i <= roles->ncores; i++) {
		seg_put(&control->role[i], (uint8_t)roles_of(roles, i));
	}
	seg_put(&control->master, roles->master);
	seg_put(&control->backup, roles->backup);
	/* release: who sees the epoch sees the words */
	seg_put_release(&control->owner_epoch, seg_get(&control->owner_epoch) + 1);
}
