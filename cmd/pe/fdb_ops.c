/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operations on bridge tables. The control core writes none of them: it asks the owner core of the key, and waits. */
#include <string.h>

#include "base/addr.h"
#include "control.h"
#include "fdb/replica.h"

#define SETTLE_MS 3000

/* What a request names. 0 or -1 where it does not. */
struct fdb_args {
	const char *bridge_name, *port_name, *mac_text, *type;
	json_int_t vlan;
	int replace, may_exist, if_exists, dry_run;
	uint16_t bridge, fid, port; /* numbers */
	uint64_t mac;
};

/* ---- what is meant ---------------------------------------------------------------------------------------------- */

static enum err_code
find_bridge(const struct engine *engine, struct fdb_args *a, bool needed, struct err *err)
{
	const struct conf *conf = &engine->conf;
	if (!a->bridge_name && needed) {
		if (conf->nbridges != 1) {
			return err_set(err, ERR_USAGE, "bridge: needed, there are %zu", conf->nbridges);
		}
		a->bridge_name = conf->bridge[0].name;
	}
	if (a->bridge_name) {
		a->bridge = plan_bridge_number(&engine->numbers, a->bridge_name);
		if (!a->bridge) {
			return err_set(err, ERR_NOT_FOUND, "bridge %.40s: no such bridge", a->bridge_name);
		}
	}
	return ERR_NONE;
}

static enum err_code
find_fid(const struct engine *engine, struct fdb_args *a, struct err *err)
{
	if (a->vlan < VLAN_MIN || a->vlan > VLAN_MAX) {
		return err_set(err, ERR_USAGE, "vlan: %lld is not %d to %d", (long long)a->vlan, VLAN_MIN, VLAN_MAX);
	}
	a->fid = plan_fid_number(&engine->numbers, a->bridge, (uint16_t)a->vlan);
	return a->fid ? ERR_NONE
		      : err_set(err, ERR_NOT_FOUND, "vlan %lld: bridge %s has no such VLAN", (long long)a->vlan, a->bridge_name);
}

static enum err_code
find_port(const struct engine *engine, struct fdb_args *a, struct err *err)
{
	a->port = plan_port_number(&engine->numbers, a->port_name);
	if (!a->port || !engine->port[a->port]) {
		return err_set(err, ERR_NOT_FOUND, "port %.40s: no such port", a->port_name);
	}
	return ERR_NONE;
}

static enum err_code
find_mac(struct fdb_args *a, struct err *err)
{
	if (!mac_parse(a->mac_text, &a->mac) || a->mac == 0) {
		return err_set(err, ERR_USAGE, "mac: %.40s is not the address of a station", a->mac_text);
	}
	if (mac_is_group(a->mac)) {
		err_set(err, ERR_USAGE, "mac: %.40s is a group address", a->mac_text);
		return err_hint(err, "a station's address has an even first byte");
	}
	return ERR_NONE;
}

/* bridge, vlan and mac of one entry. */
static enum err_code
find_entry(const struct engine *engine, struct fdb_args *a, struct err *err)
{
	enum err_code code = find_bridge(engine, a, true, err);
	code = code != ERR_NONE ? code : find_fid(engine, a, err);
	return code != ERR_NONE ? code : find_mac(a, err);
}

/* ---- what is there ---------------------------------------------------------------------------------------------- */

static unsigned
owner_of(const struct engine *engine, uint64_t key)
{
	uint32_t hash = fdb_hash(key, engine->seg.head.fdb_seed);
	return seg_get(&seg_control(&engine->seg)->owner[fdb_owner_bucket(hash)]);
}

/* The live entry of a key in a core's table, read as from outside. */
static bool
look(const struct engine *engine, unsigned core, uint64_t key, uint64_t *value)
{
	uint32_t nbuckets = engine->seg.head.fdb_buckets;
	uint64_t first = (uint64_t)fdb_home(fdb_hash(key, engine->seg.head.fdb_seed), nbuckets) * SEG_WAYS;
	uint64_t slots = (uint64_t)nbuckets * SEG_WAYS;
	for (uint64_t i = 0; i < (FDB_REACH + 1) * SEG_WAYS; i++) {
		struct seg_fdb_entry entry;
		if (seg_read_fdb(&engine->seg, core, (first + i) % slots, &entry) && entry.key == key) {
			*value = entry.value;
			return entry.state == SEG_FDB_LIVE;
		}
	}
	return false;
}

