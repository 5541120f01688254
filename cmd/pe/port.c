/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "port.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "keeper.h"
#include "link.h"
#include "pci.h"
#include "port_int.h"

enum err_code
port_open(struct port *port, uint16_t number, const struct conf_port *conf, const struct port_env *env, struct err *err)
{
	*port = (struct port){.number = number,
		.wait_fd = -1,
		.pool = env->pool,
		.kind = conf->kind,
		.mtu = conf->mtu,
		.keeper = env->keeper,
		.filter_room = FILTER_MAX};
	snprintf(port->name, sizeof(port->name), "%s", conf->name);
	snprintf(port->device_text, sizeof(port->device_text), "%s", conf->device);
	if (conf->mtu > env->max_mtu) {
		err_set(err, ERR_REFUSED, "ports.%s.mtu: %u is more than the buffers of the running engine hold", conf->name,
			conf->mtu);
		return err_hint(err, "at most %u; start the engine anew for more", env->max_mtu);
	}
	return conf->kind == SEG_PORT_IF ? port_if_open(port, conf, env, err) : port_eth_open(port, conf, env, err);
}

enum err_code
port_start(struct port *port, struct err *err)
{
	if (port->started) {
		return ERR_NONE;
	}
	enum err_code code = port->driver->start(port, err);
	port->started = code == ERR_NONE;
	return code;
}

void
port_stop(struct port *port)
{
	if (port->started) {
		port->driver->stop(port);
		port->started = false;
	}
}

void
port_close(struct port *port)
{
	port_stop(port);
	port->driver->close(port);
	port->present = false;
	port->link = false;
}

/* ---- what a device lets in -------------------------------------------------------------------------------------- */

static void
filter_forget(struct port *port, uint64_t mac)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < port->nfilters; i++) {
		if (port->filter[i] != mac) {
			port->filter[kept++] = port->filter[i];
		}
	}
	port->nfilters = kept;
}

/* What the device does not take again is forgotten. */
static void
filter_fill(struct port *port)
{
	unsigned kept = 0;
	while (kept < port->nfilters && port->driver->filter(port, port->filter[kept], true) == 0) {
		kept++;
	}
	port->nfilters = kept;
}

/* False: the device does not answer, and has what it had. */
static bool
filter_delete(struct port *port, const struct filter_steps *steps)
{
	const struct port_driver *driver = port->driver;
	if (steps->ndel > 0 && driver->filter_clear && driver->filter_clear(port) != 0) {
		return false;
	}
	for (unsigned i = 0; i < steps->ndel; i++) {
		filter_forget(port, steps->del[i]);
		if (!driver->filter_clear) {
			(void)driver->filter(port, steps->del[i], false);
		}
	}
	if (steps->ndel > 0 && driver->filter_clear) {
		filter_fill(port);
	}
	return true;
}

unsigned
port_filter(struct port *port, const struct filter_steps *steps)
{
	unsigned added = 0;
	bool go_on = filter_delete(port, steps);
	while (go_on && added < steps->nadd && port->nfilters < FILTER_MAX) {
		go_on = port->driver->filter(port, steps->add[added], true) == 0;
		if (go_on) {
			port->filter[port->nfilters++] = steps->add[added++];
		}
	}
	return added;
}

void
port_filter_again(struct port *port)
{
	const struct port_driver *driver = port->driver;
	if (driver->filter_clear) {
		(void)driver->filter_clear(port); /* those that a killed engine has left, too */
	}
	if (driver->filter) {
		filter_fill(port);
	}
	for (uint16_t vid = 1; driver->vlan && vid < 4095; vid++) {
		if (port_has_vlan(port, vid) && port_set_vlan(port, vid, true) != 0) {
			port->vlan[vid / 64] &= ~(1ull << vid % 64);
		}
	}
}

int
port_set_vlan(struct port *port, uint16_t vid, bool on)
{
	uint64_t bit = 1ull << vid % 64;
	int error = port->driver->vlan(port, vid, on);
	if (!on) {
		port->vlan[vid / 64] &= ~bit;
	} else if (error == 0) {
		port->vlan[vid / 64] |= bit;
	}
	return error;
}

