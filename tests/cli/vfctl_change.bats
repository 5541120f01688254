#!/usr/bin/env bats
# What vfctl's changing verbs plan and refuse, on recorded hosts: every step of a dry run, every sentence. What they do is in tests/rig.
# shellcheck disable=SC2154 # bats sets status, output, lines and stderr

load helpers

setup()
{
	cli_setup
	python3 "$ROOT/tests/cli/mkhost.py" host
}

teardown()
{
	cli_teardown
}

# The hosts that tests/hosts/make.py makes: eth4 and eth5 are an 82599 with 63 VFs each, eth6 a ConnectX-4.
big()
{
	rm -rf host
	python3 "$ROOT/tests/hosts/make.py" host
}

# plan LINES WORD...: what the words would do, a step a line, without "would be " and the last line
plan()
{
	local should=$1
	shift
	run --separate-stderr vfctl --root host "$@" --dry-run
	[ "$status" = 0 ] || { echo "status $status: $stderr"; return 1; }
	output=$(sed 's/^would be //; $d' <<<"$output")
	[ "$output" = "$should" ] || { echo "$* would do:"; echo "$output"; return 1; }
}

# unchanged WORD...: nothing is to do
unchanged()
{
	run --separate-stderr vfctl --root host "$@" --dry-run
	[ "$status" = 0 ] && [ "${#lines[@]}" = 1 ] && [[ ${lines[0]} == *": unchanged"* ]] || { echo "$output $stderr"; return 1; }
}

# denied STATUS MESSAGE WORD...
denied()
{
	refused "$1" "$2" vfctl --root host "${@:3}" --dry-run
}

# ---- numbers

@test "numvfs: from none, with autoprobe, the same again, more than there can be" {
	plan "eth1: 7 VFs (was 0)" numvfs eth1 7
	plan $'eth1: autoprobe off (was on)\neth1: 3 VFs (was 0)' numvfs 01:00.1 3 autoprobe off
	plan "eth1: autoprobe off (was on)" numvfs eth1 0 autoprobe off
	unchanged numvfs eth1 0
	unchanged numvfs 1/1 4
	denied 5 "eth1 (igb) can have 7 VFs at most, not 8" numvfs eth1 8
	denied 2 "eth0:1 is a VF; a PF is wanted" numvfs eth0:1 3
}

@test "numvfs: VFs that are held or used are not lost; all are named" {
	denied 5 "eth0 would lose VFs 0 (interface vf0 is up), 1 (leased to vpx1; pe (pid 812) through /dev/vfio/21)" numvfs eth0 7
	denied 5 "eth0 would lose VFs 0 (interface vf0 is up), 1 (leased to vpx1; pe (pid 812) through /dev/vfio/21)" numvfs eth0 0
	big
	plan "eth5: 10 VFs (was 63)" numvfs eth5 10
	run --separate-stderr vfctl --root host numvfs eth4 10 --dry-run
	[ "$status" = 5 ]
	[[ "$stderr" == *"eth4 would lose VFs 0 (interface eth10 is up), 1 (pe (pid 812) "*"), 2 (interface in another network namespace)"* ]]
}

# ---- settings

@test "vf set: every setting is a step, what is so already is none" {
	plan $'eth0:2: mac 52:54:00:00:01:12 (was 02:00:00:00:01:02)\neth0:2: vlan 5 qos 2 (was none)\neth0:2: rate 500 Mbit/s (was none)
eth0:2: trust off (was on)\neth0:2: spoofchk on (was off)' \
		vf set eth0:2 mac 52:54:00:00:01:12 vlan 5 qos 2 rate 500M trust off spoofchk on
	plan "eth0:2: trust off (was on)" vf set eth0:2 trust off spoofchk off vlan none rate none
	unchanged vf set 0000:01:10.2 vlan 100 qos 3 rate 200M
}

