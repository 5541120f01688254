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
	finished n
	# Frames that were on their way to the drained core may be overtaken.
	tail -1 "$W/n.out" | jq -e '.missing == 0 and .duplicates == 0'
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

# ---- neighbours ----------------------------------------------------------------------------------------------------------------

# router [OPTION...]: h1 and h2 in VLANs of their own, four cores
router()
{
	engine x "$@" <<-END
	{ "cores": { "data": 4 }, "memory": { "mbufs": 16384 },
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 } } } },
	  "interfaces": { "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.8.1.254/24", "fd08:1::fe/64"] },
	                  "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.8.2.254/24", "fd08:2::fe/64"] } } }
	END
	local h n
	for h in 1 2; do
		for n in 1 2 3 4 5 6 7 8; do
			ip -n "$T-h$h" addr add 10.8.$h.$n/24 dev e0
			ip -n "$T-h$h" addr add fd08:$h::$n/64 dev e0 nodad
		done
		ip -n "$T-h$h" route add default via 10.8.$h.254
		ip -n "$T-h$h" -6 route add default via fd08:$h::fe
	done
	await 10 in_ns h1 ping -n -q -c 1 -W 1 10.8.2.1
	await 10 in_ns h1 ping -n -q -c 1 -W 1 fd08:2::1
}

# Addresses that all four cores hold.
everywhere()
{
	{ arpmgr show -a "$T-x" -j; ndmgr show -a "$T-x" -j; } |
		jq -sr 'add | .[] | select((.cores | length) == 4 and .mac != null) | .address' | sort
}

# Everything in $W/before is still known to all.
nothing_lost()
{
	everywhere > "$W/now"
	same "neighbours that were lost" "$(comm -23 "$W/before" "$W/now")" ""
}

equal()
{
	arpmgr verify -a "$T-x" && ndmgr verify -a "$T-x"
}

remember()
{
	await 5 equal
	everywhere > "$W/before"
	[ "$(wc -l < "$W/before")" -ge 4 ] || fail "only $(wc -l < "$W/before") neighbours"
}

@test "the master core is drained: nothing resolved is lost, resolution goes on, and nobody is left out" {
	router
	local a
	for a in 10.8.2.2 fd08:2::2 fd08:2::3; do
		pings h1 $a
	done
	remember
	pe drain 1 -a "$T-x"
	same "master" "$(arpmgr owner 10.8.2.5 -a "$T-x" -j | jq -c '.[0] | [.owner, .backup]')" "[2,3]"
	nothing_lost
	for a in 10.8.2.4 fd08:2::4 fd08:2::5 fd08:2::6; do
		pings h1 $a
	done
	await 5 equal
	remember
	pe undrain 1 -a "$T-x"
	for a in 10.8.2.6 fd08:2::7 fd08:2::8; do
		pings h1 $a
	done
	await 5 equal
	nothing_lost
	same "master" "$(arpmgr owner 10.8.2.5 -a "$T-x" -j | jq '.[0].owner')" 1
}

# first_answer H ADDRESS: pings until the first answer and says how many milliseconds that took.
first_answer()
{
	local begin=${EPOCHREALTIME/./}
	until in_ns "$1" ping -n -q -c 1 -W 0.2 "$2" > /dev/null; do
		[ $((${EPOCHREALTIME/./} - begin)) -lt 15000000 ] || fail "no answer of $2 within 15 s" || return
	done
	echo $(((${EPOCHREALTIME/./} - begin) / 1000))
}

@test "the master core hangs: others resolve, and nothing that was resolved is lost" {
	router --allow-inject
	pings h1 10.8.2.2
	remember
	pe inject stall 1 6000 -a "$T-x"
	local arp nd
	arp=$(first_answer h1 10.8.2.3)
	nd=$(first_answer h1 fd08:2::3)
	has_role 1 lost
	echo "# master core hung: first packet to an unresolved IPv4 neighbour answered after $arp ms, IPv6 after $nd ms more" >&3
	same "master" "$(arpmgr owner 10.8.2.5 -a "$T-x" -j | jq '.[0].owner')" 2
	pings h2 10.8.1.4
	await 15 has_role 1 serving
	await 10 equal
	nothing_lost
	pings h1 10.8.2.7
	pings h1 fd08:2::7
}

# Operators at work, until the file $W/enough is there.
busy()
{
	local i
	for ((i = 0; i < 2000; i++)); do
		[ ! -e "$W/enough" ] || return 0
		pe route replace -a "$T-x" 198.51.100.0/24 type blackhole
		pe route replace -a "$T-x" 198.51.100.0/24 type unreachable
		arpmgr replace -a "$T-x" 10.8.2.99 lladdr 02:00:00:00:00:99 dev v20
	done
}

@test "a core that hangs is taken out in time although the control core has other things to do" {
	router --allow-inject
	busy > "$W/busy.out" 2>&1 3>&- &
	local job=$! ms
	await 5 pe route get -a "$T-x" 198.51.100.1
	pe inject stall 1 5000 -a "$T-x"
	ms=$(first_answer h1 10.8.2.3)
	has_role 1 lost
	touch "$W/enough"
	wait $job || true # it asked the core that hung, and was told so
	echo "# with a busy control core: answered $ms ms after the master core hung" >&3
	# What is asked for while a core is out is done by the others, and at once.
	run -0 arpmgr replace -a "$T-x" 10.8.2.98 lladdr 02:00:00:00:00:98 dev v20
	run -0 arpmgr flush -a "$T-x" to 10.8.2.98 --permanent --yes
	await 15 has_role 1 serving
	await 10 equal
}

@test "a core comes back although another one is still out" {
	engine x --allow-inject <<-END
	{ "cores": { "data": 3 }, "memory": { "mbufs": 16384, "ring_slots": 16 },
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
	pings h1 10.8.0.2
	pe inject stall 3 15000 -a "$T-x"
	await 5 has_role 3 lost
	in_ns h2 python3 -B "$FRAME" macs e0 -n 500 -r 2000
	pe inject stall 2 1500 -a "$T-x"
	await 5 has_role 2 lost
	await 8 has_role 2 serving
	has_role 3 lost
	pings h1 10.8.0.2
}
