/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/num.h"
#include "link.h"

#define CLAIM_ASKERS 64
#define CLAIM_TRIES 50
#define CLAIM_PAUSE_NS 10000000L

/* One request, one datagram: they stay whole and in order, and what was sent before the sender's death is still read. */
enum request { REQUEST_CLAIM, REQUEST_CLAIMANT, REQUEST_NOTE, REQUEST_FORGET, REQUEST_UNDO };

struct message {
	enum request request;
	enum keeper_what what;
	char ifname[IFNAMSIZ];
	char value[32];
};

struct reply {
	int error; /* errno; of a claim: EADDRINUSE: claimed by another engine, EEXIST: by this one */
	pid_t pid; /* of the claimant; 0: unknown */
};

struct keeper {
	int fd;
	pid_t pid;
};

/* ---- the child -------------------------------------------------------------------------------------------------- */

struct note {
	struct note *older;
	enum keeper_what what;
	char ifname[IFNAMSIZ];
	char value[32];
};

struct claim {
	struct claim *next;
	int fd;
	char ifname[IFNAMSIZ];
};

struct state {
	struct note *newest;
	struct claim *claims;
};

static void
undo(const struct note *note)
{
	uint64_t mtu, mac;
	switch (note->what) {
	case KEEPER_IPV6:
		link_set_ipv6(note->ifname, note->value);
		break;
	case KEEPER_NOARP:
		link_set_flags(note->ifname, 0, IFF_NOARP);
		break;
	case KEEPER_DOWN:
		link_set_flags(note->ifname, 0, IFF_UP);
		break;
	case KEEPER_MTU:
		if (num_parse_u64(note->value, 1, UINT32_MAX, &mtu)) {
			link_set_mtu(note->ifname, (uint32_t)mtu);
		}
		break;
	case KEEPER_XDP:
		link_detach_xdp(note->ifname);
		break;
	case KEEPER_PROMISC:
		link_set_flags(note->ifname, 0, IFF_PROMISC);
		break;
	case KEEPER_RXVLAN:
		link_set_rxvlan(note->ifname, true);
		break;
	case KEEPER_FILTER:
		if (mac_parse(note->value, &mac)) {
			link_filter(note->ifname, mac, false);
		}
		break;
	}
}

/* ifname NULL: everything. The list is newest first, so changes are undone in reverse. */
static void
undo_all(struct state *state, const char *ifname)
{
	for (struct note **at = &state->newest; *at != NULL;) {
		struct note *note = *at;
		if (ifname != NULL && strcmp(note->ifname, ifname) != 0) {
			at = &note->older;
			continue;
		}
		undo(note);
		*at = note->older;
		free(note);
	}
	for (struct claim **at = &state->claims; *at != NULL;) {
		struct claim *claim = *at;
		if (ifname != NULL && strcmp(claim->ifname, ifname) != 0) {
			at = &claim->next;
			continue;
		}
		close(claim->fd);
		*at = claim->next;
		free(claim);
	}
}

/* Of most things what was noted first counts; addresses are each a thing of its own. */
static bool
is_about(const struct note *note, const struct message *msg)
{
	return note->what == msg->what && strcmp(note->ifname, msg->ifname) == 0 &&
	       (note->what != KEEPER_FILTER || strcmp(note->value, msg->value) == 0);
}

static void
forget_note(struct state *state, const struct message *msg)
{
	for (struct note **at = &state->newest; *at != NULL; at = &(*at)->older) {
		struct note *note = *at;
		if (is_about(note, msg)) {
			*at = note->older;
			free(note);
			return;
		}
	}
}

static void
take_note(struct state *state, const struct message *msg)
{
	for (struct note *n = state->newest; n != NULL; n = n->older) {
		if (is_about(n, msg)) {
			return;
		}
	}
	struct note *note = calloc(1, sizeof(*note));
	if (note != NULL) {
		note->what = msg->what;
		memcpy(note->ifname, msg->ifname, sizeof(note->ifname));
		memcpy(note->value, msg->value, sizeof(note->value));
		note->older = state->newest;
		state->newest = note;
	}
}

/* An abstract socket belongs to the network namespace, and vanishes with its process. */
static socklen_t
claim_address(const char *ifname, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int n = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "pekit/if/%s", ifname);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* Who has it: the listener's process as the kernel tells the one who connects. Nobody accepts, so this works for the first
 * CLAIM_ASKERS. */
static pid_t
claimant(const char *ifname)
{
	struct sockaddr_un address;
	socklen_t size = claim_address(ifname, &address);
	struct ucred cred = {0};
	socklen_t n = sizeof(cred);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, size) == 0) {
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n);
	}
	if (fd >= 0) {
		close(fd);
	}
	return cred.pid;
}

static struct reply
take_claim(struct state *state, const char *ifname)
{
	struct sockaddr_un address;
	socklen_t size = claim_address(ifname, &address);
	for (struct claim *c = state->claims; c != NULL; c = c->next) {
		if (strcmp(c->ifname, ifname) == 0) {
			return (struct reply){.error = EEXIST};
		}
	}
	struct claim *claim = calloc(1, sizeof(*claim));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (claim == NULL || fd < 0 || bind(fd, (const struct sockaddr *)&address, size) < 0 || listen(fd, CLAIM_ASKERS) < 0) {
		struct reply reply = {.error = claim == NULL ? ENOMEM : errno};
		if (fd >= 0) {
			close(fd);
		}
		free(claim);
		return reply;
	}
	claim->fd = fd;
	snprintf(claim->ifname, sizeof(claim->ifname), "%s", ifname);
	claim->next = state->claims;
	state->claims = claim;
	return (struct reply){0};
}

