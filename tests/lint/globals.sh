#!/bin/bash
# Pure areas have no variables of their own: their objects have no .data and no .bss. usage: globals.sh [ROOT]; B: where it was built
cd "${1:-.}" || exit 2
bad=0 seen=0
for area in base net core fdb bridge rss limit conf ds; do
	for object in "${B:-build}/obj/lib/$area"/*.o; do
		[ -e "$object" ] || continue
		seen=1
		if size -A "$object" | grep -E '^\.(data|bss|tdata|tbss)(\.[^r]|[[:space:]])' | awk '$2 > 0 { found = 1 } END { exit !found }'; then
			echo "$object holds variables:"
			nm "$object" | grep -E ' [dDbBC] '
			bad=1
		fi
	done
done
[ $seen = 1 ] || { echo "nothing was built in ${B:-build}"; exit 1; }
exit $bad
