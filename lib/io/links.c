/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/links.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "io/netlink.h"

#define MBIT UINT64_C(1000000)
#define PROTO_8021Q 0x8100

/* An element more at the end of an array, zeroed. NULL: no memory. */
static void *
grow(void *array, size_t *n, size_t size)
{
	char *more = *(void **)array;
	if ((*n & (*n - 1)) == 0) {
		more = realloc(more, (*n ? *n * 2 : 1) * size);
		if (!more) {
			return NULL;
		}
		*(void **)array = more;
	}
	return memset(more + (*n)++ * size, 0, size);
}

static bool
set_add(struct links_set *set, int index)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->index[i] == index) {
			return true;
		}
	}
	int *place = grow(&set->index, &set->n, sizeof(*place));
	if (place) {
		*place = index;
	}
	return place;
}

/* ---- links -------------------------------------------------------------------------------------------------------- */

/* 4095 is no VLAN's id (IEEE 802.1Q-2018 table 9-2); mlx4_core means none by it. */
static uint16_t
vf_vlan_id(uint32_t said)
{
	return said < 0xfff ? (uint16_t)said : 0;
}

/* The first element of a list of one. */
static void
vf_vlans(struct vfset *set, struct nlattr *list)
{
	struct nlattr *attr;
	int left;
	struct ifla_vf_vlan_info info;
	nla_for_each_nested(attr, list, left)
	{
		if (nla_type(attr) == IFLA_VF_VLAN_INFO && netlink_take(attr, &info, sizeof(info))) {
			set->has |= VFSET_VLAN;
			set->vlan = vf_vlan_id(info.vlan);
			set->qos = (uint8_t)(info.qos & 7);
			set->proto = info.vlan_proto ? ntohs(info.vlan_proto) : PROTO_8021Q;
			return;
		}
	}
}

/* A setting of 0 or 1; a driver that does not report it leaves the kernel's -1. */
static void
vf_flag(struct vfset *set, unsigned bit, bool *flag, const struct nlattr *attr)
{
	struct ifla_vf_spoofchk said; /* all of them are alike: VF, setting */
	_Static_assert(sizeof(said) == sizeof(struct ifla_vf_trust), "");
	if (netlink_take(attr, &said, sizeof(said)) && said.setting <= 1) {
		set->has |= bit;
		*flag = said.setting;
	}
}

static void
vf_attr(struct links_vf *vf, bool *numbered, struct nlattr *attr)
{
	struct vfset *set = &vf->set;
	struct ifla_vf_mac mac;
	struct ifla_vf_vlan vlan;
	struct ifla_vf_rate rate;
	struct ifla_vf_link_state link;
	switch (nla_type(attr)) {
	case IFLA_VF_MAC:
		if (netlink_take(attr, &mac, sizeof(mac))) {
			vf->index = mac.vf;
			*numbered = true;
			set->has |= VFSET_MAC;
			set->mac = mac_get(mac.mac);
		}
		break;
	case IFLA_VF_VLAN:
		/* The list has the protocol as well. */
		if (!(set->has & VFSET_VLAN) && netlink_take(attr, &vlan, sizeof(vlan))) {
			set->has |= VFSET_VLAN;
			set->vlan = vf_vlan_id(vlan.vlan);
			set->qos = (uint8_t)(vlan.qos & 7);
		}
		break;
	case IFLA_VF_VLAN_LIST:
		vf_vlans(set, attr);
		break;
	case IFLA_VF_RATE:
		if (netlink_take(attr, &rate, sizeof(rate))) {
			set->has |= VFSET_RATE;
			set->max_rate_bps = rate.max_tx_rate * MBIT;
			set->min_rate_bps = rate.min_tx_rate * MBIT;
		}
		break;
	case IFLA_VF_SPOOFCHK:
		vf_flag(set, VFSET_SPOOFCHK, &set->spoofchk, attr);
		break;
	case IFLA_VF_TRUST:
		vf_flag(set, VFSET_TRUST, &set->trust, attr);
		break;
	case IFLA_VF_LINK_STATE:
		if (netlink_take(attr, &link, sizeof(link)) && link.link_state <= IFLA_VF_LINK_STATE_DISABLE) {
			set->has |= VFSET_LINK;
			set->link = (enum vfset_link)link.link_state;
		}
		break;
	default:
		break;
	}
}

