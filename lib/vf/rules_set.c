/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a VF may be given, and why a driver has refused it. */
#include <inttypes.h>
#include <stdio.h>

#include "vf/keys.h"
#include "vf/rules.h"

#define MBIT UINT64_C(1000000)
#define TAG_S 0x88a8
#define VENDOR_INTEL 0x8086

/* Whom it is about, in the words of the sentences. */
struct about {
	const struct host *host;
	const struct host_func *vf, *pf; /* pf may be NULL: it has gone, or was never seen */
	const struct rules_driver *driver;
	const char *by; /* "igb" */
	char name[HOST_TEXT_SIZE], port[HOST_TEXT_SIZE];
};

static void
about(const struct host *host, const struct host_func *vf, struct about *a)
{
	*a = (struct about){.host = host, .vf = vf, .pf = host_at(host, vf->pf)};
	const char *driver = a->pf ? a->pf->driver : "";
	a->driver = rules_driver(driver);
	a->by = driver[0] ? driver : "the PF's driver";
	host_name(host, vf, a->name);
	snprintf(a->port, sizeof(a->port), "its port");
	if (a->pf) {
		host_name(host, a->pf, a->port);
	}
}

/* 0: not known, since there is no link. */
static uint64_t
link_speed(const struct about *a)
{
	const struct host_if *iface = a->pf && a->pf->nifaces ? &a->pf->iface[0] : NULL;
	return iface && iface->set.has & PORTSET_SPEED ? iface->set.speed_bps : 0;
}

static bool
without_link(const struct about *a)
{
	return a->pf && a->pf->nifaces && !a->pf->iface[0].carrier;
}

/* ---- what the driver is known not to have ---------------------------------------------------------------------------- */

/* Devices that lack what others of their driver have. */
static bool
is_one_of(const struct host_func *pf, const uint16_t *devices, size_t n)
{
	for (size_t i = 0; i < n && pf && pf->vendor == VENDOR_INTEL; i++) {
		if (pf->device == devices[i]) {
			return true;
		}
	}
	return false;
}

/* ixgbe_type.h, IXGBE_DEV_ID_82599_*. ixgbe_sriov.c gives VFs no unicast promiscuity on those. */
static bool
is_82599(const struct host_func *pf)
{
	static const uint16_t devices[] = {0x10f7, 0x10f8, 0x10f9, 0x10fb, 0x10fc, 0x1507, 0x1514, 0x1517, 0x151c, 0x1529, 0x152a,
		0x154a, 0x154d, 0x154f, 0x1557, 0x1558};
	return is_one_of(pf, devices, sizeof(devices) / sizeof(devices[0]));
}

/* e1000_hw.h, E1000_DEV_ID_I350_*. igb_main.c limits the rate of an 82576's VFs alone. */
static bool
is_i350(const struct host_func *pf)
{
	static const uint16_t devices[] = {0x1521, 0x1522, 0x1523, 0x1524, 0x1546};
	return is_one_of(pf, devices, sizeof(devices) / sizeof(devices[0]));
}

static enum err_code
no_promisc(const struct about *a, unsigned bit, struct err *err)
{
	enum rules_promisc way = bit == VFSET_PROMISC ? a->driver->promisc : a->driver->allmulti;
	const char *frames = bit == VFSET_PROMISC ? "all unicast" : "all multicast";
	if (bit == VFSET_PROMISC && is_82599(a->pf)) {
		way = RULES_PROMISC_NONE;
	}
	if (way == RULES_PROMISC_NONE) {
		err_set(err, ERR_REFUSED, "%s cannot give %s frames of %s to %s: the device has no such mode", a->by, frames,
			a->port, a->name);
		return err_hint(err, "frames for further MAC addresses reach a trusted VF that asks for each of them");
	}
	err_set(err, ERR_REFUSED, "%s has no switch that gives %s frames to %s", a->by, frames, a->name);
	if (way == RULES_PROMISC_ASK) {
		return err_hint(err, "who drives the VF asks for them: leave %s out", vfset_name(bit));
	}
	return err_hint(err, "who drives the VF asks for them, and gets them when it is trusted%s: vfctl vf set %s trust on",
		bit == VFSET_PROMISC && a->driver->promisc_port ? " and its port is promiscuous" : "", a->name);
}

