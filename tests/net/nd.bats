#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Neighbour discovery, duplicate address detection and router advertisements, with kernel hosts on the wire.

load lib

HOSTS_PY="$BATS_TEST_DIRNAME/hosts.py"

setup()
{
	net_setup
}

teardown()
{
	net_teardown
}

# rig CORES [JQ-FILTER]: h1 and h4 in VLAN 10, h2 in VLAN 20, h3 on a port of its own.
rig()
{
	local h
	host h1 2001:db8:10::2/64
	host h2 2001:db8:20::2/64
	host h3 2001:db8:30::2/64
	host h4 2001:db8:10::4/64
	for h in h1:10 h2:20 h3:30 h4:10; do
		ip -n "$T-${h%:*}" -6 route add default via "2001:db8:${h#*:}::1"
	done
	jq --argjson n "$1" ".cores.data = \$n | ${2:-.}" <<-'END' | engine x
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "p3": { "device": "if:h3" }, "p4": { "device": "if:h4" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 }, "p4": { "untagged": 10 } } } },
	  "interfaces": {
	    "v10": { "bridge": "br0", "vlan": 10, "addresses": ["2001:db8:10::1/64"] },
	    "v20": { "bridge": "br0", "vlan": 20, "addresses": ["2001:db8:20::1/64"] },
	    "w30": { "port": "p3", "addresses": ["2001:db8:30::1/64"] } } }
	END
}

# When our own addresses have been tested.
ready()
{
	await 10 pings h1 2001:db8:20::2 -c 1
	await 10 pings h1 2001:db8:30::2 -c 1
}

# QUICK: times that make a neighbour's death a matter of seconds.
QUICK='.neighbors = { "reachable_ms": 1000, "delay_ms": 200, "retrans_ms": 200 }'

neighbors()
{
	ndmgr show -a "$T-x" -j | jq -ec "${1:-.}"
}

neighbor()
{
	neighbors "map(select(.address == \"$1\"))[0] | ${2:-.}"
}

is()
{
	same "$1 $2" "$(neighbor "$1" "$2")" "$3"
}

equal()
{
	ndmgr verify -a "$T-x"
}

event()
{
	grep -aqF -- "$1" "/dev/shm/pekit.$T-x"
}

stat()
{
	ndmgr stats -a "$T-x" -j | jq "[.. | objects | select(.core? != null and .core != \"all\") | .$1? // empty] | add"
}

sees()
{
	[ -n "$(decoded "$1" -Y "$2")" ]
}

@test "resolved both ways, on all of two or three cores, in several VLANs and on a port" {
	local n
	rig 2
	for n in 2 3; do
		[ "$n" = 2 ] || { engine_stop x; jq '.cores.data = 3' "$W/x.json" > "$W/y.json"; engine x < "$W/y.json"; }
		ready
		pings h1 2001:db8:10::1
		pings h3 2001:db8:20::2
		pings h1 fe80::1%e0 -c 1 || true # nobody has it: no answer, and no harm
		is 2001:db8:20::2 .mac "\"$(mac_of h2)\""
		is 2001:db8:30::2 .interface '"w30"'
		same "cores" "$(neighbor 2001:db8:20::2 '.cores | length')" "$n"
		await 3 equal
	done
}

@test "what we send is as RFC 4861 and 4862 want it: a test first, then advertisements; solicitations to the right group" {
	host h1 2001:db8:10::2/64
	capture h1 h1 e0 icmp6
	engine x <<-'END'
	{ "ports": { "p1": { "device": "if:h1" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 } } } },
	  "interfaces": { "v10": { "bridge": "br0", "vlan": 10, "addresses": ["2001:db8:10::abcd:1/64"], "mac": "02:00:00:00:aa:10" } } }
	END
	await 10 twice h1 'icmpv6.type == 136 and icmpv6.nd.na.target_address == 2001:db8:10::abcd:1 and ipv6.dst == ff02::1'
	ndmgr resolve -a "$T-x" 2001:db8:10::2 dev v10
	captured h1 0
	same "the test" "$(decoded h1 -T fields -e eth.dst -e ipv6.src -e ipv6.dst -e icmpv6.opt.type \
		-Y 'icmpv6.type == 135 and icmpv6.nd.ns.target_address == 2001:db8:10::abcd:1')" \
		"$(printf '33:33:ff:cd:00:01\t::\tff02::1:ffcd:1\t')"
	same "advertisements" "$(decoded h1 -T fields -e eth.dst -e eth.src -e ipv6.src -e icmpv6.nd.na.flag.o -e icmpv6.nd.na.flag.s \
		-e icmpv6.nd.na.flag.r -e icmpv6.opt.linkaddr -Y 'icmpv6.type == 136 and icmpv6.nd.na.target_address == 2001:db8:10::abcd:1 and ipv6.dst == ff02::1' | sort -u)" \
		"$(printf '33:33:00:00:00:01\t02:00:00:00:aa:10\t2001:db8:10::abcd:1\t1\t0\t1\t02:00:00:00:aa:10')"
	same "the solicitation" "$(decoded h1 -T fields -e eth.dst -e ipv6.src -e ipv6.dst -e icmpv6.opt.linkaddr \
		-Y 'icmpv6.type == 135 and icmpv6.nd.ns.target_address == 2001:db8:10::2')" \
		"$(printf '33:33:ff:00:00:02\t2001:db8:10::abcd:1\tff02::1:ff00:2\t02:00:00:00:aa:10')"
	sees h1 'icmpv6.type == 135 and icmpv6.nd.ns.target_address == fe80::ff:fe00:aa10'
	judge h1 02:00:00:00:aa:10
}

