/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The doctor on functions: what PFs and VFs are set to, and what an appliance needs of them. */
#include <stdio.h>
#include <string.h>

#include "vf/doctor_int.h"
#include "vf/rules.h"

#define VENDOR_MELLANOX 0x15b3

/* The PF of a VF, or the function itself. */
static const struct host_func *
pf_of(const struct doctor *d, const struct host_func *func)
{
	const struct host_func *pf = func->role == HOST_VF ? host_at(d->host, func->pf) : NULL;
	return pf ? pf : func;
}

/* The VF behind a port of the appliance whose setting is known; NULL: none. */
static const struct host_func *
vf_behind(const struct doctor_port *p, unsigned bit)
{
	return p->func && p->func->role == HOST_VF && p->func->set.has & bit ? p->func : NULL;
}

void
doctor_lldp(struct doctor *d)
{
	for (size_t i = 0; i < d->host->nfuncs; i++) {
		const struct host_func *pf = &d->host->func[i];
		char name[HOST_TEXT_SIZE];
		if (!doctor_uses_pf(d, pf) || !d->facts->lldp_agent || d->facts->lldp_agent[i] != 1) {
			continue;
		}
		struct doctor_finding *finding = doctor_add(d, DOCTOR_WARN, host_name(d->host, pf, name),
			"the LLDP agent of its firmware is on and takes LLDP frames, with some firmware LACP's, too: link aggregation "
			"does not see its partner");
		const struct rules_driver *driver = rules_driver(pf->driver);
		if (driver->lldp_flag && pf->nifaces && doctor_iface_word(pf->iface[0].name)) {
			doctor_fix(finding, "ethtool --set-priv-flags %s %s %s", pf->iface[0].name, driver->lldp_flag,
				driver->lldp_stop ? "on" : "off");
		}
	}
}

/* ---- what the NIC lets through --------------------------------------------------------------------------------------------- */

/* To take in frames for other stations a VF asks for promiscuity or, without that, for filters. */
static bool
bridge_needs_trust(const struct rules_driver *driver)
{
	return driver->promisc != RULES_PROMISC_ASK;
}

static void
trust_of(struct doctor *d, const struct doctor_port *p, const struct host_func *vf)
{
	char name[HOST_TEXT_SIZE];
	const struct rules_driver *driver = rules_driver(pf_of(d, vf)->driver);
	if (!vf->set.trust && (p->nmacs || (p->bridged && bridge_needs_trust(driver)))) {
		struct doctor_finding *finding;
		if (p->nmacs) {
			finding = doctor_add(d, DOCTOR_FAIL, p->name,
				"the VF is not trusted: its PF may refuse it the further addresses that it needs, %s", p->macs);
		} else {
			finding = doctor_add(d, DOCTOR_FAIL, p->name,
				"the VF is not trusted: a bridge's port must take in frames to other stations, and its PF may refuse that");
		}
		doctor_fix(finding, "vfctl vf set %s trust on", doctor_word(d, vf, name));
	}
	if (p->bridged && driver->promisc == RULES_PROMISC_FLAG && vf->set.has & VFSET_PROMISC && !vf->set.promisc) {
		struct doctor_finding *finding = doctor_add(d, DOCTOR_WARN, p->name,
			"%s gives a trusted VF only with its flag %s all frames of other stations, without it at most those that "
			"nobody else on the port has asked for",
			driver->name, driver->promisc_flag);
		doctor_fix(finding, "vfctl vf set %s promisc on", doctor_word(d, vf, name));
	}
}

void
doctor_trust(struct doctor *d)
{
	for (size_t i = 0; i < d->conf->nports; i++) {
		const struct host_func *vf = vf_behind(&d->port[i], VFSET_TRUST);
		if (vf) {
			trust_of(d, &d->port[i], vf);
		}
	}
}

void
doctor_spoofchk(struct doctor *d)
{
	for (size_t i = 0; i < d->conf->nports; i++) {
		const struct doctor_port *p = &d->port[i];
		const struct host_func *vf = vf_behind(p, VFSET_SPOOFCHK);
		char name[HOST_TEXT_SIZE];
		if (!vf || !vf->set.spoofchk || (!p->bridged && !p->nmacs)) {
			continue;
		}
		struct doctor_finding *finding;
		if (p->nmacs) {
			finding = doctor_add(d, DOCTOR_FAIL, p->name,
				"the spoof check is on: the NIC drops what is sent from other addresses than the VF's, as from %s",
				p->macs);
		} else {
			finding = doctor_add(d, DOCTOR_FAIL, p->name,
				"the spoof check is on: the NIC drops what a bridge forwards from other stations");
		}
		doctor_fix(finding, "vfctl vf set %s spoofchk off", doctor_word(d, vf, name));
	}
}

void
doctor_vlan(struct doctor *d)
{
	for (size_t i = 0; i < d->conf->nports; i++) {
		const struct doctor_port *p = &d->port[i];
		const struct host_func *vf = vf_behind(p, VFSET_VLAN);
		char name[HOST_TEXT_SIZE];
		if (vf && vf->set.vlan && p->tagged) {
			struct doctor_finding *finding = doctor_add(d, DOCTOR_FAIL, p->name,
				"the appliance wants tagged frames, but the VF has the port VLAN %u: only that one comes in, without its tag",
				vf->set.vlan);
			doctor_fix(finding, "vfctl vf set %s vlan none", doctor_word(d, vf, name));
		}
	}
}

