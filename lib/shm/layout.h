/* SPDX-License-Identifier: MIT */
/*
 * The segment: one appliance's shared memory, as bytes. This file is the ABI; it includes nothing of pekit, and others may
 * copy it. pekit-segment(7) is its prose.
 *
 * POSIX shared memory "/pekit.NAME", mode 0640, written by one engine process and mapped read-only by everybody else. A file
 * with the same bytes (a saved segment) reads the same way.
 *
 * Rules
 *  - Fixed-width fields in the machine's byte order, offsets from the start of the segment, no pointers.
 *  - Whoever attaches bounds every span against the file's size before the first use (lib/shm/seg.h does it) and believes no
 *    number below without bounding it.
 *  - Every cache line has one writing thread; the lines with `bell` and `sleeping` words are the exception and say so.
 *  - A word that another thread or process may read is stored with seg_put() (relaxed: it stands alone) or seg_put_release()
 *    (it announces what was written before it), and read with seg_get() or seg_get_acquire().
 *  - Times are CLOCK_MONOTONIC nanoseconds; header.wall_offset_ns added gives the time since the epoch.
 *  - A change of anything below raises SEG_VERSION.
 */
#ifndef PEKIT_SHM_LAYOUT_H
#define PEKIT_SHM_LAYOUT_H

#include <stdint.h>

#define SEG_MAGIC 0x6765732d74696b70ull /* "pkit-seg" */
#define SEG_VERSION 3u
#define SEG_NAME_PREFIX "/pekit."

#define SEG_LINE 64
#define SEG_MAX_CORES 64                  /* data cores; numbered 1..64 */
#define SEG_MAX_NODES (SEG_MAX_CORES + 1) /* with the control core, number 0 */
#define SEG_MAX_PORTS 256                 /* port numbers 1..255; 0 is none */
#define SEG_MAX_LAGS 64                   /* channels 256..319 */
#define SEG_MAX_CHANNELS (SEG_MAX_PORTS + SEG_MAX_LAGS)
#define SEG_MAX_BRIDGES 64     /* bridge numbers 1..63 */
#define SEG_MAX_FIDS 4096      /* filtering identifiers (802.1Q 3.85: here one a bridge and VLAN), 1..4095 */
#define SEG_MAX_IFACES 256     /* interface numbers 1..255; 0 is none */
#define SEG_IFACE_ADDRESSES 16 /* of both families, link-local ones included */
#define SEG_OWNER_BUCKETS 128
#define SEG_NAME_SIZE 32
#define SEG_DEVICE_SIZE 160
#define SEG_EVENTS 512
#define SEG_TRACE 1024     /* message records a core keeps */
#define SEG_SAMPLE_SIZE 64 /* bytes kept of the last dropped frame of a reason */
#define SEG_CONFIG_TEXT_SIZE (1u << 20)

#define SEG_ALIGNED __attribute__((aligned(SEG_LINE)))

/* C11 memory orders through the compilers' builtins, so that a plain struct stays a plain struct. */
#define seg_get(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define seg_get_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define seg_put(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define seg_put_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
/* For counters: one writer, so no locked instruction is needed. */
#define seg_add(p, n) seg_put((p), seg_get(p) + (n))

struct seg_span {
	uint64_t offset; /* from the start of the segment; a multiple of SEG_LINE */
	uint64_t size;
};

enum seg_state { SEG_STARTING = 1, SEG_READY = 2, SEG_STOPPING = 3, SEG_STOPPED = 4 };

