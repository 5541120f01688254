/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the devices of ports are to let in: for those that do not let all in (virtual functions), the unicast addresses of our
 * interfaces and of the stations that the bridge knows behind other ports, and the tagged VLANs. Control core.
 *
 * The data cores tell of a station when they learn it or it moves (view.tell_control), so that its filter is there before the
 * first answer to it comes; such messages may be lost, and ageing and flushes send none. So the bridge tables are also gone
 * through all the time, some slots a tick, and after each turn every device has exactly what it should, as far as it takes it.
 */
#ifndef PEKIT_PE_FILTERS_H
#define PEKIT_PE_FILTERS_H

#include "control.h"

enum err_code
filters_open(struct control *control, struct err *err);

void
filters_close(struct control *control);

/* A plan was swapped in. */
void
filters_apply(struct control *control);

/* A data core announces or deletes bridge entries: SEG_MSG_FDB_ADD, SEG_MSG_FDB_DEL. */
void
filters_heard(struct control *control, const struct seg_msg *msg);

/* The port's device has begun anew: what it refused before may be tried again. */
void
filters_again(struct control *control, uint16_t number);

void
filters_tick(struct control *control, uint64_t now_ns);

void
filters_publish(const struct control *control, uint16_t number, struct seg_port *out);

#endif
