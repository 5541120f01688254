#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Engines beside each other, engines that die, devices that go away.

load lib

setup()
{
	net_setup
	local n
	for n in 1 2 3 4; do
		host h$n 10.6.0.$n/24
	done
}

teardown()
{
	net_teardown
}

# pair NAME PORT1 PORT2: an engine that joins two hosts.
pair()
{
	engine "$1" <<-END
	{ "ports": { "p1": { "device": "if:$2" }, "p2": { "device": "if:$3" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
}

link_of()
{
	[ "$(pe status -a "$T-$1" -j | jq -r ".ports[] | select(.port == \"$2\") | .link")" = "$3" ]
}

dead()
{
	[ "$(pemon show -a "$T-$1" -j | jq -r .state)" = dead ]
}

@test "engines side by side do not disturb each other, whatever happens to one" {
	pair x h1 h2
	counting n h2 e0 "$(mac_of h1)" 16000
	stream s h1 e0 "$(mac_of h2)" "$(mac_of h1)" 16000 2000
	pair y h3 h4
	pings h3 10.6.0.4
	silent h3 10.6.0.1
	engine_stop y
	pair y h3 h4
	await 5 pings h3 10.6.0.4
	kill -9 "$(engine_pid y)"
	await 5 dead y
	pair y h3 h4
	await 5 pings h3 10.6.0.4
	lossless n
	coherent x
}

@test "a second engine of the same name is refused, and the first goes on" {
	pair x h1 h2
	cp "$W/x.json" "$W/again.json"
	run engine_refused x < "$W/again.json"
	same "exit status" "$status" 4
	[[ $output == *"$T-x"* ]]
	pings h1 10.6.0.2
}

@test "a device that another engine has is refused with its name" {
	pair x h1 h2
	run engine_refused y <<< '{"ports": {"p1": {"device": "if:h1"}, "p2": {"device": "if:h3"}}}'
	same "exit status" "$status" 4
	[[ $output == *h1* ]]
	pings h1 10.6.0.2
}

@test "kill -9: every tool shows the last state and its age, the next engine starts" {
	pair x h1 h2
	pings h1 10.6.0.2
	local pid entries
	entries=$(fdb x '[.[] | [.mac, .port, .cores]] | sort')
	pid=$(engine_pid x)
	kill -9 "$pid"
	await 5 dead x
	same "table of the dead" "$(fdb x '[.[] | [.mac, .port, .cores]] | sort')" "$entries"
	pemon show -a "$T-x" -j | jq -e '.heartbeat_age_ms > 0 and ([.cores[] | select(.role == "data")] | length) == 2 and ([.cores[].rx_packets] | add) > 0'
	local words
	for words in "brtable show" "brtable stats" "pemon show" "pemon cores" "pemon ports" "pemon drops" "pemon messages"; do
		# shellcheck disable=SC2086  # a tool and a verb
		run $words -a "$T-x"
		[ "$status" = 0 ] || fail "$words: exit $status: $output"
		grep -Eq 'old|ago|dead' <<< "$output" || fail "$words does not say that this is old: $output"
	done
	run pe status -a "$T-x"
	same "pe status" "$status" 6
	# Nothing of it is left on the interfaces.
	await 5 clean h1
	await 5 clean h2
	pair x h1 h2
	await 5 pings h1 10.6.0.2
	await 3 coherent x
}

# clean IF: as it was before any engine.
clean()
{
	local show
	show=$(in_ns e ip -j -d link show dev "$1")
	jq -e '.[0] | .promiscuity == 0 and (.flags | index("PROMISC") | not) and (.flags | index("NOARP") | not) and (has("xdp") | not)' <<< "$show" ||
		fail "$show" || return
	same "disable_ipv6 of $1" "$(in_ns e cat "/proc/sys/net/ipv6/conf/$1/disable_ipv6")" 0
}

@test "a stopped engine leaves the interfaces as they were, and no process" {
	local pid
	pair x h1 h2
	pid=$(engine_pid x)
	engine_stop x
	clean h1
	clean h2
	[ ! -e "/run/pekit/$T-x.sock" ]
	await 2 no_process "$pid"
	same "state" "$(pemon show -a "$T-x" -j | jq -r .state)" stopped
}

no_process()
{
	! grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status"
}

@test "a link that goes down is seen, its addresses are forgotten, up again it works" {
	pair x h1 h2
	pings h1 10.6.0.2
	link_of x p1 up
	ip -n "$T-h1" link set e0 down
	await 5 link_of x p1 down
	await 3 no_entry x "$(mac_of h1)"
	ip -n "$T-h1" link set e0 up
	await 5 link_of x p1 up
	await 5 pings h2 10.6.0.1
	await 3 coherent x
}

no_entry()
{
	! fdb_port "$1" "$2" 10
}

@test "a device deleted under the engine, and made again, is used again; other ports lose nothing" {
	engine x <<-'END'
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "p3": { "device": "if:h3" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 }, "p3": { "untagged": 10 } } } } }
	END
	pings h3 10.6.0.1
	counting n h2 e0 "$(mac_of h1)" 10000
	stream s h1 e0 "$(mac_of h2)" "$(mac_of h1)" 10000 2000
	ip -n "$T-e" link del h3
	await 5 link_of x p3 absent
	link h3 e0 e h3
	ip -n "$T-h3" addr add 10.6.0.3/24 dev e0
	await 5 link_of x p3 up
	await 5 pings h3 10.6.0.1
	lossless n
	await 3 coherent x
}
