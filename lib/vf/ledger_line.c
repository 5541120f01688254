/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of the ledger: from an entry to its JSON and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "vf/ledger.h"

#define INDEX_MAX 65535

static const char *const ops[] = {
	[LEDGER_LEASE] = "lease",
	[LEDGER_RELEASE] = "release",
	[LEDGER_BIND] = "bind",
	[LEDGER_UNBIND] = "unbind",
	[LEDGER_SET] = "set",
	[LEDGER_NUMVFS] = "numvfs",
	[LEDGER_PORT_SET] = "port-set",
	[LEDGER_PORT_RESET] = "port-reset",
};
static const char *const phases[] = {[LEDGER_BEGIN] = "begin", [LEDGER_DONE] = "done", [LEDGER_UNDONE] = "undone"};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

const char *
ledger_op_name(enum ledger_op op)
{
	return (size_t)op < COUNT(ops) ? ops[op] : "unknown";
}

bool
ledger_undoes(enum ledger_op op)
{
	return op != LEDGER_RELEASE && op != LEDGER_UNBIND && op != LEDGER_PORT_RESET;
}

/* ---- VLAN ids -------------------------------------------------------------------------------------------------------- */

static bool
has_vlan(const struct ledger_vlans *vlans, unsigned id)
{
	return vlans->bits[id / 64] >> (id % 64) & 1;
}

enum err_code
ledger_vlans_parse(const char *text, struct ledger_vlans *vlans, struct err *err)
{
	*vlans = (struct ledger_vlans){0};
	for (const char *at = text;; at++) {
		char item[16];
		uint64_t first = 0, last = 0;
		size_t n = strcspn(at, ",");
		snprintf(item, sizeof(item), "%.*s", (int)(n < sizeof(item) ? n : sizeof(item) - 1), at);
		char *dash = strchr(item, '-');
		if (dash) {
			*dash = '\0';
		}
		if (n >= sizeof(item) || !num_parse_u64(item, VLAN_MIN, VLAN_MAX, &first) ||
			(dash && !num_parse_u64(dash + 1, VLAN_MIN, VLAN_MAX, &last)) || (dash && last < first)) {
			err_set(err, ERR_USAGE, "vlans: '%.*s' is not a VLAN id, or a range of them", n < 40 ? (int)n : 40, at);
			return err_hint(err, "ids from %d to %d, like 10,20,100-119", VLAN_MIN, VLAN_MAX);
		}
		for (last = dash ? last : first; first <= last; first++) {
			vlans->bits[first / 64] |= UINT64_C(1) << (first % 64);
		}
		at += n;
		if (!*at) {
			return ERR_NONE;
		}
	}
}

char *
ledger_vlans_text(const struct ledger_vlans *vlans, char *text, size_t size)
{
	size_t at = 0;
	if (size) {
		text[0] = '\0';
	}
	for (unsigned id = VLAN_MIN; id <= VLAN_MAX && at < size; id++) {
		unsigned first = id;
		if (!has_vlan(vlans, id)) {
			continue;
		}
		while (id < VLAN_MAX && has_vlan(vlans, id + 1)) {
			id++;
		}
		int n = snprintf(text + at, size - at, id > first ? "%s%u-%u" : "%s%u", at ? "," : "", first, id);
		at += n > 0 ? (size_t)n : 0;
	}
	return text;
}

unsigned
ledger_vlans_count(const struct ledger_vlans *vlans)
{
	unsigned n = 0;
	for (unsigned i = 0; i < COUNT(vlans->bits); i++) {
		n += (unsigned)__builtin_popcountll(vlans->bits[i]);
	}
	return n;
}

/* ---- to JSON --------------------------------------------------------------------------------------------------------- */

