/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json/field.h"

#include <string.h>

void
field_put(void *base, size_t offset, size_t size, uint64_t value)
{
	uint8_t *to = (uint8_t *)base + offset;
	switch (size) {
	case 1:
		*to = (uint8_t)value;
		break;
	case 2:
		memcpy(to, &(uint16_t){(uint16_t)value}, 2);
		break;
	case 4:
		memcpy(to, &(uint32_t){(uint32_t)value}, 4);
		break;
	default:
		memcpy(to, &value, 8);
		break;
	}
}

uint64_t
field_get(const void *base, size_t offset, size_t size)
{
	const uint8_t *from = (const uint8_t *)base + offset;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;
	switch (size) {
	case 1:
		return *from;
	case 2:
		memcpy(&v16, from, 2);
		return v16;
	case 4:
		memcpy(&v32, from, 4);
		return v32;
	default:
		memcpy(&v64, from, 8);
		return v64;
	}
}
