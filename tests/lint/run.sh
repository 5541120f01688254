#!/bin/bash
# All rules over the tree, as TAP, a rule on each CPU; with the proof that each can fail (selftest.sh). B: where it was built.
set -u
cd "$(dirname "$0")/../.." || exit 1
W=$(mktemp -d "${TMPDIR:-/tmp}/pekit-lint.XXXXXX")
trap 'rm -rf "$W"' EXIT
rules=()
for rule in tests/lint/*.sh; do
	[ "$(basename "$rule")" = run.sh ] || rules+=("$(basename "$rule" .sh)")
done
printf '%s\n' "${rules[@]}" | xargs -P "$(nproc)" -I{} sh -c 'tests/lint/{}.sh >"$0/{}" 2>&1 && : >"$0/{}.ok"' "$W"

n=0 bad=0
for rule in "${rules[@]}"; do
	n=$((n + 1))
	if [ -e "$W/$rule.ok" ]; then
		echo "ok $n - lint $rule"
	else
		bad=1
		echo "not ok $n - lint $rule"
		sed 's/^/# /' "$W/$rule"
	fi
done
echo "1..$n"
exit $bad
