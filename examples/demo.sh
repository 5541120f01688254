#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# make demo: kernel hosts talking through pe, in network namespaces of its own; KEEP=1 leaves it up and says what to try.
#
#   a (VLAN 10) ---- p1 \              / p4 == trunk 10,20 == second switch ---- d (VLAN 10)
#   b (VLAN 10) ---- p2 -- pe, 3 cores                                      \--- e (VLAN 20)
#   c (VLAN 20) ---- p3 /              \ p5 ---- (VLAN 10, free: host a moves here)
#
# The second switch is Open vSwitch in userspace, where that is installed, else a second pe.
set -eu
bin=$(realpath -m "${B:-$(dirname "$0")/../build}/bin")
export PATH="$bin:$PATH" LC_ALL=C NO_COLOR=1
T=demo$$
W=$(mktemp -d)
SWITCH=

say()
{
	printf '\n== %s\n' "$*"
}

# Shows a command as one would type it, then runs it.
show()
{
	printf '$ %s\n' "$*"
	"$@"
}

in_ns()
{
	local name=$1
	shift
	ip netns exec "$T-$name" "$@"
}

# A host's command, without the noise of the namespace's name.
host_does()
{
	local name=$1
	shift
	printf '%s$ %s\n' "$name" "$*"
	in_ns "$name" "$@"
}

# cable NS IF NS IF [ADDRESS]: of the first end.
cable()
{
	ip link add "$2" netns "$T-$1" ${5:+address "$5"} type veth peer name "$4" netns "$T-$3"
	in_ns "$1" ethtool -K "$2" tx off > /dev/null 2>&1 || true
	in_ns "$3" ethtool -K "$4" tx off > /dev/null 2>&1 || true
	ip -n "$T-$1" link set "$2" up
	ip -n "$T-$3" link set "$4" up
}

namespace()
{
	ip netns add "$T-$1"
	ip -n "$T-$1" link set lo up
	in_ns "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
}

# host NAME NUMBER NAMESPACE IF: a kernel host at that interface.
host()
{
	namespace "$1"
	cable "$1" eth0 "$3" "$4" "02:00:00:00:00:0$2"
	ip -n "$T-$1" addr add "10.0.0.$2/24" dev eth0
	ip -n "$T-$1" addr add "fd00::$2/64" dev eth0 nodad
}

await()
{
	local _
	for _ in $(seq 100); do
		"$@" > /dev/null 2>&1 && return
		sleep 0.1
	done
	echo "demo: did not happen: $*" >&2
	return 1
}

switch_config()
{
	cat > "$W/sw.json" <<-END
	{ "appliance": "$T-sw",
	  "ports": { "up": { "device": "if:uplink" }, "d": { "device": "if:vd" }, "e": { "device": "if:ve" } },
	  "bridges": { "br0": { "ports": { "up": { "tagged": [10, 20] }, "d": { "untagged": 10 }, "e": { "untagged": 20 } } } } }
	END
}

start_switch()
{
	local ctl="--db=unix:$W/db.sock --timeout=20"
	if ! command -v ovs-vswitchd > /dev/null || ! command -v ovsdb-server > /dev/null; then
		SWITCH="a second pe"
		switch_config
		in_ns sw pe run -a "$T-sw" -c "$W/sw.json" -d > "$W/sw.log" 2>&1
		return
	fi
	SWITCH="Open vSwitch in userspace"
	export OVS_RUNDIR=$W OVS_LOGDIR=$W OVS_DBDIR=$W OVS_SYSCONFDIR=$W
	ovsdb-tool create "$W/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	in_ns sw ovsdb-server "$W/conf.db" --remote=punix:"$W/db.sock" --unixctl="$W/db.ctl" > "$W/ovsdb.log" 2>&1 &
	await test -S "$W/db.sock"
	# shellcheck disable=SC2086  # two options
	ovs-vsctl $ctl --no-wait init
	in_ns sw ovs-vswitchd "unix:$W/db.sock" --unixctl="$W/vsw.ctl" > "$W/vswitchd.log" 2>&1 &
	# shellcheck disable=SC2086
	ovs-vsctl $ctl add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 uplink trunks=10,20 \
		-- add-port br0 vd tag=10 -- add-port br0 ve tag=20
}

