/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "brtable.h"

const char *const br_type_name[] = {[BR_DYNAMIC] = "dynamic", [BR_STATIC] = "static", [BR_STICKY] = "sticky"};

static const char *
fid_bridge(const struct br *br, unsigned fid)
{
	unsigned bridge = br->src.tables->fid[fid].bridge;
	const char *name = bridge < SEG_MAX_BRIDGES ? br->src.tables->bridge[bridge].name : "";
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
	unsigned va = br->src.tables->fid[fa].vid, vb = br->src.tables->fid[fb].vid;
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
	enum err_code code = source_read(cli, &br->src, err);
	if (!code) {
		rank_fids(br);
	}
	return code;
}

void
br_close(struct br *br)
{
	source_close(&br->src);
}

/* ---- filters ---------------------------------------------------------------------------------------------------- */

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
		const struct seg_bridge *bridge = br->src.tables->bridge;
		code = source_number("bridge", value->text, bridge->name, sizeof(*bridge), SEG_MAX_BRIDGES, &filter->bridge, err);
	}
	if (!code && (value = given(cli, "port")) != NULL) {
		const char *name = br->src.tables->channel_name[0];
		code = source_number("port", value->text, name, SEG_NAME_SIZE, SEG_MAX_CHANNELS, &filter->channel, err);
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
	const struct seg_fid *fid = &br->src.tables->fid[fdb_key_fid(key) % SEG_MAX_FIDS];
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
	names->vlan = br->src.tables->fid[fid].vid;
	mac_format(fdb_key_mac(key), names->mac);
	names->port = channel && channel < SEG_MAX_CHANNELS && br->src.tables->channel_name[channel][0]
			      ? br->src.tables->channel_name[channel]
			      : NULL;
	names->type = br_type_name[br_type(value)];
}

unsigned
br_owner(const struct br *br, uint64_t key)
{
	return seg_get(&br->src.control->owner[fdb_owner_bucket(fdb_hash(key, br->src.seg.head.fdb_seed))]);
}