struct seg_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;     /* sizeof(struct seg_header) */
	uint64_t size;            /* of the whole segment */
	uint8_t boot_id[16];      /* /proc/sys/kernel/random/boot_id: pid and start time mean nothing after a reboot */
	char name[SEG_NAME_SIZE]; /* the appliance */
	char release[16];         /* of the pekit that wrote it */
	uint32_t writer_pid;
	uint32_t ncores;       /* data cores, 1..SEG_MAX_CORES */
	uint64_t writer_start; /* field 22 of /proc/PID/stat */
	uint64_t generation;   /* another number for each run of the engine */
	uint64_t created_ns;
	int64_t wall_offset_ns;
	uint64_t tsc_hz;                         /* rate of the *_cycles counters */
	struct seg_span control;                 /* struct seg_control */
	struct seg_span rings;                   /* (ncores+1)^2 rings of ring_stride bytes, row = sender, column = receiver */
	struct seg_span core[SEG_MAX_NODES];     /* struct seg_core and its tables; core[0] is the control core's */
	struct seg_span fdb_hot[SEG_MAX_NODES];  /* fdb_buckets of struct seg_bucket; none for core 0 */
	struct seg_span fdb_cold[SEG_MAX_NODES]; /* fdb_buckets * SEG_WAYS of struct seg_cold */
	struct seg_span nbr[2][SEG_MAX_NODES];   /* [0] IPv4, [1] IPv6: nbr_slots of struct seg_nbr; none for core 0 */
	struct seg_span routes;                  /* route_slots of struct seg_route, both families */
	uint64_t ring_stride;
	uint32_t ring_slots;  /* a power of two */
	uint32_t fdb_buckets; /* a core's; the entry of a key is in bucket fdb_home(key) or one of the seven after it, round the
				 end */
	uint64_t fdb_limit;   /* the configured number of entries */
	uint64_t fdb_seed;    /* odd: the multiplier of fdb_hash(), another one for each run so that nobody can aim at a bucket */
	uint32_t nbr_slots;   /* of a core and family; a power of two */
	uint32_t route_slots; /* a power of two */
	uint64_t nbr_limit;   /* the configured number of neighbours a family */
	uint64_t route_limit; /* the configured number of routes, both families */
	/* From here the control core writes while the engine runs. */
	SEG_ALIGNED uint32_t state; /* enum seg_state */
	uint32_t pad;
	uint64_t heartbeat_ns;
};

/* ---- the bridge table ------------------------------------------------------------------------------------------- */

/*
 * A bucket is one cache line: four keys, four values. key = MAC << 16 | FID, 0 when the slot is empty.
 * A slot is emptied by key 0, value 0 and filled by stamp (struct seg_cold), value, key, in this order. An outside reader loads
 * stamp, value, key, value, stamp: when neither changed nor is 0, they belong together.
 */
#define SEG_WAYS 4

struct seg_bucket {
	uint64_t key[SEG_WAYS];
	uint64_t value[SEG_WAYS];
} SEG_ALIGNED;

/* value: channel (bits 0..15), flush sequence it was learned under (16..47), flags (48..) */
#define SEG_VALUE_CHANNEL(v) ((uint16_t)(v))
#define SEG_VALUE_FLUSH(v) ((uint32_t)((v) >> 16))
#define SEG_VALUE_STATIC (1ull << 48) /* given by the operator; never aged or moved */
#define SEG_VALUE_STICKY (1ull << 49) /* learned or given; aged, but never moved (bridge(8)) */
#define SEG_VALUE_USED (1ull << 50)   /* seen as a source since the last sweep; local to the core */
#define SEG_VALUE_TOMB (1ull << 51)   /* deleted; kept until every ring has taken the deletion */
#define SEG_VALUE_REACH (7ull << 61)  /* in value[0]: how many buckets further its entries may live; local to the core */
#define SEG_VALUE_REACH_SHIFT 61
/* What all cores must agree on. */
#define SEG_VALUE_SHARED (~(SEG_VALUE_USED | SEG_VALUE_REACH))

/* What the packet path does not need. */
struct seg_cold {
	uint64_t stamp;    /* version << 8 | core that made it; the highest wins */
	uint64_t used_ns;  /* at the owner: last known use; elsewhere: when it came; of a tombstone: its grace period */
	uint64_t moved_ns; /* 0: never */
	uint64_t born_ns;
};

/* ---- neighbours ------------------------------------------------------------------------------------------------- */

enum seg_family { SEG_IPV4 = 0, SEG_IPV6 = 1, SEG_FAMILIES = 2 };

/* The states of RFC 4861 7.3.2, for both families; names as in ip-neighbour(8). */
enum seg_nbr_state {
	SEG_NBR_NONE = 0,
	SEG_NBR_INCOMPLETE = 1, /* asked for; no link-layer address as yet */
	SEG_NBR_REACHABLE = 2,
	SEG_NBR_STALE = 3,
	SEG_NBR_DELAY = 4,
	SEG_NBR_PROBE = 5,
	SEG_NBR_FAILED = 6,    /* nobody answered; kept for a moment so that nobody asks again at once */
	SEG_NBR_PERMANENT = 7, /* given by the operator */
	SEG_NBR_STATES
};

