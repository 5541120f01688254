/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pe run */
#include "run.h"
#include "verbs.h"

enum err_code
verb_engine(struct cli *cli, struct err *err)
{
	struct pe_run_args args = {
		.appliance = cli->appliance,
		.config = cli_text(cli, "config"),
		.allow_inject = cli_has(cli, "allow-inject"),
		.detach = cli_has(cli, "detach"),
	};
	enum err_code code = pe_run(&args, err);
	if (code || !cli_wants_json(cli)) {
		return code;
	}
	return cli_print_json(cli, json_pack("{s:s}", "state", args.detach ? "ready" : "stopped"), err);
}
