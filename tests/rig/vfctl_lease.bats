# Leases: who holds what, since which generation; late releases; the VLANs of a port; commands at once, killed, and without their device.

load lib
load vfctl

setup() { vfctl_begin 4; }
teardown() { vfctl_end; }
teardown_file() { rig_clean; }

@test "a lease sets its VF up, and its release puts back what was there" {
	local before
	vfctl vf set pf0:0 mac 52:54:00:00:01:10 vlan 9 rate 100M
	vfctl vf bind pf0:0 igbvf
	before=$(machine)
	says "generation 1" vfctl vf lease pf0:0 holder vpx1 mac 52:54:00:00:01:20 vlan 100 qos 3 rate 500M trust on spoofchk off driver vfio-pci
	same "VF 0" "$(vf_line 0 0)" \
		"vlan 100, qos 3, tx rate 500 (Mbps), max_tx_rate 500Mbps, spoof checking off, link-state auto, trust on"
	same driver "$(driver_of "$(vf 0 0)")" vfio-pci
	row vf list holder vpx1
	is name pf0:0 holder vpx1 generation 1 state held mac 52:54:00:00:01:20
	says "unchanged, generation 1" vfctl vf lease pf0:0 holder vpx1 vlan 100
	# what the holder, or anybody else, changes meanwhile is put back, too
	says "generation 1" vfctl vf lease pf0:0 holder vpx1 vlan 101
	vfctl vf set pf0:0 trust off rate none
	vfctl vf release pf0:0 holder vpx1 generation 1
	same "the machine" "$(machine)" "$before"
	says "pf0:0: unchanged" vfctl vf release pf0:0 holder vpx1
	says "generation 2" vfctl vf lease pf0:0 holder vpx2
	says "vpx1" vfctl vf show pf0:0
}

@test "a late release, of an older generation or by another, is refused and touches nothing" {
	local before
	vfctl vf lease pf0:0 holder vpx1 mac auto vlan 5
	vfctl vf release pf0:0 generation 1
	says "generation 2" vfctl vf lease pf0:0 holder vpx2 mac auto vlan 6
	before=$(machine; cat "$W/state/ledger")
	refused 4 "leased to vpx2 " vfctl vf release pf0:0 holder vpx1
	refused 4 "generation 2" vfctl vf release pf0:0 generation 1
	refused 4 "vpx2" vfctl vf release pf0:0 holder vpx2 generation 1
	refused 4 "leased to vpx2 " vfctl vf lease pf0:0 holder vpx3
	refused 2 "holder H or generation G is missing" vfctl vf release pf0:0
	same "machine and ledger" "$(machine; cat "$W/state/ledger")" "$before"
	vfctl vf release pf0:0 --force
	says "generation 3" vfctl vf lease pf0:0 holder vpx3
}

# bats test_tags=slow
@test "any VF: the lowest that nobody holds or uses; when there is none, who holds them" {
	vfctl vf bind pf0:1 vfio-pci
	hold 0 1
	says "pf0:0: done" vfctl vf lease pf0:any holder vpx1
	says "pf0:2: done" vfctl vf lease pf0:any holder vpx2
	says "pf0:3: done" vfctl vf lease pf0:any holder vpx2
	says "pf0:2: unchanged" vfctl vf lease pf0:any holder vpx2 --may-exist
	refused 5 "0 vpx1, 1 sleep (pid $HOLD)" vfctl vf lease pf0:any holder vpx3
	refused 5 "2 (leased to vpx2)" vfctl numvfs pf0 0 --yes
	let_go
}

# bats test_tags=slow
@test "63 VLAN ids a port, over all leases and port VLANs" {
	vfctl vf lease pf0:0 holder vpx1 vlans 101-140
	vfctl vf set pf0:1 vlan 200
	refused 5 "64 VLAN ids" vfctl vf lease pf0:2 holder vpx2 vlans 301-323
	vfctl vf lease pf0:2 holder vpx2 vlans 301-322
	refused 5 "64 VLAN ids" vfctl vf lease pf0:1 holder vpx3 vlans 300
	vfctl vf lease pf0:1 holder vpx3 vlans 101-110
	vfctl vf release pf0:0 holder vpx1
	vfctl vf lease pf0:0 holder vpx4 vlans 300-329
}

