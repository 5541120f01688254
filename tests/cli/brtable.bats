#!/usr/bin/env bats
# brtable without an engine: its words, its output in every form, its exit statuses.
# shellcheck disable=SC2154,SC2016,SC2143 # bats sets status, output, lines and stderr

load helpers

setup()
{
	cli_setup
}

teardown()
{
	cli_teardown
}

# ---- words -------------------------------------------------------------------------------------------------------------

@test "unknown and wrong words: exit 2, and the word is named" {
	segment
	refused 2 "shw: no such verb" brtable shw
	run --separate-stderr brtable shw
	[[ "$stderr" == *"hint: show get add del replace flush stats monitor verify"* ]]
	refused 2 "sho: no such verb" brtable sho
	refused 2 "vlan '4095': not a VLAN" brtable show vlan 4095
	refused 2 "vlan '0': not a VLAN" brtable vlan 0
	refused 2 "vlan: its value is missing" brtable vlan
	refused 2 "type 'dyn': not known" brtable show type dyn
	refused 2 "MAC '02:00': not a MAC address" brtable get 02:00 vlan 10
	refused 2 "get: vlan V is missing" brtable get 02:00:00:00:00:01
	refused 2 "add: port P is missing" brtable add 02:00:00:00:00:01 vlan 10
	refused 2 "--frob: no such option" brtable --frob
	refused 2 "--yes: show does not take it" brtable show --yes
	refused 2 "--segment: add does not take it" brtable -s x add 02:00:00:00:00:01 vlan 10 port p1
	refused 2 "--core and --per-core do not go together" brtable --core 1 --per-core
	refused 2 "--timeout 'soon': not a time in range" brtable -T soon verify
	refused 2 "extra: not a word of stats" brtable stats extra
}

@test "names that do not exist: exit 3, and those that do are listed" {
	segment
	refused 3 "p9: no such port" brtable show port p9
	refused 3 "br9: no such bridge" brtable show bridge br9
	refused 3 "--core 9: no such core" brtable show --core 9
	refused 3 "02:00:00:00:00:99 vlan 10: no such entry" brtable get 02:00:00:00:00:99 vlan 10
	refused 3 "02:00:00:00:00:01 vlan 20: no such entry" brtable get 02:00:00:00:00:01 vlan 20
	run --separate-stderr brtable show port p9
	[[ "$stderr" == *"hint: there are: p1, p2"* ]]
}

@test "no segment: exit 6" {
	refused 6 "$(brtable show 2>&1 | sed -n 's/^brtable: //p')" brtable show
	run brtable -s nowhere show
	[ "$status" = 6 ]
	run brtable add 02:00:00:00:00:01 vlan 10 port p1
	[ "$status" = 6 ]
	head -c 100 /dev/urandom >garbage
	run brtable -s garbage show -j
	[ "$status" = 6 ]
	jq -e .error <<<"$output"
}

@test "help and version: stdout, exit 0, for every verb" {
	run --separate-stderr brtable --version
	[ "$status" = 0 ]
	[[ "$output" == "brtable (pekit) "* ]]
	[ -z "$stderr" ]
	run --separate-stderr brtable --help
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	for verb in $(brtable --grammar | jq -r '.verbs[].name'); do
		grep -q "^  $verb " <<<"$output"
		brtable "$verb" --help | grep -q "^Usage: brtable $verb"
	done
	[ "$verb" = verify ]
}

# ---- listings ------------------------------------------------------------------------------------------------------------

