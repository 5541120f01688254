#!/usr/bin/env bats
# vfctl on recorded hosts: listings, names, errors, what a change would do. Real VFs are in tests/rig.
# shellcheck disable=SC2154,SC2016 # bats sets status, output, lines and stderr

load helpers

setup()
{
	cli_setup
	host
}

teardown()
{
	cli_teardown
}

# host [WORD...]: the one that mkhost.py makes, in the folder "host"
host()
{
	rm -rf host
	python3 "$ROOT/tests/cli/mkhost.py" host "$@"
}

v()
{
	vfctl --root host "$@"
}

# denied STATUS MESSAGE WORD...: refused() of a word of vfctl on the recorded host
denied()
{
	refused "$1" "$2" vfctl --root host "${@:3}"
}

# ---- listings

@test "pf list is the verb when none is given, and a noun alone is its list" {
	[ "$(v)" = "$(v pf list)" ]
	[ "$(v pf)" = "$(v pf list)" ]
	[ "$(v vf)" = "$(v vf list)" ]
	[ "$(v pci)" = "$(v pci list)" ]
	[ "$(v port)" = "$(v port show)" ]
	run v
	[ "${lines[0]}" = "PF    PCI           ID         DRIVER  NUMA  LINK     SPEED  VFS  FREE  HELD  USED" ]
	[ "${lines[1]}" = "eth0  0000:01:00.0  8086:10c9  igb        1  up    1 Gbit/s  4/7     2     1     1" ]
	[ "${lines[2]}" = "eth1  0000:01:00.1  8086:10c9  igb        1  down         -  0/7     0     0     0" ]
	[ "${#lines[@]}" = 3 ]
}

@test "pf list as JSON joins PCI, kernel and ledger" {
	v -j pf list | jq -e 'length == 2 and all(.[]; keys == ["autoprobe", "carrier", "class", "class_code", "default_route", "device_name", "driver",
		"driver_override", "holder", "id", "interface", "iommu_group", "label", "login", "mac", "mtu", "name", "num_vfs", "numa_node", "pci", "revision",
		"speed_bps", "total_vfs", "up", "upper", "used_by", "vendor_name", "vfs_free", "vfs_held", "vfs_used"])'
	v -j pf list | jq -e '.[0] | .name == "eth0" and .pci == "0000:01:00.0" and .id == "8086:10c9" and .class_code == "020000" and .revision == "01" and
		.label == "1/1" and .mac == "02:11:00:00:01:00" and .iommu_group == 10 and .numa_node == 1 and .speed_bps == 1000000000 and .num_vfs == 4 and
		.total_vfs == 7 and .autoprobe == false and [.vfs_free, .vfs_held, .vfs_used] == [2, 1, 1] and .up and .carrier'
	v -j pf list | jq -e '.[1] | .label == null and .speed_bps == null and .carrier == false and .autoprobe'
}

@test "pf list -o lspci is what lspci -n says of the network class" {
	command -v lspci >/dev/null || skip "needs lspci"
	# A dump has not the ids of VFs, which are in sysfs.
	[ "$(v pf list -o lspci)" = "$(lspci -F host/pci.dump -n | grep ' 02..: ' | sed 's/ffff:ffff/8086:10ca/')" ]
	[ "$(v pf list -o lspci | wc -l)" = 7 ]
	host domain
	run v pf list -o lspci
	[ "$output" = "$(lspci -F host/pci.dump -n | grep ' 02..: ' | sed 's/ffff:ffff/8086:10ca/')" ]
	[ "${lines[0]}" = "0000:00:03.0 0200: 8086:100e (rev 03)" ]
	[ "${lines[7]}" = "10000:e1:00.0 0200: 8086:1533" ]
	[ "$(vfctl pf list -o lspci)" = "$(lspci -n | grep ' 02..: ')" ]
}

