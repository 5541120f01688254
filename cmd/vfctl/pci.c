/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pci list, show and assignable: devices that one instance at a time can have, such as crypto chips. */
#include <stdlib.h>
#include <string.h>

#include "view.h"

static const struct out_column list_columns[] = {
	{.key = "pci"},
	{.key = "class"},
	{.key = "id"},
	{.key = "name", .flags = OUT_NO_TABLE},
	{.key = "role", .flags = OUT_NO_TABLE},
	{.key = "class_code", .flags = OUT_NO_TABLE},
	{.key = "revision", .flags = OUT_NO_TABLE},
	{.key = "vendor_name", .title = "VENDOR", .flags = OUT_WIDE},
	{.key = "device_name", .title = "DEVICE", .flags = OUT_WIDE},
	{.key = "driver"},
	{.key = "driver_override", .flags = OUT_NO_TABLE},
	{.key = "interface", .flags = OUT_WIDE},
	{.key = "iommu_group", .title = "GROUP", .flags = OUT_RIGHT},
	{.key = "numa_node", .title = "NUMA", .flags = OUT_RIGHT},
	{.key = "can_reset", .title = "RESET", .flags = OUT_WIDE},
	{.key = "state"},
	{.key = "holder"},
	{.key = "generation", .title = "GEN", .flags = OUT_WIDE | OUT_RIGHT},
	{.key = "leased_at", .title = "SINCE", .flags = OUT_WIDE},
	{.key = "leased_by", .flags = OUT_NO_TABLE},
	{.key = "used_by", .title = "USED BY"},
	{.key = NULL},
};

static bool
in_class(const struct cli *cli, const struct host_func *func)
{
	const char *class = cli_text(cli, "class");
	return !class || strcmp(view_class(func), class) == 0;
}

/* Bridges are the way to the others; ports and VFs of network cards have listings of their own. */
static bool
is_other(const struct host_func *func)
{
	return !host_is_bridge(func) && (func->role == HOST_PLAIN || !host_is_network(func));
}

static enum err_code
print_list(const struct vfctl *v, struct err *err)
{
	size_t count[VIEW_NSTATES] = {0};
	struct out *out = out_open(v->cli, list_columns);
	for (size_t i = 0; i < v->host.nfuncs; i++) {
		const struct host_func *func = &v->host.func[i];
		if (is_other(func) && in_class(v->cli, func)) {
			view_row(out, list_columns, v, func);
			count[view_state(v, func)]++;
		}
	}
	enum err_code code = out_close(out, err);
	if (!code) {
		view_say_counts(v->cli, "device", "devices", count);
	}
	return code;
}

enum err_code
pci_list_run(struct cli *cli, struct err *err)
{
	struct vfctl v;
	enum err_code code = vfctl_open(cli, HOST_READ_ALL, &v, err);
	if (!code) {
		code = print_list(&v, err);
		vfctl_close(&v);
	}
	return code;
}

enum err_code
pci_show_run(struct cli *cli, struct err *err)
{
	return view_show(cli, "device", HOST_WANT_ANY, err);
}

/* ---- assignable --------------------------------------------------------------------------------------------------- */

static const struct out_column pool_columns[] = {
	{.key = "class"},
	{.key = "id"},
	{.key = "class_code", .flags = OUT_NO_TABLE},
	{.key = "vendor_name", .flags = OUT_NO_TABLE},
	{.key = "device_name", .title = "DEVICE", .flags = OUT_WIDE},
	{.key = "total", .flags = OUT_RIGHT},
	{.key = "free", .flags = OUT_RIGHT},
	{.key = "held", .flags = OUT_RIGHT},
	{.key = "used", .flags = OUT_RIGHT},
	{.key = "kernel", .flags = OUT_RIGHT},
	{.key = "holders"},
	{.key = "held_devices", .flags = OUT_NO_TABLE},
	{.key = "free_devices", .title = "FREE DEVICES", .flags = OUT_WIDE},
	{.key = NULL},
};

/* A PF whose VFs are in use is not to be given away, and with a driver of the kernel it is the host's. */
static bool
can_be_given(const struct vfctl *v, const struct host_func *func)
{
	return !host_is_bridge(func) &&
	       (func->role != HOST_PF || view_state(v, func) == VIEW_FREE || view_state(v, func) == VIEW_HELD) &&
	       in_class(v->cli, func);
}

