# vfctl apply, save and doctor on two 82576: from nothing to a file's word and no further; what fails alone; what mends what the doctor finds.

load lib
load vfctl

setup() { vfctl_setup; }

teardown()
{
	[ -z "${PAGES-}" ] || sysctl -qw vm.nr_hugepages="$PAGES"
	[ "$(driver_of "$CRYPTO0")" != vfio-pci ] || unbind "$CRYPTO0"
	vfctl_teardown
}

# The file of most tests, for jq to change.
file()
{
	jq "${1:-.}" >"$W/vf.json" <<-END
		{ "ports": {
		    "pf0": { "label": "left", "numvfs": 3, "autoprobe": false, "vfs": {
		        "*": { "driver": "vfio-pci" }, "0": { "mac": "auto", "vlan": 100, "qos": 3 }, "2": { "trust": true, "driver": "none" } } },
		    "$PF1": { "numvfs": 1, "mtu": 2000 } },
		  "devices": { "$CRYPTO0": { "driver": "vfio-pci" } } }
	END
}

# bats test_tags=slow
@test "apply: from nothing to what the file says, and then nothing is left to do" {
	local before plan
	file "del(.ports[\"$PF1\"].numvfs)"
	before=$(machine)
	plan=$(vfctl -j apply --dry-run "$W/vf.json" | jq -c .steps)
	same "the machine after --dry-run" "$(machine)" "$before"
	same "what is done, and what would be" "$(vfctl -j apply "$W/vf.json" | jq -c .steps)" "$plan"
	[[ $(vf_line 0 0) == "vlan 100, qos 3, "* ]]
	[[ $(vf_line 0 2) == *"trust on" ]]
	same "drivers" "$(driver_of "$(vf 0 0)") $(driver_of "$(vf 0 1)") $(driver_of "$(vf 0 2)") $(driver_of "$CRYPTO0")" "vfio-pci vfio-pci none vfio-pci"
	same "MTU" "$(</sys/class/net/pf1/mtu)" 2000
	says "vf.json: unchanged" vfctl apply "$W/vf.json"
	same "changed" "$(vfctl -j apply - <"$W/vf.json" | jq -c '[.changed, .steps, .failed]')" '[false,[],[]]'
	# a key less: what the file does not name stays
	file 'del(.ports["'"$PF1"'"], .ports.pf0.vfs."2", .devices) | .ports.pf0.vfs."0".vlan = 200'
	same "the change" "$(vfctl -j apply "$W/vf.json" | jq -c .steps)" '["pf0:0: vlan 200 qos 3 (was 100 qos 3)","pf0:2: driver vfio-pci (was none)"]'
	[[ $(vf_line 0 2) == *"trust on" ]]
	vfctl save "$W/saved.json"
	says unchanged vfctl apply "$W/saved.json"
}

# bats test_tags=slow
@test "apply: parts that fail are named, the others are done, and the exit status is 7" {
	local out is=0
	file '.ports.pf0.numvfs = 8 | .ports.pf0.vfs = {"0": {"link": "enable", "mac": "auto"}} | .ports["'"$PF1"'"].vfs = {"0": {"mac": "auto"}}'
	vfctl numvfs pf0 1
	out=$(vfctl -j apply "$W/vf.json" 2>"$W/err") || is=$?
	same "exit status" $is 7
	same "what failed" "$(jq -c '[.failed[] | [.part, .name]]' <<<"$out")" \
		'[["ports.pf0.numvfs","refused"],["ports.pf0.vfs.0","refused"]]'
	grep -q 'ports.pf0.numvfs: pf0 (igb) can have 7 VFs at most, not 8' "$W/err"
	same "the others" "$(<"$PCI/$PF1/sriov_numvfs") $(</sys/class/net/pf1/mtu) $(driver_of "$CRYPTO0")" "1 2000 vfio-pci"
	[[ $(vf_line 1 0) != *00:00:00:00:00:00* ]]
	# fewer VFs: not without being asked
	file '.ports.pf0.numvfs = 0 | del(.ports.pf0.vfs)'
	refused 7 "--yes" vfctl apply "$W/vf.json"
	same VFs "$(<"$PCI/$PF0/sriov_numvfs")" 1
	vfctl apply --yes "$W/vf.json"
	same VFs "$(<"$PCI/$PF0/sriov_numvfs")" 0
}

