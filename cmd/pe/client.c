/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket: who connects, lines in, lines out.
 *
 * Nobody is trusted to be quick, short or sensible: every buffer has a bound, every connection a deadline, and one event does a
 * bounded amount of work.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "io/ctl.h"

#define CLIENTS 64
#define REQUEST_MAX (8u << 20)
#define REQUESTS_TOTAL_MAX (32u << 20)
#define PIECE 65536u         /* bytes read at a time; also what an idle client's buffer may keep */
#define LINES_PER_EVENT 16   /* that many requests of one client at a time, */
#define EVENT_NS 50000000ull /* and none more when they have taken so long */
#define PATIENCE_NS 30000000000ull
#define GROUPS_MAX 256

struct client {
	struct server *server;
	int fd; /* -1: free */
	struct peer peer;
	char *in, *out;
	size_t in_size, in_room, in_seen; /* in_seen: bytes known to hold no newline */
	size_t out_size, out_sent;
	uint64_t since_ns;
	uint64_t ticket; /* of an answer that is due later; until then nothing more is read. 0: none */
	bool discarding; /* the rest of a line that was too long */
	bool ended;      /* the other side says no more */
};

struct server {
	struct control *control;
	int listener;
	ino_t inode; /* of the socket's name */
	gid_t group;
	bool has_group;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	size_t buffered; /* bytes of room for requests, over all clients */
	unsigned nclients;
	uint64_t tickets; /* given so far */
	bool paused;      /* no descriptor was left for the next client: until the next tick nobody is let in */
	struct client client[CLIENTS];
};

/* ---- the socket's name ------------------------------------------------------------------------------------------ */

static enum err_code
fail(const char *path, const char *what, struct err *err)
{
	return err_set(err, errno == EACCES || errno == EPERM || errno == EROFS ? ERR_REFUSED : ERR_FAILED, "%s: %s: %s", path,
		what, strerror(errno));
}

static enum err_code
make_directory(const char *path, struct err *err)
{
	char directory[sizeof(((struct server *)0)->path)];
	snprintf(directory, sizeof(directory), "%s", path);
	char *slash = strrchr(directory, '/');
	if (slash) {
		*slash = '\0';
	}
	if (!slash || slash == directory) {
		return ERR_NONE;
	}
	if (mkdir(directory, 0755) == 0) {
		return chmod(directory, 0755) == 0 ? ERR_NONE
						   : fail(directory, "cannot be opened to all", err); /* whatever the umask */
	}
	return errno == EEXIST ? ERR_NONE : fail(directory, "cannot be made", err);
}

/* Does anybody answer there? A dead engine's socket refuses. */
static bool
somebody_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answered = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);
	if (fd >= 0) {
		close(fd);
	}
	return answered;
}

static void
give_to_group(struct server *server, const char *path)
{
	const struct group *group = getgrnam("pekit");
	if (group && chown(path, (uid_t)-1, group->gr_gid) == 0) {
		server->has_group = true;
		server->group = group->gr_gid;
	}
}

/* Bound under another name, and renamed when it listens: who finds the name finds an engine that answers, or a dead one's. */
static enum err_code
bind_socket(struct server *server, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, server->path, sizeof(address.sun_path));
	if (somebody_listens(&address)) {
		return err_set(err, ERR_EXISTS, "%s: another engine listens there", server->path);
	}
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%.*s.%d", (int)sizeof(address.sun_path) - 12,
		server->path, (int)getpid());
	(void)length; /* fits: server_open() left room */
	unlink(address.sun_path);
	mode_t mask = umask(0117);
	int bound = bind(server->listener, (const struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (bound < 0) {
		return fail(server->path, "cannot be bound", err);
	}
	struct stat st;
	give_to_group(server, address.sun_path);
	if (listen(server->listener, CLIENTS) < 0 || stat(address.sun_path, &st) < 0 ||
		rename(address.sun_path, server->path) < 0) {
		fail(server->path, "cannot listen", err);
		unlink(address.sun_path);
		return err->code;
	}
	server->inode = st.st_ino;
	return ERR_NONE;
}

enum err_code
server_open(struct control *control, struct err *err)
{
	struct server *server = calloc(1, sizeof(*server));
	if (!server) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	control->server = server;
	server->control = control;
	server->listener = -1;
	for (unsigned i = 0; i < CLIENTS; i++) {
		server->client[i] = (struct client){.server = server, .fd = -1};
	}
	if (!ctl_path(control->engine->conf.appliance, ".sock", server->path, sizeof(server->path) - 12)) {
		return err_set(err, ERR_USAGE, "PEKIT_RUN: the path is too long for a socket");
	}
	enum err_code code = make_directory(server->path, err);
	if (code != ERR_NONE) {
		return code;
	}
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listener < 0) {
		return fail(server->path, "no socket", err);
	}
	code = bind_socket(server, err);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = server};
	if (code == ERR_NONE && epoll_ctl(control->epoll, EPOLL_CTL_ADD, server->listener, &event) < 0) {
		code = fail(server->path, "epoll", err);
	}
	return code;
}

