/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/sriov.h>
#include <netlink/route/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/addr.h"

/* ---- what it is ------------------------------------------------------------------------------------------------- */

/* libnl's error numbers are its own; what matters here is "no such interface" and "not allowed". */
static int
nl_errno(int nle)
{
	switch (-nle) {
	case 0:
		return 0;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return EPERM;
	case NLE_OPNOTSUPP:
		return EOPNOTSUPP;
	case NLE_EXIST:
		return EEXIST;
	default:
		return EIO;
	}
}

static void
fill_master(struct nl_sock *sk, int index, char *name)
{
	struct rtnl_link *link = NULL;
	if (index == 0 || rtnl_link_get_kernel(sk, index, NULL, &link) < 0) {
		return;
	}
	snprintf(name, IFNAMSIZ, "%s", rtnl_link_get_name(link));
	rtnl_link_put(link);
}

static void
fill_info(struct nl_sock *sk, struct rtnl_link *link, struct link_info *info)
{
	snprintf(info->name, sizeof(info->name), "%s", rtnl_link_get_name(link));
	info->index = rtnl_link_get_ifindex(link);
	info->flags = rtnl_link_get_flags(link);
	info->veth = rtnl_link_get_type(link) != NULL && strcmp(rtnl_link_get_type(link), "veth") == 0;
	info->ethernet = rtnl_link_get_arptype(link) == ARPHRD_ETHER;
	info->carrier = (info->flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	info->mtu = rtnl_link_get_mtu(link);
	struct nl_addr *addr = rtnl_link_get_addr(link);
	if (addr != NULL && nl_addr_get_len(addr) == 6) {
		info->mac = mac_get(nl_addr_get_binary_addr(addr));
	}
	fill_master(sk, rtnl_link_get_master(link), info->master);
}

int
link_get(const char *name, struct link_info *info)
{
	*info = (struct link_info){0};
	struct nl_sock *sk = nl_socket_alloc();
	struct rtnl_link *link = NULL;
	if (sk == NULL) {
		return ENOMEM;
	}
	int rc = nl_connect(sk, NETLINK_ROUTE);
	if (rc == 0) {
		rc = rtnl_link_get_kernel(sk, 0, name, &link);
	}
	if (rc == 0) {
		fill_info(sk, link, info);
		rtnl_link_put(link);
	}
	nl_socket_free(sk);
	return nl_errno(rc);
}

/* Runs a question on a connected socket of its own. */
static int
with_socket(int (*question)(struct nl_sock *sk, void *arg), void *arg)
{
	struct nl_sock *sk = nl_socket_alloc();
	if (sk == NULL) {
		return ENOMEM;
	}
	int rc = nl_connect(sk, NETLINK_ROUTE);
	rc = rc == 0 ? question(sk, arg) : rc;
	nl_socket_free(sk);
	return nl_errno(rc);
}

struct vf_question {
	const char *pf;
	unsigned vf;
	uint64_t mac;
};

static int
ask_vf(struct nl_sock *sk, void *arg)
{
	struct vf_question *q = arg;
	struct rtnl_link *link = NULL;
	struct nl_addr *addr = NULL;
	int rc = rtnl_link_get_kernel(sk, 0, q->pf, &link);
	if (rc < 0) {
		return rc;
	}
	struct rtnl_link_vf *vf = rtnl_link_vf_get(link, q->vf);
	rc = vf == NULL ? -NLE_OBJ_NOTFOUND : rtnl_link_vf_get_addr(vf, &addr);
	if (rc == 0 && nl_addr_get_len(addr) == 6) {
		q->mac = mac_get(nl_addr_get_binary_addr(addr));
	}
	if (vf != NULL) {
		rtnl_link_vf_put(vf);
	}
	rtnl_link_put(link);
	return rc;
}

int
link_get_vf(const char *pf, unsigned vf, uint64_t *mac)
{
	struct vf_question q = {.pf = pf, .vf = vf};
	int rc = with_socket(ask_vf, &q);
	*mac = q.mac;
	return rc;
}

struct filter_question {
	int index;
	uint64_t mac;
	bool add;
};

static int
ask_filter(struct nl_sock *sk, void *arg)
{
	const struct filter_question *q = arg;
	uint8_t bytes[6];
	mac_put(q->mac, bytes);
	struct rtnl_neigh *neigh = rtnl_neigh_alloc();
	struct nl_addr *addr = nl_addr_build(AF_LLC, bytes, sizeof(bytes));
	int rc = -NLE_NOMEM;
	if (neigh != NULL && addr != NULL) {
		rtnl_neigh_set_family(neigh, AF_BRIDGE);
		rtnl_neigh_set_ifindex(neigh, q->index);
		rtnl_neigh_set_lladdr(neigh, addr);
		rtnl_neigh_set_flags(neigh, NTF_SELF);
		rtnl_neigh_set_state(neigh, NUD_PERMANENT);
		rc = q->add ? rtnl_neigh_add(sk, neigh, NLM_F_CREATE | NLM_F_EXCL) : rtnl_neigh_delete(sk, neigh, 0);
	}
	if (addr != NULL) {
		nl_addr_put(addr);
	}
	if (neigh != NULL) {
		rtnl_neigh_put(neigh);
	}
	return rc;
}

int
link_filter(const char *name, uint64_t mac, bool add)
{
	struct filter_question q = {.index = (int)if_nametoindex(name), .mac = mac, .add = add};
	if (q.index == 0) {
		return ENODEV;
	}
	int rc = with_socket(ask_filter, &q);
	return add && rc == EEXIST ? 0 : rc;
}

bool
link_has_vlan(const char *name, uint16_t vid)
{
	char line[160], dev[32];
	unsigned id;
	bool found = false;
	/* "eth0.10        | 10  | eth0"; no such file: no VLAN device at all */
	FILE *in = fopen("/proc/net/vlan/config", "re");
	while (in != NULL && !found && fgets(line, sizeof(line), in) != NULL) {
		found = sscanf(line, "%*s | %u | %31s", &id, dev) == 2 && id == vid && strcmp(dev, name) == 0;
	}
	if (in != NULL) {
		fclose(in);
	}
	return found;
}

/* ---- ioctls ----------------------------------------------------------------------------------------------------- */

static int
if_ioctl(const char *name, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return errno;
	}
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	int rc = ioctl(fd, request, ifr) < 0 ? errno : 0;
	close(fd);
	return rc;
}

