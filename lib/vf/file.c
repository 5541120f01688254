/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of "vfctl apply", from its text to a struct file. */
#include "vf/file.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/num.h"
#include "json/where.h"

#define MTU_MIN 68 /* RFC 791, page 25 */
#define MBIT UINT64_C(1000000)

struct reader {
	struct file *file;
	struct err *err;
	char path[FILE_PATH_SIZE];
};

/* ---- paths and refusals ---------------------------------------------------------------------------------------------------- */

static enum err_code
fail(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static enum err_code
fail(struct reader *r, const char *fmt, ...)
{
	char text[200];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(r->err, ERR_USAGE, "%s%s%s", r->path, r->path[0] ? ": " : "", text);
}

static enum err_code
fail_value(struct reader *r, const json_t *value, const char *what)
{
	char text[WHERE_VALUE_SIZE];
	return fail(r, "%s is not %s", where_value(value, text), what);
}

static enum err_code
fail_memory(struct reader *r)
{
	return err_set(r->err, ERR_FAILED, "no memory");
}

/* Puts the path before what a reader of settings has refused: "vlan: 5000 is ..." or "[] is not an object". */
static enum err_code
fail_below(struct reader *r, const struct err *why, const char *also)
{
	/* A message that begins with a key goes on the path; what is said of the whole object comes after it. */
	size_t word = strcspn(why->message, ": ");
	err_set(r->err, why->code, "%s%s%.160s", r->path, why->message[word] == ':' ? "." : ": ", why->message);
	return err_hint(r->err, "%s%s", why->hint, strstr(why->hint, "the keys here are") ? also : "");
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

static enum err_code
take_driver(struct reader *r, const json_t *value, char driver[static HOST_DRIVER_SIZE])
{
	size_t at = where_enter(r->path, "driver");
	const char *word = json_string_value(value);
	if (!word || !rules_driver_name(word)) {
		fail_value(r, value, "a driver");
		return err_hint(r->err, "e.g. \"vfio-pci\", \"kernel\" for the one that the kernel has for it, or \"none\"");
	}
	snprintf(driver, HOST_DRIVER_SIZE, "%s", strcmp(word, "none") ? word : "");
	where_leave(r->path, at);
	return ERR_NONE;
}

static enum err_code
check_vf(struct reader *r, const struct vfset *set)
{
	char mac[MAC_TEXT_SIZE];
	if (set->has & VFSET_MAC && mac_is_group(set->mac)) {
		return fail(r, "mac %s is a group address", mac_format(set->mac, mac));
	}
	if (set->has & VFSET_VLAN && set->vlan == 0 && set->qos) {
		fail(r, "qos %u without a vlan", set->qos);
		return err_hint(r->err, "give the VLAN, too: only a tag carries a priority");
	}
	if (set->has & VFSET_RATE && set->max_rate_bps && set->min_rate_bps > set->max_rate_bps) {
		return fail(r, "min_rate_bps is above max_rate_bps");
	}
	return ERR_NONE;
}

/* One object of "vfs", or several laid over each other. */
static enum err_code
take_vf(struct reader *r, const json_t *object, struct file_vf *vf)
{
	if (!json_is_object(object)) {
		return fail_value(r, object, "an object {...}");
	}
	const json_t *driver = json_object_get(object, "driver"), *mac = json_object_get(object, "mac");
	if (driver) {
		enum err_code code = take_driver(r, driver, vf->driver);
		if (code) {
			return code;
		}
		vf->has_driver = true;
	}
	json_t *rest = json_copy((json_t *)(uintptr_t)object);
	if (!rest) {
		return fail_memory(r);
	}
	vf->auto_mac = json_is_string(mac) && strcmp(json_string_value(mac), "auto") == 0;
	if (vf->auto_mac) {
		json_object_del(rest, "mac");
	}
	json_object_del(rest, "driver");
	struct err why = {0};
	enum err_code code = vfset_from_json(rest, &vf->set, &why);
	json_decref(rest);
	return code ? fail_below(r, &why, ", driver") : ERR_NONE;
}

/* ---- "vfs" ----------------------------------------------------------------------------------------------------------------- */

enum exactness { EXACT_ALL, EXACT_RANGE, EXACT_INDEX, EXACT_LEVELS };

struct vf_key {
	enum exactness level;
	unsigned first, last;
};

static bool
parse_vf_key(const char *name, struct vf_key *key)
{
	char word[16];
	uint64_t first, last;
	if (strcmp(name, "*") == 0) {
		*key = (struct vf_key){.level = EXACT_ALL, .last = FILE_VFS_MAX - 1};
		return true;
	}
	if (strlen(name) >= sizeof(word)) {
		return false;
	}
	snprintf(word, sizeof(word), "%s", name);
	char *dash = strchr(word, '-');
	if (dash) {
		*dash = '\0';
	}
	if (!num_parse_u64(word, 0, FILE_VFS_MAX - 1, &first)) {
		return false;
	}
	last = first;
	if (dash && (!num_parse_u64(dash + 1, 0, FILE_VFS_MAX - 1, &last) || last < first)) {
		return false;
	}
	*key = (struct vf_key){dash ? EXACT_RANGE : EXACT_INDEX, (unsigned)first, (unsigned)last};
	return true;
}

/* While "vfs" is read: what each VF is told, by how exactly it is named. */
struct vf_words {
	const json_t *said[EXACT_LEVELS][FILE_VFS_MAX];
};

static enum err_code
take_vf_key(struct reader *r, const struct file_port *port, const char *name, const json_t *value, struct vf_words *words)
{
	struct vf_key key;
	struct file_vf alone = {0};
	if (!parse_vf_key(name, &key)) {
		fail(r, "not a VF's index, a range of them or \"*\"");
		return err_hint(r->err, "\"0\", \"1-3\" or \"*\"; at most %d", FILE_VFS_MAX - 1);
	}
	if (key.level != EXACT_ALL && port->numvfs >= 0 && key.last >= (unsigned)port->numvfs) {
		fail(r, "the port is to have %d VFs", port->numvfs);
		return port->numvfs ? err_hint(r->err, "0 to %d", port->numvfs - 1) : ERR_USAGE;
	}
	enum err_code code = take_vf(r, value, &alone);
	if (code) {
		return code;
	}
	if (alone.set.has & VFSET_MAC && key.first != key.last) {
		fail(r, "one mac for several VFs");
		return err_hint(r->err, "\"auto\" gives each its own");
	}
	for (unsigned i = key.first; i <= key.last; i++) {
		if (words->said[key.level][i]) {
			return fail(r, "VF %u is named by another key already", i);
		}
		words->said[key.level][i] = value;
	}
	return ERR_NONE;
}

static enum err_code
merge_vf(struct reader *r, const struct vf_words *words, unsigned i, struct file_vf *vf)
{
	json_t *merged = json_object();
	bool ok = merged != NULL;
	for (unsigned level = 0; level < EXACT_LEVELS; level++) {
		const json_t *said = words->said[level][i];
		if (said) {
			vf->exact = vf->exact || level != EXACT_ALL;
			ok = ok && json_object_update(merged, (json_t *)(uintptr_t)said) == 0;
		}
	}
	char name[12];
	snprintf(name, sizeof(name), "%u", i);
	size_t at = where_enter(r->path, name);
	enum err_code code = ok ? take_vf(r, merged, vf) : fail_memory(r);
	code = code ? code : check_vf(r, &vf->set);
	json_decref(merged);
	if (!code) {
		where_leave(r->path, at);
	}
	return code;
}

static enum err_code
take_vfs(struct reader *r, const json_t *vfs, struct file_port *port)
{
	if (!json_is_object(vfs)) {
		return fail_value(r, vfs, "an object {...}");
	}
	struct vf_words *words = calloc(1, sizeof(*words));
	enum err_code code = words ? ERR_NONE : fail_memory(r);
	json_t *all = (json_t *)(uintptr_t)vfs;
	for (void *i = json_object_iter(all); i && !code; i = json_object_iter_next(all, i)) {
		size_t at = where_enter(r->path, json_object_iter_key(i));
		code = take_vf_key(r, port, json_object_iter_key(i), json_object_iter_value(i), words);
		if (!code) {
			where_leave(r->path, at);
		}
	}
	unsigned n = port->numvfs >= 0 ? (unsigned)port->numvfs : FILE_VFS_MAX;
	for (unsigned i = 0; i < n && !code; i++) {
		code = merge_vf(r, words, i, &port->vf[i]);
	}
	free(words);
	return code;
}

/* ---- "ports" --------------------------------------------------------------------------------------------------------------- */

static enum err_code
take_label(struct reader *r, const json_t *value, struct file_port *port)
{
	const char *word = json_string_value(value);
	size_t n = word ? strlen(word) : 0;
	bool ok = n > 0 && n < HOST_LABEL_SIZE;
	for (size_t i = 0; ok && i < n; i++) {
		ok = word[i] > ' ' && word[i] < 0x7f && word[i] != ':';
	}
	if (!ok) {
		fail_value(r, value, "a label");
		return err_hint(r->err, "1 to %d characters without spaces and colons", HOST_LABEL_SIZE - 1);
	}
	for (const struct file_port *other = r->file->port; other < port; other++) {
		if (strcmp(other->label, word) == 0) {
			return fail(r, "%s is the label of %.40s already", word, other->name);
		}
	}
	snprintf(port->label, sizeof(port->label), "%s", word);
	return ERR_NONE;
}

static enum err_code
take_own(struct reader *r, const char *key, const json_t *value, struct file_port *port)
{
	json_int_t n = json_integer_value(value);
	if (strcmp(key, "label") == 0) {
		return take_label(r, value, port);
	}
	if (strcmp(key, "autoprobe") == 0) {
		port->autoprobe = json_is_true(value);
		return json_is_boolean(value) ? ERR_NONE : fail_value(r, value, "true or false");
	}
	if (strcmp(key, "numvfs") == 0) {
		port->numvfs = (int)n;
		return json_is_integer(value) && n >= 0 && n <= FILE_VFS_MAX ? ERR_NONE
									     : fail_value(r, value, "a number of VFs (0 to 256)");
	}
	return take_vfs(r, value, port);
}

static enum err_code
check_port(struct reader *r, const struct portset *set)
{
	if (set->has & PORTSET_MTU && set->mtu < MTU_MIN) {
		return fail(r, "mtu %u is too small: at least %d", set->mtu, MTU_MIN);
	}
	if (set->has & PORTSET_DUPLEX && set->duplex == HOST_DUPLEX_UNKNOWN) {
		return fail(r, "duplex can be \"half\" or \"full\"");
	}
	if (set->has & PORTSET_SPEED && set->speed_bps % MBIT) {
		return fail(r, "speed_bps is not whole Mbit/s");
	}
	return set->has & PORTSET_SPEED && set->speed_bps == 0 ? fail(r, "speed_bps 0 is no speed") : ERR_NONE;
}

static enum err_code
take_port(struct reader *r, const json_t *object, struct file_port *port)
{
	/* What is in "vfs" is judged by "numvfs". */
	static const char *const own[] = {"label", "autoprobe", "numvfs", "vfs"};
	if (!json_is_object(object)) {
		return fail_value(r, object, "an object {...}");
	}
	json_t *rest = json_copy((json_t *)(uintptr_t)object);
	enum err_code code = rest ? ERR_NONE : fail_memory(r);
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]) && !code; i++) {
		const json_t *value = json_object_get(object, own[i]);
		size_t at = where_enter(r->path, own[i]);
		code = value ? take_own(r, own[i], value, port) : ERR_NONE;
		json_object_del(rest, own[i]);
		if (!code) {
			where_leave(r->path, at);
		}
	}
	struct err why = {0};
	if (!code && portset_from_json(rest, &port->set, &why)) {
		code = fail_below(r, &why, ", label, numvfs, autoprobe, vfs");
	}
	json_decref(rest);
	return code ? code : check_port(r, &port->set);
}

