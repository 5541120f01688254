# The engine on virtual functions: what they let in, what they refuse, how they leave and come back.
#
# "a" is a port on a VF of PF 0, "b" on one of PF 1; stations behind a wire are macvlans on its other end.

load lib

setup() { rig_setup; }

teardown()
{
	[ ! -e /dev/shm/pekit.e ] || { echo "--- events"; events | tail -30; pemon drops -a e; pemon ports -a e -o wide; brtable show -a e; } || true
	rig_teardown
}

# trusted N V...: VFs of PF N that may have addresses besides their own
trusted()
{
	local v
	for v in "${@:2}"; do
		ip link set dev "pf$1" vf "$v" trust on spoofchk off || return
	done
}

# vfio N V...: VFs of PF N for the engine
vfio()
{
	local v
	for v in "${@:2}"; do
		bind "$(vf "$1" "$v")" vfio-pci || return
	done
}

# One VF of each PF, trusted, for the engine; both PFs with their links up.
two_vfs()
{
	vfs 0 "${1:-1}" && vfs 1 1 && trusted 0 0 && trusted 1 0 && vfio 0 0 && vfio 1 0 && await 20 pf_carrier 0 && await 20 pf_carrier 1
}

# Two ports of one bridge.
bridge_conf()
{
	jq -n --arg a "pci:$(vf 0 0)" --arg b "pci:$(vf 1 0)" \
		'{ports: {a: {device: $a}, b: {device: $b}}, bridges: {br: {ports: {a: {}, b: {}}}}}'
}

# station NS WIRE MAC ADDRESS...: a host behind a wire
station()
{
	ns_new "$1" && ip -n "w$2" link add link "w$2" name "$1" address "$3" type macvlan mode bridge && ip -n "w$2" link set dev "$1" netns "$1" &&
		ip -n "$1" link set dev "$1" up && addresses "$1" "$1" "${@:4}"
}

# port P FILTER: what pemon says of it
port()
{
	pemon ports -a e -j | jq -er --arg p "$1" ".[] | select(.port == \$p) | $2"
}

port_is()
{
	same "$1 $2" "$(port "$1" "$2")" "$3"
}

# What the engine has said.
events()
{
	tr '\0' '\n' </dev/shm/pekit.e | grep -aE '^(port|interface|core) '
}

# event TEXT: it has said so.
event()
{
	events | grep -F -- "$1"
}

# reaches NS ADDRESS: soon. Under emulation the first packets may be there before the filter for their target.
reaches()
{
	await 30 pings "$@" >&2
}

@test "a bridge between the wires of two PFs: several stations behind each, by the filters of its VFs" {
	two_vfs
	bridge_conf | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s2 0 02:00:00:00:00:02 10.0.0.2/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	station s4 1 02:00:00:00:00:04 10.0.0.4/24
	reaches s1 10.0.0.3
	reaches s2 10.0.0.4
	reaches s1 10.0.0.4
	reaches s2 10.0.0.3
	await 20 port_is a .filters 2
	await 20 port_is b .filters 2
	port_is a .filters_wanted 2
	port_is a .filters_refused 0
	port_is a .vf true
	port_is a .driver net_e1000_igb_vf
	pe status -a e -j | jq -e '.ports[0] | .vf and .filters == 2 and .filters_wanted == 2 and .filters_refused == 0 and .driver == "net_e1000_igb_vf"'
}

# bats test_tags=slow
@test "a station that moves to the other wire keeps being reached" {
	two_vfs
	bridge_conf | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	station m 0 02:00:00:00:00:0a 10.0.0.10/24
	reaches m 10.0.0.3
	reaches s1 10.0.0.3
	await 20 port_is b .filters 2
	ns_end m
	station m 1 02:00:00:00:00:0a 10.0.0.10/24
	reaches m 10.0.0.1
	reaches s1 10.0.0.10
	await 20 port_is b .filters 1
	await 20 port_is a .filters 2
	# and back
	ns_end m
	station m 0 02:00:00:00:00:0a 10.0.0.10/24
	reaches m 10.0.0.3
	reaches s3 10.0.0.10
	await 20 port_is b .filters 2
}

