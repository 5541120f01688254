/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pf list and show: the ports that can have VFs. */
#include <string.h>

#include "view.h"

static const struct out_column columns[] = {
	{.key = "name", .title = "PF"},
	{.key = "pci"},
	{.key = "id"},
	{.key = "revision", .flags = OUT_NO_TABLE},
	{.key = "class", .flags = OUT_NO_TABLE},
	{.key = "class_code", .flags = OUT_NO_TABLE},
	{.key = "vendor_name", .flags = OUT_NO_TABLE},
	{.key = "driver"},
	{.key = "driver_override", .flags = OUT_NO_TABLE},
	{.key = "interface", .flags = OUT_NO_TABLE},
	{.key = "label", .flags = OUT_WIDE},
	{.key = "mac", .flags = OUT_WIDE},
	{.key = "iommu_group", .title = "GROUP", .flags = OUT_WIDE | OUT_RIGHT},
	{.key = "numa_node", .title = "NUMA", .flags = OUT_RIGHT},
	{.key = "link", .flags = OUT_NO_JSON},
	{.key = "up", .flags = OUT_NO_TABLE},
	{.key = "carrier", .flags = OUT_NO_TABLE},
	{.key = "speed_bps", .title = "SPEED", .flags = OUT_RIGHT},
	{.key = "mtu", .flags = OUT_WIDE | OUT_RIGHT},
	{.key = "vfs", .flags = OUT_NO_JSON | OUT_RIGHT},
	{.key = "num_vfs", .flags = OUT_NO_TABLE},
	{.key = "total_vfs", .flags = OUT_NO_TABLE},
	{.key = "vfs_free", .title = "FREE", .flags = OUT_RIGHT},
	{.key = "vfs_held", .title = "HELD", .flags = OUT_RIGHT},
	{.key = "vfs_used", .title = "USED", .flags = OUT_RIGHT},
	{.key = "autoprobe", .flags = OUT_WIDE},
	{.key = "upper", .flags = OUT_WIDE},
	{.key = "default_route", .title = "ROUTE", .flags = OUT_WIDE},
	{.key = "login", .flags = OUT_WIDE},
	{.key = "device_name", .title = "DEVICE", .flags = OUT_WIDE},
	{.key = "holder", .flags = OUT_WIDE},
	{.key = "used_by", .title = "USED BY", .flags = OUT_WIDE},
	{.key = NULL},
};

/* As "lspci -n", of the network class. */
static void
print_lspci(const struct vfctl *v)
{
	for (size_t i = 0; i < v->host.nfuncs; i++) {
		const struct host_func *func = &v->host.func[i];
		char slot[PCI_TEXT_SIZE], id[16], revision[16] = "";
		if (!host_is_network(func)) {
			continue;
		}
		if (func->revision) {
			snprintf(revision, sizeof(revision), " (rev %02x)", func->revision);
		}
		cli_say(v->cli, "%s %04x: %s%s", view_slot(&v->host, func, slot), func->class_code >> 8, view_id(func, id),
			revision);
	}
}

static enum err_code
print_list(const struct vfctl *v, struct err *err)
{
	size_t n = 0;
	struct out *out = out_open(v->cli, columns);
	for (size_t i = 0; i < v->host.nfuncs; i++) {
		if (v->host.func[i].role == HOST_PF) {
			view_row(out, columns, v, &v->host.func[i]);
			n++;
		}
	}
	enum err_code code = out_close(out, err);
	if (!code && n == 0) {
		cli_say(v->cli, "no device here can have VFs; 'vfctl doctor' looks for the reason");
	}
	return code;
}

enum err_code
pf_list_run(struct cli *cli, struct err *err)
{
	struct vfctl v;
	bool lspci = strcmp(cli_text(cli, "output"), "lspci") == 0;
	/* What lspci says too needs no ledger, and is said where that cannot be read. */
	enum err_code code = lspci ? vfctl_open_host(cli, &v, err) : vfctl_open(cli, HOST_READ_ALL, &v, err);
	if (code) {
		return code;
	}
	if (lspci) {
		print_lspci(&v);
	} else {
		code = print_list(&v, err);
	}
	vfctl_close(&v);
	return code;
}

enum err_code
pf_show_run(struct cli *cli, struct err *err)
{
	return view_show(cli, "pf", HOST_WANT_PF, err);
}
