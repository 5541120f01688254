/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pci:, vdev: and xdp: through DPDK's ethdev. Devices are probed when a port is opened and removed when it is closed, so that
 * ports come and go while the engine runs.
 */
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "drop.h"
#include "engine.h"
#include "keeper.h"
#include "link.h"
#include "port_int.h"
#include "xdp_rings.h"

#define XDP_SOCKETS_MAX 1024
#define XDP_TRIES 10
#define XDP_PAUSE_NS 50000000L
#define XDP_RELEASE_TRIES 250
#define XDP_RELEASE_PAUSE_NS 2000000L

struct xdp_socket {
	int fd;
	ino_t inode;
};

struct eth_device {
	uint64_t missed; /* the device's counter when it was last read */
	/* xdp: */
	char ifname[IFNAMSIZ];
	int index;
	uint16_t queues; /* of the interface */
	struct xdp_socket socket[PORT_MAX_QUEUES];
	unsigned nsockets;
};

/* ---- data cores ------------------------------------------------------------------------------------------------------ */

/* Some frame of a burst is longer than the MTU, or came in pieces. Software devices do not look at the MTU themselves. */
static uint16_t __attribute__((noinline, cold))
rx_sort_out(struct port *port, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	uint16_t kept = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = frame[i];
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
		if (m->nb_segs == 1 && !port_oversize(port, data, m->pkt_len)) {
			frame[kept++] = m;
			continue;
		}
		drop_count(mine, SEG_DROP_RX_OVERSIZE, port->number, data, m->data_len, engine_now_ns());
		seg_add(&mine->port[port->number].rx_dropped, 1);
		rte_pktmbuf_free(m);
	}
	return kept;
}

static uint16_t
eth_rx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	uint16_t got = rte_eth_rx_burst(port->eth_id, queue, frame, n);
	uint32_t limit = seg_get(&port->mtu) + PORT_ETH_HEADER;
	uint16_t number = port->number;
	unsigned odd = 0;
	for (uint16_t i = 0; i < got; i++) {
		struct rte_mbuf *m = frame[i];
		m->port = number;
		odd |= (unsigned)(m->nb_segs != 1) | (unsigned)(m->pkt_len > limit);
	}
	return odd ? rx_sort_out(port, frame, got, mine) : got;
}

static uint16_t
eth_tx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n)
{
	return rte_eth_tx_burst(port->eth_id, queue, frame, n);
}

/* ---- control --------------------------------------------------------------------------------------------------------- */

static int
on_event(uint16_t id, enum rte_eth_event_type type, void *arg, void *result)
{
	(void)id;
	(void)type;
	(void)arg;
	(void)result;
	link_monitor_poke();
	return 0;
}

static void
eth_stop(struct port *port)
{
	rte_eth_dev_stop(port->eth_id);
}

