/* SPDX-License-Identifier: GPL-3.0-or-later */
/* As much of TCP as it takes to refuse a connection (RFC 9293 3.5.2, 3.10.7.1). Pure. */
#ifndef PEKIT_NET_TCP_H
#define PEKIT_NET_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define TCP_HEADER 20
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct tcp {
	uint16_t source, destination;
	uint32_t seq, ack;
	uint8_t flags;
};

/*
 * The reset that answers a segment to a port where nobody listens. `in` stands at the segment, its end is the packet's; pseudo:
 * the sum of the pseudo header of the segment. False: nothing answers it (a reset, cut off, a wrong checksum).
 */
bool
tcp_refuse(struct bytes_in in, uint64_t pseudo, struct tcp *reset);

/* A header without options or data, with its checksum. */
void
tcp_put(struct bytes_out *out, const struct tcp *tcp, uint64_t pseudo);

#endif
