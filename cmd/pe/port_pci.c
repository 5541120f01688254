/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pci: what a PCI device is beside an Ethernet device: it may leave and come back while the engine runs, and it may be a virtual
 * function, which takes in only what its physical function lets it.
 *
 * A virtual function that is promiscuous, or says so, does not get frames for addresses that are not in its filters when they
 * come from another function of the same device, and most get no such frame from the wire either. So all of them are told
 * addresses.
 */
/* Of a device that the kernel wants back, DPDK tells by a function that it calls experimental. */
#define ALLOW_EXPERIMENTAL_API
#include <errno.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "drop.h"
#include "engine.h"
#include "port_eth.h"

#define ETHERTYPE_VLAN 0x8100
#define LEAVE_TRIES 1000
#define LEAVE_PAUSE_NS 100000

/* ---- data cores ------------------------------------------------------------------------------------------------------ */

/*
 * A physical function may have its virtual ones take VLAN tags out of frames, whatever they were told themselves: igb does. One
 * that was asked for by nobody here is then its own, of the VLAN that it has put this one into, and no part of the frame.
 */
static void
put_tags_back(const struct port *port, struct rte_mbuf **frame, uint16_t n)
{
	const struct eth_device *dev = port->device;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = frame[i];
		uint16_t vid = m->vlan_tci & 0xfff;
		uint8_t *data;
		if (__builtin_expect(!(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED), 1) ||
			(dev->of_igb && vid != 0 && !(seg_get(&dev->asked[vid / 64]) >> vid % 64 & 1)) ||
			(data = (uint8_t *)rte_pktmbuf_prepend(m, PORT_TAG)) == NULL) {
			continue;
		}
		memmove(data, data + PORT_TAG, 12);
		data[12] = ETHERTYPE_VLAN >> 8;
		data[13] = ETHERTYPE_VLAN & 0xff;
		data[14] = (uint8_t)(m->vlan_tci >> 8);
		data[15] = (uint8_t)m->vlan_tci;
	}
}

static uint16_t
drop_reflected(struct port *port, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	struct eth_device *dev = port->device;
	uint16_t kept = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = frame[i];
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
		uint64_t now_ns;
		if (!(data[0] & 1) || !reflect_is(&dev->reflect, data, m->data_len, now_ns = engine_now_ns())) {
			frame[kept++] = m;
			continue;
		}
		drop_count(mine, SEG_DROP_REFLECTED, port->number, data, m->data_len, now_ns);
		seg_add(&mine->port[port->number].rx_dropped, 1);
		rte_pktmbuf_free(m);
	}
	return kept;
}

static uint16_t
vf_rx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	uint16_t got = rte_eth_rx_burst(port->eth_id, queue, frame, n);
	put_tags_back(port, frame, got);
	return eth_accept(port, frame, got, mine);
}

/* Of a device that may reflect: reflect.h. */
static uint16_t
igb_rx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	struct eth_device *dev = port->device;
	uint16_t got = rte_eth_rx_burst(port->eth_id, queue, frame, n);
	put_tags_back(port, frame, got);
	if (reflect_watched(&dev->reflect)) {
		got = drop_reflected(port, frame, got, mine);
	}
	return eth_accept(port, frame, got, mine);
}

static uint16_t
igb_tx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n)
{
	struct eth_device *dev = port->device;
	for (uint16_t i = 0; reflect_watched(&dev->reflect) && i < n; i++) {
		const uint8_t *data = rte_pktmbuf_mtod(frame[i], const uint8_t *);
		if (data[0] & 1) {
			reflect_sent(&dev->reflect, data, frame[i]->data_len, engine_now_ns());
		}
	}
	return rte_eth_tx_burst(port->eth_id, queue, frame, n);
}

static uint16_t
idle_rx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	(void)port;
	(void)queue;
	(void)frame;
	(void)n;
	(void)mine;
	return 0;
}

static uint16_t
idle_tx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n)
{
	(void)port;
	(void)queue;
	(void)frame;
	(void)n;
	return 0;
}

/* ---- what is let in -------------------------------------------------------------------------------------------------- */

