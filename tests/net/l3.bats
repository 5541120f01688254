#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Routing on a data core without devices (l3_test.c).

load lib

setup()
{
	net_setup
	L3="${PEKIT_TEST:-$BATS_TEST_DIRNAME/../../build/test}/net/l3_test"
}

teardown()
{
	net_teardown
}

@test "what the passes do with a burst is what the careful path does packet by packet" {
	local seed
	for seed in 1 2 3 "$RANDOM"; do
		timeout 60 "$L3" same "$seed" 4000 || fail "seed $seed"
	done
}

@test "packets wait for a neighbour in order, a few of each and not too many in all, and are given up together" {
	timeout 60 "$L3" hold
}

@test "ICMP errors keep to their limit, and what was not said is counted" {
	timeout 60 "$L3" limit
}

@test "single frames: what a group's frame counts, a directed broadcast, a SYN from nobody, an MTU below a fragment" {
	timeout 60 "$L3" edges
}
