#!/usr/bin/env bats
# What all tools have in common: errors, forms of output, options, seen through brtable, pe and pemon.
# shellcheck disable=SC2154,SC2016 # bats sets status, output, lines and stderr

load helpers

setup()
{
	cli_setup
}

teardown()
{
	cli_teardown
}

@test "an error's words do not steer the terminal, and are JSON whatever they are" {
	segment
	run --separate-stderr brtable show mac $'\e[31m\xff\xc2\x9b2'
	[ "$status" = 2 ]
	[ "${stderr_lines[0]}" = "brtable: mac '?[31m???2': not a MAC address" ] || [ "${stderr_lines[0]}" = "brtable: mac '?[31m??2': not a MAC address" ]
	run --separate-stderr brtable -j show mac $'\e\xff'
	[ "$status" = 2 ]
	jq -e '.error.code == 2' <<<"$output"
}

@test "bounds of a time are said as one types them" {
	segment
	run --separate-stderr brtable -T 0 verify
	[ "$status" = 2 ]
	[[ "$stderr" == *"hint: 1ms to 1d"* ]]
	run --separate-stderr brtable -w0 show
	[[ "$stderr" == *"hint: 100ms to 1d"* ]]
	run --separate-stderr pe apply --patch - --confirm 2d
	[ "$status" = 2 ]
	[[ "$stderr" == *"hint: 1s to 1d"* ]]
}

@test "a batch file that is no text, and options that no batch takes: exit 2" {
	segment
	printf 'show\0show\n' >commands
	refused 2 "commands: not a text: it holds a NUL byte" brtable -b commands
	echo show >commands
	refused 2 "--watch and -b do not go together" brtable -w -b commands
	refused 2 "--core and -b do not go together" brtable --core 1 -b commands
}

@test "an output that cannot be written is said once" {
	segment
	local words
	for words in "brtable -o table" "brtable -j" "pemon messages" "pemon show -j" "pemon export" "pe status -j" \
		"timeout 5 pemon messages -f" "timeout 5 brtable monitor" "arpmgr -j" "ndmgr stats"; do
		# shellcheck disable=SC2086 # several words
		run bash -c "$words 2>&1 >/dev/full | grep -c 'cannot write the output'"
		[ "$output" = 1 ]
	done
	run --separate-stderr bash -c 'brtable verify >/dev/full'
	[ "$status" = 1 ]
	[ "$stderr" != "" ]
}

@test "the answer to a change in every form" {
	segment
	fake_engine '{"result": {"changed": true, "dry_run": false}}'
	local add="brtable add 02:00:00:00:00:aa vlan 10 port p1"
	[ "$($add)" = "02:00:00:00:00:aa vlan 10: added" ]
	[ "$($add -o wide)" = "02:00:00:00:00:aa vlan 10: added" ]
	[ "$($add -j | jq -c .)" = '{"changed":true,"dry_run":false}' ]
	[ "$($add -o jsonl)" = '{"changed":true,"dry_run":false}' ]
	[ "$($add -o csv)" = $'changed,dry_run\ntrue,false' ]
	[ "$(pe stop --if-exists -a "$A" -o csv)" = $'appliance,changed,dry_run\n'"$A,false,false" ]
	[ "$(brtable --count -o csv)" = $'entries\n4' ]
}

@test "pe diff and apply in CSV: a change a row" {
	segment
	fake_engine '{"result": {"changed": true, "generation": 2, "dry_run": false, "saved": false, "confirm_s": null, "changes": [{"path": "ports.p1.mtu", "from": "1500", "to": "9000"}, {"path": "ports.p3", "from": "", "to": "{}"}]}}'
	[ "$(echo '{}' | pe apply --patch - -o csv)" = $'path,from,to\nports.p1.mtu,1500,9000\nports.p3,,{}' ]
	echo "{\"appliance\": \"$A\", \"tables\": {\"ageing_s\": 10}}" >a.json
	run --separate-stderr pe diff -c a.json -o csv
	[ "$status" = 0 ]
	[ "${lines[0]}" = path,from,to,live ]
	grep -qx 'tables.ageing_s,300,10,true' <<<"$output"
}

