/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/eth.h"

bool
eth_get(struct bytes_in *in, struct eth *eth)
{
	*eth = (struct eth){0};
	eth->dst = bytes_get_mac(in);
	eth->src = bytes_get_mac(in);
	eth->type = bytes_get_u16(in);
	while (eth_is_tag(eth->type) && eth->tags < ETH_TAGS) {
		struct eth_tag *tag = &eth->tag[eth->tags++];
		tag->tpid = eth->type;
		tag->tci = bytes_get_u16(in);
		eth->type = bytes_get_u16(in);
	}
	return !in->bad;
}

void
eth_put(struct bytes_out *out, const struct eth *eth)
{
	bytes_put_mac(out, eth->dst);
	bytes_put_mac(out, eth->src);
	for (unsigned i = 0; i < eth->tags && i < ETH_TAGS; i++) {
		bytes_put_u16(out, eth->tag[i].tpid);
		bytes_put_u16(out, eth->tag[i].tci);
	}
	bytes_put_u16(out, eth->type);
}