/*
 * A neighbour is one cache line. Only the owner core of the address runs the states above; the others hold REACHABLE (or
 * PERMANENT), and INCOMPLETE or FAILED for what they asked their owner.
 * An entry never moves. Slots are probed linearly from nbr_home(); the probe ends at iface 0 and passes SEG_NBR_GONE.
 * An outside reader loads seq, the rest, seq: when it is even and the same, the copy is whole.
 */
struct seg_nbr {
	uint64_t address[2]; /* as numbers, the first bytes highest; IPv4: address[0] is 0, address[1] the address */
	uint64_t value;      /* MAC << 16 | flags */
	uint64_t stamp;      /* version << 8 | core that made it; the highest wins. 0: never announced. INCOMPLETE, FAILED:
				of the deletion whose place they took */
	uint32_t iface;      /* 0: empty; SEG_NBR_GONE: was in use */
	uint32_t seq;
	uint64_t confirmed_ns; /* last known to be reachable; of a tombstone: its grace period */
	uint64_t used_ns;      /* at the owner: last known use; elsewhere: when it came */
	uint64_t changed_ns;   /* when its state became what it is */
} SEG_ALIGNED;

#define SEG_NBR_GONE 0xffffffffu
#define SEG_NBR_MAC(v) ((v) >> 16)
#define SEG_NBR_STATE(v) ((v)&7)
#define SEG_NBR_ROUTER 0x08u /* IsRouter of RFC 4861 */
#define SEG_NBR_TOMB 0x10u   /* deleted; kept until every ring has taken the deletion */
#define SEG_NBR_READY 0x20u  /* usable, and its use has been noted: a packet needs to look no further. Local to the core */
/* What all cores must agree on, beside whether it is PERMANENT. */
#define SEG_NBR_SHARED (~0xffffull | SEG_NBR_ROUTER | SEG_NBR_TOMB)

/* ---- routes ----------------------------------------------------------------------------------------------------- */

enum seg_route_kind {
	SEG_ROUTE_NONE = 0,
	SEG_ROUTE_CONNECTED = 1,   /* the prefix of an interface's address */
	SEG_ROUTE_LOCAL = 2,       /* an interface's address itself */
	SEG_ROUTE_VIA = 3,         /* through a gateway */
	SEG_ROUTE_LINK = 4,        /* static, straight out of an interface */
	SEG_ROUTE_BLACKHOLE = 5,   /* dropped without a word */
	SEG_ROUTE_UNREACHABLE = 6, /* dropped with ICMP host unreachable, ICMPv6 address unreachable */
	SEG_ROUTE_PROHIBIT = 7,    /* dropped with ICMP administratively prohibited */
	SEG_ROUTE_KINDS
};

#define SEG_ROUTE_FILE 1u /* stands in the appliance file; else given live */
#define SEG_ROUTE_DOWN 2u /* not in use: its interface is not enabled, or no usable address of it is on the gateway's net */

/* Slots are probed linearly from route_home(); kind 0 ends the probe, SEG_ROUTE_GONE is passed. seq as in struct seg_nbr. */
struct seg_route {
	uint64_t prefix[2]; /* as in seg_nbr.address */
	uint64_t via[2];    /* 0: none */
	uint64_t since_ns;
	uint32_t seq;
	uint16_t iface; /* the way out; 0 for BLACKHOLE, UNREACHABLE, PROHIBIT */
	uint8_t kind;
	uint8_t family; /* enum seg_family */
	uint8_t length; /* of the prefix */
	uint8_t flags;  /* SEG_ROUTE_* */
	uint8_t pad[14];
} SEG_ALIGNED;

#define SEG_ROUTE_GONE 255u

/* ---- messages between cores ------------------------------------------------------------------------------------- */

enum seg_msg_kind {
	SEG_MSG_FDB_ADD = 1,   /* word[0] key, word[1] value: state, lossless */
	SEG_MSG_FDB_DEL = 2,   /* word[0..n-1] keys: state, lossless */
	SEG_MSG_FDB_USED = 3,  /* word[0..n-1] keys: a hint to their owner */
	SEG_MSG_FDB_SET = 4,   /* word[0] key, word[1] value: control asks the owner to install (a request) */
	SEG_MSG_FDB_UNSET = 5, /* word[0] key: control asks the owner to delete (a request) */
	SEG_MSG_FDB_FLUSH = 6, /* word[0] key (0: any), word[1] channel << 16 | fid (0: any), word[2] flags of FDB_FLUSH_*: every
				  owner deletes what matches */
	SEG_MSG_FDB_AGAIN = 7, /* had no room: asks the receiver to announce its entries once more */

