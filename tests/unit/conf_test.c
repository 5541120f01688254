/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/conf/bridge.c lib/conf/diff.c lib/conf/iface.c lib/conf/keys.c lib/conf/memory.c lib/conf/parse.c */
/* links: lib/conf/patch.c lib/conf/port.c lib/conf/prefix.c lib/conf/read.c lib/conf/route.c lib/conf/write.c */
/* links: lib/base/addr.c lib/base/err.c lib/base/num.c lib/shm/seg.c lib/shm/seg_create.c -ljansson */
/* links: lib/json/where.c lib/json/field.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "conf_text.h"

#define P1 "'p1': {'device': 'if:veth1'}"
#define P2 "'p2': {'device': 'if:veth2'}"
#define TOP(rest) "{'appliance': 'a'" rest "}"
#define CORES(rest) TOP(", 'cores': {" rest "}")
#define PORTS(rest) TOP(", 'ports': {" rest "}")
#define PORT(rest) PORTS("'p1': {'device': 'if:veth1', " rest "}")
#define DEVICE(word) PORTS("'p1': {'device': '" word "'}")
#define BRIDGES(rest) TOP(", 'ports': {" P1 ", " P2 "}, 'bridges': {" rest "}")
#define MEMBER(rest) BRIDGES("'br0': {'ports': {'p1': {" rest "}}}")

static void
test_refuses_documents(void **state)
{
	static const struct refusal refusals[] = {
		{"", ERR_USAGE, "line 1, column 0: '[' or '{' expected near end of file", ""},
		{"{\n 'appliance': a }", ERR_USAGE, "line 2, column 15: invalid token near 'a'", ""},
		{"[]", ERR_USAGE, "[] is not an object {...}", ""},
		{"{}", ERR_USAGE, "appliance: missing", "\"appliance\": "},
		{"{'ports': {}}", ERR_USAGE, "appliance: missing", ""},
		{"{'appliance': 'a', 'appliance': 'b'}", ERR_USAGE,
			"line 1, column 30: duplicate object key near '\"appliance\"'", ""},
		{"{'appliance': 'a'} x", ERR_USAGE, "line 1, column 20: end of file expected near 'x'", ""},
		{"{'appliance': 7}", ERR_USAGE, "appliance: 7 is not a name", "1 to 31"},
		{"{'appliance': null}", ERR_USAGE, "appliance: null is not a name", "1 to 31"},
		{"{'appliance': '../a'}", ERR_USAGE, "appliance: \"../a\" is not a name", "beginning with a letter"},
		{"{'appliance': ''}", ERR_USAGE, "appliance: \"\" is not a name", ""},
		{"{'appliance': 'a2345678901234567890123456789012'}", ERR_USAGE,
			"appliance: \"a2345678901234567890123456789012\" is not a name", "1 to 31"},
		{TOP(", 'prots': {}"), ERR_USAGE, "prots: unknown key", "ports"},
		{TOP(", 'a\\u0001b': {}"), ERR_USAGE, "a?b: unknown key", "ports"},
		{TOP(", 'cores': 3"), ERR_USAGE, "cores: 3 is not an object {...}", ""},
		{TOP(", 'lags': {'lag1': {}}"), ERR_REFUSED, "lags: this release has no link aggregation", "leave \"lags\" out"},
		{TOP(", 'interfaces': {'v10': {}}"), ERR_USAGE, "interfaces.v10: neither on a bridge nor on a port",
			"\"port\": \"p4\""},
		{TOP(", 'routes': [{}]"), ERR_USAGE, "routes[0]: no \"to\"", "10.9.0.0/16"},
		{TOP(", 'vrrp': [{}]"), ERR_REFUSED, "vrrp: this release has no virtual routers", ""},
		{TOP(", 'routes': {}"), ERR_USAGE, "routes: {} is not a list [...]", ""},
		{TOP(", 'lags': []"), ERR_USAGE, "lags: [] is not an object {...}", ""},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

static void
test_refuses_numbers(void **state)
{
	static const struct refusal refusals[] = {
		{CORES("'data': 0"), ERR_USAGE, "cores.data: 0 is not a number of data cores (1 to 64)", ""},
		{CORES("'data': 65"), ERR_USAGE, "cores.data: 65 is not a number of data cores (1 to 64)", ""},
		{CORES("'data': -1"), ERR_USAGE, "cores.data: -1 is not a number of data cores (1 to 64)", ""},
		{CORES("'data': 2.0"), ERR_USAGE, "cores.data: 2.0 is not a number of data cores (1 to 64)", ""},
		{CORES("'data': '2'"), ERR_USAGE, "cores.data: \"2\" is not a number of data cores (1 to 64)", ""},
		{CORES("'data': 3, 'cpus': '2-3'"), ERR_USAGE, "cores.cpus: 2 CPUs for 3 data cores", "leave \"cpus\" out"},
		{CORES("'data': 3, 'cpus': '2-5'"), ERR_USAGE, "cores.cpus: 4 CPUs for 3 data cores", ""},
		{CORES("'cpus': '4-2'"), ERR_USAGE, "cores.cpus: \"4-2\" is not a list of CPUs like \"2-4,7\"", ""},
		{CORES("'cpus': '2,'"), ERR_USAGE, "cores.cpus: \"2,\" is not a list of CPUs like \"2-4,7\"", ""},
		{CORES("'cpus': ''"), ERR_USAGE, "cores.cpus: \"\" is not a list of CPUs like \"2-4,7\"", ""},
		{CORES("'cpus': '0-99'"), ERR_USAGE, "cores.cpus: more than 64 CPUs", ""},
		{CORES("'cpus': [2]"), ERR_USAGE, "cores.cpus: [2] is not a list of CPUs like \"2-4,7\"", ""},
		{CORES("'poll': 'lazy'"), ERR_USAGE, "cores.poll: \"lazy\" is not \"adaptive\" or \"busy\"", ""},
		{TOP(", 'memory': {'mbufs': 1023}"), ERR_USAGE, "memory.mbufs: 1023 is not a number of mbufs (1024 to 16777216)",
			""},
		{TOP(", 'memory': {'hugepages': true}"), ERR_USAGE, "memory.hugepages: true is not \"auto\" or \"on\" or \"off\"",
			""},
		{TOP(", 'memory': {'ring_slots': 100}"), ERR_USAGE, "memory.ring_slots: 100 is not a power of two (16 to 65536)",
			""},
		{TOP(", 'memory': {'ring_slots': 8}"), ERR_USAGE, "memory.ring_slots: 8 is not a power of two (16 to 65536)", ""},
		{TOP(", 'tables': {'fdb': 63}"), ERR_USAGE, "tables.fdb: 63 is not a number of entries (64 to 4194304)", ""},
		{TOP(", 'tables': {'ageing': 300}"), ERR_USAGE, "tables.ageing: unknown key", "ageing_s"},
		{TOP(", 'tables': {'ageing_s': 0}"), ERR_USAGE, "tables.ageing_s: 0 is not a time in seconds (1 to 1000000)", ""},
		{TOP(", 'tables': {'ageing_s': 99999999999999999999}"), ERR_USAGE,
			"line 1, column 62: too big integer near '99999999999999999999'", ""},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

static void
test_refuses_ports(void **state)
{
	static const struct refusal refusals[] = {
		{PORTS("'p1': {}"), ERR_USAGE, "ports.p1: no device", "if:eth1"},
		{PORTS("'p 1': {'device': 'if:e'}"), ERR_USAGE, "ports.p 1: not a port's name", "1 to 31"},
		{PORTS("'p1': {'devcie': 'if:e'}"), ERR_USAGE, "ports.p1.devcie: unknown key",
			"device, description, enabled, mtu, steering, limit, storm"},
		{PORTS("'p1': 'if:e'"), ERR_USAGE, "ports.p1: \"if:e\" is not an object {...}", ""},
		{DEVICE("eth0"), ERR_USAGE, "ports.p1.device: \"eth0\" is not a device", "if:INTERFACE"},
		{DEVICE("tap:eth0"), ERR_USAGE, "ports.p1.device: \"tap:eth0\" is not a device", "vdev:"},
		{DEVICE("if:"), ERR_USAGE, "ports.p1.device: \"if:\" is not a device: no interface can have that name",
			"1 to 15"},
		{DEVICE("if:a/b"), ERR_USAGE, "ports.p1.device: \"if:a/b\" is not a device: no interface can have that name", ""},
		{DEVICE("if:a b"), ERR_USAGE, "ports.p1.device: \"if:a b\" is not a device: no interface can have that name", ""},
		{DEVICE("xdp:a,b"), ERR_USAGE, "ports.p1.device: \"xdp:a,b\" is not a device: no interface can have that name",
			""},
		{DEVICE("if:a234567890123456"), ERR_USAGE,
			"ports.p1.device: \"if:a234567890123456\" is not a device: no interface can have that name", ""},
		{DEVICE("pci:eth0"), ERR_USAGE, "ports.p1.device: \"pci:eth0\" is not a PCI address", "pci:3b:10.1"},
		{DEVICE("pci:3b:20.0"), ERR_USAGE, "ports.p1.device: \"pci:3b:20.0\" is not a PCI address", ""},
		{DEVICE("pci:3b:10.8"), ERR_USAGE, "ports.p1.device: \"pci:3b:10.8\" is not a PCI address", ""},
		{DEVICE("pci:0000:3b:10.1x"), ERR_USAGE, "ports.p1.device: \"pci:0000:3b:10.1x\" is not a PCI address", ""},
		{DEVICE("vdev:"), ERR_USAGE, "ports.p1.device: \"vdev:\" is not a DPDK device", "net_pcap0"},
		{DEVICE("vdev:,x=1"), ERR_USAGE, "ports.p1.device: \"vdev:,x=1\" is not a DPDK device", ""},
		{PORTS(P1 ", 'p2': {'device': 'if:veth1'}"), ERR_EXISTS,
			"ports.p2.device: if:veth1 is the device of port p1 already", ""},
		{PORTS(P1 ", 'p2': {'device': 'xdp:veth1'}"), ERR_EXISTS,
			"ports.p2.device: xdp:veth1 is the device of port p1 already", ""},
		{PORTS("'p1': {'device': 'pci:0000:3B:10.1'}, 'p2': {'device': 'pci:3b:10.1'}"), ERR_EXISTS,
			"ports.p2.device: pci:3b:10.1 is the device of port p1 already", ""},
		{PORTS("'p1': {'device': 'vdev:net_null0,size=64'}, 'p2': {'device': 'vdev:net_null0'}"), ERR_EXISTS,
			"ports.p2.device: vdev:net_null0 is the device of port p1 already", ""},
		{PORT("'mtu': 67"), ERR_USAGE, "ports.p1.mtu: 67 is not an MTU (68 to 9216)", ""},
		{PORT("'mtu': 9217"), ERR_USAGE, "ports.p1.mtu: 9217 is not an MTU (68 to 9216)", ""},
		{PORT("'enabled': 1"), ERR_USAGE, "ports.p1.enabled: 1 is not true or false", ""},
		{PORT("'steering': 'rss'"), ERR_USAGE, "ports.p1.steering: \"rss\" is not \"auto\" or \"none\"", ""},
		{PORT("'description': 7"), ERR_USAGE, "ports.p1.description: 7 is not a string", ""},
		{PORT("'description': 'a\\u001b[2J'"), ERR_USAGE, "ports.p1.description: holds a control character", ""},
		{PORT("'limit': {'rate': 5}"), ERR_USAGE, "ports.p1.limit.rate: unknown key", "rate_bps, rate_pps"},
		{PORT("'limit': {'rate_bps': '5 apples'}"), ERR_USAGE,
			"ports.p1.limit.rate_bps: \"5 apples\" is not a rate in bits a second", "5G"},
		{PORT("'limit': {'rate_bps': -1}"), ERR_USAGE, "ports.p1.limit.rate_bps: -1 is not a rate in bits a second", ""},
		{PORT("'limit': {'rate_bps': 10000000000001}"), ERR_USAGE,
			"ports.p1.limit.rate_bps: 10000000000001 is not a rate in bits a second", "10T"},
		{PORT("'storm': {'rate_pps': '5Gbit'}"), ERR_USAGE,
			"ports.p1.storm.rate_pps: \"5Gbit\" is not a rate in packets a second", "10kpps"},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

static void
test_refuses_bridges(void **state)
{
	static const struct refusal refusals[] = {
		{BRIDGES("'br0': {'ports': {'p9': {}}}"), ERR_USAGE, "bridges.br0.ports.p9: no such port",
			"the ports are: p1, p2"},
		{TOP(", 'bridges': {'br0': {'ports': {'p9': {}}}}"), ERR_USAGE, "bridges.br0.ports.p9: no such port", "is empty"},
		{BRIDGES("'b r': {}"), ERR_USAGE, "bridges.b r: not a bridge's name", ""},
		{BRIDGES("'br0': {'stp': 'rstp'}"), ERR_REFUSED, "bridges.br0.stp: this release takes no part in spanning tree",
			"block"},
		{BRIDGES("'br0': {'stp': true}"), ERR_USAGE, "bridges.br0.stp: true is not \"off\" or \"block\"", ""},
		{BRIDGES("'br0': {'vlan': 1}"), ERR_USAGE, "bridges.br0.vlan: unknown key", "stp, ports"},
		{BRIDGES("'br0': {'ports': ['p1']}"), ERR_USAGE, "bridges.br0.ports: [\"p1\"] is not an object {...}", ""},
		{BRIDGES("'br0': {'ports': {'p1': {}}}, 'br1': {'ports': {'p1': {}}}"), ERR_EXISTS,
			"bridges.br1.ports.p1: port p1 is in bridge br0 already", ""},
		{MEMBER("'untagged': 4095"), ERR_USAGE, "bridges.br0.ports.p1.untagged: 4095 is not a VLAN (1 to 4094)", ""},
		{MEMBER("'untagged': 0"), ERR_USAGE, "bridges.br0.ports.p1.untagged: 0 is not a VLAN (1 to 4094)", ""},
		{MEMBER("'tagged': 10"), ERR_USAGE, "bridges.br0.ports.p1.tagged: 10 is not a list of VLANs", "100-199"},
		{MEMBER("'tagged': [0]"), ERR_USAGE, "bridges.br0.ports.p1.tagged: 0 is not a VLAN (1 to 4094)", ""},
		{MEMBER("'tagged': [4095]"), ERR_USAGE, "bridges.br0.ports.p1.tagged: 4095 is not a VLAN (1 to 4094)", ""},
		{MEMBER("'tagged': ['20-10']"), ERR_USAGE,
			"bridges.br0.ports.p1.tagged: \"20-10\" is not a range of VLANs (1 to 4094)", ""},
		{MEMBER("'tagged': ['10-4095']"), ERR_USAGE,
			"bridges.br0.ports.p1.tagged: \"10-4095\" is not a range of VLANs (1 to 4094)", ""},
		{MEMBER("'tagged': ['1-2-3']"), ERR_USAGE,
			"bridges.br0.ports.p1.tagged: \"1-2-3\" is not a range of VLANs (1 to 4094)", ""},
		{MEMBER("'tagged': []"), ERR_USAGE, "bridges.br0.ports.p1: the port is in no VLAN", "VLAN 1"},
		{MEMBER("'untagged': 10, 'tagged': ['5-15']"), ERR_USAGE,
			"bridges.br0.ports.p1.tagged: 10 is this port's untagged VLAN already", ""},
		{MEMBER("'mac_limit': -1"), ERR_USAGE,
			"bridges.br0.ports.p1.mac_limit: -1 is not a number of entries (0 to 4194304)", ""},
		{MEMBER("'pvid': 10"), ERR_USAGE, "bridges.br0.ports.p1.pvid: unknown key", "untagged, tagged, mac_limit"},
		{BRIDGES("'br0': {'ports': {'p1': {'tagged': ['1-4094']}}}, 'br1': {'ports': {'p2': {'tagged': [1, 2]}}}"),
			ERR_USAGE, "bridges: 4096 pairs of bridge and VLAN: at most 4095", ""},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

/* n ports or bridges. */
static void
check_many(bool ports, int n, const char *message)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	fprintf(out, "{'appliance': 'a', '%s': {", ports ? "ports" : "bridges");
	for (int i = 1; i <= n; i++) {
		fprintf(out, "%s'x%d': ", i > 1 ? ", " : "", i);
		if (ports) {
			fprintf(out, "{'device': 'if:v%d'}", i);
		} else {
			fprintf(out, "{}");
		}
	}
	fprintf(out, "}}");
	fclose(out);
	struct conf conf;
	struct err err;
	enum err_code code = parse(text, &conf, &err);
	free(text);
	assert_string_equal(err.message, message);
	assert_int_equal(code, message[0] ? ERR_USAGE : ERR_NONE);
	conf_free(&conf);
}

