/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TAG_S 0x88a8

/* ---- words -------------------------------------------------------------------------------------------------------- */

const char *
view_class(const struct host_func *func)
{
	/* PCI Code and ID Assignment, 1: by base class. */
	static const char *const names[] = {[0x01] = "storage",
		[0x02] = "network",
		[0x03] = "display",
		[0x04] = "multimedia",
		[0x05] = "memory",
		[0x06] = "bridge",
		[0x07] = "communication",
		[0x08] = "system",
		[0x09] = "input",
		[0x0b] = "processor",
		[0x0c] = "serial",
		[0x0d] = "wireless",
		[0x10] = "crypto",
		[0x11] = "signal",
		[0x12] = "accelerator",
		[0x40] = "coprocessor"};
	unsigned base = func->class_code >> 16 & 0xff;
	if (func->class_code >> 8 == 0x0b40) {
		return "coprocessor";
	}
	return base < sizeof(names) / sizeof(*names) && names[base] ? names[base] : "other";
}

char *
view_id(const struct host_func *func, char text[static 16])
{
	snprintf(text, 16, "%04x:%04x", func->vendor, func->device);
	return text;
}

char *
view_slot(const struct host *host, const struct host_func *func, char text[PCI_TEXT_SIZE])
{
	/* Sorted: the last one has the highest domain. */
	bool domains = host->nfuncs && host->func[host->nfuncs - 1].addr >> 16;
	return domains ? pci_format(func->addr, text) : pci_format_short(func->addr, text);
}

/* ---- state -------------------------------------------------------------------------------------------------------- */

const struct ledger_record *
view_lease(const struct vfctl *v, const struct host_func *func)
{
	const struct ledger_record *record = ledger_of(&v->ledger.ledger, func);
	return record && record->holder[0] ? record : NULL;
}

static bool
has_kernel_driver(const struct host_func *func)
{
	return func->driver[0] && !rules_passes(func->driver);
}

/* A group goes as a whole: vfio hands out none of it while the kernel works with a part. */
static bool
group_has_kernel_driver(const struct host *host, const struct host_func *func)
{
	for (size_t i = 0; i < host->nfuncs && func->group >= 0; i++) {
		const struct host_func *mate = &host->func[i];
		if (mate->group == func->group && !host_is_bridge(mate) && has_kernel_driver(mate)) {
			return true;
		}
	}
	return has_kernel_driver(func);
}

enum view_state
view_state(const struct vfctl *v, const struct host_func *func)
{
	if (view_lease(v, func)) {
		return VIEW_HELD;
	}
	if (func->nuses) {
		return VIEW_USED;
	}
	return func->role != HOST_VF && group_has_kernel_driver(&v->host, func) ? VIEW_KERNEL : VIEW_FREE;
}

const char *
view_state_name(enum view_state state)
{
	static const char *const names[] = {
		[VIEW_FREE] = "free", [VIEW_HELD] = "held", [VIEW_USED] = "used", [VIEW_KERNEL] = "kernel"};
	return names[state];
}

void
view_say_counts(struct cli *cli, const char *one, const char *many, const size_t count[static VIEW_NSTATES])
{
	static const char *const words[] = {[VIEW_FREE] = "free",
		[VIEW_HELD] = "held",
		[VIEW_USED] = "used without a lease",
		[VIEW_KERNEL] = "with a driver of the kernel"};
	char text[160] = "";
	size_t total = 0, at = 0;
	for (size_t i = 0; i < VIEW_NSTATES; i++) {
		total += count[i];
		if (count[i] || i <= VIEW_HELD) {
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%zu %s", at ? ", " : "", count[i], words[i]);
		}
	}
	cli_say(cli, "%zu %s: %s", total, total == 1 ? one : many, text);
}

/* ---- as JSON ------------------------------------------------------------------------------------------------------ */

static void
put(json_t *to, const char *key, json_t *value)
{
	json_object_set_new(to, key, value);
}

/* Empty is null. */
static void
put_text(json_t *to, const char *key, const char *text)
{
	put(to, key, text && text[0] ? cli_json_text(text) : json_null());
}

