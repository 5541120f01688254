/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pe route: the verbs, and their grammar.
 */
#ifndef PEKIT_PE_VERB_ROUTE_H
#define PEKIT_PE_VERB_ROUTE_H

#include "cli/cli.h"
#include "route/route.h"

/* verb_route.c */
enum err_code
verb_route_check(const struct cli *cli, struct err *err);
enum err_code
verb_route_check_filter(const struct cli *cli, struct err *err);
enum err_code
verb_route_change(struct cli *cli, struct err *err);
enum err_code
verb_route_many(struct cli *line, size_t n, size_t *bad, struct err *err);
enum err_code
verb_route_flush(struct cli *cli, struct err *err);

/* The argument PREFIX. */
enum err_code
verb_route_prefix(const struct cli *cli, struct route_key *key, struct err *err);

/* verb_route_show.c */
enum err_code
verb_route_show(struct cli *cli, struct err *err);
enum err_code
verb_route_get(struct cli *cli, struct err *err);

#endif
