/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps done to the model of a host instead of the host: what would be next after them. */
#ifndef PEKIT_VF_PRETEND_H
#define PEKIT_VF_PRETEND_H

#include "vf/step.h"

/*
 * Does the step to the model. VFs that are made have addresses that no function can have: they are found by their PF and index.
 * Functions move: pointers to them mean nothing afterwards. False: no memory.
 */
bool
pretend_step(struct host *host, const struct step *step);

#endif
