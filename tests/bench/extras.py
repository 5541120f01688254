# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured beside the packet rate: learning across cores, the tools, and where the cycles go."""
import json
import os
import statistics
import subprocess
import time

from subjects import Failed, Pe

FRAME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "net", "frame.py")


def spent_ms(words, env=None, to=os.devnull, turns=15):
    """Wall time of a command from start to end, the median of some turns, with its output in a file."""
    times = []
    for _ in range(turns):
        with open(to, "wb") as out:
            before = time.perf_counter()
            pid = os.posix_spawnp(words[0], words, env or os.environ,
                                  file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
            _, status = os.waitpid(pid, 0)
            times.append(1000 * (time.perf_counter() - before))
        if status:
            raise Failed(f"{' '.join(words)}: exit {os.waitstatus_to_exitcode(status)}")
    return statistics.median(times)


# ---- learning ------------------------------------------------------------------------------------------------------------


def learned(bench, pe, what):
    done = subprocess.run([os.path.join(bench.o.build, "bench", "learn"), pe.appliance], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip())
    result = json.loads(done.stdout)
    print(f"  {what:58} median {result['median_us']:8.1f} us   99 % {result['p99_us']:8.1f} us   most {result['max_us']:8.1f} us"
          f"   ({result['samples']} entries{', ' + str(result['missing']) + ' missing' if result['missing'] else ''})")


class QuietPe(Pe):
    """Two cores that sleep when idle, between two veth interfaces in a network namespace of its own."""

    def __init__(self, *args, **how):
        super().__init__(*args, cores=2, poll="adaptive", steering="auto", sources=["if:v0", "if:v1"], **how)
        self.netns = self.appliance

    def start(self, files, macs):
        for words in (["ip", "netns", "add", self.netns],
                      ["ip", "-n", self.netns, "link", "add", "v0", "type", "veth", "peer", "name", "w0"],
                      ["ip", "-n", self.netns, "link", "add", "v1", "type", "veth", "peer", "name", "w1"],
                      ["ip", "-n", self.netns, "link", "set", "w0", "up"],
                      ["ip", "-n", self.netns, "link", "set", "w1", "up"]):
            self.run(*words)
        super().start(files, macs)

    def prefix(self):
        return ["ip", "netns", "exec", self.netns]

    def await_traffic(self):
        pass

    def trickle(self, count, rate):
        self.run(*self.prefix(), "python3", "-B", FRAME, "macs", "w0", "-n", str(count), "-r", str(rate))

    def stop(self):
        super().stop()
        subprocess.run(["ip", "netns", "del", self.netns], stderr=subprocess.DEVNULL, check=False)


def part_learn(bench):
    """From the moment a core learned an address to the moment another core has it in its table."""
    print("\nLearned on one core, usable on another (by the cores' own clock readings, one a loop)")
    for macs in (16, 4096):
        pe = bench.new("pe", cores=2)
        try:
            pe.start(bench.files(macs), macs)
            time.sleep(1)
            learned(bench, pe, f"two busy cores, {2 * macs} addresses at line rate at once")
        except (Failed, OSError) as failure:
            bench.note(f"learn: {failure}")
        finally:
            pe.stop()
    pe = bench.make(QuietPe)
    try:
        pe.start(None, 2048)
        pe.trickle(500, 200)
        time.sleep(0.3)
        learned(bench, pe, "two sleeping cores, an address every 5 ms")
    except (Failed, OSError) as failure:
        bench.note(f"learn: {failure}")
    finally:
        pe.stop()


# ---- tools ---------------------------------------------------------------------------------------------------------------


def part_tools(bench):
    """Start-up, and how long a large table takes to print."""
    bindir = bench.o.bindir
    macs = 32768
    print("\nTools: milliseconds from start to end, median of 15")
    pe = bench.new("pe")
    try:
        pe.start(bench.files(macs), macs)
        time.sleep(2)
        brtable, pemon = ([os.path.join(bindir, tool), "-a", pe.appliance] for tool in ("brtable", "pemon"))
        ip = spent_ms(["ip", "-V"])
        rows = [["command", "ms", "against"], ["ip -V", f"{ip:.1f}", ""]]
        for label, words in (("brtable --version", [brtable[0], "--version"]), ("pemon --version", [pemon[0], "--version"]),
                             ("pe --version", [os.path.join(bindir, "pe"), "--version"]),
                             ("pemon cores", pemon + ["cores"]), ("brtable stats", brtable + ["stats"])):
            ms = spent_ms(words, pe.env)
            rows.append([label, f"{ms:.1f}", f"{ms / ip:.1f} x ip -V"])
        out = os.path.join(pe.dir, "table")
        copy = os.path.join(pe.dir, "copy")
        for label, words in (("brtable show", brtable + ["show"]), ("brtable show -j", brtable + ["show", "-j"]),
                             ("brtable verify", brtable + ["verify"])):
            ms = spent_ms(words, pe.env, to=out, turns=5)
            cat = spent_ms(["cat", out], to=copy)
            with open(out, "rb") as f:
                data = f.read()
            rows.append([f"{label} ({data.count(bytes([10]))} lines, {len(data) / 1e6:.1f} MB)", f"{ms:.1f}",
                         f"{ms / cat:.1f} x cat of the same bytes ({cat:.1f} ms)"])
        bench.table(rows)
    except (Failed, OSError) as failure:
        bench.note(f"tools: {failure}")
    finally:
        pe.stop()


# ---- profile -------------------------------------------------------------------------------------------------------------


def profile(bench):
    """Where the data core's CPU time goes, by function, as perf samples it."""
    for macs in bench.o.macs:
        pe = bench.new("pe")
        try:
            pe.start(bench.files(macs), macs)
            time.sleep(1)
            data = os.path.join(pe.dir, "perf.data")
            pe.run("perf", "record", "-q", "-e", "cpu-clock", "-F", "5000", "-t", str(pe.workers()[0]), "-o", data,
                   "sleep", str(bench.o.seconds))
            print(f"\n{macs} addresses a side: share of the data core's time")
            for fields, least in (("overhead,dso", 1), ("overhead,dso,sym", 0.5)):
                report = subprocess.run(["perf", "report", "-i", data, "--stdio", "-g", "none", "--percent-limit", str(least),
                                         "-F", fields], capture_output=True, text=True, check=False).stdout
                lines = [line.rstrip() for line in report.splitlines() if line.strip() and not line.startswith("#")]
                print("\n".join(line for line in lines if fields == "overhead,dso" or "[.] 0x" not in line))
                print()
        except (Failed, OSError) as failure:
            bench.note(f"profile: {failure}")
        finally:
            pe.stop()
