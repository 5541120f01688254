#!/bin/bash
# pe links DPDK, nothing else does. usage: ldd.sh [ROOT]; B: where it was built
cd "${1:-.}" || exit 2
bin=${B:-build}/bin
bad=0
[ -x "$bin/pe" ] || { echo "no $bin/pe"; exit 1; }
ldd "$bin/pe" | grep -q 'librte_' || { echo "pe does not link DPDK: is that the right file?"; bad=1; }
for tool in "$bin"/*; do
	[ "$tool" = "$bin/pe" ] && continue
	if ldd "$tool" | grep 'librte_'; then
		echo "$tool links DPDK"
		bad=1
	fi
done
exit $bad
