/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ethernet, IPv4 and IPv6 addresses as values: parse, format, compare. Pure; callable from anywhere.
 *
 * A MAC travels as a number (struct mac only where bytes are stored): 02:00:00:00:00:01 is 0x020000000001.
 */
#ifndef PEKIT_BASE_ADDR_H
#define PEKIT_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_TEXT_SIZE 18
#define IP_TEXT_SIZE 46

#define VLAN_MIN 1    /* IEEE 802.1Q-2018 9.6: 0 is priority-tagged, */
#define VLAN_MAX 4094 /* 4095 is reserved */

/* Reads six bytes in wire order. */
static inline uint64_t
mac_get(const uint8_t bytes[static 6])
{
	return (uint64_t)bytes[0] << 40 | (uint64_t)bytes[1] << 32 | (uint64_t)bytes[2] << 24 | (uint64_t)bytes[3] << 16 |
	       (uint64_t)bytes[4] << 8 | bytes[5];
}

static inline void
mac_put(uint64_t mac, uint8_t bytes[static 6])
{
	for (int i = 0; i < 6; i++) {
		bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
	}
}

/* IEEE 802-2014 8.2.2: the group bit is the lowest of the first byte. */
static inline bool
mac_is_group(uint64_t mac)
{
	return (mac >> 40) & 1;
}

/* Parses aa:bb:cc:dd:ee:ff, aa-bb-cc-dd-ee-ff or aabb.ccdd.eeff, the whole word; false and *mac untouched otherwise. */
bool
mac_parse(const char *word, uint64_t *mac);

/* Writes aa:bb:cc:dd:ee:ff; returns text. */
char *
mac_format(uint64_t mac, char text[static MAC_TEXT_SIZE]);

/* An IPv4 or IPv6 address; IPv4 fills the first four bytes and leaves the others 0. */
struct ip {
	uint8_t family; /* 4 or 6 */
	uint8_t bytes[16];
};

/* The whole word; false and *ip untouched otherwise. No scope ids, no leading zeros in IPv4. */
bool
ip_parse(const char *word, struct ip *ip);

/* RFC 5952 form for IPv6; returns text. */
char *
ip_format(const struct ip *ip, char text[static IP_TEXT_SIZE]);

#endif
