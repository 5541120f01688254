/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/file.c lib/vf/file_next.c lib/vf/file_save.c lib/vf/pretend.c lib/vf/plan.c lib/vf/plan_numvfs.c */
/* links: lib/vf/plan_port.c lib/vf/plan_lease.c lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c lib/vf/rules.c */
/* links: lib/vf/rules_driver.c lib/vf/rules_set.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/vfset.c lib/vf/portset.c */
/* links: lib/json/where.c lib/json/field.c lib/vf/keys.c lib/base/addr.c lib/base/err.c lib/base/num.c -ljansson */
/*
 * The file of "vfctl apply": any bytes. What is taken is done to the model of a host: that comes to an end, and then nothing is
 * to do; what save makes of it is taken again, and nothing is to do either.
 */
#include <stdio.h>

#include "must.h"
#include "vf/file.h"
#include "vf/pretend.h"

#define FUNCS 4
#define PARTS_MAX 4096
#define ENTRIES_MAX 8192

static void
make_host(struct host *host)
{
	*host = (struct host){.func = calloc(FUNCS, sizeof(struct host_func)), .nfuncs = FUNCS, .iommu = true};
	must(host->func);
	static const char *const drivers[FUNCS] = {"igb", "ice", "virtio-pci", ""};
	for (unsigned i = 0; i < FUNCS; i++) {
		struct host_func *func = &host->func[i];
		*func = (struct host_func){.addr = (i + 1) << 8, .class_code = 0x020000, .group = (int)i, .numa = -1};
		snprintf(func->driver, sizeof(func->driver), "%s", drivers[i]);
		if (i < 2) {
			func->role = HOST_PF;
			func->total_vfs = i ? 64 : 7;
			func->autoprobe = i;
		}
		if (i < 3) {
			func->iface = calloc(1, sizeof(*func->iface));
			must(func->iface);
			func->nifaces = 1;
			*func->iface = (struct host_if){.mac = 0x020000000000 + i, .up = true, .carrier = true};
			snprintf(func->iface->name, sizeof(func->iface->name), "eth%u", i);
			func->iface->set =
				(struct portset){.has = (1u << PORTSET_COUNT) - 1, .speed_bps = 10000000000, .mtu = 1500};
		}
	}
}

static void
leave_out(struct file_skip *skip, const char *path)
{
	for (size_t i = 0; i < skip->n; i++) {
		must(strcmp(skip->path[i], path) != 0);
	}
	must(skip->n < PARTS_MAX);
	skip->path = realloc(skip->path, (skip->n + 1) * sizeof(*skip->path));
	must(skip->path);
	snprintf(skip->path[skip->n++], FILE_PATH_SIZE, "%s", path);
}

/* Returns how many entries were done. */
static unsigned
apply(const struct file *file, struct host *host, const struct ledger *ledger, unsigned *failed)
{
	struct file_skip skip = {0};
	struct err err = {0};
	unsigned done = 0;
	for (; done < ENTRIES_MAX; done++) {
		const struct plan_input in = {.host = host, .ledger = ledger};
		struct ledger_entry entry;
		char path[FILE_PATH_SIZE];
		if (file_label(file, host, &err)) {
			break;
		}
		if (file_next(file, &in, &skip, path, &entry, &err)) {
			must(err.message[0] && path[0]);
			leave_out(&skip, path);
			continue;
		}
		if (entry.steps.n == 0) {
			break;
		}
		for (size_t i = 0; i < entry.steps.n; i++) {
			must(pretend_step(host, &entry.steps.step[i]));
		}
		ledger_entry_free(&entry);
	}
	must(done < ENTRIES_MAX);
	*failed = (unsigned)skip.n;
	free(skip.path);
	return done - *failed;
}

static void
check_saved(struct host *host, const struct ledger *ledger)
{
	struct file file;
	struct err err;
	unsigned failed;
	json_t *saved = file_of_host(host, ledger);
	char *text = json_dumps(saved, 0);
	must(text && file_parse(text, strlen(text), &file, &err) == ERR_NONE);
	must(apply(&file, host, ledger, &failed) == 0 && failed == 0);
	file_free(&file);
	free(text);
	json_decref(saved);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file;
	struct host host;
	struct ledger ledger = {0};
	struct err err = {0};
	unsigned failed;
	char *copy = (char *)copy_of(data, size);
	if (file_parse(copy, size, &file, &err)) {
		must(err.code == ERR_USAGE && err.message[0]);
		free(copy);
		return 0;
	}
	make_host(&host);
	apply(&file, &host, &ledger, &failed);
	must(apply(&file, &host, &ledger, &failed) == 0);
	check_saved(&host, &ledger);
	host_free(&host);
	file_free(&file);
	free(copy);
	return 0;
}
