/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of one address of ours: duplicate address detection (RFC 4862 5.4, IPv6), announcing (RFC 5227 2.3, RFC 4861 7.2.6),
 * conflicts and defence (RFC 5227 2.4). The control core runs it; frames are sent by the core that it asks
 * (SEG_MSG_NBR_ANNOUNCE). Pure.
 */
#ifndef PEKIT_NBR_OWN_H
#define PEKIT_NBR_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

/* Low 16 bits of SEG_MSG_NBR_ANNOUNCE's word[2]: what to send for word[0], word[1]. */
enum own_frame {
	OWN_ANNOUNCE = 1, /* gratuitous ARP, unsolicited NA */
	OWN_DAD = 2,      /* NS for duplicate address detection */
	OWN_RA = 3,       /* a router advertisement; word[0], word[1]: the destination, 0: all nodes */
	OWN_RA_LAST = 4,  /* one that says that we are no router any more (RFC 4861 6.2.5) */
};

/* Low 16 bits of SEG_MSG_NBR_NOTICE's word[2]; MAC above: who it was. */
enum own_notice {
	OWN_CONFLICT = 1,  /* word[0], word[1]: our address that somebody else speaks for */
	OWN_DAD_RIVAL = 2, /* somebody else tests the same tentative address */
	OWN_RS = 3,        /* a router solicitation from word[0], word[1] */
	OWN_RA_HEARD = 4,  /* another router's advertisement */
};

#define OWN_DAD_NS 1000000000ull      /* RetransTimer; one transmission (DupAddrDetectTransmits) */
#define OWN_ANNOUNCE_NS 2000000000ull /* ANNOUNCE_INTERVAL */
#define OWN_ANNOUNCE_NUM 2            /* ANNOUNCE_NUM */
#define OWN_DEFEND_NS 10000000000ull  /* DEFEND_INTERVAL */
#define OWN_RETRY_NS 60000000000ull   /* a duplicate is tested again after this: its rival may have gone */

struct own {
	uint8_t family;
	uint8_t state;     /* enum seg_address_state */
	uint8_t announced; /* of OWN_ANNOUNCE_NUM */
	bool link;         /* frames can leave */
	uint64_t due_ns;   /* 0: nothing to do */
	uint64_t defended_ns;
	uint64_t conflicts;
};

struct own_out {
	bool changed; /* own->state is another one */
	bool send;    /* a frame: */
	enum own_frame frame;
	bool event; /* worth telling: "duplicate" or "conflict" by state */
};

/* A new address; it becomes usable at once (IPv4: RFC 5227 announces, `pe` does not wait) or after DAD. link: see own_link(). */
void
own_start(struct own *own, uint8_t family, bool link, uint64_t now, struct own_out *out);

/* Link came or went: everything is said again (RFC 5227 2.1), a duplicate is tested again. */
void
own_link(struct own *own, bool link, uint64_t now, struct own_out *out);

/* A frame from somebody else speaks for it. `testing`: a DAD solicitation. */
void
own_conflict(struct own *own, bool testing, uint64_t now, struct own_out *out);

void
own_tick(struct own *own, uint64_t now, struct own_out *out);

/* 0: never. */
static inline uint64_t
own_next(const struct own *own)
{
	return own->due_ns;
}

#endif
