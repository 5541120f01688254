# vfctl on two 82576: what it sees, makes, sets and binds; what it refuses, and in which words.

load lib
load vfctl

setup() { vfctl_begin; }
teardown() { vfctl_end; }
teardown_file() { rig_clean; }

@test "the ports are those of lspci, and the joined view is the kernel's" {
	local v
	vfs 0 3
	ip link set dev pf0 vf 1 vlan 100 qos 3
	ip link set dev pf0 vf 1 trust on
	bind "$(vf 0 2)" vfio-pci
	diff <(vfctl pf list -o lspci) <(lspci -n | grep ' 02[0-9a-f][0-9a-f]: ')
	for v in 0 1 2; do
		row vf show pf0:$v
		is name pf0:$v pci "$(vf 0 $v)" pf_pci $PF0 index $v iommu_group "$(group_of "$(vf 0 $v)")" mac "$(vf_mac 0 $v)" state free holder ''
	done
	is driver vfio-pci driver_override vfio-pci
	row vf show "$(vf 0 1)"
	is vlan 100 qos 3 proto 802.1Q trust true spoofchk true link_state auto driver ''
	row pf list
	is name pf0 pci $PF0 id 8086:10c9 driver igb num_vfs 3 total_vfs 7 vfs_free 3 mac 52:54:00:00:01:00 iommu_group "$(group_of $PF0)" autoprobe false
}

# bats test_tags=slow
@test "numvfs: 0, 4, 7, no 8th, and 3; what the VFs that stay have is put back" {
	# with a link it is waited for each time
	pf_reset
	host_link 0 down
	await 20 pf_carrier 0 0
	vfctl numvfs pf0 4
	same "VFs" "$(lspci -n -d 8086:10ca | wc -l)" 4
	says unchanged vfctl numvfs $PF0 4
	vfctl vf set pf0:1 mac 52:54:00:00:01:11 vlan 100 qos 3 trust on
	vfctl vf set pf0:3 mac 52:54:00:00:01:13 spoofchk off
	vfctl vf bind pf0:2 vfio-pci
	vfctl numvfs pf0 7
	same "VFs" "$(<"$PCI/$PF0/sriov_numvfs")" 7
	same "VF 1" "$(vf_line 0 1)" "vlan 100, qos 3, spoof checking on, link-state auto, trust on"
	same "VF 3" "$(vf_line 0 3)" "spoof checking off, link-state auto, trust off"
	same "driver of VF 2" "$(driver_of "$(vf 0 2)")" vfio-pci
	refused 5 "pf0 (igb) can have 7 VFs at most, not 8" vfctl numvfs pf0 8
	refused 2 "--yes" vfctl numvfs pf0 3
	vfctl numvfs pf0 3 --yes
	same "VFs" "$(<"$PCI/$PF0/sriov_numvfs")" 3
	same "VF 1" "$(vf_line 0 1)" "vlan 100, qos 3, spoof checking on, link-state auto, trust on"
	[[ "$(ip link show pf0)" == *"vf 1 "*"52:54:00:00:01:11 "* ]]
	same "driver of VF 2" "$(driver_of "$(vf 0 2)")" vfio-pci
	host_link 0 up
}

@test "numvfs is refused while a VF is leased, held by a process, or up in another namespace; all are named" {
	local before
	fresh_vfs 3
	vfctl vf set pf0:0 mac auto
	vfctl vf lease pf0:2 holder vpx1 driver vfio-pci
	vfctl vf bind pf0:1 vfio-pci
	kernel_vf 0 0 away
	hold 0 1
	before=$(machine)
	refused 5 "VFs 0 (interface" vfctl numvfs pf0 0 --yes
	refused 5 "1 (sleep (pid $HOLD)" vfctl numvfs pf0 7
	refused 5 "2 (leased to vpx1" vfctl numvfs pf0 7
	same "the machine" "$(machine)" "$before"
	refused 5 "pid $HOLD" vfctl vf unbind pf0:1
	refused 5 "pid $HOLD" vfctl vf lease pf0:1 holder vpx2
	let_go
}

# bats test_tags=slow
@test "numvfs that fails puts everything back" {
	local before n
	fresh_vfs 2
	vfctl vf set pf0:1 mac 52:54:00:00:01:11 vlan 100
	vfctl vf bind pf0:0 vfio-pci
	before=$(machine)
	# the last setting is refused, after the VFs were made anew
	n=$(calls sendmsg vfctl numvfs pf0 2 --dry-run)
	refused 1 "" faulty sendmsg EIO $((n + 3)) vfctl numvfs pf0 4
	same "the machine" "$(machine)" "$before"
}

