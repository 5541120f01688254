/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/conf/bridge.c lib/conf/diff.c lib/conf/iface.c lib/conf/keys.c lib/conf/memory.c lib/conf/parse.c */
/* links: lib/conf/patch.c lib/conf/port.c lib/conf/prefix.c lib/conf/read.c lib/conf/route.c lib/conf/write.c */
/* links: lib/base/addr.c lib/base/err.c lib/base/num.c lib/shm/seg.c lib/shm/seg_create.c -ljansson */
/* links: lib/json/where.c lib/json/field.c */
/* "interfaces", "routes", "neighbors" and "police" of the appliance file. */
#include "conf_text.h"

#define PLACES \
	"'appliance': 'a', 'ports': {'p1': {'device': 'if:veth1'}, 'p2': {'device': 'if:veth2', 'mtu': 1400}," \
	" 'p4': {'device': 'if:veth4'}}, 'bridges': {'br0': {'ports': {'p1': {'untagged': 10}, 'p2': {'tagged': [20, 30]}}}}"
#define TOP(rest) "{" PLACES rest "}"
#define IFACES(rest) TOP(", 'interfaces': {" rest "}")
#define PORT4(rest) IFACES("'w0': {'port': 'p4'" rest "}")
#define ADDRESS(word) PORT4(", 'addresses': ['" word "']")
#define V10 "'v10': {'bridge': 'br0', 'vlan': 10, 'addresses': ['10.0.10.1/24', '2001:db8:10::1/64']}"
#define W0 "'w0': {'port': 'p4', 'addresses': ['10.0.40.1/24']}"
#define ROUTES(rest) TOP(", 'interfaces': {" V10 ", " W0 "}, 'routes': [" rest "]")
#define ROUTE(rest) ROUTES("{" rest "}")
#define RA(rest) PORT4(", 'addresses': ['2001:db8::1/64'], 'router_advertisements': {" rest "}")

