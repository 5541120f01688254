/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bounded cursor: every codec reads and writes through it, so that none can leave its buffer. Pure.
 *
 * A read or write past the end sets `bad`, moves nothing and yields 0; a codec does all its reads and asks bytes_ok() once.
 * All integers are in network order.
 */
#ifndef PEKIT_BASE_BYTES_H
#define PEKIT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes_in {
	const uint8_t *at, *end;
	bool bad;
};

struct bytes_out {
	uint8_t *at, *end;
	bool bad;
};

static inline struct bytes_in
bytes_in(const void *data, size_t size)
{
	const uint8_t *p = data;
	return (struct bytes_in){.at = p, .end = p + size};
}

static inline struct bytes_out
bytes_out(void *data, size_t size)
{
	uint8_t *p = data;
	return (struct bytes_out){.at = p, .end = p + size};
}

static inline size_t
bytes_left(const struct bytes_in *in)
{
	return (size_t)(in->end - in->at);
}

/* Takes n bytes: their start, or NULL when fewer are left. */
static inline const uint8_t *
bytes_take(struct bytes_in *in, size_t n)
{
	if (in->bad || bytes_left(in) < n) {
		in->bad = true;
		return NULL;
	}
	const uint8_t *p = in->at;
	in->at += n;
	return p;
}

static inline uint8_t
bytes_get_u8(struct bytes_in *in)
{
	const uint8_t *p = bytes_take(in, 1);
	return p ? p[0] : 0;
}

static inline uint16_t
bytes_get_u16(struct bytes_in *in)
{
	const uint8_t *p = bytes_take(in, 2);
	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t
bytes_get_u32(struct bytes_in *in)
{
	const uint8_t *p = bytes_take(in, 4);
	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* A MAC as a number (lib/base/addr.h). */
static inline uint64_t
bytes_get_mac(struct bytes_in *in)
{
	uint64_t high = bytes_get_u16(in);
	return high << 32 | bytes_get_u32(in);
}

/* Room for n bytes: where they go, or NULL when fewer fit. */
static inline uint8_t *
bytes_room(struct bytes_out *out, size_t n)
{
	if (out->bad || (size_t)(out->end - out->at) < n) {
		out->bad = true;
		return NULL;
	}
	uint8_t *p = out->at;
	out->at += n;
	return p;
}

static inline void
bytes_put_u8(struct bytes_out *out, uint8_t v)
{
	uint8_t *p = bytes_room(out, 1);
	if (p) {
		p[0] = v;
	}
}

static inline void
bytes_put_u16(struct bytes_out *out, uint16_t v)
{
	bytes_put_u8(out, (uint8_t)(v >> 8));
	bytes_put_u8(out, (uint8_t)v);
}

static inline void
bytes_put_u32(struct bytes_out *out, uint32_t v)
{
	bytes_put_u16(out, (uint16_t)(v >> 16));
	bytes_put_u16(out, (uint16_t)v);
}

static inline void
bytes_put_mac(struct bytes_out *out, uint64_t mac)
{
	bytes_put_u16(out, (uint16_t)(mac >> 32));
	bytes_put_u32(out, (uint32_t)mac);
}

#endif
