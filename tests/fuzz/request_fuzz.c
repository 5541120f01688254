/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests on the control socket of a real engine: two data cores, three ports that never receive anything, in namespaces of its
 * own that vanish with it. To be run as root.
 *
 * The first byte says how the rest comes: its low 6 bits are the bytes sent at a time (0: all), 0x80 a client who may change
 * nothing. Each line must be answered by one line of JSON, a result or an error that says something.
 *
 * A real apply would open any device and could write any file. So one waits for its confirmation all the time, and it cannot be
 * given: it is to be saved, and the engine has no file. What parses and compares is reached by dry runs.
 *
 * links: cmd/pe/apply.c cmd/pe/client.c cmd/pe/control.c cmd/pe/core_ops.c cmd/pe/eal.c cmd/pe/engine.c cmd/pe/event.c
 * cmd/pe/exchange.c cmd/pe/fdb_ops.c cmd/pe/fib.c cmd/pe/fib_copy.c cmd/pe/fib_hop.c cmd/pe/forward.c cmd/pe/health.c
 * cmd/pe/hold.c cmd/pe/keeper.c cmd/pe/l3.c cmd/pe/l3_error.c cmd/pe/l3_group.c cmd/pe/l3_local.c cmd/pe/l3_route.c
 * cmd/pe/l3_send.c cmd/pe/lane.c cmd/pe/link.c cmd/pe/load.c cmd/pe/nbr_ops.c cmd/pe/neighbor.c cmd/pe/neighbor_io.c
 * cmd/pe/offload.c cmd/pe/ops.c cmd/pe/owns.c cmd/pe/port.c cmd/pe/port_eth.c cmd/pe/port_xdp.c cmd/pe/port_pci.c
 * cmd/pe/pci.c cmd/pe/igbvf.c cmd/pe/filters.c cmd/pe/device.c cmd/pe/port_if.c cmd/pe/publish.c
 * cmd/pe/route_ops.c cmd/pe/save.c cmd/pe/start.c cmd/pe/steer.c cmd/pe/takeover.c cmd/pe/transmit.c cmd/pe/worker.c
 * cmd/pe/xdp.c cmd/pe/xdp_rings.c -lpekit -ldpdk -lsystemd -ljansson -lm
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "io/ctl.h"

#define SHM "/dev/shm"
#define NOBODY 65534
#define UNPRIVILEGED 0x80
#define PIECE_MASK 0x3f
#define ANSWERS_ROOM (1u << 20)

int
LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What DPDK's own memory refers to is not found by the search for leaks. */
void
__lsan_disable(void) __attribute__((weak));
void
__lsan_enable(void) __attribute__((weak));

static const char config[] =
	"{\"appliance\": \"fuzz\", \"cores\": {\"data\": 2}, \"memory\": {\"mbufs\": 6000, \"hugepages\": \"off\"}, \"tables\": {\"fdb\": 256},"
	" \"ports\": {\"p1\": {\"device\": \"vdev:net_null0,no-rx=1\"}, \"p2\": {\"device\": \"vdev:net_null1,no-rx=1\"},"
	" \"p3\": {\"device\": \"vdev:net_null2,no-rx=1\"}},"
	" \"bridges\": {\"br0\": {\"ports\": {\"p1\": {\"untagged\": 10}, \"p2\": {\"tagged\": [10, 20]}}},"
	" \"br1\": {\"ports\": {\"p3\": {\"untagged\": 10}}}},"
	" \"neighbors\": {\"retrans_ms\": 100, \"solicitations\": 1},"
	" \"interfaces\": {\"v10\": {\"bridge\": \"br0\", \"vlan\": 10, \"addresses\": [\"10.0.10.1/24\", \"2001:db8::1/64\"]}}}";

static int report = STDERR_FILENO;
static struct engine engine;
static struct control control;
static struct seg_tables tables;

/* ---- the engine ------------------------------------------------------------------------------------------------- */

static void
need(bool good, const char *what)
{
	if (!good) {
		dprintf(report, "request_fuzz: %s (%s)\n", what, strerror(errno));
		abort();
	}
}

/* Shared memory, socket and interfaces that nobody else sees. */
static void
hide(void)
{
	need(unshare(CLONE_NEWNS | CLONE_NEWNET) == 0, "namespaces: to be run as root");
	need(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "a mount namespace");
	need(mount("none", SHM, "tmpfs", 0, NULL) == 0, "a file system of its own");
	setenv("PEKIT_RUN", SHM "/run", 1);
}

static void
start(void)
{
	struct err err = {0};
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	need(conf_parse(config, sizeof(config) - 1, &engine.conf, &err) == ERR_NONE, err.message);
	engine.ncores = engine.conf.cores;
	control = (struct control){.engine = &engine,
		.tables = &tables,
		.started_ns = engine_now_ns(),
		.epoll = -1,
		.tick = -1,
		.signals = -1,
		.link = -1};
	control_start(&control, &err);
	need(err.code == ERR_NONE, err.message);
	control_set_state(&engine, SEG_READY);
	need(ctl_path("fuzz", ".sock", path, sizeof(path)) && chmod(path, 0666) == 0, "a socket for everybody");
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char quiet[] = "-close_fd_mask=2"; /* the engine's log; the fuzzer keeps a copy of stderr */
	char **args = calloc((size_t)*argc + 2, sizeof(*args));
	sigset_t all, before;
	if (__lsan_disable) {
		__lsan_disable();
	}
	report = dup(STDERR_FILENO);
	hide();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* the fuzzer's signals are for this thread */
	start();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (__lsan_enable) {
		__lsan_enable();
	}
	need(args != NULL, "no memory");
	memcpy(args, *argv, (size_t)*argc * sizeof(*args));
	args[(*argc)++] = quiet;
	*argv = args;
	return 0;
}

