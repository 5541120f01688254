/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From one configuration to the next. Everything that can fail is done on the side first (struct stage): devices opened and
 * started, lanes, plan and view made. Then one pointer is swapped, and what nobody uses any more is closed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "fdb/replica.h"
#include "filters.h"
#include "load.h"
#include "nbr/cache.h"
#include "owns.h"
#include "route/route.h"

#define LEFT_PAIRS_MAX 32 /* a port that leaves more VLANs than that is flushed as a whole */

struct stage {
	struct conf conf;
	struct plan_numbers numbers;
	struct port *port[SEG_MAX_PORTS]; /* what engine->port will be */
	bool fresh[SEG_MAX_PORTS];        /* opened here */
	uint16_t old_mtu[SEG_MAX_PORTS];  /* of ports whose MTU was changed here; 0: not */
	struct plan *plan;
	struct view *view;
};

/* ---- the side --------------------------------------------------------------------------------------------------- */

static void
view_free(const struct view *view)
{
	if (view) {
		plan_free((struct plan *)(uintptr_t)view->plan);
		free((void *)(uintptr_t)view);
	}
}

static void
port_remove(struct port *port)
{
	if (port) {
		port_close(port);
		free(port);
	}
}

/* Gives back what the stage opened and changed; the engine goes on as it was. */
static void
stage_undo(struct engine *engine, struct stage *stage)
{
	struct err ignored;
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		if (stage->fresh[n]) {
			if (stage->view) {
				lane_free(engine, stage->view->lane[n]);
			}
			port_remove(stage->port[n]);
		} else if (stage->old_mtu[n]) {
			struct port *port = stage->port[n];
			(void)port->driver->set_mtu(port, stage->old_mtu[n], &ignored);
		}
	}
	if (stage->view) {
		view_free(stage->view);
	} else {
		plan_free(stage->plan);
	}
	conf_free(&stage->conf);
	free(stage);
}

/* Says which key it was, unless the driver did. */
static enum err_code
port_failed(const char *name, const char *key, struct err *err)
{
	char message[sizeof(err->message)];
	snprintf(message, sizeof(message), "%s", err->message);
	if (strncmp(message, "ports.", 6) != 0) {
		snprintf(err->message, sizeof(err->message), "ports.%.31s.%s: %.270s", name, key, message);
	}
	return err->code;
}

static enum err_code
open_port(struct engine *engine, const struct conf_port *conf, uint16_t number, struct port **out, struct err *err)
{
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		const struct port *other = engine->port[n];
		if (other && strcmp(other->device_text, conf->device) == 0) {
			err_set(err, ERR_EXISTS, "ports.%s.device: %s is still the device of port %s", conf->name, conf->device,
				other->name);
			return err_hint(err, "free it with one apply, use it with the next");
		}
	}
	const struct port_env env = {
		.pool = engine->pool, .keeper = engine->keeper, .cores = engine->ncores, .max_mtu = engine->max_mtu};
	struct port *port = calloc(1, sizeof(*port));
	if (!port) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	eal_listen();
	enum err_code code = port_open(port, number, conf, &env, err);
	if (code != ERR_NONE && !err->hint[0] && eal_heard()[0]) {
		err_hint(err, "DPDK says: %s", eal_heard());
	}
	if (code != ERR_NONE) {
		free(port);
		return port_failed(conf->name, "device", err);
	}
	code = port_start(port, err);
	if (code != ERR_NONE) {
		port_remove(port);
		return port_failed(conf->name, "device", err);
	}
	if (port->warning[0]) {
		engine_event(engine, LOG_LEVEL_WARNING, "port %s: %s", port->name, port->warning);
		port->warning[0] = '\0';
	}
	(void)port->driver->poll(port);
	*out = port;
	return ERR_NONE;
}

static enum err_code
change_mtu(struct stage *stage, struct port *port, uint16_t mtu, struct err *err)
{
	uint16_t old = port->mtu;
	if (old == mtu) {
		return ERR_NONE;
	}
	enum err_code code = port->driver->set_mtu(port, mtu, err);
	if (code != ERR_NONE) {
		return port_failed(port->name, "mtu", err);
	}
	stage->old_mtu[port->number] = old;
	return ERR_NONE;
}

