#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a packet costs in pe, in dpdk-testpmd and in OVS-DPDK, on the same devices in turn.

Every subject forwards between two net_pcap ports with infinite_rx=1 and no tx option: frames come from memory, and what is sent is
freed. A figure is TSC cycles of the worker threads' CPU time per received packet, so that preemption drops out. Subjects take turns
within a round; the table shows medians over the rounds and [min-max], then ratios. Nothing here fails for being slow.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import extras
import mkpcap
import routing
from subjects import MBUFS, MEMORY_MB, Failed, OnePortPe, Ovs, Pe, TestpmdIo, TestpmdMacswap, available

# At most these ratios of pe to a peer, by MAC addresses a side.
TARGETS = {"testpmd-macswap": {16: 1.8, 4096: 2.0, 16384: 2.1, 65536: 1.8}, "ovs-dpdk": {16: 0.43, 4096: 0.19, 16384: 0.09}}
TARGET_CYCLES = {16: 55, 4096: 65, 16384: 70, 65536: 110}
OVS_MACS_MAX = 16384  # beyond, it takes a minute to set up its flows; --patient waits for it
PARTS = ("one", "two", "route", "learn", "tools")
SUBJECTS = {"testpmd-io": TestpmdIo, "testpmd-macswap": TestpmdMacswap, "ovs-dpdk": Ovs, "pe": Pe}