/* ---- addresses ------------------------------------------------------------------------------------------------------------- */

/* What a station on the wire would know it by; 0: not known. */
static uint64_t
mac_of(const struct host_func *func)
{
	if (func->role == HOST_VF && func->set.has & VFSET_MAC && func->set.mac) {
		return func->set.mac;
	}
	/* Ports of a bond have one address, and mean to. */
	return func->iface && !func->iface->upper[0] ? func->iface->mac : 0;
}

static void
same_mac(struct doctor *d, const struct host_func *vf, const char *name)
{
	uint64_t mac = mac_of(vf);
	for (size_t i = 0; i < d->host->nfuncs && mac; i++) {
		const struct host_func *other = &d->host->func[i];
		char text[MAC_TEXT_SIZE], twin[HOST_TEXT_SIZE], word[HOST_TEXT_SIZE];
		/* Of two VFs the later one is told. */
		if (other == vf || mac_of(other) != mac || (other->role == HOST_VF && other > vf)) {
			continue;
		}
		struct doctor_finding *finding = doctor_add(d, DOCTOR_FAIL, name, "%s has its address, too: %s",
			host_name(d->host, other, twin), mac_format(mac, text));
		doctor_fix(finding, "vfctl vf set %s mac auto", doctor_word(d, vf, word));
		return;
	}
}

void
doctor_mac(struct doctor *d)
{
	for (size_t i = 0; i < d->host->nfuncs; i++) {
		const struct host_func *vf = &d->host->func[i];
		char name[HOST_TEXT_SIZE];
		if (vf->role != HOST_VF || !doctor_uses(d, vf) || !(vf->set.has & VFSET_MAC)) {
			continue;
		}
		host_name(d->host, vf, name);
		if (vf->set.mac) {
			same_mac(d, vf, name);
			continue;
		}
		struct doctor_finding *finding = doctor_add(d, d->conf || doctor_on_vfio(vf) ? DOCTOR_WARN : DOCTOR_NOTE, name,
			"no MAC address was given to it: it has another one after each start");
		doctor_fix(finding, "vfctl vf set %s mac auto", doctor_word(d, vf, name));
	}
}

/* ---- links ----------------------------------------------------------------------------------------------------------------- */

static void
link_of_pf(struct doctor *d, const struct host_func *pf)
{
	char name[HOST_TEXT_SIZE];
	host_name(d->host, pf, name);
	if (!pf->iface->up) {
		struct doctor_finding *finding = doctor_add(d, DOCTOR_FAIL, name, "the port is down: its VFs have no carrier");
		doctor_fix(finding, "vfctl port set %s up on", doctor_word(d, pf, name));
	} else if (!pf->iface->carrier) {
		doctor_add(d, DOCTOR_WARN, name, "the port has no link: is its cable in, and the other end on?");
	}
}

void
doctor_link(struct doctor *d)
{
	for (size_t i = 0; i < d->host->nfuncs; i++) {
		const struct host_func *func = &d->host->func[i];
		char name[HOST_TEXT_SIZE];
		if (func->iface && doctor_uses_pf(d, func)) {
			link_of_pf(d, func);
		}
		if (func->role == HOST_VF && doctor_uses(d, func) && func->set.has & VFSET_LINK &&
			func->set.link == VFSET_LINK_DISABLE) {
			host_name(d->host, func, name);
			struct doctor_finding *finding =
				doctor_add(d, d->conf ? DOCTOR_FAIL : DOCTOR_NOTE, name, "its link was switched off at the PF");
			doctor_fix(finding, "vfctl vf set %s link auto", doctor_word(d, func, name));
		}
	}
}

/* ---- drivers --------------------------------------------------------------------------------------------------------------- */

static void
driver_of_pci(struct doctor *d, const struct doctor_port *p)
{
	const struct host_func *func = p->func;
	char name[HOST_TEXT_SIZE], is[HOST_DRIVER_SIZE + 16] = "has no driver";
	if (!func) {
		doctor_add(d, DOCTOR_FAIL, p->name,
			"%.60s is not there: is it a VF that has not been made (vfctl numvfs), or has its address changed?",
			p->port->device);
		return;
	}
	if (func->driver[0]) {
		snprintf(is, sizeof(is), "is bound to %s", func->driver);
	}
	/* Of a PF that is on vfio-pci itself only the vendor tells what would drive it. */
	bool stays = doctor_stays(d, func) || func->vendor == VENDOR_MELLANOX;
	if (stays && (!func->driver[0] || doctor_on_vfio(func))) {
		const char *own = rules_driver(pf_of(d, func)->driver)->vf_driver;
		doctor_fix(doctor_add(d, DOCTOR_FAIL, p->name, "it %s, but DPDK drives it through its kernel driver%s%s", is,
				   own ? ", " : "", own ? own : ""),
			"vfctl %s bind %s kernel", doctor_noun(func), doctor_word(d, func, name));
	} else if (!stays && !doctor_on_vfio(func)) {
		doctor_fix(doctor_add(d, DOCTOR_FAIL, p->name, "it %s, and an engine needs vfio-pci", is),
			"vfctl %s bind %s vfio-pci", doctor_noun(func), doctor_word(d, func, name));
	}
}

void
doctor_driver(struct doctor *d)
{
	for (size_t i = 0; i < d->conf->nports; i++) {
		if (d->conf->port[i].kind == SEG_PORT_PCI) {
			driver_of_pci(d, &d->port[i]);
		}
	}
}
