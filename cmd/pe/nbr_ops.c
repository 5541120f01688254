/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operations on neighbours. The control core writes no table: it asks the owner core of the address, and waits. Who asks for
 * a resolution gets the answer when there is one; others are served meanwhile.
 */
#include "nbr_ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "core/names.h"
#include "nbr/cache.h"
#include "net/ip6.h"
#include "owns.h"
#include "route/route.h"

#define SETTLE_MS 3000
#define TO_ALL 255
#define WAITS 64
#define WAIT_MS 5000 /* unless said */
#define WAIT_MS_MAX 10000
#define ASK_AGAIN_NS 300000000ull /* a request may be lost, or come while FAILED stands */

/* What a request names. NULL, 0 or false where it does not. */
struct nbr_args {
	const char *family_name, *address_text, *iface_name, *mac_text, *state_name, *prefix_text;
	int replace, may_exist, if_exists, dry_run;
	json_int_t timeout_ms;
	unsigned family;
	struct nbr_key key;
	const struct iface *iface; /* NULL: any */
	uint64_t mac;
	unsigned state;
};

/* ---- what is meant ---------------------------------------------------------------------------------------------- */

static enum err_code
find_family(struct nbr_args *a, bool needed, struct err *err)
{
	if (!a->family_name) {
		return needed ? err_set(err, ERR_USAGE, "family: ipv4 or ipv6 is needed") : ERR_NONE;
	}
	if (strcmp(a->family_name, "ipv4") != 0 && strcmp(a->family_name, "ipv6") != 0) {
		return err_set(err, ERR_USAGE, "family: %.40s is not ipv4 or ipv6", a->family_name);
	}
	a->family = a->family_name[3] == '6' ? SEG_IPV6 : SEG_IPV4;
	return ERR_NONE;
}

/* Of one station, not of a group or nobody. */
static enum err_code
find_address(struct nbr_args *a, struct err *err)
{
	struct ip ip;

	if (!ip_parse(a->address_text, &ip)) {
		return err_set(err, ERR_USAGE, "address: %.60s is not an address", a->address_text);
	}
	unsigned family = ip.family == 6 ? SEG_IPV6 : SEG_IPV4;
	if (a->family_name && a->family != family) {
		return err_set(err, ERR_USAGE, "address: %.60s is not of %s", a->address_text, a->family_name);
	}
	a->family = family;
	nbr_words(&ip, a->key.address);
	const uint64_t *w = a->key.address;
	bool group = family == SEG_IPV6 ? ip6_is_multicast(w) || ip6_is_loopback(w) : w[1] >> 28 >= 14 || w[1] >> 24 == 127;
	if (group || !(w[0] | w[1])) {
		return err_set(err, ERR_USAGE, "address: %.60s is not the address of a neighbour", a->address_text);
	}
	return ERR_NONE;
}

static enum err_code
find_named_iface(const struct engine *engine, struct nbr_args *a, struct err *err)
{
	uint16_t n = plan_iface_number(&engine->numbers, a->iface_name);
	a->iface = n ? engine->view->plan->iface[n] : NULL;
	return a->iface ? ERR_NONE : err_set(err, ERR_NOT_FOUND, "interface %.40s: no such interface", a->iface_name);
}

/* The one interface whose prefix holds the address. */
static enum err_code
find_covering_iface(const struct engine *engine, struct nbr_args *a, struct err *err)
{
	for (unsigned n = 1; n < SEG_MAX_IFACES; n++) {
		const struct iface *iface = engine->view->plan->iface[n];
		if (!iface || !iface_covers(iface, a->family, a->key.address)) {
			continue;
		}
		if (a->iface) {
			return err_set(err, ERR_USAGE, "interface: needed, %s lies in prefixes of %s and of %s", a->address_text,
				a->iface->name, iface->name);
		}
		a->iface = iface;
	}
	if (!a->iface) {
		err_set(err, ERR_NOT_FOUND, "%s: no interface has a prefix that holds it", a->address_text);
		return err_hint(err, "name the interface");
	}
	return ERR_NONE;
}