@test "vf list: what is set, who holds, who uses" {
	run v vf list
	[ "${lines[0]}" = "VF      PCI           DRIVER    MAC                VLAN       RATE        TRUST  SPOOFCHK  HOLDER  USED BY" ]
	[ "${lines[2]}" = "eth0:1  0000:01:10.2  vfio-pci  02:00:00:00:01:01  100 qos 3  200 Mbit/s  no     yes       vpx1    pe (pid 812) through /dev/vfio/21" ]
	[ "${lines[4]}" = "eth0:3  0000:01:10.6  -         -                  none       none        no     yes       -       -" ]
	[ "${lines[5]}" = "4 VFs: 2 free, 1 held, 1 used without a lease" ]
	[[ "$(v vf list -o wide | head -1)" == *"GROUP"*"GEN"*"SINCE"*"VLANS"* ]]
	v -j vf list | jq -e 'length == 4 and all(.[]; keys == ["allmulti", "carrier", "class", "class_code", "device_name", "driver", "driver_override",
		"generation", "holder", "id", "index", "interface", "interface_mac", "iommu_group", "leased_at", "leased_by", "link_state", "mac", "max_rate_bps",
		"min_rate_bps", "name", "numa_node", "pci", "pf", "pf_pci", "promisc", "proto", "qos", "revision", "spoofchk", "state", "trust", "up", "used_by",
		"vendor_name", "vlan", "vlans"])'
	v -j vf list | jq -e '.[1] | .name == "eth0:1" and .id == "8086:10ca" and .pf == "eth0" and .pf_pci == "0000:01:00.0" and .index == 1 and
		.mac == "02:00:00:00:01:01" and .vlan == 100 and .qos == 3 and .proto == "802.1Q" and .max_rate_bps == 200000000 and .min_rate_bps == 0 and
		.trust == false and .spoofchk and .link_state == "auto" and .promisc == null and .state == "held" and .holder == "vpx1" and .generation == 2 and
		.leased_at == "2026-01-03T12:00:00Z" and .leased_by == "root" and .vlans == [10, 11, 12, 20] and .used_by == ["pe (pid 812) through /dev/vfio/21"]'
	v -j vf list | jq -e '.[3] | .mac == null and .vlan == 0 and .proto == null and .driver == null and .state == "free" and .holder == null and .used_by == []'
	v -j vf list | jq -e '[.[].state] == ["used", "held", "free", "free"]'
}

@test "who uses it, when there are several" {
	ln -s /dev/vfio/22 host/proc/812/fd/4
	mkdir -p host/proc/813/fd
	echo qemu >host/proc/813/comm
	ln -s /dev/vfio/22 host/proc/813/fd/3
	[[ "$(v vf list | grep '^eth0:2 ')" =~ "  pe (pid 812) through /dev/vfio/22, qemu (pid 813) through /dev/vfio/22"$|"  qemu (pid 813) through /dev/vfio/22, pe (pid 812) through /dev/vfio/22"$ ]]
	v -j vf list | jq -e '.[2] | .state == "used" and (.used_by | sort) == ["pe (pid 812) through /dev/vfio/22", "qemu (pid 813) through /dev/vfio/22"]'
	[ "$(v -j vf list --free | jq -c '[.[].index]')" = '[3]' ]
}

@test "vf list: the words select" {
	[ "$(v vf list pf eth0 -j | jq length)" = 4 ]
	[ "$(v vf list pf eth1 -j | jq -c .)" = '[]' ]
	[ "$(v vf list holder vpx1 -j | jq -c '[.[].index]')" = '[1]' ]
	[ "$(v vf list holder nobody -j | jq -c .)" = '[]' ]
	[ "$(v vf list driver vfio-pci -j | jq -c '[.[].index]')" = '[1,2]' ]
	[ "$(v vf list driver none -j | jq -c '[.[].index]')" = '[3]' ]
	[ "$(v vf list --free -j | jq -c '[.[].index]')" = '[2,3]' ]
	[ "$(v vf list --free driver vfio-pci pf 1/1 -j | jq -c '[.[].index]')" = '[2]' ]
	[ "$(v vf list --free holder vpx1)" = "$(printf '%s\n' 'VF  PCI  DRIVER  MAC  VLAN  RATE  TRUST  SPOOFCHK  HOLDER  USED BY' '0 VFs: 0 free, 0 held')" ]
	denied 3 "no device is called eth7" vf list pf eth7
	denied 2 "eth0:1 is a VF; a PF is wanted" vf list pf eth0:1
}

