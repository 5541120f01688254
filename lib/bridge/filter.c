/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/filter.h"

#include <stdlib.h>

#include "base/addr.h"

static int
compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* What is better comes first. */
static int
by_merit(const void *x, const void *y)
{
	const struct filter_want *a = x, *b = y;
	int order = compare(a->rank, b->rank);
	order = order ? order : compare(b->used_ns, a->used_ns);
	return order ? order : compare(a->mac, b->mac);
}

static int
by_mac(const void *x, const void *y)
{
	const struct filter_want *a = x, *b = y;
	int order = compare(a->mac, b->mac);
	return order ? order : by_merit(x, y);
}

static int
by_number(const void *x, const void *y)
{
	return compare(*(const uint64_t *)x, *(const uint64_t *)y);
}

/* One of each address, the best; in order of merit. */
static void
list_order(struct filter_list *list)
{
	size_t kept = 0;
	qsort(list->want, list->n, sizeof(list->want[0]), by_mac);
	for (size_t i = 0; i < list->n; i++) {
		if (kept == 0 || list->want[kept - 1].mac != list->want[i].mac) {
			list->want[kept++] = list->want[i];
		}
	}
	list->n = kept;
	qsort(list->want, list->n, sizeof(list->want[0]), by_merit);
}

static void
list_prune(struct filter_list *list)
{
	list_order(list);
	if (list->n > FILTER_MAX) {
		list->dropped += list->n - FILTER_MAX;
		list->n = FILTER_MAX;
	}
}

void
filter_list_add(struct filter_list *list, uint64_t mac, enum filter_rank rank, uint64_t used_ns)
{
	if (mac == 0 || mac_is_group(mac)) {
		return;
	}
	if (list->n == sizeof(list->want) / sizeof(list->want[0])) {
		list_prune(list);
	}
	list->want[list->n++] = (struct filter_want){.mac = mac, .used_ns = used_ns, .rank = rank};
}

static bool
among(const uint64_t *sorted, size_t n, uint64_t mac)
{
	return n > 0 && bsearch(&mac, sorted, n, sizeof(mac), by_number) != NULL;
}

size_t
filter_decide(struct filter_list *list, const uint64_t *have, unsigned nhave, unsigned capacity, struct filter_steps *steps)
{
	uint64_t sorted[FILTER_MAX];
	nhave = nhave < FILTER_MAX ? nhave : FILTER_MAX;
	for (unsigned i = 0; i < nhave; i++) {
		sorted[i] = have[i];
	}
	qsort(sorted, nhave, sizeof(sorted[0]), by_number);
	for (size_t i = 0; i < list->n; i++) {
		if (among(sorted, nhave, list->want[i].mac)) {
			list->want[i].used_ns += FILTER_STAY_NS;
		}
	}
	list_prune(list);

	size_t room = list->n < capacity ? list->n : capacity;
	uint64_t target[FILTER_MAX];
	steps->ndel = steps->nadd = 0;
	for (size_t i = 0; i < room; i++) {
		target[i] = list->want[i].mac;
		if (!among(sorted, nhave, target[i])) {
			steps->add[steps->nadd++] = target[i];
		}
	}
	qsort(target, room, sizeof(target[0]), by_number);
	for (unsigned i = 0; i < nhave; i++) {
		if (!among(target, room, have[i])) {
			steps->del[steps->ndel++] = have[i];
		}
	}
	size_t kept = 0;
	for (size_t i = list->n; i > 0 && list->want[i - 1].rank == FILTER_KEPT; i--) {
		kept++;
	}
	return list->n - kept + list->dropped;
}