static bool
link_vfs(struct links_link *link, struct nlattr *list)
{
	struct nlattr *info, *attr;
	int left, inner;
	nla_for_each_nested(info, list, left)
	{
		struct links_vf vf = {.set.proto = PROTO_8021Q};
		bool numbered = false;
		if (nla_type(info) != IFLA_VF_INFO) {
			continue;
		}
		nla_for_each_nested(attr, info, inner)
		{
			vf_attr(&vf, &numbered, attr);
		}
		struct links_vf *place = numbered ? grow(&link->vf, &link->nvfs, sizeof(*place)) : NULL;
		if (place) {
			*place = vf;
		} else if (numbered) {
			return false;
		}
	}
	return true;
}

/* Those that fit: systemd gives two or three of 20 characters. */
static void
link_altnames(struct links_link *link, struct nlattr *list)
{
	struct nlattr *attr;
	int left;
	size_t end = 0;
	nla_for_each_nested(attr, list, left)
	{
		if (nla_type(attr) == IFLA_ALT_IFNAME && end + 1 < sizeof(link->altnames) &&
			netlink_text(attr, link->altnames + end, sizeof(link->altnames) - end - 1)) {
			end += strlen(link->altnames + end) + 1;
		}
	}
}

static bool
link_attr(struct links_link *link, struct nlattr *attr)
{
	uint8_t mac[6];
	uint32_t number;
	struct nlattr *inner;
	int left;
	switch (nla_type(attr)) {
	case IFLA_IFNAME:
		netlink_text(attr, link->name, sizeof(link->name));
		break;
	case IFLA_PROP_LIST:
		link_altnames(link, attr);
		break;
	case IFLA_PARENT_DEV_NAME:
		netlink_text(attr, link->parent, sizeof(link->parent));
		break;
	case IFLA_ADDRESS:
		if (nla_len(attr) == sizeof(mac) && netlink_take(attr, mac, sizeof(mac))) {
			link->mac = mac_get(mac);
		}
		break;
	case IFLA_MTU:
		netlink_take(attr, &link->mtu, sizeof(link->mtu));
		break;
	case IFLA_MASTER:
		if (netlink_take(attr, &number, sizeof(number))) {
			link->master = (int)number;
		}
		break;
	case IFLA_LINK:
		if (netlink_take(attr, &number, sizeof(number))) {
			link->lower = (int)number;
		}
		break;
	case IFLA_LINKINFO:
		nla_for_each_nested(inner, attr, left)
		{
			if (nla_type(inner) == IFLA_INFO_KIND) {
				netlink_text(inner, link->kind, sizeof(link->kind));
			}
		}
		break;
	case IFLA_VFINFO_LIST:
		return link_vfs(link, attr);
	default:
		break;
	}
	return true;
}

static bool
parse_link(struct links *links, struct nlmsghdr *message)
{
	struct ifinfomsg info;
	if (nlmsg_datalen(message) < (int)sizeof(info)) {
		return false;
	}
	memcpy(&info, nlmsg_data(message), sizeof(info));
	struct links_link *link = grow(&links->link, &links->n, sizeof(*link));
	if (!link) {
		return false;
	}
	link->index = info.ifi_index;
	link->up = info.ifi_flags & IFF_UP;
	link->carrier = (info.ifi_flags & (IFF_UP | IFF_LOWER_UP)) == (IFF_UP | IFF_LOWER_UP);
	link->loopback = info.ifi_flags & IFF_LOOPBACK;
	struct nlattr *attr;
	int left;
	bool ok = true, elsewhere = false;
	nla_for_each_attr(attr, nlmsg_attrdata(message, sizeof(info)), nlmsg_attrlen(message, sizeof(info)), left)
	{
		elsewhere |= nla_type(attr) == IFLA_LINK_NETNSID;
		ok &= link_attr(link, attr);
	}
	/* The other end of a veth is not what it stands on. */
	if (elsewhere || strcmp(link->kind, "veth") == 0 || link->lower == link->index) {
		link->lower = 0;
	}
	return ok;
}