@test "vf set: every setting, seen by the kernel; what is not named stays; twice is unchanged" {
	local first
	pf_reset
	await 20 pf_carrier 0
	vfctl numvfs pf0 2
	vfctl vf set pf0:0 mac 52:54:00:00:01:10 vlan 100 qos 3 rate 500M trust on spoofchk off
	same "VF 0" "$(vf_line 0 0)" \
		"vlan 100, qos 3, tx rate 500 (Mbps), max_tx_rate 500Mbps, spoof checking off, link-state auto, trust on"
	[[ "$(ip link show pf0)" == *"vf 0 "*"52:54:00:00:01:10 "* ]]
	same "VF 1" "$(vf_line 0 1)" "spoof checking on, link-state auto, trust off"
	says unchanged vfctl vf set pf0:0 mac 52:54:00:00:01:10 vlan 100 qos 3 rate 500M trust on spoofchk off
	vfctl vf set pf0v0 vlan 101
	same "VF 0" "$(vf_line 0 0)" \
		"vlan 101, qos 3, tx rate 500 (Mbps), max_tx_rate 500Mbps, spoof checking off, link-state auto, trust on"
	vfctl vf set "$(vf 0 0)" vlan none rate none trust off spoofchk on
	same "VF 0" "$(vf_line 0 0)" "spoof checking on, link-state auto, trust off"
	vfctl vf set pf0:1 mac auto
	row vf list pf pf0
	is name pf0:0 mac 52:54:00:00:01:10 vlan 0
	first=$(ip link show pf0)
	says unchanged vfctl vf set pf0:1 mac auto
	same "the MAC made by itself" "$(ip link show pf0)" "$first"
	[[ "$first" == *"vf 1 "*"/ether 02:"* ]]
}

@test "vf set: what the driver or reason refuses becomes a sentence, and nothing is changed" {
	local before
	fresh_vfs 2
	vfctl vf set pf0:0 mac 52:54:00:00:01:10
	before=$(machine)
	refused 5 "igb has no 802.1ad tags" vfctl vf set pf0:1 vlan 100 proto 802.1ad
	refused 5 "igb has no minimum rate" vfctl vf set pf0:1 rate 500M min-rate 100M
	refused 2 "rate: 2 Gbit/s is above the link of pf0, 1 Gbit/s" vfctl vf set pf0:1 rate 2G trust on
	refused 5 "igb" vfctl vf set pf0:1 link enable
	refused 2 "group bit" vfctl vf set pf0:1 mac 01:00:5e:00:00:01
	refused 4 "is that of pf0:0" vfctl vf set pf0:1 trust on mac 52:54:00:00:01:10
	refused 4 "is that of pf1" vfctl vf set pf0:1 mac 52:54:00:00:02:00
	refused 2 "qos" vfctl vf set pf0:1 qos 3
	refused 3 "pf0 has no VF 5" vfctl vf set pf0:5 trust on
	refused 2 "pf0 is a PF" vfctl vf set pf0 trust on
	refused 3 "no device is called pf7" vfctl vf set pf7:0 trust on
	refused 2 "4095" vfctl vf set pf0:1 vlan 4095
	same "the machine" "$(machine)" "$before"
	host_link 0 down
	await 20 pf_carrier 0 0
	refused 5 "igb takes a rate for VFs only while the port has a link" vfctl vf set pf0:1 rate 100M
	host_link 0 up
}

# bats test_tags=slow
@test "the port VLAN and its priority are seen on the wire" {
	fresh_vfs 2
	vfctl vf set pf0:0 mac auto vlan 100 qos 3
	kernel_vf 0 0 a 10.77.0.2/24
	spawn sniff ip netns exec w0 tcpdump -Z root -i w0 -nn -e -l -c 1 arp
	await 5 grep -q 'listening on' "$W/sniff.out"
	ip netns exec a ping -c 1 -W 1 10.77.0.9 || true
	await 5 grep -q 'vlan 100, p 3, ethertype ARP' "$W/sniff.out"
}

@test "bind: to vfio-pci and back; the former driver is recorded, the override is removed" {
	local address
	fresh_vfs 2
	vfctl vf set pf0:0 mac auto
	address=$(vf 0 0)
	vfctl vf bind pf0:0 igbvf
	same driver "$(driver_of "$address")" igbvf
	[ -n "$(dev_of "$address")" ]
	vfctl vf bind pf0:0 vfio-pci
	same driver "$(driver_of "$address")" vfio-pci
	[ -c "/dev/vfio/$(group_of "$address")" ]
	says unchanged vfctl vf bind pf0:0 vfio-pci
	vfctl vf unbind pf0:0
	same "driver and override" "$(driver_of "$address") $(<"$PCI/$address/driver_override")" "none (null)"
	vfctl vf bind pf0:0 kernel
	vfctl vf bind pf0:0 vfio-pci
	says "pf0:1: unchanged" vfctl vf unbind pf0:1
	bind "$(vf 0 1)" vfio-pci
	says "pf0:1: driver igbvf" vfctl vf unbind pf0:1
	says "pf0:1: unchanged" vfctl vf unbind pf0:1
	refused 5 "there is no driver xen-pciback" vfctl vf bind pf0:0 xen-pciback
	refused 5 "there is no driver nonesuch" vfctl vf bind pf0:0 nonesuch
	same driver "$(driver_of "$address")" vfio-pci
}

