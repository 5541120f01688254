#!/bin/bash
# Who may include what: cmd -> lib/{cli,io,shm,log} -> lib/<protocol or table> -> lib/ds -> lib/base, and rte_ in cmd/pe alone.
# usage: layers.sh [ROOT]
cd "${1:-.}" || exit 2
bad=0

# allow AREA PATTERN: the only headers of other areas that lib/AREA may include
allow()
{
	local area=$1 pattern=$2
	[ -d "lib/$area" ] || return
	if grep -nE '#[[:space:]]*include "[a-z_]+/' "lib/$area"/*.[ch] | grep -vE "include \"($area/$pattern)"; then
		echo "lib/$area may not include that"
		bad=1
	fi
}
allow base ''
allow json '|base/'
allow ds '|base/'
allow net '|base/'
allow limit '|base/'
allow core '|base/|shm/layout\.h'
allow fdb '|base/|core/|ds/|shm/layout\.h'
allow nbr '|base/|core/|ds/|net/|shm/layout\.h'
allow route '|base/|shm/layout\.h'
allow rss '|base/|net/'
allow conf '|base/|json/|nbr/ra\.h|route/route\.h|shm/layout\.h|shm/seg\.h'
allow bridge '|base/|conf/|nbr/iface\.h|shm/layout\.h'
allow shm '|base/'
allow log '|base/'
allow vf '|base/|json/|conf/conf\.h'
allow io '|base/|vf/'
allow cli '|base/|core/|shm/|io/ctl\.h'

if grep -rnE '(^|[^[:alnum:]_])rte_[a-z]' --include='*.[ch]' lib cmd tests 2>/dev/null | grep -vE '^(cmd/pe/|tests/net/)|/\*[^/]*rte_[^/]*\*/'; then
	echo "only cmd/pe may use DPDK"
	bad=1
fi
if grep -nE '#[[:space:]]*include "(\.\./)*cmd/' -r --include='*.[ch]' lib cmd 2>/dev/null; then
	echo "lib does not know cmd"
	bad=1
fi
exit $bad
