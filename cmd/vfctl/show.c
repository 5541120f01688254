/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything about one function: what all the "show" verbs print. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "view.h"

#define LABEL_WIDTH 16

struct shown {
	const struct vfctl *v;
	const struct host_func *func;
	const struct ledger_record *record; /* NULL: the ledger knows nothing of it */
	json_t *past;
};

/* ---- what the row lacks --------------------------------------------------------------------------------------------- */

static void
add_past(void *arg, const struct ledger_past *past)
{
	json_t *list = arg;
	json_array_append_new(list, json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "generation", (json_int_t)past->generation,
					    "holder", cli_json_text(past->holder), "leased_by", cli_json_text(past->who), "from",
					    cli_json_text(past->from), "to", cli_json_text(past->to), "set",
					    vfset_to_json(past->set), "note", cli_json_text(past->note ? past->note : "")));
}

static enum err_code
read_past(struct shown *s, struct err *err)
{
	bool vf = s->func->role == HOST_VF;
	const struct transact *t = &s->v->ledger;
	char *all = NULL;
	size_t size = t->size;
	s->past = json_array();
	/* a recorded host is its ledger */
	enum err_code code = s->v->root[0] ? ERR_NONE : transact_history(t, &all, &size, err);
	if (code) {
		return code;
	}
	code = ledger_history(
		all ? all : t->text, size, vf ? s->func->pf : s->func->addr, vf ? s->func->index : -1, add_past, s->past, err);
	free(all);
	return code;
}

static json_t *
mates_json(const struct shown *s)
{
	char text[PCI_TEXT_SIZE];
	const struct host *host = &s->v->host;
	json_t *list = json_array();
	for (size_t i = 0; s->func->group >= 0 && i < host->nfuncs; i++) {
		if (host->func[i].group == s->func->group && &host->func[i] != s->func) {
			json_array_append_new(list, json_string(pci_format(host->func[i].addr, text)));
		}
	}
	return list;
}

static json_t *
vfs_json(const struct shown *s)
{
	char text[HOST_TEXT_SIZE];
	json_t *list = json_array();
	for (unsigned i = 0; s->func->role == HOST_PF && i < s->func->num_vfs; i++) {
		const struct host_func *vf = host_vf(&s->v->host, s->func->addr, i);
		if (vf) {
			json_array_append_new(list, cli_json_text(host_name(&s->v->host, vf, text)));
		}
	}
	return list;
}

#define KEYS_MAX 64

/* The flat part as one row. */
static enum err_code
print_csv(const struct shown *s, struct err *err)
{
	struct out_column columns[KEYS_MAX + 1] = {{.key = NULL}};
	const char *key;
	json_t *value, *all = view_json(s->v, s->func);
	size_t n = 0;
	json_object_foreach (all, key, value) {
		if (n < KEYS_MAX) {
			columns[n++].key = key;
		}
	}
	struct out *out = out_open(s->v->cli, columns);
	view_row(out, columns, s->v, s->func);
	enum err_code code = out_close(out, err);
	json_decref(all);
	return code;
}

static enum err_code
print_json(const struct shown *s, struct err *err)
{
	if (s->v->cli->format == CLI_CSV) {
		return print_csv(s, err);
	}
	bool leased = view_lease(s->v, s->func) && s->func->role == HOST_VF;
	json_t *all = view_json(s->v, s->func);
	json_object_set_new(all, "group_mates", mates_json(s));
	json_object_set_new(all, "vfs", vfs_json(s));
	json_object_set_new(all, "lease_set", leased ? vfset_to_json(&s->record->set) : json_null());
	json_object_set_new(all, "release_restores", leased ? vfset_to_json(&s->record->before) : json_null());
	json_object_set(all, "leases", s->past);
	return cli_print_json(s->v->cli, all, err);
}

/* ---- for people ----------------------------------------------------------------------------------------------------- */

/* Nothing is said of what is empty. */
static void __attribute__((format(printf, 3, 4))) line(const struct shown *s, const char *label, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (text[0]) {
		cli_say(s->v->cli, "%-*s%s", LABEL_WIDTH, label, text);
	}
}

static void
say_head(const struct shown *s)
{
	static const char *const roles[] = {[HOST_PLAIN] = "a device", [HOST_PF] = "a PF", [HOST_VF] = "a VF"};
	const struct host *host = &s->v->host;
	const struct host_func *func = s->func, *pf = func->role == HOST_VF ? host_at(host, func->pf) : NULL;
	char name[HOST_TEXT_SIZE], of[HOST_TEXT_SIZE], pci[PCI_TEXT_SIZE], id[16];
	if (pf) {
		cli_say(s->v->cli, "%s, VF %u of %s", host_name(host, func, name), func->index, host_name(host, pf, of));
	} else {
		cli_say(s->v->cli, "%s, %s", host_name(host, func, name), roles[func->role]);
	}
	line(s, "PCI", "%s, %s (rev %02x), %s", pci_format(func->addr, pci), view_id(func, id), func->revision, view_class(func));
	line(s, "device", "%s%s%s", func->vendor_name, func->vendor_name[0] && func->device_name[0] ? " " : "",
		func->device_name);
	line(s, "label", "%s", func->label);
}