# bats test_tags=slow
@test "stations that are forgotten are wanted no more, and let in while there is room" {
	two_vfs
	bridge_conf | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	reaches s1 10.0.0.3
	await 20 port_is b .filters 1
	brtable flush type all -a e --yes
	await 20 port_is b .filters_wanted 0
	port_is b .filters 1
	reaches s1 10.0.0.3
	await 20 port_is b .filters 1
}

# bats test_tags=slow
@test "more stations than a VF has filters for: counted and said, and the known ones go on" {
	local i
	two_vfs
	bridge_conf | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	reaches s1 10.0.0.3
	for i in {1..28}; do
		brtable add "$(printf '02:00:00:00:01:%02x' "$i")" vlan 1 port a -a e
	done
	await 20 event "port b: lets in"
	await 20 port b '.filters_wanted >= 28'
	[ "$(port b .filters)" -ge 8 ]
	[ "$(port b .filters)" -lt 28 ]
	[ "$(port b .filters_refused)" -ge 1 ]
	# an address of ours drives out one of theirs, at once
	jq '.interfaces.ib = {bridge: "br", vlan: 1, mac: "02:00:00:00:bb:01", addresses: ["10.0.0.9/24"]}' "$W/e.json" >"$W/own.json"
	pe apply -a e -c "$W/own.json"
	run -1 event "does not let in"
	reaches s3 10.0.0.9
	brtable flush type all -a e --yes
	await 20 port_is b .filters_wanted 1
	reaches s1 10.0.0.3
	await 20 event "port b: lets in all"
}

# bats test_tags=slow
@test "a VF that is not trusted refuses, and the hint mends it" {
	two_vfs
	ip link set dev pf1 vf 0 trust off
	bridge_conf | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	silent s1 10.0.0.3
	await 20 event "port b: refuses all 1 unicast addresses: vfctl vf set pf1:0 trust on"
	trusted 1 0
	reaches s1 10.0.0.3
	await 20 event "port b: lets in all 1 addresses again"
}

# bats test_tags=slow
@test "interfaces on VFs of both PFs route IPv4 and IPv6 between wires and a VF under the kernel's driver, also with a MAC address of their own" {
	two_vfs 2
	jq -n --arg a "pci:$(vf 0 0)" --arg b "pci:$(vf 1 0)" '{ports: {a: {device: $a}, b: {device: $b}}, interfaces: {
		ia: {port: "a", addresses: ["10.0.1.1/24", "2001:db8:1::1/64"]},
		ib: {port: "b", mac: "02:00:00:00:bb:01", addresses: ["10.0.2.1/24", "2001:db8:2::1/64"]}}}' | engine e
	wire_up 0 10.0.1.2/24 2001:db8:1::2/64
	wire_up 1 10.0.2.2/24 2001:db8:2::2/64
	ip -n w0 route add 10.0.2.0/24 via 10.0.1.1
	ip -n w0 route add 2001:db8:2::/64 via 2001:db8:1::1
	ip -n w1 route add 10.0.1.0/24 via 10.0.2.1
	ip -n w1 route add 2001:db8:1::/64 via 2001:db8:2::1
	reaches w0 10.0.1.1
	reaches w1 10.0.2.1
	reaches w0 10.0.2.2
	# The emulated NIC gives a VF no multicasts, though its PF's driver has let all of them in: hosts cannot ask for us.
	ip -n w0 neigh replace 2001:db8:1::1 lladdr "$(vf_mac 0 0)" dev w0
	ip -n w1 neigh replace 2001:db8:2::1 lladdr 02:00:00:00:bb:01 dev w1
	reaches w0 2001:db8:2::2
	same "the address of ib" "$(ip -n w1 -j neigh show 10.0.2.1 dev w1 | jq -r '.[0].lladdr')" 02:00:00:00:bb:01
	port_is b .filters 1
	# a sibling of a's VF: through the NIC's switch
	kernel_vf 0 1 k 10.0.1.5/24
	ip -n k route add default via 10.0.1.1
	reaches k 10.0.2.2
	reaches w1 10.0.1.5
	reaches k 10.0.1.2
}

