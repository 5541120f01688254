#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# ARP of the engine's own addresses, with kernel hosts on the wire.

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
	host h1 10.0.10.2/24
	host h2 10.0.20.2/24
	host h3 10.0.30.2/24
	host h4 10.0.10.4/24
	for h in h1:10 h2:20 h3:30 h4:10; do
		ip -n "$T-${h%:*}" route add default via "10.0.${h#*:}.1"
	done
	jq --argjson n "$1" ".cores.data = \$n | ${2:-.}" <<-'END' | engine x
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "p3": { "device": "if:h3" }, "p4": { "device": "if:h4" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10, "tagged": [20] }, "p2": { "untagged": 20 }, "p4": { "untagged": 10 } } } },
	  "interfaces": {
	    "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.0.10.1/24"] },
	    "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.0.20.1/24"] },
	    "w30": { "port": "p3", "addresses": ["10.0.30.1/24"] } } }
	END
}

# QUICK: times that make a neighbour's death a matter of seconds.
QUICK='.neighbors = { "reachable_ms": 1000, "delay_ms": 200, "retrans_ms": 200 }'

# neighbors [FILTER]
neighbors()
{
	arpmgr show -a "$T-x" -j | jq -ec "${1:-.}"
}

neighbor()
{
	neighbors "map(select(.address == \"$1\"))[0] | ${2:-.}"
}

# is ADDRESS FILTER VALUE
is()
{
	same "$1 $2" "$(neighbor "$1" "$2")" "$3"
}

equal()
{
	arpmgr verify -a "$T-x"
}

# event TEXT: the engine has said so.
event()
{
	grep -aqF -- "$1" "/dev/shm/pekit.$T-x"
}

stat()
{
	arpmgr stats -a "$T-x" -j | jq "[.. | objects | select(.core? != null and .core != \"all\") | .$1? // empty] | add"
}

@test "resolved both ways, on all of two or three cores, in several VLANs and on a port" {
	local n target
	rig 2
	for n in 2 3; do
		[ "$n" = 2 ] || { engine_stop x; jq '.cores.data = 3' "$W/x.json" > "$W/y.json"; engine x < "$W/y.json"; }
		for target in 10.0.20.2 10.0.30.2 10.0.10.1; do
			pings h1 "$target"
		done
		pings h3 10.0.20.2
		is 10.0.20.2 .mac "\"$(mac_of h2)\""
		is 10.0.30.2 .mac "\"$(mac_of h3)\""
		is 10.0.30.2 .interface '"w30"'
		same "cores" "$(neighbor 10.0.20.2 '.cores | length')" "$n"
		await 3 equal
	done
}

@test "many cores miss at once: one request on the wire, and every packet held arrives" {
	rig 3 '.neighbors.hold = 16' # however late the answer comes
	capture asked h2 e0 arp
	spawn sink h2 tcpdump -n -l -Q in -i e0 udp port 9
	await 10 grep -q 'listening on' "$W/sink.out"
	# 6 flows, so that they fall to different cores; two packets each
	in_ns h1 python3 - <<-'END'
	import socket
	for round in range(2):
	    for port in range(2000, 2006):
	        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	        sock.bind(("10.0.10.2", port))
	        sock.sendto(b"hello", ("10.0.20.2", 9))
	END
	await 5 sh -c "[ \$(grep -c 'UDP' $W/sink.out) -ge 12 ]"
	captured asked 0
	same "requests for h2" "$(decoded asked -Y 'arp.opcode == 1 and arp.dst.proto_ipv4 == 10.0.20.2' | wc -l)" 1
	await 3 equal
}

@test "arping, arp-scan and a probe of ours are answered; others' addresses are not" {
	rig 2
	in_ns h1 arping -q -c 2 -i e0 10.0.10.1
	in_ns h1 arping -q -0 -c 1 -i e0 10.0.10.1
	run ! in_ns h1 arping -q -c 1 -w 500000 -i e0 10.0.20.1
	in_ns h1 arp-scan -q -x -I e0 10.0.10.0/29 > "$W/scan"
	cat "$W/scan"
	grep -q "^10.0.10.1" "$W/scan"
	# who is on the same VLAN is heard through the bridge
	grep -q "^10.0.10.4" "$W/scan"
	same "answers" "$(wc -l < "$W/scan")" 2
}

