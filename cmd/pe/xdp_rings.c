/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rings' form: linux/if_xdp.h, and "AF_XDP" in the kernel's documentation. */
#include <errno.h>
#include <linux/if_xdp.h>
#include <linux/membarrier.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "xdp_rings.h"

#define ENTRIES_MAX (1u << 16)
#define ENTRIES_MIN (1u << 9) /* with fewer, a ring of twice the size would fit into the same pages */
#define SEND_TRIES 20
#define SEND_PAUSE_NS 1000000L

static uint32_t
load(const struct xdp_ring *ring, uint64_t at)
{
	return __atomic_load_n((const uint32_t *)(const void *)(ring->map + at), __ATOMIC_ACQUIRE);
}

static uint32_t
produced(const struct xdp_ring *ring)
{
	return load(ring, ring->producer);
}

static uint32_t
consumed(const struct xdp_ring *ring)
{
	return load(ring, ring->consumer);
}

/* The kernel does not say how long a ring is, but refuses a map beyond its end. */
static bool
map_ring(struct xdp_ring *ring, int fd, off_t which, const struct xdp_ring_offset *offset, size_t entry_size)
{
	*ring = (struct xdp_ring){.producer = offset->producer, .consumer = offset->consumer, .entry = offset->desc};
	for (uint32_t n = ENTRIES_MAX; n >= ENTRIES_MIN; n /= 2) {
		ring->size = offset->desc + n * entry_size;
		void *map = mmap(NULL, ring->size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, which);
		if (map != MAP_FAILED) {
			ring->map = map;
			ring->entries = n;
			return true;
		}
	}
	return false;
}

/* The kernel moves its end of the transmit ring late, and a frame comes back through the completion ring when it is gone. */
static void
send_rest(const struct xdp_rings *rings, int fd)
{
	const struct xdp_ring *tx = &rings->ring[XDP_RING_TX], *completion = &rings->ring[XDP_RING_COMPLETION];
	for (int i = 0; i < SEND_TRIES && produced(completion) != produced(tx); i++) {
		if (i > 0) {
			nanosleep(&(struct timespec){.tv_nsec = SEND_PAUSE_NS}, NULL);
		}
		sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
	}
}

bool
xdp_rings_map(struct xdp_rings *rings, int fd)
{
	struct xdp_mmap_offsets offsets;
	struct xdp_options options;
	socklen_t offsets_size = sizeof(offsets), options_size = sizeof(options);
	*rings = (struct xdp_rings){0};
	if (getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &options_size) < 0 || (options.flags & XDP_OPTIONS_ZEROCOPY) ||
		getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &offsets_size) < 0 || offsets_size != sizeof(offsets)) {
		return false;
	}
	struct xdp_ring *ring = rings->ring;
	if (!map_ring(&ring[XDP_RING_RX], fd, XDP_PGOFF_RX_RING, &offsets.rx, sizeof(struct xdp_desc)) ||
		!map_ring(&ring[XDP_RING_TX], fd, XDP_PGOFF_TX_RING, &offsets.tx, sizeof(struct xdp_desc)) ||
		!map_ring(&ring[XDP_RING_FILL], fd, (off_t)XDP_UMEM_PGOFF_FILL_RING, &offsets.fr, sizeof(uint64_t)) ||
		!map_ring(&ring[XDP_RING_COMPLETION], fd, (off_t)XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr, sizeof(uint64_t))) {
		xdp_rings_unmap(rings);
		return false;
	}
	send_rest(rings, fd);
	return true;
}

bool
xdp_rings_settle(void)
{
	/* A grace period of RCU, and a receiving CPU is a reader from the program until the rings are written. */
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0;
}

/* The driver's frame 0 begins at the page where the pool's memory begins; a frame is an object of the pool, its header first. */
static struct rte_mbuf *
mbuf_at(struct rte_mempool *pool, uint64_t address)
{
	const struct rte_mempool_memhdr *chunk = STAILQ_FIRST(&pool->mem_list);
	uintptr_t base = (uintptr_t)chunk->addr & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	uintptr_t at = base + (address & XSK_UNALIGNED_BUF_ADDR_MASK) + pool->header_size;
	STAILQ_FOREACH(chunk, &pool->mem_list, next)
	{
		uintptr_t first = (uintptr_t)chunk->addr + pool->header_size;
		if (at >= first && at - first + pool->elt_size <= chunk->len - pool->header_size) {
			struct rte_mbuf *mbuf = (struct rte_mbuf *)at; /* NOLINT(performance-no-int-to-ptr) */
			return at % RTE_CACHE_LINE_SIZE == 0 && mbuf->pool == pool && rte_mbuf_refcnt_read(mbuf) != 0 ? mbuf
														      : NULL;
		}
	}
	return NULL;
}

static unsigned
free_ring(const struct xdp_ring *ring, size_t entry_size, struct rte_mempool *pool)
{
	uint32_t from = consumed(ring), n = produced(ring) - from;
	unsigned freed = 0;
	for (uint32_t i = 0; n <= ring->entries && i < n; i++) {
		uint64_t address; /* the first member of struct xdp_desc, too */
		memcpy(&address, ring->map + ring->entry + ((from + i) & (ring->entries - 1)) * entry_size, sizeof(address));
		struct rte_mbuf *mbuf = mbuf_at(pool, address);
		if (mbuf != NULL) {
			rte_pktmbuf_free(mbuf);
			freed++;
		}
	}
	return freed;
}

unsigned
xdp_rings_free_mbufs(const struct xdp_rings *rings, struct rte_mempool *pool)
{
	const struct xdp_ring *rx = &rings->ring[XDP_RING_RX], *fill = &rings->ring[XDP_RING_FILL];
	unsigned freed = free_ring(&rings->ring[XDP_RING_COMPLETION], sizeof(uint64_t), pool);
	/* A frame received was taken from the fill ring before; else one would be in both. */
	if ((int32_t)(consumed(fill) - produced(rx)) >= 0) {
		freed += free_ring(rx, sizeof(struct xdp_desc), pool);
		freed += free_ring(fill, sizeof(uint64_t), pool);
	}
	return freed;
}

void
xdp_rings_unmap(struct xdp_rings *rings)
{
	for (unsigned i = 0; i < XDP_RINGS; i++) {
		if (rings->ring[i].map != NULL) {
			munmap((void *)(uintptr_t)rings->ring[i].map, rings->ring[i].size);
			rings->ring[i].map = NULL;
		}
	}
}

static bool
set_option(int fd, int option, const void *value, socklen_t size)
{
	return setsockopt(fd, SOL_XDP, option, value, size) == 0;
}

bool
xdp_queue_taken(int ifindex, uint32_t queue)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), entries = 1;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct xdp_umem_reg umem = {.addr = (uintptr_t)memory, .len = size, .chunk_size = (uint32_t)size};
	/* A taken queue is EBUSY before the mode is looked at, and nothing stays of a bind that is refused. */
	struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP, .sxdp_flags = XDP_ZEROCOPY, .sxdp_ifindex = (uint32_t)ifindex, .sxdp_queue_id = queue};
	bool taken = fd >= 0 && memory != MAP_FAILED && set_option(fd, XDP_UMEM_REG, &umem, sizeof(umem)) &&
		     set_option(fd, XDP_UMEM_FILL_RING, &entries, sizeof(entries)) &&
		     set_option(fd, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries)) &&
		     set_option(fd, XDP_RX_RING, &entries, sizeof(entries)) &&
		     bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno == EBUSY;
	if (fd >= 0) {
		close(fd);
	}
	if (memory != MAP_FAILED) {
		munmap(memory, size);
	}
	return taken;
}
