/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "bridges": members and their VLANs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/num.h"
#include "conf/conf_int.h"
#include "shm/seg.h"

static const char *const stp_words[] = {[SEG_STP_OFF] = "off", [SEG_STP_BLOCK] = "block"};

enum err_code
conf_take_stp(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_bridge *bridge = base;
	const char *word = json_is_string(value) ? json_string_value(value) : "";
	for (unsigned i = SEG_STP_OFF; i <= SEG_STP_BLOCK; i++) {
		if (strcmp(word, stp_words[i]) == 0) {
			bridge->stp = (enum seg_stp)i;
			return ERR_NONE;
		}
	}
	if (strcmp(word, "rstp") == 0) {
		conf_fail(r, ERR_REFUSED, "this release takes no part in spanning tree");
		return err_hint(r->err, "\"off\" forwards the neighbours' BPDUs, \"block\" drops them");
	}
	return conf_fail_value(r, value, "\"off\" or \"block\"");
}

json_t *
conf_put_stp(const void *base)
{
	const struct conf_bridge *bridge = base;
	return json_string(stp_words[bridge->stp]);
}

/* 10, "10" or "10-20". */
static bool
take_vlans(const json_t *value, uint64_t *first, uint64_t *last)
{
	if (json_is_integer(value)) {
		json_int_t n = json_integer_value(value);
		*first = *last = n > 0 ? (uint64_t)n : 0;
		return n >= VLAN_MIN && n <= VLAN_MAX;
	}
	const char *text = json_string_value(value);
	char word[12];
	if (!text || strlen(text) >= sizeof(word)) {
		return false;
	}
	snprintf(word, sizeof(word), "%s", text);
	char *dash = strchr(word, '-');
	if (dash) {
		*dash = '\0';
	}
	if (!num_parse_u64(word, VLAN_MIN, VLAN_MAX, first)) {
		return false;
	}
	*last = *first;
	return !dash || (num_parse_u64(dash + 1, VLAN_MIN, VLAN_MAX, last) && *last >= *first);
}

enum err_code
conf_take_tagged(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_member *member = base;
	if (!json_is_array(value)) {
		conf_fail_value(r, value, "a list of VLANs");
		return err_hint(r->err, "numbers and ranges: [10, 20, \"100-199\"]");
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);
		uint64_t first, last;
		if (!take_vlans(item, &first, &last)) {
			conf_fail_value(r, item, json_is_string(item) ? "a range of VLANs (1 to 4094)" : "a VLAN (1 to 4094)");
			return err_hint(r->err, "numbers and ranges: [10, 20, \"100-199\"]");
		}
		for (uint64_t vid = first; vid <= last; vid++) {
			member->tagged[vid / 64] |= 1ull << vid % 64;
		}
	}
	return ERR_NONE;
}

json_t *
conf_put_tagged(const void *base)
{
	const struct conf_member *member = base;
	json_t *list = json_array();
	for (unsigned vid = VLAN_MIN; vid <= VLAN_MAX; vid++) {
		unsigned run = 0;
		while (vid + run <= VLAN_MAX && conf_member_tagged(member, vid + run)) {
			run++;
		}
		if (run > 2) {
			json_array_append_new(list, json_sprintf("%u-%u", vid, vid + run - 1));
			vid += run - 1;
		} else if (run) {
			json_array_append_new(list, json_integer(vid));
		}
	}
	if (json_array_size(list)) {
		return list;
	}
	json_decref(list);
	return NULL;
}

static bool
any_tagged(const struct conf_member *member)
{
	for (size_t i = 0; i < 64; i++) {
		if (member->tagged[i]) {
			return true;
		}
	}
	return false;
}

enum err_code
conf_fail_no_port(struct conf_reader *r)
{
	char list[200] = "";
	for (size_t i = 0; i < r->conf->nports; i++) {
		size_t end = strlen(list);
		if (end > sizeof(list) - SEG_NAME_SIZE - 8) {
			snprintf(list + end, sizeof(list) - end, ", ...");
			break;
		}
		snprintf(list + end, sizeof(list) - end, "%s%s", i ? ", " : "", r->conf->port[i].name);
	}
	conf_fail(r, ERR_USAGE, "no such port");
	return list[0] ? err_hint(r->err, "the ports are: %s", list) : err_hint(r->err, "\"ports\" is empty");
}

const struct conf_bridge *
conf_bridge_of(const struct conf *conf, unsigned port)
{
	/* One has room behind the last: it is the one being read. */
	for (size_t i = 0; conf->bridge && i <= conf->nbridges; i++) {
		for (size_t m = 0; m < conf->bridge[i].nmembers; m++) {
			if (conf->bridge[i].member[m].port == port) {
				return &conf->bridge[i];
			}
		}
	}
	return NULL;
}

