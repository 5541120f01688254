#!/bin/bash
# Licence line, include guard, and the return type on its own line. usage: headers.sh [ROOT]
cd "${1:-.}" || exit 2
bad=0
while read -r file; do
	licence=GPL-3.0-or-later
	[ "$file" = lib/shm/layout.h ] && licence=MIT
	if [ "$(head -1 "$file")" != "/* SPDX-License-Identifier: $licence */" ]; then
		echo "$file: the first line names the licence $licence"
		bad=1
	fi
	if [[ $file == lib/*.h ]]; then
		guard=$(tr 'a-z/.' 'A-Z__' <<<"$(basename "$file")")
		if ! grep -Eq "^#ifndef PEKIT_([A-Z]+_)?$guard\$" "$file"; then
			echo "$file: the guard is PEKIT_AREA_$guard"
			bad=1
		fi
	fi
done < <(find lib cmd tests -name '*.[ch]' 2>/dev/null)
if grep -nE '^(static |extern )?[a-z_][a-z0-9_ ]*[ *]+[a-z_0-9]+\([^;]*\)$' -r --include='*.c' lib cmd 2>/dev/null | grep -v __attribute__; then
	echo "the return type stands on its own line"
	bad=1
fi
exit $bad
