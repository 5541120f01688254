# SPDX-License-Identifier: GPL-3.0-or-later
"""Routing: an interface on each of the two ports, packets of each side for the other, beside testpmd macswap on the same files.

With one route a direction the destinations are the neighbours themselves (connected prefixes); with more, every route is a prefix of
its own through one of the neighbours, and the packets go to 4,096 destinations in as many of them.
"""
import ipaddress
import os
import random
import statistics
import struct
import subprocess

import mkpcap
from subjects import Failed, Pe, await_true

FRAME = 64
DESTINATIONS = 4096
TARGETS = {1: 1.8, 10000: 2.1}
IFACE_MAC = [0x020a00000001, 0x020a00000002]
SIDES = {4: [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("10.2.0.0/16")],
         6: [ipaddress.ip_network("2001:db8:1::/64"), ipaddress.ip_network("2001:db8:2::/64")]}
# a /24 or /48 for each route of a side
BEYOND = {4: [11 << 24, 111 << 24], 6: [0x2a00 << 112, 0x2b00 << 112]}
STEP = {4: 1 << 8, 6: 1 << 80}
LENGTH = {4: 24, 6: 48}


def neighbors(family, side, count):
    """(address, MAC) of the hosts on a side."""
    first = int(SIDES[family][side].network_address) + 1
    return [(first + i, 0x020b00000000 + (side << 24) + i) for i in range(count)]


def prefixes(family, side, count):
    return [BEYOND[family][side] + i * STEP[family] for i in range(count)]


def packet(family, mac, source, destination, number):
    if family == 4:
        return mkpcap.frame(mac, 0x020b00000000 + number, destination, source, number)
    ports = struct.pack("!HHHH", 1024 + (number * 7) % 60000, 9, 8, 0)
    head = struct.pack("!IHBB", 6 << 28, len(ports), 17, 64) + source.to_bytes(16, "big") + destination.to_bytes(16, "big")
    data = mac.to_bytes(6, "big") + (0x020b00000000 + number).to_bytes(6, "big") + b"\x86\xdd" + head + ports
    return data.ljust(FRAME, b"\x00")


def make(family, routes, hosts, paths):
    """The two source files: side 0's packets go to side 1, and the other way round."""
    rng = random.Random(family * 1000003 + routes * 31 + hosts)
    for side in (0, 1):
        here, there = neighbors(family, side, hosts), neighbors(family, 1 - side, hosts)
        if routes == 1:
            targets = [address for address, _ in there]
        else:
            chosen = rng.sample(prefixes(family, 1 - side, routes), min(DESTINATIONS, routes))
            targets = [p + rng.randrange(1, 255) for p in chosen]
        frames = [packet(family, IFACE_MAC[side], here[i % hosts][0], t, i) for i, t in enumerate(targets)]
        rng.shuffle(frames)
        mkpcap.write(paths[side], frames)


class RoutePe(Pe):
    name = "pe-route"

    def __init__(self, *args, family=4, routes=1, hosts=16, **how):
        super().__init__(*args, **how)
        self.family, self.routes, self.hosts = family, routes, hosts
        self.base = (0, 0)

    def config(self, files, macs):
        config = super().config(files, macs)
        del config["bridges"]
        config["tables"] = {"fdb": 64, "neighbors": max(4 * self.hosts, 64), "routes": max(2 * self.routes + 64, 64)}
        config["interfaces"] = {
            f"w{side}": {"port": f"p{side}", "mac": ":".join(f"{b:02x}" for b in IFACE_MAC[side].to_bytes(6, "big")),
                         "addresses": [f"{SIDES[self.family][side].broadcast_address - 1}/{SIDES[self.family][side].prefixlen}"]}
            for side in (0, 1)}
        return config

    def batch(self, tool, lines):
        path = os.path.join(self.dir, f"{tool}.batch")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        done = subprocess.run([os.path.join(self.bindir, tool), "-a", self.appliance, "-b", path], env=self.env, text=True,
                              stdout=subprocess.DEVNULL, stderr=self.log, timeout=600, check=False)
        if done.returncode:
            raise Failed(f"{tool} -b: exit {done.returncode}, see {self.log.name}")

    def await_traffic(self):
        address = ipaddress.ip_address
        tool = "arpmgr" if self.family == 4 else "ndmgr"
        self.batch(tool, [f"replace {address(a)} lladdr {':'.join(f'{b:02x}' for b in mac.to_bytes(6, 'big'))} dev w{side}"
                          for side in (0, 1) for a, mac in neighbors(self.family, side, self.hosts)])
        if self.routes > 1:
            lines = []
            for side in (0, 1):
                gates = neighbors(self.family, side, self.hosts)
                lines += [f"route add {address(p)}/{LENGTH[self.family]} via {address(gates[i % self.hosts][0])}"
                          for i, p in enumerate(prefixes(self.family, side, self.routes))]
            self.batch("pe", lines)
        before = self.sent()
        await_true("pe: routed packets", 30, lambda: self.sent() > before + 100000, self.process)

    def settle(self):
        """What came before the neighbours were there went nowhere, and does not count."""
        super().settle()
        self.base = super().flow()

    def flow(self):
        return tuple(now - then for now, then in zip(super().flow(), self.base))


def part_route(bench):
    o = bench.o
    cells = {}
    for family in (4, 6):
        for routes in o.routes:
            if family == 6 and routes >= 1000000:
                bench.note("IPv6 with a million routes is left out: DPDK's fib6 reserves three groups of 1 KiB for each /48, in both copies")
                continue
            for hosts in (16, 4096):
                paths = [os.path.join(bench.dir, f"route-{family}-{routes}-{hosts}-{side}.pcap") for side in "ab"]
                how = {"family": family, "routes": routes // 2 if routes >= 1000000 else routes, "hosts": hosts}
                make(paths=paths, **how)
                cells["testpmd-macswap", f"IPv{family}", routes, hosts] = lambda p=paths: bench.once("testpmd-macswap", p)
                cells["pe-route", f"IPv{family}", routes, hosts] = lambda p=paths, h=how: bench.once("pe-route", p, **h)
    print("\nRouting, one core")
    results = bench.rounds(cells)
    rows = [["family", "routes", "neighbors", "macswap", "pe", "ratio"]]
    for (subject, family, routes, hosts), runs in results.items():
        peer = results.get(("testpmd-macswap", family, routes, hosts))
        if subject != "pe-route" or not runs:
            continue
        row = [family, f"{routes:,}", f"{hosts:,}", bench.spread(peer), bench.spread(runs), "-"]
        if peer:
            ratio, target = statistics.median(r[0] for r in runs) / statistics.median(r[0] for r in peer), TARGETS.get(routes)
            row[-1] = f"{ratio:.2f}" + (f" ({'met' if ratio <= target else 'MISSED'}, at most {target})" if target else "")
        rows.append(row)
    print("\nRouting, cycles per packet: median [min-max]; routes a direction (1,000,000: in all)")
    bench.table(rows)
