# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Helpers of the rig's tests, which run in a guest with two SR-IOV NICs (82576: a PF each with up to 7 VFs).
#
# How to use. A test file begins with
#
#	load lib
#	setup() { rig_setup; }
#	teardown() { rig_teardown; }
#
# and runs with `tests/rig/run.sh FILE.bats`, all of them with `make rig`; `tests/rig/run.sh -- COMMAND...` tries something out.
#
#	/repo /build /out    the repository and the build tree (B), read-only, and a folder on the host; PATH begins with /build/bin
#	$PF0 $PF1            the PFs' PCI addresses; their interfaces are named pf0 and pf1, and both are up
#	w0, w1               the other ends of pf0's and pf1's wires: an interface wN in a namespace wN, up, without addresses
#	$CRYPTO0 $CRYPTO1    two PCI devices that are no NICs, without a driver
#	$W                   the test's own folder
#
# PFs have the numbers 0 and 1, VFs are "PF VF", e.g. `vf 0 2`. rig_setup finds, and rig_teardown makes sure of: no VFs, no engine, no namespace
# but w0 and w1, no made links, autoprobe of VFs off. VFs have no MAC address until they are given one: vfs() gives VF v of PF n 52:54:00:00:0(n+1):1v.

bats_require_minimum_version 1.5.0 2>/dev/null || true
export PATH="/build/bin:/usr/sbin:/usr/bin" LC_ALL=C
PCI=/sys/bus/pci/devices
PF0=0000:01:00.0 PF1=0000:02:00.0
PFS=("$PF0" "$PF1")
# shellcheck disable=SC2034  # for the tests
CRYPTO0=0000:03:00.0 CRYPTO1=0000:04:00.0

rig_setup()
{
	W="$BATS_TEST_TMPDIR"
	: >"$W/pids"
	: >"$W/engines"
	dmesg --clear
	[ ! -e /run/rig/touched ] || rig_clean
	: >/run/rig/touched
}

# Nothing is left, whatever the test did. What there is to say goes to the output of a failed test.
rig_teardown()
{
	local name pid

	while read -r name; do
		[ -s "$W/$name.log" ] && { echo "--- log of engine $name"; tail -40 "$W/$name.log"; }
		engine_remove "$name" || true
	done <"$W/engines"
	while read -r pid; do
		kill "$pid" 2>/dev/null || true
	done <"$W/pids"
	while read -r pid; do
		await 5 gone "$pid" || kill -9 "$pid" || true
	done <"$W/pids"
	echo "--- kernel"
	dmesg | grep -v 'link becomes ready' | tail -20
	rig_clean
}

# The state in which a test begins. A PF that was unplugged comes back. Written for few processes: each costs an emulated processor
# 30 to 60 ms, and this runs after every test.
rig_clean()
{
	local path n name

	for path in /run/netns/*; do
		[[ ${path##*/} == w[01] ]] || ns_end "${path##*/}" || return
	done
	for n in 0 1; do
		[ -e "$PCI/${PFS[n]}" ] || host_plug $n || return
		[ ! -e /run/rig/cut$n ] || host_link $n up || return
		while IFS=: read -r _ name _; do
			name=${name# } name=${name%@*}
			[[ $name == lo || $name == w$n ]] || ip -n w$n link del dev "$name" || return
		done < <(printf '%s\n' "addr flush dev w$n" "link set dev w$n nomaster mtu 1500 promisc off up" 'link show' | ip -n w$n -o -batch -)
	done
	for path in /sys/class/net/*; do
		[ -e "$path/device" ] || [ "${path##*/}" = lo ] || [ ! -e "$path" ] || ip link del "${path##*/}" || return
	done
	for path in $CRYPTO0 $CRYPTO1; do
		[ ! -e "$PCI/$path/driver" ] || unbind "$path"
	done
	pf_reset && rm -f /run/rig/touched
}

# await SECONDS COMMAND...: until it succeeds; else a failure that shows the command and its last output.
await()
{
	local seconds=$1 end
	shift
	end=$((${EPOCHREALTIME/./} + seconds * 1000000))
	until "$@" >/run/rig/awaited 2>&1; do
		if [ "${EPOCHREALTIME/./}" -gt "$end" ]; then
			echo "not within $seconds s: $*" >&2
			cat /run/rig/awaited >&2
			return 1
		fi
		sleep 0.02
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

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# ---- devices ---------------------------------------------------------------------------------------------------------------

# pf N: the PCI address of a PF
pf()
{
	echo "${PFS[$1]}"
}

# vf N V: the PCI address of VF V of PF N
vf()
{
	basename "$(realpath "$PCI/${PFS[$1]}/virtfn$2")"
}

# The interface of a PCI device, in this namespace.
dev_of()
{
	local path
	for path in "$PCI/$1"/net/* "$PCI/$1"/virtio*/net/*; do
		[ ! -e "$path" ] || { echo "${path##*/}" && return; }
	done
	fail "$1 has no interface here"
}

