# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are measured: each forwards between two net_pcap ports on the same pcap files with the same number of mbufs.

A subject starts, tells its worker threads and how many packets it has received so far, and stops. Worker threads have CPU 1 (and,
with two of them, CPU 0 as well); everything else of a subject stays on CPU 0.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import mkpcap

MBUFS = 262144    # what OVS-DPDK takes for its shared pool; the others get the same
MEMORY_MB = 2048
WORKER_CPUS = [1, 0]


class Failed(Exception):
    pass


def await_true(what, seconds, test, process=None):
    end = time.monotonic() + seconds
    while True:
        value = test()
        if value:
            return value
        if process and process.poll() is not None:
            raise Failed(f"{what}: ended with status {process.returncode}")
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def threads(pid, prefix):
    """Thread ids whose name begins so, by name."""
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm") as f:
            name = f.read().strip()
        if name.startswith(prefix):
            found.append((name, int(tid)))
    return [tid for _, tid in sorted(found)]


def end(process, how=signal.SIGTERM, seconds=10):
    """Ends a process that this program started."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Telemetry:
    """DPDK's own counters socket: one question, one JSON answer."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(5)
        self.sock.connect(path)
        self.sock.recv(4096)

    def ask(self, what):
        self.sock.send(what.encode())
        return json.loads(self.sock.recv(65536))[what.split(",")[0]]

    def total(self, counter):
        return sum(self.ask(f"/ethdev/stats,{port}")[counter] for port in self.ask("/ethdev/list"))

    def close(self):
        self.sock.close()


class Subject:
    def __init__(self, directory, cores=1):
        self.dir = os.path.join(directory, self.name)
        self.cores = cores
        self.process = None
        self.telemetry = None
        os.makedirs(self.dir, exist_ok=True)
        self.env = dict(os.environ, RUNTIME_DIRECTORY=self.dir)
        self.log = open(os.path.join(self.dir, "log"), "ab")

    def attach_telemetry(self, prefix):
        path = os.path.join(self.dir, "dpdk", prefix, "dpdk_telemetry.v2")
        await_true(f"{self.name}: counters socket", 30, lambda: os.path.exists(path), self.process)
        self.telemetry = Telemetry(path)

    def run(self, *words):
        done = subprocess.run(words, env=self.env, stdout=subprocess.PIPE, stderr=self.log, text=True, timeout=60, check=False)
        if done.returncode:
            raise Failed(f"{words[0]} {words[-1]}: exit {done.returncode}, see {self.log.name}")
        return done.stdout

    def received(self):
        return self.telemetry.total("ipackets")

    def sent(self):
        return self.telemetry.total("opackets")

    def flow(self):
        """Packets sent and received, as near together as can be read."""
        return self.sent(), self.received()

    def settle(self):
        """Waits until what it has to learn is learned; the plain forwarders have nothing."""
        time.sleep(0.5)

    def stop(self):
        if self.telemetry:
            self.telemetry.close()
        self.log.close()


class Testpmd(Subject):
    mode = None

    def start(self, files, macs):
        vdevs = [w for i, path in enumerate(files) for w in ("--vdev", f"net_pcap{i},rx_pcap={path},infinite_rx=1")]
        places = ["0@0"] + [f"{i + 1}@{WORKER_CPUS[i]}" for i in range(self.cores)]
        self.process = subprocess.Popen(
            ["dpdk-testpmd", "--lcores", ",".join(places), "--no-huge", "-m", str(MEMORY_MB), "--no-pci", "--file-prefix", "pmd"]
            + vdevs + ["--", f"--forward-mode={self.mode}", f"--total-num-mbufs={MBUFS}", f"--nb-cores={self.cores}",
                       "--burst=32", "--no-flush-rx"],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log, env=self.env)
        self.attach_telemetry("pmd")
        await_true(f"{self.name}: packets", 30, lambda: self.received() > 0, self.process)

    def workers(self):
        return threads(self.process.pid, "rte-worker") or threads(self.process.pid, "lcore-worker")

    def stop(self):
        if self.process and self.process.poll() is None:
            try:
                self.process.stdin.write(b"\n")
                self.process.stdin.close()
                self.process.wait(10)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                end(self.process, signal.SIGKILL)
        super().stop()


class TestpmdIo(Testpmd):
    name, mode = "testpmd-io", "io"


