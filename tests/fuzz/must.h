/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What fuzz targets hold to be true. */
#ifndef PEKIT_FUZZ_MUST_H
#define PEKIT_FUZZ_MUST_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define must(condition) \
	do { \
		if (!(condition)) { \
			abort(); \
		} \
	} while (0)

/* A copy that ends where its memory ends, so that a read behind it is seen. */
static inline uint8_t *
copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	must(copy);
	memcpy(copy, data, size);
	return copy;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
