/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must not be touched, and what a port can carry. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vf/rules.h"

/* Adds to a list for people; what no longer fits becomes "...". */
static void __attribute__((format(printf, 3, 4))) list_add(char *list, size_t size, const char *fmt, ...)
{
	char item[160];
	va_list args;
	va_start(args, fmt);
	vsnprintf(item, sizeof(item), fmt, args);
	va_end(args);
	size_t end = strlen(list);
	if (end >= 5 && strcmp(list + end - 5, ", ...") == 0) {
		return;
	}
	if (end + strlen(item) + sizeof(", , ...") > size) {
		snprintf(list + end, size - end, ", ...");
	} else {
		snprintf(list + end, size - end, "%s%s", end ? ", " : "", item);
	}
}

/* ---- the VLAN budget ------------------------------------------------------------------------------------------------ */

#define USERS_SHOWN 4

/* Those with the most ids, most first. */
struct vlan_users {
	size_t n;
	struct {
		unsigned index, count;
		const char *holder;
	} user[USERS_SHOWN];
};

static void
users_add(struct vlan_users *users, unsigned index, unsigned count, const char *holder)
{
	size_t at = users->n;
	while (at > 0 && users->user[at - 1].count < count) {
		at--;
	}
	if (at == USERS_SHOWN) {
		return;
	}
	users->n += users->n < USERS_SHOWN;
	for (size_t i = users->n - 1; i > at; i--) {
		users->user[i] = users->user[i - 1];
	}
	users->user[at].index = index;
	users->user[at].count = count;
	users->user[at].holder = holder;
}

/* What a VF is wanted to have instead; NULL: as it is. */
struct vlan_change {
	unsigned index;
	const struct vfset *set;
	const struct ledger_vlans *vlans;
};

/* The ids that the VF of an index takes up: those of its lease, and its port VLAN. */
static void
vlans_of(const struct host *host, const struct ledger_record *record, uint64_t pf, unsigned index,
	const struct vlan_change *change, struct ledger_vlans *ids)
{
	const struct host_func *vf = host_vf(host, pf, index);
	bool leased = record && record->holder[0];
	bool changed = change && change->index == index;
	uint16_t port_vlan = 0;
	*ids = leased ? record->vlans : (struct ledger_vlans){0};
	if (changed && change->vlans) {
		*ids = *change->vlans;
	}
	if (changed && change->set && change->set->has & VFSET_VLAN) {
		port_vlan = change->set->vlan;
	} else if (vf && vf->set.has & VFSET_VLAN) {
		port_vlan = vf->set.vlan;
	} else if (leased && record->set.has & VFSET_VLAN) {
		port_vlan = record->set.vlan;
	}
	if (port_vlan > 0 && port_vlan <= VLAN_MAX) {
		ids->bits[port_vlan / 64] |= UINT64_C(1) << (port_vlan % 64);
	}
}

/* One more than the highest index of a VF of the PF that exists or is leased. */
static unsigned
indexes(const struct host *host, const struct ledger *ledger, uint64_t pf)
{
	const struct host_func *func = host_at(host, pf);
	unsigned n = func ? func->num_vfs : 0;
	for (size_t i = 0; i < ledger->nrecords; i++) {
		const struct ledger_record *record = &ledger->record[i];
		if (record->func == pf && record->holder[0] && record->index >= (int)n) {
			n = (unsigned)record->index + 1;
		}
	}
	return n;
}

/* How many ids the port carries. */
static unsigned
count_ids(const struct host *host, const struct ledger *ledger, uint64_t pf, const struct vlan_change *change,
	struct vlan_users *users)
{
	struct ledger_vlans all = {0}, ids;
	unsigned n = indexes(host, ledger, pf);
	for (unsigned index = 0; index < n; index++) {
		const struct ledger_record *record = ledger_find(ledger, pf, (int)index);
		vlans_of(host, record, pf, index, change, &ids);
		for (unsigned i = 0; i < sizeof(all.bits) / sizeof(all.bits[0]); i++) {
			all.bits[i] |= ids.bits[i];
		}
		unsigned count = ledger_vlans_count(&ids);
		if (users && count) {
			users_add(users, index, count, record ? record->holder : "");
		}
	}
	return ledger_vlans_count(&all);
}

