/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "route/route.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/num.h"

static const uint8_t whole[SEG_FAMILIES] = {[SEG_IPV4] = 32, [SEG_IPV6] = 128};

/* ---- the table -------------------------------------------------------------------------------------------------- */

void
route_init(struct route_table *t, struct seg_route *memory, uint32_t slots, uint64_t limit)
{
	*t = (struct route_table){.slot = memory, .mask = slots - 1, .limit = limit};
	t->shift = 64 - (uint32_t)__builtin_ctz(slots);
}

void
route_mask(uint8_t family, uint8_t length, uint64_t words[static 2])
{
	unsigned high = family == SEG_IPV4 ? 64 : length < 64 ? length : 64;
	unsigned low = family == SEG_IPV4 ? 32u + length : length < 64 ? 0 : length - 64u;
	words[0] &= high ? ~0ull << (64 - high) : 0;
	words[1] &= low ? ~0ull << (64 - low) : 0;
}

static uint32_t
route_home(const struct route_table *t, const struct route_key *key)
{
	uint64_t x = (key->prefix[0] ^ (uint64_t)key->family << 7 ^ key->length) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 32 ^ key->prefix[1]) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 29) * 0x94d049bb133111ebull;
	return (uint32_t)(x >> t->shift);
}

static bool
slot_is(const struct seg_route *slot, const struct route_key *key)
{
	return slot->prefix[1] == key->prefix[1] && slot->prefix[0] == key->prefix[0] && slot->length == key->length &&
	       slot->family == key->family && slot->kind != SEG_ROUTE_GONE;
}

/* The slot of the key, or ROUTE_NONE and in *room the first slot that could take it. There is always an empty slot (route_put).
 */
static uint32_t
search(const struct route_table *t, const struct route_key *key, uint32_t *room)
{
	uint32_t at = route_home(t, key);
	*room = ROUTE_NONE;
	for (; t->slot[at].kind != SEG_ROUTE_NONE; at = (at + 1) & t->mask) {
		if (slot_is(&t->slot[at], key)) {
			return at;
		}
		if (*room == ROUTE_NONE && t->slot[at].kind == SEG_ROUTE_GONE) {
			*room = at;
		}
	}
	*room = *room == ROUTE_NONE ? at : *room;
	return ROUTE_NONE;
}

uint32_t
route_find(const struct route_table *t, const struct route_key *key)
{
	uint32_t room;
	return search(t, key, &room);
}

static uint32_t *
lengths_of(struct route_table *t, uint8_t family)
{
	return family == SEG_IPV4 ? t->lengths4 : t->lengths6;
}

uint32_t
route_lookup(const struct route_table *t, uint8_t family, const uint64_t address[static 2])
{
	const uint32_t *lengths = family == SEG_IPV4 ? t->lengths4 : t->lengths6;
	for (int length = whole[family]; length >= 0; length--) {
		if (lengths[length]) {
			struct route_key key = {{address[0], address[1]}, family, (uint8_t)length};
			route_mask(family, key.length, key.prefix);
			uint32_t slot = route_find(t, &key);
			if (slot != ROUTE_NONE && !(t->slot[slot].flags & SEG_ROUTE_DOWN)) {
				return slot;
			}
		}
	}
	return ROUTE_NONE;
}

/*
 * The writer's half of seg_read_route(). Each word but seq is stored with release: whoever reads one of them and then seq finds
 * it odd. The words that hold more than one field are put together first.
 */
static void
store(struct seg_route *to, const struct seg_route *from)
{
	uint32_t seq = to->seq;
	uint64_t word[SEG_LINE / 8], *target = (uint64_t *)(void *)to;
	struct seg_route new = *from;
	const size_t at = offsetof(struct seg_route, seq) / 8;
	new.seq = seq + 1;
	memcpy(word, &new, sizeof(word));
	seg_put_release(&target[at], word[at]);
	for (size_t i = 0; i < SEG_LINE / 8; i++) {
		if (i != at) {
			seg_put_release(&target[i], word[i]);
		}
	}
	seg_put_release(&to->seq, seq + 2);
}

static void
count(struct route_table *t, uint8_t family, uint8_t length, int n)
{
	t->count[family] += (uint64_t)(int64_t)n;
	lengths_of(t, family)[length] += (uint32_t)n;
}

static const struct seg_route empty;

static struct route_key
key_at(const struct route_table *t, uint32_t slot)
{
	const struct seg_route *r = &t->slot[slot];
	return (struct route_key){{r->prefix[0], r->prefix[1]}, r->family, r->length};
}

/* Empties a slot for good: what a probe would not find behind it any more moves up. */
static void
close_gap(struct route_table *t, uint32_t gap)
{
	for (uint32_t at = (gap + 1) & t->mask; t->slot[at].kind != SEG_ROUTE_NONE; at = (at + 1) & t->mask) {
		struct route_key key = key_at(t, at);
		bool marks = t->slot[at].kind == SEG_ROUTE_GONE;
		if (!marks && ((at - route_home(t, &key)) & t->mask) >= ((at - gap) & t->mask)) {
			store(&t->slot[gap], &t->slot[at]);
			gap = at;
		}
	}
	store(&t->slot[gap], &empty);
	t->used--;
}

static void
sweep(struct route_table *t)
{
	for (uint32_t slot = 0; slot <= t->mask; slot++) {
		if (t->slot[slot].kind == SEG_ROUTE_GONE) {
			close_gap(t, slot);
		}
	}
}

