#!/usr/bin/env bats
# arpmgr and ndmgr without an engine: their words, their output in every form, their exit statuses. Each test runs with both, for they
# are one code base (cmd/neigh). mknbr.c makes the segments.
# shellcheck disable=SC2154,SC2016,SC2143,SC2030,SC2031,SC2153,SC2317 # bats sets status, output, lines and stderr

load helpers
load neigh

setup()
{
	cli_setup
}

teardown()
{
	cli_teardown
}

# ---- words -------------------------------------------------------------------------------------------------------------

words_are_checked()
{
	segment
	refused 2 "shw: no such verb" "$TOOL" shw
	run --separate-stderr "$TOOL" shw
	[[ "$stderr" == *"hint: show get add del replace flush resolve announce owner stats monitor verify"* ]]
	refused 2 "nud 'dead': not known" "$TOOL" show nud dead
	refused 2 "ADDRESS '10.0.10': not an ${FAMILY/ipv/IPv} address" "$TOOL" get 10.0.10
	refused 2 "ADDRESS '$FOREIGN': not an ${FAMILY/ipv/IPv} address" "$TOOL" get "$FOREIGN"
	run --separate-stderr "$TOOL" get "$FOREIGN"
	[[ "$stderr" == *"hint: $OTHER is for "* ]]
	refused 2 "ADDRESS '$GROUP': not the address of one station" "$TOOL" resolve "$GROUP"
	refused 2 "to '$NET/1': no such prefix" "$TOOL" show to "$NET/1"
	refused 2 "to 'x': not an ${FAMILY/ipv/IPv} prefix" "$TOOL" flush to x --yes
	refused 2 "add: lladdr MAC is missing" "$TOOL" add "$A5" dev v10
	refused 2 "add: dev IFACE is missing" "$TOOL" add "$A5" lladdr 02:00:00:00:00:05
	refused 2 "nud 'failed': not known" "$TOOL" add "$A5" dev v10 lladdr 02:00:00:00:00:05 nud failed
	refused 2 "lladdr '02:00': not a MAC address" "$TOOL" add "$A5" dev v10 lladdr 02:00
	refused 2 "--core and --per-core do not go together" "$TOOL" --core 1 --per-core
	refused 2 "--permanent and nud do not go together" "$TOOL" flush --permanent nud stale --yes
	refused 2 "--repair and -s do not go together" "$TOOL" -s x verify --repair
	refused 2 "--segment: resolve does not take it" "$TOOL" -s x resolve "$A5"
	refused 2 "ADDRESS '$A5%v10': no interface may stand there" "$TOOL" get "$A5%v10"
	refused 2 "dev 'v 10': not an interface's name" "$TOOL" show dev "v 10"
	# whatever is as long as it likes
	long=$(printf '1%.0s' {1..5000})
	run "$TOOL" get "$long"
	[ "$status" = 2 ]
	run "$TOOL" show to "$long/24"
	[ "$status" = 2 ]
}

@test "words that are wrong: exit 2, and the word is named" {
	both words_are_checked
}

names_are_looked_up()
{
	segment
	refused 3 "v9: no such interface" "$TOOL" show dev v9
	run --separate-stderr "$TOOL" show dev v9
	[[ "$stderr" == *"hint: there are: v10, v20"* ]]
	refused 3 "v9: no such interface" "$TOOL" get "$A5" dev v9
	refused 3 "--core 9: no such core" "$TOOL" show --core 9
	refused 3 "$NONE dev v10: no such neighbour" "$TOOL" get "$NONE"
	refused 3 "$A5 dev v20: no such neighbour" "$TOOL" get "$A5" dev v20
	refused 3 "$AWAY: in no prefix of an interface" "$TOOL" get "$AWAY"
	refused 3 "$AWAY: in no prefix of an interface" "$TOOL" resolve "$AWAY"
}

@test "names that do not exist: exit 3, and those that do are listed" {
	both names_are_looked_up
}

