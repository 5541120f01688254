/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes in: from the wire, and from the other cores. */
#include "nbr/cache_int.h"

#define HEARD_CREATE 0x8000u /* in SEG_MSG_NBR_HEARD, beside enum nbr_heard */
#define CORE_BITS 8
#define OVERRULE (1u << 20) /* more than one core announces until its messages arrive */

struct heard {
	uint64_t mac;
	unsigned flags; /* enum nbr_heard */
	bool create;
	uint32_t cause;
};

/* ---- from the wire, at the owner -------------------------------------------------------------------------------- */

static bool
heard_has_mac(const struct heard *h)
{
	return !(h->flags & NBR_HEARD_NO_MAC) && h->mac != 0;
}

/* The value that an entry gets: IsRouter by what was heard, or as it was. */
static uint64_t
heard_value(const struct heard *h, uint64_t old, uint64_t mac, enum seg_nbr_state state)
{
	uint64_t router = h->flags & NBR_HEARD_ROUTER ? SEG_NBR_ROUTER : h->flags & NBR_HEARD_HOST ? 0 : old & SEG_NBR_ROUTER;
	return mac << 16 | router | state;
}

/* RFC 4861 7.2.3: whoever speaks to us first is STALE until it has answered. */
static void
heard_new(struct nbr_cache *c, const struct nbr_key *key, uint32_t slot, const struct heard *h, uint64_t now, struct nbr_out *out)
{
	if (!h->create || !heard_has_mac(h)) {
		return;
	}
	if (!cache_has_room(c)) {
		seg_add(&c->table.count->no_room, 1);
		return;
	}
	if (slot == NBR_NONE) {
		struct seg_nbr entry = {.address = {key->address[0], key->address[1]},
			.value = SEG_NBR_TOMB,
			.iface = key->iface,
			.changed_ns = now};
		slot = cache_insert(c, &entry);
	}
	if (slot != NBR_NONE) {
		seg_add(&c->table.count->learned, 1);
		cache_assign(c, slot, heard_value(h, 0, h->mac, SEG_NBR_STALE), 0, now, out);
		cache_announce(c, slot, NBR_ALL, h->cause, now, out);
	}
}

/* INCOMPLETE, or FAILED a moment ago: whatever tells its address is welcome (7.2.5: REACHABLE when it was asked for). */
static void
heard_awaited(struct nbr_cache *c, uint32_t slot, const struct heard *h, uint64_t now, struct nbr_out *out)
{
	uint64_t old = cache_line(c, slot)->value;

	if (!heard_has_mac(h)) {
		return;
	}
	bool awaited = SEG_NBR_STATE(old) == SEG_NBR_INCOMPLETE;
	uint32_t cause = awaited ? c->private[slot].cause : h->cause;
	seg_add(awaited ? &c->table.count->resolved : &c->table.count->learned, 1);
	enum seg_nbr_state state = h->flags & NBR_HEARD_ANSWER ? SEG_NBR_REACHABLE : SEG_NBR_STALE;
	cache_assign(c, slot, heard_value(h, 0, h->mac, state), 0, now, out);
	if (awaited) {
		cache_use(c, slot, now);
	}
	cache_announce(c, slot, NBR_ALL, cause, now, out);
}

/* The address, or whether it is a router, has changed: told to all. */
static void
heard_change(struct nbr_cache *c, uint32_t slot, const struct heard *h, uint64_t value, uint64_t now, struct nbr_out *out)
{
	if (SEG_NBR_MAC(value) != SEG_NBR_MAC(cache_line(c, slot)->value)) {
		seg_add(&c->table.count->changed, 1);
	}
	cache_assign(c, slot, value, 0, now, out);
	cache_announce(c, slot, NBR_ALL, h->cause, now, out);
}

static void
heard_stale(struct nbr_cache *c, uint32_t slot, uint64_t now)
{
	cache_state(c, slot, SEG_NBR_STALE, now);
	cache_rearm(c, slot, now);
}

