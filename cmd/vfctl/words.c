/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "words.h"

#include <string.h>

#include "base/num.h"
#include "vf/rules.h"

#define TAG_C 0x8100 /* IEEE 802.1Q-2018 table 9-1 */
#define TAG_S 0x88a8
#define QOS_MAX 7
#define RATE_MAX (UINT32_MAX * UINT64_C(1000000)) /* IFLA_VF_RATE: Mbit/s in 32 bits */

const char *
words_text(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->nvalues; i++) {
		if (strcmp(cli->value[i].param->name, name) == 0) {
			return cli->value[i].text;
		}
	}
	return NULL;
}

/* "none" is 0 where that means something. */
static enum err_code
take_number(const struct cli *cli, const char *name, uint64_t max, const char *what, bool none, uint64_t *to, bool *given,
	struct err *err)
{
	const char *text = words_text(cli, name);
	if (!text) {
		return ERR_NONE;
	}
	*given = true;
	if (none && strcmp(text, "none") == 0) {
		*to = 0;
		return ERR_NONE;
	}
	if (num_parse_u64(text, 0, max, to)) {
		return ERR_NONE;
	}
	err_set(err, ERR_USAGE, "%s '%.40s': not %s", name, text, what);
	return err_hint(err, "0 to %llu%s", (unsigned long long)max, none ? ", or none" : "");
}

static enum err_code
take_rate(const struct cli *cli, const char *name, uint64_t max, uint64_t *to, bool *given, struct err *err)
{
	uint64_t rate = 0;
	const char *text = words_text(cli, name);
	if (!text) {
		return ERR_NONE;
	}
	*given = true;
	if (strcmp(text, "none") != 0 && (!num_parse_bps(text, &rate) || rate > max)) {
		err_set(err, ERR_USAGE, "%s '%.40s': not a rate", name, text);
		return err_hint(err, "such as 500M or 2.5G, in bits a second, or none");
	}
	*to = rate;
	return ERR_NONE;
}

static enum err_code
take_switch(const struct cli *cli, const char *name, unsigned bit, bool *to, unsigned *has, struct err *err)
{
	const char *text = words_text(cli, name);
	if (!text) {
		return ERR_NONE;
	}
	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0) {
		return err_set(err, ERR_USAGE, "%s '%.40s': on or off", name, text);
	}
	*to = strcmp(text, "on") == 0;
	*has |= bit;
	return ERR_NONE;
}

/* -1: not given. */
static enum err_code
take_one_of(const struct cli *cli, const char *name, const char *const *of, int *to, struct err *err)
{
	const char *text = words_text(cli, name);
	*to = -1;
	if (!text) {
		return ERR_NONE;
	}
	for (int i = 0; of[i]; i++) {
		if (strcmp(of[i], text) == 0) {
			*to = i;
			return ERR_NONE;
		}
	}
	err_set(err, ERR_USAGE, "%s '%.40s': no such choice", name, text);
	return err_hint(err, "%s, %s%s%s", of[0], of[1], of[2] ? " or " : "", of[2] ? of[2] : "");
}

/* ---- a VF ---------------------------------------------------------------------------------------------------------- */

static enum err_code
take_mac(const struct cli *cli, const struct host *host, const struct host_func *vf, struct vfset *want, struct err *err)
{
	const char *text = words_text(cli, "mac");
	if (!text) {
		return ERR_NONE;
	}
	want->has |= VFSET_MAC;
	if (strcmp(text, "auto") == 0) {
		want->mac = vf ? rules_auto_mac(host, vf) : 0;
	} else if (!mac_parse(text, &want->mac)) {
		err_set(err, ERR_USAGE, "mac '%.40s': not a MAC address", text);
		return err_hint(err, "such as 52:54:00:00:01:10, or auto");
	}
	return ERR_NONE;
}

static enum err_code
take_vlan(const struct cli *cli, const struct host_func *vf, struct vfset *want, struct err *err)
{
	static const char *const protos[] = {"802.1Q", "802.1ad", NULL};
	uint64_t vlan = 0, qos = 0;
	bool vlan_given = false, qos_given = false;
	int proto;
	enum err_code code = take_number(cli, "vlan", VLAN_MAX, "a VLAN id", true, &vlan, &vlan_given, err);
	if (!code) {
		code = take_number(cli, "qos", QOS_MAX, "a priority", false, &qos, &qos_given, err);
	}
	if (!code) {
		code = take_one_of(cli, "proto", protos, &proto, err);
	}
	if (code || (!vlan_given && !qos_given && proto < 0)) {
		return code;
	}
	want->has |= VFSET_VLAN;
	want->proto = TAG_C;
	if (vf) {
		vfset_copy(want, &vf->set, VFSET_VLAN & vf->set.has);
	}
	want->vlan = vlan_given ? (uint16_t)vlan : want->vlan;
	if (want->vlan == 0) {
		want->qos = 0;
		want->proto = TAG_C;
	}
	want->qos = qos_given ? (uint8_t)qos : want->qos;
	want->proto = proto < 0 ? want->proto : proto == 0 ? TAG_C : TAG_S;
	return ERR_NONE;
}

