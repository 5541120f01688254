/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/verify.h"

#include <stdlib.h>
#include <string.h>

#include "cli/settle.h"

#define QUIET_TRIES 20
#define QUIET_MS 2

static bool
quickly_coherent(struct verify *v)
{
	for (int i = 0; i < QUIET_TRIES; i++) {
		if (v->digests_equal(v->arg, &v->entries) && settle_quiet(v->src)) {
			uint64_t entries;
			if (v->digests_equal(v->arg, &entries)) {
				return true;
			}
		}
		if (!v->src->live || !cli_wait(v->cli, QUIET_MS)) {
			break;
		}
	}
	return false;
}

/* ---- differences ------------------------------------------------------------------------------------------------ */

void *
verify_difference(const struct verify *v, size_t i)
{
	return v->difference + i * v->size;
}

bool
verify_found(struct verify *v, const void *key, size_t size)
{
	if (v->ndifferences == VERIFY_DIFFERENCES) {
		v->more = true;
		return false;
	}
	void *record = verify_difference(v, v->ndifferences++);
	memset(record, 0, v->size);
	memcpy(record, key, size);
	v->look_up(v->arg, record);
	return true;
}

/* Keeps those for which it is true. */
static void
keep(struct verify *v, bool (*wanted)(struct verify *v, void *record))
{
	size_t kept = 0;
	for (size_t i = 0; i < v->ndifferences; i++) {
		void *record = verify_difference(v, i);
		if (!wanted(v, record)) {
			continue;
		}
		if (kept != i) {
			memcpy(verify_difference(v, kept), record, v->size);
		}
		kept++;
	}
	v->ndifferences = kept;
	v->more = v->more && kept > 0;
}

/* What has changed meanwhile was on its way. */
static bool
differs_still(struct verify *v, void *record)
{
	void *before = verify_difference(v, VERIFY_DIFFERENCES);
	memcpy(before, record, v->size);
	v->look_up(v->arg, record);
	return v->same(v->arg, before, record) && !v->agree(v->arg, record);
}

static bool
is_not_pending(struct verify *v, void *record)
{
	for (size_t i = 0; i < v->npending; i++) {
		if (v->about(v->arg, &v->pending[i], record)) {
			return false;
		}
	}
	return true;
}

static void
set_pending_apart(struct verify *v)
{
	struct settle_at at = {0};
	struct seg_msg msg;
	while (v->npending < VERIFY_PENDING && settle_left(v->src, &at, &msg)) {
		if (v->announces(v->arg, &msg)) {
			v->pending[v->npending++] = msg;
		}
	}
	keep(v, is_not_pending);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static enum err_code
compare_tables(struct verify *v, uint64_t deadline_ms, struct err *err)
{
	enum err_code code = v->src->live ? settle_wait(v->cli, v->src, deadline_ms, err) : ERR_NONE;
	v->entries = 0;
	code = code ? code : v->read(v->arg, err);
	if (code) {
		return code;
	}
	if (!v->src->live) {
		set_pending_apart(v);
	} else if (v->ndifferences) {
		code = settle_wait(v->cli, v->src, deadline_ms, err);
		keep(v, differs_still);
	}
	return code;
}

enum err_code
verify_compare(struct verify *v, struct err *err)
{
	uint64_t deadline_ms = settle_now_ms() + (uint64_t)v->cli->timeout_ms;
	enum err_code code = ERR_NONE;
	verify_free(v);
	v->method = "digest";
	v->more = false;
	if (cli_has(v->cli, "full") || !quickly_coherent(v)) {
		v->method = "tables";
		v->difference = calloc(VERIFY_DIFFERENCES + 1, v->size); /* one for differs_still() */
		v->pending = calloc(VERIFY_PENDING, sizeof(*v->pending));
		code = v->difference && v->pending ? compare_tables(v, deadline_ms, err) : err_set(err, ERR_FAILED, "no memory");
	}
	v->coherent = v->ndifferences == 0;
	return code;
}

void
verify_free(struct verify *v)
{
	free(v->difference);
	free(v->pending);
	v->difference = NULL;
	v->pending = NULL;
	v->ndifferences = v->npending = 0;
}

void
verify_say(const struct verify *v, const char *after)
{
	if (v->coherent) {
		cli_say(v->cli, "coherent%s%s: %u %s, %llu %s (by %s)", v->npending ? " but for what is in the rings" : "", after,
			v->src->ncores, v->src->ncores == 1 ? "core" : "cores", (unsigned long long)v->entries,
			v->entries == 1 ? v->one : v->many, v->method);
	} else {
		bool one = v->ndifferences == 1 && !v->more;
		cli_say(v->cli, "NOT coherent%s: %zu%s %s %s", after, v->ndifferences, v->more ? " or more" : "",
			one ? v->one : v->many, one ? "differs" : "differ");
	}
}

void
verify_explain(const struct verify *v)
{
	if (!v->src->live && strcmp(v->method, "tables") == 0 && settle_owed(v->src)) {
		cli_note(v->cli, "the engine ended before a resynchronisation was done; what differs may come from that");
	}
	for (unsigned core = 1; core <= v->src->ncores; core++) {
		const uint8_t *base = (const uint8_t *)seg_core(&v->src->seg, core);
		uint64_t times = seg_get((const uint64_t *)(const void *)(base + v->no_room));
		if (!(v->src->cores >> (core - 1) & 1)) {
			cli_note(v->cli, "core %u has been taken out and is not compared", core);
		}
		if (times && !v->coherent) {
			cli_note(v->cli, "core %u found no room %llu times: the table is too small, or nearly so", core,
				(unsigned long long)times);
		}
	}
}