/* What is known, and heard of again: 7.2.3 for a sender, 7.2.5 for an advertisement, ARP as either. */
static void
heard_known(struct nbr_cache *c, uint32_t slot, const struct heard *h, uint64_t now, struct nbr_out *out)
{
	uint64_t old = cache_line(c, slot)->value;
	enum seg_nbr_state was = SEG_NBR_STATE(old), state = was;
	bool advertised = h->flags & (NBR_HEARD_ANSWER | NBR_HEARD_ANNOUNCED);
	bool other = heard_has_mac(h) && h->mac != SEG_NBR_MAC(old);

	if (advertised && other && !(h->flags & NBR_HEARD_OVERRIDE)) {
		if (was == SEG_NBR_REACHABLE) {
			heard_stale(c, slot, now);
		}
		return;
	}
	if (h->flags & NBR_HEARD_ANSWER) {
		state = SEG_NBR_REACHABLE;
	} else if (other) {
		state = SEG_NBR_STALE;
	}
	uint64_t value = heard_value(h, old, other ? h->mac : SEG_NBR_MAC(old), state);
	if (other || ((value ^ old) & SEG_NBR_ROUTER)) {
		heard_change(c, slot, h, value, now, out);
	}
	if (h->flags & NBR_HEARD_ANSWER) {
		cache_confirmed(c, slot, now);
	}
}

static void
heard_apply(struct nbr_cache *c, const struct nbr_key *key, const struct heard *h, uint64_t now, struct nbr_out *out)
{
	uint32_t slot = nbr_find(&c->table, key);
	uint64_t value = SEG_NBR_TOMB;

	if (slot != NBR_NONE) {
		cache_settle(c, slot, now, out);
		value = cache_line(c, slot)->value;
	}
	if (value & SEG_NBR_TOMB) {
		heard_new(c, key, slot, h, now, out);
	} else if (!nbr_usable(value)) {
		heard_awaited(c, slot, h, now, out);
	} else if (SEG_NBR_STATE(value) != SEG_NBR_PERMANENT) {
		heard_known(c, slot, h, now, out);
	}
}

/* Does this core know already all that was heard? Then its owner does, too. */
static bool
heard_old(const struct nbr_cache *c, const struct nbr_key *key, const struct heard *h)
{
	uint32_t slot = nbr_find(&c->table, key);

	if (slot == NBR_NONE || !nbr_usable(cache_line(c, slot)->value)) {
		return false;
	}
	uint64_t value = cache_line(c, slot)->value;
	if (SEG_NBR_STATE(value) == SEG_NBR_PERMANENT) {
		return true;
	}
	return !(h->flags & NBR_HEARD_ANSWER) && (!heard_has_mac(h) || h->mac == SEG_NBR_MAC(value)) &&
	       heard_value(h, value, 0, 0) == (value & SEG_NBR_ROUTER);
}

static void
heard_tell(struct nbr_cache *c, const struct nbr_key *key, const struct heard *h, uint64_t now, struct nbr_out *out)
{
	struct seg_msg msg = {
		.kind = SEG_MSG_NBR_HEARD,
		.from = c->self,
		.to = (uint8_t)nbr_owner(c, key),
		.n = 4,
		.cause = h->cause,
		.time_ns = now,
		.word = {key->address[0], key->address[1], h->mac << 16 | h->flags | (h->create ? HEARD_CREATE : 0),
			(uint64_t)c->family << 32 | key->iface},
	};
	cache_send(c, &msg, out);
}

void
nbr_cache_heard(struct nbr_cache *c, const struct nbr_key *key, uint64_t mac, unsigned heard, bool create, uint64_t now,
	struct nbr_out *out)
{
	struct heard h = {.mac = heard & NBR_HEARD_NO_MAC ? 0 : mac, .flags = heard, .create = create, .cause = cache_cause(c)};

	seg_add(&c->table.count->heard, 1);
	if (nbr_owner(c, key) == c->self) {
		heard_apply(c, key, &h, now, out);
	} else if (!heard_old(c, key, &h)) {
		heard_tell(c, key, &h, now, out);
	}
}