@test "vf show: its lease, what release restores, and its past" {
	run v vf show eth0:1
	[ "${lines[0]}" = "eth0:1, VF 1 of eth0" ]
	grep -qx 'PCI             0000:01:10.2, 8086:10ca (rev 01), network' <<<"$output"
	grep -qx 'driver          vfio-pci, by override vfio-pci' <<<"$output"
	grep -qx 'vlan            100 qos 3 (release restores none)' <<<"$output"
	grep -qx 'lease           vpx1, generation 2, since 2026-01-03T12:00:00Z by root' <<<"$output"
	grep -qx 'tagged VLANs    10-12,20' <<<"$output"
	grep -qx 'used by         pe (pid 812) through /dev/vfio/21' <<<"$output"
	grep -qx 'former lease    old, generation 1, 2026-01-01T12:00:00Z to 2026-01-02T12:00:00Z' <<<"$output"
	v -j vf show eth0:1 | jq -e '.release_restores == {"vlan": 0, "qos": 0, "proto": "802.1Q"} and .lease_set.vlan == 100 and
		([.leases[] | [.generation, .holder, .to]] == [[1, "old", "2026-01-02T12:00:00Z"], [2, "vpx1", null]]) and (.leases[0] | keys) ==
		["from", "generation", "holder", "leased_by", "note", "set", "to"]'
	run v vf show eth0:3
	grep -qx 'lease           none' <<<"$output"
	grep -qx 'driver          none' <<<"$output"
	[[ "$output" != *"former lease"* ]]
}

@test "pf show, vf show and pci show: the same keys, whatever it is" {
	v -j pf show eth0 | jq -c 'keys' >pf
	v -j vf show eth0:1 | jq -c 'keys' >vf
	v -j pci show 06:00.0 | jq -c 'keys' >pci
	cmp pf vf
	cmp pf pci
	[ "$(v -j pci show eth0:1)" = "$(v -j vf show eth0:1)" ]
	v -j pf show eth0 | jq -e '.vfs == ["eth0:0", "eth0:1", "eth0:2", "eth0:3"] and .role == "pf" and .leases == [] and .index == null'
	v -j pci show 06:00.0 | jq -e '.role == "device" and .class == "crypto" and .state == "free" and .total_vfs == null and .interface == null'
	run v pf show eth0
	grep -qx 'VFs             4 of 7: 2 free, 1 held, 1 used without a lease' <<<"$output"
	run v pci show eth9
	grep -qx 'default route   over eth9' <<<"$output"
	# Every key of the flat part is a column.
	v -o csv vf show eth0:1 >csv
	[ "$(wc -l <csv)" = 2 ]
	[ "$(head -1 csv | tr , '\n' | sort | tr '\n' ' ')" = "$(v -j vf show eth0:1 | jq -r 'del(.group_mates, .vfs, .lease_set, .release_restores, .leases) | keys[]' | sort | tr '\n' ' ')" ]
}

@test "every common name of a function" {
	local name
	for name in eth0:1 eth0v1 1/1:1 01:10.2 0000:01:10.2 pci:0000:01:10.2 01:00.0:1 pci/0000:01:10.2 /sys/bus/pci/devices/0000:01:10.2/; do
		[ "$(v -j vf show "$name" | jq -r .pci)" = 0000:01:10.2 ] || { echo "$name"; return 1; }
	done
	[ "$(v -j vf show vf0 | jq -r .name)" = eth0:0 ]
	for name in eth0 1/1 01:00.0 pci:0000:01:00.0; do
		[ "$(v -j pf show "$name" | jq -r .name)" = eth0 ] || { echo "$name"; return 1; }
	done
}

@test "names that are none, and functions of another kind" {
	denied 3 "no device is called et0:1" vf show et0:1
	run --separate-stderr v vf show et0:1
	[ "${stderr_lines[1]}" = "hint: did you mean eth0:1" ]
	denied 3 "eth0 has no VF 9" vf show eth0:9
	denied 2 "eth0 is a PF; a VF is wanted: eth0:0 to eth0:3" vf show eth0
	denied 2 "eth0:1 is a VF; a PF is wanted" pf show eth0:1
	denied 3 "there is no PCI function 09:00.0" pci show 09:00.0
	denied 3 "07:00.0 carries no interface of this network namespace" port show 07:00.0
	run --separate-stderr v port show 07:00.0
	[ "${stderr_lines[1]}" = "hint: its driver is nitrox" ]
}

