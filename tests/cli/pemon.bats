#!/usr/bin/env bats
# pemon without an engine: its words, its output in every form, the live screen, its exit statuses.
# shellcheck disable=SC2154,SC2016,SC2143 # bats sets status, output, lines and stderr

load helpers

setup()
{
	cli_setup
	TMUX_SOCKET=$BATS_TEST_TMPDIR/tmux
	unset TMUX
}

teardown()
{
	tmux -S "$TMUX_SOCKET" kill-server 2>/dev/null || true
	cli_teardown
}

# check FILTER: holds for the JSON in $output
check()
{
	jq -e "$1" <<<"$output" >/dev/null || { echo "not so: $1"; echo "$output"; return 1; }
}

# ---- words -------------------------------------------------------------------------------------------------------------

@test "wrong words: exit 2, and the word is named" {
	segment
	refused 2 "shw: no such verb" pemon shw
	refused 2 "extra: not a word of cores" pemon cores extra
	refused 2 "--interval 'soon': not a time in range" pemon show --interval soon
	refused 2 "--interval 'x': not a time in range" pemon --interval x
	refused 2 "--per-core: cores does not take it" pemon cores --per-core
	refused 2 "--kind 'fdb': not known" pemon messages --kind fdb
	run --separate-stderr pemon export -j
	[ "$status" = 2 ]
	check '.error.message == "--json: export does not take it"'
	refused 2 "--follow: nothing follows in a saved segment" pemon messages -f -s x
	refused 2 "--follow and --watch exclude each other" pemon messages -f -w
	run --separate-stderr pemon show -o csv
	[ "$status" = 2 ]
	[[ "$stderr" == *"show is several tables, not one in CSV"*"pemon cores -o csv"* ]]
}

@test "no segment: exit 6; no such core: exit 3" {
	local verb
	for verb in live show cores ports drops messages; do
		refused 6 "appliance $A: no engine, and none has left a segment" pemon "$verb"
	done
	run pemon export
	[ "$status" = 6 ]
	segment
	refused 3 "--core 4: no such core" pemon messages --core 4
}

@test "damaged segments: exit 6, each with its reason" {
	segment
	local good=/dev/shm/pekit.$A
	head -c 200000 "$good" >short
	refused 6 "short: truncated segment: 200000 of $(stat -c %s "$good") bytes" pemon show -s short
	cp "$good" other
	printf '\7' | dd of=other bs=1 seek=8 conv=notrunc status=none
	refused 6 "other: layout version 7; this pekit reads 3" pemon cores -s other
	head -c 100000 /dev/zero >foreign
	refused 6 "foreign: not a segment of pekit" pemon messages -s foreign
}

# ---- what a dead engine left ------------------------------------------------------------------------------------------

@test "show -j: the documented object" {
	segment
	run --separate-stderr pemon show -j
	[ "$status" = 0 ]
	[[ "$stderr" =~ ^"pemon: the engine of $A is dead; the data is "[0-9]+" ms old"$ ]]
	check 'keys_unsorted == ["appliance","state","heartbeat_age_ms","uptime_s","cores","ports","drops","coherent"]'
	check '.state == "dead" and .coherent == true and .appliance == env.PEKIT_APPLIANCE'
	check '[.cores[] | keys_unsorted] | unique == [["core","role","cpu","busy_pct","rx_packets","tx_packets","rx_pps","tx_pps",
		"cycles_per_packet","messages_sent","messages_received","ring_peak_pct","l3"]]'
	check '[.cores[].l3 | keys_unsorted] | unique == [["forwarded_v4","forwarded_v6","local_v4","local_v6","held","released","holding",
		"fragments","icmp_sent","icmp_limited","arp_sent","arp_received","nd_sent","nd_received"]]'
	check '[.cores[].role] == ["control","data","data","data"]'
	check '.cores[2] | del(.l3) == {"core":2,"role":"data","cpu":2,"busy_pct":0,"rx_packets":2000,"tx_packets":1800,"rx_pps":0,"tx_pps":0,
		"cycles_per_packet":50,"messages_sent":2,"messages_received":1,"ring_peak_pct":50}'
	check '.cores[3].cpu == null and .cores[0].cycles_per_packet == null'
	check '[.ports[] | [.port, .link, .rx_packets, .tx_bytes, .rx_dropped, .rx_missed]] == [["p1","up",600,34560,6,3],["p2","down",600,34560,6,3]]'
	check '.drops == [{"reason":"rx_oversize","core":1,"packets":5},{"reason":"vlan_refused","core":2,"packets":7}]'
}

@test "no verb and no terminal is show" {
	segment
	run --separate-stderr pemon
	[ "$status" = 0 ]
	[[ "${lines[0]}" == "$A: dead, last seen "*" ago, ran for "* ]]
	grep -q '^p1 ' <<<"$output"
	grep -q 'notice: port p2: no link$' <<<"$output"
	run --separate-stderr pemon -j
	check '.cores | length == 4'
}

