/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of functions: what people type, what they are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "vf/host.h"

#define NAME_SIZE (HOST_TEXT_SIZE + 8)
#define SYSFS "/sys/"

static bool
wanted(const struct host_func *func, unsigned want)
{
	static const unsigned bits[] = {[HOST_PLAIN] = HOST_WANT_PLAIN, [HOST_PF] = HOST_WANT_PF, [HOST_VF] = HOST_WANT_VF};
	return want & bits[func->role];
}

/* A label is the port's, and a VF is no port. */
static bool
labelled(const struct host_func *func)
{
	return func->role != HOST_VF && func->label[0];
}

char *
host_name(const struct host *host, const struct host_func *func, char text[HOST_TEXT_SIZE])
{
	char addr[PCI_TEXT_SIZE];
	const struct host_func *pf = func->role == HOST_VF ? host_at(host, func->pf) : NULL;
	const struct host_func *port = pf ? pf : func;
	const char *name = pci_format(port->addr, addr);
	if (port->role != HOST_VF && port->nifaces) {
		name = port->iface[0].name;
	} else if (labelled(port)) {
		name = port->label;
	}
	if (pf) {
		snprintf(text, HOST_TEXT_SIZE, "%s:%u", name, func->index);
	} else {
		snprintf(text, HOST_TEXT_SIZE, "%s", name);
	}
	return text;
}

static void
offer_names(const struct host *host, unsigned want, bool bridges, host_offer *offer, void *arg)
{
	char text[HOST_TEXT_SIZE], addr[PCI_TEXT_SIZE];
	for (size_t i = 0; i < host->nfuncs; i++) {
		const struct host_func *func = &host->func[i];
		if (!wanted(func, want) || (host_is_bridge(func) && !bridges)) {
			continue;
		}
		pci_format(func->addr, addr);
		if (func->role == HOST_VF) {
			const struct host_func *pf = host_at(host, func->pf);
			if (strcmp(host_name(host, func, text), addr) != 0) {
				offer(arg, text);
			}
			if (pf && pf->nifaces && labelled(pf)) {
				snprintf(text, sizeof(text), "%s:%u", pf->label, func->index);
				offer(arg, text);
			}
		}
		for (size_t k = 0; k < func->nifaces; k++) {
			offer(arg, func->iface[k].name);
		}
		if (labelled(func)) {
			offer(arg, func->label);
		}
		offer(arg, addr);
	}
}

void
host_names(const struct host *host, unsigned want, host_offer *offer, void *arg)
{
	offer_names(host, want, true, offer, arg);
}

/* ---- what is alike ------------------------------------------------------------------------------------------------- */

#define ALIKE_MAX 4
#define ALIKE_LENGTH 40

struct alike {
	const char *name;
	unsigned best; /* edits that the nearest ones need */
	size_t n, seen;
	char names[ALIKE_MAX][NAME_SIZE];
	char first[ALIKE_MAX][NAME_SIZE]; /* of all, for when none is near */
};

/* How many letters must be added, taken away, changed or swapped with their neighbour. */
static unsigned
edits(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[3][ALIKE_LENGTH + 1];
	if (la > ALIKE_LENGTH || lb > ALIKE_LENGTH) {
		return ALIKE_LENGTH;
	}
	for (size_t j = 0; j <= lb; j++) {
		row[0][j] = (unsigned)j;
	}
	for (size_t i = 1; i <= la; i++) {
		unsigned *now = row[i % 3], *last = row[(i - 1) % 3], *before = row[(i + 1) % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned least = last[j - 1] + (a[i - 1] != b[j - 1]);
			least = last[j] + 1 < least ? last[j] + 1 : least;
			least = now[j - 1] + 1 < least ? now[j - 1] + 1 : least;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < least) {
				least = before[j - 2] + 1;
			}
			now[j] = least;
		}
	}
	return row[la % 3][lb];
}

static void
compare(void *arg, const char *name)
{
	struct alike *a = arg;
	if (a->seen < ALIKE_MAX) {
		snprintf(a->first[a->seen], NAME_SIZE, "%s", name);
	}
	a->seen++;
	unsigned n = edits(a->name, name);
	/* Two slips, and in short names one; more is another name. */
	if (n > (strlen(a->name) < 4 ? 1u : 2u) || n > a->best) {
		return;
	}
	a->n = n < a->best ? 0 : a->n;
	a->best = n;
	if (a->n < ALIKE_MAX) {
		snprintf(a->names[a->n++], NAME_SIZE, "%s", name);
	}
}

