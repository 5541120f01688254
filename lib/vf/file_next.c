/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the file of "vfctl apply" and the host as it stands to the next thing to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vf/file.h"
#include "vf/plan_int.h"

struct work {
	const struct file *file;
	const struct plan_input *in;
	const struct file_skip *skip;
	char *path;
	struct ledger_entry *entry;
	struct err *err;
};

/* ---- labels ---------------------------------------------------------------------------------------------------------------- */

static const struct file_port *
port_of(struct host_func *const *found, const struct file *file, const struct host_func *func)
{
	for (size_t i = 0; i < file->nports; i++) {
		if (found[i] == func) {
			return &file->port[i];
		}
	}
	return NULL;
}

static enum err_code
find_ports(const struct file *file, const struct host *host, struct host_func **found, struct err *err)
{
	for (size_t i = 0; i < file->nports; i++) {
		struct err why;
		if (host_find(host, file->port[i].name, HOST_WANT_PF, &found[i], &why)) {
			found[i] = NULL;
			continue;
		}
		for (size_t k = 0; k < i; k++) {
			if (found[k] == found[i]) {
				return err_set(err, ERR_USAGE, "ports.%.48s: is ports.%.48s under another name",
					file->port[i].name, file->port[k].name);
			}
		}
	}
	return ERR_NONE;
}

enum err_code
file_label(const struct file *file, struct host *host, struct err *err)
{
	struct host_func **found = calloc(file->nports + 1, sizeof(struct host_func *));
	if (!found) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	/* All are found before the first is labelled: what a key means does not hang on the labels of the same file. */
	enum err_code code = find_ports(file, host, found, err);
	for (size_t i = 0; i < host->nfuncs && !code; i++) {
		struct host_func *func = &host->func[i];
		const struct file_port *port = port_of(found, file, func);
		for (size_t k = 0; k < file->nports && func->label[0]; k++) {
			if (found[k] && found[k] != func && strcmp(file->port[k].label, func->label) == 0) {
				func->label[0] = '\0';
			}
		}
		if (port && port->label[0]) {
			snprintf(func->label, sizeof(func->label), "%s", port->label);
		}
	}
	free(found);
	return code;
}

/* ---- parts ----------------------------------------------------------------------------------------------------------------- */