/* family, address, interface of one entry. */
static enum err_code
find_entry(const struct engine *engine, struct nbr_args *a, struct err *err)
{
	enum err_code code = find_family(a, false, err);
	code = code != ERR_NONE ? code : find_address(a, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = a->iface_name ? find_named_iface(engine, a, err) : find_covering_iface(engine, a, err);
	if (code != ERR_NONE) {
		return code;
	}
	a->key.iface = a->iface->number;
	if (iface_find(a->iface, a->family, a->key.address) >= 0) {
		return err_set(
			err, ERR_USAGE, "address: %s is an address of interface %s itself", a->address_text, a->iface->name);
	}
	return ERR_NONE;
}

static enum err_code
find_mac(struct nbr_args *a, struct err *err)
{
	if (!mac_parse(a->mac_text, &a->mac) || a->mac == 0 || mac_is_group(a->mac)) {
		return err_set(err, ERR_USAGE, "mac: %.40s is not the address of a station", a->mac_text);
	}
	return ERR_NONE;
}

/* SEG_NBR_NONE: no such word. */
static unsigned
state_number(const char *word)
{
	unsigned state = SEG_NBR_STATES;
	do {
		state--;
	} while (state && strcmp(word, names_nbr_state(state)) != 0);
	return state;
}

/* ---- what is there ---------------------------------------------------------------------------------------------- */

static unsigned
owner_of(const struct engine *engine, unsigned family, const struct nbr_key *key)
{
	const struct seg_control *words = seg_control(&engine->seg);
	uint64_t hash = nbr_hash(key, engine->seg.head.fdb_seed);
	return family == SEG_IPV4 ? seg_get(&words->master) : seg_get(&words->owner[nbr_owner_bucket(hash)]);
}

/* The live entry of a key in a core's table, read as from outside. */
static bool
look(const struct engine *engine, unsigned core, unsigned family, const struct nbr_key *key, struct seg_nbr *entry)
{
	const struct seg_header *head = &engine->seg.head;
	const struct seg_nbr *table = seg_nbr(&engine->seg, family, core);
	uint32_t mask = head->nbr_slots - 1;
	uint32_t at = (uint32_t)(nbr_hash(key, head->fdb_seed) >> (64 - __builtin_ctz(head->nbr_slots)));
	for (uint32_t i = 0; i <= mask && seg_get(&table[at].iface); i++, at = (at + 1) & mask) {
		if (seg_read_nbr(&engine->seg, family, core, at, entry) && entry->iface == key->iface &&
			entry->address[0] == key->address[0] && entry->address[1] == key->address[1]) {
			return !(entry->value & SEG_NBR_TOMB);
		}
	}
	return false;
}

static bool
look_owner(const struct engine *engine, const struct nbr_args *a, struct seg_nbr *entry)
{
	return look(engine, owner_of(engine, a->family, &a->key), a->family, &a->key, entry);
}

static struct seg_msg
message(enum seg_msg_kind kind, unsigned family, const struct nbr_key *key, uint64_t value)
{
	return (struct seg_msg){.kind = (uint8_t)kind,
		.n = 4,
		.word = {key->address[0], key->address[1], value, (uint64_t)family << 32 | key->iface}};
}

static enum err_code
ask_owner(struct engine *engine, const struct nbr_args *a, struct seg_msg *msg, struct err *err)
{
	unsigned owner, now = owner_of(engine, a->family, &a->key);
	do {
		owner = now;
		if (!engine_send(engine, (uint8_t)owner, msg, SETTLE_MS) || !engine_quiet(engine, SETTLE_MS)) {
			return err_set(err, ERR_TIMEOUT, "the cores do not answer: core %u was asked", owner);
		}
		now = owner_of(engine, a->family, &a->key); /* another one, when the first has fallen silent */
	} while (now != owner);
	return ERR_NONE;
}

static enum err_code
answer(json_t **result, bool changed, bool dry_run)
{
	*result = json_pack("{s:b, s:b}", "changed", (int)changed, "dry_run", (int)dry_run);
	return ERR_NONE;
}

/* ---- add -------------------------------------------------------------------------------------------------------- */

static enum err_code
add_args(const struct engine *engine, json_t *args, struct nbr_args *a, struct err *err)
{
	json_error_t jerr;
	*a = (struct nbr_args){.state_name = "permanent"};
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s:s, s?s, s:s, s?s, s?b, s?b, s?b !}", "family", &a->family_name, "address",
		    &a->address_text, "interface", &a->iface_name, "mac", &a->mac_text, "state", &a->state_name, "replace",
		    &a->replace, "may_exist", &a->may_exist, "dry_run", &a->dry_run) < 0) {
		return ops_bad_args("nbr.add", &jerr, err);
	}
	a->state = state_number(a->state_name);
	if (a->state != SEG_NBR_PERMANENT && a->state != SEG_NBR_REACHABLE && a->state != SEG_NBR_STALE) {
		return err_set(err, ERR_USAGE, "state: %.40s is not permanent, reachable or stale", a->state_name);
	}
	enum err_code code = find_entry(engine, a, err);
	return code != ERR_NONE ? code : find_mac(a, err);
}