def options():
    p = argparse.ArgumentParser(prog="run.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default="build", help=argparse.SUPPRESS)
    p.add_argument("--rounds", type=int, default=3, help="measurements of each cell (default 3)")
    p.add_argument("--macs", default="16 4096 16384 65536", help="MAC addresses a side (default '16 4096 16384 65536')")
    p.add_argument("--routes", default="1 10000 1000000", help="routes a direction, for the part route (default '1 10000 1000000')")
    p.add_argument("--seconds", type=float, default=4, help="measured window (default 4)")
    p.add_argument("--only", default="", metavar="NAMES",
                   help=f"subjects ({', '.join(SUBJECTS)}) and parts ({', '.join(PARTS)}) to run; default all")
    p.add_argument("--patient", action="store_true", help=f"measure OVS-DPDK above {OVS_MACS_MAX} addresses a side too")
    p.add_argument("--profile", action="store_true", help="show where pe's cycles go (perf) and measure nothing")
    p.add_argument("--keep", action="store_true", help="leave the logs and say where")
    o = p.parse_args()
    o.macs = [int(w) for w in o.macs.replace(",", " ").split()]
    o.routes = [int(w) for w in o.routes.replace(",", " ").split()]
    words = o.only.replace(",", " ").split()
    unknown = [w for w in words if w not in SUBJECTS and w not in PARTS]
    if unknown:
        p.error(f"--only {unknown[0]}: one of {', '.join(list(SUBJECTS) + list(PARTS))}")
    o.subjects = [w for w in words if w in SUBJECTS] or list(SUBJECTS)
    o.parts = [w for w in words if w in PARTS] or (list(PARTS) if not words else ["one"])
    o.bindir = os.path.join(o.build, "bin")
    return o


def idle_share(cpu, seconds=0.5):
    """Share of that time in which a CPU had nothing to do."""
    def read():
        with open("/proc/stat") as f:
            for line in f:
                if line.startswith(f"cpu{cpu} "):
                    values = [int(v) for v in line.split()[1:]]
                    return values[3] + values[4], sum(values)
        return 0, 0
    idle0, all0 = read()
    time.sleep(seconds)
    idle1, all1 = read()
    return (idle1 - idle0) / max(all1 - all0, 1)


def cpu_ns(pid, tids):
    total = 0
    for tid in tids:
        with open(f"/proc/{pid}/task/{tid}/schedstat") as f:
            total += int(f.read().split()[0])
    return total


def measure(subject, seconds, hz, lossy=False):
    """Cycles of CPU time per packet and packets a second of wall time over one window; lossy: some may be lost on the way."""
    tids = subject.workers()
    if len(tids) != subject.cores:
        raise Failed(f"{subject.name}: {len(tids)} worker threads instead of {subject.cores}")
    pid = subject.process.pid
    cpu0, packets0, wall0 = cpu_ns(pid, tids), subject.received(), time.monotonic()
    time.sleep(seconds)
    cpu1, packets1, wall1 = cpu_ns(pid, tids), subject.received(), time.monotonic()
    if packets1 <= packets0:
        raise Failed(f"{subject.name}: no packets in the measured window")
    # A program that drops is cheap: as many must have gone out as came in, but for those on the way and floods.
    sent, received = subject.flow()
    if sent < 0.9 * received and not lossy:
        raise Failed(f"{subject.name}: sent only {sent} of {received} packets")
    return (cpu1 - cpu0) * hz / 1e9 / (packets1 - packets0), (packets1 - packets0) / (wall1 - wall0)


class Bench:
    def __init__(self, o):
        self.o = o
        self.dir = tempfile.mkdtemp(prefix="pekit-bench.")
        self.hz = int(subprocess.run([os.path.join(o.build, "bench", "tsc")], capture_output=True, check=True).stdout)
        self.turn = 0
        self.notes = []

    def files(self, macs):
        """The source files for so many addresses a side; a list is files already."""
        if isinstance(macs, list):
            return macs
        paths = [os.path.join(self.dir, f"{macs}-{side}.pcap") for side in "ab"]
        if not os.path.exists(paths[0]):
            mkpcap.make(macs, 1, *paths)
        return paths

    def new(self, name, **how):
        return self.make({**SUBJECTS, OnePortPe.name: OnePortPe, routing.RoutePe.name: routing.RoutePe}[name], **how)

    def make(self, kind, **how):
        self.turn += 1
        if issubclass(kind, Pe):
            how["bindir"] = self.o.bindir
        return kind(os.path.join(self.dir, f"run{self.turn}"), **how)

    def table(self, rows):
        """Rows of words in columns; the first column to the left, the others to the right."""
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            print("  " + "  ".join(w.ljust(n) if i == 0 else w.rjust(n) for i, (w, n) in enumerate(zip(row, widths))))

    def once(self, name, macs, lossy=False, **how):
        """One measurement of one subject, from start to stop; None (and a note) when it could not be."""
        subject = self.new(name, **how)
        try:
            subject.start(self.files(macs), 16 if isinstance(macs, list) else macs)
            subject.settle()
            return measure(subject, self.o.seconds, self.hz, lossy)
        except (Failed, OSError) as failure:
            self.note(f"{name} at {how if isinstance(macs, list) else macs}: {failure}")
            return None
        finally:
            subject.stop()
            if not self.o.keep:
                shutil.rmtree(subject.dir, ignore_errors=True)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)
            print("  " + text, flush=True)

    def rounds(self, cells):
        """Runs the cells {key: function} in turn, round after round; {key: [result, ...]}."""
        results = {key: [] for key in cells}
        for number in range(self.o.rounds):
            for key, run in cells.items():
                result = run()
                if result is not None:
                    results[key].append(result)
                    print(f"  round {number + 1}  {' '.join(str(w) for w in key):28} {result[0]:8.1f} cycles/packet "
                          f"{result[1] / 1e6:7.2f} Mpps", flush=True)
        return results

    @staticmethod
    def spread(runs):
        return spread([r[0] for r in runs or []])

    def close(self):
        if self.o.keep:
            print(f"logs are in {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


def spread(values):
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{statistics.median(values):.1f} [{min(values):.0f}-{max(values):.0f}]"


def header(o, bench, subjects):
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), os.uname().machine)
    print(f"""pekit bench
  {model}, {os.cpu_count()} CPUs, TSC {bench.hz / 1e6:.0f} MHz; load now {os.getloadavg()[0]:.2f}
  source and sink: two net_pcap ports, infinite_rx=1, no tx option; 64-byte frames, as many source as destination addresses
  memory: --no-huge, {MEMORY_MB} MB for the peers, {MBUFS} mbufs for everybody; worker on CPU 1, everything else on CPU 0
  figures: TSC cycles of worker CPU time per received packet; {o.rounds} rounds of {o.seconds:g} s, in turn: {', '.join(subjects)}""")
    idle = idle_share(1)
    if idle < 0.9:
        print(f"  WARNING: CPU 1 was {100 - 100 * idle:.0f} % busy before the start; caches are shared with whatever runs there")
    print()