@test "vf set: of what goes together that stays which is not named; a VLAN taken off takes its priority along" {
	plan "eth0:1: vlan 101 qos 3 (was 100 qos 3)" vf set eth0:1 vlan 101
	plan "eth0:1: vlan 100 qos 5 (was 100 qos 3)" vf set eth0:1 qos 5
	plan "eth0:1: vlan none (was 100 qos 3)" vf set eth0:1 vlan none
	plan "eth0:1: vlan none (was 100 qos 3)" vf set eth0:1 vlan 0
	denied 2 "qos: 3 without a VLAN" vf set eth0:2 qos 3
}

@test "vf set: an address of its own making is the same each time, and nobody else's" {
	local mac
	mac=$(vfctl --root host -j vf set eth0:3 mac auto --dry-run | jq -r '.steps[0]')
	[[ $mac =~ ^eth0:3:\ mac\ 02:[0-9a-f:]{14}\ \(was\ 00:00:00:00:00:00\)$ ]]
	[ "$(vfctl --root host -j vf set eth0:3 mac auto --dry-run | jq -r '.steps[0]')" = "$mac" ]
	[[ "$(vfctl --root host vf set eth0:2 mac auto --dry-run)" != *"${mac:12:17}"* ]]
	denied 4 "mac: 02:00:00:00:01:02 is that of eth0:2" vf set eth0:3 mac 02:00:00:00:01:02
	denied 4 "mac: 02:00:00:00:01:00 is that of vf0 (eth0:0)" vf set eth0:3 mac 02:00:00:00:01:00
	denied 4 "mac: 02:11:00:00:00:09 is that of eth9" vf set eth0:3 mac 02:11:00:00:00:09
	denied 2 "mac: 01:00:5e:00:00:01 is not one station's address: its group bit is set" vf set eth0:3 mac 01:00:5e:00:00:01
}

@test "vf set: what a driver is known not to have, in a sentence" {
	denied 5 "igb has no 802.1ad tags for VFs (eth0:2)" vf set eth0:2 vlan 5 proto 802.1ad
	denied 5 "igb has no minimum rate for VFs (eth0:2)" vf set eth0:2 min-rate 10M
	denied 2 "rate: 1.001 Gbit/s is above the link of eth0, 1 Gbit/s" vf set eth0:2 rate 1001M
	denied 2 "rate: 1500 bit/s is not a whole number of Mbit/s" vf set eth0:2 rate 1500
	big
	denied 5 "ixgbe has no 802.1ad tags for VFs (eth4:5)" vf set eth4:5 vlan 5 proto 802.1ad
	denied 5 "ixgbe cannot hold up the link of a VF while its port has none (eth4:5)" vf set eth4:5 link enable
	denied 5 "ixgbe cannot give all unicast frames of eth4 to eth4:5: the device has no such mode" vf set eth4:5 promisc on
	plan "eth6:0: trust on (was off)" vf set eth6:0 trust on
}

# ---- drivers

@test "bind: refused while it is needed, and said for what; --force takes all but what a process has open" {
	denied 5 "eth0:0 is in use: interface vf0 is up" vf bind eth0:0 vfio-pci
	plan "eth0:0: driver vfio-pci (was igbvf)" vf bind eth0:0 vfio-pci --force
	denied 5 "eth0:1 is in use: pe (pid 812) through /dev/vfio/21" vf bind eth0:1 kernel --force
	denied 5 "the default route goes over eth9" pci bind eth9 vfio-pci
	plan "eth9: driver vfio-pci (was e1000)" pci bind eth9 vfio-pci --force
	denied 5 "eth0 has 4 VFs, which would be lost with its driver" pci bind eth0 vfio-pci --force
	plan "eth0:2: driver igbvf (was vfio-pci)" vf unbind eth0:2
	unchanged vf bind eth0:2 vfio-pci
	big
	denied 5 "eth6:0 works only with mlx5_core: DPDK drives it through that, too" vf bind eth6:0 vfio-pci
	denied 5 "the login from 198.51.100.200 comes over eth0" pci bind eth0 vfio-pci
}

