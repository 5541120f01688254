/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xdp: through DPDK's AF_XDP driver: the interface, its program, the sockets.
 */
#include <dirent.h>
#include <errno.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "keeper.h"
#include "link.h"
#include "port_eth.h"
#include "xdp_rings.h"

#define XDP_SOCKETS_MAX 1024
#define XDP_TRIES 10
#define XDP_PAUSE_NS 50000000L
#define XDP_RELEASE_TRIES 250
#define XDP_RELEASE_PAUSE_NS 2000000L

/* ---- sockets ---------------------------------------------------------------------------------------------------- */

static bool
is_xdp_socket(int fd, ino_t *inode)
{
	struct stat st;
	int domain = 0;
	socklen_t size = sizeof(domain);
	*inode = fstat(fd, &st) == 0 ? st.st_ino : 0;
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_XDP;
}

static unsigned
list_xdp_sockets(struct xdp_socket *list, unsigned max)
{
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	for (struct dirent *entry; dir != NULL && n < max && (entry = readdir(dir)) != NULL;) {
		uint64_t fd;
		if (num_parse_u64(entry->d_name, 0, INT32_MAX, &fd) && is_xdp_socket((int)fd, &list[n].inode)) {
			list[n++].fd = (int)fd;
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return n;
}

/*
 * The AF_XDP driver of DPDK 22.11 forgets the socket of its first queue when a device is closed, and the kernel gives the
 * interface's queue to no other socket until the process ends. So it is closed here, if it is still the same.
 */
static void
close_xdp_sockets(struct eth_device *dev)
{
	for (unsigned i = 0; i < dev->nsockets; i++) {
		ino_t inode;
		if (is_xdp_socket(dev->socket[i].fd, &inode) && inode == dev->socket[i].inode) {
			close(dev->socket[i].fd);
		}
	}
	dev->nsockets = 0;
}

/* No frame reaches its sockets any more: the program is off, or the interface is gone. */
static bool
xdp_is_quiet(const struct eth_device *dev)
{
	uint32_t id;
	char program[32];
	int rc = link_get_xdp(dev->ifname, &id, program, sizeof(program));
	return (rc == ENODEV || (rc == 0 && id == 0)) && xdp_rings_settle();
}

/* The kernel lets go of a queue a little later than its socket is closed. */
static void
await_queues(const struct eth_device *dev, uint16_t queues)
{
	uint16_t q = 0;
	for (int i = 0; i < XDP_RELEASE_TRIES && q < queues; i++) {
		while (q < queues && !xdp_queue_taken(dev->index, q)) {
			q++;
		}
		if (q < queues) {
			nanosleep(&(struct timespec){.tv_nsec = XDP_RELEASE_PAUSE_NS}, NULL);
		}
	}
}

/* Removes the device with its sockets; what the driver leaves in their rings goes back to the pool. */
void
xdp_close(struct port *port)
{
	struct eth_device *dev = port->device;
	struct xdp_rings rings[PORT_MAX_QUEUES];
	unsigned n = 0;
	for (unsigned i = 0; i < dev->nsockets; i++) {
		n += xdp_rings_map(&rings[n], dev->socket[i].fd) ? 1 : 0;
	}
	eth_remove(port);
	bool quiet = n > 0 && xdp_is_quiet(dev);
	for (unsigned i = 0; i < n; i++) {
		if (quiet) {
			xdp_rings_free_mbufs(&rings[i], port->pool);
		}
		xdp_rings_unmap(&rings[i]);
	}
	close_xdp_sockets(dev);
	if (n > 0) {
		await_queues(dev, port->nrxq);
	}
}

int
xdp_filter(struct port *port, uint64_t mac, bool add)
{
	const struct eth_device *dev = port->device;
	return port_filter_interface(port, dev->ifname, mac, add);
}

bool
xdp_link(const struct eth_device *dev, bool *present)
{
	int index;
	bool carrier;
	*present = link_look(dev->ifname, &index, &carrier) == 0 && index == dev->index;
	return *present && carrier;
}

/* ---- xdp: ------------------------------------------------------------------------------------------------------------ */

/* A killed engine's program is removed; anybody else's is not. */
static enum err_code
clear_xdp(const char *name, struct err *err)
{
	uint32_t id;
	char program[32];
	if (link_get_xdp(name, &id, program, sizeof(program)) != 0 || id == 0) {
		return ERR_NONE;
	}
	if (strncmp(program, "xsk_def_prog", strlen("xsk_def_prog")) != 0) {
		err_set(err, ERR_EXISTS, "%s has the XDP program %s of somebody else", name, program[0] ? program : "(nameless)");
		return err_hint(err, "ip link set dev %s xdp off", name);
	}
	int rc = link_detach_xdp(name);
	return rc == 0 ? ERR_NONE : err_set(err, ERR_FAILED, "%s: cannot remove an old XDP program: %s", name, strerror(rc));
}

/* AF_XDP hands over the bytes of a frame and nothing beside them. */
static enum err_code
keep_tags(struct port *port, const struct link_info *info, struct err *err)
{
	if (info->veth) {
		snprintf(port->warning, sizeof(port->warning),
			"xdp:%s is a veth: accelerated VLAN tags and unfinished checksums of its peer are lost; "
			"on the peer: ethtool -K DEV tx off txvlan off; or use if:%s",
			info->name, info->name);
		return ERR_NONE;
	}
	if (!link_rxvlan(info->name)) {
		return ERR_NONE;
	}
	keeper_note(port->keeper, info->name, KEEPER_RXVLAN, "");
	if (link_set_rxvlan(info->name, false) != 0 || link_rxvlan(info->name)) {
		err_set(err, ERR_REFUSED, "%s takes VLAN tags out of frames, and they would be lost", info->name);
		return err_hint(err, "ethtool -K %s rxvlan off; or use if:%s", info->name, info->name);
	}
	return ERR_NONE;
}

/* The kernel takes buffers of 2048 bytes to a page (XDP_UMEM_MIN_CHUNK_SIZE in its sources). */
static enum err_code
check_xdp_pool(const struct port *port, struct err *err)
{
	const struct rte_mempool *pool = port->pool;
	uint32_t size = pool->header_size + pool->elt_size + pool->trailer_size;
	if (size >= 2048 && size <= (uint32_t)sysconf(_SC_PAGESIZE)) {
		return ERR_NONE;
	}
	err_set(err, ERR_REFUSED, "ports.%s.device: xdp: needs buffers of 2 to 4 kB, and those of this engine have %u bytes",
		port->name, size);
	return err_hint(err, "%s", size < 2048 ? "use if:" : "give all ports an mtu of at most 3000; or use if:");
}

static enum err_code
prepare_xdp(struct port *port, struct eth_device *dev, struct err *err)
{
	struct link_info info;
	if (link_get(dev->ifname, &info) != 0) {
		return err_set(err, ERR_NOT_FOUND, "%s: no such interface", dev->ifname);
	}
	enum err_code code = check_xdp_pool(port, err);
	code = code ? code : clear_xdp(dev->ifname, err);
	code = code ? code : keep_tags(port, &info, err);
	if (code != ERR_NONE) {
		return code;
	}
	keeper_note(port->keeper, dev->ifname, KEEPER_XDP, "");
	if (!(info.flags & IFF_PROMISC)) {
		keeper_note(port->keeper, dev->ifname, KEEPER_PROMISC, "");
	}
	dev->index = info.index;
	dev->queues = (uint16_t)link_queues(dev->ifname);
	return ERR_NONE;
}

/* Notes the sockets that appeared since `before` was listed. */
static void
note_sockets(struct eth_device *dev, const struct xdp_socket *before, unsigned nbefore)
{
	struct xdp_socket now[XDP_SOCKETS_MAX];
	unsigned n = list_xdp_sockets(now, XDP_SOCKETS_MAX);
	for (unsigned i = 0; i < n && dev->nsockets < PORT_MAX_QUEUES; i++) {
		bool old = false;
		for (unsigned k = 0; k < nbefore; k++) {
			old = old || now[i].inode == before[k].inode;
		}
		if (!old) {
			dev->socket[dev->nsockets++] = now[i];
		}
	}
}

static enum err_code
try_xdp(struct port *port, struct eth_device *dev, const char *text, const char *name, const struct port_env *env,
	struct err *err)
{
	struct xdp_socket before[XDP_SOCKETS_MAX];
	unsigned nbefore = list_xdp_sockets(before, XDP_SOCKETS_MAX);
	enum err_code code = eth_probe(port, text, name, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = eth_set_up(port, env, err);
	note_sockets(dev, before, nbefore);
	if (code != ERR_NONE) {
		xdp_close(port);
	}
	return code;
}

/* The kernel lets go of a queue some time after its last socket was closed, so the next one may have to wait for it. */
static enum err_code
bring_up_xdp(struct port *port, struct eth_device *dev, const struct port_env *env, struct err *err)
{
	char name[32], text[128];
	snprintf(name, sizeof(name), "net_af_xdp%u", port->number);
	snprintf(text, sizeof(text), "vdev:%s,iface=%s,start_queue=0,queue_count=%u", name, dev->ifname,
		env->cores < dev->queues ? env->cores : dev->queues);
	enum err_code code = try_xdp(port, dev, text, name, env, err);
	for (int i = 0; i < XDP_TRIES && code != ERR_NONE; i++) {
		nanosleep(&(struct timespec){.tv_nsec = XDP_PAUSE_NS}, NULL);
		code = try_xdp(port, dev, text, name, env, err);
	}
	return code;
}

enum err_code
xdp_open(struct port *port, struct eth_device *dev, const struct port_env *env, struct err *err)
{
	/* One program, and nothing pinned in a file system that a killed engine would leave. */
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 1);
	enum err_code code = port_take_interface(port, port->device_text + strlen("xdp:"), dev->ifname, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = prepare_xdp(port, dev, err);
	code = code ? code : bring_up_xdp(port, dev, env, err);
	if (code != ERR_NONE) {
		keeper_undo(port->keeper, dev->ifname);
	}
	return code;
}