int
link_look(const char *name, int *index, bool *carrier)
{
	struct ifreq ifr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return errno;
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	int rc = ioctl(fd, SIOCGIFINDEX, &ifr) < 0 ? errno : 0;
	*index = ifr.ifr_ifindex;
	rc = rc == 0 && ioctl(fd, SIOCGIFFLAGS, &ifr) < 0 ? errno : rc;
	*carrier = rc == 0 && (ifr.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	close(fd);
	return rc;
}

static int
ethtool(const char *name, void *command)
{
	struct ifreq ifr = {.ifr_data = command};
	return if_ioctl(name, SIOCETHTOOL, &ifr);
}

uint64_t
link_speed(const char *name)
{
	struct ethtool_cmd cmd = {.cmd = ETHTOOL_GSET};
	if (ethtool(name, &cmd) != 0) {
		return 0;
	}
	uint32_t mbps = ethtool_cmd_speed(&cmd);
	return mbps == (uint32_t)SPEED_UNKNOWN ? 0 : mbps * 1000000ull;
}

void
link_driver(const char *name, char *driver, size_t size)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	int rc = ethtool(name, &info);
	snprintf(driver, size, "%.*s", (int)size - 1, rc == 0 ? info.driver : "");
}

unsigned
link_queues(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	if (ethtool(name, &channels) != 0) {
		return 1;
	}
	return channels.combined_count > 0 ? channels.combined_count : 1;
}

int
link_set_flags(const char *name, unsigned set, unsigned clear)
{
	struct ifreq ifr = {0};
	int rc = if_ioctl(name, SIOCGIFFLAGS, &ifr);
	if (rc != 0) {
		return rc;
	}
	short flags = (short)(((unsigned short)ifr.ifr_flags | set) & ~clear);
	if (flags == ifr.ifr_flags) {
		return 0;
	}
	ifr.ifr_flags = flags;
	return if_ioctl(name, SIOCSIFFLAGS, &ifr);
}

int
link_set_mtu(const char *name, uint32_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = (int)mtu};
	return if_ioctl(name, SIOCSIFMTU, &ifr);
}

