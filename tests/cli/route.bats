#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# pe route without an engine: words, and what is asked of a socket that speaks like one.
# shellcheck disable=SC2154 # bats sets status, output, lines and stderr

bats_require_minimum_version 1.5.0
ROOT="$BATS_TEST_DIRNAME/../.."

setup()
{
	PATH="${PEKIT_BIN:-$ROOT/build/bin}:$PATH"
	A="cliroute$$"
	export PEKIT_RUN="$BATS_TEST_TMPDIR" PEKIT_APPLIANCE="$A"
	cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
	[ -z "${FAKE-}" ] || kill "$FAKE" 2>/dev/null || true
	rm -f "/dev/shm/pekit.$A"
}

# An engine's end of the socket: answers every request with $1 and writes it to "requests".
fake()
{
	python3 - "$A.sock" "$1" <<-'END' 3>&- &
	import socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	s.listen()
	while True:
	    c, _ = s.accept()
	    line = c.makefile().readline()
	    open("requests", "a").write(line)
	    c.sendall(sys.argv[2].encode() + b"\n")
	    c.close()
	END
	FAKE=$!
	for _ in $(seq 200); do
		[ -S "$A.sock" ] && return
		sleep 0.02
	done
	return 1
}

# asked OP ARGS: the last request
asked()
{
	[ "$(tail -1 requests | jq -Sc .)" = "$(jq -Sc . <<< "{\"op\": \"$1\", \"args\": $2}")" ] || {
		tail -1 requests
		return 1
	}
}

@test "each verb asks what its words say" {
	fake '{"result": {"changed": true, "dry_run": false}}'
	run -0 pe route add 10.0.0.0/8 via 192.0.2.1
	[ "$output" = "10.0.0.0/8: added" ]
	asked route.add '{"to": "10.0.0.0/8", "via": "192.0.2.1"}'
	run -0 pe route add default via fe80::1 dev v10 --may-exist --dry-run
	[ "$output" = "default: would be added" ]
	asked route.add '{"to": "default", "via": "fe80::1", "interface": "v10", "may_exist": true, "dry_run": true}'
	run -0 pe route replace default type blackhole --family ipv6
	asked route.replace '{"to": "default", "type": "blackhole", "family": "ipv6"}'
	run -0 pe route del 10.0.0.0/8 dev v10 --if-exists
	asked route.del '{"to": "10.0.0.0/8", "interface": "v10", "if_exists": true}'
	run -0 pe route flush 10.0.0.0/8 dev v10 --yes
	asked route.flush '{"to": "10.0.0.0/8", "interface": "v10"}'
}

@test "lines of a batch file that follow each other are one request" {
	fake '{"result": {"changed": true, "dry_run": false, "routes_changed": 3, "routes_unchanged": 0}}'
	printf '%s\n' "route add 10.0.0.0/8 via 192.0.2.1" "# what is no line" "route replace 10.1.0.0/16 type prohibit" \
		"route del 10.2.0.0/16 --if-exists" "route flush --yes" "route add 10.3.0.0/16 dev v1 --may-exist" > b
	run -0 pe -b b
	[ "$(wc -l < requests)" = 3 ]
	[ "$(head -1 requests | jq -c .args.edits)" = '[{"to":"10.0.0.0/8","via":"192.0.2.1","op":"add"},{"to":"10.1.0.0/16","type":"prohibit","op":"replace"},{"to":"10.2.0.0/16","op":"del","if_exists":true}]' ]
	[ "$(sed -n 2p requests | jq -r .op)" = route.flush ]
	asked route.batch '{"edits": [{"op": "add", "to": "10.3.0.0/16", "interface": "v1", "may_exist": true}], "dry_run": false}'
	[ "${lines[0]}" = "3 routes changed, 0 unchanged" ]
}

@test "the line that an engine refuses is named; what came before it is told" {
	fake '{"error": {"code": 4, "name": "exists", "message": "edits[2]: 10.2.0.0/16: there is such a route", "hint": "replace it"}}'
	printf 'route add 10.%d.0.0/16 dev v1\n' 0 1 2 3 > b
	run -4 --separate-stderr pe -b b
	[ "${stderr_lines[0]}" = "pe: b: line 3: 10.2.0.0/16: there is such a route" ]
	run -4 pe -j -b b
	[ "$(jq -r '.[0].error.message' <<< "$output")" = "b: line 3: 10.2.0.0/16: there is such a route" ]
}

@test "words that cannot be: exit 2, in a batch before anything is asked" {
	local words
	while read -r words; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr pe route $words
		[ -z "$output" ]
	done <<-'END'
	add 10.0.0.0/8
	add 10.0.0.1/8 dev v1
	add 10.0.0.0/33 dev v1
	add default dev v1
	add 10.0.0.0/8 via 10.0.0
	add 10.0.0.0/8 via 10.1.1.1 type blackhole
	add 10.0.0.0/8 type local
	add 2001:db8::/32 dev v1 --family ipv4
	add 10.0.0.0/8 dev v1 --if-exists
	del
	del default
	flush 10.0.0.1/8 --yes
	flush
	get
	get 10.0.0.0/8
	show 10.0.0.1/8
	show protocol kernel
	frob
	END
	fake '{"result": {}}'
	printf '%s\n' "route add 10.0.0.0/8 dev v1" "route add 10.0.0.1/8 dev v1" > b
	run -2 pe -b b
	[[ "$output" == *"b: line 2: 10.0.0.1/8: has bits set beyond its length"* ]]
	[ ! -e requests ]
}

@test "no routes are an empty list; no engine is exit 6" {
	run -6 pe route add 10.0.0.0/8 dev v1
	run -6 --separate-stderr pe route show -j
	"$PEKIT_TEST/cli/mkseg" "$A"
	[ "$(pe route -j 2>/dev/null | jq -c .)" = "[]" ]
	[ "$(pe route show --count -j 2>/dev/null | jq -c .)" = '{"entries":0}' ]
	run -3 --separate-stderr pe route get 10.0.0.1
	[[ "${stderr_lines[*]}" == *"10.0.0.1: no route"* ]]
	run -3 pe route show dev v99
}

@test "completion knows the second word, and the keywords" {
	[ "$(pe --complete route '' | xargs)" = "show get add replace del flush" ]
	pe --complete route add 10.0.0.0/8 '' | grep -qx via
	[ "$(pe --complete route add 10.0.0.0/8 type b)" = blackhole ]
}