no_segment()
{
	run "$TOOL" show
	[ "$status" = 6 ]
	run "$TOOL" -s nowhere show
	[ "$status" = 6 ]
	for verb in "add $A5 dev v10 lladdr 02:00:00:00:00:05" "resolve $A5" "owner $A5" stats monitor verify "flush --yes" "announce $OURS"; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr "$TOOL" -j $verb
		[ "$status" = 6 ]
		jq -e '.error.code == 6' <<<"$output"
	done
	head -c 100 /dev/urandom >garbage
	run "$TOOL" -s garbage show -j
	[ "$status" = 6 ]
}

@test "no segment: exit 6" {
	both no_segment
}

helps()
{
	run --separate-stderr "$TOOL" --version
	[ "$status" = 0 ]
	[[ "$output" == "$TOOL (pekit) "* ]]
	run --separate-stderr "$TOOL" --help
	for verb in $("$TOOL" --grammar | jq -r '.verbs[].name'); do
		grep -q "^  $verb " <<<"$output"
		"$TOOL" "$verb" --help | grep -q "^Usage: $TOOL $verb"
		"$TOOL" "$verb" --help | grep -q "^  $TOOL "
		"$TOOL" "$verb" --help | grep -q "$OTHER" && return 1
	done
	[ "$verb" = verify ]
}

@test "help and version: stdout, exit 0, for every verb" {
	both helps
}

# ---- listings ------------------------------------------------------------------------------------------------------------

show_all_cores_as_one()
{
	segment
	run --separate-stderr "$TOOL" -j
	[ "$status" = 0 ]
	[[ "$stderr" == *"is dead; the data is "*" old"* ]]
	jq -e --argjson k "$KEYS" --argjson n $((LIVE + 2)) 'length == $n and all(.[]; keys_unsorted == $k)' <<<"$output"
	# the row's state and times are its owner's: others say reachable, confirmed 5 s ago
	jq -e --arg a "$A6" '.[] | select(.address == $a) | .state == "stale" and .interface == "v10" and .mac == "02:00:00:00:00:06" and
		.age_ms >= 9000 and .used_ms >= 2000 and .cores == [1, 2, 3]' <<<"$output"
	jq -e --arg a "$A7" '.[] | select(.address == $a) | .state == "permanent" and .interface == "v20"' <<<"$output"
	jq -e --arg a "$A8" '.[] | select(.address == $a) | .state == "incomplete" and .mac == null and .age_ms == null and (.cores | index(3) != null)' <<<"$output"
	jq -e --arg a "$A9" '.[] | select(.address == $a) | .state == "failed" and .mac == null and (.cores | length == 1)' <<<"$output"
	jq -e 'all(.[]; .owner >= 1 and .owner <= 3)' <<<"$output"
}

@test "show: all cores as one, with the owner's state, in JSON with the keys that scripts rely on" {
	both show_all_cores_as_one
}

show_filters()
{
	segment
	[ "$("$TOOL" -j to "$NET" | jq length)" = 4 ]
	[ "$("$TOOL" -j to "$NET_IN" | jq length)" = 4 ]
	[ "$("$TOOL" -j to "$A6" | jq -r '.[].mac')" = 02:00:00:00:00:06 ]
	[ "$("$TOOL" -j dev v20 to "$A7" | jq -r '.[].mac')" = 02:00:00:00:00:07 ]
	[ "$("$TOOL" -j dev v20 to "$A6")" = '[]' ]
	[ "$("$TOOL" -j nud stale | jq -c '[.[].address]')" = "[\"$A6\"]" ]
	[ "$("$TOOL" --count nud failed nud incomplete)" = 2 ]
	[ "$("$TOOL" -j --count nud permanent | jq .entries)" = 1 ]
}

@test "show: filters" {
	both show_filters
}

