/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/io/ethtool*.c: requests and answers. */
#ifndef PEKIT_IO_ETHTOOL_INT_H
#define PEKIT_IO_ETHTOOL_INT_H

#include "io/ethtool.h"

/* A request about one interface, or (NULL) all; ETHTOOL_FLAG_*. NULL: no memory. */
struct nl_msg *
ethtool_request(const struct ethtool *tool, uint8_t command, const char *ifname, uint32_t flags);

/* The attributes of an answer. NULL: it is none. */
struct nlattr *
ethtool_answer(struct nlmsghdr *message, int *size);

/* One attribute of an answer. NULL: it has none of this type. */
struct nlattr *
ethtool_attr(struct nlmsghdr *message, int type);

/* Calls back for each bit with a name of a bitset that was not asked for in the compact form. */
typedef void
ethtool_bit(void *arg, const char *name, bool on);
void
ethtool_bits(struct nlattr *bitset, ethtool_bit *each, void *arg);

#endif
