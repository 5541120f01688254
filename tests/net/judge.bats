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

# a -- r -- b, r a kernel router with a narrow link to b
@test "a kernel router's frames are right: ND, ARP, echo, TCP, fragments, every ICMP error" {
	local h
	for h in a r b; do
		ns_new "$h"
	done
	link a e0 r a0
	link b e0 r b0
	ip -n "$T-r" link set a0 address 02:00:00:00:00:0a
	in_ns r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	ip -n "$T-r" addr add 10.1.0.1/24 dev a0 && ip -n "$T-r" addr add fd01::1/64 dev a0 nodad
	ip -n "$T-r" addr add 10.2.0.1/24 dev b0 && ip -n "$T-r" addr add fd02::1/64 dev b0 nodad
	ip -n "$T-a" addr add 10.1.0.2/24 dev e0 && ip -n "$T-a" addr add fd01::2/64 dev e0 nodad
	ip -n "$T-b" addr add 10.2.0.2/24 dev e0 && ip -n "$T-b" addr add fd02::2/64 dev e0 nodad
	ip -n "$T-a" route add default via 10.1.0.1 && ip -n "$T-a" route add default via fd01::1
	ip -n "$T-b" route add default via 10.2.0.1 && ip -n "$T-b" route add default via fd02::1
	ip -n "$T-r" link set b0 mtu 1300
	ip -n "$T-b" link set e0 mtu 1300

	capture wire a e0
	pings a 10.2.0.2
	pings a fd02::2
	in_ns b ping -n -q -c 1 -s 3000 10.1.0.2                            # fragments
	in_ns a ping -n -q -c 2 -W 1 -M do -s 1400 10.2.0.2 || true              # fragmentation needed
	in_ns a ping -n -q -c 2 -W 1 -M do -s 1400 fd02::2 || true               # packet too big
	in_ns a ping -n -q -c 1 -W 1 -t 1 10.2.0.2 || true                       # time exceeded
	in_ns a ping -n -q -c 1 -W 1 -t 1 -s 1000 fd02::2 || true
	in_ns a ping -n -q -c 1 -W 1 10.9.9.9 || true                       # no route
	in_ns a ping -n -q -c 1 -W 1 fd09::9 || true
	in_ns a bash -c 'echo x > /dev/udp/10.1.0.1/9; echo x > /dev/udp/fd01::1/9' || true # port unreachable
	spawn server b iperf3 -s -1
	await 5 in_ns b sh -c 'ss -Hltn sport = :5201 | grep -q .'
	in_ns a iperf3 -c 10.2.0.2 -n 500K > /dev/null
	captured wire 20

	judge wire
	judge wire 02:00:00:00:00:0a
	decoded wire -Y "eth.src == 02:00:00:00:00:0a" -T fields -e icmp.type -e icmpv6.type | sort | uniq -c
	for h in "icmp.type == 3" "icmp.type == 11" "icmp.type == 0" "icmpv6.type == 1" "icmpv6.type == 2" "icmpv6.type == 3" \
		"icmpv6.type == 136" "icmpv6.type == 129" "arp.opcode == 2" "ip.frag_offset > 0" tcp; do
		decoded wire -Y "$h" | grep -q . || fail "no $h" || return
	done
}