static void
receive_heard(struct nbr_cache *c, const struct seg_msg *msg, const struct nbr_key *key, uint64_t now, struct nbr_out *out)
{
	struct heard h = {.mac = msg->word[2] >> 16,
		.flags = (unsigned)msg->word[2] & 0x7fff,
		.create = msg->word[2] & HEARD_CREATE,
		.cause = msg->cause};

	if (nbr_owner(c, key) == c->self) {
		heard_apply(c, key, &h, now, out);
	} else {
		heard_tell(c, key, &h, now, out);
	}
}

/* ---- announcements ---------------------------------------------------------------------------------------------- */

/*
 * An announcement found no room. Its entry is asked for again when there is room; but a lost deletion keeps no older announcement
 * out, so until then none of that age is taken up.
 */
static void
receive_missed(struct nbr_cache *c)
{
	c->missing = true;
	c->missed_grace = seg_get(&c->control->grace);
}

/*
 * Another core's version, a deletion perhaps, wins over an entry that the operator gave: its maker had not heard of it. The
 * owner, or who took it from the operator and was the owner then, says it again in a newer version.
 */
static bool
receive_insist(struct nbr_cache *c, const struct seg_msg *msg, uint32_t slot, uint64_t now, struct nbr_out *out)
{
	uint64_t value = cache_line(c, slot)->value;
	bool given_here = (uint8_t)cache_line(c, slot)->stamp == c->self;

	if (!nbr_usable(value) || SEG_NBR_STATE(value) != SEG_NBR_PERMANENT || SEG_NBR_STATE(msg->word[2]) == SEG_NBR_PERMANENT ||
		!(given_here || cache_mine(c, slot))) {
		return false;
	}
	cache_assign(c, slot, value, 0, now, out);
	cache_announce(c, slot, NBR_ALL, msg->cause, now, out);
	return true;
}

static void
receive_add(struct nbr_cache *c, const struct seg_msg *msg, const struct nbr_key *key, uint64_t now, struct nbr_out *out)
{
	uint32_t slot = nbr_find(&c->table, key);
	bool awaited = false;

	if (slot != NBR_NONE) {
		cache_settle(c, slot, now, out);
		if (msg->stamp <= cache_line(c, slot)->stamp || receive_insist(c, msg, slot, now, out)) {
			return;
		}
		awaited = SEG_NBR_STATE(cache_line(c, slot)->value) == SEG_NBR_INCOMPLETE;
	} else if (c->missing && msg->stamp <= c->missed_stamp) {
		receive_missed(c);
		return;
	} else {
		struct seg_nbr entry = {
			.address = {key->address[0], key->address[1]}, .value = SEG_NBR_TOMB, .iface = key->iface};
		slot = cache_insert(c, &entry);
	}
	if (slot == NBR_NONE) {
		receive_missed(c);
		return;
	}
	bool permanent = SEG_NBR_STATE(msg->word[2]) == SEG_NBR_PERMANENT;
	uint64_t value = (msg->word[2] & ~7ull) | (permanent ? SEG_NBR_PERMANENT : SEG_NBR_REACHABLE);
	cache_assign(c, slot, value, msg->stamp, now, out);
	if (awaited && msg->to != NBR_ALL && cache_mine(c, slot)) {
		/* This core has become the owner since it asked, and others may have asked it since. */
		cache_announce(c, slot, NBR_ALL, msg->cause, now, out);
	}
}