static enum err_code
take_rates(const struct cli *cli, const struct host_func *vf, struct vfset *want, struct err *err)
{
	uint64_t most, least;
	bool most_given = false, least_given = false;
	enum err_code code = take_rate(cli, "rate", RATE_MAX, &most, &most_given, err);
	if (!code) {
		code = take_rate(cli, "min-rate", RATE_MAX, &least, &least_given, err);
	}
	if (code || (!most_given && !least_given)) {
		return code;
	}
	want->has |= VFSET_RATE;
	if (vf) {
		vfset_copy(want, &vf->set, VFSET_RATE & vf->set.has);
	}
	want->max_rate_bps = most_given ? most : want->max_rate_bps;
	want->min_rate_bps = least_given ? least : want->min_rate_bps;
	return ERR_NONE;
}

enum err_code
words_vfset(const struct cli *cli, const struct host *host, const struct host_func *vf, struct vfset *want, struct err *err)
{
	static const char *const links[] = {"auto", "enable", "disable", NULL};
	int link = -1;
	*want = (struct vfset){.has = 0};
	enum err_code code = take_mac(cli, host, vf, want, err);
	if (!code) {
		code = take_vlan(cli, vf, want, err);
	}
	if (!code) {
		code = take_rates(cli, vf, want, err);
	}
	if (!code) {
		code = take_switch(cli, "trust", VFSET_TRUST, &want->trust, &want->has, err);
	}
	if (!code) {
		code = take_switch(cli, "spoofchk", VFSET_SPOOFCHK, &want->spoofchk, &want->has, err);
	}
	if (!code) {
		code = take_switch(cli, "promisc", VFSET_PROMISC, &want->promisc, &want->has, err);
	}
	if (!code) {
		code = take_switch(cli, "allmulti", VFSET_ALLMULTI, &want->allmulti, &want->has, err);
	}
	if (!code) {
		code = take_one_of(cli, "link", links, &link, err);
	}
	if (!code && link >= 0) {
		want->link = (enum vfset_link)link; /* in the order of links */
		want->has |= VFSET_LINK;
	}
	return code;
}

/* ---- a port -------------------------------------------------------------------------------------------------------- */

static enum err_code
take_switches(const struct cli *cli, struct portset *want, struct err *err)
{
	const struct {
		const char *name;
		unsigned bit;
		bool *to;
	} switches[] = {
		{"autoneg", PORTSET_AUTONEG, &want->autoneg},
		{"pause-autoneg", PORTSET_PAUSE_AUTONEG, &want->pause_autoneg},
		{"pause-rx", PORTSET_PAUSE_RX, &want->pause_rx},
		{"pause-tx", PORTSET_PAUSE_TX, &want->pause_tx},
		{"up", PORTSET_UP, &want->up},
	};
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		enum err_code code = take_switch(cli, switches[i].name, switches[i].bit, switches[i].to, &want->has, err);
		if (code) {
			return code;
		}
	}
	return ERR_NONE;
}

enum err_code
words_portset(const struct cli *cli, struct portset *want, struct err *err)
{
	static const char *const duplexes[] = {"half", "full", NULL};
	uint64_t mtu = 0;
	bool mtu_given = false, speed_given = false;
	int duplex = -1;
	*want = (struct portset){.has = 0};
	enum err_code code = take_switches(cli, want, err);
	if (!code) {
		code = take_number(cli, "mtu", UINT16_MAX, "an MTU", false, &mtu, &mtu_given, err);
	}
	if (!code) {
		code = take_rate(cli, "speed", UINT64_MAX, &want->speed_bps, &speed_given, err);
	}
	if (!code) {
		code = take_one_of(cli, "duplex", duplexes, &duplex, err);
	}
	want->mtu = (uint32_t)mtu;
	want->duplex = duplex == 0 ? HOST_DUPLEX_HALF : duplex == 1 ? HOST_DUPLEX_FULL : HOST_DUPLEX_UNKNOWN;
	want->has |= (mtu_given ? PORTSET_MTU : 0) | (speed_given ? PORTSET_SPEED : 0) | (duplex >= 0 ? PORTSET_DUPLEX : 0);
	return code;
}

/* ---- what the verbs have in common --------------------------------------------------------------------------------- */

enum err_code
words_commit(struct vfctl *v, const struct host_func *func, struct ledger_entry *entry, struct err *err)
{
	char what[HOST_TEXT_SIZE];
	host_name(&v->host, func, what);
	return vfctl_commit(v, entry, what, err);
}

enum err_code
words_change(struct cli *cli, const char *word, unsigned want, words_plan *plan, struct err *err)
{
	struct vfctl v;
	struct host_func *func;
	struct ledger_entry entry = {.index = -1};
	enum err_code code = vfctl_open_change(cli, &v, err);
	if (code) {
		return code;
	}
	code = vfctl_func(&v, cli_text(cli, word), want, &func, err);
	if (code == ERR_NOT_FOUND && cli->if_exists) {
		code = vfctl_commit(&v, &entry, cli_text(cli, word), err);
	} else if (!code) {
		code = plan(&v, func, &entry, err);
		if (!code) {
			code = words_commit(&v, func, &entry, err);
		}
	}
	vfctl_close(&v);
	return code;
}
