#!/usr/bin/env bats
# What arpmgr alone does; the rest is in neigh.bats.
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

@test "owner: the master's, with its backup, wherever the address is" {
	segment
	arpmgr -j owner 10.0.10.5 | jq -e '.[0] | keys_unsorted == ["address", "interface", "owner", "role", "master", "backup", "epoch"] and
		.owner == 1 and .master == 1 and .backup == 2'
	arpmgr -j owner 192.0.2.1 | jq -e '.[0].owner == 1 and .[0].interface == null'
}
