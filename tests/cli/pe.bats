#!/usr/bin/env bats
# pe without an engine: files, refusals, exit statuses, and what is asked of a socket that speaks like an engine.
# shellcheck disable=SC2154 # bats sets status, output, lines and stderr

ROOT="$BATS_TEST_DIRNAME/../.."

setup()
{
	PATH="${PEKIT_BIN:-$ROOT/build/bin}:$PATH"
	A="clipe$$"
	export PEKIT_RUN="$BATS_TEST_TMPDIR"
	unset PEKIT_APPLIANCE
	cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
	[ -z "${FAKE-}" ] || kill "$FAKE" 2>/dev/null || true
	rm -f "/dev/shm/pekit.$A"
}

# conf TEXT: an appliance file of that name with more keys, single quotes for double ones.
conf()
{
	echo "{'appliance': '$A'${1:+, $1}}" | tr "'" '"' > a.json
}

# refused STATUS MESSAGE [HINT]: pe check says just that of a.json, in words and in JSON.
refused()
{
	run --separate-stderr pe check -c a.json
	[ "$status" = "$1" ]
	[ -z "$output" ]
	[ "${stderr_lines[0]}" = "pe: a.json: $2" ]
	[[ "$stderr" == *"${3-}"* ]]
	run --separate-stderr pe check -c a.json -j
	[ "$status" = "$1" ]
	[ "$(jq -r .error.code <<< "$output")" = "$1" ]
	[ "$(jq -r .error.message <<< "$output")" = "a.json: $2" ]
}

# An engine's end of the socket: answers every request with $1 and writes it to "requests".
fake()
{
	python3 - "$A.sock" "$1" <<-'END' &
	import socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	s.listen()
	while True:
	    c, _ = s.accept()
	    line = c.makefile().readline()
	    open("requests", "a").write(line)
	    c.sendall(sys.argv[2].replace("\n", " ").encode() + b"\n")
	    c.close()
	END
	FAKE=$!
	for _ in $(seq 200); do
		[ -S "$A.sock" ] && return
		sleep 0.02
	done
	return 1
}

bats_require_minimum_version 1.5.0

@test "pe check: valid, memory by item and in total" {
	conf "'cores': {'data': 3}, 'ports': {'p1': {'device': 'if:veth1'}}"
	run pe check -c a.json
	[ "$status" = 0 ]
	[[ "${lines[0]}" == "$A: valid; 3 data cores, 1 port, 0 bridges, 16384 mbufs (at least "* ]]
	[[ "$output" == *"segment  bridge tables"* ]]
	[[ "$output" == *"total"* ]]
	pe check -c a.json -j > out
	[ "$(jq '([.memory[].bytes] | add) == .total_bytes and .segment_bytes + .engine_bytes == .total_bytes' out)" = true ]
	[ "$(jq -c '[.valid, .cores, .ports, .bridges]' out)" = '[true,3,1,0]' ]
	[ "$(jq '.memory | map(select(.what == "mbufs"))[0].bytes > 16384 * 2048' out)" = true ]
	[ "$(pe check -c a.json -o csv | head -1)" = where,what,bytes ]
	[ "$(pe check -c - < a.json)" = "$(pe check -c a.json)" ]
}

@test "pe check: more of anything costs more" {
	bytes() { pe check -c a.json -j | jq ".memory | map(select(.what == \"$1\"))[0].bytes"; }
	conf
	local tables rings mbufs
	tables=$(bytes 'bridge tables') rings=$(bytes 'message rings') mbufs=$(bytes mbufs)
	conf "'cores': {'data': 2}, 'memory': {'ring_slots': 512, 'mbufs': 32768}, 'tables': {'fdb': 8192}"
	[ "$(bytes 'bridge tables')" = $((2 * tables)) ]
	[ "$(bytes 'message rings')" -gt $((2 * rings)) ]
	[ "$(bytes mbufs)" = $((2 * mbufs)) ]
	conf "'ports': {'p1': {'device': 'if:v', 'mtu': 9000}}"
	[ "$(bytes mbufs)" -gt $((3 * mbufs)) ]
}

@test "pe check: too little memory is refused" {
	conf "'cores': {'data': 64}"
	run --separate-stderr pe check -c a.json
	[ "$status" = 5 ]
	[ "${stderr_lines[0]}" = "pe: a.json: memory.mbufs: 16384 are too few for 64 data cores and 0 ports" ]
	[[ "${stderr_lines[1]}" =~ ^"hint: at least "([0-9]+)$ ]]
	conf "'cores': {'data': 64}, 'memory': {'mbufs': ${BASH_REMATCH[1]}}"
	pe check -c a.json
}

