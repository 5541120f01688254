/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bind and unbind, of VFs and of other devices: who drives them. */
#include <string.h>

#include "words.h"

/* "vf bind" is for VFs, "pci bind" for whatever there is. */
static unsigned
wanted(const struct cli *cli)
{
	return strncmp(cli->verb->name, "vf ", 3) == 0 ? HOST_WANT_VF : HOST_WANT_ANY;
}

static const char *
noun(const struct cli *cli)
{
	return wanted(cli) == HOST_WANT_VF ? "vf" : "device";
}

static enum err_code
plan_it(const struct vfctl *v, struct host_func *func, struct ledger_entry *entry, struct err *err)
{
	struct plan_input in = vfctl_input(v);
	return plan_bind(&in, func, cli_nth(v->cli, "driver", 0)->text, entry, err);
}

static enum err_code
plan_back(const struct vfctl *v, struct host_func *func, struct ledger_entry *entry, struct err *err)
{
	struct plan_input in = vfctl_input(v);
	return plan_unbind(&in, func, entry, err);
}

enum err_code
bind_run(struct cli *cli, struct err *err)
{
	return words_change(cli, noun(cli), wanted(cli), plan_it, err);
}

enum err_code
unbind_run(struct cli *cli, struct err *err)
{
	return words_change(cli, noun(cli), wanted(cli), plan_back, err);
}
