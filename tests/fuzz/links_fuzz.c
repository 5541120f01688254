/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/links.c lib/io/links_read.c lib/io/netlink.c lib/io/sysfs.c lib/base/addr.c lib/base/err.c lib/base/num.c -lhost
 */
/*
 * Answers of rtnetlink as they came: any bytes. What is made of them is within bounds, and following who stands on whom comes to
 * an end. The first two bytes say which two interfaces are followed.
 */
#include "io/links.h"
#include "must.h"

#define RATE_MAX (UINT64_C(1000000) * UINT32_MAX)

static void
check_vf(const struct links_vf *vf)
{
	const struct vfset *set = &vf->set;
	must(!(set->has & ~VFSET_ALL) && set->has & VFSET_MAC);
	must(set->mac >> 48 == 0 && set->vlan <= 0xfff && set->qos <= 7);
	must(set->max_rate_bps <= RATE_MAX && set->min_rate_bps <= RATE_MAX && set->max_rate_bps % 1000000 == 0);
	must(set->link >= VFSET_LINK_AUTO && set->link <= VFSET_LINK_DISABLE);
}

static void
check_link(const struct links *links, const struct links_link *link)
{
	must(memchr(link->name, '\0', sizeof(link->name)) && memchr(link->kind, '\0', sizeof(link->kind)));
	must(memchr(link->parent, '\0', sizeof(link->parent)));
	must(link->mac >> 48 == 0 && (link->up || !link->carrier));
	must(link->lower != link->index || link->lower == 0);
	for (size_t i = 0; i < link->nvfs; i++) {
		check_vf(&link->vf[i]);
	}
	const struct links_link *found = links_at(links, link->index);
	must(link->index <= 0 ? !found : found && found->index == link->index);
	found = links_named(links, link->name);
	must(found && strcmp(found->name, link->name) == 0);
	const struct links_link *upper = links_upper(links, link);
	must(!upper || upper->index == link->master || upper->lower == link->index);
	must(links_carries(links, link, link));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct links links = {
		.remote = {.family = 4, .bytes = {198, 51, 100, 200}}, .local = {.family = 4, .bytes = {192, 0, 2, 10}}};
	if (size < 2) {
		return 0;
	}
	uint8_t *copy = copy_of(data + 2, size - 2);
	links_parse(&links, copy, size - 2);
	links_sort(&links);
	for (size_t i = 0; i < links.n; i++) {
		must(i == 0 || links.link[i - 1].index <= links.link[i].index);
		check_link(&links, &links.link[i]);
	}
	if (links.n > 0) {
		const struct links_link *below = &links.link[data[0] % links.n], *above = &links.link[data[1] % links.n];
		bool carries = links_carries(&links, below, above);
		must(carries || below != above);
		must(carries || below->index <= 0 || above->lower != below->index);
	}
	for (size_t i = 0; i < links.routes.n; i++) {
		must(links.routes.index[i] > 0);
	}
	must(links.remote_length >= 0 && links.remote_length <= 33);
	free(copy);
	links_free(&links);
	return 0;
}