static enum err_code
take_name(struct reader *r, const char *name, char to[static HOST_TEXT_SIZE])
{
	if (!*name || strlen(name) >= HOST_TEXT_SIZE) {
		return fail(r, "not a name of 1 to %d bytes", HOST_TEXT_SIZE - 1);
	}
	snprintf(to, HOST_TEXT_SIZE, "%s", name);
	return ERR_NONE;
}

static enum err_code
take_ports(struct reader *r, const json_t *ports)
{
	if (json_object_size(ports) > FILE_PORTS_MAX) {
		return fail(r, "more than %d", FILE_PORTS_MAX);
	}
	r->file->port = calloc(json_object_size(ports) + 1, sizeof(*r->file->port));
	json_t *all = (json_t *)(uintptr_t)ports;
	for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i)) {
		struct file_port *port = r->file->port ? &r->file->port[r->file->nports] : NULL;
		struct file_vf *vf = calloc(FILE_VFS_MAX, sizeof(*vf));
		if (!port || !vf) {
			free(vf);
			return fail_memory(r);
		}
		*port = (struct file_port){.numvfs = -1, .autoprobe = -1, .vf = vf};
		r->file->nports++;
		size_t at = where_enter(r->path, json_object_iter_key(i));
		enum err_code code = take_name(r, json_object_iter_key(i), port->name);
		code = code ? code : take_port(r, json_object_iter_value(i), port);
		if (code) {
			return code;
		}
		where_leave(r->path, at);
	}
	return ERR_NONE;
}

