/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keeper: a child process that gives interfaces back as they were found.
 *
 * What the engine changes on a kernel interface (IPv6 off, ARP off, an XDP program, ...) would outlive a killed engine. So the
 * engine tells the keeper, before each change, how to undo it; when the socket between them closes, for whatever reason, the
 * keeper undoes what is left and exits. There is no other undo code: a clean stop and a removed port use the same.
 *
 * The keeper also holds the claim on an interface, so that the next engine gets it only after all is undone.
 *
 * Control core only.
 */
#ifndef PEKIT_PE_KEEPER_H
#define PEKIT_PE_KEEPER_H

#include "base/err.h"

struct keeper;

/* Forks; to be called before any thread is started. */
enum err_code
keeper_start(struct keeper **keeper, struct err *err);

enum keeper_what {
	KEEPER_IPV6,    /* value: former text of net.ipv6.conf.IF.disable_ipv6 */
	KEEPER_NOARP,   /* value: "0": clear IFF_NOARP again */
	KEEPER_DOWN,    /* value: "": set the interface down again */
	KEEPER_MTU,     /* value: former MTU */
	KEEPER_XDP,     /* value: "": detach an XDP program */
	KEEPER_PROMISC, /* value: "": clear IFF_PROMISC, which the AF_XDP driver sets */
	KEEPER_RXVLAN,  /* value: "": VLAN acceleration on again */
	KEEPER_FILTER,  /* value: a MAC address: let it in no more; noted for each */
};

/*
 * Makes the interface this engine's until keeper_undo(). ERR_EXISTS: another engine of this network namespace has it, or another
 * port of this one. Waits up to half
 * a second for the keeper of a dead engine.
 */
enum err_code
keeper_claim(struct keeper *keeper, const char *ifname, struct err *err);

/* From now on, undo this for the interface. What was noted first is what counts. */
void
keeper_note(struct keeper *keeper, const char *ifname, enum keeper_what what, const char *value);

/* It was undone: there is nothing left to do about it. */
void
keeper_forget(struct keeper *keeper, const char *ifname, enum keeper_what what, const char *value);

/* Undo now all that is noted for the interface, the last change first, and give up the claim; returns when it is done. */
void
keeper_undo(struct keeper *keeper, const char *ifname);

/* Closes the socket, and waits until all is undone. NULL is allowed. */
void
keeper_stop(struct keeper *keeper);

#endif