@test "show: all cores as one, in JSON with the keys that scripts rely on" {
	segment
	run --separate-stderr brtable -j
	[ "$status" = 0 ]
	[[ "$stderr" == *"is dead; the data is "*" old"* ]]
	jq -e 'length == 4 and all(.[]; keys_unsorted == ["bridge","vlan","mac","port","type","in_use","owner","age_ms","cores"])' <<<"$output"
	jq -e '.[0] == {bridge: "br0", vlan: 10, mac: "02:00:00:00:00:01", port: "p1", type: "dynamic", in_use: false, owner: .[0].owner,
		age_ms: .[0].age_ms, cores: [1, 2, 3]}' <<<"$output"
	jq -e '.[1].in_use and (all(.[]; .owner >= 1 and .owner <= 3)) and ([.[].type] == ["dynamic", "dynamic", "static", "sticky"])' <<<"$output"
}

@test "show: filters" {
	segment
	[ "$(brtable -j vlan 10 | jq -c '[.[].mac[-2:]]')" = '["01","02"]' ]
	[ "$(brtable -j port p2 | jq -c '[.[].mac[-2:]]')" = '["02","03"]' ]
	[ "$(brtable -j type static | jq -c '[.[].mac[-2:]]')" = '["03"]' ]
	[ "$(brtable -j mac 0200.0000.0004 bridge br0 | jq -c '[.[].mac[-2:]]')" = '["04"]' ]
	[ "$(brtable -j vlan 99)" = '[]' ]
	[ "$(brtable --count vlan 10)" = 2 ]
	[ "$(brtable -j --count | jq .entries)" = 4 ]
}

@test "show: core by core" {
	segment differ
	[ "$(brtable -j --core 3 | jq -c '[.[] | .core] | [length, unique]')" = '[3,[3]]' ]
	[ "$(brtable -j --per-core | jq -c '[group_by(.core)[] | length]')" = '[4,4,3]' ]
	brtable -j --per-core | jq -e 'all(.[]; has("cores") | not)'
	[ "$(brtable -j mac 02:00:00:00:00:02 | jq -c '.[0].cores')" = '[1,2]' ]
	[ "$(brtable -j --core 3 --count | jq .entries)" = 3 ]
	segment entries 2000
	[ "$(brtable --core 1 | cut -c7-)" = "$(brtable --core 2 | cut -c7-)" ]
	brtable -j --core 1 | jq -e '[.[] | [.bridge, .vlan, .mac]] | . == sort'
}

@test "the other forms: table, wide, jsonl, csv" {
	segment
	run --separate-stderr brtable
	[[ "${lines[0]}" == "BRIDGE  VLAN  MAC "*"CORES" ]]
	[ "${#lines[@]}" = 5 ]
	[[ "$(brtable -o wide | head -1)" == *"CORES  VERSION  FROM_CORE  THERE_FOR" ]]
	[ "$(brtable -o jsonl | jq -s length)" = 4 ]
	[ "$(brtable -o csv | head -2 | tail -1 | cut -d, -f1-6)" = "br0,10,02:00:00:00:00:01,p1,dynamic,false" ]
	[ "$(brtable -o csv vlan 99)" = "bridge,vlan,mac,port,type,in_use,owner,age_ms,cores" ]
	[ -z "$(brtable -o jsonl vlan 99)" ]
	[[ "$(brtable --color=always | head -1)" == $'\e[1m'* ]]
	[[ "$(brtable --color=never | head -1)" == BRIDGE* ]]
}

@test "get: one entry" {
	segment differ
	[ "$(brtable -j get 02:00:00:00:00:02 vlan 10 | jq -c '[length, .[0].port, .[0].cores]')" = '[1,"p2",[1,2]]' ]
	run --separate-stderr brtable get 02-00-00-00-00-03 vlan 20 bridge br0
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 2 ]
}

@test "stats: per core, totals, ports" {
	segment
	brtable -j stats | jq -e --arg a "$A" '.appliance == $a and (.cores | length == 3) and .cores[2].entries == 4 and .total.static == 1 and
		.limit == 48 and ([.cores[].digest] | unique | length == 1) and .ports == [{port: "p1", dynamic: 2}, {port: "p2", dynamic: 1}]'
	[ "$(brtable stats -o csv | wc -l)" = 5 ]
}