enum err_code
rules_vlans(const struct host *host, const struct ledger *ledger, const struct host_func *vf, const struct vfset *want,
	const struct ledger_vlans *vlans, struct err *err)
{
	struct vlan_change change = {.index = vf->index, .set = want, .vlans = vlans};
	struct vlan_users users = {0};
	unsigned n = count_ids(host, ledger, vf->pf, &change, &users);
	/* What is over the limit already may become less. */
	if (n <= RULES_VLANS_MAX || n <= count_ids(host, ledger, vf->pf, NULL, NULL)) {
		return ERR_NONE;
	}
	char name[HOST_TEXT_SIZE] = "its port", list[200] = "";
	const struct host_func *pf = host_at(host, vf->pf);
	if (pf) {
		host_name(host, pf, name);
	}
	for (size_t i = 0; i < users.n; i++) {
		const char *holder = users.user[i].holder;
		list_add(list, sizeof(list), "%.24s:%u%s%.24s%s %u", name, users.user[i].index, holder[0] ? " (" : "", holder,
			holder[0] ? ")" : "", users.user[i].count);
	}
	err_set(err, ERR_REFUSED, "%s would carry %u VLAN ids, and %u is the most for all VFs of a port", name, n,
		RULES_VLANS_MAX);
	return err_hint(err, "most have %s", list);
}

/* ---- taking it from its driver -------------------------------------------------------------------------------------- */

/* The driver that DPDK needs it to keep; NULL: none. */
static const struct rules_driver *
staying(const struct host *host, const struct host_func *func)
{
	const struct host_func *pf = func->role == HOST_VF ? host_at(host, func->pf) : NULL;
	const struct rules_driver *driver = rules_driver(pf ? pf->driver : func->driver);
	return driver->stays ? driver : NULL;
}

/* Somebody's process has it, or one of the VFs that it would take along. */
static const struct host_use *
process_on(const struct host *host, const struct host_func *func, const struct host_func **which)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		const struct host_func *other = &host->func[i];
		if (other->addr != func->addr && (other->role != HOST_VF || other->pf != func->addr)) {
			continue;
		}
		for (size_t k = 0; k < other->nuses; k++) {
			if (other->use[k].pid) {
				*which = other;
				return &other->use[k];
			}
		}
	}
	return NULL;
}

/* Is the host reached over it? */
static enum err_code
iface_carries(const struct host_if *iface, struct err *err)
{
	if (iface->login[0]) {
		return err_set(err, ERR_REFUSED, "the login from %s comes over %s", iface->login, iface->name);
	}
	if (iface->route[0] && strcmp(iface->route, iface->name) != 0) {
		return err_set(err, ERR_REFUSED, "the default route goes over %s, and so over %s", iface->route, iface->name);
	}
	if (iface->route[0]) {
		return err_set(err, ERR_REFUSED, "the default route goes over %s", iface->name);
	}
	return ERR_NONE;
}

enum err_code
rules_carries(const struct host_func *func, struct err *err)
{
	for (size_t i = 0; i < func->nifaces; i++) {
		if (iface_carries(&func->iface[i], err)) {
			return err_hint(err, "--force does it nevertheless");
		}
	}
	return ERR_NONE;
}

/* What one of its interfaces is needed for. */
static enum err_code
iface_needed(const struct host_if *iface, struct err *err)
{
	if (iface_carries(iface, err)) {
		return ERR_REFUSED;
	}
	if (iface->upper[0]) {
		return err_set(err, ERR_REFUSED, "%s is below %s", iface->name, iface->upper);
	}
	if (iface->has_address) {
		return err_set(err, ERR_REFUSED, "%s has addresses", iface->name);
	}
	return ERR_NONE;
}

