# The rig itself, with nothing of pekit's: what sysfs and ip show of an 82576, and that its wires and the requests to the host work.
# bats file_tags=slow

load lib

setup()
{
	rig_setup
}

teardown()
{
	rig_teardown
}

@test "two PFs with seven VFs each, and two other devices" {
	same "total VFs" "$(cat $PCI/{$PF0,$PF1}/sriov_totalvfs | xargs)" "7 7"
	same "drivers" "$(driver_of $PF0) $(driver_of $PF1)" "igb igb"
	same "names" "$(dev_of $PF0) $(dev_of $PF1)" "pf0 pf1"
	same "device of the others" "$(cat $PCI/{$CRYPTO0,$CRYPTO1}/device | xargs)" "0x1054 0x1054"
}

@test "VFs appear and go, each in an IOMMU group of its own" {
	local v groups=
	vfs 0 4
	same "VFs" "$(lspci -n -d 8086:10ca | wc -l)" 4
	for v in 0 1 2 3; do
		groups+="$(group_of "$(vf 0 $v)") "
		same "driver of VF $v" "$(driver_of "$(vf 0 $v)")" none
	done
	same "groups" "$(tr ' ' '\n' <<<"$groups" | grep . | sort -u | wc -l)" 4
	ip link show dev pf0 | grep -q "vf 3 .*52:54:00:00:01:13"
	pf_reset
	same "VFs" "$(lspci -n -d 8086:10ca | wc -l)" 0
}

@test "a VF under igbvf reaches the wire" {
	vfs 0 1
	kernel_vf 0 0 a 10.77.0.2/24
	wire_up 0 10.77.0.1/24
	pings a 10.77.0.1
	silent a 10.77.0.9
}

@test "a VF is given to vfio-pci" {
	vfs 1 2
	bind "$(vf 1 1)" vfio-pci
	[ -c "/dev/vfio/$(group_of "$(vf 1 1)")" ]
}

@test "the host pulls a cable and puts it back" {
	await 20 pf_carrier 0
	host_link 0 down
	await 20 pf_carrier 0 0
	host_link 0 up
	await 20 pf_carrier 0
}

@test "the host takes a PF with its VFs away and brings it back" {
	vfs 1 2
	host_unplug 1
	[ ! -e "$PCI/$PF1" ]
	same "VFs" "$(lspci -n -d 8086:10ca | wc -l)" 0
	host_plug 1
	same "VFs" "$(cat $PCI/$PF1/sriov_numvfs)" 0
	await 20 pf_carrier 1
}
