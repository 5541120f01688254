/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/vf: JSON objects of settings, by a table of their keys. What a vfset and a portset have in common. */
#ifndef PEKIT_VF_KEYS_H
#define PEKIT_VF_KEYS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum keys_kind {
	KEYS_UINT, /* 0..max */
	KEYS_BPS,  /* a number, or text with a unit */
	KEYS_BOOL,
	KEYS_MAC,
	KEYS_WORD, /* one of words, stored as values[its place], or as its place when there are none */
};

struct keys_key {
	const char *name;
	unsigned bit; /* of `has`; keys of one bit stand next to each other */
	enum keys_kind kind;
	uint16_t offset, size;
	uint64_t max;
	const char *what; /* "a VLAN id": completes "5000 is not ..." */
	const char *const *words;
	const uint64_t *values;
};

#define KEYS_AT(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field)

struct keys_table {
	size_t n;
	const struct keys_key *key;
};

/* The keys whose bit is in `has`. NULL: no memory. */
json_t *
keys_put(const struct keys_table *table, unsigned has, const void *base);

/*
 * Reads what the object has, and gives the bits of it. Members that are not named stay as they are. ERR_USAGE: "vlan: 5000 is not
 * a VLAN id (0 to 4094)": whoever knows where the object stands, puts its path in front.
 */
enum err_code
keys_take(const struct keys_table *table, const json_t *object, unsigned *has, void *base, struct err *err);

/* "2.5 Gbit/s", "100 Mbit/s", "1500 bit/s": exact. */
char *
keys_rate(uint64_t bps, char *text, size_t size);

#endif