@test "what we send is as RFC 826 and 5227 want it: announcements, requests, tagged where the port is" {
	ns_new tag
	host h1 10.0.10.2/24
	link tag e0 e tag
	capture h1 h1 e0 arp
	capture tag tag e0 arp or vlan
	engine x <<-'END'
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:tag" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "tagged": [10, 20] } } } },
	  "interfaces": { "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.0.10.1/24", "10.0.11.1/24"], "mac": "02:00:00:00:aa:10" },
	                  "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.0.20.1/24"], "mac": "02:00:00:00:aa:20" } } }
	END
	# someone tagged asks
	send tag e0 "$(eth ff:ff:ff:ff:ff:ff 02:00:00:00:00:77 vlan:20 0806 0001 0800 0604 0001 020000000077 0a001407 000000000000 0a001401)"
	await 5 sees tag 'arp.opcode == 2 and vlan.id == 20'
	# ANNOUNCE_NUM is 2, 2 s apart
	await 8 announced h1 10.0.10.1 2
	await 3 announced h1 10.0.11.1 2
	captured h1 0
	captured tag 0
	same "announcements" "$(decoded h1 -T fields -e eth.dst -e arp.src.hw_mac -e arp.dst.hw_mac -Y 'arp.isgratuitous == 1' | sort -u)" \
		"$(printf 'ff:ff:ff:ff:ff:ff\t02:00:00:00:aa:10\t00:00:00:00:00:00')"
	same "the tagged answer" "$(decoded tag -T fields -e eth.dst -e eth.src -e arp.src.proto_ipv4 -e arp.dst.proto_ipv4 -Y 'arp.opcode == 2')" \
		"$(printf '02:00:00:00:00:77\t02:00:00:00:aa:20\t10.0.20.1\t10.0.20.7')"
	judge h1 02:00:00:00:aa:10
	judge tag 02:00:00:00:aa:10 02:00:00:00:aa:20
}

sees()
{
	[ -n "$(decoded "$1" -Y "$2")" ]
}

announced()
{
	[ "$(decoded "$1" -Y "arp.isgratuitous == 1 and arp.src.proto_ipv4 == $2" | wc -l)" -ge "$3" ]
}

@test "a neighbour that changes its MAC says so, and traffic follows without a question" {
	rig 3
	in_ns h2 sysctl -qw net.ipv4.conf.e0.arp_notify=1
	pings h1 10.0.20.2
	local asked
	asked=$(stat solicited)
	ip -n "$T-h2" link set e0 address 02:00:00:00:be:ef
	await 3 is 10.0.20.2 .mac '"02:00:00:00:be:ef"'
	await 3 equal
	same "cores that have it" "$(neighbor 10.0.20.2 '.cores | length')" 3
	pings h1 10.0.20.2 -c 10
	same "requests meanwhile" "$(stat solicited)" "$asked"
}

@test "a neighbour that falls silent is gone on all cores, and its callers are told" {
	rig 3 "$QUICK"
	pings h1 10.0.20.2
	ip -n "$T-h2" addr del 10.0.20.2/24 dev e0
	spawn calls h1 ping -n -i 0.1 -w 20 10.0.20.2
	await 15 grep -q 'From 10.0.10.1.*Destination Host Unreachable' "$W/calls.out"
	await 5 has_no 10.0.20.2
	await 3 equal
	ip -n "$T-h2" addr add 10.0.20.2/24 dev e0
	ip -n "$T-h2" route add default via 10.0.20.1
	await 5 pings h1 10.0.20.2
}

# Not usable on any core: no entry, or failed.
has_no()
{
	[ "$(arpmgr show -a "$T-x" --per-core -j | jq "[.[] | select(.address == \"$1\" and .mac != null and .mac != \"\")] | length")" = 0 ]
}

@test "one that stays is asked by unicast before its entry expires, while it is in use" {
	rig 2 "$QUICK"
	pings h1 10.0.20.2
	capture asked h2 e0 arp
	in_ns h1 ping -n -q -i 0.1 -w 4 10.0.20.2 > "$W/ping"
	captured asked 0
	[ "$(decoded asked -Y "arp.opcode == 1 and arp.dst.proto_ipv4 == 10.0.20.2 and eth.dst == $(mac_of h2)" | wc -l)" -ge 1 ] ||
		fail "never asked"
	same "broadcasts" "$(decoded asked -Y "arp.opcode == 1 and arp.dst.proto_ipv4 == 10.0.20.2 and eth.dst != $(mac_of h2)" | wc -l)" 0
	grep -q ' 0% packet loss' "$W/ping"
}

@test "somebody claims our address: an event, and we speak for it again" {
	rig 2
	pings h4 10.0.10.1
	local ours
	ours=$(in_ns h4 ip -j neigh show 10.0.10.1 | jq -r '.[0].lladdr')
	capture heard h4 e0 arp
	in_ns h1 arping -q -c 1 -U -i e0 -S 10.0.10.1 10.0.10.1 || true
	await 3 event "interface v10: 10.0.10.1 is also claimed by $(mac_of h1) (RFC 5227): announced again"
	await 3 sees heard "arp.isgratuitous == 1 and arp.src.proto_ipv4 == 10.0.10.1 and arp.src.hw_mac == $ours"
	captured heard 0
	await 3 pings h4 10.0.10.1
	pings h1 10.0.20.2
}

@test "given entries: used, kept, and gone when deleted" {
	rig 3
	arpmgr add -a "$T-x" 10.0.20.9 dev v20 lladdr 02:00:00:00:00:99
	is 10.0.20.9 .state '"permanent"'
	same "cores" "$(neighbor 10.0.20.9 '.cores | length')" 3
	run -4 arpmgr add -a "$T-x" 10.0.20.9 dev v20 lladdr 02:00:00:00:00:98
	arpmgr replace -a "$T-x" 10.0.20.9 dev v20 lladdr "$(mac_of h2)"
	ip -n "$T-h2" addr add 10.0.20.9/24 dev e0
	pings h1 10.0.20.9
	arpmgr flush -a "$T-x" --yes
	is 10.0.20.9 .state '"permanent"'
	arpmgr del -a "$T-x" 10.0.20.9 dev v20
	run -3 arpmgr del -a "$T-x" 10.0.20.9 dev v20
	arpmgr resolve -a "$T-x" 10.0.20.9 dev v20
	is 10.0.20.9 .state '"reachable"'
	run -3 arpmgr resolve -a "$T-x" 10.0.20.77 dev v20
	await 3 equal
}

@test "4,000 hosts behind one port, all resolved on all cores" {
	host h1 10.0.10.2/24
	ns_new many
	link many e0 e many
	ip -n "$T-h1" route add default via 10.0.10.1
	engine x <<-'END'
	{ "cores": { "data": 3 }, "tables": { "neighbors": 8192 },
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:many" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 } } } },
	  "interfaces": { "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.0.10.1/24"] },
	                  "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.20.255.254/16"] } } }
	END
	spawn many many python3 -B "$HOSTS_PY" answer e0 -n 4000 -4 10.20.0.0
	await 10 grep -q listening "$W/many.out"
	in_ns h1 python3 -B "$HOSTS_PY" talk 10.20.0.0 -n 4000 -r 900
	resolved_all 4000 || in_ns h1 python3 -B "$HOSTS_PY" talk 10.20.0.0 -n 4000 -r 900
	await 10 resolved_all 4000
	await 5 equal
}

