#!/bin/bash
# Functions have at most 80 lines, files 800 (the length of lines is clang-format's). usage: length.sh [ROOT]
cd "${1:-.}" || exit 2
mapfile -t files < <(find lib cmd tests -name '*.[ch]' -o -name '*.sh' -o -name '*.bats' -o -name '*.bash' -o -name '*.py' 2>/dev/null | sort)
[ ${#files[@]} -gt 0 ] || exit 0
awk '
	FNR == 1 { if (lines > 800) { print name ": " lines " lines"; bad = 1 } name = FILENAME; start = 0 }
	{ lines = FNR }
	/^\{$/ || /^[a-z_]+\(\) *\{$/ { start = FNR }
	/^\}/ {
		if (start && FNR - start - 1 > 80) { print FILENAME ":" start ": a function of " FNR - start - 1 " lines"; bad = 1 }
		start = 0
	}
	END { if (lines > 800) { print name ": " lines " lines"; bad = 1 } exit bad }' "${files[@]}"
