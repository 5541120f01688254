/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "ports": names, devices. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"
#include "shm/seg.h"

#define IF_NAME_MAX 15 /* IFNAMSIZ - 1 */

static const struct {
	const char *prefix;
	enum seg_port_kind kind;
} prefixes[] = {
	{"if:", SEG_PORT_IF},
	{"xdp:", SEG_PORT_XDP},
	{"pci:", SEG_PORT_PCI},
	{"vdev:", SEG_PORT_VDEV},
};

static const char *
device_word(const struct conf_port *port)
{
	return strchr(port->device, ':') + 1;
}

/* As the kernel's dev_valid_name(); the comma would end the name inside a DPDK device string. */
static bool
if_name_valid(const char *name)
{
	size_t n = strlen(name);
	if (n == 0 || n > IF_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!isgraph((unsigned char)name[i]) || strchr("/:,[]", name[i])) {
			return false;
		}
	}
	return true;
}

/* Reads min..max hexadecimal digits and what stands behind them; *word moves on. */
static bool
take_hex(const char **word, int min, int max, char behind, unsigned long *value)
{
	int n = 0;
	while (isxdigit((unsigned char)(*word)[n])) {
		n++;
	}
	if (n < min || n > max || (*word)[n] != behind) {
		return false;
	}
	*value = strtoul(*word, NULL, 16);
	*word += behind ? n + 1 : n;
	return true;
}

/* [DOMAIN:]BUS:DEVICE.FUNCTION */
static bool
pci_parse(const char *word, uint64_t *address)
{
	unsigned long domain = 0, bus, device, function;
	const char *first = strchr(word, ':');
	if (first && strchr(first + 1, ':') && !take_hex(&word, 4, 8, ':', &domain)) {
		return false;
	}
	if (!take_hex(&word, 2, 2, ':', &bus) || !take_hex(&word, 2, 2, '.', &device) ||
		!take_hex(&word, 1, 1, '\0', &function) || device > 0x1f || function > 7) {
		return false;
	}
	*address = (uint64_t)domain << 16 | bus << 8 | device << 3 | function;
	return true;
}

/* A DPDK device string begins with the device's name; arguments follow after commas. */
static bool
vdev_valid(const char *word)
{
	size_t n = strcspn(word, ",");
	if (n == 0 || !isalpha((unsigned char)word[0])) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)word[i]) && !strchr("_-.", word[i])) {
			return false;
		}
	}
	for (const char *p = word + n; *p; p++) {
		if (!isprint((unsigned char)*p)) {
			return false;
		}
	}
	return true;
}

static enum err_code
check_device(struct conf_reader *r, const json_t *value, const struct conf_port *port)
{
	uint64_t address;
	switch (port->kind) {
	case SEG_PORT_IF:
	case SEG_PORT_XDP:
		if (!if_name_valid(device_word(port))) {
			conf_fail_value(r, value, "a device: no interface can have that name");
			return err_hint(r->err, "1 to 15 characters, no blanks, none of / : , [ ]");
		}
		break;
	case SEG_PORT_PCI:
		if (!pci_parse(device_word(port), &address)) {
			conf_fail_value(r, value, "a PCI address");
			return err_hint(r->err, "pci:0000:3b:10.1 or pci:3b:10.1");
		}
		break;
	case SEG_PORT_VDEV:
		if (!vdev_valid(device_word(port))) {
			conf_fail_value(r, value, "a DPDK device");
			return err_hint(r->err, "e.g. vdev:net_pcap0,rx_pcap=in.pcap,infinite_rx=1");
		}
		break;
	}
	return ERR_NONE;
}

enum err_code
conf_take_device(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf_port *port = base;
	const char *text = json_string_value(value);
	size_t i = 0;
	while (text && i < 4 && strncmp(text, prefixes[i].prefix, strlen(prefixes[i].prefix)) != 0) {
		i++;
	}
	if (!text || i == 4) {
		conf_fail_value(r, value, "a device");
		return err_hint(r->err, "if:INTERFACE, xdp:INTERFACE, pci:ADDRESS or vdev:DPDK-DEVICE");
	}
	if (strlen(text) >= sizeof(port->device)) {
		return conf_fail(r, ERR_USAGE, "%zu bytes are too long: at most %zu", strlen(text), sizeof(port->device) - 1);
	}
	port->kind = prefixes[i].kind;
	snprintf(port->device, sizeof(port->device), "%s", text);
	return check_device(r, value, port);
}

json_t *
conf_put_device(const void *base)
{
	const struct conf_port *port = base;
	return json_string(port->device);
}

bool
conf_same_device(const struct conf_port *a, const struct conf_port *b)
{
	bool net_a = a->kind == SEG_PORT_IF || a->kind == SEG_PORT_XDP;
	bool net_b = b->kind == SEG_PORT_IF || b->kind == SEG_PORT_XDP;
	uint64_t pci_a, pci_b;
	if (net_a != net_b || (!net_a && a->kind != b->kind)) {
		return false;
	}
	const char *x = device_word(a), *y = device_word(b);
	if (net_a) {
		return strcmp(x, y) == 0;
	}
	if (a->kind == SEG_PORT_PCI) {
		return pci_parse(x, &pci_a) && pci_parse(y, &pci_b) && pci_a == pci_b;
	}
	return strcspn(x, ",") == strcspn(y, ",") && strncmp(x, y, strcspn(x, ",")) == 0;
}

static enum err_code
take_port(struct conf_reader *r, const char *name, const json_t *value, struct conf_port *port)
{
	if (!seg_name_valid(name)) {
		conf_fail(r, ERR_USAGE, "not a port's name");
		return err_hint(r->err, "1 to 31 of a-z A-Z 0-9 . _ -, beginning with a letter or digit");
	}
	*port = conf_port_default;
	snprintf(port->name, sizeof(port->name), "%s", name);
	enum err_code code = conf_read_object(r, value, &conf_port_keys, port);
	if (code) {
		return code;
	}
	if (!port->device[0]) {
		conf_fail(r, ERR_USAGE, "no device");
		return err_hint(r->err, "{ \"device\": \"if:eth1\" }; also xdp:INTERFACE, pci:ADDRESS, vdev:DPDK-DEVICE");
	}
	for (const struct conf_port *other = r->conf->port; other < port; other++) {
		if (conf_same_device(other, port)) {
			conf_enter(r, "device");
			return conf_fail(r, ERR_EXISTS, "%s is the device of port %s already", port->device, other->name);
		}
	}
	return ERR_NONE;
}

enum err_code
conf_take_ports(struct conf_reader *r, const json_t *value, void *base)
{
	struct conf *conf = base;
	if (!json_is_object(value)) {
		return conf_fail_value(r, value, "an object {...}");
	}
	if (json_object_size(value) >= SEG_MAX_PORTS) {
		return conf_fail(r, ERR_USAGE, "%zu ports: at most %d", json_object_size(value), SEG_MAX_PORTS - 1);
	}
	conf->port = calloc(json_object_size(value) + 1, sizeof(conf->port[0]));
	if (!conf->port) {
		return err_set(r->err, ERR_FAILED, "no memory");
	}
	const char *name;
	json_t *port;
	json_object_foreach ((json_t *)(uintptr_t)value, name, port) {
		size_t at = conf_enter(r, name);
		enum err_code code = take_port(r, name, port, &conf->port[conf->nports]);
		if (code) {
			return code;
		}
		conf->nports++;
		conf_leave(r, at);
	}
	return ERR_NONE;
}
