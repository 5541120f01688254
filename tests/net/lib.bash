# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Helpers of the network tests: kernel hosts, switches and engines in namespaces of their own.
#
# A test calls net_setup and net_teardown from its setup() and teardown(). Every namespace, engine and file belongs to one run: names
# begin with $T, files lie in $W. In what follows a namespace NS and an engine NAME are given without that prefix. Engines live in the
# namespace "e", and a host H hangs on the interface H there, so that its port's device is "if:H".

bats_require_minimum_version 1.5.0
export PATH="${PEKIT_BIN:-$BATS_TEST_DIRNAME/../../build/bin}:$PATH" LC_ALL=C
FRAME="$BATS_TEST_DIRNAME/frame.py"
JUDGE="$BATS_TEST_DIRNAME/judge.py"

net_setup()
{
	T="pk$((RANDOM % 9000 + 1000))$$"
	W="$BATS_TEST_TMPDIR"
	HOSTS=0
	: > "$W/pids"
	: > "$W/namespaces"
	: > "$W/engines"
	ns_new e
}

# Leaves nothing behind, whatever the test did. What it has to say goes to the output of a failed test.
net_teardown()
{
	local name pid ns

	while read -r name; do
		[ -s "$W/$name.log" ] && { echo "--- log of engine $name"; tail -40 "$W/$name.log"; }
		engine_remove "$name" || true
	done < "$W/engines"
	while read -r pid; do
		kill "$pid" 2>/dev/null || true
	done < "$W/pids"
	while read -r ns; do
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			kill -9 "$pid" 2>/dev/null || true
		done
		ip netns del "$ns" 2>/dev/null || true
	done < "$W/namespaces"
	return 0
}

# await SECONDS COMMAND...: until it succeeds; else a failure that shows the command and its last output.
await()
{
	local seconds=$1 end output
	shift
	end=$((${EPOCHREALTIME/./} + seconds * 1000000))
	until output=$("$@" 2>&1); do
		if [ "${EPOCHREALTIME/./}" -gt "$end" ]; then
			echo "not within $seconds s: $*" >&2
			echo "$output" >&2
			return 1
		fi
		sleep 0.05
	done
}

# Says what was wrong and fails, for conditions that do not explain themselves.
fail()
{
	echo "$*" >&2
	return 1
}

# same WHAT IS SHOULD
same()
{
	[ "$2" = "$3" ] || fail "$1: is '$2', should be '$3'"
}

# ---- namespaces, links, hosts --------------------------------------------------------------------------------------------

ns_new()
{
	echo "$T-$1" >> "$W/namespaces"
	ip netns add "$T-$1"
	ip -n "$T-$1" link set lo up
	in_ns "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
}

in_ns()
{
	local ns=$1
	shift
	ip netns exec "$T-$ns" "$@"
}

# spawn NAME NS COMMAND...: a process in the background that ends with the test; output in $W/NAME.out, pid in $W/NAME.pid.
spawn()
{
	local name=$1 ns=$2
	shift 2
	ip netns exec "$T-$ns" "$@" > "$W/$name.out" 2>&1 3>&- < /dev/null &
	echo $! > "$W/$name.pid"
	echo $! >> "$W/pids"
}

# finished NAME [SECONDS]: waits for its end; its exit status.
finished()
{
	local pid
	pid=$(< "$W/$1.pid")
	timeout "${2:-60}" tail -s 0.02 --pid="$pid" -f /dev/null || fail "$1 did not end within ${2:-60} s" || return
	wait "$pid"
}

# link NS_A IF_A NS_B IF_B: a cable. Offloads that a wire does not have are off on both ends.
link()
{
	local end
	ip link add "$2" netns "$T-$1" type veth peer name "$4" netns "$T-$3"
	for end in "$1 $2" "$3 $4"; do
		# shellcheck disable=SC2086  # two words
		set -- $end
		in_ns "$1" ethtool -K "$2" tx off gso off tso off gro off rxvlan on txvlan on >/dev/null 2>&1 || true
		ip -n "$T-$1" link set "$2" up
	done
}

# host H [ADDRESS...]: a namespace with a kernel host; its interface e0 hangs on the interface H of the engines' namespace.
host()
{
	local name=$1 address
	shift
	ns_new "$name"
	link "$name" e0 e "$name"
	HOSTS=$((HOSTS + 1))
	ip -n "$T-$name" link set e0 address "$(printf '02:00:00:00:00:%02x' $HOSTS)"
	for address; do
		if [[ $address == *:* ]]; then
			ip -n "$T-$name" addr add "$address" dev e0 nodad
		else
			ip -n "$T-$name" addr add "$address" dev e0
		fi
	done
}