/* Names of interfaces may be any bytes; the ledger is ASCII. */
static json_t *
plain_text(const char *text)
{
	char plain[256];
	size_t n = 0;
	for (; text[n] && n + 1 < sizeof(plain); n++) {
		plain[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	}
	plain[n] = '\0';
	return json_string(plain);
}

static bool
put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static json_t *
vlans_to_json(const struct ledger_vlans *vlans)
{
	json_t *list = json_array();
	for (unsigned id = VLAN_MIN; list && id <= VLAN_MAX; id++) {
		if (has_vlan(vlans, id) && json_array_append_new(list, json_integer(id)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
steps_to_json(const struct steps *steps)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < steps->n; i++) {
		if (json_array_append_new(list, step_to_json(&steps->step[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
ids_to_json(uint64_t ids)
{
	return json_sprintf("%04x:%04x:%04x:%04x", (unsigned)(ids >> 48), (unsigned)(ids >> 32 & 0xffff),
		(unsigned)(ids >> 16 & 0xffff), (unsigned)(ids & 0xffff));
}

static bool
put_begin(json_t *object, const struct ledger_entry *entry)
{
	char address[PCI_TEXT_SIZE];
	return put(object, "boot", plain_text(entry->boot)) && put(object, "who", plain_text(entry->who)) &&
	       put(object, "op", json_string(ledger_op_name(entry->op))) &&
	       put(object, "phase", json_string(phases[LEDGER_BEGIN])) &&
	       put(object, "func", json_string(pci_format(entry->func, address))) &&
	       (entry->index < 0 || put(object, "index", json_integer(entry->index))) &&
	       (!entry->ids || put(object, "ids", ids_to_json(entry->ids))) &&
	       (!entry->generation || put(object, "generation", json_integer((json_int_t)entry->generation))) &&
	       (!entry->holder[0] || put(object, "holder", plain_text(entry->holder))) &&
	       (!ledger_vlans_count(&entry->vlans) || put(object, "vlans", vlans_to_json(&entry->vlans))) &&
	       (!entry->set.has || put(object, "set", vfset_to_json(&entry->set))) &&
	       (!entry->by_file || put(object, "by_file", json_true())) && put(object, "steps", steps_to_json(&entry->steps));
}

char *
ledger_line(const struct ledger_entry *entry)
{
	json_t *object = json_object();
	bool good =
		object && put(object, "seq", json_integer((json_int_t)entry->seq)) && put(object, "at", plain_text(entry->at));
	if (good && entry->phase == LEDGER_BEGIN) {
		good = put_begin(object, entry);
	} else if (good) {
		good = put(object, "of", json_integer((json_int_t)entry->of)) &&
		       put(object, "phase", json_string(phases[entry->phase]));
	}
	good = good && (!entry->note[0] || put(object, "note", plain_text(entry->note)));
	char *text = good ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL, *line = NULL;
	json_decref(object);
	if (text && asprintf(&line, "%s\n", text) < 0) {
		line = NULL;
	}
	free(text);
	return line;
}

/* ---- from JSON ------------------------------------------------------------------------------------------------------- */

static enum err_code
take_text(const json_t *object, const char *key, bool must, char *to, size_t size, struct err *err)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	if (!value && !must) {
		return ERR_NONE;
	}
	if (!text || strlen(text) >= size) {
		return err_set(err, ERR_FAILED, value ? "\"%s\": no text, or too long" : "\"%s\" is missing", key);
	}
	memcpy(to, text, strlen(text) + 1);
	return ERR_NONE;
}

static enum err_code
take_number(const json_t *object, const char *key, bool must, uint64_t min, uint64_t *to, struct err *err)
{
	const json_t *value = json_object_get(object, key);
	if (!value && !must) {
		return ERR_NONE;
	}
	if (!json_is_integer(value) || json_integer_value(value) < (json_int_t)min || json_integer_value(value) == INT64_MAX) {
		return err_set(err, ERR_FAILED, value ? "\"%s\": no number that may stand there" : "\"%s\" is missing", key);
	}
	*to = (uint64_t)json_integer_value(value);
	return ERR_NONE;
}

static enum err_code
take_word(const json_t *object, const char *key, const char *const *words, size_t n, size_t *place, struct err *err)
{
	const char *word = json_string_value(json_object_get(object, key));
	for (*place = 0; word && *place < n; ++*place) {
		if (strcmp(words[*place], word) == 0) {
			return ERR_NONE;
		}
	}
	return err_set(err, ERR_FAILED, word ? "\"%s\": unknown word" : "\"%s\" is missing", key);
}

static enum err_code
take_vlans(const json_t *list, struct ledger_vlans *vlans, struct err *err)
{
	size_t i;
	const json_t *value;
	if (list && !json_is_array(list)) {
		return err_set(err, ERR_FAILED, "\"vlans\": no list");
	}
	json_array_foreach (list, i, value) {
		json_int_t id = json_integer_value(value);
		if (id < VLAN_MIN || id > VLAN_MAX) {
			return err_set(err, ERR_FAILED, "\"vlans\": no VLAN id");
		}
		vlans->bits[id / 64] |= UINT64_C(1) << (id % 64);
	}
	return ERR_NONE;
}

static enum err_code
take_steps(const json_t *list, struct steps *steps, struct err *err)
{
	size_t i;
	const json_t *value;
	if (!json_is_array(list)) {
		return err_set(err, ERR_FAILED, "\"steps\": no list");
	}
	json_array_foreach (list, i, value) {
		struct step step;
		struct err inner = {0};
		if (step_from_json(value, &step, &inner)) {
			return err_set(err, ERR_FAILED, "steps[%zu]: %s", i, inner.message);
		}
		if (!steps_add(steps, &step)) {
			return err_set(err, ERR_FAILED, "no memory");
		}
	}
	return ERR_NONE;
}

/* "8086:10c9:8086:a03c" */
static enum err_code
take_ids(const json_t *value, uint64_t *ids, struct err *err)
{
	static const char digits[] = "0123456789abcdef";
	const char *text = json_string_value(value);
	size_t n = text ? strlen(text) : 0;
	*ids = 0;
	for (size_t i = 0; i < n; i++) {
		const char *digit = strchr(digits, text[i]);
		bool colon = i % 5 == 4;
		if (colon ? text[i] != ':' : !digit) {
			n = 0;
		} else if (!colon) {
			*ids = *ids << 4 | (uint64_t)(digit - digits);
		}
	}
	return !value || n == 19 ? ERR_NONE : err_set(err, ERR_FAILED, "\"ids\": not four of four digits");
}

static enum err_code
take_function(const json_t *object, struct ledger_entry *entry, struct err *err)
{
	const json_t *index = json_object_get(object, "index");
	const char *address = json_string_value(json_object_get(object, "func"));
	if (!address || !pci_parse(address, &entry->func)) {
		return err_set(err, ERR_FAILED, "\"func\": no PCI address");
	}
	if (index) {
		json_int_t number = json_integer_value(index);
		if (!json_is_integer(index) || number < 0 || number > INDEX_MAX) {
			return err_set(err, ERR_FAILED, "\"index\": no VF's number");
		}
		entry->index = (int)number;
	}
	return ERR_NONE;
}

static enum err_code
take_lease(const json_t *object, struct ledger_entry *entry, struct err *err)
{
	bool leases = entry->op == LEDGER_LEASE || entry->op == LEDGER_RELEASE;
	const json_t *set = json_object_get(object, "set");
	struct err inner = {0};
	enum err_code code = take_number(object, "generation", leases, 1, &entry->generation, err);
	if (!code) {
		code = take_text(object, "holder", leases, entry->holder, sizeof(entry->holder), err);
	}
	if (!code && leases && !entry->holder[0]) {
		code = err_set(err, ERR_FAILED, "\"holder\" is empty");
	}
	if (!code) {
		code = take_vlans(json_object_get(object, "vlans"), &entry->vlans, err);
	}
	if (!code && set && vfset_from_json(set, &entry->set, &inner)) {
		code = err_set(err, ERR_FAILED, "set.%s", inner.message);
	}
	return code;
}

static enum err_code
take_begin(const json_t *object, struct ledger_entry *entry, struct err *err)
{
	size_t op = 0;
	enum err_code code = take_word(object, "op", ops, COUNT(ops), &op, err);
	entry->op = (enum ledger_op)op;
	if (!code) {
		code = take_text(object, "boot", true, entry->boot, sizeof(entry->boot), err);
	}
	if (!code) {
		code = take_text(object, "who", true, entry->who, sizeof(entry->who), err);
	}
	if (!code) {
		code = take_function(object, entry, err);
	}
	if (!code) {
		code = take_ids(json_object_get(object, "ids"), &entry->ids, err);
	}
	if (!code) {
		code = take_lease(object, entry, err);
	}
	const json_t *by_file = json_object_get(object, "by_file");
	if (!code && by_file && !json_is_true(by_file)) {
		code = err_set(err, ERR_FAILED, "\"by_file\": true or not at all");
	}
	entry->by_file = by_file != NULL;
	return code ? code : take_steps(json_object_get(object, "steps"), &entry->steps, err);
}

static enum err_code
check_keys(json_t *object, bool begins, struct err *err)
{
	static const char *const begin[] = {"seq", "at", "boot", "who", "op", "phase", "func", "index", "ids", "generation",
		"holder", "vlans", "set", "by_file", "steps", "note"};
	static const char *const end[] = {"seq", "at", "of", "phase", "note"};
	const char *const *known = begins ? begin : end;
	size_t n = begins ? COUNT(begin) : COUNT(end);
	const char *key;
	json_t *value;
	json_object_foreach (object, key, value) {
		size_t i = 0;
		while (i < n && strcmp(known[i], key) != 0) {
			i++;
		}
		if (i == n) {
			return err_set(err, ERR_FAILED, "\"%.40s\": unknown key", key);
		}
	}
	return ERR_NONE;
}

static enum err_code
entry_from_json(json_t *object, struct ledger_entry *entry, struct err *err)
{
	size_t phase = 0;
	enum err_code code = take_word(object, "phase", phases, COUNT(phases), &phase, err);
	entry->phase = (enum ledger_phase)phase;
	if (!code) {
		code = check_keys(object, entry->phase == LEDGER_BEGIN, err);
	}
	if (!code) {
		code = take_number(object, "seq", true, 1, &entry->seq, err);
	}
	if (!code) {
		code = take_text(object, "at", true, entry->at, sizeof(entry->at), err);
	}
	if (!code) {
		code = take_text(object, "note", false, entry->note, sizeof(entry->note), err);
	}
	if (code) {
		return code;
	}
	return entry->phase == LEDGER_BEGIN ? take_begin(object, entry, err)
					    : take_number(object, "of", true, 1, &entry->of, err);
}

enum err_code
ledger_parse(const char *line, size_t size, struct ledger_entry *entry, struct err *err)
{
	json_error_t where;
	*entry = (struct ledger_entry){.index = -1};
	json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(object)) {
		json_decref(object);
		return err_set(err, ERR_FAILED, "not a JSON object");
	}
	enum err_code code = entry_from_json(object, entry, err);
	json_decref(object);
	if (code) {
		ledger_entry_free(entry);
	}
	return code;
}

void
ledger_entry_free(struct ledger_entry *entry)
{
	steps_free(&entry->steps);
	*entry = (struct ledger_entry){0};
}
