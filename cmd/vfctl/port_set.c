/* SPDX-License-Identifier: GPL-3.0-or-later */
/* port set and port reset: speed, duplex, autonegotiation, flow control, MTU, up and down. */
#include "words.h"

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
