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

#endif
