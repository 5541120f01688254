#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What a service manager hears of an engine (sd_notify(3)), and what a user who is nobody may.

load lib
bats_require_minimum_version 1.5.0

setup()
{
	net_setup
	host h1 10.8.0.1/24
	host h2 10.8.0.2/24
	engine_config x > /dev/null <<-'END'
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 10 } } } } }
	END
	echo x >> "$W/engines"
}

teardown()
{
	net_teardown
}

# ---- the manager -----------------------------------------------------------------------------------------------------------

# manager: a service manager's socket. $W/manager.out has a line for each word that came: milliseconds, sender's pid, word; after
# READY=1 also whether the engine answers on its own socket at that moment.
manager()
{
	spawn manager e python3 -B -c '
import json, os, socket, struct, sys, time
listen = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listen.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
listen.bind(sys.argv[1])
print("listening", flush=True)
while True:
    data, ancillary, _, _ = listen.recvmsg(4096, 256)
    now, pid = time.monotonic_ns() // 1000000, struct.unpack("iii", ancillary[0][2][:12])[0]
    for word in data.decode().split():
        print(now, pid, word, flush=True)
        if word == "READY=1":
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(10)
            s.connect(sys.argv[2])
            s.sendall(b"{\"op\": \"status\"}\n")
            print(now, pid, "answers", json.loads(s.makefile().readline())["result"]["state"], flush=True)
' "$W/notify" "/run/pekit/$T-x.sock"
	await 10 grep -q listening "$W/manager.out"
}

# served [VARIABLE=VALUE...]: an engine as a service in the foreground.
served()
{
	spawn x e env NOTIFY_SOCKET="$W/notify" "$@" pe run -a "$T-x" -c "$W/x.json"
	await 20 heard READY=1
}

heard()
{
	grep -q " $1\$" "$W/manager.out"
}

heard_times()
{
	[ "$(grep -c " $1\$" "$W/manager.out")" -ge "$2" ]
}

# The largest distance between two words of the watchdog.
longest_gap()
{
	awk '$3 == "WATCHDOG=1" { if (last && $1 - last > gap) gap = $1 - last; last = $1 } END { print gap + 0 }' "$W/manager.out"
}

older_than()
{
	pe status -a "$T-x" -j | jq -e ".uptime_s > $1"
}

words()
{
	awk 'NR > 1 && $3 != "WATCHDOG=1" { print $3 }' "$W/manager.out" | xargs
}

@test "the manager hears READY=1 when the engine answers, STOPPING=1 before it ends, and nothing else" {
	manager
	served
	await 5 heard 'answers ready'
	pings h1 10.8.0.2
	# Much longer than any watchdog would be: there is none unless it is asked for.
	await 10 older_than 1
	run ! heard WATCHDOG=1
	kill -TERM "$(< "$W/x.pid")"
	finished x 20
	await 5 heard STOPPING=1
	same words "$(words)" "READY=1 answers STOPPING=1"
	# systemd listens to the main process only.
	same senders "$(awk 'NR > 1 { print $2 }' "$W/manager.out" | sort -u)" "$(< "$W/x.pid")"
}

@test "pe stop is told to the manager, too" {
	manager
	served
	engine_stop x
	finished x 20
	await 5 heard STOPPING=1
}

@test "an engine that does not start says nothing" {
	manager
	jq '.ports.p1.device = "if:nosuch"' "$W/x.json" > "$W/bad.json"
	run -3 in_ns e env NOTIFY_SOCKET="$W/notify" timeout 20 pe run -a "$T-x" -c "$W/bad.json"
	same words "$(words)" ""
}

@test "the watchdog is fed more often than it asks, idle and while tables change" {
	manager
	served WATCHDOG_USEC=1000000
	await 20 heard_times WATCHDOG=1 4
	local i
	for i in $(seq 20); do
		printf 'add 02:00:00:00:08:%02x vlan 10 port p1\n' "$i"
	done | brtable -a "$T-x" -b -
	patch x <<< '{"bridges": {"br0": {"ports": {"p2": {"untagged": 20}}}}}'
	await 20 heard_times WATCHDOG=1 8
	[ "$(longest_gap)" -lt 1000 ] || fail "the manager would have killed it: $(longest_gap) ms"
	# Not at every tick of the control core, either.
	[ "$(awk '$3 == "WATCHDOG=1" { if (last && $1 - last < 200) n++; last = $1 } END { print n + 0 }' "$W/manager.out")" -lt 3 ]
}

@test "a watchdog that is meant for another process is left alone" {
	manager
	served WATCHDOG_USEC=200000 WATCHDOG_PID=1
	await 10 older_than 0
	run ! heard WATCHDOG=1
}

# ---- users ---------------------------------------------------------------------------------------------------------------------

