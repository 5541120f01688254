/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neighbours in the world: each core runs lib/nbr's caches of both families, and there is a network with hosts that answer what
 * is solicited, or do not, or twice, or late.
 *
 * ARP comes to the master core and ND to the owner of the address, by the words as they are when the frame arrives; some frames
 * go astray. A core finds its frames in its next loop, when it does one.
 *
 * At any time: only the owner of an address solicits it, all states but REACHABLE, PERMANENT, INCOMPLETE and FAILED are its
 * owner's alone, who waits is told once, who answers is found. What breaks that stops the world (world_break()).
 */
#ifndef PEKIT_SIM_LAN_H
#define PEKIT_SIM_LAN_H

#include "nbr/arp.h"
#include "nbr/nd.h"
#include "world.h"

#define LAN_FRAMES 512 /* that wait for a core; the rest is lost */
#define LAN_EVENTS 16384
#define LAN_IFACES 3 /* host n is at interface 1 + n % LAN_IFACES */

enum host_kind {
	HOST_ANSWERS,
	HOST_TWICE, /* each frame of it comes twice */
	HOST_LATE,  /* long after the next solicitation */
	HOST_SILENT,
};

struct host {
	enum host_kind kind;
	uint64_t mac;
	uint64_t solicited;  /* solicitations for it on the wire */
	uint64_t excused_ns; /* until when it may be not found although it answers, or found although it does not */
};

/* Something for a core to look at. */
struct lan_frame {
	enum lan_what {
		LAN_NEED,     /* a packet is to go to the host */
		LAN_ANSWER,   /* the host answers a solicitation: ARP reply, solicited NA */
		LAN_ASKS,     /* it asks for us: ARP request, NS */
		LAN_ANNOUNCES /* gratuitous ARP, unsolicited NA with Override */
	} what;
	unsigned family;
	uint32_t host;
	uint64_t mac;
};

struct lan_event {
	uint64_t at_ns;
	struct lan_frame frame;
};

struct lan {
	struct iface iface[1 + LAN_IFACES];
	uint8_t state[SEG_IFACE_ADDRESSES];
	struct host *host[SEG_FAMILIES];
	struct lan_event *event; /* a heap, the next one first */
	unsigned nevents;
	uint64_t solicited[SEG_FAMILIES]; /* on the wire */
	uint64_t needs, waits, resolved, unresolved, refused, dead;
	bool lenient;        /* there is too little room to find all who answer */
	uint64_t fault_ns;   /* waits count from then on */
	uint64_t slowest_ns; /* the longest that a packet waited, at a core that never stood still meanwhile */
	uint64_t lost_frames;
};

/* What waits for a slot. */
struct nbr_wait {
	uint64_t since_ns; /* 0: nothing */
	uint32_t host;
};

struct nbr_core {
	struct nbr_cache cache[SEG_FAMILIES];
	struct nbr_private *private[SEG_FAMILIES];
	struct nbr_wait *wait[SEG_FAMILIES]; /* [slots] */
	struct nbr_out out;
	unsigned waiting;
	unsigned nframes;
	struct lan_frame frame[LAN_FRAMES];
};

void
lan_init(struct world *w);

/* When the next frame arrives, and its arrival. */
uint64_t
lan_next(const struct world *w);
void
lan_deliver(struct world *w);

struct nbr_key
lan_key(unsigned family, uint32_t host);

unsigned
lan_owner(const struct world *w, unsigned family, uint32_t host);

/* A packet for a host comes to a core; it sees it in its next loop. */
void
lan_need(struct world *w, unsigned core, unsigned family, uint32_t host);

/* The host sends a frame. */
void
lan_say(struct world *w, enum lan_what what, unsigned family, uint32_t host);

/* The control core asks the owner of a host's address: SET or UNSET; value as in the message. */
void
lan_request(struct world *w, enum seg_msg_kind kind, unsigned family, uint32_t host, uint64_t value);

/* A core's line of a host, NULL: none, or without an address. */
const struct seg_nbr *
lan_line(const struct world *w, unsigned core, unsigned family, uint32_t host);

/* Is the host resolved to its MAC on all cores; or on none? */
bool
lan_everywhere(struct world *w, unsigned family, uint32_t host);
bool
lan_nowhere(struct world *w, unsigned family, uint32_t host);

/* ---- a core's part; world.c calls it ---- */

void
nbr_core_init(struct world *w, struct core *core, uint64_t seed);
void
nbr_core_frames(struct world *w, struct core *core);
void
nbr_core_receive(struct world *w, struct core *core, const struct seg_msg *msg);
void
nbr_core_tick(struct world *w, struct core *core);
void
nbr_core_resync(struct world *w, struct core *core, uint8_t to);

/* Nothing under way, nobody waits, no tombstone. */
bool
nbr_core_quiet(struct world *w, const struct core *core);

/* Does the core agree with core 1, and with itself? */
bool
nbr_core_agree(struct world *w, unsigned number);

#endif
