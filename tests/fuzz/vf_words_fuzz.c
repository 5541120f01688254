/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/vfset.c lib/vf/portset.c lib/vf/keys.c */
/* links: lib/json/field.c lib/base/addr.c lib/base/num.c lib/base/err.c -ljansson -lcmocka */
/*
 * What people type for a device, and settings as they stand in files: any bytes. A name that is found must be found by the name
 * that we call it; settings that are taken must be taken again as we write them, and be the same.
 */
#include "../unit/vf_hosts.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool ok)
{
	if (!ok) {
		abort();
	}
}

static void
check_name(const char *name)
{
	struct host host;
	struct host_func *func, *again;
	struct err err = {0};
	char text[HOST_TEXT_SIZE];
	hosts_igb(&host, 3);
	for (unsigned want = 1; want <= HOST_WANT_ANY; want++) {
		if (host_find(&host, name, want, &func, &err) != ERR_NONE) {
			need(func == NULL && err.code != ERR_NONE && err.message[0]);
			continue;
		}
		need(host_find(&host, host_name(&host, func, text), want, &again, &err) == ERR_NONE && again == func);
	}
	host_free(&host);
}

static void
check_address(const char *text)
{
	uint64_t addr, again;
	char full[PCI_TEXT_SIZE], brief[PCI_TEXT_SIZE];
	if (!pci_parse(text, &addr)) {
		return;
	}
	need(pci_parse(pci_format(addr, full), &again) && again == addr);
	need(pci_parse(pci_format_short(addr, brief), &again) && again == addr);
}

static void
check_vfset(const json_t *value)
{
	struct vfset set, again;
	struct err err = {0};
	char text[64];
	if (vfset_from_json(value, &set, &err) != ERR_NONE) {
		need(err.code == ERR_USAGE && err.message[0]);
		return;
	}
	json_t *written = vfset_to_json(&set);
	need(written && vfset_from_json(written, &again, &err) == ERR_NONE);
	need(again.has == set.has && vfset_diff(&set, &again) == 0);
	for (unsigned i = 0; i < VFSET_COUNT; i++) {
		need(vfset_text(&set, 1u << i, text, sizeof(text))[0]);
	}
	json_decref(written);
}

static void
check_portset(const json_t *value)
{
	struct portset set, again;
	struct err err = {0};
	char text[64];
	if (portset_from_json(value, &set, &err) != ERR_NONE) {
		need(err.code == ERR_USAGE && err.message[0]);
		return;
	}
	json_t *written = portset_to_json(&set);
	need(written && portset_from_json(written, &again, &err) == ERR_NONE);
	need(again.has == set.has && portset_diff(&set, &again) == 0);
	for (unsigned i = 0; i < PORTSET_COUNT; i++) {
		need(portset_text(&set, 1u << i, text, sizeof(text))[0]);
	}
	json_decref(written);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	need(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (value) {
		check_vfset(value);
		check_portset(value);
		json_decref(value);
	}
	check_name(text);
	check_address(text);
	free(text);
	return 0;
}