	/* Neighbours. Unless it says otherwise: word[0], word[1] address; word[2] value (seg_nbr.value, or MAC << 16 | flags);
	 * word[3] enum seg_family << 32 | interface. */
	SEG_MSG_NBR_ADD = 16,      /* state, lossless: this is its link-layer address */
	SEG_MSG_NBR_DEL = 17,      /* state, lossless; word[2] SEG_NBR_PERMANENT: of what the operator had given */
	SEG_MSG_NBR_ASK = 18,      /* a request to its owner: resolve it. word[2]: the core that asks; 0: from */
	SEG_MSG_NBR_FAILED = 19,   /* a hint of its owner: nobody answered */
	SEG_MSG_NBR_USED = 20,     /* a hint to their owner: word[0..n-1] nbr_hash() of what is in use, word[3] family << 32 */
	SEG_MSG_NBR_HEARD = 21,    /* a hint to its owner: heard on the wire elsewhere; flags are enum nbr_heard */
	SEG_MSG_NBR_SET = 22,      /* control asks the owner to install it (a request) */
	SEG_MSG_NBR_UNSET = 23,    /* control asks the owner to delete it (a request) */
	SEG_MSG_NBR_FLUSH = 24,    /* control asks all: whoever owns what matches, deletes it. word[0..1] prefix, word[2] its
				      length << 16 | flags NBR_FLUSH_*, word[3] family << 32 | interface (0: any) */
	SEG_MSG_NBR_AGAIN = 25,    /* had no room, or stood still: asks the receiver to announce its entries once more */
	SEG_MSG_NBR_ANNOUNCE = 26, /* control asks a core to send what speaks for an address of ours; flags are enum own_frame */
	SEG_MSG_NBR_NOTICE =
		27, /* to the control core: heard about an address of ours, a router, ...; flags are enum own_notice */
	SEG_MSG_KINDS
};

struct seg_msg {
	uint8_t kind;
	uint8_t from;   /* core */
	uint8_t to;     /* core; 255: all others (in the trace) */
	uint8_t n;      /* words in use */
	uint32_t seq;   /* counts this sender's messages; a message to all has one number */
	uint32_t cause; /* core << 25 | count: what set it off; messages of one chain share it */
	uint32_t event; /* the control core's event that stands behind it (seg_event.id), 0: none */
	uint64_t stamp;
	uint64_t time_ns;
	uint64_t word[4];
};

/* One writer, one reader. head - tail messages are in the ring: slot[tail & (slots-1)] is the oldest. */
struct seg_ring {
	SEG_ALIGNED uint64_t head; /* sender: messages ever sent; stored with release after the slot */
	SEG_ALIGNED uint64_t tail; /* receiver: messages ever taken; stored with release after the slot was read */
	SEG_ALIGNED struct seg_msg slot[];
};

/* ---- counters --------------------------------------------------------------------------------------------------- */

enum seg_class {
	SEG_CLASS_DROP,
	SEG_CLASS_LAG,
	SEG_CLASS_BCAST,
	SEG_CLASS_MCAST,
	SEG_CLASS_LOCAL,
	SEG_CLASS_UNKNOWN,
	SEG_CLASS_CHANNEL,
	SEG_CLASSES
};

