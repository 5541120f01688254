/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The writer of listings: the same calls, one a field in the order of the columns, yield a table, a wide table, JSON, JSON lines
 * or CSV, as the user chose. Nothing is allocated per row; widths come from the first 128 rows.
 *
 *	struct out *out = out_open(cli, columns);
 *	for (each row) {
 *		out_text(out, bridge);
 *		out_number(out, vlan);
 *		out_row(out);
 *	}
 *	return out_close(out, err);
 *
 * In JSON each row is an object with all columns as keys, in their order; without rows it is []. One writer at a time.
 */
#ifndef PEKIT_CLI_OUT_H
#define PEKIT_CLI_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/cli.h"

#define OUT_RIGHT 1u    /* numbers for people line up right */
#define OUT_WIDE 2u     /* in tables with -o wide only */
#define OUT_NO_TABLE 4u /* never in tables */
#define OUT_NO_JSON 8u  /* in tables only */

struct out_column {
	const char *key;   /* of JSON and the head line of CSV: snake_case with the unit; NULL ends the table */
	const char *title; /* of tables: upper case by custom; NULL: the key in upper case */
	unsigned flags;
	int width; /* of a following writer's tables, and the least of others'; 0: the title's */
};

struct out;

/* The columns must outlive the writer. NULL when there is no memory: the other calls take it, out_close() reports it. */
struct out *
out_open(struct cli *cli, const struct out_column *columns);

/* For what goes on until interrupted: JSON becomes JSON lines, each row is flushed, and widths are those of the columns. */
struct out *
out_follow(struct cli *cli, const struct out_column *columns);

void
out_text(struct out *out, const char *text); /* NULL: out_null() */
void
out_number(struct out *out, uint64_t number);
/* One word to programs, another to people: "add" and "+". */
void
out_text_as(struct out *out, const char *text, const char *people);
/* A number to programs, other words to people: 12000 and "12 s". */
void
out_number_as(struct out *out, uint64_t number, const char *text);
/* Milliseconds to programs, "12 s" to people. */
void
out_age(struct out *out, uint64_t ms);
void
out_real(struct out *out, double number, int decimals);
void
out_bool(struct out *out, bool yes); /* people read "yes" and "no" */
void
out_null(struct out *out); /* people read "-" */
/* [1,2,3] in JSON, "1-3" to people, "1 2 3" in CSV. */
void
out_numbers(struct out *out, const uint32_t *numbers, size_t n);
/* The same of a set of cores: bit n-1 is core n. */
void
out_cores(struct out *out, uint64_t set);
/* ["a","b"] in JSON, "a,b" to people, "a b" in CSV. */
void
out_texts(struct out *out, const char *const *texts, size_t n);
/* Any value; to people and in CSV its compact JSON. The reference stays the caller's. */
void
out_json(struct out *out, const json_t *value);

/* Ends a row; all columns must have been given. */
void
out_row(struct out *out);

/* Ends the listing and frees the writer. ERR_FAILED when something could not be written. */
enum err_code
out_close(struct out *out, struct err *err);

#endif
