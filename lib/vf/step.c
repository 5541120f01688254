/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vf/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_MAX 65535

bool
steps_add(struct steps *steps, const struct step *step)
{
	if (steps->n == steps->space) {
		size_t space = steps->space ? 2 * steps->space : 8;
		struct step *more = realloc(steps->step, space * sizeof(*more));
		if (!more) {
			return false;
		}
		steps->step = more;
		steps->space = space;
	}
	steps->step[steps->n++] = *step;
	return true;
}

void
steps_free(struct steps *steps)
{
	free(steps->step);
	*steps = (struct steps){0};
}

struct step
step_undo(const struct step *step)
{
	struct step undo = *step;
	undo.from = step->to;
	undo.to = step->from;
	return undo;
}

bool
step_keeps(const struct step *step)
{
	const struct step_value *from = &step->from, *to = &step->to;
	switch (step->kind) {
	case STEP_NUMVFS:
	case STEP_AUTOPROBE:
		return from->number == to->number;
	case STEP_DRIVER:
		return strcmp(from->text, to->text) == 0 && strcmp(from->text2, to->text2) == 0;
	case STEP_VFSET:
		return from->set.has == to->set.has && vfset_diff(&from->set, &to->set) == 0;
	case STEP_PORTSET:
		return from->port.has == to->port.has && portset_diff(&from->port, &to->port) == 0;
	}
	return false;
}

/* ---- for people ---------------------------------------------------------------------------------------------------- */

struct words {
	char *text;
	size_t size, n;
};

static void __attribute__((format(printf, 2, 3))) say(struct words *words, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(words->text + words->n, words->size - words->n, fmt, args);
	va_end(args);
	words->n += n < 0 ? 0 : (size_t)n;
	if (words->n >= words->size) {
		words->n = words->size - 1;
	}
}

static void
say_name(struct words *words, const struct host *host, const struct step *step)
{
	char name[HOST_TEXT_SIZE], address[PCI_TEXT_SIZE];
	const struct host_func *func = host ? host_at(host, step->func) : NULL;
	if (func) {
		say(words, "%s", host_name(host, func, name));
	} else {
		say(words, "%s", pci_format(step->func, address));
	}
	if (step->index >= 0) {
		say(words, ":%d", step->index);
	}
}

static void
say_vfset(struct words *words, const struct vfset *set, bool named)
{
	char value[96];
	bool first = true;
	for (unsigned bit = 1; bit & VFSET_ALL; bit <<= 1) {
		if (set->has & bit) {
			say(words, "%s%s%s%s", first ? "" : ", ", named ? vfset_name(bit) : "", named ? " " : "",
				vfset_text(set, bit, value, sizeof(value)));
			first = false;
		}
	}
	if (first) {
		say(words, "unknown");
	}
}

static void
say_portset(struct words *words, const struct portset *set, bool named)
{
	char value[96];
	bool first = true;
	for (unsigned bit = 1; bit < 1u << PORTSET_COUNT; bit <<= 1) {
		if (set->has & bit) {
			say(words, "%s%s%s%s", first ? "" : ", ", named ? portset_name(bit) : "", named ? " " : "",
				portset_text(set, bit, value, sizeof(value)));
			first = false;
		}
	}
	if (first) {
		say(words, "unknown");
	}
}

static void
say_driver(struct words *words, const struct step_value *value, bool named)
{
	if (strcmp(value->text, STEP_KERNEL) == 0) {
		say(words, "%s", named ? "the kernel's own driver" : "the kernel's own");
	} else if (!value->text[0]) {
		say(words, "%s", named ? "no driver" : "none");
	} else {
		say(words, "%s%s", named ? "driver " : "", value->text);
	}
}

/* The driver stays, what is to bind it next does not. */
static bool
only_override(const struct step *step)
{
	return strcmp(step->from.text, step->to.text) == 0 && strcmp(step->from.text2, step->to.text2) != 0;
}

static void
say_value(struct words *words, const struct step *step, const struct step_value *value, bool named)
{
	switch (step->kind) {
	case STEP_NUMVFS:
		say(words, "%u", value->number);
		if (named) {
			say(words, value->number == 1 ? " VF" : " VFs");
		}
		break;
	case STEP_AUTOPROBE:
		say(words, "%s%s", named ? "autoprobe " : "", value->number ? "on" : "off");
		break;
	case STEP_DRIVER:
		if (only_override(step)) {
			say(words, "%s%s", named ? "driver_override " : "", value->text2[0] ? value->text2 : "none");
		} else {
			say_driver(words, value, named);
		}
		break;
	case STEP_VFSET:
		say_vfset(words, &value->set, named);
		break;
	case STEP_PORTSET:
		say_portset(words, &value->port, named || step->from.port.has != step->to.port.has);
		break;
	}
}

char *
step_text(const struct host *host, const struct step *step, char *text, size_t size)
{
	if (size == 0) {
		return text;
	}
	struct words words = {.text = text, .size = size};
	text[0] = '\0';
	say_name(&words, host, step);
	say(&words, ": ");
	say_value(&words, step, &step->to, true);
	if (step_keeps(step)) {
		say(&words, " (as before)");
		return text;
	}
	say(&words, " (was ");
	say_value(&words, step, &step->from, false);
	say(&words, ")");
	return text;
}