static void
serve(int fd)
{
	struct state state = {0};
	struct message msg;
	for (;;) {
		ssize_t n = recv(fd, &msg, sizeof(msg), 0);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n != (ssize_t)sizeof(msg)) {
			break;
		}
		struct reply reply = {0};
		if (msg.request == REQUEST_NOTE) {
			take_note(&state, &msg);
			continue;
		}
		if (msg.request == REQUEST_FORGET) {
			forget_note(&state, &msg);
			continue;
		}
		if (msg.request == REQUEST_CLAIM) {
			reply = take_claim(&state, msg.ifname);
		} else if (msg.request == REQUEST_CLAIMANT) {
			reply.pid = claimant(msg.ifname);
		} else {
			undo_all(&state, msg.ifname);
		}
		if (send(fd, &reply, sizeof(reply), MSG_NOSIGNAL) < 0) {
			break;
		}
	}
	undo_all(&state, NULL);
}

/* Nothing of the engine's may live on in this process but the socket: no terminal, no pipe that somebody reads to its end, no
 * lock. */
static void
child(int fd)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};
	for (unsigned i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		signal(ignored[i], SIG_IGN);
	}
	setsid();
	prctl(PR_SET_NAME, "pe-keeper");
	if (chdir("/") < 0) {
		_exit(1);
	}
	int moved = fcntl(fd, F_DUPFD, 3);
	int null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++) {
		dup2(null, i);
	}
	dup2(moved, 3);
	close_range(4, ~0u, 0);
	serve(3);
	_exit(0);
}

/* ---- the engine's side ------------------------------------------------------------------------------------------ */

enum err_code
keeper_start(struct keeper **keeper, struct err *err)
{
	int pair[2];
	struct keeper *k = calloc(1, sizeof(*k));
	if (k == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(k);
		return err_set(err, ERR_FAILED, "cannot start the keeper: %s", strerror(errno));
	}
	k->pid = fork();
	if (k->pid < 0) {
		enum err_code code = err_set(err, ERR_FAILED, "cannot start the keeper: %s", strerror(errno));
		close(pair[0]);
		close(pair[1]);
		free(k);
		return code;
	}
	if (k->pid == 0) {
		child(pair[1]);
	}
	close(pair[1]);
	k->fd = pair[0];
	*keeper = k;
	return ERR_NONE;
}

static struct message
message(enum request request, const char *ifname)
{
	struct message msg = {.request = request};
	snprintf(msg.ifname, sizeof(msg.ifname), "%s", ifname);
	return msg;
}

static struct reply
ask(struct keeper *keeper, const struct message *msg)
{
	struct reply reply = {.error = EPIPE};
	ssize_t n;
	if (send(keeper->fd, msg, sizeof(*msg), MSG_NOSIGNAL) < 0) {
		return reply;
	}
	do {
		n = recv(keeper->fd, &reply, sizeof(reply), 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(reply) ? reply : (struct reply){.error = EPIPE};
}

enum err_code
keeper_claim(struct keeper *keeper, const char *ifname, struct err *err)
{
	struct message msg = message(REQUEST_CLAIM, ifname);
	struct reply reply = ask(keeper, &msg);
	for (int i = 0; i < CLAIM_TRIES && reply.error == EADDRINUSE; i++) {
		nanosleep(&(struct timespec){.tv_nsec = CLAIM_PAUSE_NS}, NULL);
		reply = ask(keeper, &msg);
	}
	if (reply.error == EADDRINUSE) {
		msg.request = REQUEST_CLAIMANT;
		reply = ask(keeper, &msg);
		err_set(err, ERR_EXISTS, "%s is in use by another engine", ifname);
		return reply.pid > 0 ? err_hint(err, "its keeper is process %d; `pe stop` that engine, or use another interface",
					       (int)reply.pid)
				     : err_hint(err, "`pe stop` that engine, or use another interface");
	}
	if (reply.error == EEXIST) {
		return err_set(err, ERR_EXISTS, "%s is in use by another port", ifname);
	}
	if (reply.error != 0) {
		return err_set(err, ERR_FAILED, "cannot claim %s: %s", ifname,
			reply.error == EPIPE ? "the keeper is gone" : strerror(reply.error));
	}
	return ERR_NONE;
}

static void
tell(struct keeper *keeper, enum request request, const char *ifname, enum keeper_what what, const char *value)
{
	struct message msg = message(request, ifname);
	msg.what = what;
	snprintf(msg.value, sizeof(msg.value), "%s", value);
	send(keeper->fd, &msg, sizeof(msg), MSG_NOSIGNAL);
}

void
keeper_note(struct keeper *keeper, const char *ifname, enum keeper_what what, const char *value)
{
	tell(keeper, REQUEST_NOTE, ifname, what, value);
}

void
keeper_forget(struct keeper *keeper, const char *ifname, enum keeper_what what, const char *value)
{
	tell(keeper, REQUEST_FORGET, ifname, what, value);
}

void
keeper_undo(struct keeper *keeper, const char *ifname)
{
	struct message msg = message(REQUEST_UNDO, ifname);
	ask(keeper, &msg);
}

void
keeper_stop(struct keeper *keeper)
{
	if (keeper == NULL) {
		return;
	}
	close(keeper->fd);
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR) {
	}
	free(keeper);
}