@test "a saved copy reads the same" {
	segment differ
	cp "/dev/shm/pekit.$A" saved.seg
	rm "/dev/shm/pekit.$A"
	run --separate-stderr brtable -s saved.seg -j
	[ "$(jq length <<<"$output")" = 4 ]
	[[ "$stderr" == *"saved.seg: a saved copy of $A"* ]]
	run brtable -s saved.seg verify
	[ "$status" = 8 ]
	head -c 5000 saved.seg >cut.seg
	run brtable -s cut.seg
	[ "$status" = 6 ]
	refused 2 "-a and -s do not go together" brtable -a "$A" -s saved.seg show
}

@test "a full disk is an error, a closed pipe is none" {
	segment
	for form in table json csv; do
		run --separate-stderr bash -c "brtable -o $form >/dev/full"
		[ "$status" = 1 ]
		[[ "$stderr" == *"cannot write the output"* ]]
	done
	run bash -c 'brtable --help >/dev/full'
	[ "$status" = 1 ]
	segment entries 20000
	run --separate-stderr bash -c 'brtable 2>err | head -1; exit ${PIPESTATUS[0]}'
	[ "$status" = 141 ]
	run cat err
	[ "${#lines[@]}" = 1 ]
}

@test "a large table: every entry once" {
	segment entries 20000
	[ "$(brtable --count)" -gt 19000 ]
	[ "$(brtable -j | jq 'map(.mac) | unique | length')" = "$(brtable --count)" ]
	[ "$(brtable -o csv | wc -l)" = $(($(brtable --count) + 1)) ]
	brtable -j | jq -e '[.[] | .vlan] | . == sort'
}

@test "watching: JSON lines, and ctrl-C ends it with 0" {
	live_segment
	brtable -j -w0.1 >lines 2>/dev/null 3>&- &
	FOLLOWER=$!
	await eval '[ "$(wc -l <lines)" -ge 3 ]'
	kill -INT $FOLLOWER
	wait $FOLLOWER
	FOLLOWER=
	jq -s -e 'all(.[]; length == 4)' lines
}

# ---- monitor -------------------------------------------------------------------------------------------------------------

@test "monitor: what comes, moves and goes" {
	live_segment changes
	brtable -j monitor vlan 10 >lines 2>err 3>&- &
	FOLLOWER=$!
	await eval '[ "$(wc -l <lines)" -ge 12 ]'
	kill -INT $FOLLOWER
	wait $FOLLOWER
	FOLLOWER=
	jq -s -e 'all(.[]; .mac == "02:00:00:00:00:50" and .bridge == "br0" and .time_ms > 1600000000000)' lines
	jq -s -e '[.[].event] | (index("add") != null) and (index("change") != null) and (index("delete") != null)' lines
	jq -s -e 'all(.[] | select(.event == "change"); .port == "p2" and .port_before == "p1" and .core == 2)' lines
	# each follows the one before: add, change, delete, add, ...
	jq -s -e '[.[].event] | [.[:-1], .[1:]] | transpose | all(.[]; . == ["add", "change"] or . == ["change", "delete"] or . == ["delete", "add"])' lines
	[ ! -s err ]
}

@test "monitor: filters, people's form, and what is lost is said" {
	live_segment changes burst
	brtable monitor >lines 2>/dev/null 3>&- &
	FOLLOWER=$!
	await grep -q '^! .* records$' lines
	kill -INT $FOLLOWER
	wait $FOLLOWER
	FOLLOWER=
	[[ "$(head -1 lines)" == *"BRIDGE"*"BEFORE"*"CAUSE" ]]
	run timeout -s INT --preserve-status 0.3 brtable -j monitor port p1 type static
	[ "$status" = 0 ]
	[ -z "$(grep -v '"lost"' <<<"$output")" ]
}

# ---- verify -----------------------------------------------------------------------------------------------------------------