show_core_by_core()
{
	segment differ
	[ "$("$TOOL" -j --core 3 nud reachable nud stale nud permanent | jq -c '[.[].core] | [length, unique]')" = "[$((LIVE - 1)),[3]]" ]
	"$TOOL" -j --per-core | jq -e --arg a "$A5" '[.[] | select(.address == $a) | .core] == [1, 2]'
	"$TOOL" -j --per-core | jq -e 'all(.[]; has("cores") | not)'
	"$TOOL" -j to "$A5" | jq -e '.[0].cores == [1, 2]'
	# only the owner has it stale
	"$TOOL" -j --per-core to "$A6" | jq -e '[.[] | select(.state == "stale")] | length == 1 and .[0].core == .[0].owner'
	segment entries 2000
	# the same neighbours in the same order, whatever each core says of their states and times
	[ "$("$TOOL" -o csv --core 1 to "$MANY" | cut -d, -f2-4)" = "$("$TOOL" -o csv --core 2 to "$MANY" | cut -d, -f2-4)" ]
	[ "$("$TOOL" --count --core 2 to "$MANY")" = 2000 ]
	"$TOOL" -j | jq -e '[.[].interface] | . == sort'
}

@test "show: core by core" {
	both show_core_by_core
}

show_other_forms()
{
	segment
	run --separate-stderr "$TOOL"
	[[ "${lines[0]}" == "ADDRESS "*"MAC "*"INTERFACE  STATE "*"CORES" ]]
	[ "${#lines[@]}" = $((LIVE + 3)) ]
	[[ "$("$TOOL" -o wide | head -1)" == *"CORES  STATE_FOR  VERSION  FROM_CORE" ]]
	[ "$("$TOOL" -o jsonl | jq -s length)" = $((LIVE + 2)) ]
	[ "$("$TOOL" -o csv | head -1)" = "$(jq -r 'join(",")' <<<"$KEYS")" ]
	[ "$("$TOOL" -o csv to "$A5" | tail -1 | cut -d, -f1-4)" = "$A5,02:00:00:00:00:05,v10,reachable" ]
}

@test "the other forms: table, wide, jsonl, csv" {
	both show_other_forms
}

get_one()
{
	segment differ
	[ "$("$TOOL" -j get "$A5" | jq -c '[length, .[0].mac, .[0].cores]')" = '[1,"02:00:00:00:00:05",[1,2]]' ]
	[ "$("$TOOL" -j get "$A7" dev v20 | jq -r '.[0].state')" = permanent ]
	[ "$("$TOOL" -j get "$A8" | jq -r '.[0].state')" = incomplete ]
}

@test "get: one neighbour" {
	both get_one
}

stats_count()
{
	segment
	"$TOOL" -j stats | jq -e --arg a "$A" --arg f "$FAMILY" --argjson n "$LIVE" '.appliance == $a and .family == $f and (.cores | length == 3) and
		.cores[2].entries == $n and .total.permanent == 1 and .total.asked == 7 and .limit == 32 and .slots == 64 and ([.cores[].digest] | unique | length == 1)'
	[ "$("$TOOL" stats -o csv | wc -l)" = 5 ]
	"$TOOL" stats | grep -q '^limit 32 neighbours'
}

@test "stats: per core and in all" {
	both stats_count
}

saved_copies()
{
	segment differ
	cp "/dev/shm/pekit.$A" saved.seg
	rm "/dev/shm/pekit.$A"
	run --separate-stderr "$TOOL" -s saved.seg -j
	[ "$(jq length <<<"$output")" = $((LIVE + 2)) ]
	[[ "$stderr" == *"saved.seg: a saved copy of $A"* ]]
	run "$TOOL" -s saved.seg verify
	[ "$status" = 8 ]
	"$TOOL" -s saved.seg owner "$A5"
	"$TOOL" -s saved.seg stats
	"$TOOL" -s saved.seg get "$A5"
	head -c 5000 saved.seg >cut.seg
	run "$TOOL" -s cut.seg
	[ "$status" = 6 ]
}

@test "a saved copy reads the same" {
	both saved_copies
}

