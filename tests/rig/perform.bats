#!/usr/bin/env bats
# bats file_tags=slow
# SPDX-License-Identifier: GPL-3.0-or-later
# Steps done to the kernel (lib/io/perform.h), without vfctl's rules, which refuse most of this beforehand.
load lib
load vfctl

setup() { rig_setup; }
teardown() { rig_teardown; }

# step WHAT VF TO: of pf0, or (VF not empty) of that VF; FROM means nothing here
step()
{
	local who="\"func\":\"$PF0\"" from=$3
	[ -z "$2" ] || who="\"pf\":\"$PF0\",\"index\":$2"
	/build/test/rig/perform "${TIMEOUT:-60000}" "{\"what\":\"$1\",$who,\"from\":$from,\"to\":$3}"
}

driver()
{
	step driver "$1" "{\"driver\":\"$2\",\"override\":\"$3\"}"
}

# holds PF VF: a process that has the VF open through vfio
holds()
{
	spawn hold /build/test/rig/hold "$(group_of "$(vf "$1" "$2")")" "$(vf "$1" "$2")"
	await 10 grep -qx held "$W/hold.out"
}

# The host can be read, and says that.
seen()
{
	says "$1" timeout 20 vfctl vf show pf0:0
}

@test "a device that a process holds: taking it away ends in time, names the process, and the host can be read meanwhile" {
	vfs 0 2
	bind "$(vf 0 0)" vfio-pci
	holds 0 0
	TIMEOUT=2000 refused 124 "hold (pid $(< "$W/hold.pid"))" driver 0 igbvf ''
	seen 'being taken from vfio-pci'
	TIMEOUT=2000 refused 124 'is not through with' driver 0 vfio-pci vfio-pci
	kill "$(< "$W/hold.pid")"
	await 20 driver 0 vfio-pci vfio-pci
	same driver "$(driver_of "$(vf 0 0)")" vfio-pci
}

@test "a VF that a process holds: destroying ends in time, names the process, and goes on by itself afterwards" {
	vfs 0 2
	bind "$(vf 0 0)" vfio-pci
	holds 0 0
	TIMEOUT=2000 refused 124 "hold (pid $(< "$W/hold.pid")) through /dev/vfio/" step numvfs '' 0
	# The kernel has taken the links between the VF and its PF away.
	[ ! -e "$PCI/$PF0/virtfn0" ]
	seen 'being taken from vfio-pci'
	kill "$(< "$W/hold.pid")"
	await 20 test ! -e "$PCI/$PF0/virtfn1"
	step numvfs '' 2
}

@test "drivers: loaded, verified, and what the override was comes back with the former driver" {
	vfs 0 2
	driver 0 vfio-pci vfio-pci
	same driver "$(driver_of "$(vf 0 0)")" vfio-pci
	driver 0 igbvf ''
	same driver "$(driver_of "$(vf 0 0)")" igbvf
	same override "$(< "$PCI/$(vf 0 0)/driver_override")" '(null)'
	driver 0 igbvf igbvf
	same override "$(< "$PCI/$(vf 0 0)/driver_override")" igbvf
	driver 0 '' ''
	same driver "$(driver_of "$(vf 0 0)")" none
	# The kernel's choice for a VF is none while autoprobe is off.
	driver 0 vfio-pci ''
	driver 0 kernel ''
	same driver "$(driver_of "$(vf 0 0)")" none
	step autoprobe '' true
	driver 0 vfio-pci ''
	driver 0 kernel ''
	same driver "$(driver_of "$(vf 0 0)")" igbvf
	step autoprobe '' false
	refused 5 'there is no driver nonesuch' driver 1 nonesuch nonesuch
	same override "$(< "$PCI/$(vf 0 1)/driver_override")" '(null)'
	refused 1 'igb has not taken it' driver 1 igb igb
	refused 3 'pf0:7: there is no such VF' driver 7 igbvf ''
}

@test "VFs that are given to their driver: the step ends when all have their interfaces" {
	step autoprobe '' true
	step numvfs '' 3
	for n in 0 1 2; do
		dev_of "$(vf 0 $n)"
	done
	step numvfs '' 3
	step numvfs '' 1
	[ ! -e "$PCI/$PF0/virtfn1" ]
	dev_of "$(vf 0 0)"
}

@test "settings of VFs: a refusal of the driver is a sentence, and nothing is half done" {
	vfs 0 1
	refused 5 'igb has no 802.1ad tags' step vfset 0 '{"vlan":5,"qos":0,"proto":"802.1ad"}'
	refused 5 'igb has no minimum rate' step vfset 0 '{"max_rate_bps":200000000,"min_rate_bps":100000000}'
	refused 5 'igb does not set the link state' step vfset 0 '{"link":"enable"}'
	step vfset 0 '{"vlan":5,"qos":2,"proto":"802.1Q"}'
	step vfset 0 '{"trust":true}'
	ip -j link show pf0 | jq -e '.[0].vfinfo_list[0] | .vlan_list[0].vlan == 5 and .vlan_list[0].qos == 2 and .trust and .rate.max_tx == 0'
}

@test "ports: forced, offered again, and a speed that it has not" {
	step portset '' '{"speed_bps":100000000,"duplex":"full","autoneg":false}'
	ethtool pf0 | grep -q 'Auto-negotiation: off'
	step portset '' '{"autoneg":true}'
	ethtool pf0 | grep -A2 'Advertised link modes' | grep -q 1000baseT/Full
	await 20 pf_carrier 0
	step portset '' '{"mtu":2000}'
	same mtu "$(< /sys/class/net/pf0/mtu)" 2000
	step portset '' '{"pause_autoneg":false,"pause_rx":true,"pause_tx":false}'
	ethtool -a pf0 | grep -q 'TX:.*off'
	await 20 pf_carrier 0
	refused 5 'pf0 (igb) has no speed 10 Gbit/s' step portset '' '{"speed_bps":10000000000,"duplex":"full","autoneg":true}'
	step portset '' '{"autoneg":true,"pause_autoneg":true,"pause_rx":true,"pause_tx":true}'
	ethtool pf0 | grep -A2 'Advertised link modes' | grep -q 10baseT/Half
}
