/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tools' side of an appliance's control socket: /run/pekit/APPLIANCE.sock (directory from $PEKIT_RUN, if set).
 *
 * One JSON document a line each way: {"op": "...", "args": {...}} is answered by {"result": ...} or
 * {"error": {"code", "name", "message", "hint"}}. docs/control-socket.md lists the operations.
 */
#ifndef PEKIT_IO_CTL_H
#define PEKIT_IO_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* "/run/pekit/NAME" + suffix into path; false when it does not fit. */
bool
ctl_path(const char *appliance, const char *suffix, char *path, size_t size);

/*
 * Sends one request and waits for its answer, timeout_ms in all (< 0: for ever). args may be NULL and is not consumed. *result
 * is a new reference. The engine's error comes back as it was; ERR_NO_ENGINE when nobody listens, ERR_TIMEOUT, ERR_REFUSED for
 * permission.
 */
enum err_code
ctl_call(const char *appliance, const char *op, json_t *args, int timeout_ms, json_t **result, struct err *err);

#endif
