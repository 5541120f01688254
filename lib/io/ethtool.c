/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/ethtool_int.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 10000
#define MBIT UINT64_C(1000000)
#define HEADER 1 /* ETHTOOL_A_*_HEADER is the first attribute of all requests and answers */

int
ethtool_open(struct ethtool *tool)
{
	int error = netlink_open(&tool->nl, NETLINK_GENERIC, ANSWER_MS);
	if (error) {
		return error;
	}
	tool->family = genl_ctrl_resolve(tool->nl.sock, ETHTOOL_GENL_NAME);
	if (tool->family < 0) {
		netlink_close(&tool->nl);
		return EOPNOTSUPP;
	}
	return 0;
}

void
ethtool_close(struct ethtool *tool)
{
	netlink_close(&tool->nl);
}

struct nl_msg *
ethtool_request(const struct ethtool *tool, uint8_t command, const char *ifname, uint32_t flags)
{
	struct nl_msg *msg = nlmsg_alloc();
	if (!msg) {
		return NULL;
	}
	struct nlattr *header = NULL;
	if (genlmsg_put(
		    msg, NL_AUTO_PORT, NL_AUTO_SEQ, tool->family, 0, ifname ? 0 : NLM_F_DUMP, command, ETHTOOL_GENL_VERSION)) {
		header = nla_nest_start(msg, NLA_F_NESTED | HEADER);
	}
	if (!header || (ifname && nla_put_string(msg, ETHTOOL_A_HEADER_DEV_NAME, ifname) < 0) ||
		nla_put_u32(msg, ETHTOOL_A_HEADER_FLAGS, flags) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, header);
	return msg;
}

struct nlattr *
ethtool_answer(struct nlmsghdr *message, int *size)
{
	if (!genlmsg_valid_hdr(message, 0)) {
		return NULL;
	}
	struct genlmsghdr *header = nlmsg_data(message);
	*size = genlmsg_attrlen(header, 0);
	return genlmsg_attrdata(header, 0);
}

struct nlattr *
ethtool_attr(struct nlmsghdr *message, int type)
{
	int size;
	struct nlattr *attrs = ethtool_answer(message, &size);
	return attrs ? nla_find(attrs, size, type) : NULL;
}

static void
tell_bit(struct nlattr *bit, ethtool_bit *each, void *arg)
{
	struct nlattr *attr;
	int left;
	char name[ETH_GSTRING_LEN + 1] = "";
	bool on = false;
	nla_for_each_nested(attr, bit, left)
	{
		if (nla_type(attr) == ETHTOOL_A_BITSET_BIT_NAME) {
			netlink_text(attr, name, sizeof(name));
		} else if (nla_type(attr) == ETHTOOL_A_BITSET_BIT_VALUE) {
			on = true;
		}
	}
	if (name[0]) {
		each(arg, name, on);
	}
}

void
ethtool_bits(struct nlattr *bitset, ethtool_bit *each, void *arg)
{
	struct nlattr *bits = nla_find(nla_data(bitset), nla_len(bitset), ETHTOOL_A_BITSET_BITS), *bit;
	int left;
	if (!bits) {
		return;
	}
	nla_for_each_nested(bit, bits, left)
	{
		tell_bit(bit, each, arg);
	}
}

/* ---- ports -------------------------------------------------------------------------------------------------------- */

struct hearing {
	struct host *host;   /* all of its interfaces, */
	struct portset *set; /* or one */
	bool pause;
};

static int
index_of(struct nlattr *header)
{
	struct nlattr *attr;
	int left;
	uint32_t index = 0;
	nla_for_each_nested(attr, header, left)
	{
		if (nla_type(attr) == ETHTOOL_A_HEADER_DEV_INDEX) {
			netlink_take(attr, &index, sizeof(index));
		}
	}
	return (int)index;
}

static void
take_flag(const struct nlattr *attr, struct portset *set, unsigned bit, bool *flag)
{
	uint8_t value;
	if (netlink_take(attr, &value, sizeof(value)) && value <= 1) {
		set->has |= bit;
		*flag = value;
	}
}