static enum err_code
stage_ports(struct engine *engine, struct stage *stage, struct err *err)
{
	for (size_t i = 0; i < stage->conf.nports; i++) {
		const struct conf_port *conf = &stage->conf.port[i];
		uint16_t n = plan_port_number(&stage->numbers, conf->name);
		struct port *port = engine->port[n];
		enum err_code code;
		if (port && strcmp(port->device_text, conf->device) == 0) {
			stage->port[n] = port;
			code = change_mtu(stage, port, conf->mtu, err);
		} else {
			code = open_port(engine, conf, n, &stage->port[n], err);
			stage->fresh[n] = code == ERR_NONE;
		}
		if (code != ERR_NONE) {
			return code;
		}
	}
	return ERR_NONE;
}

static enum err_code
stage_view(struct engine *engine, struct stage *stage, struct err *err)
{
	uint64_t generation = engine->view ? engine->view->generation + 1 : 1;
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		stage->numbers.port_mac[n] = stage->port[n] ? stage->port[n]->mac : 0;
	}
	stage->plan = plan_new(&stage->conf, &stage->numbers, seg_control(&engine->seg), generation);
	stage->view = stage->plan ? calloc(1, sizeof(*stage->view)) : NULL;
	if (!stage->view) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	stage->view->generation = generation;
	stage->view->plan = stage->plan;
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		stage->view->tell_control |= stage->port[n] && stage->port[n]->filtered && stage->plan->port[n].bridge;
	}
	/* Those that stay first: new queues go to the cores that poll least. */
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		if (stage->port[n] && !stage->fresh[n]) {
			stage->view->lane[n] = engine->view->lane[n];
		}
	}
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		if (stage->fresh[n]) {
			struct lane *lane = lane_new(engine, stage->port[n], stage->view);
			if (!lane) {
				return err_set(err, ERR_FAILED, "no memory");
			}
			lane->up = stage->port[n]->link && stage->plan->port[n].enabled;
			stage->view->lane[n] = lane;
		}
	}
	return ERR_NONE;
}

/* Takes over conf in any case. NULL: *err says why, and all is as before. */
static struct stage *
stage_new(struct engine *engine, struct conf *conf, struct err *err)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	if (!stage) {
		conf_free(conf);
		err_set(err, ERR_FAILED, "no memory");
		return NULL;
	}
	stage->conf = *conf;
	stage->numbers = engine->numbers;
	enum err_code code = ERR_NONE;
	if (!plan_numbers_update(&stage->numbers, &stage->conf)) {
		code = err_set(err, ERR_REFUSED, "more than %u ports, %u bridges, %u interfaces or %u VLANs in all",
			SEG_MAX_PORTS - 1, SEG_MAX_BRIDGES - 1, SEG_MAX_IFACES - 1, SEG_MAX_FIDS - 1);
		err_hint(err, "what leaves still counts while what is new comes: remove with one apply, add with the next");
	}
	code = code != ERR_NONE ? code : stage_ports(engine, stage, err);
	code = code != ERR_NONE ? code : stage_view(engine, stage, err);
	if (code != ERR_NONE) {
		stage_undo(engine, stage);
		return NULL;
	}
	return stage;
}

/* ---- what the bridge tables must forget ------------------------------------------------------------------------- */

struct left {
	uint16_t channel[SEG_MAX_PORTS], fid[SEG_MAX_FIDS];
	size_t nchannels, nfids;
};

static bool
any_statics(const struct engine *engine)
{
	for (unsigned i = 1; i <= engine->ncores; i++) {
		if (seg_get(&seg_core(&engine->seg, i)->fdb.statics)) {
			return true;
		}
	}
	return false;
}

/* What the operator gave does not outlive what it stood on, either. */
static void
forget(struct engine *engine, uint16_t channel, uint16_t fid)
{
	struct seg_msg msg = {.kind = SEG_MSG_FDB_FLUSH, .n = 3, .word = {0, (uint64_t)channel << 16 | fid, FDB_FLUSH_STATIC}};
	(void)engine_send(engine, REPLICA_ALL, &msg, CONTROL_FOLLOW_MS);
}

/* FIDs that port n was in and has left, while both are still there; returns how many. */
static unsigned
fids_port_left(const struct plan *old, const struct plan *new, uint16_t n, uint16_t fids[static SEG_MAX_FIDS])
{
	unsigned count = 0;
	for (unsigned f = 1; f < SEG_MAX_FIDS; f++) {
		if (old->fid[f].bridge && new->fid[f].bridge && old->fid[f].egress[n] && !new->fid[f].egress[n]) {
			fids[count++] = (uint16_t)f;
		}
	}
	return count;
}

