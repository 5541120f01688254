/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "pemon.h"

/* Of a dead engine nothing moves: both samples may be of the same moment. A saved copy has no rates. */
static enum err_code
take_samples(struct cli *cli, struct pemon *pemon, uint64_t interval_ms, struct err *err)
{
	pemon->now = sample_take(&pemon->seg);
	if (pemon->now && interval_ms > 0 && !cli->saved) {
		pemon->then = pemon->now;
		if (pemon->then->alive) {
			(void)cli_wait(cli, interval_ms);
		}
		pemon->now = sample_take(&pemon->seg);
	}
	return pemon->now ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
}

enum err_code
pemon_open(struct cli *cli, struct pemon *pemon, uint64_t interval_ms, struct err *err)
{
	*pemon = (struct pemon){.seg = {.fd = -1}};
	enum err_code code = source_open(cli, &pemon->seg, err);
	if (!code) {
		code = take_samples(cli, pemon, interval_ms, err);
	}
	if (code) {
		pemon_close(pemon);
	}
	return code;
}

void
pemon_close(struct pemon *pemon)
{
	free(pemon->now);
	free(pemon->then);
	pemon->now = pemon->then = NULL;
	seg_detach(&pemon->seg);
}

char *
pemon_plain(char *text)
{
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f) {
			*c = '?';
		}
	}
	return text;
}
