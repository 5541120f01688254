#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Routing between kernel hosts: two in VLANs of one bridge, one on a port with an interface of its own.

load lib

setup()
{
	net_setup
}

teardown()
{
	net_teardown
}

# A host with the engine as its router: router_host NAME NET
router_host()
{
	host "$1" "10.0.$2.2/24" "2001:db8:$2::2/64"
	ip -n "$T-$1" route add default via "10.0.$2.1"
	ip -n "$T-$1" -6 route add default via "2001:db8:$2::1"
}

# router_rig [JQ-FILTER]: the engine's configuration goes through the filter.
router_rig()
{
	router_host h1 10
	router_host h2 20
	router_host h3 30
	jq "${1:-.}" <<-'END' | engine x
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "p3": { "device": "if:h3" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 } } } },
	  "interfaces": {
	    "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.0.10.1/24", "2001:db8:10::1/64"] },
	    "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.0.20.1/24", "2001:db8:20::1/64"] },
	    "w30": { "port": "p3", "addresses": ["10.0.30.1/24", "2001:db8:30::1/64"] } } }
	END
	local name
	for name in h1 h2 h3; do
		await 10 pings "$name" "$(router_of "$name" 6)" -c 1
		await 10 pings "$name" "$(router_of "$name" 4)" -c 1
	done
}

router_of()
{
	local -A net=([h1]=10 [h2]=20 [h3]=30)
	[ "$2" = 4 ] && echo "10.0.${net[$1]}.1" || echo "2001:db8:${net[$1]}::1"
}

# sends HOST TYPE WORD...: what packet.py makes of the words, as a frame from the host to the router's interface.
sends()
{
	local name=$1 type=$2 mac=06:00:00:00:00:01
	shift 2
	send "$name" e0 "$(eth "$(mac_of_router "$name")" "$mac" "$type" "$(packet "$@")")"
}

packet()
{
	python3 -B "$BATS_TEST_DIRNAME/packet.py" "$@"
}

mac_of_router()
{
	in_ns "$1" ip -j neigh show "$(router_of "$1" 4)" dev e0 | jq -er '.[0].lladdr'
}

# refused REASON HOST TYPE WORD...: one packet is dropped for that reason.
refused()
{
	local reason=$1 before
	before=$(drops x "$reason")
	shift
	sends "$@"
	await 5 are_dropped "$reason" $((before + 1)) || fail "not dropped as $reason: $*"
}

are_dropped()
{
	[ "$(drops x "$1")" = "$2" ]
}

@test "hosts behind VLANs and behind a port reach each other through the router, whatever the size" {
	router_rig
	local target
	for target in 10.0.20.2 10.0.30.2 2001:db8:20::2 2001:db8:30::2; do
		pings h1 "$target"
		pings h1 "$target" -s 4000
		pings h1 "$target" -s 20000
	done
	pings h2 2001:db8:30::2
	pings h3 10.0.10.2
	pings h3 2001:db8:20::2 -s 4000
	# what is not VLAN 10's goes through the router and not past it
	same "TTL after one hop" "$(in_ns h1 ping -n -c 1 10.0.20.2 | grep -o 'ttl=[0-9]*')" ttl=63
	same "hop limit after one hop" "$(in_ns h3 ping -n -c 1 2001:db8:20::2 | grep -o 'ttl=[0-9]*')" ttl=63
}

@test "the router answers for its own addresses: echo of any size, closed ports, unknown protocols" {
	router_rig
	local target size
	for target in 10.0.10.1 10.0.20.1 2001:db8:10::1 2001:db8:30::1; do
		for size in 0 1 56 1400 1480 4000 20000; do
			pings h1 "$target" -s "$size"
		done
	done
	same "TTL of its own" "$(in_ns h1 ping -n -c 1 10.0.10.1 | grep -o 'ttl=[0-9]*')" ttl=64
	local link_local
	link_local=$(in_ns h1 ping -n -c 1 ff02::2%e0 | grep -o 'from fe80::[^%]*' | cut -d' ' -f2)
	pings h1 "$link_local%e0"
	pings h1 "$link_local%e0" -s 4000

	capture h1 h1 e0 'icmp or icmp6 or tcp'
	for target in 10.0.20.1 2001:db8:20::1; do
		run in_ns h1 bash -c "exec 3<>/dev/tcp/$target/22"
		[[ $output == *refused* ]] || fail "TCP to $target: $output"
		in_ns h1 bash -c "echo x > /dev/udp/$target/9" || true
	done
	sends h1 0800 10.0.10.2 10.0.10.1 -p 99 00
	sends h1 86dd 2001:db8:10::2 2001:db8:10::1 -p 99 00
	await 5 h1_heard 'icmp.type == 3 && icmp.code == 3'
	await 5 h1_heard 'icmpv6.type == 1 && icmpv6.code == 4'
	await 5 h1_heard 'icmp.type == 3 && icmp.code == 2'
	await 5 h1_heard 'icmpv6.type == 4 && icmpv6.code == 1 && icmpv6.pointer == 6'
	await 5 h1_heard 'ip.src == 10.0.20.1 && tcp.flags == 0x14'
	await 5 h1_heard 'ipv6.src == 2001:db8:20::1 && tcp.flags == 0x14'
	captured h1 0
	unharmed h1
}