/* Why a frame was dropped. Numbers are never used again; names are in lib/core/names.h. */
enum seg_drop {
	SEG_DROP_NONE = 0,
	SEG_DROP_RX_RUNT = 1,          /* shorter than an Ethernet header */
	SEG_DROP_RX_OVERSIZE = 2,      /* longer than the port's MTU: the peer's segmentation offload? */
	SEG_DROP_NO_BRIDGE = 3,        /* the port is in no bridge */
	SEG_DROP_VLAN_REFUSED = 4,     /* tagged with a VLAN that the port is not in */
	SEG_DROP_UNTAGGED_REFUSED = 5, /* untagged at a port with tagged VLANs only */
	SEG_DROP_SOURCE_GROUP = 6,     /* source address is a group address */
	SEG_DROP_RESERVED_MAC = 7,     /* 01:80:c2:00:00:01..0f, never forwarded (802.1Q 8.6.3) */
	SEG_DROP_BPDU_BLOCKED = 8,     /* stp: block */
	SEG_DROP_LACP_NO_LAG = 9,      /* LACPDU at a port of no LAG */
	SEG_DROP_SAME_CHANNEL = 10,    /* the destination is where it came from */
	SEG_DROP_EGRESS_VLAN = 11,     /* the destination's port left the VLAN */
	SEG_DROP_NO_TARGET = 12,       /* nobody else in the VLAN */
	SEG_DROP_STORM_BCAST = 13,
	SEG_DROP_STORM_MCAST = 14,
	SEG_DROP_STORM_UNKNOWN = 15,
	SEG_DROP_OUT_LIMIT = 16,     /* the port's rate limit */
	SEG_DROP_TX_FULL = 17,       /* the device took no more */
	SEG_DROP_HANDOVER_FULL = 18, /* the ring to the core that the frame belongs to */
	SEG_DROP_BACKLOG_FULL = 19,  /* the ring to a transmit queue that another core holds */
	SEG_DROP_NO_MBUF = 20,       /* no buffer for a copy */
	SEG_DROP_PORT_DOWN = 21,     /* the way out has no link or is disabled */
	SEG_DROP_RX_NO_MBUF = 22,    /* the device had frames but there was no buffer */
	SEG_DROP_RX_DISABLED = 23,   /* the port it came in at is not enabled */
	SEG_DROP_L3_HEADER = 24,     /* IPv4 or IPv6 header that is none: version, length, checksum */
	SEG_DROP_L3_SOURCE = 25,     /* a source address that nobody has (RFC 1812 5.3.7, RFC 4291 2.5.3, 2.7), or ours */
	SEG_DROP_L3_TYPE = 26,       /* to our MAC, but neither IPv4, IPv6 nor ARP */
	SEG_DROP_L3_NOT_OURS = 27,   /* at an interface on a port: to another station's MAC */
	SEG_DROP_L3_TTL = 28,        /* TTL or hop limit ran out */
	SEG_DROP_L3_NO_ROUTE = 29,
	SEG_DROP_L3_BLACKHOLE = 30,  /* a route says so: blackhole, unreachable, prohibit */
	SEG_DROP_L3_SCOPE = 31,      /* link-local or multicast: not to be routed */
	SEG_DROP_L3_TOO_BIG = 32,    /* larger than the way out, and may not be cut */
	SEG_DROP_L3_NO_SERVICE = 33, /* to one of our addresses: a protocol or port that we do not speak */
	SEG_DROP_NBR_HELD = 34,      /* waits for its neighbour, and too many wait for the same one */
	SEG_DROP_NBR_HELD_ALL = 35,  /* likewise, and too many wait in all */
	SEG_DROP_NBR_FAILED = 36,    /* the neighbour does not answer */
	SEG_DROP_NBR_LIMIT = 37,     /* too many neighbours are unresolved, or the table is full */
	SEG_DROP_ARP_BAD = 38,       /* ARP that is none */
	SEG_DROP_ND_BAD = 39,        /* ND that fails the checks of RFC 4861 6.1, 7.1 */
	SEG_DROP_POLICE_ARP = 40,    /* more ARP than the policer of its port lets through */
	SEG_DROP_POLICE_ND = 41,
	SEG_DROP_POLICE_LOCAL = 42,    /* more for our own addresses than the policer lets through */
	SEG_DROP_OWN_SOURCE = 43,      /* comes in with a MAC of ours as its source: a loop, or somebody has the same */
	SEG_DROP_L3_IFACE_DOWN = 44,   /* the interface is not enabled */
	SEG_DROP_STALLED = 45,         /* waited for a core that was taken out */
	SEG_DROP_L3_SOURCE_ROUTE = 46, /* an IPv4 option that tells us the way */
	SEG_DROP_REFLECTED = 47,       /* our own frame for a group, which a virtual function was given back */
	SEG_DROPS = 48,
};

struct seg_port_count { /* one core's part of one port */
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes;
	uint64_t steered;         /* received here and handed to another core */
	uint64_t csum_unfinished; /* came with a checksum that the sender left to its NIC, and was completed */
	uint64_t rx_dropped, tx_dropped;
};

