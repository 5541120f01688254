/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One setting of a VF, by rtnetlink through its PF's interface; promiscuity by a private flag of the PF's driver. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <string.h>

#include "io/driver.h"
#include "io/ethtool.h"
#include "io/host.h"
#include "io/links.h"
#include "io/netlink.h"
#include "io/performing.h"
#include "io/sysfs.h"
#include "vf/rules.h"

#define MBIT UINT64_C(1000000)
#define PROTO_8021Q 0x8100
#define KERNEL_ENOTSUPP 524 /* of the kernel's own, which some drivers (bnxt_en) let out */

static enum rules_answer
answer_of(int error)
{
	switch (error) {
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case KERNEL_ENOTSUPP:
		return RULES_UNSUPPORTED;
	case EINVAL:
	case ERANGE:
		return RULES_INVALID;
	case EPERM:
	case EACCES:
		return RULES_FORBIDDEN;
	case EBUSY:
	case EAGAIN:
		return RULES_BUSY;
	case ENOSPC:
	case ENOMEM:
		return RULES_FULL;
	default:
		return RULES_FAILED;
	}
}

/* The driver's no, explained. */
static enum err_code
refused(struct performing *p, int error, const char *said)
{
	const struct step *step = p->step;
	struct host host;
	const char *words = said[0] ? said : strerror(error == KERNEL_ENOTSUPP ? EOPNOTSUPP : error);
	if (error == ETIMEDOUT) {
		return err_set(p->err, ERR_TIMEOUT, "%s: %s: no answer from the kernel", p->name, vfset_name(step->to.set.has));
	}
	err_set(p->err, ERR_REFUSED, "%s: %s: %s", p->name, vfset_name(step->to.set.has), words);
	if (host_read("", HOST_READ_PORTS, &host, NULL) != ERR_NONE) {
		return ERR_REFUSED;
	}
	const struct host_func *vf = host_vf(&host, step->func, (unsigned)step->index);
	enum rules_answer answer = answer_of(error);
	if (vf) {
		struct err err = {0};
		rules_refusal(&host, vf, step->to.set.has, &step->to.set, answer, words, &err);
		if (p->err) {
			*p->err = err;
		}
	}
	host_free(&host);
	return answer == RULES_FAILED || answer == RULES_BUSY ? ERR_FAILED : ERR_REFUSED;
}

/* What the PF keeps for the VF. */
static enum err_code
look(struct performing *p, struct vfset *set, int *index)
{
	struct links links = {0};
	char driver[HOST_DRIVER_SIZE];
	int error = p->ifname[0] ? links_get(p->ifname, &links) : ENODEV;
	const struct links_link *link = links.n > 0 ? &links.link[0] : NULL;
	*set = (struct vfset){0};
	for (size_t i = 0; link && i < link->nvfs; i++) {
		if (link->vf[i].index == (unsigned)p->step->index) {
			driver_of(SYSFS_MACHINE, p->owner, driver);
			*set = link->vf[i].set;
			rules_told(driver, set);
		}
	}
	*index = link ? link->index : 0;
	links_free(&links);
	if (error == ENODEV) {
		err_set(p->err, ERR_REFUSED, "%s: its PF has no interface here", p->name);
		return err_hint(p->err, "it is in another network namespace, or has no kernel driver");
	}
	if (error) {
		return err_set(p->err, ERR_FAILED, "%s: the kernel's interfaces: %s", p->name, strerror(error));
	}
	if (!set->has) {
		return err_set(p->err, ERR_REFUSED, "%s: its PF's driver tells nothing of this VF", p->name);
	}
	return ERR_NONE;
}

static int
put_vlan(struct nl_msg *msg, uint32_t vf, const struct vfset *set)
{
	if (set->proto == 0 || set->proto == PROTO_8021Q) {
		struct ifla_vf_vlan vlan = {.vf = vf, .vlan = set->vlan, .qos = set->qos};
		return nla_put(msg, IFLA_VF_VLAN, sizeof(vlan), &vlan);
	}
	struct ifla_vf_vlan_info info = {.vf = vf, .vlan = set->vlan, .qos = set->qos, .vlan_proto = htons(set->proto)};
	struct nlattr *list = nla_nest_start(msg, NLA_F_NESTED | IFLA_VF_VLAN_LIST);
	if (!list || nla_put(msg, IFLA_VF_VLAN_INFO, sizeof(info), &info) < 0) {
		return -1;
	}
	nla_nest_end(msg, list);
	return 0;
}

static int
put_setting(struct nl_msg *msg, uint32_t vf, const struct vfset *set)
{
	struct ifla_vf_mac mac = {.vf = vf};
	struct ifla_vf_rate rate = {.vf = vf,
		.min_tx_rate = (uint32_t)(set->min_rate_bps / MBIT),
		.max_tx_rate = (uint32_t)(set->max_rate_bps / MBIT)};
	struct ifla_vf_trust trust = {.vf = vf, .setting = set->trust};
	struct ifla_vf_spoofchk spoofchk = {.vf = vf, .setting = set->spoofchk};
	struct ifla_vf_link_state link = {.vf = vf, .link_state = set->link};
	switch (set->has) {
	case VFSET_MAC:
		mac_put(set->mac, mac.mac);
		return nla_put(msg, IFLA_VF_MAC, sizeof(mac), &mac);
	case VFSET_VLAN:
		return put_vlan(msg, vf, set);
	case VFSET_RATE:
		return nla_put(msg, IFLA_VF_RATE, sizeof(rate), &rate);
	case VFSET_TRUST:
		return nla_put(msg, IFLA_VF_TRUST, sizeof(trust), &trust);
	case VFSET_SPOOFCHK:
		return nla_put(msg, IFLA_VF_SPOOFCHK, sizeof(spoofchk), &spoofchk);
	case VFSET_LINK:
		return nla_put(msg, IFLA_VF_LINK_STATE, sizeof(link), &link);
	default:
		return -1;
	}
}

