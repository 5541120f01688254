/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pci:, vdev: and xdp: through DPDK's ethdev. Devices are probed when a port is opened and removed when it is closed, so that
 * ports come and go while the engine runs.
 */
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drop.h"
#include "engine.h"
#include "keeper.h"
#include "link.h"
#include "port_eth.h"

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

static inline uint16_t
take_in(struct port *port, struct rte_mbuf **frame, uint16_t got, struct seg_core *mine)
{
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

uint16_t
eth_accept(struct port *port, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	return take_in(port, frame, n, mine);
}

static uint16_t
eth_rx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	return take_in(port, frame, rte_eth_rx_burst(port->eth_id, queue, frame, n), mine);
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
remove_device(uint16_t id)
{
	struct rte_eth_dev_info info;
	struct rte_device *device = rte_eth_dev_info_get(id, &info) == 0 ? info.device : NULL;
	rte_eth_dev_callback_unregister(id, RTE_ETH_EVENT_INTR_LSC, on_event, NULL);
	rte_eth_dev_close(id);
	if (device != NULL) {
		rte_dev_remove(device);
	}
}

void
eth_remove(struct port *port)
{
	remove_device(port->eth_id);
}

static void
eth_stop(struct port *port)
{
	if (port->kind != SEG_PORT_PCI || pci_alive(port)) {
		rte_eth_dev_stop(port->eth_id);
	}
}

static void
eth_close(struct port *port)
{
	struct eth_device *dev = port->device;
	if (dev->ifname[0]) {
		xdp_close(port);
		keeper_undo(port->keeper, dev->ifname);
	} else if (port->kind == SEG_PORT_PCI) {
		pci_let_go(port);
	} else {
		remove_device(port->eth_id);
	}
	free(dev);
	port->device = NULL;
}

static enum err_code
eth_set_mtu(struct port *port, uint16_t mtu, struct err *err)
{
	bool here = port->kind != SEG_PORT_PCI || pci_alive(port);
	int rc = here ? rte_eth_dev_set_mtu(port->eth_id, mtu) : 0;
	/* A software device without this call takes frames of any size. */
	if (rc == 0 || (rc == -ENOTSUP && port->kind == SEG_PORT_VDEV)) {
		seg_put(&port->mtu, mtu);
		return ERR_NONE;
	}
	err_set(err, ERR_REFUSED, "ports.%s.mtu: %s does not take %u now: %s", port->name, port->device_text, mtu, strerror(-rc));
	bool live = rc != -EBUSY && rc != -ENOTSUP;
	return err_hint(err, "%s", !live ? "remove the port, apply, and add it again" : "a smaller one");
}

static bool
eth_poll(struct port *port)
{
	struct eth_device *dev = port->device;
	struct rte_eth_link link = {0};
	struct rte_eth_stats stats;
	bool had_link = port->link, had_present = port->present;
	if (port->kind == SEG_PORT_PCI && !pci_poll(port)) {
		port->present = port->link = false;
		return had_link || had_present;
	}
	bool up = rte_eth_link_get_nowait(port->eth_id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
	port->present = rte_eth_dev_is_valid_port(port->eth_id) && !rte_eth_dev_is_removed(port->eth_id);
	port->link = dev->ifname[0] ? xdp_link(dev, &port->present) : up && port->present && !dev->cut_off;
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
	if (port->kind == SEG_PORT_PCI) {
		pci_started(port);
	} else {
		rte_eth_promiscuous_enable(port->eth_id); /* a device that cannot receives all anyway */
		rte_eth_allmulticast_enable(port->eth_id);
	}
	eth_poll(port);
	return ERR_NONE;
}

const struct port_driver eth_driver = {
	.rx = eth_rx,
	.tx = eth_tx,
	.start = eth_start,
	.stop = eth_stop,
	.close = eth_close,
	.set_mtu = eth_set_mtu,
	.poll = eth_poll,
};

static const struct port_driver xdp_driver = {
	.rx = eth_rx,
	.tx = eth_tx,
	.start = eth_start,
	.stop = eth_stop,
	.close = eth_close,
	.set_mtu = eth_set_mtu,
	.poll = eth_poll,
	.filter = xdp_filter,
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
	if (port->vf) {
		conf.rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
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

enum err_code
eth_set_up(struct port *port, const struct port_env *env, struct err *err)
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

/* Finds its number, too. */
enum err_code
eth_probe(struct port *port, const char *text, const char *name, struct err *err)
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

enum err_code
eth_bring_up(struct port *port, const char *text, const char *name, const struct port_env *env, struct err *err)
{
	enum err_code code = eth_probe(port, text, name, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = eth_set_up(port, env, err);
	if (code != ERR_NONE) {
		remove_device(port->eth_id);
	}
	return code;
}

/* ---- open ------------------------------------------------------------------------------------------------------------ */

static enum err_code
open_device(struct port *port, struct eth_device *dev, const struct port_env *env, struct err *err)
{
	if (port->kind == SEG_PORT_XDP) {
		return xdp_open(port, dev, env, err);
	}
	if (port->kind == SEG_PORT_PCI) {
		return pci_open(port, dev, env, err);
	}
	/* "vdev:NAME,arguments": DPDK's own way to write it */
	char name[SEG_DEVICE_SIZE];
	snprintf(name, sizeof(name), "%s", strchr(port->device_text, ':') + 1);
	name[strcspn(name, ",")] = '\0';
	return eth_bring_up(port, port->device_text, name, env, err);
}

enum err_code
port_eth_open(struct port *port, const struct conf_port *conf, const struct port_env *env, struct err *err)
{
	(void)conf;
	struct eth_device *dev = calloc(1, sizeof(*dev));
	if (dev == NULL) {
		return err_set(err, ERR_FAILED, "no memory for the port %s", port->name);
	}
	port->driver = port->kind == SEG_PORT_XDP ? &xdp_driver : &eth_driver;
	port->device = dev;
	enum err_code code = open_device(port, dev, env, err);
	if (code != ERR_NONE) {
		free(dev);
		port->device = NULL;
		return code;
	}
	port->present = true;
	struct rte_eth_dev_info info;
	if (rte_eth_dev_info_get(port->eth_id, &info) == 0 && !dev->ifname[0]) {
		snprintf(port->driver_name, sizeof(port->driver_name), "%s", info.driver_name);
	}
	return ERR_NONE;
}