/* ---- "devices" ------------------------------------------------------------------------------------------------------------- */

static enum err_code
take_device(struct reader *r, const json_t *object, struct file_device *device)
{
	const json_t *driver = json_object_get(object, "driver");
	if (!json_is_object(object)) {
		return fail_value(r, object, "an object {...}");
	}
	if (json_object_size(object) > (driver ? 1u : 0u)) {
		const char *name = "driver";
		json_t *all = (json_t *)(uintptr_t)object;
		for (void *i = json_object_iter(all); i && strcmp(name, "driver") == 0; i = json_object_iter_next(all, i)) {
			name = json_object_iter_key(i);
		}
		where_enter(r->path, name);
		fail(r, "unknown key");
		return err_hint(r->err, "the keys here are: driver");
	}
	return driver ? take_driver(r, driver, device->driver) : fail(r, "no driver");
}

static enum err_code
take_devices(struct reader *r, const json_t *devices)
{
	r->file->device = calloc(json_object_size(devices) + 1, sizeof(*r->file->device));
	if (!r->file->device) {
		return fail_memory(r);
	}
	json_t *all = (json_t *)(uintptr_t)devices;
	for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i)) {
		struct file_device *device = &r->file->device[r->file->ndevices++];
		size_t at = where_enter(r->path, json_object_iter_key(i));
		enum err_code code = take_name(r, json_object_iter_key(i), device->name);
		code = code ? code : take_device(r, json_object_iter_value(i), device);
		if (code) {
			return code;
		}
		where_leave(r->path, at);
	}
	return ERR_NONE;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static enum err_code