full_disk_closed_pipe()
{
	segment
	local words
	for words in "-o table" -j "-o csv" "stats" "owner $A5"; do
		run --separate-stderr bash -c "$TOOL $words >/dev/full"
		[ "$status" = 1 ]
		[[ "$stderr" == *"cannot write the output"* ]]
	done
	segment entries 20000
	run --separate-stderr bash -c "$TOOL 2>err | head -1; exit \${PIPESTATUS[0]}"
	[ "$status" = 141 ]
}

@test "a full disk is an error, a closed pipe is none" {
	both full_disk_closed_pipe
}

# A segment whose names, keys and numbers are anything: valid JSON, no crash, and nothing steers the terminal.
hostile_segments()
{
	segment differ pending
	cp "/dev/shm/pekit.$A" hostile.seg
	python3 - <<-'END'
	with open("hostile.seg", "r+b") as f:
	    text = f.read()
	    old, new = b"v10\0", b"\x1b\xff[\0"
	    assert old in text
	    f.seek(0)
	    f.write(text.replace(old, new))
	END
	local words seed
	for words in show "show --per-core" "get $A7" stats "verify --full" "owner $A7"; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr "$TOOL" $words -s hostile.seg
		LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f-\xff]' <<<"$output$stderr" && { echo "$words: $output"; return 1; }
		# shellcheck disable=SC2086
		run --separate-stderr "$TOOL" $words -s hostile.seg -j
		jq -e 'type == "array" or has("error") == false' <<<"$output" || { echo "$words: $output"; return 1; }
	done
	for seed in 1 2 3; do
		python3 - $seed "/dev/shm/pekit.$A" <<-'END'
		import random, sys
		random.seed(int(sys.argv[1]))
		text = bytearray(open(sys.argv[2], "rb").read())
		for _ in range(len(text) // 40):
		    at = random.randrange(8192, len(text))
		    text[at] = random.choice((0, 255, random.randrange(256)))
		open("bent.seg", "wb").write(text)
		END
		for words in show "show --per-core" "get $A7 dev v20" stats "verify --full" "owner $A7"; do
			# shellcheck disable=SC2086
			run --separate-stderr timeout 20 "$TOOL" $words -s bent.seg -j
			[[ "$status" =~ ^[01368]$ ]] || { echo "$words: status $status"; return 1; }
			jq -e . <<<"$output" >/dev/null
		done
	done
}

@test "a segment that holds anything: valid JSON, and nothing steers the terminal" {
	both hostile_segments
}

# ---- owner ---------------------------------------------------------------------------------------------------------------

owner_is_told()
{
	segment
	run --separate-stderr "$TOOL" -j owner "$A5"
	[ "$status" = 0 ]
	[ "$(jq '.[0].owner' <<<"$output")" = "$("$TOOL" -j get "$A5" 2>/dev/null | jq '.[0].owner')" ]
	jq -e '.[0].role == "serving" and .[0].interface == "v10"' <<<"$output"
}

@test "owner: the core that show names" {
	both owner_is_told
}

# ---- monitor -------------------------------------------------------------------------------------------------------------

monitor_json()
{
	live_segment changes
	follow -j monitor to "$NET"
	await eval '[ "$(wc -l <lines)" -ge 12 ]'
	unfollow
	jq -s -e --arg a "$A70" 'all(.[]; .address == $a and .interface == "v10" and .time_ms > 1600000000000 and (.cause | test("^[0-9]+[.][0-9]+$")))' lines
	jq -s -e 'all(.[] | select(.event == "change"); .mac == "02:00:00:00:00:71" and .mac_before == "02:00:00:00:00:70")' lines
	jq -s -e 'all(.[] | select(.event == "failed"); .mac == null and .state == "failed")' lines
	# each follows the one before
	jq -s -e '[.[].event] | [.[:-1], .[1:]] | transpose | all(.[]; . == ["add", "change"] or . == ["change", "delete"] or . == ["delete", "failed"] or . == ["failed", "add"])' lines
	[ ! -s err ]
}

