/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 7386, JSON merge patch. */
#include "conf/conf_int.h"

/* MergePatch(Target, Patch) of section 2; takes over target (may be NULL), returns the result. */
static json_t *
merge(json_t *target, json_t *patch)
{
	if (!json_is_object(patch)) {
		json_decref(target);
		return json_incref(patch);
	}
	if (!json_is_object(target)) {
		json_decref(target);
		target = json_object();
	}
	const char *name;
	json_t *value;
	json_object_foreach (patch, name, value) {
		if (json_is_null(value)) {
			json_object_del(target, name);
		} else {
			json_object_set_new(target, name, merge(json_incref(json_object_get(target, name)), value));
		}
	}
	return target;
}

enum err_code
conf_patch(const char *text, const char *patch, size_t patch_size, char **merged, struct err *err)
{
	json_error_t where;
	json_t *change = json_loadb(patch, patch_size, JSON_REJECT_DUPLICATES, &where);
	if (!change) {
		return err_set(err, ERR_USAGE, "patch: line %d, column %d: %s", where.line, where.column, where.text);
	}
	if (!json_is_object(change)) {
		json_decref(change);
		return err_set(err, ERR_USAGE, "patch: not an object {...}");
	}
	json_t *document = json_loads(text, 0, &where);
	if (!document) {
		json_decref(change);
		return err_set(err, ERR_FAILED, "line %d, column %d: %s", where.line, where.column, where.text);
	}
	document = merge(document, change);
	json_decref(change);
	*merged = conf_layout(document);
	json_decref(document);
	return *merged ? ERR_NONE : err_set(err, ERR_FAILED, "no memory");
}