mac_of()
{
	in_ns "$1" cat "/sys/class/net/${2:-e0}/address"
}

# A host's ping must be answered, or must not. pings H ADDRESS [OPTION...]
pings()
{
	in_ns "$1" ping -n -q -c 3 -i 0.05 -W 2 "${@:3}" "$2"
}

silent()
{
	! in_ns "$1" ping -n -q -c 2 -i 0.1 -W 0.5 "${@:3}" "$2"
}

# ---- the engine ----------------------------------------------------------------------------------------------------------------

# engine_config NAME: completes the configuration on standard input; writes and prints the file's name.
engine_config()
{
	jq --arg name "$T-$1" '{appliance: $name, cores: {data: 2}, memory: {mbufs: 16384}} * .' > "$W/$1.json"
	echo "$W/$1.json"
}

# engine NAME [OPTION...]: starts one with the configuration on standard input, in the namespace e, and returns when it is ready.
engine()
{
	local name=$1 file
	shift
	file=$(engine_config "$name") || return
	grep -qx "$name" "$W/engines" || echo "$name" >> "$W/engines"
	in_ns e pe run -a "$T-$name" -c "$file" -d "$@" > "$W/$name.log" 2>&1 3>&- < /dev/null || {
		local status=$?
		cat "$W/$name.log" >&2
		return $status
	}
}

# The same in the foreground, so that all its words are seen: the status is its own. For engines that must not start.
engine_refused()
{
	local name=$1
	engine_config "$name" > /dev/null
	grep -qx "$name" "$W/engines" || echo "$name" >> "$W/engines"
	in_ns e timeout 20 pe run -a "$T-$name" -c "$W/$name.json" 3>&- < /dev/null 2>&1
}

engine_pid()
{
	pe -a "$T-$1" status -j | jq -e .pid
}

engine_stop()
{
	pe stop -a "$T-$1" --yes
}

# Stops it, by force if need be, and removes its segment and files.
engine_remove()
{
	local name=$1 pid
	pid=$(timeout 5 pe status -a "$T-$name" -j 2>/dev/null | jq -r '.pid // empty' 2>/dev/null) || true
	timeout 10 pe stop -a "$T-$name" --yes >/dev/null 2>&1 || true
	if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
		kill -9 "$pid" 2>/dev/null
	fi
	rm -f "/dev/shm/pekit.$T-$name" "${PEKIT_RUN:-/run/pekit}/$T-$name".*
}

# patch NAME [OPTION...]: an RFC 7386 merge patch on standard input.
patch()
{
	pe apply -a "$T-$1" --patch - "${@:2}"
}

# fdb NAME [FILTER]: the bridge table as JSON, through jq.
fdb()
{
	brtable show -a "$T-$1" -j | jq -ec "${2:-.}"
}

# The port that a MAC is learned at: fdb_port NAME MAC VLAN
fdb_port()
{
	brtable show -a "$T-$1" -j | jq -er --arg m "$2" --argjson v "$3" '.[] | select(.mac == $m and .vlan == $v) | .port'
}

at_port()
{
	[ "$(fdb_port "$1" "$2" "$3")" = "$4" ]
}

# All cores' tables agree.
coherent()
{
	brtable verify -a "$T-$1"
}

# drops NAME REASON: packets dropped for it, all cores together.
drops()
{
	pemon show -a "$T-$1" -j | jq --arg r "$2" '[.drops[] | select(.reason == $r) | .packets] | add // 0'
}

dropped()
{
	[ "$(drops "$1" "$2")" -gt 0 ]
}

# ---- raw frames and captures ----------------------------------------------------------------------------------------------

# eth DST SRC WORD...: a frame in hex; a WORD of "vlan:TCI" or "qinq:TCI" (decimal) is a tag, others are hex.
eth()
{
	local word out="${1//:/}${2//:/}"
	shift 2
	for word; do
		case $word in
		vlan:*) out+=8100$(printf %04x "${word#vlan:}") ;;
		qinq:*) out+=88a8$(printf %04x "${word#qinq:}") ;;
		*) out+=${word//:/} ;;
		esac
	done
	echo "$out"
}

send()
{
	in_ns "$1" python3 -B "$FRAME" send "${@:2}"
}