# bats test_tags=slow
@test "apply: a port that is not there yet is waited for" {
	host_unplug 1
	file 'del(.ports.pf0)'
	spawn apply vfctl apply -T 60 "$W/vf.json"
	await 10 grep -q "waiting for ports.$PF1.numvfs" "$W/apply.out"
	host_plug 1
	await 30 gone "$(<"$W/apply.pid")"
	grep -q 'vf.json: done$' "$W/apply.out"
	same "VFs and MTU" "$(<"$PCI/$PF1/sriov_numvfs") $(</sys/class/net/pf1/mtu)" "1 2000"
}

# bats test_tags=slow
@test "apply and save: what was lost comes back, leases too; the doctor misses it before" {
	local before is=0
	vfctl numvfs pf0 2 autoprobe off
	vfctl vf set pf0:1 mac 52:54:00:00:01:11 vlan 100
	vfctl vf lease pf0:0 holder vpx1 vlan 7 driver vfio-pci
	vfctl save "$W/saved.json"
	same "saved of what is leased" "$(jq -c '.ports.pf0.vfs."0" | [.vlan, .driver]' "$W/saved.json")" '[0,null]'
	before=$(machine)
	# a command that was killed before its last line, and a boot
	vfctl vf set pf0:1 vlan 5
	sed -i '$d' "$W/state/ledger"
	unbind "$(vf 0 0)"
	echo 0 >"$PCI/$PF0/sriov_numvfs"
	vfctl -j doctor >"$W/sick" || is=$?
	same "exit status" $is 1
	same "findings" "$(jq -r '.[] | select(.check == "ledger") | "\(.level) \(.subject)"' "$W/sick" | paste -sd ' ')" "warn pf0:1 warn pf0:0"
	bash -c "$(jq -r '.[] | select(.check == "ledger" and .subject == "pf0:1") | .fix' "$W/sick")" 3>&-
	vfctl apply "$W/saved.json"
	same "the machine" "$(machine)" "$before"
	[[ $(vf_line 0 0) == "vlan 7, "* ]]
	same "ledger" "$(vfctl -j doctor | jq -r '.[] | select(.check == "ledger") | .level')" ok
	# somebody else takes a setting away again and again: that is an end, and not the way to one
	spawn other bash -c 'while ip link set dev pf0 vf 1 vlan 0; do sleep 0.01; done'
	timeout 20 vfctl apply "$W/saved.json" || is=$?
	[[ $is == [07] ]]
}

# What the doctor finds about the appliance, but for what only a boot could mend.
findings()
{
	vfctl -j doctor -c "$W/a.json" | jq -c '.[] | select((.level == "fail" or .level == "warn") and .check != "isolation")'
}

# bats test_tags=slow
@test "doctor: the commands that come with the findings mend them" {
	local fix
	PAGES=$(sysctl -n vm.nr_hugepages)
	sysctl -qw vm.nr_hugepages=4
	vfctl numvfs pf0 2
	vfctl vf set pf0:0 vlan 100
	vfctl vf set pf0:1 mac 52:54:00:00:01:11
	ip link set dev pf0 down
	jq -n --arg a "pci:$(vf 0 0)" --arg b "pci:$(vf 0 1)" '{appliance: "ill", cores: {data: 1}, memory: {mbufs: 4096, hugepages: "on"},
		tables: {routes: 64, neighbors: 64}, ports: {p0: {device: $a}, p1: {device: $b}}, bridges: {br0: {ports: {p0: {tagged: [5]}, p1: {untagged: 5}}}}}' >"$W/a.json"
	findings >"$W/findings"
	cat "$W/findings"
	same "checks that complain" "$(jq -r .check "$W/findings" | sort -u | paste -sd ' ')" "driver hugepages link mac spoofchk trust vlan"
	while read -r fix; do
		echo "$fix"
		[ -n "$fix" ]
		bash -c "$fix" 3>&-
	done < <(jq -r '.fix // ""' "$W/findings")
	[ "$(wc -l <"$W/findings")" -ge 9 ]
	await 10 pf_carrier 0
	vfctl doctor -c "$W/a.json" || fail "left: $(findings)"
	# and the engine thinks so, too
	sysctl -qw vm.nr_hugepages="$PAGES"
	engine ill <"$W/a.json"
	vfctl doctor -a ill
	engine_stop ill
	vfctl doctor -a ill 2>&1 | grep -q 'no engine runs ill'
}
