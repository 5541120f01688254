/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/bridge/plan.c lib/bridge/plan_iface.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/plan.h"

/* A configuration made by hand: plan.c does not parse. */
struct made {
	struct conf conf;
	struct conf_port port[SEG_MAX_PORTS];
	struct conf_bridge bridge[SEG_MAX_BRIDGES];
	struct conf_member member[SEG_MAX_BRIDGES][8];
};

static struct made *
made_new(void)
{
	struct made *m = calloc(1, sizeof(*m));
	m->conf = (struct conf){.cores = 1, .fdb = 8192, .ageing_s = 300, .port = m->port, .bridge = m->bridge};
	return m;
}

static struct conf_port *
add_port(struct made *m, const char *name)
{
	struct conf_port *port = &m->port[m->conf.nports++];
	*port = (struct conf_port){.enabled = true, .mtu = 1500};
	snprintf(port->name, sizeof(port->name), "%s", name);
	return port;
}

static struct conf_bridge *
add_bridge(struct made *m, const char *name)
{
	size_t n = m->conf.nbridges++;
	m->bridge[n] = (struct conf_bridge){.member = m->member[n]};
	snprintf(m->bridge[n].name, sizeof(m->bridge[n].name), "%s", name);
	return &m->bridge[n];
}

static struct conf_member *
add_member(struct conf_bridge *bridge, uint16_t port, uint16_t untagged)
{
	struct conf_member *member = &bridge->member[bridge->nmembers++];
	*member = (struct conf_member){.port = port, .untagged = untagged};
	return member;
}

static void
tag(struct conf_member *member, unsigned vid)
{
	member->tagged[vid / 64] |= 1ull << (vid % 64);
}

/* p1 access 10, p2 trunk 10 and 20, p3 both, p4 in no bridge. */
static struct made *
example(void)
{
	struct made *m = made_new();
	for (int i = 1; i <= 4; i++) {
		char name[16];
		snprintf(name, sizeof(name), "p%d", i);
		add_port(m, name);
	}
	struct conf_bridge *bridge = add_bridge(m, "br0");
	add_member(bridge, 2, 20)->mac_limit = 7;
	tag(&bridge->member[0], 10);
	add_member(bridge, 0, 10);
	struct conf_member *trunk = add_member(bridge, 1, 0);
	tag(trunk, 10);
	tag(trunk, 20);
	return m;
}

static void
test_plan(void **state)
{
	(void)state;
	struct made *m = example();
	struct plan_numbers *numbers = calloc(1, sizeof(*numbers));
	m->bridge[0].stp = SEG_STP_BLOCK;
	assert_true(plan_numbers_update(numbers, &m->conf));
	struct plan *plan = plan_new(&m->conf, numbers, NULL, 42);
	assert_non_null(plan);
	uint16_t p1 = plan_port_number(numbers, "p1"), p2 = plan_port_number(numbers, "p2"), p3 = plan_port_number(numbers, "p3");
	uint16_t p4 = plan_port_number(numbers, "p4"), br0 = plan_bridge_number(numbers, "br0");
	uint16_t f10 = plan_fid_number(numbers, br0, 10), f20 = plan_fid_number(numbers, br0, 20);
	assert_true(p1 && p2 && p3 && p4 && br0 && f10 && f20 && f10 != f20);
	assert_int_equal(plan_fid_number(numbers, br0, 30), 0);
	assert_int_equal(plan->generation, 42);
	assert_int_equal(plan->ageing_ns, 300000000000ull);
	assert_int_equal(plan->fdb_limit, 8192);

	assert_true(plan->port[p1].used && plan->port[p1].enabled);
	assert_int_equal(plan->port[p1].untagged_fid, f10);
	assert_null(plan->port[p1].fid);
	assert_int_equal(plan->port[p2].untagged_fid, 0);
	assert_int_equal(plan->port[p2].fid[10], f10);
	assert_int_equal(plan->port[p2].fid[20], f20);
	assert_int_equal(plan->port[p2].fid[30], 0);
	assert_int_equal(plan->port[p3].untagged_fid, f20);
	assert_int_equal(plan->port[p3].fid[10], f10);
	assert_int_equal(plan->port[p3].fid[20], 0);
	assert_int_equal(plan->port[p3].mac_limit, 7);
	assert_int_equal(plan->port[p3].bridge, br0);
	assert_int_equal(plan->port[p3].stp, SEG_STP_BLOCK);
	assert_true(plan->port[p4].used);
	assert_int_equal(plan->port[p4].bridge, 0);
	assert_int_equal(plan->port[p4].untagged_fid, 0);

	const struct plan_fid *fid = &plan->fid[f10];
	assert_int_equal(fid->bridge, br0);
	assert_int_equal(fid->vid, 10);
	assert_int_equal(fid->nmembers, 3);
	assert_true(fid->member[0] < fid->member[1] && fid->member[1] < fid->member[2]);
	assert_int_equal(fid->egress[p1], PLAN_UNTAGGED);
	assert_int_equal(fid->egress[p2], PLAN_TAGGED);
	assert_int_equal(fid->egress[p3], PLAN_TAGGED);
	assert_int_equal(fid->egress[p4], PLAN_NONE);
	fid = &plan->fid[f20];
	assert_int_equal(fid->nmembers, 2);
	assert_int_equal(fid->egress[p1], PLAN_NONE);
	assert_int_equal(fid->egress[p2], PLAN_TAGGED);
	assert_int_equal(fid->egress[p3], PLAN_UNTAGGED);
	plan_free(plan);
	free(numbers);
	free(m);
}

