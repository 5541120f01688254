/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operations of the control socket (docs/control-socket.md). */
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "control.h"
#include "core/names.h"

/* What is quoted from a request may have been cut in the middle of a character. */
static json_t *
text_json(const char *text)
{
	json_t *value = json_string(text);
	if (value) {
		return value;
	}
	char plain[sizeof(((struct err *)0)->message)];
	size_t n = 0;
	for (; text[n] && n < sizeof(plain) - 1; n++) {
		plain[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
	}
	return json_stringn(plain, n);
}

json_t *
ops_error(const struct err *err)
{
	return json_pack("{s:{s:i, s:s, s:o, s:o}}", "error", "code", (int)err->code, "name", err_name(err->code), "message",
		text_json(err->message), "hint", text_json(err->hint));
}

enum err_code
ops_bad_args(const char *op, const json_error_t *jerr, struct err *err)
{
	err_set(err, ERR_USAGE, "%s: args: %s", op, jerr->text);
	return err_hint(err, "docs/control-socket.md lists what the operation takes");
}

static enum err_code
no_args(const char *op, json_t *args, struct err *err)
{
	const char *key = json_object_iter_key(json_object_iter(args));
	return key ? err_set(err, ERR_USAGE, "%s: args: takes none, not even %.60s", op, key) : ERR_NONE;
}

/* ---- looking --------------------------------------------------------------------------------------------------------------- */

static json_t *
cores_json(const struct control *control)
{
	const struct engine *engine = control->engine;
	json_t *list = json_array();
	for (unsigned i = 1; i <= engine->ncores; i++) {
		int cpu = seg_get(&seg_core(&engine->seg, i)->cpu);
		json_array_append_new(list,
			json_pack("{s:i, s:o, s:b, s:s, s:b}", "core", (int)i, "cpu", cpu < 0 ? json_null() : json_integer(cpu),
				"stalled", (int)control->silence[i].stalled, "role", names_role(roles_of(&engine->roles, i)),
				"master", (int)(engine->roles.master == i)));
	}
	return list;
}

static json_t *
ports_json(const struct engine *engine)
{
	json_t *list = json_array();
	for (size_t i = 0; i < engine->conf.nports; i++) {
		const struct conf_port *conf = &engine->conf.port[i];
		uint16_t n = plan_port_number(&engine->numbers, conf->name);
		const struct port *port = engine->port[n];
		char mac[MAC_TEXT_SIZE];
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:b, s:b, s:b, s:i, s:I, s:s, s:i, s:i}", "port", conf->name, "device",
				      conf->device, "enabled", (int)conf->enabled, "link", (int)port->link, "faulty",
				      (int)engine->view->lane[n]->faulty, "mtu", (int)conf->mtu, "speed_bps",
				      (json_int_t)port->speed_bps, "mac", mac_format(port->mac, mac), "rx_queues",
				      (int)port->nrxq, "tx_queues", (int)port->ntxq));
	}
	return list;
}

static enum err_code
op_status(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	const struct engine *engine = control->engine;
	uint64_t now_ns = engine_now_ns();
	(void)peer;
	if (no_args("status", args, err) != ERR_NONE) {
		return err->code;
	}
	json_t *left = json_null();
	if (control->confirm.text) {
		uint64_t deadline_ns = control->confirm.deadline_ns;
		left = json_integer(deadline_ns > now_ns ? (json_int_t)((deadline_ns - now_ns) / 1000000) : 0);
	}
	*result = json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:o, s:o, s:s, s:b, s:{s:I, s:I}, s:o, s:o}", "appliance",
		engine->conf.appliance, "state", control->stopping ? "stopping" : "ready", "pid", (int)getpid(), "release",
		PEKIT_VERSION, "uptime_ms", (json_int_t)((now_ns - control->started_ns) / 1000000), "config_generation",
		(json_int_t)control->config_generation, "config_file",
		engine->save_path ? text_json(engine->save_path) : json_null(), "confirm_left_ms", left, "log_level",
		log_level_name(log_get_level()), "hugepages", (int)control->hugepages, "mbufs", "total",
		(json_int_t)engine->pool->size, "free", (json_int_t)rte_mempool_avail_count(engine->pool), "cores",
		cores_json(control), "ports", ports_json(engine));
	return ERR_NONE;
}

