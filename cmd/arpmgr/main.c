/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arpmgr: the IPv4 neighbours of every core. What it does is in cmd/neigh. */
#include <stddef.h>

#include "../neigh/neigh.h"

static const char *const show_examples[] = {
	"arpmgr",
	"arpmgr show to 10.0.10.0/24 dev v10",
	"arpmgr show nud stale nud failed",
	"arpmgr -j show | jq -r '.[] | select(.cores|length<3) | .address'",
	"arpmgr show --per-core to 10.0.10.5",
	"arpmgr -s edge1.seg show --count",
	NULL,
};
static const char *const get_examples[] = {"arpmgr get 10.0.10.5", NULL};
static const char *const add_examples[] = {
	"arpmgr add 10.0.10.5 lladdr 02:00:00:00:00:05 dev v10",
	"arpmgr add 10.0.10.6 lladdr 02:00:00:00:00:06 dev v10 nud reachable --may-exist",
	NULL,
};
static const char *const del_examples[] = {"arpmgr del 10.0.10.5 --if-exists", NULL};
static const char *const replace_examples[] = {"arpmgr replace 10.0.10.5 lladdr 02:00:00:00:00:07 dev v10", NULL};
static const char *const flush_examples[] = {"arpmgr flush dev v10 --yes", "arpmgr flush to 10.0.10.0/24 nud stale --yes", NULL};
static const char *const resolve_examples[] = {"arpmgr resolve 10.0.10.5", "arpmgr -T 1 resolve 10.0.10.9 dev v10", NULL};
static const char *const announce_examples[] = {"arpmgr announce 10.0.10.1", NULL};
static const char *const owner_examples[] = {"arpmgr owner 10.0.10.5", NULL};
static const char *const stats_examples[] = {"arpmgr stats -w2", NULL};
static const char *const monitor_examples[] = {
	"arpmgr monitor -t dev v10", "arpmgr -j monitor | jq -c 'select(.event==\"change\")'", NULL};
static const char *const verify_examples[] = {"arpmgr verify && echo all cores agree", "arpmgr verify --repair", NULL};

const struct neigh_tool neigh_tool = {
	.name = "arpmgr",
	.summary = "the IPv4 neighbours of every core",
	.protocol = "ipv4",
	.family = SEG_IPV4,
	.examples = {show_examples, get_examples, add_examples, replace_examples, del_examples, flush_examples, resolve_examples,
		announce_examples, owner_examples, stats_examples, monitor_examples, verify_examples},
};

int
main(int argc, char **argv)
{
	return neigh_main(argc, argv);
}