# bats test_tags=slow
@test "a bridge between a VF, the wire and a sibling VF under the kernel's driver" {
	two_vfs 2
	bridge_conf | engine e
	kernel_vf 0 1 k 10.0.0.5/24
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	# through the NIC's switch: from the sibling to a, and on to the other PF's wire
	reaches k 10.0.0.3
	reaches s3 10.0.0.5
	reaches k 10.0.0.1
	reaches s1 10.0.0.3
}

# bats test_tags=slow
@test "an interface under the kernel's driver that is a VF lets in what it is told, and is given back" {
	local dev
	vfs 0 1
	vfs 1 1
	trusted 0 0
	trusted 1 0
	vfio 1 0
	bind "$(vf 0 0)" igbvf
	dev=$(dev_of "$(vf 0 0)")
	jq -n --arg a "if:$dev" --arg b "pci:$(vf 1 0)" \
		'{ports: {a: {device: $a}, b: {device: $b}}, bridges: {br: {ports: {a: {}, b: {}}}}}' | engine e
	await 20 port_is a .link up
	await 20 port_is b .link up
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	reaches s1 10.0.0.3
	port_is a .vf true
	port_is a .driver igbvf
	bridge fdb show dev "$dev" | grep 02:00:00:00:00:03
	kill -9 "$(engine_pid e)"
	await 5 bash -c "! bridge fdb show dev $dev | grep 02:00:00:00:00:03"
}

# bats test_tags=slow
@test "tagged VLANs pass, and others do not" {
	local n vid
	two_vfs
	bridge_conf | jq '.bridges.br.ports = {a: {tagged: [10, 20]}, b: {tagged: [10, 20]}}' | engine e
	for n in 0 1; do
		for vid in 10 20 30; do
			ip -n w$n link add link w$n name v$vid type vlan id $vid
			ip -n w$n link set dev v$vid up
			ip -n w$n addr add 10.0.$vid.$((n + 1))/24 dev v$vid
		done
	done
	reaches w0 10.0.10.2
	reaches w1 10.0.20.1
	silent w0 10.0.30.2
	port_is a .vlans 2
	bridge_conf | jq '{appliance: "e", cores: {data: 1}, memory: {mbufs: 8192}} * . | .bridges.br.ports = {a: {tagged: [10, 30]}, b: {tagged: [10, 30]}}' >"$W/e.json"
	pe apply -a e -c "$W/e.json"
	reaches w0 10.0.30.2
	reaches w0 10.0.10.2
	silent w0 10.0.20.2
	port_is a .vlans 2
}

# bats test_tags=slow
@test "more VLANs than the NIC has filters for: said, and the first ones pass" {
	two_vfs
	bridge_conf | jq '.bridges.br.ports = {a: {tagged: [range(100; 150)]}, b: {tagged: [range(100; 150)]}}' | engine e
	await 20 event "port a: its device refuses"
	[ "$(port a .vlans)" -ge 16 ]
	[ "$(port a .vlans_refused)" -ge 10 ]
	same "all" "$(port a '.vlans + .vlans_refused')" 50
}

# bats test_tags=slow
@test "thousands of VLANs are asked for a few at a time: the engine is ready, and works, before the last" {
	two_vfs
	bridge_conf | jq '.bridges.br.ports = {a: {tagged: [range(2; 4000)]}, b: {tagged: [range(2; 4000)]}}' | engine e
	run -1 event "port b: its device refuses"
	await 30 event "port a: its device refuses"
	await 30 event "port b: its device refuses"
	same "all" "$(port b '.vlans + .vlans_refused')" 3998
}