@test "pci list: what can be passed through, by class" {
	run v pci list
	[ "${lines[0]}" = "PCI           CLASS    ID         DRIVER    GROUP  NUMA  STATE   HOLDER  USED BY" ]
	[ "${#lines[@]}" = 6 ]
	[ "${lines[5]}" = "4 devices: 1 free, 1 held, 1 used without a lease, 1 with a driver of the kernel" ]
	[[ "$output" != *"0000:00:00.0"* ]] # a bridge
	[ "$(v -j pci list class crypto | jq -c '[.[] | [.pci, .state, .holder]]')" = \
		'[["0000:05:00.0","held","vpx1"],["0000:06:00.0","free",null],["0000:07:00.0","kernel",null]]' ]
	[ "$(v -j pci list class network | jq -c '[.[].pci]')" = '["0000:00:03.0"]' ]
	[ "$(v -j pci list class storage | jq -c .)" = '[]' ]
	denied 2 "class 'ssl': not known" pci list class ssl
}

@test "pci list: nothing is free of a group of which the kernel works with a part" {
	cp -r "$ROOT/tests/hosts/rig" grouped
	state() { vfctl --root grouped -j pci list | jq -r '.[] | select(.pci == "0000:00:1f.2") | .state'; }
	[ "$(state)" = free ]
	ln -s ../../../../bus/pci/drivers/igb grouped/sys/bus/pci/devices/0000:00:1f.3/driver
	[ "$(state)" = kernel ]
}

@test "pci assignable counts each kind: in all, free, held, used, with a driver of the kernel" {
	run v pci assignable class crypto
	[ "${lines[1]}" = "crypto  177d:0010      3     1     1     0       1  vpx1" ]
	[ "${lines[2]}" = "3 devices: 1 free, 1 held, 1 with a driver of the kernel" ]
	v -j pci assignable class crypto | jq -e '. == [{"class": "crypto", "id": "177d:0010", "class_code": "100000", "vendor_name": .[0].vendor_name,
		"device_name": .[0].device_name, "total": 3, "free": 1, "held": 1, "used": 0, "kernel": 1, "holders": ["vpx1"],
		"held_devices": [{"pci": "0000:05:00.0", "holder": "vpx1", "generation": 1}], "free_devices": ["0000:06:00.0"]}]'
	v -j pci assignable | jq -e '[.[] | select(.id == "8086:10ca") | [.total, .free, .held, .used, .free_devices]] ==
		[[4, 2, 1, 1, ["0000:01:10.4", "0000:01:10.6"]]]'
	v -j pci assignable | jq -e 'all(.[]; .id != "8086:10c9" and .id != "8086:29c0")' # ports and bridges are the host's
	[ "$(v pci assignable -o csv | head -1)" = class,id,class_code,vendor_name,device_name,total,free,held,used,kernel,holders,held_devices,free_devices ]
}

@test "port show" {
	run v port show
	[ "${lines[0]}" = "PORT  PCI           DRIVER  LINK      SPEED  DUPLEX  AUTONEG  PAUSE  PAUSE AUTONEG   MTU" ]
	[ "${lines[1]}" = "eth9  0000:00:03.0  e1000   up    10 Gbit/s  full    -        -      -              9000" ]
	[ "$(v -j port show | jq -c '[.[].name]')" = '["eth9","eth0","eth1"]' ]
	v -j port show 1/1 | jq -e 'length == 1 and .[0].speed_bps == 1000000000 and .[0].duplex == "full" and .[0].mtu == 1500 and .[0].defaults == null and
		(.[0] | keys) == ["autoneg", "carrier", "default_route", "defaults", "driver", "duplex", "interface", "label", "login", "mac", "mtu", "name",
		"pause_autoneg", "pause_rx", "pause_tx", "pci", "speed_bps", "up", "upper"]'
	[ "$(v -j port show eth9 | jq -r '.[0].default_route')" = eth9 ]
	printf '%s\n' '{"seq":9,"at":"2026-01-04T12:00:00Z","boot":"x","who":"root","op":"port-set","phase":"begin","func":"0000:01:00.0","steps":[{"what":"portset","func":"0000:01:00.0","from":{"mtu":1500},"to":{"mtu":9000}}]}' \
		'{"seq":10,"at":"2026-01-04T12:00:00Z","of":9,"phase":"done"}' >>host/ledger
	[ "$(v port show eth0 | tail -1)" = "reset sets mtu to 1500" ]
	[ "$(v -j port show eth0 | jq -c '.[0].defaults')" = '{"mtu":1500}' ]
}

