/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "interfaces": where they are, their addresses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "conf/conf_int.h"
#include "shm/seg.h"

#define IPV6_MTU_MIN 1280 /* RFC 8200 5 */

int
conf_find_iface(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->nifaces; i++) {
		if (strcmp(conf->iface[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

enum err_code
conf_take_iface_bridge(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_iface *iface = base;
	int bridge = json_is_string(value) ? conf_find_bridge(r->conf, json_string_value(value)) : -1;
	if (bridge < 0) {
		conf_fail_value(r, value, "a bridge");
		return err_hint(r->err, r->conf->nbridges ? "a name out of \"bridges\"" : "\"bridges\" is empty");
	}
	iface->bridge = (uint16_t)bridge;
	return ERR_NONE;
}

enum err_code
conf_take_iface_port(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_iface *iface = base;
	int port = json_is_string(value) ? conf_find_port(r->conf, json_string_value(value)) : -1;
	if (port < 0) {
		return json_is_string(value) ? conf_fail_no_port(r) : conf_fail_value(r, value, "a port");
	}
	const struct conf_bridge *bridge = conf_bridge_of(r->conf, (unsigned)port);
	if (bridge) {
		conf_fail(r, ERR_EXISTS, "port %s is in bridge %s", r->conf->port[port].name, bridge->name);
		return err_hint(r->err, "put the interface on the bridge: \"bridge\" and \"vlan\"");
	}
	iface->port = (uint16_t)port;
	return ERR_NONE;
}

enum err_code
conf_take_mac(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_iface *iface = base;
	if (!json_is_string(value) || !mac_parse(json_string_value(value), &iface->mac)) {
		conf_fail_value(r, value, "a MAC address");
		return err_hint(r->err, "e.g. \"02:00:5e:10:00:01\"");
	}
	if (mac_is_group(iface->mac) || iface->mac == 0) {
		return conf_fail_value(
			r, value, iface->mac ? "one station's address: its group bit is set" : "a station's address");
	}
	return ERR_NONE;
}

json_t *
conf_put_mac(const void *base)
{
	const struct conf_iface *iface = base;
	char text[MAC_TEXT_SIZE];
	return iface->mac ? json_string(mac_format(iface->mac, text)) : NULL;
}

static enum err_code
take_address(struct conf_reader *r, const json_t *value, const struct conf_iface *iface, struct conf_address *address)
{
	if (!conf_parse_address(json_string_value(value), address) || address->length == CONF_NO_LENGTH || address->length == 0) {
		conf_fail_value(r, value, "an address with the length of its prefix");
		return err_hint(r->err, "e.g. \"10.0.10.1/24\" or \"2001:db8:10::1/64\"");
	}
	const char *why = conf_not_host(address);
	if (why) {
		return conf_fail(r, ERR_USAGE, "%s %s", json_string_value(value), why);
	}
	for (size_t i = 0; i < iface->naddresses; i++) {
		if (conf_same_address(&iface->address[i], address)) {
			return conf_fail(r, ERR_EXISTS, "%s stands here twice", json_string_value(value));
		}
	}
	return ERR_NONE;
}

enum err_code
conf_take_addresses(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_iface *iface = base;
	if (!json_is_array(value)) {
		conf_fail_value(r, value, "a list of addresses");
		return err_hint(r->err, "e.g. [\"10.0.10.1/24\", \"2001:db8:10::1/64\"]");
	}
	if (json_array_size(value) >= SEG_IFACE_ADDRESSES) {
		return conf_fail(r, ERR_USAGE, "%zu addresses: at most %d", json_array_size(value), SEG_IFACE_ADDRESSES - 1);
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		size_t at = conf_enter_item(r, i);
		enum err_code code = take_address(r, json_array_get(value, i), iface, &iface->address[iface->naddresses]);
		if (code) {
			return code;
		}
		iface->naddresses++;
		conf_leave(r, at);
	}
	return ERR_NONE;
}

json_t *
conf_put_addresses(const void *base)
{
	const struct conf_iface *iface = base;
	json_t *list = iface->naddresses ? json_array() : NULL;
	char text[CONF_ADDRESS_TEXT];
	for (size_t i = 0; i < iface->naddresses; i++) {
		json_array_append_new(list, json_string(conf_format_address(&iface->address[i], text)));
	}
	return list;
}

/* ---- what concerns more than one key ---------------------------------------------------------------------------- */

static enum err_code
fail_key(struct conf_reader *r, const char *key, enum err_code code, const char *message)
{
	size_t at = conf_enter(r, key);
	conf_fail(r, code, "%s", message);
	conf_leave(r, at);
	return code;
}

/* The smallest MTU of the ports through which an interface is reached; 0: there is none. */
static unsigned
smallest_mtu(const struct conf *conf, const struct conf_iface *iface)
{
	unsigned mtu = 0;
	if (iface->port != CONF_NONE) {
		return conf->port[iface->port].mtu;
	}
	const struct conf_bridge *bridge = &conf->bridge[iface->bridge];
	for (size_t m = 0; m < bridge->nmembers; m++) {
		unsigned one = conf->port[bridge->member[m].port].mtu;
		if ((bridge->member[m].untagged == iface->vid || conf_member_tagged(&bridge->member[m], iface->vid)) &&
			(!mtu || one < mtu)) {
			mtu = one;
		}
	}
	return mtu;
}

static enum err_code
check_place(struct conf_reader *r, const struct conf_iface *iface)
{
	const struct conf *conf = r->conf;
	bool bridge = iface->bridge != CONF_NONE, port = iface->port != CONF_NONE;
	if (bridge == port) {
		conf_fail(r, ERR_USAGE, bridge ? "both on a bridge and on a port" : "neither on a bridge nor on a port");
		return err_hint(r->err, "\"bridge\": \"br0\", \"vlan\": 10; or \"port\": \"p4\", with \"vlan\" when tagged");
	}
	if (bridge && !iface->vid) {
		fail_key(r, "vlan", ERR_USAGE, "missing");
		return err_hint(r->err, "the VLAN of bridge %s that it is on", conf->bridge[iface->bridge].name);
	}
	if (bridge && !smallest_mtu(conf, iface)) {
		size_t at = conf_enter(r, "vlan");
		conf_fail(r, ERR_USAGE, "bridge %s has no port in VLAN %u", conf->bridge[iface->bridge].name, iface->vid);
		conf_leave(r, at);
		return ERR_USAGE;
	}
	for (const struct conf_iface *other = conf->iface; other < iface; other++) {
		if (other->bridge == iface->bridge && other->port == iface->port && other->vid == iface->vid) {
			return conf_fail(r, ERR_EXISTS, "interface %s is there already", other->name);
		}
	}
	return ERR_NONE;
}

static enum err_code
check_mtu(struct conf_reader *r, const struct conf_iface *iface)
{
	unsigned most = smallest_mtu(r->conf, iface), mtu = iface->mtu ? iface->mtu : most;
	char text[96];
	if (mtu > most) {
		snprintf(text, sizeof(text), "%u is more than its ports take, %u", mtu, most);
		return fail_key(r, "mtu", ERR_USAGE, text);
	}
	if (iface->ipv6 && mtu < IPV6_MTU_MIN) {
		snprintf(text, sizeof(text), "%u is less than IPv6 needs, %d", mtu, IPV6_MTU_MIN);
		fail_key(r, "mtu", ERR_USAGE, text);
		return err_hint(r->err, "\"ipv6\": false does without");
	}
	return ERR_NONE;
}

static bool
has_prefix6(const struct conf_iface *iface)
{
	for (size_t i = 0; i < iface->naddresses; i++) {
		if (iface->address[i].family == SEG_IPV6 && !conf_link_local(&iface->address[i])) {
			return true;
		}
	}
	return false;
}

static enum err_code
check_ra(struct conf_reader *r, const struct conf_iface *iface)
{
	const struct ra_conf *ra = &iface->ra;
	size_t at = conf_enter(r, "router_advertisements");
	char text[96];
	if (ra->lifetime_s && ra->lifetime_s < ra->interval_s) {
		snprintf(text, sizeof(text), "%u is less than interval_s, %u", ra->lifetime_s, ra->interval_s);
		fail_key(r, "lifetime_s", ERR_USAGE, text);
		return err_hint(r->err, "0, or interval_s to 9000 (RFC 4861 6.2.1)");
	}
	if (ra->preferred_s > ra->valid_s) {
		snprintf(text, sizeof(text), "%u is more than valid_s, %u", ra->preferred_s, ra->valid_s);
		return fail_key(r, "preferred_s", ERR_USAGE, text);
	}
	if (ra->enabled && !has_prefix6(iface)) {
		conf_fail(r, ERR_USAGE, "interface %s has no IPv6 prefix to advertise", iface->name);
		return err_hint(r->err, "give it one in \"addresses\": \"2001:db8:10::1/64\"");
	}
	conf_leave(r, at);
	return ERR_NONE;
}

/* No two interfaces lead to one address. Link-local ones are each link's own. */
static enum err_code
check_overlap(struct conf_reader *r, const struct conf_iface *iface, const struct conf_address *address)
{
	char text[CONF_ADDRESS_TEXT];
	for (const struct conf_iface *other = r->conf->iface; other < iface && !conf_link_local(address); other++) {
		for (size_t i = 0; i < other->naddresses; i++) {
			if (address->family == other->address[i].family && !conf_link_local(&other->address[i]) &&
				conf_prefix_overlaps(address, &other->address[i])) {
				return conf_fail(r, ERR_EXISTS, "its prefix overlaps with that of interface %s, %s", other->name,
					conf_format_address(&other->address[i], text));
			}
		}
	}
	return ERR_NONE;
}

static enum err_code
check_addresses(struct conf_reader *r, const struct conf_iface *iface)
{
	size_t at = conf_enter(r, "addresses");
	for (size_t i = 0; i < iface->naddresses; i++) {
		size_t list = conf_enter_item(r, i);
		if (iface->address[i].family == SEG_IPV6 && !iface->ipv6) {
			return conf_fail(r, ERR_USAGE, "an IPv6 address, and \"ipv6\" is false");
		}
		enum err_code code = check_overlap(r, iface, &iface->address[i]);
		if (code) {
			return code;
		}
		conf_leave(r, list);
	}
	conf_leave(r, at);
	return ERR_NONE;
}

static enum err_code
take_iface(struct conf_reader *r, const char *name, const json_t *value, struct conf_iface *iface)
{
	if (!seg_name_valid(name)) {
		conf_fail(r, ERR_USAGE, "not an interface's name");
		return err_hint(r->err, "1 to 31 of a-z A-Z 0-9 . _ -, beginning with a letter or digit");
	}
	*iface = conf_iface_default;
	snprintf(iface->name, sizeof(iface->name), "%s", name);
	const json_t *ra = json_object_get(value, "router_advertisements");
	iface->ra.enabled = ra != NULL;
	enum err_code code = conf_read_object(r, value, &conf_iface_keys, iface);
	if (!json_object_get(ra, "preferred_s") && iface->ra.preferred_s > iface->ra.valid_s) {
		iface->ra.preferred_s = iface->ra.valid_s;
	}
	code = code ? code : check_place(r, iface);
	code = code ? code : check_mtu(r, iface);
	code = code ? code : check_addresses(r, iface);
	return code ? code : check_ra(r, iface);
}

static enum err_code
check_count(struct conf_reader *r, size_t n)
{
	unsigned vlans = 0;
	for (size_t i = 0; i < r->conf->nbridges; i++) {
		vlans += conf_count_vlans(&r->conf->bridge[i]);
	}
	if (n >= SEG_MAX_IFACES) {
		return conf_fail(r, ERR_USAGE, "%zu interfaces: at most %d", n, SEG_MAX_IFACES - 1);
	}
	if (vlans + n >= SEG_MAX_FIDS) {
		return conf_fail(r, ERR_USAGE, "%u pairs of bridge and VLAN and %zu interfaces: at most %d in all", vlans, n,
			SEG_MAX_FIDS - 1);
	}
	return ERR_NONE;
}

enum err_code
conf_take_interfaces(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf *conf = base;
	if (!json_is_object(value)) {
		return conf_fail_value(r, value, "an object {...}");
	}
	enum err_code code = check_count(r, json_object_size(value));
	if (code) {
		return code;
	}
	conf->iface = calloc(json_object_size(value) + 1, sizeof(conf->iface[0]));
	if (!conf->iface) {
		return err_set(r->err, ERR_FAILED, "no memory");
	}
	const char *name;
	json_t *iface;
	json_object_foreach ((json_t *)(uintptr_t)value, name, iface) {
		size_t at = conf_enter(r, name);
		code = take_iface(r, name, iface, &conf->iface[conf->nifaces]);
		if (code) {
			return code;
		}
		conf->nifaces++;
		conf_leave(r, at);
	}
	return ERR_NONE;
}