/* The sentence for a bit that the driver has no request for. */
static enum err_code
no_such_setting(const struct about *a, unsigned bit, struct err *err)
{
	static const char *const lacks[VFSET_COUNT] = {"takes no MAC address for", "sets no VLAN of", "limits no rate of",
		"does not know trust in", "has no spoof check of", "does not set the link state of"};
	if (bit & (VFSET_PROMISC | VFSET_ALLMULTI)) {
		return no_promisc(a, bit, err);
	}
	unsigned i = 0;
	while (i < VFSET_COUNT && bit != 1u << i) {
		i++;
	}
	err_set(err, ERR_REFUSED, "%s %s its VFs (%s)", a->by, lacks[i < VFSET_COUNT ? i : 0], a->name);
	return err_hint(err, "leave %s out", vfset_name(bit));
}

static enum err_code
known_rate(const struct about *a, const struct vfset *want, struct err *err)
{
	const struct rules_driver *d = a->driver;
	if (want->min_rate_bps && !d->min_rate) {
		err_set(err, ERR_REFUSED, "%s has no minimum rate for VFs (%s)", a->by, a->name);
		return err_hint(err, "leave min-rate out");
	}
	if (d->rate_link && without_link(a)) {
		err_set(err, ERR_REFUSED, "%s takes a rate for VFs only while the port has a link, and %s has none (%s)", a->by,
			a->port, a->name);
		return err_hint(err, "set it again when the link is up");
	}
	if (d->rate_stays && !want->max_rate_bps && !want->min_rate_bps) {
		err_set(err, ERR_REFUSED, "%s does not take the limit of a VF's rate away (%s)", a->by, a->name);
		return err_hint(err, "the speed of the link limits nothing, either: rate 25G");
	}
	return ERR_NONE;
}

/* Of one bit. ERR_NONE: no rule speaks against it. */
static enum err_code
known(const struct about *a, unsigned bit, const struct vfset *want, struct err *err)
{
	const struct rules_driver *d = a->driver;
	if (!(d->sets & bit) || (bit == VFSET_RATE && is_i350(a->pf))) {
		return no_such_setting(a, bit, err);
	}
	if (bit == VFSET_RATE) {
		return known_rate(a, want, err);
	}
	if (bit == VFSET_VLAN && want->vlan && want->proto == TAG_S && !d->qinq) {
		err_set(err, ERR_REFUSED, "%s has no 802.1ad tags for VFs (%s)", a->by, a->name);
		return err_hint(err, "leave proto out: the tag is 802.1Q then");
	}
	if (bit == VFSET_VLAN && want->qos && d->no_qos) {
		err_set(err, ERR_REFUSED, "%s has no priority beside the VLAN of a VF (%s)", a->by, a->name);
		return err_hint(err, "leave qos out");
	}
	if (bit == VFSET_LINK && want->link == VFSET_LINK_ENABLE && d->no_link_up) {
		err_set(err, ERR_REFUSED, "%s cannot hold up the link of a VF while its port has none (%s)", a->by, a->name);
		return err_hint(err, "link auto follows the port, link disable takes it down");
	}
	if (bit == VFSET_MAC && want->mac == 0 && !d->zero_mac) {
		err_set(err, ERR_REFUSED, "%s does not take back the MAC address of a VF (%s)", a->by, a->name);
		return err_hint(err, "give it another one, or auto");
	}
	return ERR_NONE;
}

/* ---- values --------------------------------------------------------------------------------------------------------- */

static enum err_code
check_rates(const struct about *a, const struct vfset *want, struct err *err)
{
	const uint64_t rates[] = {want->max_rate_bps, want->min_rate_bps};
	static const char *const words[] = {"rate", "min-rate"};
	uint64_t speed = link_speed(a);
	char text[32], link[32];
	for (unsigned i = 0; i < 2; i++) {
		keys_rate(rates[i], text, sizeof(text));
		if (rates[i] % MBIT) {
			err_set(err, ERR_USAGE, "%s: %s is not a whole number of Mbit/s", words[i], text);
			return err_hint(err, "such as 500M or 2.5G");
		}
		if (speed && rates[i] > speed) {
			err_set(err, ERR_USAGE, "%s: %s is above the link of %s, %s", words[i], text, a->port,
				keys_rate(speed, link, sizeof(link)));
			return err_hint(err, "at most the speed of the link; none: no limit");
		}
	}
	if (want->max_rate_bps && want->min_rate_bps > want->max_rate_bps) {
		return err_set(err, ERR_USAGE, "min-rate: %s is more than rate, %s",
			keys_rate(want->min_rate_bps, text, sizeof(text)), keys_rate(want->max_rate_bps, link, sizeof(link)));
	}
	return ERR_NONE;
}