/* Is the part left out? Sets the path, too. */
static bool
skipped(struct work *w, const char *kind, const char *name, const char *rest)
{
	char shown[HOST_TEXT_SIZE];
	snprintf(shown, sizeof(shown), "%s", name);
	for (char *p = shown; *p; p++) {
		*p = (unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f ? '?' : *p;
	}
	snprintf(w->path, FILE_PATH_SIZE, "%s.%s%s", kind, shown, rest);
	for (size_t i = 0; i < w->skip->n; i++) {
		if (strcmp(w->skip->path[i], w->path) == 0) {
			return true;
		}
	}
	return false;
}

/* A plan without steps is no next thing. True: this is the answer. */
static bool
found(struct work *w, enum err_code code)
{
	if (code == ERR_NONE && w->entry->steps.n == 0) {
		ledger_entry_free(w->entry);
		*w->entry = (struct ledger_entry){0};
		return false;
	}
	return true;
}

/* The port of the file on the host; NULL: it is not there, which the first part of it has said. */
static struct host_func *
port_func(const struct work *w, const struct file_port *port)
{
	struct host_func *func;
	struct err why;
	return host_find(w->in->host, port->name, HOST_WANT_PF, &func, &why) ? NULL : func;
}

/* A driver that is still loading: without it the port has no VFs, without its interface no settings. */
static enum err_code
fail_early(struct work *w, const struct file_port *port, const char *what)
{
	return err_set(w->err, ERR_NOT_FOUND, "%.60s has no %s", port->name, what);
}

static bool
next_numvfs(struct work *w, enum err_code *code)
{
	for (size_t i = 0; i < w->file->nports; i++) {
		const struct file_port *port = &w->file->port[i];
		struct host_func *pf;
		if (skipped(w, "ports", port->name, ".numvfs")) {
			continue;
		}
		*code = host_find(w->in->host, port->name, HOST_WANT_PF, &pf, w->err);
		if (*code) {
			return true;
		}
		bool number = port->numvfs >= 0 && port->numvfs != pf->num_vfs;
		if (!number && (port->autoprobe < 0 || port->autoprobe == pf->autoprobe)) {
			continue;
		}
		*code = pf->driver[0] ? ERR_NONE : fail_early(w, port, "driver");
		if (*code) {
			return true;
		}
		*code = plan_numvfs(w->in, pf, number ? (unsigned)port->numvfs : pf->num_vfs, port->autoprobe, w->entry, w->err);
		if (found(w, *code)) {
			return true;
		}
	}
	return false;
}

static bool
next_port(struct work *w, enum err_code *code)
{
	for (size_t i = 0; i < w->file->nports; i++) {
		const struct file_port *port = &w->file->port[i];
		struct host_func *pf = port_func(w, port);
		if (!pf || !port->set.has || skipped(w, "ports", port->name, "")) {
			continue;
		}
		if (!pf->nifaces) {
			*code = fail_early(w, port, "interface here");
			return true;
		}
		struct portset want = {0};
		portset_copy(&want, &port->set, portset_diff(&pf->iface[0].set, &port->set));
		if (!want.has) {
			continue;
		}
		*code = plan_port(w->in, pf, &want, w->entry, w->err);
		if (found(w, *code)) {
			return true;
		}
	}
	return false;
}

/* ---- VFs ------------------------------------------------------------------------------------------------------------------- */

static const struct ledger_record *
lease_of(const struct work *w, const struct host_func *func)
{
	const struct ledger_record *record = ledger_of(w->in->ledger, func);
	return record && record->holder[0] ? record : NULL;
}

/* A lease is of one card, and its settings are not for another that has come to that address. True: this is the answer. */
static bool
elsewhere(struct work *w, const struct host_func *func, enum err_code *code)
{
	const struct ledger_record *lease = lease_of(w, func);
	char name[HOST_TEXT_SIZE];
	if (!lease || !plan_moved(w->in->host, func, lease)) {
		return false;
	}
	uint64_t now = plan_ids(w->in->host, func);
	host_name(w->in->host, func, name);
	*code = err_set(w->err, ERR_REFUSED, "%.60s is leased to %s, but of %04x:%04x, and now %04x:%04x is there", name,
		lease->holder, (unsigned)(lease->ids >> 48), (unsigned)(lease->ids >> 32 & 0xffff), (unsigned)(now >> 48),
		(unsigned)(now >> 32 & 0xffff));
	err_hint(w->err, "vfctl %s release %.60s holder %s ends that lease", func->role == HOST_VF ? "vf" : "pci", name,
		lease->holder);
	return true;
}

/* What the VF shall be: the lease's word goes before the file's (said, or NULL). */
static void
want_of(const struct work *w, const struct host_func *vf, const struct file_vf *said, struct vfset *want)
{
	const struct ledger_record *lease = lease_of(w, vf);
	*want = said ? said->set : (struct vfset){0};
	if (lease) {
		vfset_copy(want, &lease->set, lease->set.has);
	}
	if (said && said->auto_mac && !(want->has & VFSET_MAC)) {
		want->has |= VFSET_MAC;
		want->mac = rules_auto_mac(w->in->host, vf);
	}
}

static bool
set_vf(struct work *w, struct host_func *vf, const struct file_vf *said, enum err_code *code)
{
	struct vfset want, need = {0};
	if (elsewhere(w, vf, code)) {
		return true;
	}
	want_of(w, vf, said, &want);
	vfset_copy(&need, &want, vfset_diff(&vf->set, &want));
	if (!need.has) {
		return false;
	}
	*code = plan_set(w->in, vf, &need, w->entry, w->err);
	return found(w, *code);
}

/* Where no driver is known to want it, "kernel" is whatever the kernel has made of it. */
static bool
has_driver(const struct host *host, const struct host_func *func, const char *driver)
{
	if (strcmp(driver, STEP_KERNEL) == 0 && !func->override[0]) {
		return func->driver[0] ? !rules_passes(func->driver) : !plan_natural(host, func)[0];
	}
	return strcmp(func->driver, driver) == 0;
}

static bool
bind_func(struct work *w, struct host_func *func, const char *said, enum err_code *code)
{
	const struct ledger_record *lease = lease_of(w, func);
	const char *driver = lease && lease->driver[0] ? lease->driver : said;
	if (elsewhere(w, func, code)) {
		return true;
	}
	if (!driver || has_driver(w->in->host, func, driver)) {
		return false;
	}
	*code = plan_bind(w->in, func, driver, w->entry, w->err);
	return found(w, *code);
}

/* One of the file's VFs; drivers: is it their turn? */
static bool
next_of_vf(struct work *w, size_t p, unsigned index, bool drivers, enum err_code *code)
{
	const struct file_port *port = &w->file->port[p];
	const struct file_vf *said = &port->vf[index];
	char rest[16];
	snprintf(rest, sizeof(rest), ".vfs.%u", index);
	struct host_func *pf = port_func(w, port);
	struct host_func *vf = pf ? host_vf(w->in->host, pf->addr, index) : NULL;
	if (!pf || skipped(w, "ports", port->name, rest)) {
		return false;
	}
	if (vf) {
		return drivers ? bind_func(w, vf, said->has_driver ? said->driver : NULL, code) : set_vf(w, vf, said, code);
	}
	/* Where the number of VFs has failed, that has been said. */
	if (!said->exact || skipped(w, "ports", port->name, ".numvfs")) {
		return false;
	}
	skipped(w, "ports", port->name, rest);
	*code = err_set(w->err, ERR_NOT_FOUND, "there is no VF %u: %.40s has %u", index, port->name, pf->num_vfs);
	err_hint(w->err, "give the port \"numvfs\"");
	return true;
}

static bool
next_vfs(struct work *w, bool drivers, enum err_code *code)
{
	for (size_t p = 0; p < w->file->nports; p++) {
		for (unsigned index = 0; index < FILE_VFS_MAX; index++) {
			const struct file_vf *said = &w->file->port[p].vf[index];
			bool any = said->exact || said->has_driver || said->auto_mac || said->set.has;
			if (any && next_of_vf(w, p, index, drivers, code)) {
				return true;
			}
		}
	}
	return false;
}

/* Leases of functions of which the file says nothing; those of which it does have been seen. */
static bool
next_leases(struct work *w, bool drivers, enum err_code *code)
{
	for (size_t i = 0; i < w->in->host->nfuncs; i++) {
		struct host_func *func = &w->in->host->func[i];
		char name[HOST_TEXT_SIZE];
		if (!lease_of(w, func) || skipped(w, "leases", host_name(w->in->host, func, name), "")) {
			continue;
		}
		if (drivers ? bind_func(w, func, NULL, code) : func->role == HOST_VF && set_vf(w, func, NULL, code)) {
			return true;
		}
	}
	return false;
}

static bool
next_device(struct work *w, enum err_code *code)
{
	for (size_t i = 0; i < w->file->ndevices; i++) {
		const struct file_device *device = &w->file->device[i];
		struct host_func *func;
		if (skipped(w, "devices", device->name, "")) {
			continue;
		}
		*code = host_find(w->in->host, device->name, HOST_WANT_PF | HOST_WANT_PLAIN, &func, w->err);
		if (*code || bind_func(w, func, device->driver, code)) {
			return true;
		}
	}
	return false;
}

enum err_code
file_next(const struct file *file, const struct plan_input *in, const struct file_skip *skip, char path[static FILE_PATH_SIZE],
	struct ledger_entry *entry, struct err *err)
{
	struct work w = {.file = file, .in = in, .skip = skip, .path = path, .entry = entry, .err = err};
	enum err_code code = ERR_NONE;
	*entry = (struct ledger_entry){0};
	if (!next_numvfs(&w, &code) && !next_port(&w, &code) && !next_vfs(&w, false, &code) && !next_leases(&w, false, &code) &&
		!next_vfs(&w, true, &code) && !next_leases(&w, true, &code) && !next_device(&w, &code)) {
		path[0] = '\0';
	}
	entry->by_file = entry->steps.n > 0;
	return code;
}
