/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nbr/own.h"

#include <string.h>

static void
own_become(struct own *own, enum seg_address_state state, struct own_out *out)
{
	out->changed |= own->state != state;
	own->state = (uint8_t)state;
}

static void
own_send(enum own_frame frame, struct own_out *out)
{
	out->send = true;
	out->frame = frame;
}

static void
own_announce(struct own *own, uint64_t now, struct own_out *out)
{
	own_send(OWN_ANNOUNCE, out);
	own->announced++;
	own->due_ns = own->announced < OWN_ANNOUNCE_NUM ? now + OWN_ANNOUNCE_NS : 0;
}

static void
own_prefer(struct own *own, uint64_t now, struct own_out *out)
{
	own_become(own, SEG_ADDRESS_PREFERRED, out);
	own->announced = 0;
	own->due_ns = 0;
	if (own->link) {
		own_announce(own, now, out);
	}
}

static void
own_test(struct own *own, uint64_t now, struct own_out *out)
{
	own_become(own, SEG_ADDRESS_TENTATIVE, out);
	own->due_ns = 0;
	if (own->link) {
		own_send(OWN_DAD, out);
		own->due_ns = now + OWN_DAD_NS;
	}
}

void
own_start(struct own *own, uint8_t family, bool link, uint64_t now, struct own_out *out)
{
	memset(out, 0, sizeof(*out));
	*own = (struct own){.family = family, .link = link};
	if (family == SEG_IPV4) {
		own_prefer(own, now, out);
	} else {
		own_test(own, now, out);
	}
}

void
own_link(struct own *own, bool link, uint64_t now, struct own_out *out)
{
	memset(out, 0, sizeof(*out));
	if (own->link == link) {
		return;
	}
	own->link = link;
	if (!link) {
		own->due_ns = 0;
	} else if (own->state == SEG_ADDRESS_PREFERRED) {
		own_prefer(own, now, out);
	} else {
		own_test(own, now, out);
	}
}

/* RFC 5227 2.4 c: a router's address stays, and is defended once in the interval lest two stations shout at each other. */
static void
own_defend(struct own *own, uint64_t now, struct own_out *out)
{
	if (own->defended_ns && now - own->defended_ns < OWN_DEFEND_NS) {
		return;
	}
	own->defended_ns = now;
	out->event = true;
	own_send(OWN_ANNOUNCE, out);
}

void
own_conflict(struct own *own, bool testing, uint64_t now, struct own_out *out)
{
	memset(out, 0, sizeof(*out));
	if (own->state == SEG_ADDRESS_PREFERRED && testing) {
		return; /* our advertisement tells it */
	}
	own->conflicts++;
	if (own->state == SEG_ADDRESS_PREFERRED) {
		own_defend(own, now, out);
		return;
	}
	out->event = own->state == SEG_ADDRESS_TENTATIVE;
	own_become(own, SEG_ADDRESS_DUPLICATE, out);
	own->due_ns = own->link ? now + OWN_RETRY_NS : 0;
}

void
own_tick(struct own *own, uint64_t now, struct own_out *out)
{
	memset(out, 0, sizeof(*out));
	if (!own->due_ns || now < own->due_ns) {
		return;
	}
	switch (own->state) {
	case SEG_ADDRESS_TENTATIVE:
		own_prefer(own, now, out);
		break;
	case SEG_ADDRESS_DUPLICATE:
		own_test(own, now, out);
		break;
	default:
		own_announce(own, now, out);
		break;
	}
}