static enum err_code
check_values(const struct about *a, const struct vfset *want, struct err *err)
{
	char mac[MAC_TEXT_SIZE];
	if (want->has & VFSET_MAC && mac_is_group(want->mac)) {
		err_set(err, ERR_USAGE, "mac: %s is not one station's address: its group bit is set", mac_format(want->mac, mac));
		return err_hint(err, "addresses of one's own making begin with 02");
	}
	if (want->has & VFSET_VLAN && want->vlan > VLAN_MAX) {
		return err_set(err, ERR_USAGE, "vlan: %u is not a VLAN id (1 to 4094; 0: none)", want->vlan);
	}
	if (want->has & VFSET_VLAN && want->qos > 7) {
		return err_set(err, ERR_USAGE, "qos: %u is not a priority (0 to 7)", want->qos);
	}
	if (want->has & VFSET_VLAN && want->qos && !want->vlan) {
		err_set(err, ERR_USAGE, "qos: %u without a VLAN", want->qos);
		return err_hint(err, "the priority stands in the tag of a VLAN: vlan V qos %u", want->qos);
	}
	return want->has & VFSET_RATE ? check_rates(a, want, err) : ERR_NONE;
}

/* ---- addresses ------------------------------------------------------------------------------------------------------ */

/* The function that has the MAC, other than the VF itself; *iface is its interface of that MAC, NULL: it was given to a VF. */
static const struct host_func *
mac_owner(const struct host *host, const struct host_func *vf, uint64_t mac, const struct host_if **iface)
{
	for (size_t i = 0; i < host->nfuncs; i++) {
		const struct host_func *func = &host->func[i];
		*iface = NULL;
		if (func->addr == vf->addr) {
			continue;
		}
		for (size_t k = 0; k < func->nifaces; k++) {
			if (func->iface[k].mac == mac) {
				*iface = &func->iface[k];
				return func;
			}
		}
		if (func->role == HOST_VF && func->set.has & VFSET_MAC && func->set.mac == mac) {
			return func;
		}
	}
	return NULL;
}

static enum err_code
check_mac(const struct about *a, uint64_t mac, struct err *err)
{
	const struct host_if *iface;
	const struct host_func *owner = mac ? mac_owner(a->host, a->vf, mac, &iface) : NULL;
	char text[MAC_TEXT_SIZE], name[HOST_TEXT_SIZE];
	if (!owner) {
		return ERR_NONE;
	}
	mac_format(mac, text);
	host_name(a->host, owner, name);
	if (iface && owner->role == HOST_VF) {
		err_set(err, ERR_EXISTS, "mac: %s is that of %s (%s)", text, iface->name, name);
	} else {
		err_set(err, ERR_EXISTS, "mac: %s is that of %s", text, iface ? iface->name : name);
	}
	return err_hint(err, "auto makes one that is free");
}

enum err_code
rules_leased_mac(const struct host *host, const struct ledger *ledger, const struct host_func *vf, const struct vfset *want,
	struct err *err)
{
	for (size_t i = 0; i < ledger->nrecords && want->has & VFSET_MAC && want->mac; i++) {
		const struct ledger_record *record = &ledger->record[i];
		char mac[MAC_TEXT_SIZE], name[HOST_TEXT_SIZE], addr[PCI_TEXT_SIZE];
		bool own = record->func == vf->pf && record->index == (int)vf->index;
		if (own || !record->holder[0] || !(record->set.has & VFSET_MAC) || record->set.mac != want->mac) {
			continue;
		}
		const struct host_func *pf = host_at(host, record->func);
		err_set(err, ERR_EXISTS, "mac: %s is leased to %s (%.60s:%d)", mac_format(want->mac, mac), record->holder,
			pf ? host_name(host, pf, name) : pci_format(record->func, addr), record->index);
		return err_hint(err, "auto makes one that is free");
	}
	return ERR_NONE;
}

