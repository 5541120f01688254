#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# VLANs: kernel hosts at access ports, and tags on the wire with tshark as their judge.

load lib

setup()
{
	net_setup
}

teardown()
{
	net_teardown
}

@test "hosts of one VLAN reach each other over IPv4 and IPv6, and no host of another VLAN" {
	host a1 10.1.0.1/24 fd01::1/64
	host a2 10.1.0.2/24 fd01::2/64
	host b1 10.1.0.3/24 fd01::3/64
	engine x <<-'END'
	{ "cores": { "data": 3 },
	  "ports": { "p1": { "device": "if:a1" }, "p2": { "device": "if:a2" }, "p3": { "device": "if:b1" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 }, "p3": { "untagged": 20 } } } } }
	END
	pings a1 10.1.0.2
	pings a2 fd01::1
	silent a1 10.1.0.3
	silent b1 fd01::2

	at_port x "$(mac_of a1)" 10 p1
	at_port x "$(mac_of a2)" 10 p2
	at_port x "$(mac_of b1)" 20 p3
	# Every core holds every entry, and they say so themselves.
	await 3 coherent x
	same "cores of each entry" "$(fdb x '[.[].cores] | unique')" '[[1,2,3]]'

	spawn server a2 iperf3 -s -1
	await 5 in_ns a2 sh -c 'ss -Hltn sport = :5201 | grep -q .'
	in_ns a1 iperf3 -c 10.1.0.2 -t 1 -J > "$W/iperf.json"
	jq -e '.end.sum_received.bytes > 1000000' "$W/iperf.json"
}

# t1 is a trunk of 10 and 20, a1 access 10, a2 access 10, b1 access 20, h1 untagged 10 and tagged 20; without addresses, so that only
# this test's frames are on the wires.
tag_rig()
{
	local name
	for name in t1 a1 a2 b1 h1; do
		host "$name"
		in_ns "$name" sysctl -qw net.ipv6.conf.e0.disable_ipv6=1
	done
	engine x <<-'END'
	{ "ports": { "pt": { "device": "if:t1" }, "pa": { "device": "if:a1" }, "pa2": { "device": "if:a2" }, "pb": { "device": "if:b1" },
	    "ph": { "device": "if:h1" } },
	  "bridges": { "br0": { "ports": { "pt": { "tagged": [10, 20] }, "pa": { "untagged": 10 }, "pa2": { "untagged": 10 },
	    "pb": { "untagged": 20 }, "ph": { "untagged": 10, "tagged": [20] } } } } }
	END
	ALL=ff:ff:ff:ff:ff:ff ME=06:00:00:00:00:01
	for name in t1 a1 a2 b1 h1; do
		capture "$name" "$name" e0
	done
}

# tags NAME: of each frame that host got, the EtherType after the addresses, VLAN ids and priorities, as tshark sees them.
tags()
{
	decoded "$1" -T fields -E separator=, -e eth.type -e vlan.id -e vlan.priority -e ieee8021ad.id -e data.data
}

settle()
{
	captured a2 "$1"
	captured t1 0
	captured a1 0
	captured b1 0
	captured h1 0
}

@test "a tag is added on the way to a trunk and nowhere else" {
	tag_rig
	send a1 e0 "$(eth $ALL $ME 88b5 c0ffee)"
	settle 1
	[[ $(tags t1) == 0x8100,10,0,,c0ffee* ]]
	[[ $(tags a2) == 0x88b5,,,,c0ffee* ]]
	[[ $(tags h1) == 0x88b5,,,,c0ffee* ]]
	same "frames at b1" "$(tags b1)" ""
	same "frames back at a1" "$(tags a1)" ""
}

@test "a tag is taken off on the way to an access port, and kept where the VLAN is tagged" {
	tag_rig
	send t1 e0 "$(eth $ALL $ME vlan:20 88b5 beef)" "$(eth $ALL $ME vlan:10 88b5 cafe)"
	settle 1
	[[ $(tags b1) == 0x88b5,,,,beef* ]]
	[[ $(tags a1) == 0x88b5,,,,cafe* ]]
	[[ $(tags a2) == 0x88b5,,,,cafe* ]]
	[[ $(tags h1 | sed -n 1p) == 0x8100,20,0,,beef* ]]
	[[ $(tags h1 | sed -n 2p) == 0x88b5,,,,cafe* ]]
	same "frames back at t1" "$(tags t1)" ""
}

