/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counting a drop: the reason, the port and the first bytes of the frame, in the core's own part of the segment.
 */
#ifndef PEKIT_PE_DROP_H
#define PEKIT_PE_DROP_H

#include <stdint.h>
#include <string.h>

#include "shm/layout.h"

/*
 * One frame less. mine is the calling core's; data may be NULL when nothing of the frame was received. The sample is overwritten
 * while others may read it: it is a hint for people, and a mixture of two frames of one reason does no harm. Counters of the port
 * are the caller's.
 */
static inline void
drop_count(struct seg_core *mine, enum seg_drop reason, uint16_t port, const void *data, uint32_t length, uint64_t now_ns)
{
	struct seg_drop_count *d = &mine->drop[reason];
	uint32_t n = data == NULL ? 0 : length < SEG_SAMPLE_SIZE ? length : SEG_SAMPLE_SIZE;
	seg_put(&d->time_ns, now_ns);
	seg_put(&d->port, port);
	seg_put(&d->length, (uint16_t)(length > UINT16_MAX ? UINT16_MAX : length));
	if (n > 0) {
		memcpy(d->sample, data, n);
	}
	memset(d->sample + n, 0, SEG_SAMPLE_SIZE - n);
	seg_add(&d->packets, 1);
}

#endif