void
server_close_listener(struct server *server)
{
	struct stat st;
	if (server->inode && stat(server->path, &st) == 0 && st.st_ino == server->inode) {
		unlink(server->path);
	}
	server->inode = 0;
	if (server->listener >= 0) {
		close(server->listener);
	}
	server->listener = -1;
}

/* ---- clients ---------------------------------------------------------------------------------------------------- */

static void
set_room(struct client *client, size_t room)
{
	client->server->buffered += room;
	client->server->buffered -= client->in_room;
	client->in_room = room;
}

static void
client_close(struct client *client)
{
	set_room(client, 0);
	free(client->in);
	free(client->out);
	close(client->fd);
	client->server->nclients--;
	*client = (struct client){.server = client->server, .fd = -1};
}

static bool
in_group(int fd, const struct server *server, gid_t own)
{
	gid_t groups[GROUPS_MAX];
	socklen_t size = sizeof(groups);
	if (!server->has_group) {
		return false;
	}
	if (own == server->group) {
		return true;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
		return false;
	}
	for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
		if (groups[i] == server->group) {
			return true;
		}
	}
	return false;
}

static struct peer
peer_of(int fd, const struct server *server)
{
	struct ucred cred = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0) {
		return (struct peer){.uid = (uid_t)-1};
	}
	return (struct peer){.uid = cred.uid,
		.pid = cred.pid,
		.may_change = cred.uid == 0 || cred.uid == geteuid() || in_group(fd, server, cred.gid)};
}

static void
turn_away(int fd)
{
	static const char text[] =
		"{\"error\": {\"code\": 5, \"name\": \"refused\", \"message\": \"64 connections are open already\", \"hint\": \"\"}}\n";
	ssize_t n = send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)n; /* whoever does not take it sees the end of the connection */
	close(fd);
}

/* A listener whose next client cannot be taken would stay ready, and the loop would spin. */
static void
pause_listener(struct server *server, bool paused)
{
	struct epoll_event event = {.events = paused ? 0 : EPOLLIN, .data.ptr = server};
	server->paused = paused;
	epoll_ctl(server->control->epoll, EPOLL_CTL_MOD, server->listener, &event);
}

static void
accept_client(struct server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			pause_listener(server, true);
		}
		return;
	}
	struct client *client = NULL;
	for (unsigned i = 0; i < CLIENTS && !client; i++) {
		client = server->client[i].fd < 0 ? &server->client[i] : NULL;
	}
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	if (!client || epoll_ctl(server->control->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		turn_away(fd);
		return;
	}
	client->fd = fd;
	client->peer = peer_of(fd, server);
	client->since_ns = engine_now_ns();
	server->nclients++;
}

/* ---- out -------------------------------------------------------------------------------------------------------- */