static struct rte_ether_addr
ether_addr(uint64_t mac)
{
	struct rte_ether_addr addr;
	for (unsigned i = 0; i < RTE_ETHER_ADDR_LEN; i++) {
		addr.addr_bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
	}
	return addr;
}

static int
pci_filter(struct port *port, uint64_t mac, bool add)
{
	const struct eth_device *dev = port->device;
	if (dev->gone || dev->cut_off) {
		return ENODEV;
	}
	if (dev->igbvf != NULL) {
		return igbvf_add(dev->igbvf, mac); /* nothing else is asked of it: there is filter_clear */
	}
	struct rte_ether_addr addr = ether_addr(mac);
	return -(add ? rte_eth_dev_mac_addr_add(port->eth_id, &addr, 0) : rte_eth_dev_mac_addr_remove(port->eth_id, &addr));
}

static int
pci_filter_clear(struct port *port)
{
	const struct eth_device *dev = port->device;
	return dev->gone || dev->cut_off || dev->igbvf == NULL ? ENODEV : igbvf_clear(dev->igbvf, port->mac);
}

static int
pci_vlan(struct port *port, uint16_t vid, bool on)
{
	struct eth_device *dev = port->device;
	if (dev->gone || dev->cut_off) {
		return ENODEV;
	}
	seg_put(&dev->asked[vid / 64], dev->asked[vid / 64] | 1ull << vid % 64);
	if (dev->igbvf != NULL) {
		return igbvf_vlan(dev->igbvf, vid, on);
	}
	int rc = rte_eth_dev_vlan_filter(port->eth_id, vid, on);
	/* a device without such a filter lets all in */
	return rc == -ENOSYS || rc == -ENOTSUP ? 0 : -rc;
}

static void
warn(struct port *port, const char *text)
{
	size_t used = strlen(port->warning);
	snprintf(port->warning + used, sizeof(port->warning) - used, "%s%s", used > 0 ? "; " : "", text);
}

static void
let_multicasts_in(struct port *port)
{
	const struct eth_device *dev = port->device;
	int error = dev->igbvf != NULL ? igbvf_multicast(dev->igbvf) : -rte_eth_allmulticast_enable(port->eth_id);
	char text[160];
	/* A physical function that does not answer will have this one begin anew. */
	if (error != 0 && error != ETIMEDOUT) {
		snprintf(text, sizeof(text), "it does not let all multicasts in (%s), which IPv6 needs%s%s%s", strerror(error),
			port->pf[0] ? ": vfctl vf set " : "", port->pf, port->pf[0] ? " trust on" : "");
		warn(port, text);
	}
}

void
pci_started(struct port *port)
{
	struct eth_device *dev = port->device;
	dev->cut_off = false;
	if (dev->igbvf != NULL) {
		igbvf_begun(dev->igbvf);
	}
	reflect_begin(&dev->reflect);
	memset(dev->asked, 0, sizeof(dev->asked));
	if (dev->igbvf == NULL) {
		int rc = rte_eth_promiscuous_enable(port->eth_id);
		port->filtered = port->vf || rc < 0;
	}
	let_multicasts_in(port);
	if (dev->igbvf != NULL && (!dev->facts.pf_tells || dev->facts.pf_mac == 0)) {
		/* that DPDK has chosen, which the reset took away */
		struct rte_ether_addr addr = ether_addr(port->mac);
		(void)rte_eth_dev_default_mac_addr_set(port->eth_id, &addr);
	}
	if (dev->facts.pf_tells && dev->facts.pf_mac == 0) {
		char text[128];
		snprintf(text, sizeof(text),
			"its PF has given it no MAC address, so it has a random one: vfctl vf set %s mac MAC", port->pf);
		warn(port, text);
	}
	if (port->filtered) {
		port_filter_again(port);
	}
}

/* ---- what it asks for ------------------------------------------------------------------------------------------------ */

static void
asks(struct eth_device *dev, uint32_t what)
{
	__atomic_fetch_or(&dev->asks, what, __ATOMIC_RELAXED);
	link_monitor_poke();
}

/* DPDK's interrupt thread. */
static int
on_reset(uint16_t id, enum rte_eth_event_type type, void *arg, void *result)
{
	(void)id;
	(void)result;
	asks(arg, type == RTE_ETH_EVENT_INTR_RMV ? ETH_ASKS_LEAVE : ETH_ASKS_RESTART);
	return 0;
}

