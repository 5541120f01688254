/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Leases: given, changed, and taken back. */
#include <stdio.h>
#include <string.h>

#include "vf/plan_int.h"

static const struct host_use *
process_of(const struct host_func *func)
{
	for (size_t i = 0; i < func->nuses; i++) {
		if (func->use[i].pid) {
			return &func->use[i];
		}
	}
	return NULL;
}

static enum err_code
leased(const struct plan_input *in, const struct host_func *func, const struct ledger_record *record, struct err *err)
{
	char name[HOST_TEXT_SIZE];
	return err_set(err, ERR_EXISTS, "%s is leased to %s since %s (generation %llu, by %s)", host_name(in->host, func, name),
		record->holder, record->at, (unsigned long long)record->generation, record->who);
}

/* ---- lease ----------------------------------------------------------------------------------------------------------- */

static enum err_code
check_holder(const char *holder, struct err *err)
{
	size_t n = strlen(holder);
	for (size_t i = 0; i < n; i++) {
		n = holder[i] > ' ' && holder[i] <= '~' ? n : 0;
	}
	if (n == 0 || n >= LEDGER_HOLDER_SIZE) {
		err_set(err, ERR_USAGE, "'%.80s' is not a holder's name", holder);
		return err_hint(err, "1 to %d characters that print, without blanks", LEDGER_HOLDER_SIZE - 1);
	}
	return ERR_NONE;
}

static enum err_code
check_lease(const struct plan_input *in, const struct host_func *func, const struct plan_lease *lease, bool held, struct err *err)
{
	char name[HOST_TEXT_SIZE];
	const struct ledger_record *record = ledger_of(in->ledger, func);
	enum err_code code = check_holder(lease->holder, err);
	if (code) {
		return code;
	}
	host_name(in->host, func, name);
	if (record && record->holder[0] && !held) {
		leased(in, func, record, err);
		return err_hint(err, "another one, or wait until it is released");
	}
	if (host_is_bridge(func)) {
		err_set(err, ERR_REFUSED, "%s is a bridge: other functions are behind it", name);
		return err_hint(err, "it stays with the kernel; vfio does not need it");
	}
	if (func->role == HOST_PF && func->num_vfs) {
		err_set(err, ERR_REFUSED, "%s has %u VF%s: it cannot be leased as a whole", name, func->num_vfs,
			func->num_vfs > 1 ? "s" : "");
		return err_hint(err, "lease a VF of it, or vfctl numvfs %s 0 first", name);
	}
	if (func->role != HOST_VF && (lease->want.has || ledger_vlans_count(&lease->vlans))) {
		return err_set(err, ERR_USAGE, "%s is no VF: it has no such settings", name);
	}
	const struct host_use *use = process_of(func);
	if (use && !held) {
		err_set(err, ERR_REFUSED, "%s is in use: %s", name, use->by);
		return err_hint(err, "end it first");
	}
	return ERR_NONE;
}

static enum err_code
lease_settings(const struct plan_input *in, const struct host_func *vf, const struct plan_lease *lease,
	struct ledger_entry *entry, struct err *err)
{
	struct vfset need = {0};
	unsigned bits = vfset_diff(&vf->set, &lease->want);
	enum err_code code = ERR_NONE;
	vfset_copy(&need, &lease->want, bits);
	need.has = bits;
	if (bits) {
		code = rules_set(in->host, vf, &need, err);
		code = code ? code : rules_leased_mac(in->host, in->ledger, vf, &need, err);
		code = code ? code : plan_cuts(in, vf, &need, err);
	}
	if (!code && (need.has & VFSET_VLAN || ledger_vlans_count(&lease->vlans))) {
		code = rules_vlans(in->host, in->ledger, vf, &lease->want, &lease->vlans, err);
	}
	return code ? code : plan_vfset(in, vf, &need, false, entry, err);
}

/* The kernel's driver looks at its VF once, when it takes it: settings are changed while it has not got it yet. */
static enum err_code
lease_steps(const struct plan_input *in, const struct host_func *func, const struct plan_lease *lease, struct ledger_entry *entry,
	struct err *err)
{
	struct step_value to = {0};
	enum err_code code = lease->driver ? plan_driver(in->host, func, lease->driver, &to, err) : ERR_NONE;
	bool first = lease->driver && rules_passes(to.text);
	if (!code && first) {
		code = plan_rebind(in, func, &to, false, entry, err);
	}
	if (!code && func->role == HOST_VF) {
		code = lease_settings(in, func, lease, entry, err);
	}
	if (!code && lease->driver && !first) {
		code = plan_rebind(in, func, &to, false, entry, err);
	}
	return code;
}

enum err_code
plan_lease(const struct plan_input *in, struct host_func *func, const struct plan_lease *lease, struct ledger_entry *entry,
	struct err *err)
{
	const struct ledger_record *record = ledger_of(in->ledger, func);
	bool held = record && record->holder[0] && strcmp(record->holder, lease->holder) == 0;
	plan_begin(in, LEDGER_LEASE, func, entry);
	enum err_code code = check_lease(in, func, lease, held, err);
	if (!code) {
		code = lease_steps(in, func, lease, entry, err);
	}
	if (!code) {
		entry->generation = (record ? record->generation : 0) + (held ? 0 : 1);
		snprintf(entry->holder, sizeof(entry->holder), "%s", lease->holder);
		entry->vlans = lease->vlans;
		entry->set = lease->want;
	}
	return plan_end(entry, code);
}

