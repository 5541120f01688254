#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The judge of captures (judge.py) itself: what a kernel router sends is right, and each fault is seen.

load lib

setup()
{
	net_setup
}

teardown()
{
	net_teardown
}

# as_pcap FILE: frames in hex from standard input, one a line
as_pcap()
{
	local frame size
	{
		printf 'd4c3b2a1020004000000000000000000ffff000001000000'
		while read -r frame; do
			size=$(printf '%02x%02x0000' $((${#frame} / 2 & 255)) $((${#frame} / 2 >> 8)))
			printf '0000000000000000%s%s%s' "$size" "$size" "$frame"
		done
	} | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' > "$1"
}

@test "right frames are found right, and the judge wants some" {
	awk -F '\t' '$1 == "good" { print $2 }' "$BATS_TEST_DIRNAME/judge.frames" | as_pcap "$W/good.pcap"
	judge good
	judge "$W/good.pcap" 02:00:00:00:00:01
	run judge good 02:00:00:00:00:77
	same "status without a frame" "$status" 1
	run judge "$W/none.pcap"
	[ "$status" -ne 0 ]
	editcap -s 80 "$W/good.pcap" "$W/cut.pcap"
	run judge cut
	same "status of a capture of half frames" "$status" 1
	[[ $output == *"icmp: checksum not verified"* ]]
}

@test "each fault is seen and named" {
	local number=0 fault frame
	awk -F '\t' '!/^#/ && $1 != "good" { print $2 }' "$BATS_TEST_DIRNAME/judge.frames" | as_pcap "$W/bad.pcap"
	run judge bad
	same status "$status" 1
	while IFS=$'\t' read -r fault frame; do
		number=$((number + 1))
		grep -qE "^frame $number: .*($fault)" <<< "$output" || fail "frame $number: nobody said '$fault' of $frame" || return
	done < <(awk '!/^#/ && !/^good\t/' "$BATS_TEST_DIRNAME/judge.frames")
	[ "$number" -ge 50 ]
}

@test "one bad frame among good ones is enough" {
	local good bad
	good=$(awk -F '\t' '$1 == "good" { print $2 }' "$BATS_TEST_DIRNAME/judge.frames")
	bad=$(awk -F '\t' '$1 == "NS: hop limit 254" { print $2 }' "$BATS_TEST_DIRNAME/judge.frames")
	printf '%s\n' "$good" "$bad" | as_pcap "$W/mixed.pcap"
	run judge mixed
	same status "$status" 1
	[[ $output == *"hop limit 254"* ]]
	[[ $output == *" 1 faults"* ]]
}

# Two hosts with a router between them, whose link to hb is narrow.
ends()
{
	host ha 10.1.0.2/24 fd01::2/64
	host hb 10.2.0.2/24 fd02::2/64
	ip -n "$T-hb" link set e0 mtu 1300
	ip -n "$T-ha" route add default via 10.1.0.1
	ip -n "$T-ha" route add default via fd01::1
	ip -n "$T-hb" route add default via 10.2.0.1
	ip -n "$T-hb" route add default via fd02::1
}

# What makes a router say everything that it can say, seen and judged at ha.
all_right()
{
	local kind mac
	capture wire ha e0
	ip -n "$T-ha" neigh flush dev e0 # so that it asks
	ip -n "$T-ha" -6 neigh flush dev e0
	pings ha 10.2.0.2
	pings ha fd02::2
	in_ns hb ping -n -q -c 1 -s 3000 10.1.0.2                  # fragments
	in_ns ha ping -n -q -c 1 -W 1 -M do -s 1400 10.2.0.2 || true # fragmentation needed
	in_ns ha ping -n -q -c 1 -W 1 -M do -s 1400 fd02::2 || true  # packet too big
	in_ns ha ping -n -q -c 1 -W 1 -t 1 10.2.0.2 || true          # time exceeded
	in_ns ha ping -n -q -c 1 -W 1 -t 1 -s 1000 fd02::2 || true
	in_ns ha ping -n -q -c 1 -W 1 10.9.9.9 || true # no route
	in_ns ha ping -n -q -c 1 -W 1 fd09::9 || true
	in_ns ha bash -c 'echo x > /dev/udp/10.1.0.1/9; echo x > /dev/udp/fd01::1/9' || true # port unreachable
	spawn server hb iperf3 -s -1
	await 5 in_ns hb sh -c 'ss -Hltn sport = :5201 | grep -q .'
	in_ns ha iperf3 -c 10.2.0.2 -n 500K > /dev/null
	captured wire 20

	mac=$(in_ns ha ip -j neigh show 10.1.0.1 dev e0 | jq -er '.[0].lladdr')
	judge wire
	judge wire "$mac"
	for kind in "icmp.type == 3 and icmp.code == 0" "icmp.type == 3 and icmp.code == 3" "icmp.type == 3 and icmp.code == 4" \
		"icmp.type == 11" "icmp.type == 0" "icmpv6.type == 1 and icmpv6.code == 0" "icmpv6.type == 1 and icmpv6.code == 4" \
		"icmpv6.type == 2" "icmpv6.type == 3" "icmpv6.type == 136" "icmpv6.type == 129" "arp" "ip.frag_offset > 0" tcp; do
		decoded wire -Y "eth.src == $mac and $kind" | grep -q . || fail "the router sent no $kind" || return
	done
}

@test "a kernel router's frames are right: ND, ARP, echo, TCP, fragments, every ICMP error" {
	ends
	in_ns e sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	ip -n "$T-e" addr add 10.1.0.1/24 dev ha
	ip -n "$T-e" addr add fd01::1/64 dev ha nodad
	ip -n "$T-e" addr add 10.2.0.1/24 dev hb
	ip -n "$T-e" addr add fd02::1/64 dev hb nodad
	ip -n "$T-e" link set hb mtu 1300
	all_right
}

@test "an engine's frames are right, and the same things are said" {
	ends
	engine x <<-'END'
	{ "ports": { "p1": { "device": "if:ha" }, "p2": { "device": "if:hb", "mtu": 1300 } },
	  "interfaces": { "i1": { "port": "p1", "addresses": ["10.1.0.1/24", "fd01::1/64"] },
	                  "i2": { "port": "p2", "addresses": ["10.2.0.1/24", "fd02::1/64"] } } }
	END
	await 10 pings ha fd02::2 -c 1
	all_right
}