static void
remove_device(uint16_t id)
{
	struct rte_eth_dev_info info;
	struct rte_device *device = rte_eth_dev_info_get(id, &info) == 0 ? info.device : NULL;
	rte_eth_dev_close(id);
	if (device != NULL) {
		rte_dev_remove(device);
	}
}

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
static void
remove_xdp_device(struct port *port, struct eth_device *dev)
{
	struct xdp_rings rings[PORT_MAX_QUEUES];
	unsigned n = 0;
	for (unsigned i = 0; i < dev->nsockets; i++) {
		n += xdp_rings_map(&rings[n], dev->socket[i].fd) ? 1 : 0;
	}
	remove_device(port->eth_id);
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

static void
eth_close(struct port *port)
{
	struct eth_device *dev = port->device;
	rte_eth_dev_callback_unregister(port->eth_id, RTE_ETH_EVENT_INTR_LSC, on_event, NULL);
	if (dev->ifname[0]) {
		remove_xdp_device(port, dev);
		keeper_undo(port->keeper, dev->ifname);
	} else {
		remove_device(port->eth_id);
	}
	free(dev);
	port->device = NULL;
}

static enum err_code
eth_set_mtu(struct port *port, uint16_t mtu, struct err *err)
{
	int rc = rte_eth_dev_set_mtu(port->eth_id, mtu);
	/* A software device without this call takes frames of any size. */
	if (rc == 0 || (rc == -ENOTSUP && port->kind == SEG_PORT_VDEV)) {
		seg_put(&port->mtu, mtu);
		return ERR_NONE;
	}
	err_set(err, ERR_REFUSED, "ports.%s.mtu: %s does not take %u now: %s", port->name, port->device_text, mtu, strerror(-rc));
	return err_hint(err, "%s", rc == -EBUSY ? "remove the port, apply, and add it again" : "a smaller one");
}

/* An interface that was made anew has another index; its port must be closed and opened. */
static bool
xdp_link(const struct eth_device *dev, bool *present)
{
	int index;
	bool carrier;
	*present = link_look(dev->ifname, &index, &carrier) == 0 && index == dev->index;
	return *present && carrier;
}

static bool
eth_poll(struct port *port)
{
	struct eth_device *dev = port->device;
	struct rte_eth_link link = {0};
	struct rte_eth_stats stats;
	bool had_link = port->link, had_present = port->present;
	bool up = rte_eth_link_get_nowait(port->eth_id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
	port->present = rte_eth_dev_is_valid_port(port->eth_id) && !rte_eth_dev_is_removed(port->eth_id);
	port->link = dev->ifname[0] ? xdp_link(dev, &port->present) : up && port->present;
	if (!dev->ifname[0]) {
		port->speed_bps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed * 1000000ull;
	}
	if (rte_eth_stats_get(port->eth_id, &stats) == 0) {
		uint64_t missed = stats.imissed + stats.rx_nombuf;
		/* the counter begins anew when the device starts again */
		port->rx_missed += missed >= dev->missed ? missed - dev->missed : missed;
		dev->missed = missed;
	}
	return port->link != had_link || port->present != had_present;
}

static enum err_code
eth_start(struct port *port, struct err *err)
{
	int rc = rte_eth_dev_start(port->eth_id);
	if (rc < 0) {
		return err_set(err, ERR_FAILED, "ports.%s: %s does not start: %s", port->name, port->device_text, strerror(-rc));
	}
	rte_eth_promiscuous_enable(port->eth_id); /* a device that cannot receives all anyway */
	rte_eth_allmulticast_enable(port->eth_id);
	eth_poll(port);
	return ERR_NONE;
}

static const struct port_driver eth_driver = {
	.rx = eth_rx,
	.tx = eth_tx,
	.start = eth_start,
	.stop = eth_stop,
	.close = eth_close,
	.set_mtu = eth_set_mtu,
	.poll = eth_poll,
};

/* ---- set-up ---------------------------------------------------------------------------------------------------------- */

static uint16_t
at_most(unsigned wanted, unsigned have)
{
	unsigned n = wanted < have ? wanted : have;
	return (uint16_t)(n < PORT_MAX_QUEUES ? n : PORT_MAX_QUEUES);
}

static struct rte_eth_conf
make_conf(struct port *port, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = {.rxmode = {.mtu = port->mtu}};
	uint64_t wanted = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;
	uint64_t hash = info->flow_type_rss_offloads & wanted;
	port->hardware_rss = port->nrxq > 1 && hash != 0;
	if (port->hardware_rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = hash; /* the driver's own key: nothing here computes this hash again */
	}
	conf.intr_conf.lsc = (*info->dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
	return conf;
}

static int
setup_queues(const struct port *port, int socket)
{
	uint16_t rx = PORT_DESCRIPTORS, tx = PORT_DESCRIPTORS;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->eth_id, &rx, &tx);
	for (uint16_t q = 0; rc == 0 && q < port->nrxq; q++) {
		rc = rte_eth_rx_queue_setup(port->eth_id, q, rx, (unsigned)socket, NULL, port->pool);
	}
	for (uint16_t q = 0; rc == 0 && q < port->ntxq; q++) {
		rc = rte_eth_tx_queue_setup(port->eth_id, q, tx, (unsigned)socket, NULL);
	}
	return rc;
}

/* Configures a probed device. */
static enum err_code
set_up(struct port *port, const struct port_env *env, struct err *err)
{
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int rc = rte_eth_dev_info_get(port->eth_id, &info);
	if (rc == 0) {
		if (info.max_mtu != 0 && port->mtu > info.max_mtu) {
			err_set(err, ERR_REFUSED, "ports.%s.mtu: %u is more than %s can do", port->name, port->mtu,
				port->device_text);
			return err_hint(err, "at most %u", info.max_mtu);
		}
		port->nrxq = at_most(env->cores, info.max_rx_queues);
		port->ntxq = at_most(env->cores, info.max_tx_queues);
		struct rte_eth_conf conf = make_conf(port, &info);
		rc = rte_eth_dev_configure(port->eth_id, port->nrxq, port->ntxq, &conf);
		if (rc == 0 && conf.intr_conf.lsc) {
			rte_eth_dev_callback_register(port->eth_id, RTE_ETH_EVENT_INTR_LSC, on_event, NULL);
		}
	}
	if (rc == 0) {
		rc = setup_queues(port, rte_eth_dev_socket_id(port->eth_id));
	}
	if (rc < 0) {
		return err_set(
			err, ERR_FAILED, "ports.%s: %s cannot be set up: %s", port->name, port->device_text, strerror(-rc));
	}
	if (rte_eth_macaddr_get(port->eth_id, &mac) == 0) {
		port->mac = 0;
		for (unsigned i = 0; i < RTE_ETHER_ADDR_LEN; i++) {
			port->mac = port->mac << 8 | mac.addr_bytes[i];
		}
	}
	return ERR_NONE;
}

/* Probes a device by DPDK's text for it and finds its number. */
static enum err_code
probe(struct port *port, const char *text, const char *name, struct err *err)
{
	if (rte_eth_dev_get_port_by_name(name, &port->eth_id) == 0) {
		err_set(err, ERR_EXISTS, "ports.%s.device: %s is in use already", port->name, name);
		return err_hint(err, "each device has one port; a virtual device takes another number, e.g. net_pcap7");
	}
	int rc = rte_dev_probe(text);
	if (rc < 0) {
		bool unknown = rc == -ENODEV || rc == -ENOENT || rc == -EFAULT;
		return err_set(err, unknown ? ERR_NOT_FOUND : ERR_FAILED, "ports.%s.device: %s: %s", port->name, text,
			unknown    ? "no such device, or no DPDK driver for it"
			: rc == -1 ? "refused by its DPDK driver"
				   : strerror(-rc));
	}
	struct rte_dev_iterator iter;
	uint16_t id = RTE_MAX_ETHPORTS;
	RTE_ETH_FOREACH_MATCHING_DEV(id, text, &iter)
	{
		port->eth_id = id; /* a device with several ports: the first */
		rte_eth_iterator_cleanup(&iter);
		return ERR_NONE;
	}
	return err_set(err, ERR_FAILED, "ports.%s.device: %s is not an Ethernet device", port->name, name);
}

static enum err_code
bring_up(struct port *port, const char *text, const char *name, const struct port_env *env, struct err *err)
{
	enum err_code code = probe(port, text, name, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = set_up(port, env, err);
	if (code != ERR_NONE) {
		remove_device(port->eth_id);
	}
	return code;
}

/* ---- pci: ------------------------------------------------------------------------------------------------------------ */

/* Which kernel driver has it: "" for none; false: no such device. */
static bool
pci_driver(const char *address, char *driver, size_t size)
{
	char path[SEG_DEVICE_SIZE + 64], target[256];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	if (access(path, F_OK) < 0) {
		return false;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(driver, size, "%s", slash != NULL ? slash + 1 : "");
	return true;
}

static enum err_code
check_pci(const struct port *port, const char *address, struct err *err)
{
	/* The last three leave the device to the kernel's driver and work beside it. */
	static const char *const usable[] = {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core", "mlx4_core", "mana"};
	char driver[64];
	if (!pci_driver(address, driver, sizeof(driver))) {
		err_set(err, ERR_NOT_FOUND, "ports.%s.device: pci:%s: no such PCI device", port->name, address);
		return err_hint(err, "`lspci -D` lists them");
	}
	for (unsigned i = 0; i < sizeof(usable) / sizeof(usable[0]); i++) {
		if (strcmp(driver, usable[i]) == 0) {
			return ERR_NONE;
		}
	}
	err_set(err, ERR_REFUSED, "ports.%s.device: pci:%s is bound to %s", port->name, address,
		driver[0] ? driver : "no driver");
	return err_hint(err, "bind it to vfio-pci: dpdk-devbind.py -b vfio-pci %s", address);
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
	enum err_code code = probe(port, text, name, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = set_up(port, env, err);
	note_sockets(dev, before, nbefore);
	if (code != ERR_NONE) {
		remove_xdp_device(port, dev);
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
		at_most(env->cores, dev->queues));
	enum err_code code = try_xdp(port, dev, text, name, env, err);
	for (int i = 0; i < XDP_TRIES && code != ERR_NONE; i++) {
		nanosleep(&(struct timespec){.tv_nsec = XDP_PAUSE_NS}, NULL);
		code = try_xdp(port, dev, text, name, env, err);
	}
	return code;
}

static enum err_code
open_xdp(struct port *port, struct eth_device *dev, const struct port_env *env, struct err *err)
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

/* ---- open ------------------------------------------------------------------------------------------------------------ */

static enum err_code
open_device(struct port *port, struct eth_device *dev, const struct port_env *env, struct err *err)
{
	if (port->kind == SEG_PORT_XDP) {
		return open_xdp(port, dev, env, err);
	}
	/* "vdev:NAME,arguments", "pci:ADDRESS,arguments": DPDK's own way to write it */
	char name[SEG_DEVICE_SIZE];
	snprintf(name, sizeof(name), "%s", strchr(port->device_text, ':') + 1);
	name[strcspn(name, ",")] = '\0';
	enum err_code code = port->kind == SEG_PORT_PCI ? check_pci(port, name, err) : ERR_NONE;
	return code ? code : bring_up(port, port->device_text, name, env, err);
}

enum err_code
port_eth_open(struct port *port, const struct conf_port *conf, const struct port_env *env, struct err *err)
{
	(void)conf;
	struct eth_device *dev = calloc(1, sizeof(*dev));
	if (dev == NULL) {
		return err_set(err, ERR_FAILED, "no memory for the port %s", port->name);
	}
	enum err_code code = open_device(port, dev, env, err);
	if (code != ERR_NONE) {
		free(dev);
		return code;
	}
	port->driver = &eth_driver;
	port->device = dev;
	port->present = true;
	return ERR_NONE;
}