static enum err_code
func_needed(const struct host *host, const struct host_func *func, const char *driver, struct err *err)
{
	char name[HOST_TEXT_SIZE];
	host_name(host, func, name);
	const struct rules_driver *stays = staying(host, func);
	if (stays && strcmp(driver, stays->name) != 0 && strcmp(driver, stays->vf_driver) != 0 && strcmp(driver, "kernel") != 0) {
		err_set(err, ERR_REFUSED, "%s works only with %s: DPDK drives it through that, too", name, stays->name);
		return err_hint(err, "leave it as it is and give it to the engine; for a virtual machine, --force");
	}
	for (size_t i = 0; i < func->nifaces; i++) {
		if (iface_needed(&func->iface[i], err)) {
			return err_hint(err, "--force takes it nevertheless");
		}
	}
	if (host_is_storage(func) && func->driver[0] && !rules_passes(func->driver)) {
		err_set(err, ERR_REFUSED, "%s carries storage, and %s works on its disks", name, func->driver);
		return err_hint(err, "make sure that nothing of it is mounted; --force takes it then");
	}
	if (func->nuses) {
		err_set(err, ERR_REFUSED, "%s is in use: %s", name, func->use[0].by);
		return err_hint(err, "--force takes it nevertheless");
	}
	if (func->role == HOST_PF && func->num_vfs) {
		err_set(err, ERR_REFUSED, "%s would take its %u VF%s along", name, func->num_vfs, func->num_vfs > 1 ? "s" : "");
		return err_hint(err, "vfctl numvfs %s 0 first", name);
	}
	return ERR_NONE;
}

enum err_code
rules_rebind(const struct host *host, const struct host_func *func, const char *driver, bool forced, struct err *err)
{
	char name[HOST_TEXT_SIZE];
	const struct host_func *which = NULL;
	if (func->driver[0] && strcmp(driver, func->driver) == 0) {
		return ERR_NONE;
	}
	if (host_is_bridge(func)) {
		err_set(err, ERR_REFUSED, "%s is a bridge: other functions are behind it", host_name(host, func, name));
		return err_hint(err, "it stays with the kernel; vfio does not need it");
	}
	const struct host_use *use = process_on(host, func, &which);
	if (use) {
		err_set(err, ERR_REFUSED, "%s is in use: %s", host_name(host, which, name), use->by);
		return err_hint(err, "end it first: the kernel would wait for it");
	}
	return forced ? ERR_NONE : func_needed(host, func, driver, err);
}

/* ---- destroying VFs ------------------------------------------------------------------------------------------------- */

/* Those that are leased or in use, from the VF keep on. */
static unsigned
list_needed(
	const struct host *host, const struct ledger *ledger, const struct host_func *pf, unsigned keep, char *list, size_t size)
{
	unsigned n = 0;
	list[0] = '\0';
	for (unsigned index = keep; index < pf->num_vfs; index++) {
		const struct host_func *vf = host_vf(host, pf->addr, index);
		const struct ledger_record *record = ledger_find(ledger, pf->addr, (int)index);
		bool leased = record && record->holder[0];
		bool used = vf && vf->nuses;
		if (!leased && !used) {
			continue;
		}
		n++;
		list_add(list, size, "%u (%s%s%s%s)", index, leased ? "leased to " : "", leased ? record->holder : "",
			leased && used ? "; " : "", used ? vf->use[0].by : "");
	}
	return n;
}

enum err_code
rules_port(const struct host *host, const struct ledger *ledger, const struct host_func *port, bool off, struct err *err)
{
	char name[HOST_TEXT_SIZE], list[240];
	enum err_code code = rules_carries(port, err);
	for (unsigned i = 0; i < port->num_vfs && !code; i++) {
		const struct host_func *vf = host_vf(host, port->addr, i);
		code = vf ? rules_carries(vf, err) : ERR_NONE;
	}
	unsigned n = !code && off ? list_needed(host, ledger, port, 0, list, sizeof(list)) : 0;
	if (n) {
		err_set(err, ERR_REFUSED, "with %.40s off, no link would have its VF%s %s", host_name(host, port, name),
			n > 1 ? "s" : "", list);
		return err_hint(err, "--force does it nevertheless");
	}
	return code;
}

enum err_code
rules_destroy(const struct host *host, const struct ledger *ledger, const struct host_func *pf, unsigned keep, struct err *err)
{
	char name[HOST_TEXT_SIZE], list[240];
	unsigned n = list_needed(host, ledger, pf, keep, list, sizeof(list));
	if (n == 0) {
		return ERR_NONE;
	}
	err_set(err, ERR_REFUSED, "%.40s would lose VF%s %s", host_name(host, pf, name), n > 1 ? "s" : "", list);
	return err_hint(err, "vfctl vf release %.60s:N gives a lease back; end what uses them", name);
}