twice()
{
	[ "$(decoded "$1" -Y "$2" | wc -l)" -ge 2 ]
}

@test "ndisc6 gets an answer for what is ours, and none for what is not" {
	rig 2
	ready
	in_ns h1 ndisc6 -1 -q 2001:db8:10::1 e0
	same "our link-local address" "$(in_ns h4 ndisc6 -1 -q "$(link_local)" e0 | tr A-F a-f)" "$(in_ns h4 ndisc6 -1 -q 2001:db8:10::1 e0 | tr A-F a-f)"
	run ! in_ns h1 ndisc6 -1 -q -w 500 2001:db8:20::1 e0
	# h4 is on the same VLAN: its answer comes through the bridge
	same "h4" "$(in_ns h1 ndisc6 -1 -q 2001:db8:10::4 e0 | tr A-F a-f)" "$(mac_of h4)"
}

# Of interface v10, by its MAC.
link_local()
{
	in_ns h1 ip -6 -j neigh show 2001:db8:10::1 | jq -r '.[0].lladdr' |
		python3 -c 'import ipaddress; m = bytes.fromhex(input().replace(":", "")); print(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + bytes([m[0] ^ 2]) + m[1:3] + b"\xff\xfe" + m[3:]))'
}

@test "router advertisements: off unless wanted; when wanted, rdisc6 and a kernel host believe them, and a last one ends it" {
	rig 2 '.interfaces.v10.router_advertisements = { "enabled": true, "interval_s": 4, "lifetime_s": 60 }'
	ns_new slaac
	run ! in_ns h2 rdisc6 -1 -q -w 1000 e0
	in_ns h1 rdisc6 -1 e0 > "$W/ra"
	cat "$W/ra"
	grep -q 'Router lifetime *: *60' "$W/ra"
	grep -q 'Prefix *: 2001:db8:10::/64' "$W/ra"
	grep -q 'Source link-layer address' "$W/ra"
	grep -q 'MTU *: *1500' "$W/ra"
	capture ra h4 e0 'icmp6 and ip6[40] == 134'
	in_ns h4 sysctl -qw net.ipv6.conf.e0.accept_ra=2
	ip -n "$T-h4" -6 route del default
	await 15 default_route h4
	await 5 slaac_address h4
	pings h4 2001:db8:20::2
	patch x <<< '{ "interfaces": { "v10": { "router_advertisements": { "enabled": false } } } }'
	await 5 no_default_route h4
	captured ra 0
	same "the last one's lifetime" "$(decoded ra -T fields -e icmpv6.nd.ra.router_lifetime | tail -1)" 0
	judge ra
}

default_route()
{
	in_ns "$1" ip -6 route show default | grep -q 'proto ra'
}

no_default_route()
{
	! default_route "$1"
}

slaac_address()
{
	ip -n "$T-$1" -6 addr show dev e0
	ip -n "$T-$1" -6 -j addr show dev e0 | jq -e '.[0].addr_info | map(select(.dynamic and .scope == "global")) | length > 0'
}

@test "a neighbour that changes its MAC says so, and traffic follows without a question" {
	rig 3
	ready
	in_ns h2 sysctl -qw net.ipv6.conf.e0.ndisc_notify=1
	pings h1 2001:db8:20::2
	local asked
	asked=$(stat solicited)
	ip -n "$T-h2" link set e0 address 02:00:00:00:be:ef
	await 3 is 2001:db8:20::2 .mac '"02:00:00:00:be:ef"'
	await 3 equal
	same "cores that have it" "$(neighbor 2001:db8:20::2 '.cores | length')" 3
	same "solicitations meanwhile" "$(stat solicited)" "$asked"
	pings h1 2001:db8:20::2 -c 10
}

@test "a neighbour that falls silent is gone on all cores, and its callers are told" {
	rig 3 "$QUICK"
	ready
	ip -n "$T-h2" addr del 2001:db8:20::2/64 dev e0
	spawn calls h1 ping -n -i 0.1 -w 20 2001:db8:20::2
	await 15 grep -q 'From 2001:db8:10::1.*Address unreachable' "$W/calls.out"
	await 5 has_no 2001:db8:20::2
	await 3 equal
	ip -n "$T-h2" addr add 2001:db8:20::2/64 dev e0 nodad
	ip -n "$T-h2" -6 route replace default via 2001:db8:20::1
	await 5 pings h1 2001:db8:20::2
}