static void
test_refuses_too_many(void **state)
{
	(void)state;
	check_many(true, 255, "");
	check_many(true, 256, "ports: 256 ports: at most 255");
	check_many(false, 63, "");
	check_many(false, 64, "bridges: 64 bridges: at most 63");
}

/* ---- what is taken ----------------------------------------------------------------------------------------------------- */

static void
test_takes_defaults(void **state)
{
	(void)state;
	struct conf conf = good("{'appliance': 'edge1', 'lags': {}, 'interfaces': {}, 'routes': [], 'vrrp': []}");
	assert_string_equal(conf.appliance, "edge1");
	assert_int_equal(conf.cores, 1);
	assert_int_equal(conf.ncpus, 0);
	assert_int_equal(conf.poll, CONF_POLL_ADAPTIVE);
	assert_int_equal(conf.mbufs, 16384);
	assert_int_equal(conf.hugepages, CONF_HUGE_AUTO);
	assert_int_equal(conf.ring_slots, 256);
	assert_int_equal(conf.fdb, 8192);
	assert_int_equal(conf.neighbors, 4096);
	assert_int_equal(conf.ageing_s, 300);
	assert_int_equal(conf.nports, 0);
	assert_int_equal(conf.nbridges, 0);
	conf_free(&conf);
}