static const uint64_t pinned = SEG_VALUE_STATIC | SEG_VALUE_STICKY;

static bool
same_entry(uint64_t value, uint16_t channel, uint64_t flags)
{
	return SEG_VALUE_CHANNEL(value) == channel && (value & pinned) == flags;
}

/* ---- add -------------------------------------------------------------------------------------------------------- */

static enum err_code
answer(json_t **result, bool changed, bool dry_run)
{
	*result = json_pack("{s:b, s:b}", "changed", (int)changed, "dry_run", (int)dry_run);
	return ERR_NONE;
}

static enum err_code
add_args(const struct engine *engine, json_t *args, struct fdb_args *a, uint64_t *flags, struct err *err)
{
	json_error_t jerr;
	*a = (struct fdb_args){.type = "static"};
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s:I, s:s, s:s, s?s, s?b, s?b, s?b !}", "bridge", &a->bridge_name, "vlan",
		    &a->vlan, "mac", &a->mac_text, "port", &a->port_name, "type", &a->type, "replace", &a->replace, "may_exist",
		    &a->may_exist, "dry_run", &a->dry_run) < 0) {
		return ops_bad_args("fdb.add", &jerr, err);
	}
	*flags = strcmp(a->type, "static") == 0 ? SEG_VALUE_STATIC : strcmp(a->type, "sticky") == 0 ? SEG_VALUE_STICKY : 0;
	if (!*flags) {
		return err_set(err, ERR_USAGE, "type: %.40s is not static or sticky", a->type);
	}
	enum err_code code = find_entry(engine, a, err);
	code = code != ERR_NONE ? code : find_port(engine, a, err);
	if (code == ERR_NONE && !engine->view->plan->fid[a->fid].egress[a->port]) {
		code = err_set(err, ERR_NOT_FOUND, "port %s: not in VLAN %lld of bridge %s", a->port_name, (long long)a->vlan,
			a->bridge_name);
	}
	return code;
}

/* All cores were to hold it by now. */
static enum err_code
check_added(const struct engine *engine, const struct fdb_args *a, uint64_t key, uint64_t flags, struct err *err)
{
	unsigned owner = owner_of(engine, key), missing = 0, last = 0;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		uint64_t value;
		if (engine->roles.lost[i]) {
			continue; /* it will, when it comes back */
		}
		if (!look(engine, i, key, &value) || !same_entry(value, a->port, flags)) {
			missing++;
			last = i;
			if (i == owner) {
				err_set(err, ERR_FAILED, "%s: core %u, its owner, has no room for it", a->mac_text, i);
				return err_hint(err, "brtable flush, or a larger tables.fdb");
			}
		}
	}
	if (missing) {
		return err_set(err, ERR_PARTLY, "%s: %u of %u cores do not hold it, core %u for one", a->mac_text, missing,
			engine->ncores, last);
	}
	return ERR_NONE;
}

static enum err_code
ask_owner(struct engine *engine, uint64_t key, struct seg_msg *msg, struct err *err)
{
	unsigned owner, now = owner_of(engine, key);
	do {
		owner = now;
		if (!engine_send(engine, (uint8_t)owner, msg, SETTLE_MS) || !engine_quiet(engine, SETTLE_MS)) {
			return err_set(err, ERR_TIMEOUT, "the cores do not answer: core %u was asked", owner);
		}
		now = owner_of(engine, key); /* another one, when the first has fallen silent */
	} while (now != owner);
	return ERR_NONE;
}

