#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Spanning tree of neighbours whose loop runs through the engine: two kernel bridges, two paths between them, both ours.

load lib

setup()
{
	net_setup
	ns_new ba
	ns_new bb
	kernel_bridge ba kb 4096
	kernel_bridge bb kb 8192
	local i
	for i in 0 1; do
		link ba p$i e a$i
		link bb p$i e b$i
	done
	host ha 10.4.0.1/24
	host hb 10.4.0.2/24
	# Hosts hang on the kernel bridges, not on the engine.
	ip -n "$T-e" link set ha netns "$T-ba"
	ip -n "$T-e" link set hb netns "$T-bb"
	bridge_port ba kb ha
	bridge_port bb kb hb
}

teardown()
{
	net_teardown
}

# Two bridges, so that each path is a cable of its own.
two_paths()
{
	engine x <<-END
	{ "ports": { "a0": { "device": "if:a0" }, "b0": { "device": "if:b0" }, "a1": { "device": "if:a1" }, "b1": { "device": "if:b1" } },
	  "bridges": { "br0": { "stp": "$1", "ports": { "a0": { "untagged": 10 }, "b0": { "untagged": 10 } } },
	               "br1": { "stp": "$1", "ports": { "a1": { "untagged": 20 }, "b1": { "untagged": 20 } } } } }
	END
}

is_state()
{
	[ "$(port_state "$1" "$2")" = "$3" ]
}

@test "stp off: the neighbours see each other's BPDUs through us, and one path blocks" {
	two_paths off
	bridge_port ba kb p0
	bridge_port ba kb p1
	bridge_port bb kb p0
	bridge_port bb kb p1
	# kb in ba is root; bb blocks its second port.
	await 20 is_state bb p0 forwarding
	await 20 is_state bb p1 blocking
	await 20 is_state ba p0 forwarding
	await 20 is_state ba p1 forwarding
	await 20 pings ha 10.4.0.2
	# No loop: a broadcast comes once.
	counting once hb e0 "$(mac_of ha)" 50
	stream cast ha e0 ff:ff:ff:ff:ff:ff "$(mac_of ha)" 50 100
	lossless once
	# The path goes, the other one takes over, and what was learned does not hold the traffic back.
	ip -n "$T-bb" link set p0 down
	await 20 is_state bb p1 forwarding
	await 20 pings ha 10.4.0.2
}

@test "stp block: BPDUs end at us, counted, and other frames pass" {
	two_paths block
	bridge_port ba kb p0
	capture wire bb p0
	ip -n "$T-bb" link set p0 up
	await 5 dropped x bpdu_blocked
	send ba p0 "$(eth ff:ff:ff:ff:ff:ff 06:00:00:00:00:01 88b5 01)"
	captured wire 1
	same "BPDUs that came through" "$(decoded wire -Y stp | wc -l)" 0
	same "other frames that came through" "$(decoded wire -Y 'eth.type == 0x88b5' | wc -l)" 1
}

@test "stp can be turned from block to off on a running engine" {
	two_paths block
	bridge_port ba kb p0
	await 5 dropped x bpdu_blocked
	capture wire bb p0 stp
	patch x <<< '{"bridges": {"br0": {"stp": "off"}}}'
	captured wire 1 5
	decoded wire -T fields -e stp.root.prio | grep -qx 4096
}
