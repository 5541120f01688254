#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034 # bats runs each test in a subshell
# Cores that are drained, hang and come back.

load lib

setup()
{
	net_setup
	host h1 10.8.0.1/24 fd08::1/64
	host h2 10.8.0.2/24 fd08::2/64
}

teardown()
{
	net_teardown
}

# bridge CORES STEERING [OPTION...]
bridge()
{
	engine x "${@:3}" <<-END
	{ "cores": { "data": $1 }, "memory": { "mbufs": 16384 },
	  "ports": { "p1": { "device": "if:h1", "steering": "$2" }, "p2": { "device": "if:h2", "steering": "$2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
}

role()
{
	pe status -a "$T-x" -j | jq -er --argjson c "$1" '.roles[] | select(.core == $c) | .role'
}

has_role()
{
	[ "$(role "$1")" = "$2" ]
}

pollers()
{
	pemon ports -a "$T-x" -j | jq -c '[.[].pollers[]] | unique'
}

received()
{
	pemon show -a "$T-x" -j | jq --argjson c "$1" '.cores[] | select(.core == $c) | .rx_packets'
}

@test "a drained core gives its queues and flows away and gets them back; a stream loses nothing" {
	bridge 3 auto
	pings h1 10.8.0.2
	counting n h2 e0 "$(mac_of h1)" 20000
	stream s h1 e0 "$(mac_of h2)" "$(mac_of h1)" 20000 8000
	pe drain 1 -a "$T-x" -j > "$W/drain.json"
	jq -e '.changed and .role == "drained" and .master == 2 and .lost_packets == 0' "$W/drain.json"
	has_role 1 drained
	same "pollers" "$(pollers)" "[2,3]"
	local before
	before=$(received 1)
	await 5 in_ns h1 ping -n -q -c 20 -i 0.01 10.8.0.2
	same "packets that core 1 worked on when it was drained" "$(received 1)" "$before"
	pe undrain 1 -a "$T-x" -j | jq -e '.changed and .role == "serving" and .master == 1'
	same "pollers" "$(pollers)" "[1,2]"
	finished s
	lossless n
	await 5 coherent x
}

@test "draining twice is no error, and the last core stays" {
	bridge 2 auto
	pe drain 2 -a "$T-x"
	run -0 pe drain 2 -a "$T-x"
	[[ $output == *"unchanged, it is drained"* ]]
	run -5 pe drain 1 -a "$T-x"
	[[ $output == *"core 1: the last one that serves"* ]]
	run -3 pe drain 7 -a "$T-x"
	[[ $output == *"core 7: there are 1 to 2"* ]]
	pings h1 10.8.0.2
	run -0 pe undrain 1 -a "$T-x"
	[[ $output == *"unchanged, it is serving"* ]]
}

@test "a core that hangs loses its work to the others within a second or so, and gets it back" {
	bridge 3 auto --allow-inject
	pings h1 10.8.0.2
	pe inject stall 1 3000 -a "$T-x"
	await 5 has_role 1 lost
	same "pollers" "$(pollers)" "[2,3]"
	pings h1 10.8.0.2
	pings h2 fd08::1
	await 10 has_role 1 serving
	same "pollers" "$(pollers)" "[1,2]"
	await 5 coherent x
	pings h1 10.8.0.2
	run -0 pemon show -a "$T-x"
	[[ $output == *"core 1: stalled"* && $output == *"core 2: master core now, instead of core 1"* ]]
	[[ $output == *"core 1: has caught up, and serves again"* ]]
}

@test "an engine that was not started for it refuses to be hurt" {
	bridge 2 none
	run -5 pe inject stall 1 100 -a "$T-x"
	[[ $output == *"not started for it"*"--allow-inject"* ]]
	run -2 pe inject stall 1 0 -a "$T-x"
	run -2 pe inject fire 1 100 -a "$T-x"
}
