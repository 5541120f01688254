/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What drivers of PFs have for their VFs, as their sources in Linux 6.1 have it (ndo_set_vf_*, ndo_get_vf_config, and what the PF
 * answers to a VF that asks). igb was tried. ixgbe's promisc is that of X540 and later: an 82599 has no mode for all unicast
 * frames. Where something depends on the firmware, the row allows it, and a refusal is explained when it comes.
 */
#include <string.h>

#include "vf/rules.h"

/* What the kernel has a request for: IFLA_VF_*. Promiscuity is none of it. */
#define SETS_KERNEL (VFSET_MAC | VFSET_VLAN | VFSET_RATE | VFSET_TRUST | VFSET_SPOOFCHK | VFSET_LINK)

static const struct rules_driver drivers[] = {
	{.name = "igb",
		.people = "Intel 82576 and I350",
		.sets = SETS_KERNEL & ~VFSET_LINK,
		.zero_mac = true,
		.rate_link = true,
		.promisc = RULES_PROMISC_NONE,
		.allmulti = RULES_PROMISC_ASK,
		.vf_driver = "igbvf"},
	{.name = "ixgbe",
		.people = "Intel 82599, X540 and X550",
		.sets = SETS_KERNEL,
		.zero_mac = true,
		.link_untold = true,
		.no_link_up = true,
		.rate_link = true,
		.promisc = RULES_PROMISC_TRUST,
		.promisc_port = true,
		.allmulti = RULES_PROMISC_TRUST,
		.vf_driver = "ixgbevf"},
	{.name = "i40e",
		.people = "Intel X710, XL710 and X722",
		.sets = SETS_KERNEL | VFSET_PROMISC,
		.zero_mac = true,
		.promisc = RULES_PROMISC_FLAG,
		.allmulti = RULES_PROMISC_TRUST,
		.promisc_flag = "vf-true-promisc-support",
		.lldp_flag = "disable-fw-lldp",
		.lldp_stop = true,
		.vf_driver = "iavf"},
	{.name = "ice",
		.people = "Intel E810 and its like",
		.sets = SETS_KERNEL | VFSET_PROMISC,
		.min_rate = true,
		.qinq = true,
		.zero_mac = true,
		.promisc = RULES_PROMISC_FLAG,
		.allmulti = RULES_PROMISC_TRUST,
		.promisc_flag = "vf-true-promisc-support",
		.lldp_flag = "fw-lldp-agent",
		.lldp_stop = false,
		.vf_driver = "iavf"},
	{.name = "mlx5_core",
		.people = "NVIDIA ConnectX-4 and later",
		.sets = SETS_KERNEL,
		.min_rate = true,
		.zero_mac = true,
		.stays = true,
		.promisc = RULES_PROMISC_TRUST,
		.allmulti = RULES_PROMISC_TRUST,
		.vf_driver = "mlx5_core"},
	{.name = "mlx4_core",
		.people = "NVIDIA ConnectX-3",
		.sets = SETS_KERNEL & ~VFSET_TRUST,
		.qinq = true,
		.zero_mac = true,
		.stays = true,
		.promisc = RULES_PROMISC_ASK,
		.allmulti = RULES_PROMISC_ASK,
		.vf_driver = "mlx4_core"},
	{.name = "bnxt_en",
		.people = "Broadcom NetXtreme-C and NetXtreme-E",
		.sets = SETS_KERNEL,
		.min_rate = true,
		.no_qos = true,
		.zero_mac = true,
		.needs_up = true,
		.promisc = RULES_PROMISC_TRUST,
		.allmulti = RULES_PROMISC_ASK,
		.vf_driver = "bnxt_en"},
	{.name = "sfc",
		.people = "Solarflare SFC9000 and X2",
		.sets = VFSET_MAC | VFSET_VLAN | VFSET_SPOOFCHK | VFSET_LINK,
		.no_qos = true,
		.zero_mac = true,
		.promisc = RULES_PROMISC_ASK,
		.allmulti = RULES_PROMISC_ASK,
		.vf_driver = "sfc"},
	{.name = "qede",
		.people = "Marvell FastLinQ 41000 and 45000",
		.sets = SETS_KERNEL,
		.min_rate = true,
		.no_qos = true,
		.rate_stays = true,
		.promisc = RULES_PROMISC_TRUST,
		.allmulti = RULES_PROMISC_TRUST,
		.vf_driver = "qede"},
	{.name = "cxgb4",
		.people = "Chelsio T4, T5 and T6",
		.sets = VFSET_MAC | VFSET_VLAN | VFSET_RATE | VFSET_LINK,
		.no_qos = true,
		.promisc = RULES_PROMISC_ASK,
		.allmulti = RULES_PROMISC_ASK,
		.vf_driver = "cxgb4vf"},
	{.name = "virtio-pci", .people = "virtio", .vf_driver = "virtio-pci"},
	{.name = "",
		.people = "any other",
		.sets = SETS_KERNEL,
		.min_rate = true,
		.qinq = true,
		.zero_mac = true,
		.promisc = RULES_PROMISC_ASK,
		.allmulti = RULES_PROMISC_ASK},
};

const struct rules_driver *
rules_driver(const char *name)
{
	const struct rules_driver *driver = drivers;
	while (driver->name[0] && strcmp(driver->name, name) != 0) {
		driver++;
	}
	return driver;
}

void
rules_told(const char *name, struct vfset *set)
{
	if (set->link == VFSET_LINK_AUTO && rules_driver(name)->link_untold) {
		set->has &= ~VFSET_LINK;
	}
}

bool
rules_passes(const char *driver)
{
	static const char *const passing[] = {"vfio-pci", "xen-pciback", "pciback", "pci-stub", "uio_pci_generic", "igb_uio"};
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		if (strcmp(passing[i], driver) == 0) {
			return true;
		}
	}
	return false;
}

bool
rules_driver_name(const char *word)
{
	size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	return n > 0 && !word[n] && n < HOST_DRIVER_SIZE;
}
