/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses, prefixes and interfaces of the command line. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "core/names.h"
#include "neigh.h"

#define BITS (neigh_tool.family == SEG_IPV4 ? 32u : 128u)

static const char *
noun(void)
{
	return neigh_tool.family == SEG_IPV4 ? "an IPv4" : "an IPv6";
}

static enum err_code
not_ours(const char *what, const char *text, const struct ip *ip, struct err *err)
{
	err_set(err, ERR_USAGE, "%s '%s': not %s %s", what, text, noun(), strcmp(what, "to") == 0 ? "prefix" : "address");
	if (ip->family) {
		return err_hint(err, "%s is for IPv%u", ip->family == 4 ? "arpmgr" : "ndmgr", ip->family);
	}
	return err_hint(err, "such as %s", neigh_tool.family == SEG_IPV4 ? "10.0.10.5" : "2001:db8:10::5 or fe80::5%v10");
}

static bool
of_family(const struct ip *ip)
{
	return ip->family == (neigh_tool.family == SEG_IPV4 ? 4 : 6);
}

static bool
is_link_local(const uint64_t words[static 2])
{
	return neigh_tool.family == SEG_IPV6 && words[0] >> 54 == 0xfe80 >> 6;
}

/* A neighbour has an address of its own. */
static bool
is_unicast(const uint64_t words[static 2])
{
	if (neigh_tool.family == SEG_IPV4) {
		return words[1] != 0 && words[1] >> 28 < 0xe;
	}
	return (words[0] | words[1]) != 0 && words[0] >> 56 != 0xff;
}

/* text: not longer than an address and a name can be */
static enum err_code
parse_address(const char *text, struct neigh_address *address, struct err *err)
{
	char plain[IP_TEXT_SIZE] = "";
	struct ip ip = {.family = 0};
	const char *percent = strchr(text, '%');
	size_t length = percent ? (size_t)(percent - text) : strlen(text);
	*address = (struct neigh_address){.iface = NULL};
	if (length < sizeof(plain)) {
		memcpy(plain, text, length);
	}
	if (!ip_parse(plain, &ip) || !of_family(&ip)) {
		return not_ours("ADDRESS", text, &ip, err);
	}
	nbr_words(&ip, address->words);
	if (!is_unicast(address->words)) {
		return err_set(err, ERR_USAGE, "ADDRESS '%s': not the address of one station", text);
	}
	if (percent) {
		size_t size = strlen(percent + 1);
		if (!is_link_local(address->words) || size == 0 || size >= sizeof(address->scope)) {
			err_set(err, ERR_USAGE, "ADDRESS '%s': no interface may stand there", text);
			return err_hint(err, "only after a link-local address: fe80::5%%v10");
		}
		memcpy(address->scope, percent + 1, size);
		address->iface = address->scope;
	}
	return ERR_NONE;
}

enum err_code
neigh_check_address(const struct cli *cli, struct err *err)
{
	struct neigh_address address;
	enum err_code code = parse_address(cli_text(cli, "address"), &address, err);
	if (!code && address.iface && cli_has(cli, "dev") && strcmp(address.iface, cli_text(cli, "dev")) != 0) {
		code = err_set(err, ERR_USAGE, "ADDRESS '%s' and dev %s: two interfaces", cli_text(cli, "address"),
			cli_text(cli, "dev"));
	}
	return code;
}

void
neigh_address(const struct cli *cli, struct neigh_address *address)
{
	(void)parse_address(cli_text(cli, "address"), address, NULL); /* neigh_check_address() has looked */
	if (cli_has(cli, "dev")) {
		address->iface = cli_text(cli, "dev");
	}
}

char *
neigh_text(const uint64_t words[static 2], char text[static IP_TEXT_SIZE])
{
	struct ip ip;
	nbr_ip(neigh_tool.family, words, &ip);
	return ip_format(&ip, text);
}

/* ---- prefixes and filters --------------------------------------------------------------------------------------- */

static void
mask_of(unsigned length, uint64_t mask[static 2])
{
	length += 128 - BITS;
	mask[0] = length == 0 ? 0 : length >= 64 ? UINT64_MAX : UINT64_MAX << (64 - length);
	mask[1] = length <= 64 ? 0 : length >= 128 ? UINT64_MAX : UINT64_MAX << (128 - length);
}

/* Bits beyond the length do not matter, as with ip-neighbour(8). */
static enum err_code
parse_prefix(const char *text, struct neigh_filter *filter, unsigned *length, struct err *err)
{
	char plain[IP_TEXT_SIZE] = "";
	struct ip ip = {.family = 0};
	uint64_t bits = BITS;
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	if (size < sizeof(plain)) {
		memcpy(plain, text, size);
	}
	if (!ip_parse(plain, &ip) || !of_family(&ip)) {
		return not_ours("to", text, &ip, err);
	}
	if (slash && !num_parse_u64(slash + 1, 0, BITS, &bits)) {
		err_set(err, ERR_USAGE, "to '%s': no such prefix", text);
		return err_hint(err, "its length is 0 to %u", BITS);
	}
	*length = (unsigned)bits;
	mask_of(*length, filter->mask);
	nbr_words(&ip, filter->prefix);
	filter->prefix[0] &= filter->mask[0];
	filter->prefix[1] &= filter->mask[1];
	return ERR_NONE;
}

