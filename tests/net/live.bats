#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Changes of a running engine: what is not changed loses no packet.

load lib

setup()
{
	net_setup
	host h1 10.5.0.1/24
	host h2 10.5.0.2/24
	host h3 10.5.0.3/24
	host h4 10.5.0.4/24
	engine x <<-'END'
	{ "cores": { "data": 3 },
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
	pings h1 10.5.0.2
}

teardown()
{
	net_teardown
}

# begin COUNT: numbered frames from h1 to h2 at 2000 a second, and a ping that has 100 a second.
begin()
{
	counting n h2 e0 "$(mac_of h1)" "$1"
	stream s h1 e0 "$(mac_of h2)" "$(mac_of h1)" "$1" 2000
	spawn ping h1 ping -n -q -i 0.01 -c "$(($1 / 20))" -W 2 10.5.0.2
}

ended()
{
	lossless n
	finished ping 60
	cat "$W/ping.out"
	grep -q ' 0% packet loss' "$W/ping.out"
	await 3 coherent x
}

generation()
{
	pe status -a "$T-x" -j | jq .generation
}

@test "ports, bridges and VLANs come and go while others lose nothing" {
	begin 16000
	patch x <<< '{"ports": {"p3": {"device": "if:h3"}, "p4": {"device": "if:h4"}}}'
	patch x <<< '{"bridges": {"br1": {"ports": {"p3": {"untagged": 10}, "p4": {"untagged": 10}}}}}'
	pings h3 10.5.0.4
	silent h3 10.5.0.1
	patch x <<< '{"bridges": {"br1": {"ports": {"p3": {"untagged": 20, "tagged": [30, 31]}, "p4": {"untagged": 20, "tagged": [30]}}}}}'
	pings h3 10.5.0.4
	# p3 goes over to the bridge of h1 and h2.
	patch x <<< '{"bridges": {"br1": null, "br0": {"ports": {"p3": {"untagged": 10}}}}}'
	pings h3 10.5.0.1
	silent h4 10.5.0.1
	patch x <<< '{"bridges": {"br0": {"ports": {"p3": null, "p1": {"tagged": [40]}}}}, "ports": {"p3": null, "p4": null}}'
	patch x <<< '{"bridges": {"br0": {"ports": {"p1": {"tagged": null}}}}}'
	ended
	same "interfaces given back" "$(in_ns e cat /proc/sys/net/ipv6/conf/h3/disable_ipv6)" 0
}

@test "limits, descriptions, ageing and a port switched off and on, while others lose nothing" {
	patch x <<< '{"ports": {"p3": {"device": "if:h3"}}, "bridges": {"br0": {"ports": {"p3": {"untagged": 10}}}}}'
	pings h3 10.5.0.1
	begin 10000
	patch x <<< '{"ports": {"p3": {"enabled": false}}}'
	silent h3 10.5.0.1
	patch x <<< '{"ports": {"p3": {"enabled": true, "description": "third"}}}'
	await 5 pings h3 10.5.0.1
	patch x <<< '{"ports": {"p3": {"storm": {"rate_pps": 1000}, "limit": {"rate_pps": 100000}}}, "tables": {"ageing_s": 100}}'
	patch x <<< '{"bridges": {"br0": {"stp": "block", "ports": {"p3": {"mac_limit": 10}}}}}'
	pings h3 10.5.0.1
	brtable flush -a "$T-x" --yes port p3
	ended
}

@test "a port that is not enabled drops what it receives and learns nothing from it" {
	local him
	patch x <<< '{"ports": {"p3": {"device": "if:h3", "enabled": false}}, "bridges": {"br0": {"ports": {"p3": {"untagged": 10}}}}}'
	him=$(mac_of h3)
	counting n h2 e0 "$him" 20
	stream s h3 e0 "$(mac_of h2)" "$him" 20 100
	await 5 dropped x rx_disabled
	same "where his address was learned" "$(brtable show -a "$T-x" -j | jq -r --arg m "$him" '.[] | select(.mac == $m) | .port')" ""
	finished s
	finished n
	same "frames that came through" "$(tail -1 "$W/n.out" | jq .received)" 0
	patch x <<< '{"ports": {"p3": {"enabled": true}}}'
	await 5 pings h3 10.5.0.2
}

@test "many changes in a row leave one configuration on all cores" {
	begin 12000
	local i before
	before=$(generation)
	for i in 1 2 3 4 5 6 7 8 9 10; do
		patch x <<< '{"ports": {"p3": {"device": "if:h3"}}, "bridges": {"br0": {"ports": {"p3": {"untagged": 10}}}}}'
		patch x <<< '{"ports": {"p3": null}, "bridges": {"br0": {"ports": {"p3": null}}}}'
	done
	same "generations" "$(($(generation) - before))" 20
	ended
}

@test "what is wrong changes nothing and disturbs nobody" {
	begin 6000
	local bad before
	before=$(pe diff -a "$T-x")
	for bad in '{"ports": {"p3": {"device": "if:nosuch"}}}' '{"bridges": {"br0": {"ports": {"p9": {}}}}}' \
		'{"ports": {"p3": {"device": "if:h1"}}}' '{"bridges": {"br0": {"ports": {"p1": {"untagged": 4095}}}}}' \
		'{"cores": {"data": 2}}' '{' '[]'; do
		run patch x <<< "$bad"
		[ "$status" != 0 ] || fail "$bad was taken"
	done
	same "difference to the file" "$(pe diff -a "$T-x")" "$before"
	ended
}
