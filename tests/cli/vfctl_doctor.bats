#!/usr/bin/env bats
# vfctl doctor on a recorded host and on files of appliances: what is found, in which forms, with which exit status. What each check means is in
# tests/unit/vf_doctor_test.c, and that the commands mend it in tests/rig/apply.bats.
# shellcheck disable=SC2154,SC2016 # bats sets status, output, lines and stderr

load helpers

setup()
{
	cli_setup
	python3 "$ROOT/tests/cli/mkhost.py" host
	machine
}

teardown()
{
	cli_teardown
}

# What a recorded machine has beside its functions: 4 CPUs, two threads a core, 1 and 3 isolated, one node, 1 GB of huge pages, vfio-pci.
machine()
{
	local cpu
	mkdir -p host/proc host/sys/bus/pci/drivers/vfio-pci host/sys/devices/system/node/node0 host/sys/kernel/mm/hugepages/hugepages-2048kB
	printf 'MemTotal: 8000000 kB\nHugepagesize:       2048 kB\n' >host/proc/meminfo
	printf 'processor\t: 0\nvendor_id\t: GenuineIntel\n' >host/proc/cpuinfo
	echo 'root=/dev/sda1 quiet' >host/proc/cmdline
	echo 512 | tee host/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages >host/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages
	echo 0-3 >host/sys/devices/system/node/node0/cpulist
	echo 10 >host/sys/devices/system/node/node0/distance
	for cpu in 0 1 2 3; do
		mkdir -p host/sys/devices/system/cpu/cpu$cpu/topology
		echo "$((cpu % 2)),$((cpu % 2 + 2))" >host/sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list
	done
	echo 0-3 >host/sys/devices/system/cpu/online
	echo 1,3 >host/sys/devices/system/cpu/isolated
}

v()
{
	vfctl --root host "$@"
}

# levels WORD...: of the checks that found something
levels()
{
	v -j doctor "$@" | jq -r '.[] | select(.level != "ok") | "\(.level) \(.check) \(.subject)"'
}

@test "a healthy host: every check says so, and the exit status is 0" {
	run --separate-stderr v doctor
	[ "$status" = 0 ]
	[ "${lines[0]}" = "ok    iommu      there is an IOMMU" ]
	[ "${lines[-1]}" = "0 failed, 0 warnings, 1 note" ]
	[ "$(levels)" = "note mac eth0:3" ]
	[ "$(v -j doctor | jq -c '[.[].check]')" = '["iommu","acs","group","vfio","hugepages","lldp","mac","link","memlock","ledger"]' ]
}

@test "every form has the same columns" {
	v -j doctor | jq -e 'all(.[]; keys == ["check", "fix", "level", "subject", "text"])'
	v -j doctor | jq -e '.[] | select(.check == "mac") | .fix == "vfctl vf set eth0:3 mac auto"'
	v -j doctor | jq -e '.[] | select(.check == "iommu") | .fix == null'
	[ "$(v doctor -o csv | head -1)" = "check,level,subject,text,fix" ]
	[ "$(v doctor -o jsonl | jq -s -c .)" = "$(v -j doctor | jq -c .)" ]
	v doctor -o wide | grep -q '^CHECK  *LEVEL'
	v doctor | grep -Fqx '                 vfctl vf set eth0:3 mac auto'
}

@test "the machine: IOMMU, vfio-pci, huge pages" {
	find host/sys/bus/pci/devices -name iommu_group -delete
	rm -r host/sys/kernel/mm host/sys/bus/pci/drivers/vfio-pci
	run --separate-stderr v doctor
	[ "$status" = 1 ]
	[ "$(levels)" = "fail iommu host
warn vfio host
warn hugepages host
note mac eth0:3" ]
	v doctor | grep -Fq "&intel_iommu=on iommu=pt /' /etc/default/grub"
	sed -i s/GenuineIntel/AuthenticAMD/ host/proc/cpuinfo
	v doctor | grep -q 'switch IOMMU (AMD-Vi) on'
}

@test "an appliance's file: CPUs, trust, spoof check, drivers, VLANs" {
	cat >a.json <<-END
		{ "appliance": "a", "cores": { "data": 2, "cpus": "1,3", "poll": "busy" }, "memory": { "mbufs": 4096 },
		  "ports": { "p1": { "device": "pci:01:10.2" }, "p2": { "device": "pci:01:10.4" }, "p3": { "device": "pci:01:10.6" }, "p4": { "device": "pci:09:00.0" } },
		  "bridges": { "br0": { "ports": { "p1": { "tagged": [5] }, "p2": { "untagged": 5 } } } },
		  "interfaces": { "i3": { "port": "p3" } },
		  "vrrp": [ { "interface": "i3", "vrid": 7, "addresses": ["10.0.0.1"] } ] }
	END
	[ "$(levels -c a.json)" = "warn siblings cpus
fail trust port p1 (eth0:1)
fail trust port p3 (eth0:3)
fail spoofchk port p1 (eth0:1)
fail spoofchk port p3 (eth0:3)
warn mac eth0:3
fail vlan port p1 (eth0:1)
fail driver port p3 (eth0:3)
fail driver port p4" ]
	v -j doctor -c a.json | jq -e '.[] | select(.check == "trust" and .subject == "port p3 (eth0:3)") | .text | endswith("00:00:5e:00:01:07")'
	v -j doctor -c - <a.json | jq -e '.[] | select(.check == "driver" and .subject == "port p3 (eth0:3)") | .fix == "vfctl vf bind eth0:3 vfio-pci"'
	run v doctor -c a.json
	[ "$status" = 1 ]
	sed -i 's/"1,3"/"1,2,3"/' a.json
	refused 2 "a.json: cores.cpus: 3 CPUs for 2 data cores" vfctl --root host doctor -c a.json
	refused 2 "doctor: -c FILE or -a NAME, not both" vfctl --root host doctor -c a.json -a b
	refused 3 "none.json: No such file or directory" vfctl --root host doctor -c none.json
}

@test "an engine's own file, alive or dead; no engine" {
	live_segment
	run --separate-stderr v -j doctor -a "$A"
	[ -z "$stderr" ]
	jq -e 'any(.[]; .check == "trust")' <<<"$output"
	kill "$MKSEG"
	wait "$MKSEG" || true
	run --separate-stderr v -j doctor -a "$A"
	[ "$stderr" = "vfctl: no engine runs $A: this is what it ran with last" ]
	jq -e 'any(.[]; .check == "trust")' <<<"$output"
	run --separate-stderr v doctor -a nobody
	[ "$status" = 6 ]
}

@test "doctor -a completes the appliances that there are" {
	segment
	vfctl --complete doctor -a "" | grep -qx "$A"
	vfctl --complete doctor "--appliance=${A:0:3}" | grep -qx -- "--appliance=$A"
}