# The interface with a MAC address, in this namespace.
dev_with()
{
	local link
	for link in /sys/class/net/*; do
		[ "$(< "$link/address")" != "$1" ] || { echo "${link##*/}" && return; }
	done
	fail "no interface has the address $1"
}

driver_of()
{
	basename "$(readlink "$PCI/$1/driver" || echo none)"
}

group_of()
{
	basename "$(readlink "$PCI/$1/iommu_group")"
}

# bind ADDRESS DRIVER: and no other driver; loads the module
bind()
{
	unbind "$1"
	[ -e "/sys/bus/pci/drivers/$2" ] || modprobe "$2" || return
	echo "$2" >"$PCI/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	[ "$PCI/$1/driver" -ef "/sys/bus/pci/drivers/$2" ] || fail "the driver of $1 is $(driver_of "$1"), should be $2"
}

unbind()
{
	[ ! -e "$PCI/$1/driver" ] || echo "$1" >"$PCI/$1/driver/unbind"
	echo >"$PCI/$1/driver_override"
}

# pf_named N: a PF that has appeared has its interface named pfN, and is up; autoprobe is off.
pf_named()
{
	if [ ! -e "$PCI/${PFS[$1]}/net/pf$1" ]; then
		await 20 dev_of "${PFS[$1]}" || return
		ip link set dev "$(< /run/rig/awaited)" down name "pf$1" || return
	fi
	ip link set dev "pf$1" up
	echo 0 >"$PCI/${PFS[$1]}/sriov_drivers_autoprobe"
}

# Both PFs as at the beginning: no VFs, no addresses.
pf_reset()
{
	local n dir numvfs
	for n in 0 1; do
		dir=$PCI/${PFS[n]}
		read -r numvfs <"$dir/sriov_numvfs"
		[ "$numvfs" = 0 ] || echo 0 >"$dir/sriov_numvfs" || return
		[ "$dir/driver" -ef /sys/bus/pci/drivers/igb ] || bind "${PFS[n]}" igb || return
		[ -e "$dir/net/pf$n" ] || pf_named $n || return
		echo 0 >"$dir/sriov_drivers_autoprobe"
	done
	printf '%s\n' "link set dev pf"{0,1}" nomaster mtu 1500 promisc off allmulticast off up" "addr flush dev pf"{0,1} | ip -batch -
}

# vfs N COUNT: that many on PF N, with their MAC addresses and without drivers. Without VFs before.
vfs()
{
	local v
	echo "$2" >"$PCI/${PFS[$1]}/sriov_numvfs" || return
	for ((v = 0; v < $2; v++)); do
		echo "link set dev pf$1 vf $v mac 52:54:00:00:0$(($1 + 1)):1$v"
	done | ip -batch -
}

vf_mac()
{
	echo "52:54:00:00:0$(($1 + 1)):1$2"
}

# ---- namespaces and links ---------------------------------------------------------------------------------------------------------

# wire N COMMAND...: in the namespace at the other end of PF N's wire
wire()
{
	ip netns exec "w$1" "${@:2}"
}

# wire_up N ADDRESS...: addresses of wN
wire_up()
{
	addresses "w$1" "w$1" "${@:2}"
}

# addresses NS DEV ADDRESS...
addresses()
{
	local address
	for address in "${@:3}"; do
		if [[ $address == *:* ]]; then
			ip -n "$1" addr add "$address" dev "$2" nodad || return
		else
			ip -n "$1" addr add "$address" dev "$2" || return
		fi
	done
}

# carrier NS DEV [0|1]
carrier()
{
	ip netns exec "$1" grep -qx "${3:-1}" "/sys/class/net/$2/carrier"
}

# pf_carrier N [0|1]
pf_carrier()
{
	local carrier=
	read -r carrier 2>/dev/null <"/sys/class/net/pf$1/carrier"
	[ "$carrier" = "${2:-1}" ]
}

ns_new()
{
	ip netns add "$1" && ip -n "$1" link set lo up
}

# What runs there ends; an interface with hardware behind it comes back.
ns_end()
{
	local pid
	for pid in $(ip netns pids "$1"); do
		kill -9 "$pid" 2>/dev/null
	done
	ip netns del "$1"
}

# kernel_vf N V NS [ADDRESS...]: that VF under igbvf, as e0 in a new namespace, with its link up
kernel_vf()
{
	local address
	address=$(vf "$1" "$2")
	bind "$address" igbvf || return
	await 10 dev_of "$address" || return
	ip netns add "$3" && ip link set dev "$(< /run/rig/awaited)" netns "$3" name e0 && ip -n "$3" link set lo up || return
	ip -n "$3" link set dev e0 up
	addresses "$3" e0 "${@:4}" || return
	await 20 carrier "$3" e0
}

# A ping must be answered, or must not: pings NS ADDRESS [OPTION...]
pings()
{
	ip netns exec "$1" ping -n -q -c 3 -i 0.05 -W 3 "${@:3}" "$2"
}