def report_one(bench, subjects, macs, results):
    median = {key: statistics.median(r[0] for r in runs) for key, runs in results.items() if runs}
    print("\nOne core, cycles per packet: median [min-max]")
    bench.table([["MAC addresses a side"] + [str(m) for m in macs]]
          + [[s] + [spread([r[0] for r in results.get((s, m), [])]) for m in macs] for s in subjects])
    if "pe" not in subjects or not any(("pe", m) in median for m in macs):
        return
    print("\nRatios of pe, with the target")
    rows = [["of"] + [str(m) for m in macs]]
    for peer in subjects:
        if peer == "pe":
            continue
        row = [peer]
        for m in macs:
            if ("pe", m) not in median or (peer, m) not in median:
                row.append("-")
                continue
            ratio, target = median["pe", m] / median[peer, m], TARGETS.get(peer, {}).get(m)
            row.append(f"{ratio:.2f}" + (f" ({'met' if ratio <= target else 'MISSED'}, at most {target})" if target else ""))
        rows.append(row)
    rows.append(["cycles to reach"] + [str(TARGET_CYCLES.get(m, "-")) for m in macs])
    bench.table(rows)


def part_one(bench, subjects):
    o = bench.o
    cells = {(s, m): (lambda s=s, m=m: bench.once(s, m)) for m in o.macs for s in subjects
             if s != "ovs-dpdk" or m <= OVS_MACS_MAX or o.patient}
    report_one(bench, subjects, o.macs, bench.rounds(cells))


def part_two(bench, subjects):
    """Two busy cores: a port each, and one port that feeds both by software steering."""
    o = bench.o
    macs = [m for m in (4096,) if m in o.macs] or o.macs[:1]
    cells = {}
    for m in macs:
        for s in subjects:
            if s in ("testpmd-macswap", "pe"):
                cells[s, "1-core", m] = lambda s=s, m=m: bench.once(s, m)
                cells[s, "2-cores", m] = lambda s=s, m=m: bench.once(s, m, cores=2)
        if "pe" in subjects:
            cells["pe-one-port", "1-core", m] = lambda m=m: bench.once("pe-one-port", m)
            cells["pe-steered", "2-cores", m] = lambda m=m: bench.once("pe-one-port", m, cores=2, steering="auto", lossy=True)
    if not cells:
        return
    print("\nTwo busy cores")
    results = bench.rounds(cells)
    rows = [["subject", "cores", "MACs", "cycles/packet", "scaling", "Mpps"]]
    base = {}
    for key, runs in results.items():
        if not runs:
            continue
        cycles = statistics.median(r[0] for r in runs)
        cores, family = int(key[1][0]), (key[0].replace("pe-steered", "pe-one-port"), key[2])
        base.setdefault(family, cycles)
        rows.append([key[0], str(cores), str(key[2]), spread([r[0] for r in runs]), f"{cores * base[family] / cycles:.2f}",
                     f"{statistics.median(r[1] for r in runs) / 1e6:.2f}"])
    print("\nTwo busy cores: CPU cycles per packet over all cores; scaling, by CPU time; packets a second of wall time")
    bench.table(rows)
    print("  pe-one-port: all frames come in at one port; pe-steered: and its core hands half of the flows to the other one.\n"
          "  The source never pauses: what finds the ring to the other core full is dropped, and not counted as a packet here;\n"
          "  whatever else wants CPU 0 makes that worse.")


def main():
    o = options()
    subjects = []
    missing = []
    for name in o.subjects:
        why = available(name, o.bindir)
        if why:
            missing.append(f"{name} is left out: {why}")
        else:
            subjects.append(name)
    bench = Bench(o)
    try:
        header(o, bench, subjects)
        for text in missing:
            bench.note(text)
        if o.profile:
            extras.profile(bench)
            return 0
        if "one" in o.parts:
            part_one(bench, subjects)
        if "two" in o.parts:
            part_two(bench, subjects)
        if "route" in o.parts and "pe" in subjects:
            routing.part_route(bench)
        if "learn" in o.parts and "pe" in subjects:
            extras.part_learn(bench)
        if "tools" in o.parts and "pe" in subjects:
            extras.part_tools(bench)
        if not subjects:
            return 1
        return 0
    except KeyboardInterrupt:
        return 130
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main())