static void
test_refuses_places(void **state)
{
	static const struct refusal refusals[] = {
		{TOP(", 'interfaces': []"), ERR_USAGE, "interfaces: [] is not an object {...}", ""},
		{IFACES("'v 1': {}"), ERR_USAGE, "interfaces.v 1: not an interface's name", "1 to 31"},
		{IFACES("'v1': {'vlna': 1}"), ERR_USAGE, "interfaces.v1.vlna: unknown key", "bridge, port, vlan, addresses"},
		{IFACES("'v1': {}"), ERR_USAGE, "interfaces.v1: neither on a bridge nor on a port", "\"bridge\": \"br0\""},
		{IFACES("'v1': {'bridge': 'br0', 'port': 'p4', 'vlan': 10}"), ERR_USAGE,
			"interfaces.v1: both on a bridge and on a port", ""},
		{IFACES("'v1': {'bridge': 'br1', 'vlan': 10}"), ERR_USAGE, "interfaces.v1.bridge: \"br1\" is not a bridge",
			"\"bridges\""},
		{IFACES("'v1': {'bridge': 'br0'}"), ERR_USAGE, "interfaces.v1.vlan: missing", "the VLAN of bridge br0"},
		{IFACES("'v1': {'bridge': 'br0', 'vlan': 4095}"), ERR_USAGE, "interfaces.v1.vlan: 4095 is not a VLAN (1 to 4094)",
			""},
		{IFACES("'v1': {'bridge': 'br0', 'vlan': 11}"), ERR_USAGE,
			"interfaces.v1.vlan: bridge br0 has no port in VLAN 11", ""},
		{IFACES("'v1': {'port': 'p9'}"), ERR_USAGE, "interfaces.v1.port: no such port", "p1, p2, p4"},
		{IFACES("'v1': {'port': 4}"), ERR_USAGE, "interfaces.v1.port: 4 is not a port", ""},
		{IFACES("'v1': {'port': 'p1'}"), ERR_EXISTS, "interfaces.v1.port: port p1 is in bridge br0",
			"\"bridge\" and \"vlan\""},
		{IFACES(V10 ", 'v11': {'bridge': 'br0', 'vlan': 10}"), ERR_EXISTS,
			"interfaces.v11: interface v10 is there already", ""},
		{IFACES("'a': {'port': 'p4'}, 'b': {'port': 'p4', 'vlan': 7}, 'c': {'port': 'p4', 'vlan': 7}"), ERR_EXISTS,
			"interfaces.c: interface b is there already", ""},
		{IFACES("'a': {'port': 'p4'}, 'c': {'port': 'p4'}"), ERR_EXISTS, "interfaces.c: interface a is there already",
			""},
		{PORT4(", 'mac': '02:00:00:00:00:0g'"), ERR_USAGE,
			"interfaces.w0.mac: \"02:00:00:00:00:0g\" is not a MAC address", "02:00:5e"},
		{PORT4(", 'mac': '03:00:00:00:00:01'"), ERR_USAGE,
			"interfaces.w0.mac: \"03:00:00:00:00:01\" is not one station's address: its group bit is set", ""},
		{PORT4(", 'mac': '00:00:00:00:00:00'"), ERR_USAGE,
			"interfaces.w0.mac: \"00:00:00:00:00:00\" is not a station's address", ""},
		{PORT4(", 'mtu': 67"), ERR_USAGE, "interfaces.w0.mtu: 67 is not an MTU (68 to 9216)", ""},
		{PORT4(", 'mtu': 1501"), ERR_USAGE, "interfaces.w0.mtu: 1501 is more than its ports take, 1500", ""},
		{IFACES("'v20': {'bridge': 'br0', 'vlan': 20, 'mtu': 1401}"), ERR_USAGE,
			"interfaces.v20.mtu: 1401 is more than its ports take, 1400", ""},
		{PORT4(", 'mtu': 1279"), ERR_USAGE, "interfaces.w0.mtu: 1279 is less than IPv6 needs, 1280", "\"ipv6\": false"},
		{"{'appliance': 'a', 'ports': {'p1': {'device': 'if:e', 'mtu': 1000}}, 'interfaces': {'w': {'port': 'p1'}}}",
			ERR_USAGE, "interfaces.w.mtu: 1000 is less than IPv6 needs, 1280", ""},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

static void
test_refuses_addresses(void **state)
{
	static const struct refusal refusals[] = {
		{PORT4(", 'addresses': '10.0.0.1/24'"), ERR_USAGE,
			"interfaces.w0.addresses: \"10.0.0.1/24\" is not a list of addresses", "10.0.10.1/24"},
		{PORT4(", 'addresses': [7]"), ERR_USAGE,
			"interfaces.w0.addresses[0]: 7 is not an address with the length of its prefix", ""},
		{ADDRESS("10.0.0.1"), ERR_USAGE,
			"interfaces.w0.addresses[0]: \"10.0.0.1\" is not an address with the length of its prefix", "/24"},
		{ADDRESS("10.0.0.1/33"), ERR_USAGE,
			"interfaces.w0.addresses[0]: \"10.0.0.1/33\" is not an address with the length of its prefix", ""},
		{ADDRESS("10.0.0.1/0"), ERR_USAGE,
			"interfaces.w0.addresses[0]: \"10.0.0.1/0\" is not an address with the length of its prefix", ""},
		{ADDRESS("2001:db8::1/129"), ERR_USAGE,
			"interfaces.w0.addresses[0]: \"2001:db8::1/129\" is not an address with the length of its prefix", ""},
		{ADDRESS("10.0.10.0/24"), ERR_USAGE, "interfaces.w0.addresses[0]: 10.0.10.0/24 is the network's own address", ""},
		{ADDRESS("10.0.10.255/24"), ERR_USAGE,
			"interfaces.w0.addresses[0]: 10.0.10.255/24 is the network's broadcast address", ""},
		{ADDRESS("10.0.10.3/30"), ERR_USAGE,
			"interfaces.w0.addresses[0]: 10.0.10.3/30 is the network's broadcast address", ""},
		{ADDRESS("127.0.0.1/8"), ERR_USAGE, "interfaces.w0.addresses[0]: 127.0.0.1/8 is a loopback address", ""},
		{ADDRESS("0.1.2.3/8"), ERR_USAGE,
			"interfaces.w0.addresses[0]: 0.1.2.3/8 means \"this network\" (RFC 1122 3.2.1.3)", ""},
		{ADDRESS("224.0.0.1/24"), ERR_USAGE, "interfaces.w0.addresses[0]: 224.0.0.1/24 is a multicast address", ""},
		{ADDRESS("240.0.0.1/24"), ERR_USAGE, "interfaces.w0.addresses[0]: 240.0.0.1/24 is reserved (RFC 1112 4)", ""},
		{ADDRESS("255.255.255.255/32"), ERR_USAGE,
			"interfaces.w0.addresses[0]: 255.255.255.255/32 is the broadcast address", ""},
		{ADDRESS("::/64"), ERR_USAGE, "interfaces.w0.addresses[0]: ::/64 is the unspecified address", ""},
		{ADDRESS("::1/128"), ERR_USAGE, "interfaces.w0.addresses[0]: ::1/128 is the loopback address", ""},
		{ADDRESS("ff02::1/64"), ERR_USAGE, "interfaces.w0.addresses[0]: ff02::1/64 is a multicast address", ""},
		{ADDRESS("::ffff:10.0.0.1/120"), ERR_USAGE,
			"interfaces.w0.addresses[0]: ::ffff:10.0.0.1/120 is an IPv4 address in IPv6 dress (RFC 4291 2.5.5.2)",
			""},
		{ADDRESS("2001:db8::/64"), ERR_USAGE,
			"interfaces.w0.addresses[0]: 2001:db8::/64 is the subnet-router anycast address (RFC 4291 2.6.1)", ""},
		{ADDRESS("10.0.0.1/24', '10.0.0.1/16"), ERR_EXISTS, "interfaces.w0.addresses[1]: 10.0.0.1/16 stands here twice",
			""},
		{PORT4(", 'ipv6': false, 'addresses': ['10.0.0.1/24', '2001:db8::1/64']"), ERR_USAGE,
			"interfaces.w0.addresses[1]: an IPv6 address, and \"ipv6\" is false", ""},
		{IFACES(V10 ", 'w0': {'port': 'p4', 'addresses': ['10.0.10.2/24']}"), ERR_EXISTS,
			"interfaces.w0.addresses[0]: its prefix overlaps with that of interface v10, 10.0.10.1/24", ""},
		{IFACES(V10 ", 'w0': {'port': 'p4', 'addresses': ['10.0.11.2/23']}"), ERR_EXISTS,
			"interfaces.w0.addresses[0]: its prefix overlaps with that of interface v10, 10.0.10.1/24", ""},
		{IFACES(V10 ", 'w0': {'port': 'p4', 'addresses': ['10.1.0.1/24', '2001:db8:10::5/127']}"), ERR_EXISTS,
			"interfaces.w0.addresses[1]: its prefix overlaps with that of interface v10, 2001:db8:10::1/64", ""},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

static void
test_refuses_advertisements(void **state)
{
	static const struct refusal refusals[] = {
		{PORT4(", 'router_advertisements': {}"), ERR_USAGE,
			"interfaces.w0.router_advertisements: interface w0 has no IPv6 prefix to advertise", "2001:db8:10::1/64"},
		{PORT4(", 'addresses': ['fe80::1/64'], 'router_advertisements': {}"), ERR_USAGE,
			"interfaces.w0.router_advertisements: interface w0 has no IPv6 prefix to advertise", ""},
		{RA("'enabled': 1"), ERR_USAGE, "interfaces.w0.router_advertisements.enabled: 1 is not true or false", ""},
		{RA("'interval_s': 3"), ERR_USAGE,
			"interfaces.w0.router_advertisements.interval_s: 3 is not a time in seconds (4 to 1800)", ""},
		{RA("'interval_s': 1801"), ERR_USAGE,
			"interfaces.w0.router_advertisements.interval_s: 1801 is not a time in seconds (4 to 1800)", ""},
		{RA("'lifetime_s': 9001"), ERR_USAGE,
			"interfaces.w0.router_advertisements.lifetime_s: 9001 is not a time in seconds (0 to 9000)", ""},
		{RA("'lifetime_s': 599"), ERR_USAGE,
			"interfaces.w0.router_advertisements.lifetime_s: 599 is less than interval_s, 600", "6.2.1"},
		{RA("'valid_s': 100, 'preferred_s': 101"), ERR_USAGE,
			"interfaces.w0.router_advertisements.preferred_s: 101 is more than valid_s, 100", ""},
		{RA("'interval': 5"), ERR_USAGE, "interfaces.w0.router_advertisements.interval: unknown key", "interval_s"},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

static void
test_refuses_routes(void **state)
{
	static const struct refusal refusals[] = {
		{TOP(", 'routes': {}"), ERR_USAGE, "routes: {} is not a list [...]", ""},
		{TOP(", 'routes': [7]"), ERR_USAGE, "routes[0]: 7 is not an object {...}", ""},
		{ROUTE(""), ERR_USAGE, "routes[0]: no \"to\"", "10.9.0.0/16"},
		{ROUTE("'to': '10.9.0.0/16', 'metric': 1"), ERR_USAGE, "routes[0].metric: unknown key",
			"to, via, interface, type"},
		{ROUTE("'to': '10.9.0.0/16'"), ERR_USAGE, "routes[0]: leads nowhere", "\"via\""},
		{ROUTE("'to': '10.9.0.0/33', 'via': '10.0.10.2'"), ERR_USAGE, "routes[0].to: \"10.9.0.0/33\" is not a prefix",
			""},
		{ROUTE("'to': '10.9.0.1/16', 'via': '10.0.10.2'"), ERR_USAGE,
			"routes[0].to: 10.9.0.1/16 has bits set behind its prefix", "10.9.0.0/16"},
		{ROUTE("'to': '2001:db8::1/64', 'via': '2001:db8:10::2'"), ERR_USAGE,
			"routes[0].to: 2001:db8::1/64 has bits set behind its prefix", "2001:db8::/64"},
		{ROUTE("'to': '224.0.0.0/4', 'via': '10.0.10.2'"), ERR_USAGE,
			"routes[0].to: 224.0.0.0/4: multicast addresses are not routed", ""},
		{ROUTE("'to': '127.0.0.0/8', 'type': 'blackhole'"), ERR_USAGE,
			"routes[0].to: 127.0.0.0/8: loopback addresses are not routed", ""},
		{ROUTE("'to': 'fe80::/64', 'type': 'blackhole'"), ERR_USAGE,
			"routes[0].to: fe80::/64: link-local addresses are not routed", ""},
		{ROUTE("'to': 'default', 'interface': 'v10'"), ERR_USAGE,
			"routes[0].to: \"default\" without \"via\": of which family?", "::/0"},
		{ROUTE("'to': '10.9.0.0/16', 'via': '10.0.10.2/24'"), ERR_USAGE,
			"routes[0].via: \"10.0.10.2/24\" is not a gateway's address", ""},
		{ROUTE("'to': '10.9.0.0/16', 'via': '10.0.11.2'"), ERR_USAGE,
			"routes[0].via: 10.0.11.2 lies in no interface's prefix", "neighbour"},
		{ROUTE("'to': '10.9.0.0/16', 'via': '10.0.10.1'"), ERR_USAGE, "routes[0].via: 10.0.10.1 is an address of our own",
			""},
		{ROUTE("'to': '10.9.0.0/16', 'via': '224.0.0.5'"), ERR_USAGE, "routes[0].via: 224.0.0.5 is a multicast address",
			""},
		{ROUTE("'to': '10.9.0.0/16', 'via': '2001:db8:10::2'"), ERR_USAGE,
			"routes[0].via: an IPv6 gateway for an IPv4 prefix", ""},
		{ROUTE("'to': '10.9.0.0/16', 'via': '10.0.10.2', 'interface': 'w0'"), ERR_USAGE,
			"routes[0].via: 10.0.10.2 is a neighbour on interface v10", ""},
		{ROUTE("'to': '2001:db8:9::/48', 'via': 'fe80::1'"), ERR_USAGE,
			"routes[0].via: fe80::1 is link-local: on which link?", "\"interface\""},
		{ROUTE("'to': '10.9.0.0/16', 'interface': 'v11'"), ERR_USAGE, "routes[0].interface: \"v11\" is not an interface",
			"interfaces"},
		{TOP(", 'interfaces': {'w0': {'port': 'p4'}}, 'routes': [{'to': '10.9.0.0/16', 'interface': 'w0'}]"), ERR_USAGE,
			"routes[0].interface: w0 has no IPv4 address to ask for neighbours with", ""},
		{ROUTE("'to': '10.0.10.0/24', 'type': 'blackhole'"), ERR_EXISTS,
			"routes[0].to: 10.0.10.0/24 is on interface v10 itself", ""},
		{ROUTE("'to': '10.9.0.0/16', 'type': 'black'"), ERR_USAGE,
			"routes[0].type: \"black\" is not \"unicast\" or \"blackhole\" or \"unreachable\" or \"prohibit\"", ""},
		{ROUTE("'to': '10.9.0.0/16', 'type': 'prohibit', 'via': '10.0.10.2'"), ERR_USAGE,
			"routes[0].via: \"type\": \"prohibit\" leads nowhere", ""},
		{ROUTES("{'to': '10.9.0.0/16', 'via': '10.0.10.2'}, {'to': '::/0', 'type': 'blackhole'},"
			" {'to': '10.9.0.0/16', 'type': 'blackhole'}"),
			ERR_EXISTS, "routes[2].to: the prefix is that of routes[0] already", ""},
		{ROUTES("{'to': '0.0.0.0/0', 'via': '10.0.10.2'}, {'to': 'default', 'via': '10.0.40.2'}"), ERR_EXISTS,
			"routes[1].to: the prefix is that of routes[0] already", ""},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

static void
test_refuses_limits(void **state)
{
	static const struct refusal refusals[] = {
		{TOP(", 'neighbors': {'reachable_ms': 999}"), ERR_USAGE,
			"neighbors.reachable_ms: 999 is not a time in milliseconds (1000 to 3600000)", ""},
		{TOP(", 'neighbors': {'hold': 65}"), ERR_USAGE, "neighbors.hold: 65 is not a number of packets (1 to 64)", ""},
		{TOP(", 'neighbors': {'hold_all': 2049}"), ERR_REFUSED,
			"neighbors.hold_all: 2049 is more than an eighth of the 16384 mbufs", "at most 2048"},
		{TOP(", 'neighbors': {'hold_al': 1}"), ERR_USAGE, "neighbors.hold_al: unknown key", "hold_all"},
		{TOP(", 'police': {'arp_pps': '5Gbit'}"), ERR_USAGE,
			"police.arp_pps: \"5Gbit\" is not a rate in packets a second", "10kpps"},
		{TOP(", 'police': {'arp_pps': 1000000001}"), ERR_USAGE,
			"police.arp_pps: 1000000001 is not a rate in packets a second", "up to 1G"},
		{"{'appliance': 'a', 'tables': {'routes': 15}}", ERR_USAGE,
			"tables.routes: 15 is not a number of routes (16 to 4194304)", ""},
		{"{'appliance': 'a', 'tables': {'neighbors': 15}}", ERR_USAGE,
			"tables.neighbors: 15 is not a number of entries (16 to 4194304)", ""},
	};
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

/* Routes that do not fit, with those that addresses bring. */
static void
test_refuses_many_routes(void **state)
{
	(void)state;
	static const char head[] = "{'appliance': 'a', 'tables': {'routes': 16}, 'ports': {'p': {'device': 'if:e'}},"
				   " 'interfaces': {'w': {'port': 'p', 'addresses': ['10.0.0.1/24']}}, 'routes': [";
	char text[2048];
	struct conf conf;
	struct err err;
	for (int n = 14; n <= 15; n++) {
		size_t at = (size_t)snprintf(text, sizeof(text), "%s", head);
		for (int i = 0; i < n; i++) {
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s{'to': '10.%d.0.0/16', 'via': '10.0.0.2'}",
				i ? ", " : "", i + 1);
		}
		snprintf(text + at, sizeof(text) - at, "]}");
		enum err_code code = parse(text, &conf, &err);
		assert_int_equal(code, n == 14 ? ERR_NONE : ERR_REFUSED);
		if (code) {
			assert_string_equal(
				err.message, "tables.routes: 16 are too few for 15 and those of the interfaces' addresses, 2");
		}
		conf_free(&conf);
	}
}

static void
test_takes_interfaces(void **state)
{
	(void)state;
	/* before what they refer to in the file */
	struct conf conf = good(
		"{'routes': [{'to': 'default', 'via': '10.0.10.254'}, {'to': '::/0', 'via': 'fe80::1', 'interface': 'w1'},"
		" {'to': '10.9.0.0/16', 'interface': 'v10'}, {'to': '192.0.2.0/24', 'type': 'blackhole'}, {'to': '192.0.3.1', 'type':"
		" 'prohibit'}], 'interfaces': {" V10
		", 'w0': {'port': 'p4', 'enabled': false, 'ipv6': false, 'mtu': 68, 'mac': '02-00-00-00-00-07', 'description': 'x'},"
		" 'w1': {'port': 'p4', 'vlan': 20, 'addresses': ['192.168.0.0/31', '2001:db8::1/127', 'fe80::7/64'],"
		" 'router_advertisements': {'interval_s': 4, 'lifetime_s': 0, 'managed': true, 'valid_s': 3600}}}, " PLACES "}");
	assert_int_equal(conf.nifaces, 3);
	const struct conf_iface *v10 = &conf.iface[0], *w0 = &conf.iface[1], *w1 = &conf.iface[2];
	assert_string_equal(v10->name, "v10");
	assert_int_equal(v10->bridge, 0);
	assert_int_equal(v10->port, CONF_NONE);
	assert_int_equal(v10->vid, 10);
	assert_true(v10->enabled && v10->ipv6 && !v10->ra.enabled);
	assert_true(v10->mac == 0 && v10->mtu == 0);
	assert_int_equal(v10->naddresses, 2);
	assert_int_equal(v10->address[0].family, SEG_IPV4);
	assert_int_equal(v10->address[0].address[0], 0);
	assert_int_equal(v10->address[0].address[1], 0x0a000a01);
	assert_int_equal(v10->address[0].length, 24);
	assert_int_equal(v10->address[1].family, SEG_IPV6);
	assert_true(v10->address[1].address[0] == 0x20010db800100000 && v10->address[1].address[1] == 1);
	assert_int_equal(w0->port, 2);
	assert_int_equal(w0->bridge, CONF_NONE);
	assert_true(w0->vid == 0 && !w0->enabled && !w0->ipv6 && w0->mtu == 68 && w0->mac == 0x020000000007);
	assert_int_equal(w1->vid, 20);
	assert_true(w1->ra.enabled && w1->ra.managed && !w1->ra.other && w1->ra.autonomous);
	assert_true(w1->ra.interval_s == 4 && w1->ra.lifetime_s == 0);
	assert_true(w1->ra.valid_s == 3600 && w1->ra.preferred_s == 3600);
	assert_int_equal(conf_find_iface(&conf, "w1"), 2);
	assert_int_equal(conf_find_iface(&conf, "w2"), -1);

	assert_int_equal(conf.nroutes, 5);
	assert_true(conf.route[0].kind == SEG_ROUTE_VIA && conf.route[0].family == SEG_IPV4 && conf.route[0].length == 0);
	assert_true(conf.route[0].iface == 0 && conf.route[0].via[1] == 0x0a000afe);
	assert_true(conf.route[1].kind == SEG_ROUTE_VIA && conf.route[1].family == SEG_IPV6 && conf.route[1].iface == 2);
	assert_true(conf.route[2].kind == SEG_ROUTE_LINK && conf.route[2].iface == 0 && conf.route[2].via[1] == 0);
	assert_true(conf.route[2].prefix[1] == 0x0a090000 && conf.route[2].length == 16);
	assert_true(conf.route[3].kind == SEG_ROUTE_BLACKHOLE && conf.route[3].iface == CONF_NONE);
	assert_true(conf.route[4].kind == SEG_ROUTE_PROHIBIT && conf.route[4].length == 32);
	conf_free(&conf);
}

static void
test_takes_limits(void **state)
{
	(void)state;
	struct conf conf = good("{'appliance': 'a'}");
	const struct conf_neighbors *nbr = &conf.nbr;
	assert_true(nbr->reachable_ms == 30000 && nbr->retrans_ms == 1000 && nbr->delay_ms == 5000 && nbr->stale_s == 1200);
	assert_true(nbr->solicitations == 3 && nbr->incomplete == 512 && nbr->solicit_pps == 1000);
	assert_true(nbr->hold == 4 && nbr->hold_all == 512);
	assert_true(conf.police.arp_pps == 4000 && conf.police.nd_pps == 4000 && conf.police.local_pps == 20000 &&
		    conf.police.icmp_pps == 1000);
	assert_int_equal(conf.routes, 4096);
	conf_free(&conf);
	conf = good("{'appliance': 'a', 'memory': {'mbufs': 1024}, 'neighbors': {'stale_s': 7}, 'police': {'nd_pps': '10kpps'}}");
	assert_int_equal(nbr->hold_all, 128);
	assert_int_equal(nbr->stale_s, 7);
	assert_int_equal(conf.police.nd_pps, 10000);
	conf_free(&conf);
}

static void
test_diff(void **state)
{
	(void)state;
	check_diff(IFACES(V10 ", " W0), IFACES(W0 ", " V10), "");
	check_diff(PORT4(""), PORT4(", 'enabled': true, 'ipv6': true, 'description': '', 'addresses': []"), "");
	/* each link has its own */
	check_diff(
		IFACES("'a': {'port': 'p4', 'addresses': ['fe80::1/64']}, 'b': {'port': 'p4', 'vlan': 7, 'addresses': ['fe80::1/64']}"),
		IFACES("'b': {'vlan': 7, 'port': 'p4', 'addresses': ['fe80::1/64']}, 'a': {'port': 'p4', 'addresses': ['fe80::1/64']}"),
		"");
	check_diff(IFACES(""), IFACES(V10),
		"interfaces.v10:  -> {'bridge': 'br0', 'vlan': 10, 'addresses': ['10.0.10.1/24', '2001:db8:10::1/64']} (live)");
	check_diff(RA("'interval_s': 60"), IFACES(""),
		"interfaces.w0: {'port': 'p4', 'addresses': ['2001:db8::1/64'], 'router_advertisements': {'enabled': true,"
		" 'interval_s': 60, 'lifetime_s': 1800, 'managed': false, 'other': false, 'autonomous': true, 'valid_s': 2592000,"
		" 'preferred_s': 604800}} ->  (live)");
	check_diff(PORT4(""),
		IFACES("'w0': {'bridge': 'br0', 'vlan': 10, 'mac': '02:00:00:00:00:07', 'mtu': 1400, 'enabled': false}"),
		"interfaces.w0.bridge:  -> 'br0' (live)\ninterfaces.w0.port: 'p4' ->  (live)\ninterfaces.w0.vlan:  -> 10 (live)\n"
		"interfaces.w0.mac:  -> '02:00:00:00:00:07' (live)\ninterfaces.w0.mtu:  -> 1400 (live)\n"
		"interfaces.w0.enabled: true -> false (live)");
	check_diff(ADDRESS("2001:db8::1/64"), RA("'other': true"),
		"interfaces.w0.router_advertisements.enabled: false -> true (live)\n"
		"interfaces.w0.router_advertisements.other: false -> true (live)");
	check_diff(ROUTES("{'to': '10.9.0.0/16', 'via': '10.0.10.2'}, {'to': '::/0', 'via': '2001:db8:10::9'}"),
		ROUTES("{'to': 'default', 'via': '2001:db8:10::9', 'interface': 'v10'}, {'to': '10.9.0.0/16', 'via': '10.0.10.2'}"),
		"");
	check_diff(ROUTES("{'to': '10.9.0.0/16', 'via': '10.0.10.2'}, {'to': '10.7.0.0/16', 'interface': 'v10'}"),
		ROUTES("{'to': '10.8.0.0/16', 'type': 'unreachable'}, {'to': '10.9.0.0/16', 'via': '10.0.40.2'}"),
		"routes[10.7.0.0/16]: {'to': '10.7.0.0/16', 'interface': 'v10'} ->  (live)\n"
		"routes[10.8.0.0/16]:  -> {'to': '10.8.0.0/16', 'type': 'unreachable'} (live)\n"
		"routes[10.9.0.0/16]: {'to': '10.9.0.0/16', 'via': '10.0.10.2'} -> {'to': '10.9.0.0/16', 'via': '10.0.40.2'} (live)");
	check_diff("{'appliance': 'a'}",
		"{'appliance': 'a', 'neighbors': {'hold': 5}, 'police': {'arp_pps': 0}, 'tables': {'routes': 99, 'neighbors': 99}}",
		"tables.neighbors: 4096 -> 99 (restart)\ntables.routes: 4096 -> 99 (restart)\nneighbors.hold: 4 -> 5 (live)\n"
		"police.arp_pps: 4000 -> 0 (live)");
}

/* The text that a configuration keeps is the configuration. */
static void
test_round_trip(void **state)
{
	(void)state;
	static const char *const texts[] = {IFACES(V10 ", " W0), RA("'interval_s': 60"),
		ROUTES("{'to': 'default', 'via': '10.0.10.2'}, {'to': '10.8.0.0/16', 'type': 'unreachable'}"),
		"{'appliance': 'a', 'neighbors': {'hold': 5}, 'police': {'arp_pps': '2k'}}"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct conf conf = good(texts[i]);
		check_diff(texts[i], conf.text, "");
		struct conf again = good(conf.text);
		assert_string_equal(conf.text, again.text);
		conf_free(&again);
		conf_free(&conf);
	}
	/* an interface goes by a patch, with a list of routes that does not need it */
	char *text = json(ROUTES("{'to': '10.9.0.0/16', 'via': '10.0.40.2'}")), *merged;
	char *patch = json("{'interfaces': {'w0': null}, 'routes': []}");
	struct err err;
	assert_int_equal(conf_patch(text, patch, strlen(patch), &merged, &err), ERR_NONE);
	check_diff(text, merged,
		"interfaces.w0: {'port': 'p4', 'addresses': ['10.0.40.1/24']} ->  (live)\n"
		"routes[10.9.0.0/16]: {'to': '10.9.0.0/16', 'via': '10.0.40.2'} ->  (live)");
	free(text);
	free(patch);
	free(merged);
}

static uint64_t
bytes_of(const struct conf *conf, const char *what)
{
	struct conf_memory_item items[16];
	size_t n = conf_memory(conf, items, 16);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(items[i].what, what) == 0) {
			return items[i].bytes;
		}
	}
	return 0;
}

static void
test_memory(void **state)
{
	(void)state;
	struct conf conf = good(TOP(""));
	assert_int_equal(bytes_of(&conf, "compiled routes"), 0);
	assert_int_equal(bytes_of(&conf, "neighbour timers and queues"), 2 * conf_nbr_slots(4096) * 32);
	conf_free(&conf);
	conf = good(IFACES(V10));
	uint64_t small = bytes_of(&conf, "compiled routes");
	/* of each family two copies with 2^24 entries of two bytes */
	assert_true(small > 4ull << 25 && small < 6ull << 25);
	assert_int_equal(small, conf_fib_bytes(&conf));
	conf.routes = 1000000;
	/* four bytes an entry, and the tree */
	assert_true(bytes_of(&conf, "compiled routes") > small + 2 * (1000000ull * 384 + (1u << 25)));
	conf_free(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses_places),
		cmocka_unit_test(test_refuses_addresses),
		cmocka_unit_test(test_refuses_advertisements),
		cmocka_unit_test(test_refuses_routes),
		cmocka_unit_test(test_refuses_limits),
		cmocka_unit_test(test_refuses_many_routes),
		cmocka_unit_test(test_takes_interfaces),
		cmocka_unit_test(test_takes_limits),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
