/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside the ports over DPDK's ethdev: port_eth.c (all of them), port_pci.c (devices that come and go, virtual functions),
 * port_xdp.c (AF_XDP sockets).
 */
#ifndef PEKIT_PE_PORT_ETH_H
#define PEKIT_PE_PORT_ETH_H

#include <net/if.h>
#include <sys/types.h>

#include "igbvf.h"
#include "pci.h"
#include "port_int.h"
#include "reflect.h"

struct xdp_socket {
	int fd;
	ino_t inode;
};

#define ETH_ASKS_RESTART 1u
#define ETH_ASKS_LEAVE 2u

struct eth_device {
	uint64_t missed; /* the device's counter when it was last read */
	/* pci: */
	struct pci_facts facts;
	bool of_igb;               /* a VF of 82576 or I350 */
	uint64_t asked[4096 / 64]; /* bits: VLANs that were asked for since it was started */
	struct igbvf *igbvf;       /* NULL: another device, or out of reach */
	uint32_t asks;             /* ETH_ASKS_*; set by DPDK's interrupt thread */
	bool gone;                 /* given back; the port waits for it */
	bool stuck;                /* gone, but still DPDK's: it cannot be taken again */
	bool cut_off;              /* its physical function does not speak to it: no link */
	struct port_driver work, idle;
	struct reflect reflect;
	/* xdp: */
	char ifname[IFNAMSIZ];
	int index;
	uint16_t queues; /* of the interface */
	struct xdp_socket socket[PORT_MAX_QUEUES];
	unsigned nsockets;
};

/* ---- port_eth.c ---- */

extern const struct port_driver eth_driver;

/* Probes a device by DPDK's text for it and configures it. Not started. */
enum err_code
eth_bring_up(struct port *port, const char *text, const char *name, const struct port_env *env, struct err *err);

/* Configures a probed device. */
enum err_code
eth_set_up(struct port *port, const struct port_env *env, struct err *err);

enum err_code
eth_probe(struct port *port, const char *text, const char *name, struct err *err);

/* Stops, closes and removes it. */
void
eth_remove(struct port *port);

/* Frames as they came from the device, those that are too long or in pieces taken out. */
uint16_t
eth_accept(struct port *port, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine);

/* ---- port_pci.c ---- */

enum err_code
pci_open(struct port *port, struct eth_device *dev, const struct port_env *env, struct err *err);

/* After the device was started. */
void
pci_started(struct port *port);

/* What it asks for, into port->wish; called by the driver's poll. False: it is gone. */
bool
pci_poll(struct port *port);

/* May the driver touch its registers? */
bool
pci_alive(const struct port *port);

/* Before DPDK removes it. */
void
pci_let_go(struct port *port);

/* ---- port_xdp.c ---- */

enum err_code
xdp_open(struct port *port, struct eth_device *dev, const struct port_env *env, struct err *err);

void
xdp_close(struct port *port);

int
xdp_filter(struct port *port, uint64_t mac, bool add);

/* An interface that was made anew has another index; its port must be closed and opened. */
bool
xdp_link(const struct eth_device *dev, bool *present);

#endif
