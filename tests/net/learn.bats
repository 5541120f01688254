#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# What the bridge learns: moves, ageing, limits against floods, storms, entries given by hand.

load lib

ALL=ff:ff:ff:ff:ff:ff

setup()
{
	net_setup
}

teardown()
{
	net_teardown
}

# three TABLES PORT3: three hosts in one VLAN on a three-core engine; JSON of "tables", and members added to p3's port and membership.
three()
{
	host h1 10.3.0.1/24
	host h2 10.3.0.2/24
	host h3 10.3.0.3/24
	engine x <<-END
	{ "cores": { "data": 3 }, "tables": $1,
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "p3": { "device": "if:h3"${2:+, $2} } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 }, "p3": { "untagged": 10${3:+, $3} } } } } }
	END
}

count()
{
	brtable stats -a "$T-x" -j | jq -e "$1"
}

@test "a host moved to another port is found there by all cores, without losing its peer" {
	three '{}'
	pings h2 10.3.0.1
	at_port x "$(mac_of h1)" 10 p1
	# The same machine, now at the third port.
	local mac
	mac=$(mac_of h1)
	ip -n "$T-h1" link set e0 down
	ip -n "$T-h3" addr flush dev e0
	ip -n "$T-h3" link set e0 address "$mac"
	ip -n "$T-h3" addr add 10.3.0.1/24 dev e0
	pings h3 10.3.0.2
	await 3 at_port x "$mac" 10 p3
	pings h2 10.3.0.1
	await 3 coherent x
	same "cores that hold it" "$(fdb x ".[] | select(.mac == \"$mac\") | .cores")" '[1,2,3]'
}

@test "an address that jumps is followed, but not on every frame" {
	three '{}'
	local mac=0a:00:00:00:00:55 i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		send h1 e0 "$(eth $ALL $mac 88b5 01)"
		send h3 e0 "$(eth $ALL $mac 88b5 02)"
	done
	send h3 e0 -n 20 -i 0.02 "$(eth $ALL $mac 88b5 03)"
	await 3 at_port x $mac 10 p3
	await 3 coherent x
}

@test "silent addresses age on all cores; one that talks stays" {
	three '{ "ageing_s": 2 }'
	pings h1 10.3.0.2
	pings h3 10.3.0.2
	spawn talk h1 ping -q -i 0.2 10.3.0.2
	ip -n "$T-h3" link set e0 arp off
	await 10 gone "$(mac_of h3)"
	at_port x "$(mac_of h1)" 10 p1
	at_port x "$(mac_of h2)" 10 p2
	await 3 coherent x
}

gone()
{
	! fdb_port x "$1" 10
}

@test "a flood of addresses at one port pushes out nobody at another" {
	three '{ "fdb": 512 }'
	pings h1 10.3.0.2
	in_ns h3 python3 -B "$FRAME" macs e0 -n 6000 -r 6000
	await 5 coherent x
	at_port x "$(mac_of h1)" 10 p1
	at_port x "$(mac_of h2)" 10 p2
	local n
	n=$(fdb x length)
	[ "$n" -le 600 ] || fail "$n entries in a table of 512"
	[ "$n" -ge 256 ] || fail "only $n entries: the flood was not learned at all"
	pings h1 10.3.0.2
}

@test "a port's own limit of addresses holds" {
	three '{ "fdb": 4096 }' '' '"mac_limit": 50'
	pings h1 10.3.0.2
	in_ns h3 python3 -B "$FRAME" macs e0 -n 1000 -r 4000
	await 5 coherent x
	local n
	n=$(fdb x '[.[] | select(.port == "p3")] | length')
	[ "$n" -le 55 ] || fail "$n entries at p3, whose limit is 50"
	[ "$n" -ge 40 ] || fail "only $n entries at p3, whose limit is 50"
	at_port x "$(mac_of h1)" 10 p1
}

@test "a broadcast storm is cut to the port's limit, known unicast is not" {
	three '{}' '"storm": { "rate_pps": 100 }'
	pings h3 10.3.0.1
	counting flood h1 e0 0a:00:00:00:00:01 2000
	stream storm h3 e0 $ALL 0a:00:00:00:00:01 2000 1000
	finished storm
	finished flood
	# Two seconds of 100 a second and a burst of at most one more second's.
	local n
	n=$(tail -1 "$W/flood.out" | jq .received)
	[ "$n" -ge 50 ] && [ "$n" -le 600 ] || fail "$n of 2000 came through a limit of 100 a second"
	dropped x storm_bcast
	counting known h1 e0 "$(mac_of h3)" 2000
	stream talk h3 e0 "$(mac_of h1)" "$(mac_of h3)" 2000 2000
	lossless known
	pings h2 10.3.0.1
}

@test "static entries neither move nor age; sticky ones do not move" {
	three '{ "ageing_s": 2 }'
	brtable add -a "$T-x" 0a:00:00:00:00:01 vlan 10 port p1
	brtable add -a "$T-x" 0a:00:00:00:00:02 vlan 10 port p1 type sticky
	send h3 e0 "$(eth $ALL 0a:00:00:00:00:01 88b5 01)" "$(eth $ALL 0a:00:00:00:00:02 88b5 01)"
	await 3 count '[.. | .pinned? // empty] | add >= 2'
	at_port x 0a:00:00:00:00:01 10 p1
	at_port x 0a:00:00:00:00:02 10 p1
	await 10 gone 0a:00:00:00:00:02
	at_port x 0a:00:00:00:00:01 10 p1
	await 3 coherent x
}

# A host may say something between the flush and the look: then it takes another flush.
flush_leaves_given()
{
	brtable flush -a "$T-x" --yes
	[ "$(fdb x '[.[].mac]')" = '["0a:00:00:00:00:01"]' ]
}

@test "flush takes what was learned on all cores and leaves what was given" {
	three '{}'
	pings h1 10.3.0.2
	brtable add -a "$T-x" 0a:00:00:00:00:01 vlan 10 port p1
	await 5 flush_leaves_given
	# sticky ones age, so they go with the dynamic, however the flush is asked for
	local what
	for what in "mac 0a:00:00:00:00:02" "port p1"; do
		brtable add -a "$T-x" 0a:00:00:00:00:02 vlan 10 port p1 type sticky
		# shellcheck disable=SC2086  # two words
		brtable flush -a "$T-x" $what
		same "given entries after flush $what" "$(fdb x '[.[].mac | select(startswith("0a:"))]')" '["0a:00:00:00:00:01"]'
	done
	await 3 coherent x
	pings h1 10.3.0.2
}