static void
flush_port(struct engine *engine, const struct view *old, uint16_t n, bool statics, struct left *left)
{
	const struct view *new = engine->view;
	uint16_t fids[SEG_MAX_FIDS];
	if (!old->lane[n]) {
		return;
	}
	if (!new->lane[n] || new->lane[n] != old->lane[n] || (old->plan->port[n].enabled && !new->plan->port[n].enabled)) {
		left->channel[left->nchannels++] = n;
		if (!new->lane[n] && statics) {
			forget(engine, n, 0);
		}
		return;
	}
	unsigned count = fids_port_left(old->plan, new->plan, n, fids);
	if (count > LEFT_PAIRS_MAX) {
		left->channel[left->nchannels++] = n;
	}
	for (unsigned i = 0; i < count && (statics || count <= LEFT_PAIRS_MAX); i++) {
		forget(engine, n, fids[i]);
	}
}

/* After the swap: entries of ports and VLANs that are gone, or that no longer belong together. */
static void
flush_left(struct engine *engine, const struct view *old)
{
	struct left left = {0};
	bool statics = any_statics(engine);
	for (uint16_t n = 1; n < SEG_MAX_PORTS; n++) {
		flush_port(engine, old, n, statics, &left);
	}
	for (uint16_t f = 1; f < SEG_MAX_FIDS; f++) {
		if (old->plan->fid[f].bridge && !engine->view->plan->fid[f].bridge) {
			left.fid[left.nfids++] = f;
			if (statics) {
				forget(engine, 0, f);
			}
		}
	}
	if (left.nchannels || left.nfids) {
		engine_flush(engine, left.channel, left.nchannels, left.fid, left.nfids);
	}
}

/* An address of an interface that stays has gone: so have the neighbours in its prefix, if no other address reaches them. */
static void
forget_prefix(struct engine *engine, const struct iface *iface, const struct seg_address *gone)
{
	uint64_t prefix[2] = {gone->address[0], gone->address[1]};
	bool overlaps = false;
	for (unsigned i = 0; i < iface->naddresses; i++) {
		const struct seg_address *a = &iface->address[i];
		uint64_t x[2] = {a->address[0], a->address[1]}, y[2] = {prefix[0], prefix[1]};
		uint8_t length = a->length < gone->length ? a->length : gone->length;
		if (a->family != gone->family) {
			continue;
		}
		route_mask(a->family, length, x);
		route_mask(a->family, length, y);
		bool same = x[0] == y[0] && x[1] == y[1];
		if (same && a->length <= gone->length) {
			return;
		}
		overlaps = overlaps || same;
	}
	route_mask(gone->family, gone->length, prefix);
	/* What the operator gave in a part that is still there, stays. */
	uint64_t flags = overlaps ? 0 : NBR_FLUSH_PERMANENT;
	struct seg_msg msg = {.kind = SEG_MSG_NBR_FLUSH,
		.n = 4,
		.word = {prefix[0], prefix[1], (uint64_t)gone->length << 16 | flags,
			(uint64_t)gone->family << 32 | iface->number}};
	(void)engine_send(engine, REPLICA_ALL, &msg, CONTROL_FOLLOW_MS);
}

/* After the swap. Interfaces that have gone are owns.c's. */
static void
forget_addresses(struct engine *engine, const struct plan *old)
{
	for (unsigned n = 1; n < SEG_MAX_IFACES; n++) {
		const struct iface *was = old->iface[n], *is = engine->view->plan->iface[n];
		for (unsigned i = 0; was && is && i < was->naddresses; i++) {
			int still = iface_find(is, was->address[i].family, was->address[i].address);
			if (still < 0 || is->address[still].length != was->address[i].length) {
				forget_prefix(engine, is, &was->address[i]);
			}
		}
	}
}

/* ---- the swap --------------------------------------------------------------------------------------------------- */

/* No core uses what the configuration before had and this one has not. */
static void
close_retired(struct control *control)
{
	struct engine *engine = control->engine;
	struct retired *retired = &control->retired;
	for (uint16_t n = 1; n < SEG_MAX_PORTS; n++) {
		if (retired->port[n]) {
			lane_free(engine, retired->view->lane[n]);
			port_remove(retired->port[n]);
			if (!engine->port[n]) {
				plan_numbers_free_port(&engine->numbers, n);
			}
		}
	}
	view_free(retired->view);
	*retired = (struct retired){0};
}

/* What of the configuration stands in the lanes, new ones and those that stay. */
static void
update_lanes(struct engine *engine)
{
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		struct lane *lane = engine->view->lane[n];
		const struct plan_port *plan = &engine->view->plan->port[n];
		if (lane) {
			__atomic_store_n(&lane->up, engine->port[n]->link && plan->enabled, __ATOMIC_RELAXED);
			limit_set(&lane->limit, plan->limit_bps, plan->limit_pps, engine_now_ns());
		}
	}
}

