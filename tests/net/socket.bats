#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Clients of the control socket that are slow, many, greedy or gone; bad.bats has those that talk nonsense.

load lib
bats_require_minimum_version 1.5.0

setup()
{
	net_setup
	# Many VLANs make a long answer to "config", so that a few fill a socket.
	jq -n '{ports: {p1: {device: "vdev:net_null0,no-rx=1"}}, bridges: {br0: {ports: {p1: {untagged: 10, tagged: [range(100; 3600)]}}}}}' | engine x
	SOCKET="/run/pekit/$T-x.sock"
	PID=$(engine_pid x)
}

teardown()
{
	net_teardown
}

# client NAME: Python on standard input as a client in the background; dial() gives it a connection. It ends with the test.
client()
{
	{
		printf 'import json, socket, sys, time\n'
		printf 'def dial():\n    s = socket.socket(socket.AF_UNIX)\n    s.settimeout(20)\n    s.connect("%s")\n    return s\n' "$SOCKET"
		printf 'def say(*words):\n    print(*words, flush=True)\n'
		cat
	} > "$W/$1.py"
	spawn "$1" e python3 -B "$W/$1.py"
}

says()
{
	await "${3:-20}" grep -qx "$2" "$W/$1.out"
}

alive()
{
	same "process" "$(engine_pid x)" "$PID"
	brtable add -a "$T-x" 02:00:00:00:00:77 vlan 10 port p1 --may-exist
}

@test "long requests that do not end: together they are bounded, and others are served" {
	client greedy <<-'END'
	held = []
	for _ in range(5):
	    held.append(dial())
	    held[-1].sendall(b" " * (5 << 20))
	say("said")
	time.sleep(60)
	END
	says greedy said
	alive
	client further <<-'END'
	for _ in range(20):
	    s = dial()
	    s.sendall(b'{"op": "status"}\n')
	    say(json.loads(s.makefile().readline())["result"]["state"])
	say("served")
	END
	says further served
	alive
}

@test "a long request that is refused leaves the connection usable" {
	client long <<-'END'
	s = dial()
	f = s.makefile()
	s.sendall(b" " * (9 << 20))
	say(json.loads(f.readline())["error"]["message"])
	s.sendall(b'{"op": "stop"}\n{"op": "status"}\n')
	say(json.loads(f.readline())["result"]["state"])
	END
	finished long 30
	same said "$(< "$W/long.out")" $'the request is longer than 8 MiB\nready'
	alive
}

@test "a client that asks and asks and reads later gets all answers in order, also when it has said its last word" {
	client late <<-'END'
	import select, threading
	COUNT = 5000
	s = dial()
	text = b"".join((b'{"op": "nosuch%d"}' % i if i % 2 else b'{"op": "config"}').ljust(999) + b"\n" for i in range(COUNT))
	sent = 0
	s.setblocking(False)
	while sent < len(text) and select.select([], [s], [], 0.5)[1]:
	    sent += s.send(text[sent:])
	# The engine has an answer that nobody takes, and requests behind it.
	say("waits" if sent < len(text) else "does not wait")
	s.setblocking(True)
	s.settimeout(20)
	def rest():
	    s.sendall(text[sent:])
	    s.shutdown(socket.SHUT_WR)
	threading.Thread(target=rest).start()
	answers = [json.loads(line) for line in s.makefile()]
	good = all("nosuch%d:" % i in a["error"]["message"] if i % 2 else "result" in a for i, a in enumerate(answers))
	say(len(answers) == COUNT, good)
	END
	finished late 60
	same said "$(< "$W/late.out")" $'waits\nTrue True'
	alive
}

descriptors()
{
	find "/proc/$PID/fd" -mindepth 1 | wc -l
}

has_descriptors()
{
	same descriptors "$(descriptors)" "$1"
}

@test "clients that go while their answers are queued take nobody along" {
	local before
	before=$(descriptors)
	client gone <<-'END'
	import select
	for _ in range(30):
	    s = dial()
	    s.setblocking(False)
	    while select.select([], [s], [], 0.05)[1]:
	        s.send(b'{"op": "config"}\n' * 1000)
	    s.close()
	say("gone")
	END
	says gone gone
	alive
	await 5 has_descriptors "$before"
}

@test "64 clients: the next one is told, and served when there is room again" {
	client crowd <<-'END'
	held = [dial() for _ in range(64)]
	held[-1].sendall(b'{"op": "status"}\n')
	say(json.loads(held[-1].makefile().readline())["result"]["state"])
	time.sleep(60)
	END
	says crowd ready
	local i
	for i in $(seq 10); do
		run --separate-stderr brtable add -a "$T-x" 02:00:00:00:00:76 vlan 10 port p1
		same "exit status" "$status" 5
		[[ $stderr == *"64 connections are open already"* ]] || fail "$stderr"
	done
	kill "$(< "$W/crowd.pid")"
	await 5 brtable add -a "$T-x" 02:00:00:00:00:76 vlan 10 port p1
}

# Hundredths of a second of CPU time of the control core.
cpu_ticks()
{
	awk '{ print $14 + $15 }' <(sed 's/.*) /x x /' "/proc/$PID/task/$PID/stat")
}

@test "without descriptors clients wait, nothing spins, and they are served when there are some" {
	local free=0 before
	while [ -e "/proc/$PID/fd/$free" ]; do
		free=$((free + 1))
	done
	prlimit --pid "$PID" --nofile="$free":
	client waiting <<-'END'
	s = dial()
	s.sendall(b'{"op": "status"}\n')
	say("asked")
	say(json.loads(s.makefile().readline())["result"]["state"])
	END
	says waiting asked
	before=$(cpu_ticks)
	sleep 1 # the time in which somebody could spin
	[ $(($(cpu_ticks) - before)) -lt $(($(getconf CLK_TCK) / 2)) ] || fail "$(($(cpu_ticks) - before)) ticks of CPU in a second"
	run ! grep -q ready "$W/waiting.out"
	prlimit --pid "$PID" --nofile=1024:
	says waiting ready 5
	alive
}

@test "the directory of the sockets is for all, whatever the umask" {
	mkdir "$W/dir"
	jq '.appliance += "y" | .ports.p1.device = "vdev:net_null1,no-rx=1"' "$W/x.json" > "$W/y.json"
	echo xy >> "$W/engines"
	spawn y e sh -c 'umask 077; PEKIT_RUN=$1/run exec pe run -c "$2"' sh "$W/dir" "$W/y.json"
	await 20 grep -q ready "$W/y.out"
	same mode "$(stat -c %a "$W/dir/run")" 755
	same mode "$(stat -c %a "$W/dir/run/$T-xy.sock")" 660
	kill "$(< "$W/y.pid")"
	finished y 20
}

@test "a word that is cut in the middle of a character is still told" {
	client word <<-'END'
	s = dial()
	s.sendall(('{"op": "x' + "\u00e9" * 100 + '"}\n').encode())
	say(json.loads(s.makefile().readline())["error"]["message"][:5])
	END
	finished word 20
	same said "$(< "$W/word.out")" "op: x"
}
