/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where in a JSON document something stands, as messages say it: "ports.p1.vlans[3]", and how they show a value. What readers of
 * documents have in common. Pure.
 */
#ifndef PEKIT_JSON_WHERE_H
#define PEKIT_JSON_WHERE_H

#include <jansson.h>

#define WHERE_SIZE 200
#define WHERE_VALUE_SIZE 64

/* Adds ".name" to a path, of which the beginning may be empty; returns what where_leave() needs. Of a name, which may be
 * anything, 48 characters are shown, and '?' for what does not print. */
size_t
where_enter(char path[static WHERE_SIZE], const char *name);

/* Adds "[i]". */
size_t
where_enter_item(char path[static WHERE_SIZE], size_t i);

static inline void
where_leave(char path[static WHERE_SIZE], size_t at)
{
	path[at] = '\0';
}

/* A value as it stood in the document, in ASCII and shortened. Returns text. */
const char *
where_value(const json_t *value, char text[static WHERE_VALUE_SIZE]);

#endif