/* One kind of device is a row of the pool. */
static bool
alike(const struct host_func *a, const struct host_func *b)
{
	return a->vendor == b->vendor && a->device == b->device && a->class_code >> 8 == b->class_code >> 8;
}

struct pool {
	size_t count[VIEW_NSTATES];
	json_t *holders, *held, *free; /* holders: names, once each; held: {"pci", "holder", "generation"} */
};

static void
add_holder(json_t *holders, const char *holder)
{
	size_t i;
	json_t *one;
	json_array_foreach (holders, i, one) {
		if (strcmp(json_string_value(one), holder) == 0) {
			return;
		}
	}
	json_array_append_new(holders, cli_json_text(holder));
}

static void
pool_add(struct pool *pool, const struct vfctl *v, const struct host_func *func)
{
	char pci[PCI_TEXT_SIZE];
	enum view_state state = view_state(v, func);
	const struct ledger_record *lease = view_lease(v, func);
	pci_format(func->addr, pci);
	pool->count[state]++;
	if (state == VIEW_FREE) {
		json_array_append_new(pool->free, json_string(pci));
	}
	if (lease) {
		add_holder(pool->holders, lease->holder);
		json_array_append_new(pool->held, json_pack("{s:s, s:o, s:I}", "pci", pci, "holder", cli_json_text(lease->holder),
							  "generation", (json_int_t)lease->generation));
	}
}

static void
out_list(struct out *out, const json_t *list)
{
	size_t n = json_array_size(list);
	const char **texts = calloc(n + 1, sizeof(*texts));
	for (size_t i = 0; texts && i < n; i++) {
		texts[i] = json_string_value(json_array_get(list, i));
	}
	out_texts(out, texts, texts ? n : 0);
	free(texts);
}

static void
pool_row(struct out *out, const struct host_func *kind, const struct pool *pool)
{
	char text[16];
	size_t total = 0;
	for (size_t i = 0; i < VIEW_NSTATES; i++) {
		total += pool->count[i];
	}
	out_text(out, view_class(kind));
	out_text(out, view_id(kind, text));
	snprintf(text, sizeof(text), "%06x", kind->class_code);
	out_text(out, text);
	out_text(out, kind->vendor_name[0] ? kind->vendor_name : NULL);
	out_text(out, kind->device_name[0] ? kind->device_name : NULL);
	out_number(out, total);
	out_number(out, pool->count[VIEW_FREE]);
	out_number(out, pool->count[VIEW_HELD]);
	out_number(out, pool->count[VIEW_USED]);
	out_number(out, pool->count[VIEW_KERNEL]);
	out_list(out, pool->holders);
	out_json(out, pool->held);
	out_list(out, pool->free);
	out_row(out);
}

/* The row of one kind, when this function is the first of it. */
static void
print_kind(struct out *out, const struct vfctl *v, size_t first, size_t count[static VIEW_NSTATES])
{
	const struct host_func *kind = &v->host.func[first];
	struct pool pool = {.holders = json_array(), .held = json_array(), .free = json_array()};
	bool again = false;
	for (size_t i = 0; i < v->host.nfuncs && !again; i++) {
		const struct host_func *func = &v->host.func[i];
		if (alike(func, kind) && can_be_given(v, func)) {
			again = i < first;
			pool_add(&pool, v, func);
		}
	}
	if (!again) {
		pool_row(out, kind, &pool);
		for (size_t i = 0; i < VIEW_NSTATES; i++) {
			count[i] += pool.count[i];
		}
	}
	json_decref(pool.holders);
	json_decref(pool.held);
	json_decref(pool.free);
}

enum err_code
pci_assignable_run(struct cli *cli, struct err *err)
{
	struct vfctl v;
	size_t count[VIEW_NSTATES] = {0};
	enum err_code code = vfctl_open(cli, HOST_READ_USES, &v, err);
	if (code) {
		return code;
	}
	struct out *out = out_open(cli, pool_columns);
	for (size_t i = 0; i < v.host.nfuncs; i++) {
		if (can_be_given(&v, &v.host.func[i])) {
			print_kind(out, &v, i, count);
		}
	}
	code = out_close(out, err);
	if (!code) {
		view_say_counts(cli, "device", "devices", count);
	}
	vfctl_close(&v);
	return code;
}
