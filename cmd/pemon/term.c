/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "term.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[2J" /* alternate screen, no cursor, clear */
#define LEAVE "\033[0m\033[?25h\033[?1049l"

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

static volatile sig_atomic_t entered, ended_by, resized, stop_asked, continued;
static struct termios before;
static struct sigaction bus_before; /* seg_catch_sigbus() */
static sigset_t mask_before;
static struct {
	char bytes[64];
	size_t n;
} typed;

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool
term_write(const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, size);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		bytes += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* Only what a signal handler may do. */
static void
give_back(void)
{
	if (entered) {
		entered = 0;
		(void)term_write(LEAVE, sizeof(LEAVE) - 1);
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	}
}

static bool
take(void)
{
	struct termios raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0) {
		return false;
	}
	entered = 1;
	return term_write(ENTER, sizeof(ENTER) - 1);
}

static void
on_signal(int number)
{
	if (number == SIGWINCH) {
		resized = 1;
	} else if (number == SIGTSTP) {
		stop_asked = 1;
	} else if (number == SIGCONT) {
		continued = 1;
	} else {
		ended_by = number;
	}
}

static void
on_fatal(int number)
{
	give_back();
	if (number == SIGBUS && bus_before.sa_handler != SIG_DFL && bus_before.sa_handler != SIG_IGN) {
		bus_before.sa_handler(number);
	}
	raise(number); /* SA_RESETHAND: the default now */
}

static void
set_handlers(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;
	sigemptyset(&blocked);
	for (size_t i = 0; i < COUNT(ending); i++) {
		sigaction(ending[i], &action, NULL);
		sigaddset(&blocked, ending[i]);
	}
	const int others[] = {SIGWINCH, SIGTSTP, SIGCONT};
	for (size_t i = 0; i < COUNT(others); i++) {
		sigaction(others[i], &action, NULL);
		sigaddset(&blocked, others[i]);
	}
	/* They come through in term_wait() only, so that none is lost between looking and sleeping. */
	sigprocmask(SIG_BLOCK, &blocked, &mask_before);
	struct sigaction last = {.sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND};
	for (size_t i = 0; i < COUNT(fatal); i++) {
		sigaction(fatal[i], &last, fatal[i] == SIGBUS ? &bus_before : NULL);
	}
}

bool
term_usable(void)
{
	const char *term = getenv("TERM");
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

bool
term_enter(void)
{
	if (tcgetattr(STDIN_FILENO, &before) < 0) {
		return false;
	}
	set_handlers();
	atexit(give_back);
	return take();
}

void
term_leave(void)
{
	give_back();
}

void
term_die(void)
{
	if (ended_by && ended_by != SIGINT) {
		signal(ended_by, SIG_DFL);
		raise(ended_by);
		sigprocmask(SIG_SETMASK, &mask_before, NULL);
	}
}

void
term_size(unsigned *rows, unsigned *columns)
{
	struct winsize size = {0};
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
	*rows = known ? size.ws_row : 24;
	*columns = known ? size.ws_col : 80;
}

/* ctrl-Z: the shell gets a sane terminal, and we take it again when we go on. */
static void
stop_here(void)
{
	stop_asked = 0;
	give_back();
	kill(getpid(), SIGSTOP);
	(void)take();
}

/* The next of the keys that were typed, TERM_NOTHING when there are no more. An unknown sequence takes what follows with it. */
static int
next_key(void)
{
	static const struct {
		const char *bytes;
		int key;
	} keys[] = {{"\033[A", TERM_UP}, {"\033OA", TERM_UP}, {"\033[B", TERM_DOWN}, {"\033OB", TERM_DOWN},
		{"\033[5~", TERM_PAGE_UP}, {"\033[6~", TERM_PAGE_DOWN}};
	size_t used = typed.n;
	int key = TERM_NOTHING;
	if (typed.n > 0 && typed.bytes[0] != '\033') {
		key = (unsigned char)typed.bytes[0];
		used = 1;
	}
	for (size_t i = 0; i < COUNT(keys) && key == TERM_NOTHING; i++) {
		size_t length = strlen(keys[i].bytes);
		if (typed.n >= length && memcmp(typed.bytes, keys[i].bytes, length) == 0) {
			key = keys[i].key;
			used = length;
		}
	}
	typed.n -= used;
	memmove(typed.bytes, typed.bytes + used, typed.n);
	return key;
}

static int
read_keys(void)
{
	ssize_t n = read(STDIN_FILENO, typed.bytes, sizeof(typed.bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
		return TERM_NOTHING;
	}
	if (n <= 0) {
		return TERM_END; /* the terminal was closed */
	}
	typed.n = (size_t)n;
	return next_key();
}

int
term_wait(uint64_t ms)
{
	int key = next_key();
	if (key != TERM_NOTHING) {
		return key;
	}
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
	int n = ppoll(&input, 1, &time, &mask_before);
	if (ended_by || (n < 0 && errno != EINTR)) {
		return TERM_END;
	}
	if (stop_asked) {
		stop_here();
		resized = 1;
	}
	if (resized || continued) {
		resized = continued = 0;
		return TERM_RESIZED;
	}
	return n > 0 ? read_keys() : TERM_NOTHING;
}
