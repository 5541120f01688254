/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "filters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "fdb/fdb.h"
#include "link.h"

#define SWEEP_SLOTS 32768          /* of bridge tables looked at in a tick */
#define SWEEP_NS 1000000000ull     /* between the end of a sweep and the next */
#define SWEEP_SOON_NS 100000000ull /* when entries have gone */
#define PAUSE_MIN_NS 2000000000ull /* after a refusal */
#define PAUSE_MAX_NS 60000000000ull
#define VLANS_NS 10000000000ull    /* between two tries with VLANs that were refused */
#define VLANS_BURST_NS 10000000ull /* that a tick asks for VLANs: one of thousands costs as much as another */

/* What was wanted and is so no more stays for a while: a station whose link has failed is not to be cut off when it is back. */
#define KEEP_NS 60000000000ull

struct kept {
	uint64_t mac, wanted_ns;
};

struct filtered {
	const struct port *port; /* whose all this is */
	struct filter_list list; /* of the sweep that runs */
	unsigned room;           /* addresses that the device takes, as far as it has shown */
	uint64_t retry_ns, pause_ns;
	uint64_t refused;
	uint32_t wanted;
	uint16_t vlans, vlans_refused;
	uint64_t vlans_ns;   /* when those are tried again */
	uint16_t vlan_next;  /* of a turn through the VLANs; 0: none is under way */
	uint16_t vlan_first; /* that was refused in it; 0: none */
	int vlan_error;      /* why */
	bool told;
	unsigned nkept;
	struct kept kept[FILTER_MAX]; /* what it has, and when it was last wanted */
};

struct filters {
	struct filtered *port[SEG_MAX_PORTS]; /* NULL: its device lets all in */
	bool sweeping;
	unsigned core;
	uint64_t slot;
	uint64_t next_ns;
	uint32_t flush_seq;
	struct filter_steps steps;
};

/* ---- a device and its addresses ----------------------------------------------------------------------------------- */

/* Its device is there, and listens. */
static struct filtered *
ready(const struct control *control, unsigned n)
{
	const struct port *port = control->engine->port[n];
	struct filtered *f = control->filters->port[n];
	return f && port && f->port == port && port->wish == PORT_CONTENT && port->driver->filter ? f : NULL;
}

static bool
lets_in(const struct port *port, uint64_t mac)
{
	for (unsigned i = 0; i < port->nfilters; i++) {
		if (port->filter[i] == mac) {
			return true;
		}
	}
	return port->mac == mac;
}

/* After a refusal one more is tried now and then: somebody else may have left, or the operator may have allowed it. */
static unsigned
room(const struct filtered *f, uint64_t now_ns)
{
	unsigned n = f->room < FILTER_MAX && now_ns >= f->retry_ns ? f->port->nfilters + 1 : f->room;
	return n < f->port->filter_room ? n : f->port->filter_room;
}

static void
refused(struct filtered *f, uint64_t now_ns)
{
	f->refused++;
	f->room = f->port->nfilters;
	f->pause_ns = f->pause_ns ? f->pause_ns * 2 : PAUSE_MIN_NS;
	f->pause_ns = f->pause_ns < PAUSE_MAX_NS ? f->pause_ns : PAUSE_MAX_NS;
	f->retry_ns = now_ns + f->pause_ns;
}

static void
tell(struct control *control, struct filtered *f)
{
	const struct port *port = f->port;
	bool lacking = f->wanted > port->nfilters;
	if (lacking == f->told) {
		return;
	}
	f->told = lacking;
	if (!lacking) {
		engine_event(control->engine, LOG_LEVEL_NOTICE, "port %s: lets in all %u addresses again", port->name, f->wanted);
	} else if (port->vf && port->nfilters == 0) {
		engine_event(control->engine, LOG_LEVEL_WARNING, "port %s: refuses all %u unicast addresses%s%s%s", port->name,
			f->wanted, port->pf[0] ? ": vfctl vf set " : "", port->pf, port->pf[0] ? " trust on" : "");
	} else {
		engine_event(control->engine, LOG_LEVEL_WARNING, "port %s: lets in %u of %u unicast addresses: its table is full",
			port->name, port->nfilters, f->wanted);
	}
}

