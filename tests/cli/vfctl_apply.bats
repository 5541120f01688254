#!/usr/bin/env bats
# vfctl apply and save on a recorded host: what would be done, what cannot be, files that are wrong. On real VFs they are in tests/rig/apply.bats.
# shellcheck disable=SC2154,SC2016 # bats sets status, output, lines and stderr

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

v()
{
	vfctl --root host "$@"
}

# would FILE-TEXT: the steps
would()
{
	echo "$1" | v -j apply --dry-run - | jq -c .steps
}

# wrong MESSAGE TEXT: a file with that text is refused with that message
wrong()
{
	echo "$2" >wrong.json
	refused 2 "wrong.json: $1" vfctl --root host apply --dry-run wrong.json
}

@test "what is saved is unchanged when it is applied, in every form" {
	v save >saved.json
	jq -e '.ports | keys == ["eth0"]' saved.json
	jq -e '.ports.eth0 | .numvfs == 4 and .label == "1/1" and (.vfs | keys == ["0", "1", "2", "3"]) and .vfs."2".trust and .vfs."2".driver == "vfio-pci"' saved.json
	# the MAC of the fourth is not set: that is not saved
	jq -e '.ports.eth0.vfs."3" | has("mac") | not' saved.json
	[ "$(v apply --dry-run saved.json)" = "saved.json: unchanged" ]
	[ "$(v -j apply --dry-run saved.json | jq -c .)" = '{"what":"saved.json","changed":false,"dry_run":true,"steps":[],"failed":[]}' ]
	[ "$(v save -o jsonl | jq -cS .)" = "$(jq -cS . saved.json)" ]
	[ "$(v save -o csv | jq -cS .)" = "$(jq -cS . saved.json)" ]
	echo old >written.json
	[ "$(v save written.json)" = "written.json: written" ]
	diff saved.json written.json
	[ "$(echo written.json*)" = written.json ]
	refused 3 "nowhere/x: No such file or directory" vfctl --root host save nowhere/x
}

@test "save keeps the mode of a file, and what a link points to; what is no file is written to and stays" {
	v save >saved.json
	echo old >real
	chmod 640 real
	ln -s real link
	echo precious >other
	ln -s other real.new
	v save link
	[ -L link ]
	diff saved.json real
	[ "$(stat -c %a real)" = 640 ]
	[ "$(< other)" = precious ]
	ln -s /dev/null null
	v save null
	[ -L null ]
	[ -c /dev/null ]
	mkfifo pipe
	cat pipe >piped 3>&- &
	v save pipe
	wait $!
	[ -p pipe ]
	diff saved.json piped
	[ "$(umask 027 && v save new.json && stat -c %a new.json)" = "new.json: written"$'\n'640 ]
}

@test "the whole plan is shown, also for VFs that are not there yet" {
	run --separate-stderr v apply --dry-run - <<<'{"ports": {"eth1": {"numvfs": 2, "autoprobe": false, "vfs": {"*": {"driver": "vfio-pci", "vlan": 5}, "1": {"qos": 3}}}}}'
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "$output" = "would be eth1: autoprobe off (was on)
would be eth1: 2 VFs (was 0)
would be eth1:0: vlan 5 (was none)
would be eth1:1: vlan 5 qos 3 (was none)
would be eth1:0: driver vfio-pci (was none)
would be eth1:1: driver vfio-pci (was none)
standard input: would be done" ]
	[ "$(would '{"devices": {"07:00.0": {"driver": "vfio-pci"}}, "ports": {"1/1": {"vfs": {"2-3": {"trust": true}}}}}')" = \
		'["eth0:3: trust on (was off)","0000:07:00.0: driver vfio-pci (was nitrox)"]' ]
}

@test "what the file does not name is left alone" {
	[ "$(would '{}')" = '[]' ]
	[ "$(would '{"ports": {"eth0": {}, "eth1": {"numvfs": 0}}}')" = '[]' ]
}

