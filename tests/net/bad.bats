#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Bad input: each with its exit status and a message that names the word; no harm to the engine.

load lib

setup()
{
	net_setup
	host h1 10.7.0.1/24
	host h2 10.7.0.2/24
}

teardown()
{
	rm -f "/dev/shm/pekit.$T-copy"
	net_teardown
}

pair()
{
	engine x <<-'END'
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
}

# wrong STATUS WORD CONFIG: such a configuration is refused with that status, and the message has that word.
wrong()
{
	run engine_refused x <<< "$3"
	same "exit status for $3" "$status" "$1"
	[[ $output == *"$2"* ]] || fail "no word of '$2' in: $output"
}

@test "wrong appliance files" {
	local ports='"ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" } }'
	wrong 2 prots '{"prots": {}}'
	wrong 2 ports.p1.devcie '{"ports": {"p1": {"devcie": "if:h1"}}}'
	wrong 2 bridges.br0.ports.p9 "{$ports, \"bridges\": {\"br0\": {\"ports\": {\"p9\": {}}}}}"
	wrong 2 bridges.br0.ports.p1.untagged "{$ports, \"bridges\": {\"br0\": {\"ports\": {\"p1\": {\"untagged\": 4095}}}}}"
	wrong 2 bridges.br0.ports.p1.tagged "{$ports, \"bridges\": {\"br0\": {\"ports\": {\"p1\": {\"tagged\": [0]}}}}}"
	wrong 4 if:h1 '{"ports": {"p1": {"device": "if:h1"}, "p2": {"device": "if:h1"}}}'
	wrong 3 nosuch '{"ports": {"p1": {"device": "if:nosuch"}}}'
	wrong 5 mbufs '{"memory": {"mbufs": 1024}, "cores": {"data": 64}, "ports": {"p1": {"device": "if:h1"}}}'
	wrong 5 bridges.br0.stp "{$ports, \"bridges\": {\"br0\": {\"stp\": \"rstp\", \"ports\": {\"p1\": {}}}}}"
	# Nothing has been touched.
	same "IPv6 of h1" "$(in_ns e cat /proc/sys/net/ipv6/conf/h1/disable_ipv6)" 0
}

@test "more memory than there is: refused before it is taken" {
	# about 180 GB of mbufs
	[ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -lt 150000000 ] || skip "this machine has that much"
	wrong 5 "are needed" '{"memory": {"mbufs": 16777216, "hugepages": "off"}, "ports": {"p1": {"device": "if:h1", "mtu": 9216}}}'
	[ ! -e "/dev/shm/pekit.$T-x" ]
}

@test "a device that its driver refuses: DPDK's reason is said" {
	wrong 1 "hint: DPDK says: " '{"ports": {"p1": {"device": "vdev:net_pcap0,rx_pcap=/nosuch.pcap"}}}'
	[[ $output == *"/nosuch.pcap: No such file"* ]]
}

# copy OFFSET BYTES: the engine's segment as that of another appliance, with some bytes changed.
copy()
{
	cp "/dev/shm/pekit.$T-x" "/dev/shm/pekit.$T-copy"
	# shellcheck disable=SC2059  # escapes
	[ $# = 0 ] || printf "$2" | dd of="/dev/shm/pekit.$T-copy" bs=1 seek="$1" conv=notrunc status=none
}

# refuses STATUS WORD: each tool refuses the copy so.
refuses()
{
	local words
	for words in "brtable show" "brtable verify" "pemon show" "pemon messages"; do
		# shellcheck disable=SC2086  # a tool and a verb
		run $words -a "$T-copy"
		same "exit status of $words" "$status" "$1"
		[[ $output == *"$2"* ]] || fail "$words: no word of '$2' in: $output"
		# shellcheck disable=SC2086
		run --separate-stderr $words -a "$T-copy" -j
		same "JSON error of $words" "$(jq .error.code <<< "$output")" "$1"
	done
}

@test "segments of another version, foreign, truncated, empty, not permitted" {
	pair
	copy 8 '\377\0\0\0'
	refuses 6 version
	copy 0 'x'
	refuses 6 "$T-copy"
	copy
	truncate -s 5000 "/dev/shm/pekit.$T-copy"
	refuses 6 trunc
	truncate -s 0 "/dev/shm/pekit.$T-copy"
	refuses 6 "$T-copy"
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v brtable)" show -a "$T-x"
	same "exit status without permission" "$status" 5
	pings h1 10.7.0.2
}

