/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of a physical port: MTU and up by rtnetlink, the others by ethtool netlink. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <string.h>

#include "io/driver.h"
#include "io/ethtool.h"
#include "io/links.h"
#include "io/netlink.h"
#include "io/performing.h"
#include "io/sysfs.h"

#define RELINK_MS 6000 /* copper negotiates for 2 to 4 s */

struct port {
	struct performing *p;
	struct ethtool tool;
	int no_tool; /* errno: the kernel has no ethtool netlink */
	int index;
	struct portset have;
	bool relink; /* it had a link, and a speed is asked for */
};

/* The words of the bits, for people. */
static void
name_bits(unsigned bits, const struct portset *set, char *text, size_t size)
{
	size_t at = 0;
	text[0] = '\0';
	for (unsigned i = 0; i < PORTSET_COUNT && at < size; i++) {
		char value[SYSFS_TEXT_SIZE];
		if (bits & 1u << i) {
			int n = snprintf(text + at, size - at, "%s%s %s", at ? ", " : "", portset_name(1u << i),
				portset_text(set, 1u << i, value, sizeof(value)));
			at += n > 0 ? (size_t)n : 0;
		}
	}
}

static enum err_code
refused(const struct port *port, unsigned bits, int error, const char *said)
{
	const struct performing *p = port->p;
	char driver[HOST_DRIVER_SIZE], what[SYSFS_TEXT_SIZE];
	driver_of(SYSFS_MACHINE, p->address, driver);
	name_bits(bits, &p->step->to.port, what, sizeof(what));
	switch (error) {
	case ETIMEDOUT:
		return err_set(p->err, ERR_TIMEOUT, "%s: %s: no answer from the kernel", p->name, what);
	case EOPNOTSUPP:
		return err_set(p->err, ERR_REFUSED, "%s: %s does not set %s", p->name, driver, what);
	case EINVAL:
	case ERANGE:
	case EPERM:
	case EACCES:
		return err_set(p->err, ERR_REFUSED, "%s: %s does not take %s: %s", p->name, driver, what,
			said[0] ? said : strerror(error));
	default:
		return err_set(p->err, ERR_FAILED, "%s: %s: %s", p->name, what, said[0] ? said : strerror(error));
	}
}

static enum err_code
look(struct port *port)
{
	struct performing *p = port->p;
	struct links links = {0};
	int error = p->ifname[0] ? links_get(p->ifname, &links) : ENODEV;
	port->have = (struct portset){0};
	if (error == 0 && links.n > 0) {
		port->index = links.link[0].index;
		port->have = (struct portset){.has = PORTSET_MTU | PORTSET_UP, .mtu = links.link[0].mtu, .up = links.link[0].up};
	}
	links_free(&links);
	if (error == 0 && !port->no_tool) {
		error = ethtool_get(&port->tool, p->ifname, &port->have);
	}
	if (error == ENODEV) {
		err_set(p->err, ERR_REFUSED, "%s has no interface here: its port cannot be set", p->name);
		return err_hint(p->err, "it is in another network namespace, or has no kernel driver");
	}
	return error ? err_set(p->err, ERR_FAILED, "%s: %s", p->name, strerror(error)) : ERR_NONE;
}

/* ---- rtnetlink ------------------------------------------------------------------------------------------------------------ */

static enum err_code
set_link(struct port *port, unsigned bit)
{
	const struct portset *want = &port->p->step->to.port;
	struct ifinfomsg info = {.ifi_index = port->index};
	struct netlink nl;
	int64_t left = port->p->deadline_ms - bounded_now_ms();
	if (bit == PORTSET_UP) {
		info.ifi_change = IFF_UP;
		info.ifi_flags = want->up ? IFF_UP : 0;
	}
	int error = netlink_open(&nl, NETLINK_ROUTE, left > 1 ? (int)left : 1);
	if (error) {
		return refused(port, bit, error, "");
	}
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0 ||
		(bit == PORTSET_MTU && nla_put_u32(msg, IFLA_MTU, want->mtu) < 0)) {
		nlmsg_free(msg);
		error = ENOMEM;
	} else {
		error = netlink_ask(&nl, msg, NULL, NULL);
	}
	netlink_close(&nl);
	return error ? refused(port, bit, error, nl.said) : ERR_NONE;
}

/* ---- ethtool -------------------------------------------------------------------------------------------------------------- */