has_no()
{
	[ "$(ndmgr show -a "$T-x" --per-core -j | jq "[.[] | select(.address == \"$1\" and .mac != null and .mac != \"\")] | length")" = 0 ]
}

@test "an address that somebody has is not used, with an event; once it is free, it is" {
	host h1 2001:db8:10::2/64
	host h4 2001:db8:10::1/64
	engine x <<-'END'
	{ "ports": { "p1": { "device": "if:h1" }, "p4": { "device": "if:h4" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p4": { "untagged": 10 } } } },
	  "interfaces": { "v10": { "bridge": "br0", "vlan": 10, "addresses": ["2001:db8:10::1/64", "2001:db8:10::5/64"] } } }
	END
	await 5 event "interface v10: 2001:db8:10::1 is in use by $(mac_of h4): not used"
	await 10 pings h1 2001:db8:10::5 -c 1
	pings h1 2001:db8:10::1
	same "who answers" "$(in_ns h1 ip -6 -j neigh show 2001:db8:10::1 | jq -r '.[0].lladdr')" "$(mac_of h4)"
	# When the links have been away, it is tested again.
	ip -n "$T-h4" addr del 2001:db8:10::1/64 dev e0
	ip -n "$T-e" link set h1 down
	ip -n "$T-e" link set h4 down
	await 5 event "interface v10: down"
	ip -n "$T-e" link set h1 up
	ip -n "$T-e" link set h4 up
	await 10 event "interface v10: 2001:db8:10::1 is nobody else's any more: used"
	await 10 pings h1 2001:db8:10::1
}

@test "we defend an address of ours against a host that tests it" {
	local our_na='icmpv6.type == 136 and icmpv6.nd.na.target_address == 2001:db8:10::1 and ipv6.dst == ff02::1'
	rig 2
	capture said h4 e0 icmp6
	# What we announce on our own would do for an answer: that must be over.
	await 10 twice said "$our_na" || [ -n "$(decoded said -Y "$our_na")" ]
	ready
	in_ns h4 sysctl -qw net.ipv6.conf.e0.accept_dad=1
	ip -n "$T-h4" addr add 2001:db8:10::1/64 dev e0
	await 10 dad_failed h4
	pings h1 2001:db8:10::1
}

dad_failed()
{
	ip -n "$T-$1" -6 addr show dev e0 | grep -q dadfailed
}

@test "4,000 hosts behind one port, all resolved on all cores" {
	host h1 2001:db8:10::2/64
	ns_new many
	link many e0 e many
	ip -n "$T-h1" -6 route add default via 2001:db8:10::1
	engine x <<-'END'
	{ "cores": { "data": 3 }, "tables": { "neighbors": 8192 },
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:many" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 } } } },
	  "interfaces": { "v10": { "bridge": "br0", "vlan": 10, "addresses": ["2001:db8:10::1/64"] },
	                  "v20": { "bridge": "br0", "vlan": 20, "addresses": ["2001:db8:20::ffff:1/64"] } } }
	END
	spawn many many python3 -B "$HOSTS_PY" answer e0 -n 4000 -6 2001:db8:20::
	await 10 grep -q listening "$W/many.out"
	await 10 pings h1 2001:db8:20::ffff:1 -c 1
	in_ns h1 python3 -B "$HOSTS_PY" talk 2001:db8:20:: -n 4000 -r 900
	resolved_all 4000 || in_ns h1 python3 -B "$HOSTS_PY" talk 2001:db8:20:: -n 4000 -r 900
	await 10 resolved_all 4000
	await 5 equal
	# each core owns its share
	[ "$(neighbors '[.[] | select(.interface == "v20") | .owner] | unique | length')" = 3 ]
}

resolved_all()
{
	local n
	n=$(neighbors "[.[] | select((.cores | length) == 3 and .mac != null and .interface == \"v20\" and (.address | startswith(\"2001:\")))] | length")
	[ "$n" -ge "$1" ] || fail "$n of $1"
}

@test "an ND storm from one port: the policer holds, everything else goes on" {
	rig 2
	ready
	pings h3 2001:db8:20::2
	spawn storm h4 python3 -B "$HOSTS_PY" storm e0 nd -n 200000 -t 2001:db8:10::1 -f 2001:db8:10::
	await 5 grep -q storming "$W/storm.out"
	in_ns h3 ping -n -q -i 0.02 -c 50 -W 2 2001:db8:20::2 > "$W/ping"
	finished storm 60
	cat "$W/ping" "$W/storm.out"
	grep -q ' 0% packet loss' "$W/ping"
	dropped x police_nd
	await 5 equal
	pings h1 2001:db8:20::2
}