clean_up()
{
	local name pid _
	set +e
	for name in demo sw; do
		[ -e "/dev/shm/pekit.$T-$name" ] || continue
		pe stop -a "$T-$name" --yes > /dev/null 2>&1
		rm -f "/dev/shm/pekit.$T-$name"
	done
	for name in a b c d e sw pe; do
		for pid in $(ip netns pids "$T-$name" 2> /dev/null); do
			kill "$pid" 2> /dev/null
		done
	done
	for name in a b c d e sw pe; do
		for _ in $(seq 50); do
			[ -z "$(ip netns pids "$T-$name" 2> /dev/null)" ] && break
			sleep 0.1
		done
		ip netns del "$T-$name" 2> /dev/null
	done
	rm -rf "$W"
}

if [ "$(id -u)" != 0 ]; then
	echo "the demo makes network namespaces: run it as root (sudo make demo)" >&2
	exit 5
fi
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

say "Five kernel hosts, each in a network namespace: a, b, d in VLAN 10, c, e in VLAN 20; d and e hang on another switch"
for name in pe sw; do
	namespace $name
done
host a 1 pe v1
host b 2 pe v2
host c 3 pe v3
host d 4 sw vd
host e 5 sw ve
cable pe trunk sw uplink
ip -n "$T-pe" link add v5 type veth peer name spare
ip -n "$T-pe" link set v5 up
start_switch
echo "the other switch is $SWITCH; a trunk joins it with us"

say "One engine with three data cores: three access ports, a trunk, and a fifth port that is free"
cat > "$W/demo.json" <<END
{ "appliance": "$T-demo",
  "cores": { "data": 3 },
  "ports": {
    "p1": { "device": "if:v1" }, "p2": { "device": "if:v2" }, "p3": { "device": "if:v3" },
    "p4": { "device": "if:trunk" }, "p5": { "device": "if:v5" } },
  "bridges": { "br0": { "ports": {
    "p1": { "untagged": 10 }, "p2": { "untagged": 10 }, "p3": { "untagged": 20 },
    "p4": { "tagged": [10, 20] }, "p5": { "untagged": 10 } } } } }
END
cat "$W/demo.json"
printf '$ pe run -c demo.json -d\n'
in_ns pe pe run -a "$T-demo" -c "$W/demo.json" -d 2> "$W/pe.log" || { cat "$W/pe.log"; exit 1; }
export PEKIT_APPLIANCE="$T-demo"
show pe status

say "Hosts of one VLAN reach each other: at our own ports, over the trunk, over IPv4 and IPv6"
await in_ns a ping -c 1 -W 1 10.0.0.4
host_does a ping -q -c 3 -i 0.2 10.0.0.2
host_does a ping -q -c 3 -i 0.2 10.0.0.4
host_does c ping -q -c 3 -i 0.2 fd00::5

say "Hosts of different VLANs do not"
host_does a ping -q -c 2 -i 0.2 -W 1 10.0.0.3 || echo "(as it should be)"

say "TCP through the engine, four connections from a to b"
in_ns b iperf3 -s -1 > "$W/iperf.log" 2>&1 &
await in_ns b sh -c 'ss -Hltn sport = :5201 | grep -q .'
printf 'a$ iperf3 -c 10.0.0.2 -t 2 -P 4\n'
in_ns a iperf3 -c 10.0.0.2 -t 2 -P 4 | grep -E 'SUM.*(sender|receiver)'

say "The bridge table, and which cores hold each entry: all do, though one learned it"
show brtable show

