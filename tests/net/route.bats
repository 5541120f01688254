#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031 # bats runs each test in a subshell
# Routes that come and go: h1 in VLAN 10 sends to nets that are behind h2 and h3, in VLAN 20 of the same bridge.

load lib

setup()
{
	net_setup
}

teardown()
{
	net_teardown
}

# rig [JQ-FILTER]: the engine's configuration goes through the filter.
rig()
{
	local name
	host h1 10.0.10.2/24 2001:db8:10::2/64
	host h2 10.0.20.2/24 2001:db8:20::2/64
	host h3 10.0.20.3/24 2001:db8:20::3/64
	ip -n "$T-h1" route add default via 10.0.10.1
	ip -n "$T-h1" -6 route add default via 2001:db8:10::1
	for name in h2 h3; do
		ip -n "$T-$name" route add 10.0.10.0/24 via 10.0.20.1
		ip -n "$T-$name" -6 route add 2001:db8:10::/64 via 2001:db8:20::1
		ip -n "$T-$name" addr add 198.51.100.1/32 dev lo
		ip -n "$T-$name" -6 addr add 2001:db8:100::1/128 dev lo
	done
	jq "${1:-.}" <<-'END' | engine x
	{ "tables": { "routes": 20000 },
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "p3": { "device": "if:h3" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 }, "p3": { "untagged": 20 } } } },
	  "interfaces": {
	    "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.0.10.1/24", "2001:db8:10::1/64"] },
	    "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.0.20.1/24", "2001:db8:20::1/64"] } } }
	END
	export PEKIT_APPLIANCE="$T-x"
	# Our IPv6 addresses are tested for a second before they are used.
	await 10 six_are_usable
}

six_are_usable()
{
	[ "$(routes protocol connected --family ipv6 | jq length)" = "$(jq '.interfaces | length' "$W/x.json")" ]
}

routes()
{
	pe -j route show "$@"
}

# The route of a prefix, as "VIA INTERFACE TYPE PROTOCOL ACTIVE"; nothing when there is none.
route_of()
{
	routes "$1" | jq -r --arg to "$1" '.[] | select(.to == $to) | "\(.via) \(.interface) \(.type) \(.protocol) \(.active)"'
}

# refused STATUS MESSAGE COMMAND...: and nothing has changed.
refused()
{
	local want=$1 message=$2 before after status=0 said
	shift 2
	before=$(routes | jq -S 'map(del(.age_ms))')
	said=$("$@" 2>&1) || status=$?
	after=$(routes | jq -S 'map(del(.age_ms))')
	same "status of $* ($said)" "$status" "$want"
	[[ $said == *"$message"* ]] || fail "$*: $said"
	same "routes after $*" "$after" "$before"
}

