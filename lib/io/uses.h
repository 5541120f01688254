/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which processes have functions open: through vfio, uio, or the files of their resources. */
#ifndef PEKIT_IO_USES_H
#define PEKIT_IO_USES_H

#include "vf/host.h"

/* Walks /proc/PID/fd below the root: needs the right to see others' files. */
void
uses_read(int root, struct host *host);

#endif
