/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the steps of vf/step.h to the machine, and looks afterwards whether it is as was asked. */
#ifndef PEKIT_IO_PERFORM_H
#define PEKIT_IO_PERFORM_H

#include "vf/step.h"

/*
 * One step. The machine is looked at before (a step that is done already is not done again) and after (a driver that says yes and
 * does nothing is an error). Waits until the kernel is through with it (VFs that appear, a driver that takes its device, its
 * interface), at most timeout_ms: ERR_TIMEOUT. Only what drivers do while VFs are made and devices change hands has at least half
 * a minute and a second a VF, unless a process has the device open. A refusal of the driver is rules_refusal()'s sentence.
 *
 * ERR_NOT_FOUND: there is no such function, or no such VF of it (any more), and nothing else; ERR_REFUSED: it will not be done
 * when it is tried again either. lib/io/transact.h goes by them.
 */
enum err_code
perform_step(const struct step *step, int timeout_ms, struct err *err);

#endif
