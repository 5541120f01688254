/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lease and release: who may use a VF or a device, and what it was like before. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "words.h"

#define ANY ":any"

static bool
is_vf_verb(const struct cli *cli)
{
	return strncmp(cli->verb->name, "vf ", 3) == 0;
}

static const char *
name_of(const struct cli *cli)
{
	return cli_text(cli, is_vf_verb(cli) ? "vf" : "device");
}

/* ---- lease --------------------------------------------------------------------------------------------------------- */

/* With --may-exist "PF:any" is the VF of it that the holder has already. */
static struct host_func *
held_vf(const struct vfctl *v, const struct host_func *pf, const char *holder)
{
	for (unsigned i = 0; i < pf->num_vfs; i++) {
		struct host_func *vf = host_vf(&v->host, pf->addr, i);
		const struct ledger_record *record = vf ? ledger_of(&v->ledger.ledger, vf) : NULL;
		if (record && strcmp(record->holder, holder) == 0) {
			return vf;
		}
	}
	return NULL;
}

static enum err_code
find(const struct vfctl *v, struct host_func **func, struct err *err)
{
	char base[HOST_TEXT_SIZE];
	const char *name = name_of(v->cli);
	struct plan_input in = vfctl_input(v);
	size_t length = strlen(name), tail = strlen(ANY);
	if (!is_vf_verb(v->cli)) {
		return vfctl_func(v, name, HOST_WANT_ANY, func, err);
	}
	if (length <= tail || length - tail >= sizeof(base) || strcmp(name + length - tail, ANY) != 0) {
		return vfctl_func(v, name, HOST_WANT_VF, func, err);
	}
	snprintf(base, sizeof(base), "%.*s", (int)(length - tail), name);
	struct host_func *pf;
	enum err_code code = vfctl_func(v, base, HOST_WANT_PF, &pf, err);
	if (code) {
		return code;
	}
	*func = v->cli->may_exist ? held_vf(v, pf, cli_text(v->cli, "holder")) : NULL;
	if (!*func) {
		*func = plan_free_vf(&in, pf, err);
	}
	return *func ? ERR_NONE : err->code;
}

static enum err_code
read_vlans(const struct cli *cli, struct ledger_vlans *vlans, struct err *err)
{
	const struct cli_value *list = cli_nth(cli, "vlans", 0);
	if (list && strcmp(list->text, "none") == 0) {
		*vlans = (struct ledger_vlans){0};
		return ERR_NONE;
	}
	return list ? ledger_vlans_parse(list->text, vlans, err) : ERR_NONE;
}

enum err_code
lease_check(const struct cli *cli, struct err *err)
{
	struct ledger_vlans vlans;
	return read_vlans(cli, &vlans, err);
}

static enum err_code
lease(struct vfctl *v, struct err *err)
{
	struct host_func *func = NULL;
	struct ledger_entry entry;
	const struct cli_value *driver = cli_nth(v->cli, "driver", 0);
	struct plan_input in = vfctl_input(v);
	struct plan_lease want = {.holder = cli_text(v->cli, "holder"), .driver = driver ? driver->text : NULL};
	int held = 0;
	enum err_code code = find(v, &func, err);
	if (!code) {
		/* What the holder does not say again of its lease stays. */
		const struct ledger_record *record = ledger_of(&v->ledger.ledger, func);
		if (record && strcmp(record->holder, want.holder) == 0) {
			want.vlans = record->vlans;
			held = record->set.has & VFSET_VLAN ? record->set.vlan : 0;
		}
		code = read_vlans(v->cli, &want.vlans, err);
	}
	if (!code && func->role == HOST_VF) {
		words_vfset(v->cli, &v->host, func, held, &want.want);
	}
	if (!code) {
		code = plan_lease(&in, func, &want, &entry, err);
	}
	return code ? code : words_commit(v, func, &entry, err);
}

enum err_code
lease_run(struct cli *cli, struct err *err)
{
	struct vfctl v;
	enum err_code code = vfctl_open_change(cli, &v, err);
	if (!code) {
		code = lease(&v, err);
		vfctl_close(&v);
	}
	return code;
}

/* ---- release ------------------------------------------------------------------------------------------------------- */