static enum err_code
take_member(struct conf_reader *r, const char *name, const json_t *value, struct conf_member *member)
{
	int port = conf_find_port(r->conf, name);
	if (port < 0) {
		return conf_fail_no_port(r);
	}
	const struct conf_bridge *other = conf_bridge_of(r->conf, (unsigned)port);
	if (other) {
		return conf_fail(r, ERR_EXISTS, "port %s is in bridge %s already", name, other->name);
	}
	*member = (struct conf_member){.port = (uint16_t)port};
	enum err_code code = conf_read_object(r, value, &conf_member_keys, member);
	if (code) {
		return code;
	}
	if (member->untagged && conf_member_tagged(member, member->untagged)) {
		conf_enter(r, "tagged");
		return conf_fail(r, ERR_USAGE, "%u is this port's untagged VLAN already", member->untagged);
	}
	if (!member->untagged && !any_tagged(member)) {
		if (json_object_get(value, "tagged")) {
			conf_fail(r, ERR_USAGE, "the port is in no VLAN");
			return err_hint(r->err, "name one in \"untagged\" or \"tagged\", or leave both out for VLAN 1 untagged");
		}
		member->untagged = 1;
	}
	return ERR_NONE;
}

enum err_code
conf_take_members(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_bridge *bridge = base;
	if (!json_is_object(value)) {
		return conf_fail_value(r, value, "an object {...}");
	}
	bridge->member = calloc(json_object_size(value) + 1, sizeof(bridge->member[0]));
	if (!bridge->member) {
		return err_set(r->err, ERR_FAILED, "no memory");
	}
	const char *name;
	json_t *member;
	json_object_foreach ((json_t *)(uintptr_t)value, name, member) {
		size_t at = conf_enter(r, name);
		enum err_code code = take_member(r, name, member, &bridge->member[bridge->nmembers]);
		if (code) {
			return code;
		}
		bridge->nmembers++;
		conf_leave(r, at);
	}
	return ERR_NONE;
}

int
conf_find_bridge(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->nbridges; i++) {
		if (strcmp(conf->bridge[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

unsigned
conf_count_vlans(const struct conf_bridge *bridge)
{
	uint64_t all[64] = {0};
	unsigned n = 0;
	for (size_t m = 0; m < bridge->nmembers; m++) {
		const struct conf_member *member = &bridge->member[m];
		all[member->untagged / 64] |= (member->untagged != 0 ? 1ull : 0) << member->untagged % 64;
		for (size_t i = 0; i < 64; i++) {
			all[i] |= member->tagged[i];
		}
	}
	for (size_t i = 0; i < 64; i++) {
		n += (unsigned)__builtin_popcountll(all[i]);
	}
	return n;
}

static enum err_code
take_bridge(struct conf_reader *r, const char *name, const json_t *value, struct conf_bridge *bridge)
{
	if (!seg_name_valid(name)) {
		conf_fail(r, ERR_USAGE, "not a bridge's name");
		return err_hint(r->err, "1 to 31 of a-z A-Z 0-9 . _ -, beginning with a letter or digit");
	}
	snprintf(bridge->name, sizeof(bridge->name), "%s", name);
	return conf_read_object(r, value, &conf_bridge_keys, bridge);
}

enum err_code
conf_take_bridges(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf *conf = base;
	if (!json_is_object(value)) {
		return conf_fail_value(r, value, "an object {...}");
	}
	if (json_object_size(value) >= SEG_MAX_BRIDGES) {
		return conf_fail(r, ERR_USAGE, "%zu bridges: at most %d", json_object_size(value), SEG_MAX_BRIDGES - 1);
	}
	conf->bridge = calloc(json_object_size(value) + 1, sizeof(conf->bridge[0]));
	if (!conf->bridge) {
		return err_set(r->err, ERR_FAILED, "no memory");
	}
	unsigned vlans = 0;
	const char *name;
	json_t *bridge;
	json_object_foreach ((json_t *)(uintptr_t)value, name, bridge) {
		size_t at = conf_enter(r, name);
		enum err_code code = take_bridge(r, name, bridge, &conf->bridge[conf->nbridges]);
		if (code) {
			/* Counted, so that conf_free() sees its members. */
			conf->nbridges++;
			return code;
		}
		vlans += conf_count_vlans(&conf->bridge[conf->nbridges++]);
		conf_leave(r, at);
	}
	if (vlans >= SEG_MAX_FIDS) {
		return conf_fail(r, ERR_USAGE, "%u pairs of bridge and VLAN: at most %d", vlans, SEG_MAX_FIDS - 1);
	}
	return ERR_NONE;
}