static void
say_driver(const struct shown *s)
{
	const struct host_func *func = s->func;
	uint64_t other = 0;
	char group[32] = "none (no IOMMU)", mate[PCI_TEXT_SIZE], former[80] = "", override[80] = "";
	unsigned mates = host_group_mates(&s->v->host, func, &other);
	if (func->override[0]) {
		snprintf(override, sizeof(override), ", by override %s", func->override);
	}
	if (s->record && s->record->bound) {
		snprintf(former, sizeof(former), ", before %s", s->record->former[0] ? s->record->former : "none");
	}
	line(s, "driver", "%s%s%s", func->driver[0] ? func->driver : "none", override, former);
	if (func->group >= 0) {
		snprintf(group, sizeof(group), "%d", func->group);
	}
	if (mates) {
		line(s, "IOMMU group", "%s, shared with %s%s", group, pci_format(other, mate), mates > 1 ? " and others" : "");
	} else {
		line(s, "IOMMU group", "%s", group);
	}
	if (func->numa >= 0) {
		line(s, "NUMA node", "%d", func->numa);
	}
	line(s, "reset", "%s", func->can_reset ? "" : "no way known to the kernel");
}

static void
say_interface(const struct shown *s, const struct host_if *iface)
{
	char mac[MAC_TEXT_SIZE], text[64];
	line(s, "interface", "%s, %s, %s", iface->name, mac_format(iface->mac, mac),
		!iface->up       ? "off"
		: iface->carrier ? "up"
				 : "up, but no link");
	for (unsigned bit = 1; bit < 1u << PORTSET_COUNT; bit <<= 1) {
		if (iface->set.has & bit & ~PORTSET_UP && s->func->role != HOST_VF) {
			line(s, portset_name(bit), "%s", portset_text(&iface->set, bit, text, sizeof(text)));
		}
	}
	line(s, "below", "%s", iface->upper);
	if (iface->route[0]) {
		line(s, "default route", "over %s", iface->route);
	}
	if (iface->login[0]) {
		line(s, "login", "from %s", iface->login);
	}
}

static void
say_vfs(const struct shown *s)
{
	size_t count[VIEW_NSTATES] = {0};
	const struct host_func *func = s->func;
	for (unsigned i = 0; i < func->num_vfs; i++) {
		const struct host_func *vf = host_vf(&s->v->host, func->addr, i);
		if (vf) {
			count[view_state(s->v, vf)]++;
		}
	}
	line(s, "VFs", "%u of %u: %zu free, %zu held, %zu used without a lease", func->num_vfs, func->total_vfs, count[VIEW_FREE],
		count[VIEW_HELD], count[VIEW_USED]);
	line(s, "autoprobe", "%s", func->autoprobe ? "on: new VFs get their kernel driver" : "off: new VFs get no driver");
}

/* Of every setting what it is, and what a release puts back. */
static void
say_settings(const struct shown *s)
{
	const struct vfset *set = &s->func->set;
	bool leased = view_lease(s->v, s->func) != NULL;
	if (!set->has) {
		line(s, "settings", "not known: the port's interface is not in this network namespace");
	}
	for (unsigned bit = 1; bit < 1u << VFSET_COUNT; bit <<= 1) {
		char text[80], old[80], back[120] = "";
		if (!(set->has & bit)) {
			continue;
		}
		if (leased && s->record->before.has & bit && vfset_diff(set, &s->record->before) & bit) {
			snprintf(back, sizeof(back), " (release restores %s)",
				vfset_text(&s->record->before, bit, old, sizeof(old)));
		}
		line(s, vfset_name(bit), "%s%s", vfset_text(set, bit, text, sizeof(text)), back);
	}
}

static void
say_past(const struct shown *s)
{
	size_t i;
	json_t *past;
	json_array_foreach (s->past, i, past) {
		const char *to = json_string_value(json_object_get(past, "to"));
		const char *note = json_string_value(json_object_get(past, "note"));
		if (to) {
			line(s, "former lease", "%s, generation %lld, %s to %s%s%s",
				json_string_value(json_object_get(past, "holder")),
				(long long)json_integer_value(json_object_get(past, "generation")),
				json_string_value(json_object_get(past, "from")), to, note && note[0] ? "; " : "",
				note ? note : "");
		}
	}
}

static void
say_holder(const struct shown *s)
{
	char vlans[200];
	const struct ledger_record *lease = view_lease(s->v, s->func);
	if (lease) {
		line(s, "lease", "%s, generation %llu, since %s by %s", lease->holder, (unsigned long long)lease->generation,
			lease->at, lease->who);
		line(s, "tagged VLANs", "%s",
			ledger_vlans_count(&lease->vlans) ? ledger_vlans_text(&lease->vlans, vlans, sizeof(vlans)) : "");
	} else {
		line(s, "lease", "none");
	}
	for (size_t i = 0; i < s->func->nuses; i++) {
		line(s, "used by", "%s", s->func->use[i].by);
	}
	say_past(s);
}

static void
say_all(const struct shown *s)
{
	const struct host_func *func = s->func;
	say_head(s);
	say_driver(s);
	for (size_t i = 0; i < func->nifaces; i++) {
		say_interface(s, &func->iface[i]);
	}
	if (func->role == HOST_PF) {
		say_vfs(s);
	} else if (func->role == HOST_VF) {
		say_settings(s);
	}
	say_holder(s);
}

/* ---- the verb ------------------------------------------------------------------------------------------------------- */

enum err_code
view_show(struct cli *cli, const char *argument, unsigned want, struct err *err)
{
	struct vfctl v;
	struct host_func *func;
	enum err_code code = vfctl_open(cli, HOST_READ_ALL, &v, err);
	if (code) {
		return code;
	}
	code = vfctl_func(&v, cli_text(cli, argument), want, &func, err);
	if (!code) {
		struct shown s = {.v = &v, .func = func, .record = ledger_of(&v.ledger.ledger, func)};
		code = read_past(&s, err);
		if (!code && (cli->format == CLI_TABLE || cli->format == CLI_WIDE)) {
			say_all(&s);
		} else if (!code) {
			code = print_json(&s, err);
		}
		json_decref(s.past);
	}
	vfctl_close(&v);
	return code;
}