@test "monitor: what comes, changes, fails and goes" {
	both monitor_json
}

monitor_for_people()
{
	live_segment changes
	follow monitor -t
	await eval '[ "$(wc -l <lines)" -ge 12 ]'
	unfollow
	local when='\[20[0-9-]+T[0-9:.]+\] '
	grep -Eqx -- "$when$A70 dev v10 lladdr 02:00:00:00:00:71 REACHABLE" lines
	grep -Eqx -- "${when}Deleted $A70 dev v10 lladdr 02:00:00:00:00:71 REACHABLE" lines
	grep -Eqx -- "$when$A70 dev v10 FAILED" lines
}

@test "monitor: in the words of ip monitor" {
	both monitor_for_people
}

monitor_filters_and_losses()
{
	live_segment changes burst
	follow monitor dev v20
	await grep -q '^! core 1: [0-9]* records were overwritten' lines
	unfollow
	[ -z "$(grep -v '^! core' lines)" ]
	follow -j monitor dev v20
	await grep -q lost lines
	unfollow
	jq -s -e 'all(.[]; .event == "lost" and .core == 1 and (.cause | test("^[0-9]+ records$")))' lines
	end_segment
	live_segment changes
	follow -j monitor nud failed
	await eval '[ "$(grep -c failed lines)" -ge 2 ]'
	unfollow
	jq -s -e 'all(.[]; .event == "failed")' lines
}

@test "monitor: filters, and what is lost is said" {
	both monitor_filters_and_losses
}

# ---- verify -----------------------------------------------------------------------------------------------------------------

verify_coherent()
{
	live_segment
	run "$TOOL" verify
	[ "$status" = 0 ]
	[ "$output" = "coherent: 3 cores, $LIVE neighbours (by digest)" ]
	run --separate-stderr "$TOOL" -j verify --full
	[ "$status" = 0 ]
	jq -e --argjson n "$LIVE" '. == {coherent: true, method: "tables", cores: 3, entries: $n, differences: [], more: false, repaired: false, in_rings: []}' <<<"$output"
}

@test "verify: coherent by digest and by the tables" {
	both verify_coherent
}

verify_differs()
{
	live_segment differ
	run --separate-stderr "$TOOL" -j verify
	[ "$status" = 8 ]
	jq -e --arg a "$A5" '.coherent == false and (.differences | length == 1) and .differences[0].address == $a and .differences[0].interface == "v10" and
		([.differences[0].cores[].state] == ["live", "live", "missing"])' <<<"$output"
	run "$TOOL" verify
	[ "$status" = 8 ]
	[[ "$output" == *"NOT coherent: 1 neighbour differs"* ]]
	run --separate-stderr "$TOOL" verify -o csv
	[ "${#lines[@]}" = 4 ]
}

@test "verify: a difference is named with what each core holds: exit 8" {
	both verify_differs
}

verify_clash()
{
	live_segment clash
	run --separate-stderr "$TOOL" -j verify
	[ "$status" = 8 ]
	jq -e '[.differences[0].cores[] | [.mac[-2:], .version]] | .[0] == .[2] and .[1][0] == "55" and .[1][1] == .[0][1]' <<<"$output"
}

@test "verify: one version with two MACs" {
	both verify_clash
}

verify_under_way()
{
	live_segment changes
	for _ in $(seq 20); do
		run "$TOOL" verify --full
		[ "$status" = 0 ]
	done
}

@test "verify: changes under way are no difference" {
	both verify_under_way
}

verify_waits()
{
	live_segment waiting
	refused 124 "core 2 has not taken what core 1 sent" "$TOOL" -T 0.2 verify
}

@test "verify: a core that does not take its messages: exit 124, and it is named" {
	both verify_waits
}

