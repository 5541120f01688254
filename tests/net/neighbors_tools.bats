#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# arpmgr and ndmgr against a running engine with kernel hosts: what they change and show, both families with the same tests.
# shellcheck disable=SC2030,SC2031,SC2154 # bats runs each test in a subshell, and sets status, output and stderr

load lib

setup()
{
	net_setup
	host h1 10.0.10.2/24 2001:db8:10::2/64
	host h2 10.0.20.2/24 2001:db8:20::2/64
	engine x <<-'END'
	{ "cores": { "data": 3 },
	  "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 } } } },
	  "interfaces": {
	    "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.0.10.1/24", "2001:db8:10::1/64"] },
	    "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.0.20.1/24", "2001:db8:20::1/64"] } } }
	END
	export PEKIT_APPLIANCE="$T-x"
	await 10 in_ns h1 ping -n -q -c 1 -W 1 2001:db8:10::1 # its address is no longer tentative
}

teardown()
{
	net_teardown
}

# both TEST: with each tool and its family's addresses
both()
{
	TOOL=arpmgr NET=10.0.10. OTHER=10.0.20.2 FAMILY=-4 PREFIX=10.0.10.0/24 "$1"
	TOOL=ndmgr NET=2001:db8:10:: OTHER=2001:db8:20::2 FAMILY=-6 PREFIX=2001:db8:10::/64 "$1"
}

# a HOST: an address in VLAN 10
a()
{
	echo "$NET$1"
}

row()
{
	"$TOOL" -j show to "$1" | jq -ec "${2:-.[0]}"
}

# everywhere ADDRESS: on all three cores
everywhere()
{
	row "$1" '.[0].cores == [1, 2, 3]'
}

nowhere()
{
	[ "$("$TOOL" --count to "$1")" = 0 ]
}

# ---- resolve -----------------------------------------------------------------------------------------------------------------

resolves()
{
	"$TOOL" flush --yes
	run --separate-stderr "$TOOL" -j resolve "$(a 2)"
	same status "$status" 0
	jq -e --arg m "$(mac_of h1)" '.mac == $m and .interface == "v10" and .state == "reachable" and .answered_by_ms < 5000' <<< "$output"
	same owner "$(jq .owner <<< "$output")" "$("$TOOL" -j owner "$(a 2)" | jq '.[0].owner')"
	echo "# $TOOL resolve: answered by $(jq .answered_by_ms <<< "$output") ms" >&3
	await 5 everywhere "$(a 2)"
	row "$(a 2)" '.[0] | .state == "reachable" and .age_ms < 10000'
	"$TOOL" resolve "$(a 2)" dev v10 | grep -q "lladdr $(mac_of h1) reachable: "
}

@test "resolve: MAC, interface, time and owner of who answers; then all cores know it" {
	both resolves
}

nobody()
{
	run --separate-stderr "$TOOL" -T 0.5 -j resolve "$(a 99)"
	same status "$status" 3
	jq -e '.error.code == 3' <<< "$output"
	run --separate-stderr "$TOOL" resolve "$(a 98)"
	same status "$status" 3
	[[ "$stderr" == *"nobody answered"* ]]
}

@test "resolve: exit 3 when nobody answers" {
	both nobody
}

# ---- add, replace, del, flush ----------------------------------------------------------------------------------------------------

changes()
{
	local mac=02:00:00:00:00:aa
	same said "$("$TOOL" add "$(a 50)" lladdr $mac dev v10)" "$(a 50) dev v10: added"
	same again "$("$TOOL" add "$(a 50)" lladdr $mac dev v10)" "$(a 50) dev v10: unchanged"
	everywhere "$(a 50)"
	row "$(a 50)" '.[0] | .state == "permanent" and .mac == "02:00:00:00:00:aa" and .interface == "v10"'
	run "$TOOL" add "$(a 50)" lladdr 02:00:00:00:00:ab dev v10
	same status "$status" 4
	"$TOOL" add "$(a 50)" lladdr 02:00:00:00:00:ab dev v10 --may-exist | grep -q unchanged
	"$TOOL" replace "$(a 50)" lladdr 02:00:00:00:00:ab dev v10 --dry-run | grep -q "would be replaced"
	row "$(a 50)" '.[0].mac == "02:00:00:00:00:aa"'
	"$TOOL" replace "$(a 50)" lladdr 02:00:00:00:00:ab dev v10
	row "$(a 50)" '.[0].mac == "02:00:00:00:00:ab" and .[0].cores == [1, 2, 3]'
	same deleted "$("$TOOL" del "$(a 50)")" "$(a 50): deleted"
	nowhere "$(a 50)"
	run "$TOOL" del "$(a 50)"
	same status "$status" 3
	"$TOOL" del "$(a 50)" --if-exists | grep -q unchanged
	printf 'add %s lladdr %s dev v10\n' "$(a 51)" $mac "$(a 52)" $mac | "$TOOL" -b -
	same two "$("$TOOL" --count nud permanent)" 2
	"$TOOL" verify
}

