/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What plans have in common; settings of a VF; drivers. */
#include <string.h>

#include "vf/plan_int.h"

#define TAG_C 0x8100 /* IEEE 802.1Q-2018 table 9-1 */

uint64_t
plan_ids(const struct host *host, const struct host_func *func)
{
	const struct host_func *card = func->role == HOST_VF ? host_at(host, func->pf) : func;
	return card ? (uint64_t)card->vendor << 48 | (uint64_t)card->device << 32 | (uint64_t)card->subvendor << 16 |
			       card->subdevice
		    : 0;
}

bool
plan_moved(const struct host *host, const struct host_func *func, const struct ledger_record *record)
{
	uint64_t ids = plan_ids(host, func);
	return record && record->ids && ids && record->ids != ids;
}

void
plan_begin(const struct plan_input *in, enum ledger_op op, const struct host_func *func, struct ledger_entry *entry)
{
	bool vf = func->role == HOST_VF;
	*entry = (struct ledger_entry){.op = op,
		.phase = LEDGER_BEGIN,
		.func = vf ? func->pf : func->addr,
		.index = vf ? (int)func->index : -1,
		.ids = plan_ids(in->host, func)};
}

enum err_code
plan_end(struct ledger_entry *entry, enum err_code code)
{
	if (code) {
		ledger_entry_free(entry);
	}
	return code;
}

enum err_code
plan_step(struct ledger_entry *entry, const struct step *step, struct err *err)
{
	return steps_add(&entry->steps, step) ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
}

bool
plan_is_there(const struct host *host, const struct host_func *func)
{
	return func->role == HOST_VF ? host_vf(host, func->pf, func->index) != NULL : host_at(host, func->addr) != NULL;
}

/* ---- settings -------------------------------------------------------------------------------------------------------- */

struct vfset
plan_fresh(const char *pf_driver)
{
	static const char *const checking[] = {"igb", "ixgbe", "i40e", "ice"}; /* the spoof check of a new VF is on */
	struct vfset fresh = {.has = VFSET_ALL, .proto = TAG_C};
	for (size_t i = 0; i < sizeof(checking) / sizeof(checking[0]); i++) {
		fresh.spoofchk = fresh.spoofchk || strcmp(checking[i], pf_driver) == 0;
	}
	return fresh;
}

static enum err_code
add_bit(const struct host_func *vf, const struct vfset *fresh, const struct vfset *want, unsigned bit, struct ledger_entry *entry,
	struct err *err)
{
	struct step step = {.kind = STEP_VFSET, .func = vf->pf, .index = vf->index};
	const struct vfset *from = vf->set.has & bit ? &vf->set : fresh;
	if (from == &vf->set || bit != VFSET_MAC) {
		vfset_copy(&step.from.set, from, bit);
		step.from.set.has = bit;
	}
	vfset_copy(&step.to.set, want, bit);
	step.to.set.has = bit;
	return plan_step(entry, &step, err);
}

/* It is the port's interface that is asked. */
static enum err_code
check_port(const struct host *host, const struct host_func *vf, const struct host_func *pf, struct err *err)
{
	char name[HOST_TEXT_SIZE];
	if (!pf || pf->nifaces) {
		return ERR_NONE;
	}
	err_set(err, ERR_REFUSED, "%s cannot be set: its PF has no interface here", host_name(host, vf, name));
	return err_hint(err, "it is in another network namespace, or has no kernel driver");
}

enum err_code
plan_vfset(const struct plan_input *in, const struct host_func *vf, const struct vfset *want, bool back,
	struct ledger_entry *entry, struct err *err)
{
	const struct host_func *pf = host_at(in->host, vf->pf);
	struct vfset fresh = plan_fresh(pf ? pf->driver : "");
	enum err_code code = want->has ? check_port(in->host, vf, pf, err) : ERR_NONE;
	for (unsigned i = 0; i < VFSET_COUNT && !code; i++) {
		unsigned bit = 1u << (back ? VFSET_COUNT - 1 - i : i);
		if (want->has & bit) {
			code = add_bit(vf, &fresh, want, bit, entry, err);
		}
	}
	return code;
}

/* Frames would take another way, or none. */
enum err_code
plan_cuts(const struct plan_input *in, const struct host_func *vf, const struct vfset *need, struct err *err)
{
	bool cuts = need->has & (VFSET_MAC | VFSET_VLAN | VFSET_LINK);
	return cuts && !in->forced ? rules_carries(vf, err) : ERR_NONE;
}

