/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/io: what the kinds of steps share. */
#ifndef PEKIT_IO_PERFORMING_H
#define PEKIT_IO_PERFORMING_H

#include "io/bounded.h"
#include "vf/step.h"

struct performing {
	const struct step *step;
	int timeout_ms;
	int64_t deadline_ms;
	int64_t patient_ms; /* for what a driver does in the kernel, while no process is in its way; at least deadline_ms */
	char address[PCI_TEXT_SIZE];   /* of the function that is changed: the PF itself, the VF, the device */
	char owner[PCI_TEXT_SIZE];     /* step->func */
	char name[HOST_TEXT_SIZE];     /* "eth0:2", as people call it */
	char ifname[HOST_IFNAME_SIZE]; /* of the owner, in this namespace; empty: none */
	struct err *err;
};

/* The kinds. */
enum err_code
perform_numvfs(struct performing *p);
enum err_code
perform_driver(struct performing *p);
enum err_code
perform_vfset(struct performing *p);
enum err_code
perform_portset(struct performing *p);

/*
 * Writes to an attribute, whose writer the kernel lets go when a driver is through: until patient_ms, or until the deadline when
 * a process has the device open. What follows has the time of the step anew. 0, the kernel's errno, or ETIMEDOUT.
 */
int
performing_write(struct performing *p, const char *text, const char *path);

/* The write to an attribute was not through in time: who is in the way. */
enum err_code
performing_late(struct performing *p, const char *what);

/* Loads a module by its name or alias; said is modprobe's complaint. */
bool
performing_modprobe(struct performing *p, const char *name, char *said, size_t size);

/* Of the owner's port. */
bool
performing_has_link(const struct performing *p);

/* Drivers reset the port when VFs are made, and without its link some take no settings of them (rules.h: rate_link). Until it is
 * there again or the deadline over: it may also have gone for good. */
void
performing_await_link(const struct performing *p);

/* Has a driver taken the device and, where that is to be expected, made its interface? */
bool
performing_settled(const char *address);

#endif
