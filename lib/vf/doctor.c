/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame of the doctor: the order of the checks, what an appliance means for the functions of a host. */
#include "vf/doctor.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vf/doctor_int.h"
#include "vf/rules.h"

/* RFC 5798 7.3: the address of a virtual router, for IPv4 and for IPv6. */
#define VMAC_IPV4 UINT64_C(0x00005e000100)
#define VMAC_IPV6 UINT64_C(0x00005e000200)

#define MEMORY_ITEMS 16

/* ok: what is said when nothing is found; NULL: then nothing is. */
struct check {
	const char *name;
	void (*run)(struct doctor *d);
	const char *ok;
	bool needs_conf;
};

static const struct check checks[] = {
	{"iommu", doctor_iommu, "there is an IOMMU", false},
	{"acs", doctor_acs, "the bridges above the ports separate them, as far as that can be seen", false},
	{"group", doctor_group, "no IOMMU group is shared", false},
	{"vfio", doctor_vfio, "vfio-pci is there", false},
	{"hugepages", doctor_hugepages, "there are huge pages", false},
	{"siblings", doctor_siblings, "no two data cores share a core of the machine", true},
	{"isolation", doctor_isolation, "the data cores have their CPUs to themselves", true},
	{"numa", doctor_numa, "ports and CPUs are near each other", true},
	{"lldp", doctor_lldp, "no firmware is known to take LACP's and LLDP's frames away", false},
	{"trust", doctor_trust, "the ports may have the addresses that they need", true},
	{"spoofchk", doctor_spoofchk, "the ports may send with the addresses that they need", true},
	{"mac", doctor_mac, "each VF has a MAC address of its own", false},
	{"vlan", doctor_vlan, "no NIC takes away a VLAN tag that the appliance wants to see", true},
	{"link", doctor_link, "the ports with VFs are up", false},
	{"driver", doctor_driver, "the ports are bound to the driver that they need", true},
	{"memlock", doctor_memlock, "memory may be locked", false},
	{"ledger", doctor_ledger, "nothing was left halfway, and each lease has its VF", false},
};

const char *
doctor_level_name(enum doctor_level level)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok", [DOCTOR_NOTE] = "note", [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "fail"};
	return names[level];
}

/* ---- findings -------------------------------------------------------------------------------------------------------------- */

struct doctor_finding *
doctor_add(struct doctor *d, enum doctor_level level, const char *subject, const char *fmt, ...)
{
	if (d->n == d->space) {
		size_t space = d->space ? 2 * d->space : 16;
		struct doctor_finding *more = realloc(d->list, space * sizeof(*more));
		d->list = more ? more : d->list;
		d->space = more ? space : d->space;
	}
	struct doctor_finding *finding = d->n < d->space ? &d->list[d->n++] : &d->spare;
	*finding = (struct doctor_finding){.check = d->check, .level = level};
	snprintf(finding->subject, sizeof(finding->subject), "%s", subject);
	va_list args;
	va_start(args, fmt);
	vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
	return finding;
}

void
doctor_fix(struct doctor_finding *finding, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(finding->fix, sizeof(finding->fix), fmt, args);
	va_end(args);
	/* Half a command mends nothing. */
	if (n < 0 || (size_t)n >= sizeof(finding->fix)) {
		finding->fix[0] = '\0';
	}
}

const char *
doctor_iface_word(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@/-");
	return n && !name[n] && name[0] != '-' ? name : NULL;
}

const char *
doctor_word(const struct doctor *d, const struct host_func *func, char text[HOST_TEXT_SIZE])
{
	host_name(d->host, func, text);
	return doctor_iface_word(text) ? text : pci_format(func->addr, text);
}

/* Tells what a check has found, the worst last. */
static void
tell_check(struct doctor *d, const struct check *check)
{
	if (d->n == 0 && check->ok) {
		doctor_add(d, DOCTOR_OK, "host", "%s", check->ok);
	}
	for (enum doctor_level level = DOCTOR_OK; level <= DOCTOR_FAIL; level++) {
		for (size_t i = 0; i < d->n; i++) {
			if (d->list[i].level == level) {
				d->tell(d->arg, &d->list[i]);
			}
		}
	}
	d->n = 0;
}

/* ---- the appliance --------------------------------------------------------------------------------------------------------- */

static const struct host_func *
func_of(const struct host *host, const struct conf_port *port)
{
	const char *name = strchr(port->device, ':');
	uint64_t addr;
	if (port->kind == SEG_PORT_PCI) {
		return name && pci_parse(name + 1, &addr) ? host_at(host, addr) : NULL;
	}
	for (size_t i = 0; name && i < host->nfuncs && port->kind != SEG_PORT_VDEV; i++) {
		const struct host_func *func = &host->func[i];
		for (size_t k = 0; k < func->nifaces; k++) {
			if (strcmp(func->iface[k].name, name + 1) == 0) {
				return func;
			}
		}
	}
	return NULL;
}

/* An address beside its own. */
static void
add_mac(struct doctor_port *p, uint64_t mac)
{
	const struct host_func *func = p->func;
	if (!func || !mac || (func->set.has & VFSET_MAC && func->set.mac == mac) || (func->iface && func->iface->mac == mac)) {
		return;
	}
	char text[MAC_TEXT_SIZE];
	if (p->nmacs++ == 0) {
		snprintf(p->macs, sizeof(p->macs), "%s", mac_format(mac, text));
	} else {
		snprintf(p->macs + MAC_TEXT_SIZE - 1, sizeof(p->macs) - MAC_TEXT_SIZE + 1, " and %u more", p->nmacs - 1);
	}
}

