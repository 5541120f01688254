/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/tcp.h"

#include "net/csum.h"

enum { OFFSET_SHIFT = 4, WORD = 4 };

bool
tcp_refuse(struct bytes_in in, uint64_t pseudo, struct tcp *reset)
{
	size_t size = bytes_left(&in);
	bool right = !csum_fold(csum_add(pseudo, in.at, size));

	struct tcp tcp;

	tcp.source = bytes_get_u16(&in);
	tcp.destination = bytes_get_u16(&in);
	tcp.seq = bytes_get_u32(&in);
	tcp.ack = bytes_get_u32(&in);
	unsigned header = (unsigned)(bytes_get_u8(&in) >> OFFSET_SHIFT) * WORD;
	tcp.flags = bytes_get_u8(&in);
	bytes_take(&in, 6);
	if (in.bad || !right || header < TCP_HEADER || header > size || (tcp.flags & TCP_RST)) {
		return false;
	}
	*reset = (struct tcp){.source = tcp.destination, .destination = tcp.source, .flags = TCP_RST};
	if (tcp.flags & TCP_ACK) {
		reset->seq = tcp.ack;
	} else {
		uint32_t taken = (uint32_t)(size - header) + !!(tcp.flags & TCP_SYN) + !!(tcp.flags & TCP_FIN);
		reset->flags |= TCP_ACK;
		reset->ack = tcp.seq + taken;
	}
	return true;
}

void
tcp_put(struct bytes_out *out, const struct tcp *tcp, uint64_t pseudo)
{
	const uint8_t *start = out->at;

	bytes_put_u16(out, tcp->source);
	bytes_put_u16(out, tcp->destination);
	bytes_put_u32(out, tcp->seq);
	bytes_put_u32(out, tcp->ack);
	bytes_put_u8(out, TCP_HEADER / WORD << OFFSET_SHIFT);
	bytes_put_u8(out, tcp->flags);
	bytes_put_u16(out, 0); /* window */
	struct bytes_out checksum = *out;
	bytes_put_u16(out, 0);
	bytes_put_u16(out, 0); /* urgent pointer */
	if (!out->bad) {
		bytes_put_u16(&checksum, csum_fold(csum_add(pseudo, start, TCP_HEADER)));
	}
}
