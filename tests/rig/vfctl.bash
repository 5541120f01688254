# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Helpers of the tests of vfctl. Each test has a ledger of its own, in $W/state.

vfctl_setup()
{
	rig_setup
	export PEKIT_VF_STATE="$W/state"
}

# A VF that a process holds cannot be destroyed, and a lease is nothing to the kernel: rig_teardown does the rest.
vfctl_teardown()
{
	rig_teardown
}

# vfctl_begin [COUNT]: the quick way, for tests that leave nothing behind but VFs of pf0 and their settings: those are there for the next test, COUNT of
# them as if they were new. To make and destroy them takes longer than most tests. teardown is vfctl_end, teardown_file is rig_clean.
vfctl_begin()
{
	W="$BATS_TEST_TMPDIR"
	: >"$W/pids"
	: >"$W/engines"
	: >/run/rig/touched
	export PEKIT_VF_STATE="$W/state"
	[ -z "${1-}" ] || fresh_vfs "$1"
}

vfctl_end()
{
	local pid path
	if [ -z "${BATS_TEST_COMPLETED-}" ]; then
		vfctl_teardown
		return
	fi
	while read -r pid; do
		kill "$pid" 2>/dev/null || true
	done <"$W/pids"
	for path in /run/netns/*; do
		[[ ${path##*/} == w[01] ]] || ns_end "${path##*/}" || return
	done
}

fresh_vfs()
{
	local v dir=$PCI/$PF0
	if [ "$(<"$dir/sriov_numvfs")" != "$1" ]; then
		echo 0 >"$dir/sriov_numvfs"
		echo "$1" >"$dir/sriov_numvfs"
	fi
	await 20 pf_carrier 0
	for ((v = 0; v < $1; v++)); do
		[ ! -e "$dir/virtfn$v/driver" ] || vf 0 "$v" >"$dir/virtfn$v/driver/unbind"
		echo >"$dir/virtfn$v/driver_override"
		printf '%s\n' "link set dev pf0 vf $v "{"mac 00:00:00:00:00:00","vlan 0","max_tx_rate 0","trust off","spoofchk on"}
	done | ip -batch -
}

# The times of an emulated processor are not those of a processor.
vfctl()
{
	case " $* " in
	*' list '* | *' show '* | *' assignable '* | *' save '* | *' doctor '* | *' -T '*) command vfctl "$@" ;;
	*) command vfctl -T 60 "$@" ;;
	esac
}

# refused STATUS TEXT COMMAND...: it fails with that status, and says that text.
refused()
{
	local status=$1 text=$2 said is=0
	said=$("${@:3}" 2>&1 3>&-) || is=$?
	[ $is = "$status" ] || fail "status $is, should be $status: ${*:3}: $said" || return
	[[ $said == *"$text"* ]] || fail "'$text' is not in what ${*:3} says: $said"
}

# says TEXT COMMAND...: it succeeds, and says that text.
says()
{
	local text=$1 said
	said=$("${@:2}" 2>&1 3>&-) || fail "failed ($?): ${*:2}: $said" || return
	[[ $said == *"$text"* ]] || fail "'$text' is not in what ${*:2} says: $said"
}

# row VFCTL-WORDS...: the first row of a listing as variables: R[key]
row()
{
	local head values i
	declare -gA R=()
	{
		IFS=, read -ra head
		IFS=, read -ra values
	} < <(vfctl "$@" -o csv)
	[ ${#head[@]} -gt 0 ] || fail "no row: vfctl $*" || return
	for i in "${!head[@]}"; do
		R[${head[i]}]=${values[i]-}
	done
}

# is KEY VALUE...: of the row
is()
{
	while [ $# -gt 1 ]; do
		same "$1 of ${R[name]-}" "${R[$1]-(no such key)}" "$2" || return
		shift 2
	done
}

# What the kernel says of a PF's VFs, and who drives them: all that vfctl can change.
machine()
{
	local n=${1:-0} v dir
	dir=$PCI/$(pf "$n")
	ip link show "pf$n" | grep ' vf '
	echo "$(<"$dir/sriov_numvfs") $(<"$dir/sriov_drivers_autoprobe") $(driver_of "$(pf "$n")")"
	for v in "$dir"/virtfn*; do
		[ ! -e "$v" ] || echo "${v##*/} $(readlink "$v/driver") $(<"$v/driver_override")"
	done
}

# The kernel's word for one VF, after its MAC address.
vf_line()
{
	ip link show "pf$1" | sed -n "s/^ *vf $2 .*brd [0-9a-f:]*, //p"
}

# hold N V: a process has the VF, which is on vfio-pci, open; HOLD is its pid
hold()
{
	(exec 9<>"/dev/vfio/$(group_of "$(vf "$1" "$2")")" 3>&- && exec sleep 1000) &
	HOLD=$!
	echo $HOLD >>"$W/pids"
	await 10 grep -qx sleep "/proc/$HOLD/comm"
}

let_go()
{
	kill "$HOLD"
	wait "$HOLD" || true
}

# ---- faults ------------------------------------------------------------------------------------------------------------------

# calls SYSCALL COMMAND...: how many of them it makes
calls()
{
	strace -f --seccomp-bpf -e trace="$1" -e signal=none -o "$W/calls" "${@:2}" >/dev/null 3>&- || return
	grep -c "$1(" "$W/calls" || true
}

# faulty SYSCALL ERROR N COMMAND...: its N-th call of that name fails
faulty()
{
	strace -f --seccomp-bpf -e trace="$1" -e inject="$1:error=$2:when=$3" -o "$W/calls" "${@:4}" 3>&-
}

# killed N COMMAND...: it is killed before its Nth call that matters (killat.c). Fails when it comes to its end before.
killed()
{
	local is=0
	"/build/test/rig/killat" "$@" >"$W/killed.out" 2>&1 3>&- || is=$?
	case $is in
	137) return ;;
	0) return 1 ;;
	*) fail "neither killed nor done ($is): ${*:2}: $(<"$W/killed.out")" ;;
	esac
}