enum err_code
ops_fdb_add(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct fdb_args a;
	uint64_t flags = 0, value = 0;
	enum err_code code = add_args(engine, args, &a, &flags, err);
	if (code != ERR_NONE) {
		return code;
	}
	uint64_t key = fdb_key(a.mac, a.fid);
	bool there = look(engine, owner_of(engine, key), key, &value) && (value & pinned);
	if (there && (a.may_exist || same_entry(value, a.port, flags))) {
		return answer(result, false, a.dry_run);
	}
	if (there && !a.replace) {
		err_set(err, ERR_EXISTS, "%s: VLAN %lld of bridge %s has it as %s at port %s", a.mac_text, (long long)a.vlan,
			a.bridge_name, value & SEG_VALUE_STATIC ? "static" : "sticky",
			engine->numbers.port[SEG_VALUE_CHANNEL(value) % SEG_MAX_PORTS]);
		return err_hint(err, "replace it, or delete it first");
	}
	if (a.dry_run) {
		return answer(result, true, true);
	}
	struct seg_msg msg = {.kind = SEG_MSG_FDB_SET, .n = 2, .word = {key, fdb_value(a.port, 0, flags)}};
	char mac[MAC_TEXT_SIZE];
	msg.event = engine_event(engine, LOG_LEVEL_INFO, "add %s %s vlan %lld port %s by uid %u pid %d", a.type,
		mac_format(a.mac, mac), (long long)a.vlan, a.port_name, (unsigned)peer->uid, (int)peer->pid);
	code = ask_owner(engine, key, &msg, err);
	code = code != ERR_NONE ? code : check_added(engine, &a, key, flags, err);
	return code != ERR_NONE ? code : answer(result, true, false);
}

/* ---- del -------------------------------------------------------------------------------------------------------- */

enum err_code
ops_fdb_del(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct fdb_args a = {0};
	json_error_t jerr;
	uint64_t value = 0;
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s:I, s:s, s?s, s?b, s?b !}", "bridge", &a.bridge_name, "vlan", &a.vlan, "mac",
		    &a.mac_text, "port", &a.port_name, "if_exists", &a.if_exists, "dry_run", &a.dry_run) < 0) {
		return ops_bad_args("fdb.del", &jerr, err);
	}
	enum err_code code = find_entry(engine, &a, err);
	code = code != ERR_NONE || !a.port_name ? code : find_port(engine, &a, err);
	if (code != ERR_NONE) {
		return code;
	}
	uint64_t key = fdb_key(a.mac, a.fid);
	if (!look(engine, owner_of(engine, key), key, &value) || (a.port && SEG_VALUE_CHANNEL(value) != a.port)) {
		return a.if_exists ? answer(result, false, a.dry_run)
				   : err_set(err, ERR_NOT_FOUND, "%s: VLAN %lld of bridge %s has no such entry%s%s", a.mac_text,
					     (long long)a.vlan, a.bridge_name, a.port_name ? " at port " : "",
					     a.port_name ? a.port_name : "");
	}
	if (a.dry_run) {
		return answer(result, true, true);
	}
	struct seg_msg msg = {.kind = SEG_MSG_FDB_UNSET, .n = 1, .word = {key}};
	char mac[MAC_TEXT_SIZE];
	msg.event = engine_event(engine, LOG_LEVEL_INFO, "del %s vlan %lld by uid %u pid %d", mac_format(a.mac, mac),
		(long long)a.vlan, (unsigned)peer->uid, (int)peer->pid);
	code = ask_owner(engine, key, &msg, err);
	return code != ERR_NONE ? code : answer(result, true, false);
}

/* ---- flush ------------------------------------------------------------------------------------------------------ */

static enum err_code
flush_args(const struct engine *engine, json_t *args, struct fdb_args *a, bool *all, struct err *err)
{
	json_error_t jerr;
	*a = (struct fdb_args){.type = "dynamic"};
	json_t *vlan = NULL;
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s?o, s?s, s?s, s?s, s?b !}", "bridge", &a->bridge_name, "vlan", &vlan, "port",
		    &a->port_name, "mac", &a->mac_text, "type", &a->type, "dry_run", &a->dry_run) < 0) {
		return ops_bad_args("fdb.flush", &jerr, err);
	}
	*all = strcmp(a->type, "all") == 0;
	if (!*all && strcmp(a->type, "dynamic") != 0) {
		return err_set(err, ERR_USAGE, "type: %.40s is not dynamic or all", a->type);
	}
	enum err_code code = find_bridge(engine, a, false, err);
	if (code == ERR_NONE && vlan) {
		if (!json_is_integer(vlan) || json_integer_value(vlan) < VLAN_MIN || json_integer_value(vlan) > VLAN_MAX) {
			return err_set(err, ERR_USAGE, "vlan: not %d to %d", VLAN_MIN, VLAN_MAX);
		}
		a->vlan = json_integer_value(vlan);
	}
	code = code != ERR_NONE || !a->port_name ? code : find_port(engine, a, err);
	code = code != ERR_NONE || !a->mac_text ? code : find_mac(a, err);
	if (code == ERR_NONE && a->port && a->bridge && engine->view->plan->port[a->port].bridge != a->bridge) {
		code = err_set(err, ERR_NOT_FOUND, "port %s: not in bridge %s", a->port_name, a->bridge_name);
	}
	return code;
}

