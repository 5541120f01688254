/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe stop: asks the engine to end, and waits until its process is gone. */
#include <stdio.h>
#include <time.h>

#include "cli/source.h"
#include "io/ctl.h"
#include "verbs.h"

static int64_t
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum err_code
print_result(struct cli *cli, const char *name, bool changed, struct err *err)
{
	cli_say(cli, !changed ? "%s: unchanged, it does not run" : cli->dry_run ? "%s: would be stopped" : "%s: stopped", name);
	return cli_print_answer(
		cli, json_pack("{s:s, s:b, s:b}", "appliance", name, "changed", changed, "dry_run", cli->dry_run), err);
}

static enum err_code
stop(struct cli *cli, const char *name, const struct seg *seg, struct err *err)
{
	int64_t deadline = now_ms() + cli->timeout_ms;
	json_t *result;
	enum err_code code = ctl_call(name, "stop", NULL, cli->timeout_ms, &result, err);
	if (code) {
		return code;
	}
	json_decref(result);
	while (seg_writer_alive(seg)) {
		if (now_ms() >= deadline) {
			return err_set(
				err, ERR_TIMEOUT, "%s: asked to stop, but it still runs (pid %u)", name, seg->head.writer_pid);
		}
		if (!cli_wait(cli, 10)) {
			return err_set(err, ERR_FAILED, "%s: asked to stop; not waited for", name);
		}
	}
	return ERR_NONE;
}

enum err_code
verb_stop(struct cli *cli, struct err *err)
{
	char name[SEG_NAME_SIZE], what[SEG_NAME_SIZE + 32];
	struct seg seg = {0};
	enum err_code code = verb_appliance(cli, NULL, name, err);
	if (!code) {
		code = seg_attach(&seg, name, err);
	}
	if (!code && !seg_writer_alive(&seg)) {
		code = err_set(err, ERR_NO_ENGINE, "appliance %s: no engine runs", name);
	}
	if (code == ERR_NO_ENGINE && cli->if_exists && cli->appliance) {
		seg_detach(&seg);
		return print_result(cli, cli->appliance, false, err);
	}
	snprintf(what, sizeof(what), "stop the engine of %s", name);
	if (!code) {
		code = cli_confirm(cli, what, err);
	}
	if (!code && !cli->dry_run) {
		code = stop(cli, name, &seg, err);
	}
	seg_detach(&seg);
	return code ? code : print_result(cli, name, true, err);
}
