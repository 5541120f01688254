# vfctl killed at each of its steps: one further command that changes something mends it. The machine is as before or as after, and so is the ledger.

load lib
load vfctl

setup() { vfctl_setup; }
teardown() { vfctl_teardown; }

# crash UNDO SYSCALL FIRST STEP COMMAND...: the command is killed before call FIRST, FIRST+STEP, ... of a name until it survives; UNDO brings back what
# it has done.
crash()
{
	local undo=$1 call=$2 n=$3 step=$4 before after now kills=0
	shift 4
	before=$(machine)
	"$@" >/dev/null
	after=$(machine)
	$undo
	same "the machine, back" "$(machine)" "$before"
	while killed "$call" $n "$@"; do
		vfctl port set pf1 mtu 1500 >/dev/null || return
		now=$(machine)
		if [ "$now" = "$after" ]; then
			$undo
		elif [ "$now" != "$before" ]; then
			fail "killed at $call $n: $now"
			return
		fi
		n=$((n + step)) kills=$((kills + 1))
	done
	[ $kills -gt 2 ] || fail "only $kills calls of $call" || return
	echo "# $* survives $call $n" >&3
	$undo
	same "the machine, in the end" "$(machine)" "$before"
}

# Whoever was told of a lease had a generation of his own.
generations()
{
	same "generations given twice" "$(jq -rs '[.[] | select(.phase == "done") | .of] as $done |
		[.[] | select(.op == "lease" and .phase == "begin") | select(.seq as $seq | $done | index($seq)) | .generation] |
		length - (unique | length)' "$W/state/ledger")" 0
}

release_it()
{
	vfctl vf release pf0:0 holder vpx1 >/dev/null
}

lease_it()
{
	vfctl vf lease pf0:0 holder vpx1 mac 52:54:00:00:01:20 vlan 100 rate 500M trust on driver vfio-pci >/dev/null
}

@test "a lease that is killed" {
	vfctl numvfs pf0 1
	vfctl vf set pf0:0 mac 52:54:00:00:01:10
	crash release_it write 1 1 vfctl vf lease pf0:0 holder vpx1 mac 52:54:00:00:01:20 vlan 100 rate 500M trust on driver vfio-pci
	crash release_it sendmsg 6 1 vfctl vf lease pf0:0 holder vpx1 mac 52:54:00:00:01:20 vlan 100 rate 500M trust on driver vfio-pci
	generations
	[ -z "$(vfctl vf list holder vpx1 -o csv | sed 1d)" ]
}

@test "a release that is killed" {
	vfctl numvfs pf0 1
	vfctl vf set pf0:0 mac 52:54:00:00:01:10
	lease_it
	crash lease_it write 1 1 vfctl vf release pf0:0 holder vpx1
	crash lease_it sendmsg 6 1 vfctl vf release pf0:0 holder vpx1
	generations
}