resolved_all()
{
	local n
	n=$(neighbors "[.[] | select((.cores | length) == 3 and .mac != null and .interface == \"v20\")] | length")
	[ "$n" -ge "$1" ] || fail "$n of $1"
}

@test "a flood to a whole unused /16 leaves resolved neighbours alone" {
	rig 2 '.interfaces.v20.addresses = ["10.0.20.1/24", "10.66.0.1/16"]'
	pings h1 10.0.20.2
	spawn flood h4 python3 -B "$HOSTS_PY" talk 10.66.1.0 -n 60000 -r 20000
	in_ns h1 ping -n -q -i 0.02 -c 100 -W 2 10.0.20.2 > "$W/ping"
	finished flood
	cat "$W/ping"
	grep -q ' 0% packet loss' "$W/ping"
	dropped x nbr_limit
	await 5 equal
	is 10.0.20.2 .mac "\"$(mac_of h2)\""
}

@test "an ARP storm from one port: the policer holds, everything else goes on" {
	rig 2
	pings h1 10.0.20.2
	pings h3 10.0.20.2
	spawn storm h4 python3 -B "$HOSTS_PY" storm e0 arp -n 200000 -t 10.0.10.1 -f 10.0.10.0
	await 5 grep -q storming "$W/storm.out"
	in_ns h3 ping -n -q -i 0.02 -c 50 -W 2 10.0.20.2 > "$W/ping"
	finished storm 60
	cat "$W/ping" "$W/storm.out"
	grep -q ' 0% packet loss' "$W/ping"
	dropped x police_arp
	await 5 equal
	pings h1 10.0.20.2
}

@test "who waits for a neighbour holds up nobody, and gets its answers in order" {
	rig 2
	python3 - "${PEKIT_RUN:-/run/pekit}/$T-x.sock" <<-'END'
	import json, socket, sys
	def connect():
	    sock = socket.socket(socket.AF_UNIX)
	    sock.settimeout(20)
	    sock.connect(sys.argv[1])
	    return sock
	def ask(sock, *requests):
	    sock.sendall(b"".join(json.dumps(r).encode() + b"\n" for r in requests))
	absent = {"op": "nbr.resolve", "args": {"address": "10.0.20.77"}}
	waiting, gone, other = connect(), connect(), connect()
	ask(waiting, absent, {"op": "status"}, {"op": "nbr.resolve", "args": {"address": "10.0.20.2"}})
	waiting.shutdown(socket.SHUT_WR)
	ask(gone, absent)
	gone.close()
	ask(other, {"op": "status"}, {"op": "nbr.resolve", "args": {"address": "10.0.20.2"}})
	lines = other.makefile()
	assert "state" in json.loads(lines.readline())["result"]
	assert json.loads(lines.readline())["result"]["interface"] == "v20"
	waiting.setblocking(False)
	try:
	    raise SystemExit(f"answered too early: {waiting.recv(1000)}")
	except BlockingIOError:
	    waiting.settimeout(20)
	answers = [json.loads(line) for line in waiting.makefile()]
	assert len(answers) == 3, answers
	assert answers[0]["error"]["code"] == 3, answers[0]
	assert "state" in answers[1]["result"] and answers[2]["result"]["mac"], answers
	END
	pings h1 10.0.20.2
}