@test "add, replace and del are on all cores when they return; batches" {
	both changes
}

flushes()
{
	"$TOOL" add "$(a 50)" lladdr 02:00:00:00:00:aa dev v10
	"$TOOL" resolve "$(a 2)"
	"$TOOL" resolve "$OTHER" dev v20
	"$TOOL" flush dev v20 --yes
	same v20 "$("$TOOL" --count dev v20 nud reachable nud stale nud delay nud probe)" 0
	everywhere "$(a 2)"
	"$TOOL" flush to "$PREFIX" nud stale --yes
	everywhere "$(a 2)"
	"$TOOL" flush to "$PREFIX" --yes
	same learned "$("$TOOL" --count to "$(a 2)" nud reachable)" 0
	everywhere "$(a 50)"
	"$TOOL" flush --permanent --yes
	nowhere "$(a 50)"
	"$TOOL" verify
}

@test "flush: by interface, prefix and state; what was added by hand only when asked" {
	both flushes
}

# ---- announce --------------------------------------------------------------------------------------------------------------------

# What the host's kernel holds of the engine
host_mac()
{
	in_ns h1 ip "$FAMILY" -j neigh show to "$(a 1)" dev e0 | jq -r '.[0].lladdr'
}

announces()
{
	local mac wrong=02:00:00:00:00:ee
	in_ns h1 ping -n -q -c 1 -W 2 "$(a 1)"
	mac=$(host_mac)
	await 10 still_wrong $wrong
	same said "$("$TOOL" announce "$(a 1)")" "$(a 1): announced"
	await 5 announced "$mac"
	run "$TOOL" announce "$(a 77)"
	same status "$status" 3
}

# The engine speaks by itself too (it announces an address it has just got, it probes its neighbours): in a moment without that, a
# dry run changes nothing
still_wrong()
{
	in_ns h1 ip "$FAMILY" neigh replace "$(a 1)" lladdr "$1" dev e0 nud stale &&
		"$TOOL" announce "$(a 1)" --dry-run | grep -q "would be announced" && announced "$1"
}

announced()
{
	same "the host's" "$(host_mac)" "$1"
}

@test "announce: a host with a wrong MAC of ours learns the right one" {
	both announces
}

# ---- monitor ---------------------------------------------------------------------------------------------------------------------

monitors()
{
	spawn "$TOOL" e "$TOOL" -j monitor dev v10
	spawn "$TOOL-people" e "$TOOL" monitor -t dev v10
	await 5 pid_ready "$TOOL"
	await 10 seen_in "$TOOL" add "$(a 50)"
	"$TOOL" replace "$(a 50)" lladdr 02:00:00:00:00:ab dev v10
	"$TOOL" del "$(a 50)"
	await 5 has_event delete "$(a 50)"
	jq -se --arg a "$(a 50)" '[.[] | select(.address == $a) | [.event, .mac, .mac_before]] | .[-3:] ==
		[["add", "02:00:00:00:00:aa", null], ["change", "02:00:00:00:00:ab", "02:00:00:00:00:aa"], ["delete", "02:00:00:00:00:ab", null]]' "$W/$TOOL.out"
	"$TOOL" -T 5 resolve "$(a 97)" || true
	await 5 has_event failed "$(a 97)"
	await 5 grep -Eq "^\\[[0-9T:.-]+\\] Deleted $(a 50) dev v10 lladdr 02:00:00:00:00:ab PERMANENT\$" "$W/$TOOL-people.out"
	# nothing is said twice although every core applies it
	same adds "$(jq -s --arg a "$(a 50)" '[.[] | select(.address == $a and .event == "change")] | length' "$W/$TOOL.out")" 1
}

pid_ready()
{
	kill -0 "$(< "$W/$1.pid")"
}

