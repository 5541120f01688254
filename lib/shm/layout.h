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
#define SEG_VERSION 1u
#define SEG_NAME_PREFIX "/pekit."

#define SEG_LINE 64
#define SEG_MAX_CORES 64                  /* data cores; numbered 1..64 */
#define SEG_MAX_NODES (SEG_MAX_CORES + 1) /* with the control core, number 0 */
#define SEG_MAX_PORTS 256                 /* port numbers 1..255; 0 is none */
#define SEG_MAX_LAGS 64                   /* channels 256..319 */
#define SEG_MAX_CHANNELS (SEG_MAX_PORTS + SEG_MAX_LAGS)
#define SEG_MAX_BRIDGES 64 /* bridge numbers 1..63 */
#define SEG_MAX_FIDS 4096  /* filtering identifiers (802.1Q 3.85: here one a bridge and VLAN), 1..4095 */
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
	uint64_t ring_stride;
	uint32_t ring_slots;  /* a power of two */
	uint32_t fdb_buckets; /* a core's; the entry of a key is in bucket fdb_home(key) or one of the seven after it, round the
				 end */
	uint64_t fdb_limit;   /* the configured number of entries */
	uint64_t fdb_seed;    /* odd: the multiplier of fdb_hash(), another one for each run so that nobody can aim at a bucket */
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
	SEG_DROPS = 24,
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
	SEG_ALIGNED uint64_t trace_next; /* records ever written; stored with release after the record */
	SEG_ALIGNED struct seg_msg trace[SEG_TRACE];
};

/* ---- what the control core writes ------------------------------------------------------------------------------- */

enum seg_port_kind { SEG_PORT_IF = 1, SEG_PORT_XDP = 2, SEG_PORT_PCI = 3, SEG_PORT_VDEV = 4 };

#define SEG_PORT_USED 1u
#define SEG_PORT_ENABLED 2u
#define SEG_PORT_LINK 4u
#define SEG_PORT_FAULTY 8u

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
} SEG_ALIGNED;

enum seg_stp { SEG_STP_OFF = 0, SEG_STP_BLOCK = 1 };

struct seg_bridge {
	char name[SEG_NAME_SIZE]; /* empty: none */
	uint32_t stp;
	uint32_t pad;
};

struct seg_fid {
	uint16_t bridge; /* 0: this FID is free */
	uint16_t vid;
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
	uint32_t owner_epoch; /* of owner[]; stored with release after it */
	uint64_t ageing_ns;
	uint64_t grace; /* grace periods passed: a tombstone made in period g may go in g + 5 (lib/core/grace.h) */
	SEG_ALIGNED uint32_t flush_channel[SEG_MAX_CHANNELS];
	uint32_t flush_fid[SEG_MAX_FIDS];
	SEG_ALIGNED uint8_t owner[SEG_OWNER_BUCKETS]; /* owner core of the keys of a bucket */
	/* Configuration: odd config_seq means that it is being written; read it before and after. */
	SEG_ALIGNED uint64_t config_seq;
	uint64_t config_generation; /* counts applied configurations */
	uint64_t config_time_ns;
	uint64_t config_text_size;
	struct seg_port port[SEG_MAX_PORTS];
	struct seg_bridge bridge[SEG_MAX_BRIDGES];
	struct seg_fid fid[SEG_MAX_FIDS];
	char channel_name[SEG_MAX_CHANNELS][SEG_NAME_SIZE];
	SEG_ALIGNED uint32_t events; /* id of the newest */
	SEG_ALIGNED struct seg_event event[SEG_EVENTS];
	SEG_ALIGNED char config_text[SEG_CONFIG_TEXT_SIZE]; /* the running configuration, JSON */
};

_Static_assert(sizeof(struct seg_bucket) == 64, "a bucket is a cache line");
_Static_assert(sizeof(struct seg_cold) == 32, "two to a cache line");
_Static_assert(sizeof(struct seg_msg) == 64, "a message is a cache line");
_Static_assert(sizeof(struct seg_port_count) == 64, "a core and port is a cache line");
_Static_assert(sizeof(struct seg_drop_count) == 128, "ABI");
_Static_assert(sizeof(struct seg_event) == 128, "ABI");
_Static_assert(sizeof(struct seg_port) == 320, "ABI");

#endif