static bool
same_entry(const struct nbr_args *a, const struct seg_nbr *entry)
{
	return SEG_NBR_MAC(entry->value) == a->mac && SEG_NBR_STATE(entry->value) == a->state;
}

/* All cores were to hold it by now. */
static enum err_code
check_added(const struct engine *engine, const struct nbr_args *a, struct err *err)
{
	unsigned owner = owner_of(engine, a->family, &a->key), missing = 0, last = 0;
	for (unsigned i = 1; i <= engine->ncores; i++) {
		struct seg_nbr entry;
		if (engine->roles.lost[i]) {
			continue; /* it will, when it comes back */
		}
		if (look(engine, i, a->family, &a->key, &entry) && SEG_NBR_MAC(entry.value) == a->mac) {
			continue;
		}
		missing++;
		last = i;
		if (i == owner) {
			err_set(err, ERR_FAILED, "%s: core %u, its owner, has no room for it", a->address_text, i);
			return err_hint(err, "flush some, or a larger tables.neighbors");
		}
	}
	if (missing) {
		return err_set(err, ERR_PARTLY, "%s: %u of %u cores do not hold it, core %u for one", a->address_text, missing,
			engine->ncores, last);
	}
	return ERR_NONE;
}

enum err_code
ops_nbr_add(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct nbr_args a;
	struct seg_nbr entry;
	char mac[MAC_TEXT_SIZE];
	enum err_code code = add_args(engine, args, &a, err);
	if (code != ERR_NONE) {
		return code;
	}
	bool there = look_owner(engine, &a, &entry) && nbr_usable(entry.value);
	bool given = there && SEG_NBR_STATE(entry.value) == SEG_NBR_PERMANENT;
	if (there && (a.may_exist || same_entry(&a, &entry))) {
		return answer(result, false, a.dry_run);
	}
	if (given && !a.replace) {
		err_set(err, ERR_EXISTS, "%s: interface %s has it as permanent at %s", a.address_text, a.iface->name,
			mac_format(SEG_NBR_MAC(entry.value), mac));
		return err_hint(err, "replace it, or delete it first");
	}
	if (a.dry_run) {
		return answer(result, true, true);
	}
	struct seg_msg msg = message(SEG_MSG_NBR_SET, a.family, &a.key, a.mac << 16 | a.state);
	msg.event = engine_event(engine, LOG_LEVEL_INFO, "add %s at %s dev %s %s by uid %u pid %d", a.address_text,
		mac_format(a.mac, mac), a.iface->name, a.state_name, (unsigned)peer->uid, (int)peer->pid);
	code = ask_owner(engine, &a, &msg, err);
	code = code != ERR_NONE ? code : check_added(engine, &a, err);
	return code != ERR_NONE ? code : answer(result, true, false);
}

/* ---- del -------------------------------------------------------------------------------------------------------- */

