/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ndmgr: the IPv6 neighbours of every core. What it does is in cmd/neigh. */
#include <stddef.h>

#include "../neigh/neigh.h"

static const char *const show_examples[] = {
	"ndmgr",
	"ndmgr show to 2001:db8:10::/64 dev v10",
	"ndmgr show nud stale nud failed",
	"ndmgr -j show | jq -r '.[] | select(.cores|length<3) | .address'",
	"ndmgr show --per-core to 2001:db8:10::5",
	"ndmgr -s edge1.seg show --count",
	NULL,
};
static const char *const get_examples[] = {"ndmgr get 2001:db8:10::5", NULL};
static const char *const add_examples[] = {
	"ndmgr add 2001:db8:10::5 lladdr 02:00:00:00:00:05 dev v10",
	"ndmgr add 2001:db8:10::6 lladdr 02:00:00:00:00:06 dev v10 nud reachable --may-exist",
	NULL,
};
static const char *const del_examples[] = {"ndmgr del fe80::5%v10 --if-exists", NULL};
static const char *const replace_examples[] = {"ndmgr replace 2001:db8:10::5 lladdr 02:00:00:00:00:07 dev v10", NULL};
static const char *const flush_examples[] = {
	"ndmgr flush dev v10 --yes", "ndmgr flush to 2001:db8:10::/64 nud stale --yes", NULL};
static const char *const resolve_examples[] = {"ndmgr resolve 2001:db8:10::5", "ndmgr -T 1 resolve 2001:db8:10::9 dev v10", NULL};
static const char *const announce_examples[] = {"ndmgr announce 2001:db8:10::1", NULL};
static const char *const owner_examples[] = {"ndmgr owner 2001:db8:10::5", NULL};
static const char *const stats_examples[] = {"ndmgr stats -w2", NULL};
static const char *const monitor_examples[] = {
	"ndmgr monitor -t dev v10", "ndmgr -j monitor | jq -c 'select(.event==\"change\")'", NULL};
static const char *const verify_examples[] = {"ndmgr verify && echo all cores agree", "ndmgr verify --repair", NULL};

const struct neigh_tool neigh_tool = {
	.name = "ndmgr",
	.summary = "the IPv6 neighbours of every core",
	.protocol = "ipv6",
	.family = SEG_IPV6,
	.examples = {show_examples, get_examples, add_examples, replace_examples, del_examples, flush_examples, resolve_examples,
		announce_examples, owner_examples, stats_examples, monitor_examples, verify_examples},
};

int
main(int argc, char **argv)
{
	return neigh_main(argc, argv);
}
