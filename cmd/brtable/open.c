/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "brtable.h"

const char *const br_type_name[] = {[BR_DYNAMIC] = "dynamic", [BR_STATIC] = "static", [BR_STICKY] = "sticky"};

static uint64_t
now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static const char *
fid_bridge(const struct br *br, unsigned fid)
{
	unsigned bridge = br->tables->fid[fid].bridge;
	const char *name = bridge < SEG_MAX_BRIDGES ? br->tables->bridge[bridge].name : "";
	return bridge && name[0] ? name : NULL;
}

static int
compare_fids(const void *a, const void *b, void *arg)
{
	const struct br *br = arg;
	uint16_t fa = *(const uint16_t *)a, fb = *(const uint16_t *)b;
	const char *na = fid_bridge(br, fa), *nb = fid_bridge(br, fb);
	int order = strcmp(na ? na : "\xff", nb ? nb : "\xff");
	if (order) {
		return order;
	}
	unsigned va = br->tables->fid[fa].vid, vb = br->tables->fid[fb].vid;
	return va != vb ? (va > vb) - (va < vb) : (fa > fb) - (fa < fb);
}

static void
rank_fids(struct br *br)
{
	uint16_t order[SEG_MAX_FIDS];
	for (unsigned i = 0; i < SEG_MAX_FIDS; i++) {
		order[i] = (uint16_t)i;
	}
	qsort_r(order, SEG_MAX_FIDS, sizeof(*order), compare_fids, br);
	for (unsigned i = 0; i < SEG_MAX_FIDS; i++) {
		br->rank[order[i]] = (uint16_t)i;
	}
}

enum err_code
br_open(const struct cli *cli, struct br *br, struct err *err)
{
	*br = (struct br){.ncores = 0};
	enum err_code code = source_open(cli, &br->seg, err);
	if (code) {
		return code;
	}
	br->tables = malloc(sizeof(*br->tables));
	if (!br->tables) {
		br_close(br);
		return err_set(err, ERR_FAILED, "no memory");
	}
	if (!seg_read_tables(&br->seg, br->tables)) {
		cli_note(cli, "the engine ended while it wrote its configuration; names may be wrong");
	}
	br->control = seg_control(&br->seg);
	br->ncores = br->seg.head.ncores;
	br->live = !cli->saved && seg_writer_alive(&br->seg);
	const struct seg_header *shared = (const struct seg_header *)(const void *)br->seg.base;
	br->now_ns = br->live ? now_ns() : seg_get(&shared->heartbeat_ns);
	rank_fids(br);
	return ERR_NONE;
}

void
br_close(struct br *br)
{
	free(br->tables);
	br->tables = NULL;
	seg_detach(&br->seg);
}

/* ---- filters ---------------------------------------------------------------------------------------------------- */

/* "no such bridge" with the names there are. */
static enum err_code
no_such(struct err *err, const char *what, const char *name, const char *first, size_t stride, unsigned n)
{
	char names[200] = "";
	size_t at = 0;
	for (unsigned i = 1; i < n; i++) {
		const char *one = first + i * stride;
		if (one[0] && at + strlen(one) + 6 < sizeof(names)) {
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "", one);
		}
	}
	err_set(err, ERR_NOT_FOUND, "%s: no such %s", name, what);
	return err_hint(err, names[0] ? "there are: %s" : "%sthere are none", names);
}

static enum err_code
filter_bridge(const struct br *br, const char *name, uint16_t *bridge, struct err *err)
{
	for (uint16_t i = 1; i < SEG_MAX_BRIDGES; i++) {
		if (strcmp(br->tables->bridge[i].name, name) == 0) {
			*bridge = i;
			return ERR_NONE;
		}
	}
	return no_such(err, "bridge", name, br->tables->bridge[0].name, sizeof(br->tables->bridge[0]), SEG_MAX_BRIDGES);
}

static enum err_code
filter_port(const struct br *br, const char *name, uint16_t *channel, struct err *err)
{
	for (uint16_t i = 1; i < SEG_MAX_CHANNELS; i++) {
		if (strcmp(br->tables->channel_name[i], name) == 0) {
			*channel = i;
			return ERR_NONE;
		}
	}
	return no_such(err, "port", name, br->tables->channel_name[0], SEG_NAME_SIZE, SEG_MAX_CHANNELS);
}

static const struct cli_value *
given(const struct cli *cli, const char *name)
{
	return cli_nth(cli, name, 0);
}

enum err_code
br_filter(const struct cli *cli, const struct br *br, struct br_filter *filter, struct err *err)
{
	const struct cli_value *value;
	enum err_code code = ERR_NONE;
	*filter = (struct br_filter){.type = -1};
	if ((value = given(cli, "bridge")) != NULL) {
		code = filter_bridge(br, value->text, &filter->bridge, err);
	}
	if (!code && (value = given(cli, "port")) != NULL) {
		code = filter_port(br, value->text, &filter->channel, err);
	}
	if ((value = given(cli, "vlan")) != NULL) {
		filter->vlan = (uint16_t)value->number;
	}
	if ((value = given(cli, "mac")) != NULL) {
		filter->mac = value->number;
		filter->has_mac = true;
	}
	if ((value = given(cli, "type")) != NULL) {
		filter->type = (int)value->number;
	}
	return code;
}

bool
br_filter_key(const struct br *br, const struct br_filter *filter, uint64_t key)
{
	const struct seg_fid *fid = &br->tables->fid[fdb_key_fid(key) % SEG_MAX_FIDS];
	return (!filter->has_mac || fdb_key_mac(key) == filter->mac) && (!filter->bridge || fid->bridge == filter->bridge) &&
	       (!filter->vlan || fid->vid == filter->vlan);
}

enum br_type
br_type(uint64_t value)
{
	return (value & SEG_VALUE_STATIC) ? BR_STATIC : (value & SEG_VALUE_STICKY) ? BR_STICKY : BR_DYNAMIC;
}

bool
br_filter_value(const struct br_filter *filter, uint64_t value)
{
	return (!filter->channel || SEG_VALUE_CHANNEL(value) == filter->channel) &&
	       (filter->type < 0 || (int)br_type(value) == filter->type);
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

void
br_names(const struct br *br, uint64_t key, uint64_t value, struct br_names *names)
{
	unsigned fid = fdb_key_fid(key) % SEG_MAX_FIDS, channel = SEG_VALUE_CHANNEL(value);
	names->bridge = fid_bridge(br, fid);
	names->vlan = br->tables->fid[fid].vid;
	mac_format(fdb_key_mac(key), names->mac);
	names->port = channel && channel < SEG_MAX_CHANNELS && br->tables->channel_name[channel][0]
			      ? br->tables->channel_name[channel]
			      : NULL;
	names->type = br_type_name[br_type(value)];
}

unsigned
br_owner(const struct br *br, uint64_t key)
{
	return seg_get(&br->control->owner[fdb_owner_bucket(fdb_hash(key, br->seg.head.fdb_seed))]);
}