class TestpmdMacswap(Testpmd):
    name, mode = "testpmd-macswap", "macswap"


class Ovs(Subject):
    """Open vSwitch with DPDK ports and the NORMAL action, in a directory and with a database of its own."""

    name = "ovs-dpdk"
    daemon = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"

    def __init__(self, directory, cores=1):
        super().__init__(directory, cores)
        self.database = None
        self.env.update({k: self.dir for k in ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")})

    def vsctl(self, *words):
        return self.run("ovs-vsctl", "--timeout=30", f"--db=unix:{self.dir}/db.sock", *words)

    def start(self, files, macs):
        self.run("ovsdb-tool", "create", f"{self.dir}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
        self.database = subprocess.Popen(
            ["taskset", "-c", "0", "ovsdb-server", f"{self.dir}/conf.db", f"--remote=punix:{self.dir}/db.sock",
             f"--unixctl={self.dir}/db.ctl", "-vconsole:warn"], env=self.env, stdout=self.log, stderr=self.log)
        await_true("ovsdb-server", 10, lambda: os.path.exists(f"{self.dir}/db.sock"), self.database)
        mask = sum(1 << cpu for cpu in WORKER_CPUS[:self.cores])
        self.vsctl("--no-wait", "init", "--", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                   "other_config:dpdk-lcore-mask=0x1", f"other_config:pmd-cpu-mask={mask:#x}",
                   f'other_config:dpdk-extra="--no-huge --legacy-mem -m {MEMORY_MB} --no-pci --file-prefix ovs"',
                   "other_config:n-handler-threads=1", "other_config:n-revalidator-threads=1",
                   "other_config:flow-limit=400000", "other_config:max-idle=60000")
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", self.daemon, f"unix:{self.dir}/db.sock", f"--unixctl={self.dir}/vsw.ctl", "-vconsole:warn"],
            env=self.env, stdout=self.log, stderr=self.log)
        await_true("ovs-vswitchd", 30, lambda: os.path.exists(f"{self.dir}/vsw.ctl"), self.process)
        words = ["add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev",
                 f"other_config:mac-table-size={4 * macs + 2048}"]
        for i, path in enumerate(files):
            words += ["--", "add-port", "br0", f"p{i}", "--", "set", "interface", f"p{i}", "type=dpdk",
                      f'options:dpdk-devargs="net_pcap{i},rx_pcap={path},infinite_rx=1"']
        self.vsctl(*words)
        self.macs = macs
        self.attach_telemetry("ovs")
        await_true("ovs-dpdk: packets", 30, lambda: self.received() > 0, self.process)

    def appctl(self, *words):
        return self.run("ovs-appctl", "-t", f"{self.dir}/vsw.ctl", *words)

    def misses(self):
        """Packets that no flow was there for, ever."""
        lines = self.appctl("dpif-netdev/pmd-stats-show").splitlines()
        return sum(int(line.split(":")[1]) for line in lines if line.strip().startswith("miss with"))

    def settle(self):
        """Until there is a flow for every pair of addresses: no packet has missed for a while."""
        before, still, deadline = -1, 0, time.monotonic() + 120
        while still < 3:
            if time.monotonic() > deadline:
                raise Failed("ovs-dpdk: packets still miss its flows after two minutes")
            time.sleep(0.5)
            now = self.misses()
            still = still + 1 if now == before else 0
            before = now

    def workers(self):
        return threads(self.process.pid, "pmd-c")

    def stop(self):
        try:
            if self.process and self.process.poll() is None:
                self.run("ovs-appctl", "-t", f"{self.dir}/vsw.ctl", "exit")
                self.process.wait(15)
        except (Failed, subprocess.TimeoutExpired):
            pass
        end(self.process)
        end(self.database)
        super().stop()


class Pe(Subject):
    """The engine: one bridge over both ports, whose steering is `steering`; `sources` replaces the two infinite ones."""

    name = "pe"

    def __init__(self, directory, cores=1, bindir="build/bin", steering="none", poll="busy", sources=None):
        super().__init__(directory, cores)
        self.bindir = bindir
        self.steering, self.poll, self.sources = steering, poll, sources
        self.appliance = f"bench{os.getpid()}"
        self.env["PEKIT_RUN"] = self.dir

    def tool(self, *words):
        done = subprocess.run([os.path.join(self.bindir, words[0]), "-a", self.appliance, *words[1:]], env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=self.log, timeout=60, check=False)
        if done.returncode:
            raise Failed(f"{' '.join(words)}: exit {done.returncode}, see {self.log.name}")
        return done.stdout

    def config(self, files, macs):
        cpus = ",".join(str(cpu) for cpu in WORKER_CPUS[:self.cores])
        devices = self.sources or [f"vdev:net_pcap{i},rx_pcap={path},infinite_rx=1" for i, path in enumerate(files)]
        ports = {f"p{i}": {"device": device, "steering": self.steering} for i, device in enumerate(devices)}
        return {"appliance": self.appliance, "cores": {"data": self.cores, "cpus": cpus, "poll": self.poll},
                "memory": {"mbufs": MBUFS, "hugepages": "off"}, "tables": {"fdb": max(2 * macs, 64)}, "ports": ports,
                "bridges": {"br0": {"ports": {name: {"untagged": 10} for name in ports}}}}

    def start(self, files, macs):
        path = os.path.join(self.dir, "pe.json")
        with open(path, "w") as f:
            json.dump(self.config(files, macs), f)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.settimeout(60)
        address = os.path.join(self.dir, "notify")
        notify.bind(address)
        try:
            self.process = subprocess.Popen(self.prefix() + [os.path.join(self.bindir, "pe"), "run", "-a", self.appliance, "-c", path],
                                            env=dict(self.env, NOTIFY_SOCKET=address), stdout=self.log, stderr=self.log)
            while b"READY=1" not in notify.recv(4096):
                pass
        except TimeoutError:
            raise Failed(f"pe: not ready within 60 s, see {self.log.name}") from None
        finally:
            notify.close()
            os.unlink(address)
        self.await_traffic()

    def prefix(self):
        """What its command line begins with."""
        return []

    def await_traffic(self):
        await_true("pe: packets", 10, lambda: self.received() > 0, self.process)

    def totals(self, *counters):
        cores = json.loads(self.tool("pemon", "cores", "-j"))
        return tuple(sum(core[counter] for core in cores) for counter in counters)

    def flow(self):
        return self.totals("tx_packets", "rx_packets")

    def received(self):
        return self.totals("rx_packets")[0]

    def sent(self):
        return self.totals("tx_packets")[0]

    def settle(self):
        time.sleep(1)

    def workers(self):
        return [tid for core in range(1, self.cores + 1) for tid in threads(self.process.pid, f"pe/{core}")]

    def stop(self):
        end(self.process)
        segment = f"/dev/shm/pekit.{self.appliance}"
        if os.path.exists(segment):
            os.unlink(segment)
        super().stop()


class OnePortPe(Pe):
    """
    All frames come in at p0. The stations behind p1 spoke before, and are known: p1 plays its file some times over and falls silent, and
    only then p0 is switched on.
    """

    name = "pe-one-port"
    plays = 64

    def start(self, files, macs):
        again = os.path.join(self.dir, "again.pcap")
        mkpcap.repeat(files[1], self.plays, again)
        self.sources = [f"vdev:net_pcap0,rx_pcap={files[0]},infinite_rx=1", f"vdev:net_pcap1,rx_pcap={again}"]
        self.macs = macs
        super().start(files, macs)

    def config(self, files, macs):
        config = super().config(files, macs)
        config["ports"]["p0"]["enabled"] = False
        return config

    def known(self):
        return min(core["fdb_entries"] for core in json.loads(self.tool("pemon", "cores", "-j")) if core["core"] > 0)

    def await_traffic(self):
        await_true("pe: the stations behind p1", 30, lambda: self.known() >= self.macs, self.process)
        patch = os.path.join(self.dir, "patch.json")
        with open(patch, "w") as f:
            json.dump({"ports": {"p0": {"enabled": True}}}, f)
        self.tool("pe", "apply", "--patch", patch)
        before = self.received()
        await_true("pe: packets", 10, lambda: self.received() > before + 1000000, self.process)


def available(name, bindir):
    """None, or why this subject cannot be measured."""
    if name.startswith("testpmd") and not shutil.which("dpdk-testpmd"):
        return "package dpdk-dev is not installed"
    if name == "ovs-dpdk" and not os.access(Ovs.daemon, os.X_OK):
        return "package openvswitch-switch-dpdk is not installed"
    if name == "pe" and not os.access(os.path.join(bindir, "pe"), os.X_OK):
        return "it is not built"
    return None