/* From here on nothing fails. Frees the stage. */
static void
stage_commit(struct control *control, struct stage *stage)
{
	struct engine *engine = control->engine;
	const struct view *old = engine->view;
	struct err err;
	owns_before(control, stage->plan);
	bool followed = engine_publish(engine, stage->view, CONTROL_FOLLOW_MS);
	control->retired.view = old;
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		control->retired.port[n] = engine->port[n] != stage->port[n] ? engine->port[n] : NULL;
		if (stage->fresh[n]) {
			control->link_since_ns[n] = engine_now_ns();
			control->link_changes[n] = 0;
		}
	}
	memcpy(engine->port, stage->port, sizeof(engine->port));
	conf_free(&engine->conf);
	engine->conf = stage->conf;
	engine->conf.room = rte_pktmbuf_data_room_size(engine->pool);
	engine->numbers = stage->numbers;
	free(stage);
	control->config_generation++;
	update_lanes(engine);
	seg_put(&seg_control(&engine->seg)->ageing_ns, engine->view->plan->ageing_ns);
	if (publish_config(control, &err) != ERR_NONE) {
		engine_event(engine, LOG_LEVEL_ERROR, "%s", err.message);
	}
	if (old) {
		flush_left(engine, old);
		forget_addresses(engine, old->plan);
	}
	owns_apply(control);
	filters_apply(control);
	device_loops(engine);
	if (followed) {
		/* A number that is free may be given to something else only when nobody remembers its old meaning. */
		(void)engine_quiet(engine, CONTROL_FOLLOW_MS);
		close_retired(control);
	} else {
		engine_event(engine, LOG_LEVEL_WARNING, "core %u does not follow: what was removed is closed when it does",
			engine_behind(engine));
	}
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

enum err_code
apply_possible(const struct control *control, struct err *err)
{
	if (control->confirm.text) {
		err_set(err, ERR_EXISTS, "an earlier apply waits for its confirmation");
		return err_hint(err, "pe confirm keeps it; or wait until it is taken back");
	}
	if (control->retired.view) {
		err_set(err, ERR_REFUSED, "core %u has not taken up the last configuration yet", engine_behind(control->engine));
		return err_hint(err, "pe status says whether it is stalled");
	}
	return ERR_NONE;
}

static enum err_code
check_live(const struct conf_changes *changes, struct err *err)
{
	for (size_t i = 0; i < changes->n; i++) {
		if (!changes->change[i].live) {
			const char *path = changes->change[i].path;
			size_t n = strlen(path);
			bool mtu = n > 4 && strcmp(path + n - 4, ".mtu") == 0;
			err_set(err, ERR_REFUSED, "%s: cannot change while the engine runs", path);
			return err_hint(err, "%spe stop, then pe run with the new file",
				mtu ? "it exceeds the largest MTU that the engine was started with: " : "");
		}
	}
	return ERR_NONE;
}

static json_t *
changes_json(const struct conf_changes *changes)
{
	json_t *list = json_array();
	for (size_t i = 0; i < changes->n; i++) {
		const struct conf_change *change = &changes->change[i];
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s}", "path", change->path, "from", change->from, "to", change->to));
	}
	return list;
}