struct seg_drop_count {
	uint64_t packets;
	uint64_t time_ns; /* of the last one */
	uint16_t port;    /* it came in (or, for reasons of the way out, should have gone out) at */
	uint16_t length;  /* of that frame */
	uint8_t pad[4];
	uint8_t sample[SEG_SAMPLE_SIZE]; /* its first bytes, with tags as on the wire */
} SEG_ALIGNED;

struct seg_fdb_count {
	uint64_t entries; /* live, static ones included */
	uint64_t statics;
	uint64_t tombs;
	uint64_t digest;      /* sum over the live entries of fdb_digest(key, value, stamp) */
	uint64_t learned;     /* by this core from a frame */
	uint64_t moved;       /* likewise */
	uint64_t damped;      /* moves not taken: too soon after the last one */
	uint64_t pinned;      /* moves not taken: static or sticky */
	uint64_t aged;        /* by this core as the owner */
	uint64_t evicted;     /* likewise, for a limit */
	uint64_t flushed;     /* entries reclaimed after a flush */
	uint64_t no_room;     /* entries that this core had no room for */
	uint64_t resyncs;     /* times a full ring made this core go over its table */
	uint64_t used_sent;   /* use hints sent */
	uint64_t sweeps;      /* whole ones */
	uint32_t swept_flush; /* all that was flushed up to this sequence is out of the table and the digest */
	uint32_t pad;
	uint32_t channel[SEG_MAX_CHANNELS]; /* dynamic entries a channel */
};

struct seg_nbr_count {    /* of a core and family */
	uint64_t entries; /* live with a link-layer address, permanent ones included */
	uint64_t permanent;
	uint64_t incomplete; /* being asked for, by this core */
	uint64_t failed;
	uint64_t tombs;
	uint64_t digest;    /* sum over the live entries with an address of nbr_digest() */
	uint64_t asked;     /* requests to an owner sent */
	uint64_t solicited; /* ARP requests or neighbour solicitations wanted on the wire */
	uint64_t resolved;  /* resolutions that ended well, of those this core ran as the owner */
	uint64_t unresolved;
	uint64_t learned; /* by this core as the owner, unasked */
	uint64_t changed; /* got another link-layer address */
	uint64_t aged;
	uint64_t heard;   /* from the wire */
	uint64_t no_room; /* entries that found no room here */
	uint64_t limited; /* resolutions not begun: too many unresolved ones */
	uint64_t paced;   /* solicitations put off: too many a second */
	uint64_t resyncs;
	uint64_t used_sent;
	uint64_t sweeps;
	uint64_t adopted; /* entries whose ownership came to this core */
	uint64_t pad[3];
};

struct seg_l3_count { /* of a core */
	uint64_t forwarded[SEG_FAMILIES];
	uint64_t local[SEG_FAMILIES]; /* for addresses of ours */
	uint64_t held;                /* packets that waited for a neighbour */
	uint64_t released;            /* of them, sent when it was found */
	uint64_t holding;             /* that wait now */
	uint64_t fragments;           /* made */
	uint64_t icmp_sent;           /* errors and answers */
	uint64_t icmp_limited;        /* errors not sent: too many a second */
	uint64_t arp_sent, nd_sent;
	uint64_t arp_received, nd_received;
	uint64_t pad;
};

