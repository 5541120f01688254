#!/usr/bin/env bats
# What ndmgr alone does; the rest is in neigh.bats.
# shellcheck disable=SC2154 # bats sets status, output, lines and stderr

load helpers
load neigh

setup()
{
	cli_setup
}

teardown()
{
	cli_teardown
}

@test "a link-local address without its interface: which one? Several ways to say it" {
	segment
	refused 2 "fe80::beef: on which interface?" ndmgr get fe80::beef
	refused 2 "fe80::beef: on which interface?" ndmgr resolve fe80::beef
	refused 2 "fe80::beef: on which interface?" ndmgr owner fe80::beef
	run --separate-stderr ndmgr get fe80::beef
	[[ "$stderr" == *"hint: it may be on v10, v20: dev IFACE, or ADDRESS%IFACE"* ]]
	[ "$(ndmgr -j get fe80::beef%v10 | jq -r '.[0].mac')" = 02:00:00:00:00:b1 ]
	[ "$(ndmgr -j get fe80::beef%v20 dev v20 | jq -r '.[0].mac')" = 02:00:00:00:00:b2 ]
	[ "$(ndmgr -j get fe80::beef dev v20 | jq -r '.[0].mac')" = 02:00:00:00:00:b2 ]
	refused 2 "ADDRESS 'fe80::beef%v10' and dev v20: two interfaces" ndmgr get fe80::beef%v10 dev v20
	refused 3 "v9: no such interface" ndmgr get fe80::beef%v9
	refused 2 "ADDRESS 'fe80::beef%': no interface may stand there" ndmgr get fe80::beef%
	[ "$(ndmgr --count to fe80::/10)" = 2 ]
	[ "$(ndmgr --count to ::/0)" = 7 ]
	fake_engine '{"result": {"changed": true, "dry_run": false}}'
	[ "$(ndmgr del fe80::beef%v20)" = "fe80::beef dev v20: deleted" ]
	[ "$(jq -c .args requests)" = '{"family":"ipv6","address":"fe80::beef","interface":"v20"}' ]
}

@test "the router flag, and addresses in their one form" {
	segment
	[ "$(ndmgr -j | jq -c '[.[] | select(.router) | .address]')" = '["2001:db8:10::5"]' ]
	[ "$(ndmgr -j get 2001:DB8:10:0:0:0:0:5 | jq -r '.[0].address')" = 2001:db8:10::5 ]
	ndmgr -j owner 2001:db8:10::5 | jq -e '.[0] | keys_unsorted == ["address", "interface", "owner", "role", "bucket", "epoch"]'
}
