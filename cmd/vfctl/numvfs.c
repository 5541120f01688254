/* SPDX-License-Identifier: GPL-3.0-or-later */
/* numvfs: how many VFs a PF has. */
#include <string.h>

#include "words.h"

static enum err_code
plan(const struct vfctl *v, struct host_func *pf, struct ledger_entry *entry, struct err *err)
{
	struct plan_input in = vfctl_input(v);
	const char *probe = words_text(v->cli, "autoprobe");
	return plan_numvfs(&in, pf, (unsigned)cli_number(v->cli, "count"), probe ? strcmp(probe, "on") == 0 : -1, entry, err);
}

enum err_code
numvfs_run(struct cli *cli, struct err *err)
{
	return words_change(cli, "pf", HOST_WANT_PF, plan, err);
}