take_document(struct reader *r, const json_t *document)
{
	if (!json_is_object(document)) {
		return fail_value(r, document, "an object {...}");
	}
	json_t *all = (json_t *)(uintptr_t)document;
	for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i)) {
		const char *name = json_object_iter_key(i);
		const json_t *value = json_object_iter_value(i);
		bool ports = strcmp(name, "ports") == 0;
		size_t at = where_enter(r->path, name);
		if (!ports && strcmp(name, "devices") != 0) {
			fail(r, "unknown key");
			return err_hint(r->err, "the keys here are: ports, devices");
		}
		if (!json_is_object(value)) {
			return fail_value(r, value, "an object {...}");
		}
		enum err_code code = ports ? take_ports(r, value) : take_devices(r, value);
		if (code) {
			return code;
		}
		where_leave(r->path, at);
	}
	return ERR_NONE;
}

struct given_mac {
	uint64_t mac;
	const struct file_port *port;
	unsigned index;
};

static int
compare_macs(const void *a, const void *b)
{
	const struct given_mac *x = a, *y = b;
	if (x->mac != y->mac) {
		return x->mac < y->mac ? -1 : 1;
	}
	if (x->port != y->port) {
		return x->port < y->port ? -1 : 1;
	}
	return x->index < y->index ? -1 : x->index > y->index;
}

static enum err_code
check_macs(struct reader *r)
{
	const struct file *file = r->file;
	struct given_mac *given = calloc(file->nports * FILE_VFS_MAX + 1, sizeof(*given));
	size_t n = 0;
	if (!given) {
		return fail_memory(r);
	}
	for (size_t p = 0; p < file->nports; p++) {
		for (unsigned i = 0; i < FILE_VFS_MAX; i++) {
			const struct vfset *set = &file->port[p].vf[i].set;
			if (set->has & VFSET_MAC && set->mac) {
				given[n++] = (struct given_mac){set->mac, &file->port[p], i};
			}
		}
	}
	qsort(given, n, sizeof(*given), compare_macs);
	enum err_code code = ERR_NONE;
	for (size_t i = 1; i < n && !code; i++) {
		if (given[i].mac == given[i - 1].mac) {
			char mac[MAC_TEXT_SIZE];
			code = err_set(r->err, ERR_USAGE, "ports.%.48s.vfs.%u.mac: %s is that of ports.%.48s.vfs.%u",
				given[i].port->name, given[i].index, mac_format(given[i].mac, mac), given[i - 1].port->name,
				given[i - 1].index);
		}
	}
	free(given);
	return code;
}

enum err_code
file_parse(const char *text, size_t size, struct file *file, struct err *err)
{
	*file = (struct file){0};
	if (size > FILE_SIZE_MAX) {
		return err_set(err, ERR_USAGE, "the file is longer than %u bytes", FILE_SIZE_MAX);
	}
	json_error_t where;
	json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (!document) {
		return err_set(err, ERR_USAGE, "line %d, column %d: %s", where.line, where.column, where.text);
	}
	struct reader r = {.file = file, .err = err};
	enum err_code code = take_document(&r, document);
	code = code ? code : check_macs(&r);
	json_decref(document);
	if (code) {
		file_free(file);
	}
	return code;
}

void
file_free(struct file *file)
{
	for (size_t i = 0; i < file->nports; i++) {
		free(file->port[i].vf);
	}
	free(file->port);
	free(file->device);
	*file = (struct file){0};
}