static void
test_numbers_stay(void **state)
{
	(void)state;
	struct made *m = example();
	struct plan_numbers *numbers = calloc(1, sizeof(*numbers));
	assert_true(plan_numbers_update(numbers, &m->conf));
	uint16_t p3 = plan_port_number(numbers, "p3"), br0 = plan_bridge_number(numbers, "br0");
	uint16_t f10 = plan_fid_number(numbers, br0, 10), f20 = plan_fid_number(numbers, br0, 20);

	/* another file: p5 comes before all others, br1 before br0, VLAN 20 leaves, VLAN 5 comes */
	struct made *next = made_new();
	add_port(next, "p5");
	add_port(next, "p3");
	add_member(add_bridge(next, "br1"), 0, 10);
	struct conf_member *member = add_member(add_bridge(next, "br0"), 1, 10);
	tag(member, 5);
	assert_true(plan_numbers_update(numbers, &next->conf));
	assert_int_equal(plan_port_number(numbers, "p3"), p3);
	assert_int_equal(plan_bridge_number(numbers, "br0"), br0);
	assert_int_equal(plan_fid_number(numbers, br0, 10), f10);
	assert_int_equal(plan_fid_number(numbers, br0, 20), 0);
	/* a number does not pass from one meaning to another in one step */
	assert_int_not_equal(plan_fid_number(numbers, br0, 5), f20);
	assert_int_not_equal(plan_fid_number(numbers, plan_bridge_number(numbers, "br1"), 10), f20);
	/* a port keeps its number until its device is closed */
	uint16_t p1 = plan_port_number(numbers, "p1");
	assert_int_not_equal(p1, 0);
	assert_int_not_equal(plan_port_number(numbers, "p5"), p1);
	plan_numbers_free_port(numbers, p1);
	assert_int_equal(plan_port_number(numbers, "p1"), 0);
	free(numbers);
	free(next);
	free(m);
}

static void
test_numbers_run_out(void **state)
{
	(void)state;
	struct made *m = made_new();
	struct plan_numbers *numbers = calloc(1, sizeof(*numbers)), *before = calloc(1, sizeof(*before));
	for (int i = 0; i < SEG_MAX_PORTS - 1; i++) {
		char name[16];
		snprintf(name, sizeof(name), "p%d", i);
		add_port(m, name);
	}
	struct conf_member *member = add_member(add_bridge(m, "br0"), 0, 0);
	for (unsigned vid = 1; vid <= 4094; vid++) {
		tag(member, vid);
	}
	assert_true(plan_numbers_update(numbers, &m->conf));
	struct plan *plan = plan_new(&m->conf, numbers, NULL, 1);
	assert_non_null(plan);
	assert_int_equal(plan->port[plan_port_number(numbers, "p0")].fid[4094],
		plan_fid_number(numbers, plan_bridge_number(numbers, "br0"), 4094));
	plan_free(plan);
	/* one FID is left, a bridge with two VLANs does not fit; nothing is changed then */
	member = add_member(add_bridge(m, "br1"), 1, 0);
	tag(member, 7);
	tag(member, 8);
	memcpy(before, numbers, sizeof(*before));
	assert_false(plan_numbers_update(numbers, &m->conf));
	assert_memory_equal(before, numbers, sizeof(*before));
	/* and no port more */
	m->conf.nbridges = 0;
	snprintf(m->port[0].name, sizeof(m->port[0].name), "another");
	assert_false(plan_numbers_update(numbers, &m->conf));
	free(before);
	free(numbers);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_numbers_stay),
		cmocka_unit_test(test_numbers_run_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
