# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154 # bats sets status, output and stderr
# For tests of the tools: a segment of known contents (mkseg.c), and what every answer must hold. A test's setup() calls cli_setup, its
# teardown() cli_teardown.

ROOT="$BATS_TEST_DIRNAME/../.."
export PATH="${PEKIT_BIN:-$ROOT/build/bin}:${PEKIT_TEST:-$ROOT/build/test}/cli:$PATH" LC_ALL=C

cli_setup()
{
	bats_require_minimum_version 1.5.0
	A="cli$$-$BATS_TEST_NUMBER"
	export PEKIT_APPLIANCE=$A PEKIT_RUN=$BATS_TEST_TMPDIR
	unset NO_COLOR
	MKSEG=
	FAKE=
	FOLLOWER=
	cd "$BATS_TEST_TMPDIR" || return
}

cli_teardown()
{
	local pid
	for pid in $MKSEG $FAKE $FOLLOWER; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -f "/dev/shm/pekit.$A"
}

# segment WORD...: that of a dead engine
segment()
{
	mkseg "$A" "$@"
}

# live_segment WORD...: that of an engine that seems to live
live_segment()
{
	mkseg "$A" live "$@" >ready 2>&1 3>&- &
	MKSEG=$!
	await grep -q ready ready
}

# await COMMAND...: until it succeeds, at most 10 s
await()
{
	local end=$((SECONDS + 10))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "in vain: $*" >&2; return 1; }
		sleep 0.02
	done
}

# An engine's end of the socket: answers every request with $1 and adds the request to the file "requests".
fake_engine()
{
	python3 - "$A.sock" "$1" >fake.log 2>&1 3>&- <<-'END' &
	import socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	s.listen()
	while True:
	    c, _ = s.accept()
	    line = c.makefile().readline()
	    with open("requests", "a") as f:
	        f.write(line)
	    c.sendall(sys.argv[2].encode() + b"\n")
	    c.close()
	END
	FAKE=$!
	await test -S "$A.sock"
}

# refused STATUS "MESSAGE" TOOL WORD...: says so on stderr and nothing on stdout; with -j one document on stdout that says the same
refused()
{
	local code=$1 message=$2 tool=$3
	shift 3
	run --separate-stderr "$tool" "$@"
	[ "$status" = "$code" ] || { echo "status $status: $output $stderr"; return 1; }
	[ -z "$output" ]
	grep -Fqx -- "$tool: $message" <<<"$stderr" || { echo "said: $stderr"; return 1; }
	run --separate-stderr "$tool" -j "$@"
	[ "$status" = "$code" ]
	jq -e --argjson c "$code" --arg m "$message" '.error.code == $c and .error.message == $m and (.error | has("name") and has("hint"))' <<<"$output"
}