@test "pe check: what is wrong, its path, its exit status" {
	conf "'prots': {}"
	refused 2 "prots: unknown key" "ports"
	conf "'ports': {'p1': {'devcie': 'if:veth1'}}"
	refused 2 "ports.p1.devcie: unknown key" "device"
	conf "'ports': {'p1': {}}"
	refused 2 "ports.p1: no device"
	conf "'ports': {'p1': {'device': 'eth0'}}"
	refused 2 'ports.p1.device: "eth0" is not a device' "if:INTERFACE"
	conf "'ports': {'p1': {'device': 'if:v'}, 'p2': {'device': 'if:v'}}"
	refused 4 "ports.p2.device: if:v is the device of port p1 already"
	conf "'ports': {'p1': {'device': 'if:v'}}, 'bridges': {'br0': {'ports': {'p9': {}}}}"
	refused 2 "bridges.br0.ports.p9: no such port" "the ports are: p1"
	for vlan in 0 4095; do
		conf "'ports': {'p1': {'device': 'if:v'}}, 'bridges': {'br0': {'ports': {'p1': {'untagged': $vlan}}}}"
		refused 2 "bridges.br0.ports.p1.untagged: $vlan is not a VLAN (1 to 4094)"
	done
	conf "'lags': {'lag1': {}}"
	refused 5 "lags: this release has no link aggregation"
	conf "'bridges': {'br0': {'stp': 'rstp'}}"
	refused 5 "bridges.br0.stp: this release takes no part in spanning tree"
	printf '{"appliance": "a",\n "appliance": "b"}' > a.json
	refused 2 "line 2, column 12: duplicate object key near '\"appliance\"'"
	: > a.json
	refused 2 "line 1, column 0: '[' or '{' expected near end of file"
	head -c 100000 /dev/zero > a.json
	refused 2 "line 1, column 1: '[' or '{' expected near end of file"
	head -c 300000 /dev/zero | tr '\0' '[' > a.json
	refused 2 "line 1, column 2049: maximum parsing depth reached near '['"
	conf
	run pe check -a other -c a.json
	[ "$status" = 2 ]
	[ "${lines[0]}" = "pe: a.json: appliance: the file is for $A, not for other" ]
}

@test "pe check: files that cannot be read" {
	run pe check -c nosuch.json
	[ "$status" = 3 ]
	[ "$output" = "pe: nosuch.json: No such file or directory" ]
	run pe check -c .
	[ "$status" = 1 ]
	[ "$output" = "pe: .: Is a directory" ]
	run pe check -c /dev/zero
	[ "$status" = 2 ]
	[ "$output" = "pe: /dev/zero: longer than 8 MiB" ]
	run pe check
	[ "$status" = 2 ]
}