/* ---- as JSON --------------------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {
	[STEP_NUMVFS] = "numvfs",
	[STEP_AUTOPROBE] = "autoprobe",
	[STEP_DRIVER] = "driver",
	[STEP_VFSET] = "vfset",
	[STEP_PORTSET] = "portset",
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static json_t *
value_to_json(enum step_kind kind, const struct step_value *value)
{
	switch (kind) {
	case STEP_NUMVFS:
		return json_integer(value->number);
	case STEP_AUTOPROBE:
		return json_boolean(value->number);
	case STEP_DRIVER:
		return json_pack("{s:s,s:s}", "driver", value->text, "override", value->text2);
	case STEP_VFSET:
		return vfset_to_json(&value->set);
	case STEP_PORTSET:
		return portset_to_json(&value->port);
	}
	return NULL;
}

json_t *
step_to_json(const struct step *step)
{
	char address[PCI_TEXT_SIZE];
	json_t *from = value_to_json(step->kind, &step->from), *to = value_to_json(step->kind, &step->to);
	pci_format(step->func, address);
	if (!from || !to) {
		json_decref(from);
		json_decref(to);
		return NULL;
	}
	if (step->index >= 0) {
		return json_pack("{s:s,s:s,s:i,s:o,s:o}", "what", kinds[step->kind], "pf", address, "index", step->index, "from",
			from, "to", to);
	}
	return json_pack("{s:s,s:s,s:o,s:o}", "what", kinds[step->kind], "func", address, "from", from, "to", to);
}

static enum err_code
take_driver(const json_t *json, const char *key, char *to, struct err *err)
{
	const char *text = json_string_value(json_object_get(json, key));
	if (!text || strlen(text) >= HOST_DRIVER_SIZE) {
		return err_set(err, ERR_USAGE, "\"%s\": no driver's name", key);
	}
	memcpy(to, text, strlen(text) + 1);
	return ERR_NONE;
}

static enum err_code
value_from_json(enum step_kind kind, const json_t *json, struct step_value *value, struct err *err)
{
	enum err_code code = ERR_NONE;
	*value = (struct step_value){0};
	switch (kind) {
	case STEP_NUMVFS:
		if (!json_is_integer(json) || json_integer_value(json) < 0 || json_integer_value(json) > INDEX_MAX + 1) {
			return err_set(err, ERR_USAGE, "no number of VFs");
		}
		value->number = (unsigned)json_integer_value(json);
		break;
	case STEP_AUTOPROBE:
		if (!json_is_boolean(json)) {
			return err_set(err, ERR_USAGE, "neither true nor false");
		}
		value->number = json_is_true(json);
		break;
	case STEP_DRIVER:
		if (json_object_size(json) != 2) {
			return err_set(err, ERR_USAGE, "not a driver and its override");
		}
		code = take_driver(json, "driver", value->text, err);
		return code ? code : take_driver(json, "override", value->text2, err);
	case STEP_VFSET:
		return vfset_from_json(json, &value->set, err);
	case STEP_PORTSET:
		return portset_from_json(json, &value->port, err);
	}
	return code;
}

static enum err_code
take_function(const json_t *object, struct step *step, struct err *err)
{
	bool of_vf = json_object_get(object, "pf") != NULL;
	const char *address = json_string_value(json_object_get(object, of_vf ? "pf" : "func"));
	if (json_object_size(object) != (of_vf ? 5 : 4)) {
		return err_set(err, ERR_USAGE, "a step: a key too many, or too few");
	}
	if (!address || !pci_parse(address, &step->func)) {
		return err_set(err, ERR_USAGE, "\"%s\": no PCI address", of_vf ? "pf" : "func");
	}
	step->index = -1;
	if (of_vf) {
		const json_t *index = json_object_get(object, "index");
		if (!json_is_integer(index) || json_integer_value(index) < 0 || json_integer_value(index) > INDEX_MAX) {
			return err_set(err, ERR_USAGE, "\"index\": no VF's number");
		}
		step->index = (int)json_integer_value(index);
	}
	return ERR_NONE;
}

/* Which steps are about a VF, which about a PF or another function. */
static bool
fits(const struct step *step)
{
	switch (step->kind) {
	case STEP_DRIVER:
		return true;
	case STEP_VFSET:
		return step->index >= 0 && step->to.set.has && !(step->to.set.has & (step->to.set.has - 1)) &&
		       !(step->from.set.has & ~step->to.set.has);
	case STEP_PORTSET:
		return step->index < 0 && step->to.port.has;
	case STEP_NUMVFS:
	case STEP_AUTOPROBE:
		return step->index < 0;
	}
	return false;
}

enum err_code
step_from_json(const json_t *object, struct step *step, struct err *err)
{
	const char *what = json_string_value(json_object_get(object, "what"));
	const json_t *from = json_object_get(object, "from"), *to = json_object_get(object, "to");
	size_t kind = 0;
	*step = (struct step){.index = -1};
	if (!what || !from || !to) {
		return err_set(err, ERR_USAGE, "a step without \"what\", \"from\" or \"to\"");
	}
	while (kind < KINDS && strcmp(kinds[kind], what) != 0) {
		kind++;
	}
	if (kind == KINDS) {
		return err_set(err, ERR_USAGE, "\"what\": no such step");
	}
	step->kind = (enum step_kind)kind;
	enum err_code code = take_function(object, step, err);
	if (!code) {
		code = value_from_json(step->kind, from, &step->from, err);
	}
	if (!code) {
		code = value_from_json(step->kind, to, &step->to, err);
	}
	if (!code && !fits(step)) {
		code = err_set(err, ERR_USAGE, "a step \"%s\" that changes nothing, or of the wrong kind of function", what);
	}
	return code;
}
