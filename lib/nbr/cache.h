/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A core's neighbour cache of one family: who resolves, who times, and how all cores come to hold the same.
 *
 * Every address has one owner core: the master core for IPv4 (all ARP is its), the core of the address's hash for IPv6. The owner
 * alone runs the machine of RFC 4861 7.3 (INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, and FAILED), asks the wire and ages; what
 * it finds out is announced to all. The others hold REACHABLE. Both families run the same machine; what differs is how a frame
 * looks (arp.h, nd.h) and who owns.
 *
 * Each core calls its own cache with what happened and the time; what is to be done comes back as lists (struct nbr_out):
 * messages for other cores, and requests to the caller. Pure: `pe`, the simulator and the unit tests drive the same code.
 *
 * What makes the cores equal: as in lib/fdb/replica.h. Every announcement has a stamp (Lamport clock << 8 | core); the highest of
 * a key wins on every core in whatever order they arrive. A deletion stays as a tombstone until grace periods have passed
 * (lib/core/grace.h). A full ring owes its receiver a resynchronisation, and nothing is lost; requests and hints may be.
 *
 * What saves messages
 *  - One ASK from a core that misses, however many packets wait there; it asks again only after a retransmission time.
 *  - The owner has one resolution going whatever number of cores ask, and one ADD to each other core is the answer to all. An ASK
 *    for what the owner knows is answered to the asker alone, with the entry's old stamp.
 *  - A refresh that finds the same link-layer address is not announced.
 *  - Use is told to the owner once an entry, core and sweep, several to a message.
 *  - FAILED is told to all once, and keeps them from asking for NBR_FAILED_NS.
 *
 * Taking over (the owner words of seg_control change, owner_epoch rises): the new owner adopts the entries as they are, with
 * the times it knows, ND ones STALE; whoever waits for an answer asks the new owner at once; what the old owner was resolving
 * goes on with those who asked. A core that stood still finds that it owns nothing any more by reading the words each time.
 */
#ifndef PEKIT_NBR_CACHE_H
#define PEKIT_NBR_CACHE_H

#include "nbr/nbr.h"

#define NBR_ALL 255 /* seg_msg.to: all other data cores */
/* Messages, and requests, that a list holds. A call below adds at most NBR_OUT_CALL of each, except for nbr_cache_tick(),
 * nbr_cache_resync() and a FLUSH that comes in, which end when it is full. */
#define NBR_OUT 64
#define NBR_OUT_CALL 8
#define NBR_HINTS 3                 /* hints a message */
#define NBR_FAILED_NS 1000000000ull /* how long FAILED keeps a core from asking again (RFC 1122 2.3.2.1: one a second) */
#define NBR_SWEEP_NS 5000000000ull  /* READY is cleared, and use told, once in this time */

/* seg_msg.word[2] of SEG_MSG_NBR_FLUSH */
#define NBR_FLUSH_PERMANENT 1u  /* those that the operator gave, too */
#define NBR_FLUSH_STATE_SHIFT 4 /* bits 4..6: only of this enum seg_nbr_state; 0: any */

/* What was heard of a neighbour, low 16 bits of SEG_MSG_NBR_HEARD's word[2]. */
enum nbr_heard {
	NBR_HEARD_SENDER = 1,    /* it sent something with its link-layer address: an ARP request, an NS, RS or RA */
	NBR_HEARD_ANSWER = 2,    /* an ARP reply, or a solicited NA (RFC 4861 7.2.5, S) */
	NBR_HEARD_ANNOUNCED = 4, /* a gratuitous ARP, or an unsolicited NA */
	NBR_HEARD_OVERRIDE = 8,  /* NA with O; ARP says it always */
	NBR_HEARD_ROUTER = 16,   /* NA with R, or an RA; and */
	NBR_HEARD_HOST = 32,     /* NA without R */
	NBR_HEARD_NO_MAC = 64,   /* an NA without its link-layer address option */
};

/* Times of RFC 4861 10 and limits of RFC 6583; the control core's, read by all, changed while they run. */
struct nbr_params {
	uint64_t reachable_ns;  /* confirmed less than this ago: REACHABLE. 30 s (not randomized: one core alone times it) */
	uint64_t retrans_ns;    /* between solicitations; 1 s */
	uint64_t delay_ns;      /* DELAY_FIRST_PROBE_TIME; 5 s */
	uint64_t stale_ns;      /* unused for so long: deleted; 1200 s */
	uint32_t solicitations; /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT; 3 */
	uint32_t incomplete;    /* unresolved neighbours an interface and core may have; 512 */
	uint32_t solicit_pps;   /* first solicitations a second an interface and core may send; 1000 */
};

enum nbr_request_kind {
	NBR_SOLICIT = 1, /* ask the wire for key: multicast or broadcast when mac is 0, else unicast to mac */
	NBR_RESOLVED,    /* what waits for slot may go, in order */
	NBR_UNRESOLVED,  /* what waits for slot is given up: host unreachable */
};

struct nbr_request {
	enum nbr_request_kind kind;
	uint32_t slot;
	struct nbr_key key;
	uint64_t mac;
};

struct nbr_out {
	unsigned nmsg, nrequest;
	struct seg_msg msg[NBR_OUT]; /* seq is the caller's to fill in */
	struct nbr_request request[NBR_OUT];
};

/* What the packet path and other processes need not see, a slot each. */
struct nbr_private {
	uint64_t due_ns;     /* 0: no timer */
	uint32_t next, prev; /* in a list of the timer wheel */
	uint8_t sent;        /* solicitations, or asks */
	uint8_t owner;       /* the core that was its owner when this core last looked */
	uint8_t given;       /* the deletion whose version the slot holds was of an operator's entry */
	uint8_t pad;
	uint32_t cause; /* of the resolution that goes on */
};

