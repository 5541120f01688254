/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nbr/nbr.h"

#include <string.h>

void
nbr_init(struct nbr *nbr, struct seg_nbr *memory, uint32_t slots, uint64_t seed, struct seg_nbr_count *count)
{
	memset(nbr, 0, sizeof(*nbr));
	nbr->slot = memory;
	nbr->count = count;
	nbr->seed = seed;
	nbr->mask = slots - 1;
	nbr->shift = 64 - (uint32_t)__builtin_ctz(slots);
}

/* Adds (sign 1) or takes (sign -1) an entry to or from the counts and the digest. */
static void
nbr_account(struct nbr *nbr, const struct seg_nbr *entry, int sign)
{
	struct seg_nbr_count *count = nbr->count;
	uint64_t one = (uint64_t)(int64_t)sign;

	if (entry->value & SEG_NBR_TOMB) {
		seg_add(&count->tombs, one);
		return;
	}
	if (SEG_NBR_STATE(entry->value) == SEG_NBR_INCOMPLETE) {
		seg_add(&count->incomplete, one);
		return;
	}
	if (SEG_NBR_STATE(entry->value) == SEG_NBR_FAILED) {
		seg_add(&count->failed, one);
		return;
	}
	struct nbr_key key = {.address = {entry->address[0], entry->address[1]}, .iface = entry->iface};
	uint64_t digest = nbr_digest(&key, entry->value, entry->stamp);
	seg_add(&count->entries, one);
	if (SEG_NBR_STATE(entry->value) == SEG_NBR_PERMANENT) {
		seg_add(&count->permanent, one);
	}
	seg_put(&count->digest, sign > 0 ? count->digest + digest : count->digest - digest);
}

/*
 * A line is odd in seq while it changes. Each word is stored with release: whoever reads one of them finds seq odd (and a fence
 * would do as well, but ThreadSanitizer does not know fences).
 */
static void
nbr_begin(struct seg_nbr *line)
{
	seg_put(&line->seq, line->seq + 1);
}

static void
nbr_end(struct seg_nbr *line)
{
	seg_put_release(&line->seq, line->seq + 1);
}

static void
nbr_write_rest(struct seg_nbr *line, const struct seg_nbr *entry)
{
	seg_put_release(&line->value, entry->value);
	seg_put_release(&line->stamp, entry->stamp);
	seg_put_release(&line->confirmed_ns, entry->confirmed_ns);
	seg_put_release(&line->used_ns, entry->used_ns);
	seg_put_release(&line->changed_ns, entry->changed_ns);
}

/* The first slot that is free for a key from its home on; SEG_NBR_GONE ones serve again. */
static uint32_t
nbr_free_slot(const struct nbr *nbr, const struct nbr_key *key)
{
	uint32_t at = nbr_home(nbr, nbr_hash(key, nbr->seed));

	while (nbr->slot[at].iface != 0 && nbr->slot[at].iface != SEG_NBR_GONE) {
		at = (at + 1) & nbr->mask;
	}
	return at;
}

uint32_t
nbr_insert(struct nbr *nbr, const struct seg_nbr *entry)
{
	struct nbr_key key = {.address = {entry->address[0], entry->address[1]}, .iface = entry->iface};
	uint32_t at = nbr_free_slot(nbr, &key);
	struct seg_nbr *line = &nbr->slot[at];

	if (nbr_taken(nbr) >= (nbr->mask + 1) / 4 * 3) {
		return NBR_NONE;
	}
	if (line->iface == 0) {
		if (nbr->used >= (nbr->mask + 1) / 8 * 7) {
			return NBR_NONE;
		}
		nbr->used++;
	}
	nbr_begin(line);
	seg_put_release(&line->address[0], entry->address[0]);
	seg_put_release(&line->address[1], entry->address[1]);
	seg_put_release(&line->iface, entry->iface);
	nbr_write_rest(line, entry);
	nbr_end(line);
	nbr_account(nbr, line, 1);
	return at;
}

void
nbr_update(struct nbr *nbr, uint32_t slot, const struct seg_nbr *entry)
{
	struct seg_nbr *line = &nbr->slot[slot];

	nbr_account(nbr, line, -1);
	nbr_begin(line);
	nbr_write_rest(line, entry);
	nbr_end(line);
	nbr_account(nbr, line, 1);
}

static void
nbr_empty(struct seg_nbr *line, uint32_t iface)
{
	static const struct seg_nbr nothing;

	nbr_begin(line);
	seg_put_release(&line->iface, iface);
	seg_put_release(&line->address[0], nothing.address[0]);
	seg_put_release(&line->address[1], nothing.address[1]);
	nbr_write_rest(line, &nothing);
	nbr_end(line);
}

void
nbr_remove(struct nbr *nbr, uint32_t slot)
{
	uint32_t end = slot;

	nbr_account(nbr, &nbr->slot[slot], -1);
	nbr_empty(&nbr->slot[slot], SEG_NBR_GONE);
	/* Those that were gone serve only as long as an entry further on has its home at them or before: back from the run's end.
	 */
	while (nbr->slot[(end + 1) & nbr->mask].iface != 0) {
		end = (end + 1) & nbr->mask;
	}
	int64_t farthest = -1;
	for (uint32_t back = 0;; back++) {
		uint32_t at = (end - back) & nbr->mask;
		if (nbr->slot[at].iface == 0) {
			break;
		}
		if (nbr->slot[at].iface != SEG_NBR_GONE) {
			struct nbr_key key = nbr_key_at(nbr, at);
			uint32_t home = nbr_home(nbr, nbr_hash(&key, nbr->seed));
			int64_t reach = back + ((at - home) & nbr->mask);
			farthest = reach > farthest ? reach : farthest;
		} else if (farthest < (int64_t)back) {
			nbr_empty(&nbr->slot[at], 0);
			nbr->used--;
		}
	}
}

void
nbr_words(const struct ip *ip, uint64_t words[static 2])
{
	words[0] = 0;
	words[1] = 0;
	if (ip->family == 4) {
		for (unsigned i = 0; i < 4; i++) {
			words[1] = words[1] << 8 | ip->bytes[i];
		}
		return;
	}
	for (unsigned i = 0; i < 16; i++) {
		words[i / 8] = words[i / 8] << 8 | ip->bytes[i];
	}
}

void
nbr_ip(unsigned family, const uint64_t words[static 2], struct ip *ip)
{
	memset(ip, 0, sizeof(*ip));
	if (family == SEG_IPV4) {
		ip->family = 4;
		for (unsigned i = 0; i < 4; i++) {
			ip->bytes[i] = (uint8_t)(words[1] >> (24 - 8 * i));
		}
		return;
	}
	ip->family = 6;
	for (unsigned i = 0; i < 16; i++) {
		ip->bytes[i] = (uint8_t)(words[i / 8] >> (56 - 8 * (i % 8)));
	}
}
