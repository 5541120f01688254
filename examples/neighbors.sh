#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the neighbours of an engine look like from the shell: who is there, who does not answer, do all cores agree.
#
#	neighbors.sh [APPLIANCE]              a report; exit status 8 when cores differ
#	neighbors.sh [APPLIANCE] pin FILE     makes neighbours permanent: lines of "ADDRESS MAC INTERFACE", # begins a comment
#	neighbors.sh [APPLIANCE] watch        prints who changes its MAC, until interrupted
#
# Without a name: $PEKIT_APPLIANCE, or the only engine that runs.
set -euo pipefail
export LC_ALL=C
case ${1:-} in
'' | report | pin | watch) ;;
*)
	export PEKIT_APPLIANCE=$1
	shift
	;;
esac

# of ADDRESS: the tool of its family
of()
{
	if [[ $1 == *:* ]]; then echo ndmgr; else echo arpmgr; fi
}

report()
{
	local tool status=0
	for tool in arpmgr ndmgr; do
		echo "== $tool: $($tool --count) neighbours"
		$tool -j show | jq -r 'group_by(.interface)[] | "\(.[0].interface // "-"): " + (group_by(.state) | map("\(length) \(.[0].state)") | join(", "))'
		# Asked for in vain: each once more, for a second.
		for address in $($tool -j show nud failed | jq -r '.[] | if .interface then "\(.address)/\(.interface)" else empty end'); do
			$tool -T 1 resolve "${address%/*}" dev "${address#*/}" || true
		done
		$tool verify || status=$?
	done
	return $status
}

# All of one family are checked before the first is added; whatever was there becomes this.
pin()
{
	local tool address mac interface
	for tool in arpmgr ndmgr; do
		while read -r address mac interface _; do
			if [[ -n $address && $address != \#* && $(of "$address") == "$tool" ]]; then
				echo "replace $address lladdr $mac dev $interface"
			fi
		done < "$1" | $tool -b -
	done
}

watch()
{
	arpmgr -j monitor &
	ndmgr -j monitor &
	trap 'kill $(jobs -p) 2> /dev/null' EXIT
	wait
}

case ${1:-report} in
report) report ;;
pin) pin "${2:?a file}" ;;
watch) watch | jq --unbuffered -r 'select(.event == "change") | "\(.time_ms / 1000 | floor | todate) \(.address) \(.interface): \(.mac_before) -> \(.mac)"' ;;
*)
	echo "neighbors.sh: $1: report, pin FILE or watch" >&2
	exit 2
	;;
esac