@test "add, replace, del, get, show: what they do, twice, and what they refuse" {
	rig '.routes = [{"to": "198.51.100.0/24", "via": "10.0.20.3"}]'
	same "of our own" "$(routes protocol local --family ipv4 | jq -c 'map(.to)')" '["10.0.10.1/32","10.0.20.1/32"]'
	same "connected" "$(routes protocol connected | jq -c 'map(.to)')" \
		'["10.0.10.0/24","10.0.20.0/24","2001:db8:10::/64","2001:db8:20::/64"]'
	same "of the file" "$(route_of 198.51.100.0/24)" "10.0.20.3 v20 unicast file true"

	same "add" "$(pe route add 203.0.113.0/24 via 10.0.20.2)" "203.0.113.0/24: added"
	same "twice" "$(pe route add 203.0.113.0/24 via 10.0.20.2)" "203.0.113.0/24: unchanged"
	same "may exist" "$(pe route add 203.0.113.0/24 via 10.0.20.3 --may-exist)" "203.0.113.0/24: unchanged"
	same "the route" "$(route_of 203.0.113.0/24)" "10.0.20.2 v20 unicast live true"
	refused 4 "203.0.113.0/24: there is such a route" pe route add 203.0.113.0/24 via 10.0.20.3
	same "dry run" "$(pe route replace 203.0.113.0/24 via 10.0.20.3 --dry-run -j | jq -c .)" '{"changed":true,"dry_run":true}'
	same "still" "$(route_of 203.0.113.0/24)" "10.0.20.2 v20 unicast live true"
	same "replace" "$(pe route replace 203.0.113.0/24 via 10.0.20.3)" "203.0.113.0/24: replaced"
	same "get" "$(pe -j route get 203.0.113.77 | jq -r '.[0].via')" 10.0.20.3
	refused 3 "203.0.113.0/24: no such route" pe route del 203.0.113.0/24 via 10.0.20.2
	same "del" "$(pe route del 203.0.113.0/24 via 10.0.20.3)" "203.0.113.0/24: deleted"
	refused 3 "203.0.113.0/24: no such route" pe route del 203.0.113.0/24
	same "if exists" "$(pe route del 203.0.113.0/24 --if-exists)" "203.0.113.0/24: unchanged"
	refused 3 "203.0.113.77: no route" pe route get 203.0.113.77

	pe route add default via fe80::1 dev v20
	same "default" "$(route_of ::/0)" "fe80::1 v20 unicast live true"
	pe route add default type prohibit --family ipv4
	same "the other" "$(route_of 0.0.0.0/0)" "null null prohibit live true"
	pe route add 192.0.2.0/24 dev v10
	same "link" "$(route_of 192.0.2.0/24)" "null v10 unicast live true"
	same "one interface's" "$(routes dev v10 protocol live | jq -c 'map(.to)')" '["192.0.2.0/24"]'
	same "a type's" "$(pe route show type prohibit --count)" 1

	# A route of the file stands back, and comes again.
	pe route replace 198.51.100.0/24 type blackhole
	same "instead" "$(route_of 198.51.100.0/24)" "null null blackhole live true"
	pe route del 198.51.100.0/24
	same "again" "$(route_of 198.51.100.0/24)" "10.0.20.3 v20 unicast file true"
	refused 5 "a route of the appliance file" pe route del 198.51.100.0/24
	refused 4 "the prefix of an interface" pe route replace 10.0.10.0/24 via 10.0.20.2
	refused 4 "an address of ours" pe route add 10.0.10.1 type blackhole
	refused 5 "in no prefix of an interface" pe route add 203.0.113.0/24 via 172.16.0.1
	refused 5 "in no prefix of that interface" pe route add 203.0.113.0/24 via 10.0.20.2 dev v10
	refused 5 "an address of ours" pe route add 203.0.113.0/24 via 10.0.20.1
	refused 2 "of which interface" pe route add 2001:db8:5::/48 via fe80::1
	refused 3 "no such interface" pe route add 203.0.113.0/24 dev v99
	refused 2 "where does it go" pe route add 203.0.113.0/24
	refused 2 "beyond its length" pe route add 203.0.113.1/24 via 10.0.20.2
	refused 2 "not of ipv6" pe route add 203.0.113.0/24 via 2001:db8:20::2
	refused 2 "are not routed" pe route add 224.0.0.0/4 dev v10
	refused 2 "goes neither" pe route add 203.0.113.0/24 type blackhole via 10.0.20.2
	refused 2 "nobody to ask" pe route flush
	same "flush" "$(pe -j route flush --yes --family ipv4 | jq .routes_changed)" 2
	same "left" "$(routes protocol live | jq -c 'map(.to)')" '["::/0"]'
}

@test "packets go where the route says, and none is lost when it changes" {
	local i
	rig
	pe route add 198.51.100.0/24 via 10.0.20.2
	pe route add 2001:db8:100::/48 via 2001:db8:20::2
	await 10 pings h1 198.51.100.1 -c 1
	await 10 pings h1 2001:db8:100::1 -c 1
	pe route replace 198.51.100.0/24 via 10.0.20.3
	pe route replace 2001:db8:100::/48 via 2001:db8:20::3
	await 10 pings h1 198.51.100.1 -c 1
	await 10 pings h1 2001:db8:100::1 -c 1
	spawn four h1 ping -n -q -i 0.002 -c 1500 -W 2 198.51.100.1
	spawn six h1 ping -n -q -i 0.002 -c 1500 -W 2 2001:db8:100::1
	for i in 2 3 2 3 2 3 2 3 2 3; do
		pe route replace 198.51.100.0/24 via 10.0.20.$i
		pe route replace 2001:db8:100::/48 via 2001:db8:20::$i
		pe route add 198.51.100.0/2$((4 + i)) via 10.0.20.$i --may-exist
		pe route flush 198.51.100.0/24 --yes --dry-run
		pe route del 198.51.100.0/2$((4 + i))
	done
	finished four
	finished six
	grep -q ' 0% packet loss' "$W/four.out" || fail "$(cat "$W/four.out")"
	grep -q ' 0% packet loss' "$W/six.out" || fail "$(cat "$W/six.out")"
	pe route del 198.51.100.0/24
	silent h1 198.51.100.1
	[ "$(drops x l3_no_route)" -gt 0 ]
}

# many N OP [OFFSET]: lines of a batch file
many()
{
	awk -v n="$1" -v op="$2" -v o="${3:-0}" 'BEGIN { for (i = 0; i < n; i++)
		printf "route %s %d.%d.%d.0/24%s\n", op, 20 + int(i / 65536), int(i / 256) % 256, i % 256,
			op == "del" ? "" : sprintf(" via 10.0.20.%d", 2 + (i + o) % 2) }'
}