uint32_t
route_put(struct route_table *t, const struct seg_route *route)
{
	struct route_key key = {{route->prefix[0], route->prefix[1]}, route->family, route->length};
	uint32_t room, slot = search(t, &key, &room);
	if (slot == ROUTE_NONE) {
		if (t->count[SEG_IPV4] + t->count[SEG_IPV6] >= t->limit) {
			return ROUTE_NONE;
		}
		if (t->used > t->mask / 8 * 7) {
			sweep(t);
			(void)search(t, &key, &room);
		}
		slot = room;
		t->used += t->slot[slot].kind == SEG_ROUTE_NONE;
		count(t, key.family, key.length, 1);
	}
	store(&t->slot[slot], route);
	return slot;
}

void
route_del(struct route_table *t, uint32_t slot)
{
	static const struct seg_route gone = {.kind = SEG_ROUTE_GONE};
	count(t, t->slot[slot].family, t->slot[slot].length, -1);
	store(&t->slot[slot], &gone);
	/* A run of slots that ends here needs no marks that it goes on. */
	if (t->slot[(slot + 1) & t->mask].kind == SEG_ROUTE_NONE) {
		for (; t->slot[slot].kind == SEG_ROUTE_GONE; slot = (slot - 1) & t->mask) {
			store(&t->slot[slot], &empty);
			t->used--;
		}
	}
}

static int
rank(uint8_t kind)
{
	return kind == SEG_ROUTE_LOCAL ? 2 : kind == SEG_ROUTE_CONNECTED ? 1 : 0;
}

bool
route_prefer(const struct seg_route *a, const struct seg_route *b)
{
	int ra = rank(a->kind), rb = rank(b->kind);
	return ra != rb ? ra > rb : ra > 0 || a->since_ns >= b->since_ns;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static void
to_words(const struct ip *ip, uint64_t words[static 2])
{
	words[0] = words[1] = 0;
	for (unsigned i = 0; i < (ip->family == 4 ? 4u : 16u); i++) {
		uint64_t *word = ip->family == 4 || i >= 8 ? &words[1] : &words[0];
		*word = *word << 8 | ip->bytes[i];
	}
}

static void
from_words(uint8_t family, const uint64_t words[static 2], struct ip *ip)
{
	*ip = (struct ip){.family = family == SEG_IPV4 ? 4 : 6};
	for (unsigned i = 0; i < 4; i++) {
		ip->bytes[i] = (uint8_t)(words[1] >> (24 - 8 * i));
	}
	for (unsigned i = 0; i < 16 && family == SEG_IPV6; i++) {
		ip->bytes[i] = (uint8_t)(words[i / 8] >> (56 - 8 * (i % 8)));
	}
}

static enum err_code
parse_length(const char *word, const char *text, struct route_key *key, struct err *err)
{
	uint64_t length;
	/* A number in the way of prefixes: decimal, without leading zeros. */
	if (!num_parse_u64(text, 0, whole[key->family], &length) || text[1] == 'x' || text[1] == 'X' ||
		(text[0] == '0' && text[1])) {
		err_set(err, ERR_USAGE, "%.60s: %.20s is not the length of a prefix", word, text[0] ? text : "nothing");
		return err_hint(err, "0 to %u", whole[key->family]);
	}
	key->length = (uint8_t)length;
	return ERR_NONE;
}

static enum err_code
parse_default(struct route_key *key, struct err *err)
{
	if (key->family >= SEG_FAMILIES) {
		err_set(err, ERR_USAGE, "default: of which family?");
		return err_hint(err, "0.0.0.0/0 or ::/0");
	}
	*key = (struct route_key){.family = key->family};
	return ERR_NONE;
}

enum err_code
route_parse_prefix(const char *word, struct route_key *key, struct err *err)
{
	struct ip ip;
	struct route_key new = {0};
	char address[IP_TEXT_SIZE], text[ROUTE_TEXT_SIZE];
	if (strcmp(word, "default") == 0) {
		return parse_default(key, err);
	}
	size_t n = strcspn(word, "/");
	snprintf(address, sizeof(address), "%.*s", (int)(n < sizeof(address) ? n : sizeof(address) - 1), word);
	if (n >= sizeof(address) || !ip_parse(address, &ip)) {
		err_set(err, ERR_USAGE, "%.60s: not a prefix", word);
		return err_hint(err, "10.0.0.0/8, 2001:db8::/32 or default");
	}
	new.family = ip.family == 4 ? SEG_IPV4 : SEG_IPV6;
	new.length = whole[new.family];
	enum err_code code = word[n] ? parse_length(word, word + n + 1, &new, err) : ERR_NONE;
	if (code != ERR_NONE) {
		return code;
	}
	to_words(&ip, new.prefix);
	uint64_t given[2] = {new.prefix[0], new.prefix[1]};
	route_mask(new.family, new.length, new.prefix);
	if (given[0] != new.prefix[0] || given[1] != new.prefix[1]) {
		err_set(err, ERR_USAGE, "%.60s: has bits set beyond its length", word);
		return err_hint(err, "%s", route_format_prefix(&new, text));
	}
	*key = new;
	return ERR_NONE;
}

char *
route_format_prefix(const struct route_key *key, char text[static ROUTE_TEXT_SIZE])
{
	struct ip ip;
	char address[IP_TEXT_SIZE];
	from_words(key->family, key->prefix, &ip);
	snprintf(text, ROUTE_TEXT_SIZE, "%s/%u", ip_format(&ip, address), key->length);
	return text;
}
