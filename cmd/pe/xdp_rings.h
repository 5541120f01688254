/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mbufs in the rings of an AF_XDP socket. DPDK 22.11's driver puts 2048 of them into the fill ring of every queue and frees
 * none when the device is closed.
 *
 * In copy mode, where the kernel alone writes to the frames, all that lies in the rings is given back. In zero-copy mode a device
 * may still write to frames of the fill ring after the last word about it that a program can read, so there nothing is.
 */
#ifndef PEKIT_PE_XDP_RINGS_H
#define PEKIT_PE_XDP_RINGS_H

#include <rte_mempool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	XDP_RING_RX,
	XDP_RING_TX,
	XDP_RING_FILL,
	XDP_RING_COMPLETION,
	XDP_RINGS,
};

struct xdp_ring {
	const uint8_t *map;                 /* NULL: not mapped */
	size_t size;                        /* of the map */
	uint64_t producer, consumer, entry; /* where they lie in it */
	uint32_t entries;                   /* a power of two */
};

struct xdp_rings {
	struct xdp_ring ring[XDP_RINGS];
};

/*
 * Maps the rings of a socket that no core uses any more, and lets the kernel send what it was given. False when they are not all
 * there or the socket is not in copy mode. Maps keep the socket alive when its descriptor is closed.
 */
bool
xdp_rings_map(struct xdp_rings *rings, int fd);

/* Waits until no CPU of the kernel is in the middle of a frame that came before the XDP program was taken away. */
bool
xdp_rings_settle(void);

/* To be called when neither the kernel nor a core touches the rings any more. Returns how many mbufs went back to the pool. */
unsigned
xdp_rings_free_mbufs(const struct xdp_rings *rings, struct rte_mempool *pool);

void
xdp_rings_unmap(struct xdp_rings *rings);

/*
 * Does the kernel still keep the queue for a socket? Some time after the last one was closed it does, and the driver loses the
 * mbufs of a fill ring for every socket that it cannot bind. Only for an interface without zero-copy mode: with it, to ask takes
 * the queue.
 */
bool
xdp_queue_taken(int ifindex, uint32_t queue);

#endif
