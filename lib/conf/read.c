/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values and objects of the appliance file by their tables of keys. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "conf/conf_int.h"
#include "json/field.h"

/* Ten terabit and ten billion packets a second: more is a slip, and a token bucket's arithmetic may count on it. */
#define BPS_MAX 10000000000000ull
#define PPS_MAX 10000000000ull
#define PPS32_MAX 1000000000ull /* of rates that are kept in four bytes */

enum err_code
conf_fail(struct conf_reader *r, enum err_code code, const char *fmt, ...)
{
	char text[256];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return r->path[0] ? err_set(r->err, code, "%s: %s", r->path, text) : err_set(r->err, code, "%s", text);
}

enum err_code
conf_fail_value(struct conf_reader *r, const json_t *value, const char *what)
{
	char text[WHERE_VALUE_SIZE];
	return conf_fail(r, ERR_USAGE, "%s is not %s", where_value(value, text), what);
}

static enum err_code
take_uint(struct conf_reader *r, const json_t *value, const struct conf_key *key, void *base)
{
	json_int_t n = json_integer_value(value);
	if (!json_is_integer(value) || n < 0 || (uint64_t)n < key->min || (uint64_t)n > key->max) {
		char what[80];
		snprintf(what, sizeof(what), "%s (%" PRIu64 " to %" PRIu64 ")", key->what, key->min, key->max);
		return conf_fail_value(r, value, what);
	}
	field_put(base, key->offset, key->size, (uint64_t)n);
	return ERR_NONE;
}

static enum err_code
take_rate(struct conf_reader *r, const json_t *value, const struct conf_key *key, void *base)
{
	bool bits = key->kind == CONF_BPS;
	uint64_t rate = 0;
	bool ok;
	if (json_is_string(value)) {
		const char *word = json_string_value(value);
		ok = bits ? num_parse_bps(word, &rate) : num_parse_pps(word, &rate);
	} else {
		ok = json_is_integer(value) && json_integer_value(value) >= 0;
		rate = ok ? (uint64_t)json_integer_value(value) : 0;
	}
	uint64_t max = bits ? BPS_MAX : key->size == 4 ? PPS32_MAX : PPS_MAX;
	if (!ok || rate > max) {
		conf_fail_value(r, value, bits ? "a rate in bits a second" : "a rate in packets a second");
		return err_hint(r->err, "a number up to %s, or e.g. %s; 0: no limit",
			max == BPS_MAX   ? "10T"
			: max == PPS_MAX ? "10G"
					 : "1G",
			bits ? "\"5G\" or \"500Mbit\"" : "\"2M\" or \"10kpps\"");
	}
	field_put(base, key->offset, key->size, rate);
	return ERR_NONE;
}

static enum err_code
take_word(struct conf_reader *r, const json_t *value, const struct conf_key *key, void *base)
{
	char list[120] = "";
	for (unsigned i = 0; key->words[i]; i++) {
		if (json_is_string(value) && strcmp(json_string_value(value), key->words[i]) == 0) {
			field_put(base, key->offset, key->size, i);
			return ERR_NONE;
		}
		size_t end = strlen(list);
		snprintf(list + end, sizeof(list) - end, "%s\"%s\"", i ? " or " : "", key->words[i]);
	}
	return conf_fail_value(r, value, list);
}

static enum err_code
take_text(struct conf_reader *r, const json_t *value, const struct conf_key *key, void *base)
{
	const char *text = json_string_value(value);
	if (!text) {
		return conf_fail_value(r, value, "a string");
	}
	if (json_string_length(value) >= key->size) {
		return conf_fail(r, ERR_USAGE, "%zu bytes are too long: at most %u", json_string_length(value), key->size - 1u);
	}
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			return conf_fail(r, ERR_USAGE, "holds a control character");
		}
	}
	memcpy((char *)base + key->offset, text, json_string_length(value) + 1);
	return ERR_NONE;
}

static enum err_code
take_key(struct conf_reader *r, const json_t *value, const struct conf_key *key, void *base)
{
	switch (key->kind) {
	case CONF_UINT:
		return take_uint(r, value, key, base);
	case CONF_BPS:
	case CONF_PPS:
		return take_rate(r, value, key, base);
	case CONF_BOOL:
		if (!json_is_boolean(value)) {
			return conf_fail_value(r, value, "true or false");
		}
		field_put(base, key->offset, key->size, json_is_true(value));
		return ERR_NONE;
	case CONF_WORD:
		return take_word(r, value, key, base);
	case CONF_TEXT:
		return take_text(r, value, key, base);
	case CONF_OBJECT:
		return conf_read_object(r, value, key->sub, base);
	case CONF_OWN:
		return key->take(r, value, base);
	}
	return ERR_FAILED;
}

static enum err_code
fail_unknown(struct conf_reader *r, const struct conf_table *table)
{
	char list[160] = "";
	for (size_t i = 0; i < table->n; i++) {
		size_t end = strlen(list);
		snprintf(list + end, sizeof(list) - end, "%s%s", i ? ", " : "", table->key[i].name);
	}
	conf_fail(r, ERR_USAGE, "unknown key");
	return err_hint(r->err, "the keys here are: %s", list);
}

enum err_code
conf_read_object(struct conf_reader *r, const json_t *object, const struct conf_table *table, void *base)
{
	if (!json_is_object(object)) {
		return conf_fail_value(r, object, "an object {...}");
	}
	const char *name;
	json_t *value;
	void *i;
	for (i = json_object_iter((json_t *)(uintptr_t)object); i; i = json_object_iter_next((json_t *)(uintptr_t)object, i)) {
		name = json_object_iter_key(i);
		value = json_object_iter_value(i);
		size_t k = 0;
		while (k < table->n && strcmp(table->key[k].name, name) != 0) {
			k++;
		}
		size_t at = conf_enter(r, name);
		enum err_code code = k == table->n ? fail_unknown(r, table) : take_key(r, value, &table->key[k], base);
		if (code) {
			return code;
		}
		conf_leave(r, at);
	}
	return ERR_NONE;
}

static json_t *
object_value(const struct conf_table *table, const void *base)
{
	json_t *object = json_object();
	for (size_t i = 0; i < table->n; i++) {
		json_t *value = conf_value(&table->key[i], base);
		if (value) {
			json_object_set_new(object, table->key[i].name, value);
		}
	}
	return object;
}

json_t *
conf_value(const struct conf_key *key, const void *base)
{
	switch (key->kind) {
	case CONF_UINT:
		return field_get(base, key->offset, key->size) < key->min
			       ? NULL
			       : json_integer((json_int_t)field_get(base, key->offset, key->size));
	case CONF_BPS:
	case CONF_PPS:
		return json_integer((json_int_t)field_get(base, key->offset, key->size));
	case CONF_BOOL:
		return json_boolean(field_get(base, key->offset, key->size));
	case CONF_WORD:
		return json_string(key->words[field_get(base, key->offset, key->size)]);
	case CONF_TEXT:
		return ((const char *)base)[key->offset] ? json_string((const char *)base + key->offset) : NULL;
	case CONF_OBJECT:
		return object_value(key->sub, base);
	case CONF_OWN:
		return key->put ? key->put(base) : NULL;
	}
	return NULL;
}
