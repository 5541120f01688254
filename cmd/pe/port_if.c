/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * if: a kernel interface through two AF_PACKET sockets, one that receives and one that sends.
 *
 * Received frames come with a struct virtio_net_hdr, which tells of unfinished checksums and of large frames that the sender left
 * to its NIC to cut, and with auxiliary data, which has the VLAN tag that the kernel took out. Both are made good here, so that a
 * frame in the engine is what would have been on a wire.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "drop.h"
#include "keeper.h"
#include "link.h"
#include "offload.h"
#include "port_int.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* since Linux 6.2 */
#endif

#define IF_BURST 64
#define IF_RCVBUF (8 << 20)
#define IF_SNDBUF (4 << 20)
#define IF_PREFIX ((uint32_t)sizeof(struct virtio_net_hdr))
/* Where the part of a large frame goes that its mbuf does not hold; touched by such frames only. */
#define IF_OVERFLOW (68u << 10)
/* A frame of several segments takes several of these. */
#define IF_TX_PIECES (2 * IF_BURST)

struct if_aux {
	_Alignas(8) char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))]; /* as a struct cmsghdr needs it */
};

/* Touched by the holder of the receive queue only. */
struct if_rx {
	struct mmsghdr msg[IF_BURST];
	struct iovec iov[IF_BURST][2];
	struct if_aux aux[IF_BURST];
	struct rte_mbuf *mbuf[IF_BURST]; /* NULL: passed on */
	uint8_t *overflow;
	unsigned next,
		end;  /* received and not yet passed on; when they are left, the last call returned as many as it was asked for */
	bool cutting; /* msg[next] is being cut */
	struct offload_cut cut;
};

/* A transmit queue's; there is one for each core, since the kernel takes frames of many threads on one socket. */
struct if_tx {
	SEG_ALIGNED struct mmsghdr msg[IF_BURST];
	struct iovec iov[IF_TX_PIECES];
};

struct if_device {
	int rx_fd, tx_fd;
	uint32_t room; /* bytes of a frame that an mbuf holds */
	struct if_rx rx;
	/* Control core. */
	SEG_ALIGNED char name[IFNAMSIZ];
	struct if_tx tx[];
};

/* ---- receive ---------------------------------------------------------------------------------------------------- */

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
rx_drop(const struct port *port, struct seg_core *mine, enum seg_drop reason, const void *data, uint32_t size)
{
	drop_count(mine, reason, port->number, data, size, now_ns());
	seg_add(&mine->port[port->number].rx_dropped, 1);
}

/* Without buffers, frames are still taken from the socket: they are counted, and nobody wakes up for them again and again. */
static void
rx_discard(struct port *port, struct if_device *dev, unsigned n, struct seg_core *mine)
{
	uint8_t *sample = dev->rx.overflow;
	for (unsigned i = 0; i < n; i++) {
		ssize_t size = recv(dev->rx_fd, sample, IF_PREFIX + SEG_SAMPLE_SIZE, MSG_DONTWAIT | MSG_TRUNC);
		if (size < (ssize_t)IF_PREFIX) {
			return;
		}
		rx_drop(port, mine, SEG_DROP_RX_NO_MBUF, sample + IF_PREFIX, (uint32_t)size - IF_PREFIX);
	}
}

/* Gives every message an mbuf; returns how many of the first n have one. */
static unsigned
rx_refill(struct port *port, struct if_device *dev, unsigned n)
{
	struct if_rx *rx = &dev->rx;
	struct rte_mbuf *fresh[IF_BURST];
	unsigned missing = 0, used = 0;
	for (unsigned i = 0; i < n; i++) {
		missing += rx->mbuf[i] == NULL;
	}
	if (missing > 0 && rte_pktmbuf_alloc_bulk(port->pool, fresh, missing) < 0) {
		return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		if (rx->mbuf[i] == NULL) {
			struct rte_mbuf *m = rx->mbuf[i] = fresh[used++];
			rx->iov[i][0].iov_base = rte_pktmbuf_mtod(m, uint8_t *) - IF_PREFIX;
		}
		rx->msg[i].msg_hdr.msg_controllen = sizeof(struct if_aux);
	}
	return n;
}