@test "10,000 routes come, change and go under traffic, as a few changes" {
	local before
	rig
	pe route add 198.51.100.0/24 via 10.0.20.2
	await 10 pings h1 198.51.100.1 -c 1
	many 10000 add > "$W/add"
	many 10000 replace 1 > "$W/replace"
	many 10000 del > "$W/del"
	spawn ping h1 ping -n -q -i 0.002 -c 1500 -W 2 198.51.100.1
	same "add" "$(pe -b "$W/add")" "10000 routes changed, 0 unchanged"
	same "all there" "$(pe route show protocol live --count)" 10001
	same "one" "$(pe -j route get 20.39.15.9 | jq -r '.[0].via')" 10.0.20.3
	same "twice" "$(pe -b "$W/add")" "0 routes changed, 10000 unchanged"
	same "replace" "$(pe -j -b "$W/replace" | jq -c .)" \
		'[{"changed":true,"dry_run":false,"routes_changed":10000,"routes_unchanged":0}]'
	same "another" "$(pe -j route get 20.39.15.9 | jq -r '.[0].via')" 10.0.20.2
	same "dry run" "$(pe --dry-run -b "$W/del")" "10000 routes would change, 0 unchanged"
	same "del" "$(pe -b "$W/del")" "10000 routes changed, 0 unchanged"
	same "all gone" "$(pe route show protocol live --count)" 1
	finished ping
	grep -q ' 0% packet loss' "$W/ping.out" || fail "$(cat "$W/ping.out")"

	# One line that cannot be: none was done, and it is named.
	before=$(pe route show --count)
	{ many 500 add; echo "route add 203.0.113.0/24 via 172.16.0.1"; many 500 add; } > "$W/bad"
	run -5 pe -b "$W/bad"
	[[ $output == *"line 501: via 172.16.0.1: in no prefix"* ]] || fail "$output"
	same "none" "$(pe route show --count)" "$before"
	{ many 20000 add; } > "$W/toomany"
	run -5 pe -b "$W/toomany"
	[[ $output == *"tables.routes: there are 20000"* ]] || fail "$output"
	same "none" "$(pe route show --count)" "$before"
}

@test "routes follow their interface, and a dead engine's can be read" {
	rig '.routes = [{"to": "198.51.100.0/24", "via": "10.0.20.2"}]'
	pe route add 203.0.113.0/24 via 10.0.20.3
	pe route add 203.0.113.0/25 type unreachable
	pe route add 192.0.2.0/24 via 10.0.10.2
	patch x <<< '{"interfaces": {"v20": {"enabled": false}}}'
	same "file" "$(route_of 198.51.100.0/24)" "10.0.20.2 v20 unicast file false"
	same "live" "$(route_of 203.0.113.0/24)" "10.0.20.3 v20 unicast live false"
	same "connected" "$(route_of 10.0.20.0/24)" ""
	same "of no interface" "$(route_of 203.0.113.0/25)" "null null unreachable live true"
	refused 3 "no route" pe route get 198.51.100.1
	patch x <<< '{"interfaces": {"v20": {"enabled": true}}}'
	same "file" "$(route_of 198.51.100.0/24)" "10.0.20.2 v20 unicast file true"
	same "live" "$(route_of 203.0.113.0/24)" "10.0.20.3 v20 unicast live true"
	# The gateway's net goes.
	patch x <<< '{"interfaces": {"v20": {"addresses": ["10.0.21.1/24"]}}, "routes": []}'
	same "file" "$(route_of 198.51.100.0/24)" ""
	same "live" "$(route_of 203.0.113.0/24)" "10.0.20.3 v20 unicast live false"
	patch x <<< '{"interfaces": {"v20": null}}'
	same "live" "$(route_of 203.0.113.0/24)" ""
	same "others" "$(routes protocol live | jq -c 'map(.to)')" '["192.0.2.0/24","203.0.113.0/25"]'
	pemon -j show -a "$T-x" > /dev/null
	kill -9 "$(engine_pid x)"
	await 10 dead
	same "of a dead engine" "$(routes protocol live 2>/dev/null | jq -c 'map(.to)')" '["192.0.2.0/24","203.0.113.0/25"]'
	same "get" "$(pe -j route get 192.0.2.9 2>/dev/null | jq -r '.[0].via')" 10.0.10.2
	run -6 pe route add 203.0.113.0/26 via 10.0.10.2
}

dead()
{
	! pe status > /dev/null 2>&1
}
