#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a small recorded host for vfctl --root: mkhost.py FOLDER [domain] [odd].

eth0 (01:00.0, label 1/1 by the file) has four of its seven VFs: the first under igbvf with an interface, the second leased by vpx1 and open in
pe, the third used by nobody, the fourth without a driver. eth1 (01:00.1) has none. eth9 carries the default route. Three crypto chips:
one leased by vpx1, one free, one under a driver of the kernel. domain: a network card in another PCI domain, too. odd: names that
no terminal should see.
"""
import json
import os
import struct
import sys

root, options = sys.argv[1], sys.argv[2:]
dump = []


def write(path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())


def link(path, to):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(to, path)


def function(addr, ids, cls, revision=0, driver=None, group=None, numa=None, net=None, files=None, links=None, own_ids=True):
    vendor, device = (int(x, 16) for x in ids.split(":"))
    space = bytearray(64)
    struct.pack_into("<HH", space, 0, *((vendor, device) if own_ids else (0xffff, 0xffff)))
    space[8] = revision
    space[9:12] = cls.to_bytes(3, "little")
    dump.append(f"{addr} a function")
    dump.extend(f"{i:02x}: {space[i:i + 16].hex(' ')}" for i in range(0, 64, 16))
    dump.append("")
    at = f"sys/bus/pci/devices/{addr}"
    write(f"{at}/vendor", f"0x{vendor:04x}\n")
    write(f"{at}/device", f"0x{device:04x}\n")
    for name, text in (files or {}).items():
        write(f"{at}/{name}", text)
    for name, to in (links or {}).items():
        link(f"{at}/{name}", to)
    if driver:
        link(f"{at}/driver", f"../../drivers/{driver}")
    if group is not None:
        link(f"{at}/iommu_group", f"../../../kernel/iommu_groups/{group}")
    if numa is not None:
        write(f"{at}/numa_node", f"{numa}\n")
    if net:
        os.makedirs(os.path.join(root, at, "net", net))


# ---- rtnetlink, as in linux/if_link.h ----

def attr(kind, data):
    return struct.pack("<HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)


def message(kind, data):
    return struct.pack("<IHHII", len(data) + 16, kind, 2, 0, 0) + data + b"\0" * (-len(data) % 4)


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def vf_info(index, mac, vlan=0, qos=0, rate=0, trust=0, spoof=1):
    return attr(1, attr(1, struct.pack("<I32s", index, mac_bytes(mac))) + attr(2, struct.pack("<III", index, vlan, qos)) +
                attr(6, struct.pack("<III", index, 0, rate)) + attr(4, struct.pack("<II", index, spoof)) +
                attr(5, struct.pack("<II", index, 0)) + attr(9, struct.pack("<II", index, trust)))


def interface(index, name, mac, parent, up=True, carrier=True, mtu=1500, vfs=b""):
    flags = (1 if up else 0) | (0x10040 if carrier else 0)
    data = struct.pack("<BxHiII", 0, 1, index, flags, 0) + attr(3, name + b"\0") + attr(1, mac_bytes(mac)) + attr(4, struct.pack("<I", mtu))
    return message(16, data + attr(56, parent.encode() + b"\0") + (attr(22, vfs) if vfs else b""))


# ---- the host ----

ETH0 = b"et\x1b[\xff" if "odd" in options else b"eth0"
BOOT = "6f1c0a52-0000-4000-8000-000000000001"
function("0000:00:00.0", "8086:29c0", 0x060000)
function("0000:00:03.0", "8086:100e", 0x020000, revision=3, driver="e1000", group=3, net="eth9")
function("0000:01:00.0", "8086:10c9", 0x020000, revision=1, driver="igb", group=10, numa=1,
         files={"sriov_totalvfs": "7\n", "sriov_numvfs": "4\n", "sriov_drivers_autoprobe": "0\n", "reset": ""},
         links={f"virtfn{i}": f"../0000:01:10.{2 * i}" for i in range(4)})
os.makedirs(os.path.join(root.encode(), b"sys/bus/pci/devices/0000:01:00.0/net", ETH0))
function("0000:01:00.1", "8086:10c9", 0x020000, revision=1, driver="igb", group=11, numa=1, net="eth1",
         files={"sriov_totalvfs": "7\n", "sriov_numvfs": "0\n", "sriov_drivers_autoprobe": "1\n"})
for i, driver in enumerate(("igbvf", "vfio-pci", "vfio-pci", None)):
    function(f"0000:01:10.{2 * i}", "8086:10ca", 0x020000, revision=1, driver=driver, group=20 + i, numa=1, own_ids=False,
             links={"physfn": "../0000:01:00.0"}, net="vf0" if i == 0 else None,
             files={"driver_override": "vfio-pci\n" if driver == "vfio-pci" else "(null)\n"})
function("0000:05:00.0", "177d:0010", 0x100000, driver="vfio-pci", group=30)
function("0000:06:00.0", "177d:0010", 0x100000, driver="vfio-pci", group=31)
function("0000:07:00.0", "177d:0010", 0x100000, driver="nitrox", group=32)
if "domain" in options:
    function("10000:e1:00.0", "8086:1533", 0x020000, driver="igb")
write("pci.dump", "\n".join(dump))

NONE = "00:00:00:00:00:00"
vfs = (vf_info(0, "02:00:00:00:01:00") + vf_info(1, "02:00:00:00:01:01", vlan=100, qos=3, rate=200) +
       vf_info(2, "02:00:00:00:01:02", trust=1, spoof=0) + vf_info(3, NONE))
write("links", interface(2, ETH0, "02:11:00:00:01:00", "0000:01:00.0", vfs=vfs) +
      interface(3, b"eth1", "02:11:00:00:01:01", "0000:01:00.1", carrier=False) +
      interface(4, b"vf0", "02:00:00:00:01:00", "0000:01:10.0") + interface(9, b"eth9", "02:11:00:00:00:09", "0000:00:03.0", mtu=9000))
write("addrs", message(20, struct.pack("<BBBBI", 2, 24, 0, 0, 9) + attr(1, bytes((192, 0, 2, 1))) + attr(2, bytes((192, 0, 2, 1)))))
write("routes", message(24, struct.pack("<BBBBBBBBI", 2, 0, 0, 0, 254, 3, 0, 1, 0) + attr(5, bytes((192, 0, 2, 254))) + attr(4, struct.pack("<I", 9))))
for name, speed in (("eth0", 1000), ("eth9", 10000)):
    write(f"sys/class/net/{name}/speed", f"{speed}\n")
    write(f"sys/class/net/{name}/duplex", "full\n")
write("sys/devices/system/node/node1/cpulist", "0-1\n")
write("proc/812/comm", "pe\n")
link("proc/812/fd/3", "/dev/vfio/21")
write("proc/sys/kernel/random/boot_id", BOOT + "\n")
if "odd" not in options:
    write("etc/pekit/vf.json", json.dumps({"ports": {"eth0": {"label": "1/1"}}}))

# ---- the ledger ----

lines = []


def lease(op, func, holder, generation, at, vlans=None, before=None, to=None, **more):
    begin = {"seq": len(lines) + 1, "at": at, "boot": BOOT, "who": "root", "op": op, "phase": "begin", "func": func, **more, "generation": generation,
             "holder": holder, **({"vlans": vlans} if vlans else {})}
    begin["steps"] = [{"what": "vfset", "pf": func, "index": more["index"], "from": before, "to": to}] if before else []
    lines.append(begin)
    lines.append({"seq": len(lines) + 1, "at": at, "of": begin["seq"], "phase": "done"})


PF = "0000:01:00.0"
lease("lease", PF, "old", 1, "2026-01-01T12:00:00Z", index=1)
lease("release", PF, "old", 1, "2026-01-02T12:00:00Z", index=1)
lease("lease", PF, "vpx1", 2, "2026-01-03T12:00:00Z", index=1, vlans=[10, 11, 12, 20], before={"vlan": 0, "qos": 0, "proto": "802.1Q"},
      to={"vlan": 100, "qos": 3, "proto": "802.1Q"})
lease("lease", "0000:05:00.0", "vpx1", 1, "2026-01-03T12:00:00Z")
write("ledger", "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