# capture NAME NS DEV [FILTER...]: starts to write $W/NAME.pcap; returns when the capture runs.
capture()
{
	local name=$1
	spawn "$name" "$2" tcpdump -n -U -s 0 --immediate-mode -Q in -i "$3" -w "$W/$name.pcap" "${@:4}"
	await 10 grep -q 'listening on' "$W/$name.out"
}

# captured NAME COUNT [SECONDS]: ends the capture when it has that many frames (0: now).
captured()
{
	local pid
	pid=$(< "$W/$1.pid")
	if [ "$2" -gt 0 ]; then
		await "${3:-5}" has_frames "$1" "$2"
	fi
	kill "$pid"
	finished "$1" 10
}

has_frames()
{
	[ "$(decoded "$1" -T fields -e frame.number 2>/dev/null | wc -l)" -ge "$2" ]
}

# decoded NAME TSHARK-OPTION...: what the independent decoder says.
decoded()
{
	tshark -n -r "$W/$1.pcap" "${@:2}" 2>/dev/null
}

# judge CAPTURE [MAC...]: every frame from these MACs must be right in all that tshark can tell. CAPTURE: a file, or the NAME of capture().
judge()
{
	local file=$1
	[ -e "$file" ] || file="$W/$1.pcap"
	python3 -B "$JUDGE" "$file" "${@:2}"
}

# stream NAME NS DEV DST SRC COUNT RATE and counting NAME NS DEV SRC COUNT: numbered frames, and who counts them.
stream()
{
	spawn "$1" "$2" python3 -B "$FRAME" stream "$3" "$4" "$5" -n "$6" -r "$7"
}

counting()
{
	spawn "$1" "$2" python3 -B "$FRAME" count "$3" -s "$4" -n "$5" -t 3
	await 10 grep -q listening "$W/$1.out"
}

# Every frame of the stream came once and in order: lossless NAME
lossless()
{
	finished "$1" 120
	tail -1 "$W/$1.out"
	tail -1 "$W/$1.out" | jq -e '.missing == 0 and .duplicates == 0 and .reordered == 0' >/dev/null
}

# ---- Open vSwitch: a userspace switch with its own directory and database ------------------------------------------------

ovs_env()
{
	local dir="$W/ovs-$1"
	shift
	env OVS_RUNDIR="$dir" OVS_LOGDIR="$dir" OVS_DBDIR="$dir" OVS_SYSCONFDIR="$dir" "$@"
}

ovs_start()
{
	local ns=$1 dir="$W/ovs-$1"
	mkdir -p "$dir"
	ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	spawn "ovsdb-$ns" "$ns" env OVS_RUNDIR="$dir" ovsdb-server "$dir/conf.db" --remote=punix:"$dir/db.sock" \
		--unixctl="$dir/db.ctl" -vconsole:warn
	await 10 test -S "$dir/db.sock"
	ovs "$ns" --no-wait init -- set Open_vSwitch . other_config:n-revalidator-threads=1 other_config:n-handler-threads=1
	spawn "vswitchd-$ns" "$ns" env OVS_RUNDIR="$dir" OVS_DBDIR="$dir" OVS_SYSCONFDIR="$dir" ovs-vswitchd \
		"unix:$dir/db.sock" --unixctl="$dir/vsw.ctl" -vconsole:warn
	await 10 test -S "$dir/vsw.ctl"
	ovs "$ns" add-br br0 -- set bridge br0 datapath_type=netdev
}

# ovs NS WORD...: ovs-vsctl on that switch.
ovs()
{
	ovs-vsctl --timeout=20 --db="unix:$W/ovs-$1/db.sock" "${@:2}"
}

ovs_ctl()
{
	ovs_env "$1" ovs-appctl -t "$W/ovs-$1/vsw.ctl" "${@:2}"
}

# ---- kernel bridges ----------------------------------------------------------------------------------------------------------------

# kernel_bridge NS BRIDGE PRIORITY: with 802.1D spanning tree and the shortest delays it takes.
kernel_bridge()
{
	ip -n "$T-$1" link add "$2" type bridge stp_state 1 forward_delay 200 hello_time 100 max_age 600 priority "$3"
	ip -n "$T-$1" link set "$2" up
}

bridge_port()
{
	ip -n "$T-$1" link set "$3" master "$2" up
}

# port_state NS IF: forwarding, blocking, ...
port_state()
{
	in_ns "$1" bridge -d -j link show dev "$2" | jq -r '.[0].state'
}