h1_heard()
{
	heard h1 "$1"
}

# heard CAPTURE FILTER: there is such a frame in it.
heard()
{
	[ -n "$(decoded "$1" -Y "$2")" ]
}

# tshark finds no checksum wrong, and nothing malformed.
unharmed()
{
	same "frames that tshark complains about" "$(decoded "$1" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-o udp.check_checksum:TRUE -Y '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 ||
		icmp.checksum.status == 0 || icmpv6.checksum.status == 0')" ""
}

@test "traceroute and traceroute6 show the router by its address towards the asker" {
	router_rig
	local how
	for how in -U -I -T; do
		same "IPv4 $how" "$(hops h1 "$how" 10.0.20.2)" "10.0.10.1 10.0.20.2"
		same "IPv6 $how" "$(hops h3 "$how" 2001:db8:10::2)" "2001:db8:30::1 2001:db8:10::2"
	done
	same "to the router itself" "$(hops h1 -U 10.0.20.1)" "10.0.20.1"
	await 5 dropped x l3_ttl
}

hops()
{
	in_ns "$1" traceroute -n -q 1 -w 2 -m 5 "$2" "$3" | awk 'NR > 1 { printf "%s%s", sep, $2; sep = " " }'
}

@test "a smaller MTU behind the router: cut over IPv4, told with DF and over IPv6" {
	router_rig '.ports.p2.mtu = 1400'
	in_ns h2 ip link set e0 mtu 1400
	capture h2 h2 e0 icmp
	pings h1 10.0.20.2 -s 1472 -M dont
	captured h2 6
	same "fragments at the far end, and none larger than the MTU" \
		"$(decoded h2 -T fields -e ip.len -e ip.frag_offset | sort -u | paste -sd' ' | tr '\t' ,)" "124,172 1396,0"
	unharmed h2
	run in_ns h1 ping -n -c 1 -W 2 -M do -s 1472 10.0.20.2
	[[ $output == *"From 10.0.10.1"*"mtu = 1400"* ]] || fail "$output"
	run in_ns h3 ping -n -c 1 -W 2 -M do -s 1452 2001:db8:20::2
	[[ $output == *"From 2001:db8:30::1"*"mtu"*1400* ]] || fail "$output"
	# now they know, and go on
	pings h3 2001:db8:20::2 -s 1452
	in_ns h1 ip route flush cache
	in_ns h1 tracepath -n 10.0.20.2 | grep -q 'pmtu 1400'
	in_ns h1 tracepath -n 2001:db8:20::2 | grep -q 'pmtu 1400'
	await 5 dropped x l3_too_big
	[ "$(l3 fragments)" -ge 6 ] || fail "$(l3 fragments) fragments counted"
}

# l3 COUNTER: of all cores.
l3()
{
	pemon show -a "$T-x" -j | jq --arg c "$1" '[.cores[].l3[$c]] | add'
}

@test "what has no route, or one that says no, is answered in the words of the standard" {
	router_rig '.routes = [ { "to": "10.9.1.0/24", "type": "blackhole" }, { "to": "10.9.2.0/24", "type": "unreachable" },
		{ "to": "10.9.3.0/24", "type": "prohibit" }, { "to": "2001:db8:92::/48", "type": "unreachable" },
		{ "to": "2001:db8:93::/48", "type": "prohibit" } ]'
	local target before
	before=$(drops x l3_no_route) # an address of ours is none before it was tested (RFC 4862)
	capture h1 h1 e0 'icmp[0] == 3 or icmp6'
	for target in 10.8.0.1 10.9.1.1 10.9.2.1 10.9.3.1 2001:db8:8::1 2001:db8:92::1 2001:db8:93::1; do
		silent h1 "$target" -c 1
	done
	local told='icmp.type == 3 && icmp.code'
	await 5 h1_heard "$told == 0 && ip.dst == 10.8.0.1"
	await 5 h1_heard "$told == 1 && ip.dst == 10.9.2.1"
	await 5 h1_heard "$told == 13 && ip.dst == 10.9.3.1"
	await 5 h1_heard "icmpv6.type == 1 && icmpv6.code == 0 && ipv6.dst == 2001:db8:8::1"
	await 5 h1_heard "icmpv6.type == 1 && icmpv6.code == 3 && ipv6.dst == 2001:db8:92::1"
	await 5 h1_heard "icmpv6.type == 1 && icmpv6.code == 1 && ipv6.dst == 2001:db8:93::1"
	captured h1 0
	! heard h1 "ip.dst == 10.9.1.1" || fail "a blackhole speaks"
	unharmed h1
	same "by route" "$(drops x l3_blackhole)" 5
	same "without one" "$(drops x l3_no_route)" $((before + 2))
}

