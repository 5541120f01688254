#!/bin/bash
# Every rule can fail: each is shown a tree that breaks it, and one that does not.
set -u
cd "$(dirname "$0")/../.." || exit 1
rules=$PWD/tests/lint
W=$(mktemp -d "${TMPDIR:-/tmp}/pekit-lint.XXXXXX")
trap 'rm -rf "$W"' EXIT
bad=0
GPL='/* SPDX-License-Identifier: GPL-3.0-or-later */'

# tree FILE TEXT [FILE TEXT]...: nothing but these files
tree()
{
	rm -rf "$W/tree"
	mkdir -p "$W/tree/lib" "$W/tree/cmd" "$W/tree/tests"
	cp .clang-format "$W/tree"
	while [ $# -gt 1 ]; do
		mkdir -p "$W/tree/$(dirname "$1")"
		printf '%b\n' "$2" >"$W/tree/$1"
		shift 2
	done
}

# refuses RULE FILE TEXT...: the rule complains of the tree
refuses()
{
	local rule=$1
	shift
	tree "$@"
	if B="$W/tree/build" "$rules/$rule.sh" "$W/tree" >/dev/null 2>&1; then
		echo "$rule.sh says nothing to: $*"
		bad=1
	fi
}

allows()
{
	local rule=$1 said
	shift
	tree "$@"
	if ! said=$(B="$W/tree/build" "$rules/$rule.sh" "$W/tree" 2>&1); then
		echo "$rule.sh complains of: $*"
		echo "$said"
		bad=1
	fi
}

good="$GPL\nint\nf(int a)\n{\n\treturn a;\n}"
for rule in pure layers calls length headers shell format house; do
	allows $rule lib/fdb/x.c "$good"
done

refuses pure lib/fdb/x.c '#include <time.h>'
refuses pure lib/rss/x.c '\tx = clock_gettime(CLOCK_MONOTONIC, &t);'
refuses pure lib/net/x.c '\tprintf("%d", 1);'
refuses pure lib/core/x.c '\tfd = socket(AF_INET, SOCK_STREAM, 0);'
refuses pure lib/fdb/x.c '\tp = malloc(3);'
allows pure lib/conf/x.c '\tp = malloc(3);\n\tsnprintf(p, 3, "x");'
allows pure lib/shm/x.c '#include <time.h>'

refuses layers lib/base/x.c '#include "shm/seg.h"'
refuses layers lib/fdb/x.c '#include "shm/ring.h"'
refuses layers lib/net/x.c '#include "fdb/fdb.h"'
refuses layers lib/cli/x.c '\trte_pktmbuf_free(m);'
refuses layers cmd/brtable/x.c '#include <rte_mbuf.h>'
refuses layers lib/cli/x.c '#include "../../cmd/pe/port.h"'
allows layers cmd/pe/x.c '#include <rte_mbuf.h>' lib/fdb/x.c '#include "shm/layout.h"\n#include "fdb/fdb.h"'

refuses calls lib/cli/x.c '\tsprintf(a, "x");'
refuses calls cmd/pe/x.c '\tstrcpy(a, b);'
refuses calls cmd/pe/x.c '\tn = atoi(b);'
refuses calls cmd/pe/x.c '\tn = strtoul(b, NULL, 0);'
refuses calls docs/x.md 'TO''DO: more'
allows calls cmd/pe/x.c '\tsnprintf(a, 3, "x"); mystrcpy(a);'

lines()
{
	local i
	for ((i = 0; i < $1; i++)); do printf '\\tx++;\\n'; done
}
refuses length cmd/pe/x.c "$GPL\nvoid\nf(void)\n{\n$(lines 81)}"
allows length cmd/pe/x.c "$GPL\nvoid\nf(void)\n{\n$(lines 80)}"
refuses length cmd/pe/x.c "$(lines 801)"
refuses length tests/x.sh "$(lines 801)"

refuses headers cmd/pe/x.c 'int x;'
refuses headers lib/fdb/x.c '/* SPDX-License-Identifier: MIT */'
refuses headers lib/fdb/x.h "$GPL\n#ifndef X_H"
allows headers lib/fdb/x.h "$GPL\n#ifndef PEKIT_FDB_X_H" lib/shm/layout.h '/* SPDX-License-Identifier: MIT */\n#ifndef PEKIT_SHM_LAYOUT_H'
refuses headers cmd/pe/x.c "$GPL\nstatic int f(int a)\n{"

refuses shell tests/x.sh '#!/bin/bash\ncd $1\nrm -rf $x/*'
refuses format cmd/pe/x.c "$GPL\nint f(int a) {\n  return a; }"
refuses house docs/x.md 'see /ho''me/me/x'
refuses house lib/fdb/x.c '/* na\xc3\xafve */'

# what was built
ARCHIVE_CC=${CC:-cc}
built()
{
	tree "$@"
	mkdir -p "$W/tree/build/obj/lib/fdb" "$W/tree/build/bin"
	"$ARCHIVE_CC" -c "$W/tree/x.c" -o "$W/tree/build/obj/lib/fdb/x.o"
}
judge()
{
	B="$W/tree/build" "$rules/$1.sh" "$W/tree" >/dev/null 2>&1
}
built x.c 'static int count;\nint f(void);\nint f(void) { return ++count; }'
judge globals && { echo "globals.sh says nothing to a static variable"; bad=1; }
built x.c 'static const char *const names[] = {"a", "b"};\nconst char *f(int i);\nconst char *f(int i) { return names[i]; }'
judge globals || { echo "globals.sh complains of a table of constants"; bad=1; }
tree x.c ''
judge globals && { echo "globals.sh is content without a build"; bad=1; }

dpdk=$(ldd "${B:-build}/bin/pe" 2>/dev/null | awk '/librte_eal/ { print $3 }')
if [ -n "$dpdk" ]; then
	tree x.c ''
	mkdir -p "$W/tree/build/bin"
	cp "${B:-build}/bin/pe" "$W/tree/build/bin/pe"
	judge ldd || { echo "ldd.sh complains of pe"; bad=1; }
	cp "${B:-build}/bin/pe" "$W/tree/build/bin/brtable"
	judge ldd && { echo "ldd.sh says nothing to a tool that links DPDK"; bad=1; }
	cp /bin/true "$W/tree/build/bin/pe"
	judge ldd && { echo "ldd.sh takes anything for pe"; bad=1; }
else
	echo "no pe in ${B:-build}/bin"
	bad=1
fi

# man.sh: a page that lacks a verb
mkdir -p "$W/man"
for page in man/*.8; do sed '/^\.[ST][SHP]/!s/show//g; s/verify//g' "$page" >"$W/man/$(basename "$page")"; done
MAN="$W/man" "$rules/man.sh" >/dev/null 2>&1 && { echo "man.sh says nothing to a page without its verbs"; bad=1; }
exit $bad
