#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Engines on xdp: ports (AF_XDP) between kernel hosts, and devices that cannot be had: pci:.

load lib
bats_require_minimum_version 1.5.0

PROMISC=0x100

setup()
{
	net_setup
	local h
	for h in h1 h2; do
		host $h 10.9.0.${h#h}/24
		# A wire carries tags and checksums in the frame, and AF_XDP sees nothing beside it.
		in_ns $h ethtool -K e0 tx off txvlan off > /dev/null
		# As it was found shall mean that it was up.
		ip -n "$T-e" link set $h up
	done
}

teardown()
{
	net_teardown
}

pair()
{
	engine x <<-'END'
	{ "ports": { "p1": { "device": "xdp:h1" }, "p2": { "device": "xdp:h2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 1, "tagged": [10, 4000] }, "p2": { "untagged": 1, "tagged": [10] } } } } }
	END
}

# As before any engine: no XDP program, no promiscuous mode, the kernel's IPv6 and ARP.
clean()
{
	local show
	show=$(in_ns e ip -j -d link show dev "$1")
	jq -e '.[0] | (has("xdp") | not) and (.flags | index("NOARP") | not) and (.flags | index("UP"))' <<< "$show" || fail "$show" || return
	[ $(($(in_ns e cat "/sys/class/net/$1/flags") & PROMISC)) = 0 ] || fail "$1 is promiscuous" || return
	same "disable_ipv6 of $1" "$(in_ns e cat "/proc/sys/net/ipv6/conf/$1/disable_ipv6")" 0
}

program()
{
	in_ns e ip -j -d link show dev "$1" | jq -e '.[0].xdp.prog.id'
}

# passes FROM TO HEX...: these frames arrive, tags and all.
passes()
{
	local from=$1 to=$2 want
	shift 2
	spawn recv "$to" python3 -B "$FRAME" recv e0 -n $# -t 10 -m 88b5
	await 10 grep -q listening "$W/recv.out"
	send "$from" e0 "$@"
	finished recv 20
	want=$(printf '%s\n' "$@")
	# Frames of different flows may overtake each other between the cores.
	same frames "$(tail -n +2 "$W/recv.out" | sort)" "$(sort <<< "$want")"
}

# tagged DST SRC TAG...: a frame of 80 bytes
tagged()
{
	local text
	text=$(eth "$@" 88b5)
	printf '%s%0*d\n' "$text" $((160 - ${#text})) 0
}

@test "hosts reach each other through xdp: ports, untagged and with VLAN tags as they were" {
	pair
	pings h1 10.9.0.2
	pings h2 10.9.0.1 -s 1400
	program h1
	local h1 h2
	h1=$(mac_of h1) h2=$(mac_of h2)
	passes h1 h2 "$(tagged "$h2" "$h1")" "$(tagged "$h2" "$h1" vlan:10)" "$(tagged "$h2" "$h1" vlan:57354)"
	passes h2 h1 "$(tagged "$h1" "$h2" vlan:10)" "$(tagged "$h1" "$h2")"
	at_port x "$h1" 10 p1
	at_port x "$h2" 10 p2
	await 3 coherent x
	# VLAN 4000 is p1's alone.
	spawn recv h2 python3 -B "$FRAME" recv e0 -n 2 -t 1.5 -m 88b5
	await 10 grep -q listening "$W/recv.out"
	send h1 e0 "$(tagged "$h2" "$h1" vlan:4000)" "$(tagged "$h2" "$h1" vlan:10)"
	finished recv 20
	same frames "$(tail -n +2 "$W/recv.out")" "$(tagged "$h2" "$h1" vlan:10)"
}

@test "xdp: and if: ports in one bridge; a port comes and goes live" {
	engine x <<-'END'
	{ "ports": { "p1": { "device": "xdp:h1" }, "p2": { "device": "if:h2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 1 }, "p2": { "untagged": 1 } } } } }
	END
	pings h1 10.9.0.2
	patch x <<< '{"ports": {"p1": null}, "bridges": {"br0": {"ports": {"p1": null}}}}'
	silent h1 10.9.0.2
	await 5 clean h1
	patch x <<< '{"ports": {"p1": {"device": "xdp:h1"}}, "bridges": {"br0": {"ports": {"p1": {"untagged": 1}}}}}'
	await 5 pings h1 10.9.0.2
}

free_mbufs()
{
	pe status -a "$T-$1" -j | jq -e .mbufs.free
}

# mbufs_back NAME COUNT: as many are free, but for what a burst of every core and queue holds at the moment.
mbufs_back()
{
	local now
	now=$(free_mbufs "$1") || return
	[ "$now" -ge $(($2 - 128)) ] || fail "$now mbufs are free, should be about $2"
}

add_p1()
{
	patch x <<< '{"ports": {"p1": {"device": "xdp:h1"}}, "bridges": {"br0": {"ports": {"p1": {"untagged": 1}}}}}'
}

remove_p1()
{
	patch x <<< '{"ports": {"p1": null}, "bridges": {"br0": {"ports": {"p1": null}}}}'
}

@test "an xdp: port that comes and goes under traffic gives all mbufs back" {
	engine x <<-'END'
	{ "ports": { "p2": { "device": "if:h2" } }, "bridges": { "br0": { "ports": { "p2": { "untagged": 1 } } } } }
	END
	local all with
	all=$(pe status -a "$T-x" -j | jq -e .mbufs.total)
	await 5 mbufs_back x "$all"
	spawn flood1 h1 ping -q -f 10.9.0.2
	spawn flood2 h2 ping -q -f -s 1400 10.9.0.1
	add_p1
	await 5 pings h1 10.9.0.2
	with=$(free_mbufs x)
	[ "$with" -lt $((all - 1000)) ] || fail "an xdp: port took only $((all - with)) mbufs"
	for _ in {1..10}; do
		remove_p1
		add_p1
		await 5 pings h1 10.9.0.2
	done
	await 5 mbufs_back x "$with"
	remove_p1
	patch x <<< '{"ports": {"p2": null}, "bridges": {"br0": {"ports": {"p2": null}}}}'
	same "free mbufs without a port" "$(free_mbufs x)" "$all"
}

@test "no program is left after a stop, nor after kill -9; the next engine starts" {
	pair
	program h1
	program h2
	engine_stop x
	clean h1
	clean h2
	pair
	await 5 pings h1 10.9.0.2
	kill -9 "$(engine_pid x)"
	await 5 clean h1
	await 5 clean h2
	pair
	await 5 pings h1 10.9.0.2
	# The keeper goes first, so that nobody is there to clean up.
	kill -9 "$(pgrep -P "$(engine_pid x)" -x pe-keeper)"
	kill -9 "$(engine_pid x)"
	await 5 died x
	program h1
	pair
	await 5 pings h1 10.9.0.2
	engine_stop x
	run ! program h1
	run ! program h2
}

died()
{
	[ "$(pemon show -a "$T-$1" -j | jq -r .state)" = dead ]
}

@test "another's XDP program is left alone, and the port is refused" {
	local object="$W/pass.o"
	clang -O2 -target bpf -x c -c -o "$object" - <<-'END'
	char text[] __attribute__((section("license"))) = "GPL";
	__attribute__((section("xdp"))) int pass(void *frame) { (void)frame; return 2; }
	END
	in_ns e ip link set dev h1 xdpgeneric obj "$object" sec xdp
	run engine_refused x <<< '{"ports": {"p1": {"device": "xdp:h1"}, "p2": {"device": "if:h2"}}}'
	same "exit status" "$status" 4
	[[ $output == *"ports.p1.device: h1 has the XDP program"*"ip link set dev h1 xdp off"* ]] || fail "$output"
	program h1
}

@test "where accelerated tags would vanish, the log says so, and the way out" {
	pair
	grep -q 'xdp:h1 is a veth: accelerated VLAN tags.*ethtool -K DEV tx off txvlan off' "$W/x.log"
}

# wrong STATUS WORD DEVICE: a port on it is refused so, and nothing of the engine is left.
wrong()
{
	run engine_refused x <<< "{\"ports\": {\"p1\": {\"device\": \"$3\"}, \"p2\": {\"device\": \"if:h2\"}}}"
	same "exit status for $3" "$status" "$1"
	[[ $output == *"ports.p1.device: "*"$2"* ]] || fail "no word of '$2' in: $output"
	clean h2
}

@test "devices that are not there, or that the kernel has" {
	wrong 3 'nosuch: no such interface' xdp:nosuch
	wrong 5 'lo is not an Ethernet interface' xdp:lo
	wrong 3 'pci:0000:fe:1f.7: no such PCI device' pci:0000:fe:1f.7
	local path driver address=
	for path in /sys/bus/pci/devices/*/driver; do
		driver=$(basename "$(readlink "$path")")
		case $driver in
		'*' | vfio-pci | uio_pci_generic | igb_uio | mlx?_core | mana) ;;
		*)
			address=$(basename "$(dirname "$path")")
			break
			;;
		esac
	done
	[ -n "$address" ] || skip "no PCI device has a driver of the kernel's here"
	wrong 5 "pci:$address is bound to $driver" "pci:$address"
	[[ $output == *"vfio-pci"* ]] || fail "no hint: $output"
	same driver "$(basename "$(readlink "/sys/bus/pci/devices/$address/driver")")" "$driver"
}
