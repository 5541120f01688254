#!/bin/bash
# Records a host for tests/unit: the tree that is in tests/hosts/rig. From the repository, in a guest:
#
#	tests/rig/run.sh --out FOLDER -- tests/rig/record.sh      # then FOLDER/rig is the tree
#
#	pci.dump               lspci -xxxx, as libpci's access method "dump" reads it
#	links addrs routes     rtnetlink's answers as they came (nlrecord.c)
#	sys/ proc/             the files that pekit reads, under their names; links stay relative
#
# What there is to see: pf0 with four VFs (the first under igbvf, the second on vfio-pci with a VLAN, a priority and a rate; the third trusted and
# without spoof check; the fourth as it came), pf1 with the default route, a bridge with a member, a VLAN interface; of the other
# devices one on vfio-pci.
set -eu
cd "$(dirname "$0")/../.."
source tests/rig/lib.bash
TO=${1:-/out/rig}
rm -rf "$TO"
mkdir -p "$TO"

scene()
{
	local n
	vfs 0 4
	bind "$(vf 0 0)" igbvf
	await 10 dev_of "$(vf 0 0)"
	ip link set dev "$(dev_of "$(vf 0 0)")" up name vf0
	ip link set dev pf0 vf 1 vlan 100 qos 3
	ip link set dev pf0 vf 1 max_tx_rate 200
	bind "$(vf 0 1)" vfio-pci
	bind "$CRYPTO1" vfio-pci
	ip link set dev pf0 vf 2 trust on
	ip link set dev pf0 vf 2 spoofchk off
	for n in 0 1; do
		ip -n w$n link set dev w$n netns 1
		ip link set dev w$n up
	done
	ip link add br0 type bridge
	ip link set dev w0 master br0
	ip link add link pf0 name pf0.7 type vlan id 7
	ip link set dev br0 up
	ip addr add 192.0.2.1/24 dev pf0
	ip addr add 198.51.100.2/24 dev pf1
	ip addr add 2001:db8:1::2/64 dev pf1 nodad
	ip route add default via 198.51.100.1
	ip -6 route add default via 2001:db8:1::1
	await 20 pf_carrier 0
	await 20 pf_carrier 1
}

# keep PATH...: those that can be read, links as links. Without a process each: they cost an emulated processor most.
keep()
{
	local path text
	for path; do
		text=
		if [ -L "$path" ]; then
			[ -d "$TO${path%/*}" ] || mkdir -p "$TO${path%/*}"
			cp -P "$path" "$TO$path"
		elif [ -f "$path" ] && { IFS= read -r -d '' text || [ -n "$text" ]; } 2>/dev/null <"$path"; then
			[ -d "$TO${path%/*}" ] || mkdir -p "$TO${path%/*}"
			printf %s "$text" >"$TO$path"
		fi
	done
}

# An attribute that is written only: that it is there.
mark()
{
	local path
	for path; do
		mkdir -p "$TO${path%/*}"
		: >"$TO$path"
	done
}

kept_interface()
{
	local real name
	real=$(realpath "$1")
	for name in address mtu operstate carrier flags speed duplex ifindex type dev_id dev_port phys_port_name phys_port_id phys_switch_id; do
		keep "$real/$name"
	done
	keep "$1" "$real"/{device,master,subsystem} "$real"/lower_* "$real"/upper_*
	[ ! -d "$real/bridge" ] || keep "$real/bridge/bridge_id"
}

kept_device()
{
	local real name
	real=$(realpath "$1")
	for name in vendor device subsystem_vendor subsystem_device class revision driver_override numa_node local_cpulist reset_method \
		{max,current}_link_{speed,width} sriov_{totalvfs,numvfs,drivers_autoprobe,offset,stride,vf_device}; do
		keep "$real/$name"
	done
	keep "$1" "$real"/{driver,iommu_group,physfn,subsystem} "$real"/virtfn* "$real"/virtio*/{driver,subsystem}
}

kept_sys()
{
	local path
	for path in /sys/bus/pci/devices/*; do
		kept_device "$path"
	done
	for path in /sys/class/net/*; do
		kept_interface "$path"
	done
	for path in $(find /sys/bus/pci/drivers -mindepth 2 -maxdepth 2 -name '*:*:*.*' -printf '%h\n') /sys/bus/pci/drivers/{igb,igbvf,vfio-pci,pci-stub}; do
		[ -d "$path" ] || continue
		mark "$path"/{bind,unbind}
		keep "$path"/*:*:*.* "$path/module"
	done
	mark /sys/bus/pci/{drivers_probe,rescan}
	keep /sys/bus/pci/drivers_autoprobe
	for path in /sys/kernel/iommu_groups/*; do
		keep "$path"/{type,devices/*}
	done
	keep /sys/class/iommu/* /sys/devices/virtual/iommu/*/intel-iommu/{version,cap,ecap}
	keep /sys/devices/system/node/{online,possible,has_cpu} /sys/devices/system/node/node*/{cpulist,distance} \
		/sys/devices/system/node/node*/hugepages/*/{nr,free}_hugepages
	keep /sys/devices/system/cpu/{online,possible,present,isolated} \
		/sys/devices/system/cpu/cpu*/topology/{thread_siblings_list,core_id,physical_package_id}
	keep /sys/kernel/mm/hugepages/*/{nr,free}_hugepages
	keep /sys/module/vfio/parameters/* /sys/module/vfio_pci/parameters/*
}

scene >&2
shopt -s nullglob
kept_sys
keep /proc/cmdline /proc/meminfo /proc/sys/kernel/osrelease
# The zeros at the end of an extended configuration space say nothing and are most of it.
lspci -D -xxxx | awk '
	/^[0-9a-f][0-9a-f][0-9a-f]: [0 ]*$/ { zeros = zeros $0 "\n"; next }
	/^$/ { zeros = "" }
	{ printf "%s", zeros; zeros = ""; print }' >"$TO/pci.dump"
for dump in links addrs routes; do
	/build/test/rig/nlrecord $dump >"$TO/$dump"
done
echo "$(find "$TO" -type f | wc -l) files, $(find "$TO" -type l | wc -l) links, $(du -sb "$TO" | cut -f1) bytes"