/* Likewise: the kernel waits until the device is given back (vfio), or it has been taken away already. */
static void
on_device(const char *name, enum rte_dev_event_type type, void *arg)
{
	(void)name;
	if (type == RTE_DEV_EVENT_REMOVE) {
		asks(arg, ETH_ASKS_LEAVE);
	}
}

static void
hear(struct port *port, struct eth_device *dev)
{
	rte_eth_dev_callback_register(port->eth_id, RTE_ETH_EVENT_INTR_RESET, on_reset, dev);
	rte_eth_dev_callback_register(port->eth_id, RTE_ETH_EVENT_INTR_RMV, on_reset, dev);
	rte_dev_event_callback_register(dev->facts.address, on_device, dev);
}

static void
hear_no_more(struct port *port, struct eth_device *dev)
{
	rte_eth_dev_callback_unregister(port->eth_id, RTE_ETH_EVENT_INTR_RESET, on_reset, dev);
	rte_eth_dev_callback_unregister(port->eth_id, RTE_ETH_EVENT_INTR_RMV, on_reset, dev);
	/* -EAGAIN: it is being called */
	for (int i = 0; i < LEAVE_TRIES && rte_dev_event_callback_unregister(dev->facts.address, on_device, dev) == -EAGAIN;
		i++) {
		nanosleep(&(struct timespec){.tv_nsec = LEAVE_PAUSE_NS}, NULL);
	}
}

bool
pci_alive(const struct port *port)
{
	const struct eth_device *dev = port->device;
	return !dev->gone && (dev->igbvf == NULL || !igbvf_dead(dev->igbvf));
}

bool
pci_poll(struct port *port)
{
	struct eth_device *dev = port->device;
	if (dev->gone) {
		return false;
	}
	uint32_t asked = __atomic_exchange_n(&dev->asks, 0, __ATOMIC_RELAXED);
	bool dead = !pci_alive(port);
	enum igbvf_pf pf = !dead && dev->igbvf != NULL ? igbvf_pf(dev->igbvf) : IGBVF_PF_UP;
	if (dead || (asked & ETH_ASKS_LEAVE)) {
		port->retry_ns = port->wish == PORT_LEAVE ? port->retry_ns : 0;
		port->wish = PORT_LEAVE;
	} else if ((asked & ETH_ASKS_RESTART) || pf != IGBVF_PF_UP) {
		dev->cut_off = true;
		port->wish = port->wish == PORT_CONTENT ? PORT_RESTART : port->wish;
		port->retry_ns = pf == IGBVF_PF_DOWN ? port->retry_ns : 0;
	}
	return !dead;
}

/* ---- leaving, coming back -------------------------------------------------------------------------------------------- */

void
pci_let_go(struct port *port)
{
	struct eth_device *dev = port->device;
	if (dev->gone) {
		return;
	}
	bool alive = pci_alive(port);
	if (alive && !dev->cut_off && dev->igbvf != NULL) {
		(void)igbvf_clear(dev->igbvf, port->mac); /* the physical function would keep them */
	}
	hear_no_more(port, dev);
	igbvf_close(dev->igbvf);
	dev->igbvf = NULL;
	/* Of a device that is unplugged, DPDK would wait for an answer for ever. */
	if (alive) {
		eth_remove(port);
	} else {
		dev->stuck = true;
		warn(port, "it was torn out: the kernel waits for this process to end; restart pe to use it again");
	}
	dev->gone = true;
}

static void
pci_leave(struct port *port)
{
	if (pci_alive(port)) {
		rte_eth_dev_stop(port->eth_id);
	}
	pci_let_go(port);
}

static void
attach(struct port *port, struct eth_device *dev)
{
	struct err err;
	dev->gone = false;
	dev->asks = 0;
	dev->missed = 0;
	if (dev->of_igb) {
		dev->igbvf = igbvf_open(dev->facts.address, &err);
		if (dev->igbvf == NULL) {
			warn(port, err.message);
		}
	}
	hear(port, dev);
}