static bool
is_there(const struct host *host, const struct ledger_record *record)
{
	return record->index < 0 ? host_at(host, record->func) != NULL
				 : host_vf(host, record->func, (unsigned)record->index) != NULL;
}

/* Cuts "PF:N" and "PFvN". -1: it is no such name. */
static int
cut_index(const char *name, char base[HOST_TEXT_SIZE])
{
	uint64_t index;
	size_t digits = strlen(name);
	while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') {
		digits--;
	}
	if (digits < 2 || digits > HOST_TEXT_SIZE || (name[digits - 1] != ':' && name[digits - 1] != 'v') ||
		!num_parse_u64(name + digits, 0, UINT16_MAX, &index)) {
		snprintf(base, HOST_TEXT_SIZE, "%s", name);
		return -1;
	}
	snprintf(base, HOST_TEXT_SIZE, "%.*s", (int)digits - 1, name);
	return (int)index;
}

/*
 * The lease of a function that has gone (unplugged, or its PF is, or has fewer VFs). The address of its PF finds it; the name of
 * an interface has gone with it, and then holder, generation and index must do.
 */
static const struct ledger_record *
lease_of_gone(const struct vfctl *v, const char *holder, uint64_t generation)
{
	char base[HOST_TEXT_SIZE];
	uint64_t addr;
	struct host_func *pf = NULL;
	const struct ledger *ledger = &v->ledger.ledger;
	const struct ledger_record *found = NULL;
	int index = cut_index(name_of(v->cli), base);
	bool exact = pci_parse(base, &addr);
	if (!exact && vfctl_func(v, base, HOST_WANT_PF, &pf, &(struct err){0}) == ERR_NONE) {
		addr = pf->addr;
		exact = true;
	}
	for (size_t i = 0; i < ledger->nrecords; i++) {
		const struct ledger_record *record = &ledger->record[i];
		if (!record->holder[0] || record->index != index || is_there(&v->host, record)) {
			continue;
		}
		if (exact ? record->func != addr
			  : !(holder || generation) || (holder && strcmp(holder, record->holder) != 0) ||
					(generation && generation != record->generation)) {
			continue;
		}
		if (found) {
			return NULL;
		}
		found = record;
	}
	return found;
}

/* Nothing can be put back, but the lease ends. */
static enum err_code
release_gone(struct vfctl *v, const struct ledger_record *record, const char *holder, uint64_t generation, struct err *err)
{
	struct ledger_entry entry;
	struct plan_input in = vfctl_input(v);
	struct host_func ghost = {.addr = record->func, .group = -1, .numa = -1};
	if (record->index >= 0) {
		ghost.role = HOST_VF;
		ghost.addr = PCI_NONE;
		ghost.pf = record->func;
		ghost.index = (uint16_t)record->index;
	}
	enum err_code code = plan_release(&in, &ghost, holder, generation, &entry, err);
	if (code) {
		return code;
	}
	return vfctl_commit(v, &entry, name_of(v->cli), err);
}

static enum err_code
release(struct vfctl *v, struct err *err)
{
	struct host_func *func;
	struct ledger_entry entry = {.index = -1};
	struct plan_input in = vfctl_input(v);
	const char *holder = cli_text(v->cli, "holder");
	uint64_t generation = cli_number(v->cli, "generation");
	enum err_code code = vfctl_func(v, name_of(v->cli), is_vf_verb(v->cli) ? HOST_WANT_VF : HOST_WANT_ANY, &func, err);
	if (code == ERR_NOT_FOUND) {
		const struct ledger_record *record = lease_of_gone(v, holder, generation);
		if (record) {
			return release_gone(v, record, holder, generation, err);
		}
		return v->cli->if_exists ? vfctl_commit(v, &entry, name_of(v->cli), err) : code;
	}
	if (!code) {
		code = plan_release(&in, func, holder, generation, &entry, err);
	}
	return code ? code : words_commit(v, func, &entry, err);
}

enum err_code
release_run(struct cli *cli, struct err *err)
{
	struct vfctl v;
	enum err_code code = vfctl_open_change(cli, &v, err);
	if (!code) {
		code = release(&v, err);
		vfctl_close(&v);
	}
	return code;
}
