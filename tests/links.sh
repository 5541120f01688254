#!/bin/sh
# What each test links, as the Makefile reads it: FILE=WORD|WORD... from "links: lib/x/y.c -lz" in a comment near the top of the file.
[ $# -gt 0 ] || exit 0
exec awk '
	FNR == 1 { if (name) { print name "=" words } name = FILENAME; words = ""; on = 0 }
	FNR > 60 { next }
	/links:/ { on = 1; sub(/.*links:/, "") }
	on {
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^(lib|cmd|tests)\/.*\.c$|^-l/) { words = words "|" $i }
		}
		if (/\*\//) { on = 0 }
	}
	END { print name "=" words }' "$@"