@test "verify: coherent by digest and by the tables" {
	live_segment
	run brtable verify
	[ "$status" = 0 ]
	[ "$output" = "coherent: 3 cores, 4 entries (by digest)" ]
	run --separate-stderr brtable -j verify --full
	[ "$status" = 0 ]
	jq -e '. == {coherent: true, method: "tables", cores: 3, entries: 4, differences: [], more: false, in_rings: []}' <<<"$output"
}

@test "verify: a difference is named with what each core holds: exit 8" {
	live_segment differ
	run --separate-stderr brtable -j verify
	[ "$status" = 8 ]
	jq -e '.coherent == false and (.differences | length == 1) and .differences[0].mac == "02:00:00:00:00:02" and
		([.differences[0].cores[].state] == ["live", "live", "missing"])' <<<"$output"
	run brtable verify
	[ "$status" = 8 ]
	[[ "$output" == *"NOT coherent: 1 entry differs"* ]]
	run --separate-stderr brtable verify -o csv
	[ "${#lines[@]}" = 4 ]
}

@test "verify: changes under way are no difference" {
	live_segment changes
	for _ in $(seq 20); do
		run brtable verify --full
		[ "$status" = 0 ]
	done
}

@test "verify: a core that does not take its messages: exit 124, and it is named" {
	live_segment waiting
	refused 124 "core 2 has not taken what core 1 sent" brtable -T 0.2 verify
}

@test "verify: of a dead engine, messages in rings are listed apart" {
	segment pending
	run --separate-stderr brtable -j verify
	[ "$status" = 0 ]
	jq -e '.coherent and .differences == [] and (.in_rings | length == 1) and .in_rings[0].message == "fdb_add" and
		.in_rings[0].from == 1 and .in_rings[0].to == 2 and .in_rings[0].entries[0].mac == "02:00:00:00:00:05"' <<<"$output"
	segment pending differ
	run brtable verify
	[ "$status" = 8 ]
}

# ---- changes ------------------------------------------------------------------------------------------------------------------

@test "add, replace, del, flush: what the engine is asked" {
	segment
	fake_engine '{"result": {"changed": true, "dry_run": false}}'
	run --separate-stderr brtable add 0200.0000.00AA vlan 10 port p1 --may-exist
	[ "$output" = "0200.0000.00AA vlan 10: added" ]
	brtable replace 02:00:00:00:00:aa vlan 10 port p2 type sticky bridge br0 --dry-run | grep -q "would be replaced"
	brtable del 02:00:00:00:00:aa vlan 10 --if-exists
	brtable flush
	[ "$(brtable -j flush port p1 vlan 10 type all --yes)" = "$(jq . <<<'{"changed": true, "dry_run": false}')" ]
	run jq -c . requests
	[ "${lines[0]}" = '{"op":"fdb.add","args":{"mac":"02:00:00:00:00:aa","vlan":10,"port":"p1","type":"static","may_exist":true}}' ]
	[ "${lines[1]}" = '{"op":"fdb.add","args":{"mac":"02:00:00:00:00:aa","vlan":10,"port":"p2","type":"sticky","bridge":"br0","replace":true,"dry_run":true}}' ]
	[ "${lines[2]}" = '{"op":"fdb.del","args":{"mac":"02:00:00:00:00:aa","vlan":10,"if_exists":true}}' ]
	[ "${lines[3]}" = '{"op":"fdb.flush","args":{}}' ]
	[ "${lines[4]}" = '{"op":"fdb.flush","args":{"port":"p1","vlan":10,"type":"all"}}' ]
}

@test "the engine's refusal comes through, and nothing else is printed" {
	segment
	fake_engine '{"error": {"code": 4, "name": "exists", "message": "it is at p2", "hint": "replace moves it"}}'
	refused 4 "it is at p2" brtable add 02:00:00:00:00:aa vlan 10 port p1
}

