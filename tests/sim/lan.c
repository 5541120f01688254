/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lan.h"

#include <string.h>

#define OUR_MAC 0x020000000001ull
#define HOST_MAC 0x020100000000ull
#define NET4 0x0a000000u           /* 10.0.0.0/8 */
#define NET6 0x20010db800000000ull /* 2001:db8::/64 */
#define LINK6 0xfe80000000000000ull

struct nbr_key
lan_key(unsigned family, uint32_t host)
{
	uint32_t iface = 1 + host % LAN_IFACES;
	return family == SEG_IPV4 ? nbr_key4(NET4 + 0x10000 + host, iface) : nbr_key6(NET6, 0x10000 + host, iface);
}

void
lan_init(struct world *w)
{
	static const struct seg_address ours[] = {
		{{0, NET4 + 1}, SEG_IPV4, 8, 0, 1, 0},
		{{LINK6, 1}, SEG_IPV6, 64, 1, 1, 0},
		{{NET6, 1}, SEG_IPV6, 64, 0, 1, 0},
	};
	struct lan *lan = w->lan = world_memory(w, sizeof(struct lan));

	memset(lan->state, SEG_ADDRESS_PREFERRED, sizeof(lan->state));
	for (uint16_t i = 1; i <= LAN_IFACES; i++) {
		struct iface *iface = &lan->iface[i];
		*iface = (struct iface){.number = i, .mac = OUR_MAC, .enabled = true, .state = lan->state};
		iface->naddresses = sizeof(ours) / sizeof(ours[0]);
		memcpy(iface->address, ours, sizeof(ours));
	}
	lan->event = world_memory(w, LAN_EVENTS * sizeof(struct lan_event));
	for (unsigned family = 0; family < SEG_FAMILIES; family++) {
		lan->host[family] = world_memory(w, (w->shape.nhosts + 1) * sizeof(struct host));
		for (uint32_t i = 0; i < w->shape.nhosts; i++) {
			lan->host[family][i].mac = HOST_MAC + i;
		}
	}
}

/* ---- the wire --------------------------------------------------------------------------------------------------- */

static void
lan_swap(struct lan *lan, unsigned a, unsigned b)
{
	struct lan_event event = lan->event[a];
	lan->event[a] = lan->event[b];
	lan->event[b] = event;
}

static void
lan_put(struct world *w, uint64_t at_ns, const struct lan_frame *frame)
{
	struct lan *lan = w->lan;
	unsigned at = lan->nevents;

	if (at == LAN_EVENTS) {
		world_break(w, "too many frames under way");
		return;
	}
	lan->event[lan->nevents++] = (struct lan_event){at_ns, *frame};
	for (; at && lan->event[at].at_ns < lan->event[(at - 1) / 2].at_ns; at = (at - 1) / 2) {
		lan_swap(lan, at, (at - 1) / 2);
	}
}

static struct lan_frame
lan_take(struct lan *lan)
{
	struct lan_frame frame = lan->event[0].frame;
	unsigned at = 0;

	lan->event[0] = lan->event[--lan->nevents];
	for (;;) {
		unsigned least = at;
		for (unsigned child = 2 * at + 1; child <= 2 * at + 2 && child < lan->nevents; child++) {
			least = lan->event[child].at_ns < lan->event[least].at_ns ? child : least;
		}
		if (least == at) {
			return frame;
		}
		lan_swap(lan, at, least);
		at = least;
	}
}

uint64_t
lan_next(const struct world *w)
{
	return w->lan->nevents ? w->lan->event[0].at_ns : UINT64_MAX;
}

static void
lan_to_core(struct world *w, unsigned number, const struct lan_frame *frame)
{
	struct nbr_core *core = w->core[number].nbr;

	if (core->nframes == LAN_FRAMES) {
		w->lan->lost_frames++;
		return;
	}
	core->frame[core->nframes++] = *frame;
}

void
lan_deliver(struct world *w)
{
	struct lan_frame frame = lan_take(w->lan);
	unsigned to = lan_owner(w, frame.family, frame.host), other = 1 + (unsigned)world_random(w, w->shape.ncores);

	/* Where a core stands still, nobody hands it a frame that is not its. */
	if (world_random(w, 100) < w->shape.astray && w->core[other].stalled_ns < w->now) {
		to = other;
	}
	lan_to_core(w, to, &frame);
}

unsigned
lan_owner(const struct world *w, unsigned family, uint32_t host)
{
	struct nbr_key key = lan_key(family, host);
	return nbr_owner(&w->core[1].nbr->cache[family], &key);
}

void
lan_need(struct world *w, unsigned core, unsigned family, uint32_t host)
{
	const struct lan_frame frame = {.what = LAN_NEED, .family = family, .host = host};
	lan_to_core(w, core, &frame);
}

/* ---- hosts ------------------------------------------------------------------------------------------------------ */

void
lan_say(struct world *w, enum lan_what what, unsigned family, uint32_t number)
{
	const struct host *host = &w->lan->host[family][number];
	const struct lan_frame frame = {.what = what, .family = family, .host = number, .mac = host->mac};
	uint64_t least = w->shape.answer_ns / 4;
	uint64_t late = host->kind == HOST_LATE && what == LAN_ANSWER ? w->shape.nbr.retrans_ns * 5 / 4 : 0;

	for (unsigned times = host->kind == HOST_TWICE ? 2 : 1; times--;) {
		lan_put(w, w->now + late + least + world_random(w, w->shape.answer_ns - least), &frame);
	}
}

void
lan_request(struct world *w, enum seg_msg_kind kind, unsigned family, uint32_t host, uint64_t value)
{
	struct nbr_key key = lan_key(family, host);
	const struct seg_msg msg = {.kind = (uint8_t)kind,
		.n = 4,
		.word = {key.address[0], key.address[1], value, (uint64_t)family << 32 | key.iface}};

	world_request(w, lan_owner(w, family, host), &msg);
}

const struct seg_nbr *
lan_line(const struct world *w, unsigned core, unsigned family, uint32_t host)
{
	const struct nbr *table = &w->core[core].nbr->cache[family].table;
	struct nbr_key key = lan_key(family, host);
	uint32_t slot = nbr_find(table, &key);

	return slot != NBR_NONE && nbr_usable(table->slot[slot].value) ? &table->slot[slot] : NULL;
}

bool
lan_everywhere(struct world *w, unsigned family, uint32_t host)
{
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		const struct seg_nbr *line = lan_line(w, i, family, host);
		if (!line || SEG_NBR_MAC(line->value) != w->lan->host[family][host].mac) {
			return world_fail(
				w, "IPv%u host %u: %s on core %u", family ? 6 : 4, host, line ? "another MAC" : "nothing", i);
		}
	}
	return true;
}

bool
lan_nowhere(struct world *w, unsigned family, uint32_t host)
{
	for (unsigned i = 1; i <= w->shape.ncores; i++) {
		if (lan_line(w, i, family, host)) {
			return world_fail(w, "IPv%u host %u: still on core %u", family ? 6 : 4, host, i);
		}
	}
	return true;
}