/* FNV-1a, 64 bits. */
static uint64_t
mix(uint64_t hash, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		hash = (hash ^ (value >> (8 * i) & 0xff)) * UINT64_C(0x100000001b3);
	}
	return hash;
}

uint64_t
rules_auto_mac(const struct host *host, const struct host_func *vf)
{
	const struct host_func *pf = host_at(host, vf->pf);
	const struct host_if *iface;
	uint64_t seed = pf && pf->nifaces ? pf->iface[0].mac : vf->pf;
	for (uint64_t attempt = 0;; attempt++) {
		uint64_t hash = mix(mix(mix(UINT64_C(0xcbf29ce484222325), seed), vf->index), attempt);
		hash ^= hash >> 48;
		/* IEEE 802-2014 8.4: locally administered, one station; 02 is what people know such an address by. */
		uint64_t mac = UINT64_C(0x020000000000) | (hash & UINT64_C(0xffffffffff));
		if (!mac_owner(host, vf, mac, &iface)) {
			return mac;
		}
	}
}

/* ---- the two questions ---------------------------------------------------------------------------------------------- */

enum err_code
rules_set(const struct host *host, const struct host_func *vf, const struct vfset *want, struct err *err)
{
	struct about a;
	about(host, vf, &a);
	enum err_code code = check_values(&a, want, err);
	for (unsigned i = 0; i < VFSET_COUNT && !code; i++) {
		if (want->has & 1u << i) {
			code = known(&a, 1u << i, want, err);
		}
	}
	if (!code && want->has & VFSET_MAC) {
		code = check_mac(&a, want->mac, err);
	}
	return code;
}

/* What may be the matter with a value that the driver has in principle. */
static void
hint_invalid(const struct about *a, unsigned bit, struct err *err)
{
	if (bit == VFSET_RATE && without_link(a)) {
		err_hint(err, "some drivers take a rate only while the port has a link, and %s has none", a->port);
	} else if (bit == VFSET_RATE) {
		char text[32];
		uint64_t speed = link_speed(a);
		err_hint(err, "the link of %s has %s; there may be a lower bound, too", a->port,
			speed ? keys_rate(speed, text, sizeof(text)) : "an unknown speed");
	} else if (bit == VFSET_MAC) {
		err_hint(err, "an address of one station that no other function of the device has");
	}
}

void
rules_refusal(const struct host *host, const struct host_func *vf, unsigned bit, const struct vfset *want,
	enum rules_answer answer, const char *said, struct err *err)
{
	struct about a;
	char value[96];
	about(host, vf, &a);
	const char *word = vfset_name(bit);
	vfset_text(want, bit, value, sizeof(value));
	if (answer <= RULES_INVALID && known(&a, bit, want, err)) {
		return;
	}
	switch (answer) {
	case RULES_UNSUPPORTED:
		err_set(err, ERR_REFUSED, "%s does not have %s %s for VFs, or its firmware does not (%s): %s", a.by, word, value,
			a.name, said);
		err_hint(err, "leave %s out", word);
		break;
	case RULES_INVALID:
		err_set(err, ERR_REFUSED, "%s refuses %s %s for %s: %s", a.by, word, value, a.name, said);
		hint_invalid(&a, bit, err);
		break;
	case RULES_FORBIDDEN:
		err_set(err, ERR_REFUSED, "%s %s for %s is not permitted: %s", word, value, a.name, said);
		err_hint(err, "it takes root in the network namespace of %s", a.port);
		break;
	case RULES_BUSY:
		err_set(err, ERR_FAILED, "%s is busy with %s and did not set %s %s: %s", a.by, a.name, word, value, said);
		err_hint(err, "it may be in a reset: try again");
		break;
	case RULES_FULL:
		err_set(err, ERR_REFUSED, "%s has no room for %s %s of %s: %s", a.by, word, value, a.name, said);
		err_hint(err, "its tables are shared by all VFs of %s", a.port);
		break;
	case RULES_FAILED:
		err_set(err, ERR_FAILED, "%s failed to set %s %s for %s: %s", a.by, word, value, a.name, said);
		err_hint(err, "the kernel's log may say more");
		break;
	}
}
