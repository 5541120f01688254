/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The canonical text: the document in its own order, what fits on one line on one line. Numbers and strings are as in the file,
 * so that what `pe apply --save` wrote still reads as its author wrote it.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

#define WIDTH 110

struct text {
	char *at;
	size_t size, room;
	bool bad;
};

static void
put(struct text *out, const char *word)
{
	size_t n = word ? strlen(word) : 0;
	out->bad = out->bad || !word;
	if (!out->bad && out->size + n + 1 > out->room) {
		size_t room = 2 * (out->size + n) + 1024;
		char *more = realloc(out->at, room);
		out->bad = !more;
		out->at = more ? more : out->at;
		out->room = more ? room : out->room;
	}
	if (!out->bad) {
		memcpy(out->at + out->size, word, n + 1);
		out->size += n;
	}
}

static void
put_line(struct text *out, size_t depth)
{
	put(out, "\n");
	for (size_t i = 0; i < depth; i++) {
		put(out, "  ");
	}
}

static void
put_value(struct text *out, const json_t *value, size_t depth, size_t column);

/* The top and what holds objects (ports, bridges) have a line for each key. */
static bool
must_break(const json_t *value, size_t depth)
{
	const char *name;
	json_t *item;
	json_object_foreach ((json_t *)(uintptr_t)value, name, item) {
		if (depth == 0 || (depth == 1 && json_object_size(item))) {
			return true;
		}
	}
	return false;
}

static void
put_object(struct text *out, const json_t *value, size_t depth)
{
	const char *name;
	json_t *item;
	const char *before = "{";
	json_object_foreach ((json_t *)(uintptr_t)value, name, item) {
		json_t *key = json_string(name);
		char *text = json_dumps(key, JSON_ENCODE_ANY);
		put(out, before);
		put_line(out, depth + 1);
		put(out, text);
		put(out, ": ");
		put_value(out, item, depth + 1, 2 * (depth + 1) + (text ? strlen(text) : 0) + 2);
		free(text);
		json_decref(key);
		before = ",";
	}
	put_line(out, depth);
	put(out, "}");
}

static void
put_array(struct text *out, const json_t *value, size_t depth)
{
	for (size_t i = 0; i < json_array_size(value); i++) {
		put(out, i ? "," : "[");
		put_line(out, depth + 1);
		put_value(out, json_array_get(value, i), depth + 1, 2 * (depth + 1));
	}
	put_line(out, depth);
	put(out, "]");
}

static void
put_value(struct text *out, const json_t *value, size_t depth, size_t column)
{
	bool nested = json_object_size(value) || json_array_size(value);
	char *line = must_break(value, depth) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
	if (!nested || (line && column + strlen(line) <= WIDTH)) {
		put(out, line);
	} else if (json_is_object(value)) {
		put_object(out, value, depth);
	} else {
		put_array(out, value, depth);
	}
	free(line);
}

char *
conf_layout(const json_t *document)
{
	struct text out = {0};
	put_value(&out, document, 0, 0);
	put(&out, "\n");
	if (out.bad) {
		free(out.at);
		return NULL;
	}
	return out.at;
}
