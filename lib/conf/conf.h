/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The appliance file, pekit.json(5): read, checked in full, compared, written.
 *
 * Unknown keys, values out of range, names that refer to nothing, one device twice: each is an error that names the path
 * ("bridges.br0.ports.p9: no such port"). What a later release brings (lags, vrrp, stp rstp) is
 * ERR_REFUSED when it is not empty. No system calls: a text goes in.
 */
#ifndef PEKIT_CONF_CONF_H
#define PEKIT_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nbr/ra.h"
#include "shm/layout.h"

enum conf_poll { CONF_POLL_ADAPTIVE, CONF_POLL_BUSY };
enum conf_hugepages { CONF_HUGE_AUTO, CONF_HUGE_ON, CONF_HUGE_OFF };
enum conf_steering { CONF_STEER_AUTO, CONF_STEER_NONE };

struct conf_port {
	char name[SEG_NAME_SIZE];     /* as an appliance's name */
	char device[SEG_DEVICE_SIZE]; /* "if:veth1", "xdp:eth0", "pci:0000:3b:10.1", "vdev:net_pcap0,..." */
	enum seg_port_kind kind;      /* from the device's prefix */
	char description[128];
	bool enabled;                  /* true */
	uint16_t mtu;                  /* 68..9216; 1500 */
	enum conf_steering steering;   /* auto: software steering when the device has fewer queues than there are cores;
					  none: the core that polls a queue works on its frames */
	uint64_t limit_bps, limit_pps; /* "limit": {"rate_bps", "rate_pps"}: of what the port sends; 0: none */
	uint64_t storm_pps;            /* "storm": {"rate_pps"}: broadcast, multicast and unknown received; 0: none */
};

struct conf_member {         /* a port of a bridge */
	uint16_t port;       /* index into conf.port */
	uint16_t untagged;   /* VLAN of untagged frames both ways; 0: none */
	uint32_t mac_limit;  /* dynamic entries this port may have; 0: no limit of its own */
	uint64_t tagged[64]; /* bitmap of VLANs: bit v%64 of word v/64 */
};

struct conf_bridge {
	char name[SEG_NAME_SIZE];
	enum seg_stp stp; /* "off" (default) or "block" */
	size_t nmembers;
	struct conf_member *member;
};

struct conf_address {
	uint8_t family;      /* enum seg_family */
	uint8_t length;      /* of the prefix */
	uint64_t address[2]; /* as in struct seg_nbr */
};

#define CONF_NONE UINT16_MAX

/* On a VLAN of a bridge ("bridge", "vlan"), or directly on a port that is in no bridge ("port", and "vlan" when tagged). */
struct conf_iface {
	char name[SEG_NAME_SIZE];
	char description[128];
	uint16_t bridge;   /* index into conf.bridge, or CONF_NONE */
	uint16_t port;     /* index into conf.port, or CONF_NONE */
	uint16_t vid;      /* 0: untagged at a port */
	uint64_t mac;      /* 0: that of the port, or of the bridge's first port */
	uint16_t mtu;      /* 0: the smallest of its ports */
	bool enabled;      /* true */
	bool ipv6;         /* true: has a link-local address, fe80::/64 with the MAC's EUI-64, unless one is given */
	size_t naddresses; /* at most SEG_IFACE_ADDRESSES - 1: the automatic one must fit */
	struct conf_address address[SEG_IFACE_ADDRESSES];
	struct ra_conf ra; /* "router_advertisements"; off */
};

struct conf_route {
	uint8_t family, length;
	uint8_t kind;       /* SEG_ROUTE_VIA, LINK, BLACKHOLE, UNREACHABLE or PROHIBIT: "type", unicast unless said */
	uint64_t prefix[2]; /* "to": a prefix, or "default" when "via" tells the family */
	uint64_t via[2];
	uint16_t iface; /* index into conf.iface: "interface", or whose prefix holds "via"; CONF_NONE for the last three kinds */
};

/* "neighbors": times and limits of lib/nbr/cache.h, for both families. All may change live. */
struct conf_neighbors {
	uint32_t reachable_ms;  /* 1000..3600000; 30000 */
	uint32_t retrans_ms;    /* 100..60000; 1000 */
	uint32_t delay_ms;      /* 100..60000; 5000 */
	uint32_t stale_s;       /* 1..1000000; 1200 */
	uint32_t solicitations; /* 1..10; 3 */
	uint32_t incomplete;    /* 1..65536; 512 */
	uint32_t solicit_pps;   /* 1..1000000; 1000 */
	uint32_t hold;          /* packets held a neighbour: 1..64; 4 */
	uint32_t hold_all;      /* and in all on a core: 1..65536; 512, at most an eighth of the mbufs */
};