/* While an answer waits to be taken, or lines wait for their turn, nothing more is read. */
static void
want(struct client *client, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = client};
	epoll_ctl(client->server->control->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* False: the client is gone. */
static bool
send_out(struct client *client)
{
	while (client->out_sent < client->out_size) {
		ssize_t n = send(client->fd, client->out + client->out_sent, client->out_size - client->out_sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return errno == EAGAIN;
		}
		client->out_sent += (size_t)n;
	}
	if (client->out) {
		client->since_ns = engine_now_ns();
	}
	free(client->out);
	client->out = NULL;
	client->out_size = client->out_sent = 0;
	return true;
}

/* Takes over the answer. */
static bool
answer(struct client *client, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	json_decref(answer);
	if (!text) {
		return false;
	}
	size_t size = strlen(text);
	char *line = realloc(text, size + 2);
	if (!line) {
		free(text);
		return false;
	}
	line[size] = '\n';
	client->out = line;
	client->out_size = size + 1;
	client->out_sent = 0;
	return send_out(client);
}

static bool
answer_error(struct client *client, enum err_code code, const char *message)
{
	struct err err;
	err_set(&err, code, "%s", message);
	return answer(client, ops_error(&err));
}

/* ---- in --------------------------------------------------------------------------------------------------------- */

/* Forgets the first n bytes of what came in. */
static void
consume(struct client *client, size_t n)
{
	memmove(client->in, client->in + n, client->in_size - n);
	client->in_size -= n;
	client->in_seen = 0;
	if (client->in_size == 0 && client->in_room > PIECE) {
		free(client->in);
		client->in = NULL;
		set_room(client, 0);
	}
}

static bool
too_long(struct client *client, const char *message)
{
	client->discarding = true;
	consume(client, client->in_size);
	return answer_error(client, ERR_USAGE, message);
}

/* Makes room for a piece more; false: the client is gone. Where there is none, the line is given up. */
static bool
make_room(struct client *client)
{
	if (client->in_size > REQUEST_MAX) {
		return too_long(client, "the request is longer than 8 MiB") && make_room(client);
	}
	if (client->in_room - client->in_size >= PIECE) {
		return true;
	}
	size_t room = client->in_room ? client->in_room * 2 : 2 * (size_t)PIECE;
	room = room < REQUEST_MAX + 2 * PIECE ? room : REQUEST_MAX + 2 * PIECE;
	/* The first room is for everybody: only who wants more has to share. */
	if (client->in_room && client->server->buffered + room - client->in_room > REQUESTS_TOTAL_MAX) {
		return too_long(client, "too many long requests at a time: try again later") && make_room(client);
	}
	char *more = realloc(client->in, room);
	if (!more) {
		return false;
	}
	client->in = more;
	set_room(client, room);
	return true;
}

/* One request, if a whole line is there. True in *took when there was one; false: the client is gone. */
static bool
take_line(struct client *client, bool *took)
{
	char *end = client->in_size > client->in_seen
			    ? memchr(client->in + client->in_seen, '\n', client->in_size - client->in_seen)
			    : NULL;
	*took = end != NULL;
	if (!end && client->ended && client->in_size && !client->discarding) {
		end = client->in + client->in_size; /* the last line may lack its newline */
		*took = true;
	}
	if (!end) {
		client->in_seen = client->in_size;
		if (client->discarding && client->in_size) {
			consume(client, client->in_size);
		}
		return true;
	}
	size_t size = (size_t)(end - client->in), whole = size < client->in_size ? size + 1 : size;
	bool there = true;
	if (client->discarding) {
		client->discarding = false;
	} else if (size > REQUEST_MAX) {
		there = answer_error(client, ERR_USAGE, "the request is longer than 8 MiB");
	} else {
		json_t *reply = ops_run(client->server->control, &client->peer, client->in, size);
		there = client->ticket || answer(client, reply);
	}
	if (there) {
		consume(client, whole);
	}
	return there;
}

static bool
read_piece(struct client *client)
{
	if (!make_room(client)) {
		return false;
	}
	ssize_t n = recv(client->fd, client->in + client->in_size, PIECE, 0);
	if (n < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	client->ended = n == 0;
	if (n > 0 && client->in_size == 0 && !client->discarding) {
		client->since_ns = engine_now_ns();
	}
	client->in_size += (size_t)n;
	return true;
}

/* False: the client is to be closed. */
static bool
serve(struct client *client, uint32_t events)
{
	if (client->out && !send_out(client)) {
		return false;
	}
	if (client->ticket && (events & (EPOLLHUP | EPOLLERR))) {
		return false;
	}
	if (!client->out && !client->ticket && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !client->ended &&
		!read_piece(client)) {
		return false;
	}
	bool took = true;
	uint64_t until_ns = engine_now_ns() + EVENT_NS;
	for (int lines = 0;
		took && !client->out && !client->ticket && client->in && lines < LINES_PER_EVENT && engine_now_ns() < until_ns;
		lines++) {
		if (!take_line(client, &took)) {
			return false;
		}
	}
	if (!client->out && !client->ticket && client->ended && (!took || client->in_size == 0)) {
		return false;
	}
	/* A socket that has room is writable at once: so lines that are left get another turn. */
	want(client, client->ticket ? 0 : client->out || (took && client->in_size) ? EPOLLOUT : EPOLLIN);
	return true;
}

/* peer: of one of the clients, as ops_run() got it. */
uint64_t
server_defer(struct server *server, const struct peer *peer)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (peer == &server->client[i].peer) {
			server->control->deferred = true;
			server->client[i].ticket = ++server->tickets;
			return server->tickets;
		}
	}
	return 0;
}

void
server_answer(struct server *server, uint64_t ticket, json_t *reply)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *client = &server->client[i];
		if (client->fd < 0 || client->ticket != ticket) {
			continue;
		}
		client->ticket = 0;
		if (answer(client, reply)) {
			want(client, EPOLLOUT); /* lines that wait get their turn */
		} else {
			client_close(client);
		}
		return;
	}
	json_decref(reply); /* whoever asked is gone */
}

void
server_event(struct server *server, void *data, uint32_t events)
{
	if (data == server) {
		accept_client(server);
		return;
	}
	struct client *client = data;
	if (client->fd >= 0 && !serve(client, events)) {
		client_close(client);
	}
}

void
server_tick(struct server *server, uint64_t now_ns)
{
	if (server->paused) {
		pause_listener(server, false);
	}
	for (unsigned i = 0; i < CLIENTS && server->nclients; i++) {
		struct client *client = &server->client[i];
		if (client->fd >= 0 && now_ns - client->since_ns > PATIENCE_NS && now_ns > client->since_ns) {
			client_close(client);
		}
	}
}

void
server_close(struct server *server)
{
	if (!server) {
		return;
	}
	server_close_listener(server);
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (server->client[i].fd >= 0) {
			client_close(&server->client[i]);
		}
	}
	free(server);
}
