#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Interfaces come, change and go while the engine runs.

load lib

setup()
{
	net_setup
	host h1 10.5.0.1/24 10.6.0.1/24 2001:db8:5::1/64
	host h2 10.5.0.2/24
	host h4 10.7.0.4/24
	engine x <<-'END'
	{ "cores": { "data": 3 }, "tables": { "neighbors": 64, "routes": 64 },
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "p4": { "device": "if:h4" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
	pings h1 10.5.0.2
}

teardown()
{
	net_teardown
}

# neighbors FAMILY: "ADDRESS INTERFACE" of all that have a MAC, sorted, on one line.
neighbors()
{
	local tool=arpmgr
	[ "$1" = 6 ] && tool=ndmgr
	"$tool" show -a "$T-x" -j | jq -r '[.[] | select(.mac) | "\(.address) \(.interface)"] | sort | join(", ")'
}

knows()
{
	same neighbours "$(neighbors "$1")" "$2"
}

@test "an engine that only bridged gets interfaces, and loses them again, with no frame lost" {
	counting n h2 e0 "$(mac_of h1)" 16000
	stream s h1 e0 "$(mac_of h2)" "$(mac_of h1)" 16000 2000
	silent h1 10.5.0.254
	patch x <<< '{"interfaces": {"v10": {"bridge": "br0", "vlan": 10, "addresses": ["10.5.0.254/24", "2001:db8:5::fe/64"]}}}'
	pings h1 10.5.0.254
	await 5 pings h1 2001:db8:5::fe
	patch x <<< '{"interfaces": {"w0": {"port": "p4", "addresses": ["10.7.0.254/24"]}}}'
	pings h4 10.7.0.254
	patch x <<< '{"interfaces": {"v10": null, "w0": null}}'
	silent h1 10.5.0.254
	silent h4 10.7.0.254
	lossless n
	pings h1 10.5.0.2
	await 3 coherent x
}

@test "neighbours go with the address whose prefix they are in, and no others" {
	patch x <<< '{"interfaces": {"v10": {"bridge": "br0", "vlan": 10, "addresses": ["10.5.0.254/24", "10.6.0.254/24"]}}}'
	pings h1 10.5.0.254 -I 10.5.0.1
	pings h1 10.6.0.254 -I 10.6.0.1
	arpmgr -a "$T-x" add 10.5.0.77 lladdr 02:00:00:00:77:01 dev v10
	arpmgr -a "$T-x" add 10.6.0.77 lladdr 02:00:00:00:77:02 dev v10
	await 5 knows 4 "10.5.0.1 v10, 10.5.0.77 v10, 10.6.0.1 v10, 10.6.0.77 v10"
	patch x <<< '{"interfaces": {"v10": {"addresses": ["10.5.0.254/24"]}}}'
	await 5 knows 4 "10.5.0.1 v10, 10.5.0.77 v10"
	# A part of the prefix is left: what was learned is asked for anew, what the operator gave stays.
	patch x <<< '{"interfaces": {"v10": {"addresses": ["10.5.0.126/25"]}}}'
	await 5 knows 4 "10.5.0.77 v10"
	patch x <<< '{"interfaces": {"v10": null}}'
	await 5 knows 4 ""
}

@test "a number that comes to another interface brings no neighbours along" {
	local i
	for i in 1 2 3; do
		patch x <<< '{"interfaces": {"old": {"port": "p4", "addresses": ["10.7.0.254/24"]}}}'
		pings h4 10.7.0.254
		await 5 knows 4 "10.7.0.4 old"
		patch x <<< '{"interfaces": {"old": null}}'
		patch x <<< '{"interfaces": {"new": {"bridge": "br0", "vlan": 10, "addresses": ["10.7.0.254/24"]}}}'
		knows 4 ""
		patch x <<< '{"interfaces": {"new": null}}'
	done
	await 5 arpmgr verify -a "$T-x"
}

@test "an interface moves from a port to a VLAN, tagged and untagged" {
	# h4 reaches p5 by a cable from a port of a bridge with tags.
	link e t1 e t2
	patch x <<-'END'
	{ "ports": { "t1": { "device": "if:t1" }, "p5": { "device": "if:t2" } },
	  "bridges": { "br1": { "ports": { "p4": { "untagged": 30 }, "t1": { "tagged": [30] } } } },
	  "interfaces": { "w": { "port": "p5", "vlan": 30, "addresses": ["10.7.0.254/24"] } } }
	END
	pings h4 10.7.0.254
	# What is not bridged is in no table; its VLAN is no bridge's.
	brtable verify -a "$T-x"
	same "entries that are of no bridge" "$(fdb x 'map(select(.bridge == null)) | length')" 0
	patch x <<< '{"interfaces": {"w": {"vlan": 31}}}'
	run brtable -a "$T-x" flush vlan 31
	[ "$status" = 3 ]
	patch x <<< '{"interfaces": {"w": {"vlan": null}}}'
	silent h4 10.7.0.254
	patch x <<< '{"bridges": {"br1": {"ports": {"t1": {"tagged": null, "untagged": 30}}}}}'
	pings h4 10.7.0.254
	patch x <<< '{"interfaces": {"w": {"port": null, "bridge": "br0", "vlan": 10, "addresses": ["10.5.0.254/24"]}}}'
	pings h1 10.5.0.254
	silent h4 10.7.0.254
	await 5 knows 4 "10.5.0.1 w"
}

@test "a disabled interface says nothing, its MAC stays when ports change places, a new MAC is announced" {
	local mac
	patch x <<< '{"interfaces": {"v10": {"bridge": "br0", "vlan": 10, "addresses": ["10.5.0.254/24"], "enabled": false}}}'
	silent h1 10.5.0.254
	patch x <<< '{"interfaces": {"v10": {"enabled": true}}}'
	pings h1 10.5.0.254
	mac=$(ip -j -n "$T-h1" neigh show 10.5.0.254 | jq -r '.[0].lladdr')
	same "the MAC of v10" "$mac" "$(in_ns e cat /sys/class/net/h1/address)"
	patch x <<< '{"bridges": {"br0": {"ports": {"p1": {"untagged": 11, "tagged": [10]}}}}}'
	ip -n "$T-h2" neigh flush all
	pings h2 10.5.0.254
	same "the MAC of v10" "$(ip -j -n "$T-h2" neigh show 10.5.0.254 | jq -r '.[0].lladdr')" "$mac"
	patch x <<< '{"interfaces": {"v10": {"mac": "02:00:00:00:99:01"}}}'
	await 5 pings h2 10.5.0.254
	same "the MAC of v10" "$(ip -j -n "$T-h2" neigh show 10.5.0.254 | jq -r '.[0].lladdr')" 02:00:00:00:99:01
}

@test "what cannot be is refused, and all stays as it was" {
	patch x <<< '{"interfaces": {"v10": {"bridge": "br0", "vlan": 10, "addresses": ["10.5.0.254/24"]}}}'
	run patch x <<< '{"interfaces": {"v11": {"bridge": "br0", "vlan": 10}}}'
	[ "$status" = 4 ]
	[[ "$output" == *"interfaces.v11: interface v10 is there already"* ]]
	run patch x <<< '{"routes": [{"to": "default", "via": "10.9.0.1"}]}'
	[ "$status" = 2 ]
	[[ "$output" == *"routes[0].via: 10.9.0.1 lies in no interface's prefix"* ]]
	run patch x <<< '{"tables": {"routes": 128}}'
	[ "$status" = 5 ]
	run patch x <<< '{"bridges": {"br0": {"ports": {"p1": null, "p2": null}}}}'
	[ "$status" = 2 ]
	[[ "$output" == *"interfaces.v10.vlan: bridge br0 has no port in VLAN 10"* ]]
	pings h1 10.5.0.254
}