verify_leaves_out_a_lost_core()
{
	live_segment lost
	run --separate-stderr "$TOOL" -T 1 verify --full
	[ "$status" = 0 ]
	[[ "$stderr" == *"core 3 has been taken out and is not compared"* ]]
	end_segment
	live_segment lost differ
	run --separate-stderr "$TOOL" -T 1 verify
	[ "$status" = 0 ]
}

@test "verify: a core that was taken out is not compared" {
	both verify_leaves_out_a_lost_core
}

verify_dead()
{
	segment pending
	run --separate-stderr "$TOOL" -j verify
	[ "$status" = 0 ]
	jq -e --arg a "$A50" '.coherent and .differences == [] and (.in_rings | length == 1) and .in_rings[0] ==
		{address: $a, interface: "v10", from: 1, to: 2, message: "nbr_add"}' <<<"$output"
	segment pending differ owed
	run --separate-stderr "$TOOL" verify
	[ "$status" = 8 ]
	[[ "$stderr" == *"before a resynchronisation was done"* ]]
}

@test "verify: of a dead engine, messages in rings are listed apart" {
	both verify_dead
}

verify_repairs()
{
	live_segment differ
	fake_engine '{"result": {"changed": true, "dry_run": false}}'
	run --separate-stderr "$TOOL" -j verify --repair
	[ "$status" = 8 ]
	jq -e '.repaired and (.coherent | not)' <<<"$output"
	[ "$(jq -c . requests)" = "{\"op\":\"nbr.repair\",\"args\":{\"family\":\"$FAMILY\"}}" ]
	rm requests
	end_segment
	live_segment
	"$TOOL" -j verify --repair --full | jq -e '.repaired | not'
	[ ! -e requests ]
}

@test "verify --repair: asks the engine only where something differs, and looks again" {
	both verify_repairs
}

# ---- changes ------------------------------------------------------------------------------------------------------------------

changes_ask_the_engine()
{
	segment
	fake_engine '{"result": {"changed": true, "dry_run": false}}'
	[ "$("$TOOL" add "$A5" lladdr 0200.0000.00AA dev v10 --may-exist)" = "$A5 dev v10: added" ]
	"$TOOL" replace "$A5" lladdr 02:00:00:00:00:aa dev v10 nud stale --dry-run | grep -q "would be replaced"
	[ "$("$TOOL" del "$A5" --if-exists)" = "$A5: deleted" ]
	"$TOOL" flush --yes
	[ "$("$TOOL" -j flush to "$NET_IN" dev v10 nud stale --yes | jq -c .)" = '{"changed":true,"dry_run":false}' ]
	"$TOOL" flush --permanent --yes
	[ "$("$TOOL" announce "$OURS")" = "$OURS: announced" ]
	run jq -c . requests
	local f="\"family\":\"$FAMILY\",\"address\":\"$A5\""
	[ "${lines[0]}" = "{\"op\":\"nbr.add\",\"args\":{$f,\"interface\":\"v10\",\"mac\":\"02:00:00:00:00:aa\",\"state\":\"permanent\",\"may_exist\":true}}" ]
	[ "${lines[1]}" = "{\"op\":\"nbr.add\",\"args\":{$f,\"interface\":\"v10\",\"mac\":\"02:00:00:00:00:aa\",\"state\":\"stale\",\"replace\":true,\"dry_run\":true}}" ]
	[ "${lines[2]}" = "{\"op\":\"nbr.del\",\"args\":{$f,\"if_exists\":true}}" ]
	[ "${lines[3]}" = "{\"op\":\"nbr.flush\",\"args\":{\"family\":\"$FAMILY\"}}" ]
	[ "${lines[4]}" = "{\"op\":\"nbr.flush\",\"args\":{\"family\":\"$FAMILY\",\"prefix\":\"$NET\",\"interface\":\"v10\",\"state\":\"stale\"}}" ]
	[ "${lines[5]}" = "{\"op\":\"nbr.flush\",\"args\":{\"family\":\"$FAMILY\",\"state\":\"all\"}}" ]
	[ "${lines[6]}" = "{\"op\":\"nbr.announce\",\"args\":{\"family\":\"$FAMILY\",\"address\":\"$OURS\"}}" ]
}