static void
receive_del(struct nbr_cache *c, const struct seg_msg *msg, const struct nbr_key *key, uint64_t now, struct nbr_out *out)
{
	uint32_t slot = nbr_find(&c->table, key);

	if (slot == NBR_NONE) {
		/* The older announcement that it answers may still be under way from another core. */
		struct seg_nbr entry = {
			.address = {key->address[0], key->address[1]}, .value = SEG_NBR_TOMB, .iface = key->iface};
		slot = cache_insert(c, &entry);
		if (slot == NBR_NONE) {
			c->missed_stamp = c->missing && c->missed_stamp > msg->stamp ? c->missed_stamp : msg->stamp;
			receive_missed(c);
			return;
		}
	}
	cache_settle(c, slot, now, out);
	struct seg_nbr entry = *cache_line(c, slot);
	if (msg->stamp <= entry.stamp || receive_insist(c, msg, slot, now, out)) {
		return;
	}
	bool given = SEG_NBR_STATE(msg->word[2]) == SEG_NBR_PERMANENT;
	if (nbr_usable(entry.value) || (entry.value & SEG_NBR_TOMB)) {
		cache_bury(c, slot, msg->stamp, given, now);
		return;
	}
	/* What is being asked for goes on. */
	c->private[slot].given = given;
	entry.stamp = msg->stamp;
	entry.confirmed_ns = seg_get(&c->control->grace);
	cache_put(c, slot, &entry);
}

/* ---- requests and hints ----------------------------------------------------------------------------------------- */

static void
receive_ask(struct nbr_cache *c, const struct seg_msg *msg, const struct nbr_key *key, uint64_t now, struct nbr_out *out)
{
	uint8_t asker = msg->word[2] ? (uint8_t)msg->word[2] : msg->from;
	uint32_t slot = nbr_find(&c->table, key);

	if (nbr_owner(c, key) != c->self) {
		/* Ownership has moved on since it was sent. */
		struct seg_msg on = *msg;
		on.from = c->self;
		on.to = (uint8_t)nbr_owner(c, key);
		on.word[2] = asker;
		cache_send(c, &on, out);
		return;
	}
	if (slot != NBR_NONE) {
		cache_settle(c, slot, now, out);
		uint64_t value = cache_line(c, slot)->value;
		if (nbr_usable(value)) {
			if (SEG_NBR_STATE(value) != SEG_NBR_PERMANENT) {
				cache_use(c, slot, now);
			}
			if (msg->stamp > cache_line(c, slot)->stamp) {
				/* The asker knows of a deletion that has not come here: its maker may be lost. */
				cache_assign(c, slot, value, 0, now, out);
				asker = NBR_ALL;
			}
			cache_announce(c, slot, asker, msg->cause, now, out);
			return;
		}
		if (SEG_NBR_STATE(value) == SEG_NBR_INCOMPLETE) {
			return;
		}
		if (SEG_NBR_STATE(value) == SEG_NBR_FAILED && now - cache_line(c, slot)->changed_ns < NBR_FAILED_NS) {
			struct seg_msg failed = cache_msg(c, SEG_MSG_NBR_FAILED, asker, slot, msg->cause, now);
			failed.stamp = 0;
			cache_send(c, &failed, out);
			return;
		}
	}
	cache_resolve(c, key, msg->cause, now, out);
}

/* The owner gave up. A core that has become the owner meanwhile goes on; so does one that has asked a new owner. */
static void
receive_failed(struct nbr_cache *c, const struct seg_msg *msg, const struct nbr_key *key, uint64_t now, struct nbr_out *out)
{
	uint32_t slot = nbr_find(&c->table, key);

	if (slot == NBR_NONE) {
		return;
	}
	cache_settle(c, slot, now, out);
	if (SEG_NBR_STATE(cache_line(c, slot)->value) == SEG_NBR_INCOMPLETE && c->private[slot].owner == msg->from &&
		msg->from != c->self) {
		cache_fail(c, slot, now, out);
	}
}

static void
receive_used(struct nbr_cache *c, const struct seg_msg *msg, uint64_t now, struct nbr_out *out)
{
	for (unsigned i = 0; i < msg->n && i < NBR_HINTS; i++) {
		uint32_t slot = nbr_home(&c->table, msg->word[i]);
		for (; cache_line(c, slot)->iface != 0; slot = (slot + 1) & c->table.mask) {
			struct nbr_key key = nbr_key_at(&c->table, slot);
			if (!cache_in_use(cache_line(c, slot)) || nbr_hash(&key, c->table.seed) != msg->word[i]) {
				continue;
			}
			cache_settle(c, slot, now, out);
			if (cache_mine(c, slot) && cache_dynamic(cache_line(c, slot)->value)) {
				cache_use(c, slot, now);
			}
			break;
		}
	}
}

