/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verbs that change something: what all of them ask an engine, and how its answer is printed (docs/control-socket.md). */
#ifndef PEKIT_CLI_CHANGE_H
#define PEKIT_CLI_CHANGE_H

#include <jansson.h>

#include "cli/cli.h"

/* Sets dry_run, may_exist and if_exists in args, as far as they were given. */
void
change_flags(const struct cli *cli, json_t *args);

/* Sends one request and waits for its answer: *result is a new reference. args is consumed. */
enum err_code
change_ask(const struct cli *cli, const char *op, json_t *args, int timeout_ms, json_t **result, struct err *err);

/* Sends and prints: the engine's answer to programs; "WHAT: DONE" or "WHAT: unchanged" to people. args is consumed. */
enum err_code
change_request(struct cli *cli, const char *op, json_t *args, const char *what, const char *done, struct err *err);

#endif