@test "coherent or not" {
	segment differ
	run --separate-stderr pemon show -j
	check '.coherent == false'
	run pemon show
	[[ "$output" == *"NOT COHERENT"* ]]
	segment differ waiting
	run --separate-stderr pemon show -j
	check '.coherent == null'
	# neighbours count, too; a core that was taken out does not
	mknbr "$A"
	run --separate-stderr pemon show -j
	check '.coherent == true'
	mknbr "$A" differ
	run --separate-stderr pemon show -j
	check '.coherent == false'
	mknbr "$A" differ lost
	run --separate-stderr pemon show -j
	check '.coherent == true'
}

@test "a stopped engine, and a saved copy" {
	segment stopped
	run --separate-stderr pemon show -j
	check '.state == "stopped"'
	cp "/dev/shm/pekit.$A" a.seg
	segment
	cp "/dev/shm/pekit.$A" b.seg
	run --separate-stderr pemon -s a.seg show -j
	check '.state == "stopped"'
	run --separate-stderr pemon -s b.seg show -j
	check '.state == "saved" and .cores[1].rx_pps == null and .cores[1].busy_pct == null and .cores[1].rx_packets == 1000'
	[[ "$stderr" == "pemon: b.seg: a saved copy of $A, "* ]]
}

@test "cores, ports and drops: the same keys in every row and form" {
	segment
	local verb keys
	for verb in cores ports "ports --per-core" drops; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr pemon $verb -j
		[ "$status" = 0 ]
		check 'length > 0 and (map(keys_unsorted) | unique | length == 1)'
		keys=$(jq -r '.[0] | keys_unsorted | join(",")' <<<"$output")
		# shellcheck disable=SC2086
		run --separate-stderr pemon $verb -o csv
		[ "${lines[0]}" = "$keys" ]
	done
	run --separate-stderr pemon cores -j
	check '.[1].class_bcast == 10 and .[3].class_channel == 2970 and .[1].fdb_entries == 4 and .[0].fdb_entries == 0'
	run --separate-stderr pemon ports -j
	check '.[0] | .core == null and .kind == "if" and .bridge == "br0" and .mac == "02:00:00:00:0f:01" and .channel_packets == 3000
		and .csum_unfinished == 4 and .pollers == [1]'
	run --separate-stderr pemon ports --per-core -j
	check 'map([.port, .core, .rx_packets])[1] == ["p1", 2, 200] and length == 6'
	run --separate-stderr pemon cores -o wide
	[[ "${lines[0]}" == *"C_UNKNOWN"* ]]
}

@test "drops: the last frame, what it means, what helps" {
	segment
	run --separate-stderr pemon drops -j
	check '.[0] | .reason == "rx_oversize" and .port == "p1" and .length == 1600 and (.sample | startswith("ffffffffffff0200000000010806"))
		and (.hint | contains("ethtool -K DEV tx off tso off gso off"))'
	run --separate-stderr pemon drops
	[[ "$output" == *"hint: rx_oversize: "*"ethtool -K DEV tx off tso off gso off"* ]]
	[[ "$output" == *"hint: p1: 4 frames came with unfinished checksums"*"ethtool -K"* ]]
}

@test "messages: all cores in one order, with names" {
	segment
	run --separate-stderr pemon messages -j
	[ "$status" = 0 ]
	check 'map(.kind) == ["event","event","fdb_add","fdb_del","fdb_used","fdb_flush"]'
	check 'map(.from) == [0,0,1,3,2,0]'
	check '.[2] | .to == null and .cause == "1.7" and .port == "p1" and .type == "dynamic" and .keys == [{"mac":"02:00:00:00:00:01","vlan":10,"bridge":"br0"}]'
	check '.[4] | .to == 1 and (.keys | map(.vlan)) == [10,20]'
	check '.[5] | .event == 2 and .text == "port p2: no link" and .level == "notice" and .port == "p2"'
	check '(.[0] | .level == "info") and (.[2] | .level == null)'
	run --separate-stderr pemon messages
	grep -Eq ' 1  all  fdb_add +1  1.7 +02:00:00:00:00:01 vlan 10 br0 -> p1$' <<<"$output"
	grep -Eq ' 2    1  fdb_used .* vlan 10 br0, 02:00:00:00:00:04 vlan 20 br0$' <<<"$output"
	run --separate-stderr pemon messages -n 2 -j
	check 'map(.kind) == ["fdb_used","fdb_flush"]'
	run --separate-stderr pemon messages --core 3 -j
	check 'map(.kind) == ["fdb_del"]'
	run --separate-stderr pemon messages --kind fdb_add --kind event -j
	check 'map(.kind) == ["event","event","fdb_add"]'
	run --separate-stderr pemon messages --cause 3.9 -j
	check 'map(.from) == [3]'
	run --separate-stderr pemon messages --cause 3.10 -j
	[ "$output" = "[]" ]
}

