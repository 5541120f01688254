/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the answer to one rtnetlink dump as it came: nlrecord links|addrs|routes >FILE. The links are those with what PFs know
 * of their VFs, as libnl-route asks for it. The closing NLMSG_DONE is part of it.
 *
 * links: nothing of the project
 */
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
	struct nlmsghdr header;
	struct ifinfomsg info; /* the kernel reads the family alone of it for addresses and routes, too */
	struct rtattr attr;
	uint32_t mask;
};

static int
type_of(const char *name)
{
	static const struct {
		const char *name;
		int type;
	} dumps[] = {{"links", RTM_GETLINK}, {"addrs", RTM_GETADDR}, {"routes", RTM_GETROUTE}};

	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		if (strcmp(name, dumps[i].name) == 0) {
			return dumps[i].type;
		}
	}
	return -1;
}

static bool
asked(int s, int type)
{
	struct request request = {
		.header = {.nlmsg_type = (uint16_t)type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 1},
		.attr = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_EXT_MASK},
		.mask = RTEXT_FILTER_VF,
	};

	request.header.nlmsg_len = type == RTM_GETLINK ? sizeof(request) : NLMSG_LENGTH(sizeof(struct ifinfomsg));
	return send(s, &request, request.header.nlmsg_len, 0) == (ssize_t)request.header.nlmsg_len;
}

/* Until the end of the dump; false: an error, or no end. */
static bool
copied(int s)
{
	static alignas(struct nlmsghdr) char buffer[1 << 18];
	ssize_t size;

	while ((size = recv(s, buffer, sizeof(buffer), MSG_TRUNC)) > 0 && (size_t)size <= sizeof(buffer)) {
		if (fwrite(buffer, 1, (size_t)size, stdout) != (size_t)size) {
			return false;
		}
		for (size_t at = 0; at + sizeof(struct nlmsghdr) <= (size_t)size;) {
			struct nlmsghdr header;

			memcpy(&header, buffer + at, sizeof(header));
			if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR ||
				header.nlmsg_len < sizeof(header)) {
				return header.nlmsg_type == NLMSG_DONE && fflush(stdout) == 0;
			}
			at += NLMSG_ALIGN(header.nlmsg_len);
		}
	}
	return false;
}

int
main(int argc, char **argv)
{
	int type = argc == 2 ? type_of(argv[1]) : -1;
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool done;

	if (type < 0) {
		fputs("usage: nlrecord links|addrs|routes >FILE\n", stderr);
		return 2;
	}
	done = s >= 0 && asked(s, type) && copied(s);
	if (!done) {
		perror("nlrecord");
	}
	close(s);
	return done ? 0 : 1;
}