say "The engine gets an address in each VLAN while it runs, and routes between them"
cat > "$W/router.json" <<END
{ "interfaces": {
    "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.0.10.254/24", "fd10::fe/64"] },
    "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.0.20.254/24", "fd20::fe/64"] } } }
END
cat "$W/router.json"
printf '$ pe apply --patch router.json\n'
pe apply --patch "$W/router.json"
for host in "a 10 1 20" "b 10 2 20" "c 20 3 10" "d 10 4 20" "e 20 5 10"; do
	# shellcheck disable=SC2086  # four words
	set -- $host
	ip -n "$T-$1" addr add "10.0.$2.$3/24" dev eth0
	ip -n "$T-$1" addr add "fd$2::$3/64" dev eth0 nodad
	ip -n "$T-$1" route add "10.0.$4.0/24" via "10.0.$2.254"
	ip -n "$T-$1" route add "fd$4::/64" via "fd$2::fe"
done
await in_ns a ping -c 1 -W 1 fd20::3
host_does a ping -q -c 3 -i 0.2 10.0.20.5
host_does a ping -q -c 3 -i 0.2 fd20::3
host_does b traceroute -n 10.0.20.5

say "The neighbours: the master core resolved the IPv4 ones, the owner of each address the IPv6 ones; all cores hold them"
show arpmgr
show ndmgr
show pe route

say "Core 1, the master, is taken out: its work and its roles go to the others, nobody notices"
show pe drain 1
host_does c ping -q -c 3 -i 0.2 10.0.10.2
host_does c ping -q -c 3 -i 0.2 10.0.10.4
show pe undrain 1
show arpmgr verify

say "What was done with the packets: the classes that each core counted"
CLASSES='["core", "drop", "lag", "bcast", "mcast", "local", "unknown", "channel"],
	(.[] | select(.core > 0) | [.core, .class_drop, .class_lag, .class_bcast, .class_mcast, .class_local, .class_unknown, .class_channel]) | @tsv'
printf '$ pemon cores -j | jq ...\n'
pemon cores -j | jq -r "$CLASSES" | expand -t 10

say "Cores and ports at a glance; what was dropped, and why"
show pemon show

say "Do the cores' tables agree? Each one's digest is compared, after what is under way has been applied"
show brtable verify

say "Host a moves: its machine is unplugged from p1 and plugged into p5"
ip -n "$T-pe" link del v5
ip -n "$T-a" link del eth0
cable a eth0 pe v5 02:00:00:00:00:01
ip -n "$T-a" addr add 10.0.0.1/24 dev eth0
await in_ns a ping -c 1 -W 1 10.0.0.2
host_does b ping -q -c 3 -i 0.2 10.0.0.1
show brtable show mac 02:00:00:00:00:01

say "What the cores told each other about it, each message with its cause"
printf '$ pemon messages\n'
pemon messages | tail -12

say "And they agree again"
show brtable verify

if [ -n "${KEEP-}" ]; then
	trap - EXIT
	cat <<-END

	== It stays up. To try:
	export PATH=$bin:\$PATH PEKIT_APPLIANCE=$T-demo
	pemon                                              # the live screen
	brtable show --per-core
	brtable monitor
	arpmgr; ndmgr monitor; arpmgr resolve 10.0.20.5; pe route get 10.0.20.5
	brtable add 02:00:00:00:00:aa vlan 10 port p1
	ip netns exec $T-b ping 10.0.0.1
	echo '{"ports": {"p3": {"enabled": false}}}' | pe apply --patch -
	pe diff -c $W/demo.json

	== To end it:
	pe stop --yes; rm -rf $W /dev/shm/pekit.$T-*
	for n in a b c d e sw pe; do ip netns pids $T-\$n | xargs -r kill; ip netns del $T-\$n; done
	END
else
	say "Cleaned up: engine stopped, namespaces gone"
fi
