/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define POLL_MS 20
#define LOOKS 16 /* between two looks at the engine and its configuration */

static void
close_source(struct follow *follow)
{
	free(follow->batch);
	follow->batch = NULL;
	source_close(follow->src);
}

static enum err_code
attach(struct follow *follow, struct err *err)
{
	enum err_code code = source_read(follow->cli, follow->src, err);
	if (code) {
		return code;
	}
	follow->batch = malloc((size_t)follow->src->ncores * SEG_TRACE * sizeof(*follow->batch));
	return follow->batch ? follow->begin(follow->arg, err) : err_set(err, ERR_FAILED, "no memory");
}

enum err_code
follow_open(struct follow *follow, struct err *err)
{
	enum err_code code = attach(follow, err);
	follow->told_dead = !follow->src->live; /* source_open() said it */
	return code;
}

void
follow_close(struct follow *follow)
{
	close_source(follow);
}

void
follow_from_now(struct follow *follow)
{
	for (unsigned core = 1; core <= follow->src->ncores; core++) {
		follow->next[core] = seg_get_acquire(&seg_core(&follow->src->seg, core)->trace_next);
	}
}

static int
compare_times(const void *a, const void *b)
{
	const struct seg_msg *x = a, *y = b;
	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static enum err_code
look(struct follow *follow, struct err *err)
{
	uint64_t lost = 0;
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	follow->src->now_ns = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	follow->nbatch = 0;
	for (unsigned core = 1; core <= follow->src->ncores; core++) {
		uint64_t one = 0;
		follow->nbatch += seg_read_trace(
			&follow->src->seg, core, &follow->next[core], follow->batch + follow->nbatch, SEG_TRACE, &one);
		if (one) {
			follow->lost(follow->arg, core, one);
		}
		lost += one;
	}
	qsort(follow->batch, follow->nbatch, sizeof(*follow->batch), compare_times);
	return follow->take(follow->arg, lost, err);
}

/* Names change with the configuration; an engine that was started again has another segment. */
static enum err_code
keep_up(struct follow *follow, struct err *err)
{
	struct source *src = follow->src;
	if (src->tables->generation != seg_get(&src->control->config_generation)) {
		seg_read_tables(&src->seg, src->tables);
	}
	if (seg_replaced(&src->seg)) {
		struct seg probe;
		if (seg_attach(&probe, src->seg.source, NULL)) { /* not whole yet */
			return ERR_NONE;
		}
		seg_detach(&probe);
		cli_note(follow->cli, "the engine was started again");
		follow->told_dead = false;
		close_source(follow);
		return attach(follow, err);
	}
	if (!follow->told_dead && !seg_writer_alive(&src->seg)) {
		cli_note(follow->cli, "the engine is %s; waiting for the next one", seg_state_name(&src->seg));
		follow->told_dead = true;
	}
	return ERR_NONE;
}

enum err_code
follow_run(struct follow *follow, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (unsigned round = 1; !code && cli_wait(follow->cli, POLL_MS); round++) {
		code = look(follow, err);
		if (!code && round % LOOKS == 0) {
			code = keep_up(follow, err);
		}
	}
	return code;
}

void
follow_out_time(const struct follow *follow, struct out *out, uint64_t time_ns)
{
	char text[32];
	uint64_t ms = source_wall_ms(&follow->src->seg, time_ns);
	out_number_as(out, ms, source_clock(&follow->src->seg, time_ns, text));
}

char *
follow_cause(uint32_t cause, char text[static 24])
{
	snprintf(text, 24, "%u.%u", cause >> 25, cause & 0x1ffffff);
	return text;
}
