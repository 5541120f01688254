#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# make bench: cycles per packet of pe beside dpdk-testpmd and OVS-DPDK, and what the tools cost. `run.sh --help` tells the rest.
set -eu
cd "$(dirname "$0")/../.."
build=$(realpath -m "${B:-build}")
if [ "$(id -u)" != 0 ]; then
	echo "the bench pins threads and raises memory limits: run it as root" >&2
	exit 5
fi
mkdir -p "$build/bench"
for tool in tsc:"" learn:"$build/libpekit.a"; do
	name=${tool%%:*} libs=${tool#*:}
	[ -e "tests/bench/$name.c" ] || continue
	[ -z "$libs" ] || [ -e "$libs" ] || continue
	if [ "tests/bench/$name.c" -nt "$build/bench/$name" ] || { [ -n "$libs" ] && [ "$libs" -nt "$build/bench/$name" ]; }; then
		"${CC:-cc}" -std=c11 -O2 -Wall -Wextra -D_GNU_SOURCE -Ilib "tests/bench/$name.c" ${libs:+"$libs"} -o "$build/bench/$name"
	fi
done
exec python3 -B tests/bench/bench.py --build "$build" "$@"
