/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operations on cores: core.drain, core.undrain, core.inject. */
#include "control.h"
#include "core/names.h"

static const enum seg_drop lossy[] = {SEG_DROP_HANDOVER_FULL, SEG_DROP_BACKLOG_FULL, SEG_DROP_STALLED, SEG_DROP_TX_FULL};

/* Frames that moving them between cores has cost so far. */
static uint64_t
lost_packets(const struct engine *engine)
{
	uint64_t n = 0;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		for (size_t r = 0; r < sizeof(lossy) / sizeof(lossy[0]); r++) {
			n += seg_get(&seg_core(&engine->seg, i)->drop[lossy[r]].packets);
		}
	}
	return n;
}

static enum err_code
core_number(const struct engine *engine, const char *op, json_int_t core, struct err *err)
{
	if (core < 1 || core > (json_int_t)engine->ncores) {
		return err_set(err, ERR_NOT_FOUND, "%s: core %lld: there are 1 to %u", op, (long long)core, engine->ncores);
	}
	return ERR_NONE;
}

static enum err_code
change(struct control *control, const struct peer *peer, json_t *args, bool drain, json_t **result, struct err *err)
{
	const char *op = drain ? "core.drain" : "core.undrain";
	struct engine *engine = control->engine;
	json_error_t jerr;
	json_int_t core;
	int dry_run = 0;
	bool changed = false;
	if (json_unpack_ex(args, &jerr, 0, "{s:I, s?b !}", "core", &core, "dry_run", &dry_run) < 0) {
		return ops_bad_args(op, &jerr, err);
	}
	enum err_code code = core_number(engine, op, core, err);
	if (code != ERR_NONE) {
		return code;
	}
	uint64_t began_ns = engine_now_ns(), lost = lost_packets(engine);
	if (dry_run) {
		changed = engine->roles.drained[core] != drain;
	} else {
		code = takeover_drain(control, (unsigned)core, drain, &changed, err);
	}
	if (code == ERR_NONE && changed && !dry_run) {
		engine_event(engine, LOG_LEVEL_NOTICE, "core %u: %s by uid %u pid %d", (unsigned)core,
			drain ? "drained" : "undrained", (unsigned)peer->uid, (int)peer->pid);
	}
	if (code == ERR_NONE) {
		*result = json_pack("{s:b, s:b, s:I, s:s, s:i, s:I, s:I}", "changed", (int)changed, "dry_run", dry_run, "core",
			core, "role", names_role(roles_of(&engine->roles, (unsigned)core)), "master", (int)engine->roles.master,
			"took_us", (json_int_t)((engine_now_ns() - began_ns) / 1000), "lost_packets",
			(json_int_t)(lost_packets(engine) - lost));
	}
	return code;
}

enum err_code
ops_core_drain(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	return change(control, peer, args, true, result, err);
}

enum err_code
ops_core_undrain(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	return change(control, peer, args, false, result, err);
}

enum err_code
ops_core_inject(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	json_error_t jerr;
	json_int_t core, stall_ms;
	if (json_unpack_ex(args, &jerr, 0, "{s:I, s:I !}", "core", &core, "stall_ms", &stall_ms) < 0) {
		return ops_bad_args("core.inject", &jerr, err);
	}
	if (!engine->allow_inject || peer->uid != 0) {
		err_set(err, ERR_REFUSED, "core.inject: %s",
			peer->uid != 0 ? "only root may do harm on purpose" : "this engine was not started for it");
		return err_hint(err, "pe run --allow-inject, and never where it matters");
	}
	enum err_code code = core_number(engine, "core.inject", core, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (stall_ms < 1 || stall_ms > 60000) {
		return err_set(err, ERR_USAGE, "core.inject: stall_ms: %lld is not 1 to 60000", (long long)stall_ms);
	}
	engine_event(engine, LOG_LEVEL_WARNING, "core %u: told to stand still for %u ms by uid %u pid %d", (unsigned)core,
		(unsigned)stall_ms, (unsigned)peer->uid, (int)peer->pid);
	seg_put(&engine->inject_ms[core], (uint32_t)stall_ms);
	worker_wake(engine, (unsigned)core);
	*result = json_pack("{s:I, s:I}", "core", core, "stall_ms", stall_ms);
	return ERR_NONE;
}
