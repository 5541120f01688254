#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Ports alone, as a wire of two (port_test.c): h1 -- if:h1, if:h2 -- h2. Unlike elsewhere, the hosts have their offloads on.

load lib
bats_require_minimum_version 1.5.0

PROMISC=0x100

setup()
{
	net_setup
	local h
	for h in h1 h2; do
		ns_new $h
		cable $h
	done
}

teardown()
{
	net_teardown
}

# cable H: between H's e0 and the engines' interface H
cable()
{
	ip link add e0 netns "$T-$1" type veth peer name "$1" netns "$T-e"
	ip -n "$T-$1" link set e0 address "02:00:00:00:00:0${1#h}" up
	ip -n "$T-$1" addr add "10.0.0.${1#h}/24" dev e0
	ip -n "$T-$1" addr add "2001:db8::${1#h}/64" dev e0 nodad
}

# wire [OPTION...] DEVICE...: in the background, returns when it is ready. ask WORD... sends it a command and shows the answer.
wire()
{
	[ -p "$W/in" ] || mkfifo "$W/in"
	ip netns exec "$T-e" "$PEKIT_TEST/net/port_test" "$@" < "$W/in" > "$W/wire.out" 2>&1 3>&- & # not a function: its own pid is wanted
	WIRE=$!
	echo $WIRE >> "$W/pids"
	exec 8> "$W/in"
	await 20 grep -q '^ready' "$W/wire.out"
}

# The same, for one that must end at once by itself; its exit status.
wire_refused()
{
	in_ns e timeout 20 "$PEKIT_TEST/net/port_test" "$@" 3>&- < /dev/null
}

ask()
{
	local before
	before=$(answers | wc -l)
	echo "$*" >&8
	await 5 more_answers "$before"
	answers | tail -1
}

answers()
{
	grep -a -e '^ok$' -e '^error ' -e '^{' "$W/wire.out" || true
}

more_answers()
{
	[ "$(answers | wc -l)" -gt "$1" ]
}

stat()
{
	ask stats | jq "$1"
}

stat_is()
{
	[ "$(stat "$1")" = "$2" ]
}

end_wire()
{
	kill "$WIRE"
	wait "$WIRE"
	tail -1 "$W/wire.out" | grep -qx 'mbufs left 0'
}

said()
{
	tail -1 "$W/wire.out" | grep -qx "$1"
}

# How the kernel has an interface of the engines' namespace: flags without those of the link's state, MTU, IPv6, XDP.
found()
{
	in_ns e ip -j -d link show dev "$1" | jq -c '.[0] | [(.flags - ["LOWER_UP", "NO-CARRIER", "M-DOWN"]), .mtu, .promiscuity, .xdp]'
	in_ns e cat "/proc/sys/net/ipv6/conf/$1/disable_ipv6" 2>/dev/null || echo "no ipv6"
	in_ns e cat "/sys/class/net/$1/flags"
}

is_found()
{
	[ "$(found "$1")" = "$2" ]
}

# passes FROM TO HEX...: frames arrive at the other host byte by byte, in order.
passes()
{
	local from=$1 to=$2 want
	shift 2
	spawn recv "$to" python3 -B "$FRAME" recv e0 -n $# -t 10 -m 88b5
	await 10 grep -q listening "$W/recv.out"
	send "$from" e0 "$@"
	finished recv 20
	want=$(printf '%s\n' "$@")
	same frames "$(tail -n +2 "$W/recv.out")" "$want"
}

