# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What the guest does: its set-up, then /out/command, whose output goes to the host and whose status to /out/status.
source /repo/tests/rig/lib.bash

mkdir -p /dev/pts /dev/shm /dev/hugepages /run
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mkdir -p /run/rig /run/netns
mount -t tmpfs tmp /tmp
mount -t hugetlbfs hugetlbfs /dev/hugepages
ln -s /proc/self/fd /dev/fd
echo rig >/proc/sys/kernel/hostname
ip link set lo up
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
modprobe -a virtio_console igb virtio_net vfio-pci

await 10 host_port output
exec >"$(host_port output)" 2>&1
host_hello
for n in 0 1; do
	ip netns add "w$n"
	ip -n "w$n" link set lo up
	ip link set dev "$(dev_with 52:54:00:00:0$((n + 1)):fe)" netns "w$n" name "w$n"
	ip -n "w$n" link set dev "w$n" up
	pf_named $n
done

cd /repo || exit
: >/out/started
command=$(< /out/command)
bash -c "$command" </dev/null
echo $? >/out/status
sync
# isa-debug-exit
printf '\0' | dd of=/dev/port bs=1 seek=$((0x501)) conv=notrunc 2>/dev/null
