/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's own addresses and router advertisements: the control core runs the machines of lib/nbr/own.h and ra.h for each
 * interface, and asks the master core to send what they want sent. Control core.
 */
#ifndef PEKIT_PE_OWNS_H
#define PEKIT_PE_OWNS_H

#include "control.h"

/* Before the data cores run: memory, and the descriptor by which they call. */
enum err_code
owns_open(struct control *control, struct err *err);

/* When none runs any more. */
void
owns_close(struct control *control);

/* A plan is about to be swapped in: routers that leave say so, and addresses that stay are usable under both plans. */
void
owns_before(struct control *control, const struct plan *next);

/* It was swapped in and published: addresses, neighbours of what is gone, routes. */
void
owns_apply(struct control *control);

/* A port got or lost its link. */
void
owns_links(struct control *control);

void
owns_tick(struct control *control, uint64_t now_ns);

/* What the data cores have heard. */
void
owns_notices(struct control *control);

/* The engine is about to stop; the data cores still run. */
void
owns_stop(struct control *control);

/* Speaks for our usable addresses: of that interface (0: all) and family, or that address alone (NULL: all). How many;
 * dry_run: would. */
unsigned
owns_announce(struct control *control, uint16_t iface, unsigned family, const uint64_t *address, bool dry_run);

#endif
