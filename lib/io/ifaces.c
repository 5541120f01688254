/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/ifaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/function.h"
#include "io/sysfs.h"
#include "vf/rules.h"

#define MBIT UINT64_C(1000000)
#define VIRTIO "virtio"

struct carrying {
	int root;
	struct host *host;
	struct host_func *func;
	const struct links *links;
	const char *login, *login_name;
	char address[PCI_TEXT_SIZE];
	char parent[64]; /* the device that has the interfaces: the function's own, or one below it */
	char path[128];
	bool elsewhere; /* it has one that is not in this namespace */
};

static bool
in_set(const struct links_set *set, int index)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->index[i] == index) {
			return true;
		}
	}
	return false;
}

static bool
carries_index(const struct links *links, const struct links_link *link, int index)
{
	const struct links_link *above = links_at(links, index);
	return above && !above->loopback && links_carries(links, link, above);
}

static void
fill_ways(const struct carrying *c, const struct links_link *link, struct host_if *iface)
{
	const struct links *links = c->links;
	for (size_t i = 0; i < links->routes.n && !iface->route[0]; i++) {
		if (carries_index(links, link, links->routes.index[i])) {
			snprintf(iface->route, sizeof(iface->route), "%s", links_at(links, links->routes.index[i])->name);
		}
	}
	const struct links_link *named = links_named(links, c->login_name);
	if (c->login[0] && (carries_index(links, link, links->local_index) || carries_index(links, link, links->remote_index) ||
				   (named && links_carries(links, link, named)))) {
		snprintf(iface->login, sizeof(iface->login), "%s", c->login);
	}
}

static bool
add_iface(struct carrying *c, const struct links_link *link)
{
	struct host_func *func = c->func;
	struct host_if *iface = realloc(func->iface, (func->nifaces + 1) * sizeof(*iface));
	if (!iface) {
		return false;
	}
	func->iface = iface;
	iface = &iface[func->nifaces++];
	*iface = (struct host_if){.index = link->index,
		.mac = link->mac,
		.up = link->up,
		.carrier = link->carrier,
		.has_address = in_set(&c->links->addressed, link->index),
		.set = {.has = PORTSET_MTU | PORTSET_UP, .mtu = link->mtu, .up = link->up}};
	snprintf(iface->name, sizeof(iface->name), "%s", link->name);
	memcpy(iface->altnames, link->altnames, sizeof(iface->altnames));
	const struct links_link *upper = links_upper(c->links, link);
	snprintf(iface->upper, sizeof(iface->upper), "%s", upper ? upper->name : "");
	fill_ways(c, link, iface);
	if (link->up) {
		function_used(func, 0, "interface %s is up", link->name);
	} else if (iface->has_address) {
		function_used(func, 0, "interface %s has addresses", link->name);
	}
	if (upper) {
		function_used(func, 0, "interface %s is below %s", link->name, upper->name);
	}
	return true;
}

/* sysfs may be another namespace's than rtnetlink: its names alone mean nothing. */
static void
see_iface(void *arg, const char *name)
{
	struct carrying *c = arg;
	const struct links_link *link = links_named(c->links, name);
	if (!link || (link->parent[0] && strcmp(link->parent, c->parent) != 0) || !add_iface(c, link)) {
		return;
	}
	c->elsewhere = false;
	if (c->func->role != HOST_VF && !c->func->label[0]) {
		sysfs_read(c->root, c->func->label, sizeof(c->func->label), "%s/net/%s/phys_port_name", c->path, name);
	}
}

/* A folder without names in it: they are those of another namespace. */
static void
see_folder(struct carrying *c)
{
	if (!sysfs_exists(c->root, "%s/net", c->path)) {
		return;
	}
	c->elsewhere = true;
	sysfs_list(c->root, see_iface, c, "%s/net", c->path);
	if (c->elsewhere) {
		function_used(c->func, 0, "interface in another network namespace");
	}
}

/* virtio has a device of its own bus between the function and the interface. */
static void
see_virtio(void *arg, const char *name)
{
	struct carrying *c = arg;
	if (strncmp(name, VIRTIO, strlen(VIRTIO)) == 0) {
		snprintf(c->parent, sizeof(c->parent), "%s", name);
		snprintf(c->path, sizeof(c->path), SYSFS_DEVICES "/%s/%.64s", c->address, name);
		see_folder(c);
	}
}

static void
fill_func(struct carrying *c)
{
	pci_format(c->func->addr, c->address);
	snprintf(c->parent, sizeof(c->parent), "%s", c->address);
	snprintf(c->path, sizeof(c->path), SYSFS_DEVICES "/%s", c->address);
	if (strncmp(c->func->driver, VIRTIO, strlen(VIRTIO)) == 0) {
		sysfs_list(c->root, see_virtio, c, SYSFS_DEVICES "/%s", c->address);
	} else {
		see_folder(c);
	}
}

/* What the PF's interface tells. */
static void
fill_sets(struct host *host, const struct host_func *pf, const struct links *links)
{
	for (size_t i = 0; i < pf->nifaces; i++) {
		const struct links_link *link = links_at(links, pf->iface[i].index);
		for (size_t k = 0; link && k < link->nvfs; k++) {
			struct host_func *vf = host_vf(host, pf->addr, link->vf[k].index);
			if (vf && vf->set.has == 0) {
				vf->set = link->vf[k].set;
				rules_told(pf->driver, &vf->set);
			}
		}
	}
}

void
ifaces_fill(int root, struct host *host, const struct links *links, const char *login, const char *login_name)
{
	struct carrying c = {.root = root, .host = host, .links = links, .login = login, .login_name = login_name};
	for (size_t i = 0; i < host->nfuncs; i++) {
		c.func = &host->func[i];
		fill_func(&c);
	}
	for (size_t i = 0; i < host->nfuncs; i++) {
		if (host->func[i].role == HOST_PF) {
			fill_sets(host, &host->func[i], links);
		}
	}
}

void
ifaces_speeds(int root, struct host *host)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		char address[PCI_TEXT_SIZE], text[SYSFS_TEXT_SIZE];
		pci_format(host->func[i].addr, address);
		for (size_t k = 0; k < host->func[i].nifaces; k++) {
			struct host_if *iface = &host->func[i].iface[k];
			uint64_t speed;
			if (iface->set.has & PORTSET_SPEED ||
				!sysfs_number(root, UINT32_MAX - 1, &speed, "sys/class/net/%s/speed", iface->name)) {
				continue;
			}
			iface->set.has |= PORTSET_SPEED;
			iface->set.speed_bps = speed * MBIT;
			sysfs_read(root, text, sizeof(text), "sys/class/net/%s/duplex", iface->name);
			if (strcmp(text, "full") == 0 || strcmp(text, "half") == 0) {
				iface->set.has |= PORTSET_DUPLEX;
				iface->set.duplex = text[0] == 'f' ? HOST_DUPLEX_FULL : HOST_DUPLEX_HALF;
			}
		}
	}
}