static enum err_code
pci_come(struct port *port, const struct port_env *env, struct err *err)
{
	struct eth_device *dev = port->device;
	uint16_t nrxq = port->nrxq, ntxq = port->ntxq;
	char key[SEG_NAME_SIZE + 32];
	snprintf(key, sizeof(key), "ports.%s.device: ", port->name);
	struct pci_facts facts;
	if (dev->stuck || !pci_look(dev->facts.address, &facts) || !pci_usable(&facts)) {
		return ERR_NOT_FOUND;
	}
	dev->facts = facts;
	enum err_code code = pci_check(&dev->facts, key, err);
	code = code ? code : eth_bring_up(port, port->device_text, dev->facts.address, env, err);
	if (code != ERR_NONE) {
		return code;
	}
	attach(port, dev);
	if (port->nrxq != nrxq || port->ntxq != ntxq) {
		err_set(err, ERR_REFUSED, "%s%s came back with another number of queues", key, port->device_text);
		code = err_hint(err, "remove the port, apply, and add it again");
	}
	code = code ? code : port->driver->start(port, err);
	if (code != ERR_NONE) {
		port->nrxq = nrxq;
		port->ntxq = ntxq;
		pci_let_go(port);
	}
	return code;
}

static enum err_code
pci_restart(struct port *port, const struct port_env *env, struct err *err)
{
	struct eth_device *dev = port->device;
	if (dev->igbvf != NULL && igbvf_reset(dev->igbvf) == ETIMEDOUT) {
		return err_set(err, ERR_TIMEOUT, "its physical function does not answer: it is down, or being reset");
	}
	rte_eth_dev_stop(port->eth_id);
	int rc = rte_eth_dev_reset(port->eth_id);
	if (rc != 0 && rc != -ENOTSUP) {
		return err_set(err, ERR_FAILED, "%s cannot be reset: %s", port->device_text, strerror(-rc));
	}
	enum err_code code = rc == 0 ? eth_set_up(port, env, err) : ERR_NONE;
	return code ? code : port->driver->start(port, err);
}

/* ---- open ------------------------------------------------------------------------------------------------------------ */

/* The driver's functions as this device needs them. */
static void
choose_functions(struct port *port, struct eth_device *dev)
{
	dev->work = eth_driver;
	dev->work.leave = pci_leave;
	dev->work.come = pci_come;
	dev->work.restart = pci_restart;
	dev->work.filter = pci_filter;
	if (port->vf) {
		dev->work.rx = vf_rx;
		dev->work.vlan = pci_vlan;
	}
	dev->of_igb = port->vf && igbvf_is(dev->facts.vendor, dev->facts.device);
	if (dev->of_igb) {
		dev->work.rx = igb_rx;
		dev->work.tx = igb_tx;
		dev->work.filter_clear = pci_filter_clear;
	}
	dev->idle = dev->work;
	dev->idle.rx = idle_rx;
	dev->idle.tx = idle_tx;
	port->driver = port->work = &dev->work;
	port->idle = &dev->idle;
}

enum err_code
pci_open(struct port *port, struct eth_device *dev, const struct port_env *env, struct err *err)
{
	/* "pci:ADDRESS,arguments": DPDK's own way to write it */
	char name[SEG_DEVICE_SIZE], key[SEG_NAME_SIZE + 32];
	snprintf(name, sizeof(name), "%s", strchr(port->device_text, ':') + 1);
	name[strcspn(name, ",")] = '\0';
	snprintf(key, sizeof(key), "ports.%s.device: ", port->name);
	if (!pci_look(name, &dev->facts)) {
		err_set(err, ERR_NOT_FOUND, "%spci:%s: no such PCI device", key, name);
		return err_hint(err, "`lspci -D` lists them");
	}
	port->vf = port->filtered = dev->facts.vf;
	memcpy(port->pf, dev->facts.pf, sizeof(port->pf));
	enum err_code code = pci_check(&dev->facts, key, err);
	if (code != ERR_NONE) {
		return code;
	}
	code = eth_bring_up(port, port->device_text, dev->facts.address, env, err);
	if (code != ERR_NONE) {
		(void)pci_explain(&dev->facts, key, err);
		return err->code;
	}
	choose_functions(port, dev);
	attach(port, dev);
	return ERR_NONE;
}