/* "police": frames a second that a core takes up from one port, for itself; 0: no limit. All may change live. */
struct conf_police {
	uint32_t arp_pps;   /* 4000 */
	uint32_t nd_pps;    /* 4000 */
	uint32_t local_pps; /* 20000: other packets to our own addresses */
	uint32_t icmp_pps;  /* 1000: ICMP errors that a core sends (RFC 4443 2.4 f) */
};

struct conf {
	char appliance[SEG_NAME_SIZE];
	unsigned cores; /* cores.data: 1..SEG_MAX_CORES; 1 */
	size_t ncpus;   /* cores.cpus: "2-4,7" or absent (0: not pinned) */
	uint16_t cpu[SEG_MAX_CORES];
	enum conf_poll poll; /* adaptive */
	uint32_t mbufs;      /* memory.mbufs: 1024..16777216; 16384 */
	enum conf_hugepages hugepages;
	uint32_t ring_slots; /* memory.ring_slots: a power of two, 16..65536; 256 */
	uint32_t fdb;        /* tables.fdb: 64..4194304; 8192 */
	uint32_t neighbors;  /* tables.neighbors, of each family: 16..4194304; 4096 */
	uint32_t routes;     /* tables.routes, of both families: 16..4194304; 4096 */
	uint32_t ageing_s;   /* tables.ageing_s: 1..1000000 (802.1Q 8.8.3 names 10..1000000; less helps tests); 300 */
	size_t nports;
	struct conf_port *port; /* in the file's order */
	size_t nbridges;
	struct conf_bridge *bridge;
	size_t nifaces;
	struct conf_iface *iface; /* in the file's order */
	size_t nroutes;
	struct conf_route *route;
	struct conf_neighbors nbr;
	struct conf_police police;
	char *text;    /* the document that conf_parse() took, in its own order and words, laid out */
	uint32_t room; /* set by a running engine: conf_mbuf_room() as it was at its start, for conf_diff(); else 0 */
};

/* Parses and checks text of that size (need not be terminated). On success *conf owns memory: conf_free(). */
enum err_code
conf_parse(const char *text, size_t size, struct conf *conf, struct err *err);

/* Applies an RFC 7386 merge patch to a configuration's text; *merged is malloc'ed. It is not checked: conf_parse() it. */
enum err_code
conf_patch(const char *text, const char *patch, size_t patch_size, char **merged, struct err *err);

void
conf_free(struct conf *conf);

/* Index, or -1. */
int
conf_find_port(const struct conf *conf, const char *name);
int
conf_find_iface(const struct conf *conf, const char *name);

static inline bool
conf_member_tagged(const struct conf_member *member, unsigned vid)
{
	return member->tagged[vid / 64] >> (vid % 64) & 1;
}

/* One difference between two configurations: `path` is where ("ports.p2.mtu"), the values are JSON texts, "" for absent. */
struct conf_change {
	char path[160];
	char *from, *to;
	bool live; /* can be applied to a running engine; else it needs a restart (appliance, cores.*, memory.*, tables.fdb, ...)
		    */
};

struct conf_changes {
	size_t n;
	struct conf_change *change;
};

/* `from` is what runs: a port that needs larger mbufs than the engine was started with needs a restart. */
bool
conf_diff(const struct conf *from, const struct conf *to, struct conf_changes *changes);

void
conf_changes_free(struct conf_changes *changes);

/* Buckets of four for a number of entries: half as many slots again as entries, so that all find a place (lib/fdb/fdb.h). */
uint32_t
conf_fdb_buckets(uint32_t entries);

/* Slots of a core's table for that many neighbours, and of the table of routes: twice as many, so that probes are short. */
uint32_t
conf_nbr_slots(uint32_t neighbors);
uint32_t
conf_route_slots(uint32_t routes);

/* The segment's shape. */
struct seg_shape;
void
conf_shape(const struct conf *conf, struct seg_shape *shape);

/* Bytes of data an mbuf needs: the headroom (128) and, behind it, a frame of the largest MTU of the ports. */
uint32_t
conf_mbuf_room(const struct conf *conf);

/* Slots of the engine's rings of frames: between two cores, and from a core to a transmit queue that another one holds. */
#define CONF_HANDOVER_SLOTS 2048
#define CONF_BACKLOG_SLOTS 1024

/* Bytes of DPDK's memory that compiled routes take when the table of routes is full, once there is an interface. */
uint64_t
conf_fib_bytes(const struct conf *conf);

/* What the engine will need, by item, for `pe check`. */
struct conf_memory_item {
	const char *what;  /* "bridge tables", "message rings", "mbufs", ... */
	const char *where; /* "segment" or "engine" */
	uint64_t bytes;
};

size_t
conf_memory(const struct conf *conf, struct conf_memory_item *items, size_t max);

/* The fewest mbufs with which this configuration works; fewer is ERR_REFUSED at run and check. */
uint32_t
conf_mbufs_needed(const struct conf *conf);

#endif
