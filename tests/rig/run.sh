#!/bin/bash
# Boots one guest and runs tests in it: run.sh [OPTION]... [FILE.bats]..., all of tests/rig without a name; what they say, in TAP, is the output.
# run.sh [OPTION]... -- COMMAND... runs a command instead, from the guest's copy of the repository (lib.bash says what is there).
#
#   --quick          without the tests that are tagged slow
#   --part I/N       of all files every Nth, the largest first: for N guests at once
#   --limit SECONDS  the guest is ended after that time (300)
#   --out DIR        the guest's /out; else a folder that is removed
#   --verbose        the kernel's console, too
#
# B: the build tree whose binaries the guest uses. PEKIT_RIG_ACCEL: kvm or tcg; else kvm where /dev/kvm can be used.
# Exit status: that of the tests; 98 when the guest did not come to its end. No network, no root: the guest's wires end in the guest.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=$(realpath "${B:-build}")
LIMIT=300 PART=1/1 OUT='' VERBOSE='' QUICK='' COMMAND=() FILES=()

usage()
{
	echo "run.sh: $*" >&2
	sed -n '2,/^set/{/^#/s/^# \?//p}' "$0" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--part | --limit | --out) [ $# -gt 1 ] || usage "$1 needs a word" ;;&
	--part) PART=$2 && shift ;;
	--limit) LIMIT=$2 && shift ;;
	--out) OUT=$(realpath "$2") && shift ;;
	--verbose) VERBOSE=1 ;;
	--quick) QUICK=1 ;;
	--) shift && COMMAND=("$@") && break ;;
	-*) usage "no option $1" ;;
	*) FILES+=("$(realpath --relative-to=. "$1")") ;;
	esac
	shift
done
if [ ${#FILES[@]} = 0 ]; then
	mapfile -t FILES < <(grep -c '^@test' tests/rig/*.bats | sort -t: -k2,2nr -k1,1 | cut -d: -f1 | awk -v part="$PART" '
		BEGIN { split(part, p, "/") }
		(NR - 1) % p[2] == p[1] - 1')
fi
if [ ${#COMMAND[@]} = 0 ]; then
	[ ${#FILES[@]} -gt 0 ] || exit 0
	COMMAND=(bats --tap ${QUICK:+--filter-tags '!slow'} "${FILES[@]}")
fi

CACHE=$(tests/rig/build.sh) || exit 1
# Held for as long as this runs: build.sh does not remove what is in use.
exec {held}<"$CACHE"
flock -s $held

W=$(mktemp -d "${TMPDIR:-/tmp}/pekit-rig.XXXXXX")
OUT=${OUT:-$W/out}
mkdir -p "$OUT"
qemu=''

leave()
{
	[ -n "$qemu" ] && kill "$qemu" 2>/dev/null && wait "$qemu" 2>/dev/null
	rm -rf "$W"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- the machine -----------------------------------------------------------------------------------------------------------

ACCEL=${PEKIT_RIG_ACCEL:-$([ -w /dev/kvm ] && grep -qwE "vmx|svm" /proc/cpuinfo && echo kvm || echo tcg)}
# shellcheck disable=SC2054  # the commas are QEMU's, here and below
case $ACCEL in
kvm) machine=(-M q35,kernel-irqchip=split -accel kvm -cpu host) ;;
*) machine=(-M q35 -accel tcg,thread=multi -cpu Westmere,+arat) ;;
esac
# shellcheck disable=SC2054
machine+=(-smp 2 -m 1536 -nodefaults -display none -vga none -no-reboot
	-device intel-iommu,intremap=on,caching-mode=on,aw-bits=48
	-kernel "$CACHE/vmlinux" -initrd "$CACHE/initrd.cpio"
	-device isa-debug-exit,iobase=0x501,iosize=1)
kernel="console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr audit=0 apparmor=0 random.trust_cpu=on no_timer_check cryptomgr.notests
	net.ifnames=0 hugepages=192 intel_iommu=on iommu=nopt"

# The console goes to a file; the tests' output has a port of its own. QEMU's monitor has a port in the guest, too: so a test unplugs its own card.
# shellcheck disable=SC2054
ports=(-serial "file:$W/console" -device virtio-serial-pci
	-chardev stdio,id=output,signal=off -device virtserialport,chardev=output,name=output
	-chardev "socket,id=monitor,path=$W/monitor,server=on,wait=off" -mon chardev=monitor,mode=control
	-chardev "socket,id=request,path=$W/monitor" -device virtserialport,chardev=request,name=monitor)

# share TAG FOLDER [OPTION]
shares=()
share()
{
	shares+=(-fsdev "local,id=$1,path=$2,security_model=none${3-}" -device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}
share repo "$PWD" ,readonly=on
share build "$B" ,readonly=on
share out "$OUT"

# Two physical functions, each behind its own root port and with a wire to an interface of the guest, and two devices that are no NICs.
devices=()
for n in 0 1; do
	devices+=(-device "pcie-root-port,id=slot$n,chassis=1,slot=$n,addr=$(printf 0x%x $((n + 16)))"
		-netdev "hubport,id=pf$n,hubid=$n" -device "igb,id=nic$n,bus=slot$n,netdev=pf$n,mac=52:54:00:00:0$((n + 1)):00,romfile="
		-netdev "hubport,id=w$n,hubid=$n" -device "virtio-net-pci,netdev=w$n,mac=52:54:00:00:0$((n + 1)):fe,romfile=")
done
for n in 0 1; do
	devices+=(-device "pcie-root-port,id=cryptoslot$n,chassis=1,slot=$((n + 2)),addr=$(printf 0x%x $((n + 18)))"
		-object "cryptodev-backend-builtin,id=engine$n" -device "virtio-crypto-pci,bus=cryptoslot$n,cryptodev=engine$n")
done

# ---- one run ---------------------------------------------------------------------------------------------------------------

# An end of QEMU's input would be, for the guest, one of its output's port.
mkfifo "$W/silence"
exec {silence}<>"$W/silence"
printf '%q ' "${COMMAND[@]}" >"$OUT/command"
root=$CACHE/qemu

boot()
{
	rm -f "$OUT/status" "$OUT/started" "$W/monitor"
	timeout --foreground -k 5 "$LIMIT" "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
		"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \
		"${machine[@]}" "${ports[@]}" "${shares[@]}" "${devices[@]}" -append "${kernel//$'\n\t'/ }" <&$silence 2>"$W/errors" &
	qemu=$!
}

# The tests have begun, or QEMU has ended; false: neither, and it is long.
begun()
{
	local end=$((SECONDS + 60))
	until [ -e "$OUT/started" ] || ! kill -0 "$qemu" 2>/dev/null; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# An emulated processor loses a timer once in a while as it starts, and then stands still.
for try in 1 2 3; do
	boot
	begun && break
	[ $try = 3 ] && break
	kill "$qemu"
	wait "$qemu"
	echo "# the guest did not start: once more"
done
wait $qemu
ended=$?
qemu=''
[ -z "$VERBOSE" ] || sed 's/^/# console: /' "$W/console"
# isa-debug-exit makes 1 of the guest's 0, and 1 is also what QEMU says when it cannot start: the guest's own word counts.
if [ -s "$OUT/status" ]; then
	exit "$(cat "$OUT/status")"
fi
case $ended in
124 | 137) echo "not ok - the guest had not ended after $LIMIT s" ;;
*) echo "not ok - the guest ended before its tests did (QEMU's exit status $ended)" ;;
esac
tail -n 30 "$W/errors" "$W/console" 2>/dev/null | sed 's/\r//; s/^/# /'
exit 98