/* Takes the steps that are in control->filters->steps. True: the device took all. */
static bool
take_steps(struct control *control, unsigned n, uint64_t now_ns)
{
	struct filtered *f = control->filters->port[n];
	const struct filter_steps *steps = &control->filters->steps;
	unsigned had = f->port->nfilters;
	bool all = true;
	if (steps->ndel || steps->nadd) {
		all = port_filter(control->engine->port[n], steps) == steps->nadd;
	}
	if (!all) {
		refused(f, now_ns);
	} else if (f->port->nfilters > had) {
		f->room = FILTER_MAX;
		f->pause_ns = 0;
	}
	return all;
}

/* Brings the device to what the list says. */
static bool
settle(struct control *control, unsigned n, struct filter_list *list, uint64_t now_ns)
{
	struct filtered *f = control->filters->port[n];
	const struct port *port = f->port;
	size_t wanted = filter_decide(list, port->filter, port->nfilters, room(f, now_ns), &control->filters->steps);
	f->wanted = (uint32_t)wanted;
	return take_steps(control, n, now_ns);
}

/* ---- our own addresses -------------------------------------------------------------------------------------------- */

/* Do frames to the interface come in at the port? */
static bool
reached_through(const struct plan *plan, const struct iface *iface, unsigned n)
{
	return iface->port ? iface->port == n : plan->fid[iface->fid].egress && plan->fid[iface->fid].egress[n] != PLAN_NONE;
}

static void
list_own(const struct engine *engine, unsigned n, struct filter_list *list)
{
	const struct plan *plan = engine->view->plan;
	for (unsigned i = 1; i < SEG_MAX_IFACES; i++) {
		const struct iface *iface = plan->iface[i];
		if (iface && reached_through(plan, iface, n) && iface->mac != engine->port[n]->mac) {
			filter_list_add(list, iface->mac, FILTER_OWN, 0);
		}
	}
}

/* Ours at once; what else there is stays until the next sweep says something about it. */
static void
settle_own(struct control *control, unsigned n, uint64_t now_ns)
{
	struct filtered *f = control->filters->port[n];
	const struct engine *engine = control->engine;
	const struct port *port = f->port;
	filter_list_clear(&f->list);
	list_own(engine, n, &f->list);
	for (unsigned i = 0; i < port->nfilters; i++) {
		filter_list_add(&f->list, port->filter[i], FILTER_LEARNED, now_ns - i);
	}
	if (!settle(control, n, &f->list, now_ns)) {
		(void)settle(control, n, &f->list, now_ns); /* how much it takes is known now: others make room for ours */
	}
	for (unsigned i = 1; i < SEG_MAX_IFACES; i++) {
		const struct iface *iface = engine->view->plan->iface[i];
		char mac[MAC_TEXT_SIZE];
		if (iface && reached_through(engine->view->plan, iface, n) && !lets_in(port, iface->mac)) {
			engine_event(control->engine, LOG_LEVEL_WARNING, "port %s: does not let in %s of interface %s%s%s%s",
				port->name, mac_format(iface->mac, mac), iface->name, port->pf[0] ? ": vfctl vf set " : "",
				port->pf, port->pf[0] ? " trust on spoofchk off" : "");
		}
	}
	filter_list_clear(&f->list);
}

/* ---- VLANs -------------------------------------------------------------------------------------------------------- */

/* A turn through the VLANs: those that are wanted no more go at once, the others come as there is time. */
static void
vlans_begin(struct control *control, unsigned n)
{
	struct filtered *f = control->filters->port[n];
	struct port *port = control->engine->port[n];
	const uint16_t *fid = control->engine->view->plan->port[n].fid;
	for (uint16_t vid = VLAN_MIN; port->driver->vlan && vid <= VLAN_MAX; vid++) {
		if (!(fid && fid[vid]) && port_has_vlan(port, vid)) {
			(void)port_set_vlan(port, vid, false);
		}
	}
	f->vlan_next = VLAN_MIN;
	f->vlan_first = 0;
}

static void
vlans_end(struct control *control, unsigned n, uint16_t had_refused)
{
	struct engine *engine = control->engine;
	const struct filtered *f = control->filters->port[n];
	const struct port *port = f->port;
	bool more = f->vlan_first && f->vlans_refused != had_refused;
	if (more && (f->vlan_error == ETIMEDOUT || f->vlan_error == ENODEV)) {
		engine_event(engine, LOG_LEVEL_WARNING, "port %s: its device does not answer, and lets in %u of %u VLANs",
			port->name, f->vlans, f->vlans + f->vlans_refused);
	} else if (more) {
		engine_event(engine, LOG_LEVEL_WARNING,
			"port %s: its device refuses %u of %u VLANs, the first is %u: its table is full%s%s", port->name,
			f->vlans_refused, f->vlans + f->vlans_refused, f->vlan_first,
			port->pf[0] ? ", or vfctl vf set has put it into one: " : "", port->pf);
	} else if (!f->vlan_first && had_refused) {
		engine_event(engine, LOG_LEVEL_NOTICE, "port %s: lets in all %u VLANs again", port->name, f->vlans);
	}
}

