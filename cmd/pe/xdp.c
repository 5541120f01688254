/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The XDP program of an interface: rtnetlink and two calls of bpf(2), which need no library.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "link.h"

static int
read_xdp(struct nl_msg *msg, void *arg)
{
	uint32_t *id = arg;
	struct nlattr *link[IFLA_MAX + 1], *xdp[IFLA_XDP_MAX + 1];
	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(struct ifinfomsg), link, IFLA_MAX, NULL) == 0 && link[IFLA_XDP] != NULL &&
		nla_parse_nested(xdp, IFLA_XDP_MAX, link[IFLA_XDP], NULL) == 0 && xdp[IFLA_XDP_PROG_ID] != NULL) {
		*id = nla_get_u32(xdp[IFLA_XDP_PROG_ID]);
	}
	return NL_OK;
}

/* Sends a request about one interface; replies go to read_xdp() when id is given, else an acknowledgement is awaited. */
static int
transact(struct nl_msg *msg, uint32_t *id)
{
	struct nl_sock *sk = nl_socket_alloc();
	int rc = sk == NULL ? -NLE_NOMEM : nl_connect(sk, NETLINK_ROUTE);
	if (rc == 0 && id != NULL) {
		nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, read_xdp, id);
		rc = nl_send_auto(sk, msg);
		rc = rc < 0 ? rc : nl_recvmsgs_default(sk);
		nlmsg_free(msg);
	} else if (rc == 0) {
		rc = nl_send_sync(sk, msg); /* frees the message */
	} else {
		nlmsg_free(msg);
	}
	nl_socket_free(sk);
	return rc < 0 ? (rc == -NLE_PERM ? EPERM : EIO) : 0;
}

static struct nl_msg *
request(int type, int flags, const char *name)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	struct ifinfomsg info = {.ifi_index = (int)if_nametoindex(name)};
	if (msg != NULL && (info.ifi_index == 0 || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static void
program_name(uint32_t id, char *name, size_t size)
{
	struct bpf_prog_info info = {0};
	union bpf_attr attr = {.prog_id = id};
	int fd = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
	if (fd >= 0) {
		attr = (union bpf_attr){
			.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(info), .info = (uint64_t)(uintptr_t)&info}};
		syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
		close(fd);
	}
	snprintf(name, size, "%.*s", (int)sizeof(info.name), info.name);
}

int
link_get_xdp(const char *name, uint32_t *id, char *program, size_t size)
{
	*id = 0;
	program[0] = '\0';
	struct nl_msg *msg = request(RTM_GETLINK, NLM_F_REQUEST, name);
	if (msg == NULL) {
		return ENODEV;
	}
	int rc = transact(msg, id);
	if (rc == 0 && *id != 0) {
		program_name(*id, program, size);
	}
	return rc;
}

int
link_detach_xdp(const char *name)
{
	static const uint32_t modes[] = {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
	int result = 0;
	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct nl_msg *msg = request(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, name);
		if (msg == NULL) {
			return ENODEV;
		}
		struct nlattr *xdp = nla_nest_start(msg, IFLA_XDP);
		nla_put_s32(msg, IFLA_XDP_FD, -1);
		nla_put_u32(msg, IFLA_XDP_FLAGS, modes[i]);
		nla_nest_end(msg, xdp);
		int rc = transact(msg, NULL);
		result = rc == EPERM ? rc : result; /* a mode that the device does not know has no program either */
	}
	uint32_t id;
	char program[16];
	return result == 0 && link_get_xdp(name, &id, program, sizeof(program)) == 0 && id != 0 ? EBUSY : result;
}
