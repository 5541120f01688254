/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keeper: a child process that gives interfaces back as they were found.
 *
 * What the engine changes on a kernel interface (IPv6 off, ARP off, an XDP program, ...) would outlive a killed engine. So the engine
 * tells the keeper, before each change, how to undo it; when the pipe between them closes, for whatever reason, the keeper undoes what
 * is left and exits. There is no other undo code: a clean stop and a removed port use the same.
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
	KEEPER_IPV6,   /* value: former text of net.ipv6.conf.IF.disable_ipv6 */
	KEEPER_NOARP,  /* value: "0": clear IFF_NOARP again */
	KEEPER_DOWN,   /* value: "": set the interface down again */
	KEEPER_MTU,    /* value: former MTU */
	KEEPER_XDP,    /* value: "": detach an XDP program */
};

/* From now on, undo this for the interface. */
void
keeper_note(struct keeper *keeper, const char *ifname, enum keeper_what what, const char *value);

/* Undo now all that is noted for the interface; returns when it is done. */
void
keeper_undo(struct keeper *keeper, const char *ifname);

/* Closes the pipe, and waits until all is undone. */
void
keeper_stop(struct keeper *keeper);

#endif
