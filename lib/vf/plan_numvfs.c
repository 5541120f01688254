/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The number of VFs. Between two numbers that are not 0 all VFs are destroyed and made anew, so that a plan takes each setting
 * and driver of the old ones to what a new VF has, makes the number, and puts back what those that are there again had.
 *
 * The last are steps from a thing to itself: undone, they do nothing to VFs that go away anyway, and need not guess what
 * those were like when they were new.
 */
#include <string.h>

#include "vf/plan_int.h"

struct change {
	const struct plan_input *in;
	const struct host_func *pf;
	const struct rules_driver *driver;
	unsigned old, new;
	bool old_probe, new_probe;
	struct vfset fresh;
	struct ledger_entry *entry;
	struct err *err;
};

/* What a VF has and will have again must be known: a tenant's without its VLAN would be in the native one. */
static enum err_code
check_seen(const struct change *c)
{
	char name[HOST_TEXT_SIZE];
	unsigned kept = c->old < c->new ? c->old : c->new;
	for (unsigned i = 0; i < kept && c->old != c->new && c->driver->sets &&host_is_network(c->pf); i++) {
		const struct host_func *vf = host_vf(c->in->host, c->pf->addr, i);
		if (vf && !vf->set.has) {
			err_set(c->err, ERR_REFUSED, "the settings of %s cannot be seen, and could not be put back",
				host_name(c->in->host, vf, name));
			return err_hint(c->err,
				"is its port in another network namespace? vfctl numvfs %.60s 0 gives all settings up",
				host_name(c->in->host, c->pf, name));
		}
	}
	return ERR_NONE;
}

static enum err_code
check(const struct change *c)
{
	const struct host_func *pf = c->pf;
	const struct ledger_record *record = ledger_of(c->in->ledger, pf);
	char name[HOST_TEXT_SIZE];
	host_name(c->in->host, pf, name);
	if (c->new > pf->total_vfs) {
		err_set(c->err, ERR_REFUSED, "%s (%s) can have %u VFs at most, not %u", name,
			pf->driver[0] ? pf->driver : "no driver", pf->total_vfs, c->new);
		return err_hint(c->err, "that is the word of the device and its driver (sriov_totalvfs)");
	}
	if (record && record->holder[0]) {
		return err_set(c->err, ERR_REFUSED, "%s as a whole is leased to %s (generation %llu)", name, record->holder,
			(unsigned long long)record->generation);
	}
	if (c->new && c->new != c->old && c->driver->needs_up && !(pf->nifaces && pf->iface[0].up)) {
		err_set(c->err, ERR_REFUSED, "%s makes VFs only while the port is up, and %s is not", pf->driver, name);
		return err_hint(c->err, "vfctl port set %s up on", name);
	}
	enum err_code code = c->new == c->old ? ERR_NONE : rules_destroy(c->in->host, c->in->ledger, pf, 0, c->err);
	return code ? code : check_seen(c);
}

/* What the VF has that a new one has not, and that can be set. */
static unsigned
own_bits(const struct change *c, const struct host_func *vf)
{
	return vfset_diff(&c->fresh, &vf->set) & c->driver->sets & vf->set.has;
}

/* Would the driver refuse to take it to what a new VF has, or might it, for all we know of it? Then destroying it must do. */
static bool
sticks(const struct change *c, unsigned bit)
{
	const struct rules_driver *driver = c->driver;
	bool link = c->pf->nifaces && c->pf->iface[0].carrier;
	return !driver->name[0] || (bit == VFSET_MAC && !driver->zero_mac) ||
	       (bit == VFSET_RATE && (driver->rate_stays || (driver->rate_link && !link)));
}

static enum err_code
add_settings(const struct change *c, const struct host_func *vf, bool again)
{
	unsigned bits = own_bits(c, vf);
	enum err_code code = ERR_NONE;
	for (unsigned bit = 1; bit & VFSET_ALL && !code; bit <<= 1) {
		struct step step = {.kind = STEP_VFSET, .func = c->pf->addr, .index = vf->index};
		if (!(bits & bit)) {
			continue;
		}
		vfset_copy(&step.from.set, &vf->set, bit);
		vfset_copy(&step.to.set, again || sticks(c, bit) ? &vf->set : &c->fresh, bit);
		step.from.set.has = step.to.set.has = bit;
		code = plan_step(c->entry, &step, c->err);
	}
	return code;
}

