#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Open vSwitch as the neighbour on a VLAN trunk.

load lib

setup()
{
	net_setup
	# h1 and h2 at our access ports, h3 and h4 at those of the switch, a trunk between us; VLANs 10 and 20 use the same addresses.
	host h1 10.2.0.1/24 fd02::1/64
	host h2 10.2.0.1/24 fd02::1/64
	ns_new sw
	local n
	for n in 3 4; do
		ns_new h$n
		link h$n e0 sw p$n
		ip -n "$T-h$n" addr add 10.2.0.2/24 dev e0
		ip -n "$T-h$n" addr add fd02::2/64 dev e0 nodad
	done
	link e trunk sw trunk
	ovs_start sw
	ovs sw add-port br0 p3 tag=10 -- add-port br0 p4 tag=20 -- add-port br0 trunk trunks=10,20
	engine x <<-'END'
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "up": { "device": "if:trunk" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 }, "up": { "tagged": [10, 20] } } } } }
	END
}

teardown()
{
	net_teardown
}

@test "both VLANs reach their half behind the other switch, and only theirs" {
	capture wire sw trunk
	pings h1 10.2.0.2
	pings h1 fd02::2
	pings h2 10.2.0.2
	pings h4 fd02::1
	# The same IP address lives in both VLANs: who answered h1 is h3, never h4.
	same "neighbour of h1" "$(in_ns h1 ip -j neigh show 10.2.0.2 | jq -r '.[0].lladdr')" "$(mac_of h3)"
	same "neighbour of h2" "$(in_ns h2 ip -j neigh show 10.2.0.2 | jq -r '.[0].lladdr')" "$(mac_of h4)"
	at_port x "$(mac_of h3)" 10 up
	at_port x "$(mac_of h4)" 20 up
	captured wire 8
	same "untagged frames that we sent on the trunk" "$(decoded wire -Y 'not vlan' | wc -l)" 0
	same "VLANs seen on the trunk" "$(decoded wire -T fields -e vlan.id | sort -nu | tr '\n' ' ')" "10 20 "
	# The switch has learned our hosts in their VLANs, too.
	ovs_ctl sw fdb/show br0 | grep -Eq " 10 +$(mac_of h1)"
	ovs_ctl sw fdb/show br0 | grep -Eq " 20 +$(mac_of h2)"
	await 3 coherent x
}

@test "TCP over the trunk, both ways" {
	spawn server h3 iperf3 -s -1
	await 5 in_ns h3 sh -c 'ss -Hltn sport = :5201 | grep -q .'
	in_ns h1 iperf3 -c 10.2.0.2 -t 1 -J > "$W/iperf.json"
	jq -e '.end.sum_received.bytes > 100000' "$W/iperf.json"
	spawn again h3 iperf3 -s -1
	await 5 in_ns h3 sh -c 'ss -Hltn sport = :5201 | grep -q .'
	in_ns h1 iperf3 -c 10.2.0.2 -t 1 -R -J > "$W/iperf.json"
	jq -e '.end.sum_received.bytes > 100000' "$W/iperf.json"
}

@test "a VLAN taken off the trunk is cut, the other one goes on; put back, both work" {
	pings h1 10.2.0.2
	pings h2 10.2.0.2
	patch x <<< '{"bridges": {"br0": {"ports": {"up": {"tagged": [10]}}}}}'
	pings h1 10.2.0.2
	silent h2 10.2.0.2
	patch x <<< '{"bridges": {"br0": {"ports": {"up": {"tagged": [10, 20]}}}}}'
	pings h2 10.2.0.2
}
