/* SPDX-License-Identifier: GPL-3.0-or-later */
/* numvfs: how many VFs a PF has. */
#include <stdio.h>
#include <string.h>

#include "words.h"

/* VFs that nobody has any use of are lost, too: ask. */
static enum err_code
confirm(const struct vfctl *v, const struct host_func *pf, unsigned n, struct err *err)
{
	char what[2 * HOST_TEXT_SIZE + 40], name[HOST_TEXT_SIZE];
	host_name(&v->host, pf, name);
	if (n >= pf->num_vfs) {
		return ERR_NONE;
	}
	if (n + 1u == pf->num_vfs) {
		snprintf(what, sizeof(what), "take away %s:%u", name, n);
	} else {
		snprintf(what, sizeof(what), "take away %s:%u to %s:%u", name, n, name, pf->num_vfs - 1u);
	}
	return cli_confirm(v->cli, what, err);
}

static enum err_code
plan(const struct vfctl *v, struct host_func *pf, struct ledger_entry *entry, struct err *err)
{
	struct plan_input in = vfctl_input(v);
	const struct cli_value *probe = cli_nth(v->cli, "autoprobe", 0);
	unsigned n = (unsigned)cli_number(v->cli, "count");
	enum err_code code = plan_numvfs(&in, pf, n, probe ? strcmp(probe->text, "on") == 0 : -1, entry, err);
	if (!code) {
		code = confirm(v, pf, n, err);
		if (code) {
			ledger_entry_free(entry);
		}
	}
	return code;
}

enum err_code
numvfs_run(struct cli *cli, struct err *err)
{
	return words_change(cli, "pf", HOST_WANT_PF, plan, err);
}
