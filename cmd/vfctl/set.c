/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vf set: what the PF keeps for a VF. */
#include "words.h"

static enum err_code
plan(const struct vfctl *v, struct host_func *vf, struct ledger_entry *entry, struct err *err)
{
	struct plan_input in = vfctl_input(v);
	struct vfset want;
	words_vfset(v->cli, &v->host, vf, -1, &want);
	return plan_set(&in, vf, &want, entry, err);
}

enum err_code
vf_set_check(const struct cli *cli, struct err *err)
{
	return words_some(cli, err);
}

enum err_code
vf_set_run(struct cli *cli, struct err *err)
{
	return words_change(cli, "vf", HOST_WANT_VF, plan, err);
}
