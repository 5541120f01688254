/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "owns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fib.h"
#include "filters.h"
#include "nbr/cache.h"
#include "nbr/own.h"
#include "net/ip6.h"

#define SEND_MS 20          /* how long a full ring of the master core is waited for */
#define SENDS_PER_TICK 64   /* announcements; the others follow with the next ticks */
#define NOTICES_PER_RING 64 /* taken at a time */
#define TO_ALL 255

struct owned {
	char name[SEG_NAME_SIZE]; /* "": none */
	uint64_t mac;
	uint16_t fid;
	bool enabled, up;
	bool seen; /* `up` is known */
	struct ra_conf ra_conf;
	struct ra ra;
	uint64_t router; /* MAC of another router that was told of */
	unsigned naddresses;
	struct seg_address address[SEG_IFACE_ADDRESSES];
	struct own own[SEG_IFACE_ADDRESSES];
};

struct owns {
	bool routes;    /* the routes to our addresses must follow */
	unsigned sends; /* of this tick */
	struct owned iface[SEG_MAX_IFACES];
};

/* ---- doing what a machine wants --------------------------------------------------------------------------------- */

static void
owns_send(struct control *control, uint16_t n, enum own_frame frame, unsigned family, const uint64_t address[static 2])
{
	struct engine *engine = control->engine;
	struct seg_msg msg = {
		.kind = SEG_MSG_NBR_ANNOUNCE, .n = 4, .word = {address[0], address[1], frame, (uint64_t)family << 32 | n}};
	uint8_t master = seg_get(&seg_control(&engine->seg)->master);

	control->owns->sends++;
	if (engine->core[master] && !engine_send(engine, master, &msg, SEND_MS)) {
		/* A core that takes nothing for so long would send nothing either; others are not to wait for it. */
		control->owns->sends = SENDS_PER_TICK;
	}
}

static void
owns_put_state(struct control *control, uint16_t n, unsigned which)
{
	const struct owned *o = &control->owns->iface[n];
	uint8_t state = o->enabled && which < o->naddresses ? o->own[which].state : SEG_ADDRESS_NONE;
	seg_put(&seg_control(&control->engine->seg)->address_state[n][which], state);
}

static void
owns_tell(struct control *control, const struct owned *o, unsigned which, uint64_t mac)
{
	char address[IP_TEXT_SIZE], who[MAC_TEXT_SIZE] = "another station";
	struct ip ip;

	nbr_ip(o->address[which].family, o->address[which].address, &ip);
	ip_format(&ip, address);
	if (mac) {
		mac_format(mac, who);
	}
	if (o->own[which].state == SEG_ADDRESS_DUPLICATE) {
		engine_event(
			control->engine, LOG_LEVEL_ERROR, "interface %s: %s is in use by %s: not used", o->name, address, who);
	} else {
		engine_event(control->engine, LOG_LEVEL_WARNING, "interface %s: %s is also claimed by %s%s: announced again",
			o->name, address, who, ip.family == 4 ? " (RFC 5227)" : "");
	}
}

/* A rival's address is free again. */
static void
owns_tell_free(struct control *control, const struct owned *o, unsigned which)
{
	char address[IP_TEXT_SIZE];
	struct ip ip;

	nbr_ip(o->address[which].family, o->address[which].address, &ip);
	engine_event(control->engine, LOG_LEVEL_NOTICE, "interface %s: %s is nobody else's any more: used", o->name,
		ip_format(&ip, address));
}

/* mac: whose frame it was that brought it about, 0: unknown, or time. */
static void
owns_act(struct control *control, uint16_t n, unsigned which, const struct own_out *out, uint64_t mac)
{
	const struct owned *o = &control->owns->iface[n];
	const struct own *own = &o->own[which];

	if (out->changed) {
		owns_put_state(control, n, which);
		control->owns->routes = true;
	}
	if (out->event) {
		owns_tell(control, o, which, mac);
	} else if (out->changed && own->state == SEG_ADDRESS_PREFERRED && own->conflicts) {
		owns_tell_free(control, o, which);
	}
	if (out->send) {
		owns_send(control, n, out->frame, own->family, o->address[which].address);
	}
}

static void
owns_routes(struct control *control)
{
	struct err err = {0};

	if (!control->owns->routes) {
		return;
	}
	control->owns->routes = false;
	if (fib_config(control->engine, &err) != ERR_NONE) {
		engine_event(control->engine, LOG_LEVEL_ERROR, "%s", err.message);
	}
}

/* Neighbours of an interface are forgotten on all cores. */
static void
owns_forget(struct control *control, uint16_t n, bool permanent)
{
	for (unsigned f = 0; f < SEG_FAMILIES; f++) {
		struct seg_msg msg = {.kind = SEG_MSG_NBR_FLUSH,
			.n = 4,
			.word = {0, 0, permanent ? NBR_FLUSH_PERMANENT : 0, (uint64_t)f << 32 | n}};
		(void)engine_send(control->engine, TO_ALL, &msg, CONTROL_FOLLOW_MS);
	}
}

