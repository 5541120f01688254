/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vf/vfset.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "vf/keys.h"

#define TAG_C 0x8100 /* IEEE 802.1Q-2018 table 9-1 */
#define TAG_S 0x88a8

static const char *const link_words[] = {
	[VFSET_LINK_AUTO] = "auto", [VFSET_LINK_ENABLE] = "enable", [VFSET_LINK_DISABLE] = "disable", NULL};
static const char *const proto_words[] = {"802.1Q", "802.1ad", NULL};
static const uint64_t proto_values[] = {TAG_C, TAG_S};

/* What the kernel takes: IFLA_VF_RATE counts Mbit/s in 32 bits. */
#define RATE_MAX (UINT32_MAX * UINT64_C(1000000))

#define FLAG(label, its_bit, field) \
	{ \
		.name = (label), .bit = (its_bit), .kind = KEYS_BOOL, KEYS_AT(struct vfset, field) \
	}
#define RATE(label, field) \
	{ \
		.name = (label), .bit = VFSET_RATE, .kind = KEYS_BPS, .max = RATE_MAX, KEYS_AT(struct vfset, field) \
	}

static const struct keys_key set_keys[] = {
	{.name = "mac", .bit = VFSET_MAC, .kind = KEYS_MAC, KEYS_AT(struct vfset, mac)},
	{.name = "vlan", .bit = VFSET_VLAN, .kind = KEYS_UINT, .max = VLAN_MAX, .what = "a VLAN id", KEYS_AT(struct vfset, vlan)},
	{.name = "qos", .bit = VFSET_VLAN, .kind = KEYS_UINT, .max = 7, .what = "a priority", KEYS_AT(struct vfset, qos)},
	{.name = "proto",
		.bit = VFSET_VLAN,
		.kind = KEYS_WORD,
		.words = proto_words,
		.values = proto_values,
		KEYS_AT(struct vfset, proto)},
	RATE("max_rate_bps", max_rate_bps),
	RATE("min_rate_bps", min_rate_bps),
	FLAG("trust", VFSET_TRUST, trust),
	FLAG("spoofchk", VFSET_SPOOFCHK, spoofchk),
	{.name = "link", .bit = VFSET_LINK, .kind = KEYS_WORD, .words = link_words, KEYS_AT(struct vfset, link)},
	FLAG("promisc", VFSET_PROMISC, promisc),
	FLAG("allmulti", VFSET_ALLMULTI, allmulti),
};

static const struct keys_table set_table = {.n = sizeof(set_keys) / sizeof(set_keys[0]), .key = set_keys};

const char *
vfset_name(unsigned bit)
{
	static const char *const names[VFSET_COUNT] = {"mac", "vlan", "rate", "trust", "spoofchk", "link", "promisc", "allmulti"};
	for (unsigned i = 0; i < VFSET_COUNT; i++) {
		if (bit == 1u << i) {
			return names[i];
		}
	}
	return "?";
}

static bool
same(const struct vfset *a, const struct vfset *b, unsigned bit)
{
	switch (bit) {
	case VFSET_MAC:
		return a->mac == b->mac;
	case VFSET_VLAN:
		/* Without a tag its protocol means nothing. */
		return a->vlan == b->vlan && a->qos == b->qos && (a->vlan == 0 || a->proto == b->proto);
	case VFSET_RATE:
		return a->max_rate_bps == b->max_rate_bps && a->min_rate_bps == b->min_rate_bps;
	case VFSET_TRUST:
		return a->trust == b->trust;
	case VFSET_SPOOFCHK:
		return a->spoofchk == b->spoofchk;
	case VFSET_LINK:
		return a->link == b->link;
	case VFSET_PROMISC:
		return a->promisc == b->promisc;
	default:
		return a->allmulti == b->allmulti;
	}
}

unsigned
vfset_diff(const struct vfset *have, const struct vfset *want)
{
	unsigned differ = 0;
	for (unsigned i = 0; i < VFSET_COUNT; i++) {
		unsigned bit = 1u << i;
		if (want->has & bit && (!(have->has & bit) || !same(have, want, bit))) {
			differ |= bit;
		}
	}
	return differ;
}

void
vfset_copy(struct vfset *to, const struct vfset *from, unsigned bits)
{
	if (bits & VFSET_MAC) {
		to->mac = from->mac;
	}
	if (bits & VFSET_VLAN) {
		to->vlan = from->vlan;
		to->qos = from->qos;
		to->proto = from->proto;
	}
	if (bits & VFSET_RATE) {
		to->max_rate_bps = from->max_rate_bps;
		to->min_rate_bps = from->min_rate_bps;
	}
	if (bits & VFSET_TRUST) {
		to->trust = from->trust;
	}
	if (bits & VFSET_SPOOFCHK) {
		to->spoofchk = from->spoofchk;
	}
	if (bits & VFSET_LINK) {
		to->link = from->link;
	}
	if (bits & VFSET_PROMISC) {
		to->promisc = from->promisc;
	}
	if (bits & VFSET_ALLMULTI) {
		to->allmulti = from->allmulti;
	}
	to->has |= bits & from->has;
}

static void
vlan_text(const struct vfset *set, char *text, size_t size)
{
	if (set->vlan == 0 && set->qos == 0) {
		snprintf(text, size, "none");
		return;
	}
	char qos[16] = "";
	if (set->qos) {
		snprintf(qos, sizeof(qos), " qos %u", set->qos);
	}
	snprintf(text, size, "%u%s%s", set->vlan, qos, set->vlan && set->proto == TAG_S ? " 802.1ad" : "");
}

static void
rate_text(const struct vfset *set, char *text, size_t size)
{
	char most[32], least[32];
	keys_rate(set->max_rate_bps, most, sizeof(most));
	keys_rate(set->min_rate_bps, least, sizeof(least));
	if (set->min_rate_bps) {
		snprintf(text, size, "%s%sat least %s", set->max_rate_bps ? most : "", set->max_rate_bps ? ", " : "", least);
	} else {
		snprintf(text, size, "%s", set->max_rate_bps ? most : "none");
	}
}

char *
vfset_text(const struct vfset *set, unsigned bit, char *text, size_t size)
{
	char mac[MAC_TEXT_SIZE];
	const char *word;
	switch (bit) {
	case VFSET_MAC:
		word = mac_format(set->mac, mac);
		break;
	case VFSET_VLAN:
		vlan_text(set, text, size);
		return text;
	case VFSET_RATE:
		rate_text(set, text, size);
		return text;
	case VFSET_TRUST:
		word = set->trust ? "on" : "off";
		break;
	case VFSET_SPOOFCHK:
		word = set->spoofchk ? "on" : "off";
		break;
	case VFSET_LINK:
		word = link_words[set->link];
		break;
	case VFSET_PROMISC:
		word = set->promisc ? "on" : "off";
		break;
	default:
		word = set->allmulti ? "on" : "off";
		break;
	}
	snprintf(text, size, "%s", word);
	return text;
}

json_t *
vfset_to_json(const struct vfset *set)
{
	return keys_put(&set_table, set->has, set);
}

enum err_code
vfset_from_json(const json_t *object, struct vfset *set, struct err *err)
{
	struct vfset got = {.proto = TAG_C};
	enum err_code code = keys_take(&set_table, object, &got.has, &got, err);
	if (code == ERR_NONE) {
		*set = got;
	}
	return code;
}