# bats test_tags=slow
@test "the longest frames of a large MTU pass, and a VF keeps its MTU while it runs" {
	local n
	two_vfs
	for n in 0 1; do
		ip link set dev pf$n mtu 9000
		ip -n w$n link set dev w$n mtu 9000
		await 20 pf_carrier $n
	done
	bridge_conf | jq '.ports.a.mtu = 9000 | .ports.b.mtu = 9000' | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	ip -n s1 link set dev s1 mtu 9000
	ip -n s3 link set dev s3 mtu 9000
	reaches s1 10.0.0.3
	pings s1 10.0.0.3 -s 8972 -M do
	# its driver cannot change it while it runs
	jq '.ports.a.mtu = 1500' "$W/e.json" >"$W/small.json"
	run -5 pe apply -a e -c "$W/small.json"
	[[ "$output" == *"ports.a.mtu: pci:$(vf 0 0) does not take 1500 now"*"remove the port, apply, and add it again"* ]]
}

# bats test_tags=slow
@test "the number of VFs is set to 0 under a running engine: it lets go, the port waits, the others go on" {
	two_vfs 2
	vfio 0 1
	trusted 0 1
	bridge_conf | jq --arg c "pci:$(vf 0 1)" '.ports.c = {device: $c} | .interfaces.ic = {port: "c", addresses: ["10.0.9.1/24"]}' | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	reaches s1 10.0.0.3
	timeout 30 bash -c "echo 0 >$PCI/$PF1/sriov_numvfs"
	await 20 event "port b: the device is gone; the port waits for it"
	port_is b .link absent
	port_is a .link up
	pe status -a e
	same "the VFs" "$(cat "$PCI/$PF1/sriov_numvfs")" 0
	# it comes back with another address, and the port with it
	vfs 1 1
	ip link set dev pf1 vf 0 mac 52:54:00:00:02:77
	trusted 1 0
	vfio 1 0
	await 30 event "port b: the device is back"
	await 30 port_is b .link up
	await 20 port_is b .mac 52:54:00:00:02:77
	reaches s1 10.0.0.3
}

# bats test_tags=slow
@test "a PF is unplugged under traffic: its port waits, two VFs of the other go on, and it comes back" {
	two_vfs 2
	vfio 0 1
	trusted 0 1
	bridge_conf | jq --arg c "pci:$(vf 0 1)" '.ports.c = {device: $c} | .interfaces.ic = {port: "c", addresses: ["10.0.9.1/24"]}' | engine e
	wire_up 0 10.0.9.2/24
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	reaches s1 10.0.0.3
	reaches w0 10.0.9.1
	spawn traffic ip netns exec s1 ping -n -i 0.02 10.0.0.3
	spawn more wire 0 ping -n -i 0.02 10.0.9.1
	host_unplug 1
	await 20 event "port b: the device is gone"
	reaches w0 10.0.9.1
	port_is a .link up
	port_is c .link up
	host_plug 1
	vfs 1 1
	trusted 1 0
	vfio 1 0
	await 30 event "port b: the device is back"
	reaches s1 10.0.0.3
}

# bats test_tags=slow
@test "the PF goes down and up: the link follows, and its VF works again" {
	two_vfs
	bridge_conf | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	reaches s1 10.0.0.3
	ip link set dev pf1 down
	await 20 port_is b .link down
	port_is a .link up
	ip link set dev pf1 up
	await 20 port_is b .link up
	reaches s1 10.0.0.3
	await 20 port_is b .filters 1
}

# said COUNT TEXT: so often
said()
{
	same "$2" "$(events | grep -cF -- "$2")" "$1"
}

