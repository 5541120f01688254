/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/bridge/plan.c lib/bridge/plan_iface.c lib/nbr/iface.c */
/* Interfaces in the forwarding plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/plan.h"

#define MAC1 0x020000000001ull
#define MAC2 0x020000000002ull
#define MAC4 0x020000000004ull

/*
 * br0 has p2 (tagged 10 and 20, MTU 1400) and p1 (untagged 10); p4 is in no bridge. v10 is on br0's VLAN 10, w0 untagged and w7
 * tagged at p4.
 */
struct made {
	struct conf conf;
	struct conf_port port[3];
	struct conf_bridge bridge;
	struct conf_member member[2];
	struct conf_iface iface[3];
	struct plan_numbers numbers;
	struct seg_control *control;
};

static struct conf_iface *
set_iface(struct made *m, size_t i, const char *name, uint16_t bridge, uint16_t port, uint16_t vid)
{
	m->iface[i] = (struct conf_iface){.bridge = bridge, .port = port, .vid = vid, .enabled = true, .ipv6 = true};
	snprintf(m->iface[i].name, sizeof(m->iface[i].name), "%s", name);
	return &m->iface[i];
}

static struct made *
example(void)
{
	static const char *const names[] = {"p1", "p2", "p4"};
	struct made *m = calloc(1, sizeof(*m));
	m->control = calloc(1, sizeof(*m->control));
	m->conf = (struct conf){.appliance = "a", .cores = 1, .port = m->port, .bridge = &m->bridge, .iface = m->iface};
	m->conf.nports = m->conf.nifaces = 3;
	m->conf.nbridges = 1;
	for (int i = 0; i < 3; i++) {
		m->port[i] = (struct conf_port){.enabled = true, .mtu = i == 1 ? 1400 : 1500};
		snprintf(m->port[i].name, sizeof(m->port[i].name), "%s", names[i]);
	}
	m->bridge = (struct conf_bridge){.name = "br0", .nmembers = 2, .member = m->member};
	m->member[0] = (struct conf_member){.port = 1, .tagged = {1ull << 10 | 1ull << 20}};
	m->member[1] = (struct conf_member){.port = 0, .untagged = 10};
	struct conf_iface *v10 = set_iface(m, 0, "v10", 0, CONF_NONE, 10);
	v10->naddresses = 2;
	v10->address[0] = (struct conf_address){.family = SEG_IPV4, .length = 24, .address = {0, 0x0a000a01}};
	v10->address[1] = (struct conf_address){.family = SEG_IPV6, .length = 64, .address = {0x20010db800100000, 1}};
	set_iface(m, 1, "w0", CONF_NONE, 2, 0);
	set_iface(m, 2, "w7", CONF_NONE, 2, 7);
	return m;
}

static void
made_free(struct made *m)
{
	free(m->control);
	free(m);
}

/* What the engine does for each configuration. */
static struct plan *
next_plan(struct made *m)
{
	static const uint64_t macs[] = {MAC1, MAC2, MAC4};
	assert_true(plan_numbers_update(&m->numbers, &m->conf));
	for (size_t i = 0; i < m->conf.nports; i++) {
		m->numbers.port_mac[plan_port_number(&m->numbers, m->port[i].name)] = macs[i];
	}
	struct plan *plan = plan_new(&m->conf, &m->numbers, m->control, 1);
	assert_non_null(plan);
	return plan;
}

static const struct iface *
find(const struct made *m, const struct plan *plan, const char *name)
{
	return plan->iface[plan_iface_number(&m->numbers, name)];
}