@test "bind: the interface with the default route is refused and named; with --force it is taken, and given back" {
	ip addr add 10.78.0.1/24 dev pf1
	ip route add default via 10.78.0.254 dev pf1
	refused 5 "the default route goes over pf1" vfctl pci bind pf1 vfio-pci
	refused 5 "default route" vfctl port set pf1 mtu 2000
	same driver "$(driver_of $PF1)" igb
	# the kernel does not say where it goes, but which nexthop it takes
	sysctl -qw net.ipv4.nexthop_compat_mode=0
	ip route del default
	ip nexthop add id 5 via 10.78.0.254 dev pf1
	ip route add default nhid 5
	refused 5 "the default route goes over pf1" vfctl pci bind pf1 vfio-pci
	sysctl -qw net.ipv4.nexthop_compat_mode=1
	vfctl pci bind pf1 vfio-pci --force
	same driver "$(driver_of $PF1)" vfio-pci
	vfctl pci unbind $PF1
	same "driver and override" "$(driver_of $PF1) $(<"$PCI/$PF1/driver_override")" "igb (null)"
	pf_named 1
}

# bats test_tags=slow
@test "port set, port reset: recorded before the first, and put back after several" {
	local before
	before=$(port_state)
	vfctl port set pf1 mtu 2000
	says unchanged vfctl port set pf1 mtu 2000
	vfctl port set pf1 mtu 1600 pause-autoneg off pause-rx off pause-tx off
	vfctl port set pf1 speed 100M duplex full autoneg off
	vfctl port set pf1 up off
	[[ "$(ip link show pf1)" == *"mtu 1600"*"state DOWN"* ]]
	vfctl port reset pf1
	same "the port" "$(port_state)" "$before"
	says unchanged vfctl port reset pf1
	refused 5 "mtu" vfctl port set pf1 mtu 20000
	refused 5 "pf1 (igb) has no speed 10 Gbit/s" vfctl port set pf1 speed 10G
	same "the port" "$(port_state)" "$before"
}

port_state()
{
	ip link show pf1 | grep -o 'mtu [0-9]*'
	ip link show pf1 | grep -c '[<,]UP[,>]'
	ethtool -a pf1 | grep -v negotiated
	ethtool pf1 | grep -E 'Auto-negotiation|Advertised (link|auto)'
}

# bats test_tags=slow
@test "--dry-run changes nothing" {
	local before
	fresh_vfs 2
	vfctl vf lease pf0:1 holder vpx1
	before=$(machine; cat "$W/state/ledger")
	says "would be pf1: 4 VFs (was 0)" vfctl numvfs pf1 4 --dry-run
	says "would be" vfctl vf set pf0:0 mac auto vlan 5 --dry-run
	says "would be pf0:0: driver vfio-pci" vfctl vf bind pf0:0 vfio-pci --dry-run
	says "generation 1" vfctl vf lease pf0:0 holder vpx2 vlan 7 --dry-run
	says "would be done" vfctl vf release pf0:1 holder vpx1 --dry-run
	says "would be" vfctl port set pf0 mtu 2000 --dry-run
	same "machine and ledger" "$(machine; cat "$W/state/ledger")" "$before"
}

# bats test_tags=slow
@test "a file of commands: checked whole, then done; --json answers with one document" {
	fresh_vfs 2
	printf '%s\n' 'vf set pf0:0 mac auto' 'vf set pf0:1 vlan 9000' >"$W/bad"
	refused 2 "line 2" vfctl -b "$W/bad"
	[[ "$(vf_line 0 0)" == "spoof checking on"* ]]
	printf '%s\n' 'vf set pf0:0 vlan 5 qos 2 # five' 'vf lease pf0:any holder vpx1 driver vfio-pci' 'vf set pf0:1 trust on' >"$W/good"
	vfctl -b "$W/good"
	[[ "$(vf_line 0 0)" == "vlan 5, qos 2, "* ]]
	same driver "$(driver_of "$(vf 0 0)")" vfio-pci
	same "answer" "$(vfctl -j vf lease pf0:1 holder vpx2 vlan 6 | jq -c '[.what, .changed, .dry_run, (.steps | length), .generation]')" \
		'["pf0:1",true,false,1,1]'
	same "error" "$(vfctl -j vf lease pf0:1 holder vpx3 | jq -c '[.error.code, .error.name]')" '[4,"exists"]'
}
