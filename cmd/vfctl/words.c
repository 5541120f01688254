/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "words.h"

#include <stdio.h>
#include <string.h>

#include "vf/rules.h"

#define TAG_C 0x8100 /* IEEE 802.1Q-2018 table 9-1 */
#define TAG_S 0x88a8

static bool
take_switch(const struct cli *cli, const char *name, bool *to)
{
	const struct cli_value *value = cli_nth(cli, name, 0);
	if (value) {
		*to = strcmp(value->text, "on") == 0;
	}
	return value != NULL;
}

/* ---- a VF ---------------------------------------------------------------------------------------------------------- */

static void
take_mac(const struct cli *cli, const struct host *host, const struct host_func *vf, struct vfset *want)
{
	const struct cli_value *mac = cli_nth(cli, "mac", 0);
	if (!mac) {
		return;
	}
	want->has |= VFSET_MAC;
	want->mac = strcmp(mac->text, "auto") == 0 ? rules_auto_mac(host, vf) : mac->number;
}

static void
take_vlan(const struct cli *cli, const struct host_func *vf, int held, struct vfset *want)
{
	const struct cli_value *vlan = cli_nth(cli, "vlan", 0), *qos = cli_nth(cli, "qos", 0), *proto = cli_nth(cli, "proto", 0);
	if (!vlan && !qos && !proto) {
		return;
	}
	want->proto = TAG_C;
	vfset_copy(want, &vf->set, VFSET_VLAN & vf->set.has);
	want->has |= VFSET_VLAN;
	want->vlan = vlan ? (uint16_t)vlan->number : want->vlan;
	/* Priority and tag that a VF had before its lease are somebody else's. */
	if (want->vlan == 0 || (held >= 0 && vlan && want->vlan != held)) {
		want->qos = 0;
		want->proto = TAG_C;
	}
	want->qos = qos ? (uint8_t)qos->number : want->qos;
	if (proto) {
		want->proto = strcmp(proto->text, "802.1ad") == 0 ? TAG_S : TAG_C;
	}
}

static void
take_rates(const struct cli *cli, const struct host_func *vf, struct vfset *want)
{
	const struct cli_value *most = cli_nth(cli, "rate", 0), *least = cli_nth(cli, "min-rate", 0);
	if (!most && !least) {
		return;
	}
	vfset_copy(want, &vf->set, VFSET_RATE & vf->set.has);
	want->has |= VFSET_RATE;
	want->max_rate_bps = most ? most->number : want->max_rate_bps;
	want->min_rate_bps = least ? least->number : want->min_rate_bps;
}

void
words_vfset(const struct cli *cli, const struct host *host, const struct host_func *vf, int held, struct vfset *want)
{
	const struct cli_value *link = cli_nth(cli, "link", 0);
	*want = (struct vfset){.has = 0};
	take_mac(cli, host, vf, want);
	take_vlan(cli, vf, held, want);
	take_rates(cli, vf, want);
	want->has |= take_switch(cli, "trust", &want->trust) ? VFSET_TRUST : 0;
	want->has |= take_switch(cli, "spoofchk", &want->spoofchk) ? VFSET_SPOOFCHK : 0;
	want->has |= take_switch(cli, "promisc", &want->promisc) ? VFSET_PROMISC : 0;
	want->has |= take_switch(cli, "allmulti", &want->allmulti) ? VFSET_ALLMULTI : 0;
	if (link) {
		want->has |= VFSET_LINK;
		want->link = strcmp(link->text, "enable") == 0    ? VFSET_LINK_ENABLE
			     : strcmp(link->text, "disable") == 0 ? VFSET_LINK_DISABLE
								  : VFSET_LINK_AUTO;
	}
}

/* ---- a port -------------------------------------------------------------------------------------------------------- */

void
words_portset(const struct cli *cli, struct portset *want)
{
	const struct cli_value *speed = cli_nth(cli, "speed", 0), *duplex = cli_nth(cli, "duplex", 0),
			       *mtu = cli_nth(cli, "mtu", 0);
	*want = (struct portset){.has = 0};
	if (speed) {
		want->has |= PORTSET_SPEED;
		want->speed_bps = speed->number;
	}
	if (duplex) {
		want->has |= PORTSET_DUPLEX;
		want->duplex = strcmp(duplex->text, "half") == 0 ? HOST_DUPLEX_HALF : HOST_DUPLEX_FULL;
	}
	if (mtu) {
		want->has |= PORTSET_MTU;
		want->mtu = (uint32_t)mtu->number;
	}
	want->has |= take_switch(cli, "autoneg", &want->autoneg) ? PORTSET_AUTONEG : 0;
	want->has |= take_switch(cli, "pause-autoneg", &want->pause_autoneg) ? PORTSET_PAUSE_AUTONEG : 0;
	want->has |= take_switch(cli, "pause-rx", &want->pause_rx) ? PORTSET_PAUSE_RX : 0;
	want->has |= take_switch(cli, "pause-tx", &want->pause_tx) ? PORTSET_PAUSE_TX : 0;
	want->has |= take_switch(cli, "up", &want->up) ? PORTSET_UP : 0;
}

/* ---- what the verbs have in common --------------------------------------------------------------------------------- */

enum err_code
words_some(const struct cli *cli, struct err *err)
{
	for (size_t i = 0; i < cli->nvalues; i++) {
		if (cli->value[i].param->place == CLI_KEY) {
			return ERR_NONE;
		}
	}
	char list[200] = "";
	size_t end = 0;
	for (const struct cli_param *param = cli->verb->params; param->name; param++) {
		if (param->place == CLI_KEY && end + strlen(param->name) + 3 < sizeof(list)) {
			end += (size_t)snprintf(list + end, sizeof(list) - end, "%s%s", end ? ", " : "", param->name);
		}
	}
	err_set(err, ERR_USAGE, "%s: nothing to set", cli->verb->name);
	return err_hint(err, "%s", list);
}

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