static void
test_takes_ports(void **state)
{
	(void)state;
	struct conf conf = good(PORTS(P1
		", 'p2': {'device': 'pci:0000:3b:10.1', 'description': 'to the right', 'enabled': false,"
		" 'mtu': 9000, 'steering': 'none', 'limit': {'rate_bps': '5G', 'rate_pps': 1000000}, 'storm': {'rate_pps': '10kpps'}},"
		" 'p3': {'device': 'vdev:net_pcap3,rx_pcap=in.pcap,infinite_rx=1'}, 'p4': {'device': 'xdp:eth0'}"));
	assert_int_equal(conf.nports, 4);
	assert_int_equal(conf_find_port(&conf, "p4"), 3);
	assert_int_equal(conf_find_port(&conf, "p5"), -1);
	const struct conf_port *p1 = &conf.port[0], *p2 = &conf.port[1];
	assert_int_equal(p1->kind, SEG_PORT_IF);
	assert_true(p1->enabled);
	assert_int_equal(p1->mtu, 1500);
	assert_int_equal(p1->limit_bps + p1->limit_pps + p1->storm_pps, 0);
	assert_int_equal(p2->kind, SEG_PORT_PCI);
	assert_string_equal(p2->device, "pci:0000:3b:10.1");
	assert_string_equal(p2->description, "to the right");
	assert_false(p2->enabled);
	assert_int_equal(p2->mtu, 9000);
	assert_int_equal(p2->steering, CONF_STEER_NONE);
	assert_int_equal(p2->limit_bps, 5000000000);
	assert_int_equal(p2->limit_pps, 1000000);
	assert_int_equal(p2->storm_pps, 10000);
	assert_int_equal(conf.port[2].kind, SEG_PORT_VDEV);
	assert_int_equal(conf.port[3].kind, SEG_PORT_XDP);
	conf_free(&conf);
}

