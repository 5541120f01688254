/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several neighbour caches of one family in one test, with virtual time and messages that arrive at once or are lost. */
#ifndef PEKIT_TESTS_NBR_WORLD_H
#define PEKIT_TESTS_NBR_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nbr/cache.h"

#define CORES 4
#define SLOTS 256
#define LIMIT 64
#define START 1000000000000ull
#define MS 1000000ull
#define S 1000000000ull
#define SEED 0x51ed270b4d9f1a35ull
#define MAC(n) (0x020000000000ull + (n))
#define LATE (10 * MS) /* a timer may be that late: a list of the wheel */

struct world {
	struct seg_control *control;
	struct nbr_params params;
	struct nbr_cache *core[CORES + 1];
	struct seg_nbr_count count[CORES + 1];
	struct nbr_out out[CORES + 1];
	uint64_t now;
	unsigned family;
	bool deaf[CORES + 1];                   /* messages to it are lost */
	bool down[CORES + 1];                   /* it does not tick */
	bool called[CORES + 1];                 /* a message came since it said when it wants to tick */
	unsigned messages, kind[SEG_MSG_KINDS]; /* that arrived */
	unsigned asked[CORES + 1][4];           /* requests by enum nbr_request_kind */
	uint64_t solicited_ns[16];
	unsigned solicited;
	uint64_t solicited_mac;
	uint32_t resolved_slot;
};

static inline void *
zeroed(size_t size)
{
	void *memory = aligned_alloc(SEG_LINE, (size + SEG_LINE - 1) / SEG_LINE * SEG_LINE);
	assert_non_null(memory);
	return memset(memory, 0, size);
}

static inline struct world *
world_new(unsigned family)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->control = zeroed(sizeof(*w->control));
	w->control->master = 2;
	memset(w->control->owner, 2, sizeof(w->control->owner));
	w->control->owner_epoch = 1;
	w->family = family;
	w->now = START;
	w->params = (struct nbr_params){.reachable_ns = 30 * S,
		.retrans_ns = S,
		.delay_ns = 5 * S,
		.stale_ns = 100 * S,
		.solicitations = 3,
		.incomplete = 16,
		.solicit_pps = 20};
	for (unsigned i = 1; i <= CORES; i++) {
		w->core[i] = zeroed(sizeof(struct nbr_cache));
		nbr_cache_init(w->core[i], family, zeroed(SLOTS * sizeof(struct seg_nbr)),
			zeroed(SLOTS * sizeof(struct nbr_private)), SLOTS, SEED, LIMIT, w->control, &w->count[i], &w->params,
			(uint8_t)i, CORES, START);
	}
	return w;
}

static inline void
world_free(struct world *w)
{
	for (unsigned i = 1; i <= CORES; i++) {
		free(w->core[i]->table.slot);
		free(w->core[i]->private);
		free(w->core[i]);
	}
	free(w->control);
	free(w);
}

static inline int
setup4(void **state)
{
	*state = world_new(SEG_IPV4);
	return 0;
}

static inline int
setup6(void **state)
{
	*state = world_new(SEG_IPV6);
	return 0;
}

static inline int
teardown(void **state)
{
	world_free(*state);
	return 0;
}

static inline struct nbr_key
host(const struct world *w, unsigned n)
{
	return w->family == SEG_IPV4 ? nbr_key4(0xc0000200 + n, 1) : nbr_key6(0x20010db800000000ull, n, 1);
}

/* What each request list holds is noted; what each message list holds arrives, and so does what that sets off. */
static inline void
deliver(struct world *w, unsigned from)
{
	struct nbr_out out = w->out[from];
	w->out[from].nmsg = 0;
	w->out[from].nrequest = 0;
	for (unsigned i = 0; i < out.nrequest; i++) {
		const struct nbr_request *r = &out.request[i];
		w->asked[from][r->kind]++;
		if (r->kind == NBR_SOLICIT) {
			w->solicited_ns[w->solicited++ % 16] = w->now;
			w->solicited_mac = r->mac;
		} else if (r->kind == NBR_RESOLVED) {
			w->resolved_slot = r->slot;
		}
	}
	for (unsigned i = 0; i < out.nmsg; i++) {
		assert_int_equal(out.msg[i].from, from);
		assert_int_equal(nbr_msg_family(&out.msg[i]), w->family);
		for (unsigned to = 1; to <= CORES; to++) {
			if (to == from || (out.msg[i].to != NBR_ALL && out.msg[i].to != to)) {
				continue;
			}
			w->messages++;
			w->kind[out.msg[i].kind]++;
			if (w->deaf[to]) {
				continue;
			}
			w->called[to] = true;
			nbr_cache_receive(w->core[to], &out.msg[i], w->now, &w->out[to]);
			deliver(w, to);
		}
	}
}

static inline enum nbr_need
need(struct world *w, unsigned core, unsigned n)
{
	struct nbr_key key = host(w, n);
	uint32_t slot = NBR_NONE;
	enum nbr_need answer = nbr_cache_need(w->core[core], &key, w->now, &slot, &w->out[core]);
	assert_true(slot != NBR_NONE || answer == NBR_DEAD || answer == NBR_REFUSED);
	deliver(w, core);
	return answer;
}

