# vfctl killed at its steps: one further command that changes something mends it. The machine is as before or as after, no VF is lost, and nobody gets
# bats file_tags=slow
# a generation that another was told of.

load lib
load vfctl

setup() { vfctl_begin 2; }
teardown() { vfctl_end; }
teardown_file() { rig_clean; }

# crash UNDO STEP COMMAND...: the command is killed at every STEPth of its calls until it survives; UNDO takes back what it does. Where it begins is a
# matter of chance, for the guest's time; CRASH_STEP=1 kills at each call: tests/rig/run.sh --limit 900 -- env CRASH_STEP=1 bats tests/rig/vfctl_crash.bats
crash()
{
	local undo=$1 step=${CRASH_STEP:-$2} before after now n
	shift 2
	n=$((RANDOM % step + 1))
	before=$(machine)
	"$@" >/dev/null
	after=$(machine)
	[ "$before" != "$after" ] || fail "$* changes nothing" || return
	$undo
	same "the machine, taken back" "$(machine)" "$before" || return
	while killed $n "$@"; do
		vfctl port set pf1 mtu 1500 >"$W/mended" 2>&1 || fail "$(<"$W/mended")" || return
		now=$(machine)
		if [ "$now" = "$after" ]; then
			$undo
		elif [ "$now" != "$before" ]; then
			fail "killed at $n: $(<"$W/mended")"$'\n'"$now"
			return
		fi
		n=$((n + step))
	done
	[ $n -gt 8 ] || fail "$* was killed at $n calls only: $(<"$W/killed.out")" || return
	same "the machine, in the end" "$(machine)" "$after"
}

# Whoever was told of a lease had a generation that nobody else had, and as many are held as the ledger says.
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
	vfctl vf lease pf0:0 holder vpx1 mac 52:54:00:00:01:20 vlan 100 driver vfio-pci >/dev/null
}

unbind_it()
{
	vfctl vf unbind pf0:0 >/dev/null
}

two_vfs()
{
	vfctl numvfs pf0 2 --yes >/dev/null
}

@test "a lease that is killed, and a release" {
	vfctl vf set pf0:0 mac 52:54:00:00:01:10
	crash release_it 4 vfctl -T 60 vf lease pf0:0 holder vpx1 mac 52:54:00:00:01:20 vlan 100 driver vfio-pci
	row vf list
	is name pf0:0 holder vpx1
	crash lease_it 5 vfctl -T 60 vf release pf0:0 holder vpx1
	row vf list
	is name pf0:0 holder ''
	generations
}

@test "a change of drivers that is killed, and a change of numbers" {
	vfctl vf set pf0:0 mac 52:54:00:00:01:10
	vfctl vf set pf0:1 mac 52:54:00:00:01:11 vlan 100
	vfctl vf bind pf0:1 vfio-pci
	crash unbind_it 5 vfctl -T 60 vf bind pf0:0 igbvf
	unbind_it
	# with a link it is waited for each time
	host_link 0 down
	await 20 pf_carrier 0 0
	crash two_vfs 13 vfctl -T 60 numvfs pf0 3
	host_link 0 up
}
