/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does one step of lib/vf/step.h, given as JSON, to this machine, without rules, plans and a ledger: perform TIMEOUT_MS STEP. On
 * stderr the sentence and its hint; the exit status is the error's code.
 *
 * links: -lpekit -lhost -ljansson
 */
#include <jansson.h>
#include <stdio.h>

#include "base/num.h"
#include "io/perform.h"

int
main(int argc, char **argv)
{
	struct step step;
	struct err err = {0};
	uint64_t timeout_ms;
	json_t *object = argc == 3 ? json_loads(argv[2], 0, NULL) : NULL;
	if (!object || !num_parse_u64(argv[1], 1, INT32_MAX, &timeout_ms)) {
		fprintf(stderr, "usage: perform TIMEOUT_MS STEP\n");
		return ERR_USAGE;
	}
	enum err_code code = step_from_json(object, &step, &err);
	json_decref(object);
	if (!code) {
		code = perform_step(&step, (int)timeout_ms, &err);
	}
	if (code) {
		fprintf(stderr, "%s\n%s\n", err.message, err.hint);
	}
	return (int)code;
}
