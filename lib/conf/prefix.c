/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses with the length of their prefix. */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/num.h"
#include "conf/conf_int.h"

/* IPv4 addresses lie in the last 32 of the 128 bits. */
static unsigned
width(unsigned family)
{
	return family == SEG_IPV4 ? 32 : 128;
}

static void
prefix_mask(unsigned family, unsigned length, uint64_t mask[static 2])
{
	unsigned bits = 128 - width(family) + length;
	mask[0] = bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
	mask[1] = bits <= 64 ? 0 : UINT64_MAX << (128 - bits);
}

static uint64_t
word64(const uint8_t *bytes)
{
	uint64_t word = 0;
	for (int i = 0; i < 8; i++) {
		word = word << 8 | bytes[i];
	}
	return word;
}

bool
conf_parse_address(const char *text, struct conf_address *address)
{
	char word[IP_TEXT_SIZE + 4];
	struct ip ip;
	uint64_t length = 128;
	if (!text || strlen(text) >= sizeof(word)) {
		return false;
	}
	snprintf(word, sizeof(word), "%s", text);
	char *slash = strchr(word, '/');
	if (slash) {
		*slash = '\0';
	}
	if (!ip_parse(word, &ip)) {
		return false;
	}
	uint8_t family = ip.family == 4 ? SEG_IPV4 : SEG_IPV6;
	if (slash && !num_parse_u64(slash + 1, 0, width(family), &length)) {
		return false;
	}
	*address = (struct conf_address){.family = family, .length = slash ? (uint8_t)length : CONF_NO_LENGTH};
	if (family == SEG_IPV4) {
		address->address[1] = word64(ip.bytes) >> 32;
	} else {
		address->address[0] = word64(ip.bytes);
		address->address[1] = word64(ip.bytes + 8);
	}
	return true;
}

char *
conf_format_address(const struct conf_address *address, char text[static CONF_ADDRESS_TEXT])
{
	struct ip ip = {.family = address->family == SEG_IPV4 ? 4 : 6};
	uint64_t high = address->address[0], low = address->address[1];
	for (int i = 0; i < 8; i++) {
		ip.bytes[i] = (uint8_t)(high >> (56 - 8 * i));
		ip.bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	}
	if (ip.family == 4) {
		memmove(ip.bytes, ip.bytes + 12, 4);
		memset(ip.bytes + 4, 0, 12);
	}
	char word[IP_TEXT_SIZE];
	ip_format(&ip, word);
	if (address->length == CONF_NO_LENGTH) {
		snprintf(text, CONF_ADDRESS_TEXT, "%s", word);
	} else {
		snprintf(text, CONF_ADDRESS_TEXT, "%s/%u", word, address->length);
	}
	return text;
}

void
conf_prefix_of(const struct conf_address *address, struct conf_address *prefix)
{
	uint64_t mask[2];
	prefix_mask(address->family, address->length, mask);
	*prefix = *address;
	prefix->address[0] &= mask[0];
	prefix->address[1] &= mask[1];
}

bool
conf_prefix_holds(const struct conf_address *prefix, const struct conf_address *address)
{
	uint64_t mask[2];
	if (prefix->family != address->family) {
		return false;
	}
	prefix_mask(prefix->family, prefix->length, mask);
	return ((prefix->address[0] ^ address->address[0]) & mask[0]) == 0 &&
	       ((prefix->address[1] ^ address->address[1]) & mask[1]) == 0;
}

bool
conf_prefix_overlaps(const struct conf_address *a, const struct conf_address *b)
{
	return conf_prefix_holds(a->length < b->length ? a : b, a->length < b->length ? b : a);
}

bool
conf_same_address(const struct conf_address *a, const struct conf_address *b)
{
	return a->family == b->family && a->address[0] == b->address[0] && a->address[1] == b->address[1];
}

bool
conf_link_local(const struct conf_address *address)
{
	return address->family == SEG_IPV6 && address->address[0] >> 54 == 0xfe80 >> 6;
}

static const char *
not_host4(uint32_t address)
{
	switch (address >> 24) {
	case 0:
		return "means \"this network\" (RFC 1122 3.2.1.3)";
	case 127:
		return "is a loopback address";
	default:
		break;
	}
	if (address == UINT32_MAX) {
		return "is the broadcast address";
	}
	return address >> 28 == 14 ? "is a multicast address" : address >> 28 == 15 ? "is reserved (RFC 1112 4)" : NULL;
}

static const char *
not_host6(const uint64_t address[static 2])
{
	if (address[0] == 0 && address[1] <= 1) {
		return address[1] ? "is the loopback address" : "is the unspecified address";
	}
	if (address[0] == 0 && address[1] >> 32 == 0xffff) {
		return "is an IPv4 address in IPv6 dress (RFC 4291 2.5.5.2)";
	}
	return address[0] >> 56 == 0xff ? "is a multicast address" : NULL;
}

const char *
conf_not_host(const struct conf_address *address)
{
	const char *why = address->family == SEG_IPV4 ? not_host4((uint32_t)address->address[1]) : not_host6(address->address);
	uint64_t mask[2];
	if (why || address->length == CONF_NO_LENGTH || address->length + 1u >= width(address->family)) {
		return why; /* RFC 3021, RFC 6164: both addresses of a link between two are hosts' */
	}
	prefix_mask(address->family, address->length, mask);
	if ((address->address[0] & ~mask[0]) == 0 && (address->address[1] & ~mask[1]) == 0) {
		return address->family == SEG_IPV4 ? "is the network's own address"
						   : "is the subnet-router anycast address (RFC 4291 2.6.1)";
	}
	bool all_ones = address->family == SEG_IPV4 && ((address->address[1] | mask[1]) & UINT32_MAX) == UINT32_MAX;
	return all_ones ? "is the network's broadcast address" : NULL;
}