/* Before (again false): away from its driver, which the destruction would do. After: to the one it had. */
static enum err_code
add_driver(const struct change *c, const struct host_func *vf, bool again)
{
	struct step step = {.kind = STEP_DRIVER, .func = c->pf->addr, .index = vf->index};
	const char *fresh = (again ? c->new_probe : c->old_probe) ? plan_natural(c->in->host, vf) : "";
	if (strcmp(vf->driver, fresh) == 0 && !vf->override[0]) {
		return ERR_NONE;
	}
	memcpy(step.from.text, vf->driver, sizeof(step.from.text));
	memcpy(step.from.text2, vf->override, sizeof(step.from.text2));
	if (again) {
		step.to = step.from;
	}
	return plan_step(c->entry, &step, c->err);
}

/* It had no address. The kernel's driver, which is given a new VF before it has its own again, makes one up. */
static enum err_code
add_no_mac(const struct change *c, const struct host_func *vf)
{
	struct step step = {.kind = STEP_VFSET, .func = c->pf->addr, .index = vf->index};
	const char *natural = plan_natural(c->in->host, vf);
	unsigned known = vf->set.has & c->driver->sets & VFSET_MAC;
	if (!known || vf->set.mac || !c->driver->zero_mac || !c->new_probe || strcmp(vf->driver, natural) == 0) {
		return ERR_NONE;
	}
	step.from.set.has = step.to.set.has = VFSET_MAC;
	return plan_step(c->entry, &step, c->err);
}

/* What the VF shall have again is asked before anything is lost. */
static enum err_code
check_again(const struct change *c, const struct host_func *vf)
{
	struct vfset own = vf->set;
	struct err why = {0};
	char name[HOST_TEXT_SIZE];
	own.has = own_bits(c, vf);
	if (!own.has || rules_set(c->in->host, vf, &own, &why) == ERR_NONE) {
		return ERR_NONE;
	}
	err_set(c->err, ERR_REFUSED, "%.40s could not get back what it has: %.240s", host_name(c->in->host, vf, name),
		why.message);
	return err_hint(c->err, "vfctl numvfs %.40s 0 gives all of it up", host_name(c->in->host, c->pf, name));
}

static enum err_code
add_vfs(const struct change *c, unsigned n, bool again)
{
	enum err_code code = ERR_NONE;
	for (unsigned i = 0; i < n && !code; i++) {
		const struct host_func *vf = host_vf(c->in->host, c->pf->addr, i);
		if (!vf) {
			continue;
		}
		code = again ? check_again(c, vf) : ERR_NONE;
		if (!code) {
			code = again ? add_settings(c, vf, true) : add_driver(c, vf, false);
		}
		if (!code) {
			code = again ? add_driver(c, vf, true) : add_settings(c, vf, false);
		}
		if (!code && again) {
			code = add_no_mac(c, vf);
		}
	}
	return code;
}

static enum err_code
add_autoprobe(const struct change *c)
{
	struct step step = {.kind = STEP_AUTOPROBE, .func = c->pf->addr, .index = -1};
	step.from.number = c->old_probe;
	step.to.number = c->new_probe;
	return c->old_probe == c->new_probe ? ERR_NONE : plan_step(c->entry, &step, c->err);
}

static enum err_code
add_number(const struct change *c)
{
	struct step step = {.kind = STEP_NUMVFS, .func = c->pf->addr, .index = -1};
	step.from.number = c->old;
	step.to.number = c->new;
	return plan_step(c->entry, &step, c->err);
}

/*
 * The probing must be the new one before VFs are made, and when this is undone the old one before the old VFs are made again:
 * the step stands on both sides of the number.
 */
static enum err_code
add_all(const struct change *c)
{
	if (c->new == c->old) {
		return add_autoprobe(c);
	}
	enum err_code code = add_vfs(c, c->old, false);
	if (!code && c->new) {
		code = add_autoprobe(c);
	}
	if (!code) {
		code = add_number(c);
	}
	if (!code && c->old) {
		code = add_autoprobe(c);
	}
	return code ? code : add_vfs(c, c->old < c->new ? c->old : c->new, true);
}

enum err_code
plan_numvfs(
	const struct plan_input *in, struct host_func *pf, unsigned n, int autoprobe, struct ledger_entry *entry, struct err *err)
{
	struct change c = {
		.in = in,
		.pf = pf,
		.driver = rules_driver(pf->driver),
		.old = pf->num_vfs,
		.new = n,
		.old_probe = pf->autoprobe,
		.new_probe = autoprobe < 0 ? pf->autoprobe : autoprobe > 0,
		.fresh = plan_fresh(pf->driver),
		.entry = entry,
		.err = err,
	};
	plan_begin(in, LEDGER_NUMVFS, pf, entry);
	enum err_code code = check(&c);
	return plan_end(entry, code ? code : add_all(&c));
}