@test "the examples and the manual's are right" {
	for file in "$ROOT"/examples/*.json; do
		[ "$(basename "$file")" = vf.json ] || pe check -c "$file" # that one is vfctl's
	done
	awk '/^\.SH EXAMPLE/ { on = 1 } on && /^\.EX/ { text = 1; next } /^\.EE/ { text = 0 } text' "$ROOT/man/pekit.json.5" > man.json
	pe check -c man.json
	[ "$(jq '[.ports[].device | split(":")[0]] | unique | join(" ")' man.json)" = '"if pci vdev xdp"' ]
}

@test "pekit.json(5) has every key" {
	for where in "'@': 0" "'cores': {'@': 0}" "'memory': {'@': 0}" "'tables': {'@': 0}" "'ports': {'p': {'@': 0}}" \
		"'ports': {'p': {'limit': {'@': 0}}}" "'ports': {'p': {'storm': {'@': 0}}}" "'bridges': {'b': {'@': 0}}" \
		"'ports': {'p': {'device': 'if:v'}}, 'bridges': {'b': {'ports': {'p': {'@': 0}}}}" "'neighbors': {'@': 0}" "'police': {'@': 0}" \
		"'interfaces': {'i': {'@': 0}}" "'interfaces': {'i': {'router_advertisements': {'@': 0}}}" "'routes': [{'@': 0}]"; do
		conf "$where"
		hint=$(pe check -c a.json -j | jq -r .error.hint)
		[[ "$hint" == "the keys here are: "* ]]
		for key in ${hint#*: }; do
			grep -Eq "^\.BR? (.*\" )?${key%,}( |$)|\"[, ]+\" ${key%,}( |$)" "$ROOT/man/pekit.json.5" || {
				echo "no $key in pekit.json(5)"
				return 1
			}
		done
	done
}

@test "no engine: exit status 6" {
	conf
	for words in "diff -c a.json" "apply -c a.json" "status -a $A" "confirm -a $A" "log -a $A" "stop -a $A --yes"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr pe $words -j
		[ "$status" = 6 ]
		[ "$(jq .error.code <<< "$output")" = 6 ]
	done
	run pe stop -a "$A" --yes --if-exists
	[ "$status" = 0 ]
	[ "$output" = "$A: unchanged, it does not run" ]
}

@test "pe apply: the words" {
	conf
	run pe apply
	[ "$status" = 2 ]
	[ "${lines[0]}" = "pe: nothing to apply" ]
	run pe apply -c a.json --patch a.json
	[ "$status" = 2 ]
	run pe apply -c a.json --dry-run --save
	[ "$status" = 2 ]
	run pe apply -c a.json --confirm 0
	[ "$status" = 2 ]
	run pe apply --patch nosuch -a "$A"
	[ "$status" = 3 ]
	run pe log loud -a "$A"
	[ "$status" = 2 ]
}

@test "pe apply: the request, and the answer in words and JSON" {
	conf "'cores': {'data': 2}"
	fake '{"result": {"changed": true, "generation": 4, "dry_run": false, "saved": true, "confirm_s": 30, "changes":
		[{"path": "ports.p1.mtu", "from": "1500", "to": "9000"}, {"path": "ports.p2", "from": "", "to": "{\"device\": \"if:v\"}"},
		{"path": "ports.p3", "from": "{}", "to": ""}]}}'
	run pe apply -c a.json --save --confirm 29.5s
	[ "$status" = 0 ]
	[ "${lines[0]}" = '~ ports.p1.mtu: 1500 -> 9000' ]
	[ "${lines[1]}" = '+ ports.p2: {"device": "if:v"}' ]
	[ "${lines[2]}" = '- ports.p3: {}' ]
	[ "${lines[3]}" = "applied to $A, generation 4, saved" ]
	[ "${lines[4]}" = "taken back in 30 s unless you say: pe confirm -a $A" ]
	[ "$(jq -c '[.op, .args.save, .args.dry_run, .args.confirm_s]' requests)" = '["apply",true,false,30]' ]
	[ "$(jq -r .args.config requests | jq -c .cores)" = '{"data":2}' ]
	rm requests
	pe apply --patch - -a "$A" -j <<< '{"ports": null}' > out
	[ "$(jq -c '[.appliance, .generation, .changes[0], .changes[1].from, .changes[2].to]' out)" = \
		"[\"$A\",4,{\"path\":\"ports.p1.mtu\",\"from\":1500,\"to\":9000},null,null]" ]
	[ "$(jq -r .args.patch requests)" = '{"ports": null}' ]
	[ "$(jq '.args | has("confirm_s")' requests)" = false ]
}

@test "pe apply: unchanged, and an engine's refusal" {
	conf
	fake '{"result": {"changed": false, "generation": 4, "dry_run": false, "saved": false, "confirm_s": null, "changes": []}}'
	run pe apply -c a.json
	[ "$status" = 0 ]
	[ "$output" = unchanged ]
	kill "$FAKE"
	rm "$A.sock"
	fake '{"error": {"code": 5, "name": "refused", "message": "cores.data: cannot change", "hint": "start it anew"}}'
	run pe apply -c a.json
	[ "$status" = 5 ]
	[ "${lines[0]}" = "pe: cores.data: cannot change" ]
	[ "${lines[1]}" = "hint: start it anew" ]
}

@test "pe confirm and log: the request and the answer" {
	fake '{"result": {"changed": true, "saved": true, "level": "debug"}}'
	[ "$(pe confirm -a "$A")" = "confirmed and saved" ]
	[ "$(pe log debug -a "$A")" = debug ]
	[ "$(pe log -a "$A" -j | jq -r .level)" = debug ]
	[ "$(jq -sc . requests)" = '[{"op":"confirm"},{"op":"log","args":{"level":"debug"}},{"op":"log"}]' ]
}

@test "pe status and diff: what an engine left" {
	"${PEKIT_TEST:-$ROOT/build/test}/cli/mkseg" "$A"
	run --separate-stderr pe status -a "$A"
	[ "$status" = 6 ]
	[[ "${lines[0]}" == "$A: "*", pid "* ]]
	[[ "$stderr" == *"no engine"* || "$stderr" == *" old"* ]]
	run --separate-stderr pe status -a "$A" -j
	[ "$status" = 6 ]
	[ "$(jq -c '[.appliance, .alive, .cores, .coherent, (.ports | length), .config_file]' <<< "$output")" = "[\"$A\",false,3,true,2,null]" ]
	[ "$(jq -r '.ports[0] | [.port, .link] | join(" ")' <<< "$output")" = "p1 up" ]
	run pe stop -a "$A" --yes
	[ "$status" = 6 ]
	run pe diff -a "$A"
	[ "$status" = 2 ]
	[[ "$output" == *"-c FILE"* ]]
}

@test "pe --complete knows verbs, options and files" {
	[ "$(pe --complete '' | sort | xargs)" = "apply check confirm diff drain inject log route run status stop undrain" ]
	pe --complete apply --p | grep -qx -- --patch
	[ "$(pe --complete check -c '')" = ":file" ]
	[ "$(pe --complete log d)" = debug ]
	touch "some file.json"
	run bash -c '. /usr/share/bash-completion/bash_completion && . "$1/completions/pe"
		complete_words() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}; compopt() { :; }; _pekit_pe; }
		complete_words pe app; echo "${COMPREPLY[*]}"
		complete_words pe check -c some; echo "${COMPREPLY[*]}"
		complete_words pe status -o j; echo "${COMPREPLY[*]}"' - "$ROOT"
	[ "${lines[0]}" = apply ]
	[ "${lines[1]}" = "some file.json" ]
	[ "${lines[2]}" = "json jsonl" ]
}