static void
vlans_some(struct control *control, unsigned n, uint64_t until_ns)
{
	struct filtered *f = control->filters->port[n];
	struct port *port = control->engine->port[n];
	const uint16_t *fid = control->engine->view->plan->port[n].fid;
	uint16_t wanted = 0, vid;
	for (; f->vlan_next <= VLAN_MAX && engine_now_ns() < until_ns; f->vlan_next++) {
		vid = f->vlan_next;
		bool ask = port->driver->vlan && fid && fid[vid] && !port_has_vlan(port, vid);
		int error = ask ? port_set_vlan(port, vid, true) : 0;
		if (error && !f->vlan_first) {
			f->vlan_first = vid;
			f->vlan_error = error;
		}
	}
	f->vlans = 0;
	for (vid = VLAN_MIN; port->driver->vlan && fid && vid <= VLAN_MAX; vid++) {
		wanted += fid[vid] != 0;
		f->vlans += fid[vid] && port_has_vlan(port, vid);
	}
	if (f->vlan_next > VLAN_MAX) {
		uint16_t had_refused = f->vlans_refused;
		f->vlan_next = 0;
		f->vlans_ns = engine_now_ns() + VLANS_NS;
		f->vlans_refused = wanted - f->vlans;
		vlans_end(control, n, had_refused);
	}
}

static void
vlans_tick(struct control *control)
{
	uint64_t until_ns = engine_now_ns() + VLANS_BURST_NS;
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		const struct filtered *f = ready(control, n);
		if (f && f->vlan_next) {
			vlans_some(control, n, until_ns);
		}
	}
}

/* Under the kernel's driver a VF learns VLANs from the kernel's VLAN devices alone: a packet socket cannot ask for them. */
static void
warn_of_vlans(struct control *control, unsigned n)
{
	const struct port *port = control->engine->port[n];
	const uint16_t *fid = control->engine->view->plan->port[n].fid;
	const char *name = strchr(port->device_text, ':') + 1;
	char list[32] = "";
	uint16_t first = 0;
	for (uint16_t vid = VLAN_MIN; port->vf && !port->driver->vlan && fid && vid <= VLAN_MAX; vid++) {
		size_t used = strlen(list);
		if (!fid[vid] || link_has_vlan(name, vid)) {
			continue;
		}
		if (used + strlen(",4094,...") >= sizeof(list)) {
			snprintf(list + used, sizeof(list) - used, ",...");
			break;
		}
		first = first ? first : vid;
		snprintf(list + used, sizeof(list) - used, "%s%u", used ? "," : "", vid);
	}
	if (first) {
		engine_event(control->engine, LOG_LEVEL_WARNING,
			"port %s: a VF that drops VLAN %s; for each: ip link add link %s type vlan id %u", port->name, list, name,
			first);
	}
}

/* ---- what is forgotten -------------------------------------------------------------------------------------------- */

static void
list_kept(struct filtered *f, uint64_t now_ns)
{
	for (unsigned i = 0; i < f->nkept; i++) {
		const struct kept *kept = &f->kept[i];
		if (kept->wanted_ns + KEEP_NS > now_ns && lets_in(f->port, kept->mac)) {
			filter_list_add(&f->list, kept->mac, FILTER_KEPT, kept->wanted_ns);
		}
	}
}

/* From a list that was settled; those that are merely kept count as having been used FILTER_STAY_NS later. */
static void
note_kept(struct filtered *f, uint64_t now_ns)
{
	f->nkept = 0;
	for (size_t i = 0; i < f->list.n && f->nkept < FILTER_MAX; i++) {
		const struct filter_want *want = &f->list.want[i];
		uint64_t wanted_ns = want->rank == FILTER_KEPT ? want->used_ns - FILTER_STAY_NS : now_ns;
		f->kept[f->nkept++] = (struct kept){.mac = want->mac, .wanted_ns = wanted_ns};
	}
}

/* Let in between two sweeps. */
static void
keep(struct filtered *f, uint64_t mac, uint64_t now_ns)
{
	unsigned i = 0;
	while (i < f->nkept && f->kept[i].mac != mac) {
		i++;
	}
	if (i < FILTER_MAX && lets_in(f->port, mac)) {
		f->kept[i] = (struct kept){.mac = mac, .wanted_ns = now_ns};
		f->nkept += i == f->nkept;
	}
}

