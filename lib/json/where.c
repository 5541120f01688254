/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json/where.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SHOWN 48
#define VALUE_SHOWN 60

size_t
where_enter(char path[static WHERE_SIZE], const char *name)
{
	size_t at = strlen(path);
	size_t end = at;
	if (at > 0 && end + 1 < WHERE_SIZE) {
		path[end++] = '.';
	}
	for (size_t i = 0; name[i] && i < NAME_SHOWN && end + 1 < WHERE_SIZE; i++) {
		unsigned char c = (unsigned char)name[i];
		path[end++] = c < 0x20 || c >= 0x7f ? '?' : name[i];
	}
	path[end] = '\0';
	return at;
}

size_t
where_enter_item(char path[static WHERE_SIZE], size_t i)
{
	size_t at = strlen(path);
	snprintf(path + at, WHERE_SIZE - at, "[%zu]", i);
	return at;
}

const char *
where_value(const json_t *value, char text[static WHERE_VALUE_SIZE])
{
	char *whole = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
	bool cut = whole && strlen(whole) > VALUE_SHOWN;
	snprintf(text, WHERE_VALUE_SIZE, "%.*s%s", cut ? VALUE_SHOWN - 3 : VALUE_SHOWN, whole ? whole : "this value",
		cut ? "..." : "");
	free(whole);
	return text;
}