# A frame with a number, of SIZE bytes: frame SIZE TAG...
frame()
{
	local size=$1 text
	shift
	text=$(eth 02:00:00:00:00:02 02:00:00:00:00:01 "$@" 88b5)
	printf '%s%0*d\n' "$text" $((2 * size - ${#text})) "$size"
}

@test "VLAN tags that the kernel takes out are put back, in both directions" {
	wire if:h1 if:h2
	local frames=("$(frame 60)" "$(frame 64 vlan:10)" "$(frame 64 vlan:57349)" "$(frame 64 vlan:0)" "$(frame 68 qinq:100 vlan:10)" \
		"$(frame 64 qinq:7)" "$(frame 72 qinq:100 vlan:10 vlan:11)" "$(frame 61)")
	passes h1 h2 "${frames[@]}"
	passes h2 h1 "${frames[@]}"
	end_wire
}

@test "another decoder sees the same tags" {
	wire if:h1 if:h2
	capture seen h2 e0 -e
	send h1 e0 "$(frame 64 vlan:57349)" "$(frame 68 qinq:100 vlan:10)"
	captured seen 2
	same tags "$(decoded seen -Y 'vlan or ieee8021ad' -T fields -e vlan.id -e vlan.priority -e ieee8021ad.id)" $'5\t7\t\n10\t0\t100'
}

@test "frames of the full MTU pass with no, one and two tags; longer ones are counted with their first bytes" {
	local ns
	for ns in h1 h2; do
		ip -n "$T-$ns" link set e0 mtu 9000
	done
	wire if:h1 if:h2
	ip -n "$T-e" link set h1 mtu 9000
	passes h1 h2 "$(frame 1514)" "$(frame 1518 vlan:10)" "$(frame 1518 qinq:10)" "$(frame 1522 qinq:100 vlan:10)"
	same dropped "$(stat '[.oversize.packets, .ports[0].rx_dropped]' | jq -c)" '[0,0]'
	send h1 e0 "$(frame 1515)" "$(frame 1519 vlan:10)" "$(frame 1523 qinq:100 vlan:10)" "$(frame 5000)"
	passes h1 h2 "$(frame 100)"
	same oversize "$(stat '[.oversize.packets, .oversize.port, .oversize.length, .ports[0].rx_dropped]' | jq -c)" '[4,1,5000,4]'
	same sample "$(stat .oversize.sample | tr -d '"')" "$(frame 5000 | cut -c 1-40)"
	end_wire
}

@test "kernel hosts with all offloads on: checksums are completed and large frames cut" {
	wire if:h1 if:h2
	local to
	capture seen h2 e0 -s 200 'tcp or udp'
	for to in 10.0.0.2 2001:db8::2; do
		pings h1 $to
		spawn server h2 iperf3 -s -1 --forceflush
		await 10 grep -q listening "$W/server.out"
		in_ns h1 timeout 30 iperf3 -c $to -n 20M -J > "$W/tcp"
		jq -e '.end | .sum_received.bytes * 2 > .sum_sent.bytes and .sum_sent.retransmits < 50' "$W/tcp"
		finished server 10
		spawn server h2 iperf3 -s -1 --forceflush
		await 10 grep -q listening "$W/server.out"
		in_ns h1 timeout 30 iperf3 -u -c $to -n 1M -b 100M -J > "$W/udp"
		jq -e '.end.sum.packets > 500 and .end.sum.lost_packets < .end.sum.packets / 10' "$W/udp"
		finished server 10
	done
	captured seen 0
	[ "$(stat '.ports[0].csum_unfinished')" -gt 10000 ]
	[ "$(stat '.ports[1].csum_unfinished')" -gt 100 ]
	same oversize "$(stat .oversize.packets)" 0
	same "longest frame" "$(decoded seen -T fields -e frame.len | sort -n | tail -1)" 1514
	end_wire
}

@test "what was completed and cut has right checksums on the wire" {
	wire if:h1 if:h2
	capture seen h2 e0 -s 2000 'tcp or udp'
	local to
	for to in 10.0.0.2 2001:db8::2; do
		spawn server h2 timeout 20 python3 -c 'import socket,sys
s = socket.create_server((sys.argv[1], 5000), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
print("listening", flush=True)
c, n = s.accept()[0], 0
while b := c.recv(1 << 16):
    n += len(b)
print(n)' $to
		await 10 grep -q listening "$W/server.out"
		in_ns h1 python3 -c 'import socket,sys
s = socket.create_connection((sys.argv[1], 5000))
s.sendall(bytes(range(256)) * 2000)' $to
		finished server 20
		same received "$(tail -1 "$W/server.out")" 512000
	done
	captured seen 700 10
	local bad
	bad=$(decoded seen -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-Y 'tcp.checksum.status == 0 or ip.checksum.status == 0 or udp.checksum.status == 0')
	[ -z "$bad" ] || fail "$bad"
	local good
	good=$(decoded seen -o tcp.check_checksum:TRUE -Y 'tcp.checksum.status == 1' -T fields -e frame.number | wc -l)
	[ "$good" -gt 700 ] || fail "$good frames with a right checksum"
	end_wire
}

@test "a frame that the device does not take holds up nobody" {
	wire if:h1 if:h2
	in_ns e ip link set h2 mtu 1000
	local -a frames=("$(frame 1400)" "$(frame 70)" "$(frame 1401)" "$(frame 71)")
	spawn recv h2 python3 -B "$FRAME" recv e0 -n 2 -t 10 -m 88b5
	await 10 grep -q listening "$W/recv.out"
	send h1 e0 "${frames[@]}"
	finished recv 20
	same frames "$(tail -n +2 "$W/recv.out")" "${frames[1]}"$'\n'"${frames[3]}"
	same refused "$(stat '.ports[1].refused')" 2
	end_wire
}

@test "without buffers frames are counted, and taken again when there are some" {
	wire if:h1 if:h2
	pings h1 10.0.0.2
	same answer "$(ask hoard)" ok
	send h1 e0 -n 200 "$(frame 100)"
	await 5 some_lost
	same answer "$(ask release)" ok
	pings h1 10.0.0.2
	end_wire
}

some_lost()
{
	[ "$(stat .no_mbuf)" -gt 50 ]
}

@test "carrier follows the other end" {
	wire if:h1 if:h2
	ip -n "$T-h1" link set e0 down
	await 5 said 'p1 link=0 present=1'
	ip -n "$T-h1" link set e0 up
	await 5 said 'p1 link=1 present=1'
	ip -n "$T-e" link set h1 down
	await 5 said 'p1 link=0 present=1'
	ip -n "$T-e" link set h1 up
	await 5 said 'p1 link=1 present=1'
	same speed "$(stat '.ports[0].speed_bps')" 10000000000
	pings h1 10.0.0.2
	end_wire
}

@test "an interface that is deleted and made anew is taken again" {
	wire if:h1 if:h2
	pings h1 10.0.0.2
	ip -n "$T-e" link del h1
	await 5 said 'p1 link=0 present=0'
	cable h1
	await 5 said 'p1 link=1 present=1'
	pings h1 10.0.0.2
	same ipv6 "$(in_ns e cat /proc/sys/net/ipv6/conf/h1/disable_ipv6)" 1
	same promiscuity "$(in_ns e ip -d -j link show h1 | jq '.[0].promiscuity')" 1
	end_wire
	same ipv6 "$(in_ns e cat /proc/sys/net/ipv6/conf/h1/disable_ipv6)" 0
}

@test "the kernel's stack is silent on an interface while the engine has it" {
	spawn quiet h1 tcpdump -n -Q in -i e0 -w "$W/quiet.pcap" -U --immediate-mode
	await 10 grep -q 'listening on' "$W/quiet.out"
	wire if:h1 if:h2
	in_ns h1 arping -c 2 -w 1 -I e0 10.0.0.77 || true
	in_ns e ip link show h1 | grep -q NOARP
	kill -INT "$(< "$W/quiet.pid")"
	finished quiet 10 || true
	same "frames of the kernel" "$(decoded quiet -Y "eth.src == $(in_ns e cat /sys/class/net/h1/address)" -T fields -e frame.number | wc -l)" 0
	end_wire
}

@test "stopped, closed and opened again, everything is as it was found" {
	local h1 h2
	ip -n "$T-e" link set h1 up mtu 1400
	h1=$(found h1) h2=$(found h2)
	wire -M 9000 if:h1 if:h2
	run ! is_found h1 "$h1"
	run ! is_found h2 "$h2"
	pings h1 10.0.0.2
	same answer "$(ask reopen)" ok
	pings h1 10.0.0.2
	same answer "$(ask mtu 9000)" ok
	same mtu "$(in_ns e cat /sys/class/net/h1/mtu)" 9008
	end_wire
	same h1 "$(found h1)" "$h1"
	same h2 "$(found h2)" "$h2"
}

@test "after kill -9 everything is as it was found, and the next engine starts at once" {
	local h1 h2
	ip -n "$T-e" link set h1 up
	h1=$(found h1) h2=$(found h2)
	wire if:h1 if:h2
	run ! is_found h1 "$h1"
	kill -9 "$WIRE"
	await 5 is_found h1 "$h1"
	await 5 is_found h2 "$h2"
	wire if:h1 if:h2
	kill -9 "$WIRE"
	wire if:h1 if:h2
	pings h1 10.0.0.2
	end_wire
	same h1 "$(found h1)" "$h1"
	same h2 "$(found h2)" "$h2"
}

@test "an interface is not given to the next engine before the last one's changes are undone" {
	local keeper
	wire if:h1 if:h2
	keeper=$(pgrep -P "$WIRE")
	kill -STOP "$keeper"
	kill -9 "$WIRE"
	run -4 wire_refused if:h2
	[[ $output == *"h2 is in use by another engine; hint: its keeper is process $keeper"* ]]
	kill -CONT "$keeper"
	wire if:h2
	end_wire
}

@test "the keeper does its work when signals of the engine's group hit it, too" {
	local h1 keeper
	h1=$(found h1)
	wire if:h1 if:h2
	keeper=$(pgrep -P "$WIRE")
	same name "$(< "/proc/$keeper/comm")" pe-keeper
	same descriptors "$(readlink "/proc/$keeper/fd"/* | sed 's/:.*//' | sort | uniq -c | xargs)" '3 /dev/null 3 socket' # one to pe, two claims
	kill -TERM "$keeper"
	kill -INT "$keeper"
	kill -HUP "$keeper"
	kill -9 "$WIRE"
	await 5 is_found h1 "$h1"
	await 5 test ! -d "/proc/$keeper"
}

@test "interfaces that are not free are refused, with the reason and the way out" {
	run -3 wire_refused if:h11 if:h2
	[[ $output == *"h11: no such interface; hint: there are h1, h2"* ]]
	ip -n "$T-e" addr add 192.0.2.1/25 dev h1
	run -4 wire_refused if:h1 if:h2
	[[ $output == *"h1 has the address 192.0.2.1/25 of the kernel; hint: ip addr flush dev h1"* ]]
	ip -n "$T-e" addr flush dev h1
	ip -n "$T-e" addr add 2001:db8:1::1/64 dev h1 nodad
	run -4 wire_refused if:h1 if:h2
	[[ $output == *"h1 has the address 2001:db8:1::1/64 of the kernel"* ]]
	ip -n "$T-e" addr flush dev h1
	ip -n "$T-e" link add kbr type bridge
	ip -n "$T-e" link set h1 master kbr
	run -4 wire_refused if:h1 if:h2
	[[ $output == *"h1 is a member of kbr; hint: ip link set dev h1 nomaster"* ]]
	ip -n "$T-e" link set h1 nomaster
	run -5 wire_refused if:lo
	[[ $output == *"lo is not an Ethernet interface"* ]]
	run -5 wire_refused -m 1600 if:h1
	[[ $output == *"ports.p1.mtu: 1600 is more than the buffers"* ]]
	run -5 in_ns e setpriv --bounding-set=-net_raw,-net_admin "$PEKIT_TEST/net/port_test" if:h1 < /dev/null
	[[ $output == *"no permission to"* ]]
	wire if:h1 if:h2
	run -4 wire_refused if:h2
	[[ $output == *"h2 is in use by another engine"* ]]
	end_wire
	run -4 wire_refused if:h2 xdp:h2
	[[ $output == *"h2 is in use by another port"* ]]
	run -0 wire_refused if:h2
}

@test "xdp: carries frames, and a killed one leaves no program and no promiscuous mode" {
	local h1 h
	ip -n "$T-e" link set h1 up
	ip -n "$T-e" link set h2 up
	h1=$(found h1)
	for h in h1 h2; do
		in_ns $h ethtool -K e0 tx off txvlan off > /dev/null
	done
	wire xdp:h1 xdp:h2
	grep -q '^warning xdp:h1 is a veth: accelerated VLAN tags' "$W/wire.out"
	pings h1 10.0.0.2
	passes h1 h2 "$(frame 60)" "$(frame 64 vlan:10)" "$(frame 68 qinq:100 vlan:10)"
	found h1 | grep -q xsk_def_prog
	(($(in_ns e cat /sys/class/net/h1/flags) & PROMISC))
	ip -n "$T-h1" link set e0 down
	await 5 said 'p1 link=0 present=1'
	ip -n "$T-h1" link set e0 up
	await 5 said 'p1 link=1 present=1'
	kill -9 "$WIRE"
	await 5 is_found h1 "$h1"
	wire xdp:h1 if:h2
	pings h1 10.0.0.2
	same answer "$(ask reopen)" ok
	pings h1 10.0.0.2
	kill "$WIRE"
	wait "$WIRE"
	same h1 "$(found h1)" "$h1"
}

@test "vdev: comes and goes while the engine runs; what does not exist is refused" {
	ip netns exec "$T-h1" tcpdump -n -c 2 -i e0 -Q out -w "$W/in.pcap" 'ether src 02:00:00:00:00:01 and not ip6' 2>/dev/null 3>&- &
	echo $! >> "$W/pids"
	# shellcheck disable=SC2016
	await 10 in_ns h1 sh -c 'grep -q "[0-9]" /proc/net/packet && [ "$(wc -l < /proc/net/packet)" -gt 1 ]'
	ip -n "$T-e" link set h1 up
	send h1 e0 "$(frame 60)" "$(frame 64 vlan:10)"
	wait $!
	spawn recv h2 python3 -B "$FRAME" recv e0 -n 4 -t 20 -m 88b5
	await 10 grep -q listening "$W/recv.out"
	wire "vdev:net_pcap7,rx_pcap=$W/in.pcap" if:h2
	await 5 stat_is '.ports[1].sent' 2
	same answer "$(ask reopen)" ok
	finished recv 20
	same frames "$(tail -n +2 "$W/recv.out" | sort -u)" "$(printf '%s\n' "$(frame 60)" "$(frame 64 vlan:10)" | sort)"
	kill "$WIRE"
	wait "$WIRE"
	run -3 wire_refused vdev:net_nothing0
	run -4 wire_refused vdev:net_null1 vdev:net_null1
	[[ $output == *"ports.p2.device: net_null1 is in use already"* ]]
	run -3 wire_refused pci:0000:fe:1f.7
	[[ $output == *"no such PCI device"* ]]
}