static uint64_t
statics(void)
{
	return seg_get(&seg_core(&engine.seg, 1)->fdb.statics) + seg_get(&seg_core(&engine.seg, 2)->fdb.statics);
}

/* As it was before the first request. */
static void
restore(void)
{
	static const char flush[] = "{\"op\": \"fdb.flush\", \"args\": {\"type\": \"all\"}}";
	const struct peer root = {.may_change = true};
	control.stopping = false;
	log_set_level(LOG_LEVEL_NOTICE);
	if (statics()) {
		json_decref(ops_run(&control, &root, flush, sizeof(flush) - 1));
		need(statics() == 0, "entries survive a flush of all");
	}
	if (!control.confirm.text) {
		control.confirm = (struct confirm){.text = strdup(engine.conf.text), .deadline_ns = UINT64_MAX, .save = true};
	}
}

/* ---- the client ------------------------------------------------------------------------------------------------- */

struct talk {
	int fd;
	bool ended;
	size_t size;
	char text[ANSWERS_ROOM];
};

static int
dial(bool privileged)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	ctl_path("fuzz", ".sock", address.sun_path, sizeof(address.sun_path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* of this thread alone, which is what connect() shows to the other side */
	need(privileged || syscall(SYS_setresuid, -1, NOBODY, -1) == 0, "setresuid");
	need(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	need(privileged || syscall(SYS_setresuid, -1, 0, -1) == 0, "setresuid");
	return fd;
}

/* One turn of the engine, and what it has to say. */
static void
turn(struct talk *talk)
{
	ssize_t n = 1;
	control_step(&control);
	while (n > 0) {
		n = recv(talk->fd, talk->text + talk->size, sizeof(talk->text) - talk->size, 0);
		need(n >= 0 || errno == EAGAIN, "the connection broke");
		talk->ended = n == 0;
		talk->size += n > 0 ? (size_t)n : 0;
		need(talk->size < sizeof(talk->text), "answers without an end");
	}
}

static void
say(struct talk *talk, const uint8_t *data, size_t size, size_t piece)
{
	while (size) {
		ssize_t n = send(talk->fd, data, size < piece ? size : piece, MSG_NOSIGNAL);
		need(n > 0 || errno == EAGAIN, "the connection was closed early");
		data += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
		turn(talk);
		need(!talk->ended, "the connection was ended early");
	}
	shutdown(talk->fd, SHUT_WR);
	while (!talk->ended) {
		turn(talk);
	}
}

/* ---- the judge -------------------------------------------------------------------------------------------------- */

static void
judge_answer(const char *line, size_t size)
{
	json_error_t jerr;
	json_t *answer = json_loadb(line, size, JSON_REJECT_DUPLICATES, &jerr);
	need(answer && json_object_size(answer) == 1, "an answer is no object of one key");
	if (!json_is_object(json_object_get(answer, "result"))) {
		int code = 0;
		const char *name = "", *message = "", *hint = "";
		need(json_unpack_ex(answer, &jerr, JSON_STRICT, "{s:{s:i, s:s, s:s, s:s}}", "error", "code", &code, "name", &name,
			     "message", &message, "hint", &hint) == 0,
			"an error of another shape");
		need(code != ERR_NONE && name[0] && message[0], "an error that says nothing");
		need(code != ERR_TIMEOUT && code != ERR_PARTLY, "the cores do not follow");
	}
	json_decref(answer);
}

static size_t
lines_of(const uint8_t *data, size_t size)
{
	size_t lines = size && data[size - 1] != '\n';
	for (size_t i = 0; i < size; i++) {
		lines += data[i] == '\n';
	}
	return lines;
}

static void
judge(const struct talk *talk, const uint8_t *data, size_t size)
{
	size_t answers = 0;
	for (const char *at = talk->text, *end; at < talk->text + talk->size; at = end + 1) {
		end = memchr(at, '\n', (size_t)(talk->text + talk->size - at));
		need(end != NULL, "the last answer is not whole");
		judge_answer(at, (size_t)(end - at));
		answers++;
	}
	need(answers == lines_of(data, size), "as many answers as requests");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk talk;
	if (size == 0) {
		return 0;
	}
	bool privileged = !(data[0] & UNPRIVILEGED);
	size_t piece = data[0] & PIECE_MASK ? data[0] & PIECE_MASK : SIZE_MAX;
	uint64_t generation = control.config_generation;
	restore();
	talk.ended = false;
	talk.size = 0;
	talk.fd = dial(privileged);
	say(&talk, data + 1, size - 1, piece);
	close(talk.fd);
	judge(&talk, data + 1, size - 1);
	need(control.config_generation == generation && control.confirm.text, "a configuration was applied");
	need(privileged || (!control.stopping && !statics() && log_get_level() == LOG_LEVEL_NOTICE),
		"changed by one who may not");
	return 0;
}