enum err_code
neigh_check_prefix(const struct cli *cli, struct err *err)
{
	struct neigh_filter filter;
	unsigned length;
	return cli_has(cli, "to") ? parse_prefix(cli_text(cli, "to"), &filter, &length, err) : ERR_NONE;
}

char *
neigh_prefix_text(const struct cli *cli, char text[static NEIGH_TEXT_SIZE])
{
	struct neigh_filter filter = {.iface = 0};
	unsigned length = 0;
	char address[IP_TEXT_SIZE];
	(void)parse_prefix(cli_text(cli, "to"), &filter, &length, NULL);
	snprintf(text, NEIGH_TEXT_SIZE, "%s/%u", neigh_text(filter.prefix, address), length);
	return text;
}

static enum err_code
iface_number(const struct neigh *n, const char *name, uint16_t *number, struct err *err)
{
	const struct seg_iface *iface = n->src.tables->iface;
	return source_number("interface", name, iface->name, sizeof(*iface), SEG_MAX_IFACES, number, err);
}

enum err_code
neigh_filter(const struct cli *cli, const struct neigh *n, bool nud, struct neigh_filter *filter, struct err *err)
{
	*filter = (struct neigh_filter){.iface = 0};
	const struct cli_value *value;
	unsigned length;
	enum err_code code = ERR_NONE;
	if (cli_has(cli, "to")) {
		code = parse_prefix(cli_text(cli, "to"), filter, &length, err);
	}
	if (!code && cli_has(cli, "dev")) {
		code = iface_number(n, cli_text(cli, "dev"), &filter->iface, err);
	}
	for (size_t i = 0; nud && (value = cli_nth(cli, "nud", i)) != NULL; i++) {
		for (unsigned state = SEG_NBR_INCOMPLETE; state < SEG_NBR_STATES; state++) {
			filter->states |= strcmp(value->text, names_nbr_state(state)) == 0 ? 1u << state : 0;
		}
	}
	return code;
}

bool
neigh_filter_key(const struct neigh_filter *filter, const struct nbr_key *key)
{
	return (!filter->iface || key->iface == filter->iface) && (key->address[0] & filter->mask[0]) == filter->prefix[0] &&
	       (key->address[1] & filter->mask[1]) == filter->prefix[1];
}

bool
neigh_filter_state(const struct neigh_filter *filter, unsigned state)
{
	return !filter->states || (filter->states >> state & 1);
}

/* ---- which interface? ------------------------------------------------------------------------------------------- */

static bool
covers(const struct seg_iface *iface, const uint64_t words[static 2])
{
	for (unsigned i = 0; i < iface->naddresses; i++) {
		const struct seg_address *own = &iface->address[i];
		uint64_t mask[2];
		if (!own->used || own->family != neigh_tool.family || own->length > BITS) {
			continue;
		}
		mask_of(own->length, mask);
		if (((own->address[0] ^ words[0]) & mask[0]) == 0 && ((own->address[1] ^ words[1]) & mask[1]) == 0) {
			return true;
		}
	}
	return false;
}

static bool
has_entry(const struct neigh *n, const uint64_t words[static 2], uint32_t iface)
{
	const struct nbr_key key = {.address = {words[0], words[1]}, .iface = iface};
	struct seg_nbr entry;
	for (unsigned core = 1; core <= n->src.ncores; core++) {
		if (neigh_lookup(n, core, &key, &entry) && !(entry.value & SEG_NBR_TOMB)) {
			return true;
		}
	}
	return false;
}

enum err_code
neigh_pick_iface(const struct neigh *n, const struct neigh_address *address, uint16_t *iface, struct err *err)
{
	char text[IP_TEXT_SIZE], names[160] = "";
	size_t found = 0, at = 0;
	if (address->iface) {
		return iface_number(n, address->iface, iface, err);
	}
	neigh_text(address->words, text);
	for (int pass = 0; pass < 2 && found == 0; pass++) {
		for (uint16_t i = 1; i < SEG_MAX_IFACES; i++) {
			const struct seg_iface *one = &n->src.tables->iface[i];
			if (!one->name[0] || !(pass == 0 ? covers(one, address->words) : has_entry(n, address->words, i))) {
				continue;
			}
			*iface = i;
			found++;
			if (at + SEG_NAME_SIZE + 3 < sizeof(names)) {
				at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "", one->name);
			}
		}
	}
	if (found == 1) {
		return ERR_NONE;
	}
	if (found == 0) {
		err_set(err, ERR_NOT_FOUND, "%s: in no prefix of an interface", text);
		return err_hint(err, "dev IFACE says where it is");
	}
	err_set(err, ERR_USAGE, "%s: on which interface?", text);
	return err_hint(err, "it may be on %s: dev IFACE%s", names, is_link_local(address->words) ? ", or ADDRESS%IFACE" : "");
}
