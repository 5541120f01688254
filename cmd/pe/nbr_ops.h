/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PEKIT_PE_NBR_OPS_H
#define PEKIT_PE_NBR_OPS_H

#include "control.h"

/* Answers those who wait for a neighbour (nbr.resolve). */
void
nbr_ops_tick(struct control *control, uint64_t now_ns);

void
nbr_ops_close(struct control *control);

#endif