bool
link_rxvlan(const char *name)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	return ethtool(name, &flags) == 0 && (flags.data & ETH_FLAG_RXVLAN);
}

int
link_set_rxvlan(const char *name, bool on)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	int rc = ethtool(name, &flags);
	if (rc != 0) {
		return rc;
	}
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data = on ? flags.data | ETH_FLAG_RXVLAN : flags.data & ~(uint32_t)ETH_FLAG_RXVLAN;
	return ethtool(name, &flags);
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

static unsigned
prefix_length(const uint8_t *mask, size_t size)
{
	unsigned n = 0;
	for (size_t i = 0; i < size; i++) {
		n += (unsigned)__builtin_popcount(mask[i]);
	}
	return n;
}

static bool
address_text(const struct ifaddrs *a, char *text, size_t size)
{
	char word[INET6_ADDRSTRLEN] = "";
	unsigned prefix = 0;
	if (a->ifa_addr->sa_family == AF_INET) {
		struct sockaddr_in in, mask;
		memcpy(&in, a->ifa_addr, sizeof(in));
		memcpy(&mask, a->ifa_netmask, sizeof(mask));
		inet_ntop(AF_INET, &in.sin_addr, word, sizeof(word));
		prefix = prefix_length((const uint8_t *)&mask.sin_addr, 4);
	} else {
		struct sockaddr_in6 in, mask;
		memcpy(&in, a->ifa_addr, sizeof(in));
		memcpy(&mask, a->ifa_netmask, sizeof(mask));
		if (IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr)) {
			return false;
		}
		inet_ntop(AF_INET6, &in.sin6_addr, word, sizeof(word));
		prefix = prefix_length(mask.sin6_addr.s6_addr, 16);
	}
	snprintf(text, size, "%s/%u", word, prefix);
	return true;
}

bool
link_address(const char *name, char *text, size_t size)
{
	struct ifaddrs *list = NULL;
	bool found = false;
	if (getifaddrs(&list) < 0) {
		return false;
	}
	size_t n = strlen(name);
	for (struct ifaddrs *a = list; a != NULL && !found; a = a->ifa_next) {
		bool ip = a->ifa_addr != NULL && a->ifa_netmask != NULL &&
			  (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6);
		/* a label is the name, a colon and any word */
		if (ip && strncmp(a->ifa_name, name, n) == 0 && (a->ifa_name[n] == '\0' || a->ifa_name[n] == ':')) {
			found = address_text(a, text, size);
		}
	}
	freeifaddrs(list);
	return found;
}

static int
open_ipv6(const char *name, int flags, int *fd)
{
	char path[96];
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	*fd = open(path, flags | O_CLOEXEC);
	return *fd < 0 ? errno : 0;
}

int
link_get_ipv6(const char *name, char *value, size_t size)
{
	int fd, rc = open_ipv6(name, O_RDONLY, &fd);
	if (rc != 0) {
		return rc;
	}
	ssize_t n = read(fd, value, size - 1);
	rc = n < 0 ? errno : 0;
	close(fd);
	value[n < 0 ? 0 : n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return rc;
}

int
link_set_ipv6(const char *name, const char *value)
{
	int fd, rc = open_ipv6(name, O_WRONLY, &fd);
	if (rc != 0) {
		return rc;
	}
	rc = write(fd, value, strlen(value)) < 0 ? errno : 0;
	close(fd);
	return rc;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static size_t
common_prefix(const char *a, const char *b)
{
	size_t n = 0;
	while (a[n] != '\0' && a[n] == b[n]) {
		n++;
	}
	return n;
}

void
link_names(const char *name, char *text, size_t size)
{
	struct if_nameindex *all = if_nameindex();
	text[0] = '\0';
	unsigned listed = 0;
	for (size_t like = IFNAMSIZ; all != NULL && like-- > 0;) {
		for (struct if_nameindex *i = all; i->if_index != 0 && listed < 8; i++) {
			size_t used = strlen(text);
			if (strcmp(i->if_name, "lo") != 0 && common_prefix(i->if_name, name) == like &&
				used + IFNAMSIZ + 2 < size) {
				snprintf(text + used, size - used, "%s%s", listed++ ? ", " : "", i->if_name);
			}
		}
	}
	if (all != NULL) {
		if_freenameindex(all);
	}
}