/* FIDs of the bridge and VLAN asked for; how many. */
static size_t
matching_fids(const struct engine *engine, const struct fdb_args *a, uint16_t fids[static SEG_MAX_FIDS])
{
	size_t n = 0;
	for (uint16_t f = 1; f < SEG_MAX_FIDS; f++) {
		const struct seg_fid *fid = &engine->numbers.fid[f];
		if (fid->bridge && !(fid->bridge & SEG_FID_PORT) && (!a->bridge || fid->bridge == a->bridge) &&
			(!a->vlan || fid->vid == a->vlan)) {
			fids[n++] = f;
		}
	}
	return n;
}

/* All that the words can say: a whole port, or whole FIDs. */
static void
flush_by_words(struct engine *engine, const struct fdb_args *a, const uint16_t *fids, size_t nfids)
{
	if (a->port) {
		engine_flush(engine, &a->port, 1, NULL, 0);
	} else {
		engine_flush(engine, NULL, 0, fids, nfids);
	}
}

static bool
flush_by_messages(struct engine *engine, const struct fdb_args *a, const uint16_t *fids, size_t nfids, bool all, uint32_t event)
{
	bool any_fid = !a->bridge && !a->vlan;
	for (size_t i = 0; i < (any_fid ? 1 : nfids); i++) {
		uint16_t fid = any_fid ? 0 : fids[i];
		struct seg_msg msg = {.kind = SEG_MSG_FDB_FLUSH,
			.n = 3,
			.event = event,
			.word = {a->mac ? fdb_key(a->mac, fid) : 0, (uint64_t)a->port << 16 | fid, all ? FDB_FLUSH_STATIC : 0}};
		if (!engine_send(engine, REPLICA_ALL, &msg, SETTLE_MS)) {
			return false;
		}
	}
	return true;
}

enum err_code
ops_fdb_flush(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct fdb_args a;
	uint16_t fids[SEG_MAX_FIDS];
	bool all = false;
	enum err_code code = flush_args(engine, args, &a, &all, err);
	if (code != ERR_NONE) {
		return code;
	}
	size_t nfids = matching_fids(engine, &a, fids);
	if (a.vlan && !nfids) {
		return err_set(err, ERR_NOT_FOUND, "vlan %lld: not in %s%s", (long long)a.vlan,
			a.bridge_name ? "bridge " : "any bridge", a.bridge_name ? a.bridge_name : "");
	}
	if (a.dry_run) {
		return answer(result, true, true);
	}
	char mac[MAC_TEXT_SIZE] = "any", vlan[8] = "any";
	if (a.vlan) {
		snprintf(vlan, sizeof(vlan), "%u", (unsigned)a.vlan & 0xfff);
	}
	uint32_t event = engine_event(engine, LOG_LEVEL_NOTICE, "flush %s bridge %s vlan %s port %s mac %s by uid %u pid %d",
		a.type, a.bridge_name ? a.bridge_name : "any", vlan, a.port_name ? a.port_name : "any",
		a.mac_text ? mac_format(a.mac, mac) : mac, (unsigned)peer->uid, (int)peer->pid);
	bool sent = true;
	/* A port is in one bridge: naming that narrows nothing. */
	if (all || a.mac_text || (a.port && a.vlan)) {
		sent = flush_by_messages(engine, &a, fids, nfids, all, event);
	} else {
		flush_by_words(engine, &a, fids, nfids);
	}
	if (!sent || !engine_quiet(engine, SETTLE_MS)) {
		return err_set(err, ERR_TIMEOUT, "the cores do not answer");
	}
	return answer(result, true, false);
}
