/* SPDX-License-Identifier: GPL-3.0-or-later */
/* port set and port reset: speed, duplex, autonegotiation, flow control, MTU, up and down. */
#include "words.h"

#define MBIT UINT64_C(1000000)

static enum err_code
plan(const struct vfctl *v, struct host_func *func, struct ledger_entry *entry, struct err *err)
{
	struct plan_input in = vfctl_input(v);
	struct portset want;
	words_portset(v->cli, &want);
	return plan_port(&in, func, &want, entry, err);
}

static enum err_code
plan_back(const struct vfctl *v, struct host_func *func, struct ledger_entry *entry, struct err *err)
{
	struct plan_input in = vfctl_input(v);
	return plan_port_reset(&in, func, entry, err);
}

enum err_code
port_set_check(const struct cli *cli, struct err *err)
{
	const struct cli_value *speed = cli_nth(cli, "speed", 0);
	if (speed && (speed->number == 0 || speed->number % MBIT)) {
		err_set(err, ERR_USAGE, "speed '%.40s': not a speed of a link", speed->text);
		return err_hint(err, "whole Mbit/s, such as 100M or 10G");
	}
	return words_some(cli, err);
}

enum err_code
port_set_run(struct cli *cli, struct err *err)
{
	return words_change(cli, "port", HOST_WANT_PF | HOST_WANT_PLAIN, plan, err);
}

enum err_code
port_reset_run(struct cli *cli, struct err *err)
{
	return words_change(cli, "port", HOST_WANT_PF | HOST_WANT_PLAIN, plan_back, err);
}
