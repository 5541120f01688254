/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a host as it stands to the file that "vfctl apply" finds unchanged. */
#include <stdio.h>
#include <string.h>

#include "vf/file.h"

static bool
put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

/* What it is bound to, when somebody has said so; NULL otherwise. Of a lease's: what comes after it. */
static const char *
kept_driver(const struct host_func *func, const struct ledger_record *record)
{
	bool leased = record && record->holder[0] && record->rebound;
	const char *override = leased ? record->before_override : func->override;
	const char *driver = leased ? record->before_driver : func->driver;
	if (!override[0]) {
		return NULL;
	}
	return driver[0] ? driver : "none";
}

/* What goes without saying when its other half has been said. */
static void
drop_idle(json_t *object)
{
	static const struct {
		const char *key, *idle;
	} all[] = {{"qos", NULL}, {"min_rate_bps", NULL}, {"proto", "802.1Q"}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const json_t *value = json_object_get(object, all[i].key);
		const char *word = json_string_value(value);
		if (word ? all[i].idle && strcmp(word, all[i].idle) == 0 : json_integer_value(value) == 0) {
			json_object_del(object, all[i].key);
		}
	}
}

static json_t *
vf_object(const struct host_func *pf, const struct host_func *vf, const struct ledger_record *record)
{
	struct vfset now = vf->set, keep = {0};
	if (record && record->holder[0]) {
		vfset_copy(&now, &record->before, record->before.has);
	}
	/* What the driver cannot be told need not be told again, nor an address that nobody has given. */
	unsigned bits = now.has & rules_driver(pf->driver)->sets;
	vfset_copy(&keep, &now, now.mac ? bits : bits & ~VFSET_MAC);
	json_t *object = vfset_to_json(&keep);
	drop_idle(object);
	const char *driver = kept_driver(vf, record);
	if (object && driver && !put(object, "driver", json_string(driver))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *
vfs_object(const struct host *host, const struct ledger *ledger, const struct host_func *pf)
{
	json_t *vfs = json_object();
	for (unsigned i = 0; vfs && i < pf->num_vfs && i < FILE_VFS_MAX; i++) {
		const struct host_func *vf = host_vf(host, pf->addr, i);
		char index[8];
		snprintf(index, sizeof(index), "%u", i);
		if (vf && !put(vfs, index, vf_object(pf, vf, ledger_of(ledger, vf)))) {
			json_decref(vfs);
			return NULL;
		}
	}
	return vfs;
}

/* A label that two have names nothing. */
static bool
label_is_name(const struct host *host, const struct host_func *func)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		const struct host_func *other = &host->func[i];
		if (other != func && other->role != HOST_VF && strcmp(other->label, func->label) == 0) {
			return false;
		}
	}
	return func->label[0] != '\0';
}

static json_t *
port_object(const struct host *host, const struct ledger *ledger, const struct host_func *pf, unsigned changed)
{
	struct portset keep = {0};
	if (pf->iface) {
		portset_copy(&keep, &pf->iface->set, changed);
	}
	json_t *port = portset_to_json(&keep);
	bool ok = port && (!label_is_name(host, pf) || put(port, "label", json_string(pf->label)));
	ok = ok && put(port, "numvfs", json_integer(pf->num_vfs));
	if (pf->num_vfs) {
		ok = ok && put(port, "autoprobe", json_boolean(pf->autoprobe)) && put(port, "vfs", vfs_object(host, ledger, pf));
	}
	if (!ok) {
		json_decref(port);
		return NULL;
	}
	return port;
}

static bool
put_func(const struct host *host, const struct ledger *ledger, const struct host_func *func, json_t *ports, json_t *devices)
{
	const struct ledger_record *record = ledger_of(ledger, func);
	char name[PCI_TEXT_SIZE];
	pci_format(func->addr, name);
	if (func->role == HOST_VF) {
		return true;
	}
	unsigned changed = record ? record->defaults.has : 0;
	if (func->role == HOST_PF && (func->num_vfs || changed)) {
		/* Not its label: that is in the file itself. */
		const char *key = func->nifaces ? func->iface[0].name : name;
		if (!put(ports, key, port_object(host, ledger, func, changed))) {
			return false;
		}
	}
	const char *driver = kept_driver(func, record);
	return !driver || put(devices, name, json_pack("{s:s}", "driver", driver));
}

json_t *
file_of_host(const struct host *host, const struct ledger *ledger)
{
	json_t *ports = json_object(), *devices = json_object();
	bool ok = ports && devices;
	for (size_t i = 0; i < host->nfuncs && ok; i++) {
		ok = put_func(host, ledger, &host->func[i], ports, devices);
	}
	if (!ok) {
		json_decref(ports);
		json_decref(devices);
		return NULL;
	}
	return json_pack("{s:o, s:o}", "ports", ports, "devices", devices);
}
