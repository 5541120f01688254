/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vf/host.h"
#include "vf/keys.h"

#define SPEED_MAX UINT64_C(10000000000000)

static const char *const duplex_words[] = {
	[HOST_DUPLEX_UNKNOWN] = "unknown", [HOST_DUPLEX_HALF] = "half", [HOST_DUPLEX_FULL] = "full", NULL};

#define FLAG(label, its_bit, field) \
	{ \
		.name = (label), .bit = (its_bit), .kind = KEYS_BOOL, KEYS_AT(struct portset, field) \
	}

static const struct keys_key set_keys[] = {
	{.name = "speed_bps", .bit = PORTSET_SPEED, .kind = KEYS_BPS, .max = SPEED_MAX, KEYS_AT(struct portset, speed_bps)},
	{.name = "duplex", .bit = PORTSET_DUPLEX, .kind = KEYS_WORD, .words = duplex_words, KEYS_AT(struct portset, duplex)},
	FLAG("autoneg", PORTSET_AUTONEG, autoneg),
	FLAG("pause_autoneg", PORTSET_PAUSE_AUTONEG, pause_autoneg),
	FLAG("pause_rx", PORTSET_PAUSE_RX, pause_rx),
	FLAG("pause_tx", PORTSET_PAUSE_TX, pause_tx),
	{.name = "mtu", .bit = PORTSET_MTU, .kind = KEYS_UINT, .max = UINT16_MAX, .what = "an MTU", KEYS_AT(struct portset, mtu)},
	FLAG("up", PORTSET_UP, up),
};

static const struct keys_table set_table = {.n = sizeof(set_keys) / sizeof(set_keys[0]), .key = set_keys};

const char *
portset_name(unsigned bit)
{
	static const char *const names[PORTSET_COUNT] = {
		"speed", "duplex", "autoneg", "pause-autoneg", "pause-rx", "pause-tx", "mtu", "up"};
	for (unsigned i = 0; i < PORTSET_COUNT; i++) {
		if (bit == 1u << i) {
			return names[i];
		}
	}
	return "?";
}

/* The value of a bit as one number; each has but one. */
static uint64_t
value(const struct portset *set, unsigned bit)
{
	switch (bit) {
	case PORTSET_SPEED:
		return set->speed_bps;
	case PORTSET_DUPLEX:
		return set->duplex;
	case PORTSET_AUTONEG:
		return set->autoneg;
	case PORTSET_PAUSE_AUTONEG:
		return set->pause_autoneg;
	case PORTSET_PAUSE_RX:
		return set->pause_rx;
	case PORTSET_PAUSE_TX:
		return set->pause_tx;
	case PORTSET_MTU:
		return set->mtu;
	default:
		return set->up;
	}
}

unsigned
portset_diff(const struct portset *have, const struct portset *want)
{
	unsigned differ = 0;
	for (unsigned i = 0; i < PORTSET_COUNT; i++) {
		unsigned bit = 1u << i;
		if (want->has & bit && (!(have->has & bit) || value(have, bit) != value(want, bit))) {
			differ |= bit;
		}
	}
	return differ;
}

void
portset_copy(struct portset *to, const struct portset *from, unsigned bits)
{
	if (bits & PORTSET_SPEED) {
		to->speed_bps = from->speed_bps;
	}
	if (bits & PORTSET_DUPLEX) {
		to->duplex = from->duplex;
	}
	if (bits & PORTSET_AUTONEG) {
		to->autoneg = from->autoneg;
	}
	if (bits & PORTSET_PAUSE_AUTONEG) {
		to->pause_autoneg = from->pause_autoneg;
	}
	if (bits & PORTSET_PAUSE_RX) {
		to->pause_rx = from->pause_rx;
	}
	if (bits & PORTSET_PAUSE_TX) {
		to->pause_tx = from->pause_tx;
	}
	if (bits & PORTSET_MTU) {
		to->mtu = from->mtu;
	}
	if (bits & PORTSET_UP) {
		to->up = from->up;
	}
	to->has |= bits & from->has;
}

char *
portset_text(const struct portset *set, unsigned bit, char *text, size_t size)
{
	switch (bit) {
	case PORTSET_SPEED:
		return keys_rate(set->speed_bps, text, size);
	case PORTSET_DUPLEX:
		snprintf(text, size, "%s", duplex_words[set->duplex]);
		return text;
	case PORTSET_MTU:
		snprintf(text, size, "%" PRIu32, set->mtu);
		return text;
	default:
		snprintf(text, size, "%s", value(set, bit) ? "on" : "off");
		return text;
	}
}

json_t *
portset_to_json(const struct portset *set)
{
	return keys_put(&set_table, set->has, set);
}

enum err_code
portset_from_json(const json_t *object, struct portset *set, struct err *err)
{
	struct portset got = {0};
	enum err_code code = keys_take(&set_table, object, &got.has, &got, err);
	if (code == ERR_NONE) {
		*set = got;
	}
	return code;
}