struct seg_core {
	/* Any core rings; the owner takes. bit n of bell: look at the message ring of cores n and n+64; of work: at core n's
	 * frames. */
	SEG_ALIGNED uint64_t bell;
	uint64_t work;
	uint32_t sleeping; /* the owner is about to block or blocks: whoever rings must wake it */
	SEG_ALIGNED uint32_t number;
	int32_t cpu; /* pinned to; -1: not pinned */
	uint32_t tid;
	uint32_t resync; /* how many receivers this core still owes a resynchronisation */
	uint32_t roles;  /* seg_control.owner_epoch that it goes by */
	uint32_t pad;
	uint64_t owed; /* bit n - 1: core n is one of these receivers */
	uint64_t heartbeat_ns;
	uint64_t cpu_ns; /* thread CPU time */
	uint64_t loops;
	uint64_t busy_loops;  /* loops that found something to do */
	uint64_t busy_cycles; /* spent in them */
	uint64_t sleeps;
	uint64_t rx_packets; /* received from a device or handed over by another core, and worked on here */
	uint64_t tx_packets;
	uint64_t messages_sent;
	uint64_t messages_received;
	uint64_t ring_peak; /* most messages found waiting in one ring */
	uint64_t plan;      /* generation of the forwarding plan in use */
	uint64_t class_packets[SEG_CLASSES];
	SEG_ALIGNED uint64_t channel_packets[SEG_MAX_CHANNELS];
	SEG_ALIGNED struct seg_port_count port[SEG_MAX_PORTS];
	SEG_ALIGNED struct seg_drop_count drop[SEG_DROPS];
	SEG_ALIGNED struct seg_fdb_count fdb;
	SEG_ALIGNED struct seg_nbr_count nbr[SEG_FAMILIES];
	SEG_ALIGNED struct seg_l3_count l3;
	SEG_ALIGNED uint64_t trace_next; /* records ever written; stored with release after the record */
	SEG_ALIGNED struct seg_msg trace[SEG_TRACE];
};

/* ---- what the control core writes ------------------------------------------------------------------------------- */

enum seg_port_kind { SEG_PORT_IF = 1, SEG_PORT_XDP = 2, SEG_PORT_PCI = 3, SEG_PORT_VDEV = 4 };

#define SEG_PORT_USED 1u
#define SEG_PORT_ENABLED 2u
#define SEG_PORT_LINK 4u
#define SEG_PORT_FAULTY 8u
#define SEG_PORT_VF 16u       /* a virtual function */
#define SEG_PORT_ABSENT 32u   /* the device is gone; the port waits for it */
#define SEG_PORT_FILTERED 64u /* it takes in only the unicast addresses that it is told */

struct seg_port {
	char name[SEG_NAME_SIZE];
	char device[SEG_DEVICE_SIZE]; /* as configured */
	uint64_t mac;
	uint64_t speed_bps; /* 0: unknown */
	uint64_t link_since_ns;
	uint64_t link_changes;
	uint64_t rx_missed; /* what the device itself lost, as it tells */
	uint32_t flags;     /* SEG_PORT_* */
	uint16_t kind;
	uint16_t mtu;
	uint16_t rx_queues, tx_queues;
	uint16_t bridge;               /* 0: none */
	uint8_t poller[SEG_MAX_CORES]; /* core that polls receive queue n */
	uint16_t pad;
	char driver[SEG_NAME_SIZE]; /* what drives it, as DPDK or the kernel calls it; empty: unknown */
	/* Of a port that is SEG_PORT_FILTERED; else 0. */
	uint64_t filters_refused; /* addresses that the device did not take, ever */
	uint32_t filters_wanted;  /* unicast addresses that it should let in beside its own */
	uint32_t filters;         /* of them, those that it does */
	uint16_t vlans;           /* tagged VLANs that it was told to let in */
	uint16_t vlans_refused;   /* that it does not take */
} SEG_ALIGNED;

enum seg_stp { SEG_STP_OFF = 0, SEG_STP_BLOCK = 1 };

struct seg_bridge {
	char name[SEG_NAME_SIZE]; /* empty: none */
	uint32_t stp;
	uint32_t pad;
};

#define SEG_FID_PORT 0x8000u

struct seg_fid {
	uint16_t bridge; /* 0: this FID is free; SEG_FID_PORT | n: of an interface directly on port n */
	uint16_t vid;
};

#define SEG_IFACE_USED 1u
#define SEG_IFACE_ENABLED 2u
#define SEG_IFACE_UP 4u /* enabled, and a port of it has link */
#define SEG_IFACE_RA 8u /* sends router advertisements */

struct seg_address {
	uint64_t address[2]; /* as in seg_nbr */
	uint8_t family;      /* enum seg_family */
	uint8_t length;      /* of its prefix */
	uint8_t link_local;
	uint8_t used;
	uint32_t pad;
};

struct seg_iface {
	char name[SEG_NAME_SIZE]; /* empty: none */
	uint64_t mac;
	uint32_t flags;  /* SEG_IFACE_* */
	uint16_t bridge; /* on a VLAN of a bridge; 0: directly on a port */
	uint16_t port;   /* directly on that port; 0: on a bridge */
	uint16_t vid;    /* the VLAN; 0: untagged at its port */
	uint16_t fid;
	uint16_t mtu;
	uint16_t naddresses;
	struct seg_address address[SEG_IFACE_ADDRESSES];
};