/* Parses and compares. *conf is the caller's unless there was an error. */
static enum err_code
check_next(
	const struct engine *engine, const struct apply *apply, struct conf *conf, json_t **list, bool *differs, struct err *err)
{
	struct conf_changes changes = {0};
	enum err_code code = conf_parse(apply->text, apply->size, conf, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (!conf_diff(&engine->conf, conf, &changes)) {
		code = err_set(err, ERR_FAILED, "no memory");
	} else {
		code = check_live(&changes, err);
	}
	code = code != ERR_NONE ? code : load_check_mbufs(conf, err);
	if (code == ERR_NONE && strlen(conf->text) > SEG_CONFIG_TEXT_SIZE) {
		code = err_set(err, ERR_REFUSED, "the configuration is longer than %u bytes", SEG_CONFIG_TEXT_SIZE);
	}
	*differs = changes.n > 0;
	*list = code == ERR_NONE ? changes_json(&changes) : NULL;
	conf_changes_free(&changes);
	if (code != ERR_NONE) {
		conf_free(conf);
	}
	return code;
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

enum err_code
apply_first(struct control *control, struct err *err)
{
	struct engine *engine = control->engine;
	struct conf conf = engine->conf;
	engine->conf = (struct conf){0};
	struct stage *stage = stage_new(engine, &conf, err);
	if (!stage) {
		return err->code;
	}
	stage_commit(control, stage);
	return ERR_NONE;
}

/* Swaps in what was checked; takes over conf. */
static enum err_code
apply_checked(struct control *control, const struct apply *apply, struct conf *conf, struct err *err)
{
	struct engine *engine = control->engine;
	struct save save = {0};
	char *before = strdup(engine->conf.text);
	enum err_code code = before ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
	if (code == ERR_NONE && apply->save) {
		code = save_prepare(&save, engine->save_path, conf->text, err);
	}
	struct stage *stage = NULL;
	if (code != ERR_NONE) {
		conf_free(conf);
	} else {
		stage = stage_new(engine, conf, err);
		code = stage ? ERR_NONE : err->code;
	}
	if (stage) {
		stage_commit(control, stage);
	}
	if (stage && apply->confirm_s) {
		control->confirm = (struct confirm){
			.text = before, .deadline_ns = engine_now_ns() + apply->confirm_s * 1000000000ull, .save = apply->save};
		before = NULL;
	} else if (stage && apply->save && save_commit(&save, err) != ERR_NONE) {
		char message[sizeof(err->message)];
		snprintf(message, sizeof(message), "%s", err->message);
		code = err_set(err, ERR_PARTLY, "applied, but %s", message);
	}
	save_drop(&save);
	free(before);
	return code;
}

/* Nothing differs, but the file may not say so yet. */
static enum err_code
save_unchanged(const struct engine *engine, struct err *err)
{
	struct save save;
	enum err_code code = save_prepare(&save, engine->save_path, engine->conf.text, err);
	code = code != ERR_NONE ? code : save_commit(&save, err);
	save_drop(&save);
	return code;
}

enum err_code
apply_run(struct control *control, const struct apply *apply, json_t **changes, struct err *err)
{
	struct engine *engine = control->engine;
	struct conf conf = {0};
	json_t *list = NULL;
	bool differs = false;
	enum err_code code = check_next(engine, apply, &conf, &list, &differs, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (apply->dry_run || !differs) {
		conf_free(&conf);
		code = apply->save && !apply->dry_run ? save_unchanged(engine, err) : ERR_NONE;
	} else {
		code = apply_checked(control, apply, &conf, err);
	}
	if (changes && code == ERR_NONE) {
		*changes = list;
	} else {
		json_decref(list);
	}
	return code;
}

enum err_code
apply_confirm(struct control *control, bool *saved, struct err *err)
{
	if (!control->confirm.text) {
		return err_set(err, ERR_NOT_FOUND, "no apply waits for a confirmation");
	}
	enum err_code code = ERR_NONE;
	*saved = control->confirm.save;
	if (control->confirm.save) {
		code = save_unchanged(control->engine, err);
	}
	if (code == ERR_NONE) {
		free(control->confirm.text);
		control->confirm = (struct confirm){0};
	}
	return code;
}

static void
take_back(struct control *control)
{
	struct engine *engine = control->engine;
	struct err err;
	char *text = control->confirm.text;
	control->confirm = (struct confirm){0};
	const struct apply apply = {.text = text, .size = strlen(text)};
	if (apply_run(control, &apply, NULL, &err) == ERR_NONE) {
		engine_event(engine, LOG_LEVEL_WARNING, "apply was not confirmed: the configuration before it is back");
	} else {
		engine_event(engine, LOG_LEVEL_ERROR, "apply was not confirmed and cannot be taken back: %s", err.message);
	}
	free(text);
}

void
apply_tick(struct control *control, uint64_t now_ns)
{
	if (control->retired.view && engine_leave(control->engine, control->retired.view, 1)) {
		close_retired(control);
		engine_event(control->engine, LOG_LEVEL_NOTICE, "all cores follow again");
	}
	if (control->confirm.text && now_ns >= control->confirm.deadline_ns && !control->retired.view) {
		take_back(control);
	}
}

void
apply_last(struct control *control)
{
	struct engine *engine = control->engine;
	if (control->retired.view) {
		close_retired(control);
	}
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		if (engine->port[n]) {
			lane_free(engine, engine->view->lane[n]);
			port_remove(engine->port[n]);
			engine->port[n] = NULL;
		}
	}
	view_free(engine->view);
	engine->view = NULL;
	free(control->confirm.text);
	control->confirm = (struct confirm){0};
	conf_free(&engine->conf);
	engine->conf = (struct conf){0};
}
