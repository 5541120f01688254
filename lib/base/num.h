/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strict numbers: the whole word must parse and the value must lie in the range, or nothing is changed. Pure.
 */
#ifndef PEKIT_BASE_NUM_H
#define PEKIT_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal, or hexadecimal after 0x; no sign, no blanks. */
bool
num_parse_u64(const char *word, uint64_t min, uint64_t max, uint64_t *value);

/* Bits a second: 5G, 5Gbit, 500M, 500Mbit, 10kbit, 800, 800bit (powers of 1000; letters in either case). */
bool
num_parse_bps(const char *word, uint64_t *value);

/* Packets a second: 2M, 2Mpps, 10k, 10kpps, 500, 500pps (powers of 1000). */
bool
num_parse_pps(const char *word, uint64_t *value);

/* A time in ms: 14s, 5d, 2h, 3m, 100ms, 0.5s; a bare number is seconds. */
bool
num_parse_time_ms(const char *word, uint64_t *value);

/* "1.23 M", "999", "12.0 k": at most four digits, powers of 1000; returns text. */
char *
num_format_si(uint64_t value, char *text, size_t size);

/* "12 s", "3 min 4 s", "250 ms": for people; returns text. */
char *
num_format_age(uint64_t ms, char *text, size_t size);

#endif