/* NULL: no memory. */
static struct nl_msg *
request(int index, uint32_t vf, const struct vfset *set)
{
	struct ifinfomsg info = {.ifi_index = index};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, 0);
	struct nlattr *list = NULL, *one = NULL;
	if (msg && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) == 0) {
		list = nla_nest_start(msg, NLA_F_NESTED | IFLA_VFINFO_LIST);
		one = list ? nla_nest_start(msg, NLA_F_NESTED | IFLA_VF_INFO) : NULL;
	}
	if (!one || put_setting(msg, vf, set) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, one);
	nla_nest_end(msg, list);
	return msg;
}

static enum err_code
send_setting(struct performing *p, int index)
{
	struct netlink nl;
	int64_t left = p->deadline_ms - bounded_now_ms();
	int error = netlink_open(&nl, NETLINK_ROUTE, left > 1 ? (int)left : 1);
	if (error) {
		return err_set(p->err, ERR_FAILED, "%s: rtnetlink: %s", p->name, strerror(error));
	}
	struct nl_msg *msg = request(index, (uint32_t)p->step->index, &p->step->to.set);
	error = msg ? netlink_ask(&nl, msg, NULL, NULL) : ENOMEM;
	netlink_close(&nl);
	return error ? refused(p, error, nl.said) : ERR_NONE;
}

static enum err_code
unheeded(const struct performing *p, const struct vfset *is)
{
	char driver[HOST_DRIVER_SIZE], text[SYSFS_TEXT_SIZE];
	unsigned bit = p->step->to.set.has;
	driver_of(SYSFS_MACHINE, p->owner, driver);
	return err_set(p->err, ERR_FAILED, "%s: %s has said yes to %s and has done nothing: it is %s", p->name, driver,
		vfset_name(bit), vfset_text(is, bit, text, sizeof(text)));
}

/* Its port is up, but may be on its way there. */
static bool
needs_link(const struct performing *p)
{
	char driver[HOST_DRIVER_SIZE];
	uint64_t flags = 0;
	driver_of(SYSFS_MACHINE, p->owner, driver);
	return rules_driver(driver)->rate_link &&
	       sysfs_number(SYSFS_MACHINE, UINT32_MAX, &flags, "sys/class/net/%s/flags", p->ifname) && flags & IFF_UP;
}

/* ---- promiscuity ---------------------------------------------------------------------------------------------------------- */

/* The switch is the PF's, for all of its VFs. */
static enum err_code
set_flag(struct performing *p, const char *flag, bool on)
{
	struct ethtool tool;
	bool is;
	int error = ethtool_open(&tool);
	if (error) {
		return refused(p, error, "");
	}
	error = ethtool_flag(&tool, p->ifname, flag, &is);
	if (error == 0 && is != on) {
		error = ethtool_flag_set(&tool, p->ifname, flag, on);
		error = error ? error : ethtool_flag(&tool, p->ifname, flag, &is);
	}
	ethtool_close(&tool);
	if (error) {
		return refused(p, error == ENOENT ? EOPNOTSUPP : error, tool.nl.said);
	}
	struct vfset set = {.has = p->step->to.set.has, .promisc = is, .allmulti = is};
	return is == on ? ERR_NONE : unheeded(p, &set);
}

static enum err_code
set_promisc(struct performing *p)
{
	char driver[HOST_DRIVER_SIZE];
	const struct vfset *want = &p->step->to.set;
	driver_of(SYSFS_MACHINE, p->owner, driver);
	const struct rules_driver *rules = rules_driver(driver);
	if ((want->has == VFSET_PROMISC ? rules->promisc : rules->allmulti) != RULES_PROMISC_FLAG || !p->ifname[0]) {
		return refused(p, EOPNOTSUPP, "");
	}
	return set_flag(p, rules->promisc_flag, want->has == VFSET_PROMISC ? want->promisc : want->allmulti);
}

enum err_code
perform_vfset(struct performing *p)
{
	const struct vfset *want = &p->step->to.set;
	struct vfset have;
	int index;
	if (want->has & (VFSET_PROMISC | VFSET_ALLMULTI)) {
		return set_promisc(p);
	}
	enum err_code code = look(p, &have, &index);
	if (code || !vfset_diff(&have, want)) {
		return code;
	}
	if (want->has & VFSET_RATE && needs_link(p)) {
		performing_await_link(p);
	}
	code = send_setting(p, index);
	code = code ? code : look(p, &have, &index);
	if (code) {
		return code;
	}
	/* What the driver does not report cannot be held against it. Of a VF to which its PF gives no address some report the
	 * VF's own. */
	unsigned bits = vfset_diff(&have, want) & have.has;
	return bits && !(bits == VFSET_MAC && want->mac == 0) ? unheeded(p, &have) : ERR_NONE;
}