/* ---- up and down ------------------------------------------------------------------------------------------------ */

/* Can a frame leave through it? */
static bool
owns_has_link(const struct engine *engine, const struct iface *iface)
{
	const struct view *view = engine->view;
	const struct plan_fid *fid = &view->plan->fid[iface->fid];

	if (!iface->enabled || !engine->core[1]) {
		return false;
	}
	if (iface->port) {
		return view->lane[iface->port] && seg_get(&view->lane[iface->port]->up);
	}
	for (unsigned i = 0; i < fid->nmembers; i++) {
		const struct lane *lane = view->lane[fid->member[i]];
		if (lane && seg_get(&lane->up)) {
			return true;
		}
	}
	return false;
}

static void
owns_put_up(const struct engine *engine, uint16_t n, bool up)
{
	uint32_t *flags = &seg_control(&engine->seg)->iface[n].flags;
	seg_put(flags, up ? *flags | SEG_IFACE_UP : *flags & ~SEG_IFACE_UP);
}

/* At once: a link that is back before the next tick was away all the same. What its return asks for is said by the ticks. */
static void
owns_go_down(struct owned *o)
{
	struct own_out nothing;

	for (unsigned i = 0; i < o->naddresses; i++) {
		own_link(&o->own[i], false, engine_now_ns(), &nothing);
	}
}

void
owns_links(struct control *control)
{
	struct engine *engine = control->engine;

	for (uint16_t n = 1; n < SEG_MAX_IFACES; n++) {
		struct owned *o = &control->owns->iface[n];
		if (!o->name[0]) {
			continue;
		}
		bool up = owns_has_link(engine, engine->view->plan->iface[n]);
		if (up == o->up && o->seen) {
			continue;
		}
		bool news = o->seen || !up;
		o->up = up;
		o->seen = true;
		owns_put_up(engine, n, up);
		if (!up) {
			owns_go_down(o);
		}
		if (!news) {
			continue;
		}
		engine_event(engine, up ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, "interface %s: %s", o->name, up ? "up" : "down");
		if (!up && o->enabled) {
			owns_forget(control, n, false); /* who is there when it comes back, nobody knows */
		}
	}
}

/* ---- from one plan to the next ---------------------------------------------------------------------------------- */

static bool
owns_same_address(const struct seg_address *a, const struct seg_address *b)
{
	return a->family == b->family && a->address[0] == b->address[0] && a->address[1] == b->address[1];
}

/* Index of an address that an interface has now, or -1. */
static int
owns_find(const struct owned *o, const struct seg_address *address)
{
	for (unsigned i = 0; i < o->naddresses; i++) {
		if (owns_same_address(&o->address[i], address)) {
			return (int)i;
		}
	}
	return -1;
}

static bool
owns_stays(const struct owned *o, const struct iface *next)
{
	return next && strcmp(o->name, next->name) == 0 && o->mac == next->mac && o->fid == next->fid;
}

static bool
owns_advertises(const struct owned *o)
{
	return o->name[0] && o->up && o->ra_conf.enabled;
}

void
owns_before(struct control *control, const struct plan *next)
{
	struct seg_control *words = seg_control(&control->engine->seg);
	bool sent = false;

	for (uint16_t n = 1; n < SEG_MAX_IFACES; n++) {
		const struct owned *o = &control->owns->iface[n];
		const struct iface *iface = next->iface[n];
		if (owns_advertises(o) && !(owns_stays(o, iface) && iface->enabled && iface->ra.enabled)) {
			owns_send(control, n, OWN_RA_LAST, SEG_IPV6, (const uint64_t[2]){0, 0});
			sent = true;
		}
		for (unsigned i = 0; iface && iface->enabled && i < iface->naddresses; i++) {
			int had = owns_find(o, &iface->address[i]);
			bool usable = had < 0 ? iface->address[i].family == SEG_IPV4 : o->own[had].state == SEG_ADDRESS_PREFERRED;
			if (usable) {
				seg_put(&words->address_state[n][i], SEG_ADDRESS_PREFERRED);
			}
		}
	}
	if (sent) {
		(void)engine_settle(control->engine, CONTROL_FOLLOW_MS);
	}
}