@test "add, replace, del, flush, announce: what the engine is asked" {
	both changes_ask_the_engine
}

resolve_waits()
{
	segment
	fake_engine '{"result": {"mac": "02:00:00:00:00:05", "state": "reachable", "interface": "v10", "answered_by_ms": 7}}'
	run --separate-stderr "$TOOL" -T 2 resolve "$A5"
	[ "$status" = 0 ]
	owner=$("$TOOL" -j get "$A5" 2>/dev/null | jq '.[0].owner')
	[ "$output" = "$A5 dev v10 lladdr 02:00:00:00:00:05 reachable: 7 ms, core $owner owns it" ]
	[ "$("$TOOL" -j resolve "$A5" | jq -c .)" = "{\"address\":\"$A5\",\"mac\":\"02:00:00:00:00:05\",\"interface\":\"v10\",\"state\":\"reachable\",\"owner\":$owner,\"answered_by_ms\":7}" ]
	[ "$(head -1 requests | jq -c .)" = "{\"op\":\"nbr.resolve\",\"args\":{\"family\":\"$FAMILY\",\"address\":\"$A5\",\"interface\":\"v10\",\"timeout_ms\":2000}}" ]
}

@test "resolve: who answers, when, and whose it is" {
	both resolve_waits
}

resolve_fails()
{
	segment
	fake_engine "{\"error\": {\"code\": 3, \"name\": \"not_found\", \"message\": \"$A5: nobody answered\", \"hint\": \"\"}}"
	refused 3 "$A5: nobody answered" "$TOOL" resolve "$A5"
}

@test "resolve: nobody answers: exit 3" {
	both resolve_fails
}

# An engine that says nothing of what it was asked for
resolve_of_an_odd_engine()
{
	segment
	fake_engine '{"result": {}}'
	run --separate-stderr "$TOOL" -j resolve "$A5"
	[ "$status" = 0 ]
	jq -e '.mac == null' <<<"$output"
}

@test "resolve: an engine that says nothing" {
	both resolve_of_an_odd_engine
}

refusals_come_through()
{
	segment
	fake_engine '{"error": {"code": 4, "name": "exists", "message": "it is at 02:00:00:00:00:01", "hint": "replace it"}}'
	refused 4 "it is at 02:00:00:00:00:01" "$TOOL" add "$A5" lladdr 02:00:00:00:00:aa dev v10
}

@test "the engine's refusal comes through, and nothing else is printed" {
	both refusals_come_through
}

flush_asks()
{
	segment
	refused 2 "forget learned neighbours: nobody to ask" "$TOOL" flush
	refused 2 "forget all neighbours in $NET at v10: nobody to ask" "$TOOL" flush to "$NET" dev v10 --permanent
}

@test "flush asks: without a terminal it needs --yes" {
	both flush_asks
}

batches()
{
	segment
	fake_engine '{"result": {"changed": true, "dry_run": false}}'
	printf '%s\n' '# two' "add $A5 lladdr 02:00:00:00:00:aa dev v10" '' "add $FOREIGN lladdr 02:00:00:00:00:ab dev v10" >commands
	refused 2 "commands: line 4: ADDRESS '$FOREIGN': not an ${FAMILY/ipv/IPv} address" "$TOOL" -b commands
	[ ! -e requests ]
	sed -i "s/$FOREIGN/$A6/" commands
	run --separate-stderr "$TOOL" -b commands
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 2 ]
	"$TOOL" -j -b - <commands | jq -e 'length == 2 and all(.[]; .changed)'
	[ "$(wc -l <requests)" = 4 ]
}

@test "batch: all lines are checked before the first one runs" {
	both batches
}

# ---- completion, the page, and time ---------------------------------------------------------------------------------------------