@test "parts that fail are named, the others are not kept from it: 7" {
	local file='{"ports": {"eth0": {"numvfs": 2}, "eth7": {"numvfs": 1, "vfs": {"*": {"trust": true}}}, "eth1": {"numvfs": 8, "vfs": {"0": {"trust": true}}},
		"1/1": {"vfs": {"3": {"link": "enable"}, "0": {"trust": true}}}}, "devices": {"eth9": {"driver": "vfio-pci"}, "09:00.0": {"driver": "none"}}}'
	run --separate-stderr v -j apply --dry-run - <<<"${file/\"eth0\"/\"0000:01:00.1\"}"
	[ "$status" = 2 ]
	[ "$(jq -r .error.message <<<"$output")" = "ports.eth1: is ports.0000:01:00.1 under another name" ]
	run --separate-stderr v -j apply --dry-run - <<<"${file/\"eth0\": \{\"numvfs\": 2\},/}"
	[ "$status" = 7 ]
	jq -e '.changed and .steps == ["eth0:0: trust on (was off)"]' <<<"$output"
	jq -e '[.failed[].part] == ["ports.eth1.numvfs", "ports.1/1.vfs.3", "devices.eth9", "ports.eth7.numvfs", "devices.09:00.0"]' <<<"$output"
	jq -e 'all(.failed[]; keys == ["code", "hint", "message", "name", "part"])' <<<"$output"
	grep -Fqx "vfctl: ports.eth1.numvfs: eth1 (igb) can have 7 VFs at most, not 8 (that is the word of the device and its driver (sriov_totalvfs))" <<<"$stderr"
	grep -q '^vfctl: ports.eth7.numvfs: no device is called eth7' <<<"$stderr"
	run --separate-stderr v apply --dry-run - <<<'{"ports": {"eth0": {"numvfs": 2}}}'
	[ "$status" = 7 ]
	[[ $stderr == *"vpx1"* ]]
	[ "$output" = "standard input: unchanged, but for 1 part" ]
}

@test "files that are wrong: where, and what would be right" {
	wrong "line 2, column 0: string or '}' expected near end of file" '{'
	wrong "ports.eth0.nunvfs: unknown key" '{"ports": {"eth0": {"nunvfs": 4}}}'
	wrong "ports.eth0.vfs.0.vlan: 5000 is not a VLAN id (0 to 4094)" '{"ports": {"eth0": {"vfs": {"0": {"vlan": 5000}}}}}'
	refused 3 "none.json: No such file or directory" vfctl apply --dry-run none.json
	head -c 1100000 /dev/zero | tr '\0' ' ' >long.json
	refused 2 "long.json: longer than 1048576 bytes" vfctl --root host apply --dry-run long.json
	refused 5 "host is a recorded host: nothing of it can be changed" vfctl --root host apply "$ROOT/examples/vf.json"
}

@test "the example and the file of the manual page are right" {
	local file
	v apply --dry-run "$ROOT/examples/vf.json" | grep -q 'vlan 100'
	sed -n '/^\.SH EXAMPLES/,$p' "$ROOT/man/pekit-vf.json.5" | sed -n '/^{/,/^}/p' | sed 's/\\-/-/g' >page.json
	jq -e '.ports | length == 2' page.json
	run --separate-stderr v -j apply --dry-run page.json
	jq -e .changed <<<"$output"
	for file in label numvfs autoprobe vfs speed_bps duplex autoneg pause_autoneg pause_rx pause_tx mtu up mac vlan qos proto max_rate_bps min_rate_bps trust spoofchk link \
		promisc allmulti driver; do
		mandoc -T ascii "$ROOT/man/pekit-vf.json.5" | col -bx | grep -Eq "^ {5,7}([a-z_]+, )*$file(,| |\$)" || { echo "the page does not have $file"; return 1; }
	done
}

@test "the units: what comes before what, and systemd understands them" {
	local unit
	mkdir -p bin units
	printf '#!/bin/sh\n' >bin/pe
	chmod +x bin/pe
	cp bin/pe bin/vfctl
	for unit in "$ROOT"/etc/*.in; do
		sed "s|@bindir@|$PWD/bin|" "$unit" >"units/$(basename "$unit" .in)"
	done
	run systemd-analyze verify --man=no units/pekit-vf.service units/pe@x.service
	# what is wrong with units of others is theirs
	! grep -E 'pekit-vf|pe@' <<<"$output" || { echo "$output"; return 1; }
	[ "$(grep -c '^After=.*pekit-vf.service' units/pe@.service)" = 1 ]
	for unit in network-pre.target libvirtd.service xendomains.service; do
		grep -q "^Before=.*$unit" units/pekit-vf.service
	done
}

@test "of a recorded host, labels are of no file outside of it" {
	mkdir -p host/etc/pekit
	echo secret >secret
	ln -sf "$PWD/secret" host/etc/pekit/vf.json
	run --separate-stderr v pf list
	[ "$status" = 0 ]
	[ "$stderr" = "" ]
	rm host/etc/pekit/vf.json
	mkfifo host/etc/pekit/vf.json
	run --separate-stderr timeout 10 vfctl --root host pf list
	[ "$status" = 0 ]
	[[ "$stderr" == *"vf.json: Invalid argument; the ports have no labels"* ]]
}
