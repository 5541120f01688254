/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints the rate of the time stamp counter in Hz, measured against CLOCK_MONOTONIC_RAW. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
static uint64_t
ticks(void)
{
	unsigned aux;

	return __rdtscp(&aux);
}
#elif defined(__aarch64__)
static uint64_t
ticks(void)
{
	uint64_t v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v));
	return v;
}
#endif

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One reading of both clocks; of eight the one with the shortest gap, so that a preemption between them does not count. */
static uint64_t
both(int64_t *ns)
{
	int64_t best = INT64_MAX;
	uint64_t at = 0;

	for (int i = 0; i < 8; i++) {
		int64_t before = now_ns();
		uint64_t t = ticks();
		int64_t after = now_ns();

		if (after - before < best) {
			best = after - before;
			at = t;
			*ns = before + best / 2;
		}
	}
	return at;
}

int
main(void)
{
	struct timespec pause = {0, 300000000};
	int64_t n0, n1;
	uint64_t t0, t1;

	t0 = both(&n0);
	nanosleep(&pause, NULL);
	t1 = both(&n1);
	printf("%" PRIu64 "\n", (uint64_t)((double)(t1 - t0) * 1e9 / (double)(n1 - n0)));
	return 0;
}