/* ---- kernel interfaces ------------------------------------------------------------------------------------------ */

static enum err_code
refuse(const char *name, const char *what, int error, struct err *err)
{
	if (error == EPERM || error == EACCES) {
		err_set(err, ERR_REFUSED, "no permission to %s %s", what, name);
		return err_hint(err, "pe needs CAP_NET_RAW and CAP_NET_ADMIN");
	}
	if (error == ENODEV || error == ENXIO) {
		return err_set(err, ERR_NOT_FOUND, "%s: no such interface", name);
	}
	return err_set(err, ERR_FAILED, "cannot %s %s: %s", what, name, strerror(error));
}

static enum err_code
not_found(const char *name, struct err *err)
{
	char names[160];
	link_names(name, names, sizeof(names));
	err_set(err, ERR_NOT_FOUND, "%s: no such interface", name);
	return names[0] ? err_hint(err, "there are %s", names)
			: err_hint(err, "`ip link` lists them; there are none but lo here");
}

/* Interfaces that something else lives on. */
static enum err_code
check_unused(const struct link_info *info, struct err *err)
{
	char address[64];
	if (!info->ethernet) {
		return err_set(err, ERR_REFUSED, "%s is not an Ethernet interface", info->name);
	}
	if (info->master[0]) {
		err_set(err, ERR_EXISTS, "%s is a member of %s", info->name, info->master);
		return err_hint(err, "ip link set dev %s nomaster", info->name);
	}
	if (link_address(info->name, address, sizeof(address))) {
		err_set(err, ERR_EXISTS, "%s has the address %s of the kernel", info->name, address);
		return err_hint(err, "ip addr flush dev %s", info->name);
	}
	return ERR_NONE;
}

/* First of all, so that an interface that comes up does not begin to talk. */
static enum err_code
silence_ipv6(struct port *port, const char *name, struct err *err)
{
	char former[32];
	int rc = link_get_ipv6(name, former, sizeof(former));
	if (rc == ENOENT || (rc == 0 && strcmp(former, "0") != 0)) {
		return ERR_NONE;
	}
	if (rc == 0) {
		keeper_note(port->keeper, name, KEEPER_IPV6, former);
		rc = link_set_ipv6(name, "1");
	}
	/* a container's /proc/sys may be read-only: then there is chatter, and no way to stop it */
	return rc == 0 || rc == EROFS ? ERR_NONE : refuse(name, "switch IPv6 off on", rc, err);
}

static enum err_code
set_flag(struct port *port, const struct link_info *info, unsigned flag, enum keeper_what what, const char *text, struct err *err)
{
	if (info->flags & flag) {
		return ERR_NONE;
	}
	keeper_note(port->keeper, info->name, what, what == KEEPER_NOARP ? "0" : "");
	int rc = link_set_flags(info->name, flag, 0);
	return rc == 0 ? ERR_NONE : refuse(info->name, text, rc, err);
}

/*
 * The kernel takes frames of the MTU with one 802.1Q tag, but not those with an 802.1ad tag or with two: so the interface gets
 * room for them, where it can. What is too long for the port is found by port_oversize().
 */
static enum err_code
raise_mtu(struct port *port, const struct link_info *info, struct err *err)
{
	uint32_t roomy = port->mtu + PORT_TAG * PORT_TAGS_MAX;
	if (info->mtu >= roomy) {
		return ERR_NONE;
	}
	char former[16];
	snprintf(former, sizeof(former), "%u", info->mtu);
	keeper_note(port->keeper, info->name, KEEPER_MTU, former);
	int rc = link_set_mtu(info->name, roomy);
	if (rc != 0 && info->mtu >= port->mtu) {
		return ERR_NONE;
	}
	rc = rc == 0 ? 0 : link_set_mtu(info->name, port->mtu);
	if (rc == EINVAL) {
		err_set(err, ERR_REFUSED, "ports.%s.mtu: %u is more than %s can do", port->name, port->mtu, info->name);
		return err_hint(err, "`ip -d link show %s` names its maxmtu", info->name);
	}
	return rc == 0 ? ERR_NONE : refuse(info->name, "set the MTU of", rc, err);
}

