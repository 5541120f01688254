#!/usr/bin/env bats
# The verbs of pe against engines that run: what they answer, and with which exit status.
# shellcheck disable=SC2154 # bats sets status, output, lines and stderr

bats_require_minimum_version 1.5.0
load lib

setup()
{
	net_setup
	export PEKIT_APPLIANCE="$T-x"
}

teardown()
{
	net_teardown
}

cable()
{
	local name
	for name; do
		link e "$name" e "peer-$name"
	done
}

TWO='{"ports": {"p1": {"device": "if:v1"}, "p2": {"device": "if:v2"}}, "bridges": {"br0": {"ports": {"p1": {}, "p2": {}}}}}'

links_are()
{
	[ "$(pe status -j | jq -c '[.ports[].link]')" = "$1" ]
}

gone()
{
	local status=0
	pe status || status=$?
	[ "$status" = 6 ]
}

generation()
{
	pe status -j | jq .generation
}

@test "run: the name of the file, a second engine, a missing interface, a wrong file" {
	cable v1 v2
	engine x <<< "$TWO"
	run in_ns e pe run -a other -c "$W/x.json"
	[ "$status" = 2 ]
	[ "${lines[0]}" = "pe: $W/x.json: appliance: the file is for $T-x, not for other" ]
	run in_ns e timeout 20 pe run -c "$W/x.json"
	[ "$status" = 4 ]
	run in_ns e timeout 20 pe run -c "$W/x.json" -d
	[ "$status" = 4 ]
	[ "$(pe status -j | jq -r .state)" = ready ]
	run engine_refused y <<< '{"ports": {"p1": {"device": "if:nosuch"}}}'
	[ "$status" = 3 ]
	[[ "$output" == *"ports.p1"*"nosuch: no such interface"* ]]
	run engine_refused y <<< '{"prots": {}}'
	[ "$status" = 2 ]
	run --separate-stderr in_ns e timeout 20 pe run -c "$W/x.json" -j
	[ "$status" = 4 ]
	[ "$(jq .error.code <<< "$output")" = 4 ]
	engine_stop x
	[ "$(in_ns e timeout 20 pe run -c "$W/x.json" -d -j 3>&- | jq -r .state)" = ready ]
}

@test "status: ready, in words and JSON, and what a killed engine left" {
	cable v1 v2
	engine x <<< "$TWO"
	await 5 links_are '["up","up"]'
	run pe
	[ "$status" = 0 ]
	[[ "${lines[0]}" == "$T-x: ready, pid "* ]]
	[ "${lines[1]}" = "configuration 1 of $W/x.json" ]
	[ "${lines[2]}" = "2 data cores, tables coherent" ]
	[ "$(pe status -j | jq -c '[.state, .alive, .cores, .coherent, .generation, .confirm_left_ms]')" = '["ready",true,2,true,1,null]' ]
	[ "$(pe status -j | jq -c '[.ports[] | [.port, .device, .enabled, .bridge]]')" = \
		'[["p1","if:v1",true,"br0"],["p2","if:v2",true,"br0"]]' ]
	in_ns e ip link set peer-v2 down
	await 5 links_are '["up","down"]'
	kill -9 "$(engine_pid x)"
	await 5 gone
	run --separate-stderr pe status -j
	[ "$status" = 6 ]
	[ "$(jq -c '[.state, .alive, (.ports | length)]' <<< "$output")" = '["dead",false,2]' ]
	[[ "$stderr" == *" old"* ]]
	run --separate-stderr pe diff -c "$W/x.json"
	[ "$status" = 0 ]
	[ "$output" = "no difference" ]
	run pe stop --yes
	[ "$status" = 6 ]
}

@test "diff: live and restart, the engine's own file" {
	cable v1 v2
	engine x <<< "$TWO"
	[ "$(pe diff)" = "no difference" ]
	jq '.ports.p1.mtu = 1400 | .cores.data = 3 | del(.bridges.br0.ports.p2)' "$W/x.json" > "$W/new.json"
	run pe diff -c "$W/new.json"
	[ "$status" = 0 ]
	[ "${lines[0]}" = "~ cores.data: 2 -> 3 (restart)" ]
	[ "${lines[1]}" = "~ ports.p1.mtu: 1500 -> 1400 (live)" ]
	[ "${lines[2]}" = '- bridges.br0.ports.p2: {"untagged": 1} (live)' ]
	[ "$(pe diff -c - -j < "$W/new.json" | jq -c '.changes[1]')" = '{"path":"ports.p1.mtu","from":1500,"to":1400,"live":true}' ]
	run pe apply -c "$W/new.json"
	[ "$status" = 5 ]
	[ "${lines[0]}" = "pe: cores.data: cannot change while the engine runs" ]
	run patch x <<< '{"ports": {"p1": {"mtu": 9000}}}'
	[ "$status" = 5 ]
	[[ "${lines[1]}" == "hint: it exceeds the largest MTU "* ]]
	[ "$(pe diff)" = "no difference" ]
}

