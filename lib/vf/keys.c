/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vf/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/num.h"
#include "json/field.h"

static json_t *
put_key(const struct keys_key *key, uint64_t value)
{
	char text[MAC_TEXT_SIZE];
	switch (key->kind) {
	case KEYS_BOOL:
		return json_boolean(value);
	case KEYS_MAC:
		return json_string(mac_format(value, text));
	case KEYS_WORD:
		for (unsigned i = 0; key->words[i]; i++) {
			if ((key->values ? key->values[i] : i) == value) {
				return json_string(key->words[i]);
			}
		}
		return json_null();
	case KEYS_UINT:
	case KEYS_BPS:
		return json_integer((json_int_t)value);
	}
	return NULL;
}

json_t *
keys_put(const struct keys_table *table, unsigned has, const void *base)
{
	json_t *object = json_object();
	for (size_t i = 0; i < table->n && object; i++) {
		const struct keys_key *key = &table->key[i];
		if (has & key->bit &&
			json_object_set_new(object, key->name, put_key(key, field_get(base, key->offset, key->size)))) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

static enum err_code
fail_value(const char *name, const json_t *value, const char *what, struct err *err)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
	int n = text && strlen(text) > 60 ? 57 : 60;
	err_set(err, ERR_USAGE, "%s%s%.*s%s is not %s", name, name[0] ? ": " : "", n, text ? text : "this value",
		n == 57 ? "..." : "", what);
	free(text);
	return ERR_USAGE;
}

static enum err_code
take_word(const struct keys_key *key, const json_t *value, uint64_t *got, struct err *err)
{
	char list[120] = "";
	for (unsigned i = 0; key->words[i]; i++) {
		if (json_is_string(value) && strcmp(json_string_value(value), key->words[i]) == 0) {
			*got = key->values ? key->values[i] : i;
			return ERR_NONE;
		}
		size_t end = strlen(list);
		snprintf(list + end, sizeof(list) - end, "%s\"%s\"", i ? " or " : "", key->words[i]);
	}
	return fail_value(key->name, value, list, err);
}

static enum err_code
take_number(const struct keys_key *key, const json_t *value, uint64_t *got, struct err *err)
{
	char what[80];
	bool ok = json_is_integer(value) && json_integer_value(value) >= 0;
	*got = ok ? (uint64_t)json_integer_value(value) : 0;
	if (key->kind == KEYS_BPS && json_is_string(value)) {
		ok = num_parse_bps(json_string_value(value), got);
	}
	if (ok && *got <= key->max) {
		return ERR_NONE;
	}
	if (key->kind == KEYS_BPS) {
		fail_value(key->name, value, "a rate in bits a second", err);
		return err_hint(err, "a number, or text such as \"2G\" or \"500Mbit\"");
	}
	snprintf(what, sizeof(what), "%s (0 to %" PRIu64 ")", key->what, key->max);
	return fail_value(key->name, value, what, err);
}

static enum err_code
take_key(const struct keys_key *key, const json_t *value, void *base, struct err *err)
{
	uint64_t got = 0;
	enum err_code code = ERR_NONE;
	switch (key->kind) {
	case KEYS_BOOL:
		got = json_is_true(value);
		code = json_is_boolean(value) ? ERR_NONE : fail_value(key->name, value, "true or false", err);
		break;
	case KEYS_MAC:
		if (!json_is_string(value) || !mac_parse(json_string_value(value), &got)) {
			code = fail_value(key->name, value, "a MAC address", err);
		}
		break;
	case KEYS_WORD:
		code = take_word(key, value, &got, err);
		break;
	case KEYS_UINT:
	case KEYS_BPS:
		code = take_number(key, value, &got, err);
		break;
	}
	if (code == ERR_NONE) {
		field_put(base, key->offset, key->size, got);
	}
	return code;
}

static enum err_code
fail_unknown(const struct keys_table *table, const char *name, struct err *err)
{
	char list[160] = "";
	for (size_t i = 0; i < table->n; i++) {
		size_t end = strlen(list);
		snprintf(list + end, sizeof(list) - end, "%s%s", i ? ", " : "", table->key[i].name);
	}
	char shown[49];
	size_t n = 0;
	for (; name[n] && n < sizeof(shown) - 1; n++) {
		shown[n] = (unsigned char)name[n] < 0x20 || (unsigned char)name[n] >= 0x7f ? '?' : name[n];
	}
	shown[n] = '\0';
	err_set(err, ERR_USAGE, "%s: unknown key", shown);
	return err_hint(err, "the keys here are: %s", list);
}

enum err_code
keys_take(const struct keys_table *table, const json_t *object, unsigned *has, void *base, struct err *err)
{
	if (!json_is_object(object)) {
		return fail_value("", object, "an object {...}", err);
	}
	*has = 0;
	/* jansson's iterators want a pointer that is not const, and change nothing. */
	json_t *all = (json_t *)(uintptr_t)object;
	for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i)) {
		size_t k = 0;
		while (k < table->n && strcmp(table->key[k].name, json_object_iter_key(i)) != 0) {
			k++;
		}
		if (k == table->n) {
			return fail_unknown(table, json_object_iter_key(i), err);
		}
		enum err_code code = take_key(&table->key[k], json_object_iter_value(i), base, err);
		if (code) {
			return code;
		}
		*has |= table->key[k].bit;
	}
	return ERR_NONE;
}

char *
keys_rate(uint64_t bps, char *text, size_t size)
{
	static const struct {
		uint64_t factor;
		const char *name;
	} units[] = {{1000000000, "Gbit/s"}, {1000000, "Mbit/s"}};
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t part = bps % units[i].factor * 1000;
		if (bps < units[i].factor || part % units[i].factor) {
			continue;
		}
		char places[8];
		int n = snprintf(places, sizeof(places), ".%03u", (unsigned)(part / units[i].factor));
		while (n > 0 && (places[n - 1] == '0' || places[n - 1] == '.')) {
			places[--n] = '\0';
		}
		snprintf(text, size, "%" PRIu64 "%s %s", bps / units[i].factor, places, units[i].name);
		return text;
	}
	snprintf(text, size, "%" PRIu64 " bit/s", bps);
	return text;
}
