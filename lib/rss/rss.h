/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Receive-side scaling in software: from a frame to a hash, from a hash to a core. Pure.
 *
 * The hash is Toeplitz as NICs compute it, over addresses and ports of TCP, UDP and SCTP, over the addresses alone of all else
 * that is IP, fragments included (a fragment has no ports, and all fragments of a flow must meet). What is not IP hashes its MACs
 * and its VLAN. VLAN tags, at most two, are looked through.
 */
#ifndef PEKIT_RSS_RSS_H
#define PEKIT_RSS_RSS_H

#include <stdbool.h>
#include <stdint.h>

#define RSS_KEY_SIZE 40
#define RSS_INPUT 36 /* two IPv6 addresses and two ports */
#define RSS_MIN_BUCKETS 2
#define RSS_MAX_BUCKETS 128

/* A key made ready: what each value of each byte of the input adds to the hash. */
struct rss_key {
	uint32_t table[RSS_INPUT][256];
};

/* The key of Microsoft's verification suite, which most NICs come with. */
extern const uint8_t rss_default_key[RSS_KEY_SIZE];

void
rss_key_init(struct rss_key *key, const uint8_t bytes[static RSS_KEY_SIZE]);

/* Toeplitz over n <= RSS_INPUT bytes in wire order: source, destination address, then source, destination port. */
static inline uint32_t
rss_hash(const struct rss_key *key, const uint8_t *input, unsigned n)
{
	uint32_t hash = 0;
	for (unsigned i = 0; i < n; i++) {
		hash ^= key->table[i][input[i]];
	}
	return hash;
}

/* The hash of any frame; one too short for an Ethernet header has 0. */
uint32_t
rss_frame(const struct rss_key *key, const uint8_t *frame, uint32_t len);

/* The indirection table: the low bits of the hash choose a bucket, the bucket names a core. */
struct rss_table {
	uint32_t mask;
	uint8_t core[RSS_MAX_BUCKETS];
};

/* Deals `buckets` (a power of two within the limits) out to cores 1..ncores in turn; false when the numbers are not allowed. */
bool
rss_table_init(struct rss_table *table, unsigned buckets, unsigned ncores);

static inline unsigned
rss_core(const struct rss_table *table, uint32_t hash)
{
	return table->core[hash & table->mask];
}

#endif