static enum err_code
not_found(const struct host *host, const char *name, unsigned want, struct err *err)
{
	uint64_t addr;
	char text[PCI_TEXT_SIZE];
	bool is_addr = pci_parse(name, &addr);
	struct alike a = {.name = is_addr ? pci_format(addr, text) : name, .best = ALIKE_LENGTH};
	offer_names(host, want, false, compare, &a); /* nobody looks for a bridge */
	bool near = a.n > 0;
	size_t n = near ? a.n : a.seen < ALIKE_MAX ? a.seen : ALIKE_MAX;
	char list[200] = "";
	for (size_t i = 0; i < n; i++) {
		size_t end = strlen(list);
		snprintf(list + end, sizeof(list) - end, "%s%s",
			i == 0               ? ""
			: near && i + 1 == n ? " or "
					     : ", ",
			near ? a.names[i] : a.first[i]);
	}
	err_set(err, ERR_NOT_FOUND, is_addr ? "there is no PCI function %s" : "no device is called %s", name);
	if (near) {
		return err_hint(err, "did you mean %s", list);
	}
	return err_hint(err, n ? "there are: %s%s" : "%sthere are none%s", list, a.seen > n ? ", ..." : "");
}

/* ---- finding ------------------------------------------------------------------------------------------------------- */

static bool
is_called(const struct host_if *iface, const char *name)
{
	const char *alt = iface->altnames;
	while (*alt && strcmp(alt, name) != 0) {
		alt += strlen(alt) + 1;
	}
	return *alt || strcmp(iface->name, name) == 0;
}

static bool
carries(const struct host_func *func, const char *name)
{
	for (size_t i = 0; i < func->nifaces; i++) {
		if (is_called(&func->iface[i], name)) {
			return true;
		}
	}
	return labelled(func) && strcmp(func->label, name) == 0;
}

/* By address, interface or label. *other is a second one of that name. */
static struct host_func *
by_name(const struct host *host, const char *name, struct host_func **other)
{
	uint64_t addr;
	struct host_func *found = NULL;
	*other = NULL;
	if (pci_parse(name, &addr)) {
		return host_at(host, addr);
	}
	for (size_t i = 0; i < host->nfuncs; i++) {
		struct host_func *func = &host->func[i];
		if (carries(func, name)) {
			if (found) {
				*other = func;
				break;
			}
			found = func;
		}
	}
	return found;
}

static enum err_code
ambiguous(const char *name, const struct host_func *a, const struct host_func *b, struct err *err)
{
	char first[PCI_TEXT_SIZE], second[PCI_TEXT_SIZE];
	err_set(err, ERR_USAGE, "%s is the name of two: %s and %s", name, pci_format(a->addr, first),
		pci_format(b->addr, second));
	return err_hint(err, "say its address");
}

/* The VFs that there are, as "eth0:0 to eth0:3". */
static void
range(const char *pf, const struct host_func *func, char *text, size_t size)
{
	if (func->num_vfs == 1) {
		snprintf(text, size, "%.60s:0", pf);
	} else {
		snprintf(text, size, "%.60s:0 to %.60s:%u", pf, pf, func->num_vfs - 1u);
	}
}

static enum err_code
no_such_vf(const char *pf, const struct host_func *func, uint64_t index, struct err *err)
{
	char text[160];
	if (func->role != HOST_PF) {
		return err_set(err, ERR_USAGE, "%.60s is no PF: it has no VFs", pf);
	}
	err_set(err, ERR_NOT_FOUND, "%.60s has no VF %llu", pf, (unsigned long long)index);
	if (func->num_vfs == 0) {
		return err_hint(err, "it has none: vfctl numvfs %.60s N makes them, up to %u", pf, func->total_vfs);
	}
	range(pf, func, text, sizeof(text));
	return err_hint(err, "it has %s", text);
}