#define NBR_WHEEL 1024          /* lists */
#define NBR_WHEEL_NS 8388608ull /* a list's part of the time: 2^23 ns */

struct nbr_cache {
	struct nbr table;
	const struct seg_control *control;
	const struct nbr_params *params;
	unsigned family; /* enum seg_family */
	uint8_t self, ncores;
	uint64_t limit; /* entries in the table */
	/* private */
	struct nbr_private *private; /* [slots] */
	uint32_t wheel[NBR_WHEEL];
	uint64_t wheel_ns; /* all lists before it are done */
	uint64_t clock;    /* Lamport */
	uint32_t causes;
	uint32_t owner_epoch;
	uint32_t adopt_slot; /* cursor of the pass after a change of owners; the number of slots: done */
	uint32_t sweep_slot, sweep_cause;
	uint64_t sweep_from_ns;
	uint32_t clean_slot;
	uint64_t clean_grace;
	uint64_t tick_ns;
	uint64_t woke_ns;   /* end of the last standstill; 0: none */
	uint32_t room_slot; /* cursor of the search for an entry that may go */
	uint32_t incomplete[SEG_MAX_IFACES];
	struct nbr_bucket { /* solicitations */
		int64_t tokens;
		uint64_t filled_ns;
	} solicit[SEG_MAX_IFACES];
	bool missing; /* announcements found no room; the newest deletion among them: */
	uint64_t missed_stamp;
	uint64_t missed_grace; /* the grace period of the last one */
	uint64_t ask_again_ns, ask_wait_ns;
	unsigned owing; /* receivers that are owed something */
	struct nbr_debt {
		bool owed;  /* a resynchronisation, or ask */
		bool again; /* from the start, once more */
		bool ask;   /* the request to resynchronise this core */
		uint32_t slot;
		uint64_t stamp, again_stamp; /* what is older has not been lost */
	} debt[SEG_MAX_NODES];
	struct seg_msg used[SEG_MAX_NODES]; /* use hints being gathered, by owner */
};

/* memory and private: zeroed, `slots` of each. params and control outlive the cache. */
void
nbr_cache_init(struct nbr_cache *c, unsigned family, struct seg_nbr *memory, struct nbr_private *private, uint32_t slots,
	uint64_t seed, uint64_t limit, const struct seg_control *control, struct seg_nbr_count *count,
	const struct nbr_params *params, uint8_t self, uint8_t ncores, uint64_t now);

/* The owner core of an address, as the words are now. */
static inline unsigned
nbr_owner(const struct nbr_cache *c, const struct nbr_key *key)
{
	return c->family == SEG_IPV4 ? seg_get(&c->control->master)
				     : seg_get(&c->control->owner[nbr_owner_bucket(nbr_hash(key, c->table.seed))]);
}

enum nbr_need {
	NBR_GO,      /* send it to SEG_NBR_MAC of the slot's value */
	NBR_WAIT,    /* hold it: NBR_RESOLVED or NBR_UNRESOLVED of the slot will come */
	NBR_DEAD,    /* nobody answered a moment ago */
	NBR_REFUSED, /* too many are unresolved, or no room */
};

/*
 * A packet is to go to key. Where the slot that nbr_find() gave is SEG_NBR_READY there is no need to call this. *slot is set
 * for NBR_GO and NBR_WAIT. Marks the use; begins or goes on with a resolution.
 */
enum nbr_need
nbr_cache_need(struct nbr_cache *c, const struct nbr_key *key, uint64_t now, uint32_t *slot, struct nbr_out *out);

/*
 * Something was heard from the wire about key (heard: enum nbr_heard; mac: 0 with NBR_HEARD_NO_MAC). The owner applies it; any
 * other core tells its owner, unless it holds just that already. `create`: an entry may be made where there is none (RFC 4861
 * 7.2.3; not for an NA, 7.2.5).
 */
void
nbr_cache_heard(struct nbr_cache *c, const struct nbr_key *key, uint64_t mac, unsigned heard, bool create, uint64_t now,
	struct nbr_out *out);

/* A message arrived, SEG_MSG_NBR_* of this family. To be taken from the ring only after this returned. */
void
nbr_cache_receive(struct nbr_cache *c, const struct seg_msg *msg, uint64_t now, struct nbr_out *out);

static inline unsigned
nbr_msg_family(const struct seg_msg *msg)
{
	return (unsigned)(msg->word[3] >> 32) % SEG_FAMILIES;
}

/* The ring to a core was full, and an ADD or DEL with that stamp did not get in. */
void
nbr_cache_ring_full(struct nbr_cache *c, uint8_t to, uint64_t stamp);

/* Likewise an ASK of this core's: it is asked again soon, as long as an answer might be expected. */
void
nbr_cache_unasked(struct nbr_cache *c, const struct seg_msg *ask, uint64_t now);

/*
 * Time passes: timers, sweeps, a change of owners, clean-up; in small portions. To be called about every millisecond with work or
 * without; a core that blocks calls it at nbr_cache_next() at the latest.
 */
void
nbr_cache_tick(struct nbr_cache *c, uint64_t now, struct nbr_out *out);

uint64_t
nbr_cache_next(const struct nbr_cache *c, uint64_t now);

/* Pays of what is owed to a receiver: at most `room` (<= NBR_OUT) messages into out, which must be empty. */
void
nbr_cache_resync(struct nbr_cache *c, uint8_t to, unsigned room, uint64_t now, struct nbr_out *out);

static inline bool
nbr_out_full(const struct nbr_out *out)
{
	return out->nmsg + NBR_OUT_CALL > NBR_OUT || out->nrequest + NBR_OUT_CALL > NBR_OUT;
}

#endif
