#!/bin/bash
# Builds and runs the layers of the tests: check.sh [LAYER...]; without a word, all of them. Goes on after a layer that fails, shows its log, and
# closes with "N passed, N failed[, N skipped]" over all layers. Every layer speaks TAP; one that says nothing has failed.
#
# B: where things are built. FUZZ_SECONDS: for each fuzz target. SIM_SEEDS: runs of each scenario.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MAKELEVEL
export B=${B:-build} LC_ALL=C
MAKE=(make --no-print-directory -j"$(nproc)")
SANITIZE=(CC=clang OPT=-O1 "SAN=address,undefined,fuzzer-no-link")
FUZZ_SECONDS=${FUZZ_SECONDS:-1}
ALL="build unit sim lint stress fuzz cli net rig clang sanitized left"

if [ "$(id -u)" != 0 ]; then
	echo "the tests make network namespaces and engines: run them as root (sudo make ${*:-check})" >&2
	exit 5
fi
W=$(mktemp -d "${TMPDIR:-/tmp}/pekit-check.XXXXXX")
running=
leave()
{
	# the layer and what it has started: its process group
	[ -n "$running" ] && kill -- "-$running" 2>/dev/null && wait "$running" 2>/dev/null
	rm -rf "$W"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ok_if TEXT COMMAND...: one test, the command's success; its output is shown when it fails
ok_if()
{
	local text=$1 out
	out=$(mktemp "$W/one.XXXXXX")
	shift
	if "$@" >"$out" 2>&1; then
		echo "ok 1 - $text"
	else
		echo "not ok 1 - $text (exit status $?)"
		tail -60 "$out" | sed 's/^/# /'
	fi
}

# A program that speaks TAP; one that ends badly without having said so, too, is a failed test.
tap_of()
{
	local status out
	out=$(mktemp "$W/tap.XXXXXX")
	"$@" >"$out" 2>&1
	status=$?
	cat "$out"
	if [ $status != 0 ] && ! grep -q '^not ok' "$out"; then
		echo "not ok - $(basename "$1") ended with status $status"
	fi
}

# unit_in TREE: one on each CPU; what each says stays together.
unit_in()
{
	export -f tap_of
	export W CMOCKA_MESSAGE_OUTPUT=TAP
	# shellcheck disable=SC2016  # expanded by the inner shell
	find tests/unit -name '*_test.c' -printf '%f\n' | sort | sed 's/\.c$//' |
		xargs -P "$(nproc)" -I{} bash -c 'out=$(tap_of "$0/test/unit/$1"); sed "s|^\(not \)\?ok [0-9]* - |&$1: |" <<<"$out"' "$1" {}
}

# bats_in TREE FOLDER [FILES_AT_ONCE]
bats_in()
{
	local tree
	tree=$(realpath "$1")
	export PEKIT_BIN="$tree/bin" PEKIT_TEST="$tree/test"
	# The largest files first; what a file says stays together.
	# shellcheck disable=SC2016  # expanded by the inner shell
	find "$2" -name '*.bats' -printf '%s %p\n' | sort -rn | cut -d' ' -f2 |
		xargs -P "${3:-1}" -I{} sh -c 'out=$(bats --tap "$1" 2>&1); printf "%s\n" "$out" | sed "s|^\(not \)\?ok [0-9]* |&$(basename "$1"): |"' sh {}
}

layer_build()
{
	ok_if "builds with ${CC:-gcc}" "${MAKE[@]}" all tests-build
}

layer_clang()
{
	ok_if "clang has nothing to say" "${MAKE[@]}" B="$B/clang" CC=clang OPT=-O0 syntax
}

layer_unit()
{
	"${MAKE[@]}" unit-build >"$W/make" 2>&1 || tail -30 "$W/make"
	unit_in "$B"
}

layer_sim()
{
	"${MAKE[@]}" "$B/test/sim/sim" >"$W/make" 2>&1 || tail -30 "$W/make"
	local part
	for part in 1/2 2/2; do
		tap_of "$B/test/sim/sim" --seeds "${SIM_SEEDS:-4}" --part "$part" >"$W/sim.${part%/*}" &
	done
	wait
	cat "$W"/sim.[12]
}

layer_lint()
{
	"${MAKE[@]}" all >"$W/make" 2>&1 || tail -30 "$W/make"
	tap_of tests/lint/run.sh
}

layer_stress()
{
	local test
	ok_if "builds with ThreadSanitizer" "${MAKE[@]}" B="$B/tsan" SAN=thread OPT=-O1 stress-build
	for test in "$B"/tsan/test/stress/*; do
		tap_of "$test"
	done
}

# One target; the seeds stay as they are: what is found goes to the first folder.
fuzz_one()
{
	mkdir -p "$W/corpus/$1"
	ok_if "$1 for $FUZZ_SECONDS s" "$B/fuzz/test/fuzz/$1" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=4096 -verbosity=0 \
		-artifact_prefix="$W/" "$W/corpus/$1" "tests/fuzz/corpus/${1%_fuzz}"
}

layer_fuzz()
{
	local source name
	ok_if "fuzz targets build" "${MAKE[@]}" B="$B/fuzz" "${SANITIZE[@]}" fuzz-build
	for source in tests/fuzz/*_fuzz.c; do
		name=$(basename "$source" .c)
		fuzz_one "$name" >"$W/fuzz.$name" &
		while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
			wait -n
		done
	done
	wait
	cat "$W"/fuzz.*
}

layer_cli()
{
	"${MAKE[@]}" all help-build >"$W/make" 2>&1 || tail -30 "$W/make"
	bats_in "$B" tests/cli 2
}

layer_net()
{
	"${MAKE[@]}" all help-build >"$W/make" 2>&1 || tail -30 "$W/make"
	bats_in "$B" tests/net 4
}

# Two guests at once. Their tests are another machine's: they take no network and no device of this one.
layer_rig()
{
	"${MAKE[@]}" all help-build >"$W/make" 2>&1 || tail -30 "$W/make"
	tests/rig/build.sh >/dev/null || return
	local part limit=1200
	[ -n "$QUICK" ] && limit=300
	for part in 1/2 2/2; do
		tap_of tests/rig/run.sh ${QUICK:+--quick} --limit $limit --part "$part" >"$W/rig.${part%/*}" &
	done
	wait
	cat "$W"/rig.[12]
}

layer_sanitized()
{
	# the tree of the fuzz targets: most of it is there
	ok_if "builds with clang, AddressSanitizer and UBSan" "${MAKE[@]}" B="$B/fuzz" "${SANITIZE[@]}" all tests-build stress-build
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
	unit_in "$B/fuzz"
	tap_of "$B/fuzz/test/sim/sim" --seeds 1 --cores 4
	bats_in "$B/fuzz" tests/cli 2
}

# Names that tests/net and tests/cli give end in the process that chose them: what is younger than this run and whose process is gone was left.
layer_left()
{
	local name pid left=
	while read -r name; do
		pid=$(sed -E 's/.*(pk[0-9]{4}|cli)([0-9]+).*/\2/' <<<"$name")
		[ -e "/proc/$pid" ] || left+="$name "
	done < <(find /run/netns /dev/shm /run/pekit -newer "$W/began" 2>/dev/null | grep -E '(pk[0-9]{4}|cli)[0-9]+'
		pgrep -a '^pe' 2>/dev/null | grep -E ' pk[0-9]{4}[0-9]+')
	if [ -z "$left" ]; then
		echo "ok 1 - nothing is left behind"
	else
		echo "not ok 1 - left behind: $left"
	fi
}

touch "$W/began"
passed=0 failed=0 skipped=0 QUICK=
if [ $# = 0 ]; then
	QUICK=1 # of the rig, what is not tagged slow: "make rig" runs all
	# sanitized runs the tests of cli, and clang compiles everything for it
	ALL=${ALL/ cli / } ALL=${ALL/ clang / }
	read -ra layers <<<"$ALL"
else
	layers=("$@")
fi
for layer in "${layers[@]}"; do
	if ! declare -F "layer_$layer" >/dev/null; then
		echo "check.sh: no layer '$layer'; there are: $ALL" >&2
		exit 2
	fi
	echo "== $layer"
	start=$SECONDS
	set -m
	"layer_$layer" </dev/null >"$W/$layer.log" 2>&1 &
	running=$!
	set +m
	wait $running
	running=
	s=$(grep -Ec '^ok\b.*# (skip|SKIP)' "$W/$layer.log")
	p=$(($(grep -Ec '^ok\b' "$W/$layer.log") - s))
	f=$(grep -Ec '^not ok\b' "$W/$layer.log")
	if [ $((p + f + s)) = 0 ]; then
		echo "not ok - $layer ran no test" >>"$W/$layer.log"
		f=1
	fi
	if [ "$f" != 0 ]; then
		sed 's/^/   /' "$W/$layer.log"
	elif [ "$s" != 0 ]; then
		grep -E '^ok\b.*# (skip|SKIP)' "$W/$layer.log" | sed 's/^/   /'
	fi
	echo "   $layer: $p passed, $f failed$([ "$s" = 0 ] || echo ", $s skipped") in $((SECONDS - start)) s"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
