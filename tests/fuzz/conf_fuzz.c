/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/conf/bridge.c lib/conf/diff.c lib/conf/iface.c lib/conf/keys.c lib/conf/memory.c lib/conf/parse.c */
/* links: lib/conf/patch.c lib/conf/port.c lib/conf/prefix.c lib/conf/read.c lib/conf/route.c lib/conf/write.c */
/* links: lib/base/addr.c lib/base/err.c lib/base/num.c lib/shm/seg.c lib/shm/seg_create.c -ljansson */
/* links: lib/json/where.c lib/json/field.c */
/*
 * The appliance file: any bytes. What is taken must be taken again in its canonical text, mean the same, and need a finite amount
 * of memory. Bytes after a 0 byte are a merge patch.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

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
check_same(const struct conf *conf)
{
	struct conf again;
	struct err err;
	struct conf_changes changes;
	struct conf_memory_item items[16];
	need(conf_parse(conf->text, strlen(conf->text), &again, &err) == ERR_NONE);
	need(strcmp(conf->text, again.text) == 0);
	need(conf_diff(conf, &again, &changes) && changes.n == 0);
	need(conf_memory(conf, items, 16) > 0 && conf_mbufs_needed(conf) > 0);
	conf_changes_free(&changes);
	conf_free(&again);
}

static void
check_patch(const struct conf *conf, const char *patch, size_t size)
{
	char *merged;
	struct conf next;
	struct conf_changes changes;
	struct err err = {0};
	if (conf_patch(conf->text, patch, size, &merged, &err) != ERR_NONE) {
		need(err.message[0] != '\0');
		return;
	}
	if (conf_parse(merged, strlen(merged), &next, &err) == ERR_NONE) {
		need(conf_diff(conf, &next, &changes));
		conf_changes_free(&changes);
		conf_free(&next);
	}
	free(merged);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size ? memchr(text, '\0', size) : NULL;
	size_t first = end ? (size_t)(end - text) : size;
	struct conf conf;
	struct err err = {0};
	if (conf_parse(text, first, &conf, &err) != ERR_NONE) {
		need(err.code != ERR_NONE && err.message[0] != '\0');
		return 0;
	}
	check_same(&conf);
	if (end) {
		check_patch(&conf, end + 1, size - first - 1);
	}
	conf_free(&conf);
	return 0;
}