static void
test_on_bridge(void **state)
{
	(void)state;
	struct made *m = example();
	m->iface[0].ra = (struct ra_conf){.enabled = true, .interval_s = 60};
	struct plan *plan = next_plan(m);
	const struct iface *v10 = find(m, plan, "v10");
	uint16_t p1 = plan_port_number(&m->numbers, "p1"), p2 = plan_port_number(&m->numbers, "p2");
	uint16_t br0 = plan_bridge_number(&m->numbers, "br0");
	assert_string_equal(v10->name, "v10");
	assert_int_equal(v10->number, plan_iface_number(&m->numbers, "v10"));
	assert_int_equal(v10->fid, plan_fid_number(&m->numbers, br0, 10));
	assert_int_equal(v10->port, 0);
	assert_int_equal(v10->vid, 10);
	assert_int_equal(v10->mtu, 1400); /* the smallest of its ports */
	assert_int_equal(v10->mac, MAC2); /* of the bridge's first port in the file */
	assert_true(v10->enabled && v10->ra.enabled && v10->ra.interval_s == 60);
	assert_ptr_equal(v10->state, m->control->address_state[v10->number]);

	assert_int_equal(v10->naddresses, 3);
	assert_true(v10->address[0].family == SEG_IPV4 && v10->address[0].address[1] == 0x0a000a01);
	assert_true(v10->address[0].length == 24 && v10->address[0].used && !v10->address[0].link_local);
	assert_true(v10->address[1].address[0] == 0x20010db800100000 && !v10->address[1].link_local);
	assert_true(v10->address[2].address[0] == 0xfe80000000000000 && v10->address[2].address[1] == 0x000000fffe000002);
	assert_true(v10->address[2].family == SEG_IPV6 && v10->address[2].length == 64 && v10->address[2].link_local);
	assert_int_equal(iface_find(v10, SEG_IPV4, (uint64_t[2]){0, 0x0a000a01}), 0);

	const struct plan_fid *fid = &plan->fid[v10->fid];
	assert_int_equal(fid->iface, v10->number);
	assert_int_equal(fid->local_mac, MAC2);
	assert_int_equal(fid->only, 0);
	assert_int_equal(fid->bridge, br0);
	assert_int_equal(plan->fid[plan_fid_number(&m->numbers, br0, 20)].iface, 0);
	assert_int_equal(plan->fid[plan_fid_number(&m->numbers, br0, 20)].local_mac, 0);
	assert_true(plan->port[p1].l3 && plan->port[p2].l3);
	assert_false(plan->port[p1].routed || plan->port[p2].routed);
	assert_int_equal(plan->nifaces, 3);
	plan_free(plan);
	made_free(m);
}

static void
test_on_port(void **state)
{
	(void)state;
	struct made *m = example();
	m->iface[2].mtu = 1000;
	m->iface[2].enabled = false;
	m->iface[2].ipv6 = false;
	struct plan *plan = next_plan(m);
	const struct iface *w0 = find(m, plan, "w0"), *w7 = find(m, plan, "w7");
	uint16_t p4 = plan_port_number(&m->numbers, "p4");
	const struct plan_port *port = &plan->port[p4];
	assert_true(port->l3 && port->routed);
	assert_int_equal(port->bridge, 0);
	assert_true(w0->fid && w7->fid && w0->fid != w7->fid);
	assert_int_equal(port->untagged_fid, w0->fid);
	assert_int_equal(port->fid[7], w7->fid);
	assert_int_equal(port->fid[8], 0);
	assert_int_equal(w0->port, p4);
	assert_int_equal(w0->vid, 0);
	assert_int_equal(w0->mtu, 1500);
	assert_int_equal(w0->mac, MAC4);
	assert_true(w0->naddresses == 1 && w0->address[0].link_local);
	assert_int_equal(w7->mtu, 1000);
	assert_int_equal(w7->naddresses, 0);
	assert_false(w7->enabled);

	const struct plan_fid *fid = &plan->fid[w0->fid];
	assert_int_equal(fid->bridge, SEG_FID_PORT | p4);
	assert_true(fid->vid == 0 && fid->only == p4 && fid->iface == w0->number && fid->local_mac == MAC4);
	assert_true(fid->nmembers == 1 && fid->member[0] == p4 && fid->egress[p4] == PLAN_UNTAGGED);
	fid = &plan->fid[w7->fid];
	assert_true(fid->vid == 7 && fid->only == p4 && fid->egress[p4] == PLAN_TAGGED);
	assert_int_equal(m->numbers.fid[w7->fid].bridge, SEG_FID_PORT | p4);
	assert_int_equal(m->numbers.fid[w7->fid].vid, 7);
	plan_free(plan);
	made_free(m);
}