static void
rx_receive(struct port *port, struct if_device *dev, unsigned n, struct seg_core *mine)
{
	struct if_rx *rx = &dev->rx;
	rx->next = rx->end = 0;
	n = n < IF_BURST ? n : IF_BURST;
	if (rx_refill(port, dev, n) == 0) {
		rx_discard(port, dev, n, mine);
		return;
	}
	int got = recvmmsg(dev->rx_fd, rx->msg, n, MSG_DONTWAIT, NULL);
	if (got > 0) {
		rx->end = (unsigned)got;
	} else if (got < 0 && errno == EINVAL) {
		/* a kind of large frame that has no virtio_net_hdr; the kernel has taken it out of the queue */
		rx_drop(port, mine, SEG_DROP_RX_OVERSIZE, NULL, 0);
	}
	/* EAGAIN: nothing there. ENETDOWN, ENODEV: told once, and poll() sees to it. */
}

/* The tag that the kernel took out, as four bytes on the wire; false: none. */
static bool
rx_tag(const struct msghdr *hdr, uint8_t tag[PORT_TAG])
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(hdr);
	struct tpacket_auxdata aux;
	if (c == NULL || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA || c->cmsg_len < CMSG_LEN(sizeof(aux))) {
		return false;
	}
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID)) {
		return false;
	}
	uint16_t tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q;
	tag[0] = (uint8_t)(tpid >> 8);
	tag[1] = (uint8_t)tpid;
	tag[2] = (uint8_t)(aux.tp_vlan_tci >> 8);
	tag[3] = (uint8_t)aux.tp_vlan_tci;
	return true;
}

/* Completes an mbuf whose frame is in place: tag, lengths, port. */
static void
rx_finish(const struct port *port, const struct msghdr *hdr, struct rte_mbuf *m, uint32_t size)
{
	uint8_t tag[PORT_TAG];
	m->data_len = (uint16_t)size;
	m->pkt_len = size;
	m->port = port->number;
	uint8_t *data;
	if (size >= PORT_ETH_HEADER && rx_tag(hdr, tag) && (data = (uint8_t *)rte_pktmbuf_prepend(m, PORT_TAG)) != NULL) {
		memmove(data, data + PORT_TAG, 12);
		memcpy(data + 12, tag, PORT_TAG);
	}
}

/* Prepares to cut a large frame into such as fit. */
static bool
rx_cut_start(
	const struct port *port, struct if_device *dev, const struct virtio_net_hdr *vnet, const uint8_t *data, uint32_t size)
{
	struct if_rx *rx = &dev->rx;
	unsigned type = vnet->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
	if ((type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6 && type != VIRTIO_NET_HDR_GSO_UDP_L4) ||
		!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		return false;
	}
	uint32_t head = size < dev->room ? size : dev->room;
	rx->cut = (struct offload_cut){.head = data,
		.head_size = head,
		.rest = rx->overflow + (size_t)rx->next * IF_OVERFLOW,
		.rest_size = size - head,
		.udp = type == VIRTIO_NET_HDR_GSO_UDP_L4};
	return offload_cut_start(&rx->cut, vnet->csum_start, vnet->gso_size) &&
	       !port_oversize(port, data, offload_cut_size(&rx->cut)) && offload_cut_size(&rx->cut) <= dev->room;
}

/* The next frame of the large one, or NULL when there is no buffer. Moves on after the last. */
static struct rte_mbuf *
rx_cut_next(struct port *port, struct if_device *dev, struct seg_core *mine)
{
	struct if_rx *rx = &dev->rx;
	uint32_t size = offload_cut_size(&rx->cut);
	struct rte_mbuf *m = rte_pktmbuf_alloc(port->pool);
	if (m == NULL) {
		rx_drop(port, mine, SEG_DROP_RX_NO_MBUF, rx->cut.head, rx->cut.payload - rx->cut.done);
		rx->cut.done = rx->cut.payload;
	} else {
		offload_cut_next(&rx->cut, rte_pktmbuf_mtod(m, uint8_t *));
		rx_finish(port, &rx->msg[rx->next].msg_hdr, m, size);
		seg_add(&mine->port[port->number].csum_unfinished, 1);
	}
	if (offload_cut_size(&rx->cut) == 0) {
		rx->cutting = false;
		rx->next++; /* its mbuf stays for the next message */
	}
	return m;
}

