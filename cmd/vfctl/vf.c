/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vf list and show. */
#include <string.h>

#include "view.h"

static const struct out_column columns[] = {
	{.key = "name", .title = "VF"},
	{.key = "pci"},
	{.key = "pf", .flags = OUT_NO_TABLE},
	{.key = "pf_pci", .flags = OUT_NO_TABLE},
	{.key = "index", .flags = OUT_NO_TABLE},
	{.key = "id", .flags = OUT_WIDE},
	{.key = "revision", .flags = OUT_NO_TABLE},
	{.key = "class", .flags = OUT_NO_TABLE},
	{.key = "class_code", .flags = OUT_NO_TABLE},
	{.key = "vendor_name", .flags = OUT_NO_TABLE},
	{.key = "device_name", .flags = OUT_NO_TABLE},
	{.key = "driver"},
	{.key = "driver_override", .flags = OUT_NO_TABLE},
	{.key = "interface", .flags = OUT_WIDE},
	{.key = "link", .flags = OUT_WIDE | OUT_NO_JSON},
	{.key = "up", .flags = OUT_NO_TABLE},
	{.key = "carrier", .flags = OUT_NO_TABLE},
	{.key = "iommu_group", .title = "GROUP", .flags = OUT_WIDE | OUT_RIGHT},
	{.key = "numa_node", .title = "NUMA", .flags = OUT_WIDE | OUT_RIGHT},
	{.key = "mac"},
	{.key = "interface_mac", .flags = OUT_NO_TABLE},
	{.key = "vlan"},
	{.key = "qos", .flags = OUT_NO_TABLE},
	{.key = "proto", .flags = OUT_NO_TABLE},
	{.key = "max_rate_bps", .title = "RATE"},
	{.key = "min_rate_bps", .flags = OUT_NO_TABLE},
	{.key = "trust"},
	{.key = "spoofchk"},
	{.key = "link_state", .title = "LINK SET", .flags = OUT_WIDE},
	{.key = "promisc", .flags = OUT_WIDE},
	{.key = "allmulti", .flags = OUT_WIDE},
	{.key = "state", .flags = OUT_NO_TABLE},
	{.key = "holder"},
	{.key = "generation", .title = "GEN", .flags = OUT_WIDE | OUT_RIGHT},
	{.key = "leased_at", .title = "SINCE", .flags = OUT_WIDE},
	{.key = "leased_by", .flags = OUT_NO_TABLE},
	{.key = "vlans", .flags = OUT_WIDE},
	{.key = "used_by", .title = "USED BY"},
	{.key = NULL},
};

struct filter {
	const struct host_func *pf; /* NULL: any */
	const char *holder, *driver;
	bool free;
};

static bool
matches(const struct vfctl *v, const struct filter *filter, const struct host_func *func)
{
	const struct ledger_record *lease = view_lease(v, func);
	const char *driver = func->driver[0] ? func->driver : "none";
	return func->role == HOST_VF && (!filter->pf || func->pf == filter->pf->addr) &&
	       (!filter->holder || (lease && strcmp(lease->holder, filter->holder) == 0)) &&
	       (!filter->driver || strcmp(driver, filter->driver) == 0) && (!filter->free || view_state(v, func) == VIEW_FREE);
}

static enum err_code
print_list(const struct vfctl *v, const struct filter *filter, struct err *err)
{
	size_t count[VIEW_NSTATES] = {0};
	struct out *out = out_open(v->cli, columns);
	for (size_t i = 0; i < v->host.nfuncs; i++) {
		const struct host_func *func = &v->host.func[i];
		if (matches(v, filter, func)) {
			view_row(out, columns, v, func);
			count[view_state(v, func)]++;
		}
	}
	enum err_code code = out_close(out, err);
	if (!code) {
		view_say_counts(v->cli, "VF", "VFs", count);
	}
	return code;
}

enum err_code
vf_list_run(struct cli *cli, struct err *err)
{
	struct vfctl v;
	struct host_func *pf = NULL;
	struct filter filter = {
		.holder = cli_text(cli, "holder"), .driver = cli_text(cli, "driver"), .free = cli_has(cli, "free")};
	enum err_code code = vfctl_open(cli, HOST_READ_ALL, &v, err);
	if (code) {
		return code;
	}
	if (cli_has(cli, "pf")) {
		code = vfctl_func(&v, cli_text(cli, "pf"), HOST_WANT_PF, &pf, err);
		filter.pf = pf;
	}
	if (!code) {
		code = print_list(&v, &filter, err);
	}
	vfctl_close(&v);
	return code;
}

enum err_code
vf_show_run(struct cli *cli, struct err *err)
{
	return view_show(cli, "vf", HOST_WANT_VF, err);
}