@test "export: OpenMetrics, as its own parser reads it" {
	segment
	pemon export >metrics 2>/dev/null
	[ "$(tail -1 metrics)" = "# EOF" ]
	grep -q "^pekit_core_rx_packets_total{appliance=\"$A\",core=\"2\"} 2000\$" metrics
	grep -q "^pekit_core_drop_packets_total{appliance=\"$A\",core=\"1\",reason=\"rx_oversize\"} 5\$" metrics
	grep -q "^pekit_port_rx_bytes_total{appliance=\"$A\",port=\"p1\",core=\"3\"} 19200\$" metrics
	grep -q "^pekit_engine_state{appliance=\"$A\",pekit_engine_state=\"dead\"} 1\$" metrics
	/usr/bin/python3 - metrics <<-'END'
	import sys
	from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
	families = list(parse(open(sys.argv[1]).read()))
	assert len(families) > 20 and all(f.samples and f.documentation for f in families)
	assert {f.name: f.unit for f in families}["pekit_core_cpu_seconds"] == "seconds"
	END
}

# ---- a living engine ---------------------------------------------------------------------------------------------------

@test "rates come from two looks" {
	live_segment traffic
	run --separate-stderr pemon show -j
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	check '.state == "ready" and .heartbeat_age_ms < 3000'
	check '.cores[1] | .rx_pps > 0 and .busy_pct > 0 and .cycles_per_packet == 50'
	check '.cores[0].rx_pps == 0 and .ports[0].rx_pps > 0 and .ports[1].rx_pps == 0'
	run --separate-stderr pemon show -j --interval 0
	check '.cores[1] | .rx_pps == null and .busy_pct == null and .cycles_per_packet > 50'
	run --separate-stderr pemon ports -j --interval 100ms
	check '.[0] | .rx_bps > .rx_pps * 500 and .rx_bps < .rx_pps * 520'
}

@test "messages --follow: what comes later, until interrupted; the next engine, too" {
	live_segment
	pemon messages --follow -j --kind fdb_add >followed 2>notes 3>&- &
	FOLLOWER=$!
	await grep -q fdb_add followed
	kill "$MKSEG"
	wait "$MKSEG" || true
	live_segment
	await grep -q "the engine of $A was started again" notes
	await eval '[ "$(grep -c fdb_add followed)" = 2 ]'
	kill "$FOLLOWER"
	wait "$FOLLOWER" || { echo "status $?"; cat notes; return 1; }
	FOLLOWER=
	jq -es 'map(.kind) == ["fdb_add","fdb_add"]' followed || { cat followed; false; }
}

@test "-w redraws" {
	live_segment traffic
	pemon cores -w0.1 -o jsonl --interval 0 >rows 2>&1 3>&- &
	FOLLOWER=$!
	await eval '[ "$(grep -c "\"core\":1" rows)" -ge 3 ]'
	kill -INT "$FOLLOWER"
	wait "$FOLLOWER"
	FOLLOWER=
}

# ---- the live screen ---------------------------------------------------------------------------------------------------

# screen_has REGEX: does the terminal show it?
screen_has()
{
	tmux -S "$TMUX_SOCKET" capture-pane -p | grep -Eq -- "$1"
}

screen_lacks()
{
	! screen_has "$1"
}

keys()
{
	tmux -S "$TMUX_SOCKET" send-keys "$@"
}

# start_screen COLUMNS ROWS: a shell in a terminal, and pemon in it; the shell's pid is in the file "pid" in front of pemon's
start_screen()
{
	tmux -S "$TMUX_SOCKET" -f /dev/null new-session -d -x "$1" -y "$2" "PS1=% sh"
	await screen_has '%'
	run_live
}

run_live()
{
	keys "clear; sh -c 'echo \$\$ >pid; exec pemon --interval 100ms'; echo left=\$?" Enter
	await screen_has '^ *CORE +CPU'
}

# The shell's terminal as it was: canonical, with echo, and its own screen.
terminal_is_back()
{
	await screen_has "^left=$1"
	screen_lacks '^ *CORE +CPU'
	keys "clear; stty -a | tr ' ;' '\n\n' | grep -Ex -- '-?(icanon|echo)' | tr '\n' ,; echo end" Enter
	await screen_has '^icanon,echo,end'
}