static void
put_number(json_t *to, const char *key, bool known, uint64_t number)
{
	put(to, key, known ? json_integer((json_int_t)number) : json_null());
}

static void
put_bool(json_t *to, const char *key, bool known, bool yes)
{
	put(to, key, known ? json_boolean(yes) : json_null());
}

static void
put_mac(json_t *to, const char *key, bool known, uint64_t mac)
{
	char text[MAC_TEXT_SIZE];
	put(to, key, known ? json_string(mac_format(mac, text)) : json_null());
}

static void
put_device(json_t *to, const struct host *host, const struct host_func *func)
{
	static const char *const roles[] = {[HOST_PLAIN] = "device", [HOST_PF] = "pf", [HOST_VF] = "vf"};
	char text[HOST_TEXT_SIZE];
	put_text(to, "name", host_name(host, func, text));
	put_text(to, "role", roles[func->role]);
	put_text(to, "pci", pci_format(func->addr, text));
	put_text(to, "id", view_id(func, text));
	snprintf(text, sizeof(text), "%04x:%04x", func->subvendor, func->subdevice);
	put_text(to, "subsystem_id", func->subvendor ? text : NULL);
	put_text(to, "class", view_class(func));
	snprintf(text, sizeof(text), "%06x", func->class_code);
	put_text(to, "class_code", text);
	snprintf(text, sizeof(text), "%02x", func->revision);
	put_text(to, "revision", text);
	put_text(to, "vendor_name", func->vendor_name);
	put_text(to, "device_name", func->device_name);
	put_text(to, "driver", func->driver);
	put_text(to, "driver_override", func->override);
	put_number(to, "iommu_group", func->group >= 0, (uint64_t)func->group);
	put_number(to, "numa_node", func->numa >= 0, (uint64_t)func->numa);
	put_bool(to, "can_reset", true, func->can_reset);
	put_text(to, "label", func->label);
}

static void
put_settings(json_t *to, const struct portset *set)
{
	char text[32];
	bool duplex = set->has & PORTSET_DUPLEX && set->duplex != HOST_DUPLEX_UNKNOWN;
	put_number(to, "speed_bps", set->has & PORTSET_SPEED, set->speed_bps);
	put_text(to, "duplex", duplex ? portset_text(set, PORTSET_DUPLEX, text, sizeof(text)) : NULL);
	put_bool(to, "autoneg", set->has & PORTSET_AUTONEG, set->autoneg);
	put_bool(to, "pause_autoneg", set->has & PORTSET_PAUSE_AUTONEG, set->pause_autoneg);
	put_bool(to, "pause_rx", set->has & PORTSET_PAUSE_RX, set->pause_rx);
	put_bool(to, "pause_tx", set->has & PORTSET_PAUSE_TX, set->pause_tx);
	put_number(to, "mtu", set->has & PORTSET_MTU, set->mtu);
}

static void
put_interface(json_t *to, const struct host_func *func)
{
	static const struct host_if none;
	const struct host_if *iface = func->nifaces ? &func->iface[0] : &none;
	bool there = func->nifaces > 0;
	json_t *names = json_array();
	for (size_t i = 0; i < func->nifaces; i++) {
		json_array_append_new(names, cli_json_text(func->iface[i].name));
	}
	put_text(to, "interface", iface->name);
	put(to, "interfaces", names);
	put_mac(to, "interface_mac", there, iface->mac);
	put_bool(to, "up", there, iface->up);
	put_bool(to, "carrier", there, iface->carrier);
	put_settings(to, &iface->set);
	put_bool(to, "has_address", there, iface->has_address);
	put_text(to, "upper", iface->upper);
	put_text(to, "default_route", iface->route);
	put_text(to, "login", iface->login);
}