/* The next received frame, or NULL when it was none for us. */
static struct rte_mbuf *
rx_take(struct port *port, struct if_device *dev, struct seg_core *mine)
{
	struct if_rx *rx = &dev->rx;
	unsigned i = rx->next;
	if (rx->cutting) {
		return rx_cut_next(port, dev, mine);
	}
	struct rte_mbuf *m = rx->mbuf[i];
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	struct virtio_net_hdr vnet;
	uint32_t size = rx->msg[i].msg_len;
	if (size < IF_PREFIX) {
		rx->next++;
		return NULL;
	}
	size -= IF_PREFIX;
	memcpy(&vnet, data - IF_PREFIX, sizeof(vnet));
	bool whole = !(rx->msg[i].msg_hdr.msg_flags & MSG_TRUNC);
	if (vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE && whole && rx_cut_start(port, dev, &vnet, data, size)) {
		rx->cutting = true;
		return rx_cut_next(port, dev, mine);
	}
	rx->next++;
	if (!whole || size > dev->room || port_oversize(port, data, size)) {
		rx_drop(port, mine, SEG_DROP_RX_OVERSIZE, data, size);
		return NULL;
	}
	if ((vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && offload_checksum(data, size, vnet.csum_start, vnet.csum_offset)) {
		seg_add(&mine->port[port->number].csum_unfinished, 1);
	}
	rx_finish(port, &rx->msg[i].msg_hdr, m, size);
	rx->mbuf[i] = NULL;
	return m;
}

static uint16_t
rx_take_many(struct port *port, struct if_device *dev, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	uint16_t got = 0;
	while (got < n && dev->rx.next < dev->rx.end) {
		struct rte_mbuf *m = rx_take(port, dev, mine);
		if (m != NULL) {
			frame[got++] = m;
		}
	}
	return got;
}

/* Fewer than n are returned only when nothing is held back here: then wait_fd tells all. */
static uint16_t
if_rx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n, struct seg_core *mine)
{
	(void)queue;
	struct if_device *dev = port->device;
	uint16_t got = rx_take_many(port, dev, frame, n, mine);
	if (got < n) {
		rx_receive(port, dev, n - got, mine);
		got = (uint16_t)(got + rx_take_many(port, dev, frame + got, (uint16_t)(n - got), mine));
	}
	return got;
}

/* ---- transmit --------------------------------------------------------------------------------------------------- */

/* Fills messages for the first frames; returns how many found room. */
static unsigned
tx_fill(struct if_tx *tx, struct rte_mbuf **frame, unsigned n)
{
	unsigned pieces = 0, i;
	for (i = 0; i < n && i < IF_BURST && pieces + frame[i]->nb_segs <= IF_TX_PIECES; i++) {
		tx->msg[i].msg_hdr.msg_iov = &tx->iov[pieces];
		tx->msg[i].msg_hdr.msg_iovlen = frame[i]->nb_segs;
		for (const struct rte_mbuf *m = frame[i]; m != NULL; m = m->next) {
			tx->iov[pieces++] = (struct iovec){rte_pktmbuf_mtod(m, void *), m->data_len};
		}
	}
	return i;
}

/* A frame that the kernel will never take goes to the end of those that are not sent, so that the others pass it. */
static void
tx_refuse(struct rte_mbuf **frame, unsigned n)
{
	struct rte_mbuf *m = frame[0];
	memmove(frame, frame + 1, (n - 1) * sizeof(*frame));
	frame[n - 1] = m;
}

static uint16_t
if_tx(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n)
{
	struct if_device *dev = port->device;
	struct if_tx *tx = &dev->tx[queue];
	unsigned sent = 0, left = n;
	while (left > 0) {
		unsigned filled = tx_fill(tx, frame + sent, left);
		int rc = filled > 0 ? sendmmsg(dev->tx_fd, tx->msg, filled, MSG_DONTWAIT) : -1;
		if (rc > 0) {
			rte_pktmbuf_free_bulk(frame + sent, (unsigned)rc);
			sent += (unsigned)rc;
			left -= (unsigned)rc;
		} else if (filled == 0 || errno == EMSGSIZE || errno == EINVAL) {
			tx_refuse(frame + sent, left);
			left--;
		} else if (errno != EINTR) {
			break; /* full, down or gone: what is left is the caller's */
		}
	}
	return (uint16_t)sent;
}

