/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pe run: the engine from its start to its end.
 */
#ifndef PEKIT_PE_RUN_H
#define PEKIT_PE_RUN_H

#include <stdbool.h>

#include "base/err.h"

struct pe_run_args {
	const char *appliance; /* NULL: what the file says */
	const char *config;    /* the appliance file */
	bool allow_inject;     /* pe inject may do harm on purpose */
	bool detach;           /* -d: return when the engine is ready; it goes on in the background */
};

/* Returns when the engine has ended (or, detached, is ready), with what pe exits with; *err says why it is not ERR_NONE. */
enum err_code
pe_run(const struct pe_run_args *args, struct err *err);

#endif
