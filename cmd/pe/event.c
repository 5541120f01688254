/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happens: into the segment, where a text has its bounds, and whole into the log. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control.h"

uint32_t
engine_event(struct engine *engine, int severity, const char *fmt, ...)
{
	char text[512] = "";
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	struct seg_control *control = seg_control(&engine->seg);
	uint32_t id = seg_get(&control->events) + 1;
	struct seg_event *event = &control->event[(id - 1) % SEG_EVENTS];
	/* A reader that finds another id than it looks for knows that the place is being written. */
	seg_put(&event->id, 0);
	__atomic_thread_fence(__ATOMIC_RELEASE); /* the 0 is seen before any of the new text */
	seg_put(&event->severity, (uint32_t)severity);
	seg_put(&event->time_ns, engine_now_ns());
	memcpy(event->text, text, sizeof(event->text) - 1);
	event->text[sizeof(event->text) - 1] = '\0';
	seg_put_release(&event->id, id);
	seg_put_release(&control->events, id); /* the event is whole before it is counted */
	log_write((enum log_level)severity, "%s", text);
	return id;
}