static void
put_vfs(json_t *to, const struct vfctl *v, const struct host_func *func)
{
	size_t count[VIEW_NSTATES] = {0};
	bool pf = func->role == HOST_PF;
	for (unsigned i = 0; pf && i < func->num_vfs; i++) {
		const struct host_func *vf = host_vf(&v->host, func->addr, i);
		if (vf) {
			count[view_state(v, vf)]++;
		}
	}
	put_number(to, "total_vfs", pf, func->total_vfs);
	put_number(to, "num_vfs", pf, func->num_vfs);
	put_number(to, "vfs_free", pf, count[VIEW_FREE]);
	put_number(to, "vfs_held", pf, count[VIEW_HELD]);
	put_number(to, "vfs_used", pf, count[VIEW_USED]);
	put_bool(to, "autoprobe", pf, func->autoprobe);
}

static void
put_vf(json_t *to, const struct host *host, const struct host_func *func)
{
	char text[HOST_TEXT_SIZE];
	bool vf = func->role == HOST_VF;
	const struct vfset *set = &func->set;
	unsigned has = vf ? set->has : 0;
	const struct host_func *pf = vf ? host_at(host, func->pf) : NULL;
	put_text(to, "pf", pf ? host_name(host, pf, text) : NULL);
	put_text(to, "pf_pci", vf ? pci_format(func->pf, text) : NULL);
	put_number(to, "index", vf, func->index);
	/* Of a VF: what its port gave it; its interface may have another. */
	if (vf) {
		put_mac(to, "mac", has & VFSET_MAC && set->mac, set->mac);
	} else {
		put_mac(to, "mac", func->nifaces, func->nifaces ? func->iface[0].mac : 0);
	}
	put_number(to, "vlan", has & VFSET_VLAN, set->vlan);
	put_number(to, "qos", has & VFSET_VLAN, set->qos);
	put_text(to, "proto", !(has & VFSET_VLAN) || !set->vlan ? NULL : set->proto == TAG_S ? "802.1ad" : "802.1Q");
	put_number(to, "max_rate_bps", has & VFSET_RATE, set->max_rate_bps);
	put_number(to, "min_rate_bps", has & VFSET_RATE, set->min_rate_bps);
	put_bool(to, "trust", has & VFSET_TRUST, set->trust);
	put_bool(to, "spoofchk", has & VFSET_SPOOFCHK, set->spoofchk);
	put_text(to, "link_state", has & VFSET_LINK ? vfset_text(set, VFSET_LINK, text, sizeof(text)) : NULL);
	put_bool(to, "promisc", has & VFSET_PROMISC, set->promisc);
	put_bool(to, "allmulti", has & VFSET_ALLMULTI, set->allmulti);
}

static json_t *
vlans_json(const struct ledger_vlans *vlans)
{
	json_t *list = json_array();
	for (unsigned id = VLAN_MIN; vlans && id <= VLAN_MAX; id++) {
		if (vlans->bits[id / 64] >> (id % 64) & 1) {
			json_array_append_new(list, json_integer((json_int_t)id));
		}
	}
	return list;
}

static void
put_holder(json_t *to, const struct vfctl *v, const struct host_func *func)
{
	const struct ledger_record *lease = view_lease(v, func), *record = ledger_of(&v->ledger.ledger, func);
	json_t *used = json_array();
	for (size_t i = 0; i < func->nuses; i++) {
		json_array_append_new(used, cli_json_text(func->use[i].by));
	}
	put_text(to, "state", view_state_name(view_state(v, func)));
	put_text(to, "holder", lease ? lease->holder : NULL);
	put_number(to, "generation", lease, lease ? lease->generation : 0);
	put_text(to, "leased_at", lease ? lease->at : NULL);
	put_text(to, "leased_by", lease ? lease->who : NULL);
	put(to, "vlans", vlans_json(lease ? &lease->vlans : NULL));
	put_text(to, "former_driver", record && record->bound ? record->former : NULL);
	put(to, "defaults", record && record->defaults.has ? portset_to_json(&record->defaults) : json_null());
	put(to, "used_by", used);
}

json_t *
view_json(const struct vfctl *v, const struct host_func *func)
{
	json_t *to = json_object();
	if (to) {
		put_device(to, &v->host, func);
		put_interface(to, func);
		put_vfs(to, v, func);
		put_vf(to, &v->host, func);
		put_holder(to, v, func);
	}
	return to;
}

