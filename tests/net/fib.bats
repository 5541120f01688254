#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The compiled routes alone, with DPDK's own library (fib_test.c).

bats_require_minimum_version 1.5.0

fib()
{
	timeout 120 "$PEKIT_TEST/net/fib_test" "$@" 3>&-
}

# What it prints is for who reads the log; nothing is asserted of times.
tell()
{
	local line
	for line in "${lines[@]}"; do
		echo "# $line" >&3
	done
}

@test "routes that come and go: both copies say what the table says, and a core that looks up meanwhile meets no freed hop" {
	local seed
	for seed in 1 2 3; do
		run -0 fib churn $seed 400
		tell
	done
}

@test "a core that stands still: its copy stays as it is, the next change has to wait, and all catch up when it goes on" {
	run -0 fib stall
	[[ $output == *"core 1 still uses the routes before the last change"* ]]
	[[ $output == *"all cores use the newest routes again"* ]]
}

@test "no memory for one more route: an error, and all stays as it was" {
	run -0 fib full
	[[ $output == "tables.routes: no memory"* ]]
}

@test "no memory, and then no routes: nothing is counted that is not there" {
	run -0 fib empty
}

@test "more gateways than numbers: an error, and none is lost" {
	run -0 fib hops
	[[ $output == *"more than 32767 different gateways"* ]]
}

@test "10,000 routes of each family: time and memory, within what is reserved" {
	run -0 fib load 10000 4
	tell
	run -0 fib load 10000 6
	tell
}
