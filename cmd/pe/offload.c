/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "offload.h"

#include <string.h>

#define ETH_HEADER 14
#define TAG 4
#define UDP_HEADER 8
#define UDP_CHECKSUM 6 /* where it is in the header */
#define TCP_CHECKSUM 16
#define TCP_HEADER 20u
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define PROTO_TCP 6
#define PROTO_UDP 17

/* RFC 793 3.1 and RFC 3168 6.1.2: FIN and PSH belong to the last frame, CWR to the first. */
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* The sum of 16-bit words in the machine's order, which RFC 1071 2 (B) allows: it is stored in that order again. */
static uint64_t
sum_bytes(const uint8_t *p, uint32_t n)
{
	uint64_t sum = 0;
	for (; n >= 4; n -= 4, p += 4) {
		uint32_t word;
		memcpy(&word, p, 4);
		sum += word;
	}
	uint32_t tail = 0;
	memcpy(&tail, p, n);
	return sum + tail;
}

static uint16_t
sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void
store_checksum(uint8_t *at, uint64_t sum, bool udp)
{
	uint16_t value = (uint16_t)~sum_fold(sum);
	if (value == 0 && udp) {
		value = 0xffff; /* RFC 768: 0 says that there is none. Elsewhere 0xffff never occurs (RFC 1624 3). */
	}
	memcpy(at, &value, 2);
}

bool
offload_checksum(uint8_t *frame, uint32_t size, uint32_t start, uint32_t offset)
{
	if (start >= size || size - start < 2 || offset > size - start - 2) {
		return false;
	}
	store_checksum(frame + start + offset, sum_bytes(frame + start, size - start), offset == UDP_CHECKSUM);
	return true;
}

/* Finds the IP header behind at most two tags; 0: none. */
static uint32_t
find_l3(const uint8_t *frame, uint32_t size, uint16_t *type)
{
	uint32_t at = ETH_HEADER - 2;
	for (int tags = 0; tags <= 2 && at + 2 <= size; tags++, at += TAG) {
		*type = get16(frame + at);
		if (*type != 0x8100 && *type != 0x88a8) {
			return at + 2;
		}
	}
	return 0;
}

bool
offload_cut_start(struct offload_cut *cut, uint32_t l4, uint32_t chunk)
{
	uint16_t type = 0;
	uint32_t l3 = find_l3(cut->head, cut->head_size, &type), l4_header = cut->udp ? UDP_HEADER : TCP_HEADER;
	if (l3 == 0 || chunk == 0 || l4 < l3 + IPV4_HEADER || l4 > cut->head_size || cut->head_size - l4 < l4_header) {
		return false;
	}
	const uint8_t *ip = cut->head + l3;
	uint8_t proto = cut->udp ? PROTO_UDP : PROTO_TCP;
	cut->ipv4 = type == 0x0800;
	if (cut->ipv4) {
		/* a tunnel would have another header between the two */
		if (ip[0] >> 4 != 4 || l3 + (ip[0] & 15u) * 4 != l4 || ip[9] != proto) {
			return false;
		}
	} else if (type != 0x86dd || ip[0] >> 4 != 6 || l3 + IPV6_HEADER != l4 || ip[6] != proto) {
		return false;
	}
	if (!cut->udp) {
		l4_header = (uint32_t)(cut->head[l4 + 12] >> 4) * 4;
		if (l4_header < TCP_HEADER || cut->head_size - l4 < l4_header) {
			return false;
		}
	}
	cut->l3 = l3;
	cut->l4 = l4;
	cut->header = l4 + l4_header;
	cut->chunk = chunk;
	cut->payload = cut->head_size - cut->header + cut->rest_size;
	cut->done = 0;
	cut->index = 0;
	return cut->payload > 0;
}

static uint32_t
cut_payload(const struct offload_cut *cut)
{
	uint32_t left = cut->payload - cut->done;
	return left < cut->chunk ? left : cut->chunk;
}

uint32_t
offload_cut_size(const struct offload_cut *cut)
{
	return cut->done < cut->payload ? cut->header + cut_payload(cut) : 0;
}

static void
copy_payload(const struct offload_cut *cut, uint8_t *to, uint32_t n)
{
	uint32_t from = cut->header + cut->done;
	uint32_t first = from >= cut->head_size ? 0 : cut->head_size - from;
	if (first > n) {
		first = n;
	}
	memcpy(to, cut->head + from, first);
	if (n > first) {
		memcpy(to + first, cut->rest + (from + first - cut->head_size), n - first);
	}
}

static void
fix_ip(const struct offload_cut *cut, uint8_t *ip, uint32_t n)
{
	uint32_t size = cut->header - cut->l3 + n;
	if (!cut->ipv4) {
		put16(ip + 4, size - IPV6_HEADER);
		return;
	}
	put16(ip + 2, size);
	put16(ip + 4, (uint32_t)get16(ip + 4) + cut->index);
	put16(ip + 10, 0);
	store_checksum(ip + 10, sum_bytes(ip, cut->l4 - cut->l3), false);
}

static void
fix_l4(const struct offload_cut *cut, uint8_t *frame, uint32_t n)
{
	uint8_t *l4 = frame + cut->l4;
	uint32_t size = cut->header - cut->l4 + n;
	uint8_t *sum_at = l4 + (cut->udp ? UDP_CHECKSUM : TCP_CHECKSUM);
	if (cut->udp) {
		put16(l4 + 4, size);
	} else {
		put32(l4 + 4, get32(l4 + 4) + cut->done);
		uint8_t flags = l4[13];
		if (cut->done + n < cut->payload) {
			flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		}
		if (cut->index > 0) {
			flags &= (uint8_t)~TCP_CWR;
		}
		l4[13] = flags;
	}
	put16(sum_at, 0);
	/* the pseudo-header: both addresses, which end where an IPv4 header without options or an IPv6 header ends; protocol;
	 * length */
	const uint8_t *ip = frame + cut->l3;
	uint8_t tail[4] = {0, cut->udp ? PROTO_UDP : PROTO_TCP, (uint8_t)(size >> 8), (uint8_t)size};
	uint64_t sum = cut->ipv4 ? sum_bytes(ip + 12, 8) : sum_bytes(ip + 8, 32);
	store_checksum(sum_at, sum + sum_bytes(tail, 4) + sum_bytes(l4, size), cut->udp);
}

void
offload_cut_next(struct offload_cut *cut, uint8_t *frame)
{
	uint32_t n = cut_payload(cut);
	memcpy(frame, cut->head, cut->header);
	copy_payload(cut, frame + cut->header, n);
	fix_ip(cut, frame + cut->l3, n);
	fix_l4(cut, frame, n);
	cut->done += n;
	cut->index++;
}
