/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

int
netlink_open(struct netlink *nl, int protocol, int timeout_ms)
{
	*nl = (struct netlink){.sock = nl_socket_alloc()};
	if (!nl->sock) {
		return ENOMEM;
	}
	int rc = nl_connect(nl->sock, protocol);
	if (rc < 0) {
		netlink_close(nl);
		return rc == -NLE_NOMEM ? ENOMEM : EPROTONOSUPPORT;
	}
	/* A kernel without these has fewer words. */
	int fd = nl_socket_get_fd(nl->sock), on = 1;
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

void
netlink_close(struct netlink *nl)
{
	nl_socket_free(nl->sock);
	nl->sock = NULL;
}

bool
netlink_take(const struct nlattr *attr, void *to, size_t size)
{
	if (nla_len(attr) < 0 || (size_t)nla_len(attr) < size) {
		return false;
	}
	memcpy(to, nla_data(attr), size);
	return true;
}

bool
netlink_text(const struct nlattr *attr, char *to, size_t size)
{
	const char *text = nla_data(attr);
	size_t length = nla_len(attr) > 0 ? strnlen(text, (size_t)nla_len(attr)) : 0;
	to[0] = '\0';
	if (length == 0 || length >= size) {
		return false;
	}
	memcpy(to, text, length);
	to[length] = '\0';
	return true;
}

/* What a NLMSG_ERROR or NLMSG_DONE says: an errno, 0 for an acknowledgement. */
static int
end_of(struct netlink *nl, struct nlmsghdr *message)
{
	int error = 0;
	if (nlmsg_datalen(message) < (int)sizeof(error)) {
		return message->nlmsg_type == NLMSG_DONE ? 0 : EBADMSG;
	}
	memcpy(&error, nlmsg_data(message), sizeof(error));
	int skip = message->nlmsg_type == NLMSG_DONE ? (int)sizeof(error) : (int)sizeof(struct nlmsgerr);
	if (message->nlmsg_type == NLMSG_ERROR && !(message->nlmsg_flags & NLM_F_CAPPED)) {
		struct nlmsgerr full;
		if (nlmsg_datalen(message) < (int)sizeof(full)) {
			return error < 0 ? -error : 0;
		}
		memcpy(&full, nlmsg_data(message), sizeof(full));
		if (full.msg.nlmsg_len > (unsigned)nlmsg_datalen(message)) {
			return error < 0 ? -error : 0;
		}
		skip += (int)NLMSG_ALIGN(full.msg.nlmsg_len) - (int)sizeof(full.msg);
	}
	if (message->nlmsg_flags & NLM_F_ACK_TLVS && nlmsg_datalen(message) > skip) {
		struct nlattr *attr;
		int left;
		nla_for_each_attr(
			attr, (struct nlattr *)((char *)nlmsg_data(message) + skip), nlmsg_datalen(message) - skip, left)
		{
			if (nla_type(attr) == NLMSGERR_ATTR_MSG) {
				netlink_text(attr, nl->said, sizeof(nl->said));
			}
		}
	}
	return error < 0 ? -error : 0;
}

/* One datagram. True: the answer has ended, with *error. */
static bool
hear_datagram(struct netlink *nl, unsigned char *data, int size, uint32_t seq, netlink_hear *hear, void *arg, int *error)
{
	struct nlmsghdr *message = (struct nlmsghdr *)(void *)data;
	for (; nlmsg_ok(message, size); message = nlmsg_next(message, &size)) {
		if (message->nlmsg_seq != seq) {
			continue;
		}
		if (message->nlmsg_flags & NLM_F_DUMP_INTR) {
			*error = EINTR;
		}
		if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
			int said = end_of(nl, message);
			*error = said ? said : *error;
			return true;
		}
		if (message->nlmsg_type != NLMSG_NOOP && hear) {
			hear(arg, message);
		}
	}
	return false;
}

int
netlink_ask(struct netlink *nl, struct nl_msg *msg, netlink_hear *hear, void *arg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	header->nlmsg_flags |= (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP ? NLM_F_REQUEST : NLM_F_REQUEST | NLM_F_ACK;
	nl_complete_msg(nl->sock, msg);
	uint32_t seq = header->nlmsg_seq;
	nl->said[0] = '\0';
	int rc = nl_send(nl->sock, msg);
	nlmsg_free(msg);
	if (rc < 0) {
		return rc == -NLE_PERM ? EPERM : EIO;
	}
	int error = 0;
	for (bool ended = false; !ended;) {
		struct sockaddr_nl from;
		unsigned char *data = NULL;
		int n = nl_recv(nl->sock, &from, &data, NULL);
		if (n <= 0) {
			return n == -NLE_NOMEM ? ENOMEM : n == -NLE_AGAIN || n == 0 ? ETIMEDOUT : EIO;
		}
		ended = from.nl_pid == 0 && hear_datagram(nl, data, n, seq, hear, arg, &error);
		free(data);
	}
	return error;
}