/* "PF:N" and "PFvN". *done: it was such a name, found or not. */
static enum err_code
by_index(const struct host *host, const char *name, bool *done, struct host_func **func, struct err *err)
{
	char base[NAME_SIZE];
	uint64_t index;
	struct host_func *pf, *other;
	size_t length = strlen(name), digits = length;
	*done = false;
	while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') {
		digits--;
	}
	if (digits < 2 || digits == length || (name[digits - 1] != ':' && name[digits - 1] != 'v') || digits > sizeof(base) ||
		!num_parse_u64(name + digits, 0, UINT16_MAX, &index)) {
		return ERR_NONE;
	}
	snprintf(base, sizeof(base), "%.*s", (int)digits - 1, name);
	pf = by_name(host, base, &other);
	if (!pf) {
		return ERR_NONE;
	}
	*done = true;
	if (other) {
		return ambiguous(base, pf, other, err);
	}
	*func = host_vf(host, pf->addr, (unsigned)index);
	return *func ? ERR_NONE : no_such_vf(base, pf, index, err);
}

static const char *
want_text(unsigned want)
{
	switch (want) {
	case HOST_WANT_PF:
		return "a PF";
	case HOST_WANT_VF:
		return "a VF";
	case HOST_WANT_PF | HOST_WANT_VF:
		return "a PF or a VF";
	case HOST_WANT_PF | HOST_WANT_PLAIN:
		return "a PF or another device";
	case HOST_WANT_VF | HOST_WANT_PLAIN:
		return "a VF or another device";
	default:
		return "a device that is neither PF nor VF";
	}
}

static enum err_code
of_another_kind(const struct host *host, const char *name, const struct host_func *func, unsigned want, struct err *err)
{
	static const char *const roles[] = {[HOST_PLAIN] = "neither a PF nor a VF", [HOST_PF] = "a PF", [HOST_VF] = "a VF"};
	char text[160];
	err_set(err, ERR_USAGE, "%.80s is %s; %s is wanted", name, roles[func->role], want_text(want));
	if (func->role == HOST_PF && want & HOST_WANT_VF) {
		if (func->num_vfs == 0) {
			return err_hint(err, "it has no VFs: vfctl numvfs %.60s N makes them, up to %u", name, func->total_vfs);
		}
		range(name, func, text, sizeof(text));
		return err_set(err, ERR_USAGE, "%.80s is a PF; %s is wanted: %s", name, want_text(want), text);
	}
	const struct host_func *pf = func->role == HOST_VF ? host_at(host, func->pf) : NULL;
	if (pf && want & HOST_WANT_PF) {
		char pf_name[HOST_TEXT_SIZE];
		return err_hint(err, "its PF is %s", host_name(host, pf, pf_name));
	}
	if (func->role == HOST_PLAIN) {
		return err_hint(err, "the device, its driver or the firmware has no SR-IOV");
	}
	return ERR_USAGE;
}

/* Without what other tools put before it: "pci:" the appliance's file, "pci/" devlink, a path sysfs. A completed path ends in
 * "/". */
static const char *
without_prefix(const char *name, char text[NAME_SIZE])
{
	if (strncmp(name, "pci:", 4) == 0 || strncmp(name, "pci/", 4) == 0) {
		return name + 4;
	}
	if (strncmp(name, SYSFS, strlen(SYSFS)) != 0) {
		return name;
	}
	size_t end = strlen(name);
	while (name[end - 1] == '/' && end > strlen(SYSFS)) {
		end--;
	}
	size_t start = end;
	while (name[start - 1] != '/') {
		start--;
	}
	snprintf(text, NAME_SIZE, "%.*s", (int)(end - start < NAME_SIZE ? end - start : 0), name + start);
	return text[0] ? text : name;
}

enum err_code
host_find(const struct host *host, const char *name, unsigned want, struct host_func **func, struct err *err)
{
	char text[NAME_SIZE];
	struct host_func *other = NULL;
	bool done = false;
	*func = NULL;
	name = without_prefix(name, text);
	struct host_func *found = by_name(host, name, &other);
	if (other) {
		return ambiguous(name, found, other, err);
	}
	if (!found) {
		enum err_code code = by_index(host, name, &done, &found, err);
		if (code) {
			return code;
		}
	}
	if (!found) {
		return not_found(host, name, want, err);
	}
	if (!wanted(found, want)) {
		return of_another_kind(host, name, found, want, err);
	}
	*func = found;
	return ERR_NONE;
}