static void
test_takes_bridges(void **state)
{
	(void)state;
	/* before the ports in the file */
	struct conf conf = good(
		"{'appliance': 'a', 'bridges': {'br0': {'stp': 'block', 'ports': {"
		"'p2': {'tagged': [10, '20-22', '4094'], 'mac_limit': 5}, 'p1': {}}}, 'br1': {}}, 'ports': {" P1 ", " P2 "}}");
	assert_int_equal(conf.nbridges, 2);
	const struct conf_bridge *br0 = &conf.bridge[0];
	assert_string_equal(br0->name, "br0");
	assert_int_equal(br0->stp, SEG_STP_BLOCK);
	assert_int_equal(br0->nmembers, 2);
	assert_int_equal(br0->member[0].port, 1);
	assert_int_equal(br0->member[0].untagged, 0);
	assert_int_equal(br0->member[0].mac_limit, 5);
	for (unsigned vid = 0; vid < 4096; vid++) {
		assert_int_equal(conf_member_tagged(&br0->member[0], vid), vid == 10 || (vid >= 20 && vid <= 22) || vid == 4094);
	}
	assert_int_equal(br0->member[1].port, 0);
	assert_int_equal(br0->member[1].untagged, 1);
	assert_int_equal(conf.bridge[1].nmembers, 0);
	conf_free(&conf);
	conf = good(CORES("'data': 5, 'cpus': '2-4,0,0', 'poll': 'busy'"));
	assert_int_equal(conf.ncpus, 5);
	assert_int_equal(conf.cpu[2], 4);
	assert_int_equal(conf.cpu[4], 0);
	conf_free(&conf);
}

