/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One thing done to a host, with what was there before: it can be shown, done (lib/io/perform.h), undone and written down. Doing
 * a step twice is doing it once.
 */
#ifndef PEKIT_VF_STEP_H
#define PEKIT_VF_STEP_H

#include "vf/host.h"

/* A driver's name in a step: whichever the kernel chooses by itself; that none wants it is fine, too. */
#define STEP_KERNEL "kernel"

enum step_kind {
	STEP_NUMVFS,    /* number: through 0 when neither side is 0; waits until as many are there */
	STEP_AUTOPROBE, /* number 0 or 1: are new VFs given to their kernel driver */
	STEP_DRIVER,    /* text: bound to it by driver_override; "": to none. text2: the override to leave behind */
	STEP_VFSET,     /* set: one bit of vfset.h */
	STEP_PORTSET,   /* port: bits of host.h's portset */
};

struct step_value {
	unsigned number;
	char text[HOST_DRIVER_SIZE], text2[HOST_DRIVER_SIZE];
	struct vfset set;
	struct portset port;
};

/* A VF is named by its PF and index, since its address means nothing when it has not been made yet. */
struct step {
	enum step_kind kind;
	uint64_t func; /* the PF of a VF; else the function itself */
	int index;     /* of the VF; -1: func itself */
	struct step_value from, to;
};

struct steps {
	struct step *step;
	size_t n, space;
};

/* False: no memory. */
bool
steps_add(struct steps *steps, const struct step *step);
void
steps_free(struct steps *steps);

/* The opposite. */
struct step
step_undo(const struct step *step);

/* From and to are the same: it changes nothing, but undone after VFs were made anew it puts back what was there. */
bool
step_keeps(const struct step *step);

/* host may be NULL: then by addresses. "eth0:2: mac 52:54:00:00:01:12 (was 00:00:00:00:00:00)", "eth0: 4 VFs (was 0)", "eth0:2:
 * driver vfio-pci (was igbvf)". */
char *
step_text(const struct host *host, const struct step *step, char *text, size_t size);

/* {"what":"vfset","pf":"0000:01:00.0","index":2,"from":{..},"to":{..}}; strict when read. */
json_t *
step_to_json(const struct step *step);
enum err_code
step_from_json(const json_t *object, struct step *step, struct err *err);

#endif