enum err_code
ops_nbr_del(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct nbr_args a = {0};
	struct seg_nbr entry;
	json_error_t jerr;
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s:s, s?s, s?b, s?b !}", "family", &a.family_name, "address", &a.address_text,
		    "interface", &a.iface_name, "if_exists", &a.if_exists, "dry_run", &a.dry_run) < 0) {
		return ops_bad_args("nbr.del", &jerr, err);
	}
	enum err_code code = find_entry(engine, &a, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (!look_owner(engine, &a, &entry)) {
		return a.if_exists ? answer(result, false, a.dry_run)
				   : err_set(err, ERR_NOT_FOUND, "%s: no such neighbour at interface %s", a.address_text,
					     a.iface->name);
	}
	if (a.dry_run) {
		return answer(result, true, true);
	}
	struct seg_msg msg = message(SEG_MSG_NBR_UNSET, a.family, &a.key, 0);
	msg.event = engine_event(engine, LOG_LEVEL_INFO, "del %s dev %s by uid %u pid %d", a.address_text, a.iface->name,
		(unsigned)peer->uid, (int)peer->pid);
	code = ask_owner(engine, &a, &msg, err);
	return code != ERR_NONE ? code : answer(result, true, false);
}

/* ---- flush ------------------------------------------------------------------------------------------------------ */

static enum err_code
flush_args(const struct engine *engine, json_t *args, struct nbr_args *a, struct route_key *prefix, struct err *err)
{
	json_error_t jerr;
	*a = (struct nbr_args){0};
	*prefix = (struct route_key){0};
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s?s, s?s, s?s, s?b !}", "family", &a->family_name, "prefix", &a->prefix_text,
		    "interface", &a->iface_name, "state", &a->state_name, "dry_run", &a->dry_run) < 0) {
		return ops_bad_args("nbr.flush", &jerr, err);
	}
	enum err_code code = find_family(a, !a->prefix_text, err);
	if (code == ERR_NONE && a->prefix_text) {
		code = route_parse_prefix(a->prefix_text, prefix, err);
		if (code == ERR_NONE && a->family_name && prefix->family != a->family) {
			code = err_set(err, ERR_USAGE, "prefix: %.60s is not of %s", a->prefix_text, a->family_name);
		}
		a->family = code == ERR_NONE ? prefix->family : a->family;
	}
	if (code == ERR_NONE && a->state_name && strcmp(a->state_name, "all") != 0) {
		a->state = state_number(a->state_name);
		if (!a->state) {
			code = err_set(err, ERR_USAGE,
				"state: %.40s is not all, permanent, reachable, stale, delay, probe, "
				"incomplete or failed",
				a->state_name);
		}
	}
	return code != ERR_NONE || !a->iface_name ? code : find_named_iface(engine, a, err);
}