# ---- leases

@test "lease: settings and driver are its steps, the kernel's driver last" {
	plan $'eth0:3: driver vfio-pci (was none)\neth0:3: mac 52:54:00:00:01:13 (was 00:00:00:00:00:00)\neth0:3: vlan 7 (was none)' \
		vf lease eth0:3 holder vpx2 mac 52:54:00:00:01:13 vlan 7 driver vfio-pci
	plan $'eth0:3: trust on (was off)\neth0:3: driver igbvf (was none)' vf lease eth0:3 holder vpx2 trust on driver kernel
	denied 4 "eth0:1 is leased to vpx1 since 2026-01-03T12:00:00Z (generation 2, by root)" vf lease eth0:1 holder vpx2
	denied 5 "eth0 has 4 VFs: it cannot be leased as a whole" pci lease eth0 holder vpx2
	denied 5 "0000:00:00.0 is a bridge: other functions are behind it" pci lease 00:00.0 holder vpx1
}

@test "release: by another, of an older generation, of what a process uses" {
	denied 4 "eth0:1 is leased to vpx1 since 2026-01-03T12:00:00Z (generation 2, by root)" vf release eth0:1 holder old
	denied 4 "eth0:1 is leased to vpx1 since 2026-01-03T12:00:00Z (generation 2, by root)" vf release eth0:1 generation 1
	denied 5 "eth0:1 is still in use: pe (pid 812) through /dev/vfio/21" vf release eth0:1 holder vpx1
	plan "eth0:1: vlan none (was 100 qos 3)" vf release eth0:1 holder vpx1 --force
	unchanged vf release eth0:2 holder vpx1
	unchanged vf release eth0:7 holder vpx2 --if-exists
	denied 3 "eth0 has no VF 7" vf release eth0:7 holder vpx2
}

@test "the VLAN budget of a port: 63 ids, whoever uses them" {
	big
	denied 5 "eth5 would carry 64 VLAN ids, and 63 is the most for all VFs of a port" vf lease eth5:any holder v vlans 1-63 vlan 64
	plan "eth5:0: vlan 63 (was none)" vf lease eth5:any holder v vlans 1-63 vlan 63
}

@test "a lease whose function has gone can be released, and by its holder only" {
	sed -i 's/"0000:05:00.0"/"0000:05:00.7"/g; s/"func":"0000:01:00.0","index":1/"func":"0000:01:00.0","index":6/g; s/"index":1,"from"/"index":6,"from"/g' host/ledger
	run --separate-stderr vfctl --root host pci release 05:00.7 holder vpx1 --dry-run
	[ "$status" = 0 ]
	[[ "$output" == *"is no more: nothing was put back"* ]]
	run --separate-stderr vfctl --root host vf release eth0:6 holder vpx1 --dry-run
	[ "$status" = 0 ]
	[[ "$output" == *"is no more: nothing was put back"* ]]
	run --separate-stderr vfctl --root host vf release gone7:6 holder vpx1 --dry-run
	[ "$status" = 0 ]
	run --separate-stderr vfctl --root host vf release gone7:6 holder vpx2 --dry-run
	[ "$status" = 3 ]
	run --separate-stderr vfctl --root host vf release eth0:6 holder vpx2 --dry-run
	[ "$status" = 4 ]
}

# ---- ports

@test "port set and reset" {
	plan $'eth1: mtu 2000 (was 1500)\neth1: up off (was on)' port set eth1 up off mtu 2000
	unchanged port set eth1 mtu 1500 up on
	unchanged port reset eth1
	denied 5 "the default route goes over eth9" port set eth9 mtu 1500
	plan "eth9: mtu 1500 (was 9000)" port set eth9 mtu 1500 --force
	run vfctl --root host port set 05:00.0 mtu 1500 --dry-run
	[ "$status" = 5 ]
}