@test "a segment whose names are no names: valid JSON, and nothing steers the terminal" {
	segment differ pending
	cp "/dev/shm/pekit.$A" hostile.seg
	python3 - <<-'END'
	with open("hostile.seg", "r+b") as f:
	    text = f.read()
	    for old, new in ((b"p1\0", b"\x1b\xff\0"), (b"br0\0", b"\x9b\x1b]\0"), (b"if:veth1\0", b"\x1b[1m\xff[0m\0")):
	        assert old in text, old
	        text = text.replace(old, new)
	    f.seek(0)
	    f.write(text)
	END
	local words
	for words in "pe status" "brtable show" "brtable stats" "brtable verify --full" "pemon show" "pemon ports" "pemon drops" "pemon messages"; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr $words -s hostile.seg
		LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f-\xff]' <<<"$output$stderr" && { echo "$words: $output"; return 1; }
		# shellcheck disable=SC2086
		run --separate-stderr $words -s hostile.seg -j
		jq -e 'type == "array" or has("error") == false' <<<"$output" || { echo "$words: $output"; return 1; }
	done
	[ "$(pe status -s hostile.seg -j 2>/dev/null | jq '.ports | length')" = 2 ]
	[ "$(brtable stats -s hostile.seg -j 2>/dev/null | jq '.ports | length')" = 2 ]
	brtable verify --full -s hostile.seg -j 2>/dev/null | jq -e '.differences | length > 0'
}

@test "watched in CSV: one head line" {
	segment
	# ended by nobody reading on
	run --separate-stderr bash -c "brtable show mac 02:00:00:00:00:01 vlan 10 -w0.1 -o csv | head -4"
	[ "$(grep -c '^bridge,' <<<"$output")" = 1 ]
	[ "$(grep -c '^br0,10,02:00:00:00:00:01,' <<<"$output")" = 3 ]
}

@test "who may not read a segment is told so, with and without its name" {
	segment
	[ "$(id -u)" = 0 ] || skip "needs root to be somebody else"
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	install -m 755 "$(command -v brtable)" "/tmp/$A-brtable"
	run --separate-stderr "${nobody[@]}" "/tmp/$A-brtable" -j
	local named=$status:$output
	run --separate-stderr "${nobody[@]}" env -u PEKIT_APPLIANCE "/tmp/$A-brtable" -j
	rm -f "/tmp/$A-brtable"
	[ "$status" = 5 ]
	jq -e '.error.message | startswith("no permission to read the segments here: ")' <<<"$output"
	[ "${named%%:*}" = 5 ]
	jq -e ".error.message == \"appliance $A: no permission to read its segment\"" <<<"${named#*:}"
}

@test "without a verb, completion knows the default verb's options" {
	segment
	brtable --complete -- | grep -qx -- --core
	brtable --complete -- | grep -qx -- --per-core
	run brtable --complete verify --
	[[ "$output" != *--per-core* ]]
}

@test "the same words for the same thing: pe status and pemon" {
	segment
	run --separate-stderr pe status -j
	pe=$(jq -c '[.ports[] | [.port, .device, .link, .speed_bps]]' <<<"$output")
	[ "$pe" = "$(pemon show -j 2>/dev/null | jq -c '[.ports[] | [.port, .device, .link, .speed_bps]]')" ]
	[ "$pe" = "$(pemon ports -j 2>/dev/null | jq -c '[.[] | [.port, .device, .link, .speed_bps]]')" ]
	[ "$(pemon show -j 2>/dev/null | jq -c '[.cores[] | [.rx_pps, .tx_pps, .busy_pct]]')" = "$(pemon cores -j 2>/dev/null | jq -c '[.[] | [.rx_pps, .tx_pps, .busy_pct]]')" ]
}

@test "titles of columns are single words" {
	segment
	local words
	mknbr "$A"
	for words in "brtable -o wide" "brtable --per-core -o wide" "brtable stats" "arpmgr -o wide" "ndmgr --per-core -o wide" "ndmgr stats" \
		"arpmgr owner 10.0.10.5 -o wide" "pemon cores -o wide" "pemon ports -o wide" "pemon drops -o wide" "pemon messages -o wide"; do
		# as many words as columns: two blanks or more between any two
		# shellcheck disable=SC2086 # several words
		head=$($words 2>/dev/null | head -1)
		[ "$(wc -w <<<"$head")" = "$(sed 's/  \+/\n/g; s/^\n//' <<<"$head" | grep -c .)" ]
		[[ "$head" != *-* ]]
	done
}