# as GROUPS COMMAND...: by a user without any right, with these further groups ("" for none).
as()
{
	local groups=${1:+--groups=$1}
	shift
	setpriv --reuid=65534 --regid=65534 "${groups:---clear-groups}" "$@"
}

# refused WORD COMMAND...: exit status 5, the word in the message; the same as JSON.
refused()
{
	local word=$1
	shift
	run --separate-stderr as "" "$@" < "$W/stdin"
	same "exit status of $*" "$status" 5
	[[ $stderr == *"$word"* ]] || fail "$*: no word of '$word': $stderr"
	run --separate-stderr as "" "$@" -j < "$W/stdin"
	same "error code of $*" "$(jq -r .error.code <<< "$output")" 5
	[[ $(jq -r .error.hint <<< "$output") == *"group pekit"* ]] || fail "$*: the hint does not name the group: $output"
}

# Somebody's home, for example, keeps others out.
readable()
{
	brtable --version
	as "" brtable --version || skip "the programs are not readable for everybody"
}

started()
{
	in_ns e pe run -a "$T-x" -c "$W/x.json" -d > "$W/x.log" 2>&1 3>&- < /dev/null
}

@test "nobody may look at nothing and change nothing; he is told who may" {
	started
	echo '{"ports": {"p2": null}}' > "$W/stdin"
	same "mode of the socket" "$(stat -c %a "/run/pekit/$T-x.sock")" 660
	same "mode of the segment" "$(stat -c %a "/dev/shm/pekit.$T-x")" 640
	as "" brtable --version || skip "the programs are not readable for everybody"
	refused "permission" brtable add -a "$T-x" 02:00:00:00:00:99 vlan 10 port p1
	refused "permission" brtable show -a "$T-x"
	refused "permission" pemon show -a "$T-x"
	refused "permission" pe status -a "$T-x"
	refused "permission" pe apply -a "$T-x" --patch -
	refused "permission" pe stop -a "$T-x" --yes
	run ! fdb_port x 02:00:00:00:00:99 10
	pings h1 10.8.0.2
}

@test "where socket and segment are open to all, nobody may look and not change" {
	started
	echo '{"ports": {"p2": null}}' > "$W/stdin"
	chmod 666 "/run/pekit/$T-x.sock"
	chmod 644 "/dev/shm/pekit.$T-x"
	readable
	same state "$(as "" pe status -a "$T-x" -j | jq -r .state)" ready
	refused "uid 65534 may not" pe apply -a "$T-x" --patch -
	refused "uid 65534 may not" pe stop -a "$T-x" --yes
	local op
	for op in '{"op": "fdb.add", "args": {"vlan": 10, "mac": "02:00:00:00:00:99", "port": "p1"}}' '{"op": "fdb.flush"}' '{"op": "confirm"}' \
		'{"op": "log", "args": {"level": "debug"}}'; do
		python3 -B -c 'import os, socket, sys
os.setgroups([])
os.setresuid(65534, 65534, 65534)
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\n")
print(s.makefile().readline())' "/run/pekit/$T-x.sock" "$op" > "$W/answer"
		same "answer to $op" "$(jq .error.code "$W/answer")" 5
	done
	same "log level" "$(pe status -a "$T-x" -j | jq -r .log_level)" notice
	run ! fdb_port x 02:00:00:00:00:99 10
	pings h1 10.8.0.2
}

@test "a member of the group pekit may look and change, by his group or by a further one" {
	as "" brtable --version || skip "the programs are not readable for everybody"
	# A group that only this engine knows: its mount namespace is its own.
	{ grep -v '^pekit:' /etc/group; echo pekit:x:64321:; } > "$W/group"
	# shellcheck disable=SC2016  # the inner shell's
	in_ns e sh -c 'mount --bind "$1" /etc/group && exec pe run -a "$2" -c "$3" -d' sh "$W/group" "$T-x" "$W/x.json" > "$W/x.log" 2>&1 3>&- < /dev/null
	same "group of the socket" "$(stat -c %g "/run/pekit/$T-x.sock")" 64321
	same "group of the segment" "$(stat -c %g "/dev/shm/pekit.$T-x")" 64321
	as 64321 brtable add -a "$T-x" 02:00:00:00:00:99 vlan 10 port p1
	same port "$(as 64321 brtable show -a "$T-x" -j | jq -r '.[] | select(.mac == "02:00:00:00:00:99") | .port')" p1
	setpriv --reuid=65534 --regid=64321 --clear-groups brtable del -a "$T-x" 02:00:00:00:00:99 vlan 10
	run -5 as "" brtable show -a "$T-x"
	run -5 as 64322 brtable add -a "$T-x" 02:00:00:00:00:98 vlan 10 port p1
}