static void
test_text_is_canonical(void **state)
{
	(void)state;
	struct conf conf = good("{'bridges':{'br0':{'ports':{'p1':{'tagged':['10-12',20]}}}},'appliance':'a',"
				"'ports':{'p1':{'device':'if:veth1','limit':{'rate_bps':'5G'}}}}");
	char *want =
		json("{\n  'bridges': {\n    'br0': {'ports': {'p1': {'tagged': ['10-12', 20]}}}\n  },\n  'appliance': 'a',\n"
		     "  'ports': {\n    'p1': {'device': 'if:veth1', 'limit': {'rate_bps': '5G'}}\n  }\n}\n");
	assert_string_equal(conf.text, want);
	struct conf again = good(conf.text);
	assert_string_equal(again.text, want);
	free(want);
	conf_free(&conf);
	conf_free(&again);
}

/* ---- patch ---------------------------------------------------------------------------------------------------------------- */

static void
test_patch(void **state)
{
	/* the cases of RFC 7386 appendix A whose target and patch are objects */
	static const char *const cases[][3] = {
		{"{'a':'b'}", "{'a':'c'}", "{'a': 'c'}"},
		{"{'a':'b'}", "{'b':'c'}", "{'a': 'b', 'b': 'c'}"},
		{"{'a':'b'}", "{'a':null}", "{}"},
		{"{'a':'b','b':'c'}", "{'a':null}", "{'b': 'c'}"},
		{"{'a':['b']}", "{'a':'c'}", "{'a': 'c'}"},
		{"{'a':'c'}", "{'a':['b']}", "{'a': ['b']}"},
		{"{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a': {'b': 'd'}}"},
		{"{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a': [1]}"},
		{"{'e':null}", "{'a':1}", "{'e': null, 'a': 1}"},
		{"{}", "{'a':{'bb':{'ccc':null}}}", "{'a': {'bb': {}}}"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = json(cases[i][0]), *patch = json(cases[i][1]), *want = json(cases[i][2]), *merged;
		struct err err;
		assert_int_equal(conf_patch(text, patch, strlen(patch), &merged, &err), ERR_NONE);
		json_t *got = json_loads(merged, 0, NULL), *wanted = json_loads(want, 0, NULL);
		assert_non_null(wanted);
		assert_true(json_equal(got, wanted));
		json_decref(got);
		json_decref(wanted);
		free(text);
		free(patch);
		free(want);
		free(merged);
	}
}

static void
test_patch_refuses(void **state)
{
	(void)state;
	char *merged = NULL;
	struct err err;
	assert_int_equal(conf_patch("{}", "{", 1, &merged, &err), ERR_USAGE);
	assert_string_equal(err.message, "patch: line 1, column 1: string or '}' expected near end of file");
	assert_int_equal(conf_patch("{}", "[]", 2, &merged, &err), ERR_USAGE);
	assert_string_equal(err.message, "patch: not an object {...}");
	assert_null(merged);
}

/* ---- diff ----------------------------------------------------------------------------------------------------------------- */

static void
test_diff_equal(void **state)
{
	(void)state;
	check_diff(TOP(""), TOP(", 'cores': {'data': 1}, 'tables': {'fdb': 8192}, 'ports': {}, 'lags': {}"), "");
	check_diff(PORTS(P1 ", " P2), PORTS(P2 ", 'p1': {'mtu': 1500, 'device': 'if:veth1', 'limit': {}}"), "");
	check_diff(MEMBER(""), MEMBER("'untagged': 1, 'tagged': []"), "");
	check_diff(MEMBER("'tagged': [10, 11, 12]"), MEMBER("'tagged': ['10-12']"), "");
}

static void
test_diff_restart(void **state)
{
	(void)state;
	check_diff("{'appliance': 'a'}", "{'appliance': 'b'}", "appliance: 'a' -> 'b' (restart)");
	check_diff(CORES("'data': 2"), CORES("'data': 3, 'cpus': '1,2,3', 'poll': 'busy'"),
		"cores.data: 2 -> 3 (restart)\ncores.cpus:  -> '1-3' (restart)\ncores.poll: 'adaptive' -> 'busy' (restart)");
	check_diff(TOP(""), TOP(", 'memory': {'mbufs': 20000, 'hugepages': 'off', 'ring_slots': 512}"),
		"memory.mbufs: 16384 -> 20000 (restart)\nmemory.hugepages: 'auto' -> 'off' (restart)\nmemory.ring_slots: 256 -> 512 (restart)");
	check_diff(TOP(""), TOP(", 'tables': {'fdb': 100, 'neighbors': 100, 'ageing_s': 10}"),
		"tables.fdb: 8192 -> 100 (restart)\ntables.neighbors: 4096 -> 100 (restart)\ntables.ageing_s: 300 -> 10 (live)");
}

static void
test_diff_ports(void **state)
{
	(void)state;
	check_diff(
		PORTS(P1), PORTS(P2), "ports.p1: {'device': 'if:veth1'} ->  (live)\nports.p2:  -> {'device': 'if:veth2'} (live)");
	check_diff(PORTS(P1), DEVICE("if:veth9"), "ports.p1.device: 'if:veth1' -> 'if:veth9' (live)");
	check_diff(PORTS(P1),
		PORT("'enabled': false, 'description': 'x', 'steering': 'none', 'limit': {'rate_pps': 9},"
		     " 'storm': {'rate_pps': 8}"),
		"ports.p1.description:  -> 'x' (live)\nports.p1.enabled: true -> false (live)\nports.p1.steering: 'auto' -> 'none' (live)\n"
		"ports.p1.limit.rate_pps: 0 -> 9 (live)\nports.p1.storm.rate_pps: 0 -> 8 (live)");
	/* the mbufs of an engine are as large as its largest MTU wanted them */
	check_diff(PORTS(P1), PORT("'mtu': 1600"), "ports.p1.mtu: 1500 -> 1600 (live)");
	check_diff(PORTS(P1), PORT("'mtu': 9000"), "ports.p1.mtu: 1500 -> 9000 (restart)");
	check_diff(PORT("'mtu': 9000"), PORTS(P1), "ports.p1.mtu: 9000 -> 1500 (live)");
	check_diff(PORTS(P1), PORTS(P1 ", 'p2': {'device': 'if:v', 'mtu': 9000}"),
		"ports.p2:  -> {'device': 'if:v', 'mtu': 9000} (restart)");
}

/* An engine that was started with large mbufs has them still. */
static void
test_diff_room(void **state)
{
	(void)state;
	struct conf a = good(PORTS(P1)), b = good(PORT("'mtu': 9000"));
	struct conf_changes changes;
	a.room = conf_mbuf_room(&b);
	assert_true(conf_diff(&a, &b, &changes));
	assert_int_equal(changes.n, 1);
	assert_true(changes.change[0].live);
	conf_changes_free(&changes);
	a.room--;
	assert_true(conf_diff(&a, &b, &changes));
	assert_false(changes.change[0].live);
	conf_changes_free(&changes);
	conf_free(&a);
	conf_free(&b);
}

static void
test_diff_bridges(void **state)
{
	(void)state;
	check_diff(BRIDGES(""), BRIDGES("'br0': {'ports': {'p1': {}}}"),
		"bridges.br0:  -> {'ports': {'p1': {'untagged': 1}}} (live)");
	check_diff(BRIDGES("'br0': {'stp': 'block', 'ports': {'p1': {'tagged': [5]}}}"), BRIDGES(""),
		"bridges.br0: {'stp': 'block', 'ports': {'p1': {'tagged': [5]}}} ->  (live)");
	check_diff(BRIDGES("'br0': {'ports': {'p1': {}}}"), BRIDGES("'br0': {'stp': 'block', 'ports': {'p2': {'untagged': 7}}}"),
		"bridges.br0.stp: 'off' -> 'block' (live)\nbridges.br0.ports.p1: {'untagged': 1} ->  (live)\n"
		"bridges.br0.ports.p2:  -> {'untagged': 7} (live)");
	check_diff(MEMBER("'tagged': ['10-20', 30]"), MEMBER("'untagged': 2, 'tagged': [10], 'mac_limit': 4"),
		"bridges.br0.ports.p1.untagged:  -> 2 (live)\nbridges.br0.ports.p1.tagged: ['10-20', 30] -> [10] (live)\n"
		"bridges.br0.ports.p1.mac_limit: 0 -> 4 (live)");
}

/* ---- memory --------------------------------------------------------------------------------------------------------------- */

static void
test_memory(void **state)
{
	(void)state;
	static const uint32_t sizes[] = {1, 64, 65, 8192, 4194304};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t slots = (uint64_t)conf_fdb_buckets(sizes[i]) * SEG_WAYS;
		assert_true(slots * 3 >= (uint64_t)sizes[i] * 4);
		assert_true(slots <= (uint64_t)sizes[i] * 2 + 64);
	}
	struct conf conf = good(TOP(", 'cores': {'data': 3}, 'ports': {" P1 ", " P2 "}"));
	assert_int_equal(conf_mbuf_room(&conf), 2048 + 128);
	struct conf_memory_item items[16];
	size_t n = conf_memory(&conf, items, 16);
	/* if: ports have a transmit queue for each core: nothing for backlogs is listed */
	assert_int_equal(n, 10);
	assert_string_equal(items[0].what, "bridge tables");
	assert_int_equal(
		items[0].bytes, 3 * conf_fdb_buckets(8192) * (sizeof(struct seg_bucket) + SEG_WAYS * sizeof(struct seg_cold)));
	assert_string_equal(items[1].what, "neighbour tables");
	assert_int_equal(items[1].bytes, 3 * 2 * conf_nbr_slots(4096) * sizeof(struct seg_nbr));
	assert_string_equal(items[2].what, "routes");
	assert_int_equal(items[2].bytes, conf_route_slots(4096) * sizeof(struct seg_route));
	assert_int_equal(items[3].bytes, 16 * (256 * sizeof(struct seg_msg) + sizeof(struct seg_ring)));
	for (size_t i = 0; i < n; i++) {
		assert_true(items[i].bytes > 0);
	}
	assert_int_equal(conf_memory(&conf, items, 2), 2);
	conf_free(&conf);
	conf = good(PORT("'mtu': 9000"));
	assert_true(conf_mbuf_room(&conf) >= 128 + 14 + 8 + 9000 + 4);
	assert_int_equal((conf_mbuf_room(&conf) - 128) % 1024, 0);
	conf_free(&conf);
}