/* The addresses of the next plan: those that stay go on where they are, unless all begin afresh. */
static void
owns_take_addresses(struct control *control, uint16_t n, const struct iface *next, bool afresh)
{
	struct owned *o = &control->owns->iface[n];
	const struct owned old = *o;
	struct own_out out[SEG_IFACE_ADDRESSES] = {0};
	uint64_t now_ns = engine_now_ns();

	o->naddresses = next->naddresses;
	memcpy(o->address, next->address, sizeof(o->address));
	for (unsigned i = 0; i < o->naddresses; i++) {
		int had = owns_find(&old, &o->address[i]);
		if (had >= 0 && !afresh) {
			o->own[i] = old.own[had];
		} else {
			own_start(&o->own[i], o->address[i].family, false, now_ns, &out[i]); /* the next tick gives it the link */
		}
	}
	for (unsigned i = 0; i < SEG_IFACE_ADDRESSES; i++) {
		owns_put_state(control, n, i);
	}
}

static bool
owns_same_ra(const struct ra_conf *a, const struct ra_conf *b)
{
	return a->enabled == b->enabled && a->interval_s == b->interval_s && a->lifetime_s == b->lifetime_s &&
	       a->managed == b->managed && a->other == b->other && a->valid_s == b->valid_s && a->preferred_s == b->preferred_s &&
	       a->autonomous == b->autonomous;
}

static void
owns_take_iface(struct control *control, uint16_t n, const struct iface *next)
{
	struct owned *o = &control->owns->iface[n];
	bool stays = owns_stays(o, next);

	if (o->name[0] && !stays) {
		owns_forget(control, n, true);
		*o = (struct owned){0};
	}
	if (!next) {
		for (unsigned i = 0; i < SEG_IFACE_ADDRESSES; i++) {
			owns_put_state(control, n, i);
		}
		return;
	}
	if (o->enabled && !next->enabled) {
		owns_forget(control, n, false);
	}
	bool afresh = o->enabled != next->enabled;
	bool same_ra = stays && !afresh && owns_same_ra(&o->ra_conf, &next->ra) && o->naddresses == next->naddresses &&
		       memcmp(o->address, next->address, sizeof(o->address)) == 0;
	memcpy(o->name, next->name, sizeof(o->name));
	o->mac = next->mac;
	o->fid = next->fid;
	o->enabled = next->enabled;
	o->ra_conf = next->ra;
	owns_take_addresses(control, n, next, afresh);
	if (!same_ra) {
		uint64_t now_ns = engine_now_ns();
		ra_start(&o->ra, &o->ra_conf, (uint32_t)(now_ns ^ now_ns >> 32) * 2654435761u + n, now_ns);
	}
}

