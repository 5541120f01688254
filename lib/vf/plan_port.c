/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Physical ports: set, and reset to what was recorded before the first set. */
#include "vf/plan_int.h"

/* What one request sets. Speed and duplex come first, the link goes up last. */
static const unsigned groups[] = {
	PORTSET_SPEED | PORTSET_DUPLEX | PORTSET_AUTONEG,
	PORTSET_PAUSE_AUTONEG | PORTSET_PAUSE_RX | PORTSET_PAUSE_TX,
	PORTSET_MTU,
	PORTSET_UP,
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static enum err_code
check(const struct plan_input *in, const struct host_func *func, const struct portset *want, struct err *err)
{
	char name[HOST_TEXT_SIZE];
	host_name(in->host, func, name);
	if (!func->nifaces) {
		err_set(err, ERR_REFUSED, "%s has no interface here: its port cannot be set", name);
		return err_hint(err, "it is in another network namespace, or has no kernel driver");
	}
	bool off = portset_diff(&func->iface[0].set, want) & PORTSET_UP && !want->up;
	return in->forced ? ERR_NONE : rules_port(in->host, in->ledger, func, off, err);
}

/* What undoes the step. What the two sides of a link have negotiated is no setting. */
static struct portset
former(const struct portset *have, unsigned bits)
{
	struct portset from = {0};
	if (bits & (PORTSET_SPEED | PORTSET_DUPLEX)) {
		bits |= PORTSET_AUTONEG;
	}
	if (have->has & PORTSET_AUTONEG && have->autoneg) {
		bits &= ~(PORTSET_SPEED | PORTSET_DUPLEX);
	}
	bits &= have->has;
	portset_copy(&from, have, bits);
	from.has = bits;
	return from;
}

static enum err_code
add_group(const struct host_func *func, const struct portset *want, unsigned bits, struct ledger_entry *entry, struct err *err)
{
	struct step step = {.kind = STEP_PORTSET, .func = func->addr, .index = -1};
	step.from.port = former(&func->iface[0].set, bits);
	portset_copy(&step.to.port, want, bits);
	step.to.port.has = bits;
	return plan_step(entry, &step, err);
}

enum err_code
plan_port(const struct plan_input *in, struct host_func *func, const struct portset *want, struct ledger_entry *entry,
	struct err *err)
{
	plan_begin(in, LEDGER_PORT_SET, func, entry);
	if (func->nifaces && !portset_diff(&func->iface[0].set, want)) {
		return ERR_NONE;
	}
	enum err_code code = check(in, func, want, err);
	for (size_t i = 0; i < GROUPS && !code; i++) {
		if (portset_diff(&func->iface[0].set, want) & groups[i]) {
			code = add_group(func, want, want->has & groups[i], entry, err);
		}
	}
	return plan_end(entry, code);
}

/* Which speeds are offered in negotiation cannot be seen here: that they are all offered again is asked for in any case. */
enum err_code
plan_port_reset(const struct plan_input *in, struct host_func *func, struct ledger_entry *entry, struct err *err)
{
	const struct ledger_record *record = ledger_of(in->ledger, func);
	plan_begin(in, LEDGER_PORT_RESET, func, entry);
	if (!record || !record->defaults.has) {
		return ERR_NONE;
	}
	const struct portset *want = &record->defaults;
	enum err_code code = check(in, func, want, err);
	for (size_t i = 0; i < GROUPS && !code; i++) {
		unsigned differ = portset_diff(&func->iface[0].set, want) & groups[i];
		bool offers = want->has & groups[i] & PORTSET_AUTONEG && want->autoneg;
		if (differ || offers) {
			code = add_group(func, want, want->has & groups[i], entry, err);
		}
	}
	return plan_end(entry, code);
}