enum err_code
port_prepare_interface(struct port *port, const char *name, struct err *err)
{
	struct link_info info;
	int rc = link_get(name, &info);
	if (rc != 0) {
		return refuse(name, "look at", rc, err);
	}
	enum err_code code = silence_ipv6(port, name, err);
	code = code ? code : set_flag(port, &info, IFF_NOARP, KEEPER_NOARP, "switch ARP off on", err);
	code = code ? code : raise_mtu(port, &info, err);
	return code ? code : set_flag(port, &info, IFF_UP, KEEPER_DOWN, "set up", err);
}

#define IGBVF_ROOM 3 /* its kernel driver takes no more, and none at all when it is given more */

void
port_look_at_interface(struct port *port, const char *name)
{
	char address[24];
	struct pci_facts facts;
	link_driver(name, port->driver_name, sizeof(port->driver_name));
	if (pci_of_interface(name, address, sizeof(address)) && pci_look(address, &facts) && facts.vf) {
		port->vf = port->filtered = true;
		memcpy(port->pf, facts.pf, sizeof(port->pf));
		port->filter_room = strcmp(port->driver_name, "igbvf") == 0 ? IGBVF_ROOM : FILTER_MAX;
	}
}

int
port_filter_interface(struct port *port, const char *name, uint64_t mac, bool add)
{
	char text[MAC_TEXT_SIZE];
	mac_format(mac, text);
	if (add) {
		keeper_note(port->keeper, name, KEEPER_FILTER, text);
	}
	int error = link_filter(name, mac, add);
	if (!add) {
		keeper_forget(port->keeper, name, KEEPER_FILTER, text);
	}
	return error;
}

enum err_code
port_take_interface(struct port *port, const char *given, char *name, struct err *err)
{
	struct link_info info;
	int rc = link_get(given, &info);
	if (rc == ENODEV) {
		return not_found(given, err);
	} else if (rc != 0) {
		return refuse(given, "look at", rc, err);
	}
	enum err_code code = keeper_claim(port->keeper, info.name, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = check_unused(&info, err);
	code = code ? code : port_prepare_interface(port, info.name, err);
	if (code != ERR_NONE) {
		keeper_undo(port->keeper, info.name);
		return code;
	}
	memcpy(name, info.name, IFNAMSIZ);
	link_get(name, &info);
	port->mac = info.mac;
	port->link = info.carrier;
	port->present = true;
	port->speed_bps = link_speed(name);
	port_look_at_interface(port, name);
	return ERR_NONE;
}

/* ---- link changes ----------------------------------------------------------------------------------------------- */

/* The descriptor that the control core waits for is an epoll set of these two. */
static struct {
	int links; /* rtnetlink */
	int poke;  /* eventfd */
} monitor = {-1, -1};

static int
open_links(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool
add_to_set(int set, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	return fd >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0;
}

int
link_monitor_open(struct err *err)
{
	int set = epoll_create1(EPOLL_CLOEXEC);
	monitor.links = open_links();
	monitor.poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (set < 0 || !add_to_set(set, monitor.links) || !add_to_set(set, monitor.poke)) {
		err_set(err, ERR_FAILED, "cannot follow link changes: %s", strerror(errno));
		link_monitor_close(set);
		return -1;
	}
	return set;
}

void
link_monitor_read(int fd)
{
	(void)fd;
	char buffer[8192];
	uint64_t count;
	/* What changed is read from the interfaces; ENOBUFS says that there was more of it than fits. */
	while (recv(monitor.links, buffer, sizeof(buffer), MSG_TRUNC) >= 0 || errno == EINTR || errno == ENOBUFS) {
	}
	while (read(monitor.poke, &count, sizeof(count)) < 0 && errno == EINTR) {
	}
}

void
link_monitor_poke(void)
{
	uint64_t one = 1;
	while (monitor.poke >= 0 && write(monitor.poke, &one, sizeof(one)) < 0 && errno == EINTR) {
	}
}

void
link_monitor_close(int fd)
{
	int all[] = {fd, monitor.links, monitor.poke};
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] >= 0) {
			close(all[i]);
		}
	}
	monitor.links = monitor.poke = -1;
}