/* It is behind this very port: to let it in would do harm. */
static void
keep_no_more(struct filtered *f, uint64_t mac)
{
	for (unsigned i = 0; i < f->nkept; i++) {
		if (f->kept[i].mac == mac) {
			f->kept[i] = f->kept[--f->nkept];
			return;
		}
	}
}

/* ---- what is learned ---------------------------------------------------------------------------------------------- */

/* A station is behind `channel` now: its frames are to be let in at the other ports of the VLAN, and at that one no more. */
static void
heard_station(struct control *control, uint64_t key, uint16_t channel, uint64_t now_ns)
{
	const struct engine *engine = control->engine;
	uint64_t mac = fdb_key_mac(key);
	const struct plan_fid *fid = &engine->view->plan->fid[fdb_key_fid(key) % SEG_MAX_FIDS];
	for (unsigned i = 0; fid->bridge && fid->local_mac != mac && i < fid->nmembers; i++) {
		uint16_t n = fid->member[i];
		struct filtered *f = n < SEG_MAX_PORTS ? ready(control, n) : NULL;
		struct filter_steps *steps = &control->filters->steps;
		if (!f || mac == f->port->mac) {
			continue;
		}
		bool has = lets_in(f->port, mac);
		if (n == channel) {
			keep_no_more(f, mac);
		}
		steps->ndel = n == channel && has;
		steps->del[0] = mac;
		steps->nadd = n != channel && !has && f->port->nfilters < room(f, now_ns);
		steps->add[0] = mac;
		if (steps->ndel || steps->nadd) {
			(void)take_steps(control, n, now_ns);
			f->wanted += steps->nadd;
			f->wanted -= f->wanted > 0 ? steps->ndel : 0;
		}
		if (n != channel) {
			keep(f, mac, now_ns);
		}
	}
}

static void
sweep_soon(struct control *control, uint64_t now_ns)
{
	struct filters *filters = control->filters;
	if (!filters->sweeping && filters->next_ns > now_ns + SWEEP_SOON_NS) {
		filters->next_ns = now_ns + SWEEP_SOON_NS;
	}
}

void
filters_heard(struct control *control, const struct seg_msg *msg)
{
	uint64_t now_ns = engine_now_ns();
	if (msg->kind == SEG_MSG_FDB_ADD) {
		heard_station(control, msg->word[0], SEG_VALUE_CHANNEL(msg->word[1]), now_ns);
	} else {
		sweep_soon(control, now_ns);
	}
}

/* ---- the sweep ---------------------------------------------------------------------------------------------------- */

static void
sweep_entry(const struct control *control, const struct seg_fdb_entry *entry)
{
	const struct engine *engine = control->engine;
	const struct plan_fid *fid = &engine->view->plan->fid[fdb_key_fid(entry->key) % SEG_MAX_FIDS];
	enum filter_rank rank = entry->value & SEG_VALUE_STATIC ? FILTER_STATIC : FILTER_LEARNED;
	uint64_t mac = fdb_key_mac(entry->key);
	for (unsigned i = 0; fid->bridge && i < fid->nmembers; i++) {
		uint16_t n = fid->member[i];
		struct filtered *f = n < SEG_MAX_PORTS ? ready(control, n) : NULL;
		if (f && n == SEG_VALUE_CHANNEL(entry->value)) {
			keep_no_more(f, mac);
		} else if (f && mac != f->port->mac) {
			filter_list_add(&f->list, mac, rank, entry->cold.used_ns);
		}
	}
}

static void
sweep_begin(struct control *control)
{
	struct filters *filters = control->filters;
	filters->flush_seq = seg_get(&seg_control(&control->engine->seg)->flush_seq);
	filters->sweeping = true;
	filters->core = 1;
	filters->slot = 0;
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		if (filters->port[n]) {
			filter_list_clear(&filters->port[n]->list);
		}
	}
}

static void
sweep_end(struct control *control, uint64_t now_ns)
{
	struct filters *filters = control->filters;
	filters->sweeping = false;
	filters->next_ns = now_ns + SWEEP_NS;
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		struct filtered *f = ready(control, n);
		if (f) {
			list_own(control->engine, n, &f->list);
			list_kept(f, now_ns);
			(void)settle(control, n, &f->list, now_ns);
			if (!f->vlan_next && now_ns >= f->vlans_ns) {
				vlans_begin(control, n);
			}
			note_kept(f, now_ns);
			tell(control, f);
		}
	}
}