static enum err_code
op_config(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	(void)peer;
	if (no_args("config", args, err) != ERR_NONE) {
		return err->code;
	}
	*result = json_pack(
		"{s:s, s:I}", "config", control->engine->conf.text, "generation", (json_int_t)control->config_generation);
	return ERR_NONE;
}

/* ---- changing ----------------------------------------------------------------------------------------------------------------
 */

/* A configuration comes as its text or as the object. malloc'ed. */
static char *
text_of(const json_t *value)
{
	return json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
}

static enum err_code
apply_args(struct control *control, json_t *args, struct apply *apply, char **text, struct err *err)
{
	json_t *config = NULL, *patch = NULL;
	json_error_t jerr;
	int save = 0, dry_run = 0;
	json_int_t confirm_s = 0;
	*text = NULL;
	if (json_unpack_ex(args, &jerr, 0, "{s?o, s?o, s?b, s?b, s?I !}", "config", &config, "patch", &patch, "save", &save,
		    "dry_run", &dry_run, "confirm_s", &confirm_s) < 0) {
		return ops_bad_args("apply", &jerr, err);
	}
	if (!config == !patch) {
		return err_set(err, ERR_USAGE, "apply: args: either config or patch is needed");
	}
	if (confirm_s < 0 || confirm_s > 86400) {
		return err_set(err, ERR_USAGE, "apply: args: confirm_s: %lld is not 1 to 86400", (long long)confirm_s);
	}
	*text = text_of(config ? config : patch);
	if (!*text) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (patch) {
		char *merged = NULL;
		enum err_code code = conf_patch(control->engine->conf.text, *text, strlen(*text), &merged, err);
		free(*text);
		*text = merged;
		if (code != ERR_NONE) {
			*text = NULL;
			return code;
		}
	}
	*apply = (struct apply){
		.text = *text, .size = strlen(*text), .save = save, .dry_run = dry_run, .confirm_s = (unsigned)confirm_s};
	return ERR_NONE;
}

static enum err_code
op_apply(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct apply apply;
	char *text;
	json_t *changes = NULL;
	enum err_code code = apply_args(control, args, &apply, &text, err);
	if (code == ERR_NONE && !apply.dry_run) {
		code = apply_possible(control, err);
	}
	code = code != ERR_NONE ? code : apply_run(control, &apply, &changes, err);
	if (code == ERR_NONE) {
		bool changed = json_array_size(changes) > 0;
		bool waits = changed && control->confirm.text;
		if (changed && !apply.dry_run) {
			engine_event(control->engine, LOG_LEVEL_NOTICE, "apply by uid %u pid %d: configuration %llu%s",
				(unsigned)peer->uid, (int)peer->pid, (unsigned long long)control->config_generation,
				waits ? ", to be confirmed" : "");
		}
		*result = json_pack("{s:b, s:I, s:b, s:b, s:o, s:o}", "changed", (int)changed, "generation",
			(json_int_t)control->config_generation, "dry_run", (int)apply.dry_run, "saved",
			(int)(apply.save && !apply.dry_run && !waits), "confirm_s",
			waits && !apply.dry_run ? json_integer(apply.confirm_s) : json_null(), "changes", changes);
	}
	free(text);
	return code;
}

static enum err_code
op_confirm(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	bool saved = false;
	enum err_code code = no_args("confirm", args, err);
	code = code != ERR_NONE ? code : apply_confirm(control, &saved, err);
	if (code == ERR_NONE) {
		engine_event(control->engine, LOG_LEVEL_NOTICE, "confirm by uid %u pid %d", (unsigned)peer->uid, (int)peer->pid);
		*result = json_pack("{s:b, s:b}", "changed", 1, "saved", (int)saved);
	}
	return code;
}

static enum err_code
op_stop(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	if (no_args("stop", args, err) != ERR_NONE) {
		return err->code;
	}
	engine_event(control->engine, LOG_LEVEL_NOTICE, "stop by uid %u pid %d", (unsigned)peer->uid, (int)peer->pid);
	control->stopping = true;
	*result = json_pack("{s:b}", "stopping", 1);
	return ERR_NONE;
}