# bats test_tags=slow
@test "a PF with several VFs goes down and up: all their ports follow, also those of an engine that starts meanwhile" {
	local port
	vfs 0 3
	trusted 0 0 1 2
	vfio 0 0 1 2
	await 20 pf_carrier 0
	jq -n --arg a "pci:$(vf 0 0)" --arg b "pci:$(vf 0 1)" --arg c "pci:$(vf 0 2)" '{ports: {a: {device: $a}, b: {device: $b}, c: {device: $c}},
		interfaces: {ia: {port: "a", addresses: ["10.0.1.1/24"]}, ic: {port: "c", addresses: ["10.0.3.1/24"]}}}' >"$W/ports.json"
	engine e <"$W/ports.json"
	wire_up 0 10.0.1.2/24 10.0.3.2/24
	reaches w0 10.0.1.1
	ip link set dev pf0 down
	for port in a b c; do
		await 20 port_is $port .link down
		event "port $port: its physical function does not answer: it is down, or being reset"
	done
	ip link set dev pf0 up
	for port in a b c; do
		await 20 port_is $port .link up
		# and did not before: the VF's own register says so soon
		said 1 "port $port: link down"
		said 1 "port $port: link up"
	done
	reaches w0 10.0.1.1
	reaches w0 10.0.3.1
	engine_stop e
	ip link set dev pf0 down
	engine e <"$W/ports.json"
	for port in a b c; do
		port_is $port .link down
	done
	run -1 event multicasts
	ip link set dev pf0 up
	for port in a b c; do
		await 20 port_is $port .link up
	done
	reaches w0 10.0.1.1
	reaches w0 10.0.3.1
}

# bats test_tags=slow
@test "a cable that is pulled cuts off what is behind it until it is plugged again" {
	two_vfs
	bridge_conf | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	station s3 1 02:00:00:00:00:03 10.0.0.3/24
	reaches s1 10.0.0.3
	host_link 1 down
	await 20 pf_carrier 1 0
	silent s1 10.0.0.3
	port_is a .link up
	host_link 1 up
	await 20 pf_carrier 1
	await 20 port_is b .link up
	reaches s1 10.0.0.3
	reaches s3 10.0.0.1
}

# bats test_tags=slow
@test "a VF that its PF has put into a VLAN is in it untagged" {
	two_vfs
	ip link set dev pf1 vf 0 vlan 40
	bridge_conf | engine e
	station s1 0 02:00:00:00:00:01 10.0.0.1/24
	ip -n w1 link add link w1 name v40 type vlan id 40
	ip -n w1 link set dev v40 up
	ip -n w1 addr add 10.0.0.3/24 dev v40
	reaches s1 10.0.0.3
}

# bats test_tags=slow
@test "two ports on one NIC in one VLAN are a loop, and that is said" {
	two_vfs 2
	vfio 0 1
	bridge_conf | jq --arg c "pci:$(vf 0 1)" '.ports.c = {device: $c, enabled: false} | .bridges.br.ports.c = {}' | engine e
	event "port a: in a VLAN with c of the same NIC: a loop"
	same "warnings" "$(events | grep -c "of the same NIC")" 1
}

# bats test_tags=slow
@test "what keeps a device from being opened is said" {
	vfs 0 2
	vfs 1 1
	one() { jq -n --arg a "$1" '{ports: {a: {device: $a}}}' | engine_refused e; }
	run one pci:0000:05:00.0
	[[ "$output" == *"ports.a.device: pci:0000:05:00.0: no such PCI device"* ]]
	run one "pci:$(vf 0 0)"
	[[ "$output" == *"pci:$(vf 0 0) is bound to no driver"*"vfctl vf bind $(vf 0 0) vfio-pci"* ]]
	bind "$(vf 0 0)" igbvf
	run one "pci:$(vf 0 0)"
	[[ "$output" == *"pci:$(vf 0 0) is bound to igbvf"*"vfctl vf bind $(vf 0 0) vfio-pci"* ]]
	vfio 0 1
	jq -n --arg a "pci:$(vf 0 1)" '{ports: {a: {device: $a}}}' | engine other
	run one "pci:$(vf 0 1)"
	[[ "$output" == *"pci:$(vf 0 1) is in use by process $(engine_pid other) (pe)"* ]]
}

# bats test_tags=slow
@test "a VF without a MAC address has a random one, and that is said" {
	echo 1 >"$PCI/$PF0/sriov_numvfs"
	vfio 0 0
	jq -n --arg a "pci:$(vf 0 0)" '{ports: {a: {device: $a}}, interfaces: {ia: {port: "a", addresses: ["10.0.1.1/24"]}}}' | engine e
	event "port a: its PF has given it no MAC address, so it has a random one: vfctl vf set pf0:0 mac MAC"
	wire_up 0 10.0.1.2/24
	reaches w0 10.0.1.1
}