static void
take_link(const struct nlattr *attr, struct portset *set)
{
	uint32_t speed;
	uint8_t duplex;
	switch (nla_type(attr)) {
	case ETHTOOL_A_LINKMODES_AUTONEG:
		take_flag(attr, set, PORTSET_AUTONEG, &set->autoneg);
		break;
	case ETHTOOL_A_LINKMODES_SPEED:
		if (netlink_take(attr, &speed, sizeof(speed)) && speed != (uint32_t)SPEED_UNKNOWN && speed > 0) {
			set->has |= PORTSET_SPEED;
			set->speed_bps = speed * MBIT;
		}
		break;
	case ETHTOOL_A_LINKMODES_DUPLEX:
		if (netlink_take(attr, &duplex, sizeof(duplex)) && duplex <= DUPLEX_FULL) {
			set->has |= PORTSET_DUPLEX;
			set->duplex = duplex == DUPLEX_FULL ? HOST_DUPLEX_FULL : HOST_DUPLEX_HALF;
		}
		break;
	default:
		break;
	}
}

static void
take_pause(const struct nlattr *attr, struct portset *set)
{
	switch (nla_type(attr)) {
	case ETHTOOL_A_PAUSE_AUTONEG:
		take_flag(attr, set, PORTSET_PAUSE_AUTONEG, &set->pause_autoneg);
		break;
	case ETHTOOL_A_PAUSE_RX:
		take_flag(attr, set, PORTSET_PAUSE_RX, &set->pause_rx);
		break;
	case ETHTOOL_A_PAUSE_TX:
		take_flag(attr, set, PORTSET_PAUSE_TX, &set->pause_tx);
		break;
	default:
		break;
	}
}

static struct portset *
set_at(struct host *host, int index)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		for (size_t k = 0; k < host->func[i].nifaces; k++) {
			if (host->func[i].iface[k].index == index) {
				return &host->func[i].iface[k].set;
			}
		}
	}
	return NULL;
}

static void
hear_port(void *arg, struct nlmsghdr *message)
{
	const struct hearing *hearing = arg;
	struct portset *set = hearing->set;
	int size, left;
	struct nlattr *attrs = ethtool_answer(message, &size), *attr;
	if (!attrs) {
		return;
	}
	nla_for_each_attr(attr, attrs, size, left)
	{
		if (nla_type(attr) == HEADER && hearing->host) {
			set = set_at(hearing->host, index_of(attr));
		} else if (set && hearing->pause) {
			take_pause(attr, set);
		} else if (set) {
			take_link(attr, set);
		}
	}
}

/* What a driver has no answer to is no error. */
static int
hear_ports(struct ethtool *tool, const char *ifname, struct hearing *hearing)
{
	static const uint8_t commands[] = {ETHTOOL_MSG_LINKMODES_GET, ETHTOOL_MSG_PAUSE_GET};
	for (size_t i = 0; i < sizeof(commands); i++) {
		struct nl_msg *msg = ethtool_request(tool, commands[i], ifname, ETHTOOL_FLAG_COMPACT_BITSETS);
		hearing->pause = i > 0;
		int error = msg ? netlink_ask(&tool->nl, msg, hear_port, hearing) : ENOMEM;
		if (error && error != EOPNOTSUPP && error != EINTR) {
			return error;
		}
	}
	return 0;
}

int
ethtool_read(struct ethtool *tool, struct host *host)
{
	struct hearing hearing = {.host = host};
	return hear_ports(tool, NULL, &hearing);
}

int
ethtool_get(struct ethtool *tool, const char *ifname, struct portset *set)
{
	struct hearing hearing = {.set = set};
	return hear_ports(tool, ifname, &hearing);
}

static int
put_link(struct nl_msg *msg, unsigned bits, const struct portset *set)
{
	if ((bits & PORTSET_AUTONEG && nla_put_u8(msg, ETHTOOL_A_LINKMODES_AUTONEG, set->autoneg) < 0) ||
		(bits & PORTSET_SPEED && nla_put_u32(msg, ETHTOOL_A_LINKMODES_SPEED, (uint32_t)(set->speed_bps / MBIT)) < 0) ||
		(bits & PORTSET_DUPLEX && nla_put_u8(msg, ETHTOOL_A_LINKMODES_DUPLEX,
						  set->duplex == HOST_DUPLEX_HALF ? DUPLEX_HALF : DUPLEX_FULL) < 0)) {
		return ENOMEM;
	}
	return 0;
}