silent()
{
	! ip netns exec "$1" ping -n -q -c 2 -i 0.1 -W 0.5 "${@:3}" "$2"
}

# spawn NAME COMMAND...: a process in the background that ends with the test; output in $W/NAME.out, pid in $W/NAME.pid
spawn()
{
	local name=$1
	shift
	"$@" >"$W/$name.out" 2>&1 3>&- </dev/null &
	echo $! >"$W/$name.pid"
	echo $! >>"$W/pids"
}

# ---- engines -----------------------------------------------------------------------------------------------------------------

# engine NAME [OPTION...]: starts one with the configuration on standard input (completed: its name, one data core, memory) and returns when it is
# ready. Ports are devices like "pci:ADDRESS" of VFs on vfio-pci.
engine()
{
	local name=$1
	shift
	jq --arg name "$name" '{appliance: $name, cores: {data: 1}, memory: {mbufs: 8192}} * .' >"$W/$name.json" || return
	echo "$name" >>"$W/engines"
	pe run -a "$name" -c "$W/$name.json" -d "$@" >"$W/$name.log" 2>&1 3>&- </dev/null || {
		local status=$?
		cat "$W/$name.log" >&2
		return $status
	}
}

# The same in the foreground: for engines that must not start. Configuration on standard input; its words are the output, its status the status.
engine_refused()
{
	local name=$1
	jq --arg name "$name" '{appliance: $name, cores: {data: 1}, memory: {mbufs: 8192}} * .' >"$W/$name.json" || return
	echo "$name" >>"$W/engines"
	timeout 30 pe run -a "$name" -c "$W/$name.json" 3>&- </dev/null 2>&1
}

engine_pid()
{
	pe status -a "$1" -j | jq -e .pid
}

engine_stop()
{
	pe stop -a "$1" --yes
}

# Stops it, by force if need be, and removes its segment and files.
engine_remove()
{
	local name=$1 pid
	pid=$(timeout 5 pe status -a "$name" -j 2>/dev/null | jq -r '.pid // empty' 2>/dev/null) || true
	[ -n "$pid" ] && timeout 10 pe stop -a "$name" --yes >/dev/null 2>&1
	if [ -n "$pid" ] && ! await 5 gone "$pid" 2>/dev/null; then
		kill -9 "$pid" 2>/dev/null
		await 5 gone "$pid"
	fi
	rm -f "/dev/shm/pekit.$name" "/run/pekit/$name".*
}

# ---- what the host does ---------------------------------------------------------------------------------------------------------

# host_port NAME: the device of a port to the host
host_port()
{
	local name
	for name in /sys/class/virtio-ports/*/name; do
		[ "$(< "$name")" != "$1" ] || { name=${name%/name} && echo "/dev/${name##*/}" && return; }
	done
	return 1
}

# Once, when the guest starts: the monitor's greeting.
host_hello()
{
	host_asks qmp_capabilities '{}'
}

# host_asks VERB ARGUMENTS [EVENT]: a request to QEMU's monitor (QMP); returns when it has answered and, if named, the event has come. What is
# older is known by the number that an answer repeats, and read over. No jq here: it takes an emulated processor half a second to start.
host_asks()
{
	local monitor line id=$RANDOM answered='' event=${3-} status=0
	exec {monitor}<>"$(host_port monitor)" || return
	echo "{\"execute\": \"$1\", \"arguments\": $2, \"id\": \"$id\"}" >&"$monitor"
	while [ -z "$answered" ] || [ -n "$event" ]; do
		read -r -t 20 -u "$monitor" line || { line="no answer" status=1; break; }
		case $line in
		*"\"id\": \"$id\""*"\"error\":"* | *"\"error\":"*"\"id\": \"$id\""*) status=1 && break ;;
		*"\"id\": \"$id\""*) answered=1 ;;
		*"\"event\": \"$event\""*) [ -z "$answered" ] || event='' ;;
		esac
	done
	exec {monitor}<&-
	[ $status = 0 ] || fail "the host, asked to $1 $2: $line"
}

# host_link N up|down: the cable of PF N
host_link()
{
	[ "$2" = up ] && rm -f "/run/rig/cut$1" || : >"/run/rig/cut$1"
	host_asks set_link "{\"name\": \"nic$1\", \"up\": $([ "$2" = up ] && echo true || echo false)}"
}

# host_unplug N: PF N and its VFs leave; returns when they are gone
host_unplug()
{
	host_asks device_del "{\"id\": \"nic$1\"}" DEVICE_DELETED
}

# host_plug N: it is there again, under its name
host_plug()
{
	host_asks device_add "{\"driver\": \"igb\", \"id\": \"nic$1\", \"bus\": \"slot$1\", \"netdev\": \"pf$1\", \"mac\": \"52:54:00:00:0$(($1 + 1)):00\",
		\"romfile\": \"\"}" || return
	pf_named "$1"
}