completes()
{
	segment
	[ "$("$TOOL" --complete s | sort | paste -sd' ')" = "show stats" ]
	[ "$("$TOOL" --complete show dev '' | sort | paste -sd' ')" = "v10 v20" ]
	[ "$("$TOOL" --complete show --core '' | sort | paste -sd' ')" = "1 2 3" ]
	[ "$("$TOOL" --complete add x nud '' | sort | paste -sd' ')" = "permanent reachable stale" ]
	"$TOOL" --complete get '' | grep -qx -- "$A5"
	"$TOOL" --complete get '' | grep -qx -- "$A8" && return 1
	[ -z "$("$TOOL" --complete frob '')" ]
	bash --norc -c 'source /usr/share/bash-completion/bash_completion; source "$1"; complete -p "$2"' -- "$ROOT/completions/$TOOL" "$TOOL" | grep -q "_pekit_$TOOL $TOOL"
}

@test "completion: words, values and live names" {
	both completes
}

page_agrees()
{
	"$ROOT/tests/lint/man.sh" "$TOOL"
	mkdir pages
	sed '/per.*core/d; s/^.SS owner/.SS ovner/; s/Only how many/Only --frob how many/' "$ROOT/man/$TOOL.8" >"pages/$TOOL.8"
	MAN=$PWD/pages run "$ROOT/tests/lint/man.sh" "$TOOL"
	[ "$status" = 1 ]
	[[ "$output" == *"no heading for the verb owner"* && "$output" == *"--per-core is missing"* && "$output" == *"$TOOL has no --frob"* ]]
}

@test "the man page agrees with the grammar, and the check can fail" {
	both page_agrees
}

# Printed, not asserted: times of this machine. The baseline is reading the same bytes once.
many_neighbours()
{
	segment cores 8 entries 65536
	local begun n
	cp "/dev/shm/pekit.$A" many.seg
	took()
	{
		begun=${EPOCHREALTIME/./}
		"${@:2}" >out 2>/dev/null
		echo "# $1: $(((${EPOCHREALTIME/./} - begun) / 1000)) ms" >&3
	}
	took "reading $(($(stat -c %s many.seg) >> 20)) MiB with cat" cat "/dev/shm/pekit.$A"
	took "65,536 neighbours over 8 cores, listed" "$TOOL" -s many.seg
	n=$(wc -l <out)
	took "as JSON" "$TOOL" -s many.seg -j
	[ "$(jq length out)" = $((n - 1)) ]
	[ "$(jq 'map(.address + .interface) | unique | length' out)" = $((n - 1)) ]
	took "verified by the tables" "$TOOL" -s many.seg verify --full
	grep -q "^coherent: 8 cores, $((65536 + LIVE)) neighbours" out
	took "verified by digest" "$TOOL" -s many.seg verify
}

@test "65,536 neighbours over 8 cores" {
	both many_neighbours
}

@test "examples/neighbors.sh: reports, pins and says which cores differ" {
	segment
	run --separate-stderr "$ROOT/examples/neighbors.sh"
	[ "$status" = 0 ]
	[[ "$output" == *"== arpmgr: 5 neighbours"*"v10: 1 failed, 1 incomplete, 1 reachable, 1 stale"*"== ndmgr: 7 neighbours"* ]]
	segment differ
	run --separate-stderr "$ROOT/examples/neighbors.sh" "$A" report
	[ "$status" = 8 ]
	fake_engine '{"result": {"changed": true, "dry_run": false}}'
	printf '# ours\n10.0.10.5 02:00:00:00:00:05 v10\n2001:db8:10::5 02:00:00:00:00:05 v10\n' >list
	run --separate-stderr "$ROOT/examples/neighbors.sh" "$A" pin list
	[ "$status" = 0 ]
	[ "$(jq -c '[.op, .args.family, .args.replace]' requests | paste -sd' ')" = '["nbr.add","ipv4",true] ["nbr.add","ipv6",true]' ]
}
