/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a PF's driver keeps for one of its VFs: the settings of "ip link set PF vf N". A set is what is known, or wanted, of them:
 * only members whose bit is in `has` mean anything.
 */
#ifndef PEKIT_VF_VFSET_H
#define PEKIT_VF_VFSET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum vfset_link { VFSET_LINK_AUTO, VFSET_LINK_ENABLE, VFSET_LINK_DISABLE }; /* IFLA_VF_LINK_STATE */

/* A bit for each thing that the kernel sets by one request: VLAN, priority and tag protocol go together, and both rates do. */
#define VFSET_MAC (1u << 0)
#define VFSET_VLAN (1u << 1)
#define VFSET_RATE (1u << 2)
#define VFSET_TRUST (1u << 3)
#define VFSET_SPOOFCHK (1u << 4)
#define VFSET_LINK (1u << 5)
#define VFSET_PROMISC (1u << 6)  /* all unicast frames: only where the driver has a switch for it (rules.h) */
#define VFSET_ALLMULTI (1u << 7) /* all multicast frames: the same */
#define VFSET_ALL 0xffu
#define VFSET_COUNT 8

struct vfset {
	unsigned has;
	uint64_t mac;          /* 0: the PF has given none */
	uint16_t vlan;         /* 0: none; 1..4094: the port VLAN that the NIC adds and takes off */
	uint8_t qos;           /* 0..7 */
	uint16_t proto;        /* 0x8100 or 0x88a8 */
	uint64_t max_rate_bps; /* whole Mbit/s; 0: no limit */
	uint64_t min_rate_bps;
	bool trust, spoofchk, promisc, allmulti;
	enum vfset_link link;
};

/* The word of a bit: "mac", "vlan", "rate", "trust", "spoofchk", "link", "promisc", "allmulti". */
const char *
vfset_name(unsigned bit);

/* The bits that want has and that differ in have, or that have lacks. */
unsigned
vfset_diff(const struct vfset *have, const struct vfset *want);

/* Copies the members of the bits. */
void
vfset_copy(struct vfset *to, const struct vfset *from, unsigned bits);

/* For people, of one bit: "52:54:00:00:01:10", "100 qos 3", "2 Gbit/s, at least 100 Mbit/s", "on", "none". */
char *
vfset_text(const struct vfset *set, unsigned bit, char *text, size_t size);

/*
 * {"mac":"..","vlan":100,"qos":3,"proto":"802.1Q","max_rate_bps":..,"min_rate_bps":..,"trust":true,"spoofchk":true,"link":"auto",
 * "promisc":false,"allmulti":false}: the members of `has`. Reading is strict: an unknown key, a wrong type or range is ERR_USAGE
 * naming the key; rates may be text with a unit ("2G"), mac "auto" is refused here (who knows the VF resolves it before:
 * rules_auto_mac()).
 */
json_t *
vfset_to_json(const struct vfset *set);
enum err_code
vfset_from_json(const json_t *object, struct vfset *set, struct err *err);

#endif