/* Whether an address of ours may be used (RFC 4862 5.4, RFC 5227). */
enum seg_address_state {
	SEG_ADDRESS_NONE = 0,
	SEG_ADDRESS_TENTATIVE = 1,
	SEG_ADDRESS_PREFERRED = 2,
	SEG_ADDRESS_DUPLICATE = 3,
};

/* What a core is in for. */
enum seg_role {
	SEG_ROLE_SERVING = 0,
	SEG_ROLE_DRAINED = 1, /* the operator took it out */
	SEG_ROLE_LOST = 2,    /* it fell silent */
};

struct seg_event {
	uint32_t id;       /* 1, 2, ...; also the place: (id - 1) % SEG_EVENTS */
	uint32_t severity; /* as syslog: 3 error, 4 warning, 5 notice, 6 info */
	uint64_t time_ns;
	char text[112];
};

struct seg_control {
	/* Flush words: every data core looks at flush_seq in each loop. */
	SEG_ALIGNED uint32_t flush_seq;
	uint32_t owner_epoch; /* of owner[], spread[], role[], master and backup; stored with release after them */
	uint64_t ageing_ns;
	uint64_t grace; /* grace periods passed: a tombstone made in period g may go in g + 5 (lib/core/grace.h) */
	SEG_ALIGNED uint32_t flush_channel[SEG_MAX_CHANNELS];
	uint32_t flush_fid[SEG_MAX_FIDS];
	SEG_ALIGNED uint8_t owner[SEG_OWNER_BUCKETS]; /* owner core of the keys of a bucket */
	uint8_t spread[SEG_OWNER_BUCKETS];            /* core that works on the frames of a bucket of the hash (steering) */
	uint8_t role[SEG_MAX_NODES];                  /* enum seg_role of core n */
	uint8_t master;                               /* the core that alone speaks ARP: the lowest one that serves */
	uint8_t backup;                               /* who takes over; 0: nobody */
	/* [interface][its address]: enum seg_address_state */
	SEG_ALIGNED uint8_t address_state[SEG_MAX_IFACES][SEG_IFACE_ADDRESSES];
	SEG_ALIGNED uint64_t routes[SEG_FAMILIES]; /* how many there are */
	uint64_t route_changes;                    /* counts them */
	uint64_t fib_bytes;                        /* what the compiled tables take, both copies */
	/* Configuration: odd config_seq means that it is being written; read it before and after. */
	SEG_ALIGNED uint64_t config_seq;
	uint64_t config_generation; /* counts applied configurations */
	uint64_t config_time_ns;
	uint64_t config_text_size;
	struct seg_port port[SEG_MAX_PORTS];
	struct seg_bridge bridge[SEG_MAX_BRIDGES];
	struct seg_fid fid[SEG_MAX_FIDS]; /* bridge SEG_FID_PORT | n: of an interface on port n */
	struct seg_iface iface[SEG_MAX_IFACES];
	char channel_name[SEG_MAX_CHANNELS][SEG_NAME_SIZE];
	SEG_ALIGNED uint32_t events; /* id of the newest */
	SEG_ALIGNED struct seg_event event[SEG_EVENTS];
	SEG_ALIGNED char config_text[SEG_CONFIG_TEXT_SIZE]; /* the running configuration, JSON */
};

_Static_assert(sizeof(struct seg_bucket) == 64, "a bucket is a cache line");
_Static_assert(sizeof(struct seg_cold) == 32, "two to a cache line");
_Static_assert(sizeof(struct seg_nbr) == 64, "a neighbour is a cache line");
_Static_assert(sizeof(struct seg_route) == 64, "a route is a cache line");
_Static_assert(sizeof(struct seg_nbr_count) == 192, "ABI");
_Static_assert(sizeof(struct seg_address) == 24, "ABI");
_Static_assert(sizeof(struct seg_msg) == 64, "a message is a cache line");
_Static_assert(sizeof(struct seg_port_count) == 64, "a core and port is a cache line");
_Static_assert(sizeof(struct seg_drop_count) == 128, "ABI");
_Static_assert(sizeof(struct seg_event) == 128, "ABI");
_Static_assert(sizeof(struct seg_port) == 384, "ABI");

#endif
