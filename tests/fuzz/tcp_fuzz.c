/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP segments: a reset that answers one is none that would be answered itself. links: lib/net/tcp.c lib/net/csum.c */
#include "must.h"
#include "net/csum.h"
#include "net/tcp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[TCP_HEADER];
	struct tcp reset, none;
	/* whatever makes its checksum right */
	uint64_t pseudo = csum_fold(csum_add(0, data, size));

	if (!tcp_refuse(bytes_in(data, size), pseudo, &reset)) {
		return 0;
	}
	struct bytes_out out = bytes_out(again, sizeof(again));
	must(size >= TCP_HEADER && (reset.flags & TCP_RST) && !(data[13] & TCP_RST));
	tcp_put(&out, &reset, 0);
	must(!out.bad && !csum(again, sizeof(again)));
	must(!tcp_refuse(bytes_in(again, sizeof(again)), 0, &none));
	return 0;
}
