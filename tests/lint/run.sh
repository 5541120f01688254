#!/bin/bash
# All rules over the tree, as TAP; then the proof that each can fail (selftest.sh). B: where it was built.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=0 bad=0
for rule in tests/lint/*.sh; do
	name=$(basename "$rule" .sh)
	case $name in run) continue ;; esac
	n=$((n + 1))
	if said=$("$rule" 2>&1); then
		echo "ok $n - lint $name"
	else
		bad=1
		echo "not ok $n - lint $name"
		sed 's/^/# /' <<<"$said"
	fi
done
echo "1..$n"
exit $bad