enum err_code
ops_nbr_flush(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct nbr_args a;
	struct route_key prefix;
	enum err_code code = flush_args(engine, args, &a, &prefix, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (a.dry_run) {
		return answer(result, true, true);
	}
	bool permanent = a.state == SEG_NBR_PERMANENT || (a.state_name && !a.state);
	uint64_t flags = (permanent ? NBR_FLUSH_PERMANENT : 0) | a.state << NBR_FLUSH_STATE_SHIFT;
	const struct nbr_key key = {.address = {prefix.prefix[0], prefix.prefix[1]}, .iface = a.iface ? a.iface->number : 0};
	struct seg_msg msg = message(SEG_MSG_NBR_FLUSH, a.family, &key, (uint64_t)prefix.length << 16 | flags);
	msg.event = engine_event(engine, LOG_LEVEL_NOTICE, "flush neighbors %s %s dev %s state %s by uid %u pid %d",
		a.family == SEG_IPV4 ? "ipv4" : "ipv6", a.prefix_text ? a.prefix_text : "all", a.iface ? a.iface->name : "any",
		a.state_name ? a.state_name : "dynamic", (unsigned)peer->uid, (int)peer->pid);
	if (!engine_send(engine, TO_ALL, &msg, SETTLE_MS) || !engine_quiet(engine, SETTLE_MS)) {
		return err_set(err, ERR_TIMEOUT, "the cores do not answer");
	}
	return answer(result, true, false);
}

/* ---- resolve ---------------------------------------------------------------------------------------------------- */

struct wait {
	uint64_t ticket; /* 0: free */
	unsigned family;
	struct nbr_key key;
	uint64_t from_ns, until_ns, asked_ns;
};

struct waits {
	struct wait wait[WAITS];
};

static void
resolve_ask(struct engine *engine, struct wait *wait, uint64_t now_ns)
{
	struct seg_msg msg = message(SEG_MSG_NBR_ASK, wait->family, &wait->key, 0);
	wait->asked_ns = now_ns;
	(void)engine_send(engine, (uint8_t)owner_of(engine, wait->family, &wait->key), &msg, 1); /* else it is asked again */
}

static json_t *
resolve_found(const struct engine *engine, const struct wait *wait, const struct seg_nbr *entry)
{
	const struct iface *iface = engine->view->plan->iface[wait->key.iface];
	uint64_t by_ns = entry->confirmed_ns > wait->from_ns ? entry->confirmed_ns - wait->from_ns : 0;
	char mac[MAC_TEXT_SIZE];
	return json_pack("{s:s, s:s, s:s, s:I}", "mac", mac_format(SEG_NBR_MAC(entry->value), mac), "state",
		names_nbr_state(SEG_NBR_STATE(entry->value)), "interface", iface ? iface->name : "", "answered_by_ms",
		(json_int_t)(by_ns / 1000000));
}

static json_t *
resolve_failed(const struct wait *wait, uint64_t now_ns)
{
	char address[IP_TEXT_SIZE];
	struct err err;
	struct ip ip;
	nbr_ip(wait->family, wait->key.address, &ip);
	err_set(&err, ERR_NOT_FOUND, "%s: nobody answered within %llu ms", ip_format(&ip, address),
		(unsigned long long)((now_ns - wait->from_ns) / 1000000));
	return ops_error(&err);
}

/* What its owner knows by now; NULL: nothing yet. */
static json_t *
resolve_step(struct engine *engine, struct wait *wait, uint64_t now_ns)
{
	unsigned owner = owner_of(engine, wait->family, &wait->key);
	struct seg_nbr entry;
	bool there = look(engine, owner, wait->family, &wait->key, &entry);
	if (there && nbr_usable(entry.value)) {
		return json_pack("{s:o}", "result", resolve_found(engine, wait, &entry));
	}
	bool failed = there && SEG_NBR_STATE(entry.value) == SEG_NBR_FAILED;
	if ((failed && entry.changed_ns >= wait->from_ns) || now_ns >= wait->until_ns ||
		!engine->view->plan->iface[wait->key.iface]) {
		return resolve_failed(wait, now_ns);
	}
	if ((!there || failed) && now_ns - wait->asked_ns >= ASK_AGAIN_NS) {
		resolve_ask(engine, wait, now_ns);
	}
	return NULL;
}

void
nbr_ops_tick(struct control *control, uint64_t now_ns)
{
	uint32_t left = 0;
	for (unsigned i = 0; control->waits && i < WAITS; i++) {
		struct wait *wait = &control->waits->wait[i];
		json_t *reply = wait->ticket ? resolve_step(control->engine, wait, now_ns) : NULL;
		if (reply) {
			server_answer(control->server, wait->ticket, reply);
			wait->ticket = 0;
		}
		left += wait->ticket != 0;
	}
	seg_put(&control->engine->awaited, left);
}

static struct wait *
free_wait(struct control *control)
{
	if (!control->waits) {
		control->waits = calloc(1, sizeof(*control->waits));
	}
	for (unsigned i = 0; control->waits && i < WAITS; i++) {
		if (!control->waits->wait[i].ticket) {
			return &control->waits->wait[i];
		}
	}
	return NULL;
}

static enum err_code
resolve_args(const struct engine *engine, json_t *args, struct nbr_args *a, struct err *err)
{
	json_error_t jerr;
	*a = (struct nbr_args){.timeout_ms = WAIT_MS};
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s:s, s?s, s?I !}", "family", &a->family_name, "address", &a->address_text,
		    "interface", &a->iface_name, "timeout_ms", &a->timeout_ms) < 0) {
		return ops_bad_args("nbr.resolve", &jerr, err);
	}
	if (a->timeout_ms < 1 || a->timeout_ms > WAIT_MS_MAX) {
		return err_set(err, ERR_USAGE, "timeout_ms: %lld is not 1 to %d", (long long)a->timeout_ms, WAIT_MS_MAX);
	}
	enum err_code code = find_entry(engine, a, err);
	if (code == ERR_NONE && !(seg_get(&seg_control(&engine->seg)->iface[a->key.iface].flags) & SEG_IFACE_UP)) {
		code = err_set(err, ERR_REFUSED, "interface %s: is down", a->iface->name);
	}
	return code;
}

