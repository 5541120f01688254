/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A port: one Ethernet device with its queues, whatever drives it.
 *
 * Two drivers: port_eth.c over DPDK's ethdev (pci:, vdev:, xdp:) and port_if.c over an AF_PACKET socket (if:). The control core
 * opens, starts, stops and closes; data cores only receive and send, each on a queue whose ownership word it holds (queue.h).
 *
 * port_if.c uses its own socket and not DPDK's af_packet driver because it must tell three things that the driver does not pass
 * on: carrier, frames with unfinished checksums, and truncated ones; and because a core without work can sleep on its descriptor.
 */
#ifndef PEKIT_PE_PORT_H
#define PEKIT_PE_PORT_H

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bridge/filter.h"
#include "conf/conf.h"
#include "shm/layout.h"

#define PORT_MAX_QUEUES SEG_MAX_CORES
#define PORT_DESCRIPTORS 512

struct keeper;
struct port;
struct port_env;

struct port_driver {
	/*
	 * Data cores. Receives up to n frames, tags as on the wire, each in one segment with rte_mbuf.port = the port's number.
	 * What is lost on the way is counted in core (drop reasons, csum_unfinished). mine is this core's seg_core.
	 */
	uint16_t (*rx)(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine);
	/* Sends; returns how many the device took (those are its own now). */
	uint16_t (*tx)(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n);
	/* Control core. */
	enum err_code (*start)(struct port *port, struct err *err);
	void (*stop)(struct port *port);
	void (*close)(struct port *port);
	enum err_code (*set_mtu)(struct port *port, uint16_t mtu, struct err *err);
	/* Reads link, speed and what the device lost into *port. True when the link or the presence of the device changed. */
	bool (*poll)(struct port *port);
	/* NULL: no such thing at this device. */
	/* Lets the frames to a unicast address in, or no more; 0 or an errno. */
	int (*filter)(struct port *port, uint64_t mac, bool add);
	/* Lets all of them in no more, where a device cannot take back a single one; NULL where it can. */
	int (*filter_clear)(struct port *port);
	/* Lets the tagged frames of a VLAN in, or no more; 0 or an errno. */
	int (*vlan)(struct port *port, uint16_t vid, bool on);
	/*
	 * The device is given back while the port stays, and taken again (device.c). No core uses the port meanwhile. Without
	 * a message: it is not there yet.
	 */
	void (*leave)(struct port *port);
	enum err_code (*come)(struct port *port, const struct port_env *env, struct err *err);
	/* Begins anew with a device that was reset; likewise. */
	enum err_code (*restart)(struct port *port, const struct port_env *env, struct err *err);
};

/* What a device asks for by the way it behaves; device.c does it. */
enum port_wish {
	PORT_CONTENT,
	PORT_RESTART, /* it was reset by whom it belongs to, and must be started anew */
	PORT_LEAVE,   /* the kernel wants it back */
	PORT_AWAY,    /* it is gone, or was never there since */
};

struct port {
	/* Read by data cores in every burst; written only while no core uses the port. */
	const struct port_driver *driver;
	void *device;    /* the driver's own */
	uint16_t number; /* 1..255 */
	uint16_t eth_id; /* DPDK's, for ethdev ports */
	uint16_t nrxq, ntxq;
	bool hardware_rss; /* the device spreads flows over its queues itself */
	int wait_fd;       /* readable when frames wait: a core may sleep on it; -1: it must be polled */
	struct rte_mempool *pool;
	/* Control core. */
	enum seg_port_kind kind;
	char name[SEG_NAME_SIZE];
	char device_text[SEG_DEVICE_SIZE];
	uint64_t mac;
	uint16_t mtu;
	uint64_t speed_bps;
	uint64_t rx_missed;
	bool link; /* carrier, and the device is there */
	bool present;
	bool started;
	char warning[240]; /* set at open and start: what the operator should know; empty: nothing */
	struct keeper *keeper;
	/* The driver, and the same but it receives and sends nothing; NULL: the device never leaves. */
	const struct port_driver *work, *idle;
	enum port_wish wish;
	uint64_t retry_ns, pause_ns; /* device.c: when the wish is tried again */
	char driver_name[SEG_NAME_SIZE];
	char pf[SEG_NAME_SIZE]; /* of a VF, as vfctl calls it: "eth0:3"; empty: no VF, or not to be seen from here */
	bool vf;
	/* It takes in only what it is told: unicast addresses beside its own, tagged VLANs. The control core sees to it
	 * (filters.c). */
	bool filtered;
	unsigned filter_room; /* addresses that it takes at most, as far as its driver tells */
	unsigned nfilters;
	uint64_t filter[FILTER_MAX];
	uint64_t vlan[4096 / 64]; /* bits */
};

struct port_env {
	struct rte_mempool *pool;
	struct keeper *keeper;
	unsigned cores;   /* queues wanted: as many as cores where the device has them */
	uint16_t max_mtu; /* what the mbufs hold */
};

/*
 * Opens the device of a port and sets it up, not started: nothing is received yet. *port is filled; number is the caller's.
 * ERR_NOT_FOUND: no such interface or device; ERR_EXISTS: it has addresses of the kernel's, or somebody holds it; ERR_REFUSED:
 * permission.
 */
enum err_code
port_open(struct port *port, uint16_t number, const struct conf_port *conf, const struct port_env *env, struct err *err);

enum err_code
port_start(struct port *port, struct err *err);

void
port_stop(struct port *port);

/* Stops when started, gives the device back as it was found. */
void
port_close(struct port *port);

/* Takes the steps; returns how many of the additions the device took. port->filter then says what it has. */
unsigned
port_filter(struct port *port, const struct filter_steps *steps);

/* After the device has forgotten them: its addresses and VLANs once more. */
void
port_filter_again(struct port *port);

static inline bool
port_has_vlan(const struct port *port, uint16_t vid)
{
	return port->vlan[vid / 64] >> vid % 64 & 1;
}

/* 0 or an errno; port->vlan then says what it has. */
int
port_set_vlan(struct port *port, uint16_t vid, bool on);

/*
 * Link changes. The descriptor belongs into the control core's epoll set; after it was readable, link_monitor_read() empties it
 * and the control core calls driver->poll on all ports. It tells of kernel interfaces in the engine's namespace (rtnetlink) and
 * of devices that interrupt on a link change; other ethdev ports must be polled by the timer as well. One per process;
 * link_monitor_close() ends it.
 */
int
link_monitor_open(struct err *err);
void
link_monitor_read(int fd);
void
link_monitor_close(int fd);

#endif