/* One that was given in the file stands instead of the automatic one. */
static void
test_link_local(void **state)
{
	(void)state;
	struct made *m = example();
	m->iface[0].address[1] = (struct conf_address){.family = SEG_IPV6, .length = 64, .address = {0xfe80000000000000, 7}};
	struct plan *plan = next_plan(m);
	const struct iface *v10 = find(m, plan, "v10");
	assert_int_equal(v10->naddresses, 2);
	assert_true(v10->address[1].link_local && v10->address[1].address[1] == 7);
	plan_free(plan);
	made_free(m);
}

static void
test_macs(void **state)
{
	(void)state;
	struct made *m = example();
	plan_free(next_plan(m));
	/* the chosen one stays, whatever becomes of the port it was taken from */
	m->member[0].port = 0;
	m->member[1] = (struct conf_member){.port = 1, .untagged = 20};
	m->member[0].untagged = 10;
	struct plan *plan = next_plan(m);
	assert_int_equal(find(m, plan, "v10")->mac, MAC2);
	plan_free(plan);
	/* one that is given wins, and nothing of the chosen one is left */
	m->iface[0].mac = 0x02aabbccddee;
	plan = next_plan(m);
	assert_int_equal(find(m, plan, "v10")->mac, 0x02aabbccddee);
	assert_int_equal(plan->fid[find(m, plan, "v10")->fid].local_mac, 0x02aabbccddee);
	plan_free(plan);
	m->iface[0].mac = 0;
	plan = next_plan(m);
	assert_int_equal(find(m, plan, "v10")->mac, MAC1);
	plan_free(plan);
	/* a device without one: locally administered, another one for each name */
	memset(m->numbers.mac, 0, sizeof(m->numbers.mac));
	memset(m->numbers.port_mac, 0, sizeof(m->numbers.port_mac));
	plan = plan_new(&m->conf, &m->numbers, m->control, 1);
	uint64_t a = find(m, plan, "w0")->mac, b = find(m, plan, "w7")->mac;
	assert_int_equal(a >> 40, 2);
	assert_int_equal(b >> 40, 2);
	assert_int_not_equal(a, b);
	plan_free(plan);
	made_free(m);
}

static void
test_numbers(void **state)
{
	(void)state;
	struct made *m = example();
	plan_free(next_plan(m));
	uint16_t v10 = plan_iface_number(&m->numbers, "v10"), w0 = plan_iface_number(&m->numbers, "w0");
	uint16_t w7 = plan_iface_number(&m->numbers, "w7"), p4 = plan_port_number(&m->numbers, "p4");
	uint16_t f0 = plan_fid_number(&m->numbers, SEG_FID_PORT | p4, 0), f7 = plan_fid_number(&m->numbers, SEG_FID_PORT | p4, 7);
	assert_true(v10 && w0 && w7 && f0 && f7);

	/* w7 goes, and w8 comes: before w0 in the file, on another VLAN */
	set_iface(m, 2, "w0", CONF_NONE, 2, 0);
	set_iface(m, 1, "w8", CONF_NONE, 2, 8);
	struct plan *plan = next_plan(m);
	uint16_t w8 = plan_iface_number(&m->numbers, "w8");
	assert_int_equal(plan_iface_number(&m->numbers, "v10"), v10);
	assert_int_equal(plan_iface_number(&m->numbers, "w0"), w0);
	assert_int_equal(plan_fid_number(&m->numbers, SEG_FID_PORT | p4, 0), f0);
	assert_int_equal(plan_iface_number(&m->numbers, "w7"), 0);
	assert_int_equal(plan_fid_number(&m->numbers, SEG_FID_PORT | p4, 7), 0);
	assert_int_equal(m->numbers.mac[w7], 0);
	/* neither number passes from one meaning to another in one step */
	assert_true(w8 && w8 != w7);
	assert_int_not_equal(find(m, plan, "w8")->fid, f7);
	assert_null(plan->iface[w7]);
	plan_free(plan);
	/* in the next they may */
	set_iface(m, 1, "w9", CONF_NONE, 2, 9);
	plan = next_plan(m);
	assert_int_equal(plan_iface_number(&m->numbers, "w9"), w7);
	assert_int_equal(find(m, plan, "w9")->fid, f7);
	plan_free(plan);
	made_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_bridge),
		cmocka_unit_test(test_on_port),
		cmocka_unit_test(test_link_local),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