enum err_code
plan_set(const struct plan_input *in, struct host_func *vf, const struct vfset *want, struct ledger_entry *entry, struct err *err)
{
	struct vfset need = {0};
	plan_begin(in, LEDGER_SET, vf, entry);
	vfset_copy(&need, want, vfset_diff(&vf->set, want));
	need.has = vfset_diff(&vf->set, want);
	if (!need.has) {
		return ERR_NONE;
	}
	enum err_code code = rules_set(in->host, vf, &need, err);
	code = code ? code : rules_leased_mac(in->host, in->ledger, vf, &need, err);
	code = code ? code : plan_cuts(in, vf, &need, err);
	if (!code && need.has & VFSET_VLAN) {
		code = rules_vlans(in->host, in->ledger, vf, &need, NULL, err);
	}
	return plan_end(entry, code ? code : plan_vfset(in, vf, &need, false, entry, err));
}

/* ---- drivers --------------------------------------------------------------------------------------------------------- */

const char *
plan_natural(const struct host *host, const struct host_func *func)
{
	const struct host_func *pf = func->role == HOST_VF ? host_at(host, func->pf) : NULL;
	const char *driver = pf ? rules_driver(pf->driver)->vf_driver : NULL;
	return driver ? driver : "";
}

static void
name_value(struct step_value *value, const char *driver, const char *override)
{
	*value = (struct step_value){0};
	memcpy(value->text, driver, strlen(driver) + 1);
	memcpy(value->text2, override, strlen(override) + 1);
}

enum err_code
plan_driver(const struct host *host, const struct host_func *func, const char *word, struct step_value *to, struct err *err)
{
	const char *natural = plan_natural(host, func);
	if (word[0] && !rules_driver_name(word)) {
		err_set(err, ERR_USAGE, "%.40s is not a driver's name", word);
		return err_hint(err, "vfio-pci, xen-pciback, a kernel driver, kernel for its own, or none");
	}
	if (strcmp(word, "none") == 0) {
		name_value(to, "", "");
	} else if (strcmp(word, STEP_KERNEL) != 0) {
		name_value(to, word, strcmp(word, natural) == 0 ? "" : word);
	} else if (natural[0]) {
		name_value(to, natural, "");
	} else if (func->driver[0] && !func->override[0] && !rules_passes(func->driver)) {
		name_value(to, func->driver, "");
	} else {
		name_value(to, STEP_KERNEL, "");
	}
	return ERR_NONE;
}

enum err_code
plan_rebind(const struct plan_input *in, const struct host_func *func, const struct step_value *to, bool exact,
	struct ledger_entry *entry, struct err *err)
{
	struct step step = {.kind = STEP_DRIVER, .func = entry->func, .index = entry->index, .to = *to};
	char name[HOST_TEXT_SIZE];
	bool stays = strcmp(func->driver, to->text) == 0;
	if (stays && (!exact || strcmp(func->override, to->text2) == 0)) {
		return ERR_NONE;
	}
	if (!stays && func->role == HOST_PF && func->num_vfs) {
		host_name(in->host, func, name);
		err_set(err, ERR_REFUSED, "%s has %u VF%s, which would be lost with its driver", name, func->num_vfs,
			func->num_vfs > 1 ? "s" : "");
		return err_hint(err, "vfctl numvfs %s 0 first", name);
	}
	enum err_code code = rules_rebind(in->host, func, to->text, in->forced, err);
	if (code) {
		return code;
	}
	name_value(&step.from, func->driver, func->override);
	return plan_step(entry, &step, err);
}

enum err_code
plan_bind(const struct plan_input *in, struct host_func *func, const char *driver, struct ledger_entry *entry, struct err *err)
{
	struct step_value to;
	plan_begin(in, LEDGER_BIND, func, entry);
	enum err_code code = plan_driver(in->host, func, driver, &to, err);
	return plan_end(entry, code ? code : plan_rebind(in, func, &to, false, entry, err));
}

enum err_code
plan_unbind(const struct plan_input *in, struct host_func *func, struct ledger_entry *entry, struct err *err)
{
	struct step_value to;
	const struct ledger_record *record = ledger_of(in->ledger, func);
	bool bound = record && record->bound;
	enum err_code code = ERR_NONE;
	plan_begin(in, LEDGER_UNBIND, func, entry);
	if (bound) {
		name_value(&to, record->former, record->former_override);
	} else if (func->driver[0] || func->override[0]) {
		code = plan_driver(in->host, func, STEP_KERNEL, &to, err);
	} else {
		return ERR_NONE; /* it was given back already */
	}
	return plan_end(entry, code ? code : plan_rebind(in, func, &to, bound, entry, err));
}