@test "apply: dry run, live, unchanged, saved" {
	cable v1 v2 v3
	engine x <<< "$TWO"
	add='{"ports": {"p3": {"device": "if:v3"}}, "bridges": {"br0": {"ports": {"p3": {"tagged": [10]}}}}}'
	run patch x --dry-run <<< "$add"
	[ "$status" = 0 ]
	[ "${lines[0]}" = '+ ports.p3: {"device": "if:v3"}' ]
	[ "${lines[2]}" = "would be applied to $T-x" ]
	[ "$(generation)" = 1 ]
	run patch x <<< "$add"
	[ "$status" = 0 ]
	[ "${lines[2]}" = "applied to $T-x, generation 2" ]
	[ "$(pe status -j | jq -c '[.ports[].port]')" = '["p1","p2","p3"]' ]
	[ "$(patch x <<< "$add")" = unchanged ]
	[ "$(generation)" = 2 ]
	[ "$(pe diff | wc -l)" = 2 ]
	[ "$(patch x --save <<< "$add")" = "unchanged, saved" ]
	[ "$(pe diff)" = "no difference" ]
	[ "$(jq -c .ports.p3 "$W/x.json")" = '{"device":"if:v3"}' ]
	run patch x --save <<< '{"ports": {"p3": null}}'
	[ "$status" = 2 ]
	[ "${lines[0]}" = "pe: bridges.br0.ports.p3: no such port" ]
	patch x --save <<< '{"ports": {"p3": null}, "bridges": {"br0": {"ports": {"p3": null}}}}'
	[ "$(jq -c '.ports | keys' "$W/x.json")" = '["p1","p2"]' ]
	run patch x <<< '{"ports": {"p1": {"mtu": 9000}}}'
	[ "$status" = 5 ]
}

@test "apply: an MTU that the engine was started with comes back live" {
	cable v1 v2
	jq '.ports.p1.mtu = 9000' <<< "$TWO" | engine x
	patch x <<< '{"ports": {"p1": {"mtu": 1500}}}'
	[ "$(pe status -j | jq .ports[0].mtu)" = 1500 ]
	jq '.ports.p1.mtu = 9000' "$W/x.json" | pe apply -c -
	[ "$(pe status -j | jq .ports[0].mtu)" = 9000 ]
	run patch x <<< '{"ports": {"p2": {"mtu": 9200}}}'
	[ "$status" = 5 ]
}

@test "apply --confirm: kept, and taken back" {
	cable v1 v2
	engine x <<< "$TWO"
	pe confirm && fail "nothing to confirm" || [ $? = 3 ]
	run patch x --confirm 60 <<< '{"tables": {"ageing_s": 10}}'
	[ "$status" = 0 ]
	[ "${lines[2]}" = "taken back in 60 s unless you say: pe confirm -a $T-x" ]
	[ "$(pe status -j | jq '.confirm_left_ms > 0')" = true ]
	run patch x <<< '{"tables": {"ageing_s": 20}}'
	[ "$status" = 4 ]
	[ "$(pe confirm)" = confirmed ]
	[ "$(pe status -j | jq .confirm_left_ms)" = null ]
	patch x --save --confirm 1 <<< '{"tables": {"ageing_s": 30}}'
	await 10 pe_differs "~ tables.ageing_s: 10 -> 300 (live)"
	[ "$(jq .tables "$W/x.json")" = null ]
	patch x --save --confirm 60 <<< '{"tables": {"ageing_s": 30}}'
	[ "$(pe confirm)" = "confirmed and saved" ]
	[ "$(jq .tables.ageing_s "$W/x.json")" = 30 ]
}

pe_differs()
{
	[ "$(pe diff)" = "$1" ]
}

@test "stop: needs --yes, waits until the process is gone" {
	cable v1 v2
	engine x <<< "$TWO"
	pid=$(engine_pid x)
	run pe stop < /dev/null
	[ "$status" = 2 ]
	[ "$(pe stop --dry-run)" = "$T-x: would be stopped" ]
	kill -0 "$pid"
	[ "$(pe stop --yes)" = "$T-x: stopped" ]
	# gone, or only waiting for init to notice
	state=$(awk '/^State/ { print $2 }' "/proc/$pid/status" 2>/dev/null || true)
	[ "${state:-Z}" = Z ]
	run --separate-stderr pe status -j
	[ "$status" = 6 ]
	[ "$(jq -r .state <<< "$output")" = stopped ]
	[ "$(pe stop -a "$T-x" --yes --if-exists -j | jq .changed)" = false ]
}

@test "who may not: exit status 5" {
	cable v1 v2
	engine x <<< "$TWO"
	as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v pe)" "$@"; }
	for words in "status" "stop --yes" "confirm" "log debug" "diff -c -"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr as_nobody $words -a "$T-x" -j < "$W/x.json"
		[ "$status" = 5 ]
		[ "$(jq .error.code <<< "$output")" = 5 ]
	done
	[ "$(pe status -j | jq -r '[.state, .log_level] | join(" ")')" = "ready notice" ]
}

@test "log: the level changes live" {
	cable v1 v2
	engine x <<< "$TWO"
	[ "$(pe log)" = notice ]
	[ "$(pe log debug)" = debug ]
	[ "$(pe log debug)" = "debug (unchanged)" ]
	[ "$(pe status -j | jq -r .log_level)" = debug ]
}