static enum err_code
op_log(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	const char *word = NULL;
	json_error_t jerr;
	enum log_level level = log_get_level(), before = level;
	if (json_unpack_ex(args, &jerr, 0, "{s?s !}", "level", &word) < 0) {
		return ops_bad_args("log", &jerr, err);
	}
	if (word && !log_level_parse(word, &level)) {
		err_set(err, ERR_USAGE, "log: level: %.60s is not a level", word);
		return err_hint(err, "error, warning, notice, info or debug");
	}
	if (word && !peer->may_change) {
		return err_set(err, ERR_REFUSED, "log: uid %u may not change it", (unsigned)peer->uid);
	}
	log_set_level(level);
	if (level != before) {
		engine_event(control->engine, LOG_LEVEL_NOTICE, "log level %s by uid %u pid %d", word, (unsigned)peer->uid,
			(int)peer->pid);
	}
	*result = json_pack("{s:s, s:b}", "level", log_level_name(level), "changed", (int)(level != before));
	return ERR_NONE;
}

/* ---- dispatch
 * ------------------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	op_function *run;
	bool changes;
} ops[] = {
	{"status", op_status, false},
	{"config", op_config, false},
	{"apply", op_apply, true},
	{"confirm", op_confirm, true},
	{"stop", op_stop, true},
	{"core.drain", ops_core_drain, true},
	{"core.undrain", ops_core_undrain, true},
	{"core.inject", ops_core_inject, true},
	{"fdb.add", ops_fdb_add, true},
	{"fdb.del", ops_fdb_del, true},
	{"fdb.flush", ops_fdb_flush, true},
	{"nbr.add", ops_nbr_add, true},
	{"nbr.del", ops_nbr_del, true},
	{"nbr.flush", ops_nbr_flush, true},
	{"nbr.resolve", ops_nbr_resolve, true},
	{"nbr.announce", ops_nbr_announce, true},
	{"nbr.repair", ops_nbr_repair, true},
	{"route.add", ops_route_add, true},
	{"route.replace", ops_route_replace, true},
	{"route.del", ops_route_del, true},
	{"route.flush", ops_route_flush, true},
	{"route.batch", ops_route_batch, true},
	{"log", op_log, false},
};

static enum err_code
run_op(struct control *control, const struct peer *peer, const char *op, json_t *args, json_t **result, struct err *err)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(ops[i].name, op) != 0) {
			continue;
		}
		if (ops[i].changes && !peer->may_change) {
			err_set(err, ERR_REFUSED, "%s: uid %u may not change this engine", op, (unsigned)peer->uid);
			return err_hint(err, "root, uid %u and members of the group pekit may", (unsigned)geteuid());
		}
		enum err_code code = ops[i].run(control, peer, args, result, err);
		return code == ERR_NONE && !*result && !control->deferred ? err_set(err, ERR_FAILED, "no memory") : code;
	}
	err_set(err, ERR_NOT_FOUND, "op: %.60s: no such operation", op);
	return err_hint(err,
		"status, config, apply, confirm, stop, core.drain, core.undrain, core.inject, fdb.add, fdb.del, fdb.flush, nbr.add, "
		"nbr.del, nbr.flush, nbr.resolve, nbr.announce, nbr.repair, route.add, route.replace, route.del, "
		"route.flush, route.batch or log");
}

static enum err_code
run_request(struct control *control, const struct peer *peer, json_t *request, json_t **result, struct err *err)
{
	const char *op;
	json_t *args = NULL;
	json_error_t jerr;
	if (json_unpack_ex(request, &jerr, 0, "{s:s, s?o !}", "op", &op, "args", &args) < 0) {
		err_set(err, ERR_USAGE, "request: %s", jerr.text);
		return err_hint(err, "{\"op\": \"...\", \"args\": {...}}");
	}
	if (args && !json_is_object(args) && !json_is_null(args)) {
		return err_set(err, ERR_USAGE, "request: args: not an object");
	}
	json_t *none = json_object();
	enum err_code code = run_op(control, peer, op, json_is_object(args) ? args : none, result, err);
	json_decref(none);
	return code;
}

json_t *
ops_run(struct control *control, const struct peer *peer, const char *line, size_t size)
{
	struct err err = {0};
	json_error_t jerr;
	json_t *result = NULL;
	control->deferred = false;
	json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &jerr);
	if (!request) {
		err_set(&err, ERR_USAGE, "request: %s", jerr.text);
		return ops_error(&err);
	}
	enum err_code code = run_request(control, peer, request, &result, &err);
	json_decref(request);
	if (code != ERR_NONE) {
		return ops_error(&err);
	}
	return control->deferred ? NULL : json_pack("{s:o}", "result", result);
}