@test "noise in a segment yields an error or rows, never a crash" {
	pair
	pings h1 10.7.0.2
	local i words size
	size=$(stat -c %s "/dev/shm/pekit.$T-x")
	for i in $(seq 12); do
		cp "/dev/shm/pekit.$T-x" "/dev/shm/pekit.$T-copy"
		# The first runs hit the header, the others the whole.
		head -c 256 /dev/urandom | dd of="/dev/shm/pekit.$T-copy" bs=1 conv=notrunc status=none \
			seek=$((i <= 6 ? i * 200 : (RANDOM * 32768 + RANDOM) % (size - 256)))
		for words in "brtable show" "brtable stats" "brtable verify -T 1" "pemon show" "pemon messages" "pemon export"; do
			# shellcheck disable=SC2086  # a tool, a verb and options
			run timeout 20 $words -a "$T-copy"
			[ "$status" -le 8 ] || [ "$status" = 124 ] || fail "$words ended with $status in run $i: $output"
		done
	done
}

# talk TEXT: what the engine answers to these bytes.
talk()
{
	python3 -B - "$SOCKET" "$1" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
	s.settimeout(5)
	s.connect(sys.argv[1])
	s.sendall(sys.argv[2].encode("utf-8", "surrogateescape"))
	s.shutdown(socket.SHUT_WR)
	out = b""
	while True:
	    more = s.recv(65536)
	    if not more:
	        break
	    out += more
	print(out.decode(), end="")
	END
}

@test "garbage on the socket is answered with an error, and the engine goes on" {
	pair
	SOCKET="/run/pekit/$T-x.sock"
	local text
	for text in 'hello' '{' '[]' '{}' '{"op": 5}' '{"op": "nosuch"}' '{"op": "status", "extra": 1}' '{"op": "stop", "args": [1]}' \
		'{"op": "apply", "args": {"config": {"ports": 1}}}' '{"op": "fdb.add", "args": {"vlan": 5000, "mac": "x", "port": "p1"}}' \
		$'\377\376\200' "$(printf '[%.0s' $(seq 5000))"; do
		talk "$text"$'\n' > "$W/answer"
		jq -e '.error.code >= 1 and (.error.message | length) > 0' "$W/answer" > /dev/null || fail "'${text:0:60}' was answered: $(< "$W/answer")"
	done
	same "state" "$(pe status -a "$T-x" -j | jq -r .state)" ready
	pings h1 10.7.0.2
}

@test "a gigabyte without an end, and clients that say nothing: bounded memory, others are served" {
	pair
	SOCKET="/run/pekit/$T-x.sock"
	local pid before after
	pid=$(engine_pid x)
	spawn silent e python3 -B -c "
import socket, time
s = socket.socket(socket.AF_UNIX); s.connect('$SOCKET')
t = socket.socket(socket.AF_UNIX); t.connect('$SOCKET'); t.send(b'{\"op\": \"sta')
print('connected', flush=True)
s.settimeout(60); t.settimeout(60)
s.recv(100); t.recv(100)
print('closed', flush=True)"
	await 5 grep -q connected "$W/silent.out"
	before=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	python3 -B - "$SOCKET" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
	s.settimeout(20)
	s.connect(sys.argv[1])
	try:
	    for _ in range(1024):
	        s.sendall(b"a" * (1 << 20))
	except (BrokenPipeError, ConnectionResetError):
	    pass
	END
	after=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	[ $((after - before)) -lt 65536 ] || fail "the engine grew from $before to $after kB"
	pe status -a "$T-x" > /dev/null
	pings h1 10.7.0.2
	# Who says nothing is shown out after 30 seconds.
	await 45 grep -q closed "$W/silent.out"
	pe status -a "$T-x" > /dev/null
}

@test "more clients than there is room for: the next one waits or is refused, and the engine goes on" {
	pair
	SOCKET="/run/pekit/$T-x.sock"
	spawn crowd e python3 -B -c "
import socket, time
held = []
for _ in range(200):
    s = socket.socket(socket.AF_UNIX); s.settimeout(2)
    try:
        s.connect('$SOCKET')
    except OSError:
        break
    held.append(s)
print('holding', len(held), flush=True)
time.sleep(20)"
	await 10 grep -q holding "$W/crowd.out"
	pings h1 10.7.0.2
	kill "$(< "$W/crowd.pid")"
	await 10 pe status -a "$T-x"
}