@test "watched, as JSON lines" {
	run --separate-stderr timeout 2 vfctl --root host -j vf list --free -w0.2
	[ "${#lines[@]}" -gt 1 ]
	jq -se 'all(.[]; length == 2)' <<<"$output"
}

# ---- hosts that are odd

@test "no host there, no host recorded, a host without ports" {
	refused 3 "nowhere: No such file or directory" vfctl --root nowhere vf list
	mkdir empty
	run --separate-stderr vfctl --root empty pf list
	[ "$status" = 3 ]
	mkdir host2 && sed -n '/^0000:05/,/^$/p' host/pci.dump >host2/pci.dump
	run --separate-stderr vfctl --root host2 pf list
	[ "$status" = 0 ]
	[ "${lines[1]}" = "no device here can have VFs; 'vfctl doctor' looks for the reason" ]
	[ "$(vfctl --root host2 -j pf list | jq -c .)" = '[]' ]
}

@test "the hosts that were recorded: every listing in every form, and lspci" {
	local tree words form slot class ids rest
	for tree in "$ROOT"/tests/hosts/*/; do
		for words in "pf list" "vf list" "pci list" "pci assignable" "port show"; do
			for form in table wide csv; do
				# shellcheck disable=SC2086 # two words
				run --separate-stderr vfctl --root "$tree" -o $form $words
				[ "$status" = 0 ] || { echo "$tree $words: $stderr"; return 1; }
			done
			# shellcheck disable=SC2086
			vfctl --root "$tree" -j $words | jq -e 'type == "array"'
		done
		command -v lspci >/dev/null || continue
		# A dump has not the ids of VFs, which are in sysfs.
		lspci -F "$tree/pci.dump" -n | grep ' 02..: ' | while read -r slot class ids rest; do
			if [ "$ids" = ffff:ffff ]; then
				ids=$(cat "$tree/sys/bus/pci/devices/0000:$slot/vendor"):$(cat "$tree/sys/bus/pci/devices/0000:$slot/device")
			fi
			echo "$slot $class ${ids//0x/}${rest:+ $rest}"
		done >expected
		vfctl --root "$tree" pf list -o lspci | diff expected -
	done
}

@test "names of interfaces do not steer the terminal, and JSON is JSON" {
	host odd
	local words
	for words in "pf list" "pf show 01:00.0" "vf list -o wide" "vf show 01:10.2" "port show" "vf show 01:10.9" "numvfs 01:00.0 7 --dry-run"; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr v $words
		LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f-\xff]' <<<"$output$stderr" && { echo "$words: $output $stderr"; return 1; }
		# shellcheck disable=SC2086
		run --separate-stderr v -j ${words/-o wide/}
		jq -e . <<<"$output" >/dev/null || { echo "$words: $output"; return 1; }
	done
}

@test "a broken file of labels is a remark; a broken ledger is an error" {
	echo '{"ports": {"eth0": {"lable": "x"}}}' >host/etc/pekit/vf.json
	run --separate-stderr v -j pf list
	[ "$status" = 0 ]
	jq -e '.[0].label == null' <<<"$output"
	[[ "$stderr" == "vfctl: host/etc/pekit/vf.json: "*"lable"*"; the ports have no labels from it" ]]
	sed -i '3s/.*/{"seq":3}/' host/ledger
	run --separate-stderr v vf list
	[ "$status" = 1 ]
	[[ "$stderr" == *"line 3"* ]]
}

@test "what was left halfway is said when a change is looked at" {
	sed -i '$d' host/ledger
	run --separate-stderr v vf set eth0:2 vlan 7 --dry-run
	[ "$status" = 0 ]
	[ "$stderr" = "vfctl: a command (lease) was left halfway; the next change takes it back first" ]
}

# ---- changes, which a recorded host shows only

@test "a recorded host cannot be changed; --dry-run says what would be" {
	denied 5 "host is a recorded host: nothing of it can be changed" vf set eth0:2 vlan 7
	run v vf set eth0:2 vlan 7 trust on --dry-run
	[ "$status" = 0 ]
	[ "${lines[0]}" = "would be eth0:2: vlan 7 (was none)" ]
	[ "${lines[1]}" = "eth0:2: would be done" ]
	[ "${#lines[@]}" = 2 ]
	[ "$(v -j vf set eth0:2 vlan 7 --dry-run | jq -c .)" = \
		'{"what":"eth0:2","changed":true,"dry_run":true,"steps":["eth0:2: vlan 7 (was none)"],"generation":null,"note":""}' ]
	[ "$(v vf set eth0:2 trust on --dry-run)" = "eth0:2: unchanged" ]
	[ "$(v -j vf set eth0:2 trust on --dry-run | jq -c '[.changed, .steps]')" = '[false,[]]' ]
}