@test "live: cores, ports, drops, events; rates move; keys" {
	live_segment traffic
	start_screen 120 40
	screen_has "^$A: ready, heartbeat [0-9]+ ms ago, up .*, coherent +every 100 ms"
	await screen_has '^ +1 +1 +[0-9.]+ +[0-9.]+( k)? +[0-9.]+( k)? +50\.0 +0 +0 +0/50% +4'
	screen_has '^p1 +up +[0-9.]+( k)? '
	screen_has '^p2 +down '
	screen_has '^rx_oversize +1 +5 '
	screen_has 'notice: port p2: no link'
	keys p
	await screen_has 'PAUSED'
	keys p+++
	await screen_has 'every 1 s'
	screen_lacks PAUSED
	keys -- - -
	await screen_has 'every 200 ms'
	keys q
	terminal_is_back 0
}

@test "live: resizes and scrolls" {
	live_segment
	start_screen 120 40
	screen_has 'q quit'
	tmux -S "$TMUX_SOCKET" resize-window -x 70 -y 8
	await screen_lacks 'EVENTS'
	await eval 'screen_has "^q quit.*\\(1-6 of [0-9]+\\)" && screen_has "^$A: ready"'
	keys jjjjjjjjjjjjjjjjjjjjjjjj
	await screen_has 'EVENTS'
	screen_has "^$A: ready"
	keys k
	tmux -S "$TMUX_SOCKET" resize-window -x 120 -y 40
	await screen_has '^ *CORE +CPU'
	screen_lacks '^q quit.*[0-9] of [0-9]'
	keys C-c
	terminal_is_back 0
}

@test "live: the terminal is given back on every way out" {
	live_segment
	start_screen 100 30
	local way status
	for way in TERM:143 HUP:129 QUIT:131 SEGV:139 ABRT:134 BUS:6; do
		status=${way#*:}
		kill "-${way%:*}" "$(cat pid)"
		terminal_is_back "$status"
		run_live
	done
	keys C-z
	await screen_has '[Ss]topped'
	keys "stty -a | tr ' ;' '\n\n' | grep -Ex -- '-?icanon'; clear; fg" Enter
	await screen_has '^ *CORE +CPU'
	keys q
	await screen_lacks '^ *CORE +CPU'
}

@test "live: a dead engine's last state stays, the next engine is followed" {
	live_segment traffic
	start_screen 100 30
	await screen_has ': ready'
	kill -9 "$MKSEG"
	wait "$MKSEG" || true
	await screen_has "^$A: dead, last seen [0-9]+ (ms|s) ago, ran for "
	screen_has '^p1 +up '
	live_segment differ
	await screen_has "^$A: ready, .* NOT COHERENT"
	keys q
	terminal_is_back 0
}

# ---- time and grammar ------------------------------------------------------------------------------------------------

@test "--help and --version: exit 0" {
	local verb
	for verb in live show cores ports drops messages export; do
		run --separate-stderr pemon "$verb" --help
		[ "$status" = 0 ]
		[[ "$output" == "Usage: pemon $verb"* || "$output" == "Usage: pemon [$verb]"* ]]
	done
	run pemon --version
	[ "$status" = 0 ]
}

@test "messages about neighbours: address, interface, MAC and what they say" {
	mknbr "$A"
	run --separate-stderr pemon messages
	grep -Eq ' 1  all  nbr_add .* 10\.0\.10\.5 dev v10 lladdr 02:00:00:00:00:05 \(reachable\)$' <<<"$output"
	grep -Eq ' 2  all  nbr_ask .* 2001:db8:10::5 dev v10$' <<<"$output"
	grep -Eq ' nbr_heard .* 2001:db8:10::5 dev v10 lladdr 02:00:00:00:00:05 \(sender\)$' <<<"$output"
	grep -Eq ' 3    2  nbr_used .* 2 of ipv6 in use$' <<<"$output"
	grep -Eq ' 0  all  nbr_flush .* 10\.0\.10\.0/24 dev v10$' <<<"$output"
	run --separate-stderr pemon messages -j --kind nbr_add
	check 'length == 1 and .[0].keys == [] and .[0].neighbors == [{family: "ipv4", address: "10.0.10.5", interface: "v10", mac: "02:00:00:00:00:05",
		detail: "reachable"}]'
	run --separate-stderr pemon messages -j --kind nbr_used
	check '.[0].neighbors == []'
	# a kind a message has, --kind has
	for kind in $(pemon messages -j 2>/dev/null | jq -r '.[].kind' | sort -u); do
		pemon messages --kind "$kind" >/dev/null 2>&1
	done
}

@test "completion knows verbs, options, kinds and appliances" {
	segment
	run pemon --complete me
	[ "$output" = messages ]
	run pemon --complete messages --kind fdb_f
	[ "$output" = fdb_flush ]
	run pemon --complete -a "${A:0:6}"
	[[ "$output" == *"$A"* ]]
	run pemon --complete ports --per
	[ "$output" = --per-core ]
}
