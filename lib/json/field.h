/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A number in a member of a struct, which has 1, 2, 4 or 8 bytes: for tables that say which key of a document goes where. Pure.
 */
#ifndef PEKIT_JSON_FIELD_H
#define PEKIT_JSON_FIELD_H

#include <stddef.h>
#include <stdint.h>

/* The upper bytes of a value that is too large are lost: ranges are checked before. */
void
field_put(void *base, size_t offset, size_t size, uint64_t value);

uint64_t
field_get(const void *base, size_t offset, size_t size);

#endif
