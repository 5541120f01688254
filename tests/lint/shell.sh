#!/bin/bash
# Nothing to say for shellcheck(1). usage: shell.sh [ROOT]
cd "${1:-.}" || exit 2
mapfile -t files < <(find tests examples .ci completions -type f \( -name '*.sh' -o -name '*.bats' -o -name '*.bash' -o -path '.ci/*' -o -path 'completions/*' \) 2>/dev/null | sort)
[ ${#files[@]} -gt 0 ] || exit 0
# in bats, "run" sets variables, and words such as "done" are arguments
shellcheck -x -S warning -e SC2154,SC2034,SC1010 "${files[@]}"