/* ---- addresses and routes --------------------------------------------------------------------------------------- */

static bool
take_ip(const struct nlattr *attr, int family, struct ip *ip)
{
	size_t size = family == AF_INET ? 4 : 16;
	*ip = (struct ip){.family = family == AF_INET ? 4 : 6};
	return (family == AF_INET || family == AF_INET6) && nla_len(attr) == (int)size && netlink_take(attr, ip->bytes, size);
}

/* RFC 3927 and RFC 4291 2.5.6. */
static bool
is_link_local(const struct ip *ip)
{
	return ip->family == 4 ? ip->bytes[0] == 169 && ip->bytes[1] == 254
			       : ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

static bool
same_ip(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool
parse_address(struct links *links, struct nlmsghdr *message)
{
	struct ifaddrmsg info;
	if (nlmsg_datalen(message) < (int)sizeof(info)) {
		return false;
	}
	memcpy(&info, nlmsg_data(message), sizeof(info));
	/* IFA_ADDRESS is the peer's where there is an IFA_LOCAL. */
	struct ip ip = {0}, local;
	struct nlattr *attr;
	int left;
	nla_for_each_attr(attr, nlmsg_attrdata(message, sizeof(info)), nlmsg_attrlen(message, sizeof(info)), left)
	{
		int type = nla_type(attr);
		if ((type == IFA_LOCAL || (type == IFA_ADDRESS && ip.family == 0)) && take_ip(attr, info.ifa_family, &local)) {
			ip = local;
		}
	}
	if (ip.family == 0) {
		return true;
	}
	if (same_ip(&ip, &links->local)) {
		links->local_index = (int)info.ifa_index;
	}
	return is_link_local(&ip) || set_add(&links->addressed, (int)info.ifa_index);
}

static bool
prefix_covers(const struct ip *prefix, unsigned length, const struct ip *ip)
{
	unsigned whole = length / 8, rest = length % 8;
	if (prefix->family != ip->family || length > (ip->family == 4 ? 32 : 128) ||
		memcmp(prefix->bytes, ip->bytes, whole) != 0) {
		return false;
	}
	return rest == 0 || ((prefix->bytes[whole] ^ ip->bytes[whole]) >> (8 - rest)) == 0;
}

/* One way out of a route. */
static bool
route_out(struct links *links, const struct rtmsg *info, const struct ip *to, int index)
{
	if (links->remote.family && prefix_covers(to, info->rtm_dst_len, &links->remote) &&
		info->rtm_dst_len + 1 > links->remote_length) {
		links->remote_length = info->rtm_dst_len + 1;
		links->remote_index = index;
	}
	return index <= 0 || info->rtm_dst_len > 0 || set_add(&links->routes, index);
}

static bool
route_ways(struct links *links, const struct rtmsg *info, const struct ip *to, const struct nlattr *list)
{
	const char *at = nla_data(list);
	int left = nla_len(list);
	struct rtnexthop hop;
	while (left >= (int)sizeof(hop)) {
		memcpy(&hop, at, sizeof(hop));
		int step = (int)NLA_ALIGN(hop.rtnh_len);
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left) {
			break;
		}
		if (!route_out(links, info, to, hop.rtnh_ifindex)) {
			return false;
		}
		at += step;
		left -= step;
	}
	return true;
}

/* A route may name a nexthop object in place of its interfaces (net.ipv4.nexthop_compat_mode). There are no groups in groups. */
static bool
route_hops(struct links *links, const struct rtmsg *info, const struct ip *to, uint32_t id, bool member)
{
	bool ok = true;
	for (size_t i = 0; i < links->nhops && ok; i++) {
		const struct links_hop *hop = &links->hop[i];
		if (hop->id == id && !hop->member) {
			ok = route_out(links, info, to, hop->index);
		} else if (hop->id == id && !member) {
			ok = route_hops(links, info, to, hop->member, true);
		}
	}
	return ok;
}

static bool
parse_route(struct links *links, struct nlmsghdr *message)
{
	struct rtmsg info;
	if (nlmsg_datalen(message) < (int)sizeof(info)) {
		return false;
	}
	memcpy(&info, nlmsg_data(message), sizeof(info));
	if (info.rtm_type != RTN_UNICAST || (info.rtm_family != AF_INET && info.rtm_family != AF_INET6)) {
		return true;
	}
	struct ip to = {.family = info.rtm_family == AF_INET ? 4 : 6}, said;
	struct nlattr *attr, *ways = NULL;
	int left;
	uint32_t out = 0, hop = 0;
	nla_for_each_attr(attr, nlmsg_attrdata(message, sizeof(info)), nlmsg_attrlen(message, sizeof(info)), left)
	{
		if (nla_type(attr) == RTA_OIF) {
			netlink_take(attr, &out, sizeof(out));
		} else if (nla_type(attr) == RTA_NH_ID) {
			netlink_take(attr, &hop, sizeof(hop));
		} else if (nla_type(attr) == RTA_MULTIPATH) {
			ways = attr;
		} else if (nla_type(attr) == RTA_DST && take_ip(attr, info.rtm_family, &said)) {
			to = said;
		}
	}
	if (hop && !ways && !out) {
		return route_hops(links, &info, &to, hop, false);
	}
	return ways ? route_ways(links, &info, &to, ways) : route_out(links, &info, &to, (int)out);
}

/* ---- nexthops -------------------------------------------------------------------------------------------------------- */

static bool
add_hop(struct links *links, struct links_hop hop)
{
	struct links_hop *place = grow(&links->hop, &links->nhops, sizeof(*place));
	if (place) {
		*place = hop;
	}
	return place;
}

static bool
parse_nexthop(struct links *links, struct nlmsghdr *message)
{
	if (nlmsg_datalen(message) < (int)sizeof(struct nhmsg)) {
		return false;
	}
	struct nlattr *attr, *group = NULL;
	int left;
	uint32_t id = 0, out = 0;
	nla_for_each_attr(attr, nlmsg_attrdata(message, sizeof(struct nhmsg)), nlmsg_attrlen(message, sizeof(struct nhmsg)), left)
	{
		if (nla_type(attr) == NHA_ID) {
			netlink_take(attr, &id, sizeof(id));
		} else if (nla_type(attr) == NHA_OIF) {
			netlink_take(attr, &out, sizeof(out));
		} else if (nla_type(attr) == NHA_GROUP) {
			group = attr;
		}
	}
	struct nexthop_grp member;
	for (size_t at = 0; group && at + sizeof(member) <= (size_t)nla_len(group); at += sizeof(member)) {
		memcpy(&member, (const char *)nla_data(group) + at, sizeof(member));
		if (!add_hop(links, (struct links_hop){.id = id, .member = member.id})) {
			return false;
		}
	}
	return group || add_hop(links, (struct links_hop){.id = id, .index = (int)out});
}

bool
links_parse(struct links *links, const void *data, size_t size)
{
	/* libnl's walkers want it writable; nothing is written. */
	struct nlmsghdr *message = (struct nlmsghdr *)(uintptr_t)data;
	int left = size <= INT32_MAX ? (int)size : -1;
	bool ok = true;
	for (; nlmsg_ok(message, left); message = nlmsg_next(message, &left)) {
		switch (message->nlmsg_type) {
		case RTM_NEWLINK:
			ok &= parse_link(links, message);
			break;
		case RTM_NEWADDR:
			ok &= parse_address(links, message);
			break;
		case RTM_NEWNEXTHOP:
			ok &= parse_nexthop(links, message);
			break;
		case RTM_NEWROUTE:
			ok &= parse_route(links, message);
			break;
		default:
			break;
		}
	}
	/* The padding of the last message may be missing. */
	return ok && left <= 0 && size <= INT32_MAX;
}

void
links_free(struct links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		free(links->link[i].vf);
	}
	free(links->link);
	free(links->hop);
	free(links->addressed.index);
	free(links->routes.index);
	*links = (struct links){0};
}