static void
test_mbufs_needed(void **state)
{
	(void)state;
	struct conf conf = good(TOP(", 'cores': {'data': 3}, 'ports': {" P1 ", " P2 ", 'p3': {'device': 'pci:00:03.0'},"
				    " 'p4': {'device': 'pci:00:04.0'}}"));
	assert_true(conf_mbufs_needed(&conf) <= conf.mbufs);
	assert_true(conf_mbufs_needed(&conf) > 4096);
	conf.cores = 64;
	assert_true(conf_mbufs_needed(&conf) > conf.mbufs);
	conf_free(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses_documents),
		cmocka_unit_test(test_refuses_numbers),
		cmocka_unit_test(test_refuses_ports),
		cmocka_unit_test(test_refuses_bridges),
		cmocka_unit_test(test_refuses_too_many),
		cmocka_unit_test(test_takes_defaults),
		cmocka_unit_test(test_takes_ports),
		cmocka_unit_test(test_takes_bridges),
		cmocka_unit_test(test_text_is_canonical),
		cmocka_unit_test(test_patch),
		cmocka_unit_test(test_patch_refuses),
		cmocka_unit_test(test_diff_equal),
		cmocka_unit_test(test_diff_restart),
		cmocka_unit_test(test_diff_ports),
		cmocka_unit_test(test_diff_room),
		cmocka_unit_test(test_diff_bridges),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_mbufs_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