void
owns_apply(struct control *control)
{
	const struct engine *engine = control->engine;

	for (uint16_t n = 1; n < SEG_MAX_IFACES; n++) {
		struct owned *o = &control->owns->iface[n];
		owns_take_iface(control, n, engine->view->plan->iface[n]);
		if (o->name[0]) {
			owns_put_up(engine, n, o->up); /* the tables were written anew */
		}
	}
	control->owns->routes = true;
	if (engine->core[1]) {
		owns_links(control);
	}
	owns_routes(control);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

/* RFC 4861 6.1.2: an advertisement comes from a link-local address. */
static bool
owns_may_advertise(const struct owned *o)
{
	for (unsigned i = 0; i < o->naddresses; i++) {
		if (o->address[i].family == SEG_IPV6 && ip6_is_link_local(o->address[i].address) &&
			o->own[i].state == SEG_ADDRESS_PREFERRED) {
			return owns_advertises(o);
		}
	}
	return false;
}

static void
owns_tick_iface(struct control *control, uint16_t n, uint64_t now_ns)
{
	struct owned *o = &control->owns->iface[n];
	struct own_out out;

	for (unsigned i = 0; i < o->naddresses && control->owns->sends < SENDS_PER_TICK; i++) {
		if (o->own[i].link != o->up) {
			own_link(&o->own[i], o->up, now_ns, &out);
		} else {
			own_tick(&o->own[i], now_ns, &out);
		}
		owns_act(control, n, i, &out, 0);
	}
	if (owns_may_advertise(o) && ra_tick(&o->ra, &o->ra_conf, now_ns)) {
		owns_send(control, n, OWN_RA, SEG_IPV6, (const uint64_t[2]){0, 0});
	}
}

void
owns_tick(struct control *control, uint64_t now_ns)
{
	owns_links(control);
	control->owns->sends = 0;
	for (uint16_t n = 1; n < SEG_MAX_IFACES; n++) {
		if (control->owns->iface[n].name[0]) {
			owns_tick_iface(control, n, now_ns);
		}
	}
	owns_notices(control);
	owns_routes(control);
}

void
owns_stop(struct control *control)
{
	bool sent = false;

	if (!control->owns || !control->engine->view) {
		return;
	}
	for (uint16_t n = 1; n < SEG_MAX_IFACES; n++) {
		if (owns_may_advertise(&control->owns->iface[n])) {
			owns_send(control, n, OWN_RA_LAST, SEG_IPV6, (const uint64_t[2]){0, 0});
			sent = true;
		}
	}
	if (sent) {
		(void)engine_settle(control->engine, SEND_MS);
		(void)engine_round(control->engine, SEND_MS); /* it leaves at the end of a loop */
	}
}

unsigned
owns_announce(struct control *control, uint16_t iface, unsigned family, const uint64_t *address, bool dry_run)
{
	unsigned said = 0;

	for (uint16_t n = 1; n < SEG_MAX_IFACES; n++) {
		const struct owned *o = &control->owns->iface[n];
		for (unsigned i = 0; (!iface || iface == n) && o->up && i < o->naddresses; i++) {
			const struct seg_address *a = &o->address[i];
			if (a->family == family && o->own[i].state == SEG_ADDRESS_PREFERRED &&
				(!address || (a->address[0] == address[0] && a->address[1] == address[1]))) {
				if (!dry_run) {
					owns_send(control, n, OWN_ANNOUNCE, family, a->address);
				}
				said++;
			}
		}
	}
	return said;
}

/* ---- what was heard --------------------------------------------------------------------------------------------- */

static void
owns_router(struct control *control, struct owned *o, const struct seg_msg *msg)
{
	char address[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	struct ip ip;

	if (msg->word[2] >> 16 == 0 || msg->word[2] >> 16 == o->router) {
		return;
	}
	o->router = msg->word[2] >> 16;
	nbr_ip(SEG_IPV6, msg->word, &ip);
	engine_event(control->engine, LOG_LEVEL_INFO, "interface %s: %s at %s advertises itself as a router", o->name,
		ip_format(&ip, address), mac_format(o->router, mac));
}

static void
owns_conflict(struct control *control, uint16_t n, const struct seg_msg *msg, bool testing, uint64_t now_ns)
{
	struct owned *o = &control->owns->iface[n];
	const struct seg_address address = {.family = (uint8_t)nbr_msg_family(msg), .address = {msg->word[0], msg->word[1]}};
	int which = owns_find(o, &address);
	struct own_out out;

	if (which >= 0) {
		own_conflict(&o->own[which], testing, now_ns, &out);
		owns_act(control, n, (unsigned)which, &out, msg->word[2] >> 16);
	}
}

static void
owns_notice(struct control *control, const struct seg_msg *msg, uint64_t now_ns)
{
	uint16_t n = (uint16_t)((uint32_t)msg->word[3] % SEG_MAX_IFACES);
	struct owned *o = &control->owns->iface[n];
	enum own_notice notice = (enum own_notice)(msg->word[2] & 0xffff);

	if (msg->kind != SEG_MSG_NBR_NOTICE || !o->name[0]) {
		return;
	}
	switch (notice) {
	case OWN_CONFLICT:
	case OWN_DAD_RIVAL:
		owns_conflict(control, n, msg, notice == OWN_DAD_RIVAL, now_ns);
		break;
	case OWN_RS:
		ra_solicited(&o->ra, now_ns);
		break;
	case OWN_RA_HEARD:
		owns_router(control, o, msg);
		break;
	}
}

void
owns_notices(struct control *control)
{
	struct engine *engine = control->engine;
	struct seg_core *mine = seg_core(&engine->seg, 0);
	uint64_t now_ns = engine_now_ns(), calls;
	ssize_t got = read(engine->call_fd, &calls, sizeof(calls));
	(void)got; /* the rings say whether there is something */

	for (unsigned from = 1; from <= engine->ncores; from++) {
		const struct seg_msg *msg;
		for (unsigned i = 0; i < NOTICES_PER_RING && (msg = ring_peek(&engine->from[from])); i++) {
			if (msg->kind == SEG_MSG_FDB_ADD || msg->kind == SEG_MSG_FDB_DEL) {
				filters_heard(control, msg);
			} else {
				owns_notice(control, msg, now_ns);
			}
			ring_pop(&engine->from[from]);
			seg_add(&mine->messages_received, 1);
		}
	}
	owns_routes(control);
}

/* ---- beginning and end ------------------------------------------------------------------------------------------ */

enum err_code
owns_open(struct control *control, struct err *err)
{
	struct engine *engine = control->engine;

	control->owns = calloc(1, sizeof(*control->owns));
	engine->call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!control->owns || engine->call_fd < 0) {
		engine->call_fd = 0;
		return err_set(err, ERR_FAILED, "control core: no memory or no descriptor");
	}
	for (unsigned from = 1; from <= engine->ncores; from++) {
		engine->from[from] = ring_receiver(seg_ring(&engine->seg, from, 0), engine->seg.head.ring_slots);
	}
	return ERR_NONE;
}

void
owns_close(struct control *control)
{
	free(control->owns);
	control->owns = NULL;
	if (control->engine->call_fd > 0) {
		close(control->engine->call_fd);
	}
	control->engine->call_fd = 0;
}
