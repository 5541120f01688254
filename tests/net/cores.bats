#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Many cores, more of them than CPUs; steering; AF_XDP.

load lib

setup()
{
	net_setup
	local n
	for n in 1 2 3; do
		host h$n 10.8.0.$n/24 fd08::$n/64
	done
}

teardown()
{
	net_teardown
}

# three CORES KIND [POLL]: three hosts in a VLAN.
three()
{
	engine x <<-END
	{ "cores": { "data": $1, "poll": "${3:-adaptive}" }, "memory": { "mbufs": 16384 },
	  "ports": { "p1": { "device": "$2:h1" }, "p2": { "device": "$2:h2" }, "p3": { "device": "$2:h3" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 }, "p3": { "untagged": 10 } } } } }
	END
}

# Everybody reaches everybody, over both families and with TCP; all cores know all.
all_talk()
{
	local a b
	for a in 1 2 3; do
		for b in 1 2 3; do
			[ $a = $b ] || pings h$a 10.8.0.$b
			[ $a = $b ] || pings h$a fd08::$b
		done
	done
	spawn server h2 iperf3 -s -1
	await 5 in_ns h2 sh -c 'ss -Hltn sport = :5201 | grep -q .'
	in_ns h1 iperf3 -c 10.8.0.2 -t 1 -P 8 -J > "$W/iperf.json"
	jq -e '.end.sum_received.bytes > 100000' "$W/iperf.json"
	await 5 coherent x
	same "entries" "$(fdb x '[.[] | .mac] | length')" 3
	same "cores that hold each" "$(fdb x '[.[].cores | length] | unique')" "[$1]"
}

worked()
{
	pemon show -a "$T-x" -j | jq '[.cores[] | select(.core > 0 and .rx_packets > 0)] | length'
}

@test "sixteen cores on fewer CPUs: everybody is reached, tables agree, the work is spread" {
	three 16 if
	all_talk 16
	[ "$(worked)" -ge 4 ] || fail "only $(worked) cores had packets of 8 flows both ways"
}

@test "more cores than CPUs that never sleep still forward and agree" {
	three "$(($(nproc) + 1))" if busy
	all_talk "$(($(nproc) + 1))"
}

@test "idle cores sleep: an engine without traffic leaves its CPUs alone" {
	three 4 if
	local pid before after
	pid=$(engine_pid x)
	before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	sleep 2
	after=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	# Of four cores' two seconds, at most a quarter of one CPU.
	[ $((after - before)) -le $(($(getconf CLK_TCK) / 2)) ] || fail "$((after - before)) ticks of CPU time in two idle seconds"
}

# cpu_of PID: its CPU time in ticks.
cpu_of()
{
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

owes()
{
	[ "$(brtable stats -a "$T-x" -j | jq '[.. | objects | .resyncs // 0] | add')" -gt 0 ]
}

@test "a core that hangs keeps no other core busy, and is brought up to date when it goes on" {
	engine x <<-'END'
	{ "cores": { "data": 3 }, "memory": { "mbufs": 16384, "ring_slots": 64 },
	  "ports": { "p1": { "device": "if:h1", "steering": "none" }, "p2": { "device": "if:h2", "steering": "none" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
	pings h1 10.8.0.2
	local pid before after
	pid=$(engine_pid x)
	spawn stall e python3 -B "$BATS_TEST_DIRNAME/stall.py" "$(grep -lx pe/3 "/proc/$pid/task/"*/comm | cut -d/ -f5)"
	await 5 grep -q stalled "$W/stall.out"
	in_ns h2 python3 -B "$FRAME" macs e0 -n 500 -r 2000
	await 5 owes
	before=$(cpu_of "$pid")
	sleep 2
	after=$(cpu_of "$pid")
	# Of two cores' two idle seconds, at most a quarter of one CPU.
	[ $((after - before)) -le $(($(getconf CLK_TCK) / 2)) ] || fail "$((after - before)) ticks of CPU time in two idle seconds"
	pings h1 10.8.0.2
	run -124 brtable verify -a "$T-x" -T 1
	kill "$(< "$W/stall.pid")"
	await 5 coherent x
	same "cores that hold each" "$(fdb x '[.[].cores | length] | unique')" "[3]"
}

@test "with many cores the frames of a flow keep their order" {
	three 8 if
	counting n h2 e0 "$(mac_of h1)" 10000
	stream s h1 e0 "$(mac_of h2)" "$(mac_of h1)" 10000 4000
	lossless n
}

@test "a core that sends for others comes back to its own ports, and keeps the order" {
	run -0 "$PEKIT_TEST/net/transmit_test"
	same "what was wrong" "$output" ""
}

@test "AF_XDP ports carry the same" {
	three 3 xdp
	all_talk 3
}