static int
put_pause(struct nl_msg *msg, unsigned bits, const struct portset *set)
{
	if ((bits & PORTSET_PAUSE_AUTONEG && nla_put_u8(msg, ETHTOOL_A_PAUSE_AUTONEG, set->pause_autoneg) < 0) ||
		(bits & PORTSET_PAUSE_RX && nla_put_u8(msg, ETHTOOL_A_PAUSE_RX, set->pause_rx) < 0) ||
		(bits & PORTSET_PAUSE_TX && nla_put_u8(msg, ETHTOOL_A_PAUSE_TX, set->pause_tx) < 0)) {
		return ENOMEM;
	}
	return 0;
}

int
ethtool_set(struct ethtool *tool, const char *ifname, unsigned bits, const struct portset *set)
{
	bool pause = bits & ETHTOOL_PAUSE;
	struct nl_msg *msg = ethtool_request(tool, pause ? ETHTOOL_MSG_PAUSE_SET : ETHTOOL_MSG_LINKMODES_SET, ifname, 0);
	if (!msg) {
		return ENOMEM;
	}
	if (pause ? put_pause(msg, bits, set) : put_link(msg, bits, set)) {
		nlmsg_free(msg);
		return ENOMEM;
	}
	return netlink_ask(&tool->nl, msg, NULL, NULL);
}

/* ---- private flags ------------------------------------------------------------------------------------------------------ */

struct flag {
	const char *name;
	bool found, on;
};

static void
see_flag(void *arg, const char *name, bool on)
{
	struct flag *flag = arg;
	if (strcmp(name, flag->name) == 0) {
		flag->found = true;
		flag->on = on;
	}
}

static void
hear_flags(void *arg, struct nlmsghdr *message)
{
	struct nlattr *flags = ethtool_attr(message, ETHTOOL_A_PRIVFLAGS_FLAGS);
	if (flags) {
		ethtool_bits(flags, see_flag, arg);
	}
}

int
ethtool_flag(struct ethtool *tool, const char *ifname, const char *flag, bool *on)
{
	struct flag wanted = {.name = flag};
	struct nl_msg *msg = ethtool_request(tool, ETHTOOL_MSG_PRIVFLAGS_GET, ifname, 0);
	int error = msg ? netlink_ask(&tool->nl, msg, hear_flags, &wanted) : ENOMEM;
	if (error || !wanted.found) {
		return error && error != EOPNOTSUPP ? error : ENOENT;
	}
	*on = wanted.on;
	return 0;
}

/* A bitset with one bit in it: the others stay. */
static int
put_flag(struct nl_msg *msg, const char *flag, bool on)
{
	struct nlattr *set = nla_nest_start(msg, NLA_F_NESTED | ETHTOOL_A_PRIVFLAGS_FLAGS);
	struct nlattr *bits = set ? nla_nest_start(msg, NLA_F_NESTED | ETHTOOL_A_BITSET_BITS) : NULL;
	struct nlattr *bit = bits ? nla_nest_start(msg, NLA_F_NESTED | ETHTOOL_A_BITSET_BITS_BIT) : NULL;
	if (!bit || nla_put_string(msg, ETHTOOL_A_BITSET_BIT_NAME, flag) < 0 ||
		(on && nla_put_flag(msg, ETHTOOL_A_BITSET_BIT_VALUE) < 0)) {
		return ENOMEM;
	}
	nla_nest_end(msg, bit);
	nla_nest_end(msg, bits);
	nla_nest_end(msg, set);
	return 0;
}

int
ethtool_flag_set(struct ethtool *tool, const char *ifname, const char *flag, bool on)
{
	struct nl_msg *msg = ethtool_request(tool, ETHTOOL_MSG_PRIVFLAGS_SET, ifname, 0);
	if (!msg) {
		return ENOMEM;
	}
	if (put_flag(msg, flag, on)) {
		nlmsg_free(msg);
		return ENOMEM;
	}
	return netlink_ask(&tool->nl, msg, NULL, NULL);
}