/* ---- control ---------------------------------------------------------------------------------------------------- */

static int
set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static enum err_code
socket_error(const struct if_device *dev, struct err *err)
{
	int error = errno;
	if (error == EPERM || error == EACCES) {
		err_set(err, ERR_REFUSED, "no permission to open a packet socket on %s", dev->name);
		return err_hint(err, "pe needs CAP_NET_RAW and CAP_NET_ADMIN");
	}
	if (error == ENODEV || error == ENXIO) {
		return err_set(err, ERR_NOT_FOUND, "%s: no such interface", dev->name);
	}
	return err_set(err, ERR_FAILED, "cannot open a packet socket on %s: %s", dev->name, strerror(error));
}

/* Binds both sockets; promiscuous mode belongs to the receiving one and goes with it. A deleted interface took both off. */
static int
bind_sockets(struct if_device *dev, int index)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
	struct packet_mreq promisc = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
	if (bind(dev->rx_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		setsockopt(dev->rx_fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) < 0) {
		return -1;
	}
	address.sll_protocol = 0; /* this one never receives */
	return bind(dev->tx_fd, (struct sockaddr *)&address, sizeof(address));
}

static int
open_sockets(struct if_device *dev)
{
	dev->rx_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	dev->tx_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (dev->rx_fd < 0 || dev->tx_fd < 0) {
		return -1;
	}
	set_option(dev->rx_fd, SOL_SOCKET, SO_RCVBUFFORCE, IF_RCVBUF);
	set_option(dev->tx_fd, SOL_SOCKET, SO_SNDBUFFORCE, IF_SNDBUF);
	/* the engine's own queue is the only one wanted: what the device does not take at once is dropped and counted */
	set_option(dev->tx_fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
	return set_option(dev->rx_fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) < 0 ||
			       set_option(dev->rx_fd, SOL_PACKET, PACKET_AUXDATA, 1) < 0 ||
			       set_option(dev->rx_fd, SOL_PACKET, PACKET_VNET_HDR, 1) < 0
		       ? -1
		       : 0;
}

static void
close_sockets(struct if_device *dev)
{
	if (dev->rx_fd >= 0) {
		close(dev->rx_fd);
	}
	if (dev->tx_fd >= 0) {
		close(dev->tx_fd);
	}
	dev->rx_fd = dev->tx_fd = -1;
}

static enum err_code
if_start(struct port *port, struct err *err)
{
	struct if_device *dev = port->device;
	struct link_info info;
	if (link_get(dev->name, &info) != 0) {
		return err_set(err, ERR_NOT_FOUND, "%s: no such interface", dev->name);
	}
	if (open_sockets(dev) < 0 || bind_sockets(dev, info.index) < 0) {
		enum err_code code = socket_error(dev, err);
		close_sockets(dev);
		return code;
	}
	port->wait_fd = dev->rx_fd;
	port->link = info.carrier;
	return ERR_NONE;
}

static void
if_stop(struct port *port)
{
	struct if_device *dev = port->device;
	close_sockets(dev);
	port->wait_fd = -1;
	dev->rx.next = dev->rx.end = 0;
	dev->rx.cutting = false;
}

static void
if_close(struct port *port)
{
	struct if_device *dev = port->device;
	for (unsigned i = 0; i < IF_BURST; i++) {
		rte_pktmbuf_free(dev->rx.mbuf[i]);
	}
	munmap(dev->rx.overflow, (size_t)IF_BURST * IF_OVERFLOW);
	keeper_undo(port->keeper, dev->name);
	free(dev);
	port->device = NULL;
}

static enum err_code
if_set_mtu(struct port *port, uint16_t mtu, struct err *err)
{
	struct if_device *dev = port->device;
	uint16_t former = port->mtu;
	seg_put(&port->mtu, mtu);
	enum err_code code = port->present ? port_prepare_interface(port, dev->name, err) : ERR_NONE;
	if (code != ERR_NONE) {
		seg_put(&port->mtu, former);
	}
	return code;
}

/* The interface may have been deleted and created anew under its name. */
static bool
is_bound(const struct if_device *dev, int index)
{
	struct sockaddr_ll address;
	socklen_t size = sizeof(address);
	return getsockname(dev->tx_fd, (struct sockaddr *)&address, &size) == 0 && address.sll_ifindex == index;
}

static void
read_lost(struct port *port, const struct if_device *dev)
{
	struct tpacket_stats stats; /* since the last time it was read */
	socklen_t size = sizeof(stats);
	if (getsockopt(dev->rx_fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0) {
		port->rx_missed += stats.tp_drops;
	}
}

/* Takes an interface that came back under its name. */
static bool
rebind(struct port *port, struct if_device *dev, int index)
{
	return port_prepare_interface(port, dev->name, NULL) == ERR_NONE && bind_sockets(dev, index) == 0;
}

static bool
if_poll(struct port *port)
{
	struct if_device *dev = port->device;
	bool had_link = port->link, had_present = port->present, carrier = false;
	int index = 0;
	port->present = link_look(dev->name, &index, &carrier) == 0;
	if (port->present && port->started && !is_bound(dev, index)) {
		port->present = rebind(port, dev, index) && link_look(dev->name, &index, &carrier) == 0;
	}
	port->link = port->present && carrier;
	if (port->present && !had_present && port->filtered) {
		port_filter_again(port);
	}
	bool changed = port->link != had_link || port->present != had_present;
	struct link_info info;
	if (changed && port->present && link_get(dev->name, &info) == 0) {
		port->mac = info.mac;
		port->speed_bps = link_speed(dev->name);
	}
	if (port->started) {
		read_lost(port, dev);
	}
	return changed;
}

static int
if_filter(struct port *port, uint64_t mac, bool add)
{
	const struct if_device *dev = port->device;
	return port_filter_interface(port, dev->name, mac, add);
}

static const struct port_driver if_driver = {
	.rx = if_rx,
	.tx = if_tx,
	.start = if_start,
	.stop = if_stop,
	.close = if_close,
	.set_mtu = if_set_mtu,
	.poll = if_poll,
	.filter = if_filter,
};

static struct if_device *
new_device(const struct port_env *env)
{
	size_t size = sizeof(struct if_device) + env->cores * sizeof(struct if_tx);
	struct if_device *dev = aligned_alloc(SEG_LINE, size);
	void *overflow = mmap(
		NULL, (size_t)IF_BURST * IF_OVERFLOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (dev == NULL || overflow == MAP_FAILED) {
		free(dev);
		return NULL;
	}
	memset(dev, 0, size);
	dev->rx_fd = dev->tx_fd = -1;
	dev->rx.overflow = overflow;
	dev->room = rte_pktmbuf_data_room_size(env->pool) - RTE_PKTMBUF_HEADROOM;
	for (unsigned i = 0; i < IF_BURST; i++) {
		dev->rx.iov[i][0].iov_len = IF_PREFIX + dev->room;
		dev->rx.iov[i][1] = (struct iovec){dev->rx.overflow + (size_t)i * IF_OVERFLOW, IF_OVERFLOW};
		dev->rx.msg[i].msg_hdr =
			(struct msghdr){.msg_iov = dev->rx.iov[i], .msg_iovlen = 2, .msg_control = &dev->rx.aux[i]};
	}
	return dev;
}

enum err_code
port_if_open(struct port *port, const struct conf_port *conf, const struct port_env *env, struct err *err)
{
	char name[IFNAMSIZ];
	enum err_code code = port_take_interface(port, conf->device + strlen("if:"), name, err);
	if (code != ERR_NONE) {
		return code;
	}
	struct if_device *dev = new_device(env);
	if (dev == NULL) {
		keeper_undo(port->keeper, name);
		return err_set(err, ERR_FAILED, "no memory for the port %s", port->name);
	}
	memcpy(dev->name, name, IFNAMSIZ);
	port->driver = &if_driver;
	port->device = dev;
	port->nrxq = 1;
	port->ntxq = (uint16_t)env->cores;
	return ERR_NONE;
}
