/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Links asked for, and how they stand on each other. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <stdlib.h>
#include <string.h>

#include "io/links.h"
#include "io/netlink.h"
#include "io/sysfs.h"

#define RECORD_MAX (64u << 20)
#define ANSWER_MS 10000
#define TRIES 5 /* of a dump that changed while it was made */

static int
compare(const void *a, const void *b)
{
	int left = ((const struct links_link *)a)->index, right = ((const struct links_link *)b)->index;
	return (left > right) - (left < right);
}

void
links_sort(struct links *links)
{
	if (links->n > 0) {
		qsort(links->link, links->n, sizeof(*links->link), compare);
	}
}

/* ---- asking ------------------------------------------------------------------------------------------------------- */

struct hearing {
	struct links *links;
	bool bad;
};

static void
hear(void *arg, struct nlmsghdr *message)
{
	struct hearing *hearing = arg;
	hearing->bad |= !links_parse(hearing->links, message, message->nlmsg_len);
}

/* A dump of all, or (name) one link. */
static int
ask(struct netlink *nl, int type, const char *name, struct links *links)
{
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct nhmsg hop;
		struct rtmsg route;
	} header = {0};
	size_t size = type == RTM_GETLINK      ? sizeof(header.link)
		      : type == RTM_GETADDR    ? sizeof(header.addr)
		      : type == RTM_GETNEXTHOP ? sizeof(header.hop)
					       : sizeof(header.route);
	struct nl_msg *msg = nlmsg_alloc_simple(type, name ? 0 : NLM_F_DUMP);
	if (!msg) {
		return ENOMEM;
	}
	int rc = nlmsg_append(msg, &header, size, NLMSG_ALIGNTO);
	if (rc == 0 && type == RTM_GETLINK) {
		rc = nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
	}
	if (rc == 0 && name) {
		rc = nla_put_string(msg, IFLA_IFNAME, name);
	}
	if (rc < 0) {
		nlmsg_free(msg);
		return ENOMEM;
	}
	struct hearing hearing = {.links = links};
	int error = netlink_ask(nl, msg, hear, &hearing);
	return error ? error : hearing.bad ? EBADMSG : 0;
}

/* All over again when something has changed meanwhile. */
static int
ask_all(struct netlink *nl, struct links *links)
{
	static const int types[] = {RTM_GETLINK, RTM_GETADDR, RTM_GETNEXTHOP, RTM_GETROUTE};
	int error = EINTR;
	for (int try = 0; try < TRIES && error == EINTR; try++) {
		struct ip remote = links->remote, local = links->local;
		links_free(links);
		links->remote = remote;
		links->local = local;
		error = 0;
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && error == 0; i++) {
			error = ask(nl, types[i], NULL, links);
			/* Linux before 5.3 has none. */
			error = types[i] == RTM_GETNEXTHOP && error == EOPNOTSUPP ? 0 : error;
		}
	}
	return error;
}

int
links_get(const char *name, struct links *links)
{
	struct netlink nl;
	int error = netlink_open(&nl, NETLINK_ROUTE, ANSWER_MS);
	if (error) {
		return error;
	}
	error = ask(&nl, RTM_GETLINK, name, links);
	netlink_close(&nl);
	return error;
}

static enum err_code
read_machine(struct links *links, struct err *err)
{
	struct netlink nl;
	int error = netlink_open(&nl, NETLINK_ROUTE, ANSWER_MS);
	if (error == 0) {
		error = ask_all(&nl, links);
		netlink_close(&nl);
	}
	if (error == 0) {
		return ERR_NONE;
	}
	return err_set(err, error == EPERM ? ERR_REFUSED : ERR_FAILED, "the kernel's interfaces: %s", strerror(error));
}

static enum err_code
read_record(int root, const char *name, struct links *links, struct err *err)
{
	size_t size;
	void *data = sysfs_load(root, RECORD_MAX, &size, "%s", name);
	if (!data) {
		return errno == ENOENT ? ERR_NONE : err_set(err, ERR_FAILED, "%s: %s", name, strerror(errno));
	}
	bool ok = links_parse(links, data, size);
	free(data);
	return ok ? ERR_NONE : err_set(err, ERR_FAILED, "%s: not a record of rtnetlink's answers", name);
}

enum err_code
links_read(int root, struct links *links, struct err *err)
{
	enum err_code code;
	if (root == SYSFS_MACHINE) {
		code = read_machine(links, err);
	} else {
		code = read_record(root, "links", links, err);
		code = code ? code : read_record(root, "addrs", links, err);
		code = code ? code : read_record(root, "routes", links, err);
	}
	links_sort(links);
	return code;
}

/* ---- how they stand ----------------------------------------------------------------------------------------------- */

const struct links_link *
links_at(const struct links *links, int index)
{
	const struct links_link key = {.index = index};
	return index > 0 && links->n > 0 ? bsearch(&key, links->link, links->n, sizeof(key), compare) : NULL;
}

const struct links_link *
links_named(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->n; i++) {
		if (strcmp(links->link[i].name, name) == 0) {
			return &links->link[i];
		}
	}
	return NULL;
}

const struct links_link *
links_upper(const struct links *links, const struct links_link *link)
{
	const struct links_link *master = links_at(links, link->master);
	for (size_t i = 0; i < links->n && !master; i++) {
		if (links->link[i].lower == link->index) {
			return &links->link[i];
		}
	}
	return master;
}

/* Open vSwitch's ports have the datapath as their master; its internal ports, which have the addresses, have none. */
static bool
is_switched(const struct links *links, const struct links_link *below, const struct links_link *above)
{
	const struct links_link *master = links_at(links, below->master);
	return master && strcmp(master->kind, "openvswitch") == 0 && strcmp(above->kind, "openvswitch") == 0;
}

/* Is one directly below the other? */
static bool
stands_on(const struct links *links, const struct links_link *above, const struct links_link *below)
{
	return (below->master > 0 && below->master == above->index) || (above->lower > 0 && above->lower == below->index) ||
	       is_switched(links, below, above);
}

/* Downwards, for there are fewer ways than upwards: many VLANs stand on one interface. Each is looked at once, whatever rings
 * they make. */
bool
links_carries(const struct links *links, const struct links_link *below, const struct links_link *above)
{
	const struct links_link **found = calloc(links->n + 1, sizeof(*found));
	bool *seen = calloc(links->n + 1, sizeof(*seen));
	bool carries = below == above;
	size_t n = 0;
	if (found && seen) {
		found[n++] = above;
		seen[above - links->link] = true;
	}
	for (size_t at = 0; at < n && !carries; at++) {
		for (size_t i = 0; i < links->n; i++) {
			if (!seen[i] && stands_on(links, found[at], &links->link[i])) {
				seen[i] = true;
				found[n++] = &links->link[i];
				carries |= &links->link[i] == below;
			}
		}
	}
	free(found);
	free(seen);
	return carries;
}