@test "unchanged is said" {
	segment
	fake_engine '{"result": {"changed": false, "dry_run": false}}'
	[ "$(brtable add 02:00:00:00:00:aa vlan 10 port p1)" = "02:00:00:00:00:aa vlan 10: unchanged" ]
}

@test "flush type all asks: without a terminal it needs --yes" {
	segment
	refused 2 "delete static entries, too: nobody to ask" brtable flush type all
}

@test "batch: all lines are checked before the first one runs" {
	segment
	fake_engine '{"result": {"changed": true, "dry_run": false}}'
	printf '%s\n' '# two entries' 'add 02:00:00:00:00:aa vlan 10 port p1' '' 'add 02:00:00:00:00:ab vlan 5000 port p1' >commands
	refused 2 "commands: line 4: vlan '5000': not a VLAN" brtable -b commands
	[ ! -e requests ]
	sed -i 's/5000/10/' commands
	run --separate-stderr brtable -b commands
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 2 ]
	brtable -j -b - <commands | jq -e 'length == 2 and all(.[]; .changed)'
	[ "$(wc -l <requests)" = 4 ]
	printf 'show vlan 10\nget 02:00:00:00:00:99 vlan 10\nshow\n' >commands
	run --separate-stderr brtable -j -b commands
	[ "$status" = 7 ]
	jq -e 'length == 2 and (.[0] | length == 2) and .[1].error.code == 7' <<<"$output"
}

# ---- completion -----------------------------------------------------------------------------------------------------------------

# complete LINE: what bash would offer for it, sorted, in one line
complete_line()
{
	bash --norc -c '
		source /usr/share/bash-completion/bash_completion
		source "$1/completions/brtable"
		COMP_LINE=$2 COMP_POINT=${#2} COMP_TYPE=9 COMP_KEY=9
		# readline splits at these too
		read -ra COMP_WORDS < <(sed "s/[:=]/ & /g" <<<"$2")
		[[ $2 == *" " ]] && COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_pekit_brtable brtable "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
		printf "%s\n" "${COMPREPLY[@]}" | sort | paste -sd" "' -- "$ROOT" "$1"
}

@test "completion: words, values and live names, in bash" {
	segment
	[ "$(complete_line 'brtable s')" = "show stats" ]
	[ "$(complete_line 'brtable show port ')" = "p1 p2" ]
	[ "$(complete_line 'brtable show bridge b')" = "br0" ]
	[ "$(complete_line 'brtable show --core ')" = "1 2 3" ]
	[ "$(complete_line 'brtable flush type ')" = "all dynamic" ]
	[ "$(complete_line 'brtable -o j')" = "json jsonl" ]
	[ "$(complete_line 'brtable --output=c')" = "csv" ]
	[ "$(complete_line 'brtable get 02:00:00:00:00:0')" = "01 02 03 04" ]
	complete_line 'brtable -a ' | grep -qw "$A"
	touch some.seg
	complete_line 'brtable -s some' | grep -qw some.seg
	[ "$(complete_line 'brtable frob ')" = "" ]
}

# ---- the man page ------------------------------------------------------------------------------------------------------------------

@test "the man page agrees with the grammar, and the check can fail" {
	"$ROOT/tests/lint/man.sh" brtable
	mkdir pages
	sed '/per.*core/d; s/^.SS verify/.SS verity/; s/Only how many/Only --frob how many/' "$ROOT/man/brtable.8" >pages/brtable.8
	MAN=$PWD/pages run "$ROOT/tests/lint/man.sh" brtable
	[ "$status" = 1 ]
	[[ "$output" == *"no heading for the verb verify"* && "$output" == *"--per-core is missing"* && "$output" == *"brtable has no --frob"* ]]
}

@test "it starts and answers at once" {
	segment
	start=${EPOCHREALTIME/./}
	for _ in $(seq 20); do
		brtable >/dev/null 2>&1
	done
	echo "# $(((${EPOCHREALTIME/./} - start) / 20)) us a run" >&3
}
