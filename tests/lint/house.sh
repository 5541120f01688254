#!/bin/bash
# The repository speaks of pekit alone: no paths of a machine, nothing generated, no large files. usage: house.sh [ROOT]
cd "${1:-.}" || exit 2
bad=0
if grep -rnE '(^|[^[:alnum:]_.])/(home|root|work|mnt|Users)/' --include='*.[ch]' --include='*.sh' --include='*.bats' --include='*.bash' --include='*.py' \
	--include='*.md' --include='*.json' --include='*.[578]' --include=Makefile . 2>/dev/null | grep -vE '^\./(build|tests/lint)/'; then
	echo "no paths of a machine"
	bad=1
fi
if grep -rlP '[^\x00-\x7F]' --include='*.[ch]' lib cmd 2>/dev/null; then
	echo "sources are ASCII"
	bad=1
fi
if git rev-parse --git-dir >/dev/null 2>&1 && git ls-files -z | xargs -0 stat -c '%s %n' 2>/dev/null | awk '$1 > 200000 { print; bad = 1 } END { exit !bad }'; then
	echo "too large to keep"
	bad=1
fi
exit $bad
