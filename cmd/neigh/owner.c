/* SPDX-License-Identifier: GPL-3.0-or-later */
/* owner: which core runs the machine of an address. All of ARP is the master's; an IPv6 address's is found by its hash. */
#include "core/names.h"
#include "neigh.h"

static void
out_core(struct out *out, unsigned core)
{
	if (core) {
		out_number(out, core);
	} else {
		out_null(out);
	}
}

static void
out_owner(struct out *out, const struct neigh *n, const uint64_t words[static 2], uint16_t iface)
{
	const struct nbr_key key = {.address = {words[0], words[1]}, .iface = iface};
	unsigned owner = neigh_owner(n, &key);
	char text[IP_TEXT_SIZE];
	out_text(out, neigh_text(words, text));
	out_text(out, iface ? neigh_iface_name(n, iface) : NULL);
	out_core(out, owner);
	out_text(out, owner && owner <= n->src.ncores ? names_role(seg_get(&n->src.control->role[owner])) : NULL);
	if (neigh_tool.family == SEG_IPV4) {
		out_core(out, seg_get(&n->src.control->master));
		out_core(out, seg_get(&n->src.control->backup));
	} else {
		out_number(out, nbr_owner_bucket(nbr_hash(&key, n->src.seg.head.fdb_seed)));
	}
	out_number(out, seg_get(&n->src.control->owner_epoch));
	out_row(out);
}

static enum err_code
owner_open(struct cli *cli, const struct neigh *n, struct err *err)
{
	static const struct out_column ipv4[] = {{.key = "address"}, {.key = "interface"}, {.key = "owner", .flags = OUT_RIGHT},
		{.key = "role"}, {.key = "master", .flags = OUT_RIGHT}, {.key = "backup", .flags = OUT_RIGHT},
		{.key = "epoch", .flags = OUT_RIGHT | OUT_WIDE}, {.key = NULL}};
	static const struct out_column ipv6[] = {{.key = "address"}, {.key = "interface"}, {.key = "owner", .flags = OUT_RIGHT},
		{.key = "role"}, {.key = "bucket", .flags = OUT_RIGHT}, {.key = "epoch", .flags = OUT_RIGHT | OUT_WIDE},
		{.key = NULL}};
	struct neigh_address address;
	uint16_t iface = 0;
	neigh_address(cli, &address);
	enum err_code code = neigh_pick_iface(n, &address, &iface, err);
	if (code == ERR_NOT_FOUND && neigh_tool.family == SEG_IPV4 && !address.iface) {
		code = ERR_NONE; /* the master's wherever it is */
	}
	if (code) {
		return code;
	}
	struct out *out = out_open(cli, neigh_tool.family == SEG_IPV4 ? ipv4 : ipv6);
	out_owner(out, n, address.words, iface);
	return out_close(out, err);
}

enum err_code
owner_run(struct cli *cli, struct err *err)
{
	struct neigh n;
	enum err_code code = neigh_open(cli, &n, err);
	if (!code) {
		code = owner_open(cli, &n, err);
		neigh_close(&n);
	}
	return code;
}