@test "a priority tag is no VLAN: such a frame is in the access VLAN, untagged at its access ports" {
	tag_rig
	send a1 e0 "$(eth $ALL $ME vlan:$((5 << 13)) 88b5 abba)"
	settle 1
	[[ $(tags a2) == 0x88b5,,,,abba* ]]
	[[ $(tags t1) == 0x8100,10,* ]]
	same "frames at b1" "$(tags b1)" ""
}

@test "an 802.1ad tag is payload: carried as it is, under the access VLAN's tag on a trunk" {
	tag_rig
	send a1 e0 "$(eth $ALL $ME qinq:20 vlan:30 88b5 dada)"
	settle 1
	[[ $(tags a2) == 0x88a8,*20,*dada* ]]
	same "the outer tag on the trunk" "$(decoded t1 -T fields -e frame.len -Y 'eth.type == 0x8100 and vlan.id == 10' | wc -l)" 1
	[[ $(decoded t1 -x | tr -d ' \n') == *8100000a* ]]
	same "frames at b1" "$(tags b1)" ""
}

@test "the priority of a tag survives from trunk to trunk VLAN" {
	tag_rig
	send t1 e0 "$(eth $ALL $ME vlan:$((6 << 13 | 20)) 88b5 f00d)" "$(eth $ALL $ME vlan:10 88b5 cafe)"
	settle 1
	[[ $(tags h1 | sed -n 1p) == 0x8100,20,6,,f00d* ]]
}

@test "frames of a VLAN that the port is not in are dropped, and the reason counted" {
	tag_rig
	send t1 e0 "$(eth $ALL $ME vlan:30 88b5 01)" "$(eth $ALL $ME 88b5 02)"
	send a1 e0 "$(eth $ALL $ME vlan:20 88b5 03)" "$(eth 01:80:c2:00:00:0e $ME 88b5 04)" "$(eth $ALL 07:00:00:00:00:01 88b5 05)"
	await 3 dropped x vlan_refused
	await 3 dropped x untagged_refused
	await 3 dropped x reserved_mac
	await 3 dropped x source_group
	same "of a VLAN the port is not in" "$(drops x vlan_refused)" 2
	send a1 e0 "$(eth $ALL $ME 88b5 c0ffee)"
	settle 1
	same "frames at a2" "$(tags a2 | wc -l)" 1
	same "frames at b1" "$(tags b1)" ""
}

@test "frames of every size from the smallest to the port's MTU pass unchanged" {
	host a1 10.1.0.1/24
	host a2 10.1.0.2/24
	engine x <<-'END'
	{ "ports": { "p1": { "device": "if:a1" }, "p2": { "device": "if:a2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
	local size
	for size in 0 1 17 18 64 999 1471 1472; do
		pings a1 10.1.0.2 -s "$size" -M do
	done
}

are_dropped()
{
	[ "$(drops "$1" "$2")" = "$3" ]
}

# pcap NAME HEX...: a file of frames.
pcap()
{
	local file=$1 hex
	shift
	for hex; do
		# shellcheck disable=SC2001 # a group of every two digits is no plain replacement
		echo "000000 $(sed 's/../& /g' <<< "$hex")"
	done | text2pcap -q - "$W/$file"
}

@test "a frame that ends within its tag is a runt, not a shorter frame of whatever lay behind it" {
	host a1
	in_ns a1 sysctl -qw net.ipv6.conf.e0.disable_ipv6=1
	# The whole one first: its tag is what lies in the buffers.
	pcap in.pcap "$(eth ff:ff:ff:ff:ff:ff 06:00:00:00:00:01 vlan:10 88b5 "$(printf '%080d' 0)")" \
		ffffffffffff0600000000028100 ffffffffffff0600000000038100000a ffffffffffff060000000004 ffffffffffff0600000000058100000a88
	engine x <<-END
	{ "ports": { "p1": { "device": "vdev:net_pcap3,rx_pcap=$W/in.pcap" }, "p2": { "device": "if:a1" } },
	  "bridges": { "br0": { "ports": { "p1": { "tagged": [10] }, "p2": { "untagged": 10 } } } } }
	END
	await 5 at_port x 06:00:00:00:00:01 10 p1
	await 5 are_dropped x rx_runt 4
	same "addresses that were learned" "$(fdb x '[.[].mac]')" '["06:00:00:00:00:01"]'
	same "frames that the device refused" "$(drops x tx_full)" 0
}