@test "a lease that sets nothing is a change; the same holder's is none" {
	[ "$(v vf lease eth0:2 holder vpx2 --dry-run)" = "eth0:2: would be done, generation 1" ]
	[ "$(v -j vf lease eth0:any holder vpx2 --dry-run | jq -c '[.what, .changed, .steps, .generation]')" = '["eth0:2",true,[],1]' ]
	[ "$(v vf lease eth0:1 holder vpx1 --dry-run)" = "eth0:1: unchanged, generation 2" ]
	[ "$(v -j vf lease eth0:1 holder vpx1 vlans 10 --dry-run | jq -c '[.changed, .generation]')" = '[true,2]' ]
	[ "$(v vf lease eth0:any holder vpx1 --may-exist --dry-run)" = "eth0:1: unchanged, generation 2" ]
	[ "$(v -j vf lease eth0:any holder vpx1 --dry-run | jq -r .what)" = eth0:2 ]
	[ "$(v vf release eth0:3 holder vpx1 --dry-run)" = "eth0:3: unchanged" ]
	[ "$(v vf release eth0:9 holder vpx1 --if-exists --dry-run)" = "eth0:9: unchanged" ]
}

@test "words that are wrong: exit 2, and nothing was looked at" {
	refused 2 "vf set: nothing to set" vfctl --root nowhere vf set eth0:2
	refused 2 "vlan '5000': not a number in range" vfctl --root nowhere vf set eth0:2 vlan 5000
	refused 2 "mac 'bad': not a MAC address" vfctl --root nowhere vf set eth0:2 mac bad
	run --separate-stderr vfctl vf set eth0:2 mac bad
	[[ "${stderr_lines[1]}" == "hint: a MAC address is like "*"; or auto" ]]
	refused 2 "speed '0': not a speed of a link" vfctl --root nowhere port set eth0 speed 0
	refused 2 "speed '1500k': not a speed of a link" vfctl --root nowhere port set eth0 speed 1500k
	refused 2 "qos '8': not a number in range" vfctl --root nowhere vf set eth0:2 vlan 7 qos 8
	refused 2 "vf lease: holder H is missing" vfctl --root nowhere vf lease eth0:2
	refused 2 "holder 'a b': only letters, digits and signs of ASCII, without blanks" vfctl --root nowhere vf lease eth0:2 holder 'a b'
	refused 2 "vf release: holder H or generation G is missing" vfctl --root nowhere vf release eth0:1
	refused 2 "driver: given twice" vfctl --root nowhere vf bind eth0:2 vfio-pci driver igbvf
	refused 2 "vf bind: DRIVER is missing" vfctl --root nowhere vf bind eth0:2
	refused 2 "numvfs: N is missing" vfctl --root nowhere numvfs eth0
	run vfctl -j -o lspci
	[ "$status" = 2 ]
	jq -e '.error.message == "-j contradicts -o lspci"' <<<"$output"
	run --separate-stderr vfctl vf list -o lspci
	[ "$status" = 2 ]
	[ "${stderr_lines[0]}" = "vfctl: --output 'lspci': not known" ]
}

@test "bind takes the driver with or without its keyword" {
	[ "$(v vf bind eth0:3 vfio-pci --dry-run)" = "$(v vf bind eth0:3 driver vfio-pci --dry-run)" ]
	run v vf bind eth0:3 vfio-pci --dry-run
	[ "${lines[0]}" = "would be eth0:3: driver vfio-pci (was none)" ]
}

@test "a batch is checked as a whole, and --root holds for its lines" {
	printf '%s\n' 'vf set eth0:2 vlan 7' 'vf lease eth0:3 holder vpx2 # a comment' >commands
	run v -b commands --dry-run -j
	[ "$status" = 0 ]
	jq -e 'length == 2 and .[0].changed and .[1].generation == 1' <<<"$output"
	printf '%s\n' 'vf set eth0:2 vlan 7' 'vf set eth0:3' >commands
	run --separate-stderr v -b commands --dry-run
	[ "$status" = 2 ]
	[ "${stderr_lines[0]}" = "vfctl: commands: line 2: vf set: nothing to set" ]
	[ -z "$output" ]
}

