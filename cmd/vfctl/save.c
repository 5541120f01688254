/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vfctl save: the host as a file that apply finds unchanged. */
#include <stdlib.h>
#include <string.h>

#include "vf/file.h"
#include "vfctl.h"

static enum err_code
write_file(struct cli *cli, const char *path, const json_t *document, struct err *err)
{
	char *text = json_dumps(document, JSON_INDENT(2));
	char *line = text ? realloc(text, strlen(text) + 2) : NULL;
	if (!line) {
		free(text);
		return err_set(err, ERR_FAILED, "no memory");
	}
	memcpy(line + strlen(line), "\n", 2);
	enum err_code code = text_write(path, line, err);
	free(line);
	if (code) {
		return code;
	}
	cli_say(cli, "%s: written", path);
	return cli_print_answer(cli, json_pack("{s:o, s:b}", "what", cli_json_text(path), "changed", 1), err);
}

enum err_code
save_run(struct cli *cli, struct err *err)
{
	const char *path = cli_text(cli, "file");
	struct vfctl v;
	enum err_code code = vfctl_open(cli, HOST_READ_PORTS, &v, err);
	if (code) {
		return code;
	}
	json_t *document = file_of_host(&v.host, &v.ledger.ledger);
	if (!document) {
		code = err_set(err, ERR_FAILED, "no memory");
	} else if (path) {
		code = write_file(cli, path, document, err);
		json_decref(document);
	} else {
		/* It is JSON in every format. */
		cli->format = cli->format == CLI_JSONL ? CLI_JSONL : CLI_JSON;
		code = cli_print_json(cli, document, err);
	}
	vfctl_close(&v);
	return code;
}
