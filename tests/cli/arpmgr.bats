#!/usr/bin/env bats
# arpmgr without an engine: its words, its output in every form, its exit statuses. The tests are neigh.bash's, one code base's.
# shellcheck disable=SC2154,SC2016 # bats sets status, output, lines and stderr

export TOOL=arpmgr
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

@test "words that are wrong: exit 2, and the word is named" {
	words_are_checked
}

@test "names that do not exist: exit 3, and those that do are listed" {
	names_are_looked_up
}

@test "no segment: exit 6" {
	no_segment
}

@test "help and version: stdout, exit 0, for every verb" {
	helps
}

@test "show: all cores as one, with the owner's state, in JSON with the keys that scripts rely on" {
	show_all_cores_as_one
}

@test "show: filters" {
	show_filters
}

@test "show: core by core" {
	show_core_by_core
}

@test "the other forms: table, wide, jsonl, csv" {
	show_other_forms
}

@test "get: one neighbour" {
	get_one
}

@test "stats: per core and in all" {
	stats_count
}

@test "a saved copy reads the same" {
	saved_copies
}

@test "a full disk is an error, a closed pipe is none" {
	full_disk_closed_pipe
}

@test "a segment that holds anything: valid JSON, and nothing steers the terminal" {
	hostile_segments
}

@test "owner: the core that show names" {
	owner_is_told
}

@test "monitor: what comes, changes, fails and goes" {
	monitor_json
}

@test "monitor: in the words of ip monitor" {
	monitor_for_people
}

@test "monitor: filters, and what is lost is said" {
	monitor_filters_and_losses
}

@test "verify: coherent by digest and by the tables" {
	verify_coherent
}

@test "verify: a difference is named with what each core holds: exit 8" {
	verify_differs
}

@test "verify: one version with two MACs" {
	verify_clash
}

@test "verify: changes under way are no difference" {
	verify_under_way
}

@test "verify: a core that does not take its messages: exit 124, and it is named" {
	verify_waits
}

@test "verify: a core that was taken out is not compared" {
	verify_leaves_out_a_lost_core
}

@test "verify: of a dead engine, messages in rings are listed apart" {
	verify_dead
}

@test "verify --repair: asks the engine only where something differs, and looks again" {
	verify_repairs
}

@test "add, replace, del, flush, announce: what the engine is asked" {
	changes_ask_the_engine
}

@test "resolve: who answers, when, and whose it is" {
	resolve_waits
}

@test "resolve: nobody answers: exit 3" {
	resolve_fails
}

@test "resolve: an engine that says nothing" {
	resolve_of_an_odd_engine
}

@test "the engine's refusal comes through, and nothing else is printed" {
	refusals_come_through
}

@test "flush asks: without a terminal it needs --yes" {
	flush_asks
}

@test "batch: all lines are checked before the first one runs" {
	batches
}

@test "completion: words, values and live names" {
	completes
}

@test "the man page agrees with the grammar, and the check can fail" {
	page_agrees
}

@test "65,536 neighbours over 8 cores" {
	many_neighbours
}

@test "owner: the master's, with its backup, wherever the address is" {
	segment
	arpmgr -j owner 10.0.10.5 | jq -e '.[0] | keys_unsorted == ["address", "interface", "owner", "role", "master", "backup", "epoch"] and
		.owner == 1 and .master == 1 and .backup == 2'
	arpmgr -j owner 192.0.2.1 | jq -e '.[0].owner == 1 and .[0].interface == null'
}