enum err_code
ops_nbr_resolve(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct nbr_args a;
	struct seg_nbr entry;
	enum err_code code = resolve_args(engine, args, &a, err);
	if (code != ERR_NONE) {
		return code;
	}
	uint64_t now_ns = engine_now_ns();
	struct wait wait = {
		.family = a.family, .key = a.key, .from_ns = now_ns, .until_ns = now_ns + (uint64_t)a.timeout_ms * 1000000};
	if (look_owner(engine, &a, &entry) && nbr_usable(entry.value)) {
		*result = resolve_found(engine, &wait, &entry);
		return ERR_NONE;
	}
	struct wait *place = free_wait(control);
	wait.ticket = place ? server_defer(control->server, peer) : 0;
	if (!wait.ticket) {
		return err_set(err, ERR_REFUSED, "too many wait for neighbours already");
	}
	*place = wait;
	seg_put(&engine->awaited, seg_get(&engine->awaited) + 1);
	resolve_ask(engine, place, now_ns);
	return ERR_NONE;
}

void
nbr_ops_close(struct control *control)
{
	free(control->waits);
	control->waits = NULL;
}

/* ---- announce, repair ------------------------------------------------------------------------------------------- */

enum err_code
ops_nbr_announce(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct nbr_args a = {0};
	json_error_t jerr;
	if (json_unpack_ex(args, &jerr, 0, "{s?s, s?s, s?s, s?b !}", "family", &a.family_name, "address", &a.address_text,
		    "interface", &a.iface_name, "dry_run", &a.dry_run) < 0) {
		return ops_bad_args("nbr.announce", &jerr, err);
	}
	enum err_code code = find_family(&a, !a.address_text, err);
	code = code != ERR_NONE || !a.address_text ? code : find_address(&a, err);
	code = code != ERR_NONE || !a.iface_name ? code : find_named_iface(engine, &a, err);
	if (code != ERR_NONE) {
		return code;
	}
	const uint64_t *address = a.address_text ? a.key.address : NULL;
	unsigned said = owns_announce(control, a.iface ? a.iface->number : 0, a.family, address, a.dry_run);
	if (!said) {
		return err_set(err, ERR_NOT_FOUND, "%s: no usable address of ours",
			a.address_text ? a.address_text
			: a.iface      ? a.iface->name
				       : a.family_name);
	}
	if (!a.dry_run) {
		engine_event(engine, LOG_LEVEL_INFO, "announce %u address%s by uid %u pid %d", said, said == 1 ? "" : "es",
			(unsigned)peer->uid, (int)peer->pid);
	}
	*result = json_pack("{s:i, s:b}", "announced", (int)said, "dry_run", a.dry_run);
	return ERR_NONE;
}

enum err_code
ops_nbr_repair(struct control *control, const struct peer *peer, json_t *args, json_t **result, struct err *err)
{
	struct engine *engine = control->engine;
	struct nbr_args a = {0};
	json_error_t jerr;
	if (json_unpack_ex(args, &jerr, 0, "{s:s, s?b !}", "family", &a.family_name, "dry_run", &a.dry_run) < 0) {
		return ops_bad_args("nbr.repair", &jerr, err);
	}
	enum err_code code = find_family(&a, true, err);
	if (code != ERR_NONE || a.dry_run) {
		return code != ERR_NONE ? code : answer(result, true, true);
	}
	struct seg_msg msg = message(SEG_MSG_NBR_AGAIN, a.family, &(struct nbr_key){0}, 0);
	msg.event = engine_event(engine, LOG_LEVEL_NOTICE, "repair neighbors %s by uid %u pid %d", a.family_name,
		(unsigned)peer->uid, (int)peer->pid);
	if (!engine_send(engine, TO_ALL, &msg, SETTLE_MS) || !engine_quiet(engine, SETTLE_MS)) {
		return err_set(err, ERR_TIMEOUT, "the cores do not answer");
	}
	return answer(result, true, false);
}
