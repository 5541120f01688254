/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICMP errors: whether one may be said, from which address, and how many (RFC 1812 4.3.2, RFC 4443 2.4). */
#include "l3_int.h"
#include "net/icmp.h"

struct words {
	uint8_t type, code;
};

#define ICMP6_UNREACHABLE_SCOPE 2 /* RFC 4443 3.1: beyond scope of source address */

static const struct words complaints[SEG_FAMILIES][L3_COMPLAINTS] = {
	[SEG_IPV4] =
		{
			[L3_NO_ROUTE] = {ICMP_UNREACHABLE, ICMP_UNREACHABLE_NET},
			[L3_NO_HOST] = {ICMP_UNREACHABLE, ICMP_UNREACHABLE_HOST},
			[L3_PROHIBITED] = {ICMP_UNREACHABLE, ICMP_UNREACHABLE_PROHIBITED},
			[L3_TIME] = {ICMP_TIME, 0},
			[L3_TOO_BIG] = {ICMP_UNREACHABLE, ICMP_UNREACHABLE_TOO_BIG},
			[L3_NO_PORT] = {ICMP_UNREACHABLE, ICMP_UNREACHABLE_PORT},
			[L3_NO_PROTOCOL] = {ICMP_UNREACHABLE, ICMP_UNREACHABLE_PROTOCOL},
			[L3_BEYOND_SCOPE] = {ICMP_UNREACHABLE, ICMP_UNREACHABLE_NET},
		},
	[SEG_IPV6] =
		{
			[L3_NO_ROUTE] = {ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_ROUTE},
			[L3_NO_HOST] = {ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_ADDRESS},
			[L3_PROHIBITED] = {ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_PROHIBITED},
			[L3_TIME] = {ICMP6_TIME, 0},
			[L3_TOO_BIG] = {ICMP6_TOO_BIG, 0},
			[L3_NO_PORT] = {ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_PORT},
			[L3_NO_PROTOCOL] = {ICMP6_PARAMETER, ICMP6_PARAMETER_NEXT},
			[L3_BEYOND_SCOPE] = {ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_SCOPE},
		},
};

bool
l3_may_send(struct worker *w)
{
	uint64_t pps = w->view->plan->police.icmp_pps;

	limit_set(&w->icmp, 0, pps, w->now_ns);
	if (!pps) {
		return true;
	}
	limit_refill(&w->icmp, w->now_ns);
	if (limit_take(&w->icmp, 0)) {
		return true;
	}
	seg_add(&w->mine->l3.icmp_limited, 1);
	return false;
}

static bool
l3_source_at(const struct iface *iface, unsigned family, const uint64_t target[static 2], uint64_t source[static 2])
{
	int which = iface->enabled ? iface_source(iface, family, target) : -1;

	if (which < 0) {
		return false;
	}
	memcpy(source, iface->address[which].address, sizeof(iface->address[which].address));
	return family == SEG_IPV4 || ip6_is_link_local(target) || !ip6_is_link_local(source);
}

bool
l3_source(const struct worker *w, const struct iface *in, unsigned family, const uint64_t target[static 2],
	uint64_t source[static 2])
{
	const struct plan *plan = w->view->plan;

	if (l3_source_at(in, family, target, source)) {
		return true;
	}
	for (unsigned i = 1; i < SEG_MAX_IFACES; i++) {
		if (plan->iface[i] && l3_source_at(plan->iface[i], family, target, source)) {
			return true;
		}
	}
	return false;
}

/* An error, about what, and between whom. */
struct l3_error {
	const struct iface *in;
	const struct rte_mbuf *about;
	struct icmp icmp;
	uint64_t source[2], target[2];
	uint16_t size; /* of the packet that it is about */
	bool group;
	bool ours; /* about a packet to an address of ours: that one says it (RFC 1122 3.2.2, RFC 4443 2.2 a) */
};

/* Whether the packet is one to complain about. */
static bool
l3_error_about4(struct l3_error *e)
{
	struct bytes_in payload = bytes_in(rte_pktmbuf_mtod(e->about, const uint8_t *), rte_pktmbuf_data_len(e->about));
	struct ip4 ip;

	if (ip4_get(&payload, &ip) != IP4_GOOD || !icmp4_may_complain(&ip, payload, e->group)) {
		return false;
	}
	e->target[1] = ip.source;
	e->source[1] = ip.destination;
	e->size = ip.size;
	return true;
}

static bool
l3_error_about6(struct l3_error *e)
{
	struct bytes_in payload = bytes_in(rte_pktmbuf_mtod(e->about, const uint8_t *), rte_pktmbuf_data_len(e->about));
	struct ip6 ip;

	if (ip6_get(&payload, &ip) != IP6_GOOD || !icmp6_may_complain(&ip, payload, e->group, &e->icmp)) {
		return false;
	}
	memcpy(e->target, ip.source, sizeof(e->target));
	memcpy(e->source, ip.destination, sizeof(e->source));
	e->size = (uint16_t)(IP6_HEADER + ip.size);
	return true;
}

/* The limit comes before whatever costs more than reading the packet: the walk for a source, a buffer. */
static bool
l3_error_due(struct worker *w, unsigned family, struct l3_error *e)
{
	return (family == SEG_IPV4 ? l3_error_about4(e) : l3_error_about6(e)) && l3_may_send(w) &&
	       (e->ours || l3_source(w, e->in, family, e->target, e->source));
}

static void
l3_error_put(unsigned family, const struct l3_error *e, struct bytes_out *out)
{
	const uint8_t *data = rte_pktmbuf_mtod(e->about, const uint8_t *);

	if (family == SEG_IPV4) {
		icmp4_error_put(out, &e->icmp, (uint32_t)e->source[1], (uint32_t)e->target[1], data, e->size);
	} else {
		icmp6_error_put(out, &e->icmp, e->source, e->target, data, e->size);
	}
}

void
l3_complain(struct worker *w, const struct iface *in, unsigned family, const struct rte_mbuf *about, enum l3_complaint what,
	uint32_t word, bool group)
{
	const struct words *words = &complaints[family][what];
	struct l3_error error = {.in = in,
		.about = about,
		.icmp = {.type = words->type, .code = words->code, .word = word},
		.group = group,
		.ours = !group && (what == L3_NO_PORT || what == L3_NO_PROTOCOL)};
	struct rte_mbuf *m = in && l3_error_due(w, family, &error) ? rte_pktmbuf_alloc(w->engine->pool) : NULL;

	if (!m) {
		return;
	}
	uint8_t *start = rte_pktmbuf_mtod(m, uint8_t *);
	struct bytes_out out = bytes_out(start, rte_pktmbuf_tailroom(m));
	l3_error_put(family, &error, &out);
	if (out.bad) {
		rte_pktmbuf_free(m);
		return;
	}
	l3_trim(m, (unsigned)(out.at - start));
	seg_add(&w->mine->l3.icmp_sent, 1);
	l3_originate(w, in, family, m);
}
