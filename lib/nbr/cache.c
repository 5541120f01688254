/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries, what is said about them, and what packets need. What comes in is in cache_input.c, what time does in cache_time.c. */
#include "nbr/cache_int.h"

#include <string.h>

#define CORE_BITS 8
#define SECOND_NS 1000000000ull
#define ROOM_SLOTS 64 /* looked at for one entry that may go */

void
nbr_cache_init(struct nbr_cache *c, unsigned family, struct seg_nbr *memory, struct nbr_private *private, uint32_t slots,
	uint64_t seed, uint64_t limit, const struct seg_control *control, struct seg_nbr_count *count,
	const struct nbr_params *params, uint8_t self, uint8_t ncores, uint64_t now)
{
	memset(c, 0, sizeof(*c));
	nbr_init(&c->table, memory, slots, seed, count);
	c->control = control;
	c->params = params;
	c->family = family;
	c->self = self;
	c->ncores = ncores;
	c->limit = limit;
	c->private = private;
	for (unsigned i = 0; i < NBR_WHEEL; i++) {
		c->wheel[i] = NBR_NONE;
	}
	c->wheel_ns = now / NBR_WHEEL_NS * NBR_WHEEL_NS;
	c->owner_epoch = seg_get_acquire(&control->owner_epoch);
	c->adopt_slot = slots;
	c->sweep_from_ns = now;
	c->tick_ns = now;
	for (unsigned i = 0; i < SEG_MAX_IFACES; i++) {
		c->solicit[i].tokens = (int64_t)(seg_get(&params->solicit_pps) * SECOND_NS);
		c->solicit[i].filled_ns = now;
	}
}

/* ---- what is sent ----------------------------------------------------------------------------------------------- */

uint64_t
cache_stamp(struct nbr_cache *c)
{
	return ++c->clock << CORE_BITS | c->self;
}

uint32_t
cache_cause(struct nbr_cache *c)
{
	return (uint32_t)c->self << 25 | (++c->causes & 0x1ffffff);
}

void
cache_send(const struct nbr_cache *c, const struct seg_msg *msg, struct nbr_out *out)
{
	bool nobody = msg->to == NBR_ALL ? c->ncores < 2 : msg->to == c->self || msg->to < 1 || msg->to > c->ncores;
	if (!nobody && out->nmsg < NBR_OUT) {
		out->msg[out->nmsg++] = *msg;
	}
}

struct seg_msg
cache_msg(const struct nbr_cache *c, enum seg_msg_kind kind, uint8_t to, uint32_t slot, uint32_t cause, uint64_t now)
{
	const struct seg_nbr *line = cache_line(c, slot);
	return (struct seg_msg){
		.kind = (uint8_t)kind,
		.from = c->self,
		.to = to,
		.n = 4,
		.cause = cause,
		.stamp = line->stamp,
		.time_ns = now,
		.word = {line->address[0], line->address[1], 0, (uint64_t)c->family << 32 | line->iface},
	};
}

void
cache_announce(const struct nbr_cache *c, uint32_t slot, uint8_t to, uint32_t cause, uint64_t now, struct nbr_out *out)
{
	uint64_t value = cache_line(c, slot)->value;
	bool permanent = SEG_NBR_STATE(value) == SEG_NBR_PERMANENT;
	struct seg_msg msg = cache_msg(c, SEG_MSG_NBR_ADD, to, slot, cause, now);

	msg.word[2] = (value & SEG_NBR_SHARED) | (permanent ? SEG_NBR_PERMANENT : SEG_NBR_REACHABLE);
	cache_send(c, &msg, out);
}

