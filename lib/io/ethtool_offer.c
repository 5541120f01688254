/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The speeds that a port has, and offers to the other side. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "io/ethtool_int.h"

#define MBIT UINT64_C(1000000)
#define WORDS 8 /* 256 link modes; Linux 6.1 has 102 */

/* As many bits as there are in both, in words of the host's order (Documentation/networking/ethtool-netlink.rst). */
struct offer {
	uint32_t bits;
	uint32_t offered[WORDS], supported[WORDS];
};

static void
take_words(const struct nlattr *attr, uint32_t words[WORDS])
{
	size_t size = nla_len(attr) > 0 ? (size_t)nla_len(attr) : 0;
	netlink_take(attr, words, size < sizeof(uint32_t[WORDS]) ? size : sizeof(uint32_t[WORDS]));
}

static void
take_offer(struct offer *offer, struct nlattr *bitset)
{
	struct nlattr *attr;
	int left;
	nla_for_each_nested(attr, bitset, left)
	{
		switch (nla_type(attr)) {
		case ETHTOOL_A_BITSET_SIZE:
			netlink_take(attr, &offer->bits, sizeof(offer->bits));
			break;
		case ETHTOOL_A_BITSET_VALUE:
			take_words(attr, offer->offered);
			break;
		case ETHTOOL_A_BITSET_MASK:
			take_words(attr, offer->supported);
			break;
		default:
			break;
		}
	}
}

static void
hear(void *arg, struct nlmsghdr *message)
{
	struct nlattr *modes = ethtool_attr(message, ETHTOOL_A_LINKMODES_OURS);
	if (modes) {
		take_offer(arg, modes);
	}
}

/* Among the modes are kinds of plugs, flow control and error correction: they are other settings. */
static void
leave_speeds(struct offer *offer)
{
	static const unsigned others[] = {ETHTOOL_LINK_MODE_Autoneg_BIT, ETHTOOL_LINK_MODE_TP_BIT, ETHTOOL_LINK_MODE_AUI_BIT,
		ETHTOOL_LINK_MODE_MII_BIT, ETHTOOL_LINK_MODE_FIBRE_BIT, ETHTOOL_LINK_MODE_BNC_BIT, ETHTOOL_LINK_MODE_Pause_BIT,
		ETHTOOL_LINK_MODE_Asym_Pause_BIT, ETHTOOL_LINK_MODE_Backplane_BIT, ETHTOOL_LINK_MODE_FEC_NONE_BIT,
		ETHTOOL_LINK_MODE_FEC_RS_BIT, ETHTOOL_LINK_MODE_FEC_BASER_BIT, ETHTOOL_LINK_MODE_FEC_LLRS_BIT};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		offer->supported[others[i] / 32] &= ~(UINT32_C(1) << others[i] % 32);
	}
}

static bool
is_complete(const struct offer *offer)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (offer->supported[i] & ~offer->offered[i]) {
			return false;
		}
	}
	return true;
}

static int
put(struct nl_msg *msg, const struct offer *offer)
{
	int size = (int)((offer->bits + 31) / 32 * sizeof(uint32_t));
	struct nlattr *set = nla_nest_start(msg, NLA_F_NESTED | ETHTOOL_A_LINKMODES_OURS);
	if (!set || nla_put_u32(msg, ETHTOOL_A_BITSET_SIZE, offer->bits) < 0 ||
		nla_put(msg, ETHTOOL_A_BITSET_VALUE, size, offer->supported) < 0 ||
		nla_put(msg, ETHTOOL_A_BITSET_MASK, size, offer->supported) < 0) {
		return ENOMEM;
	}
	nla_nest_end(msg, set);
	return nla_put_u8(msg, ETHTOOL_A_LINKMODES_AUTONEG, AUTONEG_ENABLE) < 0 ? ENOMEM : 0;
}

static int
ask(struct ethtool *tool, const char *ifname, struct offer *offer)
{
	struct nl_msg *msg = ethtool_request(tool, ETHTOOL_MSG_LINKMODES_GET, ifname, ETHTOOL_FLAG_COMPACT_BITSETS);
	int error = msg ? netlink_ask(&tool->nl, msg, hear, offer) : ENOMEM;
	if (error || offer->bits == 0 || offer->bits > 32 * WORDS) {
		return error ? error : EOPNOTSUPP;
	}
	leave_speeds(offer);
	return 0;
}

int
ethtool_offer_all(struct ethtool *tool, const char *ifname)
{
	struct offer offer = {0};
	int error = ask(tool, ifname, &offer);
	if (error || is_complete(&offer)) {
		return error;
	}
	struct nl_msg *msg = ethtool_request(tool, ETHTOOL_MSG_LINKMODES_SET, ifname, 0);
	if (!msg || put(msg, &offer)) {
		nlmsg_free(msg);
		return ENOMEM;
	}
	return netlink_ask(&tool->nl, msg, NULL, NULL);
}

/* ---- modes --------------------------------------------------------------------------------------------------------- */

struct modes {
	uint64_t speed_bps; /* 0: any */
	enum host_duplex duplex;
	bool some, found;
};

/* "1000baseT/Full": the kernel's names begin with Mbit/s and end with the duplex mode. What has no speed is no mode. */
static void
take_mode(void *arg, const char *name, bool on)
{
	static const char *const ends[] = {
		[HOST_DUPLEX_UNKNOWN] = "", [HOST_DUPLEX_HALF] = "/Half", [HOST_DUPLEX_FULL] = "/Full"};
	const char *rest = strstr(name, "base");
	struct modes *modes = arg;
	char text[24];
	uint64_t mbit;
	(void)on; /* it is offered */
	if (!rest || (size_t)(rest - name) >= sizeof(text)) {
		return;
	}
	snprintf(text, sizeof(text), "%.*s", (int)(rest - name), name);
	if (!num_parse_u64(text, 1, UINT32_MAX, &mbit)) {
		return;
	}
	modes->some = true;
	modes->found |= (modes->speed_bps == 0 || modes->speed_bps == mbit * MBIT) && strstr(rest, ends[modes->duplex]);
}

static void
hear_modes(void *arg, struct nlmsghdr *message)
{
	struct nlattr *modes = ethtool_attr(message, ETHTOOL_A_LINKMODES_OURS);
	if (modes) {
		ethtool_bits(modes, take_mode, arg);
	}
}

bool
ethtool_lacks(struct ethtool *tool, const char *ifname, const struct portset *set)
{
	struct modes modes = {.speed_bps = set->has & PORTSET_SPEED ? set->speed_bps : 0,
		.duplex = set->has & PORTSET_DUPLEX ? set->duplex : HOST_DUPLEX_UNKNOWN};
	struct nl_msg *msg = ethtool_request(tool, ETHTOOL_MSG_LINKMODES_GET, ifname, 0);
	return msg && netlink_ask(&tool->nl, msg, hear_modes, &modes) == 0 && modes.some && !modes.found;
}
