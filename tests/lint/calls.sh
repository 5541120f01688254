#!/bin/bash
# Functions that do not belong: unbounded copies, numbers that are not checked as a whole. usage: calls.sh [ROOT]
cd "${1:-.}" || exit 2
bad=0
if grep -rnE '(^|[^[:alnum:]_])(sprintf|vsprintf|strcpy|strcat|stpcpy|gets|strtok|alloca|system|popen|atoi|atol|atoll|atof|scanf|usleep)\(' \
	--include='*.[ch]' lib cmd 2>/dev/null | grep -vE ':[[:space:]]*(/?\*|//)'; then
	echo "use snprintf, memcpy, lib/base/num.h, a condition that can be awaited"
	bad=1
fi
if grep -rnE '(^|[^[:alnum:]_])strto(l|ul|ll|ull|d|imax|umax)\(' --include='*.[ch]' lib cmd 2>/dev/null | grep -vE '^lib/(base/num|conf/port|shm/seg)\.c:'; then
	echo "numbers are parsed by lib/base/num.h"
	bad=1
fi
if grep -rnE '(TODO|FIXME|XXX:|HACK)([^[:alnum:]]|$)' --include='*.[ch]' --include='*.sh' --include='*.bats' --include='*.md' --include=Makefile lib cmd tests docs Makefile README.md 2>/dev/null |
	grep -v '^tests/lint/'; then
	echo "do it, or leave it"
	bad=1
fi
exit $bad