void
cache_request(struct nbr_cache *c, enum nbr_request_kind kind, uint32_t slot, uint64_t mac, struct nbr_out *out)
{
	if (kind == NBR_SOLICIT) {
		seg_add(&c->table.count->solicited, 1);
	}
	if (out->nrequest < NBR_OUT) {
		out->request[out->nrequest++] =
			(struct nbr_request){.kind = kind, .slot = slot, .key = nbr_key_at(&c->table, slot), .mac = mac};
	}
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

uint32_t
cache_insert(struct nbr_cache *c, const struct seg_nbr *entry)
{
	uint32_t slot = nbr_insert(&c->table, entry);

	if (slot == NBR_NONE) {
		seg_add(&c->table.count->no_room, 1);
		return NBR_NONE;
	}
	struct nbr_key key = nbr_key_at(&c->table, slot);
	c->private[slot] = (struct nbr_private){.owner = (uint8_t)nbr_owner(c, &key)};
	c->incomplete[entry->iface] += SEG_NBR_STATE(entry->value) == SEG_NBR_INCOMPLETE;
	return slot;
}

void
cache_put(struct nbr_cache *c, uint32_t slot, const struct seg_nbr *entry)
{
	uint32_t *incomplete = &c->incomplete[entry->iface];

	*incomplete -= SEG_NBR_STATE(cache_line(c, slot)->value) == SEG_NBR_INCOMPLETE;
	*incomplete += SEG_NBR_STATE(entry->value) == SEG_NBR_INCOMPLETE;
	nbr_update(&c->table, slot, entry);
}

void
cache_remove(struct nbr_cache *c, uint32_t slot)
{
	const struct seg_nbr *line = cache_line(c, slot);

	cache_arm(c, slot, 0);
	c->incomplete[line->iface] -= SEG_NBR_STATE(line->value) == SEG_NBR_INCOMPLETE;
	nbr_remove(&c->table, slot);
}

void
cache_state(struct nbr_cache *c, uint32_t slot, enum seg_nbr_state state, uint64_t now)
{
	struct seg_nbr entry = *cache_line(c, slot);

	entry.value = (entry.value & ~7ull) | state;
	if (state == SEG_NBR_STALE) {
		entry.value &= ~(uint64_t)SEG_NBR_READY;
	}
	entry.changed_ns = now;
	cache_put(c, slot, &entry);
}

void
cache_bury(struct nbr_cache *c, uint32_t slot, uint64_t stamp, bool given, uint64_t now)
{
	struct seg_nbr entry = *cache_line(c, slot);

	entry.value = SEG_NBR_TOMB;
	entry.stamp = stamp;
	entry.confirmed_ns = seg_get(&c->control->grace);
	entry.changed_ns = now;
	c->private[slot].given = given;
	cache_arm(c, slot, 0);
	cache_put(c, slot, &entry);
}

void
cache_tell_deleted(const struct nbr_cache *c, uint32_t slot, uint8_t to, uint32_t cause, uint64_t now, struct nbr_out *out)
{
	struct seg_msg msg = cache_msg(c, SEG_MSG_NBR_DEL, to, slot, cause, now);
	msg.word[2] = c->private[slot].given ? SEG_NBR_PERMANENT : 0;
	cache_send(c, &msg, out);
}

void
cache_delete(struct nbr_cache *c, uint32_t slot, uint32_t cause, uint64_t now, struct nbr_out *out)
{
	bool given = SEG_NBR_STATE(cache_line(c, slot)->value) == SEG_NBR_PERMANENT;

	cache_bury(c, slot, cache_stamp(c), given, now);
	cache_tell_deleted(c, slot, NBR_ALL, cause, now, out);
}

void
cache_drop(struct nbr_cache *c, uint32_t slot, uint64_t now)
{
	struct seg_nbr entry = *cache_line(c, slot);

	if (!entry.stamp || seg_get(&c->control->grace) >= entry.confirmed_ns + CACHE_GRACE) {
		cache_remove(c, slot);
		return;
	}
	entry.value = SEG_NBR_TOMB;
	entry.changed_ns = now;
	cache_arm(c, slot, 0);
	cache_put(c, slot, &entry);
}

void
cache_assign(struct nbr_cache *c, uint32_t slot, uint64_t value, uint64_t stamp, uint64_t now, struct nbr_out *out)
{
	struct seg_nbr entry = *cache_line(c, slot);
	uint64_t old = entry.value, mac = SEG_NBR_MAC(value);
	bool stale = SEG_NBR_STATE(value) == SEG_NBR_STALE;

	entry.value = value & (~0xffffull | SEG_NBR_ROUTER | 7);
	if (nbr_usable(old) && !stale) {
		entry.value |= old & SEG_NBR_READY;
	}
	if (!nbr_usable(old)) {
		entry.used_ns = now;
	}
	if (!nbr_usable(old) || stamp) {
		entry.confirmed_ns = now;
	}
	entry.stamp = stamp ? stamp : cache_stamp(c);
	entry.changed_ns = now;
	cache_put(c, slot, &entry);
	cache_rearm(c, slot, now);
	if (!nbr_usable(old) && !(old & SEG_NBR_TOMB)) {
		cache_request(c, NBR_RESOLVED, slot, mac, out);
	}
}

void
cache_confirmed(struct nbr_cache *c, uint32_t slot, uint64_t now)
{
	seg_put(&cache_line(c, slot)->confirmed_ns, now);
	if (SEG_NBR_STATE(cache_line(c, slot)->value) != SEG_NBR_REACHABLE) {
		cache_state(c, slot, SEG_NBR_REACHABLE, now);
	}
	cache_rearm(c, slot, now);
}

/* ---- resolution ------------------------------------------------------------------------------------------------- */

void
cache_try(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	struct nbr_private *private = &c->private[slot];

	private->sent++;
	cache_arm(c, slot, now + seg_get(&c->params->retrans_ns));
	if (cache_mine(c, slot)) {
		cache_request(c, NBR_SOLICIT, slot, 0, out);
		return;
	}
	struct seg_msg msg = cache_msg(c, SEG_MSG_NBR_ASK, private->owner, slot, private->cause, now);
	msg.word[2] = c->self;
	seg_add(&c->table.count->asked, 1);
	cache_send(c, &msg, out);
}

void
cache_probe(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	c->private[slot].sent++;
	cache_arm(c, slot, now + seg_get(&c->params->retrans_ns));
	cache_request(c, NBR_SOLICIT, slot, SEG_NBR_MAC(cache_line(c, slot)->value), out);
}

void
cache_fail(struct nbr_cache *c, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	cache_state(c, slot, SEG_NBR_FAILED, now);
	cache_arm(c, slot, now + NBR_FAILED_NS);
	cache_request(c, NBR_UNRESOLVED, slot, 0, out);
	if (!cache_mine(c, slot)) {
		return;
	}
	seg_add(&c->table.count->unresolved, 1);
	struct seg_msg msg = cache_msg(c, SEG_MSG_NBR_FAILED, NBR_ALL, slot, c->private[slot].cause, now);
	msg.stamp = 0;
	cache_send(c, &msg, out);
}

/* Takes a token for the first solicitation of a new entry (RFC 6583 6.1); false: there is none. */
static bool
cache_token(struct nbr_cache *c, uint32_t iface, uint64_t now)
{
	struct nbr_bucket *bucket = &c->solicit[iface];
	uint64_t gone = now - bucket->filled_ns, rate = seg_get(&c->params->solicit_pps);
	int64_t most = (int64_t)(rate * SECOND_NS);

	bucket->tokens += (int64_t)((gone < SECOND_NS ? gone : SECOND_NS) * rate);
	bucket->tokens = bucket->tokens < most ? bucket->tokens : most;
	bucket->filled_ns = now;
	if (bucket->tokens < (int64_t)SECOND_NS) {
		return false;
	}
	bucket->tokens -= (int64_t)SECOND_NS;
	return true;
}

bool
cache_has_room(const struct nbr_cache *c)
{
	const struct seg_nbr_count *count = c->table.count;
	return count->entries + count->incomplete + count->failed < c->limit;
}

/*
 * The table has as many entries as it may: one that failed goes, else one of this core's that nobody has used of late. The search
 * goes on where the last one ended, and never far: whoever asks for what is not there pays little.
 */
bool
cache_make_room(struct nbr_cache *c, uint32_t cause, uint64_t now, struct nbr_out *out)
{
	uint32_t stale = NBR_NONE;

	for (unsigned i = 0; i < ROOM_SLOTS; i++) {
		uint32_t slot = c->room_slot++ & c->table.mask;
		const struct seg_nbr *line = cache_line(c, slot);
		if (!cache_in_use(line) || (line->value & SEG_NBR_TOMB)) {
			continue;
		}
		if (SEG_NBR_STATE(line->value) == SEG_NBR_FAILED) {
			cache_drop(c, slot, now);
			return true;
		}
		if (SEG_NBR_STATE(line->value) == SEG_NBR_STALE && cache_mine(c, slot) && !cache_settle(c, slot, now, out)) {
			stale = slot;
		}
	}
	if (stale == NBR_NONE) {
		return false;
	}
	cache_delete(c, stale, cause, now, out);
	seg_add(&c->table.count->aged, 1);
	return true;
}

/* May the resolution of one more begin? Those that nobody answers for take no more than half of the room, whatever interfaces
 * they are asked for on: neighbours that are there must find some. */
static bool
cache_admit(struct nbr_cache *c, const struct nbr_key *key, uint32_t cause, uint64_t now, struct nbr_out *out)
{
	const struct seg_nbr_count *count = c->table.count;
	if (c->incomplete[key->iface] >= seg_get(&c->params->incomplete) || count->incomplete >= c->limit / 2) {
		seg_add(&c->table.count->limited, 1);
		return false;
	}
	if (nbr_owner(c, key) != c->self) {
		return true;
	}
	if (!cache_token(c, key->iface, now)) {
		seg_add(&c->table.count->paced, 1);
		return false;
	}
	if (!cache_has_room(c) && !cache_make_room(c, cause, now, out)) {
		seg_add(&c->table.count->no_room, 1);
		return false;
	}
	if (count->entries > c->limit) {
		/* Several owners have passed the limit together: two go for one that comes. */
		(void)cache_make_room(c, cause, now, out);
	}
	return true;
}

uint32_t
cache_resolve(struct nbr_cache *c, const struct nbr_key *key, uint32_t cause, uint64_t now, struct nbr_out *out)
{
	if (!cache_admit(c, key, cause, now, out)) {
		return NBR_NONE;
	}
	uint32_t slot = nbr_find(&c->table, key);
	if (slot == NBR_NONE) {
		struct seg_nbr entry = {.address = {key->address[0], key->address[1]},
			.value = SEG_NBR_INCOMPLETE,
			.iface = key->iface,
			.used_ns = now,
			.changed_ns = now};
		slot = cache_insert(c, &entry);
		if (slot == NBR_NONE) {
			return NBR_NONE;
		}
	} else {
		/* The stamp and the grace period of a deletion stay: what is older than it must still lose. */
		struct seg_nbr entry = *cache_line(c, slot);
		entry.value = SEG_NBR_INCOMPLETE;
		entry.used_ns = now;
		entry.changed_ns = now;
		cache_put(c, slot, &entry);
	}
	c->private[slot].owner = (uint8_t)nbr_owner(c, key);
	c->private[slot].sent = 0;
	c->private[slot].cause = cause;
	cache_try(c, slot, now, out);
	return slot;
}

void
cache_use(struct nbr_cache *c, uint32_t slot, uint64_t now)
{
	seg_put(&cache_line(c, slot)->used_ns, now);
	if (SEG_NBR_STATE(cache_line(c, slot)->value) == SEG_NBR_STALE) {
		cache_state(c, slot, SEG_NBR_DELAY, now);
		cache_arm(c, slot, now + seg_get(&c->params->delay_ns));
	}
}

enum nbr_need
nbr_cache_need(struct nbr_cache *c, const struct nbr_key *key, uint64_t now, uint32_t *slot, struct nbr_out *out)
{
	uint32_t at = nbr_find(&c->table, key);

	if (at != NBR_NONE) {
		cache_settle(c, at, now, out);
		const struct seg_nbr *line = cache_line(c, at);
		*slot = at;
		if (nbr_usable(line->value)) {
			if (cache_mine(c, at) && SEG_NBR_STATE(line->value) != SEG_NBR_PERMANENT) {
				cache_use(c, at, now);
			}
			nbr_set_ready(&c->table, at, true);
			return NBR_GO;
		}
		if (SEG_NBR_STATE(line->value) == SEG_NBR_INCOMPLETE) {
			return NBR_WAIT;
		}
		if (SEG_NBR_STATE(line->value) == SEG_NBR_FAILED && now - line->changed_ns < NBR_FAILED_NS) {
			return NBR_DEAD;
		}
	}
	*slot = cache_resolve(c, key, cache_cause(c), now, out);
	return *slot == NBR_NONE ? NBR_REFUSED : NBR_WAIT;
}