/* ---- as a row ----------------------------------------------------------------------------------------------------- */

static const char *
link_text(const struct host_func *func)
{
	if (!func->nifaces) {
		return "-";
	}
	return !func->iface[0].up ? "off" : func->iface[0].carrier ? "up" : "down";
}

static const char *
pause_text(const struct host_func *func)
{
	const struct portset *set = func->nifaces ? &func->iface[0].set : NULL;
	if (!set || !(set->has & (PORTSET_PAUSE_RX | PORTSET_PAUSE_TX))) {
		return "-";
	}
	return set->pause_rx ? set->pause_tx ? "rx,tx" : "rx" : set->pause_tx ? "tx" : "none";
}

/* What people read in the place of a value; NULL: the value. */
static const char *
people(const struct host_func *func, const char *key, char text[static 96])
{
	if (strcmp(key, "link") == 0) {
		return link_text(func);
	}
	if (strcmp(key, "pause") == 0) {
		return pause_text(func);
	}
	if (strcmp(key, "vfs") == 0) {
		snprintf(text, 96, "%u/%u", func->num_vfs, func->total_vfs);
		return text;
	}
	if (strcmp(key, "speed_bps") == 0) {
		return portset_text(&func->iface[0].set, PORTSET_SPEED, text, 96);
	}
	if (strcmp(key, "vlan") == 0) {
		return vfset_text(&func->set, VFSET_VLAN, text, 96);
	}
	return strcmp(key, "max_rate_bps") == 0 ? vfset_text(&func->set, VFSET_RATE, text, 96) : NULL;
}

static void
put_numbers(struct out *out, const json_t *list)
{
	uint32_t numbers[VLAN_MAX + 1];
	size_t n = json_array_size(list);
	for (size_t i = 0; i < n; i++) {
		numbers[i] = (uint32_t)json_integer_value(json_array_get(list, i));
	}
	out_numbers(out, numbers, n);
}

#define TEXTS_MAX 64

static void
put_list(struct out *out, const json_t *list)
{
	const char *texts[TEXTS_MAX];
	size_t n = json_array_size(list);
	if (n && json_is_integer(json_array_get(list, 0))) {
		put_numbers(out, list);
		return;
	}
	n = n < TEXTS_MAX ? n : TEXTS_MAX;
	for (size_t i = 0; i < n; i++) {
		texts[i] = json_string_value(json_array_get(list, i));
	}
	out_texts(out, texts, n);
}

/* Sentences want more than a comma between them. */
static void
put_sentences(struct out *out, const json_t *list)
{
	char text[512] = "";
	for (size_t i = 0, at = 0; i < json_array_size(list) && at < sizeof(text); i++) {
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
	}
	out_text(out, text[0] ? text : NULL);
}

static void
put_value(struct out *out, const json_t *value, const char *text)
{
	if (!value && text) {
		out_text(out, text);
	} else if (json_is_string(value)) {
		out_text(out, json_string_value(value));
	} else if (json_is_integer(value)) {
		uint64_t number = (uint64_t)json_integer_value(value);
		if (text) {
			out_number_as(out, number, text);
		} else {
			out_number(out, number);
		}
	} else if (json_is_boolean(value)) {
		out_bool(out, json_is_true(value));
	} else if (json_is_array(value)) {
		put_list(out, value);
	} else if (json_is_object(value)) {
		out_json(out, value);
	} else {
		out_null(out);
	}
}

void
view_row(struct out *out, const struct out_column *columns, const struct vfctl *v, const struct host_func *func)
{
	json_t *row = view_json(v, func);
	bool table = v->cli->format == CLI_TABLE || v->cli->format == CLI_WIDE;
	for (; columns->key; columns++) {
		char text[96];
		const json_t *value = json_object_get(row, columns->key);
		if (table && strcmp(columns->key, "used_by") == 0) {
			put_sentences(out, value);
			continue;
		}
		put_value(out, value, json_is_null(value) ? NULL : people(func, columns->key, text));
	}
	out_row(out);
	json_decref(row);
}