has_event()
{
	jq -se --arg e "$1" --arg a "$2" 'any(.[]; .event == $e and .address == $a)' "$W/$TOOL.out"
}

# Both followers have attached when they show what is added: it is added until they do.
seen_in()
{
	"$1" del "$3" --if-exists
	"$1" add "$3" lladdr 02:00:00:00:00:aa dev v10
	await 1 has_event "$2" "$3" && grep -q "$3" "$W/$1-people.out"
}

@test "monitor: what is added, changed, deleted and not answered, once each" {
	both monitors
}

# ---- link-local, drained cores, the dead -------------------------------------------------------------------------------------

@test "a link-local neighbour: by dev, by scope, and neither is an error" {
	local ll
	ll=$(in_ns h1 ip -6 -j addr show dev e0 scope link | jq -er '[.[].addr_info[]? | .local // empty][0]')
	run --separate-stderr ndmgr resolve "$ll"
	same status "$status" 2
	[[ "$stderr" == *"on which interface?"*"v10, v20"* ]]
	ndmgr resolve "$ll%v10" | grep -q "$ll dev v10 lladdr $(mac_of h1)"
	ndmgr -j get "$ll" dev v10 | jq -e '.[0].interface == "v10" and .[0].cores == [1, 2, 3]'
	ndmgr del "$ll%v10"
}

moves()
{
	"$TOOL" resolve "$(a 2)"
	owner=$("$TOOL" -j owner "$(a 2)" | jq '.[0].owner')
	pe drain "$owner"
	[ "$("$TOOL" -j owner "$(a 2)" | jq '.[0].owner')" != "$owner" ]
	everywhere "$(a 2)"
	"$TOOL" resolve "$(a 2)"
	"$TOOL" verify --full
	pe undrain "$owner"
	await 10 everywhere "$(a 2)"
	await 10 "$TOOL" verify
}

@test "owner: another core's when the owner is drained, and nothing is lost" {
	both moves
}

still_there()
{
	"$TOOL" -j show to "$(a 50)" 2> "$W/note" | jq -e '.[0].mac == "02:00:00:00:00:aa" and .[0].cores == [1, 2, 3]'
	grep -q 'the data is .* old' "$W/note"
	"$TOOL" verify
	"$TOOL" stats > /dev/null
	"$TOOL" -j owner "$(a 50)" | jq -e '.[0].owner >= 1'
	run "$TOOL" resolve "$(a 2)"
	same status "$status" 6
	run "$TOOL" add "$(a 50)" lladdr 02:00:00:00:00:aa dev v10
	same status "$status" 6
}

given()
{
	"$TOOL" add "$(a 50)" lladdr 02:00:00:00:00:aa dev v10
}

@test "the engine killed: every reading verb goes on, and says how old the data is" {
	local pid
	both given
	pid=$(engine_pid x)
	kill -9 "$pid"
	await 5 eval "! kill -0 $pid"
	both still_there
}

# ---- verify ------------------------------------------------------------------------------------------------------------------

verifies()
{
	"$TOOL" -j verify --full | jq -e '.coherent and .method == "tables"'
	"$TOOL" -j verify --repair | jq -e '.coherent and (.repaired | not)'
}

@test "verify: coherent while neighbours come and go" {
	local n
	for n in $(seq 100 130); do
		printf 'add 10.0.10.%d lladdr 02:00:00:00:01:%02x dev v10\n' "$n" "$n"
	done > "$W/batch"
	spawn batch e arpmgr -b "$W/batch"
	both verifies
	finished batch
	both verifies
	same there "$(arpmgr --count nud permanent)" 31
}

# repairs: one core loses an entry that is another's, by a fault
repairs()
{
	local core
	"$TOOL" replace "$(a 77)" lladdr 02:00:00:00:00:77 dev v10
	await 5 "$TOOL" verify
	core=$("$TOOL" -j owner "$(a 77)" | jq '[2, 3] - [.[].owner] | .[0]')
	"$PEKIT_TEST/net/hurt" "$PEKIT_APPLIANCE" "$([ "$TOOL" = arpmgr ] && echo 0 || echo 1)" "$core" 02:00:00:00:00:77
	run -8 "$TOOL" verify
	[[ $output == *missing* ]] || fail "$output"
	run -0 "$TOOL" -j verify --repair
	jq -e '.coherent and .repaired' <<< "$output"
	everywhere "$(a 77)"
}

@test "verify --repair: what a core has lost by a fault is there again" {
	both repairs
}