static inline void
heard(struct world *w, unsigned core, unsigned n, uint64_t mac, unsigned flags, bool create)
{
	struct nbr_key key = host(w, n);
	nbr_cache_heard(w->core[core], &key, mac, flags, create, w->now, &w->out[core]);
	deliver(w, core);
}

/* Time passes: every core ticks when it last said it would want to, and not before. */
static inline void
pass(struct world *w, uint64_t ns)
{
	uint64_t end = w->now + ns, wants[CORES + 1];

	for (bool first = true; w->now < end; first = false) {
		uint64_t next = end;
		for (unsigned i = 1; i <= CORES; i++) {
			if (first || wants[i] <= w->now || w->called[i]) {
				wants[i] = w->down[i] ? end : nbr_cache_next(w->core[i], w->now);
			}
			w->called[i] = false;
			next = wants[i] < next ? wants[i] : next;
		}
		w->now = next > w->now ? next : w->now + 1;
		for (unsigned i = 1; i <= CORES; i++) {
			if (!w->down[i] && (w->now == end || wants[i] <= w->now)) {
				nbr_cache_tick(w->core[i], w->now, &w->out[i]);
				deliver(w, i);
			}
		}
	}
}

static inline void
forget(struct world *w)
{
	w->messages = 0;
	w->solicited = 0;
	memset(w->kind, 0, sizeof(w->kind));
	memset(w->asked, 0, sizeof(w->asked));
}

static inline const struct seg_nbr *
line_of(const struct world *w, unsigned core, unsigned n)
{
	static const struct seg_nbr none;
	struct nbr_key key = host(w, n);
	uint32_t slot = nbr_find(&w->core[core]->table, &key);
	return slot == NBR_NONE ? &none : &w->core[core]->table.slot[slot];
}

static inline unsigned
state_of(const struct world *w, unsigned core, unsigned n)
{
	return SEG_NBR_STATE(line_of(w, core, n)->value);
}

static inline bool
ready(const struct world *w, unsigned core, unsigned n)
{
	return line_of(w, core, n)->value & SEG_NBR_READY;
}

/* 0: no address */
static inline uint64_t
mac_of(const struct world *w, unsigned core, unsigned n)
{
	uint64_t value = line_of(w, core, n)->value;
	return nbr_usable(value) ? SEG_NBR_MAC(value) : 0;
}

static inline void
all_hold(const struct world *w, unsigned n, uint64_t mac)
{
	for (unsigned i = 1; i <= CORES; i++) {
		assert_int_equal(mac_of(w, i, n), mac);
		assert_true(w->count[i].digest == w->count[1].digest);
		assert_int_equal(w->count[i].entries, w->count[1].entries);
	}
}

#define NA(flags) (NBR_HEARD_ANSWER | NBR_HEARD_OVERRIDE | (flags))

/* Core 2, the owner, knows host n and has it confirmed now. */
static inline void
known(struct world *w, unsigned n)
{
	assert_int_equal(need(w, 2, n), NBR_WAIT);
	heard(w, 2, n, MAC(n), NA(0), false);
	all_hold(w, n, MAC(n));
	forget(w);
}

static inline void
owner_becomes(struct world *w, unsigned core)
{
	seg_put(&w->control->master, (uint8_t)core);
	memset(w->control->owner, (int)core, sizeof(w->control->owner));
	seg_put_release(&w->control->owner_epoch, w->control->owner_epoch + 1);
}

static inline struct seg_msg
msg_of(const struct world *w, enum seg_msg_kind kind, unsigned from, unsigned n, uint64_t value, uint64_t stamp)
{
	struct nbr_key key = host(w, n);
	return (struct seg_msg){.kind = (uint8_t)kind,
		.from = (uint8_t)from,
		.to = NBR_ALL,
		.n = 4,
		.stamp = stamp,
		.word = {key.address[0], key.address[1], value, (uint64_t)w->family << 32 | key.iface}};
}

static inline void
receive(struct world *w, unsigned core, const struct seg_msg *msg)
{
	nbr_cache_receive(w->core[core], msg, w->now, &w->out[core]);
	deliver(w, core);
}

/* Pays all debts of a core. */
static inline void
pay(struct world *w, unsigned core)
{
	struct nbr_cache *c = w->core[core];
	for (unsigned tries = 0; c->owing && tries < 1000; tries++) {
		for (unsigned to = 1; to <= CORES; to++) {
			struct nbr_out out = {0};
			nbr_cache_resync(c, (uint8_t)to, 5, w->now, &out);
			assert_true(out.nmsg <= 5 && out.nrequest == 0);
			w->out[core] = out;
			deliver(w, core);
		}
	}
	assert_int_equal(c->owing, 0);
}

#define BOTH(test) \
	{#test " (IPv4)", test, setup4, teardown, NULL}, \
	{ \
#test " (IPv6)", test, setup6, teardown, NULL \
	}

#endif