# ---- completion, help

@test "completion knows verbs, names, drivers, holders, words" {
	[ "$(vfctl --complete vf '' | tr '\n' ' ')" = "list show set bind unbind lease release " ]
	vfctl --complete --root host vf show '' | grep -qx eth0:1
	vfctl --complete --root host vf show '' | grep -qx 0000:01:10.2
	[ -z "$(vfctl --complete --root host vf show '' | grep -x eth0)" ]
	vfctl --complete --root host pf show '' | grep -qx 1/1
	vfctl --complete --root host numvfs '' | grep -qx eth1
	vfctl --complete --root host vf lease '' | grep -qx eth0:any
	[ -z "$(vfctl --complete --root host vf release '' | grep -x eth0:any)" ]
	vfctl --complete --root host pci show '' | grep -qx 0000:07:00.0
	vfctl --complete --root host port show e | grep -qx eth9
	[ "$(vfctl --complete --root host vf list holder '')" = vpx1 ]
	vfctl --complete --root host vf bind eth0:2 x | grep -qx xen-pciback
	[ "$(vfctl --complete --root host pci bind 05:00.0 n | tr '\n' ' ')" = "none nitrox " ]
	[ "$(vfctl --complete --root host vf list driver n | tr '\n' ' ')" = "none nitrox " ]
	[ -z "$(vfctl --complete --root host vf list driver k)" ]
	[ "$(vfctl --complete vf set eth0:2 mac a)" = auto ]
	[ "$(vfctl --complete vf set eth0:2 trust '' | tr '\n' ' ')" = "on off " ]
	[ "$(vfctl --complete pf list -o l)" = lspci ]
	[ -z "$(vfctl --complete vf list -o l)" ]
	[ "$(vfctl --complete pci list class cr)" = crypto ]
	[ "$(vfctl --complete apply '')" = :file ]
}

@test "the examples of the help are commands" {
	local line
	vfctl --grammar | jq -r '.verbs[].examples[]' | sed 's/ | .*//' | sort -u >examples
	[ "$(wc -l <examples)" -gt 25 ]
	while IFS= read -r line; do
		# The words are right; the host is not there.
		# shellcheck disable=SC2086 # several words
		run bash -c "$line --root nowhere </dev/null"
		[ "$status" = 3 ] || [ "$status" = 5 ] || { echo "$line: $output"; return 1; }
	done <examples
}

@test "what the default route goes over is not cut off, nor is a disk or a bridge taken; --force" {
	# The route's interface is the last word of the answer: that of the first VF.
	printf '\4\0\0\0' | dd of=host/routes bs=1 seek=$(($(stat -c %s host/routes) - 4)) conv=notrunc status=none
	denied 5 "the default route goes over vf0" vf set eth0:0 vlan 200 --dry-run
	denied 5 "the default route goes over vf0" vf lease eth0:0 holder x mac auto --dry-run
	denied 5 "the default route goes over vf0" port set eth0 mtu 600 --dry-run
	denied 5 "the default route goes over vf0" port set eth0 up off --dry-run
	v vf set eth0:0 vlan 200 --force --dry-run
	v port set eth0 up off --force --dry-run
	denied 5 "0000:00:00.0 is a bridge: other functions are behind it" pci bind 0000:00:00.0 vfio-pci --force --dry-run
}

@test "a lease's VLAN has no priority of the one before it" {
	v vf lease eth0:1 holder vpx1 vlan 5 --dry-run | grep -qx "would be eth0:1: vlan 5 (was 100 qos 3)"
	v vf set eth0:1 vlan 5 --dry-run | grep -qx "would be eth0:1: vlan 5 qos 3 (was 100 qos 3)"
}

@test "pf list -o lspci does not need the ledger" {
	echo broken >>host/ledger
	run ! v pf list
	v pf list -o lspci | grep -q "^01:00.0 0200: 8086:10c9"
}

@test "a name that nothing has: bridges are not suggested" {
	run ! v pci show nonesuch
	[[ "$output" == *"there are:"* && "$output" != *"0000:00:00.0"* ]]
}
