/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/settle.h"

#include <stdlib.h>
#include <time.h>

#include "core/grace.h"

static bool
counts(const struct source *source, unsigned core)
{
	return source->cores >> (core - 1) & 1;
}

bool
settle_quiet(const struct source *source)
{
	for (unsigned from = 0; from <= source->ncores; from++) {
		if (from && !counts(source, from)) {
			continue;
		}
		if (from && seg_get(&seg_core(&source->seg, from)->resync)) {
			return false;
		}
		for (unsigned to = 1; to <= source->ncores; to++) {
			const struct seg_ring *ring = seg_ring(&source->seg, from, to);
			if (from != to && counts(source, to) && seg_get_acquire(&ring->tail) != seg_get_acquire(&ring->head)) {
				return false;
			}
		}
	}
	return true;
}

uint64_t
settle_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
set_up(const struct source *source, struct grace *grace)
{
	*grace = (struct grace){.nodes = source->ncores + 1};
	for (unsigned from = 0; from <= source->ncores; from++) {
		if (from && !counts(source, from)) {
			continue;
		}
		grace->node[from].core = from ? seg_core(&source->seg, from) : NULL;
		for (unsigned to = 1; to <= source->ncores; to++) {
			bool used = from != to && counts(source, to);
			grace->node[from].ring[to] = used ? seg_ring(&source->seg, from, to) : NULL;
		}
	}
}

/* Who is waited for, for the message. */
static enum err_code
say_who(const struct source *source, const struct grace *grace, struct err *err)
{
	for (unsigned core = 1; core <= source->ncores; core++) {
		const struct seg_core *one = grace->node[core].core;
		if (one && seg_get(&one->loops) == grace->loops[core] && !seg_get(&one->sleeping)) {
			return err_set(err, ERR_TIMEOUT, "core %u stands still", core);
		}
		if (one && seg_get(&one->resync)) {
			return err_set(err, ERR_TIMEOUT, "core %u has not finished a resynchronisation", core);
		}
		for (unsigned to = 1; to <= source->ncores; to++) {
			const struct seg_ring *ring = grace->node[core].ring[to];
			if (ring && (int64_t)(seg_get(&ring->tail) - grace->head[core][to]) < 0) {
				return err_set(err, ERR_TIMEOUT, "core %u has not taken what core %u sent", to, core);
			}
		}
	}
	return err_set(err, ERR_TIMEOUT, "the cores did not come to rest");
}

/* Two grace periods: what was decided in the loop that was going on is pushed at its end. */
enum err_code
settle_wait(struct cli *cli, const struct source *source, uint64_t deadline_ms, struct err *err)
{
	struct grace *grace = malloc(sizeof(*grace));
	if (!grace) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	set_up(source, grace);
	enum err_code code = ERR_NONE;
	for (int periods = 0; periods < 2;) {
		if (grace_step(grace)) {
			periods++;
			continue;
		}
		if (settle_now_ms() >= deadline_ms || !cli_wait(cli, 1)) {
			code = say_who(source, grace, err);
			err_hint(err, "-T SECONDS waits longer; pemon show cores says how they are");
			break;
		}
	}
	free(grace);
	return code;
}

/* ---- what a dead engine left ------------------------------------------------------------------------------------ */

bool
settle_left(const struct source *source, struct settle_at *at, struct seg_msg *msg)
{
	const uint32_t slots = source->seg.head.ring_slots;
	at->from += at->from == 0;
	for (; at->from <= source->ncores; at->from++, at->to = 0) {
		for (at->to += at->to == 0; at->to <= source->ncores; at->to++, at->next = 0) {
			const struct seg_ring *ring = seg_ring(&source->seg, at->from, at->to);
			uint64_t tail = seg_get_acquire(&ring->tail), waiting = seg_get_acquire(&ring->head) - tail;
			if (at->from == at->to || waiting > slots || at->next >= waiting) {
				continue;
			}
			*msg = ring->slot[(tail + at->next++) & (slots - 1)];
			msg->from = (uint8_t)at->from;
			msg->to = (uint8_t)at->to;
			return true;
		}
	}
	return false;
}

bool
settle_owed(const struct source *source)
{
	bool owed = false;
	for (unsigned core = 1; core <= source->ncores; core++) {
		owed |= seg_get(&seg_core(&source->seg, core)->resync) != 0;
	}
	return owed;
}
