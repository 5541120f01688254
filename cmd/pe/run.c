/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an appliance file to a running engine, and back to nothing. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "control.h"
#include "load.h"

/* ---- the engine ------------------------------------------------------------------------------------------------- */

static void
set_signals(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL); /* every thread inherits it; control.c reads them */
	signal(SIGPIPE, SIG_IGN);
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* Tells whoever waits: the parent of a detached engine, systemd. */
static void
tell_ready(struct control *control, int result_fd)
{
	struct engine *engine = control->engine;
	uint64_t usec;
	control_set_state(engine, SEG_READY);
	engine_event(engine, LOG_LEVEL_NOTICE, "ready: %u data core%s, %zu port%s, %zu bridge%s%s", engine->ncores,
		plural(engine->ncores), engine->conf.nports, plural(engine->conf.nports), engine->conf.nbridges,
		plural(engine->conf.nbridges), control->hugepages ? ", huge pages" : "");
	if (sd_watchdog_enabled(0, &usec) > 0) {
		engine->watchdog_ns = usec * 1000;
	}
	sd_notify(0, "READY=1");
	if (result_fd >= 0) {
		const struct err none = {0};
		ssize_t n = write(result_fd, &none, sizeof(none));
		(void)n; /* a parent that is gone wants no answer */
		close(result_fd);
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0) {
			dup2(null, STDERR_FILENO);
			close(null);
		}
		log_to_syslog();
	}
}

/* Takes over conf. result_fd: of a detached engine, else -1. */
static enum err_code
run_engine(struct conf *conf, const struct pe_run_args *args, int result_fd, struct err *err)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	struct control *control = calloc(1, sizeof(*control));
	struct seg_tables *tables = calloc(1, sizeof(*tables));
	enum err_code code = ERR_NONE;
	char tag[SEG_NAME_SIZE + 8];
	snprintf(tag, sizeof(tag), "pe[%s]", conf->appliance);
	log_start(tag);
	set_signals();
	if (!engine || !control || !tables) {
		conf_free(conf);
		code = err_set(err, ERR_FAILED, "no memory");
	} else {
		engine->conf = *conf;
		engine->ncores = conf->cores;
		engine->allow_inject = args->allow_inject;
		engine->save_path = strcmp(args->config, "-") == 0 ? NULL : realpath(args->config, NULL);
		*control = (struct control){.engine = engine,
			.tables = tables,
			.started_ns = engine_now_ns(),
			.epoll = -1,
			.tick = -1,
			.signals = -1,
			.link = -1};
		code = control_start(control, err);
		bool started = code == ERR_NONE;
		if (started) {
			tell_ready(control, result_fd);
			control_loop(control);
			sd_notify(0, "STOPPING=1");
		}
		control_stop(control, started);
		free(engine->save_path);
	}
	free(tables);
	free(control);
	free(engine);
	return code;
}

/* ---- detached --------------------------------------------------------------------------------------------------- */

/* What the engine says until it is ready goes where the parent's words go. True: there may be more. */
static bool
relay(int fd)
{
	char text[1024];
	ssize_t n = read(fd, text, sizeof(text));
	if (n > 0) {
		ssize_t written = write(STDERR_FILENO, text, (size_t)n);
		(void)written;
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

static enum err_code
wait_ready(int result_fd, int text_fd, struct err *err)
{
	struct pollfd fds[2] = {{.fd = result_fd, .events = POLLIN}, {.fd = text_fd, .events = POLLIN}};
	struct err result;
	ssize_t n = -1;
	while (n < 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			break;
		}
		if (fds[1].revents && !relay(text_fd)) {
			fds[1].fd = -1;
		} else if (fds[0].revents && !(fds[1].revents & POLLIN)) {
			n = read(result_fd, &result, sizeof(result)); /* written at once, shorter than PIPE_BUF */
		}
	}
	if (n != (ssize_t)sizeof(result)) {
		return err_set(err, ERR_FAILED, "the engine died while it started");
	}
	*err = result;
	return result.code;
}

/* The engine's process: nothing of the terminal, no descriptors but stdio and the way to the parent. */
static void __attribute__((noreturn)) be_engine(struct conf *conf, const struct pe_run_args *args, int result_fd, int text_fd)
{
	struct err err = {0};
	int null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(text_fd, STDERR_FILENO);
	int result = fcntl(result_fd, F_DUPFD_CLOEXEC, 3);
	for (int fd = 3; fd < result; fd++) {
		close(fd);
	}
	close_range((unsigned)result + 1, ~0u, 0);
	enum err_code code = run_engine(conf, args, result, &err);
	if (code != ERR_NONE) {
		ssize_t n = write(result, &err, sizeof(err));
		(void)n;
	}
	exit((int)code);
}

static enum err_code
run_detached(struct conf *conf, const struct pe_run_args *args, struct err *err)
{
	int result[2], text[2];
	if (pipe2(result, O_CLOEXEC) < 0 || pipe2(text, O_CLOEXEC) < 0) {
		return err_set(err, ERR_FAILED, "pipe: %s", strerror(errno));
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		pid_t engine = fork(); /* not a session leader: it can get no terminal again */
		if (engine == 0) {
			be_engine(conf, args, result[1], text[1]);
		}
		_exit(engine < 0);
	}
	close(result[1]);
	close(text[1]);
	conf_free(conf);
	enum err_code code = ERR_NONE;
	if (pid < 0 || waitpid(pid, NULL, 0) < 0) {
		code = err_set(err, ERR_FAILED, "fork: %s", strerror(errno));
	} else {
		code = wait_ready(result[0], text[0], err);
	}
	close(result[0]);
	close(text[0]);
	return code;
}

enum err_code
pe_run(const struct pe_run_args *args, struct err *err)
{
	struct conf conf;
	enum err_code code = load_conf(args->config, args->appliance, &conf, err);
	if (code != ERR_NONE) {
		return code;
	}
	return args->detach ? run_detached(&conf, args, err) : run_engine(&conf, args, -1, err);
}
