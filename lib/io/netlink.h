/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions to the kernel over netlink: libnl makes the messages and carries them; the answers are walked here, for the sake of
 * errno as it came and the kernel's own words (NETLINK_EXT_ACK), which libnl's error numbers lose.
 */
#ifndef PEKIT_IO_NETLINK_H
#define PEKIT_IO_NETLINK_H

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stddef.h>

#define NETLINK_SAID_SIZE 128

struct netlink {
	struct nl_sock *sock;
	char said[NETLINK_SAID_SIZE]; /* the kernel's words about the last refusal; may be empty */
};

/* Protocol NETLINK_ROUTE, NETLINK_GENERIC. An answer is waited for timeout_ms. 0 or an errno; netlink_close() it. */
int
netlink_open(struct netlink *nl, int protocol, int timeout_ms);
void
netlink_close(struct netlink *nl);

/* Hears each message of the answer. */
typedef void
netlink_hear(void *arg, struct nlmsghdr *message);

/*
 * Sends the message (flags as it says; NLM_F_ACK is added when it asks for no dump), hears the answer and frees the message. 0
 * or an errno; EINTR: what was dumped has changed meanwhile, ask again; ETIMEDOUT: no answer in time.
 */
int
netlink_ask(struct netlink *nl, struct nl_msg *msg, netlink_hear *hear, void *arg);

/* Copies the payload when it is at least that long. */
bool
netlink_take(const struct nlattr *attr, void *to, size_t size);

/* A text of at most size - 1 characters that ends within the attribute; else to is empty. */
bool
netlink_text(const struct nlattr *attr, char *to, size_t size);

#endif
