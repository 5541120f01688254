/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a sender left to its NIC, done in software: a checksum to be completed, a large TCP or UDP frame to be cut into frames
 * that fit the wire.
 *
 * A kernel host at the other end of a veth pair sends such frames unless its offloads are off; the kernel tells what is missing
 * beside the frame (struct virtio_net_hdr). Pure.
 */
#ifndef PEKIT_PE_OFFLOAD_H
#define PEKIT_PE_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Completes the Internet checksum (RFC 1071) at start + offset over start .. size; the field holds the pseudo-header's sum.
 * Offset 6 is UDP's and no other's. False: the place lies outside of the frame, which is then as it was.
 */
bool
offload_checksum(uint8_t *frame, uint32_t size, uint32_t start, uint32_t offset);

/* A large frame while it is cut. The bytes are the caller's, in two pieces; the first holds all headers. */
struct offload_cut {
	const uint8_t *head, *rest;
	uint32_t head_size, rest_size;
	uint32_t l3, l4, header; /* where the IP header, the TCP or UDP header and the payload begin */
	bool udp, ipv4;
	uint32_t chunk; /* payload of a frame */
	uint32_t done;  /* payload cut off so far */
	uint32_t payload;
	uint16_t index; /* frames cut off so far */
};

/*
 * Begins: cut->head .. rest_size and udp are filled by the caller; l4 and chunk are what the kernel told (csum_start, gso_size).
 * False: not a plain TCP or UDP frame over IPv4 or IPv6 behind at most two tags; such a one cannot be cut.
 */
bool
offload_cut_start(struct offload_cut *cut, uint32_t l4, uint32_t chunk);

/* Size of the next frame; 0: all is cut. */
uint32_t
offload_cut_size(const struct offload_cut *cut);

/* Writes the next frame, offload_cut_size() bytes: headers adapted, checksums complete. */
void
offload_cut_next(struct offload_cut *cut, uint8_t *frame);

#endif