/* Each entry as its owner has it: only that core knows when it was last used. */
static void
sweep_some(struct control *control, uint64_t now_ns)
{
	struct filters *filters = control->filters;
	const struct engine *engine = control->engine;
	const struct seg_control *words = seg_control(&engine->seg);
	uint64_t slots = (uint64_t)engine->seg.head.fdb_buckets * SEG_WAYS;
	for (unsigned i = 0; i < SWEEP_SLOTS && filters->core <= engine->ncores; i++) {
		struct seg_fdb_entry entry;
		if (seg_read_fdb(&engine->seg, filters->core, filters->slot, &entry) && entry.state == SEG_FDB_LIVE) {
			uint32_t hash = fdb_hash(entry.key, engine->seg.head.fdb_seed);
			if (seg_get(&words->owner[fdb_owner_bucket(hash)]) == filters->core) {
				sweep_entry(control, &entry);
			}
		}
		if (++filters->slot == slots) {
			filters->slot = 0;
			filters->core++;
		}
	}
	if (filters->core > engine->ncores) {
		sweep_end(control, now_ns);
	}
}

static bool
any_filtered(const struct control *control)
{
	for (unsigned n = 1; n < SEG_MAX_PORTS; n++) {
		if (control->filters->port[n]) {
			return true;
		}
	}
	return false;
}

void
filters_tick(struct control *control, uint64_t now_ns)
{
	struct filters *filters = control->filters;
	if (!any_filtered(control)) {
		return;
	}
	if (filters->flush_seq != seg_get(&seg_control(&control->engine->seg)->flush_seq)) {
		sweep_soon(control, now_ns);
	}
	if (!filters->sweeping && now_ns >= filters->next_ns) {
		sweep_begin(control);
	}
	if (filters->sweeping) {
		sweep_some(control, now_ns);
	}
	vlans_tick(control);
}

/* ---- from one plan to the next ------------------------------------------------------------------------------------ */

void
filters_again(struct control *control, uint16_t number)
{
	struct filtered *f = control->filters->port[number];
	if (f) {
		f->room = FILTER_MAX;
		f->pause_ns = f->retry_ns = f->vlans_ns = 0;
		f->vlan_next = f->vlan_next ? VLAN_MIN : 0;
		control->filters->next_ns = 0;
	}
}

static void
take_up(struct control *control, unsigned n)
{
	struct filters *filters = control->filters;
	const struct port *port = control->engine->port[n];
	bool wanted = port && port->filtered && port->driver->filter;
	if (!wanted || (filters->port[n] && filters->port[n]->port != port)) {
		free(filters->port[n]);
		filters->port[n] = NULL;
	}
	if (wanted && !filters->port[n]) {
		filters->port[n] = calloc(1, sizeof(*filters->port[n]));
		if (!filters->port[n]) {
			engine_event(control->engine, LOG_LEVEL_ERROR, "port %s: no memory for its filters", port->name);
			return;
		}
		filters->port[n]->port = port;
	}
}

void
filters_apply(struct control *control)
{
	uint64_t now_ns = engine_now_ns();
	for (uint16_t n = 1; n < SEG_MAX_PORTS; n++) {
		take_up(control, n);
		filters_again(control, n);
		if (ready(control, n)) {
			vlans_begin(control, n);
			warn_of_vlans(control, n);
			settle_own(control, n, now_ns);
		}
	}
	vlans_tick(control);
	control->filters->sweeping = false;
	control->filters->next_ns = 0;
}

void
filters_publish(const struct control *control, uint16_t number, struct seg_port *out)
{
	const struct filtered *f = control->filters->port[number];
	const struct port *port = control->engine->port[number];
	bool mine = f && f->port == port;
	seg_put(&out->filters_refused, mine ? f->refused : 0);
	seg_put(&out->filters_wanted, mine ? f->wanted : 0);
	seg_put(&out->filters, mine ? port->nfilters : 0);
	seg_put(&out->vlans, mine ? f->vlans : 0);
	seg_put(&out->vlans_refused, mine ? f->vlans_refused : 0);
}

enum err_code
filters_open(struct control *control, struct err *err)
{
	control->filters = calloc(1, sizeof(*control->filters));
	return control->filters ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
}

void
filters_close(struct control *control)
{
	for (unsigned n = 0; control->filters && n < SEG_MAX_PORTS; n++) {
		free(control->filters->port[n]);
	}
	free(control->filters);
	control->filters = NULL;
}
