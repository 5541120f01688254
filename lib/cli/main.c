/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program that every tool is: cli_main(), watching, waiting, asking. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/priv.h"

static volatile sig_atomic_t interrupted;
static bool caught; /* catch_interrupts() was called */
static sigset_t mask_before;

static void
on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* SIGINT and SIGTERM come through in cli_wait() only, so that none is lost between asking and sleeping. */
static void
catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &mask_before);
	sigdelset(&mask_before, SIGINT);
	sigdelset(&mask_before, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	caught = true;
}

bool
cli_wait(struct cli *cli, uint64_t ms)
{
	(void)cli;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		return false;
	}
	struct pollfd reader = {.fd = STDOUT_FILENO};
	struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
	int n = ppoll(&reader, 1, &time, caught ? &mask_before : NULL);
	return !interrupted && !(n > 0 && (reader.revents & (POLLERR | POLLHUP)));
}

enum err_code
cli_confirm(struct cli *cli, const char *what, struct err *err)
{
	char answer[16];
	if (cli->yes || cli->dry_run) {
		return ERR_NONE;
	}
	if (cli->line || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		err_set(err, ERR_USAGE, "%s: nobody to ask", what);
		return err_hint(err, "--yes does it without asking, --dry-run says what it would do");
	}
	fprintf(stderr, "%s: %s? [y/N] ", cli->tool->name, what);
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) && (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0)) {
		return ERR_NONE;
	}
	return err_set(err, ERR_FAILED, "not done");
}

static enum err_code
run_once(struct cli *cli, struct err *err)
{
	enum err_code code = stream_run(cli, err);
	if (code && err->message[0]) {
		err->code = code;
		stream_error(cli, err);
	}
	return code;
}

/* On a terminal the screen is redrawn and an engine that is gone is waited for; elsewhere the first error ends it. */
static enum err_code
watch(struct cli *cli, struct err *err)
{
	bool terminal = isatty(STDOUT_FILENO) && !cli_wants_json(cli);
	for (size_t round = 0;; round++) {
		if (terminal) {
			fputs("\033[H\033[2J", stdout);
		} else if (round && !cli_wants_json(cli) && cli->format != CLI_CSV) {
			putc('\n', stdout);
		}
		enum err_code code = run_once(cli, err);
		if (code && err->message[0] && !(terminal && code == ERR_NO_ENGINE)) {
			return code;
		}
		if (!cli_wait(cli, cli->watch_ms)) {
			return ERR_NONE;
		}
	}
}

/* Whatever was buffered must reach its reader, or the status says so. */
static int
finish(const struct cli_tool *tool, enum err_code code)
{
	bool failed = ferror(stdout);
	failed |= fflush(stdout) != 0;
	if (failed && !stream_get()->broken) {
		fprintf(stderr, "%s: cannot write the output\n", tool->name);
	}
	return failed ? ERR_FAILED : code;
}

static enum err_code
run(struct cli *cli, struct err *err)
{
	if (cli->batch) {
		enum err_code code = batch_run(cli, err);
		if (code) {
			stream_error(cli, err);
		}
		stream_end(cli);
		return code;
	}
	if (cli->watch || cli->verb->follows) {
		catch_interrupts();
	}
	return cli->watch ? watch(cli, err) : run_once(cli, err);
}

/* The two questions that scripts ask: they are no part of the grammar. */
static bool
answered(const struct cli_tool *tool, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "--complete") == 0) {
		complete_print(stdout, tool, argc - 2, argv + 2);
		return true;
	}
	if (argc == 2 && strcmp(argv[1], "--grammar") == 0) {
		json_t *dump = grammar_dump(tool);
		json_dumpf(dump, stdout, JSON_INDENT(1));
		putc('\n', stdout);
		json_decref(dump);
		return true;
	}
	return false;
}

int
cli_main(const struct cli_tool *tool, int argc, char **argv)
{
	struct cli cli;
	struct err err = {.code = ERR_NONE};
	enum cli_ask ask;
	*stream_get() = (struct cli_stream){.out = NULL};
	signal(SIGPIPE, SIG_DFL);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (answered(tool, argc, argv)) {
		return finish(tool, ERR_NONE);
	}
	enum err_code code = parse_words(tool, argc - 1, argv + (argc > 0), NULL, &cli, &ask, &err);
	if (code) {
		if (!err.hint[0]) {
			bool verb = cli.verb && cli.verb->help[0];
			err_hint(&err, "%s%s%s --help says what it takes", tool->name, verb ? " " : "",
				verb ? cli.verb->name : "");
		}
		stream_error(&cli, &err);
	} else if (ask == ASK_VERSION) {
		printf("%s (pekit) %s\n", tool->name, PEKIT_VERSION);
	} else if (ask == ASK_HELP) {
		help_print(stdout, tool, cli.verb);
	} else {
		code = run(&cli, &err);
	}
	cli_free(&cli);
	return finish(tool, code);
}