# bats test_tags=slow
@test "a VF that a process uses is not released; the process is named" {
	vfctl vf lease pf0:0 holder vpx1 mac auto driver vfio-pci
	hold 0 0
	refused 5 "pf0:0 is still in use: sleep (pid $HOLD)" vfctl vf release pf0:0 holder vpx1
	let_go
	vfctl vf release pf0:0 holder vpx1
	same driver "$(driver_of "$(vf 0 0)")" none
}

# bats test_tags=slow
@test "other devices are leased whole, with their driver" {
	vfctl pci bind $CRYPTO0 vfio-pci
	row pci list
	vfctl pci unbind $CRYPTO0
	says "generation 1" vfctl pci lease $CRYPTO0 holder vpx1 driver vfio-pci
	same driver "$(driver_of $CRYPTO0)" vfio-pci
	refused 4 "leased to vpx1" vfctl pci lease 03:00.0 holder vpx2
	says "vpx1" vfctl pci assignable
	refused 4 "vpx1" vfctl pci release $CRYPTO0 holder vpx2
	vfctl pci release $CRYPTO0 holder vpx1 generation 1
	same "driver and override" "$(driver_of $CRYPTO0) $(<"$PCI/$CRYPTO0/driver_override")" "none (null)"
}

# bats test_tags=slow
@test "the PF of a leased VF is unplugged: the release says so and succeeds" {
	vfs 1 2
	vfctl vf lease pf1:0 holder vpx1 vlan 5 driver vfio-pci
	vfctl vf lease pf1:1 holder vpx1
	host_unplug 1
	refused 3 "" vfctl vf lease pf1:0 holder vpx2
	refused 4 "vpx1" vfctl vf release $PF1:0 holder vpx2
	says "is no more" vfctl vf release $PF1:0 holder vpx1
	says "is no more" vfctl vf release pf1:1 holder vpx1
	refused 3 "" vfctl vf release pf1:1 holder vpx1
	says unchanged vfctl vf release pf1:1 holder vpx1 --if-exists
	host_plug 1
	vfs 1 1
	says "generation 2" vfctl vf lease pf1:0 holder vpx1
}

# bats test_tags=slow
@test "many commands at once: each finds what the others have left" {
	local i
	for i in 1 2 3 4; do
		spawn lease$i vfctl -T 30 vf lease pf0:any holder vpx$i mac auto
	done
	for i in 1 2 3 4; do
		await 30 gone "$(<"$W/lease$i.pid")"
		grep -q 'done, generation 1' "$W/lease$i.out" || fail "$(<"$W/lease$i.out")"
	done
	same "holders" "$(vfctl vf list -o csv | cut -d, -f32 | sort | xargs)" "holder vpx1 vpx2 vpx3 vpx4"
	same "MACs" "$(ip link show pf0 | grep -c '/ether 02:')" 4
}

# bats test_tags=slow
@test "examples/vfs.sh: an instance has a VF of each port or none, and the engine runs on them" {
	vfs 1 1
	export -f vfctl
	examples/vfs.sh give vpx1 pf0 pf1 >"$W/given.json"
	same "ports" "$(jq -c '[.ports[].device]' "$W/given.json")" "[\"pci:$(vf 0 0)\",\"pci:$(vf 1 0)\"]"
	same "asked twice" "$(examples/vfs.sh give vpx1 pf0 pf1)" "$(<"$W/given.json")"
	refused 1 "vpx2 gets no VF of pf1, and so none at all" examples/vfs.sh give vpx2 pf0 pf1
	same "held by vpx2" "$(vfctl vf list holder vpx2 -o csv | tail -n +2)" ""
	engine vpx1 <"$W/given.json"
	refused 5 "is still in use: pe (pid $(engine_pid vpx1))" examples/vfs.sh take vpx1
	engine_stop vpx1
	examples/vfs.sh take vpx1
	same "held" "$(vfctl vf list holder vpx1 -o csv | tail -n +2)" ""
	same "again" "$(examples/vfs.sh give vpx2 pf0 pf1 | jq -c ".ports | length")" 2
	says vpx2 examples/vfs.sh report
}
