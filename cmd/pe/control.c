/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control core's loop: descriptors, signals, and what is done every tick. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "fib.h"
#include "filters.h"
#include "nbr_ops.h"
#include "owns.h"

#define MAX_EVENTS 32

void
control_beat(struct engine *engine)
{
	uint64_t now_ns = engine_now_ns();
	struct seg_core *mine = seg_core(&engine->seg, 0);
	struct seg_header *head = (struct seg_header *)(void *)engine->seg.base;
	struct timespec cpu;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	seg_put(&mine->cpu_ns, (uint64_t)cpu.tv_sec * 1000000000ull + (uint64_t)cpu.tv_nsec);
	seg_put(&mine->heartbeat_ns, now_ns);
	seg_put(&head->heartbeat_ns, now_ns);
	if (engine->watchdog_ns && now_ns - engine->watchdog_sent_ns >= engine->watchdog_ns / 2) {
		engine->watchdog_sent_ns = now_ns;
		sd_notify(0, "WATCHDOG=1");
	}
}

static enum err_code
add(struct control *control, int fd, int *source, struct err *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
	*source = fd;
	if (fd < 0 || epoll_ctl(control->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		return err_set(err, ERR_FAILED, "control core: %s", strerror(errno));
	}
	return ERR_NONE;
}

static int
tick_open(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	const struct timespec period = {.tv_nsec = CONTROL_TICK_MS * 1000000l};
	if (fd >= 0) {
		timerfd_settime(fd, 0, &(struct itimerspec){.it_interval = period, .it_value = period}, NULL);
	}
	return fd;
}

enum err_code
control_open(struct control *control, struct err *err)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	control->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (control->epoll < 0) {
		return err_set(err, ERR_FAILED, "control core: %s", strerror(errno));
	}
	enum err_code code = add(control, signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC), &control->signals, err);
	code = code != ERR_NONE ? code : add(control, tick_open(), &control->tick, err);
	if (code != ERR_NONE) {
		return code;
	}
	int link = link_monitor_open(err);
	if (link < 0) {
		return err->code;
	}
	code = add(control, link, &control->link, err);
	code = code != ERR_NONE ? code : add(control, control->engine->call_fd, &control->engine->call_fd, err);
	return code != ERR_NONE ? code : server_open(control, err);
}

static void
tick(struct control *control)
{
	struct engine *engine = control->engine;
	struct seg_control *words = seg_control(&engine->seg);
	uint64_t expired, now_ns = engine_now_ns();
	ssize_t n = read(control->tick, &expired, sizeof(expired));
	(void)n; /* however many ticks were missed: what follows goes by the clock */
	control_beat(engine);
	health_ports(control);
	health_cores(control, now_ns);
	if (grace_step(&engine->grace)) {
		seg_put_release(&words->grace, seg_get(&words->grace) + 1);
	}
	owns_tick(control, now_ns);
	filters_tick(control, now_ns);
	fib_tick(engine);
	nbr_ops_tick(control, now_ns);
	apply_tick(control, now_ns);
	server_tick(control->server, now_ns);
}

/* What cannot wait until the control core has waited for something else. */
static void
watch(void *arg)
{
	health_cores(arg, engine_now_ns());
}

static void
take_signal(struct control *control)
{
	struct signalfd_siginfo info;
	while (read(control->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (!control->stopping) {
			engine_event(
				control->engine, LOG_LEVEL_NOTICE, "stop by signal %u from pid %u", info.ssi_signo, info.ssi_pid);
		}
		control->stopping = true;
	}
}

static void
dispatch(struct control *control, const struct epoll_event *event)
{
	void *source = event->data.ptr;
	if (source == &control->tick) {
		tick(control);
	} else if (source == &control->signals) {
		take_signal(control);
	} else if (source == &control->link) {
		link_monitor_read(control->link);
		health_ports(control);
		owns_links(control);
	} else if (source == &control->engine->call_fd) {
		owns_notices(control);
		nbr_ops_tick(control, engine_now_ns());
	} else {
		server_event(control->server, source, event->events);
	}
}

void
control_step(struct control *control)
{
	struct seg_core *mine = seg_core(&control->engine->seg, 0);
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(control->epoll, events, MAX_EVENTS, CONTROL_TICK_MS);
	for (int i = 0; i < n; i++) {
		dispatch(control, &events[i]);
	}
	seg_put(&mine->loops, mine->loops + 1);
}

void
control_loop(struct control *control)
{
	control->engine->watch_arg = control;
	control->engine->watch = watch;
	while (!control->stopping) {
		control_step(control);
	}
	control->engine->watch = NULL;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = -1;
}

void
control_close(struct control *control)
{
	nbr_ops_close(control);
	server_close(control->server);
	control->server = NULL;
	close_fd(&control->link);
	close_fd(&control->tick);
	close_fd(&control->signals);
	close_fd(&control->epoll);
}