/* A MAC of an interface is one of the ports that the interface is reached by. */
static void
add_iface_mac(struct doctor *d, const struct conf_iface *iface, uint64_t mac)
{
	if (iface->port != CONF_NONE) {
		add_mac(&d->port[iface->port], mac);
	} else if (iface->bridge != CONF_NONE) {
		const struct conf_bridge *bridge = &d->conf->bridge[iface->bridge];
		for (size_t m = 0; m < bridge->nmembers; m++) {
			add_mac(&d->port[bridge->member[m].port], mac);
		}
	}
}

static void
add_vrrp(struct doctor *d, const json_t *router)
{
	const char *name = json_string_value(json_object_get(router, "interface"));
	json_int_t vrid = json_integer_value(json_object_get(router, "vrid"));
	const json_t *addresses = json_object_get(router, "addresses");
	int iface = name ? conf_find_iface(d->conf, name) : -1;
	bool six = false;
	if (iface < 0 || vrid < 1 || vrid > 255) {
		return;
	}
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const char *address = json_string_value(json_array_get(addresses, i));
		six = six || (address && strchr(address, ':'));
	}
	add_iface_mac(d, &d->conf->iface[iface], (six ? VMAC_IPV6 : VMAC_IPV4) | (uint64_t)vrid);
}

static void
look_at_ports(struct doctor *d)
{
	for (size_t i = 0; i < d->conf->nports; i++) {
		struct doctor_port *p = &d->port[i];
		char func[HOST_TEXT_SIZE];
		p->port = &d->conf->port[i];
		p->func = func_of(d->host, p->port);
		snprintf(p->name, sizeof(p->name), "port %s", p->port->name);
		if (p->func) {
			host_name(d->host, p->func, func);
			snprintf(p->name, sizeof(p->name), "port %s (%.80s)", p->port->name, func);
		}
	}
}

static void
look_at_appliance(struct doctor *d)
{
	const struct conf *conf = d->conf;
	look_at_ports(d);
	for (size_t b = 0; b < conf->nbridges; b++) {
		for (size_t m = 0; m < conf->bridge[b].nmembers; m++) {
			const struct conf_member *member = &conf->bridge[b].member[m];
			d->port[member->port].bridged = true;
			for (unsigned w = 0; w < 64; w++) {
				d->port[member->port].tagged = d->port[member->port].tagged || member->tagged[w];
			}
		}
	}
	for (size_t i = 0; i < conf->nifaces; i++) {
		const struct conf_iface *iface = &conf->iface[i];
		if (iface->port != CONF_NONE && iface->vid) {
			d->port[iface->port].tagged = true;
		}
		add_iface_mac(d, iface, iface->mac);
	}
	json_t *document = conf->text ? json_loads(conf->text, 0, NULL) : NULL;
	const json_t *routers = json_object_get(document, "vrrp");
	for (size_t i = 0; i < json_array_size(routers); i++) {
		add_vrrp(d, json_array_get(routers, i));
	}
	json_decref(document);
}

bool
doctor_uses(const struct doctor *d, const struct host_func *func)
{
	if (!d->conf) {
		return func->role == HOST_VF || doctor_on_vfio(func);
	}
	for (size_t i = 0; i < d->conf->nports; i++) {
		if (d->port[i].func == func) {
			return true;
		}
	}
	return false;
}

bool
doctor_uses_pf(const struct doctor *d, const struct host_func *pf)
{
	if (pf->role != HOST_PF || !d->conf) {
		return pf->role == HOST_PF && pf->num_vfs;
	}
	for (size_t i = 0; i < d->conf->nports; i++) {
		const struct host_func *func = d->port[i].func;
		if (func && (func == pf || (func->role == HOST_VF && func->pf == pf->addr))) {
			return true;
		}
	}
	return false;
}

bool
doctor_stays(const struct doctor *d, const struct host_func *func)
{
	const struct host_func *pf = func->role == HOST_VF ? host_at(d->host, func->pf) : NULL;
	return rules_driver(pf ? pf->driver : func->driver)->stays;
}

uint64_t
doctor_engine_bytes(const struct conf *conf)
{
	struct conf_memory_item items[MEMORY_ITEMS];
	size_t n = conf_memory(conf, items, MEMORY_ITEMS);
	uint64_t bytes = 0;
	for (size_t i = 0; i < n; i++) {
		bytes += strcmp(items[i].where, "engine") == 0 ? items[i].bytes : 0;
	}
	return bytes;
}

void
doctor_check(const struct host *host, const struct ledger *ledger, const struct doctor_facts *facts, const struct conf *conf,
	doctor_tell *tell, void *arg)
{
	struct doctor d = {.host = host, .ledger = ledger, .facts = facts, .conf = conf, .tell = tell, .arg = arg};
	if (conf) {
		d.port = calloc(conf->nports + 1, sizeof(*d.port));
		if (!d.port) {
			d.conf = NULL;
		} else {
			look_at_appliance(&d);
		}
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (d.conf || !checks[i].needs_conf) {
			d.check = checks[i].name;
			checks[i].run(&d);
			tell_check(&d, &checks[i]);
		}
	}
	free(d.list);
	free(d.port);
}