/* ---- release --------------------------------------------------------------------------------------------------------- */

static enum err_code
check_release(const struct plan_input *in, const struct host_func *func, const struct ledger_record *record, const char *holder,
	uint64_t generation, struct err *err)
{
	char name[HOST_TEXT_SIZE];
	const struct host_use *use = process_of(func);
	host_name(in->host, func, name);
	if ((holder && strcmp(holder, record->holder) != 0) || (generation && generation != record->generation)) {
		leased(in, func, record, err);
		return err_hint(err, "a lease is ended by its own holder and generation; nothing was touched");
	}
	if (!holder && !generation && !in->forced) {
		leased(in, func, record, err);
		return err_hint(err, "say whose lease ends: its holder or its generation, or --force");
	}
	if (use && !in->forced) {
		err_set(err, ERR_REFUSED, "%s is still in use: %s", name, use->by);
		return err_hint(err, "end it first");
	}
	return ERR_NONE;
}

static enum err_code
release_settings(const struct plan_input *in, const struct host_func *vf, const struct ledger_record *record,
	struct ledger_entry *entry, struct err *err)
{
	const struct host_func *pf = host_at(in->host, vf->pf);
	struct vfset want = record->before;
	char name[HOST_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	want.has = vfset_diff(&vf->set, &want);
	if (want.has & VFSET_MAC && want.mac == 0 && pf && !rules_driver(pf->driver)->zero_mac) {
		want.mac = rules_auto_mac(in->host, vf);
		want.has = vfset_diff(&vf->set, &want);
		snprintf(entry->note, sizeof(entry->note), "%.60s has the MAC %s now: %s does not take it back to zero",
			host_name(in->host, vf, name), mac_format(want.mac, mac), pf->driver);
	}
	if (want.has & VFSET_RATE && !want.max_rate_bps && pf && rules_driver(pf->driver)->rate_stays) {
		size_t end = strlen(entry->note);
		want.has &= ~VFSET_RATE;
		snprintf(entry->note + end, sizeof(entry->note) - end, "%sits rate stays limited: %s does not take that away",
			end ? "; " : "", pf->driver);
	}
	return plan_vfset(in, vf, &want, true, entry, err);
}

/* As with leases: the kernel's driver comes last, others first. */
static enum err_code
release_steps(const struct plan_input *in, const struct host_func *func, const struct ledger_record *record,
	struct ledger_entry *entry, struct err *err)
{
	struct step_value to = {0};
	enum err_code code = ERR_NONE;
	bool first = rules_passes(record->before_driver);
	memcpy(to.text, record->before_driver, sizeof(to.text));
	memcpy(to.text2, record->before_override, sizeof(to.text2));
	if (record->rebound && first) {
		code = plan_rebind(in, func, &to, true, entry, err);
	}
	if (!code && func->role == HOST_VF) {
		code = release_settings(in, func, record, entry, err);
	}
	if (!code && record->rebound && !first) {
		code = plan_rebind(in, func, &to, true, entry, err);
	}
	return code;
}

enum err_code
plan_release(const struct plan_input *in, struct host_func *func, const char *holder, uint64_t generation,
	struct ledger_entry *entry, struct err *err)
{
	const struct ledger_record *record = ledger_of(in->ledger, func);
	plan_begin(in, LEDGER_RELEASE, func, entry);
	if (!record || !record->holder[0]) {
		return ERR_NONE;
	}
	enum err_code code = check_release(in, func, record, holder, generation, err);
	if (!code && plan_moved(in->host, func, record)) {
		snprintf(entry->note, sizeof(entry->note), "another card is in its place: nothing was put back");
	} else if (!code && plan_is_there(in->host, func)) {
		code = release_steps(in, func, record, entry, err);
	} else if (!code) {
		snprintf(entry->note, sizeof(entry->note), "it is no more: nothing was put back");
	}
	entry->generation = record->generation;
	memcpy(entry->holder, record->holder, sizeof(entry->holder));
	return plan_end(entry, code);
}

/* ---- any VF ---------------------------------------------------------------------------------------------------------- */

struct host_func *
plan_free_vf(const struct plan_input *in, const struct host_func *pf, struct err *err)
{
	char name[HOST_TEXT_SIZE], list[200] = "";
	size_t end = 0;
	for (unsigned i = 0; i < pf->num_vfs; i++) {
		struct host_func *vf = host_vf(in->host, pf->addr, i);
		const struct ledger_record *record = vf ? ledger_of(in->ledger, vf) : NULL;
		const char *by = record && record->holder[0] ? record->holder : vf && vf->nuses ? vf->use[0].by : "";
		if (vf && !by[0]) {
			return vf;
		}
		int n = vf && end < sizeof(list) ? snprintf(list + end, sizeof(list) - end, "%s%u %.60s", end ? ", " : "", i, by)
						 : 0;
		end += n > 0 ? (size_t)n : 0;
	}
	host_name(in->host, pf, name);
	if (pf->num_vfs == 0) {
		err_set(err, ERR_REFUSED, "%s has no VFs", name);
		err_hint(err, "vfctl numvfs %s N makes them, at most %u", name, pf->total_vfs);
		return NULL;
	}
	err_set(err, ERR_REFUSED, "no VF of %.60s is free: %s%s", name, list, end >= sizeof(list) ? "..." : "");
	if (pf->num_vfs < pf->total_vfs) {
		err_hint(err, "it could have %u, but for the number to change all must be given back", pf->total_vfs);
	}
	return NULL;
}