/* With negotiation, drivers say yes to a speed that they have not: nothing would be offered, or all of it again. */
static enum err_code
check_mode(struct port *port)
{
	struct performing *p = port->p;
	unsigned bits = p->step->to.port.has & (PORTSET_SPEED | PORTSET_DUPLEX);
	char driver[HOST_DRIVER_SIZE], what[SYSFS_TEXT_SIZE];
	if (!bits || port->no_tool || !ethtool_lacks(&port->tool, p->ifname, &p->step->to.port)) {
		return ERR_NONE;
	}
	driver_of(SYSFS_MACHINE, p->address, driver);
	name_bits(bits, &p->step->to.port, what, sizeof(what));
	err_set(p->err, ERR_REFUSED, "%s (%s) has no %s", p->name, driver, what);
	return err_hint(p->err, "ethtool %s lists what it has", p->ifname);
}

static enum err_code
set_tool(struct port *port, unsigned bits)
{
	int error = port->no_tool;
	if (!error) {
		error = ethtool_set(&port->tool, port->p->ifname, bits, &port->p->step->to.port);
	}
	return error ? refused(port, bits, error, port->tool.nl.said) : ERR_NONE;
}

/* Negotiation without a speed: whatever was offered before, now all is. */
static enum err_code
offer(struct port *port)
{
	const struct portset *want = &port->p->step->to.port;
	if (!(want->has & PORTSET_AUTONEG) || !want->autoneg || want->has & (PORTSET_SPEED | PORTSET_DUPLEX) || port->no_tool) {
		return ERR_NONE;
	}
	int error = ethtool_offer_all(&port->tool, port->p->ifname);
	return error && error != EOPNOTSUPP ? refused(port, PORTSET_AUTONEG, error, port->tool.nl.said) : ERR_NONE;
}

/* Speed and duplex are known while there is a link; what negotiation made of flow control is not what was asked of it. */
static unsigned
unheeded(const struct portset *have, const struct portset *want)
{
	unsigned differ = portset_diff(have, want);
	unsigned bits = differ & have->has;
	if (have->has & PORTSET_PAUSE_AUTONEG && have->pause_autoneg) {
		bits &= ~(PORTSET_PAUSE_RX | PORTSET_PAUSE_TX);
	}
	return bits;
}

static enum err_code
set_all(struct port *port)
{
	const struct portset *want = &port->p->step->to.port;
	unsigned differ = portset_diff(&port->have, want);
	/* What belongs together is asked for together: speed alone would be a speed with the duplex of before. */
	unsigned link = differ & ETHTOOL_LINK ? want->has & ETHTOOL_LINK : 0;
	port->relink = link & PORTSET_SPEED && port->have.has & PORTSET_SPEED;
	unsigned pause = differ & ETHTOOL_PAUSE ? want->has & ETHTOOL_PAUSE : 0;
	enum err_code code = link ? check_mode(port) : ERR_NONE;
	code = code || !link ? code : set_tool(port, link);
	code = code ? code : offer(port);
	code = code || !pause ? code : set_tool(port, pause);
	code = code || !(differ & PORTSET_MTU) ? code : set_link(port, PORTSET_MTU);
	return code || !(differ & PORTSET_UP) ? code : set_link(port, PORTSET_UP);
}

/* The link goes down over a new speed. Whether it is heeded is seen when it is back, and not at all when it stays away. */
static bool
is_relinking(const struct port *port)
{
	const struct portset *want = &port->p->step->to.port;
	return port->relink && want->has & PORTSET_SPEED && !(port->have.has & PORTSET_SPEED);
}

static enum err_code
await(struct port *port)
{
	struct performing *p = port->p;
	unsigned bits;
	int64_t until_ms = bounded_now_ms() + RELINK_MS;
	until_ms = until_ms < p->deadline_ms ? until_ms : p->deadline_ms;
	while ((bits = unheeded(&port->have, &p->step->to.port)) || is_relinking(port)) {
		char driver[HOST_DRIVER_SIZE], what[SYSFS_TEXT_SIZE];
		if (!bounded_pause(until_ms)) {
			if (!bits) {
				return ERR_NONE;
			}
			driver_of(SYSFS_MACHINE, p->address, driver);
			name_bits(bits, &port->have, what, sizeof(what));
			return err_set(p->err, ERR_FAILED, "%s: %s has said yes, and it is: %s", p->name, driver, what);
		}
		enum err_code code = look(port);
		if (code) {
			return code;
		}
	}
	return ERR_NONE;
}

enum err_code
perform_portset(struct performing *p)
{
	struct port port = {.p = p};
	port.no_tool = ethtool_open(&port.tool);
	enum err_code code = look(&port);
	code = code ? code : set_all(&port);
	code = code ? code : look(&port);
	code = code ? code : await(&port);
	if (!port.no_tool) {
		ethtool_close(&port.tool);
	}
	return code;
}