/* ---- from the operator ------------------------------------------------------------------------------------------ */

/*
 * Ownership has moved on since the operator's request was sent, and the owner goes on announcing until it hears of this: that
 * must lose.
 */
static void
receive_overrule(struct nbr_cache *c, const struct nbr_key *key)
{
	c->clock += nbr_owner(c, key) == c->self ? 0 : OVERRULE;
}

static void
receive_set(struct nbr_cache *c, const struct seg_msg *msg, const struct nbr_key *key, uint64_t now, struct nbr_out *out)
{
	uint32_t slot = nbr_find(&c->table, key);
	unsigned state = SEG_NBR_STATE(msg->word[2]);

	receive_overrule(c, key);
	if (slot == NBR_NONE) {
		struct seg_nbr entry = {
			.address = {key->address[0], key->address[1]}, .value = SEG_NBR_TOMB, .iface = key->iface};
		slot = cache_insert(c, &entry);
		if (slot == NBR_NONE) {
			return;
		}
	}
	cache_settle(c, slot, now, out);
	if (state != SEG_NBR_REACHABLE && state != SEG_NBR_STALE) {
		state = SEG_NBR_PERMANENT;
	} else if (!cache_mine(c, slot)) {
		state = SEG_NBR_REACHABLE;
	}
	cache_assign(c, slot, (msg->word[2] & (~0xffffull | SEG_NBR_ROUTER)) | state, 0, now, out);
	if (state == SEG_NBR_REACHABLE) {
		cache_confirmed(c, slot, now);
	}
	cache_announce(c, slot, NBR_ALL, msg->cause, now, out);
}

/* What is there goes; what is being asked for is given up. */
static void
receive_unset(struct nbr_cache *c, const struct seg_msg *msg, const struct nbr_key *key, uint64_t now, struct nbr_out *out)
{
	uint32_t slot = nbr_find(&c->table, key);

	receive_overrule(c, key);
	if (slot == NBR_NONE) {
		return;
	}
	cache_settle(c, slot, now, out);
	uint64_t value = cache_line(c, slot)->value;
	if (nbr_usable(value)) {
		cache_delete(c, slot, msg->cause, now, out);
	} else if (SEG_NBR_STATE(value) == SEG_NBR_INCOMPLETE) {
		cache_fail(c, slot, now, out);
	} else if (SEG_NBR_STATE(value) == SEG_NBR_FAILED) {
		cache_drop(c, slot, now);
	}
}

static bool
flush_covers(const struct nbr_cache *c, const struct seg_msg *msg, const struct seg_nbr *line)
{
	unsigned length = (unsigned)(msg->word[2] >> 16) + (c->family == SEG_IPV4 ? 96 : 0);
	uint32_t iface = (uint32_t)msg->word[3];
	unsigned high = length < 64 ? length : 64, low = length < 64 ? 0 : length < 128 ? length - 64 : 64;

	return (!iface || line->iface == iface) && !(high && (line->address[0] ^ msg->word[0]) >> (64 - high)) &&
	       !(low && (line->address[1] ^ msg->word[1]) >> (64 - low));
}

static bool
flush_matches(const struct nbr_cache *c, const struct seg_msg *msg, const struct seg_nbr *line)
{
	unsigned only = (msg->word[2] >> NBR_FLUSH_STATE_SHIFT) & 7, state = SEG_NBR_STATE(line->value);

	if (!cache_in_use(line) || (line->value & SEG_NBR_TOMB) || state == SEG_NBR_INCOMPLETE || (only && state != only)) {
		return false;
	}
	if (state == SEG_NBR_PERMANENT && only != SEG_NBR_PERMANENT && !(msg->word[2] & NBR_FLUSH_PERMANENT)) {
		return false;
	}
	return flush_covers(c, msg, line);
}