@test "a host that is not there: what waited for it is given up, and its sender told" {
	router_rig '.neighbors = { "retrans_ms": 200 }'
	run in_ns h1 ping -n -c 2 -i 0.2 -W 3 10.0.20.99
	[[ $output == *"From 10.0.10.1"*"Destination Host Unreachable"* ]] || fail "$output"
	run in_ns h3 ping -n -c 2 -i 0.2 -W 3 2001:db8:20::99
	[[ $output == *"From 2001:db8:30::1"*"Address unreachable"* ]] || fail "$output"
	await 5 dropped x nbr_failed
	await 5 l3_is holding 0
	[ "$(l3 held)" -ge 2 ]
}

l3_is()
{
	same "$1" "$(l3 "$1")" "$2"
}

@test "packets that nobody may send or have are dropped, each by its reason, and none leaves" {
	router_rig
	capture h2 h2 e0 'udp'
	capture h1 h1 e0 'icmp or icmp6'
	refused l3_header h1 0800 10.0.10.2 10.0.20.2 -c 1
	refused l3_header h1 0800 10.0.10.2 10.0.20.2 -s 60
	refused l3_header h1 86dd 2001:db8:10::2 2001:db8:20::2 -s 60
	refused l3_source h1 0800 127.0.0.1 10.0.20.2
	refused l3_source h1 0800 224.0.0.1 10.0.20.2
	refused l3_source h1 0800 255.255.255.255 10.0.20.2
	refused l3_source h1 0800 10.0.10.1 10.0.10.1 echo
	refused l3_source h1 86dd ff02::1 2001:db8:20::2
	refused l3_source h1 86dd ::1 2001:db8:20::2
	refused l3_scope h1 0800 10.0.10.2 127.0.0.1
	refused l3_scope h1 0800 10.0.10.2 224.0.0.9
	refused l3_scope h1 0800 10.0.10.2 255.255.255.255
	refused l3_scope h1 0800 10.0.10.2 10.0.20.255
	refused l3_scope h1 86dd 2001:db8:10::2 fe80::1234
	refused l3_scope h1 86dd 2001:db8:10::2 ff05::2
	refused l3_scope h1 86dd 2001:db8:10::2 ::1
	refused l3_source_route h1 0800 10.0.10.2 10.0.20.2 -o 8307040a00140200
	refused l3_no_service h1 0800 10.0.10.2 10.0.10.1 -p 1 -f 0x2003 0011223344556677
	refused l3_type h1 88b5 10.0.10.2 10.0.20.2
	captured h1 0
	same "ICMP about any of them" "$(decoded h1 -Y 'icmp.type == 3 || icmp.type == 11 || icmpv6.type < 128')" ""
	# the same once more, from a link-local source: whoever may hear, is told
	refused l3_scope h1 86dd fe80::2 2001:db8:20::2
	# and one that is good, so that the capture has an end
	sends h1 0800 10.0.10.2 10.0.20.2 -o 01010100 0009000900080000
	captured h2 1
	same "packets that came through" "$(decoded h2 | wc -l)" 1
	same "with its options" "$(decoded h2 -T fields -e ip.hdr_len -e ip.ttl)" "$(printf '24\t63')"
}

@test "a frame with the router's own address as its source is dropped and not learned" {
	router_rig
	local mac
	mac=$(mac_of_router h1)
	send h1 e0 "$(eth "$mac" "$mac" 0800 "$(packet 10.0.10.2 10.0.20.2)")" "$(eth ff:ff:ff:ff:ff:ff "$mac" 88b5 00)"
	send h3 e0 "$(eth "$(mac_of_router h3)" "$(mac_of_router h3)" 0800 "$(packet 10.0.30.2 10.0.20.2)")"
	await 5 are_dropped own_source 3
	same "entries with that address" "$(fdb x "[.[] | select(.mac == \"$mac\")]")" '[]'
	pings h1 10.0.20.2
}

@test "a TCP stream in each direction, while routes and neighbours stay as they are" {
	router_rig
	local target
	for target in 10.0.30.2 2001:db8:30::2; do
		spawn server h3 iperf3 -s -1
		await 5 in_ns h3 sh -c 'ss -Hltn sport = :5201 | grep -q .'
		in_ns h1 iperf3 -c "$target" -t 1 -J > "$W/iperf.json"
		jq -e '.end.sum_received.bytes > 1000000' "$W/iperf.json"
		finished server 10
	done
	same "bad headers" "$(drops x l3_header)" 0
	[ "$(l3 forwarded_v4)" -gt 500 ] && [ "$(l3 forwarded_v6)" -gt 500 ]
}

@test "an interface that is disabled routes nothing, and comes back live" {
	router_rig
	pings h1 10.0.30.2
	patch x <<< '{ "interfaces": { "w30": { "enabled": false } } }'
	silent h1 10.0.30.2
	pings h1 10.0.20.2
	patch x <<< '{ "interfaces": { "w30": { "enabled": null } } }'
	await 10 pings h1 10.0.30.2
	await 10 pings h1 2001:db8:30::2
}