/*
 * Each owner deletes of its own what matches, and each core what failed; what is being asked for ends by itself. Rare, and asked
 * by an operator, so it may take its time.
 */
static void
receive_flush(struct nbr_cache *c, const struct seg_msg *msg, uint64_t now, struct nbr_out *out)
{
	const struct seg_nbr_count *count = c->table.count;
	uint64_t first = (c->clock + 1) << CORE_BITS;

	if (!count->entries && !count->failed && !count->incomplete) {
		return;
	}
	for (uint32_t slot = 0; slot < cache_slots(c); slot++) {
		struct seg_nbr *line = cache_line(c, slot);
		if (!cache_in_use(line) || (line->value & SEG_NBR_TOMB)) {
			continue;
		}
		if (!nbr_usable(line->value)) {
			if (flush_matches(c, msg, line)) {
				cache_drop(c, slot, now);
			}
			continue;
		}
		cache_settle(c, slot, now, out);
		if (!cache_mine(c, slot) || !flush_matches(c, msg, line)) {
			continue;
		}
		if (out->nmsg >= NBR_OUT - NBR_OUT_CALL / 2) {
			/* More than a list takes: the receivers get the rest as from a full ring. */
			for (uint8_t to = 1; to <= c->ncores; to++) {
				nbr_cache_ring_full(c, to, first);
			}
			out->nmsg--;
		}
		cache_delete(c, slot, msg->cause, now, out);
	}
}

/*
 * A core that had no room hears again what this one announced. The control core asks after tables were found to differ: the owner
 * says all that it holds anew, in versions that win over whatever the others hold.
 */
static void
receive_again(struct nbr_cache *c, const struct seg_msg *msg)
{
	if (msg->from) {
		nbr_cache_ring_full(c, msg->from, 0);
		return;
	}
	for (uint32_t slot = 0; slot < cache_slots(c); slot++) {
		struct seg_nbr entry = *cache_line(c, slot);
		if (cache_in_use(&entry) && nbr_usable(entry.value) && cache_mine(c, slot)) {
			entry.stamp = cache_stamp(c);
			cache_put(c, slot, &entry);
		}
	}
	for (uint8_t to = 1; to <= c->ncores; to++) {
		nbr_cache_ring_full(c, to, 0);
	}
}

void
nbr_cache_receive(struct nbr_cache *c, const struct seg_msg *msg, uint64_t now, struct nbr_out *out)
{
	struct nbr_key key = {.address = {msg->word[0], msg->word[1]}, .iface = (uint32_t)msg->word[3]};
	uint64_t clock = msg->stamp >> CORE_BITS;

	c->clock = clock > c->clock ? clock : c->clock;
	switch (msg->kind) {
	case SEG_MSG_NBR_USED:
		receive_used(c, msg, now, out);
		return;
	case SEG_MSG_NBR_FLUSH:
		receive_flush(c, msg, now, out);
		return;
	case SEG_MSG_NBR_AGAIN:
		receive_again(c, msg);
		return;
	default:
		break;
	}
	if (key.iface == 0 || key.iface >= SEG_MAX_IFACES) {
		return;
	}
	switch (msg->kind) {
	case SEG_MSG_NBR_ADD:
		receive_add(c, msg, &key, now, out);
		break;
	case SEG_MSG_NBR_DEL:
		receive_del(c, msg, &key, now, out);
		break;
	case SEG_MSG_NBR_ASK:
		receive_ask(c, msg, &key, now, out);
		break;
	case SEG_MSG_NBR_FAILED:
		receive_failed(c, msg, &key, now, out);
		break;
	case SEG_MSG_NBR_HEARD:
		receive_heard(c, msg, &key, now, out);
		break;
	case SEG_MSG_NBR_SET:
		receive_set(c, msg, &key, now, out);
		break;
	case SEG_MSG_NBR_UNSET:
		receive_unset(c, msg, &key, now, out);
		break;
	default:
		break;
	}
}
